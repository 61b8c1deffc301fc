"""Gaps between what was perceived and what was expected, attribute by attribute, by dimension and overall.

G = P - E, so a negative gap is a shortfall. A gap is a display; what follows from expectation and perception is read
off the two side by side (`Gap.constraint`).

Letters: `n` rows, `k` attributes, `m` rows of the table (attributes, dimensions, overall).

Source:
    Parasuraman, Zeithaml & Berry (1985), Journal of Marketing 49(4); Edwards (2001), Organizational Research Methods
    4(3), on what differences hide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Reason, Text
from csi.estimate.given import check_panel
from csi.expectation.constraint import constraint_rows
from csi.expectation.forms import Matched, matched
from csi.expectation.gap_words import lines_of, notes_of, sentences_of
from csi.expectation.scores import Scores, apart, by_cell, finite, holm
from csi.expectation.settings import check, outcome_of
from csi.expectation.signed_ranks import signed_ranks
from csi.inference.linearised import Means, means
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class Gap(Shown):
    """Perceived minus expected.

    Attributes:
        table: the cell's key columns, kind ("attribute", "dimension", "overall"), name, n, expected, perceived (means),
            gap, sd, std_error, statistic, df, p_value, p_adjusted (Holm over the attributes, or the dimensions, of a
            cell), conf_low, conf_high, dz (gap / sd), signed_rank, rank_biserial, p_signed_rank, p_signed_rank_adjusted
            (Wilcoxon's test, see `csi.expectation.signed_ranks`; Holm likewise), short, met, exceeded (shares of
            respondents), ceiling (share of expectations at the top of the scale), flag, reason, reason_zh (of few
            answers, see `csi.survey.bases`).
        reliability: key columns, kind, name, n, r_expected, r_perceived (alphas), correlation, reliability (of the
            difference); null with a reason where an alpha needs two attributes.
        constraint: key columns, name, n, b_expected, b_perceived (with std_error_ and p_value_ columns),
            p_difference (b_expected = -b_perceived), r2, r2_difference; empty without an outcome.
        expected, perceived: the forms. band: gaps within it count as met. labels: name -> label.
        level, outcome, sentences, notes. reasons: code -> why there are no signed-rank tests.
    """

    table: pl.DataFrame
    reliability: pl.DataFrame
    constraint: pl.DataFrame
    expected: Form
    perceived: Form
    band: float
    labels: dict[str, Text]
    level: float
    outcome: str
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    reasons: Mapping[str, Reason] = field(default_factory=dict)


@text.register
def _(value: Gap, lang: str = "en") -> str:
    """Sentences, the tables, notes."""
    frames = (value.table, value.reliability, value.constraint)
    return lines_of(frames, value.sentences, (value.reasons, value.notes), value.labels, value.outcome, lang)


def gap(
    panel: Panel,
    expected: Form = "Ew",
    perceived: Form = "P",
    *,
    attributes: Sequence[str] | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    outcome: str | None = None,
    band: float = 0.0,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Gap:
    """Gaps of every attribute that was asked in both forms, of dimensions and overall.

    A dimension's scores are the means of its attributes, of respondents who answered at least half of its pairs;
    overall is the mean over dimensions, of respondents with all of them. Errors follow the design (weights, clusters,
    strata).

    Parameters:
        panel: answers with a codebook in which items name their attribute and form.
        expected, perceived: the two forms. attributes: only these. by: key columns that make cells.
        where: keep only rows with these key values, such as {"wave": "2026Q3"}.
        outcome: a construct or item that both are to explain, "satisfaction" where the codebook has it; "" for none.
        band: a gap counts as met when it is at most this large. level: of intervals.
        small, flagged: values of fewer answers are withheld, or marked.

    Returns:
        A `Gap`.

    Raises:
        Problems: see `csi.expectation.forms.matched`; no such outcome; a level outside (0, 1); a negative band.

    Source:
        Parasuraman, Zeithaml & Berry (1985). Reliability of a difference: Edwards (2001), eq. 1, with uncorrelated
        errors. Linearised variances: Lohr (2010).

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> seven = Scale("seven", 1, 7)
        >>> items = [Item(f"{f}{a}", "service", seven, Text(a, a), a, f) for a in ("fast", "kind") for f in ("P", "Ew")]
        >>> answers = {"Pfast": [4, 5, 3, 5], "Ewfast": [6, 6, 5, 6], "Pkind": [6, 6, 7, 5], "Ewkind": [6, 5, 6, 5]}
        >>> frame = pl.DataFrame(answers).cast(pl.Float64)
        >>> panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.cast(pl.String))
        >>> gap(panel, small=0).table.select("name", "gap").rows()
        [('fast', -1.5), ('kind', 0.5), ('service', -0.5), ('overall', -0.5)]
    """
    check_panel(panel)
    check(level, band)
    bases = Bases(small, flagged)
    pairs = matched(panel, (perceived, expected), attributes)
    target = outcome_of(panel, outcome, pairs.every)
    sample = sample_of(panel, [*pairs.every, *target[1]], by, missing="pairwise", where=where)
    cells = list(_cells(sample, pairs, (perceived, expected), bool(target[1]), band, level))
    keys, labels = sample.cells.drop("n"), {**pairs.labels, "overall": Text("Overall", "总体")}
    table = bases.withheld(stacked(keys, [c.table for c in cells]))
    reliability = bases.withheld(stacked(keys, [c.reliability for c in cells]))
    return Gap(
        table=table,
        reliability=reliability,
        constraint=bases.withheld(stacked(keys, [c.constraint for c in cells])) if target[1] else pl.DataFrame(),
        expected=expected,
        perceived=perceived,
        band=band,
        labels=labels,
        level=level,
        outcome=target[0],
        sentences=(*bases.sentences(table), *sentences_of(table, labels, keys.columns)),
        notes=(
            *bases.notes(table, keys.columns, labels),
            *notes_of(pairs, (perceived, expected), table, labels, reliability),
            *sample.notes,
        ),
        reasons={r.code: r for c in cells for r in c.reasons},
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """The frames of one cell (see `Gap`), the constraint empty without an outcome."""

    table: pl.DataFrame
    reliability: pl.DataFrame
    constraint: pl.DataFrame
    reasons: tuple[Reason, ...]


def _cells(
    sample: Sample, pairs: Matched, forms: tuple[Form, Form], outcome: bool, band: float, level: float
) -> Iterator[_Cell]:
    """Gaps, their reliability and what stands behind them in every cell."""
    for scores, plan, y in by_cell(sample, pairs, outcome):
        P, E = (scores.values[form] for form in forms)
        found = means(np.concatenate([d := apart(P, E), P, E], axis=1), *plan)
        ceiling = _ceiling(scores.items[forms[1]], plan[0], _top(sample, pairs, forms[1]))
        ranked, why = signed_ranks(d, *plan[:2])
        yield _Cell(
            table=_table(scores, d, found, ranked, plan[0], ceiling, band, level),
            reliability=_reliabilities(scores, forms, plan[0]),
            constraint=pl.DataFrame() if y is None else constraint_rows(scores.names, P, E, y, plan),
            reasons=why,
        )


def _top(sample: Sample, pairs: Matched, expected: Form) -> Array:
    """(k,) top of the scale of each expectation."""
    at = [sample.names.index(i) for i in pairs.items[expected]]
    return sample.maximum[at]


def _ceiling(E: Array, weight: Array, top: Array) -> Array:
    """(k,) share of expectations at the top of the scale."""
    return _share(top <= E, np.isfinite(E), weight)


def _table(
    scores: Scores,
    gaps: Array,
    found: Means,
    ranked: pl.DataFrame,
    weight: Array,
    ceiling: Array,
    band: float,
    level: float,
) -> pl.DataFrame:
    """The table of one cell."""
    m = len(scores.names)
    low, high = (x[:m] for x in found.interval(level))
    p = found.p_value[:m]
    of_ranks = {c: ranked[c].to_numpy() for c in ranked.columns}
    short, met, exceeded = _shares(gaps, weight, band)
    with np.errstate(divide="ignore", invalid="ignore"):
        dz = found.mean[:m] / found.sd[:m]
    numbers = {
        "expected": found.mean[2 * m :],
        "perceived": found.mean[m : 2 * m],
        "gap": found.mean[:m],
        "sd": found.sd[:m],
        "std_error": found.std_error[:m],
        "statistic": found.statistic[:m],
        "df": found.df[:m].astype(np.float64),
        "p_value": p,
        "p_adjusted": holm(scores, p),
        "conf_low": low,
        "conf_high": high,
        "dz": dz,
        **of_ranks,
        "p_signed_rank_adjusted": holm(scores, of_ranks["p_signed_rank"]),
        "short": short,
        "met": met,
        "exceeded": exceeded,
        "ceiling": np.concatenate([ceiling, np.full(m - ceiling.size, np.nan)]),
    }
    head = {"kind": list(scores.kinds), "name": list(scores.names), "n": found.n[:m].astype(np.int64)}
    return pl.DataFrame(head | {c: finite(x) for c, x in numbers.items()})


def _shares(d: Array, weight: Array, band: float) -> tuple[Array, Array, Array]:
    """(m,) shares of respondents below, within and above the band."""
    seen, near = np.isfinite(d), band + 1e-9
    return (
        _share(d < -near, seen, weight),
        _share(np.abs(d) <= near, seen, weight),
        _share(d > near, seen, weight),
    )


def _share(flag: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_], weight: Array) -> Array:
    """(m,) weighted share of rows with a flag among those seen."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weight @ (flag & seen)) / (weight @ seen))


