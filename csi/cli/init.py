"""`csi init EXPORT --card CARD`: a study file and a codebook to start from, with what could be recognised filled in."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.guess import PLAIN, Guess, guess, label_of
from csi.cli.init_events import Table, beside, entries, tables_of
from csi.cli.init_events import told as told_tables
from csi.errors import Language, Problem, Problems, Text, problem
from csi.models.card import Card
from csi.models.cards import read_card
from csi.simulation.texts import FURTHER, flow
from csi.study.waves import per_year
from csi.survey.codebook import KEY_ROLES
from csi.survey.datafile import DataFile, Raw
from csi.survey.keys import natural
from csi.survey.readers import read_raw

UNTOLD = Text(
    "# per_year: 4   (how many waves a year has; their names do not tell, and without it 4 is taken)",
    "# per_year: 4   （一年有几期；从期次名称无法判断，不写则按 4 期）",
)
"""What stands under waves whose names do not tell how many a year has."""

PEOPLE = Text("names people; it stays behind unless asked for", "涉及个人信息，除非特别要求，不予读取")
"""Why a column is left in the file."""

MOST = 200
"""More distinct waves or brands than this are not listed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """An export, a card, and where to write."""
    parser.add_argument("export", metavar="EXPORT", type=Path, help="the answers: csv, xlsx, parquet or sav")
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
    raw = read_export(args.export, args.encoding, lang)
    found = guess(raw.frame, card.constructs)
    found = replace(found, unused={**found.unused, **dict.fromkeys(raw.personal, PEOPLE)})
    folder: Path = args.out or args.export.parent
    tables = tables_of(args.events, lang)
    texts = {
        folder / "study.yaml": study_text(args.export, folder, args.encoding, card, found, raw.frame, lang, tables),
        folder / "codebook.yaml": codebook_text(card, found, lang),
    }
    there = [p for p in texts if p.exists() and not args.force]
    if there:
        raise Problems([_exists(p) for p in there], lang)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return Answer(
        blocks=(*told(card, found, list(texts), lang), *told_tables(tables, lang)),
        data={
            "files": list(texts),
            "roles": found.roles,
            "items": {c: k for c, k in found.items.items() if k},
            "unassigned": [c for c, k in found.items.items() if not k],
            "missing": missing(card, found),
            "tables": {t.kind: {"file": t.path, "columns": t.columns} for t in tables},
            "unused": [{"column": c, "why": why.say(lang)} for c, why in left_out(found).items()],
        },
        notes=raw.notes,
    )


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


def left_out(found: Guess) -> dict[str, Text]:
    """Every column that becomes neither a key nor an item, and why."""
    unclear = Text(
        "on a scale, but of no construct by its name; a comment in the codebook",
        "是量表题，但按列名无法归入构念；已作为注释写入编码簿",
    )
    return {c: unclear for c, k in found.items.items() if not k} | dict(found.unused)


def missing(card: Card, found: Guess) -> list[str]:
    """Constructs of the card that no column could be given to."""
    return [c for c in card.constructs if c not in found.items.values()]


def told(card: Card, found: Guess, files: list[Path], lang: Language) -> Iterator[str | Grid]:
    """What was recognised, what was not, and what to do next."""
    given = sum(1 for k in found.items.values() if k)
    listed = ", ".join(f"{role} = {column}" for role, column in found.roles.items()) or "–"
    yield from (Text(f"Written: {p}", f"已写入：{p}").say(lang) for p in files)
    yield Text(f"Keys: {listed}.", f"识别到的关键列：{listed}。").say(lang)
    yield Text(f"{given} items given to constructs by their names.", f"按列名归入构念的题项：{given} 个。").say(lang)
    codes = {code: why for held in found.codes.values() for code, why in held.items()}
    if codes:
        some = ", ".join(f"{code} = {why}" for code, why in codes.items())
        yield Text(f"Missing codes: {some}.", f"识别到的缺失代码：{some}。").say(lang)
    if left_out(found):
        headings = (Text("unused column", "未使用的列").say(lang), Text("why", "原因").say(lang))
        yield Grid(headings, tuple((c, why.say(lang)) for c, why in left_out(found).items()), ("<", "<"))
    if missing(card, found):
        some = ", ".join(missing(card, found))
        yield Text(f"Constructs without an item yet: {some}.", f"尚无题项的构念：{some}。").say(lang)
    study = files[0]
    yield Text(
        f"Next: edit both files, then csi check {study}", f"下一步：编辑这两个文件，然后运行 csi check {study}"
    ).say(lang)


