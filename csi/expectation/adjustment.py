"""Does the adjusted expectation explain satisfaction better than the initial one, and what adjusted it?

Letters: `n` people answered in both waves.

Source:
    Allen (1974), Technometrics 16, 125-127 (leave-one-out errors); Edwards (2002), in Drasgow & Schmitt, Measuring and
    analyzing behavior in organizations (polynomials of both forms); MacKinnon (2008), Introduction to statistical
    mediation analysis (a b by resampling).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Text
from csi.estimate.given import check_panel
from csi.expectation.adjustment_asked import Occasions, asked_series, beside_of, form_of, occasions_of, with_flag
from csi.expectation.adjustment_numbers import TABLE, compared, moved, paths
from csi.expectation.adjustment_words import HEADINGS, QUANTITIES, notes_of, sentences_of, worded
from csi.expectation.change_asked import scale_of
from csi.expectation.intervention import Intervention, intervention
from csi.expectation.settings import check
from csi.expectation.wide import RETURNING
from csi.measures.shown import based, told
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class Adjustment(Shown):
    """An expectation before and after, beside the outcome.

    Attributes:
        comparison: shape ("alone", "linear" and "polynomial" with experience), n, estimate (R2 of people unseen by the
            adjusted expectation less that by the initial one), std_error, statistic, df, p_value, conf_low, conf_high.
        models: shape, expectation ("none", "initial", "adjusted"), n, terms, r2, loo_r2.
        table: quantity ("mean_initial", "mean_adjusted", "mean_change", "slope_adjusted", "slope_experience"; with a
            flag "flag_change" a, "change_outcome" b, "flag_direct" c, "indirect" a b), n, estimate, std_error,
            statistic, df, p_value, conf_low, conf_high, flag, reason, reason_zh (few people).
        scores: series ("A" expectation, "B" experience, "Y" outcome), wave, items, n, mean, sd, alpha.
        effect: whether the flag's part may be called an effect (see `csi.intervention`).
        of, outcome, beside, flag: names. waves: both. people: who answered at all. replicates, seed, level, labels,
            sentences, notes.
    """

    comparison: pl.DataFrame
    models: pl.DataFrame
    table: pl.DataFrame
    scores: pl.DataFrame
    effect: bool
    of: str
    outcome: str
    beside: str
    flag: str
    waves: tuple[str, ...]
    people: int
    replicates: int
    seed: int
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Adjustment, lang: str = "en") -> str:
    """Sentences, comparison, regressions, slopes and paths, scores, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    for frame in (value.comparison, value.models, value.table, value.scores):
        lines += [based(worded(frame, lang, value.labels), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def adjustment(
    panel: Panel,
    of: str,
    outcome: str = "satisfaction",
    *,
    beside: str | None = None,
    flag: str | None = None,
    since: str | None = None,
    form: Form | None = None,
    beside_form: Form | None = None,
    waves: Sequence[str] | None = None,
    where: Mapping[str, str] | None = None,
    returning: float = RETURNING,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Adjustment:
    """Initial and adjusted expectation compared by how well each foresees the outcome, and what goes with adjusting.

    R2_loo = 1 - sum (y - y_(i))^2 / sum (y - m_(i))^2,  y_(i) of the regression without person i, on E, on E and P, on
    E, P, E^2, E P, P^2; the regressions of both expectations are not nested. Paths: dE = a0 + a z,
    y = b0 + c z + b dE + d E1 + g P, through the change a b.

    Parameters:
        panel: the same respondents in several waves. of: the expectation, a construct (mean of its items, form Ew where
            it has several) or an item. outcome: the same, of the last wave.
        beside: the experience in the last wave; `of` itself where it was asked as perceived (P) too, none otherwise.
        flag: an item answered 0 or 1, such as having had a training. since: the first wave after it, as in
            `csi.intervention`. form, beside_form: of items. waves: two; the first and the last by default. where: only
            rows with these key values. returning: least share of people seen twice.
        replicates, seed: resamples behind the interval of a b. level: of intervals. small, flagged: fewer people are
            refused, or marked.

    Returns:
        An `Adjustment`. What goes with the flag is called an effect only where `csi.intervention` allows the word.

    Raises:
        Problems: E-WAVE (repeated cross-sections, one wave), E-ROLE, E-FORM, E-SCALE, E-BASE, E-CAUSAL, E-SETTING.

    Example:
        >>> import csi
        >>> import numpy as np
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> rng = np.random.default_rng(1)
        >>> first = rng.normal(size=200)
        >>> last = 0.5 * first + rng.normal(size=200)
        >>> y = -0.6 * last + rng.normal(size=200)
        >>> keys = {"respondent": [str(i) for i in range(200)] * 2, "wave": ["1"] * 200 + ["2"] * 200}
        >>> frame = pl.DataFrame({**keys, "e": np.append(first, last), "s": np.append(y, y)})
        >>> asked = (("e", "expectation"), ("s", "satisfaction"))
        >>> items = [Item(i, c, Scale("s", -9, 9), Text(i, i)) for i, c in asked]
        >>> none = frame.select(pl.lit(None, pl.String).alias(i) for i in "es")
        >>> found = adjustment(csi.Panel(frame, Codebook(tuple(items), {}, {}), none, ("1", "2")), "expectation")
        >>> found.comparison.row(0, named=True)["conf_low"] > 0
        True
    """
    check_panel(panel)
    check(level, replicates=replicates)
    beside = beside_of(panel, of, beside)
    series = asked_series(panel, of, outcome, beside, flag, {"A": form, "B": beside_form})
    rows = occasions_of(panel, series, flag, waves, where, returning, max(small, 2), replicates, seed)
    known, lost = with_flag(rows)
    design = None
    if flag is not None:
        design = intervention(
            panel, of, flag, since=since, form=form_of(panel, of, "A", form), where=where, returning=returning,
            level=level, small=small,
        )  # fmt: skip
    names = {"A": of, "B": beside or "", "Y": outcome, "flag": flag or ""}
    labels = {k: Text(panel.codebook.label(n, "en"), panel.codebook.label(n, "zh")) for k, n in names.items() if n}
    found = _told(rows, known, design, labels, level, Bases(small, flagged), scale_of(panel, series["A"]))
    notes = tuple(dict.fromkeys((*found.notes, *rows.notes, *lost)))
    return replace(
        found, of=of, outcome=outcome, beside=beside or "", flag=flag or "", replicates=replicates, seed=seed,
        notes=notes,
    )  # fmt: skip


def _told(
    rows: Occasions,
    known: Occasions,
    design: Intervention | None,
    labels: Mapping[str, Text],
    level: float,
    bases: Bases,
    scale: Text,
) -> Adjustment:
    """All that complete rows tell; `known` those of which the flag is known."""
    models, comparison = compared(rows, level)
    numbers = [*moved(rows, level), *([] if known.flag is None else paths(known, known.flag, level))]
    table = bases.withheld(pl.DataFrame(numbers, schema=TABLE, orient="row").fill_nan(None))
    effect = _licensed(design, rows)
    return Adjustment(
        comparison=comparison,
        models=models,
        table=table,
        scores=bases.withheld(rows.table),
        effect=effect,
        of="",
        outcome="",
        beside="",
        flag="",
        waves=rows.waves,
        people=rows.people,
        replicates=0,
        seed=0,
        level=level,
        labels=labels,
        sentences=sentences_of(comparison, models, table, rows.waves, labels, level, scale, effect=effect),
        notes=(*notes_of(rows, design, effect=effect), *bases.notes(table, [], QUANTITIES)),
    )


def _licensed(design: Intervention | None, rows: Occasions) -> bool:
    """Whether the word effect may be used: the design carries it, and it began between the two waves."""
    if design is None or not design.effect:
        return False
    return rows.waves[0] in design.before and rows.waves[1] in design.after
