"""What a tree says of a wave: where the top stands and how it moved, what came in or left, what is highest below it.

Letters: `l` leaves, `t` waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from csi.display import fixed
from csi.errors import Text
from csi.inference.linearised import critical
from csi.tracking.gate_words import minus
from csi.tracking.tree_leaves import SEEN
from csi.tracking.tree_pairs import BARRED
from csi.tracking.tree_tables import APART, LIKE, Made

NAMED = 4
"""More names are counted."""

Rows = list[dict[str, Any]]


def sentences(made: Made, table: pl.DataFrame, moved: pl.DataFrame, pairs: pl.DataFrame) -> dict[str, tuple[Text, ...]]:
    """Wave -> its sentences, top by top.

    Parameters:
        table, moved, pairs: of nodes, of changes, and of the tops' children beside each other.
    """
    out = {}
    for t, wave in enumerate(made.waves):
        now = table if wave == "" else table.filter(pl.col("wave") == wave)
        beside = pairs.filter(pl.col("wave") == wave)
        told: list[Text] = []
        for name in tops(made):
            rows = now.filter((pl.col("node") == name) & pl.col("index").is_not_null()).to_dicts()
            if not rows:
                told += _silent(made, t, name)
                continue
            told.append(_stands(made, name, rows[0], wave, moved))
            children = now.filter((pl.col("parent") == name) & pl.col("index").is_not_null())
            children = children.sort("index", descending=True, maintain_order=True)
            if children.height > 1:
                told += _ends(made, children.to_dicts(), beside.filter(pl.col("parent") == name).to_dicts())
        out[wave] = (*told, *entries(made, t, moved))
    return out


def tops(made: Made) -> list[str]:
    """The names of the nodes that nothing stands above."""
    return [made.nodes.names[i] for i, p in enumerate(made.nodes.parent) if p < 0]


def _silent(made: Made, t: int, name: str) -> list[Text]:
    """That a top node has no value for want of answers."""
    if not made.few.cells or made.shares[t].coverage[made.nodes.names.index(name)] > 0:
        return []
    who, small, wave = said(made, name), made.few.small, made.waves[t]
    en = f"{who.en} has no value{f' in {wave}' if wave else ''}: no leaf below it has {small} answers."
    return [Text(en, f"{who.zh}{f'（{wave}）' if wave else ''}没有数值：其下没有样本量达到 {small} 的成员。")]


def said(made: Made, name: str) -> Text:
    """A node's name in both languages."""
    return made.nodes.labels.get(name, Text(name, name))


def there(made: Made, leaf: int) -> list[int]:
    """The waves in which a leaf has answers of its own, of however few."""
    node = made.nodes.leaves[leaf]
    every = range(len(made.waves))
    return [t for t in every if made.leaves.treatment[t, leaf] == SEEN or made.few.of(t, node)]


def entries(made: Made, t: int, moved: pl.DataFrame) -> tuple[Text, ...]:
    """Which leaves are new in a wave and which are no more, and what parents did with them and like for like."""
    if t == 0:
        return ()
    seen = [there(made, k) for k in range(len(made.nodes.leaves))]
    came = [made.nodes.leaves[k] for k, at in enumerate(seen) if at and at[0] == t]
    went = [made.nodes.leaves[k] for k, at in enumerate(seen) if at and at[-1] == t - 1]
    if not came and not went:
        return ()
    wave, before = made.waves[t], made.waves[t - 1]
    new, gone = (_listed([said(made, made.nodes.names[i]) for i in nodes]) for nodes in (came, went))
    parts = []
    if came:
        parts.append(Text(f"new in {wave}: {new.en}", f"{wave} 新进入：{new.zh}"))
    if went:
        parts.append(Text(f"last there in {before}: {gone.en}", f"{before} 后不再出现：{gone.zh}"))
    who, who_zh = "; ".join(p.en for p in parts), "；".join(p.zh for p in parts)
    above = dict.fromkeys([*tops(made), *(made.nodes.names[made.nodes.parent[i]] for i in (*came, *went))])
    rows = moved.filter((pl.col("wave") == wave) & (pl.col("reference") == before) & pl.col("node").is_in(list(above)))
    rows = rows.filter(pl.col("change").is_not_null() & pl.col("like_for_like").is_not_null())
    steps = {r["node"]: (_signed(r["change"]), _signed(r["like_for_like"])) for r in rows.to_dicts()}
    who = who[0].upper() + who[1:]
    if not steps:
        return (Text(f"{who}.", f"{who_zh}。"),)
    named = [(said(made, n), *steps[n]) for n in above if n in steps][:NAMED]
    en = ", ".join(f"{n.en} {whole} ({alike})" for n, whole, alike in named)
    zh = "、".join(f"{n.zh} {whole}（{alike}）" for n, whole, alike in named)
    head = f"{who}. Change on {before}, in brackets like for like (the leaves of both waves, weights of {wave})"
    return (
        Text(f"{head}: {en}.", f"{who_zh}。较 {before} 的变化（括号内为同口径：两期共有成员、{wave} 权重）：{zh}。"),
    )


