"""Standard errors and the test of exact fit, for every estimator.

Letters: `b` slices, `k` parameters, `r` working parameters, `g` groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from csi.moments.fourth import deviations, gamma
from csi.moments.stack import Array, Ints
from csi.sem.constrained import unspread
from csi.sem.constraints import Linear
from csi.sem.fitted import Test
from csi.sem.full_information import FullInformation, meat, saturated_pieces, sources_of
from csi.sem.identification import Rank, blanked, determined, generic_rank
from csi.sem.implied import Implied, jacobian
from csi.sem.least_squares import LeastSquares
from csi.sem.moment_vector import modelled, plans_of, vector_jacobian
from csi.sem.normal import informed, inverse
from csi.sem.optimise import Optimum
from csi.sem.prepare import Prepared
from csi.sem.problem import Problem, group_sizes
from csi.sem.robust import (
    Pieces,
    casewise_scores,
    clustered,
    cross_product,
    normal_weight,
    observed_weight,
    residual_traces,
    sandwich,
    saturated_trace,
    scaled_test,
    yuan_bentler,
)
from csi.sem.vectors import needs_rows, normal_gammas

Fittable = Problem | LeastSquares | FullInformation
"""What can be minimised."""

SANDWICHES = {"robust.sem", "two.stage", "robust.two.stage"}
"""Standard errors from jacobians, weights and Gamma."""

TRACED = {"satorra.bentler", "mean.var.adjusted", "scaled.shifted"}
"""Tests scaled by tr(U Gamma)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """information, vcov: (b, k, k). test: of exact fit. scaled: its scaled form."""

    information: Array
    vcov: Array
    test: Test
    scaled: Test | None


@dataclass(frozen=True, slots=True)
class _Case:
    """A fit to be judged: what was fitted, where it ended, and what rows say about its variance.

    Attributes:
        N: (k, r) directions along the constraints, or (b, k, r) where the model is not identified. bread: (b, r, r)
            inverse information. gammas: per group and slice (M, M), or None. sizes: (b, g) rows of each group.
    """

    prepared: Prepared
    problem: Fittable
    at: tuple[Implied, ...]
    theta: Array
    chi2: Array
    df: int
    N: Array
    bread: Array
    gammas: list[list[Array]] | None
    sizes: Array

    def directions(self, s: int) -> Array:
        """(k, r) N of slice `s`."""
        return self.N if self.N.ndim == 2 else np.asarray(self.N[s])


def plain_test(chi2: Array, df: int) -> Test:
    """The chi-square test."""
    one = np.ones_like(chi2)
    p = chdtrc(df, np.maximum(chi2, 0)) if df > 0 else np.full_like(chi2, np.nan)
    return Test("standard", chi2, df * one, p, one, 0 * one)


def chi2_of(problem: Fittable, best: Optimum) -> Array:
    """(b,) chi2: N F, with each group's own multiplier where there are several."""
    return problem.total * best.value if len(problem.layout.blocks) == 1 else problem.chi2(best.phi)


def judge(
    prepared: Prepared,
    problem: Fittable,
    best: Optimum,
    linear: Linear,
    theta: Array,
    at: tuple[Implied, ...],
    df: int,
    rank: Rank | None = None,
) -> Judged:
    """Standard errors and tests of a fit; no standard errors for parameters that are not identified.

    Parameters:
        linear: tangent space of the constraints. theta: (b, k). at: implied moments of each group. rank: what the
            moments determine; None: looked up.
    """
    method, N = prepared.method, linear.N
    rank = rank or generic_rank(prepared.layout, linear)
    chi2 = chi2_of(problem, best)
    information = inside = 0.5 * _hessian(prepared, problem, best, linear)
    if not rank.identified:
        R = determined(information, rank.rank)
        N, inside = linear.N @ R, R.swapaxes(1, 2) @ information @ R
    bread = inverse(inside)
    test = plain_test(chi2, df)
    if not method.robust:
        whole = bread if linear.plain and rank.identified else N @ bread @ N.swapaxes(-1, -2)
        vcov = whole / problem.total[:, None, None]
        return Judged(information, blanked(vcov, rank.at), test, None)
    case = _Case(
        prepared, problem, at, theta, chi2, df, N, bread, _gammas(prepared, problem), group_sizes(prepared.groups)
    )
    found = [_robust(case, s, tested=rank.identified) for s in range(len(theta))]
    tests = [t for _, t in found if t is not None]
    vcov = blanked(np.stack([v for v, _ in found]), rank.at)
    return Judged(information, vcov, test, _stacked(tests) if tests else None)


