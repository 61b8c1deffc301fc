"""report.docx: headings, sentences, native three-line tables, figures as pictures; the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from csi.errors import Language, Text
from csi.reporting.fonts import places_of
from csi.reporting.renderers.archive import repacked
from csi.reporting.renderers.leaves import laid
from csi.reporting.renderers.outline import NOTE, Outline, Part, Shot, around_slanted, outline, plain
from csi.reporting.renderers.pictures import pngs, share_of, texts_of, undrawn
from csi.reporting.renderers.word_table import around, paragraph, runs
from csi.reporting.section import Report
from csi.reporting.style import FOCAL, MUTED
from csi.reporting.xlsx import CREATED

LATIN: Final = "Times New Roman"
BODY: Final = "SimSun"
HEADING: Final = "SimHei"
"""Chinese faces of text and of headings, as journals ask; Word takes another where they are absent."""
LANGUAGE: Final = {"zh": "zh-CN", "en": "en-US"}
EMU: Final = 360_000
"""English metric units in a centimetre."""
TEXT_CM: Final = 17.0

_W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
Line = tuple[tuple[Shot, ...], list[tuple[str, str]]]
"""Figures side by side, and what stands under them."""
_Style = tuple[str, float, bool, bool, str, int, int, bool, str]
STYLES: Final[tuple[_Style, ...]] = (
    # name, size, bold, italic, alignment, points before and after, stays with the next, colour
    ("Normal", 11, False, False, "left", 0, 0, False, ""),
    ("Title", 20, True, False, "left", 0, 6, True, ""),
    ("Heading 1", 14, True, False, "left", 18, 6, True, ""),
    ("CsiKicker", 10, True, False, "left", 18, 2, True, FOCAL),
    ("CsiLegend", 9.5, False, False, "left", 0, 6, True, MUTED),
    ("CsiIndex", 30, True, False, "left", 6, 0, True, FOCAL),
    ("CsiText", 11, False, False, "left", 6, 4, False, ""),
    ("CsiWork", 11, False, False, "left", 0, 4, False, ""),
    ("CsiPicture", 11, False, False, "center", 6, 3, True, ""),
    ("CsiFigureTitle", 9.5, False, False, "left", 0, 10, False, ""),
    ("CsiTableNumber", 10.5, True, False, "left", 12, 0, True, ""),
    ("CsiTableTitle", 10.5, False, True, "left", 0, 4, True, ""),
    ("CsiCell", 10, False, False, "left", 1, 1, False, ""),
    ("CsiTableNote", 9, False, False, "left", 2, 2, False, ""),
    ("CsiNote", 9, False, False, "left", 2, 2, False, MUTED),
)


def docx(report: Report, lang: Language) -> bytes:
    """The report as the bytes of a .docx file in one language.

    English follows APA: tables numbered in bold over a title in italics; Chinese follows the journals: 三线表 with
    number and title above in one line. Figures carry their finding as alternative text.

    Parameters:
        report: what to tell. lang: "zh" or "en".

    Returns:
        The file's content.
    """
    told = outline(report, lang, sheet=True)
    document = import_module("docx").Document()
    _set_up(document, told)
    put = _Body(document)
    _headline(put, told)
    lines = [list(laid(part.shots, lang)) for part in told.parts]
    pictures = iter(pngs([s.svg for drawn in lines for shots, _ in drawn for s in shots], lang=lang))
    for part, drawn in zip(told.parts, lines, strict=True):
        _section(put, part, drawn, pictures, lang)
    shown = {part.title: "".join(texts_of(s.svg) for s in part.shots) for part in told.parts}
    places = places_of((Text(title, title), texts) for title, texts in shown.items())
    absent = undrawn(shown.values(), ("Characters that no picture can show:", "图中无法显示的字符："), places)
    for note in (*told.notes, *(plain(n.say(lang)) for n in absent)):
        put.xml(paragraph("CsiNote", runs(note)))
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())


class _Body:
    """Adds to the end of a document."""

    def __init__(self, document: Any) -> None:  # noqa: ANN401 - an optional package's own type
        self.document = document
        self.parse = import_module("docx.oxml").parse_xml

    def xml(self, content: str) -> Any:  # noqa: ANN401 - same
        """A piece of XML before the section's end."""
        made = self.parse(content)
        self.document.element.body.insert_element_before(made, "w:sectPr")
        return made

    def pictures(self, shots: Sequence[Shot], pngs: Sequence[bytes], *, stays: bool) -> None:
        """Pictures in one line, each with its finding as alternative text; `stays` with what follows."""
        line = self.document.add_paragraph(style="CsiPicture")
        if not stays:
            line.paragraph_format.keep_with_next = False
        for place, (shot, png) in enumerate(zip(shots, pngs, strict=True)):
            width = round(share_of(shot.svg) * TEXT_CM * EMU)
            added = line.add_run(" " if place else "").add_picture(io.BytesIO(png), width=width)
            for side in ("distT", "distB", "distL", "distR"):
                added._inline.set(side, "0")  # noqa: SLF001 - else some programs leave room at the sides
            about = added._inline.docPr  # noqa: SLF001 - python-docx has no other way to alternative text
            about.set("name", f"Figure {shot.number}")
            about.set("descr", shot.finding)


