"""`csi comparable STUDY`: may brands, waves or other cells be compared, and what would items that differ move?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.comparable_aligned import align_argument, aligned_blocks, aligned_data, aligned_notes
from csi.cli.grids import each, grid
from csi.cli.progress import working
from csi.cli.studied import cell_arguments, chosen, names, opened, provenance
from csi.cli.to import check_to, to_argument
from csi.cli.to_tables import with_files
from csi.errors import Language, Text
from csi.reporting.section import Kind
from csi.study import Study
from csi.study.aligned import aligned
from csi.study.gate import judged
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_verdicts import Verdict
from csi.tracking.gate_words import KEYS, VERDICTS, evidence_text, heading, set_sentence

TESTING = Text("Testing", "检验")
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
    """A study, the keys that differ, the constructs, the level."""
    cell_arguments(parser)
    add = parser.add_argument
    add(
        "--between",
        action="append",
        metavar="KEY",
        help="brand, wave, stage, segment or a column of the data, such as a language (all in which cells differ); "
        "may be repeated",
    )
    add(
        "--within",
        action="append",
        choices=("brand", "wave", "none"),
        help="groups by another key are compared inside every brand, wave (both), or over all respondents (none)",
    )
    add("--construct", action="append", metavar="NAME", help="a construct (the study's target); all for every one")
    add("--alpha", type=float, metavar="P", help="level of the decisions (the study's, 0.05)")
    add("--rule", choices=("ladder", "micom"), help="evidence: invariance ladder or MICOM (by construct)")
    align_argument(parser)
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The sets of cells, then every difference that is not simply comparable."""
    check_to(args.to)
    study, panel = opened(args.study, 0, groups=args.between or ())
    asked = chosen(study, panel, args.brand, args.wave)
    study = _gating(study, args)
    between = args.between or list(study.settings.gating.between)
    with working(TESTING.say(lang), quiet=args.quiet):
        wanted = args.construct or [study.settings.target]
        found = judged(study, panel, between, _named(wanted), asked)
        beside, told = aligned(study, panel, found, _named(wanted), asked, args.align) if args.align else ((), ())
    sets, pairs = both(found)
    tables, notes = aligned_data(beside), (*(n for one in found for n in one.notes), *told)
    answer = Answer(
        blocks=(*blocks(study, found, lang), *aligned_blocks(study, beside, lang)),
        data={"alpha": found[0].alpha, "sets": sets, "pairs": pairs, **tables},
        notes=tuple(dict.fromkeys((*panel.notes, *notes, *aligned_notes(study, beside, lang)))),
        record={**provenance(study, panel), "comparability": sets, "comparability_pairs": pairs, **tables},
    )
    return with_files(answer, args.to, study, lang, texts_of(study, lang))


def both(found: Sequence[Comparable]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The sets and the pairs of all results, their keys side by side."""
    return _joined([one.sets for one in found]), _joined([one.pairs for one in found])


def _joined(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of all; keys follow `between`, those that a frame lacks are null."""
    whole = pl.concat(frames, how="diagonal")
    keys = dict.fromkeys(k for f in frames for k in f.columns[1 : f.columns.index("construct")])
    return whole.select("between", *keys, *(c for c in frames[0].columns[1:] if c not in keys))


def _named(wanted: list[str]) -> list[str] | None:
    """The constructs asked for; None for all."""
    return None if "all" in wanted else wanted


def _gating(study: Study, args: argparse.Namespace) -> Study:
    """The study with another level of the decisions, other evidence or other cells, where asked for."""
    gating = study.settings.gating
    if args.alpha is not None:
        gating = replace(gating, alpha=args.alpha)
    if args.rule is not None:
        gating = replace(gating, rule=args.rule)
    if args.within is not None:
        gating = replace(gating, within=tuple(k for k in args.within if k != "none"))
    return replace(study, settings=replace(study.settings, gating=gating))


def blocks(study: Study, found: Sequence[Comparable], lang: Language) -> tuple[str | Grid, ...]:
    """What was run, the grid of the sets, a sentence per set that is not simply comparable, its differences."""
    texts = texts_of(study, lang)
    sets, pairs = both(found)
    tried = [one for part in found for one in part.judged]
    said = [set_sentence(one, texts).say(lang) for one in tried if one.rejected]
    grid_ = sets_grid(sets, texts, lang, max(one.least for one in found))
    lines: list[str | Grid] = [heading(tried, found[0].alpha).say(lang), grid_, *said]
    apart = pairs.filter(pl.col("verdict").is_in(["after freeing", "not comparable"]))
    if apart.height:
        lines.append(pairs_grid(apart.head(ROWS), texts, lang))
    rest = apart.height - ROWS
    if rest > 0:
        lines.append(Text(f"... {rest} more differences in --json", f"……另有 {rest} 个差异，见 --json").say(lang))
    return tuple(lines)


def texts_of(study: Study, lang: Language) -> dict[str, Text]:
    """Labels of constructs, items, groups and verdicts."""
    groups = {**study.stages, **study.segments}
    return {**groups, **names(study, lang), **KEYS, **study.settings.gating.labels, **VERDICTS}


def keys_of(frame: pl.DataFrame) -> list[str]:
    """The keys that some sets share."""
    every = frame.columns[1 : frame.columns.index("construct")]
    return [k for k in every if frame[k].null_count() < frame.height and (frame[k].fill_null("") != "").any()]


def sets_grid(sets: pl.DataFrame, texts: Mapping[str, Text], lang: Language, least: float) -> Grid:
    """One row per set of cells; `least`: the least p that permutations can give."""
    keys = keys_of(sets)
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
    floors = {"p_composition": (least, ""), "p_holm": (least, "p_value")}
    heads = {**HEADINGS, "reason_zh": Text("reason", "原因")}
    return grid(frame, kinds, lang, title, texts, heads, least=floors)


def pairs_grid(pairs: pl.DataFrame, texts: Mapping[str, Text], lang: Language) -> Grid:
    """Every difference that is not simply comparable, with the effect of what differs and what is left without it."""
    keys = keys_of(pairs)
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
