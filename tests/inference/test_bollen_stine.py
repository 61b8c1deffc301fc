"""The Bollen-Stine bootstrap, and bootstrap intervals of defined parameters."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.inference.bollen_stine import bollen_stine, transformed
from csi.moments.pearson import moments_of

HOLZINGER = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9"


def data(name):
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: a bootstrap needs the rows")
    return pl.read_csv(Path(place) / "data" / name)


def saved(name):
    return json.loads((Path(os.environ["CSI_REFERENCE_DIR"]) / "reference" / name).read_text("utf-8"))


def simulated(n, seed, doubled=0.0):
    """One factor, four items; `doubled` is shared by the last two beyond the factor."""
    rng = np.random.default_rng(seed)
    f, extra = rng.standard_normal(n), rng.standard_normal(n)
    columns = {f"y{j}": f + rng.standard_normal(n) + (doubled * extra if j > 1 else 0) for j in range(4)}
    return pl.DataFrame(columns)


def test_transformed_rows_have_the_moments_the_model_implies():
    est = csi.fit(csi.Model.parse("f =~ y0 + y1 + y2 + y3"), simulated(80, 1), csi.SEM(meanstructure=True))
    fit = est.extra["sem"]
    moments = moments_of(transformed(est.sample, fit)).of_items(fit.layout.table.observed)
    assert moments.cov[0] * 79 / 80 == pytest.approx(fit.groups[0].at.Sigma[0], abs=1e-10)
    assert moments.mean[0] == pytest.approx(fit.groups[0].at.mu[0], abs=1e-10)


def test_a_true_model_stands_and_a_wrong_one_falls():
    model = csi.Model.parse("f =~ y0 + y1 + y2 + y3")
    right = bollen_stine(csi.fit(model, simulated(300, 2), csi.SEM()), n=300)
    wrong = bollen_stine(csi.fit(model, simulated(300, 2, doubled=1.5), csi.SEM()), n=300)
    assert right.p_value[0] > 0.05
    assert wrong.p_value[0] < 0.01
    assert np.nanmean(right.draws) == pytest.approx(2, abs=0.5)


def test_holzinger():
    # lavaan: p 0, mean chi2 25.26 of 1000 replicates (cbsem_hs.json, ML_bollenstine_1000_seed1)
    found = bollen_stine(
        csi.fit(csi.Model.parse(HOLZINGER), data("holzinger_swineford/holzinger_swineford.csv"), csi.SEM())
    )
    theirs = saved("cbsem_hs.json")["ML_bollenstine_1000_seed1"]
    assert found.p_value[0] < 0.005
    assert np.nanmean(found.draws) == pytest.approx(theirs["mean_chisq"], abs=1.0)


def test_cells_and_groups():
    frame = pl.concat([simulated(150, s).with_columns(b=pl.lit(c)) for s, c in ((1, "u"), (2, "v"))])
    model = csi.Model.parse("f =~ y0 + y1 + y2 + y3")
    cells = bollen_stine(csi.fit(model, frame, csi.SEM(), by=["b"]), n=200)
    assert cells.draws.shape == (200, 2)
    grouped = bollen_stine(csi.fit(model, frame, csi.SEM(groups="b")), n=200)
    assert np.nanmean(grouped.draws) == pytest.approx(4, abs=1)


def test_what_it_cannot_do_is_said_at_once():
    frame = simulated(60, 1).with_columns(y0=pl.when(pl.int_range(60) == 3).then(None).otherwise(pl.col("y0")))
    est = csi.fit(csi.Model.parse("f =~ y0 + y1 + y2 + y3"), frame, csi.SEM(missing="fiml"))
    with pytest.raises(Problems) as caught:
        bollen_stine(est, n=5)
    assert [p.code for p in caught.value.problems] == ["E-BOOT", "E-BOOT"]


@pytest.mark.parametrize(("interval", "name"), [("percentile", "percentile"), ("bc", "bc")])
def test_intervals_of_defined_parameters(interval, name):
    # lavaan drew 5000 resamples of n rows; here n - 1 rescaled, so spreads differ by n / (n - 1): n = 123
    model = csi.Model.parse("pmi ~ a*cond; reaction ~ b*pmi + cp*cond; indirect := a*b; total := cp + a*b")
    boot = csi.bootstrap(csi.fit(model, data("tal_or/tal_or.csv"), csi.SEM()), n=5000, interval=interval)
    theirs = saved("cbsem_mediation.json")["tal_or_bootstrap5000_seed1234"]["ci"]
    for row in boot.table.filter(pl.col("label") != "").iter_rows(named=True):
        low, high = theirs[row["label"]][name].values()
        se = theirs[row["label"]]["se"]
        assert row["std_error"] == pytest.approx(se, rel=0.03)
        assert row["conf_low"] == pytest.approx(low, abs=0.2 * se)
        assert row["conf_high"] == pytest.approx(high, abs=0.2 * se)
