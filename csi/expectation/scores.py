"""Scores of attributes, dimensions and overall in several forms, from rows that answered all of them.

Letters: `n` rows, `k` attributes, `m` names (attributes, dimensions, overall).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.expectation.forms import Matched
from csi.inference.adjust import adjust
from csi.inference.linearised import Design
from csi.moments.stack import Array, Ints, Sample
from csi.survey.codebook import Form

HALF: Final = 0.5
"""A dimension's score needs answers to this share of its attributes."""

KINDS: Final = ("attribute", "dimension", "overall")


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one cell.

    Attributes:
        names, kinds: (m,). values: form -> (n, m), NaN where the forms are not complete. items: form -> (n, k) answers
            of attributes with all forms. member: (m, k) which attributes stand behind a name.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    values: Mapping[Form, Array]
    items: Mapping[Form, Array]
    member: npt.NDArray[np.bool_]

    def of(self, kind: str) -> Ints:
        """Places of the names of one kind."""
        return np.flatnonzero(np.array(self.kinds) == kind)

    def place(self, name: str) -> int:
        """Where a name stands; "overall" is always the last."""
        return len(self.names) - 1 if name == "overall" else self.names.index(name)


def holm(scores: Scores, p: Array) -> Array:
    """(m,) p-values by Holm's method within attributes, within dimensions, overall.

    Parameters:
        p: (m,), or (t m,) of t tests of every name, which make one family per kind.
    """
    tests, adjusted = range(len(p) // len(scores.names)), np.full(len(p), np.nan)
    for kind in KINDS:
        family = np.concatenate([scores.of(kind) + t * len(scores.names) for t in tests])
        adjusted[family] = adjust(p[family], "holm")
    return adjusted


def scores_of(pairs: Matched, rows: Array) -> Scores:
    """Scores of attributes, dimensions and overall.

    A dimension's score is the mean of its attributes, of respondents who answered at least half of them in every form;
    overall is the mean of dimensions, of respondents with all of them.

    Parameters:
        pairs: the attributes and their items. rows: (n, forms x k or more) answers, form by form as in `pairs.every`.
    """
    k = len(pairs.attributes)
    answers = {form: rows[:, at * k : (at + 1) * k] for at, form in enumerate(pairs.items)}
    seen = np.logical_and.reduce([np.isfinite(x) for x in answers.values()])
    items = {form: np.where(seen, x, np.nan) for form, x in answers.items()}
    of = np.array([[d == name for d in pairs.dimension] for name in pairs.dimensions], dtype=bool)
    values = {}
    for form, x in items.items():
        inner = mean_of(x, of)
        values[form] = np.concatenate([x, inner, inner.mean(axis=1, keepdims=True)], axis=1)
    return Scores(
        names=(*pairs.attributes, *pairs.dimensions, "overall"),
        kinds=(*["attribute"] * k, *["dimension"] * len(of), "overall"),
        values=values,
        items=items,
        member=np.concatenate([np.eye(k, dtype=bool), of, np.ones((1, k), dtype=bool)]),
    )


def by_cell(sample: Sample, pairs: Matched, outcome: bool) -> Iterator[tuple[Scores, Design, Array | None]]:
    """Scores, design and outcome of every cell.

    Parameters:
        sample: answers to `pairs.every`, then to the items of the outcome, whose mean is taken. outcome: are there any?
    """
    for cell in range(sample.cells.height):
        rows = np.flatnonzero(sample.cell == cell)
        answers = sample.rows[rows]
        y = answered_mean(answers[:, len(pairs.every) :]) if outcome else None
        yield scores_of(pairs, answers), Design.of(sample, rows), y


def mean_of(x: Array, of: npt.NDArray[np.bool_]) -> Array:
    """(n, d) means over the attributes of each dimension, of rows with at least half of them.

    Parameters:
        x: (n, k). of: (d, k) which attributes belong to a dimension.

    Example:
        >>> mean_of(np.array([[1.0, 3.0], [np.nan, 4.0]]), np.array([[True, True]])).ravel().tolist()
        [2.0, 4.0]
    """
    seen = np.isfinite(x).astype(np.float64)
    count = seen @ of.T
    total = np.where(seen > 0, x, 0.0) @ of.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count >= HALF * of.sum(axis=1), total / count, np.nan)


NOISE: Final = 1e-9
"""Means closer than this, relative to their size (at least 1), are the same number."""


def apart(P: Array, E: Array) -> Array:
    """P - E, exactly 0 where the two differ by rounding alone; NaN where either is absent.

    Example:
        >>> apart(np.array([0.1 + 0.2, 2.0]), np.array([0.3, 1.0])).tolist()
        [0.0, 1.0]
    """
    d = P - E
    size = np.maximum(np.maximum(np.abs(P), np.abs(E)), 1.0)
    return np.where(np.abs(d) <= NOISE * size, 0.0, d)


def answered_mean(x: Array) -> Array:
    """(n,) mean of the answers of each row; NaN where there is none.

    Example:
        >>> answered_mean(np.array([[1.0, 3.0], [np.nan, 4.0], [np.nan, np.nan]])).tolist()
        [2.0, 4.0, nan]
    """
    seen = np.isfinite(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(seen, x, 0.0).sum(axis=1) / seen.sum(axis=1))


def finite(x: Array) -> pl.Series:
    """A column, null where not finite.

    Example:
        >>> finite(np.array([1.0, np.nan])).to_list()
        [1.0, None]
    """
    return pl.Series(x, dtype=pl.Float64).set(pl.Series(~np.isfinite(x)), None)
