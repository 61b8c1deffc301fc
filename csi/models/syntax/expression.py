"""Arithmetic between labels, as in `indirect := a*b` and `a + b == 1`: parsed, checked, printed in one canonical way.

expression = product (("+" | "-") product)*        product = unary (("*" | "/") unary)*
unary = "-" unary | power                          power = atom ("^" unary)?
atom = number | label | function "(" expression ")" | "(" expression ")"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from csi.models.syntax.cursor import Cursor, Stumble, found
from csi.models.syntax.tokens import Token, written

_DEEPEST = 40
FUNCTIONS = ("abs", "exp", "log", "sqrt")


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as text that parses back to itself, and the labels it uses with their tokens.

    Example:
        >>> Expression("a*b", ()).text
        'a*b'
    """

    text: str
    labels: tuple[Token, ...]


def read_expression(cursor: Cursor) -> Expression:
    """The expression at the cursor, up to the end of the statement or a closing bracket.

    Parameters:
        cursor: stands on the first token of the expression and is moved behind it.

    Raises:
        Stumble: at the token that cannot stand there.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> read_expression(Cursor(tokens("( a+b ) * -2^c"))).text
        '(a + b)*-2^c'
    """
    return _chain(cursor, ("+", "-"), " {} ", _product)


_Reader = Callable[[Cursor], Expression]


def _product(cursor: Cursor) -> Expression:
    return _chain(cursor, ("*", "/"), "{}", _unary)


def _chain(cursor: Cursor, marks: tuple[str, ...], space: str, part: _Reader) -> Expression:
    """Parts of one rank joined by their operators, left to right."""
    found = part(cursor)
    while cursor.at_mark(*marks):
        mark = cursor.take().text
        right = part(cursor)
        found = Expression(found.text + space.format(mark) + right.text, found.labels + right.labels)
    return found


def _power(cursor: Cursor) -> Expression:
    base = _atom(cursor)
    if not cursor.at_mark("^"):
        return base
    cursor.take()
    exponent = _unary(cursor)
    return Expression(f"{base.text}^{exponent.text}", base.labels + exponent.labels)


def _unary(cursor: Cursor) -> Expression:
    if not cursor.at_mark("-"):
        return _power(cursor)
    cursor.take()
    inner = _unary(cursor)
    return Expression(f"-{inner.text}", inner.labels)


def _atom(cursor: Cursor) -> Expression:
    token = cursor.take()
    if token.kind == "number":
        return Expression(token.text, ())
    if token.kind == "name" and token.text in FUNCTIONS and cursor.at_mark("("):
        inner = _bracket(cursor)
        return Expression(f"{token.text}{inner.text}", inner.labels)
    if token.kind in {"name", "quoted"}:
        return Expression(written(token.text), (token,))
    if token.kind == "mark" and token.text == "(":
        return _bracket(cursor, opened=True)
    raise Stumble(
        token,
        "E-SYNTAX",
        f"{found(token).en}; a label, a number or a bracket was expected.",
        f"{found(token).zh}，此处应为标签、数字或括号。",
        "Write for example: indirect := a*b.",
        "例如：indirect := a*b。",
    )


def _bracket(cursor: Cursor, *, opened: bool = False) -> Expression:
    """`( expression )`."""
    token = cursor.peek()
    if not opened:
        cursor.take()
    cursor.depth += 1
    if cursor.depth > _DEEPEST:
        raise Stumble(
            token,
            "E-SYNTAX",
            f"brackets stand more than {_DEEPEST} deep.",
            f"括号嵌套超过 {_DEEPEST} 层。",
            "Define a part of it first, on a line of its own.",
            "请先另起一行定义其中一部分。",
        )
    inner = read_expression(cursor)
    cursor.depth -= 1
    cursor.expect_mark(")")
    return Expression(f"({inner.text})", inner.labels)
