"""Many cells beside each other without equal items in all of them: aligned factor means beside the index.

Letters: `g` cells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from csi.errors import Note, Problems, Reason, Text, note, reason
from csi.measures.alignment import Alignment, Way, aligned_of, told_of
from csi.moments.stack import Ints, Sample
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_alignment import EPSILON, own_fits
from csi.tracking.gate_sets import TOO_FEW_CELLS, Cells, item_points, no_ladder, no_rows, shared_units, unfit
from csi.tracking.index import Index

MOST = 200
"""Cells above which alignment takes minutes: fewer are to be asked for."""

LEAST_RANKED = 3
"""Cells from which on their order by index and by aligned mean is compared."""


@dataclass(frozen=True, slots=True)
class AlignedCells:
    """The cells of an index with the factor means of one construct.

    Attributes:
        construct, keys: what is aligned over the values of what. found: the alignment, its groups named as in `means`;
            None where there is none. means: a row per cell: the keys, construct, group, n, index, mean, std_error,
            conf_low, conf_high, variance. left_out: group -> why the cell takes no part. agreement: rank correlation of
            indices and aligned means; NaN of fewer than three cells. reason: why nothing is aligned. notes.
    """

    construct: str
    keys: tuple[str, ...]
    found: Alignment | None
    means: pl.DataFrame
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    agreement: float = float("nan")
    reason: Reason | None = None
    notes: tuple[Note, ...] = ()


def aligned_cells(
    index: Index,
    construct: str,
    *,
    method: Way = "free",
    reference: Mapping[str, str] | None = None,
    small: int = 30,
    formed: Collection[str] = (),
    where: Mapping[str, Collection[str]] | None = None,
) -> AlignedCells:
    """The alignment of one construct over all cells of an index at once.

    The items are one factor in every cell, fitted by itself (full information where answers are absent); then means and
    variances of the factors are those under which the fewest loadings and intercepts differ much (`csi.alignment`).
    Cells with too few answers, an item that nobody answered or all answered alike, or without a solution take no part.

    Parameters:
        method: "free" or "fixed", as `csi.alignment`. reference: key values of the cell that means are told from; the
            first that has most of them. small: fewest answers of a cell. formed: constructs that their items form.
        where: key -> the values kept.

    Raises:
        Problems: E-ROWS, E-CONSTRUCT.

    Returns:
        An `AlignedCells`; with a reason where the construct or the cells cannot be aligned.
    """
    if index.sample is None:
        raise Problems([no_rows()])
    name = index.constructs[construct_place(index, construct)]
    cells = _chosen(index, where or {})
    keys = tuple(k for k in index.cells.columns if k != "n" and index.cells[k].gather(cells).n_unique() > 1)
    empty = _frame(index, name, keys, ())
    items, points = item_points(index, name, {})
    why = no_ladder(name, items, tuple(formed))
    if why is not None:
        return AlignedCells(name, keys, None, empty, reason=why)
    labels = {int(c): _group(index, keys, int(c)) for c in cells}
    out = {labels[c]: r for c in labels if (r := unfit(index, name, c, items, small)) is not None}
    one = Cells(name, items, "cell", {}, *_kept(labels, out), points)
    if len(one.labels) < 2:
        return AlignedCells(name, keys, None, empty, out, reason=TOO_FEW_CELLS)
    if len(one.labels) > MOST:
        return AlignedCells(name, keys, None, empty, out, reason=_too_many(len(one.labels)))
    return _aligned(index, index.sample, one, keys, out, labels, method, reference or {})


def _chosen(index: Index, where: Mapping[str, Collection[str]]) -> Ints:
    """Numbers of the cells asked for."""
    asked = [pl.col(k).cast(pl.String).is_in(list(v)) for k, v in where.items() if k in index.cells.columns]
    frame = index.cells.with_row_index("_cell").filter(*asked)
    return frame["_cell"].to_numpy().astype(np.int64)


def _group(index: Index, keys: Sequence[str], cell: int) -> str:
    """A cell's name."""
    return " · ".join(str(index.cells[k][cell]) for k in keys)


def _kept(labels: Mapping[int, str], out: Mapping[str, Reason]) -> tuple[Ints, tuple[str, ...]]:
    """Numbers and names of the cells that take part."""
    kept = {c: label for c, label in labels.items() if label not in out}
    return np.array([*kept], dtype=np.int64), tuple(kept.values())


