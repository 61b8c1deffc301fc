"""n, effective n, base rules and degrees of freedom are of the answers behind a construct, not of the cell's rows."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.tracking.contrasts import contrasts, design_df, pair_shares

ITEMS = {"use": ["u1", "u2", "u3"], "joy": ["j1", "j2"]}
MODEL = csi.Model.parse("use =~ u1 + u2 + u3\njoy =~ j1 + j2\njoy ~ use")
SMALL = 8
EVEN = {"use": {"u1": 0.5, "u2": 0.3, "u3": 0.2}, "joy": {"j1": 0.5, "j2": 0.5}}


def drawn(missing="pairwise"):
    """Brands A, B, C in two waves of 60; in wave 2 only 8 of C answer any question of joy, 40 of B the second."""
    rng, parts = np.random.default_rng(11), []
    for wave in ("1", "2"):
        for brand, level in (("A", 5.0), ("B", 6.0), ("C", 7.0)):
            one = rng.normal(level, 1.5, size=60)
            rows = {i: np.clip(np.round(one + rng.normal(size=60)), 1, 10) for i in (*ITEMS["use"], *ITEMS["joy"])}
            frame = pl.DataFrame(rows).with_columns(
                brand=pl.lit(brand), wave=pl.lit(wave), weight=pl.Series(rng.uniform(0.5, 2.0, size=60))
            )
            parts.append(frame)
    frame = pl.concat(parts).with_row_index("row")
    here = (pl.col("wave") == "2") & (pl.col("row") % 60 >= SMALL)
    silent = pl.when(~(here & (pl.col("brand") == "C")))
    half = pl.when(~((pl.col("wave") == "2") & (pl.col("row") % 60 >= 40) & (pl.col("brand") == "B")))
    return frame.with_columns(silent.then(pl.col("j1")).alias("j1"), silent.then(half.then(pl.col("j2"))).alias("j2"))


def index_of(frame, missing="pairwise", **design):
    est = csi.fit(
        MODEL, frame, csi.PLS(missing=missing), by=["brand", "wave"], scale=(1, 10), weight="weight", **design
    )
    return csi.index(est, weights="given", given=EVEN)


@pytest.fixture(scope="module")
def made():
    return index_of(drawn())


def row(table, brand, wave, construct="joy"):
    return table.filter(brand=brand, wave=wave, construct=construct).row(0, named=True)


@pytest.mark.parametrize("missing", ["pairwise", "mean"])
def test_n_is_of_the_answers_behind_the_construct(missing):
    table = index_of(drawn(), missing).table
    assert [row(table, b, "2")["n"] for b in "ABC"] == [60, 40, SMALL]  # of B, the item with fewest
    assert [row(table, b, "2", "use")["n"] for b in "ABC"] == [60, 60, 60]


def test_effective_n_is_kish_among_those_who_answered(made):
    d = drawn().filter(brand="C", wave="2").drop_nulls("j1")["weight"].to_numpy()
    assert row(made.table, "C", "2")["n_effective"] == pytest.approx(d.sum() ** 2 / (d**2).sum(), rel=1e-5)


def test_value_error_and_interval_are_those_of_the_rows_that_answered(made):
    """The same numbers as from a file that has these rows alone; the interval is t with n - 1 degrees of freedom."""
    alone = drawn().filter(brand="C", wave="2").drop_nulls()
    est = csi.fit(MODEL, alone, csi.PLS(), by=["brand", "wave"], scale=(1, 10), weight="weight")
    truth = row(csi.index(est, weights="given", given=EVEN).table, "C", "2")
    found = row(made.table, "C", "2")
    assert found["index"] == pytest.approx(truth["index"], rel=1e-5)
    cell = made.cells.with_row_index("at").filter(brand="C", wave="2")["at"][0]
    assert made.degrees_of_freedom[cell].tolist() == [59.0, SMALL - 1.0]
    reach = (found["conf_high"] - found["conf_low"]) / 2 / found["std_error_fixed"]
    assert reach == pytest.approx(2.3646, abs=1e-4)  # t(.975, 7)


def test_comparisons_count_units_that_answered(made):
    at = {(b, w): i for i, (b, w) in enumerate(made.cells.select("brand", "wave").iter_rows())}
    pair = pair_shares(made, [at["C", "2"]], [at["A", "2"]])
    assert contrasts(made, 1, pair).df.tolist() == [SMALL + 60 - 2.0]
    assert contrasts(made, 0, pair).df.tolist() == [118.0]
    assert design_df(made, 1, np.array([at["C", "2"]])) == SMALL - 1
    assert design_df(made, [0, 1], np.array([at["C", "2"]])) == SMALL - 1
    assert design_df(made, 0, np.array([at["C", "2"]])) == 59


def test_base_rules_count_answers(made):
    moved = csi.changes(made, ["joy"], small=30).table.filter(brand="C", against="previous", wave="2")
    assert moved["change"].null_count() == moved.height > 0
    assert moved["reason"][0] == "fewer than 30 answers in a wave."
    assert csi.changes(made, ["use"], small=30).table.filter(against="previous", wave="2")["change"].null_count() == 0
    assert csi.pairwise(made, "2", "joy", small=30).table["brand"].sort().to_list() == ["A", "B"]
    assert csi.pairwise(made, "2", "use", small=30).table.height == 3
    track = csi.track(made, "joy").table.filter(brand="C", wave="2").row(0, named=True)
    assert (track["n"], track["index"], track["flag"]) == (SMALL, None, "suppressed")
    why = csi.decompose(made, construct="joy", cells={"brand": "C"}, small=30)
    assert why.table["change"].null_count() == why.table.height
    found = csi.shrunken(made, "joy").table.filter(brand="C", wave="2").row(0, named=True)
    assert (found["n"], found["index"]) == (SMALL, None)
    tree = csi.tree(made, {"all": ["A", "B", "C"]}, construct="joy", small=30).table
    assert tree.filter(node="C", wave="2")["index"].to_list() == [None]
    assert tree.filter(node="all", wave="2")["n"].to_list() == [60 + 40]


def test_clusters_behind_the_answers(made):
    frame = drawn().with_columns(shop=pl.col("row") // 4)
    index = index_of(frame, unit="shop")
    at = {(b, w): i for i, (b, w) in enumerate(index.cells.select("brand", "wave").iter_rows())}
    assert index.degrees_of_freedom[at["C", "2"]].tolist() == [14.0, 1.0]
    found = row(index.table, "C", "2")
    assert found["n_effective"] == pytest.approx(SMALL / found["design_effect"])


def test_without_absent_answers_all_is_of_the_rows():
    frame = drawn().filter(wave="1")
    table = index_of(frame, "listwise").table
    assert table["n"].to_list() == [60] * 6


def test_moments_that_cannot_be_made_are_the_reason():
    """Under EM a cell with fewer rows than items has answers, but no means."""
    rng = np.random.default_rng(3)
    few = pl.DataFrame({i: rng.integers(1, 10, size=4).astype(float) for i in ("u1", "u2", "u3", "j1", "j2")})
    few = few.with_columns(brand=pl.lit("D"), wave=pl.lit("1"), weight=pl.lit(1.0), j1=pl.Series([None, 2.0, 5.0, 4.0]))
    frame = pl.concat([drawn().drop("row").filter(wave="1"), few.select(drawn().drop("row").columns)])
    est = csi.fit(MODEL, frame, csi.PLS(missing="em"), by=["brand", "wave"], scale=(1, 10))
    index = csi.index(est, weights="given", given=EVEN)
    assert index.table.filter(brand="D")["n"].to_list() == [4, 3]
    why = {r.code: r.text for r in index.reasons}
    assert "maximum likelihood" in why["R-NO-MEANS"].en
    assert "极大似然" in why["R-NO-MEANS"].zh
    assert "R-NO-ANSWERS" not in why


def test_all_cells_below_the_base(made):
    with pytest.raises(Problems):
        csi.shrunken(made, "joy", small=61)
