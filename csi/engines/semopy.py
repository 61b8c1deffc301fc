"""Adapter for semopy: maximum likelihood estimates of a covariance model, as an estimator like the others.

semopy's estimates are right when its optimiser is tightened; its fit indices, standard errors after constraints and
standardised residual covariances are not used here. Limits: one group, no means, no `:=`, no constraints, no composites
or interactions, complete covariances only, every cell fitted one after another (about 30 ms each).
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from csi.engines.ram import Parameter, factor_of, implied, observed, parameters_of, scales, standardised
from csi.errors import MissingPackage, Note, Problems, Reason, note, one_of, problem, reason
from csi.estimate.estimate import Convergence, Estimate, Row, Solution
from csi.estimate.later import known
from csi.models.model import Model
from csi.moments.stack import MOMENTS_ALONE, Array, Missing, Moments

CAUSES = ("", "constant item", "collinear", "not converged", "failed")

GRADIENT = 1e-4
"""Largest slope of the objective, on items of variance 1, that counts as an optimum."""


@dataclass(frozen=True, slots=True)
class Semopy:
    """Covariance-based SEM by semopy: ML estimates with normal-theory standard errors.

    Defaults follow lavaan's `sem()`: marker loadings, free covariances of exogenous constructs and of last outcomes,
    the residual of an only item fixed to 0. Items are divided by their standard deviations before the fit, so units do
    not matter. `std_all` is lavaan's `std.all`.

    Parameters:
        tolerance: change of the objective at which semopy's optimiser stops (its own default, 1e-6, is too loose).
        max_iterations: give up after so many rounds.
        missing: treatment of absent answers, "listwise", "pairwise" or "mean".

    Source: Joereskog (1969), Psychometrika 34.
    Agrees: lavaan 0.6-14 on Holzinger & Swineford and on political democracy within 1e-4 relative (tests/engines).

    Example:
        >>> Semopy().name
        'semopy (ML)'
    """

    tolerance: float = 1e-14
    max_iterations: int = 2000
    missing: Missing = "listwise"

    def __post_init__(self) -> None:
        """All settings are known values.

        Raises:
            Problems: E-SETTING with the closest name.
        """
        found = one_of("missing", self.missing, MOMENTS_ALONE)
        if found:
            raise Problems(found)

    @property
    def name(self) -> str:
        """Name for tables."""
        return "semopy (ML)"

    @property
    def groups(self) -> str | None:
        """No multi-group model: groups are cells of `by`."""
        return None

    def needs(self, model: Model) -> tuple[str, ...]:
        """The columns the model takes from the data: items and observed variables in paths."""
        return observed(model)

    @property
    def causes(self) -> tuple[str, ...]:
        """What the codes of `Convergence.cause` mean."""
        return CAUSES

    @property
    def threads(self) -> bool:
        """Whether `solve` may run in several threads at once."""
        return False

    def solve(self, model: Model, moments: Moments, like: Estimate | None = None) -> Estimate:
        """Fit every slice of `moments`, one after another.

        Raises:
            Problems: a model or data this engine cannot fit. MissingPackage: semopy is not installed.
        """
        parameters = parameters_of(model)
        _check(model, parameters, moments)
        fits = [_slice(self, model, parameters, moments, i) for i in range(len(moments.n))]
        values = np.stack([f.values for f in fits])
        errors = np.stack([f.errors for f in fits])
        solution, std = _solution(model, parameters, values)
        z = float(ndtri(0.975))
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = values / errors
        return Estimate(
            model=model,
            settings=self,
            moments=moments,
            sample=None,
            rows=tuple(Row(p.lhs, p.op, p.rhs, None, p.label) for p in parameters),
            values=values,
            solved=known(solution),
            convergence=Convergence(
                converged=np.array([f.cause == 0 for f in fits]),
                iterations=np.array([f.iterations for f in fits], dtype=np.int64),
                change=np.array([f.gradient for f in fits]),
                reasons={i: f.why for i, f in enumerate(fits) if f.why is not None},
                cause=np.array([f.cause for f in fits], dtype=np.int64),
            ),
            std_error=errors,
            statistic=statistic,
            p_value=2 * ndtr(-np.abs(statistic)),
            conf_low=values - z * errors,
            conf_high=values + z * errors,
            standard=known((None, std)),
            interval="normal",
            notes=() if like else (*_weighted(moments), *_notes(model, parameters, values, solution)),
        )


@dataclass(frozen=True, slots=True)
class _Fit:
    """One slice: values and standard errors (k,), NaN where there are none."""

    values: Array
    errors: Array
    iterations: int
    gradient: float
    cause: int
    why: Reason | None


def _check(model: Model, parameters: tuple[Parameter, ...], moments: Moments) -> None:
    """Raise when items are absent, a construct has no scale, or there are more parameters than moments."""
    items = observed(model)
    found = [
        problem(
            "E-ROLE",
            "model",
            f'item "{i}" is not among the data.',
            f"数据中没有题项“{i}”。",
            "Check its name in the model and the codebook.",
            "请检查模型与编码簿中的名称。",
        )
        for i in items
        if i not in moments.names
    ]
    scaled = {p.lhs for p in parameters if p.op == "=~" and p.fixed not in (None, 0.0)}
    found += [
        problem(
            "E-SCALE",
            f'construct "{c}"',
            "no loading is fixed, so the construct has no unit (semopy cannot fix its variance instead).",
            "没有固定任何载荷，构念缺少度量单位（semopy 不支持以固定方差代替）。",
            "Fix one loading, as in f =~ 1*x1 + x2.",
            "请固定一个载荷，例如 f =~ 1*x1 + x2。",
        )
        for c in model.names
        if c not in scaled
    ]
    free = len({p.label or (p.lhs, p.op, p.rhs) for p in parameters if p.fixed is None})
    have = len(items) * (len(items) + 1) // 2
    if free > have:
        found.append(
            problem(
                "E-DF",
                "model",
                f"{free} parameters are more than the {have} variances and covariances of {len(items)} items.",
                f"共有 {free} 个参数，多于 {len(items)} 个题项的 {have} 个方差和协方差。",
                "Remove parameters or add items.",
                "请减少参数或增加题项。",
            )
        )
    if found:
        raise Problems(found)


def _slice(settings: Semopy, model: Model, parameters: tuple[Parameter, ...], moments: Moments, i: int) -> _Fit:
    """Fit one slice; what goes wrong becomes a reason."""
    items = observed(model)
    at = [moments.names.index(n) for n in items]
    n = float(moments.n[i])
    cov = moments.cov[i][np.ix_(at, at)] * (n - 1) / n
    bad = _unusable(cov, items, n)
    if bad is not None:
        return _failed(parameters, *bad)
    scale = scales(model, parameters, dict(zip(items, np.sqrt(np.diagonal(cov)).tolist(), strict=True)))
    unit = np.array([scale[name] for name in items])
    try:
        found, iterations, gradient = _semopy(settings, model, parameters, cov / np.outer(unit, unit), n, scale)
    except MissingPackage:
        raise
    except Exception as error:  # noqa: BLE001 - whatever semopy raises becomes a reason, never a traceback
        told = f"{type(error).__name__}: {error}"
        return _failed(parameters, 4, reason("R-SEMOPY", f"semopy failed ({told}).", f"semopy 运行失败（{told}）。"))
    factor = np.array([factor_of(p, scale) for p in parameters])
    settled = gradient < GRADIENT
    why = reason(
        "R-CONVERGE",
        f"no convergence after {iterations} iterations (gradient {gradient:.1e}).",
        f"迭代 {iterations} 次仍未收敛（梯度 {gradient:.1e}）。",
    )
    values, errors = found * factor
    return _Fit(values, errors, iterations, gradient, 0 if settled else 3, None if settled else why)


def _unusable(cov: Array, items: tuple[str, ...], n: float) -> tuple[int, Reason] | None:
    """Why a covariance matrix cannot be fitted: its cause code and reason."""
    variance = np.diagonal(cov)
    constant = [name for name, v in zip(items, variance, strict=True) if not v > 0]
    if constant:
        listed = ", ".join(constant)
        return 1, reason(
            "R-CONSTANT", f"all answers to {listed} are the same (n = {n:.0f}).", f"题项 {listed} 的回答全部相同。"
        )
    sd = np.sqrt(variance)
    if not np.isfinite(cov).all() or np.linalg.eigvalsh(cov / np.outer(sd, sd))[0] < 1e-9:
        return 2, reason(
            "R-COLLINEAR",
            f"the covariance matrix is not positive definite: items repeat each other or n = {n:.0f} is too small.",
            f"协方差矩阵非正定：题项互相重复，或样本量（n = {n:.0f}）过小。",
        )
    return None


def _failed(parameters: tuple[Parameter, ...], cause: int, why: Reason) -> _Fit:
    nothing = np.full(len(parameters), np.nan)
    return _Fit(nothing, nothing, 0, np.nan, cause, why)


def _semopy(
    settings: Semopy,
    model: Model,
    parameters: tuple[Parameter, ...],
    cov: Array,
    n: float,
    scale: dict[str, float],
) -> tuple[Array, int, float]:
    """Values and standard errors (2, k) on divided variables, iterations, largest slope at the end."""
    try:
        # semopy takes seconds to load and brings pandas, sympy and scikit-learn: only when it is asked to fit
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pandas as pd
            import semopy
    except ImportError as error:
        raise MissingPackage("csi.Semopy() needs semopy: pip install semopy") from error
    safe = {name: f"f{i}" for i, name in enumerate(model.names)}
    safe |= {name: f"y{i}" for i, name in enumerate(observed(model))}
    columns = [safe[name] for name in observed(model)]
    quiet = logging.getLogger()
    level = quiet.level
    try:
        quiet.setLevel(logging.ERROR)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fitted = semopy.Model(_text(parameters, safe, scale), cov_diag=True)
            options = {"ftol": settings.tolerance, "maxiter": settings.max_iterations}
            result = fitted.fit(cov=pd.DataFrame(cov, columns, columns), n_samples=int(n), obj="MLW", options=options)
            table = fitted.inspect()
            slope = _slope(np.asarray(fitted.grad_mlw(result.x), dtype=np.float64), fitted.get_bounds(), result.x)
    finally:
        quiet.setLevel(level)
    read = {(r["op"], r["lval"], r["rval"]): (r["Estimate"], r["Std. Err"]) for r in table.to_dict("records")}
    out = np.empty((2, len(parameters)))
    for i, p in enumerate(parameters):
        if p.fixed is not None:
            out[:, i] = p.fixed / factor_of(p, scale), np.nan
            continue
        a, b = (safe[p.to], safe[p.source]) if p.directed else (safe[p.lhs], safe[p.rhs])
        op = "~" if p.directed else "~~"
        estimate, spread = read[op, a, b] if (op, a, b) in read else read[op, b, a]
        out[:, i] = float(estimate), np.nan if isinstance(spread, str) or p.label else float(spread)
    return out, int(result.n_it), slope


def _slope(gradient: Array, bounds: list[tuple[float | None, float | None]], x: Array) -> float:
    """Largest slope, a slope that points out of the bounds left aside."""
    held = np.array([low is not None and value <= low + 1e-9 for (low, _), value in zip(bounds, x, strict=True)])
    inward = np.where(held & (gradient > 0), 0.0, np.abs(gradient))
    return float(inward.max(initial=0.0))


def _text(parameters: tuple[Parameter, ...], safe: dict[str, str], scale: dict[str, float]) -> str:
    """The model in semopy's words, under names it can read."""
    labels = {label: f"label{i}" for i, label in enumerate(dict.fromkeys(p.label for p in parameters if p.label))}
    lines: dict[tuple[str, str], list[str]] = {}
    for p in parameters:
        before = ""
        if p.fixed is not None:
            before = f"{p.fixed / factor_of(p, scale):.15f}*"
        elif p.label:
            before = f"{labels[p.label]}*"
        lines.setdefault((safe[p.lhs], p.op), []).append(f"{before}{safe[p.rhs]}")
    return "\n".join(f"{lhs} {op} {' + '.join(terms)}" for (lhs, op), terms in lines.items())


