"""`consistency(data)`: every coefficient of every scale, each with its model, denominator and interval.

Letters: `n` rows, `k` items of a scale, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Reason, Text, one_of, problem, seed_problems, whole
from csi.inference.linearised import Design, means
from csi.inference.resample import drawn_weights
from csi.inference.settings import level_problems
from csi.measures.answered import Answered, answered
from csi.measures.consistency import words
from csi.measures.consistency.classical import (
    alpha_error,
    feldt_interval,
    normal_interval,
)
from csi.measures.consistency.coefficients import (
    ALPHA,
    ALPHA_ORDINAL,
    CATEGORICAL,
    GENERAL,
    GLB,
    HIERARCHICAL,
    LAMBDAS,
    MUS,
    OF_A_FACTOR,
    OMEGA,
    ORDINAL,
    RHO_A,
    SPLITS,
    Kind,
    of_stack,
)
from csi.measures.consistency.intervals import Bounds, Limits, by_draws, by_error
from csi.measures.consistency.latent import green_yang, is_ordinal, latent_of, ordinal_alpha
from csi.measures.consistency.scale_notes import lost_notes, notes_of
from csi.measures.pairwise import Absences, covariances
from csi.measures.reliability import NOT_COMPUTABLE, SINGLE
from csi.measures.shown import told
from csi.moments.stack import Array

LEAST = 100
"""Fewer replicates are too few for an interval."""
PRINTED = ("alpha", "alpha_ordinal", "omega_total", "omega_hierarchical", "omega_categorical", "rho_a", "glb")
"""Coefficients that are printed; the others are in `.table`."""


@dataclass(frozen=True, slots=True, repr=False)
class Consistency(Shown):
    """Reliability of the sum (or mean) of every scale's items.

    Attributes:
        table: construct, coefficient, estimate, std_error, conf_low, conf_high, interval (how the limits were made),
            model (whose parameters they are), denominator ("implied" by the model or "observed" variance of the sum),
            n_items, n (rows with any answer), reason (code of why a number is absent, see `reasons`). Alpha has a row
            for each of its intervals.
        reasons: code -> Reason. level: of the intervals. replicates, seed: of the bootstrap. standardised: whether
            coefficients are of sums of standardised answers. notes: what is doubtful.
    """

    table: pl.DataFrame
    reasons: Mapping[str, Reason]
    level: float
    replicates: int
    seed: int
    standardised: bool
    notes: tuple[Note, ...] = ()

    def value(self, construct: str, coefficient: str, denominator: str | None = None) -> float | None:
        """The estimate of one coefficient; None where it is absent."""
        some = self.table.filter(construct=construct, coefficient=coefficient)
        some = some if denominator is None else some.filter(denominator=denominator)
        found: float | None = some["estimate"][0] if some.height else None
        return found


@text.register
def _(value: Consistency, lang: str = "en") -> str:
    """The main coefficients of every scale with one interval each, why values are absent, notes."""
    kept = value.table.filter(pl.col("coefficient").is_in(PRINTED)).drop("n_items", "n", "std_error")
    silent = pl.col("reason").is_in([words.DESIGN.code, words.SHORT.code]).fill_null(value=False)
    kept = kept.filter(~silent)
    kept = kept.unique(["construct", "coefficient", "model", "denominator"], keep="first", maintain_order=True)
    shown = kept.with_columns(
        pl.Series(name, [words.say(known, w, lang) for w in kept[name]], dtype=pl.String)
        for name, known in (
            ("coefficient", words.COEFFICIENTS),
            ("model", words.MODELS),
            ("denominator", words.DENOMINATORS),
            ("interval", words.INTERVALS),
        )
    )
    title = Text("Reliability of scales (all coefficients: .table)", "量表信度（全部系数见 .table）").say(lang)
    lines = [title, table(shown, headings={c: t.say(lang) for c, t in words.HEADINGS.items()})]
    reasons = [r for r in value.reasons.values() if r.code in set(kept["reason"].drop_nulls())]
    return "\n".join([*lines, *told(reasons, value.notes, lang)])


def consistency(
    data: object,
    scales: object = None,
    *,
    level: float = 0.95,
    n: int = 1000,
    seed: int = 1,
    interval: Limits = "logit",
    missing: Absences = "pairwise",
    standardised: bool = False,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    where: Mapping[str, str] | None = None,
) -> Consistency:
    """How reliable the sum score of every scale is, by every customary coefficient, each with an interval.

    Alpha (Feldt's, Duhachek and Iacobucci's and a bootstrap interval), standardised and ordinal alpha, omega total of
    one factor (implied and observed denominator), omega hierarchical, categorical omega, rho_a, rho_c, maximal
    reliability, Guttman's lambda1 to lambda6, all split halves, ten Berge and Zegers' mu0 to mu3, and the greatest
    lower bound. Weights enter all of them; respondents (or clusters) are resampled within strata.

    Parameters:
        data: a Panel or a frame. scales: {construct: items}, a list of items, a model or its text; by default every
            construct of a panel's codebook (whose reversed items are turned over; those of a frame are not).
        level: of the intervals. n: resamples (0: no bootstrap). seed: of them.
        interval: of the bootstrap, "logit" (standard error on the logit scale) or "percentile".
        missing: "pairwise" (every pair of items has the rows that answer both) or "listwise".
        standardised: coefficients of the sum of standardised answers instead of the sum of the answers.
        na, scale, weight, unit, stratum, where: as in `csi.fit`.

    Returns:
        A `Consistency`.

    Raises:
        Problems: settings or scales that cannot be, answers that are no numbers.

    Source:
        The formulas' own docstrings. Agrees with psych 2.2.9 and semTools 0.5-6 to 1e-6; where not, the README of
        tests/reference/reliability says why.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(1)
        >>> rows = np.clip(np.round(4 + rng.normal(size=(200, 1)) + rng.normal(size=(200, 4))), 1, 7)
        >>> frame = pl.DataFrame(rows, schema=["t1", "t2", "t3", "t4"])
        >>> found = consistency(frame, {"trust": ["t1", "t2", "t3", "t4"]}, n=200)
        >>> round(found.value("trust", "alpha"), 3), round(found.value("trust", "omega_total"), 3)
        (0.761, 0.765)
    """
    _check(level, n, seed, interval, missing)
    found = answered(data, scales, na=na, scale=scale, weight=weight, unit=unit, stratum=stratum, where=where)
    drawn = _replicated(found, n, seed, missing)
    lines: list[_Line] = []
    lost: dict[str, float] = {}
    for name in found.scales:
        own, lost[name] = _scale(
            found, name, drawn.get(name), (level, interval, missing), standardised=standardised, seed=seed
        )
        lines += own
    frame = pl.DataFrame(lines, schema=_SCHEMA, orient="row")
    codes = set(frame["reason"].drop_nulls())
    return Consistency(
        table=frame,
        reasons={r.code: r for r in words.REASONS if r.code in codes},
        level=level,
        replicates=n,
        seed=seed,
        standardised=standardised,
        notes=(*found.notes, *notes_of(found, drawn, missing, n, seed), *lost_notes(lost)),
    )


_Line = tuple[
    str, str, float | None, float | None, float | None, float | None, str | None, str, str, int, int, str | None
]
_SCHEMA = {
    "construct": pl.String,
    "coefficient": pl.String,
    "estimate": pl.Float64,
    "std_error": pl.Float64,
    "conf_low": pl.Float64,
    "conf_high": pl.Float64,
    "interval": pl.String,
    "model": pl.String,
    "denominator": pl.String,
    "n_items": pl.Int64,
    "n": pl.Int64,
    "reason": pl.String,
}


def _check(level: float, n: int, seed: int, interval: str, missing: str) -> None:
    """Raise everything that is wrong with the settings.

    Raises:
        Problems: E-SETTING, E-BOOT.
    """
    found: list[Problem] = [*level_problems(level), *whole("n", n), *seed_problems(seed)]
    found += one_of("interval", interval, ("logit", "percentile"))
    found += one_of("missing", missing, ("pairwise", "listwise"))
    if not whole("n", n) and (n < 0 or 0 < n < LEAST):
        en, zh = f"{n} resamples are too few for an interval.", f"{n} 次重抽样不足以给出区间。"
        do, do_zh = "Use 0 for none, or 1000 and more.", "请用 0（不做自助法），或 1000 次以上。"
        found.append(problem("E-BOOT", "n", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _replicated(found: Answered, n: int, seed: int, missing: Absences) -> dict[str, Array]:
    """Construct -> (1 + B, k, k) covariances: of the sample, and of every resample."""
    several = [name for name, items in found.scales.items() if len(items) > 1]
    if not several:
        return {}
    blocks: dict[str, list[Array]] = {name: [] for name in several}
    for W in _weightings(found, n, seed):
        for name, stack in blocks.items():
            stack.append(covariances(found.of(name), W, missing))
    return {name: np.concatenate(stack) for name, stack in blocks.items()}


def _weightings(found: Answered, n: int, seed: int) -> Iterator[Array]:
    """(B_block, n) weights of the rows: the design's alone, then those of every block of replicates."""
    yield found.weight[None]
    if n:
        yield from drawn_weights(found.sample, n, seed)


