"""The aggregation tree: by hand, missing leaves, chain links, covariances, the audit, and bad input."""

import re
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy import sparse

import csi
from csi.errors import Problems
from csi.inference.linearised import critical
from csi.inference.rubin import rubin
from csi.tracking import index_influence
from csi.tracking.contrasts import contrast, joint_covariance
from csi.tracking.gate_applied import rows_of as rows_of_index
from csi.tracking.gate_shown import Evidence

from .test_formulas import ANSWERS, SEVEN, panel_of

MODEL = "use =~ a\njoy =~ b\njoy ~ use"
NATION = {"nation": {"goods": {"cars": ["A", "B"], "food": ["C"]}, "services": {"banks": ["D", "E"]}}}
REVENUE = {"A": 30.0, "B": 10.0, "C": 20.0, "D": 25.0, "E": 15.0}


def rows_of(means, n=40, seed=5):
    """`n` answers around a mean for every (brand, wave); the mean of `b` is exact."""
    rng = np.random.default_rng(seed)
    parts = []
    for (brand, wave), mean in means.items():
        many = n[brand, wave] if isinstance(n, dict) else n
        noise = rng.uniform(-12, 12, size=many)
        b = mean + 0.7 * (noise - noise.mean())
        a = 0.5 * b + rng.normal(scale=5, size=many) + 20
        parts.append(pl.DataFrame({"a": a, "b": b, "brand": [brand] * many, "wave": [wave] * many}))
    return pl.concat(parts)


def index_of(means, n=40, seed=5, **keys):
    frame = rows_of(means, n, seed).with_columns(**keys)
    est = csi.fit(MODEL, frame, csi.PLS(), by=["brand", "wave"], scale=(0, 100))
    return csi.index(est, formula="F5")


LEVELS = {"A": 70.0, "B": 60.0, "C": 80.0, "D": 65.0, "E": 55.0}
TWO = {(b, w): v + d for w, d in (("2024Q1", 0.0), ("2024Q2", 1.0)) for b, v in LEVELS.items()}
"""Every brand one point higher in the second wave."""


@pytest.fixture(scope="module")
def made():
    return index_of(TWO)


def value(tree, node, wave, column="index"):
    row = tree.table.filter((pl.col("node") == node) & (pl.col("wave") == wave))
    assert row.height == 1
    return row[column][0]


def problems(call, code):
    with pytest.raises(Problems) as caught:
        call()
    found = caught.value.problems
    assert {p.code for p in found} <= set(code.split())
    assert all(re.search("[\u4e00-\u9fff]", p.what.zh) and p.what.en and p.remedy.en and p.remedy.zh for p in found)
    return " | ".join(p.say("en") for p in found)


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


def test_the_audit_adds_up_to_every_parent(made):
    tree = csi.tree(made, NATION, REVENUE, "joy")
    sums = tree.audit.group_by("parent", "wave").agg(
        pl.col("contribution").sum(), pl.col("share").sum(), pl.col("parent_index").first(),
        (pl.col("share") * pl.col("index")).sum().alias("by_hand"),
    )  # fmt: skip
    assert sums.height == 12
    np.testing.assert_allclose(sums["contribution"], sums["parent_index"], atol=1e-10)
    np.testing.assert_allclose(sums["by_hand"], sums["parent_index"], atol=1e-10)
    np.testing.assert_allclose(sums["share"], 1.0, atol=1e-12)
    for parent, wave, index in sums.select("parent", "wave", "parent_index").iter_rows():
        assert value(tree, parent, wave) == pytest.approx(index)


FAST_WAVES = ("2024Q1", "2024Q2", "2024Q3")
GAP = {k: v for k, v in TWO.items() if k != ("B", "2024Q2")}


def test_renormalise_prints_the_missing_share():
    tree = csi.tree(index_of(GAP), NATION, REVENUE, "joy")
    assert value(tree, "cars", "2024Q2") == pytest.approx(71.0)
    assert value(tree, "cars", "2024Q2", "missing_weight") == pytest.approx(0.25)
    assert value(tree, "nation", "2024Q2", "missing_weight") == pytest.approx(0.10)
    assert value(tree, "cars", "2024Q2", "flag") == "incomplete"
    assert any(n.code == "W-TREE-MISSING" and "25.0%" in n.say("zh") for n in tree.notes)
    moved = tree.changes.filter((pl.col("node") == "cars") & (pl.col("against") == "previous")).row(0, named=True)
    assert moved["change"] == pytest.approx(71 - 67.5)
    assert moved["like_for_like"] == pytest.approx(1.0)  # A alone, in both waves
    assert moved["composition"] == pytest.approx(2.5)


