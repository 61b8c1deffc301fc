"""Implied moments: by hand, and as lavaan 0.6-14 prints them (`lavInspect(fit, "implied")`, `"cov.lv"`)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.implied_moments import implied
from csi.measures.residuals import residuals

REFERENCE = Path(__file__).parents[1] / "reference"
NINE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def fitted(folder, model, **settings):
    m = json.loads((REFERENCE / folder / "moments.json").read_text("utf-8"))
    data = csi.Moments.of(m["names"], m["cov"], m["n"], m["mean"])
    return csi.fit(csi.Model.parse(model), data, csi.SEM(**settings))


def value(table, lhs, op, rhs=""):
    return table.filter(lhs=lhs, op=op, rhs=rhs)["value"].item()


def test_covariances_of_items_and_constructs():
    # f <- cfa(the same text, sample.cov, sample.nobs = 301); lavInspect(f, "implied"), lavInspect(f, "cov.lv")
    found = implied(fitted("holzinger", NINE))
    assert found.mean is None
    table = found.table
    for a, b, cov in (("x1", "x1", 1.35837), ("x1", "x4", 0.40823), ("x1", "x9", 0.28360), ("x4", "x9", 0.18764)):
        assert value(table, a, "~~", b) == pytest.approx(cov, abs=1e-5)
    np.testing.assert_allclose(found.construct_cov[0, 0, 0], [0.809, 0.408, 0.262], atol=1e-3)


def test_means_of_items_and_constructs():
    # f <- growth(the same text, sample.cov, sample.mean, sample.nobs = 400); "implied", "mean.lv", "cov.lv"
    curve = "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\ni ~ x1"
    found = implied(fitted("growth", curve, growth=True))
    table = found.table
    expected = {"t1": 0.611, "t2": 1.619, "t3": 2.627, "t4": 3.635, "x1": -0.092, "i": 0.611, "s": 1.008}
    assert {n: round(value(table, n, "~1"), 3) for n in expected} == expected
    np.testing.assert_allclose(found.construct_cov[0, 0], [[2.229, 0], [0, 0.648]], atol=1e-3)


def test_implied_and_raw_residuals_make_the_sample():
    est = fitted("holzinger", NINE)
    S = json.loads((REFERENCE / "holzinger" / "moments.json").read_text("utf-8"))["cov"]
    whole = implied(est).cov[0, 0] + residuals(est, "raw").cov[0, 0]
    np.testing.assert_allclose(whole, np.array(S) * 300 / 301, rtol=1e-10)


def test_ordinal_items_beside_continuous_ones():
    # f <- cfa(the same text, ordered = paste0("u", 3:8)), lavInspect(f, "implied"); u1, u2 + (row %% 13) / 50
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    frame = pl.read_csv(Path(place) / "data" / "semtools" / "datCat.csv").with_row_index("row", offset=1)
    frame = frame.with_columns(pl.col(u) + pl.col("row") % 13 / 50 for u in ("u1", "u2"))
    settings = csi.SEM(ordered=tuple(f"u{i}" for i in range(3, 9)))
    table = implied(csi.fit(csi.Model.parse("f1 =~ u1+u2+u3+u4\nf2 =~ u5+u6+u7+u8"), frame, settings)).table
    expected = {("u1", "~~", "u1"): 1.109, ("u1", "~~", "u2"): 0.529, ("u1", "~~", "u3"): 0.583}
    expected |= {("u3", "~~", "u3"): 1.0, ("u3", "~~", "u8"): 0.267, ("u1", "~1", ""): 2.944, ("u3", "|", "t1"): -1.372}
    for name, number in expected.items():
        assert value(table, *name) == pytest.approx(number, abs=1e-3)
    assert not table.filter(lhs="u3", op="~1").height


def test_a_cell_without_a_solution_has_no_moments():
    frame = pl.DataFrame({"brand": ["A"] * 6 + ["B"] * 2, "a": [1, 4, 7, 9, 5, 3, 2, 2], "b": [2, 4, 8, 9, 5, 5, 1, 1]})
    frame = frame.with_columns(c=pl.Series([1, 5, 6, 9, 3, 4, 3, 3]))
    found = implied(csi.fit(csi.Model.parse("f =~ a + b + c"), frame, csi.SEM(), by=["brand"]))
    assert np.isfinite(found.cov[0, 0]).all()
    assert found.table.filter(brand="B")["value"].null_count() == found.table.height // 2


def test_it_reads_in_both_languages():
    found = implied(fitted("holzinger", NINE))
    assert repr(found).startswith("Implied covariances\n")
    assert text(found, "zh").startswith("模型隐含的协方差\n")
    assert "column" not in repr(found)
