"""BG/NBD and gamma-gamma on arrays: likelihood with its gradient, maximum, what is expected of a customer.

Source:
    Fader, Hardie & Lee (2005). "Counting your customers" the easy way. Marketing Science 24(2), 275-284.
    Fader & Hardie (2013). The gamma-gamma model of monetary value. brucehardie.com/notes/025.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv, betaln, digamma, gammaln, hyp2f1

from csi.moments.stack import Array

RIDGE = 1e-7
"""How near to 1 the parameter a may come before its formulas are evaluated beside it."""

STEP = 1e-5
"""Step of the differences of gradients that make the Hessian (of logarithms of parameters)."""

LARGEST = 700.0
"""The largest logarithm whose power is still a number."""

NODES = 400
"""Quantiles over which a forecast is averaged where its closed form leaves the range of numbers."""

FAR = 12.0
"""Logarithms of parameters beyond this are at the edge of what answers tell."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where a likelihood is highest.

    Attributes:
        values: (k,) parameters. loglik: of all customers. cov_log: (k, k) covariance of the logarithms of the
            parameters; nan where the likelihood is flat. gradient: largest absolute slope there. edge: whether a
            parameter runs away.
    """

    values: Array
    loglik: float
    cov_log: Array
    gradient: float
    edge: bool


def tabled(x: Array, value: Callable[[Array], Array]) -> Array:
    """A function of counts, evaluated once for every number up to the largest where there are fewer of these.

    Parameters:
        x: (n,) whole numbers, 0 or more. value: of an array; what it gives at numbers that do not occur is not used.

    Example:
        >>> tabled(np.array([2.0, 0.0, 2.0, 1.0]), np.sqrt).round(2).tolist()
        [1.41, 0.0, 1.41, 1.0]
    """
    top = x.max(initial=0.0)
    if top >= x.size:
        return value(x)
    found: Array = value(np.arange(top + 1.0))[x.astype(np.intp)]
    return found


def loglik(parameters: Array, x: Array, last: Array, age: Array, weights: Array) -> tuple[float, Array]:
    """Log-likelihood of BG/NBD and its gradient.

        L = G(r+x) al^r / G(r) * G(a+b) G(b+x) / (G(b) G(a+b+x)) * [(al+T)^-(r+x) + 1{x>0} a/(b+x-1) (al+tx)^-(r+x)]

    Parameters:
        parameters: (4,) r, alpha, a, b. x: (n,) repeat purchases. last: (n,) t_x, time of the last. age: (n,) T, time
            observed. weights: (n,) how many customers are like this.

    Returns:
        The log-likelihood, and (4,) its slopes.

    Example:
        >>> value, _ = loglik(np.ones(4), np.array([0.0]), np.array([0.0]), np.array([1.0]), np.ones(1))
        >>> round(value, 4)  # log of alpha / (alpha + T)
        -0.6931
    """
    r, al, a, b = parameters
    again = x > 0
    below = np.where(again, b + x - 1, 1.0)
    alive = -(r + x) * np.log(al + age)
    gone = np.where(again, np.log(a) - np.log(below) - (r + x) * np.log(al + last), -np.inf)
    both = np.logaddexp(alive, gone)
    head = tabled(x, lambda m: gammaln(r + m) + gammaln(b + m) - gammaln(a + b + m))
    head += r * np.log(al) - gammaln(r) + gammaln(a + b) - gammaln(b)
    p, q = np.exp(alive - both), np.exp(gone - both)
    buying = tabled(x, lambda m: digamma(r + m) - digamma(r))
    leaving = tabled(x, lambda m: digamma(a + b) - digamma(a + b + m))
    staying = tabled(x, lambda m: digamma(b + m) - digamma(b))
    slopes = np.array(
        [
            buying + np.log(al) - p * np.log(al + age) - q * np.log(al + last),
            r / al - (r + x) * (p / (al + age) + q / (al + last)),
            leaving + q / a,
            leaving + staying - q * again / below,
        ]
    )
    return float(weights @ (head + both)), slopes @ weights


def gamma_loglik(parameters: Array, x: Array, mean: Array, weights: Array) -> tuple[float, Array]:
    """Log-likelihood of gamma-gamma and its gradient.

        L = G(px+q) / (G(px) G(q)) * v^q m^(px-1) x^(px) / (v + m x)^(px+q)

    Parameters:
        parameters: (3,) p, q, v. x: (n,) purchases behind the mean. mean: (n,) m > 0. weights: (n,).

    Returns:
        The log-likelihood, and (3,) its slopes.

    Example:
        >>> value, _ = gamma_loglik(np.ones(3), np.array([1.0]), np.array([1.0]), np.ones(1))
        >>> round(value, 4)  # log of 1 / 4
        -1.3863
    """
    p, q, v = parameters
    sums = mean * x
    total, spent = np.log(v + sums), np.log(sums)
    value = tabled(x, lambda m: gammaln(p * m + q) - gammaln(p * m)) - gammaln(q) + q * np.log(v)
    value += p * x * spent - np.log(mean) - (p * x + q) * total
    whole = tabled(x, lambda m: digamma(p * m + q))
    slopes = np.array(
        [
            x * (whole - tabled(x, lambda m: digamma(p * m)) + spent - total),
            whole - digamma(q) + np.log(v) - total,
            q / v - (p * x + q) / (v + sums),
        ]
    )
    return float(weights @ value), slopes @ weights


def highest(value: Callable[[Array], tuple[float, Array]], starts: Array, weight: float) -> Maximum:
    """The maximum of a likelihood of positive parameters, by quasi-Newton steps in their logarithms.

    Parameters:
        value: parameters -> log-likelihood and slopes. starts: (s, k), each tried. weight: customers in all.
    """

    def of_logs(logs: Array) -> tuple[float, Array]:
        at = np.exp(np.clip(logs, -FAR - 2, FAR + 2))
        found, slopes = value(at)
        if not np.isfinite(found):
            return 1e10, np.zeros_like(logs)
        return -found / weight, -slopes * at / weight

    options = {"gtol": 1e-9, "ftol": 1e-15, "maxiter": 500}
    bounds = [(-FAR - 1, FAR + 1)] * starts.shape[1]
    tries = [minimize(of_logs, np.log(s), jac=True, method="L-BFGS-B", bounds=bounds, options=options) for s in starts]
    best = min(tries, key=lambda t: t.fun)
    logs, k = np.asarray(best.x), starts.shape[1]
    sides = [[of_logs(logs + side * STEP * row)[1] for side in (1, -1)] for row in np.eye(k)]
    bent = np.array([(up - down) / (2 * STEP) for up, down in sides]) * weight
    bent = (bent + bent.T) / 2
    proper = bool(np.isfinite(bent).all() and np.linalg.eigvalsh(bent)[0] > 0)
    cov = np.asarray(np.linalg.inv(bent) if proper else np.full((k, k), np.nan), dtype=np.float64)
    edge = bool((np.abs(logs) > FAR).any())
    return Maximum(np.exp(logs), -float(best.fun) * weight, cov, float(np.abs(of_logs(logs)[1]).max()), edge)


def alive(parameters: Array, x: Array, last: Array, age: Array) -> Array:
    """P(still a customer); 1 before the first repeat purchase, as the model has it.

    Example:
        >>> published = np.array([0.243, 4.414, 0.793, 2.426])  # CDNOW
        >>> print(alive(published, np.array([2.0]), np.array([30.43]), np.array([38.86])).round(3))
        [0.727]
    """
    r, al, a, b = parameters
    again = x > 0
    logs = np.log(a) - np.log(np.where(again, b + x - 1, 1.0)) + (r + x) * (np.log(al + age) - np.log(al + last))
    found: Array = 1 / (1 + np.exp(np.where(again, np.minimum(logs, LARGEST), -np.inf)))
    return found


def expected(parameters: Array, x: Array, last: Array, age: Array, ahead: float) -> Array:
    """Purchases expected of each customer in the next `ahead` units of time.

    Example:
        >>> published = np.array([0.243, 4.414, 0.793, 2.426])  # CDNOW: 1.226 in 39 weeks
        >>> print(expected(published, np.array([2.0]), np.array([30.43]), np.array([38.86]), 39).round(3))
        [1.226]
    """
    r, al, a, b = parameters
    a = off_one(a)
    z = ahead / (al + age + ahead)
    with np.errstate(all="ignore"):
        tail = hyp2f1(r + x, b + x, a + b + x - 1, z) * np.exp((r + x) * (np.log(al + age) - np.log(al + age + ahead)))
        each = (a + b + x - 1) / (a - 1) * (1 - tail)
    lost = ~np.isfinite(each)
    if lost.any():
        each[lost] = _summed(np.array([r, al, a, b]), x[lost], age[lost], ahead)
    found: Array = each * alive(parameters, x, last, age)
    return found


def off_one(a: float) -> float:
    """The parameter a, a little beside 1 where the closed form divides by a - 1."""
    return a + RIDGE * (1.0 if a >= 1 else -1.0) if abs(a - 1) < RIDGE else a


def _summed(parameters: Array, x: Array, age: Array, ahead: float) -> Array:
    """Purchases expected of somebody who is still a customer, over the quantiles of the chance to leave.

    E[1/p (1 - ((al+T)/(al+T+p t))^(r+x))] over p from Beta(a, b+x): where the closed form leaves the range of numbers.
    """
    r, al, a, b = parameters
    at = (np.arange(NODES) + 0.5) / NODES
    p = np.maximum(betaincinv(a, (b + x)[:, None], at), 1e-12)
    stay = np.exp(-(r + x)[:, None] * np.log1p(p * ahead / (al + age)[:, None]))
    found: Array = ((1 - stay) / p).mean(axis=1)
    return found


def expected_of_new(parameters: Array, time: Array) -> Array:
    """Repeat purchases expected of a new customer up to each time.

    Example:
        >>> print(expected_of_new(np.array([0.243, 4.414, 0.793, 2.426]), np.array([0.0, 39.0])).round(2))
        [0.  1.2]
    """
    r, al, a, b = parameters
    a = off_one(a)
    tail = hyp2f1(r, b, a + b - 1, time / (al + time)) * (al / (al + time)) ** r
    found: Array = (a + b - 1) / (a - 1) * (1 - tail) + 0.0
    return found


def expected_value(parameters: Array, x: Array, mean: Array) -> Array:
    """The mean amount expected of a customer's purchases: p (v + m x) / (p x + q - 1).

    Example:
        >>> print(expected_value(np.array([6.25, 3.74, 15.44]), np.array([0.0, 2.0]), np.array([0.0, 22.35])).round(2))
        [35.22 24.66]
    """
    p, q, v = parameters
    found: Array = p * (v + mean * x) / (p * x + q - 1)
    return found


def chances(parameters: Array, most: int, age: Array) -> Array:
    """P(x repeat purchases by an age), for 0 ... most.

        P = B(a, b+x)/B(a, b) G(r+x)/(G(r) x!) (al/(al+t))^r (t/(al+t))^x
            + 1{x>0} B(a+1, b+x-1)/B(a, b) [1 - (al/(al+t))^r sum_{j<x} G(r+j)/(G(r) j!) (t/(al+t))^j]

    Returns:
        (n, most + 1).

    Example:
        >>> print(chances(np.array([0.243, 4.414, 0.793, 2.426]), 60, np.array([39.0])).sum().round(2))
        1.0
    """
    r, al, a, b = parameters
    x = np.arange(most + 1)
    share = age[:, None] / (al + age[:, None])
    with np.errstate(divide="ignore"):
        counts = np.exp(gammaln(r + x) - gammaln(r) - gammaln(x + 1) + r * np.log1p(-share) + x * np.log(share))
    counts = np.where(share > 0, counts, x == 0)
    below = 1 - np.concatenate([np.zeros((len(age), 1)), np.cumsum(counts, axis=1)[:, :-1]], axis=1)
    stay = np.exp(betaln(a, b + x) - betaln(a, b))
    leave = np.where(x > 0, np.exp(betaln(a + 1, np.maximum(b + x - 1, RIDGE)) - betaln(a, b)), 0.0)
    found: Array = stay * counts + leave * below
    return found
