"""A p-value that no permutation or resample reached prints as a bound: in tables, workbooks, grids and sentences."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli.grids import grid
from csi.errors import Text
from csi.estimate.shown import least_of
from csi.reporting.section import Column, Headline, Report, Section, Table
from csi.reporting.tables import rows
from csi.reporting.words import p_said
from csi.reporting.xlsx import workbook

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FRAME = pl.DataFrame({"p": [0.002, 0.004, None], "p_holm": [0.004, 0.004, None]})
COLUMNS = (Column("p", Text("p", "p"), "p", 1 / 500), Column("p_holm", Text("p", "p"), "p", 1 / 500, "p"))
TABLE = Table("t", Text("t", "t"), FRAME, COLUMNS)


@pytest.fixture(scope="module")
def groups():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((160, 1))
    g = np.repeat([0, 1], 80)
    y = np.where(g == 0, 0.9, -0.9)[:, None] * x + 0.3 * rng.standard_normal((160, 1))
    items = np.hstack([x + 0.3 * rng.standard_normal((160, 2)), y + 0.3 * rng.standard_normal((160, 2))])
    frame = pl.DataFrame(items, schema=["x1", "x2", "y1", "y2"]).with_columns(g=pl.Series(g).cast(pl.String))
    return csi.fit("X =~ x1 + x2; Y =~ y1 + y2; Y ~ X", frame, csi.PLS(), by="g")


def test_tables_and_grids_bound_what_no_draw_reached():
    assert rows(TABLE, "en") == [["≤ .002", "≤ .004"], [".004", ".004"], ["–", "–"]]
    made = grid(FRAME, {"p": "p", "p_holm": "p"}, "zh", least={"p": (1 / 500, ""), "p_holm": (1 / 500, "p")})
    assert made.rows == (("≤ 0.002", "≤ 0.004"), ("0.004", "0.004"), ("–", "–"))
    assert p_said(1 / 300, 1 / 300).zh == "p ≤ 0.004"


def test_a_workbook_keeps_the_number_and_shows_the_bound():
    nan, none = float("nan"), Text("", "")
    section = Section("s", Text("s", "s"), none, tables=(TABLE,))
    report = Report(none, Headline(none, none, nan, nan, nan, (), none), (section,), {})
    assert formats_of(workbook(report, ("en",)), 0.002) == ['"≤ "0.0000']


def formats_of(book, value):
    """Number formats of the cells of a workbook that hold a number."""
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        style = ET.fromstring(parts.read("xl/styles.xml"))  # noqa: S314 - our own file
        names = [n for n in parts.namelist() if n.startswith("xl/worksheets/")]
        sheets = [ET.fromstring(parts.read(n)) for n in names]  # noqa: S314 - our own file
    codes = {f.get("numFmtId"): f.get("formatCode") for f in style.iter(f"{MAIN}numFmt")}
    used = [codes.get(x.get("numFmtId")) for x in style.find(f"{MAIN}cellXfs")]
    cells = [c for sheet in sheets for c in sheet.iter(f"{MAIN}c") if c.find(f"{MAIN}v") is not None]
    numbers = [c for c in cells if c.get("t") is None and float(c.find(f"{MAIN}v").text) == value]
    return [used[int(c.get("s"))] for c in numbers]


def test_groups_of_composites_bound_their_p_values(groups):
    found = csi.mga(groups, 99, 1, bootstraps=0)
    path = found.table.filter(kind="path")
    assert path["p_permutation"][0] == found.micom.least == 0.01
    assert "≤ 0.010" in str(found)
    assert "= 0.010" not in " ".join(s.en for s in found.micom.sentences.values())


def test_replicates_bound_the_p_values_of_parameters(groups):
    drawn = csi.bootstrap(groups, 199, seed=1, interval="percentile")
    assert least_of(drawn) == pytest.approx(2 / 200)
    assert "≤ 0.010" in str(drawn)
    assert "≤ 0.010" in str(csi.effects(drawn))
    assert "\\leq" in drawn.to_latex() or "≤ .010" in drawn.to_latex()
    assert least_of(replace(drawn, interval="t")) == 0.0


def test_pairs_of_drivers_bound_theirs():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((150, 2))
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": X[:, 0] + 0.1 * rng.standard_normal(150)})
    found = csi.key_drivers(frame, "y", ["a", "b"], replicates=100)
    assert found.pairs["p_value"][0] == pytest.approx(found.least, rel=1e-6)
    assert found.least == pytest.approx(2 / 101)
    assert "≤ 0.020" in str(found)
    assert "≤" in found.to_latex("pairs") or "leq" in found.to_latex("pairs")
