"""The index as tidy tables and the sentences under them.

Letters: `c` cells, `g` weight groups, `p` items, `q` constructs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from csi.errors import Note, Reason, note
from csi.estimate.engine_words import engine_words
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.later import Later
from csi.inference.pooled import copies_of
from csi.inference.uncertainty import spread, two_sided
from csi.measures.tidy import number_column
from csi.moments.stack import Array, Ints
from csi.tracking.formulas import formula_text
from csi.tracking.index_deff import Worth
from csi.tracking.index_fit import Weights, key_columns
from csi.tracking.index_weights import Rule


def index_table(
    cells: Estimate,
    values: Array,
    std_error: Array | None,
    behind: tuple[Worth, Ints],
    limits: tuple[Array, Array],
    reasons: Mapping[tuple[int, int], Reason],
    formulas: Sequence[str],
) -> pl.DataFrame:
    """One row per cell and construct.

    Parameters:
        behind: design effects with the errors of fixed weights, and (c, q) answers.
    """
    worth, n = behind
    c, q = values.shape
    frame, keys = cells.moments.cells, key_columns(cells)
    known = np.where(np.isnan(values), np.nan, 1.0)
    why = [reasons.get((i, j)) for i in range(c) for j in range(q)]
    columns = {
        **{k: frame[k].gather(np.repeat(np.arange(c), q)) for k in keys},
        "construct": list(cells.solution.constructs) * c,
        "formula": list(formulas) * c,
        "index": number_column(values),
        "std_error": number_column(np.full((c, q), np.nan) if std_error is None else std_error),
        "conf_low": number_column(limits[0]),
        "conf_high": number_column(limits[1]),
        "n": n.reshape(-1),
        **effective_columns(n.reshape(-1).astype(np.float64), worth.deff),
        "std_error_fixed": number_column(worth.fixed * known),
        "reason": pl.Series([None if r is None else r.text.en for r in why], dtype=pl.String),
        "reason_zh": pl.Series([None if r is None else r.text.zh for r in why], dtype=pl.String),
    }
    return pl.DataFrame(columns)


def effective_columns(n: Array, deff: Array) -> dict[str, pl.Series]:
    """Columns n_effective and design_effect.

    Parameters:
        n: (m,) answers. deff: m design effects, of any shape.

    Example:
        >>> effective_columns(np.array([300.0]), np.array([[1.25]]))["n_effective"].to_list()
        [240.0]
    """
    flat = deff.reshape(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"n_effective": number_column(n / flat), "design_effect": number_column(flat)}


def with_items(table: pl.DataFrame, reasons: Iterable[Reason]) -> pl.DataFrame:
    """An index table without the rows of constructs that have no items of their own."""
    without = [r.text.en for r in reasons if r.code == "R-NO-ITEMS"]
    names = table.filter(pl.col("reason").is_in(without))["construct"].unique()
    return table.filter(~pl.col("construct").is_in(names.implode()))


def weight_table(sol: Solution, weights: Weights, linearised: Later[Array] | None = None) -> pl.DataFrame:
    """Relative weights with their standard errors (of the replicates, else linearised), one row per group and item."""
    g, p = weights.values.shape
    drawn = weights.replicates
    std_error = np.full((g, p), np.nan) if drawn is None else spread(drawn, weights.values, weights.factors)
    std_error = std_error if drawn is not None or linearised is None else linearised.value
    cells = weights.groups.cells
    return pl.DataFrame(
        {
            **{k: cells[k].gather(np.repeat(np.arange(g), p)) for k in cells.columns},
            "construct": [sol.constructs[j] for j in sol.block] * g,
            "item": list(sol.items) * g,
            "weight": number_column(weights.values),
            "std_error": number_column(std_error),
        }
    )


def index_notes(
    rule: Rule,
    base: str | None,
    cells: Estimate,
    weights: Weights,
    formulas: Sequence[str],
    *,
    linearised: bool = False,
) -> tuple[Note, ...]:
    """The formulas, the rule of the weights, what the intervals cover, negative replicates."""
    said = ("equal", "等权") if set(formulas) == {"F5"} else _rule_words(rule, base, key_columns(cells))
    scheme = engine_words(cells.settings.name)
    kind = ("Factor-score", "因子得分") if set(formulas) == {"F6"} else ("Outer", "外部")
    notes = [
        note(
            "N-INDEX-WEIGHTS",
            f"{kind[0]} weights: {said[0]}; {scheme.en}.",
            f"{kind[1]}权重：{said[1]}；{scheme.zh}。",
        )
    ]
    notes.append(formula_note(formulas))
    if copies_of(cells):
        do = "csi.pool([csi.index(f) for f in fits])"
        en = "a pooled estimate gives the index without the variance between its copies: pool their indices,"
        zh = "合并估计所得指数的区间未含各份插补之间的方差：请合并各份的指数，即"
        notes.append(note("W-INDEX-POOLED", f"{en} {do}.", f"{zh} {do}。"))
    if linearised:
        en = (
            "Standard errors are linearised (Taylor) and contain the uncertainty of the weights; nothing was resampled."
        )
        zh = "标准误由线性化（泰勒）得到，已计入权重的不确定性；未做重抽样。"
        notes.append(note("N-LINEARISED", en, zh))
    elif cells.replicates is None:
        en = "Intervals hold the weights fixed (no replicates)."
        notes.append(note("N-FIXED-WEIGHTS", en, "区间将权重视为固定（未做重抽样）。"))
    notes.append(note("N-SAMPLING-ONLY", "Intervals cover sampling error only.", "区间仅反映抽样误差。"))
    return (*notes, *two_sided(cells), *_failed_notes(weights), *_negative_notes(cells.solution, weights))


def formula_note(formulas: Sequence[str]) -> Note:
    """Which formulas the numbers are of, by their ids.

    Example:
        >>> formula_note(["F5", "F5"]).say()
        'Formula F5 (equal weights).'
    """
    ids = list(dict.fromkeys(formulas))
    en, zh = (", ".join(formula_text(i) for i in ids), "、".join(formula_text(i, "zh") for i in ids))
    return note("N-FORMULA", f"Formula{'s' if len(ids) > 1 else ''} {en}.", f"公式 {zh}。")


def _rule_words(rule: Rule, base: str | None, keys: list[str]) -> tuple[str, str]:
    """Whose weights they are, by the names of the cells' own keys."""
    own = [k for k in keys if k not in {"wave", "brand"}]
    of = " x ".join(k for k in keys if k != "wave")
    one, many = (of, f"groups of {of}") if own else ("brand", "brands")
    all_zh = f" {of} 各组" if own else "全部品牌"
    each = ("each wave's, over its " + many, f"各期合并{all_zh}")
    entity = (f"each {one}'s, over its waves", f"各{one if own else '品牌'}合并全部期次")
    if keys == ["wave"]:
        return {
            "own": ("each wave's own", "各期自身"),
            "entity": ("one set, over all waves", "合并全部期次"),
            "wave": ("each wave's own", "各期自身"),
            "rolling": ("each wave's and those of the waves before it in a window", "各期及其窗口内此前各期"),
            "base": (f"wave {base} (frozen)", f"基期 {base}（固定）"),
            "pooled": ("all waves together", "全部期次合并"),
            "given": ("given", "外部给定"),
        }[rule]
    if "wave" not in keys:
        each, entity = (
            (f"one set, over all {many}", f"合并{all_zh}"),
            (f"each {one}'s own", f"各{one if own else '品牌'}自身"),
        )
    return {
        "own": ("each cell's own", "各单元自身"),
        "entity": entity,
        "wave": each,
        "rolling": (
            f"each wave's and those of the waves before it in a window, over their {many}",
            f"各期及其窗口内此前各期，合并{all_zh}",
        ),
        "base": (f"wave {base}, over its {many} (frozen)", f"基期 {base} 合并{all_zh}（固定）"),
        "pooled": ("all cells together", "全部单元合并"),
        "given": ("given", "外部给定"),
    }[rule]


