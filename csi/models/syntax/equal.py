"""`equal("f=~x2")*x3`: two parameters with one label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from csi.errors import Problem, Text, did_you_mean
from csi.models.nouns import Modifier
from csi.models.syntax.places import Key, Source
from csi.models.syntax.tokens import Token

Relations = dict[Key, tuple[Modifier, ...]]


@dataclass(slots=True)
class _Equating:
    """Relations by their names, and those whose `equal(...)` is not looked up yet."""

    relations: Relations
    names: dict[str, Key]
    waiting: dict[Key, Token]
    source: Source
    problems: list[Problem] = field(default_factory=list)


def equate(relations: Relations, equal: Mapping[Key, Token], source: Source) -> list[Problem]:
    """Give parameters set equal the label of the parameter they name; that one gets its own name as label if it has
    none.

    Parameters:
        relations: modifiers by relation, changed in place; the label of an `equal(...)` names a relation or is a label.
        equal: the token of `equal` for the relations that have one. source: the text, for pointing at it.

    Returns:
        a problem for each name that is no parameter of the model.

    Example:
        >>> x2, x3 = ("f", "=~", "x2"), ("f", "=~", "x3")
        >>> said = {x2: (Modifier(label="a"),), x3: (Modifier(label="f =~ x2"),)}
        >>> equate(said, {x3: Token("name", "equal", "equal", 1, 1)}, Source(""))
        []
        >>> said[x3][0].label
        'a'
    """
    names = {_plain("".join(key)): key for key in relations}
    names |= {_plain(f"{rhs}~~{lhs}"): (lhs, op, rhs) for lhs, op, rhs in relations if op == "~~"}
    work = _Equating(relations, names, dict(equal), source)
    for key in equal:
        if key in work.waiting:
            _look_up(key, work)
    return work.problems


def _look_up(key: Key, work: _Equating) -> None:
    """Replace the names in the labels of one relation by labels; what they name is looked up first."""
    token = work.waiting.pop(key)
    said = work.relations[key]
    named = work.names.get(_plain(said[0].label or ""))
    if named in work.waiting:
        _look_up(named, work)
    if named and len(said) == 1:
        # one name serves all groups of what it names
        said = said * max(1, len(work.relations[named]))
    labels = [_label(m.label, g, key, token, work) if m.label else None for g, m in enumerate(said)]
    work.relations[key] = tuple(replace(m, label=label) for m, label in zip(said, labels, strict=True))


def _label(name: str, group: int, asking: Key, token: Token, work: _Equating) -> str:
    """The label of the parameter called `name` in one group, for the relation `asking`."""
    key = work.names.get(_plain(name))
    if key is None:
        others = (said for k, said in work.relations.items() if k != asking and k not in work.waiting)
        if not any(m.label == name for said in others for m in said):
            work.problems.append(_unknown(name, token, work))
        return name
    if key in work.waiting:
        _look_up(key, work)
    said = work.relations[key] or (Modifier(),)
    own = "".join(key)
    work.relations[key] = said = tuple(replace(m, label=m.label or own) for m in said)
    return said[min(group, len(said) - 1)].label or own


def _unknown(name: str, token: Token, work: _Equating) -> Problem:
    """A name in `equal(...)` that is no parameter of the model."""
    what = Text(f'"{name}" is no parameter of this model.', f"模型中没有参数“{name}”。")
    return work.source.problem(token.spot, "E-MODIFIER", what, did_you_mean(_plain(name), work.names))


def _plain(name: str) -> str:
    """A parameter's name without blanks and quotes."""
    return re.sub(r"[\s'\"]", "", name)
