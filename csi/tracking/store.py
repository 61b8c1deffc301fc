"""Moments kept from day to day: a day's answers are added, and the earlier rows are not read again.

With z = x - c (c fixed, so that sums over whole answers are exact):
    W = sum w,  s = sum w z,  S = sum w z z';   xbar = c + s / W,  cov = (S / W - s s' / W^2) n / (n - 1)
W, s and S of two days add, so the moments are those of all rows together.

Letters: `c` cells, `p` items.

Source:
    Chan, Golub & LeVeque (1983), The American Statistician 37(3), 242-247.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Problem, Problems, problem
from csi.moments.stack import Array, Moments

VERSION: Final = 1
"""Of the store's file."""

Seen = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Batch:
    """One addition: its file, the hash of the file and of its answers, rows read and rows used."""

    name: str
    sha256: str
    content: str
    rows: int
    used: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of weighted answers by cell, about a fixed centre.

    Attributes:
        n: (c,) rows. w, w2: (c,) sums of weights and of their squares. first: (c, p). second: (c, p, p).
    """

    n: Array
    w: Array
    w2: Array
    first: Array
    second: Array

    def placed(self, places: npt.NDArray[np.int64], cells: int) -> Sums:
        """The same sums at other cells of a longer list, nothing elsewhere."""
        arrays = []
        for value in (self.n, self.w, self.w2, self.first, self.second):
            new = np.zeros((cells, *value.shape[1:]))
            new[places] = value
            arrays.append(new)
        return Sums(*arrays)

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.n + other.n,
            self.w + other.w,
            self.w2 + other.w2,
            self.first + other.first,
            self.second + other.second,
        )


@dataclass(frozen=True, slots=True)
class Store:
    """What has been counted so far.

    Attributes:
        names: p items. minimum, maximum: (p,) their bounds. cells: key columns, one row per cell. sums: by cell.
        batches: what was added, in order. seen: sorted 64-bit hashes of the respondents counted, empty without names.
        origin: what the items and answers mean (hash of codebook, rules and items); other batches are refused.
        closed: waves that take no more answers.
    """

    names: tuple[str, ...]
    minimum: Array
    maximum: Array
    cells: pl.DataFrame
    sums: Sums
    batches: tuple[Batch, ...]
    seen: Seen
    origin: str
    closed: tuple[str, ...] = ()

    @property
    def centre(self) -> Array:
        """(p,) whole numbers about which the sums are."""
        return centre_of(self.minimum, self.maximum)

    @property
    def counted(self) -> pl.DataFrame:
        """The cells with their answers `n`."""
        return self.cells.with_columns(n=pl.Series(self.sums.n.astype(np.int64)))

    def moments(self, least: int = 2) -> Moments:
        """The moments of every cell with `least` answers or more.

        Example:
            >>> sums = sums_of(np.array([[1.0], [3.0]]), np.ones(2), np.zeros(2, dtype=int), 1, np.zeros(1))
            >>> one = pl.DataFrame({"wave": ["1"]})
            >>> bounds = np.array([np.nan])
            >>> store = Store(("a",), bounds, bounds, one, sums, (), np.array([], dtype=np.uint64), "")
            >>> store.moments().mean.tolist(), store.moments().cov.tolist()
            ([[2.0]], [[[2.0]]])
        """
        kept = np.flatnonzero(self.sums.n >= max(least, 2))
        s = self.sums
        n, w = s.n[kept], s.w[kept]
        mean = s.first[kept] / w[:, None]
        about = s.second[kept] / w[:, None, None] - mean[:, :, None] * mean[:, None, :]
        scale = s.n.sum() / s.w.sum()
        return Moments(
            names=self.names,
            n=n,
            sum_w=w * scale,
            sum_w2=s.w2[kept] * scale**2,
            mean=self.centre + mean,
            cov=about * (n / (n - 1))[:, None, None],
            cells=self.counted[kept.tolist()],
            minimum=self.minimum,
            maximum=self.maximum,
        )


def centre_of(minimum: Array, maximum: Array) -> Array:
    """(p,) whole numbers in the middle of the items' scales; 0 without bounds."""
    found: Array = np.nan_to_num(np.floor((minimum + maximum) / 2.0))
    return found


def sums_of(rows: Array, weight: Array, cell: npt.NDArray[np.int64], cells: int, centre: Array) -> Sums:
    """The sums of some rows.

    Parameters:
        rows: (n, p) complete answers. weight: (n,). cell: (n,) number of each row's cell. centre: (p,).
    """
    z, p = rows - centre, rows.shape[1]
    out = Sums(*(np.zeros((cells, *shape)) for shape in ((), (), (), (p,), (p, p))))
    for c in np.unique(cell):
        mine = cell == c
        a, w = z[mine], weight[mine]
        out.n[c], out.w[c], out.w2[c] = len(a), w.sum(), (w**2).sum()
        out.first[c], out.second[c] = w @ a, (a * w[:, None]).T @ a
    return out


def added(store: Store, more: Store) -> Store:
    """The store with a batch added.

    Raises:
        Problems: E-BATCH (counted before), E-STORE (other items or another codebook).
    """
    found = added_problems(store, more)
    if found:
        raise Problems(found)
    cells, at = _together(store.cells, more.cells)
    places = at[: store.cells.height], at[store.cells.height :]
    return replace(
        store,
        cells=cells,
        sums=store.sums.placed(places[0], cells.height) + more.sums.placed(places[1], cells.height),
        batches=(*store.batches, *more.batches),
        seen=np.union1d(store.seen, more.seen),
    )


