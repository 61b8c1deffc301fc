"""Items that no row answers together have no correlation, however absent answers are treated."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.moments.expectation import em_moments

MODEL = "use =~ a + b\njoy =~ c + d\njoy ~ use"


def answers(n: int = 120) -> pl.DataFrame:
    rng = np.random.default_rng(11)
    common = rng.normal(size=n)
    made = pl.DataFrame({k: common + 0.6 * rng.normal(size=n) for k in "abcd"})
    return made.with_columns(g=pl.Series(["x", "y"] * (n // 2)))


def by_turns(frame: pl.DataFrame) -> pl.DataFrame:
    odd = pl.int_range(pl.len()) // 2 % 2 == 1
    return frame.with_columns(c=pl.when(odd).then("c"), d=pl.when(~odd).then("d"))


@pytest.mark.parametrize("missing", ["em", "pairwise"])
@pytest.mark.parametrize("kind", [csi.PLS, csi.SumScores, csi.GSCA])
def test_two_items_answered_by_turns_are_named(kind: type[csi.PLS], missing: str) -> None:
    with pytest.raises(csi.Problems) as raised:
        csi.fit(MODEL, by_turns(answers()), kind(missing=missing))  # type: ignore[arg-type]
    (found,) = raised.value.problems
    assert found.code == "E-PAIR"
    assert "c – d" in found.what.en
    assert "c – d" in found.what.zh


def test_a_cell_whose_items_are_answered_by_turns_sits_out() -> None:
    frame = answers()
    turns = by_turns(frame)
    here = pl.col("g") == "x"
    mixed = frame.with_columns(pl.when(here).then(turns[k]).otherwise(pl.col(k)).alias(k) for k in "cd")
    est = csi.fit(MODEL, mixed, csi.PLS(missing="em"), by="g")
    assert {s: why.code for s, why in est.convergence.reasons.items()} == {0: "R-PAIR"}
    alone = csi.fit(MODEL, frame.filter(g="y"), csi.PLS(missing="em"))
    np.testing.assert_allclose(est.values[1], alone.values[0], rtol=1e-12)


def test_only_weightings_that_leave_no_row_of_a_pair_lose_its_covariance() -> None:
    rows = by_turns(answers()).select("a", "b", "c", "d").to_numpy().copy()
    rows[0, 2:] = 0.3, 0.1
    weights = np.ones((2, len(rows)))
    weights[1, 0] = 0.0
    _, cov = em_moments(rows, weights)
    assert np.isfinite(cov[0]).all()
    assert np.argwhere(np.isnan(cov[1])).tolist() == [[2, 3], [3, 2]]


def test_moments_that_cannot_be_found_are_not_called_unanswered() -> None:
    frame = answers().head(4).with_columns(c=pl.Series([None, 0.4, 0.1, 0.9]))
    with pytest.raises(csi.Problems) as raised:
        csi.fit(MODEL, frame, csi.PLS(missing="em"))
    (found,) = raised.value.problems
    assert found.code == "E-FEW"
    assert "EM" in found.what.en


def test_means_in_place_of_pairs_never_answered_together_are_told() -> None:
    rng = np.random.default_rng(4)
    frame = pl.DataFrame(rng.normal(size=(60, 4)), schema=["a1", "a2", "b1", "b2"])
    first = pl.int_range(60) < 30
    apart = frame.with_columns(pl.when(first).then("a1").alias("a1"), pl.when(~first).then("a2").alias("a2"))
    model = "A =~ a1 + a2; B =~ b1 + b2; B ~ A"
    said = [n for n in csi.fit(model, apart, csi.PLS(missing="mean")).notes if n.code == "W-COVERAGE"]
    assert len(said) == 1
    assert "a1 and a2" in said[0].text.en
    assert "a1 与 a2" in said[0].text.zh
    some = frame.with_columns(pl.when(first).then("a1").alias("a1"))
    assert all(n.code != "W-COVERAGE" for n in csi.fit(model, some, csi.PLS(missing="mean")).notes)
