"""What satisfaction goes with: relative weights and total effects of the constructs that lead to it, as a section."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.estimate.fit import fit
from csi.importance.driver_shares import HEADINGS, driver_shares
from csi.reporting import words
from csi.reporting.methods.method import Method, Need, tabled, texts_of
from csi.reporting.section import Section
from csi.reporting.tables import Kind
from csi.study.estimator import estimator_of
from csi.study.fitted import resampled
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SHOWN: dict[str, Kind] = {
    "construct": "text", "share": "share", "share_conf_low": "share", "share_conf_high": "share",
    "total_effect": "coefficient", "total_effect_conf_low": "coefficient", "total_effect_conf_high": "coefficient",
    "correlation": "coefficient",
}  # fmt: skip
LIMITS = {
    f"{name}_conf_{side}": text
    for name in ("share", "total_effect")
    for side, text in (("low", Text("low", "下限")), ("high", Text("high", "上限")))
}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Shares of R2 and total effects of the study's own model, with the intervals it asks for."""
    target = options.outcome or study.settings.target
    est = resampled(
        study, panel, fit(study.model, panel, estimator_of(study.settings), options.by, where=options.where)
    )
    found = driver_shares(est, target)
    texts, keys = texts_of(study), found.table.columns[: found.table.columns.index("construct")]
    name = words.lowered(texts.get(target, Text(target, target)))
    frame = found.table.sort([*keys, "share"], descending=[*(False for _ in keys), True], nulls_last=True)
    title = Text(f"What {name.en} goes with", f"{name.zh}与什么相关")
    first = frame.filter(pl.col("share").is_not_null())
    if first.height and not keys:
        top = first.row(0, named=True)
        label = texts.get(top["construct"], Text(top["construct"], top["construct"]))
        title = Text(
            f"{label.en} accounts for {top['share']:.1%} of what is explained of {name.en}",
            f"{name.zh}的已解释部分中，{label.zh}占 {top['share']:.1%}",
        )
    heading = Text("Relative weights and total effects", "相对权重与总效应")
    return Section(
        key="drivers",
        title=title,
        subtitle=Text(
            "Shares of R2 of the constructs with an arrow to it; total effects are standardised, through all arrows",
            "直接指向它的构念占 R² 的份额；总效应为经由全部路径的标准化效应",
        ),
        tables=(tabled("drivers", heading, frame, SHOWN, {**HEADINGS, **LIMITS}, texts),),
        notes=(*est.notes, *found.notes),
        data={"drivers": found.table},
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
    options=("outcome",),
)
