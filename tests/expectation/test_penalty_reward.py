"""Penalty-reward contrasts: golden numbers, an outside regression, recovery, designs, cells, what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.expectation.penalty_resampled import classes, contrasts, impact, marks, quantiles_of
from csi.survey.codebook import Codebook, Item, Scale

SQ = json.loads((Path(__file__).parents[1] / "reference/sq/penalty_reward.json").read_text(encoding="utf-8"))
HUNDRED = Scale("hundred", 0, 100)
NAMES = ("speed", "advice", "price")


def panel_of(columns, scale=HUNDRED, constructs=None, **keys):
    """Items of one construct each (or of `constructs`), with their own names in zh."""
    of = constructs or {c: c for c in columns}
    items = tuple(Item(c, of[c], scale, Text(c.title(), f"题{c}"), c if constructs else "") for c in columns)
    labels = {c: Text(c.title(), f"构念{c}") for c in dict.fromkeys(of.values())}
    frame = pl.DataFrame({**keys, **columns}).with_columns(pl.col(list(columns)).cast(pl.Float64))
    reasons = pl.DataFrame({c: [None] * frame.height for c in columns}, schema=dict.fromkeys(columns, pl.String))
    roles = {k: k for k in keys}
    return csi.Panel(frame, Codebook(items, labels, roles), reasons)


def answers(n=600, seed=1):
    """Speed only costs, advice only adds, price does both; satisfaction by these steps."""
    rng = np.random.default_rng(seed)
    x = {name: rng.choice(np.arange(0.0, 101, 10), n) for name in NAMES}
    y = 50 + rng.normal(0, 5, n)
    y += np.where(x["speed"] <= 20, -15.0, 0) + np.where(x["advice"] >= 80, 15.0, 0)
    y += np.where(x["price"] <= 20, -8.0, 0) + np.where(x["price"] >= 80, 8.0, 0)
    return {**x, "satisfaction": np.clip(y, 0, 100)}


@pytest.fixture(scope="module")
def found():
    return csi.penalty_reward(panel_of(answers()), NAMES, cuts=(20, 80), replicates=200)


def row(frame, name, **more):
    return frame.filter(name=name, **more).row(0, named=True)


@pytest.fixture(scope="module")
def sq():
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder or not Path(folder, "data/csem/SQ.csv").exists():
        pytest.skip("the SQ rows are read from CSI_REFERENCE_DIR")
    rows = pl.read_csv(Path(folder, "data/csem/SQ.csv")).cast(pl.Float64)
    sizes = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}
    of = [d for d, k in sizes.items() for _ in range(k)]
    constructs = {**dict(zip(rows.columns[:22], of, strict=True)), "sat": "satisfaction"}
    panel = panel_of({c: rows[c].to_numpy() for c in rows.columns}, constructs=constructs)
    return csi.penalty_reward(panel, list(sizes), errors="hc3", replicates=100)


def test_sq_has_the_golden_numbers(sq):
    for name, (penalty, reward, ia) in SQ["printed"].items():
        mine = row(sq.table, name)
        assert (mine["penalty"], mine["reward"], mine["ia"]) == pytest.approx((penalty, reward, ia), abs=5e-4)


def test_sq_agrees_with_r_to_eight_digits(sq):
    for name in SQ["ia"]:
        mine = row(sq.table, name)
        for column in ("penalty", "reward", "penalty_std_error", "reward_std_error", "ia"):
            assert mine[column] == pytest.approx(SQ[column][name], abs=1e-8), (name, column)
        assert (mine["n_low"], mine["n_high"]) == (SQ["n_low"][name], SQ["n_high"][name])
        assert (mine["low"], mine["high"]) == pytest.approx((SQ["low"][name], SQ["high"][name]))
    assert sq.fits["r2"].item() == pytest.approx(SQ["r2"], abs=1e-10)


@pytest.mark.parametrize(("errors", "theirs_are"), [("hc3", "HC3"), ("robust", "HC2"), ("classical", "nonrobust")])
def test_slopes_errors_and_tests_are_those_of_statsmodels(errors, theirs_are):
    data = answers()
    found = csi.penalty_reward(panel_of(data), NAMES, cuts=(20, 80), errors=errors, replicates=100)
    low = [(data[n] <= 20).astype(float) for n in NAMES]
    high = [(data[n] >= 80).astype(float) for n in NAMES]
    X = sm.add_constant(np.column_stack([*low, *high]))
    theirs = sm.OLS(data["satisfaction"], X).fit(cov_type=theirs_are, use_t=True)
    bounds = theirs.conf_int()
    near = 1e-6 if errors != "robust" else 2e-2  # degrees of freedom by Bell & McCaffrey, not n - k
    for at, name in enumerate(NAMES):
        mine = row(found.table, name)
        for side, k in (("penalty", 1 + at), ("reward", 4 + at)):
            assert mine[side] == pytest.approx(theirs.params[k], abs=1e-9)
            assert mine[f"{side}_std_error"] == pytest.approx(theirs.bse[k], rel=1e-9)
            reach = (bounds[k][1] - bounds[k][0]) / 2
            assert (mine[f"{side}_high"] - mine[f"{side}_low"]) / 2 == pytest.approx(reach, rel=near)
        both = np.zeros(7)
        both[[1 + at, 4 + at]] = 1
        assert mine["p_symmetric"] == pytest.approx(float(theirs.t_test(both).pvalue), abs=near)


def test_planted_classes_are_found(found):
    assert row(found.table, "speed")["penalty"] == pytest.approx(-15, abs=2)
    assert row(found.table, "advice")["reward"] == pytest.approx(15, abs=2)
    assert row(found.table, "price")["ia"] == pytest.approx(0, abs=0.15)
    assert row(found.table, "speed")["p_dissatisfier"] + row(found.table, "speed")["p_unclassified"] == pytest.approx(1)
    shares = found.table.select(pl.sum_horizontal(pl.col("^p_(dissatisfier|hybrid|satisfier|unclassified)$")))
    assert shares.to_series().to_list() == pytest.approx([1.0] * 3)
    assert (found.table["ia_low"] <= found.table["ia"].fill_null(found.table["ia_low"])).all()


def test_resampled_contrasts_are_regressions_of_the_rows_drawn():
    """A resample's contrasts are least squares on the repeated rows, quantiles taken anew."""
    data = answers(200)
    x, y = np.column_stack([data[n] for n in NAMES]), data["satisfaction"]
    times = np.random.default_rng(3).integers(0, 3, 200)
    cuts = quantiles_of(x, times.astype(float), (0.25, 0.75))
    again = np.repeat(x, times, axis=0)
    assert cuts == pytest.approx(np.quantile(again, [0.25, 0.75], axis=0, method="inverted_cdf"))
    low, high = marks(again, cuts)
    X = np.column_stack([np.ones(len(again)), low, high])
    theirs = np.linalg.lstsq(X, np.repeat(y, times), rcond=None)[0][1:].reshape(2, 3)
    assert contrasts(x, y, times.astype(float), cuts) == pytest.approx(theirs, abs=1e-9)


