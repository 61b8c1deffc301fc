"""Estimators side by side on what is read from them: paths, the index, the order of the drivers, the ranks of cells.

    in_se = |value - value of the first| / SE;   differs: in_se > 2, or another rank

Letters: `b` cells, `q` constructs, `m` quantities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import polars as pl

from csi.errors import Note, Problems, Text, note
from csi.estimate.estimate import Estimate
from csi.estimate.later import known
from csi.inference.pooled import copies_of
from csi.inference.rubin import rubin
from csi.measures.admissible import withheld_cells
from csi.measures.effects import chains, effects, total_effects
from csi.measures.standardised import standardised
from csi.moments.stack import Array
from csi.sem.fitted import Fitted
from csi.tracking.index import index
from csi.tracking.index_fit import key_columns
from csi.tracking.index_weights import Given
from csi.tracking.verdict import verdict

BEYOND = 2.0
"""A difference of more than this many standard errors is flagged."""

FEW = 3
"""So many cells are looked at one by one without a glance first."""

NEAR = 0.9
"""A correlation, path or R2 above this makes a cell doubtful."""

WIDE = 0.5
"""So does a standard error of a standardised path above this."""

RANKS = ("driver rank", "rank")
"""Parts whose values are ranks: they differ when they are not the same."""


@dataclass(frozen=True, slots=True)
class Triangulation:
    """What estimators say about the same things.

    Attributes:
        table: the cell's key columns; part ("path", "index", "total effect", "driver rank", "rank"); name ("y ~ x", or
            a construct); value_KEY of each estimate; std_error (the largest of those the estimates have, so that it
            does not matter which of them comes first); difference (the largest from the first that has a value),
            in_se, differs, null where fewer than two have one. Paths and effects are standardised; "driver rank" orders
            the drivers of the target by size, "rank" the cells by the target's index.
        target: the construct explained, None in a model without paths. verdict: one sentence. notes.
    """

    table: pl.DataFrame
    target: str | None
    verdict: Text | None
    notes: tuple[Note, ...] = ()


EMPTY = Triangulation(pl.DataFrame(), None, None)


def triangulate(given: Mapping[str, Estimate], target: str | None = None) -> Triangulation:
    """Lay what is read from several estimates of the same cells side by side.

    Parameters:
        given: key -> estimate; the first is the reference. target: a construct of all; the one with the most
            predictors in the first where None.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> data = pl.DataFrame(answers)
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> fits = {s.name: csi.fit(model, data, s, scale=(1, 10)) for s in (csi.PLS(), csi.SumScores())}
        >>> triangulate(fits).table.filter(part="path").select(pl.col("^value_.*$").round(3)).row(0)
        (0.912, 0.909)
    """
    first = next(iter(given.values()))
    shown = target or chosen_target(first, *given.values())
    if shown is None or any(e.settings.groups for e in given.values()):
        return EMPTY
    frames: dict[str, pl.DataFrame] = {}
    notes: list[Note] = []
    for key, est in given.items():
        parts, told = _parts(est, first, shown)
        frames[key] = pl.concat(parts)
        notes += told
    keys = key_columns(first)
    table = _judged(_joined(frames, keys), given, [*keys, "part", "name"])
    names = {k: e.settings.name for k, e in given.items()}
    erring = [names[k] for k in given if table.filter(part="path")[f"_error_{k}"].count()]
    table = table.drop(f"_error_{k}" for k in given)
    if len(erring) > 1:
        notes.append(_largest(erring))
    return Triangulation(table, shown, verdict(table, names, shown, keys), tuple(dict.fromkeys(notes)))


def _largest(names: Sequence[str]) -> Note:
    """Which standard error a difference is held against, where several estimates have one."""
    en = f"differences are held against the largest of the standard errors that {', '.join(names)} have."
    return note("N-COMPARE-ERROR", en, f"差异以 {'、'.join(names)} 各自标准误中最大者衡量。")


def chosen_target(est: Estimate, *others: Estimate) -> str | None:
    """The construct with the most constructs pointing at it, the first of several; None without paths.

    Parameters:
        others: estimates in which constructs point at it as well.
    """
    names, counts = est.solution.constructs, [_pointing(one) for one in (est, *others)]
    count = {y: counts[0][y] for y in names if all(one.get(y) for one in counts)}
    return max(count, key=lambda y: count[y], default=None)


def _pointing(est: Estimate) -> dict[str, int]:
    """Construct -> how many constructs point at it."""
    names = est.solution.constructs
    return {y: sum(x in names for x in est.model.predictors(y)) for y in names}


def _parts(est: Estimate, first: Estimate, target: str) -> tuple[list[pl.DataFrame], list[Note]]:
    """Every quantity of one estimate, in long frames."""
    turn, withheld = directions(est, first), withheld_cells(est, doubtful_cells(est))
    turn[list(withheld)] = np.nan  # what must not be read is absent
    paths, effect = _paths(est, turn), _effects(est, turn, target)
    indices, told = _indices(est, directions(est, first))
    if withheld:
        why = next(iter(withheld.values())).text
        name = est.settings.name
        en, zh = f"paths and effects of {name} are withheld: {why.en}", f"{name} 的路径与效应不予显示：{why.zh}"
        told = [*told, note("N-COMPARE-WITHHELD", en, zh)]
    frames = [paths, *indices, effect, _driver_ranks(effect, key_columns(est))]
    if indices and key_columns(est):
        frames.append(_cell_ranks(indices[0], target, key_columns(est)))
    return frames, told


def doubtful_cells(est: Estimate) -> list[int]:
    """Cells whose paths the doctor may withhold, by what shows at a glance; all of a few.

    Not converged, improper, a correlation, path or R2 near 1 or beyond, a standard error of a path that is absent or
    large: nothing is withheld without one of these.
    """
    b, sol = len(est.values), est.solution
    if b <= FEW:
        return list(range(b))
    off = sol.construct_cor - np.eye(sol.construct_cor.shape[1]) * sol.construct_cor
    large = [np.nan_to_num(np.abs(a), nan=0.0).reshape(b, -1).max(axis=1) > NEAR for a in (off, sol.paths, sol.r2)]
    flags = [f for name, f in est.convergence.improper.items() if name != "negative weight"]
    doubt = ~est.convergence.converged | np.any([*large, *flags], axis=0)
    if est.std_error is not None and est.std_all is not None and est.replicates is None:
        at = [k for k, row in enumerate(est.rows) if row.op == "~"]
        with np.errstate(divide="ignore", invalid="ignore"):
            error = est.std_error[:, at] * np.abs(est.std_all[:, at] / est.values[:, at])
        doubt |= ~(error < WIDE).all(axis=1)
    return [int(cell) for cell in np.flatnonzero(doubt)]


def directions(est: Estimate, first: Estimate) -> Array:
    """(b, q) -1 where a construct's items load on it the other way round than in the first estimate."""
    one, other = est.solution, first.solution
    shared = [(k, other.items.index(i)) for k, i in enumerate(one.items) if i in other.items]
    turn = np.ones((len(one.loadings), len(one.constructs)))
    for k, name in enumerate(one.constructs):
        at = [(a, b) for a, b in shared if one.block[a] == k and other.constructs[other.block[b]] == name]
        if at:
            mine, theirs = (list(places) for places in zip(*at, strict=True))
            agreement = (one.loadings[:, mine] * other.loadings[:, theirs]).sum(axis=1)
            turn[:, k] = np.where(agreement < 0, -1.0, 1.0)
    return turn


