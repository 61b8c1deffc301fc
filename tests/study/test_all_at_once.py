"""What is wrong with study file, codebook, model and columns comes at once; what follows from another slip does not."""

import pytest

from csi.errors import Problems
from csi.study import read_panel, read_study

TEXT = "  text: |\n    quality =~ q1 + q2\n    satisfaction =~ s1\n    satisfaction ~ quality\n"


def told(path):
    """(code, place) of every problem."""
    with pytest.raises(Problems) as error:
        read_study(path)
    return [(p.code, p.where) for p in error.value.problems]


def test_an_unknown_scale_card_and_key_column_are_told_together(write_study):
    path = write_study(
        ("wave: quarter", "wave: quater"),
        (TEXT, "  card: acsii\n"),
        codebook=[("scale: ten, column", "scale: tne, column")],
    )
    assert told(path) == [("E-SCALE", "codebook.yaml:9"), ("E-CARD", "study.yaml:13"), ("E-COLUMN", "answers.csv")]


def test_a_missing_codebook_hides_neither_card_nor_column_nor_wave(write_study):
    path = write_study(
        ("codebook.yaml", "code.yaml"),
        ("wave: quarter", "wave: quater"),
        ("base: 2024Q1", "base: 2023Q1"),
        (TEXT, "  card: acsii\n"),
    )
    assert told(path) == [
        ("E-FILE", "study.yaml:7"),
        ("E-CARD", "study.yaml:13"),
        ("E-WAVE", "study.yaml:9"),
        ("E-COLUMN", "answers.csv"),
    ]


def test_a_value_of_the_wrong_kind_hides_nothing_else(write_study):
    path = write_study(
        ("base: 2024Q1", "base: 2023Q1, per_year: many"),
        ("index: {target: satisfaction}", "index: {target: satisfation}"),
        codebook=[("reverse: yes", "reverse: maybe"), ("scale: ten, column", "scale: tne, column")],
    )
    assert told(path) == [
        ("E-VALUE", "study.yaml:9"),
        ("E-VALUE", "codebook.yaml:8"),
        ("E-SCALE", "codebook.yaml:9"),
        ("E-WAVE", "study.yaml:9"),
        ("E-TARGET", "study.yaml:17"),
    ]


def test_what_a_slip_brings_about_is_not_told(write_study):
    misspelt = ("construct: satisfaction, scale", "konstruct: satisfaction, scale")
    assert told(write_study((TEXT, "  card: scsb\n"), codebook=[misspelt])) == [("E-KEY-UNKNOWN", "codebook.yaml:9")]
    assert told(write_study(("target: satisfaction", "taget: loyalty"))) == [("E-KEY-UNKNOWN", "study.yaml:17")]
    assert told(write_study(("  text: |", "  txet: |"))) == [("E-KEY-UNKNOWN", "study.yaml:13")]
    nameless = ("{name: s1, ", "{")
    assert told(write_study(codebook=[nameless])) == [("E-KEY-MISSING", "codebook.yaml:9")]
    assert told(write_study(codebook=[("min: 1, ", "")])) == [("E-KEY-MISSING", "codebook.yaml:2")]


def test_every_full_width_sign_is_told_and_what_else_is_wrong(write_study):
    path = write_study(
        ("codebook: codebook.yaml", "codebook：codebook.yaml"),
        ("keys: {respondent: id, wave", "keys: {respondent：id， wave"),
        ("index: {target: satisfaction}", "index: {target: satisfation}\nbootstrap: {n: ２００}"),
    )
    assert told(path) == [
        ("E-FULLWIDTH", "study.yaml:7"),
        ("E-FULLWIDTH", "study.yaml:8"),
        ("E-VALUE", "study.yaml:18"),
        ("E-TARGET", "study.yaml:17"),
    ]
    with pytest.raises(Problems) as error:
        read_study(path)
    assert 'half-width ": ,"' in error.value.problems[1].remedy.en


def test_an_unreadable_study_does_not_hide_its_codebook(write_study):
    path = write_study(("title: {zh", "title: {{zh"), codebook=[("scale: ten, column", "scale: tne, column")])
    assert told(path) == [("E-YAML", "study.yaml:4"), ("E-SCALE", "codebook.yaml:9")]
    path = write_study(("title: {zh", "title: {{zh"), codebook=[("  ten: {", "  ten: {{")])
    assert [where for _, where in told(path)] == ["study.yaml:4", "codebook.yaml:3"]


def test_a_codebook_alone_tells_a_key_that_stands_twice(write_study, tmp_path):
    write_study(codebook=[("constructs:", "scales: {}\nconstructs:")])
    with pytest.raises(Problems, match='the key "scales" stands here'):
        read_panel(tmp_path / "answers.csv", tmp_path / "codebook.yaml")


def test_a_text_of_paths_takes_the_items_of_the_codebook(write_study):
    study = read_study(write_study((TEXT, "  text: satisfaction ~ quality\n")))
    assert str(study.model) == "quality =~ q1 + q2\nsatisfaction =~ s1\nsatisfaction ~ quality"


def test_a_text_of_paths_between_other_names_is_one_problem(write_study):
    path = write_study((TEXT, "  text: |\n    sat ~ qual + image\n    loy ~ sat\n"))
    assert told(path) == [("E-MODEL", "study.yaml:13")]
    with pytest.raises(Problems) as error:
        read_study(path)
    assert "which items measure which construct" in str(error.value)
    assert "quality, satisfaction" in error.value.problems[0].remedy.en
    assert "“=~”" in error.value.problems[0].what.zh


def test_a_misspelt_name_in_a_text_of_paths_is_named(write_study):
    path = write_study((TEXT, "  text: satisfaction ~ qualty\n"))
    with pytest.raises(Problems, match='Did you mean "quality"') as error:
        read_study(path)
    assert len(error.value.problems) == 1
