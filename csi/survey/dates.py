"""Dates and times as people write them: one way in a column, nothing guessed where two readings differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from csi.errors import Problem, Text, problem
from csi.survey.placed import placed

WAYS: Final = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y",
)  # fmt: skip
"""Ways to write a day, each read by itself."""

CELL: Final = (
    r"^(?<day>.+?)(?:,?[T ]+(?<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)"
    r"(?:\s*(?<half>[AaPp])\.?[Mm]\.?)?\s*(?<zone>Z|[+-]\d{2}:?\d{2})?)?$"
)
"""A day, a time of day (with AM or PM), an offset from UTC."""

SHOWN: Final = 3
"""Cells that a message names."""


@dataclass(frozen=True, slots=True)
class Dates:
    """How dates are written.

    Attributes:
        way: such as "%d/%m/%Y"; "" finds it. zone: where days begin and end, such as "Asia/Shanghai", for times that
            carry an offset from UTC.
    """

    way: str = ""
    zone: str = ""


def known_zone(name: str) -> bool:
    """Whether a time zone has this name.

    Example:
        >>> known_zone("Asia/Shanghai"), known_zone("Peking")
        (True, False)
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def read_dates(column: pl.Series, how: Dates, place: str, code: str) -> tuple[pl.Series, list[Problem]]:
    """A column of text as local times (midnight where no time is written); empty cells stay empty.

    Parameters:
        column: text. how: the way they are written. place: what messages name. code: of the problems.

    Returns:
        The times (Datetime without zone), and what is wrong: cells that are no dates, several ways in one column, a day
        that can be read as a month, offsets in some cells only or several offsets without a zone.

    Example:
        >>> cells = pl.Series("date", ["2026-03-31", "2026-04-01 10:30", None])
        >>> [str(t) for t in read_dates(cells, Dates(), "purchases.csv", "E-EVENT")[0].drop_nulls()]
        ['2026-03-31 00:00:00', '2026-04-01 10:30:00']
        >>> read_dates(pl.Series("date", ["03/04/2026"]), Dates(), "purchases.csv", "E-EVENT")[1][0].what.en
        '03/04/2026 can be read as 2026-04-03 and as 2026-03-04.'
    """
    plain = column.cast(pl.String).str.strip_chars()
    plain = plain.set(plain == "", None)
    once = plain.unique()
    if 2 * len(once) < len(plain):
        read, bad = read_dates(once, how, place, code)
        if not bad:
            pairs = pl.DataFrame({"cell": once, "time": read})
            times = plain.to_frame("cell").join(pairs, on="cell", how="left", nulls_equal=True, maintain_order="left")
            return times["time"].alias(column.name), []
    cells = plain.to_frame("cell").select(pl.col("cell").str.extract_groups(CELL)).unnest("cell")
    days, bad = _days(cells["day"], plain, how.way, place, code)
    if bad:
        return pl.Series(column.name, [None] * len(column), pl.Datetime("us")), bad
    clock = pl.concat_str(pl.lit("0"), pl.col("clock").fill_null("0:00")).str.replace(r"^0(\d\d)", "$1")
    hours = cells.select(
        pl.duration(
            hours=_hour(clock.str.extract(r"^(\d+):").cast(pl.Int64)),
            minutes=clock.str.extract(r":(\d\d)").cast(pl.Int64),
            microseconds=(clock.str.extract(r":\d\d:(\d\d(?:\.\d+)?)").cast(pl.Float64).fill_null(0) * 1e6).cast(
                pl.Int64
            ),
        ).alias("clock")
    )["clock"]
    local = days.cast(pl.Datetime("us")) + hours
    local, bad = _zoned(local, cells["zone"], plain, how.zone, place, code)
    return local.alias(column.name), bad


def _hour(told: pl.Expr) -> pl.Expr:
    """The hour of the day, 12 AM being 0 and 1 PM being 13."""
    half = pl.col("half").str.to_lowercase()
    return pl.when(half == "p").then(told % 12 + 12).when(half == "a").then(told % 12).otherwise(told)


