"""Figures as pictures: each SVG drawn with the report's own fonts, never the machine's, at a fixed resolution."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from csi.errors import Note, Text, note
from csi.reporting.fonts import BOLD, FACES, REGULAR, characters, named_in, whole
from csi.reporting.style import FULL, HALF, PAPER
from csi.reporting.style import SHEET as SHEET_WIDE

PIXELS = 1500
"""Width of a full-width figure: 224 dots to the inch over the 17 cm of a page."""
TALLEST = 1.3
"""Height of the tallest picture by the width of the page's text: a heading and what stands below share its page."""
SHEET = "#ffffff"
"""What figures stand on outside the page of a browser."""
PAGES = b"""
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#for one in json(bytes(sys.inputs.data)) { page(image(bytes(one.svg), format: "svg", width: one.wide * 1pt)) }
"""
"""Each drawing on a page of its own, a point for a pixel."""


@contextmanager
def font_files(lang: str) -> Iterator[Path]:
    """A folder with the report's fonts, gone after the `with` block; English has narrow quotation marks."""
    with TemporaryDirectory() as folder:
        for face in FACES:
            (Path(folder) / face.file).with_suffix(".otf").write_bytes(whole(face, proportional=lang == "en"))
        yield Path(folder)


def texts_of(svg: str) -> str:
    """The characters a drawing shows.

    Example:
        >>> texts_of("<svg><title>x</title><text>a&lt;b</text></svg>")
        'a<b'
    """
    return unescape("".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)))


def on_white(svg: str) -> str:
    """A drawing for white paper: what clears the lines behind its letters is white too.

    Example:
        >>> on_white('<text stroke="#fcfbf7">')
        '<text stroke="#ffffff">'
    """
    return svg.replace(PAPER, SHEET)


def pngs(drawings: Sequence[str], *, lang: str) -> list[bytes]:
    """The drawings as PNG on white, `PIXELS` wide when full and in proportion when narrower; the same bytes each time.

    Parameters:
        drawings: SVG. lang: of their texts.
    """
    if not drawings:
        return []
    pages = [{"svg": on_white(d), "wide": PIXELS * size_of(d)[0] / _whole(d)} for d in drawings]
    made = typeset(PAGES, json.dumps(pages, ensure_ascii=False), lang, kind="png")
    return list(made) if isinstance(made, list) else [made]


def typeset(template: bytes, data: str, lang: str, *, kind: Literal["pdf", "png"]) -> bytes | list[bytes]:
    """What Typst makes of a template and the `data` that it reads: a PDF, or a picture for each page.

    Parameters:
        template: Typst. data: JSON, at hand as `sys.inputs.data`. lang: of the texts. kind: of the file.
    """
    with font_files(lang) as folder:
        made: bytes | list[bytes] = import_module("typst").compile(
            template,
            format=kind,
            ppi=72.0,
            font_paths=[str(folder)],
            ignore_system_fonts=True,
            sys_inputs={"data": data},
        )
    return made


def _whole(svg: str) -> float:
    """The width of a full drawing of its kind: for a page of A4, or for a screen."""
    wide = size_of(svg)[0]
    return FULL if wide > SHEET_WIDE or wide == HALF else SHEET_WIDE


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a drawing in its own units.

    Example:
        >>> size_of('<svg xmlns="x" width="10" height="5.5" viewBox="0 0 10 5.5">')
        (10.0, 5.5)
    """
    found = re.match(r'<svg[^>]*? width="([\d.]+)" height="([\d.]+)"', svg)
    return (float(found[1]), float(found[2])) if found else (1.0, 1.0)


def share_of(svg: str) -> float:
    """The part of a page's width that a drawing takes: all of it from `style.SHEET` units, less where it is too tall.

    Example:
        >>> share_of('<svg width="640" height="9">'), round(share_of('<svg width="312" height="9">'), 2)
        (1.0, 0.49)
    """
    wide, high = size_of(svg)
    return min(1.0, wide / SHEET_WIDE, TALLEST * wide / max(high, 1.0))


def undrawn(texts: Iterable[str], where: tuple[str, str], places: Mapping[str, Text] | None = None) -> tuple[Note, ...]:
    """A note naming the characters that the report's fonts lack and that a reader's fonts cannot supply.

    Parameters:
        texts: what is drawn. where: what stands there instead, and where, in English and Chinese. places: character
            -> the parts that show it.

    Example:
        >>> undrawn(["质量"], ("The file shows", "文件以")), undrawn(["㐂"], ("", ""))[0].code
        ((), 'N-GLYPH')
    """
    absent = sorted({c for text in texts for c in text if c > " "} - characters(REGULAR) - characters(BOLD))
    if not absent:
        return ()
    named, named_zh = (named_in(absent, places or {}, lang) for lang in ("en", "zh"))
    return (note("N-GLYPH", f"{where[0]} {named}.", f"{where[1]}{named_zh}。"),)
