"""What stands before `*`: numbers, labels, NA, `c(...)` with one value per group, `start(...)`, bounds, `equal(...)`;
and how two combine.
"""

from __future__ import annotations

import math

from csi.errors import Text
from csi.models.nouns import Modifier
from csi.models.syntax.cursor import Cursor, Stumble, found
from csi.models.syntax.evaluate import Formula
from csi.models.syntax.expression import read_bracket
from csi.models.syntax.tokens import Token

_NUMBERS = ("start", "lower", "upper")
_REFUSED = {
    "efa": Text(
        "Exploratory blocks are not estimated: state which items load on which construct.",
        "不估计探索性因子块：请写明每个构念由哪些题项测量。",
    )
}


def read_modifier(cursor: Cursor) -> tuple[Modifier, ...] | None:
    """The modifier at the cursor with its `*`, or None when the name itself stands there.

    `0.5?` is short for `start(0.5)*`. What `equal("f=~x2")` refers to stands as the label, for `build` to look up.

    Parameters:
        cursor: moved behind the `*` when there is a modifier.

    Returns:
        one `Modifier` per group (one for all groups outside `c(...)`), or None.

    Raises:
        Stumble: at a modifier that cannot be read.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> read_modifier(Cursor(tokens("c(a, 1)*x")))[1].fixed
        1.0
    """
    called = cursor.peek().kind == "name" and cursor.peek(1).kind == "mark" and cursor.peek(1).text == "("
    signed = cursor.at_mark("-", "(")
    following = cursor.peek(1)
    if not called and not signed and not (following.kind == "mark" and following.text in {"*", "?"}):
        return None
    first = cursor.peek()
    modifiers = _call(cursor) if called else (_value(cursor),)
    if cursor.at_mark("?"):
        cursor.take()
        return tuple(_as_number("start", m, first) for m in modifiers)
    cursor.expect_mark("*")
    return modifiers


def merged(first: tuple[Modifier, ...], second: tuple[Modifier, ...], token: Token) -> tuple[Modifier, ...]:
    """Two sets of modifiers of the same term as one; a single modifier serves all groups.

    Parameters:
        first, second: one modifier per group, one for all, or none. token: where to point on a contradiction.

    Raises:
        Stumble: when they contradict each other or count different groups.

    Example:
        >>> from csi.models.syntax.tokens import tokens
        >>> merged((Modifier(free=True),), (Modifier(label="a"),), tokens("x")[0])
        (Modifier(fixed=None, label='a', start=None, free=True, lower=None, upper=None),)
    """
    if not first or not second:
        return first or second
    groups = max(len(first), len(second))
    if {len(first), len(second)} - {1, groups}:
        raise Stumble(
            token,
            "E-MODIFIER",
            f"modifiers for {len(first)} and for {len(second)} groups on one term.",
            f"同一项的修饰分别给了 {len(first)} 组和 {len(second)} 组。",
            "Give one value per group in every c(...).",
            "每个 c(...) 都应逐组各给一个值。",
        )
    wide = (m * groups if len(m) == 1 else m for m in (first, second))
    return tuple(_both(a, b, token) for a, b in zip(*wide, strict=True))


def _both(a: Modifier, b: Modifier, token: Token) -> Modifier:
    """Two modifiers of one parameter as one."""
    pairs = ((a.fixed, b.fixed), (a.label, b.label), (a.start, b.start), (a.lower, b.lower), (a.upper, b.upper))
    twice = next((p for p in pairs if None not in p and p[0] != p[1]), None)
    free = a.free or b.free
    fixed = a.fixed if a.fixed is not None else b.fixed
    if twice or (free and fixed is not None):
        one, other = twice or ("NA", fixed)
        raise Stumble(
            token,
            "E-MODIFIER",
            f"this term is said to be {one} and {other}.",
            f"同一项既写成 {one} 又写成 {other}。",
            "Keep one of the two.",
            "请只保留一个。",
        )
    start, lower, upper = (one if one is not None else other for one, other in pairs[2:])
    return Modifier(fixed, a.label or b.label, start, free, lower, upper)


