"""Which findings stand: none by numbers of too few answers, none that only follow from an item that runs backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from csi.errors import Text
from csi.measures.answered import Answered
from csi.measures.questionnaire.advice import Finding
from csi.measures.questionnaire.findings import limit

CERTAIN = ("unanswered", "few", "single", "pair")
"""Rules that need no estimate."""
OF_ANSWERS = ("unanswered", "few", "missing", "ceiling", "floor", "skew", "unused")
"""Rules about the answers to an item alone, whichever way it is coded."""
OF_SUMS = (
    "against", "item_rest", "dropped", "disordered", "local", "redundant", "unreliable", "too_alike", "distinct",
    "distinct_some", "slope", "negative",
)  # fmt: skip
"""Rules whose numbers change when an item is turned over; loadings of factors change their sign only."""
OF_UNITS = ("against", "item_rest", "dropped", "unreliable", "too_alike")
"""Rules whose numbers depend on the units of the items that are added up."""


def settled(found: Iterable[Finding], answers: Answered) -> Iterator[Finding]:
    """The findings that stand, with the items that have too few answers and the constructs that wait.

    An item that runs backwards is reversed before anything else is said of it; what is said of sums with it waits.

    Parameters:
        found: what every rule found. answers: the answers they rest on.

    Source:
        Johanson & Brooks (2010), Educational and Psychological Measurement 70(3), 394-400: thirty answers at least
        where a scale is tried out.

    Example:
        >>> from csi.measures.answered import answered
        >>> frame = pl.DataFrame({"q1": [1, 2] * 20, "q2": [1, 2] * 20, "q3": [1] * 5 + [None] * 35})
        >>> rows = answered(frame, {"trust": ["q1", "q2", "q3"]})
        >>> told = [Finding("negative", "q2", -0.5), Finding("item_rest", "q1", 0.1), Finding("skew", "q3", 3.0)]
        >>> [(f.rule, f.name) for f in settled(told, rows)]
        [('few', 'q3'), ('again', 'trust'), ('negative', 'q2')]
    """
    told = [f for f in found if f.name]
    few = _few(answers)
    yield from (Finding("few", name, float(n)) for name, n in few.items() if name in answers.names)
    told = [f for f in told if f.rule in CERTAIN or not {f.name, f.other} & set(few)]
    turned = _turned(told, answers)
    for construct, items in turned.items():
        yield Finding("again", construct, None, items[0], kind="construct")
    mixed = {f.name for f in told if f.rule == "ranges"}
    home = {i: c for c, items in answers.scales.items() for i in items} | {c: c for c in answers.scales}
    yield from (f for f in told if _stands(f, home, turned, mixed))


def _few(answers: Answered) -> dict[str, int]:
    """Items with answers, but too few of them, and constructs that too few people answered: name -> how many."""
    here = ~np.isnan(answers.rows)
    counts = dict(zip(answers.names, here.sum(axis=0).tolist(), strict=True))
    counts |= {c: int((~np.isnan(answers.of(c))).any(axis=1).sum()) for c in answers.scales}
    return {name: n for name, n in counts.items() if 0 < n < limit("few")}


def _turned(found: Iterable[Finding], answers: Answered) -> dict[str, tuple[str, ...]]:
    """Construct -> its items that run backwards; of two items against each other the second."""
    names = {f.name for f in found if f.rule == "negative"}
    each = {c: tuple(i for i in items if i in names) for c, items in answers.scales.items()}
    return {c: own if len(own) < len(answers.scales[c]) else own[-1:] for c, own in each.items() if own}


def _stands(f: Finding, home: dict[str, str], turned: dict[str, tuple[str, ...]], mixed: set[str]) -> bool:
    own = home.get(f.name, "")
    if f.name in turned.get(own, ()):
        return f.rule == "negative" or f.rule in OF_ANSWERS
    waits = own in turned or (f.kind == "construct" and f.other in turned)
    return not (f.rule in OF_SUMS and waits) and not (f.rule in OF_UNITS and own in mixed)


def usable(advice: pl.DataFrame, misfit: Text | None = None) -> Text:
    """Whether a questionnaire can be used, and what stands against it first.

    Parameters:
        advice: as `advice_table` makes it. misfit: what is wrong with the fit of its factors, if anything is.

    Example:
        >>> from csi.measures.questionnaire.advice import advice_table
        >>> usable(advice_table([Finding("negative", "t2", -0.5)], {"trust": ["t1", "t2"]})).en
        'reverse the coding of t2 first, then validate again'
    """
    scales, items = (advice.filter(kind=kind)["name"].n_unique() for kind in ("construct", "item"))
    few = advice.filter(rule="few")["name"].n_unique()
    turned = advice.filter(rule="negative")["name"].unique(maintain_order=True).to_list()
    weak = advice.filter(rule="unreliable")["name"].n_unique()
    if few == items:
        return Text("there are too few answers to judge the questionnaire", "回答过少，无法判断问卷")
    if turned:
        en = f"reverse the coding of {', '.join(turned)} first, then validate again"
        return Text(en, f"请先将 {'、'.join(turned)} 反向计分，再重新校验")
    if misfit is not None:
        return misfit
    if weak:
        en = f"the items fit their constructs, but {weak} of {scales} scales are not reliable enough"
        return Text(en, f"题项与构念拟合，但 {scales} 个量表中有 {weak} 个信度不足")
    return Text("the questionnaire can be used", "问卷可用")
