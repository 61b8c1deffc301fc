"""Completed copies fitted, resampled and pooled: `--imputations M`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from csi.errors import Language, Problems, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.protocol import Estimator
from csi.inference.bootstrap import bootstrap
from csi.inference.impute import impute
from csi.models.model import Model
from csi.tracking.pool import pool


def check_imputations(m: int, resamples: int, lang: Language) -> None:
    """Raise `Problems` where copies are asked for without the resamples that tell the variance inside them."""
    if m and not resamples:
        en, zh = "the variance inside each copy comes from a bootstrap.", "各份数据内部的方差来自自助法。"
        do, do_zh = "Add --bootstrap 500, say.", "例如加上 --bootstrap 500。"
        raise Problems([problem("E-IMPUTE", "--imputations", en, zh, do, do_zh)], lang)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many copies and resamples, with which seed; which rows, and their design columns."""

    copies: int
    resamples: int
    seed: int
    by: tuple[str, ...] = ()
    where: Mapping[str, str] | None = None
    weight: str | None = None
    unit: str | None = None
    stratum: str | None = None


def imputed(model: Model, frame: pl.DataFrame, settings: Estimator, plan: Plan) -> Estimate:
    """The fits of completed copies as one; a bootstrap of each tells the variance inside it."""
    copies = impute(frame, plan.copies, plan.seed, settings.needs(model), plan.by)
    fits = [
        fit(
            model, copy, settings, plan.by,
            where=plan.where, weight=plan.weight, unit=plan.unit, stratum=plan.stratum,
        )
        for copy in copies
    ]  # fmt: skip
    return pool([bootstrap(one, plan.resamples, plan.seed) for one in fits])
