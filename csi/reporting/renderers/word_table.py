"""Three-line tables as WordprocessingML: APA in English, 三线表 in Chinese."""

from __future__ import annotations

from html import escape
from typing import Final

from csi.reporting.renderers.columns import PAD, extents
from csi.reporting.renderers.outline import NOTE, TABLE, Printed, pieces, symbol_first
from csi.reporting.style import FOCAL, WARN

SIZES: Final = (10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0)
"""Sizes of a table's letters, in points."""
LINES: Final = {"zh": (12, 6), "en": (8, 4)}
"""Weight of the outer lines and of the one under the headings, in eighths of a point."""
COLOURS: Final = {"warn": WARN, "focus": FOCAL, "whole": ""}
_NAMES: Final = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def runs(text: str, *, size: float = 0, bold: bool = False, italic: bool = False, colour: str = "") -> str:
    """A text as runs, escaped, with letters below the line where reliabilities have them.

    Example:
        >>> runs("a<b")
        '<w:r><w:t xml:space="preserve">a&lt;b</w:t></w:r>'
    """
    made = []
    for piece, place in pieces(text):
        said = "<w:b/>" if bold else ""
        said += "<w:i/>" if italic else ""
        said += f'<w:color w:val="{colour.lstrip("#")}"/>' if colour else ""
        said += f'<w:sz w:val="{round(2 * size)}"/><w:szCs w:val="{round(2 * size)}"/>' if size else ""
        said += '<w:vertAlign w:val="subscript"/>' if place else ""
        properties = f"<w:rPr>{said}</w:rPr>" if said else ""
        made.append(f'<w:r>{properties}<w:t xml:space="preserve">{escape(piece, quote=False)}</w:t></w:r>')
    return "".join(made)


def paragraph(style: str, content: str, lines: str = "") -> str:
    """A paragraph of a style around runs, with its namespaces; `lines`: how it stands where not as its style does."""
    return f'<w:p {_NAMES}><w:pPr><w:pStyle w:val="{style}"/>{lines}</w:pPr>{content}</w:p>'


def around(table: Printed, lang: str) -> tuple[list[str], str, list[str]]:
    """What stands above a table, the table, and its notes, each as XML.

    English tables have their number in bold over their title in italics; Chinese ones number and title on one line.
    """
    number = f"{TABLE.say(lang)} {table.number}"
    if lang == "zh":
        above = [paragraph("CsiTableTitle", runs(f"{number}\u3000{table.title}"))]
    else:
        above = [paragraph("CsiTableNumber", runs(number))]
        above += [paragraph("CsiTableTitle", runs(table.title))] if table.title else []
    below = []
    for place, note in enumerate(table.notes):
        first = runs(NOTE.say(lang) + (" " if lang == "en" else ""), italic=lang == "en") if place == 0 else ""
        below.append(paragraph("CsiTableNote", first + runs(note)))
    return above, grid(table, lang), below


def grid(table: Printed, lang: str) -> str:
    """The table itself: a line above, one under the headings, one below; numbers to the right."""
    widths, size = extents(table, lang, SIZES)
    high = len(table.cells)
    rows = []
    for place, cells in enumerate((table.heads, *table.cells), start=-1):
        stays = place < high - 1 and (high <= 20 or place < 2 or place >= high - 3)  # no row stands alone on a page
        rows.append(_row(table, place, cells, (widths, size), lang=lang, stays=stays))
    columns = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    side = "center" if lang == "zh" else "left"
    title = escape(table.title or f"{TABLE.say(lang)} {table.number}", quote=True)
    margin = f'<w:left w:w="{PAD // 2}" w:type="dxa"/><w:right w:w="{PAD // 2}" w:type="dxa"/>'
    return (
        f'<w:tbl {_NAMES}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="{side}"/>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{margin}</w:tblCellMar>'
        f'<w:tblLook w:val="0020" w:firstRow="1"/><w:tblCaption w:val="{title}"/></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _row(
    table: Printed,
    row: int,
    cells: tuple[str, ...],
    set_in: tuple[list[int], float],
    *,
    lang: str,
    stays: bool,
) -> str:
    """One row; -1 is the headings, repeated on each page. `set_in`: widths and size; `stays` with the next row."""
    made, (widths, size) = [], set_in
    edges = _edges(row, len(table.cells), *LINES[lang])
    for place, (text, width) in enumerate(zip(cells, widths, strict=True)):
        mark = table.marks.get((row, place))
        bold, colour = mark is not None or (row < 0 and lang == "zh"), COLOURS[mark] if mark else ""
        symbol, rest = symbol_first(text, lang) if row < 0 else ("", text)
        content = runs(symbol, size=size, bold=bold, italic=True) if symbol else ""
        content += runs(rest, size=size, bold=bold, colour=colour) if rest else ""
        made.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{edges}'
            f'<w:vAlign w:val="{"bottom" if row < 0 else "top"}"/></w:tcPr>'
            f'<w:p><w:pPr><w:pStyle w:val="CsiCell"/>{"<w:keepNext/>" if stays else ""}'
            f'<w:jc w:val="{"right" if table.numeric[place] else "left"}"/></w:pPr>{content}</w:p></w:tc>'
        )
    header = "<w:tblHeader/>" if row < 0 else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{header}</w:trPr>{''.join(made)}</w:tr>"


def _edges(row: int, height: int, outer: int, inner: int) -> str:
    """The lines of a row's cells: above and under the headings, under the last row, none elsewhere."""
    rule = '<w:{} w:val="single" w:sz="{}" w:space="0" w:color="000000"/>'
    lines = rule.format("top", outer) if row < 0 else ""
    if row == height - 1:
        lines += rule.format("bottom", outer)
    elif row < 0:
        lines += rule.format("bottom", inner)
    return f"<w:tcBorders>{lines}</w:tcBorders>" if lines else ""
