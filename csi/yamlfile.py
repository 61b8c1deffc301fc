"""YAML read as plain strings by libyaml's reader, ten times as fast; what is wrong is said by the reader in Python."""

from __future__ import annotations

from typing import Any, Final

import yaml

FAST: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Makes every scalar a string; the reader in Python where libyaml was not compiled in."""
DEEP: Final = 200
"""Levels that no file of ours has; both readers would go on until their stack ends."""


def aliased(text: str) -> bool:
    r"""Whether a document uses aliases (`*name`).

    Raises:
        yaml.YAMLError: not valid.

    Example:
        >>> aliased("a: &x 1\nb: *x")
        True
    """
    return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_reader(text)))


def composed(text: str) -> yaml.Node | None:
    """The nodes of a document with their lines, None where it is empty.

    Raises:
        yaml.YAMLError: not valid. RecursionError: nested too deeply.

    Example:
        >>> composed("a: 1").value[0][1].value
        '1'
    """
    return yaml.compose(text, Loader=_reader(text))


def strings(text: str) -> Any:  # noqa: ANN401 - mappings, lists and strings as they stand
    """A document as mappings, lists and strings.

    Raises:
        yaml.YAMLError: not valid. RecursionError: nested too deeply.

    Example:
        >>> strings("a: [1, yes]")
        {'a': ['1', 'yes']}
    """
    return yaml.load(text, Loader=_reader(text))  # noqa: S506 - makes only strings


def _reader(text: str) -> Any:  # noqa: ANN401 - a loader class of PyYAML
    """Libyaml's reader where it can read the document, else the one in Python, for its words and its limits."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=FAST):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEP:
                message = f"nested deeper than {DEEP} levels"
                raise RecursionError(message)
    except yaml.YAMLError:
        return yaml.BaseLoader
    return FAST
