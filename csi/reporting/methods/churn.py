"""How long customers stay, and what goes with leaving, as a section."""

from __future__ import annotations

from csi.behaviour.buying import UNITS
from csi.behaviour.hazard import Hazard, hazard
from csi.behaviour.hazard_words import HEADINGS as RATIOS
from csi.behaviour.hazard_words import SAID
from csi.behaviour.survival import survival
from csi.behaviour.survival_words import HEADINGS
from csi.errors import Problems, Text
from csi.reporting.methods.method import Method, few_people, tabled, texts_of, titled
from csi.reporting.methods.needs import table
from csi.reporting.methods.repurchase import MEDIANS, NAMES, TESTS, drawn, unit_of
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

AT: dict[str, Kind] = {
    "time": "count", "n": "count", "survival": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
SLOPES: dict[str, Kind] = {
    "name": "text", "level": "text", "n": "count", "events": "count", "ratio": "number", "ratio_low": "number",
    "ratio_high": "number", "p_value": "p",
}  # fmt: skip
CHECKS: dict[str, Kind] = {"name": "text", "statistic": "number", "df": "count", "p_value": "p"}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Curves of staying, medians, tests; ratios of hazards where drivers are named."""
    del panel
    settings, unit = study.settings, unit_of(options)
    spells = study.table("spells")
    few = None if spells is None else few_people(spells.frame["id"].n_unique(), settings.small, "churn")
    if few is not None:
        raise Problems([few], study.language)
    found = survival(
        spells, by=options.by, unit=unit, since=options.since or None, level=settings.level, small=settings.small,
        flagged=settings.flagged,
    )  # fmt: skip
    told: Hazard | None = None
    if options.drivers:
        told = hazard(
            spells, options.drivers, way=options.hazard or "cox", unit=unit, since=options.since or None,
            level=settings.level,
        )  # fmt: skip
    texts = {**texts_of(study), **NAMES, **SAID}
    kind = (
        Text("Ratios of odds by period", "各期发生比")
        if told and told.way == "logit"
        else Text("Ratios of hazards", "风险比")
    )
    parts = [
        ("medians", Text(f"How long customers stay ({UNITS[unit].en})", f"顾客留存时间（{UNITS[unit].zh}）"),
         found.table, MEDIANS, HEADINGS),
        ("at", Text("Share that stays", "留存占比"), found.at, AT,
         {**HEADINGS, "time": UNITS[unit], "n": Text("still watched", "仍在观察")}),
        ("tests", Text("Whether groups differ", "各组是否不同"), found.tests, TESTS, HEADINGS),
    ]  # fmt: skip
    if told is not None:
        parts += [
            ("hazard", kind, told.table, SLOPES, RATIOS),
            ("checks", Text("Whether ratios stay over time", "比值是否随时间不变"), told.checks, CHECKS, RATIOS),
        ]
    title, more = titled((*found.sentences, *(told.sentences if told else ())), METHOD.title)
    notes = (*found.notes, *(n for n in (told.notes if told else ()) if n not in found.notes))
    tables = {"churn": found.table, "at": found.at, "curve": found.curve, "tests": found.tests}
    return Section(
        key="churn",
        title=title,
        subtitle=Text(
            "Kaplan-Meier, limits on log(-log S); ratios by Cox's model or by period",
            "Kaplan–Meier，区间取 log(−log S)；比值用 Cox 模型或分期模型",
        ),
        paragraphs=more,
        figures=drawn(found, title, texts),
        tables=tuple(tabled(k, t, f, kinds, heads, texts) for k, t, f, kinds, heads in parts if f.height),
        notes=notes,
        data=tables if told is None else {**tables, "hazard": told.table, "checks": told.checks},
    )


METHOD = Method(
    name="churn",
    number=11,
    title=Text("How long customers stay", "顾客留存与流失"),
    needs=(table("spells", "start", "end"),),
    tell=tell,
    options=("drivers", "hazard", "unit", "since"),
    cells=("by",),
)
