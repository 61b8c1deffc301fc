"""`csi check STUDY`: what was recognised, what the rules did, how many answers each cell has, and what is wrong."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from csi.cli.answer import FINE, PROBLEMS, Answer, Grid
from csi.cli.check_joins import NO_ID, join_notes, strangers, unjoined
from csi.cli.check_streamed import check_of_stream
from csi.cli.grids import grid, numbers, pairs
from csi.cli.models import LAST
from csi.cli.streamed import stream_of
from csi.cli.studied import CELL_KEYS, names, opened, study_argument
from csi.cli.waves import wave_blocks
from csi.errors import Language, Note, Problem, Problems, Text, note
from csi.expectation.kano import coding_notes
from csi.pls.blueprint import composite_problems
from csi.reporting.methods import allowed
from csi.reporting.section import Kind
from csi.reporting.usable import no_waves, unusable_items
from csi.reporting.waves import wave_record
from csi.reporting.weighed import ended
from csi.study import Study, read_study, read_study_panel
from csi.study.fitted import base_of
from csi.study.grown import renamed_notes, tree_problems, tree_weight_notes
from csi.study.read import answer_fields
from csi.study.streams import large_notes, streams
from csi.study.tables import all_events
from csi.survey.event_kinds import KINDS
from csi.survey.events import Events
from csi.survey.panel import Panel, Source
from csi.survey.period import days_of
from csi.survey.rule_words import RULE_WORDS

FILES = Text("Files", "数据文件")
RULES = Text("Rules", "规则的效果")
CELLS = Text("Answers by brand and wave", "各品牌各期的有效答卷")
ABSENT = Text("Answers absent, by reason", "缺失回答（按原因）")
TABLES = Text("Tables of events", "事件表")
COUNT = Text("answers", "答卷")
ALL_GOOD = Text("No problems found.", "未发现问题。")
HEADINGS = {
    "name": Text("file", "文件"),
    "rows": Text("rows", "行数"),
    "platform": Text("recognised as", "识别为"),
    "coded": Text("codes that became missing", "记为缺失的代码"),
    "used": Text("columns used", "使用列数"),
    "unused": Text("columns unused", "未使用的列"),
    "rule": Text("rule", "规则"),
    "action": Text("action", "处理"),
    "cells": Text("cells", "单元格数"),
    "detail": Text("detail", "说明"),
    "kind": Text("table", "表"),
    "ids": Text("people", "人数"),
    "answered": Text("of them answered", "其中有答卷"),
    "first": Text("first", "最早"),
    "last": Text("last", "最晚"),
}
WORDS = {
    "skipped": Text("skipped", "跳过"),
    "dont_know": Text("don't know", "不知道"),
    "refused": Text("refused", "拒答"),
    "not_asked": Text("not asked", "未询问"),
    "empty": Text("empty", "空白"),
    "out_of_range": Text("out of range", "超出量表"),
    "not_a_number": Text("not a number", "不是数字"),
    "drop": Text("dropped", "剔除"),
    "flag": Text("flagged", "标记"),
    "stop": Text("stop", "停止"),
    "missing": Text("made missing", "记为缺失"),
    "kept": Text("kept", "保留"),
    "off": Text("off", "关闭"),
    **{name: rule.label for name, rule in RULE_WORDS.items()},
    "duplicates": Text("duplicates", "重复答卷"),
    "speeders": Text("speeders", "答题过快"),
    "empty_rows": Text("empty rows", "空白答卷"),
    "range": Text("outside the scale", "超出量表"),
    "missing_codes": Text("missing codes", "缺失代码"),
    "reverse": Text("reversed items", "反向题项"),
    "full_width_digits": Text("full-width digits", "全角数字"),
    "read as numbers": Text("read as numbers", "按数字读取"),
    "words": Text("answers in words", "文字作答"),
    "read as codes": Text("read as codes", "按代码读取"),
    "turned over": Text("turned over", "已反向"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, and whether the models that its columns allow are listed."""
    study_argument(parser)
    parser.add_argument(
        "--models", action="store_true", help="list the models that the columns allow, and what others need"
    )


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Read everything the study names and say what came of it."""
    if (stream := _stream_of(args.study)) is not None:
        return check_of_stream(stream, args, lang)
    study, panel, tables = read_all(args.study)
    waves = [w for w in (panel.waves[-1], base_of(study)) if w is not None]
    composites = () if study.settings.covariance else composite_problems(study.model)
    problems = (*composites, *unusable_items(study, panel, waves), *tree_problems(study, panel))
    files = pl.DataFrame([file_told(s, lang) for s in panel.sources], FILE_COLUMNS, orient="row")
    effects = [[e.rule, e.action, e.rows, e.cells, e.detail] for e in panel.audit]
    audit = pl.DataFrame(effects, RULE_COLUMNS, orient="row")
    counted = counts(panel)
    none = nothing_told(study, counted)
    events = tables_told(tables, panel)
    unknown = strangers(events)
    blocks: list[str | Grid] = [
        overview(study, panel.waves, panel.brands, panel.frame.height, lang),
        grid(files, FILE_KINDS, lang, FILES, headings=HEADINGS),
        grid(audit, RULE_KINDS, lang, RULES, WORDS, HEADINGS),
        absent_grid(panel, lang),
        *wave_blocks(study, panel, lang),
        cell_grid(study, panel, counted, lang),
        *([] if panel.weighing is None else [ended(panel.weighing).say(lang)]),
        *([tables_grid(tables, panel, lang)] if tables else []),
        models_grid(study, lang, unknown) if args.models else models_line(study, unknown).say(lang),
        *([] if problems or none or unknown else [ALL_GOOD.say(lang)]),
    ]
    return Answer(
        blocks=tuple(blocks),
        data={
            "study": {"name": study.name, "sha256": study.sha256, "model": study.model.card or "text"},
            "files": panel.sources,
            "rules": audit,
            "cells": counted,
            "absent": absent(panel),
            "waves": wave_record(study, panel),
            "tables": events,
            "models": [
                {
                    "name": m.name,
                    "number": m.number,
                    "title": m.title,
                    "lacks": [n.what for n in lacking],
                    "add": [n.add for n in lacking],
                    "joins": not unjoined(m, study.tables, unknown),
                }
                for m, lacking in allowed(study)
            ],
        },
        notes=(
            *panel.notes,
            *large_notes(study.data),
            *coding_notes(panel),
            *future_notes(panel.waves, datetime.now(UTC).date()),
            *absent_waves(study.waves, panel.waves),
            *(n for table in tables.values() for n in table.notes),
            *join_notes(tables, events, respondents(panel)),
            *(() if problems else (*renamed_notes(study), *tree_weight_notes(study, panel))),
            *((none,) if none else ()),
        ),
        problems=problems,
        code=PROBLEMS if problems else FINE,
        notes_first=True,
    )


def _stream_of(path: Path) -> Study | None:
    """The study where its answers are streamed; what is wrong with a study file is told with its answers."""
    try:
        return stream_of(path)
    except Problems:
        return None


def future_notes(waves: Sequence[str], today: date) -> tuple[Note, ...]:
    """A note on waves that begin after today, going by their names.

    Example:
        >>> future_notes(["2026Q3", "2062Q3"], date(2026, 11, 23))[0].say("en")
        'Wave 2062Q3 begins after today, going by its name: a slip of the pen?'
    """
    found = [(wave, days_of(wave)) for wave in waves]
    late = ", ".join(wave for wave, days in found if days is not None and days[0] > today)
    en = f"Wave {late} begins after today, going by its name: a slip of the pen?"
    zh = f"按名称，{late} 期始于今天之后，是否有误？"
    return (note("W-WAVE-FUTURE", en, zh),) if late else ()


def absent_waves(stated: Sequence[str], found: Sequence[str]) -> tuple[Note, ...]:
    """A note on waves that the study file names and no answer is of.

    Example:
        >>> absent_waves(["2026Q2", "2026Q3"], ["2026Q2"])[0].say("en")
        'No answer is of wave 2026Q3, which the study file names.'
    """
    gone = ", ".join(wave for wave in stated if wave not in found)
    en, zh = f"No answer is of wave {gone}, which the study file names.", f"研究文件列出的 {gone} 期没有任何答卷。"
    return (note("N-WAVE-ABSENT", en, zh),) if gone else ()


def read_all(path: Path) -> tuple[Study, Panel, dict[str, Events]]:
    """The study, its answers and its tables of events.

    Raises:
        Problems: what is wrong with the study file, else with answers and tables together.
    """
    try:
        study = read_study(path)
    except Problems as error:
        raise Problems([*dict.fromkeys([*error.problems, *answers_alone(path)])], error.lang) from error
    tables, found = all_events(study)
    try:
        study, panel = opened(path)
    except Problems as error:
        raise Problems([*error.problems, *found], study.language) from error
    if found:
        raise Problems(found, study.language)
    return study, panel, tables


def answers_alone(path: Path) -> Sequence[Problem]:
    """What is wrong with the answers of a study whose model cannot be fitted, so that one does not hide the other."""
    fields = answer_fields(path)
    if fields is None or streams(Study(**fields)):
        return ()
    try:
        read_study_panel(Study(**fields))
    except Problems as error:
        return error.problems
    return ()


SHOWN = 6

TABLE_KINDS: dict[str, Kind] = {
    "kind": "text", "rows": "count", "ids": "count", "answered": "count", "first": "text", "last": "text"
}  # fmt: skip

FILE_COLUMNS = {
    "name": pl.String, "platform": pl.String, "rows": pl.Int64, "used": pl.Int64, "unused": pl.String,
    "coded": pl.String,
}  # fmt: skip
FILE_KINDS: dict[str, Kind] = {
    "name": "text", "platform": "text", "rows": "count", "used": "count", "unused": "text", "coded": "text"
}  # fmt: skip


def file_told(source: Source, lang: Language) -> list[object]:
    """A file, what it was recognised as, its rows and columns, and the codes that became missing."""
    kind = "–" if source.platform is None else source.platform.label.say(lang)
    coded = tuple(f"{c.code} = {WORDS[c.reason].say(lang)} ({c.cells})" for c in source.coded)
    return [source.name, kind, source.rows, len(source.used), some(source.unused), some(coded)]


RULE_COLUMNS = {"rule": pl.String, "action": pl.String, "rows": pl.Int64, "cells": pl.Int64, "detail": pl.String}
RULE_KINDS: dict[str, Kind] = {"rule": "text", "action": "text", "rows": "count", "cells": "count", "detail": "text"}


def overview(study: Study, waves: Sequence[str], brands: Sequence[str], answers: int, lang: Language) -> Grid:
    """The study in five lines."""
    span = "–" if no_waves(study) or not waves else f"{waves[0]} – {waves[-1]} ({len(waves)})"
    named = ", ".join(study.brands.get(b, Text(b, b)).say(lang) for b in brands) or "–"
    items = len(study.model.items)
    model = study.model.card or Text("lavaan text", "lavaan 文本").say(lang)
    constructs = Text(
        f"{len(study.model.names)} constructs, {items} items", f"{len(study.model.names)} 个构念，{items} 个题项"
    )
    lines = [
        (Text("study", "研究"), study.title.say(lang) or study.name),
        (
            Text("model", "模型"),
            f"{model} ({constructs.say(lang)})" if lang == "en" else f"{model}（{constructs.say(lang)}）",
        ),
        (Text("waves", "期次"), span),
        (Text("brands", "品牌"), named),
        (Text("answers", "答卷"), f"{answers:,}"),
    ]
    return pairs([(name.say(lang), value) for name, value in lines])


def some(columns: tuple[str, ...]) -> str:
    """The first few names and how many there are; `--json` lists all."""
    named = ", ".join(columns[:SHOWN])
    return named if len(columns) <= SHOWN else f"{len(columns)}: {named}, …"


def counts(panel: Panel) -> pl.DataFrame:
    """Respondents kept in each cell, in the study's order."""
    found = panel.frame.group_by(CELL_KEYS, maintain_order=True).len("n")
    orders = {"brand": panel.brands, "wave": panel.waves}
    place = {k: {v: i for i, v in enumerate(orders[k])} for k in CELL_KEYS}
    return found.sort([pl.col(k).replace_strict(place[k], default=len(place[k])) for k in CELL_KEYS])


