"""The committed table of what a quadrant's share of draws is worth meets its gates; the slow test makes it again."""

from __future__ import annotations

from types import ModuleType

import calibration as cal
import polars as pl
import pytest

STUDY = "quadrants_calibration.py"


def test_the_committed_table_meets_its_gates(study: ModuleType) -> None:
    table = cal.read("quadrants_calibration")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(right=pl.lit(0.2)))) == table.height


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Every gate is met" in made_again
