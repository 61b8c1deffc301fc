"""What is said of the feedback loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Text

HEADINGS: Final = {
    "attribute": Text("attribute", "属性"),
    "wave": Text("wave", "期次"),
    "open_before": Text("open before", "期初未关闭"),
    "opened": Text("opened", "新开"),
    "reopened": Text("reopened", "重开"),
    "closed": Text("closed", "关闭"),
    "open": Text("open at the end", "期末未关闭"),
    "age": Text("median age, days", "未关闭时长中位数（天）"),
    "n": Text("n", "数量"),
    "people": Text("customers", "顾客数"),
    "oldest": Text("oldest open, days", "最久未关闭（天）"),
    "median": Text("half closed within, days", "半数关闭所需天数"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "source": Text("came in through", "来源"),
    "group": Text("cases", "问题状态"),
    "other": Text("against", "对照"),
    "answers": Text("answers", "答卷数"),
    "mean": Text("mean score", "平均得分"),
    "std_error": Text("SE", "标准误"),
    "before": Text("before", "前期得分"),
    "after": Text("after", "后期得分"),
    "change": Text("change", "变化"),
    "adjusted": Text("at the same score before", "前期得分相同"),
    "difference": Text("difference", "差异"),
    "p_value": Text("p", "p"),
    "touchpoint": Text("touchpoint", "触点"),
    "contacts": Text("contacts while open", "处理期间接触次数"),
    "others": Text("other contacts", "其他接触"),
}
GROUPS_SAID: Final = {
    "closed": Text("closed", "已关闭"),
    "open": Text("open", "未关闭"),
    "new": Text("opened since", "其间新开"),
    "none": Text("no case", "无问题单"),
}
MEANING: Final = Text(
    "a state holds on the last day of the wave, whenever in it a customer answered; nobody opens or closes cases by "
    "lot, and low scores come up by themselves: differences are associations. Times to close take cases as "
    "independent.",
    "状态以期末日为准，不论顾客在期内何时作答；问题的提出与关闭并非随机分配，低分也会自行回升：差异仅为关联。"
    "关闭时长将各问题单视为相互独立。",
)


def feedback_sentences(
    count: pl.DataFrame, fast: pl.DataFrame, moved: pl.DataFrame, gaps: pl.DataFrame, touched: pl.DataFrame,
    labels: Mapping[str, Text], last: date, level: float,
) -> tuple[Text, ...]:  # fmt: skip
    """What is open, how fast it is closed, what goes with closing, where customers call meanwhile."""
    return (*_open(fast, labels, last), *_trend(count), *_fast(fast, level), *_closing(moved, gaps, level),
            *_met(touched, labels))  # fmt: skip


def _open(fast: pl.DataFrame, labels: Mapping[str, Text], last: date) -> Iterator[Text]:
    """How many are open, most on what."""
    whole = fast.filter(attribute="").row(0, named=True)
    if not whole["open"]:
        yield Text(f"On {last} none of {whole['n']} cases is open.", f"截至 {last}，{whole['n']} 个问题均已关闭。")
        return
    worst = fast.filter(pl.col("attribute") != "").sort("open", descending=True, maintain_order=True).row(0, named=True)
    name = labels[worst["attribute"]]
    are = "is" if whole["open"] == 1 else "are"
    en = (
        f"On {last} {whole['open']} of {whole['n']} cases {are} open, the oldest for {whole['oldest']:.0f} days; most "
        f"on {name.en} ({worst['open']})."
    )
    zh = f"截至 {last}，{whole['n']} 个问题中有 {whole['open']} 个未关闭，最久已 {whole['oldest']:.0f} 天；"
    yield Text(en, f"{zh}最多的是{name.zh}（{worst['open']} 个）。")


def _trend(count: pl.DataFrame) -> Iterator[Text]:
    """Open cases at the end of the last two waves."""
    rows = count.filter(attribute="").tail(2).rows(named=True)
    if len(rows) < 2:
        return
    first, second = rows
    en = (
        f"In {second['wave']} {second['opened']} cases were opened, {second['reopened']} reopened and "
        f"{second['closed']} closed: open at its end {second['open']}, after {first['open']} at the end of "
        f"{first['wave']}."
    )
    zh = (
        f"{second['wave']} 新开 {second['opened']} 个、重开 {second['reopened']} 个、关闭 {second['closed']} 个："
        f"期末未关闭 {second['open']} 个，{first['wave']} 期末为 {first['open']} 个。"
    )
    yield Text(en, zh)


def _fast(fast: pl.DataFrame, level: float) -> Iterator[Text]:
    """How long until half are closed."""
    row = fast.filter(attribute="").row(0, named=True)
    if row["median"] is None:
        return
    high = "" if row["conf_high"] is None else f"{row['conf_high']:.0f}"
    low = "0" if row["conf_low"] is None else f"{row['conf_low']:.0f}"
    span, span_zh = (f"{low} to {high}", f"{low} 至 {high}") if high else (f"{low} or more", f"{low} 以上")
    en = f"Half of all cases are closed within {row['median']:.0f} days ({100 * level:g}% interval {span})."
    yield Text(en, f"半数问题在 {row['median']:.0f} 天内关闭（{100 * level:g}% 区间 {span_zh}）。")


def _closing(moved: pl.DataFrame, gaps: pl.DataFrame, level: float) -> Iterator[Text]:
    """How the change after closing differs from that while a case stays open."""
    pair = gaps.filter(attribute="", group="closed", other="open")
    if not pair.height:
        if moved.height:
            en = "Too few customers answered before and after a case was closed, or while it stayed open, to compare."
            yield Text(en, "在问题关闭前后（或持续未关闭期间）均作答的顾客过少，无法比较。")
        return
    row = pair.row(-1, named=True)
    rows = {r["group"]: r for r in moved.filter(attribute="").iter_rows(named=True)}
    shut, still = (fixed(rows[g]["change"], 1) for g in ("closed", "open"))
    sure = row["conf_low"] > 0 or row["conf_high"] < 0
    gap = f"{fixed(row['difference'], 1)} [{fixed(row['conf_low'], 1)}, {fixed(row['conf_high'], 1)}]"
    verb, verb_zh = ("is associated", "相关") if sure else ("is not clearly associated", "没有明确关联")
    same, same_zh = (" at the same score before", "前期得分相同时") if row["adjusted"] else ("", "")
    en = (
        f"Closing a case {verb} with the next score of the attribute: difference{same} {gap} points "
        f"({100 * level:g}% interval); change {shut} where it was closed, {still} where it stayed open."
    )
    zh = (
        f"问题关闭与该属性的下一期得分{verb_zh}：{same_zh}相差 {gap} 分（{100 * level:g}% 区间）；"
        f"已关闭者变化 {shut} 分，未关闭者 {still} 分。"
    )
    yield Text(en, zh)


def _met(touched: pl.DataFrame, labels: Mapping[str, Text]) -> Iterator[Text]:
    """Where customers are met while a case is open."""
    if not touched.height:
        return
    row = touched.row(0, named=True)
    name = labels[row["touchpoint"]]
    en = f"While a case is open customers are met most at: {name.en} ({row['contacts']} contacts)"
    zh = f"问题处理期间顾客接触最多的触点是{name.zh}（{row['contacts']} 次）"
    if row["difference"] is not None:
        gap = f"{fixed(row['difference'])} [{fixed(row['conf_low'])}, {fixed(row['conf_high'])}]"
        en, zh = f"{en}; scores there differ from those of other contacts by {gap}", f"{zh}；其评分与其他接触相差 {gap}"
    yield Text(f"{en}.", f"{zh}。")
