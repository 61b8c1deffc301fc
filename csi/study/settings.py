"""How a study wants to be estimated and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from csi.errors import Text

TARGET = "satisfaction"
"""The construct that is published where a study names none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to estimate: engine, weighting scheme, missing treatment, bootstrap, index rule."""

    estimator: Literal["pls", "plsc", "sum", "gsca"] = "pls"
    weighting: Literal["path", "factorial", "centroid"] = "path"
    missing: Literal["listwise", "pairwise", "mean", "em"] = "listwise"
    tolerance: float = 1e-7
    replicates: int = 1000
    seed: int = 20260101
    resampling: Literal["multinomial", "bayesian"] = "multinomial"
    interval: Literal["percentile", "basic", "normal", "bc", "bca", "studentised", "double"] = "percentile"
    level: float = 0.95
    target: str = TARGET
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
