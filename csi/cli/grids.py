"""From full-precision frames to printed grids, through the formats of reporting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import polars as pl

from csi.cli.answer import Grid
from csi.errors import Language, Text
from csi.reporting.section import Column, Kind, Table
from csi.reporting.tables import head, rows

HALF = 0.5
"""An effective n nearer to n than this is printed as the same number."""

Kinds = Mapping[str, Kind]
"""Column -> how its values are printed."""

HEADINGS = {
    "brand": Text("brand", "品牌"),
    "wave": Text("wave", "期次"),
    "segment": Text("segment", "细分"),
    "stage": Text("stage", "阶段"),
    "construct": Text("construct", "构念"),
    "item": Text("item", "题项"),
    "label": Text("label", "名称"),
    "n": Text("n", "样本量"),
    "n_effective": Text("eff. n", "有效样本量"),
    "index": Text("index", "指数"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "estimate": Text("estimate", "估计值"),
    "change": Text("change", "变化"),
    "p_value": Text("p", "p 值"),
    "reason": Text("reason", "原因"),
    "loading": Text("loading", "载荷"),
    "weight": Text("weight", "权重"),
    "outcome": Text("outcome", "结果"),
    "predictor": Text("predictor", "预测"),
}


def grid(
    frame: pl.DataFrame,
    kinds: Kinds,
    lang: Language,
    title: Text | None = None,
    texts: Mapping[str, Text] | None = None,
    headings: Mapping[str, Text] | None = None,
    right: Collection[str] = (),
    least: Mapping[str, tuple[float, str]] | None = None,
) -> Grid:
    """The columns of `frame` named in `kinds`, in that order, printed by their kind.

    Parameters:
        frame: full precision. kinds: column -> how its values are printed. lang: of headings and texts.
        title: above the grid. texts: translations of text cells. headings: names of columns not known here.
        right: text columns set to the right. least: column of p-values -> the least that its draws can give, and the
            column of the plain p-values where these are adjusted (else "").

    Example:
        >>> frame = pl.DataFrame({"brand": ["A"], "index": [78.06]})
        >>> grid(frame, {"brand": "text", "index": "score"}, "zh", texts={"A": Text("Zhongxun", "中讯")}).rows
        (('中讯', '78.1'),)
    """
    named = {**HEADINGS, **(headings or {})}
    floors = least or {}
    columns = tuple(
        Column(name, named.get(name, Text(name, name)), kind, *floors.get(name, ())) for name, kind in kinds.items()
    )
    table = Table("table", title or Text("", ""), frame, columns, texts=texts or {})
    return of_table(table, lang, right)


def identified(title: Text, ids: Iterable[str | None]) -> Text:
    """A title with the ids of the formulas behind the numbers under it.

    Example:
        >>> identified(Text("Parents", "各上级"), ["F1", None, "F1"])
        Text(en='Parents (F1)', zh='各上级（F1）')
        >>> identified(Text("Parts (points)", "分解（分）"), ["F1"])
        Text(en='Parts (points, F1)', zh='分解（分，F1）')
    """
    said = list(dict.fromkeys(i for i in ids if i))
    if not said:
        return title
    en, zh = (f"{title.en} (", f"{title.zh}（")
    if title.en.endswith(")") and title.zh.endswith("）"):
        en, zh = f"{title.en[:-1]}, ", f"{title.zh[:-1]}，"
    return Text(f"{en}{', '.join(said)})", f"{zh}{'、'.join(said)}）")


def counted(frame: pl.DataFrame) -> dict[str, Kind]:
    """The columns n, and n_effective where it is another number somewhere.

    Example:
        >>> counted(pl.DataFrame({"n": [100, 80], "n_effective": [100.0, 64.2]}))
        {'n': 'count', 'n_effective': 'count'}
    """
    apart = "n_effective" in frame.columns and ((frame["n"] - frame["n_effective"]).abs() >= HALF).any()
    return {"n": "count", **({"n_effective": "count"} if apart else {})}


def each(columns: Iterable[str], kind: Kind) -> dict[str, Kind]:
    """The same kind for every column named."""
    return dict.fromkeys(columns, kind)


def of_table(table: Table, lang: Language, right: Collection[str] = ()) -> Grid:
    """A table of a report as a printed grid: texts to the left (but for `right`), numbers to the right."""
    return Grid(
        headings=tuple(head(table, lang)),
        rows=tuple(tuple(cells) for cells in rows(table, lang)),
        align=tuple("<" if c.kind == "text" and c.name not in right else ">" for c in table.columns),
        title=table.title.say(lang),
    )


def numbers(columns: int) -> tuple[Literal["<", ">"], ...]:
    """Alignment of a grid whose first column is names and the others numbers."""
    return tuple("<" if j == 0 else ">" for j in range(columns))


def pairs(entries: Sequence[tuple[str, str]], title: str = "") -> Grid:
    """Names and values, two columns without headings."""
    return Grid(("", ""), tuple(entries), ("<", "<"), title)
