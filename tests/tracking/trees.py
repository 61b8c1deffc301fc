"""A nation of five brands over waves, whose indices are known by hand."""

import re

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems

MODEL = "use =~ a\njoy =~ b\njoy ~ use"
NATION = {"nation": {"goods": {"cars": ["A", "B"], "food": ["C"]}, "services": {"banks": ["D", "E"]}}}
REVENUE = {"A": 30.0, "B": 10.0, "C": 20.0, "D": 25.0, "E": 15.0}


def rows_of(means, n=40, seed=5):
    """`n` answers around a mean for every (brand, wave); the mean of `b` is exact."""
    rng = np.random.default_rng(seed)
    parts = []
    for (brand, wave), mean in means.items():
        many = n[brand, wave] if isinstance(n, dict) else n
        noise = rng.uniform(-12, 12, size=many)
        b = mean + 0.7 * (noise - noise.mean())
        a = 0.5 * b + rng.normal(scale=5, size=many) + 20
        parts.append(pl.DataFrame({"a": a, "b": b, "brand": [brand] * many, "wave": [wave] * many}))
    return pl.concat(parts)


def index_of(means, n=40, seed=5, **keys):
    frame = rows_of(means, n, seed).with_columns(**keys)
    est = csi.fit(MODEL, frame, csi.PLS(), by=["brand", "wave"], scale=(0, 100))
    return csi.index(est, formula="F5")


LEVELS = {"A": 70.0, "B": 60.0, "C": 80.0, "D": 65.0, "E": 55.0}
TWO = {(b, w): v + d for w, d in (("2024Q1", 0.0), ("2024Q2", 1.0)) for b, v in LEVELS.items()}
"""Every brand one point higher in the second wave."""


def value(tree, node, wave, column="index"):
    row = tree.table.filter((pl.col("node") == node) & (pl.col("wave") == wave))
    assert row.height == 1
    return row[column][0]


def problems(call, code):
    with pytest.raises(Problems) as caught:
        call()
    found = caught.value.problems
    assert {p.code for p in found} <= set(code.split())
    assert all(re.search("[\u4e00-\u9fff]", p.what.zh) and p.what.en and p.remedy.en and p.remedy.zh for p in found)
    return " | ".join(p.say("en") for p in found)
