"""Answers larger than memory: the numbers of the panel from passes that keep no row, and what is said of bad files."""

import json
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main
from csi.study.estimator import estimator_of
from csi.study.streams import large_notes, rule_notes, streamed, unapplied
from csi.study.weights import WeighPlan
from csi.survey.parquet_answers import batches
from csi.survey.parquet_footer import row_groups
from csi.survey.rules import Rules

TELECOM = Path(__file__).parents[2] / "data" / "telecom"
KEYS = ["id", "quarter", "operator"]


@pytest.fixture(scope="module")
def answers():
    return pl.read_csv(TELECOM / "panel.csv").unique(KEYS, keep="first", maintain_order=True)


@pytest.fixture
def folder(tmp_path, answers):
    """A study with `answers` as streamed Parquet; `write` replaces them."""
    shutil.copy(TELECOM / "codebook.yaml", tmp_path)
    text = (
        (TELECOM / "study.yaml")
        .read_text(encoding="utf-8")
        .replace("panel.csv}", "panel.parquet, stream: yes}")
        .replace("language: zh", "language: en")
    )
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    answers.write_parquet(tmp_path / "panel.parquet", row_group_size=3000)
    return tmp_path


def write(folder, frame):
    frame.write_parquet(folder / "panel.parquet", row_group_size=3000)


def refused(folder, **more):
    study = csi.Study.read(folder / "study.yaml")
    with pytest.raises(csi.Problems) as caught:
        csi.fit(study.model, streamed(study, **more), estimator_of(study.settings), ["brand", "wave"])
    return caught.value.problems


@pytest.fixture
def pair(folder):
    """The study, its panel and its stream."""
    study = csi.Study.read(folder / "study.yaml")
    whole = replace(study, data=tuple(replace(f, stream=False) for f in study.data))
    return study, whole.panel(), streamed(study)


@pytest.mark.parametrize("by", [["brand", "wave"], ["wave"], [], ["segment", "brand"]])
def test_a_stream_gives_the_estimate_of_the_panel_to_the_bit(pair, by):
    study, panel, stream = pair
    settings = estimator_of(study.settings)
    one, other = csi.fit(study.model, panel, settings, by), csi.fit(study.model, stream, settings, by)
    assert other.moments.cells.equals(one.moments.cells)
    assert np.array_equal(one.moments.mean, other.moments.mean)
    assert np.array_equal(one.moments.cov, other.moments.cov)
    np.testing.assert_allclose(other.moments.sum_w2, one.moments.sum_w2, rtol=1e-12)
    assert np.array_equal(one.values, other.values)
    assert "N-LISTWISE" in {n.code for n in other.notes}


def test_some_cells_and_pairwise_moments_are_those_of_the_panel(pair):
    study, panel, stream = pair
    where = {"wave": "2026Q3"}
    one, other = (csi.fit(study.model, d, csi.PLS(missing="pairwise"), ["brand"], where=where) for d in (panel, stream))
    np.testing.assert_allclose(other.moments.cov, one.moments.cov, rtol=0, atol=1e-13)
    np.testing.assert_allclose(other.values, one.values, atol=1e-9)


def test_the_index_is_that_of_the_panel_with_errors_of_moments(pair):
    study, panel, stream = pair
    settings = estimator_of(study.settings)
    one, other = (csi.index(csi.fit(study.model, d, settings, ["brand", "wave"])) for d in (panel, stream))
    np.testing.assert_allclose(other.table["index"], one.table["index"], rtol=1e-13)
    assert other.basis == "fixed"
    ratio = (other.table["std_error_fixed"] / one.table["std_error_fixed"]).to_numpy()
    assert np.abs(ratio - 1).max() < 0.25  # Kish's is not the linearised error, but of its size


def test_processes_give_the_bits_of_threads(pair, monkeypatch):
    study, _, stream = pair
    monkeypatch.setattr("csi.moments.stream_files.PART", 4000)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        other = streamed(study, pool).moments(study.model.items, ["brand", "wave"])
    one = stream.moments(study.model.items, ["brand", "wave"])
    assert np.array_equal(one.cov, other.cov)
    assert np.array_equal(one.sum_w2, other.sum_w2)


