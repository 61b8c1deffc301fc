"""What a model of the library is: its name, what it needs, and the function that tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

import polars as pl

from csi.errors import Note, Problem, Text, problem
from csi.reporting.section import Column, Emphasis, Kind, Section, Table
from csi.reporting.words.phrases import numbered
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

Tell = Callable[[Study, Panel, Options], Section]
"""Runs a model on answers and tells what came of it."""

GROUPS = {
    "brand": Text("brand", "品牌"),
    "wave": Text("wave", "期次"),
    "stage": Text("stage", "阶段"),
    "segment": Text("segment", "客群"),
}
"""Headings of key columns."""


LEVELS = {"attribute", "dimension", "overall", "weighted"}
"""Kinds of rows that stand under each other in one table."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something a model cannot do without.

    Attributes:
        what: its name in a sentence, such as "attributes asked as P and Ew". met: whether a study has it.
        add: what to add to a study that has it not. named: the same need in the words of some options.
    """

    what: Text
    met: Callable[[Study, Options], bool]
    add: Text
    named: Callable[[Options], Need] | None = None

    def under(self, options: Options) -> Need:
        """The need in the words of these options."""
        return self.named(options) if self.named else self


@dataclass(frozen=True, slots=True)
class Method:
    """A model of the library.

    Attributes:
        name: as `--model` and `models:` write it. number: its place among the twelve models; 0 for what stands around
            them. title: what it is called. needs: what it cannot do without. tell: runs it.
        options: names of the options (`csi.study.options.Options`) it takes. cells: which of "by" (key columns that
            make cells) and "where" (only rows with these keys) it takes besides. panel: whether it follows the same
            people, so that a report tells it only where the study says that they are (or names the model). whole:
            whether a report gives it the answers of all waves, not of the latest. joins: kinds of tables of events
            whose ids must be respondents' (the first that the study has).
    """

    name: str
    number: int
    title: Text
    needs: tuple[Need, ...]
    tell: Tell
    options: tuple[str, ...] = ()
    cells: tuple[str, ...] = ("by", "where")
    panel: bool = False
    whole: bool = False
    joins: tuple[str, ...] = ()

    def lacks(self, study: Study, options: Options) -> tuple[Need, ...]:
        """The needs that a study does not meet."""
        return tuple(need.under(options) for need in self.needs if not need.met(study, options))


def texts_of(study: Study) -> dict[str, Text]:
    """Labels of constructs, items, brands, stages and segments."""
    book = study.codebook
    items = {i.name: Text(i.label.en or i.name, i.label.zh or i.name) for i in book.items}
    constructs = {c: t for c, t in book.constructs.items() if t.en or t.zh}
    return {**items, **study.model.labels, **constructs, **study.brands, **study.segments, **study.stages}


def outcome_label(study: Study, name: str) -> Text:
    """An outcome in words: the study's label of the construct or item, whatever a row of the same name is called."""
    return texts_of(study).get(name, Text(name, name))


def tabled(
    name: str,
    title: Text,
    frame: pl.DataFrame,
    kinds: Mapping[str, Kind],
    headings: Mapping[str, Text],
    texts: Mapping[str, Text],
    notes: tuple[Note, ...] = (),
    least: Mapping[str, tuple[float, str]] | None = None,
) -> Table:
    """The columns of a frame named in `kinds`, key columns that say something before them.

    `least`: column of p-values -> the least that its draws can give, and the column of the plain ones ("": itself).
    Where rows are attributes, their dimensions and the whole, the column `kind` gives way to names in bold.

    Example:
        >>> frame = pl.DataFrame({"wave": ["w1", "w2"], "name": ["a", "a"], "gap": [-0.5, 0.1]})
        >>> made = tabled("gap", Text("Gaps", "差距"), frame, {"name": "text", "gap": "number"}, {}, {})
        >>> [c.name for c in made.columns]
        ['wave', 'name', 'gap']
    """
    keys = [k for k in GROUPS if k in frame.columns and k not in kinds and (frame[k] != "").any()]
    heads = {**GROUPS, **headings}
    merged = {"kind", "name"} <= kinds.keys() & set(frame.columns) and set(frame["kind"].unique()) <= LEVELS
    columns = [Column(k, heads[k]) for k in keys]
    columns += [
        Column(c, heads.get(c, Text(c, c)), kind, *(least or {}).get(c, ()))
        for c, kind in kinds.items()
        if c in frame.columns and not (merged and c == "kind")
    ]
    whole = [i for i, kind in enumerate(frame["kind"]) if kind != "attribute"] if merged else []
    bold: Emphasis = {(i, "name"): "whole" for i in whole} if len(whole) < frame.height else {}
    if "flag" not in frame.columns:
        return Table(name, title, frame, tuple(columns), bold, texts, notes)
    warned, frame = _few(frame, [c.name for c in columns], kinds)
    return Table(name, title, frame, tuple(columns), {**bold, **warned}, {**texts, **ABSENT}, notes)


