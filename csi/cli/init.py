"""`csi init EXPORT --card CARD`: a study file and a codebook to start from, with what could be recognised filled in."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from csi.cli.answer import Answer, Grid
from csi.cli.guess import Guess, guess
from csi.cli.guess_kinds import LABELS
from csi.cli.init_events import tables_of
from csi.cli.init_events import told as told_tables
from csi.cli.init_files import Draft, codebook_text, draft_of, study_text
from csi.cli.init_model import models_of
from csi.errors import Language, Note, Problem, Problems, Text, note, problem
from csi.models.card import Card
from csi.models.cards import read_card
from csi.study import Study
from csi.study.panel import read_study_panel
from csi.survey.crm import recognise
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers import read_raw
from csi.survey.recognised import people_note, platform_note


def arguments(parser: argparse.ArgumentParser) -> None:
    """An export, a card, and where to write."""
    parser.add_argument(
        "export", metavar="EXPORT", type=Path, help="the answers: csv, xlsx, parquet, arrow, sav or dta"
    )
    parser.add_argument("--card", default="ecsi_mobile", metavar="CARD", help="the model (csi models lists them)")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="folder of the new files (beside the export by default)"
    )
    parser.add_argument(
        "--events", nargs="+", metavar="FILE", type=Path, default=[],
        help="tables of events beside the answers, such as exports of Salesforce, HubSpot, Zoho CRM or 纷享销客",
    )  # fmt: skip
    parser.add_argument("--encoding", default="", help="of a text export, such as gb18030")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Look at the columns and write both files."""
    card = read_card(args.card, lang)
    tables = tuple(tables_of(args.events, lang))
    raw = read_export(args.export, args.encoding, lang)
    found = guess(raw.frame, card.constructs, raw)
    events = no_answers(args.export, raw)
    if events is not None and not any(found.items.values()):
        raise Problems([events], lang)
    found = replace(found, unused={**found.unused, **dict.fromkeys(raw.personal, PERSONAL)})
    folder: Path = args.out or args.export.parent
    draft = draft_of(args.export, folder, args.encoding, card, found, raw, tables, lang)
    files = [folder / "study.yaml", folder / "codebook.yaml"]
    there = [p for p in files if p.exists() and not args.force]
    if there:
        raise Problems([_exists(p) for p in there], lang)
    folder.mkdir(parents=True, exist_ok=True)
    without, left = written(draft, *files)
    return Answer(
        blocks=(*told(draft, files, without, left), *told_tables(tables, lang)),
        data={
            "files": files,
            "platform": raw.platform.name if raw.platform else "",
            "roles": {role: column for role, column in found.roles.items() if role not in without},
            "items": {c: k for k, columns in draft.items.items() for c in columns},
            "unassigned": [c for c in found.items if c not in draft.names],
            "reverse": {c: {"correlation": r, "n": n} for c, (r, n) in found.against.items()},
            "missing": missing(card, found),
            "personal": list(raw.personal),
            "segments": [c for c, kind in found.kinds.items() if kind == "segment"],
            "still_wrong": [one.say(lang) for one in left],
            "tables": {t.kind: {"file": t.path, "columns": t.columns} for t in tables},
            "unused": [{"column": c, "why": why.say(lang)} for c, why in left_out(draft).items()],
        },
        notes=(*platform_note(raw), *people_note(raw.name, raw.personal), *told_events(events), *raw.notes),
    )


def no_answers(path: Path, raw: Raw) -> Problem | None:
    """That an export is one of a customer system: a table of events beside the answers, not the answers."""
    crm = recognise([*raw.frame.columns, *raw.personal]) if raw.platform is None else None
    if crm is None:
        return None
    kinds, marks = ", ".join(crm.what.kinds), ", ".join(crm.why)
    return problem(
        "E-EVENT",
        str(path),
        f"{path.name} is an export of {crm.label.en} (header: {marks}): {kinds}, not answers to a questionnaire.",
        f"{path.name} 是{crm.label.zh}的导出（表头：{marks}）：属于事件表（{kinds}），不是问卷答卷。",
        f"Give it beside the answers: csi init ANSWERS --events {path.name}.",
        f"请与答卷文件一起给出：csi init 答卷文件 --events {path.name}。",
    )


