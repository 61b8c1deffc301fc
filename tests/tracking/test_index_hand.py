"""Formulas on numbers small enough to check by hand."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from csi.measures.performance import hundred, relative_weights
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of
from csi.tracking.index_influence import Strata, fixed_part, lonely
from csi.tracking.index_variance import cell_degrees, contrast_degrees, degrees, kish_n, replicate_sd
from csi.tracking.index_weights import default_rule, groups_of
from csi.tracking.waves import reference_wave, wave_order

ONE_BLOCK = np.array([0, 0])


def test_weights_are_divided_by_the_standard_deviation_and_scaled_to_one():
    # w = (.6 / 2, .5 / 1) = (.3, .5); a = (.375, .625)
    a = relative_weights(np.array([0.6, 0.5]), np.array([2.0, 1.0]), np.array([9.0, 9.0]), ONE_BLOCK, 1)
    np.testing.assert_allclose(a, [0.375, 0.625], rtol=1e-14)


def test_unequal_ranges_enter_the_relative_weights():
    # w = (.3, .5), ranges (9, 4): w r = (2.7, 2.0); I = 100 sum w (x - l) / sum w (u - l)
    a = relative_weights(np.array([0.6, 0.5]), np.array([2.0, 1.0]), np.array([9.0, 4.0]), ONE_BLOCK, 1)
    np.testing.assert_allclose(a, [2.7 / 4.7, 2.0 / 4.7], rtol=1e-14)
    mean, low, high = np.array([7.0, 4.0]), np.array([1.0, 1.0]), np.array([10.0, 5.0])
    fornell = 100 * (0.3 * 6 + 0.5 * 3) / (0.3 * 9 + 0.5 * 4)
    assert float(a @ hundred(mean, low, high)) == pytest.approx(fornell, rel=1e-14)


def test_two_constructs_are_normalised_apart():
    a = relative_weights(np.ones(3), np.ones(3), np.full(3, 9.0), np.array([0, 1, 1]), 2)
    assert a.tolist() == [1.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("brands", "waves", "rule"),
    [(["A"], ["1"], "own"), (["A", "B"], ["1", "1"], "wave"), (["A", "A"], ["1", "2"], "base")],
)
def test_default_rule(brands, waves, rule):
    assert default_rule(pl.DataFrame({"brand": brands, "wave": waves})) == rule


CELLS = pl.DataFrame({"brand": ["A", "A", "B", "B"], "wave": ["1", "2", "1", "2"], "n": [5, 5, 5, 5]})


@pytest.mark.parametrize(
    ("rule", "of_estimate", "of_index"),
    [
        ("own", [0, 1, 2, 3], [0, 1, 2, 3]),
        ("entity", [0, 0, 1, 1], [0, 0, 1, 1]),
        ("wave", [0, 1, 0, 1], [0, 1, 0, 1]),
        ("base", [-1, 0, -1, 0], [0, 0, 0, 0]),
        ("pooled", [0, 0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_groups(rule, of_estimate, of_index):
    groups = groups_of(rule, CELLS, CELLS, "2")
    assert groups.of_estimate.tolist() == of_estimate
    assert groups.of_index.tolist() == of_index


def test_kish():
    # d = 1, 1, 2 scaled to mean 1: (sum d)^2 / sum d^2 = 16 / 6
    frame = pl.DataFrame({"q": [1, 2, 3], "d": [1.0, 1.0, 2.0]})
    assert kish_n(moments_of(sample_of(frame, ["q"], weight="d")))[0] == pytest.approx(16 / 6, rel=1e-6)


def variance(frame, items=("q",), **design):
    sample = sample_of(frame, list(items), scale=(0, 100), **design)
    gradient = np.full((sample.cells.height, len(items)), 1.0 / len(items))
    part = fixed_part(sample, np.arange(len(items)), gradient, lonely(sample))
    return part.covariance(Strata.of(sample.stratum), np.arange(sample.cells.height))


def test_simple_random_sample():
    x = [10.0, 20.0, 60.0, 30.0]
    assert variance(pl.DataFrame({"q": x}))[0, 0] == pytest.approx(np.var(x, ddof=1) / 4, rel=1e-12)


def test_weighted_ratio_mean():
    # mean = (10 + 20 + 2 * 60) / 4 = 37.5; z = d (x - mean) / 4; var = 3 / 2 * sum z^2 (sum z = 0)
    z = np.array([10 - 37.5, 20 - 37.5, 2 * (60 - 37.5)]) / 4
    frame = pl.DataFrame({"q": [10, 20, 60], "d": [1.0, 1.0, 2.0]})
    assert variance(frame, weight="d")[0, 0] == pytest.approx(1.5 * (z**2).sum(), rel=1e-5)


def test_clusters_are_the_units():
    # cluster totals of (x - 30) / 4: (-20 - 10) / 4 and (30 + 0) / 4 -> var = 2 / 1 * (7.5^2 + 7.5^2)
    frame = pl.DataFrame({"q": [10.0, 20.0, 60.0, 30.0], "c": ["u", "u", "v", "v"]})
    assert variance(frame, unit="c")[0, 0] == pytest.approx(225.0, rel=1e-12)


def test_strata_take_their_differences_out():
    # two strata of two: within-stratum deviations +-5 and +-15 -> z = +-5/4, +-15/4, factor 2
    frame = pl.DataFrame({"q": [10.0, 20.0, 30.0, 60.0], "s": ["a", "a", "b", "b"]})
    expected = 2 * (2 * (5 / 4) ** 2 + 2 * (15 / 4) ** 2)
    assert variance(frame, stratum="s")[0, 0] == pytest.approx(expected, rel=1e-12)


def test_common_respondents_give_a_covariance():
    # the same three respondents in two waves: the covariance of their answers over n
    one, two = [10.0, 20.0, 60.0], [20.0, 10.0, 90.0]
    frame = pl.DataFrame({"q": one + two, "wave": ["1"] * 3 + ["2"] * 3, "id": ["a", "b", "c"] * 2})
    V = variance(frame, by=["wave"], unit="id")
    np.testing.assert_allclose(V, np.cov(one, two) / 3, rtol=1e-12)


def test_separate_respondents_give_none():
    frame = pl.DataFrame({"q": [10.0, 20.0, 60.0, 5.0], "wave": ["1", "1", "2", "2"]})
    assert variance(frame, by=["wave"])[0, 1] == 0.0


def test_one_respondent_has_no_variance():
    frame = pl.DataFrame({"q": [10.0, 20.0, 60.0], "wave": ["1", "2", "2"]})
    V = variance(frame, by=["wave"])
    assert np.isnan(V[0]).all()
    assert V[1, 1] > 0


def test_degrees_are_units_minus_strata():
    frame = pl.DataFrame({"q": [1, 2, 3, 4, 5, 6], "u": list("aabbcd"), "s": list("xxxxyy"), "wave": list("111222")})
    sample = sample_of(frame, ["q"], ["wave"], unit="u", stratum="s")
    assert degrees(sample, np.array([0])) == 1  # units a, b in stratum x
    assert degrees(sample, np.array([1])) == 1  # units b, c, d in strata x, y
    assert degrees(sample, np.array([0, 1])) == 2  # units a, b, c, d
    assert cell_degrees(sample).tolist() == [1, 1]
    assert contrast_degrees(sample, sparse.csr_matrix([[1.0, 0.0], [1.0, -1.0]])).tolist() == [1, 2]


def test_degrees_of_separate_cells_add_up():
    frame = pl.DataFrame({"q": [1, 2, 3, 4, 5, 6], "wave": list("111222")})
    sample = sample_of(frame, ["q"], ["wave"])
    assert contrast_degrees(sample, sparse.csr_matrix([[1.0, -1.0]])).tolist() == [degrees(sample, np.array([0, 1]))]


def test_replicate_sd_leaves_unusable_ones_out():
    assert replicate_sd(np.array([1.0, 2.0, np.nan, 6.0])) == pytest.approx(np.std([1, 2, 6], ddof=1))


def test_wave_order_follows_every_brand():
    frame = pl.DataFrame({"brand": ["A", "B", "B", "B"], "wave": ["3", "10", "2", "3"]})
    assert wave_order(frame) == ("10", "2", "3")


def test_wave_order_is_alphabetical_where_nothing_decides():
    frame = pl.DataFrame({"brand": ["A", "A", "B", "B"], "wave": ["3", "4", "1", "2"]})
    assert wave_order(frame) == ("1", "2", "3", "4")


def test_reference_waves():
    waves = ["a", "b", "c", "d", "e"]
    assert reference_wave("e", "previous", waves, 4) == "d"
    assert reference_wave("e", "year", waves, 4) == "a"
    assert reference_wave("d", "year", waves, 4) is None
