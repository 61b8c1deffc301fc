"""`csi waves`: the design, the changes, what to paste; the same in `csi check`, the report and its record."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi

ROOT = Path(__file__).parents[2]
RETAIL = ROOT / "data/retail/study.yaml"

STUDY = """\
csi: 1
study: two
language: en
data: [{file: 1.csv}, {file: 2.csv}]
keys: {respondent: id, wave: w}
waves: {order: ["1", "2"]%s}
model: {text: "use =~ u1 + u2\\njoy =~ j1 + j2\\njoy ~ use"}
index: {target: joy}
bootstrap: {n: 0}
codebook:
  scales: {ten: {min: 1, max: 10}}
  items:
    - {name: u1, construct: use, scale: ten}
    - {name: u2, construct: use, scale: ten}
    - {name: j1, construct: joy, scale: ten}
    - {name: j2, construct: joy, scale: ten}
"""


@pytest.fixture
def rescaled(tmp_path):
    """Two cross-sections, the second asked on another scale."""
    rng = np.random.default_rng(4)
    for wave, high in (("1", 5), ("2", 10)):
        mood = rng.normal(size=200)
        columns = {
            name: np.clip(np.round((high + 1) / 2 + high / 5 * (mood + 0.6 * rng.normal(size=200))), 1, high)
            for name in ("u1", "u2", "j1", "j2")
        }
        rows = {"id": [f"{wave}-{i}" for i in range(200)], "w": [wave] * 200, **columns}
        pl.DataFrame(rows).write_csv(tmp_path / f"{wave}.csv")

    def write(breaks=""):
        (tmp_path / "study.yaml").write_text(STUDY % breaks, encoding="utf-8")
        return tmp_path / "study.yaml"

    return write


def test_a_panel_is_told_with_attrition_and_overlap(asked):
    code, out, _ = asked("waves", RETAIL, "--lang", "en")
    assert code == 0
    assert "The waves are a panel" in out
    assert "item dropped" in out
    assert "associated" in out
    code, out, _ = asked("waves", RETAIL, "--json")
    data = json.loads(out)
    assert data["design"]["kind"] == "panel"
    assert data["attrition"][1]["stayed"] == 406
    assert data["overlap"][0]["saved"] > 0.3
    assert data["proposed"] == []


def test_the_entry_that_is_proposed_can_be_pasted(rescaled, asked):
    code, out, _ = asked("waves", rescaled())
    assert code == 0
    assert "repeated cross-sections" in out
    line = next(x.strip() for x in out.splitlines() if x.strip().startswith("- {wave:"))
    assert "scale: [1, 5]" in line
    study = rescaled(f", breaks: [{line[2:]}]")
    code, out, _ = asked("waves", study, "--json")
    data = json.loads(out)
    assert data["proposed"] == []
    assert {c["declared"] for c in data["changes"]} == {True}
    code, out, _ = asked("check", study)
    assert code == 0
    assert "another answer scale" in out


def test_tables_go_to_a_file(rescaled, asked, tmp_path):
    code, _, _ = asked("waves", rescaled(), "--to", tmp_path / "waves.xlsx")
    assert code == 0
    assert pl.read_excel(tmp_path / "waves.xlsx", sheet_id=0, engine="calamine")


def test_the_report_and_its_record_tell_the_waves(asked, tmp_path):
    code, _, err = asked("report", RETAIL, "--out", tmp_path, "--bootstrap", "100", "--errors", "fixed", "--to", "html")
    assert code == 0, err
    record = json.loads(next(tmp_path.rglob("record.json")).read_text("utf-8"))
    assert record["design"]["design"] == "panel"
    assert {c["what"] for c in record["design"]["changes"]} == {"added", "dropped", "returned"}
    page = next(tmp_path.rglob("*.html")).read_text("utf-8")
    assert "追踪样本" in page or "a panel" in page
    assert "恢复题项" in page or "item asked again" in page


def test_python_has_the_same(rescaled):
    found = csi.waves(rescaled())
    assert found.repeats.kind == "cross-sections"
    assert set(found.changes["what"]) == {"scale"}
    assert found.changes.height == 4
    assert "scale: [1, 5]" in repr(found)


def test_a_level_on_a_scale_in_doubt_is_printed_with_the_doubt(rescaled, asked):
    study = rescaled()
    for verb in ("index", "track"):
        code, out, _ = asked(verb, study, "--wave", "1", "--lang", "en", "--bootstrap", "0")
        assert code == 0
        assert "scale in doubt" in out
        assert "scale in doubt" not in asked(verb, study, "--wave", "2", "--lang", "en", "--bootstrap", "0")[1]
    assert "量表存疑" in asked("index", study, "--wave", "1", "--lang", "zh")[1]
    same = study.read_text(encoding="utf-8").replace('["1", "2"]', '["1", "2"], scales: same')
    study.write_text(same, encoding="utf-8")
    assert "scale in doubt" not in asked("index", study, "--wave", "1", "--lang", "en")[1]


def test_check_tells_its_findings_first_and_the_models_in_a_line(rescaled, asked):
    _, out, _ = asked("check", rescaled(), "--lang", "en")
    assert out.startswith("Note: ")
    assert out.index("was the scale changed") < out.index("Files")
    assert "csi check STUDY --models" in out
    assert "servqual" not in out
    assert "servqual" in asked("check", rescaled(), "--models", "--lang", "en")[1]


def test_a_model_that_cannot_be_fitted_hides_nothing_of_the_answers(rescaled, asked, tmp_path):
    study = rescaled()
    text = study.read_text(encoding="utf-8").replace("\\njoy ~ use", "")
    study.write_text(text, encoding="utf-8")
    answers = pl.read_csv(tmp_path / "1.csv").with_columns(u1=pl.col("u1").cast(pl.String))
    answers[0, "u1"] = "good"
    answers.write_csv(tmp_path / "1.csv")
    code, _, err = asked("check", study, "--lang", "en")
    assert code == 1
    assert "no arrow touches" in err
    assert "good" in err
    assert "row 2" in err
