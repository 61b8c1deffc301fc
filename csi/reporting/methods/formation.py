"""What forms expectation, overall and by stage of use, as sections."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from csi.errors import Problems, Text, did_you_mean, problem
from csi.expectation.composites import items_named
from csi.expectation.formation import CAUSES, EIGHT, formation
from csi.expectation.formation_words import HEADINGS, WORDS, in_words
from csi.expectation.stages import LEAST, STAGE_CAUSES, formation_by_stage
from csi.expectation.stages_words import STAGES
from csi.reporting import style
from csi.reporting.figures.shares import share_panels
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.methods.needs import key
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

RESAMPLES = 1000
"""Fewest resamples behind support and shares."""

SHOWN: dict[str, Kind] = {
    "cause": "text", "n": "count", "r": "coefficient", "slope": "number", "std_error": "number", "p_adjusted": "p",
    "beta": "coefficient", "relative_weight": "coefficient", "share": "share", "share_low": "share",
    "share_high": "share", "vif": "number",
}  # fmt: skip
FIT: dict[str, Kind] = {
    "n": "count", "r2": "coefficient", "r2_low": "coefficient", "r2_high": "coefficient", "condition": "number",
}  # fmt: skip
ORDERS: dict[str, Kind] = {
    "estimand": "text", "claim": "text", "support": "coefficient", "weight_complement": "coefficient", "best": "text",
    "preferred_support": "coefficient",
}  # fmt: skip
ACROSS: dict[str, Kind] = {
    "cause": "text", "between": "text", "difference": "number", "conf_low": "number", "conf_high": "number",
    "p_adjusted": "p",
}  # fmt: skip
HEADS = {
    **HEADINGS,
    "claim": HEADINGS["hypothesis"],
    "best": HEADINGS["preferred"],
    "between": Text("stages", "阶段"),
}


def asked_causes(options: Options, defaults: Sequence[str]) -> dict[str, str]:
    """Our causes -> the codebook's constructs, those left out taken away.

    Example:
        >>> asked_causes(Options(causes={"wom": "friends"}, without=("price",)), ("wom", "price"))
        {'wom': 'friends'}
    """
    every = {**{c: c for c in defaults}, **options.causes}
    return {c: own for c, own in every.items() if c not in options.without}


def _known_causes(method: str, options: Options, defaults: Sequence[str]) -> None:
    """Refuse to leave out what is no cause.

    Raises:
        Problems: E-OPTION, one for each.
    """
    known = tuple(dict.fromkeys((*defaults, *options.causes)))
    found = []
    for name in (n for n in options.without if n not in known):
        hint = did_you_mean(name, known)
        en, zh = f'without: "{name}" is no cause of {method}.', f"without：“{name}”不是 {method} 的成因。"
        do, do_zh = f"{hint.en} Causes: {', '.join(known)}.", f"{hint.zh}成因：{'、'.join(known)}。"
        found.append(problem("E-OPTION", f"models: {method}", en, zh, do.strip(), do_zh))
    if found:
        raise Problems(found)


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Slopes, relative weights and their shares, as bars and as a table."""
    settings = study.settings
    _known_causes("formation", options, EIGHT)
    found = formation(
        panel, expected=options.expected or "Ew", outcome=options.outcome or None,
        causes=asked_causes(options, EIGHT), by=options.by, where=options.where,
        replicates=max(settings.replicates, RESAMPLES), seed=settings.seed, level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels}
    keys = [k for k in options.by if k in found.table.columns]
    title, more = titled(found.sentences, METHOD.title)
    frame = found.table.sort([*keys, "share"], descending=[*(False for _ in keys), True], nulls_last=True)
    cell = pl.concat_str([pl.col(k) for k in keys], separator=" ") if keys else pl.lit("")
    heading = Text("What expectation goes with", "期望与各成因")
    return Section(
        key="formation",
        title=title,
        subtitle=_LEGEND,
        figures=_figure("formation", found.table.with_columns(cell.alias("panel")), texts, title),
        paragraphs=more,
        tables=(
            tabled("formation", heading, frame, SHOWN, HEADS, texts),
            tabled("formation_fit", Text("How much is explained", "解释程度"), found.fit, FIT, HEADS, texts),
        ),
        notes=found.notes,
        data={"formation": found.table, "fit": found.fit},
    )