def _listed(names: Sequence[Text]) -> Text:
    """A few names, the rest counted."""
    rest = len(names) - NAMED
    en, zh = ", ".join(n.en for n in names[:NAMED]), "、".join(n.zh for n in names[:NAMED])
    return Text(f"{en} and {rest} more", f"{zh} 等 {len(names)} 个") if rest > 0 else Text(en, zh)


def _signed(value: float) -> str:
    """A change with its sign, one decimal; what rounds to zero bears none."""
    shown = f"{value:+.1f}"
    return minus(shown) if float(shown) else "0.0"


def _stands(made: Made, name: str, row: dict[str, Any], wave: str, moved: pl.DataFrame) -> Text:
    """One node: value, interval, change on the wave before."""
    who = said(made, name)
    value, low, high = (fixed(row[c], 1) for c in ("index", "conf_low", "conf_high"))
    at = Text(f" in {wave}" if wave else "", f"（{wave}）" if wave else "")
    level = f"{100 * made.index.level:g}%"
    spread = Text("", "")
    if row["conf_low"] is not None:
        spread = Text(f" ({level} interval {low} to {high})", f"（{level} 区间 {low} 至 {high}）")
    mine = moved.filter((pl.col("node") == name) & (pl.col("wave") == wave) & (pl.col("against") == "previous"))
    change = _moved(mine.row(0, named=True)) if mine.height else Text("", "")
    en = f"{who.en} stands at {value}{at.en}{spread.en}{change.en}."
    return Text(en, f"{who.zh}{at.zh}为 {value}{spread.zh}{change.zh}。")


def _moved(step: dict[str, Any]) -> Text:
    """The change on the wave before, and what of it is tested: where members changed, the change like for like."""
    then = step["reference"]
    if step["change"] is None:
        en = f", not compared with {then}: no member with a value in both waves"
        return Text(en, f"，不与 {then} 比较：两期没有共有成员") if step["reason"] == APART.en else Text("", "")
    up, sure, same = _signed(step["change"]), _sure(step), _signed(step["like_for_like"])
    if step["tested"] == LIKE:
        sure = Text(f"its members changed; like for like {same}, {sure.en}", f"成员有变；同口径 {same}，{sure.zh}")
    elif same != up:
        sure = Text(f"{sure.en}; like for like {same}", f"{sure.zh}；同口径 {same}")
    return Text(f", {up} on {then} ({sure.en})", f"，较 {then} {up}（{sure.zh}）")


def _sure(step: dict[str, Any]) -> Text:
    """Whether a change passes its test, and where it has no meaning."""
    if step["evidence"] in BARRED:
        return Text("not comparable throughout", "部分成员不可比")
    if step["p_adjusted"] is None:
        return Text("not tested", "未检验")
    return Text("significant", "显著") if step["significant"] else Text("not significant", "不显著")


def _ends(made: Made, rows: Rows, pairs: Rows) -> list[Text]:
    """What is highest and what is lowest of a node's children, as far as tests and evidence separate them.

    Parameters:
        rows: the children, best first. pairs: every two of them; none where nothing was tested.
    """
    known = {frozenset((p["above"], p["below"])): p for p in pairs}
    names = [str(r["node"]) for r in rows]
    told = {str(r["node"]): f" ({fixed(r['index'], 1)})" for r in rows}
    shown = {n: Text(said(made, n).en + told[n], f"{said(made, n).zh}{_full(told[n])}") for n in names}
    if len(names) == 2:
        return [_two(made, shown, names, known.get(frozenset(names)))]
    return [
        _end(made, shown, end, rest, known, top=top)
        for end, rest, top in ((names[0], names[1:], True), (names[-1], names[-2::-1], False))
    ]


