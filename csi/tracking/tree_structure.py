"""Who belongs to whom: company, industry, sector, nation, from a nested mapping or a table.

Letters: `m` nodes, leaves before the parents above them never assumed; `parent` holds -1 at the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import polars as pl

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.survey.datafile import DataFile, as_text
from csi.survey.readers import read_table
from csi.survey.readers.frames import to_polars
from csi.survey.side_table import Kind, labelled, place_of_row, side_found, side_table

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

Nested = Mapping[str, object]
"""`{nation: {sector: {industry: [company, ...]}}}`."""

T = TypeVar("T")

EDGES = ("entity", "parent")
LABELS = ("zh", "en", "level")


@dataclass(frozen=True, slots=True)
class Structure:
    """The nodes of a tree, parents before their children.

    Attributes:
        names: (m) of the nodes, each once. parent: (m) place of each node's parent, -1 at the top.
        level: (m) name of each node's level. labels: name -> its name in both languages. where: name -> its row of
            the table.

    Example:
        >>> structure_of({"market": {"old": ["A", "B"], "new": ["C"]}}).children(0)
        [1, 4]
    """

    names: tuple[str, ...]
    parent: tuple[int, ...]
    level: tuple[str, ...]
    labels: Mapping[str, Text] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)

    def children(self, node: int) -> list[int]:
        """The places of a node's children."""
        return [i for i, p in enumerate(self.parent) if p == node]

    @property
    def leaves(self) -> list[int]:
        """The places of the nodes without children."""
        above = set(self.parent)
        return [i for i in range(len(self.names)) if i not in above]

    @property
    def parents(self) -> list[int]:
        """The places of the nodes with children."""
        above = set(self.parent)
        return [i for i in range(len(self.names)) if i in above]


@dataclass(frozen=True, slots=True)
class Renamed:
    """A structure, or weights, in which brands may stand under names that they had before.

    Attributes:
        source: what a user gives. names: earlier name -> the name of the answers.
    """

    source: object
    names: Mapping[str, str]


def structure_of(source: object, levels: Sequence[str] = (), leaf: str = "brand") -> Structure:
    """A structure from what a user gives.

    Parameters:
        source: a nested mapping; or a table (frame or file) with columns `entity, parent` (and `level`, `zh`, `en`); or
            one with a column per level, lowest first (`brand, industry, sector, nation`).
        levels: names of the levels of parents in a mapping, highest first. leaf: name of the lowest level.

    Raises:
        Problems: E-TREE: an entity twice or under two parents, a parent without leaves, a circle, an empty name.
    """
    made, found = structure_found(source, levels, leaf)
    if found or made is None:
        raise Problems(found)
    return made


def structure_found(
    source: object, levels: Sequence[str] = (), leaf: str = "brand"
) -> tuple[Structure | None, list[Problem]]:
    """As `structure_of`, with all that is wrong beside; of what stands twice the first place counts, None where
    nothing is left or there is a circle.
    """
    if isinstance(source, Structure):
        return source, []
    read = _read(source, levels)
    found = list(read.found)
    if not read.pairs and not found:
        found = [_tree_problem("the structure is empty.", "结构为空。", _WRITE)]
    found += [*_twice(read), *_circles(read)]
    pairs = list({name: (name, above) for name, above in reversed(read.pairs) if name.strip()}.values())[::-1]
    circle = any(name in _above(name, dict(pairs)) for name, _ in pairs)
    here = {name for name, _ in pairs}
    whole = [(name, above if above in here else "") for name, above in pairs]
    made = _ordered(whole, read.named, read.labels, leaf) if whole and not circle else None
    return (None if made is None else replace(made, where=read.where)), found


@dataclass(frozen=True, slots=True)
class _Read:
    """What a source says: (entity, parent) pairs, names of levels, labels, what is wrong, where entities stand."""

    pairs: Sequence[tuple[str, str]]
    named: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    found: Sequence[Problem] = ()
    where: Mapping[str, str] = field(default_factory=dict)


def _read(source: object, levels: Sequence[str]) -> _Read:
    """What a source says, brands under the names of the answers."""
    if isinstance(source, Renamed):
        return _under_one_name(_read(source.source, levels), source.names)
    return _of_mapping(source, levels) if isinstance(source, Mapping) else _of_table(source, levels)


