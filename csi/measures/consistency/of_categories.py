"""`agreement(data)`: how far raters put the same units into the same categories, beyond chance.

Letters: `u` units, `c` raters, `v` categories, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, get_args

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, problem, reason, seed_problems, whole
from csi.inference.settings import level_problems
from csi.measures.consistency.intervals import Bounds, by_draws
from csi.measures.consistency.kappa import Weights, cohen, fleiss_weighted
from csi.measures.consistency.krippendorff import Level, alpha_of, coincidences
from csi.measures.consistency.ratings import Ratings, ratings_of
from csi.measures.shown import told
from csi.moments.stack import Array

ONE = reason(
    "one_category",
    "one category is all there is: agreement by chance is complete.",
    "只出现一个类别：偶然一致率已为 1。",
)
WORDS = reason(
    "not_ordered",
    "categories are words without an order; give it by values=.",
    "类别是没有次序的文字，请用 values= 给出次序。",
)
UNPAIRED = reason("no_common_units", "no unit was rated by all of these raters.", "没有由这些评分者共同评分的单元。")
COEFFICIENTS: Final = {
    "percent": Text("share of agreement", "一致率"),
    "kappa": Text("kappa", "κ"),
    "kappa_linear": Text("kappa, linear weights", "κ（线性权重）"),
    "kappa_quadratic": Text("kappa, quadratic weights", "κ（平方权重）"),
    "fleiss": Text("Fleiss' kappa", "Fleiss κ"),
    "krippendorff_nominal": Text("Krippendorff's alpha, nominal", "Krippendorff α（名义）"),
    "krippendorff_ordinal": Text("Krippendorff's alpha, ordinal", "Krippendorff α（有序）"),
    "krippendorff_interval": Text("Krippendorff's alpha, interval", "Krippendorff α（等距）"),
}
HEADINGS: Final = {
    "coefficient": Text("coefficient", "系数"),
    "raters": Text("raters", "评分者"),
    "n": Text("units", "单元数"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("std. error", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "interval": Text("interval", "区间"),
    "reason": Text("reason", "原因"),
}
_WEIGHTS: Final[dict[str, Weights]] = {"kappa": "none", "kappa_linear": "linear", "kappa_quadratic": "quadratic"}
_SCHEMA: Final = {
    "coefficient": pl.String,
    "raters": pl.String,
    "n": pl.Int64,
    **dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), pl.Float64),
    "interval": pl.String,
    "reason": pl.String,
}
_Line = tuple[str, str, int, float | None, float | None, float | None, float | None, str | None, str | None]


@dataclass(frozen=True, slots=True, repr=False)
class Agreement(Shown):
    """Agreement of raters on categories.

    Attributes:
        table: coefficient, raters (a pair, or all), n (units), estimate, std_error, conf_low, conf_high, interval
            ("asymptotic" or "bootstrap percentile"), reason.
        values: the categories in order. reasons. level, replicates, seed. notes.
    """

    table: pl.DataFrame
    values: tuple[float | str, ...]
    reasons: Mapping[str, Reason]
    level: float
    replicates: int
    seed: int
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Agreement, lang: str = "en") -> str:
    """Coefficients, why they are absent, notes."""
    kinds = {
        "asymptotic": Text("asymptotic", "渐近"),
        "bootstrap percentile": Text("bootstrap, percentile", "自助法（百分位）"),
    }
    said = {"all": Text("all", "全部").say(lang)}
    shown = value.table.with_columns(
        pl.col("coefficient").replace({k: t.say(lang) for k, t in COEFFICIENTS.items()}),
        pl.col("interval").replace({k: t.say(lang) for k, t in kinds.items()}),
        pl.col("raters").replace(said),
    )
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    lines = [Text("Agreement beyond chance", "超出偶然的一致性").say(lang)]
    lines.append(table(shown, headings={c: t.say(lang) for c, t in HEADINGS.items()}))
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def agreement(
    data: object,
    columns: Sequence[str] | None = None,
    *,
    unit: str | None = None,
    rater: str | None = None,
    score: str | None = None,
    values: Sequence[float | str] | None = None,
    level: float = 0.95,
    n: int = 1000,
    seed: int = 1,
    na: Sequence[float] = (),
) -> Agreement:
    """How far raters put the same units into the same categories: kappas of every pair, Fleiss, Krippendorff.

    Cohen's kappa takes categories as they are, weighted kappa gives near misses their part (by the places of the
    categories), Fleiss' kappa and Krippendorff's alpha take all raters; alpha also units that some left out.

    Parameters:
        data: a frame with a column per rater. columns: those (all by default). unit, rater, score: columns of a long
            table instead. values: the categories in order, where they are words or some were not used.
        level: of intervals. n: resamples of units for Fleiss and Krippendorff (0: none). seed: of them.
        na: codes that mean "no rating".

    Returns:
        An `Agreement`.

    Raises:
        Problems: unknown columns, fewer than two raters, ratings that are not among `values`.

    Source:
        Cohen (1960, 1968); Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72(5); Fleiss (1971), 76(5); Hayes &
        Krippendorff (2007), Communication Methods and Measures 1(1). Kappas agree with psych 2.2.9 to 1e-10.

    Example:
        >>> frame = pl.DataFrame({"ann": ["a", "a", "b", "b", "a"], "bob": ["a", "a", "b", "a", "a"]})
        >>> agreement(frame, n=0).table.select("coefficient", pl.col("estimate").round(4)).rows()[:2]
        [('percent', 0.8), ('kappa', 0.5455)]
    """
    _check(level, n, seed)
    found = _in_order(ratings_of(data, columns, (unit, rater, score), na), values)
    ordered = found.numeric or values is not None
    lines = [line for pair in combinations(range(len(found.raters)), 2) for line in _pair(found, pair, level, ordered)]
    lines += _all(found, (level, n, seed), ordered)
    frame = pl.DataFrame(lines, schema=_SCHEMA, orient="row")
    codes = set(frame["reason"].drop_nulls())
    return Agreement(
        table=frame,
        values=found.values,
        reasons={r.code: r for r in (ONE, WORDS, UNPAIRED) if r.code in codes},
        level=level,
        replicates=n,
        seed=seed,
        notes=tuple(_notes(found, n, seed)),
    )


def _check(level: float, n: int, seed: int) -> None:
    """Raise everything that is wrong with the settings.

    Raises:
        Problems: E-SETTING, E-BOOT.
    """
    found: list[Problem] = [*level_problems(level), *whole("n", n), *seed_problems(seed)]
    if not whole("n", n) and (n < 0 or 0 < n < 100):
        en, zh = f"{n} resamples are too few for an interval.", f"{n} 次重抽样不足以给出区间。"
        do, do_zh = "Use 0 for none, or 1000 and more.", "请用 0（不做自助法），或 1000 次以上。"
        found.append(problem("E-BOOT", "n", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _in_order(found: Ratings, values: Sequence[float | str] | None) -> Ratings:
    """The ratings with the categories that were given, in their order.

    Raises:
        Problems: E-RATINGS.
    """
    if values is None:
        return found
    given = tuple(float(v) if found.numeric and not isinstance(v, str) else v for v in values)
    strange = [v for v in found.values if v not in given]
    if strange:
        names = ", ".join(str(v) for v in strange[:5])
        en, zh = f"{names}: not among values.", f"{names}：不在 values 之中。"
        do, do_zh = "Name every category, in order.", "请按次序写出全部类别。"
        raise Problems([problem("E-RATINGS", "values", en, zh, do, do_zh)])
    if found.numeric:
        return Ratings(found.raters, found.rows, given, numeric=True)
    place = np.array([float(given.index(v)) for v in found.values])
    known = ~np.isnan(found.rows)
    rows = np.where(known, place[np.where(known, found.rows, 0).astype(np.int64)], np.nan)
    return Ratings(found.raters, rows, given, numeric=False)


def _places(found: Ratings) -> Array:
    """(u, c) the place of every rating among the categories, NaN where there is none."""
    if not found.numeric:
        return found.rows
    order = np.array([float(v) for v in found.values])
    rank = np.argsort(order)
    near = np.searchsorted(order[rank], np.nan_to_num(found.rows))
    return np.where(np.isnan(found.rows), np.nan, rank[np.minimum(near, order.size - 1)])


def _pair(found: Ratings, pair: tuple[int, int], level: float, ordered: bool) -> Iterator[_Line]:
    """Share of agreement and kappas of two raters."""
    both = _places(found)[:, pair]
    both = both[~np.isnan(both).any(axis=1)].astype(np.int64)
    name, v = f"{found.raters[pair[0]]}, {found.raters[pair[1]]}", len(found.values)
    if not len(both):
        yield from ((kind, name, 0, None, None, None, None, None, UNPAIRED.code) for kind in ("percent", *_WEIGHTS))
        return
    counts = np.bincount(both[:, 0] * v + both[:, 1], minlength=v * v).reshape(v, v).astype(np.float64)
    n, z = len(both), float(ndtri((1 + level) / 2))
    share = float(np.trace(counts) / n)
    yield ("percent", name, n, share, *_wilson(share, n, z), None)
    for kind, weights in _WEIGHTS.items():
        of = cohen(counts, weights)
        if weights != "none" and not ordered:
            yield (kind, name, n, None, None, None, None, None, WORDS.code)
        elif not np.isfinite(of.value):
            yield (kind, name, n, None, None, None, None, None, ONE.code)
        else:
            low, high = of.value - z * of.std_error, of.value + z * of.std_error
            yield (kind, name, n, of.value, of.std_error, low, high, "asymptotic", None)


def _wilson(share: float, n: int, z: float) -> tuple[float, float, float, str]:
    """Standard error and Wilson's limits of a share."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    wide = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(np.sqrt(share * (1 - share) / n)), float(middle - wide), float(middle + wide), "asymptotic"


