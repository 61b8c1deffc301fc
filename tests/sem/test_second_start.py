"""Other starts where a fit ended improper or ran away: lower minima are found, sound fits are left alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
import csi.sem.second_start as second
from csi.sem.second_start import plain_starts

CROSSED = "f =~ x1 + x4 + x7\ng =~ x2 + x5 + x8\nh =~ x3 + x6 + x9"


def rows():
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    return pl.read_csv(Path(place) / "data/holzinger_swineford/holzinger_swineford.csv", null_values=["", "NA"])


@pytest.fixture
def searches(monkeypatch):
    """How often another start was searched from."""
    counted = []
    own = second._searched

    def counting(problem, start, rounds):
        counted.append(len(start))
        return own(problem, start, rounds)

    monkeypatch.setattr(second, "_searched", counting)
    return counted


def test_a_marker_that_wants_another_sign_is_passed_through(searches):
    """The loading of x3 is fixed to 1 and wants to be negative: others pass through infinity to the other end;
    latents of variance 1 have the same minimum without the detour."""
    equal = ("loadings", "intercepts")
    model = csi.Model.parse(CROSSED)
    one = csi.fit(model, rows(), csi.SEM(estimator="GLS", groups="school", equal=equal, std_lv=True))
    found = csi.fit(model, rows(), csi.SEM(estimator="GLS", groups="school", equal=equal))
    assert found.convergence.converged.all()
    assert searches
    statistic = [e.extra["sem"].test.statistic[0] for e in (found, one)]
    assert statistic[0] == pytest.approx(statistic[1], rel=1e-9)
    assert statistic[0] == pytest.approx(220.15412, abs=1e-4)


def test_sound_fits_are_searched_once(searches):
    model = csi.Model.parse("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9")
    for settings in ({}, {"estimator": "GLS"}, {"groups": "school", "equal": ("loadings", "intercepts")}):
        assert csi.fit(model, rows(), csi.SEM(**settings)).convergence.converged.all()
    assert searches == []


def heywood(n=60):
    rng = np.random.default_rng(8)
    f = rng.standard_normal((n, 1))
    return pl.DataFrame(
        f * [0.95, 0.4, 0.3, 0.3] + rng.standard_normal((n, 4)) * [0.3, 0.9, 0.9, 0.9], schema=list("abcd")
    )


def test_an_improper_minimum_that_no_start_betters_stays(searches):
    model = csi.Model.parse("f =~ a + b + c + d")
    frame = pl.concat([heywood().with_columns(cell=pl.lit(str(s))) for s in range(2)])
    est = csi.fit(model, frame, csi.SEM(), by=["cell"])
    improper = np.any(list(est.convergence.improper.values()), axis=0)
    again = csi.fit(model, heywood(), csi.SEM())
    assert est.values[0] == pytest.approx(again.values[0], abs=1e-6)
    assert improper.all()
    assert searches


def test_replicates_are_searched_once(searches):
    est = csi.fit(csi.Model.parse("f =~ a + b + c + d"), heywood(), csi.SEM())
    before = len(searches)
    csi.bootstrap(est, n=100, seed=1)
    assert len(searches) == before


def test_plain_starts_of_a_model_with_everything():
    text = "f =~ a + b + c\ng =~ 2*d + e\nh =~ f + g\nx ~ h + u\nu ~~ u"
    model = csi.Model.parse(text)
    names = ["a", "b", "c", "d", "e", "x", "u"]
    S = np.eye(7) * 2 + 0.3
    S[0, 2] = S[2, 0] = -0.3
    est = csi.fit(model, csi.Moments.of(names, S, n=200), csi.SEM(meanstructure=False, fixed_x=False))
    layout = est.extra["sem"].layout
    order = [names.index(n) for n in layout.table.observed]
    start = plain_starts(layout, [S[np.ix_(order, order)][None]], [np.zeros((1, 7))], 0.45)
    value = dict(zip(layout.table.names, start[0], strict=True))
    assert value["f =~ b"] == pytest.approx(1.0)
    assert value["f =~ c"] == pytest.approx(-1.0)
    assert value["a ~~ a"] == pytest.approx(0.5 * S[0, 0])
    assert value["u ~~ u"] == pytest.approx(S[6, 6])
    assert value["x ~ h"] == 0.0
    assert np.isfinite(start).all()
