"""The balance point between attracting and satisfying, as a section."""

from __future__ import annotations

from csi.errors import Text
from csi.expectation.balance import Balance, balance
from csi.expectation.balance_words import HEADINGS, NAMES, SIDES
from csi.expectation.composites import items_named
from csi.reporting import style
from csi.reporting.figures.balance import balance_curves
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.methods.needs import forms
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

RESAMPLES = 1000
"""Fewest resamples behind the interval of the balance point."""

POINT: dict[str, Kind] = {
    "prospects": "count", "buyers": "count", "balance": "number", "conf_low": "number", "conf_high": "number",
    "at_boundary": "share", "expected": "number", "perceived": "number", "promise_gap": "number", "gap_low": "number",
    "gap_high": "number",
}  # fmt: skip
SLOPES: dict[str, Kind] = {
    "side": "text", "name": "text", "estimate": "number", "std_error": "number", "conf_low": "number",
    "conf_high": "number",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """The point, the slopes behind it, and the curves."""
    settings = study.settings
    found = balance(
        panel, options.chose or None, options.rebought or None, expected=options.expected or "Ew",
        perceived=options.perceived or "P", by=options.by, where=options.where,
        replicates=max(settings.replicates, RESAMPLES), seed=settings.seed, level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    texts = {**texts_of(study), **SIDES, **NAMES}
    title, more = titled(found.sentences, METHOD.title)
    point = {c: k for c, k in POINT.items() if found.table[c].null_count() < found.table.height}
    tables = (
        tabled("balance", Text("Balance point", "平衡点"), found.table, point, HEADINGS, texts),
        tabled("slopes", Text("Logit slopes", "logit 斜率"), found.slopes, SLOPES, HEADINGS, texts),
    )
    return Section(
        key="balance",
        title=title,
        subtitle=Text(
            "Too low does not attract, too high does not satisfy: chance to choose (prospects) times chance to come "
            "back (buyers, at today's experience); bands: bootstrap intervals",
            "过低不吸引，过高难满意：潜在客户选择的概率 × 购买者（在当前体验下）再次购买的概率；色带为自助法区间",
        ),
        figures=(_figure(found, title),) if found.table.height == 1 and found.curves.height else (),
        paragraphs=more,
        tables=tables,
        notes=found.notes,
        data={"balance": found.table, "slopes": found.slopes, "curves": found.curves},
    )


def _figure(found: Balance, finding: Text) -> Figure:
    """The curves, wide and narrow."""
    point = found.table.row(0, named=True)

    def draw(lang: str) -> str:
        return balance_curves(found.curves, point, lang=lang, finding=finding.say(lang))

    def narrow(lang: str) -> str:
        return balance_curves(found.curves, point, lang=lang, finding=finding.say(lang), width=style.PHONE)

    return Figure("balance", draw, finding, narrow=narrow)


def _returned(study: Study, options: Options) -> bool:
    """Whether buyers' outcome is there."""
    return bool(items_named(study.codebook, options.rebought or "rebought"))


METHOD = Method(
    name="balance",
    number=0,
    title=Text("Balance point of expectation", "期望的平衡点"),
    needs=(
        forms("P", "Ew", option=("perceived", "expected")),
        Need(
            Text(
                "an item of buyers: bought again (0 or 1), or satisfaction", "购买者的结果题项：是否复购（0/1）或满意度"
            ),
            _returned,
            Text(
                "name it: rebought: ITEM (and chose: ITEM of prospects)",
                "写明 rebought: 题项（潜在客户另写 chose: 题项）",
            ),
        ),
    ),
    tell=tell,
    options=("expected", "perceived", "chose", "rebought"),
)