def variances_of(index, construct="joy"):
    """(brand, wave) -> sampling variance of its index."""
    every = np.diagonal(joint_covariance(index, index.constructs.index(construct), np.arange(index.cells.height)))
    return dict(zip(index.cells.select("brand", "wave").iter_rows(), every, strict=True))


FAST = {(b, w): v + d for w, d in (("2024Q1", 0.0), ("2024Q2", 3.0), ("2024Q3", 1.0)) for b, v in LEVELS.items()}
"""Every brand moves by 3 points up, then by 2 down."""
GONE = {k: v for k, v in FAST.items() if k[0] != "B" or k[1] == "2024Q1"}


def test_carry_adds_the_mean_squared_true_change_to_the_variance():
    index = index_of({k: v for k, v in GONE.items() if k[1] != "2024Q3"})
    tree = csi.tree(index, NATION, REVENUE, "joy", missing="carry")
    assert value(tree, "cars", "2024Q2") == pytest.approx((30 * 73 + 10 * 60) / 40)
    assert (value(tree, "B", "2024Q2", "treatment"), value(tree, "B", "2024Q2", "age")) == ("carried", 1)
    own = variances_of(index)
    # the four others moved by 3 points, of which the sampling errors of both waves explain some
    drift = 9.0 - np.mean([own[b, "2024Q1"] + own[b, "2024Q2"] for b in "ACDE"])
    assert 0 < drift < 9
    sampling = 0.75**2 * own["A", "2024Q2"] + 0.25**2 * own["B", "2024Q1"]
    beyond = 0.25**2 * drift
    assert value(tree, "cars", "2024Q2", "std_error") == pytest.approx(np.sqrt(sampling + beyond), rel=1e-9)
    # four changes, their mean square 9: the variance of the drift is 2 x 81 / 4
    df = (sampling + beyond) ** 2 / (sampling**2 / 78 + 0.25**4 * 81 / 4)
    assert value(tree, "cars", "2024Q2", "df") == pytest.approx(df, rel=1e-9)
    assert any(n.code == "W-TREE-CARRIED" and f"{drift:.2f}" in n.say() for n in tree.notes)


def test_a_value_carried_for_two_waves_is_that_much_less_sure():
    index = index_of(GONE)
    tree = csi.tree(index, NATION, REVENUE, "joy", missing="carry")
    assert [value(tree, "B", w, "age") for w in ("2024Q1", "2024Q2", "2024Q3")] == [None, 1, 2]
    one, two = (value(tree, "B", w, "std_error") ** 2 - variances_of(index)["B", "2024Q1"] for w in FAST_WAVES[1:])
    assert two == pytest.approx(2 * one, rel=1e-9)


def test_the_change_of_a_carried_value_is_none_with_the_error_of_the_drift():
    index = index_of({k: v for k, v in GONE.items() if k[1] != "2024Q3"})
    tree = csi.tree(index, {"one": ["B"], "rest": ["A", "C", "D", "E"]}, REVENUE, "joy", missing="carry")
    moved = tree.changes.filter(pl.col("node") == "one").row(0, named=True)
    own = variances_of(index)
    drift = 9.0 - np.mean([own[b, "2024Q1"] + own[b, "2024Q2"] for b in "ACDE"])
    assert moved["change"] == pytest.approx(0.0, abs=1e-12)
    assert moved["std_error"] == pytest.approx(np.sqrt(drift), rel=1e-9)
    assert moved["df"] == pytest.approx(4 * (drift / 9) ** 2, rel=1e-9)


