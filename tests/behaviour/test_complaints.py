"""Complaints: the rate by hand, the regression against statsmodels, handling never filled in, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.stats import ttest_ind

import csi
from csi.behaviour.incidence import logit
from csi.display import text
from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale

HUNDRED = Scale("hundred", 0, 100)


def panel_of(columns, **keys):
    items = tuple(Item(f"{n}1", n, HUNDRED, Text(n.title(), f"题{n}")) for n in columns)
    book = Codebook(items, {n: Text(n.title(), f"构念{n}") for n in columns}, {})
    size = len(next(iter(columns.values())))
    keys = {"respondent": [str(i) for i in range(size)], **keys}
    frame = pl.DataFrame(keys | {f"{n}1": np.asarray(v, dtype=float) for n, v in columns.items()})
    waves = tuple(dict.fromkeys(frame["wave"])) if "wave" in frame.columns else ()
    return csi.Panel(frame, book, frame.select(f"{n}1" for n in columns).cast(pl.String), waves=waves)


def drawn(n=500, seed=1, slope=-0.04):
    """Satisfaction, whether somebody complained, handling, loyalty."""
    rng = np.random.default_rng(seed)
    s = np.clip(60 + 18 * rng.normal(size=n), 0, 100)
    c = rng.random(n) < 1 / (1 + np.exp(1.2 - slope * (s - 60)))
    handled = np.where(c, 5 + 2 * rng.normal(size=n), np.nan)
    centred = np.where(c, handled - 5, 0.0)
    loyal = np.clip(55 - 8 * c + 3 * centred + 10 * rng.normal(size=n), 0, 100)
    table = pl.DataFrame({"id": np.arange(n), "complained": c.astype(int), "handled_score": handled})
    return panel_of({"satisfaction": s, "loyalty": loyal}), table.with_columns(pl.col("handled_score").fill_nan(None))


def test_a_rate_by_hand_with_wilson_limits():
    panel = panel_of({"satisfaction": np.arange(50.0)})
    log = pl.DataFrame({"id": ["0", "7", "21", "40", "49"]})
    row = csi.complaints(panel, log).table.row(0, named=True)
    assert (row["n"], row["complainants"], row["rate"]) == (50, 5, 0.1)
    # Wilson by hand, n = 49 as the variance divides by n - 1 (binom of R takes 50: .0435, .2136)
    n, z = 49, 1.959964
    centre, reach = 0.1 + z**2 / (2 * n), z * np.sqrt(0.09 / n + z**2 / (4 * n**2))
    assert row["conf_low"] == pytest.approx((centre - reach) / (1 + z**2 / n), abs=1e-6)
    assert row["conf_high"] == pytest.approx((centre + reach) / (1 + z**2 / n), abs=1e-6)


def test_the_regression_is_that_of_statsmodels():
    panel, table = drawn()
    found = csi.complaints(panel, table)
    x = panel.frame["satisfaction1"].to_numpy()
    y = table["complained"].to_numpy().astype(float)
    other = sm.Logit(y, sm.add_constant(x)).fit(disp=0, cov_type="HC0")
    row = found.incidence.row(0, named=True)
    assert row["slope"] == pytest.approx(other.params[1], abs=1e-8)
    assert row["std_error"] == pytest.approx(other.bse[1], rel=0.02)  # HC2 and n / (n - 1) beside HC0
    margin = other.get_margeff().margeff[0]
    assert row["points"] == pytest.approx(1000 * margin, abs=1e-6)
    assert row["odds"] == pytest.approx(np.exp(10 * other.params[1]), abs=1e-8)


@pytest.mark.slow
def test_planted_slopes_rates_and_handling_come_back_on_average():
    """200 panels of 500: slope -.04, -8 points of loyalty at mean handling, 3 a point of it."""
    got = []
    for seed in range(200):
        panel, table = drawn(seed=seed)
        found = csi.complaints(panel, table, outcome="loyalty")
        after = dict(found.after.select("name", "estimate").iter_rows())
        got.append((found.incidence["slope"][0], after["complained"], after["handled"], found.handling["mean"][0]))
    mean, error = np.mean(got, axis=0), np.std(got, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(mean - (-0.04, -8.0, 3.0, 5.0)) < 4 * error + (0.0005, 0, 0, 0)).all(), (mean, error)


def test_handling_is_of_complainants_and_the_hypothetical_stands_apart():
    panel, table = drawn()
    imagined = pl.when(pl.col("complained") == 0).then(9.0).alias("imagined")
    found = csi.complaints(panel, table.with_columns(imagined), hypothetical="imagined")
    rows = {r["question"]: r for r in found.handling.iter_rows(named=True)}
    scores = table["handled_score"].drop_nulls()
    assert rows["handled"]["n"] == len(scores)
    assert rows["handled"]["mean"] == pytest.approx(scores.mean())
    assert rows["hypothetical"]["mean"] == pytest.approx(9.0)
    assert "N-HYPOTHETICAL" in [n.code for n in found.notes]
    for lang, word in (("en", "imagined by those"), ("zh", "未投诉者的设想")):
        assert word in text(found, lang)


def test_selection_is_the_difference_of_means():
    panel, table = drawn()
    found = csi.complaints(panel, table)
    s, c = panel.frame["satisfaction1"].to_numpy(), table["complained"].to_numpy() == 1
    row = found.selection.row(0, named=True)
    assert row["difference"] == pytest.approx(s[c].mean() - s[~c].mean())


@pytest.mark.parametrize(
    ("who", "en", "zh"), [((), "nobody complained", "无人投诉"), (range(60), "everybody complained", "所有人都投诉")]
)
def test_nobody_or_everybody_complained_gives_the_rate_alone(who, en, zh):
    panel = panel_of({"satisfaction": np.arange(60.0)})
    table = pl.DataFrame({"id": np.arange(60), "complained": [int(i in who) for i in range(60)]})
    found = csi.complaints(panel, table)
    row = found.table.row(0, named=True)
    assert row["rate"] == float(len(list(who)) > 0)
    assert 0 <= row["conf_low"] < row["conf_high"] <= 1
    assert found.incidence.height == 0
    (said,) = [n for n in found.notes if n.code == "N-COMPLAINTS-FEW"]
    assert en in said.say("en")
    assert zh in said.say("zh")


def test_no_cell_below_the_base_is_told():
    panel, table = drawn(n=200)
    few = table.with_columns(pl.when(pl.int_range(pl.len()) < 180).then(0).otherwise(1).alias("complained"))
    few = few.with_columns(pl.when(pl.col("complained") == 1).then(5.0).alias("handled_score"))
    found = csi.complaints(panel, few, outcome="loyalty")
    assert found.table["rate"][0] == pytest.approx(0.1)
    for frame in (found.handling, found.after, found.selection):
        told = frame.drop("n", "missing", strict=False).select(pl.col(pl.Float64))
        assert told.select(pl.all_horizontal(pl.all().is_null()).all()).item()


def refused(call, code, en, zh):
    with pytest.raises(Problems) as got:
        call()
    said = " ".join(p.say("en") for p in got.value.problems)
    codes = [p.code for p in got.value.problems]
    assert code in codes
    assert en in said
    assert zh in " ".join(p.say("zh") for p in got.value.problems)
    return codes


def test_refusals():
    panel, table = drawn(n=100)
    others = table.with_columns(handled_score=pl.lit(5.0))
    refused(lambda: csi.complaints(panel, others), "E-DESIGN", "who did not complain", "未投诉者")
    foreign = table.with_columns(id=pl.col("id") + 1000)
    refused(lambda: csi.complaints(panel, foreign), "E-EVENT", "no event is of somebody", "没有任何事件属于受访者")
    refused(lambda: csi.complaints(panel, table, satisfaction="joy"), "E-ROLE", "joy", "joy")
    refused(lambda: csi.complaints(panel, table, hypothetical="joy"), "E-ROLE", "no column", "没有“joy”列")
    waves = panel_of({"satisfaction": np.arange(60.0)}, respondent=[str(i % 30) for i in range(60)],
                     wave=["a"] * 30 + ["b"] * 30)  # fmt: skip
    log = pl.DataFrame({"id": ["1"]})
    refused(lambda: csi.complaints(waves, log), "E-EVENT", "several times", "多次作答")
    assert csi.complaints(waves, log, where={"wave": "b"}).table["complainants"][0] == 1


def test_waves_join_by_wave_and_the_last_of_several_counts():
    panel = panel_of({"satisfaction": np.arange(60.0)}, respondent=[str(i % 30) for i in range(60)],
                     wave=["a"] * 30 + ["b"] * 30)  # fmt: skip
    log = pl.DataFrame({"id": ["1", "1", "2"], "wave": ["a", "a", "b"], "handled_score": [2.0, 8.0, 5.0]})
    found = csi.complaints(panel, log, by=["wave"])
    assert found.table["complainants"].to_list() == [1, 1]
    assert "N-INCIDENT-LAST" in [n.code for n in found.notes]
    assert csi.complaints(panel, log, by=["wave"], small=0).handling["mean"].to_list() == [8.0, 5.0]


def test_answers_are_not_called_customers_and_rows_that_join_nothing_are_counted():
    panel = panel_of({"satisfaction": np.arange(60.0)}, respondent=[str(i % 30) for i in range(60)],
                     wave=["a"] * 30 + ["b"] * 30)  # fmt: skip
    log = pl.DataFrame({"id": ["1", "2", "3", "4"], "wave": ["a", "b", "c", "c"]})
    found = csi.complaints(panel, log)
    assert found.table.select("customers", "n", "complainants").row(0) == (30, 60, 2)
    assert found.sentences[0].en.startswith("3.3% of 60 answers of 30 customers tell of a complaint (95% interval")
    assert found.sentences[0].zh.startswith("30 名顾客的 60 份答卷中 3.3% 有投诉")
    (lost,) = [n for n in found.notes if n.code == "N-EVENT-JOIN"]
    assert lost.say("en").startswith("2 rows of complaints are of a wave in which the customer did not answer")
    assert "2 行所属期次没有该顾客的答卷" in lost.say("zh")
    alone = csi.complaints(panel, log.filter(wave="b"), where={"wave": "b"})
    assert alone.sentences[0].en.startswith("3.3% of 30 customers complained")
    assert not [n for n in alone.notes if n.code == "N-EVENT-JOIN"]


@pytest.mark.parametrize("model", [csi.complaints, csi.recovery])
def test_waves_that_no_answer_is_of_are_refused(model):
    """As a log it would be read as nobody's complaint."""
    panel = panel_of({"satisfaction": np.arange(60.0)}, wave=["2026Q1"] * 60)
    log = pl.DataFrame({"id": ["1", "2"], "wave": ["2026-Q1"] * 2, "failure": [1, 1], "recovery": ["full", "none"]})
    codes = refused(
        lambda: model(panel, log), "E-EVENT", "wave 2026-Q1; answers: wave 2026Q1", "没有任何一行所属的期次"
    )
    assert codes == ["E-EVENT"]