def tell_stages(study: Study, panel: Panel, options: Options) -> Section:
    """Shares by stage as small multiples, the orders that are said to hold, differences between stages."""
    settings = study.settings
    _known_causes("formation_by_stage", options, STAGE_CAUSES)
    found = formation_by_stage(
        panel, options.stages or None, expected=options.expected or "Ew", outcome=options.outcome or None,
        causes=asked_causes(options, STAGE_CAUSES), where=options.where,
        replicates=max(settings.replicates, RESAMPLES), seed=settings.seed, level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    stages = {s: t for s, t in STAGES.items() if s in found.table["stage"]}
    texts = {**texts_of(study), **found.labels, **WORDS, **{f"panel {s}": t for s, t in stages.items()}}
    title, more = titled(found.sentences, STAGED.title)
    causes = found.table.with_columns(pl.col("stage").alias("panel"))
    words = {**texts, **{f"stage {s}": t for s, t in stages.items()}}
    staged = {n: f.with_columns(("stage " + pl.col("stage")).alias("stage")) for n, f in
              (("causes", found.table), ("fit", found.fit))}  # fmt: skip
    tables = [
        tabled(
            "stages",
            Text("What expectation goes with at each stage", "各阶段期望与成因"),
            staged["causes"],
            SHOWN,
            HEADS,
            words,
        ),
        tabled("stages_fit", Text("How much is explained", "解释程度"), staged["fit"], FIT, HEADS, words),
    ]
    if found.orders.height:
        orders, own = _spelled(found.orders, found.labels)
        tables.insert(
            0,
            tabled(
                "orders",
                Text("Orders that are said to hold", "所称的影响次序"),
                orders,
                ORDERS,
                HEADS,
                {**words, **own},
            ),
        )
    if found.across.height:
        pairs = {f"{a} / {b}": Text(f"{stages[a].en} - {stages[b].en}", f"{stages[a].zh} − {stages[b].zh}")
                 for a, b in found.across.select("first", "second").unique().rows()}  # fmt: skip
        across = found.across.with_columns((pl.col("first") + " / " + pl.col("second")).alias("between"))
        tables.append(
            tabled(
                "across",
                Text("Differences of unstandardised slopes", "未标准化斜率之差"),
                across,
                ACROSS,
                HEADS,
                {**words, **pairs},
            )
        )
    return Section(
        key="formation_by_stage",
        title=title,
        subtitle=Text(
            f"{_LEGEND.en}. Support: share of resamples in which the order holds; GORICA weight: evidence against "
            "everything but the order",
            f"{_LEGEND.zh}。支持度：次序成立的重抽样比例；GORICA 权重：相对其补集的证据",
        ),
        figures=_figure("formation_by_stage", causes, texts, title),
        paragraphs=more,
        tables=tuple(tables),
        notes=found.notes,
        data={
            "stages": found.table,
            "fit": found.fit,
            "orders": found.orders,
            "ranking": found.ranking,
            "across": found.across,
        },
    )


_LEGEND = Text(
    "Shares of R2 (Johnson's relative weights) with bootstrap intervals; several causes that go together share what "
    "they explain",
    "占 R² 的份额（Johnson 相对权重）及自助法区间；相关的成因共同分担解释",
)


def _figure(name: str, frame: pl.DataFrame, texts: dict[str, Text], finding: Text) -> tuple[Figure, ...]:
    """Shares as bars, wide and narrow; none where all are withheld."""
    bars = frame.filter(pl.col("share").is_not_null()).select(
        "panel", name="cause", share="share", low="share_low", high="share_high"
    )

    def draw(lang: str) -> str:
        return share_panels(bars, lang=lang, labels=texts, finding=finding.say(lang))

    def narrow(lang: str) -> str:
        return share_panels(bars, lang=lang, labels=texts, finding=finding.say(lang), width=style.PHONE)

    return (Figure(name, draw, finding, narrow=narrow),) if bars.height else ()


def _spelled(orders: pl.DataFrame, labels: dict[str, Text] | object) -> tuple[pl.DataFrame, dict[str, Text]]:
    """Hypotheses and orders with labels in place of names, and their two languages."""
    from_names = dict(labels) if isinstance(labels, dict) else {}
    said = {lang: in_words(orders, from_names, lang) for lang in ("en", "zh")}
    texts: dict[str, Text] = {}
    for column in ("hypothesis", "preferred"):
        for raw, en, zh in zip(orders[column], said["en"][column], said["zh"][column], strict=True):
            texts[f"order {raw}"] = Text(en, zh)
    frame = orders.with_columns(
        ("stage " + pl.col("stage")).alias("stage"),
        ("order " + pl.col("hypothesis")).alias("claim"),
        ("order " + pl.col("preferred")).alias("best"),
    )
    return frame, texts


def _causes(defaults: Sequence[str]) -> Need:
    """At least two causes and something expected."""

    def met(study: Study, options: Options) -> bool:
        book = study.codebook
        there = [c for c in asked_causes(options, defaults).values() if items_named(book, c)]
        return len(there) >= 2

    names = ", ".join(defaults)
    zh = "、".join(f"{c}（{CAUSES[c].zh}）" for c in defaults)
    return Need(
        Text(f"at least two causes of expectation ({names})", f"至少两个期望成因（{zh}）"),
        met,
        Text(
            "give their items these names as construct:, or map them: causes: {wom: yours}",
            "将题项的 construct: 写成这些名称，或写 causes: {wom: 您的构念}",
        ),
    )


def _wanted(study: Study, options: Options) -> bool:
    """Whether something is expected."""
    book = study.codebook
    if options.outcome:
        return bool(items_named(book, options.outcome))
    return any(i.form == (options.expected or "Ew") for i in book.items)


EXPECTED = Need(
    Text("items of an expectation (form Ew)", "期望题项（form: Ew）"),
    _wanted,
    Text("write form: Ew for them, or name another form or outcome", "为其写 form: Ew，或指定其他形式或结果变量"),
)

METHOD = Method(
    name="formation",
    number=0,
    title=Text("What forms expectation", "期望的形成因素"),
    needs=(EXPECTED, _causes(EIGHT)),
    tell=tell,
    options=("expected", "outcome", "causes", "without"),
)
STAGED = Method(
    name="formation_by_stage",
    number=0,
    title=Text("What forms expectation at each stage of use", "不同阶段期望的形成因素"),
    needs=(
        EXPECTED,
        _causes(STAGE_CAUSES),
        key("stage", Text(f"the stage of use ({LEAST} respondents each)", f"使用阶段（每阶段 {LEAST} 人）")),
    ),
    tell=tell_stages,
    options=("expected", "outcome", "causes", "without", "stages"),
    cells=("where",),
)