def test_changes_within_sampling_error_add_nothing():
    index = index_of(GAP)  # all others moved by one point, less than the sampling error of a change
    tree = csi.tree(index, NATION, REVENUE, "joy", missing="carry")
    own = variances_of(index)
    assert np.mean([own[b, "2024Q1"] + own[b, "2024Q2"] for b in "ACDE"]) > 1.0
    assert value(tree, "B", "2024Q2", "std_error") == pytest.approx(np.sqrt(own["B", "2024Q1"]), rel=1e-9)


def test_impute_moves_the_last_value_as_its_siblings_moved():
    moves = {"A": (0.0, 3.0, 4.0), "B": (0.0, 7.0, -1.0), "C": (0.0, 1.0, 2.0)}
    table = {(b, w): LEVELS[b] + d for b, each in moves.items() for w, d in zip(FAST_WAVES, each, strict=True)}
    table["E", "2024Q1"] = 55.0
    index = index_of(table)
    tree = csi.tree(index, {"x": ["A", "B", "C", "E"]}, None, "joy", missing="impute")
    assert value(tree, "E", "2024Q2") == pytest.approx(55 + 11 / 3, abs=1e-9)
    assert value(tree, "E", "2024Q3") == pytest.approx(55 + 5 / 3, abs=1e-9)
    assert (value(tree, "E", "2024Q3", "treatment"), value(tree, "E", "2024Q3", "age")) == ("imputed", 2)
    own = variances_of(index)
    # changes apart from their siblings': 3, 7, 1 about 11/3 and 1, -8, 1 about -2, four degrees of freedom
    sampling = sum(own[b, w] + own[b, v] for b in "ABC" for v, w in (FAST_WAVES[:2], FAST_WAVES[1:])) * 2 / 3
    total = (9 + 49 + 1 - 121 / 3) + (1 + 64 + 1 - 36 / 3)
    apart = (total - sampling) / 4
    assert 0 < apart < total / 4
    within = own["E", "2024Q1"] + sum(own[b, w] for b in "ABC" for w in FAST_WAVES[:2]) / 9
    added = apart * (1 + 1 / 3)
    assert value(tree, "E", "2024Q2", "std_error") == pytest.approx(np.sqrt(within + added), rel=1e-9)
    free = 4 * (apart / (total / 4)) ** 2
    df = (within + added) ** 2 / (within**2 / (7 * 39) + added**2 / free)
    assert value(tree, "E", "2024Q2", "df") == pytest.approx(df, rel=1e-9)
    # over two waves the middle one drops out of the siblings' mean change, and what sets leaves apart counts twice
    within = own["E", "2024Q1"] + sum(own[b, w] for b in "ABC" for w in FAST_WAVES[::2]) / 9
    assert value(tree, "E", "2024Q3", "std_error") == pytest.approx(np.sqrt(within + 2 * added), rel=1e-9)
    assert any(n.code == "W-TREE-IMPUTED" and f"{apart:.2f}" in n.say() for n in tree.notes)


def test_what_is_imputed_does_not_depend_on_later_waves():
    full = index_of(GONE)
    early = index_of({k: v for k, v in GONE.items() if k[1] != "2024Q3"})
    one, two = (csi.tree(i, NATION, REVENUE, "joy", missing="impute") for i in (early, full))
    assert value(one, "B", "2024Q2") == pytest.approx(value(two, "B", "2024Q2"), abs=1e-9)


def test_a_leaf_without_siblings_is_not_imputed():
    gone = {k: v for k, v in FAST.items() if k != ("C", "2024Q3")}
    tree = csi.tree(index_of(gone), NATION, REVENUE, "joy", missing="impute")
    assert value(tree, "C", "2024Q3", "treatment") == "missing"
    assert any(n.code == "N-TREE-RULE" for n in tree.notes)


def test_refuse_names_every_missing_leaf():
    said = problems(lambda: csi.tree(index_of(GAP), NATION, REVENUE, "joy", missing="refuse"), "E-TREE-LEAF")
    assert '"B" has a weight and no index in 2024Q2' in said


def by_period(values):
    return pl.DataFrame(
        [(e, p, w) for p, each in values.items() for e, w in each.items()],
        schema=["entity", "period", "weight"],
        orient="row",
    )


