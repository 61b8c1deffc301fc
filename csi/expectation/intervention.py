"""Did those who had an intervention change otherwise than those who had not? Difference in differences.

    y_it = person_i + wave_t + d treated_it + e_it;   with two periods d = mean change of the treated less of the others

Source:
    Ashenfelter & Card (1985), Review of Economics and Statistics 67, 648-660; Bertrand, Duflo & Mullainathan (2004),
    Quarterly Journal of Economics 119 (errors by unit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Text
from csi.estimate.given import check_panel
from csi.expectation.change_asked import scale_of, series_of
from csi.expectation.followed import FIML
from csi.expectation.intervention_design import (
    EVENTS,
    SCHEMA,
    Design,
    Kind,
    design_from,
    difference,
    estimate,
    events_of,
    parallel_before,
    quantities,
    refuse,
)
from csi.expectation.intervention_words import HEADINGS, QUANTITIES, notes_of, sentences_of, worded
from csi.expectation.settings import check
from csi.expectation.wide import RETURNING, wide
from csi.measures.shown import based, told
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class Intervention(Shown):
    """What went with an intervention.

    Attributes:
        table: quantity (means of the treated and of the control group before and after, their changes, and
            "difference": of the changes, or what a lesser design allows), n (people; of the smaller group where two are
            compared), estimate, std_error (by unit), df, p_value, conf_low, conf_high, flag, reason, reason_zh (few).
        events: wave, period ("before", "after"), n, difference of the groups against the last wave before, with the
            columns above, p-values wave by wave; no rows without both.
        kind: "did", "before_after" or "after_only". effect: whether the difference may be called an effect: groups,
            a period before, and no sign of other trends before.
        outcome, flag, before, after (waves), level, labels, sentences, notes.
    """

    table: pl.DataFrame
    events: pl.DataFrame
    kind: Kind
    effect: bool
    outcome: str
    flag: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Intervention, lang: str = "en") -> str:
    """Sentences, numbers, waves, notes."""
    lines = [*(s.say(lang) for s in value.sentences), "", based(worded(value.table, lang), HEADINGS, lang), ""]
    lines += [based(worded(value.events, lang), HEADINGS, lang), ""] if value.events.height else []
    return "\n".join([*lines, *told((), value.notes, lang)])


def intervention(
    panel: Panel,
    outcome: str,
    flag: str,
    *,
    since: str | None = None,
    form: Form | None = None,
    effect: bool | None = None,
    where: Mapping[str, str] | None = None,
    returning: float = RETURNING,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Intervention:
    """The change of those who had an intervention less the change of those who had not, person by person.

    d = (after - before of the treated) - (after - before of the others), by fixed effects of persons and waves, of
    people who answered before and after. Where waves are absent for some, d is not the difference of the two changes
    told beside it: those include what a wave adds for everybody. Errors are CR2 by clusters, else by person.

    Parameters:
        panel: the same respondents in several waves. outcome: a construct (mean of its items) or an item. flag: an item
            answered 0 or 1: had the intervention (a training in expectations, personalised service).
        since: the first wave after the intervention; None: the first wave in which anybody is flagged.
        form: of the outcome's items. effect: True demands a design that allows the word, False never uses it.
        where: only rows with these key values. returning: least share of people seen twice. level: of intervals.
        small, flagged: groups of fewer people are withheld, or marked.

    Returns:
        An `Intervention`. Without a control group or a period before it is told as a difference, never as an effect;
        so it is where the groups' trends differed before. People first flagged later than the first are left out, and
        those who are not known to have gone without (no answer to the flag since it began).

    Raises:
        Problems: E-CAUSAL (effect=True without the design; neither control group nor period before), E-WAVE, E-ROLE,
            E-FORM, E-SCALE.

    Example:
        >>> import csi
        >>> import numpy as np
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> rng = np.random.default_rng(1)
        >>> had = np.arange(200) < 100
        >>> y = 5 + rng.normal(size=200)
        >>> after = y + 0.5 * had + 0.3 * rng.normal(size=200)
        >>> keys = {"respondent": [str(i) for i in range(200)] * 2, "wave": ["1"] * 200 + ["2"] * 200}
        >>> flags = np.concatenate([np.zeros(200), had])
        >>> frame = pl.DataFrame({**keys, "e": np.concatenate([y, after]), "z": flags})
        >>> items = [Item(i, c, Scale("s", -9, 19), Text(i, i)) for i, c in (("e", "expectation"), ("z", "training"))]
        >>> none = frame.select(pl.lit(None, pl.String).alias(i) for i in "ez")
        >>> panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), none, ("1", "2"))
        >>> found = intervention(panel, "e", "z")
        >>> found.kind, round(found.table.row(-1, named=True)["estimate"], 1)
        ('did', 0.5)
    """
    check_panel(panel)
    check(level)
    items = series_of(panel, {"A": (outcome, form)}, None, flag)["A"]
    data = wide(panel, [*items, flag], where=where, returning=returning, what="intervention")
    design = design_from(data, items, flag, since)
    refuse(design, effect)
    names = {"A": outcome, "flag": flag}
    labels = {k: Text(panel.codebook.label(n, "en"), panel.codebook.label(n, "zh")) for k, n in names.items()}
    scale = scale_of(panel, items)
    found = _told(design, labels, level, Bases(small, flagged), scale, wanted=effect is not False)
    notes = (*found.notes, *(n for n in data.notes if n.code != FIML))
    return replace(found, outcome=outcome, flag=flag, notes=notes)


def _told(
    design: Design, labels: Mapping[str, Text], level: float, bases: Bases, scale: Text, *, wanted: bool
) -> Intervention:
    """All that a design tells."""
    rows = [[name, *estimate(design, values, own, level)] for name, own, values in quantities(design)]
    rows.append(["difference", *difference(design, level)])
    table = bases.withheld(pl.DataFrame(rows, schema=SCHEMA, orient="row").fill_nan(None))
    by_wave = pl.DataFrame(events_of(design, level), schema=EVENTS, orient="row").fill_nan(None)
    parallel = parallel_before(by_wave)
    few = table["flag"].eq_missing("suppressed").any()
    sure = design.kind == "did" and parallel is not False and wanted and table["estimate"][-1] is not None
    return Intervention(
        table=table,
        events=bases.withheld(by_wave.clear() if few else by_wave),
        kind=design.kind,
        effect=sure,
        outcome="",
        flag="",
        before=design.before,
        after=design.after,
        level=level,
        labels=labels,
        sentences=(*bases.sentences(table), *sentences_of(table, design.kind, labels, level, scale, effect=sure)),
        notes=(*notes_of(design, parallel, labels["flag"]), *bases.notes(table, [], QUANTITIES)),
    )
