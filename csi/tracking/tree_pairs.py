"""Children of a top beside each other: which of them differ, by a test and by the evidence of comparability.

Letters: `m` nodes, `t` waves, `x` columns (see `tree_leaves`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse

from csi.inference.adjust import Method, adjust
from csi.inference.linearised import p_of_t
from csi.measures.tidy import number_column
from csi.tracking.gate_applied import evidence_of, least_favourable
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_verdicts import Verdict
from csi.tracking.tree_tables import Made

MOST: Final = 30
"""Children of a top that are set beside each other; of more no pair is tested."""

BARRED: Final = ("after freeing", "not comparable")
"""Evidence under which a difference of parents is not simply read."""

_SCHEMA: Final = {
    **dict.fromkeys(("parent", "wave", "above", "below"), pl.String()),
    **dict.fromkeys(("difference", "std_error", "df", "p_value", "p_adjusted"), pl.Float64()),
    "significant": pl.Boolean(),
    **dict.fromkeys(("evidence", "items"), pl.String()),
}


def pair_table(made: Made, level: float, method: Method, gate: Comparable | None) -> pl.DataFrame:
    """Every pair of a top's children in a wave, the higher one first; the pairs of a top and wave are a family.

    A difference of which some brands are not simply comparable is not significant, whatever its p-value, and leaves
    the family.

    Parameters:
        level: of the tests. method: of `csi.adjust`. gate: the evidence between brands; none without.
    """
    nodes, many = made.nodes, range(len(made.waves))
    tops = [i for i, above in enumerate(nodes.parent) if above < 0]
    sets = [(top, t, _below(made, top, t)) for top in tops for t in many]
    pairs = [(top, t, i, j) for top, t, below in sets for i, j in combinations(below, 2)]
    if not pairs:
        return pl.DataFrame(schema=_SCHEMA)
    apart = sparse.vstack([made.rows[t][i] - made.rows[t][j] for _, t, i, j in pairs]).tocsr()
    found = made.forms.evaluated(apart, [t for _, t, _, _ in pairs], made.leaves)
    known = [between(made, gate, cells_of(made, t, i), cells_of(made, t, j)) for _, t, i, j in pairs]
    error = np.where(found.std_error > 0, found.std_error, np.nan)
    p = p_of_t(found.value / error, found.df)
    asked = np.where([verdict in BARRED for verdict, _ in known], np.nan, p)
    family, adjusted = np.array([top * len(made.waves) + t for top, t, _, _ in pairs]), np.full(p.size, np.nan)
    for one in np.unique(family):
        adjusted[family == one] = adjust(asked[family == one], method)
    order = [(i, j) if v >= 0 else (j, i) for (_, _, i, j), v in zip(pairs, found.value, strict=True)]
    columns = {
        "parent": [nodes.names[top] for top, _, _, _ in pairs],
        "wave": [made.waves[t] for _, t, _, _ in pairs],
        "above": [nodes.names[i] for i, _ in order],
        "below": [nodes.names[j] for _, j in order],
        "difference": np.abs(found.value),
        "std_error": number_column(error),
        "df": number_column(found.df),
        "p_value": number_column(p),
        "p_adjusted": number_column(adjusted),
        "significant": adjusted < 1.0 - level,
        "evidence": [verdict for verdict, _ in known],
        "items": [", ".join(items) or None for _, items in known],
    }
    return pl.DataFrame(columns, schema=_SCHEMA)


def _below(made: Made, top: int, t: int) -> list[int]:
    """The children of a top with a value in a wave; none where they are too many to be set beside each other."""
    below = [i for i in made.nodes.children(top) if made.shares[t].coverage[i] > 0]
    return below if len(below) <= MOST else []


def cells_of(made: Made, t: int, node: int) -> list[int]:
    """The cells of the index behind a node in a wave."""
    columns = made.rows[t][node].indices
    return [int(c) for c in columns if c < made.index.cells.height]


def between(
    made: Made, gate: Comparable | None, left: Iterable[int], right: Sequence[int]
) -> tuple[Verdict, tuple[str, ...]]:
    """The least favourable evidence of the differences between two sets of cells, and the items behind it."""
    if gate is None:
        return "not tested", ()
    name = made.index.constructs[made.construct]
    found = [evidence_of(gate, made.index, name, i, j) for i in left for j in right]
    verdict = least_favourable(found)
    items = [item for e in found if e.verdict == verdict and verdict in BARRED for item in e.items]
    return verdict, tuple(dict.fromkeys(items))


def with_evidence(made: Made, moved: pl.DataFrame, gate: Comparable | None) -> pl.DataFrame:
    """The changes of parents with the least favourable evidence of their leaves' own changes; barred ones are not
    significant.

    Parameters:
        moved: of `change_table`. gate: the evidence between waves; none without.
    """
    if gate is None:
        found: list[tuple[Verdict, tuple[str, ...]]] = [("not tested", ())] * moved.height
        return _beside(moved, found)
    place = {name: i for i, name in enumerate(made.nodes.names)}
    when = {wave: t for t, wave in enumerate(made.waves)}
    known: dict[tuple[int, int, int], tuple[Verdict, tuple[str, ...]]] = {}
    found = []
    for node, wave, reference in moved.select("node", "wave", "reference").iter_rows():
        steps = [(leaf, when[wave], when[reference]) for leaf in leaves_under(made, place[node])]
        for step in steps:
            if step not in known:
                leaf, t, s = step
                known[step] = between(made, gate, cells_of(made, t, leaf), cells_of(made, s, leaf))
        found.append(_worst([known[step] for step in steps]))
    return _beside(moved, found)


def _beside(moved: pl.DataFrame, found: Sequence[tuple[Verdict, tuple[str, ...]]]) -> pl.DataFrame:
    """Changes with their evidence; what is barred by it is not significant."""
    evidence = pl.Series("evidence", [v for v, _ in found], dtype=pl.String)
    items = pl.Series("items", [", ".join(i) or None for _, i in found], dtype=pl.String)
    barred = evidence.is_in(BARRED)
    sure = pl.when(pl.Series(barred)).then(pl.lit(value=False)).otherwise(pl.col("significant")).alias("significant")
    order = [c for c in moved.columns if c not in {"reason", "reason_zh"}]
    return moved.with_columns(sure, evidence, items).select(*order, "evidence", "items", "reason", "reason_zh")


def leaves_under(made: Made, node: int) -> list[int]:
    """The leaves of a node, itself where it is one."""
    return [leaf for child in made.nodes.children(node) for leaf in leaves_under(made, child)] or [node]


def _worst(found: Sequence[tuple[Verdict, tuple[str, ...]]]) -> tuple[Verdict, tuple[str, ...]]:
    """The least favourable of several, with all its items."""
    order: tuple[Verdict, ...] = ("not tested", "comparable", "after freeing", "not comparable")
    verdict: Verdict = max((v for v, _ in found), key=order.index, default="not tested")
    return verdict, tuple(dict.fromkeys(item for v, items in found if v == verdict for item in items))
