"""Which columns of an export are taken, and under which names; everything else never enters the panel."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

import polars as pl

from csi.errors import Language, Problem, Problems, Text, did_you_mean, problem
from csi.survey.codebook import KEY_ROLES, Codebook
from csi.survey.datafile import DataFile, Raw
from csi.survey.panel import Source

MAY_BE_ABSENT = frozenset({"weight", "stratum", "cluster", "stage", "segment", "duration"})
"""Roles that one of several files may lack (with a note)."""


ROW = "row in the file"
FILE = "file"
NOT_GROUPS = ("respondent", "duration")


@dataclass(frozen=True, slots=True)
class Picked:
    """The used columns of one export.

    Attributes:
        raw: the export. file: how the study describes it.
        columns: {item or role: column of the export} for what this file holds.
        frame: String columns under item and role names, with `row` (as a person counts it in the file).
        absent: items and roles of the study that this file does not hold.
    """

    raw: Raw
    file: DataFile
    columns: Mapping[str, str]
    frame: pl.LazyFrame
    absent: tuple[str, ...]

    @property
    def source(self) -> Source:
        """The record of this file: its hash, its size, what was taken and what was left."""
        used = tuple(dict.fromkeys(self.columns.values()))
        unused = tuple(name for name in self.raw.frame.columns if name not in used)
        raw = self.raw
        return Source(raw.name, raw.sha256, raw.frame.height, used, unused, raw.platform, raw.personal)

    def column(self, name: str) -> str:
        """The place of an item or role for messages: file and column."""
        return f"{self.raw.name}, column {self.columns.get(name, name)}"


def used_columns(codebook: Codebook, further: Collection[str] = ()) -> set[str]:
    """The columns of exports that a study uses by the codebook's word: items, keys and further ones."""
    return {*(item.column or item.name for item in codebook.items), *codebook.keys.values(), *further}


def roles_of(codebook: Codebook, files: Sequence[DataFile]) -> tuple[str, ...]:
    """The key roles the panel will have, in the order of `KEY_ROLES`: from the keys, a rename, or a constant."""
    said = set(codebook.keys)
    for file in files:
        said |= set(file.rename) | ({"wave"} if file.wave else set()) | ({"brand"} if file.brand else set())
    return (*(role for role in KEY_ROLES if role in said), *(name for name in codebook.keys if name not in KEY_ROLES))


def with_replicates(codebook: Codebook, raws: Sequence[Raw], wanted: Sequence[str], lang: Language = "en") -> Codebook:
    """The codebook with the columns of replicate weights among its keys, each under its own name.

    Parameters:
        wanted: names of columns, with * for any characters.

    Raises:
        Problems: E-COLUMN for a name that no column has; E-REPWEIGHTS where one column is all there is, or a column
            is a key or an item already.
    """
    have = list(dict.fromkeys(column for raw in raws for column in raw.frame.columns))
    found: dict[str, str] = {}
    problems = []
    for name in wanted:
        hits = named([name], have)
        found |= {c: c for c in hits}
        if not hits:
            what = Text(f'no column "{name}" (replicate weights).', f"没有“{name}”列（重复权重）。")
            problems.append(Problem("E-COLUMN", ", ".join(raw.name for raw in raws), what, did_you_mean(name, have)))
    if wanted and not problems:
        problems += _no_weights(list(found), codebook)
    if problems:
        raise Problems(problems, lang)
    return replace(codebook, keys={**codebook.keys, **found}) if found else codebook


RESERVED = frozenset(
    {"n", "construct", "between", "cells", "items", "verdict", "bias", "std_error", "rule", "reason", "reason_zh", "c",
     "p_metric", "p_scalar", "p_composition", "p_value", "p_holm", "delta_cfi_metric", "delta_cfi_scalar", "difference",
     "cell_1", "cell_2", "index", "weight", "item", FILE, ROW, *NOT_GROUPS}
)  # fmt: skip
"""Names of columns of results, and of keys that make no groups."""


