"""One cell's regression of expectation on its causes, its resamples, and orders of influence among the causes.

Letters: `n` rows, `k` causes, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, Text, capped, one_of, problem
from csi.expectation.composites import Composite
from csi.importance.shares import SINGULAR, Regression, covariances, regression
from csi.inference.adjust import adjust
from csi.inference.draws import percentiles
from csi.inference.linearised import Design, p_of_t
from csi.inference.order import Order, order
from csi.inference.resample import drawn_weights
from csi.inference.sandwich import robust_slopes
from csi.moments.stack import Array, Ints, Sample
from csi.survey.bases import Bases
from csi.survey.keyed import stacked

Influence = Literal["relative_weight", "beta", "slope"]
"""What is compared when causes are put in order."""

ESTIMANDS: Final[Mapping[Influence, Text]] = {
    "relative_weight": Text("relative weights", "相对权重"),
    "beta": Text("standardised slopes", "标准化斜率"),
    "slope": Text("slopes", "斜率"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """The regression of one cell.

    Attributes:
        names: k causes. Z: (n, k + 1) expectation, then causes; weight, unit: (n,). stratum: (units,) declared, or
            None. point: from the cell's moments; drawn: from B resamples. slopes, std_error, df: (k,) robust. bounds:
            scale of each cause.
    """

    names: tuple[str, ...]
    Z: Array
    weight: Array
    unit: Ints
    stratum: Ints | None
    point: Regression
    drawn: Regression
    slopes: Array
    std_error: Array
    df: Array
    bounds: tuple[tuple[float, float], ...]

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.Z)

    def of(self, influence: Influence) -> tuple[Array, Array]:
        """(k,) and (B, k) of what is compared; slopes and betas as they are, with their signs."""
        name = {"relative_weight": "weights", "beta": "betas", "slope": "slopes"}[influence]
        return getattr(self.point, name), getattr(self.drawn, name)


@dataclass(frozen=True, slots=True)
class Untold:
    """A cell without a regression: its causes, its rows, and why; no problems where the rows are merely too few."""

    names: tuple[str, ...]
    n: int
    why: tuple[Problem, ...] = ()


def cells_of(
    sample: Sample, Z: Array, parts: Sequence[Composite], replicates: int, seed: int, small: int
) -> list[Cell | Untold]:
    """The regression of every cell, or why it has none.

    Parameters:
        Z: (rows of the sample, k + 1) composites, the expectation first. small: several cells with fewer rows are not
            told, so none is tried.

    Raises:
        Problems: those of all cells, where none has a regression.
    """
    whole = np.isfinite(Z).all(axis=1)
    names, found = tuple(p.name for p in parts[1:]), list[Cell | Untold]()
    for cell in range(sample.cells.height):
        n = int((whole & (sample.cell == cell)).sum())
        if n < small and sample.cells.height > 1:
            found.append(Untold(names, n))
            continue
        try:
            found.append(cell_of(sample, Z, parts, cell, replicates, seed))
        except Problems as refused:
            found.append(Untold(names, n, refused.problems))
    problems = [p for c in found if isinstance(c, Untold) for p in c.why]
    if problems and not any(isinstance(c, Cell) for c in found):
        raise Problems(capped(problems))
    return found


def cell_of(sample: Sample, Z: Array, parts: Sequence[Composite], cell: int, replicates: int, seed: int) -> Cell:
    """The regression of one cell and of its resamples.

    Parameters:
        Z: (rows of the sample, k + 1) composites, the expectation first.

    Raises:
        Problems: E-ROWS (too few rows), E-COLL (causes that cannot be told apart or do not vary).
    """
    names = tuple(p.name for p in parts[1:])
    rows = np.flatnonzero((sample.cell == cell) & np.isfinite(Z).all(axis=1))
    X, w, unit = Z[rows], sample.weight[rows], sample.unit[rows]
    place = " ".join(str(v) for v in sample.cells.drop("n").row(cell)) if sample.cells.width > 1 else "data"
    _enough(X, names, place)
    point = regression(covariances(X, w[None])[0])
    _apart(X, names, point, place)
    parts_ = [covariances(X, drawn) for drawn in drawn_weights(sample, replicates, seed, rows)]
    known = Design.of(sample, rows).known
    robust = robust_slopes(np.column_stack([np.ones(len(X)), X[:, 1:]]), X[:, 0], w, unit, sample.layer, known)
    return Cell(
        names=names,
        Z=X,
        weight=w,
        unit=unit,
        stratum=sample.layer,
        point=point,
        drawn=regression(np.concatenate(parts_)[:replicates]),
        slopes=robust.slopes[1:],
        std_error=robust.std_error[1:],
        df=robust.df[1:],
        bounds=tuple((p.low, p.high) for p in parts[1:]),
    )


def _enough(X: Array, names: Sequence[str], place: str) -> None:
    """Refuse cells with too few rows."""
    least = 5 * (len(names) + 1)
    if len(X) < least:
        en = f"{len(X)} respondents answered expectation and all {len(names)} causes; {least} are needed."
        zh = f"同时回答期望与全部 {len(names)} 个成因的仅有 {len(X)} 人，至少需要 {least} 人。"
        do = "Leave out causes that few were asked about (--causes), or pool cells."
        raise Problems([problem("E-ROWS", place, en, zh, do, "请用 --causes 去掉少有人回答的成因，或合并单元。")])


def _apart(X: Array, names: Sequence[str], point: Regression, place: str) -> None:
    """Refuse causes that do not vary or are each other's sums."""
    flat = [n for n, s in zip(("expectation", *names), X.std(axis=0), strict=True) if s == 0]
    if flat:
        en, zh = f"no variation in {', '.join(flat)}.", f"{'、'.join(flat)} 没有变异。"
        raise Problems([problem("E-COLL", place, en, zh, "Leave it out.", "请将其去掉。")])
    if point.eigenvalues[0] <= SINGULAR:
        cor = np.corrcoef(X[:, 1:].T) - np.eye(len(names))
        i, j = divmod(int(np.abs(cor).argmax()), len(names))
        en = f"the causes cannot be told apart; closest are {names[i]} and {names[j]} (r = {cor[i, j]:.3f})."
        zh = f"成因之间无法区分；最接近的是 {names[i]} 与 {names[j]}（r = {cor[i, j]:.3f}）。"
        raise Problems([problem("E-COLL", place, en, zh, "Leave one of them out.", "请去掉其中之一。")])


