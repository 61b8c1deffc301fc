"""Whether a study's answers can carry its model: keys it does not name, items nobody answered or all answered alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from csi.errors import Problem, Problems, Text, problem
from csi.study.fitted import base_of
from csi.study.study import Study
from csi.survey.panel import Panel

ONE = ("",)
"""The waves of a study without waves, the brands of one without brands."""


def completed(study: Study, panel: Panel) -> tuple[Study, Panel]:
    """The study and its panel as if both named every wave and brand.

    A panel without the key `brand` or `wave` gets one brand or one wave, called "" where the study has no name for it;
    a study that lists no waves takes the panel's order, and its only brand is the focal one. With one wave, weights of
    the base wave are those of all cells together. A study without a title is called by its name.

    Parameters:
        study: the study file as a value. panel: its answers.

    Returns:
        Both; what was complete is as it was.
    """
    only = study.focal or (next(iter(study.brands)) if len(study.brands) == 1 else "")
    values = {"brand": only, "wave": study.waves[-1] if study.waves else ""}
    added = [pl.lit(v).alias(k) for k, v in values.items() if k not in panel.frame.columns]
    panel = replace(
        panel,
        frame=panel.frame.with_columns(added),
        brands=panel.brands or (values["brand"],),
        waves=panel.waves or (values["wave"],),
    )
    settings = study.settings
    if panel.waves == ONE and settings.index_weights in {"base", "rolling"}:
        settings = replace(settings, index_weights="pooled", base_wave="")
    if panel.waves == ONE and settings.index_weights == "entity":
        settings = replace(settings, index_weights="own")
    focal = study.focal or (panel.brands[0] if len(panel.brands) == 1 else "")
    title = study.title if study.title.en or study.title.zh else Text(study.name, study.name)
    return replace(study, waves=study.waves or panel.waves, focal=focal, settings=settings, title=title), panel


def no_waves(study: Study) -> bool:
    """Whether the study has no waves at all (see `completed`)."""
    return study.waves == ONE


def unusable_items(study: Study, panel: Panel, waves: Sequence[str] = ()) -> list[Problem]:
    """One problem per item of the model that carries no information, and per item that empties one of `waves`.

    Parameters:
        study, panel: as for `completed`. waves: those that numbers are asked of.

    Returns:
        Problems; E-EMPTY for an item without answers, E-CONSTANT for one with a single answer everywhere.
    """
    found = [*_everywhere(study, panel), *_base(study, panel, waves)]
    if found:
        return found
    return [p for wave in dict.fromkeys(waves) for p in unanswered(study, panel, {"wave": wave})]


def _base(study: Study, panel: Panel, waves: Sequence[str]) -> Iterator[Problem]:
    """The base wave, where it is among `waves` and has no answers."""
    base = base_of(study)
    if base is None or base not in waves or base in panel.waves or panel.waves == ONE:
        return
    en, zh = f"the base wave {base} has no answers.", f"基期 {base} 没有数据。"
    first = panel.waves[0]
    do = f"Add its file, or take another base, such as base: {first} (the first wave with answers)."
    do_zh = f"请加入该期数据，或改用其他基期，例如 base: {first}（有数据的首期）。"
    yield problem("E-WAVE", study.base_place or "waves: base", en, zh, do, do_zh)


def check_items(study: Study, panel: Panel, waves: Sequence[str]) -> None:
    """Raise what `unusable_items` finds."""
    found = unusable_items(study, panel, waves)
    if found:
        raise Problems(found, study.language)


def _everywhere(study: Study, panel: Panel) -> Iterator[Problem]:
    """Items without any answer, or with the same answer in every row."""
    for item in _items(study, panel):
        answers = panel.frame[item].drop_nulls()
        if answers.is_empty():
            yield problem(
                "E-EMPTY",
                place(study, panel, item),
                f"item {item} of the model has no answer at all.",
                f"模型中的题项 {item} 没有任何回答。",
                "Check its column and its missing codes, or leave the item out of the model.",
                "请检查其列名与缺失值编码，或将该题项移出模型。",
            )
        elif answers.n_unique() == 1:
            yield problem(
                "E-CONSTANT",
                place(study, panel, item),
                f"all {answers.len()} answers to item {item} of the model are the same ({answers[0]:g}).",
                f"模型中题项 {item} 的 {answers.len()} 个回答全部相同（{answers[0]:g}）。",
                "Check its column, or leave the item out of the model; it carries no information.",
                "请检查其列名，或将该题项移出模型；它不含信息。",
            )


def unanswered(study: Study, panel: Panel, where: Mapping[str, str]) -> list[Problem]:
    """Why listwise deletion leaves no row of the cells `where`; nothing when a row is left or none was there.

    Example:
        >>> import csi
        >>> study = csi.Study.read("data/telecom/study.yaml")
        >>> unanswered(study, study.panel(), {"wave": "2026Q3"})
        []
    """
    items = _items(study, panel)
    here = panel.frame.filter(*(pl.col(k) == v for k, v in where.items())).select(items)
    if study.settings.missing != "listwise" or here.is_empty() or here.drop_nulls().height:
        return []
    cell = named(study, where)
    within = cell.zh if cell.zh.endswith("）") else f"{cell.zh} "
    silent = [i for i in items if here[i].null_count() == here.height]
    if not silent:
        en = f"none of the {here.height} answer sheets in {cell.en} answers all {len(items)} items of the model."
        zh = f"{within}的 {here.height} 份答卷中，没有一份答全模型的 {len(items)} 个题项。"
        return [problem("E-EMPTY", _files(panel), f"{en} {LISTWISE.en}", f"{zh}{LISTWISE.zh}", DO.en, DO.zh)]
    return [
        problem(
            "E-EMPTY",
            place(study, panel, item),
            f"item {item} has no answers in {cell.en}. {LISTWISE.en}",
            f"题项 {item} 在 {within}没有回答。{LISTWISE.zh}",
            LEAVE.en,
            LEAVE.zh,
        )
        for item in silent
    ]


LISTWISE = Text("Listwise deletion leaves n = 0.", "按行删除后 n = 0。")
DO = Text("Use missing: pairwise or mean under estimate.", "请在 estimate 中改用 missing: pairwise 或 mean。")
LEAVE = Text(
    "Leave the item out of the model, or use missing: pairwise or mean under estimate.",
    "请将该题项移出模型，或在 estimate 中改用 missing: pairwise 或 mean。",
)


def place(study: Study, panel: Panel, item: str) -> str:
    """The file and column of an item; the item itself where there are several files."""
    if len(panel.sources) != 1:
        return f"item {item}"
    return f"{panel.sources[0].name}, column {study.codebook[item].column or item}"


def named(study: Study, where: Mapping[str, str]) -> Text:
    """Cells in words: the label of the brand, the wave, or all of them."""
    brand, wave = where.get("brand"), where.get("wave")
    label = Text("", "") if brand is None else study.brands.get(brand, Text(brand, brand))
    every = Text(" (all brands)", "（全部品牌）") if brand is None and len(study.brands) > 1 else Text("", "")
    en, zh = (" ".join(t for t in (name, wave) if t) for name in (label.en, label.zh))
    return Text(f"{en or 'the data'}{every.en}", f"{zh or '数据'}{every.zh}")


def _items(study: Study, panel: Panel) -> list[str]:
    """The model's items that are in the panel."""
    return [i for i in study.model.items if i in panel.frame.columns]


def _files(panel: Panel) -> str:
    return ", ".join(s.name for s in panel.sources)
