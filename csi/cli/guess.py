"""First guesses from an export: which column is a key, which is an item, on what scale, of which construct."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

ROLES = {
    "respondent": r"(resp(ondent)?(_?id)?|id|uid|case(_?id)?|record(_?id)?|序号|编号|问卷编号|受访者(编号)?|答卷编号)",
    "wave": r"(wave|quarter|period|year|month|round|期次|季度|期|年份|月份|波次|调查期)",
    "brand": r"(brand|operator|company|firm|airline|bank|store|provider|品牌|运营商|公司|企业|门店|航空公司|银行)",
    "weight": r"(weights?|wt|w|权重|加权)",
    "stratum": r"(strat(um|a)|层|分层)",
    "cluster": r"(cluster|psu|群|抽样单元)",
    "stage": r"(stage|phase|阶段)",
    "segment": r"(segment|customer_?type|细分|客户类型|用户类型)",
    "duration": r"(duration|seconds|time_?spent|interview_?time|用时|答题时长|所用时间|答题用时)",
}
"""Key role -> what its column is usually called."""

WORDS = {
    "image": r"ima?g|形象",
    "expectation": r"exp|cuex|期望|预期",
    "perceived_quality": r"qua|perq|质量|品质",
    "product_quality": r"prod|产品质量",
    "service_quality": r"serv|服务质量",
    "perceived_value": r"val|perv|价值|性价比",
    "satisfaction": r"sat|cusa|满意",
    "complaints": r"comp?l?|cusco|抱怨|投诉",
    "loyalty": r"loy|cusl|忠诚|推荐|再次购买",
    "trust": r"trust|信任",
}
"""Construct -> how its columns usually begin, or what their question speaks of."""

SCALES = ((1, 5), (1, 7), (1, 10), (0, 10), (0, 1), (0, 100))
CODES = {"97": "not_asked", "98": "dont_know", "99": "refused", "88": "dont_know", "-1": "skipped", "-9": "refused"}
PLAIN = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Guess:
    """Roles {role: column}, items {column: construct or ""}, scale {column: (min, max)}, codes seen {code: reason}."""

    roles: Mapping[str, str]
    items: Mapping[str, str]
    scales: Mapping[str, tuple[int, int]]
    codes: Mapping[str, str]


def guess(frame: pl.DataFrame, constructs: Iterable[str]) -> Guess:
    """What the columns of an export (all text) probably are.

    Parameters:
        frame: every column as text. constructs: those of the model, in order.

    Example:
        >>> frame = pl.DataFrame({"id": ["1", "2"], "sat1": ["7", "98"], "q": ["3", "4"]})
        >>> found = guess(frame, ["satisfaction"])
        >>> found.roles, found.items, found.scales["sat1"]
        ({'respondent': 'id'}, {'sat1': 'satisfaction', 'q': ''}, (1, 7))
    """
    roles = roles_of(frame.columns)
    values = {c: values_of(frame[c]) for c in frame.columns if c not in roles.values()}
    blocks: dict[str, set[int]] = {}
    for column, seen in values.items():
        if seen is not None:
            blocks.setdefault(prefix(column), set()).update(seen - {int(c) for c in CODES})
    scales = {}
    for column, seen in values.items():
        scale = scale_of(blocks[prefix(column)]) if seen else None
        if scale:
            scales[column] = scale
    items = {c: construct_of(c, constructs) for c in scales}
    used = {str(v) for c in scales for v in values[c] or ()}
    return Guess(roles, items, scales, {c: r for c, r in CODES.items() if c in used})


def roles_of(columns: Iterable[str]) -> dict[str, str]:
    """The key columns by their names, the first of each role."""
    found: dict[str, str] = {}
    for column in columns:
        for role, pattern in ROLES.items():
            if role not in found and re.fullmatch(pattern, column.strip(), re.IGNORECASE):
                found[role] = column
                break
    return found


def values_of(column: pl.Series) -> set[int] | None:
    """The whole numbers in a column, or None when something else is in it."""
    seen = column.drop_nulls().str.strip_chars().unique()
    numbers = seen.cast(pl.Float64, strict=False)
    if numbers.null_count() or not len(seen) or (numbers != numbers.round()).any():
        return None
    return {int(v) for v in numbers}


def scale_of(seen: set[int]) -> tuple[int, int] | None:
    """The smallest usual scale that holds all values; None when none does or nothing varies."""
    fits = [s for s in SCALES if seen and s[0] <= min(seen) and max(seen) <= s[1]]
    return fits[0] if fits else None


def prefix(column: str) -> str:
    """The name without its closing number: items of one block share it.

    Example:
        >>> prefix("PERQ7"), prefix("总体满意度2")
        ('PERQ', '总体满意度')
    """
    return re.sub(r"[\d_.\- ]+$", "", column)


def construct_of(column: str, constructs: Iterable[str]) -> str:
    """The construct whose words the column's name begins with (or, in Chinese, contains); "" when none."""
    for construct in constructs:
        pattern = WORDS.get(construct, re.escape(construct))
        if re.match(f"({construct}|{pattern})", column, re.IGNORECASE):
            return construct
        chinese = "|".join(w for w in pattern.split("|") if not w.isascii())
        if chinese and re.search(chinese, column):
            return construct
    return ""
