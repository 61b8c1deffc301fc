"""Refits in the processes of an executor have the bits of refits here."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import polars as pl
import pytest

import csi


class Sent:
    """An executor of another library: only `map`, and everything goes through pickle."""

    def __init__(self, pool):
        self.pool, self.tasks = pool, 0

    def map(self, fn, *given):
        given = [list(one) for one in given]
        self.tasks += len(given[0])
        return self.pool.map(fn, *given)


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


def fitted(estimator):
    rng = np.random.default_rng(3)
    f = rng.normal(size=(300, 2)) @ np.array([[1, 0.5], [0, 0.8]])
    x = np.clip(np.rint(f[:, [0, 0, 0, 1, 1, 1]] + rng.normal(0, 0.7, (300, 6)) + 5), 1, 10)
    frame = pl.DataFrame(x, schema=["a1", "a2", "a3", "b1", "b2", "b3"]).with_columns(
        g=pl.Series(np.repeat(["x", "y"], 150))
    )
    model = csi.Model.parse("a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3\nb ~ a")
    return csi.fit(model, frame, estimator, ["g"], scale=(1, 10))


@pytest.mark.parametrize("estimator", [csi.PLS(), csi.PLS(consistent=True), csi.SEM()], ids=["pls", "plsc", "ml"])
@pytest.mark.parametrize("resampling", ["multinomial", "bayesian"])
def test_an_executor_changes_no_bit(pool, estimator, resampling):
    est, told = fitted(estimator), []
    there = Sent(pool)
    here = csi.bootstrap(est, n=800, seed=7, resampling=resampling)
    away = csi.bootstrap(
        est, n=800, seed=7, resampling=resampling, executor=there, progress=lambda done, of: told.append((done, of))
    )
    assert there.tasks > 1
    assert told[-1] == (800, 800)
    assert np.array_equal(here.replicates.values, away.replicates.values, equal_nan=True)
    assert np.array_equal(here.replicates.mean, away.replicates.mean)
    assert np.array_equal(here.conf_low, away.conf_low, equal_nan=True)
    assert csi.index(here).table.equals(csi.index(away).table)
