"""`csi league STUDY`: the brands of a wave, their ranks with intervals, how ranks vary by chance, medals on request."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import polars as pl

from csi.cli.answer import FINE, PROBLEMS, Answer, Grid
from csi.cli.evidence import construct_of, evidence, evidence_blocks, gate_arguments, rank_evidence
from csi.cli.grids import counted, each, grid
from csi.cli.index import RESAMPLING, published, recorded
from csi.cli.progress import working
from csi.cli.studied import (
    bootstrap_argument,
    cell_arguments,
    check_cells,
    chosen,
    errors_argument,
    names,
    only,
    opened,
)
from csi.cli.to import check_to, to_argument
from csi.cli.to_tables import with_files
from csi.errors import Language, Problem, Problems, Text, problem
from csi.reporting.section import Kind
from csi.reporting.soundness import bases_of
from csi.reporting.style import share
from csi.study import Study
from csi.survey.bases import FLAGS
from csi.tracking.contrasts import construct_place
from csi.tracking.league import League, RankTests, medals, pairwise
from csi.tracking.ranks import rank_probabilities
from csi.tracking.too_few import base_notes

HEADINGS = {
    "rank": Text("rank", "名次"),
    "rank_low": Text("rank from", "名次自"),
    "rank_high": Text("to", "至"),
    "expected_rank": Text("mean rank", "平均名次"),
    "first": Text("P(first)", "P(第一)"),
    "evidence": Text("comparable", "可比性"),
    "medal": Text("medal", "奖牌"),
    "flag": Text("base", "样本量提示"),
}
GROUPED = {"group": pl.Int64, "brand": pl.String}
MEDALS = Text(
    "Publish the ranks with their intervals; --medals anyway gives medals all the same.",
    "请公布名次及其区间；如仍需奖牌榜，可用 --medals anyway。",
)
NAMED = {"gold": Text("gold", "金"), "silver": Text("silver", "银"), "bronze": Text("bronze", "铜")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the wave, the construct, the tests behind rank intervals."""
    cell_arguments(parser)
    parser.add_argument("--construct", help="a construct (the study's target by default)")
    parser.add_argument(
        "--ranks", choices=get_args(RankTests), default="holm", help="tests behind rank intervals (holm)"
    )
    parser.add_argument(
        "--medals", nargs="?", const="certain", choices=("certain", "anyway"), metavar="anyway",
        help="gold, silver, bronze: refused where ranks are not certain, unless anyway",
    )  # fmt: skip
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)
    gate_arguments(parser)
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The league of one wave (the latest by default)."""
    check_to(args.to)
    study, panel = opened(args.study, args.bootstrap, args.errors)
    asked = chosen(study, panel, None, args.wave) or {"wave": panel.waves[-1]}
    if len(panel.brands) < 2:
        raise Problems([_no_brands(study)])
    check_cells(study, panel, asked)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        found = published(study, panel, asked)
    construct, small = construct_of(found, args.construct or study.settings.target), study.settings.small
    brands = names(study, lang)
    gate, told = evidence(study, found, args, construct, lang)
    league = pairwise(found, asked["wave"], construct, small, args.ranks, gate, anyway=args.anyway)
    chance = rank_probabilities(found, asked["wave"], construct, small, named=brands)
    formula = found.formulas[found.constructs.index(league.construct)]
    won, refused = medals_of(league, args.medals, brands)
    ranked = league_grid(study, league, formula, chance.table, lang)
    blocks: list[str | Grid] = [
        ranked if league.table.height else nobody(small, asked).say(lang),
        *evidence_blocks(study, found, gate, args, construct, asked, lang, changes=False),
    ]
    blocks += [] if won is None else [medal_grid(study, won, lang)]
    blocks += [] if barred(league) else [s.say(lang) for s in chance.sentences]
    data = {
        "construct": league.construct,
        "formula": formula,
        "wave": league.wave,
        "league": league.table.join(chance.table.select("brand", "expected_rank", "first"), on="brand"),
        "pairs": league.pairs,
        "groups": league.groups,
        "ranks": chance.ranks,
        "above": chance.above,
        **({} if won is None else {"medals": won}),
    }
    here = only(found.cells_of(construct_place(found, construct)), asked)
    few = base_notes(here.drop("wave", strict=False), bases_of(study), brands)
    notes = (*panel.notes, *(n for n in found.notes if n.code != "E-BASE"), *few, *league.notes, *told, *chance.notes)
    answer = Answer(
        blocks=tuple(blocks),
        data=data,
        notes=tuple(dict.fromkeys(notes)),
        problems=refused,
        code=PROBLEMS if refused else FINE,
        record={**recorded(study, panel, found), **({} if gate is None else {"comparability": gate.sets})},
    )
    grouped = pl.DataFrame(
        [(k + 1, b) for k, group in enumerate(league.groups) for b in group], schema=GROUPED, orient="row"
    )
    tables = replace(answer, data={**data, "groups": grouped})
    return replace(with_files(tables, args.to, study, lang, NAMED), data=data)


def medals_of(
    league: League, asked: str | None, named: Mapping[str, Text]
) -> tuple[pl.DataFrame | None, tuple[Problem, ...]]:
    """Medals where they were asked for, or why there are none: the ranks with their intervals are printed all the same.

    Parameters:
        asked: "certain", "anyway" or None.
    """
    if asked is None:
        return None, ()
    try:
        return medals(league, anyway=asked == "anyway", named=named), ()
    except Problems as found:
        return None, tuple(replace(p, where="--medals", remedy=MEDALS) for p in found.problems)


def nobody(small: int, asked: Mapping[str, str]) -> Text:
    """What is said where no brand can be ranked.

    Example:
        >>> nobody(30, {"wave": "2026Q3"}).en
        'No brand has an index from at least 30 answers in 2026Q3, so nothing is ranked.'
    """
    wave = asked.get("wave", "")
    en = f"No brand has an index from at least {small} answers{f' in {wave}' if wave else ''}, so nothing is ranked."
    return Text(en, f"{f'{wave} 期' if wave else ''}没有品牌的指数达到 {small} 份样本，故不作排名。")


def _no_brands(study: Study) -> Problem:
    """Why there is nothing to rank."""
    en, zh = "the study has a single brand, and a rank needs two of them.", "该研究只有一个品牌，而排名至少需要两个。"
    do, do_zh = "csi index gives the index, csi track its changes.", "指数见 csi index，变化见 csi track。"
    return problem("E-BRAND", str(study.path), en, zh, do, do_zh)


def barred(league: League) -> set[str]:
    """Brands of whose differences some are withheld or untested, as they are not simply comparable."""
    pairs = league.pairs.filter(
        pl.col("reason").is_not_null() | ((pl.col("evidence") == "after freeing") & pl.col("p_value").is_null())
    )
    return {*pairs["above"], *pairs["below"]}


def league_grid(study: Study, league: League, formula: str, chance: pl.DataFrame, lang: Language) -> Grid:
    """One row per brand, best first: index, rank interval, how its rank varies by chance."""
    frame = league.table.join(chance.select("brand", "expected_rank", "first"), on="brand", maintain_order="left")
    frame = bases_of(study).withheld(frame).with_columns(pl.col("flag").fill_null(""))
    open_ = pl.col("brand").is_in(sorted(barred(league)))  # no place among those that it cannot be compared with
    frame = frame.with_columns(
        *(pl.when(~open_).then(pl.col(c)).alias(c) for c in ("rank", "expected_rank", "first")),
        pl.Series("evidence", [rank_evidence(v, lang) for v in frame["evidence"]], dtype=pl.String),
    )
    kinds: dict[str, Kind] = {
        **each(["brand"], "text"),
        **counted(frame),
        **each(["index"], "score"),
        **each(["std_error"], "number"),
        **each(["rank", "rank_low", "rank_high"], "count"),
        **each(["expected_rank"], "score"),
        **each(["first"], "p"),
        **each(["flag"] if (frame["flag"] != "").any() else [], "text"),
        **each(["evidence"], "text"),
    }
    texts = {**names(study, lang), **FLAGS}
    label = texts.get(league.construct, Text(league.construct, league.construct))
    level = share(league.level, 0)
    title = Text(
        f"{label.en}, index 0-100 ({formula}): ranks with joint {level} intervals",
        f"{label.zh}指数（0–100，{formula}）：名次及其 {level} 联合区间",
    )
    return grid(frame, kinds, lang, title, texts, HEADINGS)


def medal_grid(study: Study, won: pl.DataFrame, lang: Language) -> Grid:
    """Gold, silver and bronze."""
    kinds: dict[str, Kind] = {
        **each(["medal", "brand"], "text"),
        **each(["index"], "score"),
        **each(["rank_low", "rank_high"], "count"),
    }
    return grid(won, kinds, lang, Text("Medals", "奖牌榜"), {**names(study, lang), **NAMED}, HEADINGS)
