"""The committed table of products with absent answers meets its gate; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "products_missing.py"


def test_the_committed_table_meets_the_gate(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "products_missing.csv")
    assert table["panels"].unique().to_list() == [study.PANELS]
    assert table["unsolved"].sum() == 0
    assert study.failures(table) == []
    off = table.with_columns(mean=pl.col("mean") - 0.05)
    assert len(study.failures(off)) == len(study.KINDS)


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "products_missing.csv")
    assert study.failures(made) == []
    assert (made["mean"] - saved["mean"]).abs().max() < 1e-4
