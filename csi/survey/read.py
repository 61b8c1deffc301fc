"""From exports to a `Panel`: read, pick, type, check, apply the rules, turn reversed items over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

import polars as pl
from narwhals.typing import IntoFrame

from csi.errors import Language, Problem, Problems, problem
from csi.survey.aside import set_aside
from csi.survey.asked import Asked
from csi.survey.asked_read import asked_of
from csi.survey.cells import REASON, cell_effects, cell_problems, turned, typed, wide_digits
from csi.survey.checks import too_few, unfit
from csi.survey.codebook import Codebook
from csi.survey.columns import FILE, ROW, Picked, pick, roles_of, used_columns, with_groups, with_replicates
from csi.survey.datafile import DataFile, Raw
from csi.survey.design_notes import design_notes
from csi.survey.doubts import (
    absent_notes,
    idle_rules,
    item_notes,
    same_file_notes,
    scale_notes,
    unlike,
    unused_scales,
    wave_notes,
    wide_notes,
)
from csi.survey.flow import flow_of
from csi.survey.former import Former, Turned, still_unlike, turned_into, widened
from csi.survey.keys import key_problems, numeric_keys, present, recurring, relabelled, under_one_name
from csi.survey.panel import Dropped, Panel, RuleEffect
from csi.survey.query import Query
from csi.survey.readers import read_raw
from csi.survey.readers.frames import read_frame
from csi.survey.recognised import coded_missing, recognised_notes
from csi.survey.repeats import counted_apart
from csi.survey.ruled import POSITION, Ruled, apply, hits_of, marked
from csi.survey.ruled_columns import named_columns, passing, with_rule_columns, without
from csi.survey.rules import Rules, empty_rows, row_rules
from csi.survey.signs import with_signs
from csi.survey.wave_changes import rescaled_problems, wave_changes
from csi.survey.worded import worded

Answers = str | Path | DataFile | Query | IntoFrame
"""One source of answers: a path, a described file, a query of a database, or a frame."""

STANDARD = Rules()
"""The rules a study has when it states none."""


def read_panel(
    source: Answers | Sequence[Answers],
    codebook: Codebook,
    *,
    rules: Rules = STANDARD,
    waves: Sequence[str] = (),
    brands: Sequence[str] = (),
    stages: Sequence[str] = (),
    respondents: Literal["", "same", "new"] = "",
    replicates: Sequence[str] = (),
    groups: Mapping[str, str] | None = None,
    renamed: Mapping[str, str] | None = None,
    lang: Language = "en",
    aside: Sequence[str] = (),
    part: bool = False,
    former: Sequence[Former] = (),
) -> Panel:
    """Answers from files or frames as a `Panel`: typed by the codebook, checked by the rules, everything on record.

    Parameters:
        source: a path, a `DataFile`, a `Query`, a polars or pandas frame, or several of them (one per wave, say).
        codebook: items with scales and missing codes, and the key columns.
        rules: what to do with doubtful rows and cells.
        waves: the waves the study knows, oldest first; another one in the data is then a problem.
        brands: the brands the study knows, in its order. stages: likewise.
        respondents: "new" when every wave asked new people, so that one name in two waves is not one person.
        replicates: columns of replicate weights (* for any characters), kept as numbers under their own names.
        groups: name -> column of further groups (a language, a mode), kept as text.
        renamed: other names of brands in the data -> the name the study knows.
        lang: language of the messages. aside: keys of cells; one that holds what would stop the reading (text, numbers
            outside the scale, a respondent twice, bad weights) is left out and stands in `Panel.aside`.
        part: the answers are added to others, so that a single one will do. former: scales that items were asked on
            until a wave, from which answers are turned into the codebook's.

    Returns:
        A `Panel`; only key and item columns enter it, so names, telephone numbers and addresses stay outside.

    Raises:
        Problems: everything that is wrong with the answers, with file, column, rows and values.

    Example:
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Item, Scale
        >>> five = Scale("five", 1, 5, {"9": "refused"})
        >>> book = Codebook((Item("q1", "sat", five, Text("Content", "满意")),), {}, {"respondent": "id"})
        >>> answers = pl.DataFrame({"id": ["a", "b", "c"], "q1": ["4", "9", "５"], "ip": ["x", "y", "z"]})
        >>> panel = read_panel(answers, book, rules=Rules(empty_rows="flag"))
        >>> panel.frame["q1"].to_list(), panel.reasons["q1"].to_list(), panel.sources[0].unused
        ([4.0, None, 5.0], [None, 'refused', None], ('ip',))
    """
    named = named_columns(rules, codebook)
    files, raws = _read(source, lang, used_columns(codebook, [*replicates, *(groups or {}).values(), *named.values()]))
    codebook = with_replicates(with_groups(codebook, raws, groups or {}, lang), raws, replicates, lang)
    left_out, groups = passing(rules, codebook), {**(groups or {}), **named}
    codebook = with_rule_columns(codebook, raws, rules, lang)
    roles = roles_of(codebook, files)
    picked = [pick(raw, file, codebook, roles) for raw, file in zip(raws, files, strict=True)]
    _stop([*unfit(picked, codebook, rules, roles, groups)], lang)
    known = {"wave": waves, "brand": brands, "stage": stages}
    raw = pl.concat([p.frame for p in picked]).collect(engine="in-memory")
    frame = _typed(picked, widened(codebook, former), roles, known)
    frame, told = under_one_name(frame, renamed or {})
    order = _order(frame, waves, former)
    asked = asked_of(picked, raw, frame["wave"], codebook) if "wave" in frame.columns else ()
    turned = turned_into(frame, codebook, former, order, missing=rules.out_of_range == "missing")
    frame = turned.frame
    frame, raw, left = set_aside(frame, raw, picked, codebook, rules, aside) if aside else (frame, raw, ())
    filled = apply(Ruled(frame), [empty_rows(rules, codebook)])
    wrong = [*cell_problems(frame, raw, picked, codebook, rules)]
    wrong = [*(_rescaled(asked, present(frame, "wave", waves), former, codebook) if wrong else ()), *wrong]
    problems = [*turned.problems, *wrong, *key_problems(filled.frame, roles, known, groups, _column(picked, "wave"))]
    rows = with_signs(filled.frame.with_columns(numeric_keys(roles, groups)), codebook, rules, roles)
    ruled = apply(replace(filled, frame=rows, lost=()), row_rules(rules, roles))
    unlikely = still_unlike(ruled.frame, codebook, former, order, turned)
    _stop([*problems, *ruled.problems, *unlikely, *too_few(ruled, raw, 0 if part else 1)], lang)
    flow = flow_of(frame.select(POSITION, *roles), ruled.effects, (*ruled.dropped, *ruled.flagged), POSITION)
    codebook, roles = without(codebook, left_out), tuple(role for role in roles if role not in left_out)
    panel = _panel(ruled, raw.drop(left_out), picked, codebook, roles, known, rules, respondents, groups, turned)
    return replace(panel, aside=left, notes=(*panel.notes, *told), flow=flow, asked=_of_items(asked, codebook))


def _of_items(asked: Sequence[Asked], codebook: Codebook) -> tuple[Asked, ...]:
    """How the items of a codebook stood."""
    known = set(codebook.names)
    return tuple(one for one in asked if one.item in known)


def _rescaled(
    asked: Sequence[Asked], waves: Sequence[str], former: Sequence[Former], codebook: Codebook
) -> Iterator[Problem]:
    """That answers leave their scale because a wave was asked on another one."""
    return rescaled_problems(wave_changes(asked, waves, former), asked, codebook)


def _column(picked: Sequence[Picked], role: str) -> str:
    """The column that holds a key in the first file that has one."""
    return next((p.columns[role] for p in picked if p.columns.get(role)), "")


def _order(frame: pl.DataFrame, waves: Sequence[str], former: Sequence[Former]) -> tuple[str, ...]:
    """The waves, oldest first, with those of former scales that have no answers yet."""
    if waves or "wave" not in frame.columns:
        return tuple(waves)
    more = pl.DataFrame({"wave": [one.wave for one in former]}, schema={"wave": pl.String})
    return present(pl.concat([frame.select("wave"), more]), "wave", ())


def _read(
    source: Answers | Sequence[Answers], lang: Language, used: Collection[str]
) -> tuple[list[DataFile], list[Raw]]:
    """Every source as text; the problems of all unreadable files at once. Names are made distinct."""
    sources = list(source) if isinstance(source, list | tuple) else [source]
    files: list[DataFile] = []
    raws: list[Raw] = []
    problems: list[Problem] = []
    for number, one in enumerate(sources, 1):
        name = "frame" if len(sources) == 1 else f"frame {number}"
        described = _described(one)
        try:
            if described is None:
                raws.append(read_frame(cast("IntoFrame", one), name))
            else:
                raws.append(read_raw(described, {*used, *described.rename.values()}))
            files.append(described or DataFile(Path(name)))
        except Problems as error:
            problems += error.problems
    if not sources:
        problems.append(
            problem(
                "E-FILE",
                "data",
                "no data file is given.",
                "没有给出数据文件。",
                "Name at least one.",
                "请至少给出一个。",
            )
        )
    _stop(problems, lang)
    names = Counter(raw.name for raw in raws)
    distinct = [
        replace(r, name=f"{r.name} {number}" if f.query else str(f.path)) if names[r.name] > 1 else r
        for number, (r, f) in enumerate(zip(raws, files, strict=True), 1)
    ]
    return files, distinct


def _described(one: object) -> DataFile | None:
    """A source that is read from outside; None for a frame."""
    if isinstance(one, DataFile):
        return one
    if isinstance(one, Query):
        return DataFile(Path(one.shown), query=one)
    return DataFile(Path(one)) if isinstance(one, str | Path) else None


def _stop(problems: Sequence[Problem], lang: Language) -> None:
    if problems:
        raise Problems(problems, lang)


def _typed(
    picked: Sequence[Picked], codebook: Codebook, roles: Sequence[str], known: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Numbers, reasons and keys of all files, one below the other, in the order of the files."""
    parts = []
    for one in picked:
        part = typed(one, codebook, roles)
        for role in roles:
            part = relabelled(part, role, one, known.get(role, ()))
        parts.append(part)
    return pl.concat(parts).collect(engine="in-memory").with_row_index(POSITION)


