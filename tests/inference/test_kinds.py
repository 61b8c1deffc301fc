"""Every kind of interval: the p-value is its inversion, and other software or arithmetic agrees."""

import numpy as np
import pytest
from scipy import stats

from csi.inference.draws import acceleration, shares_at, standard_error
from csi.inference.intervals import Evidence, curve_of, limits, p_of

DRAWN = ("percentile", "basic", "bc", "bca", "studentised", "double")
KINDS = (*DRAWN, "normal", "t")
SIDES = ("two-sided", "greater", "less")


def evidence(draws, points, rng, ties=False):
    """Draws around points, with everything that the kinds ask for."""
    errors = rng.chisquare(20, size=draws.shape) / 20
    ranks = np.clip(rng.beta(0.8, 0.9, size=draws.shape), 0, 1)
    if ties:
        draws, ranks = np.round(draws), np.round(ranks * 50) / 50
    accelerations = rng.uniform(-0.25, 0.25, size=points.shape)
    return Evidence(points, standard_error(draws), draws, accelerations, errors, ranks, np.full(points.shape, 7.0))


@pytest.mark.parametrize("replicates", [100, 199, 201, 999])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_p_is_below_alpha_exactly_where_the_interval_excludes_zero(kind, ties, replicates):
    rng = np.random.default_rng(KINDS.index(kind))
    points = rng.normal(0, 2.0, size=2000)
    draws = points + rng.normal(size=(replicates, 2000))
    draws[rng.random(draws.shape) < 0.02 * (replicates < 201)] = np.nan
    curve = curve_of(kind, evidence(draws, points, rng, ties))
    for side in SIDES:
        p = p_of(curve, side)
        for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999):
            low, high = limits(curve, level, side)
            assert np.array_equal((low > 0) | (high < 0), p < 1 - level), (side, level)
        assert 0.01 < (p < 0.05).mean() < 0.99


@pytest.mark.parametrize("kind", DRAWN)
def test_draws_say_nothing_beyond_their_number(kind):
    rng = np.random.default_rng(0)
    points = np.full(3, 9.0)
    curve = curve_of(kind, evidence(points + rng.normal(size=(999, 3)), points, rng))
    assert p_of(curve).min() >= 2 / 1000
    assert p_of(curve, "greater").min() >= 1 / 1000
    low, _ = limits(curve, 1 - 1 / 1000)
    assert np.isneginf(low).all()  # a share of .0005 cannot be read off 999 draws


@pytest.mark.parametrize("kind", KINDS)
def test_limits_rise_with_the_level(kind):
    rng = np.random.default_rng(3)
    points = rng.normal(size=50)
    curve = curve_of(kind, evidence(points + rng.normal(size=(400, 50)), points, rng))
    shares = [curve.at(np.full(50, u)) for u in np.linspace(0.01, 0.99, 99)]
    assert (np.diff(shares, axis=0) >= -1e-12).all()


@pytest.mark.parametrize(("kind", "method"), [("percentile", "percentile"), ("basic", "basic"), ("bca", "BCa")])
@pytest.mark.parametrize(("side", "theirs"), [("two-sided", "two-sided"), ("greater", "greater"), ("less", "less")])
def test_scipy_agrees_on_the_same_draws(kind, method, side, theirs):
    """scipy.stats.bootstrap (BSD-3); its one-sided intervals are those of the opposite name's open side."""
    rng = np.random.default_rng(0)
    x = rng.exponential(size=60)
    draws = np.array([x[rng.integers(0, 60, 60)].mean() for _ in range(1999)])
    left = ((x.sum() - x) / 59)[:, None]
    known = Evidence(np.array([x.mean()]), standard_error(draws[:, None]), draws[:, None], acceleration(left))
    low, high = limits(curve_of(kind, known), 0.95, side)
    found = stats.bootstrap(
        (x,), np.mean, n_resamples=0, method=method, alternative=theirs, bootstrap_result=_Draws(draws)
    ).confidence_interval
    assert low[0] == pytest.approx(found.low, abs=1e-9)
    assert high[0] == pytest.approx(found.high, abs=1e-9)


class _Draws:
    def __init__(self, draws):
        self.bootstrap_distribution = draws


def test_normal_and_t_are_the_textbook_intervals():
    known = Evidence(np.array([2.0]), np.array([0.8]), np.empty((0, 1)), df=np.array([7.0]))
    low, high = limits(curve_of("normal", known), 0.9)
    assert (low[0], high[0]) == pytest.approx(stats.norm.interval(0.9, 2.0, 0.8), abs=1e-12)
    low, high = limits(curve_of("t", known), 0.9)
    assert (low[0], high[0]) == pytest.approx(stats.t.interval(0.9, 7, 2.0, 0.8), abs=1e-12)
    assert p_of(curve_of("t", known))[0] == pytest.approx(2 * stats.t.sf(2.5, 7), abs=1e-14)


def test_studentised_by_hand():
    """Five t* of -2 to 2: limits are the value less SE times the 1.5th and 4.5th (Davison & Hinkley 1997, 5.2)."""
    value, errors = np.array([10.0]), np.array([[1.0], [2.0], [1.0], [2.0], [0.5]])
    t = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    known = Evidence(value, np.array([3.0]), value + t * errors, errors=errors)
    low, high = limits(curve_of("studentised", known), 0.5)
    assert (low[0], high[0]) == pytest.approx((10 - 3 * 1.5, 10 + 3 * 1.5), abs=1e-12)


def test_double_by_hand():
    """Ranks .1, .3, .5, .7, .9 over draws 1 to 5: the 1.5th and 4.5th ranks, .2 and .8, are the shares to read."""
    draws, ranks = np.arange(1.0, 6.0)[:, None], np.array([[0.1], [0.3], [0.5], [0.7], [0.9]])
    known = Evidence(np.array([3.0]), np.array([1.0]), draws, ranks=ranks)
    low, high = limits(curve_of("double", known), 0.5)
    assert (low[0], high[0]) == pytest.approx((6 * 0.2, 6 * 0.8), abs=1e-12)


def test_shares_of_ties():
    low, high = shares_at(np.array([[0.0], [1.0], [1.0], [1.0], [2.0]]), np.array([1.0]))
    assert (low[0], high[0]) == pytest.approx((0.25, 0.75), abs=1e-9)
