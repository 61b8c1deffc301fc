"""The tree of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from csi.errors import Note, Problem, Problems, Text, capped, note
from csi.study.beside import located
from csi.study.breaks import breaks_of
from csi.study.positions import read_document
from csi.study.settings import TreePlan
from csi.study.study import Study
from csi.survey.panel import Panel
from csi.tracking.breaks import Break
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index
from csi.tracking.tree import Tree, tree
from csi.tracking.tree_checks import Answered, placed
from csi.tracking.tree_structure import Renamed, Structure, names_in, structure_of
from csi.tracking.tree_weights import unread_periods, weighted
from csi.tracking.waves import wave_order


def structure_of_plan(
    plan: TreePlan, brands: Mapping[str, Text], renamed: Mapping[str, str] | None = None
) -> Structure:
    """The structure of a study's tree, with the labels of its brands and its own.

    Parameters:
        renamed: names that brands had before -> their names.

    Raises:
        Problems: E-TREE.
    """
    names = renamed or {}
    made = structure_of(Renamed(plan.structure, names), plan.levels)
    own = {names.get(name, name): text for name, text in plan.labels.items()}
    return replace(made, labels={**made.labels, **brands, **own})


def renamed_notes(study: Study) -> tuple[Note, ...]:
    """Which brands stand under an earlier name in the tables of the tree."""
    plan = study.settings.tree
    if plan is None or not study.renamed:
        return ()
    notes = []
    tables = (
        ("tree: structure", plan.structure, names_in(plan.structure, plan.levels)),
        ("tree: weights", plan.weights, weighted(plan.weights)),
    )
    for key, source, names in tables:
        where = source.name if isinstance(source, Path) else key
        if said := [f"{old} -> {new}" for old, new in study.renamed.items() if old in names]:
            en = f"{where}: earlier names are read as those of the study: {', '.join(said)}."
            notes.append(note("N-TREE-RENAMED", en, f"{where}：旧名称按研究中的名称读取：{'、'.join(said)}。"))
    return tuple(notes)


def grown(
    study: Study,
    found: Index,
    *,
    base: str | None = None,
    waves: Sequence[str] | None = None,
    restate: bool = False,
    panel: Panel | None = None,
    gate: Comparable | None = None,
) -> Tree | None:
    """The tree of a study's index; None where the study has none.

    Parameters:
        found: the index by brand and wave. base: the wave of 100 in place of the study's. waves: in order. restate:
            take the latest dates of the weights, whatever the study says. panel: the answers behind the index, by
            whose respondents the sample behind a link is known. gate: the evidence of comparability.

    Raises:
        Problems: as `csi.tree`.
    """
    plan, settings = study.settings.tree, study.settings
    if plan is None:
        return None
    several = "wave" in found.cells.columns and found.cells["wave"].n_unique() > 1
    try:
        made = tree(
            found,
            _named(study, structure_of_plan(plan, study.brands, study.renamed)),
            Renamed(plan.weights, study.renamed),
            settings.target,
            missing=plan.missing,
            base=base or plan.base or None,
            others=plan.others,
            waves=list(waves or study.waves) or None if several else None,
            per_year=settings.waves_per_year,
            small=settings.small,
            flagged=settings.flagged,
            gate=gate,
            restate=plan.restate or restate,
            adjust=plan.adjust,
            brands=tuple(study.brands),
            breaks=_breaks(study, found, panel, waves or study.waves) if several else (),
        )
    except Problems as wrong:
        raise Problems(_located(study, wrong.problems), study.language) from None
    return replace(made, notes=(*made.notes, *renamed_notes(study)))


def _named(study: Study, made: Structure) -> Structure:
    """The structure with the items' labels, by which sentences name what is not comparable."""
    book = study.codebook
    items = {name: Text(book.label(name, "en"), book.label(name, "zh")) for name in book.names}
    return replace(made, labels={**items, **made.labels})


def _located(study: Study, found: Sequence[Problem]) -> list[Problem]:
    """Problems at their lines of the study file, where it still stands."""
    if not study.path.is_file():
        return list(found)
    document = read_document(study.path)
    return [located(p, document) for p in found]


