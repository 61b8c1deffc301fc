"""Short ways to write a part of a study file: a plain text for a label."""

from __future__ import annotations

from typing import Any


def label(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A plain text is a label in the language it is written in."""
    if not isinstance(value, str):
        return value
    return {"zh": value} if any("\u4e00" <= char <= "\u9fff" for char in value) else {"en": value}
