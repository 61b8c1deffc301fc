"""SPSS .sav files, with the wording of questions and user-missing codes kept apart by what their labels say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl
import pyreadstat

from csi.survey.datafile import DataFile, Raw, as_text
from csi.survey.readers.labelled import code_of, loaded, reason_of, series, unsaid, wording_of


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """An SPSS file as codes, with its value labels, its questions and its user-missing codes by reason.

    Raises:
        Problems: the file is damaged.
    """
    columns, meta = loaded(file, content, pyreadstat.read_sav, "SPSS")
    frame = as_text(pl.DataFrame([series(name, values) for name, values in columns.items()]))
    labels = {
        name: {code_of(value): str(text) for value, text in pairs.items()}
        for name, pairs in meta.variable_value_labels.items()
    }
    missing, silent = {}, []
    for name, ranges in meta.missing_ranges.items():
        codes = _codes(ranges, frame[name].drop_nulls().unique(maintain_order=True), labels.get(name, {}))
        missing[name] = {code: reason_of(labels.get(name, {}).get(code, "")) or "skipped" for code in codes}
        silent += [f"{name} {code}" for code in codes if not reason_of(labels.get(name, {}).get(code, ""))]
    return Raw(
        file.path.name,
        sha256,
        frame,
        first_row=1,
        missing=missing,
        labels=labels,
        notes=unsaid(file, silent),
        wording=wording_of(meta.column_names_to_labels),
    )


def _codes(ranges: Iterable[Mapping[str, object]], seen: Iterable[str], labels: Mapping[str, str]) -> list[str]:
    """The codes inside the declared missing ranges, among those that occur or bear a label."""
    inside = []
    for code in dict.fromkeys((*seen, *labels)):
        for span in ranges:
            low, high = span["lo"], span["hi"]
            number = _number(code)
            if code == code_of(low) or (
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
