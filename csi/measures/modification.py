"""What would change if a fixed parameter were free: modification indices.

    MI = U^2 / V,  V = I_22 - I_21 N (N' I_11 N)^-1 N' I_12,  EPC = U / V

with U the score and I the expected information at the solution, N the directions along the equality constraints.

Letters: `b` slices, `k` parameters of the wider model, `r` directions the fitted model is free in, `x` candidates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.directions import free_directions, inner_information
from csi.measures.tidy import cell_codes, cells_of, solved_only, tidy
from csi.moments.stack import Array, Ints
from csi.sem.fitted import fitted
from csi.sem.lagrange import flats_of, score, solution_in, widened
from csi.sem.standardise import factors
from csi.sem.table import Parameter, Table

UNIDENTIFIED = 1e-6
"""A candidate whose information is explained by the model but for this share could not be estimated beside it."""
SINGULAR = 1e-11
"""Information with an eigenvalue below this (of 1, each parameter's own) belongs to a model that is not identified."""
IDENT = reason(
    "R-IDENT",
    "the model is not identified, or would not be with this parameter free.",
    "模型不可识别，或放开该参数后不可识别。",
)
NEGATIVE = reason(
    "R-NEGATIVE-VARIANCE",
    "a variance that the change would be divided by is negative (Heywood case).",
    "用于标准化的方差为负（Heywood 情形）。",
)
Bools = npt.NDArray[np.bool_]


def modification(U: Array, info: Array, N: Array, extra: Ints) -> tuple[Array, Array]:
    """MI and EPC of each candidate on its own: (b, x) each, NaN where it, or the model, would not be identified.

    Parameters:
        U: (b, k) score. info: (b, k, k) information. N: (k, r), or (b, k, r) by slice, directions the model is free
            in. extra: (x,) candidates.

    Source:
        Sörbom (1989), Psychometrika 54:371-384, eq. 11; Saris, Satorra & Sörbom (1987), Sociol. Methodol. 17 (EPC).

    Example:
        >>> info = np.array([[[2.0, 1], [1, 2]]])
        >>> mi, epc = modification(np.array([[0.0, 3.0]]), info, np.eye(2)[:, :1], np.array([1]))
        >>> mi.tolist(), epc.tolist()
        ([[6.0]], [[2.0]])
    """
    crossed, inner = N.swapaxes(-1, -2) @ info[:, :, extra], inner_information(N, info)
    return released(U, N, U[:, extra], info[:, extra, extra], crossed, inner)[:2]


def released(U: Array, N: Array, slope: Array, own: Array, crossed: Array, inner: Array) -> tuple[Array, Array, Array]:
    """MI and EPC (b, x) of directions, and (b, r, x) what a step of 1 along each takes from the free directions.

    Parameters:
        U: (b, k) score. N: (k, r) or (b, k, r). slope: (b, x) of the directions. own: (b, x), crossed: (b, r, x),
            inner: (b, r, r) information of the directions, with the free ones, and of the free ones.

    Returns:
        MI and EPC are NaN in slices whose free directions are not identified.

    Example:
        >>> one = np.ones((1, 1, 1))
        >>> released(np.zeros((1, 1)), np.eye(1), np.array([[3.0]]), np.array([[2.0]]), one, 2 * one)[0].tolist()
        [[6.0]]
    """
    fine = identified(inner)
    solved = np.linalg.solve(np.where(fine[:, None, None], inner, np.eye(inner.shape[1])), crossed)
    V = np.where(fine[:, None], own - np.einsum("brx,brx->bx", crossed, solved), np.nan)
    # the score along the free directions is 0 at the solution; what rounding leaves of it is taken out
    rest = slope - np.einsum("brx,br->bx", solved, (U[:, None, :] @ N)[:, 0, :])
    with np.errstate(divide="ignore", invalid="ignore"):
        V = np.where(UNIDENTIFIED * own < V, V, np.nan)
        return np.asarray(rest**2 / V), np.asarray(rest / V), np.asarray(solved)


def identified(inner: Array) -> Bools:
    """(b,) whether information can be inverted, whatever units its parameters have.

    Parameters:
        inner: (b, r, r) information along the directions a model is free in.

    Example:
        >>> identified(np.array([[[4.0, 2.0], [2.0, 1.0]], [[4.0, 1.0], [1.0, 1.0]]])).tolist()
        [False, True]
    """
    own = np.abs(np.diagonal(inner, axis1=1, axis2=2))
    scale = 1 / np.sqrt(np.where(own > 0, own, 1.0))
    levelled = inner * scale[:, :, None] * scale[:, None, :]
    finite = np.asarray(np.isfinite(levelled).all(axis=(1, 2)), dtype=np.bool_)
    values = np.linalg.eigvalsh(np.where(finite[:, None, None], levelled, 0.0))
    return np.asarray(finite & (values.min(axis=1, initial=1.0) > SINGULAR), dtype=np.bool_)


def modification_indices(est: Estimate) -> pl.DataFrame:
    """Modification indices and expected parameter changes of every fixed or absent parameter, largest index first.

    Cross-loadings of all items, residual covariances among indicators, covariances among constructs and regressions
    among the variables of the structural part; candidates that the model could not identify are left out, and so is
    `y ~ f` beside `f =~ y`, which is the same parameter.

    What an index announces is the drop of the estimator's own unscaled chi2, also for robust estimators (lavaan prints
    these too). For two-stage estimates that is the drop of the normal-theory chi2 of the EM moments, in which absent
    answers count as if given: a scaled difference (`csi.lrt`) is smaller. lavaan weighs these moments by their sample
    covariances instead; its indices of large misfits are far above any difference test.

    Parameters at a bound stay there: an index announces the drop of chi2 while the bound still binds.

    Parameters:
        est: a fit by `csi.SEM`.

    Returns:
        frame: the cell's key columns, lhs, op, rhs, group, mi, epc, sepc_lv, sepc_all (EPC with constructs, and with
        all variables, of variance 1; of residual covariances with residuals of variance 1), reason (a code where a
        number is absent: "R-IDENT" if the model is not identified, "R-NEGATIVE-VARIANCE" if a residual variance is
        negative). Cells stand in their order; within a cell the largest index is first.

    Raises:
        Problems: the estimate is not of `csi.SEM`.

    Source:
        Sörbom (1989), Psychometrika 54:371-384. Agrees with lavaan 0.6-14 (expected information), not for two-stage
        fits, nor for improper solutions (where a calculation by finite differences agrees with these: tests/measures);
        regressions that explain a given variable have the index that both programs give them with `fixed_x=False`
        (lavaan another with fixed.x = TRUE where several variables are given); nor sepc of variances, which is the
        standardised change here (Saris, Satorra & Sörbom, 1987) and in lavaan the standardised variance with the sign
        of the change.

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + b + c + d"), csi.Moments.of("abcd", cov, n=300), csi.SEM())
        >>> modification_indices(est).select("lhs", "op", "rhs", pl.col("mi", "epc").round(2)).row(0)
        ('a', '~~', 'b', 21.51, 0.26)
    """
    check_estimate(est)
    fit = fitted(est)
    table = fit.layout.table
    taken = [] if table.rules.conditional else [number for number, row in enumerate(table.rows) if row.sampled]
    wide = widened(table, [*_fixed(table), *taken], _absent(table))
    theta = solution_in(fit, wide)
    U, info = score(fit, wide.layout, theta)
    moved = np.isin(wide.rows, taken)
    mi, epc = modification(U, info, _beside(wide.spread @ free_directions(fit), wide.extra[moved]), wide.extra[~moved])
    scale = [factors(wide.layout, flats_of(fit, wide.layout), theta, kind) for kind in ("std_lv", "std_all")]
    known = np.isfinite(mi)
    keep = known.any(axis=0) | ~known.any()
    rows = wide.rows[~moved][keep]
    numbers = {"mi": mi[:, keep], "epc": epc[:, keep]}
    with np.errstate(invalid="ignore"):
        numbers |= {name: epc[:, keep] * s[:, rows] for name, s in zip(("sepc_lv", "sepc_all"), scale, strict=True)}
    return _largest_first(est, labels_of(wide.layout.table, rows), solved_only(est, numbers))


def _beside(N: Array, moments: Ints) -> Array:
    """Free directions (..., k, r) and, beside them, those of the moments of given variables: what explains a given
    variable makes its variance a residual one, so they move too; other indices do not depend on them.
    """
    own = np.eye(N.shape[-2])[:, moments]
    return np.concatenate([N, np.broadcast_to(own, (*N.shape[:-1], moments.size))], axis=-1)


def _largest_first(est: Estimate, labels: pl.DataFrame, numbers: dict[str, Array]) -> pl.DataFrame:
    """The frame, sorted by the index within each cell; equal ones in the order of the labels."""
    undefined = (~np.isfinite(numbers["sepc_all"])).reshape(-1).tolist()
    codes = [
        code or (NEGATIVE.code if bad else None)
        for code, bad in zip(absent_codes(est, numbers["mi"]), undefined, strict=True)
    ]
    frame = tidy(cells_of(est), labels, numbers, {"reason": codes})
    cell = pl.Series("_cell", np.repeat(np.arange(len(est.moments.n)), labels.height))
    by, down = ["_cell", "mi"], [False, True]
    return frame.with_columns(cell).sort(by, descending=down, nulls_last=True, maintain_order=True).drop("_cell")


def absent_codes(est: Estimate, numbers: Array) -> list[str | None]:
    """Why numbers (b, m) are absent: the code of their cell, else that something is not identified; None where not."""
    cells = cell_codes(est, numbers.shape[1])
    gone = np.isnan(numbers).reshape(-1).tolist()
    return [code or (IDENT.code if bad else None) for code, bad in zip(cells, gone, strict=True)]


def labels_of(table: Table, rows: Ints) -> pl.DataFrame:
    """lhs, op, rhs, group of some rows."""
    groups = table.rules.groups
    named = [table.rows[i] for i in rows.tolist()]
    columns = {
        "lhs": [r.lhs for r in named],
        "op": [r.op for r in named],
        "rhs": [r.rhs for r in named],
        "group": [groups[r.group] if groups else None for r in named],
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _fixed(table: Table) -> list[int]:
    """Fixed rows that could be free: no moments of the sample, nothing that the parameterisation derives."""
    ordinal = {name for name, _ in table.rules.ordered}
    theta = table.rules.theta
    derived = {("~*~", True), ("~~", False)}
    hidden = {n for c in table.rules.composites for n in (c.name, *c.rests, *c.items)}
    return [
        number
        for number, row in enumerate(table.rows)
        if row.fixed is not None
        and row.lhs not in hidden
        and not (row.lhs in ordinal and row.lhs == row.rhs and (row.op, theta) in derived)
    ]


def _absent(table: Table) -> list[Parameter]:
    """Rows that the table does not have, group by group, each once."""
    known = {_key(r.lhs, r.op, r.rhs, r.group) for r in table.rows}
    found: dict[tuple[str, str, str, int], Parameter] = {}
    for p in _candidates(table):
        found.setdefault(_key(p.lhs, p.op, p.rhs, p.group), p)
    return [p for key, p in found.items() if key not in known]


def _key(lhs: str, op: str, rhs: str, group: int) -> tuple[str, str, str, int]:
    """A parameter's name in which `a ~~ b` is `b ~~ a`, and `f =~ y` is `y ~ f`: one cell of the matrices."""
    if op == "~~":
        lhs, rhs = sorted((lhs, rhs))
    return (rhs, "~", lhs, group) if op == "=~" else (lhs, op, rhs, group)


def _candidates(table: Table) -> Iterator[Parameter]:
    """Every row that is considered, whether or not the table has it."""
    first = [r for r in table.rows if r.group == 0]
    indicators = {r.rhs for r in first if r.op == "=~"} & set(table.observed)
    outcomes = tuple(dict.fromkeys(r.lhs for r in first if r.op == "~"))
    structural = tuple(dict.fromkeys([*outcomes, *(r.rhs for r in first if r.op == "~")]))
    items = [n for n in table.observed if n in indicators]
    loose = [n for n in table.observed if n in indicators or n not in structural]
    hidden = {n for c in table.rules.composites for n in (*c.rests, *c.items)}
    latent, items, loose = ([n for n in names if n not in hidden] for names in (table.latent, items, loose))
    made = {c.name for c in table.rules.composites}
    for g in range(table.count):
        yield from (Parameter(f, "=~", y, g) for f in latent if f not in made for y in loose)
        yield from _pairs(items, g)
        yield from _pairs(latent, g)
        for y in (n for n in structural if n not in (table.exogenous if table.rules.conditional else ())):
            yield from (Parameter(y, "~", x, g) for x in structural if x != y)


def _pairs(names: list[str], g: int) -> Iterator[Parameter]:
    """Covariances of all pairs."""
    for i, a in enumerate(names):
        yield from (Parameter(a, "~~", b, g) for b in names[i + 1 :])
