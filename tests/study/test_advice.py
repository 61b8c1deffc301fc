"""The advice of a validation: what stands, what only follows from another fault, and what is not asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import csi
from csi.catalogue.advice import rules
from csi.errors import Problems
from csi.measures.answered import answered
from csi.measures.questionnaire.advice import Finding, advice_table
from csi.measures.questionnaire.biased import of_bias
from csi.measures.questionnaire.factor_model import factor_model
from csi.measures.questionnaire.findings import of_factors, of_items, of_pairs, of_ranges
from csi.measures.questionnaire.settled import settled, usable
from csi.measures.questionnaire.shortened import recommended, unsound
from csi.reporting.validation.build import told_sections

TWO = {"f": ["a1", "a2", "a3", "a4"], "g": ["b1", "b2", "b3", "b4"]}


def few_scales(n: int = 300) -> pl.DataFrame:
    """Two scales of four items, all sound."""
    rng = np.random.default_rng(3)
    latent = rng.normal(size=(n, 2)) @ np.array([[1.0, 0.5], [0.0, 0.87]])
    rows = 0.75 * np.repeat(latent, 4, axis=1) + 0.66 * rng.normal(size=(n, 8))
    return pl.DataFrame(
        1 + np.searchsorted([-1.2, -0.4, 0.4, 1.2], rows), schema=[f"{c}{k}" for c in "ab" for k in "1234"]
    )


@pytest.mark.parametrize("item", ["b1", "b4"])
def test_one_item_that_runs_backwards_is_reversed_and_nothing_else_is_blamed(item: str) -> None:
    frame = few_scales().with_columns((6 - pl.col(item)).alias(item))
    rows = answered(frame, TWO)
    told = csi.items(frame, TWO)
    factors = factor_model(frame, rows, ordinal=False)
    found = [*of_items(told), *of_pairs(told), *of_factors(factors), Finding("unreliable", "g", 0.4, kind="construct")]
    advice = advice_table(settled(found, rows), TWO)
    spoken_ = advice.filter(name=item, action="reverse")
    assert spoken_["value"].item() < spoken_["limit"].item()
    assert set(advice.filter(pl.col("name") != item)["action"]) <= {"keep", "look"}
    assert item in usable(advice).en
    loadings = dict(factors.loadings.select("item", "loading").rows())
    assert {i for i, value in loadings.items() if value < 0} == {item}


def test_so_few_answers_give_no_advice_by_numbers() -> None:
    frame = few_scales(20)
    found = advice_table(settled(of_items(csi.items(frame, TWO)), answered(frame, TWO)), TWO)
    assert set(found["rule"]) == {"few", ""}
    assert "too few answers" in usable(found).en
    ordinal = csi.consistency(frame, TWO, n=0).table.filter(coefficient="alpha_ordinal")
    assert ordinal["conf_low"].null_count() == ordinal.height
    assert set(ordinal["reason"]) == {"few_for_polychorics"}


def test_an_item_nobody_answered_has_one_line() -> None:
    frame = few_scales().with_columns(b1=pl.lit(None, dtype=pl.Float64), b2=20 * pl.col("b2"))
    rows = answered(frame, TWO)
    weak = Finding("unreliable", "g", 0.4, kind="construct")
    found = advice_table(settled([*of_items(csi.items(frame, TWO)), *of_ranges(rows), weak], rows), TWO)
    assert found.filter(name="b1")["rule"].to_list() == ["unanswered"]
    assert found.filter(name="g")["rule"].to_list() == ["ranges"]


@pytest.mark.parametrize(
    ("classes", "rule", "value"),
    [
        (("A", "CC", 0.01, -0.267, 0.3), "bias_unsure_smd", -0.267),
        (("C", "AA", 0.08, -0.1, 0.3), "bias_unsure", 0.08),
        (("C", "BB", 0.08, -0.2, 0.3), "bias", 0.08),
        (("B", "CC", 0.05, -0.3, 0.3), "bias_smd", -0.3),
        (("A", "B", 0.01, -0.3, -1.2), "bias_some_delta", -1.2),
        ((None, "C", None, -0.3, -1.8), "bias_delta", -1.8),
    ],
)
def test_bias_is_told_by_the_measure_that_decided(classes, rule: str, value: float) -> None:
    row = dict(zip(("class_jodoin", "class_ets", "r2", "smd_standardised", "delta"), classes, strict=True))
    row |= {"flagged": True, "item": "q", "effect": None, "smd": -0.2, "reference": "zh", "focal": "en"}
    (found,) = of_bias(SimpleNamespace(table=pl.DataFrame([row])))
    assert (found.rule, found.value, found.other) == (rule, value, "zh")
    assert abs(found.value) >= rules()[rule].limit


def test_items_that_say_nothing_leave_the_rest_to_be_computed() -> None:
    frame = few_scales(120).with_columns(b1=pl.lit(3.0), a4=pl.lit(None, dtype=pl.Float64))
    found = csi.validate(frame, TWO, draws=0, scale=(1, 5), short=9)
    assert set(found.correlations.names) == {"a1", "a2", "a3", "b2", "b3", "b4"}
    assert found.factors is not None
    assert "a4, b1" in next(n for n in found.notes if n.code == "N-ITEMS-FLAT").text.en
    assert set(found.absent) == {"short"}
    assert "more than 9 items" in found.absent["short"][0].what.en
    assert told_sections(found)


def test_no_short_form_is_recommended_below_its_limits_or_of_items_that_should_go() -> None:
    frame = few_scales(150).with_columns(b2=pl.col("b1"), a4=pl.Series(np.random.default_rng(1).integers(1, 6, 150)))
    advice = advice_table([Finding("loading_low", "a4", 0.1), Finding("redundant", "b2", 1.0, "b1")], TWO)
    out = unsound(advice, csi.items(frame, TWO), ())
    assert "a4" in out
    assert len({"b1", "b2"} & set(out)) == 1
    assert unsound(advice, None, ("a4", "b1", "b2")) == ()
    found = recommended(csi.short_form(frame, TWO, k={"f": 2, "g": 3}, replicates=0))
    for row in found.table.filter("chosen").iter_rows(named=True):
        assert row["held_alpha"] >= 0.7
        assert row["r_share"] >= 0.95
    assert "no form of 2 items" in " ".join(n.text.en for n in found.notes)
    assert "f" not in found.chosen


def test_a_study_is_not_told_how_to_read_its_answers() -> None:
    with pytest.raises(Problems) as raised:
        csi.validate("data/telecom/study.yaml", na=[5], scale=(1, 4))
    assert [p.where for p in raised.value.problems] == ["na", "scale"]
