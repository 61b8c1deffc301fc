"""The feedback loop: counts by hand, times against a hand case, planted changes found again, refusals zh and en."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import polars as pl
import pytest

import csi
from csi.behaviour.feedback_cases import Span, cases_of
from csi.behaviour.feedback_scores import differences, pairs_of, rows_of
from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.events import Events
from csi.survey.panel import Panel
from csi.survey.period import days_of

HAN = re.compile(r"[\u4e00-\u9fff]")
HUNDRED = Scale("hundred", 0, 100)
BOOK = Codebook(
    (
        Item("app_P", "service", HUNDRED, Text("The app", "应用"), "app"),
        Item("bill_P", "service", HUNDRED, Text("Bills", "账单"), "bill"),
    ),
    {},
    {},
)
WAVES = ("2026Q1", "2026Q2")
SPANS = tuple(Span(w, *days_of(w)) for w in WAVES)
CASES = pl.DataFrame(
    {
        "case": ["1", "2", "2", "3", "4", "5"],
        "id": ["a", "b", "b", "c", "d", None],
        "attribute": ["app", "app", "app", "bill", "app", "ship"],
        "opened": ["2026-01-10", "2026-02-01", "2026-04-10", "2026-03-20", "2026-05-01", "2026-06-01"],
        "closed": ["2026-01-30", "2026-03-01", None, "2026-04-02", None, "2026-06-11"],
        "source": ["hotline", "app", "hotline", "store", "app", "app"],
    }
)


def panel_of(rows):
    """Answers of respondents: (respondent, wave, app, bill)."""
    frame = pl.DataFrame(rows, schema=["respondent", "wave", "app_P", "bill_P"], orient="row")
    frame = frame.with_columns(pl.col("app_P", "bill_P").cast(pl.Float64))
    waves = tuple(frame["wave"].unique().sort())
    return Panel(frame, BOOK, frame.select("app_P", "bill_P").cast(pl.String), waves)


def row(frame, **keys):
    return frame.filter(*(pl.col(k) == v for k, v in keys.items())).row(0, named=True)


def said_by(found):
    return [*found.sentences, *(n.text for n in found.notes)]


def test_status_by_attribute_and_wave_by_hand():
    found = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), small=0)
    counts = found.table.select("attribute", "wave", "open_before", "opened", "reopened", "closed", "open").rows()
    assert counts == [
        ("", "2026Q1", 0, 4 - 1, 0, 2, 1),
        ("", "2026Q2", 1, 2, 1, 2, 2),
        ("app", "2026Q1", 0, 2, 0, 2, 0),
        ("app", "2026Q2", 0, 1, 1, 0, 2),
        ("bill", "2026Q1", 0, 1, 0, 0, 1),
        ("bill", "2026Q2", 1, 0, 0, 1, 0),
        ("ship", "2026Q1", 0, 0, 0, 0, 0),
        ("ship", "2026Q2", 0, 1, 0, 1, 0),
    ]
    for r in found.table.iter_rows(named=True):
        assert r["open"] == r["open_before"] + r["opened"] + r["reopened"] - r["closed"]
    # on 30 June two runs are open: 81 days since 10 April, 60 since 1 May
    assert row(found.table, attribute="app", wave="2026Q2")["age"] == (81 + 60) / 2


def test_waves_without_days_in_their_names_take_those_given_else_the_calendar():
    panel = panel_of([(i, w, 50, 50) for w in ("w1", "w2") for i in "abcd"])
    ends = {"w1": "2026-03-31", "w2": "2026-06-30"}
    given = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), panel, ends=ends, small=0)
    assert row(given.table, attribute="app", wave="w2")["open"] == 2
    plain = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), panel, period="month", small=0)
    assert plain.table["wave"].to_list()[:2] == ["2026-01", "2026-02"]
    assert plain.standing.height == 0
    assert "N-FEEDBACK-DAYS" in {n.code for n in plain.notes}


def test_time_to_close_is_the_product_limit_median():
    # closed after 20, 28, 13, 10 days; open since 81 and 60: S falls to 5/6, 4/6, 3/6 at 20
    found = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), small=0).speed
    whole = row(found, attribute="")
    assert (whole["n"], whole["reopened"], whole["closed"], whole["open"], whole["oldest"]) == (6, 1, 4, 2, 81)
    assert whole["median"] == 20
    assert row(found, attribute="bill")["median"] == 13
    sources = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), small=0).sources
    assert sources.select("source", "n", "open").rows() == [("app", 3, 1), ("hotline", 2, 1), ("store", 1, 0)]


def test_states_and_changes_by_hand():
    panel = panel_of(
        [("a", "2026Q1", 40, 60), ("b", "2026Q1", 50, 60), ("c", "2026Q1", 60, 20), ("d", "2026Q1", 70, 60),
         ("a", "2026Q2", 45, 60), ("b", "2026Q2", 30, 60), ("c", "2026Q2", 60, 50), ("d", "2026Q2", 20, 60)]
    )  # fmt: skip
    found = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), panel, small=0)
    bill = found.changes.filter(attribute="bill")
    assert row(bill, group="closed")["change"] == 30
    assert (row(bill, group="none")["n"], row(bill, group="open")["n"]) == (3, 0)
    app = found.changes.filter(attribute="app")
    assert (row(app, group="new")["n"], row(app, group="none")["n"]) == (2, 2)  # b reopened, d opened; a, c without
    assert row(app, group="new")["change"] == (-20 - 50) / 2
    state = found.standing.filter(attribute="app")
    assert row(state, group="open")["mean"] == (30 + 20) / 2
    assert row(state, group="closed")["answers"] == 3  # a in both waves, b in the first
    assert "ship" in next(n for n in found.notes if n.code == "N-FEEDBACK-ATTRIBUTE").text.en


def test_small_groups_are_withheld_and_counts_of_cases_told():
    panel = panel_of([(i, w, 50, 50) for w in WAVES for i in "abcd"])
    found = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), panel)
    assert found.standing["mean"].is_null().all()
    assert found.changes["change"].is_null().all()
    assert found.differences.height == 0
    assert found.speed["median"].is_null().all()
    assert row(found.table, attribute="", wave="2026Q2")["open"] == 2


def few_on_bills(n=100):
    """App: 60 open, 40 closed at the end of the first wave. Bills: 20 open; 60 closed, 20 without."""
    rng = np.random.default_rng(8)
    who = [f"r{k}" for k in range(n)]
    panel = panel_of([(w, q, *rng.integers(20, 90, 2)) for q in WAVES for w in who])
    cases = [(w, "app", date(2026, 2, 1), None if k < 60 else date(2026, 3, 1)) for k, w in enumerate(who)]
    cases += [(w, "bill", date(2026, 2, 1), None if k < 20 else date(2026, 3, 1)) for k, w in enumerate(who[:80])]
    kinds = {"id": pl.String, "attribute": pl.String, "opened": pl.Date, "closed": pl.Date}
    return panel, Events("cases", pl.DataFrame(cases, schema=kinds, orient="row"), date(2026, 6, 30))


def test_the_row_of_all_attributes_gives_no_withheld_one_away():
    """Open: 60 on the app and 20 on bills; with the mean of all and that of the app, that of bills would be known."""
    panel, cases = few_on_bills()
    found = csi.feedback(cases, panel)
    for frame, value in ((found.standing, "mean"), (found.changes, "change")):
        told = {r["attribute"]: r for r in frame.filter(group="open").iter_rows(named=True)}
        assert told["bill"]["flag"] == "suppressed"
        assert told[""][value] is not None
        assert (told["app"][value], told["app"]["answers"], told["app"]["flag"]) == (None, None, None)
        assert told["app"]["reason"].startswith("withheld: with the total")
        assert frame.filter(attribute="app", group="closed")[value].null_count() == 0 or value == "change"
    assert not found.differences.filter(attribute="app", group="open").height
    notes = [n for n in found.notes if n.code == "E-BASE" and "withheld besides: " in n.text.en]
    assert [n.text.en.startswith("withheld besides: The app (open)") for n in notes] == [True]
    assert "另不公布：应用（未关闭）" in notes[0].text.zh
    every = csi.feedback(cases, panel, small=0)
    assert every.standing["mean"].null_count() == every.standing.filter(pl.col("n") == 0).height


def test_few_other_contacts_are_not_told():
    """Forty contacts while a case was open and five others, whose mean would be told beside them."""
    ids = [f"r{k}" for k in range(45)]
    cases = pl.DataFrame({"id": ids[:40], "attribute": ["app"] * 40, "opened": ["2026-01-05"] * 40,
                          "closed": [None] * 40}, schema_overrides={"closed": pl.String})  # fmt: skip
    met = pl.DataFrame({"id": ids, "touchpoint": ["hotline"] * 45, "time": ["2026-02-01"] * 45,
                        "score": [float(k % 9) for k in range(45)]})  # fmt: skip
    found = csi.feedback(csi.read_events(cases, "cases", until="2026-06-30"), contacts=met).touchpoints
    assert found.select("contacts", "n", "mean", "others", "flag").row(0) == (40, 40, None, None, "suppressed")


def test_contacts_while_a_case_is_open_by_hand():
    met = pl.DataFrame(
        {
            "id": ["a", "a", "b", "c", "d", "d"],
            "touchpoint": ["hotline"] * 5 + ["store"],
            "time": ["2026-01-12", "2026-02-12", "2026-04-20", "2026-03-25", "2026-05-02", "2026-04-02"],
            "score": [2, 8, 3, 4, 5, 9],
        }
    )
    others = met.with_columns(time=pl.lit("2025-12-01"), score=pl.lit(7, pl.Int64), id=pl.col("id") + "x")
    met = pl.concat([met, others])
    found = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), contacts=met, small=0).touchpoints
    assert found.select("touchpoint", "contacts", "n").rows() == [("hotline", 4, 4)]
    assert found["mean"][0] == pytest.approx((2 + 3 + 4 + 5) / 4)
    assert found["others"][0] == pytest.approx((8 + 7 * 5) / 6)


def world(rng, n=90, gain=6.0, noise=10.0):
    """Open at the first wave with chance .5, closed by lot with chance .5; the score then rises by `gain`."""
    has, shut = rng.random(n) < 0.5, rng.random(n) < 0.5
    own = rng.normal(60, 8, n)
    before = own - 8 * has + rng.normal(0, noise, n)
    after = own - 8 * has + gain * (has & shut) + rng.normal(0, noise, n)
    who = [f"r{k}" for k in range(n)]
    panel = panel_of(
        [(w, WAVES[0], s, 50) for w, s in zip(who, before, strict=True)]
        + [(w, WAVES[1], s, 50) for w, s in zip(who, after, strict=True)]
    )
    first, then = date(2026, 3, 1), date(2026, 5, 1)
    rows = [(w, "app", first, then if s else None) for w, h, s in zip(who, has, shut, strict=True) if h]
    kinds = {"id": pl.String, "attribute": pl.String, "opened": pl.Date, "closed": pl.Date}
    return panel, Events("cases", pl.DataFrame(rows, schema=kinds, orient="row"), date(2026, 6, 30))


@pytest.mark.slow
def test_a_planted_change_after_closing_is_found_again():
    """Mean of 200 panels within 4 Monte Carlo errors; intervals cover at 95 % (within 3 binomial errors)."""
    found, covered = [], []
    for seed in range(200):
        panel, cases = world(np.random.default_rng([17, seed]))
        run = cases_of(cases)
        pairs = pairs_of(rows_of(run, panel, SPANS, ["app"], None, 0.95), SPANS)
        gaps = differences(pairs, ["app"], 0, 0.95).filter(group="closed", other="open")
        found.append(gaps["difference"].to_list())
        covered.append([lo < 6 < hi for lo, hi in gaps.select("conf_low", "conf_high").rows()])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(mean - 6) < 4 * error).all()
    rate = np.mean(covered, axis=0)
    assert ((rate > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)) & (rate <= 1)).all()


def test_what_is_said_is_an_association_in_both_languages():
    panel, cases = world(np.random.default_rng(5), n=400, gain=15)
    found = csi.feedback(cases, panel)
    texts = said_by(found)
    assert any("Closing a case is associated with" in t.en for t in texts)
    assert not any(re.search(r"\beffect|because|caus|leads? to", t.en) for t in texts)
    assert not any(re.search("效应|效果|导致|使得", t.zh) for t in texts)
    assert all(HAN.search(t.zh) and not HAN.search(t.en.replace("应用", "")) for t in texts)
    assert found.differences.filter(attribute="app", group="closed", other="open")["n"][0] >= 30
    shuffled = replace_rows(panel, cases, np.random.default_rng(1))
    assert shuffled.equals(found.differences)


def replace_rows(panel, cases, rng):
    order = rng.permutation(panel.frame.height).tolist()
    turned = Panel(panel.frame[order], BOOK, panel.reasons[order], WAVES)
    return csi.feedback(cases, turned).differences


BAD = [
    (
        CASES.with_columns(closed=pl.when(pl.col("case") == "2").then(None).otherwise("closed")),
        {},
        "E-EVENT",
        "opened again",
    ),
    (CASES.with_columns(status=pl.lit("closed")), {}, "E-EVENT", "without a closing day"),
    (CASES.with_columns(status=pl.lit("处理中")), {}, "E-EVENT", "with a closing day"),
    (CASES.with_columns(closed=pl.lit("2025-01-01")), {}, "E-EVENT", "closed before opened"),
    (CASES, {"period": "week"}, "E-SETTING", "none of month"),
    (CASES, {"level": 95}, "E-SETTING", "not between"),
    (CASES, {"ends": {"2026Q1": "soon"}}, "E-WAVE", "not a day"),
    (CASES, {"ends": {"w9": "2026-01-01"}}, "E-WAVE", "no wave"),
    (CASES, {"ends": {"2026Q1": "2026-09-30"}}, "E-WAVE", "do not rise"),
    (CASES.with_columns(id=pl.lit("zz")), {}, "E-EVENT", "no event is of somebody"),
    (CASES.with_columns(brand=pl.lit("A")), {"where": {"brand": "B"}}, "E-EVENT", "no case is of brand"),
]


@pytest.mark.parametrize(("cases", "more", "code", "words"), BAD)
def test_what_cannot_be_is_refused(cases, more, code, words):
    panel = panel_of([(i, w, 50, 50) for w in WAVES for i in "abcd"])
    with pytest.raises(Problems) as caught:
        csi.feedback(cases, panel, **more)
    found = caught.value.problems
    assert found[0].code == code
    assert any(words in p.what.en for p in found)
    assert all(HAN.search(p.what.zh) and HAN.search(p.remedy.zh) for p in found)


def test_smaller_results_are_noted():
    panel = panel_of([(i, "2026Q1", 50, 50) for i in "abcd"])
    once = csi.feedback(csi.read_events(CASES, "cases", until="2026-06-30"), panel, small=0)
    assert "N-FEEDBACK-ONCE" in {n.code for n in once.notes}
    assert once.standing.height
    nameless = csi.feedback(csi.read_events(CASES.drop("id"), "cases"), panel, small=0)
    assert "N-FEEDBACK-IDS" in {n.code for n in nameless.notes}
    early = csi.feedback(CASES.filter(pl.col("opened") < "2026-03-01"), panel, small=0)
    assert "N-FEEDBACK-UNTIL" in {n.code for n in early.notes}
