"""Composites whose first weight, fixed to 1, wants to be near 0: the others run away, and the search with them.

The same model with the heaviest item first is sound; its weights, told relative to the first again, start the search
in the unit that was asked for.

Letters: `b` slices, `k` parameters, `j` items of a composite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from csi.errors import Note, note
from csi.models.nouns import Claim, Construct
from csi.moments.stack import Array, Ints
from csi.sem.composites import Composite, composites_of
from csi.sem.layout import Layout
from csi.sem.prepare import Prepared, frame_of

SMALL = 0.2
"""A first weight with a smaller share of the heaviest one, both standardised, is exchanged for it."""


def weights_of(layout: Layout, theta: Array, made: Composite, group: int) -> Array:
    """(b, j) weights of a composite in the order of its items, the first one 1.

    Parameters:
        theta: (b, k).
    """
    out = np.ones((len(theta), len(made.items)))
    for row, at in zip(layout.table.rows, layout.table.index, strict=True):
        if row.group == group and row.op == "=~" and row.lhs in made.rests and row.rhs == made.items[0]:
            out[:, 1 + made.rests.index(row.lhs)] = theta[:, at] if at >= 0 else float(row.fixed or 0.0)
    return out


def heaviest_first(claim: Claim, prepared: Prepared, theta: Array, lost: Ints) -> Claim | None:
    """The model with the heaviest item of a composite first where the first is light; None where none is.

    Composites with fixed or labelled weights stay as they are: their weights say more than their unit.

    Parameters:
        claim: the model as it was written. theta: (b, k) where the search ended. lost: slices that did not settle.
    """
    light = {}
    for made in prepared.layout.table.rules.composites:
        own = next(c for c in claim.constructs if c.name == made.name)
        if not any(t.modifiers for t in own.indicators):
            sizes = np.mean([_sizes(prepared, theta, made, g)[lost] for g in range(len(prepared.groups))], axis=0)
            mean = np.nanmean(sizes, axis=0)
            if mean[0] < SMALL * mean.max():
                light[made.name] = int(np.argmax(mean))
    if not light:
        return None
    return replace(claim, constructs=tuple(_led(c, light.get(c.name, 0)) for c in claim.constructs))


def _sizes(prepared: Prepared, theta: Array, made: Composite, group: int) -> Array:
    """(b, j) sizes of the standardised weights, of at most 1."""
    at = [prepared.layout.table.observed.index(i) for i in made.items]
    sd = np.sqrt(np.diagonal(prepared.groups[group].cov, axis1=1, axis2=2)[:, at])
    size = np.abs(weights_of(prepared.layout, theta, made, group)) * sd
    return np.asarray(size / size.max(axis=1, keepdims=True))


def _led(construct: Construct, first: int) -> Construct:
    """The construct with another item first."""
    own = construct.indicators
    return replace(construct, indicators=(own[first], *own[:first], *own[first + 1 :]))


def like(prepared: Prepared, claim: Claim) -> Prepared:
    """What a fit of the same answers needs for the model with other items first; without bounds of `bounds=`."""
    frame = frame_of(claim, replace(prepared.layout.table.rules, composites=composites_of(claim)))
    groups = tuple(g.of_items(frame.layout.table.observed) for g in prepared.groups)
    return replace(prepared, claim=frame.claim, layout=frame.layout, groups=groups, linear=frame.linear)


def in_unit(layout: Layout, other: Layout, theta: Array) -> Sequence[Mapping[str, Array]]:
    """Per group, composite -> (b, j) weights of a fit told relative to the first items of `layout`.

    Parameters:
        other: of the fit with heavy items first. theta: (b, k) its parameters.
    """
    turned = {made.name: made for made in other.table.rules.composites}

    def one(made: Composite, g: int) -> Array:
        found = weights_of(other, theta, turned[made.name], g)
        found = found[:, [turned[made.name].items.index(i) for i in made.items]]
        first = np.where(np.abs(found[:, :1]) > np.finfo(float).eps, found[:, :1], np.finfo(float).eps)
        return np.asarray(found / first)

    return [{made.name: one(made, g) for made in layout.table.rules.composites} for g in range(other.table.count)]


def note_of(changed: Mapping[str, str]) -> Note:
    """What a reader must know of composites whose first weight is near 0.

    Parameters:
        changed: composite -> the item that weighs most.
    """
    en = ", ".join(f"{name} (heaviest: {item})" for name, item in changed.items())
    zh = "、".join(f"{name}（权重最大：{item}）" for name, item in changed.items())
    return note(
        "W-COMPOSITE-UNIT",
        f"the first weight of {en} is near 0, and the other weights are told relative to it: they and their standard"
        " errors are large. The solution was found with the heaviest item first; write that item first for readable"
        " numbers. Standardised columns and the fit do not depend on it.",
        f"{zh} 的首个权重接近 0，其余权重以它为单位，故数值与标准误都很大。求解时以权重最大的题项为首；"
        "若要便于解读，请将该题项写在最前。标准化列与拟合不受影响。",
    )
