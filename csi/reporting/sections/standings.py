"""The league of a wave and the changes of the focal brand, as the facts that sentences are made of."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

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
    return Change(row["change"], row["half_width"], bool(row["significant"]))
