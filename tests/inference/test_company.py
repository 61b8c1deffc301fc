"""What a replicate of a covariance model becomes depends neither on threads nor on the slices solved beside it."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.inference import replicates
from csi.sem import optimise

TEXT = "f =~ a + b + c\ng =~ d + e + h\ng ~ f"


def rows(*, holes):
    rng = np.random.default_rng(11)
    f = rng.normal(size=120)
    g = 0.6 * f + 0.8 * rng.normal(size=120)
    answers = np.column_stack([f, f, f, g, g, g]) * [0.9, 0.8, 0.7, 0.8, 0.7, 0.9] + 0.6 * rng.normal(size=(120, 6))
    if holes:
        answers[rng.random(answers.shape) < 0.1] = np.nan
    return pl.DataFrame(answers, schema=list("abcdeh")).fill_nan(None)


@pytest.mark.parametrize("settings", [csi.SEM(), csi.SEM(estimator="DWLS"), csi.SEM(missing="fiml")])
@pytest.mark.parametrize(("workers", "together", "most"), [(2, 2, 256), (1, 1, 256), (1, 2, 7)])
def test_the_same_bits_whatever_the_company(monkeypatch, settings, workers, together, most):
    est = csi.fit(csi.Model.parse(TEXT), rows(holes=settings.missing == "fiml"), settings)
    monkeypatch.setattr(replicates, "WORKERS", 1)
    alone = csi.bootstrap(est, n=300, seed=3).replicates
    monkeypatch.setattr(replicates, "WORKERS", workers)
    monkeypatch.setattr(replicates, "TOGETHER", together)
    monkeypatch.setattr(optimise, "MOST", most)
    monkeypatch.setattr(optimise, "LEAST", min(most, 16))
    other = csi.bootstrap(est, n=300, seed=3).replicates
    assert alone.usable.mean() > 0.9
    assert np.array_equal(alone.values, other.values, equal_nan=True)
    assert alone.counts.equals(other.counts)
