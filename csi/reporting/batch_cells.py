"""Cells of a batch: which are worked out together, what their numbers come from, where their records are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from csi.moments.stack import Array, Ints, Sample

BLOCK = 256
"""Cells worked out together where the rule of the weights asks for no more."""

_UNSAFE = re.compile(r"[^\w.\-]+")


def sources_of(rule: str, sample: Sample, base: str | None) -> list[Ints]:
    """Per cell, the cells that determine its weights (itself not counted).

    Parameters:
        rule: of the index's weights. sample: with its cells. base: the base wave under "base".
    """
    cells = sample.cells
    every, none = np.arange(cells.height), np.zeros(0, dtype=np.int64)
    if rule == "own":
        return [none] * cells.height
    if rule == "base":
        return [np.flatnonzero((cells["wave"] == base).to_numpy())] * cells.height
    if rule in {"entity", "wave"}:
        keys = ["wave"] if rule == "wave" else [k for k in cells.columns if k not in {"wave", "n"}]
        names = list(cells.select(keys).iter_rows())
        places: dict[tuple[object, ...], list[int]] = {}
        for c, name in enumerate(names):
            places.setdefault(name, []).append(c)
        return [np.array(places[name]) for name in names]
    return [every] * cells.height


def blocks_of(todo: Sequence[int], sources: Sequence[Ints], size: int = BLOCK) -> Iterator[list[int]]:
    """The cells still to do, those with the same sources beside each other.

    Example:
        >>> [*blocks_of([0, 1, 2], [np.array([0]), np.array([1]), np.array([0])])]
        [[0, 2], [1]]
    """
    together: dict[bytes, list[int]] = {}
    for c in todo:
        together.setdefault(sources[c].tobytes(), []).append(c)
    for cells in together.values():
        for start in range(0, len(cells), size):
            yield cells[start : start + size]


def keys_of(sample: Sample, sources: Sequence[Ints], settings: str) -> list[str]:
    """Per cell, the SHA-256 of what its numbers come from: its rows, the rows of its weights, the settings."""
    ends = np.concatenate([[0], np.cumsum(sample.cells["n"].to_numpy())]).astype(np.int64)
    own = [_digest(sample.rows[a:b], sample.weight[a:b], sample.unit[a:b]) for a, b in pairwise(ends)]
    shared: dict[bytes, str] = {}
    found = []
    for c, cells in enumerate(sources):
        tag = cells.tobytes()
        if tag not in shared:
            shared[tag] = hashlib.sha256("".join(own[i] for i in cells).encode()).hexdigest()
        found.append(hashlib.sha256(f"{settings}{own[c]}{shared[tag]}".encode()).hexdigest())
    return found


def _digest(rows: Array, weight: Array, unit: Ints) -> str:
    """SHA-256 of a cell's rows; units count by which rows they share, not by their number."""
    shared = np.unique(unit, return_inverse=True)[1]
    made = hashlib.sha256(np.ascontiguousarray(rows).tobytes())
    made.update(np.ascontiguousarray(weight).tobytes())
    made.update(shared.astype(np.int64).tobytes())
    return made.hexdigest()


def record_path(folder: Path, names: Sequence[str]) -> Path:
    """Where a cell's record is: a folder per key but the last; names that a file system may refuse are marked.

    Example:
        >>> record_path(Path("out"), ["Acme", "2025Q1"]).as_posix()
        'out/cells/Acme/2025Q1.json'
        >>> record_path(Path("out"), ["A/B", ""]).as_posix()
        'out/cells/A_B-998d3e/all.json'
    """
    *outer, last = [_safe(name) for name in names] or ["all"]
    return folder.joinpath("cells", *outer, f"{last}.json")


def _safe(name: str) -> str:
    """A name as part of a path, with a mark of the original where it had to change."""
    safe = _UNSAFE.sub("_", name)[:80].strip(".")
    if not name:
        return "all"
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
