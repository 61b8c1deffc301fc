from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.estimate.estimate import Convergence, Estimate, Row, Solution
from csi.estimate.later import known
from csi.models.model import Construct, Model, Term
from csi.models.model import Path as Arrow
from csi.moments.stack import Moments

REFERENCE = Path(__file__).parents[1] / "reference"


def read(folder, name):
    return json.loads((REFERENCE / folder / name).read_text(encoding="utf-8"))


class Given:
    """An estimator value for estimates made from printed solutions."""

    name = "given"
    missing = "listwise"


def model_of(folder, mode="A"):
    outer, inner = [], []
    for line in (REFERENCE / folder / "model.txt").read_text(encoding="utf-8").splitlines():
        if "=~" in line:
            name, items = (part.strip() for part in line.split("=~"))
            terms = tuple(Term(i.strip()) for i in items.split("+"))
            outer.append(Construct(name, "=~" if mode == "A" else "<~", terms, mode))
        elif "~" in line:
            outcome, predictors = (part.strip() for part in line.split("~"))
            inner += [Arrow(outcome, Term(x.strip())) for x in predictors.split("+")]
    return Model(tuple(outer), tuple(inner))


def moments_of(folder, slices=1):
    m = read(folder, "moments.json")
    n = np.full(slices, float(m["n"]))
    mean, cov = (np.repeat(np.array(m[key])[None], slices, axis=0) for key in ("mean", "cov"))
    cells = {"n": [m["n"]] * slices}
    if slices > 1:
        cells = {"wave": [f"W{i}" for i in range(slices)], **cells}
    low, high = np.array(m["minimum"]), np.array(m["maximum"])
    return Moments(tuple(m["names"]), n, n, n, mean, cov, pl.DataFrame(cells), low, high)


def solution_of(folder, scheme="path", mode="A", program="seminr", slices=1):
    file = read(folder, f"pls_{scheme}_{mode}.json")
    part = file["programs"][program]
    m = read(folder, "moments.json")
    cov = np.array(m["cov"])
    sd = np.sqrt(np.diag(cov))
    weights = np.zeros((len(sd), len(file["constructs"])))
    weights[np.arange(len(sd)), m["block"]] = part["weights"]
    arrays = {
        "weights": np.array(part["weights"]),
        "loadings": np.array(part["loadings"]),
        "cross_loadings": np.array(part["cross_loadings"]),
        "paths": np.array(part["paths"]),
        "r2": np.array(part.get("r2", [None] * len(file["constructs"])), dtype=float),
        "construct_cor": weights.T @ (cov / np.outer(sd, sd)) @ weights,
    }
    arrays = {k: np.repeat(v[None], slices, axis=0) for k, v in arrays.items()}
    names = tuple(file["constructs"])
    return Solution(names, tuple(file["items"]), np.array(m["block"]), (mode,) * len(names), **arrays)


def estimate_of(folder, scheme="path", mode="A", program="seminr", slices=1, replicates=None):
    solution = solution_of(folder, scheme, mode, program, slices)
    return Estimate(
        model=model_of(folder, mode),
        settings=Given(),
        moments=moments_of(folder, slices),
        sample=None,
        rows=(Row("a", "~", "b"),),
        values=np.zeros((slices, 1)),
        solved=known(solution),
        convergence=Convergence(np.ones(slices, bool), np.ones(slices, int), np.zeros(slices)),
        replicates=replicates,
    )


@pytest.fixture(name="read")
def read_fixture():
    return read


@pytest.fixture(name="estimate_of")
def estimate_fixture():
    return estimate_of


@pytest.fixture
def mobi():
    return estimate_of("mobi")


@pytest.fixture
def mobi_a():
    return read("mobi", "pls_path_A.json")["programs"]["seminr"]
