"""Word, PDF, LaTeX and slides: what is told stands in them letter by letter, and the same report has the same bytes."""

import io
import os
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import polars as pl
import pytest

import csi
from csi.errors import Problems, Text, note
from csi.reporting import svg
from csi.reporting.formats import DOCUMENTS, check_formats, names_of
from csi.reporting.renderers import extras
from csi.reporting.renderers.leaves import laid
from csi.reporting.renderers.outline import outline
from csi.reporting.renderers.pdf import content
from csi.reporting.renderers.pictures import TALLEST, size_of
from csi.reporting.renderers.pptx import _slides
from csi.reporting.section import Column, Figure, Headline, Report, Section, Table
from csi.reporting.write import prepared, written

HOSTILE = {
    "markup": "<b>&amp;</b>\x00",
    "formula": "=1+1",
    "long": "非常长的品牌名称" * 5,
    "emoji": "📱 App",
    "rtl": "شركة \u202eabc",
    "tex": r"50% of \A_B {x} $y$ #1 ~^",
    "typst": '#panic("x") *b* _i_ @a `c`',
}
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def absent(kind):
    """Skips where the kind's packages are not installed."""
    for module in DOCUMENTS[kind].modules:
        pytest.importorskip(module, reason=f"{kind} needs the extra {extras.EXTRA.get(kind, '')}")


def drawing(lang):
    texts = [svg.words(10, 20 * k, name) for k, name in enumerate(HOSTILE.values(), 1)]
    return svg.drawing(508, 160, [svg.line((0, 0), (508, 160)), *texts], "A <rise>", lang)


@pytest.fixture(scope="module")
def report():
    frame = pl.DataFrame(
        {"brand": list(HOSTILE.values()), "index": [72.456, None, 1.0, 2.0, 3.0, 4.0, -5.0], "p": [0.0001] * 7}
    )
    columns = (
        Column("brand", Text("Brand", "品牌")),
        Column("index", Text("Index", "指数"), "score"),
        Column("p", Text("p", "p"), "p"),
    )
    marks = {(0, "index"): "warn"}
    table = Table(
        "league", Text("League", "排名"), frame, columns, marks, notes=(note("n", "ρA is low.", "ρA 偏低。"),)
    )
    finding = Text('A "rise" of <b>', "上升“3 分” <b>")
    figures = (Figure("trend", drawing, finding, "half"), Figure("other", drawing, finding, "half"))
    section = Section("one", finding, Text("A legend", "图例"), figures, (table,), (Text("Said.", "一句话。"),))
    head = Headline(
        Text("Kicker", "眉题"),
        Text("Up = up", "上升了"),
        72.0,
        70.0,
        74.0,
        ((Text("vs", "比"), 1.0, 0.5, True),),
        Text("", ""),
    )
    return Report(Text("T <b>", "题"), head, (section, section), {})


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_same_report_has_the_same_bytes(report, kind):
    absent(kind)
    assert DOCUMENTS[kind].render(report, "zh") == DOCUMENTS[kind].render(report, "zh")


@pytest.fixture(scope="module", params=["zh", "en"])
def word(request, report):
    """The parts of a Word file, and its language."""
    absent("docx")
    with zipfile.ZipFile(io.BytesIO(DOCUMENTS["docx"].render(report, request.param))) as book:
        return {n: book.read(n) for n in book.namelist()}, request.param


def words_of(element):
    return "".join(t.text or "" for t in element.iter(f"{W}t"))


def test_word_holds_every_cell_of_its_tables_in_three_lines(word):
    parts, lang = word
    body = ET.fromstring(parts["word/document.xml"])  # noqa: S314 - our own file
    tables = list(body.iter(f"{W}tbl"))
    assert len(tables) == 2
    rows = [[words_of(c) for c in row.iter(f"{W}tc")] for row in tables[0].iter(f"{W}tr")]
    assert rows[0] == (["品牌", "指数", "p"] if lang == "zh" else ["Brand", "Index", "p"])
    assert [r[0] for r in rows[1:]] == [*(n.translate(dict.fromkeys((0, 0x202E))) for n in HOSTILE.values())]
    assert rows[1][1:] == ["72.5", "< 0.001" if lang == "zh" else "< .001"]
    lined = [[e.tag.removeprefix(W) for e in row.find(f".//{W}tcBorders") or ()] for row in tables[0].iter(f"{W}tr")]
    assert lined == [["top", "bottom"], *[[]] * 6, ["bottom"]]
    styles = [(p.find(f".//{W}pStyle").get(f"{W}val"), words_of(p)) for p in body.iter(f"{W}p")]
    if lang == "zh":
        assert ("CsiTableTitle", "表 1\u3000排名") in styles
        assert b'w:eastAsia="SimSun"' in parts["word/styles.xml"]
    else:
        assert ("CsiTableNumber", "Table 1") in styles
        assert ("CsiTableTitle", "League") in styles


