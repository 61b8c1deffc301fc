"""The way of a fit: prepare, minimise, judge, tell. Each function reads like a table of contents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from csi.errors import Note, Problems, capped
from csi.estimate.estimate import Convergence, Estimate
from csi.models.model import Model
from csi.models.nouns import Claim
from csi.moments.stack import Array, Moments
from csi.sem.begin import begin
from csi.sem.compiled import minimised
from csi.sem.constrained import bound_tangents, constrained, equalities
from csi.sem.constraints import Linear
from csi.sem.fiml import Incomplete
from csi.sem.fitted import Fitted, GroupFit
from csi.sem.full_information import (
    FullInformation,
    full_information,
    saturated_of,
    sources_of,
    with_given,
    with_moments,
)
from csi.sem.identification import generic_rank, notes_of_rank
from csi.sem.implied import Implied
from csi.sem.improper import beyond_of
from csi.sem.judge import Fittable, Judged, chi2_of, judge, judge_each, plain_test
from csi.sem.least_squares import LeastSquares
from csi.sem.moment_vector import ordinal_size
from csi.sem.optimise import Optimum, minimise
from csi.sem.ordinal_vectors import (
    conditioned,
    notes_of_ordinal,
    ordinal_problem,
    ordinal_replicates,
    thresholds_of,
)
from csi.sem.other_marker import heaviest_first, in_unit, like, note_of
from csi.sem.outcome import estimate_of
from csi.sem.prepare import Prepared, claim_of, prepare
from csi.sem.problem import Problem, problem_of
from csi.sem.reasons import notes_of, reasons_of
from csi.sem.second_start import agreeing, improved
from csi.sem.stand_in import blanked, hopeless, with_absent, with_stand_ins
from csi.sem.starts import ordinal_starts
from csi.sem.unusable import unusable
from csi.sem.vectors import continuous_problem

if TYPE_CHECKING:
    from csi.sem.estimator import SEM


ROUNDS = 200
"""Iterations at most."""

REPLICATE_ROUNDS = 40
"""The same for replicates: those that need more have their optimum at infinity."""


def solve(settings: SEM, model: Model, moments: Moments, *, bare: bool) -> Estimate:
    """Fit every slice of `moments`; `bare` leaves out what replicates do not need."""
    ordered = thresholds_of(settings, model, moments) if settings.ordered else ()
    prepared = prepare(settings, model, moments, ordered)
    given, gone = prepared, hopeless(prepared, settings.missing)
    if gone.all() and not bare:
        raise Problems(capped(unusable(prepared, moments.cells, settings.missing)))
    prepared = with_stand_ins(prepared, gone)
    whole = prepared
    prepared, problem, doubts = problem_for(settings, prepared, bare=bare)
    gone = with_absent(gone, problem)
    best, linears = _minimum(prepared, problem, bare=bare)
    if prepared.layout.table.rules.composites and not best.settled.all() and linears == (prepared.linear,):
        best, more = _by_other_markers(settings, claim_of(model), whole, prepared, problem, best, bare=bare)
        doubts = (*doubts, *more)
    linear = linears[0]
    theta = linear.theta(best.phi) if linear is prepared.linear else best.phi
    at = problem.implied(theta)
    beyond = beyond_of(prepared.layout, at)
    if isinstance(problem, Problem) and not bare and linear is prepared.linear and not prepared.stated:
        again = improved(prepared, problem, best, beyond, ROUNDS)
        if again is not best:
            best, theta = again, linear.theta(again.phi)
            at = problem.implied(theta)
            beyond = beyond_of(prepared.layout, at)
    counted = linear if linear is prepared.linear else equalities(prepared, theta)
    df = degrees(prepared, counted)
    rank = None if bare else generic_rank(prepared.layout, linear)
    if rank is None:
        judged = _bare(problem, best, df)
    elif len(linears) > 1:
        judged = judge_each(prepared, problem, best, linears, theta, at, df)
    else:
        judged = judge(prepared, problem, best, linear, theta, at, df, rank)
    fit = _fitted(prepared, problem, best, linears, theta, at, df, int(counted.N.shape[1]), judged)
    cause = np.where(gone > 0, gone, np.where(best.settled, 0, 3))
    convergence = Convergence(
        converged=best.settled & (cause == 0),
        iterations=best.iterations,
        change=best.drop,
        reasons={} if bare else reasons_of(given if gone.any() else prepared, best, cause),
        cause=cause,
    )
    notes = () if rank is None else (*doubts, *notes_of_rank(rank, df), *notes_of(prepared, cause, moments.cells))
    est = estimate_of(
        settings, model, moments, prepared, fit, problem.flats, convergence, beyond, bare=bare, notes=notes
    )
    return blanked(est, gone)


def problem_for(
    settings: SEM, prepared: Prepared, *, bare: bool = False
) -> tuple[Prepared, Fittable, tuple[Note, ...]]:
    """What is minimised, and what is doubtful about its moments; saturated moments stand in for incomplete ones."""
    if settings.ordered:
        prepared, given = conditioned(prepared, bare=bare)
        if bare and prepared.method.fitting != "WLS":
            return prepared, ordinal_replicates(settings, prepared), ()
        problem, found = ordinal_problem(settings, prepared)
        return prepared, problem, (*given, *notes_of_ordinal(found))
    prepared, given = with_given(prepared) if settings.missing in {"fiml", "two-stage"} else (prepared, ())
    if settings.missing == "fiml":
        full, groups, _, notes = full_information(prepared)
        return replace(prepared, groups=groups), full, (*given, *notes)
    notes = ()
    if settings.missing == "two-stage":
        _, found_, notes = sources_of(prepared)
        groups = tuple(with_moments(m, s) for m, s in zip(prepared.groups, found_, strict=True))
        prepared = replace(prepared, groups=groups)
    fitting = prepared.method.fitting
    if fitting != "ML" and fitting != "GLS":  # noqa: PLR1714 - the type checker narrows by it
        return prepared, continuous_problem(prepared), notes
    wishart = settings.likelihood == "wishart" or fitting == "GLS"
    return prepared, problem_of(prepared.layout, prepared.groups, fitting, prepared.linear, wishart=wishart), notes


def _by_other_markers(
    settings: SEM, claim: Claim, whole: Prepared, prepared: Prepared, problem: Fittable, best: Optimum, *, bare: bool
) -> tuple[Optimum, tuple[Note, ...]]:
    """The optimum with slices that settle once composites of a light first item start from the fit with a heavy one.

    Parameters:
        claim: the model as written. whole: as prepared, before `problem_for`.
    """
    lost = np.flatnonzero(~best.settled)
    turned = heaviest_first(claim, prepared, problem.theta(best.phi), lost)
    if turned is None:
        return best, ()
    other, search, _ = problem_for(settings, like(whole, turned), bare=bare)
    theta = search.theta(_minimum(other, search, bare=bare)[0].phi)
    covs = [g.cov * ((g.n - 1) / g.n)[:, None, None] for g in prepared.groups]
    weights = in_unit(prepared.layout, other.layout, theta)
    start = begin(prepared.claim, prepared.layout, covs, [g.mean for g in prepared.groups], weights)
    again, _ = _minimum(prepared, problem, bare=bare, start=start)
    mended = ~best.settled & again.settled
    if not mended.any():
        return best, ()
    out = replace(best, **{n: getattr(best, n).copy() for n in Optimum.__slots__})
    for name in Optimum.__slots__:
        getattr(out, name)[mended] = getattr(again, name)[mended]
    led = {c.name: c.items[0] for c in turned.constructs if c not in claim.constructs}
    return out, (note_of(led),)


def _minimum(
    prepared: Prepared, problem: Fittable, *, bare: bool = False, start: Array | None = None
) -> tuple[Optimum, tuple[Linear, ...]]:
    """The optimum and the tangent space of the constraints there: one for all slices, or one for each."""
    start = _start(prepared, problem) if start is None else start
    linear = prepared.linear
    if prepared.curved or (linear.bounded and not linear.plain):
        return constrained(prepared, problem, start)
    everywhere = np.full(linear.N.shape[1], np.inf)
    lower, upper = (linear.lower, linear.upper) if linear.plain else (-everywhere, everywhere)
    rounds = REPLICATE_ROUNDS if bare else ROUNDS
    unit = _unit(prepared, problem)
    plain = problem if unit is None or not isinstance(problem, LeastSquares) else problem.per(unit)
    best = None
    if isinstance(problem, Problem) and not (linear.plain and linear.bounded):
        best = minimised(problem, linear.phi(start), rounds, expected=not bare)
    if best is None:
        best = minimise(plain, linear.phi(start), lower, upper, rounds=rounds, expected=not bare)
    if unit is not None:
        F, slope, H = best.value * unit, best.gradient * unit[:, None], best.hessian * unit[:, None, None]
        best = replace(best, value=F, gradient=slope, hessian=H)
    return best, bound_tangents(prepared, best) if prepared.stated and not bare else (linear,)


def _unit(prepared: Prepared, problem: Fittable) -> Array | None:
    """(b,) unit of F where it has one: for unweighted squares, a power of 2 near the square of the mean variance.

    When a search has settled is told in drops of a log-likelihood, which has no unit.
    """
    if prepared.method.fitting != "ULS" or prepared.layout.table.rules.ordered:
        return None
    own = [np.diagonal(g.cov, axis1=1, axis2=2).mean(axis=1) for g in prepared.groups]
    squared = np.sum([w * v**2 for w, v in zip(problem.share.T, own, strict=True)], axis=0)
    usable = np.isfinite(squared) & (squared > 0)
    return np.asarray(np.exp2(np.round(np.log2(np.where(usable, squared, 1.0)))))


def _start(prepared: Prepared, problem: Fittable) -> Array:
    """(b, k) start values."""
    if isinstance(problem, LeastSquares) and prepared.layout.table.rules.ordered:
        return ordinal_starts(prepared.layout, [v.s for v in problem.vectors], prepared.groups)
    covs = [g.cov * ((g.n - 1) / g.n)[:, None, None] for g in prepared.groups]
    means = [g.mean for g in prepared.groups]
    found = begin(prepared.claim, prepared.layout, covs, means)
    if isinstance(problem, FullInformation) and prepared.layout.table.rules.growth:
        return agreeing(prepared.layout, covs, means, found)
    return found


def degrees(prepared: Prepared, linear: Linear) -> int:
    """Degrees of freedom: moments less working parameters; moments of exogenous observed variables do not count."""
    table, rules = prepared.layout.table, prepared.layout.table.rules
    p, x = len(table.observed), len(table.exogenous)
    each = p * (p + 1) // 2 - x * (x + 1) // 2
    if rules.ordered:
        each = ordinal_size(table)
    elif prepared.layout.means:
        each += p - x
    return each * table.count - int(linear.N.shape[1])


def _bare(problem: Fittable, best: Optimum, df: int) -> Judged:
    """No standard errors: replicates need none."""
    none = np.empty((len(best.value), 0, 0))
    return Judged(none, none, plain_test(chi2_of(problem, best), df), None)


def _fitted(
    prepared: Prepared,
    problem: Fittable,
    best: Optimum,
    linears: tuple[Linear, ...],
    theta: Array,
    at: tuple[Implied, ...],
    df: int,
    npar: int,
    judged: Judged,
) -> Fitted:
    """Everything the measures read."""
    groups = tuple(_group(prepared, problem, g, at[g]) for g in range(len(at)))
    loglik, saturated = _logliks(prepared, problem, best)
    return Fitted(
        layout=prepared.layout,
        linear=linears[0],
        theta=theta,
        value=best.value,
        total=problem.total,
        df=df,
        npar=npar,
        groups=groups,
        information=judged.information,
        vcov=judged.vcov,
        fitting="FIML" if isinstance(problem, FullInformation) else prepared.method.fitting,
        test=judged.test,
        scaled=judged.scaled,
        loglik=loglik,
        saturated=saturated,
        flats=problem.flats,
        method=prepared.method,
        gradient=best.drop,
        tangents=linears if len(linears) > 1 else (),
    )


def _group(prepared: Prepared, problem: Fittable, g: int, at: Implied) -> GroupFit:
    """One group."""
    moments = prepared.groups[g]
    names = prepared.layout.table.rules.groups
    if isinstance(problem, Problem):
        cov, mean, vector = problem.targets[g].cov, problem.targets[g].mean, None
    else:
        vector = problem.vectors[g] if isinstance(problem, LeastSquares) else None
        cov, mean = moments.cov * ((moments.n - 1) / moments.n)[:, None, None], moments.mean
    return GroupFit(
        name=names[g] if names else "",
        n=moments.n,
        share=problem.share[:, g],
        count=problem.counts[:, g],
        cov=cov,
        mean=mean,
        at=at,
        vector=vector,
        moments=moments,
    )


def _logliks(prepared: Prepared, problem: Fittable, best: Optimum) -> tuple[Array, Array]:
    """(b,) log-likelihood of the model and of the unrestricted one; NaN where there is no likelihood."""
    if isinstance(problem, FullInformation):
        unrestricted = -0.5 * problem.base - _of_exogenous(prepared, problem)
        return unrestricted - 0.5 * problem.total * best.value, unrestricted
    saturated = np.zeros(len(best.value))
    if not isinstance(problem, Problem) or prepared.method.fitting != "ML":
        return saturated * np.nan, saturated * np.nan
    x = [prepared.layout.table.observed.index(n) for n in prepared.layout.table.exogenous]
    for g, target in enumerate(problem.targets):
        n = prepared.groups[g].n
        p = target.cov.shape[1]
        saturated += -0.5 * n * (p * np.log(2 * np.pi) + target.constant)
        if x:
            logdet = np.linalg.slogdet(target.cov[:, x][:, :, x])[1]
            saturated += 0.5 * n * (len(x) * np.log(2 * np.pi) + logdet + len(x))
    n = np.asarray(sum(group.n for group in prepared.groups))
    return saturated - 0.5 * n * best.value, saturated


def _of_exogenous(prepared: Prepared, problem: FullInformation) -> Array:
    """(b,) log-likelihood of the exogenous observed variables alone, which the model takes as given."""
    names = prepared.layout.table.exogenous
    total = np.zeros(len(problem.base))
    for group in prepared.groups if names else ():
        part = group.of_items(names)
        if part.rows is not None:
            total += saturated_of(Incomplete.of(part.rows)).loglik
    return total