def _frame(est: Estimate, part: str, names: list[str], values: Array, errors: Array | None) -> pl.DataFrame:
    """(b, m) values of one part as a long frame."""
    b, m = values.shape
    keys = est.moments.cells.select(pl.col(k).repeat_by(m).explode() for k in key_columns(est))
    known = np.where(np.isfinite(values), np.nan if errors is None else errors, np.nan)
    numbers = {"value": values.reshape(-1), "std_error": known.reshape(-1)}
    table = pl.DataFrame({"part": [part] * (b * m), "name": names * b, **numbers}, schema_overrides=_SCHEMA)
    table = table.with_columns(pl.col("value", "std_error").fill_nan(None))
    return pl.concat([keys, table], how="horizontal")


_SCHEMA = {"part": pl.String, "name": pl.String, "value": pl.Float64, "std_error": pl.Float64}


def _paths(est: Estimate, turn: Array) -> pl.DataFrame:
    """Standardised paths among constructs, with standard errors where the estimate has them."""
    names = est.solution.constructs
    at = [(names.index(y), names.index(x)) for y in names for x in est.model.predictors(y) if x in names]
    y, x = np.array(at, dtype=np.int64).reshape(-1, 2).T
    labels = [f"{names[a]} ~ {names[b]}" for a, b in at]
    values = est.solution.paths[:, y, x] * turn[:, y] * turn[:, x]
    return _frame(est, "path", labels, values, _path_errors(est, labels))


