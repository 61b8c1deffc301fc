"""Small cells by empirical Bayes: values drawn toward the mean of their parent, the raw value always beside.

Letters: `c` cells, `k` cells of one parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_kind
from csi.measures.tidy import number_column
from csi.moments.stack import Array, Ints
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.tracking.contrasts import construct_place, joint_covariance
from csi.tracking.fay_herriot import fay_herriot
from csi.tracking.index import Index
from csi.tracking.show import shown

Bools = npt.NDArray[np.bool_]
FEWEST = 3
"""Cells from which a variance between cells is estimated."""

MOST = 6
"""Parents that sentences are made of."""

NUMBERS = ("index", "std_error", "shrunken", "rmse", "share", "parent_index", "between")


@dataclass(frozen=True, slots=True, repr=False)
class Shrunken(Shown):
    """Index values drawn toward the mean of their parent.

    Attributes:
        table: one row per cell; keys, construct, parent (the values of `toward`, "all" where there are none), n, index
            and std_error (raw), shrunken, rmse (root of its mean squared error), share (what the cell keeps of its
            distance from the mean), parent_index (that mean), between (standard deviation of true levels around it),
            flag ("suppressed", "small" or null), reason, reason_zh.
        construct, toward: what was shrunken, and the keys that cells of one parent share.
        bases: the limits on answers behind a cell. correlation: the largest between errors of two cells of a parent
            (NaN of pooled indices).
    """

    table: pl.DataFrame
    construct: str
    toward: tuple[str, ...]
    bases: Bases
    correlation: float

    @property
    def notes(self) -> tuple[Note, ...]:
        """What shrunken values rest on, where nothing lies between the cells, which cells have few answers."""
        keys = self.table.columns[: self.table.columns.index("construct")]
        return (*_notes(self.table, self.correlation), *self.bases.notes(self.table, keys))

    @property
    def refusal(self) -> Problem:
        """What every test, ranking and comparison says to shrunken values."""
        en = "shrunken values are not tested, ranked or compared: they are drawn toward each other."
        zh = "收缩值不用于检验、排名或比较：它们已相互拉近。"
        return problem("E-SHRUNKEN", "index", en, zh, "Give the index itself.", "请传入指数本身。")

    @property
    def sentences(self) -> tuple[Text, ...]:
        """What was found, a sentence for every parent (of the first few)."""
        known = self.table.filter(pl.col("shrunken").is_not_null())
        parents = known.partition_by("parent", maintain_order=True) if known.height else []
        return tuple(_sentence(part, self.toward) for part in parents[:MOST])


def shrunken(
    index: Index,
    construct: str = "satisfaction",
    toward: Sequence[str] | None = None,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Shrunken:
    """The index of small cells drawn toward the mean of their parent, as far as their sampling error calls for.

    `I~_i = m + g_i (I_i - m)`, `g_i = A / (A + SE_i^2)`: A the variance of true levels between the cells of a parent
    (by REML), m their mean, as in `csi.tracking.fay_herriot`. On average over the cells of a parent it errs less than
    the raw value; a cell that is truly unlike the others is drawn too far. It is a reading beside the index: rankings,
    changes and tests refuse it.

    Parameters:
        index: of several cells with standard errors. construct: which construct.
        toward: key columns; cells alike in them have one parent. By default the wave where there are brands, else all
            cells together; waves of one series are only drawn together when asked for by `[]`.
        small: cells with fewer rows have no value and stay out of the mean. flagged: cells with fewer are marked.

    Returns:
        Shrunken. Cells of a parent with fewer than three usable ones keep their raw value and say why.

    Raises:
        Problems: E-SHRUNKEN (no parent has three cells with an index and a standard error; waves of one series),
            E-BY, E-CONSTRUCT, E-SETTING.

    Source:
        Fay & Herriot (1979), JASA 74(366), 269-277; Rao & Molina (2015), Small Area Estimation, chapter 6.

    Example:
        >>> import csi
        >>> groups = {"A": (1, 2, 3, 2), "B": (8, 9, 10, 9), "C": (5, 9, 3, 7)}
        >>> rows = [(x, x, b) for b, xs in groups.items() for x in xs]
        >>> frame = pl.DataFrame(rows, schema=["a", "b", "brand"], orient="row").with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["brand"], scale=(1, 10)))
        >>> shrunken(made, "joy", small=2).table.select(pl.col("index", "shrunken", "share").round(2)).row(2)
        (55.56, 55.11, 0.88)
    """
    do = Text("Give what csi.index(est) returns.", "请给出 csi.index(est) 的结果。")
    check_kind("index", index, Index, Text("an index", "指数"), do)
    bases, j = Bases(small, flagged), construct_place(index, construct)
    keys = [k for k in index.cells.columns if k != "n"]
    shared = _toward(keys, toward)
    parents = _parents(index, shared)
    numbers = {name: np.full(index.cells.height, np.nan) for name in NUMBERS}
    numbers["index"] = index.values[:, j].copy()
    every, alike = index.n_of(j) >= small, 0.0
    for label in dict.fromkeys(parents):
        own = np.flatnonzero(np.array([p == label for p in parents]) & every)
        alike = float(np.maximum(alike, _shrink(index, j, own, numbers)))
    if not np.isfinite(numbers["shrunken"]).any():
        raise Problems([_too_few(index, numbers, every)])
    head = index.cells.select(keys).with_columns(construct=pl.lit(index.constructs[j]), parent=pl.Series(parents))
    count = pl.Series("n", index.n_of(j))
    table = head.with_columns(count, *(number_column(v).alias(name) for name, v in numbers.items()))
    table = bases.withheld(_reasons(table))
    return Shrunken(table, index.constructs[j], tuple(shared), bases, alike)


def _toward(keys: Sequence[str], toward: Sequence[str] | None) -> list[str]:
    """The keys that cells of one parent share."""
    if toward is None:
        if list(keys) == ["wave"]:
            en = "the cells are waves of one series; drawn together they would hide its changes."
            zh = "各单元是同一序列的各期，相互收缩会掩盖变化。"
            do, do_zh = "Read csi.smooth, or ask for it with toward=[].", "请用 csi.smooth，或以 toward=[] 明确要求。"
            raise Problems([problem("E-SHRUNKEN", "toward", en, zh, do, do_zh)])
        return [k for k in keys if k == "wave"]
    asked = [toward] if isinstance(toward, str) else list(toward)
    found = []
    for key in asked:
        if key not in keys:
            hint = did_you_mean(key, keys)
            en, zh = f'the index has no cells by "{key}".', f"指数没有按“{key}”分组的单元。"
            found.append(problem("E-BY", "toward", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)
    return asked


def _parents(index: Index, shared: Sequence[str]) -> list[str]:
    """(c) the parent of every cell, by its values of the shared keys."""
    if not shared:
        return ["all"] * index.cells.height
    return [" / ".join(str(v) for v in row if v != "") or "all" for row in index.cells.select(shared).iter_rows()]


def _shrink(index: Index, construct: int, cells: Ints, numbers: dict[str, Array]) -> float:
    """Fill the numbers of one parent's cells; the largest correlation between their errors."""
    cells = cells[np.isfinite(index.values[cells, construct])]
    if not cells.size:
        return 0.0
    covariance = _covariance(index, construct, cells)
    variance = np.diagonal(covariance)
    usable = variance > 0
    numbers["std_error"][cells[usable]] = np.sqrt(variance[usable])
    cells, covariance, variance = cells[usable], covariance[np.ix_(usable, usable)], variance[usable]
    if cells.size < FEWEST:
        return 0.0
    made = fay_herriot(index.values[cells, construct], variance)
    for name, found in (
        ("shrunken", made.shrunken),
        ("rmse", np.sqrt(made.mse)),
        ("share", made.share),
        ("parent_index", made.mean),
        ("between", made.between**0.5),
    ):
        numbers[name][cells] = found
    scale = np.sqrt(variance)
    return float(np.abs(np.triu(covariance / np.outer(scale, scale), 1)).max())


