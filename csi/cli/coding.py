"""`csi coding STUDY FILE`: the study's coding replayed on a new export; what does not fit is listed."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import FINE, PROBLEMS, Answer, Grid
from csi.cli.grids import each, grid
from csi.cli.studied import study_argument
from csi.errors import Language, Text
from csi.reporting.coding import BESIDE, WHAT, Coding, coding

HEADINGS = {
    "item": Text("item", "题项"),
    "column": Text("column", "列"),
    "what": Text("coding", "编码"),
    "n": Text("answers", "回答数"),
    "found": Text("found", "实际"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study and the new export."""
    study_argument(parser)
    parser.add_argument("file", metavar="FILE", type=Path, help="the export of the next wave")
    parser.add_argument("--wave", default="", help="the wave of a file that does not say so")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """How many items fit, those that do not, and the line to paste where all columns are found."""
    found = coding(args.study, args.file, args.wave)
    return Answer(
        blocks=_blocks(found, lang),
        data={"coding": found.table, "entry": found.entry},
        code=FINE if found.fits else PROBLEMS,
    )


def _blocks(found: Coding, lang: Language) -> tuple[str | Grid, ...]:
    """The sentence, the table, the entry."""
    rest = found.table.filter(pl.col("what") != "fits")
    fine, every = found.table.filter(what="fits").height, found.table.filter(pl.col("item") != "")["item"].n_unique()
    said = Text(
        f"{fine} of {every} items fit the study's coding; nothing was changed.",
        f"{every} 个题项中有 {fine} 个与研究的编码相符；未作任何更改。",
    )
    out: list[str | Grid] = [said.say(lang)]
    if rest.height:
        kinds = {**each(["item", "column", "what"], "text"), **each(["n"], "count"), **each(["found"], "text")}
        beside = Text("Columns that came and went", "增减的列")
        parts = [
            (Text("What does not fit", "不相符之处"), rest.filter(~pl.col("what").is_in(BESIDE)), kinds),
            (beside, rest.filter(pl.col("what").is_in(BESIDE)), {k: v for k, v in kinds.items() if k != "item"}),
        ]
        out += [grid(part, of, lang, title, WHAT, HEADINGS) for title, part, of in parts if part.height]
    if found.entry:
        out.append("data:\n  " + found.entry)
    return tuple(out)
