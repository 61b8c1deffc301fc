"""The brands of the wave against each other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Note, Text, note
from csi.measures.invariance_words import signed
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.comparability import evidence_notes
from csi.reporting.sections.drawn import few, formula_id, here, percent, reasons, sector_now, why_absent
from csi.tracking.gate_words import minus


def league(a: Analysis) -> Section:
    """Dots with intervals, the sector mean, brackets round brands that do not differ; ranks and changes as a table."""
    shown = here(a, a.target)
    result = a.leagues[a.wave]
    ranked = result.table["brand"].to_list()
    behind = _behind(a, ranked)
    labels = a.brand_labels
    absent = shown.filter(pl.col("index").is_null())["brand"].to_list()
    barred = [*_barred(a, ranked, "not comparable"), *_barred(a, ranked, "after freeing")]
    title = words.league(
        [labels[b] for b in ranked if b not in behind and b not in barred],
        [labels[b] for b in behind],
        [labels[b] for b in absent if not a.enough(b)],
    )
    for verdict in ("not comparable", "after freeing"):
        if some := _barred(a, ranked, verdict):
            title = words.sentence(title, _not_comparable([labels[b] for b in some], labels[ranked[0]], verdict))
    draw = partial(
        figures.league,
        shown.select("brand", "index", "conf_low", "conf_high", "n", _short(a)),
        labels={NONE.en: NONE, **labels},
        focal=a.focal,
        mean=sector_now(a, a.target),
        same=[g for g in result.groups if len(g) > 1],
    )
    level, formula = percent(a.index.level), formula_id(a)
    joined = JOINED if any(len(g) > 1 for g in result.groups) else Text("", "")
    return Section(
        key="league",
        title=title,
        subtitle=Text(
            f"{a.label(a.target).en} index (0–100{formula.en}) with {level} intervals; the "
            f"line is the sector mean{joined.en}",
            f"{a.label(a.target).zh}指数（0–100{formula.zh}）与 {level} 置信区间；竖线为行业均值{joined.zh}",
        ),
        figures=(figure("league", title, draw),) if ranked else (),
        tables=(_table(a, shown),),
        notes=(
            *evidence_notes(a, {"wave": a.wave}),
            *result.notes,
            *_suppressed(a, absent),
            *(n for n in a.stack.notes if n.code == "W-CELL-EMPTY"),
            *why_absent(a),
        ),
        data={"league": shown.drop("reason", "reason_zh"), "pairs": result.pairs, "ranks": result.table},
    )


JOINED = Text(
    "; brackets join brands whose pairwise differences are not significant (Holm)",
    "；括线内的品牌两两差异不显著（Holm 校正）",
)
"""The legend of the brackets, where there are any."""


def _barred(a: Analysis, ranked: list[str], verdict: str) -> list[str]:
    """Brands that are not comparable with the highest, or after freeing only, highest first."""
    pairs = a.leagues[a.wave].pairs.filter(pl.col("evidence") == verdict)
    lower = set(pairs.filter(pl.col("above") == ranked[0])["below"]) if ranked else set()
    return [b for b in ranked if b in lower]


def _not_comparable(names: list[Text], first: Text, verdict: str) -> Text:
    """Who is not comparable with the highest, or after freeing only."""
    listed = words.listed(names)
    be = "is" if len(names) == 1 else "are"
    if verdict == "after freeing":
        en = f"{listed.en} {be} comparable with {first.en} only after freeing an item"
        return Text(en, f"{listed.zh}仅在放开题项后与{first.zh}可比")
    return Text(f"{listed.en} {be} not comparable with {first.en}", f"{listed.zh}与{first.zh}不可比")


def _behind(a: Analysis, ranked: list[str]) -> list[str]:
    """Brands significantly below the highest, highest first."""
    pairs = a.leagues[a.wave].pairs.filter(pl.col("significant"))
    lower = {row["below"] for row in pairs.iter_rows(named=True) if row["above"] == ranked[0]} if ranked else set()
    return [b for b in ranked if b in lower]


BARRED = Text("not comparable", "不可比")
"""What stands in the place of a change that is withheld."""


def in_part(row: Mapping[str, float]) -> Text:
    """A change that is comparable after freeing only: less the effect of what was freed, and as it stands.

    Example:
        >>> in_part({"change": -6.2, "adjusted": -4.1}).en
        'adjusted −4.1 (raw −6.2)'
    """
    less, raw = (minus(signed(row[c], 1)) for c in ("adjusted", "change"))
    return Text(f"adjusted {less} (raw {raw})", f"调整后 {less}（原值 {raw}）")


def _in_part(row: Mapping[str, float | None]) -> str | None:
    """`in_part` of rows that have both."""
    known = {k: v for k, v in row.items() if v is not None}
    return in_part(known).en if len(known) == len(row) else None


NONE = Text("no index", "无指数")
"""What stands in the figure for an index that is absent for another reason than a small base."""


def _short(a: Analysis) -> pl.Expr:
    """`index_reason` in two words."""
    why = pl.col("index_reason")
    return pl.when(why == few(a)).then(why).when(why.is_not_null()).then(pl.lit(NONE.en)).alias("index_reason")


def _table(a: Analysis, shown: pl.DataFrame) -> Table:
    """Brand, index, interval, changes, rank interval, n."""
    moved = a.changes.table.filter((pl.col("construct") == a.target) & (pl.col("wave") == a.wave))
    freed = (pl.col("evidence") == "after freeing") & pl.col("p_value").is_null() & pl.col("adjusted").is_not_null()
    parts = [in_part(r) for r in moved.filter(freed).iter_rows(named=True)]
    frame = shown.select("brand", "index", "index_reason", "conf_low", "conf_high", "n")
    for against in ("previous", "year"):
        part = moved.filter(pl.col("against") == against).select(
            "brand",
            pl.when(~freed).then(pl.col("change")).alias(against),
            pl.col("p_holm").alias(f"{against}_p"),
            pl.when(pl.col("evidence") == "not comparable")
            .then(pl.lit(BARRED.en))
            .when(freed)
            .then(pl.struct("change", "adjusted").map_elements(_in_part, return_dtype=pl.String))
            .alias(f"{against}_reason"),
        )
        frame = frame.join(part, on="brand", how="left", maintain_order="left")
    ranks = a.leagues[a.wave].table.select("brand", "rank", "rank_low", "rank_high", "evidence")
    ranks = ranks.with_columns(pl.col("evidence").replace({k: t.en for k, t in EVIDENCE.items()}))
    frame = frame.join(ranks, on="brand", how="left", maintain_order="left").sort(
        "index", descending=True, nulls_last=True, maintain_order=True
    )
    columns = [
        Column("brand", Text("Brand", "品牌")),
        Column("index", Text("Index", "指数"), "score"),
        Column("conf_low", Text("from", "下限"), "score"),
        Column("conf_high", Text("to", "上限"), "score"),
        *_change_columns(a),
        Column("rank_low", Text("Rank from", "名次自"), "count"),
        Column("rank_high", Text("to", "至"), "count"),
        *_evidence_column(a),
        Column("n", Text("n", "样本量"), "count"),
    ]
    place = {b: i for i, b in enumerate(frame["brand"].to_list())}
    emphasis: Emphasis = {(place[a.focal], c): "focus" for c in ("brand", "index") if a.focal in place}
    texts = {
        **reasons(a),
        **{t.en: t for t in EVIDENCE.values()},
        BARRED.en: BARRED,
        **{t.en: t for t in parts},
        **a.brand_labels,
    }
    title = Text("League, changes and rank intervals", "排名、变化与名次区间")
    return Table("league", title, frame, tuple(columns), emphasis, texts, _flagged(a))


EVIDENCE = {
    "comparable": Text("yes", "可比"),
    "after freeing": Text("in part", "部分可比"),
    "not comparable": Text("not with all", "不完全可比"),
    "not tested": Text("not tested", "未检验"),
}
"""The least favourable evidence of a brand's differences within the wave."""


