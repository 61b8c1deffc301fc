"""The committed table of the null study meets its gates; the slow test makes it again."""

from pathlib import Path

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "groups_null.py"


@pytest.fixture(scope="module")
def table():
    return pl.read_csv(HERE / "groups_null.csv")


def test_the_committed_table_is_complete_and_meets_the_gates(study, table):
    assert table["panels"].unique().to_list() == [study.PANELS]
    for design in study.DESIGNS:
        rows = table.filter(design=design)
        expected = set(study.p_values(design, 1))
        assert set(rows["test"]) == expected
        assert {study.kind_of(t) for t in expected} == {"permutation", "asymptotic", "tabled"}
    assert study.failures(table) == []
    assert (HERE / "groups_null.md").read_text(encoding="utf-8") == study.page(table)


def test_a_gate_that_is_missed_is_named(study, table):
    loose = table.with_columns(at_5=pl.lit(0.08))
    gated = [t for t in table["test"] if study.kind_of(t) != "tabled"]
    assert len(study.failures(loose)) == len(gated)
    shy = table.with_columns(at_5=pl.lit(0.02))
    assert len(study.failures(shy)) == len([t for t in gated if study.kind_of(t) == "asymptotic"])


@pytest.mark.slow
def test_null_study(made_again):
    assert made_again
