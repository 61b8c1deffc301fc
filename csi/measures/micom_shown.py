"""The invariance of composites as a value, and how it prints: step 1, a verdict per construct, numbers, notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from csi.display import Number, Shown, table, text
from csi.errors import Note, Reason, Text
from csi.estimate.estimate import Estimate
from csi.estimate.shown import p_column, p_text
from csi.measures.invariance_words import wrapped
from csi.measures.micom_words import NOT_CHECKED, VERDICTS, Check

Items = Literal["standardised", "answers"]
"""Scale of the pooled items that scores are formed of: standard deviations of the pooled data, or answers as given."""

ROWS = 20
"""So many pairs are printed; the rest is counted."""

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "group_1": Text("group", "组"),
    "group_2": Text("against", "对照组"),
    "c": Text("c", "c"),
    "c_low": Text("5 %", "5% 分位"),
    "p_c": Text("p", "p 值"),
    "p_c_holm": Text("p adj.", "校正 p"),
    "mean_difference": Text("mean diff.", "均值差"),
    "p_mean": Text("p mean", "均值 p"),
    "p_mean_holm": Text("p mean adj.", "均值校正 p"),
    "log_variance_ratio": Text("log var. ratio", "对数方差比"),
    "p_variance": Text("p var.", "方差 p"),
    "p_variance_holm": Text("p var. adj.", "方差校正 p"),
    "invariance": Text("invariance", "不变性"),
}


def _four(value: float) -> str:
    return f"{value:.4f}"


def _three(value: float) -> str:
    return f"{value:.3f}"


NUMBERS: Final[dict[str, Number]] = {
    "c": _four,
    "c_low": _four,
    "mean_difference": _three,
    "log_variance_ratio": _three,
}
ADJUSTED: Final = ("p_c_holm", "p_mean_holm", "p_variance_holm")
NUMBERS.update(dict.fromkeys(("p_c", "p_mean", "p_variance", *ADJUSTED), p_text))


@dataclass(frozen=True, slots=True, repr=False)
class Micom(Shown):
    """The three steps of measurement invariance of composites.

    Attributes:
        table: a row per construct and pair of groups: construct, group_1, group_2, c, c_low (5 % quantile of the
            permutations), p_c, mean_difference (first less second, scores of the pooled data with variance 1) and
            log_variance_ratio (first over second) with the middle 95 % of the permutations (.._low, .._high), p_mean,
            p_variance, each p with its Holm form over the pairs of the construct, invariance ("none",
            "untested", "partial", "full", by the Holm forms), reason (why step 3 is withheld).
        omnibus: a row per construct over all groups: c (smallest of the pairs), p_c, p_mean, p_variance (permutation of
            all groups together), the smallest p of the pairs (p_.._pair) and its Holm form (p_.._holm), invariance (the
            least of the pairs'), reason. With two groups it is the pair's.
        configural: what step 1 checked, and whether it holds. sentences: construct -> verdict. est: the groups' fit.
        groups, sizes: labels and rows. items: scale of the items. alpha, permutations, seed. reasons, notes. least: the
            least p that the permutations can give; one there is printed as a bound.
    """

    table: pl.DataFrame
    omnibus: pl.DataFrame
    configural: tuple[Check, ...]
    sentences: Mapping[str, Text]
    est: Estimate
    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    items: Items
    alpha: float
    permutations: int
    seed: int
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    least: float = 0.0

    def failing(self, first: str | None = None, second: str | None = None) -> frozenset[str]:
        """Constructs that fail step 2: of two groups, or over all."""
        frame = self.omnibus
        if first is not None:
            frame = self.table.filter(pl.col("group_1") == first, pl.col("group_2") == second)
        return frozenset(frame.filter(pl.col("invariance") == "none")["construct"])


@text.register
def _(value: Micom, lang: str = "en") -> str:
    """Step 1, verdicts, numbers of the pairs, reasons and notes."""
    return "\n".join([*verdict_lines(value, lang), "", *_pairs(value, lang), *_ended(value, lang)])


def verdict_lines(value: Micom, lang: str) -> list[str]:
    """What is shown before any comparison may be read: the groups, step 1, a sentence per construct."""
    named = zip(value.groups, value.sizes, strict=True)
    listed = Text(", ", "、").say(lang).join(f"{name} (n = {n})" for name, n in named)
    title = Text("Measurement invariance of composites (MICOM): ", "合成变量的测量不变性（MICOM）：")
    holds = all(check.holds for check in value.configural)
    first = Text(
        "Step 1, configural: " + ("holds" if holds else "doubtful"), "步骤 1，形态：" + ("成立" if holds else "存疑")
    )
    lines = [wrapped(title.say(lang) + listed), first.say(lang)]
    lines += [wrapped(f"  {'+' if check.holds else '!'} {check.what.say(lang)}") for check in value.configural]
    lines += [wrapped(f"  ? {NOT_CHECKED.say(lang)}"), Text("Steps 2 and 3:", "步骤 2 与 3：").say(lang)]
    return lines + [wrapped(f"  {s.say(lang)}") for s in value.sentences.values()]


def _pairs(value: Micom, lang: str) -> list[str]:
    """Numbers of the pairs of groups; adjusted p where there is more than one pair."""
    said = [c for c in HEADINGS if c not in ADJUSTED or len(value.groups) > 2]
    kept = [c for c in said if c in value.table.columns and value.table[c].null_count() < value.table.height]
    words = {name: t.say(lang) for name, t in VERDICTS.items()}
    tested = [p_column(value.table, c, value.least, c.removesuffix("_holm")) for c in kept if c.startswith("p_")]
    frame = value.table.select(kept).with_columns(pl.col("invariance").replace(words), *tested)
    lines = [table(frame.head(ROWS), NUMBERS, {c: t.say(lang) for c, t in HEADINGS.items()})]
    rest = frame.height - ROWS
    return lines + (
        [Text(f"... {rest} more rows in .table", f"……另有 {rest} 行，见 .table").say(lang)] if rest > 0 else []
    )


def _ended(value: Micom, lang: str) -> list[str]:
    """Reasons and notes."""
    told: list[Reason | Note] = [*value.reasons.values(), *value.notes]
    return [wrapped(f"* {x.say(lang)}") for x in told]
