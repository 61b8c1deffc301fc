"""Satisfaction indices: from a survey export to a report with uncertainty.

Every public name is loaded when it is first used (PEP 562), so `import csi` loads neither numpy nor polars nor an
engine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csi.estimate.estimate import Estimate as Estimate
    from csi.models.model import Model as Model
    from csi.moments.stack import Moments as Moments
    from csi.study.study import Study as Study
    from csi.survey.codebook import Codebook as Codebook
    from csi.survey.panel import Panel as Panel
    from csi.tracking.index import Index as Index

__version__ = "0.1.0"

_HOMES = {
    "Codebook": "csi.survey.codebook",
    "Estimate": "csi.estimate.estimate",
    "Index": "csi.tracking.index",
    "Model": "csi.models.model",
    "Moments": "csi.moments.stack",
    "Panel": "csi.survey.panel",
    "Study": "csi.study.study",
}

__all__ = ["Codebook", "Estimate", "Index", "Model", "Moments", "Panel", "Study"]


def __getattr__(name: str) -> object:
    """Load a public name from the room where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'csi' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names first; nothing is loaded for it."""
    return sorted({*globals(), *__all__})
