"""Text -> tokens. Full-width characters are read as what they stand for and stay marked, for the message to say so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from csi.models.syntax.places import Spot

Kind = Literal["name", "quoted", "number", "operator", "unsupported", "mark", "end", "other"]
"""`mark` is one of `+ - * / ^ : , ( ) ?`; `end` closes a line (newline) or a statement (`;`)."""

_HALF_WIDTH = {chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)} | {
    "\u3000": " ", "“": '"', "”": '"', "‘": "'", "’": "'", "〜": "~", "∼": "~", "、": ",", "−": "-", "–": "-", "×": "*",
}  # fmt: skip

_NAME = re.compile(r"[^\W\d][\w.]*|\.[^\W\d][\w.]*")
_PATTERN = re.compile(
    r"""
    (?P<blank>[^\S\n]+)
  | (?P<comment>[#!].*)
  | (?P<quoted>"[^"\n]*"|'[^'\n]*')
  | (?P<unsupported><-|->|~=|<>|!=|\|~|[%&@$\\{}\[\]≤≥])
  | (?P<operator>~\*~|=~|<~|~~|:=|==|<=|>=|~|<|>|\|)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![^\W\d]))
  | (?P<name>[^\W\d][\w.]*|\.[^\W\d][\w.]*)
  | (?P<mark>[-+*/^:,()?])
  | (?P<end>;)
  | (?P<other>\d[\w.]*|.)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    r"""A piece of model text: its kind, what it means (`text`), what was typed, and where.

    Example:
        >>> [t.text for t in tokens("满意 ＝~ q1")]
        ['满意', '=~', 'q1', '\n']
    """

    kind: Kind
    text: str
    typed: str
    line: int
    column: int

    @property
    def spot(self) -> Spot:
        """Where it stands."""
        return Spot(self.line, self.column, len(self.typed))

    @property
    def wide(self) -> bool:
        """Whether it was typed with full-width characters."""
        plain = f"{self.typed[:1]}{self.text}{self.typed[-1:]}" if self.kind == "quoted" else self.text
        return bool(self.typed) and (self.typed != plain or half_width(self.typed[0]) != self.typed[0])


def tokens(text: str) -> tuple[Token, ...]:
    r"""The tokens of a model text; every line ends with an `end` token. Comments (`#`, `!`) leave none.

    Parameters:
        text: lavaan text.

    Returns:
        tokens in order, with their places.

    Example:
        >>> [(t.kind, t.text) for t in tokens("y ~ a*x # why")]
        [('name', 'y'), ('operator', '~'), ('name', 'a'), ('mark', '*'), ('name', 'x'), ('end', '\n')]
    """
    found: list[Token] = []
    for number, line in enumerate(text.splitlines() or [""], start=1):
        plain = half_width(line)
        for match in _PATTERN.finditer(plain):
            kind = match.lastgroup or "other"
            if kind not in {"blank", "comment"}:
                found.append(_token(kind, match, line, number))
        found.append(Token("end", "\n", "", number, len(line) + 1))
    return tuple(found)


def half_width(line: str) -> str:
    """Full-width characters outside straight quotes turned into their plain forms, one for one.

    Example:
        >>> half_width("满意 ＝～ ｑ１＋ｑ２")
        '满意 =~ q1+q2'
    """
    if line.isascii():
        return line
    return re.sub(r"\"[^\"]*\"|'[^']*'|.", lambda m: _HALF_WIDTH.get(m[0], m[0]), line)


def written(name: str) -> str:
    """A name as it is written in a model text: quoted when it would not be read as one name otherwise.

    Example:
        >>> written("满意度"), written("brand image"), written("NA")
        ('满意度', '"brand image"', '"NA"')
    """
    plain = _NAME.fullmatch(name) and half_width(name) == name and name != "NA"
    mark = "'" if '"' in name else '"'
    return name if plain else f"{mark}{name}{mark}"


def _token(kind: str, match: re.Match[str], line: str, number: int) -> Token:
    """The token of one match."""
    typed = line[match.start() : match.end()]
    text = typed[1:-1] if kind == "quoted" else match[0]
    return Token(_KINDS[kind], text, typed, number, match.start() + 1)


_KINDS: dict[str, Kind] = {
    "name": "name", "quoted": "quoted", "number": "number", "operator": "operator", "unsupported": "unsupported",
    "mark": "mark", "end": "end", "other": "other",
}  # fmt: skip
