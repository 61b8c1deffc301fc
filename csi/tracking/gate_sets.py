"""Which cells are compared with which: sets of cells that differ in one key alone, and what cannot be tested of them.

Letters: `c` cells of an index, `g` cells of one set, `p` items of a construct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, Reason, did_you_mean, problem, reason
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.contrasts import construct_place
from csi.tracking.index import Index

Rule = Literal["ladder", "micom"]
"""Evidence by the invariance ladder of a factor, or by the composition of a composite (MICOM)."""

LEAST_ITEMS = 3
"""Items of a construct below which a factor of its own items has nothing to test."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells that differ in one key alone, of one construct.

    Attributes:
        construct, items: what is compared. between: the key that differs. keys: the values that the cells share.
        cells: (g,) their numbers in the index. labels: their values of `between`. points: (p,) index points per unit of
            each answer, 100 a_k / (u_k - l_k). left_out: value of `between` -> why the cell takes no part.
        reason: why nothing of the set can be tested, else None. every: (number, value) of all cells, in order.
        rule: what evidence is asked for.
    """

    construct: str
    items: tuple[str, ...]
    between: str
    keys: Mapping[str, str]
    cells: Ints
    labels: tuple[str, ...]
    points: Array
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    reason: Reason | None = None
    every: tuple[tuple[int, str], ...] = ()
    rule: Rule = "ladder"

    @property
    def everyone(self) -> tuple[int, ...]:
        """Numbers of all cells, those left out included."""
        return tuple(c for c, _ in self.every)

    @property
    def every_label(self) -> tuple[str, ...]:
        """Their values of `between`."""
        return tuple(label for _, label in self.every)

    def cells_in(self, key: str, value: str) -> bool:
        """Whether the set has cells with this value of a key."""
        return value in self.every_label if key == self.between else self.keys.get(key, value) == value

    def why(self, cell: int) -> Reason | None:
        """Why a cell takes no part; None where it does."""
        return self.left_out.get(dict(self.every).get(cell, ""))


def sets_of(
    index: Index,
    between: Sequence[str] | None,
    constructs: Sequence[str] | None,
    small: int,
    formative: Sequence[str],
    rule: Rule | None = None,
) -> tuple[Cells, ...]:
    """Every set of cells of an index, for each construct asked for.

    Parameters:
        between: keys; None for all in which cells differ. constructs: None for all with items. small: fewest rows of a
            cell. formative: constructs that their items form, so that no factor is behind them. rule: the evidence; by
            default the ladder, MICOM of constructs that their items form or that have two items.

    Raises:
        Problems: E-BY (no such key), E-GATE (nothing differs), E-CONSTRUCT, E-ROWS (moments without their rows).
    """
    if index.sample is None:
        raise Problems([no_rows()])
    keys = _between(index, between)
    names = _constructs(index, constructs)
    found = []
    for key in keys:
        for shared, cells in _groups(index, key):
            found += [_set(index, name, key, shared, cells, small, formative, rule) for name in names]
    return tuple(found)


def no_rows() -> Problem:
    """What an index made of moments alone lacks."""
    en = "whether cells are comparable is tested from rows, and the index was made of moments alone."
    zh = "可比性检验需要原始数据行，而该指数仅由矩得到。"
    return problem("E-ROWS", "comparable", en, zh, "Fit a panel or a frame.", "请用面板数据或数据框拟合。")


def _between(index: Index, asked: Sequence[str] | None) -> list[str]:
    """The keys whose values are compared."""
    have = [k for k in index.cells.columns if k != "n"]
    differ = [k for k in have if index.cells[k].n_unique() > 1]
    wanted = differ if asked is None else [asked] if isinstance(asked, str) else list(asked)
    found = [_unknown(k, have) for k in wanted if k not in have]
    found += [_alone(index, k) for k in wanted if k in have and k not in differ]
    if not wanted:
        found.append(_alone(index, have[0] if have else ""))
    if found:
        raise Problems(found)
    return wanted


def _unknown(key: str, have: Sequence[str]) -> Problem:
    hint = did_you_mean(key, have)
    en, zh = f'the index has no cells by "{key}".', f"指数没有按“{key}”划分的单元。"
    do, do_zh = f"{hint.en} Others must be named in by= when fitting.", f"{hint.zh}其他列需在拟合时写入 by=。"
    return problem("E-BY", "between", en, zh, do, do_zh)


def _alone(index: Index, key: str) -> Problem:
    value = str(index.cells[key][0]) if key else ""
    en = f'all cells have {key} "{value}"; there is nothing to compare.' if key else "there is one cell only."
    zh = f"所有单元的 {key} 均为“{value}”，无可比较。" if key else "只有一个单元，无可比较。"
    do = "Name a key in which cells differ, or fit with by=."
    return problem("E-GATE", "between", en, zh, do, "请指定取值不同的键，或在拟合时用 by= 分组。")


def _constructs(index: Index, asked: Sequence[str] | None) -> list[str]:
    """The constructs whose comparisons are judged, as the index names them."""
    if asked is None:
        return [c for c in index.constructs if c in set(index.weights["construct"])]
    wanted = [asked] if isinstance(asked, str) else list(asked)
    return [index.constructs[construct_place(index, name)] for name in wanted]


def _groups(index: Index, key: str) -> list[tuple[dict[str, str], Ints]]:
    """(values of the other keys, numbers of the cells) of every set of two cells or more."""
    others = [k for k in index.cells.columns if k not in {key, "n"}]
    frame = index.cells.with_row_index("_cell")
    parts = frame.partition_by(others, maintain_order=True) if others else [frame]
    named = [({k: str(part[k][0]) for k in others}, part["_cell"].to_numpy().astype(np.int64)) for part in parts]
    return [(shared, cells) for shared, cells in named if cells.size > 1]


def _set(
    index: Index,
    construct: str,
    key: str,
    shared: dict[str, str],
    cells: Ints,
    small: int,
    formative: Sequence[str],
    rule: Rule | None,
) -> Cells:
    """One set, less the cells that cannot take part."""
    items, points = item_points(index, construct, shared)
    labels = [str(index.cells[key][int(c)]) for c in cells]
    every = tuple((int(c), label) for c, label in zip(cells, labels, strict=True))
    found = Cells(construct, items, key, shared, cells, tuple(labels), points, every=every)
    why = no_ladder(construct, items, formative)
    composite = (rule == "micom" or (rule is None and why is not None)) and len(items) > 1
    weighed = index.estimated is not None and index.estimated.source is not None
    if composite and (weighed or rule == "micom"):
        found, why = replace(found, rule="micom"), None if weighed else UNWEIGHED
    if why is not None:
        return replace(found, reason=why)
    if not np.isfinite(points).all():
        return replace(found, reason=NO_WEIGHTS)
    whys = [unfit(index, construct, int(c), items, small) for c in cells]
    out = {label: why for label, why in zip(labels, whys, strict=True) if why is not None}
    kept = [i for i, label in enumerate(labels) if label not in out]
    found = replace(found, cells=cells[kept], labels=tuple(labels[i] for i in kept), left_out=out)
    return found if len(kept) > 1 else replace(found, reason=TOO_FEW_CELLS)


def no_ladder(construct: str, items: Sequence[str], formative: Sequence[str]) -> Reason | None:
    """Why a construct's items cannot climb the ladder; None where they can."""
    if len(items) < 2:
        return _too_few_items(items)
    if construct in formative:
        return FORMED
    return _too_few_items(items) if len(items) < LEAST_ITEMS else None


