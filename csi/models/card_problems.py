"""What can be wrong with the items given to a card."""

from __future__ import annotations

from collections.abc import Iterable

from csi.errors import Problem, Text, did_you_mean, problem


def no_items(where: str, name: str, label: Text, count: Text) -> Problem:
    """A construct without items, and how many the card expects."""
    return problem(
        "E-ROLE",
        where,
        f'no items for "{name}" ({label.en}); the card expects {count.en}.',
        f"缺少“{name}”（{label.zh}）的题项，该模型卡需要 {count.zh}。",
        f'Give items={{"{name}": [...]}} or give items that construct in the codebook.',
        f'请给出 items={{"{name}": [...]}}，或在编码簿中把题项归入该构念。',
    )


def unknown_construct(where: str, name: str, known: Iterable[str]) -> Problem:
    """A name that the card does not have, and the one that was meant."""
    what = Text(f'"{name}" is not a construct of this card.', f"该模型卡没有构念“{name}”。")
    return Problem("E-CONSTRUCT", where, what, did_you_mean(name, known))


def made_of(where: str, name: str, parts: Iterable[str]) -> Problem:
    """Items given to a construct that is made of constructs."""
    listed = list(parts)
    return problem(
        "E-ITEMS",
        where,
        f'"{name}" is made of {", ".join(listed)} and has no items of its own.',
        f"“{name}”由 {'、'.join(listed)} 构成，没有自己的题项。",
        "Give the items to its parts.",
        "请把题项归入其组成构念。",
    )


def bare_text(where: str, name: str, item: str) -> Problem:
    """Items given as one text."""
    return problem(
        "E-ITEMS",
        where,
        f'the items of "{name}" are one text, not a list.',
        f"“{name}”的题项是一段文字而不是列表。",
        f'Write "{name}": ["{item}"].',
        f'请写成 "{name}": ["{item}"]。',
    )


def shared_item(where: str, item: str, names: list[str]) -> Problem:
    """An item given more than once."""
    return problem(
        "E-ITEM-TWICE",
        where,
        f'item "{item}" is given {len(names)} times: {", ".join(names)}.',
        f"题项“{item}”出现 {len(names)} 次：{'、'.join(names)}。",
        "Keep it in one construct.",
        "请只保留在一个构念中。",
    )
