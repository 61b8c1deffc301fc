"""Two runs of a study side by side: what changed in the data, in the settings, in the numbers.

A number has changed when `|after - before| >= u`, u half of the last digit that is printed (0.05 points of
an index); below u it is a difference of rounding, which is counted; up to 1e-9 it is the same number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Text
from csi.reporting.diff_causes import cause_sentence, causes_of, renamed, where_of, with_names
from csi.reporting.diff_read import KEYS, Cell, Facts, facts_of
from csi.reporting.diff_words import PARTS, QUANTITIES, notes_of, sentences_of
from csi.tracking.index import Index

SAME = 1e-9
"""Differences up to this are none."""

ROWS = 30
"""So many changed numbers are printed; the rest is counted."""

_KEPT = ("brand", "wave", "stage", "segment", "construct", "item", "against", "node")


@dataclass(frozen=True, slots=True, repr=False)
class Diff(Shown):
    """What differs between two runs.

    Attributes:
        table: a row per number that both runs have or one alone: quantity (index, std_error, conf_low, conf_high,
            weight, change, significant, rank, rank_low, rank_high), the key columns in use, before, after, difference
            (of an index in points), status ("changed", "rounding", "same", "new", "gone"), cause (of an index and its
            errors: "answers", "design weights", "outer weights", "settings", "versions", several joined by "+"; "cell"
            where it came or went; of a node of a tree what differs in the leaves below it).
        data: part ("data", "codebook", "study", a file, "rows"), before, after; only what differs.
        cells: key columns, n before and after, what ("rows", "answers", "design weights", "new", "gone"), of cells
            whose rows differ. names: brand by its old and its new name, where the answers say that it is the same.
        settings: setting, before, after; only what differs. versions: package, before, after.
        before, after: how the runs are named. sentences. notes. verbs: of the two, where one is of a tree and one is
            not: their cells and numbers are not of the same things and not compared.

    Example:
        >>> run = {"seed": 1, "index": [{"construct": "joy", "index": 71.5, "n": 90}]}
        >>> later = {"seed": 1, "index": [{"construct": "joy", "index": 71.8, "n": 96}]}
        >>> [t.en for t in diff(run, later).sentences]
        ['1 cell has another number of answers (90 -> 96).', 'index: joy 71.5 -> 71.8 (+0.3).']
    """

    table: pl.DataFrame
    data: pl.DataFrame
    cells: pl.DataFrame
    settings: pl.DataFrame
    versions: pl.DataFrame
    before: str
    after: str
    notes: tuple[Note, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    verbs: tuple[str, str] | None = None

    @property
    def same(self) -> bool:
        """Whether nothing at all differs."""
        nothing = all(f.is_empty() for f in (self.data, self.cells, self.settings, self.versions))
        return (
            nothing
            and self.verbs is None
            and not self.names
            and self.table.filter(pl.col("status") != "same").is_empty()
        )

    @property
    def changed(self) -> pl.DataFrame:
        """The numbers that changed by more than rounding, appeared or went; of each kind the largest first."""
        rows = self.table.filter(pl.col("status").is_in(["changed", "new", "gone"]))
        kind = rows["quantity"].cast(pl.Enum(list(QUANTITIES)))
        by = [kind.to_physical(), rows["difference"].abs().fill_null(-1.0)]
        return (
            rows.with_columns(_k=by[0], _d=by[1])
            .sort("_k", "_d", descending=[False, True], maintain_order=True)
            .drop("_k", "_d")
        )

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """Every table by its name: the numbers that differ, then cells, settings, data, versions."""
        numbers = self.table.filter(pl.col("status") != "same")
        rest = {"cells": self.cells, "settings": self.settings, "data": self.data, "versions": self.versions}
        return {"numbers": numbers, **rest}

    @property
    def sentences(self) -> tuple[Text, ...]:
        """What changed, in words; one sentence when nothing did."""
        found = sentences_of(self.data, self.cells, self.settings, self.versions, self.table)
        called = [
            Text(f"Brand {a} is called {b} now; its answers are the same.", f"品牌 {a} 现名 {b}，答卷相同。")
            for a, b in self.names
        ]
        some = [] if found[0].en == "Nothing changed." and called else found
        if self.verbs is not None:
            some = [t for t in some if t.en != "Nothing changed."]
        return (*_other_verbs(self.verbs), *called, *some, *cause_sentence(self.table))


def _other_verbs(verbs: tuple[str, str] | None) -> tuple[Text, ...]:
    """That the records are of different verbs."""
    if verbs is None:
        return ()
    a, b = verbs
    en = f"The records are of different verbs (csi {a}, csi {b}): their cells and numbers are not compared."
    return (Text(en, f"两份记录出自不同的命令（csi {a}、csi {b}）：单元与数值未作比较。"),)


Run = str | Path | Mapping[str, object] | Index
"""A record's file, the folder of a report, a record's object, or an index."""


def diff(before: Run, after: Run) -> Diff:
    """What changed between two runs: data (hashes, rows, n of cells), settings, numbers.

    Parameters:
        before, after: what `csi index`, `track` or `league` wrote with `--record`, the folder of a report or of a
            batch, the object
            of a record, or an `Index`.

    Returns:
        Diff. Index differences are in points (0-100).

    Raises:
        Problems: E-FILE, E-RECORD (of both files at once).

    Example:
        >>> run = {"seed": 1, "index": [{"construct": "joy", "index": 71.5, "n": 90}]}
        >>> diff(run, run).sentences[0].en
        'Nothing changed.'
    """
    a, b = _both(before, after)
    verbs = None
    if (a.verb == "tree") != (b.verb == "tree"):
        verbs = (a.verb or "index", b.verb or "index")
        a, b = (replace(f, n={}, marks={}, numbers={}) for f in (a, b))
    names = renamed(a, b)
    a, alike = with_names(a, names), a.kind == b.kind
    settings = _unlike(a.settings, b.settings, alike, "setting")
    versions = _unlike(a.versions, b.versions, alike, "package")
    numbers, alone = _numbers(a, b, settings=not settings.is_empty(), versions=not versions.is_empty())
    return Diff(
        table=numbers,
        data=_unlike(a.data, b.data, alike, "part"),
        cells=_cells(a, b),
        settings=settings,
        versions=versions,
        before=a.place,
        after=b.place,
        notes=() if verbs else notes_of(a, b, numbers, alone),
        names=tuple(names.items()),
        verbs=verbs,
    )


def _both(before: Run, after: Run) -> tuple[Facts, Facts]:
    """The facts of both, or what is wrong with either."""
    found: list[Problem] = []
    facts: list[Facts] = []
    for source, place in ((before, "before"), (after, "after")):
        try:
            facts.append(facts_of(source, place))
        except Problems as bad:
            found += bad.problems
    if found:
        raise Problems(found)
    return facts[0], facts[1]


def _unlike(before: Mapping[str, object], after: Mapping[str, object], alike: bool, heading: str) -> pl.DataFrame:
    """Names whose values differ; what one alone says counts between records of one verb."""
    names = [k for k in dict.fromkeys([*before, *after]) if alike or (k in before and k in after)]
    rows = [(k, _said(before.get(k)), _said(after.get(k))) for k in names if before.get(k) != after.get(k)]
    return pl.DataFrame(rows, schema=dict.fromkeys((heading, "before", "after"), pl.String), orient="row")


def _said(value: object) -> str | None:
    """A value of a record as text."""
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _cells(a: Facts, b: Facts) -> pl.DataFrame:
    """Cells whose number of answers differs, or that one run does not have."""
    parents = {*a.leaves, *b.leaves}  # sums of cells, which have their own rows
    every = dict.fromkeys(c for c in (*a.n, *b.n) if c[KEYS.index("node")] not in parents)
    at = [c for c in every if a.n.get(c) != b.n.get(c) or a.marks.get(c, 0) != b.marks.get(c, a.marks.get(c, 0))]
    frame = pl.DataFrame(at, schema=dict.fromkeys(KEYS, pl.String), orient="row")
    counts = {"before": [a.n.get(c) for c in at], "after": [b.n.get(c) for c in at]}
    counted = frame.with_columns(pl.Series(k, v, dtype=pl.Int64) for k, v in counts.items())
    what = pl.Series("what", [_what(a, b, c) for c in at], dtype=pl.String)
    return counted.select(*_in_use(frame), *counts).with_columns(what)


def _what(a: Facts, b: Facts, cell: Cell) -> str:
    """What differs in the rows of a cell."""
    if cell not in a.n or cell not in b.n:
        return "new" if cell not in a.n else "gone"
    if a.n[cell] != b.n[cell]:
        return "rows"
    return "answers" if a.marks[cell][0] != b.marks[cell][0] else "design weights"


def _in_use(frame: pl.DataFrame) -> list[str]:
    """Key columns that are not empty throughout."""
    return [k for k in _KEPT if (frame[k] != "").any()]


def _numbers(a: Facts, b: Facts, *, settings: bool, versions: bool) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Every number of quantities that both runs have, and what one record alone tells of cells that both have.

    Records of two verbs do not tell the same constructs of a cell: what one of them leaves out has not come or gone.

    Returns:
        The numbers; names of what was not compared, once per number.
    """
    have = {name for name, _ in a.numbers} & {name for name, _ in b.numbers}
    every = [place for place in dict.fromkeys([*a.numbers, *b.numbers]) if place[0] in have]
    alone = [place for place in every if a.kind != b.kind and _untold(a, b, place)]
    at = [place for place in every if place not in set(alone)]
    at.sort(key=lambda place: list(QUANTITIES).index(place[0]))
    keys = pl.DataFrame([cell for _, cell in at], schema=dict.fromkeys(KEYS, pl.String), orient="row")
    schema = {"quantity": pl.String, "before": pl.Float64, "after": pl.Float64, "unit": pl.Float64}
    rows = [(name, a.numbers.get((name, cell)), b.numbers.get((name, cell)), a.units[name]) for name, cell in at]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    size = pl.col("difference").abs()
    status = (
        pl.when(pl.col("before").is_null())
        .then(pl.lit("new"))
        .when(pl.col("after").is_null())
        .then(pl.lit("gone"))
        .when(size >= pl.col("unit") - SAME)
        .then(pl.lit("changed"))
        .when(size > SAME)
        .then(pl.lit("rounding"))
        .otherwise(pl.lit("same"))
    )
    made = frame.with_columns(difference=pl.col("after") - pl.col("before")).with_columns(status=status)
    made = made.with_columns(causes_of(a, b, made, at, settings=settings, versions=versions))
    told = pl.concat([made, keys], how="horizontal")
    named = tuple(cell[KEYS.index("construct")] or QUANTITIES[name].en for name, cell in alone)
    return told.select("quantity", *_in_use(keys), "before", "after", "difference", "status", "cause"), named


def _untold(a: Facts, b: Facts, place: tuple[str, Cell]) -> bool:
    """Whether one record alone has a number though both have its cell, or neither names cells for it."""
    where = where_of(place[1])
    if where[KEYS.index("node")] and not ("tree" in a.kind and "tree" in b.kind):
        return True
    return (place in a.numbers) != (place in b.numbers) and (where in a.n) == (where in b.n)


@text.register
def _(value: Diff, lang: str = "en") -> str:
    """The sentences, then what differs, part by part."""
    parts = [t.say(lang) for t in value.sentences]
    frames = {"data": value.data, "cells": value.cells, "settings": value.settings, "numbers": value.changed}
    for name, frame in frames.items():
        if frame.is_empty():
            continue
        parts += ["", PARTS[name].say(lang), table(frame.head(ROWS))]
        if frame.height > ROWS:
            parts.append(Text(f"... and {frame.height - ROWS} more", f"……另有 {frame.height - ROWS} 行").say(lang))
    return "\n".join([*parts, *(f"* {n.say(lang)}" for n in value.notes)])
