"""A report as one HTML file: both languages, no network, the fonts it needs inside, complete without script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import unescape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from csi.errors import Language, Note, Text
from csi.reporting import style
from csi.reporting.fonts import BOLD, REGULAR, SERIF_BOLD, Face, coverage, font_css, places_of
from csi.reporting.headings import HEADINGS
from csi.reporting.section import Report, Table
from csi.reporting.simulator import data_of, policy, script
from csi.reporting.tables import rows
from csi.reporting.text_width import text_width
from csi.reporting.typeset import phrases, set_text
from csi.reporting.undirected import undirected
from csi.reporting.words.phrases import begun

_FOLDER = Path(__file__).parent / "templates"
_HTML_LANG = {"zh": "zh-CN", "en": "en"}
_NAMES = {"zh": "中文", "en": "English"}
SIZE, SHORT, LONG = 14.0, 124.0, 240.0
"""Size of a table's letters; words up to the one width stay on a line, those beyond the other need a wide column."""
BRIEF = 72.0
"""Headings of columns up to this width stay on a line."""
_VOID = frozenset({"meta", "input", "br", "wbr", "line", "rect", "circle", "ellipse", "path", "polyline", "polygon"})
_TAG = re.compile(
    r"<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)>|<(/?)([A-Za-z][A-Za-z0-9]*)([^>]*)>", re.DOTALL
)
"""A tag, or a comment, script or style with all that is in it; `>` in attributes and texts of ours is escaped."""
_SERIF = re.compile(r"font-family=[\"']CSI Serif")
_HEAVY = re.compile(r"font-weight=[\"']700")


def render_html(report: Report, langs: Sequence[Language] = ("zh", "en")) -> str:
    """The page; the same report gives the same bytes.

    The languages stand one after the other and two radio buttons show one of them (`:has`), without script; where a
    browser lacks `:has` both are shown. Narrow screens get each figure's narrow drawing.

    Parameters:
        report: values; labels and sentences may hold anything, all of it is escaped.
        langs: languages in the file, the first is shown.

    Returns:
        HTML with embedded fonts, cut to the characters used.
    """
    bare = _shell(report, langs, ())
    used = faces_used(bare)
    if missing := coverage("".join(used.values()), places_of(_parts(bare))):
        bare = _shell(report, langs, missing)
        used = faces_used(bare)
    css = (_FOLDER / "style.css").read_text(encoding="utf-8")
    return bare.replace("<style>\n", f"<style>\n{font_css(used)}{css}", 1)


def _parts(bare: str) -> list[tuple[Text, str]]:
    """What each section of the page holds, by its heading; what stands before the first by its own name.

    Example:
        >>> _parts('<h1>a</h1><section data-key="league">b</section>')[1][0].en
        'League'
    """
    first, *rest = re.split(r'<section[^>]*data-key="([^"]+)"', bare)
    named = [(HEADINGS.get(key, Text(key, key)), held) for key, held in zip(rest[::2], rest[1::2], strict=True)]
    return [(Text("the head of the page", "页首"), first), *named]


def _shell(report: Report, langs: Sequence[Language], missing: tuple[Note, ...]) -> str:
    """The page without its styles and fonts."""
    pages = {lang: _page(report, lang, missing) for lang in langs}
    shell = _environment().get_template("page.html.j2")
    made = next((s.simulator for s in report.sections if s.simulator is not None), None)
    whole = shell.render(
        report=report,
        langs=tuple(langs),
        pages=pages,
        names=_NAMES,
        html_lang=_HTML_LANG,
        simulated=None if made is None else Markup(data_of(made)),  # noqa: S704 - digits and names of our own
        script=Markup(script()),  # noqa: S704 - our own script
        policy=Markup(policy()),  # noqa: S704 - a digest
    )
    return undirected(whole)


