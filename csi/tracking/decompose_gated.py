"""The gate before a decomposition: what is not comparable is not split, what is so after freeing only has no test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from csi.errors import Note, note
from csi.tracking.cell_pairs import Pair
from csi.tracking.decompose_tables import Row
from csi.tracking.gate_applied import UNTESTED, evidence_of, weighed, withheld
from csi.tracking.gate_shown import Comparable, Evidence
from csi.tracking.gate_words import Labels, together
from csi.tracking.index import Index


def known_of(gate: Comparable | None, index: Index, construct: str, pairs: Sequence[Pair]) -> list[Evidence]:
    """The evidence of every change; none where there is no earlier cell or a break lies between.

    Parameters:
        gate: None where nothing was run. construct: whose changes.
    """
    j = index.constructs.index(construct)
    known, apart = [], []
    for pair in pairs:
        told = pair.why is None and pair.earlier is not None
        earlier = pair.cell if pair.earlier is None else pair.earlier
        known.append(evidence_of(gate if told else None, index, construct, pair.cell, earlier))
        apart.append(float(index.values[pair.cell, j] - index.values[earlier, j]))
    return weighed(known, np.array(apart, dtype=np.float64))


def barred(pairs: Sequence[Pair], known: Sequence[Evidence], labels: Labels, *, anyway: bool) -> list[Pair]:
    """The pairs, those that are not comparable with the reason why they are not split."""
    out = []
    for pair, found in zip(pairs, known, strict=True):
        why = withheld(found, anyway=anyway, named=together(found.items, labels))
        out.append(pair if why is None or pair.why is not None else replace(pair, why=why))
    return out


def without_barred(
    gate: Comparable | None, index: Index, constructs: Sequence[str], pairs: Sequence[Pair], *, anyway: bool
) -> tuple[list[Pair], tuple[Note, ...]]:
    """The pairs for a table that tells the changes of several constructs: not where one of them is not comparable."""
    out, named = list(pairs), []
    for name in constructs:
        known = known_of(gate, index, name, pairs)
        kept = barred(out, known, {}, anyway=anyway)
        named += [name] if kept != out else []
        out = kept
    count = sum(one.why is not old.why for one, old in zip(out, pairs, strict=True))
    if not count:
        return out, ()
    en = f"{count} of {len(pairs)} changes not taken through the structural model: a driver's own change is not "
    en += f"comparable ({', '.join(named)})."
    zh = f"{len(pairs)} 个变化中有 {count} 个未经由结构模型分解：驱动因素自身的变化不可比（{'、'.join(named)}）。"
    return out, (note("W-NOT-COMPARABLE", en, zh),)


def with_evidence(rows: Sequence[Row], found: Evidence) -> list[Row]:
    """The rows of one change with its verdict."""
    return [{**row, "evidence": found.verdict} for row in rows]


def plain(rows: Sequence[Row], found: Evidence, *, anyway: bool) -> list[Row]:
    """The rows of one change, without tests where it is comparable after freeing only."""
    if anyway or found.verdict != "after freeing":
        return list(rows)
    gone = dict.fromkeys((*UNTESTED, "p_holm"))
    return [{**row, **{k: None for k in gone if k in row}} for row in rows]


def barred_notes(known: Sequence[Evidence], *, anyway: bool) -> tuple[Note, ...]:
    """How many changes were not split as they are not comparable, and how many have no tests."""
    if anyway:
        return ()
    out = []
    if count := sum(e.verdict == "not comparable" for e in known):
        en = f"{count} of {len(known)} changes to split not comparable and withheld with all parts"
        zh = f"{len(known)} 个待分解的变化中有 {count} 个不可比，连同各部分不予给出"
        out.append(
            note("W-NOT-COMPARABLE", f"{en} (anyway=True, --anyway gives them).", f"{zh}（anyway=True 或 --anyway）。")
        )
    if count := sum(e.verdict == "after freeing" for e in known):
        en = f"{count} of {len(known)} changes to split comparable after freeing only: parts as they stand, no test"
        zh = f"{len(known)} 个待分解的变化中有 {count} 个放开后才可比：各部分照原样给出，不作检验"
        out.append(note("N-FREED", f"{en} (anyway=True, --anyway tests them).", f"{zh}（anyway=True 或 --anyway）。"))
    return tuple(out)
