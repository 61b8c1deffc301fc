"""The way of a fit by latent moderated structural equations: linear model, search, errors, table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
from scipy.special import chdtrc

from csi.errors import Problem, Problems, note, problem, reason
from csi.estimate.estimate import Convergence, Estimate
from csi.estimate.later import known
from csi.models.model import Model
from csi.moments.stack import Array, Moments
from csi.sem.clusters import cluster_notes
from csi.sem.fitted import fitted
from csi.sem.implied import matrices, template
from csi.sem.lms import Data, Terms, given, information, log_likelihood, marginal, nodes_of, precision, row_scores
from csi.sem.lms_table import Maximum, Task, errors_of, rows_of, solution_of, standardised_of, values_of
from csi.sem.method import METHODS
from csi.sem.outcome import normal_columns, undefined
from csi.sem.prepare import Prepared, prepare
from csi.sem.solve import solve

if TYPE_CHECKING:
    from csi.sem.estimator import SEM


@dataclass(frozen=True, slots=True)
class Moderated:
    """What an LMS fit knows beyond its estimate (`est.extra["lms"]`).

    Attributes:
        loglik: (b,) log-likelihood; linear: (b,) that of the model without products. terms: number of products.
        npar: free parameters. statistic, p_value: (b,) likelihood-ratio test of all products. vcov: (b, k, k).
        names: of the k parameters.
    """

    loglik: Array
    linear: Array
    terms: int
    npar: int
    statistic: Array
    p_value: Array
    vcov: Array
    names: tuple[str, ...]

    @property
    def aic(self) -> Array:
        """(b,) Akaike's criterion."""
        return 2 * self.npar - 2 * self.loglik


def solve_lms(settings: SEM, model: Model, moments: Moments, *, bare: bool) -> Estimate:
    """Fit every slice of `moments`, one after the other.

    Parameters:
        model: linear paths and paths from products of two latents, one of them exogenous. bare: no standard errors.

    Raises:
        Problems: what LMS cannot fit, all problems at once.
    """
    found = list(_problems(settings, model, moments))
    if found:
        raise Problems(found)
    plain = _without_products(model)
    base = replace(settings, meanstructure=True, interaction="double-mean-centred", information="expected")
    start = solve(base, plain, moments, bare=False)
    prepared = prepare(base, plain, moments)
    task = _task(model, prepared)
    fits = [_slice(settings, task, start, s, bare=bare) for s in range(len(moments.n))]
    return _estimate(settings, model, moments, task, start, fits, bare=bare)


def _without_products(model: Model) -> Model:
    """The linear part of a model."""
    products = {c.name for c in model.constructs if c.product_of}
    return replace(
        model,
        constructs=tuple(c for c in model.constructs if c.name not in products),
        paths=tuple(p for p in model.paths if p.predictor.name not in products),
        defined=(),
    )


def _problems(settings: SEM, model: Model, moments: Moments) -> Iterator[Problem]:
    """What LMS cannot fit."""
    do, do_zh = 'Use interaction="double-mean-centred".', '请改用 interaction="double-mean-centred"。'
    if moments.rows is None and not moments.parts:
        en, zh = "LMS needs the rows, and there are moments alone.", "LMS 需要原始数据行，而只有矩。"
        remedy = ("Fit it from a panel or a frame.", "请用面板或数据框拟合。")
        yield problem("E-ROWS", "data", en, zh, *remedy)
    doubts = {
        ("groups", "groups", "分组"): bool(moments.parts),
        ("ordinal items", "ordered", "有序题项"): bool(settings.ordered),
        ("constraints", "model", "约束"): bool(model.constraints) or settings.bounds is not None,
        ("composites", "model", "合成变量"): any(c.operator == "<~" and c.indicators for c in model.constructs),
        ("absent answers", "missing", "缺失回答"): settings.missing != "listwise",
        (f"the estimator {settings.estimator}", "estimator", f"估计方法 {settings.estimator}"): (
            settings.estimator not in {None, "ML", "MLR"}
        ),
    }
    for (en, where, zh), there in doubts.items():
        if there:
            yield problem("E-INTERACTION", where, f"LMS does not go with {en}.", f"LMS 不支持{zh}。", do, do_zh)
    moderators = set(_moderators(model))
    if len(moderators) > 3:
        en, zh = f"{len(moderators)} moderators are too many for LMS.", f"{len(moderators)} 个调节变量对 LMS 而言过多。"
        yield problem("E-INTERACTION", "model", en, zh, do, do_zh)
    for c in model.constructs:
        if not c.product_of:
            continue
        latent = all(n in model.names and model[n].indicators for n in c.product_of)
        if len(c.product_of) != 2 or not latent or not moderators & set(c.product_of):
            en = "LMS takes products of two latents, at least one of them exogenous."
            zh = "LMS 只支持两个潜变量的乘积，且至少一个为外生。"
            yield problem("E-INTERACTION", f'interaction "{c.name}"', en, zh, do, do_zh)
        for path in (p for p in model.paths if p.predictor.name == c.name):
            linear = any(p.outcome == path.outcome and p.predictor.name != c.name for p in model.paths)
            if any(m.fixed is not None for m in path.predictor.modifiers) or not linear:
                en = f"the path {path.outcome} ~ {c.name} must be free and stand beside those of its parts."
                zh = f"路径 {path.outcome} ~ {c.name} 须为自由参数，且与其成分的路径一同列出。"
                yield problem("E-INTERACTION", f'interaction "{c.name}"', en, zh, do, do_zh)


