"""What forms expectation: R's relative weights, statsmodels' slopes, planted causes and orders, every refusal."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.stats import t as t_law

import csi
from csi.errors import Problems, Text
from csi.expectation.composites import composite, scores
from csi.importance.shares import johnson, regression
from csi.inference.sandwich import robust_slopes
from csi.moments.sample import sample_of
from csi.survey.codebook import Item, Scale

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("forming", HERE / "forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)
SQ = json.loads((HERE.parent / "reference/sq/relative_weights.json").read_text(encoding="utf-8"))
FAST = {"replicates": 200}


def test_relative_weights_slopes_and_vif_are_those_of_r_on_sq():
    found = regression(np.array(SQ["cov"]))
    np.testing.assert_allclose(found.weights, SQ["relative_weights"], atol=1e-10)
    np.testing.assert_allclose(found.weights, [0.1316, 0.1616, 0.1626, 0.1407, 0.1730], atol=5e-5)  # G6
    np.testing.assert_allclose(found.betas, SQ["beta"], atol=1e-10)
    np.testing.assert_allclose(found.vif, SQ["vif"], rtol=1e-10)
    assert found.r2 == pytest.approx(SQ["r2"], abs=1e-10)
    assert found.weights.sum() == pytest.approx(SQ["r2"], abs=1e-12)


def test_two_predictors_have_the_weights_of_all_orderings():
    """With two predictors Johnson's weights are the average over both orders of entry (Johnson 2000)."""
    r, rho = np.array([0.6, 0.3]), 0.5
    r2 = (r @ r - 2 * rho * r[0] * r[1]) / (1 - rho**2)
    by_order = 0.5 * (r[0] ** 2 + r2 - r[1] ** 2)
    assert johnson(np.array([[1, rho], [rho, 1]]), r) == pytest.approx([by_order, r2 - by_order])


@pytest.mark.skipif("CSI_REFERENCE_DIR" not in os.environ, reason="needs the rows of SQ")
def test_rows_of_sq_give_the_same():
    frame = pl.read_csv(Path(os.environ["CSI_REFERENCE_DIR"]) / "data/csem/SQ.csv").cast(pl.Float64)
    blocks = {
        "tan": range(1, 5),
        "rel": range(5, 10),
        "resp": range(10, 14),
        "assu": range(14, 18),
        "emp": range(18, 23),
    }
    hundred = Scale("h", 0, 100)
    items = [Item(f"a{j:02}", c, hundred, Text("", "")) for c, own in blocks.items() for j in own]
    panel = forming.panel_of(
        {c: frame[c].to_numpy() for c in frame.columns}, [*items, Item("sat", "satisfaction", hundred, Text("", ""))]
    )
    found = csi.formation(panel, outcome="sat", causes=list(blocks), **FAST)
    np.testing.assert_allclose(found.table["relative_weight"], SQ["relative_weights"], atol=1e-10)
    assert found.fit["r2"].item() == pytest.approx(SQ["r2"], abs=1e-10)


def test_slopes_and_their_errors_are_those_of_statsmodels_hc2():
    panel = forming.formed(300)
    found = csi.formation(panel, **FAST).table
    f = panel.frame
    y = f.select(pl.mean_horizontal("e1", "e2")).to_series().to_numpy()
    X = np.column_stack([f.select(pl.mean_horizontal(f"{c}1", f"{c}2")).to_series() for c in found["cause"]])
    fit = sm.OLS(y, sm.add_constant(X)).fit(cov_type="HC2", use_t=True)
    np.testing.assert_allclose(found["slope"], fit.params[1:], atol=1e-10)
    np.testing.assert_allclose(found["std_error"], fit.bse[1:], atol=1e-10)
    df = robust_slopes(sm.add_constant(X), y, np.ones(300), np.arange(300)).df
    assert (df < fit.df_resid).all()
    np.testing.assert_allclose(found["p_value"], 2 * t_law.sf(np.abs(fit.tvalues), df)[1:], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found["p_adjusted"], csi.adjust(found["p_value"].to_numpy()))
    assert found["share"].sum() == pytest.approx(1.0)


