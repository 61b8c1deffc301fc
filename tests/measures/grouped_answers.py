"""Answers in groups that the tests of `csi.micom` and `csi.mga` share."""

from __future__ import annotations

import numpy as np
import polars as pl

import csi

MODEL = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; s =~ s1 + s2; b ~ a; s ~ a + b"
ITEMS = ["a1", "a2", "a3", "b1", "b2", "b3", "s1", "s2"]


def answers(sizes, seed=1, path=0.5, weights=((1.0, 1.0, 1.0),)):
    """Answers to eight items in groups; `weights` say how much of its construct each a-item has, group by group."""
    rng, frames = np.random.default_rng(seed), []
    for k, (name, n) in enumerate(sizes.items()):
        a = rng.normal(size=n)
        b = path * a + np.sqrt(1 - path**2) * rng.normal(size=n)
        s = 0.3 * a + 0.5 * b + 0.6 * rng.normal(size=n)
        of_a = a[:, None] * np.array(weights[k % len(weights)]) + 0.7 * rng.normal(size=(n, 3))
        of_b = b[:, None] + 0.7 * rng.normal(size=(n, 3))
        of_s = s[:, None] + 0.7 * rng.normal(size=(n, 2))
        frame = pl.DataFrame(np.round(np.hstack([of_a, of_b, of_s]), 3), schema=ITEMS)
        frames.append(frame.with_columns(g=pl.lit(name)))
    return pl.concat(frames)


def fitted(frame, **more):
    return csi.fit(MODEL, frame, csi.PLS(), by="g", **more)
