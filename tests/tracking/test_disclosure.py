"""What a release prints never determines the mean of a cell below the base: an attack by linear algebra.

A cell that is printed singly is known. So an attacker is left with how every printed number moves with the cells that
are not: a cell is found out where its unit vector lies in the space of these rows.
"""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.reporting.soundness import suppressed
from csi.survey.bases import Bases
from csi.tracking import tree as made_by
from csi.tracking.contrasts import contrast
from csi.tracking.sector import sector

from .trees import index_of

SMALL, STEP = 20, 1e-5
WAVES = ("1", "2", "3")
BRANDS = tuple("ABCDEFGH")
STRUCTURES = {
    "two levels": {"nation": {"cars": ["A", "B", "C"], "food": ["D", "E"], "rest": ["Others"]}},
    "three levels": {"nation": {"goods": {"cars": ["A", "B"], "food": ["C"]}, "services": {"banks": ["D", "Others"]}}},
    "no others": {"nation": {"goods": {"cars": ["A", "B"], "food": ["C", "D"]}, "one": {"air": ["E"], "x": [*"FGH"]}}},
}


def drawn(seed):
    """An index of brands and waves, some of few answers, some without any."""
    rng = np.random.default_rng(seed)
    cells = [(b, w) for w in WAVES for b in BRANDS if rng.uniform() > 0.1]
    n = {key: int(rng.choice([5, 9, 14, 40, 60], p=[0.15, 0.15, 0.15, 0.35, 0.2])) for key in cells}
    return index_of({key: rng.uniform(40, 80) for key in cells}, n, seed=seed), rng


def weights(rng, structure):
    """Weights of every leaf, another one in every wave."""
    leaves = [x for x in (*BRANDS, "Others") if f"'{x}'" in str(structure)]
    rows = [(b, w, rng.uniform(1, 4)) for b in leaves for w in WAVES]
    return pl.DataFrame(rows, schema=["entity", "period", "weight"], orient="row")


def printed(index, structure, given, missing):
    """All numbers of a release that are not counts."""
    tracked = csi.track(index, "joy", waves=WAVES, per_year=2, small=SMALL, flagged=0)
    tree = csi.tree(
        *(index, structure, given, "joy"), missing=missing, base="2", others="Others", per_year=2, waves=WAVES,
        small=SMALL, brands=BRANDS,
    )  # fmt: skip
    views = [csi.smooth(index, "joy", waves=WAVES, small=SMALL).table, sector(index, "joy", small=SMALL).table]
    tables = [suppressed(index.table, Bases(SMALL, 0)), tracked.table, tracked.changes.table, tree.table, tree.changes]
    tables += [tree.audit, tree.pairs, csi.shrunken(index, "joy", small=SMALL, flagged=0).table, *views]
    columns = [t[c] for t in tables for c, kind in t.schema.items() if kind == pl.Float64]
    return np.concatenate([c.fill_null(-1.0).fill_nan(-2.0).to_numpy() for c in columns])


def moved(index, cells):
    """The index where cells lie a little higher."""
    values = index.values.copy()
    values[cells] += STEP
    return replace(index, values=values, table=index.table.with_columns(index=values.reshape(-1)))


def found_out(seed, structure, missing):
    """How the numbers move with small cells in the structure and outside it, and which of these are told."""
    index, rng = drawn(seed)
    given = weights(rng, structure)
    small = np.flatnonzero(index.n_of(1) < SMALL)
    outside = np.array([f"'{b}'" not in str(structure) for b in index.cells["brand"].gather(small.tolist())])
    start = printed(index, structure, given, missing)
    assert small[~outside].size > 1
    inside = printed(moved(index, small[~outside]), structure, given, missing) - start
    if not outside.any():
        return inside, inside, []
    parts = [printed(moved(index, [c]), structure, given, missing) - start for c in small[outside]]
    _, size, right = np.linalg.svd(np.column_stack(parts) / STEP, full_matrices=False)
    space = right[size > 1e-5]
    told = [int(c) for k, c in enumerate(small[outside]) if np.linalg.norm(space[:, k]) > 1 - 1e-4]
    return inside, np.concatenate(parts), told


