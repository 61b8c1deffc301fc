"""Where something stands in a model text, and problems that point at it."""

from __future__ import annotations

from dataclasses import dataclass

from csi.display import width
from csi.errors import Problem, Text


@dataclass(frozen=True, slots=True)
class Spot:
    """A stretch of text: line and column count from 1, length in characters.

    Example:
        >>> Spot(2, 7, 3).line
        2
    """

    line: int
    column: int
    length: int = 1


Key = tuple[str, str, str]
"""lhs, operator, rhs ("1" for an intercept)."""

Places = dict[Key, Spot]
"""Where things stand: relations and constraints by (lhs, operator, rhs), names by (name, "", ""), labels by
(label, "label", "")."""


@dataclass(frozen=True, slots=True)
class Source:
    """A model text and what to call it ("model", "model.txt").

    Example:
        >>> odd, look = Text("odd.", "奇怪。"), Text("Look.", "请看。")
        >>> print(Source("y ~ x").problem(Spot(1, 5), "E-SYNTAX", odd, look).say())
        model, line 1, column 5: odd.
            y ~ x
                ^
            Look.
    """

    text: str
    name: str = "model"

    def line(self, number: int) -> str:
        """Line `number` (from 1), tabs as single blanks so that the caret stands right."""
        lines = self.text.splitlines()
        return lines[number - 1].replace("\t", " ") if 0 < number <= len(lines) else ""

    def problem(self, spot: Spot | None, code: str, what: Text, remedy: Text) -> Problem:
        """A problem whose place is `spot`, with the line and a caret under it (no caret without a spot)."""
        if spot is None:
            return Problem(code, self.name, what, remedy)
        pointed = Text(what.en + self._caret(spot), what.zh + self._caret(spot) + " ")
        return Problem(code, f"{self.name}, line {spot.line}, column {spot.column}", pointed, remedy)

    def _caret(self, spot: Spot) -> str:
        """The source line and the caret line, ready to stand between what was found and the remedy."""
        line = self.line(spot.line)
        before, under = line[: spot.column - 1], line[spot.column - 1 : spot.column - 1 + spot.length]
        caret = " " * width(before) + "^" * max(width(under), 1)
        return f"\n    {line.rstrip()}\n    {caret}\n   "