def _evidence_column(a: Analysis) -> list[Column]:
    """Whether a brand may be compared with the others; no column where nothing was tested."""
    return [] if a.gate is None else [Column("evidence", Text("Comparable", "可比性"))]


def _change_columns(a: Analysis) -> list[Column]:
    columns = []
    before = "同比" if a.previous == a.year_ago else "环比"
    if a.previous is not None:
        columns += [Column("previous", Text("Change", before), "change"), Column("previous_p", Text("p", "p"), "p")]
    if a.year_ago not in {None, a.previous}:
        columns += [Column("year", Text("In a year", "同比"), "change"), Column("year_p", Text("p", "p"), "p")]
    return columns


def _flagged(a: Analysis) -> tuple[Note, ...]:
    """Brands between the minimum and the comfortable base."""
    small, enough = a.study.settings.small, a.study.settings.flagged
    thin = [b for b, n in a.n.items() if small <= n < enough]
    if not thin:
        return ()
    names = words.listed([a.brand_labels[b] for b in thin])
    en = f"Fewer than {enough} answers: {names.en}; read with care."
    return (note("W-BASE", en, f"{names.zh}样本量不足 {enough}，请谨慎解读。"),)


def _suppressed(a: Analysis, absent: list[str]) -> tuple[Note, ...]:
    thin = [b for b in absent if not a.enough(b)]
    if not thin:
        return ()
    names = words.listed(
        [Text(f"{a.brand_labels[b].en} (n = {a.n[b]})", f"{a.brand_labels[b].zh}（n = {a.n[b]}）") for b in thin]
    )
    count = f"{len(thin)} {'brand' if len(thin) == 1 else 'brands'}"
    en = f"{count} suppressed, {few(a)}: {names.en}."
    return (note("E-BASE", en, f"{len(thin)} 个品牌因 {few(a)} 不公布：{names.zh}。"),)
