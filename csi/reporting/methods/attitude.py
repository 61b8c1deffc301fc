"""What customers said beside what they did after the interview, as a section."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import polars as pl

from csi.behaviour.attitude import USUAL, Attitude, attitude
from csi.behaviour.attitude_words import HEADINGS, SAID
from csi.behaviour.buying import UNITS
from csi.behaviour.survival_words import AGAIN
from csi.behaviour.survival_words import HEADINGS as CURVE
from csi.errors import Problems, Text, problem
from csi.estimate.fit import fit
from csi.measures.factor_scores import factor_scores
from csi.measures.scores import scores
from csi.reporting.drawn import figure
from csi.reporting.figures.staying import staying
from csi.reporting.methods.card import known_estimator
from csi.reporting.methods.method import Method, Need, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import key
from csi.reporting.methods.repurchase import unit_of
from csi.reporting.section import Figure, Kind, Section
from csi.study.estimator import estimator_of
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.events import Events
from csi.survey.panel import Panel

HAZARD: dict[str, Kind] = {
    "model": "text", "name": "text", "n": "count", "events": "count", "ratio": "number", "ratio_low": "number",
    "ratio_high": "number", "p_value": "p",
}  # fmt: skip
WITHIN: dict[str, Kind] = {
    "model": "text", "name": "text", "n": "count", "events": "count", "points": "score", "points_low": "score",
    "points_high": "score", "p_value": "p",
}  # fmt: skip
BANDS: dict[str, Kind] = {
    "name": "text", "band": "text", "n": "count", "events": "count", "share": "share", "conf_low": "share",
    "conf_high": "share",
}  # fmt: skip
CHECKS: dict[str, Kind] = {"name": "text", "statistic": "number", "df": "count", "p_value": "p"}
JOINS: dict[str, Kind] = {"what": "text", "count": "count"}
SHORT = {**HEADINGS, "ratio": Text("ratio", "比值"), "points": Text("points", "百分点")}
"""Headings under titles that say what ratios and points are of."""


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Bands, hazards, shares within a time, the check, who joined."""
    found = attitude(
        panel, _table(study, options), options.drivers, asked=options.asked or None,
        scores=_scores(study, panel, options), adjust_for=options.adjust_for, within=options.within or None,
        unit=unit_of(options), cuts=options.cuts or (50.0, 75.0), **asked(study, options),
    )  # fmt: skip
    texts = {**found.labels, **texts_of(study), **SAID}
    span = Text(f"{found.span:g} {UNITS[found.unit].en}", f"{found.span:g} {UNITS[found.unit].zh}")
    did = Text("Bought again", "复购") if found.waited == "repurchase" else Text("Left", "流失")
    parts = (
        (
            "bands",
            Text(f"{did.en} within {span.en}, by score", f"{span.zh}内{did.zh}占比（按得分）"),
            found.bands,
            BANDS,
        ),
        ("hazard", Text("Hazard ratios of 10 points", "每 10 分的风险比"), found.hazard, HAZARD),
        (
            "within",
            Text(f"{did.en} within {span.en}: 10 points more", f"{span.zh}内{did.zh}：每高 10 分"),
            found.within,
            WITHIN,
        ),
        ("checks", Text("Whether ratios stay over time", "比值是否随时间不变"), found.checks, CHECKS),
        ("joins", Text("Answers and events joined", "答卷与事件的对接"), found.joins, JOINS),
    )
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="attitude",
        title=title,
        subtitle=Text(
            "Scores of the interview against what came after it; Cox's model and logistic regression with the design",
            "访问所得分数与其后行为；Cox 模型与逻辑回归，按抽样设计",
        ),
        paragraphs=more,
        figures=drawn(found, title, texts),
        tables=tuple(tabled(k, t, f, kinds, SHORT, texts) for k, t, f, kinds in parts if f.height),
        notes=found.notes,
        data={k: f for k, _, f, _ in parts} | {"curve": found.curve},
    )


