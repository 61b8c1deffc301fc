"""What the numbers of a solution say about it: variances, latent correlations, paths, collinearity, eigenvalues.

Letters: `q` latent variables, `t` rows of the table, `k` free parameters, `s` a slice of the stack, `g` a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from csi.measures.residuals import unpacked
from csi.measures.validity import htmt, vif
from csi.moments.stack import Array
from csi.sem.fitted import Fitted
from csi.sem.implied import Values, implied, matrices
from csi.sem.layout import Layout
from csi.sem.moment_vector import plans_of
from csi.sem.standardise import row_values, standardised, standardised_jacobian

STEP = 1e-20
NEGATIVE = -1e-6
"""A variance below this share of its variable's variance, or an eigenvalue of a correlation matrix below it, is < 0."""

NOTHING = 1e-14
"""An eigenvalue below this share of the largest is 0: linear constraints make the estimates exactly dependent."""

Z95 = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one slice.

    Attributes:
        value, std_error: (t,) unstandardised, delta method for derived rows, 0 for what is fixed.
        std, std_std_error: (t,) completely standardised, NaN where a variance is negative.
    """

    value: Array
    std_error: Array
    std: Array
    std_std_error: Array


@dataclass(frozen=True, slots=True)
class Pair:
    """Two latent variables: their correlation with its standard error, and HTMT (NaN where it is not defined)."""

    one: str
    other: str
    value: float
    std_error: float
    htmt: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the correlation, by the delta method."""
        return self.value - Z95 * self.std_error, self.value + Z95 * self.std_error


@dataclass(frozen=True, slots=True)
class Equation:
    """The free paths of one outcome.

    Attributes:
        outcome: its name; latent: whether it is a latent variable with a free disturbance. rows: table rows.
        predictors, std, std_error, vif: one per row. r2: explained share of the outcome's variance.
        pair: the two predictors that correlate most, and r: their correlation (NaN for one predictor).
    """

    outcome: str
    latent: bool
    rows: tuple[int, ...]
    predictors: tuple[str, ...]
    std: Array
    std_error: Array
    vif: Array
    r2: float
    pair: tuple[str, str]
    r: float


@dataclass(frozen=True, slots=True)
class Lowest:
    """The smallest eigenvalue of a correlation matrix and the variables its vector is made of."""

    value: float
    names: tuple[str, ...]


def rows_of(fit: Fitted, s: int) -> Rows:
    """Values and delta-method errors of every row of slice `s`."""
    theta, flats, V = fit.theta[s : s + 1], _flats(fit, s), fit.vcov[s]
    k = theta.shape[1]
    with np.errstate(all="ignore"):
        value = row_values(fit.layout, flats, theta)[0]
        moved = theta + 1j * STEP * np.eye(k)
        wide = tuple(np.broadcast_to(f, (k, f.shape[1])) for f in flats)
        J = row_values(fit.layout, wide, moved).imag.T / STEP
        std = standardised(fit.layout, flats, theta)[0]
        Js = standardised_jacobian(fit.layout, flats, theta)[0]
        return Rows(value, delta(J, V), std, delta(Js, V))


def delta(J: Array, V: Array) -> Array:
    """Standard errors of functions with jacobian (t, k) of estimates with covariances (k, k).

    A function of identified parameters alone keeps its error where others have none.

    Example:
        >>> delta(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[4.0, np.nan], [np.nan, np.nan]])).tolist()
        [2.0, nan]
    """
    blind = np.isnan(np.diagonal(V))
    touched = (np.abs(np.nan_to_num(J[:, blind])) > 0).any(axis=1)
    inner = np.where(blind[:, None] | blind, 0.0, V)
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.einsum("tk,kl,tl->t", J, inner, J))
    return np.where(touched, np.nan, se)


def _flats(fit: Fitted, s: int) -> tuple[Array, ...]:
    """The fixed values of one slice."""
    return tuple(f[s : s + 1] for f in fit.flats)


def units_of(fit: Fitted, s: int) -> Array:
    """(k,) unit of every free parameter: what it is measured in, made of the standard deviations of its variables.

    Of a parameter that stands in several rows, the smallest.
    """
    out = np.full(fit.theta.shape[1], np.inf)
    sd = [_deviations(fit, s, g) for g in range(len(fit.groups))]
    for row, at in zip(fit.layout.table.rows, fit.layout.table.index, strict=True):
        if at >= 0:
            out[at] = min(out[at], _unit(sd[row.group], row.lhs, row.op, row.rhs))
    return np.where(np.isfinite(out) & (out > 0), out, 1.0)


def _deviations(fit: Fitted, s: int, g: int) -> dict[str, float]:
    """Implied standard deviations of the latent and observed variables of a group."""
    block, at = fit.layout.blocks[g], fit.groups[g].at
    own = dict(zip(block.latent, np.diagonal(at.Phi[s]).tolist(), strict=True))
    own |= dict(zip(block.observed, np.diagonal(at.Sigma[s]).tolist(), strict=True))
    return {name: float(np.sqrt(abs(v))) for name, v in own.items()}


