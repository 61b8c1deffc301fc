"""The committed table of linearised and refitted standard errors meets its gate; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "linearised_refits.py"


def test_the_committed_table_meets_its_gate(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "linearised_refits.csv")
    assert table["rule"].unique(maintain_order=True).to_list() == list(study.RULES)
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(mean_deviation=pl.lit(0.06)))) == 6
    fixed = table.filter(rule="own", quantity="weights held fixed")["mean_deviation"][0]
    assert fixed > 3 * table.filter(rule="own", quantity="index")["mean_deviation"][0]


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    assert study.failures(study.study()) == []
