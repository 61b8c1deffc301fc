"""Whether constructs are distinct: disattenuated correlations with intervals and tests, and the items behind them.

Letters: `b` slices, `q` factors, `m` pairs of them, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, text
from csi.errors import (
    Note,
    Problem,
    Problems,
    Reason,
    Text,
    is_number,
    note,
    one_of,
    problem,
    reason,
    seed_problems,
    whole,
)
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit, fit_sample
from csi.estimate.given import estimator_problems, model_of
from csi.inference.bootstrap import bootstrap
from csi.inference.uncertainty import Uncertainty
from csi.measures.nested import lrt
from csi.measures.separation.discriminant_words import lines_of, sentences_of
from csi.measures.separation.drivers_of_pairs import causes_of
from csi.measures.separation.factors import Factors, Pair, chained, factors_of, refitted, with_correlation
from csi.measures.separation.heterotrait import both
from csi.measures.separation.latent_ratios import latent_ratios
from csi.measures.tidy import cells_of, said_once, tidy, uncertain, unsolved
from csi.models.model import Model
from csi.moments.stack import MOMENTS_ALONE, Array, Ints
from csi.pls.sum_scores import SumScores
from csi.sem.estimator import SEM

GRADES = (0.8, 0.9, 1.0)
"""Where an interval's far end makes a pair a marginal, a moderate, a severe problem (Roennkoe & Cho, 2022)."""

WORDS = ("none", "marginal", "moderate", "severe")
UNTESTED = reason(
    "R-NO-DIFFERENCE-TEST",
    "the model with this correlation fixed has no solution, or fits no worse than rounding allows.",
    "固定该相关后的模型无解，或其拟合差异无法计算。",
)
FAR = reason(
    "R-FAR-APART",
    "the interval of the correlation stays below .80: difference tests are of closer pairs alone.",
    "相关的区间低于 0.80：只对更接近的构念对做差异检验。",
)
LATENT = note(
    "N-HTMT-LATENT",
    "HTMT is of the polychoric correlations behind the answers; intervals by the delta method on the log scale, none "
    "of HTMT2 where a correlation is near 0.",
    "HTMT 基于答案背后的多分格相关；区间用对数尺度上的 delta 法，含接近 0 的相关时 HTMT2 无区间。",
)
Tests = Literal["all", "close"]
"""Which pairs have difference tests."""


@dataclass(frozen=True, slots=True, repr=False)
class Discriminant(Shown):
    """What `discriminant` found. Each frame starts with the cell's key columns.

    Attributes:
        table: one row per pair: construct, other, correlation (of the factors, free of measurement error), std_error,
            conf_low, conf_high, problem ("none", "marginal", "moderate", "severe": where the interval's end that is
            farther from 0 lies), chi2_one, p_one (difference test against a correlation of 1), chi2_cutoff, p_cutoff
            (against the cut-off), htmt, htmt2 with _low and _high, reason, and `boundary` (whether the correlation
            itself is 1 or beyond).
        causes: construct, other, kind ("cross-loading", "residual", "item"), item, partner (the construct or item it
            goes with), mi (drop of chi2 if it were free), change (its expected standardised size), htmt_without (of the
            item whose removal lowers HTMT most). Without a solution there are none.
        cutoff, level. factors: the measurement model. estimate: its fit. reasons: code -> Reason. sentences, notes.
    """

    table: pl.DataFrame
    causes: pl.DataFrame
    cutoff: float
    level: float
    factors: Model
    estimate: Estimate
    reasons: Mapping[str, Reason]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Discriminant, lang: str = "en") -> str:
    """Pairs, what drives them, sentences, why values are absent, notes."""
    told = (value.reasons.values(), value.notes)
    return "\n".join(lines_of(value.table, value.causes, value.sentences, value.cutoff, *told, lang))


def grade(low: Array, high: Array) -> Ints:
    """0 none, 1 marginal, 2 moderate, 3 severe, by the end of an interval of a correlation that is farther from 0.

    Source:
        Roennkoe & Cho (2022), Organizational Research Methods 25(1), 6-47: CI_CFA(sys).

    Example:
        >>> grade(np.array([0.5, 0.7, 0.88, -0.93]), np.array([0.7, 0.85, 1.02, -0.8])).tolist()
        [0, 1, 3, 2]
    """
    return np.asarray(np.searchsorted(GRADES, np.maximum(np.abs(low), np.abs(high)), side="right"), dtype=np.int64)


