"""Metrics of importance of `csi drivers`: of one cell, or of several side by side with tests between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from csi.claims.based import bases_of
from csi.cli.answer import Grid
from csi.cli.grids import HEADINGS as KEYS
from csi.cli.grids import grid
from csi.cli.studied import names
from csi.errors import Language, Note, Text
from csi.importance.key_drivers import KeyDrivers, key_drivers
from csi.importance.key_drivers_words import HEADINGS, KINDS, SIGNS, TITLES, sentences_of
from csi.importance.metrics import METRICS
from csi.reporting.section import Kind
from csi.study import Study
from csi.study.fitted import fitted
from csi.survey.bases import Bases
from csi.survey.panel import Panel


def compared(
    study: Study, panel: Panel, by: Sequence[str], one: Mapping[str, str], target: str
) -> tuple[KeyDrivers, tuple[Note, ...]]:
    """Metrics in the cells of some keys, the others as in one cell; cells with too few answers are left out and named.

    Raises:
        Problems: as `csi.fit`, unknown keys among them.
    """
    where = {k: v for k, v in one.items() if k not in by}
    est = fitted(study, panel, tuple(by), where)
    bases = Bases(study.settings.small, study.settings.flagged)
    cells = bases_of(est, bases)
    keys = cells.columns[: cells.columns.index("n")]
    found = key_drivers(est, target)
    return told(found, cells.filter(pl.col("flag").fill_null("") != "suppressed").select(keys)), bases.notes(
        cells, keys
    )


def told(found: KeyDrivers, cells: pl.DataFrame) -> KeyDrivers:
    """What is told of some cells only.

    Parameters:
        cells: their key columns.
    """
    if not cells.width:
        return found
    names_ = [" ".join(str(v) for v in row) for row in cells.iter_rows()]
    frames = {
        name: frame.join(cells, on=cells.columns, how="semi", maintain_order="left")
        for name in ("table", "metrics", "pairs", "agreement")
        if (frame := getattr(found, name)).height
    }
    between = found.differences.filter(pl.col("cell").is_in(names_) & pl.col("other").is_in(names_))
    return replace(found, **frames, differences=between)


def metric_data(found: KeyDrivers) -> dict[str, pl.DataFrame]:
    """Full precision, for machines."""
    between = {"differences": found.differences} if found.differences.height else {}
    return {"metrics": found.table, "pairs": found.pairs, **between}


def metric_blocks(study: Study, found: KeyDrivers | None, lang: Language) -> list[str | Grid]:
    """Metrics, pairs of drivers and differences between cells, under what they say; nothing where not asked for."""
    if found is None:
        return []
    texts = names(study, lang)
    labels = {c: texts.get(c, t) for c, t in found.labels.items()}
    frames = _named(found, texts, lang)
    said = sentences_of(*frames, labels, found.outcome, found.level)
    keys: dict[str, Kind] = dict.fromkeys(found.table.columns[: found.table.columns.index("driver")], "text")
    kinds: dict[str, Kind] = {**keys, "driver": "text", "sign": "text", "share": "share", "conf_low": "share"}
    kinds |= {"conf_high": "share", "rank": "count", "rank_low": "count", "rank_high": "count", "first_share": "share"}
    kinds |= dict.fromkeys(METRICS, "coefficient")
    pairs: dict[str, Kind] = {**keys, "driver": "text", "other": "text", "difference": "share", "conf_low": "share"}
    pairs |= {"conf_high": "share", "p_value": "p", "p_adjusted": "p", "dominates": "text"}
    between: dict[str, Kind] = {"driver": "text", "cell": "text", "other": "text", "difference": "share"}
    between |= {"conf_low": "share", "conf_high": "share", "p_value": "p", "p_adjusted": "p"}
    floors = {"p_value": (found.least, ""), "p_adjusted": (found.least, "p_value")}
    parts = ((TITLES[0], frames[0], kinds), (TITLES[1], frames[1], pairs), (TITLES[3], frames[3], between))
    grids = [
        grid(frame, _some(frame, own), lang, title, {**texts, **KINDS, **SIGNS}, {**KEYS, **HEADINGS}, least=floors)
        for title, frame, own in parts
        if frame.height
    ]
    return [*(s.say(lang) for s in said), *grids]


def _named(
    found: KeyDrivers, texts: Mapping[str, Text], lang: Language
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Metrics, pairs, agreement and differences with the cells under their labels."""
    keys = found.table.columns[: found.table.columns.index("driver")]
    rows = found.table.select(keys).unique().iter_rows() if keys else iter(())
    label = {
        str(v): texts.get(str(v), Text(str(v), str(v))).say(lang)
        for v in {v for row in found.table.select(keys).iter_rows() for v in row}
    }
    called = {" ".join(str(v) for v in row): " ".join(label[str(v)] for v in row) for row in rows}
    table, pairs, agreement = (
        frame.with_columns(pl.col(k).cast(pl.String).replace(label) for k in keys)
        for frame in (found.table, found.pairs, found.agreement)
    )
    between = found.differences
    if between.height:
        between = between.with_columns(pl.col("cell", "other").replace(called))
    return table, pairs, agreement, between


def _some(table: pl.DataFrame, kinds: dict[str, Kind]) -> dict[str, Kind]:
    """The columns that hold something."""
    return {c: kind for c, kind in kinds.items() if table[c].null_count() < table.height}
