"""The settings of a rule in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from csi.errors import Text
from csi.reporting.tables import printed

KEYS = {"respondent": Text("respondent", "受访者"), "brand": Text("brand", "品牌"), "wave": Text("wave", "期次")}

SAID: Mapping[str, tuple[str, str]] = {
    r"duration < ([\d.]+) s": ("less than {} seconds", "用时不足 {} 秒"),
    r"run >= (\d+) items": ("at least {} equal answers in a row", "连续 {} 题及以上答案相同"),
    r"speed index >= ([\d.]+)": ("{} times as fast as the median, or faster", "速度达到中位数的 {} 倍及以上"),
    r"average run >= ([\d.]+) items": ("runs of {} equal answers or more on average", "平均连续 {} 题及以上答案相同"),
    r"variability < ([\d.]+)": ("standard deviation below {} of the scale", "标准差不足量表长度的 {}"),
    r"same answers to >= (\d+) items": (
        "the same answers to all, {} questions or more",
        "全部答案相同（至少 {} 题）",
    ),
    r"respondents per device > (\d+)": ("more than {} respondents on a device", "同一设备超过 {} 位受访者"),
    r"distance p < (\S+)": ("p of the distance below {}", "距离的 p 值小于 {}"),
    r"failed >= (\d+) of (\d+) checks": ("{} or more of {} checks failed", "{1} 道检测题中至少 {0} 道未通过"),
    r"apart >= (\d+) of (\d+) pairs": ("{} or more of {} pairs too far apart", "{1} 对题目中至少 {0} 对相差过大"),
    r"agreement < (\S+) over pairs with r >= (\S+)": (
        "agreement below {} over pairs with |r| of {} or more",
        "在 |r| 不小于 {1} 的题对上一致性低于 {0}",
    ),
    r"unanswered > ([\d.]+)": ("a share above {} is unanswered", "未作答比例超过 {}"),
}
"""How a rule says its settings in the audit -> the same in words."""


def detail(said: str) -> Text:
    """The settings of a rule in both languages; lists of items stay as they are.

    Example:
        >>> detail("duration < 60 s").zh, detail("run >= 10 items").en
        ('用时不足 60 秒', 'at least 10 equal answers in a row')
        >>> detail("qua4 1900, com1 187")
        Text(en='qua4 1,900, com1 187', zh='qua4 1,900；com1 187')
    """
    for pattern, (en, zh) in SAID.items():
        if m := re.fullmatch(pattern, said):
            return Text(en.format(*m.groups()), zh.format(*m.groups()))
    if re.fullmatch(r"\S+ \d+(, \S+ \d+)*", said):
        grouped = re.sub(r" (\d+)(?=,|$)", lambda m: f" {printed(int(m[1]), 'count')}", said)
        return Text(grouped, grouped.replace(", ", "；"))
    keys = said.split(" + ")
    if all(k in KEYS for k in keys):
        return Text(" + ".join(KEYS[k].en for k in keys), " + ".join(KEYS[k].zh for k in keys))
    return Text(said, said)
