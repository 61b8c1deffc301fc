"""What the verbs on a study share: its arguments, opening it, choosing cells, estimating."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from csi.errors import Language, Problems, Text, did_you_mean, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.reporting.analysis import engine, with_keys
from csi.study import Study, read_study, read_study_panel
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


def keys_in(frame: pl.DataFrame) -> list[str]:
    """The key columns of a result table."""
    return [k for k in CELL_KEYS if k in frame.columns]


def opened(path: Path) -> tuple[Study, Panel]:
    """The study and its panel; a study of one brand or one wave gets its key column."""
    study = read_study(path)
    return study, with_keys(study, read_study_panel(study))


def with_resamples(study: Study, n: int | None) -> Study:
    """The study with `n` resamples instead of its own."""
    return study if n is None else replace(study, settings=replace(study.settings, replicates=n))


def estimated(study: Study, panel: Panel, where: Mapping[str, str] | None = None) -> Estimate:
    """The study's model in every cell (of `where`, when given)."""
    return fit(study.model, panel, engine(study), CELL_KEYS, where=where)


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


def shown(study: Study, panel: Panel, asked: Mapping[str, str]) -> dict[str, str]:
    """One cell: what was asked, completed by the focal brand and its latest wave."""
    brand = asked.get("brand") or (study.focal if study.focal in panel.brands else panel.brands[0])
    if "wave" in asked:
        return {"brand": brand, "wave": asked["wave"]}
    present = set(panel.frame.filter(pl.col("brand") == brand)["wave"].unique().to_list())
    return {"brand": brand, "wave": next(w for w in reversed(panel.waves) if w in present)}


def place(cell: Mapping[str, str], texts: Mapping[str, Text], lang: Language) -> str:
    """A cell by its labels."""
    return " · ".join(texts.get(v, Text(v, v)).say(lang) for v in cell.values())
