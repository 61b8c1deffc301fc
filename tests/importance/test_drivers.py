from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.estimate.later import known
from csi.importance.drivers import GAIN, drivers, importance, largest_gain, quadrant_shares, quadrants
from csi.inference.bootstrap import bootstrap
from csi.models.model import Model
from csi.moments.stack import Moments
from csi.pls.estimator import PLS

REFERENCE = Path(__file__).parents[1] / "reference"
IPMA = json.loads((REFERENCE / "satisfaction/ipma.json").read_text(encoding="utf-8"))


def moments_of(folder, bounds=True):
    m = json.loads((REFERENCE / folder / "moments.json").read_text(encoding="utf-8"))
    n = np.array([float(m["n"])])
    low, high = (np.array(m[k]) if bounds else np.full(len(m["names"]), np.nan) for k in ("minimum", "maximum"))
    cells = pl.DataFrame({"n": [m["n"]]})
    return Moments(tuple(m["names"]), n, n, n, np.array(m["mean"])[None], np.array(m["cov"])[None], cells, low, high)


def model_of(folder):
    return Model.parse((REFERENCE / folder / "model.txt").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def bank():
    return fit(model_of("satisfaction"), moments_of("satisfaction"), PLS(tolerance=1e-10))


@pytest.fixture(scope="module")
def booted():
    rng = np.random.default_rng(7)
    use = rng.normal(size=300)
    joy = 0.6 * use + 0.8 * rng.normal(size=300)
    columns = {f"u{i}": use for i in range(3)} | {f"j{i}": joy for i in range(3)}
    frame = pl.DataFrame(
        {k: np.clip(np.round(6 + 1.5 * (v + 0.7 * rng.normal(size=300))), 1, 10) for k, v in columns.items()}
    )
    model = Model.parse("use =~ u0 + u1 + u2\njoy =~ j0 + j1 + j2\njoy ~ use")
    return bootstrap(fit(model, frame, PLS(), scale=(1, 10)), n=200, seed=3)


def test_map_agrees_with_csem(bank):
    result = drivers(bank, "SAT")
    names = IPMA["constructs"]
    for row in result.table.to_dicts():
        k = names.index(row["construct"])
        assert row["importance"] == pytest.approx(IPMA["importance"][names.index("SAT")][k], abs=1e-6)
        assert row["performance"] == pytest.approx(10 * IPMA["performance"][k], abs=1e-5)
        assert row["gain"] == pytest.approx(GAIN * row["importance"])
    assert result.target_performance[0] == pytest.approx(10 * IPMA["performance"][names.index("SAT")], abs=1e-5)


def test_items_agree_with_csem(bank):
    items = drivers(bank, "SAT").items
    assert len(items) == 19
    for row in items.to_dicts():
        k = IPMA["items"].index(row["item"])
        assert row["importance"] == pytest.approx(IPMA["item_importance"][k], abs=1e-6)
        assert row["performance"] == pytest.approx(10 * IPMA["item_performance"][k], abs=1e-9)
    sums = items.group_by("construct", maintain_order=True).agg(pl.col("weight").sum())["weight"].to_list()
    assert sums == pytest.approx([1.0] * 4)


def test_map_gives_the_printed_golden_numbers(bank):
    golden, result = IPMA["golden"], drivers(bank, "SAT")
    assert result.table["construct"].to_list() == golden["constructs"]
    assert result.table["performance"].to_list() == pytest.approx(golden["performance"], abs=5e-4)
    assert result.table["importance"].to_list() == pytest.approx(golden["importance"], abs=5e-5)
    assert result.table["importance_std"].to_list() == pytest.approx(golden["importance_std"], abs=5e-5)
    assert result.target_performance[0] == pytest.approx(golden["performance_target"], abs=5e-4)


def test_index_of_satisfaction_on_mobi():
    est = fit(model_of("mobi"), moments_of("mobi"), PLS(tolerance=1e-10))
    assert drivers(est, "Satisfaction").target_performance[0] == pytest.approx(72.454, abs=5e-4)


def test_unknown_target_is_a_problem_with_a_suggestion(bank):
    with pytest.raises(Problems, match='Did you mean "SAT"'):
        drivers(bank, "SATT")


def test_exogenous_target_is_a_problem(bank):
    with pytest.raises(Problems) as caught:
        drivers(bank, "IMAG")
    assert caught.value.problems[0].code == "E-TARGET"
    assert "驱动因素" in caught.value.problems[0].say("zh")


def test_unknown_bounds_leave_the_standardised_importance():
    result = drivers(fit(model_of("mobi"), moments_of("mobi", bounds=False), PLS()), "Satisfaction")
    assert set(result.table["reason"]) == {"no_bounds"}
    assert result.table["importance"].null_count() == result.table["performance"].null_count() == 4
    assert result.table["importance_std"].null_count() == 0
    assert np.isnan(result.target_performance[0])


def test_a_negative_weight_names_its_item(bank):
    weights = bank.solution.weights.copy()
    weights[0, 0] *= -1
    result = drivers(replace(bank, solved=known(replace(bank.solution, weights=weights))), "SAT")
    reasons = dict(result.table.select("construct", "reason").rows())
    assert reasons == {"IMAG": "negative_weight", "EXPE": None, "QUAL": None, "VAL": None}
    assert "imag1" in result.reasons["negative_weight"].say("en")
    assert result.items.filter(construct="IMAG")["importance"].null_count() == 5


def test_a_negative_weight_of_the_target_spoils_every_driver(bank):
    weights = bank.solution.weights.copy()
    weights[0, bank.solution.items.index("sat2")] *= -1
    result = drivers(replace(bank, solved=known(replace(bank.solution, weights=weights))), "SAT")
    assert set(result.table["reason"]) == {"negative_weight"}
    assert np.isnan(result.target_performance[0])


def test_intervals_hold_the_estimate_and_follow_the_seed(booted):
    row = drivers(booted, "joy").table.row(0, named=True)
    for name in ("importance", "importance_std", "performance", "gain"):
        assert row[f"{name}_conf_low"] < row[name] < row[f"{name}_conf_high"]
    again = drivers(booted, "joy").table.row(0, named=True)
    assert again == row
    draws = booted.replicates.mean[:, 0, :3]
    assert row["performance_conf_high"] - row["performance_conf_low"] < 100 / 9 * np.ptp(draws.mean(axis=1)) * 1.5


def test_importance_by_hand():
    paths = np.array([[0.0, 0, 0], [0.5, 0, 0], [0.2, 0.4, 0]])
    assert importance(paths, np.array([10.0, 20.0, 30.0]), 2).tolist() == pytest.approx([1.2, 0.6, 0.0])


def test_quadrants_split_at_the_means():
    places = quadrants(np.array([[0.6, 0.5, 0.1, 0.2, np.nan]]), np.array([[60.0, 80.0, 80.0, 60.0, 70.0]]))
    assert places == [["improve", "keep", "ease", "low", None]]


@pytest.mark.parametrize(("second", "expected"), [(0.4, None), (0.05, "use")])
def test_the_largest_gain_is_named_only_when_it_is_told_from_the_others(second, expected):
    """Two drivers with the same path cannot be ranked; one with eight times the path of the other can."""
    rng = np.random.default_rng(3)
    use, own = rng.normal(size=(2, 400))
    traits = {"u": use, "o": own, "j": 0.4 * use + second * own + 0.7 * rng.normal(size=400)}
    columns = {f"{t}{i}": 6 + 1.5 * (v + 0.5 * rng.normal(size=400)) for t, v in traits.items() for i in range(3)}
    frame = pl.DataFrame({k: np.clip(np.round(v), 1, 10) for k, v in columns.items()})
    model = Model.parse("use =~ u0 + u1 + u2\nown =~ o0 + o1 + o2\njoy =~ j0 + j1 + j2\njoy ~ use + own")
    est = fit(model, frame, PLS(), scale=(1, 10))
    assert largest_gain(bootstrap(est, n=200, seed=3), "joy") == expected
    assert largest_gain(est, "joy") is None


def test_importance_of_factors_is_in_points_of_what_the_scores_share():
    """PLSc on exact factor moments: a point of the factor, on the 0-100 scale of its score, moves the target by
    beta (a_y' l_y) / (a_x' l_x), with a the relative item weights and l the raw loadings times 100 / span.
    """
    loadings, block = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.85]), np.array([0, 0, 0, 1, 1, 1])
    factors, sd = np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([1.0, 2.0, 1.5, 1.2, 0.9, 1.4])
    R = np.outer(loadings, loadings) * factors[np.ix_(block, block)]
    np.fill_diagonal(R, 1.0)
    names = ["x1", "x2", "x3", "y1", "y2", "y3"]
    made = Moments.of(names, R * np.outer(sd, sd), n=500, mean=[6.0] * 6)
    data = replace(made, minimum=np.full(6, 1.0), maximum=np.full(6, 10.0))
    model = "x =~ x1 + x2 + x3; y =~ y1 + y2 + y3; y ~ x"
    est = fit(Model.parse(model), data, PLS(consistent=True, tolerance=1e-12))
    raw = est.solution.weights[0] / sd
    share = [sum(raw[block == k] * (loadings * sd)[block == k]) / sum(raw[block == k]) for k in (0, 1)]
    found = drivers(est, "y").table["importance"].item()
    assert found == pytest.approx(0.5 * share[1] / share[0], rel=1e-8)


