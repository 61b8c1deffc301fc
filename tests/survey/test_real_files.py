"""Real exports: declared codes and blanks of mobi, satisfaction and airlinesat (row-level, in CSI_REFERENCE_DIR)."""

import os
from pathlib import Path

import polars as pl
import pytest

from csi.errors import Problems, Text
from csi.survey import Rules, read_panel
from csi.survey.codebook import Codebook, Item, Scale


@pytest.fixture(scope="module")
def data():
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder:
        pytest.skip("row-level data: set CSI_REFERENCE_DIR to the folder that holds data/ and reference/")
    return Path(folder) / "data"


def book(names, scale):
    return Codebook(tuple(Item(name, "x", scale, Text("", "")) for name in names), {}, {})


def test_mobi_with_a_missing_code(data):
    file = data / "mobi" / "mobi_missing99.csv"
    raw = pl.read_csv(file)
    panel = read_panel(file, book(raw.columns, Scale("ten", 1, 10, {"-99": "skipped"})))
    coded = sum((raw[name] == -99).sum() for name in raw.columns)
    assert coded == next(e.cells for e in panel.audit if e.rule == "skipped")
    kept = raw.with_columns(pl.all().replace(-99, None).cast(pl.Float64))
    assert panel.frame.equals(kept)


def test_mobi_with_its_code_undeclared(data):
    file = data / "mobi" / "mobi_missing99.csv"
    with pytest.raises(Problems) as error:
        read_panel(file, book(pl.read_csv(file).columns, Scale("ten", 1, 10)))
    assert {p.code for p in error.value.problems} == {"E-RANGE"}
    assert len(error.value.problems) == 24


def test_satisfaction_with_blanks(data):
    file = data / "satisfaction" / "satisfaction_missing.csv"
    raw = pl.read_csv(file)
    names = [name for name in raw.columns if name != "gender"]
    keyed = Codebook(book(names, Scale("eleven", 0, 10)).items, {}, {"segment": "gender"})
    panel = read_panel(file, keyed, rules=Rules(straight_lining="off"))
    assert panel.frame.height == 250
    assert next(e.cells for e in panel.audit if e.rule == "empty") == sum(raw[name].null_count() for name in names)
    assert sorted(panel.frame["segment"].unique()) == ["female", "male"]


def test_airlinesat_expectation_and_satisfaction_pairs(data):
    file = data / "airlinesat" / "airlinesat.csv"
    raw = pl.read_csv(file)
    hundred = Scale("hundred", 1, 100)
    items = [
        Item(f"{kind}{i}", "service", hundred, Text("", ""), f"a{i}", form)
        for i in range(1, 24)
        for kind, form in (("e", "Ew"), ("s", "P"))
    ]
    panel = read_panel(file, Codebook(tuple(items), {}, {}))
    for name in ("e1", "s1", "e23", "s23"):
        assert panel.frame[name].count() == raw[name].count()
        assert panel.frame[name].mean() == pytest.approx(raw[name].mean(), rel=1e-12)
