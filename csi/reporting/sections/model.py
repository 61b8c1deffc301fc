"""What goes with what: the path diagram, total effects, and the structural table."""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from csi.errors import Problems, Text, problem
from csi.estimate.engine_words import engine_words
from csi.estimate.estimate import Estimate
from csi.estimate.shown import least_of
from csi.measures.indicators import indicators, owners
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis, Cell
from csi.reporting.drawn import figure
from csi.reporting.figures.cells import LOADING_FLOOR
from csi.reporting.scaled import interval_words, scale_notes, scaled
from csi.reporting.section import Column, Emphasis, Figure, Section, Table
from csi.reporting.sections.drawn import here, percent
from csi.reporting.style import MINUS
from csi.reporting.words import Named

EFFECTS = {"direct": Text("direct", "直接"), "indirect": Text("indirect", "间接"), "total": Text("total", "总效应")}


def cell_of(a: Analysis) -> Cell:
    """The focal brand's model.

    Raises:
        Problems: E-BASE when the focal brand has too few answers for one.
    """
    if a.cell is None:
        text = a.notes[0].text
        do, do_zh = "Choose another wave or focal brand.", "请选择其他期次或焦点品牌。"
        raise Problems([problem("E-BASE", str(a.study.path), text.en, text.zh, do, do_zh)], a.study.language)
    return a.cell


def model(a: Analysis) -> Section:
    """The path diagram with published indices in the nodes, and total effects on the target and the last outcomes."""
    cell = cell_of(a)
    paths, nodes = path_frame(cell), _nodes(a, cell)
    totals = _totals(a, cell)
    drivers = [
        Named(a.label(r["predictor"]), r["estimate"], significant=bool(r["significant"]))
        for r in totals.filter(pl.col("outcome") == a.target).iter_rows(named=True)
    ]
    title = words.model(a.label(a.target), drivers, paths.height, int(paths["significant"].sum()))
    draw = partial(
        figures.path_diagram, paths, nodes, labels=a.construct_labels, layout=a.model.layout or None, target=a.target
    )
    level = percent(cell.estimate.level)
    engine, way = engine_words(cell.estimate.settings.name), interval_words(cell.estimate)
    return Section(
        key="model",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}: standardised paths, {engine.en}, {level} {way.en} intervals; width is "
            "size, dashed is not significant, the ring is R², the number is the index",
            f"{a.brand_labels[a.focal].zh}：标准化路径系数与 {level} {way.zh}区间，{engine.zh}；线宽为系数大小，"
            "虚线为不显著，圆环为 R²，圆内为指数得分",
        ),
        figures=(figure("model", title, draw),),
        tables=(_effects_table(a, totals),),
        paragraphs=_consequences(a, cell),
        notes=(*cell.estimate.notes, *scale_notes(cell.estimate)),
        data={"paths": paths, "nodes": nodes, "effects": cell.effects.table},
    )


def path_frame(cell: Cell) -> pl.DataFrame:
    """Rows: predictor, outcome, estimate, std_error, conf_low, conf_high, p_value, significant (no zero inside)."""
    return (
        scaled(cell.estimate)
        .filter(pl.col("op") == "~")
        .select(
            pl.col("rhs").alias("predictor"),
            pl.col("lhs").alias("outcome"),
            "estimate", "std_error", "conf_low", "conf_high", "p_value",
        )
        .with_columns(_excludes_zero())
    )  # fmt: skip


