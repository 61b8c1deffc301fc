"""Two exports of the same answers, one by number and one by text: what each code says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from csi.errors import Problem, Problems, problem
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.recipe import ReadTable

NUMBER: Final = r"^\s*-?\d+(\.0+)?\s*$"
"""A code."""


def pair_of(file: DataFile, path: Path, read: ReadTable) -> Raw:
    """The other file, read as the first one is.

    Raises:
        Problems: it cannot be read.
    """
    return read(replace(file, path=path, labels=None))


def labels_of(
    base: Raw, texts: Raw, key: str, questions: Sequence[str], file: DataFile, absent: Collection[str]
) -> dict[str, dict[str, str]]:
    """The value labels of each question that both files hold, from the answer sheets that both hold.

    Parameters:
        base: by number. texts: by text. key: the column that numbers the sheets. absent: cells that are no answers.

    Raises:
        Problems: E-LABELS-FILE where the files hold no sheet together, or where a code has another text in every sheet.
    """
    both = [c for c in questions if c in texts.frame.columns and c in base.frame.columns]
    if key in base.frame.columns and key in texts.frame.columns:
        left = base.frame.select(pl.col(key).alias(" key"), *both)
        right = texts.frame.select(pl.col(key).alias(" key"), *(pl.col(c).alias(f"{c} text") for c in both))
        joined = left.join(right, on=" key", how="inner")
    else:
        joined = pl.DataFrame()
    if not joined.height:
        raise Problems([_strangers(base, texts, key, file)])
    labels: dict[str, dict[str, str]] = {}
    unlike = 0
    for name in both:
        found = _codes(joined.select(pl.col(name).alias("code"), pl.col(f"{name} text").alias("text")), absent)
        if found is None:
            unlike += 1
        elif found:
            labels[name] = found
    if unlike > len(labels):
        raise Problems([_strangers(base, texts, key, file)])
    return labels


def _codes(cells: pl.DataFrame, absent: Collection[str]) -> dict[str, str] | None:
    """Code -> text of one question; empty where it has no codes, None where a code has several texts."""
    text = pl.col("text").str.replace_all(r"〖[^〗]*〗", "").str.strip_chars()
    there = (
        cells.drop_nulls()
        .filter(~pl.col("code").is_in(list(absent)), ~pl.col("text").is_in(list(absent)))
        .select(pl.col("code").str.strip_chars().str.replace(r"\.0+$", ""), text)
        .unique(maintain_order=True)
    )
    if not there.height or not there["code"].str.contains(NUMBER).all() or (there["code"] == there["text"]).all():
        return {}
    if there["code"].n_unique() < there.height:
        return None if there["text"].n_unique() > 1 and there["code"].n_unique() < CODES else {}
    return dict(sorted(there.iter_rows(), key=lambda pair: float(pair[0])))


CODES: Final = 30
"""A question of more numbers than this is one that asks for a number."""


def _strangers(base: Raw, texts: Raw, key: str, file: DataFile) -> Problem:
    return problem(
        "E-LABELS-FILE",
        file.place or base.name,
        f"{base.name} and {texts.name} are not the same answer sheets: by column {key} they share none, "
        "or one code stands for several texts.",
        f"{base.name} 与 {texts.name} 不是同一批答卷：按“{key}”列没有相同的答卷，或同一代码对应多种文字。",
        "Export both at the same time, or remove `labels:` and move the other file out of the folder.",
        "请同时导出这两个文件；或删去 labels，并把另一个文件移出该文件夹。",
    )