def test_forked_processes_are_refused_with_what_to_write(pair, folder):
    study, _, _ = pair
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"))  # starts none before work comes
    for call in (
        lambda: csi.read_panel(folder / "panel.parquet", study.codebook, stream=True, executor=pool),
        lambda: streamed(study, pool),
        lambda: csi.batch(study, folder / "out", executor=pool),
    ):
        with pytest.raises(csi.Problems, match="spawn") as caught:
            call()
        assert [p.code for p in caught.value.problems] == ["E-FORK"]
    pool.shutdown()


def test_several_files_with_waves_of_their_own_are_one_source(pair, tmp_path):
    study, panel, _ = pair
    files = []
    for (wave,), part in pl.read_parquet(tmp_path / "panel.parquet").group_by("quarter", maintain_order=True):
        part.drop("quarter").write_parquet(tmp_path / f"{wave}.parquet")
        files.append(replace(study.data[0], path=tmp_path / f"{wave}.parquet", wave=wave))
    stream = streamed(replace(study, data=tuple(files)))
    items = study.model.items
    found = stream.moments(items, ["brand", "wave"])
    wanted = streamed(study).moments(items, ["brand", "wave"])
    assert found.cells.equals(wanted.cells)
    assert np.array_equal(found.cov, wanted.cov)
    assert panel.waves[0] in found.cells["wave"]


def test_read_panel_streams_files_and_refuses_frames(folder, answers):
    study = csi.Study.read(folder / "study.yaml")
    rules = replace(study.rules, speeders="off")
    stream = csi.read_panel(folder / "panel.parquet", study.codebook, rules=rules, stream=True)
    assert stream.moments(["sat1"], ["brand"]).cells.height == 4
    with pytest.raises(csi.Problems, match="this is a frame"):
        csi.read_panel(answers, study.codebook, stream=True)


def test_what_needs_rows_says_so(pair):
    study, _, stream = pair
    est = csi.fit(study.model, stream, estimator_of(study.settings), ["wave"])
    for call in (lambda: csi.bootstrap(est), lambda: csi.nps(stream, "loy1"), study.panel):
        with pytest.raises(csi.Problems) as caught:
            call()
        assert {p.code for p in caught.value.problems} == {"E-ROWS"}
    with pytest.raises(csi.Problems, match="needs rows"):
        csi.fit(study.model, stream, csi.PLS(missing="em"))


def test_a_design_that_moments_do_not_hold_is_told(folder):
    path = folder / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("segment: segment}", "cluster: segment}"), encoding="utf-8")
    study = csi.Study.read(path)
    told = {n.code for n in streamed(study).moments(["sat1"], ["brand"]).notes}
    assert "W-STREAM-DESIGN" in told


