"""The committed table of tests of differential item functioning meets its gates; the slow test makes it again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "dif_null.py"


def test_the_committed_table_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "dif_null.csv")
    assert set(table.filter(gate="level")["panels"]) == {study.PANELS}
    assert (table["usable"] == table["panels"]).all()
    assert study.undisclosed(table) == {}
    off = table.with_columns(at_5=pl.when(pl.col("gate") == "level").then(0.09).otherwise("at_5"))
    assert len(study.undisclosed(off)) == table.filter(gate="level").height - len(study.DISCLOSED)
    power = table.filter(pl.col("study").str.contains("logits apart"))
    assert power.filter(test="logistic, uniform")["at_5"].item() > 0.8


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(100), pl.read_csv(HERE / "dif_null.csv")
    assert made["study"].to_list() == saved["study"].to_list()
    apart = (made["at_5"] - saved["at_5"]).abs() / (made["at_5_error"] ** 2 + saved["at_5_error"] ** 2).sqrt()
    assert apart.max() < 4
