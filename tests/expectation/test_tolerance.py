"""Zone of tolerance and promises: hand cases, outside formulas, slopes, what is inconsistent, designs, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

import csi
from csi.errors import Problems, Text
from csi.inference.sandwich import robust_slopes
from csi.inference.shares import shares, wilson
from csi.survey.codebook import Codebook, Item, Scale

NINE = Scale("nine", 1, 9)
DIMENSIONS = {"speed": ("claims", "answer"), "advice": ("clear",)}


def said(found, lang):
    return " ".join(t.say(lang) for t in found.sentences)


def panel_of(columns, forms=("P", "Ea", "Ed"), scale=None, **keys):
    """A panel of attributes in several forms; `columns` maps FORM_attribute to answers, sat to the outcome."""
    items = [
        Item(f"{form}_{name}", dimension, (scale or {}).get(form, NINE), Text(name.title(), name), name, form)
        for form in forms
        for dimension, names in DIMENSIONS.items()
        for name in names
        if f"{form}_{name}" in columns
    ]
    if "sat" in columns:
        items.append(Item("sat", "satisfaction", Scale("wide", -99, 99), Text("Satisfaction", "满意")))
    names = [i.name for i in items]
    frame = pl.DataFrame({**keys, **{n: columns[n] for n in names}}).with_columns(pl.col(names).cast(pl.Float64))
    reasons = pl.DataFrame({n: [None] * frame.height for n in names}, schema=dict.fromkeys(names, pl.String))
    return csi.Panel(frame, Codebook(tuple(items), {d: Text(d.title(), d) for d in DIMENSIONS}, {}), reasons)


def answers(n=500, seed=1, wrong=0.0):
    """Adequate near 4, desired near 7, perceived near 5 (claims near 3); the outcome rises fast only below Ea."""
    rng = np.random.default_rng(seed)
    columns, sat = {}, rng.normal(size=n)
    for name in ("claims", "answer", "clear"):
        A = np.clip(np.round(4 + rng.normal(size=n)), 1, 6)
        D = np.clip(A + rng.integers(1, 4, n), 2, 9)
        P = np.clip(np.round((3.0 if name == "claims" else 5) + 1.8 * rng.normal(size=n)), 1, 9)
        turned = rng.random(n) < wrong
        columns |= {f"Ea_{name}": np.where(turned, D, A), f"Ed_{name}": np.where(turned, A, D), f"P_{name}": P}
        sat = sat + 1.0 * np.minimum(P - A, 0) + 0.1 * np.clip(P - A, 0, D - A) + 0.5 * np.maximum(P - D, 0)
    return columns | {"sat": sat}


def row(frame, name, **more):
    return frame.filter(name=name, **more).row(0, named=True)


def test_gaps_are_paired_t_tests_of_scipy_and_holm_is_over_both():
    columns = answers()
    table = csi.tolerance(panel_of(columns)).table
    for name in ("claims", "clear"):
        P, A, D = (columns[f"{f}_{name}"] for f in ("P", "Ea", "Ed"))
        found = row(table, name, kind="attribute")
        for gap, end in (("msa", A), ("mss", D)):
            theirs = stats.ttest_rel(P, end)
            assert found[gap] == pytest.approx((P - end).mean())
            assert found[f"{gap}_p"] == pytest.approx(theirs.pvalue, rel=1e-6)
            assert (found[f"{gap}_low"], found[f"{gap}_high"]) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
        assert found["width"] == pytest.approx((D - A).mean())
        assert (found["below"], found["above"]) == pytest.approx(((P < A).mean(), (P > D).mean()))
        assert found["below"] + found["within"] + found["above"] == pytest.approx(1)
    own = table.filter(kind="attribute")
    both = np.concatenate([own["msa_p"], own["mss_p"]])
    assert np.concatenate([own["msa_p_adjusted"], own["mss_p_adjusted"]]) == pytest.approx(csi.adjust(both, "holm"))


def test_position_is_a_ratio_of_means_with_the_delta_error():
    columns = answers()
    found = row(csi.tolerance(panel_of(columns)).table, "clear")
    P, A, D = (columns[f"{f}_clear"] for f in ("P", "Ea", "Ed"))
    msa, width = P - A, D - A
    S = np.cov(msa, width) / len(P)
    ratio = msa.mean() / width.mean()
    error = np.sqrt(S[0, 0] - 2 * ratio * S[0, 1] + ratio**2 * S[1, 1]) / width.mean()
    assert (found["position"], found["position_std_error"]) == pytest.approx((ratio, error), rel=1e-9)


def test_shares_have_wilson_intervals():
    low, high = wilson(np.array(0.13), np.array(200.0), np.array(stats.norm.ppf(0.975)))
    assert (float(low), float(high)) == pytest.approx(proportion_confint(26, 200, method="wilson"), abs=1e-12)
    mark = np.zeros((200, 2), dtype=bool)
    mark[:26, 0] = True
    p, low, high = shares(mark, mark | True, (np.ones(200), np.arange(200), np.zeros(200, dtype=np.int64)), 0.95)
    wanted = wilson(np.array(0.13), np.array(200.0), np.array(stats.t.ppf(0.975, 199)))
    assert (p[0], low[0], high[0]) == pytest.approx((0.13, float(wanted[0]), float(wanted[1])), abs=1e-9)
    assert (p[1], low[1]) == (0, 0)
    assert 0.01 < high[1] < 0.03  # nobody of 200


def test_clustered_shares_are_wider():
    rng = np.random.default_rng(3)
    mark = np.repeat(rng.random(20) < 0.4, 10)[:, None]
    alone, joint = (shares(mark, mark | True, (np.ones(200), unit, np.zeros(200, dtype=np.int64)), 0.95)
                    for unit in (np.arange(200), np.repeat(np.arange(20), 10)))  # fmt: skip
    assert joint[2][0] - joint[1][0] > 2.5 * (alone[2][0] - alone[1][0])


def test_slopes_below_within_and_above_are_found_and_are_those_of_statsmodels():
    columns = answers(6000, 2)
    found = csi.tolerance(panel_of(columns)).slopes
    claims = row(found, "claims")
    P, A, D = (columns[f"{f}_claims"] for f in ("P", "Ea", "Ed"))
    X = np.column_stack([np.ones(len(P)), A, np.minimum(P - A, 0), np.clip(P - A, 0, D - A), np.maximum(P - D, 0)])
    fit = sm.OLS(columns["sat"], X).fit(cov_type="HC2", use_t=True)
    assert [claims[f"b_{p}"] for p in ("below", "within", "above")] == pytest.approx(list(fit.params[2:]), abs=1e-9)
    claim = np.array([[0.0, 0, 1, -1, 0], [0, 0, 0, 1, -1]])
    df = robust_slopes(X, columns["sat"], np.ones(len(P)), np.arange(len(P))).joint_df(claim)
    value = float(fit.f_test(claim).fvalue) * (df - 1) / df
    assert claims["p_equal"] == pytest.approx(stats.f.sf(value, 2, df - 1), abs=1e-9)
    assert [claims[f"b_{p}"] for p in ("below", "within", "above")] == pytest.approx([1.0, 0.1, 0.5], abs=0.2)
    assert claims["p_equal"] < 1e-6


def test_few_inconsistent_answers_are_left_out_and_told():
    columns = answers(1000, 3, wrong=0.03)
    found = csi.tolerance(panel_of(columns))
    assert 0.01 < found.inconsistent < 0.05
    assert found.on_inconsistent == "drop"
    wrong = columns["Ea_clear"] > columns["Ed_clear"]
    assert row(found.table, "clear")["n"] == 1000 - wrong.sum()
    assert any(n.code == "W-ZOT" and "left out" in n.text.en and "剔除" in n.text.zh for n in found.notes)


def test_many_inconsistent_answers_are_refused_unless_told_otherwise():
    columns = answers(600, 4, wrong=0.15)
    with pytest.raises(Problems) as raised:
        csi.tolerance(panel_of(columns))
    problem = raised.value.problems[0]
    assert problem.code == "E-ZOT"
    assert "adequate above desired (max 5 %)" in problem.what.en
    assert "可接受水平高于理想水平" in problem.what.zh
    swapped = csi.tolerance(panel_of(columns), on_inconsistent="swap")
    straight = csi.tolerance(panel_of(answers(600, 4)))
    assert swapped.table["mss"].to_list() == pytest.approx(straight.table["mss"].to_list())
    assert any("swapped" in n.text.en for n in swapped.notes)
    assert row(csi.tolerance(panel_of(columns), on_inconsistent="drop").table, "clear")["n"] < 600
    with pytest.raises(Problems, match="none allowed"):
        csi.tolerance(panel_of(answers(600, 4, wrong=0.02)), on_inconsistent="error")


@pytest.mark.parametrize(("gone", "kept", "absent"), [("Ed", "msa", "mss"), ("Ea", "mss", "msa")])
def test_one_end_alone_gives_its_gap_alone(gone, kept, absent):
    columns = {c: v for c, v in answers().items() if not c.startswith(gone)}
    found = csi.tolerance(panel_of(columns))
    line = row(found.table, "overall")
    assert line[kept] is not None
    assert [line[c] for c in (absent, "width", "position", "within")] == [None] * 4
    assert any(n.code == "W-ZOT" and "told alone" in n.text.en for n in found.notes)
    assert "Experience lies" in said(found, "en")
    assert row(found.slopes, "claims")["p_equal"] is not None


def test_dimensions_and_cells():
    columns = answers(400)
    found = csi.tolerance(panel_of(columns, segment=["new"] * 150 + ["old"] * 250), by=["segment"])
    value = {r["name"]: r["msa"] for r in found.table.filter(segment="old").iter_rows(named=True)}
    assert value["speed"] == pytest.approx((value["claims"] + value["answer"]) / 2)
    assert value["overall"] == pytest.approx((value["speed"] + value["advice"]) / 2)
    assert "new: " in said(found, "en")
    assert "Below the adequate level: Claims" in said(found, "en")
    assert "低于可接受水平：claims" in said(found, "zh")


def test_weights_move_the_zone():
    columns = answers(300)
    weight = np.where(columns["P_clear"] > 5, 2.0, 0.5)
    found = row(csi.tolerance(panel_of(columns, weight=weight)).table, "clear")
    assert found["perceived"] == pytest.approx(np.average(columns["P_clear"], weights=weight), abs=1e-5)


@pytest.mark.parametrize(("lang", "word"), [("en", "MSA = P - Ea"), ("zh", "低于可接受")])
def test_what_the_zone_prints(lang, word):
    assert word in csi.display.text(csi.tolerance(panel_of(answers())), lang)


@pytest.mark.parametrize(
    ("columns", "scale", "arguments", "code", "words"),
    [
        (("P",), None, {}, "E-FORM", "no item has form Ea, Ed"),
        (("P", "Ea", "Ed"), {"Ed": Scale("ten", 1, 10)}, {}, "E-SCALE", "differ in range"),
        (("P", "Ea", "Ed"), None, {"on_inconsistent": "keep"}, "E-SETTING", "drop"),
        (("P", "Ea", "Ed"), None, {"level": 5}, "E-SETTING", "between 0 and 1"),
        (("P", "Ea", "Ed"), None, {"outcome": "joy"}, "E-ROLE", "joy"),
    ],
)
def test_zone_refusals_name_what_is_wrong(columns, scale, arguments, code, words):
    kept = {c: v for c, v in answers(60).items() if c.split("_")[0] in (*columns, "sat")}
    with pytest.raises(Problems) as raised:
        csi.tolerance(panel_of(kept, scale=scale), **arguments)
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert raised.value.problems[0].what.zh


def promises(n=3000, seed=6, hurt=0.9, please=0.2):
    """Promised near 6, delivered near 5; what is short of the promise counts `hurt`, what is beyond it `please`."""
    rng = np.random.default_rng(seed)
    columns, sat = {}, rng.normal(size=n)
    for name in ("claims", "answer", "clear"):
        E = np.clip(np.round(6 + rng.normal(size=n)), 1, 9)
        P = np.clip(np.round((4.5 if name == "clear" else 5.5) + 1.6 * rng.normal(size=n)), 1, 9)
        columns |= {f"Ew_{name}": E, f"P_{name}": P}
        sat = sat + (hurt * np.minimum(P - E, 0) + please * np.maximum(P - E, 0)) / 3
    return columns | {"sat": sat}


def test_promises_broken_kept_and_exceeded_are_counted():
    columns = promises()
    found = csi.promise(panel_of(columns, ("P", "Ew")))
    line = row(found.table, "clear")
    P, E = columns["P_clear"], columns["Ew_clear"]
    assert (line["broken"], line["kept"], line["exceeded"]) == pytest.approx(
        ((P < E).mean(), (P == E).mean(), (P > E).mean())
    )
    assert line["broken_low"] < line["broken"] < line["broken_high"]
    assert line["net"] == pytest.approx(line["exceeded"] - line["broken"])
    assert line["p_value"] == pytest.approx(stats.ttest_1samp(np.sign(P - E), 0).pvalue, abs=1e-12)
    wide = row(csi.promise(panel_of(columns, ("P", "Ew")), band=1.0).table, "clear")
    assert wide["kept"] > line["kept"]
    assert "most often Clear falls short" in said(found, "en")


def test_a_breach_that_hurts_more_is_found_and_an_equal_one_is_not():
    found = csi.promise(panel_of(promises(), ("P", "Ew")))
    line = row(found.slopes, "clear")
    columns = promises()
    P, E = columns["P_clear"], columns["Ew_clear"]
    X = np.column_stack([np.ones(len(P)), np.maximum(P - E, 0), np.minimum(P - E, 0), P])
    fit = sm.OLS(columns["sat"], X).fit(cov_type="HC2", use_t=True)
    assert (line["b_over"], line["b_short"], line["b_perceived"]) == pytest.approx(tuple(fit.params[1:]), abs=1e-9)
    apart = np.array([[0.0, -1, 1, 0]])
    df = robust_slopes(X, columns["sat"], np.ones(len(P)), np.arange(len(P))).df_of(apart)[0]
    tested = fit.t_test(apart).tvalue.item()
    assert line["difference_p"] == pytest.approx(2 * stats.t.sf(abs(tested), df), abs=1e-9)
    assert "A point short of the promise counts for more" in said(found, "en")
    assert "低于承诺一分的影响大于高出一分" in said(found, "zh")
    even = csi.promise(panel_of(promises(1500, 8, 0.5, 0.5), ("P", "Ew")))
    assert "is not shown" in said(even, "en")


def test_promises_without_an_outcome_or_without_breaches_have_no_slopes():
    columns = promises(200)
    assert not csi.promise(panel_of(columns, ("P", "Ew")), outcome="").slopes.height
    kept = columns | {f"P_{n}": columns[f"Ew_{n}"] for n in ("claims", "answer", "clear")}
    found = csi.promise(panel_of(kept, ("P", "Ew")))
    assert found.slopes["difference"].null_count() == found.slopes.height
    assert row(found.table, "overall")["kept"] == 1


@pytest.mark.parametrize(("lang", "word"), [("en", "more than promised"), ("zh", "超出承诺")])
def test_what_promises_print(lang, word):
    assert word in csi.display.text(csi.promise(panel_of(promises(200), ("P", "Ew"))), lang)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [({"promised": "Es"}, "E-FORM"), ({"band": -1.0}, "E-SETTING"), ({"outcome": "joy"}, "E-ROLE")],
)
def test_promise_refusals(arguments, code):
    with pytest.raises(Problems) as raised:
        csi.promise(panel_of(promises(50), ("P", "Ew")), **arguments)
    assert raised.value.problems[0].code == code


def test_means_equal_but_for_rounding_lie_at_the_end_of_the_zone():
    nine, rng = Scale("nine", 1, 9), np.random.default_rng(2)
    items, columns = [], {}
    P = rng.integers(2, 8, (300, 9)).astype(float)
    for form, x in (("P", P), ("Ea", rng.permuted(P, axis=1)), ("Ed", np.full((300, 9), 9.0))):
        for j in range(9):
            items.append(Item(f"{form}{j}", f"d{j // 3}", nine, Text(f"q{j}", f"题{j}"), f"q{j}", form))
            columns[f"{form}{j}"] = x[:, j]
    frame = pl.DataFrame(columns)
    answers_ = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.select(pl.all().cast(pl.String)))
    found = row(csi.tolerance(answers_, outcome="").table, "overall")
    assert (found["msa"], found["below"], found["within"]) == (0.0, 0.0, 1.0)
