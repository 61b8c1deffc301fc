"""What is doubtful about a sample's design: strata and clusters that a wave lacks, strata with a single unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import polars as pl

from csi.errors import Note, note

SHOWN = 5
"""Names that a note lists."""

KEPT = 0.5
"""Share of a wave's clusters that were in the one before, from which clusters are taken to come back."""


def design_notes(frame: pl.DataFrame, waves: Sequence[str]) -> Iterator[Note]:
    """Notes on declared strata and clusters, wave by wave.

    Parameters:
        frame: rows of a panel, with the keys stratum, cluster, wave where the study has them. waves: oldest first.

    Example:
        >>> rows = pl.DataFrame({"wave": ["1", "1", "1", "2", "2"], "stratum": ["n", "n", "s", "n", "n"]})
        >>> [one.text.en[:44] for one in design_notes(rows, ["1", "2"])]
        ['nobody of stratum s answered in wave 2 (it i', 'stratum s (wave 1) has a single unit; for va']
    """
    if "wave" in frame.columns:
        yield from _absent_strata(frame, waves)
        yield from _absent_clusters(frame, waves)
    yield from _alone(frame)


def listed(names: Sequence[str], between: str = ", ") -> str:
    """The first names, and dots for more.

    Example:
        >>> listed(["a", "b", "c", "d", "e", "f"])
        'a, b, c, d, e, ...'
    """
    return between.join([*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])])


def _in_waves(frame: pl.DataFrame, column: str, waves: Sequence[str]) -> list[set[str]]:
    """What occurs in each wave."""
    seen = frame.select("wave", column).drop_nulls().unique()
    return [set(seen.filter(pl.col("wave") == w)[column].cast(pl.String).to_list()) for w in waves]


def _absent_strata(frame: pl.DataFrame, waves: Sequence[str]) -> Iterator[Note]:
    """Strata that other waves have and one lacks."""
    if "stratum" not in frame.columns:
        return
    there = _in_waves(frame, "stratum", waves)
    every = set().union(*there)
    for wave, have in zip(waves, there, strict=True):
        lacks = sorted(every - have)
        if not lacks or not have:
            continue
        strata, they = ("stratum", "it is") if len(lacks) == 1 else ("strata", "they are")
        en = f"nobody of {strata} {listed(lacks)} answered in wave {wave} ({they} in other waves): its numbers are of "
        en += "the other strata alone, nothing is filled in, and weights stay as they are. Rake every wave to the same "
        en += "margins (weights: {by: [wave]}), or compare the strata that all waves have."
        zh = (
            f"层 {listed(lacks, '、')} 在第 {wave} 期没有答卷（其他期有）：该期结果只代表其余各层，未作填补，权重不变。"
        )
        zh += "请各期按同一边际加权（weights: {by: [wave]}），或只比较各期共有的层。"
        yield note("N-STRATUM-WAVE", en, zh)


def _absent_clusters(frame: pl.DataFrame, waves: Sequence[str]) -> Iterator[Note]:
    """Clusters that did not come back, where most do; where every wave draws new ones nothing is doubtful."""
    if "cluster" not in frame.columns:
        return
    there = _in_waves(frame, "cluster", waves)
    for (_, before), (wave, now) in pairwise(zip(waves, there, strict=True)):
        gone = sorted(before - now)
        if not gone or not now or len(now & before) < KEPT * len(now):
            continue
        many = "1 cluster" if len(gone) == 1 else f"{len(gone)} clusters"
        en = (
            f"{many} of the wave before did not answer in wave {wave} ({listed(gone)}); the others stand for them with "
        )
        en += "the weights they have, and errors of changes take the clusters that both waves share as the same."
        zh = f"前一期的 {len(gone)} 个聚类在第 {wave} 期没有答卷（{listed(gone, '、')}）；由其余聚类按现有权重代表，"
        yield note("N-CLUSTER-WAVE", en, f"{zh}变化的误差把两期共有的聚类视为同一聚类。")


def _alone(frame: pl.DataFrame) -> Iterator[Note]:
    """Strata with a single unit: in one wave, of all that is drawn by itself."""
    if "stratum" not in frame.columns:
        return
    unit = next((c for c in ("cluster", "respondent") if c in frame.columns), "")
    keys = [c for c in ("wave", "stratum") if c in frame.columns]
    units = pl.col(unit).n_unique() if unit else pl.len()
    rows = frame.drop_nulls("stratum").group_by(keys).agg(units.alias("_units")).filter(pl.col("_units") == 1)
    rows = rows.sort(keys)
    if not rows.height:
        return
    waves = rows["wave"].cast(pl.String).to_list() if "wave" in keys else [""] * rows.height
    named = list(zip(rows["stratum"].cast(pl.String).to_list(), waves, strict=True))
    of = listed([f"{s} (wave {w})" if w else s for s, w in named])
    of_zh = listed([f"{s}（第 {w} 期）" if w else s for s, w in named], "、")
    yield alone_note(len(named), of, of_zh)


def alone_note(many: int, of: str, of_zh: str) -> Note:
    """That strata have a single unit, and by what rule variances go on.

    Parameters:
        many: how many. of, of_zh: their names.
    """
    strata, each = (f"stratum {of} has", "it is") if many == 1 else (f"{many} strata ({of}) have", "each is")
    en = (
        f"{strata} a single unit; for variances {each} joined with the same stratum in other waves where there is one, "
    )
    en += "else with the next by name. Estimates keep the strata as they are."
    zh = f"{many} 个层（{of_zh}）只含一个抽样单元；计算方差时与其他期的同名层合并，"
    zh += "没有时按名称次序与相邻层合并；估计值不受影响。"
    return note("N-STRATUM-ALONE", en, zh)
