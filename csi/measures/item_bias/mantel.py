"""Mantel-Haenszel statistics of two groups over matching scores, and the generalised one of several.

The first group is the reference, the second the focal group.

Letters: `i` items, `s` scores, `g` groups, `C` categories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtrc

from csi.moments.stack import Array, Ints

DELTA: Final = -2.35
"""ETS delta of a log odds ratio."""


@dataclass(frozen=True, slots=True)
class Mantel:
    """Of each item (i,): chi2, p (df 1); smd, its error and in standard deviations; odds_ratio; delta and its error of
    items with two categories (NaN of others); matched: rows in strata that hold both groups.
    """

    chi2: Array
    p: Array
    smd: Array
    smd_error: Array
    smd_standardised: Array
    odds_ratio: Array
    delta: Array
    delta_error: Array
    matched: Ints


def mantel(counts: Array, value: Array, categories: Ints) -> Mantel:
    """Mantel's test of means over strata; of two categories that of Mantel and Haenszel with its continuity correction.

    Parameters:
        counts: (i, s, 2, C). value: (i, C). categories: (i,).

    Source:
        Mantel & Haenszel (1959), JNCI 22, 719-748; Mantel (1963), JASA 58, 690-700; Dorans & Schmitt (1991), ETS
        RR-91-47 (standardised mean difference); Zwick & Thayer (1996), Journal of Educational and Behavioral Statistics
        21, 187-201 (its error); Liu & Agresti (1996), Biometrics 52, 1223-1234 (common cumulative odds ratio).

    Example:
        >>> told = mantel(np.array([[[[10.0, 20.0], [20.0, 10.0]]]]), np.array([[0.0, 1.0]]), np.array([2]))
        >>> told.odds_ratio.tolist(), told.delta.round(3).tolist(), told.chi2.round(4).tolist()
        ([4.0], [-3.258], [5.31])
    """
    both = (counts.sum(axis=3) > 0).all(axis=2)
    kept = counts * both[:, :, None, None]
    n = kept.sum(axis=3)
    N = n.sum(axis=2)
    total = kept.sum(axis=2)
    y = value[:, None, :]
    first, second = (total * y).sum(axis=2), (total * y**2).sum(axis=2)
    safe = np.maximum(N, 1)
    spread = n[:, :, 0] * n[:, :, 1] * (N * second - first**2) / (safe**2 * np.maximum(N - 1, 1))
    focal = (kept[:, :, 1] * y).sum(axis=2)
    gap = (focal - n[:, :, 1] * first / safe).sum(axis=1)
    less = np.where(categories == 2, 0.5, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        chi2 = np.maximum(np.abs(gap) - less, 0) ** 2 / spread.sum(axis=1)
        smd, error, standard = _mean_difference(kept, y, n, spread)
        relative = np.where(standard > 0, smd / standard, np.nan)
    delta, delta_error = _delta(kept, N, categories)
    return Mantel(
        chi2,
        chdtrc(1, chi2),
        smd,
        error,
        relative,
        _odds_ratio(kept, safe),
        delta,
        delta_error,
        N.sum(axis=1).astype(np.int64),
    )


def _mean_difference(kept: Array, y: Array, n: Array, spread: Array) -> tuple[Array, Array, Array]:
    """Focal less reference means over strata weighed by the focal group, its error, and the spread within groups."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (kept * y[:, :, None]).sum(axis=3) / np.maximum(n, 1)
        weight = n[:, :, 1] / n[:, :, 1].sum(axis=1, keepdims=True)
        smd = (weight * (mean[:, :, 1] - mean[:, :, 0])).sum(axis=1)
        per = np.where(n.min(axis=2)[:, :, None] > 0, 1 / np.maximum(n, 1), 0).sum(axis=2)
        error = np.sqrt((weight**2 * per**2 * spread).sum(axis=1))
        whole = kept.sum(axis=1)
        size = whole.sum(axis=2)
        middle = (whole * y).sum(axis=2) / size
        square = (whole * y**2).sum(axis=2) - size * middle**2
        return smd, error, np.sqrt(square.sum(axis=1) / (size.sum(axis=1) - 2))


def _odds_ratio(kept: Array, N: Array) -> Array:
    """Liu and Agresti's common odds of the reference group, against the focal one, to answer higher."""
    above = kept[..., ::-1].cumsum(axis=3)[..., ::-1][..., 1:]
    below = kept.sum(axis=3, keepdims=True) - above
    top = (above[:, :, 0] * below[:, :, 1] / N[:, :, None]).sum(axis=(1, 2))
    down = (below[:, :, 0] * above[:, :, 1] / N[:, :, None]).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(top / down)


