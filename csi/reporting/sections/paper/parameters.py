"""Every parameter of a covariance model: unstandardised with its error and test, and standardised."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.estimate.shown import least_of
from csi.reporting.analysis import Analysis
from csi.reporting.scaled import scale_notes
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.model import cell_of

KINDS = {
    "=~": Text("loading", "载荷"),
    "~": Text("path", "路径"),
    "~~": Text("(co)variance", "（协）方差"),
    "~1": Text("intercept", "截距"),
    "|": Text("threshold", "阈值"),
    "~*~": Text("scale", "尺度"),
    ":=": Text("defined", "定义"),
}


def parameters_section(a: Analysis) -> Section:
    """Loadings, paths, factor covariances and residual variances: B, SE, interval, z, p, and beta."""
    est = cell_of(a).estimate
    frame = est.table.select(
        "lhs", "op", "rhs", "estimate", "std_error", "conf_low", "conf_high", "statistic", "p_value", "std_all"
    )
    variances = frame.filter((pl.col("op") == "~~") & (pl.col("lhs") == pl.col("rhs")))
    negative = variances.filter(pl.col("estimate") < 0).height
    free = frame.filter(pl.col("std_error").is_not_null()).height
    title = Text(f"{free} parameters were estimated", f"共估计 {free} 个参数")
    if negative:
        some = "variance is" if negative == 1 else "variances are"
        title = Text(f"{title.en}; {negative} {some} negative", f"{title.zh}，其中 {negative} 个方差为负")
    columns = (
        Column("lhs", Text("Left", "左")),
        Column("op", Text("Parameter", "参数")),
        Column("rhs", Text("Right", "右")),
        Column("estimate", Text("B", "B"), "estimate"),
        Column("std_error", Text("SE", "标准误"), "estimate"),
        Column("conf_low", Text("from", "下限"), "estimate"),
        Column("conf_high", Text("to", "上限"), "estimate"),
        Column("statistic", Text("z", "z"), "number"),
        Column("p_value", Text("p", "p"), "p", least_of(est)),
        Column("std_all", Text("β", "β"), "coefficient"),
    )
    emphasis: Emphasis = {
        (i, "estimate"): "warn"
        for i, row in enumerate(frame.iter_rows(named=True))
        if row["op"] == "~~" and row["lhs"] == row["rhs"] and row["estimate"] is not None and row["estimate"] < 0
    }
    brand = a.brand_labels[a.focal]
    table = Table(
        "parameters", Text("All parameters", "全部参数"), frame, columns, emphasis, {**a.construct_labels, **KINDS}
    )
    return Section(
        key="parameters",
        title=title,
        subtitle=Text(
            f"{brand.en}: B unstandardised, β standardised; a row without SE is fixed",
            f"{brand.zh}：B 为非标准化值，β 为标准化值；无标准误的行为固定参数",
        ),
        tables=(table,),
        notes=scale_notes(est),
        data={"parameters": frame},
    )
