"""What ordinal answers make impossible, and what is doubtful about them, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.errors import Note, Problem, note, problem
from csi.moments.bracket import BOUND
from csi.moments.stack import Array

MANY = 12
"""More categories than this call for a look at whether the item is ordinal at all."""


def outside(name: str, values: Array) -> Problem:
    """Answers that are no category of an item.

    Example:
        >>> outside("q1", np.array([9.0])).where
        'item q1'
    """
    some = ", ".join(f"{value:g}" for value in np.unique(values)[:6])
    en, zh = f"answers outside its categories: {some}.", f"存在类别之外的回答：{some}。"
    do, do_zh = "Correct them or add the category.", "请更正，或补充该类别。"
    return problem("E-ORDINAL-VALUE", f"item {name}", en, zh, do, do_zh)


def constant(name: str) -> Problem:
    """An item that does not vary.

    Example:
        >>> constant("q1").code
        'E-ORDINAL-CONSTANT'
    """
    en, zh = "all answers are the same.", "所有回答都相同。"
    return problem("E-ORDINAL-CONSTANT", f"item {name}", en, zh, "Leave the item out.", "请去掉该题项。")


def unanswered(name: str) -> Problem:
    """An item without answers.

    Example:
        >>> unanswered("q1").what.en
        'nobody answered it.'
    """
    do, do_zh = "Leave the item out, or check its column.", "请去掉该题项，或检查其数据列。"
    return problem("E-NO-ANSWERS", f"item {name}", "nobody answered it.", "无人作答。", do, do_zh)


def unused(name: str, values: str) -> Problem:
    """Categories without answers.

    Example:
        >>> unused("q1", "3").what.en
        'nobody chose category 3 here.'
    """
    en, zh = f"nobody chose category {values} here.", f"此处无人选择类别 {values}。"
    do, do_zh = "Merge categories so that every group uses all of them.", "请合并类别，使每个组都用到全部类别。"
    return problem("E-ORDINAL-CATEGORY", f"item {name}", en, zh, do, do_zh)


def apart(one: str, other: str) -> Problem:
    """A pair that no row answers.

    Example:
        >>> apart("q1", "q2").where
        'items q1, q2'
    """
    en, zh = "no row answers both items.", "没有任何一行同时回答这两个题项。"
    do, do_zh = "Leave one of them out.", "请去掉其中之一。"
    return problem("E-ORDINAL-PAIR", f"items {one}, {other}", en, zh, do, do_zh)


def _listed(names: Sequence[str]) -> str:
    """The first few names and how many there are."""
    return ", ".join(names[:6]) + (f", ... ({len(names)})" if len(names) > 6 else "")


def empty_note(pairs: int, of: int) -> Note:
    """Pairs of items with combinations of answers that nobody gave.

    Example:
        >>> empty_note(1, 3).text.en[:6]
        '1 of 3'
    """
    en = f"{pairs} of {of} pairs of ordinal items have combinations of answers that nobody gave."
    return note("N-ORDINAL-EMPTY", en, f"{of} 对有序题项中，有 {pairs} 对存在无人给出的回答组合。")


def filled_note(pairs: Sequence[str]) -> Note:
    """2 x 2 tables whose empty cell counts as 0.5.

    Example:
        >>> filled_note(["a-b"]).code
        'N-ORDINAL-FILLED'
    """
    en = f"An empty cell of a 2 x 2 table counts as 0.5, margins kept: {_listed(pairs)}."
    return note("N-ORDINAL-FILLED", en, f"2 x 2 列联表中的空格按 0.5 计，边际不变：{_listed(pairs)}。")


def bound_note(pairs: Sequence[str]) -> Note:
    """Correlations at their bound.

    Example:
        >>> bound_note(["a-b"]).code
        'N-ORDINAL-BOUND'
    """
    en = f"The polychoric correlation runs to its bound of {BOUND}: {_listed(pairs)}. Its standard error means nothing."
    return note("N-ORDINAL-BOUND", en, f"多分格相关达到边界 {BOUND}：{_listed(pairs)}，其标准误没有意义。")


def many_note(items: Sequence[str]) -> Note:
    """Items with many categories.

    Example:
        >>> many_note(["a"]).code
        'N-ORDINAL-MANY'
    """
    en = f"More than {MANY} categories; these items may be better taken as continuous: {_listed(items)}."
    return note("N-ORDINAL-MANY", en, f"类别超过 {MANY} 个，可考虑作为连续变量：{_listed(items)}。")


def separated(name: str) -> Problem:
    """An item that given variables predict without error, so that its regression has no maximum.

    Example:
        >>> separated("q1").where
        'item q1'
    """
    en = "the exogenous predictors tell some of its answers apart without error: its probit regression has no maximum."
    zh = "外生预测变量可将其部分回答完全区分开，其 probit 回归没有极大值。"
    do, do_zh = (
        "Merge rare categories, leave out a predictor, or use conditional_x=False.",
        ("请合并稀少类别、去掉某个预测变量，或使用 conditional_x=False。"),
    )
    return problem("E-ORDINAL-SEPARATED", f"item {name}", en, zh, do, do_zh)


def collinear(names: Sequence[str]) -> Problem:
    """Given variables that determine one another.

    Example:
        >>> collinear(["age", "born"]).where
        'predictors age, born'
    """
    en, zh = "these exogenous predictors determine one another here.", "这些外生预测变量在此互相决定（共线）。"
    return problem(
        "E-ORDINAL-GIVEN", f"predictors {', '.join(names)}", en, zh, "Leave one of them out.", "请去掉其中之一。"
    )
