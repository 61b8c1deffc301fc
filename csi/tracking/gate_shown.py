"""What the comparability gate found as a value: sets, pairs, the evidence of one difference, and how they print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.display import Number, Shown, table, text
from csi.errors import Note, Reason, Text
from csi.estimate.shown import p_column, p_text
from csi.measures.invariance_words import fixed, signed, wrapped
from csi.tracking.gate_verdicts import Judged, Verdict
from csi.tracking.gate_words import VERDICTS, evidence_text, heading, set_sentence
from csi.tracking.index import Index

ROWS = 20
"""So many sets are printed; the rest is counted."""

ORDER: tuple[Verdict, ...] = ("comparable", "after freeing", "not comparable", "not tested")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one difference, cell i less cell j.

    Attributes:
        verdict: "comparable", "after freeing", "not comparable" or "not tested". items: what differs, or may differ
            most. bias, std_error: its effect on the difference in index points; NaN without one. reason: why it was
            not tested. rule: "ladder", "alignment" or "micom", "" where nothing was run. outweighed: the effect is as
            large as the difference that it moves.
    """

    verdict: Verdict
    items: tuple[str, ...] = ()
    bias: float = float("nan")
    std_error: float = float("nan")
    reason: Reason | None = None
    rule: str = ""
    outweighed: bool = False

    @property
    def short(self) -> Text:
        """A few words: the verdict, the item, the effect in points."""
        return evidence_text(self.verdict, self.items, self.bias)

    def turned(self) -> Evidence:
        """The evidence of cell j less cell i."""
        return replace(self, bias=-self.bias)


NOT_RUN = Evidence("not tested")
"""Where nothing was run."""


@dataclass(frozen=True, slots=True, repr=False)
class Comparable(Shown):
    """Which differences between cells may be read, and what would change them.

    Attributes:
        sets: a row per set of cells and construct: between, the shared keys, construct, cells (how many), p_metric,
            p_scalar, delta_cfi_metric, delta_cfi_scalar (conventions), c and p_composition (MICOM; the scalar step is
            then not tested), p_value, p_holm (over all
            sets), verdict (the least of its pairs), items, bias and std_error (the largest of its pairs), rule, reason.
        judged: the sets as values. alpha: as asked. index: whose differences were judged. notes.
    """

    sets: pl.DataFrame
    judged: tuple[Judged, ...]
    alpha: float
    index: Index
    notes: tuple[Note, ...]
    at: Mapping[tuple[str, int], tuple[int, ...]]
    """construct and cell of the index -> numbers of the sets it is in."""
    places: Mapping[tuple[object, ...], int]
    """key values of a cell of the index -> its number."""
    small: int = 0
    """Cells with fewer answers have no difference."""

    @property
    def least(self) -> float:
        """The least p-value that the permutations of every set can give; 0 without permutations."""
        return max((one.composed.floor for one in self.judged if one.composed is not None), default=0.0)

    @classmethod
    def of(
        cls, index: Index, judged: Sequence[Judged], alpha: float, notes: tuple[Note, ...], small: int = 0
    ) -> Comparable:
        """The noun from its sets; cells with fewer than `small` answers have no difference."""
        at: dict[tuple[str, int], tuple[int, ...]] = {}
        for number, one in enumerate(judged):
            for c in one.cells.everyone:
                at[one.cells.construct, c] = (*at.get((one.cells.construct, c), ()), number)
        keys = [k for k in index.cells.columns if k != "n"]
        places = {row: c for c, row in enumerate(index.cells.select(keys).iter_rows())}
        return cls(_sets(judged, keys), tuple(judged), alpha, index, notes, at, places, small)

    @property
    def pairs(self) -> pl.DataFrame:
        """A row per pair of cells and construct: between, the shared keys, construct, cell_1, cell_2 (values of
        `between`), difference (index of cell_1 less cell_2; null where one has too few answers), verdict, items, bias,
        std_error, reason, reason_zh.
        """
        keys = [k for k in self.index.cells.columns if k != "n"]
        words = ("between", *keys, "construct", "cell_1", "cell_2")
        schema = dict.fromkeys(words, pl.String()) | {"difference": pl.Float64()} | {"verdict": pl.String()}
        schema |= {"items": pl.String()} | dict.fromkeys(("bias", "std_error"), pl.Float64())
        schema |= dict.fromkeys(("reason", "reason_zh"), pl.String())
        rows = [row for one in self.judged for row in _pair_rows(one, keys, self.index, self.small)]
        return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))

    @property
    def sentences(self) -> tuple[Text, ...]:
        """What was found, a sentence per set."""
        return tuple(set_sentence(one) for one in self.judged)

    def cell_of(self, index: Index, cell: int) -> int:
        """The number here of a cell of another index with the same key columns; -1 where there is none."""
        keys = [k for k in index.cells.columns if k != "n"]
        return cell if index is self.index else self.places.get(index.cells.select(keys).row(cell), -1)

    def evidence(self, construct: str, i: int, j: int) -> Evidence:
        """What is known of the difference of cells i and j of the index, `I_i - I_j`."""
        both = set(self.at.get((construct, i), ())) & set(self.at.get((construct, j), ()))
        return next((_evidence(self.judged[number], i, j) for number in sorted(both)), NOT_RUN)


