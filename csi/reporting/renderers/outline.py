"""What every document of a report says, in order, in one language: the same for Word, PDF, LaTeX and slides."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from csi.errors import Language, Note, Text
from csi.reporting import style
from csi.reporting.section import Figure, Report, Section, Table
from csi.reporting.tables import head, rows
from csi.reporting.undirected import undirected
from csi.reporting.words.phrases import begun, set_marks

_STATISTIC = re.compile(r"(?:N|n|p|t|z|F|r|M|SD|SE|df|d)(?=\s*$|\s?\(|: )")
"""A statistic that a heading is or begins with, such as `p (Holm)`."""
NOTE = Text("Note.", "注：")
FIGURE = Text("Figure", "图")
TABLE = Text("Table", "表")


@dataclass(frozen=True, slots=True)
class Printed:
    """A table as printed: its number, its words, the cells, which columns hold numbers, which cells stand out."""

    number: int
    title: str
    heads: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    marks: Mapping[tuple[int, int], str]
    notes: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Shot:
    """A figure as shown: its number, its finding, the line under it, its SVG and whether it takes half the width."""

    number: int
    finding: str
    caption: str
    svg: str
    half: bool
    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A section as told: its finding, what stands above and below it, figures, tables, sentences, notes.

    `slanted`: of each sentence the part in italics, where they list works.
    """

    key: str
    kicker: str
    title: str
    legend: str
    shots: tuple[Shot, ...]
    tables: tuple[Printed, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]
    section: Section
    slanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """A report as told in one language."""

    lang: Language
    title: str
    kicker: str
    sentence: str
    dateline: str
    facts: tuple[tuple[str, str, str], ...]
    changes: tuple[str, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def outline(report: Report, lang: Language, *, draw: bool = True, sheet: bool = False) -> Outline:
    """The report in one language, its tables and figures numbered in order.

    Parameters:
        draw: False leaves the figures undrawn. sheet: drawn for A4.
    """
    table, figure = _counted(), _counted()
    parts = tuple(_part(s, lang, table, figure, draw=draw, sheet=sheet) for s in report.sections)
    said = report.headline
    return Outline(
        lang,
        plain(report.title.say(lang)),
        plain(said.kicker.say(lang)),
        plain(said.sentence.say(lang)),
        plain(said.dateline.say(lang)),
        _facts(report, lang),
        _changes(report, lang),
        parts,
        _said(report.notes, lang),
    )


def plain(text: str) -> str:
    r"""Text that XML, PDF and LaTeX can hold, on one line: without control characters, lone surrogates, non-characters.

    Example:
        >>> plain("a\x00b\n c")
        'ab c'
    """
    kept = re.sub(r"\s+", " ", undirected(set_marks(text)))
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "", kept).strip()


def pieces(text: str) -> Iterator[tuple[str, Literal["", "sub"]]]:
    """A text in runs, the letters of reliabilities below the line.

    Example:
        >>> list(pieces("ρA < 1"))
        [('ρ', ''), ('A', 'sub'), (' < 1', '')]
    """
    at = 0
    for found in re.finditer(r"ρ_?([AaCc])\b", text):
        yield text[at : found.start()] + "ρ", ""
        yield found[1].upper(), "sub"
        at = found.end()
    if text[at:]:
        yield text[at:], ""


def without_stop(heading: str) -> str:
    """A heading, which has no full stop.

    Example:
        >>> without_stop("It rose."), without_stop("升高（2 分）。"), without_stop("How so?")
        ('It rose', '升高（2 分）', 'How so?')
    """
    return re.sub(r"(?<=[\w)%”）])[.。]$", "", heading)


def symbol_first(heading: str, lang: str) -> tuple[str, str]:
    """The statistic that an English heading begins with, which stands in italics, and the rest.

    Example:
        >>> symbol_first("p (Holm)", "en"), symbol_first("predictor", "en"), symbol_first("p", "zh")
        (('p', ' (Holm)'), ('', 'predictor'), ('', 'p'))
    """
    found = _STATISTIC.match(heading) if lang == "en" else None
    return (heading[: found.end()], heading[found.end() :]) if found else ("", heading)


def around_slanted(sentence: str, part: str, lang: str) -> tuple[str, str, str]:
    """What stands before the part in italics, the part, and what stands after it; Chinese has no italics.

    Example:
        >>> around_slanted("A (2001). B, 3, 4.", "B, 3", "en"), around_slanted("A", "A", "zh")
        (('A (2001). ', 'B, 3', ', 4.'), ('A', '', ''))
    """
    before, found, after = sentence.rpartition(part) if part and lang == "en" else (sentence, "", "")
    return (before, found, after) if found else (sentence, "", "")


