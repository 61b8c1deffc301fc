"""Higher-order constructs: against seminr, cSEM and plspm, on populations with known truth, and against themselves."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.unrolled import unrolled
from csi.inference.bootstrap import bootstrap
from csi.inference.resample import plan_of
from csi.inference.uncertainty import uncertainty
from csi.moments.stack import Moments
from csi.pls.estimator import PLS
from csi.pls.gsca import GSCA
from csi.pls.sum_scores import SumScores
from tests.pls.test_parity import moments_case

REFERENCE = Path(__file__).parent.parent / "reference/composed"
WAYS = ("two-stage", "embedded", "repeated")

ECSI = """
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality {quality} PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Image {lower} IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Value {lower} PERV1 + PERV2
Satisfaction {higher} Image + Value
Complaints =~ CUSCO
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Satisfaction ~ Expectation + Quality
Complaints ~ Satisfaction
Loyalty ~ Satisfaction
"""
CASES = {"A_A": ("=~", "=~", "=~"), "A_B": ("=~", "=~", "<~"), "B_A": ("<~", "<~", "=~")}
THIRD = """
A =~ IMAG1 + IMAG2 + IMAG3
B =~ IMAG4 + IMAG5
C =~ PERV1 + PERV2
D =~ PERQ1 + PERQ2 + PERQ3
AB =~ A + B
CD <~ C + D
Top =~ AB + CD
S =~ CUSA1 + CUSA2 + CUSA3
L =~ CUSL1 + CUSL3
S ~ Top
L ~ S
"""


def reference(name: str) -> Any:
    return json.loads((REFERENCE / f"{name}.json").read_text("utf-8"))


def ecsi(quality: str = "=~", lower: str = "=~", higher: str = "=~") -> str:
    return ECSI.format(quality=quality, lower=lower, higher=higher)


def estimates(est: Estimate, op: str) -> dict[tuple[str, str], float]:
    frame = est.table.filter(pl.col("op") == op)
    return {(r["lhs"], r["rhs"]): r["estimate"] for r in frame.iter_rows(named=True)}


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_seminr(case: str) -> None:
    """The disjoint two-stage approach; every number within 1e-6 (tests/reference/composed)."""
    expected = reference("higher_order")[case]
    est = fit(ecsi(*CASES[case]), moments_case("mobi"), PLS())
    for op, part in (("~", "path_coef"), ("<~", "outer_weights"), ("=~", "outer_loadings")):
        for (lhs, rhs), value in estimates(est, op).items():
            assert value == pytest.approx(expected[part][f"{rhs}|{lhs}"], abs=1e-6), (op, lhs, rhs)
    solution = est.solution
    names = solution.constructs
    for pair, value in expected["fl_criteria"].items():
        one, other = pair.split("|")
        if one != other:
            found = solution.construct_cor[0, names.index(one), names.index(other)]
            assert found == pytest.approx(value, abs=1e-6), pair
    assert solution.cross_loadings is not None
    for pair, value in expected["cross_loadings"].items():
        item, construct = pair.split("|")
        if item in solution.items:
            found = solution.cross_loadings[0, solution.items.index(item), names.index(construct)]
            assert found == pytest.approx(value, abs=1e-6), pair
    for construct, value in expected["r2"].items():
        assert solution.r2[0, names.index(construct)] == pytest.approx(value, abs=1e-6)


def test_agrees_with_the_fixture_of_plspm() -> None:
    """Made with seminr at its default tolerance: 1e-6 with Quality in mode B."""
    expected = reference("higher_order")["plspm_fixture"]["path_coef"]
    paths = estimates(fit(ecsi("<~", "=~", "=~"), moments_case("mobi"), PLS()), "~")
    assert {f"{x}|{y}": v for (y, x), v in paths.items()} == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("kind", "higher"), [("reflective", "=~"), ("formative", "<~")])
def test_repeated_indicators_agree_with_plspm(kind: str, higher: str) -> None:
    expected = reference("repeated")[kind]
    est = fit(ecsi(higher=higher), moments_case("mobi"), PLS(higher_order="repeated", tolerance=1e-10))
    for (outcome, predictor), value in estimates(est, "~").items():
        assert value == pytest.approx(expected["path_coef"][f"{predictor}|{outcome}"], abs=1e-6)
    loadings = estimates(est, "=~")
    for part in ("Image", "Value"):
        own = expected["path_coef"].get(f"Satisfaction|{part}")
        if own is not None:  # a reflected component's path is its loading
            assert loadings["Satisfaction", part] == pytest.approx(own, abs=1e-6)
    wide = est.solution.item_weights
    assert wide is not None
    j, items = est.solution.constructs.index("Satisfaction"), est.solution.items
    for item in ("IMAG1", "IMAG4", "PERV2"):
        assert wide[0, items.index(item), j] == pytest.approx(expected["weights"]["R_" + item], abs=1e-6)


def test_second_stage_of_consistent_pls_agrees_with_csem() -> None:
    """A factor of composites on the scores of cSEM's first stage (its first stage joins all constructs, ours does not).

    cSEM then divides the other constructs' correlations by their first reliabilities.
    """
    saved = reference("second_order_csem")
    moments = Moments.of(saved["names"], saved["proxy_vcv"], n=500)
    text = "e1 =~ eta1; c4 =~ c1 + c2 + c3; e2 =~ eta2; c4 ~ e1; e2 ~ e1 + c4"
    est = fit(text, moments, PLS(consistent=True, tolerance=1e-10))
    weights, loadings = estimates(est, "<~"), estimates(est, "=~")
    for part in ("c1", "c2", "c3"):
        assert weights["c4", part] == pytest.approx(saved["weights"][f"c4|{part}"], abs=1e-6)
        assert loadings["c4", part] == pytest.approx(saved["loadings"][f"c4|{part}"], abs=1e-6)
    solution, reliable = est.solution, saved["reliabilities"]
    assert solution.rho is not None
    assert solution.rho[0, 1] == pytest.approx(reliable["c4"], abs=1e-6)
    for k, name in ((0, "eta1_temp"), (2, "eta2_temp")):
        corrected = solution.construct_cor[0, 1, k] / np.sqrt(reliable[name])
        assert corrected == pytest.approx(saved["construct_vcv"][f"c4|{name}"], abs=1e-6)


LOADINGS = np.array([0.8, 0.7, 0.6, 0.9, 0.7, 0.75, 0.65, 0.85, 0.8, 0.7, 0.6, 0.75, 0.9, 0.8, 0.7])
BLOCK = np.repeat(np.arange(5), 3)
HIGHER = """
f1 =~ a1 + a2 + a3
f2 =~ b1 + b2 + b3
f3 =~ c1 + c2 + c3
x =~ x1 + x2 + x3
y =~ y1 + y2 + y3
top {higher} f1 + f2 + f3
top ~ x
y ~ top
"""


def population(strength: np.ndarray, among: np.ndarray) -> Moments:
    """Factors f1-f3 with correlations `among`, loadings `strength` on their whole; x -> whole .5, whole -> y .6."""
    factors = np.eye(5)
    factors[:3, :3] = among
    factors[:3, 3] = factors[3, :3] = 0.5 * strength
    factors[:3, 4] = factors[4, :3] = 0.6 * strength
    factors[3, 4] = factors[4, 3] = 0.3
    R = np.outer(LOADINGS, LOADINGS) * factors[np.ix_(BLOCK, BLOCK)]
    np.fill_diagonal(R, 1.0)
    return Moments.of([f"{k}{i}" for k in "abcxy" for i in (1, 2, 3)], R, n=1000)


def test_a_second_order_factor_of_factors_is_recovered() -> None:
    """On exact moments consistent PLS gives the population; plain PLS is attenuated."""
    strength = np.array([0.9, 0.8, 0.7])
    among = np.outer(strength, strength)
    np.fill_diagonal(among, 1.0)
    settings = PLS(consistent=True, tolerance=1e-12, max_iterations=2000)
    est = fit(HIGHER.format(higher="=~"), population(strength, among), settings)
    paths, loadings = estimates(est, "~"), estimates(est, "=~")
    assert paths["top", "x"] == pytest.approx(0.5, abs=1e-8)
    assert paths["y", "top"] == pytest.approx(0.6, abs=1e-8)
    assert [loadings["top", f] for f in ("f1", "f2", "f3")] == pytest.approx(strength, abs=1e-8)
    np.testing.assert_allclose(est.solution.loadings[0], LOADINGS, atol=1e-8)
    plain = fit(HIGHER.format(higher="=~"), population(strength, among), PLS())
    assert estimates(plain, "~")["y", "top"] < 0.56


def test_a_composite_of_factors_is_recovered() -> None:
    """van Riel et al. (2017): the weights of a composite of factors come from the factors' correlations."""
    among = np.array([[1.0, 0.4, 0.3], [0.4, 1.0, 0.2], [0.3, 0.2, 1.0]])
    weights = np.array([0.5, 0.4, 0.3])
    weights = weights / np.sqrt(weights @ among @ weights)
    moments = population(among @ weights, among)
    settings = PLS(consistent=True, tolerance=1e-12, max_iterations=2000)
    est = fit(HIGHER.format(higher="<~"), moments, settings)
    paths, found = estimates(est, "~"), estimates(est, "<~")
    assert paths["top", "x"] == pytest.approx(0.5, abs=1e-8)
    assert paths["y", "top"] == pytest.approx(0.6, abs=1e-8)
    assert [found["top", f] for f in ("f1", "f2", "f3")] == pytest.approx(weights, abs=1e-8)
    solution = est.solution
    assert solution.rho is not None
    top = solution.constructs.index("top")
    assert 0 < solution.rho[0, top] < 1
    assert solution.score_cor[0, top, top] == pytest.approx(1.0)


