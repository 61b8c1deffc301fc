"""The index over waves."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.detectable import detectable
from csi.reporting.drawn import figure
from csi.reporting.section import Section
from csi.reporting.sections.comparability import evidence_notes
from csi.reporting.sections.drawn import (
    drawn_brands,
    formula_id,
    not_drawn,
    percent,
    published,
    sector_means,
    why_absent,
)
from csi.reporting.sections.standings import change, standing, untold
from csi.study.breaks import breaks_of, doubted
from csi.study.rated import events_frame
from csi.study.settings import BreakSaid
from csi.tracking.breaks import WORDS
from csi.tracking.linked_series import linked_series
from csi.tracking.targets import aimed

BROKEN = (
    "N-BREAK", "N-BREAK-LINKED", "W-LINK-REFUSED", "W-LINK-STATED", "N-LINK-GIVEN", "N-LINK-APART", "N-LINK-SHARED",
)  # fmt: skip
"""Notes on breaks of the series."""


_LINKED = Text(
    "; changes across the break are linked, in points of the new form", "；跨断点的变化已经衔接，以新形式的分数计"
)
"""What is said where the changes shown go through a link."""


_CARRIED = Text(
    "; dash-dotted: waves before a break in points of the new form, the link's error in their paler bands",
    "；点划线为经衔接换算成新形式分数的断点前各期，浅色带已含衔接误差",
)
"""What is said where links are drawn."""


def _linked(a: Analysis, shown: pl.DataFrame) -> pl.DataFrame | None:
    """The published cells that links carry over a break; None where there is no link."""
    breaks = [b for b in breaks_of(a.study, a.index, a.panel) if b.wave in a.waves]
    if not any(b.link_of(a.target) is not None for b in breaks):
        return None
    made = linked_series(a.index, a.index.constructs.index(a.target), breaks, a.waves)
    return made.join(shown.select("brand", "wave"), on=["brand", "wave"], how="semi", maintain_order="left")


def breaks_drawn(a: Analysis, waves: Collection[str]) -> dict[str, Text]:
    """Wave -> what broke the series there, as far as it is said, or seems to have."""
    doubts = [b for b in doubted(a.study, a.index, a.panel, a.waves) if b.only is None or a.target in b.only]
    seem = {b.wave: Text("scale changed?", "量表改变？") for b in doubts}
    return {w: t for w, t in ({b.wave: broke(b) for b in a.study.breaks} | seem).items() if w in waves}


def broke(said: BreakSaid) -> Text:
    """What changed, in few words."""
    words = said.text if said.text.en or said.text.zh else WORDS[said.what]
    return Text(words.say("en"), words.say("zh"))


def _detectable(a: Analysis) -> tuple[Note, ...]:
    """Which changes of the target the wave could have found."""
    told = a.changes.table.filter((pl.col("construct") == a.target) & (pl.col("wave") == a.wave))
    by = {kind: told.filter(pl.col("against") == kind) for kind in told["against"].unique(maintain_order=True)}
    return tuple(note("N-DETECTABLE", said.en, said.zh) for said in detectable(by, a.index.level))


def trend(a: Analysis) -> Section:
    """A line with its band per brand, the sector mean, targets, events, and what the focal brand did."""
    table = published(a, a.target)
    shown = table.filter(pl.col("index").is_not_null()).select("brand", "wave", "index", "conf_low", "conf_high")
    moved = a.changes.table.filter(
        (pl.col("construct") == a.target) & (pl.col("wave") == a.wave) & (pl.col("against") == "previous")
    )
    across = _LINKED if moved.drop_nulls(["link", "change"]).height else Text("", "")
    moved = moved.filter((pl.col("evidence") != "after freeing") | pl.col("p_value").is_not_null())
    moved = moved.select("brand", "change", "significant")
    mean = sector_means(a, a.target) if len(a.brands) > 1 else None
    waves = [w for w in a.waves if w in set(shown["wave"].to_list())]
    title = words.trend(
        standing(a, a.wave),
        previous=change(a, "previous"),
        year=change(a, "year"),
        per_year=a.study.settings.waves_per_year,
        untold=untold(a),
    )
    aims = aimed(table, a.study.settings.targets)
    aims = aims.filter(pl.col("target").is_not_null()).select("brand", "wave", "target", "gap", "attained")
    linked = _linked(a, shown)
    kept = drawn_brands(a)
    draw = partial(
        figures.trend,
        shown.filter(pl.col("brand").is_in(kept))
        .with_columns(_wave=pl.col("wave").replace_strict({w: i for i, w in enumerate(a.waves)}))
        .sort("_wave", maintain_order=True)
        .drop("_wave"),
        labels=a.brand_labels,
        focal=a.focal,
        changes=moved.filter(pl.col("change").is_not_null() & pl.col("brand").is_in(kept)),
        mean=mean,
        events=[(e.wave, e.text) for e in a.study.events if e.wave in waves],
        breaks=breaks_drawn(a, waves),
        targets=aims,
        linked=None if linked is None else linked.filter(pl.col("brand").is_in(kept)),
    )
    level, happened = percent(a.index.level), events_frame(a.study.events, a.waves)
    name = a.label(a.target)
    nothing, formula = Text("", ""), formula_id(a)
    dotted = nothing if mean is None else Text("; dotted: sector mean", "；虚线为行业均值")
    dashed = Text("; dashed: target", "；长虚线为目标值") if aims.height else nothing
    arrows = Text("; arrows: change on the previous wave, grey if not significant", "；箭头为较上期变化，灰色为不显著")
    arrows = arrows if moved["change"].count() else nothing
    carried = _CARRIED if linked is not None else nothing
    return Section(
        key="trend",
        title=title,
        subtitle=Text(
            f"{name.en} index (0–100{formula.en}); bands are {level} confidence intervals{dotted.en}{dashed.en}"
            f"{carried.en}{arrows.en}{across.en}",
            f"{name.zh}指数（0–100{formula.zh}），带宽为 {level} 置信区间{dotted.zh}{dashed.zh}{carried.zh}{arrows.zh}"
            f"{across.zh}",
        ),
        figures=(figure("trend", title, draw),) if shown.height else (),
        notes=(
            *not_drawn(a),
            *evidence_notes(a),
            *a.index.notes,
            *_detectable(a),
            *why_absent(a),
            *(n for n in a.changes.notes if n.code in BROKEN),
        ),
        data={
            "index": table.drop("reason", "reason_zh"),
            "sector": a.sectors[a.target].table,
            **({"targets": aims} if aims.height else {}),
            **({} if linked is None else {"linked": linked}),
            **({"events": happened} if happened.height else {}),
        },
    )
