"""The committed table of `csi.cvpat` under the null meets its gate; the slow test makes a part of it again."""

from pathlib import Path

import polars as pl
import pytest

from tests.slow.predictive_ability import BATCH, GATED, SAMPLES, SIZES, failures, study

TABLE = Path(__file__).parent / "predictive_ability.csv"


def test_the_committed_table_is_complete_and_meets_the_gate():
    table = pl.read_csv(TABLE)
    assert table.select("n", "test").rows() == [(n, test) for n in SIZES for test in ("p_value", "p_better")]
    assert table["usable"].to_list() == [SAMPLES] * table.height
    assert failures(table) == []


def test_a_missed_gate_is_named():
    table = pl.read_csv(TABLE)
    [told] = failures(table.with_columns(at_5=pl.lit(0.08)))
    assert told.startswith(f"n = {GATED}")


@pytest.mark.slow
def test_a_part_of_the_study_again():
    """One batch of panels: within four standard errors of 5 %."""
    table = study(BATCH).filter(test="p_value")
    assert (table["at_5"] - 0.05).abs().max() < 4 * (0.05 * 0.95 / BATCH) ** 0.5
