"""The committed tables of every kind of interval meet the gates; the slow test makes them again."""

from pathlib import Path

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "inference_coverage.py"


@pytest.fixture(scope="module")
def committed(study):
    return tuple(pl.read_csv(HERE / f"{name}.csv") for name in study.NAMES)


def test_every_kind_is_in_the_tables(study, committed):
    covered, nulls, _ = committed
    paths = covered.filter(kind="path").group_by("study").agg(pl.col("interval").unique())
    found = {s: set(kinds) for s, kinds in paths.rows()}
    assert found["n = 250"] == {*study.ALONE, *study.NESTED}
    assert found["clusters"] == set(study.CLUSTERED)
    assert set(covered.filter(kind="index")["interval"]) == set(study.OF_INDEX)
    assert set(nulls.filter(study="n = 250")["interval"]) == {*study.ALONE, *study.NESTED}
    many = covered.filter(~pl.col("interval").is_in(study.NESTED), pl.col("study") != "n = 100")
    assert many["panels"].unique().to_list() == [study.PANELS]


def test_the_committed_tables_meet_the_gates(study, committed):
    assert study.failures(*committed) == []


def test_the_page_is_of_the_tables(study, committed):
    assert study.page(*committed) == (HERE / "inference_coverage.md").read_text(encoding="utf-8")


def test_a_gate_that_is_missed_is_named(study, committed):
    covered, nulls, joint = committed
    poor = covered.with_columns(coverage=pl.when(pl.col("kind") == "index").then(0.9).otherwise("coverage"))
    assert len(study.failures(poor, nulls, joint)) == poor.filter(kind="index", study="n = 250").height
    loose = nulls.with_columns(at_5=pl.lit(0.08))
    assert len(study.failures(covered, loose, joint)) == nulls.filter(pl.col("study") != "n = 100").height


@pytest.mark.slow
def test_inference_study(made_again):
    assert made_again
