"""Cells of a survey (a brand in a wave, a stage): frames of them below each other, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Problems, Text, did_you_mean, problem

ABSENT = Text("(absent)", "（缺失）")
"""Stands for a key without a value."""


GROUPING = ("brand", "wave", "stage", "segment")
"""Keys that make cells, in their order."""


def grouping(columns: Sequence[str], by: Sequence[str], place: str = "by") -> list[str]:
    """The keys asked for, in the order of all keys.

    Parameters:
        columns: what the answers have. by: keys asked for. place: where they were asked for.

    Raises:
        Problems: E-BY for each that the answers have not, with the nearest that they have.

    Example:
        >>> grouping(["id", "wave", "brand"], ["wave", "brand"])
        ['brand', 'wave']
    """
    known = [k for k in GROUPING if k in columns]
    found = []
    for name in by:
        if name not in known:
            hint = did_you_mean(name, known)
            en, zh = f'the answers have no key "{name}".', f"数据中没有“{name}”这一关键列。"
            found.append(problem("E-BY", place, en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)
    return [k for k in known if k in by]


def stacked(keys: pl.DataFrame, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames of cells below each other, with their key columns.

    Example:
        >>> stacked(pl.DataFrame({"brand": ["A", "B"]}), [pl.DataFrame({"n": [1]}), pl.DataFrame({"n": [2]})]).rows()
        [('A', 1), ('B', 2)]
    """
    if not keys.width:
        return pl.concat(frames)
    parts = [pl.concat([keys[[number] * frame.height], frame], how="horizontal") for number, frame in enumerate(frames)]
    return pl.concat(parts)


def cell_name(cell: Mapping[str, object]) -> Text:
    """A cell in words, "" where there are no keys.

    Example:
        >>> cell_name({"brand": "A", "stage": None}).en
        'A (absent)'
    """
    said = [Text(str(v), str(v)) if v is not None and v != "" else ABSENT for v in cell.values()]
    return Text(" ".join(t.en for t in said), " ".join(t.zh for t in said))


def of_cell(cell: Mapping[str, object], parts: Sequence[Text]) -> list[Text]:
    """Sentences with the cell they are about before them.

    Example:
        >>> [t.en for t in of_cell({"brand": "A"}, [Text("It is so.", "如此。")])]
        ['A: It is so.']
    """
    name = cell_name(cell)
    return [Text(f"{name.en}: {t.en}", f"{name.zh}：{t.zh}") if name.en else t for t in parts]


def rows_of(frame: pl.DataFrame, cell: Mapping[str, object]) -> pl.DataFrame:
    """The rows of a cell; all without keys.

    Example:
        >>> rows_of(pl.DataFrame({"brand": ["A", None], "n": [1, 2]}), {"brand": None}).rows()
        [(None, 2)]
    """
    return frame.filter(*(pl.col(k).eq_missing(pl.lit(v)) for k, v in cell.items())) if cell else frame


def cell_names(keys: pl.DataFrame) -> list[str]:
    """The cells in words; one empty name without keys."""
    return [cell_name(row).en for row in keys.iter_rows(named=True)] if keys.width else [""]