def _all(found: Ratings, settings: tuple[float, int, int], ordered: bool) -> Iterator[_Line]:
    """Fleiss' kappa and Krippendorff's alphas of all raters."""
    level, n, seed = settings
    places = _places(found)
    v = len(found.values)
    counts = (places[:, :, None] == np.arange(v)).sum(axis=1).astype(np.float64)
    whole_rows = counts[counts.sum(axis=1) == len(found.raters)]
    if len(whole_rows):
        drawn = fleiss_weighted(whole_rows, _resampled(len(whole_rows), n, seed))
        yield _line("fleiss", len(whole_rows), drawn, level)
    else:
        yield ("fleiss", "all", 0, None, None, None, None, None, UNPAIRED.code)
    values = found.rows if found.numeric else places
    distinct, pairs = coincidences(values.T)
    paired = pairs[(~np.isnan(values)).sum(axis=1) > 1]
    weight = _resampled(len(paired), n, seed)
    sums = (weight @ paired.reshape(len(paired), distinct.size**2)).reshape(-1, distinct.size, distinct.size)
    for kind in get_args(Level):
        name = f"krippendorff_{kind}"
        if kind != "nominal" and not ordered:
            yield (name, "all", len(paired), None, None, None, None, None, WORDS.code)
        elif kind == "interval" and not found.numeric:
            continue
        else:
            yield _line(name, len(paired), alpha_of(distinct, sums, kind), level)


