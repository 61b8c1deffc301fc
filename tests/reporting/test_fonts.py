from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

from fontTools.ttLib import TTFont

from csi.errors import Text
from csi.reporting import fonts
from csi.reporting.headings import HEADINGS
from csi.reporting.html import render_html
from csi.reporting.text_width import text_width

SYMBOLS = "−▲▼±≥≤²αρ·–—…“”％，；：。（）→×•＝<>%"


def cut(css: str, family: str, weight: int) -> TTFont:
    found = re.search(rf'font-family:"{family}";font-weight:{weight}.*?base64,([^)]*)\)', css)
    return TTFont(io.BytesIO(base64.b64decode(found[1])))


def test_faces_hold_what_reports_write():
    for face in fonts.FACES:
        assert not set(SYMBOLS + "满意度指数期望感知质量价值抱怨忠诚形象网络资费客服") - fonts.characters(face)
    assert len(fonts.characters(fonts.REGULAR)) > 7000
    assert {"喆", "堃", "鑫", "淼"} <= fonts.characters(fonts.REGULAR)


def test_cut_holds_the_characters_asked_for_and_few_more():
    font = cut(fonts.font_css({fonts.REGULAR: "质量 76.5−"}), "CSI Sans", 400)
    held = set(map(chr, font.getBestCmap()))
    assert set("质量 76.5−") <= held
    assert len(held) < 20


def test_same_text_same_bytes():
    used = {fonts.REGULAR: "满意 76", fonts.BOLD: "76", fonts.SERIF_BOLD: "满"}
    assert fonts.font_css(used) == fonts.font_css(used)


def test_heading_characters_absent_from_the_serif_come_from_the_sans():
    rare = max(fonts.characters(fonts.BOLD) - fonts.characters(fonts.SERIF_BOLD))
    css = fonts.font_css({fonts.SERIF_BOLD: rare})
    assert "CSI Serif" not in css
    assert rare in set(map(chr, cut(css, "CSI Sans", 700).getBestCmap()))


def test_characters_in_no_face_are_named():
    (found,) = fonts.coverage("满意㐂")
    assert "㐂 (U+3402)" in found.say("zh")
    assert fonts.coverage("满意 76.5 − ▲") == ()


def test_what_the_fonts_lack_is_named_with_the_sections_that_show_it(report):
    """A rare surname and an emoji among the brands: which characters, and where; no silent box."""
    rare = replace(report.sections[0], paragraphs=(Text("𠮷野 🙂", "𠮷野 🙂"),), figures=())
    html = render_html(replace(report, sections=(rare,)), ("en",))
    told = re.search(r"The embedded fonts lack these characters: (.*?)\. They show", html)
    assert told is not None
    where = HEADINGS.get(rare.key, Text(rare.key, rare.key)).en
    assert told[1] == f"🙂 (U+1F642, in {where}); 𠮷 (U+20BB7, in {where})"


def test_widths_are_the_fonts_own():
    assert text_width("满意", 20, lang="zh") == 40
    assert text_width("0", 1000) == 555
    assert text_width("“”", 1000, lang="zh") == 2000
    assert text_width("“”", 1000, lang="en") == 950
    assert text_width("Loyalty", 13, bold=True) > text_width("Loyalty", 13)


def test_licence_is_shipped():
    folder = fonts._FOLDER
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "OFL.txt").read_text(encoding="utf-8")
    assert "Noto Sans CJK SC" in (folder / "README.md").read_text(encoding="utf-8")
