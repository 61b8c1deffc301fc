"""Tokens -> statements: what each line says, not yet what the model means.

    statement  = names operator terms | label ":=" expression
               | expression ("==" | "<" | ">" | "<=" | ">=") expression
    operator   = "=~" | "<~" | "~" | "~~" | "|" | "~*~"          terms = term ("+" term)*
    term       = (modifier "*")* (name (":" name)* | "1" | "0")
    modifier   = number | "(" arithmetic ")" | label | "NA" | "c(" value, ... ")" | name "(" value ")"
    name       = "start" | "lower" | "upper" | "label" | "equal"

One statement that cannot be read gives one problem; the others are read all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from csi.errors import Problem, Text
from csi.models.nouns import Modifier
from csi.models.syntax.cursor import Cursor, Stumble, found
from csi.models.syntax.expression import Expression, read_expression
from csi.models.syntax.lines import split
from csi.models.syntax.modifiers import merged, read_modifier
from csi.models.syntax.places import Source
from csi.models.syntax.refusals import (
    begins_block,
    refuse_left,
    refuse_lone,
    refuse_misplaced,
    refuse_number,
    refuse_operator,
)
from csi.models.syntax.tokens import Token, half_width

RELATIONS = ("=~", "<~", "~", "~~", "|", "~*~")


@dataclass(frozen=True, slots=True)
class Target:
    """One term of a right-hand side: its name parts (`a:b` has two; none for the intercept) and modifiers.

    `equal` is the token of an `equal(...)` among the modifiers, whose labels name another parameter.

    Example:
        >>> Target(("a", "b"), (), None).name
        'a:b'
    """

    parts: tuple[str, ...]
    modifiers: tuple[Modifier, ...]
    token: Token | None
    tokens: tuple[Token, ...] = ()
    equal: Token | None = None

    @property
    def name(self) -> str:
        """The name, parts joined by a colon."""
        return ":".join(self.parts)


@dataclass(frozen=True, slots=True)
class Relation:
    """`lhs + lhs operator target + target`.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> statements(tokens("y ~ x"), Source("y ~ x"))[0][0].targets[0].name
        'x'
    """

    lhs: tuple[Token, ...]
    operator: Token
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """`lhs := rhs` or `lhs == rhs`, `<`, `>`, `<=`, `>=`.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> statements(tokens("d := a*b"), Source("d := a*b"))[0][0].rhs.text
        'a*b'
    """

    lhs: Expression
    operator: Token
    rhs: Expression


Statement = Relation | Equation


@dataclass(slots=True)
class _Reading:
    """Statements read so far and the problems met."""

    statements: list[Statement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def statements(run: Sequence[Token], source: Source) -> tuple[tuple[Statement, ...], tuple[Problem, ...]]:
    r"""The statements of a token run, and one problem for each that cannot be read.

    Parameters:
        run: tokens of the whole text. source: the text, for pointing at it.

    Returns:
        statements in order; problems in order.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> text = "f =~ x1 +\n  x2; y ~"
        >>> read, problems = statements(tokens(text), Source(text))
        >>> [t.name for t in read[0].targets], problems[0].where
        (['x1', 'x2'], 'model, line 2, column 10')
    """
    reading = _Reading()
    blocks = 0
    for part in split(run):
        blocks += begins_block(part)
        reading.problems.extend(_wide(part, source))
        try:
            one = _statement(Cursor(part))
            # a second block says much the same again
            reading.statements.extend([one] if blocks < 2 else [])
        except Stumble as stumble:
            reading.problems.append(source.problem(stumble.token.spot, stumble.code, stumble.what, stumble.remedy))
    return tuple(reading.statements), tuple(reading.problems)


def _wide(part: Sequence[Token], source: Source) -> Iterator[Problem]:
    """One problem for the full-width characters of each line of a statement."""
    for number, group in itertools.groupby((t for t in part if t.wide), key=lambda t: t.line):
        wide = list(group)
        seen = dict.fromkeys(c for t in wide for c in t.typed if half_width(c) != c)
        typed, plain = " ".join(seen), " ".join(dict.fromkeys(half_width(c) for c in seen))
        line = half_width(source.line(number)).strip()
        yield source.problem(
            wide[0].spot,
            "E-FULLWIDTH",
            Text(f"full-width {typed} where a model text takes {plain}.", f"全角字符 {typed} 应写成半角 {plain}。"),
            Text(f"Write: {line}", f"请写成：{line}"),
        )


def _statement(cursor: Cursor) -> Statement:
    """A relation when a relation's operator comes first, else an equation."""
    operator = next((t for t in _rest(cursor) if t.kind in {"operator", "unsupported"}), None)
    if operator is None:
        refuse_lone(cursor)
    elif operator.kind == "unsupported":
        refuse_operator(operator)
    elif operator.text not in RELATIONS:
        return _equation(cursor)
    return _relation(cursor)


