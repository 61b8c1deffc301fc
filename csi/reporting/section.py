"""A report as values: sections with figures, tables and notes; nothing is rendered here.

Rounding happens when a table or figure is drawn; `data` keeps full precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal

import polars as pl

from csi import display
from csi.display import Shown
from csi.errors import Language, Note, Problems, Text, did_you_mean, note, problem
from csi.reporting.simulator import Simulator

Draw = Callable[[str], str]
"""Draws an SVG for a language."""


Kind = Literal["text", "score", "share", "coefficient", "index", "number", "estimate", "count", "p", "change"]
"""How the values of a printed column are written."""


Emphasis = dict[tuple[int, str], Literal["warn", "focus", "whole"]]
"""Which printed cells stand out: (row, column name) -> why."""


SAMPLING_ONLY = note(
    "N-SAMPLING-ONLY",
    "Intervals cover sampling error only: not coverage, nonresponse or measurement error.",
    "区间仅反映抽样误差，不含覆盖误差、无应答误差与测量误差。",
)
"""What every interval states and what it leaves out."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture drawn once per language; `finding` is its accessible sentence, `width` "full" or "half".

    `narrow` draws the version for a phone (about 360 units wide), `sheet` the one for A4; None reuses the wide one.
    """

    name: str
    draw: Draw
    finding: Text
    width: Literal["full", "half"] = "full"
    narrow: Draw | None = None
    sheet: Draw | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a printed table: the frame column `name`, its heading, how its values are printed.

    `kind`: "text", "score" (0-100, one decimal), "share" (percent), "coefficient" (.62), "index" (.621), "number" (two
    decimals), "estimate" (three), "count", "p" (p-value), "change" (a signed difference of scores).

    `least`: of p-values of a resampling test the least that its draws can give; one there prints as a bound ("≤ .002").
    `raw`: of adjusted p-values the column of the plain ones, which are what reaches that floor.
    """

    name: str
    heading: Text
    kind: Kind = "text"
    least: float = 0.0
    raw: str = ""

    def bounds(self, row: Mapping[str, object]) -> bool:
        """Whether the p-value of this column in a row of the frame was reached by no draw.

        Example:
            >>> one = Column("p_holm", Text("p", "p"), "p", least=0.002, raw="p")
            >>> one.bounds({"p": 0.002, "p_holm": 0.004}), one.bounds({"p": 0.004, "p_holm": 0.004})
            (True, False)
        """
        own = row.get(self.raw or self.name)
        return isinstance(own, float) and display.at_floor(own, self.least)


@dataclass(frozen=True, slots=True)
class Table:
    """A printed table over a full-precision frame. `emphasis` maps (row, column name) to "warn", "focus" or "whole".

    `texts` translates text cells: value -> Text. `anchors`: per row, the key of the section its first cell leads to.
    """

    name: str
    title: Text
    frame: pl.DataFrame
    columns: tuple[Column, ...]
    emphasis: Mapping[tuple[int, str], Literal["warn", "focus", "whole"]] = field(default_factory=dict)
    texts: Mapping[str, Text] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Section(Shown):
    """One finding: title (a computed sentence), subtitle (the legend), figures, tables, notes, and the numbers.

    `kicker` stands above the title where that does not say what it is a finding of: the name of a model. `code` is a
    text to copy as it is, such as BibTeX: on the page and in the notebook. `simulator`: sliders that a
    page adds to its figures. `slanted`: of each paragraph the part that English sets in italics, where they list works.
    """

    key: str
    title: Text
    subtitle: Text
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    paragraphs: tuple[Text, ...] = ()
    notes: tuple[Note, ...] = ()
    data: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    half: bool = False
    language: Language = "zh"
    kicker: Text | None = None
    code: str = ""
    simulator: Simulator | None = None
    slanted: tuple[str, ...] = ()

    @property
    def has_intervals(self) -> bool:
        """Whether its numbers carry intervals, so that `SAMPLING_ONLY` is due."""
        frames = (*self.data.values(), *(t.frame for t in self.tables))
        return any(c.endswith(("conf_low", "half_width")) for frame in frames for c in frame.columns)


@dataclass(frozen=True, slots=True, repr=False)
class Headline(Shown):
    """The answer first: kicker, sentence, the index, its interval, changes, and the line under the sentence.

    `facts` (name, number, word) stand in the index's place where a reader wants other numbers first. `measure` says
    what the index is where the sentence is about something else. `levels`: of the intervals of the changes.
    """

    kicker: Text
    sentence: Text
    value: float
    conf_low: float
    conf_high: float
    changes: tuple[tuple[Text, float, float, bool], ...]
    dateline: Text
    level: float = 0.95
    facts: tuple[tuple[Text, Text, Text], ...] = ()
    measure: Text | None = None
    levels: tuple[float | None, ...] = ()

    @property
    def interval_name(self) -> Text:
        """What stands before the interval: of this index alone, whatever else is compared."""
        level = f"{100 * self.level:.10g}%"
        return Text(f"Pointwise {level} CI", f"逐点 {level} 置信区间")

    def verdict(self, place: int) -> Text:
        """What stands behind a change: whether it is significant, and the level of the interval behind its ±."""
        _, _, half, sure = self.changes[place]
        said, said_zh = ("significant", "显著") if sure else ("not significant", "不显著")
        level = self.levels[place] if place < len(self.levels) and isfinite(half) else None
        if level is not None:
            holm = level > self.level + 1e-6
            shown = f"{100 * level:.4g}%"
            said += f"; ± at {shown}, Holm-adjusted" if holm else f"; ± at {shown}"
            said_zh += f"；± 为 {shown} 水平" + ("（Holm 校正）" if holm else "")
        return Text(f" ({said})", f"（{said_zh}）")


@dataclass(frozen=True, slots=True, repr=False)
class Report(Shown):
    """Values until rendered: a title, a headline, sections in order, and the record of how they were made.

    `absent` says why the index of a brand or the model is missing although there are enough answers for it.
    """

    title: Text
    headline: Headline
    sections: tuple[Section, ...]
    record: Mapping[str, object]
    languages: tuple[Language, ...] = ("zh", "en")
    absent: tuple[Note, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What holds for the whole report: said once, under all sections."""
        return (SAMPLING_ONLY,) if any(s.has_intervals for s in self.sections) else ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the sections, in order."""
        return tuple(s.key for s in self.sections)

    def section(self, key: str, lang: Language | None = None) -> Section:
        """The section `key`, to be shown in `lang` (the report's first language by default).

        Raises:
            Problems: E-SECTION for an unknown key.
        """
        for section in self.sections:
            if section.key == key:
                return replace(section, language=lang or self.languages[0])
        hint = did_you_mean(key, self.keys)
        en, zh = f'the report has no section "{key}".', f"报告中没有“{key}”一节。"
        raise Problems([problem("E-SECTION", "section", en, zh, hint.en, hint.zh)])


@display.text.register
def _section_text(value: Section, lang: str = "") -> str:
    """A section on one line: its key and its finding."""
    return f"{value.key}: {value.title.say(lang or value.language)}"


@display.text.register
def _headline_text(value: Headline, lang: str = "en") -> str:
    """The headline on one line."""
    return value.sentence.say(lang)


@display.text.register
def _report_text(value: Report, lang: str = "") -> str:
    """A report as its headline and the findings of its sections."""
    lang = lang or value.languages[0]
    lines = [value.title.say(lang), value.headline.sentence.say(lang)]
    return "\n".join([*lines, *(f"  {s.key}: {s.title.say(lang)}" for s in value.sections)])
