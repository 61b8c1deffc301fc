"""How weights were made, in words and tables: for the method of a report, `csi weigh` and `csi check`."""

from __future__ import annotations

import numpy as np
import polars as pl

from csi.errors import Text
from csi.inference.make_replicates import MadeWeights
from csi.reporting.tables import printed
from csi.survey.weighing import Weighing

HEADINGS = {
    "margin": Text("margin", "边际"),
    "category": Text("category", "类别"),
    "target": Text("target", "目标"),
    "before": Text("before", "加权前"),
    "after": Text("after", "加权后"),
    "design_effect": Text("design effect", "设计效应"),
    "effective_n": Text("effective n", "有效样本量"),
    "smallest": Text("smallest weight", "最小权重"),
    "largest": Text("largest weight", "最大权重"),
    "trimmed": Text("trimmed", "截断比例"),
    "sum": Text("sum of weights", "权重合计"),
}


def told_margins(record: Weighing, small: int) -> pl.DataFrame:
    """The margins; counts and shares before weighting only where no category of the margin has too few answers.

    One small category hides its margin in that group, because the others would give it away.

    Example:
        >>> import csi
        >>> made = csi.rake(pl.DataFrame({"sex": ["f", "f", "m"]}), {"sex": {"f": 0.5, "m": 0.5}})
        >>> told_margins(made.weighing, 2)["n"].to_list()
        [None, None]
    """
    few = pl.col("n").min().over([*record.by, "margin"]) < small
    return record.margins.with_columns(pl.when(~few).then(pl.col(c)).alias(c) for c in ("n", "before"))


def bases_told(record: Weighing, small: int) -> pl.DataFrame:
    """What weighting costs the groups that have as many answers as are told of."""
    return record.groups.filter(pl.col("n") >= small)


def ended(record: Weighing) -> Text:
    """How raking ended, in a sentence.

    Example:
        >>> import csi
        >>> made = csi.rake(pl.DataFrame({"sex": ["f", "f", "m"]}), {"sex": {"f": 0.5, "m": 0.5}})
        >>> ended(made.weighing).en
        'Raked to sex: converged in 1 turn; largest deviation 0.0000 points; design effect 1.12.'
    """
    names = ["*".join(v) for v in record.variables]
    worst = 100 * _most(record.groups["deviation"])
    by = f" by {' and '.join(record.by)}" if record.by else ""
    by_zh = f"（按 {'、'.join(record.by)} 分别进行）" if record.by else ""
    turns = "1 turn" if record.iterations == 1 else f"{record.iterations} turns"
    en = f"Raked to {', '.join(names)}{by}: "
    en += f"converged in {turns}" if record.converged else f"not all margins are met after {turns}"
    en += f"; largest deviation {worst:.4f} points; {cost(record).en}."
    zh = f"按 {'、'.join(names)} 进行边际加权{by_zh}："
    zh += f"迭代 {record.iterations} 次收敛" if record.converged else f"迭代 {record.iterations} 次后仍未满足全部边际"
    return Text(en, f"{zh}；最大偏差 {worst:.4f} 个百分点；{cost(record).zh}。")


def made_said(made: MadeWeights) -> Text:
    """What replicate weights were made, in a sentence, with what their variance takes.

    Example:
        >>> import csi
        >>> made_said(csi.make_replicates(pl.DataFrame({"q": [1, 2, 4]}), "jk1")).en
        'Replicate weights: 3 of kind jk1 made of the design; scale 0.6667, 2 degrees of freedom.'
    """
    many, each = printed(made.weights.width, "count"), made.rscales
    spread = "" if len(set(each)) == 1 else f", rscales {min(each):.4g}–{max(each):.4g}"
    one = made.scale * each[0] if not spread else made.scale
    en = f"Replicate weights: {many} of kind {made.kind} made of the design; scale {one:.4g}{spread}"
    zh = f"重复权重：由抽样设计生成 {many} 个（{made.kind}）；scale 为 {one:.4g}{spread.replace(', ', '，')}"
    return Text(f"{en}, {made.df:.0f} degrees of freedom.", f"{zh}，自由度为 {made.df:.0f}。")


def cost(record: Weighing) -> Text:
    """The design effect and what was trimmed, over the groups."""
    low, high = (float(f(record.groups["design_effect"].to_numpy())) for f in (np.min, np.max))
    span = f"{high:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    en, zh = f"design effect {span}", f"设计效应 {span.replace(' to ', '–')}"
    if record.bounds is not None:
        cut = float(np.average(record.groups["trimmed"].to_numpy(), weights=record.groups["n"].to_numpy()))
        least, most = record.bounds
        en += f"; weights held within {least:g} and {most:g} times the mean, {printed(cut, 'share')} of them at a bound"
        zh += f"；权重限制在均值的 {least:g}–{most:g} 倍，其中 {printed(cut, 'share')} 处于界限"
    return Text(en, zh)


def method_rows(record: Weighing | None) -> list[tuple[Text, Text]]:
    """The lines of a report's method on weights that were raked."""
    if record is None:
        return []
    effective = record.groups["effective_n"].to_numpy()
    low, high = (printed(float(f(effective)), "count") for f in (np.min, np.max))
    span = low if low == high else f"{low}–{high}"
    how = ended(record)
    en = f"{how.en} Margins are raked again in every replicate, so that standard errors know them."
    zh = f"{how.zh}每次重抽样均重新按边际加权，标准误已计入边际信息。"
    sizes = Text(f"{span} a group (n / (1 + cv²))", f"各组 {span}（n / (1 + cv²)）")
    return [(Text("Raking", "边际加权"), Text(en, zh)), (Text("Effective n of weighting", "加权后的有效样本量"), sizes)]


def _most(values: pl.Series) -> float:
    return float(np.max(values.to_numpy()))
