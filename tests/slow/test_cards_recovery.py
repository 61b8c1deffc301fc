"""Every model card recovers its paths: 200 panels of each by PLS here, the committed table, and the study again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from csi.models.cards import card_names, read_card

HERE = Path(__file__).parent
STUDY = "cards_recovery.py"


@pytest.mark.parametrize("name", card_names())
def test_a_card_recovers_its_paths(study: ModuleType, name: str) -> None:
    table = study.recovery(read_card(name), "pls", panels=200, size=250)
    assert study.failures(table, panels=200) == []
    signed = table.filter(pl.col("sign") != "")
    assert ((signed["truth"] > 0) == (signed["sign"] == "+")).all()


def test_the_committed_table_is_of_every_card_and_meets_the_gates(study: ModuleType) -> None:
    table = pl.read_csv(HERE / "cards_recovery.csv")
    made = {(c, e) for c, e in table.select("card", "engine").unique().iter_rows()}
    assert made == {(name, engine) for name in card_names() for engine in read_card(name).engines}
    assert study.failures(table) == []
    assert len(study.failures(table.with_columns(bias=pl.lit(0.03)))) == table.height
    turned = table.with_columns(truth=-pl.col("truth"))
    assert len(study.failures(turned)) == table.filter(pl.col("sign").is_in(["+", "-"])).height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made, saved = study.study(), pl.read_csv(HERE / "cards_recovery.csv")
    assert study.failures(made) == []
    assert (made["mean"] - saved["mean"]).abs().max() < 1e-3
