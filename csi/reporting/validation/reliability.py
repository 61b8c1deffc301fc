"""How reliable every scale is, by the customary coefficients, each with its interval."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.consistency import words as named
from csi.measures.consistency.of_scales import Consistency
from csi.measures.questionnaire.findings import limit
from csi.measures.questionnaire.validate import Validation
from csi.reporting import figures, words
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.drawn import percent
from csi.reporting.validation.held import labels_of, listed, reasons_told
from csi.reporting.words.phrases import begun_heading

MAIN = (
    ("omega", "omega_total", "implied", Text("ω", "ω")),
    ("alpha", "alpha", "observed", Text("α", "α")),
    ("categorical", "omega_categorical", "observed", Text("categorical ω", "分类 ω")),
    ("rho_a", "rho_a", "observed", Text("ρA", "ρA")),
    ("rho_c", "rho_c", "implied", Text("ρC", "ρC")),
    ("glb", "glb", "observed", Text("greatest lower bound", "最大下界")),
)
"""Name, coefficient, denominator and heading of what is printed of every scale."""
DRAWN = ("omega", "alpha", "categorical")
BOOT = "bootstrap"


def reliability_section(v: Validation) -> Section | None:
    """Omega with its interval beside alpha and categorical omega; every coefficient in the data."""
    if v.consistency is None:
        return None
    frame = reliability_frame(v, v.consistency)
    title = reliability_finding(v, frame)
    shown = frame.filter(pl.any_horizontal(pl.col(*DRAWN).is_not_null())).select(
        pl.lit("").alias("heading"), pl.col("construct").alias("row"), *(pl.col(k).alias(f"value_{k}") for k in DRAWN),
        pl.col("omega_low").alias("conf_low"), pl.col("omega_high").alias("conf_high"),
        (pl.col("omega") < limit("unreliable")).fill_null(value=False).alias("differs"),
    )  # fmt: skip
    series = {name: heading for name, _, _, heading in MAIN if name in DRAWN}
    draw = partial(figures.forest, shown, labels=labels_of(v), series=series, zero=False)
    level, many = percent(v.consistency.level), v.consistency.replicates
    within = (
        Text(f" with {level} interval (bootstrap, {many:,} resamples)", f" 与 {level} 区间（自助法 {many:,} 次）")
        if many
        else Text(" without interval (no resamples asked for)", "（未要求重抽样，无区间）")
    )
    return Section(
        key="v_reliability",
        title=title,
        subtitle=Text(
            f"ω of one factor{within.en}, α and categorical ω beside it; in colour below .70",
            f"单因子 ω{within.zh}，旁为 α 与分类 ω；低于 0.70 着色",
        ),
        figures=(figure("v_reliability", title, draw),) if shown.height else (),
        tables=(_table(v, frame), *_every(v, v.consistency)),
        notes=(*v.consistency.notes, *reasons_told(v, v.consistency.table, "construct", v.consistency.reasons)),
        data={"reliability": v.consistency.table},
    )


def reliability_frame(v: Validation, found: Consistency) -> pl.DataFrame:
    """construct, n_items, every coefficient of `MAIN` with NAME_low and NAME_high, ave."""
    rows = []
    for construct, items in v.answers.scales.items():
        row: dict[str, object] = {"construct": construct, "n_items": len(items)}
        for name, coefficient, denominator, _ in MAIN:
            mine = found.table.filter(construct=construct, coefficient=coefficient, denominator=denominator)
            drawn = mine.filter(pl.col("interval").fill_null("").str.starts_with(BOOT))
            told = mine.filter(pl.col("conf_low").is_not_null())
            one = (drawn if drawn.height else told if told.height else mine).head(1).to_dicts()
            row[name], row[f"{name}_low"], row[f"{name}_high"] = (
                (one[0]["estimate"], one[0]["conf_low"], one[0]["conf_high"]) if one else (None, None, None)
            )
        rows.append(row)
    numbers = {f"{n}{end}": pl.Float64 for n, *_ in MAIN for end in ("", "_low", "_high")}
    frame = pl.DataFrame(rows, schema={"construct": pl.String, "n_items": pl.Int64, **numbers})
    if v.factors is None:
        return frame.with_columns(pl.lit(None, pl.Float64).alias("ave"))
    ave = v.factors.loadings.group_by("construct").agg((pl.col("loading") ** 2).mean().alias("ave"))
    return frame.join(ave, on="construct", how="left", maintain_order="left")


def reliability_finding(v: Validation, frame: pl.DataFrame) -> Text:
    """Which scales fall below .70, and of which there is no omega."""
    known = frame.filter(pl.col("omega").is_not_null())
    low = known.filter(pl.col("omega") < limit("unreliable"))["construct"].to_list()
    if not known.height:
        return words.sentence(Text("no scale has items enough for a coefficient", "没有量表的题数足以计算信度"))
    bare = listed(v, [c for c in frame["construct"].to_list() if c not in known["construct"].to_list()])
    waits = [c for c in v.advice.filter(rule="again")["name"].to_list() if c in low]
    rest = [Text(f"no ω for {bare.en}", f"{bare.zh}无法计算 ω")] if known.height < frame.height else []
    if low:
        said = listed(v, low)
        first = Text(f"{len(low)} of {frame.height} scales {'is' if len(low) == 1 else 'are'} not reliable enough: "
                     f"{said.en}", f"{frame.height} 个量表中有 {len(low)} 个信度不足：{said.zh}")  # fmt: skip
    elif rest:
        first = Text(f"{known.height} of {frame.height} scales reach .70",
                     f"{frame.height} 个量表中有 {known.height} 个信度达到 0.70")  # fmt: skip
    else:
        first = Text("every scale reaches .70", "各量表信度均达到 0.70")
    if waits:
        said = listed(v, waits)
        rest.append(Text(f"in {said.en} an item runs backwards and is to be reversed first",
                         f"{said.zh}有题项方向相反，应先反向计分"))  # fmt: skip
    return words.sentence(first, *rest)


def _table(v: Validation, frame: pl.DataFrame) -> Table:
    columns = [Column("construct", Text("Construct", "构念")), Column("n_items", Text("Items", "题数"), "count")]
    for name, _, _, heading in MAIN:
        columns.append(Column(name, heading, "coefficient"))
        if name in ("omega", "alpha"):
            columns.append(Column(f"{name}_low", Text("from", "下限"), "coefficient"))
            columns.append(Column(f"{name}_high", Text("to", "上限"), "coefficient"))
    columns.append(Column("ave", Text("AVE", "AVE"), "coefficient"))
    floors = {"omega": limit("unreliable"), "alpha": limit("unreliable"), "ave": limit("convergent")}
    emphasis: Emphasis = {
        (i, name): "warn"
        for i, row in enumerate(frame.iter_rows(named=True))
        for name, floor in floors.items()
        if row[name] is not None and row[name] < floor
    }
    title = Text("Reliability and convergent validity", "信度与收敛效度")
    return Table("v_reliability", title, frame, tuple(columns), emphasis, labels_of(v))


def _every(v: Validation, found: Consistency) -> tuple[Table, ...]:
    """Every coefficient, a row each with its model and denominator, a column per scale."""
    kept = found.table.filter(pl.col("estimate").is_not_null())
    scales = kept["construct"].unique(maintain_order=True).to_list()
    if not scales:
        return ()
    once = kept.unique(["construct", "coefficient", "model", "denominator"], keep="first", maintain_order=True)
    wide = once.pivot(
        "construct", index=["coefficient", "model", "denominator"], values="estimate", maintain_order=True
    )
    columns = (
        *(Column(c, begun_heading(named.HEADINGS[c])) for c in ("coefficient", "model", "denominator")),
        *(Column(c, v.answers.label(c), "coefficient") for c in scales),
    )
    texts = {**named.COEFFICIENTS, **named.MODELS, **named.DENOMINATORS}
    return (Table("v_coefficients", Text("Every coefficient", "全部系数"), wide, columns, texts=texts),)
