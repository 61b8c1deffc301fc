"""Which answers are behind an index: those to the construct's items, not the rows of the cell.

Where rows with absent answers stay (pairwise, mean replacement, EM, full information), a mean is of those who answered.
An index is a weighted sum of item means; as one of them may rest on few answers alone, `n` is the number of answers to
the item that has fewest in the cell, as it is of rates of several items. Base rules, effective n and degrees of freedom
follow it.

Letters: `n` rows, `c` cells, `p` items, `q` constructs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from csi.estimate.estimate import Estimate
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.index_fit import item_places
from csi.tracking.index_variance import cell_degrees

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers behind every index.

    Attributes:
        n: (c, q) answers to the construct's item with fewest in the cell; the cell's rows where none is absent.
        rows: (q) of each construct the rows (n,) that answered that item, None where all did.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"a": [1, 2, 3, 4], "b": [1, 2, None, None]})
        >>> made = answers_behind(sample_of(frame, ["a", "b"], missing="pairwise"), [np.array([0]), np.array([0, 1])])
        >>> made.n.tolist(), made.rows[1].tolist()
        ([[4, 2]], [True, True, False, False])
    """

    n: Ints
    rows: tuple[Bools | None, ...]

    def domain(self, sample: Sample, constructs: Sequence[int]) -> Sample:
        """The rows behind the indices of some constructs together; units and strata stay as they are."""
        masks = [m for m in (self.rows[j] for j in constructs) if m is not None]
        if not masks:
            return sample
        keep = np.logical_and.reduce(masks)
        return replace(
            sample,
            rows=sample.rows[keep],
            weight=sample.weight[keep],
            cell=sample.cell[keep],
            unit=sample.unit[keep],
            group=None if sample.group is None else sample.group[keep],
            place=None if sample.place is None else sample.place[keep],
        )

    def degrees(self, sample: Sample) -> Array:
        """(c, q) resampling units minus strata among the rows behind each index."""
        whole = cell_degrees(sample)
        each = [whole if m is None else cell_degrees(self.domain(sample, [j])) for j, m in enumerate(self.rows)]
        return np.stack(each, axis=1)

    def kish(self, sample: Sample) -> Array:
        """(c, q) `n sum d^2 / (sum d)^2`, the design effect of unequal weights d among the rows behind each index.

        Source:
            Kish (1965), Survey Sampling, section 11.7.
        """
        whole, cells, each = None, sample.cells.height, []
        for counted in self.rows:
            if counted is None and whole is not None:
                each.append(whole)
                continue
            kept, d = (slice(None), sample.weight) if counted is None else (counted, sample.weight[counted])
            n, total, square = (np.bincount(sample.cell[kept], d**k, cells) for k in (0, 1, 2))
            with np.errstate(divide="ignore", invalid="ignore"):
                each.append(n * square / total**2)
            whole = each[-1] if counted is None else whole
        return np.stack(each, axis=1)


def answers_behind(sample: Sample, blocks: Sequence[Ints]) -> Answers:
    """The answers behind sums over blocks of columns of the rows."""
    cells = sample.cells.height
    whole = np.bincount(sample.cell, minlength=cells)
    if sample.missing == "listwise":
        return Answers(np.repeat(whole[:, None], len(blocks), axis=1), (None,) * len(blocks))
    counts: list[Ints] = []
    rows: list[Bools | None] = []
    for mine in blocks:
        known = np.isfinite(sample.rows[:, mine])
        if known.all():
            counts.append(whole)
            rows.append(None)
            continue
        each = np.stack([np.bincount(sample.cell, column, cells) for column in known.T.astype(np.float64)], axis=1)
        fewest = each.argmin(axis=1)
        counts.append(each.min(axis=1).astype(np.int64))
        rows.append(known[np.arange(len(known)), fewest[sample.cell]])
    return Answers(np.stack(counts, axis=1), tuple(rows))


def answers_of(cells: Estimate) -> Answers:
    """The answers behind the index of every cell and construct; of moments alone their n."""
    block, q = cells.solution.block, len(cells.solution.constructs)
    sample = cells.sample
    if sample is None:
        n = np.rint(cells.moments.n).astype(np.int64)
        return Answers(np.repeat(n[:, None], q, axis=1), (None,) * q)
    places = item_places(cells)
    return answers_behind(sample, [places[block == j] for j in range(q)])
