"""The coding of a study's earlier waves replayed on a new export: what fits, and what does not, item by item."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import polars as pl

from csi.display import Shown, text
from csi.errors import Text
from csi.study.study import Study, given_study
from csi.survey.cells import clean, codes_of, number
from csi.survey.codebook import Codebook, Item
from csi.survey.columns import Picked, pick, roles_of, used_columns
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers import read_raw
from csi.survey.wave_changes import plain_wording
from csi.survey.wave_columns import is_question
from csi.survey.worded import coded, words_of
from csi.tracking.show import shown

WHAT: Final[Mapping[str, Text]] = {
    "fits": Text("fits", "相符"),
    "no column": Text("no such column", "没有该列"),
    "other wording": Text("another wording", "题干不同"),
    "unknown answers": Text("answers without a code", "没有代码的回答"),
    "outside the scale": Text("outside the scale", "超出量表"),
    "reworded": Text("no such column; perhaps reworded", "没有该列，或已改写"),
    "new column": Text("new column, read by no item", "新列（无题项读取）"),
    "column left": Text("column that left, read by no item", "不再有的列（无题项读取）"),
}

BESIDE: Final = ("new column", "column left")
"""What is told of columns that no item reads; the coding fits all the same."""


@dataclass(frozen=True, slots=True, repr=False)
class Coding(Shown):
    """A study's coding on an export that it has not read yet.

    Attributes:
        table: item, column (that the coding reads), what ("fits", or why not), n (answers concerned), found (answers,
            the wording, or the column that may be meant); below, without an item, columns that the last export of the
            study had not, and those that it had and this one has not.
        entry: the line for `data:`, with the columns that the coding reads; "" where a column is not found.
    """

    table: pl.DataFrame
    entry: str = ""

    @property
    def fits(self) -> bool:
        """Whether everything does."""
        return bool(self.table["what"].is_in(["fits", *BESIDE]).all())


def coding(study: Study | str | Path, file: str | Path, wave: str = "") -> Coding:
    """The coding of a study's last data file (columns, codes of words, missing codes, scales) replayed on an export.

    Nothing is fitted anew: what the coding does not know is listed, and no study, codebook or export is changed.

    Parameters:
        study: whose coding. file: the export. wave: of the export, for the entry.

    Raises:
        Problems: what is wrong with the study; E-FILE and what else keeps the export from being read.

    Example:
        >>> import csi
        >>> csi.coding("data/telecom/study.yaml", "data/telecom/panel.csv").fits
        True
    """
    study = given_study(study)
    last = study.data[-1]
    named = replace(last, path=Path(file), wave=wave or last.wave, place=str(file))
    raw, before = read_raw(named), read_raw(last) if last.path.is_file() else None
    book = study.codebook
    picked = pick(raw, named, book, roles_of(book, [named]))
    rows = [row for item in book.items for row in _rows(item, picked, _wording(item, book, last, before))]
    meant = {row[4] for row in rows if row[2] in {"reworded", "no column"}}
    rows += [*_beside(picked, book, last, before, meant)]
    kinds = {"item": pl.String(), "column": pl.String(), "what": pl.String(), "n": pl.Int64(), "found": pl.String()}
    table = pl.DataFrame(rows, kinds, orient="row")
    return Coding(table, "" if {"no column", "reworded"} & set(table["what"]) else _entry(named))


def _beside(
    picked: Picked, book: Codebook, last: DataFile, before: Raw | None, meant: Collection[str]
) -> Iterator[tuple[str, str, str, int, str]]:
    """Columns that no item reads and the last export had not; those of it that are gone."""
    if before is None:
        return
    now, had, has = picked.raw, before.frame.columns, picked.raw.frame.columns
    read = {*used_columns(book), *last.rename.values(), *picked.columns.values()}
    for column in has:
        if column not in {*had, *meant, *read}:
            yield "", column, "new column", now.frame[column].count(), now.wording.get(column, "")
    for column in had:
        if column not in {*has, *read}:
            yield "", column, "column left", 0, before.wording.get(column, "")


def _wording(item: Item, book: Codebook, last: DataFile, before: Raw | None) -> str:
    """How the last export put the question."""
    column = last.rename.get(item.name, book[item.name].column or item.name)
    return "" if before is None else before.wording.get(column, "")


def _rows(item: Item, picked: Picked, wording: str) -> Iterator[tuple[str, str, str, int, str]]:
    """What the coding finds of an item."""
    column = picked.columns.get(item.name, "")
    if not column:
        wanted = picked.file.rename.get(item.name, item.column or item.name)
        if wanted:
            meant = _meant(wanted, wording, picked.raw)
            what = "reworded" if meant and is_question(wanted) and is_question(meant) else "no column"
            yield item.name, wanted, what, picked.raw.frame.height, meant
        return
    found = [*_answers(item, column, picked)]
    asked = picked.raw.wording.get(column, "")
    if asked and wording and plain_wording(asked) != plain_wording(wording):
        found.append((item.name, column, "other wording", picked.raw.frame[column].count(), asked))
    yield from found or [(item.name, column, "fits", picked.raw.frame[column].count(), "")]


def _answers(item: Item, column: str, picked: Picked) -> Iterator[tuple[str, str, str, int, str]]:
    """Answers that have no code, and those outside the scale."""
    cells = picked.frame.select(clean(pl.col(item.name)).alias("cell")).collect(engine="in-memory")
    counts = (
        cells.filter(pl.col("cell").str.len_chars() > 0).group_by("cell").len("n").sort("n", "cell", descending=True)
    )
    codes = set(codes_of(item, picked))
    value = number(coded(pl.col("cell"), words_of(item, picked)))
    known = counts.with_columns(value.alias("value")).filter(~pl.col("cell").is_in(list(codes)))
    missing = [float(c) for c in codes if _number(c)]
    known = known.filter(~pl.col("value").is_in(missing).fill_null(value=False))
    low, high = item.scale.minimum, item.scale.maximum
    for what, part in (
        ("unknown answers", known.filter(pl.col("value").is_null())),
        ("outside the scale", known.filter(~pl.col("value").is_between(low, high))),
    ):
        if part.height:
            listed = ", ".join(part["cell"].head(SHOWN)) + (", ..." if part.height > SHOWN else "")
            yield item.name, column, what, int(part["n"].sum()), listed


SHOWN: Final = 5
"""Answers that are listed."""


def _number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True


def _meant(wanted: str, wording: str, raw: Raw) -> str:
    """The column whose question is worded so, else one of a like name; "" where there is none."""
    same = [c for c, asked in raw.wording.items() if wording and plain_wording(asked) == plain_wording(wording)]
    return next(iter([*same, *get_close_matches(wanted, raw.frame.columns, 1)]), "")


def _entry(file: DataFile) -> str:
    """The line of a study file that reads the export so."""
    rename = ", ".join(f'{name}: "{column}"' for name, column in file.rename.items())
    parts = [f'file: "{file.path.name}"', *([f'wave: "{file.wave}"'] if file.wave else [])]
    return f"- {{{', '.join([*parts, *([f'rename: {{{rename}}}'] if rename else [])])}}}"


@text.register
def _(value: Coding, lang: str = "en") -> str:
    """What does not fit, else that all does."""
    rest = value.table.filter(pl.col("what") != "fits")
    title = Text("Coding replayed", "沿用编码").say(lang)
    return shown(title, rest, (), lang) if rest.height else Text("The coding fits.", "编码全部相符。").say(lang)
