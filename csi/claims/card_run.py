"""What comes of a model card on a panel."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from csi.claims.based import based
from csi.claims.run_words import lines_of
from csi.display import Shown, text
from csi.errors import Note, Reason, Text
from csi.estimate.estimate import Estimate
from csi.measures.admissible import Diagnosis
from csi.measures.effects import Effects
from csi.measures.mediation import Mediation
from csi.measures.validity import Validity
from csi.models.card import Card
from csi.models.model import Model
from csi.tracking.index import Index


@dataclass(frozen=True, slots=True, repr=False)
class CardRun(Shown):
    """A card on a panel. Every frame starts with the cells' key columns.

    Attributes:
        card, model, estimate: what was claimed, with which items, and how it came out.
        table: paths: outcome, predictor, expected ("+", "-", "" no side taken, "0" claimed to be zero), estimate
            (standardised), std_error, conf_low, conf_high, verdict ("as expected", "against", "open": not
            distinguishable from 0, "free": no side taken), optional, withheld (code where it must not be read); where
            the card claims arrows to be absent p_value and p_equivalence of these (`csi.claims.absence`).
        measurement: construct, item, loading, conf_low, conf_high, weight. reliability: construct, n_items, alpha,
            rho_a, rho_c, ave. validity: HTMT with its gate. diagnosis: what `csi.verify` found.
        r2: construct, r2, r2_adjusted, conf_low, conf_high. effects: direct, indirect and total effects.
        hypotheses: chains that the card names: hypothesis, chain, expected, estimate, ..., kind, verdict.
        mediation: every mediated pair, None where nothing is mediated.
        contrasts: contrast, formula, estimate, std_error, conf_low, conf_high.
        dimensions: which part carries a construct made of constructs: see `csi.claims.dimensions.dimensions`.
        asymmetry: slopes below and above the mean: see `csi.claims.asymmetries.asymmetries`.
        index: 0-100 of every construct, None where it cannot be. impact: target, construct, importance (points of the
            target per point), gain (points per 5 points), importance_std, performance and intervals.
        fit: measure, value, reason; and of composites q2_predict of every outcome construct (`q2`).
        rivals: see `csi.claims.contests.Contests`.
        cells: key columns, n and flag: "suppressed" (too few answers, numbers are null in every frame), "small", or
            null; the same flag ends every frame. few: why. Frames within
            effects, mediation and validity hold all cells: `told(frame)` withholds.
        left_out: optional constructs without items. labels, level, sentences, notes.
    """

    card: Card
    model: Model
    estimate: Estimate
    table: pl.DataFrame
    measurement: pl.DataFrame
    reliability: pl.DataFrame
    validity: Validity
    diagnosis: Diagnosis
    r2: pl.DataFrame
    effects: Effects
    hypotheses: pl.DataFrame
    mediation: Mediation | None
    contrasts: pl.DataFrame
    dimensions: pl.DataFrame
    asymmetry: pl.DataFrame
    index: Index | None
    impact: pl.DataFrame
    fit: pl.DataFrame
    q2: pl.DataFrame
    rivals: pl.DataFrame
    cells: pl.DataFrame
    few: Reason
    left_out: tuple[str, ...]
    labels: dict[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()

    def told(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame of a part (`validity`, `effects` ...) without the numbers of cells with too few answers."""
        return based(frame, self.cells, self.few)

    @property
    def published(self) -> int | None:
        """The first cell whose numbers are told; None where none are."""
        left = [i for i, flag in enumerate(self.cells["flag"]) if flag != "suppressed"]
        return left[0] if left else None


@text.register
def _(value: CardRun, lang: str = "en") -> str:
    """Sentences, paths with their signs, reliability, chains, contrasts, index, fit, rivals, notes."""
    frames = {
        "table": value.table,
        "r2": value.r2,
        "reliability": value.reliability,
        "hypotheses": value.hypotheses,
        "contrasts": value.contrasts,
        "dimensions": value.dimensions,
        "asymmetry": value.asymmetry,
        "index": pl.DataFrame() if value.index is None else value.index.table,
        "impact": value.impact,
        "fit": value.fit,
        "q2": value.q2,
        "rivals": value.rivals,
    }
    return lines_of(value.card, frames, value.sentences, value.notes, lang)
