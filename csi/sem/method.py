"""What the name of an estimator stands for: what is minimised, where standard errors come from, which test is printed.

The names and their meanings are lavaan's (Rosseel, 2012) and Mplus's (Muthén & Muthén).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fit = Literal["ML", "GLS", "ULS", "WLS", "DWLS"]
Errors = Literal["none", "standard", "first.order", "robust.sem", "robust.huber.white", "two.stage", "robust.two.stage"]
Testing = Literal[
    "none",
    "standard",
    "satorra.bentler",
    "yuan.bentler",
    "yuan.bentler.mplus",
    "mean.var.adjusted",
    "scaled.shifted",
]
Information = Literal["expected", "observed", "first.order"]


@dataclass(frozen=True, slots=True)
class Method:
    """fitting: what is minimised. se, test: as in lavaan. information: that standard errors invert."""

    fitting: Fit
    se: Errors
    test: Testing
    information: Information

    @property
    def robust(self) -> bool:
        """Whether rows (fourth moments or casewise scores) are needed."""
        return self.se not in {"none", "standard"} or self.test not in {"none", "standard"}


METHODS: dict[str, Method] = {
    "ML": Method("ML", "standard", "standard", "expected"),
    "MLM": Method("ML", "robust.sem", "satorra.bentler", "expected"),
    "MLMV": Method("ML", "robust.sem", "scaled.shifted", "expected"),
    "MLMVS": Method("ML", "robust.sem", "mean.var.adjusted", "expected"),
    "MLR": Method("ML", "robust.huber.white", "yuan.bentler.mplus", "observed"),
    "MLF": Method("ML", "first.order", "standard", "first.order"),
    "GLS": Method("GLS", "standard", "standard", "expected"),
    "ULS": Method("ULS", "standard", "standard", "expected"),
    "ULSM": Method("ULS", "robust.sem", "satorra.bentler", "expected"),
    "ULSMV": Method("ULS", "robust.sem", "scaled.shifted", "expected"),
    "ULSMVS": Method("ULS", "robust.sem", "mean.var.adjusted", "expected"),
    "WLS": Method("WLS", "standard", "standard", "expected"),
    "DWLS": Method("DWLS", "standard", "standard", "expected"),
    "WLSM": Method("DWLS", "robust.sem", "satorra.bentler", "expected"),
    "WLSMV": Method("DWLS", "robust.sem", "scaled.shifted", "expected"),
    "WLSMVS": Method("DWLS", "robust.sem", "mean.var.adjusted", "expected"),
}
"""Estimator names and what they stand for."""
