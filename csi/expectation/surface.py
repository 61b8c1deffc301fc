"""How an outcome depends on expectation and performance together: a response surface instead of their difference.

Letters: `n` rows, `k` columns, `B` replicates.

Source:
    Edwards & Parry (1993), Academy of Management Journal 36, 1577-1613; Edwards (2001), Organizational Research Methods
    4(3), 265-287.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Reason, Text, one_of, problem
from csi.estimate.given import check_panel
from csi.expectation.forms import Matched, matched
from csi.expectation.gap_words import left_out
from csi.expectation.regression import Errors
from csi.expectation.settings import check, outcome_of
from csi.expectation.surface_cell import Asked, Centre, cell_of
from csi.expectation.surface_words import FLAT, OUTSIDE, as_answered, lines_of, notes_of, sentences_of
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases, without
from csi.survey.codebook import Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel


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
    frames = (as_answered(value.table, value.centre), value.coefficients, value.claims, value.asymmetry, value.paths)
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
    small: int = SMALL,
    flagged: int = FLAGGED,
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
        errors: of coefficients, a1 to a5 and claims. "robust": HC2, or CR2 by clusters and strata, with degrees of
            freedom of its own. "hc3": HC3 (CR3) with n - k and F = W / q, as R's sandwich and car print it; not the
            default, as it rejects 6.7 % of true claims at nominal 5 % in 250 rows and its errors are up to 5 % too wide
            (HC2: 4 to 6.5 %, tests/slow/forms_coverage.md). "classical": equal variances, beside each claim anyway.
        replicates, seed: of the bootstrap (units within strata) behind points, axis and average slopes. level.
        small, flagged: surfaces of fewer answers are withheld, or marked.

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
    bases = Bases(small, flagged)
    pairs = matched(panel, (perceived, expected), attributes)
    target = outcome_of(panel, outcome, pairs.every, needed=True)
    _choices(panel, pairs, of, controls, centre, errors)
    asked = Asked((expected, perceived), of, target, tuple(controls), centre, errors, replicates, seed, level, bases)
    items = dict.fromkeys([*pairs.every, *target[1], *controls])
    sample = sample_of(panel, list(items), by, missing="pairwise", where=where)
    return _told(panel, pairs, sample, asked)


def _told(panel: Panel, pairs: Matched, sample: Sample, asked: Asked) -> Surface:
    """The surfaces of all cells."""
    found = [cell_of(sample, pairs, cell, asked) for cell in range(sample.cells.height)]
    keys, (outcome, _) = sample.cells.drop("n"), asked.outcome
    frames = {name: stacked(keys, [f[name] for f, _ in found]) for name in FRAMES}
    frames |= {name: asked.bases.withheld(frames[name]) for name in ("claims", "asymmetry", "reliability")}
    frames["cloud"] = without(frames["cloud"], frames["claims"], keys.columns)
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
        reasons=dict(_reasons(frames["table"], (FLAT, OUTSIDE, asked.bases.reason))),
        sentences=(
            *asked.bases.sentences(frames["claims"]),
            *sentences_of(frames, keys.columns, labels[outcome], 1 - asked.level),
        ),
        notes=(
            *asked.bases.notes(frames["claims"].filter(claim="full"), keys.columns),
            *left_out(pairs),
            *notes_of(frames["claims"], asked.centre, asked.errors),
            *sample.notes,
        ),
    )


FRAMES: Final = ("table", "coefficients", "claims", "asymmetry", "paths", "reliability", "cloud")


def _reasons(table: pl.DataFrame, known: Sequence[Reason]) -> Iterator[tuple[str, Reason]]:
    """Reasons that a table names, by their code."""
    return ((r.code, r) for r in known if r.code in table["reason"].to_list())


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
