"""What a composite model says the correlations of its items are, and how far that is from those observed.

Letters: `p` items, `q` constructs, `b` slices of a stack.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.estimate.estimate import Solution
from csi.measures.blocks import correlations, item_cov, membership
from csi.moments.stack import Array, Moments

Flags = npt.NDArray[np.bool_]

TEN = float(np.log(10.0))
"""d_G is measured in logarithms of base 10, as ADANCO and cSEM print it."""


def factors(solution: Solution) -> Flags:
    """(q,) True where a construct is a common factor, that is where its correlations are disattenuated."""
    if solution.rho is None:
        return np.zeros(len(solution.constructs), dtype=bool)
    found: Flags = (solution.rho != 1.0).any(axis=0)
    return found


def structural_cor(cor: Array, paths: Array, r2: Array) -> Array:
    """Construct correlations that the paths imply: (I - B)^-1 Psi (I - B)^-T.

    Psi holds the correlations of the exogenous constructs and 1 - R2 of the others. Where paths are left out the
    variances of later constructs are therefore not exactly 1; cSEM and ADANCO leave them so, and so do we.

    Parameters:
        cor: (b, q, q) construct correlations. paths: (b, q, q) [outcome, predictor]. r2: (b, q), NaN for exogenous.

    Returns:
        (b, q, q).

    Source:
        Bollen (1989), Structural Equations with Latent Variables, eq. 4.13.

    Example:
        >>> cor = np.array([[[1.0, 0.5, 0.4], [0.5, 1.0, 0.6], [0.4, 0.6, 1.0]]])
        >>> paths = np.array([[[0.0, 0, 0], [0.5, 0, 0], [0, 0.6, 0]]])
        >>> structural_cor(cor, paths, np.array([[np.nan, 0.25, 0.36]])).round(6)[0, 2].tolist()
        [0.3, 0.6, 1.0]
    """
    q = cor.shape[-1]
    endogenous: Flags = np.asarray(np.isfinite(r2).any(axis=0))
    outside = ~endogenous[:, None] & ~endogenous
    Psi = np.where(outside, cor, 0.0)
    Psi[:, np.arange(q), np.arange(q)] = np.where(endogenous, 1.0 - r2, 1.0)
    total = np.linalg.inv(np.eye(q) - paths)
    return np.asarray(total @ Psi @ total.swapaxes(1, 2), dtype=np.float64)


def implied_cor(S: Array, loadings: Array, block: npt.NDArray[np.int64], cor: Array, factor: Flags) -> Array:
    """Item correlations that a measurement model implies: lambda_i r_jk lambda_k between blocks.

    Within the block of a composite the observed correlations stand, for a composite claims nothing about them; within
    the block of a factor they are lambda_i lambda_k: its variance is 1 there whatever the paths imply, as in ADANCO.

    Parameters:
        S: (b, p, p) observed. loadings: (b, p). block: (p,). cor: (b, q, q) of the constructs. factor: (q,).

    Returns:
        (b, p, p), 1 on the diagonal.

    Source:
        Dijkstra & Henseler (2015), Computational Statistics & Data Analysis 81, 3.2; Henseler et al. (2014),
        Organizational Research Methods 17(2).
    """
    own = block[:, None] == block
    Sigma = loadings[:, :, None] * np.where(own, 1.0, cor[:, block[:, None], block]) * loadings[:, None, :]
    Sigma = np.where(own & ~factor[block], S, Sigma)
    at = np.arange(len(block))
    Sigma[:, at, at] = 1.0
    return Sigma


def fitted_cor(moments: Moments, solution: Solution, *, saturated: bool) -> tuple[Array, Array]:
    """Observed and implied item correlations, (b, p, p) each.

    Parameters:
        saturated: constructs correlate freely; otherwise as the paths imply.
    """
    S = correlations(item_cov(moments, solution.items))
    cor = solution.construct_cor
    if not saturated:
        cor = structural_cor(cor, solution.paths, solution.r2)
    if solution.higher:
        cor = through_wholes(cor, solution)
    return S, implied_cor(S, solution.loadings, solution.block, cor, factors(solution))


def through_wholes(cor: Array, solution: Solution) -> Array:
    """Construct correlations with those of components as their higher-order constructs imply them.

    A component correlates with what is outside its whole by its loading times the whole's correlation, and with its
    sisters by the product of the loadings where the whole is a factor; a composite claims nothing about these.

    Parameters:
        cor: (b, q, q) of all constructs; the rows of components are replaced.

    Returns:
        (b, q, q).
    """
    found, names = cor.copy(), solution.constructs
    k = np.arange(len(names))
    for whole in sorted(solution.higher, key=lambda name: -_height(solution, name)):
        w = names.index(whole)
        at = {names.index(p): m for m, (one, p) in enumerate(solution.parts) if one == whole and p in names}
        loading = np.stack([_loading(solution, m) for m in at.values()], axis=1)
        parts = np.array(list(at))
        found[:, parts, :] = loading[:, :, None] * found[:, [w], :]
        found[:, :, parts] = found[:, parts, :].swapaxes(1, 2)
        factor = solution.rho is not None and bool((solution.rho[:, w] != 1.0).any()) and solution.modes[w] == "A"
        own = loading[:, :, None] * loading[:, None, :] if factor else solution.construct_cor[:, parts[:, None], parts]
        found[:, parts[:, None], parts] = own
        found[:, k, k] = cor[:, k, k]
    return found


def _loading(solution: Solution, m: int) -> Array:
    """(b,) loading of one part."""
    return np.full(len(solution.paths), np.nan) if solution.part_loadings is None else solution.part_loadings[:, m]


def _height(solution: Solution, name: str) -> int:
    """0 for a construct of items, else one more than its highest component."""
    below = [p for w, p in solution.parts if w == name and p in solution.constructs]
    return 1 + max(_height(solution, p) for p in below) if below else 0


def srmr(S: Array, Sigma: Array) -> Array:
    """(b,) root mean square of the residual correlations on and below the diagonal.

    Source:
        Hu & Bentler (1999); Henseler et al. (2014).

    Example:
        >>> srmr(np.eye(2)[None], np.array([[[1.0, 0.3], [0.3, 1.0]]])).round(6).tolist()
        [0.173205]
    """
    p = S.shape[-1]
    i, j = np.tril_indices(p)
    return np.asarray(np.sqrt(((S - Sigma)[:, i, j] ** 2).mean(axis=1)), dtype=np.float64)


def d_uls(S: Array, Sigma: Array) -> Array:
    """(b,) squared Euclidean distance: half the sum of squared residual correlations.

    Source:
        Dijkstra & Henseler (2015), eq. 13.

    Example:
        >>> d_uls(np.eye(2)[None], np.array([[[1.0, 0.3], [0.3, 1.0]]])).round(6).tolist()
        [0.09]
    """
    return np.asarray(0.5 * ((S - Sigma) ** 2).sum(axis=(1, 2)), dtype=np.float64)


def d_g(S: Array, Sigma: Array) -> Array:
    """(b,) geodesic distance: half the sum of squared logarithms (base 10) of the eigenvalues of S^-1 Sigma.

    With natural logarithms it is ln(10)^2 = 5.3019 times as large; its bootstrap test is the same. NaN where a matrix
    is not positive definite.

    Source:
        Dijkstra & Henseler (2015), eq. 14; base 10 as in ADANCO 2.2 and cSEM 0.6.

    Example:
        >>> d_g(np.eye(2)[None], np.diag([10.0, 1.0])[None]).tolist()
        [0.5]
    """
    values = relative_eigenvalues(S, Sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(np.where(values > 0, values, np.nan)) / TEN
    return np.asarray(0.5 * (logs**2).sum(axis=1), dtype=np.float64)


def d_ml(S: Array, Sigma: Array) -> Array:
    """(b,) discrepancy of maximum likelihood: ln|Sigma| - ln|S| + tr(S Sigma^-1) - p; NaN where not definite.

    Source:
        Jöreskog (1967), Psychometrika 32(4).

    Example:
        >>> d_ml(np.eye(2)[None], np.array([[[1.0, 0.6], [0.6, 1.0]]])).round(6).tolist()
        [0.678713]
    """
    values = relative_eigenvalues(S, Sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = np.where(values > 0, values, np.nan)
        return np.asarray((np.log(kept) + 1.0 / kept - 1.0).sum(axis=1), dtype=np.float64)


def relative_eigenvalues(S: Array, Sigma: Array) -> Array:
    """(b, p) eigenvalues of S^-1 Sigma; NaN where S is not positive definite or something is not finite."""
    found = np.full(S.shape[:2], np.nan)
    usable = np.flatnonzero(np.isfinite(S).all(axis=(1, 2)) & np.isfinite(Sigma).all(axis=(1, 2)))
    values, vectors = np.linalg.eigh(S[usable])
    definite = values.min(axis=1, initial=np.inf) > SINGULAR
    root = vectors[definite] / np.sqrt(values[definite])[:, None, :]
    found[usable[definite]] = np.linalg.eigvalsh(root.swapaxes(1, 2) @ Sigma[usable[definite]] @ root)
    return found


SINGULAR = 1e-10
"""A correlation matrix with a smaller eigenvalue is singular: more items than rows, or items that repeat."""


def rms_theta(moments: Moments, solution: Solution) -> Array:
    """(b,) root mean square of the covariances of the outer residuals, below the diagonal.

    Theta = S - S W Lambda' - Lambda W' S + Lambda C Lambda' with the construct correlations C. Within the block of a
    composite residuals are correlated by construction; those covariances are left out, as in cSEM.

    Source:
        Lohmöller (1989), Latent Variable Path Modeling with Partial Least Squares, eq. 2.118; Henseler et al. (2014).
    """
    S = correlations(item_cov(moments, solution.items))
    block, factor = solution.block, factors(solution)
    member = membership(block, len(solution.constructs))
    weights = solution.loadings if solution.weights is None else solution.weights
    toward = (S @ (weights[:, :, None] * member))[:, :, block] * solution.loadings[:, None, :]
    cor = solution.construct_cor[:, block[:, None], block]
    between = solution.loadings[:, :, None] * cor * solution.loadings[:, None]
    Theta = S - toward - toward.swapaxes(1, 2) + between
    i, j = np.tril_indices(len(block), -1)
    counted = (block[i] != block[j]) | factor[block[i]]
    with np.errstate(invalid="ignore"):
        squares = Theta[:, i[counted], j[counted]] ** 2
        return np.asarray(np.sqrt(squares.mean(axis=1)) if counted.any() else np.full(len(S), np.nan), np.float64)


def gfi(S: Array, Sigma: Array) -> Array:
    """(b,) goodness of fit of maximum likelihood: 1 - tr (Sigma^-1 S - I)^2 / tr (Sigma^-1 S)^2.

    cSEM squares the elements of Sigma^-1 S instead of the matrix, which is not invariant and gives smaller values.

    Source:
        Jöreskog & Sörbom (1981), LISREL V; Tanaka & Huba (1985).
    """
    values = 1.0 / relative_eigenvalues(S, Sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - ((values - 1) ** 2).sum(axis=1) / (values**2).sum(axis=1), dtype=np.float64)


def log_determinant(S: Array) -> Array:
    """(b,) ln |S|; NaN where S is not positive definite."""
    values = 1.0 / relative_eigenvalues(S, np.broadcast_to(np.eye(S.shape[-1]), S.shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(np.where(values > 0, values, np.nan)).sum(axis=1), dtype=np.float64)
