"""Every other platform: its export is recognised, turned, and read through a study file to a panel."""

import pytest

from csi.errors import Problems
from csi.survey import DataFile
from csi.survey.readers import read_raw

FIVE = "{min: 1, max: 5}"
ZH = "{min: 1, max: 5, labels: {1: 很不满意, 2: 不满意, 3: 一般, 4: 满意, 5: 很满意}}"
EN = (
    "{min: 1, max: 5, labels: {1: Very dissatisfied, 2: Dissatisfied, 3: Neutral, 4: Satisfied, "
    "5: [Very satisfied, Extremely satisfied]}}"
)


def answers(panel):
    return [panel.frame[s].to_list() for s in ("s1", "s2", "s3")]


def known(path, name, **more):
    raw = read_raw(DataFile(path, **more))
    assert raw.platform is not None
    assert raw.platform.name == name
    assert raw.platform.why.en
    assert raw.platform.why.zh
    return raw


TENCENT = [
    ["编号", "数据版本", "开始答题时间", "结束答题时间", "答题时长", "地理位置国家和地区",
     "地理位置省", "地理位置市", "用户类型", "用户标识", "昵称", "自定义字段",
     "1.速度满意吗", "2.价格满意吗", "3.员工满意吗", "4.渠道"],
    ["1", "1", "2026-03-01 10:00:00", "2026-03-01 10:01:25", "1分25秒", "中国", "广东", "深圳", "微信", "o6_bm", "阿明",
     "", "满意", "很满意", "(跳过)", "网点┋网络"],
    ["2", "1", "2026-03-01 11:00:00", "2026-03-01 11:00:40", "40秒", "中国", "北京", "北京", "QQ", "o7_cn", "小红", "",
     "不满意", "一般", "满意", "网络"],
]  # fmt: skip


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_tencent(put, study, name):
    raw = known(put(name, TENCENT), "tencent")
    assert set(raw.personal) == {"用户标识", "昵称"}
    assert raw.frame["4.渠道(网点)"].to_list() == ["1", "0"]
    assert raw.wording["1.速度满意吗"] == "速度满意吗"
    keys = "respondent: 编号, duration: 答题时长, segment: 地理位置省"
    panel = study(name, ["1.速度满意吗", "2.价格满意吗", "3.员工满意吗"], keys, ZH).panel()
    assert answers(panel) == [[4.0, 2.0], [5.0, 3.0], [None, 4.0]]
    assert panel.reasons["s3"].to_list() == ["skipped", None]
    assert panel.frame["duration"].to_list() == [85.0, 40.0]


ORIGINAL = [
    ["number", "start", "finish", "Q1", "Q2_R1", "Q2_R2", "Q3_A1", "Q3_A2"],
    ["1", "2026/3/1 10:00:00", "2026/3/1 10:01:25", 5, 4, 3, 1, 0],
    ["2", "2026/3/1 11:00:00", "2026/3/1 11:00:40", 1, 2, 2, 0, 1],
]
READABLE = [
    ["number", "start", "finish", "答题时长", "Q1", "Q2_R1", "Q2_R2", "Q3_A1", "Q3_A2"],
    ["1", "2026/3/1 10:00:00", "2026/3/1 10:01:25", "85", "很满意", "满意", "一般", "网点", ""],
    ["2", "2026/3/1 11:00:00", "2026/3/1 11:00:40", "40", "很不满意", "不满意", "不满意", "", "网络"],
]
WORDS = [["", i, w] for i, w in enumerate(["很不满意", "不满意", "一般", "满意", "很满意"], 1)]
BOOK = [
    ["Q1", "您满意吗", "单选题"], *WORDS,
    ["Q2", "各方面满意吗", "矩阵单选题"], *WORDS,
    ["Q3", "渠道", "多选题"], ["", 1, "网点"], ["", 2, "网络"],
]  # fmt: skip


@pytest.mark.parametrize("named", ["All_Data_Original.csv", "All_Data_Readable.csv"])
def test_wenjuan_in_three_files_of_gbk(put, study, named):
    for name, rows in (("All_Data_Original.csv", ORIGINAL), ("All_Data_Readable.csv", READABLE), ("code.csv", BOOK)):
        path = put(name, rows, encoding="gbk")
    raw = known(path.with_name(named), "wenjuan")
    assert raw.labels["Q2_R1"]["5"] == "很满意"
    assert raw.wording["Q3_A1"] == "渠道(网点)"
    panel = study(named, ["Q1", "Q2_R1", "Q2_R2"], "respondent: number, duration: 答题时长").panel()
    assert answers(panel) == [[5.0, 1.0], [4.0, 2.0], [3.0, 2.0]]
    assert panel.frame["duration"].to_list() == [85.0, 40.0]


