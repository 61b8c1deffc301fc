"""Where two items of a block are left, the doctor says that they may share something the model leaves out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi

MODEL = csi.Model.parse("f =~ a + b + c + d\ng =~ e + h + i + k\ng ~ f")


def answers(seed, shared, loading, n=250):
    """Two factors of four items; the errors of a and b correlate by `shared`."""
    rng = np.random.default_rng(seed)
    f = rng.standard_normal(n)
    g = 0.5 * f + 0.87 * rng.standard_normal(n)
    errors = rng.standard_normal((n, 8))
    errors[:, 1] = shared * errors[:, 0] + np.sqrt(1 - shared**2) * errors[:, 1]
    loads, left = np.repeat([loading, 0.7], 4), np.repeat([np.sqrt(1 - loading**2), 0.7], 4)
    latent = np.column_stack([f] * 4 + [g] * 4)
    return pl.DataFrame(latent * loads + errors * left, schema=list("abcdehik"))


def found(seed, shared, loading):
    return csi.verify(csi.fit(MODEL, answers(seed, shared, loading), csi.SEM()), refit=False).findings


def test_the_pair_is_named_beside_items_that_seem_unrelated():
    said = [f for seed in range(1000, 1060) for f in found(seed, 0.7, 0.4) if "ITEM-UNRELATED" in f.code]
    named = [f for f in said if "share something beside f" in f.cause.en]
    assert len(named) >= 4
    for finding in named:
        assert "of a ~~ b (" in finding.cause.en
        assert "free a ~~ b first" in finding.remedy.en
        assert "a ~~ b" in finding.cause.zh
        assert "请先放开 a ~~ b" in finding.remedy.zh


@pytest.mark.parametrize("loading", [0.7, 0.4])
def test_no_pair_is_named_in_sound_models(loading):
    causes = [f.cause.en for seed in range(1000, 1050) for f in found(seed, 0.0, loading)]
    assert not [c for c in causes if "share something beside" in c]
