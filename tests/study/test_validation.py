"""A questionnaire with planted faults: each is found, named with its number, and told in zh and en."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.catalogue.advice import ACTIONS, rules
from csi.errors import Problems
from csi.measures.questionnaire.rated import Raters, raters_agree
from csi.measures.questionnaire.validating import Rated
from csi.measures.separation.mtmm import IMPROPER
from csi.reporting.html import render_html
from csi.reporting.validation import dimensions
from csi.reporting.validation.build import facts, told_sections, verdict
from csi.reporting.validation.traits import traits_section

SCALES = {
    "value": ["v1", "v2", "v3", "v4"],
    "trust": ["t1", "t2", "t3", "t4", "t5"],
    "care": ["c1", "c2", "c3", "c4"],
}


def answers(n: int = 400, seed: int = 5) -> pl.DataFrame:
    """Three related scales of five points: t4 runs backwards, c2 repeats c1, v4 is noise, t5 favours one group."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    latent = {c: 0.6 * common + 0.8 * rng.normal(size=n) for c in SCALES}
    group = rng.integers(0, 2, size=n)
    columns: dict[str, object] = {}
    for construct, items in SCALES.items():
        for item in items:
            columns[item] = 0.8 * latent[construct] + 0.6 * rng.normal(size=n)
    columns["t4"] = -np.asarray(columns["t4"])
    columns["v4"] = rng.normal(size=n)
    columns["c2"] = np.asarray(columns["c1"]) + 0.02 * rng.normal(size=n)
    columns["t5"] = np.asarray(columns["t5"]) + 1.2 * group
    cut = [-1.2, -0.4, 0.4, 1.2]
    rows = {name: (1 + np.searchsorted(cut, np.asarray(x))).astype(float) for name, x in columns.items()}
    frame = pl.DataFrame(rows).with_columns(
        language=pl.Series(np.where(group == 1, "en", "zh")),
        spend=pl.Series(latent["value"] + rng.normal(size=n)),
    )
    frame = frame.with_columns(
        coder_a=pl.Series(np.array(["low", "mid", "high"])[np.digitize(latent["care"], [-0.7, 0.7])]),
        coder_b=pl.Series(np.array(["low", "mid", "high"])[np.digitize(latent["care"] + 0.1, [-0.7, 0.7])]),
    )
    gone = rng.random(n) < 0.12
    return frame.with_columns(c3=pl.when(pl.Series(gone)).then(None).otherwise(pl.col("c3")))


@pytest.fixture(scope="module")
def found() -> csi.study.validation.Validation:
    return csi.validate(answers(), SCALES, groups=["language"], criterion=["spend"], draws=100, scale=(1, 5))


def spoken(found, rule: str) -> list[str]:
    return found.advice.filter(rule=rule)["name"].to_list()


def test_every_part_is_there(found) -> None:
    assert found.absent == {}
    parts = ("items", "consistency", "factors", "discriminant", "irt", "correlations", "adequacy", "n_factors", "efa",
             "common_method", "criterion", "short")  # fmt: skip
    assert all(getattr(found, part) is not None for part in parts)
    assert set(found.ladders) == set(found.dif) == {"language"}


@pytest.mark.parametrize(
    ("rule", "item"),
    [("negative", "t4"), ("item_rest", "v4"), ("loading_low", "v4"), ("redundant", "c2"), ("missing", "c3")],
)
def test_a_planted_fault_is_named(found, rule: str, item: str) -> None:
    assert item in spoken(found, rule)


def test_the_item_that_favours_a_group_is_named(found) -> None:
    assert "t5" in set(found.advice.filter(pl.col("rule").str.starts_with("bias"))["name"])


def test_sound_items_are_kept(found) -> None:
    kept = found.advice.filter(kind="item", action="keep")["name"].to_list()
    assert {"v1", "v2", "v3"} & set(kept)
    assert not {"t4", "v4", "c2"} & set(kept)


