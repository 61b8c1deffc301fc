"""Multiple imputation: a list of completed panels, drawn from the normal model with its parameters' uncertainty.

Letters: `n` rows, `p` items, `m` imputations, `a` absent and `o` answered items of a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, note, problem, seed_problems, whole
from csi.inference.resample import drawn_weights
from csi.moments.expectation import em_moments
from csi.moments.patterns import PatternRows, pattern_rows
from csi.moments.pearson import cell_slices
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.panel import Panel
from csi.survey.readers.frames import to_polars

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

Completed = Panel | pl.DataFrame

STRUCTURAL = "not_asked"
"""The reason of an absence that is no nonresponse: the question did not apply, so there is no answer to imagine."""


def impute(
    data: object,
    m: int = 20,
    seed: int = 1,
    items: Sequence[str] | str | None = None,
    by: Sequence[str] | str = (),
    *,
    na: Sequence[float] = (),
) -> tuple[Completed, ...]:
    """`m` completed copies of a panel or frame, for `csi.pool`.

    Each copy has parameters of its own: the EM moments of a bootstrap resample of the respondents. Absent answers are
    then drawn given the answered ones,

        x_a ~ N(mu_a + S_ao S_oo^-1 (x_o - mu_o), S_aa - S_ao S_oo^-1 S_oa).

    Draws are not rounded or cut to the scale, which would bias means and covariances. Answers that a panel's codebook
    calls "not asked" (a structural skip) stay absent. What is absent may depend on the items that are answered.

    Parameters:
        data: a Panel or a frame. m: copies, 2 or more. seed: the same seed gives the same copies whatever the order of
            the rows. items: which columns; a panel's items or a frame's numeric columns by default. Where some rows
            answer none of them, the other items (numeric columns) that vary predict them; rows without any answer stay
            absent. by: key columns within whose cells answers are imputed; one model for all rows without them.
            na: a frame's codes of "no answer".

    Returns:
        m panels, or m polars frames, with rows and columns in their order.

    Raises:
        Problems: fewer than two copies, a column that is not there or not numeric, absences that nothing predicts, a
            cell in which the moments cannot be estimated (too few rows, an item nobody answered, items never answered
            together).

    Source:
        Rubin (1987), Multiple Imputation for Nonresponse in Surveys; Honaker & King (2010), American Journal of
        Political Science 54(2) (bootstrap and EM); on rounding: Horton, Lipsitz & Parzen (2003), The American
        Statistician 57(4).

    Example:
        >>> frame = pl.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [1.5, 2, 3.5, None, 5, 6]})
        >>> one, two = impute(frame, m=2, seed=3)
        >>> one["b"].null_count(), one["a"].equals(frame["a"]), one["b"][3] != two["b"][3]
        (0, True, True)
    """
    by = (by,) if isinstance(by, str) else tuple(by)
    frame = data.frame if isinstance(data, Panel) else _polars(data)
    names = (items,) if isinstance(items, str) else tuple(items or _items(data, frame))
    _check(m, seed, names)
    sample = sample_of(data, names, by, missing="em", na=na)
    wider = _with_predictors(data, frame, sample, by, na)
    filled = _completed(sample if wider is None else wider, m, seed)
    if wider is not None and np.isfinite(filled).all():
        sample = wider
    elif wider is not None:  # the others are never answered together, say: what can be done without them
        filled = _completed(sample, m, seed)
    lost = [] if np.isfinite(filled).all() else _unsolved(sample, filled)
    if lost:
        raise Problems(lost)
    order = np.asarray(sample.place)
    done = tuple(_put(data, frame, names, order, rows, m) for rows in filled)
    silent = frame.height - len(order)
    if not silent:
        return done
    if not isinstance(data, Panel) and not np.isnan(sample.rows[:, : len(names)]).any():
        raise Problems([_nothing(names, silent)])
    return tuple(replace(p, notes=(*p.notes, _silent(silent))) if isinstance(p, Panel) else p for p in done)


def _with_predictors(
    data: object, frame: pl.DataFrame, sample: Sample, by: Sequence[str], na: Sequence[float]
) -> Sample | None:
    """The rows with all other items that vary besides, where some answer none of the sample's; None without need."""
    taken = {*sample.names, *by}
    others = tuple(n for n in _items(data, frame) if n not in taken and frame[n].drop_nulls().n_unique() > 1)
    if len(sample.rows) == frame.height or not others:
        return None
    return sample_of(data, (*sample.names, *others), by, missing="em", na=na)


