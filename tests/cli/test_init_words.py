"""csi init on exports whose answers are words only: scales with labels, so that the draft passes its own check."""

import csv
import io
import json
import random

import polars as pl
import pytest
import yaml

from csi import Study
from csi.cli import main
from csi.cli.guess import guess
from csi.cli.guess_order import order_of
from csi.study.panel import read_study_panel

ZH = ["非常不满意", "不满意", "一般", "满意", "非常满意"]
AGREE = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]
SATISFIED = ["Extremely dissatisfied", "Somewhat dissatisfied", "Neither satisfied nor dissatisfied",
             "Somewhat satisfied", "Extremely satisfied"]  # fmt: skip
ASKED = ["Overall, how satisfied are you with us?", "How satisfied are you with our staff?",
         "I would recommend us to friends.", "I would buy from us again."]  # fmt: skip


def answered(rows=60):
    """Levels 0 to 4 of five questions that go together."""
    draw = random.Random(3)  # noqa: S311 - no secret
    for _ in range(rows):
        level = draw.randrange(5)
        yield [min(4, max(0, level + draw.choice([-1, 0, 0, 1]))) for _ in range(5)]


@pytest.fixture
def draft(tmp_path, capsys):
    """Write rows, draft from them; the machine's answer, the study, the codebook and its text."""

    def run(rows, *words, name="export.csv"):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        (tmp_path / name).write_text(text.getvalue(), encoding="utf-8")
        code = main(["init", str(tmp_path / name), "--json", "--lang", "en", *words])
        seen = capsys.readouterr()
        assert code == 0, seen
        study, book = ((tmp_path / f"{n}.yaml").read_text(encoding="utf-8") for n in ("study", "codebook"))
        return json.loads(seen.out), yaml.safe_load(study), yaml.safe_load(book), book

    return run


def test_wjx_by_text_is_drafted_with_the_codes_of_its_words(draft, tmp_path):
    head = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP",
            "1、总体满意度", "2、服务满意度", "3、价格满意度", "4、您会推荐我们吗", "总分"]  # fmt: skip
    will = ["肯定不会", "可能不会", "不一定", "可能会", "肯定会"]
    rows = [[n, "2026/3/1", "85秒", "微信", "N/A", "203.0.113.7", *(ZH[v] for v in r[:3]), will[r[3]], "9"]
            for n, r in enumerate(answered(), 1)]  # fmt: skip
    rows[3][6], rows[4][7] = "(跳过)", "不了解"
    found, study, book, text = draft([head, *rows])
    assert found["still_wrong"] == []
    assert found["roles"] == {"respondent": "序号", "duration": "所用时间"}
    assert found["segments"] == []
    assert study["keys"] == {"respondent": "序号", "duration": "所用时间"}
    assert book["scales"] == {
        "five_words": {"min": 1, "max": 5, "missing": {"不了解": "dont_know"}, "labels": dict(enumerate(ZH, 1))},
        "five_words2": {"min": 1, "max": 5, "missing": {}, "labels": dict(enumerate(will, 1))},
    }
    assert {i["column"]: i["construct"] for i in book["items"]} == {
        "1、总体满意度": "satisfaction", "2、服务满意度": "satisfaction", "3、价格满意度": "satisfaction",
        "4、您会推荐我们吗": "loyalty",
    }  # fmt: skip
    assert "in their customary order" in text
    panel = read_study_panel(Study.read(tmp_path / "study.yaml"))
    first = panel.frame[next(i["name"] for i in book["items"] if i["column"] == "1、总体满意度")]
    assert first.to_list()[:3] == [float(ZH.index(r[6]) + 1) for r in rows[:3]]
    assert first.to_list()[3] is None


def test_qualtrics_by_choice_text_is_drafted_with_keys_and_labels(draft):
    names = ["StartDate", "EndDate", "Status", "Progress", "Duration (in seconds)", "Finished", "RecordedDate",
             "ResponseId", "DistributionChannel", "UserLanguage", "Q1_1", "Q1_2", "Q2", "Q3"]  # fmt: skip
    rows = [
        ["2026-03-01 10:00:00", "2026-03-01 10:05:00", "IP Address", "100", "300", "True", "2026-03-01 10:05:00",
         f"R_{n}", "anonymous", "EN", SATISFIED[r[0]], SATISFIED[r[1]], AGREE[r[2]], AGREE[r[3]]]
        for n, r in enumerate(answered())
    ]  # fmt: skip
    found, study, book, _ = draft([names, [*names[:10], *ASKED], [f'{{"ImportId":"{n}"}}' for n in names], *rows])
    assert found["still_wrong"] == []
    assert study["keys"] == {"respondent": "ResponseId", "duration": "Duration (in seconds)"}
    assert found["segments"] == []
    assert [list(s["labels"].values()) for s in book["scales"].values()] == [SATISFIED, AGREE]
    assert {i["name"]: i["construct"] for i in book["items"]} == {
        "Q1_1": "satisfaction", "Q1_2": "satisfaction", "Q2": "loyalty", "Q3": "loyalty",
    }  # fmt: skip
    assert not {"Progress", "Finished", "Status", "UserLanguage"} & set(found["items"])


