"""The gate in use: changes, leagues and the tracking table with their evidence, and what is withheld."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli.track_grid import told_evidence
from csi.errors import Problems
from csi.tracking.gate_applied import evidence_frame
from csi.tracking.gate_shown import Evidence
from csi.tracking.league import gap_changes, pairwise

LOADINGS = np.array([1.0, 1.1, 0.9])
MODEL = "joy =~ a + b + c\nuse =~ e\njoy ~ use"
BAD = (1.0, -1.0, 0.0)


def draw(rng, n, level, shift):
    factor = rng.normal(level, 1.1, n)
    rows = 5.5 + factor[:, None] * LOADINGS + rng.normal(0, 0.9, (n, 3)) + np.array(shift)
    return np.column_stack([rows, factor + rng.normal(0, 1, n) + 5])


def made_of(shifts, n=500):
    """Brands A, B in waves w1, w2; `shifts` of the items of some cells."""
    rng, parts = np.random.default_rng(4), []
    for b, brand in enumerate("AB"):
        for t, wave in enumerate(("w1", "w2")):
            rows = draw(rng, n, 0.5 * b + 0.4 * t, shifts.get((brand, wave), (0, 0, 0)))
            parts.append(pl.DataFrame(rows, schema=[*"abce"]).with_columns(brand=pl.lit(brand), wave=pl.lit(wave)))
    est = csi.fit(csi.Model.parse(MODEL), pl.concat(parts), csi.PLS(), by=["brand", "wave"], scale=(-10, 30))
    return csi.index(est)


@pytest.fixture(scope="module")
def bad():
    return made_of({("B", "w2"): BAD})


@pytest.fixture(scope="module")
def gate(bad):
    return csi.comparable(bad, construct="joy")


def rows_of(frame):
    return {r["brand"]: r for r in frame.iter_rows(named=True)}


def test_without_a_gate_every_change_is_marked_untested(bad):
    moved = csi.changes(bad, "joy", ("previous",))
    assert moved.table["evidence"].to_list() == ["not tested", "not tested"]
    assert moved.table["change"].null_count() == 0
    assert "N-NOT-TESTED" in [n.code for n in moved.notes]


def test_a_change_that_is_not_comparable_is_withheld_with_its_item(bad, gate):
    moved = csi.changes(bad, "joy", ("previous",), gate=gate)
    rows = rows_of(moved.table)
    assert rows["A"]["evidence"] == "comparable"
    assert rows["A"]["change"] is not None
    assert rows["B"]["evidence"] == "not comparable"
    assert rows["B"]["change"] is rows["B"]["p_value"] is rows["B"]["p_holm"] is rows["B"]["conf_low"] is None
    assert rows["B"]["items"].split(", ")[0] in {"a", "b"}
    assert rows["B"]["reason"].startswith(f"not comparable: {rows['B']['items']} moves the difference by about ")
    assert rows["B"]["reason_zh"].startswith("不可比：")
    codes = [n.code for n in moved.notes]
    assert "W-NOT-COMPARABLE" in codes
    assert "N-GATE" in codes
    assert "N-NOT-TESTED" not in codes


def test_the_withheld_change_leaves_the_family(bad, gate):
    def family(**asked):
        return next(n.text.en for n in csi.changes(bad, "joy", ("previous",), **asked).notes if n.code == "N-FAMILY")

    assert "at most 2" in family()
    assert "at most 1" in family(gate=gate)
    assert "at most 2" in family(gate=gate, anyway=True)


def test_anyway_gives_the_change_and_its_evidence(bad, gate):
    row = rows_of(csi.changes(bad, "joy", ("previous",), gate=gate, anyway=True).table)["B"]
    plain = rows_of(csi.changes(bad, "joy", ("previous",)).table)["B"]
    assert row["change"] == plain["change"]
    assert row["evidence"] == "not comparable"


def test_the_bias_has_the_sign_of_the_change(gate):
    """Item b is answered higher in the later wave of B: the change of B is too high."""
    made = made_of({("B", "w2"): (0.0, 0.6, 0.0)})
    row = rows_of(csi.changes(made, "joy", ("previous",), gate=csi.comparable(made, construct="joy")).table)["B"]
    weight = made.weights.filter(pl.col("item") == "b")["weight"][0]
    assert row["evidence"] == "after freeing"
    assert row["items"] == "b"
    assert row["bias"] == pytest.approx(0.6 * weight * 2.5, abs=3 * row["bias_error"])
    assert row["change"] is not None


def test_a_league_withholds_the_pair_and_its_rank_interval_is_open(bad, gate):
    league = pairwise(bad, "w2", "joy", gate=gate)
    (pair,) = league.pairs.iter_rows(named=True)
    assert pair["evidence"] == "not comparable"
    assert pair["difference"] is pair["p_holm"] is pair["significant"] is None
    assert pair["reason"].startswith("not comparable: ")
    assert league.table.select("rank_low", "rank_high").rows() == [(1, 2), (1, 2)]
    assert league.table["evidence"].to_list() == ["not comparable"] * 2
    open_ = pairwise(bad, "w2", "joy", gate=gate, anyway=True).pairs
    assert open_["difference"][0] == pairwise(bad, "w2", "joy").pairs["difference"][0]
    assert pairwise(bad, "w1", "joy", gate=gate).pairs["evidence"].to_list() == ["comparable"]


def test_gaps_to_a_rival_that_is_not_comparable_are_left_out(bad, gate):
    assert gap_changes(bad, "A", "w2", "w1", "joy")["rival"].to_list() == ["B"]
    assert gap_changes(bad, "A", "w2", "w1", "joy", gate=gate)["rival"].to_list() == []


def test_the_tracking_table_tells_it(bad, gate):
    tracked = csi.track(bad, "joy", per_year=1, gate=gate)
    row = tracked.table.filter(pl.col("brand") == "B", pl.col("wave") == "w2").row(0, named=True)
    assert row["change_previous"] is None
    assert row["evidence_previous"] == "not comparable"
    assert row["withheld_previous"].startswith("not comparable: ")
    assert row["evidence_rank"] == "not comparable"
    assert "N-NOT-TESTED" not in [n.code for n in tracked.notes]
    open_ = csi.track(bad, "joy", per_year=1, gate=gate, anyway=True).table
    assert open_["change_previous"].null_count() == 2


def test_a_gate_of_other_cells_is_refused(bad):
    other = made_of({})
    gate = csi.comparable(other, "brand", "joy")
    with_more = csi.index(
        csi.fit(
            csi.Model.parse(MODEL),
            pl.DataFrame(draw(np.random.default_rng(2), 200, 0, (0, 0, 0)), schema=[*"abce"]).with_columns(
                brand=pl.lit("C"), wave=pl.Series(["w1", "w2"] * 100)
            ),
            csi.PLS(),
            by=["brand", "wave"],
            scale=(-10, 30),
        )
    )
    with pytest.raises(Problems) as error:
        csi.changes(with_more, "joy", gate=gate)
    assert error.value.problems[0].code == "E-GATE"
    assert csi.changes(bad, "joy", ("previous",), gate=gate).table["evidence"].to_list() == ["not tested"] * 2


@pytest.fixture(scope="module")
def freed():
    """Item b is answered lower in w2: by a little in A, by as much as the whole rise and more in B."""
    made = made_of({("A", "w2"): (0.0, -0.35, 0.0), ("B", "w2"): (0.0, -1.6, 0.0)}, n=900)
    return made, csi.comparable(made, construct="joy")


def test_a_change_after_freeing_has_its_adjusted_value_and_no_star(freed):
    made, gate = freed
    row = rows_of(csi.changes(made, "joy", ("previous",), gate=gate).table)["A"]
    assert row["evidence"] == "after freeing"
    assert row["adjusted"] == pytest.approx(row["change"] - row["bias"], abs=1e-12)
    assert row["adjusted"] == pytest.approx(0.4 * 2.5, abs=0.5)
    assert row["std_error"] is not None
    assert row["p_value"] is row["p_holm"] is row["significant"] is row["half_width"] is None


def test_a_change_that_the_freed_item_outweighs_is_withheld(freed):
    made, gate = freed
    moved = csi.changes(made, "joy", ("previous",), gate=gate)
    row = rows_of(moved.table)["B"]
    raw = rows_of(csi.changes(made, "joy", ("previous",)).table)["B"]["change"]
    assert abs(row["bias"]) >= abs(raw)
    assert row["evidence"] == "not comparable"
    assert row["change"] is row["adjusted"] is row["p_value"] is None
    assert "as much as it is or more" in row["reason"]
    assert "不小于差异本身" in row["reason_zh"]
    assert "N-FREED" in [n.code for n in moved.notes]
    anyway = rows_of(csi.changes(made, "joy", ("previous",), gate=gate, anyway=True).table)["B"]
    assert anyway["change"] == raw
    assert anyway["p_holm"] is not None


def test_a_league_tests_no_pair_that_is_comparable_after_freeing_only(freed):
    made, gate = freed
    league = pairwise(made, "w2", "joy", gate=gate)
    (pair,) = league.pairs.iter_rows(named=True)
    assert pair["evidence"] in {"after freeing", "not comparable"}
    assert pair["p_value"] is pair["significant"] is None
    assert league.table.select("rank_low", "rank_high").rows() == [(1, 2), (1, 2)]
    assert league.groups == (("B",), ("A",))
    assert gap_changes(made, "A", "w2", "w1", "joy", gate=gate)["rival"].to_list() == []


def test_a_benchmark_after_freeing_has_no_star(freed):
    made, gate = freed
    table = csi.track(made, "joy", per_year=1, gate=gate, benchmark="A").table.drop_nulls("evidence_benchmark")
    found = table.filter(pl.col("evidence_benchmark") != "comparable")
    assert found.height
    assert found["significant_benchmark"].null_count() == found.height


def test_what_no_item_accounts_for_is_told_without_an_empty_list_of_items():
    (row,) = evidence_frame([Evidence("not comparable")]).iter_rows(named=True)
    assert (row["evidence"], row["items"]) == ("not comparable", None)
    table = pl.DataFrame({"evidence_mean": ["not comparable"], "items_mean": [""], "change_mean": [None]})
    table = table.with_columns(difference_mean=pl.lit(None, pl.Float64))
    assert told_evidence(table, "mean", {}, "en") == ["not comparable"]
