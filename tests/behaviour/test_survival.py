"""How long customers stay: R survival's numbers, the Rossi data of G15, planted hazards, and what is refused."""

from __future__ import annotations

import runpy
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.behaviour.hazard import hazard
from csi.behaviour.survival import survival
from csi.errors import Problems
from csi.survey.events import read_events

HERE = runpy.run_path(str(Path(__file__).parent / "made_spells.py"))
EXPECTED, as_spells, made, rossi = (HERE[n] for n in ("EXPECTED", "as_spells", "made", "rossi"))
BARE = {"small": 0, "flagged": 0}
CLOSE = {"rel": 1e-7, "abs": 1e-9}
PRINTED = {"fin": (-0.3794, 0.1914), "age": (-0.0574, None), "prio": (0.0915, None)}
"""G15, of Rossi, Berk & Lenihan (1980): Cox's slopes, log likelihood -658.748; by week 19,809 rows, 114 events, fin
-.3502, prio .0973."""


def at_times(curve: pl.DataFrame, known: dict[str, list[float]]) -> None:
    """The curve has R's numbers at R's times."""
    rows = [curve.filter(pl.col("time") <= t).row(-1, named=True) for t in known["time"]]
    for ours, theirs in (
        ("survival", "survival"),
        ("std_error", "std_error"),
        ("conf_low", "low"),
        ("conf_high", "high"),
    ):
        assert [r[ours] for r in rows] == pytest.approx(known[theirs], **CLOSE)


@pytest.mark.parametrize(("case", "more"), [("km", ()), ("km_late", ("entry",))])
def test_curves_are_those_of_r(case: str, more: tuple[str, ...]) -> None:
    found, known = survival(as_spells(made(), *more), **BARE), EXPECTED["made"][case]
    at_times(found.curve, known)
    assert list(found.table.select("median", "median_low", "median_high").row(0)) == known["median"]


def test_log_rank_is_that_of_r() -> None:
    found = survival(as_spells(made(), "group"), by=["group"], **BARE)
    assert found.tests.row(0)[:2] == ("log-rank", 3)
    assert found.tests["chi2"][0] == pytest.approx(EXPECTED["made"]["log_rank"], rel=1e-7)


def test_log_rank_with_late_entry_is_its_formula() -> None:
    rows = made().filter(pl.col("group") < 2)
    found = survival(as_spells(rows, "group", "entry"), by=["group"], **BARE)
    time, entry, event, g = (rows[c].to_numpy() for c in ("time", "entry", "event", "group"))
    excess = variance = 0.0
    for t in np.unique(time[event]):
        risk, hit = (entry < t) & (time >= t), (time == t) & event
        n, n1, d = risk.sum(), (risk & (g == 1)).sum(), hit.sum()
        excess += (hit & (g == 1)).sum() - d * n1 / n
        variance += d * (n1 / n) * (1 - n1 / n) * (n - d) / max(n - 1, 1)
    assert found.tests["chi2"][0] == pytest.approx(excess**2 / variance, rel=1e-9)


@pytest.mark.parametrize("way", ["logit", "cloglog"])
def test_models_of_periods_are_those_of_r(way: str) -> None:
    found, known = hazard(as_spells(made(), "x", "z"), ["x", "z"], way=way, shape="linear"), EXPECTED["made"][way]
    assert found.rows == known["rows"]
    assert found.periods["events"].sum() == known["events"]
    assert found.table["slope"].to_list() == pytest.approx([known["slopes"][c] for c in ("x", "z")], **CLOSE)
    assert found.loglik == pytest.approx(known["loglik"], rel=1e-9)
    assert found.table["std_error"].to_list() == pytest.approx([known["model_error"][c] for c in ("x", "z")], rel=0.25)


def test_a_free_shape_and_proportional_hazards_say_nearly_the_same() -> None:
    rows = as_spells(planted(3, 400), "x")
    one, two = (hazard(rows, ["x"], way=w, unit="week").table.row(0, named=True) for w in ("cox", "cloglog"))
    assert two["slope"] == pytest.approx(one["slope"], abs=0.2 * one["std_error"])
    assert two["std_error"] == pytest.approx(one["std_error"], rel=0.15)


