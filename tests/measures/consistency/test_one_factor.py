"""One factor and categorical omega: psych's and semTools' numbers, slopes by differences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from csi.measures.blocks import correlations
from csi.measures.consistency.categorical import categorical_omega
from csi.measures.consistency.latent import green_yang, is_ordinal, latent_of, ordinal_alpha
from csi.measures.consistency.one_factor import (
    by_loadings,
    maximal,
    maximum_likelihood,
    minres,
    omega,
    omega_observed,
)

REFERENCE = Path(__file__).parents[2] / "reference"


def read(folder, name):
    return json.loads((REFERENCE / folder / name).read_text(encoding="utf-8"))


THEIRS = read("reliability", "numbers.json")
M = read("mobi", "moments.json")


def cor_of(start):
    at = [i for i, name in enumerate(M["names"]) if name.startswith(start)]
    return correlations(np.array(M["cov"])[np.ix_(at, at)])


def residual(cor, loadings):
    off = cor - np.outer(loadings, loadings)
    return (np.triu(off, 1) ** 2).sum()


def test_omega_of_one_minres_factor_agrees_with_psych():
    cor, theirs = cor_of("PERQ"), THEIRS["omega_perq_1f"]
    loadings = minres(cor[None])[0]
    assert omega_observed(loadings, cor) == pytest.approx(theirs["omega_h"], abs=1e-6)
    assert 1 - (1 - loadings**2).sum() / cor.sum() == pytest.approx(theirs["omega_tot"], abs=1e-6)


def test_where_psych_stops_early_our_residuals_are_smaller():
    cor, theirs = cor_of("IMAG"), THEIRS["omega_mobi_imag_1f"]
    loadings = minres(cor[None])[0]
    printed = np.array(theirs["schmid_leiman"]["values"])[:, 0]
    assert residual(cor, loadings) < residual(cor, printed)
    assert np.abs(loadings - printed).max() < 2e-5
    assert omega_observed(loadings, cor) == pytest.approx(theirs["omega_h"], abs=1e-5)


def test_one_factor_is_recovered_by_both_searches_whatever_the_start():
    true = np.array([0.9, 0.5, -0.4, 0.7])
    cov = np.outer(true, true) + np.diag([0.2, 0.5, 0.9, 0.4])
    stack = np.repeat(cov[None], 3, axis=0)
    assert np.allclose(minres(stack, np.array([0.1, 0.9, 0.2, 0.3])), true, atol=1e-9)
    loadings, errors, proper = maximum_likelihood(stack, 400)
    assert proper.all()
    assert np.allclose(loadings, true, atol=1e-5)
    assert np.allclose(errors, [0.2, 0.5, 0.9, 0.4], atol=1e-5)
    assert omega(loadings, errors)[0] == pytest.approx(1.7**2 / (1.7**2 + 2.0), abs=1e-5)
    assert maximal(loadings, errors)[0] > omega(loadings, errors)[0]


def test_a_heywood_case_and_two_items_have_no_factor():
    heywood = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, 0.3], [0.8, 0.3, 1.0]])
    assert not maximum_likelihood(heywood[None], 200)[2][0]
    pair = np.array([[[1.0, 0.5], [0.5, 1.0]]])
    assert not maximum_likelihood(pair, 200)[2][0]
    assert np.isnan(minres(pair)).all()


@pytest.fixture(scope="module")
def ordinal():
    rng = np.random.default_rng(4)
    rows = np.digitize(rng.normal(size=(400, 1)) + rng.normal(size=(400, 4)), [-1.5, 0.0, 1.2]).astype(float) + 1
    rows[:20, 0] = np.nan
    return rows


def test_slopes_of_categorical_omega_are_those_of_differences(ordinal):
    of, e = latent_of(ordinal, np.ones(len(ordinal))), 1e-6
    loadings = minres(of.cor[None])[0]
    common = np.outer(loadings, loadings)
    found = categorical_omega(of.cuts, of.steps, common, of.cor)

    def at(cuts=of.cuts, shared=common, cor=of.cor):
        return categorical_omega(cuts, of.steps, shared, cor).value

    move = np.zeros(of.cuts.shape)
    move[1, 2] = e
    assert found.by_cuts[1, 2] == pytest.approx((at(of.cuts + move) - at(of.cuts - move)) / (2 * e), abs=1e-7)
    both = np.zeros((4, 4))
    both[0, 2] = both[2, 0] = e
    assert found.by_cor[0, 2] == pytest.approx((at(cor=of.cor + both) - at(cor=of.cor - both)) / (2 * e), abs=1e-7)
    assert found.by_common[0, 2] == pytest.approx(
        (at(shared=common + both) - at(shared=common - both)) / (2 * e), abs=1e-7
    )
    moved = (minres((of.cor + both)[None])[0] - minres((of.cor - both)[None])[0]) / (2 * e)
    assert np.allclose(by_loadings(of.cor, loadings)[0, 2], moved, atol=1e-6)


@pytest.mark.parametrize("which", ["alpha", "observed", "implied"])
def test_what_a_row_adds_is_what_leaving_it_out_takes(ordinal, which):
    def told(rows):
        of = latent_of(rows, np.ones(len(rows)))
        return ordinal_alpha(of) if which == "alpha" else green_yang(of, observed=which == "observed")

    some = ordinal
    value, on = told(some)
    assert on.mean() == pytest.approx(0, abs=1e-8)
    few = np.argsort(on)[::40]
    out = np.array([399 * (value - told(np.delete(some, i, axis=0))[0]) for i in few])
    assert np.corrcoef(out, on[few])[0, 1] > 0.95
    assert np.polyfit(on[few], out, 1)[0] == pytest.approx(1, abs=0.15)


def test_what_counts_as_ordinal():
    assert is_ordinal(np.arange(10.0)[:, None])
    assert not is_ordinal(np.arange(11.0)[:, None])
    assert not is_ordinal(np.ones((5, 1)))
    assert not is_ordinal(np.array([[1.0], [2.5]]))
