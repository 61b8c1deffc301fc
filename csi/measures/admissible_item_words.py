"""What is said about items that most likely bring other findings about.

`where` is the number of the slice and its place in words.
"""

from __future__ import annotations

from csi.errors import Text
from csi.measures.findings import Finding, cor, listed, number

Names = tuple[str, ...]
Where = tuple[int, str]


def lost(
    factor: str,
    items: Names,
    rest: tuple[float, ...],
    left: Names,
    limit: tuple[float, float],
    where: Where,
    *,
    whole: bool,
    shared: float = 0.0,
) -> Finding:
    """Items that go with nothing.

    Parameters:
        rest: their mean correlations with the other items. left: items that do. limit: what chance reaches, and
            the number of rows. whole: whether little of the block is left (a warning, else a note). shared: the
            modification index of a residual covariance of the two items left, 0 where others are clearly larger.
    """
    one, two, many = len(items) == 1, len(items) + len(left) == 2, not left
    told = ", ".join(f"{i} {cor(r)}" for i, r in zip(items, rest, strict=True))
    told_zh = "、".join(f"{i} {cor(r)}" for i, r in zip(items, rest, strict=True))
    en = f"{listed(items)} {'is' if one else 'are'} hardly related to the other item{'' if two else 's'} of {factor}"
    zh = f"{listed(items, 'zh')} 与 {factor} 的其他题项几乎无关"
    if many:
        en, zh = f"The items of {factor} are hardly related to each other", f"{factor} 的题项彼此几乎无关"
    size = f" (mean correlation with the rest: {told}; chance alone reaches {cor(limit[0])} at n = {limit[1]:.0f})."
    size_zh = f"（与其余题项的平均相关：{told_zh}；n = {limit[1]:.0f} 时仅凭偶然即可达到 {cor(limit[0])}）。"
    if many:
        cause, cause_zh = f"{factor} measures nothing.", f"{factor} 没有测到任何东西。"
        do = f"Look for wrong columns or codes; drop {factor} or give it other items."
        do_zh = f"请检查列或编码是否有误；去掉 {factor}，或换用其他题项。"
    else:
        cause, cause_zh = f"{factor} rests on {listed(left)} alone.", f"{factor} 只靠 {listed(left, 'zh')} 支撑。"
        do = f"Look for wrong columns or codes; drop {listed(items)} from {factor}"
        do_zh = f"请检查列或编码是否有误；将 {listed(items, 'zh')} 从 {factor} 中去掉"
        do, do_zh = (f"{do}.", f"{do_zh}。") if len(left) > 1 else _single(left[0], do, do_zh)
    if shared:
        pair = " ~~ ".join(left)
        cause += (
            f" Or {listed(left)} share something beside {factor}: no modification index is clearly larger than that"
        )
        cause += f" of {pair} ({number(shared)}), and without it {factor} turns into what these two share."
        cause_zh += f"或者 {listed(left, 'zh')} 在 {factor} 之外另有共同之处：{pair} 的修正指数为 {number(shared)}，"
        cause_zh += "没有明显更大者，"
        cause_zh += f"未放开时 {factor} 会变成这两题的共同部分。"
        do += f" Where the wording of {listed(left)} is alike, free {pair} first and look again."
        do_zh += f"若 {listed(left, 'zh')} 的措辞相近，请先放开 {pair} 再看。"
    what, why, remedy = Text(en + size, zh + size_zh), Text(cause, cause_zh), Text(do, do_zh)
    if whole:
        return Finding("W-ITEM-UNRELATED", "warning", *where, items, what, why, remedy, len(items))
    return Finding("N-ITEM-UNRELATED", "fine", *where, items, what, why, remedy, len(items))


def _single(item: str, do: str, do_zh: str) -> tuple[str, str]:
    """What to do where one item is left."""
    en = f"{do} and find it others, or let {item} stand for it with a stated error variance ({item} ~~ ...*{item})."
    return en, f"{do_zh}，并补充其他题项；或只用 {item}，并给定其误差方差（{item} ~~ ...*{item}）。"


def double(items: Names, factors: Names, r: float, where: Where) -> Finding:
    """Two items that are one."""
    a, b = items
    reverse, reverse_zh = (" with its sign turned", "，方向相反") if r < 0 else ("", "")
    en = f"{a} and {b} are nearly the same item{reverse}: they correlate {cor(r)}."
    zh = f"{a} 与 {b} 几乎是同一题项{reverse_zh}：相关 {cor(r)}。"
    share = number(100 * r * r)
    if len(factors) == 1:
        cause = f"They share {share} % of their variance, and {factors[0]} turns into what these two share."
        cause_zh = f"两者共享 {share}% 的方差，{factors[0]} 因此变成这两题的共同部分。"
    else:
        cause = f"They share {share} % of their variance, and tie {factors[0]} and {factors[1]} together by it."
        cause_zh = f"两者共享 {share}% 的方差，并由此把 {factors[0]} 与 {factors[1]} 绑在一起。"
    do = f"Drop one of {a} and {b}; look whether a column stands in the data twice."
    do_zh = f"请去掉 {a}、{b} 之一；并检查数据中是否有重复的列。"
    what, why, remedy = Text(en, zh), Text(cause, cause_zh), Text(do, do_zh)
    return Finding("W-ITEM-TWIN", "warning", *where, items, what, why, remedy, abs(r))


def away(
    item: str,
    factors: Names,
    loadings: tuple[float, float],
    mean: tuple[float, float],
    index: tuple[float, float] | None,
    where: Where,
) -> Finding:
    """An item in the wrong block.

    Parameters:
        factors: its own and the other one. loadings, mean: on and with these two, as correlations have it. index:
            modification index and expected standardised loading on the other one.
    """
    home, to = factors
    own, there = (cor(v) for v in loadings)
    en = (
        f"{item} goes with {to} rather than {home}: its correlations give loadings of {there} on {to}, {own} on {home}."
    )
    zh = f"{item} 更像 {to} 而非 {home} 的题项：按相关计算，它在 {to} 上的载荷为 {there}，在 {home} 上为 {own}。"
    cause = f"It correlates {cor(mean[1])} on average with the items of {to}, {cor(mean[0])} with the others of {home}"
    cause_zh = f"它与 {to} 各题项的平均相关为 {cor(mean[1])}，与 {home} 其余题项为 {cor(mean[0])}"
    if index is not None:
        cause += f"; freeing {to} =~ {item} lowers chi2 by about {number(index[0])}"
        cause_zh += f"；放开 {to} =~ {item} 可使卡方下降约 {number(index[0])}"
    if index is not None and abs(index[1]) <= 1:
        cause += f" (expected standardised loading {cor(index[1])})"
        cause_zh += f"（预期标准化载荷 {cor(index[1])}）"
    do = f"Move {item} to {to} ({to} =~ ... + {item}), let it load on both, or drop it."
    do_zh = f"请将 {item} 移到 {to}（{to} =~ ... + {item}）、允许其同时载荷于两者，或去掉它。"
    what, why, remedy = Text(en, zh), Text(f"{cause}.", f"{cause_zh}。"), Text(do, do_zh)
    return Finding("W-ITEM-ELSEWHERE", "warning", *where, (item,), what, why, remedy, loadings[1] - loadings[0])
