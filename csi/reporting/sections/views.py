"""Views of the series: smoothed, and between control limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl

from csi.errors import Text
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Figure, Section, Table
from csi.reporting.sections.drawn import formula_id, percent, rank
from csi.reporting.tables import printed
from csi.study.breaks import breaks_of
from csi.tracking.smooth import Control, Smoothed
from csi.tracking.views import Shown, view_of


def views_section(a: Analysis) -> Section:
    """A figure and a table for every view that the study names."""
    settings, small = a.study.settings.views, a.study.settings.small
    breaks = [b for b in breaks_of(a.study, a.index, a.panel) if b.wave in a.waves]
    told = settings.show if int(a.index.n_of(a.index.constructs.index(a.target)).max(initial=0)) >= small else ()
    made = {v: view_of(a.index, a.target, v, settings, waves=a.waves, breaks=breaks, small=small) for v in told}
    title = _title(a, made)
    name, who, formula = a.label(a.target), a.brand_labels[a.focal], formula_id(a)
    charts = any(isinstance(one, Control) for one in made.values())
    limits = Text(f"; control charts are of {who.en}", f"；控制图为{who.zh}") if charts else Text("", "")
    level = percent(a.index.level)
    return Section(
        key="views",
        title=title,
        subtitle=Text(
            f"{name.en} index (0–100{formula.en}) seen over several waves; smoothed values with {level} intervals"
            f"{limits.en}",
            f"多期合看的{name.zh}指数（0–100{formula.zh}）；平滑值附 {level} 区间{limits.zh}",
        ),
        figures=tuple(f for v, one in made.items() for f in _figure(a, v, one)),
        tables=tuple(_table(a, v, one) for v, one in made.items()),
        notes=tuple(dict.fromkeys(n for one in made.values() for n in one.notes)),
        data={v.replace("-", "_"): one.table for v, one in made.items()},
    )


def _title(a: Analysis, made: Mapping[Shown, Smoothed | Control]) -> Text:
    """Whether the focal brand is outside its limits; without a chart, its smoothed value."""
    who, wave = a.brand_labels[a.focal], words.wave_name(a.wave)
    charts = [one for one in made.values() if isinstance(one, Control)]
    for chart in charts[:1]:
        rows = _rows(a, chart.table).filter(pl.col("wave") == a.wave)
        row = rows.row(0, named=True) if rows.height else {}
        if row.get("high") is None:
            continue
        value, low, high = (printed(row[c], "score") for c in ("statistic", "low", "high"))
        if not row["beyond"]:
            return Text(
                f"{who.en} is within its control limits in {wave.en}: {value} ({low}–{high})",
                f"{who.zh}在{_apart(wave.zh)}处于控制限之内：{value}（{low}–{high}）",
            )
        above = row["statistic"] > row["high"]
        side, side_zh, limit = ("above", "高于上", high) if above else ("below", "低于下", low)
        return Text(
            f"{who.en} is {side} its control limit in {wave.en}: {value} against {limit}",
            f"{who.zh}在{_apart(wave.zh)}{side_zh}控制限：{value}（控制限 {limit}）",
        )
    for view, one in made.items():
        rows = _rows(a, one.table).filter(pl.col("wave") == a.wave)
        if isinstance(one, Smoothed) and rows.height:
            row, name = rows.row(0, named=True), a.study.settings.views.title(view)
            value, low, high = (printed(row[c], "score") for c in ("smoothed", "conf_low", "conf_high"))
            return Text(
                f"{name.en} of {who.en}: {value} ({low}–{high}) in {wave.en}",
                f"{who.zh}在{_apart(wave.zh)}的{_apart(name.zh)}：{value}（{low}–{high}）",
            )
    return _why_untold(a, charts)


def _why_untold(a: Analysis, charts: Sequence[Control]) -> Text:
    """Why the focal brand is neither between limits nor smoothed: its base, no index, or what its chart says."""
    who, wave, zh = a.brand_labels[a.focal], words.wave_name(a.wave).en, _apart(words.wave_name(a.wave).zh)
    n, small = a.n.get(a.focal, 0), a.study.settings.small
    asked = any(v.startswith("control") for v in a.study.settings.views.show)
    not_in, not_in_zh = ("is not charted", "未列入控制图") if asked else ("has no smoothed value", "没有平滑值")
    if n < small:
        shown = max((_rows(a, one.table)["high"].count() for one in charts), default=0)
        waves = f" ({shown} earlier wave{'s' if shown != 1 else ''} charted)" if shown else ""
        more = f"（此前 {shown} 期列入）" if shown else ""
        en = f"{who.en} {not_in} in {wave}: {n} answers, fewer than {small}{waves}"
        return Text(en, f"{who.zh}{zh}样本量 {n}，不足 {small}，{not_in_zh}{more}")
    for chart in charts:
        rows = _rows(a, chart.table).filter(pl.col("wave") == a.wave, pl.col("reason").is_not_null())
        for said, said_zh in rows.select("reason", "reason_zh").iter_rows():
            en = f"{who.en} has no control limits in {wave}: {said.rstrip('.')}"
            return Text(en, f"{who.zh}{zh}没有控制限：{said_zh.rstrip('。')}")
    return Text(f"{who.en} {not_in} in {wave}: it has no index", f"{who.zh}{zh}没有指数，{not_in_zh}")


def _apart(wave: str) -> str:
    """A wave in Chinese behind a character: apart where it begins with a digit or letter."""
    return f" {wave}" if wave[:1].isascii() else wave


def _rows(a: Analysis, table: pl.DataFrame) -> pl.DataFrame:
    """The focal brand's waves, oldest first."""
    mine = table.filter(pl.col("brand") == a.focal).with_columns(_wave=rank("wave", a.waves))
    return mine.sort("_wave", maintain_order=True).drop("_wave")


