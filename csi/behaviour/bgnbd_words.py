"""BG/NBD in words: what is expected, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from csi.behaviour.bgnbd_numbers import Maximum
from csi.behaviour.buying import UNITS, Unit
from csi.display import fixed
from csi.errors import Note, Text, note
from csi.moments.stack import Array

REPEATERS = 100
"""Fewer customers who bought again are a note."""


def sentences_of(totals: pl.DataFrame, unit: Unit, ahead: float, level: float) -> tuple[Text, ...]:
    """What is expected of all customers, and how many may still be customers."""
    row = totals.row(0, named=True)
    share, span = 100 * row["alive"], f"{ahead:g}"
    times = fixed(row["expected"], 0)
    en = f"{row['count']} customers are expected to buy {times} times in the next {span} {UNITS[unit].en}"
    zh = f"预计 {row['count']} 名顾客在未来 {span} {UNITS[unit].zh}内购买 {times} 次"
    if row["conf_low"] is not None:
        low, high = fixed(row["conf_low"], 0), fixed(row["conf_high"], 0)
        en += f" ({100 * level:g}% interval {low} to {high}, uncertainty of the parameters)"
        zh += f"（{100 * level:g}% 区间 {low} 至 {high}，仅含参数的不确定性）"
    first = Text(f"{en}.", f"{zh}。")
    en = f"On average the chance of still being a customer is {fixed(share, 0)}%; {row['repeaters']} bought again."
    zh = f"顾客仍活跃的平均概率为 {fixed(share, 0)}%；目前已有 {row['repeaters']} 人复购。"
    return first, Text(en, zh)


def few_notes(x: Array, fitted: Maximum, paid: Maximum | None) -> Iterator[Note]:
    """Few who bought again; a likelihood without a clear top; amounts without a mean."""
    again = int((x > 0).sum())
    if again < REPEATERS:
        en, zh = f"{again} customers bought again: few to learn from.", f"复购顾客只有 {again} 人，样本偏少。"
        yield note("W-BGNBD", en, zh)
    if fitted.edge or not np.isfinite(fitted.cov_log).all():
        en = "the purchases do not determine all parameters (customers leave never or at once); no standard errors."
        zh = "购买记录不足以确定全部参数（顾客几乎从不流失或立即流失），不给出标准误。"
        yield note("W-BGNBD", en, zh)
    if paid is not None and paid.values[1] <= 1:
        en = "amounts vary so much that their mean is not determined for customers without repeat purchases."
        zh = "金额离散过大，无法确定未复购顾客的预期金额。"
        yield note("W-BGNBD", en, zh)
