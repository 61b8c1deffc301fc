"""What scores by the state of cases may be told beside their totals: one attribute withheld is told by all of them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Note, Text, note
from csi.survey.bases import COLUMNS, Bases
from csi.survey.disclosure import apart, beside


def apart_by_group(frame: pl.DataFrame, bases: Bases) -> pl.DataFrame:
    """The frame without values that, with the row of all attributes, would give away a withheld one of their group.

    Parameters:
        frame: attribute ("" for all), group, n, values, and flags, as `Bases.withheld` returns it.

    Example:
        >>> rows = {"attribute": ["", "a", "b", "c"], "group": ["open"] * 4, "n": [140, 70, 50, 20], "mean": [6.0] * 4}
        >>> apart_by_group(Bases().withheld(pl.DataFrame(rows)), Bases())["mean"].to_list()
        [6.0, 6.0, None, None]
    """
    gone: set[tuple[str, str]] = set()
    for (group,), own in frame.filter(pl.col("attribute") != "").group_by("group", maintain_order=True):
        rows = own.filter(pl.col("n") > 0)
        told = apart(rows["n"].to_numpy(), bases.small)
        gone |= {(name, str(group)) for name in rows["attribute"].filter(pl.Series(~told))}
    at = pl.Series([key in gone for key in frame.select("attribute", "group").iter_rows()], dtype=pl.Boolean)
    why = beside(bases.small)
    more = at & frame["flag"].ne_missing(pl.Series(["suppressed"]))
    values = [c for c in frame.columns[frame.columns.index("n") + 1 :] if c not in COLUMNS]
    hidden = [pl.when(~more).then(pl.col(c)).alias(c) for c in values]
    said = [pl.when(more).then(pl.lit(t)).otherwise(pl.col(c)).alias(c)
            for c, t in (("reason", why.en), ("reason_zh", why.zh))]  # fmt: skip
    return frame.with_columns(pl.when(~more).then(pl.col("flag")).alias("flag"), *hidden, *said)


def both_told(gaps: pl.DataFrame, of: pl.DataFrame) -> pl.DataFrame:
    """The differences of groups that are both told.

    Parameters:
        gaps: attribute, group, other, and numbers. of: the changes of groups, as `apart_by_group` returns them.
    """
    told = of.filter(pl.col("change").is_not_null()).select("attribute", "group")
    for column in ("group", "other"):
        keys = told.rename({"group": column})
        gaps = gaps.join(keys, on=["attribute", column], how="semi", maintain_order="left")
    return gaps


def hidden_note(frame: pl.DataFrame, said: Mapping[str, Text], bases: Bases) -> tuple[Note, ...]:
    """Which values are not told although they have enough answers.

    Parameters:
        frame: name, n, values and flags. said: names in words.
    """
    names = frame.filter(pl.col("reason") == beside(bases.small).en)["name"]
    if not len(names):
        return ()
    en, zh = ", ".join(said[n].en for n in names), "、".join(said[n].zh for n in names)
    en = f"withheld besides: {en}; with all attributes together it would give away one of fewer than {bases.small} "
    zh = f"另不公布：{zh}；否则可由各属性合计推算出样本量不足 {bases.small} 的数值。"
    return (note("E-BASE", f"{en}answers.", zh),)
