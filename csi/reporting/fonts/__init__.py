"""The report's own fonts: which characters they hold, how wide each is, and a cut of them for one document.

A report embeds only the glyphs it uses, so it looks the same with or without fonts on the reader's machine.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import uharfbuzz as harfbuzz
from fontTools.ttLib import TTFont
from fontTools.ttLib.sfnt import SFNTWriter

from csi.errors import Note, Text, note

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Face:
    """One font file: its CSS family and weight."""

    family: str
    weight: int
    file: str


REGULAR = Face("CSI Sans", 400, "CSISans-Regular.woff2")
BOLD = Face("CSI Sans", 700, "CSISans-Bold.woff2")
SERIF_BOLD = Face("CSI Serif", 700, "CSISerif-Bold.woff2")
FACES = (REGULAR, BOLD, SERIF_BOLD)
NAMES = frozenset({0, 1, 2, 13})
"""Name records that a cut keeps: copyright, family, style, licence."""


@lru_cache(maxsize=8)
def _open(face: Face) -> harfbuzz.Face:
    return harfbuzz.Face(whole(face, proportional=False))


def _opened(stored: bytes) -> TTFont:
    """A font, tables read on demand; times and boxes are kept as stored."""
    return TTFont(io.BytesIO(stored), lazy=True, recalcTimestamp=False, recalcBBoxes=False)


@lru_cache(maxsize=8)
def characters(face: Face) -> frozenset[str]:
    """The characters a face holds.

    Example:
        >>> "−" in characters(REGULAR), "満" in characters(REGULAR)
        (True, False)
    """
    return frozenset(map(chr, _open(face).unicodes))


@lru_cache(maxsize=8)
def advances(face: Face, *, proportional: bool) -> Mapping[str, float]:
    """Advance width of every character in em.

    Parameters:
        face: the font.
        proportional: with the narrow forms of quotation marks and brackets (feature `pwid`), as English text is set.

    Example:
        >>> advances(REGULAR, proportional=False)["质"]
        1.0
    """
    line = _shaped(face, proportional=proportional)
    codes, em = sorted(_open(face).unicodes), _open(face).upem
    return {chr(code): glyph.x_advance / em for code, glyph in zip(codes, line.glyph_positions, strict=True)}


def _shaped(face: Face, *, proportional: bool) -> harfbuzz.Buffer:
    """All characters of a face in the order of their codes, each as its glyph."""
    line = harfbuzz.Buffer()
    line.add_codepoints(sorted(_open(face).unicodes))
    line.direction, line.script, line.language = "ltr", "Latn", "en"
    line.flags = harfbuzz.BufferFlags.PRESERVE_DEFAULT_IGNORABLES
    harfbuzz.shape(harfbuzz.Font(_open(face)), line, {"kern": False, "pwid": proportional})
    return line


def font_css(used: Mapping[Face, str]) -> str:
    """`@font-face` rules with the glyphs of the texts embedded as woff; the same texts give the same bytes.

    Parameters:
        used: what each face shows; a heading character that the serif lacks is taken from the bold sans.

    Returns:
        CSS, one rule per face that holds at least one of its characters.

    Example:
        >>> font_css({REGULAR: "76.5", BOLD: ""}).count("@font-face")
        1
    """
    wanted = {face: frozenset(used.get(face, "")) for face in FACES}
    wanted[BOLD] |= wanted[SERIF_BOLD] - characters(SERIF_BOLD)
    held = {face: wanted[face] & characters(face) for face in FACES if wanted[face]}
    return "".join(_rule(face, _cut(face, text)) for face, text in held.items() if text)


@lru_cache(maxsize=6)
def whole(face: Face, *, proportional: bool = False) -> bytes:
    """The face as an OpenType file, which PDF writers and rasterisers read.

    Parameters:
        proportional: with the narrow forms of quotation marks and brackets, as English text is set.

    Example:
        >>> whole(REGULAR)[:4]
        b'OTTO'
    """
    font = _opened(whole(face) if proportional else (_FOLDER / face.file).read_bytes())
    tables = {tag: font.reader[tag] for tag in font.reader.keys()}  # noqa: SIM118 - the reader is no mapping
    if proportional:
        tables["cmap"] = _narrowed(face, font)
    out = io.BytesIO()
    made = SFNTWriter(out, len(tables), font.reader.sfntVersion)
    for tag in sorted(tables):  # as they are: to save the font would be to compile every glyph again
        made[tag] = tables[tag]
    made.close()
    return out.getvalue()


def _narrowed(face: Face, font: TTFont) -> bytes:
    """The table from characters to glyphs, with the narrow forms of the `pwid` feature."""
    names = [f"glyph{i:05d}" for i in range(_open(face).glyph_count)]
    font.setGlyphOrder(names)  # else their own names are read, and every outline for them
    codes, line = sorted(_open(face).unicodes), _shaped(face, proportional=True)
    glyphs = {code: names[glyph.codepoint] for code, glyph in zip(codes, line.glyph_infos, strict=True)}
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap = glyphs  # one mapping for all: it is written once
    made: bytes = font["cmap"].compile(font)
    return made


def coverage(text: str | Iterable[str], places: Mapping[str, Text] | None = None) -> tuple[Note, ...]:
    """A note naming the characters that none of the report's fonts holds; the reader's own fonts draw those.

    Parameters:
        text: what is shown. places: character -> where it stands, said behind it.

    Example:
        >>> coverage("质量 76.5")
        ()
        >>> coverage("㐂")[0].code
        'N-GLYPH'
    """
    wanted = {c for c in "".join(text) if c > " "}
    absent = sorted(wanted - characters(REGULAR))
    if not absent:
        return ()
    named, named_zh = (named_in(absent, places or {}, lang) for lang in ("en", "zh"))
    return (
        note(
            "N-GLYPH",
            f"The embedded fonts lack these characters: {named}. They show where the reader's own fonts have them.",
            f"内嵌字体缺少以下字符：{named_zh}。只有读者的电脑装有相应字体时才能正常显示。",
        ),
    )


def named_in(absent: Sequence[str], places: Mapping[str, Text], lang: str) -> str:
    """Each character with its code, and where it stands."""
    join, before, end = (", in ", "; ", "") if lang == "en" else ("，见", "；", "")
    said = [f"{c} (U+{ord(c):04X}{join + places[c].say(lang) if c in places else end})" for c in absent[:20]]
    return (before if places else " ").join(said) + (" …" if len(absent) > 20 else "")


def places_of(texts: Iterable[tuple[Text, str]]) -> dict[str, Text]:
    """Character that the fonts lack -> the names of the parts that show it.

    Parameters:
        texts: (name of a part, what it shows).

    Example:
        >>> places_of([(Text("League", "排名"), "㐂"), (Text("Trend", "趋势"), "㐂 1")])["㐂"].en
        'League, Trend'
    """
    found: dict[str, dict[Text, None]] = {}
    for name, shown in texts:
        for c in sorted({c for c in shown if c > " "} - characters(REGULAR)):
            found.setdefault(c, {})[name] = None
    return {c: Text(", ".join(n.en for n in names), "、".join(n.zh for n in names)) for c, names in found.items()}


def _cut(face: Face, wanted: frozenset[str]) -> bytes:
    """The face with these characters only, as woff: 8 % larger than woff2 and made in a fraction of its time."""
    asked, kind = harfbuzz.SubsetInput(), harfbuzz.SubsetInputSets
    asked.sets(kind.UNICODE).set(set(map(ord, wanted)))
    asked.sets(kind.LAYOUT_FEATURE_TAG).set({int.from_bytes(tag) for tag in (b"kern", b"halt", b"pwid")})
    names = asked.sets(kind.NAME_ID)
    names.clear()
    names.set(NAMES)
    cut = harfbuzz.subset(_open(face), asked).blob.data
    font, out = _opened(cut), io.BytesIO()
    font.flavor = "woff"
    font.save(out)
    return out.getvalue()


def _rule(face: Face, cut: bytes) -> str:
    data = base64.b64encode(cut).decode("ascii")
    return (
        f'@font-face{{font-family:"{face.family}";font-weight:{face.weight};font-style:normal;'
        f'src:url(data:font/woff;base64,{data}) format("woff")}}\n'
    )
