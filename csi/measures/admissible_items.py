"""Items that most likely bring other findings about: unrelated to their block, in the wrong block, or there twice.

What is looked at first are the correlations of the sample, which no improper solution has touched.

Letters: `p` items, `n` rows, `R` (p, p) correlations; a block is the positions of the items of one latent variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csi.measures.admissible_changes import INDEX, Change, Changes
from csi.measures.admissible_evidence import (
    LOADS,
    SOMETHING,
    Away,
    Blocks,
    chance,
    elsewhere,
    twins,
    unrelated,
    with_sum,
)
from csi.measures.admissible_item_words import away, double, lost
from csi.measures.findings import Finding
from csi.measures.symptoms import blocks_of, correlations_of, response_cor
from csi.moments.stack import Array
from csi.sem.fitted import Fitted

MARGIN, APART, ALONE = 0.10, 2.5, 3.5
"""By how much a loading elsewhere must exceed the one at home: at least the first, and the second times 1 / sqrt(n)
beside a modification index, the third times that where the solution is improper and its indices tell little.
"""


SOME, LEVEL = 6.63, 3.84
"""A modification index that counts beside another finding, and by how much a larger one is clearly larger (chi-square,
df 1, 1 and 5 %).
"""


@dataclass(frozen=True, slots=True)
class Culprit:
    """A finding about items.

    Attributes:
        factors, items: what it makes suspect. to: where the items belong, "" where they are to be dropped.
        whole: whether little of the block is left.
    """

    finding: Finding
    factors: tuple[str, ...]
    items: tuple[str, ...]
    to: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Weak:
    """An item, its latent variable, and its correlation with the sum of the latent variable's other items."""

    item: str
    factor: str
    r: float


def of_items(fit: Fitted, cell: int, g: int, place: str, changes: Changes, *, ill: bool) -> list[Culprit]:
    """Items of one slice and group that are in the model twice, unrelated to their block, or in the wrong one.

    Parameters:
        ill: whether something improper was found, so that weaker evidence counts.
    """
    names, n = fit.layout.blocks[g].observed, float(fit.groups[g].n[cell])
    blocks = {f: tuple(names.index(i) for i in items) for f, items in blocks_of(fit.layout).items()}
    at = sorted(i for block in blocks.values() for i in block)
    R = correlations_of(fit.groups[g].cov[cell])
    if not at or not np.isfinite(R[np.ix_(at, at)]).all():
        return []
    home = {i: f for f, block in blocks.items() for i in block}
    pairs = twins(response_cor(fit, cell, g), at)
    gone = unrelated(R, blocks, SOMETHING if ill else chance(n))
    out = []
    for (i, j), r in pairs.items():
        factors = tuple(dict.fromkeys((home[i], home[j])))
        found = double((names[i], names[j]), factors, r, (cell, place))
        out.append(Culprit(found, factors, (names[j],)))
    for f, (items, rest) in gone.items():
        left = tuple(names[i] for i in blocks[f] if i not in items)
        told = tuple(names[i] for i in items)
        whole = len(left) < 2 or len(left) <= len(told) or _marker(fit, f, g) in told
        shared = _shared(changes(), left) if len(left) == 2 and told else 0.0
        found = lost(f, told, rest, left, (chance(n), n), (cell, place), whole=whole, shared=shared)
        out.append(Culprit(found, (f,), told, whole=whole))
    skip = {i for pair in pairs for i in pair} | {i for items, _ in gone.values() for i in items}
    kept = {f: tuple(i for i in block if i not in skip) for f, block in blocks.items()}
    return out + [
        _moved(fit, one, R, kept, changes(), g, (cell, place)) for one in _strays(fit, R, kept, n, g, changes, ill=ill)
    ]


def _shared(known: Mapping[str, Change], pair: Sequence[str]) -> float:
    """The modification index of a residual covariance of two items where it is no chance and none is clearly larger,
    else 0.
    """
    a, b = pair
    own = known.get(f"{a} ~~ {b}") or known.get(f"{b} ~~ {a}")
    if own is None or own.mi < SOME or own.mi < max(change.mi for change in known.values()) - LEVEL:
        return 0.0
    return own.mi


def _strays(fit: Fitted, R: Array, blocks: Blocks, n: float, g: int, changes: Changes, *, ill: bool) -> Iterator[Away]:
    """Items whose correlations, and a modification index where there is one, speak for another block."""
    names = fit.layout.blocks[g].observed
    for one in elsewhere(R, blocks):
        far = one.there - one.own
        if far < max(MARGIN, APART / np.sqrt(n)) or one.there < LOADS:
            continue
        change = changes().get(f"{one.to} =~ {names[one.item]}")
        if (change is not None and change.mi > INDEX) or (ill and far > ALONE / np.sqrt(n)):
            yield one


def _moved(
    fit: Fitted, one: Away, R: Array, blocks: Blocks, known: Mapping[str, Change], g: int, where: tuple[int, str]
) -> Culprit:
    """An item that belongs elsewhere."""
    name = fit.layout.blocks[g].observed[one.item]
    change = known.get(f"{one.to} =~ {name}")
    mean = tuple(float(np.abs(R[one.item, [i for i in blocks[f] if i != one.item]]).mean()) for f in (one.home, one.to))
    index = (change.mi, change.expected) if change is not None else None
    found = away(name, (one.home, one.to), (one.own, one.there), (mean[0], mean[1]), index, where)
    return Culprit(found, (one.home, one.to), (name,), to=one.to)


def _marker(fit: Fitted, factor: str, g: int) -> str:
    """The item whose loading is fixed, so that it gives a latent variable its unit; "" where none does."""
    rows = (r for r in fit.layout.table.rows if r.group == g and r.op == "=~" and r.lhs == factor)
    return next((r.rhs for r in rows if r.fixed), "")


def weakest(fit: Fitted, cell: int, g: int, factors: Sequence[str]) -> Weak | None:
    """The item of some latent variables that goes least with the other items of its own."""
    names, blocks = fit.layout.blocks[g].observed, blocks_of(fit.layout)
    R = correlations_of(fit.groups[g].cov[cell])
    found = []
    for f in factors:
        block = [names.index(i) for i in blocks.get(f, ())]
        if len(block) > 1 and np.isfinite(R[np.ix_(block, block)]).all():
            found += [Weak(names[i], f, with_sum(R, i, [j for j in block if j != i])) for i in block]
    return min(found, key=lambda one: one.r, default=None)
