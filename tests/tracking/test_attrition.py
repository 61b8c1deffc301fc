"""Attrition, leavers beside stayers, and the covariance of people in both waves against the textbook."""

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems, Text
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.models.model import Construct, Model, Term
from csi.models.model import Path as Arrow
from csi.pls.estimator import PLS
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.read import read_panel
from csi.tracking.attrition import attrition
from csi.tracking.changes import changes
from csi.tracking.index import index
from csi.tracking.overlap import overlap

TEN = Scale("ten", 1, 10)
BOOK = Codebook(
    (Item("use1", "Use", TEN, Text("a", "甲")), Item("joy1", "Joy", TEN, Text("b", "乙"))),
    {"Use": Text("Use", "使用"), "Joy": Text("Joy", "满意")},
    {"respondent": "id", "wave": "wave"},
)
MODEL = Model(
    (Construct("Use", "=~", (Term("use1"),)), Construct("Joy", "=~", (Term("joy1"),))), (Arrow("Joy", Term("Use")),)
)


def drawn(n=400, leave=0.25, seed=5, slope=1.5):
    """A true panel of two waves; the discontented leave more often."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=n)
    first = np.clip(np.round(6 + 2 * mood + rng.normal(size=n)), 1, 10)
    second = np.clip(np.round(6.3 + 2 * mood + rng.normal(size=n)), 1, 10)
    stay = rng.uniform(size=n) > leave * np.exp(-slope * mood) / np.mean(np.exp(-slope * mood))
    name = np.array([f"p{i:03d}" for i in range(n)])
    one = pl.DataFrame({"id": name, "wave": "1", "joy1": first, "use1": first[::-1]})
    two = pl.DataFrame({"id": name, "wave": "2", "joy1": second, "use1": second[::-1]}).filter(pl.Series(stay))
    return pl.concat([one, two]), first, second, stay


def made(frame):
    panel = read_panel(frame, BOOK)
    return panel, fit(MODEL, panel, PLS(), by=["wave"])


def test_the_error_of_a_change_is_the_textbooks_on_a_true_panel():
    """Everybody answers twice: sqrt(var(x1) + var(x2) - 2 cov) / sqrt(n), exactly when linearised."""
    frame, first, second, _ = drawn(leave=0.0)
    _, est = made(frame)
    found = index(est, std_error="linearised")
    x1, x2 = (100 * (x - 1) / 9 for x in (first, second))
    v = np.cov(x1, x2) / x1.size
    truth, apart = np.sqrt(v[0, 0] + v[1, 1] - 2 * v[0, 1]), np.sqrt(v[0, 0] + v[1, 1])
    table = overlap(found, "Joy").table
    assert table["common"].to_list() == [400]
    assert table["correlation"][0] == pytest.approx(np.corrcoef(x1, x2)[0, 1], rel=1e-9)
    assert table["std_error"][0] == pytest.approx(truth, rel=1e-9)
    assert table["std_error_apart"][0] == pytest.approx(apart, rel=1e-9)
    assert table["saved"][0] == pytest.approx(1 - truth**2 / apart**2, rel=1e-9)
    assert changes(found, "Joy", ("previous",)).table["std_error"].drop_nulls()[0] == pytest.approx(truth, rel=1e-9)
    booted = index(bootstrap(est, n=4000, seed=3))
    assert overlap(booted, "Joy").table["std_error"][0] == pytest.approx(truth, rel=0.05)


def test_strangers_under_other_names_save_nothing():
    frame, *_ = drawn(leave=0.0)
    fresh = frame.with_columns(pl.concat_str("wave", "id").alias("id"))
    _, est = made(fresh)
    table = overlap(index(est, std_error="linearised"), "Joy").table
    assert table["common"].to_list() == [0]
    assert table["saved"][0] == pytest.approx(0.0, abs=1e-12)


def test_leavers_are_held_against_stayers_as_two_domains_of_their_wave():
    frame, first, _, stay = drawn()
    panel, est = made(frame)
    found = attrition(panel, index(est), "Joy")
    x = 100 * (first - 1) / 9
    n = x.size
    kept, left = x[stay], x[~stay]
    row = found.leavers.row(0, named=True)
    assert (row["n_stayed"], row["n_left"]) == (kept.size, left.size)
    assert row["difference"] == pytest.approx(left.mean() - kept.mean(), rel=1e-12)
    truth = np.sqrt(n / (n - 1) * (kept.var() / kept.size + left.var() / left.size))
    assert row["std_error"] == pytest.approx(truth, rel=1e-9)
    assert row["difference"] < 0
    assert row["p_holm"] < 0.001
    assert any("associated" in note.text.en and "no effect" in note.text.en for note in found.notes)
    table = found.table.row(1, named=True)
    assert (table["stayed"], table["left"]) == (int(stay.sum()), int((~stay).sum()))
    assert table["retention"] == pytest.approx(stay.mean())


def test_too_few_leavers_hide_the_stayers_too():
    """The wave's index is printed: with the stayers beside it the few leavers' would follow."""
    frame, *_ = drawn(leave=0.03, slope=0.0)
    panel, est = made(frame)
    row = attrition(panel, index(est), "Joy").leavers.row(0, named=True)
    assert {row[c] for c in ("n_stayed", "n_left", "stayed", "left", "difference", "std_error")} == {None}
    assert "below the base of 30" in row["reason"]


def test_a_small_brand_is_not_given_away_by_the_total(survey):
    frame = pl.concat(
        [
            survey(n=n, brands=(b,), overlap=True).rename({"id": "respondent"})
            for b, n in (("A", 80), ("B", 60), ("C", 9))
        ]
    )
    ten = tuple(Item(n, "s", TEN, Text(n, n)) for n in ("use1", "joy1"))
    panel = read_panel(frame, Codebook(ten, {}, {"respondent": "respondent", "wave": "wave", "brand": "brand"}))
    table = attrition(panel).table
    told = set(table.filter(pl.col("retention").is_not_null())["brand"])
    assert told == {"", "A"}
    assert table.filter(brand="C")["entered"].null_count() == 3


def test_attrition_needs_names_and_two_waves():
    frame, *_ = drawn()
    book = Codebook(BOOK.items, BOOK.constructs, {"respondent": "id"})
    with pytest.raises(Problems, match="two waves"):
        attrition(read_panel(frame.filter(wave="1"), book))
    with pytest.raises(Problems, match="who gave them"):
        attrition(read_panel(frame, Codebook(BOOK.items, BOOK.constructs, {"wave": "wave"})))
