"""The numbers of a decomposition with their joint covariance: from replicates, else from every unit's influence.

Letters: `g` classes, `p` items of the construct, `m = 3 + 2 p + 2 g` numbers, `u` units, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from csi.errors import Note, Reason, reason
from csi.estimate.later import Later
from csi.inference.uncertainty import as_draws
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.breaks import Break, forms_of, stage
from csi.tracking.cell_pairs import Pair
from csi.tracking.classes import (
    Classes,
    Shape,
    columns_of,
    influence_of,
    rows_of,
    state_of,
    states_of,
)
from csi.tracking.contrasts import Contrast, basis_note, contrast, contrasts, pair_shares
from csi.tracking.decompose_spread import Added, Memory, covariance, derivative, flat, without_shares
from csi.tracking.index import Index
from csi.tracking.index_fit import Weights
from csi.tracking.index_influence import Strata
from csi.tracking.index_weights import Groups
from csi.tracking.shapley import PARTS, State, level, split
from csi.tracking.waves import wave_order
from csi.tracking.weight_influence import has_influence, row_influence

SAME = 1e-6
"""Weighted class shares of two waves closer than this were made equal: raked to one margin."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all decompositions of one index and construct share.

    Attributes:
        index, construct (its column), sample, classes, shape. groups: of the weights. weights: (groups, p).
        drawn_weights: (B, groups, p) or None. drawn: replicate shares and means (B, c, g, p) each, or None.
        basis: the note on where errors come from. loads: per group of weights the units (u,) behind them and their
            influence on the weights (u, p); none where weights have no influence function. strata: how units add up.
            memory: of cells and weights that were worked out.
    """

    index: Index
    construct: int
    sample: Sample
    classes: Classes
    shape: Shape
    groups: Groups
    weights: Array
    drawn_weights: Array | None
    drawn: tuple[Array, Array] | None
    basis: Note
    loads: Later[tuple[tuple[Ints, Array], ...]]
    strata: Strata
    memory: Memory = field(default_factory=Memory)

    @property
    def name(self) -> str:
        """The construct."""
        return self.index.constructs[self.construct]

    def state(self, cell: int) -> State:
        """Weights, shares and class means of a cell; answers that were estimated, not given, move all means alike."""
        made = state_of(self.sample, cell, self.classes, self.shape, self.weights[self.groups.of_index[cell]])
        if self.sample.missing in {"listwise", "pairwise", "mean"}:
            return made
        known = replace(made, means=np.nan_to_num(made.means))
        return replace(made, means=made.means + (self.index.values[cell, self.construct] - level(known)))


@dataclass(frozen=True, slots=True)
class Numbers:
    """One decomposition.

    Attributes:
        old, new: states of the two waves. value: (m,) parts, then means and weights by item, then means and composition
            by class. covariance: (m, m). total, total_error: the change and its standard error. df.
        held: parts that are zero by construction.
    """

    old: State
    new: State
    value: Array
    covariance: Array
    total: float
    total_error: float
    df: float
    held: frozenset[str]

    def error(self, at: int) -> float:
        """Standard error of one number."""
        return float(np.sqrt(max(self.covariance[at, at], 0.0)))


def setting_of(index: Index, construct: int, classes: Classes) -> Setting:
    """The rows, items, weights and replicates behind a construct's index."""
    sample, estimated = index.sample, index.estimated
    if sample is None or estimated is None:
        raise ValueError("an index without rows")
    table = index.weights.head(estimated.values.shape[1])
    mine = np.flatnonzero((table["construct"] == index.constructs[construct]).to_numpy())
    names = tuple(table["item"].gather(mine).to_list())
    columns = np.array([sample.names.index(n) for n in names], dtype=np.int64)
    shape = Shape(names, columns, sample.minimum[columns], sample.maximum[columns])
    drawn = None
    if index.means is not None and names:
        drawn = states_of(index.means(columns_of(sample, classes, shape)), classes, shape)
    return Setting(
        index=index,
        construct=construct,
        sample=sample,
        classes=classes,
        shape=shape,
        groups=estimated.groups,
        weights=estimated.values[:, mine],
        drawn_weights=None if estimated.replicates is None else estimated.replicates[:, :, mine],
        drawn=drawn,
        basis=basis_note(index),
        loads=Later(partial(_loads, estimated, mine)),
        strata=Strata.of(sample.stratum, sample.fraction),
    )


def _loads(estimated: Weights, mine: Ints) -> tuple[tuple[Ints, Array], ...]:
    """What every unit adds to the weights of each group."""
    source = estimated.source
    if source is None or source.sample is None or not has_influence(source):
        return ()
    found: list[tuple[Ints, Array]] = []
    for rows, values in row_influence(source, mine):
        units, place = np.unique(source.sample.unit[rows], return_inverse=True)
        summed = [np.bincount(place, np.nan_to_num(column), units.size) for column in values.T]
        found.append((units, np.stack(summed, axis=1).astype(np.float64)))
    return tuple(found)


