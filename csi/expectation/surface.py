"""How an outcome depends on expectation and performance together: a response surface instead of their difference.

Letters: `n` rows, `k` columns, `B` replicates.

Source:
    Edwards & Parry (1993), Academy of Management Journal 36, 1577-1613; Edwards (2001), Organizational Research Methods
    4(3), 265-287.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Reason, Text, one_of, problem
from csi.estimate.given import check_panel
from csi.expectation.asymmetry import TYPES, asymmetry
from csi.expectation.forms import Matched, matched
from csi.expectation.gap import NUMBERS, of_difference
from csi.expectation.regression import Errors, Regression, regress, slopes_again
from csi.expectation.scores import answered_mean, design, finite, scores_of, stacked
from csi.expectation.settings import check, outcome_of
from csi.expectation.surface_shape import (
    CLAIMS,
    LINES,
    TERMS,
    claimed,
    curvature,
    hull,
    slopes_at,
    stationary,
    terms,
    within,
)
from csi.expectation.surface_words import FLAT, OUTSIDE, lines_of, notes_of, sentences_of
from csi.inference.draws import quantile, standard_error
from csi.inference.resample import plan_of
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.codebook import Form
from csi.survey.panel import Panel

Centre = Literal["midpoint", "pooled"]
"""Where expectation and performance are centred, both at one point: the scale's middle, or the mean of all answers."""

POINTS: Final = ("expected0", "perceived0", "p10", "p11")
THROUGH: Final = ("expectation_to_performance", "direct", "through_performance", "total")


@dataclass(frozen=True, slots=True, repr=False)
class Surface(Shown):
    """A response surface per cell. Frames start with the cell's key columns.

    Attributes:
        table: quantity (a1 ... a5, then expected0, perceived0, p10, p11), estimate, std_error, statistic, df, p_value,
            conf_low, conf_high, reason (a code where there is no value). Bounds of the last four are percentiles.
        coefficients: term (b0 ... b5, controls), estimate and the columns above.
        claims: claim ("full", "additive", "difference", "squared_difference", "perceived"), n, r2, r2_adjusted,
            restrictions, df, f, p_value (robust Wald, that the claim holds), f_classical, df_classical, p_classical.
        asymmetry: n, n_short, n_over, b_short, b_over, b_perceived, difference, each with _low, _high, _p; r2.
        paths: effect ("expectation_to_performance", "direct", "through_performance", "total"), estimate, std_error,
            conf_low, conf_high: average slopes of the full surface, and of performance on expectation (bootstrap).
        reliability: n, r_expected, r_perceived (alphas), correlation, reliability (of the difference).
        cloud: corner, expected, perceived: the convex hull of the answers, on the answers' scale.
        of: the attribute, dimension or "overall". centre: (cells,) point subtracted. low, high: the scale's ends.
        expected, perceived, outcome, controls, errors, replicates, seed, level, labels, reasons, sentences, notes.
    """

    table: pl.DataFrame
    coefficients: pl.DataFrame
    claims: pl.DataFrame
    asymmetry: pl.DataFrame
    paths: pl.DataFrame
    reliability: pl.DataFrame
    cloud: pl.DataFrame
    of: str
    centre: Array
    low: float
    high: float
    expected: Form
    perceived: Form
    outcome: str
    controls: tuple[str, ...]
    errors: Errors
    replicates: int
    seed: int
    level: float
    labels: Mapping[str, Text]
    reasons: Mapping[str, Reason]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Surface, lang: str = "en") -> str:
    """Sentences, the frames, reasons, notes."""
    frames = (value.table, value.coefficients, value.claims, value.asymmetry, value.paths)
    return lines_of(frames, value.sentences, value.reasons.values(), value.notes, value.labels, lang)


