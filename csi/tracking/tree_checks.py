"""A tree held against the answers: structure, weights, brands, all that is wrong with them at once.

Letters: `m` nodes, `t` waves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import Problem, Text, did_you_mean, problem
from csi.tracking.tree_structure import Structure, childless, structure_found
from csi.tracking.tree_weights import NodeWeights, weights_found

OTHERS = "All others"
"""What leaves too small to be shown are called together."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the data hold.

    Attributes:
        waves: oldest first. cells: (brand, wave) with a value. names: brands of the data, None where they are unknown.
        brands: those that may have no answers. place: what messages call it.
    """

    waves: Sequence[str]
    cells: Collection[tuple[str, str]]
    names: Sequence[str] | None
    brands: Sequence[str] = ()
    place: Text = Text("in the data", "数据")  # noqa: RUF009 - frozen


def placed(
    structure: object,
    weights: object,
    answered: Answered,
    others: str,
    *,
    levels: Sequence[str] = (),
    leaf: str = "brand",
    restate: bool = False,
) -> tuple[Structure | None, NodeWeights | None, list[Problem]]:
    """The structure and its weights, as far as they can be read, and all that is wrong with them.

    Parameters:
        structure, weights, levels, restate: as in `csi.tree`. others: the name of all brands outside the structure.
        leaf: name of the lowest level.
    """
    nodes, found = structure_found(structure, levels, leaf)
    if nodes is None:
        return None, None, found
    if answered.names is not None:
        found = [*found, *brand_problems(nodes, answered, others)]
    place = {nodes.names[i]: i for i in nodes.leaves}
    present = np.zeros((len(answered.waves), len(nodes.names)), dtype=np.bool_)
    when = {w: t for t, w in enumerate(answered.waves)}
    for name, wave in answered.cells:
        node = place.get(name, place.get(others))
        if node is not None and wave in when:
            present[when[wave], node] = True
    given, wrong = weights_found(weights, nodes, answered.waves, present, restate=restate)
    return nodes, given, [*found, *wrong]


def brand_problems(nodes: Structure, answered: Answered, others: str) -> list[Problem]:
    """Leaves that are no brands, brands above others, a name for all others that is taken."""
    names = list(dict.fromkeys(answered.names or ()))
    real, found = {*names, *answered.brands}, []
    place = {nodes.names[i] for i in nodes.leaves}
    above = [nodes.names[i] for i in nodes.parents]
    for parent in above:
        if parent in real:
            below = nodes.names[nodes.children(nodes.names.index(parent))[0]]
            en = f'the brand "{parent}" has answers of its own and stands above "{below}".'
            zh = f"品牌“{parent}”自身有答卷，却是“{below}”的上级。"
            do = "A parent is made of what is below it: give it another name, and make the brand a leaf."
            do_zh = "上级由其下成员构成：请另取名称，并把该品牌列为成员。"
            where = nodes.where.get(below, "structure")
            found.append(problem("E-TREE", where, en, zh, do, do_zh))
    if others in real or others in above:
        what = Text("brand", "品牌") if others in real else Text("parent of the tree", "树中的上级")
        en, zh = f'others is "{others}", a {what.en}.', f"others 为“{others}”，而它是{what.zh}。"
        do, do_zh = "Take a name of its own, such as All others.", "请另取名称，例如“其他”。"
        found.append(problem("E-TREE", "others", en, zh, do, do_zh))
    levels = {nodes.level[i] for i in nodes.parents}
    for leaf in [nodes.names[i] for i in nodes.leaves]:
        if leaf in real or leaf == others:
            continue
        if nodes.level[nodes.names.index(leaf)] in levels:
            found.append(childless(leaf, nodes.where.get(leaf, "structure")))
            continue
        hint = did_you_mean(leaf, [b for b in names if b not in place] or names)
        en, zh = f'the leaf "{leaf}" is not {answered.place.en}.', f"{answered.place.zh}中没有成员“{leaf}”。"
        do = f"{hint.en} A leaf without answers has no place in the tree."
        where = nodes.where.get(leaf, "structure")
        found.append(problem("E-TREE-LEAF", where, en, zh, do, f"{hint.zh}没有答卷的成员不应列入树中。"))
    return found