def _scale(
    found: Answered,
    name: str,
    cov: Array | None,
    settings: tuple[float, Limits, Absences],
    *,
    standardised: bool,
    seed: int,
) -> tuple[list[_Line], float]:
    """Every line of one scale, and the share of replicates in which its factor is not proper."""
    level, interval, missing = settings
    rows, size = found.of(name), len(found.scales[name])
    absent = np.isnan(rows)
    n = int((~(absent.any(axis=1) if missing == "listwise" else absent.all(axis=1))).sum())
    whole_scale = _unusable(rows, cov, n)
    if cov is None or whole_scale is not None:
        return [_line(name, kind, None, Bounds(), (size, n), whole_scale) for kind in _KINDS], 0.0
    values = of_stack(cov, n, standardised=standardised, seed=seed)
    lines = _alphas(found, name, cov, values[ALPHA], (size, n), level)
    ordinal = _ordinals(found, name, (size, n), level, missing)
    for kind in _KINDS:
        if kind in ordinal:
            lines.append(ordinal[kind])
            continue
        value = float(values[kind][0])
        bounds = by_draws(value, values[kind][1:], level, interval) if len(cov) > 1 else Bounds()
        why = None if np.isfinite(value) else _why(kind, cov[0], size, n)
        lines.append(_line(name, kind, value, bounds, (size, n), why))
    factor = values[OMEGA[0]]
    return lines, float(np.isnan(factor[1:]).mean()) if len(cov) > 1 and np.isfinite(factor[0]) else 0.0


