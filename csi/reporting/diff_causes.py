"""Why a number differs between two runs: answers, design weights, outer weights, settings, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from csi.errors import Text
from csi.reporting.diff_read import KEYS, Cell, Facts

CAUSES: Final = {
    "settings": Text("settings", "设置"),
    "versions": Text("versions", "版本"),
    "answers": Text("answers", "答卷"),
    "design weights": Text("design weights", "抽样权重"),
    "outer weights": Text("outer weights", "外部权重"),
    "cell": Text("a cell that came or went", "单元增减"),
    "unknown": Text("unknown", "未知"),
}
_OF_CELLS: Final = frozenset(["index", "std_error", "conf_low", "conf_high"])
DIFFERS: Final = 1e-6
"""Outer weights that differ by less are of the grid of design weights (2^-20 of their mean)."""
_AWAY: Final = ("construct", "item", "against", "reference")


def where_of(cell: Cell) -> Cell:
    """The cell of a number without what is told of it."""
    return tuple("" if k in _AWAY else v for k, v in zip(KEYS, cell, strict=True))


def causes_of(
    a: Facts, b: Facts, rows: pl.DataFrame, at: list[tuple[str, Cell]], *, settings: bool, versions: bool
) -> pl.Series:
    """Per number why it differs, joined by "+"; null where it does not, or where the records cannot say.

    Parameters:
        rows: with `status`. at: which number each row is. settings, versions: whether they differ.
    """
    outer = _outer(a, b)
    said: list[str | None] = []
    for (quantity, cell), status in zip(at, rows["status"], strict=True):
        if status == "same" or quantity not in _OF_CELLS:
            said.append(None)
        elif status in {"new", "gone"} and (where_of(cell) not in a.n or where_of(cell) not in b.n):
            said.append("cell")
        else:
            found = [w for w, there in (("settings", settings), ("versions", versions)) if there]
            below = _below(a, b, where_of(cell))
            mine = [_own(a.marks, b.marks, c) for c in below]
            found += [w for w in ("answers", "design weights") if w in mine]
            weights = outer.get(cell[KEYS.index("construct")], [])
            found += ["outer weights"] if any(_moved(weights, c) for c in below) else []
            came = cell[KEYS.index("node")] and a.marks and b.marks
            found += ["cell"] if came and any((c in a.marks) != (c in b.marks) for c in below) else []
            known = any(c in a.marks and c in b.marks for c in below)
            said.append("+".join(found) or ("unknown" if known or status != "changed" else None))
    return pl.Series("cause", said, dtype=pl.String)


def _below(a: Facts, b: Facts, cell: Cell) -> list[Cell]:
    """The cells that a number is of: those of the leaves below a node of a tree, else its own."""
    node = cell[KEYS.index("node")]
    if not node:
        return [cell]
    leaves = dict.fromkeys((*a.leaves.get(node, ()), *b.leaves.get(node, ()))) or {node: None}
    at = {"brand": KEYS.index("brand"), "node": KEYS.index("node")}
    return [
        tuple(leaf if k == at["brand"] else "" if k == at["node"] else v for k, v in enumerate(cell)) for leaf in leaves
    ]


def _own(before: Mapping[Cell, tuple[str, str]], after: Mapping[Cell, tuple[str, str]], cell: Cell) -> str | None:
    """What differs in the rows of a cell."""
    one, other = before.get(cell), after.get(cell)
    if one is None or other is None or one == other:
        return None
    return "answers" if one[0] != other[0] else "design weights"


def _outer(a: Facts, b: Facts) -> dict[str, list[tuple[Cell, bool]]]:
    """Construct -> cells that its outer weights are told of, each with whether a weight differs."""
    found: dict[str, list[tuple[Cell, bool]]] = {}
    for (quantity, cell), value in a.numbers.items():
        if quantity == "weight":
            other = b.numbers.get((quantity, cell))
            differs = other is not None and abs(other - value) > DIFFERS
            found.setdefault(cell[KEYS.index("construct")], []).append((where_of(cell), differs))
    return found


def _moved(weights: list[tuple[Cell, bool]], cell: Cell) -> bool:
    """Whether the weights of a cell differ: those told of it, its brand or its wave, else all (of a base wave)."""
    mine = [differs for where, differs in weights if all(v in {"", w} for v, w in zip(where, cell, strict=True))]
    return any(mine or (differs for _, differs in weights))


def renamed(a: Facts, b: Facts) -> dict[str, str]:
    """Brands that have another name now: every wave of the new name holds the answers of the old one's.

    Returns:
        Old name -> new name.
    """
    one, other = _by_brand(a), _by_brand(b)
    gone, new = set(one) - set(other), set(other) - set(one)
    pairs = [(old, name) for old in gone for name in new if one[old] and _alike(one[old], other[name])]
    olds, news = [p[0] for p in pairs], [p[1] for p in pairs]
    return {old: name for old, name in pairs if olds.count(old) == 1 and news.count(name) == 1}


def _by_brand(facts: Facts) -> dict[str, dict[Cell, str]]:
    """Brand -> rest of the cell -> mark of its answers."""
    found: dict[str, dict[Cell, str]] = {}
    for cell, marks in facts.marks.items():
        found.setdefault(cell[0], {})[cell[1:]] = marks[0]
    return found


def _alike(one: Mapping[Cell, str], other: Mapping[Cell, str]) -> bool:
    """At least one cell in common, and the same answers in all that are."""
    both = set(one) & set(other)
    return bool(both) and all(one[c] == other[c] for c in both)


def with_names(facts: Facts, names: Mapping[str, str]) -> Facts:
    """The facts with brands under their new names."""
    if not names:
        return facts

    def called(cell: Cell) -> Cell:
        return (names.get(cell[0], cell[0]), *cell[1:])

    return replace(
        facts,
        n={called(c): v for c, v in facts.n.items()},
        numbers={(q, called(c)): v for (q, c), v in facts.numbers.items()},
        marks={called(c): v for c, v in facts.marks.items()},
    )


def cause_sentence(rows: pl.DataFrame) -> list[Text]:
    """Why values of the index changed, counted."""
    told = rows.filter(pl.col("quantity") == "index", pl.col("status") == "changed", pl.col("cause").is_not_null())
    if told.is_empty():
        return []
    counts = told.group_by("cause", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    en = "; ".join(f"{' and '.join(_words(c, 'en'))} {k}" for c, k in counts.iter_rows())
    zh = "；".join(f"{'、'.join(_words(c, 'zh'))} {k} 个" for c, k in counts.iter_rows())
    return [Text(f"Values of the index changed because of: {en}.", f"指数值改变的原因：{zh}。")]


def _words(cause: str, lang: str) -> list[str]:
    return [CAUSES[c].zh if lang == "zh" else CAUSES[c].en for c in cause.split("+")]
