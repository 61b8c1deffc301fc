"""How levers read: what is associated with what was asked, what the scale's end takes, what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from csi.display import Number, table
from csi.errors import Note, Text, note
from csi.estimate.estimate import Estimate
from csi.importance.drivers_words import ROWS
from csi.measures.shown import told
from csi.models.model import Model

ROLES: Final = {
    "lever": Text("lever", "杠杆"),
    "between": Text("between", "中间构念"),
    "target": Text("target", "目标"),
}
HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "lever": Text("lever", "杠杆"),
    "role": Text("role", "角色"),
    "now": Text("now", "现值"),
    "asked": Text("asked", "设定"),
    "room": Text("room", "余地"),
    "change": Text("change", "变化"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "after": Text("after", "之后"),
    "at_end": Text("at the end", "到达端点"),
    "reason": Text("reason", "原因"),
    "cost": Text("cost", "成本"),
    "per_point": Text("per point", "每分成本"),
    "per_point_low": Text("low", "下限"),
    "per_point_high": Text("high", "上限"),
    "worth": Text("worth of a point", "每分价值"),
    "net": Text("net", "净值"),
    "net_low": Text("low", "下限"),
    "net_high": Text("high", "上限"),
    "breaks_even": Text("breaks even", "达到盈亏平衡"),
}


def as_typed(points: float) -> str:
    """Points that were asked for, as they were typed, a true minus.

    Example:
        >>> as_typed(0.01), as_typed(-0.05), as_typed(5.0)
        ('0.01', '−0.05', '5')
    """
    return f"{points:g}".replace("-", "−")


FINE: Final[Number] = "{:.2f}".format
NUMBERS: Final[dict[str, Number]] = {
    **dict.fromkeys(("now", "room", "change", "conf_low", "conf_high", "after"), lambda v: f"{v:.1f}"),
    "std_error": FINE,
    "asked": as_typed,
    **dict.fromkeys(("cost", "worth"), lambda v: f"{v:g}"),
    **dict.fromkeys(
        ("per_point", "per_point_low", "per_point_high", "net", "net_low", "net_high"), lambda v: f"{v:.0f}"
    ),
    **dict.fromkeys(("at_end", "breaks_even"), lambda v: f"{v:.0%}"),
}
CHANGES: Final = ("change", "conf_low", "conf_high")
"""Columns of points that something changes by."""
TITLES: Final = (
    Text("Levers and what they lead to (points)", "杠杆及其指向的构念（分）"),
    Text("The target, each lever alone (points)", "各杠杆单独变动时的目标（分）"),
    Text("Costs", "成本"),
)
TAKEN: Final = 0.05
"""Points of a rise that the end of the scale takes before that is said."""


def sentences_of(
    found: pl.DataFrame,
    costs: pl.DataFrame,
    labels: Mapping[str, Text],
    level: float,
    cells: Mapping[str, Text] | None = None,
) -> tuple[Text, ...]:
    """Per cell: what goes with what was asked, what the end of the scale takes, what it costs.

    Parameters:
        found, costs: of `WhatIf`. labels: of the constructs. level: of the intervals.
        cells: what brands, waves and other keys of a cell are called, where not as they stand.
    """
    keys = found.columns[: found.columns.index("construct")]
    parts = found.partition_by(keys, maintain_order=True) if keys else [found]
    out = []
    for number, part in enumerate(parts):
        named = [(cells or {}).get(v, Text(v, v)) for k in keys if (v := str(part[k][0]))]
        cell = Text(" ".join(t.en for t in named), " ".join(t.zh for t in named))
        money = costs.row(number, named=True) if costs.height else None
        own = _of_cell(part.to_dicts(), money, labels, level)
        out += [Text(f"{cell.en}: {said.en}", f"{cell.zh}：{said.zh}") if named else said for said in own]
    return tuple(out)


def _of_cell(
    rows: Sequence[Mapping[str, Any]], money: Mapping[str, Any] | None, labels: Mapping[str, Text], level: float
) -> Iterator[Text]:
    """The sentences of one cell; none where it has no numbers."""
    target = rows[-1]
    if target["change"] is None:
        return
    levers = [r for r in rows if r["role"] == "lever"]
    name = labels[target["construct"]]
    asked = " and ".join(_points(r["asked"], labels[r["construct"]].en) for r in levers)
    asked_zh = "且".join(_points_zh(r["asked"], labels[r["construct"]].zh) for r in levers)
    size, way, way_zh = at_least_said(abs(target["change"])), *_way(target["change"])
    within, within_zh = within_of(target, level)
    en = (
        f"{asked}{' together' if len(levers) > 1 else ''} are associated with {size.en} points {way} {name.en}{within}."
    )
    yield Text(en, f"{asked_zh}时，{name.zh}相应{way_zh}{size.zh} 分{within_zh}。")
    for r in levers:
        if r["at_end"] and (len(levers) > 1 or abs(r["asked"]) - abs(r["change"]) > TAKEN):
            one = labels[r["construct"]]
            brought = abs(r["change"]) - abs(r["asked"]) > TAKEN
            more, more_zh = (
                (", what other levers bring it included", "（含其他杠杆带来的变动）") if brought else ("", "")
            )
            en = f"With that {r['at_end']:.0%} of the respondents are at the end of the {one.en} scale, and its mean "
            zh = f"此时{one.zh}有 {r['at_end']:.0%} 的受访者到达量表端点，"
            moved = at_least_said(r["change"])
            yield Text(f"{en}changes by {moved.en}{more}.", f"{zh}其均值变化{moved.zh} 分{more_zh}。")
    if money is not None and money["per_point"]:
        yield cost_sentence(money, name)


def _points(asked: float, name: str) -> str:
    return f"{abs(asked):g} point{'s' * (abs(asked) != 1)} {'more' if asked > 0 else 'less'} {name}"


def _points_zh(asked: float, name: str) -> str:
    return f"{name}{'高' if asked > 0 else '低'} {abs(asked):g} 分"


def _way(change: float) -> tuple[str, str]:
    return ("more", "高") if change >= 0 else ("less", "低")


def within_of(row: Mapping[str, Any], level: float) -> tuple[str, str]:
    """The interval in words; nothing where there is none."""
    if row["conf_low"] is None:
        return "", ""
    low, high = (sized(row[end], like=row["change"], sign=True) for end in ("conf_low", "conf_high"))
    return f" ({level:.0%} interval {low} to {high})", f"（{level:.0%} 区间 {low} 至 {high}）"


def sized(value: float, *, like: float | None = None, sign: bool = False) -> str:
    """Points in a sentence: one decimal, two where `like` (the value itself by default) is below 1, a true minus.

    Example:
        >>> sized(12.345), sized(0.263), sized(1.2, like=0.263, sign=True), sized(-0.04, sign=True)
        ('12.3', '0.26', '+1.20', '−0.04')
    """
    digits = 2 if abs(value if like is None else like) < 1 else 1
    return f"{round(value, digits) + 0.0:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def at_least_said(value: float) -> Text:
    """Points in a sentence, "less than 0.01" where they round to nothing; Chinese with the space before a number.

    Example:
        >>> at_least_said(0.004), at_least_said(-0.26)
        (Text(en='less than 0.01', zh='不足 0.01'), Text(en='−0.26', zh=' −0.26'))
    """
    if abs(value) < LEAST / 2:
        return Text(f"less than {LEAST:g}", f"不足 {LEAST:g}")
    return Text(sized(value), f" {sized(value)}")


LEAST = 0.01
"""Points below which only the bound is said."""


def small(frame: pl.DataFrame) -> bool:
    """Whether some change is below a point, so that changes are told with two decimals.

    Example:
        >>> small(pl.DataFrame({"change": [5.0, 0.26]})), small(pl.DataFrame({"change": [5.0, 0.0, None]}))
        (True, False)
    """
    return "change" in frame.columns and frame["change"].abs().is_between(0, 1, closed="none").any()


def amount(value: float) -> str:
    """Money in a sentence: whole from 10, else with its first decimals, a true minus.

    Example:
        >>> amount(1234.5), amount(7.25), amount(0.5), amount(20.0), amount(-21.2)
        ('1,234', '7.2', '0.5', '20', '−21')
    """
    if abs(value) >= WHOLE:
        return f"{value:,.0f}".replace("-", "−")
    return f"{round(value, 1 if abs(value) >= 1 else 2) + 0.0:g}".replace("-", "−")


WHOLE = 10.0
"""Amounts from which decimals are left out."""


def quoted(labels: Mapping[str, Text], model: Model) -> dict[str, Text]:
    """Labels as they stand in sentences: those of items, which are sentences themselves, in quotation marks.

    Example:
        >>> quoted({"a": Text("quality", ""), "x": Text("It works", "")}, Model.parse("a =~ x"))["x"].en
        '“It works”'
    """
    items = set(model.items) - set(model.names)
    return {
        c: Text(*(t and f"“{t}”" for t in (said.en, said.zh))) if c in items else said for c, said in labels.items()
    }


def _often(share: float) -> Text:
    """A share of draws in words: none and all are not sure, so beyond 1 and 99% only the bound is said.

    Example:
        >>> _often(1.0).en, _often(0.62).zh
        ('in more than 99% of the draws', '在 62% 的抽样中')
    """
    if share > HIGH:
        return Text("in more than 99% of the draws", "在超过 99% 的抽样中")
    if share < 1 - HIGH:
        return Text("in less than 1% of the draws", "在不到 1% 的抽样中")
    return Text(f"in {share:.0%} of the draws", f"在 {share:.0%} 的抽样中")


HIGH = 0.99
"""The share of draws beyond which only the bound is said."""


def cost_sentence(money: Mapping[str, Any], name: Text) -> Text:
    """What one point costs, and whether that is met."""
    each, cost = amount(money["per_point"]), amount(money["cost"])
    low, high = money["per_point_low"], money["per_point_high"]
    within, within_zh = "", ""
    if low is not None:
        top, top_zh = ("no upper limit", "无上限") if high is None else (amount(high), amount(high))
        within, within_zh = f" ({amount(low)} to {top})", f"（{amount(low)} 至 {top_zh}）"
    en = f"At a cost of {cost} one point of {name.en} costs {each}{within}: it breaks even where a "
    zh = f"成本 {cost} 时，{name.zh}每高 1 分的成本为 {each}{within_zh}；每分价值达到此数时盈亏平衡。"
    en += "point is worth that much."
    if money.get("breaks_even") is not None:
        even = _often(money["breaks_even"])
        each = amount(money["worth"])
        en += f" At {each} a point it breaks even {even.en}."
        zh += f"按每分 {each} 计，{even.zh}达到盈亏平衡。"
    return Text(en, zh)


def lines_of(
    sentences: Sequence[Text],
    frames: Sequence[pl.DataFrame],
    labels: Mapping[str, Text],
    notes: Sequence[Note],
    lang: str,
) -> str:
    """Sentences, frames with a value, notes."""
    lines = [s.say(lang) for s in sentences]
    words = {**{k: t.say(lang) for k, t in ROLES.items()}, **{c: t.say(lang) for c, t in labels.items()}}
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    for number, (title, frame) in enumerate(zip(TITLES, frames, strict=True)):
        if not frame.height or (number == 1 and frame["lever"].n_unique() < 2):
            continue
        shown = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
        text = [c for c in ("construct", "lever", "role") if c in shown.columns]
        shown = shown.with_columns(pl.col(text).replace(words)) if text else shown
        numbers = {**NUMBERS, **dict.fromkeys(CHANGES, FINE)} if small(frame) else NUMBERS
        lines += ["", title.say(lang), table(shown.head(ROWS), numbers, heads)]
    return "\n".join([*lines, *told((), notes, lang)])


def notes_of(est: Estimate, kind: str, *, held: bool, rows: bool) -> tuple[Note, ...]:
    """What points of levers are, how they add up, where intervals come from, what the end of the scale takes."""
    en = "associations of the model carried to other points, not forecasts: what raises a lever may move others too."
    out = [note("N-LEVERS", en, "此为模型关联的换算，并非预测：改变杠杆的措施也可能牵动其他方面。")]
    if held:
        out.append(note("N-LEVERS-HELD", "each lever ends where it was put, whatever the others bring it.",
                        "各杠杆均停在设定的水平，不计其他杠杆带来的变动。"))  # fmt: skip
    if rows:
        en = "everybody is moved along a lever by what was asked and stops at 0 and 100; limits take that as known."
        out.append(note("N-LEVERS-END", en, "每位受访者在杠杆上按设定移动并止于 0 与 100；区间将此部分视为已知。"))
    else:
        en = "without rows means stop at 0 and 100; respondents who are there already are not known."
        out.append(note("W-LEVERS-NO-ROWS", en, "没有原始行，仅令均值止于 0 与 100，无法得知已在端点的受访者。"))
    if kind == "none":
        en = "no intervals without replicates (--bootstrap 500, csi.bootstrap(est))."
        out.append(note("N-LEVERS-NO-INTERVAL", en,
                        "没有重抽样，故无区间（--bootstrap 500，csi.bootstrap(est)）。"))  # fmt: skip
    if any(c.product_of for c in est.model.constructs):
        en = "a moderated lever is taken at the mean of its moderator; see csi.simple_slopes."
        out.append(note("moderated_importance", en, "受调节的杠杆取调节变量均值处的值，见 csi.simple_slopes。"))
    return tuple(out)
