"""BG/NBD: the published numbers of CDNOW, planted parameters, and what is refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.behaviour import bgnbd_numbers as formulas
from csi.behaviour.bgnbd import bgnbd
from csi.behaviour.buying import customers
from csi.errors import Problems
from csi.survey.events import read_events

PRINTED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
"""Fader, Hardie & Lee (2005), table 2; log-likelihood -9582.4; E[Y(39) | x=2, tx=30.43, T=38.86] = 1.226."""

GAMMA = {"p": 6.25, "q": 3.74, "v": 15.44}
"""Fader & Hardie (2013), of the 946 customers with repeat purchases."""


def dataset_file(name: str) -> Path:
    """A data set of the package lifetimes, found without importing the package."""
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the CDNOW data come with the package lifetimes, which is not installed")
    return Path(spec.submodule_search_locations[0]) / "datasets" / name


def test_published_parameters_of_cdnow() -> None:
    rows = pl.read_csv(dataset_file("cdnow_customers_summary.csv"))
    x, last, age = (rows[c].to_numpy().astype(float) for c in ("frequency", "recency", "T"))
    starts = np.array([[1.0, age.mean() / 4, 1.0, 1.0]])
    found = formulas.highest(lambda p: formulas.loglik(p, x, last, age, np.ones(len(x))), starts, len(x))
    assert found.values == pytest.approx(list(PRINTED.values()), abs=0.0005)
    assert found.loglik == pytest.approx(-9582.4, abs=0.05)


def test_published_amounts_of_cdnow_from_its_log() -> None:
    """Calibration of 39 weeks; the package's table of means is rounded to cents and gives v = 15.448."""
    rows = [line.split() for line in dataset_file("CDNOW_sample.txt").read_text(encoding="utf-8").splitlines()]
    log = pl.DataFrame({"id": [r[1] for r in rows], "date": [r[2] for r in rows], "amount": [r[4] for r in rows]})
    found = bgnbd(read_events(log, "purchases", until="1997-09-30"), ahead=39)
    estimates = dict(found.table.select("parameter", "estimate").iter_rows())
    for name, value in GAMMA.items():
        assert estimates[name] == pytest.approx(value, abs=0.005)
    for name, value in PRINTED.items():
        assert estimates[name] == pytest.approx(value, abs=0.0005)
    assert found.loglik == pytest.approx(-9582.4, abs=0.05)
    assert found.totals.select("count", "repeaters").row(0) == (2357, 946)


