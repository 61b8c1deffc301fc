"""The committed table of MICOM and alignment in the gate meets its gates; the slow test makes a part of it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "gate_evidence.py"


def test_the_committed_table_meets_the_gate(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "gate_evidence.csv")
    assert table["planted"].to_list() == [c.name for c in study.CONDITIONS]
    assert table["panels"].to_list() == [c.panels for c in study.CONDITIONS]
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(rejected=pl.lit(0.2)))) == 2


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(0.1), pl.read_csv(HERE / "gate_evidence.csv")
    assert study.failures(made) == []
    assert (made["rejected"] - saved["rejected"]).abs().max() < 0.3
