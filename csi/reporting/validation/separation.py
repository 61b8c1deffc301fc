"""Whether constructs are distinct, and where the items do not fit: HTMT, residual correlations, worst pairs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.questionnaire.validate import Validation
from csi.measures.separation.discriminant import Discriminant
from csi.reporting import figures, style, words
from csi.reporting.drawn import figure
from csi.reporting.figures.residual_heat import NOTABLE
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.fit import FAIR, GOOD, LIMITS, POOR
from csi.reporting.validation.held import coded, labels_of, reasons_told, untested, wording

WORST = 3
"""Pairs of items whose wordings are laid side by side."""
CLOSE = 0.85
LIMITS_OF_HTMT = ("htmt_low", "htmt_high")
WORDING = "wording of "
"""What stands before an item's name where its wording is printed."""
SEVERE = {"none": Text("none", "无"), "marginal": Text("marginal", "轻微"), "moderate": Text("moderate", "中等"),
          "severe": Text("severe", "严重")}  # fmt: skip
KINDS = {
    "cross-loading": Text("would load on the other construct", "可能载荷于另一构念"),
    "residual": Text("goes with an item of the other construct", "与另一构念的题项相关"),
    "item": Text("raises HTMT most", "对 HTMT 推高最多"),
}


def separation_section(v: Validation) -> Section | None:
    """HTMT of every pair as a matrix; factor correlations with intervals and tests; the items behind the closest."""
    if v.discriminant is None:
        return None
    found = v.discriminant
    lost = [pl.lit(None, pl.Float64).alias(c) for c in LIMITS_OF_HTMT if c not in found.table.columns]
    found = replace(found, table=found.table.with_columns(lost))  # without resamples there are none
    title = separation_finding(v)
    matrix = found.table.select(
        pl.col("construct").alias("first"), pl.col("other").alias("second"), "htmt",
        pl.col("htmt_low").alias("conf_low"), pl.col("htmt_high").alias("conf_high"),
    )  # fmt: skip
    held = {*matrix["first"].to_list(), *matrix["second"].to_list()}
    draw = partial(figures.htmt_matrix, matrix, labels=labels_of(v), order=[c for c in v.answers.scales if c in held])
    level = percent(found.level)
    behind = _closest(found)
    tables = [_pairs(v, found.table)] + ([_causes(v, behind)] if behind.height else [])
    return Section(
        key="v_separation",
        title=title,
        subtitle=Text(f"HTMT; above .85 in colour. Factor correlations with {level} intervals below",
                      f"HTMT 矩阵，高于 0.85 着色；下表为因子相关与 {level} 区间"),
        figures=(figure("v_htmt", title, draw),),
        tables=tuple(tables),
        notes=(*found.notes, *reasons_told(v, found.table, "construct", found.reasons)),
        data={"separation": found.table, "causes": found.causes},
    )  # fmt: skip


def _closest(found: Discriminant) -> pl.DataFrame:
    """The items behind the pairs that are close; behind the closest pair where none is."""
    pairs = found.table.filter(pl.col("htmt").is_not_null()).sort("htmt", descending=True, maintain_order=True)
    close = pairs.filter((pl.col("htmt") >= CLOSE) | pl.col("problem").is_in(["moderate", "severe"]))
    kept = close.head(WORST) if close.height else pairs.head(1)
    return found.causes.join(kept.select("construct", "other"), on=["construct", "other"], how="semi")


def separation_finding(v: Validation) -> Text:
    """The sentence over the matrix."""
    if v.discriminant is None:
        return Text("Not told", "未给出")
    table = v.discriminant.table
    close = table.filter(pl.col("htmt") >= CLOSE).sort("htmt", descending=True)
    pairs = [(v.answers.label(r["construct"]), v.answers.label(r["other"])) for r in close.iter_rows(named=True)]
    return words.sentence(words.separation(pairs, threshold=CLOSE))


