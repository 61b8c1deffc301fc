from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.estimate.fit import fit
from csi.importance.robust import robust_drivers, scores
from csi.models.model import Model
from csi.pls.estimator import PLS

MODEL = "price =~ p0 + p1\nuse =~ u0 + u1 + u2\njoy =~ j0 + j1 + j2\njoy ~ use + price"


def frame_of(outliers=0):
    rng = np.random.default_rng(11)
    use, price = rng.normal(size=(2, 250))
    joy = 0.6 * use + 0.2 * price + 0.7 * rng.normal(size=250)
    joy[:outliers] = -3 * np.sign(use[:outliers])
    parts = {f"p{i}": price for i in range(2)} | {f"u{i}": use for i in range(3)} | {f"j{i}": joy for i in range(3)}
    return pl.DataFrame(
        {k: np.clip(np.round(6 + 1.5 * (v + 0.5 * rng.normal(size=250))), 1, 10) for k, v in parts.items()}
    )


def test_least_squares_repeats_the_direct_effects():
    est = fit(Model.parse(MODEL), frame_of(), PLS(), scale=(1, 10))
    table = robust_drivers(est, "joy").table
    assert table["predictor"].to_list() == ["use", "price"]
    assert table["ols"].to_list() == pytest.approx(table["model"].to_list(), abs=1e-10)
    assert table["agrees"].to_list() == [True, True]
    assert (table["ols_conf_low"] < table["ols"]).all()


def test_huber_gives_outliers_less_weight():
    clean = robust_drivers(fit(Model.parse(MODEL), frame_of(), PLS(), scale=(1, 10)), "joy").table
    dirty = robust_drivers(fit(Model.parse(MODEL), frame_of(20), PLS(), scale=(1, 10)), "joy").table
    assert abs(dirty["huber"][0] - clean["huber"][0]) < abs(dirty["ols"][0] - clean["ols"][0])


def test_scores_are_on_0_100_with_the_mean_of_the_index():
    est = fit(Model.parse(MODEL), frame_of(), PLS(), scale=(1, 10))
    values = scores(est)
    assert values.min() >= 0
    assert values.max() <= 100
    assert values.shape == (250, 3)


def test_moments_alone_have_no_scores():
    est = fit(Model.parse(MODEL), frame_of(), PLS(), scale=(1, 10))
    with pytest.raises(Problems) as caught:
        robust_drivers(fit(est.model, est.moments, PLS()), "joy")
    assert caught.value.problems[0].code == "E-ROWS"


def test_cells_are_regressed_apart():
    two = pl.concat([frame_of().with_columns(brand=pl.lit(b)) for b in ("A", "B")])
    table = robust_drivers(fit(Model.parse(MODEL), two, PLS(), by=["brand"], scale=(1, 10)), "joy").table
    assert table["brand"].to_list() == ["A", "A", "B", "B"]
    assert table["huber"][0] == pytest.approx(table["huber"][2])
