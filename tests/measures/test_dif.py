"""Differential item functioning: outside numbers, planted differences, groups and items that cannot be compared."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_hypergeom

import csi
from csi.display import text
from csi.measures.item_bias.logistic import JODOIN_GIERL, classed, logistic
from csi.measures.item_bias.mantel import classes, generalised, mantel
from csi.measures.item_bias.tables import matching_scores, tables

TOLD = json.loads((Path(__file__).parents[1] / "reference" / "item_bias" / "tables.json").read_text("utf-8"))
NAMES = list("abcdef")


def grouped(n=800, seed=5, *, uniform=0.0, slope=0.0, impact=0.0, points=5, groups=("f", "m")):
    """Answers of one dimension to six items; the last functions differently for the second group."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, len(groups), n)
    theta = rng.normal(size=n) + impact * (group == 1)
    a = np.where((group == 1)[:, None], [1.5] * 5 + [1.5 + slope], 1.5)
    line = a * theta[:, None] + uniform * (group == 1)[:, None] * (np.arange(6) == 5)
    cut = np.linspace(-1.5, 1.5, points - 1) if points > 2 else np.zeros(1)
    rows = 1.0 + (line[:, :, None] + rng.logistic(size=(n, 6))[:, :, None] > cut).sum(axis=2)
    return pl.DataFrame(rows, schema=NAMES).with_columns(sex=pl.Series([groups[g] for g in group]))


@pytest.fixture(scope="module")
def planted():
    return csi.dif(grouped(1200, uniform=1.2), "sex", {"s": NAMES}, reference="f")


def test_tables_of_two_categories_as_r():
    told, counts = TOLD["R"]["mantelhaen"], np.array([TOLD["dichotomous"]], float)
    found = mantel(counts, np.array([[0.0, 1.0]]), np.array([2]))
    assert found.odds_ratio[0] == pytest.approx(told["odds_ratio"], rel=1e-9)
    assert found.chi2[0] == pytest.approx(told["corrected"], rel=1e-9)
    low, high = told["log_limits"]
    assert found.delta[0] == pytest.approx(-2.35 * (low + high) / 2, rel=1e-9)
    assert found.delta_error[0] == pytest.approx(2.35 * (high - low) / (2 * 1.959963984540054), rel=1e-9)
    assert generalised(counts)[0][0] == pytest.approx(told["plain"], rel=1e-9)
    assert classes(found, np.array([2])) == ["B"]  # 1.97, but not significantly above 1 (error .68)


def test_tables_of_several_groups_as_r():
    told, counts = TOLD["R"], np.array([TOLD["polytomous"]], float)
    chi2, df, p = generalised(counts)
    assert (chi2[0], df[0], p[0]) == pytest.approx(tuple(told["generalised"].values()), rel=1e-9)
    found = logistic(counts, np.arange(4.0)[None, :])
    one, two, three = told["polr"]["loglik"]
    assert found.uniform_chi2[0] == pytest.approx(2 * (two - one), abs=1e-6)
    assert found.nonuniform_chi2[0] == pytest.approx(2 * (three - two), abs=1e-6)
    np.testing.assert_allclose(found.effect[0], told["polr"]["effect"], atol=1e-5)
    np.testing.assert_allclose(found.effect_error[0], told["polr"]["std_error"], rtol=1e-3)
    n, total = counts.sum(), counts.sum(axis=(0, 1, 2))
    none = (total * np.log(total / n)).sum()
    assert found.mcfadden[0] == pytest.approx((three - one) / -none, abs=1e-8)
    r2 = [(1 - np.exp(2 * (none - m) / n)) / (1 - np.exp(2 * none / n)) for m in (one, two, three)]
    assert found.r2[0] == pytest.approx(r2[2] - r2[0], abs=1e-8)
    assert found.r2_uniform[0] == pytest.approx(r2[1] - r2[0], abs=1e-8)


