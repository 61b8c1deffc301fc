"""The sections of a report, one file each: a function from an `Analysis` to a `Section`.

`planned` says which sections a report of a kind has; `build` makes one by its key.
"""

from __future__ import annotations

from collections.abc import Callable

from csi.errors import Problems, did_you_mean, problem
from csi.reporting.analysis import GROUPINGS, Analysis
from csi.reporting.section import Section
from csi.reporting.sections.chain import chain
from csi.reporting.sections.fieldwork import fieldwork
from csi.reporting.sections.items import items
from csi.reporting.sections.league import league
from csi.reporting.sections.measurement import loadings, reliability, validity
from csi.reporting.sections.method import method
from csi.reporting.sections.model import model, structure
from csi.reporting.sections.priorities import priorities
from csi.reporting.sections.stages import stages
from csi.reporting.sections.trend import trend
from csi.reporting.sections.verdict import headline

SECTIONS: dict[str, Callable[[Analysis], Section]] = {
    "trend": trend,
    "league": league,
    "chain": chain,
    "model": model,
    "priorities": priorities,
    "stages": stages,
    "reliability": reliability,
    "items": items,
    "loadings": loadings,
    "validity": validity,
    "structure": structure,
    "fieldwork": fieldwork,
    "method": method,
}
"""Every section by its key."""

KINDS: dict[str, tuple[str, ...]] = {
    "quarterly": (
        "trend", "league", "chain", "model", "priorities", "stages", "reliability", "items", "fieldwork", "method",
    ),
    "researcher": ("loadings", "reliability", "validity", "model", "structure", "priorities", "method"),
    "validator": ("fieldwork", "items", "reliability", "validity", "loadings", "method"),
}  # fmt: skip
"""Which sections each kind of report has, in order."""

NEED_A_MODEL = frozenset({"model", "priorities", "reliability", "loadings", "validity", "structure"})
"""Sections that exist only where the focal brand has enough answers for a model."""


def planned(kind: str, *, brands: int, waves: int, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The sections of a kind that this study can fill.

    Parameters:
        kind: a name in `KINDS`. brands, waves: how many there are. keys: the key columns of the panel.

    Raises:
        Problems: E-KIND.

    Example:
        >>> planned("quarterly", brands=1, waves=1, keys=())[:2]
        ('chain', 'model')
    """
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        en, zh = f'there is no kind of report "{kind}".', f"没有“{kind}”这种报告。"
        raise Problems([problem("E-KIND", "kind", en, zh, hint.en, hint.zh)])
    idle = {
        "trend": waves < 2,
        "league": brands < 2,
        "stages": brands < 2 and not set(keys) & set(GROUPINGS),
    }
    return tuple(key for key in KINDS[kind] if not idle.get(key, False))


def build(key: str, analysis: Analysis) -> Section:
    """The section `key` of an analysis."""
    return SECTIONS[key](analysis)


__all__ = ["KINDS", "NEED_A_MODEL", "SECTIONS", "build", "headline", "planned"]