def test_weights_by_year_and_their_dates():
    revised = by_period({"2024": {"A": 1.0, "B": 1.0}}).with_columns(as_of=pl.lit("2024-03-01"))
    late = by_period({"2024": {"A": 3.0, "B": 1.0}}).with_columns(as_of=pl.lit("2025-03-01"))
    index = index_of({k: v for k, v in TWO.items() if k[0] in "AB"})
    first, last = (
        csi.tree(index, {"cars": ["A", "B"]}, pl.concat([late, revised]), "joy", restate=restate)
        for restate in (False, True)
    )
    assert value(first, "cars", "2024Q1") == pytest.approx(65.0)
    assert value(last, "cars", "2024Q1") == pytest.approx(67.5)
    assert first.audit["as_of"].unique().to_list() == ["2024-03-01"]
    assert first.audit["weight_period"].unique().to_list() == ["2024"]


def test_rebased_with_unchanged_weights_is_the_ratio(made):
    tree = csi.tree(made, NATION, REVENUE, "joy", base="2024Q1")
    assert value(tree, "nation", "2024Q1", "rebased") == pytest.approx(100.0)
    assert value(tree, "nation", "2024Q1", "rebased_std_error") == 0.0
    one, two = (value(tree, "nation", w) for w in ("2024Q1", "2024Q2"))
    assert value(tree, "nation", "2024Q2", "rebased") == pytest.approx(100 * two / one, rel=1e-12)
    e1, e2 = (value(tree, "nation", w, "std_error") for w in ("2024Q1", "2024Q2"))
    by_hand = 100 * two / one * np.hypot(e1 / one, e2 / two)  # independent waves
    assert value(tree, "nation", "2024Q2", "rebased_std_error") == pytest.approx(by_hand, rel=1e-9)
    back = csi.tree(made, NATION, REVENUE, "joy", base="2024Q2")
    assert value(back, "nation", "2024Q1", "rebased") == pytest.approx(100 * one / two, rel=1e-12)


def test_new_weights_are_linked_over_the_overlap():
    weights = by_period({"2024Q1": {"A": 1.0, "B": 1.0}, "2024Q2": {"A": 1.0, "B": 9.0}})
    index = index_of({k: v for k, v in TWO.items() if k[0] in "AB"})
    tree = csi.tree(index, {"cars": ["A", "B"]}, weights, "joy", base="2024Q1")
    # with the new weights 2024Q1 would have been .1 x 70 + .9 x 60 = 61, and 2024Q2 is 62
    assert value(tree, "cars", "2024Q2") == pytest.approx(62.0)
    assert value(tree, "cars", "2024Q2", "rebased") == pytest.approx(100 * 62 / 61, rel=1e-12)


def test_a_new_brand_is_noted_and_does_not_bend_the_chain():
    means = {k: v for k, v in TWO.items() if k[0] in "AC"}
    means["B", "2024Q2"] = 20.0
    weights = by_period({"2024Q1": {"A": 1.0, "C": 1.0}, "2024Q2": {"A": 1.0, "B": 1.0, "C": 1.0}})
    tree = csi.tree(index_of(means), {"x": ["A", "B", "C"]}, weights, "joy", base="2024Q1")
    assert value(tree, "x", "2024Q2") == pytest.approx((71 + 81 + 20) / 3)
    assert value(tree, "x", "2024Q2", "rebased") == pytest.approx(100 * 76 / 75)
    assert value(tree, "x", "2024Q1", "missing_weight") == pytest.approx(0.0)
    assert any(n.code == "N-TREE-NEW" and "B (2024Q2)" in n.say() for n in tree.notes)


def test_brands_without_a_place_are_noted_or_taken_as_all_others(made):
    tree = csi.tree(made, {"x": ["A", "B"]}, {"A": 3, "B": 1}, "joy")
    assert any(n.code == "W-TREE-LEFT" and "C, D, E" in n.say() for n in tree.notes)
    rest = csi.tree(made, {"x": ["A", "B", "Rest"]}, {"A": 3, "B": 1, "Rest": 6}, "joy", others="Rest")
    assert value(rest, "Rest", "2024Q1") == pytest.approx((80 + 65 + 55) / 3)
    assert value(rest, "x", "2024Q1") == pytest.approx(0.3 * 70 + 0.1 * 60 + 0.6 * 200 / 3)
    assert not any(n.code == "W-TREE-LEFT" for n in rest.notes)


