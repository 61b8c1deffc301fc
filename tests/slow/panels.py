"""Studies that tell panel after panel: what is drawn and told of each, what is true, what it is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

COLUMNS = ("estimate", "std_error", "conf_low", "conf_high")
Label = tuple[str, str]
Rows = dict[Label, Sequence[float | None]]
Told = tuple[Rows, dict[str, float | None]]
"""{(kind, quantity): estimate, error, limits} and {test: p}; what a panel does not tell is absent."""


@dataclass(frozen=True)
class Study:
    """One population with one way of telling it.

    Attributes:
        name: of the study. tell: draws a panel and tells it. truth: of every quantity. tests: of claims that are true,
            with their gates. interval: what limits are called.
    """

    name: str
    tell: Callable[[np.random.Generator], Told]
    truth: Mapping[Label, float]
    tests: Mapping[str, str] = field(default_factory=dict)
    interval: str = "as printed"
    seed: int = 20261122

    def one(self, number: int) -> np.ndarray:
        """(k + tests, 4) of one panel; p-values stand first in their rows."""
        told, p = self.tell(np.random.default_rng([self.seed, number]))
        if strange := set(told) - set(self.truth):
            raise KeyError(strange)
        nothing = (None,) * 4
        rows = [told.get(label, nothing) for label in self.truth] + [(p.get(t), None, None, None) for t in self.tests]
        return np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)


@dataclass(frozen=True)
class Held:
    """A script's studies with their gates.

    Attributes:
        stem: STEM_coverage and STEM_nulls are its tables, STEM_coverage.md its page. heading, doc: of the page. gated:
            kinds of quantity. disclosed: place of a miss -> why. studies: makes them (their truths take time).
    """

    stem: str
    heading: str
    doc: str
    gated: Sequence[str]
    disclosed: Mapping[str, str]
    studies: Callable[[], Sequence[Study]]

    def tables(self, panels: int) -> dict[str, pl.DataFrame]:
        """Coverage, and rejections where anything is tested."""
        covered, nulls = [], []
        for study in self.studies():
            runs = cal.over(study.one, panels)
            k, truth = len(study.truth), np.array(list(study.truth.values()))
            point, found = runs[:, :k, 0], runs[:, :k, 1:].swapaxes(1, 2)
            covered += cal.coverage_rows(study.name, list(study.truth), study.interval, truth, point, found, self.gated)
            tests = enumerate(study.tests.items(), start=k)
            nulls += [cal.null_row(study.name, test, runs[:, j, 0], gate) for j, (test, gate) in tests]
        made = {f"{self.stem}_coverage": pl.DataFrame(covered)}
        return made | ({f"{self.stem}_nulls": pl.DataFrame(nulls)} if nulls else {})

    def page(self, covered: pl.DataFrame, nulls: pl.DataFrame | None = None) -> str:
        """The tables as Markdown."""
        return cal.page(self.heading, self.doc, covered, nulls, self.disclosed, ranges=False)

    def failures(self, covered: pl.DataFrame, nulls: pl.DataFrame | None = None) -> list[str]:
        """Misses that are not disclosed."""
        return cal.failures(cal.missed(covered, nulls), self.disclosed)

    def run(self) -> int:
        """Make all again, see `calibration.run`."""
        return cal.run(self.tables, self.page, self.failures, f"{self.stem}_coverage")


def rows_of(frame: pl.DataFrame, names: Mapping[str, Label], by: str, estimate: str = "estimate") -> Rows:
    """Rows of a tidy table by the name in one column."""
    kept = frame.filter(pl.col(by).is_in(list(names)))
    return {names[r[by]]: tuple(r[c] for c in (estimate, *COLUMNS[1:])) for r in kept.iter_rows(named=True)}


def panel_of(
    columns: Mapping[str, np.ndarray], constructs: Mapping[str, Sequence[str]], scale: Scale, **keys: np.ndarray
) -> csi.Panel:
    """A panel of {"x": (n,) or (n, W)}; rows without any answer are left out.

    Parameters:
        constructs: name -> items. scale: of all items but "z", which is a flag. keys: (n,) or (n, W) columns beside.
    """
    first = next(iter(columns.values()))
    n, W = first.shape if first.ndim == 2 else (len(first), 0)

    def long(values: np.ndarray) -> np.ndarray:
        return np.tile(values, max(W, 1)) if np.ndim(values) == 1 else np.ravel(values, order="F")

    who = {"respondent": long(np.arange(n).astype(str))}
    if W:
        who["wave"] = np.repeat([f"w{t + 1}" for t in range(W)], n)
    answers = {name: long(values) for name, values in columns.items()}
    frame = pl.DataFrame({**who, **{k: long(v) for k, v in keys.items()}, **answers})
    frame = frame.with_columns(pl.col(list(columns)).fill_nan(None))
    frame = frame.filter(~pl.all_horizontal(pl.col(list(columns)).is_null()))
    flag = Scale("flag", 0, 1)
    items = [Item(i, c, flag if i == "z" else scale, Text(i, i)) for c, names in constructs.items() for i in names]
    names = [i.name for i in items]
    reasons = pl.DataFrame(schema=dict.fromkeys(names, pl.String)).clear(frame.height)
    waves = tuple(f"w{t + 1}" for t in range(W))
    return csi.Panel(frame, Codebook(tuple(items), {c: Text(c, c) for c in constructs}, {}), reasons, waves)
