"""What a call says of its answers: bad scales and codes are refused, and so are answers outside the scale."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi

MODEL = "use =~ a + b\njoy =~ c + d\njoy ~ use"
KEYS = {"g": ["1", "2"] * 20, "year": [2025, 2026] * 20}


def answers(**columns: object) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    common = rng.normal(size=40)
    made = {k: np.clip(np.round(5.5 + 2 * common + rng.normal(size=40)), 1, 10) for k in "abcd"}
    return pl.DataFrame({**made, **KEYS}).with_columns(**columns)


def refused(*args: object, **kwargs: object) -> list[tuple[str, str, str]]:
    with pytest.raises(csi.Problems) as raised:
        csi.fit(MODEL, *args, **kwargs)  # type: ignore[arg-type]
    return [(p.code, p.where, p.what.en) for p in raised.value.problems]


@pytest.mark.parametrize("by", [(), ("g",)])
def test_answers_outside_the_scale_are_refused_with_item_count_and_values(by: tuple[str, ...]) -> None:
    frame = answers(
        c=pl.when(pl.int_range(40) < 3).then(14).when(pl.int_range(40) == 5).then(0).otherwise("c"),
        d=pl.when(pl.int_range(40) == 7).then(None).when(pl.int_range(40) == 9).then(11).otherwise("d"),
    )
    found = refused(frame, csi.PLS(), by=by, scale=(1, 10))
    assert found == [
        ("E-RANGE", "item c", "4 of 40 answers lie outside its scale 1-10: 0, 14."),
        ("E-RANGE", "item d", "1 of 39 answers lie outside its scale 1-10: 11."),
    ]


def test_declared_codes_and_the_ends_of_the_scale_are_within_it() -> None:
    frame = answers(c=pl.when(pl.int_range(40) == 3).then(99).otherwise("c"))
    assert csi.fit(MODEL, frame, csi.PLS(), na=[99], scale=(1, 10)).moments.n[0] == 39


@pytest.mark.parametrize("kind", ["standardised", "unstandardised", "0-100"])
def test_new_rows_outside_the_scale_are_not_scored(kind: str) -> None:
    est = csi.fit(MODEL, answers(), csi.PLS(), scale=(1, 10))
    new = answers().head(2).with_columns(d=pl.lit(25))
    with pytest.raises(csi.Problems, match="item d: 2 of 2 answers lie outside its scale 1-10: 25"):
        csi.scores(est, new, kind)  # type: ignore[arg-type]
    with pytest.raises(csi.Problems, match="item d"):
        csi.predictions(est, new)


def test_rows_without_a_scale_are_scored_whatever_they_are() -> None:
    est = csi.fit(MODEL, answers(), csi.PLS())
    assert csi.scores(est, answers().head(2).with_columns(d=pl.lit(25))).height == 2


@pytest.mark.parametrize("scale", [(1,), 5, ("a", "b"), (10, 1), (1, 1), (float("nan"), 10), "19", (1, 5, 9)])
def test_what_is_no_scale_is_refused(scale: object) -> None:
    found = refused(answers(), csi.PLS(), scale=scale)
    assert [(code, where) for code, where, _ in found] == [("E-SETTING", "scale")]


def test_codes_of_no_answer_are_numbers() -> None:
    for na in (["x"], "x", None, [None]):
        assert [f[:2] for f in refused(answers(), csi.PLS(), na=na)] == [("E-SETTING", "na")]


def test_one_code_of_no_answer_needs_no_brackets() -> None:
    frame = answers(c=pl.when(pl.int_range(40) == 3).then(-99).otherwise("c"))
    assert csi.fit(MODEL, frame, csi.PLS(), na=-99).moments.n[0] == 39  # type: ignore[arg-type]


def test_rows_are_chosen_by_numbers_as_by_text() -> None:
    for where in ({"year": 2026}, {"year": "2026"}):
        assert csi.fit(MODEL, answers(), csi.PLS(), where=where).moments.n[0] == 20  # type: ignore[arg-type]
    assert [f[:2] for f in refused(answers(), csi.PLS(), where={"g": 3})] == [("E-WHERE", "where")]
    assert [f[:2] for f in refused(answers(), csi.PLS(), where="g")] == [("E-SETTING", "where")]


@pytest.mark.parametrize("ask", [csi.bootstrap, csi.jackknife, csi.index])
def test_what_is_no_estimate_is_told(ask: object) -> None:
    with pytest.raises(csi.Problems, match="an estimate was expected, not str"):
        ask("a")  # type: ignore[operator]


def test_modes_are_of_constructs() -> None:
    with pytest.raises(csi.Problems, match="modes: constructs and their modes are expected, not 'B'"):
        csi.PLS(modes="B")  # type: ignore[arg-type]


def test_draws_of_an_imputation_may_lie_beyond_the_scale() -> None:
    """A fraction beyond the ends of an item answered in whole numbers was drawn, not typed."""
    rng = np.random.default_rng(8)
    f = rng.normal(size=(150, 1))
    rows = np.clip(np.round(7.5 + 1.8 * (f + 0.6 * rng.normal(size=(150, 4)))), 1, 10)
    frame = pl.DataFrame(rows, schema=["a1", "a2", "b1", "b2"])
    holes = frame.with_columns(a2=pl.when(pl.col("a1") > 8).then(None).otherwise("a2"))
    copies = csi.impute(holes, 4, 1)
    assert max(copy["a2"].max() for copy in copies) > 10
    model = "A =~ a1 + a2; B =~ b1 + b2; B ~ A"
    fits = [csi.fit(model, copy, csi.PLS(), scale=(1, 10)) for copy in copies]
    assert all(csi.index(est).table["index"].is_between(0, 100).all() for est in fits)
    for wrong in (99.0, 11.0):
        typed = frame.with_columns(a2=pl.when(pl.int_range(150) == 3).then(wrong).otherwise("a2"))
        with pytest.raises(csi.Problems, match=f"outside its scale 1-10: {wrong:g}"):
            csi.fit(model, typed, csi.PLS(), scale=(1, 10))
    with pytest.raises(csi.Problems, match="outside its scale 0-1"):  # answers that are fractions themselves
        csi.fit(model, frame / 9.7, csi.PLS(), scale=(0, 1))


def test_a_frame_without_rows_has_nothing_outside_its_scale() -> None:
    found = refused(answers().head(0), csi.PLS(), scale=(1, 10))
    assert [(code, where) for code, where, _ in found] == [("E-EMPTY", "data")]
