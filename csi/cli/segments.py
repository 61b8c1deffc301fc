"""`csi segments STUDY` or `MODEL DATA`: people for whom the same constructs lead to each other differently."""

from __future__ import annotations

import argparse

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.fit_options import listed
from csi.cli.grids import each, grid
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.source import Source, source_arguments, source_of
from csi.errors import Language, Text
from csi.estimate.estimate import Estimate
from csi.measures.fimix import Fimix, fimix
from csi.measures.fimix_frames import HEADINGS
from csi.measures.pos import Pos, pos
from csi.measures.segment_criteria import CRITERIA
from csi.reporting.section import Kind

SEARCHING = Text("Searching segments", "搜索细分")
NUMBERS = ("1", "2", "3", "4", "5")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or model and data; method, numbers of segments."""
    source_arguments(parser)
    add = parser.add_argument
    add("--method", choices=("fimix", "pos"), default="fimix", help="mixture (fimix), or prediction-oriented (pos)")
    add("--k", metavar="NUMBERS", help="numbers of segments, comma-separated (1,2,3,4,5; of pos one number, 2)")
    add("--starts", type=int, metavar="N", help="beginnings (50; of pos 10)")
    add("--members", action="store_true", help="with --json: the segment of every row")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit, search, tell."""
    numbers = _numbers(args)
    source = source_of(args, lang)
    est = source.fit()
    with working(SEARCHING.say(lang), quiet=args.quiet):
        if args.method == "pos":
            found = pos(est, numbers[0], starts=args.starts or 10, seed=source.seed)
            return _of_pos(found, est, source, args, lang)
        mixed = fimix(est, numbers, starts=args.starts or 50, seed=source.seed)
        return _of_fimix(mixed, est, source, args, lang)


def _numbers(args: argparse.Namespace) -> list[int]:
    """Whole numbers; one of them for `pos`."""
    texts = listed(args.k) or (("2",) if args.method == "pos" else NUMBERS)
    if not all(t.isdecimal() for t in texts) or (args.method == "pos" and len(texts) > 1):
        raise UsageError(f"--k: {','.join(texts)}")
    return [int(t) for t in texts]


def _of_fimix(found: Fimix, est: Estimate, source: Source, args: argparse.Namespace, lang: Language) -> Answer:
    blocks: list[str | Grid] = [
        source.heading(est),
        criteria_grid(found, lang),
        *(s.say(lang) for s in found.sentences),
    ]
    if found.choice > 1:
        blocks += [sizes_grid(found.sizes.filter(segments=found.choice), lang), paths_grid(found, lang)]
    members = {"members": found.members()} if args.members else {}
    data: dict[str, object] = {**source.origin, "method": "fimix"}
    data |= {"choice": found.choice, "criteria": found.table, "sizes": found.sizes}
    data |= {"paths": found.paths, "r2": found.r2, "starts": found.starts, "seed": found.seed, **members}
    return Answer(source.worded(blocks, lang), data, (*source.notes, *est.notes, *found.notes))


def criteria_grid(found: Fimix, lang: Language) -> Grid:
    """One row per number of segments."""
    kinds: dict[str, Kind] = {"segments": "count", "loglik": "score", **each(CRITERIA, "score"), "en": "coefficient"}
    kinds |= {"nfi": "coefficient", "nec": "coefficient", "smallest_n": "count"}
    return grid(found.table, kinds, lang, Text("How many segments", "细分个数"), None, HEADINGS)


def sizes_grid(sizes: pl.DataFrame, lang: Language) -> Grid:
    """Share and rows of every segment."""
    kinds: dict[str, Kind] = {"segment": "count", "share": "coefficient", "n": "count"}
    return grid(sizes, kinds, lang, Text("Segments", "细分"), None, HEADINGS)


def paths_grid(found: Fimix, lang: Language) -> Grid:
    """Paths, a column per segment."""
    mine = found.paths.filter(segments=found.choice)
    wide = mine.pivot("segment", index=["outcome", "predictor"], values="estimate", maintain_order=True)
    kinds: dict[str, Kind] = {"predictor": "text", "outcome": "text", **each(wide.columns[2:], "coefficient")}
    return grid(wide, kinds, lang, Text("Paths by segment", "各细分的路径系数"), None, HEADINGS)


def _of_pos(found: Pos, est: Estimate, source: Source, args: argparse.Namespace, lang: Language) -> Answer:
    columns = [c for c in found.table.columns if c not in ("outcome", "predictor")]
    names = {c: Text(c.removeprefix("segment_"), c.removeprefix("segment_")) for c in columns if c != "all"}
    heads = {**HEADINGS, **names, "all": Text("all", "全体"), "weighted": Text("weighted", "加权")}
    paths: dict[str, Kind] = {"predictor": "text", "outcome": "text", **each(columns, "coefficient")}
    r2: dict[str, Kind] = {"outcome": "text", **each([*columns, "weighted"], "coefficient")}
    blocks: tuple[str | Grid, ...] = (
        source.heading(est),
        sizes_grid(found.sizes, lang),
        grid(found.table, paths, lang, Text("Paths by segment", "各细分的路径系数"), None, heads),
        grid(found.r2, r2, lang, Text("R2 by segment", "各细分的 R²"), None, heads),
        *(s.say(lang) for s in found.sentences),
    )
    members = {"members": found.members()} if args.members else {}
    data = {
        **source.origin,
        "method": "pos",
        "sizes": found.sizes,
        "paths": found.table,
        "r2": found.r2,
        "objective": found.objective,
    }
    data |= {"one": found.one, "reached": found.reached, "starts": found.starts, "seed": found.seed, **members}
    return Answer(source.worded(blocks, lang), data, (*source.notes, *est.notes, *found.notes))
