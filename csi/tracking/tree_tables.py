"""The tables of a tree: nodes and changes.

Letters: `m` nodes, `l` leaves, `t` waves, `r` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from csi.errors import Text
from csi.inference.adjust import Method, adjust
from csi.inference.linearised import critical, p_of_t
from csi.measures.tidy import number_column
from csi.moments.stack import Array
from csi.survey.bases import Bases
from csi.survey.disclosure import below
from csi.tracking.index import Index
from csi.tracking.tree_forms import Forms
from csi.tracking.tree_leaves import ABSENT, CARRIED, IMPUTED, SEEN, Few, Leaves
from csi.tracking.tree_parents import Chained, Rows, Shares, evaluated, matched
from csi.tracking.tree_structure import Structure
from csi.tracking.tree_weights import NodeWeights
from csi.tracking.waves import Against, reference_wave


@dataclass(frozen=True, slots=True)
class Made:
    """What the tables of a tree are made from.

    Attributes:
        index, construct: whose cells, and the column. nodes: the structure. waves: oldest first.
        weights, leaves, shares: by wave. rows: wave -> (m, x). chain: 100 in a base wave, or None.
        few: answers that are in no number of the tree. forms: the index in points of each wave's own form. flagged:
            what has fewer answers is marked.
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
    few: Few
    forms: Forms
    flagged: int = 0

    @property
    def bounds(self) -> tuple[float, float]:
        """What an index can be; NPS and price tolerances have no bounds here."""
        formula = self.index.formulas[self.construct] if self.index.formulas else "F2"
        return (0.0, 100.0) if formula not in {"NPS", "PT"} else (-np.inf, np.inf)


def node_table(made: Made) -> pl.DataFrame:
    """One row per node and wave."""
    nodes, leaves, waves = made.nodes, made.leaves, made.waves
    many = len(nodes.names)
    times = np.repeat(np.arange(len(waves)), many).tolist()
    found = made.forms.evaluated(sparse.vstack(made.rows).tocsr(), times, leaves)
    linked = None if made.chain is None else _linked(made, made.chain)
    place = {node: k for k, node in enumerate(nodes.leaves)}
    out: list[dict[str, object]] = []
    for i in range(many):
        for t in range(len(waves)):
            if i in place and leaves.treatment[t, place[i]] == ABSENT:
                continue
            row = {**_head(made, i, t), **_numbers(made, found, t * many + i), **_extent(made, i, t, place)}
            out.append({**row, **_rebased(made, linked, t * many + i), **_state(made, i, t, place)})
    return pl.DataFrame(out, schema=_schema(made), orient="row")


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
        "n": int(made.leaves.n[t][used].sum()) or made.few.of(t, i),
        "leaves": None if i in place else int(used.sum()),
        "missing_weight": None if i in place else max(1.0 - float(made.shares[t].coverage[i]), 0.0),
    }


def _linked(made: Made, chain: Chained) -> tuple[Array, Array, Array]:
    """(t m) chained values, their standard errors and degrees of freedom."""
    stacked = sparse.vstack(chain.gradient).tocsr()
    found = evaluated(made.forms.latest, made.construct, stacked, made.leaves)
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
        k, few = place[i], made.few.of(t, i)
        how, age = str(made.leaves.treatment[t, k]), int(made.leaves.age[t, k])
        state: dict[str, object] = {"treatment": how, "age": age or None}
        if made.leaves.present[t, k]:
            base = how if how != SEEN else _base(made, i, t, place)
            return {**state, "flag": base, **(_instead(few, how, made) if few else {})}
        if few:
            why = Bases(made.few.small, 0).reason.text
            return {**state, "flag": "suppressed", "reason": why.en, "reason_zh": why.zh}
        return {**state, "reason": "no index in this wave.", "reason_zh": "该期没有指数。"}
    coverage = float(made.shares[t].coverage[i])
    if coverage <= 0:
        small = made.few.small if any(made.few.of(t, k) for k in _below(made, i)) else 0
        en = f"no leaf has {small} answers here." if small else "no leaf has a value here."
        return {
            "reason": en,
            "reason_zh": f"该处没有样本量达到 {small} 的成员。" if small else "该处没有任何成员有指数。",
        }
    return {"flag": "incomplete" if coverage < 1 - 1e-12 else _base(made, i, t, place)}


def _base(made: Made, i: int, t: int, place: dict[int, int]) -> str | None:
    """The flag of a number of few answers."""
    n = _extent(made, i, t, place)["n"]
    return "small" if isinstance(n, int) and 0 < n < made.flagged else None


def _instead(few: int, how: str, made: Made) -> dict[str, object]:
    """That another value stands in the place of too few answers."""
    if how == SEEN:  # all others, of whom some have too few
        return {}
    why, told = below(few, made.few.small), INSTEAD[how]
    return {"reason": f"{why.en}; {told.en}.", "reason_zh": f"{why.zh}，{told.zh}。"}


INSTEAD = {CARRIED: Text("carried from an earlier wave", "沿用此前一期"), IMPUTED: Text("imputed", "以插补值代替")}


