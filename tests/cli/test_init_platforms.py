"""Ids, durations and columns of the platforms in a first draft; constructs behind groups; where scales end."""

import polars as pl
import pytest

from csi.cli.guess import guess
from csi.cli.guess_keys import added
from csi.cli.init_files import short_of
from csi.survey import DataFile
from csi.survey.datafile import Raw
from csi.survey.readers import read_raw

CARD = ["perceived_quality", "satisfaction", "loyalty"]


def drafted(path):
    raw = read_raw(DataFile(path))
    return guess(raw.frame, CARD, raw)


@pytest.fixture
def put(tmp_path):
    def _put(*rows):
        path = tmp_path / "export.csv"
        path.write_text("\n".join(",".join(str(c) for c in row) for row in rows) + "\n", encoding="utf-8")
        return path

    return _put


def test_kobo(put):
    names = ["start", "end", "g1/sat1", "g1/sat2", "g1/ways", "g1/ways/shop", "g1/ways/web", "_id", "_uuid",
             "_submission_time", "_validation_status", "_index", "__version__"]  # fmt: skip
    rows = [[f"2026-03-01T10:00:0{n}.000+08:00", "2026-03-01T10:01:30.000+08:00", 3 + n % 3, 5 - n % 3, "shop", 1, 0, n,
             f"u{n}", "2026-03-01", "approved", n, "v1"] for n in range(6)]  # fmt: skip
    found = drafted(put(names, *rows))
    assert found.roles == {"respondent": "_uuid", "duration": "_duration"}
    assert found.items == {"g1/sat1": "satisfaction", "g1/sat2": "satisfaction"}
    assert short_of("g1/sat1") == "sat1"
    assert "segment" not in found.kinds.values()


