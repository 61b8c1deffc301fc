"""`csi coding`: a study's coding on the next wave's export; what does not fit is listed, nothing is changed."""

import json

import polars as pl
import pytest

STUDY = """\
csi: 1
study: next
language: en
data: [{file: 1.csv, wave: "1", rename: {u1: Q1, j1: Q2}}]
keys: {respondent: id}
model: {text: "use =~ u1\\njoy =~ j1\\njoy ~ use"}
index: {target: joy}
codebook:
  scales: {five: {min: 1, max: 5, missing: {9: refused}, labels: {1: bad, 5: good}}}
  items:
    - {name: u1, construct: use, scale: five}
    - {name: j1, construct: joy, scale: five}
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    rows = {"id": ["a", "b", "c"], "Q1": ["1", "5", "good"], "Q2": ["bad", "9", "3"]}
    pl.DataFrame(rows).write_csv(tmp_path / "1.csv")
    return tmp_path / "study.yaml"


def export(folder, **columns):
    pl.DataFrame({"id": ["d", "e", "f"], **columns}).write_csv(folder / "2.csv")
    return folder / "2.csv"


def test_what_fits_gives_the_line_to_paste(study, asked, tmp_path):
    file = export(tmp_path, Q1=["good", "2", "9"], Q2=["Bad", "5", None])
    before = study.read_bytes()
    code, out, _ = asked("coding", study, file, "--wave", "2")
    assert code == 0
    assert "2 of 2 items fit" in out
    assert '- {file: "2.csv", wave: "2", rename: {u1: "Q1", j1: "Q2"}}' in out
    assert study.read_bytes() == before


def test_what_does_not_fit_is_listed_and_nothing_guessed(study, asked, tmp_path):
    file = export(tmp_path, Q1=["good", "excellent", "10"], Q2X=["bad", "5", "3"])
    code, out, _ = asked("coding", study, file, "--json")
    data = json.loads(out)
    rows = {(r["item"], r["what"]): (r["n"], r["found"]) for r in data["coding"]}
    assert code == 1
    assert rows == {
        ("u1", "unknown answers"): (1, "excellent"),
        ("u1", "outside the scale"): (1, "10"),
        ("j1", "no column"): (3, "Q2X"),
    }
    assert data["entry"] == ""


def test_columns_that_came_and_went_and_a_reworded_header_are_listed(study, asked, tmp_path):
    text = study.read_text(encoding="utf-8").replace("u1: Q1", '"u1": "1. How useful is the service?"')
    study.write_text(text, encoding="utf-8")
    before = pl.read_csv(tmp_path / "1.csv").rename({"Q1": "1. How useful is the service?"})
    before.with_columns(old=pl.lit("x")).write_csv(tmp_path / "1.csv")
    file = export(tmp_path, **{"1. How useful was the service?": ["1", "2", "9"], "Q2": ["1", "5", "2"], "region": "N"})
    code, out, _ = asked("coding", study, file, "--json")
    rows = [(r["item"], r["column"], r["what"], r["found"]) for r in json.loads(out)["coding"]]
    assert code == 1
    assert rows == [
        ("u1", "1. How useful is the service?", "reworded", "1. How useful was the service?"),
        ("j1", "Q2", "fits", ""),
        ("", "region", "new column", ""),
        ("", "old", "column left", ""),
    ]


def test_new_columns_alone_do_not_keep_an_export_from_fitting(study, asked, tmp_path):
    code, out, _ = asked("coding", study, export(tmp_path, Q1=["1", "2", "9"], Q2=["1", "5", "2"], region="N"))
    assert code == 0
    assert "2 of 2 items fit" in out
    assert "region" in out
