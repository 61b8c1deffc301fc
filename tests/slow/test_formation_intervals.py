"""The committed table of what forms expectation meets its gate; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "formation_intervals.py"


def test_the_committed_table_meets_the_gate(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "formation_intervals.csv")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(coverage=pl.lit(0.8)))) == table.filter(gate="coverage").height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "formation_intervals.csv")
    assert study.failures(made) == []
    assert (made["coverage"] - saved["coverage"]).abs().max() < 0.02