def changes_of(setting: Setting, pairs: Sequence[Pair]) -> list[Contrast]:
    """The change between the cells of every pair with its standard error, all at once; NaN without an earlier cell."""
    known = [i for i, pair in enumerate(pairs) if pair.earlier is not None]
    later, earlier = ([getattr(pairs[i], n) for i in known] for n in ("cell", "earlier"))
    found = contrasts(setting.index, setting.construct, pair_shares(setting.index, later, earlier))
    out = [Contrast(np.nan, np.nan, np.nan)] * len(pairs)
    for at, i in enumerate(known):
        out[i] = Contrast(float(found.estimate[at]), float(found.std_error[at]), float(found.df[at]))
    return out


def through_links(
    index: Index,
    construct: int,
    pairs: Sequence[Pair],
    moved: Sequence[Contrast],
    breaks: Sequence[Break],
    waves: Sequence[str] | None,
) -> list[Contrast]:
    """The changes, those through a link with the earlier wave in points of the later form and the link's error."""
    order = tuple(waves) if waves else wave_order(index.cells)
    steps = [stage(breaks, order, p.reference, p.wave) if p.link else 0 for p in pairs]
    out = list(moved)
    for step, form in forms_of(index, construct, breaks, order, steps).items():
        for at, pair in enumerate(pairs):
            if step and steps[at] == step and pair.earlier is not None:
                cells: Ints = np.array([pair.cell, pair.earlier])
                out[at] = contrast(form, construct, cells, np.array([1.0, -1.0]))
    return out


def numbers_of(setting: Setting, pair: Pair, change: Contrast | None = None) -> Numbers | Reason:
    """The decomposition of one pair of cells, or why there is none.

    Parameters:
        change: as `changes_of` tells it; worked out where it is not given.
    """
    if pair.why is not None or pair.earlier is None:
        return pair.why or reason(
            "R-NO-REFERENCE", f"no answers in {pair.reference}.", f"{pair.reference} 期没有数据。"
        )
    cells: Ints = np.array([pair.cell, pair.earlier])
    if not np.isfinite(setting.index.values[cells, setting.construct]).all():
        return reason("R-NO-INDEX", "no index in one of the waves.", "其中一期没有指数。")
    old, new = setting.state(pair.earlier), setting.state(pair.cell)
    empty = _empty(setting, old, new, pair)
    if empty is not None:
        return empty
    old, new = _without_absent(old, new)
    held = _held(setting, pair, old, new)
    value = _vector(old, new)
    if setting.drawn is None:
        spread = _linearised(setting, pair, old, new, held)
    else:
        spread = _replicated(setting, pair, value, held)
    change = change or changes_of(setting, [pair])[0]
    return Numbers(old, new, value, spread, change.estimate, change.std_error, change.df, held)


def _empty(setting: Setting, old: State, new: State, pair: Pair) -> Reason | None:
    """A class with answers to an item in one wave only has no mean to compare."""
    gone = (old.shares > 0) != (new.shares > 0)
    if not gone.any():
        return None
    g, k = (int(i) for i in np.argwhere(gone)[0])
    label, name, item = setting.classes.labels[g], setting.classes.name, setting.shape.names[k]
    wave = pair.wave if old.shares[g, k] > 0 else pair.reference
    whole = not ((old.shares[g] > 0) & (new.shares[g] > 0)).any()
    what, what_zh = ("", "") if whole else (f" to {item}", f"（{item}）")
    en = f'nobody of {name} "{label}" answered{what} in {wave}; join it to another class.'
    return reason("R-CLASS-EMPTY", en, f"{name} 的“{label}”在 {wave} 期无人作答{what_zh}；请与其他类合并。")


def _without_absent(old: State, new: State) -> tuple[State, State]:
    """Classes in neither wave count nothing."""
    return (
        replace(old, means=np.where(old.shares > 0, old.means, 0.0)),
        replace(new, means=np.where(new.shares > 0, new.means, 0.0)),
    )


def _held(setting: Setting, pair: Pair, old: State, new: State) -> frozenset[str]:
    """The parts that cannot differ from zero."""
    found = set()
    of = setting.groups.of_index
    if pair.earlier is not None and of[pair.cell] == of[pair.earlier]:
        found.add("weights")
    alike = bool(np.abs(new.shares - old.shares).max() < SAME)
    if alike and (len(setting.classes.labels) == 1 or _weighted(setting.sample, pair)):
        found.add("composition")
    return frozenset(found)