def _failed_notes(weights: Weights) -> list[Note]:
    """How many replicates gave no weights (a constant item, collinear items, no convergence); they are left out."""
    if weights.replicates is None:
        return []
    failed = int(np.any(~np.isfinite(weights.replicates), axis=(1, 2)).sum())
    total = weights.replicates.shape[0]
    if not failed:
        return []
    en = f"{failed} of {total} replicates gave no outer weights (an item without variance, say) and are left out."
    zh = f"{total} 个重抽样中有 {failed} 个未得到外部权重（例如某题项无变异），不计入标准误。"
    return [note("N-WEIGHT-REPLICATES", en, zh)]


def _negative_notes(sol: Solution, weights: Weights) -> list[Note]:
    """How many replicates of each construct have a weight that is not positive; they are kept."""
    if weights.replicates is None:
        return []
    notes = []
    for j, name in enumerate(sol.constructs):
        drawn = weights.replicates[:, :, sol.block == j]
        usable = np.isfinite(drawn).all(axis=2)
        negative = int(((drawn <= 0).any(axis=2) & usable).sum())
        if negative and drawn.shape[2]:
            total = int(usable.sum())
            en = f"{name}: {negative} of {total} replicates have an outer weight that is not positive; they are kept."
            zh = f"{name}：{total} 个重抽样中有 {negative} 个外部权重不为正，均予保留。"
            notes.append(note("N-NEGATIVE-REPLICATES", en, zh))
    return notes
