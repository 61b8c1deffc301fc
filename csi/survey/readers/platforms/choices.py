"""Answers with several choices in one cell: a column for each, 1 where it was chosen, or its place in a ranking."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from csi.survey.datafile import Raw

MOST: Final = 60
"""More distinct choices than this are free texts."""


def chosen(column: pl.Series, mark: str, absent: tuple[str, ...] = ()) -> pl.DataFrame:
    """A column "NAME(CHOICE)" for each choice: "1" where it was chosen and "0" where not; null where nobody answered.

    Parameters:
        column: choices joined by `mark`. absent: cells that are no answer; they stand in every column.

    Example:
        >>> chosen(pl.Series("3、渠道", ["电视┋网络", "网络", None]), "┋").to_dict(as_series=False)
        {'3、渠道(电视)': ['1', '0', None], '3、渠道(网络)': ['1', '1', None]}
    """
    lists = column.str.replace_all(r"〖[^〗]*〗", "").str.split(mark).list.eval(pl.element().str.strip_chars())
    return _spread(column, lists, absent, ranked=False)


def ranked(column: pl.Series, mark: str = "→", absent: tuple[str, ...] = ()) -> pl.DataFrame:
    """A column "NAME(CHOICE)" for each choice with its place in the ranking, "0" where it was not named.

    Example:
        >>> ranked(pl.Series("5、排序", ["价格→质量", "质量"])).to_dict(as_series=False)
        {'5、排序(价格)': ['1', '0'], '5、排序(质量)': ['2', '1']}
    """
    lists = column.str.replace_all(r"〖[^〗]*〗", "").str.split(mark).list.eval(pl.element().str.strip_chars())
    return _spread(column, lists, absent, ranked=True)


def filled_in(column: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """The choices without what was typed beside them, and that by itself where there is any.

    Example:
        >>> kept, typed = filled_in(pl.Series("2、职业", ["其他〖厨师〗", "教师"]))
        >>> kept.to_list(), typed.name, typed.to_list()
        (['其他', '教师'], '2、职业〖〗', ['厨师', None])
    """
    typed = column.str.extract(r"〖([^〗]*)〗", 1)
    if not typed.drop_nulls().len():
        return column, None
    return column.str.replace_all(r"〖[^〗]*〗", "").str.strip_chars(), typed.alias(f"{column.name}〖〗")


def is_joined(column: pl.Series, mark: str) -> bool:
    """Whether cells of a column join several choices, few enough to be choices.

    Example:
        >>> is_joined(pl.Series(["a┋b", "a"]), "┋"), is_joined(pl.Series(["a", "b"]), "┋")
        (True, False)
    """
    if not column.str.contains(re.escape(mark)).any():
        return False
    parts = column.drop_nulls().str.replace_all(r"〖[^〗]*〗", "").str.split(mark).explode().str.strip_chars()
    return parts.n_unique() <= MOST


def spread(
    raw: Raw, questions: Collection[str], marks: Sequence[str], absent: tuple[str, ...] = (), *, recurring: bool = False
) -> Raw:
    """The export with choices joined by one of `marks` as columns behind their question, which stays.

    Parameters:
        recurring: whether choices must come again and again to be taken for such, because a mark stands in prose, too.
    """
    parts: list[pl.DataFrame] = []
    for name in raw.frame.columns:
        column = raw.frame[name]
        parts.append(column.to_frame())
        if name in questions:
            mark = next((m for m in marks if is_joined(column, m) and (not recurring or _comes_again(column, m))), "")
            parts += [chosen(column, mark, absent)] if mark else []
    return replace(raw, frame=pl.concat(parts, how="horizontal"))


def _comes_again(column: pl.Series, mark: str) -> bool:
    """Whether most of what is joined in a column occurs in other cells, too."""
    pieces = column.drop_nulls().str.split(mark).explode().str.strip_chars()
    counts = pieces.value_counts()["count"]
    joined = int(column.str.contains(re.escape(mark)).sum())
    return joined > 1 and float(counts.filter(counts > 1).sum()) >= AGAIN * pieces.len()


AGAIN: Final = 0.7
"""The share of recurring pieces that tells choices from prose."""


def _spread(column: pl.Series, lists: pl.Series, absent: tuple[str, ...], *, ranked: bool) -> pl.DataFrame:
    """The columns of all choices, in the order in which they first occur."""
    silent = column.is_in(absent) | column.is_null()
    every = pl.DataFrame({"silent": silent, "choice": lists}).filter(~pl.col("silent"))["choice"].explode()
    names = every.drop_nulls().unique(maintain_order=True).sort().to_list()
    frame = pl.DataFrame({"typed": column, "silent": silent, "choice": lists})
    columns = []
    for name in (n for n in names if n):
        place = pl.col("choice").list.eval(pl.element() == name).list.arg_max() + 1
        hit = pl.col("choice").list.contains(name)
        value = pl.when(hit).then(place if ranked else pl.lit(1)).otherwise(pl.lit(0)).cast(pl.String)
        columns.append(pl.when("silent").then("typed").otherwise(value).alias(f"{column.name}({name})"))
    return frame.select(columns)