def test_limesurvey(put):
    names = ["id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "refurl", "sat[SQ001]", "sat[SQ002]"]
    rows = [[n, f"2026-03-01 10:0{n}:30", 2, "en", 77, "2026-03-01 10:00:00", "x", 1 + n % 5, 10 - n] for n in range(6)]
    found = drafted(put(names, *rows))
    assert found.roles == {"respondent": "id", "duration": "interviewtime"}
    assert found.items == {"sat[SQ001]": "satisfaction", "sat[SQ002]": "satisfaction"}
    assert set(found.scales.values()) == {(1, 10)}
    assert found.kinds == {}


def test_surveymonkey(put):
    names = [
        "Respondent ID",
        "Collector ID",
        "Date Created",
        "Date Modified",
        "Custom Data 1",
        "How satisfied are you?",
    ]
    rows = [[100 + n, 9, "3/1/2026", "3/1/2026", "x", 1 + n % 5] for n in range(6)]
    found = drafted(put(names, ["", "", "", "", "", "Response"], *rows))
    assert found.roles == {"respondent": "Respondent ID"}
    assert found.items == {"How satisfied are you?": "satisfaction"}
    assert found.kinds == {}


def test_columns_of_a_platform_are_told_also_where_it_is_not_recognised():
    frame = pl.DataFrame(
        {"总分": ["80", "90"], "UserLanguage": ["EN", "EN"], "Progress": ["1", "5"], "sat1": ["1", "5"]}
    )
    found = guess(frame, CARD)
    assert set(found.items) == {"Progress", "sat1"}
    assert found.unused["总分"].en.startswith("added by the platform")
    assert added("Progress", "qualtrics")


@pytest.mark.parametrize(
    ("cells", "asked", "scale", "told"),
    [
        (["1", "2", "3", "4", "5", "6"] * 20, "", (1, 6), "nobody answered above 6"),
        (["1", "2", "3", "4", "5", "6"] * 2, "", (1, 7), "sat1 was answered from 1 to 6"),
        (["1", "2", "3", "4", "5"] * 30 + ["6"] * 2, "", (1, 7), "a guess"),
        (["2", "5"], "How satisfied are you (1 = not at all, 6 = very)?", (1, 6), "those that sat1 tells"),
        (["2", "9"], "请用 0-10 分打分", (0, 10), "those that sat1 tells"),
        (["1", "2", "5"], "", (1, 5), ""),
    ],
)
def test_where_a_scale_ends(cells, asked, scale, told):
    frame = pl.DataFrame({"sat1": cells})
    found = guess(frame, CARD, read_like(frame, asked))
    assert found.scales["sat1"] == scale
    assert told in (found.ends[scale].en if told else "")
    assert (scale in found.ends) == bool(told)


def read_like(frame, asked):
    return Raw("a.csv", "", frame, wording={"sat1": asked} if asked else {})


def test_limesurvey_by_code_and_text(put):
    names = ["id. Response ID", "submitdate. Date submitted", "lastpage. Last page", "startlanguage. Start language",
             "seed. Seed", "startdate. Date started", "token. Access code", "ipaddr. IP address",
             "sat[SQ001]. How satisfied? [Quality]", "sat[SQ002]. How satisfied? [Service]",
             "way[A]. Way [A]", "way[B]. Way [B]", "nps. Recommend?"]  # fmt: skip
    words = ["A3", "A1", "A2"]
    rows = [[n, f"2026-03-01 10:0{n % 9}:30", 2, "en", 77, "2026-03-01 10:00:00", f"t{n}", f"10.0.0.{n}", 1 + n % 5,
             5 - n % 5, words[n % 3], words[n % 3], n % 11] for n in range(18)]  # fmt: skip
    raw = read_raw(DataFile(put(names, *rows)))
    assert raw.platform.name == "limesurvey"
    assert raw.personal == ("token. Access code", "ipaddr. IP address")
    assert raw.wording["nps. Recommend?"] == "Recommend?"
    found = guess(raw.frame, CARD, raw)
    assert found.roles == {"respondent": "id. Response ID", "duration": "interviewtime"}
    assert found.items == {names[8]: "satisfaction", names[9]: "satisfaction", "nps. Recommend?": "loyalty"}
    assert found.words[0].codes == {"A1": 1, "A2": 2, "A3": 3}
    assert found.kinds == dict.fromkeys(names[10:12], "other")
    assert short_of(names[8]) == "sat_SQ001"


def test_kobo_questions_that_begin_with_an_underscore(put):
    names = ["_1_Satisfaction_with_service", "g1/sat2", "_id", "_uuid", "_submission_time", "_status", "_shop_altitude"]
    found = drafted(put(names, *([1 + n % 5, 5 - n % 5, n, f"u{n}", "2026-03-01", "sent", 3] for n in range(6))))
    assert found.items == {"_1_Satisfaction_with_service": "satisfaction", "g1/sat2": "satisfaction"}
    assert found.unused["_status"].en == found.unused["_shop_altitude"].en == "added by the platform, not an answer"


def test_an_account_is_personal_for_the_reader_and_for_init(put):
    names = ["编号", "开始答题时间", "结束答题时间", "答题时长", "微信OpenID", "UA", "1.您对服务的满意度"]
    rows = [[n, "2026-03-01 10:00:00", "2026-03-01 10:02:00", "120秒", "o8x", "Mozilla", 1 + n % 5] for n in range(9)]
    raw = read_raw(DataFile(put(names, *rows)))
    found = guess(raw.frame, CARD, raw)
    assert raw.personal == ("微信OpenID",)
    assert "segment" not in found.kinds.values()
    kept = guess(pl.DataFrame({"您使用的手机": ["甲", "乙", "甲"] * 4, "sat1": ["1", "2", "5"] * 4}), CARD)
    assert kept.kinds == {"您使用的手机": "segment"}


def test_a_ticked_choice_is_no_telephone_number(put):
    names = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP", "4、(手机)", "5、手机", "6、手机号"]
    ticked = [[n, "2026/3/1", "9秒", "链接", "N/A", "1.2.3.4", n % 2, "(跳过)", f"1380013800{n}"] for n in range(6)]
    assert read_raw(DataFile(put(names, *ticked))).personal == ("来自IP", "5、手机", "6、手机号")


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("9、其他建议", ["挺好的，联系我 13800138000", "(空)", "(空)"] * 7, "words"),
        ("Any comments?", ["fine as it is", "call me"] * 6, "words"),
        (
            "q9",
            ["我觉得你们的服务总体上还是不错的，就是等的时间有点长，希望以后改进", "没有什么不满意的地方"] * 6,
            "words",
        ),
        ("q9", ["2026-03-01 10:00:00", "2026-03-02 10:00:00"] * 6, "other"),
        ("q9", ["华东"] * 12, "other"),
        ("q9", ["华东", "华北"] * 6, "segment"),
        ("q9", ["I use it at work", "I use it at home"] * 6, "segment"),
    ],
)
def test_texts_dates_and_single_values_are_no_segments(name, cells, kind):
    frame = pl.DataFrame({name: cells, "sat1": (["1", "2", "5"] * 9)[: len(cells)]})
    found = guess(frame, CARD, Raw("a.csv", "", frame, missing={name: {"(空)": "empty"}}))
    assert found.kinds == {name: kind}
    assert (found.unused[name].en == "everybody gave one answer") == (cells == ["华东"] * 12)