def added_problems(store: Store, more: Store) -> list[Problem]:
    """Why a batch cannot be added to a store: other items or another codebook, answers that are counted already."""
    return [*_unlike(store, more), *counted_before(store, more)]


def _unlike(store: Store, more: Store) -> list[Problem]:
    """A batch whose answers mean something else."""
    if store.origin == more.origin and store.names == more.names:
        return []
    en = "the stored moments were counted with another codebook, other rules or other items."
    zh = "已存的矩依据的是另一份编码簿、规则或题项。"
    do, do_zh = "Begin a new store (csi append --store NEW).", "请新建存储文件（csi append --store 新文件）。"
    return [problem("E-STORE", more.batches[0].name if more.batches else "", en, zh, do, do_zh)]


def counted_before(store: Store, more: Store) -> list[Problem]:
    """Batches, or respondents, that are in the store already."""
    found: list[Problem] = []
    known = {key: old for old in store.batches for key in (old.sha256, old.content) if key}
    for new in more.batches:
        old = known.get(new.sha256) or known.get(new.content)
        if old is not None:
            found.append(already(new.name, old))
    again = 0 if found else int(np.isin(more.seen, store.seen).sum())
    if again:
        en = f"{again} of its {more.seen.size} respondents are counted already; nothing was added."
        zh = f"其中 {more.seen.size} 位受访者有 {again} 位已计入，未作任何追加。"
        do, do_zh = "Append the new answers alone.", "请只追加新的答卷。"
        found.append(problem("E-BATCH", more.batches[0].name if more.batches else "", en, zh, do, do_zh))
    return found


def already(place: str, old: Batch) -> Problem:
    """That a batch is in the store."""
    en = f"this batch is counted already (as {old.name}, {old.used} rows); nothing was added."
    zh = f"该批数据已计入（{old.name}，{old.used} 行），未作任何追加。"
    do = "Append each day's answers once; where they are other people's, give respondents names (keys: respondent)."
    return problem("E-BATCH", place, en, zh, do, "每天的答卷只追加一次；若为不同受访者，请在 keys 中写明 respondent。")


def _together(one: pl.DataFrame, other: pl.DataFrame) -> tuple[pl.DataFrame, npt.NDArray[np.int64]]:
    """The cells of both, and the place of each cell of one after the other."""
    both = pl.concat([one, other])
    cells = both.unique(maintain_order=True)
    at = both.join(cells.with_row_index("_at"), on=cells.columns, how="left", nulls_equal=True, maintain_order="left")
    return cells, at["_at"].to_numpy().astype(np.int64)


def ordered(store: Store, orders: Mapping[str, Sequence[str]]) -> Store:
    """The cells in the order of a study's brands and waves; names it does not list come last, as they came."""
    keys = [k for k in orders if k in store.cells.columns]
    ranks = []
    for key in keys:
        names = [*orders[key], *(v for v in store.cells[key] if v not in orders[key])]
        ranks.append([names.index(v) for v in store.cells[key]])
    at = np.lexsort(ranks[::-1]) if ranks else np.arange(store.cells.height)
    s = store.sums
    return replace(
        store, cells=store.cells[at.tolist()], sums=Sums(s.n[at], s.w[at], s.w2[at], s.first[at], s.second[at])
    )


ARRAYS: Final = ("n", "w", "w2", "first", "second")


def to_bytes(store: Store) -> bytes:
    """The store as the content of an .npz file: numbers as arrays, the rest as JSON, nothing that runs."""
    said = {
        "csi_store": VERSION,
        "names": store.names,
        "cells": {k: store.cells[k].to_list() for k in store.cells.columns},
        "batches": [[b.name, b.sha256, b.content, b.rows, b.used] for b in store.batches],
        "origin": store.origin,
        "closed": store.closed,
    }
    buffer = io.BytesIO()
    arrays = {name: getattr(store.sums, name) for name in ARRAYS}
    arrays |= {"minimum": store.minimum, "maximum": store.maximum, "seen": store.seen}
    text = np.frombuffer(json.dumps(said, ensure_ascii=False).encode(), dtype=np.uint8)
    np.savez_compressed(buffer, about=text, **cast("Any", arrays))
    return buffer.getvalue()


def read_store(path: Path) -> Store:
    """The store of a file.

    Raises:
        Problems: E-STORE, a file that is none.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            said = json.loads(bytes(held["about"]))
            arrays = {name: held[name] for name in (*ARRAYS, "minimum", "maximum", "seen")}
        made = Store(
            names=tuple(said["names"]),
            minimum=arrays["minimum"],
            maximum=arrays["maximum"],
            cells=pl.DataFrame(said["cells"], schema=dict.fromkeys(said["cells"], pl.String)),
            sums=Sums(*(arrays[name] for name in ARRAYS)),
            batches=tuple(Batch(*one) for one in said["batches"]),
            seen=arrays["seen"],
            origin=said["origin"],
            closed=tuple(said.get("closed", ())),
        )
        _check(made, said["csi_store"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        en, zh = "this is no store of moments, or it is damaged.", "这不是矩的存储文件，或文件已损坏。"
        do = "Name another file with --store, or remove it and append every batch again."
        do_zh = "请用 --store 指定其他文件，或删除后重新追加各批数据。"
        raise Problems([problem("E-STORE", str(path), en, zh, do, do_zh)]) from None
    return made


def _check(store: Store, version: object) -> None:
    """A version that is known, arrays that fit each other.

    Raises:
        ValueError: they do not.
    """
    c, p = store.cells.height, len(store.names)
    shapes = [getattr(store.sums, name).shape for name in ARRAYS]
    if version != VERSION or shapes != [(c,), (c,), (c,), (c, p), (c, p, p)] or store.minimum.shape != (p,):
        raise ValueError
