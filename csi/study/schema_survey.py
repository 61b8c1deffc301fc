"""What was asked and answered: the keys of the data, the codebook, waves and rules, with their types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

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


def _listed(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A single name is a list of one."""
    return [value] if isinstance(value, str | float | int) and not isinstance(value, bool) else value


def _words(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A word, a list of words for the same, or a word in each language, as a list."""
    return [word for word in value.values() if word] if isinstance(value, dict) else _listed(value)


class ScaleForm(Part):
    """`five: {min: 1, max: 5, missing: {98: dont_know}, labels: {1: 很不满意, 5: [很满意, Very satisfied]}}`."""

    min: float = Field(allow_inf_nan=False)
    max: float = Field(allow_inf_nan=False)
    missing: dict[str, Reason] = {}
    labels: dict[str, Annotated[list[str], BeforeValidator(_words)]] = {}


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
    """One export; `labels` is a file beside it that says what its codes mean, `personal` are columns that name people
    and are wanted all the same. Or one query of a database: `{sql: "select ...", database: answers.duckdb}`. `stream`
    reads Parquet in passes that keep no rows; `spark` is a table of a Spark session in place of `file`.
    """

    file: str
    encoding: str = ""
    sheet: str = ""
    wave: str = ""
    brand: str = ""
    rename: dict[str, str] = {}
    labels: str = ""
    personal: Annotated[list[str], BeforeValidator(_listed)] = []
    incomplete: Literal["keep", "drop"] = "keep"
    stream: bool = False
    spark: str = ""
    sql: str = ""
    database: str = ""

    @model_validator(mode="before")
    @classmethod
    def _asked(cls, value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        """A query or a table of Spark needs no file."""
        return {"file": "", **value} if isinstance(value, dict) and {"sql", "database", "spark"} & set(value) else value


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


Hit = Literal["off", "flag", "drop"]


class RulesForm(Part):
    """What to do with doubtful rows and cells: see `csi.survey.rules.Rules`."""

    out_of_range: Literal["missing", "stop"] = "stop"
    not_a_number: Literal["missing", "stop"] = "stop"
    duplicates: Literal["stop", "first", "last"] = "stop"
    straight_lining: Hit = "flag"
    straight_lining_items: int = Field(default=10, ge=2)
    average_run: Hit = "off"
    average_run_items: float = Field(default=5.0, gt=1, allow_inf_nan=False)
    variability: Hit = "off"
    variability_below: float = Field(default=0.05, gt=0, lt=1)
    speeders: Hit = "off"
    speeders_seconds: float = Field(default=60.0, gt=0)
    speeders_relative: Hit = "off"
    speeders_index: float = Field(default=2.0, gt=1, allow_inf_nan=False)
    patterns: Hit = "off"
    patterns_items: int = Field(default=10, ge=2)
    devices: Hit = "off"
    device: str = ""
    devices_people: int = Field(default=1, ge=1)
    outliers: Hit = "off"
    outliers_p: float = Field(default=0.001, gt=0, lt=1)
    inattentive: Hit = "flag"
    attention: dict[str, str | float] = {}
    attention_failed: int = Field(default=1, ge=1)
    contradictory: Hit = "flag"
    contradictions: list[tuple[str, str, Annotated[float, Field(allow_inf_nan=False)]]] = []
    contradictions_found: int = Field(default=1, ge=1)
    synonyms: Hit = "off"
    synonyms_r: float = Field(default=0.6, gt=0, lt=1)
    synonyms_below: float = Field(default=0.0, gt=-1, lt=1)
    nonresponse: Hit = "off"
    nonresponse_share: float = Field(default=0.5, ge=0, lt=1)
    interviewer: str = ""
    mode: str = ""
    empty_rows: Literal["flag", "drop"] = "drop"


class ReplicatesForm(Part):
    """Replicate weights that the survey came with: their columns (* for any characters) and how they were made.

    Or those that are made here of the study's weights, strata and clusters: `{make: bootstrap, count: 500, seed: 1}`.
    """

    columns: list[str] = Field(default=[], min_length=1)
    kind: Literal["brr", "fay", "jk1", "jk2", "jkn", "bootstrap", "sdr", "other"] | None = None
    rho: float | None = Field(default=None, ge=0, lt=1)
    scale: float | None = Field(default=None, gt=0)
    rscales: list[Annotated[float, Field(ge=0)]] = Field(default_factory=list)
    combined: bool = True
    make: Literal["bootstrap", "jk1", "jkn", "brr", "fay"] | None = None
    count: int | None = Field(default=None, ge=2)
    seed: int | None = Field(default=None, ge=0)

    @field_validator("columns", "rscales", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        """A single name or number is a list of one."""
        return [value] if isinstance(value, str | float | int) else value


def _named_file(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """A plain name is that of the file."""
    return {"file": value} if isinstance(value, str) else value


class TableForm(Part):
    """A table of events beside the answers, or another one that models read: see `csi.survey.events.read_events`."""

    file: str
    columns: dict[str, str] = {}
    dates: str = ""
    timezone: str = ""
    until: str = ""
