"""A study's model fitted as the study says: its estimator, its resampling, its index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from csi.errors import Problems, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.inference.impute import impute
from csi.inference.means import bootstrap_means
from csi.study.estimator import estimator_of
from csi.study.replicated import replicated
from csi.study.study import Study
from csi.survey.panel import Panel
from csi.tracking.index import Index, Interval, StdError, index
from csi.tracking.index_weights import Given
from csi.tracking.pool import pool
from csi.tracking.triangulate import own_item_weights

Bools = npt.NDArray[np.bool_]

Found = TypeVar("Found", Estimate, Index)

CELLS = ("brand", "wave")
"""The keys whose cells a study is fitted in."""


def fitted(
    study: Study,
    panel: Panel,
    by: Sequence[str] = CELLS,
    where: Mapping[str, str] | None = None,
    *,
    errors: bool = True,
) -> Estimate:
    """The study's model in the cells of `by`, with the errors it asks for; imputed copies are fitted and pooled.

    Parameters:
        where: only these cells. errors: False for the estimates alone.

    Raises:
        Problems: as `csi.fit`.
    """

    def one(answers: Panel) -> Estimate:
        est = fit(study.model, answers, estimator_of(study.settings), by, where=where)
        return resampled(study, answers, est) if errors else est

    if errors:
        return over_copies(study, panel, one)
    return one(next(iter(copies(study, panel, 2))) if study.settings.imputations else panel)


def over_copies(study: Study, panel: Panel, one: Callable[[Panel], Found]) -> Found:
    """What `one` finds in the panel; pooled over its imputed copies where the study asks for them."""
    many = study.settings.imputations
    return pool([one(copy) for copy in copies(study, panel, many)]) if many else one(panel)


def copies(study: Study, panel: Panel, many: int) -> list[Panel]:
    """`many` imputed copies of the answers, each brand and wave by itself."""
    keys = [k for k in CELLS if k in panel.frame.columns]
    made = impute(panel, many, study.settings.seed, study.model.observed, keys)
    return [copy for copy in made if isinstance(copy, Panel)]


def resampled(study: Study, panel: Panel, est: Estimate) -> Estimate:
    """The estimate with errors and intervals: of the study's replicate weights, of its bootstrap, or as it is.

    Parameters:
        panel: what `est` was fitted from, with all its rows.
    """
    settings, given = study.settings, study.settings.replicate_weights
    if given is not None:
        return replicated(study, panel, est)
    if not settings.replicates:
        return est
    return bootstrap(
        est,
        settings.replicates,
        settings.seed,
        interval=settings.interval,
        resampling=settings.resampling,
        level=settings.level,
        improper=settings.improper,
    )


def with_replicates(study: Study, panel: Panel, est: Estimate) -> Estimate:
    """The cells with what their index needs: refits where each cell has its own weights, else item means."""
    settings = study.settings
    if settings.index_errors != "bootstrap":
        return est
    if settings.index_weights == "own" or settings.replicate_weights is not None or not settings.replicates:
        return resampled(study, panel, est)
    return bootstrap_means(
        est, settings.replicates, settings.seed, resampling=settings.resampling, level=settings.level
    )


def indexed(study: Study, est: Estimate, interval: Interval = "t") -> Index:
    """The index of every cell by the study's rule, with intervals of a kind.

    A covariance model has no outer weights: its items are weighed by loading / error variance, in the base wave's cells
    (weights: base) or in all (pooled), and those weights are held fixed.
    """
    settings = study.settings
    held: StdError | None = "fixed" if settings.index_errors == "fixed" else None
    if settings.formula == "F5":
        return index(est, formula="F5", level=settings.level, interval=interval, std_error=held)
    if not settings.covariance:
        return index(
            est,
            weights=settings.index_weights,
            base=base_of(study),
            level=settings.level,
            interval=interval,
            formula=settings.formula,
            std_error=held,
            window=settings.window,
        )
    given, behind = fixed_weights(study, est), weighing_cells(study, est)
    made = index(est, given=given, level=settings.level, interval=interval, formula="F6")
    from_base, count = base_of(study), int(behind.sum())
    of = Text(f"all cells together ({count})", f"全部单元（{count} 个）")
    if from_base is not None and "wave" in est.moments.cells.columns:
        of = Text(f"the base wave {from_base} (cells: {count})", f"基期 {from_base}（{count} 个单元）")
    en = "items are weighed by loading / error variance of the covariance model, estimated on "
    zh = f"题项按协方差模型的“载荷 / 误差方差”加权，估计自{of.zh}，按样本量平均；权重视为固定。"
    en += f"{of.en} and averaged by their answers; the weights are held fixed."
    told = note("N-INDEX-SEM", en, zh)
    return replace(made, notes=(*made.notes, told))


def fixed_weights(study: Study, est: Estimate) -> Given:
    """Construct -> item -> weight of a covariance fit: its base wave's cells, else all of them.

    Raises:
        Problems: E-WEIGHTS when no construct has loadings that weigh its items.
    """
    chosen = weighing_cells(study, est)
    given = own_item_weights(est, np.where(chosen, 1.0, np.nan)[:, None] * np.ones((1, len(est.solution.constructs))))
    if not given:
        en, zh = "no loading of the covariance model can weigh an item.", "协方差模型没有可用于题项加权的载荷。"
        do, do_zh = "See csi fit for what is wrong with it.", "请用 csi fit 查看模型的问题。"
        raise Problems([problem("E-WEIGHTS", "index", en, zh, do, do_zh)])
    return given


def weighing_cells(study: Study, est: Estimate) -> Bools:
    """(b,) The cells that weigh the items of a covariance fit: those of its base wave, else all; they converged."""
    from_base, cells = base_of(study), est.moments.cells
    chosen: Bools = np.ones(len(est.values), dtype=np.bool_)
    if from_base is not None and "wave" in cells.columns:
        chosen = (cells["wave"] == from_base).to_numpy()
    return chosen & est.convergence.converged


def base_of(study: Study) -> str | None:
    """The base wave when the index is anchored; a study without waves has none."""
    if study.settings.index_weights != "base":
        return None
    return study.settings.base_wave or (study.waves[0] if study.waves else None)
