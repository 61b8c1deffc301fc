"""Repurchase, churn and attitude as sections of a study: told in both languages, drawn, what is planted, refused."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main
from csi.errors import Problems, Text
from csi.reporting import figures, style
from csi.reporting.methods.library import allowed, run_method, told_in
from csi.reporting.text_width import text_width
from csi.study.options import Options

STUDY = """csi: 1
study: staying
language: en
data: [{file: answers.csv}]
codebook: codebook.yaml
keys: {respondent: id, wave: wave}
model: {text: "satisfaction =~ s1; loyalty =~ l1; loyalty ~ satisfaction"}
index: {target: loyalty}
bootstrap: {n: 0}
tables:
  purchases: {file: purchases.csv, until: 2026-12-31}
  spells: {file: spells.csv, until: 2026-12-31}
models:
  churn: {drivers: [fee, plan], by: [brand]}
  attitude: {asked: {2026Q1: 2026-03-15}}
"""
BOOK = """scales: {hundred: {min: 0, max: 100, missing: {}}}
constructs:
  satisfaction: {zh: 满意度, en: Satisfaction}
  loyalty: {zh: 忠诚度, en: Loyalty}
items:
  - {name: s1, construct: satisfaction, scale: hundred, zh: 满意, en: Satisfied}
  - {name: l1, construct: loyalty, scale: hundred, zh: 忠诚, en: Loyal}
