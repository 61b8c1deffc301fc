"""Groups of a multi-group model: which row belongs to which, and cells that have them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from csi.errors import Note, Problem, Problems, Text, note, problem

SHOWN = 5
"""So many groups are named in a message; the rest is counted."""


def with_groups(frame: pl.DataFrame, group: str | None) -> tuple[pl.DataFrame, tuple[str, ...], list[Note]]:
    """Rows with `_group`, the number of their group; groups are numbered in order of first appearance.

    Parameters:
        frame: rows as read. group: the column of the groups; None makes one group of all rows.

    Returns:
        The rows whose group is known, the labels of the groups (none without a column), and notes.

    Raises:
        Problems: there are fewer than two groups.

    Source:
        Rosseel (2012), J. Stat. Softw. 48(2), section 6 (groups in their order of appearance in the data).

    Example:
        >>> with_groups(pl.DataFrame({"school": ["P", "G", "P"]}), "school")[1]
        ('P', 'G')
    """
    if group is None:
        return frame.with_columns(_group=pl.lit(0, dtype=pl.Int64)), (), []
    named = frame.with_columns(_label=_labels(frame[group]))
    known = named.filter(pl.col("_label").is_not_null())
    groups = tuple(known["_label"].unique(maintain_order=True).to_list())
    if len(groups) < 2:
        raise Problems([_too_few(group, groups)])
    number = pl.col("_label").replace_strict(list(groups), list(range(len(groups))), return_dtype=pl.Int64)
    lost = named.height - known.height
    return known.with_columns(_group=number).drop("_label"), groups, [_unknown(group, lost, named.height)] * bool(lost)


def cells_with_all_groups(
    frame: pl.DataFrame, by: Sequence[str], groups: tuple[str, ...]
) -> tuple[pl.DataFrame, list[Note]]:
    """The rows of cells in which every group has rows; a note for each other cell.

    Parameters:
        frame: rows with `_group`. by: key columns that make cells. groups: labels; none for a single group.

    Raises:
        Problems: no cell has rows of every group.

    Example:
        >>> rows = pl.DataFrame({"wave": ["1", "1", "2"], "_group": [0, 1, 0]})
        >>> kept, notes = cells_with_all_groups(rows, ["wave"], ("P", "G"))
        >>> kept.height, notes[0].code
        (2, 'W-CELL-GROUP')
    """
    if not groups:
        return frame, []
    keys = [pl.col(k).cast(pl.String) for k in by] or [pl.lit("").alias("_all")]
    cells = frame.group_by(keys, maintain_order=True).agg(pl.col("_group").unique())
    short = cells.filter(pl.col("_group").list.len() < len(groups))
    if not short.height:
        return frame, []
    if short.height == cells.height:
        raise Problems([_absent(_named(cell), _others(groups, cell[-1])) for cell in short.iter_rows()])
    names = list(by)
    whole = cells.filter(pl.col("_group").list.len() == len(groups)).select(names)
    kept = frame.join(whole, left_on=keys, right_on=names, how="semi", nulls_equal=True, maintain_order="left")
    return kept, [_left_out(_named(cell), _others(groups, cell[-1])) for cell in short.iter_rows()]


def _labels(column: pl.Series) -> pl.Series:
    """Labels as text; whole numbers without their decimals."""
    if column.dtype.is_float() and column.drop_nulls().is_finite().all() and (column.drop_nulls() % 1 == 0).all():
        column = column.cast(pl.Int64)
    return column.cast(pl.String)


def _named(cell: tuple[Any, ...]) -> str:
    """The key values of a cell; its last entry is not one."""
    return " ".join(str(value) for value in cell[:-1])


def _others(groups: tuple[str, ...], have: Sequence[int]) -> Text:
    """The groups that are not there: the first five, and how many there are more."""
    named = [label for number, label in enumerate(groups) if number not in have]
    more = len(named) - SHOWN
    en = ", ".join(named[:SHOWN]) + (f" and {more} more groups" if more > 0 else "")
    return Text(en, "、".join(named[:SHOWN]) + (f" 等 {len(named)} 组" if more > 0 else ""))


def _too_few(group: str, groups: tuple[str, ...]) -> Problem:
    found = f'only "{groups[0]}"' if groups else "nothing"
    found_zh = f"只有“{groups[0]}”" if groups else "没有任何取值"
    return problem(
        "E-GROUP",
        f'column "{group}"',
        f"a multi-group model needs two groups or more; the rows have {found}.",
        f"多组模型至少需要两组，而数据中{found_zh}。",
        "Leave `groups` out, or check the column.",
        "请去掉 groups 设定，或检查该列。",
    )


def _absent(cell: str, labels: Text) -> Problem:
    place = f"{cell}: " if cell else ""
    place_zh = f"{cell}：" if cell else ""
    return problem(
        "E-GROUP",
        "groups",
        f"{place}no usable row of {labels.en}.",
        f"{place_zh}{labels.zh} 没有可用的行。",
        "Take the group out of the data, or look at its absent answers.",
        "请从数据中移除该组，或检查其缺失回答。",
    )


def _left_out(cell: str, labels: Text) -> Note:
    return note(
        "W-CELL-GROUP",
        f"{cell}: no usable row of {labels.en}, so this cell has no result.",
        f"{cell}：{labels.zh} 没有可用的行，该单元没有结果。",
    )


def _unknown(group: str, rows: int, of: int) -> Note:
    return note(
        "N-GROUP-ABSENT",
        f'{rows} of {of} rows have no value in "{group}" and are left out.',
        f"{of} 行中有 {rows} 行的“{group}”为空，已删除。",
    )
