"""The comparability gate as a study asks for it: which differences, at which level, and when it waits to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Note, note
from csi.study.study import Study
from csi.tracking.gate import comparable
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index

MOST_CELLS = 400
"""Cells above which the gate waits to be asked: `csi comparable` runs it over any number."""


MOST_COMPOSED = 100
"""The same where MICOM is the evidence, which refits every cell in every permutation."""


def formed(study: Study) -> tuple[str, ...]:
    """Constructs that their items form: composites, and blocks of mode B."""
    modes = study.settings.modes
    return tuple(c.name for c in study.model.constructs if c.operator == "<~" or modes.get(c.name) == "B")


def gated(
    study: Study, index: Index, constructs: Sequence[str] | None = None
) -> tuple[Comparable | None, tuple[Note, ...]]:
    """What stands beside the differences of a study's index: the gate, or why none was run.

    Parameters:
        constructs: whose differences (the study's target by default).
    """
    asked = study.settings.gating
    keys = [k for k in (asked.between or ("brand", "wave")) if k in differing(index)]
    if not asked.gate or not keys or index.sample is None:
        return None, ()
    names = [study.settings.target] if constructs is None else constructs
    if index.cells.height > (MOST_COMPOSED if composed(study, index, names) else MOST_CELLS):
        n = index.cells.height
        en = f"{n} cells: whether they are comparable is not tested unasked (csi comparable)."
        return None, (note("N-GATE-MANY", en, f"共 {n} 个单元：可比性检验需另行运行（csi comparable）。"),)
    return judged(study, index, keys, names), ()


def composed(study: Study, index: Index, constructs: Sequence[str]) -> bool:
    """Whether MICOM is the evidence for one of these constructs."""
    if study.settings.gating.rule is not None:
        return study.settings.gating.rule == "micom"
    items = index.weights.group_by("construct").agg(pl.col("item").n_unique())
    few = items.filter(pl.col("item") == 2)["construct"].to_list()
    return any(c in formed(study) or c in few for c in constructs)


def judged(
    study: Study,
    index: Index,
    between: Sequence[str] | None,
    constructs: Sequence[str] | None,
    where: Mapping[str, str] | None = None,
) -> Comparable:
    """The gate with the study's settings, over the sets of some cells alone where `where` names them.

    Raises:
        Problems: as `csi.comparable`.
    """
    settings = study.settings
    return comparable(
        index,
        between,
        constructs,
        alpha=settings.gating.alpha,
        small=settings.small,
        ordered=settings.ordered,
        formed=formed(study),
        where=where,
        rule=settings.gating.rule,
        permutations=settings.telling.permutations,
        seed=settings.seed,
    )


def differing(index: Index) -> list[str]:
    """The keys in which an index's cells differ."""
    return [k for k in index.cells.columns if k != "n" and index.cells[k].n_unique() > 1]
