"""Every platform gives the same panel, and every unreadable file one clear message."""

import csv
from pathlib import Path

import pandas as pd
import polars as pl
import pyreadstat
import pytest
import xlsxwriter

from csi.errors import Problems
from csi.survey import DataFile, read_panel
from csi.survey.readers import read_raw
from csi.survey.readers.frames import read_frame
from csi.survey.readers.spss import reason_of

CSV = "id,姓名,s1,s2\na,王,4,2\nb,李,9,5\nc,张,(跳过),1\n"
ANSWERS = {"s1": [4.0, None, None], "s2": [4.0, 1.0, 5.0]}
REASONS = {"s1": [None, "refused", "skipped"], "s2": [None, None, None]}


def seen(panel):
    return panel.frame.select("s1", "s2").to_dict(as_series=False), panel.reasons.to_dict(as_series=False)


def only(error):
    assert len(error.value.problems) == 1
    return error.value.problems[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_in_unicode(book, write, encoding):
    assert seen(read_panel(write(CSV, encoding=encoding), book)) == (ANSWERS, REASONS)


def test_csv_in_gb18030_when_told(book, write):
    file = DataFile(write(CSV, encoding="gb18030"), encoding="gb18030")
    assert seen(read_panel(file, book)) == (ANSWERS, REASONS)


def test_gbk_read_as_utf8_says_which_encoding_to_set(book, write):
    with pytest.raises(Problems) as error:
        read_panel(write(CSV, encoding="gbk"), book)
    found = only(error)
    assert found.code == "E-ENCODING"
    assert "encoding: gb18030" in found.say("en")
    assert "encoding: gb18030" in found.say("zh")


def test_utf8_declared_as_gbk_says_so(book, write):
    text = CSV + "d,欧阳明月,3,3\ne,司马相如,3,3\n"
    with pytest.raises(Problems, match="is UTF-8, but"):
        read_panel(DataFile(write(text), encoding="gb18030"), book)


def test_latin1_is_not_taken_for_chinese(book, write):
    with pytest.raises(Problems, match="encoding: cp1252"):
        read_panel(write("id,s1,s2,café\na,1,2,é\n", encoding="cp1252"), book)


def test_unknown_encoding(book, write):
    with pytest.raises(Problems, match='unknown encoding "gbk2312"'):
        read_panel(DataFile(write(CSV), encoding="gbk2312"), book)


def test_semicolons_are_recognised_and_noted(book, write):
    panel = read_panel(write(CSV.replace(",", ";")), book)
    assert seen(panel) == (ANSWERS, REASONS)
    assert "N-SEPARATOR" in {note.code for note in panel.notes}


def test_parquet(book, tmp_path):
    path = tmp_path / "answers.parquet"
    pl.DataFrame({"id": ["a", "b"], "s1": [4, 3], "s2": [2.0, None]}).write_parquet(path)
    panel = read_panel(path, book)
    assert panel.frame["s1"].to_list() == [4.0, 3.0]
    assert panel.reasons["s2"].to_list() == [None, "empty"]


def test_excel_text_in_a_number_column_is_not_lost(book, tmp_path):
    path = tmp_path / "answers.xlsx"
    rows = [["id", "s1", "s2"], *([f"r{i}", 4, 2] for i in range(1200)), ["last", "(跳过)", 1]]
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("答卷")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        workbook.add_worksheet("说明")
    panel = read_panel(path, book)
    assert panel.reasons["s1"].to_list()[-1] == "skipped"
    assert panel.frame["s1"].null_count() == 1
    assert "N-SHEET" in {note.code for note in panel.notes}


def test_excel_error_cells_are_noted(book, tmp_path):
    path = tmp_path / "answers.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([["id", "s1", "s2"], ["a", 4, 2], ["b", 5, 1]]):
            sheet.write_row(number, 0, row)
        sheet.write_formula(2, 1, "=NA()", value="#N/A")
    panel = read_panel(path, book)
    assert panel.reasons["s1"].to_list() == [None, "empty"]
    assert [note.code for note in panel.notes if note.code == "N-EXCEL-ERROR"] == ["N-EXCEL-ERROR"]


def test_excel_sheet_that_is_not_there(book, tmp_path):
    path = tmp_path / "answers.xlsx"
    pl.DataFrame({"id": ["a"]}).write_excel(path, worksheet="答卷")
    with pytest.raises(Problems, match='no sheet "答券"'):
        read_panel(DataFile(path, sheet="答券"), book)


@pytest.fixture
def sav(tmp_path):
    path = tmp_path / "answers.sav"
    frame = pd.DataFrame(
        {"id": ["a", "b", "c", "d"], "s1": [4.0, 97, 96, 5], "s2": [2.0, 5, 1, 98], "b": [1.0, 2, 1, 2]}
    )
    pyreadstat.write_sav(
        frame,
        str(path),
        variable_value_labels={"s1": {1: "bad", 97: "不适用"}, "s2": {98: "不知道"}, "b": {1: "中讯", 2: "远通"}},
        missing_ranges={"s1": [{"lo": 96, "hi": 97}], "s2": [98]},
    )
    return path


def test_spss_user_missing_is_kept_apart_by_reason(book, sav):
    panel = read_panel(sav, book)
    assert panel.frame["s1"].to_list() == [4.0, None, None, 5.0]
    assert panel.reasons["s1"].to_list() == [None, "not_asked", "skipped", None]
    assert panel.reasons["s2"].to_list() == [None, None, None, "dont_know"]
    assert any("s1 96" in note.say() for note in panel.notes)


def test_spss_value_labels_name_the_brands(book, sav):
    keyed = type(book)(book.items, book.constructs, {"respondent": "id", "brand": "b"})
    assert read_panel(sav, keyed).brands == ("中讯", "远通")
    assert read_panel(sav, keyed, brands=["远通", "中讯"]).brands == ("远通", "中讯")
    assert read_panel(sav, keyed, brands=["2", "1"]).brands == ("2", "1")


def test_spss_keeps_the_wording_of_questions(sav, tmp_path):
    path = tmp_path / "worded.sav"
    frame = pd.DataFrame({"id": ["a"], "s1": [4.0]})
    pyreadstat.write_sav(frame, str(path), column_labels={"s1": "总体来说，您满意吗？"})
    assert read_raw(DataFile(path)).wording == {"s1": "总体来说，您满意吗？"}


def test_reasons_from_labels():
    labels = ["Don’t know", "Refused", "Never used / not applicable", "跳过", "拒答", "excellent"]
    assert [reason_of(label) for label in labels] == ["dont_know", "refused", "not_asked", "skipped", "refused", None]


@pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame])
def test_frames(book, kind):
    frame = kind({"id": ["a", "b", "c"], "s1": [4.0, 9.0, None], "s2": [2, 5, 1], "ip": ["1.2.3.4"] * 3})
    panel = read_panel(frame, book)
    assert panel.frame["s1"].to_list() == [4.0, None, None]
    assert panel.reasons["s1"].to_list() == [None, "refused", "empty"]
    assert panel.frame.columns == ["respondent", "s1", "s2"]


