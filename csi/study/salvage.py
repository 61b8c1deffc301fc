"""What is left of a file when its faulty values are taken out, so that everything else can still be checked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from csi.study.positions import Loc
from csi.study.unions import chosen

Form = TypeVar("Form", bound=BaseModel)
Fill = Callable[[Loc], object]
"""What stands in for a required value at a place, or None when nothing can."""

ROUNDS = 4
"""Taking one value out can show that another is required; more rounds than this are not tried."""


def nothing(_at: Loc) -> object:
    """No stand-in anywhere."""
    return None


def salvaged(form: type[Form], value: object, error: ValidationError, fill: Fill = nothing) -> Form | None:
    """`value` as `form` without what `error` found; None when a required value is among it and has no stand-in.

    Parameters:
        form: the form the value should have. value: as read. error: what is wrong with it. fill: stand-ins.

    Example:
        >>> from csi.study.schema_survey import RulesForm
        >>> typed = {"speeders": "dorp", "straight_lining": "off"}
        >>> try:
        ...     _ = RulesForm.model_validate(typed)
        ... except ValidationError as found:
        ...     salvaged(RulesForm, typed, found).straight_lining
        'off'
    """
    left = copy.deepcopy(value)
    for _ in range(ROUNDS):
        for found in chosen(error.errors(include_url=False), left):
            left = _without(left, tuple(found["loc"]), fill)
        try:
            return form.model_validate(left)
        except ValidationError as again:
            error = again
    return None


def _without(value: object, at: Loc, fill: Fill) -> object:
    """`value` with the stand-in at `at`, or nothing there; a list loses no element (places keep their numbers)."""
    while at:
        parent, step, stand_in = inside(value, at[:-1]), at[-1], fill(at)
        if isinstance(parent, dict):
            had = parent.pop(step, None) is not None
            if stand_in is not None:
                parent[step] = stand_in
            if had or stand_in is not None:
                return value
        at = at[:-1]
    return value


def inside(value: object, at: Loc) -> object:
    """What stands at `at`; None where nothing does."""
    for step in at:
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