@pytest.mark.parametrize(("way", "higher"), list(product(WAYS, ("=~", "<~"))))
def test_scores_are_what_their_item_weights_say(way: Any, higher: str) -> None:
    """Score correlations, cross-loadings and variances follow from `item_weights` and the items' correlations."""
    moments = moments_case("mobi")
    est = fit(ecsi(higher=higher), moments, PLS(higher_order=way))
    solution = est.solution
    at = [moments.names.index(i) for i in solution.items]
    R, W = moments.cor[0][np.ix_(at, at)], solution.item_weights
    assert W is not None
    np.testing.assert_allclose(W[0].T @ R @ W[0], solution.score_cor[0], atol=1e-10)
    assert solution.cross_loadings is not None
    np.testing.assert_allclose(R @ W[0], solution.cross_loadings[0], atol=1e-10)
    wide = unrolled(solution)
    assert wide.weights is not None
    assert len(wide.items) == len(solution.items) + 7
    scores = np.zeros((len(solution.items), len(solution.constructs)))
    for item, k, w in zip(wide.items, wide.block, wide.weights[0], strict=True):
        scores[solution.items.index(item), k] = w
    np.testing.assert_array_equal(scores, W[0])


@pytest.mark.parametrize("way", WAYS)
def test_third_order(way: Any) -> None:
    est = fit(THIRD, moments_case("mobi"), PLS(higher_order=way))
    assert est.solution.higher == ("AB", "CD", "Top")
    assert np.isfinite(est.values).all()
    paths = estimates(est, "~")
    assert paths["S", "Top"] == pytest.approx(0.81, abs=0.01)  # the three approaches agree to about that
    solution, W = est.solution, est.solution.item_weights
    assert W is not None
    at = [est.moments.names.index(i) for i in solution.items]
    np.testing.assert_allclose(W[0].T @ est.moments.cor[0][np.ix_(at, at)] @ W[0], solution.construct_cor[0], atol=1e-9)


