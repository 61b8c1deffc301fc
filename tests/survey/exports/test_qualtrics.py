"""Qualtrics: three header rows, the legacy two, a row of them that is missing, previews, unfinished sheets, topics."""

import json

import pytest

from csi.errors import Problems
from csi.survey import DataFile
from csi.survey.readers import read_raw

NAMES = ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate",
         "ResponseId", "RecipientLastName", "RecipientEmail", "LocationLatitude", "DistributionChannel", "UserLanguage",
         "Q1_1", "Q1_2", "Q1_3", "Q2", "Q2 - Topics"]  # fmt: skip
EN = [
    *("Start Date", "End Date", "Response Type", "IP Address", "Progress", "Duration (in seconds)", "Finished"),
    *("Recorded Date", "Response ID", "Recipient Last Name", "Recipient Email", "Location Latitude"),
    *("Distribution Channel", "User Language", "How satisfied are you?\nPlease think of - Speed"),
    *("How satisfied are you? - Price", "How satisfied are you? - Staff", "What else?", "What else? - Topics"),
]
ZH = [
    *EN[:14],
    "您有多满意？\n请回想 - 速度",
    "您有多满意？ - 价格",
    "您有多满意？ - 员工",
    "其他？",
    "其他？ - Topics",
]
IDS = [json.dumps({"ImportId": f"QID{i}", "timeZone": "Asia/Shanghai"}) for i in range(len(NAMES))]


def sheet(number, status="0", finished="1", answers=(4, 5, 3)):
    return ["2026-03-01 10:00:00", "2026-03-01 10:05:00", status, "203.0.113.7", "100", "301", finished,
            "2026-03-01 10:05:01", f"R_{number}", "Li", f"li{number}@example.com", "31.2", "anonymous", "ZH-S",
            *answers, "Fine, thanks", "Service"]  # fmt: skip


SHEETS = [sheet(1), sheet(2, status="1"), sheet(3, finished="0", answers=("", "", "")), sheet(4, answers=(1, 2, 2))]
KEYS = "respondent: ResponseId, duration: 'Duration (in seconds)'"
ITEMS = ["Q1_1", "Q1_2", "Q1_3"]


@pytest.mark.parametrize("questions", [EN, ZH])
@pytest.mark.parametrize("name", ["answers.csv", "answers.xlsx"])
def test_three_header_rows(put, study, told, name, questions):
    put(name, [NAMES, questions, IDS, *SHEETS])
    panel = study(name, ITEMS, KEYS).panel()
    assert panel.frame["respondent"].to_list() == ["R_1", "R_3", "R_4"]
    assert panel.frame["s1"].to_list() == [4.0, None, 1.0]
    assert panel.frame["duration"].to_list() == [301.0] * 3
    notes = told(panel)
    assert "rows 5" in notes["N-NO-ANSWERS"]
    assert "1 answer sheets are not finished" in notes["N-INCOMPLETE"]
    raw = read_raw(DataFile(panel.sources and (study(name, ITEMS, KEYS).data[0].path)))
    assert raw.platform.name == "qualtrics"
    assert "ImportId" in raw.platform.why.en
    assert raw.wording["Q1_1"] == questions[14]
    assert {"IPAddress", "RecipientLastName", "RecipientEmail", "LocationLatitude"} == set(raw.personal)
    assert not {*raw.personal} & {*raw.frame.columns}
    assert raw.numbered("row").collect()["row"].to_list() == [4, 6, 7]


def test_unfinished_sheets_left_out_when_the_study_says_so(put, study, told):
    put("answers.csv", [NAMES, EN, IDS, *SHEETS])
    panel = study("answers.csv", ITEMS, KEYS, more=", incomplete: drop").panel()
    assert panel.frame["respondent"].to_list() == ["R_1", "R_4"]
    assert "left out" in told(panel)["N-INCOMPLETE"]


def test_legacy_export_has_two_header_rows(put, study):
    put("answers.csv", [NAMES, EN, *SHEETS])
    panel = study("answers.csv", ITEMS, KEYS).panel()
    assert panel.frame["s3"].to_list() == [3.0, None, 2.0]


def test_missing_row_of_questions_is_told_and_nothing_is_lost(put, study, told):
    put("answers.csv", [NAMES, IDS, *SHEETS])
    panel = study("answers.csv", ITEMS, KEYS).panel()
    assert panel.frame.height == 3
    assert "row 2" in told(panel)["W-HEADER-ROW"]


def test_missing_row_of_names_stops(put, study):
    put("answers.csv", [EN, IDS, *SHEETS])
    with pytest.raises(Problems) as error:
        study("answers.csv", ITEMS, KEYS).panel()
    assert [p.code for p in error.value.problems] == ["E-HEADER"]
    assert "row 1" in error.value.problems[0].what.en
    assert "第 1 行" in error.value.problems[0].what.zh


def test_a_wrong_answer_is_told_with_its_row_in_the_file(put, study):
    put("answers.csv", [NAMES, EN, IDS, *SHEETS, sheet(5, answers=(4, "nine", 5))])
    with pytest.raises(Problems, match='row 8 "nine"'):
        study("answers.csv", ITEMS, KEYS).panel()


def test_personal_columns_come_when_asked_for_or_used(put, study):
    put("answers.csv", [NAMES, EN, IDS, *SHEETS])
    asked = read_raw(DataFile(put("answers.csv", [NAMES, EN, IDS, *SHEETS]), personal=("RecipientEmail",)))
    assert "RecipientEmail" in asked.frame.columns
    panel = study("answers.csv", ITEMS, "respondent: RecipientEmail").panel()
    assert panel.frame["respondent"][0] == "li1@example.com"