def _covariance(index: Index, construct: int, cells: Ints) -> Array:
    """(k, k) of the cells' indices; of pooled ones their own variances alone are known."""
    joint = joint_covariance(index, construct, cells)
    if np.isfinite(joint).any():
        return joint
    own = index.table.filter(pl.col("construct") == index.constructs[construct])["std_error"].cast(pl.Float64)
    found = np.full_like(joint, np.nan)
    np.fill_diagonal(found, own.fill_null(float("nan")).to_numpy()[cells] ** 2)
    return found


def _reasons(table: pl.DataFrame) -> pl.DataFrame:
    """Columns that say why a cell has no shrunken value."""
    value, error, out = pl.col("index").is_null(), pl.col("std_error").is_null(), pl.col("shrunken").is_null()

    def why(no_value: str, no_error: str, few: str) -> pl.Expr:
        told = pl.when(value).then(pl.lit(no_value)).when(error).then(pl.lit(no_error)).when(out).then(pl.lit(few))
        return told.otherwise(pl.lit(None, dtype=pl.String))

    return table.with_columns(
        reason=why("no index.", "no standard error.", f"its parent has fewer than {FEWEST} usable cells."),
        reason_zh=why("没有指数值。", "没有标准误。", f"上级可用的单元不足 {FEWEST} 个。"),
    )


