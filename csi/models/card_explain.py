"""What is wrong in a card file, in its writer's words: line, key, what was expected, what was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import yaml

from csi.errors import Problem, Text, did_you_mean, problem
from csi.models.card import Card
from csi.models.card_parts import Block, Fault, Loc, Requires, Rival, Target
from csi.yamlfile import composed

KINDS: Mapping[str, Text] = {
    "float_parsing": Text("a number", "数字"),
    "int_parsing": Text("a whole number", "整数"),
    "bool_parsing": Text("yes or no", "yes 或 no"),
    "string_type": Text("a single text", "一段文字"),
    "tuple_type": Text("a list, such as [a, b]", "列表，如 [a, b]"),
    "mapping_type": Text("`key: value` pairs", "“键: 值”的形式"),
    "dict_type": Text("`key: value` pairs", "“键: 值”的形式"),
    "dataclass_type": Text("`key: value` pairs", "“键: 值”的形式"),
}
"""What was expected, by pydantic's name for the failure."""

UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
TEXTS = ("title", "provisional", "note")
PARTS: Mapping[str, type] = {"constructs": Block, "rivals": Rival}
SINGLE: Mapping[str, type] = {"index": Target, "requires": Requires}
REMEDY = Text(
    "csi/models/cards/README.md lists the keys; csi/models/cards/acsi.yaml is a complete card.",
    "各键见 csi/models/cards/README.md；完整示例见 csi/models/cards/acsi.yaml。",
)


def explained(where: str, text: str, found: Mapping[str, Any]) -> Problem:
    """One complaint of pydantic with its line.

    Parameters:
        where: the file's name. text: its text. found: one of pydantic's errors.
    """
    loc: Loc = tuple(found["loc"])
    kind, value = found["type"], found["input"]
    place = f"{where}:{line_of(text, loc if kind not in ('missing', *UNKNOWN) else loc[:-1])}"
    if kind in UNKNOWN:
        place = f"{where}:{line_of(text, loc)}"
    key = ".".join(str(step) for step in loc)
    if kind in UNKNOWN:
        what = Text(f'unknown key "{key}".', f"未知的键“{key}”。")
        return Problem("E-CARD", place, what, did_you_mean(str(loc[-1]), known_keys(loc)))
    if kind in ("missing", "missing_argument"):
        en, zh = f'the key "{key}" is missing.', f"缺少键“{key}”。"
        needed, needed_zh = ", ".join(required()), "、".join(required())
        do, do_zh = f"Add `{loc[-1]}:`; a card must have {needed}.", f"请补充 {loc[-1]}:；模型卡必须有 {needed_zh}。"
        return problem("E-CARD", place, en, zh, do, do_zh)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", found["ctx"]["expected"])
        what = Text(
            f'{key} is "{value}"; expected one of {", ".join(known)}.',
            f"{key} 的值是“{value}”，应为 {'、'.join(known)} 之一。",
        )
        return Problem("E-CARD", place, what, did_you_mean(str(value), known))
    wanted = KINDS.get(kind, Text("something else", "其他内容"))
    shown = (
        f'"{value}"' if isinstance(value, str) else {"list": "a list", "dict": "pairs"}.get(type(value).__name__, "")
    )
    shown_zh = (
        f"“{value}”" if isinstance(value, str) else {"list": "列表", "dict": "键值对"}.get(type(value).__name__, "")
    )
    what = Text(f"{key} is {shown}; expected {wanted.en}.", f"{key} 的值是{shown_zh}，应为{wanted.zh}。")
    return Problem("E-CARD", place, what, REMEDY)


def meant(where: str, text: str, fault: Fault) -> Problem:
    """A fault of what the card says, with its line.

    Parameters:
        where: the file's name. text: its text. fault: what is wrong.
    """
    what = Text(f"{fault.text.en}.", f"不符合模型卡格式（{fault.text.zh}）。")
    return Problem("E-CARD", f"{where}:{line_of(text, fault.at)}", what, fault.hint or REMEDY)


def required() -> tuple[str, ...]:
    """The keys that a card must have.

    Example:
        >>> required()
        ('id', 'title', 'year', 'cite', 'constructs', 'paths', 'index')
    """
    return tuple(f.name for f in fields(Card) if f.default is MISSING and f.default_factory is MISSING)


def known_keys(loc: Loc) -> tuple[str, ...]:
    """The keys that a card allows beside one.

    Example:
        >>> known_keys(("index", "taget")), known_keys(("title", "xz"))
        (('target',), ('en', 'zh'))
    """
    steps = [str(step) for step in loc[:-1]]
    if steps and steps[-1] in TEXTS:
        return ("en", "zh")
    of: type = Card
    if steps:
        of = SINGLE.get(steps[0], PARTS.get(steps[0], Card))
    return tuple(f.name for f in fields(of))


def line_of(text: str, loc: Loc) -> int:
    r"""The line of a place in a YAML text, of the nearest place above where there is none.

    Example:
        >>> line_of("id: x\nindex:\n  taget: y", ("index", "taget"))
        3
    """
    node = composed(text)
    line = 1
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
