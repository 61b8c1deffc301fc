"""What a dynamic model of expectation is asked of: its series on one scale, stages, rows of successive waves; refusals.

Letters: `n` people, `W` waves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, problem
from csi.expectation.adjustment_asked import form_of
from csi.expectation.change_asked import series_of
from csi.expectation.followed import Followed, followed
from csi.expectation.wide import named, wide
from csi.moments.stack import Array
from csi.survey.codebook import Form
from csi.survey.panel import Panel

STAGE: Final = "_stage"
"""The place of a stage among the stages, as a column of the panel."""

LEAST: Final = 2
"""Stages that an order needs."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of constructs or items, None for those not asked.

    Attributes:
        will: what is expected to come. experience: what came. should: what ought to come. competing: what others give.
            delivered: what was given, as measured.
    """

    will: str
    experience: str
    should: str | None = None
    competing: str | None = None
    delivered: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Composites of people in waves.

    Attributes:
        data: series by role. stage: (n, W) place among the stages, NaN where it is not known; None without.
    """

    data: Followed
    stage: Array | None


def should_of(panel: Panel, will: str, should: str | None) -> tuple[str | None, Form | None]:
    """The should-expectation: the construct named, else the expectation's own where it was asked as Es too."""
    if should is not None:
        return should, form_named(panel, should, "Es")
    return (will, "Es") if panel.codebook.items_of(will, "Es") else (None, None)


def form_named(panel: Panel, name: str, wanted: Form) -> Form | None:
    """The form wanted where a construct has it among several."""
    forms = {panel.codebook[i].form for i in panel.codebook.items_of(name, None)}
    return wanted if len(forms) > 1 and wanted in forms else None


def rows_asked(
    panel: Panel,
    roles: Roles,
    forms: Mapping[str, Form | None],
    stages: Sequence[str],
    waves: Sequence[str] | None,
    where: Mapping[str, str] | None,
    returning: float,
) -> Asked:
    """A row per person.

    Raises:
        Problems: E-ROLE, E-FORM, E-SCALE (series on unequal scales), E-STAGE (no column, unknown stages, one stage),
            all at once; then E-WAVE and see `csi.expectation.wide.wide`.
    """
    should, should_form = should_of(panel, roles.will, roles.should)
    asked: dict[str, tuple[str | None, Form | None]] = {
        "A": (roles.will, form_of(panel, roles.will, "A", forms.get("A"))),
        "B": (roles.experience, form_of(panel, roles.experience, "B", forms.get("B"))),
        "S": (should, forms.get("S") or should_form),
        "C": (roles.competing, None),
        "D": (roles.delivered, None),
    }
    found: list[Problem] = []
    try:
        series = series_of(panel, asked, None, None)
    except Problems as refused:
        raise Problems([*refused.problems, *_stages(panel, stages)]) from refused
    found += _scales(panel, {k: v for k, v in series.items() if k != "D"})
    found += _stages(panel, stages)
    if found:
        raise Problems(found)
    items = list(dict.fromkeys(i for names in series.values() for i in names))
    data = wide(panel, items, waves=waves, where=where, returning=returning, what="dynamic_expectation")
    if not stages:
        return Asked(followed(data, series), None)
    coded = _coded(panel, stages)
    # asked again with the stage beside, so that stages do not count as answers where ids are judged
    more = wide(coded, [*items, STAGE], waves=waves, where=where, returning=0.0, what="dynamic_expectation")
    columns = [named(STAGE, t) for t in range(1, len(data.waves) + 1)]
    joined = data.frame.join(more.frame.select("person", *columns), on="person", how="left", maintain_order="left")
    stage = joined.select(pl.col(columns).fill_null(np.nan)).to_numpy().astype(np.float64)
    return Asked(followed(data, series), stage)


def _scales(panel: Panel, series: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Series on scales of their own."""
    ranges = {k: set(zip(*panel.codebook.bounds(v), strict=True)) for k, v in series.items()}
    if len(set().union(*ranges.values())) <= 1:
        return []
    told = "; ".join(f"{', '.join(v)} {_range(ranges[k])}" for k, v in series.items())
    en = f"expectation and experience must be answered on one scale: {told}."
    zh = f"期望与体验须使用同一量表：{told}。"
    do, do_zh = "Ask them alike, or name items that were.", "请以同一量表询问，或指定同一量表的题项。"
    return [problem("E-SCALE", "dynamic_expectation", en, zh, do, do_zh)]


def _range(bounds: set[tuple[float, float]]) -> str:
    """Bounds in words."""
    return ", ".join(f"{low:g}-{high:g}" for low, high in sorted(bounds))


def _stages(panel: Panel, stages: Sequence[str]) -> list[Problem]:
    """What is wrong with the stages."""
    if not stages:
        return []
    if "stage" not in panel.frame.columns:
        en, zh = "the panel has no column in the role stage.", "面板中没有角色为 stage 的列。"
        do, do_zh = "Name it in the study under keys: {stage: COLUMN}.", "请在研究文件的 keys 中写 {stage: 列名}。"
        return [problem("E-STAGE", "stage", en, zh, do, do_zh)]
    seen = panel.frame["stage"].drop_nulls().cast(pl.String).unique().sort().to_list()
    absent = [s for s in stages if s not in seen]
    if absent:
        en = f"stages name {', '.join(absent)}; the panel has {', '.join(seen)}."
        zh = f"stages 中的 {'、'.join(absent)} 不在面板中；面板中有 {'、'.join(seen)}。"
        do, do_zh = "Name stages of the panel, from the newest customers on.", "请写面板中的阶段，从最新的顾客起。"
        return [problem("E-STAGE", "stages", en, zh, do, do_zh)]
    if len(set(stages)) < LEAST:
        en, zh = f"one stage ({stages[0]}): there is no order.", f"只有一个阶段（{stages[0]}）：无从比较次序。"
        do, do_zh = "Name two stages or more, or leave stages out.", "请写两个以上阶段，或去掉 stages。"
        return [problem("E-STAGE", "stages", en, zh, do, do_zh)]
    return []


def _coded(panel: Panel, stages: Sequence[str]) -> Panel:
    """The panel with the place of each stage as a number."""
    place = {s: float(k) for k, s in enumerate(stages)}
    code = pl.col("stage").cast(pl.String).replace_strict(place, default=None, return_dtype=pl.Float64)
    return replace(panel, frame=panel.frame.with_columns(code.alias(STAGE)))
