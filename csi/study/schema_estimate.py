"""How a study is estimated: the keys of the model, its estimator, its draws and further models, with their types."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from csi.study.options import Shape
from csi.study.schema_events import EventOptionsForm
from csi.study.schema_survey import Part
from csi.survey.codebook import Form


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


class BootstrapForm(Part):
    """How uncertainty is found."""

    n: int = Field(default=1000, ge=0, le=1_000_000)
    seed: int = Field(default=20260101, ge=0)
    resampling: Literal["multinomial", "bayesian"] = "multinomial"
    interval: Literal["percentile", "basic", "normal", "t", "bc", "bca", "studentised", "double"] = "percentile"
    level: float = Field(default=0.95, gt=0.5, lt=1)
    improper: Literal["keep", "drop"] = "keep"
