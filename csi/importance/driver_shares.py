"""What each construct with an arrow to a target accounts for of what is explained there, beside its total effect.

Letters: `q` constructs, `k` predictors, `b` slices of a stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problems, Text, note, one_of
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.estimate.unrolled import on_items
from csi.importance.drivers import check_target
from csi.importance.lmg import MOST, lmg
from csi.importance.separable import unreadable
from csi.importance.shares import SINGULAR, johnson
from csi.measures.effects import total_effects
from csi.measures.shown import told
from csi.measures.tidy import cells_of, said_once, tidy, uncertain
from csi.moments.stack import Array, Moments

Method = Literal["johnson", "lmg"]
METHODS: Final[Mapping[Method, Text]] = {
    "johnson": Text("Johnson weight", "Johnson 相对权重"),
    "lmg": Text("LMG (gain in R2, averaged over orders)", "LMG（各进入次序下 R² 增量的均值）"),
}
"""How what predictors explain together is divided."""

COLUMNS = ("share", "weight", "total_effect", "correlation")
HEADINGS = {
    "construct": Text("construct", "构念"),
    "share": Text("share of R2", "占 R² 份额"),
    "weight": Text("Johnson weight", "Johnson 相对权重"),
    "total_effect": Text("total effect", "总效应"),
    "correlation": Text("correlation", "相关"),
}


@dataclass(frozen=True, slots=True, repr=False)
class DriverShares(Shown):
    """What each of a target's predictors accounts for, in every cell.

    Attributes:
        table: the cell's key columns, construct, share (of R2, sums to 1), weight (relative weight or LMG, sums to R2),
            total_effect (standardised, through all arrows), correlation (with the target), and with replicates
            NAME_conf_low, NAME_conf_high of each.
        target, method, r2 ((b,) of the target on its predictors), level, sentences, notes.
        clear: per cell, whether the largest share exceeds every other at the level; None without replicates.
    """

    table: pl.DataFrame
    target: str
    method: Method
    r2: Array
    level: float
    clear: tuple[bool | None, ...]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: DriverShares, lang: str = "en") -> str:
    """Sentences, shares, notes."""
    heads = {c: t.say(lang) for c, t in headings(value.method).items()}
    lines = [*(s.say(lang) for s in value.sentences), "", table(value.table, headings=heads), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def headings(method: Method) -> dict[str, Text]:
    """Headings of the table by the way of dividing.

    Example:
        >>> headings("johnson")["weight"].en
        'Johnson weight'
    """
    return {**HEADINGS, "weight": METHODS[method]}


def driver_shares(est: Estimate, target: str = "satisfaction", method: Method = "johnson") -> DriverShares:
    """What the constructs with arrows to a target account for (relative weights or LMG), beside their total effects.

    Predictors that go together share what they explain; a path says what is left to one with the others held fixed, a
    relative weight, or LMG, how much of R2 it accounts for.

    Parameters:
        est: a fitted model; after `bootstrap` the table has intervals. target: an endogenous construct.
        method: "johnson" (relative weights) or "lmg" (gain in R2 averaged over all orders of the predictors, which are
            the Shapley values; of more than 15 predictors orders are sampled, which a note says).

    Returns:
        A `DriverShares`; NaN where the predictors are collinear, or the fit may not be read (as in `drivers`).

    Raises:
        Problems: the target is not a construct of the model, nothing leads to it, or no such method (E-SETTING).

    Source:
        Johnson (2000), Multivariate Behavioral Research 35(1), 1-19; Lindeman, Merenda & Gold (1980). Both agree with R
        (eigen; lm) and pingouin on the SQ data (tests/importance/test_lmg.py).

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "b1": [1, 5, 6, 9, 3], "c1": [2, 5, 8, 8, 3]}
        >>> model = csi.Model.parse("a =~ a1; b =~ b1; c =~ c1; c ~ a + b")
        >>> found = driver_shares(csi.fit(model, pl.DataFrame(answers), csi.PLS()), "c")
        >>> found.table.select("construct", pl.col("share").round(3)).rows()
        [('a', 0.456), ('b', 0.544)]
    """
    check_estimate(est)
    check_target(est, target)
    if unknown := one_of("method", method, get_args(Method)):
        raise Problems(unknown)
    est = on_items(est)
    names = est.solution.constructs
    products = {c.name for c in est.model.constructs if c.product_of}
    predictors = [c for c in est.model.predictors(target) if c not in products]
    at, y = [names.index(c) for c in predictors], names.index(target)

    def quantity(moments: Moments, solution: Solution) -> Array:
        del moments
        told = np.stack(shares(solution, at, y, method), axis=1)
        return np.concatenate([told, told[:, 0, :, None] - told[:, 0, None, :]], axis=1)

    found = uncertain(est, quantity)
    values = quantity(est.moments, est.solution) if found is None else found.value
    why = unreadable(est, [*predictors, target])
    values = np.where(np.array([w is not None for w in why])[:, None, None], np.nan, values)
    numbers: dict[str, Array] = {}
    for i, name in enumerate(COLUMNS):
        numbers[name] = values[:, i]
        if found is not None:
            told = np.where(np.isfinite(values[:, i]), 1.0, np.nan)
            numbers |= {
                f"{name}_conf_low": told * found.conf_low[:, i],
                f"{name}_conf_high": told * found.conf_high[:, i],
            }
    labels = pl.DataFrame({"construct": predictors}, schema={"construct": pl.String})
    frame = tidy(cells_of(est), labels, numbers, {})
    clear = _clear(values[:, 0], None if found is None else found.conf_low[:, len(COLUMNS) :])
    r2, said = values[:, 1].sum(axis=1), _sentences(frame, target, clear)
    notes = (*(Note(r.code, r.text) for r in said_once(why).values()), *_notes(frame, method, len(predictors)))
    return DriverShares(frame, target, method, r2, est.level, clear, said, notes)


def _clear(share: Array, low: Array | None) -> tuple[bool | None, ...]:
    """Whether a cell's largest share exceeds every other: the lower bound of each difference is above 0.

    All of them must, so that no correction is due (an intersection-union test).

    Parameters:
        share: (b, k). low: (b, k, k) lower bounds of the differences of shares, row minus column.

    Example:
        >>> low = np.array([[[0.0, 0.1], [-0.3, 0.0]], [[0.0, -0.1], [-0.3, 0.0]]])
        >>> _clear(np.array([[0.6, 0.4], [0.55, 0.45]]), low)
        (True, False)
    """
    if low is None:
        return (None,) * len(share)
    out: list[bool | None] = []
    for own, bounds in zip(share, low, strict=True):
        best = int(np.argmax(own)) if np.isfinite(own).all() else None
        out.append(None if best is None else bool((np.delete(bounds[best], best) > 0).all()))
    return tuple(out)


def shares(solution: Solution, at: list[int], y: int, method: Method = "johnson") -> tuple[Array, Array, Array, Array]:
    """Shares of R2, relative weights or LMG, total effects and correlations, (m, k) each; NaN where collinear."""
    cor = solution.construct_cor
    R, r = cor[:, at][:, :, at], cor[:, at, y]
    known = np.asarray(np.isfinite(R).all(axis=(1, 2)) & np.isfinite(r).all(axis=1))
    safe = np.where(known[:, None, None], R, np.eye(len(at)))
    usable = known & (np.linalg.eigvalsh(safe)[:, 0] > SINGULAR)
    divided = lmg if method == "lmg" else johnson
    weight = divided(np.where(usable[:, None, None], R, np.eye(len(at))), np.where(usable[:, None], r, 0.0))
    weight[~usable] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        share = weight / weight.sum(axis=1, keepdims=True)
    return share, weight, total_effects(solution.paths)[:, y, at], r


def _sentences(frame: pl.DataFrame, target: str, clear: Sequence[bool | None]) -> tuple[Text, ...]:
    """Per cell, the predictor that accounts for most of what is explained, or the two that cannot be told apart."""
    keys = frame.columns[: frame.columns.index("construct")]
    out = []
    parts = frame.partition_by(keys, maintain_order=True) if keys else [frame]
    for part, ahead in zip(parts, clear, strict=True):
        known = part.filter(pl.col("share").is_not_null())
        if not known.height:
            continue
        top, cell = known.sort("share", descending=True).row(0, named=True), " ".join(str(part[k][0]) for k in keys)
        en = f"{top['construct']} accounts for {top['share']:.0%} of what is explained of {target}."
        zh = f"{target} 的已解释部分中，{top['construct']} 占 {top['share']:.0%}。"
        if ahead is False:
            second = known.sort("share", descending=True).row(1, named=True)
            en = f"{top['construct']} ({top['share']:.0%}) and {second['construct']} ({second['share']:.0%}) come first"
            en += f" in what is explained of {target}; which of them accounts for most cannot be told."
            zh = f"{target} 的已解释部分中，{top['construct']}（{top['share']:.0%}）与 {second['construct']}"
            zh += f"（{second['share']:.0%}）居前，孰大尚不能区分。"
        out.append(Text(f"{cell}: {en}" if cell else en, f"{cell}：{zh}" if cell else zh))
    return tuple(out)


def orders_sampled(k: int) -> Note:
    """That orders of many predictors are sampled."""
    en = f"LMG of {k} predictors is of sampled orders, not of all; its error is small beside that of the answers."
    return note("N-LMG-SAMPLED", en, f"{k} 个预测变量的 LMG 取自抽样的进入次序，而非全部次序；其误差远小于抽样误差。")


def _notes(frame: pl.DataFrame, method: Method, k: int) -> tuple[Note, ...]:
    """What a relative weight is, and cells whose predictors are collinear."""
    en = "a relative weight is derived from these answers; it is not the same as the importance customers state."
    zh = "相对权重由本次回答推算，不等同于顾客自述的重要性。"
    if method == "lmg":
        en = (
            "LMG is derived from these answers (gain in R2, averaged over all orders of the predictors); it is not the "
        )
        en, zh = (
            en + "importance customers state.",
            "LMG 由本次回答推算（各进入次序下 R² 增量的均值），不等同于顾客自述的重要性。",
        )
    found = [note("N-RELATIVE-WEIGHT", en, zh)]
    if method == "lmg" and k > MOST:
        found.append(orders_sampled(k))
    if frame["share"].null_count():
        en = "where predictors are collinear no relative weights are given."
        found.append(note("W-COLLINEAR", en, "预测构念共线时不给出相对权重。"))
    return tuple(found)