def _figure(a: Analysis, view: Shown, one: Smoothed | Control) -> tuple[Figure, ...]:
    """A chart of the focal brand; the smoothed lines of all."""
    name = a.study.settings.views.title(view)
    key = f"view_{view.replace('-', '_')}"
    if isinstance(one, Control):
        rows = _rows(a, one.table)
        drawn = partial(figures.control_chart, rows, caption=_captioned(name, a))
        return (figure(key, name, drawn),) if rows.height > 1 and rows["high"].count() else ()
    frame = one.table.select("brand", "wave", pl.col("smoothed").alias("index"), "conf_low", "conf_high")
    frame = frame.with_columns(_brand=rank("brand", a.brands), _wave=rank("wave", a.waves))
    frame = frame.sort("_wave", "_brand", maintain_order=True).drop("_wave", "_brand")
    return (figure(key, name, partial(figures.trend, frame, labels=a.brand_labels, focal=a.focal, caption=name)),)


def _captioned(name: Text, a: Analysis) -> Text:
    """The name of a chart and whose it is."""
    who = a.brand_labels[a.focal]
    return Text(f"{name.en}: {who.en}", f"{name.zh}：{who.zh}")


def _table(a: Analysis, view: Shown, one: Smoothed | Control) -> Table:
    """The wave of every brand in one view."""
    frame = one.table.filter(pl.col("wave") == a.wave).with_columns(_brand=rank("brand", a.brands)).sort("_brand")
    columns = [Column("brand", Text("Brand", "品牌")), Column("index", Text("Index", "指数"), "score")]
    if isinstance(one, Control):
        outside = pl.when("beyond").then(pl.lit("outside")).otherwise(pl.lit(""))
        frame = frame.with_columns(outside=outside)
        columns += [
            Column("statistic", Text("Charted", "图中值"), "score"),
            Column("centre", Text("Centre", "中心"), "score"),
            Column("low", Text("Lower limit", "下控制限"), "score"),
            Column("high", Text("Upper limit", "上控制限"), "score"),
            Column("outside", Text("Verdict", "判定")),
        ]
    else:
        columns += [
            Column("smoothed", Text("Smoothed", "平滑值"), "score"),
            Column("conf_low", Text("from", "下限"), "score"),
            Column("conf_high", Text("to", "上限"), "score"),
            Column("waves", Text("Waves", "期数"), "count"),
        ]
    texts = {**a.brand_labels, "outside": Text("outside", "超出")}
    emphasis: Emphasis = {(i, "brand"): "focus" for i, b in enumerate(frame["brand"]) if b == a.focal}
    return Table(view, a.study.settings.views.title(view), frame, tuple(columns), emphasis, texts)
