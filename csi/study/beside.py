"""What a study file says beside its model: the formula of the index, rates, the tree; and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from csi.errors import Problem, Text, did_you_mean, problem
from csi.study.codebook import text_of
from csi.study.explain import Held
from csi.study.positions import Document
from csi.study.rate_items import rate_problems
from csi.study.salvage import inside
from csi.study.schema import StudyForm
from csi.study.schema_estimate import COVARIANCE
from csi.study.schema_telling import TreeForm
from csi.study.settings import TreePlan
from csi.survey.codebook import Codebook
from csi.tracking.tree_checks import OTHERS, Answered, placed
from csi.tracking.tree_structure import Renamed, childless


def tree_plan(form: TreeForm | None, folder: Path) -> TreePlan | None:
    """The tree of a study file; files are looked up beside it."""
    if form is None:
        return None
    return TreePlan(
        structure=folder / form.structure if isinstance(form.structure, str) else form.structure,
        weights=(folder / form.weights if form.weights else None) if isinstance(form.weights, str) else form.weights,
        missing=form.missing,
        base=form.base,
        others=form.others,
        restate=form.restate,
        adjust=form.adjust,
        levels=tuple(form.levels),
        labels={name: text_of(label) for name, label in form.labels.items()},
    )


def beside_problems(
    held: Held[StudyForm], form: StudyForm, codebook: Codebook | None, document: Document, folder: Path
) -> Iterator[Problem]:
    """A formula that the estimator has not, rates that their items do not allow, a tree that is none."""
    yield from _formula(form, document)
    if form.rates is not None and codebook is not None and not held.faulty("rates"):
        yield from rate_problems(form.rates, codebook, document)
    yield from _blank_tree(document)
    if form.tree is not None and not held.faulty("tree", "structure"):
        yield from _tree(form, form.tree, document, folder)


def _formula(form: StudyForm, document: Document) -> Iterator[Problem]:
    """F6 of composites, outer weights of a covariance model, weights beside equal ones."""
    formula, covariance = form.index.formula, form.estimate.estimator in COVARIANCE
    place = document.place(("index", "formula"))
    if formula == "F6" and not covariance:
        en, zh = "F6 needs a covariance model (estimator: mlr, say).", "F6 需要协方差模型（例如 estimator: mlr）。"
        yield problem("E-FORMULA", place, en, zh, "Take F1, F2 or F5, or leave it out.", "请改用 F1、F2、F5，或删去。")
    if formula in {"F1", "F2", "F3", "F7"} and covariance:
        en, zh = (
            f"{formula} needs outer weights, and a covariance model has none.",
            f"{formula} 需要外部权重，协方差模型没有。",
        )
        yield problem("E-FORMULA", place, en, zh, "Take F6 or F5, or leave it out.", "请改用 F6 或 F5，或删去。")
    if formula == "F5" and (form.index.weights is not None or form.index.base):
        en, zh = "F5 weighs items equally; no weights are estimated.", "F5 采用等权，不估计权重。"
        yield problem("E-FORMULA", place, en, zh, "Leave weights and base out.", "请删去 weights 与 base。")


def _tree(form: StudyForm, tree: TreeForm, document: Document, folder: Path) -> Iterator[Problem]:
    """Files that are not there, a structure that is none, brands that are not listed, an unknown base wave."""
    files = [(key, given) for key, given in (("structure", tree.structure), ("weights", tree.weights)) if given]
    missing = [(key, given) for key, given in files if isinstance(given, str) and not (folder / given).is_file()]
    for key, given in missing:
        near = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        hint = did_you_mean(str(given), near)
        en, zh = f'there is no file "{given}".', f"文件“{given}”不存在。"
        yield problem("E-FILE", document.place(("tree", key)), en, zh, hint.en, hint.zh)
    if tree.base and form.waves.order and tree.base not in form.waves.order:
        hint = did_you_mean(tree.base, form.waves.order, every=True)
        en, zh = f'unknown wave "{tree.base}".', f"未知的期“{tree.base}”。"
        yield problem("E-WAVE", document.place(("tree", "base")), en, zh, hint.en, hint.zh)
    yield from _blank_parents(document)
    plan = tree_plan(tree, folder)
    if plan is None or any(key == "structure" for key, _ in missing) or not tree.structure:
        return
    known = [brand.name for brand in form.brands]
    answered = Answered(form.waves.order or ("",), (), known or None, place=BRAND)
    weights = plan.weights if form.waves.order and not any(key == "weights" for key, _ in missing) else None
    names = {old: brand.name for brand in form.brands for old in brand.was}
    source, revenue = Renamed(plan.structure, names), Renamed(weights, names)
    made, _, found = placed(source, revenue, answered, tree.others, levels=tree.levels, restate=tree.restate)
    yield from (located(p, document) for p in found)
    known = [tree.others, OTHERS, *(() if made is None else made.names), *names]
    for label in tree.labels if made is not None else ():
        if label not in known:
            hint = did_you_mean(label, known)
            en, zh = f'the label of "{label}", which is not in the tree.', f"“{label}”有标签，但不在树中。"
            yield problem("E-TREE", document.place(("tree", "labels", label)), en, zh, hint.en, hint.zh)


BRAND = Text("a brand of the study", "本研究的品牌")


def located(found: Problem, document: Document) -> Problem:
    r"""A problem of a tree at its line in the study file; what stands in a file of its own keeps its place.

    Example:
        >>> from csi.study.positions import parse_document
        >>> study = parse_document("tree:\n  weights: {A: 0}\n", "study.yaml")
        >>> located(Problem("E-TREE-WEIGHT", "weights, A", Text("", ""), Text("", "")), study).where
        'study.yaml:2'
    """
    key, _, name = found.where.partition(", ")
    if key not in {"structure", "weights", "others", "levels", "missing"}:
        return found
    return replace(found, where=document.place(("tree", key, name) if name else ("tree", key)))


def _blank_parents(document: Document) -> Iterator[Problem]:
    """Parents of a nested structure with nothing behind them: the document leaves them out."""
    for loc in document.keys:
        if loc[:2] == ("tree", "structure") and len(loc) > 2 and inside(document.data, loc) is None:
            yield childless(str(loc[-1]), document.place(loc))


def _blank_tree(document: Document) -> Iterator[Problem]:
    """A tree with nothing behind it."""
    if ("tree",) in document.keys and "tree" not in document.data:
        do = "Write `tree: {structure: {market: [brand, brand]}, weights: weights.csv}`, or take it out."
        do_zh = "请写 tree: {structure: {市场: [品牌, 品牌]}, weights: weights.csv}，或将其删去。"
        yield problem("E-TREE", document.place(("tree",)), "tree is blank.", "tree 为空。", do, do_zh)
