"""What each respondent's answers look like: runs, spread, pace, distance, agreement; the columns that the rules read.

Letters: `n` rows, `p` items, `o` items that a row answers, `m` pairs of items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import chdtrc

from csi.survey.cells import REASON, clean, number
from csi.survey.codebook import Codebook
from csi.survey.rules import (
    AGAINST,
    AGREEMENT,
    AVERAGE,
    DEVICE,
    DISTANCE,
    FAILED,
    PACE,
    PATTERN,
    RUN,
    SILENT,
    VARIABILITY,
    Rules,
    active,
)

Array = npt.NDArray[np.float64]
Sign = Callable[[pl.DataFrame, Codebook, Rules], pl.DataFrame]

CHUNK = 2**16
"""Rows that are looked at together where every pair of items is; results do not depend on it."""

LEAST_PAIRS = 3
"""Pairs of answers below which their agreement says nothing."""

FEWEST = 4
"""Answers from which on their variability says something of a respondent."""


def with_signs(frame: pl.DataFrame, codebook: Codebook, rules: Rules, roles: Sequence[str]) -> pl.DataFrame:
    """`frame` (typed answers, not yet turned over) with the columns that the active rules read."""
    wanted = dict.fromkeys(SIGNS[name] for name in active(rules, roles) if name in SIGNS)
    return reduce(lambda rows, sign: sign(rows, codebook, rules), wanted, frame)


def with_runs(frame: pl.DataFrame, codebook: Codebook, _: Rules) -> pl.DataFrame:
    """The most identical answers in a row among consecutive items of one scale (`RUN`), and their mean (`AVERAGE`).

    One step per item, O(n p): a blank keeps the run, another answer or another scale starts a new one.

    Source: Johnson 2005, Journal of Research in Personality 39:103-129 (long strings as a sign of careless answers);
        Meade & Craig 2012, Psychological Methods 17:437-455 (the longest and the average one).
    """
    run, last, runs, given = "a run so far", "the last answer", "runs", "answers"
    start = {run: 0, RUN: 0, runs: 0, given: 0}
    state = frame.lazy().with_columns(
        *(pl.lit(v, pl.Int32).alias(k) for k, v in start.items()), pl.lit(None, pl.Float64).alias(last)
    )
    scale = ""
    for item in codebook.items:
        answer = pl.col(item.name)
        if item.scale.name != scale:
            scale, state = item.scale.name, state.with_columns(pl.lit(None, pl.Float64).alias(last))
        longer = pl.when(answer == pl.col(last)).then(pl.col(run) + 1).otherwise(1)
        state = state.with_columns(
            pl.when(answer.is_null()).then(pl.col(run)).otherwise(longer).alias(run),
            (pl.col(runs) + (answer.is_not_null() & (answer != pl.col(last)).fill_null(value=True))).alias(runs),
            (pl.col(given) + answer.is_not_null()).alias(given),
            pl.coalesce(answer, last).alias(last),
        ).with_columns(pl.max_horizontal(RUN, run).alias(RUN))
    average = pl.when(pl.col(runs) > 0).then(pl.col(given) / pl.col(runs))
    return state.with_columns(average.alias(AVERAGE)).drop(run, last, runs, given).collect(engine="in-memory")


def with_variability(frame: pl.DataFrame, codebook: Codebook, _: Rules) -> pl.DataFrame:
    """The standard deviation (divisor o - 1) of four answers or more, each as a share of its scale: 0 to about .7.

    Source: Dunn, Heggestad, Shanock & Theilgard 2018, Journal of Business and Psychology 33:105-121 (IRV).
    """
    shares = [
        (pl.col(i.name) - i.scale.minimum) / (i.scale.maximum - i.scale.minimum)
        for i in codebook.items
        if i.scale.maximum > i.scale.minimum
    ]
    if not shares:
        return frame.with_columns(pl.lit(None, pl.Float64).alias(VARIABILITY))
    count, total = pl.sum_horizontal(s.is_not_null() for s in shares), pl.sum_horizontal(shares)
    squares = pl.sum_horizontal((s - total / count) ** 2 for s in shares)
    return frame.with_columns(pl.when(count >= FEWEST).then((squares / (count - 1)).sqrt()).alias(VARIABILITY))


def with_pace(frame: pl.DataFrame, codebook: Codebook, _: Rules) -> pl.DataFrame:
    """How many times as fast per question asked as the median respondent of the wave.

    Source: Leiner 2019, Survey Research Methods 13:229-248 (relative speed index); Greszki, Meyer & Schoen 2015, Public
        Opinion Quarterly 79:471-503.
    """
    asked = pl.sum_horizontal(_asked(frame, codebook))
    own = pl.when((pl.col("duration") >= 0) & (asked > 0)).then(pl.col("duration") / asked)
    median = own.median().over("wave") if "wave" in frame.columns else own.median()
    return frame.with_columns((median / own).alias(PACE))


def _asked(frame: pl.DataFrame, codebook: Codebook) -> list[pl.Expr]:
    """Whether each question was put to a row: not where the answers say so, nor in a wave of which nobody answered."""
    some = [pl.col(n).is_not_null().any() for n in codebook.names]
    some = [one.over("wave") for one in some] if "wave" in frame.columns else some
    put = [(pl.col(n + REASON) != "not_asked").fill_null(value=True) for n in codebook.names]
    return [a & b for a, b in zip(put, some, strict=True)]


def with_silence(frame: pl.DataFrame, codebook: Codebook, _: Rules) -> pl.DataFrame:
    """The share of the questions asked (in the wave) that are unanswered, whatever the reason given."""
    put = _asked(frame, codebook)
    asked = pl.sum_horizontal(put)
    absent = pl.sum_horizontal(a & pl.col(n).is_null() for a, n in zip(put, codebook.names, strict=True))
    return frame.with_columns(pl.when(asked > 0).then(absent / asked).alias(SILENT))


def with_patterns(frame: pl.DataFrame, codebook: Codebook, rules: Rules) -> pl.DataFrame:
    """How many other respondents of the wave (of the brand) gave the same answers throughout.

    Answers that are all alike are left to straight-lining.

    Source: Kuriakose & Robbins 2016, Statistical Journal of the IAOS 32:283-291 (duplicates of others' answers).
    """
    names = list(codebook.names)
    given = pl.sum_horizontal(pl.col(n).is_not_null() for n in names)
    varied = pl.max_horizontal(names) > pl.min_horizontal(names)
    keys = [k for k in ("wave", "brand") if k in frame.columns]
    whole = (given >= rules.patterns_items) & varied
    others = pl.struct(*keys, *names)
    counts = frame.select(others.alias("pattern")).with_columns(pl.len().over("pattern").alias("len"))["len"]
    alike = pl.when(whole).then(counts.cast(pl.Int64) - 1).otherwise(0)
    return frame.with_columns(alike.alias(PATTERN))


def with_devices(frame: pl.DataFrame, _: Codebook, rules: Rules) -> pl.DataFrame:
    """How many respondents of the wave share the value of the device column; blanks are nobody's device."""
    keys = ["device", *(k for k in ("wave",) if k in frame.columns)]
    people = pl.col("respondent").n_unique() if "respondent" in frame.columns else pl.len()
    shared = pl.when(pl.col("device").is_not_null()).then(people.over(keys))
    return frame.with_columns(shared.alias(DEVICE)) if rules.device else frame


def with_failed(frame: pl.DataFrame, codebook: Codebook, rules: Rules) -> pl.DataFrame:
    """How many attention items were answered otherwise than asked; unanswered ones do not count."""
    failed = [_fails(name, expected, codebook) for name, expected in rules.attention.items()]
    return frame.with_columns(pl.sum_horizontal(failed).alias(FAILED))


def _fails(name: str, expected: str | float, codebook: Codebook) -> pl.Expr:
    """Whether the answer is another one: numbers are compared as numbers."""
    column = pl.col(name)
    try:
        wanted = float(expected)
    except ValueError:
        return (column.cast(pl.String) != str(expected).strip()).fill_null(value=False)
    if name in codebook.names:
        return (column != wanted).fill_null(value=False)
    same = (number(clean(column)) == wanted).fill_null(value=False)
    return column.is_not_null() & ~same


def with_against(frame: pl.DataFrame, codebook: Codebook, rules: Rules) -> pl.DataFrame:
    """How many pairs of answers are as many points apart as their limit, or more; reversed items are turned over."""
    far = [
        ((oriented(codebook, a) - oriented(codebook, b)).abs() >= limit).fill_null(value=False)
        for a, b, limit in rules.contradictions
    ]
    return frame.with_columns(pl.sum_horizontal(far).alias(AGAINST))


def oriented(codebook: Codebook, name: str) -> pl.Expr:
    """An item's answer, turned over where the codebook says that it is reversed."""
    item = codebook[name]
    return item.scale.minimum + item.scale.maximum - pl.col(name) if item.reverse else pl.col(name)


def with_distance(frame: pl.DataFrame, codebook: Codebook, _: Rules) -> pl.DataFrame:
    """The p of each row's Mahalanobis distance over the items it answers: see `distances`."""
    squared, degrees = distances(_matrix(frame, codebook.names))
    with np.errstate(invalid="ignore"):
        p = np.where(degrees > 0, chdtrc(np.maximum(degrees, 1), squared), np.nan)
    return frame.with_columns(pl.Series(DISTANCE, p).fill_nan(None))


def distances(rows: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Squared Mahalanobis distances of rows over what they answer, and the number of items behind each.

    D^2 = (x_o - mu_o)' S_oo^-1 (x_o - mu_o), with means and covariances (divisor n - 1) of the answers there are; in a
    normal population chi-squared with o degrees of freedom. Items that do not vary take no part.

    Parameters:
        rows: (n, p), NaN where absent.

    Returns:
        (n,) NaN where S_oo is not positive definite or nothing is answered; (n,).

    Source: Mahalanobis 1936, Proc. National Institute of Sciences of India 2:49-55; Meade & Craig 2012, Psychological
        Methods 17:437-455.

    Example:
        >>> squared, o = distances(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 3.0], [4.0, 5.0], [9.0, np.nan]]))
        >>> round(float(squared[4]), 4), o.tolist()
        (2.7876, [2, 2, 2, 2, 1])
    """
    mean, cov = available(rows)
    varies = np.diag(cov) > 0
    x, mean, cov = rows[:, varies], mean[varies], cov[np.ix_(varies, varies)]
    seen = np.isfinite(x)
    packed = np.packbits(seen, axis=1)
    _, first, of = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(of.ravel(), kind="stable")
    ends = np.searchsorted(of.ravel()[order], np.arange(first.size + 1))
    squared = np.full(len(x), np.nan)
    for group, start in enumerate(first):
        at, o = order[ends[group] : ends[group + 1]], np.flatnonzero(seen[start])
        factor = _factor(cov[np.ix_(o, o)]) if o.size else None
        if factor is not None:
            squared[at] = (np.linalg.solve(factor, (x[np.ix_(at, o)] - mean[o]).T) ** 2).sum(axis=0)
    return squared, seen.sum(axis=1)


def _factor(cov: Array) -> Array | None:
    """The Cholesky factor; None without one."""
    try:
        return np.asarray(np.linalg.cholesky(cov))
    except np.linalg.LinAlgError:
        return None


def available(rows: Array) -> tuple[Array, Array]:
    """Means (p,) and covariances (p, p) of the answers there are, pair by pair; 0 where no two rows answer a pair."""
    seen = np.isfinite(rows)
    count = seen.sum(axis=0)
    mean = np.divide(np.where(seen, rows, 0.0).sum(axis=0), count, out=np.zeros(rows.shape[1]), where=count > 0)
    p = rows.shape[1]
    products, pairs = np.zeros((p, p)), np.zeros((p, p))
    for start in range(0, len(rows), CHUNK):
        there = seen[start : start + CHUNK]
        apart = np.where(there, rows[start : start + CHUNK] - mean, 0.0)
        products += apart.T @ apart
        pairs += there.T.astype(np.float64) @ there
    return mean, np.divide(products, pairs - 1, out=np.zeros((p, p)), where=pairs > 1)


def with_agreement(frame: pl.DataFrame, codebook: Codebook, rules: Rules) -> pl.DataFrame:
    """How far each respondent's answers to items that go together agree: see `agreements`."""
    rows = _matrix(frame, codebook.names)
    return frame.with_columns(pl.Series(AGREEMENT, agreements(rows, rules.synonyms_r)).fill_nan(None))


