"""Improper solutions: found, explained, refitted with bounds; and sound ones left alone.

Numbers of the ECSI models: tests/reference/{mobi,satisfaction} (moments) against lavaan 0.6-14. Others by hand.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import reason
from csi.measures.admissible import structural, verify, withheld_cells, withholds_paths
from csi.measures.admissible_paths import unreadable
from csi.measures.symptoms import condition, delta, lowest
from csi.models.syntax.build import parse_claim
from csi.sem.identification import generic_rank, unidentified
from csi.sem.layout import layout_of
from csi.sem.table import Rules, table_of

REFERENCE = Path(__file__).parents[1] / "reference"
EXPECTATION = "Expectation =~ CUEX1 + CUEX2 + CUEX3\n"
QUALITY = "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7\n"
VALUE = "Value =~ PERV1 + PERV2\n"
SATISFACTION = "Satisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
LOYALTY = "Loyalty =~ CUSL1 + CUSL2 + CUSL3\n"
SCSB = (
    EXPECTATION + VALUE + SATISFACTION + LOYALTY + "Value ~ Expectation\nSatisfaction ~ Expectation + Value\n"
    "CUSCO ~ Satisfaction\nLoyalty ~ Satisfaction + CUSCO"
)
ACSI = (
    EXPECTATION + QUALITY + VALUE + SATISFACTION + LOYALTY + "Quality ~ Expectation\nValue ~ Expectation + Quality\n"
    "Satisfaction ~ Expectation + Quality + Value\nCUSCO ~ Satisfaction\nLoyalty ~ Satisfaction + CUSCO"
)
CHAIN = (
    QUALITY + VALUE + SATISFACTION + LOYALTY + "Value ~ Quality\nSatisfaction ~ Quality + Value\nLoyalty ~ Satisfaction"
)
HOLZINGER = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def moments(folder, name="moments"):
    saved = json.loads((REFERENCE / folder / f"{name}.json").read_text("utf-8"))
    if "groups" not in saved:
        return csi.Moments.of(saved["names"], saved["cov"], saved["n"], saved["mean"])
    parts = {
        g: csi.Moments.of(saved["names"], np.asarray(m["cov"]), m["n"], m["mean"]) for g, m in saved["groups"].items()
    }
    return csi.Moments.grouped(parts)


def record(folder, name):
    return json.loads((REFERENCE / folder / "lavaan" / f"{name}.json").read_text("utf-8"))


def fitted(syntax, data, **settings):
    return csi.fit(csi.Model.parse(syntax), data, csi.SEM(**settings))


def of(names, cov, n=200):
    return csi.Moments.of(list(names), cov, n=n)


def one(diagnosis, code):
    found = [f for f in diagnosis.findings if f.code == code]
    assert len(found) == 1, diagnosis.codes
    return found[0]


@pytest.fixture(scope="module")
def full():
    return fitted(record("mobi", "SEM_ML")["syntax"], moments("mobi"))


def test_the_full_ecsi_on_mobi_is_collinear_and_its_paths_are_withheld(full):
    found = verify(full)
    assert not found.usable
    assert set(found.withheld) == {0}
    assert withholds_paths(full).code == "E-COLL"
    told = " ".join(f.say() for f in found.errors)
    # lavaan's std.all: Value ~ Expectation 2.193 (10.8), Value ~ Quality -1.507 (10.8), R2 of Quality .990
    assert "Value ~ Expectation = 2.19 (SE 10.8); Value ~ Quality = -1.51 (SE 10.8)" in told
    assert "R2 of Quality is .990" in told
    assert "Expectation and Quality correlate .995" in told
    named = {p for f in found.errors if f.code == "E-COLL" for p in f.parameters}
    assert {"Value ~ Quality", "Satisfaction ~ Expectation", "Loyalty ~ Image", "Quality ~ Expectation"} <= named
    assert "W-RIDGE" in found.codes


def test_withheld_paths_are_blank_unless_asked_for(full):
    hidden, shown = structural(full), structural(full, anyway=True)
    assert hidden.height == shown.height == 12
    assert hidden["estimate"].null_count() == hidden["std_all"].null_count() == 12
    assert shown["estimate"].null_count() == 0
    assert set(shown["withheld"]) == {"E-COLL"}


def test_the_full_ecsi_on_satisfaction_is_collinear():
    syntax = (REFERENCE / "satisfaction" / "model.txt").read_text("utf-8")
    found = verify(fitted(syntax, moments("satisfaction")))
    assert found.withheld[0].code == "E-COLL"
    assert any("VAL ~ EXPE = -1.71 (SE 4.09)" in f.say() for f in found.errors)


@pytest.mark.parametrize(
    ("syntax", "chi2", "df", "close"),
    [
        (SCSB, 78.533, 49, ("Satisfaction", "Loyalty")),
        (ACSI, 298.887, 144, ("Quality", "Satisfaction")),
        (CHAIN, 196.860, 86, ("Quality", "Satisfaction")),
    ],
)
def test_stable_sub_models_pass_with_a_warning_of_close_constructs(syntax, chi2, df, close):
    est = fitted(syntax, moments("mobi"))
    assert est.extra["sem"].test.statistic[0] == pytest.approx(chi2, abs=5e-4)
    assert est.extra["sem"].df == df
    found = verify(est)
    assert found.usable
    assert {f.code for f in found.warnings} == {"W-COLL"}
    assert close in {f.parameters for f in found.warnings}
    assert withholds_paths(est) is None
    assert structural(est)["estimate"].null_count() == 0


def test_htmt_of_the_acsi_model_is_in_the_warning():
    found = verify(fitted(ACSI, moments("mobi")))
    pair = next(f for f in found.warnings if f.parameters == ("Quality", "Satisfaction"))
    assert "HTMT .954" in pair.what.en  # methods G1, seminr
    assert "latent correlation .915" in pair.what.en


@pytest.mark.parametrize("settings", [{}, {"std_lv": True}, {"estimator": "ULS"}, {"estimator": "GLS"}])
def test_a_sound_model_has_no_findings(settings):
    found = verify(fitted(HOLZINGER, moments("holzinger"), **settings))
    assert found.findings == ()
    assert found.usable
    assert text(found) == "Diagnosis: nothing improper was found."


def test_a_sound_model_of_two_groups_has_no_findings():
    est = fitted(HOLZINGER, moments("holzinger", "by_school"), groups="school", equal=("loadings", "intercepts"))
    assert verify(est).findings == ()


def test_six_correlated_factors_on_mobi_have_an_impossible_covariance_matrix():
    found = verify(fitted(record("mobi", "CFA_ML")["syntax"], moments("mobi"), std_lv=True))
    npd = one(found, "E-NPD")
    assert {"Quality", "Satisfaction"} <= set(npd.parameters)
    assert "eigenvalue -0.011" in npd.what.en
    assert "Quality with Satisfaction .957 (.911, 1.004)" in npd.cause.en
    assert "Merge Quality and Satisfaction" in npd.remedy.en
    pairs = {f.parameters: f.what.en for f in found.warnings if f.code == "W-COLL"}
    assert "latent correlation .927" in pairs["Image", "Quality"]
    assert found.withheld == {}  # no paths, nothing to withhold
    assert not found.usable


@pytest.mark.parametrize(
    ("syntax", "names", "cause"),
    [
        ("f =~ x1 + x2", {"f =~ x2", "x1 ~~ x1", "x2 ~~ x2", "f ~~ f"}, "two items and no relation"),
        (
            "f =~ NA*x1 + x2 + x3 + x4",
            {"f =~ x1", "f =~ x2", "f =~ x3", "f =~ x4", "f ~~ f"},
            "f has no unit: its variance and all of its 4 loadings are free",
        ),
        ("f =~ x1 + x2 + x3\ng =~ x4\nx4 ~~ NA*x4\ng ~ f", {"x4 ~~ x4", "g ~~ g"}, "g has one item"),
        (
            "f =~ x1 + x2 + x3 + x4\nf ~ NA*1",
            {"f ~1", "x1 ~1", "x2 ~1", "x3 ~1", "x4 ~1"},
            "f has no origin",
        ),
        (
            "f =~ x1 + x2 + x3\nx1 ~~ x2",
            {"f =~ x3", "x1 ~~ x2", "x1 ~~ x1", "x2 ~~ x2", "x3 ~~ x3", "f ~~ f"},
            "There is 1 free parameter more than moments",
        ),
    ],
)
def test_unidentified_models_are_named_with_their_parameters_and_why(syntax, names, cause):
    est = fitted(syntax, moments("holzinger"))
    found = one(verify(est), "E-IDENT")
    assert set(found.parameters) == names
    assert cause in found.cause.en
    assert found.severity == "error"
    assert ("(df = -1)" in found.what.en) == (est.extra["sem"].df < 0)


def test_twice_the_same_factor_leaves_two_rotations_open():
    items = "x1 + x2 + x3 + x4 + x5 + x6"
    layout = layout_of(table_of(parse_claim(f"f =~ {items}; g =~ {items}"), Rules()))
    rank = generic_rank(layout)
    assert (rank.parameters, rank.rank) == (19, 17)
    assert {"f ~~ g", "f =~ x2", "g =~ x2"} <= set(rank.names)
    assert "x1 ~~ x1" not in rank.names


@pytest.mark.parametrize(
    "syntax",
    [
        "f =~ x1 + x2 + x3",
        "f =~ 1*x1 + 1*x2",
        "f =~ x1 + x2; g =~ x3 + x4",
        "f =~ x1 + x2; y ~ f",
        "y ~ x1 + x2; x1 ~~ x2",
        "a ~ b + x1; b ~ a + x2; a ~~ b",
        "f =~ 1*x1; x1 ~~ 0*x1; f ~ z",
    ],
)
def test_identified_models_are_said_to_be(syntax):
    assert unidentified(layout_of(table_of(parse_claim(syntax), Rules()))) == ()


def test_a_circle_without_instruments_is_not_identified():
    layout = layout_of(table_of(parse_claim("a ~ b; b ~ a; a ~~ b"), Rules()))
    assert set(unidentified(layout)) == {"a ~ b", "b ~ a", "a ~~ b", "a ~~ a", "b ~~ b"}


def test_constraints_identify():
    est = fitted("f =~ a*x1 + b*x2; a == b", moments("holzinger"), std_lv=True)
    fit = est.extra["sem"]
    assert unidentified(fit.layout) != ()
    assert unidentified(fit.layout, fit.linear) == ()
    assert "E-IDENT" not in verify(est).codes


def test_two_orthogonal_pairs_of_items_need_a_covariance_to_be_identified():
    cov = [[1, 0.6, 0, 0], [0.6, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0.5, 1]]
    found = verify(fitted("f =~ a + b; g =~ c + d", of("abcd", cov)), refit=False)
    assert "E-IDENT" not in found.codes
    assert {"E-EMPIRICAL", "E-CONVERGE"} & set(found.codes)
    worst = found.errors[0]
    assert "f with g" in worst.cause.en
    assert not found.usable


HEYWOOD = [[1.0, 0.8, 0.8], [0.8, 1.0, 0.5], [0.8, 0.5, 1.0]]
"""One factor gives a the reliability .8 * .8 / .5 = 1.28 and the residual variance -.28."""


def test_a_heywood_case_beyond_sampling_error_is_misspecification():
    found = verify(fitted("f =~ a + b + c", of("abc", HEYWOOD, 200)))
    heywood = one(found, "E-HEYWOOD")
    assert heywood.parameters == ("a ~~ a",)
    assert "The residual variance of a is negative (-0.28, 95 % interval -0.42 to -0.14)" in heywood.what.en
    assert "excludes 0" in heywood.cause.en
    assert "It correlates .800 on average with the other items of f, and they .500" in heywood.cause.en
    assert "csi.modification_indices" in heywood.remedy.en


def test_a_heywood_case_within_sampling_error_is_only_a_warning():
    found = verify(fitted("f =~ a + b + c", of("abc", HEYWOOD, 30)))
    assert found.usable
    heywood = one(found, "W-HEYWOOD")
    assert "The interval includes 0: sampling error is enough to explain it (n = 30)" in heywood.cause.en
    assert 'bounds="pos.var"' in heywood.remedy.en


def test_the_bounded_refit_says_what_changes():
    est = fitted("f =~ a + b + c", of("abc", HEYWOOD, 200))
    (refit,) = verify(est).refits
    # with the residual of a at 0, b and c are regressions on a: their partial correlation is (.5 - .64) / .36
    partial = (0.5 - 0.64) / 0.36
    assert refit.chi2[1] == pytest.approx(-200 * np.log(1 - partial**2), abs=1e-6)
    assert refit.difference == pytest.approx(refit.chi2[1], abs=1e-6)
    assert refit.at_bound == ("a ~~ a",)
    moved = {m.parameter: m.after for m in refit.moved}
    assert moved["f =~ b"] == pytest.approx(0.8, abs=1e-6)
    assert moved["b ~~ b"] == pytest.approx(0.36 * 199 / 200, abs=1e-6)
    told = one(verify(est), "N-REFIT").say()
    assert "chi2 0.00 becomes 32.8 (+32.8), with a ~~ a at the bound" in told
    assert "f =~ b 0.63 to 0.80" in told or "f =~ b 0.62 to 0.80" in told  # the value is 0.625, a tie
    assert verify(est, refit=False).refits == ()


def test_an_estimate_at_its_bound_is_named():
    found = verify(fitted("f =~ a + b + c", of("abc", HEYWOOD), bounds="pos.var"))
    assert one(found, "W-BOUND").parameters == ("a ~~ a",)
    assert found.refits == ()
    assert found.usable


def test_groups_are_places():
    est = fitted(
        record("satisfaction", "SEM_ML_by_gender")["syntax"], moments("satisfaction", "by_gender"), groups="gender"
    )
    npd = [f for f in verify(est).errors if f.code == "E-NPD"]
    assert [f.place for f in npd] == ["male"]
    assert set(npd[0].parameters) == {"EXPE", "QUAL"}
    assert npd[0].cause.en.startswith("The residual variance of QUAL is negative (-0.19")
    assert "EXPE and QUAL are nearly one and the same: they correlate 1.042" in npd[0].cause.en
    assert npd[0].remedy.en.startswith("Merge EXPE and QUAL")


def test_residual_covariances_can_be_too_large():
    cov = 0.81 * np.ones((5, 5)) + 0.19 * np.eye(5)
    cov[0, 1] = cov[1, 0] = 0.81 - 0.15
    cov[0, 2] = cov[2, 0] = 0.81 - 0.15
    cov[1, 2] = cov[2, 1] = 0.81 - 0.15
    est = fitted("f =~ d + a + b + c + e; a ~~ b + c; b ~~ c; f ~~ 1*f; d ~~ .19*d", of("abcde", cov))
    found = one(verify(est), "E-NPD-RESIDUAL")
    assert set(found.parameters) == {"a", "b", "c"}
    assert "residual covariance matrix" in found.what.en


def test_a_large_standardised_path_alone_withholds_nothing():
    # y on two predictors with r = .8: slopes (1.5, -.9), explained 1.5^2 + .9^2 - 2 * 1.5 * .9 * .8 = .9
    cov = [[1.0, 0.8, 0.78], [0.8, 1.0, 0.3], [0.78, 0.3, 1.0]]
    est = fitted("y ~ x1 + x2", of(["x1", "x2", "y"], cov, 500))
    found = verify(est)
    path = one(found, "W-PATH")
    assert path.parameters == ("y ~ x1",)
    assert "y ~ x1 = 1.50" in path.what.en
    assert withholds_paths(est) is None


def test_few_rows_are_noted_by_parameter():
    sparse = verify(fitted(HOLZINGER, replace_n(moments("holzinger"), 90)))
    assert one(sparse, "N-FEW-ROWS").what.en == "90 rows for 21 free parameters."
    assert one(verify(fitted(HOLZINGER, replace_n(moments("holzinger"), 20))), "W-FEW-ROWS").severity == "warning"


def replace_n(given, n):
    return csi.Moments.of(given.names, given.cov[0], n, given.mean[0])


def test_a_search_that_did_not_settle_withholds_and_looks_at_units():
    est = fitted(SCSB, moments("mobi"))
    why = reason("R-CONVERGE", "no convergence after 200 iterations.", "迭代 200 次仍未收敛。")
    ended = replace(est.convergence, converged=np.array([False]), reasons={0: why})
    found = verify(replace(est, convergence=ended), refit=False)
    assert found.withheld[0].code == "E-CONVERGE"
    assert "no minimum near" in one(found, "E-CONVERGE").cause.en


def test_cells_are_judged_one_by_one():
    rng = np.random.default_rng(3)
    f = rng.normal(size=(400, 1))
    good = f + 0.6 * rng.normal(size=(400, 3))
    poor = f @ [[1.0, 0.9, 0.9]] + rng.normal(size=(400, 3)) * [0.1, 1.0, 1.0]
    poor[:, 1:] -= 0.35 * rng.normal(size=(400, 1)) * [1, -1]
    frame = pl.concat(
        [
            pl.DataFrame(good, schema=["a", "b", "c"]).with_columns(brand=pl.lit("good")),
            pl.DataFrame(poor, schema=["a", "b", "c"]).with_columns(brand=pl.lit("poor")),
        ]
    )
    est = csi.fit(csi.Model.parse("f =~ a + b + c"), frame, csi.SEM(), by=["brand"])
    found = verify(est)
    assert found.table.columns[0] == "brand"
    assert {f.place for f in found.findings if f.code != "N-SATURATED"} == {"poor"}
    assert found.table.filter(code="N-SATURATED")["brand"].to_list() == ["good", "poor"]
    assert withheld_cells(est) == {}


def _rows(seed=5, n=300):
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(n, 1))
    return 0.8 * f + 0.6 * rng.normal(size=(n, 4))


def test_ordinal_fits_are_judged():
    frame = pl.DataFrame(np.digitize(_rows(), [-0.8, 0.0, 0.8]), schema=["a", "b", "c", "d"])
    items = ("a", "b", "c", "d")
    assert verify(fitted("f =~ a + b + c + d", frame, ordered=items)).findings == ()
    found = verify(fitted("f =~ NA*a + b + c + d", frame, ordered=items))
    assert set(one(found, "E-IDENT").parameters) == {"f =~ a", "f =~ b", "f =~ c", "f =~ d", "f ~~ f"}


def test_incomplete_fits_are_judged():
    rows = _rows()
    rows[::7, 1] = np.nan
    rows[::5, 3] = np.nan
    frame = pl.DataFrame(rows, schema=["a", "b", "c", "d"]).fill_nan(None)
    assert verify(fitted("f =~ a + b + c + d", frame, missing="fiml")).findings == ()
    found = verify(fitted("f =~ NA*a + b + c + d", frame, missing="fiml", estimator="MLR"))
    assert "f has no unit" in one(found, "E-IDENT").cause.en


def test_consistent_pls_is_not_sent_to_pls():
    """Collinear corrected scores: the way out of PLSc is plain PLS by its settings, not "use PLS"."""
    rng = np.random.default_rng(1)
    f, u, e = rng.standard_normal((3, 2000))
    g = 0.96 * f + 0.28 * u
    factors = {"f": f, "g": g, "y": 1.6 * f - 1.2 * g + 0.6 * e}
    columns = {f"{k}{i}": v + 0.5 * rng.standard_normal(2000) for k, v in factors.items() for i in (1, 2, 3)}
    text_ = "F =~ f1 + f2 + f3; G =~ g1 + g2 + g3; Y =~ y1 + y2 + y3; Y ~ F + G"
    found = verify(csi.fit(text_, pl.DataFrame(columns), csi.PLS(consistent=True)))
    (finding,) = (f for f in found.findings if f.code == "E-COLL")
    assert "leave the correction out" in finding.remedy.en
    assert "去掉校正" in finding.remedy.zh
    assert "use PLS" not in finding.remedy.en


def test_composites_are_gated_by_htmt():
    lines = (REFERENCE / "mobi" / "model.txt").read_text("utf-8")
    found = verify(csi.fit(csi.Model.parse(lines), moments("mobi"), csi.PLS()))
    assert found.usable
    pairs = {frozenset(f.parameters) for f in found.warnings if f.code == "W-COLL"}
    # HTMT: Quality-Image .929, Satisfaction-Quality .954, Satisfaction-Loyalty .957, Image-Satisfaction .910 (seminr)
    assert frozenset(("Quality", "Image")) in pairs
    assert len(pairs) == 4


def test_findings_read_in_both_languages(full):
    found = verify(full)
    zh = text(found, "zh")
    assert zh.startswith("解的诊断\n")
    assert "Expectation 与 Quality 相关 .995" in zh
    assert "请合并 Expectation 与 Quality、去掉其一，或改用 PLS" in zh
    assert found.frame("zh")["what"][0] != found.table["what"][0]
    assert found.table.columns == ["severity", "code", "place", "parameters", "what", "cause", "remedy"]
    assert repr(found) == text(found)


def test_errors_of_functions_of_unidentified_parameters_are_unknown():
    V = np.array([[0.25, np.nan], [np.nan, np.nan]])
    assert delta(np.array([[2.0, 0.0]]), V).tolist() == [1.0]
    assert np.isnan(delta(np.array([[2.0, 1.0]]), V)[0])


def test_smallest_eigenvalue_is_on_the_scale_of_correlations():
    found = lowest(np.array([[100.0, 12.0, 0.0], [12.0, 1.0, 0.0], [0.0, 0.0, 9.0]]), ("f", "g", "h"))
    assert found.value == pytest.approx(-0.2)
    assert found.names == ("f", "g")


def test_condition_number_of_correlated_estimates():
    size, vector = condition(np.array([[4.0, 1.98, 0], [1.98, 1.0, 0], [0, 0, 1.0]]))
    assert size == pytest.approx(199)
    assert vector[2] == pytest.approx(0)


UNITS = [dict.fromkeys((f"x{i}" for i in range(1, 10)), 10.0**e) for e in (6, -6)] + [
    {"x1": 1e6, "x4": 1e-6},
    {f"x{i + 1}": 10.0**e for i, e in enumerate((1.6, -2.8, -5.5, -5.8, 3.8, 5.0, 1.3, 2.8, 0.5))},
]


def rescaled(given, units):
    u = np.array([units.get(n, 1.0) for n in given.names])
    return csi.Moments.of(given.names, given.cov[0] * np.outer(u, u), given.n[0], given.mean[0] * u)


@pytest.mark.parametrize("units", UNITS, ids=["large", "small", "two", "every"])
@pytest.mark.parametrize(
    "settings", [{}, {"meanstructure": True}, {"bounds": "standard"}, {"estimator": "GLS"}], ids=str
)
@pytest.mark.parametrize("syntax", [HOLZINGER, f"{HOLZINGER}\ntextual ~ visual"], ids=["cfa", "path"])
def test_units_of_the_items_change_no_finding_and_no_ratio_to_the_standard_error(syntax, settings, units):
    given = moments("holzinger")
    one, other = fitted(syntax, given, **settings), fitted(syntax, rescaled(given, units), **settings)
    assert other.convergence.converged.all()
    assert verify(other).codes == verify(one).codes == ()
    np.testing.assert_allclose(other.std_error * one.values, one.std_error * other.values, rtol=1e-6)
    assert other.extra["sem"].test.statistic == pytest.approx(one.extra["sem"].test.statistic, abs=1e-8)


@pytest.mark.parametrize("units", UNITS[2:], ids=["two", "every"])
def test_units_of_the_items_change_no_finding_where_there_are_some(units):
    given, names = moments("holzinger"), {"a": "x1", "b": "x2", "c": "x3"}
    scale = {n: units.get(x, 1.0) for n, x in names.items()}
    for n in (30, 200):
        est = fitted("f =~ a + b + c", rescaled(of("abc", HEYWOOD, n), scale))
        assert verify(est).codes == verify(fitted("f =~ a + b + c", of("abc", HEYWOOD, n))).codes
    syntax = "visual =~ x1 + x2 + x3\ntextual =~ NA*x4 + x5 + x6"
    one, other = (verify(fitted(syntax, m)) for m in (given, rescaled(given, units)))
    assert [(f.code, f.parameters) for f in one.findings] == [(f.code, f.parameters) for f in other.findings]


@pytest.mark.parametrize(("n", "codes"), [(80, ["W-PATH", "N-SATURATED"]), (30, ["E-COLL", "N-SATURATED"])])
def test_a_large_path_in_a_circle_is_withheld_only_where_it_is_not_told_from_0(n, codes):
    # f ~ -1.2 g + .5 x, g ~ 1.2 f + .5 y, disturbances and predictors with variance 1
    B = np.zeros((4, 4))
    B[0, 1:3], B[1, [0, 3]] = (-1.2, 0.5), (1.2, 0.5)
    A = np.linalg.inv(np.eye(4) - B)
    found = verify(fitted("f ~ g + x; g ~ f + y; f ~~ g", of("fgxy", A @ A.T, n)))
    assert [c for c in found.codes if c != "N-FEW-ROWS"] == codes
    # n = 80: -1.2 (SE .51), n = 30: SE .83; VIF 1.1
    assert found.usable == (n == 80)
    large = next(f for f in found.findings if f.code == codes[0])
    assert "f ~ g = -1.20" in large.what.en
    if n == 30:
        assert "The 95 % interval of the standardised" in large.cause.en


def test_neither_size_nor_error_of_a_path_withholds_alone():
    std, se, vif = np.array([2.03, 2.03, 1.5, 1.5, 0.4, 2.19]), np.array([0.73, 1.2, 0.7, 0.2, 1.2, 10.8]), np.ones(6)
    assert unreadable(std, se, vif).tolist() == [False, True, False, False, True, True]
    assert unreadable(std, se, 11 * vif).tolist() == [True] * 6
    assert unreadable(np.array([1.2, 0.9]), np.full(2, np.nan), np.array([12.0, 12.0])).tolist() == [True, False]
