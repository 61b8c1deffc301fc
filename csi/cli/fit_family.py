"""`csi fit MODEL DATA --adjust METHOD`: the paths as one family of tests."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import cast

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import grid
from csi.errors import Language, Note, Reason, Text
from csi.estimate.estimate import Estimate
from csi.inference.adjust import Method
from csi.inference.family import NAMES, Family, family
from csi.reporting.section import Kind

HEADINGS = {
    "lhs": Text("outcome", "结果"),
    "rhs": Text("predictor", "预测"),
    "p_adjusted": Text("p (family)", "p（校正）"),
    "group": Text("group", "组"),
}


def family_of(est: Estimate, args: argparse.Namespace, withheld: Mapping[int, Reason]) -> Family | None:
    """The family of paths where it was asked for and the paths are not withheld."""
    return None if args.adjust is None or withheld else family(est, cast("Method", args.adjust))


def family_blocks(found: Family | None, lang: Language) -> list[str | Grid]:
    """The table of the family and its sentence."""
    if found is None:
        return []
    numbers: dict[str, Kind] = {
        "estimate": "coefficient",
        "std_error": "coefficient",
        "p_value": "p",
        "p_adjusted": "p",
    }
    kept = [c for c in found.table.columns if c not in {*numbers, "op"}]
    kinds: dict[str, Kind] = {
        **{c: "text" for c in kept if found.table[c].null_count() < found.table.height},
        **numbers,
    }
    title = Text(f"Paths as one family ({NAMES[found.method]})", f"全部路径作为一族检验（{NAMES[found.method]}）")
    return [
        grid(found.table, kinds, lang, title, headings=HEADINGS),
        *(s.say(lang) for s in found.sentences),
    ]


def family_numbers(found: Family | None) -> dict[str, pl.DataFrame]:
    """The family in full precision, for machines."""
    return {} if found is None else {"family": found.table}


def family_notes(found: Family | None) -> tuple[Note, ...]:
    """What its p-values are."""
    return () if found is None else found.notes
