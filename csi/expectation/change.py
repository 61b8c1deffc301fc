"""How expectation (or anything asked again of the same people) moves from wave to wave.

Letters: `W` waves.

Source:
    McArdle (2009), Annual Review of Psychology 60, 577-605; Meredith & Tisak (1990), Psychometrika 55; Hamaker, Kuiper
    & Grasman (2015), Psychological Methods 20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Reason, Text
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.given import check_panel
from csi.expectation.change_asked import FLAG, check_base, models_of, rows_of, scale_of, series_of, times_of
from csi.expectation.change_fit import FITS, NOT_INVARIANT, PAIRED, SCHEMA, Told, absent, lines_of, quantities
from csi.expectation.change_fit import told as fitted_of
from csi.expectation.change_models import Series
from csi.expectation.change_waves import design_of, wave_means
from csi.expectation.change_words import HEADINGS, Units, notes_of, sentences_of, units_of, worded
from csi.expectation.longitudinal import Climbed, Fit, climb
from csi.expectation.settings import check
from csi.expectation.wide import RETURNING, Wide
from csi.measures.shown import based, told
from csi.sem.estimator import SEM
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class Change(Shown):
    """Change within people.

    Attributes:
        table: model, quantity, estimate, std_error, statistic, p_value, conf_low, conf_high, std (standardised), reason
            (a code where there is no value); by t with clusters less strata degrees of freedom where people share
            clusters, else by the normal law. Factors are on the scale of their first item.
        fits: model, n, chi2, df, p_value, cfi, rmsea, srmr (scaled, robust where the estimator is), reason.
        ladder: longitudinal invariance: series, step, released, chi2, df, p_value, cfi, rmsea, delta_chi2, delta_df,
            delta_p, delta_cfi, verdict; no rows for single items.
        waves: wave, series, n, mean (of the items, as answered), std_error, conf_low, conf_high.
        syntax: model -> its text in lavaan's language, `x_1` the item x in the first wave.
        of, beside, flag: names. people: how many. returning: share seen in two waves or more. level. units: of
            changes. labels, reasons, sentences, notes.
    """

    table: pl.DataFrame
    fits: pl.DataFrame
    ladder: pl.DataFrame
    waves: pl.DataFrame
    syntax: Mapping[str, str]
    of: str
    beside: str
    flag: str
    people: int
    returning: float
    level: float
    units: Units
    labels: Mapping[str, Text]
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    sentences: tuple[Text, ...] = ()
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Change, lang: str = "en") -> str:
    """Sentences, frames, reasons, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    for frame in (value.ladder, value.table, value.fits, value.waves):
        kept = worded(frame, lang, value.labels, timed=value.units.timed).select(
            c for c in frame.columns if frame[c].null_count() < len(frame)
        )
        lines += [based(kept, HEADINGS, lang), ""] if frame.height else []
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def change(
    panel: Panel,
    of: str,
    model: str | None = None,
    *,
    beside: str | None = None,
    flag: str | None = None,
    form: Form | None = None,
    beside_form: Form | None = None,
    waves: Sequence[str] | None = None,
    times: Sequence[float] | None = None,
    where: Mapping[str, str] | None = None,
    estimator: SEM | None = None,
    partial: bool = True,
    alpha: float = 0.05,
    returning: float = RETURNING,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Change:
    """What changes within the same people over waves, by latent change models, longitudinal invariance first.

    2 waves: A_2 = A_1 + d.   3 and more: A_t = i + s time_t + e_t.   4 and more: d_t = S + b A_(t-1) (+ xi B_(t-1)).
    With `beside`, 3 and more: A_t = a A_(t-1) + b B_(t-1), B_t = c A_(t-1) + d B_(t-1), of answers themselves and of
    departures from each person's own mean (random intercepts).

    Parameters:
        panel: answers of the same respondents in several waves. of: a construct or an item, the same in every wave.
        model: "difference" (first and last wave), "growth", "dual", "coupled", "lagged", "within"; None: all that the
            waves allow, "difference" for two. beside: a second construct or item. flag: an item answered 0 or 1, such
            as having had a training; its slopes on the beginning and on the change are told.
        form, beside_form: which form of items, where a construct has several. waves: which, oldest first.
        times: of the waves, for growth; 0, 1, 2 ... by default. where: only rows with these key values.
        estimator: `csi.SEM(...)`; by default robust maximum likelihood of all answers there are (MLR, FIML).
        partial: items may be set free, two of each construct staying equal. alpha: level of the tests of invariance.
        returning: least share of people seen in two waves or more. level: of intervals.
        small, flagged: fewer people are refused, or marked.

    Returns:
        A `Change`. Where measurement differs between waves, change is withheld (lags need equal loadings only).

    Raises:
        Problems: E-WAVE (repeated cross-sections, too few waves), E-ROLE, E-FORM, E-SETTING, E-BASE, E-DUPLICATE.

    Agrees: lavaan 0.6-14 on Demo.growth and data_bi_lcsm (tests/expectation/test_change.py).

    Example:
        >>> import csi
        >>> import numpy as np
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> rng = np.random.default_rng(1)
        >>> before = 5 + rng.normal(size=200)
        >>> answers = np.concatenate([before, before - 0.5 + 0.5 * rng.normal(size=200)])
        >>> keys = {"respondent": [str(i) for i in range(200)] * 2, "wave": ["1"] * 200 + ["2"] * 200}
        >>> frame = pl.DataFrame({**keys, "e": answers})
        >>> book = Codebook((Item("e", "expectation", Scale("s", -9, 19), Text("E", "E")),), {}, {})
        >>> panel = csi.Panel(frame, book, frame.select(pl.lit(None, pl.String).alias("e")), ("1", "2"))
        >>> row = change(panel, "e").table.row(1, named=True)
        >>> row["quantity"], round(row["estimate"], 1), row["p_value"] < 0.001
        ('mean_change', -0.5, True)
    """
    check_panel(panel)
    check(level)
    series = series_of(panel, {"A": (of, form), "B": (beside, beside_form)}, model, flag)
    data = rows_of(panel, series, model, waves, where, returning, flag)
    asked = models_of(model, series, len(data.waves))
    moments = times_of(times, len(data.waves))
    check_base(data, small)
    run = _fitter(data, estimator or SEM(estimator="MLR", missing="fiml"))
    names = {"A": of, "B": beside or "", "flag": flag or ""}
    labels = {k: Text(panel.codebook.label(n, "en"), panel.codebook.label(n, "zh")) for k, n in names.items() if n}
    climbed = {
        letter: climb(Series(letter, names, len(data.waves)), run, labels[letter], alpha=alpha, partial=partial)
        for letter, names in series.items()
    }
    df, letter = _df(data), FLAG if flag else ""
    models = {name: _told(name, climbed, moments, letter, run, level, df) for name in asked}
    units = units_of(scale_of(panel, series["A"]), timed=times is not None)
    return _change(data, climbed, models, names, labels, level, Bases(small, flagged), units)


def _df(data: Wide) -> float:
    """Clusters less strata where people share clusters; else infinite, as the normal law holds of many people."""
    _, unit, stratum, _ = design_of(data)
    units, strata = stratum.size, len(np.unique(stratum))
    return float(max(units - strata, 1)) if units < unit.size else inf


def _told(
    name: str, climbed: Mapping[str, Climbed], times: Sequence[float], flag: str, run: Fit, level: float, df: float
) -> Told:
    """One model, where measurement allows it."""
    own = {k: c.series for k, c in climbed.items() if k == "A" or name in PAIRED}
    one, other = own["A"], own.get("B")
    keys = quantities(name, one, other, flag=flag)
    needed = ("metric", "scalar") if name in ("lagged", "within") else ("scalar",)
    if any(s.step not in needed for s in own.values()):
        return absent(name, keys, NOT_INVARIANT)
    return fitted_of(name, lines_of(name, one, other, times, flag), keys, run, level, df)


def _change(
    data: Wide,
    climbed: Mapping[str, Climbed],
    models: Mapping[str, Told],
    names: Mapping[str, str],
    labels: Mapping[str, Text],
    level: float,
    bases: Bases,
    units: Units,
) -> Change:
    """The result."""
    table = pl.DataFrame([r for m in models.values() for r in m.rows], schema=SCHEMA, orient="row")
    fits = pl.DataFrame([m.fit for m in models.values()], schema=FITS, orient="row")
    means = bases.withheld(wave_means(data, {k: c.series.items for k, c in climbed.items()}, level))
    reasons = {m.reason.code: m.reason for m in models.values() if m.reason}
    said = [s for c in climbed.values() for s in c.sentences]
    notes = [n for c in climbed.values() for n in c.notes] + [n for m in models.values() for n in m.notes]
    return Change(
        table=table,
        fits=fits,
        ladder=pl.concat([c.table for c in climbed.values()]),
        waves=means,
        syntax={name: "\n".join(m.lines) for name, m in models.items() if m.lines},
        of=names["A"],
        beside=names["B"],
        flag=names["flag"],
        people=data.people,
        returning=data.returning,
        level=level,
        units=units,
        labels=labels,
        reasons=reasons,
        sentences=(*sentences_of(table, data.waves, labels, level, units), *said),
        notes=tuple(dict.fromkeys((*notes_of(models, flagged="flag" in labels), *data.notes, *notes))),
    )


def _fitter(data: Wide, estimator: SEM) -> Fit:
    """Fits lines of a model to a row per person."""

    def run(lines: Sequence[str]) -> Estimate:
        weight, unit, stratum = (data.role(name) for name in ("weight", "unit", "stratum"))
        return fit("\n".join(lines), data.frame, estimator, weight=weight, unit=unit, stratum=stratum)

    return run
