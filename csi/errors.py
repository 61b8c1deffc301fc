"""What can go wrong, as values and exceptions.

    CsiError
    ├── Problems         input that the user must change: every problem at once
    ├── NotConverged     an estimate was demanded from an algorithm that did not settle
    └── MissingPackage   an optional package is needed for what was asked

Three kinds of bad news, three shapes: what the user got wrong *raises* `Problems`; what cannot be computed is a
value with a `Reason`; what is doubtful is a `Note` on the result.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label in the two languages of the package.

    Example:
        >>> Text("wave", "期").say("zh")
        '期'
    """

    en: str
    zh: str

    def say(self, lang: str = "en") -> str:
        """The text in `lang` ("en" or "zh"); a missing translation falls back to the other language."""
        return (self.zh or self.en) if lang == "zh" else (self.en or self.zh)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing the user must change: what, where, what was expected, what to do.

    Parameters:
        code: a stable short name, such as "E-SCALE" (tests and `--json` use it).
        where: the place, "study.yaml:9", "answers.csv, column q3", "model, line 2, column 7"; "" when there is none.
        what: what was found and what was expected.
        remedy: what to do about it.
    """

    code: str
    where: str
    what: Text
    remedy: Text

    def say(self, lang: str = "en") -> str:
        """One line: `where: what. remedy`; the place once, where the sentence begins with the file that it names.

        Example:
            >>> problem("E-ENCODING", "a.csv", "a.csv is not UTF-8.", "a.csv 不是 UTF-8 编码。").say()
            'a.csv is not UTF-8.'
        """
        # editors read file:line with a plain colon behind it
        file, _, line = self.where.rpartition(":")
        colon = "：" if lang == "zh" and not (file and line.isdecimal()) else ": "
        place = f"{place_in(self.where, lang)}{colon}" if self.where else ""
        space = "" if lang == "zh" else " "
        if "." in self.where and re.match(rf"{re.escape(self.where)}(?![\w.])", self.what.say(lang)):
            place = ""
        return f"{place}{self.what.say(lang)}{space}{self.remedy.say(lang)}".rstrip()


@dataclass(frozen=True, slots=True)
class Note:
    """Something doubtful about a result; printed under its tables and kept in the record."""

    code: str
    text: Text

    def say(self, lang: str = "en") -> str:
        """The note in `lang`."""
        return self.text.say(lang)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a value is absent (instead of a bare NaN)."""

    code: str
    text: Text

    def say(self, lang: str = "en") -> str:
        """The reason in `lang`."""
        return self.text.say(lang)


class CsiError(Exception):
    """The root of every exception this package raises on purpose."""


class Problems(CsiError):
    """All problems of one input, raised together.

    Example:
        >>> missing = problem("E-FILE", "a.csv", "no such file.", "文件不存在。", "Check the path.", "请检查路径。")
        >>> print(Problems([missing]))
        a.csv: no such file. Check the path.
    """

    def __init__(self, problems: Iterable[Problem], lang: str = "en") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.lang = lang
        super().__init__("\n".join(p.say(lang) for p in self.problems))

    def __str__(self) -> str:
        return "\n".join(p.say(self.lang) for p in self.problems)


class NotConverged(CsiError):
    """The algorithm did not settle and the caller asked for a solution."""


class MissingPackage(CsiError):
    """An optional package is needed; the message names the extra to install."""


def problem(code: str, where: str, en: str, zh: str, do: str = "", do_zh: str = "") -> Problem:
    """A `Problem` from plain strings (what and remedy, both languages)."""
    return Problem(code, where, Text(en, zh), Text(do, do_zh))


_PLACES_ZH = {
    "model": "模型",
    "data": "数据",
    "items": "题项",
    "paths": "路径",
    "estimate": "估计结果",
    "estimates": "估计结果",
    "where": "筛选条件 where",
}
"""Places that are one word and no setting's name."""

_KINDS_ZH = {
    "column": "列",
    "item": "题项",
    "group": "组",
    "construct": "构念",
    "interaction": "交互项",
    "constraint": "约束",
    "expression": "表达式",
    "estimate": "估计结果",
}
"""What stands before a name."""


def place_in(where: str, lang: str = "en") -> str:
    """A place in `lang`; files and settings keep their names.

    Example:
        >>> place_in("model, line 1, column 12", "zh"), place_in('a.csv, column "q 1"', "zh"), place_in("free", "zh")
        ('模型，第 1 行，第 12 列', 'a.csv，列“q 1”', 'free')
    """
    if lang != "zh":
        return where
    outer, _, inner = where.removesuffix(")").partition(" (")
    if where.endswith(")") and place_in(inner, lang) != inner:
        return f"{place_in(outer, lang)}（{place_in(inner, lang)}）"
    if where.startswith("items "):
        return f"题项 {where.removeprefix('items ').replace(', ', '、')}"
    said, counted = "", False
    for position, part in enumerate(where.split(", ")):
        told = _part_zh(part, counted=counted)
        counted = part.startswith("line ")
        said += told if not position else f"，{told}" if told != part else f", {part}"
    return said


