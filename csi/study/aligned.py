"""Alignment as a study asks for it: factor means of all cells that the gate judges, beside their indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Note, note
from csi.measures.alignment import Way
from csi.study.breaks import doubted
from csi.study.fitted import base_of
from csi.study.gate import formed
from csi.study.study import Study
from csi.survey.panel import Panel
from csi.tracking.gate_aligned import AlignedCells, aligned_cells
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index
from csi.tracking.waves import wave_order


def aligned(
    study: Study,
    panel: Panel,
    found: Sequence[Comparable],
    constructs: Sequence[str] | None,
    where: Mapping[str, str] | None = None,
    method: Way = "free",
) -> tuple[tuple[AlignedCells, ...], tuple[Note, ...]]:
    """Every construct over all cells of every index that the gate judged; means are told from the focal brand's cell in
    the base wave. Waves before the latest change of the answer scale take no part.

    Parameters:
        constructs: None for all with items. where: only the cells of these brands, waves.
    """
    out: list[AlignedCells] = []
    notes: list[Note] = []
    start = {"brand": study.focal or "", "wave": base_of(study) or ""}
    for one in found:
        names = [c for c in one.index.constructs if c in set(one.index.weights["construct"])]
        for name in names if constructs is None else constructs:
            waves, told = alike(study, panel, one.index, name, where or {})
            made = aligned_cells(
                one.index,
                name,
                method=method,
                reference=start,
                small=study.settings.small,
                formed=formed(study),
                where={**{k: [v] for k, v in (where or {}).items()}, **({"wave": waves} if waves else {})},
            )
            out.append(made)
            notes += [*made.notes, *told]
    return tuple(out), tuple(dict.fromkeys(notes))


def alike(
    study: Study, panel: Panel, index: Index, construct: str, where: Mapping[str, str]
) -> tuple[list[str], tuple[Note, ...]]:
    """The waves asked for with one answer scale, the latest; none where the index has no waves."""
    if "wave" not in index.cells.columns:
        return [], ()
    present = set(index.cells["wave"].cast(pl.String).to_list())
    order = [w for w in (study.waves or wave_order(index.cells)) if w in present]
    if "wave" in where:
        return [where["wave"]], ()
    said = [b.wave for b in study.breaks if b.what == "scale"]
    said += [b.wave for b in doubted(study, index, panel, order) if b.only is None or construct in b.only]
    start = max((order.index(w) for w in said if w in order), default=0)
    if not start:
        return order, ()
    first = order[start]
    en = f"Waves before {first} take no part in the alignment: they have another answer scale."
    return order[start:], (note("N-ALIGN-SCALE", en, f"{first} 之前各期的答题量表不同，不参与对齐。"),)
