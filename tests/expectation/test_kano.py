"""Kano: four real cohorts, a published example, the bootstrap, refusals, the verb."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems, Text
from csi.expectation.kano import ORDER, TABLE, fong_rule, kano
from csi.survey.codebook import Codebook, Item, Scale

STORAGE = json.loads((Path(__file__).parents[1] / "reference/kano/storage.json").read_text(encoding="utf-8"))
CARS = json.loads((Path(__file__).parents[1] / "reference/kano/cars.json").read_text(encoding="utf-8"))
FIVE = Scale("five", 1, 5)


def of_pairs(pairs, **keys):
    """A panel with one attribute per (functional, dysfunctional) list of codes."""
    items, columns = [], dict(keys)
    for name, (functional, dysfunctional) in pairs.items():
        for form, codes in (("Kf", functional), ("Kd", dysfunctional)):
            items.append(Item(f"{form}_{name}", "features", FIVE, Text(name.title(), name), name, form))
            columns[f"{form}_{name}"] = [float(c) if c is not None else None for c in codes]
    frame = pl.DataFrame(columns)
    reasons = pl.DataFrame(
        {i.name: [None] * frame.height for i in items}, schema=dict.fromkeys([i.name for i in items], pl.String)
    )
    return csi.Panel(frame, Codebook(tuple(items), {}, {}), reasons)


def unrolled(table):
    """Codes of respondents from a 5 x 5 table of counts."""
    pairs = [(f + 1, d + 1) for f in range(5) for d in range(5) for _ in range(table[f][d])]
    return [f for f, _ in pairs], [d for _, d in pairs]


@pytest.mark.parametrize("cohort", list(STORAGE["cohorts"]))
def test_classes_of_four_cohorts_are_those_counted_apart(cohort):
    features = STORAGE["cohorts"][cohort]
    for name, told in features.items():
        row = kano(of_pairs({name: unrolled(told["answers"])}), replicates=100).table.row(0, named=True)
        expected = told["expected"]
        assert {c: row[c] for c in expected["counts"]} == expected["counts"]
        assert row["n"] == expected["n"]
        assert row["cs_plus"] == pytest.approx(expected["better"], abs=1e-12)
        assert row["cs_minus"] == pytest.approx(expected["worse"], abs=1e-12)
        assert row["functional"] == pytest.approx(expected["mean_functional_scored"], abs=1e-12)
        assert row["dysfunctional"] == pytest.approx(expected["mean_dysfunctional_scored"], abs=1e-12)


def cells_of(counts):
    """Codes that give counts of classes."""
    where = {c: next((f + 1, d + 1) for f in range(5) for d in range(5) if TABLE[f][d] == c) for c in ORDER}
    pairs = [where[c] for c, n in counts.items() for _ in range(n)]
    return [f for f, _ in pairs], [d for _, d in pairs]


@pytest.mark.parametrize("name", list(CARS["attributes"]))
def test_the_published_example_of_cars(name):
    """stp25stat's help page (10 attributes of a car), printed to three decimals."""
    told = CARS["attributes"][name]
    row = kano(of_pairs({"a": cells_of(told["counts"])}), replicates=100, small=0).table.row(0, named=True)
    assert row["category"] == told["category"]
    for column in ("cs_plus", "cs_minus"):
        assert row[column] == (told[column] if told[column] is None else pytest.approx(told[column], abs=5e-4))
    if "limit" not in told:  # nothing more is published of it
        return
    assert row["fong"] is told["fong"]
    apart, limit = fong_rule(np.array([float(told["counts"].get(c, 0)) for c in ORDER]))
    assert (apart, limit) == (told["difference"], pytest.approx(told["limit"], abs=5e-3))


def test_an_attribute_that_everybody_reverses_has_no_coefficients():
    row = kano(of_pairs({"rust": cells_of({"R": 27})}), replicates=100, small=0).table.row(0, named=True)
    assert row["category"] == "R"
    assert row["cs_plus"] is None
    assert row["cs_minus_low"] is None


def test_ties_go_to_the_class_that_hurts_more():
    assert kano(of_pairs({"a": cells_of({"M": 5, "A": 5})}), replicates=100, small=0).table["category"].item() == "M"
    assert kano(of_pairs({"a": cells_of({"I": 5, "O": 5})}), replicates=100, small=0).table["category"].item() == "O"


def test_support_is_the_share_of_resamples_and_intervals_hold_the_value():
    found = kano(
        of_pairs({"close": cells_of({"M": 21, "O": 19}), "clear": cells_of({"A": 38, "I": 2})}), replicates=2000
    )
    close, clear = found.table.row(0, named=True), found.table.row(1, named=True)
    assert 0.5 < close["support"] < 0.8
    assert clear["support"] == 1.0
    assert close["cs_plus_low"] < close["cs_plus"] < close["cs_plus_high"]
    assert "Attractive: Clear; not decided by these answers: Close." in found.sentences[0].en
    assert "魅力：clear" in found.sentences[0].zh


