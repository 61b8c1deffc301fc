"""Shorter forms: hand cases of every formula, the search against trying everything, honesty, and odd requests."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.measures.item_analysis import form_search
from csi.measures.item_analysis.fold_moments import fold_sums
from csi.measures.item_analysis.form_measures import held_worth, worth_of
from csi.measures.item_analysis.form_search import lengths_of
from csi.measures.item_analysis.item_rest import alpha_of
from csi.measures.item_analysis.short_form_words import REASONS
from csi.measures.item_analysis.subsets import Rules, downwards, every_form
from csi.measures.pairwise import pairwise_moments
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.read import read_panel

NOISE = np.array([0.5, 0.6, 0.8, 1.0, 1.6, 2.2])


def scores(n: int = 400, seed: int = 1, noise: np.ndarray = NOISE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) + noise * rng.normal(size=(n, noise.size))


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rows = scores()
    return pl.DataFrame(rows, schema=[f"q{k}" for k in range(1, 7)]).with_columns(
        brand=pl.Series(["A", "B", "C", "D"] * 100), w=pl.Series(np.tile([0.5, 1.5], 200))
    )


FIRST = pl.int_range(400) < 200
ITEMS = [f"q{k}" for k in range(1, 7)]


@pytest.fixture(scope="module")
def plain(frame: pl.DataFrame) -> csi.measures.item_analysis.short_form.ShortForm:
    return csi.short_form(frame, {"trust": ITEMS}, replicates=0)


def test_worth_is_that_of_the_rows() -> None:
    rows = scores(200, 2)
    form = np.array([True, False, True, True, False, False])
    short, full = rows[:, form].sum(axis=1), rows.sum(axis=1)
    alpha = float(alpha_of(np.cov(rows[:, form].T)))
    found = worth_of(np.cov(rows.T)[None], form[None])
    assert found.alpha[0, 0] == pytest.approx(alpha)
    assert found.raw[0, 0] == pytest.approx(np.corrcoef(short, full)[0, 1])
    error = (1 - alpha) * short.var(ddof=1)
    levy = (np.cov(short, full)[0, 1] - error) / (short.std(ddof=1) * full.std(ddof=1))
    assert found.r[0, 0] == pytest.approx(levy)
    one_each = worth_of(np.cov(rows.T)[None], form[None, None])
    assert one_each.r[0, 0] == pytest.approx(levy)


def test_the_corrected_correlation_is_that_of_a_form_answered_a_second_time() -> None:
    """Of parallel items alpha is the reliability, so that answering anew gives what the correction foretells."""
    rng = np.random.default_rng(3)
    f = rng.normal(size=(40_000, 1))
    first, again = (f + rng.normal(size=(40_000, 6)) for _ in range(2))
    form = np.array([True, True, True, False, False, False])
    found = worth_of(np.cov(first.T)[None], form[None])
    second = np.corrcoef(again[:, form].sum(axis=1), first.sum(axis=1))[0, 1]
    assert found.r[0, 0] == pytest.approx(second, abs=0.01)
    assert found.raw[0, 0] > second + 0.05


def test_differences_kept_by_hand() -> None:
    """Full means 0 and 2; the short form says 0 and 1: the difference is half, a quarter of its square is lost."""
    means = np.array([[[0.0, 0.0], [1.0, 3.0]]])
    found = worth_of(np.eye(2)[None], np.array([[True, False], [True, True]]), means)
    assert found.kept[0].tolist() == pytest.approx([1 - 0.25, 1.0])


def test_sums_of_folds_make_the_moments_of_their_rows() -> None:
    rows = scores(60, 4)
    rows[::7, 2] = np.nan
    weight = np.random.default_rng(5).uniform(0.5, 2, 60)
    fold, cell = np.arange(60)[None] % 3, np.arange(60) % 2
    sums = fold_sums(rows, weight, fold, cell, 2)
    trained = sums.total(3).less(sums)
    for k in range(3):
        held, rest = fold[0] == k, fold[0] != k
        np.testing.assert_allclose(sums.cov()[k], pairwise_moments(rows[held], weight[held][None])[1][0], atol=1e-12)
        np.testing.assert_allclose(trained.cov()[k], pairwise_moments(rows[rest], weight[rest][None])[1][0], atol=1e-12)
    inside = cell == 1
    expected = np.average(rows[inside, 0], weights=weight[inside])
    assert sums.total(3).means()[0, 1, 0] == pytest.approx(expected)


def test_stacked_covariances_are_those_of_each_weighting() -> None:
    rows = scores(50, 6)
    W = np.random.default_rng(7).uniform(0.5, 2, (3, 50))
    for gap in (False, True):
        rows[::9, 1] = np.nan if gap else rows[::9, 1]
        mean, cov = pairwise_moments(rows, W)
        for b in range(3):
            one = pairwise_moments(rows, W[b : b + 1])
            np.testing.assert_allclose(mean[b], one[0][0], atol=1e-12)
            np.testing.assert_allclose(cov[b], one[1][0], atol=1e-12)


def test_where_every_fold_picks_one_form_held_out_numbers_are_those_of_all_rows(plain) -> None:
    three = plain.table.filter(k=3).row(0, named=True)
    assert three["picked_alike"] == 1
    assert three["held_alpha"] == pytest.approx(three["alpha"], abs=1e-12)
    assert three["held_r"] == pytest.approx(three["r"], abs=1e-12)


def test_folds_of_other_forms_are_put_together_by_hand() -> None:
    """Two folds, two forms: variances are meant before they are divided, cells have the mean of their folds."""
    rng = np.random.default_rng(15)
    cov = np.stack([np.cov(rng.normal(size=(3, 40)) + rng.normal(size=40)) for _ in range(2)])
    forms = np.array([[[True, True, False]], [[True, False, True]]])
    means = np.array([[[1.0, 2, 3], [2, 4, 9]], [[0.0, 2, 1], [5, 1, 3]]])
    V, own, shared = (np.zeros(2) for _ in range(3))
    for f, form in enumerate(forms[:, 0]):
        V[f], own[f] = cov[f][np.ix_(form, form)].sum(), np.diag(cov[f])[form].sum()
        shared[f] = cov[f][form].sum()
    alpha = 2 * (1 - own.mean() / V.mean())
    found = held_worth(cov, forms, 2, means)
    assert found.alpha.tolist() == [[pytest.approx(alpha)]]
    scale = np.sqrt(V.mean() * cov.sum(axis=(1, 2)).mean())
    assert found.r[0, 0] == pytest.approx((shared.mean() - (1 - alpha) * V.mean()) / scale)
    short = (means[0][:, :2].mean(axis=1) + means[1][:, [0, 2]].mean(axis=1)) / 2
    full = means.mean(axis=(0, 2))
    assert found.kept[0, 0] == pytest.approx(1 - (np.diff(short - full)[0] / np.diff(full)[0]) ** 2)


def test_every_form_holds_to_the_rules_and_none_is_missing() -> None:
    rules = Rules(6, frozenset({0}), frozenset({5}), ((frozenset({1, 2}), 1), (frozenset({3, 4}), 1)))
    found = {tuple(np.flatnonzero(f).tolist()) for f in every_form(rules, 3)}
    by_hand = {c for c in combinations(range(6), 3) if 0 in c and 5 not in c and {1, 2} & set(c) and {3, 4} & set(c)}
    assert found == by_hand


def test_the_search_downwards_finds_what_trying_everything_finds() -> None:
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(300, 2)) @ rng.uniform(0, 1, (2, 10)) + rng.normal(size=(300, 10))
    cov = np.cov(rows.T)[None]
    rules = Rules(10, groups=((frozenset(range(3)), 1),))
    found = downwards(rules, 1, lambda forms: worth_of(cov, forms).r, range(2, 10))
    for k in range(2, 10):
        forms = every_form(rules, k)
        best = worth_of(cov, forms).r.max()
        assert worth_of(cov, found[k][:, None]).r[0, 0] == pytest.approx(best, abs=1e-12), k


def test_long_scales_are_searched_downwards_and_say_so(monkeypatch, plain, frame) -> None:
    monkeypatch.setattr(form_search, "LIMIT", 15)
    found = csi.short_form(frame, {"trust": ITEMS}, replicates=0)
    assert found.table["search"].to_list() == ["exhaustive", "beam", "exhaustive", "exhaustive"]
    assert found.table["items"].to_list() == plain.table["items"].to_list()
    assert "N-FORM-BEAM" in {n.code for n in found.notes}


def test_the_best_items_are_found_again_and_again(plain) -> None:
    three = plain.table.filter(k=3).row(0, named=True)
    assert three["items"] == "q1, q2, q3"
    assert three["picked_alike"] == 1
    assert three["search"] == "exhaustive"
    picked = dict(plain.picks.filter(k=3).select("item", "picked").rows())
    assert [picked[i] for i in ITEMS] == [1, 1, 1, 0, 0, 0]
    assert plain.table["k"].to_list() == [2, 3, 4, 5]
    assert plain.table["r"].to_list() < plain.table["r_uncorrected"].to_list()


def test_of_noise_the_search_is_optimistic_and_held_out_numbers_are_not() -> None:
    """Items without anything in common: the best of many forms looks reliable where it was searched, not elsewhere."""
    rows = np.random.default_rng(10).normal(size=(150, 9))
    found = csi.short_form(pl.DataFrame(rows), [f"column_{k}" for k in range(9)], criterion="reliability", replicates=0)
    three = found.table.filter(k=3).row(0, named=True)
    assert three["alpha"] > 0.2
    assert three["held_alpha"] < 0.15
    assert three["optimism_alpha"] > 0.1
    assert found.chosen == {}


def test_the_shortest_good_form_is_chosen(plain) -> None:
    rule = plain.table.filter((pl.col("held_alpha") >= 0.7) & (pl.col("r_share") >= 0.95))
    assert plain.table.filter("chosen")["k"].to_list() == [rule["k"].min()]
    strict = csi.short_form(pl.DataFrame(scores(), schema=ITEMS), ITEMS, reliability=0.98, replicates=0)
    assert strict.chosen == {}
    assert "good enough" in strict.sentences[0].en


def test_rules_of_content_are_kept(frame) -> None:
    found = csi.short_form(
        frame, ITEMS, k=3, keep=["q6"], drop=["q1"], cover={"late": ["q4", "q5"]}, at_least={"late": 1}, replicates=0
    )
    for items in found.table["items"].to_list():
        assert "q6" in items
        assert "q1" not in items
        assert {"q4", "q5"} & set(items.split(", "))
    forms = np.array(
        [[0, 1, 0, 1, 0, 1], [0, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1], [0, 0, 0, 1, 1, 1]]
    )
    worth = worth_of(np.cov(frame.select(ITEMS).to_numpy().T)[None], forms == 1).r[0]
    assert found.chosen["scale"] == tuple(np.array(ITEMS)[forms[worth.argmax()] == 1])
    assert found.table.filter(k=3)["r"].to_list() == pytest.approx([worth.max()])
    assert found.table["k"].max() == 5
    assert found.picks.filter(item="q1")["picked"].sum() == 0


def test_intervals_hold_the_value_and_repeat_with_their_seed(frame) -> None:
    one, other = (csi.short_form(frame, ITEMS, k=3, replicates=100, weight="w") for _ in range(2))
    row = one.table.filter("chosen").row(0, named=True)
    assert row["alpha_low"] < row["alpha"] < row["alpha_high"]
    assert row["r_low"] < row["r"] < row["r_high"]
    assert one.table.equals(other.table)


def test_differences_between_brands_are_kept_by_the_items_that_differ() -> None:
    """Items 5 and 6 carry all the difference between brands and little of the common factor."""
    rows, brand = scores(800, 11), np.tile(np.arange(4.0), 200)
    rows[:, 4:] += 2 * brand[:, None]
    answers = pl.DataFrame(rows, schema=ITEMS).with_columns(brand=pl.Series(brand.astype(int).astype(str)))
    found = {
        c: csi.short_form(answers, ITEMS, k=2, by=["brand"], criterion=c, replicates=0)
        for c in ("reliability", "differences")
    }
    kept = {c: f.table.filter("chosen").row(0, named=True) for c, f in found.items()}
    assert kept["reliability"]["items"] != kept["differences"]["items"]
    assert kept["reliability"]["differences_kept"] < 0.5 < kept["differences"]["held_differences"]
    cells = found["differences"].cells
    assert cells["n"].to_list() == [200] * 4
    assert cells["gap"].max() - cells["gap"].min() == pytest.approx(kept["differences"]["largest_gap"])


def test_points_and_level_shift_follow_the_scale() -> None:
    rows = np.array([[1.0, 2, 3], [5, 4, 3], [4, 4, 5], [2, 3, 3], [5, 5, 4], [1, 2, 2]] * 5)
    found = csi.short_form(pl.DataFrame(rows, schema=["a", "b", "c"]), list("abc"), k=2, scale=(1, 5), replicates=0)
    form = [list("abc").index(i) for i in found.chosen["scale"]]
    shift = 25 * (rows[:, form].mean() - rows.mean())
    assert found.table.filter("chosen")["level_shift"][0] == pytest.approx(shift)


def test_small_cells_stay_out(frame) -> None:
    odd = frame.with_columns(brand=pl.when(pl.int_range(pl.len()) < 12).then(pl.lit("tiny")).otherwise("brand"))
    found = csi.short_form(odd, ITEMS, k=3, by=["brand"], replicates=0)
    assert found.cells["brand"].to_list() == ["A", "B", "C", "D"]
    assert "N-FORM-CELLS" in {n.code for n in found.notes}


def test_a_panel_brings_its_facets_and_a_construct_without_a_form_has_its_reason() -> None:
    five = Scale("five", 1, 5)
    items = [
        *(
            Item(f"t{k}", "trust", five, Text(f"T{k}", f"信{k}"), facet="warm" if k > 4 else "cool")
            for k in range(1, 7)
        ),
        Item("p", "price", five, Text("Price", "价格")),
    ]
    answers = np.clip(np.round(3 + scores(300, 12)), 1, 5)
    data = pl.DataFrame(answers, schema=[f"t{k}" for k in range(1, 7)]).with_columns(p=pl.lit(3))
    book = Codebook(tuple(items), {"trust": Text("Trust", "信任"), "price": Text("Price", "价格")}, {})
    found = csi.short_form(read_panel(data, book), k=3, cover="facet", replicates=0)
    assert {"t5", "t6"} & set(found.chosen["trust"])
    assert found.table.filter(construct="price").select("k", "of", "reason").rows() == [(None, 1, "R-FORM-ITEMS")]
    assert set(found.reasons) == {"R-FORM-ITEMS"}


def test_missing_answers_and_constant_items(frame) -> None:
    odd = frame.with_columns(
        q1=pl.when(pl.int_range(pl.len()) % 5 > 0).then("q1"), still=pl.lit(3.0)
    )  # a fifth of q1 is absent
    found = csi.short_form(odd, {"trust": [*ITEMS, "still"]}, k=3, replicates=50)
    assert found.chosen == {"trust": ("q1", "q2", "q3")}
    assert "still" not in " ".join(found.table["items"])
    assert found.table["alpha_low"].null_count() == 0


@pytest.mark.parametrize(
    ("change", "given", "reason"),
    [
        ({"q1": pl.when(FIRST).then("q1"), "q2": pl.when(~FIRST).then("q2")}, {}, "R-PAIR"),
        ({}, {"criterion": "differences"}, "R-FORM-CELLS"),
        ({}, {"drop": ["q2", "q3", "q4", "q5", "q6"]}, "R-FORM-RULES"),
    ],
)
def test_a_construct_without_a_form_says_why(frame, change, given, reason) -> None:
    found = csi.short_form(frame.with_columns(**change), ITEMS, replicates=0, **given)
    assert found.table["reason"].to_list() == [reason]
    assert found.chosen == {}
    assert text(found, "zh")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"k": 6}, "cannot be"),
        ({"k": 1}, "cannot be"),
        ({"k": 2.5}, "whole"),
        ({"k": {"truth": 3}}, "truth"),
        ({"k": 2, "keep": ["q1", "q2", "q3"]}, "must stay"),
        ({"keep": ["q9"]}, "q9"),
        ({"keep": ["q1"], "drop": ["q1"]}, "to stay and to go"),
        ({"cover": {"warm": ["x"]}}, "warm"),
        ({"cover": {"warm": ["q1"]}, "at_least": 2}, "asked of it"),
        ({"cover": "facets"}, "facets"),
        ({"criterion": "beauty"}, "beauty"),
        ({"criterion": {"reliability": -1}}, "weights"),
        ({"folds": 1}, "hold nothing out"),
        ({"folds": 500}, "500 folds"),
        ({"replicates": 3}, "no interval"),
        ({"reliability": 2}, "between 0 and 1"),
        ({"level": "wide"}, "between 0 and 1"),
        ({"seed": -1}, "seed"),
        ({"by": ["shop"]}, "shop"),
        ({"scales": ["q1", "q0"]}, "q0"),
    ],
)
def test_odd_requests_are_told(frame, given, said) -> None:
    given = dict(given)
    with pytest.raises(Problems, match=said) as found:
        csi.short_form(frame, given.pop("scales", ITEMS), **given)
    assert all(p.what.zh for p in found.value.problems)


def test_all_problems_are_told_at_once(frame) -> None:
    with pytest.raises(Problems) as found:
        csi.short_form(frame, ITEMS, k=9, keep=["q9"], criterion="beauty", folds=1, seed=-1)
    assert len(found.value.problems) == 5


def test_few_rows_make_rough_folds() -> None:
    found = csi.short_form(pl.DataFrame(scores(40, 13), schema=ITEMS), ITEMS, k=3, replicates=0)
    assert "W-FORM-FOLDS" in {n.code for n in found.notes}


def test_a_length_that_one_construct_has_not_is_said(frame) -> None:
    found = csi.short_form(frame, {"a": ITEMS[:3], "b": ITEMS}, k=4, replicates=0)
    assert set(found.chosen) == {"b"}
    assert "there are forms of 2 items" in found.sentences[0].en
    assert "所要求题数" in found.sentences[0].zh


def test_everything_reads_in_both_languages(plain) -> None:
    assert "best by" in text(plain)
    assert "校正相关" in text(plain, "zh")
    assert all(why.text.en and why.text.zh for why in REASONS.values())


def test_lengths_are_searched_without_the_rows_held_out() -> None:
    """A fold whose rows alone make an item good does not let it into the form that is judged by that fold."""
    rows = scores(300, 14)
    fold = np.arange(300)[None] % 3
    spoiled = rows.copy()
    spoiled[fold[0] == 0, 5] = 5 * spoiled[fold[0] == 0, :5].mean(axis=1)
    found = lengths_of(spoiled, np.ones(300), fold, np.full(300, -1), Rules(6), {"reliability": 1.0})[3]
    assert not found.picks[0][5]


def test_of_two_items_that_repeat_each_other_a_form_holds_one() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(120, 1)) + rng.normal(size=(120, 4))
    frame = pl.DataFrame(np.column_stack([rows, rows[:, 0]]), schema=["a", "b", "c", "d", "copy"])
    scales = {"trust": ["a", "b", "c", "d", "copy"]}
    found = csi.short_form(frame, scales, k=3, replicates=0)
    assert all(not {"a", "copy"} <= set(items.split(", ")) for items in found.table["items"])
    both = csi.short_form(frame, scales, k=3, keep=["a", "copy"], replicates=0)
    assert {"a", "copy"} <= set(both.chosen["trust"])
