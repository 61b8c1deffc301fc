"""How results show in a notebook cell: a picture and tables, styled on each element.

Notebook viewers strip style sheets, scripts and ids from output, so there are none. The paper and every letter have
colours of their own, so that a dark page changes neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite

import polars as pl

from csi.display import Shown, register_html, significant
from csi.errors import Note, Text
from csi.reporting import style
from csi.reporting.pictured_answers import pictures
from csi.reporting.section import SAMPLING_ONLY, Figure, Headline, Report, Section, Table
from csi.reporting.svg import svg_html
from csi.reporting.tables import head, rows, signed

ROWS = 60
"""A result's table shows so many rows; the rest is counted."""

_PAGE = (
    f"max-width:{style.FULL}px;padding:12px;background:{style.PAPER};color:{style.INK};"
    f"color-scheme:only light;font-family:{style.SANS};font-size:14px"
)
_TITLE = f"font-family:{style.SERIF};font-weight:700;font-size:21px;margin:4px 0"
_SOFT = f"color:{style.MUTED};font-size:12.5px;margin:2px 0"
_CODE = f"{_SOFT};overflow-x:auto;max-height:320px"
_CELL = f"border:0;padding:5px 10px;color:{style.INK}"


def section_html(section: Section, lang: str | None = None) -> str:
    """A section as a fragment: title, legend, figures, tables, sentences, notes.

    Parameters:
        section: what to show. lang: "zh" or "en"; the section's own by default.
    """
    lang = lang or section.language
    parts = [
        _block(_SOFT, section.kicker.say(lang)) if section.kicker else "",
        _block(_TITLE, section.title.say(lang)),
        _block(_SOFT, section.subtitle.say(lang)),
        *_figures(section.figures, lang),
        *(_table(t, lang) for t in section.tables),
        *(_block("margin:6px 0", p.say(lang)) for p in section.paragraphs),
        *([f'<pre style="{_CODE}">{escape(section.code)}</pre>'] if section.code else []),
        *_notes((*section.notes, *((SAMPLING_ONLY,) if section.has_intervals else ())), lang),
    ]
    return _page(parts)


def report_html(report: Report, lang: str | None = None) -> str:
    """A report's headline, and which sections can be asked for."""
    lang = lang or report.languages[0]
    keys = ", ".join(report.keys)
    ask = Text(f'Sections: {keys}. Show one with r.section("{report.keys[0]}").', f"各节：{keys}。")
    return _page([headline_html(report.headline, lang), _block(_SOFT, ask.say(lang))])


def headline_html(headline: Headline, lang: str) -> str:
    """Kicker, sentence, index, interval, changes."""
    colour = f"color:{style.FOCAL};font-weight:700"
    value = "" if headline.value != headline.value else style.score(headline.value)
    lines = [
        _block(f"{colour};font-size:13px", headline.kicker.say(lang)),
        _block(_TITLE.replace("21px", "30px"), headline.sentence.say(lang)),
        _block(f"{colour};font-size:44px;line-height:1.1", value),
        _block(_SOFT, headline.measure.say(lang) if headline.measure and value else ""),
        _block(
            _SOFT,
            f"{headline.interval_name.say(lang)} {style.span(headline.conf_low, headline.conf_high)}" if value else "",
        ),
    ]
    if headline.facts:
        said = "; ".join(f"{n.say(lang)} {v.say(lang)} ({w.say(lang)})" for n, v, w in headline.facts)
        return "".join([*lines[:2], _block("margin:4px 0", said), _block(_SOFT, headline.dateline.say(lang))])
    for at, (against, difference, half, _) in enumerate(headline.changes):
        margin = f" ± {style.score(half)}" if isfinite(half) else ""
        said = headline.verdict(at).say(lang)
        lines.append(_block("margin:2px 0", f"{signed(difference)}{margin} {against.say(lang)}{said}"))
    return "".join([*lines, _block(_SOFT, headline.dateline.say(lang))])


def result_html(value: Shown, lang: str = "en") -> str:
    """A result with its picture under its finding, and its table: three lines, four significant digits, the notes."""
    drawn = pictures(value)[:1]
    told = [_block(_TITLE.replace("21px", "17px"), f.finding.say(lang)) for f in drawn] + _figures(drawn, lang)
    frame = getattr(value, "table", None)
    if not isinstance(frame, pl.DataFrame):
        return (_page(told) if told else "") + f"<pre>{escape(repr(value))}</pre>"
    cells = [[_plain(v) for v in row] for row in frame.head(ROWS).iter_rows()]
    right = [t.is_numeric() for t in frame.dtypes]
    more = frame.height - ROWS
    rest = Text(f"{more} more rows", f"另有 {more} 行") if more > 0 else Text("", "")
    parts = [
        *told,
        _block("font-weight:700", type(value).__name__),
        _grid(frame.columns, cells, right),
        _block(_SOFT, rest.say(lang)),
        *_notes(getattr(value, "notes", ()), lang),
    ]
    return _page(parts)


def _page(parts: Iterable[str]) -> str:
    return f'<div style="{escape(_PAGE)}">{"".join(parts)}</div>'


def _block(css: str, content: str) -> str:
    return f'<div style="{escape(css)}">{escape(content)}</div>' if content else ""


def _figures(figures: Sequence[Figure], lang: str) -> list[str]:
    """Full figures below each other, halves side by side."""
    drawn = []
    for figure in figures:
        box = "display:inline-block;vertical-align:top;" if figure.width == "half" else ""
        drawn.append(f'<div style="{box}margin:8px 0">{svg_html(figure.draw(lang))}</div>')
    return drawn


def _table(table: Table, lang: str) -> str:
    right = [c.kind != "text" for c in table.columns]
    title = _block("font-weight:700;margin:12px 0 4px", table.title.say(lang))
    return title + _grid(head(table, lang), rows(table, lang), right) + "".join(_notes(table.notes, lang))


def _grid(heads: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """The three-line table: a rule above, below the headings, and below the last row."""
    line = f"1.5px solid {style.INK}"
    top = f"border-top:{line};border-bottom:1px solid {style.INK};font-weight:700"
    body = [_row("th", heads, right, top)]
    for i, row in enumerate(cells):
        body.append(_row("td", row, right, f"border-bottom:{line}" if i == len(cells) - 1 else ""))
    shape = f"border-collapse:collapse;color:{style.INK};font-size:13px;font-variant-numeric:tabular-nums"
    return f'<div style="overflow-x:auto"><table style="{shape}">{"".join(body)}</table></div>'


def _row(tag: str, cells: Sequence[str], right: Sequence[bool], css: str) -> str:
    made = "".join(
        f'<{tag} style="{_CELL};text-align:{"right" if r else "left"}">{escape(c)}</{tag}>'
        for c, r in zip(cells, right, strict=True)
    )
    return f'<tr style="{css};background:none">{made}</tr>'


def _notes(notes: Iterable[Note], lang: str) -> list[str]:
    return [_block(_SOFT, note.say(lang)) for note in dict.fromkeys(notes)]


def _plain(value: object) -> str:
    if value is None:
        return style.ABSENT
    return significant(value) if isinstance(value, float) else str(value)


register_html(Section, lambda section, lang: section_html(section))  # noqa: ARG005 - a section knows its language
register_html(Report, lambda report, lang: report_html(report))  # noqa: ARG005 - so does a report
register_html(Headline, lambda headline, lang: _page([headline_html(headline, lang)]))
register_html(Shown, result_html)
