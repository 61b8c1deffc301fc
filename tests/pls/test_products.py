"""Products of constructs: against seminr, against regressions on the rows, in replicates, and what makes no sense."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.inference.resample import plan_of
from csi.models.model import Model
from csi.pls import products
from csi.pls.composed_problems import composed_problems
from csi.pls.estimator import PLS
from tests.pls.test_higher_order import estimates
from tests.pls.test_parity import moments_case

REFERENCE = Path(__file__).parent.parent / "reference/composed"
WAYS = ("two-stage", "product", "orthogonal")
PLAIN = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
"""
DOUBLE = PLAIN + "Satisfaction ~ Image + Expectation + Value + Image:Expectation + Image:Value"
SINGLE = PLAIN.replace("Expectation =~ CUEX1 + CUEX2 + CUEX3\n", "") + "Satisfaction ~ Image + Value + Image:Value"
NICK = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Value =~ PERV1 + PERV2
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Nick =~ Quality + Loyalty
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Satisfaction ~ Image + Expectation + Value + Nick + Image:Expectation
"""
SMALL = "x =~ x1 + x2; z =~ z1 + z2; y =~ y1 + y2; "


@pytest.fixture(scope="module")
def mobi() -> pl.DataFrame:
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: products need the rows")
    return pl.read_csv(Path(place) / "data/mobi/mobi.csv")


def expected(case: str) -> Any:
    return json.loads((REFERENCE / "products.json").read_text("utf-8"))[case]


@pytest.mark.parametrize(
    ("case", "text", "settings"),
    [
        ("two_stage", DOUBLE, PLS()),
        ("product_indicator", DOUBLE, PLS(interaction="product")),
        ("orthogonal", DOUBLE, PLS(interaction="orthogonal")),
        ("two_stage_single", SINGLE, PLS()),
        ("two_stage_single_PLSc", SINGLE, PLS(consistent=True)),
    ],
)
def test_agrees_with_seminr(case: str, text: str, settings: PLS, mobi: pl.DataFrame) -> None:
    """seminr's path of a product is per unit of the product of scores (with PLSc per standard deviation of it)."""
    saved = expected(case)
    est = fit(text, mobi, settings)
    solution = est.solution
    names = [n.replace(":", "*") for n in solution.constructs]
    assert solution.spread is not None
    for (outcome, predictor), value in estimates(est, "~").items():
        unit = solution.spread[0, solution.constructs.index(predictor)] if settings.consistent else 1.0
        assert value * unit == pytest.approx(saved["path_coef"][f"{predictor.replace(':', '*')}|{outcome}"], abs=1e-6)
    for op, part in (("<~", "outer_weights"), ("=~", "outer_loadings")):
        for (lhs, rhs), value in estimates(est, op).items():
            if op == "<~" or ":" not in lhs:
                assert value == pytest.approx(saved[part][f"{rhs}|{lhs.replace(':', '*')}"], abs=1e-6)
    for pair, value in saved["construct_correlations"].items():
        one, other = (names.index(n) for n in pair.split("|"))
        assert solution.score_cor[0, one, other] == pytest.approx(value, abs=1e-6), pair
    assert solution.r2[0, names.index("Satisfaction")] == pytest.approx(saved["r2"], abs=1e-6)


def test_a_product_beside_a_higher_order_construct_agrees_with_seminr(mobi: pl.DataFrame) -> None:
    """seminr's own fixture: scores for the product come from the last stage without it."""
    paths = estimates(fit(NICK, mobi, PLS()), "~")
    found = {f"{x.replace(':', '*')}|{y}": v for (y, x), v in paths.items()}
    assert found == pytest.approx(expected("higher_order_two_stage")["path_coef"], abs=1e-6)


def test_orthogonal_products_beside_factors_agree_with_seminr(mobi: pl.DataFrame) -> None:
    """seminr's own fixture, printed with three digits: PLSc, Expectation by a single item."""
    saved = expected("orthogonal_PLSc_printed")
    text = (
        PLAIN.replace("CUEX1 + CUEX2 + CUEX3", "CUEX3")
        + "Satisfaction ~ Image + Expectation + Value + Image:Expectation"
    )
    est = fit(text, mobi, PLS(interaction="orthogonal", consistent=True))
    paths, solution = estimates(est, "~"), est.solution
    assert solution.spread is not None
    unit = solution.spread[0, solution.constructs.index("Image:Expectation")]
    for name in ("Image", "Expectation", "Value"):
        assert paths["Satisfaction", name] == pytest.approx(saved[name], abs=5.1e-4)
    assert paths["Satisfaction", "Image:Expectation"] * unit == pytest.approx(saved["Image*Expectation"], abs=5.1e-4)
    assert solution.r2[0, solution.constructs.index("Satisfaction")] == pytest.approx(saved["R^2"], abs=5.1e-4)


