"""What a study file says of targets, alerts, the benchmark and views; and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csi.errors import Problem, Text, did_you_mean, problem
from csi.study.positions import Document
from csi.study.rate_items import rates_plan
from csi.study.schema import StudyForm
from csi.study.schema_telling import TargetForm, ViewForm
from csi.tracking.alerts import AIMED, aimless, target_problems
from csi.tracking.benchmark import MEAN
from csi.tracking.targets import Target, unknown, value_problems, within
from csi.tracking.views import Views

SIGNED = ("nps", "price_tolerance")
"""Rates that may be negative."""


def target_of(form: TargetForm, target: str) -> Target:
    """A target of a study file; of the published construct where it names none."""
    return Target(form.value, form.construct_ or target, form.brand, form.wave)


def views_of(form: ViewForm) -> Views:
    """The views of a study file."""
    return Views(tuple(form.show), form.window, form.weight, form.limit, tuple(form.baseline))


def aim_problems(form: StudyForm, constructs: Sequence[str], document: Document) -> Iterator[Problem]:
    """Targets of what is not there, or twice; a benchmark that is no brand; waves of views that are not listed.

    Parameters:
        constructs: of the model; empty where it is not known.
    """
    yield from _targets(form, constructs, document)
    yield from _alerts(form, document)
    brands, order = [brand.name for brand in form.brands], form.waves.order
    benchmark = form.index.benchmark
    if benchmark != MEAN and brands and benchmark not in brands:
        hint = did_you_mean(benchmark, [MEAN, *brands])
        en, zh = f'the benchmark "{benchmark}" is not a brand.', f"基准“{benchmark}”不是品牌。"
        yield problem("E-BRAND", document.place(("index", "benchmark")), en, zh, hint.en, hint.zh)
    for i, wave in enumerate(form.views.baseline):
        if order and wave not in order:
            hint = did_you_mean(wave, order, every=True)
            en, zh = f'unknown wave "{wave}".', f"未知的期“{wave}”。"
            yield problem("E-WAVE", document.place(("views", "baseline", i)), en, zh, hint.en, hint.zh)


def _targets(form: StudyForm, constructs: Sequence[str], document: Document) -> Iterator[Problem]:
    """Targets, each at its line."""
    plan = rates_plan(form.rates)
    rates = () if plan is None else plan.names
    brands, order = [brand.name for brand in form.brands], form.waves.order
    known = {"construct": [*constructs, *rates] if constructs else [], "brand": brands}
    for i, one in enumerate(form.targets):
        place = document.place(("targets", i))
        for kind, name in (("construct", one.construct_), ("brand", one.brand)):
            if name and known[kind] and name not in known[kind]:
                yield unknown(kind, name, known[kind], place)
        if one.wave and order and not any(within(wave, one.wave) for wave in order):
            yield unknown("wave", one.wave, order, place)
        if one.construct_ not in SIGNED:
            yield from value_problems(one.value, 0.0, place)
        if any((one.construct_, one.brand, one.wave) == (t.construct_, t.brand, t.wave) for t in form.targets[:i]):
            en, zh = (
                "a target for the same construct, brand and wave is listed twice.",
                "同一构念、品牌与期次的目标重复列出。",
            )
            yield problem("E-TWICE", place, en, zh, "Keep one of them.", "请只保留一个。")


def _alerts(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Alerts without what they need, or of a brand nobody listed."""
    brands = [b.name for b in form.brands]
    for i, one in enumerate(form.alerts):
        yield from target_problems(one.when, one.target, document.place(("alerts", i)))
        if one.when in AIMED and one.target is None and not form.targets:
            yield aimless(one.when, document.place(("alerts", i)))
        if one.brand and brands and one.brand not in brands:
            hint = did_you_mean(one.brand, brands)
            what = Text(f'there is no brand "{one.brand}".', f"没有“{one.brand}”这个品牌。")
            yield Problem("E-ALERT", document.place(("alerts", i, "brand")), what, hint)
