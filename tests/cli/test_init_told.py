"""What csi init tells of columns: a scale for each block of questions, and nothing that names a person."""

import polars as pl

from csi.cli.guess import guess
from csi.survey.datafile import Raw
from csi.survey.personal import without_personal


def test_questions_that_are_merely_numbered_have_scales_of_their_own():
    frame = pl.DataFrame(
        {"Q1_1": ["1", "5", "3"], "Q1_2": ["2", "4", "4"], "Q3": ["1", "4", "2"], "Q4": ["0", "8", "10"],
         "sat1": ["1", "5", "2"], "sat2": ["3", "9", "10"]}
    )  # fmt: skip
    found = guess(frame, ["satisfaction"]).scales
    assert found == {"Q1_1": (1, 5), "Q1_2": (1, 5), "Q3": (1, 5), "Q4": (0, 10), "sat1": (1, 10), "sat2": (1, 10)}


def test_what_people_wrote_is_not_quoted():
    frame = pl.DataFrame(
        {"sex": ["f", "m", "f"], "said": ["call me 303-555-0000", "nothing", "张伟"], "sat1": ["7", "1,000", "3"],
         "v9": ["a@b.cn", "7", "3"]}
    )  # fmt: skip
    unused = {c: why.en for c, why in guess(frame, ["satisfaction"]).unused.items()}
    assert unused["said"] == unused["v9"] == "not numbers"
    assert unused["sex"] == 'not numbers: "f", "m"'
    assert unused["sat1"] == 'not numbers: "1,000"'


def test_names_are_known_by_the_question_and_by_what_stands_in_brackets():
    frame = pl.DataFrame({c: ["x1", "x2", "x3"] for c in ("Contact [Name]", "v7", "_gps_latitude", "resp_name", "q")})
    left = without_personal(Raw("a", "", frame, wording={"v7": "Full name", "q": "Which name do you like?"}))
    assert left.personal == ("Contact [Name]", "v7", "_gps_latitude", "resp_name")
    assert left.frame.columns == ["q"]
