from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.models.model import Construct, Model, Term
from csi.models.model import Path as Arrow

REFERENCE = Path(__file__).parents[1] / "reference"

ITEMS = ("use1", "use2", "use3", "joy1", "joy2")


def made(name, *items):
    return Construct(name, "=~", tuple(Term(i) for i in items))


@pytest.fixture(scope="session")
def model():
    use, joy = made("Use", *ITEMS[:3]), made("Joy", *ITEMS[3:])
    return Model((use, joy), (Arrow("Joy", Term("Use")),))


def answers(rng, respondent, level):
    noise = rng.normal(size=(respondent.size, 5))
    use = respondent + 0.6 * rng.normal(size=respondent.size)
    raw = np.column_stack([use, use, use, 0.8 * use, 0.7 * use]) * [1.0, 1.2, 0.8, 1.1, 1.4] + 0.8 * noise + level
    return np.clip(np.round(raw), 1, 10)


@pytest.fixture(scope="session")
def survey():
    """Rows of brands x waves; `overlap` lets the same respondents answer in every wave."""

    def draw(n=80, waves=("w1", "w2", "w3"), brands=("A", "B"), seed=7, *, overlap=False, shift=0.4, trend=0.2):
        rng = np.random.default_rng(seed)
        parts = []
        for b, brand in enumerate(brands):
            people = rng.normal(scale=1.2, size=n)
            for t, wave in enumerate(waves):
                if not overlap:
                    people = rng.normal(scale=1.2, size=n)
                rows = answers(rng, people, 6.0 + shift * b + trend * t)
                name = [f"{brand}{i}" if overlap else f"{brand}{wave}{i}" for i in range(n)]
                keys = {"brand": [brand] * n, "wave": [wave] * n, "id": name, "weight": rng.uniform(0.5, 2.0, size=n)}
                parts.append(pl.DataFrame(keys | dict(zip(ITEMS, rows.T, strict=True))))
        return pl.concat(parts)

    return draw


@pytest.fixture(scope="session")
def mobi_model():
    outer, inner = [], []
    for line in (REFERENCE / "mobi" / "model.txt").read_text(encoding="utf-8").splitlines():
        left, right = (part.strip() for part in line.replace("=~", "~").split("~"))
        names = [name.strip() for name in right.split("+")]
        if "=~" in line:
            outer.append(made(left, *names))
        else:
            inner += [Arrow(left, Term(name)) for name in names]
    return Model(tuple(outer), tuple(inner))


@pytest.fixture(scope="session")
def mobi_moments():
    return json.loads((REFERENCE / "mobi" / "moments.json").read_text(encoding="utf-8"))
