"""What each file was recognised as and why, what was taken from it, and what stayed behind: for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from csi.errors import Note, note
from csi.survey.cells import clean, codes_of
from csi.survey.codebook import Codebook, MissingReason
from csi.survey.columns import Picked
from csi.survey.datafile import Raw
from csi.survey.panel import Coded

NAMED: Final = 8
"""Columns that a sentence names."""


def recognised_notes(picked: Sequence[Picked]) -> Iterator[Note]:
    """Per file: the platform and what told it; columns that name people and stayed behind."""
    for one in picked:
        yield from platform_note(one.raw, len(set(one.columns.values())))
        yield from people_note(one.raw.name, one.raw.personal)


def platform_note(raw: Raw, used: int | None = None) -> Iterator[Note]:
    """What an export was recognised as and why; `used`: how many of its columns were taken."""
    if raw.platform is None:
        return
    label, why = raw.platform.label, raw.platform.why
    rows, width = f"{raw.frame.height:,}", raw.frame.width
    taken = f"{rows} rows, {width} columns" if used is None else f"{rows} rows and {used} of {width} columns were taken"
    taken_zh = f"{rows} 行 {width} 列" if used is None else f"读取 {rows} 行，取用 {width} 列中的 {used} 列"
    en = f"{raw.name} is an export of {label.en}: {why.en}; {taken}."
    zh = f"{raw.name} 是{label.zh}的导出文件：{why.zh}；{taken_zh}。"
    yield note("N-PLATFORM", en, zh)


def people_note(name: str, personal: Sequence[str]) -> Iterator[Note]:
    """The columns of a file that name people and were not read.

    Example:
        >>> [n.text.en for n in people_note("a.csv", ["来自IP"])]
        ['a.csv: columns that name people stay behind: 来自IP.']
    """
    if personal:
        some, more = list(personal[:NAMED]), len(personal) > NAMED
        en = f"{name}: columns that name people stay behind: {', '.join(some)}{', ...' if more else '.'}"
        zh = f"{name}：涉及个人信息的列未读取：{'、'.join(some)}{'等。' if more else '。'}"
        yield note("N-PERSONAL", en, zh)


def coded_missing(picked: Picked, codebook: Codebook) -> tuple[Coded, ...]:
    """The codes of a file that stand for no answer, with their reason and how many cells hold them.

    Parameters:
        picked: a file. codebook: its items, with their missing codes.
    """
    items = [i for i in codebook.items if i.name not in picked.absent]
    codes = {i.name: {_plain(code): why for code, why in codes_of(i, picked).items()} for i in items}
    found: dict[tuple[str, MissingReason], int] = {}
    wanted = [pl.col(i.name).value_counts().implode() for i in items if codes[i.name]]
    typed = picked.frame.select(wanted).collect(engine="in-memory") if wanted else pl.DataFrame()
    rows = [(name, pair[name], pair["count"]) for name in typed.columns for pair in typed[name][0].to_list()]
    answers = pl.DataFrame(rows, {"item": pl.String, "code": pl.String, "n": pl.Int64}, orient="row")
    for name, code, count in answers.with_columns(_text("code")).iter_rows():
        if code in codes[name]:
            key = (code, codes[name][code])
            found[key] = found.get(key, 0) + count
    return tuple(Coded(code, why, count) for (code, why), count in sorted(found.items(), key=lambda p: -p[1]))


def _text(name: str) -> pl.Expr:
    """Cells as codes are compared: without blanks around, whole numbers without decimals."""
    return clean(pl.col(name)).str.replace(r"^(-?\d+)\.0+$", "$1")


def _plain(code: str) -> str:
    """A code in the same form."""
    text = code.strip()
    return text.removesuffix(".0")
