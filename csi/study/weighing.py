"""How the index of a study weighs the items of its target, cell by cell, and the rows of a cell under those weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.errors import Problems, did_you_mean, problem
from csi.moments.sample import sample_of
from csi.moments.stack import Ints, Missing, Sample
from csi.study.fitted import CELLS, fitted, indexed
from csi.study.study import Study
from csi.survey.panel import Panel
from csi.tracking.index import Index
from csi.tracking.row_effects import Answered


@dataclass(frozen=True, slots=True)
class Weighing:
    """How the index is made: the target's items with relative weights per cell, all items, the missing treatment.

    Attributes:
        cells: key columns of the cells that have weights; `weights`: their item -> weight. names: items whose absence
            takes a row out under listwise deletion.
    """

    target: str
    names: tuple[str, ...]
    missing: Missing
    cells: pl.DataFrame
    weights: tuple[Mapping[str, float], ...]

    def of(self, key: Mapping[str, object]) -> Mapping[str, float]:
        """The weights of a cell; none where it has no index."""
        for row, weights in zip(self.cells.iter_rows(named=True), self.weights, strict=True):
            if all(row[k] == key.get(k) for k in self.cells.columns):
                return weights
        return {}


def weighing(study: Study, panel: Panel, target: str = "", made: Index | None = None) -> Weighing:
    """The study's weights of the target's items in every cell; of imputed copies none, so their answers as they are."""
    name = target or study.settings.target
    if name not in study.model.names:
        hint = did_you_mean(name, study.model.names)
        en, zh = f'"{name}" is not a construct of the model.', f"“{name}”不是模型中的构念。"
        raise Problems([problem("E-TARGET", "target", en, zh, hint.en, hint.zh)], study.language)
    if made is None:
        plain = replace(study, settings=replace(study.settings, imputations=0))
        by = tuple(k for k in CELLS if k in panel.frame.columns)
        made = indexed(plain, fitted(plain, panel, by, errors=False))
    sample = made.sample
    missing: Missing = "listwise" if sample is None else sample.missing
    names = study.model.items if sample is None else sample.names
    estimated = made.estimated
    groups = 0 if estimated is None else estimated.values.shape[0]
    table = made.weights.with_columns(
        pl.Series("g", np.repeat(np.arange(groups), made.weights.height // max(groups, 1)))
    )
    mine = table.filter(pl.col("construct") == name)
    of = [] if estimated is None else estimated.groups.of_index.tolist()
    if not of:
        return Weighing(name, tuple(names), missing, made.cells.drop("n"), ({},) * made.cells.height)
    weights = tuple(dict(mine.filter(pl.col("g") == g).select("item", "weight").iter_rows()) for g in of)
    return Weighing(name, tuple(names), missing, made.cells.drop("n"), weights)


def plain(panel: Panel, target: str) -> Weighing:
    """Equal weights of a construct's items; the first construct by default, or satisfaction."""
    have = list(dict.fromkeys(i.construct for i in panel.codebook.items if i.construct))
    name = target or next((c for c in ("satisfaction", *have) if c in have), "")
    if target and target not in have:
        hint = did_you_mean(target, have)
        en, zh = f'no item of the codebook is of "{target}".', f"编码簿中没有“{target}”的题项。"
        raise Problems([problem("E-TARGET", "target", en, zh, hint.en, hint.zh)])
    items = tuple(panel.codebook.items_of(name)) if name else panel.codebook.names
    keys = [k for k in CELLS if k in panel.frame.columns]
    cells = panel.frame.select(keys).unique(maintain_order=True) if keys else pl.DataFrame()
    count = cells.height if keys else 1
    book = {i: panel.codebook[i].scale for i in items}
    spans = {i: s.maximum - s.minimum for i, s in book.items()}
    share = {i: 1 / len(items) for i in items if spans[i] > 0}
    return Weighing(name, items, "listwise", cells, (share,) * count)


def usable_rows(panel: Panel, how: Weighing) -> Sample | None:
    """The usable rows; None where there are none."""
    keys = [k for k in CELLS if k in panel.frame.columns]
    try:
        return sample_of(panel, how.names, keys, missing=how.missing)
    except Problems:
        return None


def cell_of(sample: Sample, number: int, how: Weighing, key: Mapping[str, object]) -> tuple[Answered, Ints] | None:
    """The rows of one cell with the weights of its index, and their places in the panel; None without weights."""
    weights = {i: w for i, w in how.of(key).items() if i in sample.names}
    a = np.array(list(weights.values()), dtype=np.float64)
    if not weights or not np.isfinite(a).all() or sample.place is None:
        return None
    first, last = np.searchsorted(sample.cell, [number, number + 1])
    rows = slice(int(first), int(last))
    columns = np.array([sample.names.index(i) for i in weights], dtype=np.int64)
    cell = Answered(
        sample.rows[rows], sample.weight[rows], sample.unit[rows], sample.stratum, columns, a,
        sample.minimum[columns], sample.maximum[columns], how.missing in ("em", "fiml", "two-stage"),
    )  # fmt: skip
    return cell, np.asarray(sample.place[rows])
