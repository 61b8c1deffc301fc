"""`csi append STUDY FILE`: a day's answers added to the stored moments; the index follows."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.fit_options import listed
from csi.cli.grids import each, grid
from csi.cli.index import target_grid
from csi.cli.studied import keys_in, names, study_argument
from csi.cli.to import check_to, to_argument, write_to
from csi.errors import Language, Text
from csi.reporting.append import Appended, append
from csi.reporting.record import codebook_hash, versions
from csi.study import Study, read_study
from csi.tracking.index import Index

ADDED = Text("Answers added", "新增答卷")
INDEX = Text("Index", "指数")
BATCHES = Text("Batches", "批次")
HEADINGS = {"added": Text("added", "新增")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the day's file, the store."""
    study_argument(parser)
    add = parser.add_argument
    add("file", metavar="FILE", nargs="?", type=Path, help="the new answers (none: begin the store, or show it)")
    add("--store", metavar="PATH", type=Path, help="the stored moments (STUDY.moments.npz beside the study)")
    add("--wave", default="", help="the wave of a file that does not say so")
    add("--brand", default="", help="the brand of a file that does not say so")
    to_argument(parser)
    add("--close", metavar="WAVE", action="append", help="a wave that takes no more answers from now on")
    add("--late", action="store_true", help="let answers of closed waves in")
    add("--anyway", action="store_true", help="let answers in that seem to be on another scale, or weighted otherwise")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """What was added, and the index of the cells it was added to (of all where nothing was)."""
    check_to(args.to)
    study = read_study(args.study)
    found = append(
        study,
        args.file,
        args.store,
        args.wave,
        args.brand,
        close=listed(args.close),
        late=args.late,
        anyway=args.anyway,
    )
    table = touched(found)
    frames = {"index": (INDEX, found.table), "added": (ADDED, found.new), "batches": (BATCHES, found.batches)}
    files = write_to(args.to, found.sentences[0], frames, lang, HEADINGS)
    return Answer(
        blocks=(found.sentences[0].say(lang), *_added(study, found, lang), target_grid(study, table, lang), *files),
        data={
            "store": str(found.path),
            "added": found.new,
            "batches": found.batches,
            "closed": found.store.closed,
            "index": table,
        },
        notes=found.notes,
        record={
            "study": {"name": study.name, "sha256": study.sha256},
            "hashes": {
                "codebook": codebook_hash(study.codebook),
                "files": dict(found.batches.select("name", "sha256").rows()),
            },
            "rows": int(found.batches["rows"].sum()),
            "seed": None,
            "settings": study.settings,
            "versions": versions(),
            "batches": found.batches,
            "index": found.table,
            **({} if found.index is None else weighed(found.index)),
        },
    )


def weighed(made: Index) -> dict[str, object]:
    """How an index was made."""
    return {"rule": made.rule, "base": made.base, "scheme": made.scheme, "weights": made.weights}


def touched(found: Appended) -> pl.DataFrame:
    """The index of the cells that got answers; of all when none did."""
    keys = [c for c in found.new.columns if c not in {"added", "n"}]
    if found.new.is_empty() or not keys:
        return found.table
    return found.table.join(found.new.select(keys), on=keys, how="semi", nulls_equal=True, maintain_order="left")


def _added(study: Study, found: Appended, lang: Language) -> tuple[Grid, ...]:
    """Answers added by cell."""
    if found.new.is_empty():
        return ()
    kinds = each(keys_in(found.new), "text") | each(["added", "n"], "count")
    return (grid(found.new, kinds, lang, ADDED, names(study, lang), HEADINGS),)
