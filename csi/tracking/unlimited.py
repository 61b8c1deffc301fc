"""Why a part of a series has no control limits, and which waves a view passes over.

Letters: `t` waves of one brand, `c` cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from csi.errors import Note, Reason, note, reason
from csi.moments.stack import Ints
from csi.tracking.breaks import Break, wall
from csi.tracking.index import Index

FEWEST: Final = 4
"""Waves that a control chart asks for."""

MOST: Final = 5
"""More brands are counted, not named."""

CAUSES: Final = {
    "short": ("so far", "（序列至今期数不足）"),
    "base": ("with enough answers", "（其余各期样本量不足）"),
    "lost": ("with an index", "（其余各期没有指数）"),
    "break": ("without a break", "（序列有断点）"),
    "baseline": ("in the baseline", "（基线期数不足）"),
}
"""What there are too few waves of."""


@dataclass(frozen=True, slots=True)
class Series:
    """An index over its waves: one construct, where its measurement changed, the fewest answers of a wave."""

    index: Index
    construct: int
    order: tuple[str, ...]
    breaks: tuple[Break, ...]
    small: int

    @property
    def brands(self) -> Mapping[tuple[object, ...], dict[str, int]]:
        """Other keys -> wave -> number of the cell, waves oldest first."""
        keys = [k for k in self.index.cells.columns if k not in {"wave", "n"}]
        of: dict[tuple[object, ...], dict[str, int]] = {}
        for cell, row in enumerate(self.index.cells.select([*keys, "wave"]).iter_rows()):
            of.setdefault(row[:-1], {})[str(row[-1])] = cell
        return {who: {w: cells[w] for w in self.order if w in cells} for who, cells in of.items()}

    def thin(self, cell: int) -> bool:
        """Whether a cell has too few answers."""
        return int(self.index.n_of(self.construct)[cell]) < self.small

    def told(self, cell: int) -> bool:
        """Whether a cell has an index that may be told."""
        return bool(np.isfinite(self.index.values[cell, self.construct])) and not self.thin(cell)

    def parts(self, cells: Mapping[str, int]) -> list[list[str]]:
        """The waves of a brand, parted where a break has no link."""
        out: list[list[str]] = []
        name = self.index.constructs[self.construct]
        for wave in cells:
            apart = not out or wall(self.breaks, self.order, out[-1][-1], wave, name) is not None
            out = [*out, [wave]] if apart else [*out[:-1], [*out[-1], wave]]
        return out

    def runs(self) -> list[Ints]:
        """The cells of every part that have an index and enough answers; parts without any are left out."""
        found = [[c[w] for w in part if self.told(c[w])] for c in self.brands.values() for part in self.parts(c)]
        return [np.array(cells, dtype=np.int64) for cells in found if cells]


def unlimited(series: Series, baseline: Sequence[str] | None) -> tuple[dict[int, Reason], tuple[Note, ...]]:
    """Cell -> why it has no control limits; a note for each cause.

    Parameters:
        baseline: the waves that set the limits; None for all.
    """
    why: dict[int, Reason] = {}
    named: dict[str, list[str]] = {}
    for who, cells in series.brands.items():
        parts = series.parts(cells)
        for part in parts:
            cause, told = _cause(series, [cells[w] for w in part], part, baseline, parted=len(parts) > 1)
            if told is not None:
                why |= dict.fromkeys((cells[w] for w in part if series.told(cells[w])), told)
                named.setdefault(cause, []).append(" / ".join([*map(str, who), f"{part[0]}-{part[-1]}"]))
    return why, tuple(_note(cause, named[cause]) for cause in CAUSES if cause in named)


def _cause(
    series: Series, cells: Sequence[int], waves: Sequence[str], baseline: Sequence[str] | None, *, parted: bool
) -> tuple[str, Reason | None]:
    """Why a part has no limits: the first cause without which it would have them."""
    sets = [c for c, w in zip(cells, waves, strict=True) if baseline is None or w in baseline]
    thin, told = sum(map(series.thin, sets)), sum(map(series.told, sets))
    lost, total, left = len(sets) - thin - told, len(sets), f"fewer than {FEWEST} are left."
    if told >= FEWEST:
        return "", None
    if total >= FEWEST and thin and (told + thin >= FEWEST or not lost):
        en = f"{thin} of {total} waves have fewer than {series.small} answers; {left}"
        zh = f"{total} 期中有 {thin} 期样本量不足 {series.small}，余下不足 {FEWEST} 期。"
        return "base", reason("R-LIMITS-BASE", en, zh)
    if total >= FEWEST:
        en = f"{lost + thin} of {total} waves have no index; {left}"
        return "lost", reason("R-LIMITS-LOST", en, f"{total} 期中有 {lost + thin} 期没有指数，余下不足 {FEWEST} 期。")
    if baseline is not None and len(cells) >= FEWEST:
        en, zh = f"fewer than {FEWEST} waves of the baseline.", f"基线期数不足 {FEWEST}。"
        return "baseline", reason("R-LIMITS-BASELINE", en, zh)
    if parted:
        en, zh = f"fewer than {FEWEST} waves on this side of a break.", f"断点这一侧的期数不足 {FEWEST}。"
        return "break", reason("R-LIMITS-BREAK", en, zh)
    en, zh = f"fewer than {FEWEST} waves so far.", f"序列至今不足 {FEWEST} 期。"
    return "short", reason("R-LIMITS-SHORT", en, zh)


def _note(cause: str, named: Sequence[str]) -> Note:
    """Who has no limits for one cause."""
    said, said_zh = CAUSES[cause]
    listed, rest = named[:MOST], len(named) - MOST
    more, more_zh = (f" and {rest} more", f" 等 {len(named)} 处") if rest > 0 else ("", "")
    en = f"No control limits, fewer than {FEWEST} waves {said}: {', '.join(listed)}{more}."
    return note("N-CONTROL-FEW", en, f"没有控制限：可用期数不足 {FEWEST}{said_zh}：{'、'.join(listed)}{more_zh}。")


def passed_over(series: Series) -> tuple[Note, ...]:
    """That means of several waves join those on either side of a wave without a value."""
    named = []
    for who, cells in series.brands.items():
        for part in series.parts(cells):
            told = [w for w in part if series.told(cells[w])]
            inside = series.order[series.order.index(told[0]) : series.order.index(told[-1])] if told else ()
            if gone := [w for w in inside if w not in told]:
                named.append(" / ".join([*map(str, who), ", ".join(gone)]))
    if not named:
        return ()
    listed, rest = named[:MOST], len(named) - MOST
    more, more_zh = (f" and {rest} more", f" 等 {len(named)} 处") if rest > 0 else ("", "")
    en = f"Passed over for want of a value: {'; '.join(listed)}{more}; the waves on either side count as neighbours."
    zh = f"因没有可用数值而跳过：{'；'.join(listed)}{more_zh}；其前后两期按相邻期处理。"
    return (note("N-VIEW-GAP", en, zh),)
