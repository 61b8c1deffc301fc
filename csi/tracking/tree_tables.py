"""The tables of a tree: nodes, changes, and the audit that adds up to every parent.

Letters: `m` nodes, `l` leaves, `t` waves, `r` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from csi.inference.linearised import critical, p_of_t
from csi.moments.stack import Array
from csi.tracking.contrasts import holm
from csi.tracking.index import Index
from csi.tracking.index_table import number_column
from csi.tracking.tree_leaves import ABSENT, SEEN, Leaves
from csi.tracking.tree_parents import Chained, Rows, Shares, evaluated, matched, pooled_rows
from csi.tracking.tree_structure import Structure
from csi.tracking.tree_weights import NodeWeights
from csi.tracking.waves import Against, reference_wave


@dataclass(frozen=True, slots=True)
class Made:
    """What the tables of a tree are made from.

    Attributes:
        index, construct: whose cells, and the column. nodes: the structure. waves: oldest first.
        weights, leaves, shares: by wave. rows: wave -> (m, x). chain: 100 in a base wave, or None.
        small: leaves with fewer answers are not shown by themselves. others: what they are called together.
        hidden: (t, l) which they are.
    """

    index: Index
    construct: int
    nodes: Structure
    waves: tuple[str, ...]
    weights: NodeWeights
    leaves: Leaves
    shares: Sequence[Shares]
    rows: Sequence[sparse.csr_matrix]
    chain: Chained | None
    small: int
    others: str
    hidden: npt.NDArray[np.bool_]

    @property
    def bounds(self) -> tuple[float, float]:
        """What an index can be; NPS and price tolerances have no bounds here."""
        formula = self.index.formulas[self.construct] if self.index.formulas else "F2"
        return (0.0, 100.0) if formula not in {"NPS", "PT"} else (-np.inf, np.inf)


def node_table(made: Made) -> pl.DataFrame:
    """One row per node and wave, and one for the hidden leaves of a parent together."""
    nodes, leaves, waves = made.nodes, made.leaves, made.waves
    groups = hidden_groups(made)
    many = len(nodes.names)
    everything = sparse.vstack([*made.rows, pooled_rows(made.shares, leaves, groups)]).tocsr()
    found = evaluated(made.index, made.construct, everything, leaves)
    linked = None if made.chain is None else _linked(made, made.chain)
    place = {node: k for k, node in enumerate(nodes.leaves)}
    out: list[dict[str, object]] = []
    for i in range(many):
        for t in range(len(waves)):
            if i in place and leaves.treatment[t, place[i]] == ABSENT:
                continue
            row = {**_head(made, i, t), **_numbers(made, found, t * many + i), **_extent(made, i, t, place)}
            out.append({**row, **_rebased(made, linked, t * many + i), **_state(made, i, t, place)})
        for g, ((parent, t), mine) in enumerate(groups.items()):
            if parent == i:
                out.append(_together(made, found, len(waves) * many + g, t, list(mine)))
    return pl.DataFrame(out, schema=_schema(made), orient="row")


def hidden_groups(made: Made) -> dict[tuple[int, int], list[int]]:
    """(parent, wave) -> its leaves that are not shown by themselves."""
    groups: dict[tuple[int, int], list[int]] = {}
    for k, node in enumerate(made.nodes.leaves):
        for t in np.flatnonzero(made.hidden[:, k]):
            groups.setdefault((made.nodes.parent[node], int(t)), []).append(k)
    return {key: mine for key, mine in groups.items() if key[0] >= 0}


NUMBERS = ("index", "std_error", "conf_low", "conf_high", "df")
REBASED = ("rebased", "rebased_std_error", "rebased_low", "rebased_high")


def _schema(made: Made) -> dict[str, pl.DataType]:
    """The columns of the table."""
    wave = {"wave": pl.String()} if made.waves != ("",) else {}
    rebased = dict.fromkeys(REBASED if made.chain is not None else (), pl.Float64())
    return {
        **dict.fromkeys(("level", "node", "parent"), pl.String()),
        **wave,
        **dict.fromkeys(("construct", "formula"), pl.String()),
        **dict.fromkeys(NUMBERS, pl.Float64()),
        "n": pl.Int64(),
        "leaves": pl.Int64(),
        "missing_weight": pl.Float64(),
        **rebased,
        "treatment": pl.String(),
        "age": pl.Int64(),
        **dict.fromkeys(("flag", "reason", "reason_zh"), pl.String()),
    }


def _head(made: Made, i: int, t: int) -> dict[str, object]:
    """Which node and wave."""
    nodes, j = made.nodes, made.construct
    above = nodes.parent[i]
    wave = {"wave": made.waves[t]} if made.waves != ("",) else {}
    return {
        "level": nodes.level[i],
        "node": nodes.names[i],
        "parent": nodes.names[above] if above >= 0 else None,
        **wave,
        "construct": made.index.constructs[j],
        "formula": made.index.formulas[j] if made.index.formulas else None,
    }


def _numbers(made: Made, found: Rows, r: int) -> dict[str, object]:
    """Value, error and interval of one row."""
    value, error, df = float(found.value[r]), float(found.std_error[r]), float(found.df[r])
    reach = float(critical(made.index.level, np.array([df]))[0]) * error
    low, high = made.bounds
    numbers = (value, error, max(value - reach, low), min(value + reach, high), df)
    if not np.isfinite(reach):
        numbers = (value, error, np.nan, np.nan, df)
    return {n: v if np.isfinite(v) else None for n, v in zip(NUMBERS, numbers, strict=True)}


def _extent(made: Made, i: int, t: int, place: dict[int, int]) -> dict[str, object]:
    """Answers, leaves and missing weight behind a node."""
    used = made.shares[t].of_leaves[i] > 0
    return {
        "n": int(made.leaves.n[t][used].sum()),
        "leaves": None if i in place else int(used.sum()),
        "missing_weight": None if i in place else max(1.0 - float(made.shares[t].coverage[i]), 0.0),
    }


def _linked(made: Made, chain: Chained) -> tuple[Array, Array, Array]:
    """(t m) chained values, their standard errors and degrees of freedom."""
    stacked = sparse.vstack(chain.gradient).tocsr()
    found = evaluated(made.index, made.construct, stacked, made.leaves)
    own = np.diff(stacked.indptr) == 0  # the base itself: 100 without error
    return chain.value.reshape(-1), np.where(own, 0.0, found.std_error), found.df


def _rebased(made: Made, linked: tuple[Array, Array, Array] | None, r: int) -> dict[str, object]:
    """The chained index of one row."""
    if linked is None:
        return {}
    value, error, df = (float(part[r]) for part in linked)
    reach = 0.0 if error == 0 else float(critical(made.index.level, np.array([df]))[0]) * error
    numbers = (value, error, value - reach, value + reach)
    return {n: v if np.isfinite(v) else None for n, v in zip(REBASED, numbers, strict=True)}


def _state(made: Made, i: int, t: int, place: dict[int, int]) -> dict[str, object]:
    """How a leaf came about, and why a number is not shown."""
    if i in place:
        k = place[i]
        how, age = str(made.leaves.treatment[t, k]), int(made.leaves.age[t, k])
        state: dict[str, object] = {"treatment": how, "age": age or None}
        if made.hidden[t, k]:
            blank: dict[str, object] = dict.fromkeys((*NUMBERS, *(REBASED if made.chain is not None else ())))
            en, zh = f"fewer than {made.small} answers; suppressed.", f"样本量不足 {made.small}，不予发布。"
            return {**state, **blank, "flag": "suppressed", "reason": en, "reason_zh": zh}
        if not made.leaves.present[t, k]:
            return {**state, "reason": "no index in this wave.", "reason_zh": "该期没有指数。"}
        return {**state, "flag": how if how != SEEN else None}
    coverage = float(made.shares[t].coverage[i])
    if coverage <= 0:
        return {"reason": "no leaf has a value here.", "reason_zh": "该处没有任何成员有指数。"}
    return {"flag": "incomplete"} if coverage < 1 - 1e-12 else {}


def _together(made: Made, found: Rows, r: int, t: int, mine: list[int]) -> dict[str, object]:
    """The row of the leaves of a parent that are not shown by themselves."""
    n = int(made.leaves.n[t, mine].sum())
    head = {**_head(made, made.nodes.leaves[mine[0]], t), "node": made.others}
    row = {**head, **_numbers(made, found, r), "n": n, "leaves": len(mine), "treatment": "together"}
    if n >= made.small:
        return row
    en, zh = f"fewer than {made.small} answers; suppressed.", f"样本量不足 {made.small}，不予发布。"
    return {**row, **dict.fromkeys(NUMBERS), "flag": "suppressed", "reason": en, "reason_zh": zh}


CHANGES = (
    "change", "std_error", "statistic", "df", "p_value", "p_holm", "conf_low", "conf_high", "like_for_like",
    "composition",
)  # fmt: skip


def change_table(made: Made, against: Sequence[Against], per_year: int, order: Sequence[str]) -> pl.DataFrame:
    """Every parent against earlier waves, tested within a wave by Holm.

    Parameters:
        order: all waves, those without answers included: nothing is compared with them.
    """
    parents, waves = made.nodes.parents, made.waves
    kinds: Sequence[Against] = [a for a in against if not (a == "year" and per_year == 1 and "previous" in against)]
    pairs = [(t, kind, reference_wave(w, kind, order, per_year)) for t, w in enumerate(waves) for kind in kinds]
    steps = [(t, kind, waves.index(w)) for t, kind, w in pairs if w in waves]
    heads, rows, alike = [], [], []
    for t, kind, s in steps:
        now, then = matched(made.nodes, made.weights.values, made.leaves, t, s)
        rows.append(made.rows[t][parents] - made.rows[s][parents])
        alike.append(now[parents] - then[parents])
        for i in parents:
            whole = min(made.shares[t].coverage[i], made.shares[s].coverage[i]) > 0
            head = {**_head(made, i, t), "against": kind, "reference": waves[s]}
            heads.append((head, whole, bool(now[i].nnz)))
    schema = _change_schema()
    if not heads:
        return pl.DataFrame(schema=schema)
    found = evaluated(made.index, made.construct, sparse.vstack(rows).tocsr(), made.leaves)
    same = sparse.vstack(alike).tocsr()[:, : made.index.cells.height] @ np.nan_to_num(
        made.index.values[:, made.construct]
    )
    out = []
    for r, (head, whole, shared) in enumerate(heads):
        if not whole:
            out.append({**head, "reason": "no value in one of the waves.", "reason_zh": "其中一期没有数值。"})
            continue
        value, error, df = float(np.nan_to_num(found.value[r])), float(found.std_error[r]), float(found.df[r])
        reach = float(critical(made.index.level, np.array([df]))[0]) * error
        statistic = value / error if error > 0 else np.nan
        p = float(p_of_t(np.array([statistic]), np.array([df]))[0])
        alone = float(same[r]) if shared else np.nan
        numbers = (value, error, statistic, df, p, np.nan, value - reach, value + reach, alone, value - alone)
        cells = {n: v if np.isfinite(v) else None for n, v in zip(CHANGES, numbers, strict=True)}
        out.append({**head, **cells})
    return _with_holm(pl.DataFrame(out, schema=schema, orient="row"), made.index.level)


def _change_schema() -> dict[str, pl.DataType]:
    """The columns of the changes."""
    texts = ("level", "node", "wave", "construct", "formula", "against", "reference")
    numbers: dict[str, pl.DataType] = {}
    for name in CHANGES:
        numbers[name] = pl.Float64()
        if name == "p_holm":
            numbers["significant"] = pl.Boolean()
    why = dict.fromkeys(("reason", "reason_zh"), pl.String())
    return {**dict.fromkeys(texts, pl.String()), **numbers, **why}


def _with_holm(table: pl.DataFrame, level: float) -> pl.DataFrame:
    """Holm's p-values within the release of a wave."""
    adjusted = np.full(table.height, np.nan)
    p, wave = table["p_value"].fill_null(float("nan")).to_numpy(), table["wave"].to_numpy()
    for release in dict.fromkeys(wave):
        mine = wave == release
        adjusted[mine] = holm(p[mine].tolist())
    column = number_column(adjusted)
    return table.with_columns(column.alias("p_holm"), (column < 1.0 - level).alias("significant"))