def _path_errors(est: Estimate, labels: list[str]) -> Array | None:
    """(b, m) standard errors of standardised paths; None where the estimate has none."""
    if est.std_error is None or not labels:
        return None
    copies = copies_of(est)
    if copies:
        return _pooled_errors(copies, labels)
    table = standardised(est) if isinstance(est.extra.get("sem"), Fitted) and est.replicates is None else est.table
    if isinstance(est.extra.get("sem"), Fitted) and est.replicates is not None:
        return _drawn_errors(est, labels)
    rows = table.filter(pl.col("op") == "~").with_columns(name=pl.format("{} ~ {}", "lhs", "rhs"))
    errors = [rows.filter(pl.col("name") == label)["std_error"].to_numpy() for label in labels]
    return np.stack(errors, axis=1).astype(np.float64) if all(len(e) == len(est.values) for e in errors) else None


def _pooled_errors(copies: Sequence[Estimate], labels: list[str]) -> Array | None:
    """(b, m) standard errors of standardised paths of completed copies, by Rubin's rules."""
    errors = [e for e in (_path_errors(copy, labels) for copy in copies) if e is not None]
    values = [_paths_of(copy, labels) for copy in copies]
    return rubin(np.stack(values), np.stack(errors)).std_error if len(errors) == len(copies) else None


def _paths_of(est: Estimate, labels: list[str]) -> Array:
    """(b, m) standardised paths."""
    names = est.solution.constructs
    pairs = [label.split(" ~ ") for label in labels]
    return np.stack([est.solution.paths[:, names.index(y), names.index(x)] for y, x in pairs], axis=-1)


def _drawn_errors(est: Estimate, labels: list[str]) -> Array | None:
    """(b, m) standard errors of standardised paths from the replicates of a covariance fit."""
    if est.replicates is None:
        return None
    names, drawn = est.solution.constructs, est.replicates
    pairs = [label.split(" ~ ") for label in labels]
    paths = drawn.solution.paths.reshape(drawn.n, len(est.values), len(names), len(names))
    values = np.stack([paths[..., names.index(y), names.index(x)] for y, x in pairs], axis=-1)
    values[~drawn.usable] = np.nan
    return np.asarray(np.nanstd(values, axis=0, ddof=1), dtype=np.float64)


def _effects(est: Estimate, turn: Array, target: str) -> pl.DataFrame:
    """Standardised total effects of the target's drivers."""
    names = est.solution.constructs
    products = {c.name for c in est.model.constructs if c.product_of}
    causes = {c[0] for c in chains(est.model) if c[-1] == target} - products
    at, y = [k for k, name in enumerate(names) if name in causes], names.index(target)
    values = total_effects(est.solution.paths)[:, y, at] * turn[:, [y]] * turn[:, at]
    errors = None
    if est.std_error is not None:
        table = effects(est).table.filter(pl.col("effect") == "total", pl.col("outcome") == target)
        known = "std_error" in table.columns
        found = [table.filter(pl.col("predictor") == names[k])["std_error"].to_numpy() for k in at] if known else []
        if found and all(len(e) == len(values) for e in found):
            errors = np.stack(found, axis=1).astype(np.float64)
    return _frame(est, "total effect", [names[k] for k in at], values, errors)


