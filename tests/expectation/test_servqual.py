"""SERVQUAL: the hand case (G12), the 411 x 22 perceptions (G6), weights, what is compared, factor models, refusals."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.stats import f as f_law

import csi
from csi.errors import Problems, Text
from csi.expectation.servqual import FIVE
from csi.expectation.servqual_structure import omega
from csi.expectation.servqual_weights import Points, weighted
from csi.inference.sandwich import robust_slopes
from csi.survey.codebook import Codebook, Item, Scale

SQ = json.loads((Path(__file__).parents[1] / "reference/servqual/sq.json").read_text(encoding="utf-8"))
SEVEN, HUNDRED = Scale("seven", 1, 7), Scale("hundred", 0, 100)
COUNTS = dict(zip(FIVE, (4, 5, 4, 4, 5), strict=True))
GAPS = dict(zip(FIVE, (-0.4, -1.1, -0.5, -0.4, -0.4), strict=True))
WEIGHTS = dict(zip(FIVE, (10, 32, 22, 19, 17), strict=True))


def said(found, lang):
    return " ".join(t.say(lang) for t in found.sentences)


def book(forms=("P", "Ew"), counts=None, *, points=False, scale=SEVEN):
    items = [
        Item(f"{form}_{d[:3]}{i}", d, scale, Text(f"{d} {i}", f"{d}{i}"), f"{d[:3]}{i}", form)
        for form in forms
        for d, count in (counts or COUNTS).items()
        for i in range(count)
    ]
    if points:
        items += [Item(f"points_{d}", "points", HUNDRED, Text(d, d), d, "I") for d in counts or COUNTS]
    items.append(Item("sat", "satisfaction", scale, Text("Satisfaction", "满意")))
    return Codebook(tuple(items), {d: Text(d.title(), d) for d in counts or COUNTS}, {})


def panel_of(codebook, columns, **keys):
    frame = pl.DataFrame({**keys, **{n: columns[n] for n in codebook.names}})
    frame = frame.with_columns(pl.col(codebook.names).cast(pl.Float64).fill_nan(None))
    reasons = pl.DataFrame(
        {n: [None] * frame.height for n in codebook.names}, schema=dict.fromkeys(codebook.names, pl.String)
    )
    return csi.Panel(frame, codebook, reasons)


def drawn(n=300, seed=1, counts=None, *, points=False, codebook=None, gap_only=False):
    """Answers whose dimensions correlate .6; the outcome follows perceptions alone unless `gap_only`."""
    rng = np.random.default_rng(seed)
    codebook = codebook or book(counts=counts, points=points)
    names = list(counts or COUNTS)
    R = np.full((len(names), len(names)), 0.6) + 0.4 * np.eye(len(names))
    P, E = (rng.multivariate_normal(np.zeros(len(names)), R, n) for _ in range(2))
    E = 0.3 * P + 0.95 * E
    columns = {}
    for item in codebook.items:
        if item.construct not in names:
            continue
        of, at = (P, 4.6) if item.form == "P" else (E, 5.2)
        columns[item.name] = at + 0.8 * of[:, names.index(item.construct)] + 0.7 * rng.normal(size=n)
    for d in names if points else ():
        columns[f"points_{d}"] = rng.integers(5, 40, n).astype(float)
    both = P.sum(axis=1) - (E.sum(axis=1) if gap_only else 0)
    columns["sat"] = 4 + 0.2 * both + 0.6 * rng.normal(size=n)
    return panel_of(codebook, columns)


def line(frame, **where):
    return frame.filter(**where).row(0, named=True)


def test_the_hand_case_weighted_and_unweighted():
    columns = {}
    for d, gap in GAPS.items():
        for i in range(COUNTS[d]):
            columns |= {f"Ew_{d[:3]}{i}": [6.0] * 3, f"P_{d[:3]}{i}": [6 + gap - 0.2, 6 + gap, 6 + gap + 0.2]}
    columns["sat"] = [4.0, 5.0, 6.0]
    found = csi.servqual(panel_of(book(), columns), weights=WEIGHTS, structure=False, outcome="", small=0).table
    assert line(found, name="overall")["score"] == pytest.approx(-0.560, abs=1e-12)
    assert line(found, name="weighted")["score"] == pytest.approx(-0.646, abs=1e-12)
    assert [line(found, name=d)["score"] for d in FIVE] == pytest.approx(list(GAPS.values()))
    assert [line(found, name=d)["weight"] for d in FIVE] == pytest.approx([0.10, 0.32, 0.22, 0.19, 0.17])


def rows_of_moments():
    """411 rows with exactly the means and covariances of the SQ data."""
    rng = np.random.default_rng(7)
    Z = rng.normal(size=(SQ["n"], 23))
    Z = Z - Z.mean(axis=0)
    Z = Z @ np.linalg.inv(np.linalg.cholesky(np.cov(Z.T)).T)
    return np.array(SQ["mean"]) + Z @ np.linalg.cholesky(np.array(SQ["cov"])).T


def of_sq(rows):
    codebook = book(("P",), scale=Scale("hundred", -400, 500))
    return panel_of(codebook, dict(zip(codebook.names, rows.T, strict=True)))


def test_the_411_perceptions_from_their_moments():
    found = csi.servqual(of_sq(rows_of_moments()), replicates=100)
    assert found.form == ""
    for d in FIVE:
        assert line(found.table, name=d)["perceived"] == pytest.approx(SQ["dimension_mean"][d], abs=1e-8)
        own = line(found.reliability, dimension=d, form="P")
        assert own["alpha"] == pytest.approx(SQ["alpha"][d], abs=1e-8)
        assert own["omega"] == pytest.approx(SQ["omega"][d], abs=1e-5)
    assert line(found.reliability, dimension="overall")["alpha"] == pytest.approx(SQ["alpha"]["overall"], abs=1e-8)
    assert line(found.predictive, model="perceived")["r2"] == pytest.approx(SQ["r2"], abs=1e-8)
    for pair in found.htmt.iter_rows(named=True):
        assert pair["htmt"] == pytest.approx(SQ["htmt"][f"{pair['dimension']} {pair['other']}"], abs=1e-8)
    for model, wanted in SQ["fits"].items():
        row = line(found.structure, model=model, form="P")
        assert row["df"] == wanted["df"]
        assert row["srmr"] == pytest.approx(wanted["srmr"], abs=1e-5)
        assert row["bic"] == pytest.approx(wanted["bic"], rel=1e-6)
        assert row["reason"] == ("improper_factors" if model == "second" else None)  # lavaan warns there, too
    published = [77.421, 81.450, 78.394, 81.995, 74.277], [0.8162, 0.8737, 0.8533, 0.9195, 0.9050]
    assert [SQ["dimension_mean"][d] for d in FIVE] == pytest.approx(published[0], abs=5e-4)
    assert [SQ["alpha"][d] for d in FIVE] == pytest.approx(published[1], abs=5e-5)
    assert any(n.code == "N-SERVPERF" for n in found.notes)
    assert "Hardly apart" in said(found, "en")
    assert "Responsiveness and Assurance 0.95" in said(found, "en")


def test_the_411_perceptions_from_their_rows():
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder or not Path(folder, "data/csem/SQ.csv").exists():
        pytest.skip("the rows of the SQ data are not here (CSI_REFERENCE_DIR)")
    rows = pl.read_csv(Path(folder, "data/csem/SQ.csv")).to_numpy().astype(float)
    found = csi.servqual(of_sq(rows), replicates=100).structure
    for model, wanted in SQ["fits"].items():
        row = line(found, model=model)
        assert row["chi2"] == pytest.approx(wanted["chisq.scaled"], rel=1e-5)
        for ours, theirs in (("cfi", "cfi.robust"), ("tli", "tli.robust"), ("rmsea", "rmsea.robust")):
            assert row[ours] == pytest.approx(wanted[theirs], abs=1e-5)
    for model, (chi2, df, p) in SQ["difference"].items():
        row = line(found, model=model)
        assert (row["chi2_diff"], row["df_diff"]) == pytest.approx((chi2, df), rel=1e-4)
        assert row["p_diff"] == pytest.approx(p, rel=1e-2)


def test_each_respondents_points_weight_their_own_gaps():
    answers = drawn(points=True)
    f = answers.frame
    g = np.column_stack(
        [
            np.mean([f[f"P_{d[:3]}{i}"] - f[f"Ew_{d[:3]}{i}"] for i in range(COUNTS[d])], axis=0)
            for d in FIVE
        ]
    )  # fmt: skip
    w = np.column_stack([f[f"points_{d}"] for d in FIVE])
    u = (w * g).sum(axis=1) / w.sum(axis=1)
    found = csi.servqual(answers, structure=False)
    row = line(found.table, name="weighted")
    assert row["score"] == pytest.approx(u.mean())
    assert row["std_error"] == pytest.approx(u.std(ddof=1) / np.sqrt(len(u)))
    assert row["sd"] == pytest.approx(u.std(ddof=1))
    assert found.points == "respondents"
    assert any(n.code == "W-POINTS" and "do not sum to 100" in n.text.en for n in found.notes)


def test_missing_points_take_the_others_mean_and_their_error_is_that_of_the_jackknife():
    answers = drawn(120, 3, points=True)
    gone = pl.int_range(pl.len()) % 3 == 0
    frame = answers.frame.with_columns(
        pl.when(gone).then(None).otherwise(pl.col(f"points_{d}")).alias(f"points_{d}") for d in FIVE
    )
    answers = csi.Panel(frame, answers.codebook, answers.reasons)
    row = line(csi.servqual(answers, structure=False).table, name="weighted")
    g = np.column_stack(
        [np.mean([frame[f"P_{d[:3]}{i}"] - frame[f"Ew_{d[:3]}{i}"] for i in range(COUNTS[d])], axis=0) for d in FIVE]
    )
    w = np.column_stack([frame[f"points_{d}"].to_numpy() for d in FIVE])

    def score(rows):
        own = w[rows] / w[rows].sum(axis=1, keepdims=True)
        have = np.isfinite(own).all(axis=1)
        return (np.where(have[:, None], own, own[have].mean(axis=0)) * g[rows]).sum(axis=1).mean()

    every = np.arange(120)
    without = np.array([score(np.delete(every, i)) for i in every])
    jackknife = np.sqrt(119 / 120 * ((without - without.mean()) ** 2).sum())
    assert row["n"] == 120
    assert row["score"] == pytest.approx(score(every))
    assert row["std_error"] == pytest.approx(jackknife, rel=5e-3)


def test_given_points_that_do_not_sum_to_100_are_normalised_and_told():
    found = csi.servqual(drawn(), weights={d: 2 * v for d, v in WEIGHTS.items()}, structure=False)
    plain = csi.servqual(drawn(), weights=WEIGHTS, structure=False)
    assert line(found.table, name="weighted")["score"] == pytest.approx(line(plain.table, name="weighted")["score"])
    assert any(n.code == "W-POINTS" and "sum to 200, not 100" in n.text.en for n in found.notes)
    assert not any(n.code == "W-POINTS" for n in plain.notes)


def test_without_points_there_is_no_weighted_row():
    found = csi.servqual(drawn(), structure=False)
    assert found.table["name"].to_list() == [*FIVE, "overall"]
    assert any("unweighted" in n.text.en and "未加权" in n.text.zh for n in found.notes)


def test_gaps_agree_with_those_of_gap():
    answers = drawn()
    ours, theirs = csi.servqual(answers, structure=False).table, csi.gap(answers).table
    for d in (*FIVE, "overall"):
        one, other = line(ours, name=d), line(theirs, name=d)
        assert (one["score"], one["std_error"], one["p_value"]) == pytest.approx(
            (other["gap"], other["std_error"], other["p_value"])
        )


def test_what_explains_the_outcome_is_tested_as_statsmodels_does():
    answers = drawn(500, 5)
    found = csi.servqual(answers, structure=False)
    rows = {r["model"]: r for r in found.predictive.iter_rows(named=True)}
    f = answers.frame
    P, E = (
        np.column_stack([np.mean([f[f"{form}_{d[:3]}{i}"] for i in range(COUNTS[d])], axis=0) for d in FIVE])
        for form in ("P", "Ew")
    )
    fit = sm.OLS(f["sat"].to_numpy(), sm.add_constant(np.column_stack([P, E]))).fit(cov_type="HC2", use_t=True)
    own = robust_slopes(fit.model.exog, f["sat"].to_numpy(), np.ones(500), np.arange(500))
    none, one = np.zeros((5, 1)), np.eye(5)
    for model, claim in (("perceived", np.hstack([none, 0 * one, one])), ("gap", np.hstack([none, one, one]))):
        theirs = fit.f_test(claim)
        q, df = len(claim), own.joint_df(claim)
        scaled = float(theirs.fvalue) * (df - q + 1) / df  # Hotelling's form of the same Wald statistic
        assert rows[model]["f"] == pytest.approx(scaled, rel=1e-8)
        assert rows[model]["p_value"] == pytest.approx(float(f_law.sf(scaled, q, df - q + 1)), rel=1e-5, abs=1e-12)
    assert rows["both"]["r2"] == pytest.approx(fit.rsquared)
    assert rows["perceived"]["r2"] <= rows["both"]["r2"]
    assert "expectations add nothing that shows" in said(found, "en")
    assert "期望未见额外解释力" in said(found, "zh")
    gaps = csi.servqual(drawn(500, 5, gap_only=True), structure=False)
    assert "the difference loses nothing that shows" in said(gaps, "en")


def test_factor_models_of_perceptions_and_gaps_find_the_planted_five():
    found = csi.servqual(drawn(400, 6), replicates=100)
    assert found.structure["form"].to_list() == ["P"] * 3 + ["G"] * 3
    five, second, one = found.structure.filter(form="P").iter_rows(named=True)
    assert five["cfi"] > 0.97
    assert (five["df"], second["df"], one["df"]) == (199, 204, 209)
    assert second["p_diff"] > 0.01  # equal correlations: one second-order factor
    assert one["p_diff"] < 1e-6
    assert five["bic"] < one["bic"]
    pair = line(found.htmt, form="P", dimension="responsiveness", other="assurance")
    assert pair["htmt"] == pytest.approx(0.6, abs=0.12)
    assert pair["htmt"] < pair["upper"]
    assert "The dimensions are apart" in said(found, "en")


def test_omega_of_equal_loadings_is_alpha():
    S = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    assert omega(S, 300) == pytest.approx(4 * 0.5 / (1 + 3 * 0.5), abs=1e-6)


def test_few_items_have_no_factor_models_but_everything_else():
    counts = {"speed": 2, "care": 1}
    found = csi.servqual(drawn(100, 2, counts, codebook=book(counts=counts)))
    assert not found.structure.height
    assert found.reliability.filter(dimension="care")["alpha"].null_count() == 3
    assert found.dimensions == ("speed", "care")


def test_the_questionnaires_shape_is_checked():
    fewer = COUNTS | {"empathy": 3}
    found = csi.servqual(drawn(60, 2, fewer, codebook=book(counts=fewer)), structure=False)
    assert any(n.code == "W-SERVQUAL" and "empathy 3" in n.text.en for n in found.notes)
    assert not any(n.code == "W-SERVQUAL" for n in csi.servqual(drawn(60), structure=False).notes)


def test_expectations_may_be_left_out_and_perceptions_stand_alone():
    found = csi.servqual(drawn(), "", structure=False)
    assert found.table["p_value"].null_count() == found.table.height
    assert line(found.table, name="overall")["score"] == line(found.table, name="overall")["perceived"]
    assert found.predictive["model"].to_list() == ["perceived"]
    assert "perceived quality" in said(found, "en")


def test_cells_weights_and_clusters():
    answers = drawn(200, 4, points=True)
    more = {"brand": ["A"] * 80 + ["B"] * 120, "cluster": [str(i // 4) for i in range(200)]}
    keyed = csi.Panel(
        answers.frame.with_columns(**{k: pl.Series(v) for k, v in more.items()}), answers.codebook, answers.reasons
    )
    found = csi.servqual(keyed, by=["brand"], structure=False)
    assert line(found.table, brand="A", name="weighted")["df"] == 19
    assert "B: " in said(found, "en")
    assert found.predictive["brand"].to_list() == ["A"] * 3 + ["B"] * 3


def test_points_that_nobody_gave_leave_the_weighted_score_absent():
    g = np.zeros((4, 2))
    found = weighted(g, g, g, Points("respondents", ("a", "b")), np.full((4, 2), np.nan), np.ones(4))
    assert found.n == 0
    assert np.isnan(found.score).all()


@pytest.mark.parametrize(("lang", "word"), [("en", "one factor"), ("zh", "单因子")])
def test_what_it_prints(lang, word):
    assert word in csi.display.text(csi.servqual(drawn(150), replicates=100), lang)


@pytest.mark.parametrize(
    ("codebook", "arguments", "code", "words"),
    [
        (book(counts={d: n for d, n in COUNTS.items() if d != "empathy"}), {}, "E-ROLE", 'dimension "empathy"'),
        (book(("P",), {"speed": 2, "care": 2}), {}, "E-ROLE", "which constructs are dimensions"),
        (book(), {"expected": "Ei"}, "E-FORM", "no item has form Ei"),
        (book(), {"dimensions": ["tangibles", "speed"]}, "E-ROLE", 'dimension "speed"'),
        (book(), {"weights": {"tangibles": 100}}, "E-POINTS", "weights are of tangibles"),
        (book(), {"weights": dict.fromkeys(FIVE, 0)}, "E-POINTS", "sum to 0"),
        (book(), {"outcome": "joy"}, "E-ROLE", '"joy" is no construct'),
        (book(), {"level": 2}, "E-SETTING", "between 0 and 1"),
    ],
)
def test_refusals_name_what_is_wrong(codebook, arguments, code, words):
    counts = {d: sum(i.construct == d and i.form == "P" for i in codebook.items) for d in codebook.constructs}
    with pytest.raises(Problems) as raised:
        csi.servqual(drawn(30, counts=counts, codebook=codebook), **arguments)
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert raised.value.problems[0].what.zh


def test_points_for_some_dimensions_only_are_refused():
    codebook = book(points=True)
    less = Codebook(tuple(i for i in codebook.items if i.name != "points_empathy"), codebook.constructs, {})
    with pytest.raises(Problems, match="but not for empathy") as raised:
        csi.servqual(drawn(30, codebook=less, points=True))
    assert raised.value.problems[0].code == "E-POINTS"


def test_forms_on_other_scales_are_refused():
    codebook = book()
    ten = Scale("ten", 1, 10)
    items = tuple(
        Item(i.name, i.construct, ten, i.label, i.attribute, i.form) if i.form == "Ew" else i for i in codebook.items
    )
    with pytest.raises(Problems, match="differ in range"):
        csi.servqual(drawn(30, codebook=Codebook(items, codebook.constructs, {})))
