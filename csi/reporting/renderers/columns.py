"""How wide the columns of a printed table are: words whole, numbers whole, the table no wider than the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from csi.reporting.renderers.outline import Printed, is_list
from csi.reporting.text_width import text_width

WIDE: Final = 9638
"""Width of the text on the page, in twentieths of a point: 17 cm."""
HAN: Final = re.compile(r"[\u2e80-\uffef]")
"""Letters between which a line may break."""
EASY: Final = 4
"""As many sizes are read with ease."""
CAPITALS: Final = 1.12
"""How much wider a word of capitals is in the faces of office programs than in the report's own."""
PAD: Final = 160
"""Room at the sides of a cell, both together."""
SLACK: Final = 40
"""What programs that round widths may lose."""


def extents(table: Printed, lang: str, sizes: Sequence[float]) -> tuple[list[int], float]:
    """Widths of the columns in twentieths of a point, and the size of the letters in points.

    Parameters:
        sizes: of the first `EASY` the largest is taken at which cells of words stand on two lines at most, then the
            largest at which no word is broken, else the last.
    """
    if is_list(table):
        return [WIDE * 24 // 100, WIDE - WIDE * 24 // 100], sizes[min(1, len(sizes) - 1)]
    widest = [_widest(table, place, lang) for place in range(len(table.heads))]
    size, least = _sized(table, widest, sizes)
    full = [max(_full(w, size), a) for w, a in zip(widest, least, strict=True)]
    if sum(least) >= WIDE:
        return [int(w) for w in _capped(least)], size
    made = least
    for words in (True, False):  # words first: numbers are whole already
        more = [b - a if words != n else 0.0 for a, b, n in zip(made, full, table.numeric, strict=True)]
        share = min(1.0, (WIDE - sum(made)) / sum(more)) if sum(more) else 0.0
        made = [a + share * b for a, b in zip(made, more, strict=True)]
    spread = min(max(0.0, WIDE - sum(made)) / len(made), 500.0)
    return [int(w + spread) for w in made], size


def _sized(table: Printed, widest: Sequence[tuple[float, float]], sizes: Sequence[float]) -> tuple[float, list[float]]:
    """The size of the letters, and the least widths at it: those at which no number and no word breaks."""
    found: list[float] = []
    for place, size in enumerate(sizes):
        found = [min(20 * size * w + PAD + SLACK, 0.3 * WIDE) for _, w in widest]
        half = [0.0 if n else PAD + 0.55 * _full(w, size) for w, n in zip(widest, table.numeric, strict=True)]
        wanted = map(max, found, half) if place < EASY - 1 else found
        if sum(wanted) <= WIDE:
            return size, found
    return sizes[-1], found


def _capped(least: list[float]) -> list[float]:
    """Widths cut to the page: the widest give way first, narrow columns stay whole.

    Example:
        >>> _capped([638.0, 6000.0, 9000.0])
        [638.0, 4500.0, 4500.0]
    """
    left, cap = float(WIDE), 0.0
    for place, width in enumerate(sorted(least)):
        cap = left / (len(least) - place)
        if width >= cap:
            break
        left -= width
    return [min(w, cap) for w in least]


def _full(widest: tuple[float, float], size: float) -> float:
    """The width at which no cell of a column breaks, within reason."""
    return min(20 * size * widest[0] + PAD + SLACK, 0.45 * WIDE)


def _widest(table: Printed, place: int, lang: str) -> tuple[float, float]:
    """The widest cell of a column and the widest part of one that must not break, at letters of size 1."""
    cells = [table.heads[place], *(row[place] for row in table.cells)]
    whole = max(text_width(cell, 1.0, bold=True, lang=lang) for cell in cells)
    if table.numeric[place]:
        cells = [*cells[1:], *_words(cells[0])]
    else:
        cells = [word for cell in cells for word in _words(cell)]
    parts = (text_width(c, 1.0, bold=True, lang=lang) * (CAPITALS if c.isupper() else 1.0) for c in cells)
    return whole, max(parts, default=0.0)


def _words(cell: str) -> list[str]:
    """What a line does not break: words; of Chinese six letters, of a long text four.

    Example:
        >>> _words("Loading² 与理想的运营商相比")
        ['Loading²', '与理想的']
    """
    return [word if len(word) <= 6 or not HAN.search(word) else word[:4] for word in cell.split()]
