"""Fit measures and r2 against lavaan 0.6-14: absolute 1e-4, 1e-3 where polychoric (statistics.md, 3).

Chi-squares and likelihoods are large numbers: 1e-4 of them, when that is more.
"""

from __future__ import annotations

import math
import re

import polars as pl
import pytest

import csi
from tests.sem.lavaan_cases import CASES, MISSING, fitted, frame_of, params, saved_of

CONSTANT = {"rmsea.ci.level", "rmsea.close.h0", "rmsea.notclose.h0"}
"""Settings that lavaan prints among the measures."""


def close(ours, theirs, tolerance, loose):
    """Equal within the tolerance; None and NaN are the same."""
    if theirs is None or ours is None:
        return theirs is None and (ours is None or math.isnan(ours))
    return abs(ours - theirs) <= max(tolerance, loose * abs(theirs))


OPEN_MEASURES = (
    # the baseline's factor is not that of lavaan's own fit of the independence model, see csi/measures/baseline.py
    (r"two_stage", r"^baseline\.chisq\.scal|^(cfi|tli|nnfi|rfi|nfi|pnfi|ifi|rni)\.(scaled|robust)$"),
    # lavaan's EM stopped at 1e-5: .413647; with em.h1.tol = 1e-12 it prints .413514 (held to that below)
    (r"sfo-invariance_strict", r"^rmsea\.pvalue\.robust$"),
)
"""Known differences (case, measure); a line leaves when it agrees."""


def is_open(case, measure):
    """Whether a measure of a case is known to differ."""
    return any(re.search(where, case.id) and re.search(what, measure) for where, what in OPEN_MEASURES)


@pytest.mark.parametrize("case", params(CASES))
def test_fit_measures(case):
    saved = saved_of(case.folder, case.record)["fit"]
    ours = csi.fit_measures(fitted(case))
    tolerance = 1e-3 if case.polychoric else 1e-4
    named = {n: v for n, v in saved.items() if n not in CONSTANT and not is_open(case, n)}
    assert not [n for n in named if n not in ours]
    wrong = {n: (ours[n], v) for n, v in named.items() if not close(ours[n], v, tolerance, case.loose)}
    assert not wrong


def case_of(folder, record):
    """A case by its record."""
    return next(c for c in CASES if (c.folder, c.record) == (folder, record))


@pytest.mark.parametrize("form", ["two_stage", "two_stage_robust"])
def test_two_stage_baseline_is_the_independence_model_fitted_alike(form):
    alone = saved_of("holzinger_missing", f"beside_{form}_independence")["fit"]
    ours = csi.fit_measures(fitted(case_of("holzinger_missing", f"more_{form}")))
    for measure in ("chisq", "chisq.scaled", "chisq.scaling.factor"):
        assert ours[f"baseline.{measure}"] == pytest.approx(alone[measure], rel=1e-7)


def test_close_fit_of_strict_invariance_where_the_unrestricted_moments_converged():
    """lavaan 0.6-14, the call of the record with em.h1.tol = 1e-12, em.h1.iter.max = 10000."""
    ours = csi.fit_measures(fitted(case_of("sfo", "invariance_strict")))
    assert ours["rmsea.robust"] == pytest.approx(0.0505416887155, abs=1e-7)
    assert ours["rmsea.pvalue.robust"] == pytest.approx(0.4135143661407, abs=1e-6)


def test_goodness_of_weighted_rows_with_absent_answers():
    # R: d$w <- 1 + ((seq_len(nrow(d)) - 1) %% 3); sem(three factors, d, missing = "fiml", estimator = "MLR",
    # sampling.weights = "w", em.h1.tol = 1e-12, em.h1.iter.max = 10000)
    model = csi.Model.parse("visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9")
    rows = frame_of("holzinger_missing", MISSING).with_row_index("i").with_columns(w=1.0 + pl.col("i") % 3)
    found = csi.fit_measures(csi.fit(model, rows, csi.SEM(estimator="MLR", missing="fiml"), weight="w"))
    assert found["chisq"] == pytest.approx(92.9128558781, rel=1e-6)
    saved = {"gfi": 0.9954627253, "agfi": 0.9897911319, "srmr": 0.0682983437}
    assert {name: found[name] for name in saved} == pytest.approx(saved, abs=2e-6)
    assert found["chisq.scaling.factor"] == pytest.approx(1.0869675343, abs=1e-6)
