"""Means alone replicate exactly as in the full bootstrap."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.inference.bootstrap import bootstrap
from csi.inference.means import bootstrap_means

MODEL = "use =~ a + b\njoy =~ c + d\njoy ~ use"


@pytest.fixture
def estimate():
    rng = np.random.default_rng(3)
    z = rng.normal(size=(240, 1))
    answers = np.clip(np.round(6 + 2 * (0.8 * z + 0.6 * rng.normal(size=(240, 4)))), 1, 10)
    frame = pl.DataFrame(answers, schema=["a", "b", "c", "d"]).with_columns(
        wave=pl.Series(["1"] * 120 + ["2"] * 120),
        brand=pl.Series(["x", "y"] * 120),
        w=pl.Series(rng.uniform(0.5, 2, 240)),
    )
    return csi.fit(csi.Model.parse(MODEL), frame, csi.PLS(), by=["brand", "wave"], weight="w", scale=(1, 10))


def test_means_are_those_of_the_full_bootstrap(estimate):
    full, light = bootstrap(estimate, 200, 7), bootstrap_means(estimate, 200, 7)
    np.testing.assert_allclose(light.replicates.mean, full.replicates.mean, rtol=1e-12)


@pytest.mark.parametrize("rule", ["base", "pooled", "wave", "entity"])
def test_the_index_is_the_same_from_either(estimate, rule):
    full, light = (csi.index(b(estimate, 200, 7), weights=rule) for b in (bootstrap, bootstrap_means))
    np.testing.assert_allclose(light.replicates, full.replicates, rtol=1e-10)
    assert light.table["std_error"].to_list() == pytest.approx(full.table["std_error"].to_list())


def test_other_quantities_are_refused(estimate):
    with pytest.raises(Problems, match="item means only"):
        bootstrap_means(estimate, 200).replicates.over(lambda moments, solution: moments.mean)
