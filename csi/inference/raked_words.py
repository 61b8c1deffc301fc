"""What is said of raking: margins that no weights meet, bounds that hold them off, large weights, households."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from csi.errors import Note, Problem, note, problem
from csi.moments.raking import Fitted, Margin
from csi.moments.stack import Array
from csi.survey.weighing import Weighing

LARGE = 8.0
"""A weight so many times the mean of its group is told."""

COSTLY = 2.0
"""A design effect from which weighting costs half of the answers."""

SHARED = 0.9
"""Share of households of several people with one weight from which weights are taken to be the household's."""

Label = tuple[tuple[str, ...], str, str]


def unmet(weight: Array, margins: Sequence[Margin], labels: Sequence[Sequence[Label]]) -> list[tuple[float, Label]]:
    """The categories farthest from their margins, with what they lack as a share of their group."""
    found = []
    for margin, label in zip(margins, labels, strict=True):
        have = np.bincount(margin.code, weight, minlength=margin.target.size)
        whole = np.bincount(margin.group, margin.target)[margin.group]
        away = (have - margin.target) / whole
        found += [(float(away[i]), label[i]) for i in range(away.size)]
    return sorted(found, key=lambda pair: -abs(pair[0]))


def not_settled(fitted: Fitted, away: Sequence[tuple[float, Label]], places: Mapping[str, str]) -> Problem:
    """That no weights meet all margins at once."""
    worst = away[0]
    group, name, category = worst[1]
    whose = f" ({' '.join(group)})" if group else ""
    en = f'no weights meet all margins{whose}: after {fitted.iterations} turns {name} "{category}" is still '
    en += f"{100 * abs(worst[0]):.2f} points {'above' if worst[0] > 0 else 'below'} its margin."
    zh = f"没有权重能同时满足全部边际{whose}：迭代 {fitted.iterations} 次后，{name}“{category}”"
    zh += f"仍{'高于' if worst[0] > 0 else '低于'}边际 {100 * abs(worst[0]):.2f} 个百分点。"
    do = "Combinations of categories that nobody is in keep margins apart: merge categories, leave a margin out, or "
    do += "raise iterations."
    do_zh = "无人的类别组合会使各边际无法同时满足：请合并类别、去掉一个边际，或增大 iterations。"
    return problem(
        "E-RAKE", places.get(f"{name}:{category}", places.get(name, f'margins["{name}"]')), en, zh, do, do_zh
    )


def doubts(record: Weighing, base: Array, household: pl.Series | None) -> tuple[Note, ...]:
    """Notes on a raking that ended."""
    notes = [_bounded(record), *_large(record), _costly(record), *household_notes(base, household, record.base)]
    return tuple(n for n in notes if n is not None)


def whole_notes(frame: pl.DataFrame, record: Weighing) -> list[Note]:
    """That margins hold over waves or brands together, and how far single ones are from them.

    Parameters:
        frame: the raked rows of a panel.
    """
    named = {v for names in record.variables for v in names}
    over = [c for c in ("wave", "brand") if c in frame.columns and c not in record.by and c not in named]
    over = [c for c in over if frame[c].n_unique() > 1]
    if not over:
        return []
    by = [*record.by, *over]
    listed, listed_zh = (
        " and ".join(f"{c}s" for c in over),
        "、".join({"wave": "各期", "brand": "各品牌"}[c] for c in over),
    )
    en = f"margins hold over all {listed} together, not in each: single ones may be of other people. Write "
    en += f"weights: {{by: [{', '.join(by)}]}} where each has these margins."
    zh = f"边际对{listed_zh}合并成立，并非逐一成立，单独各组的构成可能不同。若每组都应符合边际，请写 "
    return [note("N-MARGIN-WHOLE", en, f"{zh}weights: {{by: [{', '.join(by)}]}}。")]


def _most(values: pl.Series) -> float:
    return float(np.max(values.to_numpy()))


def _bounded(record: Weighing) -> Note | None:
    """That bounds keep margins from being met."""
    worst = _most(record.groups["deviation"])
    if record.converged or record.bounds is None:
        return None
    low, high = record.bounds
    en = f"within the bounds {low:g} and {high:g} of the mean weight the margins cannot all be met: the largest "
    en += f"deviation is {100 * worst:.2f} points. Widen trim, or merge categories."
    zh = f"权重限制在均值的 {low:g} 至 {high:g} 倍之内时，无法满足全部边际：最大偏差 {100 * worst:.2f} 个百分点。"
    return note("W-RAKE-TRIM", en, f"{zh}请放宽 trim，或合并类别。")


def _large(record: Weighing) -> list[Note]:
    """That single answers weigh very much."""
    far = record.groups.filter(pl.col("largest") > LARGE)
    if not far.height or record.bounds is not None:
        return []
    most = _most(far["largest"])
    en = f"the largest weight is {most:.1f} times the mean of its group: single answers move its numbers. Merge small "
    en += "categories, or bound the weights: trim: {max: 5}."
    zh = f"最大权重为所在组均值的 {most:.1f} 倍，个别答卷会左右结果。请合并小类别，或限制权重：trim: {{max: 5}}。"
    return [note("W-WEIGHT-LARGE", en, zh)]


def _costly(record: Weighing) -> Note | None:
    """That weighting costs half the answers or more."""
    worst = _most(record.groups["design_effect"])
    if worst < COSTLY:
        return None
    en = f"weighting costs precision: the design effect reaches {worst:.2f}, so that answers count like "
    en += f"{100 / worst:.0f} % of their number."
    zh = f"加权降低了精度：设计效应最高达 {worst:.2f}，有效样本量仅相当于 {100 / worst:.0f}%。"
    return note("W-WEIGHT-DEFF", en, zh)


def household_notes(weight: Array, household: pl.Series | None, base: str) -> list[Note]:
    """That base weights look like those of households where people were asked.

    A household's weight is the inverse chance of the household; of one person drawn in it the weight is that times the
    people it has. Where the members that answered have one weight, and households of all sizes the same weights, the
    weights know nothing of people.
    """
    if household is None or not base:
        return []
    found = (
        pl.DataFrame({"h": household.cast(pl.String), "w": weight})
        .drop_nulls("h")
        .group_by("h")
        .agg(n=pl.len(), low=pl.col("w").min(), high=pl.col("w").max())
        .filter(pl.col("n") > 1)
    )
    same = found.filter(pl.col("high") <= pl.col("low") * (1 + 1e-9)).height
    if not found.height or same < SHARED * found.height or float(np.ptp(weight)) == 0:
        return []
    people, column = int(found["n"].sum()), household.name
    en = f"{same} of {found.height} households with several respondents ({people} people, column {column}) have one "
    en += f"weight for all their members: {base} may be a household's weight. If one person of a household was drawn, "
    en += "multiply it by the number of people in the household; if all were asked, name the household as cluster."
    zh = f"{found.height} 个有多名受访者的家庭（{people} 人，{column} 列）中有 {same} 个家庭的成员权重相同：{base} 可能"
    zh += "是住户权重。若每户只抽一人，请乘以户内人数；若全户受访，请将住户列设为 cluster。"
    return [note("N-WEIGHT-HOUSEHOLD", en, zh)]
