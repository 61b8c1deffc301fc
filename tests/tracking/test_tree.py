"""The aggregation tree: by hand, missing leaves, chain links, covariances, the audit, and bad input."""

import re

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.tracking.contrasts import contrast, joint_covariance

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


def index_of(means, n=40, **keys):
    frame = rows_of(means, n).with_columns(**keys)
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


def test_carry_adds_the_mean_squared_change_to_the_variance():
    index = index_of(GAP)
    tree = csi.tree(index, NATION, REVENUE, "joy", missing="carry")
    assert value(tree, "cars", "2024Q2") == pytest.approx((30 * 71 + 10 * 60) / 40)
    assert (value(tree, "B", "2024Q2", "treatment"), value(tree, "B", "2024Q2", "age")) == ("carried", 1)
    j = index.constructs.index("joy")
    own = {
        tuple(r): v
        for r, v in zip(
            index.cells.select("brand", "wave").iter_rows(),
            np.diagonal(joint_covariance(index, j, np.arange(index.cells.height))),
            strict=True,
        )
    }
    # all others moved by 1 point: the mean squared change is 1
    variance = 0.75**2 * own["A", "2024Q2"] + 0.25**2 * (own["B", "2024Q1"] + 1.0)
    assert value(tree, "cars", "2024Q2", "std_error") == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert any(n.code == "W-TREE-CARRIED" and "1.00" in n.say() for n in tree.notes)


def test_a_value_carried_for_two_waves_says_its_age():
    three = {**TWO, **{(b, "2024Q3"): v for b, v in LEVELS.items()}}
    gone = {k: v for k, v in three.items() if k[0] != "B" or k[1] == "2024Q1"}
    tree = csi.tree(index_of(gone), NATION, REVENUE, "joy", missing="carry")
    assert [value(tree, "B", w, "age") for w in ("2024Q1", "2024Q2", "2024Q3")] == [None, 1, 2]
    assert value(tree, "B", "2024Q3", "std_error") > value(tree, "B", "2024Q2", "std_error")


def test_impute_by_mean_leaf_and_wave():
    # an additive table but for one point of interaction: the prediction of E in the third wave is its least squares
    waves = ("1", "2", "3")
    table = {("A", w): 60.0 + t for t, w in enumerate(waves)}
    table |= {("B", w): 70.0 + t + (2.0 if t == 1 else 0.0) for t, w in enumerate(waves)}
    table |= {("E", "1"): 50.0, ("E", "2"): 51.0}
    index = index_of(table)
    tree = csi.tree(index, {"x": ["A", "B", "E"]}, None, "joy", missing="impute")
    design, y = [], []
    for (b, w), v in table.items():
        design.append([1.0, *(float(b == o) for o in "BE"), *(float(w == o) for o in "23")])
        y.append(v)
    beta, residual, *_ = np.linalg.lstsq(np.array(design), np.array(y), rcond=None)
    assert value(tree, "E", "3") == pytest.approx(float(np.array([1, 0, 1, 0, 1]) @ beta), abs=1e-9)
    assert value(tree, "E", "3", "treatment") == "imputed"
    place = np.array([1, 0, 1, 0, 1.0])
    leverage = float(place @ np.linalg.inv(np.array(design).T @ np.array(design)) @ place)
    mean_square = (1 + leverage) * float(residual[0]) / (len(y) - 5)
    error, df = (value(tree, "E", "3", c) for c in ("std_error", "df"))
    assert error > np.sqrt(mean_square)
    sampling = error**2 - mean_square
    # Satterthwaite: 8 observations and 5 parameters leave 3; the sampling part has those of the cells behind the fit
    assert df == pytest.approx(error**4 / (sampling**2 / (40 * 8 - 8) + mean_square**2 / (len(y) - 5)), rel=1e-6)
    assert any(n.code == "W-TREE-IMPUTED" for n in tree.notes)


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


def test_small_leaves_count_and_are_shown_together():
    index = index_of(TWO, SMALL)
    tree = csi.tree(index, {"all": ["A", "B", "C", "D", "E"]}, REVENUE, "joy", small=20)
    assert value(tree, "B", "2024Q1") is None
    assert value(tree, "B", "2024Q1", "flag") == "suppressed"
    assert value(tree, "B", "2024Q1", "reason_zh") == "样本量不足 20，不予发布。"
    together = tree.table.filter((pl.col("node") == "All others") & (pl.col("wave") == "2024Q1")).row(0, named=True)
    assert together["index"] == pytest.approx((10 * 60 + 15 * 55) / 25)
    assert together["n"] == 24
    whole = csi.tree(index, {"all": ["A", "B", "C", "D", "E"]}, REVENUE, "joy", small=0)
    assert value(tree, "all", "2024Q1") == value(whole, "all", "2024Q1")
    sums = tree.audit.group_by("wave").agg(pl.col("contribution").sum(), pl.col("parent_index").first())
    np.testing.assert_allclose(sums["contribution"], sums["parent_index"], atol=1e-10)
    assert "B" not in tree.audit["child"].to_list()


def test_all_cells_under_the_base():
    index = index_of(TWO, 12)
    dropped = csi.tree(index, NATION, REVENUE, "joy", small=30, small_leaves="drop")
    assert dropped.table["index"].null_count() == dropped.table.height
    assert value(dropped, "nation", "2024Q1", "reason") == "no leaf has a value here."
    assert dropped.sentences == ()
    used = csi.tree(index, NATION, REVENUE, "joy", small=30)
    assert value(used, "nation", "2024Q1") is not None
    assert value(used, "A", "2024Q1") is None


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
    p, adjusted = tree.changes["p_value"].to_numpy(), tree.changes["p_holm"].to_numpy()
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
    assert tree.sentences[1].en.startswith("Highest below it: goods (72.7); lowest: services (62.")
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
