"""A drawing function as a figure: full or half width, and a phone's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from csi.errors import Text
from csi.reporting import style
from csi.reporting.section import Figure


def figure(name: str, finding: Text, draw: Callable[..., str], *, half: bool = False) -> Figure:
    """A figure from a drawing function that takes `lang`, `finding` and `width`: full or half width, and a phone's.

    Example:
        >>> made = figure("f", Text("A rise", "上升"), lambda *, lang, finding, width: f"<svg>{finding} {width}</svg>")
        >>> made.draw("zh"), made.narrow("en")
        ('<svg>上升 1040</svg>', '<svg>A rise 360</svg>')
    """
    width, sheet = (style.HALF, style.HALF_SHEET) if half else (style.FULL, style.SHEET)
    shape: Literal["full", "half"] = "half" if half else "full"
    wide, narrow, page = (Drawing(draw, finding, at) for at in (width, style.PHONE, sheet))
    return Figure(name, wide, finding, shape, narrow, page)


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A drawing function at a width: drawn once per language, however many files show it."""

    draw: Callable[..., str]
    finding: Text
    width: int
    kept: dict[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, lang: str) -> str:
        """The SVG in a language."""
        if lang not in self.kept:
            self.kept[lang] = self.draw(lang=lang, finding=self.finding.say(lang), width=self.width)
        return self.kept[lang]
