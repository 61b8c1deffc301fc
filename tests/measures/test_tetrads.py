"""Confirmatory tetrad analysis: by hand, ranks, known populations, bad input."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.tetrads import cta, independent_tetrads, tetrad

FOUR = "A =~ a1 + a2 + a3 + a4; Y =~ y1 + y2; Y ~ A"


def panel(n=300, second=0.0, seed=1):
    rng = np.random.default_rng(seed)
    f, g = rng.standard_normal((2, n, 1))
    items = f + 0.7 * rng.standard_normal((n, 6))
    items[:, 2:4] += second * g
    return pl.DataFrame(items, schema=["a1", "a2", "a3", "a4", "y1", "y2"])


def test_a_tetrad_by_hand():
    R = np.array([[1, 0.5, 0.4, 0.3], [0.5, 1, 0.35, 0.25], [0.4, 0.35, 1, 0.2], [0.3, 0.25, 0.2, 1]])
    assert tetrad(R, (0, 1, 2, 3)) == pytest.approx(0.5 * 0.2 - 0.4 * 0.25)
    assert tetrad(R, (0, 1, 3, 2)) == pytest.approx(0.5 * 0.2 - 0.3 * 0.35)


@pytest.mark.parametrize("m", [4, 5, 6, 7, 9])
def test_the_chosen_tetrads_imply_the_others(m):
    """As many as the correlations have degrees of freedom, with independent gradients that span all the others'."""
    chosen = independent_tetrads(m)
    assert len(chosen) == m * (m - 3) // 2
    loadings = np.random.default_rng(m).uniform(0.3, 0.9, m)
    at = {pair: k for k, pair in enumerate(combinations(range(m), 2))}

    def gradient(which):
        out = np.zeros(len(at))
        for k, (i, j) in enumerate(at):
            moved = np.outer(loadings, loadings)
            moved[i, j] += 1e-6
            moved[j, i] += 1e-6
            out[k] = (tetrad(moved, which) - tetrad(np.outer(loadings, loadings), which)) / 1e-6
        return out

    G = np.array([gradient(which) for which in chosen])
    every = [q[:1] + r for q in combinations(range(m), 4) for r in ((q[1], q[2], q[3]), (q[1], q[3], q[2]))]
    assert np.linalg.matrix_rank(G, tol=1e-5) == len(chosen)
    assert np.linalg.matrix_rank(np.vstack([G, [gradient(w) for w in every]]), tol=1e-5) == len(chosen)


def test_values_and_errors_are_those_of_the_bootstrap():
    frame = panel()
    found = cta(csi.fit(FOUR, frame, csi.PLS()), n=2000, level=0.95)
    R = np.corrcoef(frame.select("a1", "a2", "a3", "a4").to_numpy().T)
    expected = [R[0, 1] * R[2, 3] - R[0, 2] * R[1, 3], R[0, 1] * R[3, 2] - R[0, 3] * R[1, 2]]
    np.testing.assert_allclose(found.table["value"], expected, atol=1e-12)
    rng, X = np.random.default_rng(0), frame.select("a1", "a2", "a3", "a4").to_numpy()
    draws = [tetrad(np.corrcoef(X[rng.integers(0, 300, 300)].T), (0, 1, 2, 3)) for _ in range(2000)]
    assert found.table["std_error"][0] == pytest.approx(np.std(draws), rel=0.08)
    width = found.table["conf_high"] - found.table["conf_low"]
    np.testing.assert_allclose(width / found.table["std_error"], 2 * 2.2414027276, rtol=1e-6)  # two tetrads, 95 %
    adjusted = np.minimum(2 * found.table["p_value"].to_numpy(), 1)
    np.testing.assert_allclose(found.table["p_adjusted"], adjusted)


def test_one_factor_stays_and_two_are_found():
    one, two = (cta(csi.fit(FOUR, panel(second=s), csi.PLS()), n=500, level=0.99) for s in (0.0, 1.0))
    assert one.constructs.filter(construct="A")["verdict"].item() == "pass"
    assert two.constructs.filter(construct="A")["verdict"].item() == "fail"
    assert "rejected (2 of 2" in two.sentences[0].en
    assert "单一公因子被拒绝" in text(two, "zh")
    assert one.constructs.filter(construct="Y")["reason"].item() == "few_items"
    assert "four items" in str(one)


def test_cells_and_seeds():
    frame = panel().with_columns(wave=pl.Series(["p", "q"] * 150))
    est = csi.fit(FOUR, frame, csi.PLS(), by="wave")
    one, again = cta(est, n=200, seed=4), cta(est, n=200, seed=4)
    assert one.table.equals(again.table)
    assert one.constructs.height == 4
    assert one.sentences[0].en.startswith("p: A")


def test_a_model_without_four_items_has_no_tetrads():
    found = cta(csi.fit("A =~ a1 + a2; Y =~ y1; Y ~ A", panel(), csi.PLS()), n=100)
    assert found.table.height == 0
    assert found.sentences == ()
    assert "four items" in str(found)


def test_bad_input():
    est = csi.fit(FOUR, panel(), csi.PLS())
    with pytest.raises(Problems) as told:
        cta(est, n=5, seed=-1, level=1.5)
    assert [p.code for p in told.value.problems] == ["E-BOOT", "E-SETTING", "E-SETTING"]
    with pytest.raises(Problems, match="needs the rows"):
        cta(csi.fit(FOUR, est.moments, csi.PLS()))
