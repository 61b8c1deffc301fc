"""`csi append`."""

import json

import polars as pl

from csi.cli.shell import main


def test_a_store_is_begun_shown_and_refuses(study, tmp_path, capsys):
    store, record = tmp_path / "s.npz", tmp_path / "r.json"
    words = ["append", str(study), "--store", str(store)]
    assert main([*words, "--json", "--record", str(record)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["added"]) == 10
    assert len(found["batches"]) == 1
    assert {n["code"] for n in found["notes"]} >= {"N-STORE", "N-FIXED-WEIGHTS"}
    assert json.loads(record.read_text())["batches"] == found["batches"]
    assert main([*words, "--lang", "en"]) == 0
    assert capsys.readouterr().out.startswith("Nothing was added;")
    assert main([*words[:2], str(study.parent / "panel.csv"), *words[2:], "--lang", "zh"]) == 1
    assert "已计入" in capsys.readouterr().err


def test_the_index_is_that_of_csi_index(study, tmp_path, capsys):
    assert main(["append", str(study), "--store", str(tmp_path / "s.npz"), "--json"]) == 0
    stored = json.loads(capsys.readouterr().out)["index"]
    assert main(["index", str(study), "--errors", "fixed", "--json"]) == 0
    read = json.loads(capsys.readouterr().out)["index"]
    for one, other in zip(stored, read, strict=True):
        assert (one["brand"], one["wave"], one["construct"], one["n"]) == (
            other["brand"], other["wave"], other["construct"], other["n"],
        )  # fmt: skip
        assert abs(one["index"] - other["index"]) < 100 * 2.0**-20  # a fit rounds weights to 2^-20 of their mean


def test_fixed_errors_are_the_standard_errors_of_the_object(study, capsys):
    assert main(["index", str(study), "--errors", "fixed", "--json"]) == 0
    rows = [r for r in json.loads(capsys.readouterr().out)["index"] if r["index"] is not None]
    assert rows
    assert all(r["std_error"] == r["std_error_fixed"] is not None for r in rows)


def test_its_tables_as_a_workbook_and_a_closed_wave(study, tmp_path, capsys):
    words = ["append", str(study), "--store", str(tmp_path / "s.npz")]
    assert main([*words, "--close", "2025Q3", "--to", str(tmp_path / "t.xlsx"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["closed"] == ["2025Q3"]
    assert main([*words, "--to", str(tmp_path / "t.xlsx"), "--lang", "en"]) == 0
    assert "t.xlsx" in capsys.readouterr().out
    sheets = pl.read_excel(tmp_path / "t.xlsx", sheet_id=0, has_header=False, infer_schema_length=0)
    assert {"index", "added", "batches"} <= set(sheets)
    values = {str(v) for row in sheets["index"].iter_rows() for v in row}
    assert all(any(str(r["index"])[:8] in v for v in values) for r in found["index"][:3])
