"""Rates beside the index: complaints, NPS, satisfied customers, top boxes, price tolerance, KCSI."""

from __future__ import annotations

import polars as pl

from csi.errors import Text, note
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.league import BARRED
from csi.reporting.tables import printed
from csi.study.rated import PARTS, evidence_sentences, rate_names, rate_notes, rated, rates_over_waves, tested
from csi.survey.bases import FLAGS
from csi.tracking.targets import ATTAINED

AGAINST = {"previous": Text("on the previous wave", "较上期"), "year": Text("in a year", "较去年同期")}

EVIDENCE = {
    "comparable": Text("yes", "可比"),
    "not comparable": Text("no", "否"),
    "not tested": Text("not tested", "未检验"),
}
"""Whether the items of a rate measure alike in both waves."""


def rates_section(a: Analysis) -> Section:
    """Every rate of every brand in the wave, with its changes and its target."""
    found = rated(a.study, a.panel)
    names, who = rate_names(a.study), a.brand_labels[a.focal]
    if not found:
        return Section(key="rates", title=Text("No rates", "没有其他指标"), subtitle=Text("", ""))
    whole = rates_over_waves(a.study, found, a.waves, a.panel, a.gate)
    here = whole.filter((pl.col("wave") == a.wave) & ~pl.col("construct").is_in(PARTS))
    level = percent(a.study.settings.level)
    said = [note("N-EVIDENCE", t.en, t.zh) for t in evidence_sentences(here, names)]
    return Section(
        key="rates",
        title=_title(who, here.filter(pl.col("brand") == a.focal), names),
        subtitle=Text(
            f"Percent of those asked (NPS from −100 to 100), each with the id of its formula; {level} intervals; "
            "changes in points, p by Holm's method within each rate",
            f"占答题者的百分比（净推荐值为 −100 至 100），各附公式编号；{level} 区间；"
            "变化以百分点计，p 值在各指标内经 Holm 校正",
        ),
        tables=(_table(a, here, names),),
        notes=(*said, *rate_notes(a.study, found, a.panel)),
        data={"rates": whole.drop("reason", "reason_zh")},
    )


def _title(who: Text, mine: pl.DataFrame, names: dict[str, Text]) -> Text:
    """Which rates of the focal brand moved beyond chance."""
    said = []
    for row in mine.iter_rows(named=True):
        for against, when in AGAINST.items():
            if row.get(f"significant_{against}"):
                size = float(row[f"change_{against}"])
                name, shown = names[row["construct"]], printed(abs(size), "score")
                en, zh = ("up", "上升") if size > 0 else ("down", "下降")
                said.append(
                    Text(
                        f"{name.en} {en} {shown} {when.en}",
                        f"{name.zh}{' ' if name.zh[-1:].isascii() else ''}{when.zh}{zh} {shown}",
                    )
                )
    if said:
        listed = words.listed(said[:3])
        return Text(f"{who.en}: {listed.en}", f"{who.zh}：{listed.zh}")
    known = [f"change_{k}" for k in AGAINST if f"change_{k}" in mine.columns]
    moved = mine.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in known)) if known else mine.clear()
    rates = moved["construct"].n_unique()
    if 0 < rates < mine["construct"].n_unique():
        en = f"None of {who.en}’s {rates} rates with a change moved beyond chance"
        one = f"{who.en}’s one rate with a change has not moved beyond chance"
        return Text(en if rates > 1 else one, f"{who.zh}给出变化的 {rates} 项指标均未超出抽样误差")
    if rates:
        en = (
            f"None of {who.en}’s {rates} rates changed beyond chance"
            if rates > 1
            else f"{who.en}’s rate has not changed beyond chance"
        )
        return Text(en, f"{who.zh}的 {rates} 项指标变化均未超出抽样误差")
    values = [
        Text(f"{names[c].en} {printed(v, 'score')}", f"{names[c].zh} {printed(v, 'score')}")
        for c, v in mine.select("construct", "index").iter_rows()
    ]
    listed = words.listed(values[:3])
    return Text(f"{who.en}: {listed.en}", f"{who.zh}：{listed.zh}")


def _table(a: Analysis, here: pl.DataFrame, names: dict[str, Text]) -> Table:
    """Rates by brand, the brands of a rate together."""
    few = pl.lit(f"n < {a.study.settings.small}")
    frame = here.with_columns(
        index_reason=pl.when(pl.col("flag") == "suppressed").then(few), flag=pl.col("flag").fill_null("")
    )
    columns = [
        Column("construct", Text("Rate", "指标")),
        Column("formula", Text("Id", "编号")),
        Column("brand", Text("Brand", "品牌")),
        Column("index", Text("Percent", "百分比"), "score"),
        Column("conf_low", Text("from", "下限"), "score"),
        Column("conf_high", Text("to", "上限"), "score"),
    ]
    emphasis: Emphasis = {(i, "brand"): "focus" for i, b in enumerate(frame["brand"]) if b == a.focal}
    if "target" in frame.columns and frame["target"].count():
        frame = frame.with_columns(pl.col("attained").fill_null(""))
        columns += [Column("target", Text("Target", "目标"), "score"), Column("attained", Text("Verdict", "判定"))]
    for against, heading in (("previous", Text("Change", "环比")), ("year", Text("In a year", "同比"))):
        if f"change_{against}" in frame.columns and frame[f"change_{against}"].count():
            columns += [
                Column(f"change_{against}", heading, "change"),
                Column(f"p_holm_{against}", Text("p", "p"), "p"),
            ]
            barred = pl.col(f"evidence_{against}") == "not comparable"
            frame = frame.with_columns(pl.when(barred).then(pl.lit(BARRED.en)).alias(f"change_{against}_reason"))
            frame = frame.with_columns(pl.col(f"evidence_{against}").replace("not comparable", "no"))
            columns += [Column(f"evidence_{against}", Text("Comparable", "可比性"))] if tested(frame, against) else []
    columns += [Column("flag", Text("Base", "样本量提示"))] if (frame["flag"] != "").any() else []
    columns.append(Column("n", Text("n", "样本量"), "count"))
    texts = {**names, **a.brand_labels, **ATTAINED, **FLAGS, BARRED.en: BARRED, **EVIDENCE}
    return Table("rates", Text("Rates of the wave", "本期指标"), frame, tuple(columns), emphasis, texts)