def names_in(source: object, levels: Sequence[str] = ()) -> set[str]:
    """The names of a structure as they are written.

    Example:
        >>> sorted(names_in({"market": ["A", "B"]}))
        ['A', 'B', 'market']
    """
    if isinstance(source, Structure):
        return set(source.names)
    return {name for name, _ in _read(source, levels).pairs}


def _under_one_name(read: _Read, renamed: Mapping[str, str]) -> _Read:
    """Leaves under their present names; a brand that stands under both, below one parent, is one leaf."""
    above = {parent for _, parent in read.pairs}
    names = {old: new for old, new in renamed.items() if old not in above}
    present = set(read.pairs)
    kept = [(n, p) for n, p in read.pairs if n not in names or (names[n], p) not in present]
    pairs = [(names.get(n, n), p) for n, p in kept]

    def told(of: Mapping[str, T]) -> dict[str, T]:
        return {names.get(n, n): v for n, v in of.items() if n in names} | {
            n: v for n, v in of.items() if n not in names
        }

    return replace(read, pairs=pairs, named=told(read.named), labels=told(read.labels), where=told(read.where))


def _of_mapping(source: Nested, levels: Sequence[str]) -> _Read:
    """Pairs and levels of a nested mapping; parents without anything below are left out."""
    edges, empty, chosen = list(_nested(source, ())), _empty(source), dict(enumerate(levels))
    above = {parent for _, _, parent in edges}
    named = {name: chosen.get(depth, f"level {depth + 1}") for name, depth, _ in edges if name in above}
    deep = 1 + max((depth for name, depth, _ in edges if name in above), default=-1)
    found = [p for _, p in empty]
    if levels and edges and len(levels) != deep:
        en = f"levels names {len(levels)}, and there are {deep} above the lowest one."
        zh = f"levels 写有 {len(levels)} 个层级，而最低层之上有 {deep} 个层级。"
        do, do_zh = (
            "Name each, highest first; the lowest is called after the data.",
            "请由高到低逐一写出；最低层按数据命名。",
        )
        found.append(problem("E-TREE", "levels", en, zh, do, do_zh))
    gone = {name for name, _ in empty}
    return _Read([(name, over) for name, _, over in edges if name not in gone], named, {}, found)


_WRITE = Text("Write {industry: [company, company]}, say.", "例如写 {行业: [公司, 公司]}。")


