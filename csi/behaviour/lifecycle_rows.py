"""Customers by wave and stage: what is refused, and who can be followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import polars as pl

from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.survey.panel import Panel


def rows_of_stages(
    panel: Panel, stages: Sequence[str], absorbing: str, only: Mapping[str, Sequence[str]], where: Mapping[str, str]
) -> tuple[pl.DataFrame, tuple[str, ...], tuple[str, ...], tuple[Note, ...]]:
    """The rows with a stage, the waves and stages in order, notes.

    Raises:
        Problems: E-STAGE, E-DESIGN, E-ROLE, E-DUPLICATE, all at once.
    """
    frame, notes = panel.frame, []
    for key, value in where.items():
        frame = frame.filter(pl.col(key) == value) if key in frame.columns else frame
    if "stage" not in frame.columns:
        en, zh = "the panel has no column in the role stage.", "面板中没有角色为 stage 的列。"
        do, do_zh = "Name it in the study under keys: {stage: COLUMN}.", "请在研究文件的 keys 中写 {stage: 列名}。"
        raise Problems([problem("E-STAGE", "stage", en, zh, do, do_zh)])
    frame = frame.with_columns(pl.col("stage").cast(pl.String))
    frame = frame if "wave" in frame.columns else frame.with_columns(pl.lit("").alias("wave"))
    seen = frame["stage"].drop_nulls().unique().sort().to_list()
    order = tuple(stages) or (*(s for s in seen if s != absorbing), *(s for s in seen if s == absorbing))
    waves = tuple(w for w in panel.waves if (frame["wave"] == w).any()) or tuple(frame["wave"].unique().sort())
    found = [*_placed(seen, order, absorbing), *_asked_where(panel, frame, order, only), *_twice(frame)]
    none = frame["stage"].null_count()
    kept = frame.filter(pl.col("stage").is_not_null(), pl.col("wave").is_in(waves))
    found += _nobody(kept, absorbing) if not found else []
    if found:
        raise Problems(found)
    if none:
        en, zh = (
            f"{none} of {frame.height} rows have no stage and stay out.",
            f"{frame.height} 行中有 {none} 行没有阶段，未纳入。",
        )
        notes.append(note("W-STAGE", en, zh))
    if not stages and len(order) > 1:
        en, zh = f"stages stand in the order {', '.join(order)}.", f"阶段按 {'、'.join(order)} 的顺序排列。"
        notes.append(note("N-STAGE-ORDER", f"{en[:-1]}; stages= gives another.", f"{zh[:-1]}，可用 stages= 指定。"))
    return kept, waves, order, tuple(notes)


def _placed(seen: Sequence[str], order: Sequence[str], absorbing: str) -> list[Problem]:
    """Stages of the panel that were not named, named ones that nobody has, an absorbing one that is not there."""
    found, known, had = [], "、".join(order), ", ".join(seen)
    strange = [s for s in seen if s not in order]
    if strange:
        en = f"stages are {', '.join(order)}; the panel also has {', '.join(strange)}."
        zh = f"阶段应为 {known}；面板中另有 {'、'.join(strange)}。"
        do, do_zh = "Name every stage, in order, or leave stages out.", "请按顺序写出全部阶段，或不指定 stages。"
        found.append(problem("E-STAGE", "stages", en, zh, do, do_zh))
    if len(set(order)) < len(order):
        en, zh = "a stage is named twice.", "有阶段重复。"
        found.append(problem("E-STAGE", "stages", en, zh, "Name every stage once.", "每个阶段只写一次。"))
    if absorbing and absorbing not in order:
        hint = did_you_mean(absorbing, order)
        en, zh = (
            f'no stage is called "{absorbing}"; there are {had}.',
            f"没有名为“{absorbing}”的阶段；现有 {'、'.join(seen)}。",
        )
        found.append(problem("E-STAGE", "absorbing", en, zh, hint.en, hint.zh))
    return found


def _asked_where(
    panel: Panel, frame: pl.DataFrame, order: Sequence[str], only: Mapping[str, Sequence[str]]
) -> list[Problem]:
    """Items answered at a stage that cannot have them."""
    found, book = [], panel.codebook
    for name, stages in only.items():
        items = book.items_of(name) or ((name,) if name in book.names else ())
        if not items:
            hint = did_you_mean(name, [*book.constructs, *book.names])
            en, zh = f'the codebook has no construct or item "{name}".', f"编码簿中没有构念或题项“{name}”。"
            found.append(problem("E-ROLE", "only", en, zh, hint.en, hint.zh))
            continue
        strange = [s for s in stages if s not in order]
        if strange:
            en, zh = (
                f"{name}: no stage is called {', '.join(strange)}.",
                f"{name}：没有名为 {'、'.join(strange)} 的阶段。",
            )
            do, do_zh = f"Stages: {', '.join(order)}.", f"阶段：{'、'.join(order)}。"
            found.append(problem("E-STAGE", "only", en, zh, do, do_zh))
            continue
        outside = frame.filter(pl.col("stage").is_not_null() & ~pl.col("stage").is_in(list(stages)))
        count = outside.select(pl.any_horizontal(pl.col(list(items)).is_not_null()).sum()).item()
        if count:
            en = f"{count} answers to {name} ({', '.join(items)}) are of stages other than {', '.join(stages)}."
            zh = f"{name}（{'、'.join(items)}）有 {count} 份回答来自 {'、'.join(stages)} 以外的阶段。"
            do = "Check the stages or the filter of the question; set answers that were not asked to missing."
            do_zh = "请检查阶段划分或跳题设置，并将未询问的回答设为缺失。"
            found.append(problem("E-DESIGN", name, en, zh, do, do_zh))
    return found


def _twice(frame: pl.DataFrame) -> list[Problem]:
    """Customers with several rows in a wave."""
    who = [c for c in ("respondent", "brand", "wave") if c in frame.columns]
    if "respondent" not in who:
        return []
    many = frame.filter(pl.col("respondent").is_not_null()).select(pl.struct(who).is_duplicated().sum()).item()
    if not many:
        return []
    en, zh = f"{many} rows are of customers with several rows in a wave.", f"有 {many} 行属于同一期内多次出现的顾客。"
    do, do_zh = "Keep one row per customer, brand and wave.", "请为每位顾客、每个品牌、每期只保留一行。"
    return [problem("E-DUPLICATE", "respondent", en, zh, do, do_zh)]


def _nobody(kept: pl.DataFrame, absorbing: str) -> list[Problem]:
    """Too few customers for any share; everybody gone from the start; customers who come back."""
    who = kept["respondent"].n_unique() if "respondent" in kept.columns else kept.height
    if who < 2:
        en = f"{who} customer{'s' * (who != 1)} with a stage: nothing can be said of stages."
        do, do_zh = "Give the stage of more customers.", "请提供更多顾客的阶段。"
        return [problem("E-STAGE", "stage", en, f"仅有 {who} 位顾客具有阶段信息，无法分析阶段。", do, do_zh)]
    if absorbing and (kept["stage"] == absorbing).all():
        en = f'every customer is at "{absorbing}" from the first wave on: nobody is left who could move.'
        zh = f"自首期起所有顾客均处于“{absorbing}”，没有可转移的顾客。"
        do, do_zh = "Give the waves before they left.", "请提供流失之前各期的数据。"
        return [problem("E-STAGE", "absorbing", en, zh, do, do_zh)]
    return []


def came_back(absorbing: str, count: int) -> Problem:
    """An absorbing stage that customers leave."""
    en = f'{count} moves lead out of "{absorbing}": it is no stage that nobody leaves.'
    zh = f"有 {count} 次转移离开“{absorbing}”，该阶段并非不可离开。"
    do = "Correct the stages, or leave absorbing out (churn is then a stage like others)."
    return problem("E-STAGE", "absorbing", en, zh, do, "请更正阶段，或不指定 absorbing（流失按普通阶段处理）。")


def followed(frame: pl.DataFrame, waves: Sequence[str], small: int) -> tuple[bool, tuple[Note, ...]]:
    """Whether customers can be followed from wave to wave, and what is to be said of that."""
    if len(waves) < 2:
        en = "one wave: sizes of stages only, no moves between them."
        return False, (note("E-WAVE", en, "仅有一期：只给出阶段规模，没有转移。"),)
    who = [c for c in ("respondent", "brand") if c in frame.columns]
    if "respondent" not in who:
        en = "no column in the role respondent: sizes of stages only, no moves between them."
        return False, (note("E-WAVE", en, "没有角色为 respondent 的列：只给出阶段规模，没有转移。"),)
    by_wave = {w: frame.filter(wave=w).select(who).drop_nulls("respondent") for w in waves}
    before = sum(by_wave[a].height for a in waves[:-1])
    again = sum(by_wave[a].join(by_wave[b], on=who, how="semi").height for a, b in pairwise(waves))
    share = 100 * again / before if before else 0.0
    if again < max(small, 1):
        en, zh = (f"only {again:,} come", f"仅 {again:,} 人次") if again else ("nobody comes", "无人")
        en = f"of {before:,} customers of a wave {en} again in the next: a repeated cross-section. Sizes of stages "
        zh = f"各期顾客共 {before:,} 人次，{zh}在下一期再次出现：属重复横断面数据，只给出阶段规模，没有转移。"
        return False, (note("E-WAVE", f"{en}only, no moves between them.", zh),)
    en = (
        f"customers of a wave are seen in the next {again:,} of {before:,} times ({share:.0f}%); moves are theirs. Who "
    )
    zh = f"各期顾客共 {before:,} 人次，其中 {again:,} 人次（{share:.0f}%）在下一期再次出现，"
    zh += "转移仅就其计算；未再出现者不等于流失。"
    return True, (
        note("W-ATTRITION" if share < 80 else "N-ATTRITION", f"{en}is not seen again is not counted as churned.", zh),
    )


def texts_of(stages: Sequence[str], labels: Mapping[str, Text]) -> dict[str, Text]:
    """Names of stages in words."""
    return {s: labels.get(s, Text(s, s)) for s in stages}