def tree_problems(study: Study, panel: Panel) -> list[Problem]:
    """What keeps the tree of a study from being made of its answers, before anything is estimated."""
    plan = study.settings.tree
    if plan is None or "brand" not in panel.frame.columns:
        return []
    answered = _answered(study, panel)
    structure, weights = Renamed(plan.structure, study.renamed), Renamed(plan.weights, study.renamed)
    _, _, found = placed(structure, weights, answered, plan.others, levels=plan.levels, restate=plan.restate)
    return capped(_located(study, found), 8)


def tree_weight_notes(study: Study, panel: Panel) -> tuple[Note, ...]:
    """Weights of a study's tree that meet no answers: of periods without a wave, of brands in waves without answers."""
    plan = study.settings.tree
    if plan is None or plan.weights is None or "brand" not in panel.frame.columns:
        return ()
    answered = _answered(study, panel)
    where = plan.weights.name if isinstance(plan.weights, Path) else "tree: weights"
    notes = []
    if unread := unread_periods(plan.weights, answered.waves):
        en, zh = ", ".join(unread[:SHOWN]), "、".join(unread[:SHOWN])
        more = len(unread) > SHOWN
        en = f"{where}: no wave of the data takes the weights of {en}{', ...' if more else ''}."
        notes.append(note("W-TREE-PERIOD", en, f"{where}：没有任何一期使用 {zh}{' 等' if more else ''} 的权重。"))
    structure, weights = Renamed(plan.structure, study.renamed), Renamed(plan.weights, study.renamed)
    nodes, given, _ = placed(structure, weights, answered, plan.others, levels=plan.levels)
    if nodes is None or given is None:
        return tuple(notes)
    names = {plan.others: OTHERS_SAID, **study.brands, **plan.labels}
    said = []
    for i in nodes.leaves:
        here = {w for name, w in answered.cells if name == nodes.names[i] or _other(nodes, name, i, plan.others)}
        gone = [w for t, w in enumerate(answered.waves) if np.isfinite(given.values[t, i]) and w not in here]
        if gone:
            who = names.get(nodes.names[i], Text(nodes.names[i], nodes.names[i]))
            said.append(Text(f"{who.en} ({', '.join(gone)})", f"{who.zh}（{'、'.join(gone)}）"))
    if said:
        more = len(said) > SHOWN
        en = f"{where}: a weight and no answers: {', '.join(s.en for s in said[:SHOWN])}{', ...' if more else ''};"
        zh = f"{where}：有权重而无答卷：{'、'.join(s.zh for s in said[:SHOWN])}{' 等' if more else ''}；"
        en, zh = (
            f"{en} missing there (tree: {{missing: {plan.missing}}}).",
            f"{zh}按缺失处理（tree: {{missing: {plan.missing}}}）。",
        )
        notes.append(note("W-TREE-UNANSWERED", en, zh))
    return tuple(notes)


def _answered(study: Study, panel: Panel) -> Answered:
    """The brands and waves of the answers."""
    cells = panel.frame.select("brand", "wave").unique(maintain_order=True).rows()
    order = [w for w in panel.waves if w in {wave for _, wave in cells}]
    return Answered(order, cells, list(dict.fromkeys(brand for brand, _ in cells)), tuple(study.brands))


def _other(nodes: Structure, brand: str, leaf: int, others: str) -> bool:
    """Whether a brand is behind a leaf of all others."""
    return nodes.names[leaf] == others and brand not in nodes.names


SHOWN = 6
OTHERS_SAID = Text("All others", "其他")


def _breaks(study: Study, found: Index, panel: Panel | None, waves: Sequence[str]) -> tuple[Break, ...]:
    """The breaks that the index reaches: those after its first wave and not after its last."""
    present = set(found.cells["wave"].to_list())
    order = tuple(waves) or wave_order(found.cells)
    at = [i for i, w in enumerate(order) if w in present]
    return tuple(b for b in breaks_of(study, found, panel) if b.wave in order[at[0] + 1 : at[-1] + 1])
