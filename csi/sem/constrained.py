"""Nonlinear equalities and general inequalities: SLSQP to the neighbourhood, then Newton on the active set.

One slice at a time: such models are rare and single.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy

from csi.models.nouns import Constraint
from csi.models.syntax.evaluate import compile_expression, evaluate_definitions
from csi.moments.stack import Array
from csi.sem.constraints import Linear, unconstrained
from csi.sem.full_information import FullInformation
from csi.sem.least_squares import LeastSquares
from csi.sem.optimise import Optimum
from csi.sem.prepare import Prepared, label_values
from csi.sem.problem import Problem

Fittable = Problem | LeastSquares | FullInformation

Flags = npt.NDArray[np.bool_]

STEP = 1e-20
TOUCH = 1e-7
"""An inequality nearer to 0 than this is active."""


MET = 1e-6
"""By so much of 1 + its right-hand side a constraint may be missed."""


@dataclass(frozen=True, slots=True)
class Active:
    """Constraints that hold with equality at the solution, by value (c,) and jacobian (c, k)."""

    value: Array
    jacobian: Array


def constrained(prepared: Prepared, problem: Fittable, start: Array) -> tuple[Optimum, tuple[Linear, ...]]:
    """The constrained minimum of every slice, and the tangent space of its constraints there.

    Parameters:
        start: (b, k) start values of theta.

    Source:
        Kraft (1988), A software package for sequential quadratic programming; Aitchison & Silvey (1958) for the tangent
        space in standard errors.
    """
    k = start.shape[1]
    free = unspread(problem, k)
    found = [_one(prepared, free.take(np.array([s])), start[s]) for s in range(len(start))]
    best = [f[0] for f in found]
    names = Optimum.__slots__
    return Optimum(*(np.concatenate([getattr(o, n) for o in best]) for n in names)), tuple(f[1] for f in found)


def unspread(problem: Fittable, k: int) -> Fittable:
    """The same problem with theta itself as the working parameters."""
    if isinstance(problem, LeastSquares):
        return replace(problem, linear=unconstrained(k))
    spread = tuple(np.eye(k)[block.entries.parameter] for block in problem.layout.blocks)
    return replace(problem, linear=unconstrained(k), spread=spread)


def conditions(prepared: Prepared, theta: Array, *, equality: bool) -> Array:
    """(c,) values of the equality or inequality constraints at one theta (k,), real or complex."""
    linear = prepared.linear
    values = label_values(prepared, theta[None, :])
    parts = [np.asarray(c.formula.evaluate(values)).reshape(-1)[:1] for c in prepared.curved if c.equality == equality]
    if equality and not linear.plain:
        inside = theta - linear.origin
        normal = np.eye(len(theta)) - linear.N @ linear.N.T
        U, s, _ = np.linalg.svd(normal)
        parts.append(U[:, s > 0.5].T @ inside)
    if not equality:
        low, high = np.isfinite(linear.lower), np.isfinite(linear.upper)
        parts += [theta[low] - linear.lower[low], linear.upper[high] - theta[high]]
    return np.concatenate(parts) if parts else np.empty(0, dtype=theta.dtype)


def violated(prepared: Prepared, theta: Array) -> tuple[str, ...]:
    """The constraints of the model that one theta (k,) does not meet."""
    values = label_values(prepared, theta[None, :])
    values |= evaluate_definitions(prepared.claim.defined, values)
    return tuple(_text(c) for c in prepared.claim.constraints if not _met(c, values))


def stated(prepared: Prepared) -> tuple[str, ...]:
    """The constraints of the model."""
    return tuple(_text(c) for c in prepared.claim.constraints)


def _text(c: Constraint) -> str:
    """A constraint as it is written."""
    return f"{c.lhs} {c.operator} {c.rhs}"


def _met(c: Constraint, values: Mapping[str, Array]) -> bool:
    """Whether a constraint holds, within `MET`."""
    left, right = (float(compile_expression(side).evaluate(values).reshape(-1)[0]) for side in (c.lhs, c.rhs))
    beyond = {"==": abs(left - right), "<": left - right, ">": right - left}[c.operator]
    return beyond <= MET * (1 + abs(right))


def _slopes(prepared: Prepared, theta: Array, *, equality: bool) -> Array:
    """(c, k) jacobian of `conditions` by complex steps."""
    k = len(theta)
    columns = [conditions(prepared, theta + 1j * STEP * np.eye(k)[i], equality=equality).imag / STEP for i in range(k)]
    return np.stack(columns, axis=1) if columns else np.empty((0, 0))


def equalities(prepared: Prepared, theta: Array) -> Linear:
    """The tangent space of the equality constraints alone, at the first slice: degrees of freedom count by it."""
    jacobian = _slopes(prepared, theta[0], equality=True)
    k = theta.shape[1]
    return Linear(_tangent(jacobian.reshape(-1, k), k), theta[0], prepared.linear.lower, prepared.linear.upper)


def _one(prepared: Prepared, problem: Fittable, start: Array) -> tuple[Optimum, Linear]:
    """One slice."""
    rules = [
        {
            "type": "eq" if equality else "ineq",
            "fun": lambda x, e=equality: conditions(prepared, x, equality=e),
            "jac": lambda x, e=equality: _slopes(prepared, x, equality=e),
        }
        for equality in (True, False)
        if conditions(prepared, start, equality=equality).size
    ]

    def objective(x: Array) -> tuple[float, Array]:
        value, slope, _ = problem.evaluate(x[None, :])
        return (float(value[0]), slope[0]) if np.isfinite(value[0]) else (1e6, np.zeros_like(x))

    rough = scipy.optimize.minimize(
        objective, start, jac=True, method="SLSQP", constraints=rules, options={"maxiter": 500, "ftol": 1e-12}
    )
    x = np.asarray(rough.x, dtype=np.float64)
    settled, drop, rounds = False, np.inf, int(rough.nit)
    for _ in range(30):
        step, drop = _newton(prepared, problem, x)
        if not np.isfinite(drop):
            break
        x = x + step
        rounds += 1
        if abs(drop) < 1e-12:
            settled = True
            break
    value, slope, H = problem.evaluate(x[None, :])
    tangent = _tangent(_active(prepared, problem, x, told=True).jacobian, len(x))
    linear = Linear(tangent, x.copy(), prepared.linear.lower, prepared.linear.upper)
    optimum = Optimum(
        x[None, :],
        value,
        slope,
        H,
        np.array([rounds]),
        np.array([settled and bool(np.isfinite(value[0])) and not violated(prepared, x)]),
        np.array([drop]),
    )
    return optimum, linear


def _active(prepared: Prepared, problem: Fittable, x: Array, *, told: bool = False) -> Active:
    """Equalities and the inequalities that bind with a multiplier of the right sign; `told` leaves out bounds that are
    settings, not statements of the model.
    """
    equal = conditions(prepared, x, equality=True)
    J = _slopes(prepared, x, equality=True).reshape(len(equal), len(x))
    loose = conditions(prepared, x, equality=False)
    K = _slopes(prepared, x, equality=False).reshape(len(loose), len(x))
    near = loose < TOUCH
    if told:
        near &= _statements(prepared)
    value, jacobian = np.concatenate([equal, loose[near]]), np.concatenate([J, K[near]])
    if near.any():
        slope = problem.evaluate(x[None, :])[1][0]
        multiplier = _least(jacobian.T, slope)
        keep = np.concatenate([np.ones(len(equal), dtype=bool), multiplier[len(equal) :] > 0])
        value, jacobian = value[keep], jacobian[keep]
    return Active(value, jacobian)


def _statements(prepared: Prepared) -> Flags:
    """Which of the inequalities of `conditions` the model states."""
    linear = prepared.linear
    curved = [True for c in prepared.curved if not c.equality]
    bounds = [*np.flatnonzero(np.isfinite(linear.lower)).tolist(), *np.flatnonzero(np.isfinite(linear.upper)).tolist()]
    return np.array([*curved, *(at in prepared.stated for at in bounds)], dtype=bool)


def bound_tangents(prepared: Prepared, best: Optimum) -> tuple[Linear, ...]:
    """The tangent space of each slice where only bounds and labels constrain; one for all where no statement binds."""
    linear = prepared.linear
    at = np.array(prepared.stated, dtype=np.int64)
    held = (best.phi[:, at] <= linear.lower[at]) | (best.phi[:, at] >= linear.upper[at])
    if not held.any():
        return (linear,)
    free = np.ones(best.phi.shape, dtype=bool)
    free[np.arange(len(free))[:, None], at] = ~held
    eye = np.eye(best.phi.shape[1])
    return tuple(Linear(eye[:, f], x * ~f, linear.lower, linear.upper) for f, x in zip(free, best.phi, strict=True))


def _tangent(jacobian: Array, k: int) -> Array:
    """(k, r) orthonormal directions along the constraints."""
    if not (len(jacobian) and np.isfinite(jacobian).all()):
        return np.eye(k)
    _, s, Vt = np.linalg.svd(jacobian)
    rank = int((s > 1e-10 * s.max(initial=1e-300)).sum())
    return Vt[rank:].T.copy()


def _least(A: Array, b: Array) -> Array:
    """(k,) least-squares solution; NaN where anything is not finite, on which LAPACK may never return."""
    if not (np.isfinite(A).all() and np.isfinite(b).all()):
        return np.full(A.shape[1], np.nan)
    return np.asarray(np.linalg.lstsq(A, b, rcond=None)[0])


def _newton(prepared: Prepared, problem: Fittable, x: Array) -> tuple[Array, float]:
    """One step on the active set: back onto the constraints, then along them. Returns it and the expected drop, which
    is infinite where no step can be computed.
    """
    active = _active(prepared, problem, x)
    back = np.zeros_like(x)
    if len(active.value):
        back = -_least(active.jacobian, active.value)
    N = _tangent(active.jacobian, len(x))
    _, slope, H = problem.evaluate(x[None, :])
    inner = N.T @ H[0] @ N
    along = -np.linalg.solve(inner + 1e-12 * np.eye(len(inner)), N.T @ (slope[0] + H[0] @ back))
    step = np.asarray(back + N @ along)
    if not np.isfinite(step).all():
        return np.zeros_like(x), np.inf
    drop = 0.25 * float(problem.total[0]) * float(along @ inner @ along) + float(np.abs(active.value).sum())
    return step, drop
