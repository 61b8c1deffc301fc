"""The committed tables of the robustness study meet their gates; the slow tests make a part of them again."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.slow.robustness_study import BOOTED, PLANTED, SEGMENTS, SHAPES, SIZES, levels, placed, written

HERE = Path(__file__).parent


def table(name):
    return pl.read_csv(HERE / f"robustness_{name}.csv")


def test_permutation_tests_of_ceilings_never_reject_too_often():
    found = table("levels").filter(pl.col("check").str.starts_with("nca"))
    assert found.height == 12
    assert found["tests"].min() == 2000
    error = (found["alpha"] * (1 - found["alpha"]) / found["tests"]).sqrt()
    assert (found["rejected"] <= found["alpha"] + 3 * error).all()


def test_reset_keeps_its_level():
    found = table("levels").filter(pl.col("check").str.starts_with("reset"), alpha=0.05)
    assert found.height == 2
    assert found["rejected"].is_between(0.04, 0.065).all()


def test_bootstrapped_terms_keep_their_level():
    found = table("levels").filter(pl.col("check").str.ends_with("bootstrap"), alpha=0.05)
    assert found["tests"].to_list() == [2 * BOOTED] * 2
    assert found["rejected"].is_between(0.04, 0.065).all()


def test_copula_terms_bring_an_endogenous_path_back():
    found = table("copulas")
    assert set(found.select("shape", "n").rows()) == {(s, n) for s in SHAPES for n in SIZES}
    assert found["panels"].unique().to_list() == [PLANTED]
    clear = found.filter(pl.col("overlap") < 0.95)
    assert ((clear["with_term"] - clear["truth"]).abs() < 0.04).all()
    assert (clear["without"] > 0.7).all()
    assert clear.filter(n=1000)["power"].min() > 0.99
    alike = found.filter(pl.col("overlap") > 0.98)
    assert alike["power"].max() < 0.2  # what the checks call near normal is of no use


def test_the_number_of_segments_is_found():
    found = table("segments")
    assert set(found["segments"]) == set(SEGMENTS)
    assert found.filter(what="number recommended")["share"].min() >= 0.9
    assert found.filter(pl.col("what").str.starts_with("rows placed"))["share"].min() > 0.7


def test_the_page_is_that_of_the_tables():
    assert (HERE / "robustness.md").read_text("utf-8") == written()


def test_placing_is_counted_under_the_best_naming():
    assert placed(np.array([2, 2, 1, 1]), np.array([0, 0, 1, 1])) == 1.0


@pytest.mark.slow
def test_a_part_of_the_levels_comes_out_again():
    again = levels(60, 10).filter(pl.col("check").str.starts_with("nca"), alpha=0.10)
    assert again["rejected"].max() < 0.10 + 4 * np.sqrt(0.09 / 60)
