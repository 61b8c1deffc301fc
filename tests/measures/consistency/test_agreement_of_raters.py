"""`csi.icc`, `csi.agreement` and `csi.retest`: psych's numbers, second opinions, cases by hand, bad input."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.engines.pingouin import intraclass_corr
from csi.measures.consistency.intraclass import FORMS, intraclass, limits_of_agreement, squares_of
from csi.measures.consistency.kappa import agreement_weights, cohen, fleiss
from csi.survey.codebook import Codebook, Item, Scale

REFERENCE = Path(__file__).parents[2] / "reference"
DATA = os.environ.get("CSI_REFERENCE_DIR")
THEIRS = json.loads((REFERENCE / "reliability/numbers.json").read_text(encoding="utf-8"))
JUDGES = THEIRS["icc_shrout_fleiss"]["data"]
WIDE = pl.DataFrame(np.array(JUDGES["values"], dtype=float), schema=JUDGES["cols"])
ABSENT = [None] * 9


def agrees(table, theirs):
    for i, form in enumerate(theirs["type"]):
        row = table.row(table["form"].to_list().index(form), named=True)
        names = {
            "icc": "ICC",
            "f": "F",
            "df1": "df1",
            "df2": "df2",
            "conf_low": "lower bound",
            "conf_high": "upper bound",
        }
        for ours, name in names.items():
            assert row[ours] == pytest.approx(theirs[name][i], abs=1e-10), (form, ours)
        assert row["p_value"] == pytest.approx(theirs["p"][i], rel=1e-9)


def test_every_form_agrees_with_psych_on_the_judges_of_shrout_and_fleiss():
    found = csi.icc(WIDE)
    agrees(found.table, THEIRS["icc_shrout_fleiss"]["table_aov"])
    assert [f.name for f in FORMS] == ["ICC(1)", "ICC(A,1)", "ICC(C,1)", "ICC(k)", "ICC(A,k)", "ICC(C,k)"]
    assert found.n == 6


@pytest.mark.skipif(not DATA, reason="row-level data: set CSI_REFERENCE_DIR")
def test_every_form_agrees_with_psych_on_rows():
    rows = pl.read_csv(Path(DATA) / "data/holzinger_swineford/holzinger_swineford.csv")
    agrees(csi.icc(rows, ["x7", "x8", "x9"]).table, THEIRS["icc_hs_speed"]["table"])


def test_every_form_agrees_with_pingouin():
    second = intraclass_corr(WIDE.to_numpy())
    for row in csi.icc(WIDE).table.iter_rows(named=True):
        assert row["icc"] == pytest.approx(second.value[row["form"]], abs=1e-9)
        assert row["f"] == pytest.approx(second.statistic[row["form"]], rel=1e-9)
        assert row["p_value"] == pytest.approx(second.p_value[row["form"]], rel=1e-8)
        assert (row["conf_low"], row["conf_high"]) == pytest.approx(second.limits[row["form"]], abs=0.0051)


def test_a_long_table_is_the_wide_one_and_other_levels_widen():
    long = WIDE.with_row_index("subject").unpivot(index="subject", variable_name="rater", value_name="score")
    found = csi.icc(long, subject="subject", rater="rater", score="score")
    assert found.table.equals(csi.icc(WIDE).table)
    wider = csi.icc(WIDE, level=0.99).table
    assert (wider["conf_low"] < found.table["conf_low"]).all()


def test_errors_of_measurement_by_hand():
    rows = np.array([[1.0, 2.0], [3.0, 3.0], [5.0, 7.0], [6.0, 6.0]])
    of = squares_of(rows)
    d = rows[:, 1] - rows[:, 0]
    consistency, agreement = (intraclass(of, form) for form in ("ICC3", "ICC2"))
    assert consistency.sem == pytest.approx(d.std(ddof=1) / np.sqrt(2))
    assert agreement.sem == pytest.approx(np.sqrt(of.error + (of.raters - of.error) / 4))
    assert consistency.sdc == pytest.approx(1.959964 * np.sqrt(2) * consistency.sem, rel=1e-6)
    assert intraclass(of, "ICC3k").sem == pytest.approx(consistency.sem / np.sqrt(2))
    limits = limits_of_agreement(rows[:, 0], rows[:, 1])
    assert limits.high - limits.low == pytest.approx(2 * 1.959964 * d.std(ddof=1), rel=1e-6)
    line = csi.icc(pl.DataFrame(rows, schema=["x", "y"])).limits.row(0, named=True)
    assert line["difference"] == pytest.approx(d.mean())
    assert line["low_conf_low"] < line["low"] < line["low_conf_high"] < line["difference"]


def test_raters_who_say_the_same_of_everybody_and_absent_ratings():
    same = csi.icc(pl.DataFrame({"a": [3, 3, 3], "b": [3, 3, 3]}))
    assert same.table["reason"].to_list() == ["no_spread"] * 6
    assert same.table["icc"].null_count() == 6
    some = csi.icc(pl.concat([WIDE, pl.DataFrame({"J1": [9.0]})], how="diagonal"), na=[99])
    assert some.n == 6
    assert "N-ROWS-LEFT" in {n.code for n in some.notes}
    assert "行" not in text(some)
    assert "一致性界限" in text(some, "zh")


KAPPA = THEIRS["kappa"]


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_agrees_with_psych(weights):
    table = np.array(KAPPA["table"]["values"], dtype=float)
    theirs = {"none": KAPPA["kappa"], "linear": KAPPA["linear"]["weighted"], "quadratic": KAPPA["weighted_quadratic"]}
    found = cohen(table, weights)
    assert found.value == pytest.approx(theirs[weights], abs=1e-10)
    out = [
        (cohen(table - one, weights).value, table[i, j])
        for i, j in np.argwhere(table > 0)
        for one in [np.eye(25)[5 * i + j].reshape(5, 5)]
    ]
    value, count = np.array(out).T
    mean = (value * count).sum() / count.sum()
    jackknife = (count.sum() - 1) / count.sum() * ((value - mean) ** 2 * count).sum()
    assert found.std_error**2 == pytest.approx(jackknife, rel=0.05)
    if weights == "none":
        assert found.std_error**2 == pytest.approx(KAPPA["var_kappa"], abs=1e-12)


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_weighted_kappa_and_its_error_agree_with_statsmodels(weights):
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    table = np.array(KAPPA["table"]["values"], dtype=float)
    second = raters.cohens_kappa(table, wt=weights)
    found = cohen(table, weights)
    assert found.value == pytest.approx(second.kappa, abs=1e-12)
    assert found.std_error**2 == pytest.approx(second.var_kappa, abs=1e-12)


def test_fleiss_agrees_with_the_published_example():
    """Ten subjects by fourteen raters: .210."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss(np.array(counts, dtype=float)) == pytest.approx(0.210, abs=5e-4)


