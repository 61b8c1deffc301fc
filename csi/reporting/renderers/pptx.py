"""slides.pptx: a slide for each section, its finding as the title, a native chart where its figure has one."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final

import polars as pl

from csi.errors import Language, Text
from csi.reporting import style
from csi.reporting.renderers.archive import repacked
from csi.reporting.renderers.columns import extents
from csi.reporting.renderers.leaves import leaves
from csi.reporting.renderers.outline import Outline, Part, Printed, outline, plain
from csi.reporting.renderers.pictures import pngs, size_of, texts_of, undrawn
from csi.reporting.section import Report
from csi.reporting.text_width import text_width
from csi.reporting.xlsx import CREATED

EMU: Final = 360_000
"""English metric units in a centimetre."""
WIDE, HIGH, EDGE = 33.867, 19.05, 1.6
"""A slide and its margin, in centimetres."""
FACE: Final = {"zh": "Microsoft YaHei", "en": "Calibri"}
LARGER: Final = 1.4
"""As much larger letters are worth the shorter words of a drawing for a page."""
RULE: Final = (
    '<a:lnB xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" w="12700"><a:solidFill>'
    f'<a:srgbClr val="{style.INK.lstrip("#").upper()}"/></a:solidFill></a:lnB>'
)
"""The line under the headings of a table."""
SHRUNK, UNEVEN = 0.75, 0.62
"""A figure that the height of a slide shrinks to less of its width is cut in two; the most of it on one slide."""
CONTINUED: Final = Text("{} (continued)", "{}（续）")
POINTS: Final = 72 / 2.54
"""Points in a centimetre."""
TOP, FOOT = 4.5, 17.7
"""Where what a slide shows begins and ends, in centimetres from its top."""
FEW: Final = 4
"""Below a table of so many rows there is room for sentences."""
ROWS, COLUMNS = 12, 9
"""A slide's table has at most so many; the rest is counted below it."""
FOCUS: Final = (0, "focus")
"""A name in the first column of a table that stands out."""
SECTOR: Final = Text("Sector", "行业")
INDEX: Final = Text("Index", "指数")
SCORES: Final = Text("Index, 0–100", "指数（0–100）")
LEAGUE: Final = Text("Index, 0–100; behind each name its confidence interval", "指数（0–100）；名称后为置信区间")
MORE: Final = Text("In the workbook: {}", "另有 {}，见工作簿")
ROWS_MORE, COLUMNS_MORE, AND = Text("rows: {} more", "{} 行"), Text("columns: {} more", "{} 列"), Text(", ", "、")


@dataclass(frozen=True, slots=True)
class Plot:
    """A native chart: its kind ("line" or "bar"), what it shows, its categories, and each series by its name.

    `focus`: the places of the categories that stand out; none where all are alike.
    """

    kind: str
    legend: Text
    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    focus: tuple[int, ...] = ()


def pptx(report: Report, lang: Language) -> bytes:
    """The report as the bytes of a .pptx file in one language.

    Trends, leagues and profiles are charts whose numbers can be edited; other figures are pictures. Both have their
    finding as alternative text. A section without figures shows its first table. Sentences and notes stand in the
    speaker's notes. The same report has the same bytes.

    Parameters:
        report: what to tell. lang: "zh" or "en".

    Returns:
        The file's content.
    """
    told, printed = outline(report, lang), outline(report, lang, sheet=True)
    told = replace(told, parts=tuple(map(_larger, told.parts, printed.parts)))
    deck = import_module("pptx").Presentation()
    deck.slide_width, deck.slide_height = round(WIDE * EMU), round(HIGH * EMU)
    about, when = deck.core_properties, CREATED.replace(tzinfo=None)
    about.title, about.author, about.last_modified_by = told.title[:255], "csi", "csi"
    about.created, about.modified, about.revision = when, when, 1
    labels = {k: plain(v.say(lang)) for s in report.sections for t in s.tables for k, v in t.texts.items()}
    slides = [each for part in told.parts for each in _slides(part, plot(part, labels, lang), lang)]
    pictured = [s.svg for part, chart in slides if chart is None for s in part.shots[:2]]
    drawn = dict(zip(pictured, pngs(pictured, lang=lang), strict=True))
    _Slide(deck, told).headline()
    for part, chart in slides:
        _Slide(deck, told).section(part, chart, drawn)
    out = io.BytesIO()
    deck.save(out)
    return repacked(out.getvalue())


