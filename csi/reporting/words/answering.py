"""Words of how answers were given: rules and what they move, where rows went, items, interviewers, modes, absences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from csi.errors import Text
from csi.reporting.section import Kind
from csi.reporting.tables import printed
from csi.reporting.words.phrases import p_said, sentence
from csi.survey.flow import KEPT, READ
from csi.survey.rule_words import RULE_WORDS

HEADINGS: Final[Mapping[str, Text]] = {
    "rule": Text("rule", "规则"),
    "action": Text("what is done", "处理"),
    "rows": Text("rows", "份数"),
    "share": Text("share", "占比"),
    "detail": Text("threshold", "阈值"),
    "source": Text("source of the threshold", "阈值来源"),
    "source_zh": Text("source of the threshold", "阈值来源"),
    "with_rows": Text("with them", "含这些答卷"),
    "without": Text("without", "不含"),
    "effect": Text("effect (points)", "影响（分）"),
    "asked": Text("asked", "询问数"),
    "nonresponse": Text("unanswered", "未作答"),
    "floor": Text("at the floor", "最低分占比"),
    "ceiling": Text("at the ceiling", "最高分占比"),
    "bound": Text("beyond 15%", "超过 15%"),
    "interviewers": Text("interviewers", "访问员数"),
    "icc": Text("ICC", "组内相关"),
    "design_effect": Text("design effect", "设计效应"),
    "deff_low": Text("deff low", "设计效应下限"),
    "deff_high": Text("deff high", "设计效应上限"),
    "mode": Text("mode", "调查方式"),
    "against": Text("against", "对照"),
    "difference": Text("difference", "差异"),
}

LABELS: Final[Mapping[str, Text]] = {
    **{name: rule.label for name, rule in RULE_WORDS.items()},
    "all": Text("all that run, together", "全部生效规则合计"),
    READ: Text("read", "读入"),
    KEPT: Text("kept", "保留"),
    "drop": Text("dropped", "剔除"),
    "flag": Text("flagged, kept", "标记，保留"),
    "off": Text("off: only looked at", "未启用：仅查看"),
    "stop": Text("none found", "未发现"),
    "floor": Text("floor", "地板"),
    "ceiling": Text("ceiling", "天花板"),
    "both": Text("floor and ceiling", "地板与天花板"),
}

RULES: Final = Text("Rules: rows hit, each rule alone", "规则：各自命中的答卷")
EFFECTS: Final = Text("What leaving these rows out moves the index by", "剔除这些答卷对指数的影响")
FLOW: Final = Text("From read to kept", "由读入到保留")
ITEMS: Final = Text("Items: unanswered, floor and ceiling", "题项：未作答、地板与天花板")
INTERVIEWERS: Final = Text("Between interviewers", "访问员之间")
MODES: Final = Text("By mode", "按调查方式")

RULE_KINDS: Final[Mapping[str, Kind]] = {
    "rule": "text", "action": "text", "rows": "count", "share": "share", "detail": "text"
}  # fmt: skip
EFFECT_KINDS: Final[Mapping[str, Kind]] = {
    "rule": "text", "action": "text", "rows": "count", "n": "count", "with_rows": "score", "without": "score",
    "effect": "number", "std_error": "number", "conf_low": "number", "conf_high": "number",
}  # fmt: skip
ITEM_KINDS: Final[Mapping[str, Kind]] = {
    "item": "text", "asked": "count", "n": "count", "nonresponse": "share", "floor": "share", "ceiling": "share",
    "bound": "text",
}  # fmt: skip
INTERVIEWER_KINDS: Final[Mapping[str, Kind]] = {
    "wave": "text", "n": "count", "interviewers": "count", "icc": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "design_effect": "number", "deff_low": "number", "deff_high": "number",
}  # fmt: skip
MODE_KINDS: Final[Mapping[str, Kind]] = {
    "brand": "text", "wave": "text", "mode": "text", "n": "count", "index": "score", "difference": "number",
    "std_error": "number", "conf_low": "number", "conf_high": "number",
}  # fmt: skip


def together(effect: float | None, low: float | None, high: float | None, target: Text) -> Text:
    """What the rules that run do to the index, in one sentence; empty where it is not told.

    Example:
        >>> together(-0.2, -0.3, -0.1, Text("satisfaction", "满意度")).en
        'The rules that run, all rows of theirs left out, lower the index of satisfaction by 0.20 points'
        >>> together(0.01, -0.1, 0.1, Text("satisfaction", "满意度")).zh
        '生效的规则合计对满意度指数没有可辨的影响（+0.01 分）'
    """
    if effect is None or low is None or high is None:
        return Text("", "")
    size = printed(abs(effect), "number")
    if low <= 0 <= high:
        sign = "-" if effect < 0 else "+"
        en = f"the rules that run do not move the index of {target.en} discernibly ({sign}{size} points)"
        return Text(en, f"生效的规则合计对{target.zh}指数没有可辨的影响（{sign}{size} 分）")
    verb, verb_zh = ("lower", "降低") if effect < 0 else ("raise", "提高")
    en = f"the rules that run, all rows of theirs left out, {verb} the index of {target.en} by {size} points"
    return sentence(Text(en, f"剔除生效规则命中的全部答卷使{target.zh}指数{verb_zh} {size} 分"))


ABSENT: Final[Mapping[str, Text]] = {
    "patterns": Text("patterns", "模式数"),
    "absent": Text("left out", "缺失题项"),
    "items": Text("items", "题项数"),
    "share": Text("share", "占比"),
    "rows": Text("rows", "份数"),
    "reason": Text("reason", "原因"),
    "reason_zh": Text("reason", "原因"),
    "asked": Text("asked", "询问数"),
    "mean": Text("mean", "均值"),
    "sd": Text("SD", "标准差"),
    "mean_em": Text("mean (EM)", "均值（EM）"),
    "sd_em": Text("SD (EM)", "标准差（EM）"),
    "statistic": Text("chi-squared", "卡方"),
    "df": Text("df", "自由度"),
    "p_value": Text("p", "p 值"),
    "complete": Text("complete", "完整份数"),
    "listwise": Text("listwise", "整列剔除"),
    "available": Text("answers there are", "可得回答"),
    "em": Text("EM", "EM"),
    "imputed": Text("imputed", "多重插补"),
    "std_error": Text("SE", "标准误"),
    "missing_information": Text("missing information", "缺失信息"),
}
REASONS: Final[Mapping[str, Text]] = {
    "skipped": Text("skipped", "跳过"),
    "dont_know": Text("don't know", "不知道"),
    "refused": Text("refused", "拒答"),
    "not_asked": Text("not asked", "未询问"),
    "empty": Text("left blank", "空白"),
    "out_of_range": Text("outside the scale", "超出量表范围"),
    "not_a_number": Text("not a number", "非数值"),
}
ABSENT_ITEMS: Final = Text("Items: answers and their means", "题项：回答与均值")
ABSENT_REASONS: Final = Text("Why answers are absent", "缺失原因")
PATTERNS: Final = Text("What rows leave out", "缺失模式")
LITTLE: Final = Text("Little's test: absent completely at random?", "Little 检验：是否完全随机缺失")
TREATMENTS: Final = Text(
    "The index under each treatment, the weights of its items held", "各种处理下的指数（题项权重不变）"
)

ABSENT_KINDS: Final[Mapping[str, Kind]] = {
    "item": "text", "asked": "count", "n": "count", "share": "share", "mean": "number", "mean_em": "number",
    "sd": "number", "sd_em": "number",
}  # fmt: skip
PATTERN_KINDS: Final[Mapping[str, Kind]] = {
    "absent": "text", "items": "count", "patterns": "count", "rows": "count", "share": "share"
}  # fmt: skip
LITTLE_KINDS: Final[Mapping[str, Kind]] = {
    "n": "count", "items": "count", "patterns": "count", "statistic": "number", "df": "count", "p_value": "p"
}  # fmt: skip
TREATMENT_KINDS: Final[Mapping[str, Kind]] = {
    "n": "count", "complete": "count", "listwise": "score", "available": "score", "em": "score", "imputed": "score",
    "std_error": "number", "missing_information": "share",
}  # fmt: skip


def cells_by_chance(p: Sequence[float], alpha: float = 0.05) -> Text:
    """In how many cells Little's test rejects, beside what chance alone would do; empty for few cells.

    Example:
        >>> cells_by_chance([0.01, 0.3, 0.6, 0.9, 0.2]).en
        'cell by cell p < .05 in 1 of 5 (about 0.2 by chance alone)'
    """
    if len(p) < FEWEST_CELLS:
        return Text("", "")
    many, chance = sum(one < alpha for one in p), f"{alpha * len(p):.1f}"
    en = f"cell by cell p < .05 in {many} of {len(p)} (about {chance} by chance alone)"
    return Text(en, f"逐单元检验：{len(p)} 个单元中 {many} 个 p < 0.05（仅凭偶然约为 {chance} 个）")


FEWEST_CELLS: Final = 5
"""Cells from which it is told how many tests reject."""


def by_chance(p: float | None, alpha: float = 0.05) -> Text:
    """What Little's test of all rows says; empty without one.

    Example:
        >>> by_chance(0.0001).en
        'answers are not absent completely at random (Little p < .001): rows that leave items out differ in the others'
        >>> by_chance(0.4).zh
        '未见缺失偏离完全随机（Little p = 0.400）；检验不能证明缺失随机'
    """
    if p is None:
        return Text("", "")
    said = p_said(p)
    if p < alpha:
        en = f"answers are not absent completely at random (Little {said.en}): rows that leave items out differ in the "
        return Text(f"{en}others", f"缺失并非完全随机（Little {said.zh}）：缺失者在其他题目上的回答不同")
    en = f"nothing says that answers are absent other than completely at random (Little {said.en})"
    return Text(f"{en}; that is no proof of it", f"未见缺失偏离完全随机（Little {said.zh}）；检验不能证明缺失随机")
