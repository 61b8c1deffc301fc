"""The recipe: everything a simulation needs, in one YAML file.

csi: 1
recipe: telecom
population: factor                       # factor | composite
scales: {ten: {min: 1, max: 10, missing: {97: not_asked, 98: dont_know, 99: refused}}}
constructs: {image: {zh: 品牌形象, en: Image}, ...}
paths: {satisfaction: {image: .2, ...}}  # standardised
items: [{name: img1, construct: image, loading: .8, mean: 7.6, sd: 1.8, skew: .2, zh: ..., en: ...}, ...]
attributes: [{name: speed, forms: {Ew: {construct: expected, mean: 5.8, sd: 1}, P: {...}}, ...}]   # pairs of items
routes: [{ask: [satisfaction], if: {stage: [first, long]}}]                                       # filter questions
kano, points, scores, outcomes, mentions: answers beyond the items; see csi/simulation/parts.py
panel, events: the same people in every wave, and tables of what happens to them; see csi/simulation/event_parts.py
brands, waves, cell_size, levels, stages, segments, weights, careless, missing, study: see the same file
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from csi.errors import Text
from csi.simulation.event_parts import EventsPart, PanelPart
from csi.simulation.parts import (
    AttributePart,
    BrandPart,
    CarelessPart,
    ConstructPart,
    GroupPart,
    ItemPart,
    KanoPart,
    MentionsPart,
    MissingPart,
    OutcomePart,
    PointsPart,
    QuestionPart,
    RoutePart,
    ScalePart,
    ScorePart,
    SizePart,
    TopicPart,
)
from csi.simulation.reading import Lines, read_yaml, validated
from csi.survey.codebook import Form

Levels = float | tuple[float, ...]
KANO: Final[tuple[Form, ...]] = ("Kf", "Kd")


class Recipe(BaseModel):
    """A whole simulation. Read one with `read_recipe`.

    `levels` holds, per brand and construct, the level of the construct (0-100, plain mean of its items' scores) as one
    number or one per wave; a construct without a level stays where its items' means put it. `item_shifts` adds index
    points to single items of a brand, within the level of their construct. `study` is copied into the study file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    csi: Literal["1"] = "1"
    recipe: str
    seed: int = Field(ge=0)
    population: Literal["factor", "composite"] = "factor"
    scales: dict[str, ScalePart]
    constructs: dict[str, ConstructPart]
    topics: dict[str, TopicPart] = {}
    paths: dict[str, dict[str, float]]
    correlations: dict[str, dict[str, float]] = {}
    items: tuple[ItemPart, ...] = Field(min_length=1)
    attributes: tuple[AttributePart, ...] = ()
    kano: tuple[KanoPart, ...] = ()
    points: tuple[PointsPart, ...] = ()
    scores: dict[str, ScorePart] = {}
    outcomes: tuple[OutcomePart, ...] = ()
    routes: tuple[RoutePart, ...] = ()
    panel: PanelPart | None = None
    events: EventsPart | None = None
    mentions: MentionsPart | None = None
    brands: tuple[BrandPart, ...] = Field(min_length=1)
    waves: tuple[str, ...] = Field(min_length=1)
    cell_size: SizePart
    levels: dict[str, dict[str, Levels]] = {}
    item_shifts: dict[str, dict[str, Levels]] = {}
    stages: tuple[GroupPart, ...] = ()
    segments: tuple[GroupPart, ...] = ()
    weight_spread: float = Field(default=0.0, ge=0, le=1)
    careless: CarelessPart = CarelessPart()
    missing: tuple[MissingPart, ...] = ()
    columns: dict[str, str] = {}
    study: dict[str, Any] = {}

    @property
    def rated(self) -> tuple[ItemPart, ...]:
        """The items of the population: single ones, then one for every form of every attribute."""
        return (*self.items, *(item for attribute in self.attributes for item in attribute.items))

    @property
    def asked(self) -> tuple[QuestionPart, ...]:
        """All questions in the order of the export: items, Kano pairs, points, outcomes, flags."""
        return (*self.rated, *self._pairs(), *self._points(), *self.outcomes, *self._flags())

    def _flags(self) -> Iterator[QuestionPart]:
        """A question for everything done to customers by lot."""
        for part in self.panel.flags if self.panel else ():
            yield QuestionPart(name=part.name, construct=part.of, scale=part.scale, zh=part.zh, en=part.en)

    def _pairs(self) -> Iterator[QuestionPart]:
        """Two questions for every feature of `kano`."""
        for part in self.kano:
            for form in KANO:
                yield QuestionPart(
                    name=f"{part.name}_{form}", construct=part.of, attribute=part.name, form=form, scale=part.scale,
                    zh=part.zh, en=part.en,
                )  # fmt: skip

    def _points(self) -> Iterator[QuestionPart]:
        """A question for every construct that gets points."""
        for part in self.points:
            for name in part.shares:
                label = self.label(name)
                yield QuestionPart(
                    name=f"{name}_I", construct=self.listed(name), attribute=name, form="I", scale=part.scale,
                    zh=label.zh, en=label.en,
                )  # fmt: skip

    def places(self, names: Collection[str]) -> list[int]:
        """Where, in `asked`, the questions stand that `names` (of items, constructs, topics) mean.

        Points that a construct gets are not meant by the construct's name.
        """
        shared = {question.name for question in self._points()}
        return [k for k, q in enumerate(self.asked) if q.name in names or (q.of in names and q.name not in shared)]

    def listed(self, construct: str) -> str:
        """The construct under which the codebook lists the items of `construct`."""
        part = self.constructs.get(construct)
        return (part.listed if part else "") or construct

    def label(self, name: str) -> Text:
        """The label of a construct or topic."""
        part = self.constructs.get(name) or self.topics.get(name) or TopicPart()
        return Text(part.en, part.zh)

    def scale_of(self, item: QuestionPart) -> ScalePart:
        """The scale of an item (the first one when it names none)."""
        return self.scales[item.scale] if item.scale else next(iter(self.scales.values()))

    def column(self, role: str) -> str:
        """Name of the export column that plays a key role (`respondent`, `wave`, `brand`, ...)."""
        return self.columns.get(role, role)


def parse_recipe(path: Path) -> tuple[Recipe, Lines]:
    """A recipe whose parts are well formed (their agreement is checked elsewhere), and its lines."""
    value, lines = read_yaml(path)
    return validated(Recipe, value, path, lines), lines