def agreements(rows: Array, least: float) -> Array:
    """The correlation within each row, over the pairs of items with |r| of `least` or more, of first with second item.

    Items that go against each other (antonyms) are turned about: with r < 0 the second one changes its sign and both
    are taken from their means, so that one number serves for synonyms and antonyms.

    Parameters:
        rows: (n, p), NaN where absent. least: smallest |r| of a pair.

    Returns:
        (n,) NaN with fewer than three pairs answered, or where one side does not vary.

    Source: Meade & Craig 2012, Psychological Methods 17:437-455 (pairs with |r| > .60); Curran 2016, Journal of
        Experimental Social Psychology 66:4-19.
    """
    mean, cov = available(rows)
    sd = np.sqrt(np.maximum(np.diag(cov), 0.0))
    scale = np.outer(sd, sd)
    r = np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 0)
    first, second = np.nonzero(np.triu(np.abs(r) >= least, 1))
    found = np.full(len(rows), np.nan)
    if first.size < LEAST_PAIRS:
        return found
    sign = np.sign(r[first, second])
    for start in range(0, len(rows), CHUNK):
        apart = rows[start : start + CHUNK] - mean
        a, b = apart[:, first], apart[:, second] * sign
        found[start : start + CHUNK] = _within(a, b)
    return found