@pytest.mark.parametrize(("missing", "seed"), [("renormalise", 4), ("carry", 5), ("impute", 6)])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_no_cell_below_the_base_is_determined(structure, missing, seed):
    inside, outside, told = found_out(seed, STRUCTURES[structure], missing)
    assert np.abs(inside).max() == 0.0  # not in any number
    assert told == []
    assert (np.abs(outside).max() > 0.0) == ("Others" in str(STRUCTURES[structure]))  # some are, together


def test_the_attack_finds_what_is_hidden_inside_a_total(monkeypatch):
    monkeypatch.setattr(made_by, "pooled", lambda n, small: n > 0)
    inside, _, told = found_out(1, STRUCTURES["two levels"], "renormalise")
    assert np.abs(inside).max() > 0.0
    assert told


def test_brands_outside_are_pooled_where_they_are_two_and_enough():
    means = {(b, "1"): v for b, v in zip("ABCDE", (70.0, 60.0, 80.0, 65.0, 55.0), strict=True)}
    n = {("A", "1"): 60, ("B", "1"): 40, ("C", "1"): 80, ("D", "1"): 12, ("E", "1"): 18}
    ask = {"structure": {"x": ["A", "B", "Rest"]}, "construct": "joy", "others": "Rest", "small": 30}
    both = csi.tree(index_of(means, n), **ask)
    rest = both.audit.filter(parent="Rest")
    assert rest.select("child", "n", "treatment").rows() == [("C", 80, "seen"), ("too few answers", 30, "together")]
    assert rest["index"].to_list() == pytest.approx([80.0, (12 * 65 + 18 * 55) / 30])
    assert rest["contribution"].sum() == pytest.approx(rest["parent_index"][0])
    assert not [note for note in both.notes if note.code == "N-TREE-SMALL"]
    alone = csi.tree(index_of(means, n | {("E", "1"): 17}), **ask)
    assert alone.table.filter(node="Rest").select("index", "n").row(0) == (pytest.approx(80.0), 80)
    said = next(note for note in alone.notes if note.code == "N-TREE-SMALL")
    assert said.say("en").startswith("D, 1: 12 answers, below the base of 30; not part of Rest. E, 1: 17 answers, ")


def test_members_of_all_others_are_compared_where_both_waves_have_them():
    """Rest is C and D, then D and E, then E alone."""
    means = {(b, w): v + d for w, d in (("1", 0.0), ("2", 1.0), ("3", 2.0)) for b, v in (("A", 70.0), ("D", 65.0))}
    means |= {("C", "1"): 20.0, ("E", "2"): 90.0, ("E", "3"): 91.0}
    n = dict.fromkeys(means, 40) | {("D", "3"): 12}
    index = index_of(means, n)
    ask = {"structure": {"x": ["A", "Rest"]}, "construct": "joy", "others": "Rest", "small": 30, "base": "1"}
    tree = csi.tree(index, **ask, against=["previous"])
    second, third = tree.changes.filter(wave="2").row(0, named=True), tree.changes.filter(wave="3").row(0, named=True)
    assert (second["change"], second["like_for_like"]) == pytest.approx((18.25, 1.0))
    assert (second["tested"], second["significant"]) == ("like for like", False)
    cells = list(index.cells.select("brand", "wave").iter_rows())
    at = np.array([cells.index((b, w)) for b in "AD" for w in "12"])
    alike = contrast(index, 1, at, np.array([-0.5, 0.5, -0.5, 0.5]))
    assert second["like_std_error"] == pytest.approx(alike.std_error, rel=1e-9)
    assert second["statistic"] == pytest.approx(1.0 / alike.std_error)
    assert third["like_for_like"] == pytest.approx(1.0)  # A and E; D has too few answers
    chained = tree.table.filter(node="x", wave="2")["rebased"][0]
    assert chained == pytest.approx(100 * (71 + 66) / (70 + 65))
    left = {k: v for k, v in n.items() if k != ("D", "2")} | {("D", "2"): 12}
    alone = csi.tree(index_of(means, left), **ask, against=["previous"])
    row = alone.changes.filter(wave="2").row(0, named=True)
    assert (row["change"], row["like_for_like"]) == pytest.approx((24.25, 1.0))  # A alone


