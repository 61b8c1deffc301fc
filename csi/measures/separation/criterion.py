"""Does a scale go with what it should: correlations with a criterion, as they are and free of the scale's error.

Letters: `n` rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl
from scipy.special import stdtr, stdtrit

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Reason, Text, is_number, note, one_of, problem, reason
from csi.measures.answered import Answered, answered
from csi.measures.reliability import NOT_COMPUTABLE, SINGLE
from csi.measures.separation.scored import Scored, error_of, scored
from csi.measures.shown import told
from csi.moments.stack import Array

Timing = Literal["concurrent", "predictive"]
FEW: Final = 10
"""Rows below which a correlation is not told."""

FEW_ROWS = reason("R-FEW-ROWS", "fewer than 10 rows have both.", "同时具备两者的行不足 10 行。")
FLAT = reason("R-FLAT", "the score or the criterion is the same in all rows.", "得分或效标在所有行中相同。")
UNRELIABLE = reason(
    "R-UNRELIABLE", "alpha is not positive: there is nothing to correct by.", "alpha 不为正，无法校正。"
)


@dataclass(frozen=True, slots=True, repr=False)
class Criterion(Shown):
    """Correlations of every scale with every criterion.

    Attributes:
        table: construct, criterion, n, correlation, conf_low, conf_high, p_value, alpha (of the scale), corrected (the
            correlation without the scale's error, and the criterion's where its reliability was given), corrected_low,
            corrected_high, reason.
        timing: "concurrent" or "predictive". level. reasons, sentences, notes.
    """

    table: pl.DataFrame
    timing: Timing
    level: float
    reasons: Mapping[str, Reason]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "criterion": Text("criterion", "效标"),
    "n": Text("n", "样本量"),
    "correlation": Text("r", "相关"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "p_value": Text("p", "p 值"),
    "alpha": Text("alpha", "alpha"),
    "corrected": Text("corrected", "校正后"),
    "corrected_low": Text("low (corrected)", "校正后下限"),
    "corrected_high": Text("high (corrected)", "校正后上限"),
    "reason": Text("reason", "原因"),
}


@text.register
def _(value: Criterion, lang: str = "en") -> str:
    """Correlations, sentences, reasons, notes."""
    title = {
        "concurrent": Text("Concurrent validity", "同时效度"),
        "predictive": Text("Predictive validity", "预测效度"),
    }[value.timing]
    kept = value.table.select(c for c in value.table.columns if value.table[c].null_count() < value.table.height)
    shown = table(kept, headings={c: t.say(lang) for c, t in HEADINGS.items()})
    said = [s.say(lang) for s in value.sentences]
    return "\n".join([title.say(lang), shown, "", *said, *told(value.reasons.values(), value.notes, lang)])


def correlation(x: Array, y: Array, weight: Array) -> tuple[float, Array]:
    """Weighted correlation, and what each row moves it by per unit of weight: (zx zy - r (zx^2 + zy^2) / 2) / sum w.

    Parameters:
        x, y, weight: (n,), all finite.

    Example:
        >>> r, z = correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4]), np.ones(4))
        >>> round(r, 3), abs(round(float(z.sum()), 9))
        (0.8, 0.0)
    """
    total = weight.sum()
    u, v = (a - (weight @ a) / total for a in (x, y))
    su, sv = (np.sqrt((weight @ a**2) / total) for a in (u, v))
    u, v = u / su, v / sv
    r = float((weight @ (u * v)) / total)
    return r, (u * v - r * (u**2 + v**2) / 2) / total


def criterion(
    data: object,
    criterion: str | Sequence[str] | Mapping[str, float],
    scales: object = None,
    *,
    timing: Timing = "concurrent",
    level: float = 0.95,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Criterion:
    """Correlations of scale scores with criteria, observed and corrected for unreliability, with intervals.

    Scores are means of complete answers. The correction divides by the root of alpha (and of the criterion's
    reliability, where one is given): what the correlation would be without the scale's measurement error, if its items
    are alike. Intervals are by Fisher's z with errors that follow weights, strata, clusters and margins; those of
    corrected correlations know that alpha is an estimate.

    Parameters:
        data: a Panel or frame. criterion: numeric columns, or column -> its reliability.
        scales: as in `csi.measures.answered.answered`: construct -> items, a model, or a panel's own.
        timing: "concurrent" (asked at the same time) or "predictive" (known later); a word of the sentences.
        level: of intervals. where, weight, unit, stratum, na, scale: as in `csi.fit`.

    Returns:
        A `Criterion`.

    Raises:
        Problems: unknown items, a criterion that is no number or no column, reliabilities outside 0 to 1.

    Source:
        Spearman (1904), American J. of Psychology 15; Charles (2005), Psychological Methods 10(2) (intervals of
        corrected correlations).

    Example:
        >>> frame = pl.DataFrame({"a": [1, 2, 3, 4, 5, 6, 2, 4, 3, 5], "b": [2, 2, 3, 5, 5, 7, 1, 4, 2, 6],
        ...                       "spent": [10, 24, 12, 26, 21, 40, 19, 22, 18, 23]})
        >>> found = criterion(frame, "spent", {"trust": ["a", "b"]})
        >>> found.table.select(pl.col("correlation", "alpha", "corrected").round(3)).row(0)
        (0.727, 0.95, 0.746)
    """
    wanted, given = _criteria(criterion)
    found = [*given, *one_of("timing", timing, get_args(Timing)), *_level(level)]
    if found:
        raise Problems(found)
    answers = answered(
        data, scales, na=na, scale=scale, weight=weight, unit=unit, stratum=stratum, where=where, keys=tuple(wanted)
    )
    columns = {name: _numbers(answers, name, na) for name in wanted}
    rows, reasons = [], dict[str, Reason]()
    for construct in answers.scales:
        own = scored(answers, construct)
        for name, reliability in wanted.items():
            row, why = _row(answers, own, columns[name], reliability, level)
            if why is not None:
                reasons[why.code] = why
            rows.append({"construct": construct, "criterion": name, **row, "reason": None if why is None else why.code})
    frame = pl.DataFrame(rows, schema=SCHEMA)
    notes = (*answers.notes, *_beyond(frame))
    return Criterion(frame, timing, level, reasons, _sentences(frame, timing, answers), notes)


SCHEMA: Final = {
    "construct": pl.String,
    "criterion": pl.String,
    "n": pl.Int64,
    **dict.fromkeys(
        ("correlation", "conf_low", "conf_high", "p_value", "alpha", "corrected", "corrected_low", "corrected_high"),
        pl.Float64,
    ),
    "reason": pl.String,
}


def _criteria(given: object) -> tuple[dict[str, float], list[Problem]]:
    """Column -> reliability (1 where none is given), and what is wrong with them."""
    listed = [given] if isinstance(given, str) else given if isinstance(given, list | tuple) else []
    pairs: dict[object, object] = dict(given) if isinstance(given, Mapping) else dict.fromkeys(listed, 1.0)
    found = []
    if not pairs or not all(isinstance(name, str) for name in pairs):
        en, zh = "columns of the data are expected.", "应为数据中的列名。"
        do, do_zh = (
            'Write criterion="spent", or {"spent": 0.8} with its reliability.',
            '请写 criterion="spent"，或 {"spent": 0.8}（附其信度）。',
        )
        found.append(problem("E-CRITERION", "criterion", en, zh, do, do_zh))
    for name, value in pairs.items():
        if not is_number(value) or not 0 < float(str(value)) <= 1:
            en, zh = f"a reliability lies between 0 and 1, not {value}.", f"信度应在 0 与 1 之间，而不是 {value}。"
            found.append(problem("E-CRITERION", f'criterion "{name}"', en, zh, "Write 0.8, say.", "例如 0.8。"))
    return {} if found else {str(k): float(str(v)) for k, v in pairs.items()}, found


def _level(level: object) -> list[Problem]:
    if is_number(level) and 0 < float(str(level)) < 1:
        return []
    en, zh = f"a number between 0 and 1 is expected, not {level}.", f"应为 0 与 1 之间的数，而不是 {level}。"
    return [problem("E-SETTING", "level", en, zh, "Write level=0.95, say.", "例如 level=0.95。")]


def _numbers(answers: Answered, name: str, na: Sequence[float]) -> Array:
    """(n,) the criterion; codes that mean no answer are absent.

    Raises:
        Problems: E-CRITERION where it is no number.
    """
    column = answers.keys[name]
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        en, zh = "a criterion is a number, and this column holds text.", "效标应为数值，而该列为文本。"
        do, do_zh = (
            "Code it as numbers, or use csi.known_groups(data, by=...).",
            "请编码为数值，或使用 csi.known_groups(data, by=...)。",
        )
        raise Problems([problem("E-CRITERION", f'column "{name}"', en, zh, do, do_zh)])
    values = np.array(column.cast(pl.Float64).fill_null(np.nan).to_numpy(), dtype=np.float64)
    values[np.isin(values, np.asarray(list(na), dtype=np.float64))] = np.nan
    return np.where(np.isfinite(values), values, np.nan)


def _row(
    answers: Answered, own: Scored, y: Array, reliability: float, level: float
) -> tuple[dict[str, object], Reason | None]:
    """One correlation with its intervals, or why it is absent."""
    seen = np.isfinite(own.score) & np.isfinite(y) & (answers.weight > 0)
    n = int(seen.sum())
    blank: dict[str, object] = {"n": n, "alpha": own.alpha if np.isfinite(own.alpha) else None}
    if n < FEW:
        return blank, FEW_ROWS
    if np.ptp(own.score[seen]) == 0 or np.ptp(y[seen]) == 0:
        return blank, FLAT
    r, moved = correlation(own.score[seen], y[seen], answers.weight[seen])
    z = np.zeros(len(y))
    z[seen] = moved
    error, df = error_of(z, answers.sample, seen)
    low, high = fisher(r, error, df, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.arctanh(r) * (1 - r**2) / error if error > 0 else np.inf
    row = blank | {"correlation": r, "conf_low": low, "conf_high": high, "p_value": float(2 * stdtr(df, -abs(t)))}
    if not np.isfinite(own.alpha):
        return row, SINGLE if own.items == 1 else NOT_COMPUTABLE
    if own.alpha <= 0:
        return row, UNRELIABLE
    divisor = np.sqrt(own.alpha * reliability)
    corrected = r / divisor
    both = z / divisor - r / (2 * own.alpha * divisor) * own.influence
    wide, df = error_of(both, answers.sample, seen | (own.influence != 0))
    ends = fisher(corrected, wide, df, level) if abs(corrected) < 1 else _straight(corrected, wide, df, level)
    return row | {"corrected": corrected, "corrected_low": ends[0], "corrected_high": ends[1]}, None


def fisher(r: float, error: float, df: float, level: float) -> tuple[float, float]:
    """Interval of a correlation: tanh(atanh r -/+ t error / (1 - r^2)).

    Example:
        >>> tuple(round(v, 3) for v in fisher(0.5, 0.075, 98.0, 0.95))
        (0.337, 0.634)
    """
    if abs(r) >= 1:
        return r, r
    reach = float(stdtrit(df, 0.5 + level / 2)) * error / (1 - r**2) if df > 0 else np.inf
    return float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))


def _straight(r: float, error: float, df: float, level: float) -> tuple[float, float]:
    """Where a corrected correlation is 1 or beyond, Fisher's z is not there."""
    reach = float(stdtrit(df, 0.5 + level / 2)) * error
    return r - reach, r + reach


