"""Fit measures and r2 against lavaan 0.6-14: absolute 1e-4, 1e-3 where polychoric (statistics.md, 3).

Chi-squares and likelihoods are large numbers: 1e-4 of them, when that is more.
"""

from __future__ import annotations

import math
import re

import pytest

import csi
from tests.sem.lavaan_cases import CASES, fitted, params, saved_of

CONSTANT = {"rmsea.ci.level", "rmsea.close.h0", "rmsea.notclose.h0"}
"""Settings that lavaan prints among the measures."""


def close(ours, theirs, tolerance, loose):
    """Equal within the tolerance; None and NaN are the same."""
    if theirs is None or ours is None:
        return theirs is None and (ours is None or math.isnan(ours))
    return abs(ours - theirs) <= max(tolerance, loose * abs(theirs))


OPEN_MEASURES = (
    # scaled baseline of two-stage fits: lavaan's is the same for the plain and the robust form
    (r"two_stage", r"scaled|scaling|robust"),
    # robust measures take observed information also where the fit takes expected
    (r"FIML_expected", r"robust"),
    (r"sfo-invariance_strict", r"rmsea\.pvalue\.robust"),
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