def audit_table(made: Made) -> pl.DataFrame:
    """Weight, share, index and contribution of every child; the contributions add up to the parent."""
    nodes, leaves = made.nodes, made.leaves
    place = {node: k for k, node in enumerate(nodes.leaves)}
    groups, hidden = hidden_groups(made), made.hidden
    c = made.index.cells.height
    cell_values = np.nan_to_num(made.index.values[:, made.construct])
    value = np.stack([np.asarray(rows[:, :c] @ cell_values) for rows in made.rows])
    out: list[dict[str, object]] = []
    for parent in nodes.parents:
        below = nodes.children(parent)
        for t, wave in enumerate(made.waves):
            if made.shares[t].coverage[parent] <= 0:
                continue
            head = {"parent": nodes.names[parent], "wave": wave}
            total = {"parent_index": float(value[t, parent])}
            for i in below:
                weight = made.weights.values[t, i]
                if not np.isfinite(weight) or (i in place and hidden[t, place[i]]):
                    continue
                share = float(made.shares[t].in_parent[i])
                known = made.shares[t].coverage[i] > 0
                k = place.get(i)
                out.append(
                    {
                        **head,
                        "child": nodes.names[i],
                        "level": nodes.level[i],
                        "weight": float(weight),
                        "weight_period": made.weights.period[t, i] or None,
                        "as_of": made.weights.as_of[t, i] or None,
                        "share": share if known else 0.0,
                        "index": float(value[t, i]) if known else None,
                        "contribution": share * float(value[t, i]) if known else 0.0,
                        "n": int(leaves.n[t][made.shares[t].of_leaves[i] > 0].sum()),
                        "treatment": None if k is None else str(leaves.treatment[t, k]),
                        "age": None if k is None else int(leaves.age[t, k]) or None,
                        **total,
                    }
                )
            mine = groups.get((parent, t), [])
            if mine:
                at = [nodes.leaves[k] for k in mine]
                v = made.shares[t].in_parent[at]
                out.append(
                    {
                        **head,
                        "child": made.others,
                        "level": nodes.level[at[0]],
                        "weight": float(made.weights.values[t, at].sum()),
                        "share": float(v.sum()),
                        "index": float(v @ value[t, at] / v.sum()),
                        "contribution": float(v @ value[t, at]),
                        "n": int(leaves.n[t, mine].sum()),
                        "treatment": "together",
                        **total,
                    }
                )
    schema = _audit_schema()
    frame = pl.DataFrame(out, schema=schema, orient="row")
    return frame if made.waves != ("",) else frame.drop("wave")


def _audit_schema() -> dict[str, pl.DataType]:
    """The columns of the audit."""
    return {
        **dict.fromkeys(("parent", "wave", "child", "level"), pl.String()),
        "weight": pl.Float64(),
        **dict.fromkeys(("weight_period", "as_of"), pl.String()),
        **dict.fromkeys(("share", "index", "contribution"), pl.Float64()),
        "n": pl.Int64(),
        "treatment": pl.String(),
        "age": pl.Int64(),
        "parent_index": pl.Float64(),
    }
