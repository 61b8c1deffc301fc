"""Who answered, what, and how many are enough: the sample and the items of a paper."""

from __future__ import annotations

import polars as pl

from csi.errors import Problems, Text
from csi.estimate.engine_words import missing_words
from csi.measures.sizing.pls_power import power_pls
from csi.measures.sizing.rmsea_power import power_rmsea
from csi.reporting import style
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.items import focal_rows, item_frame, missing_of, shares_of
from csi.reporting.sections.model import cell_of
from csi.reporting.sections.paper.facts import Fact, absent_share, degrees, listing, used

SKEWED, PEAKED = 2.0, 7.0
"""Beyond these an item is clearly not normal: Curran, West & Finch (1996), Psychological Methods 1(1)."""
WANTED = 0.80
"""The power asked for; Cohen (1988)."""
NEARLY = 0.995
"""From here on a power is not printed as 1."""
FAR = 0.08
"""The RMSEA that a test of close fit should find; MacCallum, Browne & Sugawara (1996)."""


def sample_section(a: Analysis) -> Section:
    """Answers read, dropped, used; absent answers; distribution; what the sample can find; the items."""
    frame = items_frame(a)
    clearly = frame.filter((pl.col("skewness").abs() > SKEWED) | (pl.col("kurtosis") > PEAKED))["item"].to_list()
    n, rows = used(a), focal_rows(a).height
    brand = a.brand_labels[a.focal]
    title = Text(
        f"{n} answers carry the model; {_skewed(clearly, frame.height).en}",
        f"模型基于 {n} 份答卷，{_skewed(clearly, frame.height).zh}",
    )
    facts = [*_answers(a, n, rows), *_enough(a, n)]
    return Section(
        key="sample",
        title=title,
        subtitle=Text(
            f"{brand.en}; skewness and excess kurtosis of the answers; coloured: beyond 2 or 7",
            f"{brand.zh}；偏度与超额峰度，着色处绝对值超过 2 或大于 7",
        ),
        tables=(listing("sample", Text("Sample", "样本"), facts), _items_table(frame)),
        data={"items": frame},
    )


def items_frame(a: Analysis) -> pl.DataFrame:
    """construct, item, wording in both languages, scale, mean, sd, low, high, missing, skewness, kurtosis."""
    found = item_frame(a, shares_of(a), missing_of(a))
    frame = found.select("construct", "item", "mean", "sd", "missing", "n")
    mine, book = focal_rows(a), a.study.codebook
    more = []
    for item in frame["item"].to_list():
        given, scale = mine[item].drop_nulls().cast(pl.Float64), book[item].scale
        more.append(
            {
                "wording_en": book.label(item, "en"),
                "wording_zh": book.label(item, "zh"),
                "scale": f"{scale.minimum:g}–{scale.maximum:g}",
                "low": given.min(),
                "high": given.max(),
                "skewness": given.skew(bias=False) if given.len() > 2 else None,
                "kurtosis": given.kurtosis(bias=False) if given.len() > 3 else None,
            }
        )
    schema = {"wording_en": pl.String, "wording_zh": pl.String, "scale": pl.String}
    numbers = dict.fromkeys(("low", "high", "skewness", "kurtosis"), pl.Float64)
    return frame.hstack(pl.DataFrame(more, schema={**schema, **numbers}))


def _skewed(clearly: list[str], many: int) -> Text:
    """How many items are clearly not normal."""
    if not clearly:
        return Text("no item is clearly skewed or peaked", "没有题项的偏度或峰度明显偏离正态")
    return Text(
        f"{len(clearly)} of {many} items {'is' if len(clearly) == 1 else 'are'} clearly skewed or peaked",
        f"{many} 题中有 {len(clearly)} 题的偏度或峰度明显偏离正态",
    )


def _answers(a: Analysis, n: int, rows: int) -> list[Fact]:
    """Who was asked, who was left out, what is absent and what became of it."""
    out = a.panel.excluded
    gone = 0
    if out is not None and {"brand", "wave"} <= set(out.columns):
        gone = out.filter((pl.col("brand") == a.focal) & (pl.col("wave") == a.wave)).height
    share, how = style.share(absent_share(a)), missing_words(a.study.settings.missing)
    weighted = "weight" in a.panel.frame.columns
    return [
        (
            Text("Answers", "答卷"),
            Text(
                f"{rows + gone} read, {gone} dropped by the rules of the study file, {n} in the model",
                f"读入 {rows + gone} 份，按研究文件的规则剔除 {gone} 份，进入模型 {n} 份",
            ),
        ),
        (
            Text("Absent answers", "缺失"),
            Text(f"{share} of the answers to the items; {how.en}", f"占题项回答的 {share}；{how.zh}"),
        ),
        (
            Text("Weights", "加权"),
            Text("design weights enter the estimates", "估计中使用设计权重") if weighted else Text("none", "未加权"),
        ),
        (
            Text("Why they are absent", "缺失机制"),
            Text(
                "the answers alone do not decide the mechanism; csi missing tests what can be tested",
                "仅凭答卷无法判定缺失机制，csi missing 给出可做的检验",
            ),
        ),
    ]


def _enough(a: Analysis, n: int) -> list[Fact]:
    """What so many people can find: the fit of a covariance model, the smallest path of composites."""
    what = Text("What n can find", "样本量与功效")
    try:
        if a.study.settings.covariance:
            made = power_rmsea(degrees(cell_of(a).estimate), rmsea=FAR, n=n).power or 0.0
            size = Text(style.coefficient(made), style.coefficient(made, "zh"))
            power = Text(f"of {size.en}", f"为 {size.zh}") if made < NEARLY else Text("above .99", "大于 0.99")
            en = f"the test of close fit (RMSEA at most .05) has a power {power.en} where the RMSEA is .08"
            return [(what, Text(en, f"若 RMSEA 为 0.08，近似拟合检验（零假设：不超过 0.05）的功效{power.zh}"))]
        path = power_pls(n=n, power=WANTED).effect
        en = f"paths from {style.coefficient(path)} on are found with a power of .80 (inverse square root, one-sided)"
        zh = f"以 0.80 的功效可发现 {style.coefficient(path, 'zh')} 以上的路径（平方根倒数法，单侧）"
        return [(what, Text(en, zh))]
    except Problems as found:
        return [(what, found.problems[0].what)]


def _items_table(frame: pl.DataFrame) -> Table:
    columns = (
        Column("item", Text("Code", "代码")),
        Column("wording_zh", Text("Chinese wording", "中文题干")),
        Column("wording_en", Text("English wording", "英文题干")),
        Column("scale", Text("Scale", "量表")),
        Column("mean", Text("M", "均值"), "number"),
        Column("sd", Text("SD", "标准差"), "number"),
        Column("low", Text("Min", "最小"), "count"),
        Column("high", Text("Max", "最大"), "count"),
        Column("missing", Text("Absent", "缺失"), "share"),
        Column("skewness", Text("Skewness", "偏度"), "number"),
        Column("kurtosis", Text("Excess kurtosis", "超额峰度"), "number"),
    )
    emphasis: Emphasis = {}
    for i, (skew, peak) in enumerate(frame.select("skewness", "kurtosis").iter_rows()):
        if skew is not None and abs(skew) > SKEWED:
            emphasis[i, "skewness"] = "warn"
        if peak is not None and peak > PEAKED:
            emphasis[i, "kurtosis"] = "warn"
    return Table("items", Text("Items", "题项"), frame, columns, emphasis)
