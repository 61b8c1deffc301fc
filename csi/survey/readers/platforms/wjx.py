"""问卷星 (wjx): one file by text and one by number; the two together rebuild the value labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from csi.errors import Note, Text, note
from csi.survey.codebook import MissingReason
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.choices import chosen, filled_in, is_joined, ranked
from csi.survey.readers.platforms.pairs import labels_of, pair_of
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed

FIELDS: Final = ("序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP", "总分")
"""Columns that the platform adds."""

ENOUGH: Final = 5
QUESTION: Final = re.compile(r"^(?:\d{1,3}[、：:.．]|第\d{1,3}题\(|Q\d{1,3}[、：:.．])")
"""How the header of a question begins."""

NUMBERED: Final = re.compile(r"^(\d+_\d+)_([02])$")
"""File names as they are downloaded: _0 by text, _2 by number."""

BY_TEXT: Final[dict[str, MissingReason]] = {"(跳过)": "skipped", "(空)": "empty"}
BY_NUMBER: Final[dict[str, MissingReason]] = {"-3": "skipped", "-2": "empty"}
ABSENT: Final = (*BY_TEXT, *BY_NUMBER)
"""What stands where there is no answer: by text, and by number."""


def evidence(raw: Raw) -> Text | None:
    """Five of the platform's own columns."""
    found = [name for name in FIELDS if name in raw.frame.columns]
    return headed(found, len(FIELDS)) if len(found) >= ENOUGH else None


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:
    """Codes by number with the labels of the file by text; without a pair, the texts with their choices spread.

    Raises:
        Problems: the other file of the pair cannot be read or is of other answers.
    """
    by_text = _by_text(raw)
    other, found = _other(file, read)
    if other is not None and _by_text(other) != by_text:
        numbers, texts = (other, raw) if by_text else (raw, other)
        labels = labels_of(numbers, texts, "序号", _asked(numbers), file, ABSENT)
        paired = _paired(raw, other, len(labels), found=found)
        return _told(replace(numbers, notes=(*raw.notes, paired), labels=labels), BY_NUMBER)
    notes = (*raw.notes, *(() if other is None else (_same_kind(raw, other),)))
    if not by_text:
        return _told(replace(raw, notes=notes), BY_NUMBER)
    return _told(_spread(replace(raw, notes=(*notes, _alone(raw)))), BY_TEXT)


def _asked(raw: Raw) -> list[str]:
    """The columns that are questions."""
    return [c for c in raw.frame.columns if QUESTION.match(c)]


def _by_text(raw: Raw) -> bool:
    """Whether the answers are texts: by how absence is written or choices are joined, else by the questions' cells.

    Questions of few texts that come again speak for texts, those of numbers against; what people typed is no sign.
    """
    cells = raw.frame.select(pl.col(c).str.strip_chars() for c in _asked(raw)).head(LOOKED)
    words = sum(int(c.is_in(list(BY_TEXT)).sum()) for c in cells)
    codes = sum(int(c.is_in(list(BY_NUMBER)).sum()) for c in cells)
    if words != codes:
        return words > codes
    if any(is_joined(c, "┋") for c in cells):
        return True
    there = [c for column in cells if (c := column.drop_nulls().filter(column.drop_nulls() != "")).len()]
    numbers = sum(bool(c.str.contains(r"^-?\d+(\.\d+)?$").all()) for c in there)
    return numbers < sum(_chosen(c) for c in there)


def _chosen(cells: pl.Series) -> bool:
    """Whether cells look like the words of choices: none is a number, and they come again where there are many."""
    numbers, distinct = cells.str.contains(r"^-?\d+(\.\d+)?$").any(), cells.n_unique()
    short = bool((cells.str.len_chars() <= WORD).all())
    return not numbers and short and (distinct < cells.len() or cells.len() < FEW)


FEW: Final = 4
"""Fewer answers need not come again."""

WORD: Final = 30
"""Characters of the longest choice; a longer entry was typed."""

LOOKED: Final = 500
"""Answer sheets that tell whether a file is by text."""


def _other(file: DataFile, read: ReadTable) -> tuple[Raw | None, bool]:
    """The other file of the pair: the one that the study file names, or the one beside it by its name."""
    if file.labels is not None:
        return pair_of(file, file.labels, read), False
    told = NUMBERED.match(file.path.stem)
    if told is None:
        return None, False
    beside = file.path.with_name(f"{told[1]}_{'2' if told[2] == '0' else '0'}{file.path.suffix}")
    return (pair_of(file, beside, read), True) if beside.is_file() else (None, False)


def _spread(raw: Raw) -> Raw:
    """Texts with a column for each choice, each rank and each thing typed beside a choice."""
    asked, parts = set(_asked(raw)), list[pl.DataFrame]()
    for name in raw.frame.columns:
        column = raw.frame[name]
        if name not in asked:
            parts.append(column.to_frame())
            continue
        parts += _columns_of(column, tuple(BY_TEXT))
    return replace(raw, frame=pl.concat(parts, how="horizontal"))


def _columns_of(column: pl.Series, absent: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """One question as columns: itself without what was typed beside it, its choices or ranks, what was typed."""
    kept, typed = filled_in(column)
    yield kept.to_frame()
    if is_joined(kept, "┋"):
        yield chosen(kept, "┋", absent)
    elif is_joined(kept, "→"):
        yield ranked(kept, "→", absent)
    if typed is not None:
        yield typed.to_frame()


def _told(raw: Raw, absent: Mapping[str, MissingReason]) -> Raw:
    """With the wording of each question and the codes that mean no answer."""
    asked = [c for c in raw.frame.columns if QUESTION.match(c)]
    wording = {c: re.sub(r"^(?:Q?\d{1,3}[、：:.．])\s*", "", c) for c in asked}
    return replace(raw, wording=wording, missing={c: dict(absent) for c in asked})


def _paired(raw: Raw, other: Raw, count: int, *, found: bool) -> Note:
    how, how_zh = (", found beside it", "（同目录下自动找到）") if found else ("", "")
    return note(
        "N-PAIRED",
        f"{raw.name}: paired with {other.name}{how}; {count} questions have the texts of their codes.",
        f"{raw.name}：与 {other.name}{how_zh} 配对；{count} 个题目得到代码对应的文字。",
    )


def _alone(raw: Raw) -> Note:
    return note(
        "N-BY-TEXT",
        f"{raw.name}: answers by text without the file by number beside it; several choices became a column each "
        "(1 chosen, 0 not; ranks by place), and texts need `labels` at their scale.",
        f"{raw.name}：只有按文本的文件，未找到按序号的文件；多选题已拆成各选项一列（1 选中，0 未选；排序题为名次），"
        "文字作答须在量表中写明 labels。",
    )


def _same_kind(raw: Raw, other: Raw) -> Note:
    return note(
        "W-PAIR",
        f"{raw.name} and {other.name} are of one kind (both by text or both by number); the pair tells no labels.",
        f"{raw.name} 与 {other.name} 属于同一种导出（同为按文本或同为按序号），无法配对得出选项文字。",
    )


WJX: Final = Recipe("wjx", Text("Wenjuanxing (wjx)", "问卷星"), evidence, turned)
