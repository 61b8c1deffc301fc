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
    "five": ("1", "5", Text("five points", "五级量表")),
    "seven": ("1", "7", Text("seven points", "七级量表")),
    "nine": ("1", "9", Text("nine points", "九级量表")),
    "eleven": ("0", "10", Text("eleven points", "十一级量表（0–10）")),
    "binary": ("0", "1", Text("no or yes", "否/是")),
    "percent": ("0", "100", Text("per cent", "百分数")),
}
"""Scales that cards name: minimum, maximum, words."""

FORMS = {
    "P": Text("perceived", "感知"),
    "Ew": Text("expected", "期望"),
    "Es": Text("should be", "应当"),
    "Ed": Text("desired", "理想"),
    "Ea": Text("adequate", "可接受"),
    "Ei": Text("ideal", "理想（最佳）"),
    "D": Text("against expectation", "与期望相比"),
    "I": Text("importance", "重要性"),
    "Kf": Text("if present", "具备时"),
    "Kd": Text("if absent", "不具备时"),
    "T": Text("from text", "来自文本"),
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
    lines += _claims(card, lang)
    colon = Text("Source: ", "来源：").say(lang)
    return (*lines, "", *(f"{colon}{cite}" for cite in card.cite))


def _claims(card: Card, lang: str) -> Iterator[str]:
    """Chains, contrasts, zero paths, rivals and groups, each under its heading."""
    zeros = [f"{y} ~ 0*{x}" for y, xs in card.zeros.items() for x in xs]
    bends = [f"{y} ~ {', '.join(xs)}" for y, xs in card.asymmetry.items()]
    words = {"rises": Text("rises", "上升"), "falls": Text("falls", "下降")}
    trends = [f"{path}: {words[t].say(lang)}" for path, t in card.trends.items()]
    rivals = [f"{name}: {rival.zh if lang == 'zh' else rival.en}" for name, rival in card.rivals.items()]
    levels = f": {', '.join(card.requires.levels)}" if card.requires.levels else ""
    group = [f"{card.requires.group}{levels}"] if card.requires.group else []
    chains = [f"{name}: {chain}" for name, chain in card.hypotheses.items()]
    contrasts = [f"{name} := {formula}" for name, formula in card.contrasts.items()]
    for heading, said in (
        (Text("Hypotheses (chains of paths)", "假设（路径链）"), chains),
        (Text("Contrasts of indirect effects", "间接效应的对比"), contrasts),
        (Text("Claimed to be zero", "假定为零的路径"), zeros),
        (Text("Slopes below and above the mean", "均值以下与以上的斜率"), bends),
        (Text("Slopes along the groups", "斜率随分组次序的变化"), trends),
        (Text("Rivals", "竞争模型"), rivals),
        (Text("Groups", "分组"), group),
    ):
        if said:
            yield from ("", heading.say(lang), *(f"  {one}" for one in said))


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
    used = dict.fromkeys(block.scale for block in card.constructs.values() if not block.of)
    group = card.requires.group
    keyed = Text(f"# In study.yaml: keys: {{{group}: its column}}", f"# 在 study.yaml 中：keys: {{{group}: 列名}}")
    lines = [head, hint, *([keyed.say(lang)] if group else []), "scales:"]
    lines += [f"  {name}: {{min: {SCALES[name][0]}, max: {SCALES[name][1]}, missing: {{}}}}" for name in used]
    lines += ["constructs:"]
    lines += [f"  {name}: {{zh: {block.zh}, en: {block.en}}}" for name, block in card.constructs.items()]
    return "\n".join([*lines, "items:", *_blank_items(card)]) + "\n"


def _blank_items(card: Card) -> Iterator[str]:
    """One line per item, as many as the card's authors use at most."""
    for name, block in card.constructs.items():
        for number in range(1, 1 if block.of else (block.items[1] if block.items else 1) + 1):
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
    measured = [SCALES[block.scale][2], FORMS[block.form]]
    parts = [] if block.of else [t.say(lang) for t in measured]
    parts += [Text("mode B", "模式 B").say(lang)] if block.mode == "B" else []
    parts += [Text("optional", "可选").say(lang)] if block.optional else []
    parts += [block.note.say(lang)] if block.note else []
    return (Text(", ", "，").say(lang).join(parts),)


def _paths(card: Card) -> Iterator[str]:
    """One line per outcome."""
    for outcome in card.paths:
        yield f"  {outcome} ~ " + " ".join(_written(a) for a in card.arrows if a.outcome == outcome)


def _written(arrow: Arrow) -> str:
    """An arrow as the card writes it; `±` where it takes no side."""
    return f"{arrow.sign or '±'}{arrow.predictor}{'?' if arrow.optional else ''}"