def _nested(part: Nested, above: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """Name, depth and parent ("" at the top) of every node of a mapping."""
    for name, below in part.items():
        yield str(name), len(above), above[-1] if above else ""
        if isinstance(below, Mapping):
            yield from _nested(below, (*above, str(name)))
        else:
            for leaf in [below] if isinstance(below, str) else below if isinstance(below, Sequence) else ():
                yield str(leaf), len(above) + 1, str(name)


def _empty(part: Nested) -> list[tuple[str, Problem]]:
    """Parents of a mapping without anything below."""
    found: list[tuple[str, Problem]] = []
    for name, below in part.items():
        if isinstance(below, Mapping) and below:
            found += _empty(below)
        elif not below:
            found.append((str(name), childless(str(name))))
        elif not isinstance(below, str | Sequence):
            en, zh = f'"{name}" holds {below!r}, not names.', f"“{name}”下应为名称，而不是 {below!r}。"
            found.append((str(name), _tree_problem(en, zh, _WRITE)))
    return found


def childless(name: str, where: str = "structure") -> Problem:
    """A parent without anything below."""
    en, zh = f'the parent "{name}" has no leaves.', f"上级“{name}”下没有任何成员。"
    return _tree_problem(en, zh, Text("List its companies, or take it out.", "请列出其公司，或将其删去。"), where)


def _of_table(source: object, levels: Sequence[str]) -> _Read:
    """Pairs of entity and parent, levels and labels of a table."""
    path = Path(source) if isinstance(source, str | Path) else None
    if path is not None and path.is_file() and not path.read_bytes().strip():
        return _Read([], found=side_found(path, "structure", {"entity": "text"}, {}, "E-TREE")[1])
    raw = read_table(DataFile(path)).frame if path is not None else _frame(source)
    name = "structure" if path is None else path.name
    found = []
    if levels:
        en, zh = (
            "levels are named for a nested structure, and this one is a table.",
            "levels 用于嵌套结构，而此处为表格。",
        )
        do, do_zh = "Name them in the table: a column level, or the columns.", "请在表中写明：level 列或各列列名。"
        found.append(problem("E-TREE", "levels", en, zh, do, do_zh))
    given = raw if path is None else path
    if "parent" in raw.columns:
        read = _of_edges(given)
    else:
        odd = _no_columns(raw, name)
        read = _Read([], found=odd) if odd else _of_levels(raw, given)
    return replace(read, found=[*found, *read.found])


def _of_edges(given: object) -> _Read:
    """A table with a row per entity."""
    optional: dict[str, Kind] = dict.fromkeys(("parent", *LABELS), "text")
    table, found = side_found(given, "structure", {"entity": "text"}, optional, "E-TREE")
    if table is None:
        return _Read([], found=found)
    places = [place_of_row(given, "structure", row) for row in range(table.height)]
    table = table.with_columns(pl.Series("where", places)).drop_nulls("entity")
    pairs = [(e, p or "") for e, p in table.select(EDGES).iter_rows()]
    where = dict(zip(table["entity"], table["where"], strict=True))
    below = dict(reversed([(p, where) for _, p, where in table.select(*EDGES, "where").iter_rows() if p]))
    known = {e for e, _ in pairs}
    missing = [p for p in dict.fromkeys(p for _, p in pairs) if p and p not in known]
    if len(missing) > 1 or (missing and "" in {p for _, p in pairs}):
        found += [_rowless(p, [e for e, over in pairs if over == p], known, below[p]) for p in missing]
    named = dict(zip(table["entity"], table["level"], strict=True)) if "level" in table.columns else {}
    labels = labelled(table, "entity") if {"zh", "en"} & set(table.columns) else {}
    return _Read([*((p, "") for p in missing), *pairs], {k: v for k, v in named.items() if v}, labels, found, where)


def _rowless(name: str, below: Sequence[str], known: set[str], where: str) -> Problem:
    """A parent that no row places in the tree: perhaps a slip of another one."""
    hint = did_you_mean(name, known - set(below))
    near = hint if "?" in hint.en else Text("", "")
    who, more = ", ".join(below[:3]), len(below) > 3
    en = f'"{name}" stands above {who}{", ..." if more else ""} and has no row of its own.'
    zh = f"“{name}”是{who.replace(', ', '、')}{' 等' if more else ''}的上级，但自身没有所在行。"
    do = f"{near.en} Give it a row with its parent (blank at the top).".strip()
    return _tree_problem(en, zh, Text(do, f"{near.zh}请为其补一行并写明上级（顶层留空）。"), where)


def _no_columns(raw: pl.DataFrame, name: str) -> list[Problem]:
    """A table that has neither entity and parent nor a full column per level."""
    columns = [c for c in raw.columns if c not in LABELS]
    empty = [c for c in columns if (raw[c].is_null() | (raw[c].str.strip_chars() == "")).any()]
    if "entity" not in columns and len(columns) > 1 and not empty and raw.height:
        return []
    lacks = [c for c in EDGES if c not in columns]
    hint = did_you_mean(lacks[-1], columns)
    word = "column" if len(lacks) == 1 else "columns"
    en = f"no {word} {', '.join(lacks)}; columns are entity, parent, [zh], [en], [level], or one full column per level."
    zh = f"缺少列 {'、'.join(lacks)}；应有列：entity, parent, [zh], [en], [level]，或每个层级一列且不留空。"
    return [Problem("E-TREE", name, Text(en, zh), hint)]


def _of_levels(raw: pl.DataFrame, given: object) -> _Read:
    """A table with a column per level, lowest first."""
    columns = [c for c in raw.columns if c not in LABELS]
    table = side_table(raw, "structure", dict.fromkeys(columns, "text"), {}, "E-TREE")
    steps = [list(dict.fromkeys(table.select(columns[i], columns[i + 1]).iter_rows())) for i in range(len(columns) - 1)]
    top = [(name, "") for name in dict.fromkeys(table[columns[-1]])]
    named = {name: column for column in reversed(columns) for name in table[column]}
    apart = {name for name, _ in _several(steps[0] if steps else [])}  # told as standing under two parents
    twice = table[columns[0]].value_counts().filter(pl.col("count") > 1)[columns[0]].to_list()
    rows = [(name, place_of_row(given, "structure", row)) for row, name in enumerate(table[columns[0]])]
    where = dict(reversed(rows)) | {name: place for name, place in rows if name in twice}
    found = [_in_two(name, "", (), where[name]) for name in sorted(twice) if name not in apart]
    labels = labelled(raw, columns[0]) if {"zh", "en"} & set(raw.columns) else {}
    return _Read([*top, *(pair for step in reversed(steps) for pair in step)], named, labels, found, where)


def _frame(source: object) -> pl.DataFrame:
    return as_text(to_polars(cast("IntoFrame", source), "structure"))


def _several(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Entities that stand more than once, with their parents."""
    above: dict[str, list[str]] = {}
    for name, parent in pairs:
        above.setdefault(name, []).append(parent)
    return [(name, parents) for name, parents in above.items() if len(parents) > 1]


def _twice(read: _Read) -> list[Problem]:
    """A company in two industries, or twice in one; names that are blank."""
    found = [
        _in_two(name, " and ".join(f'"{p}"' if p else "the top" for p in above), above, read.where.get(name))
        for name, above in _several(read.pairs)
    ]
    if any(not name.strip() for name, _ in read.pairs):
        found.append(_tree_problem("a name is empty.", "有名称为空。", Text("Write every name.", "请写出所有名称。")))
    return found


def _in_two(name: str, en_places: str, above: Sequence[str] = (), where: str | None = None) -> Problem:
    if len(set(above)) > 1:
        zh_places = "与".join(f"“{p}”" if p else "顶层" for p in above)
        en, zh = f'"{name}" stands under {en_places}.', f"“{name}”同时属于{zh_places}。"
    else:
        en, zh = f'"{name}" is listed twice.', f"“{name}”重复列出。"
    do = Text("An entity has one place in the tree.", "每个成员在树中只能有一个位置。")
    return _tree_problem(en, zh, do, where or "structure")


def _circles(read: _Read) -> list[Problem]:
    """Entities that are above themselves."""
    above = dict(read.pairs)
    found = []
    for name in above:
        if name in _above(name, above):
            en, zh = f'"{name}" is above itself.', f"“{name}”是自身的上级。"
            do = Text("Correct the parents.", "请更正上级关系。")
            found.append(_tree_problem(en, zh, do, read.where.get(name, "structure")))
    return found


def _above(name: str, above: Mapping[str, str]) -> set[str]:
    """All that stands above an entity, itself in a circle."""
    seen: set[str] = set()
    at = above.get(name, "")
    while at and at not in seen:
        seen.add(at)
        at = above.get(at, "")
    return seen


def _ordered(
    pairs: Sequence[tuple[str, str]], named: Mapping[str, str], labels: Mapping[str, Text], leaf: str
) -> Structure:
    """Nodes in order, each parent right before what is below it."""
    below: dict[str, list[str]] = {}
    for name, over in pairs:
        below.setdefault(over, []).append(name)
    names: list[str] = []
    places: dict[str, int] = {}
    depth: dict[str, int] = {"": -1}

    def walk(parent: str) -> None:
        for name in below.get(parent, []):
            places[name], depth[name] = len(names), depth[parent] + 1
            names.append(name)
            walk(name)

    walk("")
    over_of = dict(pairs)
    level = [named.get(n) or (f"level {depth[n] + 1}" if n in below else leaf) for n in names]
    return Structure(tuple(names), tuple(places[over_of[n]] if over_of[n] else -1 for n in names), tuple(level), labels)


def _tree_problem(en: str, zh: str, do: Text, where: str = "structure") -> Problem:
    return problem("E-TREE", where, en, zh, do.en, do.zh)