def test_every_line_has_its_rule_number_limit_and_source(found) -> None:
    spoken_ = found.advice.filter(pl.col("rule") != "")
    assert spoken_["source"].str.len_chars().min() > 5
    for row in spoken_.iter_rows(named=True):
        assert row["limit"] == rules()[row["rule"]].limit
        assert row["says"] != row["says_zh"]
        assert row["action"] in ACTIONS


def test_every_item_and_construct_has_a_line(found) -> None:
    assert set(found.advice["name"]) == {*SCALES, *(i for items in SCALES.values() for i in items)}


def test_the_factors_are_fitted_as_the_matrix_says(found) -> None:
    assert found.factors.estimator == ("WLSMV" if found.correlations.kind == "polychoric" else "MLR")
    alone = csi.fit(
        "\n".join(f"{c} =~ {' + '.join(i)}" for c, i in SCALES.items()), answers(), found.factors.estimate.settings
    )
    assert found.factors.measures["srmr"] == pytest.approx(csi.fit_measures(alone)["srmr"], abs=1e-9)


def test_separation_is_of_the_matrix_and_the_fit_of_the_factors(found) -> None:
    names = found.correlations.names
    cor = found.correlations.matrix
    at = {c: [names.index(i) for i in items] for c, items in SCALES.items()}
    one, other = at["value"], at["trust"]
    within = [np.abs(cor[np.ix_(k, k)][np.triu_indices(len(k), 1)]).mean() for k in (one, other)]
    row = found.discriminant.table.filter(construct="value", other="trust")
    assert row["htmt"][0] == pytest.approx(
        np.abs(cor[np.ix_(one, other)]).mean() / np.sqrt(within[0] * within[1]), abs=1e-6
    )
    factors = found.factors.correlations.filter(construct="value", other="trust")
    assert row["correlation"][0] == pytest.approx(factors["estimate"][0], abs=1e-5)
    assert "N-ONE-MATRIX" in {n.code for n in found.notes}


def test_sections_are_told_in_both_languages(found) -> None:
    for section in told_sections(found):
        assert section.title.en
        assert section.title.zh
        assert section.title.en != section.title.zh
        for made in section.figures:
            for lang in ("zh", "en"):
                assert made.draw(lang).startswith("<svg")
                assert made.narrow(lang).startswith("<svg")
    assert [str(number.en) for _, number, _ in facts(found)][-1] == str(len(found.advice.filter(kind="item").filter(
        pl.col("action").is_in(["drop", "reverse", "reword"]))["name"].unique()))  # fmt: skip
    assert "work" in verdict(found).en


def test_it_shows_itself(found) -> None:
    assert "13 items, 3 constructs" in repr(found)
    assert "t4" in repr(found)


@pytest.mark.parametrize(
    ("change", "rule", "name"),
    [
        (pl.lit(3.0).alias("v2"), "constant", "v2"),
        (pl.when(pl.col("v2") > 3).then(3.0).otherwise("v2").alias("v2"), "unused", "v2"),
    ],
)
def test_items_nobody_varies_or_uses_fully(change: pl.Expr, rule: str, name: str) -> None:
    found = csi.validate(answers(150).with_columns(change), {"value": SCALES["value"]}, draws=0, scale=(1, 5))
    assert name in spoken(found, rule)


def test_scales_of_one_and_two_items_and_identical_items() -> None:
    frame = answers(200).with_columns(c4=pl.col("c3"))
    scales = {"one": ["v1"], "two": ["t1", "t2"], "same": ["c3", "c4", "c1"]}
    found = csi.validate(frame, scales, draws=0, scale=(1, 5))
    assert spoken(found, "single") == ["one"]
    assert spoken(found, "pair") == ["two"]
    assert "c4" in spoken(found, "redundant")


