"""Arithmetic between labels, as in `indirect := a*b` and `a + b == 1`: parsed, checked, printed in one canonical way.

expression = product (("+" | "-") product)*        product = unary (("*" | "/") unary)*
unary = "-" unary | power                          power = atom ("^" unary)?
atom = number | label | function "(" expression ")" | "(" expression ")"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from csi.models.syntax.cursor import Cursor, Stumble, found
from csi.models.syntax.tokens import Token, tokens, written

_DEEPEST = 40
FUNCTIONS = ("abs", "exp", "log", "sqrt")

Step = tuple[Literal["number", "label", "do"], str]
"""A move of a stack machine: push a number, push a label's value, or do `+ - * / ^`, "negative" or a function."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as text that parses back to itself, the labels it uses with their tokens, and how to evaluate it.

    `steps` is the expression in postfix order, so that reading it needs no recursion.

    Example:
        >>> expression_of("a*2").steps
        (('label', 'a'), ('number', '2'), ('do', '*'))
    """

    text: str
    labels: tuple[Token, ...]
    steps: tuple[Step, ...] = ()


def expression_of(text: str) -> Expression:
    """The expression of a whole text.

    Raises:
        Stumble: at the token that cannot stand there.

    Example:
        >>> expression_of("a  +b").text
        'a + b'
    """
    cursor = Cursor(tokens(" ".join(text.splitlines())))
    read = read_expression(cursor)
    cursor.expect_end()
    return read


def read_expression(cursor: Cursor) -> Expression:
    """The expression at the cursor, up to the end of the statement or a closing bracket.

    Parameters:
        cursor: stands on the first token of the expression and is moved behind it.

    Raises:
        Stumble: at the token that cannot stand there.

    Example:
        >>> read_expression(Cursor(tokens("( a+b ) * -2^c"))).text
        '(a + b)*-2^c'
    """
    return _chain(cursor, ("+", "-"), " {} ", _product)


_Reader = Callable[[Cursor], Expression]


def _product(cursor: Cursor) -> Expression:
    return _chain(cursor, ("*", "/"), "{}", _unary)


def _chain(cursor: Cursor, marks: tuple[str, ...], space: str, part: _Reader) -> Expression:
    """Parts of one rank joined by their operators, left to right."""
    first = part(cursor)
    texts, labels, steps = [first.text], [*first.labels], [*first.steps]
    while cursor.at_mark(*marks):
        mark = cursor.take().text
        right = part(cursor)
        texts += [space.format(mark), right.text]
        labels += right.labels
        steps += [*right.steps, ("do", mark)]
    return Expression("".join(texts), tuple(labels), tuple(steps))


def _power(cursor: Cursor) -> Expression:
    base = _atom(cursor)
    if not cursor.at_mark("^"):
        return base
    _deeper(cursor, cursor.take())
    exponent = _unary(cursor)
    cursor.depth -= 1
    steps: tuple[Step, ...] = (*base.steps, *exponent.steps, ("do", "^"))
    return Expression(f"{base.text}^{exponent.text}", base.labels + exponent.labels, steps)


def _unary(cursor: Cursor) -> Expression:
    minus = 0
    while cursor.at_mark("-"):
        cursor.take()
        minus += 1
    inner = _power(cursor)
    negations: tuple[Step, ...] = (("do", "negative"),) * minus
    return Expression("-" * minus + inner.text, inner.labels, inner.steps + negations)


def _atom(cursor: Cursor) -> Expression:
    token = cursor.take()
    if token.kind == "number":
        return Expression(token.text, (), (("number", token.text),))
    if token.kind == "name" and token.text in FUNCTIONS and cursor.at_mark("("):
        inner = _bracket(cursor, cursor.take())
        return Expression(f"{token.text}{inner.text}", inner.labels, (*inner.steps, ("do", token.text)))
    if token.kind in {"name", "quoted"}:
        return Expression(written(token.text), (token,), (("label", token.text),))
    if token.kind == "mark" and token.text == "(":
        return _bracket(cursor, token)
    raise Stumble(
        token,
        "E-SYNTAX",
        f"{found(token).en}; a label, a number or a bracket was expected.",
        f"{found(token).zh}，此处应为标签、数字或括号。",
        "Write for example: indirect := a*b.",
        "例如：indirect := a*b。",
    )


def read_bracket(cursor: Cursor) -> Expression:
    """`( expression )` at the cursor.

    Example:
        >>> read_bracket(Cursor(tokens("(1/2)*x"))).text
        '(1/2)'
    """
    return _bracket(cursor, cursor.take())


def _bracket(cursor: Cursor, opening: Token) -> Expression:
    """`expression )`, the opening bracket taken already."""
    _deeper(cursor, opening)
    inner = read_expression(cursor)
    cursor.depth -= 1
    cursor.expect_mark(")")
    return Expression(f"({inner.text})", inner.labels, inner.steps)


def _deeper(cursor: Cursor, token: Token) -> None:
    """One level further in, or stumble at `token`."""
    cursor.depth += 1
    if cursor.depth > _DEEPEST:
        raise Stumble(
            token,
            "E-SYNTAX",
            f"brackets or powers stand more than {_DEEPEST} deep.",
            f"括号或乘方嵌套超过 {_DEEPEST} 层。",
            "Define a part of it first, on a line of its own.",
            "请先另起一行定义其中一部分。",
        )
