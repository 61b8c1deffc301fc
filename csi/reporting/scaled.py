"""Parameters as reports print them: standardised, whatever the estimator."""

from __future__ import annotations

import polars as pl

from csi.errors import Note, Text, note
from csi.estimate.estimate import Estimate
from csi.measures.standardised import standardised
from csi.sem.fitted import Fitted

DELTA = note(
    "N-DELTA",
    "Standardised parameters of the covariance model have delta-method errors, not those of the bootstrap.",
    "协方差模型的标准化参数采用 Delta 法标准误，而非自助法。",
)


def scaled(est: Estimate) -> pl.DataFrame:
    """The estimate's table on the standardised scale.

    Composites are estimated on it; a covariance model's parameters are standardised, with delta-method errors.
    """
    if not isinstance(est.extra.get("sem"), Fitted):
        return est.table
    table = standardised(est)
    return table.rename({"std_all": "estimate"}) if "estimate" not in table.columns else table


def interval_words(est: Estimate) -> Text:
    """Whose intervals standardised parameters have: of the delta method, of replicate weights, of the bootstrap."""
    if isinstance(est.extra.get("sem"), Fitted):
        return Text("delta-method", "Delta 法")
    return Text("bootstrap", "自助法") if est.replicates is not None else Text("normal", "正态")


def scale_notes(est: Estimate) -> tuple[Note, ...]:
    """That errors are those of the delta method, where they are."""
    return (DELTA,) if isinstance(est.extra.get("sem"), Fitted) else ()