def _nothing(names: Sequence[str], silent: int) -> Problem:
    """Every absence is in a row that answers nothing else."""
    en = f"nothing to impute from: the {silent} rows with absences answer no other item."
    zh = f"没有可据以插补的回答：有缺失的 {silent} 行没有回答任何其他题项。"
    do, do_zh = "Name more items, keep more columns, or drop these rows.", "请指定更多题项、保留更多列，或删去这些行。"
    return problem("E-IMPUTE", ", ".join(names[:6]), en, zh, do, do_zh)


def _silent(rows: int) -> Note:
    """How many rows stayed absent."""
    en = f"{rows} rows without any answer to go by were not imputed."
    return note("W-IMPUTED-LEFT", en, f"{rows} 行没有可据以插补的回答，未插补。")


def _polars(data: object) -> pl.DataFrame:
    return data if isinstance(data, pl.DataFrame) else to_polars(cast("IntoFrame", data), "data")


def _items(data: object, frame: pl.DataFrame) -> tuple[str, ...]:
    """A panel's items, or the numeric columns of a frame."""
    if isinstance(data, Panel):
        return tuple(n for n in data.codebook.names if n in frame.columns and frame[n].null_count() < frame.height)
    return tuple(n for n, kind in frame.schema.items() if kind.is_numeric())


def _check(m: int, seed: int, names: Sequence[str]) -> None:
    """Raise when a setting makes no sense."""
    found = []
    found += whole("m", m)
    if not whole("m", m) and m < 2:
        en, zh = f"{m} imputation says nothing about its own uncertainty.", f"仅 {m} 次插补无法反映插补的不确定性。"
        found.append(problem("E-IMPUTE", "m", en, zh, "Use m=20, say.", "例如 m=20。"))
    found += seed_problems(seed)
    if not names:
        en, zh = "the data have no numeric column to impute.", "数据中没有可插补的数值列。"
        found.append(problem("E-IMPUTE", "items", en, zh, "Name the items.", "请指定题项。"))
    if found:
        raise Problems(found)


def _completed(sample: Sample, m: int, seed: int) -> Array:
    """(m, n, p) rows of the sample without absences; NaN in cells whose moments cannot be estimated."""
    out = np.repeat(sample.rows[None], m, axis=0)
    weights = np.concatenate([*drawn_weights(sample, m, seed)])
    for number, rows in enumerate(cell_slices(sample)):
        answers = sample.rows[rows]
        if not np.isnan(answers).any():
            continue
        mean, cov = em_moments(answers, weights[:, rows])
        patterns = pattern_rows(answers)
        for d in range(m):
            if not (np.isfinite(mean[d]).all() and np.isfinite(cov[d]).all()):
                continue
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, d, number, 7])))
            out[d, rows] = drawn_rows(answers, patterns, mean[d], cov[d], rng)
    return out


