"""Keys of a study file for formula, rates and tree: what they make, what is wrong with them, at its line."""

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.study.fitted import fitted, indexed
from csi.study.grown import grown
from csi.study.rated import rated
from csi.study.read import study_fields
from csi.study.schema_telling import KcsiForm, RatesForm, TreeForm

SECTORS = Path("data/sectors/study.yaml")


@pytest.fixture(scope="module")
def sectors():
    study = csi.Study.read(SECTORS)
    panel = study.panel()
    return study, panel, indexed(study, fitted(study, panel, errors=False))


def codes(write_study, line, lang="en"):
    with pytest.raises(Problems) as error:
        study_fields(write_study(("csi: 1", f"csi: 1\n{line}")))
    assert all(re.search("[\u4e00-\u9fff]", p.what.zh) and p.what.en for p in error.value.problems)
    return [(p.code, p.where.split(":")[1], p.what.say(lang)) for p in error.value.problems]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("rates: {top_boxes: [q99]}", "E-ITEM", "q99"),
        ("rates: {kcsi: {elements: [], overall: q1, repurchase: q2}}", "E-VALUE", "empty"),
        ("tree: {structure: nowhere.csv}", "E-FILE", "nowhere.csv"),
        ("tree: {structure: {x: [A], y: []}}", "E-TREE", "no leaves"),
        ("tree: {structure: {x: [A]}, weights: nowhere.csv}", "E-FILE", "nowhere.csv"),
        ("tree: {structure: {x: [A], y: [A]}}", "E-TREE", "stands under"),
        ("tree: {structure: {x: [A]}, missing: drop}", "E-VALUE", "drop"),
        ("tree: {structure: {x: [A]}, small_leafs: use}", "E-KEY-UNKNOWN", "small_leafs"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(write_study, line, code, said):
    found = codes(write_study, line)
    assert any(c == code and said in what for c, _, what in found), found
    assert all(where == "2" for c, where, _ in found if c == code)


def test_weights_that_are_wrong_are_told_before_anything_is_estimated(write_study):
    weights = "waves: {order: [w1, w2]}\ntree: {structure: {x: [A, B]}, weights: {A: -1, Bb: 2}}"
    found = codes(write_study, weights)
    assert ("E-TREE-WEIGHT", "3") in {(c, where) for c, where, _ in found}
    said = " ".join(what for _, _, what in found)
    assert 'the weight of "A" is -1' in said
    assert '"Bb" has a weight and no place in the tree' in said


@pytest.mark.parametrize(
    ("keys", "code", "said"),
    [
        ("formula: F9", "E-VALUE", "F9"),
        ("formula: F6", "E-FORMULA", "covariance model"),
        ("formula: F5, weights: own", "E-FORMULA", "equally"),
    ],
)
def test_formulas_that_do_not_fit(write_study, keys, code, said):
    old = "index: {target: satisfaction}"
    with pytest.raises(Problems) as error:
        study_fields(write_study((old, f"index: {{target: satisfaction, {keys}}}")))
    assert [(p.code, said in p.what.en) for p in error.value.problems] == [(code, True)]


def test_every_key_stands_in_the_readme():
    page = Path("csi/study/README.md").read_text("utf-8")
    for form in (TreeForm, RatesForm, KcsiForm):
        for name in form.model_fields:
            assert re.search(rf"[`{{ ,]{name}\b", page), (form.__name__, name)


def test_the_tree_of_the_demonstration_study(sectors):
    study, _, index = sectors
    made = grown(study, index)
    assert made.structure.level[0] == "nation"
    assert set(made.table["level"]) == {"nation", "sector", "industry", "company"}
    sums = made.audit.group_by("parent", "wave").agg(pl.col("contribution").sum(), pl.col("parent_index").first())
    assert (sums["contribution"] - sums["parent_index"]).abs().max() < 1e-10
    cells = {
        (b, w): v
        for (b, w, _), v in zip(
            index.cells.iter_rows(), index.values[:, index.constructs.index("satisfaction")], strict=True
        )
    }
    n = {(b, w): n for b, w, n in index.cells.iter_rows()}
    rest = sum(cells[b, "2026"] * n[b, "2026"] for b in ("CX", "DX")) / sum(n[b, "2026"] for b in ("CX", "DX"))
    cars = (490 * cells["AX", "2026"] + 361 * cells["BX", "2026"] + 270 * rest) / (490 + 361 + 270)
    row = made.table.filter((pl.col("node") == "cars") & (pl.col("wave") == "2026")).row(0, named=True)
    assert row["index"] == pytest.approx(cars, rel=1e-12)


def test_the_first_dates_of_weights_count_and_later_ones_on_request(sectors):
    study, _, index = sectors
    plan = replace(study.settings.tree, restate=True)
    later = replace(study, settings=replace(study.settings, tree=plan))
    weight = [
        made.audit.filter((pl.col("child") == "AX") & (pl.col("wave") == "2024"))["weight"][0]
        for made in (grown(study, index), grown(later, index))
    ]
    assert weight == [430.0, 436.0]


def test_rates_of_the_demonstration_study(sectors):
    study, panel, _ = sectors
    kcsi, rates = rated(study, panel)
    assert kcsi.formulas[0] == "F4"
    parts = {c: kcsi.values[0, i] for i, c in enumerate(kcsi.constructs)}
    by_hand = 0.5 * parts["elements"] + 0.3 * parts["overall"] + 0.2 * parts["repurchase"]
    assert parts["kcsi"] == pytest.approx(by_hand, rel=1e-12)
    assert rates.formulas == ("T2B", "CSAT")


def test_a_study_without_a_tree_has_none(sectors):
    telecom = csi.Study.read("data/telecom/study.yaml")
    assert grown(telecom, sectors[2]) is None
    assert rated(telecom, sectors[1]) == ()


def test_equal_weights_of_a_study(tmp_path):
    text = SECTORS.read_text("utf-8").replace(
        "index: {target: satisfaction, weights: base, base: 2023}", "index: {target: satisfaction, formula: F5}"
    )
    assert "F5" in text
    for name in ("panel.csv", "codebook.yaml", "structure.csv", "weights.csv"):
        text = text.replace(name, str((SECTORS.parent / name).resolve()))
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    study = csi.Study.read(tmp_path / "study.yaml")
    made = indexed(study, fitted(study, study.panel(), errors=False))
    assert set(made.formulas) == {"F5"}
    assert made.weights.filter(pl.col("construct") == "satisfaction")["weight"].to_list() == pytest.approx([1 / 3] * 3)
