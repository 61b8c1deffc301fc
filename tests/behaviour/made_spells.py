"""Rows by formula, the same as in tests/reference/survival/survival.R; and the numbers of R survival beside them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "survival" / "survival.json").read_text(encoding="utf-8")
)


def made() -> pl.DataFrame:
    """120 rows: ties, late entry, weights, two rows a customer."""
    i = np.arange(120)
    time = 1.0 + (7 * i * i + 3 * i) % 19
    return pl.DataFrame(
        {
            "id": i // 2,
            "time": time,
            "event": (5 * i + i // 7) % 3 != 0,
            "x": ((37 * i) % 101) / 50,
            "z": ((53 * i + 7) % 89) / 40,
            "group": i % 3,
            "weight": 1 + (i % 4) / 2,
            "entry": np.minimum(time - 1, (11 * i) % 6),
        }
    )


def as_spells(frame: pl.DataFrame, *more: str, one_each: bool = True) -> pl.DataFrame:
    """The rows as a table of durations."""
    ids = pl.int_range(pl.len()) if one_each else pl.col("id")
    return frame.select(ids.alias("id"), pl.col("time").alias("duration"), "event", *more)


def rossi() -> pl.DataFrame:
    """The data of Rossi, Berk & Lenihan as the package lifelines has them, found without importing it."""
    spec = importlib.util.find_spec("lifelines")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the Rossi data come with the package lifelines, which is not installed")
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "rossi.csv"
    return pl.read_csv(path).with_row_index("id").rename({"week": "time", "arrest": "event"})
