"""Tables of events in a study file: read, checked, and told by `csi check`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import csi
from csi.cli import main
from csi.errors import Problems
from csi.reporting.methods import run_method

DATA = Path(__file__).parents[2] / "data" / "insurance"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A copy of the insurers' study with two tables of events."""
    folder = tmp_path / "insurance"
    shutil.copytree(DATA, folder)
    (folder / "bought.csv").write_text(
        "customer,date,amount\n11001,2026-01-05,20\n99,2026-02-01,30\n", encoding="utf-8"
    )
    (folder / "met.csv").write_text("id,touchpoint,score\n11001,shop,7\n", encoding="utf-8")
    path = folder / "study.yaml"
    with path.open("a", encoding="utf-8") as file:
        file.write("tables: {purchases: {file: bought.csv, columns: {id: customer}}, contacts: met.csv}\n")
    return path


def test_a_study_reads_its_tables(study: Path) -> None:
    found = csi.Study.read(study)
    bought = found.table("purchases")
    assert bought is not None
    assert bought.frame["id"].to_list() == ["11001", "99"]
    assert found.table("texts") is None


def test_check_tells_what_the_tables_hold(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(study), "--lang", "en"]) == 0
    said = capsys.readouterr()
    assert "Tables of events" in said.out
    assert "2026-02-01" in said.out
    assert "contacts have neither seq nor time" in said.out + said.err


def test_a_table_of_nobody_who_answered_is_told_and_its_models_refused(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (study.parent / "met.csv").write_text("id,touchpoint,seq,score\nX11001,shop,1,7\n", encoding="utf-8")
    assert main(["check", str(study), "--models", "--lang", "en"]) == 0
    said = capsys.readouterr()
    assert "met.csv: none of 1 ids is one of the" in said.out + said.err
    assert "bought.csv: none" not in said.out + said.err
    assert "No problems found" not in said.out
    allowed = {line.split()[1]: line for line in said.out.splitlines() if len(line.split()) > 1}
    assert allowed["journey"].endswith("no: no id joins")
    assert allowed["repurchase"].endswith("yes")


def test_faults_of_answers_and_tables_are_told_together(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study.parent / "bought.csv").write_text("customer,date,amount\n11001,2026-01-05,-20\n", encoding="utf-8")
    (study.parent / "met.csv").write_text("id,score\n11001,7\n", encoding="utf-8")
    assert main(["check", str(study), "--lang", "en"]) == 1
    said = capsys.readouterr().err
    assert "amounts below 0" in said
    assert "no column touchpoint" in said


@pytest.mark.parametrize(
    ("tables", "code", "said"),
    [
        ("{purchase: bought.csv}", "E-EVENT", 'no kind of table called "purchase"'),
        ("{purchases: bougt.csv}", "E-FILE", 'no file "bougt.csv"'),
        ("{contacts: {file: met.csv, timezone: Peking}}", "E-EVENT", 'no time zone "Peking"'),
        ("{benchmarks: {file: benchmarks.csv, dates: x}}", "E-EVENT", "benchmarks takes a file only"),
    ],
)
def test_what_cannot_be_in_tables(study: Path, tables: str, code: str, said: str) -> None:
    text = study.read_text(encoding="utf-8").rsplit("tables:", 1)[0]
    study.write_text(f"{text}tables: {tables}\n", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        csi.Study.read(study)
    assert [(p.code, said in p.what.en) for p in caught.value.problems] == [(code, True)]


def test_models_find_the_files_that_tables_name(study: Path) -> None:
    text = study.read_text(encoding="utf-8").rsplit("tables:", 1)[0]
    text = text.replace("benchmarks: benchmarks.csv, ", "")
    study.write_text(f"{text}tables: {{benchmarks: benchmarks.csv}}\n", encoding="utf-8")
    read = csi.Study.read(study)
    section = run_method(read, read.panel(), "reasonable")
    assert section.tables[0].frame.height > 0