def test_rossi_cox() -> None:
    """G15: half the last printed digit; R's full precision beside it."""
    every = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    found, known = hazard(as_spells(rossi(), *every), every), EXPECTED["rossi"]["cox"]
    slopes = dict(found.table.select("name", "slope").iter_rows())
    errors = dict(found.table.select("name", "std_error").iter_rows())
    for name, (slope, error) in PRINTED.items():
        assert slopes[name] == pytest.approx(slope, abs=0.00005)
        if error:
            assert errors[name] == pytest.approx(error, abs=0.00005)
    assert found.loglik == pytest.approx(-658.748, abs=0.0005)
    assert list(slopes.values()) == pytest.approx(known["slopes"], **CLOSE)
    assert found.checks["statistic"].to_list() == pytest.approx(known["chisq"], rel=1e-6)
    assert "no single ratio holds" in found.sentences[-1].en


def test_rossi_by_week_and_its_curves() -> None:
    rows = as_spells(rossi(), "fin", "age", "prio")
    found, known = hazard(rows, ["fin", "age", "prio"], way="logit", shape="linear"), EXPECTED["rossi"]["logit"]
    assert (found.rows, found.periods["events"].sum()) == (19809, 114)
    slopes = dict(found.table.select("name", "slope").iter_rows())
    assert slopes["fin"] == pytest.approx(-0.3502, abs=0.00005)
    assert slopes["prio"] == pytest.approx(0.0973, abs=0.00005)
    assert slopes == pytest.approx({c: known["slopes"][c] for c in slopes}, **CLOSE)
    curves = survival(rows, by=["fin"])
    for value, name in (("0", "km_no_aid"), ("1", "km_aid")):
        at_times(curves.curve.filter(fin=value), EXPECTED["rossi"][name])
    assert curves.tests["chi2"][0] == pytest.approx(EXPECTED["rossi"]["log_rank"], rel=1e-9)


