"""Weights of a rolling window: each wave's are estimated by its own answers and those of the waves before it.

Letters: `c` cells, `n` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from csi.errors import Problem, problem
from csi.moments.stack import Sample
from csi.tracking.waves import wave_order


def windowed(sample: Sample, waves: Sequence[str], window: int) -> Sample:
    """The rows of every wave together with those of the `window - 1` waves before it: one cell per wave.

    A row stands in up to `window` cells and stays one respondent of one resampling unit, so that resampling and
    linearisation know what consecutive windows share.

    Parameters:
        sample: rows in cells by wave. waves: those that get a window, in the order of the new cells.

    Example:
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"a": [1.0, 2.0, 3.0], "wave": ["1", "2", "3"]})
        >>> windowed(sample_of(frame, ["a"], by=["wave"]), ["1", "2", "3"], 2).cells.rows()
        [('1', 1), ('2', 2), ('3', 2)]
    """
    order = wave_order(sample.cells)
    of = sample.cells["wave"].to_numpy()
    rows, cells = [], []
    for number, wave in enumerate(waves):
        last = order.index(wave)
        within = np.isin(of, list(order[max(last - window + 1, 0) : last + 1]))
        mine = np.flatnonzero(within[sample.cell])
        rows.append(mine)
        cells.append(np.full(mine.size, number))
    take, cell = np.concatenate(rows), np.concatenate(cells).astype(np.int64)
    counts = [part.size for part in rows]
    return replace(
        sample,
        rows=sample.rows[take],
        weight=sample.weight[take],
        cell=cell,
        unit=sample.unit[take],
        cells=pl.DataFrame({"wave": list(waves), "n": counts}),
        group=None if sample.group is None else sample.group[take],
        place=None if sample.place is None else sample.place[take],
    )


def window_problems(window: int) -> list[Problem]:
    """A window is a whole number of waves, at least one."""
    if isinstance(window, int) and window >= 1:
        return []
    en, zh = f"a window of {window} waves.", f"窗口为 {window} 期。"
    do, do_zh = "Give a whole number of waves, such as 4.", "请给出整数期数，例如 4。"
    return [problem("E-SETTING", "window", en, zh, do, do_zh)]


def window_needs_rows() -> Problem:
    """Moments alone cannot be windowed."""
    en, zh = "a rolling window needs the rows behind the cells.", "滚动窗口需要单元背后的数据行。"
    do, do_zh = 'Fit from a panel, or use weights="wave".', "请用面板数据拟合，或改用 weights=“wave”。"
    return problem("E-ROWS", "index", en, zh, do, do_zh)
