"""Necessary conditions: which level of a condition no respondent with a high outcome goes without.

Letters: `n` rows, `k` conditions, `l` levels of the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import polars as pl

from csi.display import Shown, least_p, text
from csi.errors import Note, Problems, Text, note, one_of, problem, seed_problems, whole
from csi.importance.ceiling_draws import permuted
from csi.importance.ceilings import Ceiling, Fitted, Scope, ceiling_of, permutation_p, required
from csi.importance.nca_data import Answers, answers_of
from csi.importance.nca_words import lines_of, sentence
from csi.moments.stack import Array

KINDS: tuple[Ceiling, ...] = get_args(Ceiling)
PERMUTATIONS = 10_000
"""Shuffles of the test where nobody says how many: no p below .001 is then told apart from another."""
LEAST = 10
"""Rows below which a ceiling is not drawn."""


@dataclass(frozen=True, slots=True, repr=False)
class Nca(Shown):
    """Ceilings of every condition, what lies above them, and what each level of the outcome needs.

    Attributes:
        table: condition, ceiling ("ce_fdh", "cr_fdh"), n, effect (d = zone / scope), p_value (null without
            permutations), size (Dul's words), accuracy (share of rows on or below the ceiling), zone, scope, intercept,
            slope (of "cr_fdh"), condition_inefficiency, outcome_inefficiency (shares of the ranges that do not bind).
        bottleneck: condition, ceiling, level (percent of the outcome's range), outcome (the same in its units), status
            ("needed", "nothing", "out of reach"), needed (in units of the condition), needed_percent (of its range),
            below (percent of the respondents with less than that, weighted where the answers are).
        outcome, conditions. ceilings: (condition, ceiling) -> what was fitted. permutations, seed. units: of an
            estimate's scores ("0-100" or "standardised"), else "".
        sentences: one per condition, by the step function. notes.
    """

    table: pl.DataFrame
    bottleneck: pl.DataFrame
    outcome: str
    conditions: tuple[str, ...]
    ceilings: Mapping[tuple[str, Ceiling], Fitted]
    permutations: int
    seed: int
    units: str
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()

    @property
    def least(self) -> float:
        """The least p-value that the permutations can give."""
        return least_p(self.permutations)


@text.register
def _(value: Nca, lang: str = "en") -> str:
    """Effects, the bottleneck table, sentences, notes."""
    return lines_of(value.table, value.bottleneck, value.sentences, value.notes, lang, value.permutations)


def nca(
    data: object,
    x: str | Sequence[str] | None = None,
    y: str | None = None,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 1,
    levels: Sequence[float] = tuple(range(0, 101, 10)),
    scope: Mapping[str, tuple[float, float]] | None = None,
    na: Sequence[float] = (),
) -> Nca:
    """Necessary condition analysis of conditions `x` for an outcome `y`: ceilings, effect sizes, bottleneck table.

    Of every pair, rows with both answers are used. Design weights do not move a ceiling; of all numbers only the
    shares below a needed level are weighted. There is no bootstrap: it is not valid for the hull of a scatter; the
    p-value is a permutation's, (k + 1) / (B + 1).

    Parameters:
        data: a frame or Panel, or an estimate of one cell, whose construct scores (0-100 where the items' bounds are
            known and the weights are positive, else standardised) are the columns.
        x: conditions; of an estimate by default everything with a chain of arrows to `y`. y: the outcome.
        permutations: how many shuffles (0: no p-value). seed: of the shuffles.
        levels: of the bottleneck table, in percent of the outcome's range.
        scope: theoretical ranges by name, such as {"satisfaction": (0, 100)}; observed ranges elsewhere.
        na: codes of a bare frame that mean "no answer".

    Returns:
        An `Nca`.

    Raises:
        Problems: unknown columns, a condition or outcome that is constant, too few rows, a scope the data leave.

    Source:
        Dul (2016), Organizational Research Methods 19(1), 10-52; Dul, van der Laan & Kuik (2020), 23(2), 385-395.
        Effect sizes of the R package NCA's example (CE-FDH .416, .309) agree to their printed digits.

    Example:
        >>> frame = pl.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "y": [1, 1, 2, 4, 3, 6, 5, 8, 7, 9]})
        >>> nca(frame, "x", "y", permutations=99).table.select("ceiling", pl.col("effect").round(3)).rows()
        [('ce_fdh', 0.569), ('cr_fdh', 0.481)]
    """
    _check(permutations, seed, levels)
    answers = answers_of(data, (x,) if isinstance(x, str) else x, y, na)
    ranges = dict(scope or {})
    _check_columns(answers, ranges)
    fits = {(c, kind): _fit(answers, c, kind, ranges) for c in answers.conditions for kind in KINDS}
    p = _p_values(answers, fits, permutations, seed)
    table = pl.DataFrame(
        [_row(answers, c, fitted, p[c, k]) for (c, k), fitted in fits.items()], schema_overrides=_TYPES
    )
    bottleneck = pl.concat([_needs(answers, c, fitted, levels) for (c, _), fitted in fits.items()])
    first = table.filter(ceiling="ce_fdh")
    told = tuple(sentence(row, answers.outcome, permutations) for row in first.iter_rows(named=True))
    return Nca(
        table,
        bottleneck,
        answers.outcome,
        answers.conditions,
        fits,
        permutations,
        seed,
        answers.units,
        told,
        (*answers.notes, *_notes(answers)),
    )


_TYPES = {"p_value": pl.Float64, "intercept": pl.Float64, "slope": pl.Float64}


def _fit(answers: Answers, condition: str, kind: Ceiling, ranges: Mapping[str, tuple[float, float]]) -> Fitted:
    x, y = answers.pair(condition)
    return ceiling_of(x, y, kind, _scope(answers, condition, ranges))


def _scope(answers: Answers, condition: str, ranges: Mapping[str, tuple[float, float]]) -> Scope:
    x, y = answers.pair(condition)
    low, high = ranges.get(condition, (float(x.min()), float(x.max())))
    floor, top = ranges.get(answers.outcome, (float(y.min()), float(y.max())))
    return low, high, floor, top


def _p_values(
    answers: Answers, fits: Mapping[tuple[str, Ceiling], Fitted], n: int, seed: int
) -> dict[tuple[str, Ceiling], float | None]:
    """Of every ceiling, both of a condition by the same shuffles; None without permutations."""
    if not n:
        return dict.fromkeys(fits)
    found: dict[tuple[str, Ceiling], float | None] = {}
    for condition in answers.conditions:
        drawn = permuted(*answers.pair(condition), n, seed, fits[condition, KINDS[0]].scope)
        found |= {(condition, k): permutation_p(fits[condition, k].effect, drawn[k]) for k in KINDS}
    return found


def _row(answers: Answers, condition: str, fitted: Fitted, p: float | None) -> dict[str, object]:
    low, high, floor, top = fitted.scope
    line = np.isfinite(fitted.slope)
    return {
        "condition": condition,
        "ceiling": fitted.ceiling,
        "n": answers.pair(condition)[0].size,
        "effect": fitted.effect,
        "p_value": p,
        "size": size_of(fitted.effect),
        "accuracy": fitted.accuracy,
        "zone": fitted.zone,
        "scope": (high - low) * (top - floor),
        "intercept": fitted.intercept if line else None,
        "slope": fitted.slope if line else None,
        "condition_inefficiency": fitted.condition_inefficiency,
        "outcome_inefficiency": fitted.outcome_inefficiency,
    }


def size_of(effect: float) -> str:
    """Dul's words for an effect size: none, small (< .1), medium (< .3), large (< .5), very large.

    Example:
        >>> size_of(0.416)
        'large'
    """
    if effect <= 0:
        return "none"
    return ("small", "medium", "large", "very large")[int(np.searchsorted([0.1, 0.3, 0.5], effect, side="right"))]


def _needs(answers: Answers, condition: str, fitted: Fitted, levels: Sequence[float]) -> pl.DataFrame:
    """The bottleneck rows of one ceiling."""
    low, high, floor, top = fitted.scope
    share = np.asarray(levels, dtype=np.float64)
    outcome = floor + (top - floor) * share / 100
    needed = required(fitted, outcome)
    known = np.isfinite(needed)
    status = np.where(known, "needed", np.where(needed < 0, "nothing", "out of reach"))
    return pl.DataFrame(
        {
            "condition": [condition] * share.size,
            "ceiling": [fitted.ceiling] * share.size,
            "level": share,
            "outcome": outcome,
            "status": status.tolist(),
            "needed": _or_null(needed, needed),
            "needed_percent": _or_null(100 * (needed - low) / (high - low), needed),
            "below": pl.Series(below(answers.pair(condition)[0], needed, answers.weights(condition))),
        }
    )


def below(x: Array, needed: Array, weight: Array | None = None) -> Array:
    """Percent of the rows, weighted, with less of the condition than each need.

    Example:
        >>> below(np.array([1.0, 2.0, 3.0, 4.0]), np.array([-np.inf, 3.0, np.inf])).tolist()
        [0.0, 50.0, 100.0]
        >>> below(np.array([1.0, 2.0]), np.array([2.0]), np.array([1.0, 3.0])).tolist()
        [25.0]
    """
    slack = 1e-9 * (x.max() - x.min())
    less = x[None, :] < needed[:, None] - slack
    return np.asarray(100 * np.average(less, axis=1, weights=weight), dtype=np.float64)


def _or_null(values: Array, needed: Array) -> pl.Series:
    return pl.Series(np.where(np.isfinite(needed), values, np.nan)).fill_nan(None)


def _check(permutations: int, seed: int, levels: Sequence[float]) -> None:
    found = []
    found += whole("permutations", permutations)
    if not whole("permutations", permutations) and (permutations < 0 or 0 < permutations < 99):
        en, zh = f"{permutations} permutations are too few for a p-value.", f"{permutations} 次置换不足以给出 p 值。"
        do, do_zh = "Use 0 for none, or 999 and more.", "请用 0（不检验），或 999 次以上。"
        found.append(problem("E-SETTING", "permutations", en, zh, do, do_zh))
    found += seed_problems(seed)
    if not levels or not all(0 <= level <= 100 for level in levels):
        en, zh = "levels are percentages from 0 to 100.", "levels 应为 0 到 100 的百分数。"
        found.append(
            problem("E-SETTING", "levels", en, zh, "Use levels=range(0, 101, 10), say.", "例如 range(0, 101, 10)。")
        )
    if found:
        raise Problems(found)


def _check_columns(answers: Answers, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Every pair has rows and spread, and no row leaves the ranges given."""
    found = [p for name in ranges for p in one_of("scope", name, (answers.outcome, *answers.conditions))]
    for name in (answers.outcome, *answers.conditions):
        values = answers.columns[name][np.isfinite(answers.columns[name])]
        if values.size and values.min() == values.max():
            en, zh = "all its values are the same.", "其所有取值都相同。"
            do, do_zh = "Leave it out: a constant has no corner to be empty.", "请将其去掉：常数没有可空的角。"
            found.append(problem("E-CONSTANT", f'column "{name}"', en, zh, do, do_zh))
        low, high = ranges.get(name, (-np.inf, np.inf))
        if values.size and (not low < high or values.min() < low or values.max() > high):
            en = f"its values run from {values.min():g} to {values.max():g}, outside the scope {low:g} to {high:g}."
            zh = f"其取值范围为 {values.min():g} 至 {values.max():g}，超出给定范围 {low:g} 至 {high:g}。"
            found.append(problem("E-SCOPE", f'column "{name}"', en, zh, "Widen the scope.", "请放宽 scope。"))
    for name in answers.conditions:
        n = answers.pair(name)[0].size
        if n < LEAST:
            en, zh = (
                f"{n} rows have both answers; {LEAST} are needed.",
                f"同时有两个回答的只有 {n} 行，至少需要 {LEAST} 行。",
            )
            found.append(problem("E-FEW", f'column "{name}"', en, zh, "Add answers.", "请补充样本。"))
    if found:
        raise Problems(found)


def _notes(answers: Answers) -> tuple[Note, ...]:
    """What a reader of ceilings must know."""
    en = "a ceiling rests on its few corner rows: one wrong answer in the corner moves it."
    told = [note("N-NCA-CORNER", en, "天花板线只取决于角上的少数几行：一个错误回答就能使其移动。")]
    for name in answers.conditions:
        left = len(answers.columns[name]) - answers.pair(name)[0].size
        if left:
            en, zh = f"{left} rows without an answer are left out.", f"有 {left} 行缺少回答，未纳入。"
            told.append(note("N-ROWS-LEFT", f"{name}: {en}", f"{name}：{zh}"))
    return tuple(told)
