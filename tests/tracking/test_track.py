"""The tracking table: what it shows, and what it holds back."""

import polars as pl
import pytest

from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.tracking.changes import changes
from csi.tracking.index import index
from csi.tracking.league import pairwise
from csi.tracking.track import track

CELLS = ["brand", "wave"]
NUMBERS = ("n_effective", "index", "std_error", "conf_low", "change_previous", "p_holm_previous", "rank", "rank_low")


@pytest.fixture(scope="module")
def boot(model, survey):
    parts = [survey(n=120, brands=("A", "B")), survey(n=60, brands=("C",), seed=3), survey(n=12, brands=("D",), seed=4)]
    return bootstrap(fit(model, pl.concat(parts), PLS(), by=CELLS, scale=(1, 10), unit="id"), n=200, seed=8)


@pytest.fixture(scope="module")
def tracking(boot):
    return track(boot, "joy", per_year=2)


def test_one_row_per_cell_in_order(tracking):
    assert tracking.table.select(CELLS).rows() == [(b, w) for b in "ABCD" for w in ("w1", "w2", "w3")]
    assert tracking.construct == "Joy"


def test_flags(tracking):
    flags = dict(tracking.table.select("brand", "flag").unique().rows())
    assert flags == {"A": None, "B": None, "C": "small", "D": "suppressed"}


def test_suppressed_cells_show_only_their_size(tracking):
    few = tracking.table.filter(pl.col("brand") == "D")
    assert few["n"].to_list() == [12, 12, 12]
    assert {c: few[c].null_count() for c in NUMBERS} == dict.fromkeys(NUMBERS, 3)
    assert few["reason"].str.contains("fewer than 30").all()
    assert few["reason_zh"].str.contains("不足 30").all()


def test_numbers_are_those_of_the_parts(tracking):
    made = tracking.index
    row = tracking.table.filter(pl.col("brand") == "B", pl.col("wave") == "w3").row(0, named=True)
    moved = changes(made, "Joy", per_year=2, small=30).table.filter(pl.col("brand") == "B", pl.col("wave") == "w3")
    previous, year = moved.row(0, named=True), moved.row(1, named=True)
    assert row["change_previous"] == previous["change"]
    assert row["p_holm_previous"] == previous["p_holm"]
    assert row["minimal_detectable_year"] == year["minimal_detectable"]
    assert row["index"] == made.values[5, 1]
    league = pairwise(made, "w3", "Joy", small=30).table.filter(pl.col("brand") == "B").row(0, named=True)
    assert (row["rank"], row["rank_low"], row["rank_high"]) == (league["rank"], league["rank_low"], league["rank_high"])


def test_first_wave_has_no_change(tracking):
    first = tracking.table.filter(pl.col("wave") == "w1")
    assert first["change_previous"].null_count() == first.height


def test_from_an_index(boot, tracking):
    again = track(index(boot), "Joy", per_year=2)
    assert again.table.equals(tracking.table)
    with pytest.raises(Problems, match="already"):
        track(index(boot), "Joy", base="w2")


def test_waves_alone(model, survey):
    est = fit(model, survey(), PLS(), by=["wave"], scale=(1, 10))
    table = track(est, "Joy").table
    assert table["wave"].to_list() == ["w1", "w2", "w3"]
    assert table["rank"].null_count() == 3
    assert table["change_previous"].null_count() == 1


def test_notes_say_what_was_done(tracking):
    codes = {n.code for n in tracking.notes}
    assert {
        "N-INDEX-WEIGHTS",
        "N-FAMILY",
        "N-JOINT-REPLICATES",
        "N-SMALL",
        "N-NOT-TESTED",
        "N-SAMPLING-ONLY",
        "N-RANKS",
    } <= codes


def test_a_yearly_study_tests_each_change_once(boot):
    table = track(boot, "Joy", per_year=1).table
    assert "change_previous" in table.columns
    assert "change_year" not in table.columns
