"""Whether groups may be compared: the ladder of measurement invariance over brands (or another key)."""

from __future__ import annotations

import csi
from csi.errors import Text
from csi.measures.invariance import invariance
from csi.measures.ladder import TITLES
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.fit import factors
from csi.reporting.sections.grouped import group_key, group_labels, group_where, grouped_by
from csi.reporting.soundness import told_groups

HELD = ("not rejected", "equivalent", "partial")
VERDICTS = {
    "baseline": Text("baseline", "基准"),
    "not rejected": Text("not rejected", "未拒绝"),
    "partial": Text("partial", "部分成立"),
    "rejected": Text("rejected", "拒绝"),
    "void": Text("void (below a rejected step)", "不计（前一步已拒绝）"),
    "equivalent": Text("equivalent", "等价"),
    "unsettled": Text("no solution", "无解"),
    "not tested": Text("not tested", "未检验"),
}


def invariance_section(a: Analysis) -> Section:
    """The ladder step by step: fit, what changed, the verdict, and a sentence each."""
    key = group_key(a)
    panel, few = told_groups(a.study, a.panel, (key,), group_where(a, key))
    found = invariance(factors(a.model), panel, key, csi.SEM(estimator="MLR"), where=group_where(a, key))
    rows = found.table.to_dicts()
    held = [r["step"] for r in rows if r["verdict"] in HELD]
    last = held[-1] if held else None
    told = [r["step"] for r in rows if r["verdict"] in {*HELD, "rejected", "unsettled"}]
    columns = (
        Column("step", Text("Step", "步骤")),
        Column("chi2", Text("χ²", "χ²"), "score"),
        Column("df", Text("df", "df"), "count"),
        Column("cfi", Text("CFI", "CFI"), "index"),
        Column("rmsea", Text("RMSEA", "RMSEA"), "index"),
        Column("srmr", Text("SRMR", "SRMR"), "index"),
        Column("delta_cfi", Text("ΔCFI", "ΔCFI"), "index"),
        Column("delta_p", Text("p of Δχ²", "Δχ² 的 p"), "p"),
        Column("verdict", Text("Verdict", "判断")),
    )
    emphasis: Emphasis = {(i, "verdict"): "warn" for i, r in enumerate(rows) if r["verdict"] == "rejected"}
    table = Table(
        "invariance",
        Text("Steps of the ladder", "各步检验"),
        found.table,
        tuple(c for c in columns if c.name in found.table.columns),
        emphasis,
        {**{str(k): t for k, t in TITLES.items()}, **VERDICTS},
    )
    return Section(
        key="invariance",
        title=_title(last, [r["step"] for r in rows if r["verdict"] == "rejected"]),
        subtitle=grouped_by(a, key, Text("factors, MLR", "因子模型，MLR")),
        tables=(table,),
        paragraphs=tuple(
            words.named(found.sentences[s], a.construct_labels, group_labels(a)) for s in told if s in found.sentences
        ),
        notes=(*few, *found.notes),
        data={"invariance": found.table},
    )


def _short(step: str) -> Text:
    """The name of a step without its explanation."""
    title = {str(k): t for k, t in TITLES.items()}[step]
    return Text(title.en.split(" (")[0], title.zh.split("（")[0])


def _title(last: str | None, rejected: list[str]) -> Text:
    """How far the ladder holds."""
    fell = _short(rejected[0]) if rejected else None
    if last is None:
        return Text("Groups cannot be compared: not even loadings hold equal", "各组不可比：载荷相等即被拒绝")
    name = _short(last)
    if fell is None:
        return Text(f"Invariance is not rejected up to the {name.en.lower()} step", f"直至{name.zh}均未拒绝不变性")
    en = f"Invariance is not rejected up to the {name.en.lower()} step, and rejected at the {fell.en.lower()} one"
    return Text(en, f"不变性在{name.zh}未被拒绝，在{fell.zh}被拒绝")
