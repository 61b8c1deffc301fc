"""Item analysis: hand cases, and a value with its reason (or one clear message) for whatever odd items come."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.measures.consistency.one_factor import minres, omega_standardised
from csi.measures.item_analysis.items_words import REASONS
from csi.measures.item_analysis.left_over import residual_correlations
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.read import read_panel


def answers(n: int = 300, k: int = 5, seed: int = 1, noise: float = 0.8) -> pl.DataFrame:
    """Answers 1 to 5 to k items of one factor."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    return pl.DataFrame({f"q{j}": np.clip(np.round(3 + f + noise * rng.normal(size=n)), 1, 5) for j in range(1, k + 1)})


def row(found: csi.measures.item_analysis.items.Items, item: str) -> dict[str, object]:
    return found.table.filter(item=item).row(0, named=True)


@pytest.fixture(scope="module")
def five() -> pl.DataFrame:
    return answers()


@pytest.fixture(scope="module")
def plain(five: pl.DataFrame) -> object:
    return csi.items(five, five.columns, scale=(1, 5))


def test_every_absent_number_of_a_sound_scale_has_no_reason(plain) -> None:
    assert (
        plain.table.drop("unused", "reversed_steps", "clear_reversals", "reverse_coding", "reason")
        .null_count()
        .sum_horizontal()
        .item()
        == 0
    )
    assert plain.table["reason"].null_count() == 5
    assert plain.table["bounds"].unique().to_list() == ["scale"]
    assert plain.pairs["q3"].null_count() == 0
    assert plain.categories.height == 25


def test_item_rest_is_the_correlation_with_the_sum_of_the_others(five, plain) -> None:
    rest = five.select(pl.sum_horizontal(five.columns[1:]))
    assert row(plain, "q1")["item_rest"] == pytest.approx(np.corrcoef(five["q1"], rest.to_series())[0, 1], abs=1e-12)


def test_alpha_and_omega_without_an_item_are_those_of_the_others_alone(five, plain) -> None:
    without = csi.items(five, five.columns[1:], scale=(1, 5)).scales.row(0, named=True)
    assert row(plain, "q1")["alpha_if_dropped"] == pytest.approx(without["alpha"], abs=1e-12)
    assert row(plain, "q1")["omega_if_dropped"] == pytest.approx(without["omega"], abs=1e-9)


def test_whole_weights_count_as_repeated_rows(five) -> None:
    rng = np.random.default_rng(2)
    times = rng.integers(1, 4, five.height)
    weighed = csi.items(five.with_columns(w=pl.Series(times / times.mean())), five.columns, scale=(1, 5), weight="w")
    again = csi.items(five[np.repeat(np.arange(five.height), times)], five.columns, scale=(1, 5))
    for column in (
        "mean",
        "floor",
        "ceiling",
        "skew",
        "kurtosis",
        "item_rest",
        "item_total",
        "loading",
        "omega_if_dropped",
    ):
        assert weighed.table[column].to_list() == pytest.approx(again.table[column].to_list(), rel=1e-5), column
    assert weighed.table["n"].to_list() == [300] * 5
    assert "N-ITEMS-WEIGHTED" in {n.code for n in weighed.notes}


def test_loadings_of_a_factor_come_back_and_leave_nothing() -> None:
    loading = np.array([[0.9, 0.8, 0.3, 0.5, 0.6], [0.7, -0.7, 0.7, 0.7, 0.7]])
    cor = loading[:, :, None] * loading[:, None, :]
    cor[:, range(5), range(5)] = 1.0
    found = minres(cor)
    np.testing.assert_allclose(found, loading, atol=1e-9)
    sd = np.array([1.0, 2.0, 1.0, 1.0, 3.0])
    common = (sd * loading[0]).sum() ** 2
    assert omega_standardised(found[0], sd) == pytest.approx(common / (common + (sd**2 * (1 - loading[0] ** 2)).sum()))


