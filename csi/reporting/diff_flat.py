"""Settings of a record as flat names and values, the same whichever verb wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast


def file_name(value: object) -> object:
    """A file by its name, so that a study in another folder has the same settings; other values as they are.

    Example:
        >>> file_name("/srv/one/weights.csv"), file_name("path"), file_name(30)
        ('weights.csv', 'path', 30)
    """
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def parsed(value: object) -> object:
    """What a text says where it is JSON of something else than a text: a batch keeps its settings so.

    Example:
        >>> parsed("null"), parsed("1e-07"), parsed("path"), parsed('{"show": []}'), parsed("2023")
        (None, 1e-07, 'path', {'show': []}, '2023')
    """
    if not isinstance(value, str) or value.isdecimal():
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return value if isinstance(found, str) else cast("object", found)


def flat(value: Mapping[str, object], above: str = "") -> dict[str, object]:
    """Nested mappings as one, with dotted names; lists as text.

    Example:
        >>> flat({"files": {"a.csv": "03"}, "order": ["1", "2"]})
        {'files.a.csv': '03', 'order': '["1", "2"]'}
    """
    out: dict[str, object] = {}
    for name, inner in value.items():
        key = f"{above}.{name}" if above else str(name)
        if isinstance(inner, Mapping):
            out |= flat(cast("Mapping[str, object]", inner), key)
        else:
            out[key] = json.dumps(inner, ensure_ascii=False, default=str) if isinstance(inner, list | tuple) else inner
    return out


def settled(value: Mapping[str, object]) -> dict[str, object]:
    """Settings as `flat`, numbers as numbers and files by their names, however they were written.

    Example:
        >>> settled({"level": "0.95", "views": '{"limit": 3.0, "show": []}', "n": "30", "tree": "/srv/weights.csv"})
        {'level': 0.95, 'views.limit': 3.0, 'views.show': '[]', 'n': 30, 'tree': 'weights.csv'}
    """
    out: dict[str, object] = {}
    for name, inner in flat(value).items():
        said = parsed(inner)
        if isinstance(said, Mapping):
            out |= settled({f"{name}.{k}": v for k, v in cast("Mapping[str, object]", said).items()})
        elif isinstance(said, list):
            out[name] = json.dumps(said, ensure_ascii=False, default=str)
        else:
            out[name] = int(said) if isinstance(said, str) and said.isdecimal() else file_name(said)
    return out