def rows(n: int = 90, seed: int = 2) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x, z, e = rng.normal(size=(3, n))
    z = 0.4 * x + 0.9 * z
    y = 0.5 * x + 0.3 * z + 0.3 * x * z + 0.7 * e
    noise = rng.normal(size=(6, n))
    columns = [f + 0.5 * u for f, u in zip((x, x, z, z, y, y), noise, strict=True)]
    return pl.DataFrame(np.round(np.array(columns).T * 2 + 5, 1), schema=["x1", "x2", "z1", "z2", "y1", "y2"])


def test_two_stages_by_hand() -> None:
    """Scores by numpy, their product as one more item, the same estimator: the same paths; quadratic likewise."""
    frame, settings = rows(), PLS(tolerance=1e-12, max_iterations=1000)
    main = fit(SMALL + "y ~ x + z", frame, settings).solution
    W = main.item_weights
    assert W is not None
    raw = frame.select(main.items).to_numpy()
    scores = (raw - raw.mean(axis=0)) / raw.std(axis=0, ddof=1) @ W[0]
    for name, made in (("x:z", scores[:, 0] * scores[:, 1]), ("x:x", scores[:, 0] ** 2)):
        est = fit(SMALL + f"y ~ x + z + {name}", frame, settings)
        by_hand = fit(SMALL + "p =~ p1; y ~ x + z + p", frame.with_columns(p1=pl.Series(made)), settings)
        ours, theirs = estimates(est, "~"), estimates(by_hand, "~")
        assert ours["y", name] == pytest.approx(theirs["y", "p"] / made.std(ddof=1), abs=1e-10)
        assert ours["y", "x"] == pytest.approx(theirs["y", "x"], abs=1e-10)
        assert est.solution.spread is not None
        assert est.solution.spread[0, -1] == pytest.approx(made.std(ddof=1), abs=1e-10)
    assert any(n.code == "N-QUADRATIC" for n in est.notes)


def test_orthogonal_products_are_uncorrelated_with_their_items() -> None:
    solution = fit(SMALL + "y ~ x + z + x:z", rows(), PLS(interaction="orthogonal")).solution
    np.testing.assert_allclose(solution.construct_cor[0, 3, :2], 0.0, atol=1e-12)
    assert abs(solution.construct_cor[0, 3, 2]) > 0.01


def test_three_constructs_multiplied() -> None:
    text = SMALL + "w =~ w1; y ~ x + z + w + x:z + x:w + z:w + x:z:w"
    frame = rows().with_columns(w1=pl.Series(np.random.default_rng(9).normal(size=90)))
    est = fit(text, frame, PLS())
    assert np.isfinite(est.values).all()
    assert est.solution.constructs[-1] == "x:z:w"


@pytest.mark.parametrize("way", WAYS)
def test_a_replicate_is_the_fit_of_its_rows(way: Any) -> None:
    """Replicates form their own means, weights and products: a resample fitted alone gives the replicate's numbers."""
    text, frame = SMALL + "y ~ x + z + x:z", rows()
    est = fit(text, frame, PLS(interaction=way))
    boot = bootstrap(est, 100, seed=4, resampling="bayesian")
    assert boot.replicates is not None
    assert est.sample is not None
    _, drawn = next(plan_of(est.sample, 100, 4, "bayesian").blocks())
    for number in (0, 63):
        place = est.sample.place if est.sample.place is not None else np.arange(90)
        weighted = frame[place.tolist()].with_columns(w=pl.Series(drawn[number]))
        alone = fit(text, weighted, PLS(interaction=way), weight="w")
        np.testing.assert_allclose(boot.replicates.values[number, 0], alone.values[0], atol=1e-6)


def test_batches_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    est = fit(SMALL + "y ~ x + z + x:z", rows(), PLS())
    whole = bootstrap(est, 100, seed=4)
    monkeypatch.setattr(products, "BATCH", 1)
    np.testing.assert_array_equal(whole.values, bootstrap(est, 100, seed=4).values)
    assert whole.replicates is not None
    again = bootstrap(est, 100, seed=4).replicates
    assert again is not None
    np.testing.assert_array_equal(whole.replicates.values, again.values)


