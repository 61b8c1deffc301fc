"""The tree across breaks: nothing is compared without a link; with one it and its error go up to every parent."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems

from .trees import LEVELS, NATION, REVENUE, index_of, value

THREE = {(b, w): v + d for w, d in (("2023", 0.0), ("2024", 2.0), ("2025", -8.0)) for b, v in LEVELS.items()}
"""The form of 2025 prints ten points fewer than that of 2024."""


@pytest.fixture(scope="module")
def made():
    return index_of(THREE)


def grown(made, **keys):
    return csi.tree(made, NATION, REVENUE, "joy", per_year=1, **keys)


def moved(tree, wave, node="nation"):
    return tree.changes.filter((pl.col("node") == node) & (pl.col("wave") == wave)).row(0, named=True)


def test_nothing_is_compared_or_chained_across_a_break_without_a_link(made):
    tree = grown(made, breaks=[csi.Break("2025", "scale")], base="2023")
    row = moved(tree, "2025")
    assert row["change"] is None
    assert row["p_value"] is None
    assert row["like_for_like"] is None
    assert "the answer scale changed in 2025" in row["reason"]
    assert "2025 期答题量表改变" in row["reason_zh"]
    assert moved(tree, "2024")["change"] == pytest.approx(2.0)
    assert value(tree, "nation", "2024", "rebased") > 100
    assert value(tree, "nation", "2025", "rebased") is None
    assert value(tree, "nation", "2025") == pytest.approx(value(tree, "nation", "2023") - 8.0)
    assert {"N-BREAK", "N-TREE-CHAIN"} <= {n.code for n in tree.notes}


def test_the_chain_ends_at_the_break_from_either_side(made):
    tree = grown(made, breaks=[csi.Break("2024", "mode")], base="2025")
    assert value(tree, "nation", "2024", "rebased") > 100
    assert value(tree, "nation", "2023", "rebased") is None


def test_a_link_moves_the_earlier_wave_and_its_error_enters_every_parent(made):
    lifted = csi.link(method="given", shift=-10.0, std_error=3.0)
    plain, linked = grown(made, base="2023"), grown(made, base="2023", breaks=[csi.Break("2025", "scale", link=lifted)])
    for node in ("nation", "cars"):
        before, after = moved(plain, "2025", node), moved(linked, "2025", node)
        assert before["change"] == pytest.approx(-10.0)
        assert after["change"] == pytest.approx(0.0, abs=1e-9)  # what the new form takes away is no change
        assert after["std_error"] == pytest.approx(np.sqrt(before["std_error"] ** 2 + 9.0), rel=1e-9)
        assert (after["link"], before["link"]) == ("given", None)
        assert moved(linked, "2024", node)["std_error"] == pytest.approx(moved(plain, "2024", node)["std_error"])
    nation = value(plain, "nation", "2023")
    assert value(linked, "nation", "2023") == pytest.approx(nation)  # the level stays that of its own form
    ratio = 100.0 * value(plain, "nation", "2025") / (nation - 10.0)
    assert value(linked, "nation", "2025", "rebased") == pytest.approx(ratio)
    errors = [value(t, "nation", "2025", "rebased_std_error") for t in (linked, plain)]
    assert errors[0] > errors[1]
    assert "N-BREAK-LINKED" in {n.code for n in linked.notes}


def test_a_parent_of_one_company_changes_as_the_company_does(made):
    breaks = [csi.Break("2025", "scale", link=csi.link(method="given", shift=-9.0, slope=0.98, std_error=1.0))]
    tree = grown(made, breaks=breaks)
    company = csi.changes(made, "joy", per_year=1, breaks=breaks).table
    company = company.filter((pl.col("brand") == "C") & (pl.col("wave") == "2025")).row(0, named=True)
    food = moved(tree, "2025", "food")
    for column in ("change", "std_error", "df", "p_value"):
        assert food[column] == pytest.approx(company[column], rel=1e-9), column


def test_nothing_is_carried_across_a_break_without_a_link_and_a_linked_value_is_in_the_new_form():
    gone = {key: mean for key, mean in THREE.items() if key != ("A", "2025")}
    index = index_of(gone)
    bare = grown(index, missing="carry", breaks=[csi.Break("2025", "scale")])
    assert value(bare, "A", "2025") is None
    assert value(bare, "A", "2025", "treatment") == "missing"
    link = csi.link(method="given", shift=-10.0, std_error=1.0)
    linked = grown(index, missing="carry", breaks=[csi.Break("2025", "scale", link=link)])
    assert value(linked, "A", "2025") == pytest.approx(THREE["A", "2024"] - 10.0)
    assert value(linked, "A", "2025", "treatment") == "carried"


def test_a_break_that_is_at_no_wave(made):
    with pytest.raises(Problems, match="2029"):
        grown(made, breaks=[csi.Break("2029")])
