"""The committed tables of every study that counts by `calibration` meet their gates; slow tests make them again."""

import importlib
import os
import re
import subprocess
import sys
from dataclasses import replace

import calibration as cal
import numpy as np
import overview
import polars as pl
import products_coverage as products
import pytest

import csi

STUDIES = (
    "exact_fit_null",
    "effects_coverage",
    "families",
    "composites_coverage",
    "design_coverage",
    "products_coverage",
    "studentised",
    "waves_coverage",
    "programme_coverage",
    "lifecycle_coverage",
    "complaints_coverage",
    "journey_coverage",
    "logs_coverage",
    "adjustment_coverage",
)


@pytest.fixture(params=STUDIES)
def study(request):
    """A study's script."""
    return importlib.import_module(request.param)


@pytest.fixture
def tables(study):
    """Its committed tables."""
    return [cal.read(name) for name in study.TABLES]


def test_the_committed_tables_are_of_all_panels_and_meet_the_gates(study, tables):
    assert all(table["panels"].unique().to_list() == [cal.PANELS] for table in tables)
    assert study.failures(*tables) == []


def test_the_page_is_of_the_tables(study, tables):
    assert study.page(*tables) == (cal.HERE / f"{study.__name__}.md").read_text(encoding="utf-8")


def test_few_panels_make_tables_of_the_same_form(study, tables):
    if study.__name__ not in QUICK:
        pytest.skip("two panels take as long as the truth does; make check-slow runs them all")
    made = study.tables(QUICK[study.__name__])
    assert list(made) == list(study.TABLES)
    assert [t.columns for t in made.values()] == [t.columns for t in tables]
    assert [t.height for t in made.values()] == [t.height for t in tables]


QUICK = {
    "exact_fit_null": 2,
    "effects_coverage": 2,
    "families": 2,
    "composites_coverage": 2,
    "studentised": 2,
    "journey_coverage": 2,
    "logs_coverage": 2,
}


def test_a_gate_that_is_missed_is_named():
    row = {"study": "s", "kind": "path", "quantity": "q", "interval": "i", "coverage": 0.95, "se_ratio": 1.0}
    table = pl.DataFrame([row | {"gate": "coverage"}, row | {"gate": "tabled", "coverage": 0.1}])
    assert cal.missed(table) == {}
    low = table.with_columns(coverage=pl.lit(0.92))
    assert cal.missed(low) == {"s: path q (i)": "coverage 0.9200, SE ratio 1.0000"}
    assert cal.missed(table.with_columns(se_ratio=pl.lit(0.9))).keys() == {"s: path q (i)"}
    place = "s: path q (i)"
    assert cal.failures(cal.missed(low), {}) == [f"{place}: coverage 0.9200, SE ratio 1.0000"]
    assert cal.failures(cal.missed(low), {place: "why"}) == []
    assert cal.failures({}, {place: "why"}) == [f"{place}: disclosed as missed, but meets its gate"]


def test_misses_are_explained_by_the_first_pattern_that_fits():
    misses = {"a: path q (bc)": "low", "a: path q (t)": "lower", "b: x": "high"}
    reasons = (("a: .* \\(bc\\)", "first"), ("a: .*", "second"))
    assert cal.because(misses, reasons) == {"a: path q (bc)": "first", "a: path q (t)": "second"}
    text = cal.grouped_section(misses, reasons)
    assert "- first\n  - a: path q (bc): low" in text
    assert "- Not explained: b: x: high" in text


@pytest.mark.parametrize(
    ("gate", "rate", "wrong"),
    [
        ("level", 0.07, True),
        ("level", 0.03, True),
        ("level", 0.05, False),
        ("one-sided", 0.036, False),
        ("at most", 0.07, True),
        ("at most", 0.001, False),
        ("conservative", 0.07, True),
        ("tabled", 0.5, False),
    ],
)
def test_rates_are_held_against_their_gate(gate, rate, wrong):
    p = np.where(np.arange(cal.PANELS) < rate * cal.PANELS, 0.03, 0.5)
    row = cal.null_row("s", "t", p, gate)
    assert row["at_5"] == pytest.approx(rate)
    assert row["at_1"] == 0
    assert bool(cal.missed(None, pl.DataFrame([row]))) is wrong


@pytest.mark.parametrize(
    ("gate", "rate", "holds"),
    [
        ("level", 0.05, True),
        ("level", 0.03, False),
        ("level", 0.07, False),
        ("at most", 0.03, True),
        ("at most", 0.066, False),
        ("tabled", 0.9, True),
    ],
)
def test_regions_are_held_against_their_gate(gate, rate, holds):
    row = {"study": "s", "gate": gate, "says_differs": rate, "panels": cal.PANELS}
    assert products.region_holds(row) is holds
    said = products.misses_of(None, None, pl.DataFrame([row]))
    assert said == ({} if holds else {"s: region at the zero slope": f"{rate:.4f} at .05"})


def test_a_region_says_what_the_normal_interval_at_the_place_says():
    boot = csi.bootstrap(csi.fit(products.MODEL, products.panel(250, 1), products.settings("two-stage")), 100, 1)
    places = (-2.5, -1.0, 0.0, 1.0)
    slopes = csi.simple_slopes(replace(boot, interval="normal"), "x", "z", at=places).table
    excluded = (slopes["conf_low"] > 0) | (slopes["conf_high"] < 0)
    assert products.stated(boot, places).tolist() == excluded.cast(float).to_list()
    assert excluded.n_unique() == 2


def test_coverage_counts_what_misses_on_either_side():
    rng = np.random.default_rng(1)
    point = rng.standard_normal((400, 1))
    found = np.stack([np.ones((400, 1)), point - 1.96, point + 1.96], axis=1)
    found[:3] = np.nan
    [row] = cal.coverage_rows("s", [("path", "q")], "normal", [0.0], point, found, {"path"})
    assert row["usable"] == 397
    assert row["gate"] == "coverage"
    assert row["truth_below"] == np.mean(point[3:] > 1.96)
    assert row["coverage"] == pytest.approx(1 - row["truth_below"] - row["truth_above"])
    assert row["se_ratio"] == pytest.approx(1 / point[3:].std(ddof=1))


def test_the_overview_is_of_the_tables():
    assert overview.page() == (cal.HERE / "README.md").read_text(encoding="utf-8")


def test_every_study_has_its_line_in_the_overview():
    text = (cal.HERE / "README.md").read_text(encoding="utf-8")
    assert all(f"[{name}]" in text for name in STUDIES)
    assert all((cal.HERE / name).exists() for name in set(re.findall(r"\]\(([a-z_]+\.(?:md|py))\)", text)))


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_the_study_again(name):
    done = subprocess.run(
        [sys.executable, str(cal.HERE / f"{name}.py")],
        check=False,
        text=True,
        capture_output=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
