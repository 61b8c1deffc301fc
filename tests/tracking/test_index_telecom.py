"""The demonstration panel against its own population: PLS on exact moments is the truth PLS is judged by."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.simulation import model_of, population_moments, read_recipe
from csi.tracking.index import index
from csi.tracking.sector import sector
from csi.tracking.track import track

STUDY = Path(__file__).parents[2] / "data" / "telecom"


@pytest.fixture(scope="module")
def truth():
    recipe = read_recipe(STUDY / "recipe.yaml")
    return index(fit(model_of(recipe), population_moments(recipe), PLS()), base="2023Q4")


@pytest.fixture(scope="module")
def found():
    rows = pl.read_csv(STUDY / "panel.csv", infer_schema_length=None).filter(pl.col("seconds") >= 60)
    rows = rows.rename({"quarter": "wave", "operator": "brand"})
    model = model_of(read_recipe(STUDY / "recipe.yaml"))
    settings = dict(scale=(1, 10), na=(97, 98, 99), weight="weight", unit="id")
    est = fit(model, rows, PLS(), by=["brand", "wave"], **settings)
    return index(bootstrap(est, n=100, seed=1))


def test_intervals_cover_the_population(found, truth):
    pairs = found.table.join(truth.table, on=["brand", "wave", "construct"], suffix="_true")
    assert pairs.height == 48 * 7
    inside = pairs.select((pl.col("conf_low") <= pl.col("index_true")) & (pl.col("index_true") <= pl.col("conf_high")))
    # 336 intervals, correlated within a cell: a share of .95 has a standard error of about .02
    assert 0.90 < inside.to_series().mean() < 0.99


def test_weights_are_those_of_the_population(found, truth):
    pairs = found.weights.join(truth.weights, on=["construct", "item"], suffix="_true")
    several = pairs.filter(pl.col("std_error") > 0)
    z = ((several["weight"] - several["weight_true"]) / several["std_error"]).to_numpy()
    assert several.height == 23
    assert np.abs(z).max() < 3.5


def test_change_finds_the_story(found):
    # the population of ZX rises by 6 points over the twelve waves; the other brands move by less than 2
    table = track(found).table
    rise = {
        brand: last - first
        for brand, first, last in zip(
            table["brand"].unique(maintain_order=True),
            table.filter(pl.col("wave") == "2023Q4")["index"],
            table.filter(pl.col("wave") == "2026Q3")["index"],
            strict=True,
        )
    }
    assert max(rise, key=rise.get) == "ZX"
    assert rise["ZX"] > 3


def test_sector_of_the_population(found, truth):
    mine, true = sector(found).table, sector(truth).table
    z = (mine["index"] - true["index"]) / mine["std_error"]
    assert z.abs().max() < 3.5
