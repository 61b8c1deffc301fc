"""Rows that are none: notes above a CSV, totals, headers once more, unclosed quotes, line ends, missing header rows."""

import json
import struct

import pytest
import xlsxwriter

from csi.cli import main
from csi.errors import Problems
from csi.survey import DataFile
from csi.survey.readers import lines, read_raw

ROWS = [["id", "a", "b", "c"], ["1", "4", "5", "3"], ["2", "2", "1", "2"], ["3", "5", "4", "4"]]
ITEMS = ["a", "b", "c"]


@pytest.fixture
def typed(tmp_path):
    """Write a text as it is; read it: what is there, and the notes by their code."""

    def _typed(text):
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode())
        raw = read_raw(DataFile(path))
        return raw, {n.code: n.text for n in raw.notes}

    return _typed


def only(error):
    (found,) = error.value.problems
    assert found.what.zh
    assert found.remedy.zh
    return found


@pytest.mark.parametrize(
    ("above", "row"),
    [("Report 2026\nMade by us\n\n", 4), ("Report,,,\n,,,\n", 3), ("Survey; all of 2026\n", 2), ("\n\n", 3)],
)
def test_notes_above_the_header_of_a_csv_are_found_and_told(typed, above, row):
    raw, notes = typed(above + "id,a,b,c\n1,4,5,3\n2,2,1,2\n")
    assert raw.frame["a"].to_list() == ["4", "2"]
    assert raw.first_row == row + 1
    told = notes.get("N-HEADER-FOUND")
    assert (told is None) == (not above.strip())
    assert told is None or f"row {row};" in told.en
    assert told is None or f"第 {row} 行" in told.zh


def test_a_separator_that_the_note_above_does_not_use(typed):
    raw, notes = typed("Report, of 2026\nid;a\n1;4,5\n2;2\n")
    assert raw.frame["a"].to_list() == ["4,5", "2"]
    assert "row 2; row 1 is a note" in notes["N-HEADER-FOUND"].en


def test_a_row_of_another_width_is_told_with_its_line_in_the_file(typed):
    with pytest.raises(Problems) as error:
        typed("Report 2026\n\nid,a,b,c\n1,4,5,3\n2,2,1\n3,4,5,3\n")
    assert "lines: 5 (3)" in only(error).what.en


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
@pytest.mark.parametrize("said", ["合计", "Total", "平均值"])
def test_totals_at_the_end_are_left_out_and_told(put, study, told, name, said):
    put(name, [*ROWS, [said, "11", "10", "9"]])
    panel = study(name, ITEMS, "respondent: id").panel()
    assert panel.frame["s1"].to_list() == [4.0, 2.0, 5.0]
    assert "totals or averages" in told(panel)["N-NO-ANSWERS"]
    assert "(rows 5)" in told(panel)["N-NO-ANSWERS"]


def test_a_brand_called_total_is_no_total(typed):
    raw, notes = typed("brand,a\nTotal,4\nShell,5\nTotal,3\n")
    assert raw.frame.height == 3
    assert notes == {}


def test_a_header_that_comes_again_is_left_out_and_told(put, study, told):
    put("a.csv", [*ROWS[:3], ROWS[0], ROWS[3]])
    panel = study("a.csv", ITEMS, "respondent: id").panel()
    assert panel.frame["s1"].to_list() == [4.0, 2.0, 5.0]
    assert "header once more" in told(panel)["N-NO-ANSWERS"]
    assert "(rows 4)" in told(panel)["N-NO-ANSWERS"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id,a,t\n1,5,"good\n2,4,x\n3,4,y\n', 2),
        ('id,a,t\n1,5,good\n2,4,"x\n3,4,y\n', 3),
        ('id,a,t\n1,5,"good\n2,4,x\n3,4,"yes"\n4,2,n\n', 2),
        ('id,a,t\n"1,5,good\n2,4,x\n3,4,"y"\n', 2),
        ('id,"a,t\n1,5,good\n2,4,x\n', 1),
    ],
)
def test_a_quotation_mark_that_is_not_closed_is_told_with_its_line(typed, text, line):
    with pytest.raises(Problems) as error:
        typed(text)
    assert only(error).code == "E-ROWS"
    assert f"begins in line {line} " in only(error).what.en
    assert f"第 {line} 行" in only(error).what.zh


