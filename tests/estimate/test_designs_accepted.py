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
from csi.expectation.followed import followed
from csi.expectation.wide import wide
from csi.survey.codebook import Codebook, Item, Scale

MARGINS = ["bootstrap", "jackknife", "replicate_weights", "make_replicates", "index"]
"""Errors know weights, strata, clusters, finite populations and margins: raked again (the index linearised, too)."""

OF_AN_ESTIMATE = [
    "blindfolding", "bollen_stine", "copula", "cvpat", "effects", "eigenvalue_tests", "exact_fit", "factor_scores",
    "family", "fit_measures", "implied", "mediation", "modification_indices", "nonlinear", "omega", "predict",
    "predictions", "r2", "reliability", "residuals", "scores", "standardised", "validity", "vif",
]  # fmt: skip
"""Numbers of an estimate: of its weighted moments and rows, with the errors of the replicates it was given."""

OF_AN_ESTIMATE_ELSEWHERE = [
    "key_drivers", "plan", "whatif",
    "common_method",
    "discriminant",
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

OF_DATA = [
    "adequacy", "alignment", "correlations", "efa", "fit", "impute", "invariance", "n_factors", "rake", "read_panel",
    "run_card", "stage_slopes",
]  # fmt: skip
"""Take data with their design and hand it on."""

LINEARISED = [
    "known_groups",
    "criterion",
    "adjustment", "comments", "complaints", "dynamic_expectation", "gap", "intervention", "kcsi", "loyalty_curve",
    "loyalty_types", "nps", "promise", "rates", "reasonable", "recovery", "stakeholders", "tolerance",
]  # fmt: skip
"""Errors of means, shares and slopes are linearised with what margins and finite populations leave of them (in
`comments` those of who wrote, in `complaints` and `recovery` those of answers; tables of events are not raked); what is
resampled beside them is raked again. Of the same people over waves populations are unlimited."""

RESAMPLED = [
    "ipa",
    "balance", "consistency", "emotion_patterns", "formation", "formation_by_stage", "kano", "kinds", "penalty_reward",
    "servqual", "short_form", "surface",
]  # fmt: skip
"""Take a panel's design; what is resampled (Kano's classes and coefficients, a balance point, stabilities, relative
weights, average slopes, HTMT, coefficients of consistency) is raked again in every replicate; errors of means and
slopes beside them are linearised with the margins (of `formation_by_stage` with weights held fixed)."""

HELD_FIXED = ["attitude", "change", "emotion_waves", "irt", "lifecycle", "mentions", "text_indicator"]
"""Take a panel's weights, strata and clusters; raked weights are held fixed and populations unlimited, so that errors
are too large rather than too small."""

EVENTS = ["bgnbd", "feedback", "hazard", "journey", "programme", "read_events", "repurchase", "survival"]
"""Of tables of events: every event of everybody, not a sample; clusters where `unit` or the answers beside say so."""

WITHOUT = {
    "mtmm": "covariances of units by their weights, without errors of shares",
    "power_model": "plans a study that has no rows yet",
    "power_path": "plans a study that has no rows yet",
    "power_pls": "plans a study that has no rows yet",
    "power_icc": "plans a study that has no rows yet",
    "power_alpha": "plans a study that has no rows yet",
    "power_invariance": "plans a study that has no rows yet",
    "power_rmsea": "plans a study that has no rows yet",
    "adjust": "p-values, no rows",
    "agreement": "of raters on the units they rated",
    "icc": "of raters on the subjects they rated",
    "retest": "of the people who came back, once each (said in a note)",
    "append": "hands on what a study says; a raked one is refused",
    "batch": "hands on what a study says",
    "coding": "reads a file, estimates nothing",
    "dif": "people are matched one by one; a note says that weights do not enter",
    "diff": "two records, no rows",
    "items": "weighted moments of items without sampling errors (those of mean rest scores are of independent rows)",
    "missingness": "counts of absent answers, of the rows themselves",
    "price_tolerance": "makes an item of three; its errors are those of whoever takes it",
    "requirements": "products of judgements, without sampling error",
    "nca": "a ceiling line over the rows, which weights do not move",
    "quality": "counts of what rules find; its indices are those of csi.index",
    "rebuild": "hands on what a record says",
    "report": "hands on what a study says",
    "simulate": "makes rows",
    "validate": "hands its answers with their design to the measures it is made of",
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
    making = [p.stem for p in root.rglob("*.py") if "inference.resample import" in (t := p.read_text(encoding="utf-8"))
              and re.search(r"inference\.resample import [^\n]*\bPlan\b", t)]  # fmt: skip
    assert sorted(making) == ["followed", "make_replicates", "nested", "replicates"]  # raked again, or refused (nested)


def test_people_over_waves_are_raked_again() -> None:
    """In every replicate the weights of people add up to the margins of their first wave."""
    rng, n = np.random.default_rng(4), 60
    sex = np.tile(rng.integers(0, 2, n), 2)
    book = Codebook((Item("e", "expectation", Scale("s", 1, 7), Text("E", "E")),), {}, {})
    frame = pl.DataFrame({"respondent": [f"{k:02d}" for k in range(n)] * 2, "wave": ["1"] * n + ["2"] * n,
                          "e": rng.integers(1, 8, 2 * n).astype(float), "sex": sex.astype(str)})  # fmt: skip
    panel = csi.Panel(frame, book, frame.select(pl.lit(None, pl.String).alias("e")), waves=("1", "2"))
    raked = csi.rake(panel, {"sex": {"0": 0.3, "1": 0.7}}, by=["wave"])
    for made, most in ((raked, 1e-5), (dataclasses.replace(raked, weighing=None), np.inf)):
        data = followed(wide(made, ["e"]), {"A": ["e"]})
        share = (data.drawn(50, 1) * data.weight) @ (sex[:n] == 0) / n
        assert share.mean() == pytest.approx(0.3, abs=0.05)
        assert share.std() < most
        assert bool(share.std() > 0.01) is (most == np.inf)


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


@pytest.fixture(scope="module")
def told_by_kind() -> csi.Panel:
    """People of six kinds, whose answers follow from the kind; raked to shares of kinds."""
    rng, n = np.random.default_rng(8), 180
    kind = rng.integers(0, 6, n)
    ten, names = Scale("ten", 1, 10), ("Ew", "Ea", "Ed", "P")
    items = [Item(f"{f}{a}", f"d{a}", ten, Text("X", "X"), f"a{a}", f) for a in (1, 2) for f in names]  # type: ignore[arg-type]
    items += [Item(c, c, ten, Text("X", "X")) for c in ("loyalty", "satisfaction")]
    answers = {i.name: rng.integers(3, 11, 6).astype(float)[kind] for i in items}
    for a in (1, 2):
        answers[f"Ea{a}"], answers[f"Ed{a}"] = np.full(n, 4.0), np.full(n, 8.0) + (kind == 1)
    frame = pl.DataFrame({**answers, "kind": kind.astype(str)})
    blank = pl.DataFrame({i.name: pl.Series([None] * n, dtype=pl.String) for i in items})
    made = csi.Panel(frame, Codebook(tuple(items), {}, {}), blank)
    return csi.rake(made, {"kind": {str(k): s for k, s in enumerate((0.3, 0.1, 0.1, 0.2, 0.2, 0.1))}})


def errors_of(found: object) -> list[float]:
    """Every standard error in the tables of a result."""
    tables = [getattr(found, f.name) for f in dataclasses.fields(found)]  # type: ignore[arg-type]
    kept = [t for t in tables if isinstance(t, pl.DataFrame)]
    return [v for t in kept for c in t.columns if "std_error" in c for v in t[c].drop_nulls().to_list()]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("gap", {"outcome": "loyalty"}),
        ("tolerance", {"outcome": "loyalty"}),
        ("servqual", {"expected": "Ew", "structure": False, "outcome": "loyalty"}),
        ("kinds", {"replicates": 100}),
        ("loyalty_types", {"patronage": "satisfaction"}),
        ("loyalty_curve", {}),
    ],
)
def test_what_margins_tell_has_no_error(name: str, given: dict[str, object], told_by_kind: csi.Panel) -> None:
    """Where a margin settles every answer, means, shares and slopes are known; with weights held fixed they are not."""
    fixed = dataclasses.replace(told_by_kind, weighing=None)
    known, held = (errors_of(getattr(csi, name)(panel, **given)) for panel in (told_by_kind, fixed))
    assert len(known) == len(held) > 0
    assert max(known) < 1e-7
    assert max(held) > 0.01


def test_a_finite_population_takes_its_part_of_linearised_errors(told_by_kind: csi.Panel) -> None:
    """Of 75 % of a population answered, errors are half of those of an unlimited one."""
    free = dataclasses.replace(told_by_kind, weighing=None)
    counted = dataclasses.replace(free, frame=free.frame.with_columns(population=pl.lit(0.75)))
    wide, narrow = (np.array(errors_of(csi.gap(panel, outcome="loyalty"))) for panel in (free, counted))
    np.testing.assert_allclose(narrow, wide / 2, rtol=1e-9)


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
