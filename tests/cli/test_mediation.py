"""`csi mediation` and `csi slopes`."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from csi.cli.shell import main
from tests.measures.test_mediation import TEXT, rows

MODERATED = "x =~ x1; w =~ w1; m =~ m1; y =~ y1; m ~ x + w + x:w; y ~ m + x"


@pytest.fixture
def answers(tmp_path: Path) -> str:
    place = tmp_path / "answers.csv"
    rows(0.5, 0.4, n=150).write_csv(place)
    return str(place)


def test_mediation_prints_effects_and_sentences(answers: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mediation", MODERATED, answers, "--bootstrap", "200", "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "x -> m -> y" in said
    assert "index of moderated mediation" in said
    assert main(["mediation", TEXT, answers, "--bootstrap", "200", "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    assert "中介" in said
    for kind in ("特定间接", "总间接", "直接", "总效应"):
        assert kind in said
    for word in ("specific", "total"):
        assert word not in said


def test_mediation_for_machines(answers: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mediation", TEXT, answers, "--estimator", "sem", "--bootstrap", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "effects" in json.dumps(found)


def test_slopes_print_regions(answers: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slopes", MODERATED, answers, "--bootstrap", "200", "--lang", "en", "--at", "-1", "1"]) == 0
    said = capsys.readouterr().out
    assert "Simple slopes" in said
    assert "Johnson-Neyman" in said


def test_fit_takes_such_models_too(answers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """csi fit --estimator pls: products and constructs of constructs, with their ways."""
    assert main(["fit", MODERATED, answers, "--estimator", "pls", "--interaction", "product", "--lang", "en"]) == 0
    assert "x:w" in capsys.readouterr().out
    higher = "x =~ x1; m =~ m1; w =~ w1; h =~ x + m; w ~ h"
    assert main(["fit", higher, answers, "--estimator", "plsc", "--higher-order", "two-stage", "--lang", "en"]) == 0
    assert "two-stage" in capsys.readouterr().out
    assert main(["fit", higher, answers, "--estimator", "sum", "--higher-order", "embedded", "--lang", "en"]) == 2
    assert "does not take this option" in capsys.readouterr().err
    assert main(["fit", higher, answers, "--estimator", "pls", "--higher-order", "x", "--lang", "en"]) == 2
    assert "embedded" in capsys.readouterr().err


def test_bad_input_is_told(answers: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slopes", TEXT, answers, "--bootstrap", "0", "--lang", "en"]) == 1
    assert "no product" in capsys.readouterr().err
    assert main(["slopes", MODERATED, answers, "--interaction", "twostage", "--lang", "en"]) == 1
    assert "two-stage" in capsys.readouterr().err
    assert main(["mediation", TEXT, answers, "--from", "q", "--bootstrap", "0", "--lang", "zh"]) == 1
    assert "中介" in capsys.readouterr().err


def test_imputed_copies_are_pooled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Indirect effects of pooled fits have intervals; without resamples the variance inside a copy is unknown."""
    place = tmp_path / "holes.csv"
    frame = rows(0.5, 0.4, n=150)
    frame.with_columns(y1=pl.when(pl.col("x1") > 1).then(None).otherwise("y1")).write_csv(place)
    words = ["mediation", TEXT, str(place), "--imputations", "3", "--bootstrap", "100"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    row = next(r for r in found["effects"] if r["effect"] == "specific")
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    assert row["kind"] is not None
    words = ["slopes", MODERATED, str(place), "--imputations", "3", "--lang", "en"]
    assert main([*words, "--bootstrap", "100"]) == 0
    assert "Johnson-Neyman" in capsys.readouterr().out
    assert main([*words, "--bootstrap", "0"]) != 0
    assert "inside each copy" in capsys.readouterr().err
