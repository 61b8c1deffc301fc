"""Promise kept, broken or exceeded, and whether a breach hurts more than over-delivery delights.

A promise is what customers understood they would get (form Ew); what they got is form P.

Letters: `n` rows, `m` names (attributes, dimensions, overall).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Text
from csi.estimate.given import check_panel
from csi.expectation.asymmetry import TYPES, asymmetry
from csi.expectation.forms import matched
from csi.expectation.promise_words import lines_of, notes_of, sentences_of
from csi.expectation.scores import Scores, apart, by_cell, finite, holm
from csi.expectation.settings import check, outcome_of
from csi.inference.linearised import Design, means
from csi.inference.shares import shares
from csi.moments.sample import sample_of
from csi.moments.stack import Array
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.keyed import stacked
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class Promise(Shown):
    """How promises fared. Frames start with the cell's key columns.

    Attributes:
        table: kind ("attribute", "dimension", "overall"), name, n, promised, perceived (means), broken, kept, exceeded
            (shares of respondents) with _low and _high, net (exceeded - broken) with net_low, net_high, p_value,
            p_adjusted (Holm over the attributes, or the dimensions, of a cell), flag, reason, reason_zh (of few
            answers).
        slopes: kind, name, n, n_short, n_over, b_short, b_over, b_perceived, difference (b_short - b_over), each with
            _low, _high, _p; p_adjusted of the difference; r2. Empty without an outcome.
        promised, perceived: the forms. band: differences within it count as kept. outcome: its name.
        labels, level, sentences, notes.
    """

    table: pl.DataFrame
    slopes: pl.DataFrame
    promised: Form
    perceived: Form
    band: float
    outcome: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Promise, lang: str = "en") -> str:
    """Sentences, shares, slopes, notes."""
    return lines_of((value.table, value.slopes), value.sentences, value.notes, value.labels, lang)


def promise(
    panel: Panel,
    promised: Form = "Ew",
    perceived: Form = "P",
    *,
    attributes: Sequence[str] | None = None,
    outcome: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    band: float = 0.0,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Promise:
    """Shares of respondents who got less than, what, and more than they were promised, and what either goes with.

    y = b0 + b_over max(P - E, 0) + b_short min(P - E, 0) + b_P P

    A positive b_short - b_over says that a breach hurts more than over-delivery delights.

    Parameters:
        panel: answers with a codebook in which items name their attribute and form. promised, perceived: the forms.
        attributes: only these. outcome: a construct or item ("satisfaction" where there is one); "" for none. by: key
            columns that make cells. where: keep only rows with these key values.
        band: differences at most this large count as kept. level: of intervals.
        small, flagged: values of fewer answers are withheld, or marked.

    Returns:
        A `Promise`.

    Raises:
        Problems: E-FORM, E-SCALE (see `csi.gap`), E-ROLE (no such outcome), E-SETTING.

    Source:
        Asymmetry: Mittal, Ross & Baldasare (1998), J. of Marketing 62(1); shares: Korn & Graubard (1998).

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> seven = Scale("seven", 1, 7)
        >>> items = [Item(f, "service", seven, Text("Fast", "快"), "fast", f) for f in ("P", "Ew")]
        >>> frame = pl.DataFrame({"P": [4.0, 5, 3, 7], "Ew": [6.0, 5, 5, 6]})
        >>> panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.cast(pl.String))
        >>> promise(panel, small=0).table.select("name", "broken", "kept", "exceeded").row(0)
        ('fast', 0.5, 0.25, 0.25)
    """
    check_panel(panel)
    check(level, band)
    bases = Bases(small, flagged)
    pairs = matched(panel, (perceived, promised), attributes)
    target = outcome_of(panel, outcome, pairs.every)
    sample = sample_of(panel, [*pairs.every, *target[1]], by, missing="pairwise", where=where)
    tables, slopes = [], []
    for scores, plan, y in by_cell(sample, pairs, bool(target[1])):
        P, E = scores.values[perceived], scores.values[promised]
        tables.append(_table(scores, P, E, plan, band, level))
        if y is not None:
            slopes.append(slopes_of(scores, P, E, y, plan, level))
    keys = sample.cells.drop("n")
    table = bases.withheld(stacked(keys, tables))
    told = bases.withheld(stacked(keys, slopes)) if slopes else pl.DataFrame()
    labels = {**pairs.labels, "overall": Text("Overall", "总体")}
    return Promise(
        table=table,
        slopes=told,
        promised=promised,
        perceived=perceived,
        band=band,
        outcome=target[0],
        labels=labels,
        level=level,
        sentences=(*bases.sentences(table), *sentences_of(table, told, labels, keys.columns, 1 - level)),
        notes=(*bases.notes(table, keys.columns, labels), *notes_of(pairs, band), *sample.notes),
    )


def _table(scores: Scores, P: Array, E: Array, plan: Design, band: float, level: float) -> pl.DataFrame:
    """Shares of one cell."""
    d, near = apart(P, E), band + 1e-9
    seen, m = np.isfinite(d), len(scores.names)
    sign = np.where(seen, np.where(d > near, 1.0, np.where(d < -near, -1.0, 0.0)), np.nan)
    found = means(np.concatenate([sign, np.where(seen, E, np.nan), np.where(seen, P, np.nan)], axis=1), *plan)
    low, high = found.interval(level)
    columns = {"promised": found.mean[m : 2 * m], "perceived": found.mean[2 * m :]}
    for name, value in (("broken", -1.0), ("kept", 0.0), ("exceeded", 1.0)):
        share = shares(sign == value, seen, plan, level)
        columns |= dict(zip((name, f"{name}_low", f"{name}_high"), share, strict=True))
    p = found.p_value[:m]
    columns |= {"net": found.mean[:m], "net_low": np.maximum(low[:m], -1), "net_high": np.minimum(high[:m], 1)}
    columns |= {"p_value": p, "p_adjusted": holm(scores, p)}
    head = {"kind": list(scores.kinds), "name": list(scores.names), "n": seen.sum(axis=0)}
    return pl.DataFrame(head | {c: finite(x) for c, x in columns.items()})


def slopes_of(scores: Scores, P: Array, E: Array, y: Array, plan: Design, level: float) -> pl.DataFrame:
    """The slopes on either side of the promise, name by name.

    Parameters:
        P, E: (n, m). y: (n,). plan: weights and units of the rows, strata of the units.
    """
    rows = [asymmetry(P[:, j], E[:, j], y, plan, level) for j in range(len(scores.names))]
    head = pl.DataFrame({"kind": list(scores.kinds), "name": list(scores.names)})
    frame = pl.concat([head, pl.DataFrame(rows, schema_overrides=TYPES)], how="horizontal")
    return frame.with_columns(p_adjusted=finite(holm(scores, frame["difference_p"].to_numpy())))
