"""Rows on their way through the rules; what a rule takes out or flags stays on record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from csi.errors import Problem, problem
from csi.survey.cells import counted, shown
from csi.survey.columns import FILE, ROW
from csi.survey.panel import RuleEffect
from csi.survey.rules import RowRule

POSITION = "position"
"""The row's place among all rows read."""

HIT = "hit by "
"""Before the name of a rule: the column that says whether it applies to a row, whatever became of it."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """The rows still kept, what each rule did, marks (`POSITION`, `rule`) of rows dropped and flagged, and the rows
    dropped (with their `HIT` columns).
    """

    frame: pl.DataFrame
    effects: tuple[RuleEffect, ...] = ()
    dropped: tuple[pl.DataFrame, ...] = ()
    flagged: tuple[pl.DataFrame, ...] = ()
    problems: tuple[Problem, ...] = ()
    lost: tuple[pl.DataFrame, ...] = ()


def apply(state: Ruled, rules: Iterable[RowRule]) -> Ruled:
    """Each rule in turn, on the rows its predecessors kept; whom each one hits is looked at on all of them."""
    rules = list(rules)
    state = replace(state, frame=state.frame.with_columns(rule.hits.alias(HIT + rule.name) for rule in rules))
    for rule in rules:
        frame = state.frame
        hits = frame[HIT + rule.name]
        hit = frame.filter(hits)
        mark = (hit.select(POSITION, pl.lit(rule.name).alias("rule")),) if hit.height else ()
        drops = rule.action == "drop"
        state = Ruled(
            frame.filter(~hits) if drops else frame,
            (*state.effects, RuleEffect(rule.name, rule.action, hit.height, 0, rule.detail)),
            state.dropped + (mark if drops else ()),
            state.flagged + (mark if rule.action == "flag" else ()),
            state.problems + (tuple(twice(hit)) if rule.action == "stop" else ()),
            state.lost + ((hit,) if drops and hit.height else ()),
        )
    return state


def hits_of(rows: pl.DataFrame, rules: Iterable[RuleEffect]) -> pl.DataFrame:
    """A Boolean column for every rule that dropped or flagged: whether it applies to a row."""
    names = [e.rule for e in rules if e.action in ("drop", "flag") and HIT + e.rule in rows.columns]
    return rows.select(pl.col(HIT + name).alias(name) for name in names)


def marked(rows: pl.DataFrame, marks: tuple[pl.DataFrame, ...]) -> pl.DataFrame | None:
    """`rows` (all rows read) that bear a mark, with their `rule`; None when there is none."""
    if not marks:
        return None
    every = pl.concat(marks)
    return rows[every[POSITION]].insert_column(0, every["rule"])


def twice(hit: pl.DataFrame) -> Iterator[Problem]:
    """The problem of duplicate respondents, with the first few and their rows."""
    if hit.is_empty():
        return
    keys = [key for key in ("respondent", "brand", "wave") if key in hit.columns]
    groups = hit.group_by(keys, maintain_order=True).agg(pl.col(FILE).first(), pl.col(ROW))
    few = groups.head(5).rows(named=True)
    more = groups.height > len(few)
    listed = "; ".join(" / ".join(shown(g[k]) for k in keys) + f" (rows {_rows(g[ROW])})" for g in few)
    listed_zh = "；".join(" / ".join(shown(g[k]) for k in keys) + f"（第 {_rows(g[ROW])} 行）" for g in few)
    within, within_zh = (" in a wave", "同一期内") if "wave" in keys else ("", "")
    yield problem(
        "E-DUPLICATE",
        few[0][FILE],
        f"{counted(groups.height, 'respondent occurs', 'respondents occur')} more than once{within} "
        f"({' / '.join(keys)}): {listed}" + ("; ..." if more else "."),
        f"{within_zh}有 {groups.height} 位受访者重复出现（{' / '.join(keys)}）：{listed_zh}{'……' if more else '。'}",
        "Remove the repeated rows, or set rules: duplicates: first (or last). "
        "If several brands were rated, name the key `brand`.",
        "请删去重复的行，或设置 rules 中的 duplicates: first（或 last）。"
        "如果同一人评价了多个品牌，请写出关键列 brand。",
    )


def _rows(rows: list[int]) -> str:
    return ", ".join(str(row) for row in rows[:4]) + (", ..." if len(rows) > 4 else "")
