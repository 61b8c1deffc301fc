"""Stata .dta files: value labels, the wording of questions, and extended missing values (.a to .z) with reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl
import pyreadstat

from csi.errors import Note, note
from csi.survey.codebook import MissingReason
from csi.survey.datafile import DataFile, Raw, as_text
from csi.survey.readers.labelled import code_of, loaded, reason_of, series, unsaid, wording_of

UNICODE = 118
"""From this release of the format on (Stata 14) texts are UTF-8; before, nothing in the file says their encoding."""


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """A Stata file as codes, with its value labels, its questions and its extended missing values by reason.

    Stata's plain missing value "." is a blank; .a to .z are kept as such, each with the reason its value label gives.

    Raises:
        Problems: the file is damaged.
    """
    columns, meta = loaded(file, content, pyreadstat.read_dta, "Stata")
    extended: Mapping[str, Sequence[object]] = meta.missing_user_values
    frame = as_text(
        pl.DataFrame([series(name, _dotted(values, extended.get(name, ()))) for name, values in columns.items()])
    )
    labels = {
        name: {_code(value): str(text) for value, text in pairs.items()}
        for name, pairs in meta.variable_value_labels.items()
    }
    missing: dict[str, dict[str, MissingReason]] = {}
    silent = []
    for name in columns:
        codes = dict.fromkeys([*map(_code, extended.get(name, ())), *_letters(labels.get(name, {}))])
        reasons = {code: reason_of(labels.get(name, {}).get(code, "")) for code in codes}
        silent += [f"{name} {code}" for code, reason in reasons.items() if reason is None]
        if reasons:
            missing[name] = {code: reason or "skipped" for code, reason in reasons.items()}
    return Raw(
        file.path.name,
        sha256,
        frame,
        first_row=1,
        missing=missing,
        labels=labels,
        notes=(*unsaid(file, silent), *_old(file, content, frame, labels)),
        wording=wording_of(meta.column_names_to_labels),
    )


def release_of(content: bytes) -> int:
    """The release of the format: 105 to 115 in the first byte, from 117 on in a header of words; 0 for none.

    Source: Stata, "Description of .dta file format" (`help dta`).

    Example:
        >>> release_of(b"<stata_dta><header><release>118</release>"), release_of(b"r")
        (118, 114)
    """
    said = re.match(rb"<stata_dta><header><release>(\d{3})", content)
    return int(said[1]) if said else content[0] if content else 0


def _code(value: object) -> str:
    """A code as it stands in the frame: "a" of the library is Stata's .a."""
    return f".{value}" if isinstance(value, str) and re.fullmatch("[a-z]", value) else code_of(value)


def _letters(labels: Mapping[str, str]) -> list[str]:
    """The extended missing values that bear a label."""
    return [code for code in labels if re.fullmatch(r"\.[a-z]", code)]


def _dotted(values: Sequence[object], extended: Sequence[object]) -> Sequence[object]:
    """A numeric variable's values with .a for the library's "a"."""
    if not extended:
        return values
    return [f".{value}" if isinstance(value, str) else value for value in values]


def _old(
    file: DataFile, content: bytes, frame: pl.DataFrame, labels: Mapping[str, Mapping[str, str]]
) -> tuple[Note, ...]:
    """A note where the encoding of texts beyond ASCII had to be taken on trust."""
    if file.encoding or release_of(content) >= UNICODE:
        return ()
    texts = [*frame.columns, *(text for pairs in labels.values() for text in pairs.values())]
    if all(text.isascii() for text in texts):
        return ()
    return (
        note(
            "N-STATA-TEXT",
            f"{file.path.name}: a Stata file older than Stata 14 does not say its encoding; read as Windows-1252. "
            "Set `encoding: gb18030` where texts look wrong.",
            f"{file.path.name}：Stata 14 之前的文件不注明编码，按 Windows-1252 读取；"
            "如文字乱码，请设置 encoding: gb18030。",
        ),
    )
