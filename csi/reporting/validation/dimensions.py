"""How many dimensions the answers have, and whether items go where they were meant to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.factors.efa import Efa
from csi.measures.factors.n_factors import LABELS, NFactors
from csi.measures.questionnaire.validate import Validation
from csi.reporting import figures, style, words
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Section, Table
from csi.reporting.validation.held import labels_of, listed, wording

BESIDE = 6
"""Factors up to which their loadings stand beside the eigenvalues, where items have no wordings."""
KINDS = {"pearson": Text("Pearson", "Pearson"), "polychoric": Text("polychoric", "多分格")}


def dimensions_section(v: Validation) -> Section | None:
    """Scree with parallel analysis, loadings of the exploratory factors, what each rule retains."""
    if v.n_factors is None and v.efa is None:
        return None
    title = dimensions_finding(v)
    drawn = []
    bare = v.efa is not None and len(v.efa.factors) <= BESIDE and not any(wording(v, i).en for i in v.answers.names)
    if v.n_factors is not None:
        lines = v.n_factors.scree.select("number", "eigenvalue", pl.col("random_high").alias("random"))
        draw = partial(figures.scree, lines, retained=retained(v.n_factors))
        drawn.append(figure("v_scree", title, draw, half=bare))
    tables = [_rules(v.n_factors)] if v.n_factors is not None else []
    data = {} if v.n_factors is None else {"retained": v.n_factors.table, "scree": v.n_factors.scree}
    if v.efa is not None:
        frame = heat_frame(v, v.efa)
        drawn.append(figure("v_factor_loadings", title, partial(_heat, v, frame), half=bare))
        data |= {"factor_loadings": v.efa.loadings, "factors": v.efa.variance, "placed": v.efa.table}
    adequate = [_adequacy(v)] if v.adequacy is not None else []
    if v.adequacy is not None:
        data["adequacy"] = v.adequacy.table
    matrix = v.correlations
    notes = () if matrix is None else matrix.notes
    return Section(
        key="v_dimensions",
        title=title,
        subtitle=_subtitle(v),
        figures=tuple(drawn),
        tables=tuple(tables),
        paragraphs=tuple(adequate),
        notes=tuple(dict.fromkeys((*notes, *(v.efa.notes if v.efa is not None else ())))),
        data=data,
    )


def retained(found: NFactors) -> int:
    """What parallel analysis of components keeps."""
    kept = found.table.filter(pl.col("method") == "parallel_components")["factors"].to_list()
    return int(kept[0]) if kept and kept[0] is not None else 0


def dimensions_finding(v: Validation) -> Text:
    """How many factors most rules name beside how many constructs were meant; items that go elsewhere."""
    parts = []
    if v.n_factors is not None:
        parts.append(kept_said(v.n_factors))
    if v.efa is not None:
        astray, weak = strays(v.efa), v.efa.table.filter(verdict="weak")["item"].to_list()
        many, drawn = v.efa.table.height, len(v.efa.factors)
        other = v.n_factors is not None and v.n_factors.suggested != drawn
        en, zh = (f"of {drawn} drawn factors ", f"提取 {drawn} 个因子时 ") if other else ("", "")
        if astray:
            parts.append(Text(f"{en}{len(astray)} of {many} items load elsewhere: {', '.join(astray)}",
                              f"{zh}{many} 题中 {len(astray)} 题落在其他因子：{'、'.join(astray)}"))  # fmt: skip
        elif weak:
            parts.append(Text(f"{en}{many - len(weak)} of {many} items load where they were meant to",
                              f"{zh}{many} 题中 {many - len(weak)} 题落在预期因子"))  # fmt: skip
        else:
            parts.append(Text(f"{en}every item loads where it was meant to", f"{zh}各题均落在预期因子"))
        if weak:
            said = listed(v, weak)
            parts.append(Text(f"{said.en} on none to speak of", f"{said.zh}在各因子上载荷均低"))
        parts.append(heywood_said(v.efa.heywood))
    return words.sentence(*parts) if parts else Text("Not told", "未给出")


def kept_said(found: NFactors) -> Text:
    """What most rules keep beside the constructs meant; of rules that are split, every number that as many name."""
    meant, counts = found.intended, Counter(found.votes)
    many, most = counts.total(), max(counts.values(), default=0)
    first = [k for k in sorted(counts, key=lambda k: (k != meant, k)) if counts[k] == most]
    said = [_kept(k, most, named=k == first[0], meant=k == meant) for k in first]
    others = Text(
        f"{meant} {'constructs were' if meant != 1 else 'construct was'} meant",
        f"预期构念 {meant} 个",
    )
    if len(first) > 1:
        en, zh = ", ".join(t.en for t in said), "，".join(t.zh for t in said)
        told = Text(f"the {many} rules are split: {en}", f"{many} 条规则意见不一：{zh}")
        return told if meant in first else Text(f"{told.en}; {others.en}", f"{told.zh}；{others.zh}")
    top = found.suggested
    en = f"{most} of {many} rules keep{'s' if most == 1 else ''} {top} factor{'s' if top != 1 else ''}"
    zh = f"{many} 条规则中有 {most} 条保留 {top} 个因子"
    if top == meant:
        return Text(f"{en}, as many as constructs", f"{zh}，与构念数一致")
    return Text(f"{en}, {others.en}", f"{zh}，{others.zh}")


def _kept(number: int, rules: int, *, named: bool, meant: bool) -> Text:
    """One number beside the rules that keep it; `named` says what is counted."""
    en = f"{rules} keep{'s' if rules == 1 else ''} {number}"
    zh = f"{rules} 条保留 {number} 个"
    if named:
        en, zh = f"{en} factor{'s' if number != 1 else ''}", f"{zh}因子"
    return Text(f"{en} (as many as constructs)", f"{zh}（与构念数一致）") if meant else Text(en, zh)


def heywood_said(items: Sequence[str]) -> Text:
    """Items whose uniqueness the extraction used up; empty without any.

    Example:
        >>> heywood_said(["loy1"]).en, heywood_said([]).en
        ('but no variance of its own is left of loy1 (a Heywood case)', '')
    """
    if not items:
        return Text("", "")
    own = "its own is left of" if len(items) == 1 else "their own is left of"
    en = f"but no variance of {own} {', '.join(items)} (a Heywood case)"
    return Text(en, f"但 {'、'.join(items)} 已无独特方差（Heywood 情形）")


def strays(found: Efa) -> list[str]:
    """Items whose highest loading is on another factor than their construct's."""
    return found.table.filter(verdict="elsewhere")["item"].to_list()