def _moderators(model: Model) -> tuple[str, ...]:
    """The fewest exogenous latents such that every product has one of them; products without any are left aside."""
    outcomes = {p.outcome for p in model.paths} | {i for c in model.constructs for i in c.items}
    products = [set(c.product_of) - outcomes for c in model.constructs if c.product_of]
    products = [parts for parts in products if parts]
    names = [n for n in model.names if any(n in parts for parts in products)]
    for size in range(len(names) + 1):
        for chosen in combinations(names, size):
            if all(parts & set(chosen) for parts in products):
                return chosen
    return ()


def _task(model: Model, prepared: Prepared) -> Task:
    """Products as places among the latents."""
    latent = {n: i for i, n in enumerate(prepared.layout.blocks[0].latent)}
    moderators = _moderators(model)
    known = {c.name: c for c in model.constructs if c.product_of}
    paths = tuple(p for p in model.paths if p.predictor.name in known)
    held = [next(n for n in moderators if n in known[p.predictor.name].product_of) for p in paths]
    others = []
    for path, mod in zip(paths, held, strict=True):
        a, b = known[path.predictor.name].product_of
        others.append(latent[a if b == mod else b])
    terms = Terms(
        moderators=tuple(latent[n] for n in moderators),
        outcome=tuple(latent[p.outcome] for p in paths),
        moderator=tuple(moderators.index(n) for n in held),
        other=tuple(others),
    )
    return Task(prepared, tuple(known.values()), paths, terms)


def _slice(settings: SEM, task: Task, start: Estimate, s: int, *, bare: bool) -> Maximum:
    """The maximum of one slice's likelihood: BFGS in the linear model's standard errors, then Newton steps."""
    block, terms = task.prepared.layout.blocks[0], task.terms
    group = task.prepared.groups[0]
    n = float(group.n[s])
    if group.rows is None:
        raise Problems([problem("E-ROWS", "data", "LMS needs the rows.", "LMS 需要原始数据行。")])
    rows, weight, _ = group.rows.of(s)
    linear = fitted(start)
    at = linear.groups[0].at
    flat = template(block, group.cov[s : s + 1] * ((n - 1) / n), group.mean[s : s + 1])[0]
    spread = precision(at.Phi[s], _loadings(task, flat, linear.theta[s]), at.Sigma[s], terms.moderators)
    z, node = nodes_of(spread)
    data = Data(rows, weight * (n / weight.sum()), z, node)
    sd = np.sqrt(np.diagonal(at.Phi[s]))
    mods = [terms.moderators[i] for i in terms.moderator]
    unit = sd[list(terms.outcome)] / (sd[mods] * sd[list(terms.other)]) / np.sqrt(n)
    theta = np.concatenate([linear.theta[s], np.zeros(len(terms))])
    scale = np.concatenate([np.sqrt(np.maximum(np.diagonal(linear.vcov[s]), 1e-10)), unit])
    scale = np.where(np.isfinite(scale), scale, 0.1)
    root = np.diag(scale)
    k = len(linear.theta[s])
    if np.isfinite(linear.vcov[s]).all():
        root[:k, :k] = np.linalg.cholesky(linear.vcov[s] + 1e-12 * np.diag(scale[:k] ** 2))

    def objective(phi: Array) -> tuple[float, Array]:
        value, slope = log_likelihood(block, flat, theta + root @ phi, terms, data)
        return (-value, -(root.T @ slope)) if np.isfinite(value) else (1e300, np.zeros_like(phi))

    found = scipy.optimize.minimize(
        objective, np.zeros(theta.size), jac=True, method="BFGS", options={"gtol": 1e-3, "maxiter": 300}
    )
    best = theta + root @ found.x
    best, value, vcov, drop = _polished(task, flat, best, data, scale, rounds=1 if bare else 4)
    if settings.estimator == "MLR" and not bare:
        scores = row_scores(block, flat, best, terms, data) * data.weight[:, None]
        vcov = vcov @ (scores.T @ scores) @ vcov
    Phi, Sigma = marginal(given(block, flat, best[None], terms, z), node)
    return Maximum(best, value, vcov, int(found.nit), drop < 1e-6, drop, flat, Phi, Sigma, len(node))