def item_points(index: Index, construct: str, shared: Mapping[str, str]) -> tuple[tuple[str, ...], Array]:
    """Items of a construct and the index points per unit of their answers, by the weights behind these cells."""
    own = index.weights.filter(pl.col("construct") == construct)
    if index.rule != "base":
        here = own.filter(*(pl.col(k).cast(pl.String) == v for k, v in shared.items() if k in own.columns))
        own = here if here.height else own
    mean = own.group_by("item", maintain_order=True).agg(pl.col("weight").mean())
    items = tuple(mean["item"].to_list())
    sample = index.sample
    at = [] if sample is None else [sample.names.index(i) for i in items]
    span = np.full(len(items), np.nan) if sample is None else sample.maximum[at] - sample.minimum[at]
    weight = np.array([np.nan if w is None else w for w in mean["weight"]], dtype=np.float64)
    return items, 100.0 * weight / span


def unfit(index: Index, construct: str, cell: int, items: Sequence[str], small: int) -> Reason | None:
    """Why a cell takes no part: too few answers, an item that nobody answered or all answered alike."""
    sample = index.sample
    if sample is None:
        return None
    n = int(index.n_of(index.constructs.index(construct))[cell])
    if n < max(small, len(items) + 2):
        least = max(small, len(items) + 2)
        return reason("R-GATE-BASE", f"fewer than {least} answers.", f"样本量不足 {least}。")
    rows = sample.rows[sample.cell == cell][:, [sample.names.index(i) for i in items]]
    for k, item in enumerate(items):
        known = rows[np.isfinite(rows[:, k]), k]
        if not known.size:
            return reason("R-GATE-SILENT", f"nobody answered {item}.", f"{item} 无人作答。")
        if (known == known[0]).all():
            en, zh = f"all answers to {item} are the same.", f"{item} 的回答全部相同。"
            return reason("R-GATE-CONSTANT", en, zh)
    return None


