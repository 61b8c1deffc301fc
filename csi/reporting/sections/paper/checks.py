"""Robustness of a composite model: bent relations, endogenous predictors, unobserved segments."""

from __future__ import annotations

import polars as pl

from csi.errors import Note, Problems, Text
from csi.measures.copula import copula
from csi.measures.fimix import fimix
from csi.measures.nonlinear import nonlinear
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Section
from csi.reporting.sections.model import cell_of
from csi.reporting.sections.paper.facts import Fact, listing

Told = tuple[tuple[Text, ...], pl.DataFrame]
"""The sentences of a check and its numbers."""
ALPHA = 0.05
SEGMENTS = (1, 2, 3)
STARTS = 20
"""Random beginnings of each number of segments, fewer than the function's own: the report says so."""


def checks_section(a: Analysis) -> Section:
    """What each check says, outcome by outcome; one that cannot be made says why."""
    facts: list[Fact] = []
    data = {}
    hits: list[Text] = []
    for key, (name, run) in CHECKS.items():
        try:
            found, bent = run(a)
        except Problems as wrong:
            facts.append((name, not_made(wrong.problems[0].what)))
            continue
        data[key] = found[1]
        hits += [bent] if bent.en else []
        facts.append((name, _together([words.named(s, a.construct_labels) for s in found[0]])))
    clear = Text("the checks that could be made raise nothing", "可进行的检查均未提示问题")
    return Section(
        key="checks",
        title=words.sentence(*hits) if hits else words.sentence(clear if data else NONE),
        subtitle=Text(
            f"RESET for bent relations, Gaussian copulas, FIMIX with 1 to {SEGMENTS[-1]} segments ({STARTS} starts)",
            f"非线性用 RESET，内生性用高斯 copula，未观测异质性用 FIMIX（1–{SEGMENTS[-1]} 个细分，{STARTS} 个起点）",
        ),
        tables=(listing("checks", Text("Robustness", "稳健性"), facts),),
        notes=(CAUTION,),
        data=data,
    )


CAUTION = Note(
    "N-CHECKS",
    Text(
        "p-values are not adjusted over outcomes; none of these checks proves that a model is right.",
        "p 值未跨结果变量校正；任何一项检查都不能证明模型正确。",
    ),
)


NONE = Text("none of the checks could be made", "各项检查均无法进行")


def not_made(why: Text) -> Text:
    """What stands in the place of a check that cannot be made.

    Example:
        >>> not_made(Text("rows are needed.", "需要原始行。")).en
        'This check could not be made: rows are needed.'
    """
    return Text(f"This check could not be made: {why.en}", f"此项检查无法进行：{why.zh}")


def _together(said: list[Text]) -> Text:
    return Text(" ".join(s.en for s in said), "".join(s.zh for s in said))


def _bent(a: Analysis) -> tuple[Told, Text]:
    found = nonlinear(cell_of(a).estimate)
    low = found.reset.filter(found.reset["p_value"] < ALPHA).height
    said = Text(
        f"relations look bent for {low} of {found.reset.height} outcomes",
        f"{found.reset.height} 个结果变量中有 {low} 个存在非线性迹象",
    )
    return (found.sentences, found.reset), said if low else Text("", "")


def _endogenous(a: Analysis) -> tuple[Told, Text]:
    found = copula(cell_of(a).estimate)
    return (found.sentences, found.table), Text("", "")


def _segments(a: Analysis) -> tuple[Told, Text]:
    found = fimix(cell_of(a).estimate, SEGMENTS, starts=STARTS, seed=a.study.settings.seed)
    return (found.sentences, found.table), Text("", "")


CHECKS = {
    "nonlinear": (Text("Bent relations", "非线性"), _bent),
    "copula": (Text("Endogenous predictors", "内生性"), _endogenous),
    "fimix": (Text("Unobserved segments", "未观测异质性"), _segments),
}
"""Each check: what it is called, and the function that makes it."""