def discriminant(
    model: Estimate | Model | str,
    data: object = None,
    *,
    cutoff: float = 0.9,
    level: float = 0.95,
    estimator: SEM | None = None,
    tests: Tests = "all",
    replicates: int = 1000,
    seed: int = 1,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Discriminant:
    """How far every two constructs are from being one: factor correlations, their intervals and tests, HTMT, causes.

    The factors of the model are fitted as a confirmatory factor analysis with variances of 1, so that a fixed
    covariance is a fixed correlation (with marker items it would not be). Each pair is then tested against a
    correlation of 1 and of the cut-off, with the sign it has; all other parameters stay free. A factor model may find
    a correlation beyond 1, so that the test against 1 is two-sided: read as "below 1" its p-value is twice too large.

    A construct of one item has no correlation free of error and is left to HTMT; composites have neither.

    Parameters:
        model: an estimate, or a model (or its text) to fit to `data`.
        data: a Panel or frame; None with an estimate. cutoff: the correlation tested beside 1. level: of intervals.
        estimator: `csi.SEM` settings; None: the estimate's own, maximum likelihood where there are none.
        tests: difference tests of "all" pairs, or of "close" ones, whose interval reaches .80 (the others are not in
            doubt, and every test is a fit of its own).
        replicates: resamples for the intervals of HTMT (0: none), of the rows with all answers (of a fit that keeps
            incomplete rows, of all pairs of answers); an estimate that went through `bootstrap` has its own. Of ordinal
            items, HTMT is of the polychoric correlations, with intervals by the delta method. seed: of theirs.
        by, where, weight, unit, stratum, na, scale: as in `csi.fit`.

    Returns:
        A `Discriminant`.

    Raises:
        Problems: no two factors, unknown or constant items, settings that cannot be.

    Source:
        Roennkoe & Cho (2022), Organizational Research Methods 25(1), 6-47; Henseler, Ringle & Sarstedt (2015), J. of
        the Academy of Marketing Science 43; Roemer, Schuberth & Henseler (2021), IMDS 121(12). Intervals and difference
        tests agree with lavaan 0.6-14 within 1e-4 (tests/measures/separation).

    Example:
        >>> import csi
        >>> R = [[1, .6, .4, .4], [.6, 1, .4, .4], [.4, .4, 1, .5], [.4, .4, .5, 1]]
        >>> found = discriminant("a =~ x1 + x2; b =~ y1 + y2", csi.Moments.of(["x1", "x2", "y1", "y2"], R, 300))
        >>> found.table.select(pl.col("correlation", "conf_high", "chi2_one").round(3), "problem").row(0)
        (0.73, 0.842, 24.624, 'marginal')
    """
    problems = [*_settings(cutoff, level, replicates, seed, estimator), *one_of("tests", tests, get_args(Tests))]
    design = {"where": where, "weight": weight, "unit": unit, "stratum": stratum, "na": na, "scale": scale}
    given, factors, est, scored = _fitted(model, data, estimator, by, design, problems)
    found = _Tests.of(est, factors, cutoff, level, only_close=tests == "close")
    heterotrait, said = _heterotrait(given, est, scored, replicates, seed, level)
    names = _all_pairs(given, factors)
    table, reasons = _table(est, factors, found, heterotrait, names, level)
    causes = causes_of(est, factors.pairs)
    notes = (*est.notes, *factors.notes, *said, *_boundary(table))
    return Discriminant(
        table, causes, cutoff, level, factors.model, est, reasons, sentences_of(table, causes, given), notes
    )


def _settings(cutoff: object, level: object, replicates: object, seed: object, estimator: object) -> list[Problem]:
    """What is wrong with the numbers asked for."""
    found = [*whole("replicates", replicates), *seed_problems(seed)]
    for name, value in (("cutoff", cutoff), ("level", level)):
        if not is_number(value) or not 0 < float(str(value)) < 1:
            en, zh = f"a number between 0 and 1 is expected, not {value}.", f"应为 0 与 1 之间的数，而不是 {value}。"
            found.append(problem("E-SETTING", name, en, zh, f"Write {name}=0.9, say.", f"例如 {name}=0.9。"))
    if estimator is not None and not isinstance(estimator, SEM):
        en, zh = "factor correlations are those of a fit by csi.SEM.", "因子相关来自 csi.SEM 的拟合。"
        found += estimator_problems(estimator) or [
            problem("E-SETTING", "estimator", en, zh, "Write csi.SEM().", "请写 csi.SEM()。")
        ]
    return found


def _fitted(
    model: Estimate | Model | str,
    data: object,
    estimator: SEM | None,
    by: Sequence[str],
    design: Mapping[str, Any],
    problems: list[Problem],
) -> tuple[Estimate | Model, Factors, Estimate, Estimate | None]:
    """The estimate (or the model) given, the factors of its model, their fit, and sums of the items."""
    if isinstance(model, Estimate):
        if problems:
            raise Problems(problems)
        factors, sample = _enough(factors_of(model.model)), model.sample
        scored = None
        if sample is not None and model.replicates is None and sample.group is None:
            kept = sample.missing if sample.missing in MOMENTS_ALONE else "pairwise"
            scored = fit_sample(chained(model.model), replace(sample, missing=kept), SumScores(missing=kept))
        return model, factors, refitted(model, factors.model, estimator), scored
    claim = model_of(model, also=problems)
    if data is None:
        en, zh = "a model needs answers to be fitted to.", "给出模型时还需给出回答数据。"
        do = "Write csi.discriminant(model, data), or give an estimate."
        raise Problems(
            [problem("E-SETTING", "data", en, zh, do, "请写 csi.discriminant(model, data)，或给出估计结果。")]
        )
    factors = _enough(factors_of(claim))
    settings = replace(estimator or SEM(), std_lv=True)
    est = fit(factors.model, data, settings, by, **design)
    kept = settings.missing if settings.missing in MOMENTS_ALONE else "listwise"
    scored = fit(chained(claim), data, SumScores(missing=kept), by, **design)
    if len(scored.moments.n) != len(est.moments.n):  # a cell where nobody was asked an only item
        scored = fit(chained(factors.model), data, SumScores(missing=kept), by, **design)
    return claim, factors, est, scored


def _enough(factors: Factors) -> Factors:
    """At least two factors.

    Raises:
        Problems: E-CONSTRUCT.
    """
    if len(factors.names) < 2:
        why = "; ".join(f"{name}: {r.text.en}" for name, r in factors.without.items())
        why_zh = "；".join(f"{name}：{r.text.zh}" for name, r in factors.without.items())
        en = f"two reflective constructs of two items or more are needed{f' ({why})' if why else ''}."
        zh = f"需要至少两个各有两题以上的反映型构念{f'（{why_zh}）' if why_zh else ''}。"
        do, do_zh = "Name the items of a second construct.", "请补充另一个构念的题项。"
        raise Problems([problem("E-CONSTRUCT", "model", en, zh, do, do_zh)])
    return factors


@dataclass(frozen=True, slots=True)
class Heterotrait:
    """HTMT and HTMT2 (b, 2, q, q) of the constructs, and their limits."""

    constructs: tuple[str, ...]
    value: Array
    limits: tuple[Array, Array] | None = None


@dataclass(frozen=True, slots=True)
class _Tests:
    """Per pair (b, m): the correlation, its standard error, difference tests against 1 and the cut-off.

    `far`: pairs that were not tested, as their interval is far from both.
    """

    correlation: Array
    std_error: Array
    chi2: tuple[Array, Array]
    p_value: tuple[Array, Array]
    far: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, est: Estimate, factors: Factors, cutoff: float, level: float, *, only_close: bool) -> _Tests:
        """All pairs of factors; tests of those alone whose interval reaches `GRADES`, where that is asked for."""
        place = {(r.lhs, r.rhs): k for k, r in enumerate(est.rows) if r.op == "~~"}
        at = [place[pair] if pair in place else place[pair[::-1]] for pair in factors.pairs]
        known = np.array([r is None for r in unsolved(est)])[:, None]
        value = np.where(known, est.values[:, at], np.nan)
        blank = np.full_like(value, np.nan)
        error = blank if est.std_error is None else np.where(known, est.std_error[:, at], np.nan)
        close = np.abs(value) + float(ndtri(0.5 + level / 2)) * np.nan_to_num(error) >= GRADES[0]
        wanted = np.where(close, value, np.nan) if only_close else value
        none = np.full((2, 2, len(value)), np.nan)
        pairs = [
            _tested(est, factors.model, p, wanted[:, k], (1.0, cutoff)) if np.isfinite(wanted[:, k]).any() else none
            for k, p in enumerate(factors.pairs)
        ]
        chi2, p = np.moveaxis(np.array(pairs), 0, -1)
        return cls(value, error, (chi2[0], chi2[1]), (p[0], p[1]), np.isfinite(value) & ~close & only_close)


