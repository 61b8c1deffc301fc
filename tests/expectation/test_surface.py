"""Response surfaces: the motive data (G4), recovery of planted shapes, statsmodels' robust tests, designs, refusals."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.stats import f as f_law
from scipy.stats import t as t_law

import csi
from csi.errors import Problems, Text
from csi.expectation.asymmetry import pieces
from csi.expectation.regression import regress, slopes_again
from csi.expectation.surface_judged import claim_tests, features
from csi.expectation.surface_shape import CLAIMS, stationary, terms
from csi.inference.sandwich import robust_slopes
from csi.survey.codebook import Codebook, Item, Scale

MOTCON = json.loads((Path(__file__).parents[1] / "reference/motcon/expected.json").read_text(encoding="utf-8"))
NINE = Scale("nine", 1, 9)


def said(found, lang):
    return " ".join(t.say(lang) for t in found.sentences)


def panel_of(E, P, y, *, scale=NINE, outcome=None, **more):
    """A panel with one attribute asked as Ew and P, an outcome and further columns."""
    items = [Item(f, "power", scale, Text("Power", "权力"), "power", f) for f in ("P", "Ew")]
    items.append(Item("sat", "satisfaction", outcome or scale, Text("Satisfaction", "满意")))
    items += [Item(c, "", scale, Text(c, c)) for c in more if c.startswith("control")]
    frame = pl.DataFrame({"P": P, "Ew": E, "sat": y, **more})
    names = [i.name for i in items]
    frame = frame.with_columns(pl.col(names).fill_nan(None))
    reasons = pl.DataFrame({n: [None] * frame.height for n in names}, schema=dict.fromkeys(names, pl.String))
    return csi.Panel(frame, Codebook(tuple(items), {}, {}), reasons)


def drawn(b, n=600, seed=1, spread=0.6):
    """Answers around the surface b (at the scale's middle, 5); expectation and performance correlate .4."""
    rng = np.random.default_rng(seed)
    E, P = rng.multivariate_normal([0, 0], [[1.6, 0.64], [0.64, 1.6]], n).T
    return 5 + E, 5 + P, terms(E, P) @ np.array(b) + spread * rng.normal(size=n)


def rows_of_cross_products():
    """84 rows with the sums of products of the motive data, the first column 1."""
    S = np.array(MOTCON["cross_products"])
    S = (S + S.T) / 2
    n, m = MOTCON["n"], len(S)
    L = np.zeros((n, m))
    L[:m] = np.linalg.cholesky(S).T
    v = np.full(n, 1 / np.sqrt(n)) - np.eye(n)[0]
    return L - 2 * np.outer(v, v @ L) / (v @ v)


def test_the_motive_data_from_their_cross_products():
    Z = rows_of_cross_products()
    assert Z[:, 0] == pytest.approx(np.ones(84))
    full = regress(Z[:, :6], Z[:, 6], np.ones(84), np.arange(84), np.zeros(84, dtype=np.int64))
    assert full.slopes == pytest.approx(MOTCON["b"], abs=1e-7)
    assert full.r2 == pytest.approx(MOTCON["r2"], abs=1e-7)
    table = features(full, np.tile(full.slopes, (50, 1)), np.zeros((0, 2)), "classical", 0.95)[:5]
    assert table["estimate"].to_list() == pytest.approx(MOTCON["a"], abs=1e-7)
    assert table["std_error"].to_list() == pytest.approx(MOTCON["se"], abs=1e-7)
    assert table["p_value"].to_list() == pytest.approx(MOTCON["p"], abs=1e-7)
    for claim, wanted in MOTCON["claims"].items():
        found = claim_tests(full, CLAIMS[claim])
        assert found["f_classical"] == pytest.approx(wanted["f"], abs=1e-7)
        assert found["p_classical"] == pytest.approx(wanted["p"], abs=1e-7)
        assert (found["restrictions"], found["df_classical"]) == (wanted["df1"], wanted["df2"])
    assert stationary(full.slopes) == pytest.approx(MOTCON["point"], rel=1e-5)
    assert MOTCON["provenance"]["published"].startswith("a1 .5553 (.1696, p .0016)")


def motcon_rows():
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder or not Path(folder, "data/motcon/motcon.tab").exists():
        pytest.skip("the rows of the motive data are not here (CSI_REFERENCE_DIR)")
    lines = Path(folder, "data/motcon/motcon.tab").read_text(encoding="utf-8").splitlines()[1:]
    return np.array([[float(v) for v in line.split()[1:]] for line in lines]).T


def test_the_motive_data_from_their_rows():
    E, P, y = motcon_rows()
    answers = panel_of(E, P, y, scale=Scale("z", -9, 9))
    plain = csi.surface(answers, errors="classical")
    robust = csi.surface(answers)
    assert plain.coefficients["estimate"].to_list() == pytest.approx(MOTCON["b"], abs=1e-9)
    assert plain.table["std_error"][:5].to_list() == pytest.approx(MOTCON["se"], abs=1e-9)
    assert robust.table["std_error"][:5].to_list() == pytest.approx(MOTCON["se_hc2"], abs=1e-9)
    assert robust.table["df"][:5].to_list() == pytest.approx(MOTCON["df_satterthwaite"], abs=1e-6)
    for row in robust.claims.iter_rows(named=True):
        if row["claim"] == "full":
            assert row["r2"] == pytest.approx(MOTCON["r2"], abs=1e-9)
            continue
        wanted = MOTCON["claims"][row["claim"]]
        assert row["r2"] == pytest.approx(wanted["r2"], abs=1e-9)
        assert (row["f"], row["df"], row["p_value"]) == pytest.approx(wanted["htz"], abs=1e-7)
        assert (row["f_classical"], row["p_classical"]) == pytest.approx((wanted["f"], wanted["p"]), abs=1e-9)
    jackknifed = csi.surface(answers, errors="hc3")
    assert jackknifed.table["std_error"][:5].to_list() == pytest.approx(MOTCON["se_hc3"], abs=1e-9)
    assert jackknifed.table["p_value"][:5].to_list() == pytest.approx(MOTCON["p_hc3"], abs=1e-9)
    for row in jackknifed.claims.filter(pl.col("claim") != "full").iter_rows(named=True):
        wanted = MOTCON["claims"][row["claim"]]
        found = (row["f"], row["restrictions"], row["df"], row["p_value"])
        assert found == pytest.approx((wanted["f_hc3"], wanted["df1"], wanted["df2"], wanted["p_hc3"]), abs=1e-9)
    # X0 = -11.5 lies far outside answers within about 3: statistics' rule withholds it
    assert robust.table["estimate"][5:].to_list() == [None] * 4
    assert set(robust.table["reason"][5:]) == {"flat_surface"}


def test_a_planted_peak_is_found_with_its_point_and_axis():
    b = [6.0, 0.2, 0.1, -0.3, 0.2, -0.2]
    E, P, y = drawn(b, 2000, 3)
    found = csi.surface(panel_of(E, P, y), replicates=1000, level=0.999)
    table = {r["quantity"]: r for r in found.table.iter_rows(named=True)}
    truth = {"a1": 0.3, "a2": -0.3, "a3": 0.1, "a4": -0.7, "a5": -0.1}
    truth |= dict(zip(("expected0", "perceived0", "p10", "p11"), stationary(np.array(b)), strict=True))
    for name, value in truth.items():
        assert table[name]["conf_low"] < value < table[name]["conf_high"], name
        assert table[name]["estimate"] == pytest.approx(value, abs=0.25), name
        assert table[name]["reason"] is None
    assert "The surface is curved" in said(found, "en")
    assert "曲面有曲率" in said(found, "zh")


def test_pure_disconfirmation_is_not_contradicted_and_performance_is_not_said_to_dominate():
    found = csi.surface(panel_of(*drawn([5, -0.5, 0.5, 0, 0, 0])), replicates=200)
    claims = {r["claim"]: r for r in found.claims.iter_rows(named=True)}
    assert claims["difference"]["p_value"] > 0.05
    assert claims["perceived"]["p_value"] < 1e-6
    assert claims["squared_difference"]["p_value"] < 1e-6
    assert "pure disconfirmation would look like this" in said(found, "en")
    assert "not shown" in said(found, "en")
    assert set(found.table["reason"][5:]) == {"flat_surface"}
    assert "flat_surface" in found.reasons


def test_performance_that_dominates_with_assimilation_is_said_so():
    found = csi.surface(panel_of(*drawn([5, 0.15, 0.7, 0, 0, 0], 1500)), replicates=200)
    assert "Performance dominates satisfaction" in said(found, "en")
    assert "assimilation" in said(found, "en")
    assert "同化" in said(found, "zh")
    assert "says less than P and E apart" in said(found, "en")


def test_a_point_outside_the_answers_is_withheld_for_that():
    E, P, y = drawn([5, 2.4, 2.4, -0.3, 0.1, -0.3], 3000, 4, 0.3)
    found = csi.surface(panel_of(E, P, y, outcome=Scale("wide", -50, 50)), replicates=200)
    assert set(found.table["reason"][5:]) == {"outside_answers"}
    assert found.table["estimate"][5] is None


def test_robust_wald_tests_are_those_of_statsmodels():
    E, P, y = drawn([5, -0.2, 0.5, 0.05, 0, -0.05], 150, 7)
    found = csi.surface(panel_of(E, P, y), replicates=100)
    fit = sm.OLS(y, terms(E - 5, P - 5)).fit(cov_type="HC2", use_t=True)
    own = robust_slopes(fit.model.exog, y, np.ones(150), np.arange(150))
    for claim, restrictions in CLAIMS.items():
        row = found.claims.row(by_predicate=pl.col("claim") == claim, named=True)
        theirs = fit.f_test(restrictions)
        q, df = row["restrictions"], own.joint_df(restrictions)
        scaled = float(theirs.fvalue) * (df - q + 1) / df
        assert (row["f"], row["df"]) == pytest.approx((scaled, df - q + 1), rel=1e-8)
        assert row["p_value"] == pytest.approx(float(f_law.sf(scaled, q, df - q + 1)), rel=1e-6)
    assert found.coefficients["std_error"].to_list() == pytest.approx(list(fit.bse), rel=1e-9)


def test_errors_as_other_software_prints_them_are_there_on_request():
    E, P, y = drawn([5, -0.2, 0.5, 0.05, 0, -0.05], 150, 7)
    found = csi.surface(panel_of(E, P, y), errors="hc3", replicates=100)
    fit = sm.OLS(y, terms(E - 5, P - 5)).fit(cov_type="HC3", use_t=True)
    assert found.coefficients["std_error"].to_list() == pytest.approx(list(fit.bse), rel=1e-9)
    assert found.coefficients["df"].to_list() == [144.0] * 6
    for claim, restrictions in CLAIMS.items():
        row, theirs = found.claims.row(by_predicate=pl.col("claim") == claim, named=True), fit.f_test(restrictions)
        assert (row["f"], row["df"]) == pytest.approx((float(theirs.fvalue), 144), rel=1e-8)
        assert row["p_value"] == pytest.approx(float(theirs.pvalue), rel=1e-6)
    default = csi.surface(panel_of(E, P, y), replicates=100)
    assert (found.coefficients["std_error"] > default.coefficients["std_error"]).all()
    told = [n.text for n in found.notes if n.code == "N-SURFACE"]
    assert "HC3" in told[0].en
    assert "偏多" in told[0].zh


def test_clusters_as_left_out_units():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(120), rng.normal(size=(120, 2))])
    unit, stratum = np.repeat(np.arange(24), 5), np.repeat([0, 1], 12)
    y = X @ [1.0, 0.5, -0.5] + rng.normal(size=24)[unit] + rng.normal(size=120)
    found = robust_slopes(X, y, np.ones(120), unit, stratum)
    away = np.array([np.linalg.lstsq(X[unit != u], y[unit != u])[0] - found.slopes for u in range(24)])
    parts = [away[:12] - away[:12].mean(axis=0), away[12:] - away[12:].mean(axis=0)]
    np.testing.assert_allclose(found.hc3, sum(12 / 11 * p.T @ p for p in parts), rtol=1e-9)  # the stratified jackknife