def _evidence(one: Judged, i: int, j: int) -> Evidence:
    """The evidence of a pair of a set."""
    place = {int(c): k for k, c in enumerate(one.cells.cells)}
    if i not in place or j not in place:
        return Evidence("not tested", reason=one.cells.why(i) or one.cells.why(j) or one.reason)
    a, b = sorted((place[i], place[j]))
    g = len(place)
    at = a * (2 * g - a - 1) // 2 + b - a - 1
    why = one.reason if one.verdict[at] == "not tested" else None
    found = Evidence(one.verdict[at], one.items[at], float(one.bias[at]), float(one.std_error[at]), why, one.rule)
    return found if place[i] < place[j] else found.turned()


def _pair_rows(one: Judged, keys: Sequence[str], index: Index, small: int) -> Iterator[tuple[object, ...]]:
    """The rows of a set's pairs."""
    q = index.constructs.index(one.cells.construct)
    shared = [one.cells.keys.get(k) for k in keys]
    every, labels = one.cells.everyone, one.cells.every_label
    for a in range(len(every)):
        for b in range(a + 1, len(every)):
            e = _evidence(one, every[a], every[b])
            why = (None, None) if e.reason is None else (e.reason.text.en, e.reason.text.zh)
            difference = float(index.values[every[a], q] - index.values[every[b], q])
            few = min(index.cells["n"][every[a]], index.cells["n"][every[b]]) < small
            difference = float("nan") if few else difference
            items = ", ".join(e.items)
            yield (
                *(one.cells.between, *shared, one.cells.construct, labels[a], labels[b]),
                *(difference, e.verdict, items, e.bias, e.std_error, *why),
            )


def least(one: Judged) -> Verdict:
    """The verdict on a set: the least favourable of its pairs that were tested."""
    known = [v for v in one.verdict if v != "not tested"]
    return max(known, key=ORDER.index, default="not tested")


def largest(one: Judged) -> int | None:
    """The pair of a set whose bias is largest among those of its least verdict; None without one."""
    here = np.array([v == least(one) for v in one.verdict], dtype=bool)
    size = np.where(here & np.isfinite(one.bias), np.abs(one.bias), -1.0)
    return int(size.argmax()) if size.size and size.max() >= 0 else None


