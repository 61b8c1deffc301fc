"""`csi robustness MODEL DATA`: what a person reads and what a machine gets."""

import json

import numpy as np
import polars as pl
import pytest

from csi.cli import main

MODEL = "A =~ a0 + a1\nY =~ y0 + y1\nY ~ A"


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(2)
    a = rng.exponential(size=200)
    y = a + 0.5 * (a - 1) ** 2 + rng.normal(size=200)
    items = {"a0": a, "a1": a, "y0": y, "y1": y}
    frame = pl.DataFrame({k: np.round(v + 0.1 * rng.normal(size=200), 3) for k, v in items.items()})
    frame.write_csv(tmp_path / "answers.csv")
    frame.with_columns(a0=pl.col("a0").clip(0, 4).round(), a1=pl.col("a0").clip(0, 4).round()).write_csv(
        tmp_path / "steps.csv"
    )
    (tmp_path / "model.lav").write_text(MODEL, encoding="utf-8")
    return tmp_path / "model.lav", tmp_path / "answers.csv"


@pytest.fixture
def asked(capsys):
    def run(*words):
        code = main(["robustness", *map(str, words)])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return run


def test_bends_and_copulas_are_told(asked, files):
    code, out, err = asked(*files, "--bootstrap", "100", "--lang", "en")
    assert (code, err) == (0, "")
    for said in ("Quadratic terms", "RESET", "Copula terms", "signs of bent relations"):
        assert said in out
    assert "二次项" in asked(*files, "--bootstrap", "100", "--lang", "zh")[1]


def test_a_machine_gets_full_precision(asked, files):
    code, out, _ = asked(*files, "--bootstrap", "0", "--json")
    found = json.loads(out)
    assert code == 0
    assert {"quadratic", "reset", "copula", "checks"} <= set(found)
    assert "N-COPULA-BOOT" in [n["code"] for n in found["notes"]]


def test_discrete_predictors_are_a_note_or_a_problem_when_named(asked, files):
    model, answers = files
    steps = answers.with_name("steps.csv")
    code, out, err = asked(model, steps, "--bootstrap", "0", "--lang", "en")
    assert (code, err) == (0, "")
    assert "no predictor is continuous enough" in out
    code, _, err = asked(model, steps, "--bootstrap", "0", "--endogenous", "A", "--lang", "en")
    assert code == 1
    assert "too few steps" in err
