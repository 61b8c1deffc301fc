"""The aggregation tree: few answers, structures, what it says, and bad input."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.inference.linearised import critical
from csi.tracking.contrasts import contrast
from csi.tracking.gate_applied import rows_of as rows_of_index
from csi.tracking.gate_shown import Evidence

from .test_formulas import ANSWERS, SEVEN, panel_of
from .test_tree_missing import by_period
from .trees import LEVELS, MODEL, NATION, REVENUE, TWO, index_of, problems, rows_of, value


@pytest.fixture(scope="module")
def made():
    return index_of(TWO)


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
