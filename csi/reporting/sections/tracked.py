"""The tracking table of the focal brand, and what the study's alerts say of the wave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from csi.errors import Text
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.drawn import formula_id, percent
from csi.reporting.tables import printed
from csi.study.breaks import breaks_of, scale_doubted
from csi.study.rated import events_frame
from csi.survey.bases import FLAGS
from csi.tracking.alerts import alerts, applicable
from csi.tracking.benchmark import MEAN
from csi.tracking.targets import ATTAINED, Targets, targets
from csi.tracking.track import Tracking, track


def tracked(a: Analysis) -> Tracking:
    """The target construct of every brand and wave, as `csi track` tells it."""
    settings = a.study.settings
    own = settings.benchmark == MEAN or settings.benchmark in a.index.cells["brand"].to_list()
    return track(
        a.index,
        a.target,
        waves=a.waves,
        per_year=settings.waves_per_year,
        small=settings.small,
        flagged=settings.flagged,
        breaks=[b for b in breaks_of(a.study, a.index, a.panel) if b.wave in a.waves],
        gate=a.gate,
        benchmark=settings.benchmark if own else None,
        targets=settings.targets,
    )


def alerts_section(a: Analysis) -> Section:
    """A sentence for each alert of the wave."""
    made = tracked(a)
    rules = applicable(made, a.study.alerts)
    labels = {**_labels(a), a.wave: words.wave_name(a.wave)}
    found = alerts(made, rules, {"wave": a.wave}, labels)
    mine = found.table.filter(pl.col("brand") == a.focal).height
    name = a.label(a.target)
    level, formula = percent(a.index.level), formula_id(a)
    return Section(
        key="alerts",
        title=_alerts_title(a, found.table.height, mine),
        subtitle=Text(
            f"What the study's {len(rules)} rule{'s' if len(rules) != 1 else ''} say of the {words.lowered(name).en} "
            f"index (0–100{formula.en}) of every brand in the wave; in brackets {level} intervals",
            f"按研究设定的 {len(rules)} 条规则检视本期各品牌{name.zh}指数（0–100{formula.zh}）；括号内为 {level} 区间",
        ),
        paragraphs=found.sentences,
        notes=found.notes,
        data={"alerts": found.table},
    )


def _alerts_title(a: Analysis, count: int, mine: int) -> Text:
    """How many alerts there are, and how many of them on the focal brand."""
    wave, who = words.wave_name(a.wave), a.brand_labels[a.focal]
    when, when_zh = (f" in {wave.en}", f"{wave.zh}") if a.wave else ("", "")
    if not count:
        return Text(f"No alert{when}", f"{when_zh}没有预警")
    several, several_zh = len(a.brands) > 1, f"，其中{who.zh} {mine} 条" if mine else f"，均不涉及{who.zh}"
    if mine == count > 1:
        several_zh = f"，均涉及{who.zh}"
    if count == 1:
        several_zh = f"，{'' if mine else '不'}涉及{who.zh}"
    of = f", {mine or 'none'} of them on {who.en}" if several else ""
    of = f", {'' if mine else 'not '}on {who.en}" if several and count == 1 else of
    of = f", all on {who.en}" if several and mine == count > 1 else of
    said = f"{count} alert{'s' if count > 1 else ''}{when}"
    return Text(f"{said}{of}", f"{when_zh}有 {count} 条预警{several_zh if several else ''}")


def tracking_section(a: Analysis) -> Section:
    """The focal brand wave by wave, newest first; its sentence is about the target, else the benchmark."""
    made = tracked(a)
    aims = _every_target(a)
    level, name, who = percent(a.index.level), a.label(a.target), a.brand_labels[a.focal]
    formula = formula_id(a)
    mine = scale_doubted(a.study, a.panel, made.table.filter(pl.col("brand") == a.focal).reverse(), a.target)
    judged = () if aims is None else (_targets_table(a, aims),)
    happened = events_frame(a.study.events, a.waves)
    return Section(
        key="tracking",
        title=_title(a, made),
        subtitle=Text(
            f"{name.en} index (0–100{formula.en}) of {who.en} with {level} intervals, newest wave first; changes and "
            "differences in points, p by Holm's method within the wave",
            f"{who.zh}{name.zh}指数（0–100{formula.zh}）及 {level} 区间，最新一期在前；"
            "变化与差异以分计，p 值在各期内经 Holm 校正",
        ),
        tables=(_levels(a, mine), *_moves(mine), *judged),
        notes=tuple(n for n in made.notes if n not in a.index.notes),
        data={
            "tracking": made.table.drop("reason", "reason_zh"),
            **({} if aims is None else {"targets": aims.table}),
            **({"events": happened} if happened.height else {}),
        },
    )


def _title(a: Analysis, made: Tracking) -> Text:
    """The wave against its target, then against the benchmark."""
    here = made.table.filter((pl.col("brand") == a.focal) & (pl.col("wave") == a.wave))
    who, wave = a.brand_labels[a.focal], words.wave_name(a.wave)
    row = here.row(0, named=True) if here.height else {}
    if row.get("index") is None:
        return Text(f"{who.en} has no index in {wave.en}", f"{who.zh}在{wave.zh}没有指数")
    said = []
    if row.get("attained") is not None:
        said.append(_attained(who, row))
    if row.get("difference_benchmark") is not None:
        said.append(_distance(a, who, row))
    if not said:
        shown = printed(row["index"], "score")
        return Text(f"{who.en} stands at {shown} in {wave.en}", f"{who.zh}{wave.zh}为 {shown} 分")
    return Text("; ".join(t.en for t in said), "；".join(t.zh for t in said))


def _attained(who: Text, row: dict[str, object]) -> Text:
    """Whether the target is reached."""
    goal = f"{row['target']:g}"
    return {
        "reached": Text(f"{who.en} has reached its target of {goal}", f"{who.zh}已达到目标 {goal}"),
        "missed": Text(f"{who.en} is below its target of {goal}", f"{who.zh}未达到目标 {goal}"),
        "undecided": Text(
            f"Whether {who.en} has reached its target of {goal} cannot be told",
            f"{who.zh}是否达到目标 {goal} 无法判断",
        ),
    }[str(row["attained"])]


def _distance(a: Analysis, who: Text, row: dict[str, object]) -> Text:
    """How far it is from the benchmark."""
    size = float(str(row["difference_benchmark"]))
    what = _benchmark(a)
    if not row["significant_benchmark"]:
        en = f"its distance from {what.en} is within sampling error"
        return Text(
            en if row.get("attained") else f"{who.en} is as far from {what.en} as chance allows",
            f"与{what.zh}的差异未超出抽样误差",
        )
    shown, side, side_zh = printed(abs(size), "score"), *(("above", "高于") if size > 0 else ("below", "低于"))
    verb = "it is" if row.get("attained") else f"{who.en} is"
    subject = "" if row.get("attained") else who.zh
    return Text(f"{verb} {shown} points {side} {what.en}", f"{subject}{side_zh}{what.zh} {shown} 分")


def _benchmark(a: Analysis) -> Text:
    """What brands are held against, in a sentence."""
    own = a.study.settings.benchmark
    return Text("the mean of the brands", "各品牌均值") if own == MEAN else a.brand_labels.get(own, Text(own, own))


SHADES: Final[Mapping[str, Literal["focus", "warn"]]] = {"reached": "focus", "missed": "warn"}
"""How a verdict on a target stands out."""


def _levels(a: Analysis, mine: pl.DataFrame) -> Table:
    """Where the focal brand stood wave by wave: answers, index, target, rank, and what happened."""
    events: dict[str, list[Text]] = {}
    for event in a.study.events:
        events.setdefault(event.wave, []).append(event.text)
    joined = {w: Text("; ".join(t.en for t in e), "；".join(t.zh for t in e)) for w, e in events.items()}
    frame = mine.with_columns(
        happened=pl.Series([joined[w].en if w in joined else "" for w in mine["wave"]], dtype=pl.String),
        index_reason=pl.when(pl.col("flag") == "suppressed").then(pl.lit(f"n < {a.study.settings.small}")),
        flag=pl.col("flag").fill_null(""),
    )
    columns = [Column("wave", Text("Wave", "期次")), Column("n", Text("n", "样本量"), "count")]
    columns += [Column("n_effective", Text("n eff.", "有效样本量"), "count")]
    columns += [
        Column("index", Text("Index", "指数"), "score"),
        Column("conf_low", Text("from", "下限"), "score"),
        Column("conf_high", Text("to", "上限"), "score"),
    ]
    emphasis: Emphasis = {}
    if "target" in frame.columns and frame["target"].count():
        frame = frame.with_columns(pl.col("attained").fill_null(""))
        columns += [Column("target", Text("Target", "目标"), "score"), Column("attained", Text("Verdict", "判定"))]
        emphasis = {(i, "attained"): SHADES[v] for i, v in enumerate(frame["attained"]) if v in SHADES}
    if frame["rank"].count():
        columns += [Column("rank_low", Text("Rank from", "名次自"), "count")]
        columns += [Column("rank_high", Text("to", "至"), "count")]
    columns += [Column("flag", Text("Base", "样本量提示"))] if (frame["flag"] != "").any() else []
    columns += [Column("happened", Text("Event", "事件"))] if (frame["happened"] != "").any() else []
    texts = {**ATTAINED, **FLAGS, **{t.en: t for t in joined.values()}}
    return Table("tracking", Text("Tracking table", "跟踪表"), frame, tuple(columns), emphasis, texts)


def _moves(mine: pl.DataFrame) -> tuple[Table, ...]:
    """What the focal brand's waves are from those before and from the benchmark; nothing where there is no other."""
    columns = [Column("wave", Text("Wave", "期次"))]
    for kind, heading in (
        ("change_previous", Text("Change", "环比")),
        ("change_year", Text("In a year", "同比")),
        ("difference_benchmark", Text("From benchmark", "较基准")),
    ):
        against = kind.split("_")[1]
        if kind in mine.columns and mine[kind].count():
            columns += [Column(kind, heading, "change"), Column(f"statistic_{against}", Text("t", "t"), "number")]
            columns += [Column(f"p_holm_{against}", Text("p", "p"), "p")]
    title = Text("Changes and differences (points)", "变化与差异（分）")
    return (Table("changes", title, mine, tuple(columns)),) if len(columns) > 1 else ()


