"""Grids line up whatever the script; values become JSON without loss."""

import numpy as np
import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import grid
from csi.cli.output import as_text, lines, plain
from csi.display import width
from csi.errors import Text, note


def test_columns_line_up_with_wide_characters():
    made = lines(Grid(("品牌", "index"), (("中讯", "78.1"), ("Yun'an", "7.5")), ("<", ">"), "标题"))
    assert made[0] == "标题"
    assert len({width(line) for line in made[1:]}) == 1


def test_a_grid_prints_through_the_formats_of_reporting():
    frame = pl.DataFrame({"brand": ["A"], "index": [78.0649], "p_value": [0.00001], "n": [2642], "gone": [None]})
    made = grid(frame, {"brand": "text", "index": "score", "p_value": "p", "n": "count", "gone": "number"}, "en")
    assert made.rows[0][:4] == ("A", "78.1", "< .001", "2,642")
    assert made.align == ("<", ">", ">", ">", ">")


def test_labels_are_translated():
    made = grid(pl.DataFrame({"brand": ["A"]}), {"brand": "text"}, "zh", texts={"A": Text("Zhongxun", "中讯")})
    assert (made.headings, made.rows) == (("品牌",), (("中讯",),))


def test_a_note_is_said_once():
    twice = note("N-X", "doubtful.", "存疑。")
    assert as_text(Answer(("a",), {}, notes=(twice, twice)), "en") == "a\nNote: doubtful."


def test_values_as_json():
    frame = pl.DataFrame({"x": [1.5, float("nan"), None]})
    assert plain(frame) == [{"x": 1.5}, {"x": None}, {"x": None}]
    assert plain(np.array([[1.0, np.inf]])) == [[1.0, None]]
    assert plain(np.float64(0.1)) == 0.1
    assert plain(Text("a", "甲")) == {"en": "a", "zh": "甲"}
