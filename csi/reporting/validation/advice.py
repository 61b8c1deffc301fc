"""What to change: one line per item and construct with the rule, its number, its limit and whose it is."""

from __future__ import annotations

import polars as pl

from csi.catalogue.advice import ACTIONS
from csi.errors import Text
from csi.measures.questionnaire.advice import decisions
from csi.measures.questionnaire.validate import Validation
from csi.reporting import words
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.validation.held import labels_of, listed

CHANGED = ("drop", "reverse", "reword")
"""Actions that change an item."""
OUGHT = {"drop": "warn", "reverse": "warn", "reword": "warn", "add": "focus"}


def advice_section(v: Validation) -> Section:
    """What speaks against each item and construct; then those that stay."""
    spoken = v.advice.filter(pl.col("action") != "keep")
    fresh = (pl.col("name") != pl.col("name").shift()).fill_null(value=True)
    shown = spoken.with_columns(pl.when(fresh).then("name").otherwise(pl.lit("")))
    columns = (
        Column("name", Text("Item or construct", "题项或构念")),
        Column("action", Text("Advice", "建议")),
        Column("says", Text("Because", "理由")),
        Column("value", Text("Number", "数值"), "estimate"),
        Column("limit", Text("Limit", "界值"), "estimate"),
        Column("other", Text("with", "相关项")),
        Column("source", Text("Whose rule", "出处")),
    )
    emphasis: Emphasis = {
        (i, "action"): "warn" if OUGHT[action] == "warn" else "focus"
        for i, action in enumerate(spoken["action"].to_list())
        if action in OUGHT
    }
    says = dict(zip(spoken["says"].to_list(), spoken["says_zh"].to_list(), strict=True))
    texts = {**labels_of(v), **ACTIONS, **{en: Text(en, zh) for en, zh in says.items()}}
    kept = decisions(v.advice).filter(action="keep")["name"].to_list()
    stays = listed(v, kept, most=60)
    paragraph = words.sentence(Text(f"keep as they are: {stays.en}", f"建议保留：{stays.zh}"))
    return Section(
        key="v_advice",
        title=advice_finding(v),
        subtitle=Text("Every rule that spoke, with its number and its limit; rules are customs, not tests",
                      "列出触发的每条规则及其数值与界值；规则为惯例，并非检验"),
        tables=(Table("advice", Text("What to change", "修改建议"), shown, columns, emphasis, texts),)
        if spoken.height else (),
        paragraphs=(paragraph,) if kept else (),
        data={"advice": v.advice, "decisions": decisions(v.advice)},
    )  # fmt: skip


def changed(v: Validation) -> list[str]:
    """Items that some rule would have reworded or dropped."""
    return decisions(v.advice).filter(pl.col("action").is_in(CHANGED))["name"].to_list()


def advice_finding(v: Validation) -> Text:
    """How many items stay, are looked at, reworded and dropped."""
    found = decisions(v.advice)
    counts = {a: found.filter(action=a).height for a in ACTIONS}
    parts, zh = [], []
    for action in ("drop", "reverse", "reword", "look", "keep"):
        if counts[action]:
            parts.append(f"{ACTIONS[action].en} {counts[action]}")
            zh.append(f"{ACTIONS[action].zh} {counts[action]} 题")
    return words.sentence(
        Text(f"of {found.height} items: {', '.join(parts)}", f"共 {found.height} 题：{'，'.join(zh)}")
    )
