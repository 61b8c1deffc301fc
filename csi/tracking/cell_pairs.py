"""Cells of one brand in two waves: which are compared, which have no base, which are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem, reason
from csi.errors import Reason as Why
from csi.moments.stack import Ints
from csi.tracking.breaks import Break, between, check_breaks, methods, wall
from csi.tracking.index import Index
from csi.tracking.waves import check_waves, wave_order


@dataclass(frozen=True, slots=True)
class Pair:
    """A cell and the earlier cell of the same brand; None, with a reason, when there is none to compare with.

    `link` names the links that the change goes through, where it can be told but not split.
    """

    cell: int
    earlier: int | None
    wave: str
    reference: str
    why: Why | None = None
    link: str | None = None


def pairs_of(
    index: Index,
    construct: int,
    asked: tuple[str, str] | None,
    cells: Mapping[str, str] | None,
    waves: Sequence[str] | None,
    small: int,
    breaks: Sequence[Break] = (),
) -> tuple[list[Pair], tuple[Note, ...]]:
    """The pairs asked for, waves in order within a brand; notes on brands that are new in mid-series.

    Raises:
        Problems: E-WAVE (a single wave, an unknown wave, the later before the earlier), E-WHERE (an unknown cell).
    """
    _check_pair(asked)
    order = tuple(waves) if waves else wave_order(index.cells)
    check_waves(order, index.cells["wave"].to_list(), asked or ())
    _check_order(order, asked or (), index.cells["wave"].n_unique())
    check_breaks(breaks, order)
    wanted, n = _wanted(index, cells or {}), index.n_of(construct)
    found: list[Pair] = []
    place, name = places_of(index), index.constructs[construct]
    for (*entity, wave), cell in place.items():
        reference = _reference(order, str(wave), asked)
        if reference is None or not wanted[cell]:
            continue
        earlier = place.get((*entity, reference))
        why, apart = _why(n, cell, earlier, reference, small), _broken(breaks, order, reference, str(wave), name)
        link = methods(breaks, order, reference, str(wave), name) if why is None and apart is not None else None
        link = None if wall(breaks, order, reference, str(wave), name) else link
        found.append(Pair(cell, earlier, str(wave), reference, why or apart, link))
    return found, new_cells(index, order)


def places_of(index: Index) -> dict[tuple[object, ...], int]:
    """(other keys ..., wave) -> number of the cell."""
    keys = [k for k in index.cells.columns if k not in {"wave", "n"}]
    return {row: i for i, row in enumerate(index.cells.select([*keys, "wave"]).iter_rows())}


def _reference(order: Sequence[str], wave: str, asked: tuple[str, str] | None) -> str | None:
    """The wave that one is compared with."""
    if asked is not None:
        return asked[0] if wave == asked[1] else None
    at = order.index(wave)
    return order[at - 1] if at else None


def _why(n: Ints, cell: int, earlier: int | None, reference: str, small: int) -> Why | None:
    """Why two cells are not compared."""
    if earlier is None:
        return reason("R-NO-REFERENCE", f"no answers in {reference}.", f"{reference} 期没有数据。")
    if min(n[cell], n[earlier]) < small:
        en = f"fewer than {small} answers in a wave."
        return reason("R-BASE", en, f"某一期样本量不足 {small}。")
    return None


def _broken(breaks: Sequence[Break], order: Sequence[str], earlier: str, later: str, construct: str) -> Why | None:
    """Parts are not comparable across a break, linked or not: a link is of the index, not of its items."""
    if (apart := wall(breaks, order, earlier, later, construct)) is not None and apart.code in {
        "R-LINK-REFUSED",
        "R-SCALE-WAVE",
    }:
        return apart
    for one in between(breaks, order, earlier, later, construct):
        en = f"{one.said.en}; items and classes are not comparable across it."
        return reason("R-BREAK", en, f"{one.said.zh}；其前后的题项与类别不可比。")
    return None


def _check_pair(asked: object) -> None:
    """Two waves by name, or none."""
    if asked is None or (isinstance(asked, tuple | list) and len(asked) == 2):
        return
    en, zh = f"between is {asked!r}, not two waves.", f"between 为 {asked!r}，不是两期。"
    do, do_zh = 'Write between=("2024", "2025").', "请写成 between=(“2024”, “2025”)。"
    raise Problems([problem("E-WAVE", "between", en, zh, do, do_zh)])


def _check_order(order: Sequence[str], asked: Sequence[str], present: int) -> None:
    """Two waves, the earlier one first."""
    found: list[Problem] = []
    if present < 2:
        en, zh = "there is a single wave, and a change needs two.", "只有一期数据，而变化至少需要两期。"
        do, do_zh = "Add an earlier wave; csi.index gives the level.", "请加入更早的一期；水平见 csi.index。"
        found.append(problem("E-WAVE", "waves", en, zh, do, do_zh))
    elif len(asked) == 2 and order.index(asked[0]) >= order.index(asked[1]):
        en = f"{asked[0]} is not before {asked[1]}."
        do, do_zh = "Write between=(earlier, later).", "请写成 between=(较早一期, 较晚一期)。"
        found.append(problem("E-WAVE", "between", en, f"{asked[0]} 不早于 {asked[1]}。", do, do_zh))
    if found:
        raise Problems(found)


def _wanted(index: Index, cells: Mapping[str, str]) -> list[bool]:
    """Whether each cell has the key values asked for."""
    found: list[Problem] = []
    for key, value in cells.items():
        have = [c for c in index.cells.columns if c != "n"]
        if key not in have:
            hint = did_you_mean(key, have)
            en, zh = f'the index has no key "{key}".', f"指数没有键“{key}”。"
            found.append(problem("E-WHERE", "cells", en, zh, hint.en, hint.zh))
        elif value not in index.cells[key].cast(pl.String).to_list():
            hint = did_you_mean(value, index.cells[key].cast(pl.String).unique().to_list())
            en, zh = f'no cell has {key} "{value}".', f"没有 {key} 为“{value}”的单元。"
            found.append(problem("E-WHERE", "cells", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)
    match = [pl.col(k).cast(pl.String) == v for k, v in cells.items()]
    kept: list[bool] = index.cells.select(pl.all_horizontal(pl.lit(value=True), *match))["literal"].to_list()
    return kept if cells else [True] * index.cells.height


def new_cells(index: Index, order: Sequence[str]) -> tuple[Note, ...]:
    """A note on brands whose first wave is not the first of the series."""
    keys = [k for k in index.cells.columns if k not in {"wave", "n"}]
    if not keys:
        return ()
    first: dict[str, int] = {}
    for *entity, wave in index.cells.select([*keys, "wave"]).iter_rows():
        name = " / ".join(str(e) for e in entity)
        first[name] = min(first.get(name, len(order)), list(order).index(wave))
    start = min(first.values())
    late = {name: order[at] for name, at in first.items() if at > start}
    if not late:
        return ()
    en = "New in mid-series, without a change at its first wave: " + ", ".join(f"{n} ({w})" for n, w in late.items())
    zh = "序列中途新增，首期没有变化值：" + "、".join(f"{n}（{w}）" for n, w in late.items())
    return (note("N-NEW-CELL", f"{en}.", f"{zh}。"),)