def with_groups(codebook: Codebook, raws: Sequence[Raw], wanted: Mapping[str, str], lang: Language = "en") -> Codebook:
    """The codebook with further columns of groups (a language, a mode) among its keys, each under a name.

    Parameters:
        wanted: name -> column.

    Raises:
        Problems: E-BY for a column that no export has; E-GATE for an item, or a key that has another name.
    """
    have = list(dict.fromkeys(column for raw in raws for column in raw.frame.columns))
    taken = {column: role for role, column in codebook.keys.items()}
    items = {item.column or item.name: item.name for item in codebook.items} | {n: n for n in codebook.names}
    problems = []
    for name, column in wanted.items():
        if name in RESERVED:
            en, zh = f'groups cannot be called "{name}".', f"分组不能命名为“{name}”。"
            do, do_zh = f"Write {{name: another, column: {column}}}.", f"请写 {{name: 其他名称, column: {column}}}。"
            problems.append(problem("E-GATE", "between", en, zh, do, do_zh))
        elif column in items or name in items:
            item = items.get(column, name)
            en, zh = f'"{column}" is the item {item}, not a group.', f"“{column}”是题项 {item}，不是分组。"
            do, do_zh = "Name a column that is no item.", "请指定非题项的列。"
            problems.append(problem("E-GATE", "between", en, zh, do, do_zh))
        elif column in taken:
            role = taken[column]
            en, zh = f'column "{column}" is the key {role} already.', f"“{column}”列已是关键列 {role}。"
            problems.append(problem("E-GATE", "between", en, zh, f'Write "{role}".', f"请写 {role}。"))
        elif column not in have:
            en = f'the study has no key "{column}", and the data have no column of that name.'
            zh = f"研究中没有键“{column}”，数据中也没有该列。"
            near = did_you_mean(column, [*codebook.keys, *have])
            groups = [k for k in codebook.keys if k not in RESERVED]
            hint = near if "Did you mean" in near.en or not groups else did_you_mean(column, groups)
            problems.append(problem("E-BY", "between", en, zh, hint.en, hint.zh))
    if problems:
        raise Problems(problems, lang)
    return replace(codebook, keys={**codebook.keys, **wanted}) if wanted else codebook


def named(wanted: Sequence[str], have: Sequence[str]) -> list[str]:
    """The columns that names with * for any characters mean, each once.

    Example:
        >>> named(["rw*", "w"], ["rw1", "rw2", "w"])
        ['rw1', 'rw2', 'w']
    """
    hits = ([n] if n in have else [c for c in have if "*" in n and fnmatchcase(c, n)] for n in wanted)
    return list(dict.fromkeys(c for columns in hits for c in columns))


def _no_weights(columns: Sequence[str], codebook: Codebook) -> Iterator[Problem]:
    """What is wrong with columns as replicate weights before any row is read."""
    taken = {column: role for role, column in codebook.keys.items()}
    taken |= {item.column or item.name: item.name for item in codebook.items}
    for column in (c for c in columns if c in taken):
        en = f'column "{column}" is "{taken[column]}" already, not a replicate weight.'
        zh = f"“{column}”列已用作“{taken[column]}”，不是重复权重。"
        do, do_zh = "Name only the columns of replicate weights.", "请只写重复权重的列。"
        yield problem("E-REPWEIGHTS", "replicate_weights", en, zh, do, do_zh)
    if len(columns) < TWO:
        en, zh = f"{len(columns)} replicate weight gives no variance.", f"{len(columns)} 个重复权重无法给出方差。"
        do, do_zh = "Name all of them, as in rw*.", "请写明全部列，例如 rw*。"
        yield problem("E-REPWEIGHTS", "replicate_weights", en, zh, do, do_zh)


TWO = 2
"""The fewest replicate weights that vary."""