def _panel(
    ruled: Ruled,
    raw: pl.DataFrame,
    picked: Sequence[Picked],
    codebook: Codebook,
    roles: Sequence[str],
    known: Mapping[str, Sequence[str]],
    rules: Rules,
    respondents: Literal["", "same", "new"],
    groups: Mapping[str, str],
    turned_rows: Turned,
) -> Panel:
    """The kept rows as a `Panel`, with its audit and notes."""
    rows, names = ruled.frame, codebook.names
    waves = present(rows, "wave", known["wave"])
    frame = _answers(rows, codebook, roles, respondents)
    named = not respondents and {"respondent", "wave"} <= set(roles)
    apart = counted_apart(frame, names, waves) if named else None
    if apart is not None:
        respondents, frame = "new", _answers(rows, codebook, roles, "new")
    unused = unused_scales(rows, codebook, waves, turned_rows.known)
    wide = [wide_digits(one, codebook) for one in picked]
    return Panel(
        frame=frame,
        codebook=codebook,
        reasons=rows.select(pl.col(name + REASON).alias(name) for name in names),
        waves=waves,
        brands=present(rows, "brand", known["brand"]),
        audit=(
            *cell_effects(rows, codebook),
            *_wide(wide),
            *_worded(picked, codebook),
            *ruled.effects,
            *_reversed(rows, codebook),
            *turned_rows.effects,
        ),
        excluded=marked(raw, ruled.dropped),
        sources=tuple(replace(p.source, coded=coded_missing(p, codebook)) for p in picked),
        notes=(
            *recognised_notes(picked),
            *(one for p in picked for one in p.raw.notes),
            *same_file_notes(picked),
            *absent_notes(picked, rows, groups),
            *item_notes(rows, codebook, turned_rows.items),
            *wave_notes(rows, codebook, waves),
            *design_notes(rows, waves),
            *wide_notes(picked, wide),
            *scale_notes(unused, waves),
            *turned_rows.notes,
            *(recurring(rows, apart) if apart is not None or not respondents else ()),
            *idle_rules(codebook, roles, rules),
        ),
        flagged=marked(raw.select(FILE, ROW, *roles), ruled.flagged),
        unlike=unlike(unused),
        former=turned_rows.scales,
        hits=hits_of(rows, ruled.effects),
        dropped=_dropped(ruled, codebook, roles, respondents),
    )


