"""Every cell of a study in one run."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.reporting import batch as room
from csi.study.fitted import fitted, indexed

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "data/telecom"
WAVES = ["2023Q4", "2024Q1", "2024Q2"]


@pytest.fixture
def rows():
    """Two brands, three quarters."""
    frame = pl.read_csv(SOURCE / "panel.csv", infer_schema=False)
    return frame.filter(pl.col("quarter").is_in(WAVES) & pl.col("operator").is_in(["ZX", "YA"]))


@pytest.fixture
def study(tmp_path, rows):
    """Their study, without weights, with linearised errors."""

    def made(frame=rows, weights="base", errors="linearised"):
        text = (SOURCE / "study.yaml").read_text(encoding="utf-8").replace(", weight: weight", "")
        text = text.replace("weights: base, base: 2023Q4", f"weights: {weights}, errors: {errors}")
        (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
        (tmp_path / "codebook.yaml").write_bytes((SOURCE / "codebook.yaml").read_bytes())
        frame.write_csv(tmp_path / "panel.csv")
        return csi.Study.read(tmp_path / "study.yaml")

    return made


@pytest.mark.parametrize("weights", ["base", "own", "entity", "wave", "pooled"])
def test_its_numbers_are_those_of_the_index(study, tmp_path, weights, monkeypatch):
    monkeypatch.setattr(room, "blocks_of", lambda todo, _: [[c] for c in todo])  # every cell in a block of its own
    said = study(weights=weights)
    found = csi.batch(said, tmp_path / "out")
    panel = said.panel()
    made = indexed(said, fitted(said, panel, errors=False))
    whole = made.table.filter(pl.col("construct") == "satisfaction")
    assert found.table["status"].to_list() == ["done"] * 6
    for name in ("index", "std_error", "conf_low", "conf_high"):
        assert found.table[name].to_list() == pytest.approx(whole[name].to_list(), rel=1e-9)
    body = json.loads((tmp_path / "out/cells/YA/2024Q1.json").read_text(encoding="utf-8"))
    mine = made.table.filter(pl.col("brand") == "YA", pl.col("wave") == "2024Q1")
    assert [r["index"] for r in body["index"]] == pytest.approx(mine["index"].to_list(), rel=1e-9)


def test_bootstrap_errors_do_not_depend_on_the_blocks(study, tmp_path, monkeypatch):
    said = study(errors="bootstrap")
    said = replace(said, settings=replace(said.settings, replicates=100))
    one = csi.batch(said, tmp_path / "one").table
    monkeypatch.setattr(room, "blocks_of", lambda todo, _: [[c] for c in todo])
    assert csi.batch(said, tmp_path / "other").table["std_error"].to_list() == pytest.approx(
        one["std_error"].to_list(), rel=1e-9
    )


def test_a_run_that_was_stopped_goes_on(study, tmp_path):
    said, out, told = study(), tmp_path / "out", []
    csi.batch(said, out)
    before = {p: p.read_bytes() for p in (out / "cells").rglob("*.json")}
    gone = [out / "cells/ZX/2024Q1.json", out / "cells/YA/2024Q2.json"]
    gone[0].unlink()
    gone[1].write_text('{"half a rec', encoding="utf-8")
    found = csi.batch(said, out, tell=lambda done, of: told.append((done, of)))
    assert found.table.filter(pl.col("status") == "done").select("brand", "wave").rows() == [
        ("ZX", "2024Q1"), ("YA", "2024Q2"),
    ]  # fmt: skip
    assert {p: p.read_bytes() for p in (out / "cells").rglob("*.json")} == before
    assert told[-1] == (6, 6)
    assert found.table["index"].null_count() == 0


def changed(rows, brand, wave):
    here = (pl.col("operator") == brand) & (pl.col("quarter") == wave) & (pl.col("sat1") == "7")
    return rows.with_columns(sat1=pl.when(here).then(pl.lit("8")).otherwise("sat1"))


def test_other_answers_of_a_cell_redo_that_cell(study, rows, tmp_path):
    csi.batch(study(), tmp_path / "out")
    found = csi.batch(study(changed(rows, "YA", "2024Q2")), tmp_path / "out").table
    assert found.filter(pl.col("status") == "done").select("brand", "wave").rows() == [("YA", "2024Q2")]


def test_other_answers_of_the_base_redo_all(study, rows, tmp_path):
    csi.batch(study(), tmp_path / "out")
    found = csi.batch(study(changed(rows, "YA", "2023Q4")), tmp_path / "out").table
    assert set(found["status"]) == {"done"}


def test_other_settings_redo_all(study, tmp_path):
    csi.batch(study(), tmp_path / "out")
    assert set(csi.batch(study(errors="fixed"), tmp_path / "out").table["status"]) == {"done"}


def test_a_failing_cell_stops_nothing_and_says_why(study, rows, tmp_path):
    constant = (pl.col("operator") == "YA") & (pl.col("quarter") == "2024Q1")
    silent = (pl.col("operator") == "ZX") & (pl.col("quarter") == "2024Q2")
    frame = rows.with_columns(
        sat1=pl.when(constant).then(pl.lit("7")).otherwise("sat1"),
        sat2=pl.when(silent).then(None).otherwise("sat2"),
    )
    found = csi.batch(study(frame, weights="own"), tmp_path / "out")
    failed = {(r["brand"], r["wave"]): r for r in found.failed.iter_rows(named=True)}
    assert set(failed) == {("YA", "2024Q1"), ("ZX", "2024Q2")}
    assert "sat1" in failed["YA", "2024Q1"]["reason"]
    assert failed["ZX", "2024Q2"]["n"] == 0
    assert all(r["reason"] and r["reason_zh"] for r in failed.values())
    assert "4 done, 0 unchanged since an earlier run, 2 failed" in found.sentences[0].en
    again = csi.batch(study(frame, weights="own"), tmp_path / "out")
    assert again.failed.height == 2


def test_what_nobody_foresaw_is_a_reason_too(study, tmp_path, monkeypatch):
    real = room.fit_sample

    def breaks(model, sample, estimator):
        if ("YA", "2024Q1") in sample.cells.select("brand", "wave").rows():
            raise ZeroDivisionError("of this cell")
        return real(model, sample, estimator)

    monkeypatch.setattr(room, "fit_sample", breaks)
    found = csi.batch(study(weights="own"), tmp_path / "out")
    assert found.failed.select("brand", "wave", "reason").rows() == [
        ("YA", "2024Q1", "unexpected: ZeroDivisionError: of this cell"),
    ]  # fmt: skip
    assert (found.table["status"] == "done").sum() == 5


def test_the_summary_holds_every_cell(study, tmp_path):
    found = csi.batch(study(), tmp_path / "out")
    assert pl.read_csv(tmp_path / "out/summary.csv").height == 6
    sheet = pl.read_excel(tmp_path / "out/summary.xlsx", sheet_name="cells", has_header=False, infer_schema_length=0)
    values = [str(v) for row in sheet.iter_rows() for v in row]
    numbers = [float(v) for v in values if v.replace(".", "", 1).isdigit()]
    assert all(any(abs(v - x) < 1e-6 for v in numbers) for x in found.table["index"])
    assert any("完成" in v for v in values)


def test_bad_input(study, tmp_path):
    with pytest.raises(csi.Problems) as caught:
        csi.batch(study(), tmp_path / "out", by=["brnd", "wav"])
    assert [(p.code, bool(p.what.zh)) for p in caught.value.problems] == [("E-BY", True)] * 2
    (tmp_path / "file").write_text("")
    with pytest.raises(csi.Problems) as caught:
        csi.batch(study(), tmp_path / "file")
    assert [p.code for p in caught.value.problems] == ["E-OUT"]
    said = study()
    with pytest.raises(csi.Problems) as caught:
        csi.batch(replace(said, settings=replace(said.settings, imputations=5)), tmp_path / "out")
    assert [p.code for p in caught.value.problems] == ["E-SETTING"]
