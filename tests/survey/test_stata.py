"""Stata files: codes, labels, questions, and extended missing values with reasons."""

import numpy as np
import pandas as pd
import pytest

from csi.errors import Problems
from csi.survey import DataFile, read_panel
from csi.survey.codebook import Codebook
from csi.survey.readers import read_raw

MISSING = 2_147_483_621
"""Stata's "." among the values of labels; .a to .z follow it."""


@pytest.fixture
def dta(tmp_path):
    """Answers with .a, .b and .c, as Stata 14 and later write them: bytes 102 to 104 of a one-byte variable."""
    path = tmp_path / "answers.dta"
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "s1": np.array([4, 77, 78, 5, 79], dtype="int8"),
            "s2": [2.0, 5.0, 1.0, None, 3.0],
            "b": np.array([1, 2, 1, 2, 1], dtype="int8"),
            "when": pd.to_datetime(["2026-01-05"] * 5),
        }
    )
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        variable_labels={"s1": "总体满意度", "b": "Brand"},
        value_labels={"s1": {1: "bad", MISSING + 1: "Refused", MISSING + 2: "不知道"}, "b": {1: "中讯", 2: "远通"}},
    )
    content = path.read_bytes()
    begin, end = content.index(b"<data>"), content.index(b"</data>")
    cells = content[begin:end].translate(bytes.maketrans(bytes((77, 78, 79)), bytes((102, 103, 104))))
    path.write_bytes(content[:begin] + cells + content[end:])
    return path


def test_extended_missing_values_keep_their_reasons(book, dta):
    panel = read_panel(dta, book)
    assert panel.frame["s1"].to_list() == [4.0, None, None, 5.0, None]
    assert panel.reasons["s1"].to_list() == [None, "refused", "dont_know", None, "skipped"]
    assert panel.reasons["s2"].to_list() == [None, None, None, "empty", None]
    assert any("s1 .c" in note.say() for note in panel.notes)


def test_labels_and_questions_of_stata(book, dta):
    raw = read_raw(DataFile(dta))
    assert raw.frame["s1"].to_list() == ["4", ".a", ".b", "5", ".c"]
    assert raw.frame["when"][0] == "2026-01-05"
    assert raw.wording == {"s1": "总体满意度", "b": "Brand"}
    keyed = Codebook(book.items, book.constructs, {"respondent": "id", "brand": "b"})
    assert read_panel(dta, keyed).brands == ("中讯", "远通")


def test_damaged_stata_files_are_told(dta, tmp_path):
    content = dta.read_bytes()
    for kept in (content[:60], content[: content.index(b"<data>") + 9], b"<stata_dta>" + b"\0" * 400):
        path = tmp_path / "bad.dta"
        path.write_bytes(kept)
        with pytest.raises(Problems, match="not a readable Stata file"):
            read_raw(DataFile(path))
    path = tmp_path / "named.csv"
    path.write_bytes(content)
    with pytest.raises(Problems, match=r"in truth a file of kind \.dta"):
        read_raw(DataFile(path))


def test_old_stata_files_say_that_their_encoding_is_not_told(tmp_path):
    path = tmp_path / "old.dta"
    frame = pd.DataFrame({"id": ["a", "b"], "b": np.array([1, 2], dtype="int8")})
    frame.to_stata(path, write_index=False, version=114, value_labels={"b": {1: "Zhong", 2: "Yuan1"}})
    assert not read_raw(DataFile(path)).notes
    path.write_bytes(path.read_bytes().replace(b"Zhong", "中讯".encode("gb18030") + b"\0"))
    assert [n.code for n in read_raw(DataFile(path)).notes] == ["N-STATA-TEXT"]
    told = read_raw(DataFile(path, encoding="gb18030"))
    assert (told.labels["b"]["1"], told.notes) == ("中讯", ())


def test_an_encoding_that_does_not_exist_is_told(dta):
    with pytest.raises(Problems, match="not a readable Stata file"):
        read_raw(DataFile(dta, encoding="no-such-code"))