def test_agreement_of_two_raters_tells_every_coefficient():
    frame = pl.DataFrame(KAPPA["data"])
    found = csi.agreement(frame, n=200)
    table = {r["coefficient"]: r for r in found.table.iter_rows(named=True)}
    low, value, high = KAPPA["confid"]["values"][0]
    assert [table["kappa"][c] for c in ("conf_low", "estimate", "conf_high")] == pytest.approx(
        [low, value, high], abs=1e-6
    )
    assert table["kappa_quadratic"]["estimate"] == pytest.approx(KAPPA["weighted_quadratic"], abs=1e-10)
    for name in ("fleiss", "krippendorff_nominal", "krippendorff_ordinal", "krippendorff_interval"):
        assert table[name]["conf_low"] < table[name]["estimate"] < table[name]["conf_high"]
    assert table["krippendorff_interval"]["estimate"] == pytest.approx(KAPPA["weighted_quadratic"], abs=0.01)
    assert "κ（线性权重）" in text(found, "zh")


def test_words_have_no_order_until_it_is_given():
    frame = pl.DataFrame({"ann": ["good", "bad", "fair", "good"], "bob": ["good", "bad", "good", None]})
    plain = csi.agreement(frame, n=0).table
    assert set(plain.filter(coefficient="kappa_linear")["reason"]) == {"not_ordered"}
    ordered = csi.agreement(frame, n=0, values=["bad", "fair", "good", "fine"])
    assert ordered.values == ("bad", "fair", "good", "fine")
    table = np.zeros((4, 4))
    table[0, 0] = table[2, 2] = table[1, 2] = 1
    row = ordered.table.filter(coefficient="kappa_linear").row(0, named=True)
    assert row["estimate"] == pytest.approx(cohen(table, "linear").value)
    with pytest.raises(csi.Problems, match="not among values"):
        csi.agreement(frame, values=["bad", "good"])


