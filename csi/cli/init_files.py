"""The study file and the codebook that `csi init` writes, with all it saw as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from csi.cli.guess import Guess, blocks_of
from csi.cli.guess_keys import label_of, local_of
from csi.cli.guess_kinds import LABELS, Kind
from csi.cli.guess_scales import PLAIN
from csi.cli.init_events import Table, beside, entries
from csi.cli.init_model import GUESSED
from csi.cli.init_scales import lines as scale_lines
from csi.cli.init_scales import scales_of
from csi.errors import Language, Text
from csi.models.card import Card
from csi.simulation.texts import FURTHER, flow
from csi.study.waves import per_year
from csi.survey.codebook import KEY_ROLES
from csi.survey.datafile import Raw
from csi.survey.period import natural
from csi.survey.readers.platforms.limesurvey import code_of
from csi.survey.wave_names import name_problem, named_order

UNTOLD = Text(
    "# per_year: 4   (how many waves a year has; their names do not tell, and without it 4 is taken)",
    "# per_year: 4   （一年有几期；从期次名称无法判断，不写则按 4 期）",
)
"""What stands under waves whose names do not tell how many a year has."""

MOST = 200
"""More distinct waves or brands than this are not listed."""

CHINESE = re.compile(r"[\u4e00-\u9fff]")
"""What tells that a text is Chinese."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a first study file is made of.

    Attributes:
        export, folder, encoding: the answers, and where the files go. card, found, raw: the model asked for, what the
            columns probably are, and what the reader knows. tables: of events. lang: of comments.
    """

    export: Path
    folder: Path
    encoding: str
    card: Card
    found: Guess
    raw: Raw
    tables: tuple[Table, ...]
    lang: Language

    items: Mapping[str, Sequence[str]]
    names: Mapping[str, str]


def draft_of(
    export: Path,
    folder: Path,
    encoding: str,
    card: Card,
    found: Guess,
    raw: Raw,
    tables: Sequence[Table],
    lang: Language,
) -> Draft:
    """What the files are made of, with the items of every construct and their names."""
    items = items_of(card, found)
    return Draft(export, folder, encoding, card, found, raw, tuple(tables), lang, items, names_of(card, found, items))


def items_of(card: Card, found: Guess) -> dict[str, list[str]]:
    """Construct -> its columns: those of the card that have some, else blocks of columns of one beginning.

    Columns to which everybody gave one answer are left out.
    """
    usable = {column: k for column, k in found.items.items() if column not in found.constant}
    given = {c: [column for column, k in usable.items() if k == c] for c in card.constructs}
    given = {c: columns for c, columns in given.items() if columns}
    if given:
        return given
    blocks = {b[1:]: columns for b, columns in blocks_of(usable).items()}
    return {b: columns for b, columns in blocks.items() if len(columns) > 1 and PLAIN.fullmatch(b)}


def names_of(card: Card, found: Guess, items: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Column -> the name of its item; one whose name is a sentence or that of a key or construct gets another."""
    out: dict[str, str] = {}
    taken = {*KEY_ROLES, *card.constructs, *items}
    for construct, columns in items.items():
        for number, column in enumerate(columns, 1):
            short = short_of(column)
            plain = bool(short) and short not in taken and short not in out.values()
            name = short if plain else f"{construct}{number}"
            while not plain and (name in taken or name in out.values() or name in found.items):
                name += "_"
            out[column] = name
    return out


def short_of(column: str) -> str:
    """The name of an item that a column's name makes: itself, or its end behind the groups; "" where it makes none.

    Example:
        >>> short_of("g1/sat1"), short_of("sat[SQ001]"), short_of("q[SQ1]. How satisfied?"), short_of("1、总体满意度")
        ('sat1', 'sat_SQ001', 'q_SQ1', '')
    """
    if re.match(r"[A-Za-z]\w*\[\w+\]\. ", column):
        column = code_of(column)
    name = re.sub(r"[\[\]]+", "_", local_of(column)).strip("_") if column.isascii() else ""
    return column if PLAIN.fullmatch(column) else name if PLAIN.fullmatch(name) else ""


