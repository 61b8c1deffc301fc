"""A YAML file as plain values of strings, with the line of every entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.yamlfile import composed

Place = tuple[str | int, ...]
Lines = dict[Place, int]
T = TypeVar("T", bound=BaseModel)


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """The mapping a YAML file holds, every scalar as a string, and the line of every key and list entry.

    Empty entries (`stratum:`) are left out.

    Raises:
        Problems: no such file, not UTF-8, not YAML, not a mapping, or the same key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Problems(
            [problem("E-FILE", str(path), "no such file.", "文件不存在。", "Check the path.", "请检查路径。")]
        ) from None
    except (UnicodeDecodeError, IsADirectoryError, PermissionError):
        remedy = ("Save it as a UTF-8 text file.", "请另存为 UTF-8 文本文件。")
        raise Problems(
            [problem("E-ENCODING", str(path), "not a readable UTF-8 text.", "不是可读的 UTF-8 文本。", *remedy)]
        ) from None
    try:
        node = composed(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = (f"not valid YAML: {error.problem}.", f"YAML 语法有误：{error.problem}。")
        remedy = ("Check indentation, colons and quotes.", "请检查缩进、冒号与引号。")
        raise Problems([problem("E-YAML", f"{path}:{line}", *what, *remedy)]) from None
    lines: Lines = {}
    twice: list[Problem] = []
    value = _plain(node, (), lines, twice, str(path)) if node is not None else None
    if not isinstance(value, dict):
        remedy = ("Write `key: value` lines.", "请写成“键: 值”的形式。")
        twice.append(problem("E-YAML", str(path), "the file holds no keys.", "文件中没有任何键。", *remedy))
    if twice:
        raise Problems(twice)
    return (value if isinstance(value, dict) else {}), lines


def _plain(
    node: yaml.Node, place: Place, lines: Lines, twice: list[Problem], file: str
) -> str | list[Any] | dict[str, Any]:
    """Strings, lists and dicts from YAML nodes; lines are noted on the way."""
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(entry, (*place, i), lines, twice, file) for i, entry in enumerate(node.value)]
    out: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        here = (*place, key)
        if key in out:
            what = (f'the key "{key}" stands here twice.', f"键“{key}”重复出现。")
            remedy = ("Keep one of them.", "请只保留一个。")
            twice.append(problem("E-TWICE", f"{file}:{key_node.start_mark.line + 1}", *what, *remedy))
        lines[here] = key_node.start_mark.line + 1
        value = _plain(value_node, here, lines, twice, file)
        if value != "":
            out[key] = value
    return out


def where(path: Path | str, lines: Lines, place: Place) -> str:
    """`file:line` of an entry, or of the nearest entry around it."""
    while place and place not in lines:
        place = place[:-1]
    return f"{path}:{lines[place]}" if place in lines else str(path)


def validated(schema: type[T], value: dict[str, Any], path: Path, lines: Lines) -> T:
    """`value` as a `schema`; every violation becomes a `Problem` with its line."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise Problems([_translate(dict(e), schema, path, lines) for e in error.errors()]) from None


def _translate(error: dict[str, Any], schema: type[BaseModel], path: Path, lines: Lines) -> Problem:
    """One violation of pydantic's in our words."""
    place: Place = tuple(error["loc"])
    name = ".".join(str(part) for part in place)
    at = where(path, lines, place)
    if error["type"] == "missing":
        what = Text(f'"{name}" is missing.', f"缺少“{name}”。")
        return Problem("E-RECIPE", at, what, Text("Add it.", "请补上该项。"))
    if error["type"] == "extra_forbidden":
        what = Text(f'"{name}" is not a known key.', f"“{name}”不是可识别的键。")
        remedy = (
            did_you_mean(str(place[-1]), schema.model_fields) if len(place) == 1 else Text("Remove it.", "请删除。")
        )
        return Problem("E-RECIPE", at, what, remedy)
    shown = str(error.get("input"))[:60]
    what = Text(f'"{name}" is "{shown}": {error["msg"]}.', f"“{name}”的取值“{shown}”不合要求：{error['msg']}。")
    return Problem("E-RECIPE", at, what, Text("Correct the value.", "请更正取值。"))