def _larger(screen: Part, sheet: Part) -> Part:
    """The part with its figures as drawn for a screen, or for a page where letters are far larger then."""
    both = list(zip(screen.shots, sheet.shots, strict=True))
    room = _room(min(len(both), 2))
    best = _halved if len(both) == 1 else _scale
    return replace(screen, shots=tuple(b if best(b.svg, room) > LARGER * best(a.svg, room) else a for a, b in both))


def _slides(part: Part, chart: Plot | None, lang: Language) -> list[tuple[Part, Plot | None]]:
    """The part on one slide, or on two where its only figure is so tall that a slide would shrink its letters."""
    if chart is not None or len(part.shots) != 1:
        return [(part, chart)]
    (shot,) = part.shots
    tall = _halved(shot.svg, _room(1)) > _scale(shot.svg, _room(1))
    cut = leaves(shot.svg, UNEVEN * size_of(shot.svg)[1]) if tall else [shot.svg]
    titles = [part.title, *(CONTINUED.say(lang).format(part.title) for _ in cut[1:])]
    return [(replace(part, title=t, shots=(replace(shot, svg=s),)), None) for t, s in zip(titles, cut, strict=True)]


def _halved(svg: str, room: float) -> float:
    """The scale of a drawing on two slides where one would shrink it much, else on one."""
    (wide, high), whole = size_of(svg), _scale(svg, room)
    return whole if whole > SHRUNK * room / wide else min(room / wide, (FOOT - TOP) / (UNEVEN * high))


def _room(count: int) -> float:
    """The width of each of the figures side by side."""
    return (WIDE - 2 * EDGE - 0.8 * (count - 1)) / max(count, 1)


def _scale(svg: str, room: float) -> float:
    """Centimetres of a slide for a unit of a drawing."""
    wide, high = size_of(svg)
    return min(room / wide, (FOOT - TOP) / high)


def plot(part: Part, labels: Mapping[str, str], lang: str) -> Plot | None:
    """The chart of a section's numbers: a trend of brands, a league, a profile of constructs; None for others."""
    if not part.shots:
        return None
    for needs, make in _PLOTS:
        for frame in part.section.data.values():
            if needs <= set(frame.columns) and frame.height and (made := make(frame, labels, lang)):
                ours = [
                    t.cells[row][0] for t in part.tables for (row, k), mark in t.marks.items() if (k, mark) == FOCUS
                ]
                own = [k for k, name in enumerate(made.categories) if any(name.startswith(f"{o}  ") for o in ours)]
                return replace(made, focus=tuple(own))
    return None


def _trend(frame: pl.DataFrame, labels: Mapping[str, str], lang: str) -> Plot | None:  # noqa: ARG001 - as its likes
    waves = frame["wave"].unique().sort().to_list()
    if len(waves) < 2:
        return None
    series = []
    for brand in frame["brand"].unique(maintain_order=True):
        found = dict(frame.filter(pl.col("brand") == brand).select("wave", "index").iter_rows())
        series.append((_label(brand, labels), tuple(found.get(w) for w in waves)))
    return Plot("line", SCORES, tuple(map(str, waves)), tuple(series))


def _league(frame: pl.DataFrame, labels: Mapping[str, str], lang: str) -> Plot | None:
    if frame["brand"].n_unique() < frame.height:
        return None
    told = frame.drop_nulls("index").sort("index")
    names = tuple(
        f"{_label(b, labels)}  {style.span(low, high)}"
        for b, low, high in told.select("brand", "conf_low", "conf_high").iter_rows()
    )
    return Plot("bar", LEAGUE, names, ((INDEX.say(lang), tuple(told["index"])),)) if names else None