def judge_each(
    prepared: Prepared,
    problem: Fittable,
    best: Optimum,
    linears: Sequence[Linear],
    theta: Array,
    at: tuple[Implied, ...],
    df: int,
) -> Judged:
    """`judge` where constraints bind differently from slice to slice; the information is told in theta (b, k, k)."""
    parts = []
    for s, linear in enumerate(linears):
        alone = replace(prepared, groups=tuple(group.of_slice(s) for group in prepared.groups))
        own = Optimum(*(getattr(best, n)[s : s + 1] for n in Optimum.__slots__))
        here = tuple(_slice(one, s) for one in at)
        parts.append(judge(alone, problem.take(np.array([s])), own, linear, theta[s : s + 1], here, df))
    spread = [lin.N @ p.information[0] @ lin.N.T for lin, p in zip(linears, parts, strict=True)]
    scaled = [p.scaled for p in parts if p.scaled is not None]
    return Judged(
        np.stack(spread),
        np.concatenate([p.vcov for p in parts]),
        _stacked([p.test for p in parts]),
        _stacked(scaled) if len(scaled) == len(parts) else None,
    )


def _gammas(prepared: Prepared, problem: Fittable) -> list[list[Array]] | None:
    """Asymptotic covariances of the sample moments where the weight vector does not carry them."""
    method = prepared.method
    if method.se in {"two.stage", "robust.two.stage"}:
        return _two_stage_gammas(prepared, robust=method.se == "robust.two.stage")
    if isinstance(problem, Problem) and (method.se == "robust.sem" or method.test in TRACED):
        return normal_gammas(prepared, means=prepared.layout.means)
    return None


def _robust(case: _Case, s: int, *, tested: bool) -> tuple[Array, Test | None]:
    """Covariance of the estimates and, where `tested`, the scaled test of slice `s`."""
    method, N = case.prepared.method, case.directions(s)
    total, chi2 = float(case.problem.total[s]), float(case.chi2[s])
    pieces = _pieces(case, s) if method.se in SANDWICHES or method.test in TRACED else []
    scores = method.se in {"robust.huber.white", "first.order"} or method.test.startswith("yuan")
    B = N.T @ _meat(case, s) @ N if scores else np.empty((0, 0))
    inner = case.bread[s]
    if method.se in SANDWICHES:
        E, middle = sandwich(pieces, N)
        one = inverse(E[None])[0]
        inner = one @ middle @ one
    elif method.se == "first.order":
        inner = inverse(B[None])[0]
    elif method.se == "robust.huber.white":
        inner = inner @ B @ inner
    vcov: Array = N @ inner @ N.T / total
    if not tested:
        return vcov, None
    if method.test in TRACED:
        return vcov, scaled_test(method.test, chi2, case.df, *residual_traces(pieces, N))
    return vcov, _yuan(case, s, B) if method.test.startswith("yuan") else None


def _hessian(prepared: Prepared, problem: Fittable, best: Optimum, linear: Linear) -> Array:
    """(b, r, r) Hessian of F along the constraints, groups weighed by their rows."""
    exact = prepared.method.information == "observed"
    curved = linear is not problem.linear
    weighed = len(problem.layout.blocks) > 1 and not np.array_equal(problem.share, problem.informing)
    if not (exact or weighed):
        return np.asarray(linear.N.T @ best.hessian @ linear.N) if curved else best.hessian
    whole = unspread(problem, problem.layout.count) if curved else problem
    if weighed and not isinstance(whole, FullInformation):
        whole = replace(whole, share=whole.informing)
    H = whole.evaluate(best.phi, exact=exact)[2]
    return np.asarray(linear.N.T @ H @ linear.N) if curved else H


