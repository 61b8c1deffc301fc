"""Every rule in words: what it is called, what it looks at, and where its threshold comes from.

"Customary" is a threshold that practice uses and no study settles; it is a starting point, not a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from csi.errors import Text

CUSTOMARY = Text("customary", "惯例")


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A rule: its name, what it looks at, its customary threshold and the source of both."""

    label: Text
    what: Text
    source: Text


def _cited(en: str, zh: str | None = None) -> Text:
    return Text(en, zh or en)


RULE_WORDS: Mapping[str, RuleWords] = {
    "empty_rows": RuleWords(
        Text("empty questionnaires", "空白答卷"),
        Text("no question is answered (unit nonresponse within the file)", "所有题目均未作答（文件内的整卷无应答）"),
        _cited("AAPOR (2023), Standard Definitions"),
    ),
    "duplicates": RuleWords(
        Text("duplicate respondents", "重复受访者"),
        Text("one respondent (and brand) twice in a wave", "同一期内同一受访者（及品牌）重复出现"),
        CUSTOMARY,
    ),
    "speeders": RuleWords(
        Text("speeders", "作答过快"),
        Text("fewer seconds from start to end than a limit", "总用时低于界限"),
        CUSTOMARY,
    ),
    "speeders_relative": RuleWords(
        Text("relative speeders", "相对作答过快"),
        Text(
            "median seconds per question asked of the wave over the respondent's own: 2 is less than half the median",
            "当期每题用时的中位数与本人每题用时之比；2 即不足中位数的一半",
        ),
        _cited(
            "Leiner (2019), Survey Research Methods 13:229-248; Greszki, Meyer & Schoen (2015), Public Opinion "
            "Quarterly 79:471-503 (half the median)",
        ),
    ),
    "straight_lining": RuleWords(
        Text("straight-lining", "直线作答"),
        Text("the longest run of equal answers on one scale", "同一量表上连续相同答案的最大长度"),
        Text(
            "Johnson (2005), Journal of Research in Personality 39:103-129; the threshold is customary "
            "(half the items: Curran 2016, Journal of Experimental Social Psychology 66:4-19)",
            "Johnson (2005), Journal of Research in Personality 39:103-129；阈值为惯例"
            "（半数题目：Curran 2016, Journal of Experimental Social Psychology 66:4-19）",
        ),
    ),
    "average_run": RuleWords(
        Text("long runs on average", "平均连续相同答案过长"),
        Text("the mean length of runs of equal answers", "连续相同答案的平均长度"),
        Text(
            "Meade & Craig (2012), Psychological Methods 17:437-455; the threshold is customary",
            "Meade & Craig (2012), Psychological Methods 17:437-455；阈值为惯例",
        ),
    ),
    "variability": RuleWords(
        Text("little variability", "作答变异过小"),
        Text(
            "the standard deviation of a respondent's answers (four or more), as shares of their scales",
            "个体内答案的标准差（至少四个答案，量表长度的比例）",
        ),
        Text(
            "Dunn et al. (2018), Journal of Business and Psychology 33:105-121; the threshold is customary",
            "Dunn 等 (2018), Journal of Business and Psychology 33:105-121；阈值为惯例",
        ),
    ),
    "patterns": RuleWords(
        Text("the answers of another", "与他人答案全同"),
        Text(
            "the same answers to all questions as another respondent of the wave, not all alike",
            "与同期另一受访者的全部答案相同（答案并非全部一致）",
        ),
        Text(
            "Kuriakose & Robbins (2016), Statistical Journal of the IAOS 32:283-291; an exact match is customary",
            "Kuriakose & Robbins (2016), Statistical Journal of the IAOS 32:283-291；完全一致为惯例",
        ),
    ),
    "devices": RuleWords(
        Text("shared devices", "共用设备"),
        Text(
            "more respondents of a wave on one device than a limit; of one household where `device` names its column",
            "同一期内同一设备的受访者超过界限；若 device 填写住户编号列，则为同一住户",
        ),
        CUSTOMARY,
    ),
    "outliers": RuleWords(
        Text("multivariate outliers", "多元异常值"),
        Text(
            "Mahalanobis distance over the items answered, p of chi-squared; normal answers are assumed",
            "已答题项的马氏距离及卡方 p 值；以正态为前提",
        ),
        _cited("Tabachnick & Fidell (2013), Using Multivariate Statistics, 4.1.4.3 (p < .001)"),
    ),
    "inattentive": RuleWords(
        Text("failed attention checks", "注意力检测未通过"),
        Text("items with a stated answer, answered otherwise", "指定答案的题目答错"),
        Text(
            "Meade & Craig (2012), Psychological Methods 17:437-455; one failure is customary",
            "Meade & Craig (2012), Psychological Methods 17:437-455；一次未通过为惯例",
        ),
    ),
    "contradictory": RuleWords(
        Text("contradictory pairs", "前后矛盾"),
        Text("pairs of answers as many points apart as a stated limit", "题对答案之差达到指定界限"),
        CUSTOMARY,
    ),
    "synonyms": RuleWords(
        Text("synonyms that disagree", "同义题不一致"),
        Text(
            "the correlation, within a respondent, over pairs of items with |r| of .60 or more",
            "个体内部在 |r| ≥ 0.60 的题对上的相关",
        ),
        Text(
            "Meade & Craig (2012), Psychological Methods 17:437-455 (pairs); the threshold of 0 is customary",
            "Meade & Craig (2012), Psychological Methods 17:437-455（题对）；阈值 0 为惯例",
        ),
    ),
    "nonresponse": RuleWords(
        Text("item nonresponse", "题项无应答过多"),
        Text("the share of the questions asked that is unanswered", "所问题目中未作答的比例"),
        _cited("AAPOR (2023), Standard Definitions (half the questions: a break-off)"),
    ),
}
"""Rule -> its words."""

LIMITS: Mapping[str, tuple[str, ...]] = {
    "speeders": ("speeders_seconds",),
    "speeders_relative": ("speeders_index",),
    "straight_lining": ("straight_lining_items",),
    "average_run": ("average_run_items",),
    "variability": ("variability_below",),
    "patterns": ("patterns_items",),
    "devices": ("device", "devices_people"),
    "outliers": ("outliers_p",),
    "inattentive": ("attention", "attention_failed"),
    "contradictory": ("contradictions", "contradictions_found"),
    "synonyms": ("synonyms_r", "synonyms_below"),
    "nonresponse": ("nonresponse_share",),
}
"""Rule -> the keys under `rules:` that set it, the threshold last."""