def test_one_category_and_raters_without_common_units():
    same = csi.agreement(pl.DataFrame({"a": [1, 1], "b": [1, 1]}), n=0).table
    assert set(same.filter(coefficient="kappa")["reason"]) == {"one_category"}
    apart = csi.agreement(pl.DataFrame({"a": [1, None], "b": [None, 2]}), n=0).table
    assert apart["estimate"].null_count() == apart.height
    assert "no_common_units" in apart["reason"].to_list()
    assert np.allclose(agreement_weights(1, "linear"), 1)


@pytest.mark.parametrize("function", [csi.icc, csi.agreement])
def test_ratings_that_cannot_be_read_are_told(function):
    name = "subject" if function is csi.icc else "unit"
    for frame, given in (
        (WIDE, {"columns": ["J1"]}),
        (WIDE, {"columns": ["J1", "J9"]}),
        (WIDE, {name: "J1", "rater": "J2"}),
        (pl.DataFrame({"s": [1, 1], "r": ["a", "a"], "v": [1, 2]}), {name: "s", "rater": "r", "score": "v"}),
        (pl.DataFrame({"a": [None, None], "b": [None, None]}, schema={"a": pl.Int64, "b": pl.Int64}), {}),
        (WIDE, {"level": 3}),
    ):
        with pytest.raises(csi.Problems):
            function(frame, **given)


@pytest.fixture(scope="module")
def twice():
    rng = np.random.default_rng(5)
    true = rng.normal(6, 1.2, 80)
    rows = []
    for wave in ("1", "2"):
        answers = np.clip(np.round(true[:, None] + 0.6 * rng.normal(size=(80, 3)) + 0.2 * (wave == "2")), 1, 10)
        frame = pl.DataFrame(answers, schema=["q1", "q2", "q3"])
        rows.append(frame.with_columns(respondent=pl.Series([f"p{i:03}" for i in range(80)]), wave=pl.lit(wave)))
    return pl.concat([rows[0], rows[1].head(60)])


def test_a_retest_is_the_intraclass_correlation_of_matched_scores(twice):
    found = csi.retest(twice, {"trust": ["q1", "q2", "q3"], "one": ["q1"]})
    assert (found.matched, found.first_only, found.second_only) == (60, 20, 0)
    score = twice.with_columns(s=pl.mean_horizontal("q1", "q2", "q3"))
    both = score.filter(wave="1").head(60)["s"].to_numpy(), score.filter(wave="2")["s"].to_numpy()
    again = csi.icc(pl.DataFrame({"a": both[0], "b": both[1]})).table
    row = found.table.row(0, named=True)
    assert row["icc_agreement"] == pytest.approx(again["icc"][1], abs=1e-12)
    assert row["icc_consistency_conf_low"] == pytest.approx(again["conf_low"][2], abs=1e-12)
    assert row["sdc"] == pytest.approx(again["sdc"][1], abs=1e-12)
    assert row["r"] == pytest.approx(np.corrcoef(*both)[0, 1])
    assert row["r_conf_low"] < row["r"] < row["r_conf_high"]
    assert found.table["n_items"].to_list() == [3, 1]
    assert "60 people in 1 and 2" in text(found)
    assert "60 人" in text(found, "zh")