def drawn_rows(answers: Array, patterns: PatternRows, mean: Array, cov: Array, rng: np.random.Generator) -> Array:
    """Rows with their absent answers drawn given the answered ones.

    Parameters:
        answers: (n, p), NaN where absent. patterns: theirs. mean: (p,). cov: (p, p).

    Example:
        >>> rows = np.array([[1.0, np.nan], [2.0, 2.0]])
        >>> sure = np.array([[1.0, 1.0], [1.0, 1.0]])  # both items are the same but for the mean
        >>> drawn_rows(rows, pattern_rows(rows), np.array([0.0, 3.0]), sure, np.random.default_rng(1)).round(6).tolist()
        [[1.0, 4.0], [2.0, 2.0]]
    """
    out = answers.copy()
    for number, seen in enumerate(patterns.observed):
        at = patterns.order[patterns.starts[number] : patterns.starts[number + 1]]
        a, o = np.flatnonzero(~seen), np.flatnonzero(seen)
        if not a.size:
            continue
        slopes = np.linalg.solve(cov[np.ix_(o, o)], cov[np.ix_(o, a)]) if o.size else np.zeros((0, a.size))
        left = cov[np.ix_(a, a)] - cov[np.ix_(a, o)] @ slopes
        values, vectors = np.linalg.eigh(0.5 * (left + left.T))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        middle = mean[a] + (answers[np.ix_(at, o)] - mean[o]) @ slopes
        out[np.ix_(at, a)] = middle + rng.standard_normal((at.size, a.size)) @ root.T
    return out


def _unsolved(sample: Sample, filled: Array) -> list[Problem]:
    """A problem for each cell without moments."""
    found = []
    for number, rows in enumerate(cell_slices(sample)):
        failed = int((~np.isfinite(filled[:, rows])).any(axis=(1, 2)).sum())
        if failed:
            keys = sample.cells.drop("n").row(number)
            where = " ".join(str(v) for v in keys) or "data"
            n = rows.stop - rows.start
            silent = [sample.names[k] for k in np.flatnonzero(np.isnan(sample.rows[rows]).all(axis=0)).tolist()]
            if silent:
                listed, listed_zh = ", ".join(silent), "、".join(silent)
                en, zh = f"nobody answered {listed} (n = {n}).", f"{listed_zh} 无人作答（n = {n}）。"
                do, do_zh = "Leave the item out, or impute over larger cells.", "请去掉该题项，或在更大的单元内插补。"
                found.append(problem("E-IMPUTE", where, en, zh, do, do_zh))
                continue
            en = f"its moments cannot be estimated in {failed} of {len(filled)} resamples (n = {n})."
            zh = f"{len(filled)} 次重抽样中有 {failed} 次无法估计其矩（n = {n}）。"
            do = "Impute fewer items, or over larger cells: items must be answered together by some rows."
            found.append(problem("E-IMPUTE", where, en, zh, do, "请减少题项或合并单元：题项之间须有同时作答的行。"))
    return found


def _put(
    data: object, frame: pl.DataFrame, names: tuple[str, ...], order: np.ndarray, rows: Array, m: int
) -> Completed:
    """The frame with the drawn answers in their places; structural skips stay absent."""
    columns = []
    for k, name in enumerate(names):
        values = frame[name].cast(pl.Float64).to_numpy().copy()
        values[order] = rows[:, k]
        column = pl.Series(name, values).fill_nan(None)
        if isinstance(data, Panel) and STRUCTURAL in data.reasons[name].drop_nulls().unique().to_list():
            column = column.set((data.reasons[name] == STRUCTURAL).fill_null(value=False), None)
        columns.append(column)
    done = frame.with_columns(columns)
    if not isinstance(data, Panel):
        return done
    kept = [
        pl.when(done[name].is_null()).then(pl.col(name)).otherwise(None).alias(name)
        for name in names
        if name in data.reasons.columns
    ]
    return replace(data, frame=done, reasons=data.reasons.with_columns(kept), notes=(*data.notes, _told(m)))


def _told(m: int) -> Note:
    en = f"absent answers are imputed (one of {m} copies); estimates of the copies belong together in csi.pool."
    return note("N-IMPUTED", en, f"缺失回答已插补（{m} 份之一）；各份的估计须用 csi.pool 合并。")
