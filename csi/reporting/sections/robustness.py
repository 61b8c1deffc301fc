"""Whether what is read depends on the estimator: paths, drivers and index by several of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import polars as pl

from csi.errors import Note, Text
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.drawn import here, percent
from csi.reporting.sections.model import cell_of
from csi.reporting.tables import printed
from csi.study.estimator import rivals_of
from csi.tracking.compare import Comparison, compared

NAMES = {
    "pls": Text("PLS", "PLS"), "plsc": Text("PLSc", "PLSc"), "sum": Text("sum scores", "合计分"),
    "raw": Text("raw sums", "原始合计"), "pca": Text("components", "主成分"), "gsca": Text("GSCA", "GSCA"),
}  # fmt: skip
PARTS = ("index", "total effect", "driver rank")


def robustness_section(a: Analysis) -> Section:
    """Paths side by side, then totals, ranks of the drivers, and the index; the verdict over them."""
    cell, settings = cell_of(a), a.study.settings
    own: str = settings.estimator
    names: list[str] = [own, *others_of(a)]
    where = {"brand": a.focal, "wave": a.wave}
    fits = {
        name: unkeyed(cell.estimate) if name == own else fit(a.model, a.panel, one, where=where)
        for name, one in rivals_of(settings, names).items()
    }
    found = compared(fits, target=a.target)
    series: dict[str, Text] = {k: name_of(k) for k in names}
    labels = a.construct_labels
    paths = found.side_by_side.filter(part="path")
    draw = partial(figures.forest, _drawn(paths, cell.estimate.table, names), labels=labels, series=series)
    title, verdict = _title(found, paths, len(names)), found.verdict
    level, brand = percent(cell.estimate.level), a.brand_labels[a.focal]
    return Section(
        key="robustness",
        title=title,
        subtitle=Text(
            f"{brand.en}: standardised paths, {level} intervals of {series[own].en}; coloured: more than 2 SE away",
            f"{brand.zh}：标准化路径系数，区间为 {series[own].zh} 的 {level} 区间；着色处相差超过 2 个标准误",
        ),
        figures=(figure("robustness", title, draw),),
        tables=tuple(_table(found, part, series, a) for part in PARTS),
        paragraphs=() if verdict is None else (words.named(verdict, labels),),
        notes=(
            *_own_weights(a, found, own),
            *(n for n in found.notes if "COMPARE" in n.code and n.code != "N-COMPARE-ALONE"),
        ),
        data={"side_by_side": found.side_by_side},
    )


def _own_weights(a: Analysis, found: Comparison, own: str) -> tuple[Note, ...]:
    """Where the published index has weights of other cells than the fits compared: both values, and whose they are."""
    table = found.side_by_side.filter(part="index", name=a.target)
    published = here(a, a.target).filter(pl.col("brand") == a.focal)["index"]
    if a.index.rule == "own" or not table.height or not published.count():
        return ()
    value, shown = table[f"value_{own}"][0], printed(published[0], "score")
    if value is None or printed(value, "score") == shown:
        return ()
    en = f"The index here has each estimator's own weights of this cell ({printed(value, 'score')}); the published one"
    zh = f"此处指数用各估计方法在该单元的自身权重（{printed(value, 'score')}）；公布的指数"
    whose = next((n.text for n in a.index.notes if n.code == "N-INDEX-WEIGHTS"), Text("", ""))
    told = Text(f"{en} is {shown}. {whose.en}", f"{zh}为 {shown}。{whose.zh}")
    return (Note("N-COMPARE-WEIGHTS", Text(told.en.rstrip(), told.zh)),)


def others_of(a: Analysis) -> list[str]:
    """The estimators beside the study's own."""
    return [n for n in a.study.settings.telling.rivals if n != a.study.settings.estimator]


def name_of(estimator: str) -> Text:
    """What an estimator is called here.

    Example:
        >>> name_of("sum").en, name_of("mlr").zh
        ('sum scores', 'SEM（MLR）')
    """
    return NAMES.get(estimator, Text(f"SEM ({estimator.upper()})", f"SEM（{estimator.upper()}）"))


def unkeyed(est: Estimate) -> Estimate:
    """An estimate of one cell without the names of its cell, as one fitted with where= alone."""
    return replace(est, moments=replace(est.moments, cells=est.moments.cells.select("n")))


def _title(found: Comparison, paths: pl.DataFrame, many: int) -> Text:
    """Whether paths and the order of the drivers hold."""
    away = int(paths["differs"].fill_null(value=False).sum())
    ranks = found.side_by_side.filter(part="driver rank")["differs"].fill_null(value=False).any()
    if not away and not ranks:
        return Text(f"{many} estimators agree on paths and drivers", f"{many} 种估计方法的路径与驱动次序一致")
    said = Text(
        f"{away} of {paths.height} paths depend{'s' * (away == 1)} on the estimator",
        f"{paths.height} 条路径中有 {away} 条依赖估计方法",
    )
    order = Text("so does the order of the drivers", "驱动因素的次序也随之变化")
    only = Text("the order of the drivers depends on the estimator", "驱动因素的次序依赖估计方法")
    kept = Text("the order of the drivers does not", "驱动因素的次序不变")
    if not away:
        return words.sentence(only, Text("no path does", "各路径一致"))
    return words.sentence(said, order if ranks else kept)


def _drawn(paths: pl.DataFrame, table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The frame of the figure: headings are outcomes, rows predictors."""
    parts = paths["name"].str.split(" ~ ")
    frame = paths.with_columns(heading=parts.list.get(0), row=parts.list.get(1))
    ends = table.filter(pl.col("op") == "~").select(
        heading="lhs", row="rhs", conf_low="conf_low", conf_high="conf_high"
    )
    frame = frame.join(ends, on=["heading", "row"], how="left", maintain_order="left")
    return frame.select("heading", "row", *(f"value_{k}" for k in names), "conf_low", "conf_high", "differs")


def _table(found: Comparison, part: str, series: dict[str, Text], a: Analysis) -> Table:
    """One part: a column per estimator, a mark where one is away."""
    frame = found.side_by_side.filter(part=part)
    kinds = {"index": "score", "total effect": "coefficient", "driver rank": "count"}
    titles = {
        "index": Text("Index", "指数"),
        "total effect": Text(f"Total effects on {a.target_name.en}", f"对{a.target_name.zh}的总效应"),
        "driver rank": Text("Order of the drivers", "驱动因素次序"),
    }
    columns = [Column("name", Text("Construct", "构念"))]
    for key, name in series.items():
        columns.append(Column(f"value_{key}", name, kinds[part]))  # type: ignore[arg-type]  # one of the kinds above
    emphasis: Emphasis = {
        (i, "name"): "warn" for i, away in enumerate(frame["differs"].fill_null(value=False).to_list()) if away
    }
    return Table(part.replace(" ", "_"), titles[part], frame, tuple(columns), emphasis, a.construct_labels)
