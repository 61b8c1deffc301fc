"""The committed tables of recovery by item response models meet their gates; the slow test makes them again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "irt_recovery.py"


def test_the_committed_tables_meet_the_gates(study: ModuleType) -> None:
    covered, nulls = (pl.read_csv(HERE / f"{name}.csv") for name in ("irt_recovery", "irt_nulls"))
    assert set(zip(covered["model"], covered["n"], strict=True)) == set(study.DESIGNS)
    assert set(covered["panels"]) == set(nulls["panels"]) == {study.PANELS}
    assert (covered["usable"] == covered["panels"]).all()
    assert study.missed(covered, nulls).keys() == study.DISCLOSED.keys()
    assert covered["mean_difference"].abs().max() < 0.05
    off = covered.with_columns(coverage=pl.lit(0.9))
    assert len(study.missed(off, nulls)) >= covered.height


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    covered, nulls = study.study(60)
    saved = pl.read_csv(HERE / "irt_recovery.csv")
    assert (covered["coverage"] - saved["coverage"]).abs().max() < 0.06
    again = pl.read_csv(HERE / "irt_nulls.csv")
    assert (nulls["at_5"] - again["at_5"]).abs().max() < 0.12
