from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

RECORDS = Path(__file__).parents[2] / "reference" / "factors"


@cache
def _record(name):
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))


def _matched(found, expected, phi=None):
    """Loadings (and phi) with the factors of `found` in the order and with the signs of `expected`."""
    inner = np.asarray(found).T @ np.asarray(expected)
    mine, theirs = linear_sum_assignment(-np.abs(inner))
    order, sign = np.empty(mine.size, dtype=int), np.empty(mine.size)
    order[theirs], sign[theirs] = mine, np.sign(inner[mine, theirs])
    turned = np.asarray(found)[:, order] * sign
    return turned if phi is None else (turned, np.asarray(phi)[np.ix_(order, order)] * np.outer(sign, sign))


@pytest.fixture(scope="session")
def record():
    return _record


@pytest.fixture(scope="session")
def matched():
    return _matched