def told_events(events: Problem | None) -> Iterator[Note]:
    """The same as a note, where the table of events holds a score all the same."""
    if events is not None:
        what, do = events.what, events.remedy
        yield note("W-EVENTS", f"{what.en} {do.en}", f"{what.zh}{do.zh}")


PERSONAL = Text(
    "names a person; read only as a key or where `personal:` under data names it",
    "个人信息；只有设为关键列（keys），或在 data 的 personal 中写明，才会读取",
)
"""Why a column stayed behind in the reader."""


def written(draft: Draft, study: Path, codebook: Path) -> tuple[dict[str, Text], tuple[Problem, ...]]:
    """Both files, the model being the first that the questions allow; roles left out, and what is still wrong."""
    codebook.write_text(codebook_text(draft), encoding="utf-8")
    items = {c: [draft.names[column] for column in columns] for c, columns in draft.items.items()}
    first: tuple[Problem, ...] = ()
    for number, (model, target) in enumerate(models_of(draft.card, items)):
        study.write_text(study_text(draft, model, target, {}), encoding="utf-8")
        without: dict[str, Text] = {}
        problems = still_wrong(study)
        for role, code, why in UNFIT_KEYS:
            if role in draft.found.roles and any(p.code == code for p in problems):
                without[role] = why
                study.write_text(study_text(draft, model, target, without), encoding="utf-8")
                problems = still_wrong(study)
        if not problems:
            return without, ()
        first = problems if number == 0 else first
    model, target = next(models_of(draft.card, items))
    study.write_text(study_text(draft, model, target, {}), encoding="utf-8")
    return {}, first


UNFIT_KEYS = (
    ("respondent", "E-DUPLICATE", Text("some of its entries occur twice", "有重复的编号")),
    ("weight", "E-WEIGHT", Text("not all of its entries are weights", "部分取值不是权重")),
)
"""Keys that a study file does without, where their column breaks a rule of keys: role, problem, why."""


def still_wrong(study: Path) -> tuple[Problem, ...]:
    """What `csi check` would say of a study file and its answers."""
    try:
        read_study_panel(Study.read(study))
    except Problems as error:
        return tuple(error.problems)
    return ()


def read_export(path: Path, encoding: str, lang: Language) -> Raw:
    """The export's cells; there is no study file yet, so an encoding is given on the command line."""
    try:
        return read_raw(DataFile(path=path, encoding=encoding))
    except Problems as error:
        raise Problems([_typed(found, path) for found in error.problems], lang) from error


def _typed(found: Problem, path: Path) -> Problem:
    """A problem whose remedy is a setting of the study file, with what to type instead."""
    setting = re.search(r"`encoding: (\w+)`", found.remedy.en)
    if setting:
        typed = f"csi init {path} --encoding {setting[1]}"
        return replace(found, remedy=Text(f"Try `{typed}`.", f"请运行 {typed}。"))
    if "`encoding:`" in found.remedy.en:
        return replace(found, remedy=Text("Leave out --encoding.", "请去掉 --encoding。"))
    return found


def left_out(draft: Draft) -> dict[str, Text]:
    """Every column that becomes neither a key nor an item, and why."""
    unclear = Text(
        "on a scale, but of no construct by its name; a comment in the codebook",
        "是量表题，但按列名无法归入构念；已作为注释写入编码簿",
    )
    same = Text("everybody gave one answer", "所有回答相同")
    left = {c: same if c in draft.found.constant else unclear for c in draft.found.items if c not in draft.names}
    words = Text("answered in words whose order is not known", "以文字作答，但高低顺序未知")
    spoken = {c: words for scale in draft.found.words if not scale.known for c in scale.columns}
    return left | dict(draft.found.unused) | spoken


def missing(card: Card, found: Guess) -> list[str]:
    """Constructs of the card that no column could be given to."""
    return [c for c in card.constructs if c not in found.items.values()]