def _solution(model: Model, parameters: tuple[Parameter, ...], values: Array) -> tuple[Solution, Array]:
    """Standardised loadings, paths, r2 and construct correlations of every slice, and std_all (b, k)."""
    names = model.names
    q = len(names)
    measured = [(j, i) for j, c in enumerate(model.constructs) for i in c.items if i not in names]
    items = tuple(dict.fromkeys(i for _, i in measured))
    block = np.array([next(j for j, i in measured if i == item) for item in items], dtype=np.int64)
    endogenous = np.array([bool(model.predictors(n)) for n in names], dtype=bool)
    b = len(values)
    loadings, cor = np.full((b, len(items)), np.nan), np.full((b, q, q), np.nan)
    paths, r2, std = np.full((b, q, q), np.nan), np.full((b, q), np.nan), np.full(values.shape, np.nan)
    for s in range(b):
        if not np.isfinite(values[s]).all():
            continue
        fit = implied(model, parameters, values[s])
        std[s] = standardised(parameters, values[s], fit)
        with np.errstate(divide="ignore", invalid="ignore"):
            sd = np.sqrt(np.diagonal(fit.total))
            cor[s] = (fit.total / np.outer(sd, sd))[:q, :q]
            direct = fit.directed * sd[None, :] / sd[:, None]
            share = 1 - np.diagonal(fit.symmetric)[:q] / np.diagonal(fit.total)[:q]
        at = [fit.names.index(i) for i in items]
        loadings[s] = direct[at, block]
        paths[s] = np.where(endogenous[:, None], direct[:q, :q], 0.0)
        r2[s] = np.where(endogenous, share, np.nan)
    modes = tuple(c.mode for c in model.constructs)
    return Solution(names, items, block, modes, None, loadings, None, paths, r2, cor), std


