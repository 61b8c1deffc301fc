"""The committed tables of linearised errors meet their gates; the slow tests make them again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "tracked_panels.py"
TABLES = ("tracked_panels", "tracked_panels_tests", "tracked_panels_ranks")


def tables() -> list[pl.DataFrame]:
    return [pl.read_csv(HERE / f"{name}.csv") for name in TABLES]


def test_the_committed_tables_meet_their_gates(study: ModuleType) -> None:
    covered, tests, ranks = tables()
    assert covered["panels"].min() >= 1300
    assert study.failures(covered, tests, ranks) == []
    worse = covered.with_columns(coverage=pl.lit(0.8)), tests.with_columns(rate=pl.lit(0.2)), ranks
    assert len(study.failures(*worse[:2], ranks.with_columns(least=pl.lit(0.9)))) == covered.height + 3 + ranks.height


def test_the_population_knows_its_own_means(study: ModuleType) -> None:
    one = study.population()
    rows = one.panel(20_000, 5).group_by("brand", "wave", maintain_order=True).agg(pl.col(one.items).mean())
    found = rows.select(one.items).to_numpy().reshape(one.means.shape)
    assert abs(found - one.means).max() < 0.08


@pytest.mark.slow
def test_the_study_again(study: ModuleType) -> None:
    made = list(study.tables().values())
    assert study.failures(*made) == []
