"""Classes with few answers: a change is not told by class where one of them could be read off."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi

MODEL = csi.Model.parse("use =~ a + b\njoy =~ c + d\njoy ~ use")


@pytest.fixture(scope="module")
def source() -> tuple[csi.Index, pl.DataFrame]:
    """Two brands in two waves; in brand A three people of the class vip in each wave, in B forty."""
    rng = np.random.default_rng(4)
    rows = []
    for brand, vip in (("A", 3), ("B", 40)):
        for wave in ("w1", "w2"):
            level = rng.normal(6, 1.5, 120)
            answers = np.clip(np.round(level[:, None] + rng.normal(0, 1, (120, 4))), 1, 10)
            rows += [(brand, wave, "vip" if k < vip else "mass", *answers[k]) for k in range(120)]
    frame = pl.DataFrame(rows, ["brand", "wave", "kind", "a", "b", "c", "d"], orient="row")
    return csi.index(csi.fit(MODEL, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10))), frame


def test_a_class_of_three_people_is_not_told(source: tuple[csi.Index, pl.DataFrame]) -> None:
    found = csi.decompose(source[0], by="kind", data=source[1], construct="joy", small=30)
    assert found.classes["brand"].unique().to_list() == ["B"]
    assert found.table.filter(brand="A", part="total")["change"].null_count() == 0
    told = [n for n in found.notes if n.code == "W-CLASS-SMALL"]
    assert [n.text.en for n in told] == [
        "1 of 2 changes is not told by kind: a class has fewer than 30 answers in a wave."
    ]
    assert "少于 30 份" in told[0].text.zh


def test_without_a_base_every_class_is_told(source: tuple[csi.Index, pl.DataFrame]) -> None:
    found = csi.decompose(source[0], by="kind", data=source[1], construct="joy")
    assert sorted(found.classes["brand"].unique().to_list()) == ["A", "B"]
    assert not [n for n in found.notes if n.code == "W-CLASS-SMALL"]
