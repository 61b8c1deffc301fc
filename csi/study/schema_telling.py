"""What is published and told: the keys of the index, rates, tree, gate and report, with their types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from csi.study.schema_estimate import AnyEstimator
from csi.study.schema_survey import Labelled, Part


class IndexForm(Part):
    """Which construct is published, where its weights and errors come from, whose `classes` its change is split by."""

    target: str = ""
    formula: Literal["F1", "F2", "F3", "F5", "F6", "F7"] | None = None
    weights: Literal["own", "entity", "wave", "rolling", "base", "pooled"] | None = None
    window: int = Field(default=4, ge=1, le=100)
    base: str = ""
    classes: Literal["", "segment", "stage", "stratum"] = ""
    errors: Literal["bootstrap", "linearised", "fixed"] = "bootstrap"
    benchmark: str = "mean"
    shrunken: bool = False


class KcsiForm(Part):
    """The items of the KCSI: elements, satisfaction overall, repurchase."""

    elements: list[str] = Field(min_length=1)
    overall: str
    repurchase: str


class ToleranceForm(Part):
    """The questions that price tolerance is made of: see `csi.price_tolerance`."""

    rebuy: str
    higher: str
    lower: str
    likely: float | None = Field(default=None, allow_inf_nan=False)
    most: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class RatesForm(Part):
    """What is printed beside the index: the items of each rate, and of the KCSI."""

    top_boxes: list[str] = []
    csat: list[str] = []
    complaint: str = ""
    nps: str = ""
    boxes: int = Field(default=2, ge=1)
    kcsi: KcsiForm | None = None
    tolerance: ToleranceForm | None = None


class TreeForm(Part):
    """How the index goes up to industries, sectors, a nation: see `csi.tracking.tree`.

    `structure` is `{market: {old: [A, B]}}` or a file; `weights` `{A: 3, B: 1}` or a file.
    """

    structure: dict[str, Any] | str
    weights: dict[str, float] | str = ""
    missing: Literal["renormalise", "carry", "impute", "refuse"] = "renormalise"
    base: str = ""
    others: str = "All others"
    restate: bool = False
    adjust: Literal["holm", "hochberg", "bonferroni", "sidak", "bh", "by"] = "holm"
    levels: list[str] = []
    labels: dict[str, Labelled] = {}


class EventForm(Part):
    """Something that happened at a wave."""

    wave: str
    zh: str = ""
    en: str = ""


SectionName = Literal[
    "trend", "league", "tree", "chain", "model", "priorities", "stages", "reliability", "items", "loadings", "validity",
    "structure", "fieldwork", "method", "fit", "invariance", "mediation", "slopes", "prediction", "groups",
    "robustness", "necessary", "levers", "decomposition", "comparability", "tracking", "alerts", "rates", "views",
    "shrunken", "segments", "behaviour",
    "writing", "sample", "settings", "formative", "bias", "global_fit", "parameters", "checks",
    "alternatives", "appendix", "references", "checklist",
]  # fmt: skip


Points = Annotated[float, Field(ge=-100, le=100)]
Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ReportForm(Part):
    """What is suppressed, marked and told in reports.

    Below `small` answers a cell is suppressed, below `flagged` flagged; `events` stand on the trend. `sections`
    switches sections on (yes: in every kind of report) or off (no: in none). `desired` is the target's level (0-100)
    whose necessary conditions are looked for; `groups` the key whose groups are compared; `rivals` the estimators laid
    side by side; `permutations` those of the tests between groups. `levers` are constructs or items with levels and
    what they cost, `{quality: {5: 20, 10: 60}}`, of which the best plan within `budget` is told, and whether it pays
    where a point of the target is worth `worth`.
    """

    small: int = Field(default=30, ge=0)
    flagged: int = Field(default=100, ge=0)
    events: list[EventForm] = []
    sections: dict[SectionName, bool] = {}
    desired: float | None = Field(default=None, gt=0, le=100)
    groups: Literal["brand", "wave", "stage", "segment"] | None = None
    rivals: list[AnyEstimator] = Field(default=["pls", "plsc", "mlr", "sum", "gsca"], min_length=1)
    permutations: int = Field(default=500, ge=100, le=100_000)
    levers: dict[str, dict[Points, Cost]] = {}
    budget: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    worth: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def _group(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A plain name is that of a key or of a column."""
    return {"name": value} if isinstance(value, str) else value


