"""What is asked of a validation, refused at once where it cannot be; and the items that have no answers to tell of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem, whole
from csi.measures.answered import Answered
from csi.measures.questionnaire.validating import Validating

LEAST = 2
"""Items of the shortest form."""


def check_short(short: int | None) -> None:
    """Raise where a length is asked for that no form can have.

    Raises:
        Problems: E-SETTING.

    Example:
        >>> check_short(3)
    """
    wrong = [] if short is None else whole("short", short)
    if short is not None and not wrong and short < LEAST:
        en, zh = f"a short form has {LEAST} items or more, not {short}.", f"简版至少 {LEAST} 题，而不是 {short}。"
        wrong.append(problem("E-SETTING", "short", en, zh, "Write short=3, say.", "例如 short=3。"))
    if wrong:
        raise Problems(wrong)


def check_asked(asked: Validating, answers: Answered, frame: pl.DataFrame) -> None:
    """Raise what names items or columns that there are not.

    Parameters:
        asked: what a validation is asked for. answers: its scales. frame: the answers with their key columns.

    Raises:
        Problems: E-SETTING, E-ITEM, E-ROLE.
    """
    check_short(asked.short)
    found: list[Problem] = []
    for item in dict.fromkeys(asked.keep):
        if item not in answers.names:
            hint = did_you_mean(item, answers.names)
            en, zh = f'no scale has an item "{item}".', f"量表中没有题项“{item}”。"
            found.append(problem("E-ITEM", "keep", en, zh, hint.en, hint.zh))
    for key in dict.fromkeys((*asked.groups, *asked.known)):
        if key not in frame.columns:
            others = [c for c in frame.columns if c not in answers.names]
            hint = did_you_mean(key, others)
            en, zh = "the data have no such column.", "数据中没有这一列。"
            found.append(problem("E-ROLE", f'column "{key}"', en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)


def varying(answers: Answered) -> tuple[dict[str, tuple[str, ...]], tuple[Note, ...]]:
    """The scales without items that nobody answered or that do not vary, and a note that names these.

    Example:
        >>> from csi.measures.answered import answered
        >>> frame = pl.DataFrame({"q1": [1, 2], "q2": [2, 1], "q3": [1, 1]})
        >>> varying(answered(frame, {"trust": ["q1", "q2", "q3"]}))[0]
        {'trust': ('q1', 'q2')}
    """
    low = np.where(np.isnan(answers.rows), np.inf, answers.rows).min(axis=0, initial=np.inf)
    high = np.where(np.isnan(answers.rows), -np.inf, answers.rows).max(axis=0, initial=-np.inf)
    flat = {name for name, a, b in zip(answers.names, low, high, strict=True) if not a < b}
    kept = {c: tuple(i for i in items if i not in flat) for c, items in answers.scales.items()}
    kept = {c: items for c, items in kept.items() if items}
    if not flat or not kept:
        return dict(answers.scales), ()
    return kept, (_left_out([i for i in answers.names if i in flat]),)


def _left_out(items: Sequence[str]) -> Note:
    en = f"{', '.join(items)}: nobody answered, or all answers are the same; left out of correlations, factors, "
    en += "separation, response models, checks of method and short forms."
    zh = f"{'、'.join(items)}：无人作答或回答全部相同，未纳入相关、因子、区分效度、反应模型、方法检查与简版。"
    return note("N-ITEMS-FLAT", en, zh)
