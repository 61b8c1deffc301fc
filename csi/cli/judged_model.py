"""What `csi predict` and `csi assess` share: a composite model fitted in all cells, and its grids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import grid
from csi.cli.source import Source
from csi.errors import Language, Text
from csi.estimate.estimate import Estimate
from csi.reporting.section import Kind

HEADINGS = {
    "rmse": Text("RMSE", "RMSE"),
    "mae": Text("MAE", "MAE"),
    "q2_predict": Text("Q²predict", "Q²predict"),
    "lm_rmse": Text("LM RMSE", "LM RMSE"),
    "lm_mae": Text("LM MAE", "LM MAE"),
    "items": Text("items", "题项数"),
    "better": Text("better than LM", "优于 LM"),
    "power": Text("power", "预测力"),
    "against": Text("against", "比较对象"),
    "difference": Text("difference", "损失差"),
    "statistic": Text("t", "t"),
    "p_better": Text("p (better)", "p（更优）"),
    "measure": Text("measure", "指标"),
    "value": Text("value", "数值"),
    "saturated": Text("saturated", "饱和模型"),
    "q95": Text("95 %", "95%"),
    "q99": Text("99 %", "99%"),
    "model": Text("model", "模型"),
    "predictors": Text("predictors", "预测构念数"),
    "r2": Text("R²", "R²"),
    "r2_adjusted": Text("adjusted", "调整后"),
    "aic": Text("AIC", "AIC"),
    "bic": Text("BIC", "BIC"),
    "hq": Text("HQ", "HQ"),
    "gm": Text("GM", "GM"),
    "vif": Text("VIF", "VIF"),
    "f2": Text("f²", "f²"),
    "q2": Text("Q²", "Q²"),
    "q2_effect": Text("q²", "q²"),
    "path": Text("path", "路径系数"),
    "verdict": Text("verdict", "判断"),
    "tetrads": Text("tetrads", "四元组"),
    "away": Text("not 0", "不为 0"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """The estimate and where it comes from."""

    est: Estimate
    source: Source

    @property
    def by(self) -> tuple[str, ...]:
        """The columns that make its cells."""
        return self.source.by

    @property
    def heading(self) -> str:
        """What was fitted to what."""
        return self.source.heading(self.est)

    def grid(
        self, frame: pl.DataFrame, kinds: Mapping[str, Kind], lang: Language, title: Text, least: float = 0.0
    ) -> Grid:
        """The columns named, behind those of the cell; `least`: the least p-value of draws."""
        floors = {"p_value": (least, "")}
        shown: dict[str, Kind] = {**dict.fromkeys(self.by, "text"), **kinds}
        return grid(frame, shown, lang, title, headings=HEADINGS, least=floors)
