"""The keys of a study file and a codebook, with their types: what pydantic holds them to."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from csi.study.options import Shape
from csi.study.schema_events import EventOptionsForm
from csi.study.short import label
from csi.survey.codebook import Form

Reason = Literal["skipped", "dont_know", "refused", "not_asked", "empty"]


class Part(BaseModel):
    """A part of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Part):
    """A text in one or two languages."""

    zh: str = ""
    en: str = ""


Labelled = Annotated[Label, BeforeValidator(label)]


class ScaleForm(Part):
    """`ten: {min: 1, max: 10, missing: {98: dont_know}}`."""

    min: float = Field(allow_inf_nan=False)
    max: float = Field(allow_inf_nan=False)
    missing: dict[str, Reason] = {}


class ItemForm(Part):
    """One question."""

    name: str
    construct_: str = Field(default="", alias="construct")
    attribute: str = ""
    facet: str = ""
    form: Form = "P"
    scale: str
    reverse: bool = False
    zh: str = ""
    en: str = ""
    column: str = ""


class KeysForm(Part):
    """Which columns play which role."""

    respondent: str = ""
    wave: str = ""
    brand: str = ""
    weight: str = ""
    stratum: str = ""
    cluster: str = ""
    stage: str = ""
    segment: str = ""
    duration: str = ""


class CodebookForm(Part):
    """What was asked."""

    scales: dict[str, ScaleForm]
    constructs: dict[str, Labelled] = {}
    items: list[ItemForm] = Field(min_length=1)
    keys: KeysForm = KeysForm()


class FileForm(Part):
    """One export."""

    file: str
    encoding: str = ""
    sheet: str = ""
    wave: str = ""
    brand: str = ""
    rename: dict[str, str] = {}


class LinkForm(Part):
    """What scores before a break are after it: a method, and an overlap sample's file, common items, or a line."""

    method: Literal["mean", "linear", "equipercentile", "items", "stated", "given"] = "linear"
    construct_: str = Field(default="", alias="construct")
    file: str = ""
    old: str = "old"
    new: str = "new"
    weight: str = ""
    respondent: str = ""
    cluster: str = ""
    stratum: str = ""
    anchors: list[str] = []
    changed: list[str] = []
    scales: Annotated[list[Annotated[list[float], Field(min_length=2, max_length=2)]], Field(max_length=2)] = []
    shift: float = Field(default=0.0, allow_inf_nan=False)
    slope: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    std_error: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class BreakForm(Part):
    """From `wave` on the measurement is another one; before, `items` were answered on `scale`."""

    wave: str
    what: Literal["questionnaire", "mode", "scale", "sample", "other"] = "questionnaire"
    zh: str = ""
    en: str = ""
    scale: list[Annotated[float, Field(allow_inf_nan=False)]] = []
    items: list[str] = []
    link: LinkForm | None = None


class WavesForm(Part):
    """The waves in order; `respondents: new` where every wave asked new people; `breaks` where measurement changed;
    `scales: same` where nobody changed them though a wave leaves the upper part unused.

    Without `per_year` the names of the waves tell it (2026Q1, 2026-01, 2026H1, 2026), and 4 is taken where they do not.
    """

    order: list[str] = []
    base: str = ""
    per_year: int | None = Field(default=None, ge=1, le=366)
    respondents: Literal["", "same", "new"] = ""
    scales: Literal["", "same"] = ""
    breaks: list[BreakForm] = []


