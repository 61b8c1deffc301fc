"""Groups of a multi-group model from the door to stacks."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.inference.resample import plan_of
from csi.moments.pearson import moments_of, moments_under
from csi.moments.sample import regroup, sample_of, select
from csi.moments.stack import Moments

ITEMS = ["a", "b"]


def frame(n: int = 60) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    return pl.DataFrame(rng.normal(size=(n, 2)), schema=ITEMS).with_columns(
        school=pl.Series(["P", "G", "G"] * (n // 3)), wave=pl.Series(["1", "2"] * (n // 2)), id=pl.int_range(n)
    )


def test_groups_stand_in_order_of_first_appearance_within_sorted_cells() -> None:
    sample = sample_of(frame(), ITEMS, by=["wave"], group="school")
    assert sample.groups == ("P", "G")
    key = sample.cell * 2 + sample.group
    assert (np.diff(key) >= 0).all()
    assert np.bincount(key).tolist() == [10, 20, 10, 20]
    read = frame().select(ITEMS).to_numpy()
    np.testing.assert_array_equal(read[sample.place], sample.rows)


def test_parts_are_the_groups_and_the_outer_moments_pool_them() -> None:
    data = frame()
    moments = moments_of(sample_of(data, ITEMS, by=["wave"], group="school"))
    for slice_, wave in enumerate(("1", "2")):
        cell = data.filter(pl.col("wave") == wave)
        np.testing.assert_allclose(moments.cov[slice_], np.cov(cell.select(ITEMS).to_numpy().T), rtol=1e-12)
        for part, label in zip(moments.parts, moments.groups, strict=True):
            X = cell.filter(pl.col("school") == label).select(ITEMS).to_numpy()
            np.testing.assert_allclose(part.cov[slice_], np.cov(X.T), rtol=1e-12)
            rows, weights, units = part.rows.of(slice_)
            assert rows.shape == X.shape
            np.testing.assert_allclose(np.sort(rows[:, 0]), np.sort(X[:, 0]))
            assert weights.tolist() == [1.0] * len(X)
            assert part.cells["n"][slice_] == len(X) == units.size


def test_grouped_moments_pool_as_the_rows_do() -> None:
    pooled = moments_of(sample_of(frame(), ITEMS, group="school"))
    shuffled = {g: m.of_items(["b", "a"]) for g, m in zip(pooled.groups, pooled.parts, strict=True)}
    again = Moments.grouped({"P": pooled.parts[0], "G": shuffled["G"]})
    np.testing.assert_allclose(again.mean, pooled.mean, rtol=1e-12)
    np.testing.assert_allclose(again.cov, pooled.cov, rtol=1e-12)
    assert again.cells["n"].to_list() == [60]
    assert again.parts[1].names == ("a", "b")


def test_grouped_moments_that_do_not_fit_together() -> None:
    one, other = Moments.of(["a"], [[1.0]], n=9), Moments.of(["b"], [[1.0]], n=9)
    with pytest.raises(Problems, match="two groups or more"):
        Moments.grouped({"P": one})
    with pytest.raises(Problems, match='group "G"'):
        Moments.grouped({"P": one, "G": other})


def test_resamples_leave_the_size_of_a_group_alone() -> None:
    sample = sample_of(frame(), ITEMS, by=["wave"], group="school", unit="id")
    _, drawn = next(iter(plan_of(sample, n=10, seed=1).blocks()))
    stack = moments_under(sample, drawn)
    np.testing.assert_allclose(stack.parts[0].sum_w, 10.0, atol=1e-4)
    np.testing.assert_allclose(stack.parts[1].sum_w, 20.0, atol=1e-4)
    rows, weights, units = stack.parts[1].rows.of(2 * 3 + 1)
    np.testing.assert_allclose(np.average(rows, axis=0, weights=weights), stack.parts[1].mean[7], rtol=1e-10)
    assert weights.tolist() == drawn[3, units].tolist()


def test_regroup_and_select_keep_the_groups() -> None:
    sample = sample_of(frame(), ITEMS, by=["wave"], group="school", unit="id")
    whole = regroup(sample, [])
    assert np.bincount(whole.group).tolist() == [20, 40]
    direct = moments_of(sample_of(frame(), ITEMS, group="school"))
    np.testing.assert_allclose(moments_of(whole).parts[1].cov, direct.parts[1].cov, rtol=1e-12)
    one = select(sample, [False, True])
    assert np.bincount(one.group).tolist() == [10, 20]
    read = frame().select(ITEMS).to_numpy()
    np.testing.assert_array_equal(read[one.place], one.rows)


def test_cells_without_a_group_have_no_result() -> None:
    data = frame().filter((pl.col("wave") == "1") | (pl.col("school") == "G"))
    sample = sample_of(data, ITEMS, by=["wave"], group="school")
    assert sample.cells["wave"].to_list() == ["1"]
    assert [n.say("en") for n in sample.notes] == ["2: no usable row of P, so this cell has no result."]


def test_groups_that_cannot_be_formed() -> None:
    data = frame()
    with pytest.raises(Problems, match='only "P"'):
        sample_of(data, ITEMS, where={"school": "P"}, group="school")
    with pytest.raises(Problems, match="schol"):
        sample_of(data, ITEMS, group="schol")
    silent = data.with_columns(a=pl.when(pl.col("school") == "P").then(None).otherwise("a"))
    with pytest.raises(Problems, match="no usable row of P"):
        sample_of(silent, ITEMS, group="school")


def test_rows_without_a_group_or_any_answer_are_counted() -> None:
    data = frame().with_columns(
        school=pl.when(pl.int_range(60) == 0).then(None).otherwise("school"),
        a=pl.when(pl.int_range(60).is_in([1, 2])).then(None).otherwise("a"),
        b=pl.when(pl.int_range(60) == 1).then(None).otherwise("b"),
    )
    sample = sample_of(data, ITEMS, group="school", missing="fiml")
    assert sample.groups == ("G", "P")
    assert sample.rows.shape == (58, 2)
    assert np.isnan(sample.rows).sum() == 1
    told = {n.code: n.say("en") for n in sample.notes}
    assert told["N-GROUP-ABSENT"].startswith("1 of 60 rows")
    assert "1 of them have no answer at all" in told["N-MISSING"]


def test_numbers_are_labels_too() -> None:
    data = frame().with_columns(school=pl.when(pl.col("school") == "P").then(2.0).otherwise(1.0))
    assert sample_of(data, ITEMS, group="school").groups == ("2", "1")


def test_moments_let_their_rows_go() -> None:
    moments = moments_of(sample_of(frame(), ITEMS, group="school")).without_rows()
    assert moments.rows is None
    assert [part.rows for part in moments.parts] == [None, None]
