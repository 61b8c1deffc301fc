import dataclasses
import sys

import numpy as np
import polars as pl
import pytest

from csi import display
from csi.display import Shown, html, html_from, register_html, significant, table, text, width
from csi.errors import note


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Result(Shown):
    table: pl.DataFrame
    notes: tuple = ()


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Arrays(Shown):
    values: np.ndarray
    name: str = "x"


def test_a_result_shows_its_table_and_notes():
    shown = repr(Result(pl.DataFrame({"brand": ["A"], "index": [76.54321]}), (note("N-X", "doubtful.", "存疑。"),)))
    assert shown.splitlines() == ["Result", "brand  index", "-----  -----", "A      76.54", "* doubtful."]
    assert text(Result(pl.DataFrame({"a": [1]}), (note("N-X", "doubtful.", "存疑。"),)), "zh").endswith("* 存疑。")


def test_a_value_without_a_table_shows_its_fields_and_arrays_by_shape():
    assert repr(Arrays(np.zeros((3, 4)))) == "Arrays(values=<3 x 4>, name='x')"


def test_shown_adds_no_dict():
    assert not hasattr(Arrays(np.zeros(1)), "__dict__")


def test_rooms_register_their_own_text():
    class Own: ...

    text.register(Own, lambda value, lang="en": {"en": "mine", "zh": "我的"}[lang])
    assert (text(Own()), text(Own(), "zh")) == ("mine", "我的")


def test_html_is_none_until_somebody_registers_it():
    class Plain: ...

    class Drawn(Shown):
        __slots__ = ()

    assert html(Plain()) is None
    register_html(Drawn, lambda value, lang: f"<p>{lang}</p>")
    assert Drawn()._repr_html_() == "<p>en</p>"
    assert html(Drawn(), "zh") == "<p>zh</p>"


def test_a_shown_value_without_fields_shows_its_name():
    class Bare(Shown):
        __slots__ = ()

    assert repr(Bare()) == "Bare()"


def test_the_module_with_the_html_is_imported_at_the_first_html_only(tmp_path, monkeypatch):
    (tmp_path / "late_html.py").write_text(
        "from csi.display import register_html\nregister_html(complex, lambda value, lang: '<i>z</i>')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(display, "_HTML_MODULES", [])
    html_from("late_html")
    assert "late_html" not in sys.modules
    assert html(1j) == "<i>z</i>"
    assert "late_html" in sys.modules


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (72.45391, "72.45"),
        (0.5, "0.5"),
        (1.0, "1"),
        (0.0, "0"),
        (-0.123456, "-0.1235"),
        (123456.7, "123457"),
        (9.9999999, "10"),
        (1e-9, "1.000e-09"),
        (float("nan"), "-"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_at_the_prompt(value, shown):
    assert significant(value) == shown


def test_chinese_counts_double_and_combining_marks_nothing():
    assert (width("满意：a"), width("e\u0301")) == (7, 1)


def test_every_line_of_a_table_is_equally_wide():
    frame = pl.DataFrame({"构念": ["满意度", "a"], "n": [250, 3], "值": [1.5, None], "ok": [True, None]})
    lines = table(frame).splitlines()
    assert lines[0].split() == ["构念", "n", "值", "ok"]
    assert lines[2].split() == ["满意度", "250", "1.5", "yes"]
    assert lines[3].split() == ["a", "3", "-", "-"]
    assert width(lines[1]) == width(lines[2])


def test_the_caller_may_print_numbers_and_headings():
    frame = pl.DataFrame({"a": [0.123], "b": [0.456]})
    assert table(frame, lambda x: f"{x:.1f}").splitlines()[2] == "0.1  0.5"
    assert table(frame, {"a": lambda x: f"{x:.0%}"}, {"a": "share"}).splitlines()[::2] == [
        "share      b",
        "  12%  0.456",
    ]


def test_an_empty_table_has_its_headings():
    assert table(pl.DataFrame({"a": [], "bb": []})).splitlines() == ["a  bb", "-  --"]
