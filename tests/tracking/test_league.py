"""Brands of one wave against each other and against their mean."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from scipy import special

from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.tracking.changes import changes
from csi.tracking.contrasts import holm
from csi.tracking.index import index
from csi.tracking.league import do_not_differ, pairwise
from csi.tracking.sector import sector

BRANDS = ("A", "B", "C", "D")


@pytest.fixture(scope="module")
def made(model, survey):
    frame = survey(brands=BRANDS, waves=("w1", "w2"), shift=0.6, n=100)
    return index(bootstrap(fit(model, frame, PLS(), by=["brand", "wave"], scale=(1, 10), unit="id"), n=300, seed=2))


def test_pairs(made):
    league = pairwise(made, "w2", "Joy")
    assert league.pairs.height == 6
    np.testing.assert_allclose(league.pairs["p_holm"], holm(league.pairs["p_value"].to_list()))
    top = league.pairs.row(0, named=True)
    cells = {
        b: made.cells.with_row_index("i").filter(pl.col("brand") == b, pl.col("wave") == "w2")["i"][0] for b in BRANDS
    }
    i, j = cells[top["above"]], cells[top["below"]]
    assert top["difference"] == pytest.approx(made.values[i, 1] - made.values[j, 1])
    assert top["std_error"] == pytest.approx(np.std(made.replicates[:, i, 1] - made.replicates[:, j, 1], ddof=1))
    assert (league.pairs["difference"] >= 0).all()


def test_half_widths_and_verdicts_are_one_statement(made):
    """At the level of its own Holm step: the largest of m tests is held against alpha / m."""
    pairs = pairwise(made, "w2", "Joy").pairs
    assert ((pairs["difference"].abs() > pairs["half_width"]) == pairs["significant"]).all()
    first = pairs.sort("p_value").row(0, named=True)
    bound = special.stdtrit(first["df"], 1 - 0.05 / 6 / 2) * first["std_error"]
    assert first["half_width"] == pytest.approx(bound)
    away = sector(made, "Joy").differences.drop_nulls("p_value")
    assert ((away["difference"].abs() > away["half_width"]) == away["significant"]).all()
    moved = changes(made, "Joy").table.drop_nulls("p_value")
    assert ((moved["change"].abs() > moved["half_width"]) == moved["significant"]).all()
    assert not moved["significant"].all()


def test_ranks_follow_the_tests(made):
    league = pairwise(made, "w2", "Joy")
    assert league.table["index"].is_sorted(descending=True)
    for row in league.table.iter_rows(named=True):
        sure = league.pairs.filter("significant")
        above = sure.filter(pl.col("below") == row["brand"]).height
        below = sure.filter(pl.col("above") == row["brand"]).height
        assert (row["rank_low"], row["rank_high"]) == (1 + above, 4 - below)


def test_groups_hold_no_significant_pair_and_are_maximal(made):
    league = pairwise(made, "w2", "Joy")
    sure = set(league.pairs.filter("significant").select("above", "below").rows())
    for group in league.groups:
        assert not sure & set(combinations(group, 2))
    assert {b for group in league.groups for b in group} == set(BRANDS)
    assert len(league.groups) > 1


def test_do_not_differ_by_hand():
    differ = np.zeros((4, 4), dtype=bool)
    differ[0, 2] = differ[0, 3] = differ[1, 3] = True
    assert do_not_differ(differ | differ.T) == [[0, 1], [1, 2], [2, 3]]
    assert do_not_differ(np.zeros((3, 3), dtype=bool)) == [[0, 1, 2]]
    assert do_not_differ(~np.eye(2, dtype=bool)) == [[0], [1]]


def test_small_brands_stay_out(model, survey):
    frame = pl.concat([survey(waves=("w1",)), survey(n=9, brands=("Z",), waves=("w1",))])
    made = index(fit(model, frame, PLS(), by=["brand"], scale=(1, 10)))
    assert sorted(pairwise(made, construct="Joy", small=30).table["brand"]) == ["A", "B"]


def test_wave_must_be_named_where_there_are_several(made):
    with pytest.raises(Problems):
        pairwise(made, construct="Joy")
    with pytest.raises(Problems, match="w5"):
        pairwise(made, "w5", "Joy")


def test_sector_mean(made):
    table = sector(made, "Joy").table
    second = table.filter(pl.col("wave") == "w2")
    cells = np.flatnonzero(made.cells["wave"] == "w2")
    assert second["index"][0] == pytest.approx(made.values[cells, 1].mean())
    assert second["std_error"][0] == pytest.approx(np.std(made.replicates[:, cells, 1].mean(axis=1), ddof=1))
    assert second["brands"][0] == 4


def test_sector_shares_and_differences(made):
    shares = {"A": 6.0, "B": 2.0, "C": 1.0, "D": 1.0}
    found = sector(made, "Joy", shares)
    v = np.array([0.6, 0.2, 0.1, 0.1])
    cells = np.flatnonzero(made.cells["wave"] == "w1")
    assert found.table["index"][0] == pytest.approx(v @ made.values[cells, 1])
    row = found.differences.filter(pl.col("brand") == "C", pl.col("wave") == "w1").row(0, named=True)
    drawn = made.replicates[:, cells[2], 1] - made.replicates[:, cells, 1] @ v
    assert row["difference"] == pytest.approx(made.values[cells[2], 1] - v @ made.values[cells, 1])
    assert row["std_error"] == pytest.approx(np.std(drawn, ddof=1))


def test_shares_must_name_every_brand(made):
    with pytest.raises(Problems) as error:
        sector(made, "Joy", {"A": 1.0, "B": 1.0, "C": 0.0})
    assert len(error.value.problems) == 2
