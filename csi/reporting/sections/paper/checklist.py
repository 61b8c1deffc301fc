"""What reviewers ask for, row by row: where the report has it, or why it has not, and what stays with the authors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from csi.errors import Text
from csi.reporting.analysis import Analysis
from csi.reporting.headings import HEADINGS
from csi.reporting.section import Column, Emphasis, Section, Table

KEY = "checklist"
UNTOLD = ": cannot be told"
NOTHING = Text("", "")
OFF = Text("switched off in the study file", "研究文件中已关闭")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a checklist: what is asked, the section that has it, why there may be none, what authors add."""

    code: str
    what: Text
    key: str
    none: Text = OFF
    yours: Text = NOTHING


FEW_GROUPS = Text("there are no two groups with answers", "没有两个有答卷的组")

PLS: tuple[Row, ...] = (
    Row(
        "P1",
        Text("Why PLS, sample", "选用 PLS 的理由与样本"),
        "sample",
        yours=Text("the reasons for PLS; the population", "选用 PLS 的理由；总体"),
    ),
    Row("P2", Text("Algorithm settings", "算法设定"), "settings"),
    Row("P3", Text("Items", "题项"), "sample", yours=Text("the sources of the scales", "量表出处")),
    Row("P4", Text("Reflective measurement", "反映型测量"), "loadings"),
    Row("P5", Text("Discriminant validity", "区分效度"), "validity"),
    Row(
        "P6",
        Text("Formative measurement", "形成型测量"),
        "formative",
        Text("no construct is formative (mode B)", "没有形成型构念（模式 B）"),
    ),
    Row("P7", Text("Common method bias", "共同方法偏差"), "bias"),
    Row(
        "P8",
        Text("Structural model", "结构模型"),
        "structure",
        yours=Text("the theory behind each path", "各路径的理论依据"),
    ),
    Row("P9", Text("Explanation (R²)", "解释力（R²）"), "structure"),
    Row("P10", Text("Indirect and total effects", "间接效应与总效应"), "mediation"),
    Row("P11", Text("Prediction", "预测力"), "prediction"),
    Row("P12", Text("Fit, as information", "拟合（供参考）"), "global_fit"),
    Row("P13", Text("Groups (MICOM, MGA)", "组间比较（MICOM、MGA）"), "groups", FEW_GROUPS),
    Row("P14", Text("Robustness", "稳健性"), "checks"),
    Row(
        "P15",
        Text("Importance and performance", "重要性与表现"),
        "priorities",
        Text("nothing leads to the target", "没有指向目标构念的路径"),
    ),
    Row("P16", Text("Appendix", "附录"), "appendix", yours=Text("a link to data and code", "数据与代码链接")),
)
"""After Hair, Risher, Sarstedt & Ringle (2019), European Business Review 31(1)."""

COVARIANCE: tuple[Row, ...] = (
    Row("C1", Text("Abstract: global and local fit", "摘要：整体与局部拟合"), "global_fit"),
    Row(
        "C2",
        Text("Model and theory", "模型与理论"),
        "model",
        yours=Text("the theory and direction of each path", "各路径的理论与方向"),
    ),
    Row("C3", Text("Identification", "识别"), "settings"),
    Row("C4", Text("Data", "数据"), "sample", yours=Text("an argument for the mechanism of absence", "缺失机制的论证")),
    Row("C5", Text("Power", "功效"), "sample", yours=Text("the power that was planned", "事先设定的功效")),
    Row("C6", Text("Estimation", "估计"), "settings"),
    Row("C7", Text("Input: correlations, means, deviations", "输入：相关、均值与标准差"), "appendix"),
    Row("C8", Text("Global fit", "整体拟合"), "global_fit"),
    Row("C9", Text("Local fit", "局部拟合"), "global_fit"),
    Row("C10", Text("Measurement", "测量模型"), "parameters"),
    Row("C11", Text("Structure", "结构模型"), "parameters"),
    Row("C12", Text("Invariance", "不变性"), "invariance", FEW_GROUPS),
    Row(
        "C13",
        Text("Alternatives", "竞争模型"),
        "alternatives",
        yours=Text("equivalent models and why not they", "等价模型及排除理由"),
    ),
    Row(
        "C14", Text("Reproducibility", "可复现性"), "appendix", yours=Text("a link to data and code", "数据与代码链接")
    ),
)
"""After APA JARS-Quant, Table 7 (structural equation modelling)."""


def checklist_section(a: Analysis, sections: Sequence[Section] = ()) -> Section:
    """The checklist of the study's engine over the sections of a report."""
    asked = COVARIANCE if a.study.settings.covariance else PLS
    told = {s.key: s for s in sections}
    where = [_where(row, told) for row in asked]
    here = [row.key in told and UNTOLD not in told[row.key].title.en for row in asked]
    frame = pl.DataFrame(
        {
            "code": [r.code for r in asked],
            "what": [r.what.en for r in asked],
            "where": [w.en for w in where],
            "yours": [r.yours.en for r in asked],
            "told": here,
        },
    )
    texts = {t.en: t for t in (*(r.what for r in asked), *where, *(r.yours for r in asked))}
    texts[""] = NOTHING
    count, many = sum(here), len(asked)
    title = Text(f"{count} of {many} rows of the checklist are told", f"核对表 {many} 项中有 {count} 项已给出")
    if count == many:
        title = Text(f"All {many} rows of the checklist are told", f"核对表 {many} 项全部给出")
    columns = (
        Column("code", Text("Row", "项")),
        Column("what", Text("Asked for", "要求")),
        Column("where", Text("Where, or why not", "所在章节，或缺少的原因")),
        Column("yours", Text("Left to the authors", "由作者补充")),
    )
    emphasis: Emphasis = {(i, "where"): "warn" for i, yes in enumerate(here) if not yes}
    source = (
        Text("after JARS-Quant (APA)", "依据 JARS-Quant（APA）")
        if a.study.settings.covariance
        else Text("after Hair et al. (2019)", "依据 Hair 等（2019）")
    )
    anchors = tuple(r.key if r.key in told else KEY for r in asked)
    return Section(
        key=KEY,
        title=title,
        subtitle=Text(f"What reviewers ask for, {source.en}", f"审稿人所需内容，{source.zh}"),
        tables=(Table(KEY, Text("Checklist", "核对表"), frame, columns, emphasis, texts, anchors=anchors),),
        data={KEY: frame},
    )


def _where(row: Row, told: Mapping[str, Section]) -> Text:
    """The heading of the section that has it; else the reason there is none."""
    section = told.get(row.key)
    if section is None:
        return row.none
    if UNTOLD not in section.title.en or not section.notes:
        return HEADINGS[row.key]
    return section.notes[0].text
