"""Minimum bases hold wherever an index goes: views, trees, comparability; and all cells may be under the base."""

import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.reporting.soundness import suppressed, unweighed
from csi.survey.bases import Bases

CELLS = ["brand", "wave"]
WAVES = tuple(f"w{i}" for i in range(1, 6))
SMALL = {"B": 12, "C": 60}


@pytest.fixture(scope="module")
def made(model, survey):
    """Three brands in five waves; in the last one B has 12 answers and C 60."""
    rows = survey(waves=WAVES, n=150, brands=("A", "B", "C"))
    last = pl.col("wave") == WAVES[-1]
    place = pl.int_range(pl.len()).over("brand", "wave")
    limit = pl.col("brand").replace_strict(SMALL, default=150)
    rows = rows.filter(~last | (place < limit))
    return csi.index(csi.fit(model, rows, csi.PLS(), by=CELLS, scale=(1, 10), unit="id"), weights="base")


def of(table, brand, wave=WAVES[-1]):
    return table.filter(brand=brand, wave=wave)


@pytest.mark.parametrize("view", ["rolling", "ewma"])
def test_views_leave_small_waves_out(made, view):
    every, kept = csi.smooth(made, "Joy", view), csi.smooth(made, "Joy", view, small=30)
    assert of(every.table, "B").height == 1
    assert of(kept.table, "B").height == 0
    assert of(kept.table, "C").height == 1
    assert of(kept.table, "B", WAVES[3])["smoothed"][0] == of(every.table, "B", WAVES[3])["smoothed"][0]
    assert "fewer than 30 answers, withheld: B w5 (n = 12)" in text(kept, "en")
    assert "样本量不足 30，不予发布" in text(kept, "zh")


def test_control_charts_leave_small_waves_out(made):
    chart = csi.control(made, "Joy", small=30)
    assert of(chart.table, "B").height == 0
    assert chart.table.filter(brand="B").height == 4
    assert any(n.code == "E-BASE" for n in chart.notes)


@pytest.mark.parametrize("view", [csi.smooth, csi.control])
def test_views_of_small_cells_alone_are_refused(made, view):
    with pytest.raises(Problems) as found:
        view(made, "Joy", small=1000)
    assert found.value.problems[0].code == "E-BASE"
    assert "every cell has fewer than 1000 answers (the largest has 150)" in str(found.value)


def test_pairs_with_a_small_cell_have_no_difference(made):
    pairs = csi.comparable(made, ["brand"], ["Joy"], small=30).pairs.filter(wave=WAVES[-1])
    small = (pl.col("cell_1") == "B") | (pl.col("cell_2") == "B")
    assert pairs.filter(small)["difference"].null_count() == 2
    assert pairs.filter(~small)["difference"].null_count() == 0


def test_tables_lose_numbers_and_say_why(made):
    told = suppressed(made.table, Bases())
    few, some = of(told, "B").row(0, named=True), of(told, "C").row(0, named=True)
    for name in ("index", "std_error", "conf_low", "conf_high", "n_effective", "design_effect", "std_error_fixed"):
        assert few[name] is None
        assert some[name] is not None
    assert (few["flag"], some["flag"], of(told, "A")["flag"][0]) == ("suppressed", "small", None)


def test_weights_of_small_cells_are_withheld_but_not_those_of_their_base_wave(made, model, survey):
    rows = survey(waves=WAVES[:2], n=40).filter((pl.col("brand") != "B") | (pl.int_range(pl.len()).over(CELLS) < 12))
    own = csi.index(csi.fit(model, rows, csi.PLS(), by=CELLS, scale=(1, 10)), weights="own")
    kept = unweighed(own.weights, own.cells, 30)
    assert kept.filter(brand="B")["weight"].null_count() == kept.filter(brand="B").height
    assert kept.filter(brand="A")["weight"].null_count() == 0
    assert unweighed(made.weights, made.cells, 30)["weight"].null_count() == 0
