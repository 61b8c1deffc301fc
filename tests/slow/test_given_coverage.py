"""The committed table of models conditional on predictors meets its gates; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "given_coverage.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "given_coverage.csv")
    assert table["samples"].unique().to_list() == [study.SAMPLES]
    assert table["usable"].min() == study.SAMPLES
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(se_ratio=pl.lit(0.85)))) == table.height
    assert study.failures(table.with_columns(at_5=pl.lit(0.08))) == ["rejects 0.080 at .05"]


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "given_coverage.csv")
    assert study.failures(made) == []
    assert (made["coverage"] - saved["coverage"]).abs().max() < 1e-3
