"""What would change if an equality constraint were released: univariate and total score tests.

    X2 = U'E V^-1 E'U,  V = E'IE - E'IN (N'IN)^-1 N'IE

with U the score and I the expected information by the parameters taken apart, N the directions along all constraints, E
those across them: column i breaks constraint i alone.

Letters: `b` slices, `k` parameters taken apart, `r` free directions, `c` constraints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import chdtrc

from csi.display import Shown, text
from csi.errors import Problem, Problems, Text, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.directions import free_directions, inner_information
from csi.measures.modification import IDENT, absent_codes, identified, labels_of, released
from csi.measures.shown import listing
from csi.measures.tidy import cells_of, solved_only, tidy
from csi.models.nouns import Constraint
from csi.models.syntax.evaluate import compile_expression, evaluate_definitions
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, fitted
from csi.sem.implied import Values
from csi.sem.lagrange import Wider, flats_of, score, widened
from csi.sem.standardise import factors
from csi.sem.table import Table

Bools = npt.NDArray[np.bool_]
RANK = 1e-6
"""Directions with a smaller share of information than this are not identified."""
STEP = 1e-20
SHOWN = 20
"""Constraints printed at a prompt."""


@dataclass(frozen=True, slots=True, repr=False)
class ScoreTests(Shown):
    """Tests of equality constraints. Each frame starts with the cell's key columns.

    Attributes:
        table: one row per constraint released on its own: constraint (text), lhs, op, rhs, group (of the parameter that
            would leave the others; null for a stated constraint), x2, df, p_value, epc (its change) and epc_first (the
            change of the one it is held equal to), reason (a code where there is no test).
        total: x2, df, p_value of releasing all of them. df counts the directions that are identified; lavaan counts
            constraints, also those that only identify the model. reason: "R-IDENT" where the fitted model is not
            identified.
        changes: lhs, op, rhs, group, estimate, epc, expected, sepc_lv, sepc_all of every free parameter when all are
            released; null where the model is then not identified. sepc of a variance is its standardised change; lavaan
            prints the standardised variance with the sign of the change.
    """

    table: pl.DataFrame
    total: pl.DataFrame
    changes: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A constraint: its text, its slopes (b, k) by the parameters taken apart, and the rows it ties (-1: stated)."""

    text: str
    slopes: Array
    row: int = -1
    first: int = -1


def score_tests(est: Estimate) -> ScoreTests:
    """Score (Lagrange multiplier) tests of labels, `equal=` and stated `==` constraints.

    Parameters:
        est: a fit by `csi.SEM` with equality constraints.

    Returns:
        A `ScoreTests`.

    Raises:
        Problems: the estimate is not of `csi.SEM`, or has no equality constraint.

    Source:
        Bentler & Chou (1992), Sociological Methods & Research 21(2). Agrees with lavaan 0.6-14, lavTestScore (X2, EPC).

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + x*b + x*c + d"), csi.Moments.of("abcd", cov, n=300), csi.SEM())
        >>> score_tests(est).table.select("constraint", pl.col("x2").round(2)).row(0)
        ('f =~ b == f =~ c', 2.2)
    """
    w = _one_by_one(est)
    whole = _together(w)
    change = np.where(_moving(w.ways, whole[3]) | ~w.fine[:, None], np.nan, _along(w.ways, whole[2]))
    return ScoreTests(
        table=_each(est, w),
        total=_total(est, np.where(w.fine, whole[0], np.nan), np.where(w.fine, whole[1], np.nan)),
        changes=_changes(est, w, change),
    )


def single_tests(est: Estimate) -> pl.DataFrame:
    """The tests of constraints released one by one: the table of `score_tests`, without what all together bring."""
    return _each(est, _one_by_one(est))


@dataclass(frozen=True, slots=True, eq=False)
class _Released:
    """Constraints released one by one.

    Attributes:
        wide: the parameters taken apart. held: the constraints. theta: (b, k). U: (b, k) scores. N: (k, r) directions
            that stay. E: (b, k, c) directions released. own, crossed, solved: their information, what N shares, and
            N's answer to it. fine: (b,) whether the model is identified. x2, step: (b, c). ways: (b, k, c).
    """

    wide: Wider
    held: list[_Held]
    theta: Array
    U: Array
    N: Array
    E: Array
    own: Array
    crossed: Array
    solved: Array
    fine: Bools
    x2: Array
    step: Array
    ways: Array


