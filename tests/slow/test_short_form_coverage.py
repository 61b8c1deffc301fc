"""The committed table of shorter forms meets its gates; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "short_form_coverage.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "short_form_coverage.csv")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(se_ratio=pl.lit(0.8)))) == 4
    assert len(study.failures(table.with_columns(coverage=pl.lit(0.88)))) == 4
    flattered = table.filter(kind="chosen form")["bias"]
    assert (flattered > 0).all()
    assert len(study.failures(table.with_columns(bias=pl.lit(0.02)))) == 4


@pytest.mark.slow
def test_the_study_again(made_again: str) -> None:
    assert "Shorter forms of a scale" in made_again