def test_a_retest_with_other_people_is_refused(twice):
    second = pl.col("wave") == "2"
    other = twice.with_columns(
        respondent=pl.when(second).then(pl.lit("new") + pl.col("respondent")).otherwise("respondent")
    )
    with pytest.raises(csi.Problems, match="0 of the 80 people of 1 are among the 60 of 2"):
        csi.retest(other, ["q1", "q2"])
    answers = np.random.default_rng(2).integers(1, 11, 60)
    both = {q: [*answers, *(11 - answers)] for q in ("q1", "q2")}
    counted = pl.DataFrame({"respondent": [*range(60), *range(60)], "wave": ["1"] * 60 + ["2"] * 60, **both})
    with pytest.raises(csi.Problems, match="counted anew"):
        csi.retest(counted, ["q1", "q2"])
    found = csi.retest(counted.filter(pl.col("respondent") < 12), ["q1", "q2"])
    assert found.matched == 12
    assert "W-RETEST-NAMES" in {n.code for n in found.notes}


def test_few_who_came_back_are_told(twice):
    few = csi.retest(twice.filter((pl.col("wave") == "1") | (pl.col("respondent") < "p012")), ["q1"])
    assert few.matched == 12
    assert "W-RETEST-FEW" in {n.code for n in few.notes}
    back = pl.col("respondent") < "p020"
    names = pl.when(back).then("respondent").otherwise(pl.lit("x") + pl.col("respondent"))
    half = pl.concat([twice.filter(wave="1"), twice.filter(wave="2").with_columns(respondent=names)])
    assert "W-RETEST-SHARE" in {n.code for n in csi.retest(half, ["q1"]).notes}


def test_scores_that_cannot_be_compared_have_a_reason(twice):
    flat = twice.with_columns(same=pl.lit(4.0), rare=pl.when(pl.col("respondent") < "p004").then("q1"))
    found = csi.retest(flat, {"flat": ["same"], "rare": ["rare"], "fine": ["q1"]})
    assert found.table["reason"].to_list() == ["no_spread", "few_matched", None]
    assert set(found.reasons) == {"no_spread", "few_matched"}


def test_a_retest_that_cannot_be_asked_for_is_told(twice):
    doubled = pl.concat([twice, twice.head(1)])
    for frame, given in (
        (twice.drop("wave"), {}),
        (twice.drop("respondent"), {}),
        (twice, {"waves": ("1", "3")}),
        (twice.filter(wave="1"), {}),
        (doubled, {}),
        (twice, {"level": 0}),
    ):
        with pytest.raises(csi.Problems) as error:
            csi.retest(frame, ["q1"], **given)
        assert error.value.problems[0].code in {"E-RETEST", "E-SETTING"}


def test_a_panel_brings_its_waves_its_brands_and_its_constructs(twice):
    ten = Scale("ten", 1, 10)
    items = tuple(Item(q, "trust", ten, csi.errors.Text(q, q)) for q in ("q1", "q2", "q3"))
    frame = pl.concat([twice.with_columns(brand=pl.lit(b), weight=pl.lit(1.0)) for b in ("A", "B")])
    items_of = [q.name for q in items]
    blank = frame.with_columns(pl.lit(None, pl.String).alias(q) for q in items_of).select(items_of)
    panel = csi.Panel(frame, Codebook(items, {}, {}), blank, waves=("1", "2"), brands=("A", "B"))
    found = csi.retest(panel)
    assert found.matched == 120
    assert found.occasions == ("1", "2")
    assert "N-RETEST-WEIGHTS" in {n.code for n in found.notes}
