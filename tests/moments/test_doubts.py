"""Notes on answers: infinite values, rows without a unit."""

import polars as pl
import pytest

from csi.moments.sample import sample_of

INF = float("inf")


def told(sample, code):
    return [n.text.en for n in sample.notes if n.code == code]


def frame(**more):
    return pl.DataFrame({"a": [1.0, INF, 3, -INF, 5, 2], "b": [1, 2, 3, 4, 5, 7], **more})


@pytest.mark.parametrize("design", [{}, {"unit": "c"}])
def test_infinite_values_are_absent_and_counted(design):
    sample = sample_of(frame(c=["u", "u", "v", "v", "w", "w"]), ["a", "b"], **design)
    assert told(sample, "N-INFINITE") == ["infinite values count as absent: a (2)."]
    assert len(sample.rows) == 4
    assert told(sample_of(frame(), ["b"]), "N-INFINITE") == []


def test_rows_without_a_unit_are_counted_where_they_stay():
    sample = sample_of(frame(c=["u", None, "v", "v", None, None]), ["a", "b"], unit="c")
    assert told(sample, "N-UNIT-ABSENT") == [
        '2 of 4 rows have no value in "c"; each of them is a unit (cluster) of its own.'
    ]
    assert len(set(sample.unit.tolist())) == 4
    assert told(sample_of(frame(c=list("uuvvww")), ["b"], unit="c"), "N-UNIT-ABSENT") == []


def test_tiny_weights_are_told_that_they_are_rounded():
    frame = pl.DataFrame({"q1": [1, 2, 3, 4], "w": [1.0, 1.0, 2.0, 1.234e-5]})
    sample = sample_of(frame, ["q1"], weight="w")
    (said,) = (n for n in sample.notes if n.code == "N-WEIGHT-GRID")
    assert said.text.en.startswith("1 weight is tiny")
    kept = sample_of(frame.head(3), ["q1"], weight="w")
    assert not any(n.code == "N-WEIGHT-GRID" for n in kept.notes)