def _full(told: str) -> str:
    """A value in full-width brackets."""
    return told.strip().replace("(", "（").replace(")", "）")


def _two(made: Made, shown: dict[str, Text], names: Sequence[str], pair: dict[str, Any] | None) -> Text:
    """Two children."""
    a, b = (shown[n] for n in names)
    if pair is not None and pair["evidence"] in BARRED:
        items = _items(made, pair)
        en = f"Below it, {a.en} and {b.en} are not comparable throughout{items.en}, so neither is called higher."
        return Text(en, f"其下{a.zh}与{b.zh}部分不可比{items.zh}，不判定高低。")
    if pair is None or pair["p_adjusted"] is None:
        return Text(f"Below it: {a.en}, {b.en}; not tested.", f"其下为{a.zh}、{b.zh}，差异未检验。")
    by = _by(made, pair)
    if pair["significant"]:
        en = f"Below it, {a.en} is significantly above {b.en}{by.en}."
        return Text(en, f"其下{a.zh}显著高于{b.zh}{by.zh}。")
    en = f"Below it, {a.en} and {b.en} do not differ significantly{by.en}."
    return Text(en, f"其下{a.zh}与{b.zh}差异不显著{by.zh}。")


def _by(made: Made, pair: dict[str, Any]) -> Text:
    """A difference, its interval and its p-value."""
    level = f"{100 * made.index.level:g}%"
    reach = float(critical(made.index.level, np.array([pair["df"]]))[0]) * pair["std_error"]
    low, high = (_signed(pair["difference"] + side * reach) for side in (-1, 1))
    middle, p = _signed(pair["difference"]), max(pair["p_adjusted"], 0.001)
    told = f"p {'<' if p > pair['p_adjusted'] else '='} {p:.3f}"
    en = f": {middle} points, {level} interval {low} to {high}, {told.replace('0.', '.')}"
    return Text(en, f"：相差 {middle} 分，{level} 区间 {low} 至 {high}，{told}")


def _end(
    made: Made,
    shown: dict[str, Text],
    end: str,
    rest: Sequence[str],
    known: dict[frozenset[str], dict[str, Any]],
    *,
    top: bool,
) -> Text:
    """The highest, or the lowest, of three children or more."""
    pairs = [known.get(frozenset((end, other))) for other in rest]
    word, word_zh = ("highest", "最高") if top else ("lowest", "最低")
    one = shown[end]
    if any(p is None or (p["p_adjusted"] is None and p["evidence"] not in BARRED) for p in pairs):
        return Text(f"{word.capitalize()} found below it: {one.en}; not tested.", f"其下{word_zh}为{one.zh}，未检验。")
    apart = [other for other, p in zip(rest, pairs, strict=True) if p is not None and p["evidence"] in BARRED]
    if apart:
        pair = known[frozenset((end, apart[0]))]
        en = f"Which is {word} below it is not told: {one.en} and {shown[apart[0]].en} are not comparable throughout"
        zh = f"其下何者{word_zh}不作判定：{one.zh}与{shown[apart[0]].zh}部分不可比"
        return Text(f"{en}{_items(made, pair).en}.", f"{zh}{_items(made, pair).zh}。")
    alike = [shown[other] for other, p in zip(rest, pairs, strict=True) if p is not None and not p["significant"]]
    if not alike:
        return Text(f"{word.capitalize()} below it: {one.en}.", f"其下{word_zh}为{one.zh}。")
    others = _listed(alike)
    en = f"No single {word} below it: {one.en} does not differ significantly from {others.en}."
    return Text(en, f"其下没有单独的{word_zh}者：{one.zh}与{others.zh}差异不显著。")


def _items(made: Made, pair: dict[str, Any]) -> Text:
    """The items behind it."""
    names = [said(made, item) for item in str(pair["items"] or "").split(", ") if item]
    en, zh = ", ".join(n.en for n in names), "、".join(n.zh for n in names)
    return Text(f" ({en})", f"（{zh}）") if names else Text("", "")