def test_fewer_people_than_items_is_told_part_by_part() -> None:
    found = csi.validate(answers(9), SCALES, draws=0, scale=(1, 5))
    assert found.items is not None
    assert found.absent
    assert all(p.what.en and p.what.zh for why in found.absent.values() for p in why)
    assert told_sections(found)


def test_what_cannot_be_asked_is_told() -> None:
    with pytest.raises(Problems, match="q9"):
        csi.validate(answers(50), {"a": ["v1", "q9"]})
    with pytest.raises(Problems) as raised:
        csi.validate(answers(50), {"a": SCALES["value"]}, groups="nowhere", keep="zz", draws=0)
    assert [p.code for p in raised.value.problems] == ["E-ITEM", "E-ROLE"]
    for short in (0, 1, 2.5):
        with pytest.raises(Problems, match="short"):
            csi.validate(answers(50), {"a": SCALES["value"]}, short=short, draws=0)


STUDY = """
csi: 1
study: pilot
title: {zh: 试测, en: Pilot}
language: zh
data: [{file: answers.csv}]
codebook:
  scales: {five: {min: 1, max: 5}}
  constructs: {value: {zh: 价值, en: Value}, trust: {zh: 信任, en: Trust}, care: {zh: 关怀, en: Care}}
  items:
ITEMS
model: {text: "MODEL"}
index: {target: value}
estimate: {estimator: mlr}
bootstrap: {n: 100}
validation:
  groups: [{name: language, zh: 语言, en: language}]
  raters:
    comments: {columns: [coder_a, coder_b], values: [low, mid, high], zh: 留言, en: comments}
    calls: {file: calls.csv, unit: call, rater: judge, score: score}
    faults: {file: few.csv, columns: [ann, bob]}
  short: 3
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pilot")
    answers().write_csv(folder / "answers.csv")
    scores = np.round(50 + 10 * np.add.outer(np.random.default_rng(8).normal(size=40), np.array([0.0, 0.1, 0.4])), 1)
    calls = [(f"c{i}", judge, scores[i, j]) for i in range(40) for j, judge in enumerate("xyz")]
    pl.DataFrame(calls, schema=["call", "judge", "score"], orient="row").write_csv(folder / "calls.csv")
    pl.DataFrame({"ann": [1, 2, 3], "bob": [1, 2, 2]}).write_csv(folder / "few.csv")
    items = "".join(
        f"    - {{name: {i}, construct: {c}, scale: five, zh: 题{i}, en: Item {i}}}\n"
        for c, of in SCALES.items()
        for i in of
    )
    model = "; ".join(f"{c} =~ {' + '.join(i)}" for c, i in SCALES.items())
    path = folder / "study.yaml"
    path.write_text(STUDY.replace("ITEMS\n", items).replace("MODEL", model), encoding="utf-8")
    return path


def test_a_study_is_validated_with_its_groups_labels_and_report(study) -> None:
    panel = csi.Study.read(study).panel()
    report = csi.report(study, kind="validation", panel=panel)
    assert "v_fairness" in report.keys
    assert report.keys[-1] == "v_answers"
    assert report.record["kind"] == "validation"
    assert "language" in report.section("v_fairness").title.en
    page = render_html(report, ("zh", "en"))
    assert "题t4" in page
    assert '<dl class="measures">' in page
    short = report.section("v_short").data["short_forms"].filter("chosen")
    assert set(short["k"]) == {3}
    assert [t.en.split(":")[0] for t in report.section("v_short").paragraphs] == ["Value", "Trust", "Care"]
    raters = report.section("v_raters")
    assert set(raters.data["raters"]["judgement"]) == {"comments"}
    assert raters.data["rater_icc"].filter(form="ICC3")["icc"].to_list() == pytest.approx([1.0], abs=1e-2)
    assert raters.data["rater_icc"].filter(form="ICC2")["sdc"][0] > 0
    assert raters.title.en.startswith("Raters agree well on 2 of 2")
    assert "留言" in page
    assert report.record["absent"]["raters:faults"] == ["E-BASE"]
    assert {"calls.csv", "few.csv"} <= set(report.record["hashes"]["files"])
    again = json.loads(json.dumps(report.record))
    assert csi.diff(report.record, again).same
    row = next(r for r in again["validated"] if r.get("item") == "v1" and "loading" in r)
    row["loading"] -= 0.1
    assert [t.en for t in csi.diff(report.record, again).sentences] == [
        f"loading: value v1 {row['loading'] + 0.1:.2f} -> {row['loading']:.2f} (−0.10)."
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  scales: {a: [v1, v1]}", "listed twice"),
        ("  scales: {a: [zz]}", 'unknown item "zz"'),
        ("  scales: {a: []}", "has no items"),
        ("  keep: [zz]", 'unknown item "zz"'),
        ("  retest: [w1]", "two different waves"),
        ("  raters: {tone: {}}", "raters are columns"),
        ("  raters: {tone: [coder_a]}", "two raters"),
        ("  raters: {tone: {columns: [coder_a, coder_b, coder_a]}}", "listed twice"),
        ("  raters: {tone: {unit: u, rater: r, score: s}}", "needs file, unit, rater and score"),
        ("  raters: {tone: {file: call.csv, columns: [a, b]}}", 'no file "call.csv".*calls.csv'),
    ],
)
def test_a_study_file_that_asks_for_what_is_not_there(study, line: str, said: str) -> None:
    path = study.parent / "wrong.yaml"
    text = study.read_text(encoding="utf-8")
    text = text.replace("language: zh", "language: en").split("  raters:")[0] + line
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problems, match=said):
        csi.Study.read(path)


def test_traits_by_methods_are_told_where_the_study_names_them() -> None:
    rng = np.random.default_rng(2)
    traits, methods = rng.normal(size=(300, 3)), 0.4 * rng.normal(size=(300, 3))
    columns = {
        f"x{t}{m}": traits[:, t] + methods[:, m] + 0.5 * rng.normal(size=300) for t in range(3) for m in range(3)
    }
    asked = csi.measures.questionnaire.validating.Validating(
        methods={f"trait{t}": {f"way{m}": (f"x{t}{m}",) for m in range(3)} for t in range(3)}
    )
    scales = {f"trait{t}": [f"x{t}{m}" for m in range(3)] for t in range(3)}
    found = csi.measures.questionnaire.validate.validated(pl.DataFrame(columns), scales, asked, draws=0)
    assert found.mtmm.table.filter(criterion="convergent")["met"].to_list() == [9]
    assert "v_traits" in [s.key for s in told_sections(found)]
    told = traits_section(found)
    assert "v_trait_shares" in [t.name for t in told.tables]
    bad = found.mtmm.models.with_columns(reason=pl.lit("R-MTMM-IMPROPER"))
    improper = replace(found, mtmm=replace(found.mtmm, models=bad, reasons={"R-MTMM-IMPROPER": IMPROPER}))
    told = traits_section(improper)
    assert "v_trait_shares" not in [t.name for t in told.tables]
    assert "improper" in told.notes[-1].text.en


def test_raters_whom_the_answers_lack_are_told_where_the_study_names_them(study) -> None:
    path = study.parent / "unknown.yaml"
    text = study.read_text(encoding="utf-8").split("  raters:")[0] + "  raters: {tone: [coder_a, coder_z]}"
    path.write_text(text.replace("language: zh", "language: en"), encoding="utf-8")
    with pytest.raises(Problems, match=r'validation: raters: .*"coder_z"'):
        csi.Study.read(path).panel()


def rated(frame: pl.DataFrame, **said: object) -> Raters:
    return raters_agree(frame, Rated(**said), draws=0, seed=1, level=0.95, small=5)


def test_words_are_categories_and_numbers_are_both() -> None:
    words = pl.DataFrame({"a": ["x", "y", "x", "z", "y", "x"], "b": ["x", "y", "y", "z", "y", "x"]})
    found = rated(words, columns=("a", "b"), values=("x", "y", "z"))
    assert found.icc is None
    assert found.agreement.table.filter(coefficient="kappa_linear")["estimate"][0] > 0
    codes = words.select(pl.all().replace({"x": "2", "y": "10", "z": "3"}))
    both = rated(codes, columns=("a", "b"))
    assert both.agreement.values == (2.0, 3.0, 10.0)
    assert both.icc.n == both.n == 6
    many = pl.DataFrame({"a": np.arange(12.0), "b": np.arange(12.0) + 0.5})
    assert rated(many, columns=("a", "b")).agreement is None


def test_raters_without_common_units_or_known_words_are_refused() -> None:
    apart = pl.DataFrame({"a": ["x", "y", None, None] * 3, "b": [None, None, "x", "y"] * 3})
    with pytest.raises(Problems, match="0 units have two ratings"):
        rated(apart, columns=("a", "b"))
    with pytest.raises(Problems, match="not among values"):
        rated(pl.DataFrame({"a": ["x", "y"] * 3, "b": ["x", "q"] * 3}), columns=("a", "b"), values=("x", "y"))
    with pytest.raises(Problems, match="no such column"):
        rated(pl.DataFrame({"u": [1] * 6}), unit="u", rater="who", score="s")


def test_a_number_of_factors_that_no_rule_finds_is_in_the_verdict(found) -> None:
    told = found.n_factors
    elsewhere = replace(told, table=told.table.with_columns(factors=pl.lit(told.intended + 4)))
    calm = replace(found, n_factors=elsewhere, factors=replace(found.factors, measures={"cfi": 0.99}))
    assert "rules for the number of factors finds the 3 constructs" in verdict(calm).en
    assert "条因子数规则无一得出 3 个构念" in verdict(calm).zh
    assert "rules for the number" not in verdict(replace(calm, n_factors=told)).en


def test_rules_that_are_split_are_told_with_the_number_meant_first(found) -> None:
    told = found.n_factors
    frame = told.table.filter("counted").head(7)
    voted = [1, 3, 1, 3, 2, 3, 1][: frame.height]
    assert frame.height == len(voted)
    split = replace(told, suggested=1, table=frame.with_columns(factors=pl.Series(voted)))
    said = dimensions.kept_said(split)
    assert said.en == "the 7 rules are split: 3 keep 3 factors (as many as constructs), 3 keep 1"
    assert said.zh == "7 条规则意见不一：3 条保留 3 个因子（与构念数一致），3 条保留 1 个"
    assert dimensions.kept_said(replace(split, intended=4)).en.endswith(
        "3 keep 1 factor, 3 keep 3; 4 constructs were meant"
    )
    assert "split between 1 and 3 factors" in str(split)
    most = replace(split, suggested=3, table=frame.with_columns(factors=pl.Series([3, 3, 3, 3, 2, 1, 1])))
    assert dimensions.kept_said(most).en == "4 of 7 rules keep 3 factors, as many as constructs"


def test_an_item_without_uniqueness_is_in_the_headline(found) -> None:
    heywood = replace(found, efa=replace(found.efa, heywood=("v1",)))
    assert "no variance of its own is left of v1 (a Heywood case)" in dimensions.dimensions_finding(heywood).en
    assert "v1 已无独特方差" in dimensions.dimensions_finding(heywood).zh
    assert "Heywood" not in dimensions.dimensions_finding(replace(found, efa=replace(found.efa, heywood=()))).en


def test_three_items_are_not_said_to_fit() -> None:
    found = csi.validate(answers(120), {"value": SCALES["value"][:3]}, draws=0, scale=(1, 5))
    assert "cannot be tested" in verdict(found).en
    assert [name.en for name, _, _ in facts(found)] == ["Items to rework"]
    assert "no test" in next(s for s in told_sections(found) if s.key == "v_fit").title.en
