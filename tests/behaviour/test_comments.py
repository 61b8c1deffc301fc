"""Comments: hand-labelled sentences, themes by hand, refusals, odd comments, both languages, no small cell told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.inference.shares import wilson
from csi.survey.codebook import Codebook, Item, Scale

SENTENCES = pl.read_csv(Path(__file__).parent / "sentences.csv")
TERMS = {"speed": ["快", "慢", "slow", "fast"], "price": ["贵", "价格", "price"]}
GOOD, BAD = "很满意，理赔很快", "价格太贵，很失望"


def table(texts, ids=None, **more):
    return pl.DataFrame({"id": ids or [f"p{i}" for i in range(len(texts))], "text": texts, **more})


def answers(n=200, seed=1, items=3, **keys):
    """A panel with one factor behind three items from 1 to 10, and the factor."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=n)
    names = [f"s{k + 1}" for k in range(items)]
    values = {k: np.clip(np.round(6 + 1.6 * factor + rng.normal(size=n)), 1, 10) for k in names}
    frame = pl.DataFrame({"respondent": [f"p{i}" for i in range(n)], **values, **keys})
    scale = Scale("ten", 1, 10)
    book = tuple(Item(k, "sat", scale, Text(f"Item {k}", f"题项{k}"), attribute=k) for k in names)
    reasons = pl.DataFrame({k: [None] * n for k in names}, schema=dict.fromkeys(names, pl.String))
    return csi.Panel(frame, Codebook(book, {"sat": Text("Satisfaction", "满意度")}, {}), reasons), factor


def test_hand_labelled_sentences_fall_on_their_side():
    found = csi.comments(table(SENTENCES["text"].to_list()), small=0).rows
    side = found.select(pl.when(pl.col("tone") > 0.5).then(1).when(pl.col("tone") < 0.5).then(-1).otherwise(0))[:, 0]
    wrong = SENTENCES.filter(side.to_numpy() != SENTENCES["tone"].to_numpy())["text"].to_list()
    assert wrong == []
    assert found["disconfirmation"].to_list() == SENTENCES["disconfirmation"].to_list()
    assert found["language"].to_list() == SENTENCES["language"].to_list()


def test_every_kind_of_odd_comment_is_counted():
    said = [GOOD, "", None, "👍👍", "100", "Очень хорошо", "客服 support 很 nice", "すごくよかったです"]
    found = csi.comments(table(said), small=0)
    assert dict(found.counts.select("language", "comments").rows()) == {
        "zh": 1, "mixed": 1, "unknown": 2, "emoji": 2, "empty": 2
    }  # fmt: skip
    assert found.rows["tone"].is_not_null().sum() == 2
    unread = next(n for n in found.notes if n.code == "N-TEXT-UNREAD")
    assert (
        unread.text.en
        == "of 8 comments 2 empty, 2 without any letter (emoji, figures), 2 in another language: not read."
    )
    assert "2 条为空" in unread.text.zh


def test_both_languages_in_one_comment_are_read():
    row = csi.comments(table(["客服很好 but the price is terrible"]), lexicon=TERMS, small=0)
    assert row.rows["language"].item() == "mixed"
    assert row.rows["tone"].item() < 0.5  # what follows "but" weighs more
    assert row.respondents.select("attribute", pl.col("tone") < 0.5).rows() == [("price", True)]


def test_a_megabyte_is_read_up_to_a_length():
    found = csi.comments(table(["很好。" * 350_000, BAD]), small=0)
    assert found.rows["text"].str.len_chars().max() == 20_000
    note = next(n for n in found.notes if n.code == "N-TEXT-LONG")
    assert note.text.en.startswith("1 comment is longer than 20,000")
    assert "超过 20000 字" in note.text.zh


def test_a_stated_language_stands():
    found = csi.comments(table([GOOD, "Tres bien merci", "ok"], lang=["zh", "fr", "en"]), small=0)
    assert found.rows["language"].to_list() == ["zh", "unknown", "en"]


def test_themes_by_hand():
    found = csi.comments(table([GOOD, BAD, BAD, "很好"], ids=["a", "b", "b", "c"]), lexicon=TERMS, small=0)
    rows = {r["attribute"]: r for r in found.table.iter_rows(named=True)}
    assert {a: (r["n"], r["mentions"]) for a, r in rows.items()} == {"speed": (1, 1), "price": (1, 2)}
    assert rows["price"]["voice"] == pytest.approx(2 / 3)
    assert rows["price"]["share"] == pytest.approx(1 / 3)
    assert rows["price"]["negative"] == 1.0
    assert found.respondents.filter(id="b").row(0, named=True)["n"] == 2


def test_shares_have_wilson_intervals_at_the_point_of_t():
    said = [GOOD] * 30 + ["很好"] * 70
    row = csi.comments(table(said), lexicon=TERMS).table.row(0, named=True)
    low, high = wilson(np.array(0.3), np.array(100.0), np.array(t.ppf(0.975, 99)))
    assert (row["share_low"], row["share_high"]) == pytest.approx((float(low), float(high)), abs=1e-12)


