"""Every cell of a study in one run."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.reporting import batch_run as room
from csi.reporting.cell_marks import cell_marks
from csi.study.fitted import fitted, indexed

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "data/telecom"
WAVES = ["2023Q4", "2024Q1", "2024Q2"]


@pytest.fixture(scope="module")
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
    body = found.record("YA", "2024Q1")
    assert body["cell"] == {"brand": "YA", "wave": "2024Q1"}
    mine = made.table.filter(pl.col("brand") == "YA", pl.col("wave") == "2024Q1")
    assert [r["index"] for r in body["index"]] == pytest.approx(mine["index"].to_list(), rel=1e-9)
    marks = next(m for m in cell_marks(panel) if (m["brand"], m["wave"]) == ("YA", "2024Q1"))
    assert {k: body[k] for k in ("answers", "weighted")}.items() <= marks.items()
    assert found.notes[-1].text.en == "Comparability: not tested; ask with csi comparable STUDY."


def test_bootstrap_errors_do_not_depend_on_the_blocks(study, tmp_path, monkeypatch):
    said = study(errors="bootstrap")
    said = replace(said, settings=replace(said.settings, replicates=100))
    one = csi.batch(said, tmp_path / "one").table
    monkeypatch.setattr(room, "blocks_of", lambda todo, _: [[c] for c in todo])
    assert csi.batch(said, tmp_path / "other").table["std_error"].to_list() == pytest.approx(
        one["std_error"].to_list(), rel=1e-9
    )


def test_a_run_that_was_stopped_goes_on(study, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "blocks_of", lambda todo, _: [[c] for c in todo])
    said, out, told = study(weights="own"), tmp_path / "out", []
    whole = csi.batch(said, tmp_path / "whole").table

    def stop(done, of):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        csi.batch(said, out, tell=stop)
    records = out / "records.jsonl"
    assert len(records.read_text(encoding="utf-8").splitlines()) == 3
    with records.open("a", encoding="utf-8") as file:
        file.write('{"cell":{"brand":"YA","wave":"2024Q1"},"half a rec')
    first = records.read_bytes().splitlines()[:3]
    found = csi.batch(said, out, tell=lambda done, of: told.append((done, of)))
    assert found.table["kept"].to_list() == [True] * 3 + [False] * 3
    assert told == [(4, 6), (5, 6), (6, 6)]
    assert found.table.drop("kept").equals(whole.drop("kept"))
    lines = records.read_bytes().splitlines()
    assert lines[:3] == first
    assert lines == (tmp_path / "whole/records.jsonl").read_bytes().splitlines()


def test_one_file_holds_a_record_per_cell_in_the_order_of_the_table(study, tmp_path):
    said, out = study(weights="own"), tmp_path / "out"
    found = csi.batch(said, out)
    assert sorted(p.name for p in out.iterdir()) == ["records.jsonl", "runs.json", "summary.csv", "summary.xlsx"]
    lines = [json.loads(line) for line in (out / "records.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in found.table.iter_rows(named=True):
        body = lines[row["record"] - 1]
        assert body["cell"] == {"brand": row["brand"], "wave": row["wave"]}
        mine = next(r for r in body["index"] if r["construct"] == body["target"])
        assert (body["n"], mine["index"], mine["std_error"]) == (row["n"], row["index"], row["std_error"])
        assert {w["item"] for w in body["weights"]} >= {"sat1", "sat2"}
        assert body["paths"]
    run = json.loads((out / "runs.json").read_text(encoding="utf-8"))[lines[0]["run"]]
    assert run["study"]["name"] == "telecom"
    assert run["settings"]["weights"] == "own"


def changed(rows, brand, wave):
    here = (pl.col("operator") == brand) & (pl.col("quarter") == wave) & (pl.col("sat1") == "7")
    return rows.with_columns(sat1=pl.when(here).then(pl.lit("8")).otherwise("sat1"))


def anew(table):
    """The cells that were worked out."""
    return table.filter(~pl.col("kept")).select("brand", "wave").rows()


def test_other_answers_of_a_cell_redo_that_cell(study, rows, tmp_path):
    csi.batch(study(), tmp_path / "out")
    made = csi.batch(study(changed(rows, "YA", "2024Q2")), tmp_path / "out")
    found = made.table
    assert "Made anew: 1 because of their own answers or weights." in {n.text.en for n in made.notes}
    assert anew(found) == [("YA", "2024Q2")]


def test_other_answers_of_the_base_redo_all(study, rows, tmp_path):
    csi.batch(study(), tmp_path / "out")
    found = csi.batch(study(changed(rows, "YA", "2023Q4")), tmp_path / "out")
    assert not found.table["kept"].any()
    said = next(n.text for n in found.notes if n.code == "N-BATCH-AGAIN")
    assert said.en == (
        "Made anew: 1 because of their own answers or weights; "
        "5 because of the answers that their outer weights come from."
    )
    assert "自身答卷或权重改变 1 个" in said.zh


def test_other_settings_redo_all(study, tmp_path):
    csi.batch(study(), tmp_path / "out")
    found = csi.batch(study(errors="fixed"), tmp_path / "out")
    assert not found.table["kept"].any()
    assert "Made anew: 6 because of settings (index_errors)." in {n.text.en for n in found.notes}


def test_labels_titles_and_what_reports_tell_redo_nothing(study, tmp_path):
    said = study()
    csi.batch(said, tmp_path / "out")
    text = said.path.read_text(encoding="utf-8")
    text = text.replace("zh: 云安", "zh: 云安通信").replace("desired: 85", "desired: 90").replace("季度报告", "报告")
    said.path.write_text(text.replace("n: 1000, seed: 20261121", "n: 500, seed: 7"), encoding="utf-8")
    found = csi.batch(said.path, tmp_path / "out")
    assert found.table["kept"].all()


def test_the_weight_of_one_row_redoes_its_cell_alone(study, rows, tmp_path):
    """Weights are scaled by the mean of all rows; the other cells' shares of it do not count."""
    said = study(weights="own")
    text = said.path.read_text(encoding="utf-8").replace("brand: operator", "brand: operator, weight: weight")
    said.path.write_text(text, encoding="utf-8")
    csi.batch(said.path, tmp_path / "out")
    at = rows.with_row_index("_i").filter(pl.col("operator") == "ZX", pl.col("quarter") == "2024Q1")["_i"][0]
    heavier = pl.when(pl.int_range(pl.len()) == at).then(pl.lit("2.5")).otherwise("weight")
    rows.with_columns(weight=heavier).write_csv(tmp_path / "panel.csv")
    found = csi.batch(said.path, tmp_path / "out").table
    assert anew(found) == [("ZX", "2024Q1")]
    fresh = csi.batch(said.path, tmp_path / "fresh").table
    # a fit rounds weights to 2^-20 of their mean over all rows
    assert found["index"].to_list() == pytest.approx(fresh["index"].to_list(), abs=100 * 2.0**-20)


