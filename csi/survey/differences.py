"""Which sets of rows may be told of beside each other, so that no number of few rows comes out by subtraction.

What is told of a set (its n and its mean) gives its sum; sums of told sets add and subtract. So a new set is refused if
anything in the span of the told sets' indicators lies on too few rows.

Letters: `n` rows, `a` atoms (rows that are in the same sets), `s` sets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SURE = 1 - 1e-9


def together_told(published: Bools, pairs: Sequence[tuple[Bools, Bools]], small: int) -> list[bool]:
    """Which pairs of sets of rows (with and without some) are told beside a published one, first come first told.

    Parameters:
        published: (n,) the rows behind the number that is out. pairs: two sets of rows each. small: rows below which
            nothing is told.

    Source:
        Hundepool et al. (2012), Statistical Disclosure Control, 4.2: differencing; the audit by linear combinations:
        Duncan & Mukherjee (2000), Journal of the American Statistical Association 95:720-729.

    Example:
        >>> all_ = np.ones(100, dtype=bool)
        >>> some, few = np.arange(100) >= 40, np.arange(100) >= 5
        >>> together_told(all_, [(all_, some), (all_, few), (all_, np.arange(100) >= 42)], 30)
        [True, False, False]
    """
    if int(published.sum()) < small:
        return [False] * len(pairs)
    every = np.vstack([published, *(one for pair in pairs for one in pair)]).astype(np.float64)
    patterns, sizes = np.unique(every, axis=1, return_counts=True)
    told, chosen = [0], []
    for k in range(len(pairs)):
        new = [1 + 2 * k, 2 + 2 * k]
        held = not revealing(patterns[[*told, *new]], sizes, small)
        told += new if held else []
        chosen.append(held)
    return chosen


def revealing(sets: Floats, sizes: npt.NDArray[np.integer], small: int) -> bool:
    """Whether sums over the sets (s, a) give a number of fewer than `small` rows.

    A combination lies on few atoms S if and only if the projector on the sets' span, cut to S, has the eigenvalue 1; it
    is looked for on single atoms, pairs, the smallest atoms together, and differences of two sets.

    Parameters:
        sizes: (a,) rows of each atom.
    """
    counts = sets @ sizes
    if ((counts > 0) & (counts < small)).any():
        return True
    for i, one in enumerate(sets):
        over = (one[None] > sets[:i]) @ sizes
        under = (one[None] < sets[:i]) @ sizes
        few = ((under == 0) & (over > 0) & (over < small)) | ((over == 0) & (under > 0) & (under < small))
        if few.any():
            return True
    few = np.flatnonzero(sizes < small)
    if not few.size:
        return False
    P = (np.linalg.pinv(sets) @ sets)[np.ix_(few, few)]
    own, n = np.diag(P), sizes[few]
    if (own > SURE).any():
        return True
    middle = 0.5 * (own[:, None] + own)
    largest = middle + np.sqrt((0.5 * (own[:, None] - own)) ** 2 + P**2)
    apart = ~np.eye(few.size, dtype=bool)
    if (apart & (n[:, None] + n < small) & (largest > SURE)).any():
        return True
    order = np.argsort(n, kind="stable")
    some = order[np.cumsum(n[order]) < small]
    return some.size > 0 and bool(np.linalg.eigvalsh(P[np.ix_(some, some)])[-1] > SURE)