def _one_by_one(est: Estimate) -> _Released:
    """Each constraint released on its own."""
    check_estimate(est)
    fit = fitted(est)
    table = fit.layout.table
    wide = widened(table)
    held = [*_labelled(table, wide, len(fit.theta)), *_stated(est, fit, wide)]
    if not held:
        raise Problems([_nothing()])
    theta = wide.theta(fit.theta)
    U, info = score(fit, wide.layout, theta)
    N = wide.spread @ free_directions(fit)
    fine = identified(inner_information(N, info))
    U, info = np.where(fine[:, None], U, 0.0), np.where(fine[:, None, None], info, np.eye(info.shape[1]))
    E = np.linalg.pinv(np.stack([h.slopes for h in held], axis=1))
    IE = info @ E
    inner = inner_information(N, info)
    crossed = N.swapaxes(-1, -2) @ IE
    own = E.swapaxes(1, 2) @ IE
    x2, step, solved = released(U, N, np.einsum("bk,bkc->bc", U, E), np.einsum("bcc->bc", own), crossed, inner)
    x2 = np.where(fine[:, None], x2, np.nan)
    return _Released(wide, held, theta, U, N, E, own, crossed, solved, fine, x2, step, E - N @ solved)


def _along(ways: Array, steps: Array) -> Array:
    """(b, k) change of every parameter."""
    return np.asarray(np.einsum("bkc,bc->bk", ways, steps), dtype=np.float64)


def _moving(ways: Array, loose: Array) -> Bools:
    """(b, k) parameters that the model without the constraints does not identify."""
    size = np.abs(ways).max(axis=(1, 2))
    return np.asarray(np.abs(ways @ loose).max(axis=2) > RANK * size[:, None], dtype=np.bool_)


def _together(w: _Released) -> tuple[Array, Array, Array, Array]:
    """X2 (b,), df (b,) and steps (b, c) of releasing every constraint; (b, c, c) steps that are not identified."""
    V = w.own - w.crossed.swapaxes(1, 2) @ w.solved
    rest = np.einsum("bk,bkc->bc", w.U, w.E) - np.einsum("brc,br->bc", w.solved, (w.U[:, None, :] @ w.N)[:, 0, :])
    scale = np.sqrt(np.maximum(np.einsum("bcc->bc", w.own), 1e-300))
    values, vectors = np.linalg.eigh(V / (scale[:, :, None] * scale[:, None, :]))
    known = values > RANK * values[:, -1:]
    along = np.einsum("bcx,bc->bx", vectors, rest / scale)
    part = np.where(known, along / np.where(known, values, 1.0), 0.0)
    steps = np.einsum("bcx,bx->bc", vectors, part) / scale
    loose = np.where(known[:, None, :], 0.0, vectors / scale[:, :, None])
    return (part * along).sum(axis=1), known.sum(axis=1).astype(np.float64), steps, loose


def _labelled(table: Table, wide: Wider, b: int) -> list[_Held]:
    """Rows that share a label: each but the first is held equal to the first."""
    first: dict[int, int] = {}
    found = []
    index = wide.layout.table.index
    for number, at in enumerate(table.index):
        if at < 0:
            continue
        if at not in first:
            first[at] = number
            continue
        slopes = np.zeros((b, len(wide.origin)))
        slopes[:, index[number]], slopes[:, index[first[at]]] = 1.0, -1.0
        text = f"{_name(table, first[at])} == {_name(table, number)}"
        found.append(_Held(text, slopes, number, first[at]))
    return found


def _name(table: Table, number: int) -> str:
    """`f =~ y [group]`."""
    row, groups = table.rows[number], table.rules.groups
    return f"{row.lhs} {row.op} {row.rhs}".strip() + (f" [{groups[row.group]}]" if groups else "")


def _stated(est: Estimate, fit: Fitted, wide: Wider) -> list[_Held]:
    """Stated equalities, linearised at the solution of every slice."""
    table = fit.layout.table
    first: dict[str, int] = {}
    values: dict[str, Array] = {}
    b = len(fit.theta)
    for number, (row, at) in enumerate(zip(table.rows, table.index, strict=True)):
        if row.label and row.label not in values:
            values[row.label] = fit.theta[:, at] if at >= 0 else np.full(b, row.fixed or 0.0)
            if at >= 0:
                first[row.label] = wide.layout.table.index[number]
    return [
        _Held(f"{c.lhs} == {c.rhs}", _slopes(c, est, values, first, len(wide.origin)))
        for c in est.model.constraints
        if c.operator == "=="
    ]


