"""Checks, moments, estimate: one screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import estimator_problems, model_of
from csi.estimate.protocol import Estimator
from csi.models.model import Model
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of
from csi.moments.stack import Moments, Sample
from csi.moments.streamed import Streamed
from csi.survey.bases import SMALL
from csi.survey.keyed import cell_name

UNSETTLED = frozenset({"R-CONVERGE", "R-CONSTRAINT"})
"""Reasons of a search without an end: its estimate stays, and says so."""


def fit(
    model: Model | str,
    data: object,
    estimator: Estimator,
    by: Sequence[str] = (),
    *,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    fpc: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Estimate:
    """Fit `model` to answers, in one cell or in all cells of `by` at once.

    Parameters:
        model: what we claim, a `csi.Model` or its text.
        data: a Panel, a polars or pandas frame, streamed answers (see `csi.read_panel`), or Moments.
        estimator: settings such as `csi.PLS()`.
        by: key columns that make cells, such as "wave" or ["brand", "wave"]; all cells are fitted in one call.
        where: keep only rows with these key values, such as {"wave": "2026Q3"}.
        weight, unit, stratum: columns of weights, respondents (or clusters), strata; a panel has its own unless named.
        fpc: column of finite populations: how many units (clusters, else people) each row's stratum has, or up to 1 the
            fraction drawn; standard errors then shrink by sqrt(1 - fraction).
        na, scale: for a bare frame: the codes that mean "no answer", the theoretical (minimum, maximum) of the items,
            which no answer may leave.

    Returns:
        Estimate with one slice per cell.

    Raises:
        Problems: bad data, settings, or a model the estimator cannot fit, all problems at once.

    Example:
        >>> import polars as pl
        >>> from csi.models.model import Construct, Model, Path, Term
        >>> from csi.pls.estimator import PLS
        >>> x, y = (Construct(n, "=~", (Term(n + "1"),)) for n in "xy")
        >>> model = Model((x, y), (Path("y", Term("x")),))
        >>> frame = pl.DataFrame({"x1": [1, 2, 3, 4], "y1": [1, 3, 2, 4]})
        >>> round(float(fit(model, frame, PLS()).solution.paths[0, 1, 0]), 3)
        0.8
    """
    model = model_of(model, also=estimator_problems(estimator))
    if isinstance(data, Moments):
        return _judged(estimator.solve(model, data))
    if isinstance(data, Streamed):
        _check_streamed(estimator, {"weight": weight, "unit": unit, "stratum": stratum, "na": na, "scale": scale})
        keys = (by,) if isinstance(by, str) else by
        return fit_moments(model, data.moments(estimator.needs(model), keys, where, estimator.missing), estimator)
    sample = sample_of(
        data,
        estimator.needs(model),
        (by,) if isinstance(by, str) else by,
        missing=estimator.missing,
        group=estimator.groups,
        where=where,
        weight=weight,
        unit=unit,
        stratum=stratum,
        fpc=fpc,
        na=na,
        scale=scale,
    )
    return fit_sample(model, sample, estimator)


def fit_moments(model: Model, moments: Moments, estimator: Estimator) -> Estimate:
    """Fit `model` to every cell of moments that a pass over streamed answers made, with what is to be said of it."""
    estimate = estimator.solve(model, moments)
    return _judged(replace(estimate, notes=(*moments.notes, *_small(moments.cells), *estimate.notes)))


def _check_streamed(estimator: Estimator, given: Mapping[str, object]) -> None:
    """What cannot be asked of streamed answers."""
    found = []
    for name, value in given.items():
        if value not in (None, ()):
            en, zh = "streamed answers have their codebook's.", "流式数据使用编码簿中的设置。"
            do, do_zh = f"Leave out {name}, and name it in the codebook.", f"请删去 {name}，并写入编码簿。"
            found.append(problem("E-SETTING", name, en, zh, do, do_zh))
    if estimator.groups is not None:
        en, zh = "a multi-group model needs the rows, and no row is here.", "多组模型需要原始数据行，而此处没有。"
        do, do_zh = (
            "Fit every group as a cell (by), or read the file whole.",
            "请将各组作为单元拟合（by），或整体读取文件。",
        )
        found.append(problem("E-ROWS", "data", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def fit_sample(model: Model, sample: Sample, estimator: Estimator) -> Estimate:
    """Fit `model` to every cell of a sample; the estimate remembers the sample, so it can be resampled."""
    with np.errstate(over="ignore", invalid="ignore"):  # answers too large for their squares have no covariances
        moments = moments_of(sample)
    estimate = estimator.solve(model, moments)
    return _judged(replace(estimate, sample=sample, notes=(*sample.notes, *_small(sample.cells), *estimate.notes)))


def _judged(estimate: Estimate) -> Estimate:
    """Raise when no slice has numbers at all; a fit that did not converge stays, with its reason."""
    reasons = estimate.convergence.reasons
    hopeless = [r for r in reasons.values() if r.code not in UNSETTLED]
    if reasons and len(hopeless) == estimate.values.shape[0]:
        unique = {r.code + r.text.en: r for r in hopeless}
        raise Problems(
            [
                Problem(r.code.replace("R-", "E-", 1), "data", r.text, _REMEDIES.get(r.code, _REMEDY))
                for r in unique.values()
            ]
        )
    return estimate


_REMEDY = Text(
    "Remove the item or the predictor, or add answers.",
    "请移除该题项或预测构念，或补充样本。",
)
_REMEDIES = {
    "R-COR": Text(
        "Merge these factors into one, or fit csi.PLS() without consistent=True.",
        "请将这些因子合并为一个，或去掉 consistent=True。",
    )
}


def _small(cells: pl.DataFrame) -> tuple[Note, ...]:
    """A note naming cells with fewer rows than a reader should trust."""
    least = cells.get_column("n").min()
    if isinstance(least, int) and least >= SMALL:
        return ()
    few = cells.filter(pl.col("n") < SMALL)
    keys = [c for c in few.columns if c != "n"]
    rows = list(few.head(5).iter_rows(named=True))
    more = "; ..." if few.height > len(rows) else ""
    names = [(cell_name({k: row[k] for k in keys}), f"(n = {row['n']})") for row in rows]
    said, said_zh = ("; ".join(f"{t.say(lang)} {n}" for t, n in names).strip() + more for lang in ("en", "zh"))
    return (note("W-BASE", f"cells below n = {SMALL}: {said}.", f"样本量小于 {SMALL} 的单元：{said_zh}。"),)
