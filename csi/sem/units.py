"""Items in units so large or small that their moments leave what a computer can hold."""

from __future__ import annotations

from typing import Final

import numpy as np

from csi.errors import Text
from csi.moments.stack import Array, Moments

LEAST, MOST = 1e-30, 1e30
"""Standard deviations between these leave room for the products of four that weights and tests are made of."""

OTHER_UNITS: Final = Text(
    "Give them in other units: multiply them by a power of ten.", "请换用其他单位：将其乘以 10 的某次方。"
)


def within(variances: Array) -> bool:
    """Whether all variances are ordinary: finite, positive and in reach."""
    return bool(((variances > LEAST**2) & (variances < MOST**2)).all())


def out_of_reach(group: Moments) -> Array:
    """(b, p) the spread of items that vary, but out of reach: their standard deviation, or the range of their answers
    where not even that can be told; 0 for all others.

    Example:
        >>> out_of_reach(Moments.of("ab", [[1e-200, 0.0], [0.0, 2.0]], n=50)).tolist()
        [[1e-100, 0.0]]
    """
    own = np.diagonal(group.cov, axis1=1, axis2=2)
    out = np.zeros(own.shape)
    known = np.isfinite(own) & (own > 0)
    sd = np.sqrt(np.where(known, own, 1.0))
    beyond = known & ((sd < LEAST) | (sd > MOST))
    out[beyond] = sd[beyond]
    for s, j in zip(*np.nonzero(~known), strict=True):
        out[s, j] = _beyond(_range(group, int(s), int(j)))
    return out


def _beyond(spread: float) -> float:
    """A range that is out of reach, else 0."""
    return spread if 0 < spread < LEAST or spread > MOST else 0.0


def _range(group: Moments, s: int, j: int) -> float:
    """Largest less smallest answer to item `j` in slice `s`, halved lest it overflow; 0 where rows are unknown."""
    if group.rows is None:
        return 0.0
    rows, weights, _ = group.rows.of(s)
    answers = rows[weights > 0, j]
    answers = answers[np.isfinite(answers)]
    return 2 * float(answers.max() / 2 - answers.min() / 2) if answers.size else 0.0


def said(names: tuple[str, ...], spread: Array) -> Text:
    """Which items are out of reach, and how far; `spread` (p,).

    Example:
        >>> said(("a", "b"), np.array([1e-160, 0.0])).en
        'the answers to a spread over about 1e-160, out of reach of the computations (1e-30 to 1e+30).'
    """
    listed = [name for name, v in zip(names, spread, strict=True) if v > 0]
    some = ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
    some_zh = "、".join(listed[:6]) + (f" 等 {len(listed)} 个题项" if len(listed) > 6 else "")
    far = spread[spread > 0]
    low, high = f"{far.min():.0e}", f"{far.max():.0e}"
    reach, reach_zh = (low, low) if low == high else (f"{low} to {high}", f"{low} 至 {high}")
    return Text(
        f"the answers to {some} spread over about {reach}, out of reach of the computations ({LEAST:g} to {MOST:g}).",
        f"{some_zh} 的回答的离散程度约为 {reach_zh}，超出可计算的范围（{LEAST:g} 至 {MOST:g}）。",
    )