def pick(raw: Raw, file: DataFile, codebook: Codebook, roles: Sequence[str]) -> Picked:
    """The columns of `raw` that the codebook and its keys use, under the study's names; null where it has none."""
    constants = {role: value for role, value in (("wave", file.wave), ("brand", file.brand)) if value}
    wanted = {n: column_of(n, codebook, file) for n in (*roles, *codebook.names) if n not in constants}
    have = {name: column for name, column in wanted.items() if column in raw.frame.columns}
    absent = tuple(name for name in wanted if name not in have)
    frame = (
        raw.numbered(ROW)
        .select(
            pl.lit(raw.name).alias(FILE),
            ROW,
            *(pl.col(column).alias(name) for name, column in have.items()),
            *(pl.lit(value).alias(role) for role, value in constants.items()),
            *(pl.lit(None, pl.String).alias(name) for name in absent),
        )
        .select(FILE, ROW, *roles, *codebook.names)
    )
    return Picked(raw, file, have, frame, absent)


def column_of(name: str, codebook: Codebook, file: DataFile) -> str:
    """The export column of an item or role: the file's rename, else the codebook's word; "" when nobody names one."""
    if name in file.rename:
        return file.rename[name]
    if name in codebook.names:
        return codebook[name].column or name
    return codebook.keys.get(name, "")


def missing_columns(
    picked: Picked, codebook: Codebook, roles: Sequence[str], *, alone: bool, groups: Collection[str] = ()
) -> Iterator[Problem]:
    """A problem for each column the study needs and this file lacks (`alone`: it is the only file).

    One of several files may lack `groups`.
    """
    raw, file = picked.raw, picked.file
    known = {*KEY_ROLES, *codebook.names}
    for name in file.rename:
        if name not in known:
            hint = did_you_mean(name, known)
            yield problem(
                "E-RENAME",
                file.place or raw.name,
                f'rename: "{name}" is neither an item nor a key.',
                f"rename：“{name}”既不是题项也不是关键列。",
                hint.en,
                hint.zh,
            )
    for column in dict.fromkeys(picked.columns.values()):
        if column in raw.twice:
            yield problem(
                "E-COLUMN",
                raw.name,
                f'the header names "{column}" more than once.',
                f"表头中“{column}”出现了不止一次。",
                "Give the columns distinct names.",
                "请给各列取不同的名称。",
            )
    for name in picked.absent:
        column = column_of(name, codebook, file)
        if name in roles:
            excused = (
                (name in MAY_BE_ABSENT or name in groups) and not alone and (name not in file.rename or not column)
            )
        else:
            excused = not column
        if not excused:
            yield _no_column(picked, name, column, "key" if name in roles else "item")


def _no_column(picked: Picked, name: str, column: str, kind: Literal["key", "item"]) -> Problem:
    kind_zh = "关键列" if kind == "key" else "题项"
    if not column:
        also = f", or a constant `{name}:`" if name in {"wave", "brand"} else ""
        also_zh = f"，或写常量 {name}:" if name in {"wave", "brand"} else ""
        return problem(
            "E-COLUMN",
            picked.file.place or picked.raw.name,
            f"{picked.raw.name} has no {name}.",
            f"{picked.raw.name} 没有 {name}。",
            f"Name its column under `keys` or `rename`{also}.",
            f"请在 keys 或 rename 中写出列名{also_zh}。",
        )
    hint = did_you_mean(column, picked.raw.frame.columns)
    blank, blank_zh = ("", "")
    if kind == "item":
        blank = f' If this file does not hold it, say `rename: {{{name}: ""}}`; if it is under another name, '
        blank += f"`rename: {{{name}: THAT COLUMN}}`."
        blank_zh = (
            f' 如果该文件没有这一题，请写 rename: {{{name}: ""}}；如果列名不同，请写 rename: {{{name}: 该列名}}。'
        )
    return problem(
        "E-COLUMN",
        picked.raw.name,
        f'no column "{column}" (needed for {kind} {name}).',
        f"没有“{column}”列（{kind_zh} {name} 需要）。",
        hint.en + blank,
        hint.zh + blank_zh,
    )
