"""Which public functions take a survey's design, and what their errors know of raked margins: every name is told."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.survey.codebook import Codebook, Item, Scale

MARGINS = ["bootstrap", "jackknife", "replicate_weights", "make_replicates", "index"]
"""Errors know weights, strata, clusters, finite populations and margins: raked again (the index linearised, too)."""

OF_AN_ESTIMATE = [
    "blindfolding", "bollen_stine", "copula", "cvpat", "effects", "eigenvalue_tests", "exact_fit", "factor_scores",
    "family", "fit_measures", "implied", "mediation", "modification_indices", "nonlinear", "predict", "predictions",
    "r2", "reliability", "residuals", "scores", "standardised", "validity", "vif",
]  # fmt: skip
"""Numbers of an estimate: of its weighted moments and rows, with the errors of the replicates it was given."""

OF_AN_ESTIMATE_ELSEWHERE = [
    "cipma", "cta", "driver_shares", "drivers", "fimix", "johnson_neyman", "lrt", "mga", "micom", "order", "pos",
    "redundancy", "score_tests", "selection", "simple_slopes", "simultaneous", "verify", "wald", "compare",
]  # fmt: skip
"""The same, where a small model without products, groups or constraints has nothing to show."""

OF_AN_INDEX = [
    "alerts", "attrition", "changes", "comparable", "control", "decompose", "item_link", "link", "medals", "overlap",
    "pairwise", "pool",
    "rank_probabilities", "shrunken", "smooth", "targets", "track", "tree",
]  # fmt: skip
"""Of indices and their replicates: whatever those know."""

OF_DATA = ["fit", "rake", "read_panel", "impute", "alignment", "invariance", "run_card", "stage_slopes"]
"""Take data with their design and hand it on."""

LINEARISED = ["kcsi", "nps", "rates"]
"""Errors of scores and rates are linearised with what margins leave of them; pairs of groups in `nps` hold weights
fixed."""

RESAMPLED = [
    "balance", "emotion_patterns", "formation", "formation_by_stage", "kano", "kinds", "penalty_reward", "servqual",
    "surface",
]  # fmt: skip
"""Take a panel's design; what is resampled (Kano's classes and coefficients, a balance point, stabilities, relative
weights, average slopes, HTMT) is raked again in every replicate; errors of means and slopes beside them hold
weights fixed."""

HELD_FIXED = [
    "adjustment", "attitude", "change", "comments", "complaints", "dynamic_expectation", "emotion_waves",
    "gap", "intervention", "lifecycle", "loyalty_curve", "loyalty_types", "mentions",
    "price_tolerance", "promise", "reasonable", "recovery", "requirements", "stakeholders", "text_indicator",
    "tolerance",
]  # fmt: skip
"""Take a panel's weights, strata and clusters; raked weights are held fixed and populations unlimited, so that errors
are too large rather than too small."""

EVENTS = ["bgnbd", "feedback", "hazard", "journey", "programme", "read_events", "repurchase", "survival"]
"""Of tables of events: every event of everybody, not a sample; clusters where `unit` or the answers beside say so."""

WITHOUT = {
    "adjust": "p-values, no rows",
    "append": "hands on what a study says; a raked one is refused",
    "batch": "hands on what a study says",
    "coding": "reads a file, estimates nothing",
    "diff": "two records, no rows",
    "missingness": "counts of absent answers, of the rows themselves",
    "nca": "a ceiling line over the rows, which weights do not move",
    "quality": "counts of what rules find; its indices are those of csi.index",
    "report": "hands on what a study says",
    "simulate": "makes rows",
    "waves": "tells what a study's waves are",
}

LISTS = (
    MARGINS,
    OF_AN_ESTIMATE,
    OF_AN_ESTIMATE_ELSEWHERE,
    OF_AN_INDEX,
    OF_DATA,
    LINEARISED,
    RESAMPLED,
    HELD_FIXED,
    EVENTS,
    list(WITHOUT),
)
MODEL = "a =~ a1+a2+a3\nb =~ b1+b2+b3\nc =~ c1+c2+c3\nb ~ a\nc ~ a+b"


def answers() -> pl.DataFrame:
    """Weights that go with the answers, so that they matter everywhere."""
    rng, n = np.random.default_rng(3), 240
    f = rng.normal(size=n)
    g = 0.6 * f + rng.normal(size=n) * 0.8
    h = 0.5 * g + 0.3 * f + rng.normal(size=n) * 0.7
    items = {
        f"{c}{i}": np.clip(np.round(6 + 1.4 * v + rng.normal(size=n)), 1, 10)
        for c, v in (("a", f), ("b", g), ("c", h))
        for i in (1, 2, 3)
    }
    weight = np.exp(0.5 * f + 0.3 * rng.normal(size=n))
    return pl.DataFrame({**items, "w": weight, "u": np.arange(n) // 4, "s": np.arange(n) // 40})


def numbers(found: object, depth: int = 0) -> list[float]:
    """Every number in a result."""
    table = getattr(found, "table", found)
    if isinstance(table, pl.DataFrame):
        return [v for c in table.columns if table[c].dtype.is_numeric() for v in table[c].fill_null(0).to_list()]
    if isinstance(found, np.ndarray):
        return found.ravel().tolist() if found.dtype.kind in "fi" else []
    if isinstance(found, int | float):
        return [float(found)]
    parts: list[object] = []
    if isinstance(found, list | tuple | dict):
        parts = list(found.values() if isinstance(found, dict) else found)
    elif dataclasses.is_dataclass(found):
        parts = [getattr(found, f.name, None) for f in dataclasses.fields(found)]
    return [v for one in parts for v in numbers(one, depth + 1)] if depth < 5 else []


def test_every_public_function_is_told_once() -> None:
    public = {name for name in csi.__all__ if not inspect.isclass(getattr(csi, name))}
    told = [name for one in LISTS for name in one]
    assert sorted(told) == sorted(set(told))
    assert set(told) == public


@pytest.fixture(scope="module")
def fits() -> dict[str, tuple[csi.Estimate, csi.Estimate]]:
    """Composites and a covariance fit, without and with the design."""
    frame, design = answers(), {"weight": "w", "unit": "u", "stratum": "s"}
    return {
        name: (csi.fit(MODEL, frame, how, scale=(1, 10)), csi.fit(MODEL, frame, how, scale=(1, 10), **design))
        for name, how in (("pls", csi.PLS()), ("sem", csi.SEM()))
    }


@pytest.mark.parametrize("name", OF_AN_ESTIMATE)
def test_weights_reach_the_numbers(name: str, fits: dict[str, tuple[csi.Estimate, csi.Estimate]]) -> None:
    function, reached = getattr(csi, name), 0
    for plain, weighed in fits.values():
        try:
            one, other = numbers(function(plain)), numbers(function(weighed))
        except csi.Problems:  # composites or covariances alone
            continue
        reached += 1
        assert one
        assert one != other
    assert reached


def test_nothing_is_resampled_past_the_margins() -> None:
    """Whoever draws units does it by the plan that rakes again; resamples of resamples refuse raked weights."""
    root = Path(csi.__file__).parent
    drawing = [p.stem for p in root.rglob("*.py") if re.search(r"\bplan_of\(", p.read_text(encoding="utf-8"))]
    assert sorted(drawing) == ["index_drawn", "resample"]


def test_a_class_of_kano_that_is_a_margin_has_no_error() -> None:
    """Of two answers one class is a margin: its share is known, whatever is drawn."""
    rng = np.random.default_rng(2)
    likes = rng.random(90) < 0.4
    items = [Item(f"{form}_x", "features", Scale("five", 1, 5), Text("X", "X"), "x", form) for form in ("Kf", "Kd")]
    frame = pl.DataFrame({"Kf_x": np.where(likes, 1.0, 3.0), "Kd_x": np.full(90, 3.0), "likes": likes.astype(str)})
    reasons = pl.DataFrame({i.name: pl.Series([None] * 90, dtype=pl.String) for i in items})
    panel = csi.Panel(frame, Codebook(tuple(items), {}, {}), reasons)
    raked = csi.rake(panel, {"likes": {"True": 0.3, "False": 0.7}})
    known, held = (csi.kano(p, replicates=100).table for p in (raked, dataclasses.replace(raked, weighing=None)))
    assert known["cs_plus"][0] == pytest.approx(0.3, abs=1e-5)
    assert known["cs_plus_high"][0] - known["cs_plus_low"][0] < 1e-5
    assert held["cs_plus_high"][0] - held["cs_plus_low"][0] > 0.1


def test_errors_know_the_margins() -> None:
    """A margin that is what is asked has no sampling error: raking again leaves none, weights held fixed leave some."""
    frame = answers().with_columns(high=(pl.col("a1") > 6).cast(pl.Int64).cast(pl.String))
    made = csi.rake(frame, {"high": {"0": 0.6, "1": 0.4}}, base="w")
    item = made.frame.with_columns(pl.col("high").cast(pl.Float64).alias("h"))
    est = csi.fit("x =~ h\ny =~ b1\ny ~ x", dataclasses.replace(made, frame=item), csi.PLS(), scale=(0, 10))
    fixed = dataclasses.replace(est, sample=dataclasses.replace(est.sample, raking=None))
    at = est.moments.names.index("h")
    again, held = (csi.bootstrap(e, 100).replicates.mean[:, 0, at].std() for e in (est, fixed))
    assert again < 1e-5
    assert held > 0.02
    linear = csi.index(est, weights="own", std_error="linearised").table.filter(construct="x")["std_error"][0]
    assert linear < 1e-3