def _pieces(case: _Case, s: int) -> list[Pieces]:
    """Jacobian, weight, Gamma and share of every group for slice `s`."""
    problem, layout = case.problem, case.prepared.layout
    out = []
    for g in range(len(layout.blocks)):
        one, share = _slice(case.at[g], s), float(problem.informing[s, g])
        if isinstance(problem, LeastSquares):
            sample = problem.vectors[g]
            D = vector_jacobian(layout, g, plans_of(layout)[g], one, case.theta[s : s + 1])[0]
            G = np.empty((0, 0)) if sample.gamma is None else sample.gamma[s]
            out.append(Pieces(D, sample.weight[s], G, share))
        elif case.gammas is not None:
            weight = normal_weight(_weighing(case, g, s), means=layout.means)
            out.append(Pieces(entries_jacobian(layout.count, case, g, one), weight, case.gammas[g][s], share))
    return out


def entries_jacobian(count: int, case: _Case, g: int, one: Implied) -> Array:
    """(M, k) derivatives of [mu,] vech(Sigma) by the parameters for one slice."""
    block = case.prepared.layout.blocks[g]
    raw = jacobian(block, one, means=case.prepared.layout.means)[0]
    D = np.zeros((count, raw.shape[0]))
    np.add.at(D, block.entries.parameter, raw.T)
    return np.asarray(D.T)


def _weighing(case: _Case, g: int, s: int) -> Array:
    """The covariance matrix whose normal theory weighs: implied (ML), sample (GLS, two-stage), identity (ULS)."""
    target = case.problem.targets[g] if isinstance(case.problem, Problem) else None
    if target is not None and target.weight is not None:
        return np.asarray(np.linalg.inv(target.weight[s]))
    if target is not None and "two.stage" in case.prepared.method.se:
        return np.asarray(target.cov[s])
    return np.asarray(case.at[g].Sigma[s])


def _slice(at: Implied, s: int) -> Implied:
    """One slice of implied moments."""
    return Implied(*(getattr(at, n)[s : s + 1] for n in Implied.__slots__))


def _two_stage_gammas(prepared: Prepared, *, robust: bool) -> list[list[Array]]:
    """Asymptotic covariance of the saturated moments of incomplete rows: inverse information, or sandwich.

    Source:
        Savalei & Bentler (2009), Structural Equation Modeling 16; Savalei & Falk (2014) for the robust form.
    """
    sources, _, _ = sources_of(prepared)
    kept = modelled(prepared.layout)
    inside = np.ix_(kept, kept)

    def one(g: int, s: int) -> Array:
        A1, B1 = saturated_pieces(prepared, sources, prepared.groups, s, g)
        out = np.zeros_like(A1)
        inner = inverse(A1[inside][None])[0]
        out[inside] = inner @ B1[inside] @ inner if robust else inner
        return out

    return [[one(g, s) for s in range(len(group.n))] for g, group in enumerate(prepared.groups)]


def _meat(case: _Case, s: int) -> Array:
    """(k, k) mean cross-product of the casewise scores, over the rows: the multiplier of "wishart" is N - g."""
    prepared, problem = case.prepared, case.problem
    if isinstance(problem, FullInformation):
        return meat(prepared, problem, case.at, s)
    layout = prepared.layout
    B = np.zeros((layout.count, layout.count))
    for g, block in enumerate(layout.blocks):
        rows, w, units = _rows(case, g, s)
        centre = case.at[g].mu[s] if layout.means else w @ rows / w.sum()
        raw = casewise_scores(block, case.at[g], rows, means=layout.means, centre=centre, s=s)
        own = block.entries.parameter
        np.add.at(B, (own[:, None], own), cross_product(raw, w, units))
    return np.asarray(B / case.sizes[s].sum())


def _rows(case: _Case, g: int, s: int) -> tuple[Array, Array, Ints]:
    """Rows behind a slice without those of weight 0, weights that sum to the group's size, units."""
    group = case.prepared.groups[g]
    if group.rows is None:
        raise needs_rows("a robust estimator", "稳健估计")
    rows, weights, units = group.rows.of(s)
    keep = weights > 0
    size = float(case.sizes[s, g])
    return rows[keep], weights[keep] * (size / weights.sum()), units[keep]


