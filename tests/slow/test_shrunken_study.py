"""The committed table of shrunken values meets its gates; the slow test makes a part of it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "shrunken_study.py"


def test_the_committed_table_meets_the_gate(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "shrunken_study.csv")
    assert table.height == len(study.CELLS) * len(study.RATIOS) * 2
    assert set(table["draws"]) == {study.DRAWS}
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(mse_ratio=pl.lit(0.8)))) == table.height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(0.25), pl.read_csv(HERE / "shrunken_study.csv")
    assert study.failures(made) == []
    assert (made["error_ratio"] - saved["error_ratio"]).abs().max() < 0.06