def _sets(judged: Sequence[Judged], keys: Sequence[str]) -> pl.DataFrame:
    """The table of sets."""
    numbers = (
        *("p_metric", "p_scalar", "delta_cfi_metric", "delta_cfi_scalar", "c", "p_composition"),
        *("p_value", "p_holm"),
    )
    schema: dict[str, pl.DataType] = dict.fromkeys(("between", *keys, "construct"), pl.String())
    schema |= {"cells": pl.Int64()} | dict.fromkeys(numbers, pl.Float64())
    schema |= dict.fromkeys(("verdict", "items"), pl.String()) | dict.fromkeys(("bias", "std_error"), pl.Float64())
    schema |= dict.fromkeys(("rule", "reason", "reason_zh"), pl.String())
    rows = [_set_row(one, keys) for one in judged]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def _set_row(one: Judged, keys: Sequence[str]) -> tuple[object, ...]:
    climbed, at, nan = one.climbed, largest(one), float("nan")
    p = (nan, nan) if climbed is None else (climbed.metric.difference[2], climbed.scalar.difference[2])
    cfi = (nan, nan) if climbed is None else climbed.delta_cfi
    composition = (nan, nan) if one.composed is None else (one.composed.least, one.composed.p_value)
    effect = ("", nan, nan) if at is None else (", ".join(one.items[at]), one.bias[at], one.std_error[at])
    why = (None, None) if one.reason is None else (one.reason.text.en, one.reason.text.zh)
    shared = [one.cells.keys.get(k) for k in keys]
    return (
        *(one.cells.between, *shared, one.cells.construct, len(one.cells.labels), *p, *cfi),
        *(*composition, one.p_value, one.p_holm, least(one), *effect, one.rule, *why),
    )


HEADINGS = {
    "between": Text("between", "比较"),
    "brand": Text("brand", "品牌"),
    "wave": Text("wave", "期"),
    "construct": Text("construct", "构念"),
    "cells": Text("cells", "单元数"),
    "p_metric": Text("p loadings", "载荷 p"),
    "p_scalar": Text("p intercepts", "截距 p"),
    "delta_cfi_metric": Text("ΔCFI load.", "载荷 ΔCFI"),
    "delta_cfi_scalar": Text("ΔCFI int.", "截距 ΔCFI"),
    "c": Text("c", "c"),
    "p_composition": Text("p weights", "构成 p"),
    "p_holm": Text("p adj.", "校正 p"),
    "verdict": Text("verdict", "判断"),
    "items": Text("item", "题项"),
    "bias": Text("effect", "影响（点）"),
    "std_error": Text("se", "标准误"),
}
NUMBERS: dict[str, Number] = dict.fromkeys(("p_metric", "p_scalar", "p_composition", "p_holm"), p_text)
NUMBERS |= {"c": lambda v: fixed(v, 4)}
NUMBERS |= {"bias": lambda v: signed(v, 2), "std_error": lambda v: fixed(v, 2)}
NUMBERS |= dict.fromkeys(("delta_cfi_metric", "delta_cfi_scalar"), fixed)


@text.register
def _(value: Comparable, lang: str = "en") -> str:
    """The sets, a sentence for each that is not simply comparable, notes."""
    kept = [c for c in HEADINGS if c in value.sets.columns and value.sets[c].null_count() < max(value.sets.height, 1)]
    words = {name: t.say(lang) for name, t in VERDICTS.items()}
    tested = [
        p_column(value.sets, c, value.least, raw)
        for c, raw in (("p_composition", ""), ("p_holm", "p_value"))
        if c in kept
    ]
    frame = value.sets.select(kept).with_columns(pl.col("verdict").replace(words), *tested)
    lines = [wrapped(heading(value.judged, value.alpha).say(lang)), ""]
    lines.append(table(frame.head(ROWS), NUMBERS, {c: t.say(lang) for c, t in HEADINGS.items()}))
    rest = frame.height - ROWS
    if rest > 0:
        lines.append(Text(f"... {rest} more sets in .sets", f"……另有 {rest} 组，见 .sets").say(lang))
    told = zip(value.judged, value.sentences, strict=True)
    said = [s for one, s in told if len(value.judged) <= 3 or least(one) != "comparable"]
    lines += ["", *(wrapped(s.say(lang)) for s in said[:ROWS])]
    return "\n".join([*lines, *(wrapped(f"* {n.say(lang)}") for n in value.notes)])
