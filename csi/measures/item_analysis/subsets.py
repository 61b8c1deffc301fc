"""Which items a shorter form may consist of: all such forms where they are few, else those a stated search visits.

Letters: `p` items of the full form, `k` of a shorter one, `s` forms, `b` matrices, `w` forms kept at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import comb

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints

LIMIT = 10_000
"""Most forms of one length that are all tried."""

WIDTH = 30
"""Forms kept at each length by the search from the full form downwards."""

Flags = npt.NDArray[np.bool_]
Score = Callable[[Flags], Array]
"""(b, m, p) forms of one length -> (b, m) what they are worth, larger is better; NaN where it is not known."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What every form must hold to: p items; those that stay, those that are out, groups with their least numbers."""

    p: int
    stay: frozenset[int] = frozenset()
    out: frozenset[int] = frozenset()
    groups: tuple[tuple[frozenset[int], int], ...] = ()

    def fits(self, forms: Flags) -> Flags:
        """(...,) which forms (..., p) hold to the rules.

        Example:
            >>> rules = Rules(3, stay=frozenset({0}), groups=((frozenset({1, 2}), 1),))
            >>> rules.fits(np.array([[True, True, False], [True, False, False]])).tolist()
            [True, False]
        """
        fine = forms[..., sorted(self.stay)].all(axis=-1) & ~forms[..., sorted(self.out)].any(axis=-1)
        for members, least in self.groups:
            fine &= forms[..., sorted(members)].sum(axis=-1) >= least
        return np.asarray(fine)

    def count(self, k: int) -> int:
        """How many forms of k items keep those that stay and leave those that are out.

        Example:
            >>> Rules(10, stay=frozenset({1, 2})).count(5)
            56
        """
        free = self.p - len(self.stay) - len(self.out)
        return comb(free, k - len(self.stay)) if k >= len(self.stay) else 0


def every_form(rules: Rules, k: int) -> Flags:
    """(s, p) all forms of k items that hold to the rules.

    Example:
        >>> every_form(Rules(3, stay=frozenset({1})), 2).astype(int).tolist()
        [[1, 1, 0], [0, 1, 1]]
    """
    free = [j for j in range(rules.p) if j not in rules.stay | rules.out]
    more = k - len(rules.stay)
    if not 0 <= more <= len(free):
        return np.zeros((0, rules.p), dtype=np.bool_)
    s = comb(len(free), more)
    places = np.fromiter(chain.from_iterable(combinations(free, more)), np.int64, s * more).reshape(s, more)
    forms = np.zeros((s, rules.p), dtype=np.bool_)
    forms[:, sorted(rules.stay)] = True
    forms[np.arange(s)[:, None], places] = True
    return forms[rules.fits(forms)]


def downwards(rules: Rules, b: int, score: Score, lengths: Sequence[int], width: int = WIDTH) -> dict[int, Flags]:
    """Forms found from the full one downwards: of each length the best `width`, without each of their items in turn.

    Parameters:
        b: how many matrices are searched beside each other. score: what forms are worth to each. lengths: those asked
            for.

    Returns:
        length -> (b, p) the best form found; lengths without any are absent.

    Example:
        >>> worth = np.array([3.0, 1.0, 2.0])
        >>> downwards(Rules(3), 1, lambda forms: forms @ worth, [2, 1])[1].astype(int).tolist()
        [[1, 0, 0]]
    """
    usable = np.array([j not in rules.out for j in range(rules.p)])
    beam = np.broadcast_to(usable, (b, 1, rules.p))
    found: dict[int, Flags] = {}
    for k in range(int(usable.sum()), min(lengths, default=0) - 1, -1):
        if k in lengths and beam.shape[1] and rules.fits(beam[:, 0]).all():
            found[k] = beam[:, 0].copy()
        beam = _shorter(rules, beam, score, width)
        if not beam.shape[1]:
            break
    return found


def _shorter(rules: Rules, beam: Flags, score: Score, width: int) -> Flags:
    """(b, w', p) the best forms with one item less, best first."""
    b, w, p = beam.shape
    removable = np.array([j for j in range(p) if j not in rules.stay | rules.out], dtype=np.int64)
    tried = np.repeat(beam, removable.size, axis=1)
    at = np.tile(removable, w)
    there = tried[:, np.arange(tried.shape[1]), at]
    tried[:, np.arange(tried.shape[1]), at] = False
    worth = score(tried)
    worth = np.where(there & rules.fits(tried) & np.isfinite(worth), worth, -np.inf)
    names = tried @ (2.0 ** -np.arange(1, min(p, 50) + 1) if p <= 50 else np.random.default_rng(0).random(p))
    kept = [_best(worth[i], names[i], width) for i in range(b)]
    most = min(len(one) for one in kept)
    return tried[np.arange(b)[:, None], np.array([one[:most] for one in kept], dtype=np.int64).reshape(b, most)]


def _best(worth: Array, names: Array, width: int) -> Ints:
    """Places of the best different forms, best first."""
    order = np.argsort(-worth, kind="stable")
    order = order[np.isfinite(worth[order])]
    first = np.unique(names[order], return_index=True)[1]
    return order[np.sort(first)[:width]]