def _subtitle(v: Validation) -> Text:
    matrix = v.correlations
    if matrix is None:
        return Text("", "")
    kind = KINDS[matrix.kind]
    how = "" if v.efa is None else f"; {v.efa.method}, {v.efa.rotation}"
    how_zh = "" if v.efa is None else f"；{v.efa.method}、{v.efa.rotation}"
    gap = " " if kind.zh.isascii() else ""
    return Text(
        f"{kind.en[0].upper()}{kind.en[1:]} correlations ({matrix.why.en.rstrip('.')}){how}; outlined: where an item "
        "was meant to load",
        f"{kind.zh}{gap}相关（{matrix.why.zh.rstrip('。')}）{how_zh}；外框为题项的预期位置",
    )


def _adequacy(v: Validation) -> Text:
    """KMO and Bartlett's test in a sentence."""
    found = v.adequacy
    if found is None or found.kmo is None or found.chi2 is None:
        return Text("KMO and Bartlett's test cannot be computed.", "无法计算 KMO 与 Bartlett 检验。")
    p = words.p_said(found.p_value)
    en, zh = style.coefficient(found.kmo, "en"), style.coefficient(found.kmo, "zh")
    return Text(
        f"KMO {en} ({found.grade}); Bartlett's test χ²({found.df}) = {found.chi2:,.1f}, {p.en}.",
        f"KMO {zh}；Bartlett 检验 χ²({found.df}) = {found.chi2:,.1f}，{p.zh}。",
    )


def _rules(found: NFactors) -> Table:
    """How many factors each rule keeps."""
    shown = found.table.filter(pl.col("factors").is_not_null())
    columns = (
        Column("method", Text("Rule", "规则")),
        Column("factors", Text("Factors", "因子数"), "count"),
        Column("source", Text("Source", "出处")),
    )
    texts = {k: Text(t.en, t.zh) for k, t in LABELS.items()}
    silent = shown.filter(~pl.col("counted"))["method"].to_list()
    en, zh = ("; ".join(texts[m].en for m in silent), "、".join(texts[m].zh for m in silent))
    title = Text(
        f"How many factors each rule keeps{f' (shown, not counted: {en})' if silent else ''}",
        f"各规则保留的因子数{f'（列出但不计入：{zh}）' if silent else ''}",
    )
    return Table("v_retained", title, shown, columns, texts=texts)


def heat_frame(v: Validation, found: Efa) -> pl.DataFrame:
    """construct, item, wording, factor, loading, intended: items by construct, factors in the constructs' order."""
    home = {i: c for c, items in v.answers.scales.items() for i in items}
    order = {i: k for k, i in enumerate(i for items in v.answers.scales.values() for i in items)}
    meant = {c: f for f, c in found.stands_for.items()}
    names = list(dict.fromkeys([*(meant[c] for c in v.answers.scales if c in meant), *found.factors]))
    frame = found.loadings.with_columns(
        pl.col("item").replace_strict(home, default="").alias("construct"),
        pl.col("item").replace_strict(order, default=len(order)).alias("place"),
        pl.col("factor").replace_strict({n: k for k, n in enumerate(names)}).alias("rank"),
    ).sort("place", "rank")
    own = [meant.get(c) == f for c, f in frame.select("construct", "factor").iter_rows()]
    return frame.select("construct", "item", pl.lit("").alias("wording"), "factor", "loading").with_columns(
        pl.Series("intended", own, dtype=pl.Boolean)
    )


def _heat(v: Validation, frame: pl.DataFrame, *, lang: str, finding: str, width: int) -> str:
    worded = frame.with_columns(wording=pl.Series([wording(v, i).say(lang) for i in frame["item"].to_list()]))
    stands = {} if v.efa is None else {f: v.answers.label(c) for f, c in v.efa.stands_for.items()}
    return figures.factor_heat(worded, labels=labels_of(v) | stands, lang=lang, finding=finding, width=width)
