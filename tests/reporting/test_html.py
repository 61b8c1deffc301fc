from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from csi.errors import Text, note
from csi.reporting.html import faces_used, render_html
from csi.reporting.section import Report, Section

VOID = {"meta", "input", "br", "wbr"}


class Tree(HTMLParser):
    """Checks that tags close in order and collects attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def read(page: str) -> Tree:
    tree = Tree()
    tree.feed(page)
    assert tree.stack == []
    return tree


@pytest.fixture(scope="module")
def page(report) -> str:
    return render_html(report)


def test_page_is_one_file_without_script_or_network(page):
    tree = read(page)
    assert not {"script", "link", "iframe", "img", "object", "form"} & {tag for tag, _ in tree.seen}
    for _, attributes in tree.seen:
        assert not {"src", "href", "xlink:href", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert "http:" not in page
    assert "https:" not in page
    assert all(target.startswith("data:font/woff;") for target in re.findall(r"url\(([^)]*)\)", page))
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_same_report_same_bytes(report, page):
    assert render_html(report) == page


def test_languages_are_marked_and_switch_without_script(page):
    tree = read(page)
    mains = [a for tag, a in tree.seen if tag == "main"]
    assert [(a["data-lang"], a["lang"]) for a in mains] == [("zh", "zh-CN"), ("en", "en")]
    radios = [a for tag, a in tree.seen if tag == "input"]
    assert [(a["id"], "checked" in a) for a in radios] == [("language-zh", True), ("language-en", False)]
    labels = [a["for"] for tag, a in tree.seen if tag == "label"]
    assert labels == ["language-zh", "language-en"]
    ids = [a["id"] for _, a in tree.seen if a.get("id")]
    assert len(ids) == len(set(ids))


def test_one_language_file_has_no_switch(report):
    only = render_html(report, ("en",))
    assert "language-en" not in only
    assert "一年上升" not in only
    assert "Up 2.0 points" in only


def test_headline_says_significance_in_words(page):
    assert "76.5" in page
    assert "75.4–77.6" in page
    assert "（不显著）" in page
    assert "(significant)" in page


def test_figures_carry_their_finding_and_a_narrow_drawing(page, report):
    tree = read(page)
    named = [a["aria-label"] for tag, a in tree.seen if tag == "svg"]
    count = sum(len(s.figures) for s in report.sections)
    assert len(named) == count * 4
    assert all(named)


def test_markup_in_labels_is_text(report):
    bad = '<script>alert("x")</script>'
    evil = Text(bad, bad)
    section = Section(bad, evil, evil, paragraphs=(evil,), notes=(note("N", bad, bad),))
    head = dataclasses.replace(report.headline, kicker=evil, sentence=evil, dateline=evil)
    shown = render_html(Report(evil, head, (section, *report.sections[7:8]), {}))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    read(shown)


def test_character_without_glyph_is_named_in_the_page(report):
    rare = Text("Brand 㐂", "品牌㐂")
    head = dataclasses.replace(report.headline, sentence=rare)
    shown = render_html(Report(report.title, head, (), {}))
    assert "U+3402" in shown


def test_table_prints_rounded_numbers_translated_texts_and_emphasis(page):
    row = re.search(r"<tr>\s*<th scope=\"row\" class=\"s\">中讯</th>.*?</tr>", page, re.DOTALL)[0]
    assert re.search(r'<td class="n"><b class="focus">\d\d\.\d</b></td>', row)
    assert '<td class="n">300</td>' in row


def test_faces_follow_the_markup(page):
    used = faces_used(page)
    names = {face.family + str(face.weight): set(found) for face, found in used.items()}
    assert "赶" in names["CSI Serif700"]
    assert "赶" not in names["CSI Sans400"]
    assert "7" in names["CSI Sans700"]
