"""The verdict on every pair of a set's cells: comparable, comparable after freeing, not comparable, not tested.

Letters: `g` cells of a set, `m` its pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from csi.errors import Reason, reason
from csi.measures.ladder import Key
from csi.measures.partial import KEPT
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.contrasts import holm
from csi.tracking.gate_alignment import Apart, apart
from csi.tracking.gate_bias import Shifts, shifts
from csi.tracking.gate_ladder import Climbed, Searched, climb, search, worst
from csi.tracking.gate_micom import Composed, Composer, pair_p_values, weight_shifts
from csi.tracking.gate_micom import apart as weights_apart
from csi.tracking.gate_sets import Cells

Verdict = Literal["comparable", "after freeing", "not comparable", "not tested"]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A set with what was found.

    Attributes:
        cells: the set. climbed: the ladder, composed: MICOM, None where there is none. p_value, p_holm: of the set;
            p_holm counts all sets of the call. rule: "ladder", "alignment" or "micom". rejected: p_holm is below alpha.
        verdict: (m,) of the pairs i < j in the order of `numpy.triu_indices`. items: (m,) what differs in the pair,
            or, where nothing does, what may differ most. bias, std_error: (m,) its effect on the difference i - j in
            index points; NaN without one. free: what was set free over all cells. reason: why nothing was tested.
    """

    cells: Cells
    climbed: Climbed | None
    p_value: float
    p_holm: float
    rule: str
    verdict: tuple[Verdict, ...]
    items: tuple[tuple[str, ...], ...]
    bias: Array
    std_error: Array
    free: frozenset[Key] = frozenset()
    rejected: bool = False
    reason: Reason | None = None
    overlap: int = 0
    composed: Composed | None = None

    @property
    def tested(self) -> bool:
        """Whether there is evidence."""
        return self.climbed is not None or self.composed is not None

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """Numbers of the two cells of every pair."""
        i, j = np.triu_indices(len(self.cells.labels), 1)
        return i, j


def untested(one: Cells, why: Reason) -> Judged:
    """A set of which nothing is known."""
    m = len(one.labels) * (len(one.labels) - 1) // 2
    none = np.full(m, np.nan)
    nothing: list[Verdict] = ["not tested"] * m
    return Judged(one, None, np.nan, np.nan, "", tuple(nothing), ((),) * m, none, none, reason=why)


def judge_composed(composer: Composer, one: Cells, found: Composed, p_holm: float, alpha: float) -> Judged:
    """The pairs of a set by MICOM: where the composition is rejected, pairs on their own with Holm's correction (of
    many cells max-T over all of them).
    """
    bias, error = effects(weight_shifts(one, found))
    base = replace(untested(one, DIFFUSE), p_value=found.p_value, p_holm=p_holm, rule="micom", reason=None)
    base = replace(base, composed=found, bias=bias, std_error=error, items=weights_apart(one, found))
    m = bias.size
    alike: list[Verdict] = ["comparable"] * m
    if not p_holm < alpha:
        return replace(base, verdict=tuple(alike))
    few = len(one.labels) <= MANY
    p = pair_p_values(composer, one, found, alone=few) if m > 1 else np.array([p_holm])
    differ = (np.array(holm(p.tolist())) if few and m > 1 else p) < alpha
    if not differ.any():  # the set is rejected: so is its worst pair
        differ = np.nan_to_num(p, nan=1.0) == np.nanmin(p)
    verdict: list[Verdict] = ["not comparable" if d else "comparable" for d in differ]
    return replace(base, rejected=True, verdict=tuple(verdict))


def judge(sample: Sample, one: Cells, climbed: Climbed, level: float, p_holm: float, alpha: float) -> Judged:
    """The pairs of a set from its ladder.

    Parameters:
        level: the level its p-value was held against. p_holm: its p among all sets. alpha: of the family.
    """
    rejected = bool(p_holm < alpha)
    base = replace(
        untested(one, DIFFUSE), climbed=climbed, p_value=climbed.p_value, p_holm=p_holm, rule="ladder", reason=None
    )
    if not rejected:
        return _filled(base, one, worst(climbed), "comparable")
    found = search(climbed, level, alpha)
    base = replace(base, rejected=True, free=found.free)
    many = len(one.labels) > MANY
    seen = apart(sample, one) if many and not climbed.ladder.settings.ordered else None
    if seen is not None:
        return _aligned(replace(base, free=frozenset(), rule="alignment"), one, seen)
    if found.stands:
        return _partial(base, one, found, alpha)
    if many:
        return replace(_filled(base, one, found, "not comparable"), reason=None if found.suspected else DIFFUSE)
    return _pair_by_pair(base, sample, one, found, alpha)