def _resampled(units: int, n: int, seed: int) -> Array:
    """(1 + B, u) how often every unit counts: once, then as drawn."""
    weight = np.ones((1 + n, units))
    if units and n:
        weight[1:] = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=n)
    return weight


def _line(name: str, units: int, drawn: Array, level: float) -> _Line:
    """One line of all raters from the estimate and its replicates."""
    value = float(drawn[0]) if units else float("nan")
    if not np.isfinite(value):
        return (name, "all", units, None, None, None, None, None, ONE.code if units else UNPAIRED.code)
    bounds = by_draws(value, drawn[1:], level, "percentile") if len(drawn) > 1 else Bounds()
    return (name, "all", units, value, *bounds, None)


def _notes(found: Ratings, n: int, seed: int) -> Iterator[Note]:
    if n:
        en = f"intervals of Fleiss and Krippendorff: {n} resamples of units, seed {seed}."
        yield note("N-RESAMPLED", en, f"Fleiss 与 Krippendorff 的区间：对单元重抽样 {n} 次，种子 {seed}。")
    absent = int(np.isnan(found.rows).any(axis=1).sum())
    if absent:
        en = f"{absent} units lack a rating; Krippendorff's alpha uses those with two or more, the rest leave them out."
        zh = f"{absent} 个单元缺少评分；Krippendorff α 使用至少有两个评分的单元，其余系数不纳入。"
        yield note("N-ROWS-LEFT", en, zh)
