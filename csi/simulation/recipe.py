"""The recipe: everything a simulation needs, in one YAML file.

csi: 1
recipe: telecom
population: factor                       # factor | composite
scales: {ten: {min: 1, max: 10, missing: {97: not_asked, 98: dont_know, 99: refused}}}
constructs: {image: {zh: 品牌形象, en: Image}, ...}
paths: {satisfaction: {image: .2, ...}}  # standardised
items: [{name: img1, construct: image, loading: .8, mean: 7.6, sd: 1.8, skew: .2, zh: ..., en: ...}, ...]
brands, waves, cell_size, levels, stages, segments, weights, careless, missing, study: see the classes below
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from csi.simulation.reading import Lines, read_yaml, validated
from csi.survey.codebook import Form, MissingReason

Levels = float | tuple[float, ...]


class Part(BaseModel):
    """A part of a recipe: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScalePart(Part):
    """An answer scale and its missing codes."""

    min: int
    max: int
    missing: dict[str, MissingReason] = {}


class ConstructPart(Part):
    """Labels of a construct; `within` is the correlation between its items in a composite population."""

    zh: str = ""
    en: str = ""
    within: float = Field(default=0.5, gt=-1, lt=1)


class ItemPart(Part):
    """An item: its question, its loading (factor) or relative weight (composite), and the shape of its answers.

    `of` (written `construct` in the file) is what it measures. `mean` and `sd` are those of the answers where nothing
    moves the construct; `skew` bends the responses (.2 gives the long lower tail of satisfaction data, 0 none).
    """

    name: str
    of: str = Field(alias="construct")
    attribute: str = ""
    form: Form = "P"
    scale: str = ""
    reverse: bool = False
    zh: str = ""
    en: str = ""
    column: str = ""
    loading: float = Field(default=0.8, gt=0, le=1)
    weight: float = Field(default=1.0, gt=0)
    mean: float
    sd: float = Field(gt=0)
    skew: float = Field(default=0.0, ge=-1, le=1)


class BrandPart(Part):
    """A brand as it stands in the data, with its labels."""

    name: str
    zh: str = ""
    en: str = ""
    focal: bool = False


class GroupPart(Part):
    """A stage or a segment: population `share`, share in the `sample` (default: the same), `shift` in index points."""

    name: str
    zh: str = ""
    en: str = ""
    share: float = Field(gt=0, le=1)
    sample: float | None = Field(default=None, gt=0, le=1)
    shift: dict[str, float] = {}


class SizePart(Part):
    """Respondents of a cell: a whole number drawn between `least` and `most`."""

    least: int = Field(ge=1)
    most: int = Field(ge=1)


class CarelessPart(Part):
    """Shares of careless respondents: one answer throughout, clicking through in seconds, leaving at once."""

    straight_liners: float = Field(default=0.0, ge=0, lt=0.5)
    speeders: float = Field(default=0.0, ge=0, lt=0.5)
    break_offs: float = Field(default=0.0, ge=0, lt=0.5)
    seconds: int = Field(default=420, ge=90)
    speeder_seconds: int = Field(default=60, ge=20)


class MissingPart(Part):
    """Answers that are missing completely at random: `rate` per cell (`together`: of all `items` at once), and why."""

    reason: MissingReason
    rate: float = Field(ge=0, lt=1)
    items: tuple[str, ...] = ()
    together: bool = False


class Recipe(Part):
    """A whole simulation. Read one with `read_recipe`.

    `levels` holds, per brand and construct, the level of the construct (0-100, plain mean of its items' scores) as one
    number or one per wave; a construct without a level stays where its items' means put it. `item_shifts` adds index
    points to single items of a brand, within the level of their construct. `study` is copied into the study file.
    """

    csi: Literal["1"] = "1"
    recipe: str
    seed: int = Field(ge=0)
    population: Literal["factor", "composite"] = "factor"
    scales: dict[str, ScalePart]
    constructs: dict[str, ConstructPart]
    paths: dict[str, dict[str, float]]
    correlations: dict[str, dict[str, float]] = {}
    items: tuple[ItemPart, ...] = Field(min_length=1)
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

    def scale_of(self, item: ItemPart) -> ScalePart:
        """The scale of an item (the first one when it names none)."""
        return self.scales[item.scale] if item.scale else next(iter(self.scales.values()))

    def column(self, role: str) -> str:
        """Name of the export column that plays a key role (`respondent`, `wave`, `brand`, ...)."""
        return self.columns.get(role, role)


def parse_recipe(path: Path) -> tuple[Recipe, Lines]:
    """A recipe whose parts are well formed (their agreement is checked elsewhere), and its lines."""
    value, lines = read_yaml(path)
    return validated(Recipe, value, path, lines), lines
