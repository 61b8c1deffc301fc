"""What to do with doubtful rows: each rule is a named polars expression whose effect is counted in the audit.

A rule drops rows (they move to `Panel.excluded`), flags them (they stay and are listed in `Panel.flagged`), or stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from csi.survey.codebook import Codebook

RUN = "longest run of one answer"


@dataclass(frozen=True, slots=True)
class Rules:
    """What to do with doubtful rows and cells; each choice is counted in the panel's audit.

    `straight_lining`: a run of at least `straight_lining_items` identical answers to consecutive questions of one scale
    (unanswered questions do not break it). `speeders`: less than `speeders_seconds` from start to end.

    Example:
        >>> Rules(speeders="drop", speeders_seconds=45).speeders_seconds
        45
    """

    out_of_range: Literal["missing", "stop"] = "stop"
    duplicates: Literal["stop", "first", "last"] = "stop"
    straight_lining: Literal["off", "flag", "drop"] = "flag"
    straight_lining_items: int = 10
    speeders: Literal["off", "flag", "drop"] = "off"
    speeders_seconds: float = 60.0
    empty_rows: Literal["flag", "drop"] = "drop"
    not_a_number: Literal["missing", "stop"] = "stop"


@dataclass(frozen=True, slots=True)
class RowRule:
    """A named test of rows: `hits` is true where it applies, `action` says what then happens, `detail` its settings."""

    name: str
    action: Literal["drop", "flag", "stop"]
    hits: pl.Expr
    detail: str = ""


def empty_rows(rules: Rules, codebook: Codebook) -> RowRule:
    """No item is answered."""
    return RowRule("empty_rows", rules.empty_rows, pl.all_horizontal(pl.col(n).is_null() for n in codebook.names))


def row_rules(rules: Rules, roles: Sequence[str]) -> Iterator[RowRule]:
    """The rules asked for, in the order they run; `roles` are the key columns the panel has."""
    keys = [role for role in ("respondent", "brand", "wave") if role in roles]
    if "respondent" in keys:
        yield duplicates(rules, keys)
    if rules.speeders != "off" and "duration" in roles:
        hits = pl.col("duration").lt(rules.speeders_seconds).fill_null(value=False)
        yield RowRule("speeders", rules.speeders, hits, f"duration < {rules.speeders_seconds:g} s")
    if rules.straight_lining != "off":
        hits = pl.col(RUN) >= rules.straight_lining_items
        yield RowRule("straight_lining", rules.straight_lining, hits, f"run >= {rules.straight_lining_items} items")


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


def with_longest_run(frame: pl.LazyFrame, codebook: Codebook) -> pl.LazyFrame:
    """`frame` with a column `RUN`: the most identical answers in a row among consecutive items of one scale.

    One step per item, O(n p): a blank keeps the run, another answer or another scale starts a new one.

    Source: Johnson 2005, Journal of Research in Personality 39:103-129 (long strings as a sign of careless answers).
    """
    run, last, state = "a run so far", "the last answer", frame
    state = state.with_columns(pl.lit(0).alias(run), pl.lit(0).alias(RUN), pl.lit(None, pl.Float64).alias(last))
    scale = ""
    for item in codebook.items:
        answer = pl.col(item.name)
        if item.scale.name != scale:
            scale, state = item.scale.name, state.with_columns(pl.lit(None, pl.Float64).alias(last))
        longer = pl.when(answer == pl.col(last)).then(pl.col(run) + 1).otherwise(1)
        state = state.with_columns(
            pl.when(answer.is_null()).then(pl.col(run)).otherwise(longer).alias(run),
            pl.coalesce(answer, last).alias(last),
        ).with_columns(pl.max_horizontal(RUN, run).alias(RUN))
    return state.drop(run, last)
