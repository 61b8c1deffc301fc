"""Coded mentions: hand counts, Wilson, agreement, every refusal."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint

import csi
from csi.errors import Problems, Text


def coded(n=60, slip=0.0, seed=1):
    """Two coders of n interviews; speed is brought up unasked, trust only when asked about."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n):
        truth = [("speed", rng.random() < 0.15, -1), ("trust", rng.random() < 0.9, 1)]
        truth = [m for m in truth if rng.random() < 0.8]
        for coder in ("A", "B"):
            kept = [m for m in truth if rng.random() >= slip]
            rows += [(person, a, int(aided), v, coder) for a, aided, v in kept] or [(person, None, None, None, coder)]
    return pl.DataFrame(rows, schema=["id", "attribute", "aided", "valence", "coder"], orient="row")


def test_counts_by_hand():
    frame = pl.DataFrame(
        {
            "id": ["1", "1", "2", "3", "3", "4"],
            "attribute": ["speed", "speed", "speed", "speed", "price", None],
            "aided": ["yes", "no", "yes", "no", "yes", None],
            "valence": ["negative", "negative", "0", "1", None, None],
        }
    )
    row = csi.mentions(frame).table.row(by_predicate=pl.col("attribute") == "speed", named=True)
    assert (row["respondents"], row["mentioned"], row["unaided"]) == (4, 3, 2)  # who says it unasked once is unaided
    assert row["share_mentioned"] == 0.75
    assert (row["valence"], row["negative"]) == (pytest.approx(0.0), pytest.approx(1 / 3))
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(proportion_confint(2, 3, method="wilson"))


def test_planted_kinds_come_out():
    found = csi.mentions(coded(120))
    kinds = dict(found.table.select("attribute", "kind").rows())
    assert kinds == {"speed": "explicit", "trust": "implicit"}
    assert found.sentences[0].en == "Explicit: speed; implicit: trust."
    assert found.sentences[0].zh == "显性：speed；隐性：trust。"
    assert found.agreement.filter(what="mentioned")["alpha"].item() == 1.0
    assert found.agreement["what"].to_list() == ["mentioned", "aided", "valence"]


def test_coders_that_slip_agree_less_and_it_is_said():
    found = csi.mentions(coded(120, slip=0.4))
    row = found.agreement.filter(what="mentioned").row(0, named=True)
    assert row["conf_low"] < row["alpha"] < row["conf_high"] < 0.667
    assert any(n.code == "W-CODERS" and "too little to build on" in n.text.en for n in found.notes)


def test_half_of_the_coders_make_a_mention():
    frame = pl.DataFrame(
        {"id": [1, 1, 1], "attribute": ["a", None, None], "aided": [0, None, None], "coder": ["A", "B", "C"]}
    )
    more = pl.concat(
        [frame, frame.with_columns(id=pl.lit(2, pl.Int64), attribute=pl.lit("a"), aided=pl.lit(0, pl.Int64))]
    )
    assert csi.mentions(more).table["mentioned"].item() == 1


def test_one_coder_is_said():
    found = csi.mentions(coded().filter(pl.col("coder") == "A"), respondents=80)
    assert not found.agreement.height
    assert found.respondents == 80
    assert any(n.code == "W-CODERS" for n in found.notes)


def test_a_file_reads_like_a_frame(tmp_path):
    coded().write_csv(tmp_path / "mentions.csv")
    assert csi.mentions(tmp_path / "mentions.csv").table.equals(csi.mentions(coded()).table)


@pytest.mark.parametrize(("lang", "word"), [("en", "Krippendorff's alpha"), ("zh", "显性程度")])
def test_it_shows_itself(lang, word):
    assert word in csi.display.text(csi.mentions(coded()), lang)


GOOD = {"id": ["1"], "attribute": ["speed"], "aided": ["1"]}
THREE = {"id": ["1", "2", "3"], "attribute": ["speed"] * 3, "aided": ["1"] * 3}


@pytest.mark.parametrize(
    ("columns", "arguments", "words", "zh"),
    [
        ({"attribute": ["a"], "aided": ["1"]}, {}, "no column id", "缺少列 id"),
        ({"id": ["1"], "aided": ["1"]}, {}, "no column attribute", "缺少列 attribute"),
        (GOOD | {"aided": ["maybe"]}, {}, "not yes or no (row 1: 'maybe')", "不是“是/否”"),
        (GOOD | {"valence": ["7"]}, {}, "not -1, 0 or 1", "不是“-1、0、1”"),
        (GOOD | {"id": [""]}, {}, "not text", "不是文字"),
        (GOOD | {"attribute": [None]}, {}, "no row names an attribute", "没有任何一行写明属性"),
        (GOOD, {"attributes": {"spede": Text("", "")}}, "is not in the codebook. Did you mean", "没有属性“speed”"),
        (GOOD | {"id": [], "attribute": [], "aided": []}, {}, "no rows", "没有数据行"),
        (THREE, {"respondents": 2}, "the table has 3", "已有 3 人"),
    ],
)  # fmt: skip
def test_refusals_in_both_languages(columns, arguments, words, zh):
    with pytest.raises(Problems) as raised:
        csi.mentions(pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.String)), **arguments)
    assert {p.code for p in raised.value.problems} == {"E-MENTIONS"}
    assert words in str(raised.value)
    assert any(zh in p.say("zh") for p in raised.value.problems)


def test_what_agreement_cannot_be_told_says_why():
    once = pl.DataFrame({"id": ["1", "2"], "attribute": ["speed", "speed"], "aided": ["no", "no"], "coder": ["A", "B"]})
    found = csi.mentions(once)
    assert found.agreement["alpha"].null_count() == 3
    assert found.agreement["reason"].to_list() == [found.reasons["R-CODED-ONCE"].text.en] * 3
    assert set(found.reasons) == {"R-CODED-ONCE", "R-NOT-CODED"}  # no valence either
    assert found.table["reason_zh"].to_list() == [found.reasons["R-NOT-CODED"].text.zh]
    assert "nothing was judged by two coders" in csi.display.text(found, "en")
    assert "没有任何内容由两名编码员共同判断" in csi.display.text(found, "zh")
    same = pl.concat([once, once.with_columns(coder=pl.Series(["B", "A"]))])
    told = dict(csi.mentions(same).agreement.select("what", "reason").iter_rows())
    assert "all judgements are the same" in told["mentioned"]
    assert csi.mentions(coded(60, slip=0.1)).agreement["reason"].null_count() == 3