def test_google_forms_with_points_that_bear_their_number(draft):
    said = ["1 - Very poor", "2", "3", "4", "5 - Excellent"]
    rows = [["3/1/2026 10:00:00", *(said[v] for v in r[:2]), *(AGREE[v] for v in r[2:4])] for r in answered()]
    found, _, book, text = draft([["Timestamp", *ASKED], *rows])
    assert found["still_wrong"] == []
    assert book["scales"]["five_words"]["labels"] == {1: "1 - Very poor", 5: "5 - Excellent"}
    assert "nobody gave" not in text


def test_words_whose_order_is_not_known_are_listed_for_somebody_to_number(draft):
    said = ["pink", "amber", "mint", "sky"]
    rows = [[n, *r[:3], said[r[3] % 4], said[r[4] % 4]] for n, r in enumerate(answered(), 1)]
    found, _, book, text = draft([["id", "sat1", "sat2", "loy1", "q8", "q9"], *rows])
    assert found["still_wrong"] == []
    assert set(book["scales"]) == {"scale_0_4", "eleven"}
    assert "# words: the order of these words is not known (q8, q9)" in text
    assert "\n#  words: {min: 1, max: 4" in text
    assert "words" in yaml.safe_load(text.replace("\n#  words:", "\n  words:"))["scales"]
    assert "# - {name: q8" in text
    assert "order is not known" in {e["column"]: e["why"] for e in found["unused"]}["q9"]


@pytest.mark.parametrize(
    ("words", "codes", "points"),
    [
        (["满意", "很满意", "一般"], [4, 5, 3], 5),
        (["非常不满意", "不满意", "满意", "非常满意"], [1, 2, 3, 4], 4),
        (["比较满意", "非常不满意", "不太满意", "一般", "非常满意"], [4, 1, 2, 3, 5], 5),
        (["非常不满意", "不满意", "比较不满意", "一般", "比较满意", "满意", "非常满意"], [1, 2, 3, 4, 5, 6, 7], 7),
        (["Strongly agree", "Agree", "Somewhat agree", "Neutral", "Somewhat disagree", "Disagree", "Strongly disagree"],
         [7, 6, 5, 4, 3, 2, 1], 7),
        (["Not at all satisfied", "Slightly satisfied", "Very satisfied", "Extremely satisfied"], [1, 2, 4, 5], 5),
        (["Poor", "Fair", "Good", "Very good", "Excellent"], [1, 2, 3, 4, 5], 5),
        (["Very satisfied", "Fairly satisfied", "Not very satisfied", "Not at all satisfied"], [4, 3, 2, 1], 4),
        (["从不", "偶尔", "经常", "总是"], [1, 2, 3, 4], 4),
    ],
)  # fmt: skip
def test_the_order_of_customary_words(words, codes, points):
    assert order_of(words) == (dict(sorted(zip(words, codes, strict=True), key=lambda pair: pair[1])), points)


ALONE = (
    ["是", "否"],
    ["满意", "不满意"],
    ["男", "女"],
    ["满意"],
    ["满意", "非常同意", "一般"],
    ["Yes", "No", "Maybe"],
    ["红", "红 "],
)


@pytest.mark.parametrize("words", ALONE)
def test_words_that_make_no_order(words):
    assert order_of(words) is None


def test_a_word_that_may_mean_no_answer_is_one_where_the_middle_has_another():
    frame = pl.DataFrame({"q1": ["同意", "一般", "不确定", "非常同意"], "q2": ["同意", "不确定", "不同意", "非常同意"]})
    found = {s.columns: s for s in guess(frame, ["satisfaction"]).words}
    assert found["q1",].missing == {"不确定": "dont_know"}
    assert found["q2",].codes["不确定"] == 3


def test_answers_in_words_find_items_that_run_against_their_block():
    rows = list(answered(80))
    frame = pl.DataFrame({f"sat{j}": [ZH[4 - r[j] if j == 2 else r[j]] for r in rows] for j in range(4)})
    assert list(guess(frame, ["satisfaction"]).against) == ["sat2"]


def test_questions_that_share_a_word_by_chance_are_no_scale():
    frame = pl.DataFrame(
        {"class": ["Economy", "Business", "First"] * 20, "purpose": ["Business", "Leisure", "Other"] * 20}
    )
    found = guess(frame, ["satisfaction"])
    assert found.words == ()
    assert set(found.kinds.values()) == {"segment"}


def test_a_scale_whose_words_bear_every_second_number_ends_where_they_do():
    said = ["1 - Not at all", "3 - Somewhat", "5 - Important", "7 - Very", "9 - Extremely"]
    found = guess(pl.DataFrame({"sat1": said, "sat2": said}), ["satisfaction"])
    assert found.scales == {"sat1": (1, 9), "sat2": (1, 9)}


def test_city_and_gender_are_no_scales_in_words():
    frame = pl.DataFrame(
        {"性别": ["男", "女"] * 20, "q2": ["北京", "上海", "广州", "深圳"] * 10, "sat1": ["1", "5"] * 20}
    )
    found = guess(frame, ["satisfaction"])
    assert found.words == ()
    assert found.kinds == {"性别": "segment", "q2": "segment"}