def _pairs(v: Validation, frame: pl.DataFrame) -> Table:
    columns = [
        Column("construct", Text("Construct", "构念")),
        Column("other", Text("and", "与")),
        Column("htmt", Text("HTMT", "HTMT"), "coefficient"),
        Column("htmt_low", Text("from", "下限"), "coefficient"),
        Column("htmt_high", Text("to", "上限"), "coefficient"),
        Column("htmt2", Text("HTMT2", "HTMT2"), "coefficient"),
        Column("correlation", Text("Factors r", "因子相关"), "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
        Column("problem", Text("Problem", "问题程度")),
        Column("p_one", Text("p (r = 1)", "p（r = 1）"), "p"),
        Column("p_cutoff", Text("p (cut-off)", "p（界值）"), "p"),
    ]
    columns = [c for c in columns if not c.name.startswith("p_") or frame[c.name].count()]
    emphasis: Emphasis = {
        (i, column): "warn"
        for i, row in enumerate(frame.iter_rows(named=True))
        for column, bad in (
            ("htmt", row["htmt"] is not None and row["htmt"] >= CLOSE),
            ("problem", row["problem"] in ("moderate", "severe")),
        )
        if bad
    }
    title = Text("Pairs of constructs", "构念两两区分")
    return Table("separation", title, frame, tuple(columns), emphasis, {**labels_of(v), **SEVERE})


def _causes(v: Validation, frame: pl.DataFrame) -> Table:
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("other", Text("and", "与")),
        Column("item", Text("Item", "题项")),
        Column("kind", Text("What it does", "表现")),
        Column("partner", Text("with", "对象")),
        Column("change", Text("Expected size", "预期大小"), "coefficient"),
        Column("htmt_without", Text("HTMT without", "去掉后 HTMT"), "coefficient"),
    )
    title = Text("The items behind the closest pairs", "导致构念接近的题项")
    return Table("causes", title, frame, columns, texts={**labels_of(v), **KINDS})


def misfit_section(v: Validation) -> Section | None:
    """Residual correlations of the factor model, and the worst pairs of items with their wordings."""
    if v.factors is None:
        return None
    found = v.factors.residuals
    worst = found.head(WORST).filter(pl.col("residual").abs() >= NOTABLE)
    title = misfit_finding(v)
    held = {*found["first"].to_list(), *found["second"].to_list()}
    every = dict.fromkeys(i for s in v.answers.scales.values() for i in s)
    draw = partial(figures.residual_heat, found, order=[i for i in every if i in held])
    columns = (
        Column("first", Text("Item", "题项")),
        Column("wording", Text("Wording", "题面")),
        Column("second", Text("and", "与")),
        Column("other_wording", Text("Wording", "题面")),
        Column("residual", Text("Residual r", "残差相关"), "coefficient"),
    )
    side = worst.with_columns(
        wording=pl.concat_str(pl.lit(WORDING), "first"), other_wording=pl.concat_str(pl.lit(WORDING), "second")
    )
    texts = {WORDING + i: wording(v, i) for i in v.answers.names}
    if not any(t.en or t.zh for t in texts.values()):
        side = side.drop("wording", "other_wording")
    shown = tuple(c for c in columns if c.name in side.columns)
    table = Table("worst_pairs", Text("Worst pairs, side by side", "最不拟合的题项对"), side, shown, texts=texts)
    return Section(
        key="v_misfit",
        title=title,
        subtitle=Text("Residual correlations of the factor model; beyond .10 with their number",
                      "因子模型的残差相关；超过 0.10 标出数值"),
        figures=(figure("v_misfit", title, draw),),
        tables=(table,) if worst.height else (),
        data={"residuals": found},
    )  # fmt: skip