def is_list(table: Printed) -> bool:
    """Whether a table is names and sentences, such as the method box."""
    return len(table.heads) == 2 and not any(table.numeric)


def beside(shots: Sequence[Shot]) -> Iterator[tuple[Shot, ...]]:
    """The figures line by line: two of half the width stand side by side."""
    waiting: tuple[Shot, ...] = ()
    for shot in shots:
        if shot.half and len(waiting) < 2 and all(w.half for w in waiting):
            waiting += (shot,)
            continue
        if waiting:
            yield waiting
        waiting = (shot,)
    if waiting:
        yield waiting


def captions(shots: Sequence[Shot], lang: str) -> list[tuple[str, str]]:
    """(number, words) under a line of figures; one where they share their words.

    Example:
        >>> one, other = (Shot(n, "A rise", "A rise", "", True, "f") for n in (1, 2))
        >>> captions([one, other], "en")
        [('Figure 1–2. ', 'A rise')]
    """
    shared = len({s.caption for s in shots}) == 1
    said = [(f"{shots[0].number}–{shots[-1].number}" if len(shots) > 1 else str(shots[0].number), shots[0].caption)]
    said = said if shared else [(str(s.number), s.caption) for s in shots]
    return [(f"{FIGURE.say(lang)} {n}" + ("\u3000" if lang == "zh" else ". "), words) for n, words in said]


def _counted() -> Iterator[int]:
    return iter(range(1, 10**6))


def _part(
    section: Section, lang: Language, table: Iterator[int], figure: Iterator[int], *, draw: bool, sheet: bool
) -> Part:
    title, legend = without_stop(plain(section.title.say(lang))), plain(section.subtitle.say(lang))
    alone = len(section.figures) == 1 and bool(legend)
    shots = tuple(
        _shot(f, lang, next(figure), legend if alone else "", draw=draw, sheet=sheet) for f in section.figures
    )
    return Part(
        section.key,
        plain(section.kicker.say(lang)) if section.kicker else "",
        title,
        "" if alone else legend,
        shots,
        tuple(printed_table(t, lang, next(table)) for t in section.tables),
        tuple(plain(p.say(lang)) for p in section.paragraphs),
        _said(section.notes, lang),
        section,
        tuple(plain(part) for part in section.slanted),
    )


def _shot(figure: Figure, lang: Language, number: int, legend: str, *, draw: bool, sheet: bool) -> Shot:
    finding = plain(figure.finding.say(lang))
    wanted = (figure.sheet or figure.draw) if sheet else figure.draw
    svg = wanted(lang) if draw else ""
    return Shot(number, finding, legend or finding, svg, figure.width == "half", figure.name)


def printed_table(table: Table, lang: Language, number: int) -> Printed:
    """A table as printed in one language."""
    marks = {
        (row, place): mark
        for place, column in enumerate(table.columns)
        for row in range(table.frame.height)
        if (mark := table.emphasis.get((row, column.name)))
    }
    return Printed(
        number,
        plain(table.title.say(lang)),
        tuple(plain(h) for h in head(table, lang)),
        tuple(tuple(plain(c) for c in row) for row in rows(table, lang)),
        tuple(c.kind != "text" for c in table.columns),
        marks,
        _said(table.notes, lang),
        table.name,
    )


def _said(notes: tuple[Note, ...], lang: Language) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(begun(n.say(lang), lang)) for n in notes))


def _facts(report: Report, lang: Language) -> tuple[tuple[str, str, str], ...]:
    """(name, number, word): those of the headline, or the index with its interval."""
    said = report.headline
    if said.facts:
        return tuple((plain(a.say(lang)), plain(b.say(lang)), plain(c.say(lang))) for a, b, c in said.facts)
    if not math.isfinite(said.value):
        return ()
    interval = style.span(said.conf_low, said.conf_high)
    below = f"{said.interval_name.say(lang)} {interval}" if interval else ""
    return ((plain(said.measure.say(lang)) if said.measure else "", style.score(said.value), below),)


def _changes(report: Report, lang: Language) -> tuple[str, ...]:
    """Each change of the headline, with its margin and whether it is significant."""
    made = []
    for place, (said, difference, margin, _) in enumerate(report.headline.changes):
        around = f" ± {style.score(margin)}" if math.isfinite(margin) else ""
        verdict = report.headline.verdict(place).say(lang)
        made.append(plain(f"{style.change(difference)}{around} {said.say(lang)}{verdict}"))
    return tuple(made)
