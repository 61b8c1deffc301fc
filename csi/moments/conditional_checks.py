"""What makes moments given other variables undefined, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from csi.errors import Note, Problem, Problems
from csi.moments.bracket import BOUND
from csi.moments.conditional_steps import ConditionalStep, present
from csi.moments.ordinal_doubts import (
    MANY,
    apart,
    bound_note,
    collinear,
    constant,
    many_note,
    outside,
    separated,
    unanswered,
    unused,
)
from csi.moments.stack import Array
from csi.moments.two_step import Answers

SINGULAR = 1e-10
"""Least eigenvalue of the correlations of given variables below which one of them is a function of the others."""


def complete(answers: Answers, w: Array) -> bool:
    """Whether every category has answers under these weights, and every continuous item two.

    Example:
        >>> from csi.moments.two_step import answers_of
        >>> complete(answers_of(np.array([[1.0], [2.0]]), [True]), np.array([1.0, 0.0]))
        False
    """
    for j, values in enumerate(answers.categories):
        here = present(answers, j)
        if answers.ordered[j]:
            if (np.bincount(answers.codes[here, j], w[here], len(values)) <= 0).any():
                return False
        elif np.ptp(answers.rows[here & (w > 0), j]) == 0 if (here & (w > 0)).any() else True:
            return False
    return True


def dependent(X: Array, w: Array) -> bool:
    """Whether one of the given variables is a function of the others, or constant.

    Example:
        >>> dependent(np.array([[0.0], [1.0]]), np.ones(2)), dependent(np.ones((2, 1)), np.ones(2))
        (False, True)
    """
    centred = X - w @ X / w.sum()
    C = (centred * w[:, None]).T @ centred
    own = np.sqrt(np.diagonal(C))
    return bool((own <= 0).any()) or bool(np.linalg.eigvalsh(C / own[:, None] / own)[0] < SINGULAR)


def check_answers(
    answers: Answers, X: Array, w: Array, names: Sequence[str], given: Sequence[str], rows: Array
) -> None:
    """Raises what makes the regressions undefined.

    Raises:
        Problems: answers outside the categories, items or given variables that do not vary, unused categories,
            collinear given variables.

    Example:
        >>> from csi.moments.two_step import answers_of
        >>> rows = np.array([[1.0], [2.0], [1.0]])
        >>> check_answers(answers_of(rows, [True]), np.array([[0.0], [1.0], [3.0]]), np.ones(3), ["a"], ["x"], rows)
    """
    problems: list[Problem] = []
    for j, (name, values) in enumerate(zip(names, answers.categories, strict=True)):
        here = present(answers, j) & (w > 0)
        if np.isnan(rows[:, j]).all():
            problems.append(unanswered(name))
            continue
        if not answers.ordered[j]:
            problems += [] if here.any() and np.ptp(answers.rows[here, j]) > 0 else [constant(name)]
            continue
        asked = rows[~np.isnan(rows[:, j]), j]
        strange = asked[~np.isin(asked, values)]
        problems += [outside(name, strange)] if strange.size else []
        used = np.bincount(answers.codes[here, j], minlength=len(values)) > 0
        empty = [f"{value:g}" for value, there in zip(values, used, strict=True) if not there]
        problems += [constant(name)] if used.sum() < 2 else [unused(name, ", ".join(empty))] if empty else []
    fixed = [name for name, column in zip(given, X[w > 0].T, strict=True) if np.ptp(column) == 0]
    problems += [constant(name) for name in fixed]
    if not fixed and dependent(X, w):
        problems.append(collinear(given))
    if problems:
        raise Problems(problems)


def check_found(found: ConditionalStep, names: Sequence[str]) -> None:
    """Raises what has no maximum.

    Raises:
        Problems: separated answers, pairs that no row answers.

    Example:
        >>> check_found(ConditionalStep((), np.eye(0)), [])
    """
    problems = [separated(name) for name, one in zip(names, found.items, strict=True) if not one.settled]
    if not problems:
        pairs = combinations(range(len(names)), 2)
        problems = [apart(names[i], names[j]) for i, j in pairs if np.isnan(found.cor[i, j])]
    if problems:
        raise Problems(problems)


def notes_of(answers: Answers, found: ConditionalStep, names: Sequence[str]) -> list[Note]:
    """What is doubtful about the correlations.

    Example:
        >>> from csi.moments.two_step import answers_of
        >>> notes_of(answers_of(np.array([[1.0], [2.0]]), [True]), ConditionalStep((), np.eye(1)), ["a"])
        []
    """
    notes = []
    edge = np.argwhere(np.triu(np.abs(found.cor) > BOUND - 1e-6, 1))
    if edge.size:
        notes.append(bound_note([f"{names[a]}-{names[b]}" for a, b in edge]))
    many = [name for name, values in zip(names, answers.categories, strict=True) if len(values) > MANY]
    if many:
        notes.append(many_note(many))
    return notes
