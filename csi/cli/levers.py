"""What `csi whatif` and `csi plan` share: levers on the command line, one cell of a study, tables by its labels."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.fit import RESAMPLING, one_cell
from csi.cli.grids import grid
from csi.cli.progress import working
from csi.cli.studied import check_cells, check_enough, chosen, names, opened, place, provenance, shown
from csi.errors import Language, Note, Problems, Text, problem
from csi.estimate.estimate import Estimate
from csi.importance.what_if import WhatIf
from csi.importance.what_if_words import CHANGES, HEADINGS, ROLES, TITLES, as_typed, small
from csi.models.model import Model
from csi.reporting.section import SAMPLING_ONLY, Kind
from csi.reporting.soundness import cell_notes, estimate_notes, settled
from csi.study import Study
from csi.survey.panel import Panel

Value = TypeVar("Value")

NUMBERS: dict[str, Kind] = {
    "now": "score", "asked": "text", "room": "score", "change": "score", "conf_low": "score", "conf_high": "score",
    "after": "score", "at_end": "share",
}  # fmt: skip
MONEY: dict[str, Kind] = {
    "cost": "number", "change": "score", "per_point": "number", "per_point_low": "number", "per_point_high": "number",
    "worth": "number", "net": "number", "net_low": "number", "net_high": "number", "breaks_even": "share",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a study with its fit, constructs under the study's labels."""

    study: Study
    panel: Panel
    one: Mapping[str, str]
    est: Estimate

    @property
    def sound(self) -> bool:
        """Whether the solution may be read."""
        return all(settled(self.est))

    def answer(
        self, lang: Language, blocks: Sequence[str | Grid], data: Mapping[str, object], notes: Sequence[Note]
    ) -> Answer:
        """The answer about this cell."""
        own = (*estimate_notes(self.est), *cell_notes(self.study, self.est), *notes)
        return Answer(
            blocks=(place(self.one, names(self.study, lang), lang), *blocks),
            data={"cell": self.one, **data},
            notes=(*own, *((SAMPLING_ONLY,) if self.est.replicates is not None else ())),
            code=FINE if self.sound else INADMISSIBLE,
            record={**provenance(self.study, self.panel), "cell": self.one, **data},
        )


def cell_of(args: argparse.Namespace, lang: Language) -> Cell:
    """The cell that was asked for (the focal brand's latest wave by default), fitted.

    Raises:
        Problems: E-BASE where it has fewer answers than may be told.
    """
    study, panel = opened(Path(args.study), args.bootstrap)
    one = shown(study, panel, chosen(study, panel, args.brand, args.wave))
    check_cells(study, panel, one, anchored=False)
    check_enough(study, panel, one, lang)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        return Cell(study, panel, one, one_cell(study, panel, one))


def called(model: Model, study: Study, typed: str) -> str:
    """The construct or item behind what was typed: its name, or its label in either language.

    Example:
        >>> from types import SimpleNamespace
        >>> called(Model.parse("a =~ x"), SimpleNamespace(codebook=None), "a")
        'a'
    """
    if typed in (*model.names, *model.items):
        return typed
    texts = {lang: names(study, lang) for lang in ("en", "zh")}
    for name in (*model.names, *model.items):
        if any(typed.casefold() == t.get(name, Text(name, name)).say(k).casefold() for k, t in texts.items()):
            return name
    return typed


def pair(typed: str, expected: str = "NAME=POINTS, such as perceived_quality=5") -> tuple[str, str]:
    """`quality=5` in two.

    Example:
        >>> pair("quality=5")
        ('quality', '5')
    """
    name, mark, rest = typed.partition("=")
    if not mark or not name.strip() or not rest.strip():
        raise argparse.ArgumentTypeError(f"expected {expected}, not {typed}")
    return name.strip(), rest.strip()


def column(typed: str) -> tuple[str, str]:
    """A name and its column.

    Example:
        >>> column("speed=P1")
        ('speed', 'P1')
    """
    return pair(typed, "NAME=COLUMN, such as speed=P1")


def points(typed: str) -> tuple[str, float]:
    """A lever and how many points.

    Example:
        >>> points("quality=5")
        ('quality', 5.0)
    """
    name, value = pair(typed)
    return name, number(value)


def levels(typed: str) -> tuple[str, dict[float, float]]:
    """A lever with the cost of every level.

    Example:
        >>> levels("quality=5:20,10:60")
        ('quality', {5.0: 20.0, 10.0: 60.0})
    """
    expected = "NAME=POINTS:COST,POINTS:COST, such as perceived_quality=5:20,10:60"
    name, rest = pair(typed, expected)
    found = dict[float, float]()
    for part in rest.split(","):
        level, mark, cost = part.partition(":")
        if not mark:
            raise argparse.ArgumentTypeError(f"expected {expected}, not {typed}")
        if number(level) in found:
            raise argparse.ArgumentTypeError(f"level {number(level):g} has two costs in {typed}; give it one")
        found[number(level)] = number(cost)
    return name, found


def once(option: str, given: Sequence[tuple[str, Value]]) -> dict[str, Value]:
    """What an option that may be repeated says of each name, every name once.

    Raises:
        Problems: E-SETTING naming all that were given twice.

    Example:
        >>> once("--raise", [("a", 5.0), ("b", 3.0)])
        {'a': 5.0, 'b': 3.0}
    """
    names = [name for name, _ in given]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise Problems(
            problem(
                "E-SETTING",
                option,
                f'"{name}" was given {names.count(name)} times.',
                f"“{name}”被指定了 {names.count(name)} 次。",
                f"Give {option} {name}=... once.",
                f"请只写一次 {option} {name}=……。",
            )
            for name in twice
        )
    return dict(given)


def number(typed: str) -> float:
    """A number as typed."""
    try:
        return float(typed)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, not {typed.strip()}") from None


def change_grids(study: Study, found: WhatIf, lang: Language) -> list[Grid]:
    """What moves, the target by each lever alone, costs."""
    texts = {**names(study, lang), **ROLES}
    table, right = _as_typed(found.table), ("asked",)
    kinds: dict[str, Kind] = {"construct": "text", "role": "text", **NUMBERS}
    out = [grid(table, _filled(table, kinds), lang, TITLES[0], texts, HEADINGS, right)]
    if found.alone.height > 1:
        alone = _as_typed(found.alone)
        kinds = {"lever": "text", **{k: NUMBERS[k] for k in ("asked", "change", "conf_low", "conf_high")}}
        out.append(grid(alone, _filled(alone, kinds), lang, TITLES[1], texts, HEADINGS, right))
    if found.costs.height:
        out.append(grid(found.costs, _filled(found.costs, MONEY), lang, TITLES[2], texts, HEADINGS))
    return out


def _as_typed(table: pl.DataFrame) -> pl.DataFrame:
    """The points asked for as text, every decimal that was typed."""
    return table.with_columns(pl.col("asked").map_elements(as_typed, return_dtype=pl.String))


def _filled(table: pl.DataFrame, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """The columns that hold something; changes with two decimals where one is below a point."""
    fine: dict[str, Kind] = dict.fromkeys(CHANGES, "number") if small(table) else {}
    held = {c for c in table.columns if table[c].null_count() < table.height}
    return {c: fine.get(c, kind) for c, kind in kinds.items() if c in held}
