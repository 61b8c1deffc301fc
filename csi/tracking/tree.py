"""`csi.tree`: from companies to industries, sectors and a nation, with errors, missing leaves and an audit.

Letters: `c` cells, `m` nodes, `l` leaves, `t` waves, `x` columns (see `tree_leaves`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Text, capped, one_of, problem, whole
from csi.estimate.given import check_kind
from csi.inference.adjust import Method
from csi.moments.stack import Array, Ints
from csi.survey.bases import FLAGGED, SMALL
from csi.survey.disclosure import below, pooled
from csi.tracking.breaks import Break
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_applied import check_gate
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index
from csi.tracking.places import brand_of
from csi.tracking.show import shown
from csi.tracking.track import Tracking
from csi.tracking.tree_audit import audit_table
from csi.tracking.tree_checks import OTHERS, Answered, placed
from csi.tracking.tree_forms import Forms, forms_of
from csi.tracking.tree_leaves import MISSING, Few, Leaves, Missing, leaves_of
from csi.tracking.tree_pairs import pair_table, with_evidence
from csi.tracking.tree_parents import chained, node_rows, shares_of
from csi.tracking.tree_pools import Pools
from csi.tracking.tree_sentences import entries, sentences
from csi.tracking.tree_structure import Structure
from csi.tracking.tree_tables import Made, change_table, node_table
from csi.tracking.tree_weights import NodeWeights
from csi.tracking.tree_words import tree_notes
from csi.tracking.waves import Against, check_waves, wave_order

Cells = dict[tuple[int, int], tuple[Ints, Array]]
"""(wave, leaf's node) -> the cells it is made of and their shares."""


KEPT = frozenset({"N-FORMULA", "N-INDEX-WEIGHTS", "N-SAMPLING-ONLY", "N-RATES"})
"""Notes of an index that hold for its tree."""


@dataclass(frozen=True, slots=True, repr=False)
class Tree(Shown):
    """Indices of companies, industries, sectors, a nation.

    Attributes:
        table: one row per node and wave, parents before children; level, node, parent, wave, construct, formula, index,
            std_error, conf_low, conf_high, df, n, leaves (with a value), missing_weight (share of the weight without
            one), rebased, rebased_std_error, rebased_low, rebased_high (100 in the base wave), treatment of a leaf
            (seen, carried, imputed, missing), age, flag ("suppressed": a leaf of too few answers, which no parent
            contains; "small": few answers; "incomplete": a parent of which a leaf is missing; "carried", "imputed"),
            reason, reason_zh.
        changes: parents against earlier waves; level, node, wave, construct, against, reference, change, std_error,
            statistic, df, p_value, p_adjusted (within a wave), significant, tested ("change"; "like for like" where the
            leaves with a value, or the brands of a leaf of all others, are not those of the earlier wave: then these
            five are of that change), conf_low, conf_high, like_for_like (of the leaves, and of their brands, that both
            waves have, else the change is withheld) and its like_std_error, composition (what new weights
            and leaves do), link (what a change across a break goes through), evidence and items (the least favourable
            of the leaves' own changes; of what is not comparable, or only after freeing, no parent is significant),
            reason, reason_zh.
        pairs: every two children of a top in a wave; parent, wave, above, below, difference, std_error, df, p_value,
            p_adjusted (within wave and top), significant, evidence, items.
        audit: one row per parent, wave and child; parent, wave, child, level, weight, weight_period, as_of, share,
            index, contribution (share x index), n, treatment, age, parent_index: the contributions of a parent add up
            to its index. Below a leaf of all others stand its brands.
        structure, construct, waves, base, missing, level, sentences (of the latest wave), notes.
        told: wave -> its sentences. entered: those of them on what came in or left.
    """

    table: pl.DataFrame
    changes: pl.DataFrame
    audit: pl.DataFrame
    structure: Structure
    construct: str
    waves: tuple[str, ...]
    base: str | None
    missing: str
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    pairs: pl.DataFrame = field(default_factory=pl.DataFrame)
    told: Mapping[str, tuple[Text, ...]] = field(default_factory=dict)
    entered: Mapping[str, tuple[Text, ...]] = field(default_factory=dict)


def tree(
    source: Index | Tracking,
    structure: object,
    weights: object = None,
    construct: str = "satisfaction",
    *,
    missing: Missing = "renormalise",
    base: str | None = None,
    others: str = OTHERS,
    against: Sequence[Against] = ("previous", "year"),
    waves: Sequence[str] | None = None,
    per_year: int = 4,
    small: int | None = None,
    restate: bool = False,
    levels: Sequence[str] = (),
    brands: Sequence[str] = (),
    adjust: Method = "holm",
    breaks: Sequence[Break] = (),
    flagged: int | None = None,
    gate: Comparable | None = None,
) -> Tree:
    """Parents as weighted means of what is below them, `I_pt = sum_c v_ct I_ct`, up to the top.

    Variances go up with the covariances of the cells, `V = L V_c L'`, L the product of all shares down to the leaves.
    A leaf of fewer answers than `small` is missing there, so that no parent can give it away.

    Parameters:
        source: an index by brand (and wave), or `csi.track`'s table. construct: which construct.
        structure: `{sector: {industry: [brand, ...]}}`; or a table (frame or file) with columns entity and parent (and
            level, zh, en), or with a column per level, lowest first.
        weights: None (equal), a mapping name -> weight, or a table (frame or file): entity, weight, and as wanted
            period (a wave, or what its name begins with, such as its year) and as_of (the date of a revision). Of any
            nodes; a parent without a weight of its own weighs the sum of what is below it.
        missing: leaves with a weight and no value, or too few answers: "renormalise" over those that have one (the
            share without is printed); "carry" the last value (variance + age x the mean squared change of one wave,
            less what sampling does); "impute": the last value moved as its siblings moved on average (the same, of
            changes apart from the siblings'); "refuse".
        base: a wave that is set to 100, the others chain-linked to it where weights or leaves change.
        others: a leaf of this name is all brands outside the structure; those of too few answers are part of it where
            they are at least two and have enough together (`csi.survey.disclosure.pooled`).
        against, waves, per_year: as in `csi.changes`. small: leaves with fewer answers are missing. flagged: what has
            fewer is marked (both those of the tracking table, else 30 and 100).
        gate: of `csi.comparable`; what it finds not comparable is not called higher, lower or changed.
        restate: take the latest date of each weight, which changes history; else the first.
        levels: names of the levels of a mapping, highest first.
        brands: those without answers. adjust: a wave's changes, by `csi.adjust`. breaks: as in `csi.changes`.

    Raises:
        Problems: E-TREE, E-TREE-WEIGHT, E-TREE-LEAF, E-WAVE, E-CONSTRUCT, E-BREAK, E-SETTING; all at once.

    Source:
        Fornell et al. (1996), Journal of Marketing 60(4), 7-18: companies and industries by revenue, sectors by GDP.

    Example:
        >>> import csi
        >>> frame = pl.DataFrame({"a": [1, 2, 3, 8, 9, 10], "brand": [*"AAABBB"]}).with_columns(b="a")
        >>> est = csi.fit("x =~ a; joy =~ b; joy ~ x", frame, csi.PLS(), by=["brand"], scale=(1, 10))
        >>> found = tree(csi.index(est), {"market": ["A", "B"]}, {"A": 3, "B": 1}, "joy", small=3)
        >>> found.audit.select("child", "share", pl.col("contribution").round(2)).rows()
        [('A', 0.75, 8.33), ('B', 0.25, 22.22)]
    """
    index = _index(source)
    own = (source.small, source.flagged) if isinstance(source, Tracking) else (SMALL, FLAGGED)
    small, flagged = (theirs if given is None else given for given, theirs in zip((small, flagged), own, strict=True))
    _settings(missing, adjust, per_year=(per_year, 1), small=(small, 0), flagged=(flagged, 0))
    check_gate(gate, index)
    j = construct_place(index, construct)
    order, every = _waves(index, waves, base)
    forms = forms_of(index, j, order, every, breaks)
    answered, leaf = _answered(index, j, order, brands), _leaf_level(index)
    nodes, given, wrong = placed(structure, weights, answered, others, levels=levels, leaf=leaf, restate=restate)
    if wrong or nodes is None or given is None:
        raise Problems(capped(wrong, 8))
    cells, few, left = _cells_of(index, j, nodes, order, others, small)
    made = replace(_made(forms, nodes, order, cells, few, given, missing, base), flagged=flagged)
    table = node_table(made)
    moved = with_evidence(made, change_table(made, against, per_year, every, adjust), gate)
    said = tree_notes(made, (table, moved), (left, others), (missing, adjust), base, restate=restate)
    notes = (*said, *forms.notes(rebased=base is not None), *(n for n in index.notes if n.code in KEPT))
    return _told(made, table, moved, pair_table(made, index.level, adjust, gate), (missing, base), notes)


def _told(
    made: Made,
    table: pl.DataFrame,
    moved: pl.DataFrame,
    pairs: pl.DataFrame,
    settings: tuple[str, str | None],
    notes: tuple[Note, ...],
) -> Tree:
    """The tables with their sentences.

    Parameters:
        settings: missing, base.
    """
    order, index = made.waves, made.index
    told = sentences(made, table, moved, pairs)
    return Tree(
        *(table, moved, audit_table(made), made.nodes, index.constructs[made.construct]),
        waves=order if order != ("",) else (),
        base=settings[1],
        missing=settings[0],
        level=index.level,
        sentences=told[order[-1]],
        notes=notes,
        pairs=pairs,
        told=told,
        entered={wave: entries(made, t, moved) for t, wave in enumerate(order)},
    )


def _made(
    forms: Forms,
    nodes: Structure,
    waves: tuple[str, ...],
    cells: Cells,
    few: Few,
    given: NodeWeights,
    missing: Missing,
    base: str | None,
) -> Made:
    """Leaves, shares and rows of every wave."""
    place = {node: k for k, node in enumerate(nodes.leaves)}
    by_leaf = {(t, place[node]): value for (t, node), value in cells.items()}
    index, construct, walls = forms.each[0], forms.construct, forms.walls
    values, there = forms.latest.values[:, construct], np.isfinite(given.values[:, nodes.leaves])
    siblings = [nodes.parent[i] for i in place]
    leaves = leaves_of(forms.latest, construct, by_leaf, len(waves), siblings, missing, there, walls)
    leaves = replace(leaves, pools=_pools(index, construct, by_leaf, few.small))
    if missing == "refuse":
        _refuse(nodes, leaves, waves, few)
    shares = [shares_of(nodes, w, p) for w, p in zip(given.values, leaves.present, strict=True)]
    columns = np.concatenate([np.nan_to_num(values), np.zeros(leaves.extra.size - values.size)])
    link = None if base is None else chained(nodes, given.values, leaves, columns, waves.index(base), walls)
    return Made(index, construct, nodes, waves, given, leaves, shares, node_rows(shares, leaves), link, few, forms)


def _index(source: object) -> Index:
    """The index whose cells are the leaves."""
    wanted = Text("an index or a tracking table", "指数或跟踪表")
    do = Text("Give what csi.index or csi.track returns.", "请给出 csi.index 或 csi.track 的结果。")
    check_kind("source", source, (Index, Tracking), wanted, do)
    return source.index if isinstance(source, Tracking) else cast("Index", source)


def _settings(missing: str, adjust: str, **counts: tuple[object, int]) -> None:
    """Raise for settings that do not exist, and for counts, each with the least it may be, that are no such numbers."""
    found = [*one_of("missing", missing, get_args(Missing)), *one_of("adjust", adjust, get_args(Method))]
    for name, (value, least) in counts.items():
        wrong = whole(name, value)
        if not wrong and int(str(value)) < least:
            en, zh = f"{name} = {value} is less than {least}.", f"{name} = {value} 小于 {least}。"
            wrong = [problem("E-SETTING", name, en, zh, f"Write {least} or more.", f"请写 {least} 或更大的整数。")]
        found += wrong
    if found:
        raise Problems(found)


def _leaf_level(index: Index) -> str:
    """What the lowest level is called: the keys of the cells."""
    return " / ".join(k for k in index.cells.columns if k not in {"wave", "n"}) or "leaf"


def _waves(index: Index, waves: Sequence[str] | None, base: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The waves with answers, oldest first, and all of them; one nameless wave where the index has none."""
    if "wave" not in index.cells.columns:
        if base is not None:
            en, zh = "an index without waves has no base wave.", "指数没有期次，无法设定基期。"
            raise Problems([problem("E-WAVE", "base", en, zh, "Leave base out.", "请省略 base。")])
        return ("",), ("",)
    order = tuple(waves) if waves else wave_order(index.cells)
    present = index.cells["wave"].to_list()
    check_waves(order, present, [] if base is None else [base])
    return tuple(w for w in order if w in set(present)), order


def _answered(index: Index, construct: int, waves: Sequence[str], brands: Sequence[str]) -> Answered:
    """The cells with a value, of however few answers."""
    names = [brand_of(index, c) for c in range(index.cells.height)]
    wave = index.cells["wave"].to_list() if "wave" in index.cells.columns else [""] * len(names)
    usable = np.isfinite(index.values[:, construct])
    cells = [(name, w) for name, w, there in zip(names, wave, usable, strict=True) if there]
    return Answered(waves, cells, names, brands)


def _cells_of(
    index: Index, construct: int, nodes: Structure, waves: Sequence[str], others: str, small: int
) -> tuple[Cells, Few, list[str]]:
    """(wave, leaf's node) -> its cells and their shares; cells that have too few answers for that; and the brands that
    have no place in the tree.

    Parameters:
        others: the name of all others. small: answers of a leaf that counts.
    """
    names = [brand_of(index, c) for c in range(index.cells.height)]
    wave = index.cells["wave"].to_list() if "wave" in index.cells.columns else [""] * len(names)
    place = {nodes.names[i]: i for i in nodes.leaves}
    n = index.n_of(construct)
    usable = np.isfinite(index.values[:, construct])
    when = {w: t for t, w in enumerate(waves)}
    members: dict[tuple[int, int], list[int]] = {}
    for c, name in enumerate(names):
        node = place.get(name, place.get(others))
        if node is not None and (usable[c] or 0 < n[c] < small):
            members.setdefault((when[wave[c]], node), []).append(c)
    cells: Cells = {}
    gone: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
    for key, mine in members.items():
        at = np.array(mine)
        taken = pooled(np.where(usable[at], n[at], 0), small)
        if taken.any():
            cells[key] = (at[taken], n[at[taken]] / n[at[taken]].sum())
        if not taken.all():
            gone[key] = tuple((int(c), int(n[c])) for c in at[~taken])
    return cells, Few(gone, small), [name for name in dict.fromkeys(names) if name not in place]


def _pools(index: Index, construct: int, cells: Cells, small: int) -> Pools:
    """The brands of every leaf and wave, with their answers."""
    n = index.n_of(construct)
    made = {key: {brand_of(index, int(c)): (int(c), int(n[c])) for c in at} for key, (at, _) in cells.items()}
    return Pools(made, small)


def _refuse(nodes: Structure, leaves: Leaves, waves: Sequence[str], few: Few) -> None:
    """Raise for every leaf that is missing."""
    found = []
    for k, node in enumerate(nodes.leaves):
        gone = [w for t, w in enumerate(waves) if leaves.treatment[t, k] == MISSING]
        if gone:
            at = ", ".join(gone)
            why = next((below(n, few.small) for t in range(len(waves)) if (n := few.of(t, node))), None)
            en = f'"{nodes.names[node]}" has a weight and no index{f" in {at}" if at else ""}'
            zh = f"“{nodes.names[node]}”{f'在 {at} ' if at else ''}有权重而无指数"
            en, zh = (f"{en}.", f"{zh}。") if why is None else (f"{en} ({why.en}).", f"{zh}（{why.zh}）。")
            do = "Take missing: renormalise, carry or impute; or leave its weight out."
            do_zh = "请设 missing 为 renormalise、carry 或 impute，或不给其权重。"
            found.append(problem("E-TREE-LEAF", "missing", en, zh, do, do_zh))
    if found:
        raise Problems(capped(found, 8))


@text.register
def _(value: Tree, lang: str = "en") -> str:
    """The sentences, the parents, the notes."""
    parents = {value.structure.names[i] for i in value.structure.parents}
    kept = value.table.filter(pl.col("node").is_in(parents)).drop("treatment", "age", "formula", "construct", "df")
    body = shown(Text("Tree", "汇总树").say(lang), kept, value.notes, lang)
    return "\n".join([*(s.say(lang) for s in value.sentences), body])