ENOUGH = 30
"""Rows from which polychoric correlations have an error that can be told."""

_KINDS = (
    ALPHA,
    Kind("alpha_std"),
    *ORDINAL[:1],
    *OMEGA,
    *HIERARCHICAL,
    *CATEGORICAL,
    RHO_A,
    *OF_A_FACTOR[2:],
    *LAMBDAS,
    *SPLITS,
    *MUS,
    GLB,
)


def _line(
    name: str, kind: Kind, value: float | None, bounds: Bounds, size: tuple[int, int], why: Reason | None
) -> _Line:
    """One row of the table."""
    known = None if value is None or not np.isfinite(value) else value
    limits = bounds if known is not None else Bounds()
    return (
        name,
        kind.coefficient,
        known,
        *limits,
        kind.model,
        kind.denominator,
        *size,
        None if why is None else why.code,
    )


def _unusable(rows: Array, cov: Array | None, n: int) -> Reason | None:
    """Why a scale has no coefficient at all."""
    if cov is None:
        return SINGLE
    if n < 3:
        return words.NOBODY
    constant = [np.ptp(column[~np.isnan(column)]) == 0 if (~np.isnan(column)).any() else True for column in rows.T]
    return words.CONSTANT if any(constant) else None


def _why(kind: Kind, cov: Array, k: int, n: int) -> Reason:
    """Why one coefficient of a scale is absent."""
    factor = kind in (*OF_A_FACTOR, RHO_A, *HIERARCHICAL)
    if kind in HIERARCHICAL and k < GENERAL:
        return words.SHORT
    if factor and k < 3:
        return words.TWO
    if n <= k:
        return words.FEW
    least = np.linalg.eigvalsh(cov)[0] if np.isfinite(cov).all() else -1.0
    if least < 1e-8 * np.diag(cov).max():
        return words.SINGULAR
    return words.IMPROPER if factor else NOT_COMPUTABLE


def _alphas(found: Answered, name: str, cov: Array, values: Array, size: tuple[int, int], level: float) -> list[_Line]:
    """Alpha with the intervals that formulas give: Feldt's, and Duhachek and Iacobucci's."""
    value, n, k = float(values[0]), size[1], size[0]
    if not np.isfinite(value):
        return []
    if found.weighted or found.sample.stratum.size < len(found.rows) or found.sample.raking is not None:
        return [
            _line(name, ALPHA, value, Bounds(interval=kind), size, words.DESIGN)
            for kind in ("feldt", "duhachek-iacobucci")
        ]
    low, high = feldt_interval(np.array(value), n, k, level)
    error = alpha_error(cov[0], n)
    lower, upper = normal_interval(np.array(value), error, level)
    exact = Bounds(None, float(low), float(high), "feldt")
    asymptotic = Bounds(float(error), float(lower), float(upper), "duhachek-iacobucci")
    return [_line(name, ALPHA, value, bounds, size, None) for bounds in (exact, asymptotic)]


def _ordinals(found: Answered, name: str, size: tuple[int, int], level: float, missing: Absences) -> dict[Kind, _Line]:
    """The coefficients of the responses behind, with the errors that rows give them."""
    rows, absent = found.of(name), np.isnan(found.of(name))
    kept = np.flatnonzero(~(absent.any(axis=1) if missing == "listwise" else absent.all(axis=1)))
    if not is_ordinal(rows[kept]):
        return {kind: _line(name, kind, None, Bounds(), size, words.UNORDERED) for kind in ORDINAL}
    behind = latent_of(rows[kept], found.weight[kept])
    told = {ALPHA_ORDINAL: ordinal_alpha(behind)}
    if size[0] > 2:
        told |= {kind: green_yang(behind, observed=kind.denominator == "observed") for kind in CATEGORICAL}
    known = {kind: on for kind, (value, on) in told.items() if np.isfinite(value)}
    lines = {
        kind: _line(name, kind, None, Bounds(), size, words.IMPROPER if kind in told else words.TWO) for kind in ORDINAL
    }
    if known:
        errors = means(np.stack(list(known.values()), axis=1), *Design.of(found.sample, kept)).std_error
        for kind, error in zip(known, errors.tolist(), strict=True):
            value, thin = told[kind][0], kept.size < ENOUGH
            bounds = Bounds() if thin else by_error(value, error, level, "rows")
            lines[kind] = _line(name, kind, value, bounds, size, words.THIN if thin else None)
    return lines
