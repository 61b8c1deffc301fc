"""Whether the questionnaire and the fieldwork can carry the numbers: scales, separation, items, cleaning."""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import Text
from csi.reporting.tables import printed
from csi.reporting.words.phrases import listed, lowered, sentence

EMPTY = Text("", "")


def measurement(
    weak_scales: Sequence[Text],
    thin: Sequence[Text],
    low_items: Sequence[Text],
    pairs: Sequence[tuple[Text, Text]],
    *,
    judged: int,
    threshold: float = 0.85,
) -> Text:
    """Reliability and separation in one sentence.

    Parameters:
        weak_scales: constructs with an alpha, rho_a or rho_c below .70. thin: constructs with an AVE below .50.
        judged: constructs that have a reliability. Nothing of a construct is called reliable unless both are empty.
        low_items: items whose loading is below .708. pairs: pairs whose HTMT is at or above `threshold`.

    Example:
        >>> pair = (Text("Satisfaction", "满意度"), Text("Value", "价值"))
        >>> measurement([], [], [Text("loy3", "loy3")], [pair], judged=6).zh
        '量表可靠，1 题载荷偏低，满意度与价值区分不足'
    """
    if judged == 0:
        return Text("Single items only: reliability cannot be judged", "均为单题构念，无从判断信度")
    first = Text("the scales are reliable", "量表可靠")
    if weak_scales or thin:
        first = sentence(
            _below(weak_scales, Text("reliability below .70", "信度不足 0.70")),
            _below(thin, Text("AVE below .50", " AVE 不足 0.50")),
        )
    low = len(low_items)
    loads = Text(f"{low} {'item loads' if low == 1 else 'items load'} weakly", f"{low} 题载荷偏低") if low else EMPTY
    return sentence(first, loads, separation(pairs, threshold=threshold))


def _below(names: Sequence[Text], what: Text) -> Text:
    """Who misses a threshold; up to three by name."""
    if not names:
        return EMPTY
    some, more = listed([lowered(n) for n in names[:3]]), len(names) - 3
    if more > 0:
        return Text(f"{some.en} and {more} more: {what.en}", f"{some.zh}等 {len(names)} 个构念{what.zh.strip()}")
    return Text(f"{some.en}: {what.en}", f"{some.zh}{what.zh}")


def separation(pairs: Sequence[tuple[Text, Text]], *, threshold: float = 0.85) -> Text:
    """Which constructs cannot be told apart (the first pair is named, the rest counted).

    Example:
        >>> separation([(Text("Satisfaction", "满意度"), Text("Value", "价值"))]).en
        'satisfaction and value are hard to tell apart'
        >>> separation([]).zh
        '各构念区分清楚'
    """
    if not pairs:
        return Text("the constructs are distinct", "各构念区分清楚")
    names = listed([lowered(n) for n in pairs[0]])
    more = len(pairs) - 1
    if not more:
        return Text(f"{names.en} are hard to tell apart", f"{names.zh}区分不足")
    others = f"{more} more {'pair' if more == 1 else 'pairs'}"
    return Text(
        f"{names.en} and {others} are hard to tell apart (HTMT ≥ {printed(threshold, 'coefficient')})",
        f"{names.zh}等 {more + 1} 对构念区分不足",
    )


def items(rewrite: Sequence[Text], asked: int) -> Text:
    """Which questions need a new wording, by loading and missing share.

    Example:
        >>> said = items([Text("loy3", "loy3")], 24)
        >>> said.en
        '23 of 24 items pass loading .708 and missing share 5%; loy3 needs another look'
    """
    if not rewrite:
        return Text(
            f"All {asked} items pass loading .708 and missing share 5%",
            f"{asked} 题的载荷（0.708）与缺失（5%）全部合格",
        )
    some = listed(rewrite[:3])
    need = "needs another look" if len(rewrite) == 1 else "need another look"
    more = len(rewrite) - 3
    tail = Text(f", with {more} more,", f"等 {len(rewrite)} 题") if more > 0 else EMPTY
    held = asked - len(rewrite)
    return sentence(
        Text(
            f"{held} of {asked} items pass loading .708 and missing share 5%",
            f"{asked} 题中 {held} 题的载荷（0.708）与缺失（5%）合格",
        ),
        Text(
            f"{some.en}{tail.en} {need}",
            f"{some.zh}{tail.zh} 需要斟酌" if not tail.zh else f"{some.zh}{tail.zh}需要斟酌",
        ),
    )


def fieldwork(read: int, dropped: int, flagged: int) -> Text:
    """What came in and what was kept.

    Example:
        >>> fieldwork(14650, 212, 30).en
        '14,438 of 14,650 answers kept (1.4% dropped); 30 flagged'
        >>> fieldwork(14650, 212, 30).zh
        '14,650 份答卷保留 14,438 份（剔除 1.4%），标记 30 份'
    """
    if read == 0:
        return Text("No answers were read", "没有读到答卷")
    share = printed(dropped / read, "share")
    kept = printed(read - dropped, "count")
    total = printed(read, "count")
    first = (
        Text(f"{kept} of {total} answers kept ({share} dropped)", f"{total} 份答卷保留 {kept} 份（剔除 {share}）")
        if dropped
        else Text(f"all {total} answers kept", f"{total} 份答卷全部保留")
    )
    marked = printed(flagged, "count")
    return sentence(first, Text(f"{marked} flagged", f"标记 {marked} 份") if flagged else EMPTY)