def _driver_ranks(effect: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The drivers in order of the size of their total effects, 1 for the largest."""
    rank = pl.col("value").abs().rank("min", descending=True)  # of an absent value absent
    ranked = rank.over(keys) if keys else rank
    return effect.with_columns(
        part=pl.lit("driver rank"), value=ranked.cast(pl.Float64), std_error=pl.lit(None, pl.Float64)
    )


def _indices(est: Estimate, turn: Array) -> tuple[list[pl.DataFrame], list[Note]]:
    """The index of every construct; a note where there is none."""
    est = _of_answers(est)
    try:
        made = (
            index(est)
            if est.solution.weights is not None
            else index(est, given=own_item_weights(est, turn), formula="F6")
        )
    except Problems as error:
        said, name = error.problems[0].what, est.settings.name
        if error.problems[0].code == "E-SCALE":
            en = "no index is compared: the theoretical bounds of the items are unknown."
            return [], [note("N-COMPARE-INDEX", en, "未比较指数：题项的理论上下限未知。")]
        return [], [note("N-COMPARE-INDEX", f"{name} has no index: {said.en}", f"{name} 没有指数：{said.zh}")]
    table = made.measured.with_columns(
        part=pl.lit("index"), name="construct", value="index", std_error=pl.coalesce("std_error", "std_error_fixed")
    )
    told = []
    if est.solution.weights is None:
        en = "a covariance model has no scores: its index weighs the items of a construct by loading / error variance."
        zh = "协方差模型没有分数：其指数按“载荷 / 误差方差”对构念的题项加权。"
        told.append(note("N-COMPARE-SEM-INDEX", en, zh))
    return [table.select(*key_columns(est), "part", "name", "value", "std_error")], told


def _of_answers(est: Estimate) -> Estimate:
    """The estimate without items that nobody answered: the products of a covariance model with interactions."""
    sol = est.solution
    if est.sample is None or set(sol.items) <= set(est.sample.names):
        return est
    at = [k for k, item in enumerate(sol.items) if item in est.sample.names]
    items = tuple(sol.items[k] for k in at)
    kept = replace(sol, items=items, block=sol.block[at], loadings=sol.loadings[:, at], cross_loadings=None)
    return replace(est, solved=known(kept))


def own_item_weights(est: Estimate, turn: Array) -> Given:
    """Weights of 0-100 items that fit a factor best from its own items: loading / error variance, pooled over cells.

    A construct with a loading that is not between 0 and 1 gets none.

    Source: Bartlett (1937), British Journal of Psychology 28: the weights of a factor's score from its own items.
    """
    sol = est.solution
    at = [est.moments.names.index(i) for i in sol.items]
    loadings = sol.loadings * turn[:, sol.block]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = loadings / (1 - loadings**2) / est.moments.sd[:, at] * (est.moments.maximum - est.moments.minimum)[at]
    single = np.bincount(sol.block, minlength=len(sol.constructs))[sol.block] == 1
    each = np.where(single, 1.0, each)
    usable = np.isfinite(loadings).all(axis=1)
    share = est.moments.n[usable] / est.moments.n[usable].sum()
    pooled = (each[usable] * share[:, None]).sum(axis=0)
    return {
        name: {sol.items[k]: float(pooled[k]) for k in np.flatnonzero(sol.block == j)}
        for j, name in enumerate(sol.constructs)
        if (sol.block == j).any() and (pooled[sol.block == j] > 0).all()
    }


def _cell_ranks(indices: pl.DataFrame, target: str, keys: list[str]) -> pl.DataFrame:
    """The cells of a wave (or all cells) in order of the target's index, 1 for the highest."""
    within = [k for k in keys if k == "wave"] if len(keys) > 1 else []
    rank = pl.col("value").rank("min", descending=True)
    rows = indices.filter(pl.col("name") == target)
    ranked = rank.over(within) if within else rank
    return rows.with_columns(part=pl.lit("rank"), value=ranked.cast(pl.Float64), std_error=pl.lit(None, pl.Float64))


def _joined(frames: Mapping[str, pl.DataFrame], keys: list[str]) -> pl.DataFrame:
    """One row per cell, part and name; value_KEY and _error_KEY of each estimate."""
    on = [*keys, "part", "name"]
    every = pl.concat([f.select(on) for f in frames.values()]).unique(maintain_order=True)
    cells = {k: f.rename({"value": f"value_{k}", "std_error": f"_error_{k}"}) for k, f in frames.items()}
    return reduce(
        lambda a, b: a.join(b, on=on, how="left", nulls_equal=True, maintain_order="left"), cells.values(), every
    )


def _judged(table: pl.DataFrame, given: Mapping[str, Estimate], on: list[str]) -> pl.DataFrame:
    """The standard error that counts, the largest difference from the first that has a value, whether it is beyond it.

    A row that fewer than two estimates have is not judged.
    """
    values, errors = [f"value_{k}" for k in given], [f"_error_{k}" for k in given]
    shared = pl.sum_horizontal(pl.col(v).is_not_null() for v in values) > 1
    gaps = [pl.col(v) - pl.coalesce(values) for v in values]
    widest = pl.max_horizontal(g.abs() for g in gaps)
    signed = pl.when(shared).then(pl.coalesce(pl.when(g.abs() == widest).then(g) for g in gaps))
    table = table.with_columns(std_error=pl.max_horizontal(errors), difference=signed)
    ranks = pl.col("part").is_in(RANKS)
    in_se = pl.when(pl.col("std_error") > 0).then(pl.col("difference").abs() / pl.col("std_error"))
    table = table.with_columns(in_se=in_se)
    differs = pl.when(ranks).then(pl.col("difference") != 0).otherwise(pl.col("in_se") > BEYOND)
    return table.with_columns(differs=differs).select(
        *on, *values, "std_error", "difference", "in_se", "differs", *errors
    )
