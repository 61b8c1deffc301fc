"""The comparability gate as a study asks for it: which differences, at which level, and when it waits to be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem
from csi.study.fitted import CELLS, fitted, indexed
from csi.study.study import Study
from csi.survey.panel import Panel
from csi.tracking.gate import comparables
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index

MOST_CELLS = 400
"""Cells above which the gate waits to be asked: `csi comparable` runs it over any number."""


MOST_COMPOSED = 100
"""The same where MICOM is the evidence, which refits every cell in every permutation."""

MOST_GROUPS = 200
"""A column with more values is no grouping."""


def formed(study: Study) -> tuple[str, ...]:
    """Constructs that their items form: composites, and blocks of mode B."""
    modes = study.settings.modes
    return tuple(c.name for c in study.model.constructs if c.operator == "<~" or modes.get(c.name) == "B")


def gated(
    study: Study, index: Index, constructs: Sequence[str] | None = None
) -> tuple[Comparable | None, tuple[Note, ...]]:
    """What stands beside the differences of a study's index: the gate, or why none was run.

    Parameters:
        constructs: whose differences (the study's target by default).
    """
    asked = study.settings.gating
    between = [k for k in asked.between if k in CELLS] or (CELLS if not asked.between else ())
    keys = [k for k in between if k in differing(index)]
    if not asked.gate or not keys or index.sample is None:
        return None, ()
    names = [study.settings.target] if constructs is None else constructs
    if index.cells.height > (MOST_COMPOSED if composed(study, index, names) else MOST_CELLS):
        n = index.cells.height
        en = f"{n} cells: whether they are comparable is not tested unasked (csi comparable)."
        return None, (note("N-GATE-MANY", en, f"共 {n} 个单元：可比性检验需另行运行（csi comparable）。"),)
    return _judged(study, [(index, keys)], names)[0], ()


def composed(study: Study, index: Index, constructs: Sequence[str]) -> bool:
    """Whether MICOM is the evidence for one of these constructs."""
    if study.settings.gating.rule is not None:
        return study.settings.gating.rule == "micom"
    items = index.weights.group_by("construct").agg(pl.col("item").n_unique())
    few = items.filter(pl.col("item") == 2)["construct"].to_list()
    return any(c in formed(study) or c in few for c in constructs)


def judged(
    study: Study,
    panel: Panel,
    between: Sequence[str],
    constructs: Sequence[str] | None,
    where: Mapping[str, str] | None = None,
) -> tuple[Comparable, ...]:
    """The gate with the study's settings: one result of brands and waves, one of every other key.

    Brands and waves are compared in the cells of brand x wave; groups by another key inside every cell of the study's
    `within`. Holm's correction counts the sets of brands and waves, and those of all other keys, so that what else is
    asked for changes no verdict on brands and waves.

    Parameters:
        between: keys; without any brand and wave, as far as they differ. where: only the sets of these brands, waves.

    Raises:
        Problems: E-BY, E-GATE; as `csi.comparable`.
    """
    found = [*grouping_problems(study, panel, between)]
    if found:
        raise Problems(found, study.language)
    own = [k for k in between if k in CELLS]
    out: tuple[Comparable, ...] = ()
    if own or not between:
        made = indexed(study, fitted(study, panel, errors=False))
        out = _judged(study, [(made, own or None)], constructs, where)
    others = [key for key in between if key not in CELLS]
    if others:
        sources = [(index_within(study, panel, key, where or {}), [key]) for key in others]
        out = (*out, *_judged(study, sources, constructs, where))
    return out


def gated_groups(study: Study, panel: Panel) -> tuple[tuple[Comparable, ...], tuple[Note, ...]]:
    """The target in the groups that the study asks for beside brands and waves, or why it is not tested in them."""
    asked = study.settings.gating
    others = [k for k in asked.between if k not in CELLS]
    if not asked.gate or not others:
        return (), ()
    found = [*grouping_problems(study, panel, others)]
    if found:
        return (), tuple(note("N-GATE-GROUPS", p.what.en, p.what.zh) for p in found)
    return judged(study, panel, others, [study.settings.target]), ()


def index_within(study: Study, panel: Panel, key: str, where: Mapping[str, str]) -> Index:
    """The index by a key inside the cells of the study's `within`, of the rows that have the key.

    Where cells are not by wave, weights are those of all cells together.
    """
    within = [k for k in CELLS if k in study.settings.gating.within]
    outside = [pl.col(k) == v for k, v in where.items() if k not in within]
    rows = panel.frame.filter(known(key), *outside)
    if "wave" not in within and study.settings.index_weights != "own":
        study = replace(study, settings=replace(study.settings, index_weights="pooled", base_wave=""))
    return indexed(study, fitted(study, replace(panel, frame=rows), (*within, key), errors=False))


def known(key: str) -> pl.Expr:
    """Rows that say which group they are of."""
    return pl.col(key).is_not_null() & (pl.col(key).cast(pl.String) != "")


def _judged(
    study: Study,
    sources: Sequence[tuple[Index, Sequence[str] | None]],
    constructs: Sequence[str] | None,
    where: Mapping[str, str] | None = None,
) -> tuple[Comparable, ...]:
    settings = study.settings
    return comparables(
        sources,
        constructs,
        alpha=settings.gating.alpha,
        small=settings.small,
        ordered=settings.ordered,
        formed=formed(study),
        where=where,
        rule=settings.gating.rule,
        permutations=settings.telling.permutations,
        seed=settings.seed,
        labels={**study.stages, **study.segments, **study.brands},
    )


def differing(index: Index) -> list[str]:
    """The keys in which an index's cells differ."""
    return [k for k in index.cells.columns if k != "n" and index.cells[k].n_unique() > 1]


def groupings(panel: Panel) -> list[str]:
    """The keys of a panel by which its respondents can be grouped."""
    items = {*panel.codebook.names, "respondent", "weight", "duration"}
    texts = [c for c, kind in panel.frame.schema.items() if c not in items and kind == pl.String]
    return [k for k in texts if panel.frame.select(known(k).any()).item()]


def grouping_problems(study: Study, panel: Panel, between: Sequence[str]) -> Iterator[Problem]:
    """Keys that the panel has not, that do not differ, that are no groups, or that no two of a brand and wave share."""
    have = groupings(panel)
    for key in dict.fromkeys(between):
        if key not in have:
            hint = did_you_mean(key, have)
            en, zh = f'the study has no key "{key}".', f"研究中没有键“{key}”。"
            yield problem("E-BY", "between", en, zh, hint.en, hint.zh)
        else:
            yield from _ungrouped(study, panel.frame.filter(known(key)), key)


def _ungrouped(study: Study, rows: pl.DataFrame, key: str) -> Iterator[Problem]:
    """Why the values of a key are nothing to compare."""
    count, within = rows[key].n_unique(), [k for k in CELLS if k in study.settings.gating.within and k != key]
    if count < 2:
        value = rows[key][0]
        en, zh = (
            f'all answers have {key} "{value}"; there is nothing to compare.',
            f"所有答卷的 {key} 均为“{value}”，无可比较。",
        )
        yield problem("E-GATE", "between", en, zh, "Name a key in which they differ.", "请指定取值不同的键。")
    elif count > MOST_GROUPS:
        en, zh = f'"{key}" has {count} values; these are no groups.', f"“{key}”有 {count} 个取值，不是分组。"
        do = "Name a column of groups, such as a language or a mode."
        yield problem("E-GATE", "between", en, zh, do, "请指定分组列，例如语言或调查方式。")
    elif key not in CELLS and within and rows.group_by(within).agg(pl.col(key).n_unique())[key].max() == 1:
        apart, apart_zh = " and ".join(within), "、".join(within)
        en = f"within one {apart} all answers have the same {key}; no two groups can be compared there."
        zh = f"同一 {apart_zh} 内所有答卷的 {key} 都相同，无法比较各组。"
        do = "Compare all respondents together (within: [], --within none); brands and waves then differ as well."
        do_zh = "可将全体受访者合并比较（within: []，--within none），但品牌与期次的差异会混在其中。"
        yield problem("E-GATE", "between", en, zh, do, do_zh)
