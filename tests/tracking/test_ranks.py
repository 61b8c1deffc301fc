"""Joint rank sets, how ranks vary by chance, and medals that wait until ranks are certain."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from csi.errors import Problems, Text
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.tracking.contrasts import joint_covariance
from csi.tracking.index import index
from csi.tracking.league import do_not_differ, medals, pairwise, runs
from csi.tracking.ranks import Joint, _ceilings, _largest, _lowered, apart, joint_of, rank_probabilities, rank_shares

BRANDS = ("A", "B", "C", "D")


def made_of(model, survey, shift, n=100):
    frame = survey(brands=BRANDS, waves=("w1",), shift=shift, n=n)
    return index(fit(model, frame, PLS(), by=["brand"], scale=(1, 10), unit="id"))


@pytest.fixture(scope="module")
def close(model, survey):
    return made_of(model, survey, 0.3)


def test_one_pair_is_the_two_sided_test():
    # of two brands the largest |t| is |t| itself: apart exactly where |t| > 1.96
    at = stats.norm.ppf(0.975) * 2**0.5
    for gap, found in ((1.03 * at, True), (0.97 * at, False)):
        assert apart(Joint(np.array([gap, 0.0]), np.eye(2), np.inf), 0.95)[0, 1] == found
    df = 10.0
    at = stats.t.ppf(0.975, df) * 2**0.5
    for gap, found in ((1.04 * at, True), (0.96 * at, False)):
        assert apart(Joint(np.array([gap, 0.0]), np.eye(2), df), 0.95)[0, 1] == found


def test_independent_brands_have_tukeys_quantile():
    # equal variances: the largest of all |t| is the studentised range over sqrt(2)
    k = 6
    at = stats.studentized_range.ppf(0.95, k, np.inf)
    values = np.zeros(k)
    for gap, found in ((1.03 * at, True), (0.97 * at, False)):
        values[0] = gap
        assert apart(Joint(values, np.eye(k), np.inf), 0.95)[0, 1:].all() == found
        assert apart(Joint(values, np.eye(k), np.inf), 0.95)[0, 1:].any() == found


def test_steps_go_on_while_they_find_more():
    # of twelve brands in three clusters the first step parts the clusters; a gap between the first quantile and that of
    # what is then open is found by the second
    joint = Joint(np.repeat([100.0, 50.0, 0.0], 4), np.eye(12), np.inf)
    z, errors = joint.drawn(20_000, 1).astype(np.float32), (1 / joint.errors).astype(np.float32)
    every = ~np.eye(12, dtype=bool)
    parted = joint.values[:, None] - joint.values > 10
    inverse = np.nan_to_num(errors)
    one, two = (np.quantile(_largest(z, inverse, pairs), 0.95) for pairs in (every, every & ~parted))
    assert two < one
    values = joint.values.copy()
    values[0] += 0.5 * (one + two) * 2**0.5
    found = apart(Joint(values, np.eye(12), np.inf), 0.95)
    assert found[0, 1:4].all()
    assert (found & parted).sum() == parted.sum()
    assert found.sum() == parted.sum() + 3


@pytest.mark.parametrize("shared", [0.0, 50.0])
def test_no_draw_lies_above_its_ceiling_and_the_tail_is_exact(shared):
    rng = np.random.default_rng(3)
    k, level = 25, 0.95
    loads = rng.normal(size=(k, 2))
    joint = Joint(np.zeros(k), np.diag(rng.uniform(0.1, 4.0, k)) + loads @ loads.T + shared, 40.0)
    z, inverse = joint.drawn(4_000, 1).astype(np.float32), np.nan_to_num(1 / joint.errors).astype(np.float32)
    open_ = rng.random((k, k)) < 0.7
    np.fill_diagonal(open_, val=False)
    whole, ceilings = _largest(z, inverse, open_), _ceilings(z, joint)
    assert (whole <= ceilings).all()
    found = _lowered(ceilings, z, inverse, open_, level)
    assert (found > whole).any()  # most draws were not looked at
    assert np.array_equal(np.sort(found)[-200:], np.sort(whole)[-200:])
    assert np.quantile(found, level) == np.quantile(whole, level)


def test_common_errors_do_not_matter():
    shared = Joint(np.array([3.0, 0.0]), np.eye(2) * 0.5 + 100.0, np.inf)
    assert apart(shared, 0.95)[0, 1]


def test_both_tests_give_sets_around_the_rank(close):
    for ranks in ("holm", "max-t"):
        league = pairwise(close, construct="Joy", ranks=ranks)
        assert (league.table["rank_low"] <= league.table["rank"]).all()
        assert (league.table["rank_high"] >= league.table["rank"]).all()
    assert "max-t" in league.notes[0].text.en
    with pytest.raises(Problems, match="max-t"):
        pairwise(close, construct="Joy", ranks="maxt")


def test_max_t_knows_errors_that_brands_share():
    # differences of brands whose errors are nearly one: Holm's 28 tests are held against .05 / 28, the largest t is not
    k = 8
    covariance = np.eye(k)
    covariance[1:, 1:] = 0.99 + 0.01 * np.eye(k - 1)
    values = np.zeros(k)
    values[0] = 3.08 * 2**0.5
    assert apart(Joint(values, covariance, np.inf), 0.95)[0, 1:].all()
    assert 2 * stats.norm.sf(3.08) * 28 > 0.05


def test_ranks_by_chance_add_up(close):
    found = rank_probabilities(close, construct="Joy")
    by_rank = found.ranks.pivot("rank", index="brand", values="probability").drop("brand").to_numpy()
    np.testing.assert_allclose(by_rank.sum(axis=0), 1)
    np.testing.assert_allclose(by_rank.sum(axis=1), 1)
    both = found.above.join(found.above, left_on=["brand", "other"], right_on=["other", "brand"])
    np.testing.assert_allclose(both["probability"] + both["probability_right"], 1)
    assert {n.code for n in found.notes} == {"N-RANK-DRAWS", "N-LINEARISED"}
    assert "would come first" in repr(found)


def test_the_probability_of_being_above_is_counted_too(close):
    """P(A > B) by formula agrees with draws, and the mean rank is 1 + the sum of being below."""
    found = rank_probabilities(close, construct="Joy")
    below = found.above.group_by("other", maintain_order=True).agg(pl.col("probability").sum())
    expected = dict(zip(below["other"], 1 + below["probability"], strict=True))
    for row in found.table.iter_rows(named=True):
        assert row["expected_rank"] == pytest.approx(expected[row["brand"]], abs=0.03)


def test_equal_brands_have_every_order_alike():
    share = rank_shares(Joint(np.zeros(3), np.eye(3), np.inf), 60_000, 2)
    np.testing.assert_allclose(share, 1 / 3, atol=0.01)


def test_replicates_serve_as_well(model, survey):
    frame = survey(brands=BRANDS, waves=("w1",), shift=0.3, n=100)
    boot = index(bootstrap(fit(model, frame, PLS(), by=["brand"], scale=(1, 10), unit="id"), n=300, seed=1))
    joint = joint_of(boot, 1, np.arange(4), joint_covariance(boot, 1, np.arange(4)), np.full(6, 99.0))
    np.testing.assert_allclose(joint.covariance, np.cov(boot.replicates[:, :, 1], rowvar=False))
    assert pairwise(boot, construct="Joy", ranks="max-t").table.height == 4


def test_a_brand_of_one_respondent_is_above_nobody(model, survey):
    frame = survey(brands=BRANDS, waves=("w1",), shift=2.0, n=80)
    tiny = pl.concat([frame, survey(n=1, brands=("Z",), waves=("w1",), seed=6)])
    made = index(fit(model, tiny, PLS(), by=["brand"], scale=(1, 10), unit="id"))
    table = pairwise(made, construct="Joy", ranks="max-t").table
    assert table.filter(brand="Z").select("rank_low", "rank_high").row(0) == (1, 5)
    assert "Z" not in rank_probabilities(made, construct="Joy").table["brand"]


def test_medals_wait_until_ranks_are_certain(model, survey, close):
    league = pairwise(made_of(model, survey, 2.0, n=150), construct="Joy")
    won = medals(league)
    assert won.select("medal", "brand").rows() == [("gold", "D"), ("silver", "C"), ("bronze", "B")]
    doubtful = pairwise(close, construct="Joy")
    with pytest.raises(Problems) as raised:
        medals(doubtful)
    assert raised.value.problems[0].code == "E-MEDALS"
    assert "rank 1–" in raised.value.problems[0].what.en
    first = doubtful.table["brand"][0]
    with pytest.raises(Problems) as raised:
        medals(doubtful, named={first: Text("Brand one", "品牌一")})
    assert "Brand one: rank" in raised.value.problems[0].what.en
    assert "品牌一：第" in raised.value.problems[0].what.zh
    said = rank_probabilities(close, construct="Joy", named={first: Text("Brand one", "品牌一")}).sentences[0]
    assert said.en.startswith("Brand one would come first")
    assert "品牌一在" in said.zh
    assert medals(doubtful, anyway=True).height == 3
    two = pairwise(close, construct="Joy", small=10**6)
    with pytest.raises(Problems, match="only 0 brands"):
        medals(two, anyway=True)


def test_runs_are_the_groups_where_order_decides():
    for gaps in permutations((0.5, 1.0, 1.5, 3.0)):
        values = np.cumsum([0.0, *gaps])
        differ = np.abs(values[:, None] - values) > 2.2
        assert runs(differ) == do_not_differ(differ)
    assert runs(np.zeros((0, 0), dtype=bool)) == []
