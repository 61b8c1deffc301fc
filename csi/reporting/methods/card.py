"""Any model card as a section: its diagram with estimates, signed paths, measurement, mediation, index, rivals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import get_args

import polars as pl

from csi.catalogue import entry, names
from csi.claims.blocks import items_of
from csi.claims.card_run import CardRun
from csi.claims.run import run_card
from csi.claims.run_words import TITLES, VERDICTS
from csi.errors import Problems, Text, did_you_mean, problem
from csi.measures.mediation import KINDS
from csi.measures.shown import HEADINGS, WORDS
from csi.models.card import Block, Card
from csi.reporting import style
from csi.reporting.figures.diagram import model_diagram, path_diagram
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.section import Figure, Section, Table
from csi.reporting.tables import Kind
from csi.study.estimator import estimator_of
from csi.study.options import Options
from csi.study.schema import EstimatorName
from csi.study.study import Study
from csi.survey.panel import Panel

PATHS: dict[str, Kind] = {
    "predictor": "text", "outcome": "text", "expected": "text", "estimate": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "verdict": "text",
}  # fmt: skip
HELD: dict[str, Kind] = {
    "construct": "text", "n_items": "count", "alpha": "coefficient", "rho_a": "coefficient", "rho_c": "coefficient",
    "ave": "coefficient",
}  # fmt: skip
LOADED: dict[str, Kind] = {
    "construct": "text", "item": "text", "loading": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "weight": "coefficient",
}  # fmt: skip
APART: dict[str, Kind] = {
    "construct": "text", "other": "text", "htmt": "coefficient", "upper": "coefficient", "verdict": "text",
}  # fmt: skip
CHAINS: dict[str, Kind] = {
    "chain": "text", "expected": "text", "estimate": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "kind": "text", "verdict": "text",
}  # fmt: skip
DIFFER: dict[str, Kind] = {
    "formula": "text", "estimate": "coefficient", "conf_low": "coefficient", "conf_high": "coefficient",
}  # fmt: skip
CARRIED: dict[str, Kind] = {
    "construct": "text", "outcome": "text", "part": "text", "share": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
BENT: dict[str, Kind] = {
    "outcome": "text", "construct": "text", "n_below": "count", "b_below": "coefficient", "b_below_low": "coefficient",
    "b_below_high": "coefficient", "n_above": "count", "b_above": "coefficient", "b_above_low": "coefficient",
    "b_above_high": "coefficient", "p_adjusted": "p", "pattern": "text",
}  # fmt: skip
SCORES: dict[str, Kind] = {
    "construct": "text", "index": "score", "std_error": "number", "conf_low": "score", "conf_high": "score",
    "n": "count",
}  # fmt: skip
POINTS: dict[str, Kind] = {
    "target": "text", "construct": "text", "gain": "number", "gain_conf_low": "number", "gain_conf_high": "number",
    "importance_std": "coefficient",
}  # fmt: skip
EXPLAINED: dict[str, Kind] = {
    "construct": "text", "predictors": "count", "r2": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient",
}  # fmt: skip
FITTED: dict[str, Kind] = {"measure": "text", "value": "estimate"}
FORESEEN: dict[str, Kind] = {"construct": "text", "q2_predict": "coefficient"}
CONTEST: dict[str, Kind] = {
    "rival": "text", "model": "text", "chi2": "number", "df": "count", "cfi": "index", "rmsea": "index",
    "srmr": "index", "bic": "score", "r2": "coefficient", "significant": "share", "chi2_diff": "number",
    "df_diff": "count", "p_value": "p",
}  # fmt: skip

SIGNS = {"-": Text(style.MINUS, style.MINUS)}
"""Expected signs as they are printed."""

HEADS = {
    **HEADINGS,
    "expected": Text("expected", "预期"),
    "verdict": Text("verdict", "判断"),
    "estimate": Text("estimate", "估计值"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "item": Text("item", "题项"),
    "loading": Text("loading", "载荷"),
    "weight": Text("weight", "权重"),
    "n_items": Text("items", "题项数"),
    "n": Text("n", "样本量"),
    "n_below": Text("n below", "均值以下人数"),
    "b_below": Text("slope below the mean", "均值以下斜率"),
    "b_below_low": Text("low", "下限"),
    "b_below_high": Text("high", "上限"),
    "n_above": Text("n above", "均值以上人数"),
    "b_above": Text("slope above the mean", "均值以上斜率"),
    "b_above_low": Text("low", "下限"),
    "b_above_high": Text("high", "上限"),
    "p_adjusted": Text("p of the difference (Holm)", "差异 p 值（Holm）"),
    "pattern": Text("pattern", "形态"),
    "alpha": Text("alpha", "α"),
    "rho_a": Text("rho_A", "ρA"),
    "rho_c": Text("rho_C", "ρC"),
    "ave": Text("AVE", "AVE"),
    "htmt": Text("HTMT", "HTMT"),
    "upper": Text("upper bound", "单侧上限"),
    "formula": Text("contrast", "对比"),
    "index": Text("index", "指数"),
    "std_error": Text("SE", "标准误"),
    "target": Text("target", "目标"),
    "gain": Text("points per 5", "每 5 分相应"),
    "gain_conf_low": Text("low", "下限"),
    "gain_conf_high": Text("high", "上限"),
    "importance_std": Text("total effect (std)", "总效应（标准化）"),
    "r2": Text("R2", "R²"),
    "rival": Text("rival", "竞争模型"),
    "model": Text("model", "模型"),
    "significant": Text("paths apart from 0", "显著路径占比"),
    "part": Text("dimension", "维度"),
    "share": Text("share", "占比"),
    "bic": Text("BIC", "BIC"),
    "q2_predict": Text("Q2predict", "Q²predict"),
}
SATURATED = {"srmr_saturated": Text("SRMR of the saturated model", "饱和模型的 SRMR")}


def tell(card: Card, key: str, study: Study, panel: Panel, options: Options) -> Section:
    """The card run with the study's settings, told as a section."""
    settings = study.settings
    if options.estimator:
        settings = replace(settings, estimator=known_estimator(options.estimator))
    run = run_card(
        card,
        panel,
        estimator=estimator_of(settings),
        constructs=options.constructs,
        without=options.without,
        optional=True if options.optional is None else options.optional,
        by=options.by or None,
        where=options.where,
        stages=options.stages,
        replicates=None if settings.covariance else settings.replicates,
        seed=settings.seed,
        level=settings.level,
    )
    texts = {**texts_of(study), **_words(run)}
    title, more = titled(tuple(_worded(s, run, texts) for s in _finding_first(run)), card.title)
    first, first_zh = _place(run, texts)
    return Section(
        key=key,
        title=title,
        subtitle=Text(
            f"{card.title.en}. Standardised paths; an arrow is firm where its interval excludes 0; in the ellipses the "
            f"index, around them the share explained{first}",
            f"{card.title.zh}。标准化路径；区间不含 0 的箭头加粗；椭圆内为指数，外环为解释比例{first_zh}",
        ),
        figures=(_figure(run, title, texts),),
        tables=tuple(_tables(run, texts)),
        paragraphs=more,
        notes=run.notes,
        data=_data(run),
    )


