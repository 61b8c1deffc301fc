"""Bivariate normal corners, two-step correlations and their asymptotic covariance, from definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm

from csi.errors import Problems
from csi.moments.bivariate_normal import FAR, corners, density, density_slope, edges, rectangles
from csi.moments.bracket import maximum
from csi.moments.crosstabs import codes_of, margins, refilled, tables
from csi.moments.influence import gamma_of, influence, rows_of
from csi.moments.ordinal import ordinal_moments, polychoric_stack
from csi.moments.polychoric import correlations, cut_points
from csi.moments.polyserial import pearson, polyserial
from csi.moments.two_step import answers_of, two_step


def latent(n: int = 300, seed: int = 5) -> np.ndarray:
    """Three correlated normals."""
    cor = np.array([[1, 0.6, -0.4], [0.6, 1, 0.1], [-0.4, 0.1, 1]])
    return np.random.default_rng(seed).standard_normal((n, 3)) @ np.linalg.cholesky(cor).T


def mixed(n: int = 300, seed: int = 5) -> np.ndarray:
    """An item of four categories, one of three, one continuous."""
    y = latent(n, seed)
    return np.stack([np.digitize(y[:, 0], [-1, 0.2, 1]), np.digitize(y[:, 1], [-0.3, 0.9]), y[:, 2] * 2 + 5], axis=1)


@pytest.mark.parametrize("rho", [-0.9999, -0.97, -0.93, -0.92, -0.76, -0.3, 0.0, 0.29, 0.5, 0.74, 0.926, 0.99, 0.9999])
def test_corners_are_the_integral_of_the_conditional_distribution(rho):
    h, k = np.array([[-2.3, -0.4, 0.41]]), np.array([[-0.39, 1.7, 2.31]])
    found = corners(h, k, np.array([rho]))[0]
    root = np.sqrt(1 - rho**2)
    for i, a in enumerate(h[0]):
        for j, b in enumerate(k[0]):
            kinks = [point for point in (b / rho if rho else 9.0, -2.0, 0.0) if -9 < point < a]
            value = quad(
                lambda x, b=b: norm.pdf(x) * ndtr((b - rho * x) / root), -9, a, points=kinks, epsabs=1e-14, limit=200
            )
            assert found[i, j] == pytest.approx(value[0], abs=2e-13)


def test_corners_of_orthants_are_arcsines_to_the_last_digit():
    rho = np.array([-0.9999, -0.95, -0.5, 0.1, 0.3, 0.75, 0.925, 0.9251, 0.9999])
    zero = np.zeros((rho.size, 1))
    np.testing.assert_allclose(corners(zero, zero, rho)[:, 0, 0], 0.25 + np.arcsin(rho) / (2 * np.pi), atol=2e-16)


@pytest.mark.parametrize("rho", [-0.9999, -0.5, 0.5, 0.9999])
def test_far_limits_are_infinite(rho):
    h = np.array([[-FAR, 0.3, FAR]])
    one = np.array([rho])
    found = corners(h, h, one)[0]
    np.testing.assert_allclose(found[0], 0, atol=1e-15)
    np.testing.assert_allclose(found[2], [0, ndtr(0.3), 1], atol=1e-15)
    assert rectangles(h, h, one).sum() == pytest.approx(1, abs=1e-15)


def test_derivatives_of_corners_by_differences():
    h, k, rho, d = np.array([[-0.7, 0.4]]), np.array([[0.1, 1.2]]), np.array([0.55]), 1e-5
    by_rho = (corners(h, k, rho + d) - corners(h, k, rho - d)) / (2 * d)
    np.testing.assert_allclose(density(h, k, rho), by_rho, atol=1e-9)
    again = (density(h, k, rho + d) - density(h, k, rho - d)) / (2 * d)
    np.testing.assert_allclose(density_slope(h, k, rho, density(h, k, rho)), again, atol=1e-9)
    up, down = h.copy(), h.copy()
    up[0, 0] += d
    down[0, 0] -= d
    by_limit = (rectangles(up, k, rho) - rectangles(down, k, rho)) / (2 * d)
    np.testing.assert_allclose(edges(h, k, rho)[0, 0], by_limit[0, 0], atol=1e-9)
    np.testing.assert_allclose(-edges(h, k, rho)[0, 0], by_limit[0, 1], atol=1e-9)


def test_tables_count_rows_and_sparse_counting_agrees_with_one_weight():
    codes = codes_of(np.array([[1, 4], [2, 4], [2, 9], [np.nan, 9], [2, np.nan]]), [(1, 2), (4, 9)])
    pairs = np.array([0]), np.array([1])
    W = np.array([[1.0, 2, 3, 4, 5], [1, 0, 1, 0, 1]])
    assert tables(codes, W[:1], 2, pairs)[0, 0].tolist() == [[1, 0], [2, 3]]
    assert margins(codes, W[:1], 2)[0].tolist() == [[1, 10], [3, 7]]
    both = tables(codes, W, 2, pairs)
    assert both[0].tolist() == tables(codes, W[:1], 2, pairs)[0].tolist()
    assert both[1, 0].tolist() == [[1, 0], [0, 1]]


def test_thresholds_stand_still_for_spare_categories():
    cuts = cut_points(np.array([[30.0, 40, 30, 0], [0, 50, 50, 0]]))
    np.testing.assert_allclose(cuts[0], [norm.ppf(0.3), norm.ppf(0.7), FAR])
    np.testing.assert_allclose(cuts[1], [-FAR, 0, FAR])


def test_only_two_by_two_tables_with_one_empty_cell_are_filled():
    counts = np.array([[[10.0, 4], [0, 6]], [[0, 4], [4, 0]], [[1, 2], [3, 4]]])
    filled, changed = refilled(counts)
    assert changed.tolist() == [True, False, False]
    assert filled[0].tolist() == [[9.5, 4.5], [0.5, 5.5]]
    assert filled[1:].tolist() == counts[1:].tolist()


def test_correlations_maximise_the_likelihood_of_their_tables():
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 30, (6, 3, 4)).astype(float)
    h, k = cut_points(counts.sum(axis=2)), cut_points(counts.sum(axis=1))
    rho = correlations(counts, h, k)

    def likelihood(r):
        return (counts * np.log(rectangles(h, k, r))).sum(axis=(1, 2))

    best = likelihood(rho)
    for step in (1e-3, -1e-3):
        assert (likelihood(rho + step) < best).all()
    slope = (likelihood(rho + 1e-6) - likelihood(rho - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, 0, atol=1e-6)


def test_tables_of_the_normal_distribution_give_back_its_correlation():
    rho = np.array([-0.98, -0.6, 0.0, 0.3, 0.9, 0.99])
    h, k = np.tile([-1.0, 0.3], (6, 1)), np.tile([-0.2, 0.5, 1.4], (6, 1))
    np.testing.assert_allclose(correlations(1e4 * rectangles(h, k, rho), h, k), rho, atol=1e-9)


def test_the_search_bisects_where_newton_leaves_the_brackets():
    found = maximum(lambda x, _: (np.tanh(50 * (0.8 - x)), -50 / np.cosh(50 * (0.8 - x)) ** 2), np.array([-0.9]))
    assert found[0] == pytest.approx(0.8, abs=1e-9)


def test_polyserial_maximises_its_likelihood():
    rows = mixed()
    z = (rows[:, 2] - rows[:, 2].mean()) / rows[:, 2].std()
    codes = rows[:, :1].astype(int)
    cuts = cut_points(np.bincount(codes[:, 0]).astype(float))[None]
    found = polyserial(z, codes, cuts, np.ones(300))[0]
    full = np.r_[-np.inf, cuts[0], np.inf]

    def likelihood(r):
        root = np.sqrt(1 - r * r)
        upper, lower = full[codes[:, 0] + 1], full[codes[:, 0]]
        return np.log(ndtr((upper - r * z) / root) - ndtr((lower - r * z) / root)).sum()

    grid = np.linspace(found - 0.01, found + 0.01, 2001)
    assert grid[np.argmax([likelihood(r) for r in grid])] == pytest.approx(found, abs=6e-6)


def test_pearson_with_moments_given_is_the_root_of_its_cubic():
    a, b = np.array([0.4, -0.3, np.nan]), np.array([2.2, 1.9, 2.0])
    r = pearson(a, b)
    np.testing.assert_allclose((-(r**3) + a * r * r + (1 - b) * r + a)[:2], 0, atol=1e-14)
    assert np.isnan(r[2])


def population() -> tuple[np.ndarray, np.ndarray]:
    """Rows and weights whose pairs are exactly bivariate normal: two ordinal items and two continuous ones.

    z is a normal variable on Gauss-Hermite nodes, y another given z; the ordinal items depend on z alone.
    """
    nodes, chance = np.polynomial.hermite_e.hermegauss(40)
    few, few_chance = np.polynomial.hermite_e.hermegauss(6)
    chance, few_chance = chance / chance.sum(), few_chance / few_chance.sum()
    first = np.diff(ndtr((np.array([-FAR, -1, 0.2, 1, FAR]) - 0.7 * nodes[:, None]) / np.sqrt(1 - 0.49)), axis=1)
    second = np.diff(ndtr((np.array([-FAR, -0.3, 0.9, FAR]) + 0.5 * nodes[:, None]) / np.sqrt(1 - 0.25)), axis=1)
    z, e, a, b = np.meshgrid(np.arange(40), np.arange(6), np.arange(4), np.arange(3), indexing="ij")
    weights = chance[z] * few_chance[e] * first[z, a] * second[z, b]
    y = 0.6 * nodes[z] + 0.8 * few[e]
    rows = np.stack([a, 5 + 2 * nodes[z], b, y], axis=-1).reshape(-1, 4)
    keep = weights.ravel() > 1e-14
    return rows[keep], weights.ravel()[keep]


def test_influence_is_the_derivative_of_the_moments_in_the_population():
    rows, weights = population()
    ordered = [True, False, True, False]
    answers = answers_of(rows, ordered)
    n = weights.sum()
    on = influence(answers, weights, two_step(answers, weights[None]))
    u = np.concatenate([block for _, block in rows_of(answers, on)], axis=1).T
    found = two_step(answers, weights[None])
    np.testing.assert_allclose(found.cor[0, [0, 0, 1], [1, 2, 2]], [0.7, -0.35, -0.5], atol=1e-7)
    direction = weights * np.cos(np.arange(len(rows)) * np.array([[1], [0.37]]))
    direction[1] *= rows[:, 3] > 0
    up = polychoric_stack(rows, weights + 1e-5 * direction, ordered).vector
    down = polychoric_stack(rows, weights - 1e-5 * direction, ordered).vector
    np.testing.assert_allclose(direction @ u / n, (up - down) / 2e-5, atol=2e-6)
    gamma = gamma_of(answers, on, weights, n)
    np.testing.assert_allclose(gamma, (u * weights[:, None]).T @ u / n, atol=1e-12)
    assert gamma[4 + 3, 4 + 3] == pytest.approx(2 * 4**2, rel=1e-6)  # the variance of a variance of 4


@pytest.mark.slow
def test_gamma_covers_the_spread_of_simulated_moments():
    """Standard errors from gamma against the standard deviation of 300 samples of n = 400, within 12 % (3 MC SE)."""
    drawn, gammas = [], []
    for seed in range(300):
        moments = ordinal_moments(mixed(400, seed), np.ones(400), list("abc"), [True, True, False])
        drawn.append(moments.vector)
        gammas.append(np.diag(moments.gamma))
    ratio = np.sqrt(np.mean(gammas, axis=0) / 400) / np.std(drawn, axis=0, ddof=1)
    np.testing.assert_allclose(ratio, 1, atol=0.13)


def test_weights_that_count_rows_are_those_rows():
    rows = mixed(200)
    times = np.random.default_rng(3).integers(1, 3, 200)
    counted = ordinal_moments(rows, times.astype(float), list("abc"), [True, True, False], counts=True)
    repeated = ordinal_moments(np.repeat(rows, times, axis=0), np.ones(times.sum()), list("abc"), [True, True, False])
    np.testing.assert_allclose(counted.vector, repeated.vector, atol=1e-10)
    np.testing.assert_allclose(counted.gamma, repeated.gamma, atol=1e-8)


def test_the_order_of_categories_turned_round_turns_signs():
    rows = mixed()[:, :2]
    one = ordinal_moments(rows, np.ones(300), ["a", "b"], [True, True])
    other = ordinal_moments(rows * [-1, 1], np.ones(300), ["a", "b"], [True, True])
    assert other.cov[0, 1] == pytest.approx(-one.cov[0, 1], abs=1e-10)
    np.testing.assert_allclose(other.thresholds[:3], -one.thresholds[2::-1], atol=1e-12)
    assert other.gamma[-1, -1] == pytest.approx(one.gamma[-1, -1], abs=1e-8)


def test_replicates_are_the_moments_of_the_weighted_rows():
    rows = mixed()
    W = np.random.default_rng(4).multinomial(300, np.full(300, 1 / 300), 5).astype(float)
    stack = polychoric_stack(rows, W, [True, True, False])
    assert stack.usable.all()
    for b, w in enumerate(W):
        single = ordinal_moments(rows, w, list("abc"), [True, True, False], gamma=False)
        np.testing.assert_allclose(stack.vector[b], single.vector, atol=1e-9)
        np.testing.assert_allclose(stack.cov[b], single.cov, atol=1e-9)


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_spread_of_replicates_is_the_diagonal_of_their_gamma(missing):
    rows = np.column_stack([mixed(), mixed(seed=6)[:, :2]])
    rows[::9, 0], rows[4::7, 1], rows[2::11, 2] = np.nan, np.nan, np.nan
    ordered = [True, True, False, True, True]
    rng = np.random.default_rng(4)
    design = rng.uniform(0.5, 1.5, 300)
    design *= 300 / design.sum()
    times = rng.multinomial(300, np.full(300, 1 / 300), 3).astype(float)
    counted = polychoric_stack(rows, times, ordered, missing, spread=True)
    for b, w in enumerate(times):
        single = ordinal_moments(rows, w, list("abcde"), ordered, missing, counts=True)
        np.testing.assert_allclose(counted.spread[b], np.diag(single.gamma), rtol=1e-8)
    rows = rows[~np.isnan(rows).any(axis=1)] if missing == "listwise" else rows
    design = design[: len(rows)] * len(rows) / design[: len(rows)].sum()
    once = np.ones((2, 1)) * design
    weighted = polychoric_stack(rows, once, ordered, missing, spread=True, squares=once**2)
    single = ordinal_moments(rows, design, list("abcde"), ordered, missing)
    np.testing.assert_allclose(weighted.spread[1], np.diag(single.gamma), rtol=1e-8)


def test_a_replicate_that_loses_a_category_is_not_usable():
    rows = np.array([[1, 1], [2, 2], [3, 1], [1, 2], [2, 1], [3, 2]], dtype=float)
    W = np.array([[1.0, 1, 1, 1, 1, 1], [1, 2, 0, 2, 1, 0]])
    assert polychoric_stack(rows, W, [True, True]).usable.tolist() == [True, False]


def test_perfect_agreement_stays_at_the_bound_and_is_noted():
    x = np.repeat([0.0, 1, 2], 10)
    moments = ordinal_moments(np.stack([x, x, x[::-1]], axis=1), np.ones(30), list("abc"), [True] * 3)
    np.testing.assert_allclose(moments.cov[0, 1:], [0.9999, -0.9999], atol=1e-9)
    assert [n.code for n in moments.notes] == ["N-ORDINAL-EMPTY", "N-ORDINAL-BOUND"]
    assert "a-b, a-c, b-c" in moments.notes[1].say("en")


def test_many_categories_are_noted():
    rows = np.stack([np.arange(60) % 15, np.arange(60) % 2], axis=1).astype(float)
    notes = ordinal_moments(rows, np.ones(60), ["a", "b"], [True, True]).notes
    assert "a." in next(n for n in notes if n.code == "N-ORDINAL-MANY").say("en")


def test_all_problems_of_the_items_at_once():
    rows = np.array([[1, 1, 5.0], [1, 2, 5.0], [1, 1, 5.0]])
    with pytest.raises(Problems) as caught:
        ordinal_moments(rows, np.ones(3), list("abc"), [True, True, False], categories=[(1, 2), (1, 2, 3), ()])
    assert [(p.code, p.where) for p in caught.value.problems] == [
        ("E-ORDINAL-CONSTANT", "item a"),
        ("E-ORDINAL-CATEGORY", "item b"),
        ("E-ORDINAL-CONSTANT", "item c"),
    ]
    assert "category 3" in str(caught.value)


def test_answers_outside_the_categories_are_named():
    rows = np.array([[1, 1], [2, 2], [7, 1], [1, 2.0]])
    with pytest.raises(Problems, match="item a: answers outside its categories: 7"):
        ordinal_moments(rows, np.ones(4), ["a", "b"], [True, True], categories=[(1, 2), (1, 2)])


def test_pairs_without_a_common_row_and_no_rows_at_all():
    nan = np.nan
    rows = np.array([[1, nan, 1], [2, nan, 2], [nan, 1, 1], [nan, 2, 2.0]])
    with pytest.raises(Problems, match="no row answers both"):
        ordinal_moments(rows, np.ones(4), list("abc"), [True] * 3, "pairwise")
    with pytest.raises(Problems, match="no row has answers to all items"):
        ordinal_moments(rows, np.ones(4), list("abc"), [True] * 3)
    with pytest.raises(Problems, match="does not go with ordinal items"):
        ordinal_moments(rows, np.ones(4), list("abc"), [True] * 3, "mean")
