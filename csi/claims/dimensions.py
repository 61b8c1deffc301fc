"""Which part of a construct made of constructs carries it: relative weights of its parts for what it leads to.

Letters: `k` parts, `b` slices of a stack.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from csi.errors import Text
from csi.estimate.estimate import Estimate, Solution
from csi.importance.shares import johnson
from csi.measures.tidy import cell_codes, cells_of, solved_only, tidy, uncertain
from csi.models.model import Model
from csi.moments.stack import Array, Moments


def dimensions(est: Estimate, model: Model | None = None) -> pl.DataFrame:
    """Johnson's relative weights of the parts of every construct made of constructs, for each outcome of it.

    What the parts together explain of the outcome is shared out among them: share = weight / R2.

    Parameters:
        est: a fitted model; after `bootstrap` with intervals. model: which parts and outcomes, those of `est` where
            None. A common factor of the parts makes their shares a matter of loadings alone, the same for every
            outcome, so that a covariance fit must be of a model in which the parts stand apart.

    Returns:
        key columns, construct, outcome, part, share, conf_low, conf_high, r2 (of the outcome on the parts), reason;
        no rows where nothing is made of constructs.

    Source:
        Johnson (2000), Multivariate Behavioral Research 35(1), 1-19.
    """
    names = est.solution.constructs
    of = model or est.model
    whole = {c.name: [p for p in c.items if p in names] for c in of.constructs}
    pairs = [
        (name, path.outcome, parts)
        for name, parts in whole.items()
        if len(parts) > 1
        for path in of.paths
        if path.predictor.name == name and path.outcome in names
    ]
    if not pairs:
        return pl.DataFrame()

    def quantity(_: Moments, solution: Solution) -> Array:
        return np.concatenate([_shares(solution, outcome, parts) for _, outcome, parts in pairs], axis=-1)

    found = uncertain(est, quantity, kept=True)
    both = quantity(est.moments, est.solution) if found is None else found.value
    at = _first(pairs)
    numbers = {"share": both[:, at], "r2": both[:, _totals(pairs)]}
    if found is not None:
        numbers |= {"conf_low": found.conf_low[:, at], "conf_high": found.conf_high[:, at]}
    labels = pl.DataFrame(
        [(name, outcome, part) for name, outcome, parts in pairs for part in parts],
        schema={"construct": pl.String, "outcome": pl.String, "part": pl.String},
        orient="row",
    )
    return tidy(cells_of(est), labels, solved_only(est, numbers), {"reason": cell_codes(est, labels.height)})


Pair = tuple[str, str, list[str]]


def _shares(solution: Solution, outcome: str, parts: list[str]) -> Array:
    """(b, k + 1) shares of the parts, then R2; NaN where the parts determine one another."""
    at = [solution.constructs.index(p) for p in parts]
    y = solution.constructs.index(outcome)
    cor = solution.construct_cor
    R, r = cor[:, at][:, :, at], cor[:, at, y]
    usable = np.asarray(np.isfinite(R).all(axis=(1, 2)) & np.isfinite(r).all(axis=1))
    usable[usable] = np.linalg.eigvalsh(R[usable])[:, 0] > 1e-8
    weights = np.full(r.shape, np.nan)
    weights[usable] = johnson(R[usable], r[usable])
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([weights / total, total], axis=1)


def _first(pairs: list[Pair]) -> list[int]:
    """Where the shares stand among the numbers of `_shares` in a row."""
    out, start = [], 0
    for _, _, parts in pairs:
        out += [start + k for k in range(len(parts))]
        start += len(parts) + 1
    return out


def _totals(pairs: list[Pair]) -> list[int]:
    """Where R2 stands, once per part."""
    out, start = [], 0
    for _, _, parts in pairs:
        start += len(parts) + 1
        out += [start - 1] * len(parts)
    return out


def _overlap(rows: pl.DataFrame) -> bool:
    """Whether the interval of the largest share reaches into that of another part."""
    if "conf_low" not in rows.columns or rows["conf_low"].null_count():
        return False
    first, *others = rows.sort("share", descending=True).iter_rows(named=True)
    return any(first["conf_low"] <= other["conf_high"] for other in others)


def dimension_sentences(table: pl.DataFrame, model: Model) -> tuple[Text, ...]:
    """The part with the largest share for the first outcome of each construct, cell by cell."""
    if not table.height:
        return ()
    keys = table.columns[: table.columns.index("construct")]
    first = table.filter(pl.col("share").is_not_null())
    first = first.filter(pl.col("outcome") == pl.col("outcome").first().over([*keys, "construct"]))
    made = []
    for cell, rows in first.group_by([*keys, "construct", "outcome"], maintain_order=True):
        best = rows.sort("share", descending=True).row(0, named=True)
        place = " ".join(str(k) for k in cell[: len(keys)] if k)
        span = ""
        if best.get("conf_low") is not None:
            span = f" [{100 * best['conf_low']:.0f}, {100 * best['conf_high']:.0f}]"
        part, whole, y = best["part"], best["construct"], best["outcome"]
        share = f"{100 * best['share']:.0f}{span} %"
        en = f"{model.label(part)} has the largest share of {model.label(whole)}: {share} of what its parts explain of "
        zh = f"{model.label(whole, 'zh')}中{model.label(part, 'zh')}占比最大："
        zh += f"各维度对{model.label(y, 'zh')}解释部分的 {share}"
        close = _overlap(rows)
        en += f"{model.label(y)}{', but the intervals of other parts overlap' if close else ''}."
        zh += "，但与其他维度的区间重叠。" if close else "。"
        made.append(Text(f"{place}: {en}" if place else en, f"{place}：{zh}" if place else zh))
    return tuple(made)