def test_third_order_is_the_second_order_of_its_components() -> None:
    """Two-stage by hand: scores of the second-order constructs as items give the third order's paths."""
    moments = moments_case("mobi")
    est = fit(THIRD, moments, PLS(tolerance=1e-12, max_iterations=2000))
    second = THIRD.replace("Top =~ AB + CD\n", "").replace("S ~ Top", "S ~ AB + CD")
    below = fit(second, moments, PLS(tolerance=1e-12, max_iterations=2000)).solution
    W = below.item_weights
    assert W is not None
    at = [moments.names.index(i) for i in below.items]
    R = moments.cor[0][np.ix_(at, at)]
    V = np.concatenate([np.eye(len(at)), W[0][:, [below.constructs.index(c) for c in ("AB", "CD")]]], axis=1)
    ground = Moments.of([*below.items, "AB", "CD"], V.T @ R @ V, n=250)
    text = "Top =~ AB + CD\nS =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL3\nS ~ Top\nL ~ S"
    by_hand = estimates(fit(text, ground, PLS(tolerance=1e-12, max_iterations=2000)), "~")
    assert estimates(est, "~") == pytest.approx(by_hand, abs=1e-9)


def rows(n: int = 120, seed: int = 3) -> pl.DataFrame:
    strength = np.array([0.9, 0.8, 0.7])
    among = np.outer(strength, strength)
    np.fill_diagonal(among, 1.0)
    moments = population(strength, among)
    drawn = np.random.default_rng(seed).multivariate_normal(np.zeros(15), moments.cov[0], size=n)
    return pl.DataFrame(np.round(5.5 + 1.8 * drawn).clip(1, 10), schema=list(moments.names))


