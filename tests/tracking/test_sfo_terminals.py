"""Four real waves by terminal: the index against R's means, changes and their parts against the note of what they say.

Provenance: tests/reference/sfo_terminals/provenance.json.
"""

import json
import os
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi

from .sfo_terminals import answers, fitted

HERE = Path(__file__).parents[1] / "reference/sfo_terminals"
ROWS = Path(os.environ.get("CSI_REFERENCE_DIR", "/nowhere")) / "data/sfo_2010_2013"
NOTE = (HERE / "README.md").read_text("utf-8")
pytestmark = pytest.mark.skipif(not ROWS.exists(), reason="CSI_REFERENCE_DIR names no reference data")


@pytest.fixture(scope="module")
def rows():
    return answers(ROWS)


@pytest.fixture(scope="module")
def made(rows):
    return csi.index(fitted(rows), weights="wave")


def printed(heading):
    """The rows of the note's table below a heading cell: name -> numbers."""
    block = NOTE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    return {cells[0]: [re.findall(r"-?\d+\.\d+", c) for c in cells[1:]] for cells in lines}


def test_satisfaction_is_r_s_mean_rescaled(made):
    table = made.table.filter(construct="satisfaction")
    means = {(r["brand"], r["wave"]): r["mean"] for r in json.loads((HERE / "means.json").read_text("utf-8"))}
    assert len(means) == table.height == 15
    for brand, wave, value in table.select("brand", "wave", "index").iter_rows():
        assert value == pytest.approx(25 * (means[brand, wave] - 1), abs=1e-9)


@pytest.mark.parametrize("construct", ["satisfaction", "wayfinding"])
def test_the_note_s_indices(made, construct):
    found = {r["brand"] + r["wave"]: r for r in made.table.filter(construct=construct).iter_rows(named=True)}
    seen = 0
    for terminal, cells in printed(construct).items():
        for wave, numbers in zip(("2010", "2011", "2012", "2013"), cells, strict=True):
            if numbers:
                row = found[terminal + wave]
                assert [row["index"], row["std_error"]] == pytest.approx([float(n) for n in numbers], abs=0.0501)
                seen += 1
    assert seen == 15


def test_the_note_s_changes_and_parts(made, rows):
    moved = csi.changes(made, ["wayfinding", "satisfaction"], ["previous"], per_year=1).table
    assert moved.filter("significant").select("brand", "wave", "construct").rows() == [
        ("INT", "2012", "wayfinding"),
        ("T3", "2011", "wayfinding"),
    ]
    found = csi.decompose(made, by="daytime", construct="wayfinding", data=rows)
    parts = found.table.drop_nulls("change").pivot(on="part", index=["brand", "wave"], values="change")
    np.testing.assert_allclose(
        parts["means"] + parts["weights"] + parts["composition"], parts["total"], rtol=0, atol=1e-10
    )
    told = printed("way-finding")
    assert len(told) == parts.height == 11
    for row in parts.iter_rows(named=True):
        change, _, means, composition, weights = told[f"{row['brand']} {row['wave']}"]
        said = [float(v[0]) for v in (change, means, composition, weights)]
        assert [row[p] for p in ("total", "means", "composition", "weights")] == pytest.approx(said, abs=0.0501)
    assert "N-NEW-CELL" in [n.code for n in found.notes]


def test_the_airport_s_mix_of_terminals(rows):
    made = csi.index(fitted(rows, ("wave",)), weights="wave")
    found = csi.decompose(made, by="brand", construct="wayfinding", data=rows)
    first = found.table.filter(wave="2011")
    assert 'brand "T2" answered in 2010' in first["reason"][0]
    row = found.table.filter(wave="2012", part="composition")
    assert [row["change"][0], row["std_error"][0]] == pytest.approx([0.25, 0.27], abs=0.005)
    total = found.table.filter(wave="2012", part="total")
    assert [total["change"][0], total["std_error"][0]] == pytest.approx([2.2, 0.6], abs=0.0501)


def test_an_office_breaks_the_series_in_2011(made):
    table = csi.changes(made, "wayfinding", ["previous"], per_year=1, breaks=[csi.Break("2011", "questionnaire")]).table
    assert table.filter(wave="2011")["change"].null_count() == 4
    assert table.filter(pl.col("wave") != "2011")["change"].null_count() == 0
