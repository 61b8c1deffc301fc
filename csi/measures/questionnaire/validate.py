"""A questionnaire held against its answers: everything reviewers ask of an instrument, from one call.

Every part is a measure of its own (`csi.items`, `csi.consistency`, `csi.efa` ...); what cannot be computed is absent
with the reason, and the rest is told all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import polars as pl

from csi.catalogue.advice import ACTIONS
from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Text
from csi.measures.answered import Answered, answered
from csi.measures.consistency.of_scales import Consistency, consistency
from csi.measures.item_analysis.items import Items, items
from csi.measures.questionnaire.advice import Finding, advice_table
from csi.measures.questionnaire.factor_model import FactorModel, factor_model, model_text
from csi.measures.questionnaire.findings import (
    of_constructs,
    of_factors,
    of_items,
    of_pairs,
    of_response,
    of_separation,
)
from csi.measures.questionnaire.validating import Validating
from csi.measures.response.irt import Irt, irt
from csi.measures.separation.discriminant import Discriminant, discriminant
from csi.measures.shown import told

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Validation(Shown):
    """What a questionnaire's answers say about it. Parts that could not be computed are None, with why in `absent`.

    Attributes:
        answers: the answers by scale. asked: what they were held against. where: which answers they are.
        items: distributions, item-rest correlations, pairs. consistency: reliability of the scales.
        factors: the scales as correlated factors. discriminant: whether constructs are distinct.
        irt: item response models.
        advice: one line per rule that spoke, and per item and construct that is kept (see `advice_table`).
        absent: part -> why it is not there. draws, seed, level: of the intervals. notes: what is doubtful about all.
    """

    answers: Answered
    asked: Validating
    where: Mapping[str, str]
    items: Items | None
    consistency: Consistency | None
    factors: FactorModel | None
    discriminant: Discriminant | None
    irt: Irt | None
    advice: pl.DataFrame
    absent: Mapping[str, tuple[Problem, ...]]
    draws: int
    seed: int
    level: float
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Validation, lang: str = "en") -> str:
    """How many items and answers, what to change, and what could not be computed."""
    p, q, n = len(value.answers.names), len(value.answers.scales), value.answers.rows.shape[0]
    title = Text(f"{p} items, {q} constructs, {n:,} respondents", f"{p} 题，{q} 个构念，{n:,} 份答卷").say(lang)
    says = "says_zh" if lang == "zh" else "says"
    shown = value.advice.filter(pl.col("action") != "keep").select("name", "action", says, "value", "limit", "source")
    named = {a: t.say(lang) for a, t in ACTIONS.items()}
    heads = {c: t.say(lang) for c, t in (HEADS | {says: HEADS["says"]}).items()}
    lines = [title, table(shown.with_columns(pl.col("action").replace(named)), headings=heads)]
    why = [f"{part}: {p.say(lang)}" for part, found in value.absent.items() for p in found]
    return "\n".join([*lines, *(f"* {said}" for said in why), *told([], value.notes, lang)])


HEADS = {
    "name": Text("item or construct", "题项或构念"),
    "action": Text("advice", "建议"),
    "says": Text("because", "理由"),
    "value": Text("number", "数值"),
    "limit": Text("limit", "界值"),
    "source": Text("whose rule", "出处"),
}


@dataclass(frozen=True, slots=True)
class _Case:
    """What every part is computed from, and where parts that cannot be are noted."""

    data: object
    answers: Answered
    asked: Validating
    where: Mapping[str, str]
    na: Sequence[float]
    scale: tuple[float, float] | None
    draws: int
    seed: int
    level: float
    small: int
    absent: dict[str, tuple[Problem, ...]]

    def tried(self, part: str, make: Callable[[_Case], T]) -> T | None:
        """A part, or None with the reason noted."""
        try:
            return make(self)
        except Problems as found:
            self.absent[part] = tuple(found.problems)
            return None

    @property
    def given(self) -> dict[str, Any]:
        """How answers are read, for every measure."""
        return {"where": self.where, "na": self.na, "scale": self.scale}

    @property
    def drawn(self) -> dict[str, Any]:
        """How they are read and resampled."""
        return {**self.given, "level": self.level, "seed": self.seed}


def validated(
    data: object,
    scales: object = None,
    asked: Validating | None = None,
    *,
    where: Mapping[str, str] | None = None,
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = 30,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    notes: tuple[Note, ...] = (),
) -> Validation:
    """Every part of a validation of the answers to `scales`, and the advice.

    Parameters:
        data, scales, na, scale: as in `csi.validate`. asked: what the answers are held against. where: which answers.
        draws, seed, level: of intervals. small: answers below which a group is not told. notes: what is already known.

    Raises:
        Problems: what is wrong with the answers or the scales themselves.
    """
    asked, where = asked or Validating(), dict(where or {})
    answers = answered(data, scales, na=na, scale=scale, where=where)
    case = _Case(data, answers, asked, where, na, scale, draws, seed, level, small, {})
    found = Validation(
        answers=answers,
        asked=asked,
        where=where,
        items=case.tried("items", _items),
        consistency=case.tried("consistency", _consistency),
        factors=case.tried("factors", _factors),
        discriminant=case.tried("discriminant", _discriminant),
        irt=case.tried("irt", _irt),
        advice=pl.DataFrame(),
        absent=case.absent,
        draws=draws,
        seed=seed,
        level=level,
        notes=(*notes, *answers.notes),
    )
    return replace(found, advice=advice_table(_findings(found), answers.scales))


def _items(case: _Case) -> Items:
    return items(case.data, case.answers.scales, **case.given)


def _consistency(case: _Case) -> Consistency:
    return consistency(case.data, case.answers.scales, n=case.draws, **case.drawn)


def _factors(case: _Case) -> FactorModel:
    return factor_model(case.data, case.answers, ordinal=True, where=case.where, na=case.na)


def _discriminant(case: _Case) -> Discriminant:
    return discriminant(model_text(case.answers.scales), case.data, replicates=case.draws, **case.drawn)


def _irt(case: _Case) -> Irt:
    return irt(case.data, case.answers.scales, **case.given)


def _findings(v: Validation) -> Iterator[Finding]:
    """What the rules find in every part that is there."""
    if v.items is not None:
        yield from of_items(v.items)
        yield from of_pairs(v.items)
    if v.factors is not None:
        yield from of_factors(v.factors)
    yield from of_constructs(v.answers, v.consistency, v.factors)
    if v.discriminant is not None:
        yield from of_separation(v.discriminant)
    if v.irt is not None:
        yield from of_response(v.irt)
