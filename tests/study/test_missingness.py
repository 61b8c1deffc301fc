"""Absent answers: counts by hand, tests where they belong, treatments as the index has them, nothing of few rows."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems, Text
from csi.moments.little import little
from csi.study.absent_reasons import absent_reasons
from csi.study.fitted import fitted, indexed
from csi.study.treated import Copy, rubin_of_all, rubin_of_cells
from csi.survey import read_panel
from csi.survey.codebook import Codebook, Item, Scale

FIVE = Scale("five", 1, 5, {"9": "dont_know", "8": "refused", "7": "not_asked", "6": "skipped"})


@pytest.fixture
def panel():
    """60 rows of brand x and 20 of y; q1 has each reason, q2 don't know, q3 is not asked of ten."""
    rng = np.random.default_rng(3)
    rows = rng.integers(1, 6, (80, 3)).astype(str)
    rows[0, 0], rows[1, 0], rows[2, 0], rows[3:7, 0] = "9", "8", "6", ""
    rows[10:45, 1], rows[50:60, 2] = "9", "7"
    items = tuple(Item(f"q{k}", "satisfaction", FIVE, Text("", "")) for k in (1, 2, 3))
    book = Codebook(items, {}, {"respondent": "id", "brand": "b"})
    frame = pl.DataFrame({"id": [f"r{i}" for i in range(80)], "b": ["x"] * 60 + ["y"] * 20})
    return read_panel(frame.with_columns(pl.Series(f"q{k + 1}", rows[:, k]) for k in range(3)), book)


def test_reasons_and_items_are_counted(panel):
    found = csi.missingness(panel, small=1)
    one = found.reasons.filter(brand="x", item="q1")
    assert dict(one.select("reason", "absent").iter_rows()) == {
        "dont_know": 1, "refused": 1, "skipped": 1, "empty": 4
    }  # fmt: skip
    assert one["rows"].to_list() == [60] * 4
    items = {r["item"]: r for r in found.items.iter_rows(named=True)}
    assert (items["q1"]["asked"], items["q1"]["n"], items["q1"]["share"]) == (80, 73, pytest.approx(7 / 80))
    assert (items["q3"]["asked"], items["q3"]["n"], items["q3"]["share"]) == (70, 70, 0.0)


def test_reasons_that_few_people_gave_are_told_nowhere(panel):
    found = csi.missingness(panel, small=10)
    assert set(found.reasons.drop_nulls("absent")["item"]) == {"q2", "q3"}
    assert found.reasons["absent"].min() == 10
    assert set(found.reasons.filter(item="q1")["absent"]) == {None}
    assert "N-MISSING-FEW" in [n.code for n in found.notes]
    whole = found.reasons.filter(pl.col("brand").is_null(), item="q2").row(0, named=True)
    assert (whole["reason"], whole["rows"], whole["absent"]) == ("dont_know", 80, 35)


def test_a_reason_that_would_tell_a_small_one_is_left_out_too():
    keys = pl.DataFrame({"brand": ["a"] * 60 + ["b"] * 60})
    why = ["refused"] * 4 + ["skipped"] * 30 + [None] * 26 + ["skipped"] * 35 + [None] * 25
    found, left = absent_reasons(keys, pl.DataFrame({"q": why}), ["brand"], np.ones(120, dtype=bool), 20)
    assert found["absent"].null_count() == found.height == 2
    # skipped of all would tell the 4 who refused
    assert left == 5
    why[4:24] = ["dont_know"] * 20
    found, _ = absent_reasons(keys, pl.DataFrame({"q": why}), ["brand"], np.ones(120, dtype=bool), 20)
    assert found.drop_nulls("absent").select("brand", "reason", "absent").rows() == [(None, "skipped", 45)]


def test_patterns_are_counted_and_few_stand_together(panel):
    found = csi.missingness(panel, small=5).patterns
    assert found.select("absent", "rows").rows() == [("q2", 35), ("", 28), ("q3", 10), ("q1", 7)]
    assert found["share"].sum() == pytest.approx(1.0)
    few = csi.missingness(panel, small=15).patterns
    assert few.select("absent", "patterns", "rows").rows() == [("q2", 1, 35), ("", 1, 28), (None, 2, 17)]