def known_estimator(name: str) -> EstimatorName:
    """The estimator of a name.

    Raises:
        Problems: E-OPTION with the nearest name.

    Example:
        >>> known_estimator("MLR")
        'mlr'
    """
    names: tuple[EstimatorName, ...] = get_args(EstimatorName)
    for one in names:
        if one == name.lower():
            return one
    hint = did_you_mean(name.lower(), names)
    en, zh = f'there is no estimator "{name}".', f"没有估计方法“{name}”。"
    raise Problems([problem("E-OPTION", "estimator", en, zh, hint.en, hint.zh)])


def _finding_first(run: CardRun) -> tuple[Text, ...]:
    """The run's sentences, that on the largest driver first unless a sign is contradicted or paths are withheld."""
    said = list(run.sentences)
    against = (run.table["verdict"] == "against").any() or bool(run.diagnosis.withheld)
    known = run.impact.filter(pl.col("gain").is_not_null()) if run.impact.height else run.impact
    at = next((k for k, s in enumerate(said) if "points higher goes with" in s.en), None)
    if at is not None and not against and known.height:
        said.insert(0, said.pop(at))
    head = Text(said[0].en.removesuffix("."), said[0].zh.removesuffix("。")) if said else None
    return (head, *said[1:]) if head else ()


def _worded(said: Text, run: CardRun, texts: Mapping[str, Text]) -> Text:
    """A sentence with contrasts in words."""
    for formula in run.contrasts["formula"].to_list() if run.contrasts.height else ():
        said = Text(said.en.replace(formula, texts[formula].en), said.zh.replace(formula, texts[formula].zh))
    return said