def test_planted_causes_come_out_in_their_order():
    found = csi.formation(forming.formed(2000), hypotheses="wom > promise > price", **FAST)
    assert found.table.sort("share", descending=True)["cause"].to_list() == ["wom", "promise", "price"]
    row = found.orders.filter("declared").row(0, named=True)
    assert (row["estimand"], row["preferred"]) == ("relative_weight", "wom > promise > price")
    assert row["support"] > 0.99
    assert row["weight_complement"] > 0.95
    assert found.orders["estimand"].to_list() == ["relative_weight", "beta"]
    assert "speak for word of mouth > promises > price" in found.sentences[1].en
    assert "数据支持 口碑 > 企业承诺 > 价格" in found.sentences[1].zh


def test_the_order_that_data_contradict_is_said_to_be():
    found = csi.formation(forming.formed(2000), hypotheses="price > promise > wom", **FAST)
    assert "speak against price > promises > word of mouth" in found.sentences[1].en
    assert "they prefer word of mouth > promises > price" in found.sentences[1].en


def test_absent_causes_are_listed_and_left_out():
    found = csi.formation(forming.formed(), **FAST)
    assert found.absent == ("role", "past", "need", "norm", "social")
    told = next(n for n in found.notes if n.code == "W-CAUSE")
    assert "perceived role" in told.text.en
    assert "角色感知" in told.text.zh


def test_the_outcome_may_be_named_and_its_form_is_kept():
    panel = forming.formed()
    whole = csi.formation(panel, **FAST).table
    same = csi.formation(panel, outcome="service", **FAST).table
    one = csi.formation(panel, outcome="e1", **FAST).table
    assert whole.equals(same)
    assert not whole.equals(one)


def test_rows_that_answer_less_than_half_of_a_block_stay_out():
    panel = forming.formed()
    frame = panel.frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise("wom1").alias("wom1"),
        pl.when(pl.int_range(pl.len()) < 20).then(None).otherwise("wom2").alias("wom2"),
    )
    found = csi.formation(csi.Panel(frame, panel.codebook, panel.reasons), **FAST)
    assert found.fit["n"].item() == 580
    assert any(n.code == "N-ROWS" and "20 of 600" in n.text.en for n in found.notes)


def test_blocks_of_unequal_ranges_go_to_0_to_100():
    items = [Item("a", "wom", Scale("five", 1, 5), Text("", "")), Item("b", "wom", Scale("ten", 0, 10), Text("", ""))]
    panel = forming.panel_of({"a": np.array([1.0, 5, np.nan]), "b": np.array([5.0, 10, 2])}, items)
    sample = sample_of(panel, ["a", "b"], missing="pairwise")
    one = composite(panel.codebook, "wom", ["a", "b"])
    assert sorted(scores(sample, [one])[:, 0].tolist()) == [20.0, 25.0, 100.0]


def test_weights_and_clusters_are_respected():
    panel = forming.formed(
        300, keys={"weight": np.tile([1.0, 3.0], 150), "cluster": np.repeat(np.arange(30), 10).astype(str)}
    )
    found = csi.formation(panel, **FAST).table
    f = panel.frame
    y = f.select(pl.mean_horizontal("e1", "e2")).to_series().to_numpy()
    X = np.column_stack([f.select(pl.mean_horizontal(f"{c}1", f"{c}2")).to_series() for c in found["cause"]])
    fit = sm.WLS(y, sm.add_constant(X), weights=f["weight"].to_numpy()).fit()
    np.testing.assert_allclose(found["slope"], fit.params[1:], atol=1e-9)
    cov = np.cov(np.column_stack([y, X]).T, aweights=f["weight"].to_numpy())
    np.testing.assert_allclose(found["relative_weight"], regression(cov).weights, atol=1e-9)


def test_cells_have_their_own_rows():
    panel = forming.formed(400, keys={"brand": ["A"] * 200 + ["B"] * 200})
    found = csi.formation(panel, by=["brand"], hypotheses="wom > price", **FAST)
    assert found.fit["n"].to_list() == [200, 200]
    assert found.orders["brand"].unique(maintain_order=True).to_list() == ["A", "B"]
    assert found.sentences[0].en.startswith("A: ")
    assert set(found.tests) == {"A", "B"}


