"""`csi quality STUDY`: what each rule finds in the answers, what it moves the index by, and where rows went."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import HEADINGS, each, grid
from csi.cli.studied import names, study_argument
from csi.cli.to import check_to, to_argument, write_to
from csi.errors import Language, Note, Problems, Text, did_you_mean, note, problem
from csi.reporting.section import Kind
from csi.reporting.words import answering as words
from csi.reporting.words.rules import detail
from csi.study import Study, read_study
from csi.study.quality import ALL, Quality, quality
from csi.survey.rule_words import RULE_WORDS


def arguments(parser: argparse.ArgumentParser) -> None:
    """The study file, one cell, a file of tables."""
    study_argument(parser)
    parser.add_argument("--brand", help="one brand, by name or label")
    parser.add_argument("--wave", help="one wave")
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Rules and their effects; rows read, touched and kept; items; interviewers and modes."""
    check_to(args.to)
    study = read_study(args.study)
    found = quality(study)
    asked = _asked(study, found, args.brand, args.wave)
    texts = {**names(study, lang), **words.LABELS, **{d: detail(d) for d in found.table["detail"]}}
    whole = found.effects.filter(pl.col("rule") == ALL).tail(1)
    target = texts.get(found.target, Text(found.target, found.target))
    effect, low, high = whole.select("effect", "conf_low", "conf_high").row(0) if whole.height else (None,) * 3
    touched = whole.height and whole["rows"][0]
    said = words.together(effect if touched else None, low, high, target)
    blocks: list[str | Grid] = [study.title.say(lang) or study.name]
    blocks += [*([said.say(lang)] if said.en else []), *_grids(found, asked, texts, lang)]
    frames = {
        "rules": (words.RULES, found.table.drop("source" if lang == "zh" else "source_zh")),
        "effects": (words.EFFECTS, found.effects),
        "flow": (words.FLOW, found.flow),
        "items": (words.ITEMS, found.items),
        "interviewers": (words.INTERVIEWERS, found.interviewers),
        "modes": (words.MODES, found.modes),
    }
    kept = {name: pair for name, pair in frames.items() if pair[1].height}
    files = write_to(args.to, study.title, kept, lang, words.HEADINGS, texts)
    data = {"target": found.target, "level": found.level, **{name: frame for name, (_, frame) in frames.items()}}
    return Answer((*blocks, *files), data | {"rules": found.table}, (*_notes(study, found), *found.notes))


def _asked(study: Study, found: Quality, brand: str | None, wave: str | None) -> dict[str, str]:
    """The cell asked for; the latest wave where neither is.

    Raises:
        Problems: E-BRAND, E-WAVE with the closest name.
    """
    labels = {label: name for name, text in study.brands.items() for label in (text.en, text.zh)}
    asked = {"brand": labels.get(brand, brand) if brand else None, "wave": wave}
    wrong = []
    for key, value in asked.items():
        have = found.flow[key].drop_nulls().unique(maintain_order=True).to_list() if key in found.flow.columns else []
        if value is not None and value not in have:
            kind, zh = ("brand", "品牌") if key == "brand" else ("wave", "期次")
            hint = did_you_mean(value, have)
            what = (f'there is no {kind} "{value}" in the data.', f"数据中没有“{value}”这一{zh}。")
            wrong.append(problem(f"E-{key.upper()}", f"--{key}", *what, hint.en, hint.zh))
    if wrong:
        raise Problems(wrong)
    given = {k: v for k, v in asked.items() if v is not None}
    waves = [w for w in study.waves if "wave" in found.flow.columns and w in set(found.flow["wave"])]
    return given or ({"wave": waves[-1]} if waves else {})


