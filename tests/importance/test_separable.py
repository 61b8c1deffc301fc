"""Nothing is told of drivers or levers of a fit that is not identified, or whose constructs cannot be told apart."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.importance.separable import apart

MODEL = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2 + c3; c ~ a + b"


def answers(common, n=200, seed=1):
    """Items of a and b whose factors share `common` of their variance; c follows from both."""
    rng = np.random.default_rng(seed)
    f, own = rng.normal(size=n), rng.normal(size=(3, n))
    a, b = (np.sqrt(common) * f + np.sqrt(1 - common) * own[k] for k in (0, 1))
    factors = {"a": a, "b": b, "c": 0.4 * a + 0.3 * b + 0.7 * own[2]}
    return pl.DataFrame(
        {
            f"{name}{k}": np.clip(np.round(5.5 + 1.5 * v + rng.normal(size=n)), 1, 10)
            for name, v in factors.items()
            for k in (1, 2, 3)
        }
    )


@pytest.fixture(scope="module")
def close():
    """HTMT of a and b is below 1, its interval is not."""
    return csi.bootstrap(csi.fit(MODEL, answers(0.97), csi.PLS(), scale=(1, 10)), 200, seed=1)


@pytest.fixture(scope="module")
def loose():
    """Not identified: a and c lead to each other, with nothing that leads to one alone."""
    return csi.fit(f"{MODEL}; a ~ c; b ~ a", answers(0.3), csi.SEM(), scale=(1, 10))


def test_the_interval_of_htmt_decides(close):
    pair = csi.validity(close).table.filter(construct="b", other="a").row(0, named=True)
    assert pair["htmt"] < 1 <= pair["conf_high"]
    (why,) = apart(close, ["a", "b", "c"])
    assert why.code == "not_separable"
    assert f"{pair['htmt']:.2f}" in why.text.en
    assert "无法区分" in why.text.zh
    assert apart(close, ["a", "c"]) == [None]
    fine = csi.bootstrap(csi.fit(MODEL, answers(0.3), csi.PLS(), scale=(1, 10)), 200, seed=1)
    assert apart(fine, ["a", "b", "c"]) == [None]
    assert csi.drivers(fine, "c").table["importance"].null_count() == 0


def test_a_covariance_fit_is_judged_by_its_latent_correlation():
    est = csi.fit(MODEL, answers(0.97), csi.SEM(), scale=(1, 10))
    assert apart(est, ["a", "b"])[0].code == "not_separable"
    assert apart(csi.fit(MODEL, answers(0.3), csi.SEM(), scale=(1, 10)), ["a", "b"]) == [None]


@pytest.mark.parametrize("which", ["close", "loose"])
def test_no_driver_is_told(which, request):
    est = request.getfixturevalue(which)
    map_ = csi.drivers(est, "c")
    assert map_.table["importance_std"].null_count() == map_.table.height
    assert map_.table["quadrant"].null_count() == map_.table.height
    assert map_.items["importance"].null_count() == map_.items.height
    assert set(map_.table["reason"]) == set(map_.reasons)
    shares, metrics = csi.driver_shares(est, "c"), csi.key_drivers(est, "c")
    for found in (shares, metrics):
        assert found.table["share"].null_count() == found.table.height
        assert not [s for s in found.sentences if "accounts for" in s.en]
        assert set(map_.reasons) <= {n.code for n in found.notes}


@pytest.mark.parametrize("which", ["close", "loose"])
def test_no_lever_is_told(which, request):
    est = request.getfixturevalue(which)
    for ask in (
        lambda: csi.whatif(est, {"a": 5, "b": 5}, "c"),
        lambda: csi.plan(est, {"a": {5: 1}, "b": {5: 1}}, 3, "c"),
    ):
        with pytest.raises(Problems, match="nothing is told of levers") as found:
            ask()
        assert [p.code for p in found.value.problems] == ["E-WHATIF"]
