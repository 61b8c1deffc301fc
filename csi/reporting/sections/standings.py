"""The league of a wave and the changes of the focal brand, as the facts that sentences are made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import special

from csi.errors import Text
from csi.reporting.analysis import Analysis
from csi.reporting.words import Change, Gap, Standing
from csi.tracking.league import gap_changes


def standing(a: Analysis, wave: str) -> Standing:
    """The league of one wave from the focal brand's seat; rivals with too few answers stay out.

    At the report's wave each rival bears how the gap to it changed in a year.
    """
    league = a.leagues.get(wave)
    labels = a.brand_labels
    me = labels[a.focal]
    if league is None or league.table.is_empty():
        return Standing(me, None)
    values = dict(zip(league.table["brand"].to_list(), league.table["index"].to_list(), strict=True))
    if a.focal not in values:
        return Standing(me, None)
    gaps, moved = [], _since(a) if wave == a.wave else {}
    for row in league.pairs.iter_rows(named=True):
        if a.focal not in {row["above"], row["below"]} or row["difference"] is None or untested(row):  # withheld
            continue
        rival, sign = (row["below"], 1.0) if row["above"] == a.focal else (row["above"], -1.0)
        verdict = bool(row["significant"])
        gaps.append(Gap(labels[rival], values[rival], sign * row["difference"], verdict, moved.get(rival)))
    return Standing(me, values[a.focal], tuple(gaps))


def _since(a: Analysis) -> dict[str, Change]:
    """Rival -> the change of the focal brand's gap to it since a year ago, corrected over the rivals (Holm)."""
    if a.year_ago is None or a.year_ago not in a.leagues:
        return {}
    table = gap_changes(a.index, a.focal, a.wave, a.year_ago, a.target, a.study.settings.small, a.gate)
    return {
        row["rival"]: Change(row["difference"], row["half_width"], bool(row["significant"]))
        for row in table.iter_rows(named=True)
    }


def untested(row: Mapping[str, object]) -> bool:
    """Whether a difference is comparable only after freeing, so that nothing is said of its size."""
    return row["evidence"] == "after freeing" and row["p_value"] is None


def change(a: Analysis, against: str, construct: str | None = None, brand: str | None = None) -> Change | None:
    """The change of a brand's construct (the focal brand's target) against "previous" or "year".

    In a yearly study the two are one.
    """
    against = "previous" if a.study.settings.waves_per_year == 1 else against
    rows = a.changes.table.filter(
        (pl.col("brand") == (brand or a.focal))
        & (pl.col("wave") == a.wave)
        & (pl.col("construct") == (construct or a.target))
        & (pl.col("against") == against)
    )
    if rows.is_empty() or rows["change"][0] is None:
        return None
    row = rows.row(0, named=True)
    if untested(row):
        return None
    return Change(row["change"], row["half_width"], bool(row["significant"]), level_of(row))


LONG = 80
"""A reason of more letters is no part of a headline."""


def untold(a: Analysis) -> Text | None:
    """Why no change of the focal brand is told although it was measured before; None where it was not."""
    before = a.waves[: a.waves.index(a.wave)]
    if not a.index.cells.filter(pl.col("brand") == a.focal, pl.col("wave").is_in(before)).height:
        return None
    rows = a.changes.table.filter(brand=a.focal, wave=a.wave, construct=a.target)
    for row in rows.iter_rows(named=True):
        if row["evidence"] == "not comparable":
            return Text("the change from earlier waves is not comparable", "较前期的变化不可比")
        if untested(row):
            en = "the change from earlier waves is comparable only after freeing an item"
            return Text(en, "较前期的变化仅在放开题项后可比")
        if row["reason"] is not None:
            long = max(len(row["reason"]), len(row["reason_zh"])) > LONG
            en, zh = row["reason"].rstrip("."), row["reason_zh"].rstrip("。")
            en, zh = ("the measurement changed in between", "其间测量方式有变") if long else (en, zh)
            return Text(f"no change from earlier waves is told ({en})", f"较前期的变化不予给出（{zh}）")
    return Text("no change from earlier waves is told", "较前期的变化不予给出")


def level_of(row: Mapping[str, object]) -> float | None:
    """The level of the interval of a change whose half is `half_width`: that of its own Holm step; None without one.

    Example:
        >>> round(level_of({"half_width": 2.3, "std_error": 1.0, "df": 60.0}), 3)
        0.975
    """
    half, error, df = (row[c] for c in ("half_width", "std_error", "df"))
    if not (isinstance(half, float) and isinstance(error, float) and error > 0):
        return None
    free = df if isinstance(df, float) and np.isfinite(df) else None
    reach = half / error
    return float(2.0 * (special.ndtr(reach) if free is None else special.stdtr(free, reach)) - 1.0)
