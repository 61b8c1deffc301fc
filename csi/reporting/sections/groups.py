"""Groups of composites: whether they may be compared (MICOM), then which paths differ."""

from __future__ import annotations

import polars as pl

from csi.errors import Note, Text
from csi.estimate.fit import fit
from csi.measures.compared import permutations_needed
from csi.measures.group_differences import mga
from csi.measures.groups_shown import Differences
from csi.measures.micom_words import VERDICTS
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.grouped import group_key, group_labels, group_where, grouped_by
from csi.reporting.soundness import told_groups
from csi.study.estimator import estimator_of

ALPHA = 0.05


def groups_section(a: Analysis) -> Section:
    """MICOM first; then every path by group, tested over all groups by exchanging respondents."""
    key, many = group_key(a), a.study.settings.telling.permutations
    panel, few = told_groups(a.study, a.panel, (key,), group_where(a, key))
    est = fit(a.model, panel, estimator_of(a.study.settings), (key,), where=group_where(a, key))
    count = len(est.values)
    many = max(many, permutations_needed(count * (count - 1) // 2, ALPHA))
    found = mga(est, many, a.study.settings.seed, bootstraps=0)
    how = Text(f"{many} permutations, Holm's correction", f"置换 {many} 次，Holm 校正")
    why = tuple(Note(r.code, r.text) for r in found.reasons.values())
    return Section(
        key="groups",
        title=_title(found),
        subtitle=grouped_by(a, key, how),
        tables=(_micom(a, found), _paths(a, found)),
        paragraphs=tuple(words.named(s, a.construct_labels) for s in found.sentences[:2]),
        notes=tuple(dict.fromkeys((*few, *why, *found.notes))),
        data={"micom": found.micom.omnibus, "micom_pairs": found.micom.table, "group_differences": found.table}
        | {"over_all_groups": found.omnibus},
    )


def _title(found: Differences) -> Text:
    """What may be compared, and what differs."""
    verdicts = found.micom.omnibus["invariance"].to_list()
    alike = sum(v in ("full", "partial") for v in verdicts)
    may = Text(
        f"paths may be compared for {alike} of {len(verdicts)} constructs",
        f"{len(verdicts)} 个构念中有 {alike} 个可比较路径",
    )
    tested = found.omnibus.filter((pl.col("kind") == "path") & pl.col("p_holm").is_not_null())
    differ = tested.filter(pl.col("p_holm") < ALPHA).height
    none = Text("no path is found to differ between groups", "未见组间不同的路径")
    some = Text(
        f"{differ} of {tested.height} paths differ between groups", f"{tested.height} 条路径中有 {differ} 条组间不同"
    )
    return words.sentence(may, some if differ else none)


def _micom(a: Analysis, found: Differences) -> Table:
    frame, least = found.micom.omnibus, found.micom.least
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("c", Text("smallest c", "最小 c"), "estimate"),
        Column("p_c_holm", Text("p composition", "p 构成"), "p", least, "p_c_pair"),
        Column("p_mean_holm", Text("p means", "p 均值"), "p", least, "p_mean_pair"),
        Column("p_variance_holm", Text("p variances", "p 方差"), "p", least, "p_variance_pair"),
        Column("invariance", Text("Invariance", "不变性")),
    )
    emphasis: Emphasis = {
        (i, "invariance"): "warn" for i, v in enumerate(frame["invariance"].to_list()) if v not in ("full", "partial")
    }
    title = Text("May composites be compared? (MICOM)", "合成变量可否比较（MICOM）")
    return Table("micom", title, frame, columns, emphasis, {**a.construct_labels, **VERDICTS})


def _paths(a: Analysis, found: Differences) -> Table:
    """A column per group, the p-value over all groups."""
    groups, labels = found.micom.groups, group_labels(a)
    pairs = found.table.filter(pl.col("kind") == "path")
    rows = []
    for row in found.omnibus.filter(pl.col("kind") == "path").iter_rows(named=True):
        mine = pairs.filter((pl.col("lhs") == row["lhs"]) & (pl.col("rhs") == row["rhs"]))
        values = dict(mine.select("group_1", "estimate_1").iter_rows())
        values |= {g: v for g, v in mine.select("group_2", "estimate_2").iter_rows() if g not in values}
        rows.append(
            {"lhs": row["lhs"], "rhs": row["rhs"], **{g: values.get(g) for g in groups}, "p_holm": row["p_holm"]}
            | {"p_spread": row["p_spread"]}
        )
    schema = {"lhs": pl.String, "rhs": pl.String, **dict.fromkeys([*groups, "p_holm", "p_spread"], pl.Float64)}
    frame = pl.DataFrame(rows, schema=schema)
    columns = (
        Column("rhs", Text("From", "来源")),
        Column("lhs", Text("To", "结果")),
        *(Column(g, labels.get(g, Text(g, g)), "coefficient") for g in groups),
        Column("p_holm", Text("p, all groups", "p（全部组）"), "p", found.micom.least, "p_spread"),
    )
    low = [p is not None and p < ALPHA for p in frame["p_holm"].to_list()]
    emphasis: Emphasis = {(i, "p_holm"): "focus" for i, yes in enumerate(low) if yes}
    return Table("group_paths", Text("Paths by group", "各组的路径系数"), frame, columns, emphasis, a.construct_labels)
