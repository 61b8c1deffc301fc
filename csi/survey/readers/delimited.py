"""Separated text (CSV and its kin): encoding, separator and shape are checked before a cell is believed."""

from __future__ import annotations

import codecs
import csv
import io
import string
from dataclasses import replace
from itertools import islice

import polars as pl
from polars.exceptions import NoDataError, PolarsError

from csi.errors import Note, Problem, Problems, note, problem
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.begun import SEPARATORS, begin_of, below
from csi.survey.readers.broken import long_cells, one_line_end, ragged, unclosed, what_is_broken
from csi.survey.readers.header import names_of
from csi.survey.readers.platforms import platform_of

SEPARATORS_ZH = {",": "逗号", ";": "分号", "\t": "制表符", "|": "竖线"}
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""Byte-order marks: a declaration inside the file itself."""


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """A separated text file, every cell as text.

    Raises:
        Problems: wrong encoding, no rows, rows of unequal width, a broken quotation.
    """
    try:
        text = decode(file, content)
    except Problems:
        raw = _in_gbk(file, content, sha256)
        if raw is None:
            raise
        return raw
    return _table(file, text, sha256)


def _in_gbk(file: DataFile, content: bytes, sha256: str) -> Raw | None:
    """The table read as GB18030, where nobody set an encoding and the header is one of a platform's own; else None."""
    if file.encoding or not _decodes(content, "gb18030"):
        return None
    try:
        raw = _table(file, content.decode("gb18030"), sha256)
    except Problems:
        return None
    found = platform_of(raw)
    if found is None:
        return None
    en = f"{raw.name}: not UTF-8; read as GBK (GB18030), in which its header is that of {found[1].label.en}."
    zh = f"{raw.name}：不是 UTF-8 编码；按 GBK（GB18030）读取，其表头与{found[1].label.zh}相符。"
    return replace(raw, notes=(*raw.notes, note("N-ENCODING", en, zh)))


def _table(file: DataFile, text: str, sha256: str) -> Raw:
    """The rows of a text under the names of its header.

    Raises:
        Problems: no rows, rows of unequal width, a broken quotation.
    """
    text, notes = one_line_end(file.path.name, text)
    begin = begin_of(file.path.name, text)
    text, separator = below(text, begin.above), begin.separator
    if text.count('"') % 2 and (bad := unclosed(file, text, separator, begin.above)) is not None:
        raise Problems([bad])
    try:
        frame = pl.scan_csv(io.BytesIO(text.encode()), infer_schema=False, separator=separator).collect()
    except NoDataError as error:
        raise Problems([_empty(file)]) from error
    except PolarsError as error:
        raise Problems([what_is_broken(file, text, separator, begin.above)]) from error
    if frame[:, -1].null_count():
        bad = ragged(file, text, separator, begin.above)
        if bad is not None:
            raise Problems([bad])
    with long_cells(text):
        lead = string.whitespace.replace(separator, "")
        header = next(csv.reader(io.StringIO(text.lstrip(lead), newline=""), delimiter=separator))
    if len(header) != frame.width:
        raise Problems([what_is_broken(file, text, separator, begin.above)])
    frame.columns, twice = names_of(header)
    notes = (*notes, *begin.notes, *_assumed(file, separator))
    return Raw(file.path.name, sha256, frame, first_row=begin.above + 2, twice=twice, notes=notes)


def decode(file: DataFile, content: bytes) -> str:
    """The text of the file: a byte-order mark decides, else `encoding:`, else UTF-8.

    Raises:
        Problems: the bytes are not in that encoding; the message names the one that fits.
    """
    marked = next((name for mark, name in MARKS if content.startswith(mark)), "")
    declared = marked or file.encoding or "utf-8"
    try:
        text = content.decode(declared)
    except LookupError as error:
        raise Problems([_unknown_encoding(file)]) from error
    except UnicodeDecodeError as error:
        raise Problems([_wrong_encoding(file, content, declared, error)]) from error
    if not marked and _is_utf8_after_all(content, declared):
        raise Problems([_not_declared(file, declared)])
    return text


def _is_utf8_after_all(content: bytes, declared: str) -> bool:
    """True when another encoding was declared but the bytes are valid UTF-8 with at least 8 characters beyond ASCII."""
    if codecs.lookup(declared).name in {"utf-8", "utf-8-sig", "ascii"}:
        return False
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(not char.isascii() for char in islice(text, 100_000)) >= 8


