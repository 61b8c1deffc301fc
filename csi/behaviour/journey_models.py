"""What of a journey goes with the overall judgement: its mean, peak and end, and each touchpoint.

    overall = b0 + b1 mean + b2 peak + b3 end (+ b4 trough + b5 slope)
    overall = a + sum_t b_t met_t (score_t - c) + sum_t d_t met_t

Letters: `m` customers, `k` columns, `t` touchpoints. A touchpoint that a customer did not meet is missing by design:
its columns are 0 because met_t is, and no score stands in for it.

Source:
    Kahneman, Fredrickson, Schreiber & Redelmeier (1993), Psychological Science 4(6), 401-405; Lemon & Verhoef (2016),
    J. of Marketing 80(6), 69-96.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.journey_asked import Walked
from csi.behaviour.loyalty_curve import independent
from csi.errors import Note, note, reason
from csi.inference.adjust import adjust
from csi.inference.linearised import critical, p_of_t
from csi.inference.sandwich import Slopes, robust_slopes
from csi.measures.tidy import with_reasons
from csi.moments.stack import Array
from csi.survey.bases import Bases
from csi.survey.disclosure import pooled

FEWEST: Final = 3
"""Scored contacts that a customer needs for a mean, a peak and an end that can differ."""

SPARE: Final = 4
"""Customers that must remain beyond the columns."""

MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "mean": ("mean",),
    "peak_end": ("mean", "peak", "end"),
    "full": ("mean", "peak", "end", "trough", "slope"),
}
"""Terms of each model of the whole journey; each is tested against the one before."""

OTHERS: Final = "(others)"
"""Touchpoints that too few scored, taken together."""

ALIKE: Final = reason(
    "R-JOURNEY-ALIKE",
    "not told: too few customers for the terms, or one term follows from the others.",
    "无法给出：样本相对于项数过少，或某一项可由其他项推得。",
)


def peak_end(walk: Walked, level: float, bases: Bases) -> tuple[pl.DataFrame, pl.DataFrame, tuple[Note, ...]]:
    """Slopes of each model, its fit and what it adds, and who could not be counted."""
    if walk.overall is None or walk.bounds is None or not walk.ordered[walk.person].any():
        return pl.DataFrame(), pl.DataFrame(), ()
    rows, terms = _moments(walk)
    at = rows[np.isfinite(walk.overall[rows])]
    terms = terms[np.isfinite(walk.overall[rows])]
    slopes, fits = [], []
    before: tuple[str, ...] = ()
    for name, used in MODELS.items():
        X = np.column_stack([np.ones(len(at)), *(terms[:, list(MODELS["full"]).index(t)] for t in used)])
        found = _fitted(X, walk.overall[at], walk, at)
        slopes.append(_slopes(found, name, used, len(at), level))
        fits.append(_fit(found, name, len(at), np.eye(X.shape[1])[1 + len(before) :]))
        before = used
    said = () if len(at) == walk.size else (_left(walk.size - len(at), walk.size),)
    return bases.withheld(pl.concat(slopes)), bases.withheld(pl.concat(fits)), said


def _moments(walk: Walked) -> tuple[np.ndarray, Array]:
    """Customers whose contacts are in order, at least three of them and the last one scored; their five terms."""
    rows, terms = [], []
    starts = np.flatnonzero(np.append(True, walk.person[1:] != walk.person[:-1]))
    for start, stop in zip(starts, np.append(starts[1:], len(walk.person)), strict=True):
        s = walk.score[start:stop]
        seen = np.isfinite(s)
        if not walk.ordered[walk.person[start]] or seen.sum() < FEWEST or not seen[-1]:
            continue
        x, place = s[seen], np.flatnonzero(seen) - np.flatnonzero(seen).mean()
        rows.append(walk.person[start])
        terms.append((x.mean(), x.max(), x[-1], x.min(), place @ x / (place @ place)))
    return np.array(rows, dtype=np.int64), np.array(terms, dtype=np.float64).reshape(-1, len(MODELS["full"]))


def _left(count: int, size: int) -> Note:
    """How many customers have no mean, peak and end."""
    en = (
        f"{count} of {size} customers are not in the peak-end model: fewer than {FEWEST} scored contacts, the last one "
    )
    zh = f"{size} 位顾客中有 {count} 位不在峰终模型中：评分接触少于 {FEWEST} 次、末次未评分、次序不明或没有总体评价。"
    return note("N-JOURNEY-ENDS", f"{en}without a score, an order that is not known, or no overall judgement.", zh)


def _fitted(X: Array, y: Array, walk: Walked, at: np.ndarray) -> tuple[Slopes, float, float] | None:
    """Slopes with R2 and adjusted R2; None where they cannot be told."""
    n, k = X.shape
    if n < k + SPARE or np.ptp(y) == 0 or not independent(X):
        return None
    w = walk.weight[at]
    found = robust_slopes(X, y, w, walk.unit[at], walk.stratum)
    centre = w @ y / w.sum()
    r2 = 1 - float(w @ (y - X @ found.slopes) ** 2) / float(w @ (y - centre) ** 2)
    return found, r2, 1 - (1 - r2) * (n - 1) / (n - k)


def _slopes(
    found: tuple[Slopes, float, float] | None, model: str, terms: Sequence[str], n: int, level: float
) -> pl.DataFrame:
    """A row per term."""
    head = pl.DataFrame({"model": [model] * len(terms), "term": list(terms), "n": [n] * len(terms)})
    columns = judged(found[0] if found else None, np.eye(len(terms) + 1)[1:], level)
    frame = pl.concat([head, columns], how="horizontal")
    return with_reasons(frame, [None if found else ALIKE] * len(terms))


def judged(found: Slopes | None, L: Array, level: float) -> pl.DataFrame:
    """Columns estimate, std_error, df, conf_low, conf_high, p_value of the combinations L b; null without slopes."""
    names = ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value")
    if found is None:
        return pl.DataFrame({c: [None] * len(L) for c in names}, schema=dict.fromkeys(names, pl.Float64))
    b, error, df = L @ found.slopes, np.sqrt(np.einsum("mi,ij,mj->m", L, found.cov, L)), found.df_of(L)
    error = np.where(df > 0, error, np.nan)
    reach = critical(level, df) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p_of_t(b / error, df)
    columns = (b, error, df, b - reach, b + reach, p)
    return pl.DataFrame(dict(zip(names, columns, strict=True))).with_columns(pl.col(pl.Float64).fill_nan(None))


def _fit(found: tuple[Slopes, float, float] | None, model: str, n: int, L: Array) -> pl.DataFrame:
    """R2 and the joint test of the terms L that the model adds."""
    test = found[0].joint(L) if found else (np.nan,) * 4
    values = dict(zip(("f", "df1", "df2", "p_value"), test, strict=True))
    fits = {"r2": found[1] if found else np.nan, "r2_adjusted": found[2] if found else np.nan}
    frame = pl.DataFrame({"model": [model], "n": [n], **{k: [float(v)] for k, v in {**fits, **values}.items()}})
    return with_reasons(frame.with_columns(pl.col(pl.Float64).fill_nan(None)), [None if found else ALIKE])


def drivers(walk: Walked, level: float, bases: Bases) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Slope of overall on the score of each touchpoint among those who met it, and the difference of having met it.

    Touchpoints that fewer than `small` customers scored share one slope and one difference (`OTHERS`).
    """
    if walk.overall is None or walk.bounds is None or len(walk.touchpoints) < 2:
        return pl.DataFrame(), ()
    rated, scores, bare = _by_person(walk)
    use = np.isfinite(walk.overall)
    often = (rated[use].sum(axis=0) >= max(bases.small, 1)).tolist()
    told = [t for t, enough in enumerate(often) if enough]
    few = [t for t, enough in enumerate(often) if not enough]
    shown = [t for t in range(len(often)) if bare[use][:, t].sum() >= max(bases.small, 1)]
    hidden = [t for t in range(len(often)) if t not in shown]
    left = use & (bare[:, hidden].sum(axis=1) > 0)
    at = np.flatnonzero(use & ~left)
    centre, count = _centre(walk, rated, bases)
    away = np.where(rated > 0, scores - centre, 0.0)
    names = [walk.touchpoints[t] for t in told] + ([OTHERS] if few else [])
    slope = [away[:, t] for t in told] + ([away[:, few].sum(axis=1)] if few else [])
    meets = [rated[:, t] for t in told] + ([rated[:, few].sum(axis=1)] if few else [])
    raters = [int(rated[at, t].sum()) for t in told] + ([int((rated[at][:, few].sum(axis=1) > 0).sum())] if few else [])
    columns = [c[at] for c in (np.ones(walk.size), *slope, *meets, *(bare[:, t] for t in shown))]
    kept = _kept(columns)
    X = np.column_stack([columns[k] for k in kept])
    found = _fitted(X, walk.overall[at], walk, at)
    place = {k: j for j, k in enumerate(kept)}
    first, second = (_at(place, [1 + g * len(names) + j for j in range(len(names))]) for g in (0, 1))
    frame = pl.DataFrame({"touchpoint": names, "n": raters})
    for prefix, where in (("", first), ("met_", second)):
        frame = pl.concat([frame, _picked(found, where, len(kept), level, prefix)], how="horizontal")
    none = [None if found and w >= 0 else ALIKE for w in first]
    frame = bases.withheld(with_reasons(frame, none))
    r2 = found[1] if found and len(at) >= bases.small else None
    mean = centre if count >= bases.small else None
    return frame, _driver_notes(mean, len(at), r2, int(left.sum()), [walk.touchpoints[t] for t in few])