"""
NAMES = ("repurchase", "churn", "attitude")
SAYS = {"repurchase": "bought again within", "churn": "log-rank", "attitude": "are associated with a hazard"}


def days(counts: np.ndarray, since: date) -> list[str]:
    return [str(since + timedelta(int(c))) for c in counts]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """400 customers: satisfied ones buy sooner after the interview and stay longer; a high fee drives away."""
    folder, rng, n = tmp_path_factory.mktemp("staying"), np.random.default_rng(11), 400
    s = np.clip(np.round(62 + 20 * rng.normal(size=n)), 0, 100)
    loyal = np.clip(np.round(0.5 * s + 32 + 12 * rng.normal(size=n)), 0, 100)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "codebook.yaml").write_text(BOOK, encoding="utf-8")
    ids = [f"c{i}" for i in range(n)]
    pl.DataFrame({"id": ids, "wave": ["2026Q1"] * n, "s1": s, "l1": loyal}).write_csv(folder / "answers.csv")
    first = days(rng.integers(0, 60, n), date(2026, 1, 1))
    gap = np.ceil(7 * rng.exponential(1 / (0.04 * np.exp(0.03 * (s - 62))))).astype(int)
    again = [(i, str(date(2026, 3, 15) + timedelta(int(g)))) for i, g in zip(ids, gap, strict=True) if g <= 291]
    log = [*zip(ids, first, strict=True), *again, ("guest", "2026-05-01")]
    pl.DataFrame(log, schema=["id", "date"], orient="row").write_csv(folder / "purchases.csv")
    fee, plan = np.round(rng.uniform(5, 15, n), 1), np.where(rng.random(n) < 0.4, "prepaid", "contract")
    stay = np.ceil(30 * rng.exponential(1 / (0.08 * np.exp(0.15 * (fee - 10) - 0.02 * (s - 62))))).astype(int)
    start = rng.integers(0, 400, n)
    gone = start + stay <= 730
    end = [e if g else None for e, g in zip(days(start + stay, date(2025, 1, 1)), gone, strict=True)]
    spells = {"id": ids, "start": days(start, date(2025, 1, 1)), "end": end, "event": gone.astype(int), "fee": fee,
              "plan": plan, "brand": np.where(rng.random(n) < 0.5, "Alpha", "Beta")}  # fmt: skip
    pl.DataFrame(spells).write_csv(folder / "spells.csv")
    return folder


@pytest.fixture(scope="module")
def sections(folder):
    study = csi.Study.read(folder / "study.yaml")
    panel = study.panel()
    return study, panel, {name: run_method(study, panel, name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_study_with_the_tables_tells_them_in_both_languages(sections, name):
    study, _, told = sections
    assert name in told_in(study)
    section = told[name]
    assert section.tables
    for said in (section.title, *section.paragraphs, section.subtitle, *(n.text for n in section.notes)):
        assert said.en
        assert any("一" <= c <= "鿿" for c in said.zh), said
        assert "effect" not in said.en.replace("not effects", "")
    assert len(section.figures) == 1
    for drawn in (f(lang) for f in (section.figures[0].draw, section.figures[0].narrow) for lang in ("zh", "en")):
        root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
        assert root.attrib["aria-label"]
        lines = [n for n in root.iter() if n.tag.endswith("polyline")]
        assert len(lines) == {"repurchase": 1, "churn": 2, "attitude": 3}[name]


def test_what_is_planted_is_told(sections):
    _, _, told = sections
    ratios = {r["name"] + r["level"]: r for r in told["churn"].data["hazard"].iter_rows(named=True)}
    assert ratios["fee"]["ratio_low"] < np.exp(0.15) < ratios["fee"]["ratio_high"]
    assert ratios["planprepaid"]["p_value"] > 0.01
    slope = told["attitude"].data["hazard"].row(0, named=True)
    assert slope["ratio_low"] < np.exp(0.3) < slope["ratio_high"]
    assert slope["ratio_low"] > 1
    assert dict(told["attitude"].data["joins"].iter_rows())["respondents"] == 400
    assert any("1 of 401 ids" in n.text.en for n in told["attitude"].notes)


def test_options_reach_the_models(sections):
    study, panel, told = sections
    left = run_method(study, panel, "attitude", Options(outcome="churn", given=("outcome",)))
    assert left.data["hazard"]["ratio_high"][0] < 1
    assert (left.data["bands"]["share"] > 0.05).any()
    model = run_method(study, panel, "attitude", Options(estimator="pls", given=("estimator",)))
    assert any(n.code == "N-ATTITUDE-SCORES" for n in model.notes)
    assert model.data["hazard"]["slope"][0] == pytest.approx(told["attitude"].data["hazard"]["slope"][0], rel=1e-6)
    by_month = run_method(study, panel, "churn", Options(hazard="logit", unit="month", given=("hazard", "unit")))
    assert "hazard" in by_month.data
    assert by_month.data["checks"].height == 0
    assert [t.title.en for t in by_month.tables if t.name == "hazard"] == ["Ratios of odds by period"]
    short = run_method(study, panel, "repurchase", Options(within=4, unit="month", given=("within", "unit")))
    assert "within 4 months" in short.tables[0].title.en
    with pytest.raises(Problems, match="neither repurchase nor churn"):
        run_method(study, panel, "attitude", Options(outcome="sales", given=("outcome",)))


def test_the_command_prints_them(folder, capsys):
    for name in NAMES:
        assert main(["expectation", str(folder / "study.yaml"), "--model", name]) == 0
        assert SAYS[name] in capsys.readouterr().out
    asked = ["--asked", "2026Q1=2026-03-31", "--within", "8", "--unit", "week", "--json"]
    assert main(["expectation", str(folder / "study.yaml"), "--model", "attitude", *asked]) == 0
    assert json.loads(capsys.readouterr().out)["bands"]


def test_a_study_without_the_tables_lacks_them(folder, tmp_path):
    for name in ("codebook.yaml", "answers.csv"):
        (tmp_path / name).write_text((folder / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY[: STUDY.index("tables:")], encoding="utf-8")
    study = csi.Study.read(tmp_path / "study.yaml")
    lacking = {m.name: needs for m, needs in allowed(study)}
    for name in NAMES:
        assert lacking[name]
        with pytest.raises(Problems, match="needs a table"):
            run_method(study, study.panel(), name)


def test_words_of_the_figure_stay_inside_it():
    names = ["Premium contract with a telephone", "B", "A rather long name of a plan", "D"]
    curve = pl.concat([
        pl.DataFrame({"plan": [n] * 3, "time": [0.0, 30, 104], "survival": [1.0, 0.9 - i / 5, 0.8 - i / 5],
                      "conf_low": [1.0, None, 0.7 - i / 5], "conf_high": [1.0, None, 0.85 - i / 5]})
        for i, n in enumerate(names)
    ])  # fmt: skip
    risk = pl.DataFrame({"plan": [n for n in names for _ in range(6)], "time": [0.0, 20, 40, 60, 80, 100] * 4,
                         "n": [12_345, 9_000, 400, 120, 80, None] * 4})  # fmt: skip
    for lang in ("zh", "en"):
        for width in (style.FULL, style.HALF, style.PHONE):
            drawn = figures.staying(curve, risk, lang=lang, group="plan", across=Text("weeks", "周"),
                                    up=Text("share that stays", "留存占比"), width=width)  # fmt: skip
            root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
            boxes = []
            for node in root.iter():
                if not node.tag.endswith("text") or not node.text:
                    continue
                wide = text_width(node.text, float(node.attrib["font-size"]), lang=lang)
                x = float(node.attrib["x"])
                left = x - {"start": 0, "middle": wide / 2, "end": wide}[node.attrib.get("text-anchor", "start")]
                assert left >= -1, (node.text, width)
                assert left + wide <= width + 1, (node.text, width)
                boxes.append((float(node.attrib["y"]), left, left + wide, node.text))
            boxes.sort()
            for one, other in pairwise(boxes):
                if one[0] == other[0]:
                    assert one[2] <= other[1] + 1, (one, other)
