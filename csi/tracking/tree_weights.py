"""Weights of a tree by period, with their dates: revenue, shares of GDP, of the consumer price index.

Letters: `m` nodes, `t` waves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Problem, Problems, Text, capped, did_you_mean, problem
from csi.moments.stack import Array
from csi.survey.dates import Dates, read_dates
from csi.survey.side_table import Kind, place_of_row, side_found
from csi.tracking.tree_structure import Renamed, Structure

SHOWN = 4
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class NodeWeights:
    """Weights of every node in its parent, wave by wave.

    Attributes:
        values: (t, m), NaN where the node is not in the tree in that wave. period, as_of: (t, m) texts: which period of
            the table a weight is of and its date ("" where there is none). summed: (m) whether the weight is the sum of
            the weights below. equal: nothing was given.
    """

    values: Array
    period: Texts
    as_of: Texts
    summed: Bools
    equal: bool = False


def node_weights(
    source: object, tree: Structure, waves: Sequence[str], present: Bools, *, restate: bool = False
) -> NodeWeights:
    """The weights of a table for every wave.

    A weight of a wave is that of the period of its name, else of the longest period its name begins with (2025 of
    2025Q3, not W1 of W10); a table without periods holds for all waves. Of several dates (`as_of`) the first of a
    period counts, so that revisions do not restate history, unless `restate`. A parent without weights of its own
    weighs the sum of what is below it.

    Parameters:
        source: None (equal), a mapping name -> weight, or a table (frame or file) with entity, weight, and as wanted
            period and as_of. tree: the nodes. waves: oldest first. present: (t, m) whether a leaf has a value.
        restate: take the latest date of each period.

    Raises:
        Problems: E-TREE-WEIGHT: names that are not in the tree, weights that are not positive, duplicates, gaps.
    """
    made, found = weights_found(source, tree, waves, present, restate=restate)
    if found or made is None:
        raise Problems(capped(found, 8))
    return made


def weights_found(
    source: object, tree: Structure, waves: Sequence[str], present: Bools, *, restate: bool = False
) -> tuple[NodeWeights | None, list[Problem]]:
    """As `node_weights`, with all that is wrong beside; None where there is no table. Faulty weights leave no gap."""
    shape = (len(waves), len(tree.names))
    blank = np.full(shape, "", dtype=object)
    if source is None or (isinstance(source, Renamed) and source.source is None):
        there, nothing = np.where(_there(tree, present), 1.0, np.nan), np.zeros(shape[1], bool)
        return NodeWeights(there, blank, blank.copy(), nothing, equal=True), []
    table, found = _read(source)
    if table is None:
        return None, found
    found += [*_strangers(table, tree), *_not_positive(table), *_doubled(table)]
    periods = list(dict.fromkeys(table["period"]))
    of_wave = [period_of_wave(w, periods) for w in waves]
    if all(p is None for p in of_wave):
        return None, [*found, _no_period(periods, waves, table)]
    values, period, as_of = np.full(shape, np.nan), blank, blank.copy()
    chosen = table.sort("as_of", maintain_order=True).unique(
        ["entity", "period"], keep="last" if restate else "first", maintain_order=True
    )
    rows = {(e, p): (w, d) for e, p, w, d in chosen.select("entity", "period", "weight", "as_of").iter_rows()}
    for t, p in enumerate(of_wave):
        for i, name in enumerate(tree.names):
            if p is not None and (name, p) in rows:
                values[t, i], as_of[t, i] = rows[name, p]
                period[t, i] = p
    summed = _summed(tree, values)
    found += _gaps(tree, values, waves, present, summed, str(table["table"][0]))
    return NodeWeights(_rolled(tree, values, summed), period, as_of, summed), found


def weighted(source: object) -> set[str]:
    """The names of a table of weights as they are written.

    Example:
        >>> sorted(weighted({"A": 1, "B": 2}))
        ['A', 'B']
    """
    table = None if source is None else _read(source)[0]
    return set() if table is None else set(table["entity"])


def unread_periods(source: object, waves: Sequence[str]) -> list[str]:
    """Periods of a table of weights that no wave takes.

    Example:
        >>> table = pl.DataFrame({"entity": ["A", "A", "A"], "period": ["2023", "2024", "2025Q1"], "weight": [1, 2, 3]})
        >>> unread_periods(table, ["2024Q1", "2024Q2"])
        ['2023', '2025Q1']
    """
    table = None if source is None else _read(source)[0]
    periods = [] if table is None else list(dict.fromkeys(table["period"]))
    taken = {period_of_wave(w, periods) for w in waves}
    return [p for p in periods if p not in taken]


def period_of_wave(wave: str, periods: Sequence[str]) -> str | None:
    """The period whose weights a wave takes; "" is the period of a table without any.

    Example:
        >>> period_of_wave("2025Q3", ["2024", "2025"]), period_of_wave("2025Q3", [""]), period_of_wave("W10", ["W1"])
        ('2025', '', None)
    """
    if wave in periods:
        return wave
    begun = [p for p in periods if wave.startswith(p) and _ends(p, wave[len(p) :])]
    return max(begun, key=len) if begun else None


def _ends(period: str, rest: str) -> bool:
    """Whether a period ends where the rest of a wave's name begins: no number and no word runs on, but for months
    behind a year (202503).
    """
    if not period or (YEAR.fullmatch(period) and MONTH.fullmatch(rest)):
        return True
    last, first = period[-1], rest[0]
    return not (
        (last.isdecimal() and first.isdecimal()) or (f"{last}{first}".isascii() and last.isalpha() and first.isalpha())
    )


YEAR, MONTH = re.compile(r"(19|20)\d\d"), re.compile(r"(0[1-9]|1[0-2])(\d\d)?")
"""Names of waves that are numbers throughout."""


def _read(source: object) -> tuple[pl.DataFrame | None, list[Problem]]:
    """entity, period, weight, as_of (year-month-day), table and where (its name, the place of a row) of a mapping, a
    frame or a file; and cells that cannot be read, whose weights count as 1 so that other checks go on.
    """
    if isinstance(source, Renamed):
        table, found = _read(source.source)
        return None if table is None else table.with_columns(pl.col("entity").replace(dict(source.names))), found
    if isinstance(source, Mapping):
        return _of_mapping(source)
    needed: dict[str, Kind] = {"entity": "text", "weight": "number"}
    table, found = side_found(source, "weights", needed, {"period": "text", "as_of": "text"}, "E-TREE-WEIGHT")
    if table is None:
        return None, found
    name = Path(source).name if isinstance(source, str | Path) else "weights"
    absent = [pl.lit(None, pl.String).alias(c) for c in ("period", "as_of") if c not in table.columns]
    table = table.with_columns(absent)
    dates, bad = read_dates(table["as_of"], Dates(), f'{name}, column "as_of"', "E-TREE-WEIGHT")
    if bad:
        do = Text("Write dates as 2026-03-31.", "请把日期写成 2026-03-31。")
        found += [replace(p, remedy=do) for p in bad]
    else:
        whole = (dates == dates.dt.truncate("1d")).all()
        table = table.with_columns(dates.dt.to_string("%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S").alias("as_of"))
    where = [place_of_row(source, "weights", row) for row in range(table.height)]
    table = table.with_columns(pl.Series("where", where), pl.lit(name).alias("table"), pl.col("weight").fill_null(1.0))
    return table.with_columns(pl.col("period", "as_of").fill_null("")).drop_nulls("entity"), found


def _of_mapping(source: Mapping[object, object]) -> tuple[pl.DataFrame | None, list[Problem]]:
    """The table of a mapping name -> weight."""
    found, rows = [], []
    for name, value in source.items():
        number = _number(value)
        if number is None:
            en, zh = f"the weight of {name} is no number ({value!r}).", f"{name} 的权重不是数字（{value!r}）。"
            do, do_zh = "Write a number, such as 3.", "请写数字，例如 3。"
            found.append(_weight_problem(en, zh, do, do_zh, f"weights, {name}"))
        rows.append((str(name), "", 1.0 if number is None else number, "", f"weights, {name}", "weights"))
    if not rows:
        do, do_zh = "Give a weight per name.", "请为每个名称给出权重。"
        return None, [_weight_problem("there are no weights.", "没有权重。", do, do_zh)]
    names = ("entity", "period", "weight", "as_of", "where", "table")
    return pl.DataFrame(rows, schema=names, orient="row"), found


def _number(value: object) -> float | None:
    """A number, or text that is one; else None."""
    try:
        return float(cast("float", value))
    except (TypeError, ValueError):
        return None


def _there(tree: Structure, present: Bools) -> Bools:
    """(t, m) without weights: a leaf is in the tree from its first wave with a value on, a parent with any leaf."""
    out = np.zeros(present.shape, dtype=bool)
    for i in reversed(range(len(tree.names))):
        below = tree.children(i)
        out[:, i] = out[:, below].any(axis=1) if below else np.logical_or.accumulate(present[:, i])
    return out


def _summed(tree: Structure, values: Array) -> Bools:
    """(m) parents none of whose siblings has a weight in the table: they weigh what is below them."""
    known = np.asarray(np.isfinite(values).any(axis=0))
    above = np.array(tree.parent)
    inner = set(tree.parents)
    return np.array([i in inner and not known[above == above[i]].any() for i in range(len(tree.names))])


def _rolled(tree: Structure, values: Array, summed: Bools) -> Array:
    """Weights with the sums filled in, from the leaves up."""
    out = values.copy()
    for i in reversed(range(len(tree.names))):
        below = tree.children(i)
        if below and summed[i]:
            known = np.isfinite(out[:, below])
            out[:, i] = np.where(known.any(axis=1), np.where(known, out[:, below], 0.0).sum(axis=1), np.nan)
    return out


def _gaps(
    tree: Structure, values: Array, waves: Sequence[str], present: Bools, summed: Bools, where: str
) -> list[Problem]:
    """Waves in which a node counts and has no weight: it has a value, or weights before and after."""
    found, there = [], _there(tree, present)
    inner = set(tree.parents)
    for i, name in enumerate(tree.names):
        if summed[i] or tree.parent[i] < 0:
            continue
        known = np.isfinite(values[:, i])
        between = np.logical_or.accumulate(known) & np.logical_or.accumulate(known[::-1])[::-1]
        needed = (there[:, i] if i in inner else present[:, i]) | between
        holes = [w for t, w in enumerate(waves) if needed[t] and not known[t]]
        if holes:
            first, more = ", ".join(holes[:SHOWN]), len(holes) > SHOWN
            en = f'no weight of "{name}" for {first}{", ..." if more else ""}.'
            end = " 等期" if more else " 期"
            zh = f"缺少“{name}”在 {first.replace(', ', '、')}{end}的权重。"
            do, do_zh = "Add the rows (entity, period, weight).", "请补充相应的行（entity, period, weight）。"
            found.append(_weight_problem(en, zh, do, do_zh, where))
    return found


def _strangers(table: pl.DataFrame, tree: Structure) -> list[Problem]:
    """Names with weights and no place in the tree."""
    found = []
    first = dict(reversed(table.select("entity", "where").rows()))
    for name in [n for n in dict.fromkeys(table["entity"]) if n not in tree.names]:
        hint = did_you_mean(name, tree.names)
        en, zh = f'"{name}" has a weight and no place in the tree.', f"“{name}”有权重，但不在树中。"
        found.append(_weight_problem(en, zh, hint.en, hint.zh, first[name]))
    return found


def _not_positive(table: pl.DataFrame) -> list[Problem]:
    """Negative, zero or endless weights."""
    wrong = table.filter(~((pl.col("weight") > 0) & pl.col("weight").is_finite()))
    found = []
    for name, period, weight, where in wrong.select("entity", "period", "weight", "where").iter_rows():
        at = Text(f" in {period}" if period else "", f"（{period}）" if period else "")
        en, zh = f'the weight of "{name}"{at.en} is {weight:g}.', f"“{name}”的权重{at.zh}为 {weight:g}。"
        do = "Weights are numbers above 0; leave out who does not count."
        found.append(_weight_problem(en, zh, do, "权重须为大于 0 的数；不计入者请删去。", where))
    return found


def _doubled(table: pl.DataFrame) -> list[Problem]:
    """Two weights of one name for one period and date."""
    keys = ("entity", "period", "as_of")
    many = table.group_by(keys, maintain_order=True).agg(pl.len(), pl.col("where").get(1, null_on_oob=True))
    found = []
    for name, period, _, count, where in many.filter(pl.col("len") > 1).iter_rows():
        at = Text(f" for {period}" if period else "", f" 在 {period} " if period else "")
        en, zh = f'"{name}" has {count} weights{at.en}.', f"“{name}”{at.zh}有 {count} 个权重。"
        do = "Keep one; give revisions their dates in a column as_of."
        found.append(_weight_problem(en, zh, do, "请只保留一个；修订请在 as_of 列写明日期。", where))
    return found


def _no_period(periods: Sequence[str], waves: Sequence[str], table: pl.DataFrame) -> Problem:
    few, some = ", ".join(periods[:SHOWN]), ", ".join(waves[:SHOWN])
    en, zh = f"no period ({few}) is that of a wave ({some}).", f"没有任何时期（{few}）对应数据的期次（{some}）。"
    do = "Write the waves, or their year (2025 for 2025Q3)."
    do_zh = "请写期次或其年份（如 2025 对应 2025Q3）。"
    return _weight_problem(en, zh, do, do_zh, str(table["table"][0]) if table.height else "weights")


def _weight_problem(en: str, zh: str, do: str, do_zh: str, where: str = "weights") -> Problem:
    return problem("E-TREE-WEIGHT", where, en, zh, do, do_zh)