SMALL = {(b, w): (12 if b in "BE" else 40) for b in LEVELS for w in ("2024Q1", "2024Q2")}


def test_leaves_of_few_answers_are_in_no_parent():
    tree = csi.tree(index_of(TWO, SMALL), {"all": ["A", "B", "C", "D", "E"]}, REVENUE, "joy", small=20)
    row = tree.table.filter((pl.col("node") == "B") & (pl.col("wave") == "2024Q1")).row(0, named=True)
    assert (row["index"], row["n"], row["treatment"], row["flag"]) == (None, 12, "missing", "suppressed")
    assert (row["reason"], row["reason_zh"]) == ("fewer than 20 answers; suppressed.", "样本量不足 20，不予发布。")
    assert value(tree, "all", "2024Q1") == pytest.approx((30 * 70 + 20 * 80 + 25 * 65) / 75)
    assert value(tree, "all", "2024Q1", "n") == 120
    assert value(tree, "all", "2024Q1", "missing_weight") == pytest.approx(0.25)
    sums = tree.audit.group_by("wave").agg(pl.col("contribution").sum(), pl.col("parent_index").first())
    np.testing.assert_allclose(sums["contribution"], sums["parent_index"], atol=1e-10)
    said = next(n for n in tree.notes if n.code == "N-TREE-SMALL")
    assert said.say("en").startswith("B, 2024Q2: 12 answers, below the base of 20; not part of all. E, 2024Q2: ")
    assert said.say("zh").startswith("B（2024Q2）：12 份答卷，不足最低样本量 20，未计入all。")


def test_the_base_of_a_tracking_table_is_its_trees():
    index = index_of(TWO, SMALL)
    for source, gone in ((index, 2), (csi.track(index, "joy", small=10), 0), (csi.track(index, "joy", small=50), 5)):
        table = csi.tree(source, NATION, REVENUE, "joy").table.filter(level="brand", wave="2024Q1")
        assert (table["flag"] == "suppressed").sum() == gone


def test_all_cells_under_the_base():
    tree = csi.tree(index_of(TWO, 12), NATION, REVENUE, "joy", small=30)
    assert tree.table["index"].null_count() == tree.table.height
    assert value(tree, "nation", "2024Q1", "reason") == "no leaf has 30 answers here."
    assert [s.en for s in tree.sentences] == ["nation has no value in 2024Q2: no leaf below it has 30 answers."]
    assert tree.changes["change"].null_count() == tree.changes.height
    with pytest.raises(Problems) as refused:
        csi.tree(index_of(TWO, 12), NATION, REVENUE, "joy", missing="refuse")
    told = '"A" has a weight and no index in 2024Q1, 2024Q2 (12 answers, below the base of 30).'
    assert refused.value.problems[0].what.en == told


def test_a_single_wave():
    index = index_of({k: v for k, v in TWO.items() if k[1] == "2024Q1"})
    tree = csi.tree(index, NATION, REVENUE, "joy", base="2024Q1")
    assert tree.changes.is_empty()
    assert value(tree, "nation", "2024Q1", "rebased") == 100.0
    assert any(n.code == "N-TREE-WAVE" for n in tree.notes)


def test_an_index_without_waves():
    frame = rows_of({k: v for k, v in TWO.items() if k[1] == "2024Q1"})
    index = csi.index(csi.fit(MODEL, frame, csi.PLS(), by=["brand"], scale=(0, 100)), formula="F5")
    tree = csi.tree(index, NATION, REVENUE, "joy")
    assert "wave" not in tree.table.columns
    assert tree.table["index"][0] == pytest.approx(67.5)
    assert "base" in problems(lambda: csi.tree(index, NATION, REVENUE, "joy", base="x"), "E-WAVE")


def test_the_changes_are_tested_and_holm_counts_a_release(made):
    tree = csi.tree(made, NATION, REVENUE, "joy", per_year=1)
    assert set(tree.changes["against"]) == {"previous"}
    p, adjusted = tree.changes["p_value"].to_numpy(), tree.changes["p_adjusted"].to_numpy()
    assert p.size == 6
    assert (adjusted >= p - 1e-15).all()
    assert adjusted[np.argmin(p)] == pytest.approx(min(1.0, 6 * p.min()))