def test_drivers_print_as_a_table_in_both_languages():
    rng = np.random.default_rng(4)
    score = np.repeat(rng.normal(size=(60, 1)) + rng.normal(size=(60, 3)), 2, axis=1)
    frame = pl.DataFrame(np.clip(np.round(6 + 1.2 * score + rng.normal(size=(60, 6))), 1, 10), schema=list("abcdef"))
    model = Model.parse("x =~ a + b; z =~ c + d; y =~ e + f; y ~ x + z")
    found = drivers(fit(model, frame, PLS(), scale=(1, 10)), "y")
    best = found.table.sort("gain", descending=True).row(0, named=True)
    for lang, words, sentence in (
        ("en", ("Associated with y", "importance", "performance", "Items"), f"{best['gain']:.2f} points of y"),
        ("zh", ("与 y 相关的驱动因素", "重要性", "表现", "题项"), f"y 相应高 {best['gain']:.2f} 分"),
    ):
        said = text(found, lang)
        assert all(w in said for w in words)
        assert sentence in said
        assert f"{best['importance']:.3f}" in said
    assert repr(found) == text(found)
    assert "shape:" not in repr(found)
    assert found.sentences[0].en.startswith(f"{best['construct']}: ")


def test_factors_of_a_covariance_model_have_standardised_drivers_and_a_sentence():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 200))
    y = 0.6 * a + 0.2 * b + 0.6 * rng.normal(size=200)
    rows = np.repeat([a, b, y], 3, axis=0).T + 0.6 * rng.normal(size=(200, 9))
    frame = pl.DataFrame(rows, schema=[f"{c}{i}" for c in "aby" for i in (1, 2, 3)])
    text = "A =~ a1 + a2 + a3; B =~ b1 + b2 + b3; Y =~ y1 + y2 + y3; Y ~ A + B"
    est = csi.fit(text, frame, csi.SEM())
    found = csi.drivers(est, "Y")
    size = est.table.filter(op="~", rhs="A")["std_all"][0]
    assert found.table.filter(construct="A")["importance_std"][0] == pytest.approx(size, abs=1e-9)
    en = f"A: one standard deviation more goes with {size:.2f} standard deviations of Y, the most of 2 drivers."
    assert found.sentences[0].en == en
    assert "2 个驱动因素中最多" in found.sentences[0].zh


def test_quadrants_have_shares_of_the_draws(booted):
    table = drivers(booted, "joy").table
    assert table["quadrant_share"].to_list() == [1.0]
    draws = np.array([[[0.6, 0.2]], [[0.1, 0.2]], [[np.nan, 0.2]]]), np.full((3, 1, 2), 70.0)
    assert quadrant_shares(*draws, ["keep", "ease"]).tolist() == pytest.approx([0.5, 1 / 3])
