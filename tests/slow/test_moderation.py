"""The committed table of the moderation study meets its gates; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "moderation.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "moderation.csv")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert table["kind"].unique(maintain_order=True).to_list() == ["path", "slope", "indirect", "index"]
    assert study.failures(table) == []
    loose = table.with_columns(coverage=pl.lit(0.9))
    assert len(study.failures(loose)) == loose.filter(pl.col("kind").is_in(study.GATED)).height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "moderation.csv")
    assert made["name"].to_list() == saved["name"].to_list()
    assert study.failures(made) == []
    assert (made["coverage"] - saved["coverage"]).abs().max() < 0.002
