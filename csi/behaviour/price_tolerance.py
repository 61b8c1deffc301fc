"""Price tolerance: two questions asked in branches become one monotone item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_panel
from csi.moments.stack import Array
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.panel import Panel


def tolerance_of(rebuy: Array, higher: Array, lower: Array, likely: float, most: float) -> Array:
    """Percent of the price a customer tolerates: the rise of those likely to buy again, minus the cut others need.

    `t = min(higher, most)` where rebuy >= likely, else `t = -min(lower, most)`; absent where the question of the
    customer's own branch is.

    Parameters:
        rebuy: (n,) likelihood to buy again. higher: (n,) largest tolerated rise in percent. lower: (n,) smallest cut in
            percent that would win the customer back. likely: the lowest answer that counts as likely. most: the largest
            percentage asked; more is that much (censored).

    Source:
        Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), 7-18: price tolerance given
        repurchase, increase and decrease.

    Example:
        >>> rise, cut = np.array([10, np.nan, 40]), np.array([np.nan, 15, 5])
        >>> tolerance_of(np.array([9.0, 2.0, 8.0]), rise, cut, 6, 25).tolist()
        [10.0, -15.0, 25.0]
    """
    stays = np.where(np.isnan(rebuy), np.nan, rebuy >= likely)
    up, down = np.minimum(higher, most), -np.minimum(lower, most)
    found: Array = np.where(stays == 1, up, np.where(stays == 0, down, np.nan))
    return found


def price_tolerance(
    panel: Panel,
    rebuy: str,
    higher: str,
    lower: str,
    *,
    name: str = "price_tolerance",
    construct: str = "",
    likely: float | None = None,
    most: float | None = None,
) -> Panel:
    """The panel with one more item, price tolerance in percent from -most to most, made of two branched questions.

    Parameters:
        panel: answers with a codebook. rebuy: likelihood to buy again. higher: the largest rise in percent that is
            tolerated, asked of those who are likely to. lower: the smallest cut in percent that would make it likely,
            asked of the others. name, construct: of the new item (of the construct of `rebuy` by default).
        likely: the lowest answer to `rebuy` that counts as likely (above the middle of its scale by default).
        most: the largest percentage (the larger maximum of the two scales by default); answers beyond are cut to it.

    Returns:
        Panel; a note counts the answers at either end (censored) and those given to the question of the other branch,
        which do not count.

    Raises:
        Problems: E-ITEM, E-TWICE, E-SCALE (percentages below 0), E-DUPLICATE (the name is taken), E-SETTING.

    Source:
        Fornell et al. (1996), Journal of Marketing 60(4), 7-18.

    Example:
        >>> ten, percent = Scale("ten", 1, 10), Scale("percent", 0, 25)
        >>> items = (Item("again", "loyalty", ten, Text("again", "再次购买")),)
        >>> items += tuple(Item(n, "loyalty", percent, Text(n, n)) for n in ("up", "down"))
        >>> frame = pl.DataFrame({"again": [9.0, 3.0, 8.0], "up": [10.0, None, 25.0], "down": [None, 15.0, None]})
        >>> panel = Panel(frame, Codebook(items, {}, {}), frame.select(pl.all().cast(pl.String)))
        >>> price_tolerance(panel, "again", "up", "down").frame["price_tolerance"].to_list()
        [10.0, -15.0, 25.0]
    """
    check_panel(panel)
    _check(panel, (rebuy, higher, lower), name, likely)
    scale = panel.codebook[rebuy].scale
    cut = likely if likely is not None else (scale.minimum + scale.maximum) / 2 + 1e-9
    top = most if most is not None else max(panel.codebook[i].scale.maximum for i in (higher, lower))
    if not (np.isfinite(top) and top > 0):
        en, zh = f"most={top} is not a percentage above 0.", f"most={top} 不是大于 0 的百分比。"
        raise Problems([problem("E-SETTING", "most", en, zh, "Write most=25.", "请写 most=25。")])
    columns = [panel.frame[i].cast(pl.Float64).fill_null(np.nan).to_numpy() for i in (rebuy, higher, lower)]
    made = tolerance_of(columns[0], columns[1], columns[2], cut, top)
    stays = columns[0] >= cut
    strange = int((np.isfinite(columns[2]) & stays).sum() + (np.isfinite(columns[1]) & (columns[0] < cut)).sum())
    ends, n = int((np.abs(made) >= top).sum()), int(np.isfinite(made).sum())
    en = f"{name}: {n} answers, {ends} at an end of the scale (censored); "
    en += f"{strange} answers of the other branch not used."
    zh = f"{name}：{n} 个回答，其中 {ends} 个位于量程端点（删失）；另一分支的 {strange} 个回答未采用。"
    column = pl.Series(name, np.where(np.isfinite(made), made, np.nan)).fill_nan(None)
    item = Item(
        name,
        construct or panel.codebook[rebuy].construct,
        Scale(name, -top, top),
        Text("Price tolerance, percent", "价格容忍度（%）"),
    )
    book = Codebook((*panel.codebook.items, item), panel.codebook.constructs, panel.codebook.keys)
    absent = pl.when(pl.Series(column.is_null())).then(pl.lit("not_asked")).otherwise(None).alias(name)
    return replace(
        panel,
        frame=panel.frame.with_columns(column),
        codebook=book,
        reasons=panel.reasons.with_columns(absent),
        notes=(*panel.notes, note("N-TOLERANCE-PRICE", en, zh)),
    )


def _check(panel: Panel, items: tuple[str, str, str], name: str, likely: float | None) -> None:
    """Items that are not there, or cannot be what they are taken for; a name that is there."""
    book, found = panel.codebook, []
    for item in [i for i in items if i not in book.names]:
        hint = did_you_mean(item, book.names)
        en, zh = f'item "{item}" is not in the codebook.', f"编码簿中没有题项“{item}”。"
        found.append(problem("E-ITEM", "price_tolerance", en, zh, hint.en, hint.zh))
    if name in panel.frame.columns:
        found.append(name_taken(name))
    found += branch_problems(book, *items, likely)
    if found:
        raise Problems(found)


def name_taken(name: str) -> Problem:
    """The new item would have the name of a column."""
    en, zh = f'there is a column "{name}" already.', f"已有名为“{name}”的列。"
    return problem("E-DUPLICATE", "name", en, zh, "Choose another name.", "请换一个名称。")


def branch_problems(book: Codebook, rebuy: str, higher: str, lower: str, likely: float | None) -> list[Problem]:
    """One item in two places, percentages below 0, a least likely answer that splits nobody from anybody.

    Parameters:
        book: items that it does not have are left aside. likely: None for above the middle.

    Example:
        >>> ten = Scale("ten", 1, 10)
        >>> book = Codebook(tuple(Item(n, "loyalty", ten, Text(n, n)) for n in ("again", "up", "down")), {}, {})
        >>> [(p.code, p.where) for p in branch_problems(book, "again", "up", "up", 20)]
        [('E-TWICE', 'lower'), ('E-SETTING', 'likely')]
    """
    found: list[Problem] = []
    given = {"rebuy": rebuy, "higher": higher, "lower": lower}
    for at, (key, item) in enumerate(given.items()):
        if item in list(given.values())[:at]:
            en, zh = f'item "{item}" stands for two questions.', f"题项“{item}”用于两个问题。"
            do, do_zh = "Name the item of each question.", "请为每个问题指定各自的题项。"
            found.append(problem("E-TWICE", key, en, zh, do, do_zh))
    for key in ("higher", "lower"):
        if given[key] in book.names and (low := book[given[key]].scale.minimum) < 0:
            en = f"{given[key]} is asked in percent of the price, from 0; its scale begins at {low:g}."
            zh = f"{given[key]} 应以价格的百分比（0 起）作答；其量程始于 {low:g}。"
            do, do_zh = "Ask for the size of the rise or the cut alone.", "请只询问涨价或降价的幅度。"
            found.append(problem("E-SCALE", key, en, zh, do, do_zh))
    if likely is not None and rebuy in book.names:
        scale = book[rebuy].scale
        if not scale.minimum < likely <= scale.maximum:
            ends = f"{scale.minimum:g} to {scale.maximum:g}"
            en = f"likely={likely:g} splits nobody from anybody; {rebuy} runs from {ends}."
            zh = f"likely={likely:g} 无法区分受访者；{rebuy} 的量程为 {scale.minimum:g}–{scale.maximum:g}。"
            do = f"Write the lowest answer that counts as likely, above {scale.minimum:g}."
            do_zh = f"请写出视为“会”的最低回答，须高于 {scale.minimum:g}。"
            found.append(problem("E-SETTING", "likely", en, zh, do, do_zh))
    return found
