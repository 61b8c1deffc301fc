"""The invariance ladder: lavaan's and semTools' numbers step by step, partial invariance, what is not comparable."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text, width
from csi.measures.invariance import invariance
from csi.measures.invariance_words import sentence, wrapped
from csi.measures.ladder import exempt, measurement, steps_of
from csi.measures.partial import next_release
from csi.measures.room import room_of
from tests.sem.lavaan_cases import CATEGORIES, CATS, HOLZINGER, frame_of, moments_of, saved_of

MODEL = csi.Model.parse("visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9")
LADDER = ("configural", "metric", "scalar", "strict")
BESIDE = "beside_cbsem_hs_multigroup"


@pytest.fixture(scope="module")
def schools():
    return moments_of("holzinger", "by_school")


def row(found, step, verdict=None):
    rows = found.table.filter(pl.col("step") == step)
    return (rows if verdict is None else rows.filter(pl.col("verdict") == verdict)).row(0, named=True)


def fit_of(folder, record):
    saved = saved_of(folder, record)
    return saved["fit"]


def test_every_step_has_lavaans_numbers(schools):
    found = invariance(MODEL, schools, "school")
    for step in LADDER:
        theirs = fit_of("holzinger", f"ML_{step}")
        ours = row(found, step)
        for name, lavaan in (("chi2", "chisq"), ("df", "df"), ("cfi", "cfi"), ("rmsea", "rmsea"), ("srmr", "srmr")):
            assert ours[name] == pytest.approx(theirs[lavaan], abs=1e-4)
    lrt = saved_of("holzinger", BESIDE)["lrt_ML"]
    assert found.table["delta_chi2"][1:4].to_list() == pytest.approx(lrt["Chisq diff"][1:], abs=1e-4)
    assert found.table["delta_p"][1:4].to_list() == pytest.approx(lrt["Pr(>Chisq)"][1:], abs=1e-4)
    # with equal means too: 221.335 on 72 (design notes, golden numbers of lavaan 0.6)
    assert row(found, "means")["chi2"] == pytest.approx(221.335, abs=1e-3)
    assert row(found, "means")["df"] == 72


def test_robust_steps_have_satorra_bentler_differences():
    found = invariance(MODEL, frame_of("holzinger", HOLZINGER), "school", csi.SEM(estimator="MLR"), LADDER)
    for step in LADDER:
        theirs = fit_of("holzinger", f"MLR_{step}")
        ours = row(found, step)
        assert ours["chi2"] == pytest.approx(theirs["chisq.scaled"], abs=1e-4)
        assert ours["cfi"] == pytest.approx(theirs["cfi.robust"], abs=1e-4)
        assert ours["rmsea"] == pytest.approx(theirs["rmsea.robust"], abs=1e-4)
    lrt = saved_of("holzinger", BESIDE)["lrt_MLR_satorra2001"]
    assert found.table["delta_chi2"][1:].to_list() == pytest.approx(lrt["Chisq diff"][1:], abs=1e-4)
    assert found.form == "robust"


@pytest.mark.parametrize("parameterization", ["theta", "delta"])
def test_ordinal_steps_are_those_of_wu_and_estabrook(parameterization):
    model = csi.Model.parse("f1 =~ u1 + u2 + u3 + u4; f2 =~ u5 + u6 + u7 + u8")
    settings = csi.SEM(ordered=CATEGORIES, parameterization=parameterization)
    steps = ["thresholds", "metric", "scalar"] + (["strict"] if parameterization == "theta" else [])
    found = invariance(model, frame_of("datcat", CATS), "g", settings, steps)
    names = {"thresholds": "threshold"}
    for step in ("configural", *steps):
        theirs = fit_of("datcat", names.get(step, step))
        assert row(found, step)["chi2"] == pytest.approx(theirs["chisq.scaled"], abs=1e-3)
        assert row(found, step)["df"] == theirs["df"]
        assert row(found, step)["cfi"] == pytest.approx(theirs["cfi.scaled"], abs=1e-3)
    lrt = saved_of("datcat", "beside_ordinal_datcat")["lrt_scaled"]
    assert found.table["delta_chi2"][1:].to_list() == pytest.approx(lrt["Chisq diff"][1 : found.table.height], abs=1e-3)


def test_waves_of_an_airport_with_absent_answers():
    model = csi.Model.parse("AMEN =~ ART + FOOD + SHOP; WAYF =~ SIGN + WALK + SCREEN")
    settings = csi.SEM(estimator="MLR", missing="fiml")
    found = invariance(model, frame_of("sfo", "sfo"), "wave", settings, ["metric", "scalar"])
    for step in ("configural", "metric", "scalar"):
        theirs = fit_of("sfo", f"invariance_{step}")
        assert row(found, step)["chi2"] == pytest.approx(theirs["chisq.scaled"], rel=1e-5)
        assert row(found, step)["cfi"] == pytest.approx(theirs["cfi.robust"], abs=1e-4)


def test_partial_invariance_releases_what_lavaan_released(schools):
    found = invariance(MODEL, schools, "school", partial=True)
    assert found.releases.select("step", "lhs", "op").rows() == [("scalar", "x3", "~1"), ("scalar", "x7", "~1")]
    # the first score test is lavTestScore's largest
    assert found.releases["x2"][0] == pytest.approx(
        max(saved_of("holzinger", BESIDE)["score_ML_scalar"]["X2"]), abs=1e-4
    )
    theirs = fit_of("holzinger", "ML_scalar_partial")
    assert row(found, "scalar", "partial")["chi2"] == pytest.approx(theirs["chisq"], abs=1e-4)
    assert row(found, "strict")["verdict"] == "not rejected"
    assert "other residual variances" in found.sentences["strict"].en  # sums of items are not declared comparable


def test_latent_means_come_with_the_scalar_step(schools):
    found = invariance(MODEL, schools, "school", partial=True)
    theirs = csi.fit(MODEL, schools, csi.SEM(groups="school", equal=("loadings", "intercepts"), free=("x3~1", "x7~1")))
    theirs = theirs.table.filter(pl.col("op") == "~1", pl.col("group") == "Grant-White", pl.col("lhs") == "textual")
    ours = found.means.filter(pl.col("construct") == "textual", pl.col("group") == "Grant-White").row(0, named=True)
    assert ours["mean"] == pytest.approx(theirs["estimate"].item(), abs=1e-8)
    assert ours["std_error"] == pytest.approx(theirs["std_error"].item(), abs=1e-8)


def test_latent_means_are_withheld_where_intercepts_differ(schools):
    found = invariance(MODEL, schools, "school")
    assert found.means["mean"].null_count() == found.means.height
    assert set(found.means["reason"]) == {"R-NOT-INVARIANT"}
    assert row(found, "strict")["verdict"] == "void"
    assert set(invariance(MODEL, schools, "school", steps=["metric"]).means["reason"]) == {"R-NOT-TESTED"}


def shifted(**means):
    """Three groups that differ in nothing but some intercepts."""
    cov = 0.5 * np.eye(5) + 0.5
    groups = {g: csi.Moments.of("abcde", cov, n=300, mean=[0.0, 0, 0, 0, m]) for g, m in means.items()}
    return csi.Moments.grouped(groups)


def test_steps_on_one_that_fails_are_not_tested_when_releases_are_forbidden():
    data = shifted(one=0.0, two=0.0, three=0.8)
    found = invariance(csi.Model.parse("f =~ a + b + c + d + e"), data, "g", partial=True, limit=0)
    assert found.table["verdict"].to_list() == ["baseline", "not rejected", "rejected", "not tested", "not tested"]
    assert found.sentences["strict"].zh == "严格等值（残差方差相等）：未检验，因为其所依赖的前一步不成立。"


def test_the_shifted_intercept_is_found_and_the_means_are_right():
    found = invariance(
        csi.Model.parse("f =~ a + b + c + d + e"), shifted(one=0.0, two=0.0, three=0.8), "g", partial=True
    )
    assert found.releases.select("lhs", "group").rows() == [("e", "three")]
    assert found.means["mean"].to_list() == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert row(found, "means")["verdict"] == "not rejected"


def test_a_marker_that_differs_hands_its_place_over():
    cov = 0.5 * np.eye(4) + 0.5
    other = cov.copy()
    other[0, 1:] = other[1:, 0] = 0.25  # the first item's loading is half as large
    data = csi.Moments.grouped({g: csi.Moments.of("abcd", c, n=500) for g, c in (("one", cov), ("two", other))})
    found = invariance(csi.Model.parse("f =~ a + b + c + d"), data, "g", steps=["metric"], partial=True)
    assert found.releases.select("lhs", "op", "rhs").rows() == [("f", "=~", "a")]
    assert str(found.fits["metric"].model) == "f =~ NA*a + 1*b + c + d"
    assert row(found, "metric", "partial")["delta_chi2"] == pytest.approx(0.0, abs=1e-6)


def test_two_items_of_a_construct_stay_invariant(schools):
    free = frozenset({("visual", "=~", "x1")})
    est = csi.fit(MODEL, schools, csi.SEM(groups="school", equal=("loadings",), free=("visual=~x1",), std_lv=True))
    found = next_release(est, "metric", MODEL, (), exempt(free))
    assert found is not None
    assert found.key[0] != "visual"


def binary():
    """Four two-category items in two groups, the same thresholds and loadings."""
    rng = np.random.default_rng(7)
    parts = []
    for group in ("one", "two"):
        f = rng.standard_normal(800)
        y = 0.8 * f[:, None] + 0.6 * rng.standard_normal((800, 4)) > np.array([-0.4, 0.0, 0.2, 0.5])
        parts.append(pl.DataFrame(y.astype(np.int64), schema=list("abcd")).with_columns(g=pl.lit(group)))
    return pl.concat(parts)


def test_two_categories_restrict_nothing_before_the_scalar_step():
    found = invariance(csi.Model.parse("f =~ a + b + c + d"), binary(), "g", csi.SEM(ordered=tuple("abcd")))
    rows = dict(found.table.select("step", "verdict").rows())
    assert rows["thresholds"] == rows["metric"] == "equivalent"
    # 4 thresholds and 6 correlations a group less 8 parameters; then 6 in the second group; then 2
    assert found.table["df"].to_list() == [4.0, 4.0, 4.0, 6.0, 10.0, 11.0]


def mixed():
    """Three items of three categories and two of two; the second group's mean is 0.3."""
    rng = np.random.default_rng(3)
    parts = []
    for group, shift in (("one", 0.0), ("two", 0.3)):
        f = rng.standard_normal(700) + shift
        y = 0.8 * f[:, None] + 0.6 * rng.standard_normal((700, 5))
        cut = {n: np.digitize(y[:, i], [-0.5, 0.4] if i < 3 else [0.1]) for i, n in enumerate("abcde")}
        parts.append(pl.DataFrame(cut).with_columns(g=pl.lit(group)))
    return pl.concat(parts)