def _too_few(index: Index, numbers: dict[str, Array], enough: Bools) -> Problem:
    """Why nothing can be shrunken."""
    valued = np.isfinite(numbers["index"]) & enough
    known = valued & np.isfinite(numbers["std_error"])
    if int(valued.sum()) >= FEWEST and int(known.sum()) < FEWEST:
        en = f"{int(known.sum())} of {int(valued.sum())} cells have a standard error above zero."
        zh = f"{int(valued.sum())} 个单元中只有 {int(known.sum())} 个有大于零的标准误。"
        do = "Fit from rows, or resample with csi.bootstrap, and make the index again."
        return problem("E-SHRUNKEN", "index", en, zh, do, "请用逐行数据拟合或先做 csi.bootstrap，再计算指数。")
    en = f"no parent has {FEWEST} cells with enough answers ({int(valued.sum())} of {index.cells.height} cells do)."
    zh = f"没有一个上级含有 {FEWEST} 个样本充足的单元（{index.cells.height} 个单元中有 {int(valued.sum())} 个）。"
    do = "Publish the raw index, draw toward a larger parent (toward=[]), or lower `small`."
    return problem(
        "E-SHRUNKEN", "index", en, zh, do, "请公布原始指数，或以更大的上级为目标（toward=[]），或调低 small。"
    )


def _notes(table: pl.DataFrame, alike: float) -> tuple[Note, ...]:
    """What shrunken values are, what they rest on, and where nothing lies between the cells."""
    en = "Shrunken values are a reading beside the index: sampling variances count as known and errors of cells as"
    known = np.isfinite(alike)
    en += (
        f" independent ({f'their largest correlation is {alike:.2f}' if known else 'how they correlate is not known'});"
    )
    en += " no ranking, change or test uses them."
    correlated = f"最大相关 {alike:.2f}" if known else "其相关未知"
    zh = f"收缩值仅供与指数对照：抽样方差视为已知，各单元误差视为独立（{correlated}）；"
    zh += "排名、变化与检验均不使用。"
    out = [note("N-SHRUNKEN", en, zh)]
    flat = table.filter(pl.col("between") == 0)["parent"].unique(maintain_order=True).to_list()
    if flat:
        named, named_zh = ", ".join(flat[:MOST]), "、".join(flat[:MOST])
        more, more_zh = (", ...", "等") if len(flat) > MOST else ("", "")
        en = f"No variance between cells beyond sampling error: {named}{more}. All shrunken values are the mean there,"
        en += " and their rmse leans on an estimate at its bound."
        zh = f"单元间无超出抽样误差的差异：{named_zh}{more_zh}。其收缩值均为均值，rmse 基于取边界值的方差估计。"
        out.append(note("W-NO-BETWEEN", en, zh))
    return tuple(out)


def _sentence(part: pl.DataFrame, toward: Sequence[str]) -> Text:
    """How far the cells of one parent lie apart, and which was drawn most."""
    first = part.row(0, named=True)
    mean, k = f"{first['parent_index']:.1f}", part.height
    head, head_zh = (f"{first['parent']}: ", f"{first['parent']}：") if toward else ("", "")
    if first["between"] == 0:
        en = f"{head}the {k} cells differ by no more than sampling error explains; all are drawn to {mean}."
        return Text(en, f"{head_zh}{k} 个单元的差异不超出抽样误差，均收缩至 {mean}。")
    drawn = part.with_columns(by=(pl.col("shrunken") - pl.col("index")).abs()).sort("by", descending=True)
    row = drawn.row(0, named=True)
    cell = " / ".join(_names(row, toward, part.columns))
    apart = f"{first['between']:.1f}"
    en = f"{head}the levels of {k} cells differ around {mean} with a standard deviation of {apart};"
    en += f" most drawn is {cell}, from {row['index']:.1f} to {row['shrunken']:.1f}."
    zh = f"{head_zh}{k} 个单元的真实水平围绕 {mean} 波动，标准差 {apart}；"
    return Text(en, f"{zh}收缩最多的是{cell}，由 {row['index']:.1f} 移至 {row['shrunken']:.1f}。")


def _names(row: dict[str, object], toward: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    """The values of the keys that tell a cell from others of its parent."""
    for key in columns[: columns.index("construct")]:
        if key not in toward and row[key] != "":
            yield str(row[key])


@text.register
def _(value: Shrunken, lang: str = "en") -> str:
    """The sentences, the table and the notes."""
    title = Text("Shrunken beside raw", "收缩值与原始值").say(lang)
    said = "\n".join(s.say(lang) for s in value.sentences)
    return "\n".join([*([said] if said else []), shown(title, value.table, value.notes, lang)])