DIFFUSE = reason("R-GATE-DIFFUSE", "no single item accounts for the difference.", "差异无法归于单个题项。")


MANY = 6
"""Cells above which alignment says which of them differ in which item."""


def _aligned(base: Judged, one: Cells, seen: Apart) -> Judged:
    """Pairs by the items that differ in either cell: two items of the construct must be alike in both."""
    i, j = np.triu_indices(len(one.labels), 1)
    either = seen.differs[i] | seen.differs[j]
    left = len(one.items) - either.sum(axis=1)
    bias, error = effects(seen.shifts)
    verdict: list[Verdict] = [
        "comparable" if not e.any() else "after freeing" if n >= KEPT else "not comparable"
        for e, n in zip(either, left, strict=True)
    ]
    items = tuple(tuple(item for item, yes in zip(one.items, e, strict=True) if yes) for e in either)
    return replace(base, verdict=tuple(verdict), items=items, bias=bias, std_error=error)


def _filled(base: Judged, one: Cells, found: Searched, verdict: Verdict) -> Judged:
    """All pairs with one verdict and the effect of what was freed."""
    bias, error = effects(shifts(found.est, one.items, one.points))
    m = bias.size
    return replace(base, verdict=(verdict,) * m, items=(found.suspected,) * m, bias=bias, std_error=error)


def effects(found: Shifts) -> tuple[Array, Array]:
    """(m,) biases and standard errors of all pairs."""
    i, j = np.triu_indices(found.value.size, 1)
    v = found.covariance
    variance = v[i, i] + v[j, j] - 2.0 * v[i, j]
    return found.value[i] - found.value[j], np.sqrt(np.maximum(variance, 0.0))


def _partial(base: Judged, one: Cells, found: Searched, alpha: float) -> Judged:
    """Pairs of a partly invariant set: freed where the bias is not zero (z, Holm over the pairs), else comparable."""
    whole = _filled(base, one, found, "comparable")
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2.0 * special.ndtr(-np.abs(whole.bias / whole.std_error))
    moved = holm(p.tolist()) < alpha
    if not moved.any():  # the set is rejected, so that one pair differs: the one of the largest bias
        moved = p == np.nanmin(p) if np.isfinite(p).any() else np.ones(p.size, dtype=bool)
    return replace(whole, verdict=tuple("after freeing" if m else "comparable" for m in moved))


def _pair_by_pair(base: Judged, sample: Sample, one: Cells, found: Searched, alpha: float) -> Judged:
    """Pairs of a set without a partly invariant model: each on a ladder of its own (Holm over the pairs)."""
    if len(one.labels) == 2:
        whole = _filled(base, one, found, "not comparable")
        return replace(whole, reason=None if found.suspected else DIFFUSE)
    i, j = np.triu_indices(len(one.labels), 1)
    pairs = [_of_pair(one, int(a), int(b)) for a, b in zip(i, j, strict=True)]
    climbed = [climb(sample, pair, base.climbed.ladder.settings.ordered if base.climbed else ()) for pair in pairs]
    p_values = np.array([np.nan if isinstance(c, Reason) else c.p_value for c in climbed])
    adjusted = holm(p_values.tolist())
    if not (adjusted < alpha).any() and np.isfinite(p_values).any():  # the set is rejected: so is its worst pair
        adjusted = np.where(p_values == np.nanmin(p_values), 0.0, adjusted)
    parts = [
        untested(pair, c) if isinstance(c, Reason) else judge(sample, pair, c, alpha, float(p), alpha)
        for pair, c, p in zip(pairs, climbed, adjusted, strict=True)
    ]
    return replace(
        base,
        verdict=tuple(part.verdict[0] for part in parts),
        items=tuple(part.items[0] for part in parts),
        bias=np.array([part.bias[0] for part in parts]),
        std_error=np.array([part.std_error[0] for part in parts]),
    )


def _of_pair(one: Cells, i: int, j: int) -> Cells:
    """Two cells of a set as a set of their own."""
    return replace(one, cells=one.cells[[i, j]], labels=(one.labels[i], one.labels[j]), left_out={})
