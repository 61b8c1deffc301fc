"""`csi ipa` on a data file and on a study: what a person reads, what a machine gets, what is refused."""

from __future__ import annotations

import json

import polars as pl
import pytest

SPEED = ("--performance", "speed=P1", "--performance", "price=P2")
SAID = ("--stated", "speed=I1", "--stated", "price=I2")


@pytest.fixture
def answers(tmp_path):
    path = tmp_path / "answers.csv"
    columns = {"P1": [5, 6, 8, 9, 4, 6] * 5, "P2": [8, 9, 7, 9, 8, 9] * 5, "I1": [9, 9, 8, 10, 9, 8] * 5}
    pl.DataFrame({**columns, "I2": [5, 6, 4, 6, 5, 3] * 5, "y": [4, 6, 9, 9, 3, 6] * 5}).write_csv(path)
    return path


def test_a_file_of_attributes(asked, answers):
    asked_for = ("ipa", answers, *SPEED, *SAID, "--outcome", "y", "--scale", "1,10", "--bootstrap", "100")
    code, out, err = asked(*asked_for, "--lang", "en")
    assert (code, err) == (0, "")
    assert "Improve first: speed" in out
    assert "Importance and performance of attributes" in out
    code, out, _ = asked(*asked_for, "--json")
    found = json.loads(out)
    assert [a["quadrant"] for a in found["attributes"]] == ["improve", "ease"]
    assert found["attributes"][0]["probability"] == 1


def test_columns_of_a_study(asked, study):
    pairs = ("--performance", "network=qua2", "--performance", "app=qua3", "--performance", "bill=qua6")
    code, out, err = asked("ipa", study, *pairs, "--outcome", "sat1", "--bootstrap", "100", "--lang", "zh")
    assert (code, err) == (0, "")
    assert "象限" in out
    assert "推算重要性" in out


def test_what_is_refused(asked, answers):
    code, _, err = asked("ipa", answers, "--performance", "speed", "--lang", "en")
    assert code == 2
    assert "NAME=COLUMN" in err
    same = ("--performance", "a=P1", "--performance", "b=P1", "--performance", "c=y", "--outcome", "y")
    code, _, err = asked("ipa", answers, *same, "--scale", "1,10", "--lang", "en")
    assert code == 1
    assert '"a" and "b" are the same column' in err
    assert 'the outcome "y" is also the performance of "c"' in err
    code, _, err = asked("ipa", answers, *SPEED, "--lang", "en")
    assert code == 1
    assert "neither stated" in err
