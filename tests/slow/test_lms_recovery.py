"""The committed recovery table meets its gates; the slow test makes a part of it again."""

from pathlib import Path

import polars as pl
import pytest

from tests.slow.lms_recovery import SAMPLES, TRUTH, WAYS, study

TABLE = Path(__file__).parent / "lms_recovery.csv"


def test_lms_is_unbiased_and_covers():
    found = pl.read_csv(TABLE)
    assert set(zip(found["way"], found["path"], strict=True)) == {(w, p) for w in WAYS for p in TRUTH}
    assert found["samples"].unique().to_list() == [SAMPLES]
    lms = found.filter(way="lms")
    assert lms["bias"].abs().max() < 3
    # 200 samples: two standard errors of coverage are 0.031, of a ratio 0.1
    assert lms["coverage"].is_between(0.91, 0.99).all()
    assert lms["ratio"].is_between(0.85, 1.15).all()
    assert found.filter(path="X:Z")["coverage"].is_between(0.91, 0.99).all()


@pytest.mark.slow
def test_a_part_of_the_table_comes_out_again():
    again = study(40).filter(way="lms", path="X:Z")
    assert again["mean"].item() == pytest.approx(0.3, abs=0.03)
    assert again["ratio"].item() == pytest.approx(1, abs=0.35)