def test_residual_correlations_are_those_of_rows_less_the_factor_score() -> None:
    rows = answers(400, 4).to_numpy()
    cor = np.corrcoef(rows.T)
    loading = minres(cor[None])
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    implied = np.outer(loading[0], loading[0])
    np.fill_diagonal(implied, 1.0)
    score = z @ np.linalg.solve(implied, loading[0])
    by_rows = np.corrcoef((z - np.outer(score, loading[0])).T)
    np.testing.assert_allclose(residual_correlations(cor[None], loading)[0], by_rows, atol=1e-9)


def test_a_doublet_is_told_as_dependent() -> None:
    frame = answers(600, 6, 3)
    doublet = 0.7 * np.random.default_rng(4).normal(size=600)
    frame = frame.with_columns([(pl.col(c) + pl.Series(doublet)).alias(c) for c in ("q1", "q2")])
    found = csi.items(frame, frame.columns)
    assert found.pairs.filter(finding="dependent").select("item", "other").rows() == [("q1", "q2")]
    assert found.pairs["q3_adjusted"].mean() == pytest.approx(0.0, abs=1e-12)


def test_an_item_worded_the_other_way_is_suspected(five) -> None:
    found = csi.items(five.with_columns(q2=6 - pl.col("q2")), five.columns, scale=(1, 5))
    assert row(found, "q2")["reverse_coding"] == "suspected"
    assert row(found, "q2")["item_rest"] < 0
    assert row(found, "q2")["alpha_if_reversed"] == pytest.approx(
        csi.items(five, five.columns, scale=(1, 5)).scales["alpha"][0], abs=1e-12
    )
    assert row(found, "q1")["reverse_coding"] is None
    assert any("q2" in s.en and "other way" in s.en for s in found.sentences)


def test_a_category_that_nobody_used_is_named() -> None:
    frame = answers().with_columns(pl.col("q3").replace(2.0, 3.0))
    found = csi.items(frame, frame.columns, scale=(1, 5))
    assert (row(found, "q3")["categories"], row(found, "q3")["used"], row(found, "q3")["unused"]) == (5, 4, "2")
    empty = found.categories.filter(item="q3", category=2).row(0, named=True)
    assert (empty["n"], empty["share"], empty["mean_rest"], empty["reason"]) == (0, 0.0, None, "R-CATEGORY-BASE")


def test_categories_in_another_order_are_told_step_by_step() -> None:
    """Whoever means 2 ticks 4 and the other way round: the steps 2>3 and 3>4 fall."""
    frame = answers(900).with_columns(pl.col("q4").replace({2.0: 4.0, 4.0: 2.0}))
    found = row(csi.items(frame, frame.columns, scale=(1, 5)), "q4")
    assert found["disorder"] == 0.5
    assert found["reversed_steps"] == found["clear_reversals"] == "2>3, 3>4"


def test_one_item_is_described_and_has_no_rest(five) -> None:
    found = csi.items(five, {"trust": ["q1"]}, scale=(1, 5))
    only = row(found, "q1")
    assert only["mean"] == pytest.approx(five["q1"].mean())
    assert only["item_rest"] is only["item_total"] is only["alpha_if_dropped"] is None
    assert "R-ONE-ITEM" in only["reason"]
    assert found.scales["reason"].to_list() == ["R-ONE-ITEM"]
    assert found.pairs.height == 0
    assert text(found)


def test_two_items_have_no_alpha_without_one(five) -> None:
    found = csi.items(five, ["q1", "q2"], scale=(1, 5))
    for item in ("q1", "q2"):
        assert row(found, item)["item_rest"] == pytest.approx(np.corrcoef(five["q1"], five["q2"])[0, 1])
        assert row(found, item)["alpha_if_dropped"] is row(found, item)["omega_if_dropped"] is None
        assert row(found, item)["reason"] == "R-TWO-ITEMS"
    assert found.scales["alpha"][0] is not None