def _beyond(frame: pl.DataFrame) -> tuple[Note, ...]:
    """A note where a corrected correlation is beyond 1."""
    over = frame.filter(pl.col("corrected").abs() > 1)
    if not over.height:
        return ()
    named = ", ".join(f"{a} - {b}" for a, b in over.select("construct", "criterion").rows())
    en = f"corrected beyond 1 ({named}): alpha understates the reliability, or answers share more than the construct."
    return (note("W-CORRECTED", en, f"校正后超过 1（{named}）：alpha 低估了信度，或回答之间另有共同成分。"),)


def _sentences(frame: pl.DataFrame, timing: Timing, answers: Answered) -> tuple[Text, ...]:
    """One sentence per correlation."""
    word = {"concurrent": Text("is associated with", "与"), "predictive": Text("is associated with later", "与之后的")}[
        timing
    ]
    found = []
    for row in frame.drop_nulls("correlation").iter_rows(named=True):
        a, b = answers.label(row["construct"]), row["criterion"]
        ends = f"{row['correlation']:.2f} [{row['conf_low']:.2f}, {row['conf_high']:.2f}]"
        more = "" if row["corrected"] is None else f"; {row['corrected']:.2f} without the scale's error"
        more_zh = "" if row["corrected"] is None else f"；剔除量表误差后为 {row['corrected']:.2f}"
        if row["conf_low"] <= 0 <= row["conf_high"]:
            en, zh = f'"{a.en}" shows no association with {b}: r = {ends}.', f"“{a.zh}”与 {b} 未见关联：r = {ends}。"
        else:
            en = f'"{a.en}" {word.en} {b}: r = {ends}{more}.'
            zh = f"“{a.zh}”{word.zh} {b} 相关：r = {ends}{more_zh}。"
        found.append(Text(en, zh))
    return tuple(found)