def _tested(est: Estimate, model: Model, pair: Pair, value: Array, against: tuple[float, float]) -> Array:
    """(2, 2, b) chi2 differences and p-values of the model with one correlation fixed, at both values."""
    found = np.full((2, len(against), len(value)), np.nan)
    for sign in np.unique(np.sign(value[np.isfinite(value) & (value != 0)])).tolist() or [1.0]:
        here = np.sign(value) != -sign
        for k, fixed in enumerate(against):
            try:
                other = refitted(est, with_correlation(model, pair, sign * fixed))
            except Problems:
                continue
            frame = lrt(est, other).table.filter(pl.col("df_diff").is_not_null())
            chi2 = frame["chi2_diff"].fill_null(np.nan).to_numpy()
            p = frame["p_value"].fill_null(np.nan).to_numpy()
            found[0, k], found[1, k] = np.where(here, chi2, found[0, k]), np.where(here, p, found[1, k])
    return found


def _heterotrait(
    given: Estimate | Model, est: Estimate, scored: Estimate | None, replicates: int, seed: int, level: float
) -> tuple[Heterotrait, tuple[Note, ...]]:
    """HTMT and HTMT2 of all reflective constructs, with intervals where there are rows.

    Parameters:
        est: the fit of the factors. scored: sums of the items of every construct, whose moments are resampled; None:
            the estimate's own moments.
    """
    if scored is not None and scored.sample is not None and _ordinal(est):
        sample = scored.sample
        model = given.model if isinstance(given, Estimate) else given
        scales = {c.name: c.items for c in model.constructs if c.items and set(c.items) <= set(sample.names)}
        known = {i for items in scales.values() for i in items} <= set(_ordered(est))
        if known and sample.cells.height == 1 and len(scales) > 1:
            value, low, high = latent_ratios(sample, scales, level)
            return Heterotrait(tuple(scales), value, (low, high)), (LATENT,)
    if isinstance(given, Estimate) and (given.replicates is not None or scored is None):
        value = both(given.moments, given.solution)
        drawn = None if given.replicates is None else uncertain(given, both, scale="ratio")
        return Heterotrait(given.solution.constructs, value, _limits(drawn)), _alone(replicates if drawn is None else 0)
    if scored is None:
        raise TypeError("a model was scored on its data")
    value = both(scored.moments, scored.solution)
    if not replicates or scored.sample is None:
        return Heterotrait(scored.solution.constructs, value), _alone(replicates)
    drawn = uncertain(bootstrap(scored, replicates, seed, level=level, interval="percentile"), both)
    return Heterotrait(scored.solution.constructs, value, _limits(drawn)), ()


