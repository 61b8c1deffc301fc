"""The notes of a tree: how missing leaves and weights were treated, what came in, which answers are in no number."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.survey.disclosure import below
from csi.tracking.contrasts import basis_note
from csi.tracking.places import brand_of
from csi.tracking.tree_leaves import ABSENT, CARRIED, IMPUTED
from csi.tracking.tree_sentences import said, there
from csi.tracking.tree_tables import APART, LIKE, Made

NAMED = 5

SHOWN = 8
"""Cells of too few answers that a note names."""


def tree_notes(
    made: Made,
    tables: tuple[pl.DataFrame, pl.DataFrame],
    outside: tuple[Sequence[str], str],
    settings: tuple[str, str],
    base: str | None,
    *,
    restate: bool,
) -> tuple[Note, ...]:
    """Weights, missing leaves, new leaves, small leaves, brands without a place, the chain, the family, the errors.

    Parameters:
        tables: of nodes, of changes.
        outside: brands without a place in the structure, and the name of the leaf that stands for them where there is
            one. settings: missing, adjust.
    """
    (table, moved), (missing, adjust) = tables, settings
    notes = [_weights(made, restate=restate), *_missing(made, table, missing), *_entered(made)]
    left, taken = outside
    notes += _renamed(made, left)
    if left and taken not in made.nodes.names:
        en = f"Not in the tree: {', '.join(left[:NAMED])}{' and more' if len(left) > NAMED else ''}."
        notes.append(
            note("W-TREE-LEFT", en, f"未列入树中：{'、'.join(left[:NAMED])}{' 等' if len(left) > NAMED else ''}。")
        )
    if left and taken in made.nodes.names:
        name, who = said(made, taken), [said(made, b) for b in left[:NAMED]]
        more = len(left) > NAMED
        en = (
            f'"{name.en}": the brands outside the structure ({", ".join(w.en for w in who)}{", ..." if more else ""}), '
        )
        en += "weighed by their answers; the audit lists them."
        zh = f"“{name.zh}”为结构之外的品牌（{'、'.join(w.zh for w in who)}{' 等' if more else ''}），"
        notes.append(note("N-TREE-OTHERS", en, f"{zh}按样本量加权，见核对表。"))
    tops = [said(made, made.nodes.names[i]) for i, p in enumerate(made.nodes.parent) if p < 0]
    if len(tops) > 1:
        en, zh = ", ".join(t.en for t in tops[:NAMED]), "、".join(t.zh for t in tops[:NAMED])
        en = f"The tree has {len(tops)} tops, which nothing joins: {en}{', ...' if len(tops) > NAMED else ''}."
        zh = f"汇总树有 {len(tops)} 个互不相连的顶层：{zh}{' 等' if len(tops) > NAMED else ''}。"
        notes.append(note("N-TREE-TOPS", en, zh))
    notes += [*_small(made), *_read(made, table)]
    if base is not None:
        en = f"Rebased: {base} = 100, chain-linked over the leaves of both waves where weights or leaves change;"
        zh = f"以 {base} 为 100；权重或成员变化处以两期共有成员链接，中断处与最近有数值的一期链接。"
        notes.append(note("N-TREE-BASE", f"{en} over a gap, with the last wave that has a value.", zh))
    if len(made.waves) < 2:
        notes.append(note("N-TREE-WAVE", "A single wave: no changes.", "仅有一期，无法给出变化。"))
    else:
        kind = Text("false discovery rate", "错误发现率") if adjust in {"bh", "by"} else Text("familywise", "族系误差")
        method = METHODS.get(adjust, adjust)
        en = f"p-values of the changes are adjusted within a wave ({method}, {kind.en})."
        notes.append(note("N-TREE-FAMILY", en, f"变化的 p 值在每期之内校正（{method}，{kind.zh}）。"))
        notes += _like(moved)
    return (*notes, basis_note(made.index))


METHODS = {
    "holm": "Holm",
    "hochberg": "Hochberg",
    "bonferroni": "Bonferroni",
    "sidak": "Šidák",
    "bh": "Benjamini-Hochberg",
    "by": "Benjamini-Yekutieli",
}


def _like(moved: pl.DataFrame) -> list[Note]:
    """What is tested, and what is withheld, where the members of a parent changed."""
    notes, apart = [], moved["reason"] == APART.en
    if (moved["tested"] == LIKE).any():
        en = (
            "Where members with a value came or went (among all others, too), the star and p are of the change like for"
        )
        en += " like: the members of both waves, with the weights of the later one."
        zh = "成员（含“其他”中的品牌）有增减时，星号与 p 值针对同口径变化：两期共有成员、按较晚一期的权重。"
        notes.append(note("N-TREE-LIKE", en, zh))
    if apart.any():
        en = "Withheld are changes of parents without a member that has a value in both waves, which would set some"
        en += " companies against others."
        notes.append(note("N-TREE-LIKE", en, "两期没有共有成员的上级不给出变化：否则是以一些企业与另一些企业相比。"))
    return notes


def _weights(made: Made, *, restate: bool) -> Note:
    """Where the weights are from."""
    if made.weights.equal:
        return note("N-TREE-WEIGHTS", "Children weigh the same in their parent.", "各成员在其上级中等权。")
    periods = sorted({p for p in made.weights.period.reshape(-1) if p})
    dates = sorted({d for d in made.weights.as_of.reshape(-1) if d})
    of = Text(f" of {', '.join(periods[:NAMED])}{', ...' if len(periods) > NAMED else ''}" if periods else "", "")
    of = Text(
        of.en, f"（时期：{'、'.join(periods[:NAMED])}{' 等' if len(periods) > NAMED else ''}）" if periods else ""
    )
    en, zh = f"Weights{of.en}, divided by their sum over the children with a value", f"权重{of.zh}按有数值的成员归一"
    if dates:
        en += f"; {'latest' if restate else 'first'} dates, up to {dates[-1]}"
        zh += f"；取{'最新' if restate else '首次'}发布日期，至 {dates[-1]}"
    if made.weights.summed.any():
        en += "; a parent without a weight weighs what is below it"
        zh += "；无权重的上级以其下成员权重之和计"
    return note("N-TREE-WEIGHTS", f"{en}.", f"{zh}。")


def _missing(made: Made, table: pl.DataFrame, missing: str) -> list[Note]:
    """What became of missing leaves."""
    how, notes = made.leaves.treatment, []
    gone = ~made.leaves.present & (how != ABSENT)
    if gone.any() and made.leaves.present.any():
        share = max((v for v in table["missing_weight"] if v is not None), default=0.0)
        en = (
            f"{int(gone.sum())} leaf values are missing; parents are means of the others (up to {100 * share:.1f}% of a"
        )
        en += " parent's weight is without a value)."
        zh = f"{int(gone.sum())} 个成员数值缺失，上级按其余成员归一（单个上级最多缺失 {100 * share:.1f}% 的权重）。"
        notes.append(note("W-TREE-MISSING", en, zh))
    carried = int((how == CARRIED).sum())
    if carried:
        oldest, drift = int(made.leaves.age.max()), fixed(made.leaves.drift)
        en = (
            f"{carried} leaf values are carried forward (up to {oldest} waves); {drift} (the mean squared change of one"
        )
        en += " wave, without sampling errors) is added to their variance per wave of age."
        zh = f"{carried} 个成员数值沿用此前一期（最久 {oldest} 期）；每沿用一期，方差增加 {drift}"
        zh += "（单期变化的均方，已扣除抽样误差）。"
        notes.append(note("W-TREE-CARRIED", en, zh))
    imputed = int((how == IMPUTED).sum())
    if imputed:
        apart, oldest = fixed(made.leaves.apart), int(made.leaves.age.max())
        en = (
            f"{imputed} leaf values are imputed: the last value (up to {oldest} waves old), moved as its siblings moved"
        )
        en += (
            f" on average; {apart} (the mean squared change apart from the siblings, without sampling errors) is added"
        )
        en += " to their variance per wave, and its share for the siblings' mean."
        zh = f"{imputed} 个成员数值为插补：最近一期数值（最久 {oldest} 期前）加上同级成员的平均变化；"
        zh += f"每期方差另加 {apart}（相对同级成员平均变化的均方，已扣除抽样误差）及同级均值的相应份额。"
        notes.append(note("W-TREE-IMPUTED", en, zh))
    if missing in {"carry", "impute"} and gone.any():
        en = "Where nothing could be carried or imputed, parents are means of the others."
        notes.append(note("N-TREE-RULE", en, "无法沿用或插补之处，上级按其余成员归一。"))
    return notes


def _renamed(made: Made, left: Sequence[str]) -> list[Note]:
    """Brands outside the tree that come in exactly where a leaf of the tree leaves: one company with two names."""
    if len(made.waves) < 2:
        return []
    at = {w: t for t, w in enumerate(made.waves)}
    seen: dict[str, set[int]] = {}
    for c, wave in enumerate(made.index.cells["wave"].to_list()):
        seen.setdefault(brand_of(made.index, c), set()).add(at[wave])
    ends = {max(seen[n]) + 1: n for n in (made.nodes.names[i] for i in made.nodes.leaves) if n in seen}
    pairs = [(new, ends.get(min(seen[new]), "")) for new in left if min(seen[new]) > 0]
    notes = []
    for new, old in pairs:
        if old:
            a, b, wave = said(made, new), said(made, old), made.waves[min(seen[new])]
            en = f"Perhaps renamed: {a.en} comes in {wave}, where {b.en} leaves."
            notes.append(note("W-TREE-RENAMED", en, f"可能更名：{a.zh}自 {wave} 起出现，而{b.zh}自该期起没有数据。"))
    return notes


def _entered(made: Made) -> list[Note]:
    """Leaves that come in after the first wave or leave before the last, by their own answers."""
    came, went = [], []
    for k, node in enumerate(made.nodes.leaves):
        at = there(made, k)
        name = said(made, made.nodes.names[node])
        if at and at[0] > 0:
            came.append((name, made.waves[at[0]]))
        if at and at[-1] < len(made.waves) - 1:
            went.append((name, made.waves[at[-1]]))
    notes = []
    for found, title in ((came, Text("New in the tree", "新进入")), (went, Text("Last in the tree", "最后出现"))):
        if found:
            few, more = found[:NAMED], len(found) > NAMED
            en = f"{title.en}: {', '.join(f'{n.en} ({w})' for n, w in few)}{', ...' if more else ''}."
            zh = f"{title.zh}：{'、'.join(f'{n.zh}（{w}）' for n, w in few)}{' 等' if more else ''}。"
            notes.append(note("N-TREE-NEW", en, zh))
    return notes


def _read(made: Made, table: pl.DataFrame) -> list[Note]:
    """How a table of nodes is read: whose changes it has, what a rebased leaf needs, which bases are few."""
    notes = []
    if len(made.waves) > 1:
        en = "Changes are those of parents; the leaves' own, with their evidence, are in csi track."
        zh = "变化仅列各上级；各成员自身的变化及其可比性见 csi track。"
        if made.chain is not None and table.filter(pl.col("rebased").is_null() & pl.col("index").is_not_null()).height:
            base = made.waves[made.chain.base]
            en += f" What has no value in {base}, or none in a wave on the way to it, has no rebased index."
            zh += f"{base} 或其间某期没有数值者没有定基指数。"
        notes.append(note("N-TREE-CHANGES", en, zh))
    if (table["flag"] == "small").any():
        en = f"Few answers: fewer than {made.flagged}, to be read with care."
        notes.append(note("W-BASE", en, f"样本偏少：不足 {made.flagged}，请谨慎解读。"))
    return notes


def _small(made: Made) -> list[Note]:
    """Which answers are in no number of the tree, cell by cell, the latest first."""
    said_ = []
    for (t, node), cells in sorted(made.few.cells.items(), key=lambda item: (-item[0][0], item[0][1])):
        k = made.nodes.leaves.index(node)
        above = said(made, made.nodes.names[node if made.leaves.n[t, k] else made.nodes.parent[node]])
        fate = {
            CARRIED: Text("its last value stands in", "以其最近数值计入"),
            IMPUTED: Text("imputed in", "以插补值计入"),
        }
        how = fate.get(str(made.leaves.treatment[t, k]), Text("not part of", "未计入"))
        for cell, n in cells:
            who, why = said(made, brand_of(made.index, cell)), below(n, made.few.small)
            at = Text(f", {made.waves[t]}", f"（{made.waves[t]}）") if made.waves[t] else Text("", "")
            en = f"{who.en}{at.en}: {why.en}; {how.en} {above.en}"
            said_.append(Text(en, f"{who.zh}{at.zh}：{why.zh}，{how.zh}{above.zh}"))
    if not said_:
        return []
    more = len(said_) - SHOWN
    en = ". ".join(s.en for s in said_[:SHOWN]) + (f". And {more} more" if more > 0 else "")
    zh = "。".join(s.zh for s in said_[:SHOWN]) + (f"。另有 {more} 处" if more > 0 else "")
    return [note("N-TREE-SMALL", f"{en}.", f"{zh}。")]
