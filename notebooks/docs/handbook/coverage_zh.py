"""The coverage tables in Chinese: headings, column heads, what was found, gates and verdicts; labels of lines stay."""

from __future__ import annotations

import re

HEADINGS = {
    "Kinds of interval and p-value, and families of tests": "各种区间与 p 值，以及检验族",
    "Estimators": "估计方法",
    "Designs: strata, clusters, panels, weights": "抽样设计：分层、整群、追踪样本、权重",
    "Weights raked to margins": "按边际加权",
    "Brands over waves, linearised": "品牌与期次（线性化）",
    "Aggregation trees": "汇总树",
    "Effects, mediation, HTMT": "效应、中介与 HTMT",
    "Interactions and squares": "交互项与平方项",
    "Groups": "分组比较",
    "Shorter forms": "短版问卷",
    "Fit and prediction": "拟合与预测",
    "Robustness": "稳健性",
    "Absent answers": "缺失回答",
    "Model cards": "模型卡",
    "Expectation and experience": "期望与体验",
    "Expectation": "期望",
    "Time, events and words": "时间、事件与文本",
    "Recommendation and loyalty": "推荐与忠诚",
    "Change over waves, interventions": "期次间的变化与干预",
    "Adjusted expectation, waves, slopes by stage": "调整后的期望、期次、分阶段斜率",
    "Programmes": "会员计划",
    "Stages, moves, emotion over waves": "阶段、转移与情感的变化",
    "Complaints and recovery": "投诉与补救",
    "Journeys": "顾客旅程",
    "Comments, purchases": "评论与购买",
    "Hazards, staying, repurchase": "风险率、留存与复购",
    "Shares of R2 and contrasts": "R² 份额与对比",
    "What levers go with": "提高驱动因素所对应的变化",
    "Drivers between cells, bands of the score": "单元间的驱动因素、得分区间",
    "Places of drivers on the map": "驱动因素在象限图上的位置",
    "Reliability and agreement": "信度与一致性",
    "Stages, limits, two-sided slopes": "阶段、界限与两侧斜率",
    "Discriminant, criterion and known-groups validity": "区分、效标与已知组效度",
    "Exploratory factors": "探索性因子",
    "Item response models and differential item functioning": "项目反应模型与题项功能差异",
}
NUMBER = r"([-+]?[\d.,]*\.?\d+)"
CELLS = (
    (
        r"\| what \| measured on \| panels \| found \| held to \| verdict \|",
        "| 对象 | 研究 | 样本数 | 结果 | 界限 | 结论 |",
    ),
    (rf"joint coverage at least {NUMBER}", r"联合覆盖率不低于 \1"),
    (rf"joint coverage {NUMBER}", r"联合覆盖率 \1"),
    (rf"coverage at most {NUMBER} binomial errors below {NUMBER}", r"覆盖率低于 \2 不超过 \1 个二项标准误"),
    (rf"coverage {NUMBER} to {NUMBER}", r"覆盖率 \1 至 \2"),
    (rf"coverage {NUMBER}-{NUMBER}", r"覆盖率 \1–\2"),
    (rf"coverage {NUMBER}", r"覆盖率 \1"),
    (rf", SE ratio {NUMBER} to {NUMBER}", r"，标准误比 \1 至 \2"),
    (rf", SE ratio {NUMBER}-{NUMBER}", r"，标准误比 \1–\2"),
    (rf", SE ratio {NUMBER}", r"，标准误比 \1"),
    (rf"rejects {NUMBER} to {NUMBER} at {NUMBER}", r"拒绝率 \1 至 \2（水平 \3）"),
    (rf"rejects {NUMBER} at {NUMBER}", r"拒绝率 \1（水平 \2）"),
    (rf"right {NUMBER} of (\d+)", r"\2 处中 \1 正确"),
    (rf"right less mean share {NUMBER} to {NUMBER} \((\d+) bands\)", r"正确率减平均占比 \1 至 \2（\3 档）"),
    (rf"at least {NUMBER} - 3 errors", r"不低于 \1 减三个标准误"),
    (rf"any false rejection {NUMBER}", r"至少一次错误拒绝 \1"),
    (rf"share of false among rejected {NUMBER}", r"拒绝中错误的比例 \1"),
    (r"at most alpha \+ 3 errors at .01, .05, .10", "在 .01、.05、.10 水平上不超过 α + 3 个标准误"),
    (rf"\| at most {NUMBER} \|", r"| 不超过 \1 |"),
    (rf"\| at least {NUMBER} \|", r"| 不低于 \1 |"),
    (rf"\| within {NUMBER} \|", r"| 在 \1 之内 |"),
    (r" \((\d+) quantities\)", r"（\1 个量）"),
    (r" \((\d+) pooled\)", r"（\1 个合并）"),
    (r"\| tabled \| tabled \|", "| 只列出 | 只列出 |"),
    (r"\| tabled \|", "| 只列出 |"),
    (r"\| held \|$", "| 在界限内 |"),
    (r"missed by (\d+) of (\d+), on the safe side", r"\2 个中 \1 个超出，偏保守"),
    (r"missed by (\d+) of (\d+), too near", r"\2 个中 \1 个超出，偏窄"),
    (r"missed, on the safe side", "超出，偏保守"),
    (r"missed, too often", "超出，拒绝过多"),
)


def in_chinese(text: str) -> str:
    r"""The page in Chinese, without its English words of introduction.

    Example:
        >>> print(in_chinese("# A\n\nwords\n\n## Groups\n\n| a | b | 9 | rejects .050 at .05 | .040-.065 | held |"))
        ## 分组比较
        <BLANKLINE>
        | a | b | 9 | 拒绝率 .050（水平 .05） | .040-.065 | 在界限内 |
    """
    told = text[text.index("\n## ") + 1 :]
    rows = []
    for row in told.splitlines():
        if row.startswith("## "):
            rows.append("## " + HEADINGS.get(row[3:], row[3:]))
            continue
        said = row
        for pattern, chinese in CELLS if row.startswith("|") else ():
            said = re.sub(pattern, chinese, said)
        rows.append(said)
    return "\n".join(rows)
