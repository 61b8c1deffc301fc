"""How large the residuals are: RMR, SRMR, CRMR and GFI on stacks of moments of one group.

Letters: `b` slices, `p` items, `M` moments; S, m observed and Sigma, mu implied covariances and means.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array

Flags = npt.NDArray[np.bool_]


def bentler(S: Array, m: Array, Sigma: Array, mu: Array) -> tuple[Array, Array]:
    """(S - Sigma) / (s_i s_j) and (m - mu) / s_i with the observed standard deviations.

    Source:
        Bentler (1995), EQS manual, p. 271 (SRMR is their root mean square).
    """
    s = np.sqrt(np.einsum("bii->bi", S))
    return (S - Sigma) / (s[:, :, None] * s[:, None, :]), (m - mu) / s


def bollen(S: Array, m: Array, Sigma: Array, mu: Array) -> tuple[Array, Array]:
    """Correlations minus implied correlations; m / s - mu / sigma.

    Source:
        Bollen (1989), Structural equations with latent variables, p. 258.
    """
    s, sigma = np.sqrt(np.einsum("bii->bi", S)), np.sqrt(np.einsum("bii->bi", Sigma))
    implied = Sigma / (sigma[:, :, None] * sigma[:, None, :])
    return S / (s[:, :, None] * s[:, None, :]) - implied, m / s - mu / sigma


def residual_sizes(S: Array, m: Array, Sigma: Array, mu: Array, *, means: bool) -> dict[str, Array]:
    """RMR, SRMR (Bentler), CRMR and SRMR (Mplus) of one group, each with and without the means.

    CRMR: residual correlations without their diagonal, means as in `bentler`. Mplus: residual correlations,
    (s_ii - sigma_ii) / s_ii on the diagonal, means as in `bollen`.

    Parameters:
        S, Sigma: (b, p, p). m, mu: (b, p). means: whether the model has a mean structure.

    Returns:
        name -> (b,).

    Source:
        Bentler (1995), EQS manual; Bollen (1989); Maydeu-Olivares (2017), SEM 24; Asparouhov & Muthén (2018), SRMR in
        Mplus.

    Example:
        >>> S, Sigma = np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.array([[[1.0, 0.2], [0.2, 1.0]]])
        >>> sizes = residual_sizes(S, np.zeros((1, 2)), Sigma, np.zeros((1, 2)), means=False)
        >>> sizes["srmr_bentler"].round(4).item(), sizes["crmr"].round(4).item()
        (0.1732, 0.3)
    """
    return sizes_of(squares(S, m, Sigma, mu), S.shape[1], means=means)


def squares(S: Array, m: Array, Sigma: Array, mu: Array) -> Array:
    """(b, 7) sums of squares of one group's residuals over the lower triangle.

    Raw, standardised, the diagonal of those; correlations off the diagonal; means raw, standardised, each mean by its
    own standard deviation.
    """
    standard, level = bentler(S, m, Sigma, mu)
    cor, own_level = bollen(S, m, Sigma, mu)
    diagonal = (np.einsum("bii->bi", standard) ** 2).sum(axis=1)
    levels = [(x**2).sum(axis=1) for x in (m - mu, level, own_level)]
    return np.stack([_triangle(S - Sigma), _triangle(standard), diagonal, _triangle(cor), *levels], axis=1)


def sizes_of(sums: Array, p: int, *, means: bool) -> dict[str, Array]:
    """Root mean squares of the sums (b, 7) of `squares` for p items."""
    raw, standard, diagonal, cor, mean, level, own_level = sums.T
    cells, off = p * (p + 1) // 2, p * (p - 1) // 2
    parts = {
        "rmr": (raw, cells, mean),
        "srmr_bentler": (standard, cells, level),
        "crmr": (cor, off, level),
        "srmr_mplus": (cor + diagonal, cells, own_level),
    }
    return roots(parts, p, means=means)


def roots(sums: Mapping[str, tuple[Array, int, Array]], levels: int, *, means: bool) -> dict[str, Array]:
    """Root mean squares from sums of squares, with and without the means.

    Parameters:
        sums: name -> sum over covariances (b,), how many they are, sum over means (b,). levels: how many means.
    """
    found = {}
    for name, (cov, cells, mean) in sums.items():
        bare = np.sqrt(cov / max(cells, 1))
        found[name] = np.sqrt((cov + mean) / (cells + levels)) if means else bare
        found[f"{name}_nomean"] = bare
    return found


def _triangle(residual: Array) -> Array:
    """(b,) sum of squares over the lower triangle with its diagonal."""
    square = residual**2
    return np.asarray(0.5 * (square.sum(axis=(1, 2)) + np.einsum("bii->b", square)))


def gfi_parts(e: Array, s: Array, weight: Array) -> tuple[Array, Array]:
    """Sums e'We and s'Ws, (b,) each; GFI = 1 - e'We / s'Ws.

    Parameters:
        e: (b, M) residuals. s: (b, M) sample moments. weight: (b, M, M), or (b, M) where it is diagonal.

    Source:
        Jöreskog & Sörbom (1984), LISREL VI; Tanaka & Huba (1985), British J. of Math. and Stat. Psychology 38, eq. 5.
    """
    if weight.ndim == 2:
        return (e * e * weight).sum(axis=1), (s * s * weight).sum(axis=1)
    return np.einsum("bi,bij,bj->b", e, weight, e), np.einsum("bi,bij,bj->b", s, weight, s)


def gfi_normal(
    S: Array, m: Array, Sigma: Array, mu: Array, W: Array, exogenous: Flags, *, means: bool
) -> tuple[Array, Array]:
    """`gfi_parts` of normal theory without its (M, M) weight: tr[(W R)^2] / 2 + d'Wd, R = S - Sigma, d = m - mu.

    Parameters:
        W: (b, p, p) the inverse of Sigma (ML) or of S (GLS). exogenous: (p,) items whose moments are not modelled.
    """
    parts = []
    drop = exogenous[:, None] & exogenous
    for cov, mean in ((S - Sigma, m - mu), (S, m)):
        WR = W @ np.where(drop, 0.0, cov)
        level = np.where(exogenous, 0.0, mean)
        value = 0.5 * np.einsum("bij,bji->b", WR, WR)
        parts.append(value + np.einsum("bi,bij,bj->b", level, W, level) if means else value)
    return parts[0], parts[1]


def adjusted(gfi: Array, moments: int, df: float) -> tuple[Array, Array]:
    """AGFI = 1 - (moments / df) (1 - GFI), GFI itself without degrees of freedom; PGFI = (df / moments) GFI.

    Source:
        Jöreskog & Sörbom (1984); Mulaik et al. (1989), Psychological Bulletin 105.
    """
    return gfi if df <= 0 else 1 - moments / df * (1 - gfi), df / moments * gfi
