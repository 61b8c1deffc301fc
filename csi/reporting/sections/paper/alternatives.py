"""Rivals of a covariance model: constructs that are free to covary, and one factor for everything."""

from __future__ import annotations

import polars as pl

from csi.errors import Problems, Text, note
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.measures.fit_measures import fit_measures
from csi.measures.nested import lrt
from csi.reporting import style
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.fit import measured
from csi.reporting.sections.model import cell_of
from csi.study.estimator import estimator_of

NAMES = {
    "specified": Text("the model as specified", "设定的模型"),
    "measurement": Text("constructs covary freely", "构念间自由相关"),
    "one factor": Text("one factor behind all items", "全部题项共一因子"),
}
EQUIVALENT = note(
    "N-EQUIVALENT",
    "Equivalent models, which fit as well with other arrows, are not searched for; theory has to tell them apart.",
    "未搜索等价模型（箭头不同而拟合相同），需由理论区分。",
)


def alternatives_section(a: Analysis) -> Section:
    """Fit and information criteria of the model and its rivals; whether its arrows cost fit."""
    est = cell_of(a).estimate
    where = {"brand": a.focal, "wave": a.wave}
    free = "\n".join(line for line in str(a.model).splitlines() if "=~" in line)
    one = f"everything =~ {' + '.join(a.model.items)}"
    fits: dict[str, Estimate] = {"specified": est}
    for name, text in (("measurement", free), ("one factor", one)):
        try:
            fits[name] = fit(text, a.panel, estimator_of(a.study.settings), where=where)
        except Problems:
            continue
    frame = pl.DataFrame([_row(name, one_) for name, one_ in fits.items()])
    columns = (
        Column("model", Text("Model", "模型")),
        Column("chi2", Text("χ²", "χ²"), "score"),
        Column("df", Text("df", "df"), "count"),
        Column("cfi", Text("CFI", "CFI"), "index"),
        Column("rmsea", Text("RMSEA", "RMSEA"), "index"),
        Column("srmr", Text("SRMR", "SRMR"), "index"),
        Column("aic", Text("AIC", "AIC"), "score"),
        Column("bic", Text("BIC", "BIC"), "score"),
    )
    title, tested = _title(fits)
    return Section(
        key="alternatives",
        title=title,
        subtitle=Text(
            "The same answers and estimator; smaller AIC and BIC are better", "相同答卷与估计方法；AIC 与 BIC 越小越好"
        ),
        tables=(Table("alternatives", Text("Rival models", "竞争模型"), frame, columns, texts=NAMES),),
        notes=(EQUIVALENT,),
        data={"alternatives": frame, **tested},
    )


def _row(name: str, est: Estimate) -> dict[str, object]:
    m, more = measured(est), dict(fit_measures(est).table.select("measure", "value").iter_rows())
    keys = ("chi2", "df", "cfi", "rmsea", "srmr")
    return {"model": name, **{k: m.get(k) for k in keys}, **{k: more.get(k) for k in ("aic", "bic")}}


def _title(fits: dict[str, Estimate]) -> tuple[Text, dict[str, pl.DataFrame]]:
    """Whether leaving arrows out costs fit, by the difference test."""
    undecided = Text("The model and its rivals cannot be tested against each other", "模型与竞争模型之间无法检验")
    if "measurement" not in fits:
        return undecided, {}
    try:
        table = lrt(specified=fits["specified"], measurement=fits["measurement"]).table
    except Problems as found:
        why = found.problems[0].what
        return Text(f"{undecided.en}: {why.en.rstrip('.')}", f"{undecided.zh}：{why.zh.rstrip('。')}"), {}
    row = table.row(table.height - 1, named=True)
    p, df = row["p_value"], row["df_diff"]
    if p is None:
        return undecided, {"difference": table}
    said = {lang: style.p_value(p, lang) for lang in ("en", "zh")}
    said = {lang: s if s.startswith("<") else f"= {s}" for lang, s in said.items()}
    if p < 0.05:
        text = Text(
            f"Its absent arrows cost the model fit (Δχ² on {df:.0f} df, p {said['en']})",
            f"未设的箭头使模型拟合变差（Δχ²，df = {df:.0f}，p {said['zh']}）",
        )
    else:
        text = Text(
            f"Its absent arrows do not cost the model fit (Δχ² on {df:.0f} df, p {said['en']})",
            f"未设的箭头未使模型拟合变差（Δχ²，df = {df:.0f}，p {said['zh']}）",
        )
    return text, {"difference": table}
