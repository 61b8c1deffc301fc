"""Item response models of the scales: slopes, thresholds, where each scale measures well."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.questionnaire.findings import limit
from csi.measures.questionnaire.validate import Validation
from csi.measures.response.irt import Irt
from csi.reporting import figures, words
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.validation.held import labels_of, listed

INFORMATION = Text("information", "信息量")
MODELS = {
    "grm": Text("graded response model", "等级反应模型"),
    "pcm": Text("partial credit model", "部分计分模型"),
    "gpcm": Text("generalised partial credit model", "广义部分计分模型"),
    "rsm": Text("rating scale model", "评定量表模型"),
    "2pl": Text("two-parameter logistic model", "两参数模型"),
    "rasch": Text("Rasch model", "Rasch 模型"),
}


def response_section(v: Validation) -> Section | None:
    """Test information of every scale; slope, thresholds and fit of every item."""
    if v.irt is None or not v.irt.test.height:
        return None
    found = v.irt
    title = response_finding(v, found)
    curves = found.test.select(
        pl.col("construct").alias("panel"), pl.lit("information").alias("series"),
        pl.col("theta").alias("x"), pl.col("information").alias("y"),
    )  # fmt: skip
    draw = partial(_curves, v, curves)
    model = MODELS[found.model]
    return Section(
        key="v_response",
        title=title,
        subtitle=Text(
            f"{model.en[0].upper()}{model.en[1:]} by marginal maximum likelihood; test information along the construct "
            "(standard deviations)",
            f"{model.zh}（边际极大似然）；沿构念水平（标准差）的测验信息量",
        ),
        figures=(figure("v_response", title, draw),),
        tables=(_scales(v, found), _items(v, found)),
        notes=found.notes,
        data={
            "irt_items": found.table, "irt_thresholds": found.thresholds, "irt_fit": found.fit,
            "irt_test": found.test, "irt_categories": found.categories,
        },
    )  # fmt: skip


def _curves(v: Validation, lines: pl.DataFrame, *, lang: str, finding: str, width: int) -> str:
    return figures.panels(
        lines, lang=lang, labels=labels_of(v) | {"information": INFORMATION}, finding=finding, width=width,
        across=Text("level of the construct", "构念水平"), up=INFORMATION,
    )  # fmt: skip


def response_finding(v: Validation, found: Irt) -> Text:
    """Where each scale measures best, and items that tell little."""
    best = found.test.filter(pl.col("information").is_not_null()).sort("information", descending=True)
    peaks = best.group_by("construct", maintain_order=True).first().select("construct", "theta")
    high = peaks.filter(pl.col("theta") > 1)["construct"].to_list()
    low = peaks.filter(pl.col("theta") < -1)["construct"].to_list()
    flat = found.table.filter(pl.col("a") < limit("slope"))["item"].to_list()
    parts = []
    if low:
        said = listed(v, low)
        parts.append(Text(f"people low in {said.en} are told apart best", f"{said.zh}水平低的受访者区分得最准"))
    if high:
        said = listed(v, high)
        parts.append(Text(f"people high in {said.en} are told apart best", f"{said.zh}水平高的受访者区分得最准"))
    if not parts:
        parts.append(Text("the scales measure best near the middle", "各量表在中等水平处测得最准"))
    if flat:
        said = listed(v, flat)
        parts.append(Text(f"little is told by {said.en}", f"{said.zh}区分力低"))
    return words.sentence(*parts)


def _scales(v: Validation, found: Irt) -> Table:
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("n", Text("n", "n"), "count"),
        Column("items", Text("Items", "题数"), "count"),
        Column("loglik", Text("Log-likelihood", "对数似然"), "number"),
        Column("aic", Text("AIC", "AIC"), "score"),
        Column("bic", Text("BIC", "BIC"), "score"),
        Column("reliability_marginal", Text("Marginal reliability", "边际信度"), "coefficient"),
        Column("reliability_empirical", Text("Empirical reliability", "经验信度"), "coefficient"),
        Column("m2", Text("M2", "M2"), "score"),
        Column("m2_df", Text("df", "df"), "count"),
        Column("m2_rmsea", Text("RMSEA (M2)", "RMSEA（M2）"), "index"),
    )
    shown = tuple(c for c in columns if c.name in found.fit.columns)
    told = found.fit.drop("m2_reason", strict=False)  # the notes say why
    return Table("v_irt_scales", Text("Scales", "各量表"), told, shown, texts=labels_of(v))


def _items(v: Validation, found: Irt) -> Table:
    """Slope, thresholds, information and fit; slopes below the limit marked."""
    steps = found.thresholds.select("item", "category", "b")
    wide = steps.pivot("category", index="item", values="b", maintain_order=True)
    names = sorted((c for c in wide.columns if c != "item"), key=_ranked)
    frame = found.table.join(wide.rename({c: f"b{c}" for c in names}), on="item", how="left", maintain_order="left")
    columns = (
        Column("item", Text("Item", "题项")),
        Column("a", Text("Slope a", "斜率 a"), "number"),
        Column("a_std_error", Text("SE", "标准误"), "number"),
        *(Column(f"b{c}", Text(f"b({c}+)", f"b(≥{c})"), "number") for c in names),
        Column("information", Text("Highest information", "最大信息量"), "number"),
        Column("information_at", Text("at", "位置"), "number"),
        Column("s_x2_rmsea", Text("RMSEA (S-X²)", "RMSEA（S-X²）"), "index"),
        Column("s_x2_p", Text("p (S-X²)", "p（S-X²）"), "p"),
    )
    emphasis: Emphasis = {
        (i, "a"): "warn" for i, a in enumerate(frame["a"].to_list()) if a is not None and a < limit("slope")
    }
    title = Text("Items: slopes and thresholds", "题项：斜率与阈值")
    shown = tuple(c for c in columns if c.name in frame.columns and frame[c.name].count())
    return Table("v_irt_items", title, frame, shown, emphasis, labels_of(v))


def _ranked(category: str) -> tuple[bool, float, str]:
    """Numbers in their order, then words."""
    try:
        return (False, float(category), category)
    except ValueError:
        return (True, 0.0, category)
