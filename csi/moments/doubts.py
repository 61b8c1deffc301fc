"""What is doubtful about answers: values that look like codes for "no answer", infinite ones, rows without a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Note, note
from csi.moments.stack import Array

CODES = (-999.0, -99.0, -98.0, -97.0, -9.0, -8.0, -7.0, 77.0, 88.0, 96.0, 97.0, 98.0, 99.0, 888.0, 997.0, 998.0,
         999.0, 9998.0, 9999.0)  # fmt: skip
"""Values that questionnaires use for "don't know", "refused" and the like."""

_USUAL = frozenset(CODES)

FAR = 2.0
"""A code lies apart when it is more than so many times the largest of the other answers, or negative beside none."""


ROUNDED = 1e-3
"""A weight that is rounded by a larger share of itself is told."""


def grid_notes(rounded: pl.Series) -> tuple[Note, ...]:
    """A note where rounding to multiples of 2^-20 of about the mean weight changes a weight by more than 0.1 %.

    Parameters:
        rounded: (n,) change of each weight as a share of itself.

    Example:
        >>> [n.code for n in grid_notes(pl.Series([0.0, 0.02]))], grid_notes(pl.Series([1e-6]))
        (['N-WEIGHT-GRID'], ())
    """
    many = int((rounded > ROUNDED).sum())
    if not many:
        return ()
    share = 100 * float(rounded.fill_null(0.0).to_numpy().max())
    who = (
        f"{many} weights are tiny beside the mean weight and are"
        if many > 1
        else "1 weight is tiny beside the mean and is"
    )
    en = f"{who} rounded (by up to {share:.2g} %) to a millionth of the mean weight, so that sums do not depend on the"
    en += " order of rows."
    zh = f"{many} 个权重远小于平均权重，已舍入到平均权重的百万分之一（变动至多 {share:.2g}%），以使求和与行序无关。"
    return (note("N-WEIGHT-GRID", en, zh),)


def code_notes(names: Sequence[str], rows: Array, ends: Array | None = None) -> tuple[Note, ...]:
    """A note naming items in which a usual missing code lies far outside all other answers.

    Parameters:
        names: items (p). rows: (n, p) answers, NaN where absent. ends: (2, p) their least and most, where known.

    Example:
        >>> answers = np.array([[1.0, 50], [10, 99], [99, 97]])
        >>> [n.text.en[:24] for n in code_notes(["q1", "share"], answers)]
        ['q1 holds 99, which looks']
    """
    if not rows.size:
        return ()
    low, high = (np.fmin.reduce(rows, axis=0), np.fmax.reduce(rows, axis=0)) if ends is None else ends
    if _USUAL.isdisjoint(low.tolist()) and _USUAL.isdisjoint(high.tolist()):
        return ()
    found = {}
    for j, (least, most) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        codes = codes_apart(rows[:, j]) if least in _USUAL or most in _USUAL else ()
        if codes:
            found[names[j]] = codes
    if not found:
        return ()
    listed = "; ".join(f"{name} holds {', '.join(f'{c:g}' for c in codes)}" for name, codes in list(found.items())[:6])
    named = "；".join(f"{name} 含有 {'、'.join(f'{c:g}' for c in codes)}" for name, codes in list(found.items())[:6])
    more, more_zh = ("; ...", "……") if len(found) > 6 else ("", "")
    en = f'{listed}{more}, which looks like a code for "no answer" and is taken as an answer; declare it with na=.'
    zh = f"{named}{more_zh}，疑似“无回答”的代码，目前按回答处理；如属实请用 na= 声明。"
    return (note("N-CODES", en, zh),)


def codes_apart(answers: Array) -> tuple[float, ...]:
    """The usual missing codes among the answers of one item that lie far from all its other answers.

    Example:
        >>> codes_apart(np.array([1.0, 5, 3, 98, 99])), codes_apart(np.array([95.0, 96, 97, 98, 99]))
        ((98.0, 99.0), ())
    """
    values = np.unique(answers[~np.isnan(answers)])
    usual = np.isin(values, CODES)
    if usual.all() or not usual.any():
        return ()
    low, high = float(values[~usual].min()), float(values[~usual].max())
    return tuple(float(v) for v in values[usual] if (v > FAR * high and high > 0) or v < 0 <= low)


def infinite_notes(frame: pl.DataFrame, items: Sequence[str]) -> list[Note]:
    """A note counting the infinite values of items, which are taken for absent.

    Example:
        >>> infinite_notes(pl.DataFrame({"a": [1.0, float("inf")], "b": [1, 2]}), ["a", "b"])[0].text.en
        'infinite values count as absent: a (1).'
    """
    floats = [i for i in dict.fromkeys(items) if frame.schema[i].is_float()]
    counts = frame.select(pl.col(i).is_infinite().sum() for i in floats).row(0) if floats else ()
    found = [f"{i} ({n})" for i, n in zip(floats, counts, strict=True) if n]
    if not found:
        return []
    more = ", ..." if len(found) > 6 else ""
    en, zh = f"infinite values count as absent: {', '.join(found[:6])}{more}.", "以下题项含无穷大的取值，按缺失处理："
    return [note("N-INFINITE", en, f"{zh}{'、'.join(found[:6])}{'等' if more else ''}。")]


_SKIPPED: Final = {
    "listwise": ("their rows are left out", "相应的行已删除"),
    "mean": ("they take the mean of those who were asked", "以被问到者的均值代替"),
    "em": (
        "the moments describe what all respondents would answer; pairwise moments describe those who were asked",
        "矩描述的是全体受访者若被问到的情形；成对计算则只描述被问到者",
    ),
}


NAMED: Final = 3
"""Questions not asked of the same rows are named up to this number, and counted beyond it."""


def skip_notes(reasons: pl.DataFrame, items: Sequence[str], missing: str) -> list[Note]:
    """A note counting the questions that were not asked (structural skips), which are no nonresponse.

    Parameters:
        reasons: why each answer is absent, a column per item. missing: the treatment of absent answers.

    Example:
        >>> why = pl.DataFrame({"c1": ["not_asked", None, "refused"]})
        >>> skip_notes(why, ["c1"], "listwise")[0].text.en
        'questions that were not asked (structural skips, not nonresponse): c1 (1 of 3 rows); their rows are left out.'
    """
    have = [i for i in dict.fromkeys(items) if i in reasons.columns]
    counts = reasons.select((pl.col(i) == "not_asked").sum() for i in have).row(0) if have else ()
    return skipped_note([(i, int(n)) for i, n in zip(have, counts, strict=True) if n], reasons.height, missing)


def skipped_note(found: Sequence[tuple[str, int]], rows: int | None, missing: str) -> list[Note]:
    """A note on questions that were not asked.

    Parameters:
        found: items with how many rows were not asked. rows: of all; None says no share. missing: the treatment of
            absent answers.
    """
    if not found or rows == 0:
        return []
    rest = _SKIPPED.get(missing)
    few = _blocks(found)
    spans = [
        (en, zh, f"{low}" if low == high else f"{low} to {high}", f"{low}" if low == high else f"{low}–{high}")
        for en, zh, low, high in few
    ]
    of, of_zh = ("", "") if rows is None else (f" of {rows}", f"{rows} 行中 ")
    listed = ", ".join(f"{en} ({n}{of} rows)" for en, _, n, _ in spans)
    named = "、".join(f"{zh}（{of_zh}{n} 行）" for _, zh, _, n in spans)
    en = f"questions that were not asked (structural skips, not nonresponse): {listed}"
    zh = f"以下题项对部分受访者未提问（结构性跳答，不是无回答）：{named}"
    return [note("N-NOT-ASKED", f"{en}; {rest[0]}." if rest else f"{en}.", f"{zh}；{rest[1]}。" if rest else f"{zh}。")]


def _blocks(found: Sequence[tuple[str, int]]) -> list[tuple[str, str, int, int]]:
    """Questions as they are told, with the fewest and most rows: items of a block are skipped together.

    Example:
        >>> [en for en, *_ in _blocks([("a", 5), ("b1", 9), ("b2", 9), ("b3", 9), ("b4", 9)])]
        ['a', '4 questions']
    """
    alike: dict[int, list[str]] = {}
    for name, n in found:
        alike.setdefault(n, []).append(name)
    told = []
    for n, names in alike.items():
        many = len(names) > NAMED
        told += [(f"{len(names)} questions", f"{len(names)} 个题项", n, n)] if many else [(i, i, n, n) for i in names]
    if len(told) > 2 * NAMED:
        told = [(f"{len(found)} questions", f"{len(found)} 个题项", min(alike), max(alike))]
    return told


def unit_notes(column: str, absent: int, rows: int) -> list[Note]:
    """A note counting the rows without a unit.

    Example:
        >>> unit_notes("school", 2, 10)[0].text.en
        '2 of 10 rows have no value in "school"; each of them is a unit (cluster) of its own.'
    """
    if not absent:
        return []
    en = f'{absent} of {rows} rows have no value in "{column}"; each of them is a unit (cluster) of its own.'
    return [note("N-UNIT-ABSENT", en, f"{rows} 行中有 {absent} 行的“{column}”为空，各自单独成为一个抽样单元（聚类）。")]


def never_together(frame: pl.DataFrame, items: Sequence[str]) -> tuple[Note, ...]:
    """A note naming pairs of items that no row answers together, where means stand in for absent answers."""
    answered = frame.select(pl.col(items).is_not_null().cast(pl.Float64)).to_numpy()
    pairs = np.argwhere(np.triu(answered.T @ answered == 0, 1)).tolist()
    if not pairs:
        return ()
    named = [(items[a], items[b]) for a, b in pairs[:PAIRS]]
    more, more_zh = (f" and {len(pairs) - PAIRS} more", f" 等 {len(pairs)} 对") if len(pairs) > PAIRS else ("", "")
    en = f"no row answers both items of: {', '.join(f'{a} and {b}' for a, b in named)}{more}; means in place of absent"
    en += " answers make their correlation 0, whatever it is."
    zh = f"以下题项对没有同时作答的行：{'、'.join(f'{a} 与 {b}' for a, b in named)}{more_zh}；"
    zh += "均值替代使其相关为 0，与真实相关无关。"
    return (note("W-COVERAGE", en, zh),)


PAIRS = 5
"""Pairs of items that are named."""
