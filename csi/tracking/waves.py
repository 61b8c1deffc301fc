"""The order of waves, and which wave a wave is compared with."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Literal

import polars as pl

from csi.errors import Problems, did_you_mean, problem

Against = Literal["previous", "year"]


def wave_order(cells: pl.DataFrame) -> tuple[str, ...]:
    """Waves oldest first, as the cells of each brand list them; alphabetical where no brand decides.

    Parameters:
        cells: key columns with `wave`; the cells of one brand stand in the order of their waves.

    Example:
        >>> wave_order(pl.DataFrame({"brand": ["A", "B", "B"], "wave": ["2", "1", "2"]}))
        ('1', '2')
    """
    keys = [k for k in cells.columns if k not in {"wave", "n"}]
    later: dict[str, set[str]] = {w: set() for w in cells["wave"].to_list()}
    last: dict[tuple[object, ...], str] = {}
    for *entity, wave in cells.select([*keys, "wave"]).iter_rows():
        before = last.get(tuple(entity))
        if before is not None and before != wave:
            later[before].add(wave)
        last[tuple(entity)] = wave
    return _sorted(later) or tuple(later)


def _sorted(later: dict[str, set[str]]) -> tuple[str, ...]:
    """Topological order, alphabetical among the free; empty when the arrows form a cycle."""
    waiting = dict.fromkeys(later, 0)
    for followers in later.values():
        for wave in followers:
            waiting[wave] += 1
    free = [w for w, count in waiting.items() if count == 0]
    heapq.heapify(free)
    order = []
    while free:
        wave = heapq.heappop(free)
        order.append(wave)
        for follower in later[wave]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(free, follower)
    return tuple(order) if len(order) == len(later) else ()


def reference_wave(wave: str, against: Against, waves: Sequence[str], per_year: int) -> str | None:
    """The wave before, or the one `per_year` waves before; None when the series does not reach so far.

    Example:
        >>> reference_wave("2026Q1", "year", ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1"], 4)
        '2025Q1'
    """
    place = list(waves).index(wave) - (1 if against == "previous" else per_year)
    return waves[place] if place >= 0 else None


def check_waves(waves: Sequence[str], present: Sequence[str], asked: Sequence[str]) -> None:
    """Raise when `waves` leaves out a wave of the data, or a wave is asked for that is not there."""
    found = []
    for wave in dict.fromkeys(w for i, w in enumerate(waves) if w in waves[:i]):
        en, zh = f'the wave "{wave}" stands twice in the order of waves.', f"“{wave}”期在期次顺序中重复出现。"
        found.append(problem("E-WAVE", "waves", en, zh, "Write every wave once.", "每期请只写一次。"))
    for wave in [w for w in dict.fromkeys(present) if w not in waves]:
        en, zh = f'the wave "{wave}" of the data is not in the order of waves.', f"数据中的“{wave}”期不在期次顺序之中。"
        found.append(problem("E-WAVE", "waves", en, zh, "Add it to waves.order.", "请将其加入 waves.order。"))
    for wave in [w for w in asked if w not in present]:
        hint = did_you_mean(wave, present, every=True)
        en, zh = f'there is no wave "{wave}".', f"没有“{wave}”这一期。"
        found.append(problem("E-WAVE", "waves", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)
