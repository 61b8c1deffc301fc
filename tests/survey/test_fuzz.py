"""Whatever stands in a file, it is read or one clear message says why not: no other exception, ever."""

import csv
import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import csi
from csi.survey import DataFile, read_panel
from csi.survey.readers.arrow_buffers import swollen

from . import damaged

KINDS = ("a.csv", "b.csv", "c.xlsx", "d.parquet", "e.sav", "f.arrow", "g.dta")
FEW = 40
"""Damaged copies of each kind at every run; `make check-slow` reads 10,000."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return damaged.exports(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("kind", KINDS)
def test_whole_exports_are_read(whole, kind, tmp_path):
    path = tmp_path / kind
    path.write_bytes(whole[kind])
    file = DataFile(path, encoding="gb18030" if kind == "b.csv" else "")
    assert read_panel(file, damaged.BOOK).frame.height == damaged.answers().height


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_exports_are_read_or_refused(whole, kind, tmp_path, capfd):
    ends = {damaged.of_export(tmp_path / kind, damaged.damaged(whole[kind], f"{k} {kind}")) for k in range(FEW)}
    assert ends <= {"read", "told"}
    assert "told" in ends
    assert "panicked" not in capfd.readouterr().err


@pytest.mark.parametrize(("kind", "seed"), [("zstd", 1876), ("uncompressed", 6293), ("stream", 1060)])
def test_an_arrow_file_that_asks_for_all_memory_is_refused(tmp_path, kind, seed):
    """Each of these ended the process: a damaged byte asks polars for terabytes."""
    out, frame = io.BytesIO(), damaged.answers()
    frame.write_ipc_stream(out) if kind == "stream" else frame.write_ipc(out, compression=kind)
    name = {"zstd": "z.arrow", "uncompressed": "f.arrow", "stream": "g.arrows"}[kind]
    content = damaged.damaged(out.getvalue(), f"{seed} {name}")
    assert swollen(content)
    assert not swollen(out.getvalue())
    assert damaged.of_export(tmp_path / "a.arrow", content) == "told"


def test_damaged_studies_are_read_or_refused(tmp_path):
    assert damaged.outcome(lambda: csi.Study.read(tmp_path / "none.yaml")) == "told"
    assert {damaged.of_study(tmp_path, f"{k} study") for k in range(FEW)} <= {"read", "told"}


CELLS = st.one_of(
    st.sampled_from(
        ("", "7", "７", "1,000", "1e400", "nan", "inf", "-", "98", "(跳过)", " 5 ", "5.0", "十", "#N/A", "2026-01-01")
    ),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.text(max_size=8),
)


@given(
    st.lists(st.sampled_from((*"abc", "id", "wave", "w", "q1", "q2", "q3", "q4", "")), min_size=1, max_size=9),
    st.lists(st.lists(CELLS, max_size=9), max_size=8),
    st.sampled_from((",", ";", "\t", "|")),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "gb18030")),
)
@example(["", ""], [], "\t", "utf-8")  # a header of tabs alone
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_of_any_cells_is_read_or_refused(tmp_path, header, rows, separator, encoding):
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([header, *rows])
    content = text.getvalue().encode(encoding, errors="ignore")
    assert damaged.of_export(tmp_path / "any.csv", content) in {"read", "told"}


@pytest.mark.slow
def test_ten_thousand_damaged_files():
    found = damaged.count(0, 1_700)
    assert sum(found.values()) == 1_700 * 8
    assert {end for _, end in found} == {"read", "told"}
