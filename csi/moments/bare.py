"""Answers of a bare frame as one array: what most fits start from, without a query per column.

Letters: `n` rows, `p` items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.moments.stack import Array, Ints

Column = npt.NDArray[Any]
"""One item's answers as they come."""

NUMBERS = "iuf"
"""Kinds of arrays that are answers: whole numbers and floats (numpy's letters)."""


def bare_columns(frame: pl.DataFrame, items: Sequence[str]) -> list[Column] | None:
    """P arrays (n,) of answers, NaN where absent; None unless all items are there and numeric.

    Example:
        >>> bare_columns(pl.DataFrame({"a": [1, None, 9], "b": ["x", "y", "z"]}), ["a"])
        [array([ 1., nan,  9.])]
    """
    place = {name: at for at, name in enumerate(frame.columns)}
    if not items or not set(items) <= place.keys():
        return None
    columns = frame.get_columns()
    found = [columns[place[name]].to_numpy() for name in items]
    return found if all(column.dtype.kind in NUMBERS for column in found) else None


def bare_rows(columns: Sequence[Column], na: Sequence[float] = ()) -> Array | None:
    """(n, p) answers, NaN where absent or one of the codes `na`; None where one is infinite.

    Parameters:
        columns: p arrays (n,).

    Example:
        >>> bare_rows([np.array([1.0, np.nan, 9.0])], na=[9])
        array([[ 1.],
               [nan],
               [nan]])
    """
    rows: Array = np.empty((len(columns[0]), len(columns)))
    for at, column in enumerate(columns):
        rows[:, at] = column
    if not np.isfinite(rows).all():
        if np.isinf(rows).any():
            return None
        rows[~np.isfinite(rows)] = np.nan
    if len(na):
        rows[np.isin(rows, np.asarray(na, dtype=np.float64))] = np.nan
    return rows


def sorting(rows: Array) -> Ints:
    """(n,) the order that sorts rows by their first item, then the second, ...; absent answers come first.

    The bits of a number, its sign turned, sort as the number does; so each row is one string of bytes.

    Example:
        >>> sorting(np.array([[2.0, 1.0], [-1.0, 5.0], [2.0, np.nan], [-3.0, 0.0]])).tolist()
        [3, 1, 2, 0]
    """
    rows = rows + 0.0  # there is one zero
    if not (rows >= 0).all():
        bits = np.where(np.isnan(rows), -np.inf, rows).view(np.int64)
        rows = np.where(bits < 0, ~bits, bits ^ np.int64(-(2**63))).view(np.float64)
    strings = rows.astype(">f8").view(f"S{8 * rows.shape[1]}").ravel()
    return np.asarray(np.argsort(strings, kind="stable"), dtype=np.int64)