def _every_target(a: Analysis) -> Targets | None:
    """The targets of every construct in the wave; None where there are none."""
    known = {c.casefold() for c in a.index.constructs}
    given = [t for t in a.study.settings.targets if t.construct.casefold() in known and t.brand in {"", *a.brands}]
    here = a.index.cells["brand"].to_list()
    given = [t for t in given if t.brand in {"", *here}]
    if not given:
        return None
    return targets(a.index, given, a.target, small=a.study.settings.small)


def _targets_table(a: Analysis, found: Targets) -> Table:
    """Every target of the wave."""
    frame = found.table.filter(pl.col("wave") == a.wave).with_columns(pl.col("attained").fill_null(""))
    emphasis: Emphasis = {(i, "attained"): SHADES[v] for i, v in enumerate(frame["attained"]) if v in SHADES}
    columns = (
        Column("brand", Text("Brand", "品牌")),
        Column("construct", Text("Construct", "构念")),
        Column("target", Text("Target", "目标"), "score"),
        Column("index", Text("Index", "指数"), "score"),
        Column("conf_low", Text("from", "下限"), "score"),
        Column("conf_high", Text("to", "上限"), "score"),
        Column("gap", Text("Gap", "差距"), "change"),
        Column("attained", Text("Verdict", "判定")),
    )
    texts = {**_labels(a), **ATTAINED}
    title = Text("Targets of the wave", "本期目标")
    return Table("targets", title, frame, columns, emphasis, texts)


def _labels(a: Analysis) -> dict[str, Text]:
    """Names of brands, constructs and items."""
    book = a.study.codebook
    items = {i: Text(book.label(i, "en"), book.label(i, "zh")) for i in book.names}
    return {**items, **a.construct_labels, **a.brand_labels}