@pytest.mark.parametrize("verb", ["index", "fit"])
def test_verbs_print_a_streamed_study(folder, capsys, verb):
    assert main([verb, str(folder / "study.yaml"), "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "2026Q3" in said
    assert "in one pass" in said


def test_an_index_of_a_stream_says_what_was_not_tested_and_which_rules_were_not_applied(folder, capsys):
    path = folder / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("speeders: drop", "speeders: flag"), encoding="utf-8")
    assert main(["index", str(path), "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "Comparability: not tested: the tests of loadings" in said
    assert "keeps none: speeders (flag), straight-lining (flag)." in said
    assert main(["index", str(path), "--lang", "zh", "--no-gate"]) == 0
    said = capsys.readouterr().out
    assert "可比性：未检验（--no-gate）" in said
    assert "流式读取未执行：作答过快（标记）、直线作答（标记）" in said


def test_rules_that_are_off_or_lack_their_column_are_not_named():
    rules = Rules(straight_lining="off")
    assert rule_notes(rules, ["respondent"]) == ()
    assert unapplied(replace(rules, speeders="flag"), []) == ()
    assert unapplied(replace(rules, empty_rows="flag"), []) == ("empty_rows",)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_check_tells_what_a_stream_has(pair, folder, capsys, lang):
    study, panel, stream = pair
    assert main(["check", str(folder / "study.yaml"), "--json", "--lang", lang]) == 0
    told = json.loads(capsys.readouterr().out)
    moments = stream.moments(study.model.items, ["brand", "wave"])
    assert [c["n"] for c in told["cells"]] == moments.n.tolist()
    np.testing.assert_allclose([c["n_effective"] for c in told["cells"]], moments.sum_w**2 / moments.sum_w2)
    reasons = panel.reasons.unpivot(value_name="why").drop_nulls("why").group_by("why").len()
    wanted = {why: n for why, n in reasons.iter_rows() if why != "empty"}
    assert wanted
    assert {one["reason"]: one["cells"] for one in told["absent"]} == wanted
    assert {r["rule"]: r["applied"] for r in told["rules"]}["straight_lining"] == "no"
    assert [f["rows"] for f in told["files"]] == [panel.sources[0].rows]
    assert main(["check", str(folder / "study.yaml"), "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert {"en": "no: it needs rows", "zh": "否：需要原始数据行"}[lang] in said


def test_check_refuses_what_a_stream_refuses_and_a_broken_study_alike(folder, answers, capsys):
    write(folder, answers.with_columns(sat1=pl.when(pl.int_range(pl.len()) == 5).then(77).otherwise("sat1")))
    assert main(["check", str(folder / "study.yaml"), "--lang", "en"]) == 1
    assert "1 answer to sat1 lies outside its scale" in "".join(capsys.readouterr())
    path = folder / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("csi: 1", "csi: 9"), encoding="utf-8")
    assert main(["check", str(path), "--lang", "en"]) == 1
    assert "no row of them is here" not in "".join(capsys.readouterr())


def test_a_late_text_is_told_with_its_row_group(folder, answers):
    late = pl.when(pl.int_range(pl.len()) == 14_000).then(pl.lit("soso")).otherwise(pl.col("sat1").cast(pl.String))
    write(folder, answers.with_columns(late.alias("sat1")))
    (found,) = refused(folder)
    assert found.code == "E-NUMBER"
    assert 'row 14001 "soso"' in found.what.en
    assert "row group 5" in found.what.en
    assert "column sat1" in found.where


def test_answers_outside_their_scale_are_told_together(folder, answers):
    at = pl.int_range(pl.len())
    spoilt = answers.with_columns(
        sat1=pl.when(at == 5000).then(77).otherwise("sat1"), sat2=pl.when(at > 14_300).then(-3).otherwise("sat2")
    )
    write(folder, spoilt)
    one, other = refused(folder)
    assert {one.code, other.code} == {"E-RANGE"}
    assert 'row 5001 "77"' in one.what.en
    assert "row group 2" in one.what.en
    assert "column sat2" in other.where


@pytest.mark.parametrize("bad", [None, 0.0, -1.0, float("nan")])
def test_weights_that_are_none_are_told(folder, answers, bad):
    at = pl.int_range(pl.len())
    write(folder, answers.with_columns(weight=pl.when(at == 3001).then(pl.lit(bad)).otherwise("weight")))
    (found,) = refused(folder)
    assert found.code == "E-WEIGHT"
    assert "row 3002" in found.what.en


def test_unknown_brands_and_blank_waves_are_told(folder, answers):
    at = pl.int_range(pl.len())
    write(
        folder,
        answers.with_columns(
            operator=pl.when(at == 7).then(pl.lit("QQ")).otherwise("operator"),
            quarter=pl.when(at == 9).then(None).otherwise("quarter"),
        ),
    )
    found = refused(folder)
    assert {p.code for p in found} == {"E-BRAND", "E-KEY"}
    assert any('"QQ"' in p.what.en for p in found)
    assert any("rows 10" in p.what.en for p in found)


def test_absent_columns_and_other_kinds_are_told_at_once(folder, answers):
    write(folder, answers.drop("sat1", "weight").with_columns(sat2=pl.lit("2026-01-01").str.to_date()))
    found = refused(folder)
    assert [p.code for p in found].count("E-COLUMN") == 2
    assert [p.code for p in found].count("E-TYPE") == 1


def test_a_damaged_row_group_is_named(folder):
    path = folder / "panel.parquet"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = b"\xff" * 400
    path.write_bytes(content)
    found = refused(folder)
    assert {p.code for p in found} == {"E-FILE"}
    assert "row group 3" in found[0].where
    assert "column" in found[0].where


def test_damaged_weights_are_told_too(folder):
    """The weights are read by a query of their own."""
    path = folder / "panel.parquet"
    content = bytearray(path.read_bytes())
    content[4 : 4 + len(content) // 2] = b"\xff" * (len(content) // 2)
    path.write_bytes(content)
    assert {p.code for p in refused(folder)} == {"E-FILE"}


def test_a_file_cut_short_is_told(folder):
    path = folder / "panel.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    (found,) = refused(folder)
    assert found.code == "E-FILE"


def test_a_file_that_changes_while_it_is_read_is_told(folder):
    study = csi.Study.read(folder / "study.yaml")
    file = streamed(study).rows.files[0]
    stream = batches(file, ["sat1"], {})
    next(stream)
    os.utime(file.path, ns=(1, 1))
    with pytest.raises(csi.Problems, match="changed while it was read"):
        list(stream)


def test_rules_that_need_rows_and_mixed_sources_are_refused(folder):
    path = folder / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("straight_lining: flag", "straight_lining: drop"), encoding="utf-8")
    (found,) = refused(folder)
    assert (found.code, found.where) == ("E-STREAM", "rules: straight_lining")
    path.write_text(text.replace("duplicates: stop", "duplicates: first"), encoding="utf-8")
    (found,) = refused(folder)
    assert (found.where, found.say("en").split("hold. ")[1].split(",")[0]) == (
        "rules: duplicates",
        "Write stop instead",
    )
    path.write_text(text.replace("stream: yes}", "stream: yes}\n  - {file: panel.parquet}"), encoding="utf-8")
    with pytest.raises(csi.Problems, match="do not mix"):
        csi.Study.read(path)
    path.write_text(text.replace("stream: yes", "spark: a.b"), encoding="utf-8")
    with pytest.raises(csi.Problems, match="a file or a spark table"):
        csi.Study.read(path)


def test_weights_that_are_made_need_rows(folder):
    study = csi.Study.read(folder / "study.yaml")
    with pytest.raises(csi.Problems) as caught:
        streamed(replace(study, weighing=WeighPlan({"segment": {"a": 1.0}})))
    assert [(p.code, p.where) for p in caught.value.problems] == [("E-STREAM", "weights")]


def test_row_groups_are_counted_from_the_end_of_the_file(folder, answers):
    assert row_groups(folder / "panel.parquet") == [3000] * 4 + [answers.height - 12_000]
    assert row_groups(folder / "study.yaml") == []


@pytest.mark.parametrize("held", [1 << 24, 4000])
def test_respondents_who_answer_twice_in_a_wave_are_told(folder, answers, monkeypatch, held):
    monkeypatch.setattr("csi.moments.stream_files.HELD", held)
    write(folder, pl.concat([answers, answers[[7, 7, 14_000]]]))
    (found,) = refused(folder)
    assert found.code == "E-DUPLICATE"
    n = answers.height
    lines = [f"(rows 8, {n + 1}, {n + 2})", f"(rows 14001, {n + 3})"]
    assert sum(line in found.what.en for line in lines) == (2 if held > n else found.what.en.count("(rows "))
    assert "more than once in a wave (respondent / brand / wave)" in found.what.en


def test_questions_that_were_not_asked_are_counted(folder, answers):
    path = folder / "codebook.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("refused", "not_asked"), encoding="utf-8")
    study = csi.Study.read(folder / "study.yaml")
    codes = [float(c) for c, why in study.codebook["sat1"].scale.missing.items() if why == "not_asked"]
    write(folder, answers.with_columns(sat1=pl.when(pl.int_range(pl.len()) < 9).then(codes[0]).otherwise("sat1")))
    have = int(answers["sat1"][9:].cast(pl.Float64).is_in(codes).sum()) + 9
    (told,) = (n for n in streamed(study).moments(["sat1"], ["brand"]).notes if n.code == "N-NOT-ASKED")
    assert f"sat1 ({have} rows)" in told.text.en


@pytest.mark.parametrize(
    "asked", [["--errors", "linearised"], ["--bootstrap", "200"], ["--interval", "bca"], ["--shrunken"]]
)
def test_what_a_stream_cannot_give_is_refused_by_its_name(folder, capsys, asked):
    assert main(["index", str(folder / "study.yaml"), "--lang", "en", *asked]) != 0
    said = "".join(capsys.readouterr())
    assert " ".join(asked) in said
    assert "needs rows" in said


def test_large_files_that_are_read_whole_are_told(folder):
    study = csi.Study.read(folder / "study.yaml")
    whole = [replace(f, stream=False) for f in study.data]
    size = whole[0].path.stat().st_size
    assert [n.code for n in large_notes(whole, 10 * size)] == ["N-STREAM-LARGE"]
    assert not [*large_notes(whole, 100 * size), *large_notes(study.data, size)]
