"""The numbers of attitude beside behaviour, cell by cell: hazards, shares within a time, bands, curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.behaviour.asked import Scored
from csi.behaviour.follow import Followed
from csi.behaviour.hazard import CHECKS, FEWEST, checked
from csi.behaviour.incidence import logit
from csi.behaviour.transitions import effective, wilson
from csi.inference.linearised import Means, critical, means, p_of_t
from csi.inference.partial_likelihood import Observed, cox, proportional
from csi.inference.survival_curves import closed, design_error, design_test, framed, limits, marks, watched_at
from csi.moments.stack import Array, Ints

STEP: Final = 10.0
"""Points of a score (0-100) that ratios are told for."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows with their scores and what came after.

    Attributes:
        rows, done: of n rows. names: drivers. more: what is adjusted for. span: in units. cuts: of bands. level.
    """

    rows: Scored
    done: Followed
    names: list[str]
    more: list[str]
    span: float
    cuts: tuple[float, ...]
    level: float

    def of(self, cell: int, names: Sequence[str], *, spanned: bool = False) -> tuple[Ints, Array]:
        """Places of a cell's rows that are watched and have these scores; the scores."""
        every = list(self.rows.labels)
        own = self.rows.scores[:, [every.index(n) for n in names]]
        there = (self.rows.sample.cell == cell) & np.isfinite(own).all(axis=1)
        there &= self.done.potential >= self.span if spanned else self.done.time > 0
        at = np.flatnonzero(there)
        return at, own[at]

    def design(self, at: Ints) -> tuple[Array, Ints, Ints]:
        """Weights of mean 1, units and strata of rows."""
        sample = self.rows.sample
        w = sample.weight[at]
        return w / w.mean(), sample.unit[at], sample.stratum

    def within(self, at: Ints) -> Array:
        """1 where it happened within the span."""
        return (self.done.reach[at] <= self.span).astype(np.float64)

    def models(self) -> list[tuple[str, list[str], int]]:
        """Name, covariates, and how many of them are told."""
        every = [*self.names, *(m for m in self.more if m not in self.names)]
        alone = [("alone", [n], 1) for n in self.names]
        return alone if len(every) == 1 else [*alone, ("together", every, len(every))]

    def band(self, score: Array) -> Ints:
        """Which band a score is in: up to each cut, then above."""
        return np.searchsorted(np.array(self.cuts), score, side="left").astype(np.int64)

    @property
    def labels(self) -> tuple[str, ...]:
        """Bands as they are called."""
        edges = [0.0, *self.cuts, 100.0]
        return tuple(f"{a:g}–{b:g}" for a, b in pairwise(edges))


_HAZARD: Final = {
    "model": pl.String, "name": pl.String, "n": pl.Int64, "events": pl.Int64, **dict.fromkeys(
        ("slope", "std_error", "df", "ratio", "ratio_low", "ratio_high", "p_value"), pl.Float64)
}  # fmt: skip
_WITHIN: Final = {
    "model": pl.String, "name": pl.String, "n": pl.Int64, "events": pl.Int64, **dict.fromkeys(
        ("odds", "odds_low", "odds_high", "points", "points_low", "points_high", "p_value"), pl.Float64)
}  # fmt: skip


def hazards_of(x: Beside, cell: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cox's models of a cell, and the check of the last."""
    out, checks = [], pl.DataFrame(schema=CHECKS)
    for model, names, many in x.models():
        at, X = x.of(cell, names)
        event = x.done.event[at]
        if event.sum() < FEWEST * len(names):
            continue
        w, unit, stratum = x.design(at)
        found = cox(X, Observed(np.zeros(len(at)), x.done.time[at], event, w))
        if found is None:
            continue
        b = found.of_design(unit, stratum)
        ratios = [np.exp(STEP * v) for v in _ends(b, x.level)]
        columns = (b.mean, b.std_error, b.df, *ratios, p_of_t(b.statistic, b.df))
        out += [(model, names[j], len(at), int(event.sum()), *(c[j] for c in columns)) for j in range(many)]
        if len(found.seen.times) > len(names) + 1:
            judged = proportional(found, unit, stratum)
            checks = checked(judged.statistic, judged.df, judged.trend, names)
    return pl.DataFrame(out, schema=_HAZARD, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None)), checks


