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
    # logl of "wishart" takes n, not n - 1, as the multiplier of the covariances with divisor n - 1
    (r"wishart", r"logl|aic|bic"),
    # GFI: mean of the groups' GFI weighted by n; under FIML the weight is the expected information of the patterns
    (r"by_gender|FIML|two_stage|^sfo-", r"gfi"),
    # robust measures under absences and of ordinal items; scaled baseline of two-stage fits; independence with fixed x
    (r"FIML|two_stage|^sfo-|WLS|ULSMV|^datcat-", r"robust"),
    (r"two_stage", r"scaled|scaling"),
    (r"FIML_exogenous", r".*"),
    # wrmr: not divided by the number of groups; srmr of mixed items does not count means of continuous items
    (r"datcat-(more|conf|thres|metric|scalar|strict)", r"wrmr"),
    (r"mixed", r"rmr|crmr"),
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
