"""The committed table of models of time, events and words meets its gates; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "world_coverage.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "world_coverage.csv")
    assert table["panels"].max() == study.PANELS
    assert set(table["kind"]) == {"move", "peak-end", "reach", "complaint", "recovery", "intervention", "change",
                                  "emotion", "feedback", "programme", "bgnbd", "text"}  # fmt: skip
    assert study.missed(table) == []
    assert len(study.missed(table.with_columns(coverage=pl.lit(0.7)))) == table.height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "world_coverage.csv")
    assert study.missed(made) == []
    assert (made["mean"] - saved["mean"]).abs().max() < 1e-3
