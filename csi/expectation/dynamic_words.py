"""How a dynamic model of expectation reads: what was claimed of each coefficient and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.estimate.shown import p_text
from csi.inference.order import Order
from csi.moments.stack import Array

EQUATIONS: Final[Mapping[str, Text]] = {
    "will": Text("will-expectation, weights add up to 1", "预期水平（权重合计为 1）"),
    "free": Text("will-expectation, free weights", "预期水平（权重自由）"),
    "should": Text("should-expectation", "应有水平"),
    "experience": Text("experience", "体验"),
}
COEFFICIENTS: Final[Mapping[str, Text]] = {
    "a": Text("a: will-expectation before", "a：上期预期"),
    "g": Text("g: experience before", "g：上期体验"),
    "sum": Text("a + g - 1", "a + g − 1"),
    "c": Text("c: should-expectation before", "c：上期应有水平"),
    "d": Text("d: competitors before", "d：上期竞争者"),
    "u": Text("u: experience above should, before", "u：上期体验超出应有的部分"),
    "e": Text("e: will-expectation", "e：预期"),
    "f": Text("f: should-expectation, turned", "f：应有水平（取负）"),
    "h": Text("h: what was delivered", "h：实际交付"),
}
CLAIMS: Final = {
    "between": Text("between 0 and 1", "介于 0 与 1 之间"),
    "above": Text("above 0", "大于 0"),
    "none": Text("", ""),
}
FOUND: Final = {
    "found": Text("found", "得到支持"),
    "contradicted": Text("contradicted", "相反"),
    "open": Text("not clear", "不明确"),
    "void": Text("equation rejected", "方程被拒绝"),
    "": Text("", ""),
}
HEADINGS: Final = {
    "equation": Text("equation", "方程"),
    "coefficient": Text("coefficient", "系数"),
    "stage": Text("stage", "阶段"),
    "first": Text("stage", "阶段"),
    "second": Text("next stage", "下一阶段"),
    "people": Text("people", "人数"),
    "n": Text("rows", "行数"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("SE", "标准误"),
    "df": Text("df", "自由度"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "by_experience": Text("by experience", "体验的权重"),
    "by_expectation": Text("by expectation", "期望的权重"),
    "claim": Text("claimed", "假设"),
    "p_value": Text("p", "p"),
    "found": Text("found", "结果"),
    "series": Text("of", "对象"),
    "wave": Text("wave", "期次"),
    "items": Text("items", "题项数"),
    "mean": Text("mean", "均值"),
    "sd": Text("SD", "标准差"),
    "alpha": Text("alpha", "α 信度"),
}

CLEAR: Final = 0.05
"""A restriction with a smaller p is rejected."""

RELIABLE: Final = 0.8
"""A note warns of composites that are less reliable."""


def worded(frame: pl.DataFrame, lang: str, labels: Mapping[str, Text]) -> pl.DataFrame:
    """The frame with its words in the language.

    Example:
        >>> worded(pl.DataFrame({"equation": ["will"], "found": ["open"]}), "zh", {}).rows()
        [('预期水平（权重合计为 1）', '不明确')]
    """
    words = {
        "equation": EQUATIONS, "coefficient": COEFFICIENTS, "claim": CLAIMS, "found": FOUND, "series": labels,
        "stage": labels, "first": labels, "second": labels,
    }  # fmt: skip
    said = {c: {k: t.say(lang) for k, t in known.items()} for c, known in words.items() if c in frame.columns}
    return frame.with_columns(pl.col(c).replace(known) for c, known in said.items())


def sentences_of(table: pl.DataFrame, labels: Mapping[str, Text], level: float) -> tuple[Text, ...]:
    """What each claimed coefficient is."""
    rows = table.filter(pl.col("estimate").is_not_null() & (pl.col("claim") != "none"))
    every = {(r["equation"], r["coefficient"]): r for r in table.iter_rows(named=True)}
    return tuple(
        _void(every, labels) if row["found"] == "void" else _claim(row, labels, level)
        for row in rows.iter_rows(named=True)
    )


def _void(rows: Mapping[tuple[str, str], Mapping[str, Any]], labels: Mapping[str, Text]) -> Text:
    """That the weights do not add up to 1."""
    a, g, whole = (rows["free", c] for c in ("a", "g", "sum"))
    values, p = (fixed(a["estimate"]), fixed(g["estimate"])), p_text(whole["p_value"])
    p = p if p.startswith("<") else f"= {p}"
    will, seen = labels["A"], labels["B"]
    en = f"The weights of {will.en} ({values[0]}) and {seen.en} before ({values[1]}) do not add up to 1 (p {p}): "
    en += "that the next expectation is the average of both is rejected."
    zh = f"上期{will.zh}（{values[0]}）与{seen.zh}（{values[1]}）的权重之和不为 1（p {p}）："
    return Text(en, f"{zh}“下一期期望为两者的加权平均”被拒绝。")


def _claim(row: Mapping[str, Any], labels: Mapping[str, Text], level: float) -> Text:
    """One claim."""
    name, verdict = row["coefficient"], FOUND[row["found"]]
    share, low, high = f"{100 * level:g}%", fixed(row["conf_low"]), fixed(row["conf_high"])
    value = fixed(row["estimate"])
    what = _what(name, value, row["estimate"], labels)
    p = p_text(row["p_value"])
    p = p if p.startswith("<") else f"= {p}"
    en = f"{what.en} ({share} interval {low} to {high}); claimed {CLAIMS[row['claim']].en}: {verdict.en}"
    zh = f"{what.zh}（{share} 区间 {low} 至 {high}）；假设{CLAIMS[row['claim']].zh}：{verdict.zh}"
    return Text(f"{en} (p {p}).", f"{zh}（p {p}）。")


def _what(name: str, value: str, number: float, labels: Mapping[str, Text]) -> Text:
    """A coefficient in words."""
    will, seen, should = labels["A"], labels["B"], labels.get("S", Text("", ""))
    other = labels.get("C", Text("", ""))
    rest = fixed(1 - number)
    return {
        "a": Text(
            f"{will.en} kept a weight of {value} from wave to wave and took {rest} from {seen.en} before",
            f"{will.zh}逐期保留 {value} 的权重，另有 {rest} 来自上期{seen.zh}",
        ),
        "g": Text(
            f"{will.en} took {value} from {seen.en} before, the weight of the former left free",
            f"自身权重不受限时，{will.zh}有 {value} 来自上期{seen.zh}",
        ),
        "d": Text(f"{should.en} took {value} from {other.en} before", f"{should.zh}有 {value} 来自上期{other.zh}"),
        "u": Text(
            f"{should.en} rose by {value} per point by which {seen.en} had exceeded it",
            f"上期{seen.zh}每超出{should.zh}一分，后者上升 {value}",
        ),
        "e": Text(
            f"A point more of {will.en} is associated with {value} points of {seen.en}",
            f"{will.zh}每高一分，{seen.zh}相应变化 {value}",
        ),
        "f": Text(
            f"A point more of {should.en} is associated with {fixed(-number)} points of {seen.en} (f = {value})",
            f"{should.zh}每高一分，{seen.zh}相应变化 {fixed(-number)}（f = {value}）",
        ),
    }[name]


def order_sentences(
    gains: pl.DataFrame, steps: pl.DataFrame, test: Order | None, labels: Mapping[str, Text], p_equal: float
) -> Iterator[Text]:
    """Gains of the stages, and whether they fall; not where experience and expectation differ in weight.

    Parameters:
        p_equal: that both weigh alike.
    """
    if test is None:
        if p_equal < CLEAR:
            said = p_text(p_equal)
            said = said if said.startswith("<") else f"= {said}"
            en = "Gains of the stages are not compared: experience and expectation before do not weigh alike "
            en += f"(p {said}), so what came less what was expected is not what moves expectation."
            zh = f"未比较各阶段增益：上期体验与期望的权重不相等（p {said}），期望并非随两者之差变化。"
            yield Text(en, zh)
        return
    told = [(labels[r["stage"]], fixed(r["estimate"])) for r in gains.iter_rows(named=True)]
    shares = ", ".join(f"{v} ({s.en})" for s, v in told)
    en = f"Of what exceeded or fell short of expectation, {shares} entered the next."
    yield Text(en, f"体验与期望之差进入下一期期望的比例：{'、'.join(f'{s.zh} {v}' for s, v in told)}。")
    row = test.table.row(0, named=True)
    p = steps["p_value"].max()
    found = steps["found"].to_list()
    verdict = "found" if all(f == "found" for f in found) else "contradicted" if "contradicted" in found else "open"
    p_said = p_text(float(p)) if isinstance(p, float) else "-"
    p_said = p_said if p_said.startswith("<") else f"= {p_said}"
    support, weight = f"{100 * row['support']:.0f}%", fixed(row["weight_complement"])
    en = f"That the gain falls with every stage is {FOUND[verdict].en} (p {p_said}): bootstrap support {support}, "
    zh = f"“增益逐阶段下降”的假设{FOUND[verdict].zh}（p {p_said}）：自助法支持度 {support}，"
    yield Text(f"{en}GORICA weight against its complement {weight}.", f"{zh}GORICA 权重（对其补集）{weight}。")


def notes_of(values: Mapping[str, Array], scores: pl.DataFrame, *, staged: bool, told: bool) -> Iterator[Note]:
    """What the equations take for granted, and what was not asked."""
    en = "every wave has an intercept of its own; stable differences between people are in the weights, "
    en += "which time order alone makes no causes (the model change with --shape within takes them out)."
    zh = "各期有各自的截距；个体间的稳定差异包含在权重之中，仅有时间先后不足以说明因果"
    yield note("N-DYNAMIC", en, f"{zh}（模型 change 加 --shape within 可将其分离）。")
    if "S" not in values:
        en = "should-expectations were not asked, so experience is told by will-expectation alone; what ought to come, "
        en += "which would go with it the other way, may hide in e."
        zh = "未询问应有水平，故体验只由预期解释；与之反向的应有水平可能隐含在 e 之中。"
        yield note("N-DYNAMIC-SMALL", en, zh)
    low = scores.filter(pl.col("series").is_in(["A", "B"]) & (pl.col("alpha") < RELIABLE))
    single = scores.filter(pl.col("series").is_in(["A", "B"]) & (pl.col("items") == 1))
    if low.height or single.height:
        en = (
            "expectation or experience is not measured without error (see alpha; unknown for single items): weights of "
        )
        en += "what is measured worse are too small, and chance in the expectation before makes gains too large."
        zh = "期望或体验的测量含有误差（见 α；单题项无法得知）：测量较差者的权重偏小，上期期望中的偶然误差使增益偏大。"
        yield note("N-DYNAMIC-ERROR", en, zh)
    if staged:
        en = "the stage is that of the wave before; people are not put into stages by lot."
        en = en if told else f"{en} Gains are not compared: a stage has too few people."
        zh = "阶段取上一期的阶段；所处阶段并非随机。"
        yield note("N-DYNAMIC-STAGES", en, zh if told else f"{zh}有阶段人数过少，未比较增益。")
