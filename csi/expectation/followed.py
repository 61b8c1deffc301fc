"""Composites of the same people in several waves: expectation and experience side by side, and how reliable they are.

Letters: `n` people, `W` waves, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Note, note
from csi.expectation.change_waves import design_of
from csi.expectation.wide import Wide, named
from csi.inference.linearised import Design, Known
from csi.inference.resample import Plan, raked_plan
from csi.measures.reliability import alpha
from csi.moments.stack import Array, Ints

HALF: Final = 0.5
"""A composite needs answers to this share of its items."""

FIML: Final = "N-RETURNING"
"""The note on absent answers of models that keep them; here rows must be complete."""

SCHEMA: Final = {
    "series": pl.String, "wave": pl.String, "items": pl.Int64, "n": pl.Int64, "mean": pl.Float64, "sd": pl.Float64,
    "alpha": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Followed:
    """Composites of people in waves.

    Attributes:
        values: series -> (n, W), NaN where fewer than half of the items are answered. waves: their names.
        weight: (n,) mean 1. unit: (n,) of errors and resampling. stratum: (units,). table: series, wave, items, n,
            mean, sd, alpha. notes. known: margins that weights are raked to.
    """

    values: Mapping[str, Array]
    waves: tuple[str, ...]
    weight: Array
    unit: Ints
    stratum: Ints
    table: pl.DataFrame
    notes: tuple[Note, ...]
    known: Known | None = None

    @property
    def design(self) -> Design:
        """That of the people."""
        return Design(self.weight, self.unit, self.stratum, self.known)

    def drawn(self, replicates: int, seed: int) -> Array:
        """(B, n) how often each person counts in resamples of units within strata; raked again where weights are."""
        if self.known is not None and self.known.raking is not None:
            raking, place = self.known.raking, self.known.place
            return np.concatenate(
                [w[:, place] / raking.weight[place] for _, w in raked_plan(raking, replicates, seed).blocks()]
            )
        plan = Plan(self.stratum, replicates, seed)
        return np.concatenate([m[:, self.unit] for _, m in plan.blocks()])


def followed(data: Wide, series: Mapping[str, Sequence[str]]) -> Followed:
    """Composites of every series in every wave.

    Parameters:
        data: a row per person. series: its name -> items.
    """
    design = design_of(data)
    weight = design.weight
    values, rows = {}, []
    for name, items in series.items():
        waves = [_answers(data, items, t) for t in range(1, len(data.waves) + 1)]
        values[name] = np.column_stack([_mean(x) for x in waves])
        rows += [[name, w, *_described(x, weight)] for w, x in zip(data.waves, waves, strict=True)]
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row").fill_nan(None)
    notes = tuple(n for n in data.notes if n.code != FIML)
    return Followed(values, data.waves, *design[:3], table, notes, design.known)


def _answers(data: Wide, items: Sequence[str], wave: int) -> Array:
    """(n, p) answers in a wave."""
    columns = [pl.col(named(i, wave)).cast(pl.Float64).fill_null(np.nan) for i in items]
    return data.frame.select(columns).to_numpy().astype(np.float64)


def _mean(x: Array) -> Array:
    """(n,) means of at least half of the items."""
    seen = np.isfinite(x)
    count = seen.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(seen, x, 0.0).sum(axis=1) / count
    return np.where((count > 0) & (count >= HALF * x.shape[1]), mean, np.nan)


def _described(x: Array, weight: Array) -> list[float]:
    """Items, people, mean and standard deviation of the composite, Cronbach's alpha of complete answers."""
    y = _mean(x)
    seen, whole = np.isfinite(y), np.isfinite(x).all(axis=1)
    n, p = int(seen.sum()), x.shape[1]
    if n < 2:
        return [p, n, *[float("nan")] * 3]
    w = weight[seen]
    mean = float(w @ y[seen] / w.sum())
    sd = float(np.sqrt(w @ (y[seen] - mean) ** 2 / w.sum() * n / (n - 1)))
    if p < 2 or whole.sum() < 3:
        return [p, n, mean, sd, float("nan")]
    cov = np.cov(x[whole].T, aweights=weight[whole])
    return [p, n, mean, sd, float(alpha(cov, np.ones((p, 1)))[0])]


def complete_note(kept: int, people: int) -> tuple[Note, ...]:
    """That people without an answer to something are left out.

    Example:
        >>> complete_note(200, 200)
        ()
    """
    if kept == people:
        return ()
    en = f"{people - kept} of {people} people lack an answer in one of the waves and are left out; those who stay may "
    en += "differ from them."
    zh = f"{people} 名受访者中有 {people - kept} 名缺少某期回答，未纳入；留下者可能与其不同。"
    return (note("N-FOLLOWED", en, zh),)
