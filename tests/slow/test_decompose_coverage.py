"""The committed table of splits and links meets its gates; the slow test makes some of it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "decompose_coverage.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "decompose_coverage.csv")
    assert table.filter(gate="gated")["panels"].unique().to_list() == [study.PANELS]
    assert study.failures(table) == []
    gated = table.filter(gate="gated").height
    assert len(study.failures(table.with_columns(se_ratio=pl.lit(0.9)))) == gated
    assert len(study.failures(table.with_columns(coverage=pl.lit(0.9)))) == gated


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    saved = pl.read_csv(HERE / "decompose_coverage.csv")
    made = pl.DataFrame(study.part_rows("all", study.PARTS, study.PANELS))
    both = saved.join(made, on="quantity", suffix="_again")
    assert both.height == 4
    assert (both["coverage"] - both["coverage_again"]).abs().max() < 1e-3
