"""A page for every verb of the command line, from its parser and the Chinese words of its help."""

from __future__ import annotations

import argparse

from csi.cli.helped import in_chinese
from csi.cli.shell import parser_of
from csi.cli.verbs import VERBS
from csi.errors import Language
from handbook import words
from handbook.page import LANGUAGES, Page, fenced, literal, table


def verbs() -> list[Page]:
    """The list of verbs and a page for each."""
    listed = Page("verbs.md", {lang: _listed(lang) for lang in LANGUAGES})
    return [listed, *(Page(f"verbs/{v}.md", {lang: verb_page(v, lang) for lang in LANGUAGES}) for v in VERBS)]


def verb_page(verb: str, lang: Language) -> str:
    """One verb: its sentence, usage, arguments and options."""
    parser = parser_of(verb, lang)
    usage = parser.format_usage().removeprefix("usage: ")
    if lang == "zh":
        in_chinese(parser, VERBS[verb])
    heads = (words.OPTION.say(lang), words.MEANING.say(lang))
    rows = [(f"`{_written(action)}`", literal(said(action))) for action in parser._actions]  # noqa: SLF001 - argparse offers no other list
    parts = [f"# csi {verb}", literal(VERBS[verb].say(lang)), f"## {words.USAGE.say(lang)}", fenced(usage)]
    return "\n\n".join([*parts, table(heads, rows), f"[← {words.BACK.say(lang)}](../verbs.md)"])


def said(action: argparse.Action) -> str:
    """What an option says, as argparse prints it."""
    return (action.help or "").replace("%%", "%")


def _written(action: argparse.Action) -> str:
    """An option with its value, as it is typed."""
    if not action.option_strings:
        return str(action.metavar or action.dest).replace("|", "/")
    takes = action.nargs != 0
    choice = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    shown = action.metavar if isinstance(action.metavar, str) else choice
    return ", ".join(action.option_strings) + (f" {shown}" if takes else "").replace("|", "/")


def _listed(lang: Language) -> str:
    """All verbs."""
    heads = (words.NAME.say(lang), words.WHAT.say(lang))
    rows = [(f"[`csi {verb}`](verbs/{verb}.md)", literal(text.say(lang))) for verb, text in VERBS.items()]
    return f"# {words.VERBS_TITLE.say(lang)}\n\n{words.VERBS_LEAD.say(lang)}\n\n{table(heads, rows)}"