def test_mantel_and_mean_difference_by_the_hypergeometric_distribution():
    """Given the margins of each stratum, the focal counts are multivariate hypergeometric."""
    counts, y = np.array(TOLD["polytomous"], float)[:, :2], np.arange(4.0)
    found = mantel(counts[None], y[None], np.array([4]))
    gap = spread = smd = error = 0.0
    weight = counts[:, 1].sum(axis=1) / counts[:, 1].sum()
    for table, w in zip(counts, weight, strict=True):
        n, law = table.sum(axis=1), multivariate_hypergeom(m=table.sum(axis=0).astype(int), n=int(table[1].sum()))
        gap += table[1] @ y - law.mean() @ y
        spread += y @ law.cov() @ y
        smd += w * (table[1] @ y / n[1] - table[0] @ y / n[0])
        error += w**2 * (1 / n[0] + 1 / n[1]) ** 2 * (y @ law.cov() @ y)
    assert found.chi2[0] == pytest.approx(gap**2 / spread, rel=1e-9)
    assert (found.smd[0], found.smd_error[0]) == pytest.approx((smd, np.sqrt(error)), rel=1e-9)
    one = mantel(np.array([[[[3.0, 7.0]], [[6.0, 4.0]]]]).transpose(0, 2, 1, 3), np.array([[0.0, 1.0]]), np.array([2]))
    assert one.odds_ratio[0] == pytest.approx(7 * 6 / (3 * 4))


def test_a_planted_difference_is_found_and_the_others_are_not(planted):
    rows = planted.table.select("item", "flagged", "class_ets").rows()
    assert rows[5][1:] in {(True, "BB"), (True, "CC")}
    assert [flag for _, flag, _ in rows[:5]] == [False] * 5
    last = planted.table.row(5, named=True)
    assert last["effect"] == pytest.approx(1.2, abs=0.4)
    assert last["smd"] > 0
    assert last["odds_ratio"] < 1
    assert last["uniform_p"] < 1e-6 < last["nonuniform_p"]
    assert planted.anchors["s", "m"] == tuple(NAMES[:5])
    assert "f (" in planted.sentences[0].en
    assert "answered higher by m than by f of equal standing" in planted.sentences[0].en
    assert "N-DIF-PURIFIED" in {n.code for n in planted.notes}
    curve = planted.curves.filter(item="f").pivot("group", index="score", values="expected").drop_nulls()
    assert (curve["m"] > curve["f"]).all()


def test_purification_brings_the_others_back(planted):
    plain = csi.dif(grouped(1200, uniform=1.2), "sex", {"s": NAMES}, reference="f", purify=False)
    assert plain.anchors["s", "m"] == tuple(NAMES)
    mean = [found.table["smd"].head(5).mean() for found in (plain, planted)]
    assert mean[0] < mean[1] < 0.05
    assert abs(mean[1]) < abs(mean[0]) / 2


def test_a_difference_that_crosses_is_not_uniform():
    found = csi.dif(grouped(2000, slope=-1.1), "sex", {"s": NAMES}, method="logistic").table.row(5, named=True)
    assert found["nonuniform_p"] < 1e-6
    assert found["nonuniform_chi2"] > 5 * found["uniform_chi2"]
    assert "smd" not in found


def test_items_of_two_categories_have_deltas_and_more_have_none(planted):
    found = csi.dif(grouped(1200, uniform=1.5, points=2), "sex", {"s": NAMES}, reference="f")
    last = found.table.row(5, named=True)
    assert last["class_ets"] == "C"
    assert last["delta"] == pytest.approx(-2.35 * np.log(last["odds_ratio"]))
    assert last["delta"] > 1.5
    assert set(found.table["class_ets"].head(5)) == {"A"}
    assert planted.table["delta"].null_count() == 6


def test_several_groups_are_compared_with_the_largest_and_all_at_once():
    frame = grouped(900, uniform=1.3, groups=("f", "m", "x"))
    found = csi.dif(frame, "sex", {"s": NAMES}, reference="x")
    assert found.table["focal"].unique().sort().to_list() == ["f", "m"]
    flagged = found.table.filter(flagged=True).select("item", "focal").rows()
    assert ("f", "m") in flagged
    assert ("f", "f") not in flagged
    assert found.omnibus["groups"].unique().to_list() == [3]
    assert found.omnibus.filter(pl.col("p_holm") < 1e-6)["item"].to_list() == ["f"]
    assert found.omnibus.filter(pl.col("gmh_p_holm") < 1e-6)["item"].to_list() == ["f"]
    assert found.omnibus["gmh_df"].to_list() == [8] * 6


