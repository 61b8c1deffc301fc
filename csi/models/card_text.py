"""A card told in lines: its description for the command line, and a blank codebook to fill in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from csi.display import width
from csi.errors import Text

if TYPE_CHECKING:
    from csi.models.card import Arrow, Card

SCALES = {
    "ten": ("1", "10", Text("ten points", "十级量表")),
    "binary": ("0", "1", Text("no or yes", "否/是")),
    "percent": ("0", "100", Text("per cent", "百分数")),
}
"""Scales that cards name: minimum, maximum, words."""

FORMS = {
    "P": Text("perceived", "感知"),
    "Ew": Text("expected", "期望"),
}


def description(card: Card, lang: str = "en") -> tuple[str, ...]:
    """The card as lines: title, constructs with item counts, arrows with signs, sources, and what is provisional.

    Example:
        >>> from csi.models.cards import read_card
        >>> print(description(read_card("scsb"))[-1][:34])
        Source: Fornell, C. (1992). A nati
    """
    comma = Text(", ", "，").say(lang)
    lines = [f"{card.id}  {card.title.say(lang)}{comma}{card.year}"]
    if card.provisional is not None:
        lines.append(f"{Text('PROVISIONAL: ', '暂定：').say(lang)}{card.provisional.say(lang)}")
    lines += ["", Text("Constructs", "构念").say(lang), *_constructs(card, lang)]
    lines += [
        "",
        Text("Paths (expected sign; ? = optional)", "路径（预期符号；? 为可选）").say(lang),
        *_paths(card),
    ]
    target = Text("Index: {} ({})", "指数：{}（{}）").say(lang)
    lines += ["", target.format(card.index.target, card.labels[card.index.target].say(lang))]
    if card.hypotheses:
        lines += ["", Text("Hypotheses (chains of paths)", "假设（路径链）").say(lang)]
        lines += [f"  {chain}" for chain in card.hypotheses.values()]
    colon = Text("Source: ", "来源：").say(lang)
    return (*lines, "", *(f"{colon}{cite}" for cite in card.cite))


def blank_codebook(card: Card, lang: str = "en") -> str:
    """A codebook in YAML with one blank item per question the card expects.

    Example:
        >>> from csi.models.cards import read_card
        >>> print(blank_codebook(read_card("acsi")).splitlines()[-1])
          - {name: loyalty2, construct: loyalty, form: P, scale: ten, column: , zh: , en: }
    """
    head = Text(f"# Codebook for card {card.id}: ", f"# 模型卡 {card.id} 的编码簿：").say(lang) + card.title.say(lang)
    hint = Text(
        "# Fill in the wording (zh, en) and, where it differs, the column of your export; add or delete items freely.",
        "# 请填写题项措辞（zh、en），列名与导出文件不同时填写 column；题项可增可减。",
    ).say(lang)
    used = dict.fromkeys(block.scale for block in card.constructs.values())
    lines = [head, hint, "scales:"]
    lines += [f"  {name}: {{min: {SCALES[name][0]}, max: {SCALES[name][1]}, missing: {{}}}}" for name in used]
    lines += ["constructs:"]
    lines += [f"  {name}: {{zh: {block.zh}, en: {block.en}}}" for name, block in card.constructs.items()]
    return "\n".join([*lines, "items:", *_blank_items(card)]) + "\n"


def _blank_items(card: Card) -> Iterator[str]:
    """One line per item, as many as the card's authors use at most."""
    for name, block in card.constructs.items():
        for number in range(1, (block.items[1] if block.items else 1) + 1):
            yield (
                f"  - {{name: {name}{number}, construct: {name}, form: {block.form}, scale: {block.scale}, "
                "column: , zh: , en: }"
            )


def _constructs(card: Card, lang: str) -> Iterator[str]:
    """One line per construct, in columns."""
    rows = [
        (name, card.labels[name].say(lang), block.count(lang), *_details(card, name, lang))
        for name, block in card.constructs.items()
    ]
    wide = [max(width(row[place]) for row in rows) for place in range(3)]
    for row in rows:
        cells = [cell + " " * (w - width(cell)) for cell, w in zip(row, wide, strict=False)]
        yield "  " + "  ".join([*cells, *row[3:]]).rstrip()


def _details(card: Card, name: str, lang: str) -> tuple[str, ...]:
    """Scale, form, mode and note of a construct."""
    block = card.constructs[name]
    parts = [SCALES[block.scale][2].say(lang), FORMS.get(block.form, Text(block.form, block.form)).say(lang)]
    parts += [Text("mode B", "模式 B").say(lang)] if block.mode == "B" else []
    parts += [block.note.say(lang)] if block.note else []
    return (Text(", ", "，").say(lang).join(parts),)


def _paths(card: Card) -> Iterator[str]:
    """One line per outcome."""
    for outcome in card.paths:
        yield f"  {outcome} ~ " + " ".join(_written(a) for a in card.arrows if a.outcome == outcome)


def _written(arrow: Arrow) -> str:
    """An arrow as the card writes it; `±` where it takes no side."""
    return f"{arrow.sign or '±'}{arrow.predictor}{'?' if arrow.optional else ''}"