def test_a_new_wave_redoes_no_other(study, rows, tmp_path):
    csi.batch(study(rows.filter(pl.col("quarter") != "2024Q2"), weights="own"), tmp_path / "out")
    found = csi.batch(study(weights="own"), tmp_path / "out").table
    assert anew(found) == [("ZX", "2024Q2"), ("YA", "2024Q2")]
    gone = csi.batch(study(rows.filter(pl.col("quarter") != "2024Q2"), weights="own"), tmp_path / "out")
    assert gone.table["kept"].all()
    assert {n.code for n in gone.notes} >= {"N-BATCH-GONE"}
    assert len((tmp_path / "out/records.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def test_cells_broken_in_many_ways_stop_nothing_and_say_why(study, rows, tmp_path):
    def at(brand, wave):
        return (pl.col("operator") == brand) & (pl.col("quarter") == wave)

    place = pl.int_range(pl.len()).over("operator", "quarter")
    frame = rows.with_columns(
        sat1=pl.when(at("YA", "2023Q4")).then(pl.lit("7")).otherwise("sat1"),
        sat2=pl.when(at("YA", "2024Q1")).then(pl.lit("good")).when(at("YA", "2024Q2")).then(None).otherwise("sat2"),
        sat3=pl.when(at("ZX", "2024Q1") & (place == 3)).then(pl.lit("77")).otherwise("sat3"),
    ).filter(~at("ZX", "2024Q2") | (place < 12))
    whole = study(weights="own")
    right = csi.batch(whole, tmp_path / "whole").record("ZX", "2023Q4")
    found = csi.batch(study(frame, weights="own"), tmp_path / "out")
    lost = {(r["brand"], r["wave"]): r for r in found.without.iter_rows(named=True)}
    assert {k: r["status"] for k, r in lost.items()} == {
        ("YA", "2023Q4"): "failed", ("YA", "2024Q1"): "failed", ("YA", "2024Q2"): "failed",
        ("ZX", "2024Q1"): "failed", ("ZX", "2024Q2"): "withheld",
    }  # fmt: skip
    for key, en, zh in (
        (("YA", "2023Q4"), "all answers to sat1 are the same", "回答全部相同"),
        (("YA", "2024Q1"), "answers (sat2) are words without a code", "没有代码的文字"),
        (("YA", "2024Q2"), "none of its rows is complete", "没有完整的行"),
        (("ZX", "2024Q1"), "1 answer to sat3 lies outside its scale 1-10", "超出量表范围"),
        (("ZX", "2024Q2"), "fewer than 30 answers", "样本量不足 30"),
    ):
        assert en in lost[key]["reason"]
        assert zh in lost[key]["reason_zh"]
        assert found.record(*key)["status"] == lost[key]["status"]
    good = found.record("ZX", "2023Q4")
    assert [r["index"] for r in good["index"]] == pytest.approx([r["index"] for r in right["index"]], rel=1e-12)
    assert "1 done, 1 withheld, 4 failed" in found.sentences[0].en
    assert "W-BATCH-ASIDE" in {n.code for n in found.notes}
    again = csi.batch(tmp_path / "study.yaml", tmp_path / "out")
    assert again.without.drop("kept").equals(found.without.drop("kept"))
    assert again.table["kept"].sum() == 2  # what failed is tried again


def test_a_respondent_twice_and_a_bad_weight_are_of_their_cells(study, rows, tmp_path):
    said = study(weights="own")
    text = said.path.read_text(encoding="utf-8").replace("brand: operator", "brand: operator, weight: weight")
    said.path.write_text(text, encoding="utf-8")
    first = rows.filter(pl.col("operator") == "ZX", pl.col("quarter") == "2024Q1")[:1]
    mine = (pl.col("operator") == "YA") & (pl.col("quarter") == "2024Q2")
    frame = rows.with_columns(weight=pl.when(mine).then(pl.lit("-1")).otherwise("weight"))
    pl.concat([frame, first]).write_csv(tmp_path / "panel.csv")
    found = csi.batch(said.path, tmp_path / "out")
    why = {(r["brand"], r["wave"]): r["reason"] for r in found.failed.iter_rows(named=True)}
    assert set(why) == {("ZX", "2024Q1"), ("YA", "2024Q2")}
    assert "more than once" in why["ZX", "2024Q1"]
    assert "not positive numbers" in why["YA", "2024Q2"]
    assert (found.table["status"] == "done").sum() == 4


def test_no_such_record(study, tmp_path):
    found = csi.batch(study(weights="own"), tmp_path / "out")
    for cell in (("YA",), ("YA", "1999Q1")):
        with pytest.raises(csi.Problems) as caught:
            found.record(*cell)
        assert [(p.code, bool(p.what.zh)) for p in caught.value.problems] == [("E-WHERE", True)]


def test_a_rolling_window_in_blocks_is_that_of_the_index(study, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "blocks_of", lambda todo, _: [[c] for c in todo])
    said = study(weights="rolling")
    said = replace(said, settings=replace(said.settings, window=2))
    found = csi.batch(said, tmp_path / "out").table
    whole = indexed(said, fitted(said, said.panel(), errors=False)).table.filter(pl.col("construct") == "satisfaction")
    for name in ("index", "std_error"):
        assert found[name].to_list() == pytest.approx(whole[name].to_list(), rel=1e-9)


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


@pytest.fixture(scope="module")
def pool():
    """Two processes, started once."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


@pytest.mark.parametrize("weights", ["base", "own"])
def test_an_executor_writes_the_same_records(study, rows, tmp_path, weights, monkeypatch, pool):
    monkeypatch.setattr(room, "blocks_of", lambda todo, _: [todo[:2], todo[2:5], todo[5:]])
    flat = pl.when((pl.col("quarter") == WAVES[1]) & (pl.col("operator") == "YA")).then(pl.lit("7"))
    said = study(rows.with_columns(com1=flat.otherwise("com1")), weights=weights)
    here = csi.batch(said, tmp_path / "here")
    away = csi.batch(said, tmp_path / "away", executor=pool)
    assert away.table.equals(here.table)
    records = [(tmp_path / name / "records.jsonl").read_bytes() for name in ("here", "away")]
    assert records[0] == records[1]
    assert here.table["status"].to_list().count("failed") == 1
