"""The comparability gate in words: verdicts, the evidence beside a difference, a sentence per set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def minus(said: str) -> str:
    """A number with a true minus sign.

    Example:
        >>> minus("-1.2")
        '−1.2'
    """
    return said.replace("-", "−")


def evidence_text(verdict: Verdict, items: Sequence[str], bias: float, adjusted: float = float("nan")) -> Text:
    """A few words beside a difference; `adjusted` is it less the bias.

    Example:
        >>> evidence_text("after freeing", ["sat2"], -1.234).en
        'comparable after freeing sat2 (−1.2)'
        >>> evidence_text("after freeing", ["sat2"], -1.234, 3.2).en
        'comparable after freeing sat2 (−1.2; adjusted +3.2)'
        >>> evidence_text("not tested", [], float("nan")).zh
        '未检验'
    """
    said = VERDICTS[verdict]
    if verdict in {"comparable", "not tested"} or not items:
        return said
    moved = minus(signed(bias, 1))
    less = "" if np.isnan(adjusted) else minus(signed(adjusted, 1))
    told = Text(f"; adjusted {less}" if less else "", f"；调整后 {less}" if less else "")
    size = Text("", "") if np.isnan(bias) else Text(f" ({moved}{told.en})", f"（{moved}{told.zh}）")
    listed, listed_zh = ", ".join(items), "、".join(items)
    if verdict == "not comparable":
        return Text(f"{said.en}: {listed}{size.en}", f"{said.zh}：{listed_zh}{size.zh}")
    return Text(f"{said.en} {listed}{size.en}", f"放开 {listed_zh} 后可比{size.zh}")


KEYS: dict[str, Text] = {
    "brand": Text("brands", "品牌"),
    "wave": Text("waves", "期次"),
    "stage": Text("stages", "阶段"),
    "segment": Text("segments", "客群"),
    "language": Text("languages", "语言"),
    "mode": Text("modes", "调查方式"),
}
"""Keys of cells in the plural."""

Labels = Mapping[str, Text]
"""Names of constructs, items and cells under which they are told."""


def label(name: str, labels: Labels) -> Text:
    """What a name is called.

    Example:
        >>> label("sat1", {}).en
        'sat1'
    """
    return labels.get(name, Text(name, name))


def together(names: Sequence[str], labels: Labels) -> Text:
    """Names in a row.

    Example:
        >>> together(["a", "b"], {"a": Text("Ann", "安")})
        Text(en='Ann, b', zh='安、b')
    """
    said = [label(n, labels) for n in names]
    return Text(", ".join(t.en for t in said), "、".join(t.zh for t in said))


def kind_of(key: str, labels: Labels) -> Text:
    """What the values of a key are called together.

    Example:
        >>> kind_of("wave", {}).en, kind_of("county", {}).en
        ('waves', 'groups by county')
    """
    return labels.get(key) or KEYS.get(key) or Text(f"groups by {key}", f"{key} 各组")


def place_of(one: Judged, labels: Labels) -> Text:
    """Which cells of what: `Satisfaction, 12 waves (Zhongxun)`."""
    what, key = label(one.cells.construct, labels), one.cells.between
    shared = together([v for v in one.cells.keys.values() if v], labels)
    inside = Text(f" ({shared.en})", f"（{shared.zh}）") if shared.en else Text("", "")
    count, kind = len(one.cells.labels), kind_of(key, labels)
    return Text(f"{what.en}, {count} {kind.en}{inside.en}", f"{what.zh}，{count} 个{kind.zh}{inside.zh}")


def heading(judged: Sequence[Judged], alpha: float) -> Text:
    """What was run, and how many sets are rejected."""
    run = [one for one in judged if one.tested]
    rejected = sum(one.rejected for one in run)
    sets, cells = len(run), sum(len(one.cells.labels) for one in run)
    many = f"{sets} set{'s' * (sets != 1)} of cells"
    en = f"Comparability: {many} tested ({cells} cells in all), {rejected} rejected at {alpha:g}"
    zh = f"可比性：检验 {sets} 组单元（共 {cells} 个），在 {alpha:g} 水平拒绝 {rejected} 组"
    left = len(judged) - sets
    return Text(f"{en}; {left} not tested." if left else f"{en}.", f"{zh}；{left} 组未检验。" if left else f"{zh}。")


def set_sentence(one: Judged, labels: Labels | None = None) -> Text:
    """What was found for a set, its names by `labels`."""
    labels = labels or {}
    place = place_of(one, labels)
    if not one.tested:
        why = one.reason.text if one.reason is not None else Text("", "")
        return Text(f"{place.en}: not tested: {why.en}", f"{place.zh}：未检验：{why.zh}")
    parts = (_tested(one), _found(one, labels), _effect(one, labels))
    return Text(
        f"{place.en}: {' '.join(t.en for t in parts if t.en)}",
        f"{place.zh}：{''.join(t.zh for t in parts)}",
    )


def _tested(one: Judged) -> Text:
    """The test of the set."""
    p = probability(one.p_holm)
    if one.composed is not None:
        found = f"c = {one.composed.least:.4f}" if len(one.verdict) == 1 else f"smallest c = {one.composed.least:.4f}"
        found_zh = found.replace("smallest ", "最小 ")
        verb, verb_zh = ("is rejected", "被拒绝") if one.rejected else ("is not rejected", "未被拒绝")
        return Text(
            f"equal composition {verb} ({found}, {p}, Holm); equal intercepts are not tested.",
            f"构成相同{verb_zh}（{found_zh}，{p}，Holm 校正）；截距相等未检验。",
        )
    verb, verb_zh = ("are rejected", "被拒绝") if one.rejected else ("are not rejected", "未被拒绝")
    return Text(f"equal loadings and intercepts {verb} ({p}, Holm).", f"载荷与截距相等{verb_zh}（{p}，Holm 校正）。")


def _found(one: Judged, labels: Labels) -> Text:
    """What follows for the pairs."""
    counts = {v: sum(x == v for x in one.verdict) for v in set(one.verdict)}
    if not one.rejected:
        return Text("", "")
    m = len(one.verdict)
    names = [(label(k[2] if k[1] == "=~" else k[0], labels), KINDS.get(k[1], Text("", ""))) for k in sorted(one.free)]
    freed = ", ".join(f"{name.en} ({kind.en})" for name, kind in names)
    freed_zh = "、".join(f"{name.zh}（{kind.zh}）" for name, kind in names)
    if one.rule == "alignment":
        freed, freed_zh = "", ""
    bad, part = counts.get("not comparable", 0), counts.get("after freeing", 0)
    if not bad:
        after, after_zh = (
            (f"With {freed} free the rest is not;", f"放开 {freed_zh}后其余未被拒绝；") if freed else ("", "")
        )
        if one.rule == "alignment":
            after, after_zh = "By alignment,", "依据对齐法，"
        en = f"{after} {part} of {m} differences {'is' if part == 1 else 'are'} comparable after freeing only."
        return Text(en.strip(), f"{after_zh}{m} 个差异中有 {part} 个仅在放开后可比。")
    en = f"{bad} of {m} differences {'is' if bad == 1 else 'are'} not comparable"
    zh = f"{m} 个差异中有 {bad} 个不可比"
    more, more_zh = (f", {part} after freeing only.", f"，{part} 个仅在放开后可比。") if part else (".", "。")
    return Text(en + more, zh + more_zh)


def _effect(one: Judged, labels: Labels) -> Text:
    """The largest effect in points, and whose."""
    from_pairs = [k for k, v in enumerate(one.verdict) if not one.rejected or v in {"after freeing", "not comparable"}]
    known = [k for k in from_pairs if np.isfinite(one.bias[k])]
    if not known:
        return Text("", "")
    at = max(known, key=lambda k: abs(one.bias[k]))
    i, j = (int(x[at]) for x in one.pairs)
    first, second = (label(one.cells.labels[k], labels) for k in (i, j))
    items = together(one.items[at], labels)
    if one.composed is not None:
        return _weight_effect(one, at, labels)
    size, error = minus(signed(float(one.bias[at]), 2)), fixed(float(one.std_error[at]), 2)
    if one.rejected:
        en = f"The largest effect on a difference is {size} points (SE {error}; {items.en}, {first.en} against"
        en += f" {second.en})."
        return Text(en, f"对差异的影响最大为 {size} 分（标准误 {error}；{items.zh}，{first.zh} 对 {second.zh}）。")
    who, who_zh = f"{first.en} against {second.en}", f"{first.zh} 对 {second.zh}"
    en = f"The item that differs most, {items.en}, would move {who} by {size} points (SE {error})."
    return Text(en, f"差异最大的题项{items.zh}至多使 {who_zh} 变动 {size} 分（标准误 {error}）。")


def _weight_effect(one: Judged, at: int, labels: Labels) -> Text:
    """What pooled weights move a difference by, against each cell's own."""
    i, j = (int(x[at]) for x in one.pairs)
    first, second = (label(one.cells.labels[k], labels) for k in (i, j))
    size, items = minus(signed(float(one.bias[at]), 2)), together(one.items[at], labels)
    known = bool(np.isfinite(one.std_error[at]))
    error = f"SE {fixed(float(one.std_error[at]), 2)}; " if known else ""
    error_zh = f"标准误 {fixed(float(one.std_error[at]), 2)}；" if known else ""
    en = f"Pooled instead of own weights move {first.en} against {second.en} by {size} points ({error}the weight that "
    en += f"differs most: {items.en})."
    zh = f"以合并权重代替自身权重使 {first.zh} 对 {second.zh} 变动 {size} 分（{error_zh}差异最大的权重：{items.zh}）。"
    return Text(en, zh)
