"""Informative hypotheses in words: "wom > advert > judge", "a = b > 0", parts joined by "&".

Letters: `k` quantities, `m` inequalities, `e` equalities.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.moments.stack import Array

MOST = 8
"""Inequalities of one hypothesis: a projection looks at all 2^m sets of those that hold as equalities."""

_SIGN = re.compile(r"[<>=]")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What is claimed about k quantities.

    Attributes:
        text: as written. above: (m, k), above @ x >= 0. equal: (e, k), equal @ x = 0.
    """

    text: str
    above: Array
    equal: Array


def hypotheses_of(texts: str | Sequence[str], names: Sequence[str]) -> tuple[Hypothesis, ...]:
    """Read hypotheses about quantities.

    Parameters:
        texts: one or more; one string may hold several, with semicolons between. names: k names; 0 is known too.

    Raises:
        Problems: E-ORDER (nothing is compared, an unknown name, a name compared with itself, too many comparisons),
            all at once.

    Example:
        >>> found = hypotheses_of("a > b = c; c < b & a > 0", ["a", "b", "c"])
        >>> found[0].above.tolist(), found[0].equal.tolist(), found[1].above.tolist()
        ([[1.0, -1.0, 0.0]], [[0.0, 1.0, -1.0]], [[0.0, 1.0, -1.0], [1.0, 0.0, 0.0]])
    """
    whole = [texts] if isinstance(texts, str) else list(texts)
    parts = [part.strip() for text in whole for part in text.split(";") if part.strip()]
    if not parts:
        raise Problems([_wrong("", "no hypothesis is given.", "没有给出假设。")])
    found: list[Problem] = []
    read = [_one(part, list(names), found) for part in parts]
    if found:
        raise Problems(found)
    return tuple(read)


def chain(names: Sequence[str]) -> str:
    """The hypothesis that quantities fall in the order of their names.

    Example:
        >>> chain(["wom", "advert"])
        'wom > advert'
    """
    return " > ".join(names)


def _one(text: str, names: list[str], found: list[Problem]) -> Hypothesis:
    """One hypothesis; what is wrong is added to `found`."""
    above: list[Array] = []
    equal: list[Array] = []
    for clause in re.split(r"[&,]", text):
        terms = [t.strip() for t in _SIGN.split(clause)]
        signs = _SIGN.findall(clause)
        if not signs or not all(terms):
            en = f'"{text}" compares nothing: write names with >, < or = between them.'
            found.append(_wrong(text, en, f"“{text}”没有比较任何内容：请在名称之间写 >、< 或 =。"))
            continue
        rows = [_row(t, text, names, found) for t in terms]
        for (left, right), sign in zip(pairwise(rows), signs, strict=True):
            difference = right - left if sign == "<" else left - right
            if not difference.any() and not found:
                en = f'"{text}" compares a quantity with itself.'
                found.append(_wrong(text, en, f"“{text}”将一个量与自身比较。"))
            (equal if sign == "=" else above).append(difference)
    if len(above) > MOST:
        en = f'"{text}" makes {len(above)} comparisons; at most {MOST} can be tested together.'
        found.append(_wrong(text, en, f"“{text}”含 {len(above)} 个比较；最多同时检验 {MOST} 个。"))
    k = len(names)
    return Hypothesis(text, np.array(above).reshape(-1, k), np.array(equal).reshape(-1, k))


def _row(term: str, text: str, names: list[str], found: list[Problem]) -> Array:
    """(k,) the place of a name; zeros for 0."""
    row = np.zeros(len(names))
    if term in names:
        row[names.index(term)] = 1.0
    elif term != "0":
        hint = did_you_mean(term, names)
        en, zh = f'"{term}" is none of {", ".join(names)}.', f"“{term}”不在 {'、'.join(names)} 之中。"
        found.append(Problem("E-ORDER", text, Text(en, zh), hint))
    return row


def _wrong(text: str, en: str, zh: str) -> Problem:
    """A hypothesis that cannot be read."""
    return problem("E-ORDER", text or "hypotheses", en, zh, 'Write "a > b > c", say.', "例如“a > b > c”。")
