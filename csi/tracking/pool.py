"""`csi.pool([...])`: estimates or indices of completed data sets as one, by Rubin's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar, cast

import numpy as np
import polars as pl

from csi.errors import Note, Problems, Text, note, problem
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_kind
from csi.estimate.later import known
from csi.inference.intervals import Alternative
from csi.inference.pooled import Pooling
from csi.inference.rubin import rubin
from csi.inference.uncertainty import degrees
from csi.measures.tidy import number_column
from csi.moments.stack import Array, Moments
from csi.tracking.index import Index
from csi.tracking.index_table import effective_columns

Poolable = TypeVar("Poolable", Estimate, Index)


def pool(results: Sequence[Poolable]) -> Poolable:
    """One result from those of several completed data sets.

    Values are means; standard errors hold the variance between the copies as well as that inside them; intervals and
    p-values are t with Barnard and Rubin's degrees of freedom. Measures of the pooled estimate (effects, mediation, R2,
    f2, HTMT, reliability, slopes, drivers) are pooled the same way from the copies, which it keeps: R2 as Fisher's z of
    its root, HTMT as its logarithm, f2 as its root, the others as they stand.

    Parameters:
        results: estimates with standard errors (`csi.SEM`, or after `csi.bootstrap`), or indices of such estimates,
            of one model on two or more copies (from `csi.impute` or elsewhere).

    Returns:
        An Estimate (its `extra["pooling"]` has degrees of freedom and fractions of missing information) or an Index;
        neither has replicates. An index keeps its copies, so that changes, leagues and trees combine those of the
        copies.

    Raises:
        Problems: fewer than two, of different models or cells, or without standard errors.

    Source:
        Rubin (1987), Multiple Imputation for Nonresponse in Surveys; Barnard & Rubin (1999), Biometrika 86.

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> f = rng.standard_normal(200)
        >>> frame = pl.DataFrame({f"y{i}": f + rng.standard_normal(200) for i in range(4)})
        >>> holes = frame.with_columns(y0=pl.when(pl.col("y1") > 1).then(None).otherwise("y0"))
        >>> model = csi.Model.parse("f =~ y1 + y2 + y3 + y0")
        >>> copies = csi.impute(holes, m=5, seed=1)
        >>> both = csi.pool([csi.fit(model, copy, csi.SEM()) for copy in copies])
        >>> both.extra["pooling"].m, bool((both.std_error[0][np.isfinite(both.std_error[0])] > 0).all())
        (5, True)
    """
    wanted = Text("a list of estimates or indices", "估计结果或指数的列表")
    do = Text("Write csi.pool([first, second, ...]).", "请写 csi.pool([第一个, 第二个, ...])。")
    check_kind("results", results, Sequence, wanted, do)
    _check(results)
    first = results[0]
    if isinstance(first, Index):
        return _index([r for r in results if isinstance(r, Index)])
    return _estimate([r for r in results if isinstance(r, Estimate)])


def _estimate(given: Sequence[Estimate]) -> Estimate:
    """Estimates as one."""
    first = given[0]
    values = np.stack([e.values for e in given])
    errors = np.stack([np.full_like(e.values, np.nan) if e.std_error is None else e.std_error for e in given])
    found = rubin(values, errors, _complete(first)[:, None])
    side = cast("Alternative", first.alternative)
    low, high = found.interval(first.level, side)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = found.value / found.std_error
    return replace(
        first,
        values=found.value,
        std_error=found.std_error,
        statistic=statistic,
        p_value=found.p_value(side),
        conf_low=low,
        conf_high=high,
        standard=known((_mean([e.std_lv for e in given]), _mean([e.std_all for e in given]))),
        moments=_moments([e.moments for e in given]),
        sample=None,
        solved=known(_solution([e.solution for e in given])),
        replicates=None,
        interval="Rubin t",
        notes=(*_notes(given), _told(len(given))),
        extra={"pooling": Pooling(len(given), found.missing, found.df, tuple(given))},
    )


def _complete(est: Estimate) -> Array:
    """(b,) degrees of freedom of complete data: those of the replicates, else those of a normal."""
    if est.replicates is None:
        return np.full(len(est.values), np.inf)
    return np.maximum(degrees(est.replicates), 1.0)


def _index(given: Sequence[Index]) -> Index:
    """Indices as one."""
    first = given[0]
    shape = first.values.shape
    values = np.stack([i.values for i in given])
    errors = np.stack([i.table["std_error"].cast(pl.Float64).fill_null(np.nan).to_numpy() for i in given])
    complete = np.inf if first.degrees_of_freedom is None else np.maximum(first.degrees_of_freedom, 1.0)
    found = rubin(values, errors.reshape(len(given), *shape), complete)
    low, high = found.interval(first.level)
    table = first.table.with_columns(
        index=number_column(found.value),
        std_error=number_column(found.std_error),
        conf_low=number_column(np.clip(low, 0, 100)),
        conf_high=number_column(np.clip(high, 0, 100)),
        **effective_columns(first.table["n"].to_numpy().astype(np.float64), _deff(given)),
    )
    weights = _weights(given)
    notes = (*dict.fromkeys(n for i in given for n in i.notes if n.code != "N-IMPUTED"), _told(len(given)))
    return replace(
        first,
        table=table,
        weights=weights,
        values=found.value,
        replicates=None,
        notes=notes,
        influence=None,
        sample=None,
        estimated=None,
        means=None,
        copies=tuple(given),
    )


def _deff(given: Sequence[Index]) -> Array:
    """(rows,) mean design effects of the copies."""
    return np.asarray(np.mean([i.table["design_effect"].fill_null(np.nan).to_numpy() for i in given], axis=0))


def _weights(given: Sequence[Index]) -> pl.DataFrame:
    """Mean relative weights with their pooled standard errors."""
    values = np.stack([i.weights["weight"].fill_null(np.nan).to_numpy() for i in given])
    errors = np.stack([i.weights["std_error"].fill_null(np.nan).to_numpy() for i in given])
    found = rubin(values, errors)
    return given[0].weights.with_columns(weight=number_column(found.value), std_error=number_column(found.std_error))


def _mean(arrays: Sequence[Array | None]) -> Array | None:
    """Mean of arrays that are all there."""
    present = [a for a in arrays if a is not None]
    return np.mean(present, axis=0) if len(present) == len(arrays) else None


def _moments(given: Sequence[Moments]) -> Moments:
    """Mean moments, without rows."""
    mean, cov = (np.mean([getattr(m, name) for m in given], axis=0) for name in ("mean", "cov"))
    return replace(given[0].without_rows(), mean=mean, cov=cov)


def _solution(given: Sequence[Solution]) -> Solution:
    """Mean arrays."""
    first = given[0]
    arrays = {
        name: np.mean([getattr(s, name) for s in given], axis=0)
        for name in Solution.__slots__
        if isinstance(getattr(first, name), np.ndarray) and getattr(first, name).dtype.kind == "f"
    }
    return replace(first, **arrays)


def _notes(given: Sequence[Estimate]) -> tuple[Note, ...]:
    """What is said of any copy, once, but not that it is one of several; counts of replicates by their copy."""
    told = dict.fromkeys(
        _of_copy(n, k + 1) if n.code == "N-REPLICATES" else n
        for k, e in enumerate(given)
        for n in e.notes
        if n.code != "N-IMPUTED"
    )
    return tuple(told)


def _of_copy(said: Note, copy: int) -> Note:
    """A note with the number of the copy it is about."""
    return note(said.code, f"copy {copy}: {said.text.en}", f"第 {copy} 份：{said.text.zh}")


def _told(m: int) -> Note:
    en = f"{m} completed data sets are combined by Rubin's rules; tests of fit are not."
    return note("N-POOLED", en, f"{m} 份插补数据按 Rubin 规则合并；拟合检验未合并。")


def _check(results: Sequence[object]) -> None:
    """Raise when these cannot be pooled."""
    found = []
    if len(results) < 2:
        en, zh = f"{len(results)} result cannot be pooled.", f"只有 {len(results)} 份结果，无法合并。"
        do, do_zh = "Give the results of two or more completed data sets.", "请给出两份以上插补数据的结果。"
        found.append(problem("E-POOL", "results", en, zh, do, do_zh))
    elif any(not isinstance(r, Estimate | Index) for r in results):
        kind = next(type(r).__name__ for r in results if not isinstance(r, Estimate | Index))
        en = f"estimates and indices are pooled, not results of kind {kind}."
        zh = f"只能合并估计结果或指数，不能合并 {kind}。"
        do = "Pool the estimates, then measure the pooled one; or give what is measured of each copy side by side."
        do_zh = "请先合并估计结果再计算该指标；无法由合并结果计算的，请逐份列出。"
        found.append(problem("E-POOL", "results", en, zh, do, do_zh))
    elif any(_shape(r) != _shape(results[0]) for r in results):
        en = "the results are not of one model, one estimator and the same cells."
        zh = "各份结果的模型、估计方法或单元不一致。"
        do, do_zh = "Treat every copy alike.", "请对每份数据作相同处理。"
        found.append(problem("E-POOL", "results", en, zh, do, do_zh))
    elif any(not _has_errors(r) for r in results):
        en, zh = "a result has no standard errors.", "有结果缺少标准误。"
        do, do_zh = "Call csi.bootstrap on each estimate first.", "请先对每份估计调用 csi.bootstrap。"
        found.append(problem("E-POOL", "results", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _shape(result: object) -> object:
    """What results have in common that can be pooled."""
    if isinstance(result, Estimate):
        return "estimate", result.rows, result.values.shape, result.settings, result.alternative
    if isinstance(result, Index):
        return "index", result.constructs, tuple(result.cells.drop("n").rows())
    return type(result)


def _has_errors(result: object) -> bool:
    """Whether standard errors are there."""
    if isinstance(result, Estimate):
        return result.std_error is not None
    return isinstance(result, Index) and result.table["std_error"].null_count() < result.table.height
