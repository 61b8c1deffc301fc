"""Patterns of emotion: planted groups, scikit-learn's and scipy's k-means, weights, cells, refusals, the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.cluster.vq import kmeans2

import csi
from csi.behaviour.partition import agreement, k_means, nearest, tightness
from csi.display import text
from csi.errors import Problems, Text
from csi.reporting.methods import run_method
from csi.study import Study
from csi.survey.codebook import Codebook, Item, Scale

HUNDRED = Scale("hundred", 0, 100)
PLANTED = {"positive": (80, 15), "mixed": (75, 70), "calm": (20, 15), "negative": (20, 80)}
SHARES = {"positive": 0.4, "mixed": 0.1, "calm": 0.3, "negative": 0.2}


def panel(n=600, seed=2, sd=6.0, **keys):
    """People of four patterns; satisfaction follows positive less negative emotion."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(list(SHARES), [round(n * s) for s in SHARES.values()])
    at = np.array([PLANTED[k] for k in kinds], dtype=float)
    scores = np.clip(np.round(at + sd * rng.normal(size=at.shape)), 0, 100)
    sat = np.clip(50 + 0.4 * (scores[:, 0] - scores[:, 1]) + 5 * rng.normal(size=n), 0, 100)
    return of_scores({"positive": scores[:, 0], "negative": scores[:, 1], "satisfaction": sat}, **keys), kinds


def of_scores(columns, **keys):
    items = tuple(Item(f"{n}1", n, HUNDRED, Text(n.title(), f"题{n}")) for n in columns)
    book = Codebook(items, {n: Text(n.title(), f"构念{n}") for n in columns}, {})
    frame = pl.DataFrame({f"{n}1": np.asarray(v, dtype=float) for n, v in columns.items()} | keys)
    return csi.Panel(frame, book, frame.select(f"{n}1" for n in columns).cast(pl.String))


@pytest.mark.slow
def test_planted_patterns_are_found_named_and_counted():
    answers, kinds = panel()
    found = csi.emotion_patterns(answers, replicates=100)
    assert set(found.table["pattern"]) == set(PLANTED)
    assert found.choice.filter("told")["patterns"].item() == 4
    assert found.choice.filter("told")["stability"].item() > 0.99
    for row in found.table.iter_rows(named=True):
        assert row["share"] == pytest.approx(SHARES[row["pattern"]], abs=0.005)
        assert row["count"] == (kinds == row["pattern"]).sum()
        assert (row["positive"], row["negative"]) == pytest.approx(PLANTED[row["pattern"]], abs=2)
        assert row["conf_low"] < row["share"] < row["conf_high"]
        assert row["outcome_low"] < 50 + 0.4 * (row["positive"] - row["negative"]) < row["outcome_high"]
    assert found.outcome == "satisfaction"
    assert found.sentences[1].en.startswith("Positive 40.0% [")
    assert found.sentences[1].zh.startswith("积极型 40.0% [")
    rows = found.table.sort("outcome")
    low, high = (f"{rows['outcome'][i]:.1f}" for i in (0, -1))
    assert found.sentences[0].en == (
        "40.0% of customers are in positive patterns; satisfaction is lowest where the pattern is "
        f"“negative” ({low}) and highest where it is “positive” ({high})."
    )
    assert found.sentences[0].zh == (
        f"40.0% 的顾客属积极型；构念satisfaction在“消极型”中最低（{low}），在“积极型”中最高（{high}）。"
    )
    assert [n.code for n in found.notes if n.code.endswith("PATTERNS")] == ["N-PATTERNS"]


def borderline(n=400, seed=11):
    """Four patterns so wide that their stability lies near the threshold."""
    return panel(n=n, seed=seed, sd=17.0)[0]


@pytest.mark.slow
def test_seeds_agree_where_the_stability_is_near_the_threshold():
    found = [csi.emotion_patterns(borderline(), seed=seed) for seed in range(1, 5)]
    assert len({f.choice.filter("told")["patterns"].item() for f in found}) == 1
    assert len({tuple(f.table["pattern"]) for f in found}) == 1
    for one in found:
        near = (one.choice["stability"] - 0.8).abs() <= 2.5758 * one.choice["std_error"]
        assert (one.choice.filter(near)["resamples"] == 400).all()
        steady = one.choice.filter(pl.col("stability") + 2.5758 * pl.col("std_error") >= 0.8)
        assert one.choice.filter("told")["patterns"].item() == steady["patterns"].max()


