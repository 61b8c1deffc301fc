"""The committed table of the test of exact fit with absent answers meets its gate; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "exact_fit_missing.py"


def test_the_committed_table_meets_the_gate(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "exact_fit_missing.csv")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert (table["tested"] == study.PANELS).all()
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(at_05=pl.lit(0.2)))) == table.height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "exact_fit_missing.csv")
    assert study.failures(made) == []
    assert (made["mean_p"] - saved["mean_p"]).abs().max() < 1e-3
