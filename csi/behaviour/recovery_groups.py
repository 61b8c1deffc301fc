"""Which recovery counts as full."""

from __future__ import annotations

from typing import Final

import polars as pl

from csi.errors import Problems, problem

GROUPS: Final = ("none", "recovered", "failed")
"""Customers without a failure; whose failure was fully recovered; whose failure was not."""

FULL: Final = ("top", "full", "yes", "true", "recovered", "high", "完全", "是", "已补救")
"""Words for a full recovery."""


def top_level(recovery: pl.Series, top: str | None, name: str) -> str:
    """The level of recovery that counts as full.

    Raises:
        Problems: E-SETTING where nobody had the level named, or none is named and the words do not say; E-EVENT without
            any recovery.

    Example:
        >>> top_level(pl.Series(["0", "2", "1"]), None, "log"), top_level(pl.Series(["none", "Full"]), None, "log")
        ('2', 'Full')
    """
    levels = [str(v) for v in recovery.drop_nulls().unique().sort()]
    if not levels:
        en, zh = (
            "no recovery is known of anybody who answered and had a failure.",
            "经历失误的受访者均无补救记录（recovery）。",
        )
        do, do_zh = "Fill the column recovery.", "请填写 recovery 列。"
        raise Problems([problem("E-EVENT", name, en, zh, do, do_zh)])
    if top is not None and str(top) in levels:
        return str(top)
    listed = ", ".join(levels[:6])
    if top is not None:
        en, zh = f'nobody had the recovery "{top}"; there are {listed}.', f"没有“{top}”这一补救水平；现有：{listed}。"
        raise Problems([problem("E-SETTING", "top", en, zh, "Name one of these.", "请改用其中之一。")])
    numbers = pl.Series(levels).cast(pl.Float64, strict=False)
    if not numbers.null_count():
        return levels[int(numbers.arg_max() or 0)]
    words = [v for v in levels if v.casefold() in FULL]
    if len(words) == 1:
        return words[0]
    en, zh = (
        f"which recovery counts as full is not said; there are {listed}.",
        f"未说明何种补救算作完全补救；现有：{listed}。",
    )
    raise Problems(
        [
            problem(
                "E-SETTING",
                "top",
                en,
                zh,
                f"Write --top {levels[-1]} (top: in the study).",
                f"请写 --top {levels[-1]}（研究文件中为 top:）。",
            )
        ]
    )