def misfit_finding(v: Validation) -> Text:
    """The sentence over the residuals."""
    if v.factors is None:
        return Text("Not told", "未给出")
    found = v.factors.residuals
    large = found.filter(pl.col("residual").abs() >= NOTABLE)
    if not large.height:
        return words.sentence(Text("no pair of items is left unexplained beyond .10", "没有题项对的残差相关超过 0.10"))
    row = large.row(0, named=True)
    en = style.coefficient(row["residual"], "en")
    zh = style.coefficient(row["residual"], "zh")
    many, of = large.height, found.height
    return words.sentence(
        Text(f"{many} of {of} pairs of items do not fit, {row['first']} and {row['second']} least ({en})",
             f"{of} 对题项中有 {many} 对不拟合，{row['first']} 与 {row['second']} 最甚（{zh}）")
    )  # fmt: skip


def fit_section(v: Validation) -> Section | None:
    """How well the factors fit, and how they are correlated."""
    if v.factors is None:
        return None
    m = v.factors.measures
    measures = pl.DataFrame({"measure": list(m), "value": list(m.values())})
    names = {i: coded(v, i) for i in v.answers.names}
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("item", Text("Item", "题项")),
        Column("loading", Text("Loading", "载荷"), "coefficient"),
        Column("std_error", Text("SE", "标准误"), "index"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
    )
    weak: Emphasis = {
        (i, "loading"): "warn"
        for i, x in enumerate(v.factors.loadings["loading"].to_list())
        if x is not None and x < 0.708
    }
    fresh = (pl.col("construct") != pl.col("construct").shift()).fill_null(value=True)
    shown = v.factors.loadings.with_columns(pl.when(fresh).then("construct").otherwise(pl.lit("")))
    table = Table("v_loadings", Text("Standardised loadings", "标准化载荷"), shown, columns, weak,
                  {**labels_of(v), **names})  # fmt: skip
    return Section(
        key="v_fit",
        title=fit_finding(v),
        subtitle=fit_words(v),
        tables=(table,),
        notes=v.factors.notes,
        data={"fit_measures": measures, "loadings": v.factors.loadings, "correlations": v.factors.correlations},
    )


def fit_words(v: Validation) -> Text:
    """Factors, items, estimator and chi-square."""
    if v.factors is None:
        return Text("", "")
    m, p = v.factors.measures, words.p_said(v.factors.measures.get("p_value"))
    count = v.factors.loadings["construct"].n_unique()
    items = v.factors.loadings.height
    version, version_zh = {"scaled": ("scaled", "校正"), "robust": ("robust", "稳健")}[v.factors.version]
    how = v.factors.estimator
    return Text(
        f"{count} correlated factors, {items} items, {how}: χ²({m['df']:.0f}) = {m['chi2']:.1f}, {p.en}; "
        f"CFI, TLI and RMSEA are {version}",
        f"{count} 个相关因子、{items} 个题项，{how}：χ²({m['df']:.0f}) = {m['chi2']:.1f}，{p.zh}；"
        f"CFI、TLI、RMSEA 为{version_zh}值",
    )


def fit_finding(v: Validation) -> Text:
    """How well the factors fit, in words with the numbers."""
    if v.factors is None:
        return Text("Not told", "未给出")
    if untested(v):
        return Text(
            "So few items fit one construct whatever the answers are: there is no test",
            "题项太少，任何回答都能完全拟合单一构念：拟合无法检验",
        )
    m = v.factors.measures
    said = [LIMITS[k].verdict(m[k]) for k in LIMITS if k in m]
    worst = POOR if POOR in said else FAIR if FAIR in said else GOOD
    told = {
        GOOD: Text("the items fit their constructs well", "题项与其构念拟合良好"),
        FAIR: Text("the items fit their constructs acceptably", "题项与其构念拟合可接受"),
        POOR: Text("the items do not fit their constructs", "题项与其构念拟合不佳"),
    }[worst]
    names = [k for k in ("cfi", "rmsea", "srmr") if k in m]
    said_en = ", ".join(f"{k.upper()} {style.coefficient(m[k], 'en', 3)}" for k in names)
    said_zh = "、".join(f"{k.upper()} {style.coefficient(m[k], 'zh', 3)}" for k in names)
    return words.sentence(Text(f"{told.en} ({said_en})", f"{told.zh}（{said_zh}）"))
