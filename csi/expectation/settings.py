"""Settings that several comparisons share, and the outcome they explain."""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import Problem, Problems, problem
from csi.survey.panel import Panel

FEWEST = 100
"""Resamples below which a share of them says too little."""


def check(level: float, band: float = 0.0, replicates: int = FEWEST) -> None:
    """Refuse settings out of range.

    Raises:
        Problems: E-SETTING.

    Example:
        >>> check(95)
        Traceback (most recent call last):
        csi.errors.Problems: level: level = 95 is not between 0 and 1. Write 0.95.
    """
    found: list[Problem] = []
    if not 0 < level < 1:
        en, zh = f"level = {level:g} is not between 0 and 1.", f"level = {level:g} 不在 0 与 1 之间。"
        found.append(problem("E-SETTING", "level", en, zh, "Write 0.95.", "请写 0.95。"))
    if not band >= 0:
        en, zh = f"band = {band:g} is negative.", f"band = {band:g} 为负。"
        found.append(problem("E-SETTING", "band", en, zh, "Write 0 or more.", "请写 0 或正数。"))
    if replicates < FEWEST:
        en, zh = f"{replicates} resamples are too few.", f"{replicates} 次重抽样过少。"
        found.append(problem("E-SETTING", "replicates", en, zh, f"Take at least {FEWEST}.", f"请至少取 {FEWEST}。"))
    if found:
        raise Problems(found)


def outcome_of(
    panel: Panel, asked: str | None, taken: Sequence[str], *, needed: bool = False
) -> tuple[str, tuple[str, ...]]:
    """The outcome's name and items; ("", ()) where there is none.

    Parameters:
        asked: a construct or item; None takes "satisfaction" where the codebook has it, "" none. taken: items that
            are explained by, and so cannot be, the outcome. needed: whether there must be one.

    Raises:
        Problems: E-ROLE where the outcome is not there.
    """
    book = panel.codebook
    if asked == "" and not needed:
        return "", ()
    name = asked or "satisfaction"
    items = book.items_of(name) or ((name,) if name in book.names else ())
    items = tuple(i for i in items if i not in taken)
    if not items and (needed or asked is not None):
        en, zh = f'"{name}" is no construct or item beside the pairs.', f"“{name}”不是配对之外的构念或题项。"
        do = "Name a construct or an item" + ("." if needed else ", or leave outcome= out.")
        do_zh = "请给出构念或题项" + ("。" if needed else "，或去掉 outcome=。")
        raise Problems([problem("E-ROLE", "outcome", en, zh, do, do_zh)])
    return (name, items) if items else ("", ())
