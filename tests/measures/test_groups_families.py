"""What MICOM and MGA say where permutations are too few for the family, and what rests on what."""

from __future__ import annotations

import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.compared import permutations_needed
from csi.measures.group_parameters import parameters
from tests.measures.grouped_answers import answers, fitted

SMALL = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; b ~ a"


def codes(found):
    return {n.code for n in found.notes}


@pytest.fixture(scope="module")
def seven():
    """Seven groups, 21 pairs; in the last `a` is composed quite differently."""
    frame = answers(dict.fromkeys("tuvwxyz", 60))
    turned = [pl.when(pl.col("g") == "z").then(-pl.col(c)).otherwise(c).alias(c) for c in ("a1", "a2")]
    return csi.fit(SMALL, frame.with_columns(turned), csi.PLS(), by="g")


def test_too_few_permutations_test_nothing_and_confirm_nothing(seven) -> None:
    found = csi.micom(seven, permutations=199)  # 21 / 200 > .05
    assert set(found.omnibus["invariance"]) == set(found.table["invariance"]) == {"untested"}
    assert found.table["p_c_holm"].min() >= 0.05
    for lang, said, note in (("en", "not tested", "at least 420 usable"), ("zh", "未检验", "至少需要 420 次")):
        assert all(said in t.say(lang) for t in found.sentences.values())
        assert not any("full" in t.en or "完全" in t.zh for t in found.sentences.values())
        assert note in next(n.say(lang) for n in found.notes if n.code == "W-MICOM-FEW")


def test_the_number_that_is_not_given_suffices_for_the_pairs(seven) -> None:
    assert permutations_needed(21, 0.05) == 420
    enough = csi.micom(seven, permutations=420)
    assert enough.failing() == {"a"}
    usual = csi.micom(seven, alpha=0.01)  # 21 pairs at .01 need 2100
    assert usual.permutations == 2250
    assert usual.failing() == {"a"}
    assert "W-MICOM-FEW" not in codes(usual) | codes(enough)


def test_what_rests_on_an_untested_construct_is_withheld_unless_asked_for(seven) -> None:
    found = csi.mga(seven, permutations=199, bootstraps=0)
    paths = found.table.filter(kind="path")
    assert set(paths["reason"]) == {"R-UNTESTED"}
    assert paths["difference"].null_count() == paths.height
    assert found.distances["value"].null_count() == found.distances.height
    assert "R-UNTESTED" in found.reasons
    assert "not tested" in text(found)
    assert "未检验" in text(found, "zh")
    anyway = csi.mga(seven, permutations=199, bootstraps=0, anyway=True)
    assert anyway.table["p_permutation"].null_count() == 0
    assert anyway.distances["value"].null_count() == 0


def test_a_family_too_large_for_the_permutations_says_so(seven) -> None:
    found = csi.mga(seven, permutations=999, bootstraps=0, anyway=True)
    loadings = found.table.filter(kind="loading")
    assert loadings.height == 21 * 6
    assert loadings["p_holm"].min() >= 0.05
    en, zh = (
        next(s.say(lang) for s in found.sentences if head in s.say(lang))
        for lang, head in (("en", "Loadings"), ("zh", "载荷"))
    )
    assert "cannot be told apart from chance" in en
    assert "0 of" not in en
    assert "不足以" in zh
    note = next(n for n in found.notes if n.code == "W-MGA-FEW")
    assert "loadings (126 tests: 2520)" in note.say("en")
    assert "载荷（126 项检验：2520 次）" in note.say("zh")


@pytest.mark.slow
def test_paths_of_many_pairs_are_told_apart_by_default() -> None:
    """Seven groups of three paths: 63 differences need 1260 permutations at .05."""
    frame = pl.concat([answers(dict.fromkeys("tuvwxy", 80), path=0.8), answers({"z": 80}, path=-0.8)])
    found = csi.mga(fitted(frame), bootstraps=0)
    assert found.permutations == 1500
    hits = found.table.filter(pl.col("p_holm") < 0.05, kind="path", lhs="b")
    assert hits.height == 6
    assert set(hits["group_2"]) == {"z"}
    assert "W-MGA-FEW" in codes(found)  # loadings and weights, 168 tests each
    assert "paths" not in next(n.say("en") for n in found.notes if n.code == "W-MGA-FEW")


def test_paths_rest_on_what_stands_beside_them() -> None:
    """A path on all predictors of its outcome, a total effect on those of every outcome on its chains."""
    model = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; s =~ s1 + s2; s ~ a + b"
    est = csi.fit(model, answers({"x": 60, "y": 60}), csi.PLS(), by="g")
    assert {p.needs for p in parameters(est) if p.kind == "path"} == {frozenset("abs")}
    longer = "a =~ a1 + a2; c =~ a3; b =~ b1 + b2; d =~ b3; s =~ s1 + s2; b ~ a + c; s ~ b + d"
    est = csi.fit(longer, answers({"x": 60, "y": 60}), csi.PLS(), by="g")
    total = next(p for p in parameters(est) if p.kind == "total" and p.rhs == "a")
    assert total.needs == frozenset("acbds")


def test_a_path_beside_a_failing_predictor_and_distances_are_withheld() -> None:
    frame = answers({"east": 150, "west": 150}, weights=((1.0, 1.0, 0.1), (0.1, 1.0, 1.0)))
    found = csi.mga(fitted(frame), permutations=199, bootstraps=0)
    assert found.micom.failing() == {"a"}
    beside = found.table.filter(kind="path", lhs="s", rhs="b").row(0, named=True)
    assert (beside["difference"], beside["reason"]) == (None, "R-COMPOSITION")
    assert set(found.distances["reason"]) == {"R-COMPOSITION"}
    assert found.distances["p_value"].null_count() == found.distances.height
