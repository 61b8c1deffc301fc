"""What is wrong with the rows of an event table: unreadable cells, amounts and spells that cannot be, repeated rows."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from csi.errors import Note, Problem, Text, note, problem
from csi.survey.event_kinds import KINDS, Holds
from csi.survey.placed import placed

WORDS = {
    "number": Text("a number", "数值"),
    "flag": Text("yes or no (1 or 0)", "“是/否”（1/0）"),
    "text": Text("filled in", "填写内容"),
    "words": Text("text", "文字"),
    "date": Text("a date", "日期"),
    "time": Text("a time", "时间"),
}
"""What a column should hold, in words."""


def cell_problems(
    raw: pl.Series, typed: pl.Series, holds: Holds, *, needed: bool, place: str, counts: pl.Series | None = None
) -> Iterator[Problem]:
    """Cells that cannot be read, and empty ones of a needed column; `counts`: in which rows, in all where None.

    Example:
        >>> raw, typed = pl.Series(["5", "x"]), pl.Series([5.0, None])
        >>> [p.what.en for p in cell_problems(raw, typed, "number", needed=False, place="a")]
        ["1 cell is not a number (row 2: 'x')."]
    """
    plain = raw.cast(pl.String).str.strip_chars()
    empty = plain.is_null() | (plain == "")
    bad = typed.is_null() & ~empty if not needed or holds == "words" else typed.is_null()
    if holds == "number":
        bad = bad | ~typed.is_finite().fill_null(value=True)
    rows = (bad if counts is None else bad & counts).arg_true().to_list()
    if rows:
        listed = placed(rows, [raw[i] for i in rows], place)
        are = "1 cell is" if len(rows) == 1 else f"{len(rows)} cells are"
        en, zh = (
            f"{are} not {WORDS[holds].en} ({listed.en}).",
            f"{len(rows)} 个单元格不是{WORDS[holds].zh}（{listed.zh}）。",
        )
        yield problem("E-EVENT", place, en, zh, "Correct these cells.", "请更正这些单元格。")


def row_problems(frame: pl.DataFrame, kind: str, name: str) -> Iterator[Problem]:
    """Amounts below zero, what ends before it starts, handling scored by people who did not complain."""
    if kind == "purchases" and "amount" in frame.columns:
        yield from _told(
            frame, pl.col("amount") < 0, "amount", f'{name}, column "amount"',
            Text("amounts below 0", "金额为负"),
            Text("Keep refunds in a table of their own.", "退款请另表存放，不要写成负的购买。"),
        )  # fmt: skip
    for first, last in (("start", "end"), ("opened", "closed"), ("joined", "left")):
        if {first, last} <= set(frame.columns) and KINDS[kind].time == first:
            yield from _told(
                frame, pl.col(last) < pl.col(first), last, f'{name}, column "{last}"',
                Text(f"{last} before {first}", f"{last} 早于 {first}"),
                Text("Correct the dates of these rows.", "请更正这些行的日期。"),
            )  # fmt: skip
    if "duration" in frame.columns and kind == "spells":
        yield from _told(
            frame, pl.col("duration") <= 0, "duration", f'{name}, column "duration"',
            Text("durations of 0 or less", "时长不大于 0"), Text("Correct these cells.", "请更正这些单元格。"),
        )  # fmt: skip
    if {"complained", "handled_score"} <= set(frame.columns):
        asked = ~pl.col("complained") & pl.col("handled_score").is_not_null()
        yield from _told(
            frame, asked, "handled_score", f'{name}, column "handled_score"',
            Text("handling scored by people who did not complain", "未投诉者却有投诉处理评分"),
            Text("Leave it empty where complained is 0.", "complained 为 0 时请留空。"),
            code="E-DESIGN",
        )  # fmt: skip


def row_notes(frame: pl.DataFrame, kind: str) -> Iterator[Note]:
    """Rows that are there twice; contacts without an order."""
    again = frame.height - frame.n_unique() if frame.height else 0
    if again and kind != "texts":
        en = f"{again} row{'s are' if again > 1 else ' is'} there again, the same in every column; kept."
        yield note("N-EVENT-TWICE", en, f"有 {again} 行与另一行完全相同，予以保留。")
    if kind == "contacts" and not {"seq", "time"} & set(frame.columns):
        en = "contacts have neither seq nor time: no order, so no first, last, peak or end."
        yield note("N-NO-ORDER", en, "触点记录没有 seq 或 time，无法确定先后，因此没有起点、终点与峰终。")


def _told(
    frame: pl.DataFrame, bad: pl.Expr, column: str, place: str, what: Text, remedy: Text, code: str = "E-EVENT"
) -> Iterator[Problem]:
    """Rows that cannot be."""
    rows = frame.select(bad.fill_null(value=False))[:, 0].arg_true().to_list()
    if rows:
        listed = placed(rows, [frame[column][i] for i in rows], place)
        en, zh = f"{len(rows)} rows: {what.en} ({listed.en}).", f"{len(rows)} 行{what.zh}（{listed.zh}）。"
        yield problem(code, place, en.replace("1 rows", "1 row", 1) if len(rows) == 1 else en, zh, remedy.en, remedy.zh)
