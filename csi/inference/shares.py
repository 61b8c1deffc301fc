"""Shares of respondents with intervals that follow the design and stay between 0 and 1.

Wilson's interval with the effective number of answers n_e = p (1 - p) / var(p), var by linearisation, at the point of
t with the design's degrees of freedom; where everybody or nobody has the mark n_e is Kish's (sum w)^2 / sum w^2.

Source:
    Wilson (1927), JASA 22, 209-212; Korn & Graubard (1998), Survey Methodology 24, 193-201 (effective number);
    Brown, Cai & DasGupta (2001), Statistical Science 16, 101-133.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.inference.linearised import Design, critical, means
from csi.moments.stack import Array, Ints


def shares(
    mark: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_], design: Design | tuple[Array, Ints, Ints], level: float
) -> tuple[Array, Array, Array]:
    """(m,) shares of the rows seen that have a mark, and their bounds.

    Parameters:
        mark, seen: (n, m). design: weights and units of the rows, strata of the units.

    Example:
        >>> mark = np.arange(20)[:, None] < 5
        >>> alone = np.ones(20), np.arange(20), np.zeros(20, dtype=np.int64)
        >>> [round(float(v[0]), 3) for v in shares(mark, mark | True, alone, 0.95)]
        [0.25, 0.106, 0.484]
    """
    found = means(np.where(seen, mark.astype(np.float64), np.nan), *design)
    p, n = found.mean, found.n
    w = design[0][:, None] * seen
    with np.errstate(divide="ignore", invalid="ignore"):
        kish = w.sum(axis=0) ** 2 / (w**2).sum(axis=0)
        error = found.std_error * np.sqrt((n - 1) / n)
        size = np.where(error > 0, p * (1 - p) / error**2, kish)
    return (p, *wilson(p, size, critical(level, found.df)))


def wilson(p: Array, n: Array, z: Array) -> tuple[Array, Array]:
    """Bounds of shares p of n answers at the point z.

    Example:
        >>> [round(float(b), 4) for b in wilson(np.array(0.1), np.array(50.0), np.array(1.959964))]
        [0.0435, 0.2136]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = 1 + z**2 / n
        centre = (p + z**2 / (2 * n)) / whole
        reach = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / whole
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)