def _limits(drawn: Uncertainty | None) -> tuple[Array, Array] | None:
    return None if drawn is None else (drawn.conf_low, drawn.conf_high)


def _ordered(est: Estimate) -> tuple[str, ...]:
    """The items that a fit takes as ordinal."""
    return tuple(est.settings.ordered) if isinstance(est.settings, SEM) else ()


def _ordinal(est: Estimate) -> bool:
    """Whether all items of a fit are ordinal."""
    return bool(_ordered(est)) and set(est.model.items) <= set(_ordered(est))


def _alone(replicates: int) -> tuple[Note, ...]:
    """A note where intervals were asked for and there is nothing to resample."""
    if not replicates:
        return ()
    en = "HTMT has no intervals here: there are no complete rows to resample."
    return (note("N-HTMT-ALONE", en, "此处 HTMT 没有区间：没有可供重抽样的完整数据行。"),)


def _all_pairs(given: Estimate | Model, factors: Factors) -> list[Pair]:
    """Pairs of factors, then pairs with a construct that is none."""
    model = given.model if isinstance(given, Estimate) else given
    names = [c.name for c in model.constructs if not c.product_of and c.items]
    every = [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]]
    return [*factors.pairs, *(p for p in every if p not in set(factors.pairs))]


def _table(
    est: Estimate,
    factors: Factors,
    found: _Tests,
    heterotrait: Heterotrait,
    names: list[Pair],
    level: float,
) -> tuple[pl.DataFrame, Mapping[str, Reason]]:
    """One row per pair and cell."""
    b, more = len(found.correlation), len(names) - len(factors.pairs)
    z = float(ndtri(0.5 + level / 2))
    low, high = found.correlation - z * found.std_error, found.correlation + z * found.std_error
    numbers = {
        "correlation": found.correlation,
        "std_error": found.std_error,
        "conf_low": low,
        "conf_high": high,
        "chi2_one": found.chi2[0],
        "p_one": found.p_value[0],
        "chi2_cutoff": found.chi2[1],
        "p_cutoff": found.p_value[1],
    }
    numbers = {k: np.concatenate([v, np.full((b, more), np.nan)], axis=1) for k, v in numbers.items()}
    numbers |= _htmt_columns(heterotrait, names, factors, b)
    graded = grade(low, high)
    words: list[str | None] = []
    for row, ends in zip(graded.tolist(), np.isfinite(high).tolist(), strict=True):
        words += [WORDS[g] if known else None for g, known in zip(row, ends, strict=True)] + [None] * more
    why = _why(est, factors, names, np.isnan(found.chi2[0]), found.far)
    labels = pl.DataFrame(names, schema={"construct": pl.String, "other": pl.String}, orient="row")
    codes = [None if w is None else w.code for w in why]
    table = tidy(cells_of(est), labels, numbers, {"problem": words, "reason": codes})
    return table.with_columns(boundary=pl.col("correlation").abs() >= 1), said_once(why)


