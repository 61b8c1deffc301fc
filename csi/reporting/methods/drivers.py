"""What satisfaction goes with: relative weights and total effects of the constructs that lead to it, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Text
from csi.estimate.fit import fit
from csi.importance.driver_shares import Method as Way
from csi.importance.driver_shares import driver_shares, headings
from csi.measures.tidy import cells_of
from csi.reporting import words
from csi.reporting.drawn import figure
from csi.reporting.figures import forest
from csi.reporting.figures.shares import share_panels
from csi.reporting.methods.method import Method, Need, tabled, texts_of
from csi.reporting.section import Figure, Kind, Section
from csi.study.estimator import estimator_of
from csi.study.fitted import resampled
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.bases import Bases
from csi.survey.panel import Panel

SHOWN: dict[str, Kind] = {
    "construct": "text", "n": "count", "share": "share", "share_conf_low": "share", "share_conf_high": "share",
    "total_effect": "coefficient", "total_effect_conf_low": "coefficient", "total_effect_conf_high": "coefficient",
    "correlation": "coefficient",
}  # fmt: skip
PANELS = {
    "panel shares": Text("Share of what is explained", "占已解释部分的份额"),
    "effects": Text("Total effect (standardised)", "总效应（标准化）"),
}
COUNT = {"n": Text("n", "样本量")}
LIMITS = {
    f"{name}_conf_{side}": text
    for name in ("share", "total_effect")
    for side, text in (("low", Text("low", "下限")), ("high", Text("high", "上限")))
}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Shares of R2 and total effects of the study's own model, with the intervals it asks for.

    Cells with fewer answers than the study's smallest base are withheld, in tables and in what machines read.
    """
    target = options.outcome or study.settings.target
    est = resampled(
        study, panel, fit(study.model, panel, estimator_of(study.settings), options.by, where=options.where)
    )
    way: Way = options.shares or "johnson"
    found = driver_shares(est, target, way)
    texts, keys = texts_of(study), found.table.columns[: found.table.columns.index("construct")]
    name = words.lowered(texts.get(target, Text(target, target)))
    bases = Bases(study.settings.small, study.settings.flagged)
    table = bases.withheld(_counted(found.table, cells_of(est)["n"], len(keys) + 1))
    frame = table.sort([*keys, "share"], descending=[*(False for _ in keys), True], nulls_last=True)
    title = Text(f"What {name.en} goes with", f"{name.zh}与什么相关")
    first = frame.filter(pl.col("share").is_not_null())
    if first.height and not keys:
        top = first.row(0, named=True)
        label = texts.get(top["construct"], Text(top["construct"], top["construct"]))
        title = Text(
            f"{label.en} accounts for {top['share']:.1%} of what is explained of {name.en}",
            f"{name.zh}的已解释部分中，{label.zh}占 {top['share']:.1%}",
        )
        if found.clear == (False,):
            other = first.row(1, named=True)
            second = texts.get(other["construct"], Text(other["construct"], other["construct"]))
            title = Text(
                f"{label.en} ({top['share']:.1%}) and {words.lowered(second).en} ({other['share']:.1%}) come first in "
                f"what is explained of {name.en}; which accounts for most cannot be told",
                f"{name.zh}的已解释部分中，{label.zh}（{top['share']:.1%}）与{second.zh}（{other['share']:.1%}）居前，"
                "孰大尚不能区分",
            )
    elif few := bases.sentences(table):
        title = few[0]
    heading = Text("Relative weights and total effects", "相对权重与总效应")
    if way == "lmg":
        heading = Text("LMG and total effects", "LMG 与总效应")
    return Section(
        key="drivers",
        title=title,
        subtitle=Text(
            "Shares of R2 of the constructs with an arrow to it; total effects are standardised, through all arrows",
            "直接指向它的构念占 R² 的份额；总效应为经由全部路径的标准化效应",
        ),
        figures=_drawn(frame, title, texts) if not keys else (),
        tables=(tabled("drivers", heading, frame, SHOWN, {**headings(way), **COUNT, **LIMITS}, texts),),
        notes=(*bases.notes(table, keys, texts), *est.notes, *found.notes),
        data={"drivers": table},
    )


def _counted(table: pl.DataFrame, n: pl.Series, place: int) -> pl.DataFrame:
    """The table with the answers behind each cell in column `n`.

    Parameters:
        table: as many rows per cell as there are constructs, cell by cell. n: (b,) answers. place: of the column.

    Example:
        >>> frame = pl.DataFrame({"brand": ["A", "A", "B", "B"], "construct": ["x", "y", "x", "y"]})
        >>> _counted(frame, pl.Series([40, 9]), 2)["n"].to_list()
        [40, 40, 9, 9]
    """
    each = table.height // max(len(n), 1)
    rows = [int(count) for count in n for _ in range(each)]
    return table.clone().insert_column(place, pl.Series("n", rows, dtype=pl.Int64))


def _drawn(frame: pl.DataFrame, title: Text, texts: Mapping[str, Text]) -> tuple[Figure, ...]:
    """Shares of R2 as bars, and total effects beside them in the same order, both with intervals."""
    known = frame.filter(pl.col("share").is_not_null())
    if not known.height:
        return ()
    none = pl.lit(None, dtype=pl.Float64)
    rows = known.with_columns(none.alias(c) for c in LIMITS if c not in known.columns)
    bars = rows.select(
        panel=pl.lit("shares"), name="construct", share="share", low="share_conf_low", high="share_conf_high"
    )
    low, high = pl.col("total_effect_conf_low"), pl.col("total_effect_conf_high")
    marks = rows.select(
        heading=pl.lit("effects"),
        row="construct",
        value_effect="total_effect",
        conf_low=low,
        conf_high=high,
        significant=((low > 0) | (high < 0)).fill_null(value=True),
    )
    labels = {**texts, **PANELS}
    series = {"effect": PANELS["effects"]}
    return (
        figure("shares", title, partial(share_panels, bars, labels=labels), half=True),
        figure("effects", PANELS["effects"], partial(forest, marks, labels=labels, series=series), half=True),
    )


def _has_drivers(study: Study, options: Options) -> bool:
    return bool(study.model.predictors(options.outcome or study.settings.target))


METHOD = Method(
    name="drivers",
    number=10,
    title=Text("Drivers of satisfaction", "满意度驱动因素模型"),
    needs=(
        Need(
            Text("a model in which something leads to the target", "模型中有指向目标构念的路径"),
            _has_drivers,
            Text("name another target under index: {target: ...}", "在 index: {target: …} 中指定其他目标构念"),
        ),
    ),
    tell=tell,
    options=("outcome", "shares"),
)
