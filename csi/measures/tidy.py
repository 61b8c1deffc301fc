"""From arrays to tidy frames, and from replicates to intervals; shared by the measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from csi.errors import Reason, Text, reason
from csi.estimate.estimate import Estimate
from csi.inference.bootstrap import Uncertainty, uncertainty
from csi.inference.pooled import Scale, copies_of, pooled
from csi.inference.replicates import Quantity
from csi.moments.stack import Array


def tidy(
    cells: pl.DataFrame,
    labels: pl.DataFrame,
    numbers: Mapping[str, Array],
    texts: Mapping[str, Sequence[str | None]] | None = None,
) -> pl.DataFrame:
    """One row per cell and label: the cell's key columns, the labels, the numbers (null where not finite), the texts.

    Parameters:
        cells: b rows with key columns and `n`. labels: m rows naming what each number is.
        numbers: name -> (b, m). texts: name -> b * m strings or None, cell by cell.

    Example:
        >>> cells = pl.DataFrame({"brand": ["A"], "n": [250]})
        >>> print(tidy(cells, pl.DataFrame({"construct": ["trust"]}), {"ave": np.array([[np.nan]])}).rows())
        [('A', 'trust', None)]
    """
    b, m = cells.height, labels.height
    keys = [name for name in cells.columns if name != "n"]
    parts = []
    if keys:
        parts.append(cells[keys][np.repeat(np.arange(b), m)])
    parts.append(pl.concat([labels] * b) if m and b != 1 else labels)
    parts.append(pl.DataFrame({name: number_column(array) for name, array in numbers.items()}))
    if texts:
        parts.append(pl.DataFrame({name: pl.Series(list(t), dtype=pl.String) for name, t in texts.items()}))
    return pl.concat([p for p in parts if p.width], how="horizontal")


def number_column(array: Array) -> pl.Series:
    """Numbers in a row, cell by cell; null where not finite."""
    flat = np.asarray(array, dtype=np.float64).reshape(-1)
    return pl.Series("", np.where(np.isfinite(flat), flat, np.nan), nan_to_null=True)


def cells_of(est: Estimate) -> pl.DataFrame:
    """The cells of an estimate, one row per slice even when it has no key columns."""
    cells = est.moments.cells
    if cells.height == len(est.moments.n):
        return cells
    return pl.DataFrame({"n": est.moments.n})


def unsolved(est: Estimate) -> list[Reason | None]:
    """Per cell: why its solution cannot be used (no numbers, or no convergence); None where it can."""
    ended = est.convergence
    return [None if ok else ended.reasons.get(i, NO_SOLUTION) for i, ok in enumerate(ended.converged)]


def solved_only(est: Estimate, numbers: Mapping[str, Array]) -> dict[str, Array]:
    """Numbers (b, m) that come from the solution, NaN in the cells without one."""
    usable = np.array([r is None for r in unsolved(est)], dtype=bool)[:, None]
    return {name: np.where(usable, array, np.nan) for name, array in numbers.items()}


def cell_codes(est: Estimate, m: int) -> list[str | None]:
    """The code of why each cell has no solution, m times per cell: the `reason` column of `tidy`."""
    return [None if r is None else r.code for r in unsolved(est) for _ in range(m)]


def said_once(reasons: Iterable[Reason | None]) -> dict[str, Reason]:
    """Code -> reason; where cells give one code different words, the code stands for all of them in general words."""
    found: dict[str, Reason] = {}
    for why in reasons:
        if why is not None:
            first = found.setdefault(why.code, why)
            if first.text != why.text:
                found[why.code] = Reason(why.code, SEVERAL)
    return found


def with_reasons(frame: pl.DataFrame, why: Sequence[Reason | None]) -> pl.DataFrame:
    """A frame with columns `reason` and `reason_zh`: why numbers of a row are absent.

    Example:
        >>> why = reason("R-FEW", "too few answers.", "样本过少。")
        >>> with_reasons(pl.DataFrame({"alpha": [0.8, None]}), [None, why]).rows()
        [(0.8, None, None), (None, 'too few answers.', '样本过少。')]
    """
    told = {"reason": [w and w.text.en for w in why], "reason_zh": [w and w.text.zh for w in why]}
    return frame.with_columns(pl.Series(c, values, dtype=pl.String) for c, values in told.items())


NO_SOLUTION = reason("no_solution", "the model has no usable solution in this cell.", "该单元没有可用的解。")
SEVERAL = Text(
    "the model has no usable solution in several cells, each for its own cause (see the estimate's convergence).",
    "多个单元没有可用的解，原因各异，详见估计结果的收敛信息。",
)


def uncertain(
    est: Estimate, quantity: Quantity, drawn: Array | None = None, *, scale: Scale = "itself", kept: bool = False
) -> Uncertainty | None:
    """Value, standard errors and intervals of a measure from replicates, or from pooled copies; None without either.

    Parameters:
        quantity: (Moments, Solution) -> (m, ...). drawn: (B*b, ...) the measure on the replicates where it follows from
            what they keep, which saves a second pass over the rows. kept: whether it follows from the solution alone,
            which saves that pass as well. scale: where copies are combined.
    """
    if any(copy.replicates is not None for copy in copies_of(est)):
        return pooled(est, quantity, scale, kept=kept)
    if est.replicates is None:
        return None
    if kept and drawn is None:
        drawn = quantity(est.moments, est.replicates.solution)
    return uncertainty(est, quantity, drawn)