def test_word_has_findings_as_headings_and_as_alternative_text(word):
    parts, lang = word
    finding = "上升“3 分” <b>" if lang == "zh" else 'A "rise" of <b>'
    body = ET.fromstring(parts["word/document.xml"])  # noqa: S314 - our own file
    headed = [words_of(p) for p in body.iter(f"{W}p") if p.find(f".//{W}pStyle[@{W}val='Heading1']") is not None]
    assert headed == [finding, finding]
    told = [e.get("descr") for e in body.iter() if e.tag.endswith("}docPr")]
    assert told == [finding] * 4
    assert "U+1F4F1" in words_of(body)
    pictures = [v for n, v in parts.items() if n.startswith("word/media/")]
    assert pictures
    assert all(p.startswith(b"\x89PNG") for p in pictures)


def test_a_figure_taller_than_a_page_is_cut_between_its_rows(report):
    rows = [svg.words(0, 20 * k, f"row {k}") for k in range(1, 90)]
    shot = replace(outline(report, "en").parts[0].shots[0], svg=svg.drawing(640, 1800, rows, "Rows", "en"), half=False)
    lines = list(laid([shot], "en"))
    parts = [line[0].svg for line, _ in lines]
    assert [bool(said) for _, said in lines] == [False, False, True]
    sizes = [size_of(p) for p in parts]
    assert all(high <= TALLEST * wide for wide, high in sizes)
    assert sum(high for _, high in sizes) == pytest.approx(1800)
    tops = [float(re.search(r'viewBox="0 ([\d.]+)', p)[1]) for p in parts]
    assert not any(20 * k - 13 < top < 20 * k + 4 for top in tops[1:] for k in range(1, 90))
    absent("docx")
    tall = replace(report.sections[0], figures=(Figure("tall", lambda _: shot.svg, Text("A", "甲")),))
    with zipfile.ZipFile(io.BytesIO(DOCUMENTS["docx"].render(replace(report, sections=(tall,)), "en"))) as book:
        drawn = [n for n in book.namelist() if n.startswith("word/media/")]
    assert len(drawn) == 3


def test_the_page_description_takes_names_as_data_and_names_missing_characters(report):
    absent("pdf")
    made = DOCUMENTS["pdf"].render(report, "en")
    assert made.startswith(b"%PDF")
    assert made.rstrip().endswith(b"%%EOF")
    assert b"CSISans-Regular" in made
    told = content(outline(report, "en"))
    (table,) = told["parts"][0]["tables"]
    assert ["".join(words for words, _ in row[0][0]) for row in table["rows"]] == [
        n.translate(dict.fromkeys((0, 0x202E))) for n in HOSTILE.values()
    ]
    assert sum(table["widths"]) <= 17 / 2.54 * 72
    assert any("U+1F4F1" in words for note_ in told["notes"] for words, _ in note_)


def test_latex_escapes_every_letter_and_closes_what_it_opens(report):
    for lang in ("zh", "en"):
        made = DOCUMENTS["tex"].render(report, lang).decode()
        assert made.count(r"\begin{") == made.count(r"\end{")
        body = made[made.index(r"\begin{document}") :]
        assert made.count(r"\toprule") == made.count(r"\bottomrule") == 2
        bare = re.sub(r"\\[\\{}$&#%_]", "", body)
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0
        assert not re.search(r"[%#]", bare)
        assert r"50\% of \textbackslash{}A\_B \{x\} \$y\$ \#1 \textasciitilde{}\textasciicircum{}" in body
        assert "\u202e" not in body


def test_latex_declares_every_letter_of_another_script(report):
    for lang in ("zh", "en"):
        head, body = DOCUMENTS["tex"].render(report, lang).decode().split(r"\begin{document}")
        assert r"\newunicodechar{📱}{\ifpdftex U+1F4F1\else" in head
        strange = {c for c in body if not c.isascii() and rf"\newunicodechar{{{c}}}" not in head}
        assert all("\u3000" <= c <= "\u9fff" or c in "“”–" for c in strange), strange
        assert ("[scheme=plain]{ctex}" in head) == (lang == "en")
    plain = replace(report, sections=(replace(report.sections[0], tables=()),))
    assert b"ctex" not in DOCUMENTS["tex"].render(plain, "en")


def test_a_list_of_works_has_its_journals_in_italics_in_english_only(report):
    absent("docx")
    work = "Cronbach, L. J. (1951). Alpha. Psychometrika, 16(3), 297–334."
    listed = Section(
        "r", Text("Works", "文献"), Text("", ""), paragraphs=(Text(work, work),), slanted=("Psychometrika, 16",)
    )
    told = replace(report, sections=(listed,))
    for lang in ("zh", "en"):
        with zipfile.ZipFile(io.BytesIO(DOCUMENTS["docx"].render(told, lang))) as book:
            body = ET.fromstring(book.read("word/document.xml"))  # noqa: S314 - our own file
        (line,) = (p for p in body.iter(f"{W}p") if p.find(f".//{W}pStyle[@{W}val='CsiWork']") is not None)
        slanted = [words_of(r) for r in line.iter(f"{W}r") if r.find(f".//{W}i") is not None]
        assert words_of(line) == work
        assert slanted == (["Psychometrika, 16"] if lang == "en" else [])
        (sentence,) = content(outline(told, lang))["parts"][0]["sentences"]
        assert [w for w, place in sentence if place == "slanted"] == slanted


