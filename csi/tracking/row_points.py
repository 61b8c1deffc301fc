"""The index of each respondent in a cell: 0-100 by the weights of the cell's index.

Letters: `n` rows of the cell.
"""

from __future__ import annotations

import numpy as np

from csi.moments.stack import Array, Ints
from csi.tracking.classes import rows_of
from csi.tracking.index import Index


def row_points(index: Index, construct: int, cell: int) -> tuple[Ints, Array] | None:
    """Rows of a cell in `index.sample` that answered all items of a construct, and their points (n,).

    None where the index has no rows or no weights of its own.
    """
    sample, estimated = index.sample, index.estimated
    if sample is None or estimated is None:
        return None
    weights = estimated.values[estimated.groups.of_index[cell]]
    table = index.weights.head(weights.size)
    mine = (table["construct"] == index.constructs[construct]).to_numpy()
    columns = np.array([sample.names.index(i) for i in table["item"].gather(np.flatnonzero(mine)).to_list()])
    part = rows_of(sample, cell)
    rows: Ints = np.arange(part.start, part.stop, dtype=np.int64)
    low, high = sample.minimum[columns], sample.maximum[columns]
    points = 100.0 * (sample.rows[rows][:, columns] - low) / (high - low) @ weights[mine]
    whole = np.isfinite(points)
    return rows[whole], points[whole]
