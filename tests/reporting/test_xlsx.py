"""tables.xlsx: text stays text, numbers keep their precision, the bytes repeat."""

import io
import zipfile

import polars as pl
import pytest

from csi.errors import Text, note
from csi.reporting.numbers import numbers, plain, to_json
from csi.reporting.section import Column, Headline, Report, Section, Table
from csi.reporting.xlsx import sheet_name, workbook

EVIL = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "<script>alert(1)</script>", "http://example.org"]


@pytest.fixture
def report():
    frame = pl.DataFrame(
        {
            "brand": EVIL,
            "index": [72.45391234, 70.0, None, float("nan"), 1.0, 2.0],
            "index_reason": [None, None, "small", None, None, None],
        }
    )
    columns = (Column("brand", Text("Brand", "品牌")), Column("index", Text("Index", "指数"), "score"))
    table = Table(
        "league", Text("League", "排名"), frame, columns, {(0, "index"): "warn"}, {"small": Text("n < 30", "n < 30")}
    )
    section = Section(
        "league",
        Text("=Title", "标题"),
        Text("", ""),
        tables=(table,),
        notes=(note("n", "A note.", "注。"),),
        data={"raw": pl.DataFrame({"x": [1.5, None]})},
    )
    head = Headline(
        Text("", ""), Text("Headline", "结论"), 72.0, 70.0, 74.0, ((Text("vs", "比"), 1.0, 0.5, True),), Text("", "")
    )
    return Report(Text("T", "题"), head, (section, section), {})


def sheets(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {n: archive.read(n).decode() for n in archive.namelist() if n.endswith(".xml")}


def test_no_cell_is_a_formula_or_a_link(report):
    parts = sheets(workbook(report))
    assert not any("<f>" in p or "<hyperlink" in p for p in parts.values())
    shared = parts["xl/sharedStrings.xml"]
    assert "=cmd|" in shared
    assert "&lt;script&gt;" in shared
    assert "quotePrefix" in parts["xl/styles.xml"]


def test_cells_hold_full_precision_and_reasons(report):
    content = workbook(report)
    assert "72.45391234" in sheets(content)["xl/worksheets/sheet2.xml"]
    read = pl.read_excel(io.BytesIO(content), sheet_id=2, has_header=False, infer_schema_length=0)
    assert "n < 30" in read.to_series(1).to_list()


def test_headings_stand_in_every_language_asked_for(report):
    assert "指数" in sheets(workbook(report, ("zh", "en")))["xl/sharedStrings.xml"]
    assert "指数" not in sheets(workbook(report, ("en",)))["xl/sharedStrings.xml"]


def test_same_report_same_bytes(report):
    assert workbook(report) == workbook(report)


def test_sheet_names_are_legal_and_unique(report):
    used = set()
    names = [sheet_name(n, used) for n in ("a" * 40, "a" * 40, "x:y[z]", "", "'")]
    assert len({n.lower() for n in names}) == 5
    assert all(0 < len(n) <= 31 and not set(n) & set("[]:*?/\\") for n in names)
    book = pl.read_excel(io.BytesIO(workbook(report)), sheet_id=0)
    assert list(book)[1:] == ["league", "league 2"]


def test_numbers_keep_every_digit_and_no_nan(report):
    values = numbers(report)
    assert values["sections"]["league"]["data"]["raw"]["rows"] == [[1.5], [None]]
    assert "NaN" not in to_json(values)
    assert to_json({"x": 0.1 + 0.2}) == '{\n "x": 0.30000000000000004\n}\n'


def test_plain_texts_and_series():
    assert plain([Text("a", "甲"), pl.Series([1.0, float("nan")])]) == [{"zh": "甲", "en": "a"}, [1.0, None]]