def _weighted(sample: Sample, pair: Pair) -> bool:
    """Whether weights differ within a cell: without, equal shares are chance (or a quota, which is a stratum)."""
    cells = [c for c in (pair.cell, pair.earlier) if c is not None]
    return any(bool(np.ptp(sample.weight[rows_of(sample, c)]) > 0) for c in cells)


def _vector(old: State, new: State) -> Array:
    """(..., m) all numbers of a decomposition."""
    found = split(old, new)
    by_item = found.means.sum(axis=-2)
    by_class = found.means.sum(axis=-1)
    return np.concatenate([found.parts, by_item, found.weights, by_class, found.composition.sum(axis=-1)], axis=-1)


def _linearised(setting: Setting, pair: Pair, old: State, new: State, held: frozenset[str]) -> Array:
    """(m, m) design-based covariance of the numbers' influence values."""
    if pair.earlier is None:
        raise ValueError("a pair without an earlier cell")
    p, entries = old.weights.size, old.shares.size
    slopes = derivative(old, new, _vector)
    if "composition" in held:
        slopes = without_shares(slopes[0], p, entries), without_shares(slopes[1], p, entries)
    cells = _added(setting, pair.earlier, old), _added(setting, pair.cell, new)
    found = covariance(cells, _groups(setting, pair.earlier, pair.cell), setting.memory, slopes, p)
    if "weights" not in held and not setting.loads.value:  # nothing is known of how the weights vary
        at = places(setting)
        unknown = np.array([PARTS.index("weights"), *range(at["weights"], at["classes"])])
        found[unknown], found[:, unknown] = np.nan, np.nan
    return found


def _added(setting: Setting, cell: int, state: State) -> Added:
    """What every unit adds to the shares and means of a cell."""

    def made() -> Added:
        units, z = influence_of(setting.sample, cell, setting.classes, setting.shape, state)
        return Added.of(setting.strata, units, flat(z))

    return setting.memory.cell(cell, made)


def _groups(setting: Setting, earlier: int, cell: int) -> tuple[int, int] | None:
    """The groups of weights of two cells, what units add to them remembered; None without."""
    loads = setting.loads.value
    if not loads:
        return None
    of = setting.groups.of_index
    both = int(of[earlier]), int(of[cell])
    for number in both:
        setting.memory.group(number, partial(Added.of, setting.strata, *loads[number]))
    return both


def _replicated(setting: Setting, pair: Pair, value: Array, held: frozenset[str]) -> Array:
    """(m, m) covariance over the replicates that have a number for every part."""
    if pair.earlier is None:
        raise ValueError("a pair without an earlier cell")
    old, new = (drawn_state(setting, cell) for cell in (pair.earlier, pair.cell))
    if "composition" in held:
        fixed = [setting.state(cell).shares for cell in (pair.earlier, pair.cell)]
        old, new = replace(old, shares=old.shares * 0.0 + fixed[0]), replace(new, shares=new.shares * 0.0 + fixed[1])
    drawn = _vector(*_without_absent_drawn(old, new))
    if setting.index.factors is not None:
        drawn = as_draws(drawn, value, setting.index.factors)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if drawn.shape[0] < 2:
        return np.full((value.size, value.size), np.nan)
    return np.atleast_2d(np.cov(drawn, rowvar=False))


def drawn_state(setting: Setting, cell: int) -> State:
    """The replicates of a cell's state, with a leading axis B."""
    if setting.drawn is None:
        raise ValueError("an index without replicates")
    shares, means = (a[:, cell] for a in setting.drawn)
    group = setting.groups.of_index[cell]
    weights = setting.weights[group] if setting.drawn_weights is None else setting.drawn_weights[:, group]
    weights = np.broadcast_to(weights, (len(shares), weights.shape[-1]))
    made = State(weights, shares, means)
    if setting.sample.missing in {"listwise", "pairwise", "mean"} or setting.index.factors is not None:
        return made
    values = (setting.index.replicates if setting.index.replicates is not None else np.empty(0))[:, cell]
    known = replace(made, means=np.nan_to_num(means))
    return replace(made, means=means + (values[:, setting.construct] - level(known))[:, None, None])


def _without_absent_drawn(old: State, new: State) -> tuple[State, State]:
    """Classes that are in neither wave's sample count nothing; those lost to a resample leave it without numbers."""
    never = np.isnan(old.means).all(axis=0) & np.isnan(new.means).all(axis=0)
    return (
        replace(old, means=np.where(never, 0.0, old.means)),
        replace(new, means=np.where(never, 0.0, new.means)),
    )


def places(setting: Setting) -> dict[str, int]:
    """Where the numbers of each kind begin in the vector."""
    p, g, parts = len(setting.shape.names), len(setting.classes.labels), len(PARTS)
    return {"items": parts, "weights": parts + p, "classes": parts + 2 * p, "composition": parts + 2 * p + g}
