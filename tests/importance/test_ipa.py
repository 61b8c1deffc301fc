"""Importance and performance of attributes: hand cases, probabilities, diagonal, stated beside derived, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.importance.ipa import placed

DONE = {"speed": "P1", "price": "P2", "staff": "P3", "shop": "P4"}
SAID = {"speed": "I1", "price": "I2", "staff": "I3", "shop": "I4"}


def drawn(n=250, seed=4):
    rng = np.random.default_rng(seed)
    done = np.array([5.0, 8.0, 7.0, 5.5]) + rng.normal(size=(n, 4)) + rng.normal(size=(n, 1))
    said = np.array([9.0, 8.5, 5.0, 5.2]) + rng.normal(size=(n, 4))
    y = done @ [0.9, 0.1, 0.6, 0.05] + rng.normal(size=n)
    columns = {f"P{j + 1}": done[:, j] for j in range(4)} | {f"I{j + 1}": said[:, j] for j in range(4)}
    frame = pl.DataFrame({k: np.clip(np.round(v), 1, 10) for k, v in columns.items()})
    return frame.with_columns(sat=pl.Series(y))


@pytest.fixture(scope="module")
def both():
    frame = drawn().with_columns(sat=pl.col("sat").rank() / pl.len() * 9 + 1)
    return csi.ipa(frame, DONE, stated=SAID, outcome="sat", scale=(1, 10), replicates=200)


def test_means_gaps_and_opportunities_by_hand():
    frame = pl.DataFrame({"P1": [4, 6], "P2": [9, 7], "I1": [8, 10], "I2": [5, 3]})
    found = csi.ipa(
        frame,
        {"a": "P1", "b": "P2"},
        stated={"a": "I1", "b": "I2"},
        scale=(0, 10),
        replicates=0,
    )
    table = found.table
    assert table["performance"].to_list() == [50, 80]
    assert table["stated"].to_list() == [90, 40]
    assert table["priority"].to_list() == [40, -40]
    assert found.cross == (65, 65)
    assert table["quadrant"].to_list() == ["improve", "ease"]
    assert table["opportunity"].to_list() == pytest.approx([100 * 4500 / 5300, 100 * 800 / 5300])
    assert table["ulwick"].to_list() == pytest.approx([9 + 4, 4])
    near = csi.ipa(
        frame,
        {"a": "P1", "b": "P2"},
        stated={"a": "I1", "b": "I2"},
        scale=(0, 10),
        target=70,
        replicates=0,
    )
    assert near.table["opportunity"].to_list() == [100, 0]


def test_the_cross_hair_is_where_it_was_asked_for(both):
    assert both.cross[0] == pytest.approx(both.table["stated"].mean())
    frame = drawn()
    median, scale = (
        csi.ipa(frame, DONE, stated=SAID, scale=(1, 10), centre=c, replicates=0) for c in ("median", "scale")
    )
    assert median.cross[1] == pytest.approx(median.table["performance"].median())
    assert scale.cross == (50, 50)
    assert placed(np.array([[5.0]]), np.array([[5.0]]), np.array([[5.0, 5.0]])).tolist() == [[1.0]]


def test_probabilities_are_shares_of_the_draws(both):
    table = both.table
    four = table.select("p_improve", "p_keep", "p_ease", "p_low").to_numpy()
    assert four.sum(axis=1) == pytest.approx(np.ones(4))
    assert table["quadrant"].to_list()[:2] == ["improve", "keep"]
    assert table["probability"][0] > 0.95
    assert ((table["priority_conf_low"] < table["priority"]) & (table["priority"] < table["priority_conf_high"])).all()


def test_stated_and_derived_stand_side_by_side(both):
    table = both.table
    shares = csi.key_drivers(
        drawn().with_columns(sat=pl.col("sat").rank() / pl.len() * 9 + 1),
        "sat",
        list(DONE.values()),
        replicates=0,
    )
    assert table["derived"].to_list() == pytest.approx(shares.table["lmg"].to_list(), abs=1e-9)
    assert dict(table.select("attribute", "grid").rows())["speed"] == "key"
    assert dict(table.select("attribute", "grid").rows())["price"] == "said"
    assert -1 <= both.agreement[1] <= both.agreement[0] <= both.agreement[2] <= 1
    assert both.used == "stated"


def test_derived_alone_has_no_diagonal():
    found = csi.ipa(drawn().drop("I1"), DONE, outcome="sat", replicates=0)
    assert found.used == "derived"
    assert "priority" not in found.table.columns
    assert found.table["opportunity"].null_count() == 4
    assert "N-IPA-SCALE" in [n.code for n in found.notes]
    frame = drawn()
    assert csi.ipa(frame, DONE, outcome="sat", derived="correlation", replicates=0).table["derived"][
        0
    ] == pytest.approx(np.corrcoef(frame["P1"], frame["sat"])[0, 1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"performance": {"a": "P1"}}, "at least two attributes, not 1"),
        ({"stated": None}, "neither stated"),
        ({"stated": {"speed": "I1"}}, "no stated importance of price"),
        ({"centre": "middle"}, "middle"),
        ({"target": 0}, "a target is"),
        ({"replicates": 5}, "replicates are"),
    ],
)
def test_odd_input_is_told(change, said):
    asked = {
        "performance": DONE,
        "stated": SAID,
        "scale": (1, 10),
        "replicates": 0,
    } | change
    with pytest.raises(Problems, match=said):
        csi.ipa(drawn(), **asked)


def test_it_reads_in_both_languages(both):
    assert "Improve first: speed" in text(both, "en")
    assert "优先改进：speed" in text(both, "zh")
