"""What a model and its settings say of groups: `free=` names parameters, `c(a, b)*x` counts groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from csi.errors import Problem, did_you_mean, problem
from csi.models.nouns import Claim, Modifier
from csi.sem.composites import Composite

Key = tuple[str, str, str]
"""lhs, op, rhs; "~1" and "" for an intercept."""


def released(
    asked: Sequence[str], keys: Iterable[Key], composites: Iterable[Composite] = ()
) -> tuple[tuple[str, ...], list[Problem]]:
    """The parameters that `free=` names as the table writes them, and a problem for each name that is none.

    Parameters:
        asked: such as "visual =~ x2", "x7 ~ 1", a covariance either way round. keys: the parameters of the model.
        composites: their weights and loadings stand under other names in the table.

    Example:
        >>> keys = [("f", "=~", "x1"), ("x1", "~~", "x2"), ("x1", "~1", "")]
        >>> names, problems = released(["x2 ~~ x1", "x1 ~ 1", "f =~ x"], keys)
        >>> names, problems[0].say()
        (('x1~~x2', 'x1~1'), 'free: "f =~ x" is no parameter of the model. Did you mean "f=~x1"?')
    """
    known: dict[str, str] = {}
    for lhs, op, rhs in keys:
        own = lhs + op + rhs
        known |= {own: own} | ({rhs + op + lhs: own} if op == "~~" else {})
    aliases = dict(_of_composites(composites))
    known = {name: own for name, own in known.items() if own not in aliases.values()} | aliases
    plain = {text: "".join(str(text).split()) for text in asked}
    found = tuple(known[name] for name in plain.values() if name in known)
    return found, [_unknown(text, name, known) for text, name in plain.items() if name not in known]


def _of_composites(composites: Iterable[Composite]) -> Iterator[tuple[str, str]]:
    """`c<~x2` and `c=~x2` -> the rows that write them."""
    for made in composites:
        for item, rest in zip(made.items[1:], made.rests, strict=True):
            yield f"{made.name}<~{item}", f"{rest}=~{made.items[0]}"
            yield f"{made.name}=~{item}", f"{made.name}=~{rest}"


def _unknown(text: str, name: str, known: Mapping[str, str]) -> Problem:
    """A name that is no parameter."""
    hint = did_you_mean(name, known)
    en, zh = f'"{text}" is no parameter of the model.', f"“{text}”不是模型的参数。"
    return problem("E-FREE", "free", en, zh, hint.en, hint.zh)


def modifier_problems(claim: Claim, groups: Sequence[str]) -> list[Problem]:
    """Terms whose `c(...)` has more or fewer entries than there are groups, each a problem.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> [p.where for p in modifier_problems(parse_claim("f =~ x1 + c(a, b)*x2"), ())]
        ['f =~ x2']
    """
    g = max(1, len(groups))
    return [_miscounted(place, len(m), groups) for place, m in _terms(claim) if len(m) not in {0, 1, g}]


def _terms(claim: Claim) -> Iterator[tuple[str, tuple[Modifier, ...]]]:
    """Every term of a claim as written, with its modifiers."""
    for c in claim.constructs:
        yield from ((f"{c.name} {c.operator} {t.name}", t.modifiers) for t in c.indicators)
    yield from ((f"{p.outcome} ~ {p.predictor.name}", p.predictor.modifiers) for p in claim.paths)
    yield from ((f"{c.lhs} ~~ {c.rhs.name}", c.rhs.modifiers) for c in claim.covariances)
    yield from ((f"{i.lhs} ~ 1", i.modifiers) for i in claim.intercepts)
    yield from ((f"{t.item} | {t.name}", t.modifiers) for t in claim.thresholds)
    yield from ((f"{s.item} ~*~ {s.item}", s.modifiers) for s in claim.scalings)


def _miscounted(place: str, said: int, groups: Sequence[str]) -> Problem:
    """Entries for other groups than there are."""
    g = len(groups)
    have = f"{g} ({', '.join(groups)})" if g else "one"
    have_zh = f"{g} 组（{'、'.join(groups)}）" if g else "1 组"
    en, zh = f"c(...) holds {said} entries, and the groups are {have}.", f"c(...) 写了 {said} 项，而分组为{have_zh}。"
    if not g:
        en = f"c(...) holds {said} entries, one for each group, and the fit has one group."
    do = "Give one entry per group." if g else 'Name the column, groups="school", or give one modifier.'
    do_zh = "请逐组各写一项。" if g else '请指定分组列，如 groups="school"，或只写一个修饰。'
    return problem("E-MODIFIER", place, en, zh, do, do_zh)
