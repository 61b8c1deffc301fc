"""All constructs of the model in causal order: the focal brand against the sector."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Section
from csi.reporting.sections.drawn import formula_id, here, percent, sector_now, why_absent
from csi.reporting.words import Named
from csi.tracking.contrasts import half_widths, holm


def chain(a: Analysis) -> Section:
    """Index, interval, sector mean, change and difference from the sector for every construct."""
    frame, alone = chain_frame(a), single(a)
    named = [
        Named(a.label(r["construct"]), r["index"], r["difference"] or 0.0, bool(r["differs"]))
        for r in frame.iter_rows(named=True)
        if r["index"] is not None
    ]
    title = words.chain(named, sector=not alone)
    level, formula = percent(a.index.level), formula_id(a, a.index.constructs)
    shown = frame.with_columns(sector=pl.lit(None, pl.Float64)) if alone else frame
    draw = partial(figures.index_chain, shown, labels={**a.construct_labels, **_focal(a)}, focal=a.focal)
    moved = Text("; change on the previous wave, not tested", "；右侧为较上期变化（未作检验）")
    moved = moved if frame["change"].count() else Text("", "")
    ring = Text("; an open ring is the sector mean", "；空心圆为行业均值")
    return Section(
        key="chain",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}, 0–100{formula.en}, with {level} intervals"
            f"{'' if alone else ring.en}{moved.en}",
            f"{a.brand_labels[a.focal].zh}各构念得分（0–100{formula.zh}）与 {level} 置信区间"
            f"{'' if alone else ring.zh}{moved.zh}",
        ),
        figures=(figure("chain", title, draw),) if named else (),
        notes=(
            *(() if alone else (*a.sectors[a.target].notes[:1], _family(frame), *_tested(a, frame))),
            *why_absent(a),
        ),
        data={"chain": frame},
    )


def _focal(a: Analysis) -> dict[str, Text]:
    """The focal brand's label, unless a construct bears the same name."""
    return {} if a.focal in a.construct_labels else {a.focal: a.brand_labels[a.focal]}


def single(a: Analysis) -> bool:
    """Whether there is no other brand to compare with at the wave."""
    return sum(1 for b in a.n if a.enough(b)) < 2


def _family(frame: pl.DataFrame) -> Note:
    """Which tests Holm's correction counts together."""
    m = frame["p_holm"].count()
    en = f"Against the sector mean: Holm's correction counts the {m} constructs shown together."
    return note("N-FAMILY", en, f"与行业均值之差：Holm 校正以所列 {m} 个构念为一族。")


def _tested(a: Analysis, frame: pl.DataFrame) -> tuple[Note, ...]:
    """Of which constructs the brands' comparability was tested, where it was not of all that are compared."""
    tested = set() if a.gate is None else {one.cells.construct for one in a.gate.judged if one.tested}
    compared = frame.filter(pl.col("difference").is_not_null())["construct"].to_list()
    some, others = ([a.label(c) for c in compared if (c in tested) == known] for known in (True, False))
    if not others:
        return ()
    left = words.listed(others)
    if not some:
        en = f"Comparability of the brands was not tested for these constructs; ask with {ASK}."
        return (note("N-NOT-TESTED", en, f"上述构念在品牌间的可比性均未检验；可运行 {ASK}。"),)
    told = words.listed(some)
    en = f"Comparability of the brands was tested for {told.en} only, not for {left.en}; ask with {ASK}."
    return (note("N-NOT-TESTED", en, f"品牌间可比性只检验了{told.zh}，未检验{left.zh}；可运行 {ASK}。"),)


ASK = "csi comparable STUDY --construct all"


def chain_frame(a: Analysis) -> pl.DataFrame:
    """construct, index, conf_low, conf_high, sector, difference, half_width, differs, p_holm, change, significant.

    The differences from the sector mean are one family: the constructs of the focal brand at the wave (Holm).
    """
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
                **{c: gap[c][0] if gap.height else None for c in ("std_error", "df", "p_value")},
            }
        )
    schema = {
        "construct": pl.String,
        "sector": pl.Float64,
        "difference": pl.Float64,
        "std_error": pl.Float64,
        "df": pl.Float64,
        "p_value": pl.Float64,
    }
    moved = a.changes.table.filter(
        (pl.col("brand") == a.focal) & (pl.col("wave") == a.wave) & (pl.col("against") == "previous")
    ).select("construct", "change", "significant")
    gaps = _corrected(pl.DataFrame(rows, schema=schema), a.index.level)
    return mine.join(gaps, on="construct", how="left", maintain_order="left").join(
        moved, on="construct", how="left", maintain_order="left"
    )


def _corrected(gaps: pl.DataFrame, level: float) -> pl.DataFrame:
    """`p_holm`, `half_width` and `differs` over the constructs in place of what one test needs."""
    p, std_error, df = (gaps[c].fill_null(float("nan")).to_numpy() for c in ("p_value", "std_error", "df"))
    columns = {"half_width": half_widths(p, std_error, df, level), "p_holm": holm(p.tolist())}
    made = gaps.with_columns(*(pl.Series(c, v).fill_nan(None) for c, v in columns.items()))
    differs = (pl.col("p_holm") < 1.0 - level).alias("differs")
    return made.select("construct", "sector", "difference", "half_width", differs, "p_holm")