def shares_of(x: Beside, cell: int) -> pl.DataFrame:
    """Logistic regressions of what happened within the span."""
    out = []
    for model, names, many in x.models():
        at, X = x.of(cell, names, spanned=True)
        y = x.within(at)
        if min(y.sum(), len(y) - y.sum()) < FEWEST * len(names):
            continue
        w, unit, stratum = x.design(at)
        found = logit(np.column_stack([np.ones(len(at)), X]), y, w)
        if found is None:
            continue
        b, m = found.of_slopes(unit, stratum), found.margins(unit, stratum)
        odds = [np.exp(STEP * v) for v in _ends(b, x.level)]
        columns = (*odds, *(100 * STEP * v for v in _ends(m, x.level)), p_of_t(b.statistic, b.df))
        out += [(model, names[j - 1], len(at), int(y.sum()), *(c[j] for c in columns)) for j in range(1, many + 1)]
    return pl.DataFrame(out, schema=_WITHIN, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def _ends(found: Means, level: float) -> tuple[Array, Array, Array]:
    """A mean and its limits."""
    return found.mean, *found.interval(level)


def bands_of(x: Beside, cell: int) -> pl.DataFrame:
    """Shares within the span, by band of every driver."""
    out = []
    for name in x.names:
        at, X = x.of(cell, [name], spanned=True)
        band, y = x.band(X[:, 0]), x.within(at)
        for code, label in enumerate(x.labels):
            mine = band == code
            n = int(mine.sum())
            if not n:
                continue
            w, unit, stratum = x.design(at[mine])
            found = means(y[mine][:, None], w, unit, stratum)
            plain = bool(found.df[0] == n - 1) and bool(np.ptp(w) == 0)
            point = (
                np.array([ndtri(0.5 + x.level / 2)]) if plain or not found.df[0] > 0 else critical(x.level, found.df)
            )
            size = np.array([float(n)]) if plain else effective(found.mean, np.nan_to_num(found.std_error), w)
            low, high = wilson(found.mean, size, point)
            out.append((name, label, n, int(y[mine].sum()), float(found.mean[0]), float(low[0]), float(high[0])))
    numbers = dict.fromkeys(("share", "conf_low", "conf_high"), pl.Float64)
    schema = {"name": pl.String, "band": pl.String, "n": pl.Int64, "events": pl.Int64, **numbers}
    return pl.DataFrame(out, schema=schema, orient="row")


def _banded(x: Beside, cell: int, small: int) -> tuple[Ints, Ints]:
    """Rows of a cell and the band of the first driver, of bands with enough answers."""
    at, X = x.of(cell, x.names[:1])
    band = x.band(X[:, 0])
    counts = np.bincount(band, minlength=len(x.labels))
    kept = counts[band] >= max(small, 2)
    return at[kept], band[kept]


def curves_of(x: Beside, cell: int, small: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The share to whom it has not happened, by band of the first driver; how many are watched at round times."""
    at, band = _banded(x, cell, small)
    parts, spans = [], []
    for code in np.unique(band):
        mine = at[band == code]
        w, unit, stratum = x.design(mine)
        seen = Observed(np.zeros(len(mine)), x.done.time[mine], x.done.event[mine], w)
        left = (seen.time[None, :] >= seen.times[:, None]).sum(axis=1)
        count, share = seen.happened(np.ones(len(mine))), seen.survival()
        error, df = design_error(seen, unit, stratum)
        low, high = limits(share, error, critical(x.level, df))
        made = framed(seen.times, left, count, share, error, low, high, len(mine))
        parts.append(_of_band(x.labels[code], closed(made, seen.entry, seen.time, small)))
        spans.append((x.labels[code], seen))
    empty = _of_band("", framed(*(np.empty(0),) * 7, 0).clear())
    curve = pl.concat([empty, *parts])
    last = float(np.max(curve["time"].to_numpy(), initial=0.0))
    none = _of_band("", watched_at(np.empty(0), np.empty(0), [], small))
    risk = [_of_band(name, watched_at(seen.entry, seen.time, marks(last), small)) for name, seen in spans]
    return curve, pl.concat([none, *risk])


def _of_band(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A frame with the band it is of."""
    return frame.select(pl.lit(name).alias("band"), pl.all())


def apart_of(x: Beside, cell: int, small: int) -> pl.DataFrame:
    """Whether bands of the first driver differ."""
    schema = {"chi2": pl.Float64, "df": pl.Int64, "p_value": pl.Float64}
    at, band = _banded(x, cell, small)
    if len(np.unique(band)) < 2 or not x.done.event[at].any():
        return pl.DataFrame(schema=schema)
    w, unit, stratum = x.design(at)
    seen = Observed(np.zeros(len(at)), x.done.time[at], x.done.event[at], w)
    return pl.DataFrame([design_test(band, seen, unit, stratum)], schema=schema, orient="row")
