"""The same input gives the same bytes, file by file; what is written is what was asked."""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from csi.errors import Problems
from csi.reporting import write as writing
from csi.reporting.write import FILES, write_report


@pytest.fixture(scope="module")
def twice(small_study):
    """The report written two times: here, and under another time zone, locale, threads and order of hashes."""
    there = {"TZ": "Asia/Shanghai", "LC_ALL": "C", "OPENBLAS_NUM_THREADS": "2", "POLARS_MAX_THREADS": "1"}
    out = small_study.parent / "two"
    asked = ["report", str(small_study), "--out", str(out), "--lang", "zh,en", "--quiet"]
    command = [sys.executable, "-m", "csi", *asked]
    subprocess.run(command, env={**os.environ, **there, "PYTHONHASHSEED": "7"}, check=True, capture_output=True)
    return [write_report(small_study, small_study.parent / "one"), *(f for f in out.iterdir())]


@pytest.mark.parametrize("name", FILES)
def test_same_bytes(twice, name):
    one, two = ((folder / name).read_bytes() for folder in twice)
    assert one == two


def test_all_files_stand_in_the_folder_of_the_wave(twice):
    assert twice[0].name == "2026Q1"
    assert {p.name for p in twice[0].iterdir()} == set(FILES)


def test_the_page_needs_no_network_and_escapes_labels(twice):
    page = (twice[0] / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_the_notebook_shows_the_same_sections_by_running(twice):
    book = json.loads((twice[0] / "notebook.ipynb").read_text(encoding="utf-8"))
    numbers = json.loads((twice[0] / "numbers.json").read_text(encoding="utf-8"))
    code = [c for c in book["cells"] if c["cell_type"] == "code"]
    parameters, *code = code
    assert parameters["metadata"]["tags"] == ["parameters"]
    shown = ["".join(c["outputs"][0]["data"]["text/html"]) for c in code]
    assert len(shown) == 1 + len(numbers["sections"])
    for html, section in zip(shown[1:], numbers["sections"].values(), strict=True):
        assert section["title"]["zh"].replace("<", "&lt;").replace(">", "&gt;") in html
    assert all(o["output_type"] == "execute_result" for c in code for o in c["outputs"])
    assert str(twice[0]) not in json.dumps(book)


def test_the_tables_hold_a_sheet_per_section(twice):
    numbers = json.loads((twice[0] / "numbers.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(io.BytesIO((twice[0] / "tables.xlsx").read_bytes())) as book:
        sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
        assert not any(b"<f>" in book.read(n) for n in sheets)
    assert len(sheets) == 1 + len(numbers["sections"])


def test_one_language_only(small_study, tmp_path):
    folder = write_report(small_study, tmp_path, lang="en", execute=False)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'lang="en"' in page
    assert "满意度" not in page


def test_an_unknown_wave_writes_nothing(small_study, tmp_path):
    with pytest.raises(Problems, match="2027Q1"):
        write_report(small_study, tmp_path / "out", wave="2027Q1")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_a_problem(small_study, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problems) as caught:
        write_report(small_study, tmp_path / "file")
    assert caught.value.problems[0].code == "E-OUT"


def test_a_failing_section_leaves_no_half_report(small_study, tmp_path, monkeypatch):
    def fail(*_):
        raise KeyError("page")

    monkeypatch.setattr(writing, "rendered", fail)
    with pytest.raises(KeyError):
        write_report(small_study, tmp_path, execute=False)
    assert list(tmp_path.iterdir()) == []