def _part_zh(part: str, *, counted: bool) -> str:
    """One part of a place; `counted`: it follows a line, so that its column is a number."""
    kind, _, name = part.partition(" ")
    if name == "more places":
        return f"另有 {kind} 处"
    if kind in {"line", "row"} and name.isdecimal():
        return f"第 {name} 行"
    if kind == "column" and counted:
        return f"第 {name} 列"
    if kind in _KINDS_ZH and name:
        quoted = len(name) > 2 and name[0] == name[-1] == '"'
        return f"{_KINDS_ZH[kind]}“{name[1:-1]}”" if quoted else f"{_KINDS_ZH[kind]} {name}"
    return _PLACES_ZH.get(part, part)


def note(code: str, en: str, zh: str) -> Note:
    """A `Note` from plain strings."""
    return Note(code, Text(en, zh))


def reason(code: str, en: str, zh: str) -> Reason:
    """A `Reason` from plain strings."""
    return Reason(code, Text(en, zh))


def one_of(setting: str, value: object, known: Iterable[str]) -> list[Problem]:
    """A problem when a setting's value is not among the known ones, with the closest; else none.

    Example:
        >>> print(Problems(one_of("weighting", "pth", ["path", "factorial"])))
        weighting: "pth" is not a value of this setting. Did you mean "path"?
    """
    names = list(known)
    if value in names:
        return []
    hint = did_you_mean(str(value), names)
    what = Text(f'"{value}" is not a value of this setting.', f"“{value}”不是该设置的取值。")
    return [Problem("E-SETTING", setting, what, hint)]


def whole(setting: str, value: object) -> list[Problem]:
    """A problem when a setting's value is not a whole number; else none.

    Example:
        >>> whole("n", 1000), [p.code for p in whole("n", 150.5)]
        ([], ['E-SETTING'])
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        return []
    en, zh = f"a whole number is expected, not {value!r}.", f"应为整数，而不是 {value!r}。"
    return [problem("E-SETTING", setting, en, zh, f"Write {setting}=1000, say.", f"例如 {setting}=1000。")]


def seed_problems(seed: object) -> list[Problem]:
    """A problem when a seed is not a whole number from 0; else none.

    Example:
        >>> print(Problems(seed_problems(1.5)))
        seed: a seed is a whole number from 0, not 1.5. Use seed=1, say.
    """
    if not whole("seed", seed) and int(str(seed)) >= 0:
        return []
    en, zh = f"a seed is a whole number from 0, not {seed}.", f"种子应为非负整数，而不是 {seed}。"
    return [problem("E-SETTING", "seed", en, zh, "Use seed=1, say.", "例如 seed=1。")]


def is_number(value: object) -> bool:
    """Whether a value is a real number (text, None and truth values are none)."""
    return isinstance(value, Real) and not isinstance(value, bool)


def capped(problems: Iterable[Problem], most: int = 5) -> list[Problem]:
    """Problems of the first `most` places for each code, and a count of the other places.

    Example:
        >>> few, do = Text("too few rows.", "行数过少。"), Text("Merge.", "请合并。")
        >>> many = [Problem("E-FEW", f"group {i}", few, do) for i in range(9)]
        >>> print(capped(many, 2)[-1].say())
        7 more places: the same of group 2; group 3; ... Merge.
    """
    found, places = list(problems), dict[str, dict[str, Problem]]()
    for p in found:
        places.setdefault(p.code, {}).setdefault(p.where, p)
    kept = [p for p in found if p.where in list(places[p.code])[:most]]
    for code, by_place in places.items():
        rest = list(by_place)[most:]
        if rest:
            end, end_zh = ("; ...", "等") if len(rest) > most else (".", "")
            en = f"the same of {'; '.join(rest[:most])}{end}"
            zh = f"{'；'.join(place_in(one, 'zh') for one in rest[:most])}{end_zh}同样如此。"
            what, remedy = Text(en, zh), by_place[rest[0]].remedy
            kept.append(Problem(code, f"{len(rest)} more places", what, remedy))
    return kept


def did_you_mean(name: str, known: Iterable[str], *, every: bool = False) -> Text:
    """A remedy sentence naming the closest known name, or listing what is known; both, in their order, of `every`.

    Nothing where nothing is known.

    Example:
        >>> did_you_mean("satisfation", ["satisfaction", "loyalty"]).en
        'Did you mean "satisfaction"?'
        >>> did_you_mean("2027", ["2025", "2026"], every=True).en
        'Did you mean "2026"? Known names: 2025, 2026.'
    """
    given = [one for one in dict.fromkeys(known) if one]
    if not given:
        return Text("", "")
    names = given if every else sorted(given)
    close = difflib.get_close_matches(name, sorted(given), n=1, cutoff=0.6)
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    listed_zh = listed.replace(", ...", " 等").replace(", ", "、") if every else listed
    every_name = Text(f"Known names: {listed}.", f"可用名称：{listed_zh}。")
    if not close:
        return every_name
    near = Text(f'Did you mean "{close[0]}"?', f"是否应为“{close[0]}”？")
    return Text(f"{near.en} {every_name.en}", f"{near.zh}{every_name.zh}") if every else near
