"""The gate against lavaan: the steps' scaled differences, the bias of a freed item and its delta-method error."""

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.tracking.gate_bias import shifts
from csi.tracking.gate_ladder import climb
from csi.tracking.gate_sets import sets_of

FOLDER = Path(__file__).parents[1] / "reference" / "gate"


@pytest.fixture(scope="module")
def answers():
    """Two waves of 300 answers; the second item is answered half a point higher in the later."""
    rng, parts = np.random.default_rng(20261122), []
    for wave, mean, shift in (("w1", 0.0, 0.0), ("w2", 0.4, 0.5)):
        factor = rng.normal(mean, 1.4, 300)
        items = 6 + factor[:, None] * np.array([1.0, 1.1, 0.9]) + np.array([0, shift, 0])
        items = items + 1.1 * rng.standard_normal((300, 3))
        other = 6 + factor + rng.standard_normal(300)
        rows = np.clip(np.round(np.column_stack([items, other])), 1, 10)
        parts.append(pl.DataFrame(rows, schema=[*"abce"]).with_columns(wave=pl.lit(wave)))
    return pl.concat(parts)


@pytest.fixture(scope="module")
def lavaan():
    return json.loads((FOLDER / "lavaan.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def set_and_ladder(answers):
    model = csi.Model.parse("joy =~ a + b + c\nuse =~ e\njoy ~ use")
    made = csi.index(csi.fit(model, answers, csi.PLS(), by=["wave"], scale=(1, 10)))
    (one,) = sets_of(made, None, ["joy"], 30, ())
    return one, climb(made.sample, one)


def test_the_answers_are_those_that_lavaan_read(answers):
    said = json.loads((FOLDER / "provenance.json").read_text("utf-8"))["data_sha256"]
    assert hashlib.sha256(answers.write_csv().encode()).hexdigest() == said


@pytest.mark.parametrize("step", ["metric", "scalar"])
def test_the_steps_are_lavaans(set_and_ladder, lavaan, step):
    np.testing.assert_allclose(getattr(set_and_ladder[1], step).difference, lavaan[step], rtol=1e-4)


@pytest.mark.parametrize(("kind", "key"), [("intercept", ("b", "~1", "")), ("loading", ("joy", "=~", "b"))])
def test_the_bias_and_its_error_are_lavaans(set_and_ladder, lavaan, kind, key):
    one, climbed = set_and_ladder
    est = climbed.ladder.fit(climbed.scalar.held, frozenset({key}))
    found = np.array(shifts(est, one.items, one.points).bias(1, 0)) / one.points[1]
    np.testing.assert_allclose(found, lavaan[kind], rtol=1e-4)
