"""What the verbs on a study share: its arguments, opening it, choosing cells, estimating."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from csi.errors import Language, Problem, Problems, Text, did_you_mean, problem
from csi.estimate.estimate import Estimate
from csi.models.model import product_labels
from csi.reporting.analysis import EVERYBODY, asked_without_waves
from csi.reporting.cell_marks import cell_marks
from csi.reporting.record import codebook_hash, data_hash, versions
from csi.reporting.usable import check_items, completed, named, no_waves, unanswered
from csi.study import Study, read_study, read_study_panel
from csi.study.fitted import base_of, fitted
from csi.study.study import with_errors
from csi.survey.codebook import KEY_ROLES
from csi.survey.disclosure import below
from csi.survey.panel import Panel

CELL_KEYS = ("brand", "wave")


STUDY = "the study file, such as study.yaml"


def study_argument(parser: argparse.ArgumentParser, metavar: str = "STUDY", what: str = STUDY) -> None:
    """The study file."""
    parser.add_argument("study", metavar=metavar, type=Path, help=what)


def cell_arguments(parser: argparse.ArgumentParser, metavar: str = "STUDY", what: str = STUDY) -> None:
    """The study file and the cells asked for."""
    study_argument(parser, metavar, what)
    parser.add_argument("--brand", help="one brand, by name or label")
    parser.add_argument("--wave", help="one wave")


LEAST = 100
"""`csi.bootstrap` takes no fewer resamples."""


def resamples(text: str) -> int:
    """A number of resamples: 0 for none, else at least 100.

    Example:
        >>> resamples("1000")
        1000
    """
    value = int(text) if text.isdecimal() else -1
    if value < 0 or 0 < value < LEAST:
        raise argparse.ArgumentTypeError(f"expected 0 or at least {LEAST} resamples, not {text}")
    return value


def bootstrap_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """How many resamples, instead of the study's own number."""
    parser.add_argument(
        "--bootstrap", type=resamples, metavar="N", help=f"resamples for {what} (at least 100; 0: none)"
    )


def errors_argument(parser: argparse.ArgumentParser) -> None:
    """Whose standard errors the index has, instead of the study's own choice."""
    parser.add_argument(
        "--errors",
        choices=("bootstrap", "linearised", "fixed"),
        help="of the index: bootstrap; linearised (no refits, the weights' uncertainty included); fixed (without it)",
    )


def chosen(study: Study, panel: Panel, brand: str | None, wave: str | None) -> dict[str, str]:
    """The brand and wave asked for, as they stand in the panel.

    Raises:
        Problems: E-BRAND, E-WAVE with the closest name; E-BASE where the brand has no answers in the wave.
    """
    asked: dict[str, str] = {}
    found = []
    if brand is not None:
        by_label = {label: name for name, text in study.brands.items() for label in (text.en, text.zh)}
        by_label |= study.renamed
        name = brand if brand in panel.brands else by_label.get(brand, brand)
        asked["brand"] = name
        if name not in panel.brands:
            hint = did_you_mean(brand, [*panel.brands, *(b for b, n in by_label.items() if b and n in panel.brands)])
            en, zh = f'there is no brand "{brand}".', f"没有“{brand}”这个品牌。"
            found.append(problem("E-BRAND", "--brand", en, zh, hint.en, hint.zh))
    if wave is not None:
        asked["wave"] = wave
        if no_waves(study):
            found.append(asked_without_waves(study))
        elif wave not in panel.waves:
            hint = did_you_mean(wave, panel.waves, every=True)
            en, zh = f'there is no wave "{wave}" in the data.', f"数据中没有“{wave}”这一期。"
            found.append(problem("E-WAVE", "--wave", en, zh, hint.en, hint.zh))
    if not found and only(panel.frame, asked).is_empty():
        cell = named(study, asked)
        do, do_zh = "Choose another wave or brand.", "请选择其他期次或品牌。"
        found.append(problem("E-BASE", "", f"there are no answers for {cell.en}.", f"{cell.zh} 没有数据。", do, do_zh))
    if found:
        raise Problems(found)
    return asked


def keys_in(frame: pl.DataFrame) -> list[str]:
    """The key columns of a result table that say something: a study without waves (or brands) prints no such column."""
    return [k for k in CELL_KEYS if k in frame.columns and (frame.is_empty() or (frame[k] != "").any())]


def opened(
    path: Path, resamples: int | None = None, errors: str | None = None, groups: Sequence[str] = ()
) -> tuple[Study, Panel]:
    """The study (with `resamples` and `errors` instead of its own) and its panel; missing brand and wave keys are
    completed.

    Parameters:
        groups: keys or columns of the data that are compared, beside those of the study.
    """
    study = read_study(path)
    more = {g: g for g in groups if g not in KEY_ROLES and g not in study.settings.gating.between}
    if more:
        gating = replace(study.settings.gating, columns={**study.settings.gating.columns, **more})
        study = replace(study, settings=replace(study.settings, gating=gating))
    study = resampled(study, resamples, errors)
    return completed(study, read_study_panel(study))


