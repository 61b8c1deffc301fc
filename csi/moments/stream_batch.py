"""One batch of answers added to the sums of its cells: recoded, reversed, filtered, weighted; compiled or in numpy.

`stream_kernel.c` does the same where a compiler was at hand. Both give the same bits, because both add whole numbers.

Letters: `n` rows, `p` items, `c` cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.moments.design import GRID
from csi.moments.stack import Array, Ints, Missing
from csi.moments.sums import CellSums, carried, split, width

try:
    from csi.moments import stream_kernel as kernel
except ImportError:  # no compiler at installation: numpy does the same
    kernel = None  # type: ignore[assignment]  # stream_kernel.pyi says what is there when it was compiled

COMPILED = kernel is not None
"""Whether this installation has the compiled function."""

EXACT: Final = 2.0**53
"""Sums of products below it are exact in a float."""
WIDEST: Final = 2.0**22
"""The largest answer, in units about its origin."""
HEAVIEST: Final = 2.0**40
"""The largest weight, in units."""
FINE: Final = 1024
"""Parts of 1 that answers with fractions are counted in."""
NO_ANSWER, OUTSIDE = 1, 2
NOWHERE: Final[list[tuple[str, ...]]] = [()]


@dataclass(frozen=True, slots=True)
class Coding:
    """How the answers to one item are read: codes of no answer, ends of the scale, whether it is turned over.

    Attributes:
        name: of the column. low, high: ends of the scale. codes: that mean no answer. reverse: low + high - x.
        stop: whether an answer outside the scale is counted apart (else it is no answer). fine: answers may be
            fractions; they are then counted in 1024ths.

    Example:
        >>> one = Coding("q", 1.0, 10.0, (98.0,), reverse=True)
        >>> one.origin, one.unit, one.parameters
        (5, 1, (-1.0, 6.0, 1.0, 1.0, 10.0, 2.0))
    """

    name: str
    low: float
    high: float
    codes: tuple[float, ...] = ()
    reverse: bool = False
    stop: bool = True
    fine: bool = False

    @property
    def origin(self) -> int:
        """The whole number in the middle of the scale."""
        return int((self.low + self.high) // 2)

    @property
    def unit(self) -> int:
        """Parts of 1 that answers are counted in."""
        return FINE if self.fine or (self.low + self.high) % 1 else 1

    @property
    def most(self) -> float:
        """The largest answer in units about the origin."""
        return max(1.0, max(self.high - self.origin, self.origin - self.low) * self.unit)

    @property
    def parameters(self) -> tuple[float, ...]:
        """Sign, shift, unit, ends, and what an answer outside is."""
        sign, shift = (-1.0, self.low + self.high - self.origin) if self.reverse else (1.0, float(-self.origin))
        return sign, shift, float(self.unit), self.low, self.high, float(OUTSIDE if self.stop else NO_ANSWER)

    def read(self, x: Array) -> tuple[Array, npt.NDArray[np.uint8], float]:
        """Answers in units about the origin (n,), flags (n,) of those that are not there, the largest rounding."""
        sign, shift, unit, low, high, outside = self.parameters
        finite = np.isfinite(x)
        silent = ~finite | np.isin(x, self.codes)
        with np.errstate(invalid="ignore"):
            beyond = ~silent & ((x < low) | (x > high))
        flag = np.where(silent, NO_ANSWER, np.where(beyond, int(outside), 0)).astype(np.uint8)
        z = np.where(flag == 0, (sign * np.where(finite, x, 0.0) + shift) * unit, 0.0)
        at = np.rint(z)
        return at, flag, float(np.abs(z - at).max(initial=0.0)) / unit


@dataclass(slots=True)
class Tally:
    """The sums of one thread, process or machine; batches are taken one after another.

    Attributes:
        codings: of the p items. keys: names of the key columns of the batches. scale: the weights' power of two.
        missing: "listwise" or "pairwise". compiled: whether the compiled function is used.
        cells: values of the keys -> number. limbs: (room, L, 2). absent, outside: (p,) answers that are not there, that
            lie outside. rounded: (p,) largest rounding.
    """

    codings: tuple[Coding, ...]
    keys: tuple[str, ...]
    scale: float = 1.0
    missing: Missing = "listwise"
    compiled: bool = COMPILED
    cells: dict[tuple[str, ...], int] = field(default_factory=dict)
    limbs: Ints = field(default_factory=lambda: np.zeros((0, 0, 2), dtype=np.int64))
    counts: Ints = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    rounded: Array = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        p = len(self.codings)
        self.limbs = np.zeros((0, width(p, self.missing), 2), dtype=np.int64)
        self.counts, self.rounded = np.zeros((p, 2), dtype=np.int64), np.zeros(p)

    @property
    def most(self) -> float:
        """The largest square of an answer in units."""
        return max(one.most for one in self.codings) ** 2

    def take(self, batch: pl.DataFrame) -> None:
        """Add the rows of a batch: its items, its keys, and `weight` where there is one."""
        if not batch.height:
            return
        cell, weight = self._cell(batch), self._weight(batch)
        answers = batch.select(one.name for one in self.codings)
        if self.compiled and self.missing == "listwise" and self._take_compiled(answers, cell, weight):
            return
        read = [one.read(answers[one.name].cast(pl.Float64).to_numpy()) for one in self.codings]
        flags = np.column_stack([flag for _, flag, _ in read])
        self.counts[:, 0] += (flags == NO_ANSWER).sum(axis=0)
        self.counts[:, 1] += (flags == OUTSIDE).sum(axis=0)
        self.rounded = np.maximum(self.rounded, [off for _, _, off in read])
        z = np.column_stack([at for at, _, _ in read])
        add = self._add_complete if self.missing == "listwise" else self._add_pairs
        for c, rows in _runs(cell):
            self.limbs[c] += split(np.array([0, rows.size, *[0] * (self.limbs.shape[1] - 2)]))
            add(c, z[rows], flags[rows], weight[rows])
        self.limbs = carried(self.limbs)

    def sums(self) -> CellSums:
        """What was taken so far."""
        return CellSums(
            names=tuple(one.name for one in self.codings),
            origin=np.array([one.origin for one in self.codings], dtype=np.int64),
            unit=np.array([one.unit for one in self.codings], dtype=np.int64),
            scale=self.scale,
            keys=self.keys,
            cells=tuple(self.cells),
            limbs=self.limbs[: len(self.cells)].copy(),
            missing=self.missing,
            absent=self.counts[:, 0].copy(),
            outside=self.counts[:, 1].copy(),
            rounded=self.rounded,
        ).added([])

    def _cell(self, batch: pl.DataFrame) -> Ints:
        """(n,) the number of each row's cell; new cells get the next number."""
        code, names = np.zeros(0 if self.keys else batch.height, dtype=np.int64), NOWHERE
        for key in self.keys:
            own, labels = codes_of_key(batch[key])
            if code.size:
                code *= len(labels)
                own += code
            code, names = own, [(*a, b) for a in names for b in labels]
        found = np.flatnonzero(np.bincount(code, minlength=len(names)))
        number = np.zeros(len(names), dtype=np.int64)
        for k in found.tolist():
            number[k] = self.cells.setdefault(names[k], len(self.cells))
        more = len(self.cells) - len(self.limbs)
        if more > 0:
            self.limbs = np.concatenate([self.limbs, np.zeros((more, *self.limbs.shape[1:]), dtype=np.int64)])
        return number[code]

    def _weight(self, batch: pl.DataFrame) -> Array:
        """(n,) weights in units, at least 1."""
        if "weight" not in batch.columns:
            return np.full(batch.height, GRID)
        weight = batch["weight"].cast(pl.Float64).to_numpy() * (GRID / self.scale)
        np.rint(weight, out=weight)
        return np.maximum(weight, 1.0, out=weight)

    def _take_compiled(self, answers: pl.DataFrame, cell: Ints, weight: Array) -> bool:
        ends = np.cumsum([0, *(len(one.codes) for one in self.codings)], dtype=np.int64)
        codes = np.array([c for one in self.codings for c in one.codes] or [0.0])
        parameters = np.array([one.parameters for one in self.codings])
        names = tuple(answers.columns)
        done = kernel.tally(
            answers.height, len(self.cells), self.most, answers.__arrow_c_stream__(), names, parameters, codes, ends,
            cell, np.ascontiguousarray(weight), self.counts, self.rounded, self.limbs,
        )  # fmt: skip
        self.limbs = carried(self.limbs)
        return done

    def _add_complete(self, c: int, z: Array, flags: npt.NDArray[np.uint8], w: Array) -> None:
        keep = ~flags.any(axis=1)
        z, w = np.column_stack([z[keep], np.ones(int(keep.sum()))]), w[keep]
        i, j = np.triu_indices(z.shape[1])
        for some in self._chunks(w):
            a, d = z[some], w[some]
            head = [*_head(d), *a[:, :-1].sum(axis=0)]
            self.limbs[c] += split(np.array([*head, *((a * d[:, None]).T @ a)[i, j]]))

    def _add_pairs(self, c: int, z: Array, flags: npt.NDArray[np.uint8], w: Array) -> None:
        keep = (flags == 0).any(axis=1)
        z, w, m = z[keep], w[keep], (flags[keep] == 0).astype(np.float64)
        for some in self._chunks(w):
            a, d, there = z[some], w[some], m[some]
            weighted = there * d[:, None]
            products = [there.T @ there, weighted.T @ there, (a * d[:, None]).T @ there, (a * d[:, None]).T @ a]
            products.append((a * a * d[:, None]).T @ there)
            head = [*_head(d), *a.sum(axis=0), d.sum()]
            self.limbs[c] += split(np.array([*head, *(x for one in products for x in one.ravel())]))

    def _chunks(self, w: Array) -> Iterator[slice]:
        """Rows whose sums of products stay exact."""
        size = max(1, int(EXACT // (max(1.0, float(w.max(initial=1.0))) * self.most)))
        return (slice(start, start + size) for start in range(0, w.size, size))


def _head(w: Array) -> list[float]:
    """Rows that count, none more of all, squares of their weights in three parts."""
    units = w.astype(np.int64)
    high, low = units >> 20, units & 0xFFFFF
    return [w.size, 0, int(high @ high), int(high @ low), int(low @ low)]


def _runs(cell: Ints) -> Iterator[tuple[int, Ints]]:
    """The rows of each cell."""
    order = np.argsort(cell, kind="stable")
    found, starts = np.unique(cell[order], return_index=True)
    for c, (start, end) in zip(found.tolist(), pairwise([*starts.tolist(), cell.size]), strict=True):
        yield c, order[start:end]


def codes_of_key(key: pl.Series) -> tuple[Ints, list[str]]:
    """(n,) the place of each value among the labels, and the labels: text without surrounding space.

    Example:
        >>> codes, labels = codes_of_key(pl.Series([2, 1, 2]))
        >>> [labels[k] for k in codes]
        ['2', '1', '2']
    """
    if key.dtype.is_integer() and key.null_count() == 0:
        low, high = int(key.min() or 0), int(key.max() or 0)  # type: ignore[arg-type]  # whole numbers
        if high - low < FINE:
            code = key.to_numpy().astype(np.int64)
            code -= low
            return code, [str(v) for v in range(low, high + 1)]
    text = key.cast(pl.String).fill_null("")
    values = text.unique()
    place = text.replace_strict(values, pl.int_range(values.len(), eager=True), return_dtype=pl.Int64)
    return place.to_numpy().copy(), [v.strip(" \t\r\n\u3000") for v in values.to_list()]


def total(parts: Sequence[CellSums]) -> CellSums:
    """The sums of all parts."""
    return parts[0].added(parts[1:])
