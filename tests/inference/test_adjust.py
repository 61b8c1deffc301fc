"""Adjusted p-values against statsmodels, and families judged together."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

import csi
from csi.errors import Problems
from csi.inference.bootstrap import with_errors

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


def by_hand(est, df):
    """p of t of every path."""
    paths = est.table.filter(op="~")
    return 2 * stats.t.sf((paths["estimate"] / paths["std_error"]).abs().to_numpy(), df)


@pytest.mark.parametrize("method", THEIRS)
def test_a_family_takes_p_from_t_with_the_replicates_standard_error(boot, method):
    found = csi.family(boot, method)
    p = by_hand(boot, 199)
    np.testing.assert_allclose(found.table["p_value"], p, rtol=1e-9)
    np.testing.assert_allclose(found.table["p_adjusted"], multipletests(p, method=THEIRS[method])[1], rtol=1e-9)
    assert found.tests == 3
    assert [n.code for n in found.notes] == ["N-FAMILY-T"]
    hits = int((found.table["p_adjusted"] < 0.05).sum())
    assert found.sentences[0].en.startswith(f"{hits} of 3 differ")
    assert found.sentences[0].zh.startswith("3 个检验中")


def test_a_family_does_not_hang_on_the_kind_of_interval(boot):
    again = with_errors(replace(boot, interval="bc"), boot.sample)
    assert csi.family(again).table.equals(csi.family(boot).table)
    one = csi.family(replace(boot, alternative="greater")).table["p_value"]
    np.testing.assert_allclose(one, by_hand(boot, 199) / 2, rtol=1e-9)


def test_a_family_of_what_has_its_own_tests(boot):
    left = csi.jackknife(csi.fit(MODEL, boot_rows(), csi.PLS()))
    np.testing.assert_allclose(csi.family(left).table["p_value"], left.table.filter(op="~")["p_value"], rtol=1e-9)
    latent = csi.fit("x =~ x1 + x2 + x3\ny =~ y1 + y2 + y3\ny ~ x", two_blocks(), csi.SEM())
    assert csi.family(latent, op="=~").tests == 4
    assert csi.family(latent, op="=~").notes == ()


def boot_rows():
    rng = np.random.default_rng(4)
    x, z, e = rng.normal(size=(3, 200))
    return pl.DataFrame({"x1": x, "z1": 0.3 * x + z, "y1": 0.5 * x + 0.05 * z + e})


def two_blocks():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(150, 1))
    rows = np.hstack([x, x, x, 0.5 * x, 0.5 * x, 0.5 * x]) + 0.7 * rng.normal(size=(150, 6))
    return pl.DataFrame(rows, schema=["x1", "x2", "x3", "y1", "y2", "y3"])


def test_what_has_no_tests_has_no_family(boot):
    with pytest.raises(Problems, match=r"csi\.bootstrap"):
        csi.family(csi.fit(MODEL, boot_rows(), csi.PLS()))
    with pytest.raises(Problems, match="Use one of"):
        csi.family(boot, op="~~")
    with pytest.raises(Problems, match="holm"):
        csi.family(boot, "Holm")
    with pytest.raises(Problems, match="an estimate was expected"):
        csi.family([0.1])
