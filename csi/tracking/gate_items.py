"""What the comparability gate found, carried to measures made of single items: shares of answers over waves.

Letters: `q` measures, `m` pairs of waves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from csi.moments.stack import Array, Ints
from csi.tracking.gate_applied import rows_of
from csi.tracking.gate_sets import Cells
from csi.tracking.gate_shown import NOT_RUN, Comparable, Evidence
from csi.tracking.gate_verdicts import Judged, Verdict
from csi.tracking.index import Index

ITEM = "item"
"""The rule of such evidence: what the ladder or the alignment of its construct found of the item."""


def item_evidence(gate: Comparable, item: str, i: int, j: int) -> Evidence:
    """What is known of one item in cells i and j of the gate's index.

    An item measures alike where its construct was tested and the item needed no freeing; it does not where it was set
    free, or where fewer than two items of the construct are alike, so that none can be relied on. MICOM tests weights,
    not items, and says nothing of it.
    """
    constructs = dict.fromkeys(one.cells.construct for one in gate.judged if item in one.cells.items)
    found = [e for e in (gate.evidence(c, i, j) for c in constructs) if e.rule in {"ladder", "alignment"}]
    if any(e.verdict == "not comparable" or (e.verdict == "after freeing" and item in e.items) for e in found):
        return Evidence("not comparable", (item,), rule=ITEM)
    tested = any(e.verdict in {"comparable", "after freeing"} for e in found)
    return Evidence("comparable", rule=ITEM) if tested else NOT_RUN


def gate_of_items(
    gate: Comparable | None, index: Index, behind: Mapping[str, Sequence[str]] | None = None
) -> Comparable | None:
    """The evidence of measures made of single items, as `csi.changes` takes it.

    Parameters:
        gate: what was found of constructs; None where nothing was run. index: as `csi.rates` or `csi.kcsi` makes it.
        behind: items as they were asked, of an item that was made of them.

    Returns:
        The gate of the measures: not comparable where one of their items is not, comparable where all were found to be,
        else not tested; without an effect in points.
    """
    if gate is None or "wave" not in index.cells.columns:
        return None
    return Comparable.of(index, [*_judged(gate, index, behind or {})], gate.alpha, gate.notes, gate.small)


def _judged(gate: Comparable, index: Index, behind: Mapping[str, Sequence[str]]) -> Iterator[Judged]:
    """The waves of every brand, for each measure."""
    others = [k for k in index.cells.columns if k not in {"wave", "n"}]
    mine: dict[tuple[object, ...], list[tuple[int, str]]] = {}
    for at, row in enumerate(index.cells.select([*others, "wave"]).iter_rows()):
        mine.setdefault(row[:-1], []).append((at, str(row[-1])))
    keys, there = [k for k in index.cells.columns if k != "n"], rows_of(gate.index)
    own = [k for k in gate.index.cells.columns if k != "n"]
    cell = [
        there.get(tuple(row[k] for k in own), -1) if set(own) == set(keys) else -1
        for row in index.cells.select(keys).iter_rows(named=True)
    ]
    for name in index.constructs:
        named = index.weights.filter(construct=name)["item"].to_list()
        items = tuple(dict.fromkeys(i for n in named for i in behind.get(n, (n,))))
        for entity, waves in mine.items():
            keyed = dict(zip(others, map(str, entity), strict=True))
            yield _measure(gate, Cells(name, items, "wave", keyed, *_cells(waves), every=tuple(waves)), cell)


def _cells(waves: Sequence[tuple[int, str]]) -> tuple[Ints, tuple[str, ...], Array]:
    """Numbers and names of the waves; there are no points per unit of an answer."""
    return np.array([at for at, _ in waves], dtype=np.int64), tuple(w for _, w in waves), np.empty(0)


def _measure(gate: Comparable, one: Cells, cell: Sequence[int]) -> Judged:
    """One measure in the waves of a brand."""
    i, j = np.triu_indices(len(one.labels), 1)
    pairs = [(cell[one.cells[a]], cell[one.cells[b]]) for a, b in zip(i, j, strict=True)]
    found = [_together([item_evidence(gate, item, a, b) for item in one.items]) for a, b in pairs]
    none = np.full(len(pairs), np.nan)
    verdicts = tuple(e.verdict for e in found)
    return Judged(one, None, np.nan, np.nan, ITEM, verdicts, tuple(e.items for e in found), none, none)


def _together(found: Sequence[Evidence]) -> Evidence:
    """The evidence of several items: as weak as the weakest."""
    unlike = tuple(i for e in found if e.verdict == "not comparable" for i in e.items)
    if unlike:
        return Evidence("not comparable", unlike, rule=ITEM)
    whole: Verdict = "comparable" if found and all(e.verdict == "comparable" for e in found) else "not tested"
    return Evidence(whole, rule=ITEM)
