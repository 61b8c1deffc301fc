"""How well the model itself fits: chi-square and residuals of a covariance model, distances of composites."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Note, Problems, Text, note
from csi.measures.exact_fit import exact_fit
from csi.measures.modification import modification_indices
from csi.measures.residuals import residuals
from csi.reporting import figures, style, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.figures.residual_heat import NOTABLE
from csi.reporting.section import Column, Emphasis, Figure, Section, Table
from csi.reporting.sections.fit import FAIR, GOOD, LIMIT_NOTE, LIMITS, NAMES, POOR, gauge, measured
from csi.reporting.sections.model import cell_of
from csi.study.settings import Settings

MOST = 10
"""So many residuals and modification indices are printed; `numbers.json` has all."""
REPLICATES = 500
"""At most so many resamples of the test of exact fit of composites."""
ALPHA = 0.05
MODELS = {"saturated": Text("saturated (measurement)", "饱和（测量）"), "estimated": Text("estimated", "估计模型")}
DISTANCES = {k: Text(t, t) for k, t in (("srmr", "SRMR"), ("d_uls", "d_ULS"), ("d_g", "d_G"), ("d_ml", "d_ML"))}
WORDS = {
    GOOD: Text("fits well", "拟合良好"),
    FAIR: Text("fits acceptably", "拟合可接受"),
    POOR: Text("does not fit", "拟合不佳"),
}


def global_fit_section(a: Analysis) -> Section:
    """Fit of the interpreted model, globally and locally."""
    return _latent(a) if a.study.settings.covariance else _composite(a)


def _latent(a: Analysis) -> Section:
    """chi2, CFI, TLI, RMSEA, SRMR of the model; the largest residual correlations and modification indices."""
    est = cell_of(a).estimate
    m = measured(est)
    said = [LIMITS[k].verdict(m[k]) for k in LIMITS if k in m]
    worst = POOR if POOR in said else FAIR if FAIR in said else GOOD
    figures_: list[Figure] = []
    local, title = _residuals(a), _latent_title(worst, m)
    draw = partial(figures.gauges, [gauge(k, m) for k in LIMITS if k in m], labels=NAMES)
    figures_.append(figure("global_fit", title, draw))
    if isinstance(local, Note):
        tables: tuple[Table, ...] = (_measures_table(m),)
        notes: tuple[Note, ...] = (LIMIT_NOTE, local)
        data = {}
    else:
        heat = partial(figures.residual_heat, local, order=list(est.moments.names))
        figures_.append(figure("residuals", _local_finding(local), heat))
        changes = modification_indices(est).drop_nulls("mi")
        tables = (_measures_table(m), _residual_table(a, local), _changes_table(a, changes))
        notes = (LIMIT_NOTE, FREED)
        data = {"residuals": local, "modification_indices": changes}
    brand = a.brand_labels[a.focal]
    return Section(
        key="global_fit",
        title=title,
        subtitle=Text(
            f"{brand.en}: the model with its paths; ticks: limits; residual correlations beyond .10 in colour",
            f"{brand.zh}：含路径的整体模型；刻度为界值；残差相关超过 0.10 着色",
        ),
        figures=tuple(figures_),
        tables=tables,
        paragraphs=(_abstract(m, None if isinstance(local, Note) else local),),
        notes=notes,
        data={"fit_measures": pl.DataFrame({"measure": list(m), "value": list(m.values())}), **data},
    )


FREED = note(
    "N-NOT-FREED",
    "Modification indices are shown, not followed: the interpreted model is the one of the study file.",
    "修正指数仅供查看，未据此改动：所解读的模型即研究文件中的模型。",
)


def _latent_title(worst: Text, m: dict[str, float]) -> Text:
    en, zh = (
        ", ".join(f"{k.upper()} {style.coefficient(m[k], lang, 3)}" for k in ("cfi", "rmsea", "srmr") if k in m)
        for lang in ("en", "zh")
    )
    return Text(f"The model {WORDS[worst].en} ({en})", f"模型{WORDS[worst].zh}（{zh.replace(', ', '、')}）")


def _abstract(m: dict[str, float], local: pl.DataFrame | None) -> Text:
    """The sentence of the abstract: two global statistics of different classes, local fit, and whose model it is."""
    p = words.p_said(m.get("p_value"))
    parts = {}
    for lang in ("en", "zh"):
        said = [f"{k.upper()} = {style.coefficient(m[k], lang, 3)}" for k in ("cfi", "tli") if k in m]
        if "rmsea" in m:
            both = [m.get("rmsea_low"), m.get("rmsea_high")]
            between = ", ".join(style.coefficient(v, lang, 3) for v in both)
            ends = "" if None in both else f", 90% CI [{between}]" if lang == "en" else f"，90% CI [{between}]"
            said.append(f"RMSEA = {style.coefficient(m['rmsea'], lang, 3)}{ends}")
        if "srmr" in m:
            said.append(f"SRMR = {style.coefficient(m['srmr'], lang, 3)}")
        parts[lang] = ", ".join(said) if lang == "en" else "，".join(said)
    head = f"χ²({m['df']:.0f}) = {m['chi2']:.1f}" if "chi2" in m else "χ²"
    where = Text("", "")
    if local is not None and local.height:
        far = local.sort(pl.col("residual").abs(), descending=True, maintain_order=True).row(0, named=True)
        size = {lang: style.coefficient(far["residual"], lang) for lang in ("en", "zh")}
        pair = (far["first"], far["second"])
        where = Text(
            f" Locally, the largest residual correlation is {size['en']} ({pair[0]} with {pair[1]}).",
            f"局部最大残差相关为 {size['zh']}（{pair[0]} 与 {pair[1]}）。",
        )
    return Text(
        f"For the abstract: {head}, {p.en}, {parts['en']}.{where.en} The model interpreted is the one specified.",
        f"可写入摘要：{head.replace('(', '（').replace(') ', '）')}，{p.zh}，{parts['zh']}。{where.zh}"
        "所解读的模型即预先设定的模型。",
    )


def _measures_table(m: dict[str, float]) -> Table:
    names = {
        "chi2": ("χ²", "score"),
        "df": ("df", "count"),
        "p_value": ("p", "p"),
        "cfi": ("CFI", "index"),
        "tli": ("TLI", "index"),
        "rmsea": ("RMSEA", "index"),
        "rmsea_low": ("90% from", "index"),
        "rmsea_high": ("to", "index"),
        "srmr": ("SRMR", "index"),
    }
    zh = {"rmsea_low": "90% 下限", "rmsea_high": "上限"}
    have = [k for k in names if k in m]
    columns = tuple(Column(k, Text(names[k][0], zh.get(k, names[k][0])), names[k][1]) for k in have)  # type: ignore[arg-type]  # kinds above
    return Table("global_fit", Text("Global fit", "整体拟合"), pl.DataFrame({k: [m[k]] for k in have}), columns)


def _residuals(a: Analysis) -> pl.DataFrame | Note:
    """first, second, residual of every pair of items; why there are none."""
    try:
        table = residuals(cell_of(a).estimate, "cor").table
    except Problems as found:
        p = found.problems[0]
        return Note(p.code, p.what)
    pairs = table.filter((pl.col("op") == "~~") & (pl.col("lhs") != pl.col("rhs")) & pl.col("value").is_not_null())
    return pairs.select(first="lhs", second="rhs", residual="value")


def _local_finding(local: pl.DataFrame) -> Text:
    far = local.filter(pl.col("residual").abs() > NOTABLE).height
    if not far:
        return Text("No residual correlation is beyond .10", "没有残差相关超过 0.10")
    return Text(
        f"{far} of {local.height} residual correlations {'is' if far == 1 else 'are'} beyond .10",
        f"{local.height} 个残差相关中有 {far} 个超过 0.10",
    )


def _coded(a: Analysis) -> dict[str, Text]:
    book = {i.name: Text(f"{i.name} {i.label.en}", f"{i.name} {i.label.zh}") for i in a.study.codebook.items}
    return {**book, **a.construct_labels}


def _residual_table(a: Analysis, local: pl.DataFrame) -> Table:
    frame = local.sort(pl.col("residual").abs(), descending=True, maintain_order=True).head(MOST)
    columns = (
        Column("first", Text("Item", "题项")),
        Column("second", Text("with", "与")),
        Column("residual", Text("Residual correlation", "残差相关"), "coefficient"),
    )
    emphasis: Emphasis = {(i, "residual"): "warn" for i, v in enumerate(frame["residual"]) if abs(v) > NOTABLE}
    return Table("residuals", Text("Largest residuals", "最大的残差"), frame, columns, emphasis, _coded(a))


OPERATORS = {"=~": Text("measured by", "由其测量"), "~~": Text("covaries with", "相关"), "~": Text("on", "受影响于")}


def _changes_table(a: Analysis, changes: pl.DataFrame) -> Table:
    frame = changes.head(MOST).select("lhs", "op", "rhs", "mi", "epc", "sepc_all")
    columns = (
        Column("lhs", Text("Left", "左")),
        Column("op", Text("Parameter", "参数")),
        Column("rhs", Text("Right", "右")),
        Column("mi", Text("Index", "修正指数"), "score"),
        Column("epc", Text("Expected change", "期望变化"), "number"),
        Column("sepc_all", Text("standardised", "标准化"), "coefficient"),
    )
    title = Text("Largest modification indices", "最大的修正指数")
    return Table("modification_indices", title, frame, columns, texts={**_coded(a), **OPERATORS})


def resamples(settings: Settings) -> int:
    """How many resamples the test of exact fit has."""
    return max(100, min(settings.replicates, REPLICATES))


def _composite(a: Analysis) -> Section:
    """SRMR, d_ULS and d_G of both models beside the quantiles they would have if the model were true."""
    s = a.study.settings
    found = exact_fit(cell_of(a).estimate, resamples(s), s.seed)
    table = found.table
    tested = table.filter(pl.col("p_value").is_not_null())
    low = tested.filter(pl.col("p_value") < ALPHA).height
    if not tested.height:
        title = Text("Exact fit cannot be tested here", "此处无法检验精确拟合")
    elif low:
        title = Text(
            f"Exact fit is rejected by {low} of {tested.height} tests",
            f"{tested.height} 项检验中有 {low} 项拒绝精确拟合",
        )
    else:
        title = Text("Exact fit is not rejected", "未拒绝精确拟合")
    columns = (
        Column("model", Text("Model", "模型")),
        Column("measure", Text("Distance", "距离")),
        Column("value", Text("Value", "值"), "index"),
        Column("q95", Text("95% quantile", "95% 分位数"), "index"),
        Column("q99", Text("99% quantile", "99% 分位数"), "index"),
        Column("p_value", Text("p", "p"), "p", found.least),
    )
    emphasis: Emphasis = {(i, "p_value"): "warn" for i, p in enumerate(table["p_value"]) if p is not None and p < ALPHA}
    brand = a.brand_labels[a.focal]
    return Section(
        key="global_fit",
        title=title,
        subtitle=Text(
            f"{brand.en}: distances of the correlations from the model's, {found.n} resamples of a true model; of "
            "limited meaning for composites",
            f"{brand.zh}：相关矩阵与模型之间的距离，模型为真时重抽样 {found.n} 次；对合成模型意义有限",
        ),
        tables=(
            Table(
                "exact_fit",
                Text("Fit as information", "拟合（供参考）"),
                table,
                columns,
                emphasis,
                {**MODELS, **DISTANCES},
            ),
        ),
        notes=tuple(n for n in found.notes if "COMPOSITE" in n.code or "EXACT" in n.code),
        data={"exact_fit": table},
    )