def test_published_forecast_from_published_parameters() -> None:
    values, one = np.array(list(PRINTED.values())), (np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert formulas.expected(values, *one, 39)[0] == pytest.approx(1.226, abs=0.0005)
    assert formulas.alive(values, *one)[0] == pytest.approx(0.727, abs=0.0005)


def test_slopes_are_those_of_the_likelihood() -> None:
    rng = np.random.default_rng(1)
    x, age = rng.integers(0, 5, 60).astype(float), rng.uniform(10, 50, 60)
    last = np.where(x > 0, age * rng.uniform(size=60), 0.0)
    at, w = np.array([0.4, 3.0, 0.8, 2.0]), rng.uniform(1, 2, 60)
    step = 1e-6 * np.eye(4)
    near = [
        (formulas.loglik(at + s, x, last, age, w)[0] - formulas.loglik(at - s, x, last, age, w)[0]) / 2e-6 for s in step
    ]
    assert formulas.loglik(at, x, last, age, w)[1] == pytest.approx(near, rel=1e-5, abs=1e-5)
    at, mean = np.array([4.0, 3.0, 20.0]), rng.uniform(5, 50, 60)
    x, step = x + 1, 1e-6 * np.eye(3)
    near = [
        (formulas.gamma_loglik(at + s, x, mean, w)[0] - formulas.gamma_loglik(at - s, x, mean, w)[0]) / 2e-6
        for s in step
    ]
    assert formulas.gamma_loglik(at, x, mean, w)[1] == pytest.approx(near, rel=1e-5, abs=1e-5)


def test_chances_agree_with_simulated_customers() -> None:
    at = np.array([0.6, 4.0, 0.8, 2.0])
    x = np.array([buyer(np.random.default_rng(k), *at, 40.0)[0] for k in range(20_000)])
    modelled = formulas.chances(at, 8, np.array([40.0]))[0]
    seen = np.bincount(np.minimum(x, 60).astype(int), minlength=61)[:9] / len(x)
    assert seen == pytest.approx(modelled, abs=4 * np.sqrt(0.25 / len(x)))
    assert x.mean() == pytest.approx(formulas.expected_of_new(at, np.array([40.0]))[0], rel=0.03)


def buyer(rng: np.random.Generator, r: float, alpha: float, a: float, b: float, until: float) -> tuple[int, float]:
    """Repeat purchases of one customer and the time of the last."""
    rate, leave, time, bought, last = rng.gamma(r, 1 / alpha), rng.beta(a, b), 0.0, 0, 0.0
    while True:
        time += rng.exponential(1 / rate) if rate > 0 else np.inf
        if time > until:
            return bought, last
        bought, last = bought + 1, time
        if rng.uniform() < leave:
            return bought, last


def log(seed: int, many: int = 1500) -> pl.DataFrame:
    """A log of purchases with planted parameters, in days over 60 weeks; first purchases in the first 12."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(many):
        first = int(rng.integers(0, 84))
        rate, leave, time = rng.gamma(0.8, 1 / 5.0), rng.beta(0.9, 2.5), 0.0
        rows.append((who, first))
        while True:
            time += rng.exponential(7 / rate)
            if first + time > 420:
                break
            rows.append((who, int(first + time)))
            if rng.uniform() < leave:
                break
    day = pl.date(2025, 1, 1) + pl.duration(days=pl.col("day"))
    frame = pl.DataFrame(rows, {"id": pl.Int64, "day": pl.Int64}, orient="row").select("id", day.alias("date"))
    return frame.with_columns(amount=pl.Series(rng.gamma(5, 8, frame.height)))


@pytest.fixture(scope="module")
def found() -> csi.behaviour.bgnbd.Bgnbd:
    return bgnbd(read_events(log(2), "purchases", until="2026-02-25"), ahead=26)


def test_planted_parameters_lie_in_their_intervals(found) -> None:
    truth = {"r": 0.8, "alpha": 5.0, "a": 0.9, "b": 2.5}
    for row in found.table.filter(pl.col("parameter").is_in(list(truth))).iter_rows(named=True):
        assert abs(np.log(row["estimate"] / truth[row["parameter"]])) < 4 * row["std_error"] / row["estimate"]
    assert found.fit["modelled"].sum() == pytest.approx(found.totals["count"][0])


def test_forecast_adds_up_over_customers(found) -> None:
    assert found.customers["expected"].sum() == pytest.approx(found.totals["expected"][0])
    assert found.totals["conf_low"][0] < found.totals["expected"][0] < found.totals["conf_high"][0]
    assert found.customers.filter(pl.col("x") == 0)["alive"].unique().to_list() == [1.0]


def test_order_of_rows_and_same_day_purchases_do_not_matter(found) -> None:
    rows = log(2)
    again = pl.concat([rows, rows.head(50).with_columns(amount=pl.lit(0.0))]).sample(fraction=1.0, shuffle=True, seed=1)
    other = bgnbd(read_events(again, "purchases", until="2026-02-25"), ahead=26)
    assert other.totals["expected"][0] == pytest.approx(found.totals["expected"][0], rel=1e-9)


def test_sentences_are_in_both_languages(found) -> None:
    assert found.sentences[0].en.startswith("1500 customers are expected to buy")
    assert "未来 26 周内" in found.sentences[0].zh


@pytest.mark.parametrize(
    ("frame", "settings", "expected"),
    [
        ({"id": ["a"], "date": ["2026-01-01"]}, {}, "one customer"),
        ({"id": ["a", "b"], "date": ["2026-01-01", "2026-01-02"]}, {}, "nobody bought again"),
        ({"id": ["a", "a"], "date": ["2026-01-01", "2026-01-02"], "amount": [1, -2]}, {}, "amounts below 0"),
        ({"id": ["a", "b"], "date": ["2026-01-01", "2026-01-02"]}, {"ahead": -1}, "not a time above 0"),
        ({"id": ["a", "b"], "date": ["2026-01-01", "2026-01-02"]}, {"unit": "moon"}, "not known"),
        ({"id": ["a", "b"], "date": ["2026-01-01", "2026-01-02"]}, {"level": 95}, "not between 0 and 1"),
    ],
)
def test_what_is_refused(frame: dict[str, list[object]], settings: dict[str, object], expected: str) -> None:
    with pytest.raises(Problems) as caught:
        bgnbd(pl.DataFrame(frame), **settings)
    assert any(expected in p.what.en for p in caught.value.problems)
    assert all(p.what.zh for p in caught.value.problems)


def test_all_gone_is_told_without_errors_that_are_not_there() -> None:
    """Everybody buys twice in the first fortnight and is never seen again."""
    rows = [(k, d) for k in range(200) for d in (f"2025-01-{1 + k % 9:02d}", f"2025-01-{11 + k % 9:02d}")]
    said = bgnbd(
        read_events(pl.DataFrame(rows, ["id", "date"], orient="row"), "purchases", until="2026-12-31"), ahead=52
    )
    assert said.totals["alive"][0] < 0.2
    assert said.totals["expected"][0] < 20


def test_first_day_counts_once_and_its_amount_is_no_repeat() -> None:
    rows = {"id": ["a"] * 3, "date": ["2026-01-01", "2026-01-01", "2026-01-15"], "amount": [100, 50, 7]}
    assert customers(read_events(pl.DataFrame(rows), "purchases")).rows() == [("a", 1, 2.0, 2.0, 7.0)]


def test_the_order_of_the_log_does_not_move_a_bit() -> None:
    rng = np.random.default_rng(4)
    n = 20_000
    days = np.datetime64("2025-01-01") + rng.integers(0, 300, n).astype("timedelta64[D]")
    log = pl.DataFrame({"id": rng.integers(0, 1_500, n), "date": days, "amount": rng.gamma(3, 9, n).round(2)})
    found = [customers(read_events(log.sample(fraction=1, shuffle=True, seed=k), "purchases")) for k in (1, 2, 3)]
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])
