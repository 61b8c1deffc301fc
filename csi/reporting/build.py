"""From a study to a `Report`: read, analyse, tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Final

from csi.errors import Language, Note, Problems, Text, did_you_mean, note, problem
from csi.reporting import words
from csi.reporting.analysis import Analysis, analyse, check_wave, checked
from csi.reporting.methods.library import told_in
from csi.reporting.methods.overview import KEY as OVERVIEW
from csi.reporting.methods.overview import overview
from csi.reporting.record import record
from csi.reporting.section import Headline, Report, Section
from csi.reporting.sections import MODELS, NEED_A_MODEL, SECTIONS, behind, build, heading, headline, planned
from csi.reporting.sections.grouped import key_of
from csi.reporting.sections.paper.checklist import KEY as CHECKLIST
from csi.reporting.sections.paper.checklist import checklist_section
from csi.reporting.untold import untold
from csi.reporting.usable import completed
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study, with_errors
from csi.survey.panel import Panel

LEADING = ("gap", "servqual", "tolerance", "promise", "change", "adjustment", "dynamic", "surface", "formation", "kano")
"""Models about expectations, whose finding may stand over a report on expectation, in order."""

LANGUAGES: tuple[Language, ...] = ("zh", "en")
VALIDATION: Final = "validation"
_VALIDATION: Final = "csi.reporting.validation.build"
"""What only a validation needs is loaded by one."""


def report(
    study: Study | str | Path,
    wave: str | None = None,
    lang: str | Sequence[str] = LANGUAGES,
    *,
    kind: str = "quarterly",
    panel: Panel | None = None,
    replicates: int | None = None,
    errors: str | None = None,
) -> Report:
    """The report of a study's wave as values: headline, sections, record.

    Parameters:
        study: a study file's path or a `Study`. wave: the last one with answers by default.
        lang: "zh", "en", or both in the order they are shown ("zh,en" is understood).
        kind: "quarterly" (managers), "paper" (what reviewers ask of a model), "validation" (the questionnaire),
            "expectation" (every model of expectation that the columns allow).
        panel: the answers, when they are already read.
        replicates, errors: resamples (0: none) and whose standard errors the index has ("bootstrap", "linearised",
            "fixed"), instead of the study's own.

    Returns:
        Report; in a notebook it shows its headline, `r.section("trend")` a section, `r.keys` the sections there are.

    Raises:
        Problems: everything wrong with the study file, the answers, the wave and the other arguments.

    Example:
        >>> import csi
        >>> study = csi.Study.read("data/telecom/study.yaml")
        >>> quick = replace(study, settings=replace(study.settings, replicates=100))
        >>> report(quick, "2024Q1", "en").title.en
        'Mobile telecom customer satisfaction, quarterly, 2024 Q1'
    """
    languages = check_languages(lang)
    study = with_errors(given_study(study), replicates, errors)
    panel = read_study_panel(study) if panel is None else panel
    study, panel = completed(study, panel)
    return told_as(kind, study, panel, wave, planned_for(study, panel, kind), languages)


def ready(study: Study, panel: Panel, wave: str | None, kind: str) -> tuple[Study, Panel, str]:
    """Study, panel and wave, complete and fit for a report of a kind: a validation needs neither index nor brand.

    Raises:
        Problems: as `checked`; E-WAVE.
    """
    if kind != VALIDATION:
        return checked(study, panel, wave)
    study, panel = completed(study, panel)
    return study, panel, check_wave(study, panel, wave)


def told_as(
    kind: str, study: Study, panel: Panel, wave: str | None, keys: Sequence[str], languages: tuple[Language, ...]
) -> Report:
    """A report of a kind: of the questionnaire's validation, or of the analysis of the index and its model."""
    if kind == VALIDATION:
        validated: Report = resolve_name(f"{_VALIDATION}:validated_report")(study, panel, wave, languages)
        return validated
    return told(analyse(study, panel, wave), keys, languages, kind)


def told(analysis: Analysis, keys: Sequence[str], languages: tuple[Language, ...], kind: str = "quarterly") -> Report:
    """A report of an analysis: the sections `keys` in order, those without a model left out where there is none."""
    kept = [k for k in keys if _can_tell(k, analysis)]
    title, wave = analysis.study.title, words.wave_name(analysis.wave)
    titled = ((", ", (title.en, wave.en)), ("，", (title.zh, wave.zh)))
    sections = [replace(s, language=languages[0]) for s in built(kept, analysis)]
    top = (*analysis.notes, *_idle_notes(keys, analysis))
    if kind == "quarterly" and sections:
        last = sections[-1]
        sections[-1] = replace(last, notes=(*last.notes, *untold(analysis, [s.key for s in sections])))
    if sections and top:  # what keeps numbers out of the whole report stands at its top
        sections[0] = replace(sections[0], notes=(*top, *sections[0].notes))
    return Report(
        title=Text(*(sign.join(t for t in parts if t) for sign, parts in titled)),
        headline=_headline(analysis, kind, sections),
        sections=tuple(sections),
        record={**record(analysis), "kind": kind, "languages": list(languages)},
        languages=languages,
        absent=analysis.absent,
    )


