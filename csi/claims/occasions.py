"""Cards of two occasions on answers in waves: what is before comes from the first wave, what is after from the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from csi.claims.blocks import items_of
from csi.errors import Note, Problems, Text, note, problem
from csi.expectation.wide import Wide, named, wide
from csi.models.card import Block, Card
from csi.survey.codebook import Codebook
from csi.survey.panel import Panel

OCCASIONS = {"_before": 1, "_after": 2}
"""Endings of constructs, and the occasion they are of."""


def occasion_of(construct: str) -> int:
    """1 or 2; 0 where a construct is of no occasion.

    Example:
        >>> occasion_of("attitude_after"), occasion_of("trust")
        (2, 0)
    """
    return next((t for ending, t in OCCASIONS.items() if construct.endswith(ending)), 0)


def of_occasions(card: Card) -> bool:
    """Whether a card claims something of two occasions."""
    return {occasion_of(n) for n in card.constructs} >= {1, 2}


def waved(card: Card, codebook: Codebook, constructs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The card's constructs of an occasion with the items that waves ask; empty where a row holds both occasions.

    A construct of the card is looked up in the codebook without its ending, or under the name that `constructs` gives.
    """
    given = {card.named(name): source for name, source in constructs.items()}
    blocks = {n: b for n, b in card.constructs.items() if occasion_of(n)}
    if any(items_of(n, b, codebook, {}) for n, b in blocks.items() if n not in given):
        return {}
    found = {n: _items(n, b, codebook, given) for n, b in blocks.items()}
    return found if any(found.values()) else {}


def _items(name: str, block: Block, codebook: Codebook, given: Mapping[str, str]) -> tuple[str, ...]:
    """Items of a construct in a wave."""
    stem = name.rpartition("_")[0]
    return items_of(name, block, codebook, {name: given.get(name) or given.get(stem) or stem})


def occasions(
    card: Card, panel: Panel, constructs: Mapping[str, str], where: Mapping[str, str] | None
) -> tuple[Panel, tuple[Note, ...]]:
    """The panel with a row per person, where a card of two occasions is run on waves; else the panel as it is.

    Returns:
        a panel whose codebook has the card's constructs, and notes: the waves and how many were left out; W-RETRO where
        no waves tell the occasions apart.

    Raises:
        Problems: E-WAVE: new people in every wave, or a single wave.
    """
    if not of_occasions(card):
        return panel, ()
    asked = waved(card, panel.codebook, constructs)
    if not asked:
        return panel, (_one_row(),) if _answered(card, panel, constructs) else ()
    if where and "wave" in where:
        en, zh = "a card of two occasions takes two waves, not one.", "前后两次的模型卡需要两期，而非单独一期。"
        do, do_zh = "Leave the wave out.", "请去掉期次筛选。"
        raise Problems([problem("E-WAVE", card.id, en, zh, do, do_zh)])
    items = list(dict.fromkeys(i for names in asked.values() for i in names))
    data = wide(panel, items, waves=_ends(panel), where=where, what=card.id, also=_kept(panel))
    return _reshaped(card, panel, data, asked)


def _ends(panel: Panel) -> tuple[str, ...] | None:
    """The first and the last wave."""
    return (panel.waves[0], panel.waves[-1]) if len(panel.waves) > 2 else None


def _kept(panel: Panel) -> list[str]:
    """Keys of a person that do not change."""
    return [k for k in ("brand",) if k in panel.frame.columns]


def _answered(card: Card, panel: Panel, constructs: Mapping[str, str]) -> bool:
    """Whether a row holds what is before."""
    given = {card.named(n): s for n, s in constructs.items()}
    return any(items_of(n, b, panel.codebook, given) for n, b in card.constructs.items() if occasion_of(n) == 1)


def _reshaped(
    card: Card, panel: Panel, data: Wide, asked: Mapping[str, tuple[str, ...]]
) -> tuple[Panel, tuple[Note, ...]]:
    """A row per person who answered on both occasions."""
    frame, book = data.frame, panel.codebook
    both = [pl.any_horizontal(pl.col([named(i, t) for n, names in asked.items() if occasion_of(n) == t for i in names])
            .is_not_null()) for t in (1, 2)]  # fmt: skip
    kept = frame.filter(*both)
    items = tuple(
        replace(book[i], name=named(i, occasion_of(n)), construct=n, form=card.constructs[n].form, column="")
        for n, names in asked.items()
        for i in names
    )
    keys = {"respondent": pl.col("person").cast(pl.String), "cluster": pl.col("unit").cast(pl.String)}
    design = [c for c in ("weight", "stratum", "brand") if c in kept.columns]
    names = [i.name for i in items]
    rows = kept.select(*(e.alias(k) for k, e in keys.items()), *design, *names)
    labels = {n: Text(card.constructs[n].en, card.constructs[n].zh) for n in asked}
    reasons = pl.DataFrame({n: [None] * rows.height for n in names}, schema=dict.fromkeys(names, pl.String))
    made = Panel(rows, Codebook(items, labels, book.keys), reasons, (), panel.brands)
    notes = (_waves(data, frame.height - kept.height), *(n for n in data.notes if n.code != "N-RETURNING"))
    return made, notes


def _waves(data: Wide, lost: int) -> Note:
    """Which waves are the occasions, and who is left out."""
    one, two = data.waves
    left, left_zh = (
        (f"; {lost} people of one wave only are left out", f"；仅参加一期的 {lost} 人未纳入") if lost else ("", "")
    )
    en = f"what is before comes from wave {one}, what is after from wave {two}, of the same people{left}."
    return note("N-OCCASIONS", en, f"“之前”取自 {one}，“之后”取自 {two}，为同一批受访者{left_zh}。")


def _one_row() -> Note:
    """That nothing says when it was asked."""
    en = "no waves tell the occasions apart: if what is before was asked after the experience, it is a recall, and "
    en += "nothing here is a cause."
    zh = "没有期次区分前后两次：若“之前”的内容是在体验之后询问的，则属回忆，不能据此作因果结论。"
    return note("W-RETRO", en, zh)