# lavaan 0.6-14 on syntax of semTools 0.5-6, measEq.syntax(ID.fac = "std.lv", ID.cat = "Wu.Estabrook.2016",
# parameterization = "theta"), on these rows: scaled chi-square of configural, scalar, strict; latent mean and its error
@pytest.mark.parametrize(
    ("items", "rows", "theirs", "mean"),
    [
        ("abcd", binary, [0.614760778, 1.374465076, 4.988940807], (0.064, 0.066)),
        ("abcde", mixed, [6.664663915, 12.428199814, 26.314149067], (0.183, 0.062)),
    ],
)
def test_few_categories_are_semtools(items, rows, theirs, mean):
    settings = csi.SEM(ordered=tuple(items), parameterization="theta")
    found = invariance(csi.Model.parse(f"f =~ {' + '.join(items)}"), rows(), "g", settings)
    ours = [row(found, step)["chi2"] for step in ("configural", "scalar", "strict")]
    assert ours == pytest.approx(theirs, abs=1e-3)
    second = found.means.row(1, named=True)
    assert (second["mean"], second["std_error"]) == pytest.approx(mean, abs=5e-4)


def test_a_negative_factor_gives_way_to_satorras_test():
    # lavaan 0.6-14: lavTestLRT of these fits has no value ("scaling factor is negative"), nor by satorra.bentler.2010;
    # 21.6543453682 by method = "satorra.2000", scaled.shifted = FALSE
    settings = csi.SEM(estimator="MLR")
    found = invariance(csi.Model.parse("f =~ x1 + x2 + x3"), frame_of("holzinger", HOLZINGER), "school", settings)
    assert row(found, "scalar")["delta_chi2"] == pytest.approx(21.6543453682, abs=1e-4)
    assert row(found, "scalar")["verdict"] == "rejected"
    assert any(n.code == "N-SATORRA2000" for n in found.notes)
    assert "no degrees of freedom" in found.sentences["configural"].en


