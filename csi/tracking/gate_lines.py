"""One line of evidence beside a table of differences: what passed, what was set free, what is not comparable.

Letters: `m` pairs of a set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.errors import Text
from csi.measures.invariance_words import signed
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_applied import evidence_of, rows_of, weighed
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_verdicts import Judged
from csi.tracking.gate_words import Labels, evidence_text, kind_of, label, minus, together
from csi.tracking.index import Index

MOST = 4
"""So many sets that did not pass or were not tested are told; the rest is counted, each kind by itself."""

PASSED = {
    "ladder": Text("metric and scalar passed", "载荷与截距检验均通过"),
    "micom": Text("composition passed (intercepts are not tested)", "构成检验通过（截距未检验）"),
}
"""What it is called when a set is not rejected."""

ASK = Text("ask with csi comparable STUDY", "可运行 csi comparable STUDY")


@dataclass(frozen=True, slots=True)
class Found:
    """The evidence of some pairs of a set: whether it passed, and in words."""

    judged: Judged
    passed: bool
    said: Text


def evidence_line(
    gate: Comparable | None,
    construct: str,
    where: Mapping[str, str] | None = None,
    labels: Labels | None = None,
    *,
    changes: bool = True,
) -> Text:
    """The evidence of the differences that a table shows.

    Parameters:
        gate: what was found; None where nothing was run. construct: whose differences. where: key values of the cells
            that the table shows, such as {"wave": "2026Q3"}. labels: what names are called. changes: whether it also
            shows differences from cells outside `where` (changes from earlier waves).

    Example:
        >>> evidence_line(None, "joy").en
        'Comparability: not tested; ask with csi comparable STUDY.'
    """
    labels = labels or {}
    if gate is None:
        return Text(f"Comparability: not tested; {ASK.en}.", f"可比性：未检验；{ASK.zh}。")
    shown = [one for one in gate.judged if one.cells.construct == construct and shows(one, where or {}, changes)]
    found = [_found(one, where or {}, labels) for one in shown]
    if not found:
        return Text(f"Comparability: nothing to compare; {ASK.en}.", f"可比性：没有可比较的单元；{ASK.zh}。")
    parts = [*_passed([f for f in found if f.passed], labels), *_failed([f for f in found if not f.passed], labels)]
    return Text(f"Comparability: {'; '.join(t.en for t in parts)}.", f"可比性：{'；'.join(t.zh for t in parts)}。")


def told_changes(
    gate: Comparable | None, index: Index, construct: str, table: pl.DataFrame, labels: Labels | None = None
) -> tuple[Text, ...]:
    """A sentence for every change that is not simply comparable.

    Parameters:
        gate: what was found; nothing is told without. table: rows with the key columns of `index` and `reference`, the
            wave that each change is from.
    """
    if gate is None or not {"wave", "reference"} <= set(table.columns):
        return ()
    labels, keys = labels or {}, [k for k in index.cells.columns if k != "n"]
    places, j = rows_of(index), construct_place(index, construct)
    out = []
    for row in table.select(*keys, "reference").unique(maintain_order=True).iter_rows(named=True):
        now = places.get(tuple(row[k] for k in keys))
        then = places.get(tuple(row["reference"] if k == "wave" else row[k] for k in keys))
        if now is None or then is None:
            continue
        apart = float(index.values[now, j] - index.values[then, j])
        (found,) = weighed([evidence_of(gate, index, construct, now, then)], np.array([apart]))
        if found.verdict in {"after freeing", "not comparable"}:
            less = apart - found.bias if found.verdict == "after freeing" else float("nan")
            cell = together([str(row[k]) for k in keys if row[k]], labels)
            items = together(found.items, labels)
            said = evidence_text(found.verdict, [items.en] if items.en else [], found.bias, less)
            said_zh = evidence_text(found.verdict, [items.zh] if items.zh else [], found.bias, less)
            out.append(Text(f"{cell.en}: {said.en}.", f"{cell.zh}：{said_zh.zh}。"))
    return tuple(out)


def shows(one: Judged, where: Mapping[str, str], changes: bool) -> bool:
    """Whether a table of the cells `where` shows differences of a set."""
    alike = all(where.get(k, v) == v for k, v in one.cells.keys.items())
    inside = where.get(one.cells.between)
    return alike and (inside is None or (changes and inside in one.cells.every_label))


def _passed(found: Sequence[Found], labels: Labels) -> list[Text]:
    """Sets that passed, those of one key and rule together."""
    together_: dict[tuple[str, str], list[Judged]] = {}
    for one in found:
        rule = "micom" if one.judged.composed is not None else "ladder"
        together_.setdefault((one.judged.cells.between, rule), []).append(one.judged)
    out = []
    for (_, rule), sets in together_.items():
        place, said = _places(sets, labels), PASSED[rule]
        out.append(Text(f"{place.en} {said.en}", f"{place.zh}{said.zh}"))
    return out


def _failed(found: Sequence[Found], labels: Labels) -> list[Text]:
    """Sets that did not pass or were not tested, each by itself."""
    out = []
    for one in found[:MOST]:
        place = _places([one.judged], labels)
        out.append(Text(f"{place.en} {one.said.en}", f"{place.zh}{one.said.zh}"))
    told = [f.judged.tested for f in found[MOST:]]
    for rest, en, zh in ((sum(told), "did not pass", "未通过"), (len(told) - sum(told), "not tested", "未检验")):
        if rest:
            were = en if en != "not tested" else f"{'was' if rest == 1 else 'were'} {en}"
            sets = "set" if rest == 1 else "sets"
            out.append(Text(f"{rest} more {sets} {were} (csi comparable)", f"另有 {rest} 组{zh}（csi comparable）"))
    return out


def _places(sets: Sequence[Judged], labels: Labels) -> Text:
    """Which cells: `brands (2026Q3):`, `waves (Zhongxun, Hailian):`."""
    kind = kind_of(sets[0].cells.between, labels)
    shared = [together([v for v in one.cells.keys.values() if v], labels) for one in sets]
    named = [t for t in shared if t.en]
    if not named:
        return Text(f"{kind.en}:", f"{kind.zh}：")
    if len(named) > 2 * MOST:
        return Text(f"{kind.en} ({len(named)} sets):", f"{kind.zh}（{len(named)} 组）：")
    listed, listed_zh = ", ".join(t.en for t in named), "、".join(t.zh for t in named)
    return Text(f"{kind.en} ({listed}):", f"{kind.zh}（{listed_zh}）：")


def _found(one: Judged, where: Mapping[str, str], labels: Labels) -> Found:
    """The evidence of the pairs of a set that a table shows."""
    if not one.tested:
        why = one.reason.text if one.reason is not None else Text("", "")
        en, zh = why.en.rstrip("."), why.zh.rstrip("。")
        return Found(one, passed=False, said=Text(f"not tested ({en})", f"未检验（{zh}）"))
    i, j = one.pairs
    inside = where.get(one.cells.between)
    names = one.cells.labels
    at = [k for k in range(len(one.verdict)) if inside is None or inside in {names[i[k]], names[j[k]]}]
    barred = [k for k in at if one.verdict[k] == "not comparable"]
    freed = [k for k in at if one.verdict[k] == "after freeing"]
    if not barred and not freed:
        return Found(one, passed=True, said=Text("", ""))
    said = _pair(one, barred or freed, labels, barred=bool(barred))
    return Found(one, passed=False, said=said)


def _pair(one: Judged, at: Sequence[int], labels: Labels, *, barred: bool) -> Text:
    """The pair of the largest bias: its items and its bias in points; how many others share its verdict."""
    worst = max(at, key=lambda k: abs(one.bias[k]) if np.isfinite(one.bias[k]) else -1.0)
    i, j = (int(x[worst]) for x in one.pairs)
    first, second = (label(one.cells.labels[k], labels) for k in (i, j))
    items = together(one.items[worst], labels)
    bias = float(one.bias[worst])
    size = minus(signed(bias, 1)) if np.isfinite(bias) else ""
    points = Text(f", bias {size} points" if size else "", f"，偏差 {size} 分" if size else "")
    rest = len(at) - 1
    more = Text(f" and {rest} more" if rest else "", f"，等 {rest + 1} 对" if rest else "")
    who = Text(f" ({first.en} against {second.en}{more.en})", f"（{first.zh} 对 {second.zh}{more.zh}）")
    if not barred:
        return Text(
            f"comparable after freeing {items.en}{points.en}{who.en}", f"放开 {items.zh} 后可比{points.zh}{who.zh}"
        )
    named = Text(f": item {items.en}" if items.en else "", f"：题项{items.zh}" if items.zh else "")
    return Text(f"not comparable{named.en}{points.en}{who.en}", f"不可比{named.zh}{points.zh}{who.zh}")
