"""`csi validate STUDY`: is this a good instrument, and what exactly should be changed?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.grids import of_table
from csi.cli.progress import working
from csi.cli.studied import bootstrap_argument, cell_arguments, chosen, opened
from csi.cli.to import check_to, to_argument, write_to
from csi.errors import Language, Text
from csi.measures.questionnaire.validating import Validating
from csi.reporting.section import Section, Table
from csi.reporting.validation.build import facts, headline, record, told_sections
from csi.reporting.validation.held import absent_notes
from csi.study.validation import validate_study

NUMBERS = ("value", "limit")
"""Columns of the advice."""
WORKING = Text("Validating", "校验中")
PRINTED = (
    "advice", "v_reliability", "v_retained", "separation", "worst_pairs", "v_ladders", "v_bias", "v_irt_scales",
    "v_forms", "v_retest", "v_raters", "v_rater_icc", "v_criterion", "v_known", "v_method", "v_traits",
)  # fmt: skip
"""Tables that a person reads at the prompt; all of them are in `--json`, `--to` and the report."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the answers looked at, what they are held against."""
    cell_arguments(parser)
    add = parser.add_argument
    add("--groups", action="append", metavar="KEY", help="groups that should be measured alike: a key or column of the "
        "data, such as a language or a mode; may be repeated")  # fmt: skip
    add("--short", type=int, metavar="K", help="items of a short form (half of each scale by default)")
    add("--keep", action="append", metavar="ITEM", help="an item that short forms keep; may be repeated")
    bootstrap_argument(parser, "the intervals")
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The verdict, the findings of every part with their tables, the advice, and what could not be computed."""
    check_to(args.to)
    study, panel = opened(args.study, None, groups=args.groups or ())
    chosen(study, panel, args.brand, args.wave)
    asked = Validating(groups=tuple(args.groups or ()), short=args.short, keep=tuple(args.keep or ()))
    with working(WORKING.say(lang), quiet=args.quiet):
        found = validate_study(study, panel, None, asked, wave=args.wave, brand=args.brand, draws=args.bootstrap)
        sections = told_sections(found)
    top = headline(study, found)
    said = " · ".join(" ".join(t.say(lang) for t in fact if t.say(lang)) for fact in facts(found))
    blocks: list[str | Grid] = [top.kicker.say(lang), top.sentence.say(lang), top.dateline.say(lang), said]
    for section in sections:
        blocks += ["", section.title.say(lang), *_tables(section, lang)]
    data = {
        "verdict": {a: top.sentence.say(a) for a in ("en", "zh")},
        "fit": {} if found.factors is None else dict(found.factors.measures),
        **{f"{s.key.removeprefix('v_')}_{name}": frame for s in sections for name, frame in s.data.items()},
        "absent": {part: [p.say(lang) for p in why] for part, why in found.absent.items()},
    }
    tables = [t for s in sections for t in s.tables]
    heads = {c.name: c.heading for t in tables for c in t.columns}
    files = write_to(args.to, study.title, {t.name: (t.title, t.frame) for t in tables}, lang, heads)
    return Answer(
        (*blocks, *files),
        data,
        (*found.notes, *absent_notes(found)),
        code=INADMISSIBLE if "factors" in found.absent else FINE,
        record=record(study, panel, found),
    )


def _tables(section: Section, lang: Language) -> Sequence[Grid]:
    told = [_apart(t) if t.name == "advice" else t for t in section.tables if t.name in PRINTED]
    return [of_table(t, lang, NUMBERS) for t in told]


def _apart(table: Table) -> Table:
    """The advice with as many digits as tell a number from its limit."""
    pairs = [digits(*pair) for pair in table.frame.select(NUMBERS).iter_rows()]
    said = [pl.Series(name, [p[k] for p in pairs], dtype=pl.String) for k, name in enumerate(NUMBERS)]
    columns = tuple(replace(c, kind="text") if c.name in NUMBERS else c for c in table.columns)
    return replace(table, frame=table.frame.with_columns(said), columns=columns)


def digits(value: float | None, limit: float | None) -> tuple[str, str]:
    """A number and its limit with two decimals, or as many as tell them apart.

    Example:
        >>> digits(0.204, 0.2), digits(0.5, None)
        (('0.204', '0.200'), ('0.50', ''))
    """
    for decimals in range(2, 7):
        told = tuple("" if v is None else f"{v:.{decimals}f}" for v in (value, limit))
        if told[0] != told[1] or value == limit:
            break
    return told[0], told[1]