def test_two_groups_all_at_once_are_the_pair():
    frame = grouped(300)
    rows, group = frame.select(NAMES).to_numpy(), (frame["sex"] == "m").to_numpy().astype(int)
    told = tables(rows, group, 2, np.ones(6, bool))
    assert told.counts.sum() == 6 * 300
    np.testing.assert_array_equal(told.counts.sum(axis=(1, 3))[0], np.bincount(group))
    score = matching_scores(rows, np.ones(6, bool))
    np.testing.assert_array_equal(score[:, 0], rows.sum(axis=1) - 6)
    at = logistic(told.counts, told.value)
    assert classed(at.r2, at.p, JODOIN_GIERL) == ["A"] * 6


def test_what_cannot_be_compared_has_a_reason():
    frame = grouped(400).with_columns(
        same=pl.lit(2.0),
        none=pl.lit(None, pl.Float64),
        many=pl.Series(np.arange(400) / 3),
        half=pl.when(pl.col("sex") == "f").then(pl.col("a").clip(upper_bound=4)).otherwise(pl.col("a")),
        apart=pl.when(pl.col("sex") == "f").then(1.0).otherwise(2.0),
    )
    scales = {"one": ["a"], "two": ["a", "b"], "odd": ["a", "b", "c", "same", "many"], "half": ["half", "b", "c"],
              "apart": ["a", "b", "c", "d", "apart"]}  # fmt: skip
    found = csi.dif(frame, "sex", scales, reference="f")
    why = dict(found.table.select(pl.concat_str("construct", "item", separator="."), "reason").rows())
    assert (why["one.a"], why["two.a"], why["odd.same"], why["odd.many"]) == (
        "R-DIF-ITEMS", "R-DIF-ITEMS", "R-CONSTANT", "R-IRT-CATEGORIES")  # fmt: skip
    assert why["odd.a"] is None
    assert why["apart.apart"] == "R-DIF-SEPARATED"
    apart = found.table.filter(item="apart").row(0, named=True)
    assert (apart["effect"], apart["flagged"], apart["class_jodoin"]) == (None, True, "C")
    low, high = frame.filter(pl.col("sex") == "f").head(40), frame.filter(pl.col("sex") == "m").head(40)
    ends = pl.concat([low.with_columns(pl.col(NAMES[:4]).clip(1, 2)), high.with_columns(pl.col(NAMES[:4]).clip(4, 5))])
    far = csi.dif(ends, "sex", {"s": NAMES[:4]}, method="mantel").table
    assert set(far["mantel_reason"]) == {"R-DIF-APART"}
    assert far["reason"].null_count() == 4
    assert far["matched"].to_list() == [0] * 4
    assert "half: f never answers 5." in {n.say() for n in found.notes}
    assert "未按 sex 检验" in text(found, "zh")


def test_small_groups_reversed_items_and_absent_answers():
    frame = grouped(500)
    frame = frame.with_columns(
        a=6 - pl.col("a"), w=pl.Series(np.linspace(1, 2, 500)),
        sex=pl.when(pl.int_range(500) < 8).then(pl.lit("x")).when(pl.int_range(500) < 20).then(None).otherwise("sex"),
        b=pl.when(pl.int_range(500) % 9 == 0).then(None).otherwise("b"),
        e=pl.when((pl.col("sex") == "m") & (pl.int_range(500) > 60)).then(None).otherwise("e"),
    )  # fmt: skip
    found = csi.dif(frame, "sex", {"s": NAMES})
    codes = {n.code: n.say() for n in found.notes}
    assert codes["N-DIF-SMALL"] == "sex: x: fewer than 30 answers; not compared."
    assert codes["N-ROWS-LEFT"].startswith("12 rows")
    assert codes["W-DIF-REVERSED"].startswith("a: runs against")
    few = found.table.filter(item="e").row(0, named=True)
    assert (few["reason"], few["n_reference"], few["n_focal"], few["p"]) == ("R-BASE", None, None, None)
    assert "e" not in found.curves["item"].to_list()
    assert found.groups.filter(group="x").select("n", "reason").rows() == [(None, "R-BASE")]
    assert found.table.filter(item="b")["n_focal"].item() < found.table.filter(item="c")["n_focal"].item()
    scored = matching_scores(frame.select(NAMES).to_numpy(), np.ones(6, bool))
    assert (scored[::9, 1] == -1).all()
    assert (scored[::9, 2] >= 0).all()
    with pytest.raises(csi.Problems, match="two are needed"):
        csi.dif(frame.filter(pl.col("sex") == "f"), "sex", {"s": NAMES})
    with pytest.raises(csi.Problems, match="no such column"):
        csi.dif(frame, "gender", {"s": NAMES})
