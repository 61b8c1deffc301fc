"""One sentence on why an index changed: which part leads, and whether that is more than sampling error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from csi.display import fixed
from csi.errors import Reason, Text
from csi.moments.stack import Array
from csi.tracking.cell_pairs import Pair
from csi.tracking.contrasts import Contrast, holm, t_test
from csi.tracking.decompose_numbers import Numbers, Setting
from csi.tracking.gate_shown import Evidence
from csi.tracking.gate_words import together
from csi.tracking.shapley import PARTS

NAMES: Final[Mapping[str, Text]] = {
    "total": Text("total change", "总变化"),
    "means": Text("item means", "题项均值"),
    "weights": Text("outer weights", "外部权重"),
    "composition": Text("composition", "受访者构成"),
}
"""What the parts are called."""

POINTS = 1
"""Decimals of index points in a sentence."""

MINUS = "\N{MINUS SIGN}"


def sentence(
    setting: Setting,
    pair: Pair,
    found: Numbers | Reason,
    change: Contrast,
    labels: Mapping[str, Text],
    known: Evidence | None = None,
) -> Text:
    """The sentence of one change.

    Parameters:
        change: the total, which stands alone through a link. labels: of brands and constructs, where they have any.
            known: of the change; one that is comparable after freeing only is told without a test.
    """
    who = _who(setting, pair, labels)
    if isinstance(found, Reason) and pair.link is not None and np.isfinite(change.estimate):
        moved = _told(setting, change)
        en = f"{who.en}, {pair.wave} against {pair.reference}: {moved.en} through the link; not split, {found.text.en}"
        zh = f"{who.zh}，{pair.wave} 期较 {pair.reference} 期：经衔接{moved.zh}；未作分解，{found.text.zh}"
        return Text(en, zh)
    if isinstance(found, Reason):
        en = f"{who.en}, {pair.wave} against {pair.reference}: not decomposed, {found.text.en}"
        return Text(en, f"{who.zh}，{pair.wave} 期较 {pair.reference} 期：未作分解，{found.text.zh}")
    moved, lead, rest = _moved(setting, found), _lead(setting, found), _rest(setting, found)
    if known is not None and known.verdict == "after freeing":
        moved, lead = _told(setting, _total(found), together(known.items, labels)), _largest(found)
    en = f"{who.en}, {pair.wave} against {pair.reference}: {moved.en}; {lead.en}{rest.en}."
    return Text(en, f"{who.zh}，{pair.wave} 期较 {pair.reference} 期：{moved.zh}；{lead.zh}{rest.zh}。")


def _who(setting: Setting, pair: Pair, labels: Mapping[str, Text]) -> Text:
    """The brand and the construct."""
    keys = [k for k in setting.index.cells.columns if k not in {"wave", "n"}]
    names = [str(setting.index.cells[k][pair.cell]) for k in keys]
    said = [labels.get(n, Text(n, n)) for n in (*names, setting.name) if n]
    return Text(", ".join(t.en for t in said), "，".join(t.zh or t.en for t in said))


def _moved(setting: Setting, found: Numbers) -> Text:
    """The change, with its interval or with that it may be nothing."""
    return _told(setting, _total(found))


def _total(found: Numbers) -> Contrast:
    """The whole change."""
    return Contrast(found.total, found.total_error, found.df)


def _largest(found: Numbers) -> Text:
    """The largest part, of which nothing was tested."""
    first = _order(found)[0]
    name, size = NAMES[PARTS[first]], signed(float(found.value[first]))
    return Text(f"largest part: {name.en} ({size})", f"最大部分：{name.zh}（{size}）")


def _told(setting: Setting, change: Contrast, freed: Text | None = None) -> Text:
    """A change, with its interval or with that it may be nothing; untested where items had to be set free."""
    level = setting.index.level
    test = t_test(change.estimate, change.std_error, change.df, level)
    size = signed(change.estimate)
    if not np.isfinite(test.p_value):
        return Text(f"{size} points", f"{size} 分")
    low, high = (fixed(v, POINTS).replace("-", MINUS) for v in (test.conf_low, test.conf_high))
    span, span_zh = f"{low} to {high}", f"{low} 至 {high}"
    en, zh = f"{size} points ({level:.0%} interval {span}", f"{size} 分（{level:.0%} 区间 {span_zh}"
    if freed is not None:
        en, zh = f"{en}), comparable after freeing {freed.en} only", f"{zh}），放开 {freed.zh} 后才可比"
        return Text(f"{en} and not tested", f"{zh}，不作检验")
    if test.p_value < 1.0 - level:
        return Text(f"{en})", f"{zh}）")
    return Text(f"{en}, within sampling error)", f"{zh}，未超出抽样误差）")


def _lead(setting: Setting, found: Numbers) -> Text:
    """The largest part, whether it is more than sampling error, and whether it is surely larger than the next."""
    order = _order(found)
    name, size = NAMES[PARTS[order[0]]], signed(float(found.value[order[0]]))
    sure = beyond(found, setting.index.level)
    if PARTS[order[0]] in found.held or not sure[order[0]]:
        some = [i for i in order if sure[i]]
        if some:
            other = NAMES[PARTS[some[0]]]
            en = f"{name.en} are largest ({size}) but only {other.en} ({signed(float(found.value[some[0]]))}) go beyond"
            zh = f"{name.zh}的作用最大（{size}），但只有{other.zh}（{signed(float(found.value[some[0]]))}）"
            return Text(f"{en} sampling error", f"{zh}超出抽样误差")
        en = f"{name.en} lead ({size}), but no part goes beyond sampling error"
        return Text(_one(en, name), f"{name.zh}居首（{size}），但各部分均未超出抽样误差")
    en, zh = f"{name.en} lead ({size}), beyond sampling error", f"{name.zh}居首（{size}），超出抽样误差"
    if not _ahead(found, order, setting.index.level):
        second = NAMES[PARTS[order[1]]]
        en += f", though not surely more than {second.en}"
        zh += f"，但未必大于{second.zh}"
    return Text(_one(en, name), zh)


def _one(en: str, name: Text) -> str:
    """Composition is one, the others are many."""
    return en.replace(" lead (", " leads (") if name is NAMES["composition"] else en


def _rest(setting: Setting, found: Numbers) -> Text:
    """The other parts."""
    said, said_zh = [], []
    for i in _order(found)[1:]:
        part, size = PARTS[i], signed(float(found.value[i]))
        if part == "composition" and not setting.classes.name:
            continue
        if part in found.held and abs(found.value[i]) < 10.0**-POINTS / 2:
            said.append(f"{NAMES[part].en} 0 by construction")
            said_zh.append(f"{NAMES[part].zh}按构造为 0")
        else:
            said.append(f"{NAMES[part].en} {size}")
            said_zh.append(f"{NAMES[part].zh} {size}")
    return Text("".join(f"; {s}" for s in said), "".join(f"；{s}" for s in said_zh))


def _order(found: Numbers) -> list[int]:
    """The parts, the largest first."""
    return [int(i) for i in np.argsort(-np.abs(found.value[: len(PARTS)]), kind="stable")]


def beyond(found: Numbers, level: float) -> list[bool]:
    """Which parts differ from zero, by Holm over the parts that may."""
    p_values = [
        np.nan if part in found.held else t_test(float(found.value[i]), found.error(i), found.df, level).p_value
        for i, part in enumerate(PARTS)
    ]
    return [bool(p < 1.0 - level) for p in holm(p_values)]


def _ahead(found: Numbers, order: list[int], level: float) -> bool:
    """Whether the largest part is surely larger in size than the next."""
    two = np.array(order[:2])
    ways: Array = np.sign(found.value[two]) * [1.0, -1.0]
    error = float(max(float(ways @ found.covariance[np.ix_(two, two)] @ ways), 0.0) ** 0.5)
    test = t_test(float(ways @ found.value[two]), error, found.df, level)
    return bool(test.p_value < 1.0 - level)


def signed(value: float) -> str:
    """Points with their sign.

    Example:
        >>> signed(1.26), signed(-0.04)
        ('+1.3', '0.0')
    """
    said = fixed(value, POINTS)
    return f"+{said}" if value > 0 and float(said) != 0 else said.replace("-", MINUS)