def surface(
    panel: Panel,
    expected: Form = "Ew",
    perceived: Form = "P",
    *,
    of: str = "overall",
    outcome: str | None = None,
    attributes: Sequence[str] | None = None,
    controls: Sequence[str] = (),
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    centre: Centre = "midpoint",
    errors: Errors = "robust",
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> Surface:
    """The outcome on expectation, performance, their squares and their product, and what that surface says.

    y = b0 + b1 E + b2 P + b3 E^2 + b4 E P + b5 P^2 (+ controls)

    Parameters:
        panel: answers with a codebook in which items name their attribute and form. expected, perceived: the forms.
        of: "overall", a dimension or an attribute. outcome: a construct or item ("satisfaction"). attributes: only
            these.
        controls: further items, entered linearly. by: key columns that make cells. where: keep only rows with these key
            values.
        centre: "midpoint" of the scale or "pooled" mean of both forms; never each form's own mean, which would take
            from P = E its meaning.
        errors: "robust" (HC3, or by clusters and strata) or "classical", of coefficients and a1 to a5. Claims are
            tested both ways.
        replicates, seed: of the bootstrap (units within strata) behind points, axis and average slopes. level.

    Returns:
        A `Surface`. Points and axis are withheld, with a reason, where the bootstrap interval of the curvature
        4 b3 b5 - b4^2 or of b4 holds 0, or the point lies outside the answers.

    Raises:
        Problems: E-FORM, E-SCALE (see `csi.gap`), E-ROLE (no such outcome, dimension or control), E-SETTING.

    Source:
        Edwards & Parry (1993); robust tests: MacKinnon & White (1985). Agrees with R 4.2 (lm) and R RSA's definitions
        on the motive data (tests/expectation/test_surface.py).

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> seven = Scale("seven", 1, 7)
        >>> items = [Item(f, "service", seven, Text("Fast", "快"), "fast", f) for f in ("P", "Ew")]
        >>> items.append(Item("sat", "satisfaction", seven, Text("Satisfied", "满意")))
        >>> rng = np.random.default_rng(1)
        >>> P, E = rng.integers(1, 8, (2, 200)).astype(float)
        >>> frame = pl.DataFrame({"P": P, "Ew": E, "sat": np.clip(4 + 0.5 * (P - E), 1, 7)})
        >>> panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.cast(pl.String))
        >>> found = surface(panel, of="fast", replicates=100)
        >>> found.table.select("quantity", pl.col("estimate").round(2)).rows()[2]
        ('a3', -1.0)
    """
    check_panel(panel)
    check(level, replicates=replicates)
    pairs = matched(panel, (perceived, expected), attributes)
    target = outcome_of(panel, outcome, pairs.every, needed=True)
    _choices(panel, pairs, of, controls, centre, errors)
    asked = _Asked((expected, perceived), of, target, tuple(controls), centre, errors, replicates, seed, level)
    items = dict.fromkeys([*pairs.every, *target[1], *controls])
    sample = sample_of(panel, list(items), by, missing="pairwise", where=where)
    return _told(panel, pairs, sample, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one call asks for; outcome: its name and items."""

    forms: tuple[Form, Form]
    of: str
    outcome: tuple[str, tuple[str, ...]]
    controls: tuple[str, ...]
    centre: Centre
    errors: Errors
    replicates: int
    seed: int
    level: float


def _told(panel: Panel, pairs: Matched, sample: Sample, asked: _Asked) -> Surface:
    """The surfaces of all cells."""
    found = [_cell(sample, pairs, cell, asked) for cell in range(sample.cells.height)]
    keys, (outcome, _) = sample.cells.drop("n"), asked.outcome
    frames = {name: stacked(keys, [f[name] for f, _ in found]) for name in FRAMES}
    labels = {**pairs.labels, "overall": Text("Overall", "总体"), **_labels(panel, (outcome, *asked.controls))}
    at = sample.names.index(pairs.items[asked.forms[0]][0])
    return Surface(
        **frames,
        of=asked.of,
        centre=np.array([where for _, where in found]),
        low=float(sample.minimum[at]),
        high=float(sample.maximum[at]),
        expected=asked.forms[0],
        perceived=asked.forms[1],
        outcome=outcome,
        controls=asked.controls,
        errors=asked.errors,
        replicates=asked.replicates,
        seed=asked.seed,
        level=asked.level,
        labels=labels,
        reasons={r.code: r for r in (FLAT, OUTSIDE) if r.code in frames["table"]["reason"].to_list()},
        sentences=sentences_of(frames, keys.columns, labels[outcome], 1 - asked.level),
        notes=(*notes_of(frames["claims"], asked.centre, asked.errors), *sample.notes),
    )


FRAMES: Final = ("table", "coefficients", "claims", "asymmetry", "paths", "reliability", "cloud")


def _cell(sample: Sample, pairs: Matched, cell: int, asked: _Asked) -> tuple[dict[str, pl.DataFrame], float]:
    """The frames of one cell, and its centre."""
    rows = np.flatnonzero(sample.cell == cell)
    scores, level = scores_of(pairs, sample.rows[rows]), asked.level
    at = scores.place(asked.of)
    E, P = (scores.values[form][:, at] for form in asked.forms)
    y, C = (
        sample.rows[rows][:, [sample.names.index(i) for i in names]] for names in (asked.outcome[1], asked.controls)
    )
    y = answered_mean(y)
    seen = np.isfinite(E) & np.isfinite(P) & np.isfinite(y) & np.isfinite(C).all(axis=1)
    E, P, y, C, rows = E[seen], P[seen], y[seen], C[seen], rows[seen]
    where = _centre(sample, pairs, (E, P), sample.weight[rows], asked.centre)
    C = C - C.mean(axis=0) if len(C) else C
    plan, columns = design(sample, rows), (E - where, P - where, y, C)
    full = regress(np.column_stack([terms(E - where, P - where), C]), y, *plan)
    corners = hull(E, P)
    drawn = _drawn(sample, rows, columns, full, (asked.replicates, asked.seed))
    items = [scores.items[form][seen][:, scores.member[at]] for form in asked.forms]
    whole = np.isfinite(items[0]).all(axis=1) & np.isfinite(items[1]).all(axis=1)
    corner = {"corner": np.arange(len(corners)), "expected": corners[:, 0], "perceived": corners[:, 1]}
    return {
        "table": features(full, drawn[0], corners - where, asked.errors, level),
        "coefficients": _coefficients(full, asked.errors, level, asked.controls),
        "claims": _claims(full, columns, plan, len(y)),
        "asymmetry": pl.DataFrame([asymmetry(P, E, y, plan, level)], schema_overrides=TYPES),
        "paths": _paths(drawn[1], level),
        "reliability": pl.DataFrame(
            [of_difference(items[1][whole], items[0][whole], sample.weight[rows][whole])],
            schema_overrides=dict.fromkeys(NUMBERS, pl.Float64),
        ),
        "cloud": pl.DataFrame(corner),
    }, where


def features(full: Regression | None, drawn: Array, corners: Array, errors: Errors, level: float) -> pl.DataFrame:
    """a1 to a5 by t, and the point and the axis by the bootstrap, withheld where they are not determined.

    Parameters:
        full: the surface; its first six coefficients are b0 to b5. drawn: (B, 6) of resamples. corners: (v, 2) hull of
            the centred answers (expected, perceived).
    """
    L = np.zeros((5, 6 if full is None else full.slopes.size))
    L[:, :6] = LINES
    names = [*(f"a{i}" for i in range(1, 6)), *POINTS]
    if full is None:
        blank = dict.fromkeys(_NUMBERS, np.full(9, np.nan))
        return pl.DataFrame({"quantity": names} | {c: finite(x) for c, x in blank.items()} | _why([None] * 9))
    lines = _judged(full, L, errors, level)
    point, why = stationary(full.slopes), _withheld(full, drawn, corners, level)
    draws = stationary(drawn)
    low, high = _bounds(draws, level)
    shown = 1.0 if why is None else np.nan
    tail = {"estimate": point * shown, "conf_low": low * shown, "conf_high": high * shown}
    columns = {c: np.concatenate([lines[c], tail.get(c, np.full(4, np.nan))]) for c in _NUMBERS}
    return pl.DataFrame({"quantity": names} | {c: finite(x) for c, x in columns.items()} | _why([None] * 5 + [why] * 4))


def _why(codes: Sequence[str | None]) -> dict[str, pl.Series]:
    """The column of reasons."""
    return {"reason": pl.Series(codes, dtype=pl.String)}


_NUMBERS: Final = ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")


def _withheld(full: Regression, drawn: Array, corners: Array, level: float) -> str | None:
    """Code of the reason why the point and the axis are not told; None where they are."""
    low, high = _bounds(np.column_stack([curvature(drawn), drawn[:, 4]]), level)
    E0, P0, *_ = stationary(full.slopes)
    if not bool(((low > 0) | (high < 0)).all()):
        return FLAT.code
    return None if within(corners, E0, P0) else OUTSIDE.code


def _bounds(drawn: Array, level: float) -> tuple[Array, Array]:
    """(m,) percentiles of (B, m) draws."""
    ordered, tail = np.sort(drawn, axis=0), np.full(drawn.shape[1], (1 - level) / 2)
    return quantile(ordered, tail), quantile(ordered, 1 - tail)


def _judged(full: Regression, L: Array, errors: Errors, level: float) -> dict[str, Array]:
    """Combinations with errors of either kind."""
    if errors == "robust":
        return full.combined(L, level)
    plain = Regression(
        full.slopes, full.plain, full.df_rows, full.plain, full.df_rows, full.r2, full.r2_adjusted, full.n
    )
    return plain.combined(L, level)


def _coefficients(full: Regression | None, errors: Errors, level: float, controls: Sequence[str]) -> pl.DataFrame:
    """b0 to b5 and the controls' slopes."""
    names = [*TERMS, *controls]
    blank = dict.fromkeys(_NUMBERS, np.full(len(names), np.nan))
    found = blank if full is None else _judged(full, np.eye(len(names)), errors, level)
    return pl.DataFrame({"term": names} | {c: finite(found[c]) for c in _NUMBERS})


def _claims(
    full: Regression | None, at: tuple[Array, Array, Array, Array], plan: tuple[Array, Ints, Ints], n: int
) -> pl.DataFrame:
    """R2 of the surface and of each claim, and the tests of the claims."""
    E, P, y, C = at
    blank: dict[str, float | str | int | None] = dict.fromkeys(_TESTS)
    whole = blank if full is None else blank | {"r2": full.r2, "r2_adjusted": full.r2_adjusted, "restrictions": 0}
    rows: list[dict[str, float | str | int | None]] = [{"claim": "full", "n": n, **whole}]
    for claim, X in claimed(E, P).items():
        less = regress(np.column_stack([X, C]), y, *plan)
        row = blank | ({} if less is None else {"r2": less.r2, "r2_adjusted": less.r2_adjusted})
        rows.append({"claim": claim, "n": n, **row, **({} if full is None else claim_tests(full, CLAIMS[claim]))})
    return pl.DataFrame(rows, schema_overrides=_TESTS)


_TESTS: Final = {"restrictions": pl.Int64} | dict.fromkeys(
    ("r2", "r2_adjusted", "f", "df", "p_value", "f_classical", "df_classical", "p_classical"), pl.Float64
)


def claim_tests(full: Regression, claim: Array) -> dict[str, float | int | None]:
    """The robust Wald and the classical F test of a claim.

    Parameters:
        claim: (q, 6) combinations of b0 to b5 that are 0 when it holds.
    """
    L = np.zeros((len(claim), full.slopes.size))
    L[:, :6] = claim
    f, q, df, p = full.wald(L)
    plain = full.wald(L, "classical")
    found = {"f": f, "df": df, "p_value": p, "f_classical": plain[0], "df_classical": plain[2], "p_classical": plain[3]}
    return {"restrictions": int(q), **{c: float(v) if np.isfinite(v) else None for c, v in found.items()}}


def _drawn(
    sample: Sample,
    rows: Ints,
    at: tuple[Array, Array, Array, Array],
    full: Regression | None,
    drawing: tuple[int, int],
) -> tuple[Array, tuple[Array, Array]]:
    """(B, 6) coefficients of resamples; (4,) average slopes and (B, 4) of resamples."""
    E, P, y, C = at
    replicates, seed = drawing
    if full is None:
        return np.full((replicates, 6), np.nan), (np.full(4, np.nan), np.full((replicates, 4), np.nan))
    X, first = np.column_stack([terms(E, P), C]), np.column_stack([np.ones(len(E)), E, C])
    w, unit = sample.weight[rows], sample.unit[rows]
    own = np.ones((1, len(rows)))
    point = _through(full.slopes[None], slopes_again(first, P, w, own), _means(E, P, w, own))
    slopes, paths = [], []
    for _, m in plan_of(sample, replicates, seed).blocks():
        b = slopes_again(X, y, w, m[:, unit])
        slopes.append(b[:, :6])
        paths.append(_through(b, slopes_again(first, P, w, m[:, unit]), _means(E, P, w, m[:, unit])))
    return np.concatenate(slopes), (point[0], np.concatenate(paths))


def _means(E: Array, P: Array, weight: Array, multiplicity: Array) -> tuple[Array, Array]:
    """(B,) weighted means of resamples."""
    W = multiplicity * weight
    total = W.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return W @ E / total, W @ P / total


def _through(b: Array, first: Array, at: tuple[Array, Array]) -> Array:
    """(B, 4) slope of performance on expectation, and the average slopes of expectation: direct, through it, in all."""
    direct, performance = slopes_at(b, *at)
    through = first[:, 1] * performance
    return np.column_stack([first[:, 1], direct, through, direct + through])


def _paths(found: tuple[Array, Array], level: float) -> pl.DataFrame:
    """Average slopes with bootstrap errors and bounds."""
    point, drawn = found
    low, high = _bounds(drawn, level)
    columns = {"estimate": point, "std_error": standard_error(drawn), "conf_low": low, "conf_high": high}
    return pl.DataFrame({"effect": THROUGH} | {c: finite(x) for c, x in columns.items()})


def _centre(sample: Sample, pairs: Matched, scores: tuple[Array, Array], weight: Array, centre: Centre) -> float:
    """The point subtracted from both forms."""
    if centre == "pooled":
        total = weight.sum()
        return float(sum(weight @ x for x in scores) / (2 * total)) if total > 0 else 0.0
    at = sample.names.index(next(iter(pairs.items.values()))[0])
    return float((sample.minimum[at] + sample.maximum[at]) / 2)


def _labels(panel: Panel, names: Sequence[str]) -> dict[str, Text]:
    """Labels of the outcome and the controls."""
    return {n: Text(panel.codebook.label(n, "en"), panel.codebook.label(n, "zh")) for n in names}


def _choices(panel: Panel, pairs: Matched, of: str, controls: Sequence[str], centre: Centre, errors: Errors) -> None:
    """Refuse settings that name nothing."""
    found = [
        *one_of("centre", centre, get_args(Centre)),
        *one_of("errors", errors, get_args(Errors)),
        *(one_of("of", of, known) if of not in (known := ("overall", *pairs.dimensions, *pairs.attributes)) else ()),
    ]
    for name in controls:
        if name not in panel.codebook.names or name in pairs.every:
            en, zh = f'"{name}" is no item beside the pairs.', f"“{name}”不是配对之外的题项。"
            found.append(problem("E-ROLE", "controls", en, zh, "Name items.", "请给出题项名称。"))
    if found:
        raise Problems(found)
