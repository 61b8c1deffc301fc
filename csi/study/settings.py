"""How a study wants to be estimated and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from csi.errors import Text
from csi.measures.questionnaire.validating import Validating
from csi.models.nouns import Mode
from csi.study.schema_estimate import COVARIANCE, EstimatorName
from csi.tracking.targets import Target
from csi.tracking.views import Views

IndexErrors = Literal["bootstrap", "linearised", "fixed"]
"""Standard errors of the index: of refits, linearised (with the weights' uncertainty), or with the weights fixed."""

Weighting = Literal["brr", "fay", "jk1", "jk2", "jkn", "bootstrap", "sdr", "other"]
"""How replicate weights were made."""

MADE = 500
"""Replicates of a bootstrap whose weights are made here, where the study does not say."""

RHO = 0.3
"""Fay's shrinkage where replicates are made here and the study does not say."""

TARGET = "satisfaction"
"""The construct that is published where a study names none."""


@dataclass(frozen=True, slots=True)
class ReplicateWeights:
    """Columns of replicate weights, how they were made, and whether they contain the sampling weight; or made here.

    Attributes:
        scale, rscales: constants of the variance, as in `csi.replicate_weights`; a single one of `rscales` is for all.
        make: the kind that `csi.make_replicates` makes of the study's design; empty for columns. count, seed: of it.
    """

    columns: tuple[str, ...]
    kind: Weighting
    rho: float | None = None
    combined: bool = True
    scale: float | None = None
    rscales: tuple[float, ...] = ()
    make: Literal["", "bootstrap", "jk1", "jkn", "brr", "fay"] = ""
    count: int = MADE
    seed: int = 1

    def each(self, columns: int) -> tuple[float, ...] | None:
        """The factor of every replicate; None where the study gives none."""
        return self.rscales * columns if len(self.rscales) == 1 else self.rscales or None


@dataclass(frozen=True, slots=True)
class RatesPlan:
    """Which rates are printed beside the index: see `csi.study.schema.RatesForm`.

    kcsi: elements, overall, repurchase. tolerance: rebuy, higher, lower, and what counts as likely and as the most.
    """

    top_boxes: tuple[str, ...] = ()
    csat: tuple[str, ...] = ()
    complaint: str = ""
    nps: str = ""
    boxes: int = 2
    kcsi: tuple[tuple[str, ...], str, str] | None = None
    tolerance: tuple[str, str, str, float | None, float | None] | None = None

    @property
    def items(self) -> tuple[str, ...]:
        """Every item that is named."""
        own = () if self.kcsi is None else (*self.kcsi[0], *self.kcsi[1:])
        price = () if self.tolerance is None else self.tolerance[:3]
        return (*self.top_boxes, *self.csat, *(i for i in (self.complaint, self.nps) if i), *own, *price)

    @property
    def names(self) -> tuple[str, ...]:
        """What the rates are called, as `csi.rates` and `csi.kcsi` name them."""
        single = ((self.kcsi, "kcsi"), (self.complaint, "complaint_rate"), (self.nps, "nps"))
        shares = [*(f"top_box_{i}" for i in self.top_boxes), *(f"csat_{i}" for i in self.csat)]
        return (*(n for given, n in single if given), *shares, *(("price_tolerance",) if self.tolerance else ()))


@dataclass(frozen=True, slots=True)
class TreePlan:
    """How the index goes up: see `csi.study.schema.TreeForm`. structure, weights: as given, or a path."""

    structure: Mapping[str, object] | Path
    weights: Mapping[str, float] | Path | None = None
    missing: Literal["renormalise", "carry", "impute", "refuse"] = "renormalise"
    base: str = ""
    others: str = "All others"
    restate: bool = False
    adjust: Literal["holm", "hochberg", "bonferroni", "sidak", "bh", "by"] = "holm"
    levels: tuple[str, ...] = ()
    labels: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Telling:
    """What reports tell beyond their kind: see `csi.study.schema.ReportForm`."""

    sections: Mapping[str, bool] = field(default_factory=dict)
    desired: float | None = None
    groups: str | None = None
    rivals: tuple[EstimatorName, ...] = ("pls", "plsc", "mlr", "sum", "gsca")
    permutations: int = 500
    levers: Mapping[str, Mapping[float, float]] = field(default_factory=dict)
    budget: float | None = None
    worth: float | None = None


@dataclass(frozen=True, slots=True)
class Gating:
    """Which differences are tested for comparability: see `csi.study.schema.ComparabilityForm`.

    Attributes:
        columns: name -> column of groups that no key holds. labels: name -> what such groups are called.
    """

    gate: bool = True
    between: tuple[str, ...] = ()
    within: tuple[str, ...] = ("brand", "wave")
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    alpha: float = 0.05
    rule: Literal["ladder", "micom"] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How to estimate: engine and its options, missing treatment, resampling, index rule; and what reports tell."""

    estimator: EstimatorName = "pls"
    weighting: Literal["path", "factorial", "centroid"] = "path"
    modes: Mapping[str, Mode] = field(default_factory=dict)
    higher_order: Literal["two-stage", "embedded", "repeated"] = "two-stage"
    interaction: Literal["two-stage", "product", "orthogonal", "double-mean-centred", "lms"] | None = None
    ordered: tuple[str, ...] = ()
    missing: Literal["listwise", "pairwise", "mean", "em", "fiml", "two-stage"] = "listwise"
    imputations: int = 0
    tolerance: float = 1e-7
    replicates: int = 1000
    seed: int = 20260101
    resampling: Literal["multinomial", "bayesian"] = "multinomial"
    interval: Literal["percentile", "basic", "normal", "t", "bc", "bca", "studentised", "double"] = "percentile"
    level: float = 0.95
    improper: Literal["keep", "drop"] = "keep"
    replicate_weights: ReplicateWeights | None = None
    target: str = TARGET
    index_weights: Literal["own", "entity", "wave", "rolling", "base", "pooled"] = "base"
    window: int = 4
    index_errors: IndexErrors = "bootstrap"
    shrunken: bool = False
    base_wave: str = ""
    classes: str = ""
    waves_per_year: int = 4
    small: int = 30
    flagged: int = 100
    telling: Telling = Telling()
    gating: Gating = Gating()
    validating: Validating = field(default_factory=Validating)
    formula: Literal["F1", "F2", "F3", "F5", "F6", "F7"] | None = None
    rates: RatesPlan | None = None
    tree: TreePlan | None = None
    targets: tuple[Target, ...] = ()
    views: Views = field(default_factory=Views)
    benchmark: str = "mean"

    @property
    def covariance(self) -> bool:
        """Whether the estimator is that of a covariance model."""
        return self.estimator in COVARIANCE


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a wave, marked on the trend."""

    wave: str
    text: Text


@dataclass(frozen=True, slots=True)
class TableSaid:
    """A table beside the answers as the study file says it: see `csi.study.schema.TableForm`; `place` names the key."""

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    dates: str = ""
    timezone: str = ""
    until: str = ""
    place: str = ""


POINTS = ((0.0, 100.0), (0.0, 100.0))
"""The scales of an overlap sample's scores where a link says none."""


@dataclass(frozen=True, slots=True)
class LinkSaid:
    """A link as the study file says it: see `csi.study.schema.LinkForm`."""

    method: Literal["mean", "linear", "equipercentile", "items", "stated", "given"] = "linear"
    construct: str = ""
    file: Path | None = None
    old: str = "old"
    new: str = "new"
    weight: str = ""
    respondent: str = ""
    cluster: str = ""
    stratum: str = ""
    anchors: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    scales: tuple[tuple[float, float], tuple[float, float]] = POINTS
    shift: float = 0.0
    slope: float = 1.0
    std_error: float = 0.0

    @property
    def design(self) -> dict[str, str]:
        """How the overlap sample was drawn -> the column that says so."""
        return {key: name for key, name in (("cluster", self.cluster), ("stratum", self.stratum)) if name}


@dataclass(frozen=True, slots=True)
class BreakSaid:
    """A break as the study file says it; `scale` is the one before it of `items`, `place` its line."""

    wave: str
    what: Literal["questionnaire", "mode", "scale", "sample", "other"] = "questionnaire"
    text: Text = field(default_factory=lambda: Text("", ""))
    link: LinkSaid | None = None
    scale: tuple[float, float] | None = None
    items: tuple[str, ...] = ()
    place: str = ""