def _aligned(
    index: Index,
    sample: Sample,
    one: Cells,
    keys: tuple[str, ...],
    out: dict[str, Reason],
    labels: Mapping[int, str],
    method: Way,
    reference: Mapping[str, str],
) -> AlignedCells:
    """The alignment of cells that can be fitted; those without a solution leave."""
    est = own_fits(sample, one)
    if est is not None and not est.convergence.converged.all():
        unsolved = np.flatnonzero(~est.convergence.converged)
        out |= {one.labels[int(k)]: UNSOLVED for k in unsolved}
        cells, kept = _kept(labels, out)
        one = replace(one, cells=cells, labels=kept)
        est = own_fits(sample, one) if len(kept) > 1 else None
    if est is None:
        why = TOO_FEW_CELLS if len(one.labels) < 2 else UNFITTED
        return AlignedCells(one.construct, keys, None, _frame(index, one.construct, keys, ()), out, reason=why)
    at = _reference(index, one, reference)
    made = aligned_of(est, one.construct, one.items, at, method, EPSILON)
    found = told_of(est, {one.construct: made}, one.labels, at, method, EPSILON)
    means = _frame(index, one.construct, keys, one.cells).hstack(
        found.means.select("n", "mean", "std_error", "conf_low", "conf_high", "variance")
    )
    order = [*keys, "construct", "group", "n", "index", "mean", "std_error", "conf_low", "conf_high", "variance"]
    overlap = shared_units(sample, one)
    notes = (*found.notes, *([_overlap(overlap)] if overlap else []))
    return AlignedCells(one.construct, keys, found, means.select(order), out, _agreement(means), None, notes)


def _reference(index: Index, one: Cells, reference: Mapping[str, str]) -> int:
    """The place of the first cell that has most of the key values asked for."""
    have = {k: v for k, v in reference.items() if k in index.cells.columns}
    hits = [sum(str(index.cells[k][int(c)]) == v for k, v in have.items()) for c in one.cells]
    return hits.index(max(hits))


def _frame(index: Index, construct: str, keys: Sequence[str], cells: Ints | Sequence[int]) -> pl.DataFrame:
    """The cells with their names and indices."""
    rows = [int(c) for c in cells]
    at = index.constructs.index(construct)
    return pl.DataFrame(
        {
            **{k: [str(index.cells[k][c]) for c in rows] for k in keys},
            "construct": [construct] * len(rows),
            "group": [_group(index, keys, c) for c in rows],
            "index": [float(index.values[c, at]) for c in rows],
        },
        schema={**dict.fromkeys((*keys, "construct", "group"), pl.String()), "index": pl.Float64()},
    )


def _agreement(means: pl.DataFrame) -> float:
    """Spearman's rank correlation of indices and aligned means."""
    known = means.filter(pl.col("index").is_finite())
    if known.height < LEAST_RANKED:
        return float("nan")
    found = known.select(pl.corr("index", "mean", method="spearman")).item()
    return float("nan") if found is None else float(found)


def _overlap(many: int) -> Note:
    en = f"{many} respondents answered in several aligned cells; errors of aligned means take cells as independent."
    zh = f"{many} 位受访者在多个对齐的单元中作答；对齐均值的标准误将各单元视为独立。"
    return note("W-GATE-OVERLAP", en, zh)


def _too_many(many: int) -> Reason:
    en = f"{many} cells, more than the {MOST} that are aligned at once; ask for a wave or a brand."
    return reason("R-ALIGN-MANY", en, f"共 {many} 个单元，超过一次可对齐的 {MOST} 个；请指定期次或品牌。")


UNSOLVED = reason("R-ALIGN-UNSOLVED", "its factor has no solution.", "该单元的因子无解。")
UNFITTED = reason("R-ALIGN-UNFITTED", "the factor cannot be fitted in these cells.", "无法在这些单元拟合该因子。")


def agreement_text(found: AlignedCells) -> Text:
    """Whether aligned means order the cells as their indices do."""
    r = found.agreement
    if not np.isfinite(r):
        return Text("", "")
    en = f"Rank correlation of indices and aligned means over {found.means.height} cells: {r:.2f}."
    return Text(en, f"{found.means.height} 个单元的指数与对齐均值的等级相关为 {r:.2f}。")