def nothing_told(study: Study, counted: pl.DataFrame) -> Note | None:
    """That no cell has as many answers as a published number takes."""
    most, small = max(counted["n"].to_list(), default=0), study.settings.small
    if most >= small:
        return None
    en = f"Nothing can be published: every cell has fewer than {small} answers (the largest has {most})."
    zh = f"没有可发布的结果：各单元样本量均不足 {small}（最多 {most}）。"
    return note("E-BASE", en, zh)


def cell_grid(study: Study, panel: Panel, counted: pl.DataFrame, lang: Language) -> Grid:
    """Waves down, brands across; a cell below the study's smallest base is marked."""
    texts = names(study, lang)
    small = study.settings.small
    size = {(b, w): n for b, w, n in counted.select("brand", "wave", "n").iter_rows()}
    marked = {k: f"{n}{' !' if n < small else ''}" for k, n in size.items()}
    brands, waves = (counted[k].unique(maintain_order=True).to_list() for k in CELL_KEYS)
    waves = [w for w in panel.waves if w in waves] or waves
    rows = tuple((w, *(marked.get((b, w), "–") for b in brands)) for w in waves)
    named = [texts.get(b, Text(b, b)).say(lang) or COUNT.say(lang) for b in brands]
    headings = (Text("wave", "期次").say(lang), *named)
    align = numbers(len(headings))
    if no_waves(study):
        headings, rows, align = headings[1:], tuple(row[1:] for row in rows), align[1:]
    few = any(n < small for n in size.values())
    title = Text("Answers", "有效答卷") if no_waves(study) else CELLS
    legend = Text(f" (! below {small})", f"（! 少于 {small}）").say(lang) if few else ""
    return Grid(headings, rows, align, title.say(lang) + legend)


