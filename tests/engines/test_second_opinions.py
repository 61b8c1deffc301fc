from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.engines.pingouin import cronbach_alpha
from csi.engines.statsmodels import robust_regression
from csi.measures.reliability import alpha

REFERENCE = Path(__file__).parents[1] / "reference"
DATA = os.environ.get("CSI_REFERENCE_DIR")


def rows_with(cov, n):
    """Rows whose sample covariance is exactly `cov`."""
    z = np.random.default_rng(5).normal(size=(n, len(cov)))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    return z @ np.linalg.cholesky(cov).T


@pytest.mark.parametrize("construct", ["Image", "Quality", "Value", "Satisfaction", "Loyalty"])
def test_alpha_agrees_with_pingouin(construct):
    m = json.loads((REFERENCE / "mobi/moments.json").read_text(encoding="utf-8"))
    at = [i for i, k in enumerate(m["block"]) if m["constructs"][k] == construct]
    cov = np.array(m["cov"])[np.ix_(at, at)]
    second = cronbach_alpha(rows_with(cov, m["n"]))
    assert alpha(cov, np.ones((len(at), 1)))[0] == pytest.approx(second.alpha, abs=1e-12)
    assert second.conf_low < second.alpha < second.conf_high


@pytest.mark.skipif(not DATA, reason="row-level data: set CSI_REFERENCE_DIR")
def test_alpha_of_the_rows_agrees_with_pingouin():
    rows = pl.read_csv(Path(DATA) / "data/mobi/mobi.csv").select("CUSL1", "CUSL2", "CUSL3").to_numpy().astype(float)
    ours = alpha(np.cov(rows, rowvar=False), np.ones((3, 1)))[0]
    assert ours == pytest.approx(cronbach_alpha(rows).alpha, abs=1e-12)


def test_feldts_interval_by_formula():
    from scipy.stats import f  # noqa: PLC0415 - the formula's own distribution, used once

    rows = rows_with(np.array([[1.0, 0.5], [0.5, 1.0]]), 50)
    second = cronbach_alpha(rows, level=0.90)
    low = 1 - (1 - second.alpha) * f.isf(0.05, 49, 49)
    assert second.conf_low == pytest.approx(low, abs=5e-4)


def test_least_squares_and_its_hc3_errors_by_hand():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(40, 2))
    y = 1.0 + X @ [0.5, -0.3] + rng.normal(size=40)
    fit = robust_regression(y, X)
    design = np.column_stack([np.ones(40), X])
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ y
    lever = np.einsum("ij,jk,ik->i", design, bread, design)
    meat = (design * ((y - design @ beta) / (1 - lever))[:, None] ** 2).T @ design
    assert fit.ols == pytest.approx(beta[1:])
    assert fit.ols_error == pytest.approx(np.sqrt(np.diag(bread @ meat @ bread))[1:])
    low, high, *_ = fit.interval(0.95)
    assert (high - low) / fit.ols_error == pytest.approx(2 * 1.959964, rel=1e-6)


def test_design_weights_are_used_by_least_squares_and_noted_for_huber():
    rng = np.random.default_rng(4)
    X, weight = rng.normal(size=(60, 1)), rng.uniform(0.5, 2, size=60)
    y = X[:, 0] ** 2 + rng.normal(size=60)
    weighted, plain = robust_regression(y, X, weight), robust_regression(y, X)
    assert abs(weighted.ols[0] - plain.ols[0]) > 1e-3
    assert weighted.huber[0] == pytest.approx(plain.huber[0])
    assert [n.code for n in weighted.notes] == ["unweighted"]
    assert plain.notes == ()