@pytest.mark.slow
def test_the_interval_of_the_coefficient_covers_it():
    rng = np.random.default_rng(8)
    hits, shares = 0, np.array([0.3, 0.3, 0.2, 0.2])  # M, O, A, I: CS+ = .5
    for _ in range(300):
        drawn = dict(zip("MOAI", rng.multinomial(120, shares).tolist(), strict=True))
        row = kano(of_pairs({"a": cells_of(drawn)}), replicates=300).table.row(0, named=True)
        hits += row["cs_plus_low"] <= 0.5 <= row["cs_plus_high"]
    assert 0.915 <= hits / 300 <= 0.98


def test_half_answered_pairs_do_not_count():
    functional, dysfunctional = cells_of({"M": 10})
    found = kano(of_pairs({"a": ([*functional, 1, None], [*dysfunctional, None, 5])}), replicates=100, small=0)
    assert found.table["n"].item() == 10
    assert found.table["M"].item() == 10


def test_cells_are_classed_apart_so_that_mixtures_show():
    functional, dysfunctional = cells_of({"M": 20, "I": 20})
    answers = of_pairs({"a": (functional, dysfunctional)}, segment=["old"] * 20 + ["new"] * 20)
    assert kano(answers, by=["segment"], replicates=100, small=0).table.select("segment", "category").rows() == [
        ("new", "I"),
        ("old", "M"),
    ]


def test_many_contradictions_are_a_doubt():
    found = kano(of_pairs({"a": cells_of({"M": 18, "Q": 2})}), replicates=100, small=0)
    assert any(n.code == "W-KANO" for n in found.notes)


@pytest.mark.parametrize(
    ("answers", "arguments", "code", "words"),
    [
        (of_pairs({"rust": ([9, 1], [5, 5])}), {}, "E-KANO", "Kf_rust has answers other than 1 to 5: 9"),
        (of_pairs({"a": ([1, 1], [5, 5])}), {"replicates": 10}, "E-SETTING", "too few"),
        (of_pairs({"a": ([1, 1], [5, 5])}), {"attributes": ["b"]}, "E-FORM", 'no item asks about "b"'),
    ],
)
def test_refusals_name_what_is_wrong(answers, arguments, code, words):
    with pytest.raises(Problems) as raised:
        kano(answers, **arguments)
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)


def test_an_attribute_that_nobody_answered_has_no_support_and_no_verdict():
    five = Scale("five", 1, 5)
    items = [Item(f"{f}{k}", "f", five, Text(f"k{k}", f"题{k}"), f"k{k}", f) for f in ("Kf", "Kd") for k in (1, 2)]
    columns = {"Kf1": [1.0, 1, 3], "Kd1": [5.0, 5, 5], "Kf2": [None] * 3, "Kd2": [1.0, 2, 3]}
    frame = pl.DataFrame(columns, schema_overrides={"Kf2": pl.Float64})
    answers = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.select(pl.all().cast(pl.String)))
    row = kano(answers, replicates=100).table.row(1, named=True)
    assert (row["n"], row["category"], row["support"], row["fong"], row["functional"]) == (0, None, None, None, None)


def reversed_codes(pairs):
    """The same answers with 5 for like."""
    return {name: tuple([6 - c for c in codes] for codes in both) for name, both in pairs.items()}


def test_a_coding_that_is_turned_round_is_doubted():
    right = {"bag": cells_of({"M": 5, "O": 30, "A": 20, "I": 5}), "pin": cells_of({"M": 30, "O": 10, "I": 20})}
    assert not [n for n in kano(of_pairs(right), replicates=100).notes if n.code == "W-KANO-TURNED"]
    (said,) = [n for n in kano(of_pairs(reversed_codes(right)), replicates=100).notes if n.code == "W-KANO-TURNED"]
    assert said.say("en").startswith("79% of the answers are reverse or questionable")
    assert "1 = I like it" in said.say("en")
    assert said.say("zh").startswith("79% 的回答为反向或可疑")
    assert "1 = 喜欢" in said.say("zh")


def test_questions_without_their_partner_are_named():
    whole = of_pairs({name: cells_of({"O": 30, "I": 10}) for name in ("bag", "pin", "cap")})
    some = tuple(i for i in whole.codebook.items if i.name not in ("Kd_pin", "Kd_cap"))
    found = kano(csi.Panel(whole.frame, Codebook(some, {}, {}), whole.reasons), replicates=100)
    (said,) = [n for n in found.notes if n.code == "W-FORM"]
    assert said.say("en") == "2 of 3 attributes lack one of the two forms and stay out: pin, cap."
    assert said.say("zh") == "3 个属性中有 2 个缺少其中一种形式，未纳入：pin, cap。"