def test_whole_weights_are_repeated_rows():
    data = answers(300)
    times = np.random.default_rng(5).integers(1, 4, 300)
    light = csi.penalty_reward(panel_of(data, weight=times.astype(float)), NAMES, replicates=100)
    heavy = csi.penalty_reward(panel_of({c: np.repeat(v, times) for c, v in data.items()}), NAMES, replicates=100)
    for column in ("penalty", "reward", "ia", "low", "high"):
        assert light.table[column].to_list() == pytest.approx(heavy.table[column].to_list(), abs=1e-9)
    assert light.table["n"][0] == 300


def test_clusters_widen_intervals_and_order_does_not_matter():
    data = answers(120)
    fivefold = {c: np.repeat(v, 5) for c, v in data.items()}
    alone = csi.penalty_reward(panel_of(fivefold), NAMES, replicates=100).table
    grouped = csi.penalty_reward(
        panel_of(fivefold, cluster=np.repeat(np.arange(120), 5).astype(str)), NAMES, replicates=100
    )
    assert (grouped.table["penalty_std_error"] > 1.8 * alone["penalty_std_error"]).all()
    assert grouped.table["penalty"].to_list() == pytest.approx(alone["penalty"].to_list())


def test_the_same_seed_gives_the_same_and_cells_are_apart():
    data = answers(400)
    brand = ["A"] * 250 + ["B"] * 130 + ["C"] * 20
    both = csi.penalty_reward(panel_of(data, brand=brand), NAMES, by=["brand"], replicates=100)
    assert both.table.equals(csi.penalty_reward(panel_of(data, brand=brand), NAMES, by=["brand"], replicates=100).table)
    first = csi.penalty_reward(panel_of({c: v[:250] for c, v in data.items()}), NAMES, replicates=100).table
    mine = both.table.filter(brand="A")
    assert mine["penalty"].to_list() == pytest.approx(first["penalty"].to_list())
    small = both.table.filter(brand="C")
    assert small["flag"].unique().to_list() == ["suppressed"]
    assert small["penalty"].null_count() == 3
    assert {n.code for n in both.notes} >= {"E-BASE", "N-PENALTY"}


def test_a_wrong_sign_is_not_classified():
    data = answers()
    data["satisfaction"] = 100 - data["satisfaction"]
    found = csi.penalty_reward(panel_of(data), NAMES, cuts=(20, 80), replicates=100)
    mine = row(found.table, "price")
    assert (mine["kind"], mine["ia"], mine["sgp"]) == ("unclassified", None, None)
    assert mine["riocs"] == pytest.approx(abs(mine["penalty"]) + abs(mine["reward"]))
    warned = next(n for n in found.notes if n.code == "W-PENALTY")
    assert "Price" in warned.text.en
    assert "构念price" in warned.text.zh


