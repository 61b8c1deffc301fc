"""What the verbs on a study share: its arguments, opening it, choosing cells, estimating."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from csi.errors import Language, Problems, Text, did_you_mean, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.study.study import Study
from csi.survey.panel import Panel

CELL_KEYS = ("brand", "wave")


def study_argument(parser: argparse.ArgumentParser) -> None:
    """The study file."""
    parser.add_argument("study", metavar="STUDY", type=Path, help="the study file, such as study.yaml")


def cell_arguments(parser: argparse.ArgumentParser) -> None:
    """The study file and the cells asked for."""
    study_argument(parser)
    parser.add_argument("--brand", help="one brand, by name or label")
    parser.add_argument("--wave", help="one wave")


def chosen(panel: Panel, brands: Mapping[str, Text], brand: str | None, wave: str | None) -> dict[str, str]:
    """The brand and wave asked for, as they stand in the panel.

    Raises:
        Problems: E-BRAND, E-WAVE with the closest name.
    """
    asked: dict[str, str] = {}
    found = []
    if brand is not None:
        by_label = {label: name for name, text in brands.items() for label in (text.en, text.zh)}
        name = brand if brand in panel.brands else by_label.get(brand, brand)
        asked["brand"] = name
        if name not in panel.brands:
            hint = did_you_mean(brand, [*panel.brands, *(b for b, n in by_label.items() if b and n in panel.brands)])
            en, zh = f'there is no brand "{brand}".', f"没有“{brand}”这个品牌。"
            found.append(problem("E-BRAND", "--brand", en, zh, hint.en, hint.zh))
    if wave is not None:
        asked["wave"] = wave
        if wave not in panel.waves:
            hint = did_you_mean(wave, panel.waves)
            en, zh = f'there is no wave "{wave}" in the data.', f"数据中没有“{wave}”这一期。"
            found.append(problem("E-WAVE", "--wave", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)
    return asked


def keys_of(panel: Panel) -> tuple[str, ...]:
    """The key columns that make cells in this panel."""
    return tuple(k for k in CELL_KEYS if k in panel.frame.columns)


def keys_in(frame: pl.DataFrame) -> list[str]:
    """The key columns of a result table."""
    return [k for k in CELL_KEYS if k in frame.columns]


def estimator(study: Study) -> PLS:
    """The engine by the study's settings."""
    settings = study.settings
    return PLS(weighting=settings.weighting, missing=settings.missing, tolerance=settings.tolerance)


def estimated(study: Study, panel: Panel, where: Mapping[str, str] | None = None) -> Estimate:
    """The study's model in every cell (of `where`, when given)."""
    return fit(study.model, panel, estimator(study), keys_of(panel), where=where)


def only(frame: pl.DataFrame, where: Mapping[str, str]) -> pl.DataFrame:
    """The rows of a result table that belong to the cells asked for."""
    asked = {k: v for k, v in where.items() if k in frame.columns}
    return frame.filter(*(pl.col(k) == v for k, v in asked.items())) if asked else frame


def names(study: Study, lang: Language) -> dict[str, Text]:
    """Labels of brands, constructs and items by their names, for printed tables."""
    book = study.codebook
    things: Iterable[str] = (*book.constructs, *study.model.names, *book.names)
    labels = {t: Text(book.label(t, "en"), book.label(t, "zh")) for t in things}
    labels |= {c: text for c, text in study.model.labels.items() if labels.get(c, Text(c, c)).say(lang) == c}
    return {**labels, **dict(study.brands)}


def resampled(study: Study, est: Estimate, n: int | None = None) -> Estimate:
    """The estimate with the study's bootstrap (`n` resamples when given; 0 leaves it as it is)."""
    settings = study.settings
    count = settings.replicates if n is None else n
    if count == 0:
        return est
    return bootstrap(
        est,
        n=count,
        seed=settings.seed,
        interval=settings.interval,
        resampling=settings.resampling,
        level=settings.level,
    )