def test_of_three_items_omega_without_one_has_its_reason(five) -> None:
    found = csi.items(five, ["q1", "q2", "q3"], scale=(1, 5))
    assert found.table["omega_if_dropped"].null_count() == 3
    assert found.table["alpha_if_dropped"].null_count() == 0
    assert set(found.table["reason"]) == {"R-THREE-ITEMS"}
    assert set(found.pairs["reason"]) <= {"R-Q3-ITEMS", "R-NOT-CLOSE R-Q3-ITEMS"}


def test_an_item_without_variance_leaves_its_scale(five) -> None:
    odd = five.with_columns(q0=pl.lit(4.0))
    found, without = csi.items(odd, odd.columns, scale=(1, 5)), csi.items(five, five.columns, scale=(1, 5))
    assert "R-CONSTANT" in row(found, "q0")["reason"]
    assert row(found, "q0")["sd"] == 0
    assert row(found, "q0")["skew"] is row(found, "q0")["item_rest"] is None
    assert found.scales["alpha"][0] == pytest.approx(without.scales["alpha"][0], abs=1e-12)
    assert any(n.code == "N-ITEMS-CONSTANT" and "q0" in n.text.en for n in found.notes)


def test_an_item_that_nobody_answered_says_so(five) -> None:
    found = csi.items(five.with_columns(q0=pl.lit(None, pl.Float64)), ["q0", *five.columns])
    silent = row(found, "q0")
    assert (silent["n"], silent["missing"], silent["mean"], silent["item_rest"]) == (0, 1.0, None, None)
    assert "R-NO-ANSWERS" in silent["reason"]
    assert found.scales["alpha"][0] is not None


@pytest.mark.parametrize("rows", [1, 2])
def test_next_to_no_rows_have_reasons_instead_of_numbers(five, rows) -> None:
    found = csi.items(five.with_columns(pl.lit(3.0).alias("q2"))[:rows], ["q1", "q2"])
    assert found.table["item_rest"].to_list() == [None, None]
    assert "R-CONSTANT" in row(found, "q2")["reason"]
    assert found.scales["reason"][0] in ("R-CONSTANT", "R-ONE-ITEM")


def test_items_that_are_one_are_told(five) -> None:
    odd = five.with_columns(copy=pl.col("q1"))
    found = csi.items(odd, odd.columns, scale=(1, 5))
    assert found.pairs.filter(finding="identical").select("item", "other").rows() == [("q1", "copy")]
    assert row(found, "q1")["item_total_smc"] is None
    assert "R-SINGULAR" in row(found, "q1")["reason"]
    assert row(found, "q1")["item_rest"] > 0.5


def test_near_copies_are_redundant_also_across_constructs(five) -> None:
    rng = np.random.default_rng(5)
    copy = five["q1"].to_numpy().copy()
    copy[rng.integers(0, 300, 15)] = 3
    odd = five.with_columns(copy=pl.Series(copy), other=pl.Series(rng.integers(1, 6, 300).astype(float)))
    found = csi.items(odd, {"a": five.columns, "b": ["copy", "other"]}, scale=(1, 5))
    pair = found.pairs.filter(finding="redundant").row(0, named=True)
    assert (pair["construct"], pair["other_construct"], pair["item"], pair["other"]) == ("a", "b", "q1", "copy")
    assert pair["polychoric"] > pair["r"] > 0.85
    assert pair["reason"] == "R-ACROSS"


def test_fewer_rows_than_items_are_noted(five) -> None:
    found = csi.items(five[:4], five.columns, scale=(1, 5))
    assert "W-ITEMS-ROWS" in {n.code for n in found.notes}
    assert found.table["n"].to_list() == [4] * 5


