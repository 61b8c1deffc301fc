"""What was answered: one row per respondent x brand x wave, with everything that was done to it on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from csi.errors import Note, Problem
from csi.survey.asked import Asked
from csi.survey.codebook import Codebook, MissingReason
from csi.survey.datafile import Platform
from csi.survey.weighing import Weighing


@dataclass(frozen=True, slots=True)
class Coded:
    """A code that stands for no answer: why, and how many cells of the used columns hold it."""

    code: str
    reason: MissingReason
    cells: int


@dataclass(frozen=True, slots=True)
class Source:
    """One file (or frame) the panel came from: where, its SHA-256, and what was taken from it.

    `platform` is what it was recognised as, `personal` the columns that name people and stayed behind, `coded` its
    codes that became missing.
    """

    name: str
    sha256: str
    rows: int
    used: tuple[str, ...]
    unused: tuple[str, ...]
    platform: Platform | None = None
    personal: tuple[str, ...] = ()
    coded: tuple[Coded, ...] = ()


@dataclass(frozen=True, slots=True)
class Aside:
    """A cell left aside: its keys, its rows as read, and what is wrong with them."""

    cell: Mapping[str, str]
    rows: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What one named rule did: how many rows or cells it touched, and how."""

    rule: str
    action: str
    rows: int
    cells: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows that rules took out, typed like those kept: `frame` with keys and items, and `hits` of the rules."""

    frame: pl.DataFrame
    hits: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Panel:
    """Survey answers ready for moments.

    Attributes:
        frame: kept rows; key columns bear their role names (`respondent`, `wave`, `brand`, `weight`, ...; only those
            the study has; keys are String, weight and duration Float64), items are Float64, reversed where declared,
            null where missing. `wave` sorts in the study's order through `waves`.
        codebook: what was asked.
        reasons: same height as `frame`, one String column per item: the `MissingReason` where the answer is null.
        waves: the waves present, oldest first. brands: the brands present, in the study's order.
        audit: what each rule did. excluded: the dropped rows (as read) with a column `rule`.
        sources: the files. notes: what is doubtful.
        flagged: the kept rows that a rule flagged: `rule`, the file and row, and the keys; null when none was.
        unlike: wave -> items of which nobody in it used the upper part of a scale that other waves use.
        former: wave -> item -> lowest and highest answer of the scale that it was asked on, where it was another one
            than the codebook's; the answers in `frame` are turned into the codebook's.
        hits: same height as `frame`: a Boolean column per rule that flags or drops, whether it applies to the row.
        dropped: rows that rules took out, with their hits (rows without any answer are not among them).
        flow: rows read, touched by each rule and kept, per brand and wave.
        aside: cells left out because of what they hold, where the reader was told to go on without them.
        weighing: how the column `weight` was raked (`csi.rake`); None where it was not.
        asked: how every item stood in the export of every wave (see `csi.survey.asked`); none of a single wave.

    Example:
        >>> import csi
        >>> panel = csi.Study.read("data/telecom/study.yaml").panel()
        >>> panel.frame.height, panel.brands, panel.waves[-1]
        (14237, ('ZX', 'YA', 'HL', 'BD'), '2026Q3')
    """

    frame: pl.DataFrame
    codebook: Codebook
    reasons: pl.DataFrame
    waves: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    audit: tuple[RuleEffect, ...] = ()
    excluded: pl.DataFrame | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[Note, ...] = ()
    flagged: pl.DataFrame | None = None
    aside: tuple[Aside, ...] = ()
    unlike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    former: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    hits: pl.DataFrame | None = None
    dropped: Dropped | None = None
    flow: pl.DataFrame | None = None
    weighing: Weighing | None = None
    asked: tuple[Asked, ...] = ()
