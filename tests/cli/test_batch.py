"""`csi batch`."""

import json

import polars as pl

from csi.cli.shell import main


def test_a_batch_and_again(study, tmp_path, capsys):
    words = ["batch", str(study), "--out", str(tmp_path / "o"), "--errors", "fixed"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [c["status"] for c in found["cells"]] == ["done"] * 10
    assert main(["index", str(study), "--errors", "fixed", "--json"]) == 0
    rows = [r for r in json.loads(capsys.readouterr().out)["index"] if r["construct"] == "satisfaction"]
    assert all(abs(c["index"] - r["index"]) < 1e-9 for c, r in zip(found["cells"], rows, strict=True))
    assert main([*words, "--lang", "zh"]) == 0
    assert capsys.readouterr().out.startswith(
        "共 10 个单元：完成 10 个，不予发布 0 个，失败 0 个；其中沿用此前结果 10 个。"
    )


def test_a_key_that_is_not_there(study, tmp_path, capsys):
    assert main(["batch", str(study), "--out", str(tmp_path / "o"), "--by", "brand,wve", "--lang", "zh"]) == 1
    assert "wve" in capsys.readouterr().err


def test_its_table_as_a_file(study, tmp_path, capsys):
    words = ["batch", str(study), "--out", str(tmp_path / "o"), "--errors", "fixed", "--json"]
    for kind, read in ((".csv", pl.read_csv), (".parquet", pl.read_parquet)):
        assert main([*words, "--to", str(tmp_path / f"t{kind}")]) == 0
        found = json.loads(capsys.readouterr().out)["cells"]
        assert read(tmp_path / f"t{kind}")["index"].to_list() == [c["index"] for c in found]
