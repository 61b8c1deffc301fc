"""What can be wrong with a card itself: names it does not have, chains without arrows, blocks without items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from csi.errors import Problems, Text
from csi.models.card_parts import arrows_of
from csi.models.card_text import SCALES
from csi.models.composites import find_cycle
from csi.models.syntax.evaluate import compile_expression

if TYPE_CHECKING:
    from csi.models.card import Card


def faults(card: Card) -> Iterator[Text]:
    """Everything that is wrong with a card."""
    yield from _names(card)
    for name in sorted({block.scale for block in card.constructs.values()} - set(SCALES)):
        listed = ", ".join(SCALES)
        yield Text(f'unknown scale "{name}" (known: {listed})', f"未知量表“{name}”（可用：{listed}）")
    yield from _higher(card)
    yield from _chains(card)
    for name, rival in card.rivals.items():
        yield from _rival(card, name)
        if rival.paths is not None:
            known = {*card.constructs, *rival.merge, *rival.higher}
            used = {n for a in arrows_of(rival.paths) for n in (a.outcome, a.predictor)}
            yield from _unknown(used - known, f"rivals.{name}")


def _names(card: Card) -> Iterator[Text]:
    """Names that are no constructs; constructs without a place."""
    known = set(card.constructs)
    used = {card.index.target, *card.paths, *card.layout, *(a.predictor for a in card.arrows)}
    used |= {n for y, xs in card.zeros.items() for n in (y, *xs)}
    used |= {n for y, xs in card.simulated.items() for n in (y, *xs)}
    used |= {n for y, xs in card.asymmetry.items() for n in (y, *xs)}
    yield from _unknown(used - known, "")
    lost = sorted(known - set(card.layout))
    if card.layout and lost:
        yield Text(f"without a place in the layout: {', '.join(lost)}", f"布局中缺少位置：{'、'.join(lost)}")
    arrows = {(a.outcome, a.predictor) for a in card.arrows}
    for y, xs in card.zeros.items():
        for x in (x for x in xs if (y, x) in arrows):
            yield Text(f"{y} ~ {x} is claimed to be zero and to be a path", f"{y} ~ {x} 同时被列为零路径与路径")


def _unknown(names: Iterable[str], where: str) -> Iterator[Text]:
    """Names the card does not have."""
    listed = sorted(names)
    place = f" ({where})" if where else ""
    if listed:
        yield Text(
            f"not a construct of this card{place}: {', '.join(listed)}",
            f"不是该模型卡的构念{f'（{where}）' if where else ''}：{'、'.join(listed)}",
        )


def _higher(card: Card) -> Iterator[Text]:
    """Constructs made of constructs: of known ones, without items, each part in one of them, no circle."""
    higher = {name: block.of for name, block in card.constructs.items() if block.of}
    yield from _unknown({p for parts in higher.values() for p in parts} - set(card.constructs), "of")
    for name in higher:
        if card.constructs[name].items is not None:
            yield Text(f"{name} is made of constructs and cannot have items", f"{name} 由构念构成，不能再有题项")
    parts = [p for of in higher.values() for p in of]
    for part in sorted({p for p in parts if parts.count(p) > 1}):
        yield Text(f"{part} is part of two constructs", f"{part} 同时属于两个高阶构念")
    circle = find_cycle(higher)
    if circle:
        chain = " > ".join(circle)
        yield Text(f"made of itself: {chain}", f"循环构成：{chain}")


def _chains(card: Card) -> Iterator[Text]:
    """Hypotheses that follow arrows, contrasts of hypotheses."""
    steps = {(a.predictor, a.outcome) for a in card.arrows}
    for name, chain in card.hypotheses.items():
        if not set(pairwise(chain_of(chain))) <= steps:
            yield Text(
                f"hypothesis {name} follows an arrow the card does not have: {chain}",
                f"假设 {name} 含有该模型卡没有的路径：{chain}",
            )
    for name, formula in card.contrasts.items():
        try:
            labels = compile_expression(formula).labels
        except Problems as error:
            what = error.problems[0].what
            yield Text(f"contrast {name} cannot be read: {what.en}", f"对比 {name} 无法解析：{what.zh}")
            continue
        wrong = sorted(set(labels) - set(card.hypotheses))
        if wrong:
            yield Text(
                f"contrast {name} names what is no hypothesis of this card: {', '.join(wrong)}",
                f"对比 {name} 中的 {'、'.join(wrong)} 不是该模型卡的假设",
            )


def _rival(card: Card, name: str) -> Iterator[Text]:
    """A rival's constructs: parts known, new names new, something different."""
    rival = card.rivals[name]
    parts = {p for of in (*rival.merge.values(), *rival.higher.values()) for p in of}
    yield from _unknown({*parts, *rival.among} - set(card.constructs), f"rivals.{name}")
    for new in sorted({*rival.merge, *rival.higher} & set(card.constructs)):
        yield Text(f"rivals.{name}: {new} is a construct already", f"rivals.{name}：构念 {new} 已存在")
    for one in rival.apart:
        if one not in card.constructs or not card.constructs[one].of:
            yield Text(f"rivals.{name}: {one} is not made of constructs", f"rivals.{name}：{one} 不是高阶构念")
    if rival.paths is None and not parts and not rival.apart:
        yield Text(
            f"rivals.{name} claims nothing else: give paths, merge, higher or apart",
            f"rivals.{name} 没有不同之处：请写 paths、merge、higher 或 apart",
        )


def chain_of(text: str) -> tuple[str, ...]:
    """`a > b > c` as names.

    Example:
        >>> chain_of("a > b>c")
        ('a', 'b', 'c')
    """
    return tuple(part.strip() for part in text.split(">"))
