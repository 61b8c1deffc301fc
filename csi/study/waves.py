"""How many waves a year has, by the way the waves are called."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from csi.survey.period import period_of


def years_of(names: Sequence[str]) -> tuple[int, int] | None:
    """The periods in a year of waves that are all named by one kind of period, and the fewest between two waves.

    Returns:
        (periods, step): quarters in every second quarter are (4, 2); None when the names do not tell.

    Example:
        >>> years_of(["2025Q4", "2026Q1"]), years_of(["2025Q2", "2025Q4"]), years_of(["2025", "2026Q1"])
        ((4, 1), (4, 2), None)
    """
    periods = [period_of(name) for name in names]
    kinds = {period[0] for period in periods if period}
    if not periods or None in periods or len(kinds) != 1:
        return None
    numbers = sorted({period[1] for period in periods if period})
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    return kinds.pop(), min(steps, default=1)


def per_year(names: Sequence[str]) -> int | None:
    """How many waves a year has; None when the names do not tell.

    A regular series that leaves periods out (every second quarter, for a year or more) has as many as it holds.

    Example:
        >>> per_year(["2026Q1", "2026Q2"]), per_year(["2026-01", "2026-02"]), per_year(["wave 1", "wave 2"])
        (4, 12, None)
        >>> per_year(["2025Q2", "2025Q4", "2026Q2"])
        2
    """
    told = years_of(names)
    if told is None:
        return None
    periods, step = told
    regular = periods % step == 0 and len(names) > periods // step
    return periods // step if regular else periods


def contradicts(names: Sequence[str], many: int) -> bool:
    """Whether waves so named cannot be `many` a year.

    Example:
        >>> contradicts(["2026Q1", "2026Q2"], 2), contradicts(["2026Q2", "2026Q4"], 2), contradicts(["a", "b"], 3)
        (True, False, False)
    """
    told = years_of(names)
    return told is not None and many not in {told[0], max(told[0] // told[1], 1)}