def _grids(found: Quality, asked: Mapping[str, str], texts: Mapping[str, Text], lang: Language) -> Iterator[Grid]:
    """The tables a person reads; every line of them is in `--json` and `--to`."""
    yield grid(found.table, words.RULE_KINDS, lang, words.RULES, texts, words.HEADINGS)
    keys = [k for k in ("brand", "wave") if k in found.effects.columns]
    whole = pl.all_horizontal(pl.col(k).is_null() for k in keys) if keys else pl.lit(value=False)
    here = found.effects.filter(~whole, *(pl.col(k) == v for k, v in asked.items() if k in keys))
    pooled = found.effects.filter(whole)
    told = pl.concat([pooled, here]).filter(pl.col("effect").is_not_null() & (pl.col("rows") > 0))
    every = Text("all cells", "全部单元").say(lang)
    told = told.with_columns(pl.col(k).fill_null(every if k == keys[0] else "") for k in keys)
    kinds: dict[str, Kind] = {**each(keys, "text"), **words.EFFECT_KINDS}
    if told.height:
        yield grid(told, kinds, lang, words.EFFECTS, texts, {**HEADINGS, **words.HEADINGS})
    flow = found.flow.filter(*(pl.col(k) == v for k, v in asked.items() if k in found.flow.columns))
    yield _flow_grid(flow, texts, lang)
    items = found.items.filter((pl.col("bound") != "") | (pl.col("nonresponse") > 0.05))
    if items.height:
        yield grid(items, words.ITEM_KINDS, lang, words.ITEMS, texts, words.HEADINGS)
    for table, shapes, title in (
        (found.interviewers, words.INTERVIEWER_KINDS, words.INTERVIEWERS),
        (found.modes, words.MODE_KINDS, words.MODES),
    ):
        mine = table.filter(*(pl.col(k) == v for k, v in asked.items() if k in table.columns))
        if mine.height:
            there = {c: k for c, k in shapes.items() if c in mine.columns}
            own = "reason_zh" if lang == "zh" else "reason"
            there |= {own: "text"} if mine[own].count() else {}
            mine = mine.with_columns(pl.col(own).fill_null(""))
            yield grid(mine, there, lang, title, texts, words.HEADINGS)


def _flow_grid(flow: pl.DataFrame, texts: Mapping[str, Text], lang: Language) -> Grid:
    """A line per cell, a column per step."""
    keys = [k for k in ("brand", "wave") if k in flow.columns]
    steps = flow["rule"].unique(maintain_order=True).to_list()
    frame = flow if keys else flow.with_columns(pl.lit("").alias("_"))
    wide = frame.pivot("rule", index=[*keys] or ["_"], values="rows", maintain_order=True)
    heads = {s: texts.get(s, Text(s, s)) for s in steps}
    kinds: dict[str, Kind] = {**each(keys, "text"), **each(steps, "count")}
    return grid(wide, kinds, lang, words.FLOW, texts, {**HEADINGS, **heads})


def _notes(study: Study, found: Quality) -> Iterator[Note]:
    """What the numbers are of, and what is not told."""
    small, level = study.settings.small, f"{100 * found.level:g}%"
    yield note(
        "N-QUALITY-EFFECT",
        f"Effect: the index without the rows less the index with them, the weights of its items held; {level} "
        "intervals are linearised and paired. Rules that are off only look.",
        f"影响：不含这些答卷的指数减去含这些答卷的指数，题项权重不变；{level} 区间为配对线性化。未启用的规则仅供查看。",
    )
    lost = found.effects.filter(pl.col("reason").is_not_null() & (pl.col("rows") > 0)).height
    if lost:
        yield note(
            "N-QUALITY-WITHHELD",
            f"{lost} effects are withheld: with the published index they would tell of fewer than {small} answers.",
            f"{lost} 项影响不予发布：与已发布指数相减可得出不足 {small} 份答卷的数值。",
        )
    on = [RULE_WORDS[r].label for r in found.table.filter(pl.col("action") != "off")["rule"]]
    if found.interviewers.height or found.modes.height:
        yield note(
            "N-QUALITY-ASSOCIATED",
            "Differences between interviewers and modes are associated with them; who answers by which may differ.",
            "访问员与调查方式之间的差异只是相关：各自的受访者构成可能不同。",
        )
    if not on:
        yield note("N-QUALITY-OFF", "No rule runs.", "没有启用任何规则。")
