"""Alignment: derivatives by differences, planted truth recovered, what cannot be aligned."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.align import _basis, _curvature, _polished, _value, align, invariant_set

ITEMS = [*"abcd"]
LOADINGS, INTERCEPTS = np.array([1.0, 1.2, 0.8, 1.0]), np.array([5.0, 6.0, 5.5, 6.5])


def population(groups=12, seed=3):
    """Configural parameters of a population in which two of 96 parameters differ."""
    rng = np.random.default_rng(seed)
    psi, alpha = np.exp(rng.normal(0, 0.2, groups)), rng.normal(0, 0.4, groups)
    psi /= np.exp(np.log(psi).mean())
    lam, nu = np.tile(LOADINGS, (groups, 1)), np.tile(INTERCEPTS, (groups, 1))
    nu[3, 1] += 0.8
    lam[7, 2] -= 0.4
    return lam * np.sqrt(psi)[:, None], nu + lam * alpha[:, None], psi, alpha


def weights(g):
    out = np.full((g, g), 300.0)
    np.fill_diagonal(out, 0.0)
    return out


def test_the_populations_means_and_variances_come_back():
    """With epsilon small the planted values are the minimum; with .01 two differing parameters pull a little."""
    loading, intercept, psi, alpha = population()
    for epsilon, tolerance in ((1e-6, 2e-3), (0.01, 0.02)):
        for fixed in (0, None):
            found = align(loading, intercept, np.full(12, 300.0), epsilon, fixed)
            np.testing.assert_allclose(np.exp(2 * found.log_sd), psi, atol=tolerance)
            np.testing.assert_allclose(found.alpha - found.alpha[0], alpha - alpha[0], atol=tolerance)


def test_all_minima_are_minima():
    loading, intercept, *_ = population()
    found = align(loading, intercept, np.full(12, 300.0), 0.01, 0)
    at = np.concatenate([found.log_sd, found.alpha])
    rng = np.random.default_rng(1)
    basis = _basis(12, 0)
    for size in (1e-3, 1e-2, 0.1, 0.5):
        for _ in range(20):
            near = at + size * (basis @ rng.standard_normal(basis.shape[1]))
            assert _value(near, loading, intercept, weights(12), 0.01)[0] > found.value


def test_curvature_and_jacobian_are_those_of_differences():
    loading, intercept, *_ = population()
    g, p, w = 12, 4, weights(12)
    found = align(loading, intercept, np.full(g, 300.0), 0.01, 0)
    at = np.concatenate([found.log_sd, found.alpha]) + 0.01
    H, C = _curvature(at, loading, intercept, w, 0.01)
    steps = 1e-6 * np.eye(2 * g)
    by = [
        (_value(at + e, loading, intercept, w, 0.01)[1] - _value(at - e, loading, intercept, w, 0.01)[1]) for e in steps
    ]
    np.testing.assert_allclose(H, np.stack(by, axis=1) / 2e-6, atol=1e-7 * np.abs(H).max())
    given = np.concatenate([loading.ravel(), intercept.ravel()])

    def split(values):
        return values[: g * p].reshape(g, p), values[g * p :].reshape(g, p)

    def gradient(values):
        return _value(at, *split(values), w, 0.01)[1]

    def minimum(values):
        lam0, nu0 = split(values)
        x = _polished(_basis(g, 0), np.concatenate([found.log_sd, found.alpha]), lam0, nu0, w, 0.01)
        lam = lam0 * np.exp(-x[:g])[:, None]
        return np.concatenate([x, lam.ravel(), (nu0 - lam * x[g:, None]).ravel()])

    for k in (0, 13, 50, 77):
        e = np.zeros(given.size)
        e[k] = 1e-6
        np.testing.assert_allclose(
            C[:, k], (gradient(given + e) - gradient(given - e)) / 2e-6, atol=1e-6 * np.abs(C).max()
        )
        e[k] = 1e-4
        np.testing.assert_allclose(found.jacobian[:, k], (minimum(given + e) - minimum(given - e)) / 2e-4, atol=1e-5)


def panel(n=400, groups=10, seed=5):
    rng, parts = np.random.default_rng(seed), []
    alpha = np.linspace(0.0, 0.9, groups)
    for k in range(groups):
        nu = INTERCEPTS + np.array([0.0, 0.7 * (k == 4), 0.0, 0.0])
        x = nu + rng.normal(alpha[k], 1.0, (n, 1)) * LOADINGS + rng.normal(0, 0.7, (n, 4))
        parts.append(pl.DataFrame(x, schema=ITEMS).with_columns(land=pl.lit(f"g{k}")))
    return pl.concat(parts), alpha


@pytest.fixture(scope="module")
def found():
    return csi.alignment("f =~ a + b + c + d", panel()[0], "land")


def test_planted_means_lie_in_their_intervals_and_the_planted_item_is_found(found):
    alpha = panel()[1]
    means = found.means
    z = (means["mean"].to_numpy()[1:] - alpha[1:]) / means["std_error"].to_numpy()[1:]
    assert np.abs(z).max() < 3.0
    assert means["mean"][0] == means["std_error"][0] == 0.0
    rows = found.items.filter(pl.col("share") > 0).select("item", "parameter", "differing").rows()
    assert rows == [("b", "intercept", "g4")]
    assert found.share == pytest.approx(1 / 80)
    row = found.parameters.filter(pl.col("item") == "b", pl.col("parameter") == "intercept", pl.col("group") == "g4")
    average = found.items.filter(pl.col("item") == "b", pl.col("parameter") == "intercept")["average"][0]
    assert row["value"][0] - average == pytest.approx(0.7, abs=3 * row["std_error"][0])


def test_fixed_and_free_agree_and_the_reference_may_change(found):
    frame, _ = panel()
    fixed = csi.alignment("f =~ a + b + c + d", frame, "land", method="fixed")
    assert (fixed.means["mean"] - found.means["mean"]).abs().max() < 0.05
    other = csi.alignment("f =~ a + b + c + d", frame, "land", reference="g5")
    assert other.means["mean"][5] == 0.0
    gap = found.means["mean"][9] - found.means["mean"][5]
    assert other.means["mean"][9] == pytest.approx(gap / found.means["variance"][5] ** 0.5, abs=1e-5)


def test_r2_is_high_where_items_are_invariant(found):
    r2 = dict(found.items.filter(pl.col("parameter") == "intercept").select("item", "r2").rows())
    assert r2["a"] > 0.9
    assert r2["b"] < r2["a"]


@pytest.mark.slow
def test_standard_errors_match_the_spread_over_samples():
    """40 panels: the spread of the aligned means is what the delta method says, within a third."""
    made = [csi.alignment("f =~ a + b + c + d", panel(300, 7, 100 + k)[0], "land").means for k in range(40)]
    spread = np.std([m["mean"].to_numpy()[1:] for m in made], axis=0, ddof=1).mean()
    said = np.mean([m["std_error"].to_numpy()[1:] for m in made])
    assert 0.75 < said / spread < 1.33


def test_the_set_of_equal_groups_by_hand():
    values = np.array([0.0, 0.05, -0.05, 1.0, 1.05])
    assert invariant_set(values, 0.01 * np.eye(5)).tolist() == [True, True, True, False, False]
    assert invariant_set(values, 4.0 * np.eye(5)).all()


@pytest.mark.parametrize(
    ("asked", "code", "en", "zh"),
    [
        ({"method": "loose"}, "E-SETTING", "loose", "loose"),
        ({"epsilon": 0.0}, "E-SETTING", "epsilon = 0", "epsilon = 0"),
        ({"reference": "g99"}, "E-ALIGN", 'no group "g99"', "没有“g99”组"),
        ({"where": {"land": "g1"}}, "E-ALIGN", "a single group", "只有一个组"),
    ],
)
def test_bad_questions(asked, code, en, zh):
    with pytest.raises(Problems) as error:
        csi.alignment("f =~ a + b + c + d", panel(100, 3)[0], "land", **asked)
    (problem,) = error.value.problems
    assert problem.code == code
    assert en in problem.say("en")
    assert zh in problem.say("zh")


def test_two_items_are_too_few():
    with pytest.raises(Problems, match="three items"):
        csi.alignment("f =~ a + b; h =~ c + d", panel(200, 3)[0], "land")


def test_it_reads_in_both_languages(found):
    assert "1 of 80 loadings and intercepts differ over 10 groups" in text(found)
    assert "对齐" in text(found, "zh")


def test_two_groups_by_hand():
    """Equal loadings 1, intercepts that differ by .5, .5 and 0: F(a) = 300 [3 f(0) + 2 f(.5 - a) + f(a)], least where
    two of three intercepts agree, at a = .5, where F = 300 sqrt(.5) + 5 * 300 f(0).
    """
    loading = np.ones((2, 3))
    intercept = np.array([[5.0, 6.0, 7.0], [5.5, 6.5, 7.0]])
    found = align(loading, intercept, np.full(2, 300.0), 1e-12, 0)
    assert found.alpha[1] - found.alpha[0] == pytest.approx(0.5, abs=1e-5)
    np.testing.assert_allclose(np.exp(found.log_sd), 1.0, atol=1e-5)
    assert found.value == pytest.approx(300 * 0.5**0.5, abs=5 * 300 * 1e-3 * 1.01)  # f(0) = 1e-3, five terms of it
    np.testing.assert_allclose(found.intercept[1] - found.intercept[0], [0.0, 0.0, -0.5], atol=1e-5)