@pytest.mark.slow
def test_the_monte_carlo_error_is_that_of_the_mean_over_seeds():
    """Stabilities of other seeds lie about one such error from their mean."""
    many = [csi.emotion_patterns(borderline(), patterns=5, seed=s).choice.row(0) for s in range(1, 11)]
    hundred = [row for row in many if row[3] == 100]
    spread = np.std([row[1] for row in hundred], ddof=1)
    assert len(hundred) > 6
    assert 0.4 < spread / np.mean([row[2] for row in hundred]) < 1.7


def test_groups_have_the_same_names_in_other_samples_of_the_same_people():
    names = [tuple(csi.emotion_patterns(panel(seed=s)[0], patterns=4).table["pattern"]) for s in range(5)]
    assert set(names) == {tuple(sorted(PLANTED, key=list(PLANTED).index))}


def test_one_cloud_is_told_to_have_no_stable_patterns():
    rng = np.random.default_rng(5)
    cloud = np.clip(50 + 12 * rng.normal(size=(500, 2)), 0, 100)
    found = csi.emotion_patterns(of_scores({"positive": cloud[:, 0], "negative": cloud[:, 1]}), patterns=5)
    (said,) = [n.text for n in found.notes if n.code == "W-PATTERNS"]
    assert "do not find these 5 patterns again" in said.en
    assert "未能重现这 5 种模式" in said.zh
    assert found.outcome == ""
    assert found.table["outcome"].null_count() == 5


@pytest.mark.parametrize("k", [2, 3, 4])
def test_centres_are_a_fixed_point_no_looser_than_scipys(k):
    rng = np.random.default_rng(k)
    x = rng.normal(size=(300, 2)) @ np.array([[1.0, 0.3], [0, 0.8]])
    ours = k_means(x, np.ones(300), k, seed=1)
    best = min(
        tightness(x, np.ones(300), kmeans2(x, k, minit="++", rng=np.random.default_rng(s), iter=100)[0])
        for s in range(20)
    )
    assert tightness(x, np.ones(300), ours) <= best * (1 + 1e-9)
    again, label = kmeans2(x, ours, minit="matrix", iter=1)
    np.testing.assert_allclose(again, ours, atol=1e-12)
    assert (label == nearest(x, ours)).all()


def test_weights_are_repetitions():
    rng = np.random.default_rng(9)
    x, times = rng.normal(size=(80, 2)), rng.integers(1, 4, 80)
    whole = np.repeat(x, times, axis=0)
    one, two = k_means(x, times.astype(float), 3, seed=4, starts=30), k_means(whole, np.ones(len(whole)), 3, 4, 30)
    assert tightness(x, times.astype(float), one) == pytest.approx(tightness(whole, np.ones(len(whole)), two), rel=1e-9)


def test_agreement_is_the_adjusted_rand_index_by_hand():
    """Hubert & Arabie (1985), by their formula: pairs together in both, 5; in one 11 and in the other 9, of 36."""
    one, other = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])[:9], np.array([0, 0, 1, 1, 1, 1, 2, 2, 0])
    table = np.zeros((3, 3))
    np.add.at(table, (one, other), 1)
    pairs = (table * (table - 1) / 2).sum()
    a, b = ((m * (m - 1) / 2).sum() for m in (table.sum(axis=1), table.sum(axis=0)))
    expected = a * b / 36
    value = (pairs - expected) / ((a + b) / 2 - expected)
    assert agreement(one, other, np.ones(9)) == pytest.approx(value, abs=1e-12)
    assert agreement(one, other, np.full(9, 1.0)) == agreement(other, one, np.ones(9))
    draws = np.random.default_rng(1)
    chance = [agreement(draws.integers(0, 3, 200), draws.integers(0, 3, 200), np.ones(200)) for _ in range(200)]
    assert abs(np.mean(chance)) < 0.005


