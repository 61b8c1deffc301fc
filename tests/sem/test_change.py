"""Growth, latent change and cross-lagged models; single indicators of known reliability.

Expected: lavaan 0.6-14 on the same data, as printed (three decimals) in the project's method notes: Demo.growth and
data_bi_lcsm of the R packages lavaan and lcsm.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from tests.sem.lavaan_cases import moments_of


def dual(item, waves, name="", slope="b", error="e"):
    """A dual change score model of one item."""
    lines = [f"S{name} =~ " + " + ".join(f"1*d{name}{t}" for t in range(2, waves + 1))]
    lines += [f"l{name}1 ~ 1", f"S{name} ~ 1", f"l{name}1 ~~ S{name}"]
    for t in range(1, waves + 1):
        lines += [f"l{name}{t} =~ 1*{item}{t}", f"{item}{t} ~~ {error}*{item}{t}", f"{item}{t} ~ 0*1"]
    for t in range(2, waves + 1):
        now, before, change = f"l{name}{t}", f"l{name}{t - 1}", f"d{name}{t}"
        lines += [f"{now} ~ 1*{before}", f"{change} =~ 1*{now}", f"{now} ~~ 0*{now}", f"{change} ~~ 0*{change}"]
        lines += [f"{now} ~ 0*1", f"{change} ~ 0*1", f"{change} ~ {slope}*{before}"]
    return lines


def fitted(lines, data, **settings):
    return csi.fit(csi.Model.parse("\n".join(lines)), data, csi.SEM(**settings))


def value(est, **which):
    return est.table.filter(**which)["estimate"][0]


def panel():
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: these models need the rows")
    return pl.read_csv(Path(place) / "data" / "bi_lcsm" / "bi_lcsm.csv", null_values="NA")


def fits(est, chisq, df):
    found = csi.fit_measures(est)
    assert est.convergence.converged.all()
    assert (round(found["chisq"], 3), found["df"]) == (chisq, df)


def test_linear_growth():
    est = fitted(
        ["i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4", "s =~ 0*t1 + 1*t2 + 2*t3 + 3*t4"], moments_of("growth"), growth=True
    )
    fits(est, 8.069, 5)
    assert value(est, lhs="i", op="~1") == pytest.approx(0.615, abs=5e-4)
    assert value(est, lhs="s", op="~1") == pytest.approx(1.006, abs=5e-4)
    assert value(est, lhs="i", op="~~", rhs="i") == pytest.approx(1.932, abs=5e-4)
    assert value(est, lhs="s", op="~~", rhs="s") == pytest.approx(0.587, abs=5e-4)
    assert value(est, lhs="i", op="~~", rhs="s") == pytest.approx(0.618, abs=5e-4)


def test_dual_change():
    est = fitted(dual("t", 4), moments_of("growth"))
    fits(est, 8.938, 7)
    assert value(est, lhs="l1", op="~1") == pytest.approx(0.603, abs=5e-4)
    assert value(est, lhs="S", op="~1") == pytest.approx(1.050, abs=5e-4)


def test_dual_change_with_absent_answers():
    est = fitted(dual("x", 5), panel(), missing="fiml")
    fits(est, 33.159, 13)
    assert csi.fit_measures(est)["cfi"] == pytest.approx(0.993, abs=5e-4)


def test_bivariate_dual_change():
    lines = dual("x", 5, "x", "bx", "ex") + dual("y", 5, "y", "by", "ey")
    lines += [f"dx{t} ~ xi*ly{t - 1}" for t in range(2, 6)] + [f"x{t} ~~ exy*y{t}" for t in range(1, 6)]
    est = fitted([*lines, "lx1 ~~ ly1", "Sx ~~ Sy", "lx1 ~~ Sy", "ly1 ~~ Sx"], panel(), missing="fiml")
    fits(est, 281.806, 45)
    assert value(est, label="xi") == pytest.approx(0.107, abs=5e-4)
    assert est.table.filter(label="xi")["std_error"][0] == pytest.approx(0.033, abs=5e-4)
    assert value(est, label="bx") == pytest.approx(-0.085, abs=5e-4)


def test_cross_lagged_panel():
    lines = [f"x{t} ~ a*x{t - 1} + b*y{t - 1}\ny{t} ~ c*x{t - 1} + d*y{t - 1}" for t in range(2, 5)]
    est = fitted(lines + [f"x{t} ~~ y{t}" for t in range(1, 5)], panel(), missing="fiml")
    fits(est, 180.101, 20)
    found = [value(est, label=name) for name in "abcd"]
    assert found == pytest.approx([1.151, 0.057, 0.226, 0.607], abs=5e-4)


def test_a_single_indicator_of_known_reliability_is_a_correction_for_attenuation():
    S = np.array([[2.0, 0.6], [0.6, 1.5]])
    text = "x =~ 1*x1; y =~ 1*y1; x1 ~~ 0.4*x1; y1 ~~ 0.3*y1; y ~ x"
    est = csi.fit(csi.Model.parse(text), csi.Moments.of(["x1", "y1"], S * 100 / 99, 100), csi.SEM())
    # reliabilities 0.8 and 0.8: slope 0.6 / (2 - 0.4), correlation 0.6 / sqrt(1.6 * 1.2)
    assert value(est, lhs="y", op="~") == pytest.approx(0.375)
    assert est.table.filter(lhs="y", op="~")["std_all"].item() == pytest.approx(0.6 / np.sqrt(1.6 * 1.2))


HOLZINGER = "holzinger_swineford/holzinger_swineford.csv"


TWO = "visual =~ x1 + x2 + x3; speed =~ x7 + x8 + x9; visual ~ ageyr + grade; speed ~ visual + ageyr"
THREE = f"{TWO}; textual =~ x4 + x5 + x6"


# lavaan 0.6-14, sem(model, data, group = "school", group.equal = equal): chisq
@pytest.mark.parametrize(
    ("text", "equal", "chi2"), [(TWO, ("intercepts",), 119.830), (THREE, ("intercepts", "residuals"), 295.659)]
)
def test_groups_with_given_predictors_start_where_the_minimum_is(text, equal, chi2):
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder:
        pytest.skip("CSI_REFERENCE_DIR is not set: row-level reference data are not part of the package")
    frame = pl.read_csv(Path(folder) / "data" / HOLZINGER)
    est = csi.fit(text, frame, csi.SEM(groups="school", equal=equal))
    assert csi.fit_measures(est)["chi2"] == pytest.approx(chi2, abs=1e-3)