def test_cells_are_fitted_as_if_alone() -> None:
    frame = pl.concat([rows(seed=1).with_columns(g=pl.lit("a")), rows(seed=2).with_columns(g=pl.lit("b"))])
    for way in WAYS:
        both = fit(SMALL + "y ~ x + z + x:z", frame, PLS(interaction=way), by="g")
        alone = fit(SMALL + "y ~ x + z + x:z", rows(seed=2), PLS(interaction=way))
        np.testing.assert_allclose(both.values[1], alone.values[0], atol=1e-9)


TEXT = SMALL + "y ~ x + z + x:z"


def single(n: int = 400) -> pl.DataFrame:
    """Single items; y is absent where x is high."""
    rng = np.random.default_rng(8)
    x, e = rng.standard_normal((2, n))
    z = 0.4 * x + rng.standard_normal(n)
    frame = pl.DataFrame({"x": x, "z": z, "y": 0.4 * x + 0.3 * z + 0.35 * x * z + e})
    return frame.with_columns(y=pl.when(pl.col("x") > 0.5).then(None).otherwise("y"))


ONE = "X =~ x; Z =~ z; Y =~ y; Y ~ X + Z + X:Z"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("missing", ["em", "pairwise", "mean"])
def test_absent_answers(way: str, missing: str) -> None:
    """Without absences every way of treating them is the same; with some all have a solution."""
    full, frame = rows(), rows().with_columns(x1=pl.when(pl.int_range(90) < 5).then(None).otherwise(pl.col("x1")))
    settings = PLS(missing=missing, interaction=way)
    plain = fit(TEXT, full, PLS(interaction=way))
    np.testing.assert_allclose(fit(TEXT, full, settings).values, plain.values, atol=1e-12)
    found = fit(TEXT, frame, settings)
    assert np.isfinite(found.values).all()
    assert 0 < np.abs(found.values - plain.values).max() < 0.3


def test_absent_outcomes_by_em_are_those_of_the_factored_likelihood() -> None:
    """Anderson (1957): where y alone is absent, maximum likelihood regresses y in the rows that have it."""
    frame = single()
    est = fit(ONE, frame, PLS(missing="em"))
    x, z, y = frame["x"].to_numpy(), frame["z"].to_numpy(), frame["y"].to_numpy()
    there, n = np.isfinite(y), len(frame)
    items = np.column_stack([x, z])
    S = np.cov(items.T, ddof=0)
    design = np.column_stack([np.ones(n), items])
    slope = np.linalg.lstsq(design[there], y[there])[0]
    left = np.mean((y[there] - design[there] @ slope) ** 2)
    var_y, cov_y = slope[1:] @ S @ slope[1:] + left, S @ slope[1:]
    Z = (items - items.mean(axis=0)) / np.sqrt(np.diag(S)) * np.sqrt((n - 1) / n)
    product = Z[:, 0] * Z[:, 1]
    wide = np.column_stack([items, product])
    slopes = np.linalg.lstsq(np.column_stack([np.ones(n), wide])[there], y[there])[0][1:]
    with_y = np.cov(wide.T, ddof=0) @ slopes
    sd = np.sqrt(np.append(np.diag(S), product.var()))
    R = np.corrcoef(wide.T)
    r = np.append(cov_y, with_y[2]) / sd / np.sqrt(var_y)
    path = np.linalg.solve(R, r)
    path[2] /= product.std() * np.sqrt(n / (n - 1))
    np.testing.assert_allclose(est.solution.paths[0, 2, [0, 1, 3]], path, atol=1e-8)


def test_pairwise_products_by_hand() -> None:
    frame = single().with_columns(x=pl.when(pl.int_range(400) < 30).then(None).otherwise("x"))
    est = fit(ONE, frame, PLS(missing="pairwise"))
    table = frame.to_numpy()
    kept = ~np.isnan(table).all(axis=1)
    table = table[kept]
    Z = (table - np.nanmean(table, axis=0)) / np.nanstd(table, axis=0)
    rows_ = np.column_stack([Z[:, 0], Z[:, 1], Z[:, 0] * Z[:, 1], Z[:, 2]])
    R = np.eye(4)
    for i in range(4):
        for j in range(i):
            both = np.isfinite(rows_[:, i]) & np.isfinite(rows_[:, j])
            R[i, j] = R[j, i] = np.corrcoef(rows_[both, i], rows_[both, j])[0, 1]
    path = np.linalg.solve(R[:3, :3], R[:3, 3])
    n = len(table)
    path[2] /= np.nanstd(rows_[:, 2]) * np.sqrt((n - 1) / n)
    np.testing.assert_allclose(est.solution.paths[0, 2, [0, 1, 3]], path, atol=1e-9)


