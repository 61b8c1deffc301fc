"""Cells that cannot be cross-validated beside cells that can: each keeps its rows in the tables, with a reason."""

from __future__ import annotations

import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.measures.blindfold import blindfolding
from csi.measures.cvpat import cvpat
from csi.measures.predict import predict
from tests.measures.test_predict import CHAIN, answers

HALF = pl.when(pl.int_range(120) % 2 == 0)


@pytest.mark.parametrize("item", ["a1", "m1", "y2"])
@pytest.mark.parametrize("technique", ["ea", "da"])
def test_an_item_that_is_constant_in_every_training_set(item, technique):
    """It varies only between the two folds, so no training set has a solution."""
    est = csi.fit(CHAIN, answers().with_columns(HALF.then(9.0).otherwise(5.0).alias(item)), csi.PLS())
    found = predict(est, [0, 1] * 60, technique=technique)
    assert found.table["reason"].to_list() == ["no_prediction"] * 4
    assert found.table["rmse"].null_count() == 4
    assert any("2 of 2 training sets" in n.text.en for n in found.notes)
    tested = cvpat(est, folds=[0, 1] * 60, technique=technique).table
    assert set(tested["reason"]) == {"no_loss"}


@pytest.mark.parametrize("dead", ["p", "q"])
def test_a_group_with_a_constant_item_leaves_the_other_predicted(dead):
    frame = answers().with_columns(g=HALF.then(pl.lit("p")).otherwise(pl.lit("q")))
    flat = frame.with_columns(y1=pl.when(pl.col("g") == dead).then(5.0).otherwise("y1"))
    found = predict(csi.fit(CHAIN, flat, csi.PLS(), by="g"), repetitions=1)
    assert found.table.filter(g=dead)["reason"].to_list() == ["no_prediction"] * 4
    alone = predict(csi.fit(CHAIN, frame.filter(pl.col("g") != dead), csi.PLS()), repetitions=1).table
    others = found.table.filter(pl.col("g") != dead)
    assert others["rmse"].null_count() == 0
    assert others["item"].to_list() == alone["item"].to_list()


def tiny(n, rows=120):
    """A group of n rows beside a large one."""
    frame = answers(rows).with_columns(
        g=pl.when(pl.int_range(rows) < n).then(pl.lit("tiny")).otherwise(pl.lit("large"))
    )
    return csi.fit(CHAIN, frame, csi.PLS(), by="g")


@pytest.mark.parametrize("n", [1, 2, 6])
def test_a_tiny_group_is_left_out_and_the_others_are_predicted(n):
    est = tiny(n)
    found, tested, rebuilt = predict(est, repetitions=1), cvpat(est, repetitions=1), blindfolding(est)
    for frame, number, code in (
        (found.table, "rmse", "few_for_folds"),
        (tested.table, "difference", "few_for_folds"),
        (rebuilt.table, "q2", "few_for_distance"),
        (rebuilt.effects, "q2_effect", "few_for_distance"),
    ):
        left, kept = frame.filter(g="tiny"), frame.filter(g="large")
        assert set(left["reason"]) == {code}
        assert left[number].null_count() == left.height > 0
        assert kept[number].null_count() == 0
        assert kept["reason"].null_count() == kept.height
    assert found.folds == 10
    assert "少于折数" in found.reasons["few_for_folds"].text.zh
    assert found.rows.filter(g="tiny")["predicted"].null_count() == 4 * n


def test_given_folds_that_do_not_divide_a_group_leave_it_out():
    found = predict(tiny(20), [0] * 20 + [0, 1] * 50).table
    assert set(found.filter(g="tiny")["reason"]) == {"few_for_folds"}
    assert found.filter(g="large")["rmse"].null_count() == 0


def test_only_tiny_groups_are_refused_with_advice_that_works():
    est = tiny(4, 9)
    for call in (lambda: predict(est, 10), lambda: cvpat(est, folds=10)):
        with pytest.raises(Problems, match=r"10 folds are more than the 5 respondents.*at most 5"):
            call()
    with pytest.raises(Problems, match=r"between 2 and 5 .*distance=5"):
        blindfolding(est)