def study_text(draft: Draft, model: str, target: str, without: Mapping[str, Text]) -> str:
    """The study file.

    Parameters:
        model: its line. target: of the index. without: roles whose column is not named, and why.
    """
    found, lang, stem = draft.found, draft.lang, draft.export.stem
    name = stem if PLAIN.fullmatch(stem) else "study"
    file = {"file": beside(draft.export, draft.folder), **({"encoding": draft.encoding} if draft.encoding else {})}
    keys = {role: column for role, column in found.roles.items() if role not in without}
    waves, brands = (distinct(draft.raw.frame, found.roles.get(role)) for role in ("wave", "brand"))
    waves = [] if any(name_problem(dict.fromkeys(waves, (0, Text("", ""))), "")) else [*named_order("wave", waves)]
    first = Text(
        "# A first guess by csi init: correct what is wrong, delete this line.",
        "# csi init 的初稿，请核对修改后删除本行。",
    )
    lines = [
        first.say(lang),
        *_recognised(draft),
        "csi: 1",
        f"study: {name}",
        f"title: {flow({'zh': f'{stem} 顾客满意度研究', 'en': f'{stem} customer satisfaction'})}",
        f"sector: {flow({'zh': '', 'en': ''})}",
        f"language: {lang}",
        f"data:\n  - {flow(file)}",
        "codebook: codebook.yaml",
        f"keys: {flow(keys)}",
        *(f"# {role}: {quoted(found.roles[role])}   ({why.say(lang)})" for role, why in without.items()),
        *_segments(draft),
        *_waves(waves, lang),
        *_brands(brands),
        *([GUESSED.say(lang)] if "text:" in model else []),
        model,
        "rules: {out_of_range: stop, duplicates: stop, straight_lining: flag}",
        f"index: {flow({'target': target, 'weights': 'base' if len(waves) > 1 else 'own'})}",
        *entries(draft.tables, draft.folder, lang),
        *_not_placed(draft),
    ]
    return "\n".join(lines) + "\n" + FURTHER


def codebook_text(draft: Draft) -> str:
    """The codebook: recognised items in the card's order, the rest as comments to complete."""
    found, card, lang, items, names = draft.found, draft.card, draft.lang, draft.items, draft.names
    scales = scales_of(found)
    lines = ["scales:", *scale_lines(found, scales, lang)]
    words = {c: {"zh": b.zh, "en": b.en} for c, b in card.constructs.items()}
    lines.append("constructs:")
    lines += [f"  {c}: {flow(words.get(c, {'zh': '', 'en': c}))}" for c in dict.fromkeys((*card.constructs, *items))]
    lines.append("items:")
    for construct in (
        dict.fromkeys((*items, *card.constructs)) if set(items) - set(card.constructs) else card.constructs
    ):
        form = card.constructs[construct].form if construct in card.constructs else "P"
        for column in items.get(construct, ()):
            lines.append(f"  - {item(draft, column, names[column], construct, scales.columns[column], form)}")
            lines += against(draft, column)
        if construct not in items and construct in card.constructs:
            hint = Text(f"no column recognised for {construct}", f"未识别到“{construct}”的题项").say(lang)
            blank = {"name": "COLUMN", "construct": construct, "form": form, "scale": scales.first}
            lines.append(f"  # {hint}: {flow({**blank, 'zh': '', 'en': ''})}")
    unknown = [c for scale in found.words if not scale.known for c in scale.columns]
    left = [*(c for c in found.items if c not in names), *unknown]
    if left:
        told = Text("  # not recognised; give each a construct or delete it", "  # 未能归类：请补充构念，或删除")
        lines.append(told.say(lang))
        for number, column in enumerate(left, 1):
            name = short_of(column) or f"item{number}"
            lines.append(f"  # - {item(draft, column, name, '', scales.columns[column], 'P')}")
            lines += against(draft, column)
    return "\n".join(lines) + "\n"


