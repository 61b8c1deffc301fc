"""The model library: one YAML file per card beside this file; a new model needs no Python."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.models.card import Card
from csi.models.card_explain import explained, meant
from csi.models.card_mended import faults_of, mended
from csi.models.card_parts import Fault
from csi.yamlfile import strings

_CARD = TypeAdapter(Card)

ROUNDS = 6
"""How often a card's form is mended to see what else is wrong with it."""


def card_names() -> tuple[str, ...]:
    """The ids of the cards in the library, oldest model first.

    Example:
        >>> card_names()[:3]
        ('ect', 'edt', 'servqual')
    """
    cards = [read_card(file.name.removesuffix(".yaml")) for file in _library()]
    return tuple(c.id for c in sorted(cards, key=lambda c: (c.year, c.id)))


def shipped() -> tuple[str, ...]:
    """The ids of the cards in the library by letter; none of them is read.

    Example:
        >>> shipped()[:2], sorted(card_names()) == list(shipped())
        (('acsi', 'acsi_government'), True)
    """
    return tuple(file.name.removesuffix(".yaml") for file in _library())


def read_card(name: str, lang: str = "en") -> Card:
    """A card of the library, or one of your own.

    Parameters:
        name: a card id ("acsi"), or the path of a YAML file (ending in ".yaml"). lang: language of messages.

    Returns:
        the card.

    Raises:
        Problems: when there is no such card or the file is not a card.

    Example:
        >>> read_card("ecsi_mobile").index.target
        'satisfaction'
        >>> read_card("asci")
        Traceback (most recent call last):
        ...
        csi.errors.Problems: there is no card "asci". Did you mean "acsi"?
    """
    own = name.endswith((".yaml", ".yml"))
    found = {f.name.removesuffix(".yaml"): f for f in _library()}
    if own and Path(name).is_file():
        return card_from(Path(name).read_text(encoding="utf-8"), name, lang)
    if own or name not in found:
        what = Text(f'there is no card "{name}".', f"没有模型卡“{name}”。")
        raise Problems([Problem("E-CARD", "", what, did_you_mean(name, found))], lang)
    return _shipped(name)


def card_from(text: str, where: str, lang: str = "en") -> Card:
    """A card from YAML text.

    Parameters:
        text: the file's text. where: its name, for messages. lang: language of messages.

    Raises:
        Problems: what is not as a card must be, all at once.

    Example:
        >>> shipped = (files("csi.models.cards") / "acsi.yaml").read_text(encoding="utf-8")
        >>> card_from(shipped, "acsi.yaml").year
        1994
    """
    try:
        raw = strings(text)
        return _CARD.validate_python(raw)
    except yaml.YAMLError as error:
        raise Problems([_not_yaml(where, error)], lang) from None
    except ValidationError as error:
        found = [dict(e) for e in error.errors()]
    problems = [explained(where, text, e) for e in found if not faults_of(e)]
    problems += [meant(where, text, f) for f in _faults(raw, found)]
    raise Problems(sorted(dict.fromkeys(problems), key=lambda p: int(p.where.rpartition(":")[2])), lang)


def _faults(raw: object, found: Sequence[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Faults of what a card says; where its form is at fault too, of what it says with its form mended."""
    for _ in range(ROUNDS):
        told = tuple(f for e in found for f in faults_of(e))
        if told or not isinstance(raw, dict):
            return told
        raw = mended(raw, found)
        try:
            _CARD.validate_python(raw)
        except ValidationError as error:
            found = [dict(e) for e in error.errors()]
        else:
            return ()
    return ()


def _not_yaml(where: str, error: yaml.YAMLError) -> Problem:
    """A file that is not YAML."""
    mark = getattr(error, "problem_mark", None)
    place = f"{where}:{mark.line + 1}" if mark is not None else where
    said = getattr(error, "problem", None) or str(error)
    en, zh = f"this is not YAML: {said}.", f"此处不符合 YAML 语法（{said}）。"
    return problem("E-CARD", place, en, zh, "Look at brackets, quotes and indents.", "请检查括号、引号与缩进。")


@functools.cache
def _shipped(name: str) -> Card:
    """A card of the library; read once."""
    file = next(f for f in _library() if f.name == f"{name}.yaml")
    return card_from(file.read_text(encoding="utf-8"), file.name)


def _library() -> tuple[Traversable, ...]:
    """The card files, by name."""
    inside = files("csi.models.cards").iterdir()
    return tuple(sorted((f for f in inside if f.name.endswith(".yaml")), key=lambda f: f.name))
