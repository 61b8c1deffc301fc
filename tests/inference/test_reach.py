"""What replicates cannot speak of is said: levels beyond their number, one cluster, a few clusters."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Note
from csi.inference.intervals import Alternative, Interval
from csi.inference.reach import replicates_needed

MODEL = "a =~ a1 + a2; b =~ b1 + b2; b ~ a"


def answers(units: int, n: int = 60) -> pl.DataFrame:
    """Two constructs of two items, rows dealt to units in turn."""
    rng = np.random.default_rng(3)
    score = rng.normal(size=(n, 1))
    frame = pl.DataFrame(score + 0.7 * rng.normal(size=(n, 4)), schema=["a1", "a2", "b1", "b2"])
    return frame.with_columns(school=pl.Series([k % units for k in range(n)]))


def fitted(units: int | None = None) -> csi.Estimate:
    return csi.fit(MODEL, answers(units or 1), csi.PLS(), unit=None if units is None else "school")


def codes(notes: tuple[Note, ...]) -> set[str]:
    return {n.code for n in notes}


@pytest.mark.parametrize(("level", "side"), [(0.99, "two-sided"), (0.99, "greater"), (0.995, "less")])
def test_too_few_replicates_for_a_level_are_noted(level: float, side: Alternative) -> None:
    """One draw fewer than needed leaves the interval out and says how many are needed; that many suffice."""
    need = replicates_needed(level, side)
    closed = "conf_high" if side == "less" else "conf_low"
    est = fitted()
    if need > 100:
        few = csi.bootstrap(est, need - 1, level=level, alternative=side)
        assert few.table.filter(op="~")[closed][0] is None
        assert f"at least {need} replicates" in next(n for n in few.notes if n.code == "W-LEVEL").text.en
    enough = csi.bootstrap(est, max(need, 100), level=level, alternative=side)
    assert enough.table.filter(op="~")[closed][0] is not None
    assert "W-LEVEL" not in codes(enough.notes)


@pytest.mark.parametrize("kind", ["studentised", "double"])
def test_few_inner_resamples_are_noted(kind: Interval) -> None:
    """Beyond 95 % kinds that resample the resamples say that 50 of them are few; at 150 outer ones the limits go."""
    notes = codes(csi.bootstrap(fitted(), 150, interval=kind, level=0.99).notes)
    assert {"W-LEVEL", "W-LEVEL-INNER"} <= notes
    usual = codes(csi.bootstrap(fitted(), 150, interval=kind).notes)
    assert not {"W-LEVEL", "W-LEVEL-INNER"} & usual


def test_one_cluster_is_named() -> None:
    """Rows that all share a unit have no standard error because of that, not for want of identification."""
    boot = csi.bootstrap(fitted(1), 200)
    assert "N-CLUSTERS-ONE" in codes(boot.notes)
    assert "one unit (cluster)" in str(boot)
    assert "identified" not in str(boot)


def test_two_clusters_are_warned_of() -> None:
    """Errors from two units are given under a warning; from twenty, and from rows as units, without one."""
    two = csi.bootstrap(fitted(2), 200)
    assert "only 2 units" in next(n for n in two.notes if n.code == "W-CLUSTERS").text.en
    assert "W-CLUSTERS" not in codes(csi.bootstrap(fitted(20), 200).notes)
    assert "W-CLUSTERS" not in codes(csi.bootstrap(fitted(), 200).notes)
