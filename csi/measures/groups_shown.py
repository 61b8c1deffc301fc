"""A multigroup analysis as a value, and how it prints: the invariance of the composites first, then what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from csi.display import Number, Shown, table, text
from csi.errors import Note, Reason, Text
from csi.estimate.shown import p_column, p_text
from csi.measures.group_parameters import KINDS, Kind
from csi.measures.group_words import sentences_of
from csi.measures.invariance_words import wrapped
from csi.measures.micom_shown import Micom, verdict_lines
from csi.measures.micom_words import VERDICTS, sentence

ROWS = 30
"""So many rows of a frame are printed; the rest is counted."""

PRINTED: Final[tuple[Kind, ...]] = ("path", "total", "r2")
"""Kinds that are printed row by row; loadings and weights are counted."""

HEADINGS: Final = {
    "lhs": Text("outcome", "结果变量"),
    "rhs": Text("predictor", "预测变量"),
    "group_1": Text("group", "组"),
    "group_2": Text("against", "对照组"),
    "estimate_1": Text("est.", "估计"),
    "estimate_2": Text("est. against", "对照估计"),
    "difference": Text("diff.", "差异"),
    "p_permutation": Text("p perm.", "置换 p"),
    "p_spread": Text("p perm.", "置换 p"),
    "p_holm": Text("Holm", "Holm"),
    "p_henseler": Text("Henseler", "Henseler"),
    "p_parametric": Text("t", "t"),
    "p_welch": Text("Welch", "Welch"),
    "range": Text("range", "极差"),
    "p_range": Text("p range", "极差 p"),
    "invariance": Text("invariance", "不变性"),
    "reason": Text("reason", "原因"),
    "compared": Text("compared", "比较对象"),
    "distance": Text("distance", "距离"),
    "value": Text("value", "值"),
    "p_value": Text("p", "p 值"),
}
WORDS: Final = {
    **VERDICTS,
    "items": Text("items", "题项"),
    "constructs": Text("constructs", "构念"),
    "d_g": Text("geodesic", "测地距离"),
    "d_l": Text("squared Euclidean", "平方欧氏距离"),
}
TESTS: Final = ("p_permutation", "p_spread", "p_range", "p_value")
"""p-values of permutations."""


def _three(value: float) -> str:
    return f"{value:.3f}"


NUMBERS: Final[dict[str, Number]] = {
    **dict.fromkeys(("estimate_1", "estimate_2", "difference", "range"), _three),
    **dict.fromkeys(
        ("p_permutation", "p_holm", "p_henseler", "p_parametric", "p_welch", "p_spread", "p_range", "p_value"), p_text
    ),
}


@dataclass(frozen=True, slots=True, repr=False)
class Differences(Shown):
    """Differences between groups, behind the invariance of their composites.

    What rests on a construct that fails MICOM's step 2 is absent, with its reason; every row bears the `invariance` of
    what it rests on, so that no comparison is read without it.

    Attributes:
        micom: the invariance of the composites; printed first.
        table: a row per parameter and pair of groups: kind ("path", "total", "r2", "loading", "weight"), lhs, rhs,
            group_1, group_2, estimate_1, estimate_2, difference, p_permutation, its p_holm and p_bh (over all rows of
            the kind), p_henseler (two-sided), p_parametric, p_welch, invariance (the least of the constructs it rests
            on), reason.
        omnibus: a row per parameter over more than two groups: spread (weighted squared deviations), range,
            p_spread, p_range, p_holm, p_bh (of p_spread, over the rows of the kind), invariance, reason; empty for two
            groups.
        distances: of whole groups: group_1, group_2 (null: all groups), compared ("items", "constructs"), distance
            ("d_g", "d_l"), value, p_value, invariance (the least of all constructs), reason.
        sentences: what was found, kind by kind. alpha, permutations, replicates, seed. reasons, notes.
    """

    micom: Micom
    table: pl.DataFrame
    omnibus: pl.DataFrame
    distances: pl.DataFrame
    sentences: tuple[Text, ...]
    alpha: float
    permutations: int
    replicates: int
    seed: int
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def least(self) -> float:
        """The least p-value that the permutations can give."""
        return self.micom.least


@text.register
def _(value: Differences, lang: str = "en") -> str:
    """MICOM's verdicts, then paths, effects and R2, what was found of the rest, distances, reasons, notes."""
    told: list[Reason | Note] = [*value.reasons.values(), *value.notes]
    return "\n".join([*found_lines(value, lang), *(wrapped(f"* {x.say(lang)}") for x in told)])


