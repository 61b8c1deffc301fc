"""What rules find and move: by hand, against the published index, and told of no few rows."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems, Text
from csi.study.fieldwork_groups import icc
from csi.study.fitted import fitted, indexed
from csi.survey import Rules, read_panel
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.differences import together_told
from csi.tracking.row_effects import Answered, moves

TEN = Scale("ten", 1, 11)


def panel_of(columns, rules, **keys):
    items = tuple(Item(f"q{k}", "satisfaction", TEN, Text("", "")) for k in (1, 2))
    book = Codebook(items, {}, {"respondent": "id", "brand": "b", **keys})
    n = len(columns["q1"])
    frame = pl.DataFrame({"id": [f"r{i}" for i in range(n)], "b": ["x"] * n, **columns})
    return read_panel(frame, book, rules=rules)


def by_hand(n=200, fast=40):
    """Everyone's score is known: q1 = q2, the first `fast` rows are fast and answer 11, the others 6."""
    score = [11] * fast + [6 if i % 2 else 7 for i in range(n - fast)]
    seconds = [10] * fast + [90] * (n - fast)
    return {"q1": [str(s) for s in score], "q2": [str(s) for s in score], "s": [str(s) for s in seconds]}


@pytest.mark.parametrize("action", ["drop", "flag"])
def test_the_effect_of_a_rule_by_hand(action):
    """40 of 200 at 100 points, 160 at a mean of 55: 64 with them, 55 without."""
    panel = panel_of(by_hand(), Rules(straight_lining="off", speeders=action), duration="s")
    found = csi.quality(panel, small=30).effects
    line = found.filter(pl.col("rule") == "speeders").row(0, named=True)
    assert (line["rows"], line["n"]) == (40, 160 if action == "drop" else 200)
    assert line["with_rows"] == pytest.approx(64.0, abs=1e-12)
    assert line["without"] == pytest.approx(55.0, abs=1e-12)
    assert line["effect"] == pytest.approx(-9.0, abs=1e-12)
    every = found.filter(pl.col("rule") == "all").row(0, named=True)
    assert every["effect"] == pytest.approx(-9.0, abs=1e-12)


def test_the_error_of_an_effect_is_paired_and_linearised():
    """Mean of the others less the mean of all, written out row by row."""
    rng = np.random.default_rng(4)
    x, w = rng.normal(60, 20, 300), rng.uniform(0.5, 2, 300)
    without = rng.random(300) > 0.3
    one, zero = np.ones(1), np.zeros(300, dtype=np.int64)
    cell = Answered(x[:, None], w, np.arange(300), zero, np.array([0]), one, 0 * one, 100 * one)
    found = moves(cell, [(np.ones(300, dtype=bool), without)])[0]
    all_, some = np.average(x, weights=w), np.average(x[without], weights=w[without])
    z = without * w * (x - some) / w[without].sum() - w * (x - all_) / w.sum()
    assert found.effect == pytest.approx(some - all_, rel=1e-12)
    assert found.std_error == pytest.approx(np.sqrt(300 / 299 * ((z - z.mean()) ** 2).sum()), rel=1e-10)


def test_the_error_covers_what_resampling_says():
    """The linearised error is that of 4,000 bootstrap resamples, within their own noise."""
    rng = np.random.default_rng(8)
    x = rng.normal(60, 20, 400)
    without = (x + rng.normal(0, 20, 400)) < 75
    cell = Answered(x[:, None], np.ones(400), np.arange(400), np.zeros(400, dtype=np.int64), np.array([0]), np.ones(1),
                    np.zeros(1), np.full(1, 100.0))  # fmt: skip
    found = moves(cell, [(np.ones(400, dtype=bool), without)])[0]
    at = rng.integers(0, 400, (4000, 400))
    kept = without[at]
    drawn = (x[at] * kept).sum(axis=1) / kept.sum(axis=1) - x[at].mean(axis=1)
    assert found.std_error == pytest.approx(drawn.std(), rel=0.05)


def test_few_rows_are_not_told_and_neither_is_what_gives_them_away():
    panel = panel_of(by_hand(fast=29), Rules(straight_lining="off", speeders="drop"), duration="s")
    line = csi.quality(panel, small=30).effects.filter(pl.col("rule") == "speeders").row(0, named=True)
    assert line["rows"] == 29
    assert line["effect"] is None
    assert "fewer than 30" in line["reason"]
    assert line["reason_zh"]


def test_sums_of_told_sets_are_looked_through():
    """Three sets of 40 whose pairs overlap in 35: any two of them differ by few rows on either side, but no
    combination is of few rows; with the union of two told as well, their overlap comes out."""
    rows = np.arange(200)
    kept = np.ones(200, dtype=bool)
    one, two = rows < 60, (rows >= 50) & (rows < 110)
    pairs = [(kept, ~one), (kept, ~two), (kept, ~(one | two))]
    assert together_told(kept, pairs, 30) == [True, True, False]
    assert together_told(kept, pairs, 5) == [True, True, True]


@pytest.fixture(scope="module")
def found():
    return csi.quality("data/telecom/study.yaml")