class Asked(TypedDict):
    """What every model of forms takes from a study and its options."""

    by: tuple[str, ...]
    where: Mapping[str, str]
    level: float
    small: int
    flagged: int


def asked(study: Study, options: Options) -> Asked:
    """The cells, the rows kept, the level of intervals and the smallest bases."""
    settings = study.settings
    return Asked(
        by=options.by, where=options.where, level=settings.level, small=settings.small, flagged=settings.flagged
    )


def few_people(count: int, small: int, place: str) -> Problem | None:
    """A problem where a whole table of events is of fewer people than the smallest base; else None.

    Example:
        >>> few_people(1, 30, "bgnbd").what.en, few_people(300, 30, "bgnbd")
        ('events of 1 person, fewer than 30; suppressed.', None)
    """
    if count >= small:
        return None
    en, zh = (
        f"events of {count} {'person' if count == 1 else 'people'}, fewer than {small}; suppressed.",
        f"事件只涉及 {count} 人，不足 {small}，不予发布。",
    )
    do, do_zh = "Observe more people, or lower report: {small}.", "请增加人数，或调低 report: {small}。"
    return problem("E-BASE", place, en, zh, do, do_zh)


ABSENT = {"base few": Text("too few", "过少"), "base other": Text("see notes", "见注")}
"""What stands where a row's values are withheld."""


def _few(frame: pl.DataFrame, columns: list[str], kinds: Mapping[str, Kind]) -> tuple[Emphasis, pl.DataFrame]:
    """Marks on the counts of rows with few answers; in rows without values, why in place of the first."""
    counts = [c for c in columns if kinds.get(c) == "count"][:1]
    marked = [i for i, flag in enumerate(frame["flag"]) if flag is not None]
    values = [c for c in columns if c in kinds and kinds[c] not in ("text", "count")][:1]
    why = (
        pl.when(pl.col("flag").eq_missing("suppressed"))
        .then(pl.lit("base few"))
        .when(pl.col("reason").is_not_null())
        .then(pl.lit("base other"))
    )
    told = frame.with_columns(why.alias(f"{c}_reason") for c in values if f"{c}_reason" not in frame.columns)
    return {(i, c): "warn" for i in marked for c in counts}, told


def titled(sentences: tuple[Text, ...], otherwise: Text) -> tuple[Text, tuple[Text, ...]]:
    """The finding that stands over a section, and the sentences under it; numbers below 0 have a true minus.

    Example:
        >>> titled((Text("Short by -1.39 (-2 to 3).", "短缺 -1.39。"),), Text("", ""))[0].en
        'Short by −1.39 (−2 to 3).'
    """
    if not sentences:
        return otherwise, ()
    said = tuple(numbered(s) for s in sentences)
    return said[0], said[1:]


def begun(said: Text) -> Text:
    """A note that begins its line: an English word gets a capital, a symbol or the name of an item stays.

    Example:
        >>> [begun(Text(s, "")).en for s in ("the line may bend.", "m + z s lies beyond.", "rho_c is one.", "c1 is.")]
        ['The line may bend.', 'm + z s lies beyond.', 'rho_c is one.', 'c1 is.']
    """
    word = re.match(r"[a-z]+(?=[\s,:;(])", said.en)
    begins = said.en.startswith("a ") or (word is not None and len(word[0]) > 1)
    return Text(said.en[:1].upper() + said.en[1:], said.zh) if begins else said