def told(draft: Draft, files: list[Path], without: Mapping[str, Text], left: Sequence[Problem]) -> Iterator[str | Grid]:
    """What was recognised, what was not, and what to do next."""
    found, raw, lang = draft.found, draft.raw, draft.lang
    given = sum(len(columns) for columns in draft.items.values())
    listed = ", ".join(f"{role} = {column}" for role, column in found.roles.items() if role not in without) or "–"
    yield from (Text(f"Written: {p}", f"已写入：{p}").say(lang) for p in files)
    if raw.platform is not None:
        label, why = raw.platform.label, raw.platform.why
        yield Text(f"Recognised: {label.en} ({why.en}).", f"识别为：{label.zh}（{why.zh}）。").say(lang)
    yield Text(f"Keys: {listed}.", f"识别到的关键列：{listed}。").say(lang)
    for role, reason in without.items():
        column = found.roles[role]
        yield Text(f"{column} is not used as {role}: {reason.en}.", f"{column} 未用作 {role}：{reason.zh}。").say(lang)
    yield Text(f"{given} items given to constructs by their names.", f"按列名归入构念的题项：{given} 个。").say(lang)
    yield from (text.say(lang) for text in scales_told(found))
    codes = {code: why for held in found.codes.values() for code, why in held.items()}
    if codes:
        some = ", ".join(f"{code} = {why}" for code, why in codes.items())
        yield Text(f"Missing codes: {some}.", f"识别到的缺失代码：{some}。").say(lang)
    yield from _doubts(draft)
    study = files[0]
    if left:
        yield Text(f"csi check still finds ({len(left)}):", f"csi check 仍发现 {len(left)} 个问题：").say(lang)
        yield from (f"  {one.say(lang)}" for one in left[:8])
    yield Text(
        f"Next: edit both files, then csi check {study}", f"下一步：编辑这两个文件，然后运行 csi check {study}"
    ).say(lang)


MOST = 12
"""Columns of one scale that are named."""


def scales_told(found: Guess) -> Iterator[Text]:
    """The columns of each scale of numbers, narrowest first, and of each scale in words."""
    told: dict[tuple[int, int], list[str]] = {}
    for column, scale in found.scales.items():
        if found.spoken(column) is None:
            told.setdefault(scale, []).append(column)
    for (low, high), columns in sorted(told.items(), key=lambda pair: (pair[0][1] - pair[0][0], pair[0])):
        some = _some(columns)
        yield Text(f"Scale {low} to {high}, by the answers: {some}.", f"按回答推测的量表 {low} 至 {high}：{some}。")
    for one in found.words:
        some, low, high = _some(one.columns), *one.bounds
        words = ", ".join(f"{code} {word}" if one.known else word for word, code in one.codes.items())
        if one.known:
            en, zh = (
                f"Answers in words, {low} to {high} ({words}): {some}.",
                f"文字作答，{low} 至 {high}（{words}）：{some}。",
            )
        else:
            en = f"Answers in words whose order is not known ({words}): {some}; number them in the codebook."
            zh = f"文字作答，高低顺序未知（{words}）：{some}；请在编码簿中编号。"
        yield Text(en, zh)


def _some(columns: Sequence[str]) -> str:
    """The first columns of many."""
    return ", ".join(columns[:MOST]) + (", ..." if len(columns) > MOST else "")


def _doubts(draft: Draft) -> Iterator[str | Grid]:
    """Items that may be reversed, columns that are not used, constructs without an item."""
    found, lang = draft.found, draft.lang
    if found.against:
        some = ", ".join(f"{c} ({r:.2f})" for c, (r, _) in found.against.items())
        yield Text(
            f"Perhaps reversed (correlation with the rest of their block; nothing was turned over): {some}.",
            f"可能为反向题（与同组其余题项的相关；未作任何翻转）：{some}。",
        ).say(lang)
    if left_out(draft):
        headings = (Text("unused column", "未使用的列").say(lang), Text("why", "原因").say(lang))
        rows = tuple((c, f"{_what(found, c, lang)}{why.say(lang)}") for c, why in left_out(draft).items())
        yield Grid(headings, rows, ("<", "<"))
    if missing(draft.card, found):
        some = ", ".join(missing(draft.card, found))
        yield Text(f"Constructs without an item yet: {some}.", f"尚无题项的构念：{some}。").say(lang)


def _what(found: Guess, column: str, lang: Language) -> str:
    """What an unused question is, before the reason."""
    kind = found.kinds.get(column, "other")
    return "" if kind == "other" else f"{LABELS[kind].say(lang)}; "


def _exists(path: Path) -> Problem:
    """A file that would be overwritten."""
    return problem(
        "E-EXISTS",
        str(path),
        "exists already.",
        "已存在。",
        "Use --force to replace it, or --out DIR.",
        "请用 --force 覆盖，或用 --out 换一个文件夹。",
    )
