"""What is wrong with the items of a rate: unknown, named twice, on a scale that the rate is not made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csi.errors import Problem, did_you_mean, problem
from csi.survey.codebook import Codebook

NPS_TOP = 10


def unknown_items(book: Codebook, items: Sequence[str], where: str) -> Iterator[Problem]:
    """Items that the codebook does not have."""
    for item in dict.fromkeys(items):
        if item not in book.names:
            hint = did_you_mean(item, book.names)
            en, zh = f'item "{item}" is not in the codebook.', f"编码簿中没有题项“{item}”。"
            yield problem("E-ITEM", where, en, zh, hint.en, hint.zh)


def twice(items: Sequence[str], where: str) -> Iterator[Problem]:
    """Items that a list names more than once.

    Example:
        >>> [p.what.en for p in twice(["a", "b", "a"], "csat")]
        ['item "a" is listed twice.']
    """
    for item in dict.fromkeys(i for at, i in enumerate(items) if i in items[:at]):
        en, zh = f'item "{item}" is listed twice.', f"题项“{item}”重复列出。"
        yield problem("E-TWICE", where, en, zh, "Keep one of them.", "请只保留一个。")


def boxes_problems(boxes: object) -> Iterator[Problem]:
    """A number of boxes that is none."""
    if not (isinstance(boxes, int) and boxes >= 1):
        en, zh = f"boxes={boxes} is not a number of answers.", f"boxes={boxes} 不是档数。"
        yield problem("E-SETTING", "boxes", en, zh, "Write boxes=2.", "请写 boxes=2。")


def box_problems(book: Codebook, items: Sequence[str], boxes: int) -> Iterator[Problem]:
    """Items all of whose answers would be among the highest, so that their share is 100 whatever was answered.

    Example:
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Item, Scale
        >>> book = Codebook((Item("bad", "s", Scale("yes", 0, 1), Text("bad", "抱怨")),), {}, {})
        >>> [p.code for p in box_problems(book, ["bad"], 2)], [p.code for p in box_problems(book, ["bad"], 1)]
        (['E-SCALE'], [])
    """
    for item in dict.fromkeys(items):
        scale = book[item].scale if item in book.names else None
        if scale is None or not isinstance(boxes, int) or scale.minimum <= scale.maximum - boxes:
            continue
        ends = f"{scale.minimum:g} to {scale.maximum:g}"
        en = f"every answer to {item} ({ends}) is among its {boxes} highest, so that the share is always 100."
        zh = f"{item} 的量程为 {scale.minimum:g}–{scale.maximum:g}，前 {boxes} 档已含全部回答，占比恒为 100。"
        do, do_zh = "Write a smaller number of boxes, or name another item.", "请减小 boxes，或改用其他题项。"
        yield problem("E-SCALE", item, en, zh, do, do_zh)


def scale_problems(book: Codebook, complaint: str | None, nps: str | None) -> Iterator[Problem]:
    """A recommendation not asked from 0 to 10; a complaint that is not yes or no.

    Example:
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Item, Scale
        >>> book = Codebook((Item("loy", "s", Scale("ten", 1, 10), Text("loy", "推荐")),), {}, {})
        >>> [p.code for p in scale_problems(book, None, "loy")]
        ['E-SCALE']
    """
    if nps in book.names:
        scale = book[str(nps)].scale
        if (scale.minimum, scale.maximum) != (0, NPS_TOP):
            en = (
                f"the score is defined on answers from 0 to 10; {nps} runs from {scale.minimum:g} to {scale.maximum:g}."
            )
            zh = f"净推荐值以 0–10 分的回答定义；{nps} 的量程为 {scale.minimum:g}–{scale.maximum:g}。"
            do, do_zh = "Ask for its top boxes instead.", "请改用高分占比（top_boxes）。"
            yield problem("E-SCALE", str(nps), en, zh, do, do_zh)
    if complaint in book.names:
        scale = book[str(complaint)].scale
        if scale.maximum - scale.minimum != 1:
            en = f"a complaint is answered yes or no; {complaint} runs from {scale.minimum:g} to {scale.maximum:g}."
            zh = f"抱怨以“是/否”作答；{complaint} 的量程为 {scale.minimum:g}–{scale.maximum:g}。"
            do, do_zh = "Name the yes-no item (0 and 1).", "请指定 0/1 题项。"
            yield problem("E-SCALE", str(complaint), en, zh, do, do_zh)
