"""Compiled fit measures are those that the formulas give one by one, to the bit, in odd cases too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import csi
from csi.measures.baseline import baseline
from csi.measures.closed_form import ABSOLUTE, INCREMENTAL, _compiled, one_by_one
from csi.sem import compiled
from csi.sem.fitted import Fitted, fitted

built = pytest.mark.skipif(not compiled.AVAILABLE, reason="csi.sem.kernel was not compiled in this installation")

TEXT = "f =~ a + b + c; g =~ d + e + h; g ~ f"
ITEMS = list("abcdeh")


def a_fit(text: str = TEXT, **settings: object) -> Fitted:
    """A fit to three cells of simulated rows."""
    rng = np.random.default_rng(11)
    cells = []
    for _ in range(3):
        f = rng.normal(size=(120, 1))
        rows = np.hstack([f, 0.6 * f + 0.8 * rng.normal(size=(120, 1))]).repeat(3, axis=1) + rng.normal(size=(120, 6))
        cells.append(np.cov(rows.T))
    est = csi.fit(text, csi.Moments.of(ITEMS, cells[0], n=120, mean=np.zeros(len(ITEMS))), csi.SEM(**settings))
    stack = replace(
        est.moments,
        n=np.full(3, 120.0),
        sum_w=np.full(3, 120.0),
        sum_w2=np.full(3, 120.0),
        mean=rng.normal(size=(3, 6)),
        cov=np.stack(cells),
    )
    return fitted(csi.fit(text, stack, csi.SEM(**settings)))


def assert_alike(fit: Fitted, base: object) -> None:
    """Both ways find the same names and the same numbers."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        fast, slow = _compiled(fit, base), one_by_one(fit, base)
    assert fast is not None
    assert set(fast) == set(slow)
    for name, values in slow.items():
        np.testing.assert_allclose(fast[name], values, rtol=1e-14, atol=0, err_msg=name)


@built
@pytest.mark.parametrize(
    "settings",
    [{}, {"meanstructure": True}, {"likelihood": "wishart"}, {"std_lv": True}],
    ids=["plain", "means", "wishart", "std_lv"],
)
@pytest.mark.parametrize("text", [TEXT, "f =~ a + b + c", "f =~ a + b + c; f ~ d + e", "f =~ 1*a + 1*b + 1*c + 1*d"])
def test_compiled_measures_are_the_formulas(text, settings):
    fit = a_fit(text, **settings)
    assert_alike(fit, baseline(fit))


@built
@pytest.mark.parametrize("T", [0.0, 3.0, 700.0, 1e308, np.nan, np.inf])
@pytest.mark.parametrize("T0", [0.0, 15.0, 600.0, np.nan])
@pytest.mark.parametrize("df", [0, 8, 15, 20])
def test_odd_statistics_give_the_same(T, T0, df):
    fit = a_fit()
    chi2 = np.array([T, 12.5, T])
    odd = replace(fit, df=df, test=replace(fit.test, statistic=chi2))
    assert_alike(odd, replace(baseline(fit), chi2=np.array([T0, T0, 15.0])))


@built
def test_an_implied_covariance_that_cannot_be_is_left_to_the_formulas():
    fit = a_fit()
    group = fit.groups[0]
    Sigma = group.at.Sigma.copy()
    Sigma[1] *= -1
    assert _compiled(replace(fit, groups=(replace(group, at=replace(group.at, Sigma=Sigma)),)), baseline(fit)) is None


def test_measures_stand_in_the_same_order_either_way(monkeypatch):
    est = csi.fit("f =~ a + b + c + d", csi.Moments.of("abcd", np.eye(4) + 0.5, n=90), csi.SEM())
    first = list(csi.fit_measures(est))
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    assert list(csi.fit_measures(est)) == first
    assert {*INCREMENTAL, *ABSOLUTE} - {"wrmr"} <= set(first)
