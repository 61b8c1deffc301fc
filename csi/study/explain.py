"""What pydantic found, in the words of the person who typed it: place, value, what was expected, what was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from csi.errors import Problem, Text, did_you_mean, problem
from csi.study.positions import WIDE, Document, Loc
from csi.study.salvage import Fill, nothing, salvaged
from csi.study.unions import chosen
from csi.survey.cells import shown as as_shown

Form = TypeVar("Form", bound=BaseModel)

KINDS: Mapping[str, Text] = {
    "float_parsing": Text("a number", "数字"),
    "float_type": Text("a number", "数字"),
    "int_parsing": Text("a whole number", "整数"),
    "int_type": Text("a whole number", "整数"),
    "bool_parsing": Text("yes or no", "yes 或 no"),
    "bool_type": Text("yes or no", "yes 或 no"),
    "int_from_float": Text("a whole number", "整数"),
    "finite_number": Text("a finite number", "有限的数字"),
    "string_too_short": Text("a text that is not empty", "非空的文字"),
    "string_type": Text("a single text", "一段文字"),
    "list_type": Text("a list, such as [a, b]", "列表，如 [a, b]"),
    "dict_type": Text("`key: value` pairs", "“键: 值”的形式"),
    "model_type": Text("`key: value` pairs", "“键: 值”的形式"),
    "model_attributes_type": Text("`key: value` pairs", "“键: 值”的形式"),
}
"""What was expected, by pydantic's name for the failure."""

BOUNDS: Mapping[str, tuple[str, Text]] = {
    "greater_than": ("gt", Text("more than", "大于")),
    "greater_than_equal": ("ge", Text("at least", "不小于")),
    "less_than": ("lt", Text("less than", "小于")),
    "less_than_equal": ("le", Text("at most", "不大于")),
    "too_long": ("max_length", Text("at most", "项数不大于")),
}
"""Broken bounds, by pydantic's name for the failure."""


_NESTED = {"list": "[...]", "dict": "{...}"}


@dataclass(frozen=True, slots=True)
class Held(Generic[Form]):
    """A value held to its form: the form (without what is wrong, or None), the problems, and where they are."""

    form: Form | None
    problems: tuple[Problem, ...] = ()
    flawed: tuple[Loc, ...] = ()

    def faulty(self, *at: str | int) -> bool:
        """Whether something is wrong at `at` or below it."""
        return any(loc[: len(at)] == at for loc in self.flawed)


def held_to(form: type[Form], value: object, document: Document, at: Loc = (), fill: Fill = nothing) -> Held[Form]:
    """`value` (found at `at`) as `form`, with every problem it has; what is right of it is kept.

    `fill` gives stand-ins for required values, so that the rest of a faulty file can be checked all the same.
    """
    try:
        return Held(form.model_validate(value))
    except ValidationError as error:
        found = chosen(error.errors(include_url=False), value)
        problems = tuple(_explained(form, one, document, at) for one in found)
        return Held(salvaged(form, value, error, fill), problems, tuple(tuple(one["loc"]) for one in found))


def _explained(form: type[BaseModel], found: Mapping[str, Any], document: Document, at: Loc) -> Problem:
    loc: Loc = tuple(found["loc"])
    kind, value = found["type"], found["input"]
    where, key = document.place((*at, *loc)), ".".join(str(step) for step in loc[-2:] if isinstance(step, str))
    wide = _wide(value if kind != "extra_forbidden" else str(loc[-1]))
    if kind == "extra_forbidden":
        hint = wide or did_you_mean(str(loc[-1]), fields_at(form, loc[:-1]))
        return Problem("E-KEY-UNKNOWN", where, Text(f'unknown key "{loc[-1]}".', f"未知的键“{loc[-1]}”。"), hint)
    if kind == "missing":
        name = str(loc[-1])
        return problem(
            "E-KEY-MISSING",
            where,
            f'the key "{name}" is missing or blank.',
            f"缺少键“{name}”，或其值为空。",
            f"Add `{name}: ...`.",
            f"请补充 {name}: ……。",
        )
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", found["ctx"]["expected"])
        if loc[-1] == "[key]":
            what, name = _strange_key(".".join(map(str, (*at, *loc[:-1]))), known), str(loc[-2])
        else:
            choice = Text(f"one of {', '.join(k for k in known if k)}", "、".join(k for k in known if k) + " 之一")
            what, name = _said(key, value, choice), str(value)
        return Problem("E-VALUE", where, what, wide or did_you_mean(name, [k for k in known if k]))
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        bound = found["ctx"][name]
        return Problem(
            "E-VALUE", where, _said(key, value, Text(f"{words.en} {bound:g}", f"{words.zh} {bound:g}")), Text("", "")
        )
    if kind == "too_short":
        return problem(
            "E-VALUE", where, f"{key} is an empty list.", f"{key} 是空列表。", "List at least one.", "请至少列出一个。"
        )
    each = [KINDS[k] for k in kind.split("|") if k in KINDS]
    either = Text(" or ".join(e.en for e in each), "或".join(e.zh for e in each))
    expected = either if each else Text(f"something else ({found['msg']})", f"其他内容（{found['msg']}）")
    return Problem("E-VALUE", where, _said(key, value, expected), wide or Text("", ""))


def apart(words: str) -> str:
    """Chinese words with a space before them where they begin with a Latin letter or digit.

    Example:
        >>> apart("yes 或 no"), apart("数字")
        (' yes 或 no', '数字')
    """
    return f" {words}" if words[:1].isascii() and words[:1].isalnum() else words


def _strange_key(path: str, known: Sequence[str]) -> Text:
    """A key that is none of those its mapping can have."""
    listed, listed_zh = ", ".join(known), "、".join(known)
    return Text(
        f'"{path}" is not a known key; expected one of {listed}.', f"“{path}”不是可用的键，应为 {listed_zh} 之一。"
    )


def _said(key: str, value: object, expected: Text) -> Text:
    """`key is "value"; expected ...`."""
    shown = as_shown(value) if isinstance(value, str) else _NESTED.get(type(value).__name__, str(value))
    return Text(f'{key} is "{shown}"; expected {expected.en}.', f"{key} 的值是“{shown}”，应为{apart(expected.zh)}。")


def _wide(value: object) -> Text | None:
    """A hint when a text holds full-width punctuation or digits where none belongs."""
    if not isinstance(value, str):
        return None
    narrow = "".join(WIDE.get(char, chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else char) for char in value)
    narrow = re.sub(r"([:,])(?=\S)", r"\1 ", narrow)
    if narrow == value or all(char not in WIDE and not "０" <= char <= "９" and char not in "．－" for char in value):
        return None
    return Text(f"It is typed with full-width characters; write `{narrow}`.", f"使用了全角字符，请写成 {narrow}。")


def fields_at(form: object, loc: Loc) -> tuple[str, ...]:
    """The keys a form allows at a place.

    Example:
        >>> from csi.study.schema import StudyForm
        >>> fields_at(StudyForm, ("data", 0))[:3]
        ('file', 'encoding', 'sheet')
    """
    kind = _plain(form)
    for step in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            named = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
            kind = _plain(named.get(str(step)))
        else:
            kind = _plain(get_args(kind)[-1]) if get_args(kind) else None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return tuple(field.alias or name for name, field in kind.model_fields.items())
    return ()


def _plain(kind: object) -> object:
    """An annotation without `Annotated` and `| None`."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        return _plain(next(arg for arg in get_args(kind) if arg is not type(None)))
    return kind
