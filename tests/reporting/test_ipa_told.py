"""Importance that customers state beside what is derived, as a section: a study of three attributes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.reporting.methods.library import run_method
from csi.study import read_study, read_study_panel

STUDY = """
csi: 1
study: stated
data: [{file: panel.csv}]
codebook: codebook.yaml
keys: {respondent: id}
model: {text: "quality =~ speed_P + price_P; satisfaction =~ s1; satisfaction ~ quality"}
bootstrap: {n: 0}
"""
BOOK = """
scales: {ten: {min: 1, max: 10}}
constructs: {quality: {en: Quality, zh: 质量}, satisfaction: {en: Satisfaction, zh: 满意}}
items:
  - {name: s1, construct: satisfaction, scale: ten, en: Overall, zh: 总体}
"""
NAMES = {"speed": "速度", "price": "价格", "staff": "人员"}


def written(folder, n=120):
    rng = np.random.default_rng(4)
    done = {k: rng.normal(m, 1.5, n) for k, m in zip(NAMES, (4, 7, 6), strict=True)}
    columns = {"id": range(n), "s1": 0.5 * done["speed"] + 0.2 * done["price"] + rng.normal(2, 0.7, n)}
    columns |= {f"{k}_P": v for k, v in done.items()}
    columns |= {f"{k}_I": rng.normal(m, 1, n) for k, m in zip(NAMES, (8, 5, 7), strict=True)}
    frame = pl.DataFrame(columns).with_columns(pl.exclude("id").round().clip(1, 10).cast(pl.Int64))
    frame.write_csv(folder / "panel.csv")
    items = [
        f"  - {{name: {k}_{form}, construct: quality, attribute: {k}, form: {form}, scale: ten, en: {k}, zh: {zh}}}\n"
        for k, zh in NAMES.items()
        for form in "PI"
    ]
    (folder / "codebook.yaml").write_text(BOOK + "".join(items), encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return folder / "study.yaml", frame


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    path, frame = written(tmp_path_factory.mktemp("stated"))
    study = read_study(path)
    return study, read_study_panel(study), frame


def test_stated_importance_stands_beside_what_is_derived(told):
    study, panel, frame = told
    section = run_method(study, panel, "ipa")
    done, stated = ({k: f"{k}_{form}" for k in NAMES} for form in "PI")
    own = csi.ipa(frame.drop("id"), done, stated=stated, outcome="s1", scale=(1, 10), replicates=0).table
    shown = section.data["ipa"]
    for column in ("stated", "performance", "derived", "opportunity", "ulwick"):
        assert shown[column].to_list() == pytest.approx(own[column].to_list())
    assert shown["quadrant"].to_list() == own["quadrant"].to_list()
    assert (shown["probability"] <= 1).all()
    assert (shown["ulwick_conf_low"] < shown["ulwick"]).all()
    assert (shown["opportunity_conf_low"] < shown["opportunity"]).all()
    assert "speed" in section.title.en
    assert "速度" in section.title.zh
    assert [t.name for t in section.tables] == ["ipa", "opportunities"]
    assert "<svg" in section.figures[0].draw("zh")


def test_a_few_answers_are_not_told(told):
    study, panel, _ = told
    with pytest.raises(Problems) as found:
        run_method(study, replace(panel, frame=panel.frame[:9]), "ipa")
    assert found.value.problems[0].code == "E-BASE"
