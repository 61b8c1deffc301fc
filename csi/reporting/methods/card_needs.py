"""What a card asks of a study: items of its constructs, an arrow between those there are, its groups' column."""

from __future__ import annotations

from csi.claims.blocks import items_of
from csi.claims.occasions import waved
from csi.errors import Text
from csi.models.card import Block, Card
from csi.reporting.methods.method import Need
from csi.study.options import Options
from csi.study.study import Study


def needs_of(card: Card) -> tuple[Need, ...]:
    """What a card cannot do without: items of its constructs, an arrow between those there are, its groups' column."""
    required = [
        _block(card, name, block) for name, block in card.constructs.items() if not block.of and not block.optional
    ]
    group = [_group(card.requires.group)] if card.requires.group else []
    return (*required, _linked(card), *group)


def _block(card: Card, name: str, block: Block) -> Need:
    """Items of a construct."""

    def met(study: Study, options: Options) -> bool:
        given = {card.named(n): source for n, source in options.constructs.items()}
        gone = {card.named(n) for n in options.without}
        if name in gone or items_of(name, block, study.codebook, given):
            return True
        return bool(len(study.waves) > 1 and waved(card, study.codebook, options.constructs).get(name))

    form, form_zh = ("", "") if block.form == "P" else (f", form {block.form}", f"，形式 {block.form}")
    other, other_zh = (f", or take {card.instead}", f"，或改用 {card.instead}") if card.instead else ("", "")
    return Need(
        Text(
            f"construct {name} ({block.en}, {block.counts.en}{form})",
            f"构念 {name}（{block.zh}，{block.counts.zh}{form_zh}）",
        ),
        met,
        Text(
            f"add items with construct: {name}, or map it: constructs: {{{name}: yours}}{other}",
            f"补充 construct: {name} 的题项，或写 constructs: {{{name}: 您的构念}}{other_zh}",
        ),
    )


def _linked(card: Card) -> Need:
    """At least one arrow between constructs that have items."""

    def met(study: Study, options: Options) -> bool:
        given = {card.named(n): source for n, source in options.constructs.items()}
        without = [card.named(n) for n in options.without]
        blocks = {n: b for n, b in card.constructs.items() if not b.of and n not in without}
        found = {n: items_of(n, b, study.codebook, given) for n, b in blocks.items()}
        found |= waved(card, study.codebook, options.constructs) if len(study.waves) > 1 else {}
        gone = card.absent(found, without)
        return any({a.outcome, a.predictor}.isdisjoint(gone) for a in card.arrows)

    outcomes = list(dict.fromkeys(a.outcome for a in card.arrows))
    listed, listed_zh = ", ".join(outcomes), "、".join(outcomes)
    return Need(
        Text(f"something that leads to {listed}", f"指向 {listed_zh} 的构念"),
        met,
        Text("ask at least one construct of the card that leads to another", "至少询问模型卡中一个指向其他构念的构念"),
    )


def _group(role: str) -> Need:
    """The column of the groups that a card compares."""

    def met(study: Study, options: Options) -> bool:
        del options
        return role in study.codebook.keys or any(role in f.rename for f in study.data)

    return Need(
        Text(f"a column for {role}", f"{role} 所在的列"),
        met,
        Text(f"name it under keys: {{{role}: column}}", f"在 keys 中写明：{{{role}: 列名}}"),
    )
