"""How wide the columns of a printed table are: words whole, numbers whole, the table no wider than the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from csi.reporting.renderers.outline import Printed, is_list
from csi.reporting.text_width import text_width

WIDE: Final = 9638
"""Width of the text on the page, in twentieths of a point: 17 cm."""
PAD: Final = 160
"""Room at the sides of a cell, both together."""


def extents(table: Printed, lang: str, sizes: Sequence[float]) -> tuple[list[int], float]:
    """Widths of the columns in twentieths of a point, and the size of the letters in points.

    Parameters:
        sizes: the largest at which no word is broken is taken, the last where none is.
    """
    size, least = sizes[0], [0.0]
    if is_list(table):
        return [WIDE * 24 // 100, WIDE - WIDE * 24 // 100], sizes[min(1, len(sizes) - 1)]
    for size in sizes:
        least = [_least(table, place, size, lang) for place in range(len(table.heads))]
        if sum(least) <= WIDE:
            break
    full = [max(_full(table, place, size, lang), a) for place, a in enumerate(least)]
    room = WIDE - sum(least)
    if room < 0:
        return [int(a * WIDE / sum(least)) for a in least], size
    made = least
    for words in (True, False):  # words first: numbers are whole already
        more = [b - a if words != n else 0.0 for a, b, n in zip(made, full, table.numeric, strict=True)]
        share = min(1.0, (WIDE - sum(made)) / sum(more)) if sum(more) else 0.0
        made = [a + share * b for a, b in zip(made, more, strict=True)]
    spread = min(max(0.0, WIDE - sum(made)) / len(made), 500.0)
    return [int(w + spread) for w in made], size


def _cells(table: Printed, place: int) -> list[str]:
    return [row[place] for row in table.cells]


def _full(table: Printed, place: int, size: float, lang: str) -> float:
    """The width at which no cell of a column breaks, within reason."""
    widest = max(text_width(c, size, bold=True, lang=lang) for c in (table.heads[place], *_cells(table, place)))
    return min(20 * widest + PAD, 0.45 * WIDE)


def _least(table: Printed, place: int, size: float, lang: str) -> float:
    """The width at which no number and no word of a column breaks."""
    words = [word for cell in (table.heads[place], *_cells(table, place)) for word in _words(cell)]
    if table.numeric[place]:
        words += _cells(table, place)
    widest = max((text_width(w, size, bold=True, lang=lang) for w in words), default=0.0)
    return min(20 * widest + PAD, 0.3 * WIDE)


def _words(cell: str) -> list[str]:
    """What a line does not break: words; of Chinese six letters."""
    return [word if word.isascii() else word[:6] for word in cell.split()]
