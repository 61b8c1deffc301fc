"""What the comparability gate ran, and how it is to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csi.errors import Note, Text, note
from csi.tracking.gate_verdicts import Judged
from csi.tracking.gate_words import together

SHOWN = 5
"""Cells that cannot be tested are named up to this number."""


def gate_notes(
    judged: Sequence[Judged], alpha: float, every: int, labels: Mapping[str, Text] | None = None
) -> tuple[Note, ...]:
    """What was run and how it is to be read.

    Parameters:
        every: how many sets Holm's correction counts. labels: what cells are called.
    """
    run = [one for one in judged if one.climbed is not None]
    en = (
        f"Decisions: scaled chi-square differences of equal loadings and intercepts at {alpha:g}, Holm over "
        f"{every} set{'s' * (every != 1)} of cells; changes of CFI are a convention without a nominal error rate. "
        "Not rejected is not proven."
    )
    zh = (
        f"判断依据：载荷与截距相等的校正卡方差异检验（水平 {alpha:g}，对 {every} 组单元作 Holm 校正）；"
        "CFI 变化只是惯例，没有名义错误率。未被拒绝并不等于得到证明。"
    )
    size = (
        "With many answers trifles are rejected, with few large differences are not: read the effect in points beside "
        "the verdict, where nothing is rejected that of the item that differs most. It holds the index's weights fixed."
    )
    size_zh = (
        "样本很大时微小差异也会被拒绝，样本很小时较大差异也可能未被发现："
        "请结合以点数表示的影响解读（未被拒绝时为差异最大题项的影响）。计算时指数权重视为固定。"
    )
    out = [note("N-GATE", en, zh), note("N-GATE-EFFECT", size, size_zh)] if run else []
    overlap = sum(one.overlap for one in run)
    if overlap:
        en = f"{overlap} respondents answered in several cells of a set; the tests take cells as independent."
        out.append(note("W-GATE-OVERLAP", en, f"{overlap} 位受访者在同组的多个单元中作答；检验将各单元视为独立。"))
    if any(one.free or one.rule == "alignment" for one in run):
        en = "What was set free was chosen by these data; confirm it in other data before building on it."
        out.append(note("W-RELEASED", en, "放开的参数由数据选出，请先用其他数据验证再加以依赖。"))
    return (*out, *_composed(judged, every, alpha), *_left_out(judged, labels or {}))


def _composed(judged: Sequence[Judged], every: int, alpha: float) -> tuple[Note, ...]:
    """What MICOM decided on, what it left untested, and items that load against their sign in a cell."""
    run = [(one, one.composed) for one in judged if one.composed is not None]
    if not run:
        return ()
    n = max(found.run.n for _, found in run)
    en = (
        f"MICOM: equal composition (steps 1 and 2; {n} permutations, "
        f"Holm over {every} set{'s' * (every != 1)}, {alpha:g}). "
        "Equal intercepts are not tested; means and variances (step 3) are the difference itself. Effect: the "
        "difference by pooled weights less that by each cell's own weights, linearised errors. "
        "Not rejected is not proven."
    )
    zh = (
        f"MICOM：检验构成是否相同（步骤 1、2；置换 {n} 次，对 {every} 组作 Holm 校正，水平 {alpha:g}）。"
        "截距相等未检验；均值与方差（步骤 3）即差异本身。"
        "影响：按合并权重的差异减去按各单元自身权重的差异（线性化标准误）。"
        "未被拒绝并不等于得到证明。"
    )
    out = [note("N-GATE-MICOM", en, zh)]
    turned = [(item, cell) for _, found in run for item, cell in found.turned]
    if turned:
        named = dict.fromkeys(f"{item} ({cell})" for item, cell in turned)
        listed, more = list(named)[:SHOWN], len(named) > SHOWN
        en = f"items load against the sign of the pooled data: {', '.join(listed)}{', ...' if more else ''}"
        zh = f"部分题项的载荷符号与合并数据相反：{'、'.join(listed)}{'等' if more else ''}"
        out.append(note("W-GATE-SIGN", f"{en}; look at step 1 before reading step 2.", f"{zh}；请先核对步骤 1。"))
    return tuple(out)


def _left_out(judged: Sequence[Judged], labels: Mapping[str, Text]) -> tuple[Note, ...]:
    """Cells that take no part, each once with its reason."""
    seen = {
        (one.cells.between, *one.cells.keys.values(), label): (one, label, why)
        for one in judged
        for label, why in one.cells.left_out.items()
    }
    out = []
    for one, label, why in list(seen.values())[:SHOWN]:
        place = together([*(v for v in one.cells.keys.values() if v), label], labels)
        en, zh = place.en.replace(", ", " "), place.zh.replace("、", " ")
        out.append(note("N-GATE-LEFT", f"{en}: not tested, {why.text.en}", f"{zh}：未检验，{why.text.zh}"))
    rest = len(seen) - SHOWN
    if rest > 0:
        cells = "cell" if rest == 1 else "cells"
        out.append(note("N-GATE-LEFT", f"{rest} more {cells} could not be tested.", f"另有 {rest} 个单元无法检验。"))
    return tuple(out)
