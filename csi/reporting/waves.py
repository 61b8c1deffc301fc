"""The waves of a study: their design, what changed in the questionnaire, who left, and what overlap does for a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Text
from csi.estimate.fit import fit
from csi.reporting.usable import completed
from csi.study.estimator import estimator_of
from csi.study.fitted import CELLS, indexed, with_replicates
from csi.study.former import formers
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study
from csi.survey.panel import Panel
from csi.survey.repeats import KINDS, Repeats, repeats_of
from csi.survey.wave_changes import WHAT, WaveChange, proposed, wave_changes
from csi.survey.wave_columns import column_changes
from csi.tracking.attrition import Attrition, attrition
from csi.tracking.index import Index
from csi.tracking.overlap import Overlap, overlap
from csi.tracking.show import shown

FOLLOWED = ("panel", "rotating", "overlapping")
"""Designs in which people are met again."""


@dataclass(frozen=True, slots=True, repr=False)
class Waves(Shown):
    """What the waves of a study are.

    Attributes:
        repeats: their design, told from the respondents' names, with evidence and what follows.
        changes: wave, before, item, what ("added", "dropped", "returned", "reworded", "scale", "labels", "renamed",
            "new column", "column left"), was, now, declared, evidence, evidence_zh.
        proposed: lines for `waves: breaks:` of changes of the model's items that nobody declared.
        attrition, overlap: of a panel, else None.

    Example:
        >>> import csi
        >>> found = csi.waves("data/telecom/study.yaml")
        >>> found.repeats.kind, found.changes.height, found.attrition
        ('cross-sections', 0, None)
    """

    repeats: Repeats
    changes: pl.DataFrame
    proposed: tuple[str, ...] = ()
    attrition: Attrition | None = None
    overlap: Overlap | None = None
    notes: tuple[Note, ...] = ()

    @property
    def sentences(self) -> tuple[Text, ...]:
        """The design, what showed it, what follows."""
        return design_sentences(self.repeats)


def waves(study: Study | str | Path) -> Waves:
    """Tell the waves of a study apart: cross-sections or a panel, changes of the questionnaire, attrition, overlap.

    Parameters:
        study: a study file's path or a `Study`.

    Returns:
        Waves. Numbers of fewer answers than the study's `report: {small}` are withheld. Of a panel the index is made as
        `csi track` makes it, so that standard errors are those of the changes printed there.

    Raises:
        Problems: everything that is wrong with the study or its answers.

    Example:
        >>> import csi
        >>> csi.waves("data/telecom/study.yaml").sentences[0].en
        'The waves are repeated cross-sections: none of 14,237 names of respondents occurs in two waves.'
    """
    study = given_study(study)
    return waves_of(study, read_study_panel(study))


def waves_of(study: Study, panel: Panel, index: Index | None = None) -> Waves:
    """The same of answers that were read, and of an index that was made.

    Parameters:
        index: of the same answers by brand and wave; made where people are met again and none is given.
    """
    study, panel = completed(study, panel)
    repeats = study_repeats(study, panel)
    changes = study_changes(study, panel)
    lines = proposed(changes, panel.asked, panel.waves, study.model.observed)
    if repeats.kind not in FOLLOWED:
        return Waves(repeats, change_frame(changes), lines)
    made, why = (index, ()) if index is not None else _made(study, panel)
    small, target = study.settings.small, study.settings.target
    left = attrition(panel, made, target, small)
    shared = None if made is None else overlap(made, target, panel.waves, small)
    notes = (*why, *left.notes, *(() if shared is None else shared.notes))
    return Waves(repeats, change_frame(changes), lines, left, shared, notes)


def study_repeats(study: Study, panel: Panel) -> Repeats:
    """The design of a study's waves."""
    return repeats_of(panel.frame, study.codebook.names, panel.waves, study.respondents)


def study_changes(study: Study, panel: Panel) -> tuple[WaveChange, ...]:
    """What changed in a study's questionnaire, what it declares marked; items first, then columns that none reads."""
    declared = [b.wave for b in study.breaks]
    found = wave_changes(panel.asked, panel.waves, formers(study), declared)
    found = (*found, *column_changes(panel.sources, panel.asked, panel.waves, declared))
    place, kinds = {w: i for i, w in enumerate(panel.waves)}, list(WHAT)
    return tuple(sorted(found, key=lambda c: (place[c.wave], kinds.index(c.what))))


