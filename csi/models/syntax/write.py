"""`Claim` -> lavaan text that parses back to an equal claim."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from csi.models.nouns import Claim, Modifier
from csi.models.syntax.tokens import written

_Said = tuple[str, str, str, tuple[Modifier, ...]]
"""lhs, operator, rhs, modifiers."""


def write_claim(claim: Claim) -> str:
    """The lavaan text of a claim, one line per left-hand side.

    Expected signs, labels and layout of a card are not part of the language and are not written.

    Parameters:
        claim: a `Claim` or a `Model`.

    Returns:
        lines joined by newlines.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> print(write_claim(parse_claim("y ~ a*x + c(1, NA)*z; y~~0*y")))
        y ~ a*x + c(1, NA)*z
        y ~~ 0*y
    """
    lines = [
        f"{written(lhs)} {operator} {' + '.join(terms)}"
        for (lhs, operator), terms in _lines(_said(claim), lambda said: said[:2])
    ]
    lines += [f"{written(d.name)} := {d.expression}" for d in claim.defined]
    lines += [f"{c.lhs} {c.operator} {c.rhs}" for c in claim.constraints]
    return "\n".join(lines)


def write_term(name: str, modifiers: tuple[Modifier, ...]) -> str:
    """A term as text; several kinds of modifiers repeat the name (`NA*x + a*x`).

    Parameters:
        name: the name as written. modifiers: one per group, one for all, or none.

    Example:
        >>> write_term("x", (Modifier(fixed=1.0, label="a"),))
        '1*x + a*x'
    """
    layers = itertools.zip_longest(*(_values(m) for m in modifiers), fillvalue='""')
    parts = [f"{_together(layer)}*{name}" for layer in layers]
    for kind in ("start", "lower", "upper"):
        numbers = [getattr(m, kind) for m in modifiers]
        if any(n is not None for n in numbers):
            parts.append(f"{kind}({_together('NA' if n is None else _number(n) for n in numbers)})*{name}")
    return " + ".join(parts or [name])


def _said(claim: Claim) -> Iterator[_Said]:
    """Every relation, in writing order."""
    for c in claim.constructs:
        yield from ((c.name, c.operator, written(t.name), t.modifiers) for t in c.indicators)
        if not c.indicators and not c.product_of:
            yield c.name, c.operator, "0", ()
    products = {c.name: ":".join(written(p) for p in c.product_of) for c in claim.constructs if c.product_of}
    for p in claim.paths:
        name = p.predictor.name
        yield p.outcome, "~", products.get(name) or written(name), p.predictor.modifiers
    yield from ((c.lhs, "~~", written(c.rhs.name), c.rhs.modifiers) for c in claim.covariances)
    yield from ((i.lhs, "~", "1", i.modifiers) for i in claim.intercepts)
    yield from ((t.item, "|", written(t.name), t.modifiers) for t in claim.thresholds)
    yield from ((s.item, "~*~", written(s.item), s.modifiers) for s in claim.scalings)


def _lines(
    said: Iterable[_Said], key: Callable[[_Said], tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Neighbouring relations with the same left-hand side and operator, as one line each."""
    for same, group in itertools.groupby(said, key=key):
        yield same, [write_term(rhs, modifiers) for _, _, rhs, modifiers in group]


def _values(modifier: Modifier) -> list[str]:
    """What is said of one group's parameter, start value and bounds aside."""
    values = ["NA"] if modifier.free else []
    if modifier.fixed is not None:
        values.append(_number(modifier.fixed))
    if modifier.label is not None:
        values.append(written(modifier.label))
    return values


def _together(values: Iterable[str]) -> str:
    """One value as it is, several as c(...)."""
    listed = list(values)
    return listed[0] if len(listed) == 1 else f"c({', '.join(listed)})"


def _number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return repr(value).removesuffix(".0")
