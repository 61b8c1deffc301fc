"""The same finding in many cells, told once: how many cells, which, and what it is like in the worst of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from csi.errors import Text
from csi.measures.findings import Finding, Severity

NAMED = 3
"""So many places of one finding are named."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Findings with the same code, severity and parameters, one per place; the worst stands for them.

    Attributes:
        worst: the one with the largest size. places: cells (and groups) in words, worst first, each once. cells: how
            many different ones. alike: whether all say the same.
    """

    worst: Finding
    places: tuple[str, ...]
    cells: int
    alike: bool

    @property
    def code(self) -> str:
        """The code they share."""
        return self.worst.code

    @property
    def severity(self) -> Severity:
        """The severity they share."""
        return self.worst.severity

    def say(self, lang: str = "en") -> str:
        """One paragraph: as the finding itself where there is one place."""
        if len(self.places) == 1:
            return self.worst.say(lang)
        head = self._where().say(lang)
        return head + ("" if lang == "zh" else " ") + self.worst.text().say(lang)

    def _where(self) -> Text:
        """How many cells, a few of them, and whose numbers follow."""
        several = self.cells > 1
        count = self.cells if several else len(self.places)
        kind, kind_zh = ("cells", "个单元") if several else ("groups", "个组")
        more = len(self.places) > NAMED
        named = "; ".join(self.places[:NAMED]) + ("; ..." if more else "")
        named_zh = "；".join(self.places[:NAMED]) + ("等" if more else "")
        if self.alike:
            return Text(f"{count} {kind} ({named}):", f"{count} {kind_zh}（{named_zh}）：")
        first = self.places[0]
        return Text(
            f"{count} {kind} (worst first: {named}); in {first}:",
            f"{count} {kind_zh}（由重到轻：{named_zh}）；其中 {first}：",
        )


def gathered(findings: Sequence[Finding]) -> tuple[Gathered, ...]:
    """Findings told once for all the cells they were found in: errors first, then what was found in most cells.

    Example:
        >>> few = [Finding("N", "fine", i, f"W{i}", (), Text(f"{n} rows.", ""), Text("", ""), Text("", ""), size=-n)
        ...        for i, n in enumerate((90, 40, 60))]
        >>> [one.say() for one in gathered(few)]
        ['3 cells (worst first: W1; W2; W0); in W1: 40 rows.']
    """
    groups: dict[tuple[str, str, tuple[str, ...]], list[Finding]] = {}
    for f in findings:
        groups.setdefault((f.severity, f.code, f.parameters), []).append(f)
    rank = {"error": 0, "warning": 1, "fine": 2}
    out = [_one(same) for same in groups.values()]
    return tuple(sorted(out, key=lambda g: (rank[g.severity], -g.cells)))


def _one(same: Sequence[Finding]) -> Gathered:
    """Findings of one kind."""
    order = sorted(same, key=lambda f: -f.size)
    places = tuple(dict.fromkeys(f.place for f in order))
    cells = len({f.cell for f in same})
    told = {(f.what, f.cause, f.remedy) for f in same}
    return Gathered(order[0], places, cells, len(told) == 1)
