"""The committed table of pooled measures meets its gate; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "pooled_coverage.py"


def test_the_committed_table_meets_the_gate(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "pooled_coverage.csv")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert table["kind"].unique(maintain_order=True).to_list() == ["direct", "total", "indirect", "r2", "htmt", "f2"]
    assert study.failures(table) == []
    low = table.with_columns(coverage=pl.lit(0.8))
    assert len(study.failures(low)) == low.filter(pl.col("kind").is_in(study.GATED)).height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "pooled_coverage.csv")
    assert study.failures(made) == []
    assert (made["coverage"] - saved["coverage"]).abs().max() < 0.01
