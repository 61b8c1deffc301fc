"""`csi track STUDY`: the index, its changes with their tests, and ranks, by brand and wave."""

from __future__ import annotations

import argparse

from csi.cli.answer import FINE, INADMISSIBLE, Answer
from csi.cli.evidence import construct_of, evidence, evidence_blocks, gate_arguments
from csi.cli.index import RESAMPLING, published, recorded
from csi.cli.progress import working
from csi.cli.studied import (
    bootstrap_argument,
    cell_arguments,
    check_cells,
    chosen,
    errors_argument,
    names,
    only,
    opened,
)
from csi.cli.to import check_to, to_argument
from csi.cli.to_tables import with_files
from csi.cli.track_detectable import detectable_lines
from csi.cli.track_explained import explain_arguments, explained, explained_blocks, explained_data
from csi.cli.track_grid import LEGEND, RANKED, change_blocks, tracking_grid
from csi.cli.track_rates import rate_blocks, rates_beside
from csi.cli.track_views import asked_views, view_argument, view_blocks, view_data, view_notes, viewed
from csi.cli.tree import above, above_blocks, above_data, above_notes
from csi.errors import Language, Problem, Problems, Text, problem
from csi.reporting.analysis import copies_untold
from csi.reporting.soundness import absent_notes, lost_notes
from csi.reporting.style import share
from csi.reporting.usable import no_waves
from csi.study import Study
from csi.study.breaks import breaks_of, scale_doubted
from csi.study.rated import events_frame
from csi.survey.bases import Bases
from csi.tracking.alerts import Alerts, alerts, applicable
from csi.tracking.track import track


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the cells to print, and the construct."""
    cell_arguments(parser)
    parser.add_argument("--construct", help="a construct (the study's target by default)")
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)
    explain_arguments(parser)
    view_argument(parser)
    parser.add_argument("--benchmark", metavar="BRAND", help="mean (of the wave's brands) or a brand (the study's)")
    gate_arguments(parser)
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """One wave of every brand (the latest by default), or every wave of one brand."""
    check_to(args.to)
    study, panel = opened(args.study, args.bootstrap, args.errors)
    asked = chosen(study, panel, args.brand, args.wave)
    if no_waves(study):
        raise Problems([needs_waves(study)])
    if study.settings.imputations:
        raise Problems([copies_untold(study)])
    settings, cells = study.settings, asked or {"wave": panel.waves[-1]}
    check_cells(study, panel, cells)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        found = published(study, panel, cells)
    name = construct_of(found, args.construct or settings.target)
    gate, told = evidence(study, found, args, name, lang)
    breaks = breaks_of(study, found, panel)
    tracked = track(
        found,
        name,
        waves=study.waves or panel.waves,
        per_year=settings.waves_per_year,
        small=settings.small,
        flagged=settings.flagged,
        breaks=breaks,
        gate=gate,
        benchmark=args.benchmark or settings.benchmark,
        targets=settings.targets,
        anyway=args.anyway,
    )
    shown = scale_doubted(study, panel, only(tracked.table, cells), tracked.construct)
    alarms = alerts(tracked, applicable(tracked, study.alerts), cells, names(study, lang))
    beside = rates_beside(study, panel, gate, anyway=args.anyway)
    upper = above(study, found, tracked.construct, panel, gate)
    missing = (*absent_notes(study, found, shown, tracked.construct), *lost_notes(study, panel, found, cells))
    seen = viewed(asked_views(args, study), study, breaks, found, tracked.construct)
    why = explained(args, study, panel, found, cells, tracked.construct, gate)
    more = (*(why.notes if why else ()), *view_notes(seen), *beside.notes, *alarms.notes, *above_notes(upper))
    answer = Answer(
        blocks=(
            *(t.say(lang) for t in Bases(settings.small, settings.flagged).sentences(shown)),
            tracking_grid(study, shown, tracked.construct, lang),
            *change_blocks(study, shown, tracked.construct, lang, args.benchmark or settings.benchmark),
            LEGEND.say(lang).format(share(1 - found.level, 0)) + (RANKED.say(lang) if "brand" in shown.columns else ""),
            *evidence_blocks(study, found, gate, args, name, cells, lang),
            *detectable_lines(shown, found.level, lang),
            *alert_blocks(study, alarms, lang),
            *(() if "brand" in asked else above_blocks(study, upper, cells["wave"], lang)),
            *explained_blocks(study, why, gate, found, tracked.construct, lang),
            *view_blocks(asked_views(args, study), seen, study, cells, lang),
            *rate_blocks(study, only(beside.table, cells), lang),
        ),
        data={
            "construct": tracked.construct,
            "tracking": shown,
            "changes": only(tracked.changes.table, asked),
            **({"alerts": alarms.table} if study.alerts else {}),
            **({"events": events_frame(study.events, study.waves or panel.waves)} if study.events else {}),
            **explained_data(why),
            **view_data(seen, asked),
            **beside.data(asked),
            **above_data(upper),
        },
        notes=tuple(dict.fromkeys((*panel.notes, *tracked.notes, *told, *more, *missing))),
        code=INADMISSIBLE if missing else FINE,
        record={
            **recorded(study, panel, found),
            "tracking": tracked.table,
            "changes": tracked.changes.table,
            **explained_data(why),
            **({} if gate is None else {"comparability": gate.sets}),
            **({"alerts": alarms.table} if study.alerts else {}),
            **view_data(seen, {}),
            **beside.data({}),
            **above_data(upper),
        },
    )
    return with_files(answer, args.to, study, lang)


def alert_blocks(study: Study, found: Alerts, lang: Language) -> tuple[str, ...]:
    """What the study's alerts say of the cells printed; nothing where it has none."""
    if not study.alerts:
        return ()
    head = Text("Alerts:", "预警：") if found.sentences else Text("No alert.", "没有预警。")
    return (head.say(lang), *(f"  ! {t.say(lang)}" for t in found.sentences))


def needs_waves(study: Study) -> Problem:
    """Why there is nothing to track."""
    en = "the study has no waves, and a change needs two of them."
    zh = "该研究没有期次，而变化至少需要两期。"
    do = "Name the column of the wave under keys (or give each file its wave); csi index gives the index."
    do_zh = "请在 keys 中写明期次所在的列（或为每个数据文件注明 wave）；指数可用 csi index 查看。"
    return problem("E-WAVE", str(study.path), en, zh, do, do_zh)
