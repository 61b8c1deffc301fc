"""What the doctor finds in the completed copies behind a pooled estimate, each finding told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from csi.errors import Text
from csi.measures.findings import Finding


def of_copies(found: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Findings of the copies: each once, in how many copies it is, with its numbers in the worst of them.

    Parameters:
        found: the findings of each copy.

    Example:
        >>> none = Text("", "")
        >>> low, high = (Finding("E-R2", "error", 0, "", ("y",), Text(f"R2 is {r2}.", ""), none, none, size=r2)
        ...              for r2 in (1.1, 1.4))
        >>> [f.say() for f in of_copies([[low], [high], []])]
        ['In 2 of 3 imputations (numbers of the worst): R2 is 1.4.']
    """
    same: dict[tuple[object, ...], list[Finding]] = {}
    for copy in found:
        seen: dict[tuple[object, ...], int] = {}
        for f in copy:
            kind = (f.code, f.severity, f.cell, f.place, f.parameters)
            seen[kind] = seen.get(kind, 0) + 1  # two of a kind in one copy are two findings
            same.setdefault((*kind, seen[kind]), []).append(f)
    return [_one(kind, len(found)) for kind in same.values()]


def _one(same: Sequence[Finding], m: int) -> Finding:
    """One finding of several copies."""
    worst = max(same, key=lambda f: f.size)
    alike = len({(f.what, f.cause, f.remedy) for f in same}) == 1
    sized = len({f.size for f in same}) > 1
    en, zh = (
        (" (numbers of the worst)", "（数值取最重的一份）")
        if sized
        else (" (numbers of the first)", "（数值取第一份）")
    )
    where = Text("", "") if alike else Text(en, zh)
    what = Text(
        f"In {len(same)} of {m} imputations{where.en}: {worst.what.en}",
        f"{m} 份插补数据中有 {len(same)} 份{where.zh}：{worst.what.zh}",
    )
    return replace(worst, what=what)
