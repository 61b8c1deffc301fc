"""What the replicates of a bootstrap say about a solution: how many were lost, how many are improper."""

from __future__ import annotations

import numpy as np

from csi.errors import Text
from csi.estimate.estimate import Estimate, Replicates
from csi.inference.lost import HEAVY, causes_of, improper_share, lost_share
from csi.measures.findings import Finding


def of_replicates(est: Estimate, cell: int, place: str) -> list[Finding]:
    """Findings on the replicates of a cell, warnings where they are many; none where none was lost or improper."""
    replicates = est.replicates
    if replicates is None or not np.isfinite(est.values[cell]).any():
        return []
    lost, improper = float(lost_share(replicates)[cell]), float(improper_share(replicates)[cell])
    out = [_lost(replicates, lost, cell, place)] if lost > 0 else []
    return [*out, _improper(replicates, improper, cell, place)] if improper > 0 else out


def _lost(replicates: Replicates, share: float, cell: int, place: str) -> Finding:
    """Replicates without a solution."""
    n = replicates.n
    count, percent, why = round(share * n), f"{100 * share:.1f} %", causes_of(replicates, cell, kept=False)
    proper, proper_zh = ("proper ", "恰当的") if replicates.improper == "drop" else ("", "")
    what = Text(
        f"{count} of {n} replicates ({percent}) have no {proper}solution: {why.en}.",
        f"{n} 次重抽样中有 {count} 次（{percent}）无{proper_zh}解：{why.zh}。",
    )
    if share <= HEAVY:
        return Finding("N-REPLICATES", "fine", cell, place, (), what, Text("", ""), Text("", ""), share)
    cause = Text(
        "Intervals describe only the resamples that have a solution; most likely the model is nearly not"
        " identified in these data.",
        "区间只反映有解的重抽样；模型在这些数据中很可能接近不可识别。",
    )
    remedy = Text(
        "Do not rely on these intervals; add items, merge constructs, or gather more answers.",
        "请勿依赖这些区间；可增加题项、合并构念或扩大样本。",
    )
    return Finding("W-REPLICATES", "warning", cell, place, (), what, cause, remedy, share)


def _improper(replicates: Replicates, share: float, cell: int, place: str) -> Finding:
    """Replicates that have an improper solution."""
    n = int(replicates.usable[:, cell].sum())
    count, percent, why = round(share * n), f"{100 * share:.1f} %", causes_of(replicates, cell, kept=True)
    what = Text(
        f"{count} of {n} replicates with a solution ({percent}) have an improper one, kept: {why.en}.",
        f"{n} 次有解的重抽样中有 {count} 次（{percent}）的解不恰当，仍计入区间：{why.zh}。",
    )
    if share <= HEAVY:
        return Finding("N-IMPROPER", "fine", cell, place, (), what, Text("", ""), Text("", ""), share)
    cause = Text(
        "Sampling error alone carries the solution beyond what is possible, so this sample is small for the model.",
        "仅抽样误差就足以使解超出可能范围，说明样本量相对于模型偏小。",
    )
    remedy = Text(
        "Read intervals, not estimates with symmetric errors, and expect them to be rough.",
        "请以区间为准，不要依赖对称的标准误；区间本身也较粗略。",
    )
    return Finding("W-IMPROPER", "warning", cell, place, (), what, cause, remedy, share)
