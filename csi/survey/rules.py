"""What to do with doubtful rows: each rule is a named polars expression whose effect is counted in the audit.

A rule drops rows (they move to `Panel.excluded`), flags them (they stay and are listed in `Panel.flagged`), or stops.
The columns that the expressions read are those of `csi.survey.signs`; where thresholds come from: `rule_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from csi.survey.codebook import Codebook

RUN = "longest run of one answer"
AVERAGE = "average run of one answer"
VARIABILITY = "variability of answers"
PACE = "median seconds per item over own"
PATTERN = "others with the same answers"
DEVICE = "respondents of the device"
DISTANCE = "p of the distance"
FAILED = "attention items failed"
AGAINST = "contradictory pairs"
AGREEMENT = "agreement of synonyms"
SILENT = "share of items unanswered"

Action = Literal["off", "flag", "drop"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What to do with doubtful rows and cells; each choice is counted in the panel's audit.

    Attributes:
        straight_lining: a run of at least `straight_lining_items` identical answers to consecutive questions of one
            scale (unanswered questions do not break it). average_run: runs of `average_run_items` and more on average.
        variability: a standard deviation of a respondent's answers (as shares of their scales) below
            `variability_below`.
        speeders: less than `speeders_seconds` from start to end. speeders_relative: at least `speeders_index` times as
            fast per question as the median respondent of the wave.
        patterns: the same answers to all questions (`patterns_items` or more, not all alike) as another respondent of
            the wave. devices: more than `devices_people` respondents of a wave with one value in the column `device`.
        outliers: a Mahalanobis distance with a p below `outliers_p`.
        inattentive: at least `attention_failed` of the items of `attention` (item or column -> answer expected) wrong.
        contradictory: at least `contradictions_found` of the pairs (a, b, limit) of `contradictions` so many points
            apart, reversed items turned over. synonyms: answers to pairs of items that go together (|r| at least
            `synonyms_r`, three pairs or more) agree less than `synonyms_below` within the respondent.
        nonresponse: more than the share `nonresponse_share` of the questions asked is unanswered.
        interviewer, mode: columns whose effects are looked at (`csi.quality`); they drop nothing.

    Example:
        >>> Rules(speeders="drop", speeders_seconds=45).speeders_seconds
        45
    """

    out_of_range: Literal["missing", "stop"] = "stop"
    duplicates: Literal["stop", "first", "last"] = "stop"
    straight_lining: Action = "flag"
    straight_lining_items: int = 10
    speeders: Action = "off"
    speeders_seconds: float = 60.0
    empty_rows: Literal["flag", "drop"] = "drop"
    not_a_number: Literal["missing", "stop"] = "stop"
    average_run: Action = "off"
    average_run_items: float = 5.0
    variability: Action = "off"
    variability_below: float = 0.05
    speeders_relative: Action = "off"
    speeders_index: float = 2.0
    patterns: Action = "off"
    patterns_items: int = 10
    devices: Action = "off"
    device: str = ""
    devices_people: int = 1
    outliers: Action = "off"
    outliers_p: float = 0.001
    inattentive: Action = "flag"
    attention: Mapping[str, str | float] = field(default_factory=dict)
    attention_failed: int = 1
    contradictory: Action = "flag"
    contradictions: tuple[tuple[str, str, float], ...] = ()
    contradictions_found: int = 1
    synonyms: Action = "off"
    synonyms_r: float = 0.6
    synonyms_below: float = 0.0
    nonresponse: Action = "off"
    nonresponse_share: float = 0.5
    interviewer: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True)
class RowRule:
    """A named test of rows: `hits` is true where it applies, `action` says what then happens, `detail` its settings."""

    name: str
    action: Literal["drop", "flag", "stop"]
    hits: pl.Expr
    detail: str = ""


Test = Callable[[Rules], tuple[pl.Expr, str]]