def _centre(walk: Walked, rated: Array, bases: Bases) -> tuple[float, int]:
    """Mean of the scores given, and by how many; of touchpoints that too few scored only where it tells none of them.

    Parameters:
        rated: (m, t) 1 where a customer scored a touchpoint.
    """
    enters = pooled(rated.sum(axis=0).astype(np.int64), bases.small)
    seen = np.isfinite(walk.score)
    own = seen & enters[walk.touch] if enters.any() else seen
    mean = float(np.average(walk.score[own], weights=walk.weight[walk.person[own]]))
    return mean, np.unique(walk.person[own]).size


def _by_person(walk: Walked) -> tuple[Array, Array, Array]:
    """(m, t) 1 where a customer scored a touchpoint, the mean of those scores, 1 where they met it without a score."""
    shape = (walk.size, len(walk.touchpoints))
    seen = np.isfinite(walk.score)
    count, total = np.zeros(shape), np.zeros(shape)
    np.add.at(count, (walk.person[seen], walk.touch[seen]), 1.0)
    np.add.at(total, (walk.person[seen], walk.touch[seen]), walk.score[seen])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
    rated = (count > 0).astype(np.float64)
    return rated, mean, walk.met(walk.touch, shape[1]) * (1 - rated)


def _kept(columns: Sequence[Array]) -> list[int]:
    """Columns that do not follow from those before them."""
    kept: list[int] = []
    basis = np.empty((len(columns[0]), 0))
    for k, column in enumerate(columns):
        size = float(np.sqrt(column @ column))
        if size == 0:
            continue
        rest = column / size
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        length = float(np.sqrt(rest @ rest))
        if length > 1e-8:
            kept.append(k)
            basis = np.column_stack([basis, rest / length])
    return kept


