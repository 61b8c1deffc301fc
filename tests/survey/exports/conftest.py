"""Exports of every platform are written here cell by cell, and read through a study file."""

import csv
import io

import pytest
import xlsxwriter

from csi import Study


@pytest.fixture
def put(tmp_path):
    """Write rows as CSV or as a workbook, by the suffix of the name."""

    def _put(name, rows, encoding="utf-8", separator=",", **sheets):
        path = tmp_path / name
        if path.suffix == ".xlsx":
            with xlsxwriter.Workbook(path) as book:
                for title, lines in {"Sheet1": rows, **sheets}.items():
                    sheet = book.add_worksheet(title)
                    for number, line in enumerate(lines):
                        for place, cell in enumerate(line):
                            if cell not in ("", None):
                                sheet.write(number, place, cell)
            return path
        text = io.StringIO()
        csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
        path.write_bytes(text.getvalue().encode(encoding))
        return path

    return _put


@pytest.fixture
def study(tmp_path):
    """A study of satisfaction items and one of loyalty on `columns` of a file, as its `Study`."""

    def _study(file, columns, keys="", scale="{min: 1, max: 5}", more="", rules="empty_rows: flag"):
        items = "\n".join(
            f"    - {{name: s{i}, construct: {'satisfaction' if i < len(columns) else 'loyalty'}, scale: five, "
            f"column: {_quoted(c)}}}"
            for i, c in enumerate(columns, 1)
        )
        block = " + ".join(f"s{i}" for i in range(1, len(columns)))
        text = f"""\
csi: 1
study: small
title: {{zh: 小研究, en: Small}}
sector: {{zh: 试, en: Test}}
language: en
data: [{{file: {file}{more}}}]
keys: {{{keys}}}
rules: {{{rules}}}
index: {{target: satisfaction}}
model:
  text: |
    satisfaction =~ {block}
    loyalty =~ s{len(columns)}
    loyalty ~ satisfaction
codebook:
  scales: {{five: {scale}}}
  items:
{items}
"""
        path = tmp_path / "study.yaml"
        path.write_text(text, encoding="utf-8")
        return Study.read(path)

    return _study


def _quoted(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture
def told():
    """The code of every note of a panel, with its English text."""

    def _told(panel):
        return {n.code: n.text.en for n in panel.notes}

    return _told
