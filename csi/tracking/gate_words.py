"""The comparability gate in words: verdicts, the evidence beside a difference, a sentence per set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.errors import Text
from csi.measures.invariance_words import fixed, probability, signed
from csi.tracking.gate_verdicts import Judged, Verdict

VERDICTS: dict[str, Text] = {
    "comparable": Text("comparable", "可比"),
    "after freeing": Text("comparable after freeing", "放开后可比"),
    "not comparable": Text("not comparable", "不可比"),
    "not tested": Text("not tested", "未检验"),
}
"""What each verdict is called."""

KINDS = {"=~": Text("loading", "载荷"), "~1": Text("intercept", "截距"), "|": Text("thresholds", "阈值")}


def evidence_text(verdict: Verdict, items: Sequence[str], bias: float) -> Text:
    """A few words beside a difference.

    Example:
        >>> evidence_text("after freeing", ["sat2"], -1.234).en
        'comparable after freeing sat2 (-1.2)'
        >>> evidence_text("not tested", [], float("nan")).zh
        '未检验'
    """
    said = VERDICTS[verdict]
    if verdict in {"comparable", "not tested"} or not items:
        return said
    size = Text("", "") if np.isnan(bias) else Text(f" ({signed(bias, 1)})", f"（{signed(bias, 1)}）")
    listed, listed_zh = ", ".join(items), "、".join(items)
    if verdict == "not comparable":
        return Text(f"{said.en}: {listed}{size.en}", f"{said.zh}：{listed_zh}{size.zh}")
    return Text(f"{said.en} {listed}{size.en}", f"放开 {listed_zh} 后可比{size.zh}")


def place_of(one: Judged) -> Text:
    """Which cells of what: `Satisfaction, wave of ZX`."""
    shared = [v for v in one.cells.keys.values() if v]
    of, of_zh = (f" in {' '.join(shared)}", f"{' '.join(shared)}：") if shared else ("", "")
    count, key = len(one.cells.labels), one.cells.between
    return Text(
        f"{one.cells.construct}, {count} cells by {key}{of}",
        f"{of_zh}{one.cells.construct}，按 {key} 的 {count} 个单元",
    )


def heading(judged: Sequence[Judged], alpha: float) -> Text:
    """What was run, and how many sets are rejected."""
    run = [one for one in judged if one.climbed is not None]
    rejected = sum(one.rejected for one in run)
    sets, cells = len(run), sum(len(one.cells.labels) for one in run)
    many = f"{sets} set{'s' * (sets != 1)} of cells"
    en = f"Comparability: {many} tested ({cells} cells in all), {rejected} rejected at {alpha:g}"
    zh = f"可比性：检验 {sets} 组单元（共 {cells} 个），在 {alpha:g} 水平拒绝 {rejected} 组"
    left = len(judged) - sets
    return Text(f"{en}; {left} not tested." if left else f"{en}.", f"{zh}；{left} 组未检验。" if left else f"{zh}。")


def set_sentence(one: Judged, alpha: float) -> Text:
    """What was found for a set.

    Parameters:
        alpha: level of the decisions.
    """
    place = place_of(one)
    if one.climbed is None:
        why = one.reason.text if one.reason is not None else Text("", "")
        return Text(f"{place.en}: not tested: {why.en}", f"{place.zh}：未检验：{why.zh}")
    tested = _tested(one, alpha)
    return Text(
        " ".join(t for t in (f"{place.en}: {tested.en}", _found(one).en, _effect(one).en) if t),
        "".join((f"{place.zh}：{tested.zh}", _found(one).zh, _effect(one).zh)),
    )


def _tested(one: Judged, alpha: float) -> Text:
    """The test of the set."""
    p = probability(one.p_holm)
    verb, verb_zh = ("are rejected", "被拒绝") if one.rejected else ("are not rejected", "未被拒绝")
    del alpha
    return Text(f"equal loadings and intercepts {verb} ({p}, Holm).", f"载荷与截距相等{verb_zh}（{p}，Holm 校正）。")


def _found(one: Judged) -> Text:
    """What follows for the pairs."""
    counts = {v: sum(x == v for x in one.verdict) for v in set(one.verdict)}
    if not one.rejected:
        return Text("", "")
    m = len(one.verdict)
    freed = ", ".join(
        f"{k[2] if k[1] == '=~' else k[0]} ({KINDS.get(k[1], Text('', '')).en})" for k in sorted(one.free)
    )
    freed_zh = "、".join(
        f"{k[2] if k[1] == '=~' else k[0]}（{KINDS.get(k[1], Text('', '')).zh}）" for k in sorted(one.free)
    )
    bad, part = counts.get("not comparable", 0), counts.get("after freeing", 0)
    if not bad:
        after, after_zh = (
            (f"With {freed} free the rest is not;", f"放开 {freed_zh}后其余未被拒绝；") if freed else ("", "")
        )
        en = f"{after} {part} of {m} differences {'is' if part == 1 else 'are'} comparable after freeing only."
        return Text(en.strip(), f"{after_zh}{m} 个差异中有 {part} 个仅在放开后可比。")
    en = f"{bad} of {m} differences {'is' if bad == 1 else 'are'} not comparable"
    zh = f"{m} 个差异中有 {bad} 个不可比"
    more, more_zh = (f", {part} after freeing only.", f"，{part} 个仅在放开后可比。") if part else (".", "。")
    return Text(en + more, zh + more_zh)


def _effect(one: Judged) -> Text:
    """The largest effect in points, and whose."""
    from_pairs = [k for k, v in enumerate(one.verdict) if not one.rejected or v in {"after freeing", "not comparable"}]
    known = [k for k in from_pairs if np.isfinite(one.bias[k])]
    if not known:
        return Text("", "")
    at = max(known, key=lambda k: abs(one.bias[k]))
    i, j = (int(x[at]) for x in one.pairs)
    first, second = one.cells.labels[i], one.cells.labels[j]
    items, items_zh = ", ".join(one.items[at]), "、".join(one.items[at])
    size, error = signed(float(one.bias[at]), 2), fixed(float(one.std_error[at]), 2)
    if one.rejected:
        en = f"The largest effect on a difference is {size} points (SE {error}; {items}, {first} against {second})."
        return Text(en, f"对差异的影响最大为 {size} 点（标准误 {error}；{items_zh}，{first} 对 {second}）。")
    en = f"The item that differs most, {items}, would move {first} against {second} by {size} points (SE {error})."
    return Text(en, f"差异最大的题项 {items_zh} 至多使 {first} 对 {second} 变动 {size} 点（标准误 {error}）。")