@pytest.mark.parametrize("missing", ["em", "pairwise"])
def test_replicates_of_incomplete_products(missing: str) -> None:
    """Every replicate is the fit of its own weights; batches and the order of rows do not matter."""
    frame = rows().with_columns(x1=pl.when(pl.int_range(90) < 9).then(None).otherwise(pl.col("x1")))
    est = fit(TEXT, frame, PLS(missing=missing))
    boot = bootstrap(est, 100, seed=3, resampling="bayesian")
    other = fit(TEXT, frame.sample(fraction=1, shuffle=True, seed=2), PLS(missing=missing))
    mixed = bootstrap(other, 100, seed=3, resampling="bayesian")
    assert boot.replicates is not None
    assert mixed.replicates is not None
    assert est.sample is not None
    np.testing.assert_array_equal(boot.replicates.values, mixed.replicates.values)
    _, drawn = next(plan_of(est.sample, 100, 3, "bayesian").blocks())
    place = np.arange(90) if est.sample.place is None else est.sample.place
    weighted = frame[place.tolist()].with_columns(w=pl.Series(drawn[7]))
    alone = fit(TEXT, weighted, PLS(missing=missing), weight="w")
    np.testing.assert_allclose(boot.replicates.values[7, 0], alone.values[0], atol=1e-6)


def test_a_resample_without_variance_has_no_products() -> None:
    """An item that is constant but for a row or two: resamples without them are left out, the others stand."""
    place = pl.int_range(90)
    y1 = pl.when(place < 2).then(9.0).otherwise(5.0)
    frame = rows().with_columns(y1=y1, x1=pl.when(place > 85).then(None).otherwise("x1"))
    boot = bootstrap(fit(TEXT, frame, PLS(missing="em")), 100, seed=1)
    assert boot.replicates is not None
    assert 0 < boot.replicates.usable.sum() < 100


def problems_of(text: str, settings: PLS | None = None) -> str:
    with pytest.raises(Problems) as caught:
        fit(text, rows(), settings or PLS())
    assert all(p.say("zh") != p.say("en") for p in caught.value.problems)
    return " ".join(p.say("en") for p in caught.value.problems)


def test_what_makes_no_sense() -> None:
    assert "Q" in problems_of(SMALL + "y ~ x + z + Q:x")
    assert "quadratic" in problems_of(SMALL + "y ~ x + z + x:x:x")
    assert "product of itself" in problems_of(SMALL + "y ~ x + z + x:y")
    assert "without z" in problems_of(SMALL + "y ~ x + x:z; z ~ x")
    assert "two-stage" in problems_of(SMALL + "y ~ x + z + x:x + x:z + x:z:z", PLS(interaction="product"))
    assert "Write y ~ x + z + x:z." in problems_of(SMALL + "y ~ x + x:z; z ~ x")
    assert "Write y ~ z + x + x:z." in problems_of(SMALL + "y ~ z + x:z")
    higher = "a =~ x1 + x2; b =~ z1 + z2; h =~ a + b; y =~ y1 + y2; y ~ h + "
    assert "component" in problems_of(higher + "a:h")
    assert "no items of its own" in problems_of(higher + "h:h", PLS(interaction="orthogonal"))
    assert np.isfinite(fit(higher + "h:h", rows(), PLS()).values).all()


def test_a_product_of_three_needs_its_products_of_two() -> None:
    def said(paths: str) -> str:
        return " ".join(p.say() for p in composed_problems(Model.parse(SMALL + "w =~ w1; y ~ " + paths)))

    lone = said("x + z + w + x:z:w")
    assert "without x:z, x:w, z:w themselves" in lone
    assert "Write y ~ x + z + w + x:z + x:w + z:w + x:z:w." in lone
    assert "without x:w themselves" in said("x + z + w + z:x + w:z + x:z:w")
    assert "without x:x themselves" in said("x + z + x:z + x:z:x")
    assert not said("x + z + x:x + z:x + x:z:x")
    assert not said("x + z + w + z:x + w:z + w:x + x:z:w")


def test_moments_alone_have_no_products() -> None:
    with pytest.raises(Problems) as caught:
        fit(DOUBLE, moments_case("mobi"), PLS())
    assert caught.value.problems[0].code == "E-ROWS"
    assert "bootstrap" not in caught.value.problems[0].say("en")
