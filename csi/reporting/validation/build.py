"""A validation as a `Report`: its sections in order, its headline, its record."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import platform
from collections.abc import Callable, Mapping

import polars as pl

from csi.errors import Language, Text
from csi.measures.questionnaire.settled import usable
from csi.measures.questionnaire.validate import Validation
from csi.measures.questionnaire.validating import Validating
from csi.reporting import style, words
from csi.reporting.record import codebook_hash, data_hash, versions
from csi.reporting.section import Headline, Report, Section
from csi.reporting.sections.fit import LIMITS, NAMES
from csi.reporting.validation.advice import advice_section, changed
from csi.reporting.validation.answers import answers_section
from csi.reporting.validation.dimensions import dimensions_section
from csi.reporting.validation.fairness import fairness_section
from csi.reporting.validation.further import criterion_section, method_section, retest_section, short_section
from csi.reporting.validation.held import absent_notes, untested
from csi.reporting.validation.items import items_section, use_section
from csi.reporting.validation.raters import raters_section
from csi.reporting.validation.recorded import recorded
from csi.reporting.validation.reliability import reliability_section
from csi.reporting.validation.response import response_section
from csi.reporting.validation.separation import fit_section, misfit_section, separation_section
from csi.reporting.validation.traits import traits_section
from csi.study.study import Study
from csi.study.validation import validate_study
from csi.survey.panel import Panel

TOLD: Mapping[str, Callable[[Validation], Section | None]] = {
    "v_advice": advice_section,
    "v_items": items_section,
    "v_reliability": reliability_section,
    "v_dimensions": dimensions_section,
    "v_fit": fit_section,
    "v_separation": separation_section,
    "v_misfit": misfit_section,
    "v_method": method_section,
    "v_criterion": criterion_section,
    "v_traits": traits_section,
    "v_fairness": fairness_section,
    "v_response": response_section,
    "v_use": use_section,
    "v_short": short_section,
    "v_retest": retest_section,
    "v_raters": raters_section,
}
"""The sections of a validation, in order."""


def planned_sections(asked: Validating) -> tuple[str, ...]:
    """The sections that a study asks for; others need nothing to be said.

    Example:
        >>> "v_fairness" in planned_sections(Validating()), planned_sections(Validating())[-1]
        (False, 'v_answers')
    """
    idle = {
        "v_criterion": not (asked.criterion or asked.known),
        "v_fairness": not asked.groups,
        "v_traits": not asked.methods,
        "v_retest": not asked.retest,
        "v_raters": not asked.raters,
    }
    return (*(key for key in TOLD if not idle.get(key, False)), "v_answers")


def validated_report(study: Study, panel: Panel, wave: str | None, languages: tuple[Language, ...]) -> Report:
    """A study's questionnaire validated on the answers of a wave, as a report."""
    return validation_report(study, panel, validate_study(study, panel, wave=wave), languages)


def validation_report(study: Study, panel: Panel, found: Validation, languages: tuple[Language, ...]) -> Report:
    """The report of a study's validation.

    Parameters:
        study: whose questionnaire it is. panel: its answers. found: the validation. languages: in the order shown.
    """
    sections = [*told_sections(found), answers_section(panel, found)]
    sections[-1] = dataclasses.replace(sections[-1], notes=(*sections[-1].notes, *found.notes, *absent_notes(found)))
    title = study.title if study.title.en or study.title.zh else Text(study.name, study.name)
    wave = words.wave_name(found.where.get("wave", ""))
    titled = ((", ", (title.en, wave.en)), ("，", (title.zh, wave.zh)))
    return Report(
        title=Text(*(sign.join(t for t in parts if t) for sign, parts in titled)),
        headline=headline(study, found),
        sections=tuple(dataclasses.replace(s, language=languages[0]) for s in sections),
        record={**record(study, panel, found), "kind": "validation", "languages": list(languages)},
        languages=languages,
    )


def told_sections(found: Validation) -> list[Section]:
    """The sections that the answers can fill, in order."""
    return [made for make in TOLD.values() if (made := make(found)) is not None]


