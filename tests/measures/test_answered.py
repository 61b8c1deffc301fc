"""The door of row-level measures: scales named in every way, rows kept, what does not answer counted by reason."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.answered import answered
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.read import read_panel

FRAME = pl.DataFrame(
    {"q1": [1, 2, None, 5], "q2": [3, 4, None, 1], "q3": [1, None, None, 2], "sex": ["m", "f", "f", "m"]}
)


@pytest.mark.parametrize(
    "scales",
    [
        {"a": ["q1", "q2"], "b": ["q3"]},
        {"a": ("q1", "q2"), "b": "q3"},
        "a =~ q1 + q2\nb =~ q3",
        csi.Model.parse("a =~ q1 + q2\nb =~ q3"),
    ],
)
def test_scales_are_named_in_any_way(scales: object) -> None:
    found = answered(FRAME, scales)
    assert dict(found.scales) == {"a": ("q1", "q2"), "b": ("q3",)}
    assert found.names == ("q1", "q2", "q3")
    assert found.of("a").shape == (3, 2)
    assert found.of("b").shape == (3, 1)


def test_keys_stay_beside_their_rows() -> None:
    found = answered(FRAME, ["q1", "q2", "q3"], keys=["sex"])
    said = dict(zip(found.rows[:, 0].tolist(), found.keys["sex"].to_list(), strict=True))
    assert said == {1.0: "m", 2.0: "f", 5.0: "m"}
    assert found.reasons == {"q1": {}, "q2": {}, "q3": {"missing": 1}}


def test_a_panel_brings_constructs_bounds_labels_reversals_and_reasons() -> None:
    five = Scale("five", 1, 5, {"9": "dont_know"})
    items = [Item(f"t{k}", "trust", five, csi.errors.Text(f"T{k}", f"信{k}"), reverse=k == 2) for k in (1, 2, 3)]
    book = Codebook(tuple(items), {"trust": csi.errors.Text("Trust", "信任")}, {})
    panel = read_panel(pl.DataFrame({"t1": [1, 2, 9], "t2": [5, 4, 1], "t3": [1, 2, 4]}), book)
    found = answered(panel)
    assert dict(found.scales) == {"trust": ("t1", "t2", "t3")}
    assert found.reversed == {"t2"}
    assert sorted(found.rows[:, 1].tolist()) == [1.0, 2.0, 5.0]
    assert found.maximum.tolist() == [5.0, 5.0, 5.0]
    assert found.reasons["t1"] == {"dont_know": 1}
    assert found.label("trust").zh == "信任"
    assert np.isnan(found.rows).sum() == 1


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        (None, "a panel, or scales for a frame, was expected"),
        ({}, "no scale was named"),
        (3, "construct -> items, a list of items or a model was expected"),
        ({"a": ["q1", "q1"], "b": []}, "q1 stands twice"),
        (["q1", "q9"], 'column "q9"'),
    ],
)
def test_what_names_no_scale_is_told(scales: object, said: str) -> None:
    with pytest.raises(csi.Problems) as found:
        answered(FRAME, scales)
    assert said in str(found.value)
    assert all(p.what.zh for p in found.value.problems)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(csi.Problems) as found:
        answered(FRAME, {"a": ["q1", "q1"], "b": []})
    assert len(found.value.problems) == 2


def test_an_unknown_key_column_is_told() -> None:
    with pytest.raises(csi.Problems, match='column "gender"'):
        answered(FRAME, ["q1", "q2"], keys=["gender"])
