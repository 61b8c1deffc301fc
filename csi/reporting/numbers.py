"""numbers.json: every number of a report at full precision, section by section."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Note, Text
from csi.reporting.section import SAMPLING_ONLY, Report, Section


def numbers(report: Report) -> dict[str, object]:
    """Title, headline, and the frames of every section, as plain values; nothing is rounded.

    Returns:
        `{"title": ..., "headline": ..., "sections": {key: {"title": ..., "data": {name: {"columns", "rows"}}}}}`;
        what is not finite is None. A section with intervals says under "intervals" what they cover.

    Example:
        >>> frame_values(pl.DataFrame({"x": [1.5, float("nan")]}))
        {'columns': ['x'], 'rows': [[1.5], [None]]}
    """
    head = report.headline
    return {
        "title": _both(report.title),
        "headline": {
            "sentence": _both(head.sentence),
            "index": plain(head.value),
            "conf_low": plain(head.conf_low),
            "conf_high": plain(head.conf_high),
            "changes": [
                {
                    "against": _both(t),
                    "difference": plain(d),
                    "half_width": plain(h),
                    "level": plain(head.levels[at] if at < len(head.levels) else None),
                    "significant": bool(s),
                }
                for at, (t, d, h, s) in enumerate(head.changes)
            ],
        },
        "sections": {s.key: _section(s) for s in report.sections},
        "notes": _notes(report.notes),
    }


def frame_values(frame: pl.DataFrame) -> dict[str, object]:
    """A frame as columns and rows of plain values."""
    return {"columns": frame.columns, "rows": [[plain(v) for v in row] for row in frame.iter_rows()]}


def plain(value: object) -> object:
    """A value as JSON knows it: not finite -> None, containers element by element, anything else as text.

    Example:
        >>> plain({"a": (1, float("inf")), "b": None})
        {'a': [1, None], 'b': None}
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Text):
        return _both(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Sequence | pl.Series):
        return [plain(v) for v in value]
    return str(value)


def to_json(values: Mapping[str, object]) -> str:
    """JSON text that is the same for the same values: insertion order, UTF-8, one final newline.

    Example:
        >>> print(to_json({"指数": 72.5}), end="")
        {
         "指数": 72.5
        }
    """
    return json.dumps(plain(values), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _section(section: Section) -> dict[str, object]:
    frames = dict(section.data) or {t.name: t.frame for t in section.tables}
    return {
        "title": _both(section.title),
        "data": {name: frame_values(frame) for name, frame in frames.items()},
        "notes": _notes(section.notes),
        **({"intervals": _both(SAMPLING_ONLY.text)} if section.has_intervals else {}),
    }


def _notes(found: Sequence[Note]) -> list[dict[str, str]]:
    return [{"code": n.code, **_both(n.text)} for n in found]


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
