"""Panels in which what forms expectation is planted."""

from __future__ import annotations

import numpy as np
import polars as pl

import csi
from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

SEVEN = Scale("seven", 1, 7)
STAGE_SLOPES = {
    "never": {"wom": 0.6, "advert": 0.3, "judge": 0.1},
    "first": {"wom": 0.3, "advert": 0.1, "judge": 0.2, "first": 0.6},
    "long": {"wom": 0.1, "advert": 0.0, "judge": 0.3, "exper": 0.6},
}


def panel_of(columns, items, keys=None, reasons=None):
    """A panel from columns and items."""
    frame = pl.DataFrame({**(keys or {}), **columns}).with_columns(pl.col(list(columns)).fill_nan(None))
    book = Codebook(tuple(items), {}, {})
    blank = pl.DataFrame(dict.fromkeys(book.names, pl.Series([None] * frame.height, dtype=pl.String)))
    return csi.Panel(frame, book, reasons if reasons is not None else blank)


def causes(n, slopes, seed, r=0.3, noise=1.0):
    """Correlated causes on 1-7 (two items each) and two items of expectation."""
    rng = np.random.default_rng(seed)
    names = list(slopes)
    shared = rng.normal(size=n)
    latent = {c: np.sqrt(r) * shared + np.sqrt(1 - r) * rng.normal(size=n) for c in names}
    e = sum((slopes[c] * latent[c] for c in names), np.zeros(n)) + noise * rng.normal(size=n)
    columns = {f"{c}{i}": np.clip(4 + 1.2 * latent[c] + 0.3 * rng.normal(size=n), 1, 7) for c in names for i in (1, 2)}
    columns |= {f"e{i}": np.clip(4.5 + e + 0.3 * rng.normal(size=n), 1, 7) for i in (1, 2)}
    items = [Item(f"{c}{i}", c, SEVEN, Text(f"{c} {i}", c)) for c in names for i in (1, 2)]
    items += [Item(f"e{i}", "service", SEVEN, Text(f"Expected {i}", "期望"), f"a{i}", "Ew") for i in (1, 2)]
    return columns, items


def formed(n=600, seed=1, slopes=None, keys=None, **settings):
    """A panel of one stage."""
    columns, items = causes(n, slopes or {"wom": 0.6, "promise": 0.3, "price": 0.1}, seed, **settings)
    return panel_of(columns, items, keys)


def staged(n=400, seed=1, slopes=None, names=None):
    """A panel of three stages; what a stage cannot have is absent there."""
    slopes = slopes or STAGE_SLOPES
    every = list(dict.fromkeys(c for own in slopes.values() for c in own))
    parts, items = [], {}
    for number, (stage, own) in enumerate(slopes.items()):
        columns, made = causes(n, own, 10 * seed + number)
        items |= {i.name: i for i in made}
        absent = {f"{c}{i}": np.full(n, np.nan) for c in every if c not in own for i in (1, 2)}
        parts.append(pl.DataFrame({"stage": [(names or {}).get(stage, stage)] * n, **columns, **absent}))
    frame = pl.concat(parts, how="diagonal")
    columns = {c: frame[c].to_numpy() for c in frame.columns if c != "stage"}
    return panel_of(columns, items.values(), {"stage": frame["stage"]})
