"""Statements -> `Claim`: lines about the same thing are joined, interactions become constructs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, cast

from csi.errors import Problem, Problems, Text
from csi.models.check import check_claim
from csi.models.nouns import (
    Claim,
    Constraint,
    Construct,
    Covariance,
    Defined,
    Intercept,
    Modifier,
    Operator,
    Path,
    Scaling,
    Term,
    Threshold,
)
from csi.models.syntax.cursor import Stumble
from csi.models.syntax.equal import equate
from csi.models.syntax.grammar import Equation, Relation, Statement, Target, statements
from csi.models.syntax.modifiers import merged
from csi.models.syntax.places import Key, Places, Source
from csi.models.syntax.tokens import Token, tokens, written


@dataclass(slots=True)
class Draft:
    """What the statements said so far: modifiers per relation in order of appearance, and problems.

    Example:
        >>> Draft(Source("")).relations
        {}
    """

    source: Source
    relations: dict[Key, tuple[Modifier, ...]] = field(default_factory=dict)
    operators: dict[str, Operator] = field(default_factory=dict)
    products: dict[str, tuple[str, ...]] = field(default_factory=dict)
    defined: list[Defined] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    equal: dict[Key, Token] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, token: Token, code: str, what: Text, remedy: Text) -> None:
        """Note a problem at `token`."""
        self.problems.append(self.source.problem(token.spot, code, what, remedy))


@lru_cache(maxsize=256)
def parse_claim(text: str, name: str = "model", lang: str = "en") -> Claim:
    """A `Claim` from lavaan text; a text is read once and its claim kept.

    Parameters:
        text: the model text. name: what to call it in messages. lang: language of the message.

    Returns:
        the claim.

    Raises:
        Problems: one problem per statement that cannot be read, and all that the model as a whole has.

    Example:
        >>> parse_claim("sat =~ s1 + s2; loy =~ l1; loy ~ sat").names
        ('sat', 'loy')
    """
    source = Source(text, name)
    read, problems = statements(tokens(text), source)
    draft = Draft(source, problems=list(problems))
    if not read and not problems:
        draft.problems.append(
            source.problem(
                None,
                "E-EMPTY",
                Text("the model text holds no statement.", "模型文本为空。"),
                Text("Write for example: satisfaction =~ s1 + s2 + s3.", "例如：satisfaction =~ s1 + s2 + s3。"),
            )
        )
    claim = claim_of(read, draft)
    # what the whole model lacks is only asked of a text that could be read
    found = draft.problems or check_claim(claim, draft.places, source)
    if found:
        raise Problems(found, lang)
    return claim


def claim_of(read: Iterable[Statement], draft: Draft) -> Claim:
    """The claim that statements make; problems are collected in `draft`.

    Example:
        >>> run, _ = statements(tokens("y ~ x + x:z"), Source("y ~ x + x:z"))
        >>> claim_of(run, Draft(Source(""))).constructs[0].product_of
        ('x', 'z')
    """
    for statement in read:
        if isinstance(statement, Relation):
            _relation(statement, draft)
        else:
            _equation(statement, draft)
    draft.problems += equate(draft.relations, draft.equal, draft.source)
    said = list(draft.relations.items())
    return Claim(
        constructs=_constructs(draft),
        paths=tuple(Path(lhs, Term(rhs, m)) for (lhs, op, rhs), m in said if op == "~" and rhs != "1"),
        covariances=tuple(Covariance(lhs, Term(rhs, m)) for (lhs, op, rhs), m in said if op == "~~"),
        intercepts=tuple(Intercept(lhs, m) for (lhs, op, rhs), m in said if (op, rhs) == ("~", "1")),
        constraints=tuple(draft.constraints),
        defined=tuple(draft.defined),
        thresholds=tuple(Threshold(lhs, rhs, m) for (lhs, op, rhs), m in said if op == "|"),
        scalings=tuple(Scaling(lhs, m) for (lhs, op, _), m in said if op == "~*~"),
    )


def _constructs(draft: Draft) -> tuple[Construct, ...]:
    """Declared constructs in order of appearance, then the interactions."""
    measured = []
    for name, operator in draft.operators.items():
        terms = (Term(rhs, m) for (lhs, op, rhs), m in draft.relations.items() if (lhs, op) == (name, operator))
        measured.append(Construct(name, operator, tuple(terms), "A" if operator == "=~" else "B"))
    products = (Construct(name, "=~", (), "A", parts) for name, parts in draft.products.items())
    return (*measured, *products)


def _relation(statement: Relation, draft: Draft) -> None:
    """Enter each left-hand side with each target; what earlier statements said is not said again."""
    earlier = frozenset(draft.relations)
    for lhs in statement.lhs:
        for target in statement.targets:
            _enter(lhs, statement.operator, target, draft, earlier)


def _enter(lhs: Token, operator: Token, target: Target, draft: Draft, earlier: frozenset[Key]) -> None:
    """Enter one relation; a second mention may only add modifiers, within its statement: `y ~ a*x + 0.5*x`."""
    if not _sensible(lhs, operator, target, draft):
        return
    if operator.text == "=~" and not target.parts:
        # f =~ 0: a construct without items
        draft.places.setdefault((lhs.text, "", ""), lhs.spot)
        return
    key = _key(lhs.text, operator.text, target.name or "1", draft)
    token = target.token or operator
    draft.places.setdefault(key, token.spot)
    for name in (lhs, *target.tokens):
        draft.places.setdefault((name.text, "", ""), name.spot)
    if len(target.parts) > 1:
        draft.products.setdefault(target.name, target.parts)
    if key in earlier or (key in draft.relations and not target.modifiers):
        _twice(key, token, draft, said=bool(target.modifiers))
        return
    try:
        draft.relations[key] = merged(draft.relations.get(key, ()), target.modifiers, token)
    except Stumble as stumble:
        draft.refuse(token, stumble.code, stumble.what, stumble.remedy)
        return
    if target.equal and any(m.label for m in target.modifiers):
        draft.equal[key] = target.equal


def _key(lhs: str, operator: str, rhs: str, draft: Draft) -> Key:
    """The relation's key; a covariance is the same either way round."""
    back = (rhs, operator, lhs)
    return back if operator == "~~" and back in draft.relations else (lhs, operator, rhs)