def table_of(
    keys: pl.DataFrame, cells: Sequence[Cell | Untold], parts: Sequence[Sequence[Composite]], level: float, bases: Bases
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Causes by cell, and how much is explained in each; null, with the reason, in cells that cannot be told.

    Parameters:
        keys: (cells, keys). parts: composites of each cell, the expectation first.
    """
    causes = [rows_of(c, p, level) if isinstance(c, Cell) else _blank(c, p) for c, p in zip(cells, parts, strict=True)]
    fits = [fit_row(c, level) if isinstance(c, Cell) else pl.DataFrame({"n": [c.n]}) for c in cells]
    frames = ([f.with_columns(*_said(c)) for f, c in zip(own, cells, strict=True)] for own in (causes, fits))
    told = (pl.concat(_keyed(keys, own), how="diagonal") for own in frames)
    causes_, fits_ = (bases.withheld(f.select(*keys.columns, *columns)) for f, columns in zip(told, SHAPE, strict=True))
    return causes_, fits_


def _keyed(keys: pl.DataFrame, frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Frames of cells with their key columns."""
    return [pl.concat([keys[[c] * f.height], f], how="horizontal") for c, f in enumerate(frames)]


def _said(cell: Cell | Untold) -> list[pl.Expr]:
    """The columns of reasons."""
    why = cell.why[0].what if isinstance(cell, Untold) and cell.why else Text("", "")
    said = (("reason", why.en), ("reason_zh", why.zh))
    return [pl.lit(text or None, dtype=pl.String).alias(name) for name, text in said]


def _blank(cell: Untold, parts: Sequence[Composite]) -> pl.DataFrame:
    """Rows of causes without numbers."""
    k = len(cell.names)
    return pl.DataFrame({"cause": cell.names, "items": [len(q.items) for q in parts[1:]], "n": [cell.n] * k})


SHAPE: Final = (
    (
        "cause", "items", "n", "mean", "sd", "r", "slope", "std_error", "p_value", "p_adjusted", "beta", "beta_low",
        "beta_high", "relative_weight", "relative_low", "relative_high", "share", "share_low", "share_high", "vif",
        "reason", "reason_zh",
    ),
    ("n", "r2", "r2_low", "r2_high", "r2_adjusted", "condition", "reason", "reason_zh"),
)  # fmt: skip
"""Columns of both tables."""


def rows_of(cell: Cell, parts: Sequence[Composite], level: float) -> pl.DataFrame:
    """The table of one cell."""
    x, w = cell.Z[:, 1:], cell.weight / cell.weight.sum()
    mean = w @ x
    sd = np.sqrt(w @ (x - mean) ** 2 * cell.n / (cell.n - 1))
    se = cell.std_error
    p = p_of_t(cell.slopes / se, cell.df)
    share, drawn = cell.point.weights / cell.point.r2, cell.drawn.weights / cell.drawn.r2[:, None]
    cov = covariances(cell.Z, cell.weight[None])[0]
    r = cov[0, 1:] / np.sqrt(cov[0, 0] * np.diagonal(cov)[1:])
    numbers = {"mean": mean, "sd": sd, "r": r, "slope": cell.slopes, "std_error": se, "p_value": p}
    numbers["p_adjusted"] = adjust(p, "holm")
    numbers |= spanned("beta", "beta", cell.point.betas, cell.drawn.betas, level)
    numbers |= spanned("relative_weight", "relative", cell.point.weights, cell.drawn.weights, level)
    numbers |= spanned("share", "share", share, drawn, level)
    numbers["vif"] = cell.point.vif
    head = {"cause": list(cell.names), "items": [len(q.items) for q in parts[1:]], "n": [cell.n] * len(cell.names)}
    return pl.DataFrame(head | numbers)


def spanned(name: str, stem: str, value: Array, drawn: Array, level: float) -> dict[str, Array]:
    """A number and its percentile bounds as columns."""
    low, high = percentiles(drawn, level)
    return {name: value, f"{stem}_low": low, f"{stem}_high": high}


def fit_row(cell: Cell, level: float) -> pl.DataFrame:
    """How much is explained, and how far the causes can be told apart."""
    low, high = percentiles(cell.drawn.r2[:, None], level)
    k, r2 = len(cell.names), float(cell.point.r2)
    values = cell.point.eigenvalues
    return pl.DataFrame(
        {
            "n": [cell.n],
            "r2": [r2],
            "r2_low": low,
            "r2_high": high,
            "r2_adjusted": [1 - (1 - r2) * (cell.n - 1) / (cell.n - k - 1)],
            "condition": [float(np.sqrt(values[-1] / values[0]))],
        }
    )


def influence_problems(influence: str) -> None:
    """Raise when what is to be compared does not exist."""
    found = one_of("influence", influence, get_args(Influence))
    if found:
        raise Problems(found)


def orders_of(
    cells: Mapping[str, Cell | Untold],
    keys: pl.DataFrame,
    claims: Mapping[str, str | Sequence[str]],
    influence: Influence,
    labels: Mapping[str, Text],
    seed: int,
) -> tuple[dict[str, Order], pl.DataFrame]:
    """The tests of the cells that make claims, and their rows with the cells' keys.

    Parameters:
        cells: name -> cell. keys: (cells, keys). claims: name -> hypotheses; none of a cell that is not told.
    """
    tests, frames, at = dict[str, Order](), list[pl.DataFrame](), list[int]()
    for number, (name, cell) in enumerate(cells.items()):
        if name in claims and isinstance(cell, Cell):
            tests[name], rows = order_rows(cell, claims[name], influence, labels, seed)
            frames.append(rows)
            at.append(number)
    return tests, stacked(keys[at] if keys.width else keys, frames) if frames else pl.DataFrame()


def order_rows(
    cell: Cell, hypotheses: str | Sequence[str], influence: Influence, labels: Mapping[str, Text], seed: int
) -> tuple[Order, pl.DataFrame]:
    """The test of the declared estimand, and its rows with those of the standardised slopes beside.

    Raises:
        Problems: E-ORDER (slopes of unequal scales; hypotheses that cannot be read).
    """
    if influence == "slope" and len(set(cell.bounds)) > 1:
        told = ", ".join(f"{n} {low:g}-{high:g}" for n, (low, high) in zip(cell.names, cell.bounds, strict=True))
        en, zh = f"slopes on unequal scales are compared: {told}.", f"比较了不同量程上的斜率：{told}。"
        do = 'Use influence="relative_weight" or "beta".'
        raise Problems([problem("E-ORDER", "influence", en, zh, do, '请使用 influence="relative_weight" 或 "beta"。')])
    tests = {which: _test(cell, hypotheses, which, labels, seed) for which in dict.fromkeys((influence, "beta"))}
    rows = [_rows(test, which, declared=which == influence) for which, test in tests.items()]
    return tests[influence], pl.concat(rows)


def _test(
    cell: Cell, hypotheses: str | Sequence[str], influence: Influence, labels: Mapping[str, Text], seed: int
) -> Order:
    """Bootstrap support and GORICA of one estimand."""
    value, drawn = cell.of(influence)
    named = dict(zip(cell.names, value.tolist(), strict=True))
    return order(named, hypotheses, draws=drawn, seed=seed, labels=labels)


def _rows(test: Order, influence: Influence, *, declared: bool) -> pl.DataFrame:
    """The hypotheses of one test."""
    best = test.ranking.filter("preferred").row(0, named=True)
    head = [pl.lit(influence).alias("estimand"), pl.lit(declared).alias("declared"), pl.col("hypothesis")]
    tail = [
        pl.lit(best["order"]).alias("preferred"),
        pl.lit(best["support"], dtype=pl.Float64).alias("preferred_support"),
    ]
    tested = test.table.filter(pl.col("weight_complement").is_not_null())
    return tested.select(*head, "support", "weight", "weight_complement", *tail)