@pytest.fixture(scope="module")
def slides(report):
    """The parts of a deck, its first section a league with numbers behind its figure."""
    absent("pptx")
    numbers = pl.DataFrame({"brand": list(HOSTILE.values()), "index": [70.0 + k for k in range(7)]})
    league = numbers.with_columns(conf_low=pl.col("index") - 1, conf_high=pl.col("index") + 1)
    first, second = report.sections
    told = replace(report, sections=(replace(first, data={"league": league}), second, replace(second, figures=())))
    with zipfile.ZipFile(io.BytesIO(DOCUMENTS["pptx"].render(told, "en"))) as deck:
        return {n: deck.read(n) for n in deck.namelist()}


def test_slides_have_findings_as_titles_and_native_charts_with_their_numbers(slides):
    pages = [slides[f"ppt/slides/slide{k}.xml"].decode() for k in (1, 2, 3, 4)]
    assert "Up = up" in pages[0]
    assert all('A "rise" of &lt;b&gt;' in page for page in pages[1:])
    assert "graphicFrame" in pages[1]
    assert "<p:pic>" not in pages[1]
    assert "A legend" not in pages[1]  # it tells what the figure draws, which the chart does not
    assert pages[2].count("<p:pic>") == 2
    assert "<a:tbl>" in pages[3]
    (chart,) = (v.decode() for n, v in slides.items() if n.startswith("ppt/charts/chart"))
    values = re.findall(r"<c:v>([\d.]+)</c:v>", chart[chart.index("<c:val>") :])
    assert [float(v) for v in values] == [70.0 + k for k in range(7)]
    assert "=1+1" in chart
    (behind,) = (v for n, v in slides.items() if n.endswith(".xlsx"))
    with zipfile.ZipFile(io.BytesIO(behind)) as book:
        assert not any(b"<f>" in book.read(n) or b"<hyperlink" in book.read(n) for n in book.namelist())


def test_a_figure_too_tall_for_a_slide_stands_on_two_between_its_rows(report):
    rows = "".join(f'<text x="0" y="{24 * k + 20}" font-size="13">row</text>' for k in range(40))
    drawn = f'<svg xmlns="x" width="1040" height="980" viewBox="0 0 1040 980">{rows}</svg>'
    told = outline(report, "en").parts[0]
    part = replace(told, shots=(replace(told.shots[0], svg=drawn),))
    one, two = (p for p, _ in _slides(part, None, "en"))
    assert (one.title, two.title) == (part.title, f"{part.title} (continued)")
    assert one.shots[0].svg.count("<text") == 40
    assert sum(size_of(p.shots[0].svg)[1] for p in (one, two)) == 980


def test_every_result_gives_its_tables(report, tmp_path):
    section = report.sections[0]
    assert section.to_polars("league").height == 7
    assert section.to_pandas()["index"].isna().sum() == 1
    assert report.to_polars().equals(section.to_polars())
    assert r"50\% of" in section.to_latex()
    assert "72.5" in report.to_latex("one_league", lang="zh")
    with pytest.raises(Problems, match=r"lague.*league"):
        section.to_polars("lague")
    assert report.headline.to_polars().columns == ["value", "conf_low", "conf_high", "level"]
    for value in (section, report, csi.power_icc(2, icc=0.8, power=0.8)):
        with zipfile.ZipFile(value.to_excel(tmp_path / "x.xlsx")) as book:
            assert not any(b"<f>" in book.read(n) for n in book.namelist())


def test_a_missing_package_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(Problems) as caught:
        check_formats("html,docx")
    (one,) = caught.value.problems
    assert one.code == "E-PACKAGE"
    assert 'pip install "csi[office]"' in one.say("zh")
    assert "python-docx, typst" in one.say("en")


def test_an_unknown_kind_of_file_is_named_with_the_closest():
    with pytest.raises(Problems, match=r"dokx.*docx"):
        check_formats("html,dokx")
    assert check_formats("ipynb, .XLSX") == ("notebook", "xlsx")
    assert names_of(["docx"], ["en"])[0] == "report.en.docx"


def test_nothing_half_is_left_where_a_file_cannot_be_written(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(Problems, match=re.escape(str(tmp_path / "b"))):
        written(tmp_path, {"b": b"new", "a": b"new"})
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_folder_that_may_only_be_read_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(Problems) as caught, prepared(tmp_path):
        pytest.fail("no work is done")
    assert caught.value.problems[0].code == "E-OUT"


def test_a_report_without_sections_is_still_a_document(report):
    absent("docx")
    bare = replace(report, sections=())
    assert zipfile.is_zipfile(io.BytesIO(DOCUMENTS["docx"].render(bare, "en")))
