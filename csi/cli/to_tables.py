"""What the tables of an answer and their columns are called in a file (`--to`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from csi.cli.answer import Answer
from csi.cli.studied import names
from csi.cli.to import write_to
from csi.errors import Language, Text
from csi.reporting.detectable import AGAINST
from csi.study import Study
from csi.study.rated import rate_names
from csi.survey.bases import FLAGS
from csi.tracking.gate_words import VERDICTS
from csi.tracking.targets import ATTAINED

TITLES: Final[Mapping[str, Text]] = {
    "index": Text("Index", "指数"),
    "weights": Text("Weights of the items", "题项权重"),
    "rates": Text("Rates", "比率"),
    "shrunken": Text("Shrunken values", "收缩值"),
    "comparability": Text("Comparability", "可比性"),
    "tracking": Text("Tracking", "跟踪表"),
    "changes": Text("Changes", "变化"),
    "alerts": Text("Alerts", "预警"),
    "events": Text("Events", "事件"),
    "decomposition": Text("Parts of the change", "变化的分解"),
    "decomposition_items": Text("Parts by item", "按题项分解"),
    "decomposition_classes": Text("Parts by class", "按类别分解"),
    "decomposition_drivers": Text("Parts by driver", "按驱动因素分解"),
    "view": Text("Views of the series", "序列视图"),
    "tree": Text("Tree", "汇总树"),
    "tree_changes": Text("Changes in the tree", "汇总树的变化"),
    "pairs": Text("Differences", "两两差异"),
    "audit": Text("Audit", "核对表"),
    "league": Text("League", "排名"),
    "groups": Text("Brands not significantly different", "无显著差异的品牌"),
    "ranks": Text("Probability of each rank", "各名次的概率"),
    "above": Text("Probability of being above", "高于另一品牌的概率"),
    "medals": Text("Medals", "奖牌榜"),
    "sets": Text("Sets of cells", "各组单元"),
    "aligned": Text("Aligned means", "对齐均值"),
    "aligned_items": Text("Aligned items", "对齐的题项"),
    "aligned_parameters": Text("Aligned parameters", "对齐的参数"),
}
COLUMNS: Final[Mapping[str, Text]] = {
    "above": Text("above", "较高者"),
    "adjusted": Text("adjusted", "调整后"),
    "after": Text("after", "之后"),
    "against": Text("against", "对照"),
    "age": Text("waves ago", "距今期数"),
    "as_of": Text("dated", "发布日期"),
    "attained": Text("target attained", "目标达成"),
    "average": Text("average", "平均"),
    "before": Text("before", "之前"),
    "below": Text("below", "较低者"),
    "benchmark": Text("benchmark", "基准"),
    "between": Text("between", "比较对象"),
    "beyond": Text("beyond limits", "超出控制限"),
    "bias": Text("effect", "影响"),
    "bias_error": Text("SE of the effect", "影响的标准误"),
    "c": Text("c", "c"),
    "cell_1": Text("cell", "单元"),
    "cell_2": Text("against", "对照单元"),
    "cells": Text("cells", "单元数"),
    "centre": Text("centre", "中心"),
    "child": Text("child", "成员"),
    "class": Text("class", "类别"),
    "composition": Text("composition", "构成变化"),
    "configural": Text("own value", "自身值"),
    "contribution": Text("contribution", "贡献"),
    "delta_cfi_metric": Text("ΔCFI loadings", "载荷 ΔCFI"),
    "delta_cfi_scalar": Text("ΔCFI intercepts", "截距 ΔCFI"),
    "design_effect": Text("design effect", "设计效应"),
    "df": Text("df", "自由度"),
    "difference": Text("difference", "差异"),
    "differing": Text("differs in", "相异单元"),
    "driver": Text("driver", "驱动因素"),
    "event": Text("event", "事件"),
    "evidence": Text("evidence", "可比性"),
    "expected_rank": Text("mean rank", "平均名次"),
    "first": Text("P(first)", "P(第一)"),
    "flag": Text("base", "样本量提示"),
    "formula": Text("formula", "公式"),
    "gap": Text("gap", "差距"),
    "gap_high": Text("gap, high", "差距上限"),
    "gap_low": Text("gap, low", "差距下限"),
    "group": Text("group", "组"),
    "half_width": Text("half-width", "半宽"),
    "held": Text("held fixed", "固定"),
    "high": Text("upper limit", "上控制限"),
    "invariant": Text("alike", "相同"),
    "items": Text("items", "题项"),
    "leads": Text("leads", "居首"),
    "leaves": Text("leaves", "末级成员数"),
    "level": Text("level", "层级"),
    "like_for_like": Text("like for like", "同口径变化"),
    "like_std_error": Text("SE, like for like", "同口径变化的标准误"),
    "link": Text("link", "衔接"),
    "low": Text("lower limit", "下控制限"),
    "mean": Text("aligned mean", "对齐均值"),
    "medal": Text("medal", "奖牌"),
    "minimal_detectable": Text("minimal detectable", "最小可检出变化"),
    "missing_weight": Text("missing weight", "缺失权重"),
    "node": Text("node", "节点"),
    "other": Text("other", "另一品牌"),
    "own": Text("own change", "自身变化"),
    "p_adjusted": Text("p adjusted", "校正 p"),
    "p_composition": Text("p weights", "构成 p"),
    "p_holm": Text("p (Holm)", "p 值（Holm）"),
    "p_metric": Text("p loadings", "载荷 p"),
    "p_scalar": Text("p intercepts", "截距 p"),
    "parameter": Text("parameter", "参数"),
    "parent": Text("parent", "上级"),
    "parent_index": Text("parent's index", "上级指数"),
    "part": Text("part", "部分"),
    "probability": Text("probability", "概率"),
    "r2": Text("R²", "R²"),
    "rank": Text("rank", "名次"),
    "rank_high": Text("rank, to", "名次至"),
    "rank_low": Text("rank, from", "名次自"),
    "rebased": Text("rebased", "定基指数"),
    "rebased_high": Text("rebased, high", "定基指数上限"),
    "rebased_low": Text("rebased, low", "定基指数下限"),
    "rebased_std_error": Text("rebased, SE", "定基指数标准误"),
    "reference": Text("reference", "参照期"),
    "rmse": Text("rmse", "均方根误差"),
    "rule": Text("rule", "规则"),
    "share": Text("share", "份额"),
    "share_after": Text("share after", "现占比"),
    "share_before": Text("share before", "此前占比"),
    "shrunken": Text("shrunken", "收缩值"),
    "significant": Text("significant", "显著"),
    "smallest_significant": Text("smallest significant", "最小显著变化"),
    "smoothed": Text("smoothed", "平滑值"),
    "statistic": Text("t", "t 值"),
    "std_error_fixed": Text("SE, weights fixed", "标准误（权重固定）"),
    "target": Text("target", "目标"),
    "tested": Text("tested", "所检验者"),
    "total_effect": Text("total effect", "总效应"),
    "treatment": Text("treatment", "处理"),
    "value": Text("value", "数值"),
    "variance": Text("variance", "方差"),
    "verdict": Text("verdict", "判断"),
    "view": Text("view", "视图"),
    "weight_period": Text("period of the weight", "权重时期"),
    "what": Text("event", "事件"),
    "withheld": Text("withheld", "不予发布的原因"),
}
PAST: Final = {**AGAINST, "benchmark": Text("vs benchmark", "较基准"), "rank": Text("in wave", "当期")}
"""Endings of columns that compare."""


def heading_of(name: str) -> Text | None:
    """What a column is called; `change_previous` by its two parts."""
    if name in COLUMNS:
        return COLUMNS[name]
    head, _, tail = name.rpartition("_")
    base = {**PLAIN, **COLUMNS}.get(head)
    if tail not in PAST or base is None:
        return None
    return Text(f"{base.en}, {PAST[tail].en}", f"{base.zh}（{PAST[tail].zh}）")


PLAIN: Final = {
    "change": Text("change", "变化"),
    "p_value": Text("p", "p 值"),
    "std_error": Text("SE", "标准误"),
}


CELLS: Final = {
    "change": PLAIN["change"],
    "like for like": Text("like for like", "同口径变化"),
    "true": Text("yes", "是"),
    "false": Text("no", "否"),
}
"""Words of cells."""


def with_files(
    answer: Answer, path: Path | None, study: Study, lang: Language, texts: Mapping[str, Text] | None = None
) -> Answer:
    """The answer with its tables written where asked, and the names of the files under it.

    Parameters:
        texts: further words of cells, beside labels of brands, constructs, items, rates, and verdicts.

    Raises:
        Problems: E-OUT.
    """
    if path is None:
        return answer
    frames = {n: v for n, v in answer.data.items() if isinstance(v, pl.DataFrame) and v.width}
    told = {**study.segments, **study.stages, **names(study, lang), **rate_names(study), **FLAGS, **VERDICTS}
    told |= {**ATTAINED, **AGAINST, **CELLS, **(texts or {})}
    if path.suffix.lower() == ".xlsx":
        frames = {n: in_one_language(v, lang, told) for n, v in frames.items()}
    columns = dict.fromkeys(c for f in frames.values() for c in f.columns)
    headings = {c: said for c in columns if (said := heading_of(c)) is not None}
    tables = {n: (TITLES.get(n, Text(n, n)), f) for n, f in frames.items()}
    files = write_to(path, study.title, tables, lang, headings, told)
    return replace(answer, blocks=(*answer.blocks, *files))


def in_one_language(frame: pl.DataFrame, lang: Language, texts: Mapping[str, Text]) -> pl.DataFrame:
    """Reasons in the language asked for, and several items in a cell by their labels."""
    both = [c for c in frame.columns if c == "reason_zh" or c.startswith("withheld_zh")]
    if lang == "zh":
        frame = frame.with_columns(pl.col(c).alias(c.replace("_zh", "", 1)) for c in both)
    frame = frame.drop(both)
    lists = [c for c in frame.columns if c == "items" or c.startswith("items_") or c == "differing"]
    return frame.with_columns(
        pl.col(c).map_elements(lambda s: _listed(s, texts, lang), return_dtype=pl.String) for c in lists
    )


def _listed(cell: str, texts: Mapping[str, Text], lang: Language) -> str:
    """Names in a cell, each by its label."""
    each = cell.split(", ") if cell else []
    return Text(", ", "、").say(lang).join(texts.get(i, Text(i, i)).say(lang) for i in each)
