"""How drivers read at the prompt: a map in words, a sentence per cell, the items."""

from __future__ import annotations

from typing import Final

import polars as pl

from csi.display import Number, table
from csi.errors import Text

ROWS = 30
"""So many rows of a frame are printed; the rest is counted."""

QUADRANTS: Final = {
    "improve": Text("improve first", "优先改进"),
    "keep": Text("keep up", "保持优势"),
    "ease": Text("possible overkill", "可能过度投入"),
    "low": Text("low priority", "低优先级"),
}
"""Where a driver stands on the map."""

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "item": Text("item", "题项"),
    "weight": Text("weight", "权重"),
    "importance": Text("importance", "重要性"),
    "importance_conf_low": Text("low", "下限"),
    "importance_conf_high": Text("high", "上限"),
    "importance_std": Text("standardised", "标准化"),
    "performance": Text("performance", "表现"),
    "gain": Text("+5 points go with", "高 5 分时相应高"),
    "quadrant": Text("map", "象限"),
    "quadrant_share": Text("in the draws", "抽样占比"),
    "reason": Text("reason", "原因"),
}
_THREE: Final = ("importance", "importance_conf_low", "importance_conf_high", "importance_std", "weight")
NUMBERS: Final[dict[str, Number]] = {
    **dict.fromkeys(_THREE, lambda v: f"{v:.3f}"),
    "performance": lambda v: f"{v:.1f}",
    "gain": lambda v: f"{v:.2f}",
    "quadrant_share": lambda v: f"{v:.0%}",
}


def sentences_of(found: pl.DataFrame, target: str) -> tuple[Text, ...]:
    """Per cell, the driver whose five points more go with most of the target; its interval where there is one.

    Where there are no points (factors of a covariance model) the largest standardised total effect is named.

    Parameters:
        found: the table of `Drivers`. target: the construct explained.

    Example:
        >>> found = pl.DataFrame({"construct": ["a", "b"], "gain": [1.2, 2.5], "quadrant": ["keep", "improve"]})
        >>> print(sentences_of(found, "loyalty")[0].en)
        b: 5 points more go with 2.50 points of loyalty, the most of 2 drivers (improve first).
    """
    keys = found.columns[: found.columns.index("construct")]
    parts = found.partition_by(keys, maintain_order=True) if keys else [found]
    said = []
    for part in parts:
        points = part.filter(pl.col("gain").is_not_null())
        if points.height:
            said.append(_sentence(points, keys, target))
        elif "importance_std" in part.columns and part["importance_std"].count():
            said.append(_standardised(part.drop_nulls("importance_std"), keys, target))
    return tuple(said)


def _standardised(part: pl.DataFrame, keys: list[str], target: str) -> Text:
    """The driver of one cell with the largest standardised total effect."""
    top = part.sort(pl.col("importance_std").abs(), descending=True).row(0, named=True)
    cell = " ".join(str(top[k]) for k in keys)
    name, size, rest = top["construct"], f"{top['importance_std']:.2f}", part.height > 1
    low, high = top.get("importance_std_conf_low"), top.get("importance_std_conf_high")
    within, within_zh = (
        (f" [{low:.2f}, {high:.2f}]", f"（区间 [{low:.2f}, {high:.2f}]）") if low is not None else ("", "")
    )
    most, most_zh = (
        (f", the most of {part.height} drivers", f"，在 {part.height} 个驱动因素中最多") if rest else ("", "")
    )
    en = f"{name}: one standard deviation more goes with {size}{within} standard deviations of {target}{most}."
    zh = f"{name}：高 1 个标准差时，{target} 相应高 {size} 个标准差{within_zh}{most_zh}。"
    return Text(f"{cell}: {en}" if cell else en, f"{cell}：{zh}" if cell else zh)


def _sentence(part: pl.DataFrame, keys: list[str], target: str) -> Text:
    """The driver of one cell that goes with most of the target."""
    top = part.sort("gain", descending=True, nulls_last=True).row(0, named=True)
    cell = " ".join(str(top[k]) for k in keys)
    name, size = top["construct"], f"{top['gain']:.2f}"
    place = QUADRANTS[top["quadrant"]] if top["quadrant"] else Text("not on the map", "不在图上")
    within = within_zh = ""
    low, high = top.get("gain_conf_low"), top.get("gain_conf_high")
    if low is not None and high is not None:
        within, within_zh = f" [{low:.2f}, {high:.2f}]", f"，区间 [{low:.2f}, {high:.2f}]"
    most, most_zh = (
        (f", the most of {part.height} drivers", f"，在 {part.height} 个驱动因素中最多")
        if (part.height > 1)
        else ("", "")
    )
    en = f"{name}: 5 points more go with {size}{within} points of {target}{most} ({place.en})."
    zh = f"{name}：高 5 分时，{target} 相应高 {size} 分{within_zh}{most_zh}（{place.zh}）。"
    return Text(f"{cell}: {en}" if cell else en, f"{cell}：{zh}" if cell else zh)


def frame_lines(title: Text, found: pl.DataFrame, lang: str, place: str) -> list[str]:
    """A frame of drivers or items under its title, columns without a value left out, long ones cut and counted.

    Parameters:
        place: where everything is, such as ".table".

    Example:
        >>> found = pl.DataFrame({"construct": ["a"], "importance": [0.5], "quadrant": ["keep"]})
        >>> print(*frame_lines(Text("Drivers", "驱动因素"), found, "zh", ".table"), sep=chr(10))
        驱动因素
        构念  重要性  象限
        ----  ------  --------
        a      0.500  保持优势
    """
    keys = found.columns[: found.columns.index("construct")]
    shown = [c for c in (*keys, *HEADINGS) if c in found.columns and found[c].null_count() < found.height]
    words = {k: t.say(lang) for k, t in QUADRANTS.items()}
    frame = found.select(shown).with_columns(pl.col(c).replace(words) for c in shown if c == "quadrant")
    lines = [title.say(lang), table(frame.head(ROWS), NUMBERS, {c: t.say(lang) for c, t in HEADINGS.items()})]
    rest = frame.height - ROWS
    more = Text(f"... {rest} more row{'s' * (rest > 1)} in {place}", f"……另有 {rest} 行，见 {place}")
    return [*lines, more.say(lang)] if rest > 0 else lines