def planted(seed: int, many: int = 200) -> pl.DataFrame:
    """Times in weeks with hazard .03 exp(.5 x); the end of watching at random, late entry of a third."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=many)
    when = rng.exponential(1 / (0.03 * np.exp(0.5 * x)))
    late = np.where(rng.random(many) < 1 / 3, rng.uniform(0, 8, many), 0.0)
    seen = when > late
    end = np.maximum(rng.uniform(20, 60, many), late + 1)
    frame = pl.DataFrame(
        {"id": np.arange(many), "time": np.minimum(when, end), "event": when <= end, "x": x, "entry": late}
    )
    return frame.filter(pl.Series(seen))


@pytest.mark.slow
def test_planted_hazard_ratios_and_shares_are_recovered() -> None:
    """200 panels of about 190: mean slope .5 within three Monte Carlo errors and a small-sample bias of 2 %."""
    slopes, shares = [], []
    for seed in range(200):
        rows = as_spells(planted(seed), "x", "entry")
        found = hazard(rows, ["x"]).table.row(0, named=True)
        slopes.append((found["slope"], found["std_error"]))
        shares.append(survival(rows, at=(13,), **BARE).at["survival"][0])
    b, error = np.array(slopes).T
    assert abs(b.mean() - 0.5) < 0.01 + 3 * b.std() / np.sqrt(200)
    assert error.mean() / b.std() == pytest.approx(1, abs=0.15)
    truth = np.exp(-0.03 * 13 * np.exp(0.5 * np.random.default_rng(9).normal(size=400_000))).mean()
    assert abs(np.mean(shares) - truth) < 4 * np.std(shares) / np.sqrt(200)


def dated(**columns: list[object]) -> pl.DataFrame:
    """Spells with dates."""
    many = len(next(iter(columns.values())))
    base = {"id": [str(i) for i in range(many)], "start": ["2026-01-01"] * many, "end": ["2026-03-01"] * many,
            "event": [1] * many}  # fmt: skip
    return pl.DataFrame({**base, **columns})


def test_spells_before_observation_are_left_out_and_late_ones_counted_from_entry() -> None:
    rows = dated(start=["2025-01-01", "2025-06-01", "2026-02-01"], end=["2025-12-01", "2026-02-01", "2026-04-01"])
    found = survival(read_events(rows, "spells", until="2026-03-15"), since="2026-01-01", unit="day", **BARE)
    said = " ".join(n.text.en for n in found.notes)
    assert "1 spell ended before observation began (2026-01-01)" in said
    assert "1 spell began before they were observed" in said
    assert found.table.select("n", "events", "observed").row(0) == (2, 1, 31.0 + 42.0)


def test_who_is_still_there_is_watched_to_the_last_day() -> None:
    rows = dated(end=["2026-01-11", None, "2026-01-01"], event=[1, 0, 1])
    found = survival(read_events(rows, "spells", until="2026-01-21"), unit="day", **BARE)
    assert found.table["observed"][0] == 10 + 20 + 0.5
    assert any("half a day" in n.text.en for n in found.notes)


def test_all_churned_comes_down_to_nothing_and_none_churned_is_told() -> None:
    gone = survival(as_spells(pl.DataFrame({"time": [1.0, 2.0, 3.0, 4.0], "event": [1] * 4})), **BARE)
    assert gone.curve["survival"].to_list() == pytest.approx([1, 0.75, 0.5, 0.25, 0])
    assert gone.curve["conf_low"][-1] is None
    assert gone.table["median"][0] == 2.0
    here = survival(as_spells(pl.DataFrame({"time": [1.0, 2.0], "event": [0, 0]})), **BARE)
    assert here.curve.select("time", "n", "survival").rows() == [(0.0, 2, 1.0), (2.0, 1, 1.0)]
    assert here.risk.rows()[0] == (0.0, 2)
    assert any("nobody left" in n.text.en and "无人流失" in n.text.zh for n in here.notes)
    one = survival(as_spells(pl.DataFrame({"time": [3.0], "event": [1]})), **BARE)
    assert one.table["n"][0] == 1
    hidden = survival(as_spells(pl.DataFrame({"time": [3.0], "event": [1]})))
    assert hidden.table["median"][0] is None
    assert hidden.curve.height == 0
    assert hidden.sentences[0].en.startswith("Too few")


def test_several_spells_of_a_customer_are_no_independent_ones() -> None:
    plain = as_spells(planted(5), "x").with_columns((pl.col("x") > 0).cast(pl.Int8).alias("group"))
    rows = pl.concat([plain, plain])
    twice, once = survival(rows, by=["group"], **BARE), survival(plain, by=["group"], **BARE)
    assert twice.tests["test"][0] == "robust"
    assert once.tests["chi2"][0] > 8
    assert twice.tests["chi2"][0] == pytest.approx(once.tests["chi2"][0], rel=0.25)
    assert twice.curve["survival"].to_list() == pytest.approx(once.curve["survival"].to_list())
    inner = pl.col("survival").is_between(0.05, 0.95)
    ratio = twice.curve.filter(inner)["std_error"] / once.curve.filter(inner)["std_error"]
    assert ratio.to_numpy() == pytest.approx(1, abs=0.1)
    slopes = [hazard(r, ["x"]).table.row(0, named=True) for r in (rows, plain)]
    assert slopes[0]["std_error"] == pytest.approx(slopes[1]["std_error"], rel=0.2)


def test_days_of_purchases_wait_for_the_second() -> None:
    start = date(2026, 1, 1)
    log = pl.DataFrame({"id": ["a", "a", "a", "b", "c"],
                        "date": [start, start, start + timedelta(14), start, start + timedelta(28)]})  # fmt: skip
    found = csi.survival(read_events(log, "purchases", until="2026-01-29"), **BARE)
    assert found.waited == "repurchase"
    assert found.table.select("n", "events", "observed").row(0) == (2, 1, 2.0 + 4.0)
    assert any("first bought on the last day" in n.text.en for n in found.notes)
    assert "bought again" in found.sentences[0].en


@pytest.mark.parametrize(
    ("rows", "settings", "expected"),
    [
        ({"id": ["a"], "duration": [-2], "event": [1]}, {}, "durations of 0 or less"),
        ({"id": ["a", "b"], "duration": [2, 3], "event": [1, 1], "entry": [5, 0]}, {}, "before entry (row 1: a)"),
        ({"id": ["a"], "duration": [2], "event": [1], "entry": [-1]}, {}, "entries below 0"),
        ({"id": ["a"], "start": ["2026-02-01"], "end": ["2026-01-01"], "event": [1]}, {}, "end before start"),
        ({"id": ["a"], "start": ["2026-02-01"], "end": [None], "event": [1]}, {}, "ended without a day"),
        (
            {"id": ["a"], "start": ["2026-01-01"], "end": ["2026-02-01"], "entered": ["2026-03-01"], "event": [1]},
            {},
            "events before entry",
        ),
        (
            {"id": ["a", "b"], "start": ["2026-01-01T00:00:00+08:00", "2026-01-01T00:00:00-05:00"],
             "end": ["2026-02-01"] * 2, "event": [1, 1]},
            {},
            "several offsets",
        ),
        ({"id": ["a"], "duration": [2], "event": [1]}, {"by": ["brnd"]}, 'no column "brnd"'),
        ({"id": ["a"], "duration": [2], "event": [1]}, {"since": "soon"}, "is no day"),
        ({"id": ["a"], "duration": [2], "event": [1]}, {"unit": "moon"}, "is not known"),
        ({"id": ["a"], "duration": [2], "event": [1]}, {"level": 95}, "not between 0 and 1"),
        ({"id": ["a"], "date": ["2026-01-01"]}, {}, "nobody was observed"),
    ],
)  # fmt: skip
def test_what_survival_refuses(rows: dict[str, list[object]], settings: dict[str, object], expected: str) -> None:
    with pytest.raises(Problems) as caught:
        survival(pl.DataFrame(rows), **settings)
    assert any(expected in p.what.en for p in caught.value.problems), [p.what.en for p in caught.value.problems]
    assert all(p.what.zh for p in caught.value.problems)


@pytest.mark.parametrize(
    ("change", "settings", "expected"),
    [
        ({"event": pl.lit(0)}, {}, "0 events"),
        ({"plan": pl.when(pl.col("id") < 40).then(pl.lit("VIP")).otherwise(pl.lit("x")),
          "event": pl.col("event") & (pl.col("id") >= 40)}, {"drivers": ["plan"]}, "0 events in group 'VIP'"),
        ({"event": pl.col("id") < 4}, {}, "events for 1 slopes"),
        ({"x": pl.lit(1.0)}, {}, "the same for all"),
        ({"twin": 2 * pl.col("x")}, {"drivers": ["x", "twin"]}, "no finite slopes"),
        ({"twin": 2 * pl.col("x")}, {"drivers": ["x", "twin"], "way": "logit"}, "no finite slopes"),
        ({"x": pl.col("id").cast(pl.String) + "k"}, {}, "different values"),
        ({}, {"drivers": ["fee"]}, 'no column "fee"'),
        ({}, {"drivers": []}, "no drivers"),
        ({}, {"way": "weibull"}, "weibull"),
        ({}, {"shape": "bent"}, "bent"),
    ],
)  # fmt: skip
def test_what_hazard_refuses(change: dict[str, pl.Expr], settings: dict[str, object], expected: str) -> None:
    rows = as_spells(made(), "x").with_columns(pl.col("event").cast(pl.Boolean)).with_columns(**change)
    with pytest.raises(Problems) as caught:
        hazard(rows.with_columns(pl.col("event").cast(pl.Int8)), settings.pop("drivers", ["x"]), **settings)
    assert any(expected in p.what.en for p in caught.value.problems), [p.what.en for p in caught.value.problems]
    assert all(p.what.zh for p in caught.value.problems)


def test_words_are_in_both_languages_and_never_say_effect() -> None:
    rows = as_spells(planted(1), "x").with_columns(
        pl.when(pl.col("x") > 0).then(pl.lit("p")).otherwise(pl.lit("q")).alias("g")
    )
    for found in (survival(rows, by=["g"]), hazard(rows, ["x", "g"]), hazard(rows, ["x"], way="logit")):
        for said in (*found.sentences, *(n.text for n in found.notes)):
            assert any("一" <= c <= "鿿" for c in said.zh)
            assert "effect" not in said.en.replace("not effects", "")
        assert str(found)
        assert csi.display.text(found, "zh")
    assert "is associated with" in hazard(rows, ["x"]).sentences[0].en
