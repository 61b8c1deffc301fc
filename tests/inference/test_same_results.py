"""The same numbers whatever the chunks, the threads, the order of rows and the cells fitted beside."""

from typing import get_args

import numpy as np
import polars as pl
import pytest

import csi
from csi.inference import replicates
from csi.inference.intervals import Interval

MODEL = csi.Model.parse("x =~ x1 + x2\ny =~ y1 + y2\ny ~ x")
WAYS = ({"interval": k} for k in get_args(Interval))


def answers(n=90, seed=1, whole=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 0.5 * x + rng.normal(size=n)
    X = np.column_stack([x, x, y, y]) * 2 + 0.8 * rng.normal(size=(n, 4)) + 5
    frame = pl.DataFrame(np.round(X) if whole else X, schema=["x1", "x2", "y1", "y2"])
    return frame.with_columns(id=pl.int_range(n).cast(pl.String), b=pl.int_range(n) % 2, w=1 + pl.int_range(n) % 5 / 4)


def numbers(boot):
    """Everything that is computed of the replicates."""
    found = [boot.std_error, boot.p_value, boot.conf_low, boot.conf_high]
    found += [csi.validity(boot).htmt, csi.effects(boot).table.select("conf_low", "conf_high").to_numpy()]
    return [np.asarray(v, dtype=np.float64) for v in found]


def same(one, two):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(numbers(one), numbers(two), strict=True))


@pytest.mark.parametrize("asked", [*WAYS, {"resampling": "bayesian"}, {"alternative": "less"}])
@pytest.mark.parametrize("ids", [{"unit": "id"}, {}])
def test_order_of_rows_changes_no_bit(asked, ids):
    data = answers()
    keys = {"by": ["b"], "weight": "w", **ids}
    mixed = data.sample(fraction=1.0, shuffle=True, seed=3)
    one, two = (csi.bootstrap(csi.fit(MODEL, d, csi.PLS(), **keys), n=120, seed=1, **asked) for d in (data, mixed))
    assert same(one, two)


def test_order_of_rows_changes_no_jackknife():
    data = answers()
    mixed = data.sample(fraction=1.0, shuffle=True, seed=3)
    one, two = (csi.jackknife(csi.fit(MODEL, d, csi.PLS(), by=["b"])) for d in (data, mixed))
    assert same(one, two)


@pytest.mark.parametrize("asked", [{}, {"interval": "bca"}, {"resampling": "bayesian"}])
def test_chunks_and_threads_change_no_bit(monkeypatch, asked):
    est = csi.fit(MODEL, answers(), csi.PLS(), by=["b"], weight="w")
    found = []
    for together, workers, keep in ((2, 4, 2**26), (1, 1, 2**26), (3, 2, 0), (5, 1, 0)):
        monkeypatch.setattr(replicates, "TOGETHER", together)
        monkeypatch.setattr(replicates, "WORKERS", workers)
        monkeypatch.setattr(replicates, "KEEP_BYTES", keep)
        found.append(csi.bootstrap(est, n=1100, seed=1, **asked))
    assert all(same(found[0], other) for other in found[1:])


def test_answers_that_are_no_whole_numbers_agree_to_rounding(monkeypatch):
    """Sums of fractions depend on their order in the last bits; the fixed point keeps them there."""
    est = csi.fit(MODEL, answers(whole=False), csi.PLS(), by=["b"])
    one = csi.bootstrap(est, n=600, seed=1)
    monkeypatch.setattr(replicates, "TOGETHER", 1)
    monkeypatch.setattr(replicates, "WORKERS", 1)
    two = csi.bootstrap(est, n=600, seed=1)
    for a, b in zip(numbers(one), numbers(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_more_replicates_begin_with_the_same_ones():
    est = csi.fit(MODEL, answers(), csi.PLS())
    few, many = (csi.bootstrap(est, n=n, seed=4).replicates.values for n in (300, 900))
    assert np.array_equal(few, many[:300])


def test_a_cell_has_its_numbers_whatever_is_fitted_beside():
    """Strata are the cells, so the plan of one brand alone is another draw; the joint plan is the same for pools."""
    est = csi.fit(MODEL, answers(), csi.PLS(), by=["b"], scale=(-9, 20))
    boot = csi.bootstrap(est, n=300)
    joint, alone = csi.index(boot, weights="own"), csi.index(boot, by=["b"], weights="pooled")
    assert joint.replicates.shape == alone.replicates.shape
    assert np.corrcoef(joint.replicates[:, 0, 0], alone.replicates[:, 0, 0])[0, 1] > 0.99