def _unit(sd: dict[str, float], lhs: str, op: str, rhs: str) -> float:
    """The unit of one row."""
    if op == "~~":
        return sd[lhs] * sd[rhs]
    if op == "~1":
        return sd[lhs]
    if op in {"=~", "~"}:
        up, down = (rhs, lhs) if op == "=~" else (lhs, rhs)
        return sd[up] / sd[down] if sd[down] > 0 else np.inf
    return 1.0


def latent_cor(fit: Fitted, s: int, g: int) -> tuple[Array, Array]:
    """(q, q) correlations of the latent variables of a group, and their delta-method errors."""
    theta, V = fit.theta[s : s + 1], fit.vcov[s]
    k = theta.shape[1]
    q = fit.layout.blocks[g].q
    with np.errstate(all="ignore"):
        R = _cor(fit, s, g, theta)[0]
        J = _cor(fit, s, g, theta + 1j * STEP * np.eye(k)).imag / STEP
        return R, delta(J.reshape(k, q * q).T, V).reshape(q, q)


def _cor(fit: Fitted, s: int, g: int, theta: Values) -> Values:
    """(b, q, q) correlations at any theta."""
    block = fit.layout.blocks[g]
    flat = np.broadcast_to(fit.flats[g][s], (len(theta), block.size))
    Phi = implied(block, matrices(block, flat, theta)).Phi[:, : block.q, : block.q]
    sd = np.sqrt(np.einsum("bii->bi", Phi))
    return np.asarray(Phi / (sd[:, :, None] * sd[:, None, :]))


@lru_cache(maxsize=64)
def blocks_of(layout: Layout) -> dict[str, tuple[str, ...]]:
    """Items of each latent variable that measure nothing else; latent variables that share items are left out.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.layout import layout_of
        >>> from csi.sem.table import Rules, table_of
        >>> blocks_of(layout_of(table_of(parse_claim("f =~ a + b; g =~ b + c; h =~ d + e"), Rules())))
        {'h': ('d', 'e')}
    """
    home: dict[str, set[str]] = {}
    for row in layout.table.rows:
        if row.op == "=~":
            home.setdefault(row.rhs, set()).add(row.lhs)
    out = {}
    for name in layout.table.latent:
        items = [i for i, owners in home.items() if name in owners]
        if items and all(i in layout.table.observed and len(home[i]) == 1 for i in items):
            out[name] = tuple(items)
    return out


def correlations_of(cov: Array) -> Array:
    """(p, p) correlations of covariances; NaN beside a variance of 0.

    Example:
        >>> correlations_of(np.array([[4.0, 1.0], [1.0, 1.0]])).tolist()
        [[1.0, 0.5], [0.5, 1.0]]
    """
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.diagonal(cov))
        return np.asarray(cov / np.outer(sd, sd))


def response_cor(fit: Fitted, s: int, g: int) -> Array:
    """(p, p) correlations of the sample: of latent responses where items are ordinal and fitted as such, given what
    the model is conditional on (whose own are left at 0).
    """
    vector, plan = fit.groups[g].vector, plans_of(fit.layout)[g]
    if vector is None or not plan.any_ordinal:
        return correlations_of(fit.groups[g].cov[s])
    out = np.eye(len(plan.ordinal))
    out[np.ix_(plan.kept, plan.kept)] = correlations_of(unpacked(vector.s[s : s + 1], plan, diagonal=1.0).cov[0])
    return out


def pairs_of(fit: Fitted, s: int, g: int) -> list[Pair]:
    """Every pair of latent variables with items of their own, one of them with several."""
    names = fit.layout.blocks[g].latent[: fit.layout.blocks[g].q]
    blocks = blocks_of(fit.layout)
    R, se = latent_cor(fit, s, g)
    ratio = _htmt(fit, s, g, blocks)
    out = []
    for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
        one, other = names[i], names[j]
        if one in blocks and other in blocks and max(len(blocks[one]), len(blocks[other])) > 1:
            out.append(Pair(one, other, float(R[i, j]), float(se[i, j]), ratio.get((one, other), np.nan)))
    return out


def _htmt(fit: Fitted, s: int, g: int, blocks: dict[str, tuple[str, ...]]) -> dict[tuple[str, str], float]:
    """HTMT of every pair of `blocks`."""
    observed = fit.layout.blocks[g].observed
    member = np.array([[float(i in items) for items in blocks.values()] for i in observed])
    with np.errstate(all="ignore"):
        H = htmt(correlations_of(fit.groups[g].cov[s]), member) if blocks else np.empty((0, 0))
    names = list(blocks)
    return {(a, b): float(H[i, j]) for i, a in enumerate(names) for j, b in enumerate(names)}