def built(keys: Sequence[str], analysis: Analysis) -> list[Section]:
    """The sections in order; an overview of the models is made of theirs, a checklist of all."""
    made = {k: build(k, analysis) for k in keys if k not in {OVERVIEW, CHECKLIST}}
    models = [s for k, s in made.items() if k not in SECTIONS]
    names = {s.key: heading(s.key, analysis.study) for s in models}
    last = {OVERVIEW: lambda: overview(models, names), CHECKLIST: lambda: checklist_section(analysis, [*made.values()])}
    return [last[k]() if k in last else made[k] for k in keys]


def _headline(analysis: Analysis, kind: str, sections: Sequence[Section]) -> Headline:
    """The headline; that of a report on expectation is what the first of its models finds that is about expectations.

    Without one it is the finding of its first model.
    """
    found = headline(analysis, kind)
    models = [s for s in sections if s.key not in SECTIONS and s.key != OVERVIEW]
    if kind != "expectation" or not models:
        return found
    who, what = analysis.brand_labels[analysis.focal], analysis.label(analysis.target)
    return replace(
        found,
        sentence=_short(next((s.title for k in LEADING for s in models if s.key == k), models[0].title)),
        measure=Text(f"{what.en} of {who.en}, index 0–100", f"{who.zh}{what.zh}指数（0–100）"),
        dateline=behind(analysis),
    )


def _short(title: Text) -> Text:
    """A title without the interval and p at its end, which its section and the overview keep.

    Example:
        >>> _short(Text("It falls by 0.4 (95% interval a to b).", "下降 0.4 分（95% 区间 -0.5 至 -0.3）。"))
        Text(en='It falls by 0.4', zh='下降 0.4 分')
    """
    return Text(_END.sub("", title.en), _END.sub("", title.zh))


_END: Final = re.compile(r"(?:\s*\([^()]*\d%[^()]*\)|（[^（）]*\d%[^（）]*）)?[.。]?$")


def _can_tell(key: str, analysis: Analysis) -> bool:
    """Whether a section has anything to tell: a model where it needs one, importances where it ranks them, and answers
    by item of a brand that has enough of them.
    """
    if key == "items" and not analysis.enough(analysis.focal):
        return False
    if analysis.cell is None:
        return key not in NEED_A_MODEL
    importances = analysis.cell.drivers.table["importance"]
    return key not in {"priorities", "levers"} or importances.null_count() < importances.len()


def _idle_notes(keys: Sequence[str], analysis: Analysis) -> tuple[Note, ...]:
    """Why the priorities that the report would have are not told: nothing of the model leads to the target, or the fit
    is not to be read.
    """
    if not {"priorities", "levers"} & {*keys} or analysis.cell is None:
        return ()
    found = analysis.cell.drivers
    if found.table.height:
        lost = found.table["importance"].null_count() == found.table.height
        return tuple(Note(r.code, r.text) for r in found.reasons.values()) if lost else ()
    what = analysis.label(analysis.target)
    en = f"What to improve first is not told: nothing in the model leads to {what.en}, so it has no drivers."
    zh = f"未给出“先改进什么”：模型中没有任何路径指向{what.zh}，因此没有驱动因素。"
    return (note("N-NO-DRIVERS", en, zh),)


def planned_for(study: Study, panel: Panel, kind: str) -> tuple[str, ...]:
    """The sections a report of this kind will have, before anything is estimated."""
    if kind == VALIDATION:
        sections: tuple[str, ...] = resolve_name(f"{_VALIDATION}:planned_sections")(study.settings.validating)
        return sections
    columns = panel.frame.columns
    brands = panel.frame["brand"].n_unique() if "brand" in columns else 1
    waves = panel.frame["wave"].n_unique() if "wave" in columns else 1
    return planned(
        kind,
        brands=brands,
        waves=min(waves, len(study.waves) or 1),
        keys=tuple(columns),
        settings=study.settings,
        grouped=key_of(study, panel) is not None,
        products=any(c.product_of for c in study.model.constructs),
        formed=any(study.settings.modes.get(c.name, c.mode) == "B" for c in study.model.constructs),
        followed=any(p.predictor.name == study.settings.target for p in study.model.paths),
        methods=told_in(study, None if kind == "expectation" else MODELS if kind == "quarterly" else ()),
        alerts=bool(study.alerts),
    )


def check_languages(lang: str | Sequence[str]) -> tuple[Language, ...]:
    """The languages asked for, each once.

    Raises:
        Problems: E-LANG.

    Example:
        >>> check_languages("zh,en"), check_languages(["en"])
        (('zh', 'en'), ('en',))
    """
    asked = lang.replace("，", ",").split(",") if isinstance(lang, str) else list(lang)
    names = list(dict.fromkeys(name.strip() for name in asked if name.strip()))
    unknown = [n for n in names if n not in LANGUAGES]
    if unknown or not names:
        name = unknown[0] if unknown else ""
        hint = did_you_mean(name, LANGUAGES)
        en, zh = f'"{name}" is not a language of reports.', f"“{name}”不是报告可用的语言。"
        raise Problems([problem("E-LANG", "lang", en, zh, hint.en, hint.zh)])
    return tuple(known for name in names for known in LANGUAGES if known == name)