def test_lines_that_end_as_those_of_old_macs_are_read(typed):
    raw, notes = typed('id,a,t\r1,5,"x\ry"\r2,4,z\r')
    assert raw.frame.rows() == [("1", "5", "x\ny"), ("2", "4", "z")]
    assert "old Macs" in notes["N-LINE-ENDS"].en


def test_line_ends_of_two_kinds_are_told_as_such(typed):
    with pytest.raises(Problems) as error:
        typed("id,a,b\n1,5,4\r2,4,3\n3,4,5\n")
    assert "line 2: a carriage return" in only(error).what.en
    assert "quotation mark" not in only(error).what.en


def test_a_line_without_end_speaks_of_line_ends_alone(put):
    found = lines.too_long(DataFile(put("a.csv", [*ROWS, ["4", "x" * 400, "1", "2"]])), 300)
    assert "line ends" not in found.what.en
    assert "quotation" not in found.remedy.en


def test_excel_errors_are_told_with_cell_row_and_column(put, study, told, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        first, second = book.add_worksheet("Answers"), book.add_worksheet("Sums")
        first.write(0, 0, "Report")
        for number, line in enumerate(ROWS, 2):
            first.write_row(number, 0, [int(c) if c.isdigit() else c for c in line])
        first.write_formula(4, 1, "=NA()", None, "#N/A")
        second.write_formula(0, 0, "=1/0", None, "#DIV/0!")
    panel = study("a.xlsx", ITEMS, "respondent: id").panel()
    assert panel.frame["s1"].to_list() == [4.0, None, 5.0]
    assert '1 cell holds an Excel error, read as empty: B5 #N/A (row 5 of "a").' in told(panel)["N-EXCEL-ERROR"]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_full_width_digits_are_told_with_row_and_column(put, study, told, name):
    put(name, [*ROWS, ["4", "５", "3", "４"]])
    panel = study(name, ITEMS, "respondent: id").panel()
    assert panel.frame["s1"].to_list()[-1] == 5.0
    assert 'a: row 5 "５"; c: row 5 "４"' in told(panel)["N-FULLWIDTH"]


def compound(*names):
    """A compound file (MS-CFB, version 3) with streams of one sector each, as Office writes a locked workbook."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 0, end, 0, end, 0, 0) + struct.pack("<I", free) * 108

    def entry(name, kind, child, right, start, size):
        text = name.encode("utf-16-le")
        return (text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2, kind, 1, free, right, child) + bytes(36)
                + struct.pack("<IQ", start, size))  # fmt: skip

    entries = [entry("Root Entry", 5, 1, free, end, 0)]
    entries += [entry(n, 2, free, j + 2 if j + 1 < len(names) else free, j + 2, 512) for j, n in enumerate(names)]
    directory = b"".join(entries).ljust(512, b"\0")
    table = [fat, end, *([end] * len(names))]
    sectors = [struct.pack("<128I", *table, *([free] * (128 - len(table)))), directory]
    return header + b"".join(sectors) + b"".join(bytes([7 * j % 251 for j in range(512)]) for _ in names)


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_a_locked_workbook_as_office_writes_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(compound("EncryptionInfo", "EncryptedPackage"))
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-LOCKED"
    path.write_bytes(compound("Contents", "Preview"))
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-FORMAT"


NAMES = ["StartDate", "EndDate", "Finished", "RecordedDate", "ResponseId", "Q1", "Q2"]
TITLES = ["Start Date", "End Date", "Finished", "Recorded Date", "Response ID", "How good?", "Again?"]
IDS = [json.dumps({"ImportId": n}) for n in NAMES]
SHEETS = [["2026-03-01 10:00:00", "2026-03-01 10:09:00", "1", "2026-03-01 10:09:00", f"R_{n}", "5", "4"] for n in "abc"]


@pytest.mark.parametrize(
    ("above", "found", "gone"),
    [
        ([NAMES, TITLES], "names in row 1, questions in row 2", "missing: import ids."),
        ([NAMES, IDS], "names in row 1, import ids in row 2", "missing: questions; without the questions"),
        ([NAMES], "names in row 1", "missing: questions, import ids"),
        ([TITLES], "questions in row 1", "missing: names, import ids"),
    ],
)
def test_header_rows_of_qualtrics_that_are_missing_are_told(put, above, found, gone):
    raw = read_raw(DataFile(put("a.csv", [*above, *SHEETS])))
    said = {n.code: n.text for n in raw.notes}["W-HEADER-ROW"]
    assert f"{len(above)} of 3 header rows found ({found})" in said.en
    assert gone in said.en
    assert "三行表头" in said.zh
    assert raw.frame.height == 3
    assert raw.platform.name == "qualtrics"


def test_the_questions_of_qualtrics_are_no_answer_where_no_column_holds_a_date(put):
    few = [row[4:] for row in (NAMES, TITLES, *SHEETS)]
    raw = read_raw(DataFile(put("a.csv", few)))
    assert raw.frame["Q1"].to_list() == ["5", "5", "5"]
    assert raw.wording["Q1"] == "How good?"


def test_import_ids_in_place_of_names_stop(put):
    with pytest.raises(Problems) as error:
        read_raw(DataFile(put("a.csv", [IDS, *SHEETS])))
    assert only(error).code == "E-HEADER"
    assert "row 1" in only(error).what.en


WJX = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"]


def sheet(number, *answers):
    return [number, "2026/3/1", "85秒", "微信", "N/A", "203.0.113.7", *answers]


def test_wjx_by_number_with_many_own_words_is_by_number(put):
    asked = [*WJX, "1、满意吗", "2、还有什么", "3、哪家店", "4、为什么", "5、谁"]
    rows = [sheet(n, n % 5 + 1, f"第{n}条意见，希望更快", f"{n}号店", f"原因{n}", f"店员{n}") for n in range(1, 9)]
    codes = {n.code for n in read_raw(DataFile(put("a.csv", [asked, *rows]))).notes}
    assert "N-BY-TEXT" not in codes
    words = [sheet(n, ["满意", "一般"][n % 2], f"第{n}条意见，希望更快", f"{n}号店", "", "") for n in range(1, 9)]
    codes = {n.code for n in read_raw(DataFile(put("a.csv", [asked, *words]))).notes}
    assert "N-BY-TEXT" in codes


def test_an_export_of_a_customer_system_is_told_where_answers_are_wanted(put, capsys):
    names = ["Case Number", "Case Origin", "Subject", "Status", "Date/Time Opened", "Account Name"]
    path = put("cases.csv", [names, *([n, "Web", "Late", "Closed", "2026-03-01", f"A{n}"] for n in range(9))])
    assert main(["init", str(path), "--lang", "en"]) == 1
    told = capsys.readouterr().err
    assert "cases.csv is an export of Salesforce" in told
    assert "csi init ANSWERS --events cases.csv" in told
    assert not path.with_name("study.yaml").exists()


def test_a_score_in_an_export_of_a_customer_system_is_drafted_with_a_word(put, capsys):
    names = ["Case Number", "Date/Time Opened", "Satisfaction", "Status"]
    path = put("cases.csv", [names, *([n, "2026-03-01", 1 + n % 5, "Closed"] for n in range(9))])
    assert main(["init", str(path), "--lang", "en"]) == 0
    seen = capsys.readouterr()
    assert "csi init ANSWERS --events cases.csv" in seen.out + seen.err


def test_a_codebook_outside_the_folder_is_told(put, study, told, tmp_path):
    put("a.csv", ROWS)
    study("a.csv", ITEMS, "respondent: id")
    text = (tmp_path / "study.yaml").read_text(encoding="utf-8")
    head, book = text.split("codebook:\n")
    (tmp_path / "book.yaml").write_text("\n".join(line[2:] for line in book.split("\n")), encoding="utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.csv").write_bytes((tmp_path / "a.csv").read_bytes())
    (inner / "study.yaml").write_text(f"{head}codebook: ../book.yaml\n", encoding="utf-8")
    panel = type(study("a.csv", ITEMS, "respondent: id")).read(inner / "study.yaml").panel()
    assert told(panel)["W-OUTSIDE"].startswith("book.yaml lies outside")
