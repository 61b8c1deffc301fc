"""Arrow, Feather and Parquet files: read alike, and what is damaged is told without a page of stack."""

import io
import os

import polars as pl
import pytest
from polars.exceptions import PanicException

from csi.errors import Problems
from csi.survey import DataFile, read_panel
from csi.survey.readers import read_raw
from csi.survey.readers.guarded import guarded

FRAME = pl.DataFrame({"id": ["a", "b", "c"], "s1": [4, 9, None], "s2": [2.0, 5.0, 1.0]})


def written(way: str, **settings: str) -> bytes:
    content = io.BytesIO()
    getattr(FRAME, f"write_{way}")(content, **settings)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.arrow", written("ipc")),
        ("a.ipc", written("ipc", compression="zstd")),
        ("a.feather", written("ipc", compression="lz4")),
        ("a.arrows", written("ipc_stream")),
        ("a.parquet", written("parquet")),
    ],
)
def test_columnar_files_give_the_same_panel(book, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    panel = read_panel(path, book)
    assert panel.frame["s1"].to_list() == [4.0, None, None]
    assert panel.reasons["s1"].to_list() == [None, "refused", "empty"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.arrow", written("ipc")[:-40], "cut off"),
        ("a.arrow", b"ARROW1\0\0" + b"\7" * 40 + b"\x14\0\0\0ARROW1", "not a readable Arrow file"),
        ("a.feather", b"FEA1" + b"\0" * 40, "Feather version 1"),
        ("a.arrow", written("parquet"), "in truth a file of kind .parquet"),
        ("a.parquet", written("ipc"), "in truth a file of kind .arrow"),
        ("a.csv", written("ipc"), "in truth a file of kind .arrow"),
        ("a.parquet", written("parquet")[:-20], "not a readable Parquet file"),
        ("a.arrow", b"id,s1\na,4\n", "not a readable Arrow file"),
    ],
)
def test_damaged_files_and_wrong_kinds_are_told(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Problems) as caught:
        read_raw(DataFile(path))
    (found,) = caught.value.problems
    assert words in found.what.en
    assert found.what.zh != found.what.en


def test_a_panic_becomes_an_exception_and_leaves_nothing_on_the_screen(capfd):
    def panicking():
        with guarded():
            os.write(2, b"thread panicked at ...\n")
            raise PanicException("range end index out of range")

    with pytest.raises(ValueError, match="out of range"):
        panicking()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
