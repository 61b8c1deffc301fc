"""report.pdf by Typst: A4, three-line tables, figures as vectors, the report's own fonts; the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from csi.errors import Language, Text
from csi.reporting import style
from csi.reporting.fonts import places_of
from csi.reporting.renderers.columns import extents
from csi.reporting.renderers.leaves import laid
from csi.reporting.renderers.outline import (
    NOTE,
    TABLE,
    Outline,
    Part,
    Printed,
    Shot,
    around_slanted,
    outline,
    pieces,
    plain,
)
from csi.reporting.renderers.pictures import on_white, share_of, texts_of, typeset, undrawn
from csi.reporting.section import Report

TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "report.typ"
SIZES: Final = (8.5, 8.0, 7.5, 7.0, 6.5)
"""Sizes of a table's letters, in points."""

Value = dict[str, object]


def pdf(report: Report, lang: Language) -> bytes:
    """The report as the bytes of a PDF in one language.

    The words are handed over as data and never as markup. Only the fonts of the report are used; a character that none
    of them holds is named at the end.

    Parameters:
        report: what to tell. lang: "zh" or "en".

    Returns:
        The file's content.
    """
    told = outline(report, lang, sheet=True)
    made = typeset(TEMPLATE.read_bytes(), json.dumps(content(told), ensure_ascii=False), lang, kind="pdf")
    return made if isinstance(made, bytes) else made[0]


def content(told: Outline) -> Value:
    """What the template lays out: texts in runs, tables with their widths, drawings."""
    parts = [_part(part, told.lang) for part in told.parts]
    shown = [(Text(part.title, part.title), "".join(_texts_of(part))) for part in told.parts]
    lacking = ("Characters that this file's fonts lack:", "本文件字体中没有的字符：")
    absent = undrawn(_texts(told), lacking, places_of(shown))
    notes = (*told.notes, *(plain(n.say(told.lang)) for n in absent))
    return {
        "lang": told.lang,
        "focal": style.FOCAL,
        "muted": style.MUTED,
        "warn": style.WARN,
        "ink": style.INK,
        "note": _first_note(told.lang),
        "title": told.title,
        "kicker": told.kicker,
        "sentence": told.sentence,
        "dateline": told.dateline,
        "facts": told.facts,
        "changes": told.changes,
        "parts": parts,
        "notes": [_runs(n) for n in notes],
    }


def _part(part: Part, lang: Language) -> Value:
    return {
        "kicker": part.kicker,
        "title": part.title,
        "legend": _runs(part.legend),
        "lines": [_line(shots, said) for shots, said in laid(part.shots, lang)],
        "tables": [_table(table, lang) for table in part.tables],
        "works": bool(part.slanted),
        "sentences": [
            _sentence(*around_slanted(s, part.slanted[place] if part.slanted else "", lang))
            for place, s in enumerate(part.sentences)
        ],
        "notes": [_runs(n) for n in part.notes],
    }


def _line(shots: Sequence[Shot], said: Sequence[tuple[str, str]]) -> Value:
    """Figures side by side and what stands under them."""
    drawn = [{"svg": on_white(s.svg), "finding": s.finding, "wide": 100 * share_of(s.svg)} for s in shots]
    return {"shots": drawn, "captions": [(number, _runs(words)) for number, words in said]}


def _table(table: Printed, lang: Language) -> Value:
    widths, size = extents(table, lang, SIZES)
    return {
        "number": f"{TABLE.say(lang)} {table.number}",
        "title": table.title,
        "widths": [w / 20 for w in widths],
        "size": size,
        "numeric": table.numeric,
        "heads": [_runs(h) for h in table.heads],
        "rows": [
            [(_runs(cell), table.marks.get((row, place), "")) for place, cell in enumerate(cells)]
            for row, cells in enumerate(table.cells)
        ],
        "notes": [_runs(n) for n in table.notes],
        "note": _first_note(lang),
    }


def _sentence(before: str, slanted: str, after: str) -> list[tuple[str, str]]:
    return [*_runs(before), *([(slanted, "slanted")] if slanted else []), *_runs(after)]


def _runs(text: str) -> list[tuple[str, str]]:
    return list(pieces(text))


def _first_note(lang: Language) -> str:
    return NOTE.say(lang) + (" " if lang == "en" else "")


def _texts(told: Outline) -> Iterator[str]:
    """Everything that is set or drawn."""
    yield from (told.title, told.kicker, told.sentence, told.dateline, *told.changes, *told.notes)
    for fact in told.facts:
        yield from fact
    for part in told.parts:
        yield from _texts_of(part)


def _texts_of(part: Part) -> Iterator[str]:
    """Everything that one part shows."""
    yield from (part.kicker, part.title, part.legend, *part.sentences, *part.notes)
    for shot in part.shots:
        yield from (texts_of(shot.svg), shot.caption)
    for table in part.tables:
        yield from (table.title, *table.heads, *table.notes)
        for row in table.cells:
            yield from row
