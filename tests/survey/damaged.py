"""Exports of every kind and copies of them with damaged bytes: each is read, or one clear message says why not.

python tests/survey/damaged.py FIRST LAST     (reads damaged copies FIRST to LAST of every kind, prints a count)
"""

import io
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyreadstat

import csi
from csi.errors import Problems, Text
from csi.survey import DataFile, read_panel
from csi.survey.codebook import Codebook, Item, Scale

TEN = Scale("ten", 1, 10, {"98": "dont_know"})
BOOK = Codebook(
    tuple(Item(f"q{i}", "satisfaction" if i < 3 else "loyalty", TEN, Text(f"Q{i}", f"问题{i}")) for i in range(1, 5)),
    {},
    {"respondent": "id", "wave": "wave", "weight": "w"},
)
BYTES = (
    b"\x00",
    b"\xff",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\xef\xbb\xbf",
    "，９".encode(),
    b"1e400",
    b"nan",
    b"=",
    b": ",
    b"- ",
)
STUDY = """csi: 1
study: small
data:
  - {file: a.csv}
codebook: codebook.yaml
keys: {respondent: id, wave: wave, weight: w}
model:
  text: |
    satisfaction =~ q1 + q2
    loyalty =~ q3 + q4
    loyalty ~ satisfaction
index: {target: loyalty}
"""
BOOK_TEXT = """scales:
  ten: {min: 1, max: 10, missing: {98: dont_know}}
constructs:
  satisfaction: {zh: 满意度, en: Satisfaction}
  loyalty: {zh: 忠诚度, en: Loyalty}
items:
  - {name: q1, construct: satisfaction, scale: ten, zh: 问题1, en: Q1}
  - {name: q2, construct: satisfaction, scale: ten}
  - {name: q3, construct: loyalty, scale: ten}
  - {name: q4, construct: loyalty, scale: ten}
"""


def answers(n=25):
    """Answers to four questions in two waves."""
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "wave": ["2026Q1"] * (n // 2) + ["2026Q2"] * (n - n // 2),
            "w": np.round(rng.uniform(0.5, 2, n), 3),
            **{f"q{i}": rng.integers(1, 11, n) for i in range(1, 5)},
            "note": ['好，不错"x'] * n,
        }
    )


def exports(folder):
    """Name -> bytes of whole exports."""
    frame = answers()
    book, parquet, arrow = io.BytesIO(), io.BytesIO(), io.BytesIO()
    frame.write_excel(book)
    frame.write_parquet(parquet)
    frame.write_ipc(arrow, compression="zstd")
    rows = pd.DataFrame(frame.to_dict(as_series=False))
    pyreadstat.write_dta(rows, str(folder / "whole.dta"))
    pyreadstat.write_sav(rows, str(folder / "whole.sav"))
    return {
        "a.csv": frame.write_csv().encode(),
        "b.csv": frame.write_csv(separator=";").encode("gb18030"),
        "c.xlsx": book.getvalue(),
        "d.parquet": parquet.getvalue(),
        "e.sav": (folder / "whole.sav").read_bytes(),
        "f.arrow": arrow.getvalue(),
        "g.dta": (folder / "whole.dta").read_bytes(),
    }


def damaged(content, seed):
    """`content` with a few bytes changed, lost, doubled or put in, or with its end cut off; always alike for a seed."""
    draw = np.random.default_rng(list(seed.encode()))
    found = bytearray(content)
    for _ in range(int(draw.choice((1, 1, 2, 5, 20)))):
        if not found:
            break
        first = int(draw.integers(len(found)))
        last = min(len(found), first + int(draw.choice((1, 2, 8, 64, 500))))
        match int(draw.integers(7)):
            case 0:
                found[first] = int(draw.integers(256))
            case 1:
                del found[first:last]
            case 2:
                found[first:first] = found[first:last]
            case 3:
                found[first:first] = BYTES[int(draw.integers(len(BYTES)))]
            case 4:
                found = found[:first]
            case 5:
                found[first:last] = draw.bytes(last - first)
            case _:
                found[first] ^= 1 << int(draw.integers(8))
    return bytes(found)


def outcome(call):
    """ "read", or "told" where every problem has its words in both languages; any other exception goes through."""
    try:
        call()
    except Problems as error:
        clear = all(p.code and p.say("en") and p.say("zh") for p in error.problems)
        return "told" if error.problems and clear else "unclear"
    return "read"


def of_export(path, content):
    """How a panel of these bytes ends."""
    path.write_bytes(content)
    file = DataFile(path, encoding="gb18030" if path.name == "b.csv" else "")
    return outcome(lambda: read_panel(file, BOOK))


def of_study(folder, seed):
    """How a study ends whose study file or codebook is damaged; its answers are read where it stands."""
    texts = {"study.yaml": STUDY.encode(), "codebook.yaml": BOOK_TEXT.encode()}
    which = sorted(texts)[int(seed.split()[0]) % 2]
    for name, text in texts.items():
        (folder / name).write_bytes(damaged(text, seed) if name == which else text)
    (folder / "a.csv").write_bytes(answers().write_csv().encode())
    return outcome(lambda: csi.Study.read(folder / "study.yaml").panel())


def count(first, last):
    """(kind, outcome) -> how many of damaged copies `first` to `last`."""
    found = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = exports(folder)
        for seed in range(first, last):
            for file, content in whole.items():
                found[file, of_export(folder / file, damaged(content, f"{seed} {file}"))] += 1
            found["study", of_study(folder, f"{seed} study")] += 1
    return found


if __name__ == "__main__":
    for (kind, end), many in sorted(count(int(sys.argv[1]), int(sys.argv[2])).items()):
        print(f"{kind:10} {end:5} {many:6}")