def _answers(rows: pl.DataFrame, codebook: Codebook, roles: Sequence[str], respondents: str) -> pl.DataFrame:
    """Keys and items, reversed ones turned over; one name in two waves is two people where everyone is new."""
    frame = rows.select(*roles, *codebook.names).with_columns(turned(codebook))
    if respondents == "new" and {"respondent", "wave"} <= set(roles):
        frame = frame.with_columns(pl.concat_str("wave", "respondent", separator="/").alias("respondent"))
    return frame


def _dropped(ruled: Ruled, codebook: Codebook, roles: Sequence[str], respondents: str) -> Dropped | None:
    """The rows that rules took out, but for those without any answer."""
    if not ruled.lost:
        return None
    rows = pl.concat(ruled.lost)
    return Dropped(_answers(rows, codebook, roles, respondents), hits_of(rows, ruled.effects))


def _wide(wide: Sequence[Mapping[str, pl.DataFrame]]) -> Iterator[RuleEffect]:
    counts = Counter({name: part.height for one in wide for name, part in one.items()})
    if counts:
        detail = ", ".join(f"{name} {count}" for name, count in counts.most_common(4))
        yield RuleEffect("full_width_digits", "read as numbers", 0, sum(counts.values()), detail)


def _worded(picked: Sequence[Picked], codebook: Codebook) -> Iterator[RuleEffect]:
    found: Counter[str] = Counter()
    for one in picked:
        found.update(worded(one, codebook))
    if found:
        detail = ", ".join(f"{name} {count}" for name, count in found.most_common(4))
        yield RuleEffect("words", "read as codes", 0, sum(found.values()), detail)


def _reversed(rows: pl.DataFrame, codebook: Codebook) -> Iterator[RuleEffect]:
    names = [item.name for item in codebook.items if item.reverse]
    if names:
        answered = rows.select(pl.any_horizontal(pl.col(n).is_not_null() for n in names)).to_series().sum()
        cells = sum(rows[n].count() for n in names)
        yield RuleEffect("reverse", "turned over", int(answered), cells, ", ".join(names))
