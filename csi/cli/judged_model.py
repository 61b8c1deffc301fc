"""What `csi predict` and `csi assess` share: a model text and a data file, fitted as composites in all cells."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from csi.cli.answer import Grid
from csi.cli.estimators import COMPOSITES, composite_of
from csi.cli.fit_model import as_written, read_model
from csi.cli.fit_options import codes, listed
from csi.cli.grids import grid
from csi.cli.shell import UsageError
from csi.errors import Language, Text
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.models.model import Model
from csi.reporting.tables import Kind
from csi.survey.plain_file import PlainFile, read_plain

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
    """The estimate, its file, and the columns that make its cells."""

    est: Estimate
    file: PlainFile
    by: tuple[str, ...]

    @property
    def heading(self) -> str:
        """What was fitted to what."""
        n = sum(self.est.moments.cells["n"])
        return f"{self.file.name} · {self.est.settings.name} · n = {n}"

    def grid(self, frame: pl.DataFrame, kinds: Mapping[str, Kind], lang: Language, title: Text) -> Grid:
        """The columns named, behind those of the cell."""
        return grid(frame, {**dict.fromkeys(self.by, "text"), **kinds}, lang, title, headings=HEADINGS)


def judged_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, data, estimator, and how the rows are taken."""
    add = parser.add_argument
    add("model", metavar="MODEL", type=Path, help="a model in lavaan's language: a file, or the text itself")
    add("data", metavar="DATA", type=Path, help="CSV, Parquet, Excel or SPSS file")
    add("--estimator", default="pls", choices=COMPOSITES, help="pls unless asked otherwise")
    add("--weighting", default="path", metavar="SCHEME", help="of pls and plsc: path, factorial, centroid")
    add("--missing", default="listwise", metavar="HOW", help="listwise, pairwise, mean, em")
    add("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98 (--na=-9)")
    add("--by", metavar="COLUMNS", help="apart in every cell of these columns")
    add("--where", action="append", metavar="COLUMN=VALUE", help="only these rows")
    add("--weight", metavar="COLUMN", help="sampling weights")
    add("--unit", "--cluster", metavar="COLUMN", help="respondents or clusters, which stay together")
    add("--seed", type=int, default=1, metavar="N", help="of everything random")


def judged_model(args: argparse.Namespace, lang: Language, *others: Path) -> tuple[Judged, tuple[Estimate, ...]]:
    """Read and fit the model, and other models on the same rows.

    Raises:
        Problems: of the models, the data, the fits. UsageError: a --where without a value.
    """
    models = [read_model(path, lang) for path in (args.model, *others)]
    settings = composite_of(args.estimator, args.missing, args.weighting)
    by, where = listed(args.by), _where(args)
    items = dict.fromkeys(item for model in models for item in settings.needs(model))
    keys = [*by, *where, *([args.unit] if args.unit else [])]
    file = read_plain(args.data, [*items, *([args.weight] if args.weight else [])], keys, listed(args.na))
    frame = file.frame if args.missing != "listwise" or not others else file.frame.drop_nulls(list(items))
    values = {column: as_written(frame[column], value) for column, value in where.items()}

    def fitted(model: Model) -> Estimate:
        return fit(model, frame, settings, by, where=values or None, weight=args.weight, unit=args.unit)

    first, *rest = [fitted(model) for model in models]
    return Judged(first, file, by), tuple(rest)


def _where(args: argparse.Namespace) -> dict[str, str]:
    """Columns and values of --where."""
    found: dict[str, str] = {}
    for text in args.where or ():
        column, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"--where: {text}")
        found[column.strip()] = value.strip()
    return found
