"""SPSS .sav files, with user-missing codes kept apart by what their labels say."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat

from csi.errors import Note, Problems, note, problem
from csi.survey.codebook import MissingReason
from csi.survey.datafile import DataFile, Raw, as_text

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


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """An SPSS file as codes, with its value labels and its user-missing codes by reason.

    Raises:
        Problems: the file is damaged.
    """
    try:
        columns, meta = _load(file, content)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, LookupError) as error:
        bad = problem(
            "E-FORMAT",
            file.place or file.path.name,
            f'"{file.path.name}" is not a readable SPSS file.',
            f"“{file.path.name}”不是可读取的 SPSS 文件。",
            "Save it again in SPSS, or set `encoding:` when its texts are not UTF-8.",
            "请在 SPSS 中重新保存；如文本不是 UTF-8，请设置 encoding。",
        )
        raise Problems([bad]) from error
    frame = as_text(pl.DataFrame([_series(name, values) for name, values in columns.items()]))
    labels = {name: {_code(value): str(text) for value, text in pairs.items()} for name, pairs in meta[1].items()}
    missing, unsaid = {}, []
    for name, ranges in meta[0].items():
        codes = _codes(ranges, frame[name].drop_nulls().unique(maintain_order=True), labels.get(name, {}))
        missing[name] = {code: reason_of(labels.get(name, {}).get(code, "")) or "skipped" for code in codes}
        unsaid += [f"{name} {code}" for code in codes if not reason_of(labels.get(name, {}).get(code, ""))]
    return Raw(file.path.name, sha256, frame, first_row=1, missing=missing, labels=labels, notes=_unsaid(file, unsaid))


def reason_of(label: str) -> MissingReason | None:
    """The reason a value label gives for a missing answer; None when it gives none.

    Example:
        >>> reason_of("Don't know"), reason_of("拒绝回答"), reason_of("very good")
        ('dont_know', 'refused', None)
    """
    text = label.lower().replace("’", "'")
    return next((reason for reason, pattern in WORDS if re.search(pattern, text)), None)


def _load(
    file: DataFile, content: bytes
) -> tuple[Mapping[str, list[object]], tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Columns as lists, and (missing ranges, value labels); the library wants a real file."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"answers{file.path.suffix.lower()}"
        copy.write_bytes(content)
        columns, meta = pyreadstat.read_sav(
            str(copy), user_missing=True, output_format="dict", encoding=file.encoding or None
        )
    return columns, (meta.missing_ranges, meta.variable_value_labels)


def _series(name: str, values: list[object]) -> pl.Series:
    """One column: floats for numeric variables, else text; "" is blank."""
    present = [v for v in values if v is not None]
    if all(isinstance(v, float | int) for v in present):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if v is None or v == "" else str(v) for v in values], dtype=pl.String)


def _code(value: object) -> str:
    """A code as the text it has in the frame."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _codes(ranges: Iterable[Mapping[str, object]], seen: Iterable[str], labels: Mapping[str, str]) -> list[str]:
    """The codes inside the declared missing ranges, among those that occur or bear a label."""
    inside = []
    for code in dict.fromkeys((*seen, *labels)):
        for span in ranges:
            low, high = span["lo"], span["hi"]
            number = _number(code)
            if code == _code(low) or (
                number is not None and isinstance(low, float) and isinstance(high, float) and low <= number <= high
            ):
                inside.append(code)
                break
    return inside


def _number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None


def _unsaid(file: DataFile, codes: list[str]) -> tuple[Note, ...]:
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
