"""How the items of a latent variable go together, where a variance is negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import Text
from csi.measures.findings import cor
from csi.measures.symptoms import blocks_of, correlations_of
from csi.moments.stack import Array
from csi.sem.fitted import Fitted


def pattern_of(fit: Fitted, name: str, cell: int, g: int) -> Text:
    """How an item goes with the others of its factor, and they with each other; how the items of a factor do."""
    blocks, observed = blocks_of(fit.layout), fit.layout.blocks[g].observed
    factor = name if name in blocks else next((f for f, items in blocks.items() if name in items), "")
    if not factor:
        return Text("", "")
    R, items = correlations_of(fit.groups[g].cov[cell]), [observed.index(i) for i in blocks[factor]]
    if len(items) < 3:
        return thin(fit, factor, cell, g)
    others = [i for i in items if observed[i] != name]
    among = cor(float(np.abs(R[np.ix_(others, others)][np.triu_indices(len(others), 1)]).mean()))
    if name == factor:
        return Text(f"Its items correlate {among} on average.", f"其题项之间平均相关 {among}。")
    own = observed.index(name)
    mean = cor(float(np.abs(R[own, others]).mean()))
    short = shortest(R, own, others)
    a, b = observed[short.one], observed[short.other]
    r, implied = cor(short.r), cor(short.implied)
    en = f"It correlates {mean} on average with the other items of {factor}, and they {among}"
    zh = f"它与 {factor} 其他题项的平均相关为 {mean}，而后者之间为 {among}"
    if len(others) > 2:
        en, zh = f"{en}; {a} and {b} {r}", f"{zh}；其中 {a} 与 {b} 为 {r}"
    return Text(f"{en}, where {name} alone would make it {implied}.", f"{zh}，而仅由 {name} 就应达到 {implied}。")


@dataclass(frozen=True, slots=True)
class Short:
    """Two items (positions) that correlate less than a third one implies: their correlation, and the implied one."""

    one: int
    other: int
    r: float
    implied: float


def shortest(R: Array, own: int, others: Sequence[int]) -> Short:
    """The two items that fall shortest of r_ij r_ik, what they would have in common with an item without error.

    Example:
        >>> R = np.array([[1.0, 0.8, 0.8, 0.8], [0.8, 1.0, 0.5, 0.6], [0.8, 0.5, 1.0, 0.6], [0.8, 0.6, 0.6, 1.0]])
        >>> found = shortest(R, 0, [1, 2, 3])
        >>> found.one, found.other, found.r, round(found.implied, 2)
        (1, 2, 0.5, 0.64)
    """
    pairs = [
        Short(j, k, float(R[j, k]), float(R[own, j] * R[own, k])) for a, j in enumerate(others) for k in others[a + 1 :]
    ]
    return max(pairs, key=lambda p: abs(p.implied) - np.sign(p.implied) * p.r)


def thin(fit: Fitted, factor: str, cell: int, g: int) -> Text:
    """A latent variable of one or two items, which only its relations to others tell from their errors."""
    observed, blocks = fit.layout.blocks[g].observed, blocks_of(fit.layout)
    R, at = correlations_of(fit.groups[g].cov[cell]), {f: [observed.index(i) for i in b] for f, b in blocks.items()}
    own = at[factor]
    far = {f: float(np.abs(R[np.ix_(own, b)]).mean()) for f, b in at.items() if f != factor}
    many = "1 item" if len(own) == 1 else f"{len(own)} items"
    en, zh = f"{factor} has only {many}", f"{factor} 只有 {len(own)} 个题项"
    if not far:
        return Text(f"{en}.", f"{zh}。")
    other = max(far, key=lambda f: far[f])
    r = cor(far[other])
    en += f" and leans on its relation to others, the strongest being {other} (mean correlation of items {r})."
    return Text(en, f"{zh}，须借助与其他变量的关系来识别，其中最强的是 {other}（题项平均相关 {r}）。")


def first_look(fit: Fitted, name: str, cell: int, g: int) -> str:
    """The residual covariance to look at first where an item of a block of three or more is at fault, else ""."""
    observed, blocks = fit.layout.blocks[g].observed, blocks_of(fit.layout)
    items = next((b for b in blocks.values() if name in b and len(b) > 2), ())
    if not items:
        return ""
    others = [observed.index(i) for i in items if i != name]
    short = shortest(correlations_of(fit.groups[g].cov[cell]), observed.index(name), others)
    return f"{observed[short.one]} ~~ {observed[short.other]}"


def held_equal(fit: Fitted, name: str) -> Text | None:
    """What to do about a factor of two items, or one of these, that nothing determines."""
    for factor, items in blocks_of(fit.layout).items():
        if len(items) == 2 and name in {factor, *items}:
            a, b = items
            en = f"Hold the two loadings equal ({factor} =~ 1*{a} + 1*{b}), or add an item to {factor}."
            return Text(en, f"请令两个载荷相等（{factor} =~ 1*{a} + 1*{b}），或为 {factor} 增加题项。")
    return None
