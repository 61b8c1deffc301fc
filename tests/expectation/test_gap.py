"""Gaps: hand cases, scipy and statsmodels as outside truth, designs, refusals, the verb."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats

import csi
from csi.cli import main
from csi.errors import Problems, Text
from csi.expectation.gap import gap, reliability_of_difference
from csi.expectation.signed_ranks import signed_ranks
from csi.inference.linearised import means
from csi.inference.sandwich import robust_slopes
from csi.survey.codebook import Codebook, Item, Scale

SEVEN = Scale("seven", 1, 7)
DIMENSIONS = {"speed": ("claims", "answer"), "advice": ("clear", "honest", "kind")}


def book(forms=("P", "Ew"), scales=None):
    items = [
        Item(f"{form}_{name}", dimension, (scales or {}).get(form, SEVEN), Text(name.title(), name), name, form)
        for form in forms
        for dimension, names in DIMENSIONS.items()
        for name in names
    ]
    items.append(Item("sat", "satisfaction", SEVEN, Text("Satisfaction", "满意")))
    return Codebook(tuple(items), {d: Text(d.title(), d) for d in DIMENSIONS}, {})


def panel(n=400, seed=1, keys=None, codebook=None):
    """Expectations near 5.5, perceptions near 5 but for `honest`; satisfaction follows perceptions alone."""
    rng = np.random.default_rng(seed)
    codebook = codebook or book()
    pair = rng.normal(size=(n, 2))
    pair[:, 1] = 0.5 * pair[:, 0] + np.sqrt(0.75) * pair[:, 1]
    columns = {}
    for item in codebook.items[:-1]:
        level = {"P": 5.0 if item.attribute != "honest" else 3.5}.get(item.form, 5.5)
        latent = pair[:, 0 if item.form == "P" else 1]
        columns[item.name] = np.clip(np.round(level + latent + 0.7 * rng.normal(size=n)), 1, 7)
    columns["sat"] = np.clip(np.round(4 + pair[:, 0] + 0.5 * rng.normal(size=n)), 1, 7)
    frame = pl.DataFrame({**(keys or {}), **columns})
    return csi.Panel(
        frame,
        codebook,
        pl.DataFrame({c: [None] * n for c in codebook.names}, schema=dict.fromkeys(codebook.names, pl.String)),
    )


def test_gaps_are_paired_t_tests_of_scipy():
    answers = panel()
    table = gap(answers).table
    assert table["name"].to_list() == ["claims", "answer", "clear", "honest", "kind", "speed", "advice", "overall"]
    for name in ("claims", "honest"):
        row = table.row(by_predicate=pl.col("name") == name, named=True)
        P, E = (answers.frame[f"{form}_{name}"].to_numpy() for form in ("P", "Ew"))
        theirs = stats.ttest_rel(P, E)
        assert row["gap"] == pytest.approx((P - E).mean(), abs=1e-12)
        assert row["statistic"] == pytest.approx(theirs.statistic, rel=1e-10)
        assert row["p_value"] == pytest.approx(theirs.pvalue, rel=1e-8)
        low, high = theirs.confidence_interval(0.95)
        assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high), abs=1e-10)
        assert row["dz"] == pytest.approx((P - E).mean() / (P - E).std(ddof=1), abs=1e-12)
        assert (row["short"], row["met"], row["exceeded"]) == pytest.approx(
            ((P < E).mean(), (P == E).mean(), (P > E).mean()), abs=1e-12
        )
        assert row["ceiling"] == pytest.approx((E == 7).mean(), abs=1e-12)


def test_dimensions_average_attributes_and_overall_averages_dimensions():
    answers = panel()
    table = gap(answers).table
    value = dict(zip(table["name"], table["gap"], strict=True))
    assert value["speed"] == pytest.approx((value["claims"] + value["answer"]) / 2, abs=1e-12)
    assert value["overall"] == pytest.approx((value["speed"] + value["advice"]) / 2, abs=1e-12)


def test_holm_is_over_the_attributes_of_a_cell():
    table = gap(panel(n=60)).table.filter(kind="attribute")
    assert table["p_adjusted"].to_list() == pytest.approx(csi.adjust(table["p_value"].to_numpy(), "holm").tolist())


def test_a_band_makes_small_gaps_met():
    plain, wide = (gap(panel(), band=b).table.filter(name="claims") for b in (0.0, 1.0))
    assert wide["met"].item() > plain["met"].item()
    assert sum(wide.select("short", "met", "exceeded").row(0)) == pytest.approx(1.0)


def test_reliability_of_a_difference_of_parallel_forms_is_one_half():
    assert reliability_of_difference(1, 1, 0.75, 0.75, 0.50) == pytest.approx(0.50)  # Edwards (2001), table 1
    found = gap(panel()).reliability
    assert found["name"].to_list() == ["speed", "advice", "overall"]
    assert found.filter(name="advice")["reliability"].is_between(0, 1).all()


def test_two_slopes_and_their_errors_are_those_of_statsmodels_hc2():
    answers = panel(n=150)
    row = gap(answers).constraint.row(by_predicate=pl.col("name") == "claims", named=True)
    f = answers.frame
    X = sm.add_constant(np.column_stack([f["Ew_claims"], f["P_claims"]]))
    fit = sm.OLS(f["sat"].to_numpy(), X).fit(cov_type="HC2", use_t=True)
    assert (row["b_expected"], row["b_perceived"]) == pytest.approx(tuple(fit.params[1:]), abs=1e-10)
    assert (row["std_error_expected"], row["std_error_perceived"]) == pytest.approx(tuple(fit.bse[1:]), abs=1e-10)
    df = robust_slopes(X, f["sat"].to_numpy(), np.ones(150), np.arange(150)).df_of(np.array([[0.0, 1.0, 1.0]]))[0]
    both = float(fit.t_test([0, 1, 1]).tvalue.item())
    assert row["p_difference"] == pytest.approx(2 * stats.t.sf(abs(both), df), rel=1e-6)
    assert row["r2"] == pytest.approx(fit.rsquared, abs=1e-10)
    assert row["r2_difference"] < row["r2"]


def test_answers_that_meet_expectation_exactly_leave_no_gap_of_rounding():
    rng = np.random.default_rng(7)
    items, columns = [], {}
    perceived = rng.integers(2, 7, (200, 9)).astype(float)
    expected = rng.permuted(perceived, axis=1)  # the same mean in another order of summing
    for j in range(9):
        for form, x in (("P", perceived), ("Ew", expected)):
            items.append(Item(f"{form}{j}", f"d{j // 3}", SEVEN, Text(f"q{j}", f"题{j}"), f"q{j}", form))
            columns[f"{form}{j}"] = x[:, j]
    frame = pl.DataFrame(columns)
    panel_ = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.select(pl.all().cast(pl.String)))
    found = csi.gap(panel_)
    row = found.table.filter(kind="overall").row(0, named=True)
    assert (row["gap"], row["std_error"], row["p_value"], row["met"]) == (0.0, 0.0, None, 1.0)
    assert found.sentences[0].en.startswith("The overall gap is 0.00, untested")
    assert found.sentences[0].zh.startswith("总体差距为 0.00，未作检验")
    kept = csi.promise(panel_).table.filter(kind="overall").row(0, named=True)
    assert (kept["broken"], kept["kept"], kept["exceeded"]) == (0.0, 1.0, 0.0)


def test_means_follow_weights_clusters_and_strata_by_hand():
    x = np.array([[1.0], [3.0], [2.0], [6.0], [4.0], [8.0]])
    w = np.array([1.0, 1.0, 2.0, 2.0, 1.0, 1.0])
    unit, stratum = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 0, 1, 1])
    found = means(x, w, unit, stratum)
    mean = (1 + 3 + 4 + 12 + 4 + 8) / 8
    z = [(1 - mean + 3 - mean) / 8, 2 * (2 - mean) / 8, 2 * (6 - mean) / 8, (4 - mean + 8 - mean) / 8]
    variance = 2 * sum((v - (z[0] + z[1]) / 2) ** 2 for v in z[:2]) + 2 * sum(
        (v - (z[2] + z[3]) / 2) ** 2 for v in z[2:]
    )
    assert found.mean[0] == pytest.approx(mean)
    assert found.std_error[0] == pytest.approx(np.sqrt(variance))
    assert found.df[0] == 2


def test_absent_answers_leave_the_pair_alone():
    answers = panel()
    frame = answers.frame.with_columns(P_claims=pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise("P_claims"))
    table = gap(csi.Panel(frame, answers.codebook, answers.reasons)).table
    assert table.filter(name="claims")["n"].item() == 350
    assert table.filter(name="speed")["n"].item() == 400  # the other attribute is half of the dimension
    assert table.filter(name="advice")["n"].item() == 400


def test_cells_have_their_own_rows_and_names():
    brand = ["A"] * 200 + ["B"] * 200
    found = gap(panel(keys={"brand": brand}), by=["brand"])
    assert found.table["brand"].unique(maintain_order=True).to_list() == ["A", "B"]
    assert found.sentences[0].en.startswith("A: ")
    assert found.table.filter(brand="A", name="claims")["n"].item() == 200


def test_a_panel_without_keys_keeps_the_bounds_of_its_scales():
    answers = panel(n=30)
    est = csi.fit("a =~ P_claims + P_answer; b =~ sat; b ~ a", answers, csi.PLS())
    assert est.sample.maximum.tolist() == [7, 7, 7]


def test_what_it_says():
    found = gap(panel())
    assert "falls short of expectation" in found.sentences[0].en
    assert "Honest falls shortest" in found.sentences[0].en
    assert {n.code for n in found.notes} >= {"N-GAP", "W-RETRO"}
    for lang, word in (("en", "reliability of the gap"), ("zh", "差距信度")):
        assert word in csi.display.text(found, lang)


def test_expectations_at_the_top_of_the_scale_are_a_doubt():
    answers = panel(n=60)
    frame = answers.frame.with_columns(Ew_claims=pl.when(pl.int_range(pl.len()) < 40).then(7.0).otherwise("Ew_claims"))
    found = gap(csi.Panel(frame, answers.codebook, answers.reasons))
    (doubt,) = [n for n in found.notes if n.code == "W-CEILING"]
    assert "Claims" in doubt.text.en
    assert "量表顶端" in doubt.text.zh
    assert not any(n.code == "W-CEILING" for n in gap(panel(n=60)).notes)


@pytest.mark.slow
def test_coverage_of_the_overall_gap():
    """The interval of a gap covers it: 400 panels of 60, true gap from a large one."""
    truth = gap(panel(n=200_000, seed=99)).table.filter(kind="overall")["gap"].item()
    hits = 0
    for seed in range(400):
        row = gap(panel(n=60, seed=seed)).table.filter(kind="overall")
        hits += row["conf_low"].item() <= truth <= row["conf_high"].item()
    assert 0.92 <= hits / 400 <= 0.975


@pytest.mark.parametrize(
    ("codebook", "arguments", "code", "words"),
    [
        (book(("P",)), {}, "E-FORM", "no attribute is asked as P, Ew: no item has form Ew"),
        (book(scales={"Ew": Scale("ten", 1, 10)}), {}, "E-SCALE", "claims differ in range: P 1-7, Ew 1-10"),
        (book(), {"attributes": ["clams"]}, "E-FORM", 'no item asks about "clams"'),
        (book(), {"expected": "Ex"}, "E-SETTING", "forms are P, Ew"),
        (book(), {"expected": "P"}, "E-SETTING", "each once"),
        (book(), {"outcome": "joy"}, "E-ROLE", '"joy" is no construct or item'),
        (book(), {"level": 95}, "E-SETTING", "not between 0 and 1"),
        (book(), {"band": -1.0}, "E-SETTING", "negative"),
    ],
)
def test_refusals_name_what_is_wrong(codebook, arguments, code, words):
    with pytest.raises(Problems) as raised:
        gap(panel(n=30, codebook=codebook), **arguments)
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)


def test_two_items_of_one_attribute_and_form_are_refused():
    codebook = book()
    twin = Item("again", "speed", SEVEN, Text("Again", "再次"), "claims", "P")
    with pytest.raises(Problems, match="several items ask about claims as P"):
        gap(panel(n=30, codebook=Codebook((twin, *codebook.items), codebook.constructs, {})))


def test_attributes_without_a_partner_stay_out_and_are_named():
    codebook = book()
    lone = Item("P_new", "speed", SEVEN, Text("New", "新"), "new", "P")
    found = gap(panel(n=30, codebook=Codebook((lone, *codebook.items), codebook.constructs, {})))
    assert "new" not in found.table["name"].to_list()
    assert any(n.code == "W-FORM" and "1 of 6 attributes" in n.text.en for n in found.notes)


STUDY = """csi: 1
study: cover
language: en
data: [{file: answers.csv}]
codebook: codebook.yaml
keys: {respondent: id}
model:
  text: |
    speed =~ P_claims + P_answer
    satisfaction =~ sat
    satisfaction ~ speed
