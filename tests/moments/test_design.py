from __future__ import annotations

import numpy as np
import polars as pl

from csi.moments.design import design_of_rows


def rows(units, strata=None, waves=None) -> pl.DataFrame:
    columns = {
        "_unit": pl.Series(units, dtype=pl.String),
        "_stratum": pl.Series(strata or [None] * len(units), dtype=pl.String),
    }
    if waves:
        columns["wave"] = pl.Series(waves)
    return pl.DataFrame(columns)


def test_cluster_numbers_that_start_again_in_each_stratum() -> None:
    frame = rows(["1", "2", "3", "1", "2", "3"], list("NNNSSS"))
    unit, stratum, notes = design_of_rows(frame, np.zeros(6, dtype=np.int64), nested=True)
    assert np.unique(unit).size == 6
    assert np.bincount(stratum).tolist() == [3, 3]
    assert notes == ()


def test_a_respondent_who_moved_keeps_one_unit_and_is_counted() -> None:
    unit, stratum, notes = design_of_rows(rows(list("abcdab"), list("NNSSSN")), np.zeros(6, dtype=np.int64))
    assert unit.tolist() == [0, 1, 2, 3, 0, 1]
    assert stratum.tolist() == [0, 0, 1, 1]
    assert [n.code for n in notes] == ["N-STRATUM-MOVED"]
    assert "1 units" in notes[0].say("en")


def test_undeclared_strata_are_the_cells_and_patterns_of_return() -> None:
    cell = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    unit, stratum, _ = design_of_rows(rows(list("abcdabef")), cell)
    came_back, first_only, second_only = stratum[[0, 2, 4]]
    assert stratum[0] == stratum[1] == came_back
    assert stratum[2] == stratum[3] == first_only
    assert stratum[4] == stratum[5] == second_only
    assert len({came_back, first_only, second_only}) == 3
    assert unit.max() == 5


def test_rows_without_an_id_are_units_of_their_own() -> None:
    unit, _, _ = design_of_rows(rows(["a", None, None, "a"]), np.zeros(4, dtype=np.int64))
    assert np.unique(unit).size == 3
    assert unit[0] == unit[3]


def test_a_single_unit_in_all_stays_alone() -> None:
    _, stratum, notes = design_of_rows(rows(["a"]), np.zeros(1, dtype=np.int64))
    assert stratum.tolist() == [0]
    assert notes == ()