def faces_used(html: str) -> dict[Face, str]:
    """The characters each font face has to draw in a page: headings, bold text, the rest.

    Example:
        >>> used = faces_used("<h1>忠</h1><p>a<b>1</b></p><text font-weight='700'>2</text>")
        >>> used[SERIF_BOLD], used[BOLD], used[REGULAR]
        ('忠', '12', 'a')
    """
    found: dict[Face, list[str]] = {REGULAR: [], BOLD: [], SERIF_BOLD: []}
    open_tags: list[tuple[str, Face]] = []
    face, last = REGULAR, 0
    for token in _TAG.finditer(html):
        found[face].append(html[last : token.start()])
        last = token.end()
        closing, tag, attributes = token.groups(default="")
        if closing:
            while open_tags and open_tags.pop()[0] != tag:
                pass
            face = open_tags[-1][1] if open_tags else REGULAR
        elif tag not in _VOID and not attributes.endswith("/"):
            face = _face_of(tag, attributes, face)
            open_tags.append((tag, face))
    found[face].append(html[last:])
    return {each: "".join(sorted(c for c in set(unescape("".join(f))) if c >= " ")) for each, f in found.items()}


def _face_of(tag: str, attributes: str, around: Face) -> Face:
    """The face of an element's text: its own where it is a heading or bold, else that of what is around it."""
    if tag in ("h1", "h2") or _SERIF.search(attributes):
        return SERIF_BOLD
    return BOLD if tag in ("b", "strong") or _HEAVY.search(attributes) else around


def _page(report: Report, lang: Language, missing: tuple[Note, ...]) -> Markup:
    head = report.headline
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            head=head,
            interval=style.span(head.conf_low, head.conf_high),
            lang=lang,
            html_lang=_HTML_LANG,
            missing=missing,
            svg=_inline,
            rows=rows,
            is_list=_is_list,
            extents=_extents,
            score=style.score,
            change=style.change,
        )
    )
    return Markup(undirected(page))  # noqa: S704 - rendered with autoescape


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["set"] = set_text
    made.filters["phrases"] = phrases
    made.filters["slanted"] = _slanted
    made.filters["begun"] = begun
    made.filters["brief"] = _brief
    return made


def _inline(svg: str) -> Markup:
    """A figure inside the page: HTML needs no namespace, and the page has one font family."""
    bare = svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    return Markup(bare)  # noqa: S704 - figures escape their text


def _slanted(content: Markup, part: str, lang: str) -> Markup:
    """Escaped text with its last mention of a part, such as a journal's title, in italics in English.

    Example:
        >>> _slanted(Markup("A (2001). <b>. B &amp; C, 3, 4–5."), "B & C, 3", "en")
        Markup('A (2001). <b>. <i>B &amp; C, 3</i>, 4–5.')
    """
    if not part or lang != "en":
        return content
    before, found, after = str(content).rpartition(str(escape(part)))
    return Markup(f"{before}<i>{found}</i>{after}") if found else content  # noqa: S704 - escaped


def _extents(printed: list[list[str]], table: Table, lang: str) -> list[str]:
    """Classes of a table's columns: "n" numbers, "s" words short enough for one line, "w" sentences, "" others.

    Example:
        >>> import polars as pl
        >>> from csi.errors import Text
        >>> from csi.reporting.section import Column
        >>> frame = pl.DataFrame({"a": ["+"], "b": ["An arrow that goes from here to there"], "c": [1.0]})
        >>> columns = (Column("a", Text("", "")), Column("b", Text("", "")), Column("c", Text("", ""), "number"))
        >>> one = Table("t", Text("", ""), frame, columns)
        >>> _extents([["+", "An arrow that goes from here to there", "1.00"]], one, "en")
        ['s', 'w', 'n']
    """
    made = []
    for place, column in enumerate(table.columns):
        if column.kind != "text":
            made.append("n")
            continue
        widest = max((text_width(row[place], SIZE, lang=lang) for row in printed), default=0.0)
        made.append("s" if widest <= SHORT else "w" if widest > LONG else "")
    return made


def _brief(heading: str, lang: str) -> bool:
    """Whether the heading of a column is so short that it is not broken."""
    return text_width(heading, SIZE, lang=lang) <= BRIEF


def _is_list(table: Table) -> bool:
    """A table of names and sentences, such as the method box, is set without lines and headings."""
    return len(table.columns) == 2 and all(c.kind == "text" for c in table.columns)
