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


def test_an_alert_about_targets_takes_those_of_the_study(write_study):
    study = read(write_study, "targets: [{value: 75}]\nalerts: [{when: missed}, {when: below}]")
    assert [a.when for a in study.alerts] == ["missed", "below"]
