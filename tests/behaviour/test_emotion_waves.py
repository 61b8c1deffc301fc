"""Emotion over waves: hand counts, planted shares recovered, the complaints table, refusals."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale

TEN, YES = Scale("ten", 0, 10), Scale("yes", 0, 1)
BOOK = Codebook(
    (
        Item("glad", "positive", TEN, Text("Glad", "高兴")),
        Item("angry", "negative", TEN, Text("Angry", "生气")),
        Item("ok", "ok", YES, Text("Handled", "已处理")),
    ),
    {},
    {},
)


def panel_of(n, rng, well=0.7, badly=0.4):
    """Half are angry; two thirds of them complain, half of whose complaints are handled; then anger is gone or not."""
    angry = np.arange(n) % 2 == 0
    group = rng.integers(0, 3, n)
    calm = rng.random(n) < np.choose(group, [well, badly, 0.3])
    second = np.where(angry & ~calm, 8.0, 2.0)
    first = np.where(angry, 8.0, 2.0)
    handled = np.where(angry & (group < 2), 1.0 - group, np.nan)
    frame = pl.DataFrame(
        {
            "respondent": [f"c{i}" for i in range(n)] * 2,
            "wave": ["w1"] * n + ["w2"] * n,
            "glad": np.concatenate([10 - first, 10 - second]) + rng.choice([-1, 0, 1], 2 * n),
            "angry": np.concatenate([first, second]) + rng.choice([-1, 0, 1], 2 * n),
            "ok": np.concatenate([np.full(n, np.nan), handled]),
        }
    ).with_columns(pl.col("ok").fill_nan(None))
    return csi.Panel(frame, BOOK, frame.select("glad", "angry", "ok").cast(pl.String), ("w1", "w2"))


def test_counts_are_those_by_hand_whatever_the_order_of_rows():
    panel = panel_of(400, np.random.default_rng(2))
    found = csi.emotion_waves(panel, handled="ok")
    wide = panel.frame.filter(wave="w1").join(panel.frame.filter(wave="w2"), on="respondent", suffix="_2")
    strong = wide.filter(pl.col("angry") > 5)
    for group, chosen in (
        ("handled", pl.col("ok_2") == 1),
        ("not handled", pl.col("ok_2") == 0),
        ("no complaint", pl.col("ok_2").is_null()),
    ):
        row = found.table.filter(group=group, outcome="not negative").row(0, named=True)
        own = strong.filter(chosen)
        assert (row["n"], row["count"]) == (own.height, own.filter(pl.col("angry_2") <= 5).height)
        both = found.table.filter(group=group, outcome="turned positive")["count"].item()
        assert both == own.filter((pl.col("angry_2") <= 5) & (pl.col("glad_2") > 5)).height
    mixed = replace(panel, frame=panel.frame.sample(fraction=1.0, shuffle=True, seed=4))
    assert csi.emotion_waves(mixed, handled="ok").table.equals(found.table)
    # Newcombe (1998), method 10, from the Wilson limits
    a, b = (found.table.filter(group=g, outcome="not negative").row(0, named=True) for g in ("handled", "not handled"))
    low = a["share"] - b["share"] - np.sqrt((a["share"] - a["conf_low"]) ** 2 + (b["conf_high"] - b["share"]) ** 2)
    assert found.difference["conf_low"][0] == pytest.approx(low)


def test_the_patterns_of_the_first_wave_are_followed():
    panel = panel_of(400, np.random.default_rng(2))
    moved = csi.emotion_waves(panel, handled="ok", patterns=2).patterns
    wide = panel.frame.filter(wave="w1").join(panel.frame.filter(wave="w2"), on="respondent", suffix="_2")
    negative = wide.filter(pl.col("angry") > 5)
    gone = negative.filter(pl.col("angry_2") <= 5).height
    row = moved.transitions.filter(from_wave="w1", origin="negative", goal="positive").row(0, named=True)
    assert (row["n"], row["count"]) == (negative.height, gone)


@pytest.mark.slow
def test_planted_shares_are_recovered():
    rng, gaps = np.random.default_rng(7), []
    for _ in range(200):
        found = csi.emotion_waves(panel_of(150, rng), handled="ok", patterns=2, small=1)
        gaps.append(found.difference["difference"][0])
    assert abs(np.mean(gaps) - 0.3) < 4 * np.std(gaps) / np.sqrt(200)


def test_it_says_associated_and_never_effect_of_handling():
    found = csi.emotion_waves(panel_of(800, np.random.default_rng(1)), handled="ok")
    assert "is associated" in found.sentences[0].en
    assert "相关" in found.sentences[0].zh
    assert any(n.code == "E-CAUSAL" for n in found.notes)
    for said in found.sentences:
        assert "effect" not in said.en
        assert "效应" not in said.zh
    alike = csi.emotion_waves(panel_of(800, np.random.default_rng(1), 0.5, 0.5), handled="ok")
    assert "not clearly associated" in alike.sentences[0].en
    assert "complaint handled" in text(found, "en")
    assert "投诉已处理" in text(found, "zh")


def test_a_table_of_complaints_says_the_same_as_the_item():
    panel = panel_of(400, np.random.default_rng(2))
    said = panel.frame.filter(wave="w2").drop_nulls("ok")
    table = said.select(
        pl.col("respondent").alias("id"), pl.lit(1).alias("complained"),
        pl.when(pl.col("ok") == 1).then(4.0).alias("handled_score"),
    )  # fmt: skip
    found = csi.emotion_waves(panel, complaints=table)
    assert found.table.equals(csi.emotion_waves(panel, handled="ok").table)
    none = csi.emotion_waves(panel)
    assert not none.table.height
    assert none.patterns.transitions.height


@pytest.mark.slow
def test_a_table_of_complaints_is_read_as_by_complaints():
    """Without any score nothing says what was handled; of whom a table of yes and no says nothing, nothing is known."""
    panel = panel_of(400, np.random.default_rng(2))
    said = panel.frame.filter(wave="w2")
    table = said.select(
        pl.col("respondent").alias("id"), pl.lit("w1").alias("wave"), pl.col("ok").is_not_null().alias("complained"),
        pl.when(pl.col("ok") == 1).then(4.0).alias("handled_score"),
    )  # fmt: skip
    found = csi.emotion_waves(panel, complaints=table)
    assert found.table.equals(csi.emotion_waves(panel, handled="ok").table)
    assert "N-HANDLED" in [n.code for n in found.notes]
    bare = csi.emotion_waves(panel, complaints=table.drop("handled_score"))
    assert not bare.table.height
    assert any("no complaint has a handled_score" in n.text.en for n in bare.notes)
    half = csi.emotion_waves(panel, complaints=table.filter(pl.col("complained") | (pl.int_range(pl.len()) < 200)))
    assert half.table.filter(group="handled").equals(found.table.filter(group="handled"))
    assert half.table.filter(group="no complaint")["n"][0] < found.table.filter(group="no complaint")["n"][0]
    assert "N-INCIDENT-UNKNOWN" in [n.code for n in half.notes]


def test_small_groups_are_withheld():
    panel = panel_of(120, np.random.default_rng(2))
    found = csi.emotion_waves(panel, handled="ok")
    assert found.table["share"].is_null().all()
    assert not found.difference.height
    assert "Too few" in found.sentences[0].en


def test_refusals():
    panel = panel_of(200, np.random.default_rng(2))

    def refused(given, **more):
        with pytest.raises(Problems) as caught:
            csi.emotion_waves(given, **more)
        assert all(p.what.zh != p.what.en for p in caught.value.problems)
        return [p.code for p in caught.value.problems]

    apart = panel.frame.with_columns(pl.concat_str("respondent", "wave").alias("respondent"))
    assert refused(replace(panel, frame=apart), handled="ok") == ["E-WAVE"]
    assert refused(replace(panel, frame=panel.frame.drop("respondent"))) == ["E-WAVE"]
    assert refused(panel, handled="okay") == ["E-ROLE"]
    assert refused(panel, handled="angry") == ["E-SCALE"]
    assert refused(panel, handled="ok", complaints=pl.DataFrame({"id": ["c1"]})) == ["E-SETTING"]
    assert refused(panel, cut=0.0) == ["E-SETTING"]
    assert refused(panel, positive="joy") == ["E-ROLE"]
    assert refused(panel, complaints=pl.DataFrame({"id": ["stranger"]})) == ["E-EVENT"]


def test_clusters_in_both_groups_narrow_the_interval_of_their_difference():
    """Two in each cluster, one handled and one not, who turn alike: their shares go together."""
    rng = np.random.default_rng(4)
    n, calm = 200, rng.random(100) < 0.5
    after = np.where(np.repeat(calm, 2), 2.0, 8.0)
    frame = pl.DataFrame({
        "respondent": [f"c{i}" for i in range(n)] * 2, "wave": ["w1"] * n + ["w2"] * n,
        "place": np.tile(np.arange(n) // 2, 2).astype(str),
        "glad": np.concatenate([np.full(n, 2.0), 10 - after]) + rng.choice([-1, 0, 1], 2 * n),
        "angry": np.concatenate([np.full(n, 8.0), after]) + rng.choice([-1, 0, 1], 2 * n),
        "ok": np.concatenate([np.full(n, np.nan), np.tile([1.0, 0.0], n // 2)]),
    }).with_columns(pl.col("ok").fill_nan(None))  # fmt: skip
    wide = csi.Panel(frame, BOOK, frame.select("glad", "angry", "ok").cast(pl.String), ("w1", "w2"))
    near = replace(wide, frame=frame.rename({"place": "cluster"}))
    alone, together = (csi.emotion_waves(p, handled="ok", patterns=2).difference.row(0) for p in (wide, near))
    assert together[1] == alone[1] == 0
    assert alone[3] - alone[2] > 0.25
    assert together[3] - together[2] < 0.01
