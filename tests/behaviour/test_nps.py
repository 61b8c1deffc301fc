"""NPS: the hand case, designs, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale

ANSWERS = [10.0] * 70 + [9.0] * 50 + [8.0] * 30 + [7.0] * 20 + [6.0] * 10 + [0.0] * 20


def panel(answers=tuple(ANSWERS), scale=(0, 10), **keys):
    item = Item("rec", "loyalty", Scale("eleven", *scale), Text("Would recommend", "愿意推荐"))
    frame = pl.DataFrame({"rec": list(answers), **keys})
    reasons = pl.DataFrame({"rec": [None] * frame.height}, schema={"rec": pl.String})
    return csi.Panel(frame, Codebook((item,), {}, {}), reasons)


def test_the_hand_case_of_120_50_30():
    row = csi.nps(panel(), "rec").table.row(0, named=True)
    wanted = {
        "nps": 45.0,
        "std_error": 5.232,
        "wald_low": 34.75,
        "wald_high": 55.25,
        "conf_low": 34.14,
        "conf_high": 54.53,
    }
    for name, value in wanted.items():
        assert row[name] == pytest.approx(value, abs=5.1e-3)
    assert (row["promoters"], row["passives"], row["detractors"]) == pytest.approx((0.60, 0.25, 0.15))


def test_the_whole_distribution_is_there():
    found = csi.nps(panel(), "rec")
    assert found.distribution["answer"].to_list() == list(range(11))
    assert found.distribution["count"].to_list() == [20, 0, 0, 0, 0, 0, 10, 20, 30, 50, 70]
    assert found.distribution["share"].sum() == pytest.approx(1.0)


def test_weights_move_the_score_and_widen_the_interval():
    row, plain = (csi.nps(p, "rec").table.row(0, named=True) for p in (panel(weight=[2.0, 0.5] * 100), panel()))
    assert row["nps"] == pytest.approx(plain["nps"])  # every answer has both weights alike
    assert row["n_effective"] == pytest.approx(200 * 1.25**2 / ((4 + 0.25) / 2), rel=0.01)  # Kish
    assert row["std_error"] > plain["std_error"]
    assert plain["n_effective"] == pytest.approx(200)


def test_cells_have_their_own_scores():
    found = csi.nps(panel(brand=["A"] * 120 + ["B"] * 80), "rec", by=["brand"])
    assert found.table["nps"].to_list() == pytest.approx([100.0, -37.5])
    assert found.sentences[1].zh.startswith("B：净推荐值")


def test_everybody_a_promoter_has_an_interval_below_100():
    row = csi.nps(panel([10.0] * 40), "rec").table.row(0, named=True)
    assert row["std_error"] == 0
    assert 80 < row["conf_low"] < row["conf_high"] <= 100


def test_few_clusters_take_the_point_of_t():
    answers = [10.0, 9, 3, 8, 10, 2] * 20
    row = csi.nps(panel(answers, cluster=[str(i // 20) for i in range(120)]), "rec").table.row(0, named=True)
    reach = (row["nps"] - row["wald_low"]) / row["std_error"]
    assert reach == pytest.approx(t.ppf(0.975, 5), rel=1e-9)
    strong = csi.nps(panel([10.0] * 20 + [9.0] * 10 + [1.0] * 10, cluster=["a"] * 20 + ["b"] * 20), "rec").table
    assert (strong["wald_low"][0], strong["wald_high"][0]) == (-100.0, 100.0)


def test_answers_all_alike_count_as_many_as_their_weights_leave():
    row = csi.nps(panel([10.0] * 10, weight=[1.0] * 9 + [100.0]), "rec", small=0).table.row(0, named=True)
    assert row["n_effective"] == pytest.approx(109**2 / (9 + 100**2), rel=1e-3)
    assert row["conf_low"] < 50


def test_one_answer_has_no_interval():
    row = csi.nps(panel([10.0]), "rec").table.row(0, named=True)
    assert (row["conf_low"], row["conf_high"], row["wald_low"]) == (None, None, None)


@pytest.mark.parametrize(
    ("item", "scale", "code", "words"),
    [("reco", (0, 10), "E-ROLE", "reco"), ("rec", (1, 10), "E-SCALE", "runs from 1 to 10")],
)
def test_refusals_name_what_is_wrong(item, scale, code, words):
    with pytest.raises(Problems) as raised:
        csi.nps(panel([10.0, 9.0], scale), item)
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)


def test_differences_of_groups_are_welch_without_a_design():
    found = csi.nps(panel(brand=["A", "B", "C", "C"] * 50), "rec", by=["brand"])
    frame = found.differences
    assert frame.select("first", "second").rows() == [("A", "B"), ("A", "C"), ("B", "C")]
    sign = np.where(np.array(ANSWERS) >= 9, 1, np.where(np.array(ANSWERS) >= 7, 0, -1))
    a, c = sign[0::4], np.concatenate([sign[2::4], sign[3::4]])
    row = frame.row(1, named=True)
    assert row["difference"] == pytest.approx(100 * (a.mean() - c.mean()))
    assert row["std_error"] == pytest.approx(100 * np.sqrt(a.var(ddof=1) / 50 + c.var(ddof=1) / 100))
    alike = (1 / 50 + 1 / 100) ** 2 / (1 / (50**2 * 49) + 1 / (100**2 * 99))
    assert row["df"] == pytest.approx(alike)
    assert row["conf_high"] - row["difference"] == pytest.approx(t.ppf(0.975, alike) * row["std_error"])
    assert row["p_value"] == pytest.approx(2 * t.sf(abs(row["difference"]) / row["std_error"], alike))
    assert frame["p_adjusted"].to_list() == pytest.approx(csi.adjust(frame["p_value"].to_numpy()).tolist())
    assert "0 of 3 differences" in found.sentences[-1].en
    assert "3 对组间差异中有 0 对显著" in found.sentences[-1].zh


def test_one_difference_is_told_and_clusters_in_both_groups_are_known():
    brand = ["A", "B"] * 100
    answers = [10.0, 9] * 40 + [10.0, 7] * 10 + [8.0, 8] * 25 + [3.0, 2] * 25
    alone = csi.nps(panel(answers, brand=brand), "rec", by=["brand"])
    paired = csi.nps(panel(answers, brand=brand, cluster=[str(i // 2) for i in range(200)]), "rec", by=["brand"])
    assert paired.differences["std_error"][0] < 0.5 * alone.differences["std_error"][0]  # the two answer alike
    strong = csi.nps(panel(brand=["A"] * 120 + ["B"] * 80), "rec", by=["brand"])
    assert "A less B" in strong.sentences[-1].en
    assert "a clear difference" in strong.sentences[-1].en
    assert "差异显著" in strong.sentences[-1].zh
    assert "first less second" in text(strong, "en")
    assert "甲减乙" in text(strong, "zh")


def test_one_cell_and_single_answers_have_no_difference():
    assert csi.nps(panel(), "rec").differences.height == 0
    lone = csi.nps(panel([10.0, 9, 3, 8], brand=["A", "B", "B", "B"]), "rec", by=["brand"], small=0)
    assert lone.differences["difference"][0] is not None
    assert lone.differences["p_value"][0] is None


def test_pairs_of_many_groups_are_not_compared_and_that_is_told():
    brand = [f"b{i // 3:02}" for i in range(93)]
    many = csi.nps(panel([10.0, 8.0, 3.0] * 31, brand=brand), "rec", by=["brand"], small=0)
    assert many.table.height == 31
    assert many.differences.height == 0
    assert any("31 groups" in n.text.en and "共 31 组" in n.text.zh for n in many.notes)


def test_groups_of_few_answers_are_not_compared():
    found = csi.nps(panel(brand=["A"] * 150 + ["B"] * 45 + ["C"] * 5), "rec", by=["brand"])
    assert found.differences.select("first", "second").rows() == [("A", "B")]


def test_raked_weights_take_the_margins_out_of_the_error():
    """A score that is a margin is known; of one that goes with a margin the error is that of what the margin leaves."""
    rng = np.random.default_rng(4)
    answers = rng.choice([2.0, 7.0, 9.0], 150, p=[0.3, 0.3, 0.4])
    kind = np.select([answers >= 9, answers <= 6], ["p", "d"], "n")
    made = csi.rake(panel(answers, kind=kind.tolist()), {"kind": {"p": 0.5, "d": 0.2, "n": 0.3}})
    known, held = (csi.nps(p, "rec").table.row(0, named=True) for p in (made, replace(made, weighing=None)))
    assert known["nps"] == pytest.approx(30.0, abs=1e-3)
    assert known["std_error"] < 1e-3
    assert held["std_error"] > 5
