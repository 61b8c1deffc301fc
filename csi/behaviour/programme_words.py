"""What is said of a programme."""

from __future__ import annotations

from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note

HEADINGS: Final = {
    "way": Text("way", "方法"),
    "members": Text("members", "会员"),
    "others": Text("others", "非会员"),
    "n": Text("n", "样本量"),
    "difference": Text("difference", "差异"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "p_value": Text("p", "p"),
    "k": Text("periods since joining (reference: -1)", "入会后期数（以 -1 为参照）"),
    "name": Text("known before", "入会前变量"),
    "n_effective": Text("effective others", "非会员有效样本量"),
    "before": Text("apart before (SD)", "加权前距离（SD）"),
    "after": Text("apart after (SD)", "加权后距离（SD）"),
    "highest_member": Text("highest chance, members", "会员最高概率"),
    "highest_other": Text("highest chance, others", "非会员最高概率"),
    "F": Text("F (trends before)", "F（入会前趋势）"),
    "df1": Text("df1", "自由度1"),
    "df2": Text("df2", "自由度2"),
}
SAID: Final = {
    "naive": Text("naive difference", "粗略差异"),
    "two-way": Text("two-way fixed effects", "双向固定效应"),
    "cohorts": Text("difference in differences, by cohort", "双重差分（按入会批次）"),
    "weighted": Text("difference in differences, weighted", "双重差分（加权）"),
    "mean": Text("spent a period", "每期消费"),
    "periods": Text("periods since the first purchase", "首购以来期数"),
}
PERIODS: Final = {"week": Text("week", "周"), "month": Text("month", "月"), "quarter": Text("quarter", "季")}
CLEAR: Final = 0.05
"""p below which trends before joining are taken to differ."""
APART: Final = 0.1
"""Standardised distance left after weighting from which members and others are not alike."""


def programme_sentences(
    table: pl.DataFrame, trend: pl.DataFrame, period: str, level: float, *, earned: bool, counted: bool
) -> tuple[Text, ...]:
    """What the best way says, in the words that its design earns; the naive difference beside it."""
    rows = {r["way"]: r for r in table.iter_rows(named=True) if r["difference"] is not None}
    unit = Text("purchases", "次购买") if counted else Text("in money", "（金额）")
    per = PERIODS[period]
    out = []
    best = next((w for w in ("cohorts", "weighted") if w in rows and rows[w]["conf_low"] is not None), None)
    if best is not None:
        row = rows[best]
        value, low, high = (fixed(row[c]) for c in ("difference", "conf_low", "conf_high"))
        limits = f"{100 * level:g}% interval [{low}, {high}]", f"{100 * level:g}% 区间 [{low}, {high}]"
        if earned:
            en = (
                f"If members would have gone on like the others, the effect of joining is {value} {unit.en} a "
                f"customer a {per.en}, {limits[0]}."
            )
            zh = f"若会员本会与非会员同步变化，入会的效应为每人每{per.zh} {value}{unit.zh}，{limits[1]}。"
        else:
            en = (
                f"After joining, members changed by {value} {unit.en} a customer a {per.en} more than others, "
                f"{limits[0]}: a difference in differences."
            )
            zh = f"入会后会员的变化比非会员每人每{per.zh}多 {value}{unit.zh}，{limits[1]}：仅为双重差分的差异。"
        out.append(Text(en, zh))
    if "naive" in rows and rows["naive"]["conf_low"] is not None:
        row = rows["naive"]
        value, low, high = (fixed(row[c]) for c in ("difference", "conf_low", "conf_high"))
        en = (
            f"Naive difference: members after joining spend {value} {unit.en} a customer a {per.en} more than "
            f"customers who never joined [{low}, {high}]; who joins chose to."
        )
        zh = f"粗略差异：会员入会后每人每{per.zh}比从未入会者多 {value}{unit.zh} [{low}, {high}]；入会系自愿选择。"
        out.append(Text(en, zh))
    if best is not None and trend.height:
        p = float(trend["p_value"][0])
        said, said_zh = (
            ("moved apart", "已有不同趋势") if p < CLEAR else ("did not move apart detectably", "未检出不同趋势")
        )
        out.append(Text(f"Before joining members and others {said} (p {fixed(p, 3)}).",
                        f"入会前会员与非会员{said_zh}（p {fixed(p, 3)}）。"))  # fmt: skip
    return tuple(out)


NOTES: Final = {
    "untested": Text(
        "trends before joining cannot be tested: too few periods or members; called a difference.",
        "入会前时期或会员过少，无法检验趋势；称为差异。",
    ),
    "parted": Text(
        "members and others moved apart before joining; called a difference.",
        "入会前会员与非会员趋势已不同；称为差异。",
    ),
    "alone": Text(
        "members are told apart from others by what they spent before: there is nobody like them; called a difference.",
        "按入会前消费即可完全区分会员与非会员，缺少相似的可比对象；称为差异。",
    ),
    "earned": Text(
        "it is an effect only if members would have gone on like the others; that trends before were alike speaks "
        "for it and does not prove it.",
        "只有会员在未入会时与非会员同步变化，才是效应；入会前趋势相同是支持而非证明。",
    ),
    "weighted": Text(
        "the weighted difference takes others who spent like members before; part of that was chance and falls back, "
        "so where spending carries over from period to period it is too high by some of its error.",
        "加权差异选取此前消费与会员相近的非会员；其中部分属偶然、随后回落，若消费逐期延续，该差异会偏高。",
    ),
    "joining": Text(
        "the period of joining holds the purchase at which customers joined: it stands in the event study (0) and "
        "enters no mean; periods up to a customer's first purchase are left out.",
        "入会当期包含促成入会的购买：列于事件研究（第 0 期），不计入平均；首购当期及以前不计。",
    ),
}
"""What notes say."""


def programme_notes(
    table: pl.DataFrame,
    trend: pl.DataFrame,
    apart: float | None,
    cohorts: int,
    *,
    earned: bool,
    weighted: bool,
) -> tuple[Note, ...]:
    """Why it is or is not called an effect, and how its parts are read."""
    notes = []
    if not trend.height:
        notes.append(_note("W-PRETREND", "untested"))
    elif float(trend["p_value"][0]) < CLEAR:
        notes.append(_note("W-PRETREND", "parted"))
    if not weighted:
        notes.append(_note("W-OVERLAP", "alone"))
    elif apart is not None and apart > APART:
        en = f"after weighting members and others are still {fixed(apart)} SD apart; called a difference."
        notes.append(note("W-OVERLAP", en, f"加权后会员与非会员仍相差 {fixed(apart)} 个标准差；称为差异。"))
    if earned:
        notes.append(_note("N-PROGRAMME", "earned"))
    notes.append(_note("N-PROGRAMME-JOIN", "joining"))
    if "weighted" in table.filter(pl.col("conf_low").is_not_null())["way"].to_list():
        notes.append(_note("N-PROGRAMME-WEIGHTED", "weighted"))
    if cohorts > 1 and "two-way" in table["way"].to_list():
        en = f"members joined in {cohorts} periods: two-way fixed effects also compare later with earlier members; "
        zh = f"会员分 {cohorts} 期入会：双向固定效应还会以先入会者为对照；按批次的各行则不会。"
        notes.append(note("N-PROGRAMME-WAYS", f"{en}the rows by cohort do not.", zh))
    return tuple(notes)


def _note(code: str, which: str) -> Note:
    """One of the notes."""
    return note(code, NOTES[which].en, NOTES[which].zh)