def test_wenjuan_by_text_alone_with_its_code_book(put, study):
    put("code.csv", BOOK, encoding="gbk")
    put("answers.csv", READABLE, encoding="gbk")
    panel = study("answers.csv", ["Q1", "Q2_R1", "Q2_R2"], "respondent: number").panel()
    assert answers(panel) == [[5.0, 1.0], [4.0, 2.0], [3.0, 2.0]]


LIME = [
    ["id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr", "refurl",
     "G1Q1[SQ001]", "G1Q1[SQ002]", "G1Q2", "G1Q2[other]", "interviewtime", "groupTime12", "G1Q2Time"],
    ["1", "2026-03-01 10:00:00", "2", "zh-Hans", "7", "a", "b", "203.0.113.7", "", "4", "5", "3", "", "61", "9", "3"],
    ["2", "", "1", "en", "8", "a", "b", "203.0.113.8", "", "2", "", "", "", "12", "9", "1"],
    ["3", "2026-03-01 12:00:00", "2", "en", "9", "a", "b", "203.0.113.9", "", "N/A", "1", "2", "x", "55", "18", "2"],
]  # fmt: skip


@pytest.mark.parametrize("separator", [",", ";"])
def test_limesurvey(put, study, told, separator):
    path = put("lime.csv", LIME, encoding="utf-8-sig", separator=separator)
    raw = known(path, "limesurvey")
    assert raw.personal == ("ipaddr",)
    assert raw.frame.columns[-2:] == ["groupTime12", "G1Q2Time"]
    items = ["G1Q1[SQ001]", "G1Q1[SQ002]", "G1Q2"]
    panel = study("lime.csv", items, "respondent: id, duration: interviewtime").panel()
    assert answers(panel) == [[4.0, 2.0, None], [5.0, None, 1.0], [3.0, None, 2.0]]
    assert panel.reasons["s1"].to_list() == [None, None, "not_asked"]
    assert "1 answer sheets are not finished" in told(panel)["N-INCOMPLETE"]
    assert "2 columns of timings" in told(panel)["N-TIMINGS"]
    left = study("lime.csv", items, "respondent: id", more=", incomplete: drop").panel()
    assert left.frame["respondent"].to_list() == ["1", "3"]


def test_limesurvey_under_full_headings(put, study):
    names = ["Response ID", "Date submitted", "Last page", "Start language"]
    asked = [
        "G1Q1[SQ001]. How satisfied are you? [Speed]",
        "G1Q1[SQ002]. How satisfied are you? [Price]",
        "G1Q2. Again?",
    ]
    path = put("lime.csv", [[*names, *asked], ["1", "2026-03-01", "2", "en", "Satisfied", "Very satisfied", "Neutral"],
                            ["2", "2026-03-01", "2", "en", "Dissatisfied", "Neutral", "N/A"]])  # fmt: skip
    assert known(path, "limesurvey").wording[asked[0]] == "How satisfied are you? [Speed]"
    panel = study("lime.csv", asked, "respondent: Response ID", EN).panel()
    assert answers(panel) == [[4.0, 2.0], [5.0, 3.0], [3.0, None]]


KOBO = [
    ["start", "end", "rate/speed", "rate/price", "rate/staff", "channels", "channels/branch", "channels/web",
     "_id", "_uuid", "_submission_time", "_validation_status", "_submitted_by", "_index"],
    ["#date", "#date", "#symmetry", "#symmetry", "#symmetry", "#x", "#x", "#x", "", "", "", "", "", ""],
    ["a", "b", "4", "5", "3", "branch web", "1", "1", "11", "u-1", "2026-03-01", "", "lihua", "1"],
    ["a", "b", "2", "1", "", "web", "0", "1", "12", "u-2", "2026-03-01", "", "lihua", "2"],
]  # fmt: skip
SURVEY = [
    ["type", "name", "label::English (en)", "label::中文 (zh)"],
    ["begin_group", "rate", "Ratings", "评分"],
    *(["select_one five", n, f"How about {n}?", f"{z}如何？"] for n, z in [("speed", "快"), ("price", "价")]),
    ["select_one five", "staff", "How about staff?", "员工如何？"],
    ["end_group", "", "", ""],
    ["select_multiple ways", "channels", "Which?", "哪些？"],
]  # fmt: skip
CHOICES = [
    ["list_name", "name", "label::English (en)", "label::中文 (zh)"],
    *(["five", i, e, z] for i, (e, z) in enumerate([("Awful", "极差"), ("Poor", "差"), ("Fair", "一般"), ("Good", "好"),
                                                    ("Great", "极好")], 1)),
    ["ways", "branch", "Branch", "网点"], ["ways", "web", "Web", "网络"],
]  # fmt: skip