def test_clusters_and_strata_enter_the_errors():
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(120), rng.normal(size=(120, 2))])
    unit = np.repeat(np.arange(24), 5)
    stratum = np.repeat([0, 1], 12)
    y = X @ [1.0, 0.5, -0.5] + rng.normal(size=24)[unit] + rng.normal(size=120)
    found = robust_slopes(X, y, np.ones(120), unit, stratum)
    assert found.design_df == 22
    assert (found.df <= 22).all()
    plain = robust_slopes(X, y, np.ones(120), unit)
    assert not np.allclose(found.cov, plain.cov, rtol=1e-3)
    E, P, y = drawn([5, -0.4, 0.5, 0, 0, 0], 300)
    clustered = csi.surface(panel_of(E, P, y, cluster=[str(i // 10) for i in range(300)]), replicates=100)
    assert (clustered.coefficients["df"] < 29).all()
    assert any(n.code == "W-SURFACE" and "few rows or clusters bear the squares" in n.text.en for n in clustered.notes)
    assert not any(n.code == "W-SURFACE" for n in csi.surface(panel_of(E, P, y), replicates=100).notes)


def test_weights_move_the_surface_as_weighted_least_squares():
    E, P, y = drawn([5, -0.2, 0.5, 0.05, 0, -0.05], 200, 9)
    weight = np.random.default_rng(1).uniform(0.5, 2, 200).round(3)
    found = csi.surface(panel_of(E, P, y, weight=weight), replicates=100)
    theirs = sm.WLS(y, terms(E - 5, P - 5), weights=weight / weight.mean()).fit()
    assert found.coefficients["estimate"].to_list() == pytest.approx(list(theirs.params), abs=1e-4)  # grid of weights


def test_slopes_of_resamples_are_regressions_of_repeated_rows():
    E, P, y = drawn([5, -0.2, 0.5, 0.05, 0, -0.05], 40, 9)
    X = terms(E - 5, P - 5)
    times = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), 3).astype(float)
    found = slopes_again(X, y, np.ones(40), times)
    for row, count in zip(found, times.astype(int), strict=True):
        again = np.repeat(np.arange(40), count)
        assert row == pytest.approx(np.linalg.lstsq(X[again], y[again], rcond=None)[0], abs=1e-8)


def test_average_slopes_split_the_total_into_direct_and_through_performance():
    E, P, y = drawn([5, -0.3, 0.6, 0, 0, 0], 4000, 11)
    found = csi.surface(panel_of(E, P, y), replicates=200)
    effect = {r["effect"]: r for r in found.paths.iter_rows(named=True)}
    for name, truth in {"expectation_to_performance": 0.4, "direct": -0.3, "through_performance": 0.24}.items():
        assert effect[name]["estimate"] == pytest.approx(truth, abs=0.06)
        assert effect[name]["conf_low"] < truth < effect[name]["conf_high"]
    total = effect["direct"]["estimate"] + effect["through_performance"]["estimate"]
    assert effect["total"]["estimate"] == pytest.approx(total, abs=1e-12)
    line = np.polyfit(E, y, 1)[0]
    assert effect["total"]["estimate"] == pytest.approx(
        line, abs=0.03
    )  # what is left out of the line is curvature only


def test_losses_that_loom_larger_are_found():
    rng = np.random.default_rng(5)
    E, P = (np.clip(np.round(5 + s * rng.normal(size=3000)), 1, 9) for s in (1.5, 2.0))
    y = 5 + 0.8 * np.minimum(P - E, 0) + 0.2 * np.maximum(P - E, 0) + 0.1 * (P - 5) + rng.normal(size=3000)
    found = csi.surface(panel_of(E, P, y, outcome=Scale("wide", -20, 20)), replicates=100)
    row = found.asymmetry.row(0, named=True)
    assert (row["b_short"], row["b_over"], row["b_perceived"]) == pytest.approx((0.8, 0.2, 0.1), abs=0.12)
    assert row["difference_low"] < 0.6 < row["difference_high"]
    assert "A point short counts for more than a point beyond" in said(found, "en")
    X = np.column_stack([np.ones(3000), np.maximum(P - E, 0), np.minimum(P - E, 0), P])
    theirs = sm.OLS(y, X).fit(cov_type="HC2", use_t=True).t_test([0, -1, 1, 0])
    df = robust_slopes(X, y, np.ones(3000), np.arange(3000)).df_of(np.array([[0.0, -1, 1, 0]]))[0]
    assert row["difference_p"] == pytest.approx(2 * t_law.sf(abs(theirs.tvalue.item()), df), rel=1e-6)


def test_controls_take_their_share():
    E, P, y = drawn([5, -0.4, 0.5, 0, 0, 0], 400, 12)
    control = np.clip(np.round(P), 1, 9)
    answers = panel_of(E, P, y + 0.5 * control, control_age=control, outcome=Scale("wide", -50, 50))
    found = csi.surface(answers, controls=["control_age"], replicates=100)
    row = found.coefficients.row(by_predicate=pl.col("term") == "control_age", named=True)
    assert row["estimate"] == pytest.approx(0.5, abs=0.25)
    assert found.claims["restrictions"].to_list() == [0, 3, 4, 4, 4]


def test_cells_have_surfaces_of_their_own_and_few_rows_are_said():
    E, P, y = drawn([5, -0.4, 0.5, 0, 0, 0], 100, 13)
    found = csi.surface(panel_of(E, P, y, brand=["A"] * 70 + ["B"] * 30), by=["brand"], replicates=100)
    assert found.table["brand"].unique(maintain_order=True).to_list() == ["A", "B"]
    assert "B: " in said(found, "en")
    assert any(n.code == "W-SURFACE" and "30 rows are few" in n.text.en for n in found.notes)
    assert {"N-SURFACE", "W-RETRO"} <= {n.code for n in found.notes}


def test_answers_without_spread_have_no_surface_but_say_so():
    found = csi.surface(panel_of(np.full(80, 5.0), np.arange(80) % 9 + 1.0, np.arange(80) % 7 + 1.0), replicates=100)
    assert found.table["estimate"].null_count() == 9
    assert "too few or too alike" in said(found, "en")
    assert "无法拟合曲面" in csi.display.text(found, "zh")


def test_pooled_centring_moves_the_origin_but_not_the_fit():
    E, P, y = drawn([5, -0.4, 0.5, 0.1, 0, 0], 300, 14)
    both = [csi.surface(panel_of(E, P, y), centre=c, replicates=100) for c in ("midpoint", "pooled")]
    assert both[1].centre[0] == pytest.approx((E.mean() + P.mean()) / 2)
    assert both[0].claims["r2"][0] == pytest.approx(both[1].claims["r2"][0])


@pytest.mark.parametrize(("lang", "word"), [("en", "stationary point"), ("zh", "驻点")])
def test_what_it_prints(lang, word):
    found = csi.surface(panel_of(*drawn([5, -0.4, 0.5, 0, 0, 0])), replicates=100)
    assert word in csi.display.text(found, lang)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"of": "pover"}, "E-SETTING", "power"),
        ({"outcome": "joy"}, "E-ROLE", '"joy" is no construct or item'),
        ({"controls": ["age"]}, "E-ROLE", '"age" is no item beside the pairs'),
        ({"centre": "mean"}, "E-SETTING", "midpoint"),
        ({"errors": "HC1"}, "E-SETTING", "robust"),
        ({"replicates": 5}, "E-SETTING", "too few"),
        ({"expected": "Ed"}, "E-FORM", "no item has form Ed"),
    ],
)
def test_refusals_name_what_is_wrong(arguments, code, words):
    with pytest.raises(Problems) as raised:
        csi.surface(panel_of(*drawn([5, -0.4, 0.5, 0, 0, 0], 40)), **arguments)
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert raised.value.problems[0].what.zh


