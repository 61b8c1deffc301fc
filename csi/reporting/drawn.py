"""A drawing function as a figure: full or half width, and a phone's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from csi.errors import Text
from csi.reporting import style
from csi.reporting.section import Draw, Figure


def figure(name: str, finding: Text, draw: Callable[..., str], *, half: bool = False) -> Figure:
    """A figure from a drawing function that takes `lang`, `finding` and `width`: full or half width, and a phone's.

    Example:
        >>> made = figure("f", Text("A rise", "上升"), lambda *, lang, finding, width: f"<svg>{finding} {width}</svg>")
        >>> made.draw("zh"), made.narrow("en")
        ('<svg>上升 1040</svg>', '<svg>A rise 360</svg>')
    """
    width = style.HALF if half else style.FULL
    return Figure(name, _at(draw, finding, width), finding, "half" if half else "full", _at(draw, finding, style.PHONE))


def _at(draw: Callable[..., str], finding: Text, width: int) -> Draw:
    return partial(_draw, draw, finding, width)


def _draw(draw: Callable[..., str], finding: Text, width: int, lang: str) -> str:
    return draw(lang=lang, finding=finding.say(lang), width=width)
