"""What replicates cannot speak of: levels beyond the reach of their number, and cells of one or a few units.

Letters: `c` cells.
"""

from __future__ import annotations

from math import floor

import numpy as np
import numpy.typing as npt

from csi.errors import Note, note
from csi.estimate.estimate import Estimate, Replicates
from csi.inference.nested import INNER
from csi.inference.uncertainty import NESTED, Uncertainty
from csi.moments.stack import Sample

FEW = 10
"""Fewer clusters than this in a cell: standard errors from resampling them are themselves uncertain by a quarter."""


def replicates_needed(level: float, alternative: str = "two-sided") -> int:
    """The least number of draws B whose outermost share 1 / (B + 1) lies within the tails of a level.

    Example:
        >>> replicates_needed(0.95), replicates_needed(0.999), replicates_needed(0.999, "greater")
        (40, 2000, 1000)
    """
    return floor(1 / _tail(level, alternative) + 1e-6)


def beyond_reach(boot: Estimate, found: Uncertainty, fixed: npt.NDArray[np.bool_]) -> tuple[Note, ...]:
    """Warnings where the replicates are too few for the level of the intervals.

    Parameters:
        boot: the estimate with level, interval and alternative. found: (c, k) what the replicates say. fixed: (c, k)
            True for constants, which have no interval anyway.
    """
    low, high = (np.isinf(limit) & ~fixed for limit in (found.conf_low, found.conf_high))
    absent = {"greater": low, "less": high}.get(boot.alternative, low | high)
    notes = []
    if absent.any():
        need = replicates_needed(boot.level, boot.alternative)
        en = f"{int(absent.sum())} intervals are absent: at level {boot.level:g} they need at least {need} replicates"
        zh = f"{int(absent.sum())} 个区间缺失：置信水平 {boot.level:g} 至少需要 {need} 次有解的重抽样"
        have = int(np.isfinite(found.draws).sum(axis=0)[absent].min())
        notes.append(note("W-LEVEL", f"{en} with a solution, there are {have}.", f"{zh}，现有 {have} 次。"))
    if boot.interval in NESTED and _tail(boot.level, boot.alternative) < 1 / (INNER + 1):
        en = f"every replicate is itself resampled only {INNER} times: at level {boot.level:g} the limits of"
        en += f' interval="{boot.interval}" rest on the outermost of them; 0.95 is about the highest it can speak of.'
        zh = f"每次重抽样内部仅再抽 {INNER} 次：置信水平 {boot.level:g} 下 interval=“{boot.interval}”的界限"
        notes.append(note("W-LEVEL-INNER", en, f"{zh}取决于最外侧的少数几次；最高约可用 0.95。"))
    return tuple(notes)


def _tail(level: float, alternative: str) -> float:
    """The share beyond a limit."""
    return (1 - level) / 2 if alternative == "two-sided" else 1 - level


def few_units(sample: Sample, replicates: Replicates) -> tuple[Note, ...]:
    """Warnings of cells whose rows share one unit (cluster), or a few.

    Parameters:
        sample: the rows in c cells. replicates: of that sample.
    """
    rows, units = np.bincount(sample.cell, minlength=sample.cells.height), replicates.units
    lone, few = (units == 1) & (rows > 1), (units > 1) & (units < FEW) & (units < rows)
    notes = []
    if lone.any():
        many = len(units) > 1
        en = f"{int(lone.sum())} of {len(units)} cells have" if many else "all rows share"
        zh = f"{len(units)} 个单元中有 {int(lone.sum())} 个只有" if many else "所有行同属"
        en += " one unit (cluster), so that there is nothing to resample and no standard error: look at unit=."
        notes.append(
            note("N-CLUSTERS-ONE", en, f"{zh}一个抽样单元（聚类），无从重抽样，因此没有标准误：请检查 unit=。")
        )
    if few.any():
        least = int(units[few].min())
        en = f"a cell has only {least} units (clusters): standard errors and intervals from resampling so few are"
        en += " rough and often too small."
        zh = f"有单元仅含 {least} 个抽样单元（聚类）：由如此少的聚类重抽样所得的标准误与区间很粗略，且常偏小。"
        notes.append(note("W-CLUSTERS", en, zh))
    return tuple(notes)
