"""`csi comparable STUDY`: may brands, waves or other cells be compared, and what would items that differ move?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import each, grid
from csi.cli.progress import working
from csi.cli.studied import cell_arguments, chosen, names, opened, provenance
from csi.errors import Language, Problems, Text, did_you_mean, problem
from csi.reporting.tables import Kind
from csi.study import Study
from csi.study.fitted import CELLS, fitted, indexed
from csi.study.gate import differing, judged
from csi.survey.panel import Panel
from csi.tracking.gate_sets import Rule
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_verdicts import Verdict
from csi.tracking.gate_words import KEYS, VERDICTS, evidence_text, heading, set_sentence
from csi.tracking.index import Index

TESTING = Text("Testing", "检验")
EXTRA = ("stage", "segment")
ROWS = 40
"""So many differences are printed; the rest is counted."""

HEADINGS = {
    "between": Text("compared", "比较"),
    "cells": Text("cells", "单元数"),
    "p_metric": Text("p loadings", "载荷 p"),
    "p_scalar": Text("p intercepts", "截距 p"),
    "p_holm": Text("p adj.", "校正 p"),
    "verdict": Text("verdict", "判断"),
    "items": Text("item", "题项"),
    "bias": Text("effect", "影响"),
    "std_error": Text("SE", "标准误"),
    "cell_1": Text("cell", "单元"),
    "cell_2": Text("against", "对照"),
    "difference": Text("difference", "差异"),
    "rest": Text("without it", "剔除后"),
    "delta_cfi_scalar": Text("ΔCFI", "ΔCFI"),
    "c": Text("c", "c"),
    "p_composition": Text("p weights", "构成 p"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the key that differs, the constructs, the level."""
    cell_arguments(parser)
    add = parser.add_argument
    add("--between", action="append", metavar="KEY", help="brand, wave, stage or segment (all in which cells differ)")
    add("--construct", action="append", metavar="NAME", help="a construct (the study's target); all for every one")
    add("--alpha", type=float, metavar="P", help="level of the decisions (the study's, 0.05)")
    add("--rule", choices=("ladder", "micom"), help="evidence: invariance ladder or MICOM (by construct)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The sets of cells, then every difference that is not simply comparable."""
    study, panel = opened(args.study, 0)
    asked = chosen(study, panel, args.brand, args.wave)
    between = known_keys(panel, args.between)
    study = _gating(study, args.alpha, args.rule)
    with working(TESTING.say(lang), quiet=args.quiet):
        made = index_of(study, panel, between)
        wanted = args.construct or [study.settings.target]
        found = judged(study, made, between or list(study.settings.gating.between) or None, _named(wanted), asked)
    return Answer(
        blocks=blocks(study, found, lang),
        data={"alpha": found.alpha, "sets": found.sets, "pairs": found.pairs},
        notes=(*panel.notes, *found.notes),
        record={**provenance(study, panel), "comparability": found.sets, "comparability_pairs": found.pairs},
    )


def _named(wanted: list[str]) -> list[str] | None:
    """The constructs asked for; None for all."""
    return None if "all" in wanted else wanted


def _gating(study: Study, alpha: float | None, rule: Rule | None) -> Study:
    """The study with another level of the decisions, or other evidence, where asked for."""
    own = study.settings.gating
    gating = replace(own, alpha=own.alpha if alpha is None else alpha, rule=own.rule if rule is None else rule)
    return replace(study, settings=replace(study.settings, gating=gating))


def known_keys(panel: Panel, asked: list[str] | None) -> list[str] | None:
    """The keys asked for, as far as the panel has them.

    Raises:
        Problems: E-BY with the closest name.
    """
    have = [k for k in (*CELLS, *EXTRA) if k in panel.frame.columns and (panel.frame[k].cast(pl.String) != "").any()]
    unknown = [k for k in asked or [] if k not in have]
    if unknown:
        hint = did_you_mean(unknown[0], have)
        en, zh = f'the study has no key "{unknown[0]}".', f"研究中没有键“{unknown[0]}”。"
        raise Problems([problem("E-BY", "--between", en, zh, hint.en, hint.zh)])
    return asked


def index_of(study: Study, panel: Panel, between: list[str] | None) -> Index:
    """The index of the cells compared: by brand and wave, and by what else is asked for."""
    more = [k for k in between or [] if k not in CELLS]
    if not more:
        return indexed(study, fitted(study, panel, errors=False))
    kept = replace(panel, frame=panel.frame.filter(pl.all_horizontal(pl.col(k).is_not_null() for k in more)))
    return indexed(study, fitted(study, kept, (*CELLS, *more), errors=False))


def blocks(study: Study, found: Comparable, lang: Language) -> tuple[str | Grid, ...]:
    """What was run, the grid of the sets, a sentence per set that is not simply comparable, its differences."""
    texts = {**names(study, lang), **KEYS, **VERDICTS}
    sets, pairs = found.sets, found.pairs
    said = [set_sentence(one, texts).say(lang) for one in found.judged if one.rejected]
    lines: list[str | Grid] = [heading(found.judged, found.alpha).say(lang), sets_grid(found, sets, texts, lang), *said]
    apart = pairs.filter(pl.col("verdict").is_in(["after freeing", "not comparable"]))
    if apart.height:
        lines.append(pairs_grid(found, apart.head(ROWS), texts, lang))
    rest = apart.height - ROWS
    if rest > 0:
        lines.append(Text(f"... {rest} more differences in --json", f"……另有 {rest} 个差异，见 --json").say(lang))
    return tuple(lines)


def sets_grid(found: Comparable, sets: pl.DataFrame, texts: Mapping[str, Text], lang: Language) -> Grid:
    """One row per set of cells."""
    keys = [k for k in differing(found.index) if sets[k].null_count() < sets.height]
    shown = ["construct"] if sets["construct"].n_unique() > 1 else []
    kinds: dict[str, Kind] = {**each(["between", *keys, *shown], "text"), "cells": "count"}
    if sets["p_composition"].null_count() < sets.height:
        kinds |= {"c": "index", "p_composition": "p"}
    if sets["p_scalar"].null_count() < sets.height or "c" not in kinds:
        kinds |= {**each(["p_metric", "p_scalar"], "p"), "delta_cfi_scalar": "index"}
    kinds |= {"p_holm": "p"}
    kinds |= {**each(["verdict", "items"], "text"), "bias": "change", "std_error": "number"}
    reason = "reason_zh" if lang == "zh" else "reason"
    frame = sets.with_columns(pl.col(k).fill_null("") for k in keys)
    frame = frame.with_columns(items=pl.col("items").map_elements(lambda s: _listed(s, texts, lang), pl.String))
    if frame[reason].null_count() < frame.height:
        frame, kinds = frame.with_columns(pl.col(reason).fill_null("")), {**kinds, reason: "text"}
    construct = sets["construct"][0] if sets.height and not shown else ""
    label = texts.get(construct, Text(construct, construct))
    title = Text(
        f"Sets of cells{f', {label.en}' if construct else ''}", f"各组单元{f'：{label.zh}' if construct else ''}"
    )
    return grid(frame, kinds, lang, title, texts, {**HEADINGS, "reason_zh": Text("reason", "原因")})


def pairs_grid(found: Comparable, pairs: pl.DataFrame, texts: Mapping[str, Text], lang: Language) -> Grid:
    """Every difference that is not simply comparable, with the effect of what differs and what is left without it."""
    keys = [k for k in differing(found.index) if pairs[k].null_count() < pairs.height]
    frame = pairs.with_columns(
        rest=pl.col("difference") - pl.col("bias"),
        evidence=pl.Series([_said(row, texts, lang) for row in pairs.iter_rows(named=True)], dtype=pl.String),
    ).with_columns(pl.col(k).fill_null("") for k in keys)
    kinds: dict[str, Kind] = {**each([*keys, "construct", "cell_1", "cell_2"], "text")}
    kinds |= {"difference": "change", "bias": "change", "std_error": "number", "rest": "change", "evidence": "text"}
    title = Text("Differences, and what they are without the items that differ", "差异，以及剔除相异题项后的差异")
    return grid(frame, kinds, lang, title, texts, {**HEADINGS, "evidence": Text("verdict", "判断")})


def _said(row: Mapping[str, object], texts: Mapping[str, Text], lang: Language) -> str:
    """The verdict on one difference, without its effect, which stands in a column."""
    items = [texts.get(i, Text(i, i)).say(lang) for i in str(row["items"]).split(", ")]
    return evidence_text(cast("Verdict", row["verdict"]), items, float("nan")).say(lang)


def _listed(items: str, texts: Mapping[str, Text], lang: Language) -> str:
    """Items under their labels."""
    said = [texts.get(i, Text(i, i)).say(lang) for i in items.split(", ")] if items else []
    return Text(", ", "、").say(lang).join(said)