index: {target: satisfaction}
"""


def write_study(folder):
    answers = panel()
    rows = answers.frame.with_row_index("id")
    rows.write_csv(folder / "answers.csv")
    lines = ["scales:", "  seven: {min: 1, max: 7}", "constructs:"]
    lines += [f"  {d}: {{en: {d.title()}, zh: {d}}}" for d in (*DIMENSIONS, "satisfaction")]
    lines += ["items:"]
    lines += [
        f"  - {{name: {i.name}, construct: {i.construct}, attribute: {i.attribute or i.name}, form: {i.form}, "
        f"scale: seven, zh: {i.label.zh}, en: {i.label.en}}}"
        for i in answers.codebook.items
    ]
    (folder / "codebook.yaml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return folder / "study.yaml"


@pytest.mark.parametrize(("lang", "word"), [("en", "Perceived minus expected"), ("zh", "感知减期望")])
def test_the_verb_prints_gaps_of_a_study(tmp_path, capsys, lang, word):
    study = write_study(tmp_path)
    assert main(["expectation", str(study), "--model", "gap", "--lang", lang]) == 0
    out = capsys.readouterr().out
    assert word in out
    assert "Claims" in out if lang == "en" else "claims" in out


def test_the_verb_says_which_form_is_not_there(tmp_path, capsys):
    study = write_study(tmp_path)
    assert main(["expectation", str(study), "--model", "gap", "--expected", "Ei", "--lang", "en"]) != 0
    assert "needs an attribute asked as P + Ei" in capsys.readouterr().err


def counted(d):
    """Two-sided p of the sum of positive ranks, every sign as likely: all sums counted, ties and all."""
    ranks = (2 * stats.rankdata(np.abs(d))).astype(int)
    ways = np.ones(1)
    for r in ranks:
        ways = (np.r_[ways, np.zeros(r)] + np.r_[np.zeros(r), ways]) / 2
    at = ranks[d > 0].sum()
    return min(1.0, 2 * min(ways[: at + 1].sum(), ways[at:].sum()))


@pytest.mark.parametrize(("n", "theirs"), [(400, "asymptotic"), (44, "counted")])
def test_signed_ranks_are_those_of_scipy(n, theirs):
    answers = panel(n=n)
    found = gap(answers)
    assert not found.reasons
    for name in ("claims", "honest"):
        row = found.table.row(by_predicate=pl.col("name") == name, named=True)
        d = (answers.frame[f"P_{name}"] - answers.frame[f"Ew_{name}"]).to_numpy()
        plus = stats.wilcoxon(d, zero_method="wilcox", alternative="greater", method="asymptotic").statistic
        assert row["signed_rank"] == pytest.approx(plus)
        left = d[d != 0]
        if theirs == "asymptotic":
            p = stats.wilcoxon(d, zero_method="wilcox", correction=False, method="asymptotic").pvalue
            assert row["p_signed_rank"] == pytest.approx(p, rel=1e-9)
        else:
            assert row["p_signed_rank"] == pytest.approx(counted(left), rel=1e-12)
        assert row["rank_biserial"] == pytest.approx(2 * plus / (left.size * (left.size + 1) / 2) - 1)
    attributes = found.table.filter(kind="attribute")
    holm = csi.adjust(attributes["p_signed_rank"].to_numpy(), "holm")
    assert attributes["p_signed_rank_adjusted"].to_list() == pytest.approx(holm.tolist())
    assert "p ranks (Holm)" in csi.display.text(found, "en")


def test_signed_ranks_without_ties_are_exact():
    rng = np.random.default_rng(3)
    d = rng.normal(0.3, 1, size=(30, 2))
    frame, why = signed_ranks(d, np.full(30, 2.5), np.arange(30))
    exact = [stats.wilcoxon(x, method="exact").pvalue for x in d.T]
    assert frame["p_signed_rank"].to_list() == pytest.approx(exact, rel=1e-12)
    assert not why
    tied = np.array([-3.0, -2, -2, -1, 0, 1, 2, -4, -4])
    every = stats.wilcoxon(tied[tied != 0], method=stats.PermutationMethod(n_resamples=np.inf)).pvalue
    one = signed_ranks(tied[:, None], np.ones(9), np.arange(9))[0]
    assert one["p_signed_rank"].item() == pytest.approx(every, rel=1e-12)


@pytest.mark.parametrize("what", ["weight", "unit"])
def test_ranks_know_no_weights_and_no_clusters(what):
    keys = {"weight": np.linspace(0.5, 2, 60)} if what == "weight" else {"respondent": np.repeat(np.arange(30), 2)}
    if what == "unit":
        keys["wave"] = np.tile(["w1", "w2"], 30)
    found = gap(panel(n=60, keys=keys))
    assert found.table["p_signed_rank"].null_count() == found.table.height
    (why,) = found.reasons.values()
    assert why.code == "R-SIGNED-RANK"
    assert why.text.en in csi.display.text(found, "en")
    assert why.text.zh in csi.display.text(found, "zh")
    assert "p ranks" not in csi.display.text(found, "en")


def test_answers_that_never_differ_have_no_signed_ranks():
    frame, (why,) = signed_ranks(np.zeros((8, 1)), np.ones(8), np.arange(8))
    assert frame.row(0) == (None, None, None)
    assert why.code == "R-NO-DIFFERENCE"
    assert why.text.zh


def test_the_note_on_recall_tells_how_closely_the_two_go_together():
    found = gap(panel())
    r = found.reliability.filter(kind="overall")["correlation"].item()
    (said,) = [n.text for n in found.notes if n.code == "W-RETRO"]
    assert f"they correlate {r:.2f} overall" in said.en
    assert f"总体相关 {r:.2f}" in said.zh
