"""The committed tables meet the gates; the slow test makes them again."""

from pathlib import Path

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "coverage.py"


def test_the_committed_tables_are_complete_and_meet_the_gates(study):
    covered, changed = (pl.read_csv(HERE / name) for name in ("coverage.csv", "changes.csv"))
    assert covered["panels"].unique().to_list() == [study.PANELS]
    assert changed["panels"].unique().to_list() == [study.PANELS]
    assert covered.filter(pl.col("kind") == "path").height == 2 * len(study.stated()[1].paths)
    assert covered.filter(pl.col("kind") == "index").height == 2 * len(study.stated()[1].constructs)
    assert study.failures(covered, changed) == []


def test_a_gate_that_is_missed_is_named(study):
    covered, changed = (pl.read_csv(HERE / name) for name in ("coverage.csv", "changes.csv"))
    poor = covered.with_columns(coverage=pl.when(pl.col("kind") == "index").then(0.9).otherwise("coverage"))
    assert len(study.failures(poor, changed)) == 2 * len(study.stated()[1].constructs)
    loose = changed.with_columns(at_5=pl.lit(0.08))
    assert len(study.failures(covered, loose)) == 5  # the family, and satisfaction and all constructs against two waves


@pytest.mark.slow
def test_coverage_and_change_studies(made_again):
    assert made_again