def _days(days: pl.Series, cells: pl.Series, way: str, place: str, code: str) -> tuple[pl.Series, list[Problem]]:
    """Days by the one way that reads every cell."""
    ways, once = ((way,) if way else WAYS), days.drop_nulls().unique()
    whole = [w for w in ways if once.str.to_date(w, strict=False, exact=True).null_count() == 0]
    if not len(once) or len(whole) == 1:
        return days.str.to_date(whole[0], strict=False, exact=True), []
    read = {w: days.str.to_date(w, strict=False, exact=True) for w in ways}
    if len(whole) > 1:
        first, second = read[whole[0]], read[whole[1]]
        differ = (first != second).fill_null(value=False)
        if not differ.any():
            return first, []
        row = int(differ.arg_max() or 0)
        en = f"{cells[row]} can be read as {first[row]} and as {second[row]}."
        zh = f"{cells[row]} 既可读作 {first[row]}，也可读作 {second[row]}。"
        do, do_zh = f'Say which: dates: "{whole[0]}" or "{whole[1]}".', f'请注明：dates: "{whole[0]}" 或 "{whole[1]}"。'
        return first, [problem(code, place, en, zh, do, do_zh)]
    return next(iter(read.values())), [_unread(days, cells, read, way, place, code)]


def _unread(days: pl.Series, cells: pl.Series, read: dict[str, pl.Series], way: str, place: str, code: str) -> Problem:
    """Cells that are no dates, else the rarer ways in a column of several."""
    best = max(read, key=lambda w: read[w].is_not_null().sum())
    any_way = pl.Series([False] * len(days))
    for found in read.values():
        any_way = any_way | found.is_not_null()
    none = ~any_way & days.is_not_null()
    if none.any():
        rows = none.arg_true().to_list()
        count, listed = _listed(rows, cells, place)
        like = f' (written as "{way}")' if way else ""
        like_zh = f"（写法为“{way}”）" if way else ""
        en, zh = (
            f"{count} no {'date' if len(rows) == 1 else 'dates'}{like}: {listed.en}.",
            f"{len(rows)} 个单元格不是日期{like_zh}：{listed.zh}。",
        )
        do, do_zh = (
            'Write dates as 2026-03-31, or say how they are written: dates: "%d.%m.%Y".',
            ('请把日期写成 2026-03-31，或注明写法：dates: "%d.%m.%Y"。'),
        )
        return problem(code, place, en, zh, do, do_zh)
    rows = (read[best].is_null() & days.is_not_null()).arg_true().to_list()
    count, listed = _listed(rows, cells, place)
    example = cells.filter(read[best].is_not_null())[0]
    en = f"dates are written in several ways: most as {example}, but {count} not ({listed.en})."
    zh = f"日期写法不一：多数如 {example}，但有 {len(rows)} 个单元格不同（{listed.zh}）。"
    return problem(code, place, en, zh, "Write all in one way, such as 2026-03-31.", "请统一写法，例如 2026-03-31。")


def _zoned(
    local: pl.Series, zones: pl.Series, cells: pl.Series, zone: str, place: str, code: str
) -> tuple[pl.Series, list[Problem]]:
    """Times with an offset moved to the zone; without a zone all must have the same offset."""
    with_offset = zones.is_not_null()
    if not with_offset.any():
        return local, []
    without = (cells.is_not_null() & ~with_offset).arg_true().to_list()
    if without:
        count, listed = _listed(without, cells, place)
        en = f"some times carry an offset from UTC, {count} without ({listed.en})."
        zh = f"部分时间带有时区偏移，另有 {len(without)} 个没有（{listed.zh}）。"
        return local, [problem(code, place, en, zh, "Write all with an offset, or none.", "请全部带偏移，或全部不带。")]
    minutes = _offset(zones)
    if not zone and minutes.drop_nulls().n_unique() > 1:
        several = ", ".join(sorted(zones.drop_nulls().unique().to_list())[:SHOWN])
        en, zh = f"times carry several offsets from UTC ({several}).", f"时间带有多个时区偏移（{several}）。"
        do, do_zh = "Say where days begin: timezone: Asia/Shanghai.", "请注明时区：timezone: Asia/Shanghai。"
        return local, [problem(code, place, en, zh, do, do_zh)]
    if not zone:
        return local, []
    utc = (local - (minutes * 60_000_000).cast(pl.Duration("us"))).dt.replace_time_zone("UTC")
    return utc.dt.convert_time_zone(zone).dt.replace_time_zone(None), []


def _offset(zones: pl.Series) -> pl.Series:
    """Minutes ahead of UTC."""
    frame = zones.str.replace("Z", "+00:00").to_frame("z")
    hours = pl.col("z").str.slice(1, 2).cast(pl.Int64)
    rest = pl.col("z").str.slice(-2).cast(pl.Int64)
    sign = pl.when(pl.col("z").str.starts_with("-")).then(-1).otherwise(1)
    return frame.select((sign * (hours * 60 + rest)).alias("z"))["z"]


def _listed(rows: Sequence[int], cells: pl.Series, place: str) -> tuple[str, Text]:
    """How many cells, and the first of them."""
    listed = placed(rows, [cells[i] for i in rows], place)
    return ("1 cell is" if len(rows) == 1 else f"{len(rows)} cells are"), listed
