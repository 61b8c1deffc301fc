"""Whether raters agree: categories by kappa and Krippendorff's alpha, numbers by the intraclass correlation as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import polars as pl

from csi.errors import Note, Problem, Problems, Text, problem
from csi.measures.consistency.of_categories import Agreement, agreement
from csi.measures.consistency.of_raters import Icc, icc
from csi.measures.questionnaire.validating import Rated

P = ParamSpec("P")
T = TypeVar("T")
PAIR = 2
"""Ratings of a unit without which there is nothing to compare."""
MOST = 10
"""Different numbers up to which ratings are compared as categories too."""


@dataclass(frozen=True, slots=True)
class Raters:
    """How far the raters of one judgement agree.

    Attributes:
        agreement: of categories; None for numbers of more than ten values. icc: of numbers; None for words.
        n: units with two ratings or more. notes: of both, and why one of them is not there.
    """

    agreement: Agreement | None
    icc: Icc | None
    n: int
    notes: tuple[Note, ...]


def raters_agree(frame: pl.DataFrame, asked: Rated, *, draws: int, seed: int, level: float, small: int) -> Raters:
    """Agreement of the raters of one judgement: words as categories, numbers by ICC and, up to ten values, as both.

    Parameters:
        frame: the ratings. asked: their columns. draws, seed, level: of intervals. small: units below which nothing is
            told.

    Raises:
        Problems: E-RATINGS, E-ROLE; E-BASE for too few units.

    Example:
        >>> frame = pl.DataFrame({"ann": ["1", "2", "3", "3"] * 9, "bob": ["1", "2", "3", "2"] * 9})
        >>> found = raters_agree(frame, Rated(columns=("ann", "bob")), draws=0, seed=1, level=0.95, small=30)
        >>> found.n, round(found.icc.table["icc"][0], 3)
        (36, 0.8)
    """
    frame = _numbers(frame, [*asked.columns, *([asked.score] if asked.score else [])])
    rated = _units(frame, asked)
    if rated < small:
        en, zh = (
            f"{rated} units have two ratings, fewer than {small}.",
            f"有两个评分的单元为 {rated} 个，少于 {small} 个。",
        )
        do, do_zh = "Rate more of them, or lower report: {small: ...}.", "请增加评分单元，或调低 report: {small: ...}。"
        raise Problems([problem("E-BASE", "raters", en, zh, do, do_zh)])
    scored = frame.select(c for c in asked.columns or (asked.score,) if c in frame.columns)
    words = not all(kind.is_numeric() for kind in scored.dtypes)
    lost: list[Problem] = []
    categories = (
        None if not words and _many(scored) else _tried(lost, _agreement, frame, asked, draws, seed, level, words)
    )
    numbers = None if words else _tried(lost, _icc, frame, asked, level)
    if categories is None and numbers is None:
        raise Problems(list(dict.fromkeys(lost)))
    notes = (*(() if categories is None else categories.notes), *(() if numbers is None else numbers.notes))
    return Raters(categories, numbers, rated, (*notes, *map(_said, lost)))


def _tried(lost: list[Problem], make: Callable[P, T], *args: P.args, **given: P.kwargs) -> T | None:
    """What `make` makes, or None with what is wrong added to `lost`."""
    try:
        return make(*args, **given)
    except Problems as error:
        lost += error.problems
        return None


def _agreement(frame: pl.DataFrame, asked: Rated, draws: int, seed: int, level: float, words: bool) -> Agreement:
    values: list[float | str] | None = list(asked.values) or None
    if values is not None and not words and pl.Series(asked.values).cast(pl.Float64, strict=False).null_count() == 0:
        values = [float(v) for v in asked.values]
    return agreement(
        frame, asked.columns or None, unit=asked.unit or None, rater=asked.rater or None, score=asked.score or None,
        values=values, level=level, n=draws, seed=seed,
    )  # fmt: skip


def _icc(frame: pl.DataFrame, asked: Rated, level: float) -> Icc:
    return icc(
        frame, asked.columns or None, subject=asked.unit or None, rater=asked.rater or None,
        score=asked.score or None, level=level,
    )  # fmt: skip


def _many(scored: pl.DataFrame) -> bool:
    """Whether there are too many different numbers for categories."""
    return scored.unpivot()["value"].drop_nulls().n_unique() > MOST


def _said(one: Problem) -> Note:
    """A problem of one of two measures, where the other is there."""
    return Note(one.code, Text(f"{one.what.en} {one.remedy.en}".strip(), f"{one.what.zh}{one.remedy.zh}"))


def _numbers(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Texts as numbers where all of them are; empty texts are no ratings."""
    texts = [c for c in columns if c in frame.columns and frame.schema[c] == pl.String]
    frame = frame.with_columns(pl.col(c).str.strip_chars().replace("", None) for c in texts)
    cast = frame.select(pl.col(texts).cast(pl.Float64, strict=False)) if texts else pl.DataFrame()
    whole = all(cast[c].null_count() == frame[c].null_count() for c in texts)
    return frame.with_columns(cast[c] for c in texts) if whole else frame


def _units(frame: pl.DataFrame, asked: Rated) -> int:
    """Units with two ratings or more; all rows where columns are missing, which the measures tell."""
    if asked.columns:
        there = [c for c in asked.columns if c in frame.columns]
        return frame.filter(pl.sum_horizontal(pl.col(there).is_not_null()) >= PAIR).height if there else frame.height
    known = {asked.unit, asked.score} <= set(frame.columns)
    rated = frame.drop_nulls([asked.unit, asked.score]).group_by(asked.unit).len() if known else None
    return frame.height if rated is None else rated.filter(pl.col("len") >= PAIR).height
