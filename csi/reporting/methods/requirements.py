"""Stakeholders and requirements, as sections."""

from __future__ import annotations

from csi.errors import Text
from csi.expectation.forms import named
from csi.expectation.requirements import requirements
from csi.expectation.requirements_words import HEADINGS
from csi.expectation.stakeholders import stakeholders
from csi.expectation.stakeholders_words import CLASSES, QUADRANTS, ROLE_HEADINGS, by_whom
from csi.expectation.stakeholders_words import HEADINGS as WHO
from csi.reporting.methods.method import Method, tabled, texts_of, titled
from csi.reporting.methods.needs import option
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

WEIGHTS: dict[str, Kind] = {
    "requirement": "text", "attribute": "text", "importance": "number", "current": "number", "target": "number",
    "improvement": "number", "sales_point": "number", "weight": "number", "percent": "score", "rank": "count",
}  # fmt: skip
TECHNICAL: dict[str, Kind] = {"characteristic": "text", "weight": "number", "percent": "score", "rank": "count"}
STATUS: dict[str, Kind] = {
    "requirement": "text", "attribute": "text", "wave": "text", "status": "text", "gap": "number", "conf_low": "number",
    "conf_high": "number", "change": "number",
}  # fmt: skip
PEOPLE: dict[str, Kind] = {
    "id": "text", "role": "text", "power": "number", "interest": "number", "legitimacy": "number", "urgency": "number",
    "salience": "number", "weight": "share", "quadrant": "text", "kind": "text",
}  # fmt: skip
HOPES: dict[str, Kind] = {
    "who": "text", "name": "text", "n": "count", "mean": "number", "conf_low": "number", "conf_high": "number",
}  # fmt: skip
ROLES: dict[str, Kind] = {"role": "text", "n": "count", "salience": "number", "share": "share"}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Weights of requirements and of technical characteristics; gaps before and after."""
    found = requirements(
        options.requirements, relations=options.relations, status=options.status,
        panel=panel if options.status else None, expected=options.expected or "Ew",
        perceived=options.perceived or "P", where=options.where,
    )  # fmt: skip
    attributes = {
        (i.attribute or i.name): named(i.label, i.attribute or i.name) for i in reversed(panel.codebook.items)
    }
    texts = {**attributes, **texts_of(study), **found.labels}
    tables = [tabled("requirements", Text("Requirements", "需求"), found.table, WEIGHTS, HEADINGS, texts)]
    if found.technical.height:
        heading = Text("Technical characteristics", "技术特性")
        tables.append(tabled("technical", heading, found.technical, TECHNICAL, HEADINGS, texts))
    if found.status.height:
        alone = found.status["wave"].n_unique() < 2
        heading = Text("Status and gap", "状态与差距") if alone else Text("Before and after", "前后对比")
        shown = {c: k for c, k in STATUS.items() if found.status[c].null_count() < found.status.height}
        tables.append(tabled("status", heading, found.status, shown, HEADINGS, texts))
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="requirements",
        title=title,
        subtitle=Text(
            "Weight = importance x target / current x sales point (quality function deployment)",
            "权重 = 重要性 × 目标/现状 × 卖点（质量功能展开）",
        ),
        paragraphs=more,
        tables=tuple(tables),
        notes=found.notes,
        data={"requirements": found.table, "technical": found.technical, "status": found.status},
    )


def tell_stakeholders(study: Study, panel: Panel, options: Options) -> Section:
    """Salience, weights, quadrants; what each role expects."""
    found = stakeholders(
        options.stakeholders, panel=panel, expected=options.expected or "Ew", where=options.where,
        level=study.settings.level, small=study.settings.small, flagged=study.settings.flagged,
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **QUADRANTS, **CLASSES}
    title, more = titled(found.sentences, WHOM.title)
    expected = by_whom(found.expectations)
    tables = [
        tabled("stakeholders", Text("Stakeholders", "干系人"), found.table, PEOPLE, WHO, texts),
        tabled("roles", Text("Roles", "角色"), found.roles, ROLES, WHO, texts),
    ]
    if expected.height:
        heading = Text("What each role expects", "各角色的期望")
        tables.append(tabled("expectations", heading, expected, HOPES, ROLE_HEADINGS, texts))
    return Section(
        key="stakeholders",
        title=title,
        subtitle=Text(
            "Salience = power + legitimacy + urgency; quadrant: power by interest; weights add up to 100% in a role "
            "and weigh what its stakeholders expect",
            "显著性 = 权力 + 合法性 + 紧迫性；象限：权力 × 利益；角色内权重合计为 100%，并用于合并各干系人的期望",
        ),
        paragraphs=more,
        tables=tuple(tables),
        notes=found.notes,
        data={"stakeholders": found.table, "roles": found.roles, "expectations": found.expectations},
    )


METHOD = Method(
    name="requirements",
    number=0,
    title=Text("Requirement matrix", "需求矩阵"),
    needs=(option("requirements", Text("a table of requirements", "需求表")),),
    tell=tell,
    options=("requirements", "relations", "status", "expected", "perceived"),
    cells=("where",),
)
WHOM = Method(
    name="stakeholders",
    number=0,
    title=Text("Stakeholders", "干系人分析"),
    needs=(option("stakeholders", Text("a table of stakeholders", "干系人表")),),
    tell=tell_stakeholders,
    options=("stakeholders", "expected"),
    cells=("where",),
)