def _why(
    est: Estimate, factors: Factors, names: list[Pair], lost: npt.NDArray[np.bool_], far: npt.NDArray[np.bool_]
) -> list[Reason | None]:
    """Cell by cell and pair by pair: why there is no correlation, or no test of it.

    Parameters:
        lost: (b, m) whether the difference test of a pair of factors is absent. far: because nobody asked for it.
    """
    found: list[Reason | None] = []
    for s, cell in enumerate(unsolved(est)):
        own = [factors.without.get(x) or factors.without.get(y) or cell for x, y in names]
        both = zip(lost[s].tolist(), far[s].tolist(), strict=True)
        untested = [FAR if away else UNTESTED if gone else None for gone, away in both] + [None] * (
            len(names) - lost.shape[1]
        )
        found += [one or other for one, other in zip(own, untested, strict=True)]
    return found


def _htmt_columns(heterotrait: Heterotrait, names: list[Pair], factors: Factors, b: int) -> dict[str, Array]:
    """HTMT and HTMT2 of every pair with their bounds; absent where a construct is no reflective one."""
    constructs, value, limits = heterotrait.constructs, heterotrait.value, heterotrait.limits
    at = {name: k for k, name in enumerate(constructs)}
    banned = {n for n, r in factors.without.items() if r.code != "single_item"}
    fine = np.array([x in at and y in at and not {x, y} & banned for x, y in names])
    i, j = (np.array([at.get(p[side], 0) for p in names]) for side in (0, 1))
    columns = {}
    for k, name in enumerate(("htmt", "htmt2")):
        columns[name] = value[:, k]
        if limits is not None:
            columns[f"{name}_low"], columns[f"{name}_high"] = limits[0][:, k], limits[1][:, k]
    return {name: np.where(fine, array[:, i, j].reshape(b, -1), np.nan) for name, array in columns.items()}


def _boundary(table: pl.DataFrame) -> tuple[Note, ...]:
    """A note on what the test against 1 can say, and one where a correlation is 1 or beyond."""
    en = "the test against a correlation of 1 is two-sided, at the edge of what can be: read as below 1 its p is twice"
    en += " too large."
    zh = "“相关等于 1”处在取值边界，检验为双侧；若只问“是否小于 1”，其 p 值偏大一倍（偏保守）。"
    found = [note("N-BOUNDARY", en, zh)] if table["p_one"].count() else []
    beyond = table.filter("boundary").select("construct", "other").unique(maintain_order=True).rows()
    if beyond:
        listed, listed_zh = "; ".join(f"{a} - {b}" for a, b in beyond), "；".join(f"{a} 与 {b}" for a, b in beyond)
        en = f"the factor correlation is 1 or beyond, which no two distinct constructs have: {listed}."
        found.append(note("W-BEYOND-ONE", en, f"因子相关达到或超过 1，区分不成立：{listed_zh}。"))
    return tuple(found)
