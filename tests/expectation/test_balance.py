"""The balance point: statsmodels' logits, a grid search, planted truth, ends of the scale, every refusal."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.special import expit

import csi
from csi.errors import Problems, Text
from csi.expectation.balance import balance_point
from csi.expectation.logit import logits
from csi.survey.codebook import Item, Scale

_spec = importlib.util.spec_from_file_location("forming", Path(__file__).parent / "forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)
FAST = {"replicates": 200}
TRUE = {"a": (-4.0, 1.0), "c": (1.0, 0.8, -0.9)}
"""Intercepts and slopes: attraction in E; coming back in P and E."""


def markets(n=1000, seed=1, a=TRUE["a"], c=TRUE["c"], prospects=True, keys=None):
    """n prospects and n buyers, expectation and perception of two attributes on 1 to 7 (rounded to .5)."""
    rng = np.random.default_rng(seed)
    E, P = (np.clip(np.round(2 * rng.normal(m, 1.2, (2 * n, 2))) / 2, 1, 7) for m in (5.0, 5.2))
    e, p = E.mean(axis=1), P.mean(axis=1)
    buyer = np.arange(2 * n) >= n
    chose = np.where(buyer, np.nan, rng.random(2 * n) < expit(a[0] + a[1] * e))
    again = np.where(buyer, rng.random(2 * n) < expit(c[0] + c[1] * p + c[2] * e), np.nan)
    columns = {
        "e1": E[:, 0],
        "e2": E[:, 1],
        "p1": np.where(buyer, P[:, 0], np.nan),
        "p2": np.where(buyer, P[:, 1], np.nan),
    }
    columns |= {"rebought": again} | ({"chose": chose} if prospects else {})
    binary = Scale("yes", 0, 1)
    items = [
        Item(f"{f}{i}", "service", forming.SEVEN, Text("", ""), f"x{i}", form)
        for f, form in (("e", "Ew"), ("p", "P"))
        for i in (1, 2)
    ]
    items += [Item(name, name, binary, Text(name, name)) for name in ("rebought", "chose") if name in columns]
    return forming.panel_of(columns, items, keys)


def test_logits_are_those_of_statsmodels_weighted_or_not():
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    y = (rng.random(300) < expit(X @ [0.3, 1.0, -0.5])).astype(float)
    w = rng.integers(1, 4, 300).astype(float)
    ours = logits(X, y, np.stack([np.ones(300), w]))
    np.testing.assert_allclose(ours[0], sm.Logit(y, X).fit(disp=0).params, atol=1e-8)
    theirs = sm.GLM(y, X, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-12)
    np.testing.assert_allclose(ours[1], theirs.params, atol=1e-8)


def test_a_separated_outcome_has_no_coefficients():
    X = np.column_stack([np.ones(20), np.arange(20.0)])
    assert np.isnan(logits(X, (np.arange(20) > 9).astype(float), np.ones((1, 20)))).all()


@pytest.mark.parametrize(("a", "c"), [((-4, 1), (4, -0.9)), ((-1, 0.3), (6, -1.4)), ((0, 2), (9, -2))])
def test_the_point_is_the_maximum_of_the_product(a, c):
    E = np.linspace(1, 7, 600_001)
    best = E[np.argmax(expit(a[0] + a[1] * E) * expit(c[0] + c[1] * E))]
    point, end = balance_point(np.array([a], dtype=float), np.array([c], dtype=float), (1.0, 7.0))
    assert end[0] == 0
    assert point[0] == pytest.approx(best, abs=2e-5)
    attraction, satisfaction = expit(a[0] + a[1] * point[0]), expit(c[0] + c[1] * point[0])
    assert a[1] * (1 - attraction) == pytest.approx(-c[1] * (1 - satisfaction), abs=1e-9)  # methods 7.7


@pytest.mark.slow
def test_planted_balance_is_recovered():
    panel = markets(20_000)
    row = csi.balance(panel, **FAST).table.row(0, named=True)
    mean = panel.frame.select(pl.mean_horizontal("p1", "p2").drop_nulls().mean()).item()
    line = np.array([[TRUE["c"][0] + TRUE["c"][1] * mean, TRUE["c"][2]]])
    truth = balance_point(np.array([TRUE["a"]]), line, (1.0, 7.0))[0][0]
    assert row["conf_low"] < truth < row["conf_high"]
    assert row["balance"] == pytest.approx(truth, abs=0.1)
    assert row["boundary"] == ""
    assert row["promise_gap"] == pytest.approx(row["balance"] - mean, abs=1e-9)


def test_expectations_that_never_disappoint_have_no_balance_inside():
    found = csi.balance(markets(c=(-1.0, 0.4, 0.3)), **FAST)
    row = found.table.row(0, named=True)
    assert (row["boundary"], row["balance"]) == ("high", 7.0)
    assert row["at_boundary"] > 0.9
    assert "No balance point inside the scale: the upper end" in found.sentences[0].en
    assert "上端" in found.sentences[0].zh
    assert any(n.code == "W-BALANCE" for n in found.notes)


def test_without_prospects_the_satisfaction_side_stands_alone():
    found = csi.balance(markets(prospects=False), **FAST)
    assert found.table["balance"].item() is None
    assert found.slopes["side"].unique().to_list() == ["satisfaction"]
    assert found.curves["attraction"].null_count() == found.curves.height
    assert "higher expectations go with less satisfaction" in found.sentences[0].en
    assert any("no prospects" in n.text.en for n in found.notes)


def test_prospects_that_a_choice_of_rows_leaves_out_are_none():
    panel = markets(keys={"stage": ["never"] * 1000 + ["long"] * 1000})
    found = csi.balance(panel, where={"stage": "long"}, **FAST)
    assert found.table["balance"].item() is None
    assert any("no prospects" in n.text.en for n in found.notes)


def test_satisfaction_on_a_scale_takes_the_place_of_buying_again():
    panel = markets()
    frame = panel.frame.with_columns(sat=1 + 6 * pl.col("rebought"))
    book = csi.Codebook((*panel.codebook.items, Item("sat", "satisfaction", forming.SEVEN, Text("", ""))), {}, {})
    plain, scaled = (
        csi.balance(panel, **FAST),
        csi.balance(csi.Panel(frame, book, frame.cast(pl.String)), rebought="satisfaction", **FAST),
    )
    assert scaled.table["balance"].item() == pytest.approx(plain.table["balance"].item(), abs=1e-9)
    assert any(n.code == "N-FRACTIONAL" for n in scaled.notes)


def test_cells_have_their_own_balance_and_curves():
    found = csi.balance(markets(keys={"brand": ["A", "B"] * 1000}), by=["brand"], **FAST)
    assert found.table["brand"].to_list() == ["A", "B"]
    assert found.table["prospects"].to_list() == [500, 500]
    assert found.curves.height == 122
    assert found.sentences[0].en.startswith("A: ")


@pytest.mark.parametrize(("lang", "word"), [("en", "balance point"), ("zh", "平衡点")])
def test_it_shows_itself(lang, word):
    assert word in csi.display.text(csi.balance(markets(), **FAST), lang)


def without(*names):
    """A market without some items."""
    panel = markets()
    return csi.Panel(
        panel.frame, csi.Codebook(tuple(i for i in panel.codebook.items if i.name not in names), {}, {}), panel.reasons
    )


def rated():
    """A market with a rating of buyers."""
    panel = markets()
    frame = panel.frame.with_columns(sat=1 + 6 * pl.col("rebought"))
    book = csi.Codebook((*panel.codebook.items, Item("sat", "satisfaction", forming.SEVEN, Text("", ""))), {}, {})
    return csi.Panel(frame, book, frame.cast(pl.String))


@pytest.mark.parametrize(
    ("panel", "arguments", "code", "words", "zh"),
    [
        (lambda: without("rebought"), {}, "E-ROLE", "there is no item rebought", "没有题项 rebought"),
        (markets, {"chose": "chosen"}, "E-ROLE", '"chosen" is no item or construct. Did you mean', "不是题项或构念"),
        (rated, {"chose": "sat"}, "E-ROLE", "sat is answered 1 to 7; whether a prospect chose", "sat 的量程为 1–7"),
        (markets, {"rebought": "chose"}, "E-ROLE", "chose is named for both sides", "chose 同时用于两侧"),
        (lambda: without("p1", "p2"), {}, "E-FORM", "no attribute is asked as P, Ew", "没有属性同时以 P, Ew"),
        (lambda: markets(30), {}, "E-ROWS", "30 buyers with every answer; 50 are needed", "购买者中回答完整的有 30 人"),
        (lambda: markets(a=(-90.0, 0.0)), {}, "E-ROWS", "both outcomes", "两种结果都要出现"),
        (markets, {"replicates": 5}, "E-BOOT", "too few", "不足以"),
    ],
)
def test_refusals_in_both_languages(panel, arguments, code, words, zh):
    with pytest.raises(Problems) as raised:
        csi.balance(panel(), **(FAST | arguments))
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert zh in "\n".join(p.say("zh") for p in raised.value.problems)


def test_attributes_without_a_partner_are_named():
    (said,) = [n for n in csi.balance(without("p2"), **FAST).notes if n.code == "W-FORM"]
    assert said.say("en") == "1 of 2 attributes lack one of the two forms and stay out: x2."
    assert "未纳入：x2" in said.say("zh")