def test_a_name_the_rule_cannot_split_is_left_out_with_its_reason():
    data = answers()
    data["price"] = np.where(np.arange(600) < 5, 0.0, 100.0)
    found = csi.penalty_reward(panel_of(data), NAMES, replicates=100)
    gone = row(found.table, "price")
    assert gone["penalty"] is None
    assert "left out" in gone["reason"]
    assert any("Price" in n.text.en and "构念price" in n.text.zh for n in found.notes if n.code == "W-CELLS")
    rest = csi.penalty_reward(panel_of(data), NAMES[:2], replicates=100).table
    assert found.table.filter(pl.col("name") != "price")["penalty"].to_list() == pytest.approx(
        rest["penalty"].to_list()
    )


def test_an_outcome_without_variation_has_no_contrasts():
    data = answers()
    data["satisfaction"] = np.full(600, 50.0)
    found = csi.penalty_reward(panel_of(data), NAMES, replicates=100)
    assert found.table["penalty"].null_count() == 3
    assert found.fits["reason"].item().startswith("no contrasts")
    assert "无法给出对比" in text(found, "zh")


def test_impact_and_classes_by_hand():
    assert impact(np.array([-1.0, 1.0]), np.array([3.0, -1.0])).tolist()[0] == 0.5
    assert np.isnan(impact(np.array([1.0]), np.array([-1.0]))[0])
    assert classes(np.array([-1.0, -1.0]), np.array([1.5, 1.5]), 0.2).tolist() == [1, 1]
    assert classes(np.array([-1.0]), np.array([1.5]), 0.1).tolist() == [2]


def test_drivers_are_what_names_attributes_where_none_are_given():
    data = answers()
    of = {"speed": "service", "advice": "service", "price": "offer", "satisfaction": "satisfaction"}
    panel = panel_of(data, constructs=of)
    items = tuple(
        i if i.name != "satisfaction" else Item("satisfaction", "satisfaction", HUNDRED, i.label)
        for i in panel.codebook.items
    )
    panel = csi.Panel(panel.frame, Codebook(items, panel.codebook.constructs, {}), panel.reasons)
    assert csi.penalty_reward(panel, replicates=100).table["name"].to_list() == ["service", "offer"]


@pytest.mark.parametrize(
    ("more", "code", "en", "zh"),
    [
        ({"drivers": None}, "E-ROLE", "nothing is named", "没有指定"),
        ({"drivers": ["sped"]}, "E-ROLE", 'no construct or item "sped"', "没有构念或题项“sped”"),
        ({"outcome": "speed"}, "E-ROLE", "beside the pairs", "之外"),
        ({"quantiles": (0.75, 0.25)}, "E-SETTING", "do not rise", "未在"),
        ({"quantiles": (0.0, 0.5)}, "E-SETTING", "do not rise", "未在"),
        ({"cuts": (20, 120)}, "E-SETTING", "between 0 and 100", "0 与 100"),
        ({"errors": "hc9"}, "E-SETTING", "hc9", "hc9"),
        ({"limit": 1.0}, "E-SETTING", "limit = 1", "limit = 1"),
        ({"level": 95}, "E-SETTING", "level = 95", "level = 95"),
        ({"replicates": 10}, "E-SETTING", "10 resamples", "10 次"),
    ],
)
def test_what_is_refused(more, code, en, zh):
    settings = {"drivers": NAMES, **more}
    with pytest.raises(Problems) as refused:
        csi.penalty_reward(panel_of(answers(100)), **settings)
    problem = refused.value.problems[0]
    assert problem.code == code
    assert en in problem.what.en
    assert zh in problem.what.zh


def test_a_class_that_most_resamples_do_not_share_is_told_apart():
    plain = csi.penalty_reward(panel_of(answers()), NAMES, cuts=(20, 80), replicates=100).table
    limit = abs(row(plain, "price")["ia"]) + 1e-6
    found = csi.penalty_reward(panel_of(answers()), NAMES, cuts=(20, 80), replicates=200, limit=limit)
    assert row(found.table, "price")["kind"] == "hybrid"
    weak = found.table.filter(pl.col("support") < 0.5)["name"].to_list()
    assert weak
    told = [s for s in found.sentences if s.en.startswith("Which side counts more for satisfaction is not shown")]
    assert all(n.title() in told[0].en and f"构念{n}" in told[0].zh for n in weak)
    assert not any(n.title() in s.en for n in weak for s in found.sentences if s not in told)


def test_it_prints_in_both_languages(found):
    en, zh = text(found, "en"), text(found, "zh")
    assert "Low scores cost satisfaction more than high ones add" in en
    assert "dissatisfier" in en
    assert "低分的损失大于高分的收益" in zh
    assert "不满因素" in zh
