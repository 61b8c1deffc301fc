"""The committed tables of shares and contrasts meet their gates; the slow test makes them again."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import polars as pl
import pytest

STUDY = "shares_coverage.py"


def test_the_committed_tables_meet_the_gates(study: ModuleType) -> None:
    covered, nulls = cal.read("shares_coverage"), cal.read("shares_nulls")
    assert covered["panels"].unique().to_list() == [study.PANELS]
    assert set(covered.filter(gate="coverage")["kind"]) == set(study.GATED)
    assert study.failures(covered, nulls) == []
    low = covered.with_columns(coverage=pl.lit(0.8))
    assert len(cal.missed(low)) == covered.filter(gate="coverage").height
    wild = nulls.with_columns(at_5=pl.lit(0.2))
    assert len(cal.missed(None, wild)) == nulls.filter(pl.col("gate") != "tabled").height


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Every gate is met" in made_again
