"""Higher-order constructs as if measured by the items below them: what the 0-100 scale and its gradient need.

Letters: `p` items, `q` constructs, `b` slices of a stack, `e` pairs of construct and item.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from csi.estimate.estimate import Estimate, Solution
from csi.estimate.later import known
from csi.moments.stack import Ints


def unrolled(solution: Solution) -> Solution:
    """The same scores, with the items of every higher-order construct named under it too.

    `items`, `block`, `weights` and `loadings` then have an entry for each item of each construct (e in place of p), in
    the order of the constructs. A solution without higher-order constructs is returned as it is.

    Example:
        >>> one = np.ones((1, 1))
        >>> wide = np.array([[[1.0, 1.0]]])
        >>> solution = Solution(("a", "top"), ("x",), np.array([0]), ("A", "A"), one, one, None, np.zeros((1, 2, 2)),
        ...                     np.zeros((1, 2)), np.ones((1, 2, 2)), parts=(("top", "a"),), wide_weights=wide)
        >>> unrolled(solution).items, unrolled(solution).block.tolist()
        (('x', 'x'), [0, 1])
    """
    if solution.wide_weights is None or not solution.higher:
        return solution
    at, block = _entries(solution)
    own = solution.block[at] == block
    across = solution.cross_loadings
    return replace(
        solution,
        items=tuple(solution.items[k] for k in at.tolist()),
        block=block,
        weights=solution.wide_weights[:, at, block],
        loadings=np.where(own, solution.loadings[:, at], np.nan if across is None else across[:, at, block]),
        cross_loadings=None if across is None else across[:, at],
        wide_weights=None,
        parts=(),
        part_weights=None,
        part_loadings=None,
    )


def on_items(est: Estimate) -> Estimate:
    """The estimate with its solution, and that of its replicates, unrolled.

    Example:
        >>> import csi
        >>> m = csi.Moments.of(["x", "y"], [[1.0, 0.5], [0.5, 1.0]], n=99)
        >>> est = csi.fit("a =~ x; b =~ y; b ~ a", m, csi.PLS())
        >>> on_items(est) is est
        True
    """
    if unrolled(est.solution) is est.solution:
        return est
    drawn = est.replicates
    if drawn is not None:
        drawn = replace(drawn, solution=unrolled(drawn.solution))
    return replace(est, solved=known(unrolled(est.solution)), replicates=drawn)


def _entries(solution: Solution) -> tuple[Ints, Ints]:
    """Item and construct of every entry."""
    found = list(enumerate(solution.block.tolist()))
    for name in solution.higher:
        found += [(k, solution.constructs.index(name)) for k in items_below(solution, name)]
    found.sort(key=lambda entry: entry[1])
    at, block = np.array(found, dtype=np.int64).T
    return at, block


def items_below(solution: Solution, name: str) -> list[int]:
    """Positions of the items that a construct is measured by, through its components where it has some."""
    below = [p for w, p in solution.parts if w == name and p in solution.constructs]
    if not below:
        return [int(k) for k in np.flatnonzero(solution.block == solution.constructs.index(name))]
    return [k for part in below for k in items_below(solution, part)]