def test_the_published_index_is_what_stands_beside_an_effect(found):
    """For dropping rules it is `without`, for others `with_rows`: the index of `csi index`, to rounding."""
    study = csi.Study.read("data/telecom/study.yaml")
    study = replace(study, settings=replace(study.settings, replicates=0, index_errors="fixed"))
    panel = study.panel()
    table = indexed(study, fitted(study, panel, errors=False)).table.filter(construct="satisfaction")
    told = found.effects.filter(
        pl.col("effect").is_not_null() & pl.col("brand").is_not_null() & (pl.col("rule") != "all")
    )
    both = told.join(table, on=["brand", "wave"], suffix="_index")
    assert both.height == told.height > 40
    published = both.select(pl.when(pl.col("action") == "drop").then("without").otherwise("with_rows")).to_series()
    assert (published - both["index"]).abs().max() < 1e-9


def test_no_effect_is_told_of_few_rows(found):
    told = found.effects.filter(pl.col("effect").is_not_null())
    assert told.filter((pl.col("rows") > 0) & (pl.col("rows") < 30)).is_empty()


def test_the_flow_adds_up(found):
    flow = found.flow
    cells = flow.filter(rule="read").join(flow.filter(rule="kept"), on=["brand", "wave"], suffix="_kept")
    dropped = flow.filter(action="drop").group_by("brand", "wave").agg(pl.col("rows").sum())
    both = cells.join(dropped, on=["brand", "wave"], suffix="_dropped")
    assert (both["rows"] - both["rows_dropped"] == both["rows_kept"]).all()
    study = csi.Study.read("data/telecom/study.yaml")
    assert flow.filter(rule="kept")["rows"].sum() == study.panel().frame.height


def test_rules_that_are_off_are_looked_at_and_change_nothing(found):
    off = found.table.filter(action="off")["rule"].to_list()
    assert {"outliers", "speeders_relative"} <= set(off)
    assert not set(off) & set(found.flow["rule"])
    alone = csi.quality("data/telecom/study.yaml", every=False)
    assert alone.flow.equals(found.flow)
    assert set(alone.table["rule"]) == {"empty_rows", "speeders", "straight_lining"}


def test_floors_and_ceilings_are_shares_of_answers():
    columns = {"q1": ["1"] * 20 + ["11"] * 60 + ["5"] * 20, "q2": ["5"] * 90 + [""] * 10}
    items = csi.quality(panel_of(columns, Rules(straight_lining="off")), small=30).items
    one, two = items.rows(named=True)
    assert (one["floor"], one["ceiling"], one["bound"], one["nonresponse"]) == (0.2, 0.6, "both", 0.0)
    assert (two["n"], two["nonresponse"], two["bound"]) == (90, pytest.approx(0.1), "")


def test_an_icc_is_the_published_one():
    """Shrout & Fleiss (1979), table 4: ICC(1,1) = .17; its limits as R's psych prints them, -.13 and .72."""
    ratings = np.array([9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7], dtype=float)
    rho, low, high, size = icc(ratings, np.repeat(np.arange(6), 4), 0.95)
    assert (round(rho, 2), round(low, 2), round(high, 2), size) == (0.17, -0.13, 0.72, 4.0)


def test_interviewers_and_modes_stand_beside_the_rules():
    rng = np.random.default_rng(2)
    who, how = np.repeat(np.arange(10), 30), np.tile([0, 0, 1], 100)
    base = np.clip(np.round(6 + 2 * rng.standard_normal(10)[who] + how + rng.standard_normal(300)), 1, 11).astype(int)
    columns = {"q1": [str(v) for v in base], "q2": [str(v) for v in base], "who": [f"i{v}" for v in who],
               "how": ["phone" if v else "web" for v in how]}  # fmt: skip
    rules = Rules(straight_lining="off", interviewer="who", mode="how")
    found = csi.quality(panel_of(columns, rules), small=30)
    line = found.interviewers.row(0, named=True)
    score = 10.0 * (base - 1)
    rho, low, high, _ = icc(score, who, 0.95)
    assert (line["n"], line["interviewers"]) == (300, 10)
    assert [line["icc"], line["conf_low"], line["conf_high"]] == pytest.approx([rho, low, high], rel=1e-10)
    assert line["design_effect"] == pytest.approx(1 + 29 * rho, rel=1e-10)
    web, phone = found.modes.rows(named=True)
    assert (web["mode"], phone["mode"], web["difference"]) == ("web", "phone", None)
    a, b = score[how == 0], score[how == 1]
    assert phone["difference"] == pytest.approx(b.mean() - a.mean(), rel=1e-10)
    own = np.sqrt(a.var() / a.size + b.var() / b.size) * np.sqrt(300 / 299)
    assert phone["std_error"] == pytest.approx(own, rel=1e-9)


def test_a_mode_with_few_answers_has_a_line_and_no_index():
    rng = np.random.default_rng(2)
    how = ["web"] * 200 + ["phone"] * 90 + ["post"] * 10
    columns = {name: [str(v) for v in rng.integers(1, 11, 300)] for name in ("q1", "q2")}
    rules = Rules(straight_lining="off", mode="how")
    found = csi.quality(panel_of({**columns, "how": how}, rules), small=30).modes
    (post,) = found.filter(mode="post").rows(named=True)
    assert (post["n"], post["index"], post["difference"]) == (10, None, None)
    assert "30" in post["reason"]
    assert "30" in post["reason_zh"]
    assert set(found["mode"]) == {"web", "phone", "post"}


def test_a_panel_without_hits_and_an_unknown_target_are_told():
    panel = panel_of(by_hand(), Rules())
    with pytest.raises(Problems, match="no item of the codebook is of"):
        csi.quality(panel, target="joy")
    bare = csi.quality(replace(panel, hits=None))
    assert [n.code for n in bare.notes] == ["N-QUALITY-HITS"]
    assert bare.effects.is_empty()
