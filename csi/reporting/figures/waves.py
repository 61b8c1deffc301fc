"""What figures over waves share: hairlines with their values, and the names of the waves."""

from __future__ import annotations

import re

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale
from csi.reporting.text_width import text_width


def rules(ticks: list[float], x: Scale, y: Scale, right: float) -> list[str]:
    """Hairlines at the ticks, their values to the left."""
    parts = []
    for tick in ticks:
        parts.append(svg.line((x.start, y(tick)), (right, y(tick)), style.HAIR))
        written = style.score(tick, 0 if all(t == int(t) for t in ticks) else 1)
        parts.append(svg.words(x.start - 9, y(tick) + 4, written, size=11.5, fill=style.MUTED, anchor="end"))
    return parts


def wave_axis(waves: list[str], x: Scale, height: float, *, narrow: bool) -> list[str]:
    """Quarter above, year below where it begins; other wave names as they are, thinned to what fits."""
    split = [re.fullmatch(r"(\d{4})[-_ ]?([QHM]?\d{1,2})", str(w)) for w in waves]
    size = 10.5 if narrow else 11.5
    base = height - 28
    parts = []
    if all(split):
        pairs = [(m[1], m[2]) for m in split if m]
        step = (x(1) - x(0)) if len(waves) > 1 else 99
        every = 1 if step >= 24 else 2 if step >= 12 else 4
        last = len(waves) - 1
        for i, (year, part) in enumerate(pairs):
            if (last - i) % every == 0:
                parts.append(svg.words(x(i), base, part, size=size, fill=style.MUTED, anchor="middle"))
            if i == 0 or pairs[i - 1][0] != year:
                room = next((j for j in range(i + 1, len(pairs)) if pairs[j][0] != year), len(pairs)) - i
                if room * step >= 30 or len(pairs) == 1:
                    parts.append(
                        svg.words(x(i), base + 15, year, size=size, fill=style.TEXT, bold=True, anchor="middle")
                    )
        return parts
    widest = max(text_width(str(w), size, lang="zh") for w in waves) + 10
    every = max(1, -int(-widest // max(x(1) - x(0), 1)))
    for i, wave in enumerate(waves):
        if (len(waves) - 1 - i) % every == 0:
            parts.append(svg.words(x(i), base, str(wave), size=size, fill=style.MUTED, anchor="middle"))
    return parts


def above(caption: Text | None, lang: str) -> list[str]:
    """What stands above a figure, where anything does."""
    if caption is None:
        return []
    return [svg.words(0, 14, caption.say(lang), size=12.5, fill=style.TEXT, bold=True)]
