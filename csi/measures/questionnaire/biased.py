"""What the rules of the advice find in differential item functioning: how large, by which measure, for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from csi.measures.item_bias.dif import Dif
from csi.measures.questionnaire.advice import Finding

SIZES = {"": -1, "A": 0, "B": 1, "C": 2}
"""Negligible, moderate, large; -1 where there is no class."""


def of_bias(found: Dif) -> Iterator[Finding]:
    """Items that favour a group, told by the measure that decided; the group that answers higher stands beside.

    Reworded where one measure calls the difference large and the other at least moderate (or there is no other);
    looked at where they disagree, or neither calls it large.
    """
    for row in found.table.filter(pl.col("flagged").fill_null(value=False)).iter_rows(named=True):
        by_r2 = SIZES[(row.get("class_jodoin") or "")[:1]]
        by_ets = SIZES[(row.get("class_ets") or "")[:1]]
        largest = max(by_r2, by_ets)
        if largest < 1:
            continue
        unsure = largest == SIZES["C"] and min(by_r2, by_ets) == 0
        rule = "bias_unsure" if unsure else "bias" if largest == SIZES["C"] else "bias_some"
        kind = "" if by_r2 >= by_ets else "_delta" if len(row["class_ets"]) == 1 else "_smd"
        value = row[{"": "r2", "_delta": "delta", "_smd": "smd_standardised"}[kind]]
        yield Finding(f"{rule}{kind}", row["item"], value, favoured(row) or "")


def favoured(row: Mapping[str, Any]) -> str | None:
    """The group that answers higher at equal standing; None where no measure has a direction.

    Example:
        >>> favoured({"effect": None, "smd": -0.2, "reference": "zh", "focal": "en"})
        'zh'
    """
    toward = row.get("effect") if row.get("effect") is not None else row.get("smd")
    return None if not toward else row["focal"] if toward > 0 else row["reference"]
