"""Where people stand: expected a posteriori scores, their errors, reliabilities, and how well answers fit a person.

Letters: `r` answer patterns, `i` items, `Q` points of theta, `C` categories.
"""

from __future__ import annotations

import numpy as np

from csi.measures.response.curves import Family, information, log_curves
from csi.measures.response.marginal import Marginal
from csi.moments.stack import Array, Ints


def expected_a_posteriori(posterior: Array, theta: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (r,) of theta given the answers.

    Source:
        Bock & Mislevy (1982), Applied Psychological Measurement 6, 431-444.

    Example:
        >>> mean, sd = expected_a_posteriori(np.array([[0.5, 0.5]]), np.array([-1.0, 1.0]))
        >>> mean.tolist(), sd.tolist()
        ([0.0], [1.0])
    """
    mean = posterior @ theta
    return mean, np.sqrt(np.maximum(posterior @ theta**2 - mean**2, 0))


def most_likely(found: Marginal) -> tuple[Array, Array]:
    """Modes of the posterior (r,), and standard errors 1 / sqrt(I + 1): maximum a posteriori.

    By Newton from the expected score; the posterior of these models is unimodal where slopes have one sign.
    """
    own, answer = found.own, found.patterns.answer
    theta = expected_a_posteriori(found.posterior, found.grid.theta)[0]
    error = np.ones_like(theta)
    for _ in range(30):
        slope, curve = _along(found, own, answer, theta)
        step = np.clip((slope - theta) / (curve + 1), -1, 1)
        theta, error = theta + step, 1 / np.sqrt(curve + 1)
        if np.abs(step).max(initial=0) < 1e-10:
            break
    return theta, error


def _along(found: Marginal, own: Array, answer: Ints, theta: Array) -> tuple[Array, Array]:
    """Derivative of the log-likelihood of each pattern at its theta (r,), and the information there (r,)."""
    family, h = found.shape.family, 1e-4
    given, at = answer >= 0, np.maximum(answer, 0)
    up, down = (np.take_along_axis(_by_row(family, own, theta + s), at[:, :, None], 2)[:, :, 0] for s in (h, -h))
    slope = np.where(given, (up - down) / (2 * h), 0).sum(axis=1)
    return slope, np.where(given, information(family, own, theta).T, 0).sum(axis=1)


def _by_row(family: Family, own: Array, theta: Array) -> Array:
    """(r, i, C) log-probabilities at each pattern's own theta."""
    return log_curves(family, own, theta).transpose(1, 0, 2)


def person_fit(found: Marginal, theta: Array) -> Array:
    """(r,) standardised log-likelihood lz of each pattern at its theta; strongly negative: answers out of keeping.

    (log L - E log L) / sd(log L) over the items answered, as if theta were known; with an estimated theta its spread is
    below 1.

    Source:
        Drasgow, Levine & Williams (1985), British Journal of Mathematical and Statistical Psychology 38, 67-86.
    """
    answer = found.patterns.answer
    logs = _by_row(found.shape.family, found.own, theta)
    P = np.exp(logs)
    mean = (P * logs).sum(axis=2)
    spread = (P * logs**2).sum(axis=2) - mean**2
    seen = np.take_along_axis(logs, np.maximum(answer, 0)[:, :, None], 2)[:, :, 0]
    given = answer >= 0
    total = np.where(given, spread, 0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(given, seen - mean, 0).sum(axis=1) / np.sqrt(total))


def reliabilities(found: Marginal) -> tuple[float, float]:
    """Marginal reliability E[I / (I + 1)] over the population, and empirical: var(EAP) / (var(EAP) + mean SE^2).

    Source:
        Green, Bock, Humphreys, Linn & Reckase (1984), Journal of Educational Measurement 21, 347-360;
        Bechger, Maris, Verstralen & Béguin (2003), Applied Psychological Measurement 27, 319-334.
    """
    test = information(found.shape.family, found.own, found.grid.theta).sum(axis=0)
    marginal = float(np.exp(found.grid.log_weight) @ (test / (test + 1)))
    mean, error = expected_a_posteriori(found.posterior, found.grid.theta)
    w = found.patterns.weight / found.patterns.weight.sum()
    true = float(w @ mean**2 - (w @ mean) ** 2)
    return marginal, true / (true + float(w @ error**2))