def test_structures_from_tables_are_the_same(made, tmp_path):
    wide = pl.DataFrame({
        "brand": list("ABCDE"), "industry": ["cars", "cars", "food", "banks", "banks"],
        "sector": ["goods"] * 3 + ["services"] * 2, "nation": ["nation"] * 5, "zh": ["甲", "乙", "丙", "丁", "戊"],
    })  # fmt: skip
    edges = pl.DataFrame(
        {"entity": [*"ABCDE", "cars", "food", "banks", "goods", "services"],
         "parent": ["cars", "cars", "food", "banks", "banks", "goods", "goods", "services", "nation", "nation"]}
    )  # fmt: skip
    wide.write_csv(tmp_path / "wide.csv")
    edges.write_excel(tmp_path / "edges.xlsx")
    revenue = pl.DataFrame({"entity": list(REVENUE), "weight": list(REVENUE.values())})
    revenue.write_parquet(tmp_path / "revenue.parquet")
    nested = csi.tree(made, NATION, REVENUE, "joy")
    for structure in (wide, edges, tmp_path / "wide.csv", tmp_path / "edges.xlsx"):
        tree = csi.tree(made, structure, tmp_path / "revenue.parquet", "joy")
        for node in ("cars", "goods", "nation"):
            assert value(tree, node, "2024Q2") == pytest.approx(value(nested, node, "2024Q2"), rel=1e-12)
    labelled = csi.tree(made, wide, revenue, "joy")
    assert labelled.table["level"].unique(maintain_order=True).to_list() == ["nation", "sector", "industry", "brand"]
    assert labelled.structure.labels["A"].zh == "甲"


def test_what_it_says(made):
    tree = csi.tree(made, NATION, REVENUE, "joy")
    en, zh = (tree.sentences[0].say(lang) for lang in ("en", "zh"))
    assert en.startswith("nation stands at 68.5 in 2024Q2 (95% interval 67.")
    assert "+1.0 on 2024Q1" in en
    assert zh.startswith("nation（2024Q2）为 68.5（95% 区间 67.")
    pair = tree.pairs.filter((pl.col("wave") == "2024Q2") & (pl.col("parent") == "nation")).row(0, named=True)
    reach = critical(0.95, np.array([pair["df"]]))[0] * pair["std_error"]
    assert tree.sentences[1].en == (
        "Below it, goods (72.7) is significantly above services (62.2): +10.4 points, 95% interval "
        f"+{pair['difference'] - reach:.1f} to +{pair['difference'] + reach:.1f}, p < .001."
    )
    assert tree.sentences[1].zh.endswith("，p < 0.001。")
    assert "goods" in repr(tree)
    assert "F5" in " ".join(n.say() for n in tree.notes)


def test_kcsi_takes_the_tree_too():
    doubled = {n: v * 2 for n, v in ANSWERS.items()}
    panel = panel_of(doubled, dict.fromkeys(ANSWERS, SEVEN), brand=["A"] * 6 + ["B"] * 6)
    tree = csi.tree(csi.kcsi(panel, ["e1", "e2"], "all", "again"), {"x": ["A", "B"]}, None, "kcsi", small=0)
    assert tree.table["formula"].unique().to_list() == ["F4"]
    assert tree.table["index"][0] == pytest.approx(tree.table["index"][1])


def test_a_brand_that_comes_later_is_not_missed_before(made):
    weights = by_period({"2024Q1": REVENUE, "2024Q2": REVENUE, "2024Q3": {**REVENUE, "F": 5.0}})
    structure = {"all": ["A", "B", "C", "D", "E", "F"]}
    assert '"F" is not in the data' in problems(lambda: csi.tree(made, structure, weights, "joy"), "E-TREE-LEAF")
    tree = csi.tree(made, structure, weights, "joy", brands=["F"])
    assert value(tree, "all", "2024Q2", "missing_weight") == 0.0
    assert tree.table.filter(pl.col("node") == "F").is_empty()


def test_a_wave_without_answers_is_not_jumped_over(made):
    tree = csi.tree(made, NATION, REVENUE, "joy", waves=["2024Q1", "2024Q1b", "2024Q2"], per_year=2)
    assert set(tree.changes["against"]) == {"year"}
    assert set(tree.changes["reference"]) == {"2024Q1"}