def test_more_parameters_than_moments_are_refused(schools):
    with pytest.raises(csi.Problems, match="more parameters"):
        invariance(csi.Model.parse("visual =~ x1 + x2"), schools, "school")


def test_arrows_are_left_out_and_said():
    model, notes = measurement(csi.Model.parse("f =~ a + b; g =~ c + d; g ~ p*f; x := p*2"))
    assert not model.paths
    assert not model.defined
    assert notes[0].code == "N-MEASUREMENT"


def test_composites_are_refused_with_a_remedy(schools):
    with pytest.raises(csi.Problems, match="composite"):
        invariance(csi.Model.parse("visual <~ x1 + x2 + x3; textual =~ x4 + x5 + x6"), schools, "school")


def test_an_unknown_step_is_named():
    with pytest.raises(csi.Problems, match='"metirc"'):
        steps_of(["metirc"], ordinal=False)


def test_data_without_groups_are_refused():
    data = csi.Moments.of("abcd", 0.5 * np.eye(4) + 0.5, n=100)
    with pytest.raises(csi.Problems, match="no groups"):
        invariance(csi.Model.parse("f =~ a + b + c + d"), data, "g")


def test_a_sentence_says_test_change_and_consequence():
    numbers = {
        "delta_chi2": 40.06,
        "delta_df": 6.0,
        "delta_p": 4e-7,
        "delta_cfi": -0.038,
        "delta_rmsea": 0.0145,
        "n": 301,
    }
    said = sentence("scalar", "rejected", numbers)
    assert said.en == (
        "Scalar (equal intercepts) is rejected: chi-square rises by 40.06 (df 6, p < .001). Changes (CFI -0.038, "
        "RMSEA +0.015) are beyond the customary limit for CFI (-0.01, 0.015). "
        "Latent means are not comparable over groups."
    )


