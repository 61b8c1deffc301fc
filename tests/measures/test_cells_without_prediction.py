"""Cells that cannot be cross-validated beside cells that can: each keeps its rows in the tables, with a reason."""

from __future__ import annotations

import polars as pl
import pytest

import csi
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
