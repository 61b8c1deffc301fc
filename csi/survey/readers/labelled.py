"""What SPSS and Stata files say besides their codes: value labels, and why an answer is missing."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat

from csi.errors import Note, Problem, Problems, note, problem
from csi.survey.codebook import MissingReason
from csi.survey.datafile import DataFile

WORDS: tuple[tuple[MissingReason, str], ...] = (
    ("dont_know", r"do\W?n'?t know|\bdk\b|no opinion|unsure|not sure|不知道|不清楚|不了解|说不清|不确定"),
    ("refused", r"refus|declin|no answer|prefer not|拒答|拒绝|不愿|不便"),
    (
        "not_asked",
        r"not asked|not applicable|inapplicable|\bn/?a\b|never used|not used|未问|不适用|未使用|没用过|未用过",
    ),
    ("skipped", r"skip|missing|跳过|跳答|未答|漏答|缺失"),
)
"""Words in a value label that tell why an answer is missing, first match wins."""


PACKED = 1032
"""Bytes that one byte packed by zlib stands for at most."""

BROKEN = (
    pyreadstat.ReadstatError,
    pyreadstat.PyreadstatError,
    UnicodeDecodeError,
    LookupError,
    ValueError,
    OverflowError,
)
"""What the library raises on a file it cannot read."""


def reason_of(label: str) -> MissingReason | None:
    """The reason a value label gives for a missing answer; None when it gives none.

    Example:
        >>> reason_of("Don't know"), reason_of("拒绝回答"), reason_of("very good")
        ('dont_know', 'refused', None)
    """
    text = label.lower().replace("’", "'")
    return next((reason for reason, pattern in WORDS if re.search(pattern, text)), None)


def loaded(
    file: DataFile, content: bytes, read: Callable[..., tuple[Mapping[str, list[object]], Any]], program: str
) -> tuple[Mapping[str, list[object]], Any]:
    """Columns as lists, and what the file says of them; the library wants a real file.

    Parameters:
        read: of pyreadstat. program: whose file it is.

    Raises:
        Problems: the file is damaged, or in another encoding.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"answers{file.path.suffix.lower()}"
        copy.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _, header = read(str(copy), metadataonly=True, encoding=file.encoding or None)
            if (header.number_rows or 0) * (header.number_columns or 0) > cells_in(content):
                raise Problems([_damaged(file, program)])
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                found = read(str(copy), user_missing=True, output_format="dict", encoding=file.encoding or None)
        except BROKEN as error:
            raise Problems([_damaged(file, program)]) from error
        if any("duplicated" in str(one.message) for one in told):
            raise Problems([_damaged(file, program)])
        return found


def cells_in(content: bytes) -> int:
    """The most cells that so many bytes can hold: one in a byte, where packed (.zsav) as many as zlib packs into it.

    A damaged header may claim any number of rows, and the library makes room for all of them before it reads one.

    Example:
        >>> cells_in(b"$FL2" + bytes(96)), cells_in(b"$FL3" + bytes(96))
        (100, 103200)
    """
    return len(content) * (PACKED if content.startswith(b"$FL3") else 1)


def series(name: str, values: Sequence[object]) -> pl.Series:
    """One column: floats for numeric variables, else text; "" is blank.

    Example:
        >>> series("q", [1.0, None]).to_list(), series("t", ["a", ""]).to_list()
        ([1.0, None], ['a', None])
    """
    present = [v for v in values if v is not None]
    if all(isinstance(v, float | int) for v in present):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if v is None or v == "" else _text(v) for v in values], dtype=pl.String)


def _text(value: object) -> str:
    """An entry beside text: whole numbers without ".0", days without midnight."""
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return str(value.date())
    return str(value) if isinstance(value, date) else code_of(value)


def code_of(value: object) -> str:
    """A code as the text it has in the frame.

    Example:
        >>> code_of(9.0), code_of("a")
        ('9', 'a')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def wording_of(labels: Mapping[str, object]) -> dict[str, str]:
    """The questions, from the labels of variables.

    Example:
        >>> wording_of({"q1": " Overall ", "q2": None})
        {'q1': 'Overall'}
    """
    return {name: str(text).strip() for name, text in labels.items() if text and str(text).strip()}


def unsaid(file: DataFile, codes: Sequence[str]) -> tuple[Note, ...]:
    """A note on missing codes whose label gives no reason.

    Example:
        >>> unsaid(DataFile(Path("a.sav")), [])
        ()
    """
    if not codes:
        return ()
    listed = ", ".join(codes[:8]) + (", ..." if len(codes) > 8 else "")
    return (
        note(
            "N-MISSING-CODE",
            f"{file.path.name}: user-missing codes whose label gives no reason count as skipped: {listed}.",
            f"{file.path.name}：以下用户缺失值没有说明原因的标签，按“跳过”处理：{listed}。",
        ),
    )


def _damaged(file: DataFile, program: str) -> Problem:
    return problem(
        "E-FORMAT",
        file.place or file.path.name,
        f'"{file.path.name}" is not a readable {program} file.',
        f"“{file.path.name}”不是可读取的 {program} 文件。",
        f"Save it again in {program}, or set `encoding:` when its texts are not UTF-8.",
        f"请在 {program} 中重新保存；如文本不是 UTF-8，请设置 encoding。",
    )