def test_the_same_seed_gives_the_same_numbers_whatever_the_order_of_rows():
    panel = forming.formed(200)
    turned = csi.Panel(panel.frame.reverse(), panel.codebook, panel.reasons)
    first, second = (csi.formation(p, seed=3, **FAST).table for p in (panel, turned))
    np.testing.assert_allclose(first["share_low"], second["share_low"], atol=1e-12)


@pytest.mark.parametrize(("lang", "word"), [("en", "relative weight"), ("zh", "相对权重")])
def test_it_shows_itself(lang, word):
    assert word in csi.display.text(csi.formation(forming.formed(), hypotheses="wom > price", **FAST), lang)


def wider():
    """Causes on unequal scales."""
    panel = forming.formed()
    wide = Scale("h", 0, 100)
    book = panel.codebook.items
    items = [Item(i.name, i.construct, wide, i.label) if i.construct == "wom" else i for i in book]
    return csi.Panel(panel.frame, csi.Codebook(tuple(items), {}, {}), panel.reasons)


def twins():
    """A cause that repeats another."""
    panel = forming.formed()
    return csi.Panel(panel.frame.with_columns(price1="wom1", price2="wom2"), panel.codebook, panel.reasons)


@pytest.mark.parametrize(
    ("panel", "arguments", "code", "words", "zh"),
    [
        (forming.formed, {"expected": "Es"}, "E-ROLE", "no item has form Es", "没有形式为 Es"),
        (forming.formed, {"causes": {"wom": "nobody", "price": "price", "promise": "promise"}}, "E-ROLE",
         '"nobody" (cause wom) is no construct or item', "“nobody”（成因 wom）不是构念或题项"),
        (forming.formed, {"causes": ["wom", "fame"]}, "E-ROLE", "two causes among wom, fame", "至少需要两个成因"),
        (forming.formed, {"outcome": "joy"}, "E-ROLE", '"joy" is no construct or item', "不是构念或题项"),
        (forming.formed, {"outcome": "wom"}, "E-ROLE", "one of the causes", "同时是成因"),
        (forming.formed, {"influence": "r"}, "E-SETTING", "not a value of this setting", "不是该设置的取值"),
        (forming.formed, {"hypotheses": "wom > fame"}, "E-ORDER", '"fame" is none of', "不在"),
        (forming.formed, {"replicates": 10}, "E-BOOT", "too few for an interval", "不足以给出区间"),
        (wider, {"hypotheses": "wom > price", "influence": "slope"}, "E-ORDER", "unequal scales", "不同量程"),
        (twins, {}, "E-COLL", "cannot be told apart; closest are", "无法区分"),
        (lambda: forming.formed(12), {}, "E-ROWS", "20 are needed", "至少需要 20 人"),
    ],
)  # fmt: skip
def test_refusals_in_both_languages(panel, arguments, code, words, zh):
    with pytest.raises(Problems) as raised:
        csi.formation(panel(), **(FAST | arguments))
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert zh in raised.value.problems[0].say("zh")


def test_strata_enter_errors_and_degrees_of_freedom():
    stratum = np.repeat(np.arange(3), 40)
    keys = {"stratum": stratum.astype(str), "cluster": np.repeat(np.arange(24), 5).astype(str)}
    found = csi.formation(forming.formed(120, 4, keys=keys), replicates=100).table
    f = forming.formed(120, 4).frame
    X = np.column_stack([np.ones(120), *(f.select(pl.mean_horizontal(f"{c}1", f"{c}2")) for c in found["cause"])])
    y = f.select(pl.mean_horizontal("e1", "e2")).to_numpy().ravel()
    unit = np.repeat(np.arange(24), 5)
    strata = robust_slopes(X, y, np.ones(120), unit, np.repeat(np.arange(3), 8))
    assert strata.design_df == 21
    assert found["std_error"].to_list() == pytest.approx(strata.std_error[1:], rel=1e-9)
    plain = robust_slopes(X, y, np.ones(120), unit)
    assert abs(found["std_error"][0] / plain.std_error[1] - 1) > 1e-3
