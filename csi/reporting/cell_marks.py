"""A mark of what the answers of every cell are, so that two runs can tell which cells have other answers.

A row's mark mixes the bits of its answers (splitmix64); a cell's is the sum over its rows modulo 2^64, whatever their
order. Respondents' names are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.survey.keyed import GROUPING
from csi.survey.panel import Panel

Words = npt.NDArray[np.uint64]


def cell_marks(panel: Panel, by: Sequence[str] = GROUPING[:2]) -> list[dict[str, object]]:
    """Per cell: the keys, rows, answers (mark of all items), weighted (mark of items and design weight).

    Parameters:
        by: keys that make cells; those that the panel does not have are left out.

    Example:
        >>> import csi
        >>> panel = csi.Study.read("data/telecom/study.yaml").panel()
        >>> first = cell_marks(panel)[0]
        >>> first["brand"], first["wave"], len(first["answers"])
        ('ZX', '2023Q4', 16)
    """
    frame = panel.frame
    keys = [k for k in by if k in frame.columns]
    rows = _rows(frame.select(n for n in panel.codebook.names if n in frame.columns))
    weight = frame["weight"].to_numpy() if "weight" in frame.columns else np.ones(frame.height)
    weighted = _mixed(rows + _mixed(_bits(weight)))
    named = frame.select(keys) if keys else pl.DataFrame({"": [""] * frame.height})
    cells = named.unique(maintain_order=True)
    at = named.join(cells.with_row_index("_at"), on=named.columns, how="left", nulls_equal=True, maintain_order="left")
    place = at["_at"].to_numpy().astype(np.int64)
    sums = [_sums(place, values, cells.height) for values in (rows, weighted)]
    counts = np.bincount(place, minlength=cells.height)
    return [
        {**{k: v for k, v in cell.items() if k}, "rows": int(n), "answers": f"{a:016x}", "weighted": f"{w:016x}"}
        for cell, n, a, w in zip(cells.iter_rows(named=True), counts, sums[0].tolist(), sums[1].tolist(), strict=True)
    ]


def _rows(items: pl.DataFrame) -> Words:
    """(n,) marks of rows."""
    found = np.zeros(items.height, dtype=np.uint64)
    for k, name in enumerate(items.columns, 1):
        found += _mixed(_bits(items[name].fill_null(-1e300).to_numpy()) + np.uint64(k))
    return _mixed(found)


def _bits(values: npt.NDArray[np.float64]) -> Words:
    return np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)


def _mixed(words: Words) -> Words:
    """The splitmix64 finaliser.

    Source:
        Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, OOPSLA, figure 16.
    """
    z = words + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Words = z ^ (z >> np.uint64(31))
    return found


def _sums(place: npt.NDArray[np.int64], values: Words, cells: int) -> Words:
    """(cells,) sums modulo 2^64."""
    found = np.zeros(cells, dtype=np.uint64)
    np.add.at(found, place, values)
    return found