def _loadings(task: Task, flat: Array, theta: Array) -> Array:
    """(p, m) loadings of the linear model."""
    out: Array = matrices(task.prepared.layout.blocks[0], flat[None], theta[None]).Lambda[0]
    return out


def _polished(
    task: Task, flat: Array, theta: Array, data: Data, scale: Array, rounds: int
) -> tuple[Array, float, Array, float]:
    """Newton steps to the maximum: theta, log-likelihood, inverse information, expected further rise."""
    block, terms = task.prepared.layout.blocks[0], task.terms
    value, slope = log_likelihood(block, flat, theta, terms, data)
    vcov, drop = np.full((theta.size, theta.size), np.nan), np.inf
    for _ in range(rounds):
        try:
            vcov = np.linalg.inv(information(block, flat, theta, terms, data, scale))
        except np.linalg.LinAlgError:
            break
        step = vcov @ slope
        drop = 0.5 * abs(float(slope @ step))
        again, slope_again = log_likelihood(block, flat, theta + step, terms, data)
        if not again >= value - 1e-9:
            break
        theta, value, slope = theta + step, again, slope_again
        drop = 0.5 * abs(float(slope @ vcov @ slope))
        if drop < 1e-10:
            break
    return theta, value, vcov, drop


def _estimate(
    settings: SEM, model: Model, moments: Moments, task: Task, start: Estimate, fits: list[Maximum], *, bare: bool
) -> Estimate:
    """The fits told as an estimate."""
    layout = task.prepared.layout
    rows, place = rows_of(model, task)
    theta = np.stack([f.theta for f in fits])
    values = np.stack([values_of(model, task, f.flat, f.theta[None])[0] for f in fits])[:, place]
    settled = np.array([f.settled for f in fits])
    cause = np.where(settled, 0, settings.causes.index("not converged"))
    reasons = {
        s: reason(
            "R-CONVERGE",
            f"no convergence after {f.iterations} iterations (expected rise of log L {f.drop:.1e}).",
            f"迭代 {f.iterations} 次仍未收敛（对数似然的预期上升 {f.drop:.1e}）。",
        )
        for s, f in enumerate(fits)
        if not f.settled
    }
    common: dict[str, Any] = {
        "model": model,
        "settings": settings,
        "moments": moments,
        "sample": None,
        "rows": rows,
        "values": values,
        "solved": known(solution_of(model, layout, fits)),
        "convergence": Convergence(
            converged=settled,
            iterations=np.array([f.iterations for f in fits], dtype=np.int64),
            change=np.array([f.drop for f in fits]),
            reasons={} if bare else reasons,
            cause=cause.astype(np.int64),
        ),
    }
    if bare:
        return Estimate(**common)
    errors = np.stack([errors_of(model, task, f) for f in fits])[:, place]
    std = [np.stack([standardised_of(task, f, items=i) for f in fits]) for i in (False, True)]
    std = [np.concatenate([s, np.full((len(s), len(model.defined)), np.nan)], axis=1)[:, place] for s in std]
    extra = _extra(task, start, fits, theta.shape[1])
    test = ", ".join(f"{t:.2f}" for t in extra.statistic)
    names = ", ".join(c.name for c in task.products)
    nodes = max(f.nodes for f in fits)
    told = note(
        "N-INTERACTION",
        f"{names} by latent moderated structural equations (LMS, {nodes} nodes, observed information); "
        f"likelihood-ratio test against no interaction: {test}, df {extra.terms}.",
        f"{names} 采用潜变量调节结构方程法（LMS，{nodes} 个积分节点，观测信息矩阵）；"
        f"与无交互模型的似然比检验：{test}，df {extra.terms}。",
    )
    doubts = cluster_notes((moments,), METHODS["ML"], moments.cells, theta.shape[1])
    return Estimate(
        **common,
        **normal_columns(values, errors),
        standard=known((std[0], std[1])),
        interval="normal",
        notes=(told, *doubts, *undefined(model.defined, values, settled)),
        extra={"lms": extra},
    )


def _extra(task: Task, start: Estimate, fits: list[Maximum], npar: int) -> Moderated:
    """Log-likelihoods and the test of all products."""
    loglik = np.array([f.loglik for f in fits])
    linear = fitted(start).loglik
    statistic = 2 * (loglik - linear)
    names = (*task.prepared.layout.table.names, *(f"{p.outcome} ~ {p.predictor.name}" for p in task.paths))
    return Moderated(
        loglik=loglik,
        linear=linear,
        terms=len(task.terms),
        npar=npar,
        statistic=statistic,
        p_value=chdtrc(len(task.terms), np.maximum(statistic, 0)),
        vcov=np.stack([f.vcov for f in fits]),
        names=names,
    )