def test_a_parent_without_a_common_member_has_no_change():
    means = {("A", "1"): 70.0, ("A", "2"): 71.0, ("B", "1"): 50.0, ("C", "2"): 80.0}
    tree = csi.tree(index_of(means), {"x": ["A"], "y": ["B", "C"]}, None, "joy")
    row = tree.changes.filter(node="y").row(0, named=True)
    assert [row[c] for c in ("change", "p_value", "significant", "tested")] == [None] * 4
    assert (row["reason"], row["reason_zh"]) == ("no member in common", "没有共有成员")
    assert any("y stands at 80.0 in 2 " in s.en and "not compared with 1: no member" in s.en for s in tree.sentences)
    assert any("不与 1 比较：两期没有共有成员" in s.zh for s in tree.sentences)
    assert [note.code for note in tree.notes].count("N-TREE-LIKE") == 1


def test_a_change_of_a_parent_says_what_its_members_do():
    means = {(b, w): v + (1.0 if w == "2" else 0.0) for w in "12" for b, v in (("A", 70.0), ("B", 60.0), ("C", 80.0))}
    n = dict.fromkeys(means, 40) | {("C", "1"): 12}
    tree = csi.tree(index_of(means, n), {"x": ["A", "B", "C"]}, None, "joy", small=30, base="1")
    change = tree.changes.row(0, named=True)
    assert (change["change"], change["like_for_like"], change["composition"]) == pytest.approx((6.0, 1.0, 5.0))
    assert tree.table.filter(node="x", wave="2")["rebased"][0] == pytest.approx(100 * 66 / 65)
    assert "+6.0 on 1 (its members changed; like for like +1.0, not significant)" in tree.sentences[0].en
    assert "较 1 +6.0（成员有变；同口径 +1.0，不显著）" in tree.sentences[0].zh
    carried = csi.tree(index_of(means, {**n, ("C", "1"): 40, ("C", "2"): 12}), {"x": ["A", "B", "C"]}, None, "joy",
                       small=30, missing="carry")  # fmt: skip
    row = carried.table.filter(node="C", wave="2").row(0, named=True)
    assert (row["index"], row["treatment"], row["n"]) == (pytest.approx(80.0), "carried", 12)
    said = next(note for note in carried.notes if note.code == "N-TREE-SMALL")
    assert said.say("en") == "C, 2: 12 answers, below the base of 30; its last value stands in x."
    assert said.say("zh") == "C（2）：12 份答卷，不足最低样本量 30，以其最近数值计入x。"


def test_a_rebased_index_goes_on_after_a_gap():
    means = {(b, w): v + 2.0 * int(w) for w in "1234" for b, v in (("A", 70.0), ("B", 60.0))}
    n = dict.fromkeys(means, 40) | {("A", "2"): 12, ("A", "3"): 12, ("B", "3"): 12}
    tree = csi.tree(index_of(means, n), {"x": ["A", "B"]}, {"A": 3, "B": 1}, "joy", small=30, base="1")
    chain = {(r["node"], r["wave"]): r["rebased"] for r in tree.table.iter_rows(named=True)}
    assert chain["A", "2"] is chain["A", "3"] is chain["x", "3"] is None
    assert chain["A", "4"] == pytest.approx(100 * 78 / 72)
    assert chain["B", "4"] == pytest.approx(100 * 68 / 62)
    # of both waves before it has a leaf in common with: B alone from the first to the second, and to the fourth
    assert chain["x", "2"] == pytest.approx(100 * 64 / 62)
    assert chain["x", "4"] == pytest.approx(chain["x", "2"] * 68 / 64)
    back = csi.tree(index_of(means, n), {"x": ["A", "B"]}, {"A": 3, "B": 1}, "joy", small=30, base="4").table
    assert back.filter(node="A", wave="1")["rebased"][0] == pytest.approx(100 * 72 / 78)
    assert tree.table.filter(node="A", wave="4")["rebased_std_error"][0] > 0