def _words(run: CardRun) -> dict[str, Text]:
    """Words of verdicts and kinds, labels of constructs, chains, contrasts and rivals."""
    labels = {n: Text(run.model.label(n), run.model.label(n, "zh")) for n in run.model.names}
    chains = {c: c.split(" -> ") for c in run.hypotheses["chain"].to_list()} if run.hypotheses.height else {}
    said = {
        c: Text(" -> ".join(run.model.label(n) for n in names), " → ".join(run.model.label(n, "zh") for n in names))
        for c, names in chains.items()
    }
    rivals = {name: Text(r.en, r.zh) for name, r in run.card.rivals.items()}
    return {**WORDS, **VERDICTS, **KINDS, **SIGNS, **labels, **said, **rivals, **_formulas(run, said), **_measures(run)}


def _formulas(run: CardRun, chains: Mapping[str, Text]) -> dict[str, Text]:
    """Contrasts with the chains themselves in place of the card's names for them."""
    if not run.contrasts.height:
        return {}
    named = dict(run.hypotheses.select("hypothesis", "chain").iter_rows()) if run.hypotheses.height else {}
    return {
        formula: in_chains(formula, {n: chains[c] for n, c in named.items()}) for formula in run.contrasts["formula"]
    }


def in_chains(formula: str, chains: Mapping[str, Text]) -> Text:
    """A contrast of named chains, each by its arrows.

    Example:
        >>> in_chains("a - abs(b)", {"a": Text("x -> y", "甲 → 乙"), "b": Text("x -> z", "甲 → 丙")}).en
        '(x -> y) − |x -> z|'
    """

    def told(lang: str) -> str:
        def put(found: re.Match[str]) -> str:
            inside, alone = found.group(1), found.group(2)
            text = chains.get(inside or alone)
            if text is None:
                return found.group(0)
            return f"|{text.say(lang)}|" if inside else f"({text.say(lang)})"

        return re.sub(r"abs\((\w+)\)|\b(\w+)\b", put, formula).replace(" - ", f" {style.MINUS} ")

    return Text(told("en"), told("zh"))


def _measures(run: CardRun) -> dict[str, Text]:
    """Fit measures as the catalogue names them."""
    shown = run.fit["measure"].to_list() if run.fit.height else []
    known = {name: entry(name).label for name in shown if name in names()}
    return {name: HEADINGS[name] for name in shown if name in HEADINGS} | known | SATURATED


def _tables(run: CardRun, texts: Mapping[str, Text]) -> list[Table]:
    """Every frame that has rows, in reading order."""
    of_index = pl.DataFrame() if run.index is None else run.index.table
    distinct = run.validity.table.filter(pl.col("htmt").is_not_null())
    rows = (
        ("paths", TITLES["table"], run.table, PATHS),
        ("dimensions", TITLES["dimensions"], run.dimensions, CARRIED),
        ("chains", TITLES["hypotheses"], run.hypotheses, CHAINS),
        ("contrasts", TITLES["contrasts"], run.contrasts, DIFFER),
        ("asymmetry", TITLES["asymmetry"], run.asymmetry, BENT),
        ("index", TITLES["index"], of_index, SCORES),
        ("impact", TITLES["impact"], run.impact, POINTS),
        ("rivals", TITLES["rivals"], run.rivals, CONTEST),
        ("explained", TITLES["r2"], run.r2, EXPLAINED),
        ("fit", TITLES["fit"], run.fit, FITTED),
        ("q2", TITLES["q2"], run.q2, FORESEEN),
        ("reliability", TITLES["reliability"], run.reliability, HELD),
        ("htmt", Text("Discriminant validity (HTMT)", "区分效度（HTMT）"), distinct, APART),
        ("loadings", Text("Loadings", "载荷"), run.measurement, LOADED),
    )
    made = []
    for name, title, frame, kinds in rows:
        if not frame.height:
            continue
        kept = {c: k for c, k in kinds.items() if c in frame.columns and frame[c].null_count() < frame.height}
        if kept:
            made.append(tabled(name, title, frame, kept, HEADS, texts))
    return made


