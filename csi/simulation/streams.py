"""Streams of random numbers, one for every purpose in every wave and brand."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from csi.moments.stack import Array

STREAMS: Final = (
    "size", "answers", "groups", "weight", "seconds", "careless", "ticks", "missing",
    "kano", "points", "outcomes", "mentions",
    "lasting", "moves", "returning", "flags", "contacts", "failures", "complaints", "cases", "texts", "codes",
    "purchases", "visits", "amounts", "members", "spells",
)  # fmt: skip
"""What is drawn, each from its own stream."""


def uniforms(seed: int, wave: str, brand: str, what: str, shape: tuple[int, ...]) -> Array:
    """Uniform numbers in (0, 1) for one purpose in one cell.

    Example:
        >>> uniforms(1, "2026Q3", "A", "answers", (2,)).round(6)
        array([0.698173, 0.462308])
    """
    key = (zlib.crc32(wave.encode()), zlib.crc32(brand.encode()), STREAMS.index(what))
    source = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
    raw = np.asarray(source.random_raw(int(np.prod(shape))), dtype=np.uint64)
    return ((raw >> np.uint64(11)).astype(np.float64) + 0.5).reshape(shape) / 2.0**53
