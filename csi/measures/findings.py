"""The noun of the doctor, and sentences that several findings share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.errors import Text

Severity = Literal["error", "warning", "fine"]
"""error: numbers that must not be read. warning: read with care. fine: for the record."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a solution.

    Attributes:
        code: stable short name ("E-COLL"). severity: "error", "warning" or "fine". cell: number of the slice.
        place: cell and group in words, "" where there is one. parameters: the rows or variables concerned.
        what: what was found. cause: what most likely brought it about. remedy: what to do. size: how bad it is among
            findings of the same code, larger is worse.
    """

    code: str
    severity: Severity
    cell: int
    place: str
    parameters: tuple[str, ...]
    what: Text
    cause: Text
    remedy: Text
    size: float = 0.0

    def text(self) -> Text:
        """What, cause and remedy in a row."""
        parts = (self.what, self.cause, self.remedy)
        return Text(" ".join(t.en for t in parts if t.en), "".join(t.zh for t in parts))

    def say(self, lang: str = "en") -> str:
        """One paragraph: place, what, cause, remedy."""
        place = f"{self.place}: " if self.place and lang == "en" else (f"{self.place}：" if self.place else "")
        return f"{place}{self.text().say(lang)}"


def number(value: float) -> str:
    """Two decimals below 10, fewer above, for a sentence.

    Example:
        >>> number(-1.5058), number(23.7), number(0.0003)
        ('-1.51', '23.7', '0.0003')
    """
    if not np.isfinite(value):
        return "-"
    size = abs(value)
    if size < 1e-6:
        return "0.00"
    if size >= 1e4:
        return f"{value:.1e}"
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 else f"{value:.1g}" if size < 0.01 else f"{value:.3f}"


def cor(value: float) -> str:
    """A correlation to three decimals.

    Example:
        >>> cor(0.95678)
        '.957'
    """
    return "-" if not np.isfinite(value) else f"{value:.3f}".replace("0.", ".", 1)


def listed(names: Sequence[str], lang: str = "en", most: int = 6) -> str:
    """Names in a row, the first few of them.

    Example:
        >>> listed(["a", "b", "c"]), listed(["a", "b"], "zh"), listed("abc", most=2)
        ('a, b, c', 'a、b', 'a, b, ...')
    """
    cut = list(names)[:most]
    if lang == "zh":
        return "、".join(cut) + ("等" if len(names) > most else "")
    return ", ".join(cut) + (", ..." if len(names) > most else "")