def _delta(kept: Array, N: Array, categories: Ints) -> tuple[Array, Array]:
    """ETS delta -2.35 log(alpha) and its error.

    Source:
        Phillips & Holland (1987), Biometrics 43, 425-431; Robins, Breslow & Greenland (1986), Biometrics 42, 311-323.
    """
    two, safe = categories == 2, np.maximum(N, 1)
    if kept.shape[3] < 2:
        return np.full(len(kept), np.nan), np.full(len(kept), np.nan)
    b, a = kept[:, :, 0, 0], kept[:, :, 0, 1]
    d, c = kept[:, :, 1, 0], kept[:, :, 1, 1]
    P, Q, R, S = (a + d) / safe, (b + c) / safe, a * d / safe, b * c / safe
    r, s = R.sum(axis=1), S.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (P * R).sum(1) / (2 * r**2) + (P * S + Q * R).sum(1) / (2 * r * s) + (Q * S).sum(1) / (2 * s**2)
        delta = DELTA * np.log(r / s)
        error = -DELTA * np.sqrt(spread)
    known = two & np.isfinite(delta) & np.isfinite(error)
    return np.where(known, delta, np.nan), np.where(known, error, np.nan)


def classes(found: Mantel, categories: Ints, alpha: float = 0.05) -> list[str]:
    """ETS classes: A, B, C of items with two categories, AA, BB, CC of others; "" where there is no test.

    A: |delta| below 1 or not significant; C: |delta| at least 1.5 and significantly above 1 (one-sided); B: the rest.
    AA: |smd| / sd at most .17 or not significant; CC: above .25; BB: between.

    Source:
        Zwick (2012), ETS RR-12-08; Zwick, Thayer & Mazzeo (1997), GRE Board Report 93-10P; Allen, Carlson & Zelenak
        (1999), The NAEP 1996 technical report (.17 and .25).
    """
    told = []
    for i, C in enumerate(categories):
        size = abs(found.delta[i] if C == 2 else found.smd_standardised[i])
        if not np.isfinite(found.p[i]) or not np.isfinite(size):
            told.append("")
        elif C == 2:
            sure = (size - 1) / found.delta_error[i] > 1.6448536269514722
            told.append("A" if found.p[i] >= alpha or size < 1 else "C" if size >= 1.5 and sure else "B")
        else:
            told.append("AA" if found.p[i] >= alpha or size <= 0.17 else "CC" if size > 0.25 else "BB")
    return told


def generalised(counts: Array) -> tuple[Array, Ints, Array]:
    """Generalised Mantel-Haenszel chi-square of groups by unordered categories over strata: chi2, df, p (i,).

    Parameters:
        counts: (i, s, g, C).

    Source:
        Landis, Heyman & Koch (1978), International Statistical Review 46, 237-254; Somes (1986), The American
        Statistician 40, 106-108.
    """
    chi2, df = np.full(len(counts), np.nan), np.zeros(len(counts), np.int64)
    for i, table in enumerate(counts):
        used = table.sum(axis=(0, 1)) > 0
        kept = table[:, :, used]
        N = kept.sum(axis=(1, 2))
        kept, N = kept[N > 1], N[N > 1]
        row, column = kept.sum(axis=2), kept.sum(axis=1)
        gap = (kept - row[:, :, None] * column[:, None, :] / N[:, None, None]).sum(axis=0)[:-1, :-1]
        of_rows = _hyper(row, N)[:, :-1, :-1]
        of_columns = _hyper(column, N)[:, :-1, :-1] / (N**2 * (N - 1))[:, None, None]
        spread = np.einsum("sab,scd->acbd", of_rows, of_columns).reshape(gap.size, gap.size)
        if gap.size and np.linalg.matrix_rank(spread) == gap.size:
            chi2[i], df[i] = gap.ravel() @ np.linalg.solve(spread, gap.ravel()), gap.size
    return chi2, df, chdtrc(np.maximum(df, 1), chi2)


def _hyper(margin: Array, N: Array) -> Array:
    """(s, m, m) N diag(margin) - margin margin'."""
    return np.asarray(
        N[:, None, None] * margin[:, :, None] * np.eye(margin.shape[1]) - margin[:, :, None] * margin[:, None]
    )
