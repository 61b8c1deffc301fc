"""`csi tree STUDY`: the index of industries, sectors and a nation, and the audit that adds up to them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import polars as pl

from csi.cli.answer import FINE, Answer, Grid
from csi.cli.evidence import evidence_blocks, gate_arguments, light_evidence
from csi.cli.grids import each, grid, identified
from csi.cli.index import RESAMPLING, published
from csi.cli.progress import working
from csi.cli.studied import (
    bootstrap_argument,
    check_cells,
    chosen,
    errors_argument,
    names,
    opened,
    provenance,
    study_argument,
)
from csi.cli.to import check_to, to_argument
from csi.cli.to_tables import with_files
from csi.cli.track_grid import starred
from csi.errors import Language, Note, Problem, Problems, Text, did_you_mean, problem
from csi.reporting.section import Kind
from csi.reporting.sections.tree import LEVELS, level_word
from csi.reporting.tables import signed
from csi.study import Study
from csi.study.grown import grown
from csi.survey.bases import FLAGS
from csi.survey.panel import Panel
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index
from csi.tracking.tree import Tree
from csi.tracking.tree_audit import TOGETHER
from csi.tracking.tree_checks import OTHERS
from csi.tracking.tree_tables import APART, LIKE, shifts

HEADINGS = {
    "level": Text("level", "层级"),
    "node": Text("node", "节点"),
    "parent": Text("parent", "上级"),
    "child": Text("child", "成员"),
    "change_previous": Text("vs previous", "较上期"),
    "change_year": Text("vs a year before", "同比"),
    "p_previous": Text("p", "p 值"),
    "alike_previous": Text("like for like", "同口径变化"),
    "alike_year": Text("like for like", "同口径变化"),
    "flag": Text("base", "样本量提示"),
    "p_year": Text("p", "p 值"),
    "missing_weight": Text("missing weight", "缺失权重"),
    "rebased": Text("rebased", "定基指数"),
    "share": Text("share", "份额"),
    "contribution": Text("contribution", "贡献"),
    "weight_period": Text("of", "时期"),
    "as_of": Text("dated", "发布日期"),
    "treatment": Text("how", "处理"),
    "reason": Text("", ""),
}
WORDS = {
    "seen": Text("seen", "实测"),
    "carried": Text("carried", "沿用"),
    "imputed": Text("imputed", "插补"),
    "missing": Text("missing", "缺失"),
    "together": Text("together", "合并"),
    TOGETHER: Text("Too few answers each", "样本量不足者"),
    "brand": Text("brand", "品牌"),
    "company": Text("company", "企业"),
    "industry": Text("industry", "行业"),
    "sector": Text("sector", "部门"),
    "market": Text("market", "市场"),
    "nation": Text("nation", "全国"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study with a tree, the wave, the level, and whether the audit is wanted."""
    study_argument(parser)
    parser.add_argument("--wave", help="one wave (the latest by default)")
    parser.add_argument("--level", help="one level of the tree, such as industry")
    parser.add_argument("--base", metavar="WAVE", help="the wave that is set to 100")
    parser.add_argument("--restate", action="store_true", help="the latest date of every weight, which changes history")
    parser.add_argument("--audit", action="store_true", help="weight, share, index and contribution of every child")
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)
    gate_arguments(parser, anyway=False)
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The tree of a wave: one row per node, or the audit of its parents."""
    check_to(args.to)
    study, panel = opened(args.study, args.bootstrap, args.errors)
    if study.settings.tree is None:
        raise Problems([no_tree(study)])
    asked = chosen(study, panel, None, args.wave)
    cells = asked or {"wave": panel.waves[-1]}
    check_cells(study, panel, cells)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        found = published(study, panel, cells)
    gate, told = light_evidence(study, found, args, study.settings.target, lang)
    check_base(panel.waves, args.base)
    made = grown(study, found, base=args.base, restate=args.restate, panel=panel, gate=gate)
    if made is None:
        raise Problems([no_tree(study)])
    wave = cells.get("wave", "")
    check_level(made, args.level)
    blocks: list[str | Grid] = [s.say(lang) for s in made.told.get(wave if made.waves else "", ())]
    blocks.append(tree_grid(study, made, wave, args.level, lang))
    blocks += evidence_blocks(study, found, gate, args, made.construct, cells, lang, light=True)
    if args.audit:
        blocks.append(audit_grid(study, made, wave, args.level, lang))
    answer = Answer(
        blocks=tuple(blocks),
        data={
            "construct": made.construct,
            "tree": made.table,
            "changes": made.changes,
            "pairs": made.pairs,
            "audit": made.audit,
        },
        notes=(*panel.notes, *made.notes, *told),
        code=FINE,
        record={
            **provenance(study, panel),
            "tree": made.table,
            "changes": made.changes,
            "audit": made.audit,
            **({} if gate is None else {"comparability": gate.sets}),
        },
    )
    return with_files(answer, args.to, study, lang, texts_of(study, made, lang))


def no_tree(study: Study) -> Problem:
    """What a study without a tree needs."""
    en, zh = "the study has no tree.", "该研究没有汇总树。"
    do = "Write `tree: {structure: {market: [brand, brand]}, weights: weights.csv}`."
    do_zh = "请写 tree: {structure: {市场: [品牌, 品牌]}, weights: weights.csv}。"
    return problem("E-TREE", str(study.path), en, zh, do, do_zh)


def check_base(waves: Sequence[str], base: str | None) -> None:
    """Raise for a base wave that has no answers."""
    if base is not None and base not in waves:
        hint = did_you_mean(base, waves, every=True)
        en, zh = f'there is no wave "{base}" in the data.', f"数据中没有“{base}”这一期。"
        raise Problems([problem("E-WAVE", "--base", en, zh, hint.en, hint.zh)])


def check_level(made: Tree, level: str | None) -> None:
    """Raise for a level that the tree does not have."""
    known = list(dict.fromkeys(made.structure.level))
    if level is not None and level not in known:
        hint = did_you_mean(level, known)
        en, zh = f'the tree has no level "{level}".', f"汇总树没有“{level}”这一层级。"
        raise Problems([problem("E-TREE", "--level", en, zh, hint.en, hint.zh)])


def texts_of(study: Study, made: Tree, lang: Language) -> dict[str, Text]:
    """Labels of nodes, levels and treatments."""
    return {OTHERS: OTHERS_WORD, **names(study, lang), **WORDS, **FLAGS, **made.structure.labels}


OTHERS_WORD = Text("All others", "其他")


def tree_grid(study: Study, made: Tree, wave: str, level: str | None, lang: Language) -> Grid:
    """One row per node: index, interval, change on the wave before, missing weight, rebased."""
    table = made.table if "wave" not in made.table.columns else made.table.filter(pl.col("wave") == wave)
    kinds: dict[str, Kind] = {**each(["level", "node"], "text"), **each(["index", "conf_low", "conf_high"], "score")}
    table, moved = with_changes(made, table, wave)
    kinds |= moved
    right = [name for name in moved if name.startswith(("change", "alike"))]
    if "rebased" in table.columns:
        kinds |= {"rebased": "score"}
    kinds |= {"n": "count"}
    if (table["missing_weight"].fill_null(0.0) > 0).any():
        kinds |= {"missing_weight": "share"}
    if level is not None:
        table = table.filter(pl.col("level") == level)
    if (table["flag"] == "small").any():
        marked = pl.when(pl.col("flag") == "small").then("flag").fill_null("")
        table, kinds = table.with_columns(marked.alias("flag")), {**kinds, "flag": "text"}
    table, kinds = with_reasons(table, kinds, lang)
    table = with_levels(table, lang)
    label = study.codebook.label(made.construct, lang)
    formula = made.table["formula"][0] if made.table.height else ""
    at = f" · {wave}" if wave else ""
    title = Text(f"{label}: index 0-100 by level ({formula}){at}", f"{label}：各层级指数（0–100，{formula}）{at}")
    return grid(table, kinds, lang, title, texts_of(study, made, lang), HEADINGS, right=right)


def with_levels(table: pl.DataFrame, lang: Language) -> pl.DataFrame:
    """Levels in words: a node may have the name of a level and another label."""
    numbered = [name for name in table["level"].unique() if level_word(name).en != name and name not in LEVELS]
    words = {name: word.say(lang) for name, word in WORDS.items()}
    words |= {name: level_word(name).say(lang).lower() for name in numbered}
    return table.with_columns(pl.col("level").replace(words))


def with_changes(made: Tree, table: pl.DataFrame, wave: str) -> tuple[pl.DataFrame, dict[str, Kind]]:
    """Columns of the changes on the wave before and on a year before, a star where significant, as far as there are."""
    kinds: dict[str, Kind] = {}
    for against in ("previous", "year") if made.waves else ():
        moved = made.changes.filter((pl.col("wave") == wave) & (pl.col("against") == against))
        if not moved["change"].count() and not (moved["reason"] == APART.en).any():
            continue
        names_ = {f"{new}_{against}": old for new, old in MOVED.items()}
        table = table.join(moved.select("node", **names_), on="node", how="left", maintain_order="left")
        table = _marked(table, against)
        kinds |= {f"change_{against}": "text", f"p_{against}": "p"}
        if shifts(moved):
            kinds |= {f"alike_{against}": "text"}
    return table, kinds


def _marked(table: pl.DataFrame, against: str) -> pl.DataFrame:
    """Changes as they are printed: the star stands at what is tested, the change or the change like for like; one that
    is withheld for want of a common member gives its reason.
    """
    like = (pl.col(f"tested_{against}") == LIKE).fill_null(value=False)
    sure = pl.col(f"significant_{against}")
    shown = starred(table.with_columns((sure & ~like).alias(sure.meta.output_name())), against)
    alike = table.select(f"alike_{against}", sure & like).iter_rows()
    both = [None if value is None else signed(value) + (" *" if star else "  ") for value, star in alike]
    reasons = []
    for old, old_zh, why in table.select("reason", "reason_zh", f"why_{against}").iter_rows():
        head = HEADINGS[f"change_{against}"]
        new = Text(f"{head.en}: {APART.en}", f"{head.zh}：{APART.zh}") if why == APART.en else Text("", "")
        reasons.append(("; ".join(x for x in (old, new.en) if x), "；".join(x for x in (old_zh, new.zh) if x)))
    return table.with_columns(
        pl.Series(f"change_{against}", shown, dtype=pl.String),
        pl.Series(f"alike_{against}", both, dtype=pl.String),
        pl.Series("reason", [en or None for en, _ in reasons], dtype=pl.String),
        pl.Series("reason_zh", [zh or None for _, zh in reasons], dtype=pl.String),
    )


def with_reasons(table: pl.DataFrame, kinds: dict[str, Kind], lang: Language) -> tuple[pl.DataFrame, dict[str, Kind]]:
    """Why numbers are absent, where any are."""
    reason = "reason_zh" if lang == "zh" else "reason"
    if table[reason].null_count() == table.height:
        return table, kinds
    return table.with_columns(reason=pl.col(reason).fill_null("")), {**kinds, "reason": "text"}


MOVED = {
    "change": "change",
    "significant": "significant",
    "p": "p_adjusted",
    "alike": "like_for_like",
    "tested": "tested",
    "why": "reason",
}
"""Columns of a grid <- those of the changes."""


def above(
    study: Study, found: Index, construct: str, panel: Panel | None = None, gate: Comparable | None = None
) -> Tree | None:
    """The tree of a tracking table; none of a study without one, of another construct, of a single nameless wave."""
    made = grown(study, found, panel=panel, gate=gate) if construct == study.settings.target else None
    return made if made is not None and made.waves else None


def above_data(made: Tree | None) -> dict[str, object]:
    """Its tables beside those of the tracking."""
    return {} if made is None else {"tree": made.table, "tree_changes": made.changes}


def above_notes(made: Tree | None) -> tuple[Note, ...]:
    """Which answers the parents do not contain, and what is tested where members changed."""
    return () if made is None else tuple(n for n in made.notes if n.code in {"N-TREE-SMALL", "N-TREE-LIKE"})


def above_blocks(study: Study, made: Tree | None, wave: str, lang: Language) -> tuple[str | Grid, ...]:
    """The parents of a wave under a tracking table, with their changes; which leaves are new or no more."""
    if made is None:
        return ()
    parents = [made.structure.names[i] for i in made.structure.parents]
    table = made.table.filter((pl.col("wave") == wave) & pl.col("node").is_in(parents))
    table, moved = with_changes(made, table, wave)
    score = each(["index", "conf_low", "conf_high"], "score")
    kinds: dict[str, Kind] = {**each(["level", "node"], "text"), **score, **moved, "n": "count"}
    if (table["missing_weight"].fill_null(0.0) > 0).any():
        kinds |= {"missing_weight": "share"}
    table, kinds = with_reasons(table, kinds, lang)
    plain = Text("Parents: weighted means of what is below them", "各上级：其下成员的加权平均")
    title = identified(plain, table["formula"])
    right = [name for name in moved if name.startswith(("change", "alike"))]
    printed = grid(with_levels(table, lang), kinds, lang, title, texts_of(study, made, lang), HEADINGS, right=right)
    return (printed, *(s.say(lang) for s in made.entered.get(wave, ())))


def audit_grid(study: Study, made: Tree, wave: str, level: str | None, lang: Language) -> Grid:
    """Weight, share, index and contribution of every child of every parent; the contributions add up to the parent."""
    table = made.audit if "wave" not in made.audit.columns else made.audit.filter(pl.col("wave") == wave)
    if level is not None:
        table = table.filter(pl.col("level") == level)
    kinds: dict[str, Kind] = {**each(["parent", "child"], "text"), "weight": "number"}
    if table["weight_period"].null_count() < table.height:
        table, kinds = table.with_columns(pl.col("weight_period").fill_null("")), {**kinds, "weight_period": "text"}
    if table["as_of"].null_count() < table.height:
        table, kinds = table.with_columns(pl.col("as_of").fill_null("")), {**kinds, "as_of": "text"}
    kinds |= {"share": "share", "index": "number", "contribution": "number", "n": "count", "treatment": "text"}
    table = table.with_columns(pl.col("treatment").fill_null(""))
    plain = Text("Audit: the contributions add up to the parent", "核对表：各成员贡献之和等于上级指数")
    title = identified(plain, made.table["formula"])
    return grid(table, kinds, lang, title, texts_of(study, made, lang), HEADINGS)
