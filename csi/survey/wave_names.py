"""Waves that are named after days or periods: the way they are written, and their order in time.

Names in several ways ("2026-01-15", "15/01/2026", "2026年1月") would be separate waves in the order of their letters;
names in one way stand in the order of time, whatever their letters say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from csi.errors import Problem, Text, problem
from csi.survey.columns import FILE, ROW
from csi.survey.period import days_of, natural

Counts = Mapping[str, tuple[int, Text]]
"""Name -> answers under it, and where the first stands (nothing where it is not known), in the order of the rows."""

Days = tuple[date, date]
"""The first and the last day that a name stands for."""

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH: Final = r"(?P<name>jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
YEAR, HALF, MON, DAY = r"(?P<y>\d{4})", r"(?P<yy>\d{2})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"

WRITTEN: Final[Mapping[Text, str]] = {
    Text("year-month-day", "年-月-日"): rf"{YEAR}(?P<s>[-/.]){MON}(?P=s){DAY}",
    Text("day-month-year", "日-月-年"): rf"{DAY}(?P<s>[-/.]){MON}(?P=s){YEAR}",
    Text("month-day-year", "月-日-年"): rf"{MON}(?P<s>[-/.]){DAY}(?P=s){YEAR}",
    Text("year in two digits, month, day", "两位年-月-日"): rf"{HALF}(?P<s>[-/.]){MON}(?P=s){DAY}",
    Text("day, month, year in two digits", "日-月-两位年"): rf"{DAY}(?P<s>[-/.]){MON}(?P=s){HALF}",
    Text("month, day, year in two digits", "月-日-两位年"): rf"{MON}(?P<s>[-/.]){DAY}(?P=s){HALF}",
    Text("a day in Chinese", "年月日"): rf"{YEAR}\s*年\s*{MON}\s*月\s*{DAY}\s*[日号]",
    Text("a day in eight digits", "八位日期"): r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    Text("day, name of the month, year", "日、英文月名、年"): rf"{DAY}(?P<s>[- ]){MONTH},?(?P=s){YEAR}",
    Text("name of the month, day, year", "英文月名、日、年"): rf"{MONTH} {DAY},? {YEAR}",
    Text("name of the month, year", "英文月名、年"): rf"{MONTH}[- ,]+{YEAR}",
    Text("month/year", "月/年"): rf"{MON}[-/._ ]{YEAR}",
    Text("year and month in six digits", "六位年月"): r"(?P<y>\d{4})(?P<m>\d{2})",
    Text("quarter, year", "季度、年"): rf"q(?P<q>[1-4])[-/ ]?{YEAR}",
}
"""Ways to write a day, a month or a quarter; names of periods that begin with the year are read by `csi.survey.period`.
"""

CLOCK: Final = re.compile(r"[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?$")
PATTERNS: Final = {way: re.compile(pattern, re.IGNORECASE) for way, pattern in WRITTEN.items()}


@dataclass(frozen=True, slots=True)
class Way:
    """One way of writing: what it is called, and what stands between its parts ("year-month-day", "-")."""

    label: Text
    shape: str = ""


def read_ways(name: str) -> dict[Way, Days]:
    """Every way in which a name can be read as days; empty where it is no date.

    Example:
        >>> [(way.label.en, days[0].isoformat()) for way, days in read_ways("03/04/2026").items()]
        [('day-month-year', '2026-04-03'), ('month-day-year', '2026-03-04')]
        >>> read_ways("wave 2")
        {}
    """
    plain = CLOCK.sub("", unicodedata.normalize("NFKC", name).strip())
    shape = re.sub(r"\d+|[一二三四上下]", "#", plain).casefold()
    found: dict[Way, Days] = {}
    for label, pattern in PATTERNS.items():
        match = pattern.fullmatch(plain)
        days = None if match is None else _days(match.groupdict())
        if days is not None:
            found[Way(label, re.sub(r"[a-z]+", "", shape))] = days
    period = days_of(plain)
    if period is not None and not found:
        found[Way(Text("a period of a year", "年内时段"), shape)] = period
    return found


def _days(parts: Mapping[str, str | None]) -> Days | None:
    """The days of what was matched; None where there is no such day."""
    year = int(parts.get("y") or 2000 + int(parts.get("yy") or 0))
    if parts.get("q"):
        start = date(year, 3 * int(parts["q"] or 1) - 2, 1)
        return start, _before_month(start, 3)
    named = (parts.get("name") or "")[:3].casefold()
    month = MONTHS.index(named) + 1 if named else int(parts.get("m") or 0)
    day = parts.get("d")
    try:
        start = date(year, month, int(day or 1))
    except ValueError:
        return None
    return (start, start) if day else (start, _before_month(start, 1))


def _before_month(start: date, months: int) -> date:
    """The day before the month so many months on."""
    at = start.year * 12 + start.month - 1 + months
    return date(at // 12, at % 12 + 1, 1) - timedelta(days=1) if at // 12 <= date.max.year else date.max


def whole_ways(names: Sequence[str]) -> dict[Way, tuple[Days, ...]]:
    """The ways that read every name, with the days of each.

    Example:
        >>> [way.label.en for way in whole_ways(["03/04/2026", "15/04/2026"])]
        ['day-month-year']
    """
    read = [read_ways(name) for name in names]
    return {
        way: tuple(one[way] for one in read) for way in (read[0] if read else {}) if all(way in one for one in read)
    }


def in_time(names: Sequence[str]) -> tuple[str, ...] | None:
    """Names that are dates in one way, oldest first; None where they are none or their order cannot be told.

    Example:
        >>> in_time(["15/01/2026", "03/02/2026"]), in_time(["2026年第二季度", "2026年第三季度", "2026年第一季度"])
        (('15/01/2026', '03/02/2026'), ('2026年第一季度', '2026年第二季度', '2026年第三季度'))
        >>> in_time(["first", "second"]), in_time([])
        (None, None)
    """
    whole = [dict(zip(names, days, strict=True)) for days in whole_ways(names).values()]
    if not whole:
        read = {name: read_ways(name) for name in names}
        if not read or not all(read.values()) or not _growing(read):
            return None
        whole = [{name: next(iter(ways.values())) for name, ways in read.items()}]
    orders = {tuple(sorted(names, key=days.__getitem__)) for days in whole}
    return orders.pop() if len(orders) == 1 else None


def named_order(role: str, names: Iterable[str]) -> tuple[str, ...]:
    """Names in order where no study states one: waves named after dates in time, others naturally.

    Example:
        >>> named_order("wave", {"wave 10", "wave 2"}), named_order("wave", {"Q1 2026", "Q4 2025"})
        (('wave 2', 'wave 10'), ('Q4 2025', 'Q1 2026'))
    """
    found = tuple(sorted(names, key=natural))
    return (in_time(found) if role == "wave" else None) or found


def name_problem(counts: Counts, place: str) -> Iterator[Problem]:
    """What is wrong with waves named after dates whose order nobody stated: several ways, or two readings.

    Parameters:
        counts: see `Counts`. place: the file or files, and the column.
    """
    read = {name: ways for name in counts if (ways := read_ways(name))}
    if len(read) < 2:
        return
    names = list(read)
    whole = whole_ways(names)
    found = len(whole) > 1 and in_time(names) is None
    if found:
        yield _two_readings(names, whole, counts, place)
    same = {way: [n for n, d in zip(names, days, strict=True) if days.count(d) > 1] for way, days in whole.items()}
    if whole and all(same.values()):
        yield _one_day_twice(next(iter(same.values())), counts, place)
    if whole or _growing(read):
        others = [name for name in counts if name not in read]
        if others and not found and (in_time(names) or ()) != tuple(sorted(names, key=natural)):
            yield _no_date(others, counts, place, in_time(names) or names)
        return
    yield _several(_covered(read), read, counts, place)


def _growing(read: Mapping[str, Mapping[Way, Days]]) -> bool:
    """Years, then quarters: each length of period written one way, none of them within another."""
    every = sorted((days, way.shape) for way, days in (next(iter(ways.items())) for ways in read.values()))
    long = {(round((last - first).days / MONTH_DAYS), shape) for (first, last), shape in every}
    apart = all(a[0][1] < b[0][0] for a, b in pairwise(every))
    return apart and min(months for months, _ in long) > 0 and len({m for m, _ in long}) == len(long)


MONTH_DAYS: Final = 30.0


def _covered(read: Mapping[str, Mapping[Way, Days]]) -> dict[Way, list[str]]:
    """The fewest ways that read all names, the commonest first, with the names of each."""
    rest, out = dict(read), {}
    while rest:
        ways = {way: [n for n in rest if way in rest[n]] for one in rest.values() for way in one}
        best = max(ways, key=lambda way: len(ways[way]))
        out[best] = ways[best]
        rest = {n: one for n, one in rest.items() if best not in one}
    return out


SHOWN: Final = 5
"""Names that a message shows."""


def _several(
    ways: Mapping[Way, list[str]],
    read: Mapping[str, Mapping[Way, Days]],
    counts: Counts,
    place: str,
) -> Problem:
    """Dates in several ways, each with a name, its answers and its first row."""
    told = [_told(way, names, counts) for way, names in ways.items()]
    days = {n: one[way] for way, names in ways.items() for n in names for one in [read[n]]}
    order = sorted(days, key=days.__getitem__)
    within = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :] if days[b][0] <= days[a][1]]
    en = f"the waves are dates written in {len(ways)} ways: " + "; ".join(t.en for t in told) + "."
    zh = f"期次为日期，却有 {len(ways)} 种写法：" + "；".join(t.zh for t in told) + "。"
    if within:
        a, b = within[0]
        en, zh = (
            f'{en} "{b}" lies within "{a}" and would be a wave of its own.',
            f"{zh}“{b}”在“{a}”之内，却会自成一期。",
        )
    return problem("E-WAVE-DATES", place, en, zh, *_remedy(order))


def _told(way: Way, names: Sequence[str], counts: Counts) -> Text:
    """A way with its first name, its answers and where the first stands."""
    n, more = sum(counts[name][0] for name in names), len(names) - 1
    en = f'"{names[0]}"' + (f" and {more} more" if more else "")
    zh = f"“{names[0]}”" + (f" 等 {len(names)} 个" if more else "")
    at = _at((n, counts[names[0]][1]))
    return Text(f"{way.label.en}, {en} ({at.en})", f"{way.label.zh}，{zh}（{at.zh}）")


def _at(found: tuple[int, Text]) -> Text:
    """How many answers, from which row on."""
    n, where = found
    en, zh = f"{n:,} {'answer' if n == 1 else 'answers'}", f"{n:,} 份答卷"
    return Text(f"{en}, from {where.en}", f"{zh}，始于{where.zh}") if where.en else Text(en, zh)


def _remedy(order: Sequence[str]) -> tuple[str, str]:
    """One way for all, or the order stated."""
    named = ", ".join(f'"{n}"' for n in order[:SHOWN]) + (", ..." if len(order) > SHOWN else "")
    do = "Write every wave one way in the data (2026-01, say); if these are different waves, list them, oldest first:"
    do_zh = "请在数据中统一期次写法（如 2026-01）；若确为不同的期，请由早到晚列出："
    return f"{do} waves: {{order: [{named}]}}.", f"{do_zh}waves: {{order: [{named}]}}。"


def _two_readings(names: Sequence[str], whole: Mapping[Way, tuple[Days, ...]], counts: Counts, place: str) -> Problem:
    """A day that may be a month, so that the order of time cannot be told."""
    (one, first), (other, second) = list(whole.items())[:2]
    at = next(i for i in range(len(names)) if first[i] != second[i])
    name, where = names[at], _at(counts[names[at]])
    en = f'the order of the waves cannot be told: "{name}" ({where.en}) can be read as {first[at][0]} ({one.label.en})'
    en += f" and as {second[at][0]} ({other.label.en})."
    zh = f"无法判断各期的先后：“{name}”（{where.zh}）既可读作 {first[at][0]}（{one.label.zh}），"
    zh += f"也可读作 {second[at][0]}（{other.label.zh}）。"
    return problem("E-WAVE-DATES", place, en, zh, *_remedy(names))


def _one_day_twice(names: Sequence[str], counts: Counts, place: str) -> Problem:
    """Two names of one day or period."""
    shown = names[:SHOWN]
    en = "the same day or period stands under several names: "
    en += ", ".join(f'"{n}" ({_at(counts[n]).en})' for n in shown) + "."
    zh = "同一天或同一时段有多种写法："
    zh += "、".join(f"“{n}”（{_at(counts[n]).zh}）" for n in shown) + "。"
    return problem("E-WAVE-DATES", place, en, zh, *_remedy(names))


def _no_date(others: Sequence[str], counts: Counts, place: str, order: Sequence[str]) -> Problem:
    """Names beside dates that are none, so that they have no place in time."""
    shown = others[:SHOWN]
    en = "the other waves are dates, these are not, and their place among them cannot be told: "
    en += ", ".join(f'"{n}" ({_at(counts[n]).en})' for n in shown) + "."
    zh = "其余期次为日期，以下不是，无法判断其先后："
    zh += "、".join(f"“{n}”（{_at(counts[n]).zh}）" for n in shown) + "。"
    return problem("E-WAVE-DATES", place, en, zh, *_remedy([*others, *order]))


def wave_dates(frame: pl.DataFrame, column: str = "") -> Iterator[Problem]:
    """The same of rows with `wave`, `file` and `row`.

    Parameters:
        column: of the export, for the place.

    Example:
        >>> rows = {"wave": ["2026-01", "2026年1月"], "file": "a.csv", "row in the file": [2, 3]}
        >>> [found.what.en for found in wave_dates(pl.DataFrame(rows))][0].split(":")[0]
        'the waves are dates written in 2 ways'
    """
    rows = frame.filter(pl.col("wave").is_not_null())
    first = rows.group_by("wave", maintain_order=True).agg(
        pl.len(), pl.col(FILE).cast(pl.String).first(), pl.col(ROW).first()
    )
    files = list(dict.fromkeys(first[FILE].to_list()))
    own = {file: Text("", "") if len(files) == 1 else Text(f"{file}, ", f" {file} ") for file in files}
    counts = {w: (n, Text(f"{own[file].en}row {row}", f"{own[file].zh}第 {row} 行"))
              for w, n, file, row in first.iter_rows()}  # fmt: skip
    named = ", ".join(files[:SHOWN]) + (", ..." if len(files) > SHOWN else "")
    yield from name_problem(counts, f"{named}, column {column}" if column else named)
