"""`csi drivers STUDY`: what is associated with the target, how well it is done, and where to begin."""

from __future__ import annotations

import argparse

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.driver_metrics import compared, metric_blocks, metric_data
from csi.cli.fit import RESAMPLING, one_cell
from csi.cli.fit_options import listed
from csi.cli.grids import grid
from csi.cli.progress import working
from csi.cli.studied import (
    bootstrap_argument,
    cell_arguments,
    check_cells,
    check_enough,
    chosen,
    names,
    opened,
    place,
    provenance,
    shown,
    typed,
)
from csi.display import least_p
from csi.errors import Language, Note, Text
from csi.importance.cipma import HEADINGS as NEEDS
from csi.importance.cipma import STATUS, Cipma, cipma
from csi.importance.cipma import sentences_of as need_sentences
from csi.importance.drivers import Drivers, drivers
from csi.importance.drivers_words import QUADRANTS, sentences_of
from csi.importance.key_drivers import key_drivers
from csi.reporting.section import SAMPLING_ONLY, Kind
from csi.reporting.soundness import cell_notes, estimate_notes, own_levels, settled
from csi.study import Study

HEADINGS = {
    "importance": Text("importance", "重要性"),
    "importance_conf_low": Text("low", "下限"),
    "importance_conf_high": Text("high", "上限"),
    "importance_std": Text("standardised", "标准化"),
    "performance": Text("performance", "表现"),
    "gain": Text("+5 points go with", "高 5 分时相应高"),
    "quadrant": Text("map", "象限"),
    "quadrant_share": Text("in the draws", "抽样占比"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, one cell, and the target."""
    cell_arguments(parser)
    parser.add_argument("--target", help="a construct (the study's target by default)")
    bootstrap_argument(parser, "the intervals")
    what = "also what a target of LEVEL (0-100) cannot do without: necessary conditions and shares below"
    every = "also every metric of importance of the constructs with an arrow to the target, ranks and dominance"
    parser.add_argument("--metrics", action="store_true", help=every)
    between = "--metrics in every brand, wave, stage or segment (or several, comma-separated), with tests between them"
    parser.add_argument("--by", metavar="KEYS", help=between)
    parser.add_argument("--desired", type=float, metavar="LEVEL", help=what)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The importance-performance map of one cell (the focal brand's latest wave by default)."""
    with typed({"between": "--by"}):
        study, panel = opened(args.study, args.bootstrap, groups=listed(args.by) if args.by else ())
    one = shown(study, panel, chosen(study, panel, args.brand, args.wave))
    check_cells(study, panel, one, anchored=False)
    check_enough(study, panel, one, lang)
    with working(RESAMPLING.say(lang), quiet=args.quiet), typed({"level": "--desired"}):
        est = one_cell(study, panel, one)
        found = drivers(est, target=args.target or study.settings.target)
        target = args.target or study.settings.target
        metrics, apart = None, tuple[Note, ...]()
        if args.by:
            metrics, apart = compared(study, panel, listed(args.by), one, target)
        elif args.metrics:
            metrics = key_drivers(est, target)
        needs = None if args.desired is None else cipma(est, found.target, args.desired, seed=study.settings.seed)
    texts = names(study, lang)
    return Answer(
        blocks=(
            place(one, texts, lang),
            driver_grid(study, found, lang),
            *(s.say(lang) for s in driver_sentences(study, found)),
            item_grid(study, found, lang),
            *metric_blocks(study, metrics, lang),
            *needs_blocks(study, needs, lang),
        ),
        data={
            "cell": one,
            "target": found.target,
            "drivers": found.table,
            "items": found.items,
            "sentences": [{"en": s.en, "zh": s.zh} for s in driver_sentences(study, found)],
            **({} if metrics is None else metric_data(metrics)),
            **({} if needs is None else {"desired": needs.level, "needs": needs.table}),
        },
        notes=(
            *estimate_notes(est),
            *cell_notes(study, est),
            *found.notes,
            *own_levels(study.settings.index_weights),
            *(Note(r.code, r.text) for r in found.reasons.values()),
            *(() if metrics is None else metrics.notes),
            *apart,
            *(() if needs is None else needs.analysis.notes),
            *((SAMPLING_ONLY,) if est.replicates is not None else ()),
        ),
        code=FINE if all(settled(est)) else INADMISSIBLE,
        record={**provenance(study, panel), "cell": one, "drivers": found.table},
    )


def driver_grid(study: Study, found: Drivers, lang: Language) -> Grid:
    """Drivers by importance."""
    table = found.table.sort("importance", "importance_std", descending=True, nulls_last=True)
    interval = {c: "coefficient" for c in ("importance_conf_low", "importance_conf_high") if c in table.columns}
    kinds: dict[str, Kind] = {"construct": "text", "importance": "coefficient"}
    kinds |= dict.fromkeys(interval, "coefficient")
    kinds |= {"importance_std": "coefficient", "performance": "score", "gain": "score", "quadrant": "text"}
    kinds |= {"quadrant_share": "share"} if "quadrant_share" in table.columns else {}
    kinds = {c: kind for c, kind in kinds.items() if c == "construct" or table[c].count()}
    texts = {**names(study, lang), **QUADRANTS}
    label = texts.get(found.target, Text(found.target, found.target))
    title = Text(f"Associated with {label.en.lower()}", f"与{label.zh}相关的驱动因素")
    return grid(table, kinds, lang, title, texts, HEADINGS)


def driver_sentences(study: Study, found: Drivers) -> tuple[Text, ...]:
    """What the map says, by the study's labels."""
    both = []
    for lang in ("en", "zh"):
        label = {name: text.say(lang) for name, text in names(study, lang).items()}
        table = found.table.with_columns(pl.col("construct").replace(label))
        both.append(sentences_of(table, label.get(found.target, found.target)))
    return tuple(Text(en.en, zh.zh) for en, zh in zip(*both, strict=True))


def needs_blocks(study: Study, needs: Cipma | None, lang: Language) -> list[str | Grid]:
    """The grid of needs and its sentences; nothing where no level was asked for."""
    if needs is None:
        return []
    texts = names(study, lang)
    labels = {c: texts.get(c, text) for c, text in needs.labels.items()}
    said = need_sentences(needs.table, labels, needs.target, needs.level)
    return [needs_grid(study, needs, lang), *(s.say(lang) for s in said)]


def needs_grid(study: Study, needs: Cipma, lang: Language) -> Grid:
    """What the desired level of the target needs of each driver, and who is below it."""
    yes_no = {True: Text("yes", "是"), False: Text("no", "否")}
    table = needs.table.with_columns(
        necessary=pl.col("necessary").replace_strict(
            {k: v.say(lang) for k, v in yes_no.items()}, return_dtype=pl.String
        )
    )
    kinds: dict[str, Kind] = {"construct": "text", "effect": "estimate", "p_value": "p", "necessary": "text"}
    kinds |= {"status": "text", "needed": "score", "below": "score"}
    title = Text(f"Needed for {needs.level:g}", f"达到 {needs.level:g} 所需")
    least = {"p_value": (least_p(needs.analysis.permutations), "")}
    return grid(table, kinds, lang, title, {**names(study, lang), **STATUS}, NEEDS, least=least)


def item_grid(study: Study, found: Drivers, lang: Language) -> Grid:
    """Items of the drivers by importance."""
    book = study.codebook
    labels = pl.Series("label", [book.label(i, lang) for i in found.items["item"]], dtype=pl.String)
    table = found.items.with_columns(labels).sort("importance", descending=True, nulls_last=True)
    kinds: dict[str, Kind] = {"item": "text", "label": "text", "importance": "coefficient", "performance": "score"}
    kinds = {c: kind for c, kind in kinds.items() if kind == "text" or table[c].count()}
    return grid(table, kinds, lang, Text("Items", "题项"), None, HEADINGS)
