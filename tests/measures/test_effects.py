from __future__ import annotations

import numpy as np
import pytest

from csi.measures.effects import adjusted, along, chains, effects, f2, regression, total_effects

B = np.array([[0.0, 0, 0], [0.5, 0, 0], [0.2, 0.4, 0]])


@pytest.mark.parametrize("program", ["seminr", "semPLS", "SmartPLS", "plspm"])
def test_total_effects_agree(program, read, estimate_of):
    part = read("mobi", "pls_path_A.json")["programs"][program]
    ours = effects(estimate_of("mobi", program=program)).total[0]
    assert np.abs(ours - np.array(part["total_effects"])).max() < 2 * part["tolerance"]


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
@pytest.mark.parametrize("mode", ["A", "B"])
def test_total_effects_agree_on_the_bank(scheme, mode, read, estimate_of):
    part = read("satisfaction", f"pls_{scheme}_{mode}.json")["programs"]["plspm"]
    ours = effects(estimate_of("satisfaction", scheme, mode, "plspm")).total[0]
    assert np.abs(ours - np.array(part["total_effects"])).max() < 1e-8


def test_indirect_effects_agree_with_seminr(mobi, mobi_a):
    table = effects(mobi).table
    names = list(mobi.solution.constructs)
    theirs = np.array(mobi_a["indirect_effects"])
    rows = table.filter(effect="indirect").select("outcome", "predictor", "estimate").rows()
    assert len(rows) == np.count_nonzero(np.abs(theirs) > 1e-12)
    for outcome, predictor, value in rows:
        assert value == pytest.approx(theirs[names.index(outcome), names.index(predictor)], abs=1e-8)


def test_specific_effects_sum_to_the_indirect_effect(mobi):
    result = effects(mobi)
    sums = {}
    for outcome, predictor, value in result.chains.select("outcome", "predictor", "estimate").rows():
        sums[outcome, predictor] = sums.get((outcome, predictor), 0.0) + value
    table = result.table.filter(effect="indirect")
    assert {(o, p): v for o, p, v in table.select("outcome", "predictor", "estimate").rows()} == pytest.approx(sums)
    assert "Image -> Satisfaction -> Loyalty" in result.chains["chain"].to_list()


def test_r2_and_f2_agree(read, mobi, mobi_a):
    result = effects(mobi)
    names = list(mobi.solution.constructs)
    for row in result.r2.to_dicts():
        k = names.index(row["construct"])
        assert row["r2"] == pytest.approx(mobi_a["r2"][k], abs=1e-8)
        assert row["r2_adjusted"] == pytest.approx(mobi_a["r2_adjusted"][k], abs=1e-8)
    theirs = np.array(read("mobi", "pls_path_A.json")["programs"]["cSEM"]["f2"])
    for outcome, predictor, value in result.f2.select("outcome", "predictor", "f2").rows():
        assert value == pytest.approx(theirs[names.index(outcome), names.index(predictor)], abs=1e-7)


def test_f2_is_the_drop_in_r2():
    cor = np.array([[1.0, 0.3, 0.5], [0.3, 1.0, 0.4], [0.5, 0.4, 1.0]])
    full, less = regression(cor, 2, [0, 1])[1], regression(cor, 2, [0])[1]
    assert f2(cor, 2, [0, 1])[1] == pytest.approx((full - less) / (1 - full))


def test_by_hand():
    assert total_effects(B)[2].tolist() == pytest.approx([0.4, 0.4, 0.0])
    assert along(B, ("a", "b", "c"), ("a", "b", "c")) == pytest.approx(0.2)
    assert adjusted(np.array(0.5), np.array(4.0), 3).item() != adjusted(np.array(0.5), np.array(21.0), 3).item()
    assert np.isnan(adjusted(np.array(0.5), np.array(4.0), 3))


def test_chains_stop_at_a_cycle(mobi):
    every = chains(mobi.model)
    assert len(every) == len(set(every))
    assert ("Image", "Loyalty") in every
    assert max(map(len, every)) == 7