def test_comments_of_one_writer_go_together():
    said = [GOOD, BAD] * 50
    alone = csi.comments(table(said), small=0).whole.row(0, named=True)
    ids = [f"p{i % 10 // 2 * 2 + i % 2}" for i in range(100)]  # ten writers, each always of one mind
    few = csi.comments(table(said, ids=ids), small=0).whole.row(0, named=True)
    assert few["tone"] == pytest.approx(alone["tone"])
    assert few["tone_high"] - few["tone_low"] > 2 * (alone["tone_high"] - alone["tone_low"])


def test_no_cell_below_the_base_is_told():
    wave = ["w1"] * 60 + ["w2"] * 5
    found = csi.comments(table([GOOD, BAD] * 32 + [GOOD], wave=wave), lexicon=TERMS, by=["wave"])
    for frame in (found.table, found.whole):
        small = frame.filter(pl.col("wave") == "w2")
        assert small.height
        numbers = [c for c in small.columns[small.columns.index("n") + 1 :] if c not in ("flag", "reason", "reason_zh")]
        assert all(small[c].null_count() == small.height for c in numbers)
    assert not any("w2:" in s.en for s in found.sentences)
    few = csi.comments(table([GOOD] * 5))
    assert few.sentences[0].en.startswith("Too few answers")
    assert few.sentences[0].zh.startswith("样本量过少")


def test_order_of_rows_changes_nothing():
    said = table(SENTENCES["text"].to_list() * 3, ids=[f"p{i % 40}" for i in range(3 * SENTENCES.height)])
    first = csi.comments(said, lexicon=TERMS, small=0)
    second = csi.comments(said.sample(fraction=1, shuffle=True, seed=3), lexicon=TERMS, small=0)
    assert first.table.equals(second.table)
    assert first.respondents.equals(second.respondents)


def test_scores_of_the_user_come_first():
    found = csi.comments(table([GOOD, BAD, "Очень хорошо"], score=[-1.0, 1.0, 0.5]), lexicon=TERMS, small=0)
    assert found.rows["tone"].to_list() == [0.0, 1.0, 0.75]
    assert found.analyser == "score"
    assert dict(found.respondents.select("attribute", "tone").rows()) == {"speed": 0.0, "price": 1.0}
    assert csi.comments(table([GOOD], score=[0.0]), analyser="lexicon", small=0).rows["tone"].item() > 0.9


class Half:
    """An analyser of one's own."""

    name, languages = "half", ("zh",)

    def score(self, texts):
        return np.full(len(texts), 0.25)


def test_an_analyser_of_ones_own_reads_its_language():
    found = csi.comments(table([GOOD, "very good"]), analyser=Half(), small=0)
    assert found.rows["tone"].to_list() == [0.25, None]
    assert found.analyser == "half"


@pytest.mark.parametrize(
    ("given", "settings", "en", "zh"),
    [
        (["", "👍"], {}, "no comment can be read (emoji 1, empty 1)", "没有可读的评论"),
        ([GOOD], {"analyser": "lexikon"}, 'nothing called "lexikon"', "没有名为“lexikon”"),
        ([GOOD], {"analyser": "score"}, "no column score", "没有 score 列"),
        ([GOOD], {"analyser": 3}, "an analyser was expected", "需要评分器"),
        ([GOOD], {"by": ["brand"]}, 'neither the comments nor the answers have "brand"', "都没有“brand”"),
    ],
)
def test_refusals(given, settings, en, zh):
    with pytest.raises(Problems) as raised:
        csi.comments(table(given), **settings)
    assert en in raised.value.problems[0].what.en
    assert zh in raised.value.problems[0].what.zh


def test_scores_off_their_scale_are_refused():
    for scale, value in (((0, 1), 5.0), (None, 1000.0)):
        with pytest.raises(Problems) as raised:
            csi.comments(table([GOOD], score=[value]), scale=scale)
        assert raised.value.problems[0].code == "E-TEXT"
        assert "取值为" in raised.value.problems[0].what.zh


def test_ids_that_do_not_join():
    panel, _ = answers()
    with pytest.raises(Problems) as raised:
        csi.comments(table([GOOD], ids=["x1"]), panel)
    assert raised.value.problems[0].code == "E-EVENT"
    some = csi.comments(table([GOOD, BAD], ids=["x1", "p1"]), panel, small=0)
    assert some.rows["id"].to_list() == ["p1"]
    assert any(n.code == "N-EVENT-JOIN" for n in some.notes)


def test_writers_are_set_beside_others():
    panel, factor = answers(400, segment=["a", "b"] * 200)
    wrote = [f"p{i}" for i in np.flatnonzero(factor < -0.5)]
    found = csi.comments(table([BAD] * len(wrote), ids=wrote), panel, outcome="sat")
    row = found.selection.row(0, named=True)
    scores = panel.frame.select(pl.mean_horizontal("s1", "s2", "s3"))[:, 0].to_numpy()
    hundred = 100 * (scores - 1) / 9
    assert row["writers"] == pytest.approx(hundred[factor < -0.5].mean())
    assert row["others"] == pytest.approx(hundred[factor >= -0.5].mean())
    assert row["conf_high"] < 0
    assert found.selection.filter(variable="segment").height == 2
    assert "Those who write differ from others in Satisfaction" in " ".join(s.en for s in found.sentences)


def test_it_reads_in_both_languages():
    found = csi.comments(table([GOOD, BAD] * 60), lexicon=TERMS)
    assert "share of voice" in text(found, "en")
    assert "声量占比" in text(found, "zh")
    assert "Most spoken of" in found.sentences[1].en
