"""The questionnaire of a study, or of any answers, held against its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from csi.errors import Note, Problems, did_you_mean, note, problem
from csi.measures.answered import scales_of
from csi.measures.questionnaire.asked import check_short
from csi.measures.questionnaire.validate import Validation, validated
from csi.measures.questionnaire.validating import Rated, Validating
from csi.study.panel import read_study_panel
from csi.study.study import Study, read_study
from csi.survey.datafile import DataFile
from csi.survey.panel import Panel
from csi.survey.readers import read_table

DRAWS = 1000
"""Resamples where nobody says how many."""


def validate(
    data: object,
    scales: object = None,
    *,
    wave: str | None = None,
    brand: str | None = None,
    groups: Sequence[str] | str = (),
    known: Mapping[str, Sequence[str]] | None = None,
    criterion: Sequence[str] | str = (),
    marker: Sequence[str] | str = (),
    retest: Sequence[str] = (),
    raters: Mapping[str, Sequence[str]] | None = None,
    short: int | None = None,
    keep: Sequence[str] | str = (),
    draws: int | None = None,
    seed: int = 1,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Validation:
    """Is this a good instrument, and what exactly should change: every part of a validation and the advice.

    Items, reliability, dimensions, fit, separation, fairness, response models and short forms of every scale, each as
    the function of its own name computes it; then rules over their numbers, with the number, the limit and its source.

    Parameters:
        data: a study file's path or a `Study` (whose key `validation` says what follows), a Panel, or a frame.
        scales: {construct: items}, a list of items or a model; of a study its own, of a panel its codebook's.
        wave, brand: of a study or panel: the answers that are looked at (the latest wave of a study, all brands).
        groups: columns whose groups should be measured alike. known: column -> its groups from the lowest score up.
        criterion, marker: items that scores should, and should not, go with. retest: two waves of the same people.
        raters: judgement -> columns of its raters (files and long tables: the study file).
        short: items of a short form (half of a scale by default); keep: items it must have.
        draws: resamples behind intervals (0: none; by default the study's own number, else 1,000). seed: of all of
            them. na, scale: of a bare frame, as in `csi.fit`.

    Returns:
        A `Validation`; what could not be computed is None in it, with the reason under `absent`.

    Raises:
        Problems: what is wrong with the study, the answers or the scales.

    Example:
        >>> import csi
        >>> found = csi.validate("data/telecom/study.yaml", draws=0)
        >>> found.advice.filter(kind="item").height > 10
        True
    """
    said = Validating(
        groups=_named(groups),
        known={k: tuple(v) for k, v in (known or {}).items()},
        criterion=_named(criterion),
        marker=_named(marker),
        retest=tuple(retest),
        raters={name: Rated(tuple(columns)) for name, columns in (raters or {}).items()},
        short=short,
        keep=_named(keep),
    )
    if isinstance(data, str | Path):
        data = read_study(data)
    if isinstance(data, Study):
        _of_frames(na, scale)
        return validate_study(
            data, read_study_panel(data), scales, said, wave=wave, brand=brand, draws=draws, seed=seed
        )
    where = {k: v for k, v in (("wave", wave), ("brand", brand)) if v is not None}
    return validated(
        data, scales, said, where=where, draws=DRAWS if draws is None else draws, seed=seed, na=na, scale=scale
    )


def _named(names: Sequence[str] | str) -> tuple[str, ...]:
    """Several names, or one."""
    return (names,) if isinstance(names, str) else tuple(names)


def _of_frames(na: Sequence[float], scale: tuple[float, float] | None) -> None:
    """Raise where a study is told what its codebook says already.

    Raises:
        Problems: E-SETTING.
    """
    given = [name for name, value in (("na", list(na)), ("scale", scale)) if value]
    if given:
        en, zh = "it belongs to a bare frame; a study has a codebook.", "该参数只用于数据框；研究文件已有编码簿。"
        do, do_zh = "Write it in the codebook, and leave it out here.", "请写入编码簿，并在此处去掉。"
        raise Problems([problem("E-SETTING", name, en, zh, do, do_zh) for name in given])


def validate_study(
    study: Study,
    panel: Panel,
    scales: object = None,
    said: Validating | None = None,
    *,
    wave: str | None = None,
    brand: str | None = None,
    draws: int | None = None,
    seed: int | None = None,
) -> Validation:
    """The same of a study whose answers are read: its scales, groups, labels and resamples where nothing else is said.

    Raises:
        Problems: what is asked for and cannot be.
    """
    check_short(None if said is None else said.short)
    own = study.settings.validating
    given = {name: value for name in _ASKED if (value := getattr(said, name, None))}
    named = {**study.brands, **study.stages, **study.segments, **own.labels}
    asked = replace(own, **given, labels=named)
    where, notes = _where(study, panel, wave, brand)
    return validated(
        panel,
        scales or asked.scales or scales_of(panel, study.model),
        asked,
        where=where,
        draws=study.settings.replicates if draws is None else draws,
        seed=study.settings.seed if seed is None else seed,
        level=study.settings.level,
        small=study.settings.small,
        ratings=_ratings(study, asked),
        notes=notes,
    )


_ASKED = ("groups", "known", "criterion", "marker", "retest", "raters", "short", "keep")


def _ratings(study: Study, asked: Validating) -> dict[str, pl.DataFrame]:
    """The tables of ratings that a study names, as texts; those of the answers are none of them.

    Raises:
        Problems: a file that cannot be read, in the study's language.
    """
    named = {name: one.file for name, one in asked.raters.items() if one.file}
    try:
        return {name: read_table(DataFile(study.path.parent / file)).frame for name, file in named.items()}
    except Problems as error:
        raise Problems(error.problems, study.language) from error


def _where(study: Study, panel: Panel, wave: str | None, brand: str | None) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Which answers are looked at: those of the latest wave, of all brands together where none is named.

    Raises:
        Problems: E-WAVE, E-BRAND for one that has no answers.
    """
    where, notes = {}, []
    asked = (("wave", wave, panel.waves, "E-WAVE", "期"), ("brand", brand, panel.brands, "E-BRAND", "品牌"))
    found = []
    for key, value, have, code, zh in asked:
        if value is None or key not in panel.frame.columns:
            continue
        labels = {t: n for n, text in study.brands.items() for t in (text.en, text.zh)} if key == "brand" else {}
        where[key] = labels.get(value, value)
        if where[key] not in have:
            hint = did_you_mean(value, have)
            found.append(
                problem(code, f"--{key}", f'there is no {key} "{value}".', f"没有“{value}”这一{zh}。", hint.en, hint.zh)
            )
    if found:
        raise Problems(found, study.language)
    if wave is None and "wave" in panel.frame.columns and panel.waves:
        where["wave"] = panel.waves[-1]
    if brand is None and "brand" in panel.frame.columns and len(panel.brands) > 1:
        many = len(panel.brands)
        en = f"Answers of {many} brands are taken together; differences between brands are part of every correlation."
        zh = f"{many} 个品牌的答卷合并分析；品牌之间的差异计入各相关。"
        notes.append(note("N-POOLED-BRANDS", en, zh))
    return where, tuple(notes)
