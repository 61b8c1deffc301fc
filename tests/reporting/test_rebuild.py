"""A report made again from its record: what is the same, what was edited, what is another input."""

from __future__ import annotations

import json
import shutil

import pytest

import csi
from csi.cli import main
from csi.errors import Problems
from csi.reporting.manifest import digest
from csi.reporting.rebuild import apart, largest_difference
from csi.reporting.write import write_report


@pytest.fixture(scope="module")
def written(small_study, tmp_path_factory):
    """A study of its own and its report, which tests may change."""
    own = tmp_path_factory.mktemp("again")
    shutil.copytree(small_study.parent, own / "study", ignore=shutil.ignore_patterns("one", "two", "reports"))
    return write_report(own / "study" / small_study.name, own / "reports", lang="zh", to="html")


def test_nothing_changed_is_verified_and_a_lost_page_is_written_again(written, capsys):
    page = (written / "report.html").read_bytes()
    (written / "report.html").unlink()
    assert main(["report", "--from", str(written / "record.json"), "--lang", "en"]) == 0
    assert "written again" in capsys.readouterr().out
    assert (written / "report.html").read_bytes() == page


def test_an_edited_page_and_other_numbers_are_told_and_left(written, capsys):
    kept = {p.name: p.read_bytes() for p in written.iterdir()}
    (written / "report.html").write_bytes(kept["report.html"] + b"<!-- better -->")
    numbers = json.loads(kept["numbers.json"])
    numbers["headline"]["index"] *= 1 + 1e-12
    close = json.dumps(numbers).encode()
    (written / "numbers.json").write_bytes(close)
    manifest = json.loads(kept["manifest.json"])
    manifest["files"]["numbers.json"] = digest(close)
    (written / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["report", "--from", str(written), "--lang", "zh"]) == 1
    said = capsys.readouterr().out
    assert "写出后被改动" in said
    assert "之内一致" in said
    assert (written / "report.html").read_bytes().endswith(b"<!-- better -->")
    for name, content in kept.items():
        (written / name).write_bytes(content)


def test_what_the_record_settles_is_refused_in_one_message(written, capsys):
    asked = ["--bootstrap", "100", "--errors", "fixed", "--kind", "quarterly", "--to", "html", "--wave", "2026Q1"]
    assert main(["report", "--from", str(written), *asked, "--out", "x", "--lang", "zh,en"]) == 1
    said = capsys.readouterr().err
    for option in ("--bootstrap", "--errors", "--kind", "--to", "--wave", "--out", "--lang"):
        assert option in said


def test_other_answers_are_named(written):
    data = next((written.parent.parent / "study").rglob("*.csv"))
    rows = data.read_text(encoding="utf-8").splitlines()
    kept = data.read_bytes()
    data.write_text("\n".join([rows[0], *rows[2:]]) + "\n", encoding="utf-8")
    found = csi.rebuild(written)
    data.write_bytes(kept)
    assert not found.verified
    assert found.largest > 0
    assert "inf" not in found.sentence.en
    assert f"the text at {found.where} differs" in found.sentence.en
    assert data.name in " ".join(found.inputs["what"])


def test_a_folder_without_a_manifest_and_a_lost_study_are_one_message_each(written, tmp_path, capsys):
    assert main(["report", "--from", str(tmp_path), "--lang", "en"]) == 1
    assert "no manifest" in capsys.readouterr().err
    assert main(["report", "--from", str(written / "numbers.json"), "--lang", "en"]) == 1
    said = capsys.readouterr().err
    assert "the numbers of a report, not its record" in said
    assert f"Give {written / 'record.json'}" in said
    shutil.copytree(written, tmp_path / "moved")
    assert main(["report", "--from", str(tmp_path / "moved"), "--lang", "zh"]) == 1
    assert "不存在" in capsys.readouterr().err
    assert main(["report", "--lang", "en"]) == 1
    assert "study file" in capsys.readouterr().err
    with pytest.raises(Problems):
        csi.rebuild(tmp_path / "nowhere" / "record.json")


def test_differences_are_relative_and_placed():
    assert largest_difference({"a": [1.0, 200.0]}, {"a": [1.0, 201.0]}) == (pytest.approx(1 / 201), "a.1")
    assert largest_difference([1], [1, 2]) == (float("inf"), "")
    assert largest_difference({"a": None}, {"a": 1.0}) == (float("inf"), "a")
    assert apart({"a": "x"}, {"a": "y"}) == (float("inf"), "a", True)
