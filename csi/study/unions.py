"""Values of several kinds (a text or a mapping): what pydantic finds, told of the kind that a value is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from csi.study.positions import Loc


def chosen(found: Sequence[Mapping[str, Any]], value: object) -> list[dict[str, Any]]:
    """What pydantic found, at places of the file: of the kinds that a value may be, of the one that it is.

    Where a value may be a text or a mapping, pydantic tells what each would need, at places that name the kind.

    Parameters:
        found: pydantic's errors. value: what was read.

    Example:
        >>> found = [{"type": t, "loc": ("weights", t[:4])} for t in ("dict_type", "string_type")]
        >>> [(one["loc"], one["type"]) for one in chosen(found, {"weights": ["A"]})]
        [(('weights',), 'dict_type|string_type')]
    """
    every = [(tuple(one["loc"]), typed_at(value, tuple(one["loc"])), one) for one in found]
    out: list[dict[str, Any]] = []
    for loc, at, one in every:
        if at != loc and _of_kind(one):
            if any(other[: len(at)] == at and (other != at or not _of_kind(more)) for _, other, more in every):
                continue  # it is of another kind, whose own faults are told
            same = [more for given, other, more in every if other == at and given != at]
            if one is same[0]:
                out.append({**one, "loc": at, "type": "|".join(dict.fromkeys(more["type"] for more in same))})
            continue
        out.append({**one, "loc": at})
    return out


def _of_kind(one: Mapping[str, Any]) -> bool:
    """Whether a value is of a kind it cannot be."""
    return str(one["type"]).endswith("_type")


def typed_at(value: object, loc: Loc) -> Loc:
    """A place without the kinds that pydantic names among its steps.

    Example:
        >>> typed_at({"weights": {"A": "x"}}, ("weights", "dict[str,float]", "A"))
        ('weights', 'A')
        >>> typed_at({"data": [{}]}, ("data", 0, "file"))
        ('data', 0, 'file')
    """
    steps: list[str | int] = []
    at = value
    for i, step in enumerate(loc):
        if isinstance(at, Mapping) and step in at:
            at = at[step]
        elif isinstance(at, list) and isinstance(step, int):
            at = at[step] if step < len(at) else None
        elif step != "[key]" and not (isinstance(at, Mapping) and i == len(loc) - 1 and _key(step)):
            continue
        steps.append(step)
    return tuple(steps)


def _key(step: str | int) -> bool:
    """Whether a step can be a key that is missing, not the name of a kind."""
    return str(step).isidentifier() and step not in {"str", "int", "float", "bool"}
