"""What a reader of coefficients of scales must know, computed from the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from csi.errors import Note, note
from csi.inference.lost import HEAVY
from csi.measures.answered import Answered
from csi.measures.consistency.coefficients import sampled
from csi.measures.consistency.splits import SAMPLED
from csi.measures.pairwise import Absences
from csi.moments.stack import Array

ENOUGH = 1000
"""Rows from which the greatest lower bound is hardly too large (ten Berge & Socan, 2004, Psychometrika 69(4))."""
ALIKE = 1 - 1e-9
"""A correlation from which two items say the same."""


def notes_of(found: Answered, drawn: Mapping[str, Array], missing: Absences, n: int, seed: int) -> Iterator[Note]:
    """Notes on all scales, then on single ones.

    Parameters:
        drawn: construct -> (1 + B, k, k) covariances, the sample's first.
    """
    yield from _on_all(found, missing, n, seed)
    for name, cov in drawn.items():
        yield from _turned(found, name, cov[0])
        yield from _alike(found, name, cov[0])
        if sampled(len(cov[0])):
            en = f"{name}: {SAMPLED} splits were drawn; best and worst are of those."
            yield note("N-SPLITS", en, f"{name}：随机抽取 {SAMPLED} 种折半；最佳与最差仅就其中而言。")


def lost_notes(lost: Mapping[str, float]) -> Iterator[Note]:
    """Scales of which many resamples have no proper factor.

    Parameters:
        lost: construct -> share of the resamples.

    Example:
        >>> [n.code for n in lost_notes({"trust": 0.2, "value": 0.01})]
        ['W-REPLICATES']
    """
    for name, share in lost.items():
        if share > HEAVY:
            en = f"{name}: in {100 * share:.0f} % of the resamples the factor is not proper; intervals leave them out."
            zh = f"{name}：{100 * share:.0f}% 的重抽样中因子解不合理，区间未计入这些重抽样。"
            yield note("W-REPLICATES", en, zh)


def _on_all(found: Answered, missing: Absences, n: int, seed: int) -> Iterator[Note]:
    if n:
        en = f"bootstrap of {n} resamples of respondents, seed {seed}."
        yield note("N-RESAMPLED", en, f"对受访者重抽样 {n} 次，种子 {seed}。")
    absent = int(np.isnan(found.rows).any(axis=1).sum())
    if absent:
        how = "every pair of items has the rows that answer both" if missing == "pairwise" else "they leave their scale"
        how_zh = "每对题项使用两题均作答的行" if missing == "pairwise" else "在所属量表中整行剔除"
        en = f"{absent} of {len(found.rows)} rows lack an answer: {how}."
        yield note("N-ROWS-LEFT", en, f"{len(found.rows)} 行中有 {absent} 行缺少回答：{how_zh}。")
    en = (
        "ordinal alpha is of the responses imagined behind the answers, not of the sum score: do not report it as such."
    )
    zh = "有序 α 描述的是假想的潜在反应，不是总分的信度，请勿当作总分信度报告。"
    yield note("N-ORDINAL-ALPHA", en, zh)


def _turned(found: Answered, name: str, cov: Array) -> Iterator[Note]:
    """Items that go against the rest of their scale."""
    rest = cov.sum(axis=0) - np.diag(cov)
    against = [item for item, value in zip(found.scales[name], rest, strict=True) if value < 0]
    if against:
        en = f"{name}: {', '.join(against)} goes against the rest of its scale; is it to be reversed?"
        yield note("W-ITEM-AGAINST", en, f"{name}：{'、'.join(against)} 与其余题项方向相反，是否应反向计分？")


def _alike(found: Answered, name: str, cov: Array) -> Iterator[Note]:
    """Pairs of items that say the same."""
    sd = np.sqrt(np.diag(cov))
    with np.errstate(divide="ignore", invalid="ignore"):
        same = np.argwhere(np.triu(np.abs(cov / np.outer(sd, sd)) > ALIKE, 1))
    items = found.scales[name]
    for i, j in same:
        en = f"{name}: {items[i]} and {items[j]} are answered alike by everybody; one of them is enough."
        yield note("W-ITEM-TWIN", en, f"{name}：{items[i]} 与 {items[j]} 的回答完全一致，保留其一即可。")
