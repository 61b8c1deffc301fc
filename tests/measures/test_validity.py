from __future__ import annotations

import numpy as np
import pytest

from csi.measures.blocks import correlations, membership
from csi.measures.validity import htmt, validity, vif


@pytest.mark.parametrize("scheme", ["path", "factorial"])
def test_htmt_agrees_with_seminr(scheme, read, estimate_of):
    theirs = np.array(read("mobi", f"pls_{scheme}_A.json")["programs"]["seminr"]["htmt"], dtype=float)
    ours = validity(estimate_of("mobi", scheme)).htmt[0]
    lower = np.tril_indices(7, -1)
    assert np.abs(ours[lower] - theirs[lower]).max() < 1e-8


def test_signed_htmt_agrees_with_csem(mobi):
    frame = validity(mobi, signed=True).table.filter(construct="Loyalty", other="Quality")
    assert frame["htmt"].item() == pytest.approx(0.72346813716308, abs=1e-8)


def test_fornell_larcker_agrees_with_seminr(mobi, mobi_a):
    theirs = np.array(mobi_a["fornell_larcker"], dtype=float)
    table = validity(mobi).fornell_larcker
    i, j = np.tril_indices(7)
    assert np.abs(table["value"].to_numpy() - theirs[i, j]).max() < 1e-8
    passes = dict(table.filter(table["passes"].is_not_null()).select("construct", "passes").rows())
    assert passes == {
        "Image": False, "Expectation": True, "Quality": False, "Value": True,
        "Satisfaction": True, "Complaints": True, "Loyalty": True,
    }  # fmt: skip


def test_cross_loadings_agree_with_seminr(mobi, mobi_a):
    table = validity(mobi).cross_loadings
    assert np.abs(table["loading"].to_numpy() - np.array(mobi_a["cross_loadings"]).reshape(-1)).max() < 1e-8
    assert table.filter(table["own"])["construct"].to_list()[:6] == ["Image"] * 5 + ["Expectation"]


def test_vif_agrees_with_seminr(mobi, mobi_a):
    result = validity(mobi)
    assert np.abs(result.vif_outer["vif"].to_numpy() - np.array(mobi_a["vif_items"])).max() < 1e-8
    for outcome, predictor, value in result.vif_inner.select("outcome", "predictor", "vif").rows():
        theirs = mobi_a["vif_predictors"][outcome][predictor]
        assert value == pytest.approx(1.0 if theirs is None else theirs, abs=1e-8)


def test_htmt_gate(mobi):
    result = validity(mobi)
    failed = result.table.filter(verdict="fail")
    assert set(failed.select("construct", "other").rows()) == {
        ("Quality", "Image"), ("Satisfaction", "Image"), ("Satisfaction", "Quality"), ("Loyalty", "Satisfaction"),
    }  # fmt: skip
    assert [n.code for n in result.notes] == ["htmt_fail"] * 4
    assert "HTMT" in result.notes[0].say("zh")


def test_htmt_is_withheld_for_composites(estimate_of):
    table = validity(estimate_of("mobi", mode="B")).table
    assert table["htmt"].null_count() == table.height
    assert set(table["reason"]) == {"formative"}
    assert table["verdict"].null_count() == table.height


def test_htmt_by_hand_with_a_single_item():
    cor = np.array([[1.0, -0.4, 0.3], [-0.4, 1.0, 0.1], [0.3, 0.1, 1.0]])
    member = membership(np.array([0, 0, 1]), 2)
    assert htmt(cor, member)[1, 0] == pytest.approx(0.2 / np.sqrt(0.4))
    assert np.isnan(htmt(cor, member, signed=True)[1, 0])


def test_vif_of_dependent_predictors_is_infinite():
    x = np.array([[1.0, 0, 1], [0, 1, 1], [1, 1, 2]])
    cor = correlations(x @ x.T)
    assert np.isinf(vif(cor)).all()
    assert np.isnan(vif(np.full((2, 2), np.nan))).all()
