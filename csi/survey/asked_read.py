"""From exports to how each item stood in the export of every wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.survey.asked import Asked
from csi.survey.cells import clean, codes_of, number
from csi.survey.codebook import Codebook, Item
from csi.survey.columns import FILE, Picked
from csi.survey.wave_columns import is_question
from csi.survey.worded import coded, words_of

MOST = 200
"""Distinct answers that are kept by name; of more, only the lowest and the highest are."""


def asked_of(picked: Sequence[Picked], raw: pl.DataFrame, waves: pl.Series, codebook: Codebook) -> tuple[Asked, ...]:
    """Every item in every wave, file by file.

    Parameters:
        raw: (n) the cells of all files as typed, one below the other, with `FILE`. waves: (n,) the wave of each row.

    Returns:
        One entry per file, wave and item in the order of files, first appearance and codebook; none for a single wave.
    """
    if waves.drop_nulls().n_unique() < 2:
        return ()
    frame = raw.with_columns(waves.alias("wave")).filter(pl.col("wave").is_not_null())
    of = {one.raw.name: one for one in picked}
    cells = list(dict.fromkeys(frame.select(FILE, "wave").iter_rows()))
    asked = pl.collect_all([_counted(frame.lazy(), item, of) for item in codebook.items])
    counts = {item.name: _by_cell(found) for item, found in zip(codebook.items, asked, strict=True)}
    return tuple(
        _asked(of[file], wave, item, counts[item.name].get((file, wave), {}))
        for file, wave in cells
        for item in codebook.items
    )


def _counted(frame: pl.LazyFrame, item: Item, of: Mapping[str, Picked]) -> pl.LazyFrame:
    """How many gave each number, or the code of a word, by file and wave."""
    seen = frame.group_by(FILE, "wave", clean(pl.col(item.name)).alias("value")).len("n")
    parts = [
        seen.filter(pl.col(FILE) == name).with_columns(number(coded(pl.col("value"), words_of(item, one))))
        for name, one in of.items()
    ]
    every = pl.concat(parts).drop_nulls("value").group_by(FILE, "wave", "value").agg(pl.col("n").sum())
    return every.sort(FILE, "wave", "value")


def _by_cell(counted: pl.DataFrame) -> dict[tuple[str, str], dict[float, int]]:
    """(file, wave) -> number -> how many gave it."""
    out: dict[tuple[str, str], dict[float, int]] = {}
    for file, wave, x, n in counted.iter_rows():
        out.setdefault((file, wave), {})[x] = n
    return out


def _asked(one: Picked, wave: str, item: Item, counts: Mapping[float, int]) -> Asked:
    """An item in one wave of one file."""
    column = one.columns.get(item.name, "")
    if not column:
        return Asked(wave, item.name, one.raw.name)
    codes = codes_of(item, one)
    missing = {_value(code) for code in codes}
    answers = {x: n for x, n in counts.items() if x not in missing}
    if len(answers) > MOST:
        low, high = min(answers), max(answers)
        answers = {low: answers[low], high: sum(answers.values()) - answers[low]}
    labels = {c: t for c, t in one.raw.labels.get(column, {}).items() if _value(c) not in missing}
    return Asked(wave, item.name, one.raw.name, column, wording_of(column, one), answers, labels)


def wording_of(column: str, one: Picked) -> str:
    """The question behind a column: as the file says, else the header where it is a question itself, else ""."""
    return one.raw.wording.get(column, "") or (column if is_question(column) else "")


def _value(code: str) -> float | str:
    """A code as the number it says, else as it is."""
    try:
        return float(code)
    except ValueError:
        return code.strip()