def test_the_text_shows_steps_sentences_and_means_in_both_languages(schools):
    found = invariance(MODEL, schools, "school", partial=True)
    assert "Scalar (equal intercepts), in part" in text(found)
    assert "convention" in text(found)
    assert "潜变量均值" in text(found, "zh")


def small(n=60, loading=0.45):
    """Two groups of n rows that differ in one loading: 0.8 and `loading`."""
    parts = []
    for group, second in (("one", 0.8), ("two", loading)):
        rng = np.random.default_rng(5 if group == "one" else 28)
        load = np.array([0.8, second, 0.8, 0.7])
        f = rng.standard_normal(n)
        y = f[:, None] * load + 0.6 * rng.standard_normal((n, 4))
        parts.append(pl.DataFrame(y, schema=list("abcd")).with_columns(g=pl.lit(group)))
    return pl.concat(parts)


def test_what_is_not_rejected_is_not_proven():
    found = invariance(csi.Model.parse("f =~ a + b + c + d"), small(), "g", steps=["metric"])
    assert row(found, "metric")["verdict"] == "not rejected"
    said = found.sentences["metric"]
    assert said.en.startswith("Metric (equal loadings) is not rejected: ")
    assert "they and the test disagree, and with 60 rows in the smallest group a difference may go unseen" in said.en
    assert "The largest expected difference of a held parameter is" in said.en
    assert said.en.endswith("As far as these data can tell, relations among constructs may be compared over groups.")
    assert "未被拒绝" in said.zh
    assert "与检验不一致" in said.zh
    assert "成立" not in said.zh


def test_the_expected_difference_and_its_interval_are_near_what_a_refit_finds():
    data, model = small(n=400, loading=0.7), csi.Model.parse("f =~ a + b + c + d")
    held = csi.SEM(groups="g", equal=("loadings",), std_lv=True)
    room = room_of(csi.fit(model, data, held), "metric", ())
    freed = csi.fit(model, data, csi.SEM(groups="g", equal=("loadings",), std_lv=True, free=("".join(room.key),)))
    of_item = pl.col("op").eq("=~") & pl.col("rhs").eq(room.key[2])
    one, two = freed.table.filter(of_item).sort("group")["estimate"].to_list()
    pooled = np.sqrt(data.group_by("g").agg(pl.col(room.key[2]).var(ddof=0))[room.key[2]].mean())
    assert room.value == pytest.approx((two - one) / pooled, rel=0.05)
    fall = csi.fit_measures(csi.fit(model, data, held))["chi2"] - csi.fit_measures(freed)["chi2"]
    assert room.value / (room.high - room.low) * 2 * 1.959964 == pytest.approx(
        np.sign(room.value) * fall**0.5, rel=0.05
    )


def test_limits_and_a_rejection_can_disagree_too():
    numbers = {"delta_chi2": 20.0, "delta_df": 6.0, "delta_p": 0.003, "delta_cfi": -0.001, "delta_rmsea": 0.001}
    said = sentence("metric", "rejected", numbers | {"n": 5000.0, "n_least": 2000.0})
    assert "within the customary limits (-0.01, 0.015): they and the test disagree." in said.en


def test_the_ladder_is_printed_with_three_decimals_and_short_lines(schools):
    found = invariance(MODEL, schools, "school")
    for lang in ("en", "zh"):
        printed = text(found, lang)
        assert "-0.000" not in printed
        assert not any(char in printed for char in ("e-05", "e-06"))
        said = [line for line in printed.partition("\n\n")[2].splitlines() if "CFI" in line]
        assert said
        assert max(width(line) for line in said) <= 102
    ladder = next(line for line in text(found).splitlines() if line.startswith("Configural"))
    assert "115.85" in ladder.split()
    assert "0.923" in ladder.split()
    assert wrapped("满意度，忠诚度。", 8).splitlines() == ["满意度，", "忠诚度。"]
