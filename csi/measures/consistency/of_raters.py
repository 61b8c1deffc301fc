"""`icc(data)`: every form of the intraclass correlation of the same subjects under several raters or occasions.

Letters: `n` subjects, `k` raters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problems, Reason, Text, note, problem, reason
from csi.inference.settings import level_problems
from csi.measures.consistency.intraclass import FORMS, Intraclass, intraclass, limits_of_agreement, squares_of
from csi.measures.consistency.ratings import Ratings, ratings_of
from csi.measures.shown import told
from csi.moments.stack import Array

ALIKE = reason(
    "no_spread",
    "all measurements are the same: there is nothing to tell subjects apart by.",
    "所有测量值相同，无法区分对象。",
)
NEGATIVE = note(
    "N-ICC-NEGATIVE",
    "a negative coefficient is an estimate of one near 0: raters differ more within subjects than between them.",
    "系数为负，表示真值接近 0：同一对象内的差异大于对象之间的差异。",
)
HEADINGS = {
    "form": Text("form", "形式"),
    "name": Text("name", "名称"),
    "model": Text("model", "模型"),
    "definition": Text("definition", "定义"),
    "unit": Text("unit", "单位"),
    "icc": Text("ICC", "ICC"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "f": Text("F", "F"),
    "df1": Text("df1", "df1"),
    "df2": Text("df2", "df2"),
    "p_value": Text("p", "p"),
    "sem": Text("SEM", "测量标准误"),
    "sdc": Text("SDC", "最小可测变化"),
    "first": Text("first", "第一次"),
    "second": Text("second", "第二次"),
    "n": Text("n", "n"),
    "difference": Text("difference", "差值"),
    "sd": Text("SD", "标准差"),
    "low": Text("lower limit", "一致性下限"),
    "high": Text("upper limit", "一致性上限"),
    "reason": Text("reason", "原因"),
}
WORDED = {
    "one-way random": "单因素随机",
    "two-way random": "双因素随机",
    "two-way mixed": "双因素混合",
    "agreement": "绝对一致",
    "consistency": "一致",
    "single": "单次",
    "average": "平均",
}


@dataclass(frozen=True, slots=True, repr=False)
class Icc(Shown):
    """Intraclass correlations, errors of measurement, limits of agreement.

    Attributes:
        table: form (Shrout and Fleiss), name (McGraw and Wong), model, definition ("agreement": raters' levels count;
            "consistency": they do not), unit ("single" measurement or "average" of k), icc, conf_low, conf_high, f,
            df1, df2, p_value (of no correlation), sem (standard error of measurement), sdc (smallest detectable
            change), reason.
        limits: Bland and Altman's of every pair of raters: first, second, n, difference (second - first), conf_low,
            conf_high (of it), sd, low, high (limits), low_conf_low, low_conf_high, high_conf_low, high_conf_high.
        variances: of subjects, raters and error. n: complete subjects. raters: k names. reasons. level. notes.
    """

    table: pl.DataFrame
    limits: pl.DataFrame
    variances: Mapping[str, float]
    n: int
    raters: tuple[str, ...]
    reasons: Mapping[str, Reason]
    level: float
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Icc, lang: str = "en") -> str:
    """Forms, limits of agreement, notes."""
    k = len(value.raters)
    heading = Text(f"{value.n} subjects, {k} raters", f"{value.n} 个对象，{k} 位评分者").say(lang)
    shown = value.table
    if lang == "zh":
        shown = shown.with_columns(pl.col("model", "definition", "unit").replace(WORDED))
    shown = shown.select(c for c in shown.columns if c != "reason" or shown[c].null_count() < shown.height)
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    lines = [heading, table(shown, headings=headings)]
    kept = value.limits.select("first", "second", "n", "difference", "sd", "low", "high")
    lines += [Text("Limits of agreement", "一致性界限").say(lang), table(kept, headings=headings)]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def icc(
    data: object,
    columns: Sequence[str] | None = None,
    *,
    subject: str | None = None,
    rater: str | None = None,
    score: str | None = None,
    level: float = 0.95,
    na: Sequence[float] = (),
) -> Icc:
    """How far several measurements of the same subjects agree: every form of the intraclass correlation.

    Which form: raters drawn anew for every subject, ICC1; the same raters, of many there could be, whose levels
    count, ICC2 (agreement); the same raters, the only ones of interest or whose levels do not count, ICC3
    (consistency); "k" where the mean of all raters is used. Subjects that a rater left out are left out.

    Parameters:
        data: a frame (or Panel) with a column per rater or occasion. columns: those (all of them by default).
        subject, rater, score: columns of a long table instead.
        level: of intervals, of limits of agreement and of SDC. na: codes that mean "no rating".

    Returns:
        An `Icc`.

    Raises:
        Problems: unknown columns, ratings that are no numbers, fewer than two raters or three complete subjects.

    Source:
        Shrout & Fleiss (1979), Psychological Bulletin 86(2); McGraw & Wong (1996), Psychological Methods 1(1). Agrees
        with psych 2.2.9 (ICC, lmer = FALSE) to 1e-10.

    Example:
        >>> judges = {"a": [9, 6, 8, 7, 10, 6], "b": [2, 1, 4, 1, 5, 2], "c": [5, 3, 6, 2, 6, 4]}
        >>> icc(pl.DataFrame(judges)).table.select("form", pl.col("icc").round(3)).rows()[:3]
        [('ICC1', -0.02), ('ICC2', 0.224), ('ICC3', 0.788)]
    """
    found = ratings_of(data, columns, (subject, rater, score), na)
    rows = _complete(found, level)
    squares = squares_of(rows)
    alike = squares.between + squares.within <= 0
    each = [None if alike else intraclass(squares, form.form, level) for form in FORMS]
    frame = pl.DataFrame([_row(form, one) for form, one in zip(FORMS, each, strict=True)], schema=_SCHEMA, orient="row")
    subjects, raters, error = squares.components
    return Icc(
        table=frame,
        limits=_limits(found.raters, rows, level),
        variances={"subjects": subjects, "raters": raters, "error": error},
        n=len(rows),
        raters=found.raters,
        reasons={ALIKE.code: ALIKE} if alike else {},
        level=level,
        notes=tuple(_notes(found, rows, frame)),
    )


_SCHEMA = {
    **dict.fromkeys(("form", "name", "model", "definition", "unit"), pl.String),
    **dict.fromkeys(("icc", "conf_low", "conf_high", "f", "df1", "df2", "p_value", "sem", "sdc"), pl.Float64),
    "reason": pl.String,
}


def _row(form: object, one: Intraclass | None) -> tuple[object, ...]:
    """One line of the table."""
    named = tuple(getattr(form, name) for name in ("form", "name", "model", "definition", "unit"))
    if one is None:
        return (*named, *[None] * 9, ALIKE.code)
    numbers = (one.value, one.conf_low, one.conf_high, one.statistic, one.df1, one.df2, one.p_value, one.sem, one.sdc)
    return (*named, *(float(v) if np.isfinite(v) else None for v in numbers), None)


def _complete(found: Ratings, level: float) -> Array:
    """(n, k) subjects that every rater rated.

    Raises:
        Problems: E-SETTING, E-RATINGS.
    """
    problems = level_problems(level)
    if not found.numeric:
        en, zh = "ratings are words; intraclass correlations take numbers.", "评分是文字，而组内相关需要数值。"
        do, do_zh = "Use csi.agreement for categories.", "类别数据请用 csi.agreement。"
        problems.append(problem("E-RATINGS", "data", en, zh, do, do_zh))
    rows = found.rows[~np.isnan(found.rows).any(axis=1)]
    if len(rows) < 3:
        en, zh = (
            f"{len(rows)} subjects have all ratings; three are needed.",
            f"评分齐全的对象只有 {len(rows)} 个，至少需要三个。",
        )
        do, do_zh = "Name columns that were rated together.", "请选择共同评分的列。"
        problems.append(problem("E-RATINGS", "data", en, zh, do, do_zh))
    if problems:
        raise Problems(problems)
    return rows


def _limits(names: Sequence[str], rows: Array, level: float) -> pl.DataFrame:
    """Limits of agreement of every pair."""
    lines = []
    for one, other in combinations(range(len(names)), 2):
        of = limits_of_agreement(rows[:, one], rows[:, other], level)
        z = (of.high - of.difference) / of.sd if of.sd > 0 else 0.0
        mean, limit = (z * error for error in of.errors)
        lines.append(
            (
                *(names[one], names[other], of.n, of.difference, of.difference - mean, of.difference + mean, of.sd),
                *(of.low, of.high, of.low - limit, of.low + limit, of.high - limit, of.high + limit),
            )
        )
    numbers = [
        "difference",
        "conf_low",
        "conf_high",
        "sd",
        "low",
        "high",
        "low_conf_low",
        "low_conf_high",
        "high_conf_low",
        "high_conf_high",
    ]
    schema = {"first": pl.String, "second": pl.String, "n": pl.Int64, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(lines, schema=schema, orient="row")


def _notes(found: Ratings, rows: Array, frame: pl.DataFrame) -> Iterator[Note]:
    left = len(found.rows) - len(rows)
    if left:
        en = f"{left} of {len(found.rows)} subjects lack a rating and are left out."
        yield note("N-ROWS-LEFT", en, f"{len(found.rows)} 个对象中有 {left} 个缺少评分，未纳入。")
    if (frame["icc"] < 0).any():
        yield NEGATIVE
