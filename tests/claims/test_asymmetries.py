"""Slopes below and above the mean that a card asks for: planted ones found, in run_card and at the prompt."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.claims.asymmetries import asymmetries, asymmetry_sentences
from csi.claims.blocks import blocks_of
from csi.display import text
from csi.errors import Text
from csi.inference.adjust import holm
from csi.models.cards import read_card
from csi.models.model import Model
from csi.survey.codebook import Codebook, Item, Scale

TEN = Scale("ten", 1, 10)
NAMES = ("reliable", "transparency", "trust", "satisfaction", "loyalty")


def planted(n=600, below=0.9, above=0.2):
    """Trust bends at the mean of transparency and is straight in reliable."""
    draw = np.random.default_rng(5)
    x, r = draw.normal(size=(2, n))
    bent = below * np.minimum(x, 0) + above * np.maximum(x, 0)
    y = 0.4 * r + bent + 0.3 * draw.normal(size=n)
    scores = {"reliable": r, "transparency": x, "trust": y, "satisfaction": r + y, "loyalty": y}
    frame = {f"{name}{j}": s + 0.01 * draw.normal(size=n) for name, s in scores.items() for j in (1, 2, 3)}
    items = tuple(Item(c, c[:-1], TEN, Text(c, c)) for c in frame)
    return csi.Panel(pl.DataFrame(frame), Codebook(items, {}, {}), pl.DataFrame(frame).cast(pl.String))


def found(panel, **asked):
    card = read_card("trust_consumer")
    return asymmetries(card, blocks_of(card, panel.codebook), panel, **asked)


def test_a_bend_is_found_where_it_was_planted_and_only_there():
    table = found(planted())
    rows = {r["construct"]: r for r in table.to_dicts()}
    bent = rows["transparency"]
    assert bent["pattern"] == "negativity"
    assert bent["b_below_low"] < 0.9 < bent["b_below_high"]
    assert bent["b_above_low"] < 0.2 < bent["b_above_high"]
    assert rows["reliable"]["pattern"] == "symmetric"
    assert bent["n_below"] + bent["n_above"] == bent["n"] == 600


def test_the_other_way_round_is_positivity():
    table = found(planted(below=0.2, above=0.9))
    assert dict(table.select("construct", "pattern").iter_rows())["transparency"] == "positivity"


def test_slopes_are_those_of_least_squares_and_holm_is_within_the_outcome():
    panel = planted(80)
    table = found(panel)
    score = {c: panel.frame.select(pl.mean_horizontal(f"^{c}[0-9]$")).to_series().to_numpy() for c in NAMES}
    d = [score[c] - score[c].mean() for c in ("reliable", "transparency")]
    X = np.column_stack([np.ones(80), *(np.minimum(x, 0) for x in d), *(np.maximum(x, 0) for x in d)])
    b = np.linalg.lstsq(X, score["trust"], rcond=None)[0]
    assert table["b_below"].to_list() == pytest.approx(b[1:3], abs=1e-9)
    assert table["b_above"].to_list() == pytest.approx(b[3:], abs=1e-9)
    assert table["p_adjusted"].to_list() == pytest.approx(holm(table["difference_p"].to_list()))


def test_it_is_said_in_both_languages():
    panel = planted()
    card = read_card("trust_consumer")
    items = blocks_of(card, panel.codebook)
    (said,) = asymmetry_sentences(found(panel), Model.card.of(card, items))
    assert said.en.startswith("For Trust, a lack of Transparency costs more than a lead earns (slope 0.")
    assert said.zh.startswith("对顾客信任而言，信息透明不足的损失大于出色的收益（均值以下斜率 0.")


def test_a_side_with_too_few_respondents_has_no_slopes():
    table = found(planted(18), small=0)
    assert table["b_below"].null_count() == table.height
    panel = planted(18)
    card = read_card("trust_consumer")
    (said,) = asymmetry_sentences(table, Model.card.of(card, blocks_of(card, panel.codebook)))
    assert "too few respondents" in said.en
    assert "受访者过少" in said.zh


@pytest.mark.parametrize("name", ["trust_sss", "trust_consumer", pytest.param("kmv", marks=pytest.mark.slow)])
def test_the_trust_cards_print_the_slopes(name, run_of):
    run = run_of(name)
    assert set(run.asymmetry["outcome"]) == set(run.card.asymmetry)
    assert "Slopes below and above the mean" in text(run, "en")
    assert "均值以下与以上的斜率" in text(run, "zh")
