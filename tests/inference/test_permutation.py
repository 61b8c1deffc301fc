"""Exchanging rows between groups: p by enumeration, strata and units respected, the same bits however it is run."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest

import csi
from csi.inference import permutation as engine
from csi.inference.permutation import exceedance, exchange_of, exchanged_moments, permutation
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of

MODEL = "a =~ a1 + a2; b =~ b1 + b2; b ~ a"
ITEMS = ["a1", "a2", "b1", "b2"]


def answers(n: int = 90, seed: int = 3, groups: int = 2) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    rows = np.round(5 + common + rng.normal(size=(n, 4)))
    label = pl.Series("g", [f"g{i % groups}" for i in range(n)])
    return pl.DataFrame(rows, schema=ITEMS).with_columns(label)


def means(pooled):
    at = pooled.moments.names.index("a1")
    return lambda fit, c: {"mean": fit.moments.mean[:, at].reshape(-1, c), "path": fit.values[:, -1].reshape(-1, c)}


def taken(frame: pl.DataFrame, n: int = 300, **design: str):
    return permutation(csi.fit(MODEL, frame, csi.PLS(), by="g", **design), means, n=n, seed=5)


def drawn(frame: pl.DataFrame, n: int = 40, **design: str) -> tuple[object, np.ndarray]:
    sample = sample_of(frame, ITEMS, ["g"], **design)
    plan = exchange_of(sample, n, 1)
    return sample, np.concatenate([plan.under(k) for k in plan.drawn()])


def test_the_p_value_is_that_of_all_exchanges() -> None:
    """14 rows, two groups of 7: 3,432 exchanges, enumerated."""
    frame = answers(14, seed=8).with_columns(g=pl.Series(["x"] * 7 + ["y"] * 7))
    x = frame["a1"].to_numpy()
    observed = abs(x[:7].mean() - x[7:].mean())
    splits = [np.isin(np.arange(14), chosen) for chosen in combinations(range(14), 7)]
    exact = np.mean([abs(x[s].mean() - x[~s].mean()) >= observed - 1e-9 for s in splits])
    found = taken(frame, n=20_000)
    p = found.p_value("mean", lambda m: np.abs(m[..., 0] - m[..., 1]))
    kept = int(found.usable.sum())
    assert kept > 19_000
    assert abs(p - exact) < 4 * np.sqrt(exact * (1 - exact) / kept)


def test_the_same_bits_whatever_threads_parts_and_the_order_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = answers()
    first = taken(frame)
    monkeypatch.setattr(engine, "WORKERS", 1)
    shuffled = taken(frame.sample(fraction=1.0, shuffle=True, seed=4))
    monkeypatch.setattr(engine, "ENTRIES", 90 * 7)
    parts = taken(frame)
    fewer = taken(frame, n=120)
    for name, values in first.draws.items():
        np.testing.assert_array_equal(values, shuffled.draws[name])
        np.testing.assert_array_equal(values, parts.draws[name])
        np.testing.assert_array_equal(values[:120], fewer.draws[name])
    other = permutation(csi.fit(MODEL, frame, csi.PLS(), by="g"), means, n=300, seed=6)
    assert not np.array_equal(first.draws["mean"], other.draws["mean"])


def test_rows_change_places_within_strata_only() -> None:
    frame = answers(60).with_columns(s=pl.Series(["n"] * 20 + ["s"] * 40))
    sample, cell = drawn(frame, stratum="s")
    layer = sample.layer[sample.unit]
    for stratum in (0, 1):
        inside = layer == stratum
        expected = np.bincount(sample.cell[inside], minlength=2)
        for row in cell:
            assert np.bincount(row[inside], minlength=2).tolist() == expected.tolist()
    assert (cell != sample.cell).any()


def test_clusters_move_as_a_whole() -> None:
    frame = answers(60).with_columns(
        g=pl.Series([f"g{(i // 3) % 2}" for i in range(60)]), u=pl.Series([f"u{i // 3}" for i in range(60)])
    )
    sample, cell = drawn(frame, unit="u")
    for unit in range(20):
        inside = cell[:, sample.unit == unit]
        assert (inside == inside[:, :1]).all()
    assert (cell != sample.cell).any()


def test_rows_of_a_unit_in_several_groups_change_places_among_themselves() -> None:
    frame = answers(60).with_columns(u=pl.Series([f"u{i // 2}" for i in range(60)]))
    sample, cell = drawn(frame, unit="u")
    for unit in range(30):
        assert (np.sort(cell[:, sample.unit == unit], axis=1) == [0, 1]).all()
    assert engine.shared_units(sample) == 30


def test_moments_under_the_groups_as_they_are_equal_those_of_the_cells() -> None:
    """Weights travel with their rows."""
    frame = answers(61, groups=3).with_columns(w=pl.Series(np.linspace(0.5, 2.0, 61)))
    sample = sample_of(frame, ITEMS, ["g"], weight="w")
    ours, theirs = exchanged_moments(sample, sample.cell[None]), moments_of(sample)
    for name in ("n", "sum_w", "sum_w2", "mean", "cov"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=0, atol=1e-12)
    assert ours.rows.of(1)[1].sum() == pytest.approx(theirs.sum_w[1])


def test_strata_that_lie_in_one_group_each_are_refused() -> None:
    frame = answers(40).with_columns(s=pl.col("g"))
    with pytest.raises(csi.Problems, match="nothing can change places"):
        taken(frame, stratum="s")


def test_lost_permutations_are_left_out_of_p() -> None:
    draws, usable = np.array([[1.0], [np.nan], [3.0]]), np.array([True, False, True])
    assert exceedance(np.array([2.0]), draws, usable).tolist() == [2 / 3]


def test_different_exchanges_are_counted() -> None:
    frame = answers(12).with_columns(
        g=pl.Series([f"g{(i // 3) % 2}" for i in range(12)]), u=pl.Series([f"u{i // 3}" for i in range(12)])
    )
    assert exchange_of(sample_of(frame, ITEMS, ["g"], unit="u"), 10, 1).arrangements == 6
    assert exchange_of(sample_of(frame, ITEMS, ["g"]), 10, 1).arrangements == 924
    pairs = answers(8).with_columns(u=pl.Series([f"u{i // 2}" for i in range(8)]))
    assert exchange_of(sample_of(pairs, ITEMS, ["g"], unit="u"), 10, 1).arrangements == 2**4
