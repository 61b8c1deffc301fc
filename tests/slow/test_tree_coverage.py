"""The committed table of trees meets its gates; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "tree_coverage.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "tree_coverage.csv")
    assert table.filter(pl.col("missing") == "none")["panels"].unique().to_list() == [study.PANELS]
    assert table.filter(pl.col("missing") != "none")["panels"].unique().to_list() == [study.WITH_A_GAP]
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(se_ratio=pl.lit(0.85)))) == 7
    assert len(study.failures(table.with_columns(coverage=pl.lit(0.9)))) == 7 + 6
    assert len(study.failures(table.with_columns(coverage=pl.lit(0.975)))) == 7 + 6


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "tree_coverage.csv")
    assert study.failures(made) == []
    assert (made["coverage"] - saved["coverage"]).abs().max() < 1e-3