def test_an_empty_score_is_a_complaint_that_was_not_handled():
    """Of 200 complaints 120 are handled; loyalty 10 lower where not, by hand."""
    rng = np.random.default_rng(5)
    c, done = np.arange(400) < 200, np.arange(400) < 120
    loyal = 60 - 4 * c - 10 * (c & ~done) + rng.normal(size=400)
    panel = panel_of({"satisfaction": 60 + 9 * rng.normal(size=400), "loyalty": loyal})
    score = np.where(done, 5 + rng.integers(0, 4, 400), np.nan)
    table = pl.DataFrame({"id": np.arange(400), "complained": c, "handled_score": score}).fill_nan(None)
    found = csi.complaints(panel, table, outcome="loyalty")
    rows = {r["name"]: r for r in found.after.iter_rows(named=True)}
    assert {k: r["n"] for k, r in rows.items()} == {"complained": 120, "not handled": 80, "handled": 120}
    assert rows["not handled"]["estimate"] == pytest.approx(loyal[120:200].mean() - loyal[200:].mean())
    assert any(s.en.startswith("Of 200 complaints 120 were handled, rated") for s in found.sentences)
    assert any(
        "was not handled, Loyalty differs from that of customers without one by" in s.en for s in found.sentences
    )
    assert any("投诉未得到处理者" in s.zh for s in found.sentences)
    assert "N-HANDLED" in [n.code for n in found.notes]
    plain = csi.complaints(panel, table.drop("handled_score"), outcome="loyalty")
    assert (plain.after["name"].to_list(), plain.after["n"].to_list()) == (["complained"], [200])
    assert "N-HANDLED" not in [n.code for n in plain.notes]
    assert plain.sentences[-1].en.startswith("Loyalty of complainants differs")


