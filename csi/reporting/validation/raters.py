"""Whether raters agree, judgement by judgement."""

from __future__ import annotations

import polars as pl

from csi.errors import Note, Text
from csi.measures.consistency.of_categories import COEFFICIENTS, WORDS
from csi.measures.consistency.of_raters import HEADINGS, WORDED
from csi.measures.questionnaire.rated import Raters
from csi.measures.questionnaire.validate import Validation
from csi.reporting import style, words
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.validation.held import labels_of

ALPHA, ICC = 0.8, 0.75
"""Krippendorff's alpha (Krippendorff, 2004) and ICC (Koo & Li, 2016) from which raters agree well."""
MAIN = ("krippendorff_ordinal", "krippendorff_nominal", "fleiss", "icc")
"""The coefficient that the finding is told by: the first that there is."""


def raters_section(v: Validation) -> Section | None:
    """Kappas, Krippendorff's alpha and intraclass correlations of every judgement."""
    if not v.raters:
        return None
    main = {name: found for name, one in v.raters.items() if (found := main_of(one)) is not None}
    tables = [t for t in (_categories(v), _numbers(v)) if t is not None]
    notes = [n for one in v.raters.values() for n in (*one.notes, *_reasons(one))]
    return Section(
        key="v_raters",
        title=_finding(v, main),
        subtitle=Text(
            f"Good agreement: Krippendorff's alpha from {style.coefficient(ALPHA, 'en')} (2004), "
            f"ICC from {style.coefficient(ICC, 'en')} (Koo & Li, 2016)",
            f"一致性良好：Krippendorff α 不低于 {ALPHA:.2f}（2004），ICC 不低于 {ICC:.2f}（Koo 与 Li，2016）",
        ),
        tables=tuple(tables),
        paragraphs=tuple(_sentence(v.asked.labels.get(name, Text(name, name)), *of) for name, of in main.items()),
        notes=tuple(dict.fromkeys(notes)),
        data={t.name.removeprefix("v_"): t.frame for t in tables},
    )


def main_of(found: Raters) -> tuple[str, float, float | None, float | None] | None:
    """The coefficient of all raters that the finding is told by, with its limits; None where there is none."""
    told: dict[str, tuple[float, float | None, float | None]] = {}
    if found.agreement is not None:
        rows = found.agreement.table.filter(raters="all").drop_nulls("estimate")
        told = {r["coefficient"]: (r["estimate"], r["conf_low"], r["conf_high"]) for r in rows.iter_rows(named=True)}
    if found.icc is not None:
        for value, low, high in found.icc.table.filter(form="ICC2").select("icc", "conf_low", "conf_high").iter_rows():
            told |= {} if value is None else {"icc": (value, low, high)}
    name = next((k for k in MAIN if k in told), "")
    return (name, *told[name]) if name else None


def _finding(v: Validation, main: dict[str, tuple[str, float, float | None, float | None]]) -> Text:
    """How many judgements are alike enough."""
    good = sum(value >= (ICC if name == "icc" else ALPHA) for name, value, _, _ in main.values())
    many = len(v.raters)
    return words.sentence(
        Text(f"raters agree well on {good} of {many} judgement{'s' if many > 1 else ''}",
             f"{many} 项评分中有 {good} 项一致性良好")
    )  # fmt: skip


def _sentence(label: Text, name: str, value: float, low: float | None, high: float | None) -> Text:
    """One judgement's coefficient with its interval."""
    what = Text("ICC(A,1)", "ICC(A,1)") if name == "icc" else COEFFICIENTS[name]
    said = {}
    for lang, sign in (("en", " to "), ("zh", " 至 ")):
        one, *ends = (style.coefficient(x, lang) for x in (value, low, high) if x is not None)
        said[lang] = (one, sign.join(ends))
    (en, ends_en), (zh, ends_zh) = said["en"], said["zh"]
    return Text(
        f"{label.en}: {what.en} {en}{f' ({ends_en})' if ends_en else ''}.",
        f"{label.zh}：{what.zh} {zh}{f'（{ends_zh}）' if ends_zh else ''}。",
    )


def _categories(v: Validation) -> Table | None:
    frames = [
        one.agreement.table.filter(pl.col("reason").ne_missing(WORDS.code)).with_columns(judgement=pl.lit(name))
        for name, one in v.raters.items()
        if one.agreement
    ]
    if not frames:
        return None
    columns = (
        Column("judgement", Text("Judgement", "评分内容")),
        Column("coefficient", Text("Coefficient", "系数")),
        Column("raters", Text("Raters", "评分者")),
        Column("n", Text("Units", "单元数"), "count"),
        Column("estimate", Text("Estimate", "估计值"), "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
    )
    frame = pl.concat(frames)
    emphasis: Emphasis = {
        (i, "estimate"): "warn"
        for i, (name, x) in enumerate(frame.select("coefficient", "estimate").iter_rows())
        if name.startswith("krippendorff") and x is not None and x < ALPHA
    }
    texts = {**labels_of(v), **COEFFICIENTS, "all": Text("all", "全部")}
    return Table("v_raters", Text("Categories", "类别"), frame, columns, emphasis, texts)


def _numbers(v: Validation) -> Table | None:
    known = {name: one.icc for name, one in v.raters.items() if one.icc is not None}
    frames = [of.table.with_columns(judgement=pl.lit(name), n=of.n) for name, of in known.items()]
    if not frames:
        return None
    columns = (
        Column("judgement", Text("Judgement", "评分内容")),
        Column("name", Text("Form", "形式")),
        Column("model", Text("Model", "模型")),
        Column("unit", Text("of", "单位")),
        Column("n", Text("Units", "单元数"), "count"),
        Column("icc", HEADINGS["icc"], "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
        Column("sem", HEADINGS["sem"], "number"),
        Column("sdc", HEADINGS["sdc"], "number"),
    )
    texts = {**labels_of(v), **{k: Text(k, zh) for k, zh in WORDED.items()}}
    return Table("v_rater_icc", Text("Intraclass correlations", "组内相关"), pl.concat(frames), columns, texts=texts)


def _reasons(found: Raters) -> tuple[Note, ...]:
    """Why coefficients are absent."""
    both = (found.agreement, found.icc)
    return tuple(Note(code, r.text) for one in both if one is not None for code, r in one.reasons.items())
