"""`csi segments MODEL DATA`: what a person reads and what a machine gets."""

import json

import numpy as np
import polars as pl
import pytest

from csi.cli import main

MODEL = "A =~ a0 + a1\nY =~ y0 + y1\nZ =~ z0\nY ~ A\nZ ~ Y"


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(2)
    n = 160
    a = rng.normal(size=n)
    sign = np.where(np.arange(n) % 5 < 3, 0.9, -0.9)
    y = sign * a + 0.3 * rng.normal(size=n)
    z = sign * y + 0.3 * rng.normal(size=n)
    items = {"a0": a, "a1": a, "y0": y, "y1": y, "z0": z}
    frame = pl.DataFrame({k: np.round(v + 0.1 * rng.normal(size=n), 3) for k, v in items.items()})
    frame.with_columns(wave=pl.lit("w1")).write_csv(tmp_path / "answers.csv")
    (tmp_path / "model.lav").write_text(MODEL, encoding="utf-8")
    return tmp_path / "model.lav", tmp_path / "answers.csv"


@pytest.fixture
def asked(capsys):
    def run(*words):
        code = main(["segments", *map(str, words)])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return run


def test_a_mixture_is_told(asked, files):
    code, out, err = asked(*files, "--k", "1,2", "--starts", "8", "--where", "wave=w1", "--lang", "en")
    assert (code, err) == (0, "")
    assert "agree on 2 segments" in out
    assert "Paths by segment" in out
    code, out, _ = asked(*files, "--k", "1,2", "--starts", "8", "--json", "--members")
    found = json.loads(out)
    assert found["choice"] == 2
    assert len(found["members"]) == 160


def test_a_partition_is_told(asked, files):
    code, out, err = asked(*files, "--method", "pos", "--starts", "2", "--lang", "zh")
    assert (code, err) == (0, "")
    assert "各细分的 R²" in out
    code, out, _ = asked(*files, "--method", "pos", "--starts", "2", "--json")
    assert json.loads(out)["objective"] > json.loads(out)["one"]


def test_what_is_wrong_is_said_without_a_traceback(asked, files):
    code, _, err = asked(*files, "--k", "90", "--lang", "en")
    assert code == 1
    assert "rows allow 1 to" in err
    assert asked(*files, "--k", "two")[0] == 2
    assert asked(*files, "--method", "pos", "--k", "2,3")[0] == 2
    assert asked(*files, "--where", "wave")[0] == 2
