"""Waves named after dates: one way of writing stands in time, several ways are told with their rows."""

import polars as pl
import pytest

from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.read import read_panel
from csi.survey.wave_names import name_problem, named_order

BOOK = Codebook((Item("q", "s", Scale("five", 1, 5), Text("q", "q")),), {}, {"wave": "w"})


def panel(waves, order=()):
    return read_panel(pl.DataFrame({"w": waves, "q": [1, 2, 3, 4, 5, 2][: len(waves)]}), BOOK, waves=order)


def refused(waves):
    with pytest.raises(Problems) as error:
        panel(waves)
    return [p for p in error.value.problems if p.code == "E-WAVE-DATES"]


def test_one_day_in_three_formats_is_one_clear_message():
    (found,) = refused(["2026-01-15", "15/01/2026", "2026年1月", "2026-01-15"])
    assert found.where == "frame, column w"
    assert "3 ways" in found.what.en
    for part in ('year-month-day, "2026-01-15" (2 answers, from row 0)', '"15/01/2026"', '"2026年1月"', "from row 2"):
        assert part in found.what.en
    assert "3 种写法" in found.what.zh
    assert "始于第 1 行" in found.what.zh
    assert "waves: {order: [" in found.remedy.en


@pytest.mark.parametrize(
    "waves",
    [
        ["2026Q1", "2026 Q2"],
        ["2026-01", "2026/02"],
        ["202601", "2026-02"],
        ["2026Q1", "2026-02"],
        ["13/01/2026", "01/14/2026"],
        ["2026-9", "2026-09"],
        ["２０２６Ｑ１", "2026Q1"],
        ["03/04/2026", "02/05/2026"],
        ["24/01/05", "23/02/06"],
        ["pilot", "15/01/2026", "03/02/2026"],
    ],
)
def test_dates_whose_order_cannot_be_told_are_refused(waves):
    assert len(refused(waves)) == 1


@pytest.mark.parametrize(
    "waves",
    [
        ["15/12/2025", "03/02/2026", "20/03/2026"],
        ["Q4 2025", "Q1 2026", "Q2 2026"],
        ["2026年第一季度", "2026年第二季度", "2026年第三季度", "2026年第四季度"],
        ["2025年上半年", "2025年下半年"],
        ["Dec 2025", "January 2026", "Feb 2026"],
        ["12/2025", "2/2026", "10/2026"],
        ["07_2015", "03_2016"],
        ["2025-9-1", "2025-10-1"],
        ["2024", "2025", "2026Q1", "2026Q2"],
        ["wave 2", "wave 10"],
        ["pilot", "2026Q1", "2026Q2"][1:],
        ["2025-12-31 23:00:00", "2026-01-01 01:00:00"],
    ],
)
def test_one_way_of_writing_stands_in_the_order_of_time(waves):
    assert panel(waves[::-1]).waves == tuple(waves)


def test_an_order_that_is_stated_stands():
    waves = ["2026年1月", "15/01/2026"]
    assert panel(waves[::-1], waves).waves == tuple(waves)


def test_names_that_are_no_dates_are_left_alone():
    assert not list(name_problem(dict.fromkeys(["1.2", "W1", "2024 spring", "A/B"], (1, Text("", ""))), ""))
    assert named_order("brand", ["15/01/2026", "03/02/2026"]) == ("03/02/2026", "15/01/2026")
