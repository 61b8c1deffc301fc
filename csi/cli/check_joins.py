"""Tables of events of which no id is a respondent's, and the models that cannot be told without."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting.methods import Method
from csi.survey.events import Events

NO_ID: Text = Text("no: no id joins", "不可用：编号均无法对应")
"""What stands where a model's table is of nobody who answered."""


def strangers(told: pl.DataFrame) -> tuple[str, ...]:
    """Kinds of tables with ids of which none answered.

    Parameters:
        told: kind, ids, answered (null where answers have no respondents).

    Example:
        >>> strangers(pl.DataFrame({"kind": ["cases", "texts"], "ids": [3, 3], "answered": [0, 2]}))
        ('cases',)
    """
    return tuple(told.filter(pl.col("ids") > 0, pl.col("answered") == 0)["kind"])


def join_notes(tables: Mapping[str, Events], told: pl.DataFrame, respondents: int) -> tuple[Note, ...]:
    """A warning for each of these tables, with the counts."""
    ids = dict(told.select("kind", "ids").rows())
    return tuple(
        note(
            "W-EVENT-JOIN",
            f"{tables[kind].name}: none of {ids[kind]} ids is one of the {respondents} respondents; models that join "
            "them to answers cannot be run. Give both the same ids.",
            f"{tables[kind].name}：{ids[kind]} 个编号均不在 {respondents} 名受访者之中，需与答卷对接的模型无法运行。"
            "请使用相同的编号。",
        )
        for kind in strangers(told)
    )


def unjoined(method: Method, tables: Collection[str], unknown: Collection[str]) -> bool:
    """Whether a model would join a table that joins nobody."""
    return next((kind for kind in method.joins if kind in tables), "") in unknown
