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