def test_kobo_with_tags_and_semicolons(put, study, told):
    raw = known(put("kobo.csv", KOBO, separator=";"), "kobo")
    assert raw.personal == ("_submitted_by",)
    assert raw.first_row == 3
    panel = study("kobo.csv", ["rate/speed", "rate/price", "rate/staff"], "respondent: _uuid").panel()
    assert answers(panel) == [[4.0, 2.0], [5.0, 1.0], [3.0, None]]
    assert "row 2" in told(panel)["N-TAGS"]


def test_kobo_workbook_with_a_sheet_for_a_repeat(put, study, told):
    put("kobo.xlsx", [KOBO[0], *KOBO[2:]], visits=[["_parent_index", "score"], [1, 5]])
    panel = study("kobo.xlsx", ["rate/speed", "rate/price", "rate/staff"], "respondent: _uuid").panel()
    assert panel.frame.height == 2
    assert "visits" in told(panel)["N-SHEET"]


@pytest.mark.parametrize("how", ["codes", "english", "chinese"])
def test_kobo_with_its_form(put, study, tmp_path, how):
    put("form.xlsx", [["x"]], survey=SURVEY, choices=CHOICES)
    says = {"codes": str, "english": lambda c: CHOICES[int(c)][2], "chinese": lambda c: CHOICES[int(c)][3]}[how]
    rows = [[*r[:2], *(says(c) if c else "" for c in r[2:5]), *r[5:6], *r[8:]] for r in KOBO[2:]]
    path = put("kobo.csv", [[*KOBO[0][:6], *KOBO[0][8:]], *rows])
    raw = known(path, "kobo")
    assert raw.wording["rate/speed"] == "How about speed? / 快如何？"
    assert raw.labels["rate/speed"]["5"] == "Great / 极好"
    assert raw.frame["channels/branch"].to_list() == ["1", "0"]
    panel = study("kobo.csv", ["rate/speed", "rate/price", "rate/staff"], "respondent: _uuid").panel()
    assert answers(panel) == [[4.0, 2.0], [5.0, 1.0], [3.0, None]]


def test_odk(put, study):
    rows = [["SubmissionDate", "meta-instanceID", "rate-speed", "rate-price", "rate-staff", "KEY"],
            ["2026-03-01", "uuid:1", "4", "5", "3", "uuid:1"],
            ["2026-03-01", "uuid:2", "2", "1", "", "uuid:2"]]  # fmt: skip
    known(put("odk.csv", rows), "odk")
    panel = study("odk.csv", ["rate-speed", "rate-price", "rate-staff"], "respondent: KEY").panel()
    assert answers(panel) == [[4.0, 2.0], [5.0, 1.0], [3.0, None]]


MONKEY = [
    ["Respondent ID", "Collector ID", "Date Created", "Date Modified", "IP Address", "Email Address", "First Name",
     "Last Name", "Custom Data 1", "How satisfied are you with ...", "", "Overall?", "Which do you use?", "", ""],
    ["", "", "", "", "", "", "", "", "", "Speed", "Price", "Response", "Branch", "Web", "Other (please specify)"],
    ["101", "9", "a", "b", "203.0.113.7", "a@b.cn", "Hua", "Li", "", "Satisfied", "Very satisfied", "Neutral", "Branch",
     "Web", ""],
    ["102", "9", "a", "b", "203.0.113.8", "c@d.cn", "Jo", "Wu", "", "Dissatisfied", "", "Satisfied", "", "Web", "x"],
    ["103", "9", "a", "b", "203.0.113.8", "c@d.cn", "Jo", "Wu", "", "Neutral", "Neutral", "Neutral", "", "", ""],
]  # fmt: skip


