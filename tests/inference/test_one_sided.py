"""One-sided intervals downstream: what follows them, what says that it stays two-sided, what they cannot decide."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.inference.intervals import Alternative

MEDIATED = "x =~ x1 + x2; m =~ m1 + m2; y =~ y1 + y2; m ~ x; y ~ m + x"


def answers(n: int = 120) -> pl.DataFrame:
    """Three constructs of two items each, on 0-100 or so, the last bent by the product of the others."""
    rng = np.random.default_rng(5)
    x, e, u = rng.normal(size=(3, n))
    m = 0.6 * x + e
    y = 0.5 * m + 0.3 * x + 0.2 * m * x + u
    columns = {
        f"{k}{i}": 50 + 8 * (v + 0.4 * rng.normal(size=n))
        for k, v in zip("xmy", (x, m, y), strict=True)
        for i in (1, 2)
    }
    return pl.DataFrame(columns)


@pytest.mark.parametrize("side", ["greater", "less"])
def test_kinds_of_mediation_need_two_sides(side: Alternative) -> None:
    """One-sided intervals give no kind, and say why; two-sided ones of the same draws do."""
    est = csi.fit(MEDIATED, answers(), csi.PLS())
    found = csi.mediation(csi.bootstrap(est, 200, alternative=side))
    assert found.table["kind"].null_count() == found.table.height
    assert "R-ONE-SIDED" in found.reasons
    assert "two-sided" in str(found)
    both = csi.mediation(csi.bootstrap(est, 200))
    assert both.table["kind"].drop_nulls().len() == 2
    assert "R-ONE-SIDED" not in both.reasons


def test_what_stays_two_sided_says_so() -> None:
    """Index, squares, copula terms and regions keep both limits under a note; drivers follow the estimate."""
    est = csi.fit(MEDIATED, answers(), csi.PLS(), scale=(0, 100))
    bent = csi.fit("x =~ x1 + x2; m =~ m1 + m2; y =~ y1 + y2; y ~ m + x + m:x", answers(), csi.PLS())
    one, other = (csi.bootstrap(fit, 200, alternative="greater") for fit in (est, bent))
    for found in (csi.index(one), csi.nonlinear(one), csi.copula(one), csi.johnson_neyman(other)):
        assert "N-TWO-SIDED" in {n.code for n in found.notes}, type(found)
    assert csi.index(one).table["conf_high"].null_count() == 0
    drivers = csi.drivers(one, "y").table
    assert drivers["importance_conf_high"].null_count() == drivers.height
    assert "N-TWO-SIDED" not in {n.code for n in csi.index(csi.bootstrap(est, 200)).notes}


@pytest.mark.parametrize(("side", "seen"), [
    ("greater", "lies above 0 (one-sided)"),
    ("less", "is not seen to lie below 0 (one-sided)"),
])  # fmt: skip
def test_simple_slopes_follow_one_sided_intervals(side: Alternative, seen: str) -> None:
    """The sentence speaks of the limit there is, not of absent replicates."""
    bent = csi.fit("x =~ x1 + x2; m =~ m1 + m2; y =~ y1 + y2; y ~ m + x + m:x", answers(), csi.PLS())
    said = csi.simple_slopes(csi.bootstrap(bent, 200, alternative=side)).sentences[0].en
    assert seen in said


def test_mediation_says_when_replicates_are_too_few_for_kinds() -> None:
    """Intervals that the level left out give no kinds, under the estimate's own warning."""
    found = csi.mediation(csi.bootstrap(csi.fit(MEDIATED, answers(), csi.PLS()), 100, level=0.99))
    assert found.table["kind"].null_count() == found.table.height
    assert "W-LEVEL" in {n.code for n in found.notes}