def lowest(matrix: Array, names: tuple[str, ...]) -> Lowest:
    """The smallest eigenvalue of a covariance matrix, on the scale of its correlations.

    Example:
        >>> found = lowest(np.array([[1.0, 1.5], [1.5, 1.0]]), ("f", "g"))
        >>> round(found.value, 6), found.names
        (-0.5, ('f', 'g'))
    """
    own = np.abs(np.diagonal(matrix))
    if not len(names) or not np.isfinite(matrix).all() or not (own > 0).all():
        return Lowest(np.nan, ())
    sd = np.sqrt(own)
    values, vectors = np.linalg.eigh(matrix / np.outer(sd, sd))
    weight = np.abs(vectors[:, 0])
    order = [int(i) for i in np.argsort(-weight) if weight[i] > 0.3][:5]
    return Lowest(float(values[0]), tuple(names[i] for i in sorted(order)))


def latent_lowest(fit: Fitted, s: int, g: int) -> Lowest:
    """The smallest eigenvalue of the correlations of the latent variables."""
    block = fit.layout.blocks[g]
    return lowest(fit.groups[g].at.Phi[s, : block.q, : block.q], block.latent[: block.q])


def residual_lowest(fit: Fitted, rows: Rows, g: int) -> Lowest:
    """The smallest eigenvalue of the correlations of the residuals that have covariances."""
    table = fit.layout.table
    at = {n: i for i, n in enumerate(table.observed)}
    Theta = np.zeros((len(at), len(at)))
    for number, row in enumerate(table.rows):
        if row.op == "~~" and row.group == g and row.lhs in at and row.rhs in at:
            i, j = at[row.lhs], at[row.rhs]
            Theta[i, j] = Theta[j, i] = rows.value[number]
    tied = [i for i in range(len(at)) if (np.delete(Theta[i], i) != 0).any() and Theta[i, i] > 0]
    return lowest(Theta[np.ix_(tied, tied)], tuple(table.observed[i] for i in tied))


def equations_of(fit: Fitted, rows: Rows, s: int, g: int) -> list[Equation]:
    """The free paths of every outcome of a group."""
    table, block = fit.layout.table, fit.layout.blocks[g]
    at = {n: i for i, n in enumerate(block.latent)}
    Phi = fit.groups[g].at.Phi[s]
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.diagonal(Phi))
        R = Phi / np.outer(sd, sd)
    found: dict[str, list[int]] = {}
    disturbed = {}
    for number, row in enumerate(table.rows):
        if row.group == g and row.op == "~":
            found.setdefault(row.lhs, []).append(number)
        if row.group == g and row.op == "~~" and row.lhs == row.rhs and row.free:
            disturbed[row.lhs] = rows.value[number]
    out = []
    for outcome, numbers in found.items():
        free = [i for i, n in enumerate(numbers) if table.rows[n].free]
        if not free:
            continue
        x = [at[table.rows[n].rhs] for n in numbers]
        part = R[np.ix_(x, x)]
        inflation = np.ones(len(x)) if len(x) == 1 else np.abs(vif(part[None])[0])
        latent = outcome in table.latent and outcome in disturbed
        r2 = 1 - disturbed[outcome] / Phi[at[outcome], at[outcome]] if latent else np.nan
        pair, r = _closest(part, [table.rows[n].rhs for n in numbers])
        chosen = tuple(numbers[i] for i in free)
        out.append(
            Equation(
                outcome=outcome,
                latent=latent,
                rows=chosen,
                predictors=tuple(table.rows[n].rhs for n in chosen),
                std=rows.std[list(chosen)],
                std_error=rows.std_std_error[list(chosen)],
                vif=inflation[free],
                r2=float(r2),
                pair=pair,
                r=r,
            )
        )
    return out


def _closest(R: Array, names: list[str]) -> tuple[tuple[str, str], float]:
    """The two variables that correlate most."""
    if len(names) < 2:
        return (names[0], names[0]), np.nan
    size = np.nan_to_num(np.abs(np.triu(R, 1)))
    i, j = np.unravel_index(int(size.argmax()), size.shape)
    return (names[int(i)], names[int(j)]), float(R[i, j])


def condition(V: Array) -> tuple[float, Array]:
    """Condition number of the correlations of the estimates (largest by smallest eigenvalue), and the vector of the
    smallest: which estimates nearly determine each other.

    Example:
        >>> round(condition(np.array([[1.0, 0.99], [0.99, 1.0]]))[0])
        199
    """
    own = np.diagonal(V)
    keep = np.flatnonzero(np.isfinite(own) & (own > 0))
    flat = np.zeros(len(own))
    if not keep.size:
        return 1.0, flat
    sd = np.sqrt(own[keep])
    values, vectors = np.linalg.eigh(V[np.ix_(keep, keep)] / np.outer(sd, sd))
    first = int(np.argmax(values > NOTHING * values[-1]))
    flat[keep] = vectors[:, first]
    return float(values[-1] / values[first]), flat
