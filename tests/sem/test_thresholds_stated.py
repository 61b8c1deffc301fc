"""Thresholds that a model states: those there are, and those beyond the categories."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi


def answers() -> pl.DataFrame:
    """Three items of four categories."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(200, 1)) + rng.normal(size=(200, 3))
    return pl.DataFrame(np.digitize(rows, [-1.0, 0.0, 1.0]) + 1, schema=["u1", "u2", "u3"])


@pytest.mark.parametrize("stated", ["t1 + t7", "0.1*t7", "t4"])
def test_a_threshold_beyond_the_categories_is_told(stated: str) -> None:
    with pytest.raises(csi.Problems, match=r"u1 has 4 categories and 3 thresholds; t[47] is beyond them") as found:
        csi.fit(f"u =~ u1 + u2 + u3\nu1 | {stated}", answers(), csi.SEM(ordered=["u1", "u2", "u3"]))
    assert [p.code for p in found.value.problems] == ["E-ORDINAL-THRESHOLD"]
    assert "4 个类别" in found.value.problems[0].what.zh


def test_thresholds_that_there_are_may_be_stated() -> None:
    settings = csi.SEM(ordered=["u1", "u2", "u3"])
    plain = csi.fit("u =~ u1 + u2 + u3", answers(), settings)
    stated = csi.fit("u =~ u1 + u2 + u3\nu1 | t1 + t3", answers(), settings)
    at = ["lhs", "rhs"]
    ours, theirs = (est.table.filter(op="|").sort(at)["estimate"].to_numpy() for est in (stated, plain))
    assert ours == pytest.approx(theirs, abs=1e-9)