def _excludes_zero() -> pl.Expr:
    return ((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).fill_null(value=False).alias("significant")


def _nodes(a: Analysis, cell: Cell) -> pl.DataFrame:
    """construct, index (the published one), r2."""
    r2 = cell.effects.r2.select("construct", "r2")
    mine = here(a).filter(brand=a.focal).select("construct", "index")
    names = pl.DataFrame({"construct": list(a.model.names)})
    return names.join(mine, on="construct", how="left", maintain_order="left").join(
        r2, on="construct", how="left", maintain_order="left"
    )


def outcomes(a: Analysis) -> list[str]:
    """The target, then the constructs that nothing follows."""
    causes = {p.predictor.name for p in a.model.paths}
    last = [c for c in a.model.names if c not in causes and a.model.predictors(c) and c != a.target]
    return [a.target, *last]


def _totals(a: Analysis, cell: Cell) -> pl.DataFrame:
    """Total effects on the target and on the last outcomes, largest first."""
    wanted = outcomes(a)
    parts = [
        cell.effects.table.filter((pl.col("effect") == "total") & (pl.col("outcome") == y)).sort(
            pl.col("estimate").abs(), descending=True, maintain_order=True
        )
        for y in wanted
    ]
    found = pl.concat(parts)
    absent = [c for c in ("conf_low", "conf_high") if c not in found.columns]  # of a study without resamples
    return found.with_columns(pl.lit(None, pl.Float64).alias(c) for c in absent).with_columns(_excludes_zero())


def _effects_table(a: Analysis, totals: pl.DataFrame) -> Table:
    columns = (
        Column("outcome", Text("On", "结果")),
        Column("predictor", Text("From", "来源")),
        Column("estimate", Text("Total effect", "总效应"), "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
    )
    title = Text("Standardised total effects", "标准化总效应")
    keep = [c.name for c in columns]
    return Table("total_effects", title, totals.select(keep), columns, texts=a.construct_labels)


def _consequences(a: Analysis, cell: Cell) -> tuple[Text, ...]:
    """What one point of the strongest drivers goes with (those whose interval excludes zero)."""
    table = cell.drivers.table.filter(pl.col("importance").is_not_null())
    if "importance_conf_low" in table.columns:
        table = table.filter((pl.col("importance_conf_low") > 0) | (pl.col("importance_conf_high") < 0))
    top = table.sort("importance", descending=True, maintain_order=True).head(2)
    return tuple(
        words.points(a.label(r["construct"]), a.label(a.target), r["importance"]) for r in top.iter_rows(named=True)
    )


def structure(a: Analysis) -> Section:
    """Every path with its interval, test, f² and VIF; R²."""
    cell = cell_of(a)
    keys = ["outcome", "predictor"]
    f2 = cell.effects.f2.select(*keys, "f2")
    vif = cell.validity.vif_inner.select(*keys, "vif")
    paths = path_frame(cell).join(f2, on=keys, how="left", maintain_order="left")
    paths = _judged(a, cell, paths.join(vif, on=keys, how="left", maintain_order="left"))
    held = int(paths["significant"].sum())
    level, way = percent(cell.estimate.level), interval_words(cell.estimate)
    title = words.sentence(words.held_paths(held, paths.height))
    return Section(
        key="structure",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}: standardised paths with {level} {way.en} intervals; beside "
            "each construct its items with their loadings (weights where the items make it), bold: loading below .708",
            f"{a.brand_labels[a.focal].zh}：标准化路径系数与 {level} {way.zh}区间；"
            "各构念旁为题项及载荷（形成型为权重），加粗为载荷低于 0.708",
        ),
        figures=(_full_view(a, cell, paths, title),),
        tables=(_paths_table(a, paths), _r2_table(a, cell)),
        notes=tuple(dict.fromkeys((*cell.estimate.notes, *cell.effects.notes))),
        data={"paths": paths, "r2": cell.effects.r2, "chains": cell.effects.chains, "effects": cell.effects.table},
    )


EXPECTED: Final = {"+": Text("+", "+"), "-": Text(MINUS, MINUS), "": Text("open", "未定")}
"""The signs that theory expects."""
VERDICTS: Final = {
    "supported": Text("supported", "支持"),
    "not supported": Text("not supported", "不支持"),
    "contrary": Text("contrary", "方向相反"),
    "differs from 0": Text("differs from 0", "不为零"),
    "not told from 0": Text("not told from 0", "与零无异"),
}


