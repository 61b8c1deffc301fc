"""Item response models: published and outside numbers, exact likelihoods, derivatives, and odd input."""

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

import csi
from csi.display import text
from csi.measures.response.curves import complete, information, log_curves, scores_of
from csi.measures.response.item_fit import score_likelihood
from csi.measures.response.marginal import expect, fit_marginal, grid, louis, patterns
from csi.measures.response.specified import jacobian, parameters, shape_of

REFERENCE = Path(__file__).parents[1] / "reference" / "item_response"
TOLD = json.loads((REFERENCE / "lsat.json").read_text("utf-8"))
ALL = np.array([[k >> (4 - j) & 1 for j in range(5)] for k in range(32)])
NAMES = list("abcde")


def lsat(name):
    return pl.DataFrame(np.repeat(ALL, TOLD["counts"][name], axis=0).astype(float), schema=NAMES)


@pytest.fixture(scope="module")
def six():
    return csi.irt(lsat("lsat6"), {"s": NAMES}, "2pl", scoring="map")


def answers(n=300, items=4, seed=3, cut=(-1.2, 0.0, 1.0), slope=1.6):
    """Graded answers 1 to 4 of one dimension."""
    rng = np.random.default_rng(seed)
    line = slope * rng.normal(size=(n, 1)) + 0.4 * np.arange(items)
    at = line[:, :, None] + rng.logistic(size=(n, items))[:, :, None] > slope * np.array(cut)
    return 1.0 + at.sum(axis=2)


def test_two_parameter_models_of_lsat_as_published(six):
    ltm = TOLD["ltm"]
    seven = csi.irt(lsat("lsat7"), {"s": NAMES}, "2pl")
    for found, name in ((six, "lsat6"), (seven, "lsat7")):
        assert found.fit["loglik"][0] == pytest.approx(TOLD["published"]["loglik"][name], abs=0.00052)
    np.testing.assert_allclose(six.table["a"], ltm["discrimination"], atol=1e-3)
    np.testing.assert_allclose(six.thresholds["b"], ltm["difficulty"], atol=4e-3)
    rows = dict(zip(["".join(map(str, r)) for r in np.repeat(ALL, TOLD["counts"]["lsat6"], axis=0)],
                    six.scores.select("theta", "std_error").rows(), strict=True))  # fmt: skip
    np.testing.assert_allclose([rows[p][0] for p in ltm["patterns"]], ltm["mode"], atol=2e-3)
    np.testing.assert_allclose([rows[p][1] for p in ltm["patterns"]], ltm["std_error"], atol=1e-3)
    own = np.stack([six.table["a"], -six.table["a"] * six.thresholds["b"]], axis=1)
    P, at = np.exp(log_curves("cumulative", own, grid().theta)), np.exp(grid().log_weight)
    due = [1000 * at @ np.prod([P[j, :, int(c)] for j, c in enumerate(p)], axis=0) for p in ltm["patterns"]]
    np.testing.assert_allclose(due, ltm["expected"], rtol=5e-3)


@pytest.mark.parametrize("name", ["lsat6", "lsat7"])
def test_rasch_models_as_lme4(name):
    told = TOLD["lme4"][name]
    found = csi.irt(lsat(name), {"s": NAMES}, "rasch")
    assert found.fit["loglik"][0] == pytest.approx(told["loglik"], abs=1e-6)
    assert found.fit["deviation"][0] == pytest.approx(told["deviation"], abs=1e-5)
    np.testing.assert_allclose(-found.thresholds["b"], told["easiness"], atol=1e-5)
    np.testing.assert_allclose(found.thresholds["std_error"], told["std_error"], atol=1e-3)
    assert found.table["a"].to_list() == [1.0] * 5
    assert found.table["infit"].is_between(0.95, 1.05).all()