def _slopes(c: Constraint, est: Estimate, values: dict[str, Array], first: dict[str, int], k: int) -> Array:
    """(b, k) slopes of lhs - rhs by the parameters taken apart."""
    formula = compile_expression(f"({c.lhs}) - ({c.rhs})")
    out = np.zeros((len(est.values), k))
    for label, at in first.items():
        moved: dict[str, Values] = {n: v + 1j * STEP * (n == label) for n, v in values.items()}
        moved |= evaluate_definitions(est.model.defined, moved)
        out[:, at] += np.imag(formula.evaluate(moved)) / STEP
    return out


def _each(est: Estimate, w: _Released) -> pl.DataFrame:
    """One row per constraint."""
    table, held, x2, at = fitted(est).layout.table, w.held, w.x2, w.wide.layout.table.index
    rows = np.array([max(h.row, 0) for h in held], dtype=np.int64)
    tied = pl.Series([h.row >= 0 for h in held])
    labels = labels_of(table, rows).with_columns(
        pl.when(tied).then(pl.col(c)).otherwise(None).alias(c) for c in ("lhs", "op", "rhs", "group")
    )
    labels.insert_column(0, pl.Series("constraint", [h.text for h in held], dtype=pl.String))
    own, other = np.full(x2.shape, np.nan), np.full(x2.shape, np.nan)
    for i, h in enumerate(held):
        if h.row >= 0:
            own[:, i] = w.ways[:, at[h.row], i] * w.step[:, i]
            other[:, i] = w.ways[:, at[h.first], i] * w.step[:, i]
    one = np.ones(x2.shape)
    numbers = {"x2": x2, "df": one, "p_value": chdtrc(one, x2), "epc": own, "epc_first": other}
    return tidy(cells_of(est), labels, solved_only(est, numbers), {"reason": absent_codes(est, x2)})


def _total(est: Estimate, x2: Array, df: Array) -> pl.DataFrame:
    """The test of all constraints."""
    numbers = {"x2": x2, "df": df, "p_value": chdtrc(df, x2)}
    labels = pl.DataFrame({"test": ["score"]})
    codes = {"reason": absent_codes(est, x2[:, None])}
    return tidy(cells_of(est), labels, solved_only(est, {n: a[:, None] for n, a in numbers.items()}), codes)


def _changes(est: Estimate, w: _Released, change: Array) -> pl.DataFrame:
    """What every free parameter is expected to become."""
    fit, wide, theta = fitted(est), w.wide, w.theta
    table = wide.layout.table
    rows = np.array([i for i, at in enumerate(table.index) if at >= 0], dtype=np.int64)
    epc = change[:, [table.index[i] for i in rows.tolist()]]
    value = theta[:, [table.index[i] for i in rows.tolist()]]
    numbers = {"estimate": value, "epc": epc, "expected": value + epc}
    for kind, name in (("std_lv", "sepc_lv"), ("std_all", "sepc_all")):
        scale = factors(wide.layout, flats_of(fit, wide.layout), theta, "std_lv" if kind == "std_lv" else "std_all")
        numbers[name] = epc * scale[:, rows]
    return tidy(cells_of(est), labels_of(table, rows), solved_only(est, numbers))


@text.register
def _(value: ScoreTests, lang: str = "en") -> str:
    """The test of all constraints, one row per constraint, largest first, then where the rest is."""
    title = Text("Score tests of equality constraints", "等值约束的得分检验").say(lang)
    each = value.table.drop("lhs", "op", "rhs", "group", "reason")
    if value.total.height == 1:
        each = each.sort("x2", descending=True, nulls_last=True, maintain_order=True)
    rest = each.height - SHOWN
    left = [Text(f"{rest} more rows: .table", f"另有 {rest} 行：.table").say(lang)] if rest > 0 else []
    whole = Text("All released together", "全部放开").say(lang)
    more = Text("What each parameter would become: .changes", "放开后各参数的预期值：.changes").say(lang)
    told = [f"* {IDENT.say(lang)}"] if IDENT.code in set(value.table["reason"]) else []
    return "\n".join(
        [
            title,
            listing(each.head(SHOWN), lang),
            *left,
            "",
            whole,
            listing(value.total.drop("test", "reason"), lang),
            more,
            *told,
        ]
    )


def _nothing() -> Problem:
    return problem(
        "E-NO-EQUALITY",
        "estimate",
        "the model has no equality constraint to release.",
        "模型中没有可放开的等值约束。",
        "Fit it with labels, `==` lines or equal=(...) first.",
        "请先用标签、`==` 语句或 equal=(...) 拟合。",
    )