def study_text(
    export: Path,
    folder: Path,
    encoding: str,
    card: Card,
    found: Guess,
    frame: pl.DataFrame,
    lang: Language,
    tables: Sequence[Table] = (),
) -> str:
    """The study file."""
    name = export.stem if PLAIN.fullmatch(export.stem) else "study"
    file = {"file": beside(export, folder), **({"encoding": encoding} if encoding else {})}
    waves = distinct(frame, found.roles.get("wave"))
    brands = distinct(frame, found.roles.get("brand"))
    lines = [
        Text(
            "# A first guess by csi init: correct what is wrong, delete this line.",
            "# csi init 的初稿，请核对修改后删除本行。",
        ).say(lang),
        "csi: 1",
        f"study: {name}",
        f"title: {flow({'zh': export.stem + ' 顾客满意度研究', 'en': export.stem + ' customer satisfaction'})}",
        f"sector: {flow({'zh': '', 'en': ''})}",
        f"language: {lang}",
        f"data:\n  - {flow(file)}",
        "codebook: codebook.yaml",
        f"keys: {flow(found.roles)}",
    ]
    if waves:
        many = per_year(waves)
        rhythm = {} if many is None else {"per_year": many}
        lines.append(f"waves: {flow({'order': waves, 'base': waves[0], **rhythm})}")
        if many is None:
            lines.append(UNTOLD.say(lang))
    if brands:
        lines.append("brands:")
        lines += [
            f"  - {flow({'name': b, 'zh': b, 'en': b, **({'focal': True} if j == 0 else {})})}"
            for j, b in enumerate(brands)
        ]
    lines += [
        f"model: {flow({'card': card.id})}",
        "rules: {out_of_range: stop, duplicates: stop, straight_lining: flag}",
        f"index: {flow({'target': card.index.target, 'weights': 'base' if len(waves) > 1 else 'own'})}",
    ]
    lines += entries(tables, folder, lang)
    return "\n".join(lines) + "\n" + FURTHER


def codebook_text(card: Card, found: Guess, lang: Language) -> str:
    """The codebook: recognised items in the card's order, the rest as comments to complete."""
    names = scale_names(found) or {(1, 10): "ten"}
    lines = ["scales:"]
    for (low, high), name in names.items():
        lines.append(f"  {name}: {flow({'min': low, 'max': high, 'missing': found.codes.get((low, high), {})})}")
    lines.append("constructs:")
    lines += [f"  {c}: {flow({'zh': block.zh, 'en': block.en})}" for c, block in card.constructs.items()]
    lines.append("items:")
    for construct, block in card.constructs.items():
        columns = [c for c, k in found.items.items() if k == construct]
        lines += [
            f"  - {item(c, construct, j, names[found.scales[c]], block.form, found.items)}"
            for j, c in enumerate(columns, 1)
        ]
        if not columns:
            hint = Text(f"no column recognised for {construct}", f"未识别到“{construct}”的题项").say(lang)
            lines.append(f"  # {hint}: {item('COLUMN', construct, 1, next(iter(names.values()), 'ten'), block.form)}")
    left = [c for c, k in found.items.items() if not k]
    if left:
        lines.append(
            Text("  # not recognised; give each a construct or delete it", "  # 未能归类：请补充构念，或删除").say(lang)
        )
        lines += [f"  # - {item(c, '', j, names[found.scales[c]])}" for j, c in enumerate(left, 1)]
    return "\n".join(lines) + "\n"


def item(column: str, construct: str, number: int, scale: str, form: str = "P", taken: Collection[str] = ()) -> str:
    """One item; a column whose name is a sentence becomes the label and gets a short name."""
    plain = PLAIN.fullmatch(column) is not None and column not in {construct, *KEY_ROLES}
    name = column if plain else f"{construct or 'item'}{number}"
    while not plain and name in taken:
        name += "_"
    language = "en" if column.isascii() else "zh"
    label = {"zh": "", "en": ""} if plain else {"zh": "", "en": "", language: label_of(column)}
    told: dict[str, object] = {"name": name, "construct": construct, "form": form, "scale": scale, **label}
    return flow(told if plain else {**told, "column": column})


def scale_names(found: Guess) -> Mapping[tuple[int, int], str]:
    """A name for each scale in use."""
    usual = {(1, 5): "five", (1, 7): "seven", (1, 10): "ten", (0, 10): "eleven", (0, 1): "binary", (0, 100): "percent"}
    return {s: usual[s] for s in dict.fromkeys(found.scales.values())}


def distinct(frame: pl.DataFrame, column: str | None) -> list[str]:
    """The values of a key column in natural order; none when there are too many to list."""
    if column is None:
        return []
    values = [str(v).strip() for v in frame[column].drop_nulls().unique().to_list()]
    return sorted(set(values), key=natural) if len(values) <= MOST else []


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
