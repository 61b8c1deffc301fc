"""A card file whose form is at fault, mended as far as it takes to see what else is wrong with it; for nothing else."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from csi.models.card_explain import UNKNOWN, known_keys
from csi.models.card_parts import CardFault, Fault

MISSING = ("missing", "missing_argument")
"""pydantic's names for a key that is not there."""


def faults_of(found: Mapping[str, Any]) -> tuple[Fault, ...]:
    """The faults that the card itself named, in one of pydantic's errors.

    Example:
        >>> faults_of({"type": "missing", "loc": ("index",)})
        ()
    """
    fault = found.get("ctx", {}).get("error")
    return fault.faults if isinstance(fault, CardFault) else ()


def mended(raw: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A card's keys with misspelt ones spelt right, unknown and unreadable ones dropped, and missing ones filled.

    Parameters:
        raw: the file's keys. found: pydantic's errors.

    Example:
        >>> wrong = {"type": "unexpected_keyword_argument", "loc": ("indx",)}
        >>> mended({"indx": {"target": "joy"}}, [wrong])
        {'index': {'target': 'joy'}}
    """
    out = copy.deepcopy(dict(raw))
    # from the end, so that positions in lists stay what they are
    for error in sorted(found, key=lambda e: tuple(map(str, e["loc"])), reverse=True):
        loc = tuple(error["loc"])
        holder = _at(out, loc[:-1])
        if holder is None or not loc:
            continue
        if error["type"] in MISSING:
            _filled(out, holder, loc)
        elif error["type"] in UNKNOWN:
            _renamed(holder, loc)
        elif isinstance(holder, dict):
            holder.pop(loc[-1], None)
        elif isinstance(holder, list) and isinstance(loc[-1], int) and loc[-1] < len(holder):
            del holder[loc[-1]]
    return out


def _at(raw: object, loc: Sequence[str | int]) -> object:
    """What stands at a place; None where there is nothing."""
    for step in loc:
        if isinstance(raw, dict):
            raw = raw.get(step)
        elif isinstance(raw, list) and isinstance(step, int) and step < len(raw):
            raw = raw[step]
        else:
            return None
    return raw


def _renamed(holder: object, loc: tuple[str | int, ...]) -> None:
    """An unknown key under the name that was probably meant; dropped where there is none or it is taken."""
    if not isinstance(holder, dict) or loc[-1] not in holder:
        return
    value = holder.pop(loc[-1])
    close = difflib.get_close_matches(str(loc[-1]), known_keys(loc), n=1)
    if close and close[0] not in holder:
        holder[close[0]] = value


def _filled(raw: Mapping[str, Any], holder: object, loc: tuple[str | int, ...]) -> None:
    """A key that is missing, with something that says nothing."""
    if not isinstance(holder, dict) or loc[-1] in holder:
        return
    constructs = raw.get("constructs")
    first = next(iter(constructs), "") if isinstance(constructs, dict) else ""
    fillers: dict[str, Any] = {
        "title": {"en": "", "zh": ""}, "year": "0", "cite": [], "constructs": {}, "paths": {},
        "index": {"target": first}, "target": first,
    }  # fmt: skip
    holder[loc[-1]] = copy.deepcopy(fillers.get(str(loc[-1]), ""))