def _reliabilities(scores: Scores, forms: tuple[Form, Form], weight: Array) -> pl.DataFrame:
    """Reliability of the differences of dimensions and overall."""
    rows = []
    for name, kind, of in zip(scores.names, scores.kinds, scores.member, strict=True):
        if kind == "attribute":
            continue
        P, E = (scores.items[form][:, of] for form in forms)
        whole = np.isfinite(P).all(axis=1)
        rows.append({"kind": kind, "name": name, **of_difference(P[whole], E[whole], weight[whole])})
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(NUMBERS, pl.Float64))


NUMBERS = ("r_expected", "r_perceived", "correlation", "reliability")


def of_difference(P: Array, E: Array, weight: Array) -> dict[str, float | int | None]:
    """Reliabilities of sums of items, their correlation, and the reliability of their difference.

        (s_P^2 r_PP + s_E^2 r_EE - 2 s_P s_E r_PE) / (s_P^2 + s_E^2 - 2 s_P s_E r_PE)

    Errors of the two forms are taken as uncorrelated, which asking them side by side makes doubtful.

    Example:
        >>> reliability_of_difference(1.0, 1.0, 0.75, 0.75, 0.50)
        0.5
    """
    found: dict[str, float | int | None] = {"n": len(P), **dict.fromkeys(NUMBERS)}
    if len(P) < 3 or P.shape[1] < 2:
        return found
    S = np.cov(np.concatenate([P, E], axis=1).T, aweights=weight)
    m = P.shape[1]
    SP, SE, SPE = S[:m, :m], S[m:, m:], S[:m, m:]
    if min(SP.sum(), SE.sum()) <= 0:
        return found
    rP, rE = (m / (m - 1) * (1 - np.trace(x) / x.sum()) for x in (SP, SE))
    sP, sE = np.sqrt(SP.sum()), np.sqrt(SE.sum())
    r = SPE.sum() / (sP * sE)
    whole = sP**2 + sE**2 - 2 * sP * sE * r
    value = reliability_of_difference(sP, sE, rP, rE, r) if whole > 0 else None
    return found | {"r_expected": float(rE), "r_perceived": float(rP), "correlation": float(r), "reliability": value}


def reliability_of_difference(sP: float, sE: float, rP: float, rE: float, r: float) -> float:
    """Reliability of P - E from standard deviations, reliabilities and the correlation of the two.

    Source:
        Edwards (2001), Organizational Research Methods 4(3), eq. 1 (after Mosier 1943); errors uncorrelated.

    Example:
        >>> reliability_of_difference(1.0, 1.0, 0.75, 0.75, 0.50)
        0.5
    """
    shared = 2 * sP * sE * r
    return float((sP**2 * rP + sE**2 * rE - shared) / (sP**2 + sE**2 - shared))
