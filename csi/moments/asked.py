"""What a call says of its answers (scale, codes, rows to keep), and answers that do not agree with the scale.

Letters: `n` rows, `p` items.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from csi.errors import Problem, Problems, Text, capped, is_number, problem
from csi.moments.stack import Array

FEW = 5
"""So many values outside a scale are named."""

ANSWERS = Text("answers", "回答")


def codes_of(na: object) -> Sequence[float]:
    """The codes that mean "no answer"; one number is one code.

    Raises:
        Problems: E-SETTING, a code is no number.

    Example:
        >>> codes_of(-99), codes_of([97, 98])
        ((-99,), (97, 98))
    """
    given = (na,) if is_number(na) or isinstance(na, str) or not isinstance(na, Iterable) else tuple(na)
    wrong = [code for code in given if not is_number(code)]
    if wrong:
        en = f"codes of no answer are numbers, not {wrong[0]!r}."
        zh = f"缺失代码应为数字，而不是 {wrong[0]!r}。"
        raise Problems([problem("E-SETTING", "na", en, zh, "Write na=[97, 98], say.", "例如 na=[97, 98]。")])
    return given


def scale_of(scale: object) -> tuple[float, float] | None:
    """The theoretical (minimum, maximum) of the items.

    Raises:
        Problems: E-SETTING, they are no two finite numbers, the smaller first.

    Example:
        >>> scale_of([1, 10])
        (1.0, 10.0)
    """
    if scale is None:
        return None
    pair = tuple(scale) if isinstance(scale, Iterable) and not isinstance(scale, str) else ()
    if len(pair) == len(("minimum", "maximum")) and all(is_number(end) and math.isfinite(end) for end in pair):
        low, high = (float(end) for end in pair)
        if low < high:
            return low, high
    en = f"a scale is its minimum and its maximum, two numbers, the smaller first, not {scale!r}."
    zh = f"量表应为最小值与最大值两个数字，小者在前，而不是 {scale!r}。"
    raise Problems([problem("E-SETTING", "scale", en, zh, "Write scale=(1, 10), say.", "例如 scale=(1, 10)。")])


def rows_asked(where: object) -> dict[str, str]:
    """Key column -> value as text.

    Raises:
        Problems: E-SETTING, no mapping.

    Example:
        >>> rows_asked({"year": 2026})
        {'year': '2026'}
    """
    if where is None:
        return {}
    if not isinstance(where, Mapping):
        en, zh = f"a column and its value are expected, not {where!r}.", f"应为列与取值，而不是 {where!r}。"
        do, do_zh = 'Write where={"wave": "2026Q3"}, say.', '例如 where={"wave": "2026Q3"}。'
        raise Problems([problem("E-SETTING", "where", en, zh, do, do_zh)])
    return {str(key): str(value) for key, value in where.items()}


def check_within(
    names: Sequence[str],
    rows: Array,
    low: Array | float,
    high: Array | float,
    what: Text = ANSWERS,
    whole: Array | None = None,
) -> None:
    """No answer lies outside the scale of its item, but for draws of imputations.

    Parameters:
        names: p items. rows: (n, p) answers, NaN where absent. low, high: (p,) or one number; NaN where unknown.
        what: what the rows are called. whole: all rows, where `rows` has only the least and the most of each item.

    Raises:
        Problems: E-RANGE per item, with how many answers and which values.

    Example:
        >>> check_within(["q1"], np.array([[1.0], [5.0]]), np.array([1.0]), np.array([5.0]))
    """
    outside = (rows < low) | (rows > high)
    if outside.any():
        if whole is not None:
            check_within(names, whole, low, high, what)
            return
        outside &= ~_drawn(rows, outside)
        if not outside.any():
            return
        ends = np.broadcast_to(low, len(names)), np.broadcast_to(high, len(names))
        at = np.flatnonzero(outside.any(axis=0)).tolist()
        found = [_outside(names[k], rows[:, k], outside[:, k], (ends[0][k], ends[1][k]), what) for k in at]
        raise Problems(capped(found))


def _drawn(rows: Array, outside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(n, p) True for fractions outside the scale of an item that is answered in whole numbers: draws of an imputation.

    Nobody typed them, and cutting them at the ends of the scale would bend means and variances.
    """
    with np.errstate(invalid="ignore"):
        fraction = rows != np.round(rows)
    inside = np.isfinite(rows) & ~outside
    typed = (inside & ~fraction).sum(axis=0) > (inside & fraction).sum(axis=0)
    drawn: npt.NDArray[np.bool_] = outside & fraction & typed
    return drawn


def _outside(
    name: str, answers: Array, outside: npt.NDArray[np.bool_], bounds: tuple[float, float], what: Text
) -> Problem:
    """How many answers to an item lie outside its scale, and which."""
    values = [f"{value:g}" for value in np.unique(answers[outside])]
    more, more_zh = (", ...", "等") if len(values) > FEW else ("", "")
    count, of = int(outside.sum()), int(np.isfinite(answers).sum())
    scale = f"{bounds[0]:g}-{bounds[1]:g}"
    en = f"{count} of {of} {what.en} lie outside its scale {scale}: {', '.join(values[:FEW])}{more}."
    zh = f"{of} 个{what.zh}中有 {count} 个超出量表范围 {scale}：{'、'.join(values[:FEW])}{more_zh}。"
    do = "Correct them, declare codes of no answer (na= or --na), or correct the scale."
    do_zh = "请更正，声明缺失代码（na= 或 --na），或更正量表。"
    return problem("E-RANGE", f"item {name}", en, zh, do, do_zh)
