"""Short forms, retest, criterion and known groups, the method that answers share."""

from __future__ import annotations

import polars as pl

from csi.errors import Note, Text
from csi.measures.consistency.occasions import Retest
from csi.measures.consistency.of_raters import HEADINGS, WORDED
from csi.measures.questionnaire.validate import Validation
from csi.measures.separation.common_words import CHECKS, VERDICTS
from csi.reporting import words
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.validation.held import labels_of, listed, reasons_told

FORMS = Text(
    "Chosen by search; alpha and the correlation with the full score (corrected for shared items) are of folds "
    "the search has not seen",
    "由搜索选出；α 与全量表相关（已校正共同题项）均来自搜索未见的留出数据",
)


def short_section(v: Validation) -> Section | None:
    """The chosen short form of every scale, with what it keeps on answers it has not seen."""
    if v.short is None:
        return None
    found = v.short
    if not found.chosen:
        return Section(
            key="v_short",
            title=words.sentence(Text("no shorter form keeps what it should", "没有达到界值的简版")),
            subtitle=FORMS,
            paragraphs=found.sentences,
            notes=(*found.notes, *reasons_told(v, found.table, "construct", found.reasons)),
            data={"short_forms": found.table, "short_items": found.picks},
        )
    chosen = found.table.filter(pl.col("chosen").fill_null(value=False))
    full = sum(len(v.answers.scales[c]) for c in found.chosen)
    kept = sum(len(items) for items in found.chosen.values())
    said = listed(v, list(found.chosen))
    title = words.sentence(
        Text(f"{kept} of the {full} items of {said.en} would do", f"{said.zh}的 {full} 题可减为 {kept} 题")
    )
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("of", Text("Items", "原题数"), "count"),
        Column("k", Text("kept", "保留"), "count"),
        Column("items", Text("which", "题项")),
        Column("alpha_full", Text("α, full", "α（全）"), "coefficient"),
        Column("held_alpha", Text("α, short, unseen", "α（简，留出）"), "coefficient"),
        Column("held_r", Text("r with full, unseen", "与全量表 r（留出）"), "coefficient"),
        Column("picked_alike", Text("picked alike", "选择一致率"), "share"),
        Column("largest_gap", Text("largest change of a difference", "差异的最大变化"), "score"),
    )
    shown = tuple(c for c in columns if c.name in chosen.columns and chosen[c.name].count())
    return Section(
        key="v_short",
        title=title,
        subtitle=FORMS,
        tables=(Table("v_forms", Text("Short forms", "简版"), chosen, shown, texts=labels_of(v)),),
        paragraphs=found.sentences,
        notes=(*found.notes, *reasons_told(v, found.table, "construct", found.reasons)),
        data={"short_forms": found.table, "short_items": found.picks},
    )


def retest_section(v: Validation) -> Section | None:
    """Whether scores of the same people agree over two waves."""
    if v.retest is None:
        return None
    found = v.retest
    told = found.table.filter(pl.col("icc_agreement").is_not_null())
    low = told.filter(pl.col("icc_agreement") < STABLE)["construct"].to_list()
    title = words.sentence(
        Text(f"{found.matched} people answered twice: {listed(v, low).en} changed places",
             f"{found.matched} 人两次作答：{listed(v, low).zh}的排序不稳定")
        if low
        else Text(f"{found.matched} people answered twice, and their scores agree",
                  f"{found.matched} 人两次作答，得分一致")
    )  # fmt: skip
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("n", Text("n", "n"), "count"),
        Column("icc_agreement", Text("ICC(A,1)", "ICC(A,1)"), "coefficient"),
        Column("icc_agreement_conf_low", Text("from", "下限"), "coefficient"),
        Column("icc_agreement_conf_high", Text("to", "上限"), "coefficient"),
        Column("icc_consistency", Text("ICC(C,1)", "ICC(C,1)"), "coefficient"),
        Column("icc_consistency_conf_low", Text("from", "下限"), "coefficient"),
        Column("icc_consistency_conf_high", Text("to", "上限"), "coefficient"),
        Column("r", Text("r", "r"), "coefficient"),
        Column("change", Text("Change", "变化"), "number"),
        Column("sem", Text("SEM", "SEM"), "number"),
        Column("sdc", Text("SDC", "SDC"), "number"),
    )
    emphasis: Emphasis = {
        (i, "icc_agreement"): "warn"
        for i, x in enumerate(found.table["icc_agreement"].to_list())
        if x is not None and x < STABLE
    }
    first, second = found.occasions
    return Section(
        key="v_retest",
        title=title,
        subtitle=Text(
            f"{first} and {second}; SDC: the smallest change of one person beyond measurement error",
            f"{first} 与 {second}；SDC 为超出测量误差的最小个体变化",
        ),
        tables=(
            Table("v_retest", Text("Retest", "重测"), found.table, columns, emphasis, labels_of(v)),
            _forms(v, found),
        ),
        notes=(*found.notes, *reasons_told(v, found.table, "construct", found.reasons)),
        data={"retest": found.table, "retest_forms": found.forms},
    )


def _forms(v: Validation, found: Retest) -> Table:
    """Every form of the intraclass correlation of every construct."""
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("name", HEADINGS["form"]),
        Column("model", HEADINGS["model"]),
        Column("unit", Text("of", "单位")),
        Column("icc", HEADINGS["icc"], "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
        Column("sem", HEADINGS["sem"], "number"),
        Column("sdc", HEADINGS["sdc"], "number"),
    )
    texts = {**labels_of(v), **{k: Text(k, zh) for k, zh in WORDED.items()}}
    return Table("v_retest_forms", Text("Every form of the ICC", "各种形式的 ICC"), found.forms, columns, texts=texts)


