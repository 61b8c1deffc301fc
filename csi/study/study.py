"""The study file as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from csi.errors import Language, Text
from csi.models.model import Model
from csi.survey.codebook import Codebook
from csi.survey.datafile import DataFile
from csi.survey.rules import Rules

__all__ = ["DataFile", "Event", "Rules", "Settings", "Study"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to estimate: engine, weighting scheme, missing treatment, bootstrap, index rule."""

    weighting: Literal["path", "factorial", "centroid"] = "path"
    missing: Literal["listwise", "pairwise", "mean"] = "listwise"
    tolerance: float = 1e-7
    replicates: int = 1000
    seed: int = 20260101
    resampling: Literal["multinomial", "bayesian"] = "multinomial"
    interval: Literal["percentile", "bca"] = "percentile"
    level: float = 0.95
    target: str = "satisfaction"
    index_weights: Literal["own", "entity", "wave", "base", "pooled"] = "base"
    base_wave: str = ""
    waves_per_year: int = 4
    small: int = 30
    flagged: int = 100


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a wave, marked on the trend."""

    wave: str
    text: Text


@dataclass(frozen=True, slots=True)
class Study:
    """Everything one study file says."""

    path: Path
    sha256: str
    name: str
    title: Text
    sector: Text
    language: Language
    codebook: Codebook
    data: tuple[DataFile, ...]
    waves: tuple[str, ...]
    brands: Mapping[str, Text]
    focal: str
    model: Model
    rules: Rules
    settings: Settings
    stages: Mapping[str, Text] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
