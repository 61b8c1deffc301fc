"""How necessary conditions read: sentences computed from the numbers, and lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import polars as pl

from csi.display import least_p, significant, table
from csi.errors import Note, Text
from csi.estimate.shown import p_is, p_text

LEVEL = 0.05
"""Of the test named in a sentence."""

USUAL = 0.1
"""Effect sizes below this are customarily called small (Dul, 2016)."""

HEADINGS: Final = {
    "condition": Text("condition", "条件"),
    "ceiling": Text("ceiling", "天花板线"),
    "n": Text("n", "样本量"),
    "effect": Text("effect d", "效应量 d"),
    "p_value": Text("p", "p 值"),
    "size": Text("size", "大小"),
    "accuracy": Text("accuracy", "准确度"),
    "slope": Text("slope", "斜率"),
    "intercept": Text("intercept", "截距"),
    "condition_inefficiency": Text("condition ineff.", "条件无效率"),
    "outcome_inefficiency": Text("outcome ineff.", "结果无效率"),
    "level": Text("level %", "水平 %"),
    "outcome": Text("outcome", "结果"),
}
SIZES: Final = {
    "none": Text("none", "无"),
    "small": Text("small", "小"),
    "medium": Text("medium", "中"),
    "large": Text("large", "大"),
    "very large": Text("very large", "很大"),
}
NOTHING: Final = Text("NN", "不需要")
UNREACHED: Final = Text("NA", "达不到")


def sentence(row: Mapping[str, Any], outcome: str, permutations: int = 0) -> Text:
    """What one condition's step function says; a p that no permutation reached is a bound.

    Example:
        >>> sentence({"condition": "x", "effect": 0.416, "p_value": 0.08}, "y").en
        'x: no sign of a necessary condition for y (d = 0.416, p = 0.080).'
        >>> sentence({"condition": "x", "effect": 0.416, "p_value": 0.002}, "y", 499).en
        'x: consistent with a necessary condition for y (d = 0.416, p ≤ 0.002); high y was not found without it.'
    """
    x, d, p = row["condition"], float(row["effect"]), row["p_value"]
    tail = f"d = {d:.3f}" if p is None else f"d = {d:.3f}, p {p_is(float(p), least_p(permutations))}"
    if p is None:
        return Text(
            f"{x}: {100 * d:.0f} % of the scope above it is empty ({tail}); not tested.",
            f"{x}：其上方 {100 * d:.0f}% 的范围为空（{tail}）；未作检验。",
        )
    if p >= LEVEL:
        return Text(
            f"{x}: no sign of a necessary condition for {outcome} ({tail}).",
            f"{x}：没有迹象表明它是{outcome}的必要条件（{tail}）。",
        )
    if d < USUAL:
        return Text(
            f"{x}: the corner is emptier than chance leaves it, but the effect is small ({tail}).",
            f"{x}：角上比偶然情形更空，但效应很小（{tail}）。",
        )
    return Text(
        f"{x}: consistent with a necessary condition for {outcome} ({tail}); high {outcome} was not found without it.",
        f"{x}：与“{outcome}的必要条件”一致（{tail}）；未见缺少它而{outcome}高的情形。",
    )


def lines_of(
    effects: pl.DataFrame,
    bottleneck: pl.DataFrame,
    sentences: Sequence[Text],
    notes: Sequence[Note],
    lang: str,
    permutations: int = 0,
) -> str:
    """Effects, bottleneck tables (percent of the ranges), sentences and notes."""
    said = {word: t.say(lang) for word, t in SIZES.items()}
    shown = effects.drop("zone", "scope").with_columns(pl.col("size").replace(said))
    prints = dict.fromkeys((c for c in shown.columns if shown[c].dtype.is_float()), significant)
    prints["p_value"] = partial(p_text, least=least_p(permutations))
    parts = [table(shown, prints, {c: t.say(lang) for c, t in HEADINGS.items()})]
    for kind in bottleneck["ceiling"].unique(maintain_order=True):
        title = Text(
            f"Bottleneck, {kind}: percent of the range of each condition", f"瓶颈表（{kind}）：各条件范围的百分比"
        )
        parts += ["", title.say(lang), table(wide(bottleneck, kind, lang), number=lambda v: f"{v:.1f}")]
    return "\n".join([*parts, "", *(s.say(lang) for s in sentences), *(f"* {n.say(lang)}" for n in notes)])


def wide(bottleneck: pl.DataFrame, kind: str, lang: str, column: str = "needed_percent") -> pl.DataFrame:
    """Levels as rows and conditions as columns, as printed; NN where nothing is needed, NA where none is enough.

    Parameters:
        column: "needed_percent", "needed" or "below".
    """
    rows = bottleneck.filter(ceiling=kind)
    printed = pl.col(column).round(1).map_elements(lambda v: f"{v:.1f}", return_dtype=pl.String)
    cell = (
        pl.when(pl.col("status") == "nothing")
        .then(pl.lit(NOTHING.say(lang)))
        .when(pl.col("status") == "out of reach")
        .then(pl.lit(UNREACHED.say(lang)))
        .otherwise(printed)
    )
    level = HEADINGS["level"].say(lang)
    names = rows["condition"].unique(maintain_order=True).to_list()
    parts = [rows.filter(condition=name).select(level=pl.col("level"), cell=cell) for name in names]
    columns = {level: parts[0]["level"], **{n: p["cell"] for n, p in zip(names, parts, strict=True)}}
    return pl.DataFrame(columns)