STABLE = 0.75
"""ICC below it is not good (Koo & Li, 2016: .75 to .90 good)."""


def criterion_section(v: Validation) -> Section | None:
    """Whether scores go with their criteria, and differ between groups that should differ."""
    if v.criterion is None and not v.known:
        return None
    tables: list[Table] = []
    parts: list[Text] = []
    notes: tuple[Note, ...] = ()
    data: dict[str, pl.DataFrame] = {}
    if v.criterion is not None:
        tables.append(_criterion(v))
        parts += v.criterion.sentences
        notes += v.criterion.notes
        data["criterion"] = v.criterion.table
    for key, found in v.known.items():
        parts += found.sentences
        notes += found.notes
        data[f"known_{key}"] = found.pairs
    known = _known(v)
    return Section(
        key="v_criterion",
        title=criterion_finding(v),
        subtitle=Text(
            "Correlations as observed and without the scale's error; differences in standard deviations (Hedges' g)",
            "相关：观测值与校正信度后的值；差异以标准差计（Hedges g）",
        ),
        tables=(*tables, *([known] if known is not None else [])),
        paragraphs=tuple(parts),
        notes=tuple(dict.fromkeys(notes)),
        data=data,
    )


def criterion_finding(v: Validation) -> Text:
    """How many correlations and differences are as they should be."""
    parts = []
    if v.criterion is not None:
        told = v.criterion.table.filter(pl.col("conf_low").is_not_null())
        sure = told.filter((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).height
        parts.append(Text(f"{sure} of {told.height} correlations with the criteria are beyond chance",
                          f"{told.height} 个效标相关中有 {sure} 个显著"))  # fmt: skip
    for key, found in v.known.items():
        name = v.asked.labels.get(key, Text(key, key))
        judged = found.pairs.filter(pl.col("as_expected").is_not_null())
        if judged.height:
            yes = judged.filter("as_expected").height
            parts.append(Text(f"{yes} of {judged.height} differences by {name.en} are as expected",
                              f"按{name.zh}的 {judged.height} 个差异中有 {yes} 个符合预期"))  # fmt: skip
    return words.sentence(*parts) if parts else Text("Criterion and known groups", "效标与已知组")


def _criterion(v: Validation) -> Table:
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("criterion", Text("Criterion", "效标")),
        Column("n", Text("n", "n"), "count"),
        Column("correlation", Text("r", "r"), "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
        Column("p_value", Text("p", "p"), "p"),
        Column("corrected", Text("corrected", "校正后"), "coefficient"),
        Column("corrected_low", Text("from", "下限"), "coefficient"),
        Column("corrected_high", Text("to", "上限"), "coefficient"),
    )
    frame = v.criterion.table if v.criterion is not None else pl.DataFrame()
    return Table("v_criterion", Text("Criteria", "效标相关"), frame, columns, texts=labels_of(v))


def _known(v: Validation) -> Table | None:
    frames = [found.pairs.with_columns(pl.lit(key).alias("by")) for key, found in v.known.items()]
    if not frames:
        return None
    columns = (
        Column("by", Text("Groups", "分组")),
        Column("construct", Text("Construct", "构念")),
        Column("group", Text("Group", "组")),
        Column("other", Text("less", "减")),
        Column("difference", Text("Difference", "差异"), "number"),
        Column("g", Text("g", "g"), "number"),
        Column("g_low", Text("from", "下限"), "number"),
        Column("g_high", Text("to", "上限"), "number"),
        Column("p_value", Text("p", "p"), "p"),
    )
    frame = pl.concat(frames, how="diagonal_relaxed")
    return Table("v_known", Text("Known groups", "已知组差异"), frame, columns, texts=labels_of(v))


def method_section(v: Validation) -> Section | None:
    """Checks of the variance that answers share because of how they were asked."""
    if v.common_method is None:
        return None
    found = v.common_method
    raised = found.table.filter(pl.col("verdict") == "raised").height
    doubtful = found.table.filter(pl.col("verdict") == "doubtful").height
    told = found.table.filter(pl.col("verdict").is_not_null()).height
    verb = "leave" if doubtful > 1 else "leaves"
    title = words.sentence(
        Text(f"{raised} of {told} checks raise common method variance",
             f"{told} 项检查中有 {raised} 项提示共同方法偏差")
        if raised
        else Text(f"{doubtful} of {told} checks {verb} common method variance in doubt",
                  f"{told} 项检查中有 {doubtful} 项存疑，共同方法偏差不能排除")
        if doubtful
        else Text("no check raises common method variance, which proves no absence",
                  "各项检查均未提示共同方法偏差，但不能证明其不存在")
    )  # fmt: skip
    columns = (
        Column("check", Text("Check", "检查")),
        Column("value", Text("Number", "数值"), "number"),
        Column("limit", Text("Limit", "界值"), "number"),
        Column("p_value", Text("p", "p"), "p"),
        Column("verdict", Text("Verdict", "判断")),
    )
    shown = found.table.filter(pl.col("verdict").is_not_null())
    table = Table("v_method", Text("Checks", "检查"), shown, columns, texts={**VERDICTS, **CHECKS})
    return Section(
        key="v_method",
        title=title,
        subtitle=Text(
            "None of these proves that answers are free of it; doubtful: the method factor fits better (p < .05) "
            "though its share stays below the limit",
            "任何一项都不能证明不存在共同方法偏差；存疑：方法因子显著改善拟合（p < 0.05），但其占比未达界值",
        ),
        tables=(table,),
        paragraphs=found.sentences,
        notes=found.notes,
        data={"common_method": found.table, "collinearity": found.collinearity, "method_models": found.models},
    )