def _too_few_items(items: Sequence[str]) -> Reason:
    n = len(items)
    if n < 2:
        en = "1 item: whether items measure alike can be tested from two items on."
        return reason("R-GATE-ITEMS", en, "仅有 1 个题项：至少两个题项才能检验测量等值。")
    en = f"{n} items: whether a factor's items measure alike can be tested from three on."
    return reason("R-GATE-ITEMS", en, f"仅有 {n} 个题项：至少三个题项才能检验因子的测量等值。")


FORMED = reason(
    "R-GATE-FORMED",
    "the items form the construct, so no factor has intercepts to be tested; csi.micom tests its weights.",
    "题项构成该构念，不存在可检验截距的因子；可用 csi.micom 检验其权重。",
)
UNWEIGHED = reason(
    "R-GATE-UNWEIGHED",
    "the index's weights are not estimated by a composite model, so that there is no composition to test.",
    "指数权重并非由合成模型估计，没有可检验的构成。",
)
NO_WEIGHTS = reason("R-GATE-WEIGHTS", "the construct has no index in these cells.", "该构念在这些单元没有指数。")
TOO_FEW_CELLS = reason(
    "R-GATE-CELLS", "fewer than two cells can be tested.", "可检验的单元不足两个。"
)  # fmt: skip


def rows_of(sample: Sample, one: Cells) -> Sample:
    """The rows of a set's cells as one cell of several groups, with the items of its construct alone."""
    code = np.full(sample.cells.height, -1, dtype=np.int64)
    code[one.cells] = np.arange(one.cells.size)
    at = [sample.names.index(i) for i in one.items]
    group = code[sample.cell]
    taken = np.flatnonzero((group >= 0) & np.isfinite(sample.rows[:, at]).any(axis=1))
    taken = taken[np.argsort(group[taken], kind="stable")]
    rows = sample.rows[taken][:, at]
    return replace(
        sample,
        names=one.items,
        rows=rows,
        weight=sample.weight[taken],
        cell=np.zeros(taken.size, dtype=np.int64),
        unit=sample.unit[taken],
        cells=pl.DataFrame({"n": [taken.size]}),
        minimum=sample.minimum[at],
        maximum=sample.maximum[at],
        missing="fiml" if np.isnan(rows).any() else "listwise",
        notes=(),
        group=group[taken],
        groups=one.labels,
        place=None if sample.place is None else sample.place[taken],
    )


def shared_units(sample: Sample, one: Cells) -> int:
    """How many units have rows in more than one cell of a set."""
    part = np.isin(sample.cell, one.cells)
    pairs = np.unique(np.stack([sample.unit[part], sample.cell[part]]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