def _profile(frame: pl.DataFrame, labels: Mapping[str, str], lang: str) -> Plot | None:
    told = frame.reverse()
    sector, own = (SECTOR.say(lang), tuple(told["sector"])), (INDEX.say(lang), tuple(told["index"]))
    series = (own,) if sector[1] == own[1] else (sector, own)  # of one brand the sector is itself
    return Plot("bar", SCORES, tuple(_label(c, labels) for c in told["construct"]), series)


_Make = Callable[[pl.DataFrame, Mapping[str, str], str], Plot | None]
_PLOTS: Final[tuple[tuple[frozenset[str], _Make], ...]] = (
    (frozenset({"brand", "wave", "index", "conf_low", "conf_high", "formula"}), _trend),
    (frozenset({"brand", "index", "conf_low", "conf_high"}), _league),
    (frozenset({"construct", "index", "sector"}), _profile),
)


_RUN: Final = re.compile(r"[=+@{-]|[a-z]+:", re.IGNORECASE)


def _label(code: object, labels: Mapping[str, str]) -> str:
    """A name as the workbook behind a chart may hold it: what a spreadsheet might run or open stands after a space."""
    said = labels.get(str(code), plain(str(code)))
    return f" {said}" if _RUN.match(said) else said


class _Slide:
    """One slide, filled from the top; lengths in centimetres."""

    def __init__(self, deck: Any, told: Outline) -> None:  # noqa: ANN401 - an optional package's own type
        self.slide = deck.slides.add_slide(deck.slide_layouts[5])
        self.told, self.lang, self.number = told, told.lang, len(deck.slides)

    def headline(self) -> None:
        """The answer: kicker, sentence, the index or the facts, changes."""
        self.text(EDGE, 2.2, 1.0, [(self.told.kicker, 14, True, style.FOCAL)])
        self.title(self.told.sentence, 3.2, 4.2, 36)
        self.text(EDGE, 7.6, 0.9, [(self.told.dateline, 14, False, style.MUTED)])
        top = 9.2
        for name, number, word in self.told.facts[:6]:
            alone = len(self.told.facts) == 1
            said = f"{number}  {name}" if not alone and name else number
            self.text(EDGE, top, 2.6 if alone else 1.0, [(said, 60 if alone else 18, True, style.FOCAL)])
            top += 2.9 if alone else 0.9
            self.text(
                EDGE, top, 0.9, [(" · ".join(filter(None, (name if alone else "", word))), 16, False, style.TEXT)]
            )
            top += 1.1
        self.text(EDGE, top, 2.5, [(change, 16, False, style.TEXT) for change in self.told.changes])
        self.foot()

    def section(self, part: Part, chart: Plot | None, drawn: Mapping[str, bytes]) -> None:
        """A finding: title, legend, then chart, pictures or table; the rest in the speaker's notes."""
        self.title(part.title, 0.9, 2.3, 24)
        drawn_as = part.shots[0].caption if part.shots else ""
        legend = chart.legend.say(self.lang) if chart else part.legend or drawn_as
        self.text(EDGE, 3.1, 1.2, [(legend, 12, False, style.MUTED)])
        if chart is not None:
            self.chart(chart, part.shots[0].finding)
        elif part.shots:
            self.pictures(part, drawn)
        elif part.tables:
            self.table(part.tables[0])
            said = [(sentence, 14.0, False, style.TEXT) for sentence in part.sentences[:4]]
            if len(part.tables[0].cells) <= FEW:
                self.text(EDGE, TOP + FEW + 1.5, 6.0, said)
        self.foot()
        lack = undrawn((texts_of(s.svg) for s in part.shots if s.svg in drawn), _LACK)
        notes = (*part.sentences, *part.notes, *(plain(n.say(self.lang)) for n in lack))
        self.slide.notes_slide.notes_text_frame.text = "\n".join(notes)

    def title(self, words: str, top: float, high: float, size: float) -> None:
        """The finding in the slide's own title, so that outlines and readers find it; on two lines at most."""
        shape, room = self.slide.shapes.title, (WIDE - 2 * EDGE) * POINTS
        self.place(shape, EDGE, top, WIDE - 2 * EDGE, high)
        wide = text_width(words, 1.0, bold=True, lang=self.lang)
        fits = next((s for s in (size, 0.85 * size, 0.75 * size) if s * wide <= 1.6 * room), 0.65 * size)
        self.fill(shape.text_frame, [(words, fits, True, style.INK)])

    def text(self, left: float, top: float, high: float, lines: Sequence[tuple[str, float, bool, str]]) -> None:
        """A box of lines: (words, size in points, bold, colour)."""
        if any(words for words, *_ in lines):
            wide = round((WIDE - left - EDGE) * EMU)
            box = self.slide.shapes.add_textbox(round(left * EMU), round(top * EMU), wide, round(high * EMU))
            self.fill(box.text_frame, lines)

    def fill(self, frame: Any, lines: Sequence[tuple[str, float, bool, str]]) -> None:  # noqa: ANN401 - same
        """Lines into a frame that wraps and has no margins."""
        frame.word_wrap, frame.margin_left, frame.margin_right = True, 0, 0
        frame.vertical_anchor = import_module("pptx.enum.text").MSO_ANCHOR.TOP
        for place, (words, size, bold, colour) in enumerate(lines):
            line = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
            line.alignment = import_module("pptx.enum.text").PP_ALIGN.LEFT
            run = line.add_run()
            run.text = words
            self.font(run.font, size, bold=bold, colour=colour)

    def font(self, font: Any, size: float, *, bold: bool = False, colour: str = style.TEXT) -> None:  # noqa: ANN401 - same
        """Size in points, weight and colour, in the face of the language."""
        font.size, font.bold, font.name = round(size * 12_700), bold, FACE[self.lang]
        font.color.rgb = _rgb(colour)

    def place(self, shape: Any, left: float, top: float, wide: float, high: float) -> None:  # noqa: ANN401 - same
        """Where a shape stands."""
        shape.left, shape.top, shape.width, shape.height = (round(v * EMU) for v in (left, top, wide, high))

    def chart(self, chart: Plot, finding: str) -> None:
        """A chart of the office program, its numbers behind it."""
        kinds = import_module("pptx.enum.chart")
        data = import_module("pptx.chart.data").CategoryChartData(number_format="0.0")
        data.categories = chart.categories
        for name, values in chart.series:
            data.add_series(name, values)
        line = chart.kind == "line"
        kind = kinds.XL_CHART_TYPE.LINE_MARKERS if line else kinds.XL_CHART_TYPE.BAR_CLUSTERED
        size = [round(v * EMU) for v in (EDGE, TOP, WIDE - 2 * EDGE, FOOT - TOP)]
        shape = self.slide.shapes.add_chart(kind, *size, data)
        shape._element.nvGraphicFramePr.cNvPr.set("descr", finding)  # noqa: SLF001 - no other way to alternative text
        made = shape.chart
        self.font(made.font, 13)
        made.has_title, made.has_legend = False, len(chart.series) > 1
        if made.has_legend:
            made.legend.position, made.legend.include_in_layout = kinds.XL_LEGEND_POSITION.TOP, False
        self.axes(made, chart)
        for place, series in enumerate(made.plots[0].series):
            focal = place == (0 if line else len(chart.series) - 1)
            colour = _rgb(style.FOCAL if focal else style.brand_colour(place - 1 if line else place))
            if line:
                series.smooth, series.format.line.width = False, (38_100 if focal else 19_050)
                series.format.line.color.rgb = colour
                series.marker.format.fill.solid()
                series.marker.format.fill.fore_color.rgb = colour
                series.marker.format.line.color.rgb = colour
            else:
                series.format.fill.solid()
                series.format.fill.fore_color.rgb = colour
                for other in set(range(len(chart.categories))) - set(chart.focus) if chart.focus else ():
                    series.points[other].format.fill.solid()
                    series.points[other].format.fill.fore_color.rgb = _rgb(style.OTHERS[0])
        if not line:
            made.plots[0].gap_width, made.plots[0].has_data_labels = 60, True
            made.plots[0].data_labels.number_format, made.plots[0].data_labels.number_format_is_linked = "0.0", False
            self.font(made.plots[0].data_labels.font, 12)

    def axes(self, made: Any, chart: Plot) -> None:  # noqa: ANN401 - same
        """A line of scores shows the range it moves in; bars start at 0."""
        values = [v for _, column in chart.series for v in column if v is not None]
        axis = made.value_axis
        axis.major_gridlines.format.line.color.rgb = _rgb(style.HAIR)
        axis.format.line.fill.background()
        axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "0", False
        made.category_axis.format.line.color.rgb = _rgb(style.FAINT)
        made.category_axis.has_major_gridlines = False
        if values and chart.kind == "line":
            axis.minimum_scale = max(0.0, 5.0 * (min(values) // 5 - 1))
            axis.maximum_scale = 5.0 * (max(values) // 5 + 2)
            axis.major_unit = 5.0 if max(values) - min(values) < 40 else 10.0
        elif values and min(values) >= 0:
            axis.minimum_scale = 0.0

    def pictures(self, part: Part, drawn: Mapping[str, bytes]) -> None:
        """One figure, or two side by side, as large as the room lets them be."""
        shots = [s for s in part.shots if s.svg in drawn]
        room = _room(len(shots))
        left = EDGE
        for shot in shots:
            wide, high = size_of(shot.svg)
            scale = _scale(shot.svg, room)
            at = left + (room - scale * wide) / 2
            size = [round(v * EMU) for v in (at, TOP, scale * wide, scale * high)]
            added = self.slide.shapes.add_picture(io.BytesIO(drawn[shot.svg]), *size)
            added._element.nvPicPr.cNvPr.set("descr", shot.finding)  # noqa: SLF001 - no other way to alternative text
            left += room + 0.8

    def table(self, table: Printed) -> None:
        """The first rows of a table."""
        cells = [table.heads[:COLUMNS], *(row[:COLUMNS] for row in table.cells[:ROWS])]
        place = [round(v * EMU) for v in (EDGE, TOP, WIDE - 2 * EDGE, 0.9 * len(cells))]
        shape = self.slide.shapes.add_table(len(cells), len(cells[0]), *place)
        shape.table.horz_banding = False
        widths = extents(table, self.lang, (10.0,))[0][:COLUMNS]
        for column, part in zip(shape.table.columns, widths, strict=True):
            column.width = round((WIDE - 2 * EDGE) * EMU * part / sum(widths))
        for row, words in enumerate(cells):
            for column, said in enumerate(words):
                cell = shape.table.cell(row, column)
                cell.fill.background()
                cell.margin_top = cell.margin_bottom = 20_000
                if row == 0:
                    cell._tc.get_or_add_tcPr().insert(0, import_module("pptx.oxml").parse_xml(RULE))  # noqa: SLF001 - python-pptx has no borders
                self.fill(cell.text_frame, [(said, 12, row == 0, style.TEXT)])
                if table.numeric[column]:
                    cell.text_frame.paragraphs[0].alignment = import_module("pptx.enum.text").PP_ALIGN.RIGHT

        rows, columns = max(0, len(table.cells) - ROWS), max(0, len(table.heads) - COLUMNS)
        if rows or columns:
            counted = [
                f"{text.say(self.lang).format(n)}" for n, text in ((rows, ROWS_MORE), (columns, COLUMNS_MORE)) if n
            ]
            said = MORE.say(self.lang).format(AND.say(self.lang).join(counted))
            self.text(EDGE, HIGH - 1.8, 0.7, [(said, 11, False, style.MUTED)])

    def foot(self) -> None:
        """The report's title and the number of the slide."""
        self.text(EDGE, HIGH - 1.1, 0.7, [(f"{self.told.title}  ·  {self.number}", 10, False, style.MUTED)])


_LACK: Final = ("Characters that no picture can show:", "图中无法显示的字符：")


def _rgb(colour: str) -> Any:  # noqa: ANN401 - an optional package's own type
    return import_module("pptx.dml.color").RGBColor.from_string(colour.lstrip("#").upper())
