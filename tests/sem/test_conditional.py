"""Ordinal models conditional on exogenous predictors: moments against lavaan and by hand, and what is built on them.

Estimates, errors, tests and fit measures of 20 such models stand among the cases of `lavaan_cases.py` (given_*).
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

import csi
from csi.display import text
from csi.errors import Problems
from csi.moments.conditional import conditional_moments, conditional_stack
from csi.moments.ordinal import ordinal_moments
from csi.sem.fitted import fitted as arrays_of
from tests.sem.lavaan_cases import BFI, GIVEN, REFERENCE, fitted, frame_of, params, saved_of

FIVE = BFI[:5]
MIMIC = "A =~ A1 + A2 + A3 + A4 + A5\nA ~ age + gender"
SAVED = json.loads((REFERENCE / "ordinal" / "conditional.json").read_text("utf-8"))


def bfi():
    frame = frame_of("bfi", "bfi/bfi.csv")
    return frame.with_columns(z=(pl.col("age") - 30) / 50)


def made(n=400, seed=7):
    """Rows of two ordinal items (3 and 2 categories), a continuous one and two given variables."""
    draw = np.random.default_rng(seed)
    x = np.column_stack([draw.normal(3, 2, n), draw.integers(0, 2, n)])
    e = draw.multivariate_normal(np.zeros(3), [[1, 0.5, 0.3], [0.5, 1, -0.4], [0.3, -0.4, 1]], n)
    y = x @ np.array([[0.3, -0.2, 0.5], [0.4, 0.0, -0.7]]) + e
    return np.column_stack([np.digitize(y[:, 0], [0.5, 1.5]), y[:, 1] > -0.6, 2 + 1.5 * y[:, 2], x]).astype(float)


@pytest.mark.parametrize(
    ("part", "items", "ordered", "given", "missing"),
    [
        ("ordinal", FIVE, (True,) * 5, ("age", "gender"), "listwise"),
        ("pairwise", FIVE, (True,) * 5, ("age", "gender"), "pairwise"),
        ("mixed", (*BFI[:3], *BFI[5:8]), (True,) * 3 + (False,) * 3, ("z", "gender"), "listwise"),
    ],
)
def test_moments_and_their_asymptotic_covariance_are_lavaans(part, items, ordered, given, missing):
    rows = bfi().select(*items, *given).to_numpy().astype(float)
    found = conditional_moments(rows, np.ones(len(rows)), items, ordered, given, missing)
    saved = SAVED[part]
    assert found.vector_names == tuple(saved["names"])
    assert found.n == saved["n"]
    np.testing.assert_allclose(found.vector, saved["vector"], rtol=1e-6, atol=1e-6)
    theirs = np.zeros(found.gamma.shape)
    i, j = np.triu_indices(len(theirs))
    theirs[i, j] = theirs[j, i] = saved["gamma"]
    sd = np.sqrt(np.diagonal(theirs))
    np.testing.assert_allclose(found.gamma / sd / sd[:, None], theirs / sd / sd[:, None], atol=1e-5)


def test_regressions_maximise_their_likelihood():
    rows = made()
    found = conditional_moments(rows, np.ones(len(rows)), "abc", (True, True, False), ("x", "w"))
    x = rows[:, 3:]

    def misfit(t):
        cuts = np.array([-np.inf, t[0], t[0] + np.exp(t[1]), np.inf])
        codes, eta = rows[:, 0].astype(int), x @ t[2:]
        return -np.log(np.maximum(ndtr(cuts[codes + 1] - eta) - ndtr(cuts[codes] - eta), 1e-300)).sum()

    best = minimize(misfit, [0.5, 0.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(found.vector[:2], [best.x[0], best.x[0] + np.exp(best.x[1])], atol=1e-5)
    np.testing.assert_allclose(found.slopes[0], best.x[2:], atol=1e-5)
    coef = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), rows[:, 2], rcond=None)[0]
    np.testing.assert_allclose([-found.vector[3], *found.slopes[2]], coef, rtol=1e-9)


def test_residual_correlations_maximise_their_likelihood():
    rows = made(120)
    found = conditional_moments(rows, np.ones(len(rows)), "abc", (True, True, False), ("x", "w"), gamma=False)
    t, slopes, x = found.vector, found.slopes, rows[:, 3:]
    a, b = np.array([-9, *t[:2], 9]), np.array([-9, t[2], 9])
    one, other = rows[:, 0].astype(int), rows[:, 1].astype(int)
    limits = [(a[one + u] - x @ slopes[0], b[other + v] - x @ slopes[1]) for u in (1, 0) for v in (1, 0)]

    def polychoric(r):
        corner = [multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf(np.column_stack(pair)) for pair in limits]
        return -np.log(corner[0] - corner[1] - corner[2] + corner[3]).sum()

    best = minimize_scalar(polychoric, bounds=(-0.9, 0.9), method="bounded", options={"xatol": 1e-5})
    assert found.cov[0, 1] == pytest.approx(best.x, abs=1e-3)  # the integrals of scipy are good to 1e-5
    sd = np.sqrt(found.cov[2, 2])
    z = (rows[:, 2] + t[3] - x @ slopes[2]) / sd

    def polyserial(r):
        s = np.sqrt(1 - r * r)
        low, high = (a[one + k] - x @ slopes[0] for k in (0, 1))
        return -np.log(ndtr((high - r * z) / s) - ndtr((low - r * z) / s)).sum()

    best = minimize_scalar(polyserial, bounds=(-0.9, 0.9), method="bounded", options={"xatol": 1e-9})
    assert found.cov[0, 2] / sd == pytest.approx(best.x, abs=1e-6)


def test_where_nothing_is_explained_correlations_are_polychoric():
    """A given variable that is exactly unrelated has slopes of 0, and correlations are those of the table."""
    counts = [(0, 0, 30), (0, 1, 12), (1, 0, 9), (1, 1, 25)]
    rows = np.array([[a, b] for a, b, n in counts for _ in range(n)], dtype=float)
    both = np.concatenate([np.column_stack([rows, np.full(len(rows), v)]) for v in (0.0, 1.0)])
    found = conditional_moments(both, np.ones(len(both)), "ab", (True, True), ("x",), gamma=False)
    joint = ordinal_moments(both[:, :2], np.ones(len(both)), "ab", (True, True), gamma=False)
    np.testing.assert_allclose(found.slopes, 0, atol=1e-9)
    assert found.cov[0, 1] == pytest.approx(joint.cov[0, 1], abs=1e-9)


def test_rows_in_any_unit_and_order_give_the_same():
    rows = made()
    draw = np.random.default_rng(1).permutation(len(rows))
    one = conditional_moments(rows, np.ones(len(rows)), "abc", (True, True, False), ("x", "w"))
    turned = rows[draw] * [1, 1, 1, 1e4, 1] + [0, 0, 0, 5e5, 0]
    other = conditional_moments(turned, 3 * np.ones(len(rows)), "abc", (True, True, False), ("x", "w"))
    np.testing.assert_allclose(other.slopes, one.slopes / [1e4, 1], rtol=1e-6)
    np.testing.assert_allclose(other.cov, one.cov, rtol=1e-7)
    np.testing.assert_allclose(np.diagonal(other.gamma)[-5:], np.diagonal(one.gamma)[-5:], rtol=1e-6)


def test_replicates_are_fits_of_the_rows_drawn():
    rows = made(300)
    W = np.random.default_rng(3).multinomial(300, np.full(300, 1 / 300), size=3).astype(float)
    found = conditional_stack(rows, W, (True, True, False), spread=True)
    for b, w in enumerate(W):
        drawn = np.repeat(rows, w.astype(int), axis=0)
        alone = conditional_moments(drawn, np.ones(len(drawn)), "abc", (True, True, False), ("x", "w"))
        np.testing.assert_allclose(found.vector[b], alone.vector, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(found.spread[b], np.diagonal(alone.gamma), rtol=1e-6)


def test_a_replicate_without_a_maximum_is_marked():
    rows = np.array([[0, 1.0], [0, 2], [1, 3], [1, 4], [0, 4], [1, 1]])
    W = np.array([[1.0, 1, 1, 1, 1, 1], [1, 1, 2, 2, 0, 0], [1, 1, 0, 0, 4, 0]])
    assert conditional_stack(rows, W, (True,)).usable.tolist() == [True, False, False]


@pytest.mark.parametrize("case", params([c for c in GIVEN if "groups" not in c.settings]))
def test_implied_moments_are_lavaans(case):
    saved = saved_of(case.folder, case.record)["implied"]
    ours = csi.implied(fitted(case))
    at = [ours.items.index(n) for n in saved["names"]]
    x = [ours.given.index(n) for n in saved["given"]]
    np.testing.assert_allclose(ours.slopes[0, 0][np.ix_(at, x)], np.array(saved["slopes"]), rtol=1e-4, atol=1e-6)
    i, j = np.tril_indices(len(at))
    np.testing.assert_allclose(ours.cov[0, 0][np.ix_(at, at)][i, j], saved["cov"], rtol=1e-4, atol=1e-5)
    cuts = dict(zip(ours.threshold_names, ours.thresholds[0, 0], strict=True))
    theirs = {n: v for n, v in zip(saved["thresholds"], saved["th"], strict=True) if "|" in n}
    for name, value in theirs.items():
        assert cuts[name] == pytest.approx(value, rel=1e-4, abs=1e-5)


def test_residuals_are_observed_less_implied_slopes_and_correlations():
    est = csi.fit(MIMIC, bfi(), csi.SEM(ordered=FIVE))
    rest, said = csi.residuals(est, "raw"), csi.implied(est)
    observed = dict(zip(SAVED["ordinal"]["names"], SAVED["ordinal"]["vector"], strict=True))
    for i, item in enumerate(rest.items):
        for x, name in enumerate(rest.given):
            assert rest.slopes[0, 0, i, x] + said.slopes[0, 0, i, x] == pytest.approx(
                observed[f"{item}~{name}"], abs=1e-6
            )
    assert rest.table.filter(pl.col("op") == "~").height == 10
    assert "given age, gender" in text(rest)
    assert "给定 age、gender" in text(said, "zh")
    assert np.isfinite(csi.residuals(est, "standardised").slopes).all()


def test_factor_scores_are_lavaans():
    est = csi.fit(MIMIC, bfi(), csi.SEM(ordered=FIVE))
    assert csi.factor_scores(est)["A"].to_numpy()[:20] == pytest.approx(SAVED["scores"], abs=1e-5)


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_factor_scores_with_an_effect_on_an_item_are_the_mode(parameterization):
    """log P(answers | eta, x) + log phi(eta | x) by hand, from the standardised solution."""
    frame = bfi().select(*FIVE, "age", "gender").drop_nulls()
    est = csi.fit(MIMIC + "\nA3 ~ gender", frame, csi.SEM(ordered=FIVE, parameterization=parameterization))
    v = {(r.lhs, r.op, r.rhs): x for r, x in zip(est.rows, est.values[0], strict=True)}
    scores = csi.factor_scores(est)["A"].to_numpy()
    for n in (0, 5, 17):
        row = frame.row(n, named=True)

        def density(eta, row=row):
            total = -0.5 * (eta - v["A", "~", "age"] * row["age"] - v["A", "~", "gender"] * row["gender"]) ** 2
            total /= v["A", "~~", "A"]
            for i in FIVE:
                mean = v["A", "=~", i] * eta + (v["A3", "~", "gender"] * row["gender"] if i == "A3" else 0)
                cuts = [-np.inf, *(v[i, "|", f"t{k}"] for k in range(1, 6)), np.inf]
                low, high = ((cuts[row[i] - s] - mean) / np.sqrt(v[i, "~~", i]) for s in (1, 0))
                total += np.log(ndtr(high) - ndtr(low))
            return -total

        best = minimize_scalar(density, bounds=(-4, 4), method="bounded", options={"xatol": 1e-9})
        assert scores[n] == pytest.approx(best.x, abs=1e-6)


def test_delta_and_theta_are_one_model_where_ordinal_items_predict():
    """lavaan 0.6-14 has 138.732 under delta and 139.591 under theta: its delta keeps a residual variance at 1."""
    model = "A2 ~ A1 + age\nA1 ~ gender\nC1 ~ A2 + gender"
    settings = [csi.SEM(ordered=FIVE[:2], parameterization=p) for p in ("delta", "theta")]
    delta, theta = (csi.fit(model, bfi(), s) for s in settings)
    chi2 = [arrays_of(e).test.statistic[0] for e in (delta, theta)]
    assert chi2[0] == pytest.approx(chi2[1], rel=1e-8)
    assert chi2[1] == pytest.approx(139.5909, abs=1e-3)
    same = [n for n, r in enumerate(delta.rows) if r.op != "~*~"]
    np.testing.assert_allclose(delta.std_all[0][same], theta.std_all[0][same], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_a_standardised_scale_is_of_what_predictors_leave_of_a_response(parameterization):
    """One over the conditional standard deviation of a response of variance 1; lavaan 0.6-14 prints 1."""
    est = csi.fit("A =~ A1 + A2 + A3\nA ~ age", bfi(), csi.SEM(ordered=FIVE[:3], parameterization=parameterization))
    std = {(r.lhs, r.op, r.rhs): v for r, v in zip(est.rows, est.std_all[0].tolist(), strict=True)}
    for name in FIVE[:3]:
        left = std[name, "~~", name] + std["A", "=~", name] ** 2 * std["A", "~~", "A"]
        assert left < 0.999
        assert std[name, "~*~", name] == pytest.approx(left**-0.5, rel=1e-6)


def test_a_stated_covariance_of_a_predictor_ends_conditioning_and_says_so():
    model = "A =~ A1 + A2 + A3\nA ~ age"
    stated, plain = (csi.fit(m, bfi(), csi.SEM(ordered=FIVE[:3])) for m in (f"{model}\nage ~~ gender", model))
    told = [n.text.en for n in stated.notes if n.code == "N-X-STATED"]
    assert len(told) == 1
    assert "of age:" in told[0]
    assert "N-X-STATED" not in [n.code for n in plain.notes]
    assert "N-X-GIVEN" in [n.code for n in plain.notes]


def test_loadings_of_the_solution_are_standardised():
    for parameterization in ("delta", "theta"):
        est = csi.fit(MIMIC, bfi(), csi.SEM(ordered=FIVE, parameterization=parameterization))
        np.testing.assert_allclose(est.solution.loadings[0], est.std_all[0][:5], rtol=1e-9)


def test_joint_modelling_stays_within_reach_and_does_not_hang_on_units():
    """lavaan 0.6-14 (conditional.x = FALSE) prints 120.125 with age in years and 120.415 with age in 50 years.

    Its polyserial correlations of A2, ..., A5 with age stop before the maximum of their likelihood where the unit is
    small (start values above 1); in the larger unit it has the maximum, and our chi-square.
    """
    found = {}
    for x in ("age", "z"):
        est = csi.fit(f"A =~ A1 + A2 + A3 + A4 + A5\nA ~ {x}", bfi(), csi.SEM(ordered=FIVE, conditional_x=False))
        found[x] = arrays_of(est)
        assert any(n.code == "N-X-JOINT" for n in est.notes)
    assert found["age"].test.statistic[0] == pytest.approx(found["z"].test.statistic[0], rel=1e-8)
    assert found["age"].test.statistic[0] == pytest.approx(SAVED["joint_z"]["chisq"], rel=1e-6)
    assert found["age"].scaled.statistic[0] == pytest.approx(SAVED["joint_z"]["chisq_scaled"], rel=1e-6)
    assert abs(SAVED["joint_raw"]["chisq"] - SAVED["joint_z"]["chisq"]) > 0.2


def test_lavaans_polyserial_of_years_is_not_the_maximum():
    rows = bfi().select("A2", "A1", "A3", "A4", "A5", "age").drop_nulls().to_numpy().astype(float)
    z = (rows[:, 5] - rows[:, 5].mean()) / rows[:, 5].std()
    codes = rows[:, 0].astype(int) - 1
    share = np.cumsum(np.bincount(codes)) / len(codes)
    cuts = np.concatenate([[-np.inf], ndtri(share[:-1]), [np.inf]])

    def likelihood(r):
        s = np.sqrt(1 - r * r)
        return np.log(ndtr((cuts[codes + 1] - r * z) / s) - ndtr((cuts[codes] - r * z) / s)).sum()

    assert likelihood(SAVED["joint_z"]["cor"][1]) > likelihood(SAVED["joint_raw"]["cor"][1]) + 0.02


def test_a_predictor_among_the_ordinal_items_is_given():
    est = csi.fit(MIMIC, bfi(), csi.SEM(ordered=(*FIVE, "gender")))
    assert dict(arrays_of(est).layout.table.rules.ordered) == dict.fromkeys(FIVE, 5)
    assert any(n.code == "N-X-GIVEN" for n in est.notes)


def test_rows_without_a_predictor_leave():
    frame = bfi().with_columns(age=pl.when(pl.int_range(pl.len()) < 100).then(None).otherwise(pl.col("age")))
    est = csi.fit(MIMIC, frame, csi.SEM(ordered=FIVE, missing="pairwise"))
    alone = csi.fit(MIMIC, frame[100:], csi.SEM(ordered=FIVE, missing="pairwise"))
    assert any(n.code == "N-X-ABSENT" for n in est.notes)
    np.testing.assert_allclose(est.values, alone.values, rtol=1e-9)
    np.testing.assert_allclose(est.std_error, alone.std_error, rtol=1e-7)


def test_cells_are_fitted_as_if_alone():
    model = "A =~ A1 + A2 + A3 + A4 + A5\nA ~ age"
    both = csi.fit(model, bfi(), csi.SEM(ordered=FIVE), by="gender")
    for s, value in enumerate(both.moments.cells["gender"].to_list()):
        alone = csi.fit(model, bfi().filter(pl.col("gender").cast(pl.String) == value), csi.SEM(ordered=FIVE))
        np.testing.assert_allclose(both.values[s], alone.values[0], rtol=1e-6, atol=1e-8)


@pytest.mark.slow
def test_bootstrap_errors_are_near_the_formulas():
    draw = np.random.default_rng(5)
    x = draw.normal(size=(500, 1))
    y = 0.5 * x + draw.normal(size=(500, 1)) + draw.normal(size=(500, 4))
    rows = pl.DataFrame(np.column_stack([y[:, :3] > 0.3, y[:, 3:], x]), schema=["a", "b", "c", "d", "x"])
    est = csi.fit("f =~ a + b + c + d\nf ~ x", rows, csi.SEM(ordered=("a", "b", "c"), std_lv=True))
    found = csi.bootstrap(est, n=200, seed=4)
    at = [n for n, r in enumerate(est.rows) if r.op in {"=~", "~"}]
    ratio = found.std_error[0][at] / est.std_error[0][at]
    assert ((ratio > 0.8) & (ratio < 1.3)).all()


def test_the_ladder_of_invariance_takes_predictors():
    found = csi.invariance("A =~ A1 + A2 + A3 + A4 + A5\nA ~ age", bfi(), "gender", csi.SEM(ordered=FIVE))
    assert found.table["chi2"].is_finite().all()
    assert found.table["df"].is_sorted()


@pytest.mark.parametrize("predictors", [("u", "v"), ("u",)])
def test_predictors_that_say_nothing_new_are_refused(predictors):
    frame = pl.DataFrame(made(200), schema=["a", "b", "c", "x", "w"]).with_columns(u=pl.lit(1.0), v=pl.col("x"))
    other = "x + v" if len(predictors) > 1 else "u"
    with pytest.raises(Problems) as told:
        csi.fit(f"f =~ a + b + c\nf ~ {other}", frame, csi.SEM(ordered=("a", "b")))
    assert [p.code for p in told.value.problems] == ["E-COLLINEAR" if len(predictors) > 1 else "E-CONSTANT"]


def test_moments_of_collinear_predictors_are_refused():
    rows = made(50)
    with pytest.raises(Problems) as told:
        conditional_moments(rows[:, [0, 3, 3]], np.ones(50), "a", (True,), ("x", "v"))
    assert [p.code for p in told.value.problems] == ["E-ORDINAL-GIVEN"]


def test_a_cell_whose_answers_are_separated_sits_out():
    frame = pl.DataFrame(made(300), schema=["a", "b", "c", "x", "w"]).with_columns(cell=pl.int_range(300) // 100)
    split = pl.when(pl.col("cell") == 1).then((pl.col("x") > 3).cast(pl.Float64)).otherwise(pl.col("b"))
    est = csi.fit("f =~ a + b + c\nf ~ x", frame.with_columns(b=split), csi.SEM(ordered=("a", "b")), by="cell")
    assert est.convergence.converged.tolist() == [True, False, True]
    assert est.convergence.reasons[1].code == "R-SEPARATED"
    assert np.isnan(est.values[1]).all()
    assert np.isfinite(est.values[[0, 2]]).all()


def test_a_cell_whose_predictor_is_constant_sits_out():
    frame = pl.DataFrame(made(300), schema=["a", "b", "c", "x", "w"]).with_columns(cell=pl.int_range(300) // 100)
    held = frame.with_columns(w=pl.when(pl.col("cell") == 0).then(1.0).otherwise(pl.col("w")))
    est = csi.fit("f =~ a + b + c\nf ~ x + w", held, csi.SEM(ordered=("a", "b")), by="cell")
    assert est.convergence.converged.tolist() == [False, True, True]
    assert est.convergence.reasons[0].code == "R-CONSTANT"


def test_replicates_that_cannot_be_fitted_are_counted():
    """Two of 40 rows have x = 1: resamples without them have no slope, others separate the answers."""
    draw = np.random.default_rng(1)
    f, x = draw.normal(size=(40, 1)), np.zeros(40)
    x[:2] = 1
    y = (f + draw.normal(size=(40, 4)) > 0).astype(float)
    y[:2] = [[0, 1, 0, 1], [1, 0, 1, 0]]
    rows = pl.DataFrame(np.column_stack([y, x]), schema=["a", "b", "c", "d", "x"])
    est = csi.fit("f =~ a + b + c + d\nf ~ x", rows, csi.SEM(ordered=tuple("abcd")))
    found = csi.bootstrap(est, n=100, seed=1)
    assert any("replicates" in n.text.en for n in found.notes)


def test_separated_answers_are_refused():
    frame = pl.DataFrame(made(200), schema=["a", "b", "c", "x", "w"]).with_columns(b=(pl.col("x") > 3).cast(pl.Float64))
    with pytest.raises(Problems) as told:
        csi.fit("f =~ a + b + c\nf ~ x", frame, csi.SEM(ordered=("a", "b")))
    assert [(p.code, p.where) for p in told.value.problems] == [("E-ORDINAL-SEPARATED", "item b")]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"conditional_x": True}, "E-SETTING"),
        ({"conditional_x": True, "fixed_x": False, "ordered": ("a",)}, "E-SETTING"),
        ({"conditional_x": "yes", "ordered": ("a",)}, "E-SETTING"),
    ],
)
def test_settings_that_do_not_go_together(settings, code):
    with pytest.raises(Problems) as told:
        csi.SEM(**settings)
    assert told.value.problems[0].code == code


def test_only_predictors_declared_ordinal():
    frame = pl.DataFrame(made(200), schema=["a", "b", "c", "x", "w"])
    with pytest.raises(Problems) as told:
        csi.fit("f =~ a + b + c\nf ~ w", frame, csi.SEM(ordered=("w",)))
    assert told.value.problems[0].code == "E-ROLE"


def test_fixed_x_false_models_predictors_jointly():
    frame = pl.DataFrame(made(300), schema=["a", "b", "c", "x", "w"])
    joint = csi.fit("f =~ a + b + c\nf ~ x", frame, csi.SEM(ordered=("a", "b"), fixed_x=False))
    said = csi.fit("f =~ a + b + c\nf ~ x", frame, csi.SEM(ordered=("a", "b"), conditional_x=False))
    np.testing.assert_array_equal(joint.values, said.values)