def respondents(panel: Panel) -> int:
    """How many people answered; 0 where the answers do not say who did."""
    return panel.frame["respondent"].n_unique() if "respondent" in panel.frame.columns else 0


def models_line(study: Study, unknown: Sequence[str] = ()) -> Text:
    """How many models the columns allow, and how to list them."""
    found = allowed(study)
    can = sum(1 for method, lacking in found if not lacking and not unjoined(method, study.tables, unknown))
    en = f"The columns allow {can} of {len(found)} models: csi check STUDY --models lists them and what others need."
    return Text(en, f"现有列可用 {len(found)} 个模型中的 {can} 个：csi check 研究文件 --models 列出全部及所缺内容。")


def models_grid(study: Study, lang: Language, unknown: Sequence[str] = ()) -> Grid:
    """All models in the order of the twelve: whether the columns allow them, and what each other one would need.

    Parameters:
        unknown: kinds of tables of which no id is a respondent's.
    """
    can = Text("yes", "可以").say(lang)
    rows = []
    for method, lacking in sorted(allowed(study), key=lambda pair: pair[0].number or LAST):
        head = (str(method.number or ""), method.name, method.title.say(lang))
        first = Text(f"needs {lacking[0].what.en}", f"需要{lacking[0].what.zh}").say(lang) if lacking else can
        if not lacking and unjoined(method, study.tables, unknown):
            first = NO_ID.say(lang)
        rows += [(*head, first), *(("", "", "", f"  {need.what.say(lang)}") for need in lacking[1:])]
    title = Text(
        "Models these columns allow (csi expectation STUDY --model NAME)",
        "现有列可用的模型（csi expectation STUDY --model 名称）",
    )
    headings = (Text("no.", "序号"), Text("name", "名称"), Text("model", "模型"), Text("allowed", "可用"))
    return Grid(tuple(h.say(lang) for h in headings), tuple(rows), (">", "<", "<", "<"), title.say(lang))