def test_other_scales_are_refused():
    E, P, y = drawn([5, -0.4, 0.5, 0, 0, 0], 40)
    answers = panel_of(E, P, y)
    items = tuple(
        Item(i.name, i.construct, Scale("ten", 1, 10), i.label, i.attribute, i.form) if i.form == "Ew" else i
        for i in answers.codebook.items
    )
    with pytest.raises(Problems, match="differ in range") as raised:
        csi.surface(csi.Panel(answers.frame, Codebook(items, {}, {}), answers.reasons))
    assert raised.value.problems[0].code == "E-SCALE"


def test_without_an_outcome_there_is_no_surface():
    E, P, y = drawn([5, -0.4, 0.5, 0, 0, 0], 40)
    answers = panel_of(E, P, y)
    book = Codebook(answers.codebook.items[:2], {}, {})
    with pytest.raises(Problems) as raised:
        csi.surface(csi.Panel(answers.frame.drop("sat"), book, answers.reasons))
    assert raised.value.problems[0].code == "E-ROLE"


def test_reliability_of_the_difference_survives_missing_answers():
    rng = np.random.default_rng(3)
    nine, base = Scale("nine", 1, 9), rng.normal(size=200)
    items = [Item(f"{f}{i}", "a", nine, Text(f"q{i}", f"题{i}"), f"q{i}", f) for f in ("P", "Ew") for i in range(3)]
    items.append(Item("sat", "satisfaction", nine, Text("Satisfied", "满意")))
    columns = {i.name: np.clip(np.round(5 + base + rng.normal(size=200)), 1, 9) for i in items}
    frame = pl.DataFrame(columns).with_columns(P0=pl.when(pl.int_range(0, 200) < 2).then(None).otherwise(pl.col("P0")))
    answers = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.select(pl.all().cast(pl.String)))
    row = csi.surface(answers, of="a", replicates=100).reliability.row(0, named=True)
    whole = frame.drop_nulls()
    kept = csi.Panel(whole, answers.codebook, whole.select(pl.all().cast(pl.String)))
    assert row == csi.surface(kept, of="a", replicates=100).reliability.row(0, named=True)
    assert row["n"] == 198
    assert 0 < row["reliability"] < 1


def test_ties_by_rounding_lie_on_neither_side():
    P = np.full(30, 0.1 + 0.2)
    assert pieces(P, np.full(30, 0.3))[:, 1:3].tolist() == [[0.0, 0.0]] * 30


def test_attributes_without_a_partner_are_named():
    rng = np.random.default_rng(3)
    nine, base = Scale("nine", 1, 9), rng.normal(size=200)
    items = [Item(f"{f}{i}", "a", nine, Text(f"q{i}", f"题{i}"), f"q{i}", f) for f in ("P", "Ew") for i in range(3)]
    items = [i for i in items if i.name != "Ew2"] + [Item("sat", "satisfaction", nine, Text("Satisfied", "满意"))]
    frame = pl.DataFrame({i.name: np.clip(np.round(5 + base + rng.normal(size=200)), 1, 9) for i in items})
    answers = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.select(pl.all().cast(pl.String)))
    (told,) = [n for n in csi.surface(answers, replicates=100).notes if n.code == "W-FORM"]
    assert told.say("en") == "1 of 3 attributes lack one of the two forms and stay out: q2."
    assert "未纳入：q2" in told.say("zh")
