"""`csi diff` on records that the verbs write."""

import json

import polars as pl
import pytest

from csi.cli.shell import main


@pytest.fixture(scope="module")
def records(study, tmp_path_factory):
    """The record of a run, and of one whose data end a hundred rows earlier."""
    folder = tmp_path_factory.mktemp("records")
    for name in ("codebook.yaml", "study.yaml"):
        (folder / name).write_bytes((study.parent / name).read_bytes())
    pl.read_csv(study.parent / "panel.csv", infer_schema=False)[:-100].write_csv(folder / "panel.csv")
    for path, out in ((study, "a.json"), (folder / "study.yaml", "b.json")):
        assert main(
            ["track", str(path), "--errors", "fixed", "--no-gate", "--quiet", "--record", str(folder / out)]
        ) in {0, 3}
    return folder / "a.json", folder / "b.json"


def test_a_record_and_itself(records, capsys):
    assert main(["diff", str(records[0]), str(records[0]), "--lang", "en"]) == 0
    assert capsys.readouterr().out == "Nothing changed.\n"


def test_fewer_rows(records, capsys):
    assert main(["diff", *map(str, records), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {d["part"] for d in found["data"]} == {"data", "files.panel.csv", "rows"}
    rows = next(d for d in found["data"] if d["part"] == "rows")
    assert int(rows["before"]) - int(rows["after"]) <= 100
    assert found["settings"] == []
    assert not found["same"]
    said = {r["quantity"] for r in found["numbers"] if r["status"] == "changed"}
    assert {"index", "change"} <= said
    before, after = (json.loads(p.read_text())["index"] for p in records)
    key = lambda r: (r["brand"], r["wave"], r["construct"])  # noqa: E731
    one, other = ({key(r): r["index"] for r in rows} for rows in (before, after))
    for r in found["numbers"]:
        if r["quantity"] == "index" and r["status"] == "changed":
            at = r["brand"], r["wave"], r["construct"]
            assert (r["before"], r["after"]) == (one[at], other[at])
            assert abs(r["difference"]) >= 0.05 - 1e-9


def test_it_prints_in_both_languages(records, capsys):
    for lang, word in (("en", "Answers by cell"), ("zh", "各单元样本量")):
        assert main(["diff", *map(str, records), "--lang", lang]) == 0
        assert word in capsys.readouterr().out


def test_a_missing_file_is_one_line(records, capsys):
    assert main(["diff", str(records[0]), "none.json", "--lang", "zh"]) == 1
    assert capsys.readouterr().err == "none.json：文件不存在。请检查路径；可用 --record PATH 写出记录。\n"


def test_a_weight_and_an_answer_are_told_apart_and_written(study, tmp_path, capsys):
    """One row's weight in one run, one answer in another; both against the first."""
    rows = pl.read_csv(study.parent / "panel.csv", infer_schema=False)
    at = pl.int_range(pl.len()) == rows.height - 1
    changes = {
        "a": [],
        "weight": [pl.when(at).then(pl.lit("9")).otherwise("weight").alias("weight")],
        "answer": [pl.when(at).then(pl.lit("1")).otherwise("sat1").alias("sat1")],
    }
    for name, change in changes.items():
        folder = tmp_path / name
        folder.mkdir()
        rows.with_columns(change).write_csv(folder / "panel.csv")
        for file in ("study.yaml", "codebook.yaml"):
            (folder / file).write_bytes((study.parent / file).read_bytes())
        path = str(folder / "study.yaml")
        assert main(["index", path, "--errors", "fixed", "--quiet", "--record", str(tmp_path / f"{name}.json")]) == 0
        assert main(["batch", path, "--errors", "fixed", "--quiet", "--out", str(tmp_path / f"out_{name}")]) == 0
    for name, cause in (("weight", "design weights"), ("answer", "answers")):
        out = tmp_path / f"{name}.xlsx"
        words = ["diff", str(tmp_path / "a.json"), str(tmp_path / f"{name}.json"), "--to", str(out), "--json"]
        assert main(words) == 0
        found = json.loads(capsys.readouterr().out)
        assert [c["what"] for c in found["cells"]] == [cause]
        moved = [r for r in found["numbers"] if r["quantity"] == "index" and r["status"] == "changed"]
        assert moved
        assert {r["cause"] for r in moved} == {cause}
        sheet = pl.read_excel(out, sheet_id=0, has_header=False, infer_schema_length=0)
        assert any(cause in map(str, row) or "抽样权重" in map(str, row) or "答卷" in map(str, row)
                   for frame in sheet.values() for row in frame.iter_rows())  # fmt: skip
        assert main(["diff", str(tmp_path / "out_a"), str(tmp_path / f"out_{name}"), "--json"]) == 0
        batches = json.loads(capsys.readouterr().out)
        key = lambda r: (r["brand"], r["wave"], r["construct"])  # noqa: E731
        one, other = (
            {key(r): r["difference"] for r in body["numbers"] if r["quantity"] == "index" and r["status"] == "changed"}
            for body in (found, batches)
        )
        assert one.keys() == other.keys()
        assert all(abs(one[k] - other[k]) < 1e-4 for k in one)
    assert main(["diff", str(tmp_path / "a.json"), str(tmp_path / "a.json"), "--to", "x.txt", "--lang", "zh"]) == 1
    assert "xlsx" in capsys.readouterr().err
