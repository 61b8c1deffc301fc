"""`csi explain htmt` or `csi explain E-SCALE`: what a measure or a message code means."""

from __future__ import annotations

import argparse

from csi.catalogue import Meaning, codes, entry, explain, look_up, meaning, names
from csi.cli.answer import Answer, Grid
from csi.errors import Language, Text


def arguments(parser: argparse.ArgumentParser) -> None:
    """A measure or a code; without one, the list."""
    parser.add_argument("word", nargs="?", metavar="NAME", help="a measure such as htmt, or a code such as E-SCALE")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Explain one word, or list all."""
    if args.word is None:
        return Answer(tuple(listed(lang)), {"measures": list(names()), "codes": list(codes())})
    found = look_up(args.word, lang)
    kind = "code" if isinstance(found, Meaning) else "measure"
    return Answer(explain(args.word, lang), {kind: found})


def listed(lang: Language) -> list[Grid]:
    """Measures and codes with their names."""
    name, what = Text("name", "名称").say(lang), Text("what it is", "含义").say(lang)
    measures = tuple((n, entry(n).label.say(lang)) for n in names())
    messages = tuple((c, meaning(c).text.say(lang)) for c in codes())
    return [Grid((name, what), rows, ("<", "<")) for rows in (measures, messages)]
