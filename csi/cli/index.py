"""`csi index STUDY`: the 0-100 index of every construct, with its standard error, by brand and wave."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import get_args

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.evidence import evidence_blocks, gate_arguments, light_evidence
from csi.cli.grids import counted, each, grid
from csi.cli.index_shrunken import shrunken_argument, shrunken_blocks, shrunken_notes, shrunken_of
from csi.cli.progress import working
from csi.cli.streamed import index_of_stream, stream_of
from csi.cli.studied import (
    bootstrap_argument,
    cell_arguments,
    check_cells,
    chosen,
    errors_argument,
    estimated,
    keys_in,
    names,
    only,
    opened,
    provenance,
)
from csi.cli.to import check_to, to_argument
from csi.cli.to_tables import with_files
from csi.errors import Language, Note, Text, note
from csi.reporting.section import Kind
from csi.reporting.soundness import (
    absent_notes,
    bases_of,
    cell_notes,
    estimate_notes,
    explained,
    lost_notes,
    suppressed,
    unweighed,
)
from csi.study import Study
from csi.study.breaks import scale_doubted
from csi.study.fitted import indexed, over_copies, with_replicates
from csi.study.rated import PARTS, rate_names, rate_notes, rated
from csi.survey.bases import FLAGS, Bases
from csi.survey.panel import Panel
from csi.tracking.contrasts import construct_place
from csi.tracking.index import Index, Interval
from csi.tracking.too_few import base_notes

RESAMPLING = Text("Resampling", "重抽样")
HEADINGS = {"reason_zh": Text("reason", "原因"), "flag": Text("base", "样本量提示")}
EVERY = Text("All constructs", "全部构念")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, and the cells to print."""
    cell_arguments(parser)
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)
    shrunken_argument(parser)
    gate_arguments(parser, anyway=False)
    to_argument(parser)
    kinds = ", ".join(get_args(Interval))
    parser.add_argument("--interval", default="t", choices=get_args(Interval), metavar="KIND", help=f"{kinds} (t)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The index of all cells (weights may be anchored to another wave), printed for those asked for."""
    check_to(args.to)
    if (stream := stream_of(args.study)) is not None:
        return index_of_stream(stream, args, lang)
    study, panel = opened(args.study, args.bootstrap, args.errors)
    asked = chosen(study, panel, args.brand, args.wave)
    cells = asked or {"wave": panel.waves[-1]}
    check_cells(study, panel, cells)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        found = published(study, panel, cells, args.interval)
    gate, told = light_evidence(study, found, args, study.settings.target, lang)
    drawn, undrawn = shrunken_of(study, found) if args.shrunken or study.settings.shrunken else (None, ())
    beside = rated(study, panel)
    held = [suppressed(one.table, bases_of(study)) for one in beside]
    measured = scale_doubted(study, panel, found.measured)
    table, printed = with_fixed(only(measured, asked)), only(measured, cells)
    missing = (*absent_notes(study, found, printed, study.settings.target), *lost_notes(study, panel, found, cells))
    answer = Answer(
        blocks=(
            *(t.say(lang) for t in bases_of(study).sentences(printed)),
            target_grid(study, printed, lang),
            *evidence_blocks(study, found, gate, args, study.settings.target, cells, lang, changes=False, light=True),
            *(shrunken_blocks(study, drawn, cells, lang, formula_of(found, study.settings.target)) if drawn else ()),
            construct_grid(study, printed, lang),
            *([rate_grid(study, only(pl.concat(held), cells), lang)] if beside else []),
        ),
        data={
            "rule": found.rule,
            "base": found.base,
            "scheme": found.scheme,
            "index": table,
            **({"rates": pl.concat([only(one, asked) for one in held])} if beside else {}),
            "weights": found.weights,
            **({} if drawn is None else {"shrunken": only(drawn.table, asked)}),
            **({} if gate is None else {"comparability": gate.sets}),
        },
        notes=tuple(
            dict.fromkeys(
                (
                    *panel.notes,
                    *found.notes,
                    *told,
                    *(shrunken_notes(drawn, cells) if drawn else undrawn),
                    *rate_notes(study, beside),
                    *missing,
                )
            )
        ),
        code=INADMISSIBLE if missing else FINE,
        record={
            **recorded(study, panel, found),
            **({"rates": pl.concat(held)} if beside else {}),
            **({} if drawn is None else {"shrunken": drawn.table}),
            **({} if gate is None else {"comparability": gate.sets}),
        },
    )
    return with_files(answer, args.to, study, lang)


def formula_of(found: Index, construct: str) -> str | None:
    """The id of the formula behind a construct's index."""
    return found.formulas[construct_place(found, construct)] if found.formulas else None


def published(study: Study, panel: Panel, cells: Mapping[str, str], interval: Interval = "t") -> Index:
    """The index of every cell by the study's rule, resampled unless the study asks for no resamples.

    Its table shows no number of a cell below the study's smallest base; notes say what is doubtful in `cells`.
    """
    est = estimated(study, panel)

    def of(answers: Panel) -> Index:
        cells_ = est if answers is panel else estimated(study, answers)
        return indexed(study, with_replicates(study, answers, cells_), interval)

    made = explained(over_copies(study, panel, of))
    few = base_notes(only(made.cells, cells), Bases(study.settings.small, 0), study.brands)
    known = tuple(n for n in (*estimate_notes(est), *made.notes) if n.code != "W-BASE")
    notes = (*few, *known, *_kind_note(study, interval), *cell_notes(study, est, cells, made))
    weights = unweighed(made.weights, made.cells, study.settings.small)
    return replace(made, table=suppressed(made.table, bases_of(study)), weights=weights, notes=notes)


def _kind_note(study: Study, interval: Interval) -> tuple[Note, ...]:
    """That the index has t intervals where the study names another kind."""
    kind = study.settings.interval
    if kind == "percentile" or not study.settings.replicates or interval != "t":
        return ()
    en = f"Intervals of the index are t intervals; interval: {kind} of the study is for paths and loadings"
    en += " (csi index --interval)."
    zh = f"指数用 t 区间；研究文件中的 interval: {kind} 用于路径与载荷（另见 csi index --interval）。"
    return (note("N-INDEX-T", en, zh),)


def with_fixed(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose `std_error` holds the weights fixed where no other was asked for, as a note says."""
    if rows["std_error"].count():
        return rows
    return rows.with_columns(std_error=pl.when(pl.col("index").is_not_null()).then("std_error_fixed"))


def target_grid(study: Study, table: pl.DataFrame, lang: Language) -> Grid:
    """The target's index by cell with its standard error and interval."""
    target = study.settings.target
    reason = "reason_zh" if lang == "zh" and "reason_zh" in table.columns else "reason"
    rows = table.filter(pl.col("construct") == target)
    rows = with_fixed(rows)
    keys = each(keys_in(rows), "text")
    kinds: dict[str, Kind] = {
        **keys,
        "index": "score",
        "std_error": "number",
        "conf_low": "score",
        "conf_high": "score",
        **counted(rows),
    }
    if "flag" in rows.columns and rows["flag"].is_in(["small", "scale"]).any():
        marked = pl.when(pl.col("flag").is_in(["small", "scale"])).then("flag").fill_null("")
        rows, kinds = rows.with_columns(marked.alias("flag")), {**kinds, "flag": "text"}
    if rows[reason].null_count() < rows.height:
        rows, kinds = rows.with_columns(pl.col(reason).fill_null("")), {**kinds, reason: "text"}
    texts = {**names(study, lang), **FLAGS}
    title = texts.get(target, Text(target, target))
    formula = rows["formula"][0] if rows.height else ""
    own = Text(f" ({formula})", f"，{formula}") if formula else Text("", "")
    titled = Text(f"{title.en}, index 0-100{own.en}", f"{title.zh}指数（0–100{own.zh}）")
    return grid(rows, kinds, lang, titled, texts, HEADINGS)


def rate_grid(study: Study, table: pl.DataFrame, lang: Language) -> Grid:
    """Rates beside the index: share, standard error, interval, and the id of each."""
    kinds: dict[str, Kind] = {
        **each(keys_in(table), "text"),
        **each(["construct", "formula"], "text"),
        **each(["index", "std_error", "conf_low", "conf_high"], "number"),
        **counted(table),
    }
    table = table.filter(~pl.col("construct").is_in(PARTS))
    if "flag" in table.columns and table["flag"].count():
        kinds, table = {**kinds, "flag": "text"}, table.with_columns(pl.col("flag").fill_null(""))
    headings = {
        "flag": HEADINGS["flag"],
        "index": Text("percent", "百分比"),
        "construct": Text("rate", "指标"),
        "formula": Text("id", "编号"),
    }
    texts = {**names(study, lang), **rate_names(study), **FLAGS}
    return grid(table, kinds, lang, Text("Rates beside the index", "指数以外的指标"), texts, headings)


def construct_grid(study: Study, table: pl.DataFrame, lang: Language) -> Grid:
    """Every construct's index, one column each."""
    texts = names(study, lang)
    keys = keys_in(table)
    constructs = table["construct"].unique(maintain_order=True).to_list()
    wide: dict[str, list[object]] = {k: [] for k in [*keys, *constructs]}
    for cell in table.partition_by(keys, maintain_order=True) if keys else [table]:
        for k in keys:
            wide[k].append(cell[k][0])
        values: Mapping[str, object] = dict(zip(cell["construct"], cell["index"], strict=True))
        for c in constructs:
            wide[c].append(values.get(c))
    frame = pl.DataFrame(wide, schema_overrides=dict.fromkeys(constructs, pl.Float64))
    kinds = each(keys, "text") | each(constructs, "score")
    if "flag" in table.columns and (table["flag"] == "scale").any():
        cells = table.partition_by(keys, maintain_order=True) if keys else [table]
        marked = ["scale" if (cell["flag"] == "scale").any() else "" for cell in cells]
        frame, kinds = frame.with_columns(pl.Series("flag", marked)), {**kinds, "flag": "text"}
        texts = {**texts, **FLAGS}
    ids = dict(table.select("construct", "formula").drop_nulls().rows()) if "formula" in table.columns else {}
    every, headings = _every(set(ids.values())), {c: texts.get(c, Text(c, c)) for c in constructs}
    if len(set(ids.values())) > 1:
        headings = {c: Text(f"{t.en} ({ids.get(c)})", f"{t.zh}（{ids.get(c)}）") for c, t in headings.items()}
    return grid(frame, kinds, lang, every, texts, {**headings, "flag": HEADINGS["flag"]})


def _every(ids: Collection[str]) -> Text:
    """The title over all constructs, with the id of their formula where they have one in common."""
    own = "".join(ids) if len(ids) == 1 else ""
    return Text(f"{EVERY.en} ({own})", f"{EVERY.zh}（{own}）") if own else EVERY


def recorded(study: Study, panel: Panel, found: Index) -> dict[str, object]:
    """What `--record` keeps: what was read, how it was computed, and the numbers."""
    return {
        **provenance(study, panel),
        "scheme": found.scheme,
        "rule": found.rule,
        "base": found.base,
        "index": found.measured,
        "weights": found.weights,
    }
