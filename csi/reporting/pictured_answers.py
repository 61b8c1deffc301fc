"""The pictures of what is asked of the answers themselves: expectation, Kano, loyalty, items, factors, responses."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl

from csi.behaviour.loyalty_curve import LoyaltyCurve
from csi.behaviour.loyalty_types import LoyaltyTypes
from csi.behaviour.nps import Nps
from csi.behaviour.survival import Survival
from csi.errors import Text
from csi.expectation.forms import FORMS
from csi.expectation.gap import Gap
from csi.expectation.kano import Kano
from csi.expectation.servqual import Servqual
from csi.expectation.surface import Surface
from csi.expectation.tolerance import Tolerance
from csi.importance.ipa import Ipa
from csi.measures.factors.efa import Efa
from csi.measures.factors.n_factors import NFactors
from csi.measures.item_analysis.items import Items
from csi.measures.johnson_neyman import JohnsonNeyman
from csi.measures.questionnaire.validate import Validation
from csi.measures.residuals import Residuals
from csi.measures.response.irt import Irt
from csi.reporting import figures
from csi.reporting.drawn import figure
from csi.reporting.figures.pairs import Words
from csi.reporting.figures.staying import staying
from csi.reporting.methods.loyalty import drawn_curve, drawn_types
from csi.reporting.pictured import finding_of, labels_of, pictures, rows_of
from csi.reporting.section import Figure
from csi.reporting.validation.dimensions import retained
from csi.reporting.validation.items import items_section

__all__ = ["pictures"]

SURE = 0.95
INFORMATION = Text("information", "信息量")


def _title(value: object, otherwise: Text) -> Text:
    return finding_of(value, otherwise)


@pictures.register
def _kano(value: Kano) -> tuple[Figure, ...]:
    """What attributes add and take away, of one cell."""
    frame = value.table.filter(pl.col("category").is_not_null())
    if not frame.height or frame["attribute"].n_unique() < frame.height:
        return ()
    sure = frame.with_columns((pl.col("support") >= SURE).alias("sure"))
    title = _title(value, Text(f"Kano's classes of {frame.height} attributes", f"{frame.height} 个属性的 Kano 分类"))
    return (figure("kano_map", title, partial(figures.kano_map, sure, labels=value.labels)),)


def _beside(
    value: Gap | Tolerance | Servqual, columns: dict[str, pl.Expr], words: Words, kind: str
) -> tuple[Figure, ...]:
    """Two levels of every attribute or dimension of one cell."""
    rows = value.table.filter(kind=kind) if "kind" in value.table.columns else value.table
    frame = rows.select(pl.lit("").alias("heading"), pl.col("name").alias("row"), **columns).drop_nulls("number")
    if not frame.height or frame["row"].n_unique() < frame.height:
        return ()
    there = [c for c in ("against", "perceived", "upper") if c in frame.columns]
    values = np.concatenate([frame[c].drop_nulls().to_numpy() for c in there])
    bounds = (float(np.floor(values.min())), float(np.ceil(values.max())))
    title = _title(value, Text("Expected and perceived", "期望与感知"))
    return (figure("gaps", title, partial(figures.pairs, frame, labels=value.labels, words=words, bounds=bounds)),)


@pictures.register
def _gap(value: Gap) -> tuple[Figure, ...]:
    sure = pl.col("p_adjusted") < 1 - value.level
    columns = {"against": pl.col("expected"), "perceived": pl.col("perceived"), "number": pl.col("gap"), "sure": sure}
    words = Words(FORMS[value.expected], FORMS[value.perceived], None, Text("gap", "差距"))
    return _beside(value, columns, words, "attribute")


@pictures.register
def _servqual(value: Servqual) -> tuple[Figure, ...]:
    if not value.form:
        return rows_of(value)
    sure = pl.col("p_adjusted") < 1 - value.level
    columns = {"against": pl.col("expected"), "perceived": pl.col("perceived"), "number": pl.col("score"), "sure": sure}
    return _beside(value, columns, Words(FORMS[value.form], FORMS["P"], None, Text("gap", "差距")), "dimension")


@pictures.register
def _tolerance(value: Tolerance) -> tuple[Figure, ...]:
    """The zone of every attribute and where experience lies."""
    if not (value.adequate and value.desired):
        return rows_of(value)
    columns = {
        "against": pl.col("adequate"), "upper": pl.col("desired"), "perceived": pl.col("perceived"),
        "number": pl.col("msa"), "sure": pl.col("msa_p_adjusted") < 1 - value.level,
    }  # fmt: skip
    words = Words(FORMS[value.adequate], FORMS[value.perceived], FORMS[value.desired], Text("MSA", "MSA"))
    return _beside(value, columns, words, "attribute")


@pictures.register
def _surface(value: Surface) -> tuple[Figure, ...]:
    """The surface from above, of one cell."""
    b = value.coefficients["estimate"][:6]
    if value.centre.size != 1 or b.null_count() or value.cloud.height < 3:
        return rows_of(value)
    place = dict(value.table.select("quantity", "estimate").iter_rows())
    at, centre = (place["expected0"], place["perceived0"]), float(value.centre[0])
    known = None if at[0] is None or at[1] is None else (at[0] + centre, at[1] + centre)
    name = value.labels.get(value.outcome, Text(value.outcome, value.outcome))
    seen = figures.Seen(
        slopes=b.to_numpy(), centre=centre, corners=value.cloud.select("expected", "perceived").to_numpy(), point=known,
        low=value.low, high=value.high, across=FORMS[value.expected], up=FORMS[value.perceived], outcome=name,
    )  # fmt: skip
    title = _title(value, Text(f"{name.en} by expectation and experience", f"期望与感知下的{name.zh}"))
    return (figure("surface", title, partial(figures.contour, seen), half=True),)


@pictures.register
def _types(value: LoyaltyTypes) -> tuple[Figure, ...]:
    title = _title(value, Text("Attitude crossed with patronage", "态度与行为交叉"))
    return drawn_types(value, title, value.labels) or rows_of(value)


@pictures.register
def _curve(value: LoyaltyCurve) -> tuple[Figure, ...]:
    title = _title(value, Text("Loyalty by satisfaction", "忠诚随满意度的变化"))
    return drawn_curve(value, title) or rows_of(value)


@pictures.register
def _survival(value: Survival) -> tuple[Figure, ...]:
    """Curves of one grouping."""
    if len(value.by) > 1 or not value.curve.height:
        return rows_of(value)
    title = _title(value, Text("How long customers stay", "顾客的留存时间"))
    unit = Text(str(value.unit), str(value.unit))
    draw = partial(
        staying, value.curve.drop_nulls("survival"), value.risk, group=value.by[0] if value.by else "", across=unit,
        up=Text("still there", "仍在的比例"),
    )  # fmt: skip
    return (figure("curve", title, draw),)


@pictures.register
def _nps(value: Nps) -> tuple[Figure, ...]:
    return rows_of(value)


@pictures.register
def _ipa(value: Ipa) -> tuple[Figure, ...]:
    """Attributes by importance and performance."""
    axes = ("importance", "performance")
    bounds = [
        pl.col(f"{a}_conf_{s}" if f"{a}_conf_{s}" in value.table.columns else a).alias(f"{a}_{s}")
        for a in axes
        for s in ("low", "high")
    ]
    frame = value.table.drop_nulls(axes).select(pl.col("attribute").alias("name"), *axes, *bounds)
    if not frame.height:
        return ()
    title = _title(value, Text("Importance and performance", "重要性与表现"))
    return (figure("map", title, partial(figures.importance_map, frame, labels={}), half=True),)


@pictures.register
def _efa(value: Efa) -> tuple[Figure, ...]:
    """Loadings of the items on the factors."""
    meant = {c: f for f, c in value.stands_for.items()}
    home = {r["item"]: r["intended"] or "" for r in value.table.to_dicts()}
    frame = value.loadings.with_columns(
        pl.col("item").replace_strict(home, default="").alias("construct"), pl.lit("").alias("wording")
    )
    own = [meant.get(c) == f for c, f in frame.select("construct", "factor").iter_rows()]
    frame = frame.with_columns(pl.Series("intended", own, dtype=pl.Boolean))
    many = len(value.factors)
    title = _title(value, Text(f"Loadings on {many} factors", f"{many} 个因子上的载荷"))
    return (figure("loadings", title, partial(figures.factor_heat, frame, labels={})),)


@pictures.register
def _n_factors(value: NFactors) -> tuple[Figure, ...]:
    """Eigenvalues beside those of random answers."""
    if not value.scree.height:
        return ()
    lines = value.scree.select("number", "eigenvalue", pl.col("random_high").alias("random"))
    title = Text(f"{value.suggested} factors are suggested", f"建议保留 {value.suggested} 个因子")
    return (figure("scree", title, partial(figures.scree, lines, retained=retained(value)), half=True),)


@pictures.register
def _irt(value: Irt) -> tuple[Figure, ...]:
    """Where along the construct each scale tells most."""
    lines = value.test.select(
        panel="construct", series=pl.lit("information"), x="theta", y="information"
    ).drop_nulls()  # fmt: skip
    if not lines.height:
        return ()
    best = lines.sort("y", descending=True).row(0, named=True)
    title = _title(value, Text(
        f"{best['panel']} tells most at {best['x']:.1f} SD", f"{best['panel']} 在 {best['x']:.1f} 个标准差处信息量最大"
    ))  # fmt: skip
    across = Text("level of the construct (SD)", "构念水平（标准差）")
    draw = partial(figures.panels, lines, labels={"information": INFORMATION}, across=across, up=INFORMATION)
    return (figure("information", title, draw),)


@pictures.register
def _items(value: Items) -> tuple[Figure, ...]:
    """Answers, mean and missing answers of every item."""
    shares = value.categories.group_by("item", maintain_order=True).agg(pl.col("share").alias("shares"))
    none = [pl.lit(None, pl.Float64).alias(c) for c in ("loading", "conf_low", "conf_high")]
    frame = value.table.select("construct", "item", "mean", "missing").join(
        shares, on="item", how="left", maintain_order="left"
    )
    ends = value.categories["category"].drop_nulls().to_list()
    if not ends or frame["item"].n_unique() < frame.height:
        return ()
    title = _title(value, Text(f"Answers to {frame.height} items", f"{frame.height} 个题项的回答"))
    drawn = frame.with_columns(*none, pl.lit("").alias("wording"))
    return (
        figure(
            "items", title, partial(figures.item_table, drawn, labels={}, scale=(float(min(ends)), float(max(ends))))
        ),
    )


@pictures.register
def _validation(value: Validation) -> tuple[Figure, ...]:
    """The items in one aligned figure."""
    made = items_section(value)
    return () if made is None else made.figures


@pictures.register
def _residuals(value: Residuals) -> tuple[Figure, ...]:
    """What goes together more, or less, than the model says, in the first cell and group."""
    matrix = value.cov[0, 0]
    if value.kind != "cor" or len(value.items) < 2:
        return ()
    rows = [(a, b, float(matrix[i, k])) for i, a in enumerate(value.items) for k, b in enumerate(value.items[:i])]
    frame = pl.DataFrame(rows, schema=["first", "second", "residual"], orient="row")
    far = int((frame["residual"].abs() > 0.1).sum())
    title = Text(
        f"{far} of {frame.height} residual correlations exceed .10", f"{frame.height} 个残差相关中 {far} 个超过 0.10"
    )
    return (figure("residuals", title, partial(figures.residual_heat, frame, order=list(value.items))),)


@pictures.register
def _johnson_neyman(value: JohnsonNeyman) -> tuple[Figure, ...]:
    """The slope of the first moderated arrow along its moderator."""
    keys = ["outcome", "predictor", "moderator"]
    if not value.curve.height or value.curve.columns[0] != "outcome":
        return rows_of(value)
    first = value.curve.select(keys).row(0)
    curve = value.curve.filter(*(pl.col(k) == v for k, v in zip(keys, first, strict=True))).with_columns(
        significant=((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).fill_null(value=False)
    )
    lines = curve.filter(pl.col("at").is_in([-1.0, 0.0, 1.0])).select(*keys, "at", "estimate")
    title = _title(value, Text("Slope along the moderator", "斜率随调节变量的变化"))
    return (figure("slopes", title, partial(figures.slope_lines, lines, curve, labels=labels_of(value))),)
