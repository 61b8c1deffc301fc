"""Weights of a rolling window of waves."""

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.tracking.decompose import decompose
from csi.tracking.index import index
from csi.tracking.rolling import windowed

CELLS = ["brand", "wave"]


@pytest.fixture(scope="module")
def frame(survey):
    return survey()


@pytest.fixture(scope="module")
def est(model, frame):
    return fit(model, frame, PLS(), by=CELLS, scale=(1, 10), unit="id")


def weights_of(made, wave):
    return made.weights.filter(pl.col("wave") == wave)["weight"].to_numpy()


def test_a_window_s_weights_are_those_of_its_answers_together(model, frame, est):
    made = index(est, weights="rolling", window=2)
    for wave, waves in (("w1", ["w1"]), ("w2", ["w1", "w2"]), ("w3", ["w2", "w3"])):
        part = frame.filter(pl.col("wave").is_in(waves)).drop("wave")
        alone = index(fit(model, part, PLS(), scale=(1, 10)), weights="own")
        np.testing.assert_allclose(weights_of(made, wave), alone.weights["weight"], rtol=0, atol=1e-9)


def test_one_wave_is_the_wave_rule_and_all_waves_end_pooled(est):
    one, every = index(est, weights="rolling", window=1), index(est, weights="rolling", window=3)
    np.testing.assert_allclose(one.values, index(est, weights="wave").values, atol=1e-9)
    last = (every.cells["wave"] == "w3").to_numpy()
    np.testing.assert_allclose(every.values[last], index(est, weights="pooled").values[last], atol=1e-9)


def test_errors_of_windows(est):
    plain = index(est, weights="rolling", window=2)
    boot = index(bootstrap(est, n=400, seed=5), weights="rolling", window=2)
    np.testing.assert_allclose(plain.table["std_error"], boot.table["std_error"], rtol=0.15)
    assert "window" in " ".join(n.say("en") for n in plain.notes)
    assert "窗口" in " ".join(n.say("zh") for n in plain.notes)
    table = decompose(plain, construct="Use").table
    assert not table.filter(part="weights")["held"].any()


def test_rows_stay_one_unit(est):
    made = windowed(est.sample, ["w1", "w2", "w3"], 3)
    assert made.cells["n"].to_list() == [160, 320, 480]
    assert np.unique(made.unit).size == np.unique(est.sample.unit).size


def test_a_window_of_nothing(est):
    with pytest.raises(Problems) as said:
        index(est, weights="rolling", window=0)
    assert said.value.problems[0].code == "E-SETTING"
    assert "窗口" in said.value.problems[0].say("zh")


def test_windows_need_rows(model, est):
    moments = fit(model, est.moments.without_rows(), PLS())
    with pytest.raises(Problems, match="needs the rows"):
        index(moments, weights="rolling")
