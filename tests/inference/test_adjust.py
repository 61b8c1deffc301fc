"""Adjusted p-values against statsmodels, and families judged together."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests

import csi
from csi.errors import Problems

THEIRS = {
    "holm": "holm", "hochberg": "simes-hochberg", "bonferroni": "bonferroni",
    "sidak": "sidak", "bh": "fdr_bh", "by": "fdr_by",
}  # fmt: skip


@pytest.mark.parametrize("method", THEIRS)
def test_statsmodels_agrees(method):
    rng = np.random.default_rng(2)
    for m in (1, 2, 7, 60):
        p = np.round(rng.beta(0.4, 1.5, size=m), 3)  # rounding makes ties
        theirs = multipletests(p, method=THEIRS[method])[1]
        np.testing.assert_allclose(csi.adjust(p, method), theirs, atol=1e-14)


def test_absent_tests_do_not_count():
    found = csi.adjust(np.array([[0.01, np.nan], [0.04, 0.03]]), "holm")
    np.testing.assert_allclose(found, [[0.03, np.nan], [0.06, 0.06]])
    assert csi.adjust([]).size == 0


def test_what_is_no_p_value_or_method_is_said():
    with pytest.raises(Problems, match="between 0 and 1"):
        csi.adjust([0.2, 1.2])
    with pytest.raises(Problems, match="holm"):
        csi.adjust([0.2], "Holm")


MODEL = csi.Model.parse("x =~ x1\nz =~ z1\ny =~ y1\ny ~ x + z\nz ~ x")


@pytest.fixture(scope="module")
def boot():
    rng = np.random.default_rng(4)
    x, z, e = rng.normal(size=(3, 200))
    frame = pl.DataFrame({"x1": x, "z1": 0.3 * x + z, "y1": 0.5 * x + 0.05 * z + e})
    return csi.bootstrap(csi.fit(MODEL, frame, csi.PLS()), n=1000)


@pytest.mark.parametrize("side", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
def test_the_family_is_one_statement(boot, side, level):
    found = csi.simultaneous(replace(boot, alternative=side), level=level)
    outside = (found.table["conf_low"].fill_null(-1) > 0) | (found.table["conf_high"].fill_null(1) < 0)
    assert outside.to_list() == (found.table["p_value"] < 1 - level).to_list()
    assert found.tests == 3


def test_the_factor_lies_between_one_interval_and_bonferroni(boot):
    found = csi.simultaneous(boot)
    t = (boot.replicates.values[:, 0, -3:] - boot.values[0, -3:]) / boot.std_error[0, -3:]
    assert found.critical == pytest.approx(np.quantile(np.abs(t).max(axis=1), 0.95), abs=1e-12)
    assert 1.96 < found.critical < 2.6
    assert "hold together" in repr(found)


def test_jackknife_replicates_have_no_joint_distribution(boot):
    with pytest.raises(Problems, match="bootstrap draws"):
        csi.simultaneous(csi.jackknife(boot))
