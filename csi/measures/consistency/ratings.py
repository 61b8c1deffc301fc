"""What several raters (occasions, columns) gave the same subjects, read from wide or long tables.

Letters: `n` subjects, `c` raters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.moments.asked import codes_of
from csi.moments.assembled import frame_of
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings of subjects by raters.

    Attributes:
        raters: c names. rows: (n, c), NaN where a rater did not rate a subject; places in `values` where these are
            words. values: the categories in order; numbers as they are. numeric: whether they are numbers.
    """

    raters: tuple[str, ...]
    rows: Array
    values: tuple[float | str, ...]
    numeric: bool


def ratings_of(
    data: object,
    columns: Sequence[str] | None,
    long: tuple[str | None, str | None, str | None],
    na: Sequence[float] = (),
) -> Ratings:
    """Ratings from a wide table (a column per rater) or a long one.

    Parameters:
        data: a Panel or a frame. columns: of a wide table; all of them by default.
        long: columns of a long table with the subject, the rater and the score.
        na: codes that mean "no rating".

    Raises:
        Problems: unknown columns, fewer than two raters, a subject that a rater rated twice, no ratings.

    Example:
        >>> found = ratings_of(pl.DataFrame({"ann": [1, 2], "bob": [1, 3]}), None, (None, None, None))
        >>> found.raters, found.rows.tolist()
        (('ann', 'bob'), [[1.0, 1.0], [2.0, 3.0]])
    """
    codes = codes_of(na)
    frame, _ = frame_of(data, {})
    if any(long):
        frame = _widened(frame, long)
        columns = frame.columns
    names = list(frame.columns) if columns is None else [columns] if isinstance(columns, str) else list(columns)
    _check(frame, names)
    return _coded(frame.select(names), codes)


def _widened(frame: pl.DataFrame, long: tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    """A long table with a column per rater."""
    named = dict(zip(("subject", "rater", "score"), long, strict=True))
    found = []
    for role, column in named.items():
        if column is None:
            en, zh = "a long table needs subject, rater and score.", "长表需要 subject、rater 与 score 三列。"
            do, do_zh = f'Write {role}="...".', f'请写 {role}="..."。'
            found.append(problem("E-RATINGS", role, en, zh, do, do_zh))
        else:
            found += _unknown(frame, column)
    if found:
        raise Problems(found)
    subject, rater, score = (str(named[role]) for role in ("subject", "rater", "score"))
    kept = frame.drop_nulls([subject, rater]).with_columns(pl.col(rater).cast(pl.String))
    twice = kept.filter(pl.struct(subject, rater).is_duplicated())
    if twice.height:
        who, by = twice.row(0, named=True)[subject], twice.row(0, named=True)[rater]
        en, zh = f'"{by}" rated "{who}" more than once.', f"“{by}”对“{who}”评了不止一次。"
        do, do_zh = "Keep one score per subject and rater.", "每个对象每位评分者只保留一个评分。"
        raise Problems([problem("E-RATINGS", f'column "{rater}"', en, zh, do, do_zh)])
    return kept.pivot(on=rater, index=subject, values=score, sort_columns=True).drop(subject)


def _unknown(frame: pl.DataFrame, column: object) -> list[Problem]:
    if column in frame.columns:
        return []
    hint = did_you_mean(str(column), frame.columns)
    en, zh = "the data have no such column.", "数据中没有这一列。"
    return [problem("E-ROLE", f'column "{column}"', en, zh, hint.en, hint.zh)]


def _check(frame: pl.DataFrame, names: Sequence[str]) -> None:
    """Two known columns or more.

    Raises:
        Problems: E-ROLE, E-RATINGS.
    """
    found = [p for name in names for p in _unknown(frame, name)]
    if len(set(names)) < 2:
        en, zh = "two raters (columns) or more are needed.", "至少需要两位评分者（两列）。"
        do = 'Name them: columns=["first", "second"]; of a long table name subject, rater and score.'
        do_zh = '请写明：columns=["first", "second"]；长表请写明 subject、rater 与 score。'
        found.append(problem("E-RATINGS", "columns", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _coded(frame: pl.DataFrame, na: Sequence[float]) -> Ratings:
    """Ratings as numbers; words as their places among the words in use."""
    numeric = all(kind.is_numeric() or kind == pl.Boolean for kind in frame.dtypes)
    if numeric:
        rows = frame.cast(pl.Float64).fill_null(np.nan).to_numpy()
        rows = np.where(np.isin(rows, list(na)) | ~np.isfinite(rows), np.nan, rows)
        values: tuple[float | str, ...] = tuple(np.unique(rows[~np.isnan(rows)]).tolist())
    else:
        words = frame.cast(pl.String)
        values = tuple(sorted({w for column in words for w in column.drop_nulls()}))
        place = {word: float(i) for i, word in enumerate(values)}
        coded = words.select(pl.all().replace_strict(place, default=None, return_dtype=pl.Float64))
        rows = coded.fill_null(np.nan).to_numpy()
    if not values:
        en, zh = "there is no rating.", "没有任何评分。"
        do, do_zh = "Check the columns and the codes of na.", "请检查列名与 na 代码。"
        raise Problems([problem("E-RATINGS", "data", en, zh, do, do_zh)])
    return Ratings(tuple(frame.columns), rows[~np.isnan(rows).all(axis=1)], values, numeric)