# bad input


def test_a_company_in_two_industries(made):
    said = problems(lambda: csi.tree(made, {"x": ["A", "B"], "y": ["B", "C"]}, None, "joy"), "E-TREE")
    assert said == 'structure: "B" stands under "x" and "y". An entity has one place in the tree.'
    table = pl.DataFrame({"brand": ["A", "A", "B", "B"], "industry": ["x", "y", "x", "x"]})
    said = problems(lambda: csi.tree(made, table, None, "joy"), "E-TREE")
    assert '"A" stands under "x" and "y"' in said
    assert '"B" is listed twice' in said


def test_a_parent_without_leaves(made):
    said = problems(lambda: csi.tree(made, {"x": ["A"], "y": [], "z": {}}, None, "joy"), "E-TREE")
    assert 'the parent "y" has no leaves' in said
    assert 'the parent "z" has no leaves' in said


def test_a_circle(made):
    table = pl.DataFrame({"entity": ["A", "x", "y"], "parent": ["x", "y", "x"]})
    assert "is above itself" in problems(lambda: csi.tree(made, table, None, "joy"), "E-TREE")


def test_a_weights_table_with_a_gap(made):
    weights = by_period({"2024Q1": REVENUE, "2024Q2": {k: v for k, v in REVENUE.items() if k not in "BD"}})
    said = problems(lambda: csi.tree(made, NATION, weights, "joy"), "E-TREE-WEIGHT")
    assert 'no weight of "B" for 2024Q2' in said
    assert 'no weight of "D" for 2024Q2' in said


def test_weights_that_are_not_positive_doubled_or_of_nobody_are_told_together(made):
    rows = [("A", "2024", 3.0), ("B", "2024", 0.0), ("C", "2024", -2.0), ("D", "2024", 1.0), ("D", "2024", 2.0)]
    weights = pl.DataFrame([*rows, ("Ee", "2024", 1.0)], schema=["entity", "period", "weight"], orient="row")
    said = problems(lambda: csi.tree(made, NATION, weights, "joy"), "E-TREE-WEIGHT")
    assert 'the weight of "B" in 2024 is 0' in said
    assert 'the weight of "C" in 2024 is -2' in said
    assert '"D" has 2 weights for 2024' in said
    assert '"Ee" has a weight and no place in the tree. Did you mean "E"?' in said


def test_a_company_renamed(made):
    renamed = {"x": ["A", "B", "Dd"]}
    said = problems(lambda: csi.tree(made, renamed, None, "joy"), "E-TREE-LEAF")
    assert 'the leaf "Dd" is not in the data. Did you mean "D"?' in said


def test_periods_that_are_no_waves(made):
    weights = by_period({"2030": REVENUE})
    assert "no period (2030) is that of a wave" in problems(
        lambda: csi.tree(made, NATION, weights, "joy"), "E-TREE-WEIGHT"
    )


def test_other_bad_input(made):
    assert "carrry" in problems(lambda: csi.tree(made, NATION, REVENUE, "joy", missing="carrry"), "E-SETTING")
    assert "2030" in problems(lambda: csi.tree(made, NATION, REVENUE, "joy", base="2030"), "E-WAVE")
    assert "jow" in problems(lambda: csi.tree(made, NATION, REVENUE, "jow"), "E-CONSTRUCT")
    assert "an index" in problems(lambda: csi.tree("x", NATION), "E-SETTING")
    no_number = pl.DataFrame({"entity": ["A"], "weight": ["much"]})
    assert "not a number" in problems(lambda: csi.tree(made, {"x": ["A"]}, no_number, "joy"), "E-TREE-WEIGHT")
    assert "no column entity" in problems(
        lambda: csi.tree(made, {"x": ["A"]}, pl.DataFrame({"firm": ["A"], "weight": [1.0]}), "joy"), "E-TREE-WEIGHT"
    )


