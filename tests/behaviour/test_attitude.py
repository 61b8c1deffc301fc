"""Scores beside what was done after the interview: planted slopes, temporal order, joins, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.behaviour.attitude import attitude
from csi.behaviour.follow import followed, interviews, last_day
from csi.errors import Problems, Text
from csi.inference.partial_likelihood import Observed, cox
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.events import Events, read_events
from csi.survey.panel import Panel

BARE = {"small": 0, "flagged": 0}
DAY = date(2026, 3, 31)
HUNDRED = Scale("hundred", 0, 100)
BOOK = Codebook(
    (Item("s1", "satisfaction", HUNDRED, Text("s", "满")), Item("l1", "loyalty", HUNDRED, Text("l", "忠"))),
    {"satisfaction": Text("Satisfaction", "满意度"), "loyalty": Text("Loyalty", "忠诚度")}, {},
)  # fmt: skip


def panel(s: np.ndarray, l: np.ndarray | None = None, **keys: list[object]) -> Panel:  # noqa: E741 - loyalty
    """Answers of people r0, r1, ..."""
    n = len(s)
    base = {"respondent": [f"r{i}" for i in range(n)], "wave": ["2026Q1"] * n, **keys}
    frame = pl.DataFrame({**base, "s1": np.asarray(s, float), "l1": np.asarray(s if l is None else l, float)})
    return Panel(frame, BOOK, frame.select("s1", "l1").cast(pl.String))


def bought(after: dict[str, int | list[int]], until: int = 275, **more: list[object]) -> Events:
    """Purchases so many days after the interview."""
    rows = [
        (who, DAY + timedelta(d)) for who, days in after.items() for d in (days if isinstance(days, list) else [days])
    ]
    frame = pl.DataFrame(rows, schema=["id", "date"], orient="row").with_columns(
        **{k: pl.Series(v) for k, v in more.items()}
    )
    return read_events(frame, "purchases", until=DAY + timedelta(until))


def drawn(seed: int, n: int = 250, slope: float = 0.03) -> tuple[np.ndarray, ...]:
    """Score, weight, cluster, days: hazard .03 a week at 65, clusters of 5 share their mood, weights follow it."""
    rng = np.random.default_rng([7, seed])
    cluster = np.arange(n) // 5
    s = np.clip(np.round(65 + 16 * rng.normal(size=n) + 8 * rng.normal(size=n)[cluster]), 0, 100)
    weight = np.exp(0.01 * (s - 65) + 0.3 * rng.normal(size=n))
    return s, weight, cluster, np.ceil(7 * rng.exponential(1 / (0.03 * np.exp(slope * (s - 65))))).astype(int)


def planted(seed: int) -> tuple[Panel, Events]:
    """The same as answers and a log."""
    s, weight, cluster, days = drawn(seed)
    people = panel(s, cluster=[str(c) for c in cluster], weight=list(weight))
    return people, bought({f"r{i}": int(d) for i, d in enumerate(days) if d <= 275})


def test_planted_slopes_are_recovered_with_weights_and_clusters() -> None:
    """200 panels of 250: mean slope within three Monte Carlo errors (and days rounded up); errors are their spread.

    On arrays; that `attitude` is this model of the joined rows is the next test.
    """
    found = []
    for seed in range(200):
        s, weight, cluster, days = drawn(seed)
        seen = Observed(np.zeros(250), np.minimum(days, 275) / 7, days <= 275, weight / weight.mean())
        fit = cox(s[:, None], seen)
        assert fit is not None
        found.append((fit.slopes[0], fit.of_design(cluster, np.zeros(50, dtype=np.int64)).std_error[0]))
    b, error = np.array(found).T
    assert abs(b.mean() - 0.03) < 0.0006 + 3 * b.std() / np.sqrt(200)
    assert error.mean() / b.std() == pytest.approx(1, abs=0.15)


def test_it_is_the_model_of_the_joined_rows() -> None:
    people, log = planted(1)
    found = attitude(people, log, ["satisfaction"], **BARE).hazard.row(0, named=True)
    frame = people.frame.join(log.frame, left_on="respondent", right_on="id", how="left", maintain_order="left")
    event = frame["date"].is_not_null().to_numpy()
    time = frame.select(
        ((pl.col("date").fill_null(DAY + timedelta(275)) - pl.lit(DAY)).dt.total_days() / 7).alias("t")
    )["t"]
    x = frame["s1"].to_numpy()[:, None]
    fit = cox(x, Observed(np.zeros(250), time.to_numpy(), event, frame["weight"].to_numpy()))
    assert fit is not None
    assert found["slope"] == pytest.approx(fit.slopes[0], rel=1e-4)  # weights stand on a grid
    assert found["events"] == event.sum()
    assert found["df"] == 49
    assert any("rest on 50 units" in n.text.en for n in attitude(people, log, ["satisfaction"], **BARE).notes)


def test_only_what_comes_after_the_interview_counts() -> None:
    s = np.arange(40) * 2.5
    before = {f"r{i}": [-30, -1, 0] for i in range(40)}
    with pytest.raises(Problems, match="0 events"):
        attitude(panel(s), bought(before), **BARE)
    after = {f"r{i}": [-30, 0, 10 + i] if i % 3 else [-30] for i in range(40)}
    found = attitude(panel(s), bought(after), **BARE)
    assert found.hazard["events"][0] == 26
    assert any("on or before the day" in n.text.en for n in found.notes)


def test_ids_that_do_not_join_are_counted_both_ways() -> None:
    s = np.arange(40) * 2.5
    log = bought({**{f"r{i}": 5 + i for i in range(30)}, "x1": 3, "x2": 4})
    found = attitude(panel(s), log, **BARE)
    assert dict(found.joins.iter_rows()) == {
        "answers": 40, "respondents": 40, "with events": 30, "followed": 40, "happened": 30,
    }  # fmt: skip
    said = " ".join(n.text.en for n in found.notes)
    assert "2 of 32 ids in purchases did not answer (x1, x2)" in said
    assert "10 of 40 respondents are not in purchases: taken to have bought nothing" in said
    with pytest.raises(Problems, match="no event is of somebody who answered"):
        attitude(panel(s), bought({"x1": 3, "x2": 4}), **BARE)


def test_who_is_asked_again_is_followed_to_the_next_interview() -> None:
    rows = pl.DataFrame({"respondent": ["a", "a", "b"], "wave": ["2026Q1", "2026Q2", "2026Q1"]})
    log = read_events(
        pl.DataFrame({"id": ["a", "b"], "date": ["2026-07-14", "2026-06-30"]}), "purchases", until="2026-09-30"
    )
    days, noted = interviews(rows, None, "log")
    assert [str(d) for d in days] == ["2026-03-31", "2026-06-30", "2026-03-31"]
    assert noted[0].code == "N-ATTITUDE-DAY"
    found = followed(rows, log, days, "day")
    assert found.time.tolist() == [91, 14, 91]
    assert found.event.tolist() == [False, True, True]
    assert found.potential.tolist() == [183, 92, 183]
    assert found.reach.tolist() == [105, 14, 91]


def test_spells_that_ended_before_or_began_after_are_not_watched() -> None:
    rows = pl.DataFrame({"respondent": list("abcde"), "wave": ["2026Q1"] * 5})
    spells = pl.DataFrame({
        "id": list("abcd"), "start": ["2025-01-01", "2025-01-01", "2026-05-01", "2025-01-01"],
        "end": ["2026-04-10", "2026-03-01", "2026-06-01", None], "event": [1, 1, 1, 0],
    })  # fmt: skip
    log = read_events(spells, "spells", until="2026-06-30")
    found = followed(rows, log, interviews(rows, None, "log")[0], "day")
    assert found.time.tolist() == [10, 0, 0, 91, 0]
    assert found.event.tolist() == [True, False, False, False, False]
    assert found.potential.tolist() == [91, 0, 0, 91, 0]  # who left could have been watched to the last day
    assert found.reach.tolist()[::3] == [10, np.inf]
    said = " ".join(n.text.en for n in found.notes)
    assert "1 respondents are not in spells" in said
    assert "2 answers are of people who were no customers" in said


def test_brands_join_where_both_have_them() -> None:
    rows = pl.DataFrame({"respondent": ["a", "a"], "brand": ["M", "N"], "wave": ["2026Q1"] * 2})
    log = bought({"a": [5, 9]}, brand=["N", "M"])
    found = followed(rows, log, interviews(rows, "2026-03-31", "log")[0], "day")
    assert found.time.tolist() == [9, 5]
    with pytest.raises(Problems, match="rated several brands"):
        followed(rows, bought({"a": 5}), interviews(rows, "2026-03-31", "log")[0], "day")


def test_cells_bands_and_small_bases() -> None:
    people, log = planted(2)
    half = ["p" if i % 2 else "q" for i in range(250)]
    by = Panel(people.frame.with_columns(pl.Series("segment", half)), BOOK, people.reasons)
    found = attitude(by, log, ["satisfaction"], by=["segment"], cuts=(40, 60, 80))
    assert found.hazard["segment"].to_list() == ["p", "q"]
    assert found.bands.filter(pl.col("n") < 30)["share"].null_count() == found.bands.filter(pl.col("n") < 30).height
    assert set(found.curve.filter(pl.col("time") > 0)["n"] >= 30) == {True}
    assert found.bands["n"].sum() == 250


def test_scores_of_a_fitted_model_stand_in_for_means() -> None:
    people, log = planted(3)
    est = csi.fit(csi.Model.parse("satisfaction =~ s1; loyalty =~ l1; loyalty ~ satisfaction"), people, csi.PLS())
    one = attitude(people, log, ["satisfaction"], scores=csi.scores(est, kind="0-100"), **BARE)
    two = attitude(people, log, ["satisfaction"], **BARE)
    assert one.hazard["slope"][0] == pytest.approx(two.hazard["slope"][0], rel=1e-9)
    assert any(n.code == "N-ATTITUDE-SCORES" for n in one.notes)
    with pytest.raises(Problems, match="no column"):
        attitude(people, log, ["satisfaction"], scores=csi.scores(est).drop("satisfaction"), **BARE)


def test_few_events_are_bands_only_and_all_churned_is_told() -> None:
    s = np.arange(60) * 1.6
    found = attitude(panel(s), bought({"r1": 5, "r9": 7}), **BARE)
    assert found.hazard.height == 0
    assert found.bands["n"].sum() == 120
    assert any(n.code == "N-ATTITUDE-FEW" for n in found.notes)
    everyone = attitude(panel(s), bought({f"r{i}": 3 + 7 * i % 60 for i in range(60)}), ["satisfaction"], **BARE)
    assert set(everyone.bands["share"]) == {1.0}
    assert everyone.within.height == 0
    assert everyone.hazard["events"][0] == 60
    in_order = attitude(panel(s), bought({f"r{i}": 3 + i for i in range(60)}), ["satisfaction"], **BARE)
    assert in_order.hazard.height == 0
    assert any("without fail" in n.text.en for n in in_order.notes)


@pytest.mark.parametrize(
    ("change", "settings", "expected"),
    [
        ({"wave": ["spring"] * 40}, {}, "the day of the interviews of spring is not known"),
        ({}, {"asked": "soon"}, "is no day"),
        ({"respondent": ["r1"] * 40}, {}, "several answers of one day"),
        ({}, {"drivers": ["trust"]}, '"trust"'),
        ({}, {"within": -1}, "not a time above 0"),
        ({}, {"unit": "moon"}, "is not known"),
        ({}, {"cuts": (80, 20)}, "do not rise"),
        ({}, {"level": 95}, "not between 0 and 1"),
        ({}, {"asked": "2027-01-01"}, "0 events"),
    ],
)
def test_what_is_refused(change: dict[str, list[object]], settings: dict[str, object], expected: str) -> None:
    log = bought({f"r{i}": 5 + i for i in range(30)})
    with pytest.raises(Problems) as caught:
        attitude(panel(np.arange(40) * 2.5, **change), log, **settings)
    assert any(expected in p.what.en for p in caught.value.problems), [p.what.en for p in caught.value.problems]
    assert all(p.what.zh for p in caught.value.problems)


def test_the_truth_of_the_retail_study_is_found_again() -> None:
    """Customers leave at exp(-3.2 - .035 (S - 64)) a month; S is asked before they are watched."""
    study = csi.Study.read(Path(__file__).parents[2] / "data" / "retail" / "study.yaml")
    found = attitude(study.panel(), study.table("spells"), ["satisfaction"], where={"wave": "2026Q1"}, unit="month",
                     asked={"2026Q1": "2026-01-01"})  # fmt: skip
    row = found.hazard.row(0, named=True)
    assert abs(row["slope"] + 0.035) < 3 * row["std_error"]
    assert row["ratio_high"] < 1
    low, middle, high = found.bands["share"]
    assert low > middle > high > 0


def test_durations_without_dates_say_nothing_of_after() -> None:
    spells = pl.DataFrame({"id": ["r1", "r2"], "duration": [3, 4], "event": [1, 0]})
    with pytest.raises(Problems, match="do not tell what came after"):
        attitude(panel(np.arange(40) * 2.5), spells, **BARE)


def test_words_are_in_both_languages_and_never_say_effect() -> None:
    found = attitude(*planted(4))
    assert "are associated with a hazard of buying again" in found.sentences[0].en
    for said in (*found.sentences, *(n.text for n in found.notes)):
        assert any("一" <= c <= "鿿" for c in said.zh)
        assert "effect" not in said.en.replace("not effects", "")
    assert "复购" in csi.display.text(found, "zh")
    assert last_day("2026W14") == date(2026, 4, 5)
