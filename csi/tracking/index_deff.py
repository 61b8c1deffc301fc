"""How many answers of a simple random sample a cell's answers are worth: effective n = n / design effect.

    deff = V_design(I) / V_srs(I),   V_srs = s^2 / n,   s^2 = n / (n - 1) sum_i d_i y_i^2 / sum_i d_i

with the outer weights held fixed in both: y_i is what respondent i adds to the cell's index (per unit of weight), d_i
the design weight. V_design is Taylor's over strata and clusters, or of the survey's replicate weights. Where none of
them is known the design effect is Kish's, of unequal weights alone: 1 + cv(d)^2.

Letters: `n` rows, `c` cells, `p` items, `q` constructs.

Source:
    Kish (1965), Survey Sampling, 8.2 and 11.7; Lohr (2010), Sampling: Design and Analysis, 7.5, 9.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from csi.errors import Note, Text, note
from csi.estimate.estimate import Estimate
from csi.inference.uncertainty import replicates_behind, spread
from csi.moments.stack import Array, Ints, Moments, Sample
from csi.tracking.index_answers import Answers
from csi.tracking.index_drawn import drawn_indices
from csi.tracking.index_fit import Weights, item_bounds, item_places
from csi.tracking.index_influence import Influence, own_influence
from csi.tracking.index_variance import kish_n

Effective = Literal["kish", "design", "replicates"]
"""What a design effect is of: unequal weights alone, strata and clusters, replicate weights."""

OWN: Final = frozenset({"multinomial", "bayesian", "jackknife"})
"""Kinds of replicates that are made from the rows; all others came with the survey."""

NAMES: Final = {
    "kish": Text("of unequal weights alone (Kish)", "仅含权数不等的影响（Kish）"),
    "design": Text("of strata, clusters and weights", "含分层、整群与加权"),
    "replicates": Text("of the replicate weights", "由重复权重得出"),
}


@dataclass(frozen=True, slots=True)
class Worth:
    """Design effects of indices and the standard errors of fixed weights behind them, (c, q) each."""

    of: Effective
    deff: Array
    fixed: Array


def known_design(sample: Sample | None) -> bool:
    """Whether strata were declared, or rows of one cell share a resampling unit.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"q": [1, 2, 4], "shop": ["x", "y", "y"]})
        >>> known_design(sample_of(frame, ["q"])), known_design(sample_of(frame, ["q"], unit="shop"))
        (False, True)
    """
    if sample is None:
        return False
    if sample.layer is not None:
        return True
    pairs = sample.cell * sample.stratum.size + sample.unit
    rising = np.diff(pairs)
    return not bool((rising > 0).all()) and np.unique(pairs).size < pairs.size


def worth_of(cells: Estimate, weights: Weights, values: Array, influence: Influence, answers: Answers) -> Worth:
    """The design effect of every index, and its standard error with the weights held fixed.

    Parameters:
        cells: the fit of the index's cells. weights: the relative weights. values: (c, q). influence: of its rows.
        answers: which of them count.
    """
    rep, sample = cells.replicates, cells.sample
    given = rep is not None and rep.factors is not None and rep.kind not in OWN
    fixed = _replicated(cells, weights, values) if given else influence.errors(influence.fixed)
    if sample is None or not (given or known_design(sample)):
        kish = answers.kish(sample) if sample is not None else kish_deff(cells.moments)[:, None] + np.zeros_like(values)
        return Worth("kish", kish, fixed)
    low, high = item_bounds(cells)
    gradient = 100.0 * weights.values[weights.groups.of_index] / (high - low)
    block = cells.solution.block
    blocks = [np.flatnonzero(block == j) for j in range(values.shape[1])]
    simple = simple_variances(sample, item_places(cells), gradient, blocks, _any(sample, item_places(cells), blocks))
    return Worth("replicates" if given else "design", ratio(fixed**2, simple), fixed)


def _any(sample: Sample, places: Ints, blocks: Sequence[Ints]) -> npt.NDArray[np.bool_] | None:
    """(n, q) rows with an answer to any entry of a block; None where no answer is absent."""
    if sample.missing == "listwise":
        return None
    return np.column_stack([np.isfinite(sample.rows[:, places[mine]]).any(axis=1) for mine in blocks])


def kish_deff(moments: Moments) -> Array:
    """(c,) design effect of unequal weights, `1 + cv(d)^2`.

    Source:
        Kish (1965), Survey Sampling, section 11.7.
    """
    found: Array = moments.n / kish_n(moments)
    return found


def ratio(design: Array, simple: Array) -> Array:
    """Design effects from variances; NaN where answers do not differ.

    Example:
        >>> ratio(np.array([3.0, 0.0]), np.array([2.0, 0.0])).tolist()
        [1.5, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(simple > 0, design / simple, np.nan)


def simple_variances(
    sample: Sample,
    places: Ints,
    gradient: Array,
    blocks: Sequence[Ints],
    counted: npt.NDArray[np.bool_] | None = None,
) -> Array:
    """(c, q) variances of weighted sums of item means under simple random sampling of as many rows.

    Parameters:
        places: (p,) columns of the entries in the rows. gradient: (c, p) change of its sum per unit of an entry's mean.
        blocks: the entries of each of the q sums. counted: (n, q) rows that count in each (all by default).
    """
    out = np.full((sample.cells.height, len(blocks)), np.nan)
    for j, mine in enumerate(blocks):
        if mine.size:
            added = own_influence(sample, places[mine], gradient[:, mine])
            out[:, j] = _simple(sample, added, None if counted is None else counted[:, j])
            out[~np.isfinite(gradient[:, mine]).all(axis=1), j] = np.nan
    return out


def _simple(sample: Sample, added: Array, counted: npt.NDArray[np.bool_] | None) -> Array:
    """(c,) `sum_i z_i^2 D / d_i / (n - 1)` from what rows add (n,): D the sum of a cell's weights."""
    cells, d = sample.cells.height, sample.weight
    one = np.ones(d.size) if counted is None else counted.astype(np.float64)
    n, total = np.bincount(sample.cell, one, cells), np.bincount(sample.cell, d * one, cells)
    square = np.bincount(sample.cell, one * np.nan_to_num(added) ** 2 / d, cells)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > 1, square * total / (n - 1.0), np.nan)


def _replicated(cells: Estimate, weights: Weights, values: Array) -> Array:
    """(c, q) standard errors by the survey's replicate weights with the outer weights held fixed."""
    rep = replicates_behind(cells)
    drawn = drawn_indices(cells, rep, replace(weights, replicates=None), values)
    return spread(drawn, values, rep.factors)


def effective_note(of: Effective, deff: Array) -> tuple[Note, ...]:
    """What the effective n is n divided by; nothing where every answer counts as one.

    Example:
        >>> effective_note("kish", np.array([[1.0]]))
        ()
        >>> effective_note("design", np.array([[1.25]]))[0].say()
        'Effective n: n / design effect, of strata, clusters and weights (outer weights held fixed).'
    """
    if of == "kish" and np.allclose(deff, 1.0, rtol=0.0, atol=1e-9):
        return ()
    said = NAMES[of]
    held = Text("", "") if of == "kish" else Text(" (outer weights held fixed)", "（外部权重视为固定）")
    en = f"Effective n: n / design effect, {said.en}{held.en}."
    return (note("N-EFFECTIVE", en, f"有效样本量 = 样本量 / 设计效应，设计效应{said.zh}{held.zh}。"),)
