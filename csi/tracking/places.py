"""Which cells of an index are ranked against each other, and what they are called."""

from __future__ import annotations

import numpy as np

from csi.errors import Problems, problem
from csi.moments.stack import Ints
from csi.tracking.index import Index
from csi.tracking.waves import check_waves


def ranked(index: Index, construct: int, wave: str | None, small: int) -> Ints:
    """The cells of a wave with an index and enough answers, best first."""
    keep = np.isfinite(index.values[:, construct]) & (index.n_of(construct) >= small)
    if "wave" in index.cells.columns:
        present = index.cells["wave"].unique(maintain_order=True).to_list()
        chosen = present[0] if wave is None and len(present) == 1 else wave
        if chosen is None:
            en, zh = f"which wave? There are {len(present)}.", f"请指定期次，共有 {len(present)} 期。"
            do, do_zh = f'Write wave="{present[-1]}", say.', f"例如 wave=“{present[-1]}”。"
            raise Problems([problem("E-WAVE", "wave", en, zh, do, do_zh)])
        check_waves(present, present, [str(chosen)])
        keep &= (index.cells["wave"] == chosen).to_numpy()
    cells = np.flatnonzero(keep)
    best_first: Ints = cells[np.argsort(-index.values[cells, construct], kind="stable")]
    return best_first


def brand_of(index: Index, cell: int) -> str:
    """The brand of a cell (several keys joined by " / ")."""
    keys = [k for k in index.cells.columns if k not in {"wave", "n"}]
    return " / ".join(str(index.cells[k][cell]) for k in keys)