TESTS: Mapping[str, Test] = {
    "speeders": lambda r: (pl.col("duration") < r.speeders_seconds, f"duration < {r.speeders_seconds:g} s"),
    "speeders_relative": lambda r: (pl.col(PACE) >= r.speeders_index, f"speed index >= {r.speeders_index:g}"),
    "straight_lining": lambda r: (pl.col(RUN) >= r.straight_lining_items, f"run >= {r.straight_lining_items} items"),
    "average_run": lambda r: (pl.col(AVERAGE) >= r.average_run_items, f"average run >= {r.average_run_items:g} items"),
    "variability": lambda r: (pl.col(VARIABILITY) < r.variability_below, f"variability < {r.variability_below:g}"),
    "patterns": lambda r: (pl.col(PATTERN) >= 1, f"same answers to >= {r.patterns_items} items"),
    "devices": lambda r: (pl.col(DEVICE) > r.devices_people, f"respondents per device > {r.devices_people}"),
    "outliers": lambda r: (pl.col(DISTANCE) < r.outliers_p, f"distance p < {r.outliers_p:g}"),
    "inattentive": lambda r: (
        pl.col(FAILED) >= r.attention_failed,
        f"failed >= {r.attention_failed} of {len(r.attention)} checks",
    ),
    "contradictory": lambda r: (
        pl.col(AGAINST) >= r.contradictions_found,
        f"apart >= {r.contradictions_found} of {len(r.contradictions)} pairs",
    ),
    "synonyms": lambda r: (
        pl.col(AGREEMENT) < r.synonyms_below,
        f"agreement < {r.synonyms_below:g} over pairs with r >= {r.synonyms_r:g}",
    ),
    "nonresponse": lambda r: (pl.col(SILENT) > r.nonresponse_share, f"unanswered > {r.nonresponse_share:g}"),
}
"""Rule -> the rows it hits and its threshold, in the order they run."""


def usable(rules: Rules, roles: Sequence[str]) -> tuple[str, ...]:
    """The rules of `TESTS` that have the columns and lists they need, whether on or off.

    Example:
        >>> "speeders" in usable(Rules(), ["duration"]), "devices" in usable(Rules(), [])
        (True, False)
    """
    needs = {
        "speeders": "duration" in roles,
        "speeders_relative": "duration" in roles,
        "devices": bool(rules.device),
        "inattentive": bool(rules.attention),
        "contradictory": bool(rules.contradictions),
    }
    return tuple(name for name in TESTS if needs.get(name, True))


def active(rules: Rules, roles: Sequence[str]) -> tuple[str, ...]:
    """The rules of `TESTS` that run."""
    return tuple(name for name in usable(rules, roles) if getattr(rules, name) != "off")


def empty_rows(rules: Rules, codebook: Codebook) -> RowRule:
    """No item is answered."""
    return RowRule("empty_rows", rules.empty_rows, pl.all_horizontal(pl.col(n).is_null() for n in codebook.names))


def row_rules(rules: Rules, roles: Sequence[str]) -> Iterator[RowRule]:
    """The rules asked for, in the order they run; `roles` are the key columns the panel has."""
    keys = [role for role in ("respondent", "brand", "wave") if role in roles]
    if "respondent" in keys:
        yield duplicates(rules, keys)
    for name in active(rules, roles):
        hits, detail = TESTS[name](rules)
        yield RowRule(name, getattr(rules, name), hits.fill_null(value=False), detail)


def duplicates(rules: Rules, keys: Sequence[str]) -> RowRule:
    """The same respondent (and brand) twice in a wave: all of them, all but the first, or all but the last.

    Blank keys name nobody: they are a problem of their own (`csi.survey.keys`) and no duplicates of one another.
    """
    same, detail = pl.struct(keys), " + ".join(keys)
    named = pl.all_horizontal(pl.col(key).is_not_null() for key in keys)
    if rules.duplicates == "stop":
        return RowRule("duplicates", "stop", same.is_duplicated() & named, detail)
    kept = same.is_first_distinct() if rules.duplicates == "first" else same.is_last_distinct()
    return RowRule("duplicates", "drop", ~kept & named, f"{detail}, {rules.duplicates} kept")