def item(draft: Draft, column: str, name: str, construct: str, scale: str, form: str) -> str:
    """One item, with its question as asked in the language it is asked in."""
    asked = draft.found.wording.get(column, "") or ("" if PLAIN.fullmatch(column) else label_of(column))
    label = {"zh": "", "en": ""}
    if (asked and asked != column) or not PLAIN.fullmatch(column):
        label["zh" if CHINESE.search(asked) else "en"] = one_line(label_of(asked))
    told: dict[str, object] = {"name": name, "construct": construct, "form": form, "scale": scale, **label}
    return flow(told if name == column else {**told, "column": column})


def against(draft: Draft, column: str) -> Iterator[str]:
    """A comment under an item that runs against the rest of its block."""
    if column in draft.found.against:
        value, count = draft.found.against[column]
        yield "    # " + Text(
            f"reverse? its correlation with the rest of its block is {value:.2f} (n = {count}); "
            "write reverse: yes if it is worded the other way round",
            f"反向题？与同组其余题项的相关为 {value:.2f}（n = {count}）；如题意相反，请写 reverse: yes",
        ).say(draft.lang)


def distinct(frame: pl.DataFrame, column: str | None) -> list[str]:
    """The values of a key column in natural order; none when there are too many to list."""
    if column is None:
        return []
    values = [str(v).strip() for v in frame[column].drop_nulls().unique().to_list()]
    return sorted(set(values), key=natural) if len(values) <= MOST else []


def one_line(text: str) -> str:
    """A text without line breaks and doubled blanks."""
    return re.sub(r"\s+", " ", text).strip()


def quoted(text: str) -> str:
    """A name of a column as YAML has it."""
    return flow([one_line(text)])[1:-1]


def _recognised(draft: Draft) -> Iterator[str]:
    """The platform and why, and the columns that stayed behind in the reader."""
    platform, lang = draft.raw.platform, draft.lang
    if platform is not None:
        yield "# " + one_line(
            Text(
                f"Recognised as an export of {platform.label.en}: {platform.why.en}.",
                f"识别为{platform.label.zh}的导出：{platform.why.zh}。",
            ).say(lang)
        )
    if draft.raw.personal:
        names = ", ".join(one_line(c) for c in draft.raw.personal)
        yield "# " + Text(
            f"Left out because they name people (data: personal: [COLUMN] reads one all the same): {names}",
            f"以下列含个人信息，未读取（如确有需要，可在 data 中写 personal: [列名]）：{names}",
        ).say(lang)


def _segments(draft: Draft) -> Iterator[str]:
    """Questions about people that may make segments."""
    columns = [c for c, kind in draft.found.kinds.items() if kind == "segment"]
    if columns and "segment" not in draft.found.roles:
        names = ", ".join(quoted(c) for c in columns)
        yield "# " + Text(f"may be the segment, one of: {names}", f"可作为 segment（细分）的列：{names}").say(
            draft.lang
        )


def _waves(waves: Sequence[str], lang: Language) -> Iterator[str]:
    if waves:
        many = per_year(list(waves))
        rhythm = {} if many is None else {"per_year": many}
        yield f"waves: {flow({'order': list(waves), 'base': waves[0], **rhythm})}"
        if many is None:
            yield UNTOLD.say(lang)


def _brands(brands: Sequence[str]) -> Iterator[str]:
    if brands:
        yield "brands:"
        for j, b in enumerate(brands):
            yield f"  - {flow({'name': b, 'zh': b, 'en': b, **({'focal': True} if j == 0 else {})})}"


def _not_placed(draft: Draft) -> Iterator[str]:
    """The questions that became neither keys nor items, by what they are."""
    kinds: tuple[Kind, ...] = ("segment", "choices", "words", "other")
    told = {kind: [c for c, k in draft.found.kinds.items() if k == kind] for kind in kinds}
    if any(told.values()):
        yield "# " + Text("Questions that became neither keys nor items:", "未成为关键列或题项的问题：").say(draft.lang)
    for kind in kinds:
        for column in told[kind]:
            asked = draft.found.wording.get(column, "")
            more = f" “{one_line(asked)}”" if asked and asked != column else ""
            why = draft.found.unused[column].say(draft.lang)
            yield f"#   {one_line(column)}{more}: {LABELS[kind].say(draft.lang)}; {why}"
