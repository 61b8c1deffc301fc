"""The committed table of what levers go with meets its gates; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "levers_coverage.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "levers_coverage.csv")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert set(table["kind"]) == set(study.GATED)
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(coverage=pl.lit(0.8)))) == table.height
    assert len(study.failures(table.with_columns(se_ratio=pl.lit(0.8)))) == table.height


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Every gate is met" in made_again
