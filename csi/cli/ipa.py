"""`csi ipa DATA --performance speed=P1 --stated speed=I1`: importance and performance of attributes."""

from __future__ import annotations

import argparse
from pathlib import Path

from csi.cli.answer import Answer, Grid
from csi.cli.fit_options import codes, listed
from csi.cli.grids import grid
from csi.cli.levers import column, number, once
from csi.cli.progress import working
from csi.cli.studied import check_enough, chosen, opened, place, provenance, shown, typed
from csi.cli.studied import names as study_names
from csi.errors import Language, Text
from csi.importance.drivers_words import QUADRANTS
from csi.importance.ipa import Ipa, ipa
from csi.importance.ipa_words import GRIDS, HEADINGS
from csi.reporting.section import Kind
from csi.survey.plain_file import read_plain

RESAMPLING = Text("Resampling", "重抽样")
OPTIONS = {
    "target": "--goal",
    "replicates": "--bootstrap",
    **{n: f"--{n}" for n in ("performance", "outcome", "centre", "scale")},
}
"""Settings of `csi.ipa` by the options they are typed as."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study or a data file, columns of performance and importance, the outcome."""
    add = parser.add_argument
    add(
        "data",
        metavar="STUDY|DATA",
        type=Path,
        help="the study file, or a CSV, Parquet, Excel or SPSS file",
    )
    done = "an attribute and the column of how well it is done, such as speed=P1; repeat for each"
    add(
        "--performance",
        action="append",
        type=column,
        required=True,
        metavar="NAME=COLUMN",
        help=done,
    )
    said = "an attribute and the column of how important customers say it is; repeat for each"
    add("--stated", action="append", type=column, metavar="NAME=COLUMN", help=said)
    add(
        "--outcome",
        metavar="COLUMN",
        help="importance is derived from this column (LMG)",
    )
    where = "where the cross-hair stands: mean or median of the attributes, middle of the scale"
    add("--centre", choices=("mean", "median", "scale"), default="mean", help=where)
    add(
        "--goal",
        type=number,
        default=100.0,
        metavar="N",
        help="performance (0-100) that opportunities go up to (100)",
    )
    add(
        "--scale",
        type=bounds,
        metavar="LOW,HIGH",
        help="of a data file: least and largest possible answer",
    )
    add("--brand", help="of a study: one brand (the focal one by default)")
    add("--wave", help="of a study: one wave (the latest by default)")
    add(
        "--bootstrap",
        type=int,
        default=500,
        metavar="N",
        help="resamples for probabilities (500; 0: none)",
    )
    add(
        "--na",
        action="append",
        type=codes,
        metavar="CODES",
        help="codes that mean no answer, such as 97,98 (--na=-9)",
    )


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The map of attributes as a table, with sentences."""
    done, said = once("--performance", args.performance), once("--stated", args.stated or [])
    asked = {
        "stated": said or None,
        "outcome": args.outcome,
        "centre": args.centre,
        "target": args.goal,
    }
    asked |= {"replicates": args.bootstrap}
    if args.data.suffix.lower() in {".yaml", ".yml"} or args.data.is_dir():
        study, panel = opened(args.data)
        one = shown(study, panel, chosen(study, panel, args.brand, args.wave))
        check_enough(study, panel, one, lang)
        with working(RESAMPLING.say(lang), quiet=args.quiet), typed(OPTIONS):
            found = ipa(panel, done, where=one, seed=study.settings.seed, **asked)
        origin = {**provenance(study, panel), "cell": one}
        title = place(one, study_names(study, lang), lang)
    else:
        columns = list(
            dict.fromkeys(
                [
                    *done.values(),
                    *said.values(),
                    *([args.outcome] if args.outcome else []),
                ]
            )
        )
        file = read_plain(args.data, columns, (), listed(args.na))
        with working(RESAMPLING.say(lang), quiet=args.quiet), typed(OPTIONS):
            found = ipa(file.frame, done, scale=args.scale, **asked)
        origin, title = {"data": {"file": file.name, "sha256": file.sha256}}, file.name
    data = {
        "attributes": found.table,
        "cross": found.cross,
        "agreement": found.agreement,
        "n": found.n,
    }
    blocks: tuple[str | Grid, ...] = (
        title,
        *(s.say(lang) for s in found.sentences),
        attribute_grid(found, lang),
    )
    return Answer(blocks, data, found.notes, record={**origin, **data})


def bounds(typed: str) -> tuple[float, float]:
    """The ends of a scale as typed.

    Example:
        >>> bounds("1,10")
        (1.0, 10.0)
    """
    low, _, high = typed.partition(",")
    return number(low), number(high or low)


def attribute_grid(found: Ipa, lang: Language) -> Grid:
    """Attributes with their places."""
    kinds: dict[str, Kind] = {
        "attribute": "text", "stated": "score", "derived": "coefficient", "performance": "score", "quadrant": "text",
        "probability": "share", "priority": "change", "priority_conf_low": "change", "priority_conf_high": "change",
        "opportunity": "score", "ulwick": "score", "grid": "text",
    }  # fmt: skip
    table = found.table
    kinds = {c: kind for c, kind in kinds.items() if c in table.columns and table[c].null_count() < table.height}
    title = Text("Importance and performance of attributes", "属性的重要性与表现")
    return grid(table, kinds, lang, title, {**QUADRANTS, **GRIDS}, HEADINGS)
