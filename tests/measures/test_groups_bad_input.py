"""Groups that cannot be compared, and settings that make no sense: each is told."""

from __future__ import annotations

import polars as pl
import pytest

import csi
from csi.measures.compared import compared
from tests.measures.grouped_answers import MODEL, answers, fitted


def test_a_group_with_too_few_rows_is_left_out_and_named() -> None:
    found = csi.micom(fitted(answers({"x": 60, "y": 60, "tiny": 7})), permutations=99)
    assert found.groups == ("x", "y")
    assert any("tiny" in n.text.en and "7 rows are too few" in n.text.en for n in found.notes)
    with pytest.raises(csi.Problems, match=r"(?s)two groups or more.*tiny.*7 rows are too few"):
        csi.micom(fitted(answers({"x": 60, "tiny": 7})), permutations=99)


def test_a_group_that_is_constant_on_an_item_is_named_with_the_item() -> None:
    frame = answers({"x": 60, "y": 60, "z": 60})
    flat = frame.with_columns(b2=pl.when(pl.col("g") == "z").then(4.0).otherwise("b2"))
    found = csi.mga(fitted(flat), permutations=99, bootstraps=0)
    assert found.micom.groups == ("x", "y")
    assert any("z" in n.text.en and "b2" in n.text.en for n in found.notes)
    with pytest.raises(csi.Problems, match=r"(?s)group \"z\".*b2"):
        csi.mga(fitted(flat.filter(pl.col("g") != "x")), permutations=99)


def test_one_group_only() -> None:
    with pytest.raises(csi.Problems, match="there is one"):
        csi.micom(fitted(answers({"x": 60})))


def test_rows_without_a_group_are_counted() -> None:
    frame = answers({"x": 60, "y": 60, "z": 12}).with_columns(g=pl.when(pl.col("g") != "z").then("g"))
    est = fitted(frame)
    assert not any("none of its" in n.text.en for n in est.notes)
    found = csi.micom(est, permutations=99)
    assert found.groups == ("x", "y")
    assert any("12 rows have no group" in n.text.en for n in found.notes)


def test_a_group_without_a_name_is_said_to_be_absent() -> None:
    frame = answers({"x": 60, "y": 60, "z": 12}).with_columns(g=pl.when(pl.col("g") != "z").then("g"))
    est = fitted(frame)
    found = csi.micom(est, permutations=99)
    told = [n for n in (*est.notes, *found.notes) if n.code in {"W-GROUP-LEFT", "W-BASE"}]
    assert len(told) == 2
    for n in told:
        assert "None" not in n.text.en + n.text.zh
        assert "(absent)" in n.text.en
        assert "（缺失）" in n.text.zh


def test_an_item_cannot_make_the_groups() -> None:
    with pytest.raises(csi.Problems, match="it is an item of the model") as caught:
        csi.fit(MODEL, answers({"x": 60, "y": 60}), csi.PLS(), by="a1")
    assert [(p.code, p.where) for p in caught.value.problems] == [("E-SETTING", 'by = "a1"')]


def test_permutations_with_em_are_told_to_be_slow() -> None:
    frame = answers({"x": 60, "y": 60}).with_columns(a1=pl.when(pl.col("a1") < 1).then("a1"))
    for missing, told in (("em", True), ("mean", False)):
        est = csi.fit("a =~ a1 + a2; b =~ b1 + b2; b ~ a", frame, csi.PLS(missing=missing), by="g")
        found = csi.micom(est, permutations=99)
        assert any(n.code == "N-PERMUTED-EM" for n in found.notes) is told


def test_weights_that_sum_to_zero_in_a_group() -> None:
    frame = answers({"x": 60, "y": 60}).with_columns(w=pl.when(pl.col("g") == "x").then(1.0).otherwise(0.0))
    with pytest.raises(csi.Problems, match="60 of 120 weights are zero"):
        fitted(frame, weight="w")


def test_bad_settings_are_told_at_once() -> None:
    est = fitted(answers({"x": 60, "y": 60}))
    with pytest.raises(csi.Problems) as caught:
        csi.micom(est, permutations=10, seed=-1, alpha=0.9, items="raw")
    assert [p.where for p in caught.value.problems] == ["permutations", "seed", "alpha", "items"]
    with pytest.raises(csi.Problems, match="too few for standard errors"):
        csi.mga(est, bootstraps=10)


def test_estimates_without_composites_or_rows() -> None:
    frame = answers({"x": 60, "y": 60})
    factors = csi.fit(MODEL, frame, csi.SEM(), by="g")
    with pytest.raises(csi.Problems, match=r"csi\.invariance"):
        csi.micom(factors)
    bare = csi.fit(MODEL, fitted(answers({"x": 60, "y": 60})).moments.without_rows(), csi.PLS())
    with pytest.raises(csi.Problems, match="rows"):
        csi.mga(bare)


def test_too_many_groups() -> None:
    with pytest.raises(csi.Problems, match="at most 40 groups"):
        compared(fitted(answers({f"g{k:02d}": 12 for k in range(42)})))
