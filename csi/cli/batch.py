"""`csi batch STUDY --out DIR`: a record for every brand in every wave, restartable; failing cells are listed."""

from __future__ import annotations

import argparse
from pathlib import Path

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.fit_options import listed
from csi.cli.grids import each, grid
from csi.cli.progress import working
from csi.cli.studied import bootstrap_argument, errors_argument, keys_in, names, resampled, study_argument
from csi.cli.to import check_to, to_argument, write_to
from csi.errors import Language, Text
from csi.reporting.batch import Batch, batch
from csi.reporting.batch_records import RECORDS
from csi.reporting.batch_summary import HEADINGS, STATUS
from csi.study import Study, read_study

RUNNING = Text("Cells", "单元")
FAILED = Text("Without a number", "没有数值的单元")
ROWS = 40
"""So many failures are printed; the rest is counted."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, a folder, the keys of the cells."""
    study_argument(parser)
    add = parser.add_argument
    add("--out", metavar="DIR", type=Path, default=Path("batch"), help="folder of the records (batch/)")
    add("--by", metavar="KEYS", action="append", help="keys that make cells (brand,wave)")
    to_argument(parser)
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Run every cell, then say how many are done and why others are not."""
    check_to(args.to)
    study = resampled(read_study(args.study), args.bootstrap, args.errors)
    by = tuple(listed(args.by)) or ("brand", "wave")
    with working(RUNNING.say(lang), quiet=args.quiet) as tell:
        found = batch(study, args.out, by, tell)
    texts = {**names(study, lang), **STATUS}
    more = write_to(args.to, found.sentences[0], {"cells": (RUNNING, found.table)}, lang, HEADINGS, texts)
    files = [str(args.out / name) for name in ("summary.xlsx", "summary.csv", RECORDS)]
    files += more
    return Answer(
        blocks=(found.sentences[0].say(lang), *without(study, found, lang), *files),
        data={"folder": str(args.out), "cells": found.table},
        notes=found.notes,
        code=INADMISSIBLE if found.failed.height else FINE,
    )


def without(study: Study, found: Batch, lang: Language) -> tuple[str | Grid, ...]:
    """The cells that failed or are withheld, with their reasons."""
    rows = found.without
    if rows.is_empty():
        return ()
    why = "reason_zh" if lang == "zh" else "reason"
    kinds = each(keys_in(rows), "text") | each(["n"], "count") | each(["status", why], "text")
    headings = {"reason_zh": Text("reason", "原因"), "status": HEADINGS["status"]}
    printed = grid(rows.head(ROWS), kinds, lang, FAILED, {**names(study, lang), **STATUS}, headings)
    rest = rows.height - ROWS
    more = Text(f"... and {rest} more (summary.csv)", f"……另有 {rest} 个（见 summary.csv）").say(lang)
    return (printed, more) if rest > 0 else (printed,)
