"""What is wrong with margins, told once with the cells it is wrong in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from csi.errors import Problem, problem

SHOWN = 5
"""Cells that a message lists."""

OF = "{of}"
"""Where a message names the cells."""

MUCH = "{much}"
"""Where a message says how much: a number, or from the smallest to the largest of the cells."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a margin in one cell of `by`.

    Attributes:
        en, zh: what, with `OF` where the cell goes and `MUCH` where a number goes. group: the cell, empty for all.
        much: the number.
    """

    code: str
    place: str
    en: str
    zh: str
    do: str
    do_zh: str
    group: tuple[str, ...] = ()
    much: float | None = None


class Faults(Exception):
    """What is wrong with one margin in one cell."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__()


def told_once(faults: Sequence[Fault], cells: int) -> list[Problem]:
    """One problem for each mistake, with the cells it is in and the numbers it has there.

    Parameters:
        cells: how many cells there are; a mistake of all of them is one of the margin.

    Example:
        >>> some = [Fault("E-MARGIN", "age", "old is absent{of}.", "缺{of}", "", "", (w,)) for w in ("2025", "2026")]
        >>> [p.what.en for p in told_once(some, 3)], [p.what.en for p in told_once(some, 2)]
        (['old is absent in 2025, 2026.'], ['old is absent in every cell (2).'])
    """
    alike: dict[tuple[str, ...], list[Fault]] = {}
    for one in faults:
        alike.setdefault((one.code, one.place, one.en), []).append(one)
    return [_told(some, cells) for some in alike.values()]


def _told(some: Sequence[Fault], cells: int) -> Problem:
    """One mistake."""
    first = some[0]
    groups = list(dict.fromkeys(" ".join(f.group) for f in some if f.group))
    of, of_zh = "", ""
    if len(groups) == cells and cells > 1:
        of, of_zh = f" in every cell ({cells})", f"（全部 {cells} 个单元）"
    elif groups:
        more = f" and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
        more_zh = f"等 {len(groups)} 个单元" if more else ""
        of, of_zh = f" in {', '.join(groups[:SHOWN])}{more}", f"（{'、'.join(groups[:SHOWN])}{more_zh}）"
    sizes = sorted({f"{f.much:.1f}" for f in some if f.much is not None}, key=float)
    span = sizes[0] if len(sizes) == 1 else f"{sizes[0]}-{sizes[-1]}" if sizes else ""
    en, zh = first.en.replace(OF, of), first.zh.replace(OF, of_zh)
    return problem(first.code, first.place, en.replace(MUCH, span), zh.replace(MUCH, span), first.do, first.do_zh)