def found_lines(value: Differences, lang: str) -> list[str]:
    """Everything but reasons and notes; MICOM first."""
    lines = [*verdict_lines(value.micom, lang), "", *_compared(value, lang)]
    lines += [wrapped(s.say(lang)) for s in value.sentences]
    whole = value.distances.filter(pl.col("group_1").is_null())
    return [
        *lines,
        "",
        *_part(Text("distances between groups", "组间距离"), whole, lang, ".distances", value.micom.least),
    ]


def labelled(value: Differences, texts: Mapping[str, str]) -> Differences:
    """The same with labels in the place of names of constructs, items and groups, sentences included."""
    if not texts:
        return value
    columns = ("construct", "lhs", "rhs", "group_1", "group_2")

    def said(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(c).replace(dict(texts)) for c in columns if c in frame.columns)

    gate, table_, over = value.micom, said(value.table), said(value.omnibus)
    constructs = said(gate.omnibus)
    verdicts = {
        r["construct"]: sentence(r, len(gate.groups), gate.alpha, gate.least) for r in constructs.iter_rows(named=True)
    }
    names = tuple(texts.get(g, g) for g in gate.groups)
    first = replace(gate, table=said(gate.table), omnibus=constructs, groups=names, sentences=verdicts)
    told = sentences_of(table_, over, value.alpha, value.permutations)
    return replace(value, micom=first, table=table_, omnibus=over, distances=said(value.distances), sentences=told)


def _compared(value: Differences, lang: str) -> list[str]:
    """Paths, total effects and R2: of two groups all of them; of more, over all groups, and the pairs that differ."""
    out = []
    many = value.omnibus.height > 0
    for kind in PRINTED:
        frame = (value.omnibus if many else value.table).filter(pl.col("kind") == kind)
        out += _part(KINDS[kind], frame, lang, ".omnibus" if many else ".table", value.micom.least)
    if many:
        chosen = pl.col("kind").is_in(PRINTED) & (pl.col("p_permutation") < value.alpha)
        title = Text(f"pairs with p below {value.alpha:g}", f"p 低于 {value.alpha:g} 的组对")
        out += _part(title, value.table.filter(chosen), lang, ".table", value.micom.least)
    return out


def _part(title: Text, frame: pl.DataFrame, lang: str, place: str, least: float) -> list[str]:
    """One frame under its title, long ones cut and counted."""
    if not frame.height:
        return []
    kept = [c for c in HEADINGS if c in frame.columns and frame[c].null_count() < frame.height]
    kept = [c for c in kept if frame.schema[c] != pl.String or (frame[c] != "").any()]
    words = {name: t.say(lang) for name, t in WORDS.items()}
    own = "p_spread" if "p_spread" in frame.columns else "p_permutation"
    raw = {**dict.fromkeys(TESTS, ""), "p_holm": own}
    tested = [p_column(frame, c, least, of) for c, of in raw.items() if c in kept]
    shown = (
        frame.select(kept)
        .with_columns(tested)
        .with_columns(pl.col(c).replace(words) for c in ("invariance", "compared", "distance") if c in kept)
    )
    head = title.say(lang)
    lines = [
        head[0].upper() + head[1:],
        table(shown.head(ROWS), NUMBERS, {c: t.say(lang) for c, t in HEADINGS.items()}),
    ]
    rest = frame.height - ROWS
    if rest > 0:
        lines.append(Text(f"... {rest} more rows in {place}", f"……另有 {rest} 行，见 {place}").say(lang))
    return [*lines, ""]
