"""The committed table of `csi.cta` is complete and says what is claimed; the slow test makes a part of it again."""

from pathlib import Path

import polars as pl
import pytest

from tests.slow.tetrads import BATCH, CASES, SIZES, study

TABLE = Path(__file__).parent / "tetrads.csv"


def test_the_committed_table_is_complete():
    table = pl.read_csv(TABLE)
    assert table.select("case", "n", "samples").rows() == [(c, n, many) for c, many in CASES.items() for n in SIZES]
    one = table.filter(pl.col("case").str.starts_with("one"))["rejected_at_5"]
    two = table.filter(case="two factors")["rejected_at_5"]
    assert one.max() < 0.08
    assert two.min() > 0.8


@pytest.mark.slow
def test_a_part_of_the_study_again():
    """One batch of panels: one factor is rejected seldom, two are often."""
    table = study(BATCH)
    assert table.filter(pl.col("case").str.starts_with("one"))["rejected_at_5"].max() < 0.16
    assert table.filter(case="two factors")["rejected_at_5"].min() > 0.7
