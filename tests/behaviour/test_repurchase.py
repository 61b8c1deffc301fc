"""Customers who buy again: hand cases, exact and design-based limits, planted rates, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

import csi
from csi.behaviour.repurchase import rate_limits, repurchase
from csi.errors import Problems
from csi.survey.events import read_events

BARE = {"small": 0, "flagged": 0}
START = date(2026, 1, 1)


def log(days: dict[str, list[int]], until: int = 56, **more: list[object]) -> csi.Events:
    """Days of purchases since the start of 2026."""
    rows = [(who, START + timedelta(d)) for who, each in days.items() for d in each]
    frame = pl.DataFrame(rows, schema=["id", "date"], orient="row").with_columns(
        **{k: pl.Series(v) for k, v in more.items()}
    )
    return read_events(frame, "purchases", until=START + timedelta(until))


def test_shares_are_of_customers_observed_long_enough_and_rates_of_all_time() -> None:
    found = repurchase(log({"a": [0, 0, 14], "b": [0], "c": [0, 49], "d": [35, 42]}), within=4, **BARE)
    assert found.table.select("customers", "n", "again", "share").row(0) == (4, 3, 1, 1 / 3)
    low, high = found.table.select("conf_low", "conf_high").row(0)
    assert [low, high] == pytest.approx([0.0615, 0.7923], abs=5e-5)  # Wilson, 1 of 3
    assert found.rates.select("n", "repeaters", "repeats", "observed").row(0) == (4, 3, 3, 8 * 3 + 3.0)
    assert found.rates["rate"][0] == pytest.approx(3 / 27)


def test_limits_of_rates() -> None:
    x, time = np.array([3.0, 0.0, 5.0, 1.0]), np.array([10.0, 12.0, 9.0, 11.0])
    low, high = rate_limits(x, time, "exact", 0.9)
    assert [low, high] == pytest.approx([chi2.ppf(0.05, 18) / 2 / 42, chi2.ppf(0.95, 20) / 2 / 42], rel=1e-9)
    low, high = rate_limits(x, time, "design", 0.95)
    rate, z = 9 / 42, (x - 9 / 42 * time) / 42
    reach = 3.182446 * np.sqrt(4 / 3 * (z**2).sum()) / rate
    assert [low, high] == pytest.approx([rate * np.exp(-reach), rate * np.exp(reach)], rel=1e-6)
    assert rate_limits(np.zeros(5), np.ones(5), "design", 0.95) == pytest.approx((0, 3.688879 / 5), rel=1e-6)


def test_groups_and_cohorts() -> None:
    days = {"a": [0, 7], "b": [0], "c": [0, 20], "d": [95, 100], "e": [95]}
    brands = ["M", "N", "M", "M", "N", "N", "N", "M"]
    found = repurchase(log(days, until=160, brand=brands), within=4, by=["brand"], cohort="month", **BARE)
    rows = {r["brand"]: r for r in found.table.iter_rows(named=True)}
    assert (rows["M"]["n"], rows["M"]["again"]) == (4, 0)  # a, b, c, e: nobody twice at M
    assert (rows["N"]["n"], rows["N"]["again"]) == (3, 1)
    assert found.cohorts["cohort"].unique().sort().to_list() == ["2026-01-01", "2026-04-01"]
    assert found.cohorts["n"].sum() == 7


def test_planted_rates_are_recovered_and_covered_where_customers_differ() -> None:
    """200 logs of 80 customers whose rates are gamma: limits by customers cover, exact ones are too narrow."""
    truth, hits = 0.2, {"design": 0, "exact": 0}
    means = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        time = rng.uniform(10, 40, 80)
        x = rng.poisson(rng.gamma(0.8, truth / 0.8, 80) * time).astype(float)
        means.append(x.sum() / time.sum())
        for kind in hits:
            low, high = rate_limits(x, time, kind, 0.95)
            hits[kind] += low <= truth <= high
    assert np.mean(means) == pytest.approx(truth, abs=4 * np.std(means) / np.sqrt(200))
    assert hits["design"] >= 178
    assert hits["exact"] < 150


def test_nobody_again_and_few_customers_are_smaller_results() -> None:
    found = repurchase(log({str(i): [0] for i in range(40)}), within=4)
    assert found.table["share"][0] == 0
    assert found.rates["conf_low"][0] == 0
    assert any("nobody bought again" in n.text.en for n in found.notes)
    hidden = repurchase(log({str(i): [0, 3] for i in range(9)}), within=4)
    assert hidden.table["share"][0] is None
    assert hidden.rates["rate"][0] is None
    assert hidden.sentences[0].en.startswith("Too few")
    short = repurchase(log({str(i): [0, 3] for i in range(40)}, until=10), within=4)
    assert short.table.select("n", "share").row(0) == (0, None)
    assert short.rates["rate"][0] > 0


@pytest.mark.parametrize(
    ("days", "settings", "expected"),
    [
        ({"a": [0, 3]}, {}, "one customer"),
        ({"a": [56], "b": [56]}, {}, "on the last day observed"),
        ({"a": [0], "b": [3]}, {"by": ["brnd"]}, 'no column "brnd"'),
        ({"a": [0], "b": [3]}, {"within": 0}, "not a time above 0"),
        ({"a": [0], "b": [3]}, {"unit": "moon"}, "is not known"),
        ({"a": [0], "b": [3]}, {"limits": "wald"}, "wald"),
        ({"a": [0], "b": [3]}, {"cohort": "day"}, "day"),
        ({"a": [0], "b": [3]}, {"level": 2}, "not between 0 and 1"),
    ],
)
def test_what_is_refused(days: dict[str, list[int]], settings: dict[str, object], expected: str) -> None:
    with pytest.raises(Problems) as caught:
        repurchase(log(days), **settings)
    assert any(expected in p.what.en for p in caught.value.problems), [p.what.en for p in caught.value.problems]
    assert all(p.what.zh for p in caught.value.problems)


def test_words_are_in_both_languages() -> None:
    found = csi.repurchase(log({str(i): [0, 10 + i % 9] for i in range(60)}), within=4, limits="exact")
    assert "of 60 customers observed for 4 weeks bought again" in found.sentences[0].en
    for said in (*found.sentences, *(n.text for n in found.notes)):
        assert any("一" <= c <= "鿿" for c in said.zh)
    assert "复购" in csi.display.text(found, "zh")