def _call(cursor: Cursor) -> tuple[Modifier, ...]:
    """`c(...)`, `start(...)`, `lower(...)`, `upper(...)`, `label("a")` or `equal("f=~x2")`."""
    name = cursor.take()
    if name.text == "c":
        return tuple(_values(cursor))
    if name.text in {*_NUMBERS, "label", "equal"}:
        inner = cursor.peek(1)
        values = _inside(cursor)
        return tuple(_as_number(name.text, v, inner) for v in values) if name.text in _NUMBERS else tuple(values)
    remedy = _REFUSED.get(
        name.text,
        Text(
            'Use a number, a label, "NA", c(...), start(...), lower(...), upper(...) or equal("f=~x").',
            '可用数字、标签、NA、c(...)、start(...)、lower(...)、upper(...) 或 equal("f=~x")。',
        ),
    )
    raise Stumble(
        name,
        "E-MODIFIER",
        f'the modifier "{name.typed}(...)" is not read.',
        f"不支持修饰“{name.typed}(...)”。",
        remedy.en,
        remedy.zh,
    )


def _inside(cursor: Cursor) -> list[Modifier]:
    """What stands in the brackets of start(...), label(...) and the like: one value, or c(...)."""
    nested = cursor.peek(1).text == "c" and cursor.peek(2).text == "("
    if not nested:
        return _values(cursor)
    cursor.expect_mark("(")
    cursor.take()
    values = _values(cursor)
    cursor.expect_mark(")")
    return values


def _values(cursor: Cursor) -> list[Modifier]:
    """`( value, value, ... )`."""
    cursor.expect_mark("(")
    values = [_value(cursor)]
    while cursor.at_mark(","):
        cursor.take()
        values.append(_value(cursor))
    cursor.expect_mark(")")
    return values


def _arithmetic(cursor: Cursor) -> Modifier:
    """A number as arithmetic in brackets, `(1/2)`."""
    token = cursor.peek()
    inner = read_bracket(cursor)
    if inner.labels:
        raise Stumble(
            inner.labels[0],
            "E-MODIFIER",
            f'a number was expected, and "{inner.labels[0].typed}" is a label.',
            f"此处应为数字，而“{inner.labels[0].typed}”是标签。",
            "Label the parameter alone (b*x) and write the relation as a constraint: b == a/2.",
            "请只给参数加标签（b*x），并用约束写出关系：b == a/2。",
        )
    value = float(Formula(inner.text, (), inner.steps).evaluate({}))
    if not math.isfinite(value):
        raise Stumble(
            token,
            "E-MODIFIER",
            f"{inner.text} is no finite number.",
            f"{inner.text} 不是有限的数值。",
            "Write a finite number.",
            "请写有限的数值。",
        )
    return Modifier(fixed=value + 0.0)


def _value(cursor: Cursor) -> Modifier:
    """A number, arithmetic in brackets, a label or NA; an empty quoted label says nothing about its group."""
    if cursor.at_mark("("):
        return _arithmetic(cursor)
    sign = -1.0 if cursor.at_mark("-") else 1.0
    if sign < 0:
        cursor.take()
    token = cursor.take()
    if token.kind == "number" and math.isinf(float(token.text)):
        raise Stumble(
            token,
            "E-MODIFIER",
            f"{token.text} is too large a number.",
            f"{token.text} 超出数值范围。",
            "Write a finite number.",
            "请写有限的数值。",
        )
    if token.kind == "number":
        return Modifier(fixed=sign * float(token.text) + 0.0)
    if token.kind == "name" and sign > 0:
        return Modifier(free=True) if token.text == "NA" else Modifier(label=token.text)
    if token.kind == "quoted" and sign > 0:
        return Modifier(label=token.text or None)
    raise Stumble(
        token,
        "E-MODIFIER",
        f"{found(token).en}; a number, a label or NA was expected.",
        f"{found(token).zh}，此处应为数字、标签或 NA。",
        "Write for example 1*x, a*x or c(a1, a2)*x.",
        "例如 1*x、a*x 或 c(a1, a2)*x。",
    )


def _as_number(name: str, value: Modifier, token: Token) -> Modifier:
    """A number of start(...), lower(...) or upper(...) in its place; NA gives none."""
    if value.label is not None:
        en, zh = _WORDS[name]
        raise Stumble(
            token,
            "E-MODIFIER",
            f"{en} is a number.",
            f"{zh}应为数字。",
            f"Write {name}(0.5).",
            f"例如 {name}(0.5)。",
        )
    if name == "start":
        return Modifier(start=value.fixed)
    return Modifier(lower=value.fixed) if name == "lower" else Modifier(upper=value.fixed)


_WORDS = {
    "start": ("a start value", "起始值"),
    "lower": ("a lower bound", "下界"),
    "upper": ("an upper bound", "上界"),
}