def _listed(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A single name is a list of one."""
    return [value] if isinstance(value, str | float | int) and not isinstance(value, bool) else value


class BrandForm(Part):
    """A brand and its labels, and names it `was` or is called by in some files; one may be the focal one."""

    name: str
    zh: str = ""
    en: str = ""
    focal: bool = False
    was: Annotated[list[str], BeforeValidator(_listed)] = []


class StageForm(Part):
    """A stage of the customer relation, or a segment, and its labels."""

    name: str
    zh: str = ""
    en: str = ""


class ModelForm(Part):
    """A card, or lavaan text here or in a file; `constructs` maps the card's constructs to the codebook's."""

    card: str = ""
    text: str = ""
    file: str = ""
    constructs: dict[str, str] = {}
    without: list[str] = []
    optional: list[str] | None = None


COVARIANCE: Final = (
    "sem", "ml", "mlr", "mlm", "mlmv", "mlmvs", "mlf", "gls", "uls", "ulsm", "ulsmv", "ulsmvs",
    "wls", "wlsm", "wlsmv", "wlsmvs", "dwls",
)  # fmt: skip
"""Estimators of a covariance model; "sem" is ML, or WLSMV where items are ordinal."""

EstimatorName = Literal[
    "pls", "plsc", "sum", "raw", "pca", "gsca",
    "sem", "ml", "mlr", "mlm", "mlmv", "mlmvs", "mlf", "gls", "uls", "ulsm", "ulsmv", "ulsmvs",
    "wls", "wlsm", "wlsmv", "wlsmvs", "dwls",
]  # fmt: skip


def _low(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """Names of estimators in any case: MLR is mlr."""
    return value.lower() if isinstance(value, str) else value


def _high(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """Modes in any case: b is B."""
    return value.upper() if isinstance(value, str) else value


AnyEstimator = Annotated[EstimatorName, BeforeValidator(_low)]


class EstimateForm(Part):
    """How to estimate; which key goes with which estimator is said by `csi.study.estimator`."""

    estimator: AnyEstimator = "pls"
    weighting: Literal["path", "factorial", "centroid"] = "path"
    consistent: bool | None = None
    modes: dict[str, Annotated[Literal["A", "B"], BeforeValidator(_high)]] = {}
    higher_order: Literal["two-stage", "embedded", "repeated"] = "two-stage"
    interaction: Literal["two-stage", "product", "orthogonal", "double-mean-centred", "lms"] | None = None
    ordered: list[str] = []
    missing: Literal["listwise", "pairwise", "mean", "em", "fiml", "two-stage"] = "listwise"
    imputations: int = Field(default=0, ge=0, le=1000)
    tolerance: float = Field(default=1e-7, gt=0, lt=1)


class OptionsForm(Part, EventOptionsForm):
    """One further model on the same answers: see `csi.study.options.Options`."""

    perceived: Form | None = None
    expected: Form | None = None
    desired: Form | None = None
    adequate: Form | None = None
    outcome: str = ""
    item: str = ""
    band: float = Field(default=0.0, ge=0)
    of: str = ""
    errors: Literal["", "robust", "hc3", "classical"] = ""
    inconsistent: Literal["", "drop", "swap", "error"] = ""
    points: dict[str, float] = {}
    drivers: list[str] = []
    shares: Literal["", "johnson", "lmg"] = ""
    cuts: list[float] = Field(default=[], max_length=2)
    limit: float = Field(default=0.0, ge=0, lt=1)
    constructs: dict[str, str] = {}
    without: list[str] = []
    optional: list[str] | None = None
    estimator: AnyEstimator | None = None
    stages: dict[str, str] = {}
    causes: dict[str, str] = {}
    absorbing: str = ""
    only: dict[str, str] = {}
    industry: str = ""
    steps: list[str] = []
    scores: list[float] = Field(default=[], max_length=2)
    beside: str = ""
    flag: str = ""
    shape: Shape = ""
    since: str = ""
    benchmarks: str = ""
    stakeholders: str = ""
    mentions: str = ""
    requirements: str = ""
    relations: str = ""
    status: str = ""
    lexicon: str = ""
    analyser: Literal["", "score", "lexicon", "packages"] = ""
    by: list[Literal["brand", "wave", "stage", "segment"]] = []


def _switched(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """`yes`, or nothing, is a model with its own defaults; `no` is none."""
    said = "yes" if value is True else "no" if value is False else _low(value)
    return {} if said in (None, "yes", "true", "on") else None if said in ("no", "false", "off") else value


class RulesForm(Part):
    """What to do with doubtful rows and cells."""

    out_of_range: Literal["missing", "stop"] = "stop"
    not_a_number: Literal["missing", "stop"] = "stop"
    duplicates: Literal["stop", "first", "last"] = "stop"
    straight_lining: Literal["off", "flag", "drop"] = "flag"
    straight_lining_items: int = Field(default=10, ge=2)
    speeders: Literal["off", "flag", "drop"] = "off"
    speeders_seconds: float = Field(default=60.0, gt=0)
    empty_rows: Literal["flag", "drop"] = "drop"


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


class BootstrapForm(Part):
    """How uncertainty is found."""

    n: int = Field(default=1000, ge=0, le=1_000_000)
    seed: int = Field(default=20260101, ge=0)
    resampling: Literal["multinomial", "bayesian"] = "multinomial"
    interval: Literal["percentile", "basic", "normal", "t", "bc", "bca", "studentised", "double"] = "percentile"
    level: float = Field(default=0.95, gt=0.5, lt=1)
    improper: Literal["keep", "drop"] = "keep"


class ReplicatesForm(Part):
    """Replicate weights that the survey came with: their columns (* for any characters) and how they were made."""

    columns: list[str] = Field(min_length=1)
    kind: Literal["brr", "fay", "jk1", "jk2", "jkn", "bootstrap", "sdr", "other"]
    rho: float | None = Field(default=None, ge=0, lt=1)
    scale: float | None = Field(default=None, gt=0)
    rscales: list[Annotated[float, Field(ge=0)]] = Field(default_factory=list)
    combined: bool = True

    @field_validator("columns", "rscales", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        """A single name or number is a list of one."""
        return [value] if isinstance(value, str | float | int) else value


class EventForm(Part):
    """Something that happened at a wave."""

    wave: str
    zh: str = ""
    en: str = ""


SectionName = Literal[
    "trend", "league", "tree", "chain", "model", "priorities", "stages", "reliability", "items", "loadings", "validity",
    "structure", "fieldwork", "method", "fit", "invariance", "mediation", "slopes", "prediction", "groups",
    "robustness", "necessary", "decomposition", "comparability", "tracking", "alerts", "rates", "views", "shrunken",
]  # fmt: skip


class ReportForm(Part):
    """What is suppressed, marked and told in reports.

    Below `small` answers a cell is suppressed, below `flagged` flagged; `events` stand on the trend. `sections`
    switches sections on (yes: in every kind of report) or off (no: in none). `desired` is the target's level (0-100)
    whose necessary conditions are looked for; `groups` the key whose groups are compared; `rivals` the estimators laid
    side by side; `permutations` those of the tests between groups and of ceilings.
    """

    small: int = Field(default=30, ge=0)
    flagged: int = Field(default=100, ge=0)
    events: list[EventForm] = []
    sections: dict[SectionName, bool] = {}
    desired: float | None = Field(default=None, gt=0, le=100)
    groups: Literal["brand", "wave", "stage", "segment"] | None = None
    rivals: list[AnyEstimator] = Field(default=["pls", "plsc", "mlr", "sum", "gsca"], min_length=1)
    permutations: int = Field(default=500, ge=100, le=100_000)


class GroupForm(Part):
    """Groups that are compared: a key, or a column of the data (`column`, where it is not the name) and its label."""

    name: str = Field(min_length=1)
    column: str = ""
    zh: str = ""
    en: str = ""


def _group(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A plain name is that of a key or of a column."""
    return {"name": value} if isinstance(value, str) else value


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


class AlertForm(Part):
    """A rule over the tracking table: see `csi.tracking.alerts.Alert`."""

    when: Literal["fell", "rose", "below", "missed", "reached", "undecided", "small", "not comparable"]
    against: Literal["previous", "year"] = "previous"
    target: float | None = Field(default=None, ge=0, le=100)
    brand: str = ""


class TableForm(Part):
    """A table of events beside the answers, or another one that models read: see `csi.survey.events.read_events`."""

    file: str
    columns: dict[str, str] = {}
    dates: str = ""
    timezone: str = ""
    until: str = ""


def _named_file(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A plain name is that of the file."""
    return {"file": value} if isinstance(value, str) else value


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


class StudyForm(Part):
    """A whole study file, but for the codebook, which may stand in a file of its own."""

    csi: Literal["1"]
    study: str
    title: Labelled = Label()
    sector: Labelled = Label()
    language: Literal["zh", "en"] = "en"
    data: list[FileForm] = Field(min_length=1)
    keys: KeysForm = KeysForm()
    waves: WavesForm = WavesForm()
    brands: list[BrandForm] = []
    stages: list[StageForm] = []
    segments: list[StageForm] = []
    model: ModelForm
    models: dict[str, Annotated[OptionsForm | None, BeforeValidator(_switched)]] = {}
    tables: dict[str, Annotated[TableForm, BeforeValidator(_named_file)]] = {}
    estimate: EstimateForm = EstimateForm()
    rules: RulesForm = RulesForm()
    index: IndexForm = IndexForm()
    rates: RatesForm | None = None
    tree: TreeForm | None = None
    bootstrap: BootstrapForm = BootstrapForm()
    replicate_weights: ReplicatesForm | None = None
    comparability: ComparabilityForm = ComparabilityForm()
    report: ReportForm = ReportForm()
    targets: list[TargetForm] = []
    views: ViewForm = ViewForm()
    alerts: list[AlertForm] = []
