"""Lines -> statements: where one statement ends and the next begins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from csi.models.syntax.tokens import Token

_CARRY_ON = ("+", "*", "?", ",", "(", ":", "-", "/", "^")


def split(run: Sequence[Token]) -> Iterator[list[Token]]:
    r"""Runs of tokens, one per statement, each closed by its `end` token; carried-on lines are joined.

    A line carries on when it ends with an operator or inside a bracket, or when the next one begins with `+`, `*`, `,`.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> [[t.text for t in part] for part in split(tokens("y ~ a\n + b; z ~ c"))]
        [['y', '~', 'a', '+', 'b', ';'], ['z', '~', 'c', '\n']]
    """
    part: list[Token] = []
    depth = 0
    for place, token in enumerate(run):
        depth = max(0, depth + {"(": 1, ")": -1}.get(token.text, 0)) if token.kind == "mark" else depth
        if token.kind != "end":
            part.append(token)
        elif part and not (token.text == "\n" and (_carries_on(run, place, depth) or _goes_on(run, place))):
            yield [*part, token]
            part, depth = [], 0
    if part:
        yield [*part, run[-1]]


def _carries_on(run: Sequence[Token], place: int, depth: int) -> bool:
    """Whether the line ending at `place` asks for more, and the next one is not a statement of its own."""
    last = next(t for t in reversed(run[:place]) if t.kind != "end")
    asks = last.kind == "operator" or (last.kind == "mark" and last.text in _CARRY_ON)
    return depth > 0 or (asks and not any(t.kind == "operator" for t in _next_line(run, place)))


def _goes_on(run: Sequence[Token], place: int) -> bool:
    """Whether the line behind `place` can only continue this statement."""
    first = next(_next_line(run, place), None)
    return first is not None and (first.kind == "operator" or (first.kind == "mark" and first.text in "+*,)"))


def _next_line(run: Sequence[Token], place: int) -> Iterator[Token]:
    """The tokens of the next line that has any."""
    ahead = itertools.dropwhile(lambda t: t.kind == "end", run[place:])
    return itertools.takewhile(lambda t: t.kind != "end", ahead)
