from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from csi.estimate.later import known
from csi.measures.blocks import correlations
from csi.measures.reliability import alpha, ave, reliability, rho_a, rho_c
from csi.measures.validity import validity

PAIR = np.ones((2, 1))


@pytest.mark.parametrize("scheme", ["path", "factorial"])
def test_agrees_with_seminr(scheme, read, estimate_of):
    theirs = read("mobi", f"pls_{scheme}_A.json")["programs"]["seminr"]["reliability"]
    ours = reliability(estimate_of("mobi", scheme)).table
    many = ours["n_items"].to_numpy() > 1
    for name in ("alpha_std", "rho_a", "rho_c", "ave"):
        assert np.abs(ours[name].to_numpy()[many] - np.array(theirs[name])[many]).max() < 1e-8, name


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
def test_agrees_with_plspm_on_the_bank(scheme, read, estimate_of):
    theirs = read("satisfaction", f"pls_{scheme}_A.json")["programs"]["plspm"]["reliability"]
    ours = reliability(estimate_of("satisfaction", scheme, program="plspm")).table
    for name in ("alpha_std", "ave"):
        assert np.abs(ours[name].to_numpy() - np.array(theirs[name])).max() < 1e-8, name


def test_raw_and_standardised_alpha_are_two_numbers(read, mobi):
    table = {r["construct"]: r for r in reliability(mobi).table.to_dicts()}
    for theirs, ours in {"IMAG": "Image", "CUSL": "Loyalty", "PERQ": "Quality"}.items():
        expected = read("mobi", "alpha.json")[theirs]
        assert table[ours]["alpha"] == pytest.approx(expected["raw_alpha"], abs=1e-12)
        assert table[ours]["alpha_std"] == pytest.approx(expected["std.alpha"], abs=1e-12)


def test_alpha_by_hand():
    cov = np.array([[4.0, 1.0], [1.0, 2.0]])
    assert alpha(cov, PAIR)[0] == pytest.approx(2 * (1 - 6 / 8))
    assert alpha(correlations(cov), PAIR)[0] == pytest.approx(2 * (1 - 2 / (2 + 2 / np.sqrt(8))))


def test_formulas_keep_leading_axes():
    loadings = np.array([[[0.8, 0.6]], [[0.5, 0.5]]])
    assert ave(loadings, PAIR)[..., 0].tolist() == [[pytest.approx(0.5)], [pytest.approx(0.25)]]
    assert rho_c(loadings, PAIR)[1, 0, 0] == pytest.approx(1 / (1 + 1.5))
    w = np.full((3, 2, 2), 1 / np.sqrt(3.0))
    cor = np.broadcast_to(np.array([[1.0, 0.5], [0.5, 1.0]]), (3, 2, 2, 2))
    assert rho_a(w, cor, PAIR).shape == (3, 2, 1)
    assert np.allclose(rho_a(w, cor, PAIR), 2 / 3)


def test_single_item_has_a_reason_and_no_number(mobi):
    result = reliability(mobi)
    row = result.table.filter(construct="Complaints").to_dicts()[0]
    assert row["reason"] == "single_item"
    assert [row[k] for k in ("alpha", "alpha_std", "rho_a", "rho_c", "ave")] == [None] * 5
    assert "一个题项" in result.reasons["single_item"].say("zh")
    assert result.values["ave"][0, result.constructs.index("Complaints")] == 1.0


def test_mode_b_has_no_internal_consistency(estimate_of):
    table = reliability(estimate_of("mobi", mode="B")).table
    assert set(table["reason"]) == {"formative"}
    assert table["alpha"].null_count() == table.height


def test_a_constant_item_gives_a_reason(estimate_of):
    est = estimate_of("mobi")
    est.moments.cov[:, 0, :] = 0.0
    est.moments.cov[:, :, 0] = 0.0
    row = reliability(est).table.row(0, named=True)
    assert row["alpha_std"] is None
    assert row["alpha"] is not None
    assert row["reason"] == "not_computable"


def test_a_negative_alpha_is_printed_with_a_note(estimate_of):
    est = estimate_of("mobi")
    value = est.moments.names.index("PERV1")
    est.moments.cov[:, value] *= -1
    est.moments.cov[:, :, value] *= -1
    result = reliability(est)
    assert result.table.filter(construct="Value")["alpha"].item() < 0
    assert "negative_alpha" in {n.code for n in result.notes}


def test_cells_carry_their_keys(estimate_of):
    table = reliability(estimate_of("mobi", slices=2)).table
    assert table.columns[:2] == ["wave", "construct"]
    assert table["wave"].to_list() == ["W0"] * 7 + ["W1"] * 7


def test_a_factor_solution_has_no_rho_a_and_keeps_the_rest(mobi):
    solution = mobi.solution
    factor = replace(mobi, solved=known(replace(solution, weights=None, cross_loadings=None)))
    result = reliability(factor)
    assert result.table["rho_a"].null_count() == 7
    assert result.table["rho_c"].null_count() == 1
    assert result.table["reason"].null_count() == 6
    assert result.notes == ()
    assert validity(factor).cross_loadings["loading"].null_count() == 24 * 6


@pytest.mark.parametrize(("construct", "stem"), [("satisfaction", "sat"), ("commitment", "com"), ("loyalty", "loy")])
def test_alpha_of_the_airline_survey(construct, stem, read):
    """psych 2.2.9 on 1,065 passengers; provenance in tests/reference/airlinesat."""
    saved, expected = read("airlinesat", "moments.json"), read("airlinesat", "alpha.json")
    mine = [i for i, name in enumerate(saved["names"]) if name.startswith(stem)]
    cov = np.array(saved["cov"])[np.ix_(mine, mine)]
    found = alpha(cov[None], np.ones((len(mine), 1)))[0, 0]
    assert found == pytest.approx(expected[construct]["raw_alpha"], abs=1e-12)
    assert alpha(correlations(cov[None]), np.ones((len(mine), 1)))[0, 0] == pytest.approx(
        expected[construct]["std.alpha"], abs=1e-12
    )
