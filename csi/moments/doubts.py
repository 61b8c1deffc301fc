"""What is doubtful about the answers of a bare frame: values that look like codes for "no answer"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.errors import Note, note
from csi.moments.stack import Array

CODES = (-999.0, -99.0, -98.0, -97.0, -9.0, -8.0, -7.0, 77.0, 88.0, 96.0, 97.0, 98.0, 99.0, 888.0, 997.0, 998.0,
         999.0, 9998.0, 9999.0)  # fmt: skip
"""Values that questionnaires use for "don't know", "refused" and the like."""

_USUAL = frozenset(CODES)

FAR = 2.0
"""A code lies apart when it is more than so many times the largest of the other answers, or negative beside none."""


def code_notes(names: Sequence[str], rows: Array) -> tuple[Note, ...]:
    """A note naming items in which a usual missing code lies far outside all other answers.

    Parameters:
        names: items (p). rows: (n, p) answers, NaN where absent.

    Example:
        >>> answers = np.array([[1.0, 50], [10, 99], [99, 97]])
        >>> [n.text.en[:24] for n in code_notes(["q1", "share"], answers)]
        ['q1 holds 99, which looks']
    """
    if not rows.size:
        return ()
    low, high = np.fmin.reduce(rows, axis=0), np.fmax.reduce(rows, axis=0)
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
