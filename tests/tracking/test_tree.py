"""The aggregation tree: values by hand, changes, and variances that go up."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse

import csi
from csi.inference.rubin import rubin
from csi.tracking import index_influence
from csi.tracking.contrasts import contrast, joint_covariance

from .trees import LEVELS, NATION, REVENUE, TWO, index_of, problems, value


@pytest.fixture(scope="module")
def made():
    return index_of(TWO)


def test_by_hand(made):
    tree = csi.tree(made, NATION, REVENUE, "joy")
    cars, banks = (30 * 70 + 10 * 60) / 40, (25 * 65 + 15 * 55) / 40
    goods = (40 * cars + 20 * 80) / 60  # an industry weighs what its companies do
    expected = {"cars": cars, "food": 80.0, "banks": banks, "goods": goods, "services": banks}
    expected["nation"] = (60 * goods + 40 * banks) / 100
    for node, number in expected.items():
        assert value(tree, node, "2024Q1") == pytest.approx(number, abs=1e-9)
        assert value(tree, node, "2024Q2") == pytest.approx(number + 1, abs=1e-9)
    assert value(tree, "nation", "2024Q1", "n") == 200
    assert value(tree, "nation", "2024Q1", "leaves") == 5
    assert tree.table["level"].unique(maintain_order=True).to_list() == ["level 1", "level 2", "level 3", "brand"]


def test_own_weights_of_parents_replace_the_sums(made):
    gdp = {**REVENUE, "goods": 1.0, "services": 3.0}
    tree = csi.tree(made, NATION, gdp, "joy")
    goods, services = (value(tree, n, "2024Q1") for n in ("goods", "services"))
    assert value(tree, "nation", "2024Q1") == pytest.approx(goods / 4 + 3 * services / 4)


def test_the_practice_of_the_acsi_by_hand():
    """Companies by revenue in their industry, industries by revenue in their sector, sectors by their share of GDP.

    Fornell et al. (1996), Journal of Marketing 60(4), p. 12; inputs constructed, numbers by hand: cars (8 x 75 + 2 x
    65) / 10 = 73, food (3 x 82 + 1 x 78) / 4 = 81, goods (10 x 73 + 4 x 81) / 14 = 1054 / 14, banks (5 x 70 + 5 x 60) /
    10 = 65, services 65, nation .3 x 1054 / 14 + .7 x 65 = 68.0857...
    """
    levels = {"A": 75.0, "B": 65.0, "C": 82.0, "D": 78.0, "E": 70.0, "F": 60.0}
    index = index_of({(b, "2024"): v for b, v in levels.items()})
    structure = {"nation": {"goods": {"cars": ["A", "B"], "food": ["C", "D"]}, "services": {"banks": ["E", "F"]}}}
    revenue = {"A": 8.0, "B": 2.0, "C": 3.0, "D": 1.0, "E": 5.0, "F": 5.0, "goods": 0.3, "services": 0.7}
    tree = csi.tree(index, structure, revenue, "joy")
    by_hand = {"cars": 73.0, "food": 81.0, "goods": 1054 / 14, "banks": 65.0, "services": 65.0}
    for node, number in {**by_hand, "nation": 0.3 * 1054 / 14 + 0.7 * 65}.items():
        assert value(tree, node, "2024") == pytest.approx(number, abs=1e-9)
    assert f"{value(tree, 'nation', '2024'):.4f}" == "68.0857"


def test_changes_against_the_year_ago_wave_and_the_family_of_a_wave():
    index = index_of({(b, w): v + d for w, d in zip("12345", (0, 1, 2, 1, 6), strict=True) for b, v in LEVELS.items()})
    holm, bh = (csi.tree(index, NATION, REVENUE, "joy", adjust=how).changes for how in ("holm", "bh"))
    last = holm.filter(pl.col("wave") == "5")
    assert set(last.select("against", "reference").rows()) == {("previous", "4"), ("year", "1")}
    assert last.filter(pl.col("against") == "year")["change"].to_list() == pytest.approx([6.0] * 6)
    assert last.filter(pl.col("against") == "previous")["change"].to_list() == pytest.approx([5.0] * 6)
    for table, how in ((holm, "holm"), (bh, "bh")):
        for _, release in table.group_by("wave"):
            expected = csi.adjust(release["p_value"].to_numpy(), how)
            np.testing.assert_allclose(release["p_adjusted"], expected, rtol=1e-12)
            assert (release["significant"] == (release["p_adjusted"] < 0.05)).all()
    assert (bh["p_adjusted"] <= holm["p_adjusted"] + 1e-15).all()
    assert "bh" in problems(lambda: csi.tree(index, NATION, REVENUE, "joy", adjust="fdr"), "E-SETTING")


def test_the_variance_of_independent_companies_by_hand(made):
    tree = csi.tree(made, {"cars": ["A", "B"]}, {"A": 30.0, "B": 10.0}, "joy")
    j = made.constructs.index("joy")
    errors = np.sqrt(np.diagonal(joint_covariance(made, j, np.arange(made.cells.height))))
    at = {tuple(r): i for i, r in enumerate(made.cells.select("brand", "wave").iter_rows())}
    by_hand = np.sqrt((0.75 * errors[at["A", "2024Q1"]]) ** 2 + (0.25 * errors[at["B", "2024Q1"]]) ** 2)
    assert value(tree, "cars", "2024Q1", "std_error") == pytest.approx(by_hand, rel=1e-12)


def test_covariances_go_up_from_replicates(survey):
    frame = survey(n=60, waves=("w1", "w2"), brands=("A", "B", "C"), overlap=True)
    text = "Use =~ use1 + use2 + use3\nJoy =~ joy1 + joy2\nJoy ~ Use"
    est = csi.bootstrap(csi.fit(text, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10), unit="id"), 200, seed=3)
    index = csi.index(est)
    tree = csi.tree(index, {"all": {"x": ["A", "B"], "y": ["C"]}}, {"A": 1, "B": 2, "C": 3}, "Joy")
    j, cells, L = 1, np.arange(6), np.zeros(6)
    for c, (brand, wave, _) in enumerate(index.cells.iter_rows()):
        L[c] = {"A": 1, "B": 2, "C": 3}[brand] / 6 * (1 if wave == "w2" else -1)
    found = contrast(index, j, cells, L)
    row = tree.changes.filter((pl.col("node") == "all") & (pl.col("wave") == "w2")).row(0, named=True)
    assert row["change"] == pytest.approx(found.estimate, rel=1e-12)
    assert row["std_error"] == pytest.approx(found.std_error, rel=1e-12)
    assert row["df"] == found.df
    alone = np.sqrt((L**2 * np.diagonal(joint_covariance(index, j, cells))).sum())
    assert found.std_error < 0.9 * alone  # panels: the covariance of a respondent with himself counts


WEIGHING = {"all": {"x": ["A", "B"], "y": ["C"]}}
TEXT = "Use =~ use1 + use2 + use3\nJoy =~ joy1 + joy2\nJoy ~ Use"


def moved_by_hand(index):
    """(c) coefficients of the change of "all" from w1 to w2, weights 1, 2, 3."""
    cells = index.cells.select("brand", "wave").iter_rows()
    return np.array([{"A": 1, "B": 2, "C": 3}[b] / 6 * (1 if w == "w2" else -1) for b, w in cells])


def change_of(index):
    tree = csi.tree(index, WEIGHING, {"A": 1, "B": 2, "C": 3}, "Joy")
    return tree, tree.changes.filter((pl.col("node") == "all") & (pl.col("wave") == "w2")).row(0, named=True)


def test_linearised_errors_go_up_with_the_weights_uncertainty(survey):
    frame = survey(n=400, waves=("w1", "w2"), brands=("A", "B", "C"))
    est = csi.fit(TEXT, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10), unit="id")
    index = csi.index(est, weights="base", std_error="linearised")
    tree, row = change_of(index)
    L, V = moved_by_hand(index), joint_covariance(index, 1, np.arange(6))
    assert row["std_error"] == pytest.approx(np.sqrt(L @ V @ L), rel=1e-9)
    assert abs(V - np.diag(np.diagonal(V))).max() > 1e-4  # weights of the base wave are common to all cells
    drawn = csi.index(csi.bootstrap(est, 600, seed=4), weights="base")
    assert drawn.basis == "replicates"
    again = csi.tree(drawn, WEIGHING, {"A": 1, "B": 2, "C": 3}, "Joy")
    ratio = again.table["std_error"].to_numpy() / tree.table["std_error"].to_numpy()
    assert abs(ratio.mean() - 1) < 0.05


@pytest.mark.parametrize("overlap", [False, True])
def test_variances_by_cells_are_those_by_units(survey, overlap, monkeypatch):
    frame = survey(n=60, waves=("w1", "w2", "w3"), brands=("A", "B", "C"), overlap=overlap)
    frame = frame.with_columns(stratum=pl.col("brand") + (pl.int_range(pl.len()) % 2).cast(pl.String))
    keys = {"by": ["brand", "wave"], "scale": (1, 10), "unit": "id", "weight": "weight"}
    est = csi.fit(TEXT, frame, csi.PLS(), **keys, **({} if overlap else {"stratum": "stratum"}))
    index = csi.index(est, weights="base", std_error="linearised")
    rng = np.random.default_rng(2)
    rows = sparse.csr_matrix(rng.normal(size=(40, 9)) * (rng.uniform(size=(40, 9)) < 0.6))
    part = index.influence.full[1].value
    monkeypatch.setattr(index_influence, "OFTEN", np.inf)
    assert part._by_cells(index.influence.strata, rows) is None
    by_units = part.variances(index.influence.strata, rows)
    monkeypatch.setattr(index_influence, "OFTEN", 1e-9)
    monkeypatch.setattr(index_influence, "FEWER", 7)
    assert part._by_cells(index.influence.strata, rows) is not None
    np.testing.assert_allclose(part.variances(index.influence.strata, rows), by_units, rtol=1e-10)
    dense = joint_covariance(index, 1, np.arange(9))
    np.testing.assert_allclose(by_units, ((rows @ dense) * rows.toarray()).sum(axis=1), rtol=1e-10)


def test_replicate_weights_go_up_with_their_degrees_of_freedom(survey):
    frame = survey(n=80, waves=("w1", "w2"), brands=("A", "B", "C")).with_row_index("row")
    groups = 20
    drop = pl.col("row") % groups
    frame = frame.with_columns(
        w=pl.lit(1.0), **{f"r{g}": pl.when(drop == g).then(0.0).otherwise(groups / (groups - 1)) for g in range(groups)}
    )
    columns = [f"r{g}" for g in range(groups)]
    est = csi.fit(TEXT, frame.drop(columns), csi.PLS(), by=["brand", "wave"], scale=(1, 10), weight="w")
    est = csi.replicate_weights(est, frame, columns, kind="jk1")
    index = csi.index(est, formula="F5")
    tree, row = change_of(index)
    assert {row["df"], *tree.table["df"]} == {groups - 1.0}
    # the jackknife by hand: the change of the plain means of the items without each group
    L = moved_by_hand(index)

    def change(kept):
        means = kept.group_by("brand", "wave").agg((pl.mean("joy1") + pl.mean("joy2")) / 2)
        at = {(b, w): 100 * (v - 1) / 9 for b, w, v in means.iter_rows()}
        return L @ [at[key] for key in index.cells.select("brand", "wave").iter_rows()]

    whole = change(frame)
    left = np.array([change(frame.filter(pl.col("row") % groups != g)) for g in range(groups)])
    assert row["change"] == pytest.approx(whole, abs=1e-9)
    by_hand = np.sqrt((groups - 1) / groups * ((left - whole) ** 2).sum())
    assert row["std_error"] == pytest.approx(by_hand, rel=1e-6)


@pytest.fixture(scope="module")
def copies(survey):
    frame = survey(n=80, waves=("w1", "w2"), brands=("A", "B", "C"))
    holes = frame.with_columns(joy1=pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise("joy1"))
    by = ["brand", "wave"]
    made = csi.impute(holes, m=4, seed=3, items=["use1", "use2", "use3", "joy1", "joy2"], by=by)
    return [csi.index(csi.fit(TEXT, copy, csi.PLS(), by=by, scale=(1, 10))) for copy in made]


def test_pooled_copies_go_up_by_rubins_rules(copies):
    tree, row = change_of(csi.pool(copies))
    each = [change_of(one)[1] for one in copies]
    by_hand = rubin(
        np.array([r["change"] for r in each]), np.array([r["std_error"] for r in each]), np.array(each[0]["df"])
    )
    assert row["change"] == pytest.approx(float(by_hand.value), rel=1e-12)
    assert row["std_error"] == pytest.approx(float(by_hand.std_error), rel=1e-12)
    assert row["df"] == pytest.approx(float(by_hand.df), rel=1e-12)
    assert by_hand.between > 0
    assert row["std_error"] > np.sqrt(np.mean([r["std_error"] ** 2 for r in each]))
    assert tree.table["std_error"].null_count() == 0
    assert any("Rubin" in n.say() for n in tree.notes)


def test_comparisons_of_pooled_cells_agree_with_their_covariance(copies):
    index = csi.pool(copies)
    L, V = moved_by_hand(index), joint_covariance(index, 1, np.arange(6))
    assert contrast(index, 1, np.arange(6), L).std_error == pytest.approx(np.sqrt(L @ V @ L), rel=1e-9)
    moved = csi.changes(index, "Joy", ("previous",)).table
    assert (moved.height, moved["std_error"].null_count()) == (3, 0)
    assert csi.pairwise(index, "w2", "Joy").pairs["std_error"].null_count() == 0