def _weighted(moments: Moments) -> tuple[Note, ...]:
    """A note that standard errors take the weighted rows for a simple random sample."""
    if np.allclose(moments.sum_w2 * moments.n, moments.sum_w**2, rtol=1e-9):
        return ()
    en = "the answers are weighted; semopy's standard errors do not know it (csi.bootstrap does)."
    zh = "数据带有权重，而 semopy 的标准误未考虑权重（可改用 csi.bootstrap）。"
    return (note("N-SEMOPY-WEIGHTS", en, zh),)


def _notes(model: Model, parameters: tuple[Parameter, ...], values: Array, solution: Solution) -> tuple[Note, ...]:
    """What a reader must know before trusting the numbers: bounds reached, impossible correlations and paths."""
    notes = []
    variances = [i for i, p in enumerate(parameters) if p.op == "~~" and p.lhs == p.rhs and p.fixed is None]
    at_zero = [parameters[i].lhs for i in variances if (np.nan_to_num(values[:, i], nan=1.0) < 1e-8).any()]
    if at_zero:
        listed = ", ".join(at_zero)
        en = f"variance at its bound 0: {listed} (a Heywood case; an unbounded fit would be negative)."
        notes.append(note("W-HEYWOOD", en, f"方差落在边界 0 上：{listed}（Heywood 情形，无界估计将为负）。"))
    with np.errstate(invalid="ignore"):
        big = (np.abs(solution.paths) > 1).any(axis=0)
        high = (np.abs(solution.construct_cor) > 1 - 1e-6).any(axis=0) & ~np.eye(len(model.names), dtype=bool)
    if big.any() or high.any():
        names = sorted({model.names[i] for i in np.argwhere(big | high)[:, 0]})
        listed = ", ".join(names)
        notes.append(
            note(
                "W-COLLINEAR",
                f"standardised paths or construct correlations beyond 1 around {listed}: not separable in these data.",
                f"{listed} 附近的标准化路径或构念相关超过 1：这些构念在数据中无法区分。",
            )
        )
    return tuple(notes)
