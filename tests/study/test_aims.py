"""Targets, views and the benchmark of a study file: what they make, and what is wrong with them at its line."""

import pytest

from csi.errors import Problems
from csi.study.read import study_fields
from csi.study.study import Study
from csi.tracking.targets import Target
from csi.tracking.views import Views


def read(write_study, line):
    return Study.read(write_study(("csi: 1", f"csi: 1\n{line}")))


def test_what_a_study_aims_at(write_study):
    study = read(write_study, "targets: [{value: 75}, {value: 70, construct: quality, wave: 2024}]")
    assert study.settings.targets == (Target(75, "satisfaction"), Target(70, "quality", wave="2024"))


def test_views_of_a_study(write_study):
    study = read(write_study, "views: {show: [rolling, control], window: 3, limit: 2.5, baseline: [2024Q1]}")
    assert study.settings.views == Views(("rolling", "control"), 3, None, 2.5, ("2024Q1",))
    assert study.settings.benchmark == "mean"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("targets: [{value: 75, construct: qualty}]", "E-TARGETS", "qualty"),
        ("targets: [{value: 75, wave: 2031Q1}]", "E-TARGETS", "2031Q1"),
        ("targets: [{value: -3}]", "E-TARGETS", "-3"),
        ("targets: [{value: 130}]", "E-VALUE", "130"),
        ("targets: [{construct: quality}]", "E-KEY-MISSING", "value"),
        ("targets: [{value: 75}, {value: 76}]", "E-TWICE", "twice"),
        ("views: {show: [median]}", "E-VALUE", "median"),
        ("views: {window: 0}", "E-VALUE", "0"),
        ("views: {weight: 1.5}", "E-VALUE", "1.5"),
        ("views: {baseline: [2031Q1]}", "E-WAVE", "2031Q1"),
        ("alerts: [{when: missed}]", "E-ALERT", "missed"),
        ("rates: {tolerance: {rebuy: q1, higher: q2, lower: q9}}", "E-ITEM", "q9"),
        ("rates: {nps: q1}", "E-SCALE", "from 0 to 10"),
        ("rates: {csat: [q1, q1]}", "E-TWICE", "q1"),
        ("rates: {tolerance: {rebuy: q1, higher: q2, lower: q2}}", "E-TWICE", "q2"),
        ("rates: {tolerance: {rebuy: q1, higher: q2, lower: s1, likely: 20}}", "E-SETTING", "q1 runs from"),
        ("rates: {top_boxes: [q1], boxes: 90}", "E-SCALE", "always 100"),
    ],
)
def test_what_is_wrong_is_named_at_its_line(write_study, line, code, said):
    with pytest.raises(Problems) as error:
        study_fields(write_study(("csi: 1", f"csi: 1\n{line}")))
    found = error.value.problems
    assert [p.code for p in found] == [code]
    assert found[0].where.split(":")[1] == "2"
    assert said in found[0].what.en + found[0].remedy.en
    assert found[0].what.zh


def test_each_item_of_a_rate_that_does_not_fit_is_named_at_its_own_line(write_study):
    rates = (
        "rates:\n  top_boxes:\n    - q1\n    - q8\n  boxes: 90\n  complaint: q2\n  nps: q1\n"
        "  kcsi:\n    elements: [q1, q1]\n    overall: q1\n    repurchase: q9\n"
    )
    with pytest.raises(Problems) as error:
        study_fields(write_study(("csi: 1\n", f"csi: 1\n{rates}")))
    found = sorted((int(p.where.split(":")[1]), p.code) for p in error.value.problems)
    assert found == [
        *((4, "E-SCALE"), (5, "E-ITEM"), (7, "E-SCALE"), (8, "E-SCALE")),
        *((10, "E-SCALE"), (10, "E-SCALE"), (10, "E-TWICE"), (11, "E-SCALE"), (12, "E-ITEM")),
    ]


def test_an_alert_about_targets_takes_those_of_the_study(write_study):
    study = read(write_study, "targets: [{value: 75}]\nalerts: [{when: missed}, {when: below}]")
    assert [a.when for a in study.alerts] == ["missed", "below"]
