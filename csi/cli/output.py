"""Printing: aligned grids (a Chinese character is two columns wide), one line per problem, one JSON object."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence

from csi.cli.answer import Answer, Grid
from csi.display import width
from csi.errors import Language, Problem, Text

NOTE = Text("Note: ", "注：")


def lines(grid: Grid) -> list[str]:
    r"""The grid as aligned lines: title, headings, a rule, rows.

    Example:
        >>> print("\n".join(lines(Grid(("brand", "index"), (("中讯", "78.1"),), ("<", ">")))))
        brand  index
        -----  -----
        中讯    78.1
    """
    cells = [grid.headings, *grid.rows]
    widths = [max(width(row[j]) for row in cells) for j in range(len(grid.headings))]
    rule = tuple("-" * w for w in widths)
    above = (grid.headings, rule) if any(grid.headings) else ()
    printed = [_line(row, widths, grid.align) for row in (*above, *grid.rows)]
    return [grid.title, *printed] if grid.title else printed


def _line(row: Sequence[str], widths: Sequence[int], align: Sequence[str]) -> str:
    """One row, each cell padded to its column's width."""
    padded = []
    for cell, wide, side in zip(row, widths, align, strict=True):
        space = " " * (wide - width(cell))
        padded.append(space + cell if side == ">" else cell + space)
    return "  ".join(padded).rstrip()


def as_text(answer: Answer, lang: Language) -> str:
    """Everything a person reads: blocks separated by a blank line where a grid is involved, then the notes."""
    notes = [NOTE.say(lang) + n for n in dict.fromkeys(n.say(lang) for n in answer.notes)]
    parts: list[str] = [*notes, ""] if answer.notes_first else []
    for block in answer.blocks:
        if isinstance(block, str):
            parts.append(block)
        else:
            parts.extend(["", *lines(block), ""])
    parts.extend([] if answer.notes_first else notes)
    text = "\n".join(parts).strip("\n")
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


def as_json(answer: Answer, verb: str, lang: Language) -> str:
    """One JSON object in full precision: the data, the notes, the problems and the exit code."""
    body = {
        "verb": verb,
        "exit": answer.code,
        **answer.data,
        "notes": [
            {"code": code, "text": text} for code, text in dict.fromkeys((n.code, n.say(lang)) for n in answer.notes)
        ],
        "problems": [as_entry(p, lang) for p in answer.problems],
    }
    return json.dumps(plain(body), ensure_ascii=False, allow_nan=False)


def as_entry(problem: Problem, lang: Language) -> dict[str, str]:
    """A problem as plain strings."""
    return {
        "code": problem.code,
        "where": problem.where,
        "what": problem.what.say(lang).rstrip(),
        "remedy": problem.remedy.say(lang),
    }


def plain(value: object) -> object:
    """`value` as JSON can hold it: frames become rows, arrays lists, dataclasses mappings, what is not finite null.

    Example:
        >>> plain({"r2": float("nan"), "names": ("a", "b")})
        {'r2': None, 'names': ['a', 'b']}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return _plain_many(value)


def _plain_many(value: object) -> object:
    """Frames by `to_dicts`, arrays and numpy numbers by `tolist`, other iterables item by item, else the text."""
    for method in ("to_dicts", "tolist"):
        if hasattr(value, method):
            return plain(getattr(value, method)())
    if isinstance(value, Iterable):
        return [plain(v) for v in value]
    return str(value)


def say_problems(problems: Iterable[Problem], lang: Language) -> None:
    """One line per problem on standard error; a line of a model with its caret stands indented under it."""
    for problem in problems:
        first, *more = problem.say(lang).split("\n")
        print("\n".join([first, *(f"    {line.removeprefix('    ')}" for line in more)]), file=sys.stderr)