@pytest.mark.parametrize("way", WAYS)
def test_a_replicate_is_the_fit_of_its_rows(way: Any) -> None:
    """A resample of whole rows, fitted alone, gives the replicate's numbers."""
    frame = rows()
    est = fit(HIGHER.format(higher="=~"), frame, PLS(higher_order=way))
    boot = bootstrap(est, 100, seed=4, resampling="bayesian")
    assert boot.replicates is not None
    sample = est.sample
    assert sample is not None
    _, drawn = next(plan_of(sample, 100, 4, "bayesian").blocks())
    weights = drawn[7]
    place = sample.place if sample.place is not None else np.arange(len(weights))
    weighted = frame[place.tolist()].with_columns(w=pl.Series(weights))
    alone = fit(HIGHER.format(higher="=~"), weighted, PLS(higher_order=way), weight="w")
    np.testing.assert_allclose(boot.replicates.values[7, 0], alone.values[0], atol=1e-6)
    W = uncertainty(boot, lambda _, solution: solution.item_weights[:, :, -1])  # type: ignore[index]
    assert np.isfinite(W.std_error).all()


def test_cells_are_fitted_as_if_alone() -> None:
    frame = pl.concat([rows(seed=1).with_columns(g=pl.lit("a")), rows(seed=2).with_columns(g=pl.lit("b"))])
    both = fit(HIGHER.format(higher="<~"), frame, PLS(), by="g")
    alone = fit(HIGHER.format(higher="<~"), rows(seed=2), PLS())
    np.testing.assert_allclose(both.values[1], alone.values[0], atol=1e-9)


def test_a_cell_that_fails_below_says_why() -> None:
    bad = rows(seed=2).with_columns(a1=pl.lit(5.0))
    frame = pl.concat([rows(seed=1).with_columns(g=pl.lit("a")), bad.with_columns(g=pl.lit("b"))])
    est = fit(HIGHER.format(higher="=~"), frame, PLS(), by="g")
    assert est.convergence.reasons[1].code == "R-CONSTANT"
    assert "a1" in est.convergence.reasons[1].say("en")
    assert list(est.convergence.converged) == [True, False]


def problems_of(text: str, settings: PLS | None = None) -> list[str]:
    with pytest.raises(Problems) as caught:
        fit(text, rows(), settings or PLS())
    assert all(p.say("zh") != p.say("en") for p in caught.value.problems)
    return [p.say("en") for p in caught.value.problems]


def test_bad_input() -> None:
    text = HIGHER.format(higher="=~")
    one = problems_of(text.replace("f1 + f2 + f3", "f1"))
    assert any("two components or more" in p for p in one)
    assert any("by items" in p for p in problems_of(text.replace("top =~ f1 + f2 + f3\n", "top =~ f1 + c1 + c2\n")))
    (own,) = problems_of(text + "y ~ f1\n")
    assert "component of" in own
    for way in ("repeated", "embedded"):
        (consistent,) = problems_of(text, PLS(consistent=True, higher_order=way))
        assert "two-stage" in consistent
    with pytest.raises(Problems) as caught:
        PLS(higher_order="three-stage")  # type: ignore[arg-type]
    assert caught.value.problems[0].code == "E-SETTING"
    assert any("circle" in p for p in problems_of("a =~ b + a1; b =~ a + b1; y =~ y1; y ~ a"))


def test_arrows_into_a_repeated_composite_are_told() -> None:
    est = fit(ecsi(higher="<~"), moments_case("mobi"), PLS(higher_order="repeated"))
    assert any(n.code == "W-REPEATED" for n in est.notes)
    assert est.solution.r2[0, est.solution.constructs.index("Satisfaction")] > 0.99


def test_sum_scores_of_sum_scores() -> None:
    """The whole is the sum of its standardised components, and these of their standardised items."""
    frame = rows()
    solution = fit(HIGHER.format(higher="=~"), frame, SumScores()).solution
    raw = frame.to_numpy()
    Z = (raw - raw.mean(axis=0)) / raw.std(axis=0, ddof=1)
    sums = Z.reshape(len(Z), 5, 3).sum(axis=2)
    scores = sums / sums.std(axis=0, ddof=1)
    top = scores[:, :3].sum(axis=1)
    expected = np.corrcoef(np.column_stack([scores, top]).T)
    np.testing.assert_allclose(solution.construct_cor[0], expected, atol=1e-10)


@pytest.mark.parametrize("settings", [GSCA(), PLS(units="raw"), SumScores(weights="raw")])
def test_other_composites_have_higher_orders_too(settings: Any) -> None:
    est = fit(HIGHER.format(higher="<~"), rows(), settings)
    assert est.settings == settings
    assert estimates(est, "~")["y", "top"] == pytest.approx(0.5, abs=0.15)
    boot = bootstrap(est, 100, seed=1)
    assert boot.std_error is not None
    assert np.isfinite(boot.std_error).all()