def headline(study: Study, found: Validation) -> Headline:
    """The verdict strip: CFI, RMSEA, SRMR and how many items to rewrite, under one sentence."""
    kicker = Text(
        f"Questionnaire validation • {study.title.en or study.name}", f"问卷校验报告 • {study.title.zh or study.name}"
    )
    return Headline(
        kicker=kicker,
        sentence=verdict(found),
        value=math.nan,
        conf_low=math.nan,
        conf_high=math.nan,
        changes=(),
        dateline=dateline(found),
        facts=facts(found),
    )


def verdict(found: Validation) -> Text:
    """The questionnaire in one sentence: what stands against its use first, and how many items want rewriting."""
    many = len(changed(found))
    m = {} if found.factors is None or untested(found) else found.factors.measures
    poor = [k for k in LIMITS if k in m and LIMITS[k].verdict(m[k]).en == "poor"]
    misfit = None
    if untested(found):
        misfit = Text("the fit of so few items cannot be tested", "题项太少，拟合无法检验")
    elif not m:
        misfit = Text("the factor model could not be fitted", "因子模型无法拟合")
    elif poor:
        misfit = Text("the items do not fit their constructs well", "题项与构念拟合不佳")
    first = usable(found.advice, misfit)
    if not many:
        second = Text("no item needs rewriting", "无题项需要修改")
    else:
        second = Text(
            f"{many} of {len(found.answers.names)} items need{'s' if many == 1 else ''} work", f"{many} 题需要修改"
        )
    return words.sentence(first, *((_number_in_doubt(found),) if misfit is None else ()), second)


def _number_in_doubt(found: Validation) -> Text:
    """That no rule for the number of factors finds as many as constructs were meant; empty where one does."""
    told = found.n_factors
    votes = [] if told is None else told.table.filter(pl.col("counted"))["factors"].drop_nulls().to_list()
    if told is None or not votes or told.intended in votes:
        return Text("", "")
    en = f"none of {len(votes)} rules for the number of factors finds the {told.intended} constructs"
    return Text(en, f"{len(votes)} 条因子数规则无一得出 {told.intended} 个构念")


def facts(found: Validation) -> tuple[tuple[Text, Text, Text], ...]:
    """Name, number and word of CFI, RMSEA, SRMR; then the items to rewrite."""
    m = {} if found.factors is None or untested(found) else found.factors.measures
    told = [
        (NAMES[k], Text(style.coefficient(m[k], "en", 3), style.coefficient(m[k], "zh", 3)), LIMITS[k].verdict(m[k]))
        for k in ("cfi", "rmsea", "srmr")
        if k in m
    ]
    many = str(len(changed(found)))
    return (*told, (Text("Items to rework", "需修改题项"), Text(many, many), Text("", "")))


def dateline(found: Validation) -> Text:
    """Items, constructs, answers and how the factors were fitted."""
    p, q, n = len(found.answers.names), len(found.answers.scales), found.answers.rows.shape[0]
    how = "" if found.factors is None else f" • {found.factors.estimator}"
    en = f"{p} items • {q} construct{'s' if q != 1 else ''} • {n:,} respondents{how}"
    return Text(en, f"{p} 题 • {q} 个构念 • {n:,} 份{how}")


def _ratings(study: Study, asked: Validating) -> dict[str, str]:
    """The files of raters, by the hash of what they hold."""
    files = {one.file: study.path.parent / one.file for one in asked.raters.values() if one.file}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def record(study: Study, panel: Panel, found: Validation) -> dict[str, object]:
    """What a second person needs to get the same numbers; no clock, no path of a machine."""
    return {
        "study": study.name,
        "where": dict(found.where),
        "hashes": {
            "data": data_hash(panel),
            "study": study.sha256,
            "codebook": codebook_hash(study.codebook),
            "files": {s.name: s.sha256 for s in panel.sources} | _ratings(study, found.asked),
        },
        "scales": {c: list(items) for c, items in found.answers.scales.items()},
        "validation": dataclasses.asdict(found.asked),
        "validated": recorded(found),
        "draws": found.draws,
        "seed": found.seed,
        "level": found.level,
        "rules": dataclasses.asdict(study.rules),
        "effects": [dataclasses.asdict(e) for e in panel.audit],
        "absent": {part: [p.code for p in why] for part, why in found.absent.items()},
        "versions": {"python": platform.python_version(), **versions()},
        "notes": [{"code": n.code, "en": n.text.en, "zh": n.text.zh} for n in found.notes],
    }
