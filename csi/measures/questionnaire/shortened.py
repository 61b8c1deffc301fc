"""Short forms that may be recommended: of sound items, and good enough on answers that the search has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.measures.item_analysis.items import Items
from csi.measures.item_analysis.short_form import ShortForm

RELIABILITY = 0.7
"""Alpha on answers held out below which a form is not recommended."""
CORRELATION = 0.95
"""Correlation with the full score, as a share of what a second full form would have, below which it is not."""


def unsound(advice: pl.DataFrame, found: Items | None, keep: Sequence[str]) -> tuple[str, ...]:
    """Items that no short form should offer: those to be dropped, and of every dependent pair the weaker.

    Parameters:
        advice: as `advice_table` makes it. found: the items, with their item-rest correlations. keep: never among them.

    Example:
        >>> from csi.measures.questionnaire.advice import Finding, advice_table
        >>> unsound(advice_table([Finding("constant", "t1")], {"trust": ["t1", "t2"]}), None, ())
        ('t1',)
    """
    out = [i for i in advice.filter(kind="item", action="drop")["name"].unique(maintain_order=True) if i not in keep]
    strength = {} if found is None else {i: r or -1.0 for i, r in found.table.select("item", "item_rest").rows()}
    pairs = advice.filter(pl.col("rule").is_in(["local", "redundant"])).sort("value", descending=True)
    for one, other in pairs.select("name", "other").rows():
        free = [i for i in (one, other) if i not in keep]
        if free and not {one, other} & set(out):
            out.append(min(free, key=lambda i: strength.get(i, -1.0)))
    return tuple(out)


def waiting(advice: pl.DataFrame) -> frozenset[str]:
    """Constructs of which an item is to be reversed first, or that too few people answered."""
    return frozenset(advice.filter(pl.col("rule").is_in(["again", "few"]))["construct"])


def recommended(found: ShortForm, labels: Mapping[str, Text] | None = None, wait: Sequence[str] = ()) -> ShortForm:
    """The short forms with those alone chosen that reach the limits on answers held out; the others are told in notes.

    Parameters:
        labels: of constructs. wait: constructs that have no form yet, told in the sentences.

    Source:
        Nunnally & Bernstein (1994) (.70); Smith, McCarthy & Anderson (2000), Psychological Assessment 12(1), 102-111.
    """
    fine = (pl.col("held_alpha") >= RELIABILITY) & (pl.col("r_share") >= CORRELATION)
    missed = found.table.filter(pl.col("chosen") & ~fine.fill_null(value=False))
    named = dict(labels or {})
    named |= {c: Text(c, c) for c in (*found.table["construct"], *wait) if c not in named}
    told = {row["construct"]: _missed(row, named[row["construct"]]) for row in missed.iter_rows(named=True)}
    out = pl.col("construct").is_in(list(told))
    said = dict(zip(found.table["construct"].unique(maintain_order=True), found.sentences, strict=True))
    said |= {c: one.text for c, one in told.items()} | {c: _waits(named[c]) for c in wait}
    return replace(
        found,
        table=found.table.with_columns(chosen=pl.col("chosen") & ~out),
        cells=found.cells.filter(~out) if found.cells.width else found.cells,
        chosen={c: items for c, items in found.chosen.items() if c not in told},
        sentences=tuple(said[c] for c in sorted(said, key=list(named).index)),
        notes=(*found.notes, *told.values()),
    )


def _waits(name: Text) -> Text:
    """A construct of which the advice comes first."""
    en = f"{name.en}: no short form yet; an item is to be reversed first, or too few people answered."
    return Text(en, f"{name.zh}：暂无简版；须先对题项反向计分，或回答过少。")


def _missed(row: Mapping[str, Any], name: Text) -> Note:
    """No form of this length keeps what it should."""
    k = row["k"]
    alpha, share = ("-" if row[c] is None else fixed(row[c]) for c in ("held_alpha", "r_share"))
    en = f"{name.en}: no form of {k} items keeps enough of the full one; the best ({row['items']}) has, on answers "
    en += f"held out, alpha {alpha} (limit {RELIABILITY:g}) and {share} of the correlation that a second full form "
    en += f"would have (limit {CORRELATION:g})."
    zh = f"{name.zh}：没有 {k} 题短版能保留足够信息；最佳者（{row['items']}）在留出回答上 α 为 {alpha}"
    zh += f"（界值 {RELIABILITY:g}），与全量得分的相关为另一份全量问卷的 {share} 倍（界值 {CORRELATION:g}）。"
    return note("N-FORM-MISSED", en, zh)
