"""A page for every measure and every message code, from the catalogue that `csi explain` prints."""

from __future__ import annotations

from itertools import groupby

from csi.catalogue import Entry, codes, entry, explain, meaning, names
from csi.errors import Language
from handbook import words
from handbook.page import LANGUAGES, Page, fenced, literal, table


def measures() -> list[Page]:
    """The list and a page for each."""
    listed = Page("measures.md", {lang: _measures_listed(lang) for lang in LANGUAGES})
    every = (entry(name) for name in names())
    return [listed, *(Page(f"measures/{e.name}.md", {lang: measure(e, lang) for lang in LANGUAGES}) for e in every)]


def measure(e: Entry, lang: Language) -> str:
    """One measure: label, names, formula, sources, threshold and whose, and what the command line prints."""
    colon = "：" if lang == "zh" else ": "
    also = f"{colon}".join([words.ALSO.say(lang), ", ".join(f"`{a}`" for a in e.aliases)]) if e.aliases else ""
    parts = [f"# {literal(e.label.say(lang))}", f"`{e.name}`" + (f" · {also}" if also else "")]
    parts += [f"## {words.FORMULA.say(lang)}", fenced(e.formula, "{.text .wrap}")]
    parts += [f"## {words.SOURCE.say(lang)}", literal(e.source)]
    parts += [f"## {words.THRESHOLD.say(lang)}"]
    if e.threshold is None:
        parts += [words.NO_THRESHOLD.say(lang)]
    else:
        parts += [f"**{literal(e.threshold.text.say(lang))}**"]
        parts += [f"{words.SET_BY.say(lang)}{colon}{literal(e.threshold.source)}"]
    if e.note is not None:
        parts += [f"## {words.NOTE.say(lang)}", literal(e.note.say(lang))]
    said = "\n".join(explain(e.name, lang))
    parts += [f"## {words.PRINTED.say(lang)}", fenced(f"csi explain {e.name} --lang {lang}\n\n{said}", "{.text .wrap}")]
    return "\n\n".join([*parts, _back(lang, "measures")])


def _measures_listed(lang: Language) -> str:
    """The table of all measures."""
    heads = (words.NAME.say(lang), words.WHAT.say(lang), words.THRESHOLD.say(lang))
    rows = []
    for e in (entry(name) for name in names()):
        limit = literal(e.threshold.text.say(lang)) if e.threshold else ""
        rows.append((f"[`{e.name}`](measures/{e.name}.md)", literal(e.label.say(lang)), limit))
    return f"# {words.MEASURES.say(lang)}\n\n{words.MEASURES_LEAD.say(lang)}\n\n{table(heads, rows)}"


def messages() -> list[Page]:
    """The list of codes and a page for each."""
    listed = Page("codes.md", {lang: _codes_listed(lang) for lang in LANGUAGES})
    every = (Page(f"codes/{c}.md", {lang: message(c, lang) for lang in LANGUAGES}, boost=0.4) for c in codes())
    return [listed, *every]


def message(code: str, lang: Language) -> str:
    """One code: what it means and what to do."""
    found = meaning(code, lang)
    return "\n\n".join(
        [
            f"# {found.code}",
            literal(found.text.say(lang)),
            f"## {words.REMEDY.say(lang)}",
            literal(found.remedy.say(lang)),
            f"## {words.PRINTED.say(lang)}",
            fenced(f"csi explain {code} --lang {lang}\n\n" + "\n".join(explain(code, lang)), "{.text .wrap}"),
            _back(lang, "codes"),
        ]
    )


def _codes_listed(lang: Language) -> str:
    """Codes by their kind."""
    parts = [f"# {words.CODES.say(lang)}", words.CODES_LEAD.say(lang)]
    for kind, found in groupby(codes(), lambda c: c[0] if c[1] == "-" else ""):
        heads = (words.CODE.say(lang), words.MEANING.say(lang))
        rows = [(f"[{c}](codes/{c}.md)", literal(meaning(c).text.say(lang))) for c in found]
        parts += [f"## {words.KINDS[kind].say(lang)}", table(heads, rows)]
    return "\n\n".join(parts)


def _back(lang: Language, listed: str) -> str:
    """The way to the list."""
    return f"[← {words.BACK.say(lang)}](../{listed}.md)"
