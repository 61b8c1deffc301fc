"""What is doubtful about a factor solution, and how it reads at a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.measures.factors.correlations import Correlations
from csi.measures.factors.extraction import CUSTOMARY
from csi.measures.factors.intervals import Way
from csi.measures.factors.turned import Turned
from csi.measures.factors.words import lines
from csi.moments.stack import Array


def notes_of(given: Correlations, way: Way, turn: Turned, heywood: Sequence[str], settled: bool) -> list[Note]:
    """What a reader of the solution must know."""
    found = []
    if heywood:
        items = f"item{'s' if len(heywood) > 1 else ''} {', '.join(heywood)}"
        en = f"no uniqueness is left of {items} (held at .005): a Heywood case of the exploratory factors."
        zh = f"探索性因子中题项 {'、'.join(heywood)} 的独特性已降到下限 0.005：Heywood 情形。"
        found.append(note("W-FACTOR-HEYWOOD", en, zh))
    if not settled:
        en, zh = "extraction or rotation did not settle.", "因子提取或旋转未收敛。"
        found.append(note("W-FACTOR-UNSETTLED", en, zh))
    if int(turn.minima[0]) > 1:
        share = float(turn.share[0])
        minima, starts, name = turn.minima[0], turn.starts, way.rotation
        en = f"{minima} local minima of {name} from {starts} starts; {100 * share:.0f}% ended in the least."
        zh = f"{name} 旋转从 {starts} 个起点得到 {minima} 个局部极小；{100 * share:.0f}% 收敛到最小者。"
        found.append(note("W-FACTOR-MINIMA", en, zh))
    if way.method == "pa":
        en = f"principal axes stop where the sum of communalities moves by less than {CUSTOMARY:g}, as is the custom."
        zh = f"主轴因子法按惯例在共同度之和变动小于 {CUSTOMARY:g} 时停止。"
        found.append(note("N-FACTOR-PA", en, zh))
    if given.kind == "polychoric":
        en = "chi-square, RMSEA and TLI take polychoric correlations as if they were Pearson's: read SRMR instead."
        zh = "卡方、RMSEA 与 TLI 把多分格相关当作皮尔逊相关处理：请以 SRMR 为准。"
        found.append(note("N-FACTOR-POLYCHORIC", en, zh))
    return found


VERDICTS: Final = {
    "as intended": "符合预期",
    "clear": "清晰",
    "elsewhere": "归入他处",
    "cross-loading": "交叉载荷",
    "weak": "载荷弱",
}


class Solution(Protocol):
    """What of a solution is printed."""

    @property
    def table(self) -> pl.DataFrame:
        """One row per item."""

    @property
    def variance(self) -> pl.DataFrame:
        """One row per factor."""

    @property
    def fit(self) -> Mapping[str, float]:
        """Tests and indices."""

    @property
    def factors(self) -> tuple[str, ...]:
        """Their names."""

    @property
    def pattern(self) -> Array:
        """(p, m)."""

    @property
    def phi(self) -> Array:
        """(m, m)."""

    @property
    def method(self) -> str:
        """Of extraction."""

    @property
    def rotation(self) -> str:
        """Its name."""

    @property
    def as_intended(self) -> float | None:
        """Share of items."""

    @property
    def adjusted_rand(self) -> float | None:
        """Agreement of groups."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is doubtful."""


def lines_of(value: Solution, lang: str) -> str:
    """Fit and agreement in a sentence, loadings by factor, variance, correlations of the factors."""
    zh = lang == "zh"
    shown = [_loadings(value, zh=zh), value.variance.drop("stands_for")]
    if len(value.factors) > 1 and np.abs(value.phi - np.eye(len(value.factors))).max() > 0:
        columns = {"factor": list(value.factors)} | {f: value.phi[:, k] for k, f in enumerate(value.factors)}
        shown.append(pl.DataFrame(columns))
    return lines(_sentence(value), shown, value.notes, lang)


def _sentence(value: Solution) -> Text:
    """How many factors of what, their fit, and how many items are where they were meant to."""
    fit, (p, m) = value.fit, value.pattern.shape
    told = f"chi2({fit['df']:.0f}) = {fixed(fit['chi2'])}, RMSEA {fixed(fit['rmsea'], 3)}, "
    told += f"TLI {fixed(fit['tli'], 3)}, SRMR {fixed(fit['srmr'], 3)}"
    en = f"{m} factor{'s' if m > 1 else ''} of {p} items ({value.method}, {value.rotation}): {told}."
    zh = f"{p} 个题项的 {m} 个因子（{value.method}，{value.rotation}）：{told}。"
    if value.as_intended is not None:
        rand = fixed(value.adjusted_rand)
        en += f" {100 * value.as_intended:.0f}% of the items load where intended (adjusted Rand {rand})."
        zh += f"{100 * value.as_intended:.0f}% 的题项归入预期构念（调整 Rand {rand}）。"
    return Text(en, zh)


def _loadings(value: Solution, *, zh: bool) -> pl.DataFrame:
    """Items with all their loadings, by factor and size."""
    columns = {f: value.pattern[:, k] for k, f in enumerate(value.factors)}
    place = {f: k for k, f in enumerate(value.factors)}
    frame = value.table.select("item", "factor", "communality", "complexity", "verdict").with_columns(
        *(pl.Series(f, column) for f, column in columns.items())
    )
    rank = pl.col("factor").replace_strict(place, return_dtype=pl.Int64)
    size = value.table["loading"].abs()
    ordered = frame.with_columns(rank.alias("_rank"), size.alias("_size")).sort(
        "_rank", "_size", descending=[False, True]
    )
    said = pl.col("verdict").replace(VERDICTS) if zh else pl.col("verdict")
    return ordered.select("item", *columns, "communality", "complexity", said)
