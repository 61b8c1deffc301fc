"""All constructs of the model in causal order: the focal brand against the sector."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Section
from csi.reporting.sections.drawn import figure, here, percent, sector_now, why_absent
from csi.reporting.words import Named


def chain(a: Analysis) -> Section:
    """Index, interval, sector mean, change and difference from the sector for every construct."""
    frame = _frame(a)
    alone = sum(1 for b in a.n if a.enough(b)) < 2
    named = [
        Named(a.label(r["construct"]), r["index"], r["difference"] or 0.0, bool(r["differs"]))
        for r in frame.iter_rows(named=True)
        if r["index"] is not None
    ]
    title = words.chain(named, sector=not alone)
    level = percent(a.index.level)
    shown = frame.with_columns(sector=pl.lit(None, pl.Float64)) if alone else frame
    draw = partial(figures.index_chain, shown, labels={**a.construct_labels, **_focal(a)}, focal=a.focal)
    ring = Text("; an open ring is the sector mean", "；空心圆为行业均值")
    return Section(
        key="chain",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}, 0–100 with {level} intervals{'' if alone else ring.en}; change on the "
            "previous wave, not tested",
            f"{a.brand_labels[a.focal].zh}各构念得分（0–100）与 {level} 置信区间"
            f"{'' if alone else ring.zh}；右侧为较上期变化（未作检验）",
        ),
        figures=(figure("chain", title, draw),) if named else (),
        notes=(*(() if alone else a.sectors[a.target].notes[:1]), *why_absent(a)),
        data={"chain": frame},
    )


def _focal(a: Analysis) -> dict[str, Text]:
    """The focal brand's label, unless a construct bears the same name."""
    return {} if a.focal in a.construct_labels else {a.focal: a.brand_labels[a.focal]}


def _frame(a: Analysis) -> pl.DataFrame:
    """construct, index, conf_low, conf_high, sector, difference, differs, p_holm, change, significant."""
    mine = here(a).filter(brand=a.focal).select("construct", "index", "conf_low", "conf_high", "n")
    rows = []
    for construct in a.index.constructs:
        sector = a.sectors[construct]
        gap = (
            sector.differences.filter((pl.col("wave") == a.wave) & (pl.col("brand") == a.focal))
            if sector.differences.width
            else sector.differences
        )
        rows.append(
            {
                "construct": construct,
                "sector": sector_now(a, construct),
                "difference": gap["difference"][0] if gap.height else None,
                "differs": gap["significant"][0] if gap.height else None,
                "p_holm": gap["p_holm"][0] if gap.height else None,
            }
        )
    schema = {
        "construct": pl.String,
        "sector": pl.Float64,
        "difference": pl.Float64,
        "differs": pl.Boolean,
        "p_holm": pl.Float64,
    }
    moved = a.changes.table.filter(
        (pl.col("brand") == a.focal) & (pl.col("wave") == a.wave) & (pl.col("against") == "previous")
    ).select("construct", "change", "significant")
    return mine.join(pl.DataFrame(rows, schema=schema), on="construct", how="left", maintain_order="left").join(
        moved, on="construct", how="left", maintain_order="left"
    )