@contextmanager
def typed(options: Mapping[str, str]) -> Iterator[None]:
    """Problems of settings told by the options that were typed: name of the setting -> option.

    Example:
        >>> from csi.errors import problem
        >>> try:
        ...     with typed({"target": "--goal"}):
        ...         raise Problems([problem("E-SETTING", "target", "not 500.", "不是 500。", "Use target=100.")])
        ... except Problems as error:
        ...     print(error.problems[0].where, error.problems[0].remedy.en)
        --goal Use --goal 100.
    """
    try:
        yield
    except Problems as error:
        raise Problems([_renamed(p, options) for p in error.problems], error.lang) from error


def _renamed(found: Problem, options: Mapping[str, str]) -> Problem:
    option = options.get(found.where)
    if option is None:
        return found
    remedy = (t.replace(f"{found.where}=", f"{option} ") for t in (found.remedy.en, found.remedy.zh))
    return replace(found, where=option, remedy=Text(*remedy))


def resampled(study: Study, resamples: int | None, errors: str | None) -> Study:
    """The study with these numbers of resamples and standard errors of the index instead of its own, where given."""
    return with_errors(study, resamples, errors)


def check_cells(study: Study, panel: Panel, asked: Mapping[str, str], *, anchored: bool = True) -> None:
    """Raise what keeps the cells asked for (and the base wave, when `anchored`) from having any usable row.

    Raises:
        Problems: E-EMPTY, E-CONSTANT naming the item.
    """
    base = base_of(study) if anchored else None
    check_items(study, panel, [w for w in (asked.get("wave"), base) if w is not None])
    silent = unanswered(study, panel, asked)
    if silent:
        raise Problems(silent)


def check_enough(study: Study, panel: Panel, one: Mapping[str, str], lang: Language) -> None:
    """Raise where a cell has fewer answers than a published number takes.

    Raises:
        Problems: E-BASE.
    """
    here = panel.frame.filter(*(pl.col(k) == v for k, v in one.items() if k in panel.frame.columns))
    items = [i for i in study.model.items if i in here.columns] if study.settings.missing == "listwise" else []
    n, small = here.drop_nulls(items).height if items else here.height, study.settings.small
    if n >= small:
        return
    why, where = below(n, small), place(one, names(study, lang), lang)
    en, zh = f"{why.en}; nothing is told of it.", f"{why.zh}，不予给出任何结果。"
    do, do_zh = (
        "Pool cells, or lower report: {small: ...} knowingly.",
        "请合并单元，或有意识地调低 report: {small: ...}。",
    )
    raise Problems([problem("E-BASE", where, en, zh, do, do_zh)])


def provenance(study: Study, panel: Panel) -> dict[str, object]:
    """What every `--record` says of where its numbers come from: hashes, seed, settings, versions."""
    return {
        "study": {"name": study.name, "sha256": study.sha256},
        "hashes": {
            "data": data_hash(panel),
            "codebook": codebook_hash(study.codebook),
            "files": {s.name: s.sha256 for s in panel.sources},
        },
        "rows": panel.frame.height,
        "cells": cell_marks(panel),
        "seed": study.settings.seed,
        "settings": study.settings,
        "versions": versions(),
    }


def estimated(study: Study, panel: Panel, where: Mapping[str, str] | None = None, *, errors: bool = False) -> Estimate:
    """The study's model in every cell (of `where`, when given), with its standard errors where asked for.

    Raises:
        Problems: as `csi.fit`, placed at the cells that were asked for.
    """
    try:
        return fitted(study, panel, where=where, errors=errors)
    except Problems as found:
        cells = " ".join(v for v in (where or {}).values() if v) or "data"
        raise Problems([replace(p, where=cells) if p.where == "data" else p for p in found.problems]) from None


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
    return {**labels, **product_labels(study.model, labels), **dict(study.brands)}


def shown(study: Study, panel: Panel, asked: Mapping[str, str]) -> dict[str, str]:
    """One cell: what was asked, completed by the focal brand and its latest wave."""
    brand = asked.get("brand") or (study.focal if study.focal in panel.brands else panel.brands[0])
    if "wave" in asked:
        return {"brand": brand, "wave": asked["wave"]}
    present = set(panel.frame.filter(pl.col("brand") == brand)["wave"].unique().to_list())
    return {"brand": brand, "wave": next(w for w in reversed(panel.waves) if w in present)}


def place(cell: Mapping[str, str], texts: Mapping[str, Text], lang: Language) -> str:
    """A cell by its labels; all respondents where the study has neither brands nor waves."""
    return " · ".join(texts.get(v, Text(v, v)).say(lang) for v in cell.values() if v) or EVERYBODY.say(lang)
