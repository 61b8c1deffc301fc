"""Little's test: by hand, by an implementation in R on lavaan's moments, and by what other software printed."""

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.moments.little import little


def test_two_items_by_hand():
    """Monotone absences have a closed form: x of all, y of some.

    mu_x = mean(x), S_xx = sum (x - mu_x)^2 / n; mu_y = a + b mu_x and S_yy = s2 + b^2 S_xx by the regression of y on x
    in complete rows. d2 then is that of the two patterns.
    """
    rng = np.random.default_rng(7)
    x = rng.standard_normal(40)
    y = 0.6 * x + rng.standard_normal(40)
    y[28:] = np.nan
    x1, y1 = x[:28], y[:28]
    b = np.cov(x1, y1, ddof=0)[0, 1] / x1.var()
    s2 = (y1 - y1.mean() - b * (x1 - x1.mean())).var()
    mu = np.array([x.mean(), y1.mean() + b * (x.mean() - x1.mean())])
    S = np.array([[x.var(), b * x.var()], [b * x.var(), s2 + b * b * x.var()]]) * 40 / 39
    d = np.array([x1.mean(), y1.mean()]) - mu
    own = 28 * d @ np.linalg.solve(S, d) + 12 * (x[28:].mean() - mu[0]) ** 2 / S[0, 0]
    found = little(np.column_stack([x, y]))
    assert (found.df, found.patterns, found.n) == (1, 2, 40)
    assert found.statistic == pytest.approx(own, rel=1e-8)


def test_the_statistic_is_that_of_the_recorded_moments():
    """d2 written out on lavaan's saturated moments of Holzinger & Swineford with absences (recorded reference)."""
    where = os.environ.get("CSI_REFERENCE_DIR")
    if not where:
        pytest.skip("CSI_REFERENCE_DIR is not set")
    saved = json.loads((Path(where) / "reference/cbsem_hs_fiml.json").read_text(encoding="utf-8"))["em_saturated"]
    names = saved["cov"]["rows"]
    place = Path(where) / "data/holzinger_swineford/holzinger_swineford_missing.csv"
    frame = pl.read_csv(place, null_values=["NA", ""])
    rows = frame.select(pl.col(n).cast(pl.Float64) for n in names).fill_null(float("nan")).to_numpy()
    mu = np.array([saved["mean"][n] for n in names])
    S = np.array(saved["cov"]["values"], dtype=float).reshape(9, 9) * 301 / 300
    total, df = 0.0, -9
    for pattern in np.unique(np.isfinite(rows), axis=0):
        mine = rows[(np.isfinite(rows) == pattern).all(axis=1)][:, pattern]
        d = mine.mean(axis=0) - mu[pattern]
        total += len(mine) * d @ np.linalg.inv(S[np.ix_(pattern, pattern)]) @ d
        df += int(pattern.sum())
    found = little(rows)
    assert (found.patterns, found.df, found.n) == (50, df, 301)
    assert found.statistic == pytest.approx(total, rel=1e-5)


def test_airquality_is_as_r_finds_it(airquality):
    """R's airquality (base R, EM to 1e-12, the published formula): 34.8767227836 on 14 df.

    naniar 1.1 prints 35.1061288690: the same without n / (n - 1) = 153 / 152, its EM stopped at a looser tolerance.
    """
    found = little(airquality)
    assert (found.n, found.items, found.patterns, found.df) == (153, 6, 4, 14)
    assert found.statistic == pytest.approx(34.87672278357903, rel=1e-8)
    assert found.p_value == pytest.approx(0.00153303058343, rel=1e-7)
    assert found.statistic * 153 / 152 == pytest.approx(35.1061288689702, rel=1e-5)


@pytest.fixture
def airquality():
    """The data set of R, as its package datasets ships it (public domain: New York, May to September 1973)."""
    frame = pl.read_csv(Path(__file__).with_name("airquality.csv"), null_values="NA")
    return frame.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def test_there_is_no_test_of_one_pattern_or_one_item():
    assert np.isnan(little(np.arange(12.0).reshape(6, 2)).p_value)
    assert np.isnan(little(np.array([[1.0], [np.nan], [2.0]])).p_value)
