"""Whether the scales measure: reliability, loadings, and whether constructs are distinct."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Note, Reason, Text
from csi.measures.indicators import indicators, owners
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis, Cell
from csi.reporting.drawn import figure
from csi.reporting.scaled import interval_words, scaled
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.model import cell_of

LOADING = 0.708
RELIABLE = 0.70
VARIANCE = 0.50
DISTINCT = 0.85
"""Customary thresholds: Hair, Risher, Sarstedt & Ringle (2019), EBR 31(1); HTMT: Henseler, Ringle & Sarstedt (2015)."""


def reliability(a: Analysis) -> Section:
    """Loadings, alpha, rho_A, rho_C, AVE and the largest HTMT of every construct; then the pairs of constructs."""
    cell = cell_of(a)
    frame = reliability_frame(a, cell)
    title = measurement_finding(a, cell)
    draw = partial(figures.reliability_table, frame, labels=a.construct_labels)
    return Section(
        key="reliability",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}; dotted line: loading .708; coloured: loading below .708, reliability below "
            ".70, AVE below .50, HTMT from .85",
            f"{a.brand_labels[a.focal].zh}；虚线为载荷 0.708；着色处为载荷低于 0.708、信度低于 0.70、AVE 低于 0.50、"
            "HTMT 不低于 0.85",
        ),
        figures=(figure("reliability", title, draw),),
        notes=(*cell.reliability.notes, *_reasons(a, cell.reliability.table, "construct", cell.reliability.reasons)),
        data={"reliability": cell.reliability.table, "htmt": cell.validity.table},
    )


def measurement_finding(a: Analysis, cell: Cell) -> Text:
    """The sentence over the reliability table."""
    table = cell.reliability.table
    judged = table.filter(pl.any_horizontal(pl.col("alpha", "rho_a", "rho_c").is_not_null()))
    weak = judged.filter(pl.any_horizontal(pl.col("alpha", "rho_a", "rho_c") < RELIABLE))["construct"].to_list()
    thin = table.filter(pl.col("ave") < VARIANCE)["construct"].to_list()
    return words.measurement(
        [a.label(c) for c in weak],
        [a.label(c) for c in thin],
        [Text(i, i) for i in low_items(cell)],
        [(a.label(x), a.label(y)) for x, y in close_pairs(cell)],
        judged=judged.height,
        threshold=DISTINCT,
    )


def low_items(cell: Cell) -> list[str]:
    """Items of reflective constructs with several items whose loading is below .708."""
    table = loading_frame(cell)
    return table.filter((pl.col("loading") < LOADING) & (pl.col("mode") == "A") & (pl.col("n_items") > 1))[
        "item"
    ].to_list()


def close_pairs(cell: Cell) -> list[tuple[str, str]]:
    """Pairs of constructs with HTMT from .85, the closest first."""
    close = cell.validity.table.filter(pl.col("htmt") >= DISTINCT).sort("htmt", descending=True, maintain_order=True)
    return list(close.select("construct", "other").iter_rows())


def reliability_frame(a: Analysis, cell: Cell) -> pl.DataFrame:
    """construct, loadings (list), alpha, rho_a, rho_c, ave, htmt_max; what has a reason is null."""
    loads = loading_frame(cell).group_by("construct", maintain_order=True).agg(pl.col("loading").alias("loadings"))
    pairs = cell.validity.table
    both = pl.concat([pairs.select("construct", "htmt"), pairs.select(pl.col("other").alias("construct"), "htmt")])
    largest = both.group_by("construct", maintain_order=True).agg(pl.col("htmt").max().alias("htmt_max"))
    frame = cell.reliability.table.select("construct", "alpha", "rho_a", "rho_c", "ave")
    for part in (loads, largest):
        frame = frame.join(part, on="construct", how="left", maintain_order="left")
    order = pl.DataFrame({"construct": list(a.model.names)})
    return order.join(frame, on="construct", how="inner", maintain_order="left").select(
        "construct", "loadings", "alpha", "rho_a", "rho_c", "ave", "htmt_max"
    )


def loading_frame(cell: Cell) -> pl.DataFrame:
    """construct, item, mode, n_items, loading, conf_low, conf_high (interval where the table has it), weight, vif."""
    solution = cell.estimate.solution
    of, owner = indicators(cell.estimate.moments, solution), owners(solution)
    frame = pl.DataFrame(
        {
            "construct": [solution.constructs[k] for k in owner],
            "item": list(of.names),
            "mode": [solution.modes[k] for k in owner],
            "loading": of.loadings[0],
        }
    ).with_columns(pl.len().over("construct").alias("n_items"))
    if of.weights is not None:
        frame = frame.with_columns(pl.Series("weight", of.weights[0]))
    bounds = (
        scaled(cell.estimate)
        .filter(pl.col("op") == "=~")
        .select(pl.col("lhs").alias("construct"), pl.col("rhs").alias("item"), "conf_low", "conf_high")
    )
    vif = cell.validity.vif_outer.select("construct", "item", "vif")
    for part in (bounds, vif):
        frame = frame.join(part, on=["construct", "item"], how="left", maintain_order="left")
    return frame


def loadings(a: Analysis) -> Section:
    """Every item: loading with interval, squared, weight, VIF; every construct: reliability with intervals."""
    cell = cell_of(a)
    frame = loading_frame(cell).with_columns((pl.col("loading") ** 2).alias("squared"))
    weak = len(low_items(cell))
    level = percent(cell.estimate.level)
    corrected = cell.estimate.solution.rho is not None
    kind = Text("factor (PLSc)", "因子（PLSc）") if corrected else Text("composite", "复合")
    if a.study.settings.covariance:
        kind = Text("standardised factor", "标准化因子")
    way = interval_words(cell.estimate)
    title = (
        Text(f"{weak} of {frame.height} loadings below .708", f"{frame.height} 个载荷中 {weak} 个低于 0.708")
        if weak
        else Text("Every loading reaches .708", "载荷均达到 0.708")
    )
    return Section(
        key="loadings",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}: loadings with {level} {way.en} intervals; {kind.en} loadings",
            f"{a.brand_labels[a.focal].zh}：载荷与 {level} {way.zh}区间；为{kind.zh}载荷",
        ),
        tables=(_loading_table(a, frame), _reliability_table(a, cell)),
        notes=(*cell.reliability.notes, *_reasons(a, cell.reliability.table, "construct", cell.reliability.reasons)),
        data={"loadings": frame, "reliability": cell.reliability.table},
    )


def _loading_table(a: Analysis, frame: pl.DataFrame) -> Table:
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("item", Text("Item", "题项")),
        Column("loading", Text("Loading", "载荷"), "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
        Column("squared", Text("Loading²", "载荷²"), "coefficient"),
        Column("weight", Text("Weight", "权重"), "coefficient"),
        Column("vif", Text("VIF", "VIF"), "number"),
    )
    shown = tuple(c for c in columns if c.name in frame.columns)
    emphasis: Emphasis = {
        (i, "loading"): "warn"
        for i, row in enumerate(frame.iter_rows(named=True))
        if row["loading"] < LOADING and row["mode"] == "A" and row["n_items"] > 1
    }
    labels = {
        i.name: Text(f"{i.name} {i.label.say('en')}", f"{i.name} {i.label.say('zh')}") for i in a.study.codebook.items
    }
    return Table("loadings", Text("Outer model", "外部模型"), frame, shown, emphasis, {**a.construct_labels, **labels})


def _reliability_table(a: Analysis, cell: Cell) -> Table:
    frame = cell.reliability.table
    heads = (("alpha", "α"), ("rho_a", "ρA"), ("rho_c", "ρC"), ("ave", "AVE"))
    columns = [Column("construct", Text("Construct", "构念")), Column("n_items", Text("Items", "题数"), "count")]
    for name, head in heads:
        if not frame[name].count():
            continue
        columns.append(Column(name, Text(head, head), "coefficient"))
        if f"{name}_conf_low" in frame.columns:
            columns.append(Column(f"{name}_conf_low", Text("from", "下限"), "coefficient"))
            columns.append(Column(f"{name}_conf_high", Text("to", "上限"), "coefficient"))
    floors = {"alpha": RELIABLE, "rho_a": RELIABLE, "rho_c": RELIABLE, "ave": VARIANCE}
    emphasis: Emphasis = {
        (i, name): "warn"
        for i, row in enumerate(frame.iter_rows(named=True))
        for name, floor in floors.items()
        if row[name] is not None and row[name] < floor
    }
    title = Text("Reliability and convergent validity", "信度与收敛效度")
    return Table("reliability", title, frame, tuple(columns), emphasis, a.construct_labels)


def validity(a: Analysis) -> Section:
    """HTMT with intervals, Fornell-Larcker, cross-loadings."""
    cell = cell_of(a)
    pairs = [(a.label(x), a.label(y)) for x, y in close_pairs(cell)]
    title = words.sentence(words.separation(pairs, threshold=DISTINCT))
    matrix = cell.validity.table.select(
        pl.col("construct").alias("first"),
        pl.col("other").alias("second"),
        "htmt",
        *(
            pl.col(c) if c in cell.validity.table.columns else pl.lit(None, pl.Float64).alias(c)
            for c in ("conf_low", "conf_high")
        ),
    )
    draw = partial(figures.htmt_matrix, matrix, labels=a.construct_labels, order=a.model.names)
    return Section(
        key="validity",
        title=title,
        subtitle=Text("HTMT; from .85 in colour", "HTMT 矩阵，不低于 0.85 着色"),
        figures=(figure("htmt", title, draw),),
        tables=tuple(
            t for t in (_htmt_table(a, cell), _fornell_table(a, cell), _cross_table(a, cell)) if t is not None
        ),
        notes=(*cell.validity.notes, *_reasons(a, cell.validity.table, "construct", cell.validity.reasons)),
        data={
            "htmt": cell.validity.table,
            "fornell_larcker": cell.validity.fornell_larcker,
            "cross_loadings": cell.validity.cross_loadings,
            "vif_inner": cell.validity.vif_inner,
        },
    )


def _htmt_table(a: Analysis, cell: Cell) -> Table:
    frame = cell.validity.table
    columns = [
        Column("construct", Text("Construct", "构念")),
        Column("other", Text("and", "与")),
        Column("htmt", Text("HTMT", "HTMT"), "coefficient"),
    ]
    if "conf_low" in frame.columns:
        columns += [
            Column("conf_low", Text("from", "下限"), "coefficient"),
            Column("conf_high", Text("to", "上限"), "coefficient"),
        ]
    emphasis: Emphasis = {
        (i, "htmt"): "warn" for i, h in enumerate(frame["htmt"].to_list()) if h is not None and h >= DISTINCT
    }
    return Table("htmt", Text("HTMT", "HTMT"), frame, tuple(columns), emphasis, a.construct_labels)


def _fornell_table(a: Analysis, cell: Cell) -> Table:
    """Wide: the root of AVE on the diagonal, correlations below it."""
    names = [c for c in a.model.names if c in cell.validity.constructs]
    values = {(r["construct"], r["other"]): r["value"] for r in cell.validity.fornell_larcker.iter_rows(named=True)}
    values |= {(y, x): v for (x, y), v in list(values.items()) if (y, x) not in values}
    frame = pl.DataFrame(
        {
            "construct": names,
            **{c: [values.get((r, c)) if names.index(c) <= i else None for i, r in enumerate(names)] for c in names},
        },
        schema={"construct": pl.String, **dict.fromkeys(names, pl.Float64)},
    ).with_columns(pl.lit("").alias(f"{c}_reason") for c in names)
    columns = (
        Column("construct", Text("√AVE on the diagonal", "对角线为 √AVE")),
        *(Column(c, a.label(c), "coefficient") for c in names),
    )
    emphasis: Emphasis = dict.fromkeys(enumerate(names), "focus")
    title = Text("Fornell-Larcker", "Fornell-Larcker 准则")
    return Table("fornell_larcker", title, frame, columns, emphasis, a.construct_labels)


def _cross_table(a: Analysis, cell: Cell) -> Table | None:
    """Wide: items by constructs, own loadings in focus; none of factors, whose cross-loadings are 0 by the model."""
    long = cell.validity.cross_loadings
    if not long.filter(~pl.col("own"))["loading"].count():
        return None
    names = [c for c in a.model.names if c in set(long["construct"].to_list())]
    frame = long.pivot("construct", index="item", values="loading", maintain_order=True).select("item", *names)
    own = {(r["item"], r["construct"]) for r in long.filter(pl.col("own")).iter_rows(named=True)}
    emphasis: Emphasis = {
        (i, c): "focus" for i, item in enumerate(frame["item"].to_list()) for c in names if (item, c) in own
    }
    columns = (Column("item", Text("Item", "题项")), *(Column(c, a.label(c), "coefficient") for c in names))
    return Table("cross_loadings", Text("Cross-loadings", "交叉载荷"), frame, columns, emphasis)


def _reasons(a: Analysis, table: pl.DataFrame, column: str, reasons: dict[str, Reason] | object) -> tuple[Note, ...]:
    """One note per reason, naming the constructs it stands for."""
    if not isinstance(reasons, dict) or "reason" not in table.columns:
        return ()
    notes = []
    for code, why in reasons.items():
        who = table.filter(pl.col("reason") == code)[column].unique(maintain_order=True).to_list()
        if who:
            names = words.listed([a.label(c) for c in who])
            notes.append(Note(code, Text(f"{names.en}: {why.text.en}", f"{names.zh}：{why.text.zh}")))
    return tuple(notes)
