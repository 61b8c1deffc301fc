"""Waves before a linked break in points of the form after it, as a series beside the one that was measured.

Letters: `c` cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import sparse

from csi.inference.linearised import critical
from csi.measures.tidy import number_column
from csi.tracking.breaks import Break, between, bridged
from csi.tracking.contrasts import contrasts
from csi.tracking.index import Index


def linked_series(index: Index, construct: int, breaks: Sequence[Break], order: Sequence[str]) -> pl.DataFrame:
    """The cells that links carry over a break, and those of the wave that they are carried to.

    Parameters:
        construct: its column. breaks: with or without links. order: all waves, oldest first.

    Returns:
        keys of the cells, index, std_error (the link's error in it), conf_low, conf_high, carried (false of the cells
        that are in their own form: the wave after the last linked break of a run), run (a number for what is joined).

    Raises:
        Problems: as `csi.tracking.breaks.bridged`.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "b": [2, 4, 8, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> frame = pl.DataFrame(answers).with_columns(c="a", d="b")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> moved = Break("2", link=csi.link(method="given", shift=5.0, std_error=1.0))
        >>> found = linked_series(made, 1, [moved], ["1", "2"])
        >>> found.select("wave", "carried", pl.col("index").round(1)).rows(), made.values[:, 1].round(1).tolist()
        ([('1', True, 55.1), ('2', False, 61.1)], [50.1, 61.1])
    """
    keys = [k for k in index.cells.columns if k != "n"]
    name, waves = index.constructs[construct], index.cells["wave"].to_list()
    made = bridged(index, construct, breaks, order)
    ends = {w: _end(name, breaks, order, w) for w in set(waves)}
    targets = {end for end in ends.values() if end is not None}
    known = np.isfinite(made.values[:, construct])
    kept = [c for c, w in enumerate(waves) if known[c] and (ends[w] is not None or w in targets)]
    one = sparse.identity(index.cells.height, format="csr")[kept]
    found = contrasts(made, construct, one)
    reach = critical(index.level, found.df) * found.std_error
    numbers = {
        "index": found.estimate,
        "std_error": found.std_error,
        "conf_low": found.estimate - reach,
        "conf_high": found.estimate + reach,
    }
    runs = {end: i for i, end in enumerate(sorted(targets, key=list(order).index))}
    of = [ends[waves[c]] for c in kept]
    return index.cells.select(keys)[kept].with_columns(
        *(number_column(v).alias(k) for k, v in numbers.items()),
        carried=pl.Series([end is not None for end in of], dtype=pl.Boolean),
        run=pl.Series(
            [runs[waves[c] if end is None else end] for c, end in zip(kept, of, strict=True)], dtype=pl.Int64
        ),
    )


def _end(name: str, breaks: Sequence[Break], order: Sequence[str], wave: str) -> str | None:
    """The wave of the last break that links carry a wave over; None where the next break has no link, or none comes."""
    end = None
    for one in between(breaks, order, wave, order[-1], name):
        if one.link_of(name) is None:
            break
        end = one.wave
    return end
