"""The period that a wave is named after, and its days."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

NUMERALS: Final = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}

NAMES: Final = (
    (4, re.compile(r"(\d{4})[-_/. ]?Q([1-4])", re.IGNORECASE)),
    (4, re.compile(r"(\d{4})\s*年?\s*第?([1-4一二三四])\s*季度?")),
    (12, re.compile(r"(\d{4})[-_/.](\d{1,2})")),
    (12, re.compile(r"(\d{4})M(\d{1,2})", re.IGNORECASE)),
    (12, re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月份?")),
    (2, re.compile(r"(\d{4})[-_/. ]?H([12])", re.IGNORECASE)),
    (2, re.compile(r"(\d{4})\s*年?\s*([上下])半年")),
    (1, re.compile(r"(\d{4})\s*年?()")),
)
"""Periods in a year and how they are written: year, then the number of the period."""


def period_of(name: str) -> tuple[int, int] | None:
    """How many such periods a year has and the number of this one since year 0; None when the name does not tell.

    Example:
        >>> period_of("2026Q1"), period_of("2026年1月"), period_of("2025下半年"), period_of("before the merger")
        ((4, 8104), (12, 24312), (2, 4051), None)
    """
    for many, pattern in NAMES:
        found = pattern.fullmatch(name.strip())
        if found:
            number = int(NUMERALS.get(found[2], found[2] or 1))
            return (many, int(found[1]) * many + number - 1) if 1 <= number <= many else None
    return None


def days_of(name: str) -> tuple[date, date] | None:
    """The first and the last day of the period a wave is named after; None when the name does not tell.

    Example:
        >>> first, last = days_of("2026Q1")
        >>> first.isoformat(), last.isoformat(), days_of("second wave")
        ('2026-01-01', '2026-03-31', None)
    """
    found = period_of(name)
    if found is None or not 1 <= found[1] // found[0] < date.max.year:
        return None
    many, number = found
    return _start(many, number), _start(many, number + 1) - timedelta(days=1)


def _start(many: int, number: int) -> date:
    """The first day of a period."""
    return date(number // many, number % many * 12 // many + 1, 1)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key under which "wave 2" comes before "wave 10".

    Example:
        >>> sorted(["2023Q4", "2024Q1", "2023Q10"], key=natural)
        ['2023Q4', '2023Q10', '2024Q1']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)