def test_what_is_new_is_said_with_the_change_like_for_like():
    """The parent moves by -17.7 with B, which comes in at 20, and by +1 over what both waves have."""
    means = {k: v for k, v in TWO.items() if k[0] in "AC"}
    means["B", "2024Q2"] = 20.0
    weights = by_period({"2024Q1": {"A": 1.0, "C": 1.0}, "2024Q2": {"A": 1.0, "B": 1.0, "C": 1.0}})
    tree = csi.tree(index_of(means), {"x": ["A", "B", "C"]}, weights, "joy")
    assert tree.entered["2024Q1"] == ()
    (told,) = tree.entered["2024Q2"]
    assert told in tree.sentences
    head = "New in 2024Q2: B. Change on 2024Q1, in brackets like for like (the leaves of both waves, weights of 2024Q2)"
    assert told.en == f"{head}: x −17.7 (+1.0)."
    assert told.zh.startswith("2024Q2 新进入：B。较 2024Q1 的变化")
    row = tree.changes.row(0, named=True)
    cells = list(index_of(means).cells.select("brand", "wave").iter_rows())
    at = np.array([cells.index((b, w)) for b in "AC" for w in ("2024Q1", "2024Q2")])
    alike = contrast(index_of(means), 1, at, np.array([-0.5, 0.5, -0.5, 0.5]))
    assert row["like_std_error"] == pytest.approx(alike.std_error, rel=1e-9)
    back = csi.tree(index_of({**TWO, ("F", "2024Q1"): 50.0}), {"x": ["A", "F"]}, None, "joy", missing="renormalise")
    assert back.entered["2024Q2"][0].en.startswith("Last there in 2024Q1: F. ")


def test_highest_and_lowest_are_what_tests_separate(made):
    """Five children: p-values are those of the contrasts, by Holm over the ten pairs of the wave."""
    means = {("A", "1"): 70.0, ("B", "1"): 69.9, ("C", "1"): 50.0, ("D", "1"): 30.0, ("E", "1"): 10.0}
    index = index_of(means)
    tree = csi.tree(index, {"x": [*"ABCDE"]}, None, "joy")
    assert tree.sentences[1].en == "No single highest below it: A (70.0) does not differ significantly from B (69.9)."
    assert tree.sentences[2].zh == "其下最低为E（10.0）。"
    assert tree.pairs.height == 10
    pair = tree.pairs.filter((pl.col("above") == "B") & (pl.col("below") == "C")).row(0, named=True)
    found = contrast(index, 1, np.array([1, 2]), np.array([1.0, -1.0]))
    assert (pair["difference"], pair["std_error"]) == pytest.approx((found.estimate, found.std_error), rel=1e-9)
    assert pair["p_adjusted"] >= pair["p_value"]
    assert csi.tree(made, NATION, REVENUE, "joy").pairs["evidence"].unique().to_list() == ["not tested"]


def test_what_the_gate_bars_is_not_called_higher_or_changed(made):
    """A stand-in for the gate that finds A unlike all others, and its own waves unlike."""

    def evidence(_, i, j):
        cells = {made.cells["brand"][i], made.cells["brand"][j]}
        return Evidence("not comparable", ("b",), -3.0) if "A" in cells else Evidence("comparable")

    gate = SimpleNamespace(places=rows_of_index(made), cell_of=lambda _, c: c, evidence=evidence)
    tree = csi.tree(made, NATION, REVENUE, "joy", gate=gate)
    assert "+1.0 on 2024Q1 (not comparable throughout)" in tree.sentences[0].en
    assert tree.sentences[1].en == (
        "Below it, goods (72.7) and services (62.2) are not comparable throughout (b), so neither is called higher."
    )
    assert not tree.pairs["significant"].any()
    sure = dict(tree.changes.filter(pl.col("wave") == "2024Q2").select("node", "evidence").rows())
    assert (sure["cars"], sure["banks"]) == ("not comparable", "comparable")
    assert not tree.changes.filter(pl.col("node") == "cars")["significant"].any()


def test_few_answers_are_marked(made):
    assert set(csi.tree(made, NATION, REVENUE, "joy", flagged=40).table["flag"]) == {None}
    table = csi.tree(made, NATION, REVENUE, "joy", flagged=100).table
    assert set(table.filter(pl.col("n") < 100)["flag"]) == {"small"}
    assert set(table.filter(pl.col("n") >= 100)["flag"]) == {None}