def _at(place: Mapping[int, int], wanted: Sequence[int]) -> list[int]:
    """Where columns ended up; -1 where they were left out."""
    return [place.get(k, -1) for k in wanted]


def _picked(
    found: tuple[Slopes, float, float] | None, where: Sequence[int], size: int, level: float, prefix: str
) -> pl.DataFrame:
    """Columns of the slopes at these places with p adjusted (Holm); null where there is none."""
    L = np.zeros((len(where), size))
    for row, at in enumerate(where):
        L[row, at] = at >= 0
    frame = judged(found[0] if found else None, L, level)
    absent = pl.Series(where) < 0
    frame = frame.with_columns(pl.when(~absent).then(pl.col(c)).alias(c) for c in frame.columns)
    p = frame["p_value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    frame = frame.with_columns(pl.Series("p_adjusted", adjust(p, "holm")).fill_nan(None))
    return frame.rename({c: prefix + c for c in frame.columns})


def _driver_notes(centre: float | None, n: int, r2: float | None, left: int, few: Sequence[str]) -> tuple[Note, ...]:
    """What the columns are; who was left out; what was taken together."""
    fit, fit_zh = ("", "") if r2 is None else (f"; R2 {r2:.3f}", f"；R² {r2:.3f}")
    at, at_zh = ("", "") if centre is None else (f" {centre:.1f} (0-100)", f" {centre:.1f}（0–100）")
    en = f"touchpoints: one regression of {n} customers{fit}; scores are counted from their mean{at} "
    en += "among those who met a touchpoint, and nothing stands in for touchpoints not met."
    zh = f"触点：{n} 位顾客的同一回归{fit_zh}；评分以其均值{at_zh}为起点，"
    zh += "仅计接触过该触点者，未接触者不作任何填补。"
    out = [note("N-JOURNEY-TOUCH", en, zh)]
    if left:
        en = (
            f"{left} customers met a touchpoint without scoring it, as too few others did; left out of this regression."
        )
        out.append(note("N-JOURNEY-BARE", en, f"{left} 位顾客接触某触点而未评分，同类者过少，未计入该回归。"))
    if few:
        en = f"too few customers scored {len(few)} touchpoints; together they stand as {OTHERS}."
        out.append(note("W-JOURNEY-FEW", en, f"有 {len(few)} 个触点评分者过少，合并列为“其他”。"))
    return tuple(out)