def wave_record(study: Study, panel: Panel, repeats: Repeats | None = None) -> dict[str, object]:
    """What a record keeps of the waves: their design (found anew if not given) and what changed in it."""
    items = [c for c in study_changes(study, panel) if c.what not in {"new column", "column left"}]
    repeats, changes = repeats or study_repeats(study, panel), change_frame(items)
    return {"design": repeats.kind, "recurring": repeats.share, "changes": changes.drop("evidence_zh").to_dicts()}


def _made(study: Study, panel: Panel) -> tuple[Index | None, tuple[Note, ...]]:
    """The index by brand and wave, or why there is none."""
    own = replace(study, settings=replace(study.settings, imputations=0))
    try:
        est = fit(own.model, panel, estimator_of(own.settings), by=CELLS)
        return indexed(own, with_replicates(own, panel, est)), ()
    except Problems as error:
        return None, tuple(Note(p.code, p.what) for p in error.problems)


def change_frame(changes: Sequence[WaveChange]) -> pl.DataFrame:
    """The changes as a table.

    Example:
        >>> change_frame([]).columns[:4]
        ['wave', 'before', 'item', 'what']
    """
    rows = [(c.wave, c.before, c.item, c.what, c.was, c.now, c.declared, c.evidence.en, c.evidence.zh) for c in changes]
    texts = dict.fromkeys(("wave", "before", "item", "what", "was", "now"), pl.String())
    schema = {**texts, "declared": pl.Boolean(), "evidence": pl.String(), "evidence_zh": pl.String()}
    return pl.DataFrame(rows, schema, orient="row")


def grouped(changes: pl.DataFrame, lang: str) -> pl.DataFrame:
    """The changes for a reader: items that were added, dropped, asked again or renamed in one line a wave and kind.

    Example:
        >>> one = {"wave": "2", "before": "1", "what": "added", "was": "", "now": "Q", "declared": False}
        >>> frame = pl.DataFrame([{**one, "item": i, "evidence": "", "evidence_zh": ""} for i in "abcdefgh"])
        >>> grouped(frame, "en")["item"].to_list()
        ['a, b, c, d, e, f and 2 more']
    """
    keys = ["wave", "before", "what", "declared"]
    single = pl.col("what").is_in(["scale", "reworded", "labels"])
    row = pl.when(single).then(pl.int_range(pl.len())).otherwise(-1).alias("_row")
    every = [pl.col("item"), *(pl.col(c).first() for c in ("was", "now", "evidence", "evidence_zh"))]
    many = changes.with_columns(row).group_by([*keys, "_row"], maintain_order=True).agg(every)
    empty = (pl.col("item").list.len() > 1) & (pl.col("what") != "renamed")
    blank = [pl.when(empty).then(pl.lit("")).otherwise(c).alias(c) for c in ("was", "now")]
    names = pl.Series("item", [_named(found, lang) for found in many["item"].to_list()], dtype=pl.String)
    return many.with_columns(blank).with_columns(names).select("wave", "before", "item", *keys[2:3], "was", "now",
                                                               "declared", "evidence", "evidence_zh")  # fmt: skip


NAMED = 6
"""Items of one line that are named."""


def _named(items: Sequence[str], lang: str) -> str:
    """The first items, and how many there are."""
    more = len(items) - NAMED
    if lang == "zh":
        return "、".join(items[:NAMED]) + (f" 等 {len(items)} 个" if more > 0 else "")
    return ", ".join(items[:NAMED]) + (f" and {more} more" if more > 0 else "")


def design_sentences(repeats: Repeats) -> tuple[Text, ...]:
    """The design of waves in a sentence with its evidence, and what follows from it."""
    kind = KINDS[repeats.kind]
    en = f"The waves are {kind.en}: {repeats.evidence.en}."
    zh = f"各期为{kind.zh}：{repeats.evidence.zh}。"
    follows = repeats.follows
    return Text(en, zh), Text(follows.en[0].upper() + follows.en[1:], follows.zh)


@text.register
def _(value: Waves, lang: str = "en") -> str:
    """The sentences, the changes, the tables."""
    lines = [t.say(lang) for t in value.sentences]
    if value.changes.height:
        title = Text("Changes of the questionnaire", "问卷的变化").say(lang)
        lines.append(shown(title, value.changes.drop("evidence" if lang == "zh" else "evidence_zh"), (), lang))
    lines += value.proposed
    lines += [text(part, lang) for part in (value.attrition, value.overlap) if part is not None]
    return "\n".join(lines)