def _data(run: CardRun) -> dict[str, pl.DataFrame]:
    """The frames in full precision."""
    frames = {
        "paths": run.table, "r2": run.r2, "loadings": run.measurement, "reliability": run.reliability,
        "htmt": run.validity.table, "effects": run.effects.table, "hypotheses": run.hypotheses,
        "contrasts": run.contrasts, "dimensions": run.dimensions, "asymmetry": run.asymmetry,
        "impact": run.impact, "fit": run.fit, "q2": run.q2, "rivals": run.rivals,
    }  # fmt: skip
    if run.index is not None:
        frames["index"] = run.index.table
    return {name: frame for name, frame in frames.items() if frame.height}


def _figure(run: CardRun, finding: Text, texts: Mapping[str, Text]) -> Figure:
    """The diagram of the first cell; without numbers where they must not be read."""
    target = run.card.index.target
    if run.table["estimate"].null_count() == run.table.height:

        def plain(lang: str, width: int = style.FULL) -> str:
            return model_diagram(run.model, lang=lang, finding=finding.say(lang), target=target, width=width)

        return Figure("diagram", plain, finding)
    paths, nodes = _arrows(run), _nodes(run)

    def draw(lang: str, width: int = style.FULL) -> str:
        return path_diagram(
            paths, nodes, lang=lang, labels=texts, layout=run.model.layout, target=target, finding=finding.say(lang),
            width=width,
        )  # fmt: skip

    return Figure("diagram", draw, finding, narrow=partial(draw, width=style.PHONE))


def _place(run: CardRun, texts: Mapping[str, Text]) -> tuple[str, str]:
    """Of which cell the diagram is, where there are several."""
    cells = run.estimate.moments.cells.select(pl.exclude("n"))
    if cells.height < 2 or not cells.width:
        return "", ""
    names = [texts.get(str(v), Text(str(v), str(v))) for v in cells.row(0)]
    return f"; drawn for {' '.join(n.en for n in names)}", f"；图为 {' '.join(n.zh for n in names)}"


def _first(frame: pl.DataFrame, before: str) -> pl.DataFrame:
    """The rows of the first cell."""
    keys = frame.columns[: frame.columns.index(before)]
    return frame.filter(pl.struct(keys) == pl.struct(keys).first()) if keys and frame.height else frame


def _arrows(run: CardRun) -> pl.DataFrame:
    """Paths, and between a construct made of constructs and its parts their loadings."""
    numbers = ("estimate", "conf_low", "conf_high")
    paths = _first(run.table, "outcome").filter(pl.col("expected") != "0").select("predictor", "outcome", *numbers)
    names = set(run.model.names)
    held = _first(run.measurement, "construct").filter(pl.col("item").is_in(names))
    if held.height:
        missing = [pl.lit(None, dtype=pl.Float64).alias(c) for c in numbers[1:] if c not in held.columns]
        held = held.with_columns(*missing)
        formative = pl.col("construct").is_in([c.name for c in run.model.constructs if c.operator == "<~"])
        start = pl.when(formative).then(pl.col("item")).otherwise(pl.col("construct"))
        end = pl.when(formative).then(pl.col("construct")).otherwise(pl.col("item"))
        parts = held.select(start.alias("predictor"), end.alias("outcome"), pl.col("loading").alias("estimate"),
                            *numbers[1:])  # fmt: skip
        paths = pl.concat([paths, parts])
    apart = (pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)
    return paths.with_columns(significant=apart.fill_null(value=False))