def test_a_separated_outcome_has_no_regression():
    x = np.column_stack([np.ones(40), np.arange(40.0)])
    assert logit(x, (np.arange(40) > 20).astype(float), np.ones(40)) is None


def test_the_difference_at_mean_handling_is_welchs_in_scipy():
    panel, table = drawn(300, seed=3)
    found = csi.complaints(panel, table, outcome="loyalty").after
    y, c = panel.frame["loyalty1"].to_numpy(), table["complained"].to_numpy() == 1
    theirs = ttest_ind(y[c], y[~c], equal_var=False)
    row = found.row(0, named=True)
    assert row["estimate"] == pytest.approx(y[c].mean() - y[~c].mean())
    assert row["estimate"] / row["std_error"] == pytest.approx(theirs.statistic, rel=1e-9)
    assert found["name"].to_list() == ["complained", "handled"]


def test_few_others_are_not_told_by_their_difference():
    """Forty of fifty complained: with their own means, a difference would tell that of the ten others."""
    rng = np.random.default_rng(1)
    panel = panel_of({"satisfaction": 60 + rng.normal(size=50), "loyalty": 60 + rng.normal(size=50)})
    log = pl.DataFrame(
        {"id": np.arange(50), "complained": np.arange(50) < 40, "handled_score": [5.0] * 40 + [None] * 10}
    )
    found = csi.complaints(panel, log, outcome="loyalty")
    assert (found.after["n"][0], found.after["estimate"][0]) == (10, None)
    assert found.selection.select("complained", "others", "difference").null_count().row(0) == (2, 2, 2)
    assert found.handling["mean"][0] == 5.0


def test_a_withheld_cell_has_no_note_of_its_counts():
    rng = np.random.default_rng(2)
    panel = panel_of({"satisfaction": 60 + rng.normal(size=112)}, brand=["A"] * 100 + ["B"] * 12)
    log = pl.DataFrame({"id": np.arange(112), "complained": np.arange(112) % 4 == 0})
    found = csi.complaints(panel, log, by=["brand"])
    assert found.table["flag"].to_list() == [None, "suppressed"]
    said = [n.text.en for n in found.notes if n.code == "N-COMPLAINTS-FEW"]
    assert not any("3 complained and 9" in s for s in said)
    every = csi.complaints(panel, log, by=["brand"], small=0).notes
    assert any("3 complained and 9" in n.text.en for n in every)
