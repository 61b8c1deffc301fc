"""Collinearity of predictors and of items in one table: `vif(est)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Reason, Text
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.shown import part, told
from csi.measures.validity import Validity, validity

HIGH, RAISED = 5.0, 3.0
"""VIF from which collinearity is likely critical, or possible (Hair et al. 2019)."""


@dataclass(frozen=True, slots=True, repr=False)
class Collinearity(Shown):
    """What `vif` found.

    Attributes:
        table: key columns, kind ("antecedent" of an outcome, or "item" of a block), of (the outcome or the construct),
            name, mode (of an item's construct: "A" or "B"), vif, verdict ("pass" below 3, "doubtful" below 5, "fail";
            of antecedents and mode B items alone), reason.
        notes, reasons.
    """

    table: pl.DataFrame
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]

    @property
    def sentences(self) -> tuple[Text, ...]:
        """One sentence: how many antecedents and mode B items reach 5, the worst of them named."""
        judged = self.table.drop_nulls("verdict")
        worst = judged.sort("vif", descending=True).head(1)
        if not worst.height:
            return ()
        row, above = worst.row(0, named=True), judged.filter(verdict="fail").height
        name = Text(f"{row['name']} for {row['of']}", f"“{row['of']}”的“{row['name']}”")
        return (
            Text(
                f"{above} of {judged.height} antecedents and mode B items have a VIF of 5 or more; the largest is"
                f" {row['vif']:.2f} ({name.en}).",
                f"{judged.height} 个预测构念与模式 B 题项中，有 {above} 个 VIF 不低于 5；"
                f"最大者为 {row['vif']:.2f}（{name.zh}）。",
            ),
        )


@text.register
def _(value: Collinearity, lang: str = "en") -> str:
    """What is judged first, then a sentence, reasons and notes."""
    shown = value.table.drop_nulls("verdict")
    lines = part(Text("Collinearity (VIF)", "共线性（VIF）"), shown.drop("reason"), lang, ".table")
    return "\n".join(
        [*lines, *(s.say(lang) for s in value.sentences), *told(value.reasons.values(), value.notes, lang)]
    )


def vif(est: Estimate) -> Collinearity:
    """Variance inflation of the antecedents of every construct, and of the items of every block.

    Antecedents and items of mode B are predictors of a regression and are judged; items of mode A are not, their VIF is
    there for the record. Under PLSc the antecedents' correlations are disattenuated, and their VIF with them.

    Parameters:
        est: a fitted model.

    Returns:
        A `Collinearity`.

    Source:
        Hair et al. (2019), European Business Review 31(1). Agrees with seminr 2.3.4 and cSEM 0.6.1 within 1e-6
        (tests/measures/test_collinearity.py).

    Example:
        >>> import csi
        >>> R = [[1, 0.6, 0.5], [0.6, 1, 0.4], [0.5, 0.4, 1]]
        >>> est = csi.fit("A =~ a; B =~ b; Y =~ y; Y ~ A + B; B ~ A", csi.Moments.of("aby", R, 100), csi.PLS())
        >>> vif(est).table.select("of", "name", pl.col("vif").round(4)).row(1)
        ('Y', 'A', 1.5625)
    """
    check_estimate(est)
    found: Validity = validity(est)
    modes = dict(zip(est.solution.constructs, est.solution.modes, strict=True))
    inner = found.vif_inner.rename({"outcome": "of", "predictor": "name"}).with_columns(
        kind=pl.lit("antecedent"), mode=pl.lit(None, dtype=pl.String)
    )
    outer = found.vif_outer.rename({"construct": "of", "item": "name"}).with_columns(
        kind=pl.lit("item"),
        mode=pl.col("of").replace_strict(modes, return_dtype=pl.String),
        reason=pl.lit(None, dtype=pl.String),
    )
    keys = [c for c in inner.columns if c not in {"of", "name", "vif", "reason", "kind", "mode"}]
    order = [*keys, "kind", "of", "name", "mode", "vif", "reason"]
    table = pl.concat([inner.select(order), outer.select(order)])
    judged = ((pl.col("kind") == "antecedent") | (pl.col("mode") == "B")) & pl.col("vif").is_not_null()
    level = pl.when(pl.col("vif") >= HIGH).then(pl.lit("fail")).when(pl.col("vif") >= RAISED).then(pl.lit("doubtful"))
    table = table.with_columns(verdict=pl.when(judged).then(level.otherwise(pl.lit("pass"))))
    reasons = {code: found.reasons[code] for code in set(table["reason"].drop_nulls()) if code in found.reasons}
    return Collinearity(table.select(*order[:-1], "verdict", "reason"), est.notes, reasons)