def _sensible(lhs: Token, operator: Token, target: Target, draft: Draft) -> bool:
    """Whether the operator can relate such a pair; note a problem when not."""
    measures = operator.text in {"=~", "<~"}
    token = target.token or operator
    if operator.text in {"|", "~*~"}:
        return _ordinal(lhs, operator, target, draft)
    phantom = operator.text == "=~" and not target.parts and float(token.text) == 0.0
    if operator.text != "~" and len(target.parts) != 1 and not phantom:
        what = Text(f'"{operator.text}" takes names on its right.', f"“{operator.text}”右边应为名称。")
        remedy = Text('Interactions (a:b) and intercepts (1) go with "~".', "交互项 (a:b) 与截距 (1) 只能用于“~”。")
        draft.refuse(token, "E-SYNTAX", what, remedy)
        return False
    if not measures:
        return True
    earlier = draft.operators.setdefault(lhs.text, cast("Operator", operator.text))
    if earlier != operator.text:
        what = Text(
            f'"{lhs.text}" is both "{earlier}" and "{operator.text}".',
            f"“{lhs.text}”既用“{earlier}”又用“{operator.text}”定义。",
        )
        remedy = Text("Keep one of the two.", "请只保留一种。")
        draft.refuse(operator, "E-SYNTAX", what, remedy)
    return earlier == operator.text


def _ordinal(lhs: Token, operator: Token, target: Target, draft: Draft) -> bool:
    """Whether `u1 | t1` names a threshold and `u1 ~*~ u1` the item itself; note a problem when not."""
    name, item = target.name, written(lhs.text)
    if operator.text == "|" and not re.fullmatch(r"t[1-9]\d*", name):
        what = Text('"|" takes the thresholds t1, t2, ... on its right.', "“|”右边应为阈值 t1、t2……。")
        remedy = Text(f"Write for example: {item} | t1 + t2.", f"例如：{item} | t1 + t2。")
    elif operator.text == "~*~" and name != lhs.text:
        what = Text('"~*~" has the same item on both sides.', "“~*~”两边应为同一题项。")
        remedy = Text(f"Write for example: {item} ~*~ 1*{item}.", f"例如：{item} ~*~ 1*{item}。")
    else:
        return True
    draft.refuse(target.token or operator, "E-SYNTAX", what, remedy)
    return False


def _twice(key: Key, token: Token, draft: Draft, *, said: bool = False) -> None:
    """Note a relation that is stated again; `said`: this time with modifiers."""
    lhs, operator, rhs = key
    what = Text(f'"{lhs} {operator} {rhs}" is stated twice.', f"“{lhs} {operator} {rhs}”重复出现。")
    remedy = Text("Leave one of them out.", "请删去其中一处。")
    if said:
        remedy = Text(
            "Leave one of them out; modifiers belong to the one that stays.", "请删去其中一处，并将修饰写在保留的一处。"
        )
    draft.refuse(token, "E-DUPLICATE", what, remedy)


def _equation(statement: Equation, draft: Draft) -> None:
    """Enter a definition or a constraint."""
    operator = statement.operator
    for token in (*statement.lhs.labels, *statement.rhs.labels):
        draft.places.setdefault((token.text, "label", ""), token.spot)
    if operator.text != ":=":
        sign = cast("Literal['==', '<', '>']", operator.text if operator.text == "==" else operator.text[0])
        draft.places.setdefault((statement.lhs.text, sign, statement.rhs.text), operator.spot)
        draft.constraints.append(Constraint(statement.lhs.text, sign, statement.rhs.text))
        return
    name = statement.lhs.labels[0]
    if any(d.name == name.text for d in draft.defined):
        _twice((name.text, ":=", "..."), name, draft)
        return
    draft.defined.append(Defined(name.text, statement.rhs.text))
