"""The pictures of a result: what it draws of itself in a notebook and gives as SVG.

A type with a picture of its own registers it here or in `pictured_answers.py`; any other result whose table holds
estimates with intervals is drawn as rows with whiskers; what has neither has no picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial, singledispatch

import polars as pl

from csi.claims.card_run import CardRun
from csi.errors import Text
from csi.estimate.estimate import Estimate
from csi.importance.cipma import Cipma
from csi.importance.drivers import Drivers
from csi.importance.key_drivers import KeyDrivers
from csi.importance.what_if import WhatIf
from csi.measures.separation.discriminant import Discriminant
from csi.measures.validity import Validity
from csi.models.model import Model
from csi.reporting import figures
from csi.reporting.drawn import figure
from csi.reporting.figures.shares import share_panels
from csi.reporting.scaled import scaled
from csi.reporting.section import Figure
from csi.reporting.sections.model import item_rows
from csi.tracking.index import Index
from csi.tracking.league import League
from csi.tracking.smooth import Control, Smoothed
from csi.tracking.track import Tracking

ROWS = 40
"""So many rows of a table are drawn."""
_NOT = ("std_error", "statistic", "df", "p", "n", "level")
_SIDES = (("_conf_low", "_conf_high"), ("_low", "_high"))
_EMPTY = ("importance", "performance")


@singledispatch
def pictures(value: object) -> tuple[Figure, ...]:
    """The figures of a result, the first of which is shown; none where there is nothing to draw.

    Example:
        >>> import csi
        >>> [f.name for f in pictures(csi.Model.parse("a =~ x1 + x2"))]
        ['model', 'full']
    """
    return rows_of(value)


def rows_of(value: object) -> tuple[Figure, ...]:
    """The estimates of a result's table with their intervals, a row each."""
    table = getattr(value, "table", None)
    if not isinstance(table, pl.DataFrame):
        return ()
    found = _measured(table)
    if found is None:
        return ()
    name, low, high = found
    keys = [c for c in table.columns[: table.columns.index(name)] if table.schema[c] == pl.String]
    keys = [c for c in keys if c not in {"reason", "reason_zh", "formula", "flag"} and table[c].n_unique() > 1]
    texts = labels_of(value)
    told = table.filter(pl.col(name).is_not_null() & pl.col(name).is_finite()).head(ROWS)
    if not told.height:
        return ()
    named = [[str(v) for v in row if v] for row in told.select(keys).iter_rows()] if keys else [[]] * told.height
    rows = [f"row {i}" for i in range(told.height)]
    labels = {
        row: Text(*(" · ".join(texts[k].say(lang) if k in texts else k for k in part) or name for lang in ("en", "zh")))
        for row, part in zip(rows, named, strict=True)
    }
    frame = told.select(
        pl.lit("").alias("heading"),
        pl.Series("row", rows),
        pl.col(name).cast(pl.Float64).alias("value_v"),
        pl.col(low).cast(pl.Float64).alias("conf_low"),
        pl.col(high).cast(pl.Float64).alias("conf_high"),
    )
    values = frame["value_v"].to_list()
    zero = min(values) <= 0 or max(values) - min(values) >= max(values) / 2
    title = finding_of(value, Text(f"{name}, with intervals", f"{name} 及其区间"))
    draw = partial(figures.forest, frame, labels=labels, series={"v": Text(name, name)}, zero=zero)
    return (figure("estimates", title, draw),)


def _measured(table: pl.DataFrame) -> tuple[str, str, str] | None:
    """The first column with a lower and an upper bound, and these."""
    numbers = [c for c, t in table.schema.items() if t.is_float() and table[c].null_count() < table.height]
    for name in numbers:
        for low, high in _SIDES:
            if name + low in table.columns and name + high in table.columns:
                return name, name + low, name + high
    if not {"conf_low", "conf_high"} <= set(table.columns):
        return None
    before = [c for c in numbers if table.columns.index(c) < table.columns.index("conf_low")]
    before = [c for c in before if not c.startswith(_NOT[:3]) and c not in _NOT and not c.startswith("p_")]
    return (before[-1], "conf_low", "conf_high") if before else None


def finding_of(value: object, otherwise: Text) -> Text:
    """The first sentence of a result, or what the picture shows."""
    said = getattr(value, "sentences", ())
    first = said[0] if isinstance(said, tuple) and said and isinstance(said[0], Text) else None
    return otherwise if first is None else Text(first.en.rstrip("."), first.zh.rstrip("。"))


