"""Who belongs to whom: company, industry, sector, nation, from a nested mapping or a table.

Letters: `m` nodes, leaves before the parents above them never assumed; `parent` holds -1 at the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl

from csi.errors import Problem, Problems, Text, problem
from csi.survey.datafile import DataFile, as_text
from csi.survey.readers import read_raw
from csi.survey.readers.frames import to_polars
from csi.survey.side_table import Kind, labelled, side_table

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

Nested = Mapping[str, object]
"""`{nation: {sector: {industry: [company, ...]}}}`."""

EDGES = ("entity", "parent")
LABELS = ("zh", "en", "level")


@dataclass(frozen=True, slots=True)
class Structure:
    """The nodes of a tree, parents before their children.

    Attributes:
        names: (m) of the nodes, each once. parent: (m) place of each node's parent, -1 at the top.
        level: (m) name of each node's level. labels: name -> its name in both languages.

    Example:
        >>> structure_of({"market": {"old": ["A", "B"], "new": ["C"]}}).children(0)
        [1, 4]
    """

    names: tuple[str, ...]
    parent: tuple[int, ...]
    level: tuple[str, ...]
    labels: Mapping[str, Text] = field(default_factory=dict)

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


def structure_of(source: object, levels: Sequence[str] = (), leaf: str = "brand") -> Structure:
    """A structure from what a user gives.

    Parameters:
        source: a nested mapping; or a table (frame or file) with columns `entity, parent` (and `level`, `zh`, `en`); or
            one with a column per level, lowest first (`brand, industry, sector, nation`).
        levels: names of the levels of parents in a mapping, highest first. leaf: name of the lowest level.

    Raises:
        Problems: E-TREE: an entity twice or under two parents, a parent without leaves, a circle, an empty name.
    """
    if isinstance(source, Structure):
        return source
    if isinstance(source, Mapping):
        edges, found = list(_nested(source, ())), _empty(source)
        chosen = dict(enumerate(levels))
        above = {parent for _, _, parent in edges}
        named = {name: chosen.get(depth, f"level {depth + 1}") for name, depth, _ in edges if name in above}
        pairs, labels = [(name, above) for name, _, above in edges], dict[str, Text]()
    else:
        pairs, named, labels, found = _of_table(source)
    if not pairs and not found:
        found = [_tree_problem("the structure is empty.", "结构为空。", _WRITE)]
    found += _twice(pairs)
    if not found:
        found += _circles(pairs)
    if found:
        raise Problems(found)
    return _ordered(pairs, named, labels, leaf)


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


def _empty(part: Nested) -> list[Problem]:
    """Parents of a mapping without anything below."""
    found = []
    for name, below in part.items():
        if isinstance(below, Mapping) and below:
            found += _empty(below)
        elif not below:
            found.append(_childless(str(name)))
        elif not isinstance(below, str | Sequence):
            en, zh = f'"{name}" holds {below!r}, not names.', f"“{name}”下应为名称，而不是 {below!r}。"
            found.append(_tree_problem(en, zh, _WRITE))
    return found


def _childless(name: str) -> Problem:
    en, zh = f'the parent "{name}" has no leaves.', f"上级“{name}”下没有任何成员。"
    return _tree_problem(en, zh, Text("List its companies, or take it out.", "请列出其公司，或将其删去。"))


def _of_table(source: object) -> tuple[list[tuple[str, str]], dict[str, str], dict[str, Text], list[Problem]]:
    """Pairs of entity and parent, levels and labels of a table."""
    path = Path(source) if isinstance(source, str | Path) else None
    raw = read_raw(DataFile(path)).frame if path is not None else _frame(source)
    if "parent" in raw.columns:
        optional: dict[str, Kind] = dict.fromkeys(("parent", *LABELS), "text")
        table = side_table(raw, "structure", {"entity": "text"}, optional, "E-TREE")
        pairs = [(e, p or "") for e, p in table.select(EDGES).iter_rows()]
        missing = dict.fromkeys(p for _, p in pairs if p and p not in {e for e, _ in pairs})
        named = dict(zip(table["entity"], table["level"], strict=True)) if "level" in table.columns else {}
        labels = labelled(table, "entity") if {"zh", "en"} & set(table.columns) else {}
        return [*((p, "") for p in missing), *pairs], {k: v for k, v in named.items() if v}, labels, []
    columns = [c for c in raw.columns if c not in LABELS]
    table = side_table(raw, "structure", dict.fromkeys(columns, "text"), {}, "E-TREE")
    steps = [list(dict.fromkeys(table.select(columns[i], columns[i + 1]).iter_rows())) for i in range(len(columns) - 1)]
    top = [(name, "") for name in dict.fromkeys(table[columns[-1]])]
    named = {name: column for column in reversed(columns) for name in table[column]}
    apart = {name for name, _ in _several(steps[0] if steps else [])}  # told as standing under two parents
    twice = table[columns[0]].value_counts().filter(pl.col("count") > 1)[columns[0]].to_list()
    found = [_in_two(name, "") for name in sorted(twice) if name not in apart]
    labels = labelled(raw, columns[0]) if {"zh", "en"} & set(raw.columns) else {}
    return [*top, *(pair for step in reversed(steps) for pair in step)], named, labels, found


def _frame(source: object) -> pl.DataFrame:
    return as_text(to_polars(cast("IntoFrame", source), "structure"))


def _several(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Entities that stand more than once, with their parents."""
    above: dict[str, list[str]] = {}
    for name, parent in pairs:
        above.setdefault(name, []).append(parent)
    return [(name, parents) for name, parents in above.items() if len(parents) > 1]


def _twice(pairs: Sequence[tuple[str, str]]) -> list[Problem]:
    """A company in two industries, or twice in one; names that are blank."""
    found = [
        _in_two(name, " and ".join(f'"{p}"' if p else "the top" for p in above), above)
        for name, above in _several(pairs)
    ]
    if any(not name.strip() for name, _ in pairs):
        found.append(_tree_problem("a name is empty.", "有名称为空。", Text("Write every name.", "请写出所有名称。")))
    return found


def _in_two(name: str, en_places: str, above: Sequence[str] = ()) -> Problem:
    if len(set(above)) > 1:
        zh_places = "与".join(f"“{p}”" if p else "顶层" for p in above)
        en, zh = f'"{name}" stands under {en_places}.', f"“{name}”同时属于{zh_places}。"
    else:
        en, zh = f'"{name}" is listed twice.', f"“{name}”重复列出。"
    return _tree_problem(en, zh, Text("An entity has one place in the tree.", "每个成员在树中只能有一个位置。"))


def _circles(pairs: Sequence[tuple[str, str]]) -> list[Problem]:
    """Entities that are above themselves."""
    above = dict(pairs)
    found = []
    for name, over in above.items():
        seen, at = {name}, over
        while at and at not in seen:
            seen.add(at)
            at = above.get(at, "")
        if at == name:
            en, zh = f'"{name}" is above itself.', f"“{name}”是自身的上级。"
            found.append(_tree_problem(en, zh, Text("Correct the parents.", "请更正上级关系。")))
    return found


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


def _tree_problem(en: str, zh: str, do: Text) -> Problem:
    return problem("E-TREE", "structure", en, zh, do.en, do.zh)
