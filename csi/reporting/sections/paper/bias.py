"""Common method variance: the checks, none of which proves its absence."""

from __future__ import annotations

from csi.errors import Text, note
from csi.measures.separation.common_method import common_method
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.model import cell_of

CHECKS = {
    "full_collinearity": Text("full collinearity (largest VIF)", "完全共线性（最大 VIF）"),
    "method_equal": Text("method factor, equal loadings (share)", "方法因子，载荷相等（占比）"),
    "method_free": Text("method factor, free loadings (share)", "方法因子，载荷自由（占比）"),
    "marker_partial": Text("marker, partial correlations", "标记变量，偏相关"),
    "marker_equal": Text("marker factor (share)", "标记因子（占比）"),
    "harman": Text("Harman's first factor (share)", "Harman 第一因子（占比）"),
}
VERDICTS = {
    "raised": Text("raised", "提示存在"),
    "doubtful": Text("doubtful", "存疑"),
    "not raised": Text("not raised", "未提示"),
}
NO_MARKER = note(
    "N-NO-MARKER",
    "There is no marker scale in the model, so its two checks cannot be made.",
    "模型中没有标记变量，相应两项检查无法进行。",
)


def bias_section(a: Analysis) -> Section:
    """Every check with its limit and verdict."""
    found = common_method(cell_of(a).estimate)
    told = found.table.filter(found.table["verdict"].is_not_null())
    raised = told.filter(told["verdict"] == "raised").height
    doubtful = told.filter(told["verdict"] == "doubtful").height
    if not told.height:
        title = Text("No check of common method variance could be made", "未能进行共同方法变异检查")
    else:
        title = Text(
            f"{raised} of {told.height} checks point to common method variance{_doubt(doubtful).en}",
            f"{told.height} 项检查中有 {raised} 项提示共同方法变异{_doubt(doubtful).zh}",
        )
    columns = (
        Column("check", Text("Check", "检查")),
        Column("value", Text("Value", "值"), "number"),
        Column("limit", Text("Limit", "界值"), "number"),
        Column("p_value", Text("p", "p"), "p"),
        Column("verdict", Text("Verdict", "判断")),
    )
    emphasis: Emphasis = {(i, "verdict"): "warn" for i, v in enumerate(told["verdict"]) if v != "not raised"}
    return Section(
        key="bias",
        title=title,
        subtitle=Text("A check that is not raised is no evidence of absence", "未提示并不等于不存在"),
        tables=(Table("common_method", Text("Checks", "检查"), told, columns, emphasis, {**CHECKS, **VERDICTS}),),
        notes=(NO_MARKER,) if told.height < found.table.height else (),
        data={"common_method": found.table, "collinearity": found.collinearity, "models": found.models},
    )


def _doubt(doubtful: int) -> Text:
    if not doubtful:
        return Text("", "")
    return Text(f"; {doubtful} {'is' if doubtful == 1 else 'are'} doubtful", f"，{doubtful} 项存疑")
