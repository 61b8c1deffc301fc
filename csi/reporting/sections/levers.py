"""What levers go with: five points more of each driver and of all, how much each accounts for, the best plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from csi.errors import Problems, Text
from csi.estimate.unrolled import on_items
from csi.importance.drivers import GAIN, largest_gain
from csi.importance.key_drivers import KeyDrivers, key_drivers
from csi.importance.lever_grid import lever_grid
from csi.importance.lever_shifts import TOP
from csi.importance.levers import causes_of, items_of
from csi.importance.plan import Plan, plan
from csi.importance.plan_words import HEADINGS as PLANNED
from csi.importance.plan_words import net_sentence, nothing
from csi.importance.what_if import WhatIf, whatif
from csi.importance.what_if_words import HEADINGS as MONEY
from csi.importance.what_if_words import amount, cost_sentence, quoted, sized, small
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.figures import forest
from csi.reporting.figures.shares import share_panels
from csi.reporting.section import Column, Figure, Kind, Section, Table
from csi.reporting.sections.drawn import here as at_wave
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.model import cell_of
from csi.reporting.simulator import POINTS, Simulator

ENOUGH = 2
"""Drivers with an arrow to the target from which they share what is explained."""


def levers_section(a: Analysis) -> Section:
    """Five points more of every driver, the shares of what is explained, and a plan where the study has a budget."""
    est, telling = cell_of(a).estimate, a.study.settings.telling
    found = whatif(est, dict.fromkeys(causes_of(est.model, a.target), GAIN), a.target)
    products = {c.name for c in est.model.constructs if c.product_of}
    near = [c for c in est.model.predictors(a.target) if c not in products]
    shares = key_drivers(est, a.target) if len(near) >= ENOUGH else None
    asked = {c: dict(levels) for c, levels in telling.levers.items()}
    best = None
    if asked and telling.budget:
        best = plan(est, asked, telling.budget, a.target, worth=telling.worth, seed=a.study.settings.seed)
    items = _items(a, found)
    title, frame = _title(a, found, best), _levers(found, _published(a))
    brand, level = a.brand_labels[a.focal], percent(est.level)
    more = "" if shares is None else "; bars: share of what is explained of it (LMG) by those with an arrow to it"
    more_zh = "" if shares is None else "；条形为直接指向它的构念占其已解释部分的份额（LMG）"
    return Section(
        key="levers",
        title=title,
        subtitle=Text(
            f"{brand.en}: points of {words.lowered(a.target_name).en} that are associated with {GAIN:g} points more of "
            f"each driver alone, lines are {level} intervals{more}",
            f"{brand.zh}：各驱动因素单独高 {GAIN:g} 分时，{a.target_name.zh}相应变化的分数，线为 {level} 区间{more_zh}",
        ),
        figures=_drawn(a, frame, shares, title),
        tables=(
            _lever_table(a, found, frame),
            *_item_tables(a, items),
            *_share_tables(a, shares),
            *_plan_tables(a, best),
        ),
        paragraphs=(STOPPED, *_pays(a, best)),
        notes=(*found.notes, *(() if shares is None else shares.notes), *(() if best is None else best.notes[-1:])),
        simulator=_simulator(a),
        data={
            "levers": frame,
            **({} if shares is None else {"metrics": shares.table, "pairs": shares.pairs}),
            **({"levers_items": items} if items.height else {}),
            **({} if best is None else {"plan": best.levels, "plans": best.plans}),
            **({} if best is None or best.result is None else {"break_even": best.result.costs}),
        },
    )


STOPPED = Text(
    "Near the top of the scale people cannot rise by all of it: this is less than importance times points.",
    "接近满分者无法足额上升，因此这里的数值略小于“重要性乘以分数”。",
)


def _simulator(a: Analysis) -> Simulator | None:
    """Sliders for the drivers; none of a model whose answers carry no paths."""
    est = cell_of(a).estimate
    causes = causes_of(est.model, a.target)
    try:
        grid = lever_grid(est, causes, a.target, POINTS, seed=a.study.settings.seed)
    except Problems:
        return None
    now = _published(a)
    stands = np.array([now.get(c, own) for c, own in zip(causes, grid.now.tolist(), strict=True)])
    grid = replace(grid, now=stands, target_now=now.get(a.target, grid.target_now))
    return Simulator(grid, tuple(a.label(c) for c in causes), a.target_name)


def _published(a: Analysis) -> dict[str, float]:
    """Construct -> its published index at the wave: one number stands for a construct all over a report."""
    found = at_wave(a).filter(pl.col("brand") == a.focal).select("construct", "index").drop_nulls()
    return dict(found.iter_rows())


def _levers(found: WhatIf, now: Mapping[str, float]) -> pl.DataFrame:
    """One row per driver: where it stands, what is left of the points, what the target changes by, the most first."""
    keys = found.table.columns[: found.table.columns.index("construct")]
    own = found.table.filter(pl.col("role") == "lever").select("construct", "now", "at_end")
    here = pl.col("construct").replace_strict(dict(now), default=None, return_dtype=pl.Float64)
    own = own.with_columns(now=pl.coalesce(here, "now")).with_columns(room=TOP - pl.col("now"))
    alone = found.alone.drop(keys).rename({"lever": "construct"})
    return own.join(alone, on="construct", maintain_order="left").sort("change", descending=True, nulls_last=True)


def _items(a: Analysis, found: WhatIf) -> pl.DataFrame:
    """What the target changes by with each item of a driver, the most first; no rows where drivers have no numbers."""
    est = cell_of(a).estimate
    names = items_of(est, a.target)
    if not names or found.table["change"].null_count():
        return pl.DataFrame()
    each = whatif(est, dict.fromkeys(names, GAIN), a.target)
    keys = each.table.columns[: each.table.columns.index("construct")]
    own = each.table.filter(pl.col("role") == "lever").select(item="construct", now="now")
    solution = on_items(est).solution
    own = own.with_columns(
        construct=pl.Series([solution.constructs[solution.block[solution.items.index(i)]] for i in names])
    )
    alone = each.alone.drop(keys).rename({"lever": "item"})
    joined = own.join(alone, on="item", maintain_order="left").sort("change", descending=True, nulls_last=True)
    return joined.select("item", "construct", "now", "change", "conf_low", "conf_high")


def _named(a: Analysis) -> dict[str, Text]:
    """Constructs and items as they are called."""
    book = a.study.codebook
    return {**{i: Text(book.label(i, "en"), book.label(i, "zh")) for i in book.names}, **a.construct_labels}


def _pays(a: Analysis, best: Plan | None) -> tuple[Text, ...]:
    """What the plan nets, what a point of the target costs by it, from which worth it pays; why nothing is chosen."""
    if best is None:
        return ()
    if best.result is None:
        return nothing(best, quoted({**best.labels, **_named(a), a.target: a.target_name}, cell_of(a).estimate.model))
    money = best.result.costs.row(0, named=True)
    return (*net_sentence(best), *((cost_sentence(money, a.target_name),) if money["per_point"] else ()))


def _title(a: Analysis, found: WhatIf, best: Plan | None) -> Text:
    """The plan where there is one; else the driver whose points go with most, if that is clear."""
    target = words.lowered(a.target_name)
    if best is not None:
        if not best.chosen:
            return words.sentence(_nothing(best, target))
        names = words.listed([_points(a, c, points) for c, points in best.chosen.items()])
        share, share_zh = "", ""
        if best.best_share is not None:
            share, share_zh = (
                f", best in {best.best_share:.0%} of the draws",
                f"，在 {best.best_share:.0%} 的抽样中最优",
            )
        return words.sentence(
            Text(
                f"within a budget of {amount(best.budget)} the best plan is {names.en}{share}",
                f"预算 {amount(best.budget)} 之内的最优方案为{names.zh}{share_zh}",
            )
        )
    rows = _levers(found, {}).filter(pl.col("change").is_not_null())
    clear = largest_gain(cell_of(a).estimate, a.target)
    top = rows.row(0, named=True)
    size = sized(top["change"])
    if clear is None and rows.height > 1:
        second = rows.row(1, named=True)
        names = words.listed([words.lowered(a.label(top["construct"])), words.lowered(a.label(second["construct"]))])
        en = (
            f"{GAIN:g} points more {names.en} come first ({size} and {sized(second['change'])} points of {target.en}); "
        )
        zh = f"{names.zh}高 {GAIN:g} 分时{target.zh}相应变化居前（{size} 与 {sized(second['change'])} 分），"
        return words.sentence(Text(f"{en}which goes with more cannot be told", f"{zh}孰大尚不能区分"))
    name = words.lowered(a.label(top["construct"]))
    en = f"{GAIN:g} points more {name.en} are associated with {size} points of {target.en}"
    return words.sentence(
        Text(
            f"{en}, the most of all drivers", f"{name.zh}高 {GAIN:g} 分时{target.zh}相应高 {size} 分，居各驱动因素之首"
        )
    )


def _nothing(best: Plan, target: Text) -> Text:
    """Why no plan is told, as a heading."""
    budget = amount(best.budget)
    if (best.levels["cost"] > best.budget).all():
        return Text(f"a budget of {budget} buys no level of any lever", f"预算 {budget} 买不到任何水平")
    if best.worth is not None:
        each = amount(best.worth)
        en = f"at {each} a point no level within a budget of {budget} pays"
        return Text(en, f"按每分 {each} 计，预算 {budget} 之内没有合算的水平")
    return Text(f"the budget buys nothing that {target.en} goes with", f"预算之内没有可提高{target.zh}的方案")


def _points(a: Analysis, lever: str, points: float) -> Text:
    """A lever with its points; an item in quotation marks."""
    label = _named(a).get(lever, Text(lever, lever))
    said = quoted({lever: label}, cell_of(a).estimate.model)[lever]
    label, moved = words.lowered(label) if said == label else said, f"{points:+g}".replace("-", "−")
    return Text(f"{label.en} {moved}", f"{label.zh} {moved} 分")


def _drawn(a: Analysis, frame: pl.DataFrame, shares: KeyDrivers | None, title: Text) -> tuple[Figure, ...]:
    """What each lever goes with, and the shares beside it."""
    known = frame.filter(pl.col("change").is_not_null())
    low, high = pl.col("conf_low"), pl.col("conf_high")
    marks = known.select(
        heading=pl.lit(""),
        row="construct",
        value_change="change",
        conf_low=low,
        conf_high=high,
        significant=((low > 0) | (high < 0)).fill_null(value=True),
    )
    series = {"change": a.target_name}
    drawn = [figure("levers", title, partial(forest, marks, labels=a.construct_labels, series=series), half=True)]
    if shares is not None and shares.table["share"].count():
        bars = shares.table.filter(pl.col("share").is_not_null()).sort("share", descending=True)
        bars = bars.select(panel=pl.lit(""), name="driver", share="share", low="conf_low", high="conf_high")
        drawn.append(figure("shares", SHARES, partial(share_panels, bars, labels=a.construct_labels), half=True))
    return tuple(drawn)


SHARES = Text("Share of what is explained", "占已解释部分的份额")


def _change_columns(a: Analysis, kind: Kind) -> tuple[Column, ...]:
    """What the target changes by, with its interval."""
    change = Text(f"{words.capital(a.target_name.en)}, +{GAIN:g} points", f"+{GAIN:g} 分时{a.target_name.zh}")
    return (
        Column("change", change, kind),
        Column("conf_low", Text("from", "下限"), kind),
        Column("conf_high", Text("to", "上限"), kind),
    )


def _lever_table(a: Analysis, found: WhatIf, frame: pl.DataFrame) -> Table:
    """Drivers by what five points go with."""
    columns = (
        Column("construct", Text("Driver", "驱动因素")),
        Column("now", Text("Now", "现值"), "score"),
        Column("room", Text("Left to 100", "距 100"), "score"),
        *_change_columns(a, "number" if small(frame) else "score"),
        Column("at_end", Text("At the end", "到达端点"), "share"),
    )
    whole = found.table.row(-1, named=True)
    every = sized(whole["change"], sign=True)
    title = Text(
        f"Each driver {GAIN:g} points up (all together: {every})",
        f"各驱动因素高 {GAIN:g} 分（全部一起：{every} 分）",
    )
    kept = tuple(c for c in columns if frame[c.name].count())
    return Table("levers", title, frame, kept, texts=a.construct_labels)


SHOWN = 8
"""Items of drivers that are printed; the workbook has all."""


def _item_tables(a: Analysis, items: pl.DataFrame) -> tuple[Table, ...]:
    """Items of drivers by what five points of each go with."""
    if not items.height:
        return ()
    columns = (
        Column("item", Text("Item", "题项")),
        Column("construct", Text("Driver", "驱动因素")),
        Column("now", Text("Now", "现值"), "score"),
        *_change_columns(a, "number"),
    )
    more = max(items.height - SHOWN, 0)
    title = Text(
        f"Each item of a driver {GAIN:g} points up" + (f" (the first {SHOWN} of {items.height})" if more else ""),
        f"驱动因素的各题项高 {GAIN:g} 分" + (f"（共 {items.height} 题，列前 {SHOWN} 题）" if more else ""),
    )
    kept = tuple(c for c in columns if items[c.name].count())
    return (Table("levers_items", title, items.head(SHOWN), kept, texts=_named(a)),)


def _share_tables(a: Analysis, shares: KeyDrivers | None) -> tuple[Table, ...]:
    """Metrics of importance."""
    if shares is None:
        return ()
    columns = (
        Column("driver", Text("Driver", "驱动因素")),
        Column("share", Text("Share", "份额"), "share"),
        Column("conf_low", Text("from", "下限"), "share"),
        Column("conf_high", Text("to", "上限"), "share"),
        Column("rank_low", Text("Rank, from", "名次，最前"), "count"),
        Column("rank_high", Text("to", "最后"), "count"),
        Column("lmg", Text("LMG", "LMG"), "coefficient"),
        Column("johnson", Text("Johnson weight", "Johnson 相对权重"), "coefficient"),
        Column("car", Text("CAR", "CAR"), "coefficient"),
        Column("correlation", Text("Correlation", "相关"), "coefficient"),
        Column("beta", Text("Beta", "标准化系数"), "coefficient"),
        Column("vif", Text("VIF", "VIF"), "number"),
    )
    frame = shares.table.sort("share", descending=True, nulls_last=True)
    kept = tuple(c for c in columns if frame[c.name].count())
    title = Text("Importance by several methods", "多种方法的重要性")
    return (Table("metrics", title, frame, kept, texts=a.construct_labels),)


def _plan_tables(a: Analysis, best: Plan | None) -> tuple[Table, ...]:
    """Levels with their costs, and which are bought."""
    if best is None:
        return ()
    yes = {"yes": Text("yes", "是"), "no": Text("", "")}
    frame = best.levels.with_columns(chosen=pl.when("chosen").then(pl.lit("yes")).otherwise(pl.lit("no")))
    numbers = ("cost", "gain", "conf_low", "conf_high", "per_point", "net")
    kinds = {"points": "score", **dict.fromkeys(numbers, "number")}
    columns = (
        Column("lever", _capital(PLANNED["lever"])),
        *(Column(c, _capital(PLANNED[c]), "score" if kind == "score" else "number") for c, kind in kinds.items()),
        Column("chosen", _capital(PLANNED["chosen"])),
        Column("share", _capital(PLANNED["share"]), "share"),
    )
    kept = tuple(c for c in columns if frame[c.name].count())
    budget = amount(best.budget)
    title = Text(f"Levels and what they cost (budget {budget})", f"各水平及其成本（预算 {budget}）")
    return (Table("plan", title, frame, kept, texts={**_named(a), **yes}), *_cost_tables(best))


def _capital(heading: Text) -> Text:
    """A heading of a page from that of a command line."""
    return Text(words.capital(heading.en), heading.zh)


def _cost_tables(best: Plan) -> tuple[Table, ...]:
    """What the plan costs, what a point of the target costs by it, and what is left where a point has a worth."""
    if best.result is None or not best.result.costs.height:
        return ()
    frame = best.result.costs
    money: dict[str, Kind] = {"change": "score", "breaks_even": "share"}
    names = ("cost", "change", "per_point", "per_point_low", "per_point_high", "worth", "net", "net_low", "net_high")
    columns = tuple(
        Column(c, _capital(MONEY[c]), money.get(c, "number")) for c in (*names, "breaks_even") if c in frame.columns
    )
    kept = tuple(c for c in columns if frame[c.name].count())
    return (Table("break_even", Text("What the plan costs, and when it pays", "方案的成本与盈亏平衡"), frame, kept),)