def test_partial_credit_is_near_conditional_maximum_likelihood():
    """eRm assumes no distribution of people; where the model holds its thresholds agree to a fraction of an error."""
    told = json.loads((REFERENCE / "partial_credit.json").read_text("utf-8"))
    every = np.array([[k // 27, k // 9 % 3, k // 3 % 3, k % 3] for k in range(81)])
    frame = pl.DataFrame(np.repeat(every, told["counts"], axis=0).astype(float), schema=NAMES[:4])
    found = csi.irt(frame, {"s": NAMES[:4]}, "pcm")
    ours, theirs = found.thresholds["b"].to_numpy(), np.array(told["eRm"]["threshold"])
    np.testing.assert_allclose(ours - ours.mean(), theirs - theirs.mean(), atol=0.02)
    assert found.fit["deviation"][0] == pytest.approx(1.3, abs=2 * found.fit["deviation_std_error"][0])


@pytest.mark.parametrize("kind", ["grm", "gpcm", "pcm", "rsm"])
def test_gradients_and_information_are_derivatives(kind):
    """Scores and observed information by finite differences of the marginal likelihood, away from the maximum."""
    rows = answers(60).astype(np.int64) - 1
    rows[::7, 1] = -1
    shape, told, at = shape_of(kind, np.full(4, 4)), patterns(rows, np.linspace(0.5, 1.5, 60), np.full(4, 4)), grid(31)
    free = fit_marginal(shape, told, at).free + 0.05
    scores, info = louis(shape, free, expect(shape, free, told, at), told, at)
    slope, step = told.weight @ scores, 1e-5
    for k in range(0, free.size, 3):
        up, down = (free + s * np.eye(free.size)[k] * step for s in (1, -1))
        loglik = [expect(shape, f, told, at) for f in (up, down)]
        assert (loglik[0].loglik - loglik[1].loglik) / (2 * step) == pytest.approx(slope[k], abs=1e-5)
        ends = [told.weight @ louis(shape, f, e, told, at)[0] for f, e in zip((up, down), loglik, strict=True)]
        np.testing.assert_allclose((ends[1] - ends[0]) / (2 * step), info[k], atol=2e-5)
    J = jacobian(kind, shape, free)
    moved = [np.concatenate([np.ravel(np.concatenate([p[0][:, None], p[1]], axis=1)), [p[2]]])
             for p in (parameters(kind, shape.own(f), shape.used) for f in (free + step, free - step))]  # fmt: skip
    fixed = np.arange(0, 16, 4) if kind in ("pcm", "rsm") else [16]
    kept = np.setdiff1d(np.arange(17), fixed)
    np.testing.assert_allclose(((moved[0] - moved[1]) / (2 * step))[kept], J.sum(axis=1)[kept], atol=1e-6)


@pytest.mark.parametrize("family", ["cumulative", "adjacent"])
def test_curves_and_their_derivatives(family):
    own, theta = np.array([[1.2, 2.0, 0.5, -1.0], [-0.8, 0.3, -0.6, -np.inf]]), np.linspace(-3, 3, 7)
    counts = np.random.default_rng(1).random((2, 7, 4))
    counts[1, :, 3] = 0
    _, slope, _ = complete(family, own, theta, counts)
    np.testing.assert_allclose(np.einsum("iqc,iqcp->ip", counts, scores_of(family, own, theta)), slope, atol=1e-12)
    P, step = np.exp(log_curves(family, own, theta)), 1e-5
    by = (np.exp(log_curves(family, own, theta + step)) - np.exp(log_curves(family, own, theta - step))) / (2 * step)
    told = np.where(P > 1e-300, by**2 / np.maximum(P, 1e-300), 0).sum(axis=2)
    np.testing.assert_allclose(information(family, own, theta), told, atol=1e-8)
    np.testing.assert_allclose(P.sum(axis=2), 1)


def test_the_likelihood_is_exact():
    """By 80 Gauss-Hermite points and differences of logistic functions, with absent answers left out."""
    rows = answers(120)
    rows[np.random.default_rng(2).random(rows.shape) < 0.2] = np.nan
    found = csi.irt(pl.DataFrame(rows, schema=NAMES[:4]), {"s": NAMES[:4]})
    at, weight = np.polynomial.hermite_e.hermegauss(80)
    a, b = found.table["a"].to_numpy(), found.thresholds["b"].to_numpy().reshape(4, 3)
    above = expit(a[:, None, None] * (at - b[:, :, None]))
    cut = np.concatenate([np.ones((4, 1, 80)), above, np.zeros((4, 1, 80))], axis=1)
    P = cut[:, :-1] - cut[:, 1:]
    each = [np.prod([P[j, int(v) - 1] for j, v in enumerate(r) if np.isfinite(v)], axis=0) @ weight for r in rows
            if np.isfinite(r).any()]  # fmt: skip
    assert found.fit["loglik"][0] == pytest.approx(np.log(np.array(each) / np.sqrt(2 * np.pi)).sum(), abs=1e-6)
    theta = {r["row"]: r for r in found.scores.iter_rows(named=True)}[5]
    P5 = np.prod([P[j, int(v) - 1] for j, v in enumerate(rows[5]) if np.isfinite(v)], axis=0) * weight
    assert theta["theta"] == pytest.approx(P5 @ at / P5.sum(), abs=1e-6)
    assert theta["answered"] == np.isfinite(rows[5]).sum()


@pytest.mark.skipif("CSI_REFERENCE_DIR" not in os.environ, reason="row-level data: set CSI_REFERENCE_DIR")
def test_graded_thresholds_are_near_those_of_ordinal_factor_analysis():
    """Logistic slopes over 1.702 are nearly probit loadings: lavaan's marginal thresholds within .06 (approximate)."""
    folder = Path(os.environ["CSI_REFERENCE_DIR"])
    told = json.loads((folder / "reference" / "ordinal_bfi.json").read_text("utf-8"))["thresholds"]
    frame = pl.read_csv(folder / "data" / "bfi" / "bfi.csv", null_values=["NA"], infer_schema_length=3000)
    items = [f"N{k}" for k in range(1, 6)]
    found = csi.irt(frame, {"N": items})
    ours = found.thresholds.select("item", "step", "threshold").rows()
    np.testing.assert_allclose([t for *_, t in ours], [told[f"{i}|t{k}"] for i, k, _ in ours], atol=0.06)


def test_weights_are_repeated_rows():
    rows, times = answers(80), np.random.default_rng(4).integers(1, 4, 80)
    once = pl.DataFrame(rows, schema=NAMES[:4]).with_columns(w=times.astype(float), person=np.arange(80))
    again = once[np.repeat(np.arange(80), times)]
    weighed = csi.irt(once, {"s": NAMES[:4]}, weight="w")
    repeated = csi.irt(again, {"s": NAMES[:4]}, unit="person")
    np.testing.assert_allclose(weighed.table["a"], repeated.table["a"], atol=1e-6)
    np.testing.assert_allclose(weighed.table["a_std_error"], repeated.table["a_std_error"], rtol=1e-5)
    assert weighed.errors == repeated.errors == "sandwich"
    assert weighed.table["s_x2"].null_count() == 4
    assert set(weighed.table["s_x2_reason"]) == set(weighed.fit["m2_reason"]) == {"R-IRT-WEIGHTS"}
    assert "N-IRT-WEIGHTS" in {n.code for n in weighed.notes}


def test_errors_agree_where_the_model_holds():
    frame = pl.DataFrame(answers(1500), schema=NAMES[:4])
    told = [csi.irt(frame, {"s": NAMES[:4]}, se=se).table["a_std_error"].to_numpy()
            for se in ("observed", "cross-product", "sandwich")]  # fmt: skip
    np.testing.assert_allclose(told[1], told[0], rtol=0.1)
    np.testing.assert_allclose(told[2], told[0], rtol=0.1)
    assert not np.array_equal(told[1], told[0])


def test_m2_and_s_x2_by_all_patterns(six):
    """M2 of two categories from the 32 cells and numerical slopes; S-X2 cells by adding up patterns."""
    a, d = six.table["a"].to_numpy(), (-six.table["a"] * six.thresholds["b"]).to_numpy()

    def cells(free):
        P = expit(free[:5, None] * grid().theta + free[5:, None])
        each = np.prod(np.where(ALL[:, :, None] == 1, P, 1 - P), axis=1)
        return each @ np.exp(grid().log_weight)

    free, step, n = np.concatenate([a, d]), 1e-5, 1000
    pairs = np.array([ALL[:, i] * ALL[:, j] for i in range(5) for j in range(i + 1, 5)])
    T = np.concatenate([ALL.T, pairs]).astype(float)
    pi = cells(free)
    by = T @ np.stack([(cells(free + step * e) - cells(free - step * e)) / (2 * step) for e in np.eye(10)], axis=1)
    spread = T @ (np.diag(pi) - np.outer(pi, pi)) @ T.T
    left = T @ (np.array(TOLD["counts"]["lsat6"]) / n - pi)
    inner = np.linalg.inv(spread)
    C = inner - inner @ by @ np.linalg.solve(by.T @ inner @ by, by.T @ inner)
    assert six.fit["m2"][0] == pytest.approx(n * left @ C @ left, rel=1e-5)
    assert six.fit["m2_df"][0] == 5
    P = np.exp(log_curves("cumulative", np.stack([a, d], axis=1), grid().theta))
    score = score_likelihood(P, np.full(5, 2)) @ np.exp(grid().log_weight)
    np.testing.assert_allclose(score, np.bincount(ALL.sum(axis=1), pi), atol=1e-12)
    seen, due = (np.array([[w[(ALL.sum(1) == s) & (ALL[:, 0] == c)].sum() for c in (0, 1)] for s in range(1, 5)])
                 for w in (np.array(TOLD["counts"]["lsat6"], float), pi))  # fmt: skip
    due = due / due.sum(axis=1, keepdims=True) * seen.sum(axis=1, keepdims=True)
    assert due.min() > 1
    assert six.table["s_x2"][0] == pytest.approx(((seen - due) ** 2 / due).sum(), rel=1e-6)


def test_what_cannot_be_fitted_has_a_reason_and_the_rest_is_fitted():
    rows = answers(200, 6)
    frame = pl.DataFrame(rows, schema=[*NAMES, "f"]).with_columns(
        same=pl.lit(3.0), many=pl.Series(np.arange(200) / 7), gap=pl.col("a").replace(2.0, 3.0), twin=pl.col("b")
    )
    scales = {"one": ["a"], "two": ["a", "b"], "flat": ["a", "b", "c", "same", "many"], "gap": ["gap", "b", "c"],
              "twins": ["b", "twin", "c"]}  # fmt: skip
    found = csi.irt(frame, scales)
    reasons = dict(found.fit.select("construct", "reason").rows())
    assert reasons == {"one": "R-IRT-ITEMS", "two": None, "flat": None, "gap": None, "twins": None}
    left = found.table.filter(construct="flat").select("item", "reason").rows()
    assert left[3:] == [("same", "R-CONSTANT"), ("many", "R-IRT-CATEGORIES")]
    assert found.table.filter(construct="two")["a"].n_unique() == 1
    assert found.table.filter(item="gap")["categories"].item() == 3
    said = {n.code: n.say() for n in found.notes}
    assert said["N-IRT-UNUSED"].startswith("gap: nobody answered 2;")
    assert {"N-IRT-ONE-SLOPE", "W-IRT-STEEP"} <= set(said)
    assert "b, twin" in said["W-IRT-STEEP"]
    assert "可用题项 1 个" in text(found, "zh")
    told = csi.irt(frame.select("b", "c", "d"), {"s": ["b", "c", "d"]}).fit.row(0, named=True)
    assert (told["m2_kind"], told["m2_reason"]) == ("M2", None)
    two = csi.irt(frame.select((pl.col("b", "c", "d") > 2).cast(float)), {"s": ["b", "c", "d"]}, "2pl")
    assert (two.fit["m2"][0], two.fit["m2_reason"][0]) == (None, "R-IRT-DF")
    few = csi.irt(frame[:4], {"all": NAMES})
    assert few.fit["reason"].to_list() == ["R-IRT-FEW"]
    assert csi.irt(frame, {"all": NAMES}, "2pl").table["reason"].to_list() == ["R-IRT-TWO"] * 5
    with pytest.raises(csi.Problems, match="Did you mean"):
        csi.irt(frame, {"all": NAMES}, "grn")


def test_reversed_items_are_told_and_theta_goes_with_the_most():
    rows = answers(400)
    rows[:, 0] = 5 - rows[:, 0]
    frame = pl.DataFrame(rows, schema=NAMES[:4])
    found = csi.irt(frame, {"s": NAMES[:4]})
    assert (found.table["a"] > 0).to_list() == [False, True, True, True]
    assert "W-IRT-NEGATIVE" in {n.code for n in found.notes}
    assert np.corrcoef(found.scores["theta"], frame["b"])[0, 1] > 0.5
    against = csi.irt(frame.select("a", "b"), {"s": ["a", "b"]}, "pcm")
    assert against.fit["reason"].to_list() == ["R-IRT-FLAT"]


def test_thresholds_out_of_order_and_categories_that_are_never_the_likeliest():
    """A middle category that hardly anybody takes: its steps are out of order in pcm; in grm it is never modal."""
    rng = np.random.default_rng(6)
    rows = answers(600)
    rare = (rows[:, 0] == 2) & (rng.random(600) < 0.8)
    rows[rare, 0] = 3
    frame = pl.DataFrame(rows, schema=NAMES[:4])
    steps = csi.irt(frame, {"s": NAMES[:4]}, "pcm")
    assert steps.thresholds.filter(ordered=False).select("item", "category").rows() == [("a", "3")]
    graded = csi.irt(frame, {"s": NAMES[:4]})
    assert graded.thresholds["ordered"].null_count() == graded.thresholds.height
    assert ("a", "2") in graded.categories.filter(modal=False).select("item", "category").rows()
    assert "a: thresholds out of order at 3." in text(steps)


def test_information_leaves_the_errors_of_scores(six):
    assert six.test["information"].to_numpy() == pytest.approx(six.test["std_error"].to_numpy() ** -2)
    total = six.information.group_by("theta", maintain_order=True).agg(pl.col("information").sum())
    np.testing.assert_allclose(total["information"], six.test["information"])
    assert six.curves.group_by("item", "theta").agg(pl.col("probability").sum())["probability"].to_numpy() == (
        pytest.approx(1)
    )
    assert 0 < six.fit["reliability_marginal"][0] < six.fit["reliability_empirical"][0] < 1