def test_items_never_answered_together_have_no_item_rest(five) -> None:
    half = pl.int_range(pl.len()) < 150
    odd = five.with_columns(q1=pl.when(half).then("q1"), q2=pl.when(~half).then("q2"))
    found = csi.items(odd, odd.columns, scale=(1, 5))
    assert found.table["item_rest"].null_count() == 5
    assert set(found.table["reason"]) == {"R-PAIR"}
    assert "R-PAIR" in found.pairs.filter(item="q1", other="q2")["reason"][0]
    assert found.missing.select("item", "reason", "n", "share").rows() == [
        ("q1", "missing", 150, 0.5),
        ("q2", "missing", 150, 0.5),
    ]


def test_measurements_are_no_categories() -> None:
    rng = np.random.default_rng(6)
    f = rng.normal(size=80)
    frame = pl.DataFrame({f"x{k}": f + rng.normal(size=80) for k in range(4)})
    found = csi.items(frame, frame.columns)
    assert set(found.table["reason"]) == {"R-CATEGORIES"}
    assert found.table["categories"].null_count() == 4
    assert found.table["bounds"].unique().to_list() == ["observed"]
    assert found.categories.height == 0


@pytest.fixture(scope="module")
def panel() -> csi.Panel:
    five = Scale("five", 1, 5, {"9": "dont_know"})
    items = [Item(f"t{k}", "trust", five, Text(f"T{k}", f"信{k}"), reverse=k == 2) for k in (1, 2, 3)]
    book = Codebook(tuple(items), {"trust": Text("Trust", "信任")}, {"duration": "secs"})
    frame = pl.DataFrame({"t1": [5, 4, 9, 5], "t2": [5, 4, 1, 5], "t3": [5, 4, 4, 5], "secs": [60.0, 90.0, 10.0, 80.0]})
    return read_panel(frame, book)


def test_a_panel_tells_why_answers_are_absent_who_agrees_and_how_long_it_took(panel) -> None:
    found = csi.items(panel)
    assert found.missing.rows() == [("t1", "dont_know", 1, 0.25)]
    use = {r["measure"]: r for r in found.scale_use.iter_rows(named=True)}
    assert use["acquiescence"]["n"] == 4
    assert use["acquiescence"]["mean"] == pytest.approx(np.mean([0.5, 0.25, -0.125, 0.5]))
    assert use["extreme"]["mean"] == pytest.approx(2 / 3)
    assert found.time.row(0, named=True)["of"] == "all"
    assert found.time["median"][0] == 60.0
    assert found.time["fast"][0] == 0.25


def test_without_reversed_items_agreement_has_its_reason(plain) -> None:
    use = plain.scale_use.filter(measure="acquiescence").row(0, named=True)
    assert (use["n"], use["mean"], use["reason"]) == (0, None, "R-ONE-DIRECTION")
    assert "R-ONE-DIRECTION" in plain.reasons


def test_times_of_items_are_summarised(five) -> None:
    timed = five.with_columns(s1=pl.Series(np.tile([2.0, 4.0, 6.0], 100)))
    found = csi.items(timed, five.columns, times={"q1": "s1"}).time.row(0, named=True)
    assert (found["of"], found["median"], found["mean"]) == ("q1", 4.0, 4.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"redundant": 1.5}, "redundant"),
        ({"dependent": "high"}, "dependent"),
        ({"small": 2.5}, "small"),
        ({"duration": "nowhere"}, "nowhere"),
        ({"duration": "word"}, "numbers"),
        ({"scales": ["q1", "q9"]}, "q9"),
        ({"scale": (1, 4)}, "q1"),
    ],
)
def test_odd_requests_are_told(five, given, said) -> None:
    frame = five.with_columns(word=pl.lit("soon"))
    with pytest.raises(Problems, match=said) as found:
        csi.items(frame, given.pop("scales", five.columns), **given)
    assert all(p.what.zh for p in found.value.problems)


def test_every_reason_reads_in_both_languages(plain) -> None:
    assert all(why.text.en and why.text.zh for why in REASONS.values())
    assert "题项" in text(plain, "zh")
    assert "item" in text(plain)
