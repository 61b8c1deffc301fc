"""What keeps a card from being run: too few items, stages that are not there, answers nobody was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from csi.errors import Note, Problem, did_you_mean, note, problem
from csi.models.card import Card
from csi.models.card_parts import Engine
from csi.survey.panel import Panel

Blocks = Mapping[str, tuple[str, ...]]

COMPARED: Final = 2
"""Groups that must be large enough for small ones to be left out."""


def too_few_items(card: Card, items: Blocks, reliability: Mapping[str, float]) -> Iterator[Problem]:
    """E-ITEMS: a factor with one item where the card wants more, and no stated reliability."""
    for name, block in items.items():
        wanted = card.constructs[name].items
        if len(block) > 1 or name in reliability or (wanted is not None and wanted[0] == 1):
            continue
        yield problem(
            "E-ITEMS",
            f"card {card.id}",
            f"{name} has 1 item: a covariance model needs 2 or more, or a stated reliability; PLS accepts 1.",
            f"{name} 只有 1 个题项：协方差模型需要至少 2 个题项或给定信度；PLS 可以只有 1 个。",
            f"Add items, or take PLS (estimator: pls, --estimator pls, csi.PLS()); in Python also state its "
            f'reliability={{"{name}": 0.8}}.',
            "请补充题项，或改用 PLS（estimator: pls、--estimator pls、csi.PLS()）；"
            f'在 Python 中也可给定 reliability={{"{name}": 0.8}}。',
        )


def unknown_reliability(items: Blocks, reliability: Mapping[str, float]) -> Iterator[Problem]:
    """Stated reliabilities of what has not exactly one item, or out of range."""
    for name, value in reliability.items():
        if len(items.get(name, ())) != 1 or not 0 < value <= 1:
            yield problem(
                "E-SETTING",
                "reliability",
                f'"{name}" = {value:g}: a reliability above 0 and at most 1 of a construct with one item is expected.',
                f"“{name}” = {value:g}：应为单题项构念给出 0 到 1 之间的信度。",
                "Name constructs with one item.",
                "请写只有一个题项的构念。",
            )


def no_target(card: Card, without: Sequence[str]) -> Iterator[Problem]:
    """E-CONSTRUCT: what the card explains and puts on 0 to 100 is left out."""
    target = card.index.target
    if target in without:
        label = card.labels[target]
        en = f'card {card.id} explains "{target}" ({label.en}) and makes its index of it: it cannot be left out.'
        zh = f"模型卡 {card.id} 解释“{target}”（{label.zh}）并以其计算指数，不能去掉。"
        do = "Leave out others, or take a card that explains something else (csi models lists them)."
        yield problem(
            "E-CONSTRUCT", f"card {card.id}", en, zh, do, "请去掉其他构念，或换用其他模型卡（见 csi models）。"
        )


def wrong_engine(card: Card, engine: Engine) -> Iterator[Problem]:
    """E-ENGINE: an engine that cannot fit the card."""
    if engine not in card.engines:
        listed = ", ".join(card.engines)
        yield problem(
            "E-ENGINE",
            f"card {card.id}",
            f'"{engine}" cannot fit this card.',
            f"“{engine}”无法估计该模型卡。",
            f"Use one of: {listed}.",
            f"请使用：{listed}。",
        )


def groups_of(card: Card, panel: Panel, by: Sequence[str], stages: Mapping[str, str]) -> Iterator[Problem]:
    """E-STAGE: the groups a card is about are not in the data, or too small.

    Parameters:
        by: the key columns that make cells. stages: {the panel's group: the card's}.
    """
    key, levels, least = card.requires.group, card.requires.levels, card.requires.min_n_per_group
    if not key or key not in by:
        return
    place = f"card {card.id}"
    if key not in panel.frame.columns:
        yield problem(
            "E-STAGE",
            place,
            f'{card.id} compares groups of "{key}", which the data do not have.',
            f"{card.id} 按“{key}”分组比较，数据中没有该列。",
            f"Name its column under keys: {{{key}: column}} (in Python, by=[] runs the card without groups).",
            f"请在 keys 中写明 {{{key}: 列名}}（在 Python 中 by=[] 表示不分组运行）。",
        )
        return
    found = panel.frame.group_by(key).len().drop_nulls(key).sort(key)
    counts = {stages.get(str(k), str(k)): n for k, n in found.iter_rows()}
    strange = [k for k in counts if levels and k not in levels]
    if strange:
        guess = did_you_mean(strange[0], levels)
        yield problem(
            "E-STAGE",
            place,
            f"{card.id} needs {key} in {{{', '.join(levels)}}}; found {{{', '.join(counts)}}}.",
            f"{card.id} 需要 {key} 取值为 {'、'.join(levels)}；数据中为 {'、'.join(counts)}。",
            f"Map them: {_mapped(card.id, strange[0], levels[0])}. {guess.en}".strip(),
            f"请写对应关系：{_mapped(card.id, strange[0], levels[0])}。{guess.zh}",
        )
    few = {k: n for k, n in counts.items() if n < least}
    if few and len(counts) - len(few) < COMPARED:
        listed, listed_zh = (
            ("; ".join(f'"{k}" has {n}' for k, n in few.items())),
            ("；".join(f"“{k}”有 {n}" for k, n in few.items())),
        )
        yield problem(
            "E-STAGE",
            place,
            f"groups of {key} are too small (fewest {least}): {listed}.",
            f"{key} 的组过小（至少 {least}）：{listed_zh}。",
            f"Join groups in the data, ask more of them, or keep one (--where {key}=NAME).",
            f"请在数据中合并各组、补充样本，或只保留一组（--where {key}=名称）。",
        )


def without_small(card: Card, panel: Panel, chosen: pl.DataFrame, by: Sequence[str]) -> tuple[Panel, tuple[Note, ...]]:
    """The panel without groups that are too small, where two or more are not; N-GROUP-SMALL.

    Parameters:
        chosen: the rows the card is run on that answered something of every construct. by: key columns that make cells.
    """
    key, least = card.requires.group, card.requires.min_n_per_group
    if not key or key not in by or key not in chosen.columns:
        return panel, ()
    counts = dict(chosen.group_by(pl.col(key).cast(pl.String)).len().drop_nulls(key).sort(key).rows())
    large = [k for k, n in counts.items() if n >= least]
    few = {k: n for k, n in counts.items() if n < least}
    if len(large) < COMPARED:
        return panel, ()
    keep = panel.frame.select(pl.col(key).cast(pl.String).is_in(large).fill_null(value=False)).to_series()
    panel = replace(panel, frame=panel.frame.filter(keep), reasons=panel.reasons.filter(keep))
    listed, listed_zh = (
        ", ".join(f"{k} ({n})" for k, n in few.items()),
        "、".join(f"{k}（{n}）" for k, n in few.items()),
    )
    en, zh = (
        f"groups with fewer than {least} answers are left out: {listed}.",
        f"不足 {least} 份答卷的组未纳入：{listed_zh}。",
    )
    return panel, (note("N-GROUP-SMALL", en, zh),) if few else ()


def _mapped(card: str, theirs: str, ours: str) -> str:
    """How a group is mapped, in Python, at the prompt and in a study file."""
    named = f"{{{ours}: {theirs}}}"
    return f'stages={{"{ours}": "{theirs}"}} (--stages {ours}={theirs}, models: {{{card}: {{stages: {named}}}}})'


def asked_of(card: Card, items: Blocks, frame: pl.DataFrame) -> tuple[list[Problem], dict[str, str]]:
    """E-DESIGN: answers from those the design did not ask; and which constructs were asked of some only.

    Returns:
        problems, {construct: the column (1 or 0) that says who was asked}.
    """
    problems, some = [], {}
    for name, block in ((n, card.constructs[n]) for n in items):
        if not block.asked or block.asked not in frame.columns:
            continue
        flag = frame[block.asked].cast(pl.Float64, strict=False)
        answered = frame.select(pl.any_horizontal(pl.col(items[name]).is_not_null())).to_series()
        wrong = int((answered & (flag == 0)).sum())
        some[name] = block.asked
        if wrong:
            label, zh = block.en, block.zh
            problems.append(
                problem(
                    "E-DESIGN",
                    f"card {card.id}",
                    f'"{label}" was answered by {wrong} respondents who were not to be asked ({block.asked} = 0).',
                    f"“{zh}”有 {wrong} 名不应作答的受访者（{block.asked} = 0）作了回答。",
                    f"Declare these answers as missing, mend {block.asked}, or leave {name} out: --without {name}, "
                    f"without=['{name}'].",
                    f"请将这些回答声明为缺失，或更正 {block.asked}，或去掉 {name}：--without {name}，"
                    f"without=['{name}']。",
                )
            )
    return problems, some


def only_asked(card: Card, some: Mapping[str, str], kept: int, rows: int) -> tuple[Note, ...]:
    """A note that the model is of those who were asked everything."""
    if not some or kept == rows:
        return ()
    names = ", ".join(card.constructs[n].en for n in some)
    names_zh = "、".join(card.constructs[n].zh for n in some)
    en = (
        f"the model is of the {kept} of {rows} respondents who were asked about {names}; "
        f"without={list(some)} takes everybody."
    )
    zh = f"模型仅包括被问到{names_zh}的 {kept}（共 {rows}）名受访者；without={list(some)} 可纳入全部。"
    return (note("N-CARD-ASKED", en, zh),)
