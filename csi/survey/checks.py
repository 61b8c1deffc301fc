"""What makes answers unusable before or after they are read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import polars as pl

from csi.errors import Problem, problem
from csi.survey.codebook import KEY_ROLES, Codebook
from csi.survey.columns import FILE, ROW, Picked, missing_columns
from csi.survey.ruled import Ruled
from csi.survey.rules import Rules


def unfit(
    picked: Sequence[Picked], codebook: Codebook, rules: Rules, roles: Sequence[str], groups: Collection[str] = ()
) -> Iterator[Problem]:
    """Missing columns, rules without their key, a codebook without items, exports without rows."""
    for one in picked:
        yield from missing_columns(one, codebook, roles, alone=len(picked) == 1, groups=groups)
    if not codebook.items:
        yield problem(
            "E-ITEMS",
            "codebook",
            "the codebook has no items.",
            "编码簿中没有题项。",
            "List at least one item.",
            "请至少列出一个题项。",
        )
    for name in sorted({*codebook.names} & {*KEY_ROLES, FILE, ROW}):
        yield problem(
            "E-NAME",
            "codebook",
            f'an item cannot be called "{name}"; that is the name of a key.',
            f"题项不能命名为“{name}”，它是关键列的名称。",
            "Give the item another name and state its `column`.",
            "请给题项改名，并写明 column。",
        )
    for rule in ("speeders", "speeders_relative"):
        if getattr(rules, rule) != "off" and "duration" not in roles:
            yield problem(
                "E-KEY",
                f"rules: {rule}",
                "the rule needs the key `duration`.",
                "该规则需要关键列 duration。",
                f"Name the column under `keys`, or set {rule}: off.",
                f"请在 keys 中写出该列，或设置 {rule}: off。",
            )
    for one in picked:
        if one.raw.frame.is_empty():
            yield problem(
                "E-EMPTY",
                one.raw.name,
                "there is a header but no row of answers.",
                "只有表头，没有答卷。",
                "Export the answers again.",
                "请重新导出答卷数据。",
            )


def too_few(ruled: Ruled, raw: pl.DataFrame, most: int = 1) -> Iterator[Problem]:
    """No row left, or a single one.

    Parameters:
        most: rows that are too few to go on with.
    """
    place, left = ", ".join(raw[FILE].unique(maintain_order=True)), ruled.frame.height
    taken = ", ".join(f"{e.rule} {e.rows}" for e in ruled.effects if e.action == "drop" and e.rows)
    if left == 0:
        yield problem(
            "E-EMPTY",
            place,
            f"no row of answers is left of {raw.height} ({taken}).",
            f"{raw.height} 行答卷全部被剔除（{taken}）。",
            "Check the missing codes and the rules.",
            "请检查缺失代码和规则。",
        )
    if 0 < left <= most:
        yield problem(
            "E-ROWS",
            place,
            "there is only one respondent; nothing can be estimated from one answer sheet.",
            "只有一位受访者，无法估计。",
            "Add answers, or check the rules.",
            "请补充答卷，或检查规则。",
        )
