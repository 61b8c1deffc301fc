"""Missing patterns of rows: which items each row answers, and the moments of the rows that answer the same.

Letters: `J` patterns, `n` rows, `p` items, `b` weightings (replicates) of the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from csi.errors import Note, note
from csi.moments import compiled
from csi.moments.stack import Array, Ints, RowPass

Flags = npt.NDArray[np.bool_]

ROWS_AT_ONCE = 4096
"""Rows whose cross-products are formed together."""

THIN = 0.10
"""Share of rows below which a pair of items is named in a note."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Moments of each missing pattern, embedded in p x p, under b weightings of the rows.

    Attributes:
        observed: (J, p) which items a pattern answers.
        n: (b, J) sums of weights. mean: (b, J, p). cov: (b, J, p, p), divisor n; both 0 where not observed.

    Example:
        >>> rows = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, np.nan]])
        >>> found = pattern_rows(rows).under(np.ones((1, 3)))
        >>> found.observed.tolist(), found.n.tolist(), found.mean[0, 0].tolist()
        ([[True, True], [True, False]], [[2.0, 1.0]], [2.0, 3.0])
    """

    observed: Flags
    n: Array
    mean: Array
    cov: Array

    @property
    def total(self) -> Array:
        """(b,) sums of weights over all patterns."""
        total: Array = self.n.sum(axis=1)
        return total

    @property
    def coverage(self) -> Array:
        """(b, p, p) share of the rows that answer both items."""
        seen = self.observed.astype(np.float64)
        share: Array = np.einsum("bj,ji,jk->bik", self.n / self.total[:, None], seen, seen, optimize=True)
        return share

    def take(self, at: Ints | slice) -> Patterns:
        """Some of the b weightings."""
        return replace(self, n=self.n[at], mean=self.mean[at], cov=self.cov[at])


@dataclass(frozen=True, slots=True)
class PatternRows:
    """Rows sorted by pattern: made once, weighted many times.

    Attributes:
        observed: (J, p). member: (n,) pattern of each row, in the rows' own order. order: (n,) rows sorted by pattern.
        starts: (J + 1,) first sorted row of each pattern. answers: (n, p) sorted rows minus `centre`, 0 where absent.
        centre: (p,).
    """

    observed: Flags
    member: Ints
    order: Ints
    starts: Ints
    answers: Array
    centre: Array

    @property
    def bytes_of_one(self) -> int:
        """Memory that the patterns of one weighting take."""
        J, p = self.observed.shape
        return int(8 * J * (p + 1) * (p + 1))

    def under(self, W: Array) -> Patterns:
        """The patterns' moments under b weightings.

        Parameters:
            W: (b, n) weights of the rows, in their own order.

        Example:
            >>> pattern_rows(np.array([[1.0], [3.0]])).under(np.array([[1.0, 0.0], [1.0, 3.0]])).mean[:, 0, 0].tolist()
            [1.0, 2.5]
        """
        n, mean, cov = compiled.gathered(self, W) or self._gathered(W)
        mean += np.where(self.observed & (n > 0)[:, :, None], self.centre, 0.0)
        return Patterns(self.observed, n, mean, cov)

    def _gathered(self, W: Array) -> tuple[Array, Array, Array]:
        """n, mean (about the centre) and cov of the patterns."""
        (J, p), b = self.observed.shape, len(W)
        n, mean, cov = np.zeros((b, J)), np.zeros((b, J, p)), np.zeros((b, J, p, p))
        i, j = np.triu_indices(p)
        for number in range(J):
            first, last = int(self.starts[number]), int(self.starts[number + 1])
            for start in range(first, last, ROWS_AT_ONCE):
                z = self.answers[start : min(start + ROWS_AT_ONCE, last)]
                w = W[:, self.order[start : start + len(z)]]
                n[:, number] += w.sum(axis=1)
                mean[:, number] += w @ z
                if b == 1:
                    cov[0, number] += (z.T * w[0]) @ z
                else:
                    cov[:, number, i, j] += w @ (z[:, i] * z[:, j])
        if b > 1:
            cov[:, :, j, i] = cov[:, :, i, j]
        divisor = np.where(n > 0, n, 1.0)
        mean /= divisor[:, :, None]
        return n, mean, cov / divisor[:, :, None, None] - mean[:, :, :, None] * mean[:, :, None, :]


def pattern_rows(rows: Array) -> PatternRows:
    """Rows sorted by what they answer; patterns with more answers first, then by the items in their order.

    Parameters:
        rows: (n, p) answers, NaN where absent. Rows without any answer form a pattern that says nothing.

    Example:
        >>> pattern_rows(np.array([[np.nan, 1.0], [2.0, 2.0], [np.nan, 3.0]])).member.tolist()
        [1, 0, 1]
    """
    present = ~np.isnan(rows)
    packed = np.packbits(present, axis=1)
    codes = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, member = np.unique(codes, return_index=True, return_inverse=True)
    kinds = present[first]
    rank = np.lexsort((*(~kinds).T[::-1], -kinds.sum(axis=1)))
    number = np.empty(len(rank), dtype=np.int64)
    number[rank] = np.arange(len(rank))
    member = number[member.ravel()]
    order = np.argsort(member, kind="stable")
    starts = np.searchsorted(member[order], np.arange(len(rank) + 1))
    centre = np.round(np.nansum(rows, axis=0) / np.maximum(present.sum(axis=0), 1))
    answers = np.where(present, rows - centre, 0.0)[order]
    return PatternRows(kinds[rank], member, order, starts.astype(np.int64), answers, centre)


def patterns_of(rows: Array, W: Array | None = None) -> Patterns:
    """The missing patterns of rows and their moments.

    Parameters:
        rows: (n, p) answers, NaN where absent. W: (b, n) weights, ones when left out.

    Source:
        Little & Rubin (2002), Statistical Analysis with Missing Data, ch. 8.

    Example:
        >>> patterns_of(np.array([[1.0, 2.0], [5.0, np.nan]])).coverage[0].tolist()
        [[1.0, 0.5], [0.5, 0.5]]
    """
    return pattern_rows(rows).under(np.ones((1, len(rows))) if W is None else W)


def patterns_of_cells(rows: RowPass) -> tuple[Patterns, ...]:
    """The patterns of every cell behind a stack of moments, each under its B replicates.

    Example:
        >>> rows = RowPass((np.eye(2),), (np.ones((3, 2)),), (np.arange(2),))
        >>> [cell.n.shape for cell in patterns_of_cells(rows)]
        [(3, 1)]
    """
    return tuple(patterns_of(answers, W) for answers, W in zip(rows.rows, rows.weights, strict=True))


def coverage_notes(patterns: Patterns, names: Sequence[str]) -> tuple[Note, ...]:
    """Notes naming pairs of items that no row, or hardly any row, answers together.

    Parameters:
        patterns: of one weighting (the first is used). names: p items.

    Example:
        >>> found = patterns_of(np.array([[1.0, np.nan], [np.nan, 2.0]]))
        >>> coverage_notes(found, ["a", "b"])[0].say("en")
        'no row answers both items of: a and b; their covariance rests on the model alone.'
    """
    share = patterns.coverage[0]
    i, j = np.triu_indices(len(share), 1)
    never, seldom = share[i, j] == 0, (share[i, j] > 0) & (share[i, j] < THIN)
    told = []
    if never.any():
        en, zh = _pairs(names, i[never], j[never])
        en = f"no row answers both items of: {en}; their covariance rests on the model alone."
        told.append(note("W-COVERAGE", en, f"以下题项对没有同时作答的行：{zh}；其协方差完全由模型决定。"))
    if seldom.any():
        en, zh = _pairs(names, i[seldom], j[seldom])
        en = f"fewer than {THIN:.0%} of the rows answer both items of: {en}."
        told.append(note("W-COVERAGE", en, f"以下题项对同时作答的行不足 {THIN:.0%}：{zh}。"))
    return tuple(told)


def _pairs(names: Sequence[str], i: Ints, j: Ints) -> tuple[str, str]:
    """Up to five pairs, in en and zh."""
    some = [(names[a], names[b]) for a, b in zip(i[:5].tolist(), j[:5].tolist(), strict=True)]
    en, zh = ", ".join(f"{a} and {b}" for a, b in some), "、".join(f"{a} 与 {b}" for a, b in some)
    return (f"{en} and {len(i) - 5} more", f"{zh} 等 {len(i)} 对") if len(i) > 5 else (en, zh)