def _judged(a: Analysis, cell: Cell, paths: pl.DataFrame) -> pl.DataFrame:
    """The paths with t, the sign theory expects, and what came of it; without an expected sign nothing is supported."""
    keys = ["outcome", "predictor"]
    t = scaled(cell.estimate).filter(pl.col("op") == "~").select(outcome="lhs", predictor="rhs", t="statistic")
    signs = {(p.outcome, p.predictor.name): p.sign for p in a.model.paths}
    rows = paths.select(*keys, "estimate", "significant").rows()
    expected = [signs.get((y, x), "") for y, x, *_ in rows]
    verdicts = [_verdict(sign, b, sure=sure) for sign, (*_, b, sure) in zip(expected, rows, strict=True)]
    said = paths.with_columns(pl.Series("expected", expected, pl.String), pl.Series("verdict", verdicts, pl.String))
    return said.join(t, on=keys, how="left", maintain_order="left")


def _verdict(sign: str, value: float | None, *, sure: bool) -> str:
    """What a path's interval says of the sign that was expected.

    Example:
        >>> _verdict("+", 0.3, sure=True), _verdict("+", -0.3, sure=True), _verdict("", 0.3, sure=True)
        ('supported', 'contrary', 'differs from 0')
    """
    if not sign or value is None:
        return "differs from 0" if sure else "not told from 0"
    if not sure:
        return "not supported"
    return "supported" if (value > 0) == (sign == "+") else "contrary"


def _full_view(a: Analysis, cell: Cell, paths: pl.DataFrame, title: Text) -> Figure:
    """The path diagram with the items of each construct."""
    draw = partial(
        figures.path_diagram, paths, _nodes(a, cell), labels=a.construct_labels, layout=a.model.layout or None,
        target=a.target, items=item_rows(cell.estimate),
    )  # fmt: skip
    return figure("model_full", title, draw)


def item_rows(estimate: Estimate, at: int = 0) -> pl.DataFrame:
    """What the full view of one cell prints: construct, item, loading (weight where items make it), weak, formative."""
    solution = estimate.solution
    of, owner = indicators(estimate.moments, solution), owners(solution)
    frame = pl.DataFrame(
        {
            "construct": [solution.constructs[k] for k in owner],
            "item": list(of.names),
            "formative": [solution.modes[k] == "B" for k in owner],
            "loading": of.loadings[at],
            "weight": of.loadings[at] if of.weights is None else of.weights[at],
        },
        schema_overrides={"loading": pl.Float64, "weight": pl.Float64},
    )
    lone = pl.len().over("construct") == 1
    weak = (pl.col("loading") < LOADING_FLOOR) & ~pl.col("formative") & ~lone
    shown = pl.when("formative").then("weight").otherwise("loading")
    return frame.select("construct", "item", shown.alias("loading"), weak.alias("weak"), "formative")


def _interval_columns() -> tuple[Column, Column]:
    return Column("conf_low", Text("from", "下限"), "coefficient"), Column(
        "conf_high", Text("to", "上限"), "coefficient"
    )


def _paths_table(a: Analysis, paths: pl.DataFrame) -> Table:
    test = "z" if a.study.settings.covariance else "t"
    columns = (
        Column("predictor", Text("From", "自变量")),
        Column("outcome", Text("To", "因变量")),
        Column("estimate", Text("β", "β"), "coefficient"),
        Column("std_error", Text("SE", "标准误"), "coefficient"),
        *_interval_columns(),
        Column("t", Text(test, test), "number"),
        Column("p_value", Text("p", "p"), "p", least_of(cell_of(a).estimate)),
        Column("f2", Text("f²", "f²"), "coefficient"),
        Column("vif", Text("VIF", "VIF"), "number"),
        Column("expected", Text("Expected", "预期")),
        Column("verdict", Text("Verdict", "判断")),
    )
    texts = {**a.construct_labels, **EXPECTED, **VERDICTS}
    emphasis: Emphasis = {(i, "verdict"): "warn" for i, v in enumerate(paths["verdict"]) if v == "contrary"}
    return Table("paths", Text("Paths", "路径系数"), paths, columns, emphasis, texts)


def _r2_table(a: Analysis, cell: Cell) -> Table:
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("predictors", Text("Predictors", "自变量数"), "count"),
        Column("r2", Text("R²", "R²"), "coefficient"),
        *_interval_columns(),
        Column("r2_adjusted", Text("adjusted", "调整后"), "coefficient"),
    )
    return Table("r2", Text("Explained variance", "解释方差"), cell.effects.r2, columns, texts=a.construct_labels)