def _rest(cursor: Cursor) -> Iterator[Token]:
    """The tokens ahead, not taken."""
    ahead = 0
    while cursor.peek(ahead).kind != "end":
        yield cursor.peek(ahead)
        ahead += 1


def _equation(cursor: Cursor) -> Equation:
    """`label := expression`, or a constraint between expressions."""
    first = cursor.peek()
    lhs = read_expression(cursor)
    operator = cursor.take()
    if operator.kind != "operator":
        refuse_misplaced(operator)
    if operator.text == ":=" and [first] != list(lhs.labels):
        raise Stumble(
            first,
            "E-SYNTAX",
            'left of ":=" stands one new name.',
            "“:=”左边应为一个新名称。",
            "Write for example: indirect := a*b.",
            "例如：indirect := a*b。",
        )
    rhs = read_expression(cursor)
    cursor.expect_end()
    return Equation(lhs, operator, rhs)


def _relation(cursor: Cursor) -> Relation:
    """`names operator terms`."""
    lhs = [_left(cursor)]
    while cursor.at_mark("+"):
        cursor.take()
        lhs.append(_left(cursor))
    operator = cursor.take()
    if operator.kind != "operator":
        refuse_misplaced(operator)
    targets = [_target(cursor)]
    while cursor.at_mark("+"):
        cursor.take()
        targets.append(_target(cursor))
    cursor.expect_end()
    return Relation(tuple(lhs), operator, tuple(targets))


def _left(cursor: Cursor) -> Token:
    """One name left of the operator, which takes no modifier."""
    if cursor.peek().kind == "name" and cursor.peek(1).text == "(" and cursor.peek(1).kind == "mark":
        refuse_left(cursor.peek())
    return _name(cursor)


def _name(cursor: Cursor) -> Token:
    """One name."""
    token = cursor.take()
    if token.kind == "quoted" and token.text and ":" not in token.text:
        return token
    if token.kind == "name" and token.text != "NA":
        return token
    digits = token.kind in {"number", "other"} and token.text[:1].isdigit()
    raise Stumble(
        token,
        "E-SYNTAX",
        f"{found(token).en}; a name was expected.",
        f"{found(token).zh}，此处应为名称。",
        f'A name begins with a letter; put "{token.typed}" in quotes if it is one.' if digits else "Put a name there.",
        f'名称应以字母或汉字开头；若它确是名称，请写成 "{token.typed}"（加英文引号）。'
        if digits
        else "请在此处写名称。",
    )


def _target(cursor: Cursor) -> Target:
    """Modifiers and the name they modify."""
    modifiers: tuple[Modifier, ...] = ()
    equal = None
    while True:
        token = cursor.peek()
        equal = token if token.kind == "name" and token.text == "equal" and cursor.peek(1).text == "(" else equal
        modifier = read_modifier(cursor)
        if modifier is None:
            break
        # an empty label says nothing
        said = modifier if any(m != Modifier() for m in modifier) else ()
        modifiers = merged(modifiers, said, token)
    token = cursor.peek()
    if token.kind == "number" and float(token.text) in {0.0, 1.0}:
        return _intercept(cursor.take(), modifiers, equal)
    if token.kind == "number":
        refuse_number(token)
    names = [_name(cursor)]
    while cursor.at_mark(":"):
        cursor.take()
        names.append(_name(cursor))
    return Target(tuple(n.text for n in names), modifiers, token, tuple(names), equal)


def _intercept(token: Token, modifiers: tuple[Modifier, ...], equal: Token | None) -> Target:
    """`1`, or `0` for an intercept fixed to zero."""
    fixed = (Modifier(fixed=0.0),)
    said = modifiers if float(token.text) == 1.0 else merged(modifiers, fixed, token)
    return Target((), said, token, (), equal)
