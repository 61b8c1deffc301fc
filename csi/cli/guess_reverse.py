"""Items that may be worded the other way round: those that run against the rest of their block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


FEWEST = 20
"""Fewer answers than this tell nothing of a correlation's sign."""

TWO = 2
"""The fewest answers that differ, and items that make a block."""

AGAINST = -0.1
"""An item whose correlation with the rest of its block is at most this is a candidate."""


def candidates(
    frame: pl.DataFrame, blocks: Mapping[str, Sequence[str]], scales: Mapping[str, tuple[int, int]]
) -> dict[str, tuple[float, int]]:
    """Items that correlate negatively with the mean of the other items of their block; nothing is turned over.

    Parameters:
        frame: every column as text. blocks: name -> columns. scales: column -> (min, max); other numbers are codes.

    Returns:
        {column: (correlation with the rest, answers)}, those at most `AGAINST`.

    Example:
        >>> up = [str(1 + i % 5) for i in range(40)]
        >>> frame = pl.DataFrame({"a1": up, "a2": up, "a3": [str(6 - int(v)) for v in up]})
        >>> found = candidates(frame, {"a": ["a1", "a2", "a3"]}, dict.fromkeys(frame.columns, (1, 5)))
        >>> list(found), round(found["a3"][0], 2)
        (['a3'], -1.0)
    """
    found = {}
    for columns in blocks.values():
        if len(columns) < 2:
            continue
        answers = numbers(frame, columns, scales)
        signs = _signs(answers)
        for j, column in enumerate(columns):
            others = [k for k in range(len(columns)) if k != j]
            value, count = rest_correlation(answers, j, others, signs)
            if count >= FEWEST and value <= AGAINST:
                found[column] = (value, count)
    return found


def constant(frame: pl.DataFrame, scales: Mapping[str, tuple[int, int]]) -> tuple[str, ...]:
    """Columns to which everybody gave one answer.

    Example:
        >>> constant(pl.DataFrame({"a": ["3", "3"], "b": ["3", "4"]}), {"a": (1, 5), "b": (1, 5)})
        ('a',)
    """
    answers = numbers(frame, list(scales), scales)
    return tuple(c for j, c in enumerate(scales) if len(np.unique(answers[np.isfinite(answers[:, j]), j])) < TWO)


def numbers(frame: pl.DataFrame, columns: Sequence[str], scales: Mapping[str, tuple[int, int]]) -> FloatArray:
    """Answers on the scale of each column, mapped to 0 to 1; NaN for everything else. (n, p)."""
    out = np.full((frame.height, len(columns)), np.nan)
    for j, column in enumerate(columns):
        low, high = scales[column]
        cells = frame[column].str.strip_chars().cast(pl.Float64, strict=False).to_numpy()
        with np.errstate(invalid="ignore"):
            inside = (cells >= low) & (cells <= high)
        out[inside, j] = (cells[inside] - low) / (high - low)
    return out


def rest_correlation(answers: FloatArray, item: int, others: Sequence[int], signs: FloatArray) -> tuple[float, int]:
    """An item's correlation with the mean of the others (those that run against the block turned), and the rows."""
    turned = np.where(signs[list(others)] < 0, 1 - answers[:, list(others)], answers[:, list(others)])
    held = np.isfinite(turned).sum(axis=1)
    rest = np.where(held > 0, np.nansum(turned, axis=1) / np.maximum(held, 1), np.nan)
    both = np.isfinite(rest) & np.isfinite(answers[:, item])
    if both.sum() < TWO or np.ptp(rest[both]) == 0 or np.ptp(answers[both, item]) == 0:
        return 0.0, int(both.sum())
    return float(np.corrcoef(rest[both], answers[both, item])[0, 1]), int(both.sum())


def _signs(answers: FloatArray) -> FloatArray:
    """Which way each item runs along the block's first principal component; the majority is +1."""
    filled = np.where(np.isfinite(answers), answers, 0.0)
    counts = np.maximum(np.isfinite(answers).sum(axis=0), 1)
    centred = np.where(np.isfinite(answers), answers - filled.sum(axis=0) / counts, 0.0)
    spread = np.sqrt(np.maximum((centred**2).sum(axis=0), 1e-12))
    vector = np.linalg.eigh((centred / spread).T @ (centred / spread))[1][:, -1]
    signs: FloatArray = np.where(vector < 0, -1.0, 1.0)
    return signs if signs.sum() > 0 or (signs.sum() == 0 and signs[0] > 0) else -signs