def test_pandas_nullable_and_categorical_columns():
    frame = pd.DataFrame({"q": pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["u", None])})
    raw = read_frame(frame)
    assert raw.frame.rows() == [("1", "u"), (None, None)]


def test_a_value_that_is_no_frame(book):
    with pytest.raises(Problems, match="type int cannot be read as answers"):
        read_panel(17, book)


def test_missing_file_names_a_similar_one(book, write):
    write(CSV, "answers.csv")
    with pytest.raises(Problems, match=r'Did you mean "answers\.csv"') as error:
        read_panel(write(CSV).parent / "anwsers.csv", book)
    assert only(error).code == "E-FILE"


def test_all_unreadable_files_are_named_at_once(book, tmp_path):
    with pytest.raises(Problems) as error:
        read_panel([tmp_path / "a.csv", tmp_path / "b.csv"], book)
    assert len(error.value.problems) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "E-EMPTY"), (b" \n\n", "E-EMPTY"), (b"id,s1,s2\n", "E-EMPTY"), (b"id,s1,s2\na,1,2,3\n", "E-ROWS"),
     (b"id,s1,s2\na,1,2\nb,3\n", "E-ROWS"), (b'id,s1,s2\na,"1,2\nb,3,4\n', "E-ROWS"), (b"PK\x03\x04zip", "E-FORMAT")],
)  # fmt: skip
def test_damaged_csv(book, tmp_path, content, code):
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(Problems) as error:
        read_panel(path, book)
    assert [p.code for p in error.value.problems] == [code]


@pytest.mark.parametrize("last", ["", "x"])
def test_a_cell_of_a_megabyte_is_read(tmp_path, last):
    """The csv module stops at 131,072 characters of a cell; its limit is as before afterwards."""
    path, before = tmp_path / "texts.csv", csv.field_size_limit()
    path.write_text(f'id,text,note\na,"{"好，" * 400_000}",{last}\nb,short,\n', encoding="utf-8")
    raw = read_raw(DataFile(path)).frame
    assert [len(t) for t in raw["text"]] == [800_000, 5]
    assert csv.field_size_limit() == before


def test_a_long_header_and_a_long_row_too_many(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text(f"id,{'t' * 200_000}\na,b\n", encoding="utf-8")
    assert read_raw(DataFile(path)).frame.height == 1
    path.write_text(f'id,text\na,"{"y" * 200_000}",more\n', encoding="utf-8")
    with pytest.raises(Problems, match=r"other counts stand in lines: 2 \(3\)"):
        read_raw(DataFile(path))


@pytest.mark.parametrize("name", ["answers.xlsx", "answers.sav", "answers.parquet"])
def test_damaged_binary_files(book, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"this is not what the name says")
    with pytest.raises(Problems) as error:
        read_panel(path, book)
    assert only(error).code == "E-FORMAT"


def test_unknown_kind_and_folder(tmp_path):
    (tmp_path / "answers.docx").write_bytes(b"x")
    for path, code in ((tmp_path / "answers.docx", "E-FORMAT"), (tmp_path, "E-FILE")):
        with pytest.raises(Problems) as error:
            read_raw(DataFile(Path(path)))
        assert only(error).code == code


def test_a_column_named_twice(book, write):
    with pytest.raises(Problems, match='header names "s1" more than once'):
        read_panel(write("id,s1,s2,s1\na,1,2,3\nb,1,2,3\n"), book)
