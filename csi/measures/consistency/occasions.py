"""`retest(data)`: the same people asked twice, how far their scores agree.

Letters: `n` people matched, `k` items of a construct.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, problem, reason
from csi.inference.settings import level_problems
from csi.measures.answered import Answered, answered, scales_of
from csi.measures.consistency.intraclass import FORMS, intraclass, limits_of_agreement, squares_of
from csi.measures.shown import told
from csi.moments.assembled import frame_of
from csi.moments.stack import Array
from csi.survey.panel import Panel
from csi.survey.repeats import Repeats, counted_apart

LEAST, ADVISED = 10, 50
"""People matched below which nothing is told, and below which a note says so (COSMIN: 50 adequate, 100 very good)."""
HALF = 0.5
"""Share of the smaller wave's people below which those who came back may differ from the others."""

ALIKE = reason("no_spread", "all scores are the same.", "所有得分相同。")
FEW = reason("few_matched", "fewer than ten people have a score on both occasions.", "两次均有得分的人不足十名。")
HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "n": Text("matched", "匹配人数"),
    "first": Text("first mean", "第一次均值"),
    "second": Text("second mean", "第二次均值"),
    "change": Text("change", "变化"),
    "r": Text("r", "r"),
    "icc_agreement": Text("ICC(A,1)", "ICC(A,1)"),
    "icc_agreement_conf_low": Text("low", "下限"),
    "icc_agreement_conf_high": Text("high", "上限"),
    "icc_consistency": Text("ICC(C,1)", "ICC(C,1)"),
    "sem": Text("SEM", "测量标准误"),
    "sdc": Text("SDC", "最小可测变化"),
    "limit_low": Text("lower limit", "一致性下限"),
    "limit_high": Text("upper limit", "一致性上限"),
    "reason": Text("reason", "原因"),
}
_NUMBERS: Final = (
    "first", "second", "change", "r", "r_conf_low", "r_conf_high", "icc_agreement", "icc_agreement_conf_low",
    "icc_agreement_conf_high", "icc_consistency", "icc_consistency_conf_low", "icc_consistency_conf_high", "sem",
    "sdc", "sem_consistency", "sdc_consistency", "limit_low", "limit_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Retest(Shown):
    """Scores of the same people on two occasions.

    Attributes:
        table: construct, n_items, n (people with both scores), first, second (means), change, r with limits (Fisher),
            icc_agreement (ICC(A,1)) and icc_consistency (ICC(C,1)) with exact limits, sem and sdc (of agreement:
            shifts between occasions count as error; sem_consistency, sdc_consistency without them), limit_low,
            limit_high (Bland and Altman's), reason.
        forms: every ICC: construct, form, name, model, definition, unit, icc, conf_low, conf_high, sem, sdc.
        matched: people on both occasions. first_only, second_only: those on one. occasions: their names. reasons.
        level. notes.
    """

    table: pl.DataFrame
    matched: int
    first_only: int
    second_only: int
    occasions: tuple[str, str]
    reasons: Mapping[str, Reason]
    level: float
    notes: tuple[Note, ...] = ()
    forms: pl.DataFrame = field(default_factory=pl.DataFrame)


@text.register
def _(value: Retest, lang: str = "en") -> str:
    """Who came back, agreement of every construct, notes."""
    one, other = value.occasions
    n, before, after = value.matched, value.first_only, value.second_only
    en = f"{n} people in {one} and {other} ({before} in {one} alone, {after} in {other} alone)"
    zh = f"{one} 与 {other} 两次均作答 {n} 人（仅 {one} {before} 人，仅 {other} {after} 人）"
    shown = value.table.select(c for c in HEADINGS if c in value.table.columns)
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    lines = [Text(en, zh).say(lang), table(shown, headings={c: t.say(lang) for c, t in HEADINGS.items()})]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def retest(
    data: object,
    scales: object = None,
    *,
    waves: tuple[str, str] | None = None,
    respondent: str = "respondent",
    wave: str = "wave",
    also: Sequence[str] = (),
    level: float = 0.95,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Retest:
    """How far scores of the same people agree over two waves: ICC, standard error of measurement, detectable change.

    A score is the mean of a construct's items, of people who answered half of them or more on each occasion. People are
    matched by name (and brand where the data have brands). Weights are not used: people stand for themselves.

    Parameters:
        data: a Panel with respondents and waves, or a frame with such columns. scales: as in `csi.consistency`.
        waves: the two (by default the last two). respondent, wave: their columns. also: further columns that tell who
            is the same, such as a brand (a panel's brand by default).
        level: of intervals, limits and SDC. na, scale: as in `csi.fit`.

    Returns:
        A `Retest`.

    Raises:
        Problems: no such columns or waves; a name twice in a wave; fewer than ten people on both occasions; names that
            were counted anew in every wave, so that they are other people.

    Source:
        McGraw & Wong (1996), Psychological Methods 1(1); de Vet, Terwee, Knol & Bouter (2006), Journal of Clinical
        Epidemiology 59(10); sample sizes: Terwee et al. (2007), 60(1), 34-42.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> true = np.repeat(rng.normal(size=60), 2)
        >>> rows = {"respondent": [f"r{i}" for i in range(60) for _ in "ab"], "wave": ["1", "2"] * 60}
        >>> rows |= {q: true + 0.5 * rng.normal(size=120) for q in ("q1", "q2")}
        >>> found = retest(pl.DataFrame(rows), {"trust": ["q1", "q2"]})
        >>> found.matched, round(found.table["icc_agreement"][0], 2)
        (60, 0.8)
    """
    wanted = scales_of(data, scales)
    frame, _ = frame_of(data, {})
    by = [respondent, *(also or (["brand"] if isinstance(data, Panel) and "brand" in frame.columns else []))]
    first, second = _occasions(data, frame, (wave, waves), by, level)
    rows = answered(data, wanted, na=na, scale=scale, keys=[*by, wave])
    keyed = rows.keys.with_columns(pl.all().cast(pl.String)).with_columns(_row=pl.int_range(pl.len()))
    keyed = keyed.filter(pl.col(wave).is_in([first, second])).drop_nulls(by)
    apart = _check_names(rows, keyed, (first, second), by, wave)
    one, other = (keyed.filter(pl.col(wave) == w).drop(wave) for w in (first, second))
    both = one.join(other, on=by, suffix="_again")
    if both.height < LEAST:
        raise Problems([_few(both.height, (first, second), one.height, other.height)])
    least = min(one.height, other.height)
    at = both["_row"].to_numpy(), both["_row_again"].to_numpy()
    frame = pl.DataFrame([_line(rows, name, at, level) for name in wanted], schema=_SCHEMA, orient="row")
    codes = set(frame["reason"].drop_nulls())
    return Retest(
        table=frame,
        matched=both.height,
        first_only=one.height - both.height,
        second_only=other.height - both.height,
        occasions=(first, second),
        reasons={r.code: r for r in (ALIKE, FEW) if r.code in codes},
        level=level,
        forms=_forms(rows, at, level),
        notes=(
            *rows.notes,
            *_untold(apart),
            *_notes(rows, both.height, least),
        ),
    )


_SCHEMA: Final = {
    "construct": pl.String,
    "n_items": pl.Int64,
    "n": pl.Int64,
    **dict.fromkeys(_NUMBERS, pl.Float64),
    "reason": pl.String,
}


def _occasions(
    data: object,
    frame: pl.DataFrame,
    asked: tuple[str, tuple[str, str] | None],
    by: Sequence[str],
    level: float,
) -> tuple[str, str]:
    """The two waves.

    Raises:
        Problems: E-ROLE, E-WAVE, E-SETTING.
    """
    wave, waves = asked
    found = level_problems(level)
    for column in [*by, wave]:
        if column not in frame.columns:
            en, zh = "the data do not say who answered when.", "数据没有说明何人何时作答。"
            do = f'Name the columns: respondent="...", wave="..." (there is no "{column}").'
            do_zh = f'请写明列名：respondent="..."、wave="..."（没有“{column}”列）。'
            found.append(problem("E-RETEST", f'column "{column}"', en, zh, do, do_zh))
    if found:
        raise Problems(found)
    there = list(data.waves) if isinstance(data, Panel) and data.waves else []
    there = there or sorted(frame[wave].drop_nulls().cast(pl.String).unique().to_list())
    chosen = tuple(str(w) for w in waves) if isinstance(waves, list | tuple) else tuple(there[-2:])
    if len(chosen) != 2 or len(set(chosen)) != 2 or not set(chosen) <= set(there):
        listed = ", ".join(there[:8])
        en, zh = f"two waves are needed; there are: {listed}.", f"需要两期；现有：{listed}。"
        do, do_zh = 'Write waves=("2026Q2", "2026Q3"), say.', '例如 waves=("2026Q2", "2026Q3")。'
        raise Problems([problem("E-RETEST", "waves", en, zh, do, do_zh)])
    return chosen[0], chosen[1]


def _check_names(
    rows: Answered, keyed: pl.DataFrame, pair: tuple[str, str], by: Sequence[str], wave: str
) -> Repeats | None:
    """Every name once in a wave, and not counted anew in the second; what cannot be told of that.

    Raises:
        Problems: E-RETEST.
    """
    found: list[Problem] = []
    twice = keyed.filter(pl.struct(*by, wave).is_duplicated())
    if twice.height:
        who = ", ".join(str(v) for v in twice.select(by).row(0))
        en, zh = f"{who} answers more than once in a wave.", f"{who} 在同一期作答不止一次。"
        do, do_zh = (
            'Keep one row, or name what tells them apart: also=["brand"].',
            '请只保留一行，或写明区分列：also=["brand"]。',
        )
        found.append(problem("E-RETEST", f'column "{by[0]}"', en, zh, do, do_zh))
    apart = None if found else _apart(rows, keyed, pair, by, wave)
    if apart is not None and apart.kind == "restarted":
        en = f"names are counted anew in every wave ({apart.evidence.en}): they are other people."
        zh = f"各期重新编号（{apart.evidence.zh}）：并非同一批人。"
        do, do_zh = "Give every person a name of their own in all waves.", "请让每个人在各期使用同一个编号。"
        found.append(problem("E-RETEST", f'column "{by[0]}"', en, zh, do, do_zh))
    if found:
        raise Problems(found)
    return apart


def _apart(rows: Answered, keyed: pl.DataFrame, pair: tuple[str, str], by: Sequence[str], wave: str) -> Repeats | None:
    """Whether names may have been counted anew: their answers on both occasions have nothing in common."""
    at = keyed["_row"].to_numpy()
    named = keyed.select(
        pl.col(by[0]).alias("respondent"), pl.col(wave).alias("wave"), *(pl.col(c).alias(c) for c in by[1:])
    )
    answers = pl.DataFrame(rows.rows[at], schema=list(rows.names)).fill_nan(None)
    return counted_apart(pl.concat([named, answers], how="horizontal"), rows.names, pair)


def _few(matched: int, pair: tuple[str, str], first: int, second: int) -> Problem:
    """That hardly anybody answered twice."""
    one, other = pair
    en = f"{matched} of the {first} people of {one} are among the {second} of {other}; {LEAST} are needed."
    zh = f"{one} 的 {first} 人中有 {matched} 人出现在 {other} 的 {second} 人中，至少需要 {LEAST} 人。"
    do = "A retest asks the same people twice under the same names; of other people compare means (csi.changes)."
    do_zh = "重测须以相同编号询问同一批人；不同的人请比较均值（csi.changes）。"
    return problem("E-RETEST", "respondent", en, zh, do, do_zh)


def scores_of(rows: Array) -> Array:
    """(n,) the mean of the items of those who answered half of them or more; NaN of others.

    Example:
        >>> scores_of(np.array([[1.0, 3.0], [2.0, np.nan], [np.nan, np.nan]])).tolist()
        [2.0, 2.0, nan]
    """
    there = ~np.isnan(rows)
    count = there.sum(axis=1)
    total = np.where(there, rows, 0.0).sum(axis=1)
    return np.where(2 * count >= rows.shape[1], total / np.maximum(count, 1), np.nan)


def _line(found: Answered, name: str, at: tuple[Array, Array], level: float) -> tuple[object, ...]:
    """One construct's line."""
    scores = scores_of(found.of(name))
    both = np.stack([scores[at[0]], scores[at[1]]], axis=1)
    both = both[~np.isnan(both).any(axis=1)]
    head = name, len(found.scales[name]), len(both)
    squares = squares_of(both) if len(both) > 1 else None
    if squares is None or len(both) < LEAST:
        return (*head, *[None] * len(_NUMBERS), FEW.code)
    if squares.between <= 0:
        return (*head, *[None] * len(_NUMBERS), ALIKE.code)
    agree, consist = (intraclass(squares, form, level) for form in ("ICC2", "ICC3"))
    limits = limits_of_agreement(both[:, 0], both[:, 1], level)
    first, second = both.mean(axis=0).tolist()
    numbers = (
        *(first, second, second - first, *_correlation(both, level)),
        *(agree.value, agree.conf_low, agree.conf_high, consist.value, consist.conf_low, consist.conf_high),
        *(agree.sem, agree.sdc, consist.sem, consist.sdc, limits.low, limits.high),
    )
    return (*head, *(float(v) if np.isfinite(v) else None for v in numbers), None)


def _forms(found: Answered, at: tuple[Array, Array], level: float) -> pl.DataFrame:
    """Every form of the intraclass correlation of every construct that has one."""
    lines = []
    for name in found.scales:
        scores = scores_of(found.of(name))
        both = np.stack([scores[at[0]], scores[at[1]]], axis=1)
        both = both[~np.isnan(both).any(axis=1)]
        squares = squares_of(both) if len(both) >= LEAST else None
        if squares is None or squares.between <= 0:
            continue
        for form in FORMS:
            of = intraclass(squares, form.form, level)
            numbers = (of.value, of.conf_low, of.conf_high, of.sem, of.sdc)
            lines.append((name, form.form, form.name, form.model, form.definition, form.unit, *numbers))
    words = dict.fromkeys(("construct", "form", "name", "model", "definition", "unit"), pl.String)
    schema = words | dict.fromkeys(("icc", "conf_low", "conf_high", "sem", "sdc"), pl.Float64)
    return pl.DataFrame(lines, schema=schema, orient="row")


def _correlation(both: Array, level: float) -> tuple[float, float, float]:
    """Pearson's r with Fisher's limits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = both.T - both.mean(axis=0)[:, None]
        r = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))
        wide = float(ndtri((1 + level) / 2)) / np.sqrt(len(both) - 3)
        middle = np.arctanh(r)
    return r, float(np.tanh(middle - wide)), float(np.tanh(middle + wide))


def _untold(apart: Repeats | None) -> Iterator[Note]:
    if apart is not None:
        en = "names are running numbers, and whether these are the same people in both waves cannot be told."
        yield note("W-RETEST-NAMES", en, "编号为顺序号，无法判断两期是否为同一批人。")


def _notes(found: Answered, matched: int, smaller: int) -> Iterator[Note]:
    if matched < ADVISED:
        en = f"{matched} people are matched; {ADVISED} are adequate for a retest, 100 good (Terwee et al. 2007)."
        yield note(
            "W-RETEST-FEW", en, f"匹配 {matched} 人；重测一般以 {ADVISED} 人为够用、100 人为好（Terwee 等，2007）。"
        )
    if matched < HALF * smaller:
        en = f"{matched} of {smaller} people came back: those who did may differ from the others."
        yield note("W-RETEST-SHARE", en, f"{smaller} 人中只有 {matched} 人再次作答：他们可能与其他人不同。")
    if found.weighted:
        en = "weights are not used: every person matched counts once."
        yield note("N-RETEST-WEIGHTS", en, "未使用权重：每位匹配者计一次。")
