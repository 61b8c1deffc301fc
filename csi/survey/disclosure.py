"""One decision on what a release may tell: cells of too few answers are absent from it, not hidden inside a total.

A total beside its parts gives away what is left when they are taken out of it. So what is left must be nothing, or at
least two cells with enough answers together; else it stays out of the total (`pooled`), and where the total is told
anyway, more of its parts are not told (`apart`).

Letters: `k` cells of one total.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from csi.errors import Text

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.integer]

FEWEST: Final = 2
"""Cells that can stand for each other: one alone is told by what is left of a total."""


def together(n: Counts, small: int) -> bool:
    """Whether cells that are not told singly may be told as one number.

    Parameters:
        n: (k,) answers of each. small: answers below which nothing is told.

    Source:
        Hundepool et al. (2012), Statistical Disclosure Control, 4.2: thresholds.

    Example:
        >>> [together(np.array(n), 30) for n in ([], [29], [12, 20], [5, 6])]
        [True, False, True, False]
    """
    return n.size == 0 or (n.size >= FEWEST and int(n.sum()) >= small)


def pooled(n: Counts, small: int) -> Bools:
    """(k,) which cells enter a total beside which those of enough answers are told singly.

    The others are all in it, or none of them.

    Example:
        >>> pooled(np.array([100, 12, 20]), 30).tolist(), pooled(np.array([100, 12]), 30).tolist()
        ([True, True, True], [True, False])
    """
    few = n < small
    return np.asarray(~few | together(n[few & (n > 0)], small)) & (n > 0)


def apart(n: Counts, small: int, rest: int = 0, told: Bools | None = None) -> Bools:
    """(k,) which parts of a total that is told are told, too: those of enough answers, less the smallest of them until
    what is left over is of two cells and of enough answers.

    Parameters:
        rest: answers of the total that are in none of the cells; they stand for one cell more. told: (k,) which of
            them may be told for other reasons; all by default.

    Example:
        >>> apart(np.array([100, 60, 12]), 30).tolist(), apart(np.array([100, 60, 40]), 30).tolist()
        ([True, False, False], [True, True, True])
        >>> apart(np.array([100, 60, 12]), 30, rest=18).tolist()
        [True, True, False]
    """
    told = np.asarray(n >= small) if told is None else np.asarray((n >= small) & told)
    for cell in np.argsort(n, kind="stable"):
        left = n[~told]
        if together(np.append(left[left > 0], rest) if rest else left[left > 0], small):
            break
        told[cell] = False
    return told


def shared(now: Counts, then: Counts, small: int) -> Bools:
    """(k,) which cells of a total at two times may be told as one number without the others.

    All that are in it both times, where neither those of few answers among them nor the rest of them give one away;
    else those that are told singly both times.

    Parameters:
        now, then: (k,) answers of each cell in the total, 0 where it is not part of it.

    Example:
        >>> shared(np.array([100, 12, 20]), np.array([90, 18, 25]), 30).tolist()
        [True, True, True]
        >>> shared(np.array([100, 12, 20]), np.array([90, 12, 0]), 30).tolist()
        [True, False, False]
    """
    both = np.asarray((now > 0) & (then > 0))
    for n in (now, then):
        few = (n > 0) & (n < small)
        if not (together(n[few & both], small) and together(n[few & ~both], small)):
            return np.asarray((now >= small) & (then >= small))
    return both


def beside(small: int) -> Text:
    """Why a part of a total is not told although it has enough answers."""
    en = f"withheld: with the total it would give away a number of fewer than {small} answers."
    return Text(en, f"不予发布：否则可由总体推算出样本量不足 {small} 的数值。")


def below(n: int, small: int) -> Text:
    """Why a cell is absent.

    Example:
        >>> below(12, 30).en
        '12 answers, below the base of 30'
    """
    word = "answer" if n == 1 else "answers"
    return Text(f"{n} {word}, below the base of {small}", f"{n} 份答卷，不足最低样本量 {small}")