def _yuan(case: _Case, s: int, B: Array) -> Test:
    """The Yuan-Bentler test of slice `s`."""
    count = len(modelled(case.prepared.layout)) * len(case.prepared.groups)
    rows_free = sum(at >= 0 for at in case.prepared.layout.table.index)
    name, chi2 = case.prepared.method.test, float(case.chi2[s])
    if name == "yuan.bentler" and isinstance(case.problem, Problem):
        h1, h0 = _projected_traces(case, case.problem, s)
    else:
        h0 = float(np.trace(case.bread[s] @ B))
        h1 = sum(_saturated_trace(case, g, s) for g in range(len(case.prepared.groups)))
    test = yuan_bentler(name, chi2, case.df, h1, h0, count, rows_free)
    if name == "yuan.bentler.mplus":
        return test
    return replace(test, traces={**test.traces, **_printed_traces(case, s, B, count, rows_free)})


def _printed_traces(case: _Case, s: int, B: Array, count: int, rows_free: int) -> dict[str, Array]:
    """The traces that lavaan prints beside the Yuan-Bentler test: those of the sandwiches, not projected."""
    bread = case.bread[s]
    if isinstance(case.problem, Problem):
        one = case.problem.take(np.array([s]))
        phi = one.linear.phi(case.theta[s : s + 1])
        bread = inverse(0.5 * one.evaluate(phi, exact=True, curved=False)[2])[0]
    h0 = float(np.trace(bread @ B))
    h1 = sum(_saturated_trace(case, g, s) for g in range(len(case.prepared.groups)))
    named = {
        "h1": h1,
        "h0": h0,
        "h1_factor": h1 / count,
        "h0_factor": h0 / rows_free if rows_free else np.nan,
    }
    return {name: np.array([float(value)]) for name, value in named.items()}


def _projected_traces(case: _Case, problem: Problem, s: int) -> tuple[float, float]:
    """tr(A Gamma) and tr(D'A Gamma A D (D'AD)^-1), A the unrestricted model's observed information at Sigma(theta).

    Source:
        Yuan & Bentler (2000), Sociological Methodology 30, eq. 17.
    """
    layout, N = case.prepared.layout, case.directions(s)
    r = N.shape[1]
    whole, E, middle = 0.0, np.zeros((r, r)), np.zeros((r, r))
    for g in range(len(case.prepared.groups)):
        rows, w, _ = _rows(case, g, s)
        G = gamma(rows, w, means=layout.means, given=layout.table.given)
        target = problem.targets[g]
        A = observed_weight(case.at[g].Sigma[s], target.cov[s], means=layout.means)
        D = entries_jacobian(layout.count, case, g, _slice(case.at[g], s)) @ N
        AD, share = A @ D, float(problem.informing[s, g])
        whole += float(np.trace(A @ G))
        E += share * D.T @ AD
        middle += share * AD.T @ G @ AD
    return whole, float(np.trace(middle @ inverse(E[None])[0]))


def _saturated_trace(case: _Case, g: int, s: int) -> float:
    """tr(B1 A1^-1) of the unrestricted model of one group, without the moments of exogenous observed variables."""
    prepared, problem = case.prepared, case.problem
    kept = modelled(prepared.layout)
    inside = np.ix_(kept, kept)
    if isinstance(problem, FullInformation):
        observed = prepared.method.information != "expected"
        A1, B1 = saturated_pieces(prepared, problem.sources, prepared.groups, s, g, observed=observed)
    elif isinstance(problem, Problem):
        rows, w, units = _rows(case, g, s)
        if not prepared.layout.table.given and not clustered(units):
            return saturated_trace(rows, w, problem.targets[g].cov[s], means=prepared.layout.means)
        A1 = normal_weight(problem.targets[g].cov[s], means=prepared.layout.means)
        z, _ = deviations(rows, w, means=prepared.layout.means)
        B1 = cross_product(z @ A1, w, units) / w.sum()
    else:
        return float("nan")
    return float(np.trace(informed(A1[inside]) @ B1[inside]))


def _stacked(tests: Sequence[Test]) -> Test:
    """Tests of single slices as one."""
    first = tests[0]

    def joined(name: str) -> Array:
        return np.concatenate([getattr(t, name) for t in tests])

    return Test(
        first.name,
        joined("statistic"),
        joined("df"),
        joined("p_value"),
        joined("factor"),
        joined("shift"),
        {n: np.concatenate([t.traces[n] for t in tests]) for n in first.traces},
    )
