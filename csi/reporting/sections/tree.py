"""The tree: industries, sectors, a nation over the waves, and what each child gives its parent."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.reporting import figures
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.comparability import evidence_notes
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.trend import breaks_drawn
from csi.study.grown import grown
from csi.survey.bases import FLAGS
from csi.tracking.tree import Tree
from csi.tracking.tree_audit import TOGETHER
from csi.tracking.tree_checks import OTHERS
from csi.tracking.tree_tables import APART, LIKE, shifts

INDENT = "\u00a0\u00a0\u00a0"
WORDS = {OTHERS: Text("All others", "其他"), TOGETHER: Text("Too few answers each", "样本量不足者")}
FILLED = {"carried": Text("carried", "沿用"), "imputed": Text("imputed", "插补")}
LEVELS = {
    "brand": Text("Brand", "品牌"),
    "company": Text("Company", "企业"),
    "industry": Text("Industry", "行业"),
    "sector": Text("Sector", "部门"),
    "market": Text("Market", "市场"),
    "nation": Text("Nation", "全国"),
}


def tree_section(a: Analysis) -> Section:
    """Lines of the parents with their bands; a table of every node; the contributions of the wave."""
    made = grown(a.study, a.index, waves=a.waves, panel=a.panel, gate=a.gate)
    if made is None:
        return Section(key="tree", title=Text("No tree", "没有汇总树"), subtitle=Text("", ""))
    labels = {**WORDS, **a.brand_labels, **made.structure.labels}
    roots = [made.structure.names[i] for i, p in enumerate(made.structure.parent) if p < 0]
    title = made.sentences[0] if made.sentences else Text("The tree has no value in this wave", "本期汇总树没有数值")
    level, name = percent(made.level), a.label(made.construct)
    formula = made.table["formula"][0]
    shown = _lines(made)
    several = shown["wave"].n_unique() > 1 if shown.height else False
    breaks = breaks_drawn(a, set(shown["wave"].to_list()))
    moved = _moved(made, a.wave)
    draw = partial(figures.trend, shown, labels=labels, focal=roots[0], changes=moved, breaks=breaks)
    return Section(
        key="tree",
        title=Text(title.en.rstrip("."), title.zh.rstrip("。")),
        subtitle=Text(
            f"{name.en} index (0–100, formula {formula}) of every parent, weighted means of what is below it; {level} "
            "confidence intervals with the covariances of the cells",
            f"各上级{name.zh}指数（0–100，公式 {formula}），为其下成员的加权平均；{level} 置信区间计入单元间协方差",
        ),
        figures=(figure("tree", title, draw),) if several else (),
        tables=(_nodes(a, made, labels), _contributions(a, made, labels)),
        paragraphs=made.sentences[1:],
        notes=(*evidence_notes(a, {"wave": a.wave}), *made.notes) if made.construct == a.target else made.notes,
        data={
            "tree": made.table.drop("reason", "reason_zh"),
            "tree_changes": made.changes.drop("reason", "reason_zh"),
            "tree_pairs": made.pairs,
            "tree_audit": made.audit,
        },
    )


def level_word(level: str) -> Text:
    """What a level is called; those that the structure does not name bear their number.

    Example:
        >>> level_word("sector").zh, level_word("level 2"), level_word("Region").zh
        ('部门', Text(en='Level 2', zh='第 2 层'), 'Region')
    """
    name, _, number = level.partition(" ")
    if name == "level" and number.isdecimal():
        return Text(f"Level {number}", f"第 {number} 层")
    return LEVELS.get(level, Text(level, level))


def _lines(made: Tree) -> pl.DataFrame:
    """The parents over the waves, as a trend draws brands."""
    parents = [made.structure.names[i] for i in made.structure.parents]
    order = {w: i for i, w in enumerate(made.waves)}
    frame = made.table.filter(pl.col("node").is_in(parents) & pl.col("index").is_not_null())
    if not order:
        return pl.DataFrame(schema={"brand": pl.String, "wave": pl.String})
    return (
        frame.select(pl.col("node").alias("brand"), "wave", "index", "conf_low", "conf_high")
        .with_columns(_wave=pl.col("wave").replace_strict(order))
        .sort("_wave", maintain_order=True)
        .drop("_wave")
    )


def _moved(made: Tree, wave: str) -> pl.DataFrame:
    """Changes of the parents on the wave before; a star where the change itself has it."""
    now = made.changes.filter((pl.col("wave") == wave) & (pl.col("against") == "previous"))
    sure = pl.col("significant") & (pl.col("tested") != LIKE)
    return now.filter(pl.col("change").is_not_null()).select(pl.col("node").alias("brand"), "change", significant=sure)


def _nodes(a: Analysis, made: Tree, labels: dict[str, Text]) -> Table:
    """Every node of the wave, indented by its depth."""
    table = made.table if not made.waves else made.table.filter(pl.col("wave") == a.wave)
    depth = _depths(made)
    table = table.with_columns(
        pl.Series("name", [_indented(n, p, depth) for n, p in table.select("node", "parent").rows()])
    )
    columns = [
        Column("name", Text("Name", "名称")),
        Column("level", Text("Level", "层级")),
        Column("index", Text("Index", "指数"), "score"),
        Column("conf_low", Text("from", "下限"), "score"),
        Column("conf_high", Text("to", "上限"), "score"),
    ]
    for against, heading in (
        ("previous", Text("Change", "同比" if a.previous == a.year_ago else "环比")),
        ("year", Text("In a year", "同比")),
    ):
        moved = made.changes.filter((pl.col("wave") == a.wave) & (pl.col("against") == against)) if made.waves else None
        if moved is not None and moved["change"].count():
            named: dict[str, pl.Expr | str] = {
                against: "change",
                f"{against}_p": "p_adjusted",
                f"{against}_like": "like_for_like",
                f"{against}_reason": pl.when(pl.col("reason") == APART.en).then(pl.lit(APART.en)),
            }
            part = moved.select("node", **named)
            table = table.join(part, on="node", how="left", maintain_order="left")
            columns += [Column(against, heading, "change"), Column(f"{against}_p", Text("p", "p"), "p")]
            if shifts(moved):
                columns.append(Column(f"{against}_like", Text("Like for like", "同口径"), "change"))
    if "rebased" in table.columns:
        columns.append(Column("rebased", Text(f"{made.base} = 100", f"{made.base} = 100"), "score"))
    if (table["missing_weight"].fill_null(0.0) > 0).any():
        columns.append(Column("missing_weight", Text("Missing weight", "缺失权重"), "share"))
    columns.append(Column("n", Text("n", "样本量"), "count"))
    if table["treatment"].is_in(list(FILLED)).any():
        columns.append(Column("treatment", Text("How", "处理")))
        table = table.with_columns(treatment=pl.when(pl.col("treatment").is_in(list(FILLED))).then("treatment"))
    table = table.with_columns(
        index_reason=pl.when(pl.col("flag") == "suppressed").then(pl.lit(f"n < {a.study.settings.small}"))
    )
    if (table["flag"] == "small").any():
        marked = pl.when(pl.col("flag") == "small").then("flag").fill_null("")
        table = table.with_columns(marked.alias("flag"))
        columns.append(Column("flag", Text("Base", "样本量提示")))
    levels = {k: level_word(k) for k in table["level"].unique()}
    texts = {**_words(made, labels, depth), **levels, **FLAGS, **FILLED, APART.en: APART}
    emphasis: Emphasis = {(i, "name"): "focus" for i, n in enumerate(table["node"]) if n in _roots(made)}
    return Table("tree", Text("Every level in the wave", "本期各层级"), table, tuple(columns), emphasis, texts)


def _contributions(a: Analysis, made: Tree, labels: dict[str, Text]) -> Table:
    """The audit of the wave."""
    table = made.audit if not made.waves else made.audit.filter(pl.col("wave") == a.wave)
    columns = (
        Column("parent", Text("Parent", "上级")),
        Column("child", Text("Child", "成员")),
        Column("weight", Text("Weight", "权重"), "number"),
        Column("share", Text("Share", "份额"), "share"),
        Column("index", Text("Index", "指数"), "number"),
        Column("contribution", Text("Contribution", "贡献"), "number"),
        Column("parent_index", Text("Parent's index", "上级指数"), "number"),
    )
    title = Text("Audit: the contributions of the children add up to the parent", "核对：各成员贡献之和等于上级指数")
    return Table("audit", title, table, columns, {}, {**labels})


def _depths(made: Tree) -> dict[str, int]:
    """Node -> how far below the top."""
    nodes = made.structure
    depth: dict[str, int] = {}
    for i, name in enumerate(nodes.names):
        depth[name] = 0 if nodes.parent[i] < 0 else depth[nodes.names[nodes.parent[i]]] + 1
    return depth


def _indented(name: str, parent: str | None, depth: dict[str, int]) -> str:
    """The key of a name with as much space before it as its depth."""
    return INDENT * (depth[parent] + 1 if parent is not None else 0) + name


def _words(made: Tree, labels: dict[str, Text], depth: dict[str, int]) -> dict[str, Text]:
    """Indented names -> indented labels."""
    out = {}
    for name in made.structure.names:
        label = labels.get(name, Text(name, name))
        for spaces in range(max(depth.values(), default=0) + 2):
            room = INDENT * spaces
            out[room + name] = Text(room + label.en, room + label.zh)
    return out


def _roots(made: Tree) -> set[str]:
    """The names at the top."""
    return {made.structure.names[i] for i, p in enumerate(made.structure.parent) if p < 0}