def labels_of(value: object) -> Mapping[str, Text]:
    """The names a result knows."""
    found = getattr(value, "labels", None)
    if not isinstance(found, Mapping):
        found = getattr(getattr(value, "model", None), "labels", None)
    return {k: v for k, v in found.items() if isinstance(v, Text)} if isinstance(found, Mapping) else {}


@pictures.register
def _estimate(value: Estimate) -> tuple[Figure, ...]:
    """The path diagram of one cell, and with its items; a row per path and cell of several."""
    if len(value.moments.n) != 1 or not value.model.paths:
        return _paths_of_cells(value)
    paths = (
        scaled(value)
        .filter(pl.col("op") == "~")
        .select(predictor="rhs", outcome="lhs", estimate="estimate", conf_low="conf_low", conf_high="conf_high")
        .filter(pl.col("predictor").is_in(value.model.names) & pl.col("outcome").is_in(value.model.names))
        .with_columns(significant=((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).fill_null(value=True))
    )
    names, solution = list(value.model.names), value.solution
    known = dict(zip(solution.constructs, solution.r2[0].tolist(), strict=True))
    led = set(paths["outcome"])
    r2 = [known.get(n) if n in led else None for n in names]
    nodes = pl.DataFrame({"construct": names, "r2": pl.Series(r2, dtype=pl.Float64)}).with_columns(
        index=pl.lit(None, pl.Float64)
    )
    sure = int(paths["significant"].sum()) if value.std_error is not None else None
    title = _of_paths(paths.height, sure)
    drawn = partial(
        figures.path_diagram, paths, nodes, labels=value.model.labels, layout=value.model.layout or None,
        target="satisfaction",
    )  # fmt: skip
    return figure("paths", title, drawn), figure("full", title, partial(drawn, items=item_rows(value)))


def _of_paths(many: int, sure: int | None) -> Text:
    """How many paths there are, and of how many the interval leaves out zero."""
    if sure is None:
        return Text(f"{many} standardised paths, without intervals", f"{many} 条标准化路径，未求区间")
    return Text(
        f"{sure} of {many} standardised paths have intervals without zero",
        f"{many} 条标准化路径中 {sure} 条的区间不含零",
    )


def _paths_of_cells(value: Estimate) -> tuple[Figure, ...]:
    """The paths of several cells as rows; of a model without any, its constructs and items."""
    if not value.model.paths:
        return pictures(value.model)[1:]
    table = scaled(value).filter(pl.col("op") == "~")
    keys = table.columns[: table.columns.index("lhs")]
    texts = value.model.labels

    def named(lang: str, row: tuple[str, ...]) -> str:
        """Cell, then from and to."""
        *cell, end, start = row
        way = " → ".join(texts[n].say(lang) if n in texts else n for n in (start, end))
        return " · ".join([*map(str, cell), way])

    told = table.head(ROWS)
    rows = [f"row {i}" for i in range(told.height)]
    every = list(told.select(*keys, "lhs", "rhs").iter_rows())
    labels = {r: Text(named("en", row), named("zh", row)) for r, row in zip(rows, every, strict=True)}
    frame = told.select(
        pl.lit("").alias("heading"),
        pl.Series("row", rows),
        pl.col("estimate").alias("value_v"),
        "conf_low",
        "conf_high",
    )
    cells = len(value.moments.n)
    title = Text(f"Standardised paths of {cells} cells", f"{cells} 个单元的标准化路径")
    draw = partial(figures.forest, frame, labels=labels, series={"v": Text("path", "路径系数")})
    return (figure("paths", title, draw),)


@pictures.register
def _card(value: CardRun) -> tuple[Figure, ...]:
    return pictures(value.estimate)


@pictures.register
def _model(value: Model) -> tuple[Figure, ...]:
    """What the model claims, and with its items."""
    many, arrows = len(value.constructs), len(value.paths)
    title = Text(
        f"{many} construct{'s' * (many != 1)} and {arrows} arrow{'s' * (arrows != 1)}",
        f"{many} 个构念，{arrows} 条路径",
    )

    def draw(*, full: bool, lang: str, finding: str, width: int) -> str:
        """The claim; a phone's drawing is the wide one."""
        del width
        return figures.model_diagram(value, lang=lang, finding=finding, full=full)

    return figure("model", title, partial(draw, full=False)), figure("full", title, partial(draw, full=True))


def _brands(frame: pl.DataFrame, *aside: str) -> pl.DataFrame:
    """The key columns of a table, but for those, as the column `brand`."""
    own = [c for c in frame.columns[: frame.columns.index("construct")] if c not in aside]
    return frame.with_columns(brand=pl.concat_str([pl.col(c) for c in own], separator=" · ") if own else pl.lit(""))


@pictures.register
def _index(value: Index) -> tuple[Figure, ...]:
    """A line per brand over several waves, a league of one, rows of constructs without brands."""
    of = "satisfaction" if "satisfaction" in value.constructs else value.constructs[-1]
    return _standing(value.table.filter(pl.col("construct") == of), of) or rows_of(value)


@pictures.register
def _tracking(value: Tracking) -> tuple[Figure, ...]:
    return _standing(value.table, value.construct) or rows_of(value)


def _standing(table: pl.DataFrame, construct: str) -> tuple[Figure, ...]:
    """The trend or the league of one construct; nothing without brands and waves."""
    if not {"construct", "index", "conf_low"} <= set(table.columns) or not table["index"].count():
        return ()
    frame = _brands(table, "wave")
    first = str(frame["brand"][0])
    if "wave" in table.columns and table["wave"].n_unique() > 1:
        last = frame.drop_nulls("index").row(-1, named=True)
        top = (
            frame.filter(pl.col("wave") == last["wave"])
            .sort("index", descending=True, nulls_last=True)
            .row(0, named=True)
        )
        title = _highest(top["brand"] or construct, top["index"], construct, str(top["wave"]))
        return (figure("trend", title, partial(figures.trend, frame, labels={}, focal=first)),)
    if frame["brand"].n_unique() < 2:
        return ()
    top = frame.sort("index", descending=True, nulls_last=True).row(0, named=True)
    title = _highest(str(top["brand"]), top["index"], construct, "")
    return (figure("league", title, partial(figures.league, frame, labels={}, focal=first)),)


def _highest(brand: str, value: float, construct: str, wave: str) -> Text:
    """Who has the highest value, which need not differ from the next."""
    when, when_zh = (f" in {wave}", f"{wave} ") if wave else ("", "")
    return Text(
        f"{brand} has the highest index of {construct}{when}: {value:.1f}",
        f"{when_zh}{construct} 指数最高的是{brand}：{value:.1f}",
    )


@pictures.register
def _smoothed(value: Smoothed) -> tuple[Figure, ...]:
    frame = value.table.drop("index", strict=False).rename({"smoothed": "index"})
    return _standing(frame, str(frame["construct"][0])) if frame.height else ()


@pictures.register
def _control(value: Control) -> tuple[Figure, ...]:
    """The chart of the first brand."""
    if not value.table.height:
        return ()
    frame = _brands(value.table, "wave")
    brand = str(frame["brand"][0])
    own = frame.filter(pl.col("brand") == brand)
    many = int(own["beyond"].fill_null(value=False).sum())
    title = Text(
        f"{brand}: {many} of {own.height} waves beyond the limits", f"{brand}：{own.height} 期中 {many} 期超出控制限"
    )
    return (figure("control", title, partial(figures.control_chart, own)),)


@pictures.register
def _league(value: League) -> tuple[Figure, ...]:
    """Brands with intervals from their own errors and brackets round those that do not differ."""
    own = value.table.columns[: value.table.columns.index("n")]
    half = 1.96 * pl.col("std_error")
    frame = value.table.with_columns(
        brand=pl.concat_str([pl.col(c).cast(pl.String) for c in own], separator=" · "),
        conf_low=pl.col("index") - half,
        conf_high=pl.col("index") + half,
    )
    if not frame["index"].count():
        return ()
    top = frame.row(0, named=True)
    draw = partial(figures.league, frame, labels={}, focal=top["brand"], same=value.groups)
    return (figure("league", _highest(top["brand"], top["index"], value.construct, str(value.wave or "")), draw),)


def _mapped(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The columns of the map."""
    bounds = [
        pl.col(f"{axis}_conf_{side}" if f"{axis}_conf_{side}" in frame.columns else axis).alias(f"{axis}_{side}")
        for axis in _EMPTY
        for side in ("low", "high")
    ]
    return frame.drop_nulls(_EMPTY).select(pl.col(name).alias("name"), *_EMPTY, *bounds)


@pictures.register
def _drivers(value: Drivers) -> tuple[Figure, ...]:
    """The importance-performance map of one cell."""
    frame = _mapped(value.table, "construct")
    if not frame.height or frame["name"].n_unique() < frame.height:
        return rows_of(value)
    first = value.table.drop_nulls(_EMPTY).filter(pl.col("quadrant") == "improve")["construct"].to_list()
    some, some_zh = (", ".join(first), "、".join(first)) if first else ("none", "无")
    title = Text(f"Important and weak: {some}", f"重要而薄弱：{some_zh}")
    target = Text(value.target, value.target)
    return (figure("map", title, partial(figures.importance_map, frame, labels={}, target=target), half=True),)


@pictures.register
def _cipma(value: Cipma) -> tuple[Figure, ...]:
    """The map, circles by the share of respondents below what the target needs."""
    none = [pl.lit(None, pl.Float64).alias(f"{axis}_{side}") for axis in _EMPTY for side in ("low", "high")]
    frame = value.table.rename({"construct": "name"}).with_columns(none)
    target = value.labels[value.target]
    legend = Text(
        f"Circle: share of respondents below what {target.en} of {value.level:g} needs; hollow: not necessary",
        f"圆面积：低于{target.zh}达到 {value.level:g} 所需水平的受访者比例；空心：非必要",
    )
    draw = partial(figures.importance_map, frame, labels=value.labels, target=target)
    return (figure("map", legend, draw),)


@pictures.register
def _key_drivers(value: KeyDrivers) -> tuple[Figure, ...]:
    """Shares of what is explained, the largest first."""
    frame = value.table.select(
        panel=pl.lit(""), name="driver", share="share",
        low="conf_low" if "conf_low" in value.table.columns else "share",
        high="conf_high" if "conf_high" in value.table.columns else "share",
    )  # fmt: skip
    if not frame["share"].count() or frame["name"].n_unique() < frame.height:
        return rows_of(value)
    title = finding_of(value, Text("Shares of what is explained", "占已解释部分的份额"))
    return (figure("shares", title, partial(share_panels, frame, labels=value.labels), half=True),)


@pictures.register
def _whatif(value: WhatIf) -> tuple[Figure, ...]:
    """What goes with the levers that were asked for, by construct."""
    if value.table["construct"].n_unique() < value.table.height:
        return rows_of(value)
    there = value.table.columns
    bounds = [pl.col(c) if c in there else pl.lit(None, pl.Float64).alias(c) for c in ("conf_low", "conf_high")]
    frame = value.table.drop_nulls("change").select(
        pl.lit("").alias("heading"), pl.col("construct").alias("row"), pl.col("change").alias("value_v"), *bounds
    )
    if not frame.height:
        return ()
    title = finding_of(value, Text("Points that go together", "相应变化的分数"))
    series = {"v": Text("change in points", "变化（分）")}
    return (
        figure("changes", title, partial(figures.forest, frame, labels=value.labels, series=series, bounded=False)),
    )


@pictures.register(Validity)
@pictures.register(Discriminant)
def _htmt(value: Validity | Discriminant) -> tuple[Figure, ...]:
    """HTMT of every pair of constructs."""
    table = value.table
    bounds = ("htmt_low", "htmt_high") if "htmt_low" in table.columns else ("conf_low", "conf_high")
    there = [pl.col(b).alias(n) for b, n in zip(bounds, ("conf_low", "conf_high"), strict=True) if b in table.columns]
    frame = table.drop_nulls("htmt").select(
        pl.col("construct").alias("first"), pl.col("other").alias("second"), "htmt", *there
    )
    if not frame.height or frame.select("first", "second").n_unique() < frame.height:
        return ()
    top = frame.sort("htmt", descending=True).row(0, named=True)
    close = int((frame["htmt"] >= 0.85).sum())
    title = finding_of(value, Text(
        f"{close} of {frame.height} pairs have HTMT from .85; the closest are {top['first']} and {top['second']} "
        f"({top['htmt']:.2f})",
        f"{frame.height} 对中 {close} 对 HTMT 不低于 0.85；最接近的是 {top['first']} 与 {top['second']}"
        f"（{top['htmt']:.2f}）",
    ))  # fmt: skip
    return (figure("htmt", title, partial(figures.htmt_matrix, frame, labels={}), half=True),)