def tables_told(tables: Mapping[str, Events], panel: Panel) -> pl.DataFrame:
    """Rows and people of each table of events, how many of them answered, its first and last day."""
    known = panel.frame["respondent"].cast(pl.String).unique() if "respondent" in panel.frame.columns else None
    rows = []
    for kind, events in tables.items():
        ids = (
            events.frame["id"].drop_nulls().unique() if "id" in events.frame.columns else pl.Series([], dtype=pl.String)
        )
        when = KINDS[kind].time
        days = events.frame[when].cast(pl.Date) if when in events.frame.columns else pl.Series([], dtype=pl.Date)
        first = days.min() if days.count() else None
        answered = None if known is None else ids.is_in(known.to_list()).sum()
        rows.append([kind, events.frame.height, len(ids), answered, str(first or ""), str(events.last or "")])
    columns = {
        "kind": pl.String,
        "rows": pl.Int64,
        "ids": pl.Int64,
        "answered": pl.Int64,
        "first": pl.String,
        "last": pl.String,
    }
    return pl.DataFrame(rows, columns, orient="row")


def tables_grid(tables: Mapping[str, Events], panel: Panel, lang: Language) -> Grid:
    """The tables of events in the reader's words."""
    words = {kind: KINDS[kind].label for kind in tables}
    return grid(tables_told(tables, panel), TABLE_KINDS, lang, TABLES, words, HEADINGS)


def absent(panel: Panel) -> pl.DataFrame:
    """How many answers are absent for each reason."""
    long = panel.reasons.unpivot(variable_name="item", value_name="reason").drop_nulls("reason")
    return long.group_by("reason").len("cells").sort("cells", "reason", descending=[True, False])


def absent_grid(panel: Panel, lang: Language) -> Grid:
    """The reasons in the reader's words."""
    return grid(absent(panel), {"reason": "text", "cells": "count"}, lang, ABSENT, WORDS, HEADINGS)