def _headline(put: _Body, told: Outline) -> None:
    if told.kicker:
        put.xml(paragraph("CsiKicker", runs(told.kicker)))
    put.xml(paragraph("Title", runs(told.sentence)))
    put.xml(paragraph("CsiLegend", runs(told.dateline)))
    for name, number, word in told.facts:
        if len(told.facts) == 1:
            put.xml(paragraph("CsiIndex", runs(number)))
            rest = " · ".join(filter(None, (name, word)))
            put.xml(paragraph("CsiText", runs(rest)))
        else:
            put.xml(paragraph("CsiText", runs(f"{name} ") + runs(number, bold=True) + runs(f" {word}")))
    for change in told.changes:
        put.xml(paragraph("CsiText", runs(change)))


def _section(put: _Body, part: Part, drawn: Sequence[Line], pictures: Iterator[bytes], lang: str) -> None:
    if part.kicker:
        put.xml(paragraph("CsiKicker", runs(part.kicker)))
    close = '<w:spacing w:before="40"/>' if part.kicker else ""
    put.xml(paragraph("Heading1", runs(part.title), lines=close))
    if part.legend:
        put.xml(paragraph("CsiLegend", runs(part.legend)))
    for shots, words in drawn:
        put.pictures(shots, [next(pictures) for _ in shots], stays=bool(words))
        for mark, caption in words:
            put.xml(paragraph("CsiFigureTitle", runs(mark, bold=True) + runs(caption)))
    for table in part.tables:
        above, grid, below = around(table, lang)
        for one in (*above, grid, *below):
            put.xml(one)
    for place, sentence in enumerate(part.sentences):
        slanted = part.slanted[place] if part.slanted else ""
        before, apart, after = around_slanted(sentence, slanted, lang)
        said = runs(before) + (runs(apart, italic=True) if apart else "") + runs(after)
        put.xml(paragraph("CsiWork" if slanted else "CsiText", said))
    for place, note in enumerate(part.notes):
        first = runs(NOTE.say(lang) + (" " if lang == "en" else ""), italic=lang == "en") if place == 0 else ""
        put.xml(paragraph("CsiNote", first + runs(note)))


def _set_up(document: Any, told: Outline) -> None:  # noqa: ANN401 - an optional package's own type
    """Properties, page and styles."""
    about, when = document.core_properties, CREATED.replace(tzinfo=None)
    about.title, about.author, about.comments, about.last_modified_by = told.title[:255], "csi", "", "csi"
    about.created, about.modified, about.revision, about.language = when, when, 1, LANGUAGE[told.lang]
    page = document.sections[0]
    page.page_width, page.page_height = 21 * EMU, round(29.7 * EMU)
    page.left_margin = page.right_margin = 2 * EMU
    page.top_margin = page.bottom_margin = round(2.2 * EMU)
    _styles(document, told.lang)
    foot = page.footer.paragraphs[0]
    foot.alignment = 1
    put = import_module("docx.oxml").parse_xml
    for kind, text in (("begin", ""), ("", " PAGE "), ("end", "")):
        field = f'<w:instrText xml:space="preserve">{text}</w:instrText>'
        inner = f'<w:fldChar w:fldCharType="{kind}"/>' if kind else field
        foot._p.append(put(f'<w:r xmlns:w="{_W}">{inner}</w:r>'))  # noqa: SLF001 - python-docx has no fields


def _styles(document: Any, lang: str) -> None:  # noqa: ANN401 - an optional package's own type
    """The styles of the document, each with its faces for Latin and Chinese letters."""
    put, styles = import_module("docx.oxml").parse_xml, document.styles
    named = {s.name for s in styles}
    for one in STYLES:
        element = (styles[one[0]] if one[0] in named else styles.add_style(one[0], 1)).element
        for tag in ("pPr", "rPr", "link"):
            for old in element.findall(f"{{{_W}}}{tag}"):
                element.remove(old)
        for tag, inner in (("pPr", _lines(one, lang)), ("rPr", _letters(one, lang))):
            element.append(put(f'<w:{tag} xmlns:w="{_W}">{inner}</w:{tag}>'))


def _lines(style: _Style, lang: str) -> str:
    """How the paragraphs of a style stand."""
    name, _, _, _, side, before, after, stays, _ = style
    middle = lang == "zh" and name in {"CsiTableTitle", "CsiFigureTitle"}
    before += 12 if lang == "zh" and name == "CsiTableTitle" else 0  # no number stands above it
    made = f'<w:keepNext w:val="{int(stays)}"/>'
    made += f'<w:spacing w:before="{20 * before}" w:after="{20 * after}" w:line="264" w:lineRule="auto"/>'
    made += '<w:ind w:left="420" w:hanging="420"/>' if name == "CsiWork" else ""
    made += f'<w:jc w:val="{"center" if middle else side}"/>'
    return made + ('<w:outlineLvl w:val="0"/>' if name == "Heading 1" else "")


def _letters(style: _Style, lang: str) -> str:
    """How the letters of a style look."""
    name, size, bold, italic, *_, colour = style
    east = HEADING if lang == "zh" and name in {"Title", "Heading 1", "CsiTableTitle"} else BODY
    made = f'<w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:cs="{LATIN}" w:eastAsia="{east}"/>'
    made += f'<w:b w:val="{int(bold)}"/><w:i w:val="{int(italic and lang == "en")}"/>'
    made += f'<w:color w:val="{colour.lstrip("#") or "000000"}"/>'
    made += f'<w:sz w:val="{round(2 * size)}"/><w:szCs w:val="{round(2 * size)}"/>'
    return made + '<w:lang w:val="en-US" w:eastAsia="zh-CN"/>'
