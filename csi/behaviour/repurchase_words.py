"""What is said of customers who buy again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from csi.behaviour.buying import UNITS, Unit
from csi.display import fixed
from csi.errors import Note, Text, note
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "customers": Text("customers", "顾客数"),
    "n": Text("n", "人数"),
    "again": Text("bought again", "复购人数"),
    "share": Text("share", "占比"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "repeaters": Text("ever bought again", "曾复购人数"),
    "repeats": Text("repeat purchases", "复购次数"),
    "observed": Text("time observed", "观察总时长"),
    "rate": Text("a customer and unit of time", "每顾客每单位时间"),
    "cohort": Text("first bought from", "首购批次（起始日）"),
    "brand": Text("brand", "品牌"),
}
"""Headings of columns."""

ONE: Final = {"day": Text("day", "天"), "week": Text("week", "周"), "month": Text("month", "月"),
              "year": Text("year", "年")}  # fmt: skip
MOST: Final = 4
"""Groups that are told in sentences."""


def repurchase_sentences(
    table: pl.DataFrame, rates: pl.DataFrame, by: Sequence[str], within: float, unit: Unit, level: float
) -> tuple[Text, ...]:
    """The share of every group, and its rate."""
    out: list[Text] = []
    span = Text(f"{within:g} {UNITS[unit].en}", f"{within:g} {UNITS[unit].zh}")
    for cell, rows in list(told_cells(table, by))[:MOST]:
        row = rows.row(0, named=True)
        if row["share"] is not None:
            share, low, high = (fixed(100 * row[c], 0) for c in ("share", "conf_low", "conf_high"))
            en = (f"{share}% of {row['n']} customers observed for {span.en} bought again within them "
                  f"({100 * level:g}% interval {low} to {high}%).")  # fmt: skip
            zh = (f"观察满 {span.zh}的 {row['n']} 名顾客中，{share}% 在此期间复购"
                  f"（{100 * level:g}% 区间 {low}%–{high}%）。")  # fmt: skip
            out += of_cell(cell, [Text(en, zh)])
    for cell, rows in list(told_cells(rates, by))[:MOST]:
        row = rows.row(0, named=True)
        rate, low, high = (fixed(row[c], 3) for c in ("rate", "conf_low", "conf_high"))
        en = f"A customer makes {rate} repeat purchases a {ONE[unit].en} ({low} to {high}), over all the time observed."
        zh = f"按全部观察时长计，每名顾客每{ONE[unit].zh}复购 {rate} 次（{low} 至 {high}）。"
        out += of_cell(cell, [Text(en, zh)])
    return tuple(out)


def repurchase_notes(rates: pl.DataFrame, limits: str) -> tuple[Note, ...]:
    """What shares and rates take for granted."""
    en = "time begins with the first purchase in the table; who was observed for less is in the rate, not in the share."
    zh = "时间自表中首次购买起；观察时长不足者计入复购率（次数/时长），不计入占比。"
    notes = [note("N-REPURCHASE", en, zh)]
    if limits == "exact":
        en = "exact limits take all customers to buy at one rate; where they differ these limits are too narrow."
        notes.append(note("W-REPURCHASE", en, "精确区间假定所有顾客购买速率相同；若顾客之间有差异，该区间过窄。"))
    if not rates["repeats"].drop_nulls().sum():
        en = "nobody bought again; the upper limit of the rate is exact (Poisson)."
        notes.append(note("N-REPURCHASE-NONE", en, "无人复购；复购率上限为精确（泊松）上限。"))
    return tuple(notes)
