"""What `csi track` prints of the rates beside the index: their changes and their targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import counted, each, grid
from csi.cli.studied import keys_in, names, only
from csi.cli.track_grid import HEADINGS, starred, told_evidence
from csi.errors import Language, Note, Text
from csi.reporting.section import Kind
from csi.study import Study
from csi.study.rated import AGAINST, PARTS, evidence_sentences, rate_names, rate_notes, rated, rates_over_waves, tested
from csi.survey.bases import FLAGS
from csi.survey.panel import Panel
from csi.tracking.gate_shown import Comparable
from csi.tracking.targets import ATTAINED

TITLE = Text("Rates beside the index (percent) and their changes", "指数以外的指标（%）及其变化")
RATE_HEADINGS = {
    "construct": Text("rate", "指标"),
    "formula": Text("id", "编号"),
    "index": Text("percent", "百分比"),
}


@dataclass(frozen=True, slots=True)
class Beside:
    """The rates of every cell and wave; an empty table where the study has none."""

    table: pl.DataFrame
    notes: tuple[Note, ...] = ()

    def data(self, asked: Mapping[str, str]) -> dict[str, object]:
        """For a machine."""
        return {"rates": only(self.table, asked)} if self.table.width else {}


def rates_beside(study: Study, panel: Panel, gate: Comparable | None = None, *, anyway: bool = False) -> Beside:
    """The rates of a study over its waves.

    Parameters:
        gate: what was found of the constructs that their items are of. anyway: tell changes that are not comparable.
    """
    found = rated(study, panel)
    if not found:
        return Beside(pl.DataFrame())
    table = rates_over_waves(study, found, study.waves or panel.waves, panel, gate, anyway=anyway)
    return Beside(table, rate_notes(study, found, panel))


def rate_blocks(study: Study, table: pl.DataFrame, lang: Language) -> tuple[Grid | str, ...]:
    """One row per rate and cell: percent, interval, changes, target; what is known of their meaning over waves."""
    if not table.width:
        return ()
    told = table.filter(~pl.col("construct").is_in(PARTS))
    texts = {**names(study, lang), **rate_names(study), **ATTAINED, **FLAGS}
    against = [a for a in AGAINST if f"change_{a}" in told.columns and told[f"change_{a}"].count()]
    moved = {f"change_{a}": starred(told, a) for a in against}
    known = {f"evidence_{a}": told_evidence(told, a, texts, lang) for a in against if tested(told, a)}
    frame = told.with_columns(pl.Series(name, cells, dtype=pl.String) for name, cells in (moved | known).items())
    frame = frame.with_columns(pl.col(c).fill_null("") for c in ("flag", "attained") if c in frame.columns)
    kinds: dict[str, Kind] = {
        **each(keys_in(frame), "text"),
        **each(["construct", "formula"], "text"),
        **counted(frame),
        **each(["index", "conf_low", "conf_high"], "score"),
    }
    for a in against:
        kinds |= {f"change_{a}": "text", f"statistic_{a}": "number", f"p_holm_{a}": "p"}
        kinds |= each([f"evidence_{a}"] if f"evidence_{a}" in known else [], "text")
    if "target" in frame.columns and frame["target"].count():
        kinds |= {"target": "score", "attained": "text"}
    kinds |= each(["flag"] if (frame["flag"] != "").any() else [], "text")
    said = (t.say(lang) for t in evidence_sentences(told, rate_names(study)))
    return (grid(frame, kinds, lang, TITLE, texts, {**HEADINGS, **RATE_HEADINGS}, right=[*moved]), *said)
