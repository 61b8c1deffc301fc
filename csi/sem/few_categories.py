"""Items with so few categories that taking them for continuous bends the results."""

from __future__ import annotations

import numpy as np

from csi.errors import Note, note
from csi.moments.stack import Array
from csi.sem.prepare import Prepared
from csi.sem.table import given_variables

ENOUGH = 5
"""With five categories or more, robust ML on the codes does about as well as ordinal methods."""

GLANCE = 64
"""Rows looked at first: mostly they show already that every item has enough categories."""


def few_categories(prepared: Prepared) -> tuple[Note, ...]:
    """A note naming whole-numbered items with fewer than five categories that are modelled as continuous.

    Exogenous observed variables are left out: a regression may have a binary predictor.

    Source:
        Rhemtulla, Brosseau-Liard & Savalei (2012), Psychological Methods 17(3), 354-373 (five categories).
    """
    table = prepared.layout.table
    answers = [cell for group in prepared.groups if group.rows is not None for cell in group.rows.rows if len(cell)]
    if not answers:
        return ()
    if _wide(answers[0][:GLANCE]):
        return ()
    found: dict[str, int] = {}
    low = np.fmin.reduce([np.fmin.reduce(cell, axis=0) for cell in answers], axis=0)
    high = np.fmax.reduce([np.fmax.reduce(cell, axis=0) for cell in answers], axis=0)
    narrow = (high - low < ENOUGH - 1) & (low % 1 == 0) & (high % 1 == 0)
    if not narrow.any():
        return ()
    ordinal, given = {name for name, _ in table.rules.ordered}, given_variables(prepared.claim)
    for j in np.flatnonzero(narrow).tolist():
        name = table.observed[j]
        if name in ordinal or name in given:
            continue
        values = np.unique(np.concatenate([cell[:, j] for cell in answers]))
        values = values[~np.isnan(values)]
        if (values % 1 == 0).all():
            found[name] = len(values)
    if not found:
        return ()
    listed = ", ".join(f"{name} ({count})" for name, count in list(found.items())[:8]) + (
        ", ..." if len(found) > 8 else ""
    )
    en = (
        f"items with few categories are taken as continuous: {listed}; below {ENOUGH} categories loadings and standard "
        'errors come out too small (name them in ordered=, estimator="WLSMV").'
    )
    zh = (
        f"类别很少的题项按连续变量处理：{listed}；类别少于 {ENOUGH} 个时载荷与标准误偏小"
        '（可在 ordered= 中列出，并用 estimator="WLSMV"）。'
    )
    return (note("N-CATEGORIES", en, zh),)


def _wide(answers: Array) -> bool:
    """Whether every item takes values at least ENOUGH - 1 apart; absent answers say no.

    Example:
        >>> _wide(np.array([[1.0, 1.0], [5.0, 7.0]])), _wide(np.array([[1.0, 1.0], [5.0, 2.0]]))
        (True, False)
    """
    return bool((answers.max(axis=0) - answers.min(axis=0) >= ENOUGH - 1).all())