def _below(made: Made, i: int) -> list[int]:
    """The leaves below a node."""
    return [leaf for child in made.nodes.children(i) for leaf in _below(made, child)] or [i]


CHANGES = (
    "change", "std_error", "statistic", "df", "p_value", "p_adjusted", "conf_low", "conf_high", "like_for_like",
    "like_std_error", "composition",
)  # fmt: skip


def change_table(
    made: Made, against: Sequence[Against], per_year: int, order: Sequence[str], method: Method = "holm"
) -> pl.DataFrame:
    """Every parent against earlier waves; the tests of a wave are a family.

    Parameters:
        order: all waves, those without answers included: nothing is compared with them. method: of `csi.adjust`.
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
        moved = others_at(made, t, s)
        for i in parents:
            whole = min(made.shares[t].coverage[i], made.shares[s].coverage[i]) > 0
            head = {**_head(made, i, t), "against": kind, "reference": waves[s]}
            head["link"] = made.forms.link(waves[s], waves[t])
            heads.append((head, whole, bool(now[i].nnz), bool(moved[i])))
    schema = _change_schema()
    if not heads:
        return pl.DataFrame(schema=schema)
    later = [t for t, _, _ in steps]
    found = made.forms.evaluated(sparse.vstack(rows).tocsr(), [t for t in later for _ in parents], made.leaves)
    cells = made.index.cells.height
    later_of = [t for t in later for _ in parents]
    like = made.forms.evaluated(sparse.vstack(alike).tocsr(), later_of, made.leaves)
    same = np.concatenate([row[:, :cells] @ made.forms.values(t) for row, t in zip(alike, later, strict=True)])
    out = []
    for r, (head, whole, shared, other) in enumerate(heads):
        if not whole:
            out.append({**head, "reason": "no value in one of the waves.", "reason_zh": "其中一期没有数值。"})
            continue
        apart = made.forms.wall(str(head["reference"]), str(head["wave"]))
        if apart is not None:
            out.append({**head, "reason": apart.text.en, "reason_zh": apart.text.zh})
            continue
        if not shared:
            out.append({**head, "reason": APART.en, "reason_zh": APART.zh})
            continue
        value, error, df = float(np.nan_to_num(found.value[r])), float(found.std_error[r]), float(found.df[r])
        reach = float(critical(made.index.level, np.array([df]))[0]) * error
        alone, unsure = float(same[r]), float(like.std_error[r])
        tried, by, df = (alone, unsure, float(like.df[r])) if other else (value, error, df)
        statistic = tried / by if by > 0 else np.nan
        p = float(p_of_t(np.array([statistic]), np.array([df]))[0])
        ends = value - reach, value + reach
        numbers = (value, error, statistic, df, p, np.nan, *ends, alone, unsure, value - alone)
        measured = {n: v if np.isfinite(v) else None for n, v in zip(CHANGES, numbers, strict=True)}
        out.append({**head, **measured, "tested": LIKE if other else "change"})
    return _adjusted(pl.DataFrame(out, schema=schema, orient="row"), made.index.level, method)


SHIFT = 0.05
"""Half of the last digit that a change is printed with."""


LIKE = "like for like"
"""What is tested where the leaves with a value are not those of the earlier wave; else the change itself."""

APART = Text("no member in common", "没有共有成员")
"""Why a change is withheld: it would set some companies against others."""


def shifts(moved: pl.DataFrame) -> bool:
    """Whether new weights and leaves move any of these changes by as much as is printed, or members have changed so
    that the change like for like is what is tested.
    """
    return bool((moved["composition"].abs() >= SHIFT).any() or (moved["tested"] == LIKE).any())


def others_at(made: Made, t: int, s: int) -> npt.NDArray[np.bool_]:
    """(m,) whether the leaves with a value in a node, or the brands that these are made of, are others in two waves."""
    now, then = made.shares[t].of_leaves > 0, made.shares[s].of_leaves > 0
    moved = np.zeros(now.shape[1], dtype=np.bool_)
    moved[made.leaves.changed(t, s)] = True
    return np.asarray((now != then).any(axis=1) | (now & moved).any(axis=1))


def _change_schema() -> dict[str, pl.DataType]:
    """The columns of the changes."""
    texts = ("level", "node", "wave", "construct", "formula", "against", "reference")
    numbers: dict[str, pl.DataType] = {}
    for name in CHANGES:
        numbers[name] = pl.Float64()
        if name == "p_adjusted":
            numbers["significant"] = pl.Boolean()
            numbers["tested"] = pl.String()
    why = dict.fromkeys(("link", "reason", "reason_zh"), pl.String())
    return {**dict.fromkeys(texts, pl.String()), **numbers, **why}


def _adjusted(table: pl.DataFrame, level: float, method: Method) -> pl.DataFrame:
    """Adjusted p-values within the release of a wave."""
    adjusted = np.full(table.height, np.nan)
    p, wave = table["p_value"].fill_null(float("nan")).to_numpy(), table["wave"].to_numpy()
    for release in dict.fromkeys(wave):
        mine = wave == release
        adjusted[mine] = adjust(p[mine], method)
    column = number_column(adjusted)
    return table.with_columns(column.alias("p_adjusted"), (column < 1.0 - level).alias("significant"))
