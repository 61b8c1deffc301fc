"""A report as one HTML file: both languages, no script, no network, the fonts it needs inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from csi.errors import Language, Note
from csi.reporting import style
from csi.reporting.fonts import BOLD, REGULAR, SERIF_BOLD, Face, coverage, font_css
from csi.reporting.section import Report, Table
from csi.reporting.tables import rows
from csi.reporting.text_width import text_width

_FOLDER = Path(__file__).parent / "templates"
_HTML_LANG = {"zh": "zh-CN", "en": "en"}
_NAMES = {"zh": "中文", "en": "English"}
SIZE, SHORT, LONG = 14.0, 124.0, 240.0
"""Size of a table's letters; words up to the one width stay on a line, those beyond the other need a wide column."""
_VOID = frozenset({"meta", "input", "br", "line", "rect", "circle", "ellipse", "path", "polyline", "polygon"})


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
    pages = {lang: _page(report, lang, ()) for lang in langs}
    missing = coverage("".join(found for page in pages.values() for found in faces_used(page).values()))
    if missing:
        pages = {lang: _page(report, lang, missing) for lang in langs}
    shell = _environment().get_template("page.html.j2")
    given = {"report": report, "langs": tuple(langs), "pages": pages, "names": _NAMES, "html_lang": _HTML_LANG}
    css = Markup((_FOLDER / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own style sheet
    bare = shell.render(**given, css="", fonts="")
    fonts = Markup(font_css(faces_used(bare)))  # noqa: S704 - base64 of our own fonts
    return shell.render(**given, css=css, fonts=fonts)


def faces_used(html: str) -> dict[Face, str]:
    """The characters each font face has to draw in a page: headings, bold text, the rest.

    Example:
        >>> used = faces_used("<h1>忠</h1><p>a<b>1</b></p><text font-weight='700'>2</text>")
        >>> used[SERIF_BOLD], used[BOLD], used[REGULAR]
        ('忠', '12', 'a')
    """
    reader = _Reader()
    reader.feed(html)
    return {face: "".join(sorted(found)) for face, found in reader.found.items()}


class _Reader(HTMLParser):
    """Walks a page and sorts its text by the face that draws it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[Face, set[str]] = {REGULAR: set(), BOLD: set(), SERIF_BOLD: set()}
        self._faces: list[tuple[str, Face]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._faces.append((tag, self._face_of(tag, dict(attrs))))

    def handle_endtag(self, tag: str) -> None:
        while self._faces and self._faces.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        within = self._faces[-1][1] if self._faces else REGULAR
        self.found[within].update(c for c in data if c >= " ")

    def _face_of(self, tag: str, attributes: Mapping[str, str | None]) -> Face:
        if tag in ("h1", "h2") or (attributes.get("font-family") or "").startswith("CSI Serif"):
            return SERIF_BOLD
        if tag in ("b", "strong") or attributes.get("font-weight") == "700":
            return BOLD
        return self._faces[-1][1] if self._faces else REGULAR


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
    return Markup(page)  # noqa: S704 - rendered with autoescape


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["subscripts"] = _subscripts
    made.filters["phrases"] = _phrases
    return made


def _inline(svg: str) -> Markup:
    """A figure inside the page: HTML needs no namespace, and the page has one font family."""
    bare = svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    return Markup(bare)  # noqa: S704 - figures escape their text


def _subscripts(content: str) -> Markup:
    """`ρA`, `ρ_C` with the letter below the line; everything else escaped.

    Example:
        >>> _subscripts("ρA < 1")
        Markup('ρ<sub>A</sub> &lt; 1')
    """
    return Markup(re.sub(r"ρ_?([AaCc])\b", lambda m: f"ρ<sub>{m[1].upper()}</sub>", str(escape(content))))  # noqa: S704 - escaped


def _phrases(content: str) -> Markup:
    """A Chinese heading as its phrases, so that lines break after punctuation and not inside a word.

    Example:
        >>> _phrases("赶上领先者，短板在资费")
        Markup('<span>赶上领先者，</span><span>短板在资费</span>')
    """
    if not any(mark in content for mark in "，；：、。"):
        return escape(content)
    pieces = re.findall(r"[^，；：、。]+[，；：、。”）]*|[，；：、。]+", content)
    return Markup("").join(Markup("<span>{}</span>").format(piece) for piece in pieces)


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


def _is_list(table: Table) -> bool:
    """A table of names and sentences, such as the method box, is set without lines and headings."""
    return len(table.columns) == 2 and all(c.kind == "text" for c in table.columns)
