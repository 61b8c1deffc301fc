"""Columns of a table that explain what happens: numbers as they are, text against its most frequent value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.behaviour.watched import named
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.moments.stack import Array, Ints

OWN = ("id", "entry", "time", "event", "start", "end", "duration", "date", "entered", "first")
"""Columns that say when and to whom, so that they explain nothing."""

MANY = 12
"""Values of a text that may be compared."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Covariates of rows.

    Attributes:
        names, levels: (k,) column, and which of its values ("" of numbers). values: (n, k). rows: (n,) places of the
            rows that have all of them. base: column -> the value others are compared with. notes.
    """

    names: tuple[str, ...]
    levels: tuple[str, ...]
    values: Array
    rows: Ints
    base: dict[str, str]
    notes: tuple[Note, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """(k,) a name for each."""
        return tuple(f"{n}: {v}" if v else n for n, v in zip(self.names, self.levels, strict=True))

    def groups(self) -> Iterator[tuple[str, np.ndarray]]:
        """Every value of a column that is text (or of numbers 0 and 1), with its rows."""
        for name in dict.fromkeys(self.names):
            at = [i for i, n in enumerate(self.names) if n == name]
            own = self.values[:, at]
            if self.levels[at[0]]:
                yield self.base[name], own.sum(axis=1) == 0
                for i in at:
                    yield self.levels[i], self.values[:, i] == 1
            elif set(np.unique(own)) <= {0.0, 1.0}:
                for value in (0, 1):
                    yield f"{name} = {value}", own[:, 0] == value


def columns_of(frame: pl.DataFrame, drivers: Sequence[str], name: str) -> Columns:
    """Numbers of the drivers, of rows that have them all.

    Raises:
        Problems: E-ROLE (no such column), E-COLL (a column without variation), E-EVENT (a text of too many values).

    Example:
        >>> frame = pl.DataFrame({"id": ["a", "b", "c"], "plan": ["x", "y", "x"], "fee": [1.0, 2.0, None]})
        >>> found = columns_of(frame, ["plan"], "spells")
        >>> found.labels, found.values.ravel().tolist()
        (('plan: y',), [0.0, 1.0, 0.0])
    """
    known = [c for c in frame.columns if c not in OWN]
    absent = [d for d in drivers if d not in known]
    if absent:
        raise Problems([_absent(d, known, name) for d in absent])
    whole = frame.select(pl.all_horizontal(pl.col(d).is_not_null() for d in drivers)).to_series()
    rows = whole.arg_true().to_numpy().astype(np.int64)
    kept, found = frame[rows.tolist()], []
    names, levels, values, base = [], [], [], {}
    for driver in dict.fromkeys(drivers):
        column = kept[driver]
        if column.n_unique() < 2:
            found.append(_same(driver, name))
        elif column.dtype.is_numeric() or column.dtype == pl.Boolean:
            names.append(driver)
            levels.append("")
            values.append(column.cast(pl.Float64).to_numpy())
        else:
            often = named(column).value_counts(sort=True).sort("count", driver, descending=[True, False])[driver]
            if len(often) > MANY:
                found.append(_many(driver, len(often), name))
                continue
            base[driver] = often[0]
            for value in often[1:].sort():
                names.append(driver)
                levels.append(value)
                values.append((named(column) == value).cast(pl.Float64).to_numpy())
    if found:
        raise Problems(found)
    left = frame.height - len(rows)
    notes = [] if not left else [_missing(left)]
    notes += [_against(d, v) for d, v in base.items()]
    return Columns(tuple(names), tuple(levels), np.column_stack(values), rows, base, tuple(notes))


def _absent(driver: str, known: Sequence[str], name: str) -> Problem:
    """A column that is not there, or is no driver."""
    what = Text(f'there is no column "{driver}" in {name} to explain by.', f"{name} 中没有可作解释的“{driver}”列。")
    return Problem("E-ROLE", name, what, did_you_mean(driver, known))


def _same(driver: str, name: str) -> Problem:
    """A column with one value."""
    en, zh = f"{driver} is the same for all.", f"{driver} 对所有顾客取值相同。"
    return problem("E-COLL", name, en, zh, "Leave it out.", "请去掉该变量。")


def _many(driver: str, count: int, name: str) -> Problem:
    """A text with too many values."""
    en, zh = (
        f"{driver} has {count} different values; at most {MANY} can be compared.",
        f"{driver} 有 {count} 个不同取值，最多比较 {MANY} 个。",
    )
    do, do_zh = "Group them into few classes, or give numbers.", "请归并为少数类别，或给出数值。"
    return problem("E-EVENT", name, en, zh, do, do_zh)


def _missing(left: int) -> Note:
    """Rows without a driver."""
    are = "row has" if left == 1 else "rows have"
    return note(
        "N-HAZARD-LEFT", f"{left} {are} no value of some driver; left out.", f"有 {left} 行缺少某个驱动变量，未计入。"
    )


def _against(driver: str, value: str) -> Note:
    """What the values of a text are compared with."""
    return note("N-HAZARD-BASE", f"values of {driver} are compared with {value}, the most frequent one.",
                f"{driver} 的各取值与最常见的 {value} 相比。")  # fmt: skip