def _nodes(run: CardRun) -> pl.DataFrame:
    """Constructs with their index and the share explained, in the first cell."""
    shares = dict(_first(run.r2, "construct").select("construct", "r2").iter_rows()) if run.r2.height else {}
    levels = {}
    if run.index is not None:
        levels = dict(_first(run.index.table, "construct").select("construct", "index").iter_rows())
    names = list(run.model.names)
    return pl.DataFrame(
        {"construct": names, "index": [levels.get(n) for n in names], "r2": [shares.get(n) for n in names]},
        schema={"construct": pl.String, "index": pl.Float64, "r2": pl.Float64},
    )


def needs_of(card: Card) -> tuple[Need, ...]:
    """What a card cannot do without: items of its constructs, an arrow between those there are, its groups' column."""
    required = [
        _block(card, name, block) for name, block in card.constructs.items() if not block.of and not block.optional
    ]
    group = [_group(card.requires.group)] if card.requires.group else []
    return (*required, _linked(card), *group)


def _block(card: Card, name: str, block: Block) -> Need:
    """Items of a construct."""

    def met(study: Study, options: Options) -> bool:
        given = {card.named(n): source for n, source in options.constructs.items()}
        gone = {card.named(n) for n in options.without}
        return name in gone or bool(items_of(name, block, study.codebook, given))

    form, form_zh = ("", "") if block.form == "P" else (f", form {block.form}", f"，形式 {block.form}")
    other, other_zh = (f", or take {card.instead}", f"，或改用 {card.instead}") if card.instead else ("", "")
    return Need(
        Text(
            f"construct {name} ({block.en}, {block.counts.en}{form})",
            f"构念 {name}（{block.zh}，{block.counts.zh}{form_zh}）",
        ),
        met,
        Text(
            f"add items with construct: {name}, or map it: constructs: {{{name}: yours}}{other}",
            f"补充 construct: {name} 的题项，或写 constructs: {{{name}: 您的构念}}{other_zh}",
        ),
    )


def _linked(card: Card) -> Need:
    """At least one arrow between constructs that have items."""

    def met(study: Study, options: Options) -> bool:
        given = {card.named(n): source for n, source in options.constructs.items()}
        without = [card.named(n) for n in options.without]
        blocks = {n: b for n, b in card.constructs.items() if not b.of and n not in without}
        gone = card.absent({n: items_of(n, b, study.codebook, given) for n, b in blocks.items()}, without)
        return any({a.outcome, a.predictor}.isdisjoint(gone) for a in card.arrows)

    outcomes = list(dict.fromkeys(a.outcome for a in card.arrows))
    listed, listed_zh = ", ".join(outcomes), "、".join(outcomes)
    return Need(
        Text(f"something that leads to {listed}", f"指向 {listed_zh} 的构念"),
        met,
        Text("ask at least one construct of the card that leads to another", "至少询问模型卡中一个指向其他构念的构念"),
    )


def _group(role: str) -> Need:
    """The column of the groups that a card compares."""

    def met(study: Study, options: Options) -> bool:
        del options
        return role in study.codebook.keys or any(role in f.rename for f in study.data)

    return Need(
        Text(f"a column for {role}", f"{role} 所在的列"),
        met,
        Text(f"name it under keys: {{{role}: column}}", f"在 keys 中写明：{{{role}: 列名}}"),
    )


def method_of_card(card: Card, key: str) -> Method:
    """A card as a model of the library.

    Parameters:
        card: a card. key: what `--model` calls it: its id, its file, or its id and "_card" where a model with code of
            its own bears the name.
    """
    return Method(
        name=key,
        number=card.number,
        title=card.title,
        needs=needs_of(card),
        tell=partial(tell, card, key),
        options=("constructs", "without", "optional", "estimator", "stages"),
    )