class GroupForm(Part):
    """Groups that are compared: a key, or a column of the data (`column`, where it is not the name) and its label."""

    name: str = Field(min_length=1)
    column: str = ""
    zh: str = ""
    en: str = ""


class ComparabilityForm(Part):
    """Which differences are tested for comparability (measurement invariance) before they are printed.

    `gate: no` prints differences untested. `between` are the keys that differ: brand and wave by default, stage,
    segment, or any column of the data, such as a language or a mode. Groups by another key than brand and wave are
    compared inside every cell of `within` (brand and wave; `[]` for all respondents together). `rule` is the evidence:
    `ladder` (equal loadings and intercepts), `micom` (equal composition; `report: permutations`), or without it the
    ladder, MICOM for constructs that their items form or that have two items.
    """

    gate: bool = True
    between: list[Annotated[GroupForm, BeforeValidator(_group)]] = []
    within: list[Literal["brand", "wave"]] = ["brand", "wave"]
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    rule: Literal["ladder", "micom"] | None = None


class KnownForm(Part):
    """Groups that should differ: the key or column that tells them apart, and their order from the lowest score up."""

    by: str = Field(min_length=1)
    column: str = ""
    zh: str = ""
    en: str = ""
    low_to_high: list[str] = []


def _raters(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A plain list is that of the columns."""
    return {"columns": value} if isinstance(value, list) else value


class RatersForm(Part):
    """Who rated what: a column per rater, or the unit, rater and score of a long `file`; `values` in their order."""

    file: str = ""
    columns: list[str] = []
    unit: str = ""
    rater: str = ""
    score: str = ""
    values: list[str] = []
    zh: str = ""
    en: str = ""


class ValidationForm(Part):
    """What `csi validate` looks at beside the answers themselves.

    `scales` are the constructs with their items (the model's by default). `groups` are tested for equal measurement and
    for items that favour one; `known` should differ. `criterion` are items that the scores should go with, `marker`
    those that they should not. `methods` are the items of every trait by every method that measured it. `retest` are
    two waves of the same people; `raters` rated the same units, judgement by judgement. `short` is the length of short
    forms (half of each scale by default), which `keep` holds to these items.
    """

    scales: dict[str, list[str]] = {}
    groups: list[Annotated[GroupForm, BeforeValidator(_group)]] = []
    known: list[KnownForm] = []
    criterion: list[str] = []
    marker: list[str] = []
    methods: dict[str, dict[str, list[str] | str]] = {}
    retest: list[str] = Field(default=[], max_length=2)
    raters: dict[str, Annotated[RatersForm, BeforeValidator(_raters)]] = {}
    short: int | None = Field(default=None, ge=2)
    keep: list[str] = []


class AlertForm(Part):
    """A rule over the tracking table: see `csi.tracking.alerts.Alert`."""

    when: Literal["fell", "rose", "below", "missed", "reached", "undecided", "small", "not comparable"]
    against: Literal["previous", "year"] = "previous"
    target: float | None = Field(default=None, ge=0, le=100)
    brand: str = ""


class TargetForm(Part):
    """What an index or a rate is to reach: see `csi.tracking.targets.Target`."""

    value: float = Field(allow_inf_nan=False, ge=-100, le=100)
    construct_: str = Field(default="", alias="construct")
    brand: str = ""
    wave: str = ""


class ViewForm(Part):
    """Which views of the series are told, and their settings: see `csi.tracking.views.Views`."""

    show: list[Literal["rolling", "ewma", "control", "control-ewma"]] = []
    window: int = Field(default=4, ge=1, le=100)
    weight: float | None = Field(default=None, gt=0, le=1)
    limit: float = Field(default=3.0, gt=0)
    baseline: list[str] = []
