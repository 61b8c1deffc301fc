"""Sums of batches: the same bits compiled or not, in any parts, and the moments that rows themselves give."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from csi.moments import stream_batch
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of
from csi.moments.stream_batch import Coding, Tally, total
from csi.moments.sums import moments_of_sums, whole

needs_compiler = pytest.mark.skipif(not stream_batch.COMPILED, reason="stream_kernel.c was not compiled here")
KINDS = (pl.Int8, pl.UInt8, pl.Int16, pl.Int64, pl.Float32, pl.Float64)


def answers(n=6000, p=7, kind=pl.Int8, seed=1):
    rng = np.random.default_rng(seed)
    base = rng.integers(1, 11, n)
    columns = {f"q{j}": pl.Series(np.clip(base + rng.integers(-3, 4, n), 1, 10)) for j in range(p)}
    coded = {k: pl.when(pl.Series(rng.random(n) < 0.01)).then(98).otherwise(c) for k, c in columns.items()}
    silent = {k: pl.when(pl.Series(rng.random(n) >= 0.01)).then(pl.col(k)).cast(kind) for k in columns}
    keys = {"brand": pl.Series(rng.integers(0, 3, n), dtype=pl.UInt8), "wave": pl.Series(rng.choice(["a", "b"], n))}
    return pl.DataFrame(keys).with_columns(**coded).with_columns(**silent, weight=pl.Series(rng.gamma(2, 0.5, n)))


def codings(p=7, **more):
    return tuple(Coding(f"q{j}", 1, 10, (98.0, 99.0), reverse=j % 3 == 0, **more) for j in range(p))


def sums_of(frames, missing="listwise", compiled=stream_batch.COMPILED, **more):
    tally = Tally(codings(**more), ("brand", "wave"), 1.0, missing, compiled)
    for frame in frames:
        tally.take(frame)
    return tally.sums()


def same(one, other):
    assert one.cells == other.cells
    assert np.array_equal(one.limbs, other.limbs)
    assert np.array_equal(one.absent, other.absent)
    assert np.array_equal(one.outside, other.outside)


@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fine", [False, True])
def test_the_compiled_sums_are_those_of_numpy_to_the_bit(kind, fine):
    frame = answers(kind=kind)
    same(sums_of([frame], fine=fine), sums_of([frame], compiled=False, fine=fine))


@needs_compiler
def test_batches_that_begin_anywhere_in_their_columns_are_read_from_there():
    frame = answers(n=20_011)
    for start in (1, 7, 8, 13):
        part = frame.slice(start, 17_003)
        same(sums_of([part]), sums_of([part], compiled=False))


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
@pytest.mark.parametrize("compiled", [False, True])
def test_any_partition_of_the_rows_gives_the_same_bits(missing, compiled):
    frame = answers()
    made = sums_of([frame], missing, compiled)
    cuts = [0, 1, 17, 2048, 5999, 6000]
    parts = [sums_of([frame[a:b]], missing, compiled) for a, b in pairwise(cuts)]
    same(made, total(parts))
    same(made, total(parts[::-1]))
    same(made, sums_of([frame[i : i + 311] for i in range(0, 6000, 311)], missing, compiled))


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_moments_of_sums_are_those_of_the_rows(missing):
    frame = answers()
    found = moments_of_sums(sums_of([frame], missing), (np.ones(7), np.full(7, 10.0)))
    turned = frame.with_columns(
        [pl.when(pl.col(c.name) < 98).then(11 - pl.col(c.name) if c.reverse else pl.col(c.name)).alias(c.name)
         for c in codings()]
    )  # fmt: skip
    items = [c.name for c in codings()]
    wanted = moments_of(sample_of(turned, items, ["brand", "wave"], weight="weight", missing=missing))
    assert found.cells.equals(wanted.cells)
    assert np.array_equal(found.n, wanted.n)
    assert np.array_equal(found.sum_w, wanted.sum_w)
    np.testing.assert_allclose(found.sum_w2, wanted.sum_w2, rtol=1e-13)
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-15)
    np.testing.assert_allclose(found.cov, wanted.cov, rtol=0, atol=4e-15)
    if missing == "listwise":
        assert np.array_equal(found.mean, wanted.mean)
        assert np.array_equal(found.cov, wanted.cov)


def test_moments_equal_two_passes_in_floats():
    frame = answers().drop_nulls().filter(pl.all_horizontal(pl.col(f"q{j}") < 98 for j in range(7)))
    found = moments_of_sums(sums_of([frame]), (np.ones(7), np.full(7, 10.0)))
    for c, (brand, wave) in enumerate(found.cells.select("brand", "wave").rows()):
        cell = frame.filter(pl.col("brand").cast(pl.String) == brand, pl.col("wave") == wave)
        x = cell.select(k.name for k in codings()).to_numpy().astype(float)
        x = np.where([k.reverse for k in codings()], 11 - x, x)
        w, n = np.maximum(np.rint(cell["weight"].to_numpy() * 2**20), 1) / 2**20, cell.height
        mean = w @ x / w.sum()
        d = x - mean
        cov = (d * w[:, None]).T @ d / w.sum() * n / (n - 1)
        np.testing.assert_allclose(found.mean[c], mean, rtol=1e-12)
        np.testing.assert_allclose(found.cov[c], cov, rtol=1e-9)


@pytest.mark.parametrize("compiled", [pytest.param(False, marks=pytest.mark.slow), True])
def test_sums_beyond_a_float_stay_whole_numbers(compiled):
    n = 30_000
    frame = pl.DataFrame({"q0": pl.Series([10] * n, dtype=pl.Int8), "weight": [2.0**19] * n})
    tally = Tally((Coding("q0", -100, 120),), (), 1.0, compiled=compiled and stream_batch.COMPILED)
    tally.take(frame)
    tally.take(frame)
    sums = whole(tally.sums().limbs)[0]
    w = 2**39
    assert sums.tolist() == [2 * n, 2 * n, 2 * n * 2**38, 0, 0, 0, 0, 0, 2 * n * w]
    far = Tally((Coding("q0", -100, 100),), (), 1.0, compiled=compiled and stream_batch.COMPILED)
    far.take(frame)
    assert whole(far.sums().limbs)[0].tolist()[-3:] == [n * w * 100, n * w * 10, n * w]
    assert n * w * 100 > 2**53


def test_answers_outside_the_scale_are_counted_apart():
    frame = pl.DataFrame({"q0": [1, 11, 5, None, 98], "brand": [0] * 5, "wave": [0] * 5})
    one = Tally((Coding("q0", 1, 10, (98.0,)),), ("brand",))
    one.take(frame)
    assert (one.sums().absent.tolist(), one.sums().outside.tolist(), one.sums().counted.tolist()) == ([2], [1], [2])
    other = Tally((Coding("q0", 1, 10, (98.0,), stop=False),), ("brand",))
    other.take(frame)
    assert (other.sums().absent.tolist(), other.sums().outside.tolist()) == ([3], [0])


def test_fractions_are_counted_in_1024ths_and_the_rounding_is_told():
    frame = pl.DataFrame({"q0": [1.5, 7.3, float("nan"), 2.25]})
    tally = Tally((Coding("q0", 1, 10, fine=True),), ())
    tally.take(frame)
    found = moments_of_sums(tally.sums(), (np.ones(1), np.full(1, 10.0)))
    assert found.mean[0, 0] == np.round(np.array([1.5, 7.3, 2.25]) * 1024).sum() / 1024 / 3
    assert tally.sums().rounded[0] == pytest.approx(abs(np.round(7.3 * 1024) / 1024 - 7.3))


@needs_compiler
@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt8])
@pytest.mark.parametrize("p", [1, 7, 15, 16, 25])
def test_bytes_of_any_scale_are_read_alike(kind, p):
    rng = np.random.default_rng(p)
    least = -128 if kind == pl.Int8 else 0
    wide = {f"q{j}": pl.Series(rng.integers(least, least + 256, 700), dtype=kind) for j in range(p)}
    frame = pl.DataFrame(wide).with_columns(
        pl.when(pl.col("q0") != 3).then("q0"), weight=pl.Series(rng.gamma(2, 0.5, 700))
    )
    scales = [
        (least - 40, least + 160),
        (least + 9, least + 200),
        (least, least + 250),
        (300, 400),
        (least + 3, least + 3),
    ]
    for low, high in scales:
        codes = (float(low + 2), float(least + 255), 2.5, -300.0)
        read = tuple(Coding(f"q{j}", low, high, codes[: j % 5], reverse=j % 2 == 0, stop=j % 3 > 0) for j in range(p))
        one, other = (Tally(read, (), 1.0, compiled=compiled) for compiled in (True, False))
        for tally in (one, other):
            tally.take(frame)
        same(one.sums(), other.sums())
