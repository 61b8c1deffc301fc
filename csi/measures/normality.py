"""Tests of composite normality: is a variable far enough from normal?"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from csi.moments.stack import Array


def lilliefors(x: Array) -> tuple[float, float]:
    """Kolmogorov's distance to the fitted normal, and its p-value.

    D = max_i max(i/n - F(z_(i)), F(z_(i)) - (i - 1)/n), z standardised by mean and sd of the sample.

    Source:
        Lilliefors (1967); p below .1 by Dallal & Wilkinson (1986), American Statistician 40, 294-296, above by
        Stephens (1974), as tabled in Thode (2002), Testing for Normality, section 5.1.1.
    Agrees: R nortest 1.0-4 (lillie.test) to 1e-10 (tests/measures).

    Example:
        >>> D, p = lilliefors(np.arange(1.0, 21.0))
        >>> round(D, 4), p > 0.5
        (0.0766, True)
    """
    n = len(x)
    F = ndtr(_standard(x))
    i = np.arange(1, n + 1)
    D = float(max((i / n - F).max(), (F - (i - 1) / n).max()))
    K, m = (D, n) if n <= 100 else (D * (n / 100) ** 0.49, 100)
    root = m + 2.78019
    tail = float(
        np.exp(-7.01256 * K**2 * root + 2.99587 * K * np.sqrt(root) - 0.122119 + 0.974598 / np.sqrt(m) + 1.67997 / m)
    )
    return D, tail if tail <= 0.1 else _stephens((np.sqrt(n) - 0.01 + 0.85 / np.sqrt(n)) * D)


_STEPHENS = (
    (0.302, (1.0,)),
    (0.5, (2.76773, -19.828315, 80.709644, -138.55152, 81.218052)),
    (0.9, (-4.901232, 40.662806, -97.490286, 94.029866, -32.355711)),
    (1.31, (6.198765, -19.558097, 23.186922, -12.234627, 2.423045)),
)
"""Upper end of each stretch of the modified statistic, and the polynomial of its p-value."""


def _stephens(K: float) -> float:
    """p-value of the modified Kolmogorov statistic."""
    for end, polynomial in _STEPHENS:
        if end >= K:
            return float(sum(c * K**j for j, c in enumerate(polynomial)))
    return 0.0


def cramer_von_mises(x: Array) -> tuple[float, float]:
    """W2 = 1/(12 n) + sum_i (F(z_(i)) - (2 i - 1)/(2 n))^2 against the fitted normal, and its p-value.

    Source:
        Stephens (1986) in D'Agostino & Stephens, Goodness-of-fit techniques, table 4.9.
    Agrees: R nortest 1.0-4 (cvm.test) to 1e-10 (tests/measures).

    Example:
        >>> W2, p = cramer_von_mises(np.arange(1.0, 21.0))
        >>> round(W2, 4), p > 0.5
        (0.029, True)
    """
    n = len(x)
    F = ndtr(_standard(x))
    W2 = float(1 / (12 * n) + ((F - (2 * np.arange(1, n + 1) - 1) / (2 * n)) ** 2).sum())
    W = (1 + 0.5 / n) * W2
    if W < 0.0275:
        p = 1 - np.exp(-13.953 + 775.5 * W - 12542.61 * W**2)
    elif W < 0.051:
        p = 1 - np.exp(-5.903 + 179.546 * W - 1515.29 * W**2)
    elif W < 0.092:
        p = np.exp(0.886 - 31.62 * W + 10.897 * W**2)
    else:
        p = np.exp(1.111 - 34.242 * W + 12.832 * W**2) if W < 1.1 else 7.37e-10
    return W2, float(p)


def _standard(x: Array) -> Array:
    """Sorted z-values."""
    ordered = np.sort(x)
    return np.asarray((ordered - ordered.mean()) / ordered.std(ddof=1), dtype=np.float64)