def test_shares_follow_weights_and_cells():
    _, kinds = panel()
    weight = np.where(kinds == "negative", 3.0, 1.0)
    answers, _ = panel(weight=weight, brand=np.where(np.arange(600) % 2, "A", "B"))
    found = csi.emotion_patterns(answers, patterns=4)
    share = dict(found.table.select("pattern", "share").iter_rows())
    assert share["negative"] == pytest.approx(3 * 0.2 / (1 + 2 * 0.2), abs=0.01)
    cells = csi.emotion_patterns(answers, patterns=4, by=["brand"])
    assert cells.table.group_by("brand").agg(pl.col("share").sum())["share"].to_list() == pytest.approx([1, 1])
    assert cells.sentences[0].en.startswith("A: ")
    assert cells.sentences[1].en.startswith("A: positive")


def test_patterns_of_one_kind_are_named_by_their_scores():
    rng = np.random.default_rng(4)
    at = np.repeat([(95.0, 5.0), (60.0, 40.0), (20.0, 80.0)], 100, axis=0)
    scores = np.clip(np.round(at + 3 * rng.normal(size=at.shape)), 0, 100)
    found = csi.emotion_patterns(of_scores({"positive": scores[:, 0], "negative": scores[:, 1]}), patterns=3)
    assert found.table["pattern"].to_list() == ["positive 1", "positive 2", "negative"]
    for row in found.table.head(2).iter_rows(named=True):
        label = found.labels[row["pattern"]]
        assert label.en == f"positive ({row['positive']:.0f} to {row['negative']:.0f})"
        assert label.zh == f"积极型（{row['positive']:.0f} 对 {row['negative']:.0f}）"


def test_the_order_of_rows_does_not_matter():
    answers, _ = panel()
    turned = csi.Panel(answers.frame.reverse(), answers.codebook, answers.reasons.reverse())
    one, two = (csi.emotion_patterns(p, patterns=4, replicates=100) for p in (answers, turned))
    assert one.table.equals(two.table)
    assert one.choice.equals(two.choice)


@pytest.mark.parametrize(
    ("columns", "arguments", "code", "en", "zh"),
    [
        (None, {"patterns": 9}, "E-SETTING", "patterns = 9 is not from 2 to 6", "patterns = 9 不在"),
        (None, {"positive": "joy"}, "E-ROLE", 'no construct or item "joy"', "没有构念或题项“joy”"),
        ({"positive": [1, 1, 9], "negative": [2, 2, 3]}, {}, "E-SETTING", "2 different pairs", "只有 2 种不同组合"),
    ],
)
def test_refusals_in_both_languages(columns, arguments, code, en, zh):
    answers = of_scores(columns) if columns else panel()[0]
    with pytest.raises(Problems) as raised:
        csi.emotion_patterns(answers, **arguments)
    (one,) = raised.value.problems
    assert one.code == code
    assert en in one.say("en")
    assert zh in one.say("zh")


def test_it_reads_in_both_languages():
    found = csi.emotion_patterns(panel()[0], patterns=4)
    assert "mixed (both strong)" in text(found, "en")
    assert "混合型（两者皆强）" in text(found, "zh")


@pytest.mark.slow
def test_the_insurance_study_has_its_page():
    study = Study.read(Path(__file__).parents[2] / "data/insurance/study.yaml")
    section = run_method(study, study.panel(), "emotion_patterns")
    assert [t.name for t in section.tables] == ["patterns", "choice"]
    assert section.tables[0].frame["share"].sum() == pytest.approx(1)
    outcome = next(c for c in section.tables[0].columns if c.name == "outcome")
    assert outcome.heading.zh == "顾客满意"
    assert section.subtitle.zh.startswith("按两种情感得分")


def test_means_of_a_pattern_that_few_make_are_withheld():
    answers, kinds = panel(n=200)
    found = csi.emotion_patterns(answers, patterns=4, replicates=100)
    row = found.table.filter(pattern="mixed").row(0, named=True)
    assert (row["count"], row["share"]) == ((kinds == "mixed").sum(), pytest.approx(0.1))
    assert row["count"] < 30
    assert [row[c] for c in ("positive", "negative", "outcome", "outcome_low")] == [None] * 4
    assert found.table.filter(pattern="positive")["outcome"].null_count() == 0
    assert "mixed" not in found.sentences[0].en
