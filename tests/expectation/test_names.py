"""Attributes without labels keep their names, plain items are no attributes, ranges that differ name what to change."""

import polars as pl
import pytest

import csi
from csi.errors import Problems, Text
from csi.expectation.forms import matched
from csi.survey.codebook import Codebook, Item, Scale

SEVEN, TEN = Scale("seven", 1, 7), Scale("ten", 1, 10)


def book(*items):
    frame = pl.DataFrame({i.name: [4.0, 5, 3, 6, 2, 5, 6, 3] for i in items})
    return csi.Panel(frame, Codebook(items, {}, {}), frame.cast(pl.String))


PAIR = (
    Item("p1", "service", SEVEN, Text("", ""), "speed", "P"),
    Item("e1", "service", SEVEN, Text("", ""), "speed", "Ew"),
)


def test_an_attribute_without_labels_is_called_by_its_name():
    found = matched(book(*PAIR), ("P", "Ew"))
    assert found.labels["speed"] == Text("speed", "speed")
    assert found.labels["service"] == Text("service", "service")
    assert csi.gap(book(*PAIR)).labels["speed"].zh == "speed"


def test_plain_items_are_not_attributes_that_lack_a_form():
    plain = (Item("exp1", "expectation", SEVEN, Text("", ""), form="Ew"), Item("q9", "service", SEVEN, Text("", "")))
    assert matched(book(*PAIR, *plain), ("P", "Ew")).lone == {}
    half = Item("p2", "service", SEVEN, Text("", ""), "care", "P")
    assert matched(book(*PAIR, *plain, half), ("P", "Ew")).lone == {"care": ("Ew",)}


def test_forms_of_unlike_range_name_the_items_and_their_scales():
    other = Item("e1", "service", TEN, Text("", ""), "speed", "Ew")
    with pytest.raises(Problems) as found:
        csi.gap(book(PAIR[0], other))
    (one,) = found.value.problems
    assert one.code == "E-SCALE"
    assert "p1 (scale: seven), e1 (scale: ten)" in one.remedy.en
    assert "p1 (scale: seven)、e1 (scale: ten)" in one.remedy.zh
