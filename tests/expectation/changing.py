"""Panels of the same people over waves, from columns or from a population."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

WIDE = Scale("wide", -999, 999)
FLAG = Scale("flag", 0, 1)
REFERENCE = Path(__file__).parents[1] / "reference"


def long_panel(
    columns: Mapping[str, np.ndarray], constructs: Mapping[str, Sequence[str]], waves: Sequence[str] = (), **keys
):
    """A panel from {"x": (n, W)}; rows without any answer are left out. keys: {"weight": (n,) or (n, W)}."""
    n, W = next(iter(columns.values())).shape
    waves = tuple(waves) or tuple(f"w{t + 1}" for t in range(W))
    ids = np.array([f"p{i:05d}" for i in range(n)])
    frame = pl.DataFrame(
        {
            "respondent": np.tile(ids, W),
            "wave": np.repeat(np.array(waves), n),
            **{k: (np.tile(v, W) if np.ndim(v) == 1 else np.ravel(v, order="F")) for k, v in keys.items()},
            **{name: np.ravel(values, order="F") for name, values in columns.items()},
        }
    ).with_columns(pl.col(list(columns)).fill_nan(None))
    frame = frame.filter(~pl.all_horizontal(pl.col(list(columns)).is_null()))
    return panel_of(frame, constructs, waves)


def panel_of(frame: pl.DataFrame, constructs: Mapping[str, Sequence[str]], waves: Sequence[str]):
    """A panel with a codebook; an item called z is a flag."""
    items = [
        Item(i, c, FLAG if i == "z" else WIDE, Text(i.title(), i)) for c, names in constructs.items() for i in names
    ]
    names = [i.name for i in items]
    reasons = pl.DataFrame({i: [None] * frame.height for i in names}, schema=dict.fromkeys(names, pl.String))
    labels = {c: Text(c.title(), f"{c}（中）") for c in constructs}
    return csi.Panel(frame, Codebook(tuple(items), labels, {}), reasons, tuple(waves))


def with_moments(mean: np.ndarray, cov: np.ndarray, n: int) -> np.ndarray:
    """(n, p) rows with exactly these means and covariances (divisor n - 1)."""
    raw = np.random.default_rng(1).normal(size=(n, len(mean)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    return mean + white @ np.linalg.cholesky(cov).T


def committed(folder: str) -> tuple[list[str], np.ndarray]:
    """Names and rows with the moments of tests/reference/<folder>/moments.json."""
    read = json.loads((REFERENCE / folder / "moments.json").read_text(encoding="utf-8"))
    return read["names"], with_moments(np.array(read["mean"]), np.array(read["cov"]), read["n"])


def rows_of(file: str) -> pl.DataFrame:
    """Rows of the reference data, where they are at hand."""
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: these answers are incomplete, so their moments do not do")
    return pl.read_csv(Path(place) / "data" / file, null_values="NA")
