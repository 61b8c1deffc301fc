"""What a desired level of the target cannot do without: ceilings over the drivers, and who is below what is needed."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.display import least_p
from csi.errors import Text
from csi.importance.cipma import STATUS, Cipma, cipma
from csi.measures.scores import scores
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.figures.ceilings import Panel
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.model import cell_of

USUAL = 85.0
"""The level looked at where a study names none."""


def necessary_section(a: Analysis) -> Section:
    """A scatter per driver with its ceiling; what the level needs, who is below; the bottleneck table."""
    est, telling = cell_of(a).estimate, a.study.settings.telling
    level = telling.desired or USUAL
    found = cipma(est, a.target, level, seed=a.study.settings.seed)
    many = found.analysis.permutations
    points = scores(est, None, "0-100")
    panels = [_panel(row, found) for row in found.table.iter_rows(named=True)]
    title = _title(a, found)
    draw = partial(
        figures.ceilings, points, panels, labels=a.construct_labels, outcome=a.target, desired=level,
    )  # fmt: skip
    brand = a.brand_labels[a.focal]
    return Section(
        key="necessary",
        title=title,
        subtitle=Text(
            f"{brand.en}: a point is a respondent; up: {a.target_name.en}, across: the driver (0–100); nobody "
            f"stands in the shaded zone; broken line: what {level:g} needs; p by {many:,} permutations",
            f"{brand.zh}：每点为一位受访者，纵轴为{a.target_name.zh}，横轴为驱动因素（0–100）；着色区内无人；"
            f"虚线为达到 {level:g} 分所需；p 值由 {many:,} 次置换得到",
        ),
        figures=(figure("necessary", title, draw),),
        tables=(_needs(a, found), _bottleneck(a, found)),
        notes=found.analysis.notes,
        data={"needs": found.table, "ceilings": found.analysis.table, "bottleneck": found.analysis.bottleneck},
    )


def _panel(row: dict[str, object], found: Cipma) -> Panel:
    name = str(row["construct"])
    fitted = found.analysis.ceilings[name, "ce_fdh"]
    steps = [(float(x), float(y)) for x, y in fitted.peers]
    needed, p = row["needed"], row["p_value"]
    return Panel(
        name,
        steps,
        float(str(row["effect"])),
        float(str(p)) if p is not None else None,
        float(str(needed)) if needed is not None and row["status"] == "needed" else None,
        least_p(found.analysis.permutations),
    )


def _title(a: Analysis, found: Cipma) -> Text:
    """Which drivers the level was never found without, and the one that most respondents lack."""
    firm = found.table.filter(pl.col("necessary") & (pl.col("status") == "needed"))
    if not firm.height:
        en = f"no driver is found necessary for a {a.target_name.en} of {found.level:g}"
        return words.sentence(Text(en, f"{a.target_name.zh}达到 {found.level:g} 分未见必要条件"))
    names = words.listed([words.lowered(a.label(c)) for c in firm["construct"].to_list()])
    first = Text(
        f"a {a.target_name.en} of {found.level:g} was not found without enough {names.en}",
        f"未见缺少{names.zh}而{a.target_name.zh}达到 {found.level:g} 分的情形",
    )
    most = firm.sort("below", descending=True, maintain_order=True).row(0, named=True)
    lack = Text(
        f"{most['below']:.0f}% are below what it needs of {words.lowered(a.label(most['construct'])).en}",
        f"{most['below']:.0f}% 的受访者{a.label(most['construct']).zh}低于所需",
    )
    return words.sentence(first, lack)


def _needs(a: Analysis, found: Cipma) -> Table:
    columns = (
        Column("construct", Text("Driver", "驱动因素")),
        Column("effect", Text("d", "d"), "coefficient"),
        Column("p_value", Text("p", "p"), "p", least_p(found.analysis.permutations)),
        Column("necessary_said", Text("Necessary", "必要")),
        Column("status", Text("At the level", "在该水平")),
        Column("needed", Text("Needed (0–100)", "所需（0–100）"), "score"),
        Column("below", Text("Below it, %", "低于所需 %"), "score"),
    )
    yes = {"yes": Text("yes", "是"), "no": Text("no", "否")}
    frame = found.table.with_columns(necessary_said=pl.when("necessary").then(pl.lit("yes")).otherwise(pl.lit("no")))
    title = Text(f"Needed for {found.level:g}", f"达到 {found.level:g} 分所需")
    return Table("needs", title, frame, columns, texts={**a.construct_labels, **STATUS, **yes})


def _bottleneck(a: Analysis, found: Cipma) -> Table:
    """Levels of the target down, what each driver must reach across (0-100)."""
    long = found.analysis.bottleneck.filter(ceiling="ce_fdh")
    names = list(found.analysis.conditions)
    wide = long.pivot("condition", index="outcome", values="needed", maintain_order=True)
    said = long.with_columns(_why=pl.when(pl.col("status") == "nothing").then(pl.lit("–")).otherwise(pl.lit("NA")))
    why = said.pivot("condition", index="outcome", values="_why", maintain_order=True)
    frame = wide.with_columns(why[c].alias(f"{c}_reason") for c in names)
    columns = (
        Column("outcome", a.label(a.target), "score"),
        *(Column(c, a.label(c), "score") for c in names),
    )
    title = Text("Bottleneck: what each level needs (0–100; – nothing)", "瓶颈表：各水平所需（0–100；– 为不需要）")
    return Table("bottleneck", title, frame, columns)
