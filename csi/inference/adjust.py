"""`adjust(p, method)`: p-values for a family of tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from csi.errors import Problems, one_of, problem
from csi.moments.stack import Array

Method = Literal["holm", "hochberg", "bonferroni", "sidak", "bh", "by"]
"""Familywise: holm, hochberg, bonferroni, sidak. False discovery rate: bh, by."""


def adjust(p: npt.ArrayLike, method: Method = "holm") -> Array:
    """Adjusted p-values, in the order and shape given; each may be held against the level of the whole family.

    With m tests and p_(1) <= ... <= p_(m):

        bonferroni  m p                                   any dependence
        holm        max_{j <= i} (m - j + 1) p_(j)        any dependence; never larger than Bonferroni's
        sidak       1 - (1 - p)^m                         independent (or positively dependent) tests
        hochberg    min_{j >= i} (m - j + 1) p_(j)        independent (or positively dependent) tests
        bh          min_{j >= i} m / j p_(j)              false discovery rate, as above
        by          bh times sum_{j <= m} 1 / j           false discovery rate, any dependence

    A family asks how small small p-values are: `csi.family(est)` takes the right ones of all paths. Of your own, take
    those of interval="t" or of `csi.jackknife` (Holm: 5.0 to 5.7 % false rejections at 5 %, ten tests, n = 250;
    percentile p 6.5 %, never below 2 / (n + 1); tests/slow/families.md).

    Parameters:
        p: p-values of one family, any shape; NaN stays NaN and does not count. method: one of the six.

    Returns:
        Array of the shape of `p`, at most 1.

    Raises:
        Problems: an unknown method, or numbers that are no p-values.

    Source: Holm (1979); Hochberg (1988); Šidák (1967); Benjamini & Hochberg (1995); Benjamini & Yekutieli (2001).
    Agrees: statsmodels multipletests to 1e-14.

    Example:
        >>> adjust([0.01, 0.04, 0.03], "holm").tolist()
        [0.03, 0.06, 0.06]
    """
    found = one_of("method", method, get_args(Method))
    try:
        values = np.asarray(p, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array(-1.0)
    if bool(((values < 0) | (values > 1)).any()):
        en, zh = "p-values lie between 0 and 1.", "p 值应在 0 与 1 之间。"
        do, do_zh = "Give p-values, or an estimate to csi.family.", "请给出 p 值，或将估计结果交给 csi.family。"
        found.append(problem("E-SETTING", "p", en, zh, do, do_zh))
    if found:
        raise Problems(found)
    flat = values.reshape(-1)
    known = np.flatnonzero(np.isfinite(flat))
    adjusted = np.full(flat.shape, np.nan)
    order = known[np.argsort(flat[known], kind="stable")]
    if order.size:
        adjusted[order] = np.minimum(_METHODS[method](flat[order]), 1.0)
    return adjusted.reshape(values.shape)


def _holm(p: Array) -> Array:
    down: Array = np.maximum.accumulate(np.arange(p.size, 0, -1) * p)
    return down


def _hochberg(p: Array) -> Array:
    up: Array = np.minimum.accumulate((np.arange(p.size, 0, -1) * p)[::-1])[::-1]
    return up


def _sidak(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        whole: Array = -np.expm1(p.size * np.log1p(-p))
    return whole


def _bh(p: Array) -> Array:
    up: Array = np.minimum.accumulate((p.size / np.arange(1, p.size + 1) * p)[::-1])[::-1]
    return up


def _by(p: Array) -> Array:
    harmonic = float((1.0 / np.arange(1, p.size + 1)).sum())
    return harmonic * _bh(p)


_METHODS: dict[str, Callable[[Array], Array]] = {
    "holm": _holm,
    "hochberg": _hochberg,
    "bonferroni": lambda p: p.size * p,
    "sidak": _sidak,
    "bh": _bh,
    "by": _by,
}


def holm(p_values: npt.ArrayLike) -> Array:
    """Holm's step-down p: familywise error.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    return adjust(p_values, "holm")


def benjamini_hochberg(p_values: npt.ArrayLike) -> Array:
    """Benjamini and Hochberg's step-up p: false discovery rate.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.04, 0.04]
    """
    return adjust(p_values, "bh")