def test_cells_of_few_rows_are_told_nowhere(panel):
    found = csi.missingness(panel, small=30)
    assert set(found.reasons["brand"].drop_nulls()) == {"x"}
    line = found.tests.filter(brand="y").row(0, named=True)
    assert line["p_value"] is None
    assert "below the base of 30" in line["reason"]
    assert found.items["asked"].max() == 60
    assert found.patterns["rows"].sum() <= 60


def test_the_test_leaves_out_what_was_not_asked_of_everyone(panel):
    found = csi.missingness(panel, small=10)
    assert [n.code for n in found.notes] == ["N-MISSING-ASKED", "N-MISSING-FEW"]
    rows = panel.frame.select("q1", "q2").cast(pl.Float64).fill_null(float("nan")).to_numpy()
    line = found.tests.row(0, named=True)
    assert line["items"] == 2
    assert line["statistic"] == pytest.approx(little(rows).statistic, rel=1e-12)


@pytest.fixture(scope="module")
def study():
    return csi.Study.read("data/telecom/study.yaml")


@pytest.fixture(scope="module")
def told(study):
    return csi.missingness(study)


def test_listwise_is_the_published_index(study, told):
    plain = replace(study, settings=replace(study.settings, replicates=0, index_errors="fixed"))
    table = indexed(plain, fitted(plain, plain.panel(), errors=False)).table.filter(construct="satisfaction")
    both = told.treatments.drop_nulls("brand").join(table, on=["brand", "wave"], suffix="_index")
    assert both.height == 48
    assert (both["listwise"] - both["index"]).abs().max() < 1e-9


def test_em_in_the_study_file_gives_the_index_of_em(study):
    plain = replace(study, settings=replace(study.settings, replicates=0, missing="em", index_errors="fixed"))
    table = indexed(plain, fitted(plain, plain.panel(), errors=False)).table.filter(construct="satisfaction")
    found = csi.missingness(plain)
    both = found.treatments.drop_nulls("brand").join(table, on=["brand", "wave"], suffix="_index")
    assert (both["em"] - both["index"]).abs().max() < 1e-6
    assert "missing: em" in found.steps[0].en


def test_treatments_between_which_few_rows_lie_are_not_told(told):
    cells = told.treatments.drop_nulls("brand")
    apart = (cells["n"] - cells["complete"]).to_numpy()
    other = cells.select(pl.any_horizontal(pl.col("available", "em").is_not_null())).to_series().to_numpy()
    assert not other[(apart > 0) & (apart < 30)].any()
    assert cells.filter(pl.col("em").is_null())["reason"].null_count() == 0


def test_imputed_copies_stand_beside(study):
    kept = replace(study, waves=study.waves, settings=replace(study.settings, small=5))
    found = csi.missingness(kept, imputations=3)
    line = found.treatments.drop_nulls("imputed").row(0, named=True)
    assert abs(line["imputed"] - line["em"]) < 0.5
    assert 0 < line["std_error"] < 2
    assert 0 <= line["missing_information"] < 0.2
    every = found.treatments.filter(pl.col("brand").is_null() & pl.col("wave").is_null()).row(0, named=True)
    assert 0 < every["std_error"] < line["std_error"] / 3
    said = next(n.text for n in found.notes if n.code == "N-MISSING-COPIES")
    assert said.en.startswith("3 copies, each drawn from")
    assert "不存在链的收敛问题" in said.zh


def test_copies_are_pooled_as_by_hand():
    """W = s2 / n = 1 / 3 in both copies, B = 1 / 2, T = 1 / 3 + 3 / 2 x 1 / 2 = 13 / 12, r = 9 / 4."""
    unit, weight = np.arange(3), np.ones(3)
    drawn = [Copy({("x",): (np.array([1.0, 2, 3]) + k, weight, unit)}, unit * 0) for k in (0, 1)]
    value, error, missing = rubin_of_cells(drawn)[("x",)]
    df = (1 + 4 / 9) ** 2
    assert (value, error) == pytest.approx((2.5, np.sqrt(13 / 12)))
    assert missing == pytest.approx((9 / 4 + 2 / (df + 3)) / (13 / 4))
    assert rubin_of_all(drawn, {("x",): 7.0}) == pytest.approx((error, missing))


@pytest.mark.parametrize("bad", [3, None, [1], "no/such/study.yaml", pl.DataFrame({"x": ["a"]})])
def test_something_else_is_told(bad):
    with pytest.raises(Problems):
        csi.missingness(bad)


def test_an_unknown_item_is_told(panel):
    with pytest.raises(Problems, match='no item "q9"'):
        csi.missingness(panel, ["q9"])
