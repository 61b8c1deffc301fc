"""What is wrong with a tree is found before anything is estimated, all at once, at the line of its file."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.study.explain import held_to
from csi.study.fitted import fitted, indexed
from csi.study.grown import grown, tree_problems, tree_weight_notes
from csi.study.positions import parse_document
from csi.study.read import study_fields
from csi.study.schema import StudyForm
from csi.tracking.tree_structure import structure_found, structure_of
from csi.tracking.tree_weights import node_weights, period_of_wave

SECTORS = Path("data/sectors")
HEAD = "csi: 1\nstudy: s\ndata: [{file: a.csv}]\nmodel: {}\n"


@pytest.fixture
def altered(tmp_path):
    """The study of a small nation with other text and files; its problems, as (place, words)."""
    shutil.copytree(SECTORS, tmp_path / "s")

    def told(*pairs, answers=False, **files):
        path = tmp_path / "s" / "study.yaml"
        text = path.read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, "utf-8")
        for name, change in files.items():
            file = path.with_name(f"{name}.csv")
            file.write_text(change(file.read_text("utf-8")), "utf-8")
        if answers:
            study = csi.Study.read(path)
            return [(p.where, p.what.en) for p in tree_problems(study, study.panel())]
        with pytest.raises(Problems) as caught:
            study_fields(path)
        return [(p.where, p.what.en, p.remedy.en) for p in caught.value.problems]

    return told


def without(*starts):
    return lambda text: "".join(x for x in text.splitlines(keepends=True) if not x.startswith(starts))


def test_the_demonstration_study_has_nothing_wrong(altered):
    assert altered(answers=True) == []


def test_weights_that_the_tree_refuses_are_found_with_the_answers(altered):
    found = altered(answers=True, weights=without("AX,2026", "goods,2026"))
    assert found == [
        ("weights.csv", 'no weight of "goods" for 2026.'),
        ("weights.csv", 'no weight of "AX" for 2026.'),
    ]


def test_structure_and_weights_are_told_together_with_their_lines(altered):
    twice = lambda t: t + "AX,banks,company,,\nZZ,banks,company,,\n"  # noqa: E731
    minus = lambda t: t.replace("AX,2023,410", "AX,2023,-410").replace("EJ,2023,150", "EJ,2023,nan")  # noqa: E731
    found = altered(structure=twice, weights=lambda t: minus(t).replace("FJ,2023,140", "FJ,2023,"))
    places = {where: what for where, what, _ in found}
    assert places["structure.csv:18"] == '"AX" stands under "cars" and "banks".'
    assert 'the leaf "ZZ" is not a brand of the study.' in places.values()
    assert places["weights.csv:2"] == 'the weight of "AX" in 2023 is -410.'
    assert places["weights.csv:5"] == 'the weight of "EJ" in 2023 is nan.'
    assert places['weights.csv, column "weight"'] == "1 cell is not a number (row 6: None; the header is row 1)."


def test_others_that_are_a_brand_and_a_brand_above_another(altered):
    line = ("others: Other cars, labels: {Other cars: {zh: 其他汽车, en: Other cars}}", "others: CX")
    found = altered(line, structure=lambda t: t.replace("BX,cars", "BX,AX"))
    said = " ".join(what for _, what, _ in found)
    assert 'others is "CX", a brand.' in said
    assert 'the brand "AX" has answers of its own and stands above "BX".' in said
    assert {where for where, what, _ in found if "CX" in what} == {"study.yaml:26"}


def test_a_slip_in_a_parent_is_no_new_top(altered):
    found = altered(structure=lambda t: t.replace("AX,cars", "AX,carz"))
    where, what, remedy = found[0]
    assert where == "structure.csv:9"
    assert what == '"carz" stands above AX and has no row of its own.'
    assert 'Did you mean "cars"?' in remedy


def test_a_table_whose_only_rowless_parent_is_the_top_stands():
    edges = pl.DataFrame({"entity": ["A", "B"], "parent": ["market", "market"]})
    assert structure_of(edges).names == ("market", "A", "B")


@pytest.mark.parametrize(
    ("wave", "period"),
    [("W10", None), ("W1", "W1"), ("2025Q3", "2025"), ("202503", "2025"), ("20250", None), ("2025年3月", "2025")],
)
def test_a_period_ends_where_a_name_does(wave, period):
    assert period_of_wave(wave, ["W1", "2025"]) == period


def test_dates_of_weights_are_dates():
    tree = structure_of({"x": ["A"]})
    rows = {"entity": ["A", "A"], "weight": [1.0, 2.0], "as_of": ["2024-12-01", "2024-3-31"]}
    made = node_weights(pl.DataFrame(rows), tree, ["w"], np.array([[False, True]]))
    assert made.values[0, 1] == 2.0  # March comes first
    assert made.as_of[0, 1] == "2024-03-31"
    with pytest.raises(Problems) as caught:
        node_weights(
            pl.DataFrame({**rows, "as_of": ["2024-12-01", "next year"]}), tree, ["w"], np.array([[False, True]])
        )
    assert caught.value.problems[0].where == 'weights, column "as_of"'
    assert "next year" in caught.value.problems[0].what.en


def test_a_parent_without_leaves_is_one_in_every_form(altered):
    nested = "structure: {nation: {goods: {cars: [AX, BX]}, services: }}, missing: drop"
    found = altered(("structure: structure.csv", nested))
    assert ("study.yaml:26", 'the parent "services" has no leaves.') in {(w, what) for w, what, _ in found}
    table = altered((nested, "structure: structure.csv"), structure=lambda t: t + "hotels,services,industry,,\n")
    assert 'the parent "hotels" has no leaves.' in {what for _, what, _ in table}


def test_a_blank_tree_is_told(altered):
    tree = next(x for x in (SECTORS / "study.yaml").read_text("utf-8").splitlines() if x.startswith("tree:"))
    assert altered((tree, "tree:"))[0][:2] == ("study.yaml:26", "tree is blank.")


def test_a_structure_with_other_columns(altered):
    found = altered(structure=lambda t: t.replace("entity,parent", "name,above"))
    assert found[0][0] == "structure.csv"
    assert found[0][1].startswith("no columns entity, parent; columns are entity, parent")


def test_an_empty_table_of_weights(altered):
    assert altered(weights=lambda _: "")[0][:2] == ("weights.csv", "the file is empty.")


@pytest.mark.parametrize("levels", [["a", "b", "c", "d", "e", "f"], ["sector"]])
def test_levels_that_are_more_or_fewer(levels):
    with pytest.raises(Problems, match=f"levels names {len(levels)}, and there are 2"):
        structure_of({"x": {"y": ["A"]}}, levels)


def test_labels_of_nobody(altered):
    found = altered(("labels: {Other cars:", "labels: {nobody: {en: x}, Other cars:"))
    assert [what for _, what, _ in found] == ['the label of "nobody", which is not in the tree.']


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tree: {structure: [AX]}", 'tree.structure is "[...]"; expected `key: value` pairs or a single text.'),
        ("tree: {structure: s.csv, weights: {A: x}}", 'weights.A is "x"; expected a number.'),
        ("tree: {structure: s.csv, weights: [A]}", 'tree.weights is "[...]"; expected `key: value` pairs or a single'),
        ("waves: {breaks: [{wave: w2, link: {shift: nan}}]}", 'link.shift is "nan"; expected a finite number.'),
        ("models: {kano: {cuts: [1, 2, 3]}}", 'kano.cuts is "[...]"; expected at most 2.'),
    ],
)
def test_values_of_several_kinds_are_told_in_words(line, said):
    document = parse_document(HEAD + line + "\n", "study.yaml")
    held = held_to(StudyForm, document.data, document)
    told = [p.say("en") for p in held.problems]
    assert len(told) == 1
    assert said in told[0]
    assert not {"dict", "str,", "Input"} & set(told[0].replace("[", " ").replace(".", " ").split())


def test_weights_in_the_study_file_are_told_with_the_one_that_is_no_number(altered):
    found = altered(("weights: weights.csv", "weights: {EJ: .nan, AX: -1, BX: 0}"))
    said = {what for _, what, _ in found}
    assert {'weights.EJ is ".nan"; expected a number.', 'the weight of "AX" is -1.', 'the weight of "BX" is 0.'} <= said


def test_breaks_are_told_all_at_once(altered):
    breaks = (
        "breaks: [{wave: 2024, what: colour}, {wave: 1999}, {wave: 2023}, {wave: 2024, link: {file: nope.csv}}, "
        "{wave: 2025, link: {method: given, shift: .nan}}, {wave: 2026, link: {method: linear}}]"
    )
    said = " ".join(what for _, what, _ in altered(("per_year: 1", f"per_year: 1, {breaks}")))
    for words in ("colour", "1999", "first wave", "two breaks at 2024", "nope.csv", ".nan", '"linear" needs the file'):
        assert words in said, words


def test_all_others_are_reproduced_by_their_brands():
    study = csi.Study.read(SECTORS / "study.yaml")
    index = indexed(study, fitted(study, study.panel(), errors=False))
    made = grown(study, index)
    rows = made.audit.filter((pl.col("parent") == "Other cars") & (pl.col("wave") == "2026"))
    assert rows["child"].to_list() == ["CX", "DX"]
    node = made.table.filter((pl.col("node") == "Other cars") & (pl.col("wave") == "2026")).row(0, named=True)
    assert rows["contribution"].sum() == pytest.approx(node["index"], rel=1e-12)
    assert (rows["n"] * rows["index"]).sum() / rows["n"].sum() == pytest.approx(node["index"], rel=1e-12)
    notes = {n.code: n for n in made.notes}
    assert "weighed by their answers" in notes["N-TREE-OTHERS"].text.en
    assert "N-TREE-SMALL" not in notes  # no leaf is small here


def test_leaves_that_cannot_be_stand_at_their_line(altered):
    found = altered(structure=lambda t: t + "insurers,services,industry,,\nZZ,banks,company,,\n")
    places = {what: where for where, what, _ in found}
    assert places['the parent "insurers" has no leaves.'] == "structure.csv:18"
    assert places['the leaf "ZZ" is not a brand of the study.'] == "structure.csv:19"


def test_leaves_of_a_table_with_a_column_per_level_stand_at_their_line(tmp_path):
    (tmp_path / "wide.csv").write_text("brand,industry\nA,x\nB,x\nA,x\n", "utf-8")
    assert structure_found(tmp_path / "wide.csv")[1][0].where == "wide.csv:4"
    assert structure_of(pl.DataFrame({"brand": ["A", "B"], "industry": ["x", "x"]})).where["B"] == "structure, row 2"


def test_weights_without_answers_are_told(tmp_path):
    shutil.copytree(SECTORS, tmp_path / "s")
    weights, panel = tmp_path / "s/weights.csv", tmp_path / "s/panel.csv"
    weights.write_text(weights.read_text("utf-8") + "AX,2020,400,2021-03-31\n", "utf-8")
    panel.write_text(without_wave(panel.read_text("utf-8"), ",2025,GB,"), "utf-8")
    study = csi.Study.read(tmp_path / "s/study.yaml")
    period, unanswered = tree_weight_notes(study, study.panel())
    assert period.say("en") == "weights.csv: no wave of the data takes the weights of 2020."
    assert period.say("zh") == "weights.csv：没有任何一期使用 2020 的权重。"
    told = "weights.csv: a weight and no answers: Guangxin Bank (2025); missing there (tree: {missing: renormalise})."
    assert unanswered.say("en") == told
    assert "广信银行（2025）" in unanswered.say("zh")
    whole = csi.Study.read(SECTORS / "study.yaml")
    assert tree_weight_notes(whole, whole.panel()) == ()


def without_wave(text, cell):
    """The rows of a panel but for one cell."""
    return "".join(line for line in text.splitlines(keepends=True) if cell not in line)
