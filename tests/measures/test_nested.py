"""Difference and Wald tests: hand-checked, and what they refuse."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.nested import lrt, scaled_factor, wald

FOUR = np.array([[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]])


def four(model, n=300, **settings):
    return csi.fit(csi.Model.parse(model), csi.Moments.of("abcd", FOUR, n=n), csi.SEM(**settings))


def heavy(seed=3, n=400):
    """A one-factor model whose rows are multiplied by a common random scale: heavy tails."""
    rng = np.random.default_rng(seed)
    f, scale = rng.normal(size=n), np.sqrt(4 / rng.chisquare(4, size=n))
    return pl.DataFrame({name: scale * (f + rng.normal(size=n)) for name in "abcd"})


def test_scaling_factor_of_a_difference():
    assert scaled_factor(10, np.array([1.2]), 4, np.array([1.1])).tolist() == pytest.approx([7.6 / 6])


def test_differences_are_of_neighbours_whatever_the_order():
    wide, mid, narrow = four("f =~ a + b + c + d"), four("f =~ a + l*b + l*c + d"), four("f =~ a + l*b + l*c + l*d")
    table = lrt(narrow=narrow, wide=wide, mid=mid).table
    assert table["model"].to_list() == ["wide", "mid", "narrow"]
    chi2 = table["chi2"].to_numpy()
    np.testing.assert_allclose(table["chi2_diff"].to_numpy()[1:], np.diff(chi2), rtol=1e-12)
    assert table["df_diff"].to_list() == [None, 1.0, 1.0]


def test_satorra2010_is_near_satorra2001_and_has_a_positive_factor():
    frame = heavy()
    fits = [
        csi.fit(csi.Model.parse(m), frame, csi.SEM(estimator="MLM"))
        for m in ("f =~ a + b + c + d", "f =~ a + l*b + l*c + l*d")
    ]
    found = {m: lrt(*fits, method=m).table["chi2_diff"][1] for m in ("satorra2001", "satorra2010", "satorra2000")}
    assert lrt(*fits).method == "satorra2001"
    plain = lrt(*fits, method="standard").table["chi2_diff"][1]
    # heavy tails: every scaled difference is smaller than the plain one
    assert all(0 < value < plain for value in found.values())
    assert found["satorra2010"] == pytest.approx(found["satorra2000"], rel=0.2)


def test_a_single_restriction_by_wald_is_the_squared_z():
    est = four("f =~ a + x*b + c + d")
    row = est.table.filter(label="x").row(0, named=True)
    found = wald(est, "x == 1").row(0, named=True)
    assert found["chi2"] == pytest.approx(((row["estimate"] - 1) / row["std_error"]) ** 2, rel=1e-10)


def test_wald_knows_definitions():
    est = four("f =~ a + x*b + y*c + d\nratio := x/y")
    row = est.table.filter(lhs="ratio").row(0, named=True)
    found = wald(est, "ratio == 1").row(0, named=True)
    assert found["chi2"] == pytest.approx(((row["estimate"] - 1) / row["std_error"]) ** 2, rel=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [("x = 1", "not of the form"), ("x == z", "no parameter has the label z")],
)
def test_what_wald_cannot_read(text, message):
    with pytest.raises(Problems, match=message):
        wald(four("f =~ a + x*b + c + d"), text)


def test_wald_needs_a_constraint():
    with pytest.raises(Problems, match="no constraint"):
        wald(four("f =~ a + x*b + c + d"))


def test_models_that_cannot_be_compared():
    wide, narrow = four("f =~ a + b + c + d"), four("f =~ a + l*b + l*c + d", n=200)
    with pytest.raises(Problems, match="different items or rows"):
        lrt(wide, narrow)
    with pytest.raises(Problems, match="neither is nested"):
        lrt(wide, four("f =~ b + a + c + d"))
    with pytest.raises(Problems, match="two models or more"):
        lrt(wide)
    with pytest.raises(Problems, match="different estimators"):
        lrt(wide, four("f =~ a + l*b + l*c + d", estimator="GLS"))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("satorra.bentler.2001", "satorra2001"),
        ("satorra.bentler.2010", "satorra2010"),
        ("satorra.2000", "scaled.shifted"),
        ("default", "satorra2001"),
    ],
)
def test_methods_by_lavaans_names(theirs, ours):
    frame = heavy()
    texts = ("f =~ a + b + c + d", "f =~ a + l*b + l*c + l*d")
    fits = [csi.fit(csi.Model.parse(m), frame, csi.SEM(estimator="MLM")) for m in texts]
    found = lrt(*fits, method=theirs)
    assert found.method == ours
    assert found.table.equals(lrt(*fits, method=ours).table)


def test_another_method_is_named():
    fits = [four(m) for m in ("f =~ a + b + c + d", "f =~ a + l*b + l*c + d")]
    with pytest.raises(Problems, match='Did you mean "satorra2001"') as told:
        lrt(*fits, method="satora2001")
    assert told.value.problems[0].code == "E-SETTING"


def test_nested_models_read_in_both_languages():
    found = lrt(four("f =~ a + b + c + d"), four("f =~ a + l*b + l*c + d"))
    assert repr(found).startswith("Nested models, the widest first; unscaled chi2")
    assert text(found, "zh").startswith("嵌套模型（由宽到窄）；未校正的卡方")
    assert "chi2_diff" in repr(found)


def test_a_constraint_that_follows_from_others_adds_no_degree_of_freedom():
    est = four("f =~ a + x*b + y*c + d")
    one, both = (wald(est, *c).row(0, named=True) for c in (["x == 1"], ["x == 1", "2*x == 2"]))
    assert (both["df"], both["chi2"]) == (1.0, pytest.approx(one["chi2"], rel=1e-9))
    two, three = (wald(est, *c).row(0, named=True) for c in (["x == 1", "y == 1"], ["x == 1", "y == 1", "x == y"]))
    assert (two["df"], three["df"]) == (2.0, 2.0)
    assert three["chi2"] == pytest.approx(two["chi2"], rel=1e-9)
    assert three["p_value"] == pytest.approx(two["p_value"], rel=1e-9)


@pytest.mark.parametrize("constraints", [("x == 0", "x == 1"), ("x == 1", "y == 1", "x == y + .1"), ("1 == 2",)])
def test_constraints_that_cannot_hold_together(constraints):
    with pytest.raises(Problems, match="contradict") as caught:
        wald(four("f =~ a + x*b + y*c + d"), *constraints)
    assert [p.code for p in caught.value.problems] == ["E-WALD-CONTRADICTION"]


def test_a_constraint_of_the_model_itself_is_not_tested():
    est = four("f =~ a + x*b + y*c + d\nx == y")
    with pytest.raises(Problems, match="nothing to test"):
        wald(est, "x == y")
    assert wald(est, "x == 1", "y == 1")["df"].item() == 1
    with pytest.raises(Problems, match="contradict"):
        wald(est, "x == y + 1")


def predicted(n=300, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    f = 0.5 * x + rng.normal(size=n)
    return pl.DataFrame({"x": x, **{name: f + rng.normal(size=n) for name in "abcd"}})


def test_a_model_given_its_predictors_is_not_nested_in_a_joint_one():
    frame = predicted().with_columns(pl.col("a", "b", "c", "d").round().clip(-1, 1))
    joint = csi.fit("f =~ a + b + c + d\nf ~ x", frame, csi.SEM(ordered=tuple("abcd"), conditional_x=False))
    given = csi.fit("f =~ a + b + c + d\nf ~ 0*x", frame, csi.SEM(ordered=tuple("abcd")))
    with pytest.raises(Problems, match="conditional_x") as caught:
        lrt(joint, given)
    assert {p.code for p in caught.value.problems} == {"E-NESTED"}


@pytest.mark.parametrize(("setting", "word"), [("meanstructure", "means"), ("fixed_x", "exogenous predictors")])
def test_criteria_that_do_not_count_the_same_are_left_out(setting, word):
    wide, narrow = "f =~ a + b + c + d\nf ~ x", "f =~ a + l*b + l*c + d\nf ~ x"
    fits = [csi.fit(model, predicted(), csi.SEM(**{setting: on})) for model, on in ((wide, True), (narrow, False))]
    found = lrt(*fits)
    assert found.table["aic"].null_count() == found.table["bic"].null_count() == 2
    assert [n.code for n in found.notes] == ["N-CRITERIA"]
    assert word in text(found)
    assert "aic" not in text(found)
    assert "不可比较" in text(found, "zh")
    assert found.table["p_value"][1] is not None
    same = lrt(fits[0], csi.fit(narrow, predicted(), csi.SEM(**{setting: True})))
    assert same.notes == ()
    assert same.table["aic"].null_count() == 0
