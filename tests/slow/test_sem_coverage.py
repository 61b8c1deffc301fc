"""The committed tables of covariance models meet the gates; the slow test makes them again."""

from pathlib import Path

import polars as pl
import pytest

HERE = Path(__file__).parent
STUDY = "sem_coverage.py"


@pytest.fixture(scope="module")
def tables():
    return pl.read_csv(HERE / "sem_coverage.csv"), pl.read_csv(HERE / "sem_tests.csv")


def test_the_committed_tables_are_complete_and_meet_the_gates(study, tables):
    rows, tests = tables
    assert tests.select("study", "n", "samples").rows() == [(s.name, s.n, s.samples) for s in study.STUDIES]
    assert rows["study"].unique(maintain_order=True).to_list() == [s.name for s in study.STUDIES]
    assert set(rows.group_by("study").len()["len"]) == {16, 17}  # paths, loadings, standardised paths, perhaps a mean
    assert study.failures(rows, tests) == []


def test_a_gate_that_is_missed_is_named(study, tables):
    rows, tests = tables
    narrow = rows.with_columns(se_ratio=pl.when(kind="path").then(0.85).otherwise("se_ratio"))
    assert len(study.failures(narrow, tests)) == 4 * sum(s.ratio is not None for s in study.STUDIES)
    uncovered = rows.with_columns(coverage=pl.lit(0.9))
    assert len(study.failures(uncovered, tests)) == 3 * 16
    assert len(study.failures(rows, tests.with_columns(at_5=pl.lit(0.09)))) == sum(
        s.level is not None for s in study.STUDIES
    )
    assert len(study.failures(rows, tests.with_columns(usable=pl.lit(900)))) == len(study.STUDIES)


def test_the_recommended_test_of_exact_fit_holds_its_level(study):
    exact = pl.read_csv(HERE / "sem_eigenvalues.csv")
    assert exact.select("study", "n", "samples").unique(maintain_order=True).rows() == [
        (s.name, s.n, s.samples) for s in study.EXACT
    ]
    assert study.exact_failures(exact) == []
    assert len(study.exact_failures(exact.with_columns(at_5=pl.lit(0.07)))) == len(study.EXACT)
    assert "Missed: pEBA4" in study.page(
        *(pl.read_csv(HERE / f"sem_{n}.csv") for n in ("coverage", "tests")), exact.with_columns(at_5=pl.lit(0.07))
    )


def test_normal_theory_errors_are_too_small_where_tails_are_heavy(tables):
    rows, tests = tables
    assert rows.filter(study="ML, heavy tails")["se_ratio"].max() < 0.9
    assert tests.filter(study="ML, heavy tails")["at_5"].item() > 0.3


def test_listwise_is_biased_where_fiml_is_not(tables):
    bias = {r["study"]: r["bias"] / r["mc_sd"] for r in tables[0].filter(kind="mean").iter_rows(named=True)}
    assert bias["listwise, absent at random"] > 2
    assert abs(bias["FIML, absent at random"]) < 0.1


def test_the_population_is_standardised(study):
    _, _, sigma = study.population()
    assert sigma.diagonal() == pytest.approx([1.0] * 12)
    rows = study.drawn("mar", "any", 0, 2, 50)
    assert rows.shape == (2, 50, 12)
    assert 0.1 < (rows[:, :, 6:] != rows[:, :, 6:]).mean() < 0.4


@pytest.mark.slow
def test_coverage_of_covariance_models(made_again):
    assert made_again
