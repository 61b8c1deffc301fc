"""How each item stood in each wave's export: its column, its wording, the answers that were given, their labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """One item in one wave, as the export has it, before scales are turned and items reversed.

    Attributes:
        wave, item, file. column: of the export, "" where the file does not hold the item. wording: the question as
            asked, "" where the export does not say. answers: number -> how many gave it, codes of missing answers left
            out; empty where nobody answered. labels: code -> label, codes of missing answers left out.
    """

    wave: str
    item: str
    file: str
    column: str = ""
    wording: str = ""
    answers: Mapping[float, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many answered."""
        return sum(self.answers.values())

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest answer that was given; NaN where none was."""
        return (min(self.answers), max(self.answers)) if self.answers else (math.nan, math.nan)
