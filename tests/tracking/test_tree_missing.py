"""The aggregation tree with missing leaves: the audit, rules for what is absent, chain links, new brands."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.tracking.contrasts import joint_covariance

from .trees import LEVELS, NATION, REVENUE, TWO, index_of, problems, value


@pytest.fixture(scope="module")
def made():
    return index_of(TWO)


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