def _within(a: Array, b: Array) -> Array:
    """(n,) correlation of a with b (n, m) along each row, over the places where both are known."""
    both = np.isfinite(a) & np.isfinite(b)
    count = both.sum(axis=1)
    safe = np.maximum(count, 1)[:, None]
    a, b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    a = np.where(both, a - a.sum(axis=1, keepdims=True) / safe, 0.0)
    b = np.where(both, b - b.sum(axis=1, keepdims=True) / safe, 0.0)
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    known = (count >= LEAST_PAIRS) & (spread > 1e-12)
    out: Array = np.full(len(a), np.nan)
    np.divide((a * b).sum(axis=1), spread, out=out, where=known)
    return out


def _matrix(frame: pl.DataFrame, names: Sequence[str]) -> Array:
    """(n, p) answers, NaN where absent."""
    rows = np.empty((frame.height, len(names)))
    for k, name in enumerate(names):
        rows[:, k] = frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return rows


SIGNS: Mapping[str, Sign] = {
    "straight_lining": with_runs,
    "average_run": with_runs,
    "variability": with_variability,
    "speeders_relative": with_pace,
    "nonresponse": with_silence,
    "patterns": with_patterns,
    "devices": with_devices,
    "inattentive": with_failed,
    "contradictory": with_against,
    "outliers": with_distance,
    "synonyms": with_agreement,
}
"""Rule -> what makes its column; a rule that is not here reads a key."""