def drawn(found: Attitude, title: Text, texts: dict[str, Text]) -> tuple[Figure, ...]:
    """Curves by band of the first driver; none where there are several cells."""
    keys = {"brand", "wave", "stage", "segment"} & set(found.curve.columns)
    if keys or not found.curve["events"].sum():
        return ()
    first = texts[found.drivers[0]]
    bands = {b: Text(f"{first.en} {b}", f"{first.zh} {b}") for b in found.curve["band"].unique()}
    up = AGAIN["survival"] if found.waited == "repurchase" else CURVE["survival"]
    since = Text(f"{UNITS[found.unit].en} since the interview", f"访问后{UNITS[found.unit].zh}数")
    curve, risk = (f.filter(pl.col("band") != "").sort("band", maintain_order=True, descending=True)
                   for f in (found.curve, found.risk))  # fmt: skip
    return (figure("curve", title, partial(staying, curve, risk, group="band", across=since, up=up, labels=bands)),)


def _table(study: Study, options: Options) -> Events | None:
    """Purchases, or spells where there are none or leaving is asked for."""
    kinds = {"repurchase": ("purchases",), "churn": ("spells",), "": ("purchases", "spells")}
    if options.outcome not in kinds:
        en, zh = (
            f'outcome "{options.outcome}" is neither repurchase nor churn.',
            f"outcome “{options.outcome}”既非 repurchase 也非 churn。",
        )
        raise Problems([problem("E-OPTION", "outcome", en, zh, "Write repurchase.", "请写 repurchase。")])
    for kind in kinds[options.outcome]:
        if kind in study.tables:
            return study.table(kind)
    kind = kinds[options.outcome][0]
    en, zh = f"the study has no table of {kind}.", f"该研究没有 {kind} 表。"
    do, do_zh = f"Name it under tables: {{{kind}: ...}}.", f"请在 tables 中写明 {kind}。"
    raise Problems([problem("E-ROLE", "attitude", en, zh, do, do_zh)])


def _scores(study: Study, panel: Panel, options: Options) -> pl.DataFrame | None:
    """Scores of the study's model by the estimator named; None for means of items."""
    if not options.estimator:
        return None
    settings = replace(study.settings, estimator=known_estimator(options.estimator))
    est = fit(study.model, panel, estimator_of(settings))
    if settings.covariance:
        return factor_scores(est)
    return scores(est, kind="0-100")


def _tables() -> Need:
    """Purchases or spells."""

    def met(study: Study, options: Options) -> bool:
        del options
        return bool({"purchases", "spells"} & set(study.tables))

    return Need(
        Text("a table of purchases (id, date) or of spells (id, start, end, event)",
             "购买记录（id, date）或顾客存续（id, start, end, event）"),
        met,
        Text("name its file under tables: {purchases: purchases.csv}",
             "在 tables 中写明文件：{purchases: purchases.csv}"),
    )  # fmt: skip


def _scored() -> Need:
    """Satisfaction or loyalty, or drivers that are named."""

    def met(study: Study, options: Options) -> bool:
        return bool(options.drivers) or any(study.codebook.items_of(n) for n in USUAL)

    return Need(
        Text("items on satisfaction or loyalty", "满意度或忠诚度的题项"),
        met,
        Text("add items with construct: satisfaction, or name drivers: [...]",
             "补充 construct: satisfaction 的题项，或写 drivers: [...]"),
    )  # fmt: skip


METHOD = Method(
    name="attitude",
    number=11,
    title=Text("Attitude and what customers did", "态度与其后行为"),
    needs=(_tables(), key("respondent", Text("respondents", "受访者")), _scored()),
    tell=tell,
    options=("drivers", "outcome", "asked", "adjust_for", "within", "unit", "cuts", "estimator"),
    whole=True,
    joins=("purchases", "spells"),
)
