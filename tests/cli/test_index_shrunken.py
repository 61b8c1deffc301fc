"""`csi index --shrunken`: the raw index and the shrunken value, side by side."""

import json

import numpy as np
import polars as pl
import pytest

from csi.cli import main
from csi.tracking.fay_herriot import fay_herriot

PANEL = "data/telecom/study.yaml"


@pytest.fixture
def asked(capsys):
    def ask(*args):
        code = main([str(a) for a in args])
        out, err = capsys.readouterr()
        return code, out, err

    return ask


def test_raw_and_shrunken_are_printed_together(asked):
    settings = ("index", PANEL, "--wave", "2026Q3", "--errors", "linearised", "--shrunken")
    code, out, _ = asked(*settings, "--lang", "en")
    assert code == 0
    assert "Satisfaction: raw index and shrunken value (F1)" in out
    assert "2026Q3: the levels of 4 cells differ around" in out
    assert "no ranking, change or test uses them" in " ".join(out.split())
    untested = (*settings, "--no-gate")  # once is enough for the line of comparability
    zh = asked(*untested, "--lang", "zh")[1]
    assert "收缩值" in zh
    assert "真实水平" in zh
    found = pl.DataFrame(json.loads(asked(*untested, "--json")[1])["shrunken"])
    assert found.height == 4
    again = fay_herriot(found["index"].to_numpy(), found["std_error"].to_numpy() ** 2)
    np.testing.assert_allclose(found["shrunken"], again.shrunken, rtol=1e-9)
    np.testing.assert_allclose(found["rmse"], np.sqrt(again.mse), rtol=1e-9)
    assert "shrunken" not in json.loads(asked(*settings[:-1], "--no-gate", "--json")[1])


def test_two_brands_are_too_few(asked, study):
    code, out, err = asked("index", study, "--errors", "linearised", "--shrunken", "--lang", "en")
    assert (code, err) == (0, "")
    assert "Satisfaction, index 0-100 (F1)" in out
    assert (
        "Note: No index is drawn toward a mean: no parent has 3 cells with enough answers (10 of 10 cells do); " in out
    )