def _wrong_encoding(file: DataFile, content: bytes, declared: str, error: UnicodeDecodeError) -> Problem:
    line = content.count(b"\n", 0, error.start) + 1
    where = file.place or file.path.name
    found, found_zh = (
        f"{file.path.name} is not {declared.upper()} (line {line}).",
        f"{file.path.name} 不是 {declared.upper()} 编码（第 {line} 行）。",
    )
    if file.encoding and _decodes(content, "utf-8"):
        return _not_declared(file, declared)
    if is_binary(content):
        return _binary(file)
    mixed = mixed_lines(content)
    if mixed is not None:
        return _mixed(file, *mixed)
    fits = next((name for name in ("gb18030", "cp1252") if name != declared and _decodes(content, name)), "")
    if fits == "gb18030":
        return problem(
            "E-ENCODING",
            where,
            found,
            found_zh,
            "It reads as GBK/GB18030 (Chinese Excel): set `encoding: gb18030` for this file.",
            "它是 GBK/GB18030 编码（中文版 Excel 导出）：请为该文件设置 encoding: gb18030。",
        )
    remedy = (
        (
            f"Set `encoding: {fits}`, if that is how it was saved, or save it as UTF-8.",
            f"如保存时用的是 {fits}，请设置 encoding: {fits}，或另存为 UTF-8。",
        )
        if fits
        else ("Save it as UTF-8.", "请另存为 UTF-8。")
    )
    return problem("E-ENCODING", where, found, found_zh, *remedy)


CONTROL = bytes(code for code in range(1, 32) if code not in b"\t\n\r\f\x1a\x1b")
"""Bytes that stand in no text."""

TOP, FEW, MANY = 1 << 16, 0.01, 0.1
"""Bytes looked at; more control characters than this share are no text; more zeros than this may be UTF-16."""


def is_binary(content: bytes) -> bool:
    r"""Whether bytes are no text in any encoding: control characters among them.

    Example:
        >>> is_binary(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x01\x02\x03"), is_binary("id,满意\n".encode("gbk"))
        (True, False)
    """
    if content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"%PDF", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        return True
    top = content[:TOP]
    marks = len(top) - len(top.translate(None, CONTROL))
    return top.count(0) <= MANY * len(top) and marks > FEW * len(top)


def _binary(file: DataFile) -> Problem:
    return problem(
        "E-FORMAT",
        file.place or file.path.name,
        f"{file.path.name} is no text: it holds binary data (an image, an archive, a program's own file).",
        f"{file.path.name} 不是文本：内容为二进制数据（图片、压缩包或其他程序的文件）。",
        "Export the answers as CSV or Excel.",
        "请把答卷导出为 CSV 或 Excel。",
    )


def mixed_lines(content: bytes) -> tuple[list[int], list[int]] | None:
    r"""The lines in UTF-8 and those in GBK of a file that holds both; None where it does not.

    Example:
        >>> mixed_lines("id,满意\n".encode() + "1,很好\n".encode("gbk"))
        ([1], [2])
    """
    utf8, gbk = [], []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.isascii():
            continue
        if _decodes(line, "utf-8"):
            utf8.append(number)
        elif _decodes(line, "gb18030"):
            gbk.append(number)
        else:
            return None
    return (utf8, gbk) if utf8 and gbk else None


def _mixed(file: DataFile, utf8: list[int], gbk: list[int]) -> Problem:
    """Two encodings in one file."""
    few, many = sorted((("UTF-8", utf8), ("GBK", gbk)), key=lambda pair: len(pair[1]))
    lines = ", ".join(str(n) for n in few[1][:5]) + (", ..." if len(few[1]) > 5 else "")
    return problem(
        "E-ENCODING",
        file.place or file.path.name,
        f"{file.path.name} holds two encodings: {len(many[1])} lines are {many[0]}, {len(few[1])} are {few[0]} "
        f"(lines {lines}).",
        f"{file.path.name} 混用了两种编码：{len(many[1])} 行为 {many[0]}，"
        f"{len(few[1])} 行为 {few[0]}（第 {lines} 行）。",
        "Save the parts in one encoding (UTF-8) before they are put together.",
        "请先把各部分统一存为 UTF-8，再合并。",
    )


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _not_declared(file: DataFile, declared: str) -> Problem:
    return problem(
        "E-ENCODING",
        file.place or file.path.name,
        f"{file.path.name} is UTF-8, but `encoding: {declared}` is set.",
        f"{file.path.name} 是 UTF-8 编码，却设置了 encoding: {declared}。",
        "Remove `encoding:` for this file.",
        "请删去该文件的 encoding 设置。",
    )


def _unknown_encoding(file: DataFile) -> Problem:
    return problem(
        "E-ENCODING",
        file.place or file.path.name,
        f'unknown encoding "{file.encoding}".',
        f"未知的编码“{file.encoding}”。",
        "Use utf-8, gb18030, big5, shift_jis or cp1252.",
        "可用 utf-8、gb18030、big5、shift_jis 或 cp1252。",
    )


def _empty(file: DataFile) -> Problem:
    return problem(
        "E-EMPTY",
        file.place or file.path.name,
        f"{file.path.name} has no header and no rows.",
        f"{file.path.name} 没有表头也没有数据。",
        "Export the answers again.",
        "请重新导出答卷数据。",
    )


def _assumed(file: DataFile, separator: str) -> tuple[Note, ...]:
    if separator == "," or (separator == "\t" and file.path.suffix.lower() in {".tsv", ".tab"}):
        return ()
    return (
        note(
            "N-SEPARATOR",
            f"{file.path.name}: columns are separated by a {SEPARATORS[separator]}.",
            f"{file.path.name}：列以{SEPARATORS_ZH[separator]}分隔。",
        ),
    )
