"""The tree of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from csi.errors import Text
from csi.study.settings import TreePlan
from csi.study.study import Study
from csi.tracking.index import Index
from csi.tracking.tree import Tree, tree
from csi.tracking.tree_structure import Structure, structure_of


def structure_of_plan(plan: TreePlan, brands: Mapping[str, Text]) -> Structure:
    """The structure of a study's tree, with the labels of its brands and its own.

    Raises:
        Problems: E-TREE.
    """
    made = structure_of(plan.structure, plan.levels)
    return replace(made, labels={**made.labels, **brands, **plan.labels})


def grown(
    study: Study, found: Index, *, base: str | None = None, waves: Sequence[str] | None = None, restate: bool = False
) -> Tree | None:
    """The tree of a study's index; None where the study has none.

    Parameters:
        found: the index by brand and wave. base: the wave of 100 in place of the study's. waves: in order. restate:
            take the latest dates of the weights, whatever the study says.

    Raises:
        Problems: as `csi.tree`.
    """
    plan, settings = study.settings.tree, study.settings
    if plan is None:
        return None
    several = "wave" in found.cells.columns and found.cells["wave"].n_unique() > 1
    return tree(
        found,
        structure_of_plan(plan, study.brands),
        plan.weights,
        settings.target,
        missing=plan.missing,
        base=base or plan.base or None,
        others=plan.others,
        waves=list(waves or study.waves) or None if several else None,
        per_year=settings.waves_per_year,
        small=settings.small,
        small_leaves=plan.small_leaves,
        restate=plan.restate or restate,
        adjust=plan.adjust,
        brands=tuple(study.brands),
    )
