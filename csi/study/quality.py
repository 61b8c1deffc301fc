"""What the rules find in the answers, what it moves the index by, where rows went, and how items were answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Language, Note, Text, note
from csi.estimate.given import check_kind
from csi.study.answered_items import item_table
from csi.study.fieldwork_groups import interviewer_table, mode_table
from csi.study.fitted import CELLS
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study
from csi.study.weighing import Weighing, cell_of, plain, usable_rows, weighing
from csi.survey.differences import together_told
from csi.survey.disclosure import below
from csi.survey.disclosure import together as at_once
from csi.survey.panel import Panel
from csi.survey.rule_words import RULE_WORDS
from csi.survey.rules import TESTS, Rules, usable
from csi.tracking.row_effects import Answered, Bools, Move, moves, together
from csi.tracking.show import shown

ALL: Final = "all"
SMALL: Final = 30

EFFECTS = {
    "rule": pl.String, "action": pl.String, "rows": pl.Int64, "n": pl.Int64, "with_rows": pl.Float64,
    "without": pl.Float64, "effect": pl.Float64, "std_error": pl.Float64, "conf_low": pl.Float64,
    "conf_high": pl.Float64, "reason": pl.String, "reason_zh": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Quality(Shown):
    """How the answers were given and what doubtful ones move.

    Attributes:
        table: a line per rule: rule, action (drop, flag; off where it was only looked at), rows hit, share of all rows
            with answers, detail (its threshold), source.
        effects: brand, wave (those there are; null for all cells together), rule ("all": those that run together),
            action, rows hit among usable ones, n of the published cell, the index with_rows and without them, effect
            (points that leaving them out adds), its std_error, conf_low and conf_high, and the reason where nothing is
            told.
        flow: rows read, touched by each rule and kept, per brand and wave.
        items: of each item the share of answers asked for and not given, at the floor and at the ceiling.
        interviewers, modes: see `csi.study.fieldwork_groups`; empty where the rules name no such column.
        target: the construct of the effects. level: of the intervals.
    """

    table: pl.DataFrame
    effects: pl.DataFrame
    flow: pl.DataFrame
    items: pl.DataFrame
    interviewers: pl.DataFrame
    modes: pl.DataFrame
    target: str
    level: float = 0.95
    notes: tuple[Note, ...] = ()


def quality(
    data: Study | Panel | str | Path,
    *,
    target: str = "",
    every: bool = True,
    small: int | None = None,
    level: float = 0.95,
) -> Quality:
    """What each rule finds and moves: counts, points of the index, flow, items, interviewers and modes.

    An effect is the index without the rows that a rule hits less the index with them, each rule alone (and all that run
    together), in the published cell: rows of a dropping rule are put back, those of a flagging rule left out. The
    weights of the items are those of the index, so the difference is of rows; its error is linearised and paired.

    Parameters:
        data: a study or its path; or a `Panel`, whose target then has equal weights and whose rules are those it was
            read with.
        target: the construct (the study's by default). every: look at rules that are off, too (of a study).
        small: answers below which nothing is told (the study's, else 30). level: of the intervals.

    Returns:
        Quality. Effects of fewer rows than `small`, or that with others would tell of so few, have a reason instead.

    Raises:
        Problems: what is wrong with the study or the answers; an unknown target.

    Example:
        >>> found = quality("data/telecom/study.yaml")  # doctest: +SKIP
        >>> found.table.columns[:4]  # doctest: +SKIP
        ['rule', 'action', 'rows', 'share']
    """
    wanted = Text("a study, the path of its file or a Panel", "研究、其文件路径或 Panel")
    do = Text('Give "study.yaml" or csi.read_panel(...).', '请给出 "study.yaml" 或 csi.read_panel(...)。')
    check_kind("data", data, (Study, Panel, str, Path), wanted, do)
    if isinstance(data, Panel):
        return judged(data, plain(data, target), None, SMALL if small is None else small, level)
    study = given_study(data)
    rules = looked_at(study.rules, study.codebook.keys) if every else study.rules
    panel = read_study_panel(replace(study, rules=rules))
    return judged(panel, weighing(study, panel, target), study.rules, small or study.settings.small, level)


def looked_at(rules: Rules, roles: Sequence[str] | Mapping[str, str]) -> Rules:
    """The rules with those that are off flagging instead, where they have what they need."""
    silent = [name for name in usable(rules, list(roles)) if getattr(rules, name) == "off"]
    changed: dict[str, Any] = dict.fromkeys(silent, "flag")
    return replace(rules, **changed)


def judged(panel: Panel, how: Weighing, rules: Rules | None, small: int, level: float) -> Quality:
    """Everything of `quality` from a panel and the weights of its index.

    Parameters:
        rules: the study's own, where others were looked at besides; None where the panel's are all that there are.
    """
    off = set() if rules is None else {n for n in TESTS if getattr(rules, n) == "off"}
    named = {e.rule: e for e in panel.audit if e.action in ("drop", "flag") and e.rule in RULE_WORDS}
    actions = {name: "off" if name in off else e.action for name, e in named.items()}
    effects, notes = _effects(panel, how, actions, small, level)
    sample = usable_rows(panel, how)
    sources = {name: RULE_WORDS[name].source for name in named}
    return Quality(
        table=_rules_table(panel, actions, {n: e.detail for n, e in named.items()}, sources),
        effects=effects,
        flow=_flow(panel, off),
        items=item_table(panel, small),
        interviewers=interviewer_table(panel, sample, how, small, level),
        modes=mode_table(panel, sample, how, small, level),
        target=how.target,
        level=level,
        notes=notes,
    )


def _flow(panel: Panel, off: set[str]) -> pl.DataFrame:
    """The flow without the rules that are off; they touched nothing."""
    found = pl.DataFrame() if panel.flow is None else panel.flow
    return found.filter(~pl.col("rule").is_in(list(off))) if found.width else found


def _rules_table(
    panel: Panel, actions: Mapping[str, str], details: Mapping[str, str], sources: Mapping[str, Text]
) -> pl.DataFrame:
    """Each rule alone, on all rows with an answer; empty questionnaires on all rows read."""
    hits = _hits(panel)
    audit = {e.rule: e.rows for e in panel.audit}
    rows = [
        (name, action, int(hits[name].sum()) if name in hits.columns and name != "empty_rows" else audit[name])
        for name, action in actions.items()
    ]
    table = pl.DataFrame(rows, {"rule": pl.String, "action": pl.String, "rows": pl.Int64}, orient="row")
    return table.with_columns(
        (pl.col("rows") / max(hits.height, 1)).alias("share"),
        pl.Series("detail", [details[r] for r in table["rule"]], dtype=pl.String),
        pl.Series("source", [sources[r].en for r in table["rule"]], dtype=pl.String),
        pl.Series("source_zh", [sources[r].zh for r in table["rule"]], dtype=pl.String),
    )


def _hits(panel: Panel) -> pl.DataFrame:
    """Hits of the rows kept, then of those dropped."""
    kept = pl.DataFrame() if panel.hits is None else panel.hits
    return pl.concat([kept, panel.dropped.hits]) if panel.dropped is not None else kept


def everyone(panel: Panel) -> Panel:
    """The panel with the rows that rules dropped put back behind those kept."""
    if panel.dropped is None:
        return panel
    lost, frame = panel.dropped.frame, panel.frame
    added = [pl.lit(frame[c][0]).alias(c) for c in frame.columns if c not in lost.columns]
    lost = lost.with_columns(added).select(frame.columns)
    reasons = panel.reasons.clear(lost.height)
    return replace(panel, frame=pl.concat([frame, lost]), reasons=pl.concat([panel.reasons, reasons]))


def _effects(
    panel: Panel, how: Weighing, actions: Mapping[str, str], small: int, level: float
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """A line per cell and rule."""
    keys = [k for k in CELLS if k in panel.frame.columns]
    schema: dict[str, Any] = {**dict.fromkeys(keys, pl.String), **EFFECTS}
    if panel.hits is None or panel.hits.height != panel.frame.height:
        en = "the panel does not say which rows its rules hit, so their effects are not known."
        return pl.DataFrame(schema=schema), (note("N-QUALITY-HITS", en, "数据未记录各规则命中的行，其影响未知。"),)
    sample = usable_rows(everyone(panel), how)
    if sample is None:
        return pl.DataFrame(schema=schema), ()
    hits = _hits(panel)
    kept = np.arange(hits.height) < panel.frame.height
    first = sorted(actions, key=lambda n: actions[n] == "off")  # those that run are told before others are
    named = {n: actions[n] for n in first if n in hits.columns and n != "empty_rows"}
    masks = {n: hits[n].to_numpy().astype(bool) for n in named}
    found: list[Cell] = []
    for number, key in enumerate(sample.cells.drop("n").iter_rows(named=True)):
        rows = cell_of(sample, number, how, key)
        if rows is not None:
            cell, place = rows
            found.append(Cell(tuple(key.values()), cell, kept[place], {n: mask[place] for n, mask in masks.items()}))
    lines = [(*one.key, *line) for one in found for line in _cell_lines(one, named, small, level)]
    effects = pl.DataFrame(lines, schema, orient="row")
    if len(found) > 1:
        lines = [(*(None,) * len(keys), *line) for line in _pooled_lines(found, effects, named, small, level)]
        effects = pl.concat([effects, pl.DataFrame(lines, schema, orient="row")])
    return effects, ()


@dataclass(frozen=True, slots=True)
class Cell:
    """The rows of a cell: their answers, which of them are kept, and which a rule hits."""

    key: tuple[object, ...]
    rows: Answered
    kept: Bools
    hits: Mapping[str, Bools]

    def pairs(self, actions: Mapping[str, str]) -> list[tuple[Bools, Bools]]:
        """With and without the rows of each rule; last those of all that run."""
        kept, hits = self.kept, self.hits
        pairs = [(kept | hits[n], kept) if a == "drop" else (kept, kept & ~hits[n]) for n, a in actions.items()]
        back, out = (_any([hits[n] for n, a in actions.items() if a == what], kept) for what in ("drop", "flag"))
        return [*pairs, (kept | back, kept & ~out)]


def _any(hits: Sequence[Bools], like: Bools) -> Bools:
    return np.asarray(np.any(hits, axis=0)) if hits else np.zeros_like(like)


def _cell_lines(cell: Cell, actions: Mapping[str, str], small: int, level: float) -> list[tuple[object, ...]]:
    """One line per rule, and one for all that run together."""
    pairs = cell.pairs(actions)
    return _lines(cell.rows, cell.kept, pairs, together_told(cell.kept, pairs, small), actions, small, level)


def _pooled_lines(
    cells: Sequence[Cell], told: pl.DataFrame, actions: Mapping[str, str], small: int, level: float
) -> list[tuple[object, ...]]:
    """The same for all cells together, where those that are not told singly may stand in a total beside the others."""
    kept = np.concatenate([c.kept for c in cells])
    each = [c.pairs(actions) for c in cells]
    both = [[np.concatenate([p[k][j] for p in each]) for j in (0, 1)] for k in range(len(actions) + 1)]
    pairs = [(one, two) for one, two in both]
    rows = Answered(
        np.concatenate([together(c.rows, np.ones(len(c.kept), dtype=bool)) for c in cells])[:, None],
        np.concatenate([c.rows.weight for c in cells]),
        np.concatenate([c.rows.unit for c in cells]),
        cells[0].rows.stratum,
        np.zeros(1, dtype=np.int64),
        np.ones(1),
        np.zeros(1),
        np.full(1, 100.0),
    )
    held = together_told(kept, pairs, small)
    names = [*actions, ALL]
    for k, name in enumerate(names):
        mine = told.filter(pl.col("rule") == name)
        rest = mine.filter(pl.col("effect").is_null())["rows"].to_numpy()
        held[k] = held[k] and at_once(rest[rest > 0], small)
    whole = [int(c.kept.sum()) for c in cells]
    held = held if at_once(np.array([n for n in whole if n < small]), small) else [False] * len(held)
    return _lines(rows, kept, pairs, held, actions, small, level)


def _lines(
    rows: Answered,
    kept: Bools,
    pairs: Sequence[tuple[Bools, Bools]],
    told: Sequence[bool],
    actions: Mapping[str, str],
    small: int,
    level: float,
) -> list[tuple[object, ...]]:
    """The columns of `EFFECTS` for every rule."""
    found = moves(rows, pairs)
    names = [*actions.items(), (ALL, "")]
    n = int(kept.sum())
    return [
        _line(name, action, int((one & ~two).sum()), n, move if held else None, small, level)
        for (name, action), (one, two), held, move in zip(names, pairs, told, found, strict=True)
    ]


def _line(name: str, action: str, rows: int, n: int, move: Move | None, small: int, level: float) -> tuple[object, ...]:
    """The columns of `EFFECTS`; a reason where nothing is told."""
    if move is None:
        why = below(n, small) if n < small else withheld(small)
        return (name, action, rows, n, *(None,) * 6, why.en, why.zh)
    error = None if not np.isfinite(move.std_error) else move.std_error
    low, high = (None, None) if error is None else move.interval(level)
    return (name, action, rows, n, move.with_rows, move.without, move.effect, error, low, high, None, None)


def withheld(small: int) -> Text:
    """Why the effect of few rows is not told."""
    en = f"withheld: beside the published index it would tell of fewer than {small} answers."
    return Text(en, f"不予发布：与已发布指数相减可得出不足 {small} 份答卷的数值。")


@text.register
def _(value: Quality, lang: Language = "en") -> str:
    """The rules and the notes."""
    return shown(Text("Quality of the answers", "答卷质量").say(lang), value.table.drop("source_zh"), value.notes, lang)
