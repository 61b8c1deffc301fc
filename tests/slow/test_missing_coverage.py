"""The committed table of absent answers meets the gates; the slow test makes it again."""

from pathlib import Path

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "missing_coverage.py"


@pytest.fixture(scope="module")
def table():
    return pl.read_csv(HERE / "missing_coverage.csv")


def test_the_committed_table_is_complete_and_meets_the_gates(study, table):
    assert table["method"].unique(maintain_order=True).to_list() == list(study.METHODS)
    assert study.failures(table) == []


def test_a_gate_that_is_missed_is_named(study, table):
    assert len(study.failures(table.with_columns(coverage=pl.lit(0.9)))) == 10
    assert len(study.failures(table.with_columns(se_ratio=pl.lit(1.2)))) == 5


def test_listwise_indices_are_of_other_respondents(table):
    bias = table.filter(quantity="index sat").select("method", pl.col("bias_in_sd").abs())
    told = dict(bias.iter_rows())
    assert told["listwise"] > 2
    assert told["EM"] < 0.1
    assert told["imputation"] < 0.15


def test_panels_are_the_same_everywhere(study):
    frame = study.panel(7)
    assert frame.select("q1", "q2", "q3", "s1", "l1").null_count().sum_horizontal().item() == 0
    assert 0.2 < frame["s2"].null_count() / frame.height < 0.5


@pytest.mark.slow
def test_coverage_where_answers_are_absent(made_again):
    assert made_again
