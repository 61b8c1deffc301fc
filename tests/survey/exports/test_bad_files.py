"""Files that are damaged, locked, too large, in two encodings, or hold numbers as people write them: one message."""

import io
import json
import struct
import zipfile
import zlib

import polars as pl
import pytest

from csi.cli import main
from csi.errors import Problems, Text
from csi.survey import DataFile
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.parquet_answers import parquet_files
from csi.survey.readers import lines, packed, read_raw

ROWS = [["id", "a", "b", "c"], ["1", "4", "5", "3"], ["2", "2", "1", "2"], ["3", "5", "4", "4"]]
ITEMS = ["a", "b", "c"]


def only(error):
    (found,) = error.value.problems
    assert found.what.zh
    assert found.remedy.en
    assert found.remedy.zh
    return found


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_workbook_that_is_cut_off(put, share):
    path = put("a.xlsx", ROWS)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-FORMAT"
    assert "cut off" in only(error).what.en


def test_a_workbook_with_a_byte_turned(put):
    path = put("a.xlsx", ROWS)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as book:
        part = book.getinfo("xl/worksheets/sheet1.xml")
    content[part.header_offset + 30 + len(part.filename) + 40] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-FORMAT"


def test_a_workbook_with_a_password_says_so(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    )
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-LOCKED"
    assert "password" in only(error).what.en


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "SMALL", 1024 * 1024)
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", bytes(8 * 1024 * 1024))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-TOO-LARGE"
    assert "sheet1.xml" in only(error).what.en


def test_a_zip_that_lies_about_its_size(tmp_path):
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", bytes(4 * 1024 * 1024))
    forged = store.getvalue().replace(struct.pack("<I", 4 * 1024 * 1024), struct.pack("<I", 1000))
    assert zlib.crc32(forged) != zlib.crc32(store.getvalue())
    path = tmp_path / "a.xlsx"
    path.write_bytes(forged)
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-FORMAT"


@pytest.mark.parametrize("length", [400, 5000])
def test_a_line_without_end_is_not_read(put, monkeypatch, length):
    path = put("a.csv", [*ROWS, ["4", "x" * length, "1", "2"]])
    assert lines.too_long(DataFile(path), 100_000) is None
    found = lines.too_long(DataFile(path), 300)
    assert found is not None
    assert "line 5" in found.what.en
    assert "第 5 行" in found.what.zh


def test_two_encodings_in_one_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,说明,q\n1,很好的服务,5\n".encode() + "2,非常满意,4\n".encode("gbk") + "3,一般,3\n".encode())
    with pytest.raises(Problems) as error:
        read_raw(DataFile(path))
    assert only(error).code == "E-ENCODING"
    assert "1 are GBK (lines 3)" in only(error).what.en


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_column_that_is_there_twice(put, study, name):
    put(name, [["id", "a", "b", "a", "c"], ["1", "4", "5", "3", "2"], ["2", "2", "1", "2", "3"]])
    with pytest.raises(Problems) as error:
        study(name, ITEMS, "respondent: id").panel()
    assert only(error).code == "E-COLUMN"
    assert '"a" more than once' in only(error).what.en


@pytest.mark.parametrize(("typed", "says"), [("1,234", "write 1234, not 1,234"), ("4,5", "write 4.5, not 4,5")])
def test_numbers_with_separators_are_told_as_such(put, study, typed, says):
    put("a.csv", [*ROWS, ["4", typed, "5", "3"]])
    with pytest.raises(Problems) as error:
        study("a.csv", ITEMS, "respondent: id").panel()
    assert only(error).code == "E-NUMBER"
    assert says in only(error).remedy.en
    assert f'row 5 "{typed}"' in only(error).what.en


def test_full_width_digits_and_late_texts(put, study):
    rows = [ROWS[0], *([str(i), "４", "５", "1"] for i in range(1500)), ["last", "later", "5", "3"]]
    put("a.xlsx", rows)
    with pytest.raises(Problems) as error:
        study("a.xlsx", ITEMS, "respondent: id").panel()
    assert 'row 1502 "later"' in only(error).what.en


def test_labels_and_codes_mixed_in_one_column(put, study):
    rows = [*ROWS, ["4", "很满意", "5", "3"], ["5", "满意", "5", "3"]]
    put("a.csv", rows)
    with pytest.raises(Problems) as error:
        study("a.csv", ITEMS, "respondent: id").panel()
    assert only(error).code == "E-LABELS"
    assert "labels: {4: 满意, 5: 很满意}" in only(error).remedy.zh
    panel = study("a.csv", ITEMS, "respondent: id", "{min: 1, max: 5, labels: {4: 满意, 5: 很满意}}").panel()
    assert panel.frame["s1"].to_list() == [4.0, 2.0, 5.0, 5.0, 4.0]


def test_labels_of_a_scale_are_checked(put, study):
    put("a.csv", ROWS)
    with pytest.raises(Problems) as error:
        study("a.csv", ITEMS, "respondent: id", "{min: 1, max: 5, labels: {9: 满意, 1: 差, 2: [差, 不好]}}")
    assert [p.code for p in error.value.problems] == ["E-SCALE", "E-SCALE"]
    assert all(p.where.startswith("study.yaml:") for p in error.value.problems)