@pytest.mark.parametrize("name", ["monkey.csv", "monkey.xlsx"])
def test_surveymonkey(put, study, name):
    raw = known(put(name, MONKEY), "surveymonkey")
    assert {"IP Address", "Email Address", "First Name", "Last Name"} <= set(raw.personal)
    items = ["How satisfied are you with ... [Speed]", "How satisfied are you with ... [Price]", "Overall?"]
    assert set(items) <= set(raw.frame.columns)
    assert raw.frame["Which do you use? [Branch]"].to_list() == ["1", "0", None]
    assert raw.frame["Which do you use? [Web]"].to_list() == ["1", "1", None]
    panel = study(name, items, "respondent: Respondent ID", EN).panel()
    assert answers(panel) == [[4.0, 2.0, 3.0], [5.0, None, 3.0], [3.0, 4.0, 3.0]]


def test_surveymonkey_without_its_second_header(put, study, told):
    rows = [
        ["Respondent ID", "Collector ID", "A?", "B?", "C?"],
        ["101", "9", "5", "4", "3"],
        ["102", "9", "1", "2", "2"],
    ]
    put("monkey.csv", rows)
    panel = study("monkey.csv", ["A?", "B?", "C?"], "respondent: Respondent ID").panel()
    assert answers(panel) == [[5.0, 1.0], [4.0, 2.0], [3.0, 2.0]]
    assert "row 2" in told(panel)["W-HEADER-ROW"]


GOOGLE_EN = [
    ["Timestamp", "Email Address", "How satisfied are you? [Speed]", "How satisfied are you? [Price]",
     "Overall, how was it?", "Which channels do you use?", "Anything else?"],
    ["3/1/2026 10:00:00", "a@b.cn", "Satisfied", "Extremely  Satisfied", "Neutral", "Branch, Web", "Fine, thanks"],
    ["3/1/2026 11:00:00", "c@d.cn", "Dissatisfied", "", "satisfied", "Web, Phone", "No, nothing"],
    ["3/1/2026 12:00:00", "e@f.cn", "Neutral", "Neutral", "Neutral", "Branch, Phone", "Well, ok"],
]  # fmt: skip
GOOGLE_ZH = [
    ["时间戳记", "您对速度的满意程度是？", "您对价格的满意程度是？", "总体而言，您满意吗？", "您使用哪些渠道？"],
    ["2026/3/1 10:00:00", "满意", "很满意", "一般", "网点;网络"],
    ["2026/3/1 11:00:00", "不满意", "", "满意", "网络;电话"],
    ["2026/3/1 12:00:00", "一般", "一般", "一般", "网点;电话"],
]  # fmt: skip


@pytest.mark.parametrize(("rows", "scale", "at"), [(GOOGLE_EN, EN, 2), (GOOGLE_ZH, ZH, 1)])
@pytest.mark.parametrize("name", ["form.csv", "google.xlsx"])
def test_google_forms(put, study, rows, scale, at, name):
    raw = known(put(name, rows), "google")
    assert "Email Address" not in raw.frame.columns
    boxes = rows[0][at + 3]
    assert raw.frame[f"{boxes}({'Web' if at == 2 else '网络'})"].to_list() == ["1", "1", "0"]
    assert "Anything else?(Fine)" not in raw.frame.columns
    panel = study(name, rows[0][at : at + 3], "", scale).panel()
    assert answers(panel) == [[4.0, 2.0, 3.0], [5.0, None, 3.0], [3.0, 4.0, 3.0]]


def test_google_forms_with_words_of_no_code(put, study):
    put("form.csv", [*GOOGLE_EN, ["3/2/2026", "g@h.cn", "So so", "Neutral", "Neutral", "", ""]])
    with pytest.raises(Problems) as error:
        study("form.csv", GOOGLE_EN[0][2:5], "", EN).panel()
    (found,) = error.value.problems
    assert found.code == "E-LABELS"
    assert '"So so" (1, row 5 of s1)' in found.what.en


@pytest.mark.parametrize("name", ["plain.csv", "plain.xlsx"])
def test_a_plain_table_is_no_platform(put, name):
    raw = read_raw(DataFile(put(name, [["id", "timestamp", "q1"], ["1", "x", "5"], ["2", "y", "4"]])))
    assert raw.platform is None
