"""问卷星: the file by text, the file by number, and both together."""

import pytest

from csi.errors import Problems
from csi.survey import DataFile
from csi.survey.readers import read_raw

FIELDS = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"]
ITEMS = ["1、您对速度满意吗", "第2题(价格)", "第2题(员工)"]
TEXT = [*FIELDS, *ITEMS, "3、使用渠道", "4、请排序", "5、职业", "6、您的手机号", "总分"]
CODES = [*FIELDS, *ITEMS, "第3题(网点)", "第3题(网络)", "第4题(快)", "第4题(省)", "5、职业", "6、您的手机号", "总分"]
WORDS = ["很不满意", "不满意", "一般", "满意", "很满意"]


def head(number):
    return [number, "2026/3/1 10:05:00", f"{80 + number}秒", "微信", "N/A", "203.0.113.7(广东-深圳)"]


TEXTS = [
    [*head(1), "很满意", "满意", "一般", "网点┋网络", "快→省", "其他〖厨师〗", "13800000001", 9],
    [*head(2), "满意", "(空)", "(跳过)", "网络", "省→快", "教师", "13800000002", 8],
    [*head(3), "很不满意", "不满意", "很满意", "(跳过)", "(跳过)", "教师", "13800000003", 3],
]
NUMBERS = [
    [*head(1), 5, 4, 3, 1, 1, 1, 2, 2, "13800000001", 9],
    [*head(2), 4, -2, -3, 0, 1, 2, 1, 1, "13800000002", 8],
    [*head(3), 1, 2, 5, -3, -3, -3, -3, 1, "13800000003", 3],
]
KEYS = "respondent: 序号, duration: 所用时间"
LABELS = "{min: 1, max: 5, labels: {" + ", ".join(f"{i}: {w}" for i, w in enumerate(WORDS, 1)) + "}}"


def answers(panel):
    return [panel.frame[s].to_list() for s in ("s1", "s2", "s3")]


EXPECTED = [[5.0, 4.0, 1.0], [4.0, None, 2.0], [3.0, None, 5.0]]


@pytest.mark.parametrize("name", ["answers.csv", "answers.xlsx"])
def test_by_number(put, study, name):
    put(name, [CODES, *NUMBERS])
    panel = study(name, ITEMS, KEYS).panel()
    assert answers(panel) == EXPECTED
    assert panel.reasons["s2"].to_list() == [None, "empty", None]
    assert panel.reasons["s3"].to_list() == [None, "skipped", None]
    assert panel.frame["duration"].to_list() == [81.0, 82.0, 83.0]


@pytest.mark.parametrize("named", ["23_22_0.xlsx", "23_22_2.xlsx"])
def test_the_pair_beside_each_other_rebuilds_the_labels(put, study, told, named):
    put("23_22_0.xlsx", [TEXT, *TEXTS])
    path = put("23_22_2.xlsx", [CODES, *NUMBERS]).with_name(named)
    panel = study(named, ITEMS, KEYS).panel()
    assert answers(panel) == EXPECTED
    assert "paired" in told(panel)["N-PAIRED"]
    raw = read_raw(DataFile(path))
    assert raw.platform.name == "wjx"
    assert "序号" in raw.platform.why.zh
    assert raw.labels[ITEMS[0]] == {"1": "很不满意", "4": "满意", "5": "很满意"}
    assert raw.labels["5、职业"] == {"1": "教师", "2": "其他"}
    assert raw.wording[ITEMS[0]] == "您对速度满意吗"
    assert set(raw.personal) == {"来自IP", "6、您的手机号"}


def test_a_pair_named_by_the_study_file(put, study):
    put("texts.csv", [TEXT, *TEXTS])
    put("codes.csv", [CODES, *NUMBERS])
    panel = study("codes.csv", ITEMS, KEYS, more=", labels: texts.csv").panel()
    assert answers(panel) == EXPECTED


def test_by_text_alone_with_labels_of_the_scale(put, study):
    put("answers.csv", [TEXT, *TEXTS])
    panel = study("answers.csv", ITEMS, KEYS, scale=LABELS).panel()
    assert answers(panel) == EXPECTED
    assert panel.reasons["s2"].to_list() == [None, "empty", None]
    effect = next(e for e in panel.audit if e.rule == "words")
    assert effect.cells == 7


def test_by_text_spreads_choices_ranks_and_what_was_typed(put):
    raw = read_raw(DataFile(put("answers.csv", [TEXT, *TEXTS])))
    frame = raw.frame
    assert frame["3、使用渠道(网点)"].to_list() == ["1", "0", "(跳过)"]
    assert frame["3、使用渠道(网络)"].to_list() == ["1", "1", "(跳过)"]
    assert frame["4、请排序(省)"].to_list() == ["2", "1", "(跳过)"]
    assert frame["5、职业"].to_list() == ["其他", "教师", "教师"]
    assert frame["5、职业〖〗"].to_list() == ["厨师", None, None]
    assert frame["总分"].to_list() == ["9", "8", "3"]


def test_by_text_without_labels_proposes_them(put, study):
    put("answers.csv", [TEXT, *TEXTS])
    with pytest.raises(Problems) as error:
        study("answers.csv", ITEMS, KEYS).panel()
    (found,) = error.value.problems
    assert found.code == "E-LABELS"
    assert '"很满意" (2, row 2 of s1)' in found.what.en
    assert "labels: {1: 很不满意, 2: 不满意, 3: 一般, 4: 满意, 5: 很满意}" in found.remedy.zh


def test_a_pair_of_other_answers_is_refused(put, study):
    put("texts.csv", [TEXT, *([n + 100, *rest] for n, *rest in TEXTS)])
    put("codes.csv", [CODES, *NUMBERS])
    with pytest.raises(Problems, match="not the same answer sheets"):
        study("codes.csv", ITEMS, KEYS, more=", labels: texts.csv").panel()


def test_two_files_by_number_make_no_pair(put, study, told):
    put("a.csv", [CODES, *NUMBERS])
    put("b.csv", [CODES, *NUMBERS])
    panel = study("a.csv", ITEMS, KEYS, more=", labels: b.csv").panel()
    assert "W-PAIR" in told(panel)
    assert answers(panel) == EXPECTED


def test_an_older_file_in_gbk_is_known_by_its_header(put, study, told):
    put("answers.csv", [CODES, *NUMBERS], encoding="gbk")
    panel = study("answers.csv", ITEMS, KEYS).panel()
    assert answers(panel) == EXPECTED
    assert "GB18030" in told(panel)["N-ENCODING"]


def test_an_export_without_a_question_is_read(put):
    raw = read_raw(DataFile(put("answers.csv", [FIELDS, head(1), head(2)])))
    assert raw.platform.name == "wjx"
    assert raw.frame.height == 2