def test_notes_above_and_below_the_table(put, study, told):
    notes = [["Customer survey 2026", "", "", ""], ["", "", "", ""]]
    put("a.xlsx", [*notes, *ROWS, ["", "", "", ""], ["Source: our own", "", "", ""]])
    panel = study("a.xlsx", ITEMS, "respondent: id").panel()
    assert panel.frame["s1"].to_list() == [4.0, 2.0, 5.0]
    assert "row 3" in told(panel)["N-HEADER-FOUND"]
    assert "notes below" in told(panel)["N-NO-ANSWERS"]


def test_a_file_outside_the_folder_is_told(put, study, told, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    put("elsewhere/a.csv", ROWS)
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "inner" / "link.csv").symlink_to(outside / "a.csv")
    study("elsewhere/a.csv", ITEMS, "respondent: id")
    text = (tmp_path / "study.yaml").read_text(encoding="utf-8")
    from_inside = study("elsewhere/a.csv", ITEMS, "respondent: id").panel()
    assert "W-OUTSIDE" not in told(from_inside)
    for file, how in (("../elsewhere/a.csv", "names it"), ("link.csv", "a link"), (outside / "a.csv", "names it")):
        path = inner / "study.yaml"
        path.write_text(text.replace("elsewhere/a.csv", str(file), 1), encoding="utf-8")
        panel = type(study("elsewhere/a.csv", ITEMS, "respondent: id")).read(path).panel()
        assert how in told(panel)["W-OUTSIDE"]
        assert str(tmp_path) not in told(panel)["W-OUTSIDE"]


def test_check_and_init_tell_what_was_recognised(put, study, tmp_path, capsys):
    names = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP", "1、速度", "2、价格", "3、员工"]
    sheet = ["2026/3/1", "85秒", "微信", "N/A", "203.0.113.7(广东)"]
    put("a.csv", [names, [1, *sheet, 5, -3, 4], [2, *sheet, 4, 3, -2], [3, *sheet, 2, 2, 3]])
    panel = study("a.csv", names[6:], "respondent: 序号").panel()
    (source,) = panel.sources
    assert source.platform.name == "wjx"
    assert source.personal == ("来自IP",)
    assert {(c.code, c.reason, c.cells) for c in source.coded} == {("-3", "skipped", 1), ("-2", "empty", 1)}
    capsys.readouterr()
    main(["check", str(tmp_path / "study.yaml"), "--lang", "zh"])
    out = capsys.readouterr()
    assert "问卷星" in out.out
    assert "-3 = 跳过 (1)" in out.out
    main(["check", str(tmp_path / "study.yaml"), "--json"])
    files = json.loads(capsys.readouterr().out)
    assert "wjx" in json.dumps(files)
    main(["init", str(tmp_path / "a.csv"), "--out", str(tmp_path / "new")])
    out = capsys.readouterr()
    assert "Wenjuanxing" in out.out + out.err
    assert "来自IP" in out.out + out.err


@pytest.mark.parametrize("zeros", [b"", b"\0"])
def test_bytes_that_are_no_text(tmp_path, zeros):
    path = tmp_path / "noise.csv"
    path.write_bytes(bytes(range(1, 256)) * 9 + zeros)
    with pytest.raises(Problems) as caught:
        read_raw(DataFile(path))
    (bad,) = caught.value.problems
    assert bad.code == "E-FORMAT"
    assert bad.say().startswith("noise.csv is no text")
    assert "UTF-8" not in bad.say()


def test_an_archive_is_to_be_unpacked(tmp_path):
    path = tmp_path / "data.zip"
    path.write_bytes(b"PK\3\4")
    with pytest.raises(Problems, match="Unpack it"):
        read_raw(DataFile(path))


def test_a_file_is_named_once(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text('id,q1\n1,5\n2,"5\n3,4\n', encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read_raw(DataFile(path))
    (bad,) = caught.value.problems
    assert [bad.say(lang).count("long.csv") for lang in ("en", "zh")] == [1, 1]


def test_personal_asks_for_a_column_that_is_not_there(put, study):
    put("a.csv", [["q1", "q2", "phone"], *([1 + n % 5, 5 - n % 5, f"1380013800{n}"] for n in range(6))])
    with pytest.raises(Problems, match=r'there is no column "phon"\. Did you mean "phone"'):
        study("a.csv", ["q1", "q2"], more=", personal: [phon]").panel()


def test_personal_of_streamed_answers(tmp_path):
    frame = pl.DataFrame({"q1": [1, 5], "phone": ["13800138000", "13800138001"]})
    frame.write_parquet(tmp_path / "a.parquet")
    book = Codebook((Item("q1", "sat", Scale("five", 1, 5), Text("q", "q")),), {}, {})
    with pytest.raises(Problems, match='Did you mean "phone"'):
        parquet_files([DataFile(tmp_path / "a.parquet", personal=("phon",))], book, [])


@pytest.mark.parametrize("said", ["keep", "drop"])
def test_incomplete_where_nothing_tells_it(put, study, said):
    put("a.csv", [["q1", "q2"], *([1 + n % 5, 5 - n % 5] for n in range(6))])
    told = [n.text.en for n in study("a.csv", ["q1", "q2"], more=f", incomplete: {said}").panel().notes]
    assert any(f"`incomplete: {said}` does nothing here" in text for text in told)
    plain = [n.text.en for n in study("a.csv", ["q1", "q2"]).panel().notes]
    assert not any("incomplete" in text for text in plain)
